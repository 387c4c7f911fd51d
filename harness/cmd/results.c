// SPDX-License-Identifier: MIT
/*
 * results.c - results.h: lists that grow, what they add up to, and where they are.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "cmd.h"
#include "results.h"

/* --- memory --- */

enum { PARTS = 8 }; /* of the arena: one is for all but the lists */

struct sf_results *sf_results_shared(void)
{
	const int how = MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE;
	size_t size = (size_t)1 << (sizeof(void *) > 4 ? 36 : 28);
	struct sf_results *r;
	void *p;

	/* Addresses, not memory: as many as can be had. */
	while ((p = mmap(NULL, size, PROT_READ | PROT_WRITE, how, -1, 0)) == MAP_FAILED)
		if ((size /= 2) < 1 << 20)
			sf_out_of_memory();
	r = p;
	r->arena = p;
	r->size = size;
	r->used = sizeof(*r);
	return r;
}

void *sf_results_alloc(struct sf_results *r, size_t n)
{
	void *p;

	if (!r->arena)
		return sf_grow(NULL, n, 1);
	n = (n + 15) & ~(size_t)15;
	r->used = (r->used + 15) & ~(size_t)15;
	if (n > r->size / PARTS - r->used)
		sf_out_of_memory();
	p = r->arena + r->used;
	r->used += n;
	return p;
}

static char *copy(struct sf_results *r, const char *s)
{
	size_t n = strlen(s) + 1;

	return memcpy(sf_results_alloc(r, n), s, n);
}

char *sf_results_keep(struct sf_results *r, char *s)
{
	char *mine;

	if (!r->arena || !s)
		return s;
	mine = copy(r, s);
	free(s);
	return mine;
}

/* Room for one more of a list, which is number `part`. */
static void *room(struct sf_results *r, int part, void *list, uint32_t nr, uint32_t *cap,
		  size_t size)
{
	size_t bytes = r->size / PARTS;

	if (nr < *cap)
		return list;
	if (!r->arena) {
		*cap = *cap ? 2 * *cap : 16;
		return sf_grow(list, *cap, size);
	}
	if (*cap)
		sf_out_of_memory();
	*cap = bytes / size < UINT32_MAX ? (uint32_t)(bytes / size) : UINT32_MAX;
	return r->arena + (size_t)part * bytes;
}

/* Whoever looks on from another process sees only what is whole. */
static void one_more(uint32_t *nr)
{
	__atomic_store_n(nr, *nr + 1, __ATOMIC_RELEASE);
}

#define ROOM(r, part, list)                                                                     \
	((r)->list = room(r, part, (r)->list, (r)->nr_##list, &(r)->cap_##list,                 \
			  sizeof((r)->list[0])))

/* --- lists --- */

struct sf_trial *sf_results_trial(struct sf_results *r, const char *file, const char *allocator)
{
	ROOM(r, 1, trials);
	r->trials[r->nr_trials] = (struct sf_trial){ .file = copy(r, file),
						     .allocator = allocator };
	one_more(&r->nr_trials);
	return sf_results_last(r);
}

void sf_results_found(struct sf_results *r, const struct sf_violation *v,
		      const struct sf_found *where)
{
	ROOM(r, 2, found);
	r->found[r->nr_found] = (struct sf_found){
		.trial = r->nr_trials - 1,
		.invariant = (uint8_t)v->invariant,
		.op = where->op,
		.line = where->line,
		.text = sf_results_keep(r, where->text),
		.title = copy(r, v->title),
		.detail = copy(r, v->detail),
	};
	one_more(&r->nr_found);
	sf_results_last(r)->found++;
}

static void free_found(struct sf_found *f)
{
	free(f->text);
	free(f->title);
	free(f->detail);
}

void sf_results_unfound(struct sf_results *r, uint32_t index)
{
	if (!r->arena)
		free_found(&r->found[index]);
	for (uint32_t i = index + 1; i < r->nr_found; i++)
		r->found[i - 1] = r->found[i];
	r->nr_found--;
	sf_results_last(r)->found--;
}

void sf_results_missed(struct sf_results *r, const struct sf_missed *m)
{
	ROOM(r, 3, missed);
	r->missed[r->nr_missed] = (struct sf_missed){
		.trial = r->nr_trials - 1,
		.op = m->op,
		.line = m->line,
		.text = sf_results_keep(r, m->text),
		.expected = sf_results_keep(r, m->expected),
		.got = sf_results_keep(r, m->got),
	};
	one_more(&r->nr_missed);
	sf_results_last(r)->missed++;
}

void sf_results_crashed(struct sf_results *r, const struct sf_crash *c, const char *report,
			const struct sf_found *where)
{
	ROOM(r, 4, crashed);
	r->crashed[r->nr_crashed] = (struct sf_crashed){
		.trial = r->nr_trials - 1,
		.op = where->op,
		.line = where->line,
		.kind = c->kind,
		.text = sf_results_keep(r, where->text),
		.title = copy(r, c->title),
		.report = copy(r, report),
	};
	one_more(&r->nr_crashed);
	sf_results_last(r)->crashed++;
}

/* --- counts --- */

static struct sf_isolation *isolation_of(struct sf_results *r, const char *allocator)
{
	for (uint32_t i = 0; i < r->nr_isolation; i++)
		if (!strcmp(r->isolation[i].allocator, allocator))
			return &r->isolation[i];
	ROOM(r, 5, isolation);
	r->isolation[r->nr_isolation] = (struct sf_isolation){ .allocator = allocator };
	one_more(&r->nr_isolation);
	return &r->isolation[r->nr_isolation - 1];
}

/* All that is counted are numbers of one size. */
_Static_assert(sizeof(struct sf_ledger) % sizeof(uint64_t) == 0, "a ledger is numbers");
_Static_assert(sizeof(struct sf_attack_count) % sizeof(uint64_t) == 0, "attacks are numbers");

static void add_since(void *to, const void *now, void *since, size_t bytes)
{
	for (size_t i = 0; i < bytes / sizeof(uint64_t); i++)
		((uint64_t *)to)[i] += ((const uint64_t *)now)[i] - ((uint64_t *)since)[i];
	memcpy(since, now, bytes);
}

void sf_results_count(struct sf_results *r, const struct sf_judge *j, const char *allocator,
		      struct sf_counted *since)
{
	const struct sf_oracle_count *c = sf_judge_counts(j);
	struct sf_isolation *to = isolation_of(r, allocator);

	for (int i = 0; i < SF_INV_COUNT; i++) {
		struct sf_oracle_count *was = &since->oracles[i];

		r->oracles[i].checked += c[i].checked - was->checked;
		r->oracles[i].skipped += c[i].skipped - was->skipped;
		r->oracles[i].violations += c[i].violations - was->violations;
		if (c[i].reason)
			r->oracles[i].reason = c[i].reason;
		else if (!r->oracles[i].reason)
			r->oracles[i].reason = sf_judge_lacks(j, (enum sf_invariant)i);
		*was = c[i];
	}
	add_since(&to->ledger, sf_judge_ledger(j), &since->isolation.ledger, sizeof(to->ledger));
	add_since(to->attacks, sf_judge_attacks(j), since->isolation.attacks, sizeof(to->attacks));
}

void sf_results_remarks(struct sf_results *r, struct sf_replay *p, struct sf_trace *t)
{
	const char *text;

	while (sf_trace_remark(t, p->nr_remarks))
		p->nr_remarks++;
	p->remarks = sf_results_alloc(r, (p->nr_remarks + 1) * sizeof(*p->remarks));
	for (unsigned int i = 0; (text = sf_trace_remark(t, i)); i++)
		p->remarks[i] = copy(r, text);
	p->kernel = copy(r, sf_trace_kernel(t));
}

static void free_trial(struct sf_trial *t)
{
	if (t->replay) {
		for (uint32_t i = 0; i < t->replay->nr_shown; i++)
			free(t->replay->shown[i]);
		for (uint32_t i = 0; i < t->replay->nr_remarks; i++)
			free(t->replay->remarks[i]);
		free(t->replay->remarks);
		free(t->replay->kernel);
		free(t->replay->format);
		free(t->replay);
	}
	free(t->file);
	free(t->error);
}

static void free_crashed(struct sf_crashed *c)
{
	free(c->text);
	free(c->title);
	free(c->report);
}

void sf_results_free(struct sf_results *r)
{
	if (r->arena) {
		munmap(r->arena, r->size);
		return;
	}
	for (uint32_t i = 0; i < r->nr_found; i++)
		free_found(&r->found[i]);
	for (uint32_t i = 0; i < r->nr_missed; i++) {
		free(r->missed[i].text);
		free(r->missed[i].expected);
		free(r->missed[i].got);
	}
	for (uint32_t i = 0; i < r->nr_crashed; i++)
		free_crashed(&r->crashed[i]);
	for (uint32_t i = 0; i < r->nr_trials; i++)
		free_trial(&r->trials[i]);
	free(r->isolation);
	free(r->crashed);
	free(r->found);
	free(r->missed);
	free(r->trials);
	*r = (struct sf_results){ 0 };
}

bool sf_trial_wrong(const struct sf_trial *t)
{
	const struct sf_replay *p = t->replay;

	if (t->error || t->found || t->missed || t->crashed)
		return true;
	return p && (p->nulls || p->kmalloc.agree != p->kmalloc.total ||
		     p->named.agree != p->named.total);
}

int sf_results_exit(const struct sf_results *r)
{
	if (r->status)
		return r->status;
	for (uint32_t i = 0; i < r->nr_trials; i++)
		if (sf_trial_wrong(&r->trials[i]))
			return SF_EXIT_WRONG;
	return SF_EXIT_GOOD;
}

uint64_t sf_replay_unpaired(const struct sf_replay *p)
{
	const struct sf_trace_counts *c = &p->counts;

	return c->free_unborn + c->implied_free + c->alive + c->page_unborn + c->page_implied +
	       c->page_alive + c->page_mismatch;
}
