// SPDX-License-Identifier: MIT
/*
 * line_reader.c - the lines of a source, one after the other, in a buffer that is never longer than
 * some of them. Relies on source.c; text.c and calls.c rely on it.
 */
#include <stdlib.h>
#include <string.h>

#include "private.h"

#define BUF_SIZE (4u * SF_TR_LINE_MAX)

struct sf_line_reader {
	struct sf_source *src;
	char *buf;         /* BUF_SIZE + 1 */
	size_t pos, len;   /* not yet taken */
	size_t seen;       /* no newline before this */
	bool end;
	uint64_t line;
};

struct sf_line_reader *sf_line_reader_open(struct sf_source *src)
{
	struct sf_line_reader *r = sf_tr_alloc(sizeof(*r));

	memset(r, 0, sizeof(*r));
	r->src = src;
	r->buf = sf_tr_alloc(BUF_SIZE + 1);
	return r;
}

void sf_line_reader_close(struct sf_line_reader *r)
{
	if (!r)
		return;
	free(r->buf);
	free(r);
}

void sf_line_reader_reset(struct sf_line_reader *r)
{
	r->pos = r->len = r->seen = 0;
	r->line = 0;
	r->end = false;
}

bool sf_line_reader_early(const struct sf_line_reader *r)
{
	return sf_source_early(r->src) != NULL;
}

int sf_line_next(struct sf_line_reader *r, char **line, size_t *len, bool *whole,
		 struct sf_error *err)
{
	for (;;) {
		char *nl = memchr(r->buf + r->seen, '\n', r->len - r->seen);
		ssize_t n;

		*line = r->buf + r->pos;
		*len = (size_t)((nl ? nl : r->buf + r->len) - *line);
		if (*len > SF_TR_LINE_MAX)
			return sf_tr_error(err, sf_source_name(r->src), r->line + 1,
					   "a line of more than 65536 bytes: no recording");
		if (nl || r->end) {
			*whole = nl != NULL;
			if (!nl && !*len)
				return 0;
			(*line)[*len] = '\0';
			r->pos = r->seen = r->pos + *len + (nl != NULL);
			r->line++;
			return 1;
		}
		memmove(r->buf, *line, *len);
		r->pos = 0;
		r->len = r->seen = *len;
		n = sf_source_read(r->src, r->buf + r->len, BUF_SIZE - r->len, err);
		if (n < 0)
			return -1;
		r->end = n == 0;
		r->len += (size_t)n;
	}
}
