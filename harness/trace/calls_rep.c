// SPDX-License-Identifier: MIT
/*
 * calls_rep.c - the traces of malloc lab (CS:APP): three or four lines with a number each, then
 * "a ID BYTES", "r ID BYTES", "f ID"; some have "c ID [N] BYTES". Objects have ids, no addresses.
 *
 * The header says how many operations there are: with fewer the file was cut. Relies on calls.h.
 */
#include <stdlib.h>
#include <string.h>

#include "calls.h"
#include "lines.h"

#define HEADER_MAX 8u

struct rep {
	uint64_t header[HEADER_MAX]; /* suggested heap size, ids, operations, weight */
	unsigned int numbers;
	uint64_t ops;
	struct sf_map alive; /* id -> 0 */
};

static bool is_call(const char *p, const char *stop)
{
	return stop - p > 2 && strchr("arfc", *p) && p[1] == ' ' &&
	       (sf_tr_is_digit(p[2]) || p[2] == '-');
}

static bool probe(const char *p, const char *end)
{
	unsigned int numbers = 0;

	while (p < end) {
		const char *nl = memchr(p, '\n', (size_t)(end - p)), *stop = nl ? nl : end;
		const char *q = p;
		uint64_t v;

		if (stop > p && stop[-1] == '\r')
			stop--;
		if (is_call(p, stop))
			return numbers >= 3 && numbers <= HEADER_MAX;
		while (q < stop && (sf_tr_is_blank(*q) || sf_tr_decimal(&q, stop, &v)))
			q += q < stop && sf_tr_is_blank(*q);
		if (q != stop)
			return false;
		numbers += stop > p;
		p = nl ? nl + 1 : end;
	}
	return false;
}

static enum sf_calls_line header(struct sf_calls *c, const char *p, const char *end, bool whole)
{
	struct rep *r = c->state;
	uint64_t v;

	if (!sf_calls_number(c, &p, end, whole, SF_NUMBER_DECIMAL, "a number of the header", &v) ||
	    !sf_calls_end(c, p, end))
		return SF_CALLS_BAD;
	if (r->numbers < HEADER_MAX)
		r->header[r->numbers] = v;
	r->numbers++;
	return SF_CALLS_NONE;
}

/* The program's own realloc() of what is not there is a malloc(), its free() a mistake. */
static enum sf_calls_line hold_id(struct sf_calls *c, struct sf_call *out, const char *at)
{
	struct rep *r = c->state;
	uint64_t id = out->ptr - 1;
	bool alive = sf_map_get(&r->alive, id) != SF_MAP_NONE;

	if (out->call == SF_CALL_FREE) {
		if (!alive)
			return sf_calls_bad(c, SF_TR_BAD, at, "%llu is not allocated here: mend or "
					    "leave out this line", (unsigned long long)id);
		sf_map_del(&r->alive, id);
		return SF_CALLS_ONE;
	}
	if (out->call == SF_CALL_REALLOC) {
		out->old = alive ? out->ptr : 0;
		if (alive && !out->size) {
			out->ptr = 0;
			sf_map_del(&r->alive, id);
			return SF_CALLS_ONE;
		}
	} else if (alive) {
		return sf_calls_bad(c, SF_TR_BAD, at, "%llu is allocated already: mend or leave "
				    "out this line", (unsigned long long)id);
	}
	sf_map_put(&r->alive, id, 0);
	return SF_CALLS_ONE;
}

static enum sf_calls_line call(struct sf_calls *c, const char *p, const char *end, bool whole,
			       struct sf_call *out)
{
	char what = *p++;
	const char *at, *bytes;
	uint64_t id;

	at = sf_tr_skip_blanks(p, end);
	if (what == 'f' && at + 1 < end && *at == '-' && sf_tr_is_digit(at[1])) {
		out->call = SF_CALL_FREE;
		return SF_CALLS_ONE;
	}
	if (!sf_calls_number(c, &p, end, whole, SF_NUMBER_DECIMAL, "the id of an object", &id))
		return SF_CALLS_BAD;
	if (id >= UINT64_MAX - 1)
		return sf_calls_bad(c, SF_TR_BAD, at, "an id out of range");
	out->ptr = id + 1;
	out->call = what == 'a' ? SF_CALL_MALLOC : what == 'r' ? SF_CALL_REALLOC :
		    what == 'c' ? SF_CALL_CALLOC : SF_CALL_FREE;
	bytes = sf_tr_skip_blanks(p, end);
	if (what != 'f' && !sf_calls_number(c, &p, end, whole, SF_NUMBER_DECIMAL,
					    "a number of bytes", &out->size))
		return SF_CALLS_BAD;
	if (what == 'c' && sf_tr_skip_blanks(p, end) < end) {
		out->n = out->size;
		if (!sf_calls_number(c, &p, end, whole, SF_NUMBER_DECIMAL, "a number of bytes",
				     &out->size))
			return SF_CALLS_BAD;
	}
	if (!sf_calls_end(c, p, end) || !sf_calls_fits(c, out, bytes))
		return SF_CALLS_BAD;
	return hold_id(c, out, at);
}

static enum sf_calls_line line(struct sf_calls *c, char *p, char *end, bool whole,
			       struct sf_call *out)
{
	struct rep *r = c->state;
	const char *q = sf_tr_skip_blanks(p, end);

	if (q == end || *q == '#')
		return SF_CALLS_NONE;
	if (!r->ops && sf_tr_is_digit(*q))
		return header(c, q, end, whole);
	if (!strchr("arfc", *q) || (q + 1 < end && !sf_tr_is_blank(q[1])))
		return sf_calls_bad(c, SF_TR_BAD, q, "expected a, r, f or c: no other operation "
				    "is known, leave it out");
	r->ops++;
	return call(c, q, end, whole, out);
}

/* Three numbers: ids, operations, weight; four or more: these behind another. */
static uint64_t expected(const struct rep *r)
{
	return r->header[r->numbers > 3 ? 2 : 1];
}

static const char *at_end(struct sf_calls *c)
{
	static _Thread_local char why[SF_TR_WHY_MAX];
	struct rep *r = c->state;

	/* Or weight, ids, operations. */
	if (r->ops >= expected(r) || (r->numbers == 3 && r->ops == r->header[2]))
		return NULL;
	snprintf(why, sizeof(why), "ends after %llu of the %llu operations that its header "
		 "announces: it was cut, take it whole", (unsigned long long)r->ops,
		 (unsigned long long)expected(r));
	return why;
}

static void forget(void *state)
{
	struct rep *r = state;

	sf_map_free(&r->alive);
	memset(r, 0, sizeof(*r));
}

const struct sf_calls_format sf_calls_rep = {
	"malloc lab (.rep)", true, probe, line, at_end, sizeof(struct rep), forget,
};
