// SPDX-License-Identifier: MIT
/*
 * calls_ltrace.c - output of ltrace: "malloc(24) = 0x...", with a process in front (-f), a time
 * (-t, -r) or an address (-i); C++'s operators, mangled or not; calls that another thread's
 * interrupt, in two lines. What a call of the family calls of the family itself (-x) is a part of
 * it. Calls of other functions are counted by name.
 *
 * Processes that fork have a heap of their own, which is not the one that is replayed: their
 * calls are left out. Relies on calls.h.
 */
#include <string.h>

#include "calls.h"
#include "lines.h"

#define PENDING_MAX 256u
#define FORKED_MAX 1024u
#define HIDDEN (1ull << 63) /* what an object is called while it is resized */

/* Which argument is what; -1: there is none. */
struct function {
	const char *name;
	uint8_t call;
	int8_t old, n, size, align;
	uint16_t fixed_align;
};

static const struct function functions[] = {
	{ "malloc", SF_CALL_MALLOC, -1, -1, 0, -1, 0 },
	{ "free", SF_CALL_FREE, 0, -1, -1, -1, 0 },
	{ "cfree", SF_CALL_FREE, 0, -1, -1, -1, 0 },
	{ "calloc", SF_CALL_CALLOC, -1, 0, 1, -1, 0 },
	{ "realloc", SF_CALL_REALLOC, 0, -1, 1, -1, 0 },
	{ "reallocarray", SF_CALL_REALLOCARRAY, 0, 1, 2, -1, 0 },
	{ "memalign", SF_CALL_MEMALIGN, -1, -1, 1, 0, 0 },
	{ "aligned_alloc", SF_CALL_MEMALIGN, -1, -1, 1, 0, 0 },
	{ "posix_memalign", SF_CALL_POSIX_MEMALIGN, -1, -1, 2, 1, 0 },
	{ "valloc", SF_CALL_MEMALIGN, -1, -1, 0, -1, 4096 },
	{ "pvalloc", SF_CALL_MEMALIGN, -1, -1, 0, -1, 4096 },
};

static const struct function op_new = { "new", SF_CALL_MALLOC, -1, -1, 0, -1, 0 };
static const struct function op_new_aligned = { "new", SF_CALL_MEMALIGN, -1, -1, 0, 1, 0 };
static const struct function op_delete = { "delete", SF_CALL_FREE, 0, -1, -1, -1, 0 };

struct pending {
	const struct function *f;
	uint64_t pid, old;        /* old: of realloc(), by its address */
	struct sf_call call;
};

struct ltrace {
	struct pending pending[PENDING_MAX];
	unsigned int nr_pending;
	uint64_t forked[FORKED_MAX];
	unsigned int nr_forked;
};

/* A line in parts. */
struct parts {
	uint64_t pid;
	const char *name, *name_end;
	const char *args;      /* behind the bracket; resumed: the rest */
	const char *close;     /* the bracket that closes them, or NULL */
	const char *result;    /* behind "= ", or NULL */
	bool resumed, unfinished;
};

static bool starts(const char *p, const char *end, const char *with)
{
	size_t n = strlen(with);

	return (size_t)(end - p) >= n && !memcmp(p, with, n);
}

static bool is_name(const char *p, const char *end)
{
	return p < end && (*p == '_' || ((*p | 32) >= 'a' && (*p | 32) <= 'z'));
}

/* Process, time, address of the call: words that are no name. */
static const char *prefix(const char *p, const char *end, uint64_t *pid)
{
	bool first = true;

	*pid = 0;
	for (;; first = false) {
		const char *word, *q;
		uint64_t v;

		p = sf_tr_skip_blanks(p, end);
		word = sf_tr_skip_word(p, end);
		q = p;
		if (starts(p, end, "[pid ")) {
			q = p + 5;
			if (!sf_tr_decimal(&q, end, &v) || q == end || *q != ']')
				return p;
			*pid = v;
			p = q + 1;
			continue;
		}
		if (first && sf_tr_decimal(&q, word, &v) && q == word)
			*pid = v;
		else if (word == end || !(sf_tr_is_digit(*p) || *p == '['))
			return p;
		p = word;
	}
}

/* The result stands behind the last ") = " or, resumed, "= ". */
static const char *result_of(const char *from, const char *end, const char **close)
{
	for (const char *p = end; p > from + 1; p--) {
		const char *q = p - 1;

		if (q[0] != '=' || q[-1] != ' ' || p >= end || *p != ' ')
			continue;
		while (q > from && sf_tr_is_blank(q[-1]))
			q--;
		if (q == from || q[-1] != ')')
			continue;
		*close = q - 1;
		return p + 1;
	}
	return NULL;
}

/* Where the name ends and arguments begin: "operator new(unsigned long)(" has brackets itself. */
static const char *open_of(const char *p, const char *end)
{
	const char *bracket = memchr(p, '(', (size_t)(end - p));
	int depth = 0;

	if (!bracket || !starts(p, end, "operator "))
		return bracket;
	for (const char *q = bracket; q < end; q++) {
		depth += (*q == '(') - (*q == ')');
		if (!depth)
			return q + 1 < end && q[1] == '(' ? q + 1 : bracket;
	}
	return bracket;
}

/* Of a call that goes on elsewhere. It may also do so where ltrace thinks that it never returns. */
static const char *unfinished(const char *p, const char *end)
{
	const char *mark = end > p && end[-1] == '>' ?
			   memrchr(p, '<', (size_t)(end - p)) : NULL;

	if (!mark || mark == p ||
	    !(starts(mark, end, "<unfinished ...>") || starts(mark, end, "<no return ...>")))
		return NULL;
	return mark - 1;
}

static bool split(struct parts *x, const char *p, const char *end)
{
	const char *mark = unfinished(p, end), *arrow;

	memset(x, 0, sizeof(*x));
	p = prefix(p, end, &x->pid);
	if (starts(p, end, "<... ")) {
		x->resumed = true;
		x->name = p + 5;
		x->name_end = memmem(x->name, (size_t)(end - x->name), " resumed>", 9);
		if (!x->name_end)
			return false;
		x->args = x->name_end + 9;
		x->result = result_of(x->args, end, &x->close);
		return true;
	}
	x->name = p;
	x->name_end = is_name(p, end) ? open_of(p, end) : NULL;
	if (!x->name_end)
		return false;
	x->args = x->name_end + 1;
	arrow = memmem(p, (size_t)(x->name_end - p), "->", 2);
	if (arrow)
		x->name = arrow + 2;
	x->unfinished = mark && mark >= x->args;
	if (x->unfinished)
		x->close = mark;
	else
		x->result = result_of(x->args, end, &x->close);
	return true;
}

static const struct function *function_of(const struct parts *x)
{
	const char *p = x->name, *end = x->name_end, *at = memchr(p, '@', (size_t)(end - p));

	if (at)
		end = at;
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
		if (strlen(functions[i].name) == (size_t)(end - p) &&
		    !memcmp(functions[i].name, p, (size_t)(end - p)))
			return &functions[i];
	if (starts(p, end, "_Znwm") || starts(p, end, "_Znam") || starts(p, end, "_Znwj") ||
	    starts(p, end, "_Znaj") || starts(p, end, "operator new"))
		return memmem(p, (size_t)(end - p), "align_val_t", 11) ? &op_new_aligned :
									 &op_new;
	if (starts(p, end, "_ZdlPv") || starts(p, end, "_ZdaPv") ||
	    starts(p, end, "operator delete"))
		return &op_delete;
	return NULL;
}

static bool probe(const char *p, const char *end)
{
	while (p < end) {
		const char *nl = memchr(p, '\n', (size_t)(end - p)), *stop = nl ? nl : end;
		struct parts x;

		if (stop > p && split(&x, p, stop) && !x.resumed && x.result && function_of(&x) &&
		    (starts(x.result, stop, "0x") || starts(x.result, stop, "<void>")))
			return true;
		p = nl ? nl + 1 : end;
	}
	return false;
}

/* --- arguments --- */

static bool argument(struct sf_calls *c, const struct parts *x, int index, uint64_t *v)
{
	const char *p = x->args, *stop;

	if (index < 0)
		return true;
	for (int i = 0; i < index && p; i++) {
		p = memchr(p, ',', (size_t)(x->close - p));
		p = p ? p + 1 : NULL;
	}
	if (!p) {
		sf_calls_bad(c, SF_TR_BAD, x->close, "expected another argument: leave out this "
			     "line");
		return false;
	}
	stop = memchr(p, ',', (size_t)(x->close - p));
	return sf_calls_number(c, &p, stop ? stop : x->close, true, SF_NUMBER_ANY,
			       "a number or an address", v);
}

static bool arguments(struct sf_calls *c, const struct parts *x, const struct function *f,
		      struct sf_call *out)
{
	uint64_t *where = f->call == SF_CALL_FREE ? &out->ptr : &out->old;

	out->call = f->call;
	out->align = f->fixed_align;
	out->thread = x->pid;
	return argument(c, x, f->old, where) && argument(c, x, f->n, &out->n) &&
	       argument(c, x, f->size, &out->size) && argument(c, x, f->align, &out->align);
}

/* What came of an allocation. */
static enum sf_calls_line result(struct sf_calls *c, const struct parts *x, const char *end,
				 struct sf_call *out)
{
	const char *p = x->result, *at = p;
	uint64_t v;

	if (!sf_calls_number(c, &p, end, true, SF_NUMBER_ANY, "an address", &v))
		return SF_CALLS_BAD;
	if (out->call == SF_CALL_POSIX_MEMALIGN) {
		out->failed = v != 0;
		out->no_ptr = true;
	} else {
		out->ptr = v;
		out->failed = !v && !(out->call == SF_CALL_REALLOC && out->old && !out->size);
	}
	return sf_calls_fits(c, out, at) ? SF_CALLS_ONE : SF_CALLS_BAD;
}

/* --- processes --- */

static bool is_forked(const struct ltrace *l, uint64_t pid)
{
	for (unsigned int i = 0; i < l->nr_forked; i++)
		if (l->forked[i] == pid)
			return true;
	return false;
}

/* "fork() = 5276", and in the child "<... fork resumed> ) = 0". */
static void note_fork(struct ltrace *l, const struct parts *x, const char *end)
{
	size_t len = (size_t)(x->name_end - x->name);
	const char *p = x->result;
	uint64_t pid;

	if (!p || l->nr_forked == FORKED_MAX ||
	    !((len == 4 && !memcmp(x->name, "fork", 4)) ||
	      (len == 5 && !memcmp(x->name, "vfork", 5)) ||
	      (len == 5 && !memcmp(x->name, "_Fork", 5))) ||
	    !sf_tr_decimal(&p, end, &pid))
		return;
	if (!pid)
		pid = x->resumed ? x->pid : 0;
	if (pid && !is_forked(l, pid))
		l->forked[l->nr_forked++] = pid;
}

/* --- calls in two lines --- */

static enum sf_calls_line begin(struct sf_calls *c, const struct function *f,
				const struct sf_call *call, struct sf_call *out)
{
	struct ltrace *l = c->state;
	struct pending *w = &l->pending[l->nr_pending];

	if (l->nr_pending == PENDING_MAX)
		return sf_calls_bad(c, SF_TR_CUT, NULL, "more than %u calls are unfinished",
				    PENDING_MAX);
	l->nr_pending++;
	*w = (struct pending){ .f = f, .pid = call->thread, .old = call->old, .call = *call };
	/* It takes effect before others are told of. */
	if (f->call == SF_CALL_FREE) {
		*out = *call;
		return SF_CALLS_ONE;
	}
	if (!call->old)
		return SF_CALLS_NONE;
	/* Its address may be another's before this ends. */
	*out = *call;
	out->call = SF_CALL_NONE;
	out->ptr = w->call.old = HIDDEN | c->line;
	return SF_CALLS_ONE;
}

static bool is_nested(const struct ltrace *l, uint64_t pid)
{
	for (unsigned int i = 0; i < l->nr_pending; i++)
		if (l->pending[i].pid == pid)
			return true;
	return false;
}

/* "+++ exited": what it was about will not end. */
static void note_exit(struct sf_calls *c, uint64_t pid)
{
	struct ltrace *l = c->state;
	unsigned int kept = 0;

	for (unsigned int i = 0; i < l->nr_pending; i++) {
		if (l->pending[i].pid != pid)
			l->pending[kept++] = l->pending[i];
		else if (l->pending[i].f->call != SF_CALL_FREE)
			c->notes->damage[SF_TR_CUT]++;
	}
	l->nr_pending = kept;
}

/* The latest that waits, of this process. */
static struct pending *waiting(struct ltrace *l, const struct parts *x, const struct function *f)
{
	for (unsigned int i = l->nr_pending; i-- > 0;)
		if (l->pending[i].pid == x->pid && l->pending[i].f == f)
			return &l->pending[i];
	return NULL;
}

static enum sf_calls_line resume(struct sf_calls *c, const struct parts *x,
				 const struct function *f, const char *end, struct sf_call *out)
{
	struct ltrace *l = c->state;
	struct pending *w = waiting(l, x, f), was;
	uint64_t line = out->line;

	if (!w)
		return sf_calls_bad(c, SF_TR_CUT, x->name, "the end of a call, and its beginning "
				    "is not there");
	was = *w;
	memmove(w, w + 1, (size_t)(&l->pending[--l->nr_pending] - w) * sizeof(*w));
	if (f->call == SF_CALL_FREE)
		return SF_CALLS_NONE;
	*out = was.call;
	out->line = line;
	if (!x->result)
		return sf_calls_short(c, end, false, "a result");
	if (result(c, x, end, out) == SF_CALLS_BAD)
		return SF_CALLS_BAD;
	if (out->failed)
		out->ptr = was.old;
	return SF_CALLS_ONE;
}

static enum sf_calls_line line(struct sf_calls *c, char *p, char *end, bool whole,
			       struct sf_call *out)
{
	struct ltrace *l = c->state;
	const struct function *f;
	struct parts x;

	if (p == end)
		return SF_CALLS_NONE;
	if (!split(&x, p, end)) {
		/* "+++ exited (status 0) +++", "--- SIGCHLD …": or a program's own output. */
		const char *word = prefix(p, end, &x.pid);

		if (starts(word, end, "+++ exited") || starts(word, end, "+++ killed"))
			note_exit(c, x.pid);
		return sf_calls_other(c, word, (size_t)(sf_tr_skip_word(word, end) - word));
	}
	f = function_of(&x);
	if (!f) {
		note_fork(l, &x, end);
		return sf_calls_other(c, x.name, (size_t)(x.name_end - x.name));
	}
	if (is_forked(l, x.pid)) {
		c->notes->forked++;
		return SF_CALLS_NONE;
	}
	if (x.resumed)
		return resume(c, &x, f, end, out);
	if (is_nested(l, x.pid)) {
		c->notes->nested++;
		return SF_CALLS_NONE;
	}
	if (!x.close)
		return sf_calls_short(c, end, whole, "\") = \" and a result");
	if (!arguments(c, &x, f, out))
		return SF_CALLS_BAD;
	if (x.unfinished) {
		struct sf_call call = *out;

		return begin(c, f, &call, out);
	}
	return f->call == SF_CALL_FREE ? SF_CALLS_ONE : result(c, &x, end, out);
}

/* What never ended is lost. */
static const char *at_end(struct sf_calls *c)
{
	const struct ltrace *l = c->state;

	c->notes->damage[SF_TR_CUT] += l->nr_pending;
	return NULL;
}

const struct sf_calls_format sf_calls_ltrace = {
	"ltrace", false, probe, line, at_end, sizeof(struct ltrace), NULL,
};
