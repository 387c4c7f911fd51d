// SPDX-License-Identifier: MIT
/*
 * expect.c - the form of expectations: trailing comments that are checked when a program runs.
 *
 * Knows their spelling, and by which words they are bound to allocators; else not their meaning.
 * Relies on the names of capabilities. The text parser, the byte decoder, fix-up, and who runs
 * programs as tests rely on it.
 */
#include "live.h"

#include <string.h>

#include "../../allocators/allocator.h"

#define PARTITIONED (SF_CAP_RANDOM | SF_CAP_TYPED)

static const struct {
	const char *name;
	uint64_t bit;
} cap_names[] = {
#define X(id, name, bit, doc) { name, 1ull << (bit) },
	SF_CAPS(X)
#undef X
};

/* "if A|B": with one of them at least; "unless A|B": with none. caps 0: anywhere. */
struct condition {
	uint64_t caps;
	bool unless;
};

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

static uint64_t cap_named(const char *s, size_t len)
{
	for (size_t i = 0; i < sizeof(cap_names) / sizeof(cap_names[0]); i++)
		if (strlen(cap_names[i].name) == len && !memcmp(cap_names[i].name, s, len))
			return cap_names[i].bit;
	return 0;
}

/* "random|typed" from `s` to `end`; 0: it is no such list. */
static uint64_t caps_named(const char *s, const char *end)
{
	uint64_t caps = 0;

	for (;;) {
		const char *bar = memchr(s, '|', (size_t)(end - s));
		uint64_t cap = cap_named(s, (size_t)((bar ? bar : end) - s));

		if (!cap)
			return 0;
		caps |= cap;
		if (!bar)
			return caps;
		s = bar + 1;
	}
}

/*
 * Takes the condition off the end: the last word, and the one before it. What is no condition is
 * part of what comes before.
 */
static struct condition take_condition(struct words *w)
{
	struct condition c = { 0, false };
	const char *list = w->end, *word, *end;

	while (list > w->pos && !blank(list[-1]))
		list--;
	for (end = list; end > w->pos && blank(end[-1]); end--)
		;
	for (word = end; word > w->pos && !blank(word[-1]); word--)
		;
	c.unless = end - word == 6 && !memcmp(word, "unless", 6);
	if (list == w->end || word == w->pos ||
	    (!c.unless && (end - word != 2 || memcmp(word, "if", 2))))
		return c;
	c.caps = caps_named(list, w->end);
	if (!c.caps)
		return c;
	for (w->end = word; w->end > w->pos && blank(w->end[-1]); w->end--)
		;
	return c;
}

/* Canonical: names in the order of their table. False: there is no room for it. */
static bool put_condition(const struct condition *c, char out[SF_STRING_MAX + 1])
{
	size_t at = strlen(out);
	const char *sep = c->unless ? " unless " : " if ";

	for (size_t i = 0; i < sizeof(cap_names) / sizeof(cap_names[0]); i++) {
		if (!(c->caps & cap_names[i].bit))
			continue;
		at += (size_t)snprintf(out + at, SF_STRING_MAX + 1 - at, "%s%s", sep,
				       cap_names[i].name);
		if (at > SF_STRING_MAX)
			return false;
		sep = "|";
	}
	return true;
}

/*
 * Without a condition: what names a partition means that one; what plain classes and the free lists
 * hold depends, where there are partitions, on sites and types.
 */
static struct condition implied(const struct words *w)
{
	struct words at = *w;

	if (take(&at, "free"))
		return (struct condition){ PARTITIONED, true };
	if ((!take(&at, "live") && !take(&at, "slabs")) || at.end - at.pos < 9 ||
	    memcmp(at.pos, "kmalloc-", 8))
		return (struct condition){ 0, false };
	if (!strncmp(at.pos, "kmalloc-part-", 13))
		return (struct condition){ PARTITIONED, false };
	if (!strncmp(at.pos, "kmalloc-large-", 14))
		return (struct condition){ SF_CAP_LARGE, false };
	if (at.pos[8] >= '0' && at.pos[8] <= '9')
		return (struct condition){ PARTITIONED, true };
	return (struct condition){ 0, false };
}

bool sf_expect_applies(const char *expect, uint64_t caps, char body[SF_STRING_MAX + 1])
{
	struct words w = { expect, expect + strlen(expect) };
	struct condition c = take_condition(&w);

	if (!c.caps)
		c = implied(&w);
	snprintf(body, SF_STRING_MAX + 1, "%.*s", (int)(w.end - w.pos), w.pos);
	return !c.caps || c.unless == !(caps & c.caps);
}

const char *sf_status_name(uint8_t status)
{
	static const char *const names[SF_STATUSES] = {
		[SF_OK] = "ok",
		[SF_NULL] = "NULL",
		[SF_BLOCKED] = "blocked",
		[SF_NOTICED] = "noticed",
		[SF_FREED] = "freed",
	};

	return status < SF_STATUSES ? names[status] : "?";
}

static bool parse_body(const struct sf_op *op, struct words w, char out[SF_STRING_MAX + 1])
{
	static const char *const shapes[] = { "live", "slabs", "free" };

	for (unsigned int i = 0; i < SF_STATUSES; i++)
		if (take(&w, sf_status_name((uint8_t)i))) {
			strcpy(out, sf_status_name((uint8_t)i));
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

bool sf_expect_parse(const struct sf_op *op, const char *s, size_t len,
		     char out[SF_STRING_MAX + 1])
{
	struct words w = { s, s + len };
	struct condition c;

	if (sf_op_info(op)->flags & SF_OPF_DECL)
		return false;
	while (w.end > w.pos && blank(w.end[-1]))
		w.end--;
	skip_blanks(&w);
	c = take_condition(&w);
	return parse_body(op, w, out) && put_condition(&c, out);
}
