// SPDX-License-Identifier: MIT
/*
 * calls_replay.c - what Android's memory_replay takes, and its malloc_debug (record_allocs) writes:
 * "TID: malloc PTR SIZE", "TID: realloc PTR OLD SIZE" …, newer ones with two times at the end.
 *
 * Relies on calls.h.
 */
#include <string.h>

#include "calls.h"
#include "lines.h"

#define ARGS_MAX 3

/* What stands behind the address. */
static const struct word {
	const char *name;
	uint8_t call;
	unsigned int args, times;
} words[] = {
	{ "malloc", SF_CALL_MALLOC, 1, 2 },
	{ "calloc", SF_CALL_CALLOC, 2, 2 },
	{ "realloc", SF_CALL_REALLOC, 2, 2 },
	{ "memalign", SF_CALL_MEMALIGN, 2, 2 },
	{ "free", SF_CALL_FREE, 0, 2 },
	{ "thread_done", SF_CALL_NONE, 0, 1 },
};

static const struct word *word_of(const char *p, size_t len)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strlen(words[i].name) == len && !memcmp(words[i].name, p, len))
			return &words[i];
	return NULL;
}

static bool probe(const char *p, const char *end)
{
	const char *stop;
	uint64_t tid;

	while (p < end && (sf_tr_is_blank(*p) || *p == '\r' || *p == '\n'))
		p++;
	if (!sf_tr_decimal(&p, end, &tid) || end - p < 2 || *p++ != ':')
		return false;
	p = sf_tr_skip_blanks(p, end);
	stop = sf_tr_skip_word(p, end);
	return word_of(p, (size_t)(stop - p)) && end - stop > 3 && !memcmp(stop, " 0x", 3);
}

static bool times(struct sf_calls *c, const char *p, const char *end, bool whole, unsigned int nr)
{
	unsigned int left = nr;
	uint64_t v;

	for (; left && sf_tr_skip_blanks(p, end) < end; left--)
		if (!sf_calls_number(c, &p, end, whole, SF_NUMBER_DECIMAL, "a time", &v))
			return false;
	/* Both or neither. */
	if (left && left < nr) {
		sf_calls_short(c, p, whole, "the time of the end");
		return false;
	}
	return sf_calls_end(c, p, end);
}

static bool arguments(struct sf_calls *c, const struct word *w, const char **p, const char *end,
		      bool whole, struct sf_call *out)
{
	static const char *const what[] = { "a number of bytes", "a number, or an address" };
	uint64_t arg[ARGS_MAX] = { 0 };

	for (unsigned int i = 0; i < w->args; i++)
		if (!sf_calls_number(c, p, end, whole, w->call == SF_CALL_REALLOC && !i ?
				     SF_NUMBER_HEX : SF_NUMBER_DECIMAL, what[i + 1 < w->args],
				     &arg[i]))
			return false;
	out->size = w->args ? arg[w->args - 1] : 0;
	if (w->call == SF_CALL_CALLOC)
		out->n = arg[0];
	else if (w->call == SF_CALL_REALLOC)
		out->old = arg[0];
	else if (w->call == SF_CALL_MEMALIGN)
		out->align = arg[0];
	return true;
}

static enum sf_calls_line line(struct sf_calls *c, char *text, char *end, bool whole,
			       struct sf_call *out)
{
	const char *p = sf_tr_skip_blanks(text, end), *stop, *at;
	const struct word *w;

	if (p == end || *p == '#')
		return SF_CALLS_NONE;
	at = p;
	if (!sf_tr_decimal(&p, end, &out->thread))
		return sf_calls_bad(c, SF_TR_BAD, at, "expected the number of a thread: mend or "
				    "leave out this line");
	if (p == end || *p != ':')
		return sf_calls_short(c, p, whole, "':' behind the thread");
	at = p = sf_tr_skip_blanks(p + 1, end);
	stop = sf_tr_skip_word(p, end);
	if (p == end)
		return sf_calls_short(c, p, whole, "a call");
	w = word_of(p, (size_t)(stop - p));
	if (!w && !whole && stop == end)
		return sf_calls_short(c, end, whole, "the rest of a call");
	if (!w)
		return sf_calls_bad(c, SF_TR_BAD, at, "expected malloc, calloc, realloc, memalign, "
				    "free or thread_done: leave it out");
	p = stop;
	if (!sf_calls_number(c, &p, end, whole, SF_NUMBER_HEX, "an address", &out->ptr))
		return SF_CALLS_BAD;
	at = sf_tr_skip_blanks(p, end);
	if (!arguments(c, w, &p, end, whole, out) || !times(c, p, end, whole, w->times))
		return SF_CALLS_BAD;
	out->call = w->call;
	if (w->call == SF_CALL_NONE)
		return SF_CALLS_NONE;
	out->failed = w->call != SF_CALL_FREE && !out->ptr &&
		      !(w->call == SF_CALL_REALLOC && out->old && !out->size);
	return sf_calls_fits(c, out, at) ? SF_CALLS_ONE : SF_CALLS_BAD;
}

const struct sf_calls_format sf_calls_replay = {
	"memory_replay", true, probe, line, NULL, 0, NULL,
};
