// SPDX-License-Identifier: MIT
/*
 * trace.c - opens a recording: tells its format, picks the reader, counts what readers note.
 *
 * Relies on source.c and the readers; scan, import, judge and the command rely on it.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "private.h"

struct sf_trace {
	struct sf_source *src;
	struct sf_lines *lines; /* text */
	struct sf_dat *dat;     /* trace.dat */
	const char *format;
	struct sf_tr_notes notes;
};

static bool is_dat(const uint8_t *head, size_t len)
{
	return len >= SF_DAT_MAGIC_LEN && !memcmp(head, SF_DAT_MAGIC, SF_DAT_MAGIC_LEN);
}

bool sf_trace_probe(const uint8_t *head, size_t len)
{
	static const uint8_t zstd[] = { 0x28, 0xb5, 0x2f, 0xfd };

	if (is_dat(head, len) || (len >= sizeof(zstd) && !memcmp(head, zstd, sizeof(zstd))))
		return true;
	return sf_lines_format(head, len) != NULL;
}

static int open_dat(struct sf_trace *t, struct sf_error *err, int *exit_code)
{
	int fd;

	/* A broken file may bring down the library: nothing that a fuzzer makes gets there. */
	if (sf_source_is_memory(t->src))
		return sf_tr_error(err, sf_source_name(t->src), 0,
				   "trace.dat is read from files only");
	fd = sf_source_fd(t->src, err);
	if (fd < 0)
		return -1;
	t->dat = sf_dat_open(fd, sf_source_name(t->src), err, exit_code);
	t->format = "trace.dat";
	return t->dat ? 0 : -1;
}

static int open_reader(struct sf_trace *t, struct sf_error *err, int *exit_code)
{
	const uint8_t *head;
	ssize_t len = sf_source_peek(t->src, &head, SF_TR_LINE_MAX, err);

	if (len < 0)
		return -1;
	if (!len)
		return sf_tr_error(err, sf_source_name(t->src), 0, "empty: no recording");
	if (is_dat(head, (size_t)len))
		return open_dat(t, err, exit_code);
	t->format = sf_lines_format(head, (size_t)len);
	if (!t->format)
		return sf_tr_error(err, sf_source_name(t->src), 0,
				   "neither ftrace text, trace-cmd report, perf script nor "
				   "trace.dat");
	t->lines = sf_lines_open(t->src);
	return 0;
}

static struct sf_trace *open_source(struct sf_source *src, struct sf_error *err, int *exit_code)
{
	struct sf_trace *t = sf_tr_alloc(sizeof(*t));

	memset(t, 0, sizeof(*t));
	t->src = src;
	*exit_code = 2;
	if (!open_reader(t, err, exit_code))
		return t;
	sf_trace_close(t);
	return NULL;
}

struct sf_trace *sf_trace_open(const char *path, struct sf_error *err, int *exit_code)
{
	struct sf_source *src = sf_source_open(path, err, exit_code);

	return src ? open_source(src, err, exit_code) : NULL;
}

struct sf_trace *sf_trace_open_memory(const void *data, size_t len, struct sf_error *err,
				      int *exit_code)
{
	return open_source(sf_source_memory(data, len), err, exit_code);
}

void sf_trace_close(struct sf_trace *t)
{
	if (!t)
		return;
	sf_lines_close(t->lines);
	sf_dat_close(t->dat);
	sf_source_close(t->src);
	free(t);
}

int sf_trace_read(struct sf_trace *t, struct sf_trace_record *rec, struct sf_error *err)
{
	if (t->dat)
		return sf_dat_read(t->dat, rec, &t->notes, err);
	return sf_lines_read(t->lines, rec, &t->notes, err);
}

int sf_trace_rewind(struct sf_trace *t, struct sf_error *err)
{
	bool hashed = t->notes.hashed;

	memset(&t->notes, 0, sizeof(t->notes));
	t->notes.hashed = hashed;
	if (t->dat)
		return sf_dat_rewind(t->dat, err);
	sf_lines_reset(t->lines);
	return sf_source_rewind(t->src, err);
}

const char *sf_trace_format(const struct sf_trace *t)
{
	return t->format;
}

bool sf_trace_hashed(const struct sf_trace *t)
{
	return t->notes.hashed;
}

const struct sf_tr_notes *sf_trace_notes(const struct sf_trace *t)
{
	return &t->notes;
}

const char *sf_trace_name(const struct sf_trace *t)
{
	return sf_source_name(t->src);
}
