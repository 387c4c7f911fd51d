// SPDX-License-Identifier: MIT
/*
 * calls_mtrace.c - what mtrace() of the GNU C library writes to $MALLOC_TRACE: "@ CALLER + PTR
 * SIZE" (allocated), "- PTR" (freed), "< PTR" and "> PTR SIZE" (realloc, two lines), "! PTR SIZE"
 * (a realloc that failed). calloc() and memalign() are "+", too.
 *
 * Processes that fork write to one file, without a word: what is freed twice shows it. Relies on
 * calls.h.
 */
#include <string.h>

#include "calls.h"
#include "lines.h"

struct mtrace {
	bool resizing;   /* "<" was read, ">" is due */
	uint64_t old;
};

static bool is_mark(char c)
{
	return c == '+' || c == '-' || c == '<' || c == '>' || c == '!';
}

/* The mark that stands alone before one or two words and the end; names may have blanks. */
static const char *mark_of(const char *p, const char *end)
{
	unsigned int words = 0;
	const char *stop;

	while (end > p && sf_tr_is_blank(end[-1]))
		end--;
	for (stop = end; words < 3; words++) {
		const char *word = stop;

		while (word > p && !sf_tr_is_blank(word[-1]))
			word--;
		if (stop - word == 1 && is_mark(*word))
			return word;
		if (word == p)
			return NULL;
		for (stop = word; stop > p && sf_tr_is_blank(stop[-1]); stop--)
			;
	}
	return NULL;
}

static bool is_line(const char *p, const char *stop)
{
	const char *mark = mark_of(p, stop);

	return stop - p > 6 && mark && stop - mark > 2 &&
	       (!strncmp(mark + 2, "0x", 2) || !strncmp(mark + 2, "(nil)", 5)) &&
	       (mark == p || !memcmp(p, "@ ", 2));
}

static bool probe(const char *p, const char *end)
{
	unsigned int nr = 0;

	for (; p < end && nr < 16; nr++) {
		const char *nl = memchr(p, '\n', (size_t)(end - p)), *stop = nl ? nl : end;

		if (stop > p && stop[-1] == '\r')
			stop--;
		if (stop - p == 7 && !memcmp(p, "= Start", 7))
			return true;
		if (stop > p && is_line(p, stop))
			return true;
		p = nl ? nl + 1 : end;
	}
	return false;
}

static enum sf_calls_line marked(struct sf_calls *c, const char *mark, const char *end,
				 bool whole, struct sf_call *out)
{
	struct mtrace *m = c->state;
	bool due = m->resizing;
	const char *p = mark + 1, *at;

	m->resizing = false;
	/* realloc() gave nothing that is known: the object is taken to be what it was. */
	if (due && *mark != '>')
		c->notes->damage[SF_TR_TORN]++;
	if (!due && *mark == '>')
		return sf_calls_bad(c, SF_TR_TORN, mark, "'>', and no '<' in the line before");
	if (!sf_calls_number(c, &p, end, whole, SF_NUMBER_HEX, "an address", &out->ptr))
		return SF_CALLS_BAD;
	at = sf_tr_skip_blanks(p, end);
	if (*mark != '-' && *mark != '<' &&
	    !sf_calls_number(c, &p, end, whole, SF_NUMBER_HEX, "a size", &out->size))
		return SF_CALLS_BAD;
	if (!sf_calls_end(c, p, end))
		return SF_CALLS_BAD;
	switch (*mark) {
	case '<':
		m->resizing = true;
		m->old = out->ptr;
		return SF_CALLS_NONE;
	case '-':
		out->call = SF_CALL_FREE;
		return SF_CALLS_ONE;
	case '+':
		out->call = SF_CALL_MALLOC;
		out->failed = !out->ptr;
		break;
	case '>':
		out->call = SF_CALL_REALLOC;
		out->old = m->old;
		break;
	default:
		out->call = SF_CALL_REALLOC;
		out->old = out->ptr;
		out->ptr = 0;
		out->failed = true;
	}
	return sf_calls_fits(c, out, at) ? SF_CALLS_ONE : SF_CALLS_BAD;
}

static enum sf_calls_line line(struct sf_calls *c, char *p, char *end, bool whole,
			       struct sf_call *out)
{
	const char *mark = mark_of(p, end);

	if (mark && (mark == p || *p == '@'))
		return marked(c, mark, end, whole, out);
	if (p == end || *p == '=')
		return SF_CALLS_NONE;
	if (*p == '@' || is_mark(*p))
		return sf_calls_short(c, end, whole, "+, -, <, > or ! with an address");
	return sf_calls_other(c, p, (size_t)(sf_tr_skip_word(p, end) - p));
}

const struct sf_calls_format sf_calls_mtrace = {
	"mtrace", false, probe, line, NULL, sizeof(struct mtrace), NULL,
};
