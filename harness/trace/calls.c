// SPDX-License-Identifier: MIT
/*
 * calls.c - recordings of calls of malloc(): which format it is, its lines one after the other,
 * and what all formats say in the same words of lines that are wrong.
 *
 * In strict formats a wrong line is an error, in the others it costs itself and is counted. Relies
 * on line_reader.c and the readers calls_NAME.c; trace.c relies on it.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "calls.h"
#include "lines.h"

static const struct sf_calls_format *const formats[] = {
#define X(id, name, strict) &sf_calls_##id,
	SF_CALLS_FORMATS(X)
#undef X
};

const struct sf_calls_format *sf_calls_probe(const uint8_t *head, size_t len)
{
	const char *p = (const char *)head;

	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (formats[i]->probe(p, p + len))
			return formats[i];
	return NULL;
}

struct sf_calls *sf_calls_open(struct sf_source *src, const struct sf_calls_format *format)
{
	struct sf_calls *c = sf_tr_alloc(sizeof(*c));

	memset(c, 0, sizeof(*c));
	c->format = format;
	c->name = sf_source_name(src);
	c->reader = sf_line_reader_open(src);
	c->state = sf_tr_alloc(format->state + 1);
	memset(c->state, 0, format->state + 1);
	return c;
}

void sf_calls_close(struct sf_calls *c)
{
	if (!c)
		return;
	if (c->format->forget)
		c->format->forget(c->state);
	free(c->state);
	sf_line_reader_close(c->reader);
	free(c);
}

void sf_calls_reset(struct sf_calls *c)
{
	if (c->format->forget)
		c->format->forget(c->state);
	memset(c->state, 0, c->format->state);
	sf_line_reader_reset(c->reader);
	c->line = 0;
}

static int fail(const struct sf_calls *c, struct sf_error *err)
{
	if (!c->column)
		return sf_tr_error(err, c->name, c->line, "%s", c->why);
	return sf_tr_error_at(err, c->name, c->line, c->column, "%s", c->why);
}

/* A wrong line: an error, or counted, and the first one kept to be reported. */
static int lose(struct sf_calls *c, struct sf_error *err)
{
	struct sf_tr_heard *heard = c->notes->heard;

	/* Packed data that ended too early is read as far as it goes. */
	if (c->format->strict && !(c->damage == SF_TR_CUT && sf_line_reader_early(c->reader)))
		return fail(c, err);
	c->notes->damage[c->damage]++;
	if (heard->damage_line)
		return 0;
	heard->damage_line = c->line;
	if (c->column)
		snprintf(heard->damage_why, sizeof(heard->damage_why), "column %llu: %.90s",
			 (unsigned long long)c->column, c->why);
	else
		snprintf(heard->damage_why, sizeof(heard->damage_why), "%s", c->why);
	return 0;
}

static int at_end(struct sf_calls *c, struct sf_error *err)
{
	const char *lack;

	c->notes->early = sf_line_reader_early(c->reader);
	lack = c->format->end ? c->format->end(c) : NULL;
	if (!lack || c->notes->early)
		return 0;
	c->column = 0;
	snprintf(c->why, sizeof(c->why), "%s", lack);
	return fail(c, err);
}

int sf_calls_read(struct sf_calls *c, struct sf_call *call, struct sf_tr_notes *notes,
		  struct sf_error *err)
{
	c->notes = notes;
	for (;;) {
		bool whole = true;
		size_t len;
		char *line;
		int r = sf_line_next(c->reader, &line, &len, &whole, err);

		if (r <= 0)
			return r ? r : at_end(c, err);
		c->line++;
		c->start = line;
		if (len && line[len - 1] == '\r')
			line[--len] = '\0';
		memset(call, 0, sizeof(*call));
		call->n = 1;
		call->line = c->line;
		/* A number that is cut is another number. */
		if (!whole && sf_line_reader_early(c->reader)) {
			sf_calls_short(c, line + len, false, "the end of the line");
			lose(c, err);
			continue;
		}
		switch (c->format->line(c, line, line + len, whole, call)) {
		case SF_CALLS_ONE:
			return 1;
		case SF_CALLS_BAD:
			if (lose(c, err))
				return -1;
			break;
		case SF_CALLS_NONE:
			break;
		}
	}
}

/* --- for readers --- */

enum sf_calls_line sf_calls_bad(struct sf_calls *c, enum sf_tr_damage damage, const char *at,
				const char *fmt, ...)
{
	va_list ap;

	c->damage = damage;
	c->column = at ? (uint64_t)(at - c->start) + 1 : 0;
	va_start(ap, fmt);
	vsnprintf(c->why, sizeof(c->why), fmt, ap);
	va_end(ap);
	return SF_CALLS_BAD;
}

enum sf_calls_line sf_calls_short(struct sf_calls *c, const char *at, bool whole,
				  const char *wanted)
{
	if (!whole)
		return sf_calls_bad(c, SF_TR_CUT, at, "the file is cut off here, before %s: take "
				    "it whole, or leave out this line", wanted);
	return sf_calls_bad(c, c->format->strict ? SF_TR_BAD : SF_TR_CUT, at,
			    "expected %s: mend or leave out this line", wanted);
}

enum sf_calls_line sf_calls_other(struct sf_calls *c, const char *name, size_t len)
{
	c->notes->foreign++;
	if (len) {
		c->notes->other_events++;
		sf_tr_tally(&c->notes->heard->events, name, len);
	}
	return SF_CALLS_NONE;
}

static bool is_nil(const char **p, const char *end)
{
	static const char *const names[] = { "(nil)", "nil", "NULL" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		size_t n = strlen(names[i]);

		if ((size_t)(end - *p) < n || memcmp(*p, names[i], n))
			continue;
		*p += n;
		return true;
	}
	return false;
}

static bool digits(const char **p, const char *end, enum sf_number how, uint64_t *v)
{
	bool hex = how == SF_NUMBER_HEX;

	if (how != SF_NUMBER_DECIMAL && is_nil(p, end)) {
		*v = 0;
		return true;
	}
	if (how != SF_NUMBER_DECIMAL && end - *p > 2 && (*p)[0] == '0' &&
	    ((*p)[1] | 32) == 'x') {
		*p += 2;
		hex = true;
	}
	return hex ? sf_tr_hexadecimal(p, end, v) : sf_tr_decimal(p, end, v);
}

bool sf_calls_number(struct sf_calls *c, const char **p, const char *end, bool whole,
		     enum sf_number how, const char *what, uint64_t *v)
{
	const char *at = *p = sf_tr_skip_blanks(*p, end), *word;

	if (at == end) {
		sf_calls_short(c, at, whole, what);
		return false;
	}
	word = sf_tr_skip_word(at, end);
	/* What is cut in the midst of a number is another number. */
	if (digits(p, word, how, v) && *p == word)
		return true;
	sf_calls_bad(c, SF_TR_BAD, at, "expected %s, not '%.*s': mend or leave out this line",
		     what, word - at < 40 ? (int)(word - at) : 40, at);
	for (char *s = c->why; *s; s++)
		if ((unsigned char)*s < ' ' || (unsigned char)*s >= 0x7f)
			*s = '?';
	return false;
}

bool sf_calls_end(struct sf_calls *c, const char *p, const char *end)
{
	p = sf_tr_skip_blanks(p, end);
	if (p == end)
		return true;
	sf_calls_bad(c, SF_TR_BAD, p, "expected the end of the line: mend or leave it out");
	return false;
}

bool sf_calls_fits(struct sf_calls *c, const struct sf_call *call, const char *at)
{
	uint64_t bytes;

	if (call->failed || (!__builtin_mul_overflow(call->n, call->size, &bytes) &&
			     bytes <= SF_CALLS_BYTES_MAX))
		return true;
	sf_calls_bad(c, SF_TR_BAD, at, "an object of more than 1 TiB: mend or leave out this "
		     "line");
	return false;
}
