// SPDX-License-Identifier: MIT
/*
 * bench_pools.c - what sealing costs: filling a pool, sealing it, reading, a rare write, a write
 * that faults, opening it again and destroying it; and beside each step the same work on plain
 * mappings, one for each object with a guard page behind it, as vmalloc() of each object would have
 * it.
 *
 * Plain mappings are made here with mmap() and mprotect(); what stands for a rare write is to make
 * the page writable, store, and seal it again. No events are emitted. Relies on the model
 * `protected` and on the system.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "../generate/workload.h"
#include "bench.h"

#define OBJECT 64u
#define RARE_TIMES 64u

static const uint32_t pool_pages[BENCH_POOLS] = { 1, 16, 256 };

const char *const bench_pool_steps[BENCH_POOL_STEPS] = {
	"fill", "seal", "read", "rare write", "faulting write", "open", "destroy",
};

enum { FILL, SEAL, READ, RARE, FAULT, OPEN, DESTROY };

/* CPU time between two calls. */
struct clock {
	uint64_t last;
};

static void begin(struct clock *c)
{
	c->last = bench_now();
}

static double lap(struct clock *c)
{
	uint64_t was = c->last;

	c->last = bench_now();
	return (double)(c->last - was);
}

static uint64_t mappings(void)
{
	FILE *f = fopen("/proc/self/maps", "r");
	uint64_t n = 0;
	int ch;

	while (f && (ch = getc(f)) != EOF)
		n += ch == '\n';
	if (f)
		fclose(f);
	return n;
}

/* --- pools --- */

static void fill_pool(struct sf_heap *h, uint32_t pool, uint64_t *addr, uint32_t n)
{
	struct sf_result rs;

	for (uint32_t i = 0; i < n; i++) {
		sf_protected.pool_alloc(h, pool, 1, OBJECT, &rs);
		if (!rs.addr ||
		    sf_protected.pool_write(h, rs.addr, OBJECT, i, SF_CONTENTS_WHOLE) != SF_OK)
			bench_die("a pool of %u objects cannot be filled", n);
		addr[i] = rs.addr;
	}
}

static void read_pool(struct sf_heap *h, const uint64_t *addr, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (sf_protected.verify(h, addr[i], OBJECT, i, SF_CONTENTS_WHOLE) != SF_GOOD)
			bench_die("object %u of a pool is not as it was written", i);
}

static void rare_writes(struct sf_heap *h, uint32_t pool, const uint64_t *addr, uint32_t n)
{
	for (uint32_t i = 0; i < RARE_TIMES; i++)
		if (sf_protected.rare_write(h, pool, addr[i % n], 0, OBJECT, i % n) != SF_OK)
			bench_die("a rare write was refused");
}

static void faulting_writes(struct sf_heap *h, const uint64_t *addr, uint32_t n)
{
	for (uint32_t i = 0; i < RARE_TIMES; i++)
		if (sf_protected.pool_write(h, addr[i % n], OBJECT, 7, SF_CONTENTS_WHOLE) !=
		    SF_NOTICED)
			bench_die("a write to sealed memory did not fault");
}

static void one_pool(struct sf_heap *h, uint32_t pages, uint64_t *addr, double *ns,
		     struct bench_pool *row)
{
	struct sf_pool_request rq = { .mode = SF_POOL_WR, .refill = pages };
	uint32_t n = pages * SF_PAGE_SIZE / OBJECT, pool;
	uint64_t before = mappings();
	struct clock c;

	begin(&c);
	pool = sf_protected.pool_create(h, &rq);
	if (pool == SF_NONE)
		bench_die("no pool can be made");
	fill_pool(h, pool, addr, n);
	ns[FILL] = lap(&c);
	sf_protected.pool_protect(h, pool);
	ns[SEAL] = lap(&c);
	row->mappings[0] = mappings() - before;
	lap(&c);
	read_pool(h, addr, n);
	ns[READ] = lap(&c);
	rare_writes(h, pool, addr, n);
	ns[RARE] = lap(&c) / RARE_TIMES;
	faulting_writes(h, addr, n);
	ns[FAULT] = lap(&c) / RARE_TIMES;
	sf_protected.pool_unprotect(h, pool);
	ns[OPEN] = lap(&c);
	sf_protected.pool_destroy(h, pool);
	ns[DESTROY] = lap(&c);
	row->used[0] = pages;
}

/* --- plain mappings --- */

static sigjmp_buf back;

/* A signal handler has no other way to know where to go on. */
static void on_fault(int sig)
{
	(void)sig;
	siglongjmp(back, 1);
}

static void plain_fault(uint64_t *word)
{
	struct sigaction now = { .sa_handler = on_fault, .sa_flags = SA_NODEFER }, was;

	sigaction(SIGSEGV, &now, &was);
	if (!sigsetjmp(back, 0)) {
		*(volatile uint64_t *)word = 7;
		bench_die("a write to a sealed mapping did not fault");
	}
	sigaction(SIGSEGV, &was, NULL);
}

static void must(int failed)
{
	if (failed)
		bench_die("this system does not allow so many mappings");
}

static void fill_plain(uint64_t **at, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		void *p = mmap(NULL, 2 * SF_PAGE_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			       0);

		must(p == MAP_FAILED);
		must(mprotect(p, SF_PAGE_SIZE, PROT_READ | PROT_WRITE));
		at[i] = p;
		for (uint32_t k = 0; k < OBJECT / 8; k++)
			at[i][k] = i + k;
	}
}

static void protect_plain(uint64_t **at, uint32_t n, int prot)
{
	for (uint32_t i = 0; i < n; i++)
		must(mprotect(at[i], SF_PAGE_SIZE, prot));
}

static void read_plain(uint64_t **at, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		for (uint32_t k = 0; k < OBJECT / 8; k++)
			if (((volatile uint64_t *)at[i])[k] != i + k)
				bench_die("object %u is not as it was written", i);
}

static void rewrite_plain(uint64_t **at, uint32_t n)
{
	for (uint32_t i = 0; i < RARE_TIMES; i++) {
		uint64_t *o = at[i % n];

		must(mprotect(o, SF_PAGE_SIZE, PROT_READ | PROT_WRITE));
		for (uint32_t k = 0; k < OBJECT / 8; k++)
			o[k] = i % n + k;
		must(mprotect(o, SF_PAGE_SIZE, PROT_READ));
	}
}

static void one_plain(uint32_t pages, uint64_t **at, double *ns, struct bench_pool *row)
{
	uint32_t n = pages * SF_PAGE_SIZE / OBJECT;
	uint64_t before = mappings();
	struct clock c;

	begin(&c);
	fill_plain(at, n);
	ns[FILL] = lap(&c);
	protect_plain(at, n, PROT_READ);
	ns[SEAL] = lap(&c);
	row->mappings[1] = mappings() - before;
	lap(&c);
	read_plain(at, n);
	ns[READ] = lap(&c);
	rewrite_plain(at, n);
	ns[RARE] = lap(&c) / RARE_TIMES;
	for (uint32_t i = 0; i < RARE_TIMES; i++)
		plain_fault(at[i % n]);
	ns[FAULT] = lap(&c) / RARE_TIMES;
	protect_plain(at, n, PROT_READ | PROT_WRITE);
	ns[OPEN] = lap(&c);
	for (uint32_t i = 0; i < n; i++)
		munmap(at[i], 2 * SF_PAGE_SIZE);
	ns[DESTROY] = lap(&c);
	row->used[1] = n;
}

/* --- both --- */

static void bench_pool_row(const struct bench *b, struct sf_heap *h, struct bench_pool *row,
			   uint64_t *addr, uint64_t **at)
{
	unsigned int times = b->quick ? 3 : row->pages < 256 ? 51 : 11;
	double *ns = sf_zalloc((size_t)times * 2 * BENCH_POOL_STEPS, sizeof(*ns));
	double *v = sf_zalloc(times, sizeof(*v));

	for (unsigned int t = 0; t < times; t++) {
		one_pool(h, row->pages, addr, ns + (2 * t) * BENCH_POOL_STEPS, row);
		one_plain(row->pages, at, ns + (2 * t + 1) * BENCH_POOL_STEPS, row);
	}
	for (int side = 0; side < 2; side++)
		for (int s = 0; s < BENCH_POOL_STEPS; s++) {
			for (unsigned int t = 0; t < times; t++)
				v[t] = ns[(2 * t + (unsigned int)side) * BENCH_POOL_STEPS + s];
			row->ns[side][s] = median_of(v, times);
		}
	free(v);
	free(ns);
}

/* Reading costs what it cost before it was sealed: the same objects, sealed and open. */
static void bench_lookup(struct bench *b, struct sf_heap *h, uint64_t *addr)
{
	struct sf_pool_request rq = { .mode = SF_POOL_WR, .refill = 16 };
	uint32_t n = 16 * SF_PAGE_SIZE / OBJECT, pool = sf_protected.pool_create(h, &rq);
	struct series ratio = { .nr = 0 };
	struct clock c;

	begin(&c);
	fill_pool(h, pool, addr, n);
	for (unsigned int r = 0; r < b->rounds; r++) {
		double open = 0, sealed = 0;

		for (int i = 0; i < (b->quick ? 20 : 200); i++) {
			lap(&c);
			read_pool(h, addr, n);
			open += lap(&c);
			sf_protected.pool_protect(h, pool);
			read_pool(h, addr, n); /* page tables are filled again */
			lap(&c);
			read_pool(h, addr, n);
			sealed += lap(&c);
			sf_protected.pool_unprotect(h, pool);
			read_pool(h, addr, n);
		}
		series_add(&ratio, sealed / open);
	}
	bench_add(b, BENCH_RATIO, "pool_read_sealed_open", &ratio, 1.10, "");
	sf_protected.pool_destroy(h, pool);
}

/* A policy: loaded, sealed, looked up, its booleans set by rare writes, looked up again. */
static void bench_policy(struct bench *b)
{
	struct sf_workload_options opt;
	struct series each = { .nr = 0 };
	struct sf_prog p;

	sf_workload_defaults(&opt);
	opt.reloads = 1;
	sf_prog_init(&p);
	sf_workload_by_name("policydb")->make(&p, &opt);
	for (unsigned int r = 0; r < b->rounds; r++)
		series_add(&each, bench_run_program(b, &sf_protected, &p, NULL) * p.nr_ops / 1000);
	bench_add(b, BENCH_RATE, "policy_of_1000_rules", &each, 0, "us/policy");
	sf_prog_free(&p);
}

void bench_pools(struct bench *b)
{
	uint32_t most = pool_pages[BENCH_POOLS - 1] * SF_PAGE_SIZE / OBJECT;
	uint64_t *addr = sf_zalloc(most, sizeof(*addr)), **at = sf_zalloc(most, sizeof(*at));
	struct sf_settings set;
	struct sf_error err;
	struct sf_heap *h;

	sf_settings_init(&set);
	h = sf_protected.create(&sf_protected, &set, NULL, &err);
	if (!h)
		bench_die("%s", err.text);
	if (!(sf_protected.caps & SF_CAP_POOLS)) {
		bench_skip(b, "pools: %s has none", sf_protected.name);
	} else {
		for (int i = 0; i < BENCH_POOLS; i++) {
			b->pool[i].pages = pool_pages[i];
			b->pool[i].objects = pool_pages[i] * SF_PAGE_SIZE / OBJECT;
			b->pool[i].bytes = (uint64_t)b->pool[i].objects * OBJECT;
			bench_pool_row(b, h, &b->pool[i], addr, at);
		}
		bench_lookup(b, h, addr);
		bench_policy(b);
		bench_workload_rates(b, &sf_protected, "policydb");
	}
	sf_protected.destroy(h);
	free(addr);
	free(at);
}
