// SPDX-License-Identifier: MIT
/*
 * calls_heaptrack.c - heaptrack's file. A letter and hexadecimal numbers: "v" version, "a SIZE
 * TRACE" a kind of object, "+ KIND" one more of it, "- KIND" one less. The raw file (heaptrack
 * --raw) has "+ SIZE TRACE PTR" and "- PTR" instead.
 *
 * What was interpreted has no addresses: which of the objects of a kind is freed is not told, nor
 * that one was resized (realloc is "-" and "+"), zeroed or aligned. Relies on calls.h.
 */
#include <stdlib.h>
#include <string.h>

#include "calls.h"
#include "lines.h"

struct heaptrack {
	uint64_t *size; /* of each kind */
	uint64_t nr, cap;
};

static bool probe(const char *p, const char *end)
{
	const char *stop = memchr(p, '\n', (size_t)(end - p));
	uint64_t version, format;

	if (!stop || stop - p < 5 || memcmp(p, "v ", 2))
		return false;
	p += 2;
	if (!sf_tr_hexadecimal(&p, stop, &version) || p == stop || *p++ != ' ' ||
	    !sf_tr_hexadecimal(&p, stop, &format))
		return false;
	return p == stop || *p == '\r';
}

static bool number(struct sf_calls *c, const char **p, const char *end, bool whole,
		   const char *what, uint64_t *v)
{
	return sf_calls_number(c, p, end, whole, SF_NUMBER_HEX, what, v);
}

static enum sf_calls_line version(struct sf_calls *c, const char *p, const char *end, bool whole)
{
	const char *at = p;
	uint64_t tool, format;

	if (!number(c, &p, end, whole, "the version of heaptrack", &tool) ||
	    !number(c, &p, end, whole, "the version of the file", &format))
		return SF_CALLS_BAD;
	if (format >= 1 && format <= 3)
		return SF_CALLS_NONE;
	return sf_calls_bad(c, SF_TR_BAD, at, "version %llu of heaptrack's file is not read, 1 to "
			    "3 are: record it with heaptrack 1.1 to 1.5",
			    (unsigned long long)format);
}

static enum sf_calls_line kind(struct sf_calls *c, const char *p, const char *end, bool whole,
			       struct sf_call *out)
{
	struct heaptrack *h = c->state;
	const char *at = sf_tr_skip_blanks(p, end);
	uint64_t trace;

	if (!number(c, &p, end, whole, "a size", &out->size) ||
	    !number(c, &p, end, whole, "the number of a stack", &trace) ||
	    !sf_calls_end(c, p, end) || !sf_calls_fits(c, out, at))
		return SF_CALLS_BAD;
	if (h->nr == h->cap) {
		h->cap = h->cap ? 2 * h->cap : 1024;
		h->size = sf_tr_grow(h->size, h->cap * sizeof(*h->size));
	}
	h->size[h->nr++] = out->size;
	return SF_CALLS_NONE;
}

static enum sf_calls_line raw(struct sf_calls *c, const char *p, const char *end, bool whole,
			      struct sf_call *out)
{
	const char *at = p;
	uint64_t trace;

	if (!number(c, &p, end, whole, "a size", &out->size) ||
	    !number(c, &p, end, whole, "the number of a stack", &trace) ||
	    !number(c, &p, end, whole, "an address", &out->ptr) || !sf_calls_end(c, p, end) ||
	    !sf_calls_fits(c, out, at))
		return SF_CALLS_BAD;
	out->failed = !out->ptr;
	return SF_CALLS_ONE;
}

static enum sf_calls_line change(struct sf_calls *c, const char *line, const char *end,
				 bool whole, struct sf_call *out)
{
	const struct heaptrack *h = c->state;
	const char *p = line + 1, *at = sf_tr_skip_blanks(p, end);
	uint64_t index;

	out->call = *line == '+' ? SF_CALL_MALLOC : SF_CALL_FREE;
	if (*line == '+' && sf_tr_skip_blanks(sf_tr_skip_word(at, end), end) < end)
		return raw(c, at, end, whole, out);
	if (!number(c, &p, end, whole, "the number of a kind of object", &index) ||
	    !sf_calls_end(c, p, end))
		return SF_CALLS_BAD;
	/* A raw file has no kinds. */
	if (!h->nr && *line == '-') {
		out->ptr = index;
		return SF_CALLS_ONE;
	}
	if (index >= h->nr)
		return sf_calls_bad(c, SF_TR_BAD, at, "kind %llx of object, and %llx are known: a "
				    "line is missing before, take the file whole",
				    (unsigned long long)index, (unsigned long long)h->nr);
	out->kind_only = true;
	out->ptr = index + 1;
	out->size = *line == '+' ? h->size[index] : 0;
	return SF_CALLS_ONE;
}

static enum sf_calls_line line(struct sf_calls *c, char *p, char *end, bool whole,
			       struct sf_call *out)
{
	if (p == end || *p == '#')
		return SF_CALLS_NONE;
	if (end - p > 1 && p[1] != ' ')
		return sf_calls_bad(c, SF_TR_BAD, p + 1, "expected a letter and a blank: mend or "
				    "leave out this line");
	if (end - p == 1 && !whole)
		return sf_calls_short(c, end, whole, "numbers");
	switch (*p) {
	case 'v':
		return version(c, p + 1, end, whole);
	case 'a':
		return kind(c, p + 1, end, whole, out);
	case '+':
	case '-':
		return change(c, p, end, whole, out);
	}
	/* Strings, stacks, modules, times, the program, pages: of no use here. */
	if (strchr("stimcRxXIASeC", *p))
		return SF_CALLS_NONE;
	return sf_calls_other(c, p, 1);
}

static void forget(void *state)
{
	struct heaptrack *h = state;

	free(h->size);
	memset(h, 0, sizeof(*h));
}

const struct sf_calls_format sf_calls_heaptrack = {
	"heaptrack", true, probe, line, NULL, sizeof(struct heaptrack), forget,
};
