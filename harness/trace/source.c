// SPDX-License-Identifier: MIT
/*
 * source.c - the bytes of a recording: a file, a pipe or memory, plain or zstd.
 *
 * Bounded memory whatever it reads. A source that cannot seek is copied to an unnamed temporary
 * file as it is read, so that it can be read again. Relies on libzstd if the build has it; text.c
 * and trace.c rely on it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#ifdef SF_HAVE_ZSTD
#include <zstd.h>
#endif

#include "private.h"

#define RAW_SIZE (128u << 10)
#define PEEK_SIZE SF_TR_LINE_MAX

static const uint8_t zstd_magic[] = { 0x28, 0xb5, 0x2f, 0xfd };

struct sf_source {
	char *name;
	int fd;                /* -1: memory */
	bool own_fd, memory, zstd;
	FILE *spool;           /* copy of what cannot be read twice */
	const uint8_t *mem;
	size_t mem_len, mem_pos;
	uint8_t *raw;          /* as stored */
	size_t raw_pos, raw_len;
	bool raw_end;
	uint8_t *peek;         /* as read, not yet taken */
	size_t peek_pos, peek_len;
#ifdef SF_HAVE_ZSTD
	ZSTD_DStream *stream;
	size_t pending;        /* what the decoder still expects; 0: a frame ended here */
#endif
};

int sf_tr_error(struct sf_error *err, const char *path, uint64_t line, const char *fmt, ...)
{
	size_t len = strlen(path);
	const char *cut = len > 90 ? "..." : "";
	const char *tail = len > 90 ? path + len - 87 : path;
	va_list ap;
	int n;

	if (line)
		n = snprintf(err->text, sizeof(err->text), "%s%s:%llu: ", cut, tail,
			     (unsigned long long)line);
	else
		n = snprintf(err->text, sizeof(err->text), "%s%s: ", cut, tail);
	va_start(ap, fmt);
	vsnprintf(err->text + n, sizeof(err->text) - (size_t)n, fmt, ap);
	va_end(ap);
	return -1;
}

/* Bytes as stored. */
static ssize_t read_raw(struct sf_source *s, void *dst, size_t len, struct sf_error *err)
{
	ssize_t n;

	if (s->memory) {
		if (len > s->mem_len - s->mem_pos)
			len = s->mem_len - s->mem_pos;
		if (len)
			memcpy(dst, s->mem + s->mem_pos, len);
		s->mem_pos += len;
		return (ssize_t)len;
	}
	do {
		n = read(s->fd, dst, len);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return sf_tr_error(err, s->name, 0, "%s", strerror(errno));
	if (s->spool && n && fwrite(dst, 1, (size_t)n, s->spool) != (size_t)n)
		return sf_tr_error(err, s->name, 0, "cannot keep a copy to read it twice: %s",
				   strerror(errno));
	return n;
}

#ifdef SF_HAVE_ZSTD
static int fill_raw(struct sf_source *s, struct sf_error *err)
{
	ssize_t n;

	if (s->raw_pos < s->raw_len || s->raw_end)
		return 0;
	n = read_raw(s, s->raw, RAW_SIZE, err);
	if (n < 0)
		return -1;
	s->raw_pos = 0;
	s->raw_len = (size_t)n;
	s->raw_end = n == 0;
	return 0;
}

static ssize_t read_zstd(struct sf_source *s, void *dst, size_t len, struct sf_error *err)
{
	ZSTD_outBuffer out = { dst, len, 0 };

	while (!out.pos) {
		ZSTD_inBuffer in;

		if (fill_raw(s, err))
			return -1;
		in = (ZSTD_inBuffer){ s->raw, s->raw_len, s->raw_pos };
		if (s->raw_end && !s->pending)
			return 0;
		s->pending = ZSTD_decompressStream(s->stream, &out, &in);
		if (ZSTD_isError(s->pending))
			return sf_tr_error(err, s->name, 0, "broken zstd data: %s",
					   ZSTD_getErrorName(s->pending));
		s->raw_pos = in.pos;
		if (s->raw_end && s->pending && !out.pos)
			return sf_tr_error(err, s->name, 0, "zstd data ends too early");
	}
	return (ssize_t)out.pos;
}
#endif

/* Past the peeked bytes. */
static ssize_t read_more(struct sf_source *s, void *dst, size_t len, struct sf_error *err)
{
	size_t n;

#ifdef SF_HAVE_ZSTD
	if (s->zstd)
		return read_zstd(s, dst, len, err);
#endif
	if (s->raw_pos == s->raw_len)
		return read_raw(s, dst, len, err);
	n = s->raw_len - s->raw_pos;
	if (n > len)
		n = len;
	memcpy(dst, s->raw + s->raw_pos, n);
	s->raw_pos += n;
	return (ssize_t)n;
}

ssize_t sf_source_read(struct sf_source *s, void *dst, size_t len, struct sf_error *err)
{
	size_t n = s->peek_len - s->peek_pos;

	if (!n)
		return read_more(s, dst, len, err);
	if (n > len)
		n = len;
	memcpy(dst, s->peek + s->peek_pos, n);
	s->peek_pos += n;
	return (ssize_t)n;
}

ssize_t sf_source_peek(struct sf_source *s, const uint8_t **head, size_t len, struct sf_error *err)
{
	if (len > PEEK_SIZE)
		len = PEEK_SIZE;
	if (!s->peek)
		s->peek = sf_tr_alloc(PEEK_SIZE);
	while (s->peek_len < len) {
		ssize_t n = read_more(s, s->peek + s->peek_len, len - s->peek_len, err);

		if (n < 0)
			return -1;
		if (!n)
			break;
		s->peek_len += (size_t)n;
	}
	*head = s->peek;
	return (ssize_t)s->peek_len;
}

/* Tells compression from the first bytes. */
static int detect(struct sf_source *s, struct sf_error *err, int *exit_code)
{
	size_t len = 0;

	/* A pipe may give a byte at a time. */
	while (len < sizeof(zstd_magic)) {
		ssize_t n = read_raw(s, s->raw + len, RAW_SIZE - len, err);

		if (n < 0)
			return -1;
		if (!n)
			break;
		len += (size_t)n;
	}
	s->raw_pos = 0;
	s->raw_len = len;
	s->zstd = len >= sizeof(zstd_magic) && !memcmp(s->raw, zstd_magic, sizeof(zstd_magic));
	if (!s->zstd)
		return 0;
#ifdef SF_HAVE_ZSTD
	(void)exit_code;
	s->stream = ZSTD_createDStream();
	if (!s->stream)
		return sf_tr_error(err, s->name, 0, "out of memory");
	s->pending = 1;
	return 0;
#else
	*exit_code = 3;
	return sf_tr_error(err, s->name, 0,
			   "compressed, and this build has no zstd (Debian: libzstd-dev)");
#endif
}

static int start_spool(struct sf_source *s, struct sf_error *err)
{
	if (lseek(s->fd, 0, SEEK_CUR) >= 0)
		return 0;
	s->spool = tmpfile();
	if (!s->spool)
		return sf_tr_error(err, s->name, 0, "cannot make a temporary file: %s",
				   strerror(errno));
	return 0;
}

static struct sf_source *make(const char *name)
{
	struct sf_source *s = sf_tr_alloc(sizeof(*s));

	memset(s, 0, sizeof(*s));
	s->fd = -1;
	s->name = strcpy(sf_tr_alloc(strlen(name) + 1), name);
	s->raw = sf_tr_alloc(RAW_SIZE);
	return s;
}

struct sf_source *sf_source_open(const char *path, struct sf_error *err, int *exit_code)
{
	bool is_stdin = !strcmp(path, "-");
	struct sf_source *s = make(is_stdin ? "standard input" : path);

	*exit_code = 2;
	s->own_fd = !is_stdin;
	s->fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	if (s->fd < 0) {
		sf_tr_error(err, path, 0, "%s", strerror(errno));
		goto fail;
	}
	if (start_spool(s, err) || detect(s, err, exit_code))
		goto fail;
	return s;
fail:
	sf_source_close(s);
	return NULL;
}

struct sf_source *sf_source_memory(const void *data, size_t len)
{
	struct sf_source *s = make("memory");
	struct sf_error err;
	int code;

	s->memory = true;
	s->mem = data;
	s->mem_len = len;
	if (detect(s, &err, &code))
		s->zstd = false;
	return s;
}

void sf_source_close(struct sf_source *s)
{
	if (!s)
		return;
	if (s->own_fd && s->fd >= 0)
		close(s->fd);
	if (s->spool)
		fclose(s->spool);
#ifdef SF_HAVE_ZSTD
	ZSTD_freeDStream(s->stream);
#endif
	free(s->peek);
	free(s->raw);
	free(s->name);
	free(s);
}

/* What cannot seek has been copied: drain the rest into the copy and go on with that. */
static int use_spool(struct sf_source *s, struct sf_error *err)
{
	ssize_t n;

	do {
		n = read_raw(s, s->raw, RAW_SIZE, err);
	} while (n > 0);
	if (n < 0)
		return -1;
	if (fflush(s->spool))
		return sf_tr_error(err, s->name, 0, "%s", strerror(errno));
	if (s->own_fd)
		close(s->fd);
	s->fd = dup(fileno(s->spool));
	s->own_fd = true;
	fclose(s->spool);
	s->spool = NULL;
	if (s->fd < 0)
		return sf_tr_error(err, s->name, 0, "%s", strerror(errno));
	return 0;
}

int sf_source_rewind(struct sf_source *s, struct sf_error *err)
{
	s->raw_pos = s->raw_len = 0;
	s->peek_pos = s->peek_len = 0;
	s->raw_end = false;
	s->mem_pos = 0;
	if (s->spool && use_spool(s, err))
		return -1;
	if (!s->memory && lseek(s->fd, 0, SEEK_SET) < 0)
		return sf_tr_error(err, s->name, 0, "%s", strerror(errno));
#ifdef SF_HAVE_ZSTD
	if (s->zstd) {
		ZSTD_initDStream(s->stream);
		s->pending = 1;
	}
#endif
	return 0;
}

const char *sf_source_name(const struct sf_source *s)
{
	return s->name;
}

bool sf_source_is_memory(const struct sf_source *s)
{
	return s->memory;
}

static int copy_out(struct sf_source *s, FILE *out, struct sf_error *err)
{
	uint8_t *buf = sf_tr_alloc(RAW_SIZE);
	ssize_t n;

	while ((n = sf_source_read(s, buf, RAW_SIZE, err)) > 0) {
		if (fwrite(buf, 1, (size_t)n, out) == (size_t)n)
			continue;
		n = sf_tr_error(err, s->name, 0, "cannot copy: %s", strerror(errno));
		break;
	}
	free(buf);
	if (n < 0)
		return -1;
	if (fflush(out))
		return sf_tr_error(err, s->name, 0, "cannot copy: %s", strerror(errno));
	return 0;
}

int sf_source_fd(struct sf_source *s, struct sf_error *err)
{
	FILE *out;
	int fd;

	if (sf_source_rewind(s, err))
		return -1;
	if (!s->zstd && !s->memory) {
		fd = dup(s->fd);
		return fd >= 0 ? fd : sf_tr_error(err, s->name, 0, "%s", strerror(errno));
	}
	out = tmpfile();
	if (!out)
		return sf_tr_error(err, s->name, 0, "cannot make a temporary file: %s",
				   strerror(errno));
	fd = -1;
	if (!copy_out(s, out, err)) {
		fd = dup(fileno(out));
		if (fd < 0)
			sf_tr_error(err, s->name, 0, "%s", strerror(errno));
		else
			lseek(fd, 0, SEEK_SET);
	}
	fclose(out);
	return fd;
}
