// SPDX-License-Identifier: MIT
/*
 * expect.c - the form of expectations: trailing comments that are checked when a program runs.
 *
 * Knows their spelling, not their meaning. The text parser, the byte decoder and fix-up rely on it.
 */
#include "live.h"

#include <string.h>

struct words {
	const char *pos, *end;
};

static bool blank(char c)
{
	return c == ' ' || c == '\t';
}

static void skip_blanks(struct words *w)
{
	while (w->pos < w->end && blank(*w->pos))
		w->pos++;
}

/* Takes `word` if it comes next, as a whole word, and the blanks behind it. */
static bool take(struct words *w, const char *word)
{
	size_t len = strlen(word);

	if ((size_t)(w->end - w->pos) < len || memcmp(w->pos, word, len))
		return false;
	if (w->pos + len < w->end && !blank(w->pos[len]))
		return false;
	w->pos += len;
	skip_blanks(w);
	return true;
}

static bool digits(const char *s, const char *end, uint64_t max, uint64_t *value)
{
	uint64_t v = 0;

	if (s == end)
		return false;
	for (; s < end; s++) {
		if (*s < '0' || *s > '9')
			return false;
		if (__builtin_mul_overflow(v, (uint64_t)10, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(*s - '0'), &v) || v > max)
			return false;
	}
	*value = v;
	return true;
}

/* MEM-1: capital letters, a dash, a number. Which ids there are is the oracles' to know. */
static bool invariant_id(const char *s, const char *end)
{
	const char *dash = memchr(s, '-', (size_t)(end - s));
	uint64_t number;

	if (!dash || dash == s || end - s > 16 || !digits(dash + 1, end, 999, &number) ||
	    dash[1] == '0')
		return false;
	for (; s < dash; s++)
		if (*s < 'A' || *s > 'Z')
			return false;
	return true;
}

/* `WHAT subject = N`, with blanks as one likes. */
static bool shape(struct words *w, const char *what, char *out)
{
	bool order = !strcmp(what, "free");
	const char *eq = w->end, *s = w->pos, *e, *num;
	uint64_t value, nr = 0;

	while (eq > s && *--eq != '=')
		;
	if (eq <= s || *eq != '=')
		return false;
	for (num = eq + 1; num < w->end && blank(*num); num++)
		;
	for (e = eq; e > s && blank(e[-1]); e--)
		;
	if (e == s || !digits(num, w->end, UINT64_MAX, &value))
		return false;
	if (order && !digits(s, e, SF_NR_ORDERS - 1, &nr))
		return false;
	/* The longest number and the rest of the form must fit behind it. */
	if (e - s > (ptrdiff_t)SF_STRING_MAX - 31)
		return false;
	for (const char *c = s; c < e; c++)
		if (!sf_name_char((unsigned char)*c))
			return false;
	if (order)
		snprintf(out, SF_STRING_MAX + 1, "%s %u = %llu", what, (unsigned int)nr,
			 (unsigned long long)value);
	else
		snprintf(out, SF_STRING_MAX + 1, "%s %.*s = %llu", what, (int)(e - s), s,
			 (unsigned long long)value);
	return true;
}

bool sf_expect_parse(const struct sf_op *op, const char *s, size_t len,
		     char out[SF_STRING_MAX + 1])
{
	static const char *const plain[] = { "NULL", "blocked", "ok", "noticed" };
	static const char *const shapes[] = { "live", "slabs", "free" };
	struct words w = { s, s + len };

	if (sf_op_info(op)->flags & SF_OPF_DECL)
		return false;
	while (w.end > w.pos && blank(w.end[-1]))
		w.end--;
	skip_blanks(&w);
	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
		if (take(&w, plain[i])) {
			strcpy(out, plain[i]);
			return w.pos == w.end;
		}
	if (take(&w, "violation")) {
		if (!invariant_id(w.pos, w.end))
			return false;
		snprintf(out, SF_STRING_MAX + 1, "violation %.*s", (int)(w.end - w.pos), w.pos);
		return true;
	}
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
		if (op->code == SF_OP_CHECK && take(&w, shapes[i]))
			return shape(&w, shapes[i], out);
	return false;
}
