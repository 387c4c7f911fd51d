// SPDX-License-Identifier: MIT
/*
 * source.c - the bytes of a recording: a file, a pipe or memory, plain or compressed.
 *
 * Bounded memory whatever it reads. A source that cannot seek is copied to an unnamed temporary
 * file as it is read, so that it can be read again. Relies on unpack.c; text.c and trace.c rely on
 * it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>

#include "unpack.h"

#define RAW_SIZE (128u << 10)
#define PEEK_SIZE SF_TR_LINE_MAX

struct sf_source {
	char *name;
	int fd;                /* -1: memory */
	bool own_fd, memory;
	struct sf_unpack *unpack; /* NULL: plain */
	FILE *spool;           /* copy of what cannot be read twice */
	const uint8_t *mem;
	size_t mem_len, mem_pos;
	uint8_t *raw;          /* as stored */
	size_t raw_pos, raw_len;
	bool raw_end;
	uint8_t *peek;         /* as read, not yet taken */
	size_t peek_pos, peek_len;
};

static void __attribute__((format(printf, 4, 0)))
say(struct sf_error *err, const char *path, const char *where, const char *fmt, va_list ap)
{
	size_t len = strlen(path);
	int n = snprintf(err->text, sizeof(err->text), "%s%s%s: ", len > 90 ? "..." : "",
			 len > 90 ? path + len - 87 : path, where);

	vsnprintf(err->text + n, sizeof(err->text) - (size_t)n, fmt, ap);
}

int sf_tr_error(struct sf_error *err, const char *path, uint64_t line, const char *fmt, ...)
{
	char where[24] = "";
	va_list ap;

	if (line)
		snprintf(where, sizeof(where), ":%llu", (unsigned long long)line);
	va_start(ap, fmt);
	say(err, path, where, fmt, ap);
	va_end(ap);
	return -1;
}

int sf_tr_error_at(struct sf_error *err, const char *path, uint64_t line, uint64_t column,
		   const char *fmt, ...)
{
	char where[48];
	va_list ap;

	snprintf(where, sizeof(where), ":%llu:%llu", (unsigned long long)line,
		 (unsigned long long)column);
	va_start(ap, fmt);
	say(err, path, where, fmt, ap);
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

static ssize_t read_packed(struct sf_source *s, void *dst, size_t len, struct sf_error *err)
{
	struct sf_unpack_step step = { .out = dst, .out_len = len };

	while (step.out_len == len) {
		size_t before;

		if (fill_raw(s, err))
			return -1;
		step.in = s->raw + s->raw_pos;
		step.in_len = before = s->raw_len - s->raw_pos;
		step.last = s->raw_end;
		if (sf_unpack(s->unpack, &step, s->name, err))
			return -1;
		s->raw_pos = s->raw_len - step.in_len;
		if (s->raw_end && step.in_len == before && step.out_len == len)
			return 0;
	}
	return (ssize_t)(len - step.out_len);
}

/* Past the peeked bytes. */
static ssize_t read_more(struct sf_source *s, void *dst, size_t len, struct sf_error *err)
{
	size_t n;

	if (s->unpack)
		return read_packed(s, dst, len, err);
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
	enum sf_packing kind;
	size_t len = 0;

	/* A pipe may give a byte at a time. */
	while (len < SF_PACKING_MAGIC) {
		ssize_t n = read_raw(s, s->raw + len, RAW_SIZE - len, err);

		if (n < 0)
			return -1;
		if (!n)
			break;
		len += (size_t)n;
	}
	s->raw_pos = 0;
	s->raw_len = len;
	kind = sf_packing_of(s->raw, len);
	if (kind == SF_PLAIN)
		return 0;
	s->unpack = sf_unpack_create(kind, s->name, err, exit_code);
	return s->unpack ? 0 : -1;
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
	/* Whoever read it before: what is a plain file is read from its beginning. */
	if (is_stdin)
		lseek(s->fd, 0, SEEK_SET);
	if (start_spool(s, err) || detect(s, err, exit_code))
		goto fail;
	return s;
fail:
	sf_source_close(s);
	return NULL;
}

struct sf_source *sf_source_memory(const void *data, size_t len, struct sf_error *err,
				   int *exit_code)
{
	struct sf_source *s = make("memory");

	*exit_code = 2;
	s->memory = true;
	s->mem = data;
	s->mem_len = len;
	if (!detect(s, err, exit_code))
		return s;
	sf_source_close(s);
	return NULL;
}

void sf_source_close(struct sf_source *s)
{
	if (!s)
		return;
	if (s->own_fd && s->fd >= 0)
		close(s->fd);
	if (s->spool)
		fclose(s->spool);
	sf_unpack_destroy(s->unpack);
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
	if (s->unpack)
		sf_unpack_rewind(s->unpack);
	return 0;
}

const char *sf_source_name(const struct sf_source *s)
{
	return s->name;
}

const char *sf_source_early(const struct sf_source *s)
{
	return sf_unpack_early(s->unpack);
}

static int copy_out(struct sf_source *s, int out, struct sf_error *err)
{
	uint8_t *buf = sf_tr_alloc(RAW_SIZE);
	ssize_t n;

	while ((n = sf_source_read(s, buf, RAW_SIZE, err)) > 0) {
		for (ssize_t done = 0, m; done < n; done += m) {
			m = write(out, buf + done, (size_t)(n - done));
			if (m < 0) {
				sf_tr_error(err, s->name, 0, "cannot copy: %s", strerror(errno));
				free(buf);
				return -1;
			}
		}
	}
	free(buf);
	return n < 0 ? -1 : 0;
}

/* An unnamed file; what is in memory already (fuzzers, many times a second) stays there. */
static int unnamed(struct sf_source *s, struct sf_error *err)
{
	FILE *f;
	int fd;

	if (s->memory) {
		fd = memfd_create("slabfuzz", MFD_CLOEXEC);
		return fd >= 0 ? fd : sf_tr_error(err, s->name, 0, "%s", strerror(errno));
	}
	f = tmpfile();
	if (!f)
		return sf_tr_error(err, s->name, 0, "cannot make a temporary file: %s",
				   strerror(errno));
	fd = dup(fileno(f));
	if (fd < 0)
		sf_tr_error(err, s->name, 0, "%s", strerror(errno));
	fclose(f);
	return fd;
}

int sf_source_fd(struct sf_source *s, struct sf_error *err)
{
	int fd;

	if (sf_source_rewind(s, err))
		return -1;
	if (!s->unpack && !s->memory) {
		fd = dup(s->fd);
		return fd >= 0 ? fd : sf_tr_error(err, s->name, 0, "%s", strerror(errno));
	}
	fd = unnamed(s, err);
	if (fd < 0)
		return -1;
	if (copy_out(s, fd, err)) {
		close(fd);
		return -1;
	}
	lseek(fd, 0, SEEK_SET);
	return fd;
}
