// SPDX-License-Identifier: MIT
/*
 * concurrent.c - concurrent.h. What threads share is made before they begin: the claims on
 * addresses, who is next, and an object's slot, which goes with it from hand to hand. On a thread
 * nothing of the C library is called that needs one of its own (user_thread.h says whose it is).
 */
#include "concurrent.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include "../../allocators/base/grow.h"
#include "../../oracles/ranges.h"
#include "../exec/exec.h"
#include "turns.h"

enum { DAWDLE = 64, WHOLE = 4096 };

const struct sf_thread_rule_info sf_thread_rules[SF_THREAD_RULE_COUNT] = {
#define X(id, name, doc) { name, doc },
	SF_THREAD_RULES(X)
#undef X
};

/* A result. Handed over with its object. */
struct slot {
	uint64_t addr, size, spare, align, key;
	bool alive;
	/* Of an object's first name: the one that it goes by, plus 1, and what gave it that. */
	uint32_t name, op;
};

struct sf_concurrent {
	const struct sf_allocator *a;
	struct sf_heap *heap;
	const struct sf_traits *traits;
	struct sf_ranges *ranges;
	uint32_t room; /* of ranges */
	struct slot *slot;
	uint32_t *done;
	size_t cap_slots, cap_done;
	/* Of the run in hand. */
	const struct sf_concurrent_run *run;
	struct sf_answer *answers; /* alone */
	struct sf_thread_fault *fault;
	uint32_t turn;
	int faulted;  /* *fault is somebody's; from then on nothing more is done */
	bool hoards, lacks, falls_short;
	uint64_t calls[SF_THREADS_MAX];
};

struct sf_concurrent *sf_concurrent_create(const struct sf_allocator *a,
					   const struct sf_settings *set, struct sf_error *err)
{
	struct sf_concurrent *c = sf_zalloc(1, sizeof(*c));

	c->a = a;
	c->traits = sf_traits_of(a);
	c->heap = a->create(a, set, NULL, err);
	if (c->heap)
		return c;
	free(c);
	return NULL;
}

void sf_concurrent_destroy(struct sf_concurrent *c)
{
	if (!c)
		return;
	c->a->destroy(c->heap);
	sf_ranges_free(c->ranges);
	free(c->slot);
	free(c->done);
	free(c);
}

/* --- what is found --- */

static bool over(const struct sf_concurrent *c)
{
	return __atomic_load_n(&c->faulted, __ATOMIC_RELAXED);
}

/* The first one counts. NULL: it was not. */
static struct sf_thread_fault *found(struct sf_concurrent *c, enum sf_thread_rule rule,
				     const struct sf_step *s, unsigned int thread)
{
	struct sf_thread_fault *f = c->fault;

	if (c->answers || c->hoards || __atomic_exchange_n(&c->faulted, 1, __ATOMIC_ACQ_REL))
		return NULL;
	f->op = s ? s->op : SF_NONE;
	f->other = SF_NONE;
	f->rule = (uint8_t)rule;
	f->thread = (uint8_t)thread;
	f->detail[0] = 0;
	return f;
}

#define FOUND(c, rule, s, thread, words, ...)                                              \
	do {                                                                               \
		struct sf_thread_fault *f_ = found(c, SF_THREAD_##rule, s, thread);        \
		if (f_) {                                                                  \
			put(f_->what, sizeof(f_->what), words, of_step(c, s));             \
			put_numbers(f_->detail, sizeof(f_->detail), __VA_ARGS__);          \
		}                                                                          \
	} while (0)

static void append(char *to, size_t cap, const char *s)
{
	size_t n = strlen(to);

	while (*s && n + 1 < cap)
		to[n++] = *s++;
	to[n] = 0;
}

static void put(char *to, size_t cap, const char *words, const char *name)
{
	to[0] = 0;
	append(to, cap, words);
	append(to, cap, name);
}

static void append_number(char *to, size_t cap, uint64_t n)
{
	char digits[24], *at = &digits[sizeof(digits) - 1];

	*at = 0;
	do
		*--at = (char)('0' + n % 10);
	while (n /= 10);
	append(to, cap, at);
}

/* "byte ", 7, " of ", 64. No printf(): see above. */
static void put_numbers(char *to, size_t cap, const char *a, uint64_t x, const char *b, uint64_t y)
{
	to[0] = 0;
	append(to, cap, a);
	append_number(to, cap, x);
	append(to, cap, b);
	append_number(to, cap, y);
}

static const char *of_step(const struct sf_concurrent *c, const struct sf_step *s)
{
	return !s ? "" : s->op == SF_NONE ? "free" :
	       sf_op_table[c->run->prog->ops[s->op].code].name;
}

/* --- contents --- */

static enum sf_contents how(uint64_t size)
{
	return size <= WHOLE ? SF_CONTENTS_WHOLE : SF_CONTENTS_SPARSE;
}

static void write_object(struct sf_concurrent *c, const struct slot *o)
{
	if (o->size)
		c->a->fill(c->heap, o->addr, o->size, o->key, how(o->size));
	if (o->spare)
		c->a->fill(c->heap, o->addr + o->size, o->spare, ~o->key, how(o->spare));
}

static void check_object(struct sf_concurrent *c, const struct sf_step *s, const struct slot *o,
			 unsigned int thread)
{
	uint64_t bad = SF_GOOD;

	if (o->size)
		bad = c->a->verify(c->heap, o->addr, o->size, o->key, how(o->size));
	if (bad == SF_GOOD && o->spare) {
		bad = c->a->verify(c->heap, o->addr + o->size, o->spare, ~o->key, how(o->spare));
		bad = bad == SF_GOOD ? SF_GOOD : bad + o->size;
	}
	if (bad != SF_GOOD)
		FOUND(c, CONTENTS, s, thread, "an object was changed by others, before ", "byte ",
		      bad, " of ", o->size + o->spare);
}

/* --- what is asked --- */

/* False: the product is none. */
static bool size_of(const struct sf_op *op, uint64_t *size)
{
	*size = op->size;
	return !(sf_op_table[op->code].flags & SF_OPF_ARRAY) ||
	       !__builtin_mul_overflow(op->n, op->size, size);
}

static struct sf_request request(const struct sf_op *op)
{
	bool array = sf_op_table[op->code].flags & SF_OPF_ARRAY;

	return (struct sf_request){ .api = SF_API_FOREIGN, .call = sf_exec_call(op),
				    .n = array ? op->n : 1, .size = op->size, .align = op->align,
				    .bucket = SF_NONE, .array = array };
}

static bool is_power(uint64_t n)
{
	return n && !(n & (n - 1));
}

/* The alignment that is due; 1: nothing is. */
static uint64_t due_align(const struct sf_concurrent *c, const struct sf_op *op, uint64_t size)
{
	uint64_t due = c->traits->align, named = 1;

	while (!is_power(due) && due)
		due &= due - 1;
	if (size < due && !c->traits->align_small)
		due = size ? 1ull << (63 - __builtin_clzll(size)) : 1;
	switch (op->code) {
	case SF_OP_ALIGNED_ALLOC:
	case SF_OP_POSIX_MEMALIGN:
	case SF_OP_MEMALIGN:
		named = is_power(op->align) ? op->align : 1;
	}
	return due > named ? due : named;
}

/* --- what came --- */

static void look_at_place(struct sf_concurrent *c, const struct sf_step *s, const struct slot *o,
			  unsigned int thread)
{
	const struct sf_op *op = &c->run->prog->ops[s->op];
	uint64_t due = due_align(c, op, o->size);
	uint32_t other = SF_NONE;
	struct sf_thread_fault *f;

	if (o->addr & (due - 1))
		FOUND(c, ALIGNMENT, s, thread, "an object is not aligned after ", "address ",
		      o->addr, ", due: a multiple of ", due);
	if (sf_ranges_claim(c->ranges, o->addr, o->size + o->spare, s->object, &other))
		return;
	f = found(c, SF_THREAD_OVERLAP, s, thread);
	if (!f)
		return;
	put(f->what, sizeof(f->what), "an object is another one's, too, after ", of_step(c, s));
	put_numbers(f->detail, sizeof(f->detail), "address ", o->addr, ", bytes ",
		    o->size + o->spare);
	f->other = c->slot[other].op;
}

static void look_at_zeroes(struct sf_concurrent *c, const struct sf_step *s, const struct slot *o,
			   unsigned int thread)
{
	uint64_t to = o->size, dirty;

	if (c->traits->zeroed == SF_ZEROED_USABLE)
		to += o->spare;
	if (c->traits->zeroed == SF_ZEROED_NONE || !to)
		return;
	dirty = c->a->zeroed(c->heap, o->addr, 0, to, SF_CONTENTS_SPARSE);
	if (dirty != SF_GOOD)
		FOUND(c, ZEROING, s, thread, "an object is not zero after ", "byte ", dirty,
		      " of ", to);
}

/* Bytes behind those that were asked for. */
static void look_at_usable(struct sf_concurrent *c, const struct sf_step *s, struct slot *o,
			   unsigned int thread)
{
	uint64_t usable = c->a->caps & SF_CAP_USABLE ? c->a->usable(c->heap, o->addr) : o->size;

	o->spare = usable > o->size ? usable - o->size : 0;
	if (usable < o->size)
		FOUND(c, USABLE, s, thread, "fewer bytes than were asked for, after ", "bytes ",
		      usable, " of ", o->size);
}

/* It is the thread's now. */
static void arrived(struct sf_concurrent *c, const struct sf_step *s, uint64_t addr, uint64_t size,
		    unsigned int thread)
{
	const struct sf_op *op = &c->run->prog->ops[s->op];
	struct slot *o = &c->slot[op->res];

	*o = (struct slot){ .addr = addr, .size = size, .align = op->align,
			    .key = sf_mix64(s->op + 1), .alive = true };
	c->slot[s->object].name = op->res + 1;
	c->slot[s->object].op = s->op;
	look_at_usable(c, s, o, thread);
	look_at_place(c, s, o, thread);
	if (op->code == SF_OP_CALLOC)
		look_at_zeroes(c, s, o, thread);
}

static void look_at_error(struct sf_concurrent *c, const struct sf_step *s,
			  const struct sf_result *rs, unsigned int thread)
{
	const struct sf_op *op = &c->run->prog->ops[s->op];
	const struct sf_answer *alone = c->run->alone ? &c->run->alone[s->op] : NULL;

	if (!alone || !c->traits->error || op->code == SF_OP_POSIX_MEMALIGN)
		return;
	if (alone->done && alone->status == SF_NULL && alone->error && !rs->error)
		FOUND(c, ERROR, s, thread, "errno is 0 after a failed ", "alone ",
		      (uint64_t)alone->error, ", here ", 0);
}

static void look_at_result(struct sf_concurrent *c, const struct sf_step *s,
			   const struct sf_result *rs, bool is_size, uint64_t size,
			   unsigned int thread)
{
	const struct sf_answer *must = c->run->must ? &c->run->must[s->op] : NULL;

	if (c->answers)
		c->answers[s->op] = (struct sf_answer){ .status = rs->status, .done = true,
							.error = rs->error };
	if (rs->status == SF_OK && (!is_size || size > INT64_MAX)) {
		FOUND(c, RESULT, s, thread, "an object of a size that no memory has, after ",
		      "bytes ", size, ", address ", rs->addr);
		return;
	}
	if (rs->status != SF_NULL)
		return;
	look_at_error(c, s, rs, thread);
	if (!must || !must->done || must->status != SF_OK || !size)
		return;
	if (c->hoards)
		c->lacks = true;
	else if (!c->run->enough)
		__atomic_store_n(&c->falls_short, true, __ATOMIC_RELAXED);
	else
		FOUND(c, RESULT, s, thread, "NULL, and there is memory, after ", "bytes ", size,
		      ", alignment ", c->run->prog->ops[s->op].align);
}

/* --- operations --- */

static bool resizes(const struct sf_op *op)
{
	return op->code == SF_OP_REALLOC || op->code == SF_OP_REALLOCARRAY;
}

static void do_alloc(struct sf_concurrent *c, const struct sf_step *s, unsigned int thread)
{
	const struct sf_op *op = &c->run->prog->ops[s->op];
	struct sf_request rq = request(op);
	struct sf_result rs;
	uint64_t size;
	bool is_size = size_of(op, &size);

	c->slot[op->res].alive = false;
	if (resizes(op))
		c->a->realloc(c->heap, 0, &rq, &rs);
	else
		c->a->alloc(c->heap, &rq, &rs);
	look_at_result(c, s, &rs, is_size, size, thread);
	if (rs.status != SF_OK || !rs.addr || !is_size || size > INT64_MAX || c->hoards)
		return;
	arrived(c, s, rs.addr, size, thread);
	if (!over(c))
		write_object(c, &c->slot[op->res]);
}

/* Of what is shortened the rest is a pattern of its own: it is what must be there afterwards. */
static uint64_t prepare(struct sf_concurrent *c, const struct slot *old, uint64_t size)
{
	if (size >= old->size)
		return old->size;
	if (size)
		c->a->fill(c->heap, old->addr, size, old->key, how(size));
	return size;
}

static void resized(struct sf_concurrent *c, const struct sf_step *s, const struct slot *old,
		    uint64_t keep, unsigned int thread)
{
	struct slot *o = &c->slot[c->run->prog->ops[s->op].res];
	uint64_t bad = SF_GOOD;

	if (keep)
		bad = c->a->verify(c->heap, o->addr, keep, old->key, how(keep));
	if (bad != SF_GOOD)
		FOUND(c, CONTENTS, s, thread, "contents were lost by ", "byte ", bad, " of ", keep);
	if (!over(c))
		write_object(c, o);
}

/* What it was is given up before it is called: another thread may have it before it returns. */
static void do_realloc(struct sf_concurrent *c, const struct sf_step *s, struct slot *slot,
		       unsigned int thread)
{
	const struct sf_op *op = &c->run->prog->ops[s->op];
	struct sf_request rq = request(op);
	struct slot old = *slot;
	struct sf_result rs;
	uint64_t size, keep;
	uint32_t other;
	bool is_size = size_of(op, &size);

	check_object(c, s, &old, thread);
	keep = prepare(c, &old, is_size ? size : UINT64_MAX);
	sf_ranges_drop(c->ranges, old.addr, old.size + old.spare, s->object);
	if (over(c))
		return;
	c->slot[op->res].alive = false;
	c->a->realloc(c->heap, old.addr, &rq, &rs);
	look_at_result(c, s, &rs, is_size, size, thread);
	if (rs.status == SF_OK && rs.addr) {
		slot->alive = false;
		if (!is_size || size > INT64_MAX)
			return;
		arrived(c, s, rs.addr, size, thread);
		resized(c, s, &old, keep, thread);
	} else if (rs.status == SF_FREED) {
		slot->alive = false;
	} else {
		sf_ranges_claim(c->ranges, old.addr, old.size + old.spare, s->object, &other);
		if (keep && c->a->verify(c->heap, old.addr, keep, old.key, how(keep)) != SF_GOOD)
			FOUND(c, CONTENTS, s, thread, "an object was changed by a failed ",
			      "bytes ", keep, " of ", old.size);
		write_object(c, slot);
	}
}

static void give_back(struct sf_concurrent *c, const struct sf_free_request *rq)
{
	struct sf_result rs;

	if (c->a->user_free)
		c->a->user_free(c->heap, rq, &rs);
	else
		c->a->free(c->heap, rq->addr, SF_FREE_USER, &rs);
}

static void do_free(struct sf_concurrent *c, const struct sf_step *s, struct slot *o,
		    unsigned int thread)
{
	const struct sf_op *op = s->op == SF_NONE ? NULL : &c->run->prog->ops[s->op];
	struct sf_free_request rq = { .addr = o->addr, .size = o->size, .align = o->align,
				      .call = op ? sf_exec_call(op) : SF_CALL_FREE };

	check_object(c, s, o, thread);
	sf_ranges_drop(c->ranges, o->addr, o->size + o->spare, s->object);
	o->alive = false;
	if (!over(c))
		give_back(c, &rq);
}

static void do_usable(struct sf_concurrent *c, const struct sf_step *s, const struct slot *o,
		      unsigned int thread)
{
	uint64_t usable = c->a->usable(c->heap, o->addr);

	if (usable < o->size + o->spare)
		FOUND(c, USABLE, s, thread, "fewer bytes than before, after ", "bytes ", usable,
		      " of ", o->size + o->spare);
}

/* What is done with an object that is there. */
static void do_with(struct sf_concurrent *c, const struct sf_step *s, struct slot *o,
		    unsigned int thread)
{
	switch (s->op == SF_NONE ? SF_OP_FREE : c->run->prog->ops[s->op].code) {
	case SF_OP_REALLOC:
	case SF_OP_REALLOCARRAY:
		do_realloc(c, s, o, thread);
		return;
	case SF_OP_FREE:
	case SF_OP_FREE_SIZED:
	case SF_OP_FREE_ALIGNED_SIZED:
		do_free(c, s, o, thread);
		return;
	case SF_OP_MALLOC_USABLE_SIZE:
		do_usable(c, s, o, thread);
		return;
	default:
		check_object(c, s, o, thread);
		o->key = sf_mix64(o->key);
		write_object(c, o);
	}
}

/* Without an object. */
static void do_plain(struct sf_concurrent *c, const struct sf_step *s, unsigned int thread)
{
	const struct sf_op *op = &c->run->prog->ops[s->op];

	if (op->res != SF_NONE)
		do_alloc(c, s, thread);
	else if (op->code == SF_OP_FREE)
		give_back(c, &(struct sf_free_request){ .call = SF_CALL_FREE });
	else if (op->code == SF_OP_MALLOC_GOOD_SIZE)
		c->a->good_size(c->heap, op->size);
	else if (op->code == SF_OP_MALLOC_TRIM)
		c->a->trim(c->heap, op->size);
}

/* Whatever is asked for is asked for, and nothing given back. */
static void do_hoard(struct sf_concurrent *c, const struct sf_step *s, unsigned int thread)
{
	const struct sf_answer *must = s->op == SF_NONE ? NULL : &c->run->must[s->op];

	if (must && must->done && must->status == SF_OK && c->run->prog->ops[s->op].res != SF_NONE)
		do_alloc(c, s, thread);
}

static void do_step(struct sf_concurrent *c, const struct sf_step *s, unsigned int thread)
{
	/* SF_NONE + 1 is 0. */
	uint32_t name = s->op == SF_NONE ? c->slot[s->object].name - 1 :
					   c->run->prog->ops[s->op].obj;

	if (over(c))
		return;
	c->calls[thread] += s->call;
	if (c->hoards)
		do_hoard(c, s, thread);
	else if (name != SF_NONE && c->slot[name].alive)
		do_with(c, s, &c->slot[name], thread);
	else if (name == SF_NONE && s->op != SF_NONE)
		do_plain(c, s, thread);
}

/* --- threads --- */

static void step_handed_over(struct sf_concurrent *c, uint32_t i, unsigned int thread)
{
	const struct sf_step *s = &c->run->deal->step[i];

	if (s->before != SF_NONE)
		sf_take_over(&c->done[s->before]);
	do_step(c, s, thread);
	sf_hand_over(&c->done[i]);
}

static void in_turns(struct sf_concurrent *c, unsigned int thread)
{
	const struct sf_deal *d = c->run->deal;
	const uint32_t *order = c->run->order;

	for (uint32_t i = 0; i < d->nr; i++) {
		if (d->step[order[i]].thread != thread)
			continue;
		sf_turn_wait(&c->turn, i, thread);
		step_handed_over(c, order[i], thread);
		/* Who goes on himself need not wake anybody. */
		if (i + 1 < d->nr && d->step[order[i + 1]].thread == thread)
			__atomic_store_n(&c->turn, i + 1, __ATOMIC_RELEASE);
		else
			sf_turn_pass(&c->turn, i + 1,
				     i + 1 < d->nr ? d->step[order[i + 1]].thread : thread);
	}
}

static void dawdle(struct sf_rng *r)
{
	uint64_t n = sf_rng_below(r, DAWDLE);

	if (!n)
		sched_yield();
	for (; n; n--)
		__asm__ __volatile__("" ::: "memory");
}

static void as_they_come(struct sf_concurrent *c, unsigned int thread)
{
	const struct sf_deal *d = c->run->deal;
	struct sf_rng r;

	sf_rng_seed(&r, c->run->seed * SF_THREADS_MAX + thread);
	/* All begin at once. */
	__atomic_fetch_add(&c->turn, 1, __ATOMIC_ACQ_REL);
	while (__atomic_load_n(&c->turn, __ATOMIC_ACQUIRE) < d->threads)
		sched_yield();
	for (uint32_t i = 0; i < d->nr; i++) {
		const struct sf_step *s = &d->step[i];

		if (s->thread != thread)
			continue;
		if (s->before != SF_NONE && d->step[s->before].thread != thread)
			sf_done_wait(&c->done[s->before]);
		dawdle(&r);
		step_handed_over(c, i, thread);
		sf_done(&c->done[i]);
	}
}

static void work(void *arg, unsigned int thread)
{
	struct sf_concurrent *c = arg;

	if (c->run->order)
		in_turns(c, thread);
	else
		as_they_come(c, thread);
}

/* --- a run --- */

static bool prepare_run(struct sf_concurrent *c, const struct sf_concurrent_run *run)
{
	const struct sf_deal *d = run->deal;
	uint32_t nr_res = run->prog->nr_res;

	c->run = run;
	c->turn = 0;
	c->faulted = 0;
	c->falls_short = c->lacks = false;
	c->slot = sf_grow_zeroed(c->slot, &c->cap_slots, nr_res + 1, sizeof(*c->slot));
	c->done = sf_grow_zeroed(c->done, &c->cap_done, d->nr + 1, sizeof(*c->done));
	memset(c->slot, 0, nr_res * sizeof(*c->slot));
	memset(c->done, 0, d->nr * sizeof(*c->done));
	memset(c->calls, 0, sizeof(c->calls));
	if (c->room < nr_res + 1) {
		sf_ranges_free(c->ranges);
		c->room = 2 * (nr_res + 1);
		c->ranges = sf_ranges_create(c->room);
		if (!c->ranges)
			sf_out_of_memory();
	}
	sf_ranges_clear(c->ranges);
	return true;
}

void sf_concurrent_alone(struct sf_concurrent *c, const struct sf_deal *d, const struct sf_prog *p,
			 struct sf_answer *answers)
{
	const struct sf_concurrent_run run = { .deal = d, .prog = p };

	c->a->reset(c->heap);
	prepare_run(c, &run);
	memset(answers, 0, p->nr_ops * sizeof(*answers));
	c->answers = answers;
	for (uint32_t i = 0; i < d->nr; i++)
		do_step(c, &d->step[i], 0);
	c->answers = NULL;
	c->run = NULL;
}

static bool has_stats(const struct sf_concurrent *c)
{
	return c->a->caps & SF_CAP_STATS && c->traits->stats_return;
}

static void hold_stats(struct sf_concurrent *c, const struct sf_stats *before)
{
	struct sf_stats now;

	c->a->stats(c->heap, &now);
	if (before->live != SF_UNKNOWN && now.live != SF_UNKNOWN && now.live != before->live)
		FOUND(c, LIVE, NULL, 0, "objects are left when all are freed", "objects ", now.live,
		      ", in the beginning ", before->live);
	else if (before->used != SF_UNKNOWN && now.used != SF_UNKNOWN && now.used != before->used)
		FOUND(c, LIVE, NULL, 0, "bytes are left when all are freed", "bytes ", now.used,
		      ", in the beginning ", before->used);
}

static void hold_integrity(struct sf_concurrent *c)
{
	const char *said = c->a->caps & SF_CAP_INTEGRITY ? c->a->integrity(c->heap) : NULL;
	struct sf_thread_fault *f = said ? found(c, SF_THREAD_COMPLAINTS, NULL, 0) : NULL;

	if (!f)
		return;
	put(f->what, sizeof(f->what), "the allocator finds itself unsound", "");
	put(f->detail, sizeof(f->detail), said, "");
}

enum sf_ran sf_concurrent_run(struct sf_concurrent *c, const struct sf_concurrent_run *run,
			      struct sf_thread_fault *fault, uint64_t *calls)
{
	struct sf_stats before = { SF_UNKNOWN, SF_UNKNOWN, SF_UNKNOWN, SF_UNKNOWN, SF_UNKNOWN };

	assert(c->a->caps & SF_CAP_PARALLEL && run->deal->threads > 1);
	c->a->reset(c->heap);
	prepare_run(c, run);
	c->fault = fault;
	if (has_stats(c))
		c->a->stats(c->heap, &before);
	if (!c->a->parallel(c->heap, run->deal->threads, work, c))
		return SF_RAN_NOT;
	for (uint32_t i = 0; i < run->deal->threads; i++)
		*calls += c->calls[i];
	if (!over(c))
		hold_integrity(c);
	if (!over(c) && has_stats(c))
		hold_stats(c, &before);
	/* Who owns what was told to the end. */
	assert(over(c) || !sf_ranges_count(c->ranges));
	c->run = NULL;
	return over(c) ? SF_RAN_FAULT : c->falls_short ? SF_RAN_SHORT : SF_RAN_WELL;
}

bool sf_concurrent_has_room(struct sf_concurrent *c, const struct sf_concurrent_run *run)
{
	c->hoards = true;
	for (int i = 0; i < 2; i++) {
		prepare_run(c, run);
		if (!c->a->parallel(c->heap, run->deal->threads, work, c))
			c->lacks = true;
		if (c->lacks)
			break;
	}
	c->hoards = false;
	return !c->lacks;
}
