// SPDX-License-Identifier: MIT
/*
 * fuzz_trace.c - one input of the importer's fuzz target: a recording, however broken, is read
 * or refused in words, and what was read adds up. Relies on trace.h and, for reporting, on
 * fuzz.h; harness/entry/libfuzzer_trace.c relies on it.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "../../allocators/base/hash.h"
#include "../program/program.h"
#include "../trace/trace.h"

#define PROMISES(X)                                                                        \
	X(words, "TRACE-1: a recording is refused without a word")                         \
	X(sums, "TRACE-2: the importer's counts do not add up")                            \
	X(ops, "TRACE-3: operations made are not operations counted")                      \
	X(again, "TRACE-4: the same recording gives other operations the second time")     \
	X(text, "TRACE-5: the imported text is no valid program")

#define X(name, title)                                                                     \
	__attribute__((noinline)) static void promise_broken_##name(const char *where)     \
	{                                                                                  \
		if (sf_fuzz_caught(title, where))                                          \
			__builtin_trap();                                                  \
	}
PROMISES(X)
#undef X

struct tally {
	uint64_t ops, hash;
};

static void mix(struct tally *t, uint64_t x)
{
	t->hash = (t->hash ^ x) * SF_FNV_PRIME;
}

static bool on_op(void *ctx, const struct sf_op *op, const char *strings,
		  const struct sf_trace_record *rec)
{
	struct tally *t = ctx;

	(void)rec;
	t->ops++;
	mix(t, op->code);
	mix(t, (uint64_t)op->res << 32 | op->obj);
	mix(t, (uint64_t)op->cache << 32 | op->gfp);
	mix(t, op->size);
	mix(t, (uint64_t)op->site << 32 | (uint64_t)op->order << 8 | op->cpu);
	if (op->name)
		for (const char *s = strings + op->name; *s; s++)
			mix(t, (uint8_t)*s);
	return true;
}

static void on_event(void *ctx, const struct sf_event *ev)
{
	mix(ctx, ev->type);
}

/* The identities that trace.h states for the table of counts. */
static void check_sums(const struct sf_trace_counts *c)
{
	if (c->kfree + c->cache_free !=
	    c->paired + c->free_null + c->free_unborn + c->free_no_ptr)
		promise_broken_sums("frees");
	if (c->kmalloc + c->cache_alloc !=
	    c->failed + c->paired + c->implied_free + c->alive + c->alloc_no_ptr)
		promise_broken_sums("allocations");
	if (c->page_free != c->page_paired + c->page_mismatch + c->page_unborn + c->page_echo +
				    c->page_free_no_frame)
		promise_broken_sums("page frees");
	if (c->events != c->kmalloc + c->kfree + c->cache_alloc + c->cache_free + c->page_alloc +
				 c->page_free)
		promise_broken_sums("events");
}

/* The same of calls of malloc(). */
static void check_call_sums(const struct sf_trace_counts *c)
{
	if (c->calls != c->mallocs + c->callocs + c->reallocs + c->aligned + c->frees)
		promise_broken_sums("calls");
	if (c->frees + c->realloc_freed !=
	    c->paired + c->free_null + c->free_unborn + c->freed_twice)
		promise_broken_sums("frees of calls");
	if (c->calls - c->frees != c->failed + c->alloc_no_ptr + c->resized + c->realloc_freed +
					   c->paired + c->implied_free + c->alive)
		promise_broken_sums("allocations of calls");
}

static bool refused(const struct sf_error *err)
{
	if (!err->text[0] || strchr(err->text, '\n'))
		promise_broken_words("an error is one line");
	return true;
}

static bool import_twice(struct sf_trace *t, bool kernel_words, struct sf_error *err)
{
	struct tally first = { 0, 1 }, second = { 0, 1 };
	struct sf_import_options opt = { .kernel_words = kernel_words, .op = on_op,
					 .ctx = &first };
	struct sf_trace_counts counts = { 0 }, more = { 0 };
	struct sf_trace_scan *scan = sf_trace_scan(t, err);
	bool ok;

	if (!scan)
		return !refused(err);
	ok = !sf_trace_import(t, scan, &opt, &counts, err);
	if (ok) {
		if (sf_trace_is_calls(t))
			check_call_sums(&counts);
		else
			check_sums(&counts);
		if (counts.ops != first.ops)
			promise_broken_ops("import");
		opt.ctx = &second;
		ok = !sf_trace_import(t, scan, &opt, &more, err);
	}
	if (!ok)
		refused(err);
	else if (first.hash != second.hash || memcmp(&counts, &more, sizeof(counts)))
		promise_broken_again("import");
	sf_trace_scan_free(scan);
	return ok;
}

/* trace.dat: each pass takes a process of its own, so one must do. */
static void scan_once(struct sf_trace *t, struct sf_error *err)
{
	struct sf_trace_scan *scan = sf_trace_scan(t, err);

	if (scan)
		check_sums(sf_trace_scan_counts(scan));
	else
		refused(err);
	sf_trace_scan_free(scan);
}

static void import_text(struct sf_trace *t)
{
	struct sf_trace_counts counts = { 0 };
	struct sf_text_error where;
	struct sf_error err = { "" };
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	struct sf_prog p;
	int status;

	if (!f)
		abort();
	status = sf_trace_import_text(t, NULL, f, &counts, &err);
	fclose(f);
	if (status) {
		refused(&err);
	} else {
		sf_prog_init(&p);
		if (sf_text_parse(&p, text, len, &where))
			promise_broken_text(where.text);
		sf_prog_free(&p);
	}
	free(text);
}

/* Calls of malloc(), in both kinds of words. */
static void import_calls(struct sf_trace *t, struct sf_error *err)
{
	struct sf_trace_counts counts = { 0 };

	if (!import_twice(t, false, err) || sf_trace_rewind(t, err) ||
	    !import_twice(t, true, err))
		return;
	import_text(t);
	if (!sf_trace_judge(t, on_event, NULL, &counts, err))
		promise_broken_words("judge takes calls");
	refused(err);
}

void sf_fuzz_trace(const uint8_t *data, size_t size)
{
	struct sf_trace_counts counts = { 0 };
	struct tally events = { 0, 1 };
	struct sf_error err = { "" };
	struct sf_trace *t;
	int exit_code = 0;

	sf_fuzz_take(data, size);
	t = sf_trace_open_memory(data, size, &err, &exit_code);
	if (!t) {
		if (refused(&err) && exit_code != 2 && exit_code != 3)
			promise_broken_words("exit status");
		return;
	}
	if (!strcmp(sf_trace_format(t), "trace.dat")) {
		scan_once(t, &err);
	} else if (sf_trace_is_calls(t)) {
		import_calls(t, &err);
	} else if (import_twice(t, false, &err)) {
		import_text(t);
		if (!sf_trace_rewind(t, &err) &&
		    sf_trace_judge(t, on_event, &events, &counts, &err))
			refused(&err);
	}
	sf_trace_close(t);
}
