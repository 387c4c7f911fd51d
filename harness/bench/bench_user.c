// SPDX-License-Identifier: MIT
/*
 * bench_user.c - what it costs to judge a malloc library: the same calls of the C library's
 * malloc() and free() in a bare loop, and as a program under all rules, without and with contents.
 * Relies on the executor and the judge.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../allocators/base/rng.h"
#include "bench.h"

enum {
	LIVE = 512,  /* objects at once */
	PAIRS = 8192,
};

/* A new object takes the place of the one that was drawn. */
struct calls {
	uint16_t slot[PAIRS];
	uint32_t size[PAIRS];
};

static void draw(struct calls *c)
{
	struct sf_rng r;

	sf_rng_seed(&r, 15);
	for (int i = 0; i < PAIRS; i++) {
		unsigned int bits = 4 + (unsigned int)sf_rng_below(&r, 9);

		c->slot[i] = (uint16_t)sf_rng_below(&r, LIVE);
		c->size[i] = 1 + (uint32_t)sf_rng_below(&r, 1u << bits);
	}
}

/* ns for a call. */
static double run_bare(const struct calls *c, unsigned int times)
{
	static void *volatile live[LIVE];
	uint64_t start = bench_now();

	for (unsigned int t = 0; t < times; t++)
		for (int i = 0; i < PAIRS; i++) {
			free(live[c->slot[i]]);
			live[c->slot[i]] = malloc(c->size[i]);
		}
	return (double)(bench_now() - start) / (2.0 * PAIRS * times);
}

static void as_program(const struct calls *c, struct sf_prog *p)
{
	static int res[LIVE];
	struct sf_text_error where;
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		bench_die("no memory");
	memset(res, -1, sizeof(res));
	for (int i = 0; i < PAIRS; i++) {
		if (res[c->slot[i]] >= 0)
			fprintf(f, "free(r%d)\n", res[c->slot[i]]);
		fprintf(f, "r%d = malloc(%u)\n", i, c->size[i]);
		res[c->slot[i]] = i;
	}
	fclose(f);
	if (sf_text_parse(p, text, len, &where))
		bench_die("bench_user.c: %u: %s", where.line, where.text);
	free(text);
}

static double run_judged(struct sf_exec *x, const struct sf_prog *p, unsigned int times)
{
	uint64_t start = bench_now(), ops = 0;
	struct sf_error err;

	for (unsigned int t = 0; t < times; t++) {
		int64_t n = sf_exec_run(x, p, "bench", &err);

		if (n < 0)
			bench_die("%s", err.text);
		ops += (uint64_t)n;
	}
	return (double)(bench_now() - start) / (double)ops;
}

static struct sf_exec *open_exec(const struct sf_allocator *a, const struct sf_prog *p,
				 struct sf_judge *judge, bool contents)
{
	struct sf_exec_options opt = { .end = SF_END_PLAIN, .contents = contents };
	struct sf_error err = { "" };
	struct sf_exec *x = sf_exec_create(a, &p->settings, &opt, sf_judge_event, judge, &err);

	if (!x)
		bench_die("%s", err.text);
	return x;
}

static void measure(struct bench *b, const struct sf_allocator *a, const struct calls *c,
		    const struct sf_prog *p)
{
	struct series bare = { .nr = 0 }, rules = { .nr = 0 }, all = { .nr = 0 };
	struct series ratio = { .nr = 0 };
	struct sf_judge *judge[2] = { bench_judge(), bench_judge() };
	struct sf_exec *x[2] = { open_exec(a, p, judge[0], false),
				 open_exec(a, p, judge[1], true) };
	unsigned int times = b->quick ? 10 : 50;

	run_bare(c, 1);
	run_judged(x[0], p, 1);
	run_judged(x[1], p, 1);
	for (unsigned int r = 0; r < b->rounds; r++) {
		double n = run_bare(c, times), y = run_judged(x[0], p, times);

		series_add(&bare, n);
		series_add(&rules, y);
		series_add(&all, run_judged(x[1], p, times));
		series_add(&ratio, y / n);
	}
	bench_add(b, BENCH_RATE, "malloc_bare", &bare, 0, "ns");
	bench_add(b, BENCH_RATE, "malloc_judged", &rules, 0, "ns");
	bench_add(b, BENCH_RATE, "malloc_judged_contents", &all, 0, "ns");
	bench_add(b, BENCH_RATIO, "malloc_judged_bare", &ratio, 2.5, "");
	for (int i = 0; i < 2; i++) {
		sf_exec_destroy(x[i]);
		sf_judge_destroy(judge[i]);
	}
}

void bench_user(struct bench *b)
{
	struct sf_error err = { "" };
	const struct sf_allocator *a = sf_allocator_open("malloc:", NULL, &err);
	static struct calls c;
	struct sf_prog p;

	if (!a) {
		bench_skip(b, "malloc_bare: %.120s", err.text);
		return;
	}
	draw(&c);
	sf_prog_init(&p);
	as_program(&c, &p);
	measure(b, a, &c, &p);
	sf_prog_free(&p);
}
