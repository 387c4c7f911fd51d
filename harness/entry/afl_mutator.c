// SPDX-License-Identifier: MIT
/*
 * afl_mutator.c - the same mutator as a shared object for AFL++ (AFL_CUSTOM_MUTATOR_LIBRARY), with
 * a trim that takes out whole records. Relies on mutate.c and on AFL++'s afl_custom_* interface;
 * does not look into afl-fuzz's own state, so that it need not be rebuilt with it.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../generate/mutate.h"

enum {
	FIRST_CHUNK = 64, /* records taken out at once, then a quarter of that, down to one */
	TRIM_STEPS_MAX = 256,
	HEADER = sizeof(SF_BYTES_MAGIC) - 1,
};

struct mutator {
	struct sf_rng rng;
	uint64_t caps;  /* of what is fuzzed: SLABFUZZ_CAPS, as a number */
	uint8_t *out;   /* the mutation */
	size_t out_cap;
	uint8_t *base;  /* what is being trimmed */
	size_t base_size, base_cap;
	uint8_t *trial; /* base without a chunk of records */
	size_t trial_cap, trial_size;
	size_t chunk, at; /* in records */
	int steps;
};

void *afl_custom_init(void *afl, unsigned int seed);
void afl_custom_deinit(struct mutator *m);
size_t afl_custom_fuzz(struct mutator *m, uint8_t *buf, size_t size, uint8_t **out, uint8_t *add,
		       size_t add_size, size_t max_size);
const char *afl_custom_describe(struct mutator *m, size_t max_len);
int afl_custom_init_trim(struct mutator *m, uint8_t *buf, size_t size);
size_t afl_custom_trim(struct mutator *m, uint8_t **out);
int afl_custom_post_trim(struct mutator *m, unsigned char success);

void *afl_custom_init(void *afl, unsigned int seed)
{
	struct mutator *m = calloc(1, sizeof(*m));
	const char *caps = getenv("SLABFUZZ_CAPS");

	(void)afl;
	if (!m)
		return NULL;
	m->caps = caps ? strtoull(caps, NULL, 0) : SF_DRAW_KERNEL;
	sf_rng_seed(&m->rng, seed);
	return m;
}

void afl_custom_deinit(struct mutator *m)
{
	free(m->out);
	free(m->base);
	free(m->trial);
	free(m);
}

static uint8_t *reserve(uint8_t **buf, size_t *cap, size_t size)
{
	if (*cap < size) {
		free(*buf);
		*buf = malloc(size);
		*cap = *buf ? size : 0;
	}
	return *buf;
}

size_t afl_custom_fuzz(struct mutator *m, uint8_t *buf, size_t size, uint8_t **out, uint8_t *add,
		       size_t add_size, size_t max_size)
{
	size_t keep = size < max_size ? size : max_size;

	*out = reserve(&m->out, &m->out_cap, max_size);
	if (!*out)
		return 0; /* skips this one */
	memcpy(*out, buf, keep);
	if (sf_rng_below(&m->rng, 4))
		add = NULL; /* material for a splice comes with every call: mostly too much */
	return sf_mutate_bytes(*out, keep, max_size, add, add ? add_size : 0,
			       m->caps, sf_rng_next(&m->rng));
}

const char *afl_custom_describe(struct mutator *m, size_t max_len)
{
	(void)m;
	(void)max_len;
	return "slabfuzz";
}

static size_t records(const struct mutator *m)
{
	if (m->base_size <= HEADER)
		return 0;
	return (m->base_size - HEADER + SF_RECORD_SIZE - 1) / SF_RECORD_SIZE;
}

/*
 * Goes to the next place where a chunk can be taken out. Returns the step, or the last: all were
 * tried.
 */
static int next_step(struct mutator *m)
{
	while (m->chunk && m->at >= records(m)) {
		m->chunk /= 4;
		m->at = 0;
	}
	return m->chunk && m->steps < TRIM_STEPS_MAX ? m->steps : TRIM_STEPS_MAX;
}

int afl_custom_init_trim(struct mutator *m, uint8_t *buf, size_t size)
{
	if (!reserve(&m->base, &m->base_cap, size) || !reserve(&m->trial, &m->trial_cap, size))
		return 0;
	memcpy(m->base, buf, size);
	m->base_size = size;
	m->chunk = FIRST_CHUNK;
	while (m->chunk > 1 && m->chunk >= records(m))
		m->chunk /= 4;
	m->at = 0;
	m->steps = 0;
	return records(m) > 1 ? TRIM_STEPS_MAX : 0;
}

size_t afl_custom_trim(struct mutator *m, uint8_t **out)
{
	size_t from = HEADER + m->at * SF_RECORD_SIZE, to = from + m->chunk * SF_RECORD_SIZE;

	if (to > m->base_size)
		to = m->base_size;
	memcpy(m->trial, m->base, from);
	memcpy(m->trial + from, m->base + to, m->base_size - to);
	m->trial_size = m->base_size - (to - from);
	*out = m->trial;
	return m->trial_size;
}

int afl_custom_post_trim(struct mutator *m, unsigned char success)
{
	if (success) {
		memcpy(m->base, m->trial, m->trial_size);
		m->base_size = m->trial_size;
	} else {
		m->at += m->chunk;
	}
	m->steps++;
	return next_step(m);
}
