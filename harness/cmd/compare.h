/* SPDX-License-Identifier: MIT */
/*
 * compare.h - what the tables of `slabfuzz compare` share. cmd_compare.c takes the options and
 * makes the tables of costs and attacks, compare_promises.c that of attacks on allocators of any
 * sort, compare_reclaim.c that of reclaim, compare_large.c that of large objects, compare_sealed.c
 * that of writes through the direct map, compare_heap.c that of recordings of malloc().
 */
#ifndef SLABFUZZ_COMPARE_H
#define SLABFUZZ_COMPARE_H

#include "input.h"
#include "json.h"
#include "select.h"

struct sf_compare {
	struct sf_selection on;
	struct sf_overrides overrides;
	bool json;
	json_t *list;
	struct sf_overrides each; /* --reclaim, --large: a row for each of these on top */
	/* --reclaim */
	uint64_t every;           /* operations from one look to the next; 0: by what FILE is */
	uint64_t ask;             /* percent of what could be had; 0: by what FILE is */
};

/* --each "KEY=VALUE,VALUE…" into a struct sf_overrides, in place of what was there. */
int sf_compare_each(void *overrides, const struct sf_usage *u, const char *s);
/* One file: prints its table, or appends to the list. 0, or the exit status after a message. */
int sf_compare_reclaim(struct sf_compare *c, const struct sf_input *in, const struct sf_prog *prog);
int sf_compare_large(struct sf_compare *c, const struct sf_input *in, const struct sf_prog *prog);
/*
 * A recording of malloc(): peak, fragmentation, time. is_heap() is false, too, of what cannot be
 * opened.
 */
bool sf_compare_is_heap(const struct sf_input *in);
int sf_compare_heap(struct sf_compare *c, const struct sf_input *in);
/* --sealed: `trials` writes for each figure, drawn from `seed`. */
int sf_compare_sealed(struct sf_compare *c, uint64_t trials, uint64_t seed);
/* --attacks for allocators of any sort: what is asked of them. */
struct sf_promise_plan {
	bool asked;               /* --promises: of models, too */
	const char *claims;       /* a file, or NULL */
	uint32_t trials, starts;  /* starts 0: 64, or as many as trials */
	uint16_t bytes;
	uint64_t seed;
};
/* Otherwise the table is that of models. */
bool sf_promises_due(const struct sf_compare *c, const struct sf_promise_plan *plan);
/* 0, SF_EXIT_WRONG (a claim is not shown), or what to exit with after a message. */
int sf_compare_promises(struct sf_compare *c, struct sf_promise_plan *plan, const char *layout,
			const struct sf_prog *prog);
/* What comes of --set, and `each` if it is not NULL on top. To be freed. */
struct sf_overrides sf_compare_overrides(const struct sf_compare *c,
					 const struct sf_override *each);
json_t *sf_compare_settings(const struct sf_overrides *set);

#endif
