// SPDX-License-Identifier: MIT
/*
 * test_relations.c - relations.h: what each makes of programs, that its map leads to the same
 * operations, and a mistake for each relation that it finds, and no other.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../harness/generate/mutate.h"
#include "../harness/lockstep/lockstep.h"

static void parse(struct sf_prog *p, const char *text)
{
	struct sf_text_error err;

	sf_prog_init(p);
	if (sf_text_parse(p, text, strlen(text), &err))
		fail_msg("line %u: %s", err.line, err.text);
}

static void make(enum sf_relation r, const struct sf_prog *p, const struct sf_allocator *a,
		 struct sf_related *to)
{
	struct sf_error err = { "" };

	if (!sf_relations[r].make(p, a, to, &err))
		fail_msg("%s: %s", sf_relations[r].name, err.text);
}

/* --- maps --- */

static uint32_t put_in(const struct sf_related *r, unsigned int code)
{
	uint32_t nr = 0;

	for (uint32_t i = 0; i < r->prog.nr_ops; i++)
		nr += r->prog.ops[i].code == code;
	return nr;
}

static const char *plain_name(const struct sf_prog *p, const struct sf_op *op)
{
	const char *name = sf_prog_str(p, op->name);

	return name + sf_renamed_prefix(name);
}

/* Each operation has one of its own there, which says the same but for numbers of results. */
static void map_holds(const struct sf_prog *p, const struct sf_related *r)
{
	bool taken[4096] = { false };

	assert_int_equal(r->nr, p->nr_ops);
	assert_true(r->prog.nr_ops < 4096);
	for (uint32_t i = 0; i < r->nr; i++) {
		const struct sf_op *a = &p->ops[i], *b = &r->prog.ops[r->at[i]];

		assert_true(r->at[i] < r->prog.nr_ops);
		assert_false(taken[r->at[i]]);
		taken[r->at[i]] = true;
		assert_int_equal(a->code, b->code);
		assert_int_equal(a->size, b->size);
		assert_int_equal(a->gfp, b->gfp);
		assert_int_equal(a->res == SF_NONE, b->res == SF_NONE);
		assert_string_equal(sf_prog_str(p, a->name), plain_name(&r->prog, b));
	}
}

/* References lead to the operation that gave what they name, there as here. */
static void references_hold(const struct sf_prog *p, const struct sf_related *r)
{
	uint32_t there[4096];

	assert_true(p->nr_res < 4096);
	for (uint32_t i = 0; i < r->nr; i++)
		if (p->ops[i].res != SF_NONE)
			there[p->ops[i].res] = r->prog.ops[r->at[i]].res;
	for (uint32_t i = 0; i < r->nr; i++) {
		const struct sf_op *a = &p->ops[i], *b = &r->prog.ops[r->at[i]];

		assert_int_equal(a->obj == SF_NONE ? SF_NONE : there[a->obj], b->obj);
		assert_int_equal(a->obj2 == SF_NONE ? SF_NONE : there[a->obj2], b->obj2);
		assert_int_equal(a->cache == SF_NONE ? SF_NONE : there[a->cache], b->cache);
	}
}

static void is_valid(struct sf_prog *p)
{
	uint32_t nr = p->nr_ops;

	assert_int_equal(sf_prog_fixup(p), 0);
	assert_int_equal(p->nr_ops, nr);
}

static void test_generated(void **state)
{
	const struct sf_allocator *on[] = { &sf_baseline, &sf_protected,
					    sf_allocator_by_name("reference") };
	uint32_t longer[SF_RELATION_COUNT] = { 0 }, moved[SF_RELATION_COUNT] = { 0 };
	struct sf_related r = { .nr = 0 };
	struct sf_prog p;

	(void)state;
	sf_prog_init(&p);
	for (uint32_t seed = 0; seed < 600; seed++) {
		const struct sf_allocator *a = on[seed % 3];
		struct sf_swarm sw;
		struct sf_rng rng;

		sf_rng_seed(&rng, seed);
		sf_swarm_draw(&sw, a->caps, &rng);
		sf_generate(&p, 100, &sw, &rng);
		sf_prog_fixup(&p);
		for (unsigned int i = 1; i < SF_RELATION_COUNT; i++) {
			make((enum sf_relation)i, &p, a, &r);
			map_holds(&p, &r);
			references_hold(&p, &r);
			is_valid(&r.prog);
			longer[i] += r.prog.nr_ops > p.nr_ops;
			for (uint32_t k = 0; k < p.nr_ops; k++)
				moved[i] += sf_related_moved(&r, k);
		}
	}
	sf_prog_free(&p);
	sf_related_free(&r);
	for (unsigned int i = 1; i < SF_RELATION_COUNT; i++) {
		bool adds = i == SF_RELATION_CHECKS || i == SF_RELATION_FRESH ||
			    i == SF_RELATION_FAILING;

		assert_int_equal(longer[i] > 100, adds);
		assert_int_equal(moved[i] > 100, i == SF_RELATION_EXCHANGED);
	}
}

static void test_put_in(void **state)
{
	struct sf_related r = { .nr = 0 };
	struct sf_prog p;

	(void)state;
	parse(&p, "r0 = kmalloc(64, GFP_KERNEL)\n"
		  "kfree(r0)\n"
		  "fail(slab, after=1)\n"
		  "r1 = kmalloc(64, GFP_KERNEL)\n");
	make(SF_RELATION_CHECKS, &p, &sf_baseline, &r);
	assert_int_equal(put_in(&r, SF_OP_CHECK), 4);
	/* Once requests are counted, none is added. */
	make(SF_RELATION_FAILING, &p, &sf_baseline, &r);
	assert_int_equal(put_in(&r, SF_OP_KREALLOC), 1);
	assert_int_equal(r.prog.nr_ops, 6);
	assert_int_equal(r.at[1], 2);
	make(SF_RELATION_FRESH, &p, &sf_baseline, &r);
	assert_int_equal(put_in(&r, SF_OP_CACHE_ALLOC), 2);
	assert_int_equal(put_in(&r, SF_OP_CACHE_FREE), 2);
	assert_int_equal(put_in(&r, SF_OP_CACHE_DESTROY), 2);
	assert_true(r.at[3] < r.prog.nr_ops - 2);
	sf_prog_free(&p);
	sf_related_free(&r);
}

/* Who ends the process for what it cannot give is not asked for it. */
static void test_refusals(void **state)
{
	struct sf_allocator a = *sf_allocator_by_name("reference");
	struct sf_traits traits = *sf_traits_of(&a);
	struct sf_related r = { .nr = 0 };
	struct sf_prog p;

	(void)state;
	parse(&p, "r0 = malloc(64)\nfree(r0)\nr1 = calloc(3, 64)\nfree(r1)\n");
	make(SF_RELATION_FAILING, &p, &a, &r);
	assert_int_equal(r.prog.nr_ops, 8);
	traits.abort_overflow = 1;
	a.traits = &traits;
	make(SF_RELATION_FAILING, &p, &a, &r);
	assert_int_equal(r.prog.nr_ops, 6);
	traits.abort_exhaustion = 1;
	make(SF_RELATION_FAILING, &p, &a, &r);
	assert_int_equal(r.prog.nr_ops, 4);
	sf_prog_free(&p);
	sf_related_free(&r);
}

static uint32_t exchanged(const char *text)
{
	struct sf_related r = { .nr = 0 };
	uint32_t nr = 0;
	struct sf_prog p;

	parse(&p, text);
	make(SF_RELATION_EXCHANGED, &p, &sf_baseline, &r);
	for (uint32_t i = 0; i < p.nr_ops; i++)
		nr += sf_related_moved(&r, i);
	sf_prog_free(&p);
	sf_related_free(&r);
	return nr;
}

static void test_exchanged(void **state)
{
	(void)state;
	assert_int_equal(exchanged("r0 = kmalloc(64, GFP_KERNEL)\n"
				   "r1 = kmalloc(96, GFP_KERNEL)\n"), 2);
	assert_int_equal(exchanged("r0 = kmalloc(64, GFP_KERNEL)\nkfree(r0)\n"), 0);
	/* Too large ones are complained about once. */
	assert_int_equal(exchanged("r0 = kmalloc(64, GFP_KERNEL)\n"
				   "r1 = kmalloc(SIZE_MAX, GFP_KERNEL)\n"), 0);
	/* The same cache; another one. */
	assert_int_equal(exchanged("c0 = kmem_cache_create(\"one\", 96, 0, 0)\n"
				   "r0 = kmem_cache_alloc(c0, GFP_KERNEL)\n"
				   "r1 = kmem_cache_alloc(c0, GFP_KERNEL)\n"), 0);
	assert_int_equal(exchanged("c0 = kmem_cache_create(\"one\", 96, 0, 0)\n"
				   "c1 = kmem_cache_create(\"two\", 96, 0, 0)\n"
				   "r0 = kmem_cache_alloc(c0, GFP_KERNEL)\n"
				   "r1 = kmem_cache_alloc(c1, GFP_KERNEL)\n"), 2);
	/* One object, under two names. */
	assert_int_equal(exchanged("r0 = kmalloc(64, GFP_KERNEL)\n"
				   "r1 = krealloc(r0, 60, GFP_KERNEL)\n"
				   "write(r0)\n"
				   "kfree(r1)\n"), 0);
	/* The second request fails, whoever makes it. */
	assert_int_equal(exchanged("fail(slab, after=1)\n"
				   "r0 = kmalloc(64, GFP_KERNEL)\n"
				   "r1 = kmalloc(96, GFP_KERNEL)\n"), 0);
	/* One goes with the other. */
	assert_int_equal(exchanged("r0 = kmalloc(64, GFP_KERNEL)\n"
				   "r1 = kmalloc(96, GFP_KERNEL)\n"
				   "owns(r0, r1)\n"), 0);
}

/* Encodings that lose something are no relation between programs, but an error. */
static void test_encodings(void **state)
{
	struct sf_related r = { .nr = 0 };
	struct sf_error err = { "" };
	struct sf_prog p;

	(void)state;
	parse(&p, "r0 = kmalloc(64, GFP_KERNEL)\nkfree(r0)\n");
	assert_true(sf_relations[SF_RELATION_BYTES].make(&p, &sf_baseline, &r, &err));
	assert_true(sf_prog_equal(&p, &r.prog));
	p.ops[0].res = 7;
	assert_false(sf_relations[SF_RELATION_BYTES].make(&p, &sf_baseline, &r, &err));
	assert_string_equal(err.text, "another program came back from bytes");
	sf_prog_free(&p);
	sf_related_free(&r);
}

/* --- a mistake for each --- */

/*
 * Baseline, which refuses what it should not: of each heap, so that members do not see each
 * other's.
 */
static struct {
	enum sf_relation what;
	struct flaw {
		struct sf_heap *heap;
		uint32_t resets, frees;
		bool upset; /* the next allocation is refused */
	} of[SF_RELATION_COUNT];
} flawed;

static struct flaw *flaw_of(struct sf_heap *h)
{
	struct flaw *f = flawed.of;

	while (f->heap && f->heap != h)
		f++;
	f->heap = h;
	return f;
}

static void upset(struct sf_heap *h, enum sf_relation what)
{
	if (flawed.what == what)
		flaw_of(h)->upset = true;
}

static void flawed_reset(struct sf_heap *h)
{
	sf_baseline.reset(h);
	flaw_of(h)->upset = false;
	flaw_of(h)->frees = 0;
	if (flaw_of(h)->resets++)
		upset(h, SF_RELATION_AGAIN);
}

static void flawed_walk(struct sf_heap *h, struct sf_sink *sink, bool touched, bool final)
{
	sf_baseline.walk(h, sink, touched, final);
	upset(h, SF_RELATION_CHECKS);
}

static void flawed_cache_free(struct sf_heap *h, uint32_t cache, uint64_t addr,
			      struct sf_result *rs)
{
	sf_baseline.cache_free(h, cache, addr, rs);
	upset(h, SF_RELATION_FRESH);
}

static void flawed_alloc(struct sf_heap *h, const struct sf_request *rq, struct sf_result *rs)
{
	struct flaw *f = flaw_of(h);
	bool refused = f->upset && rq->size <= 96;

	if (refused)
		f->upset = false;
	if (refused)
		*rs = (struct sf_result){ .status = SF_NULL };
	else
		sf_baseline.alloc(h, rq, rs);
	if (!refused && rs->status == SF_NULL)
		upset(h, SF_RELATION_FAILING);
	/* The next one, whatever it asks for. */
	if (rq->size == 64)
		upset(h, SF_RELATION_EXCHANGED);
}

/* What its user wrote there is none of its business. */
static void flawed_free(struct sf_heap *h, uint64_t addr, enum sf_free_how how,
			struct sf_result *rs)
{
	uint64_t word = 0;

	sf_baseline.peek(h, addr, &word, sizeof(word));
	if (!flaw_of(h)->frees++ && word != sf_pattern(0xd6e8feb86659fd93ull, 0))
		upset(h, SF_RELATION_RENAMED);
	sf_baseline.free(h, addr, how, rs);
}

static struct sf_allocator with_flaw(enum sf_relation what)
{
	struct sf_allocator a = sf_baseline;

	memset(&flawed, 0, sizeof(flawed));
	flawed.what = what;
	a.reset = flawed_reset;
	a.walk = flawed_walk;
	a.cache_free = flawed_cache_free;
	a.alloc = flawed_alloc;
	a.free = flawed_free;
	return a;
}

static struct {
	uint32_t nr[SF_RELATION_COUNT]; /* that are no consequences */
	char title[SF_RELATION_COUNT][160];
} found;

/* Member i is under relation i. */
static void on_diverged(void *ctx, const struct sf_divergence *d)
{
	(void)ctx;
	if (!d->consequence && !found.nr[d->b]++)
		snprintf(found.title[d->b], sizeof(found.title[0]), "%s", d->title);
}

static const char flawless[] =
	"r0 = kmalloc(96, GFP_KERNEL)\n"
	"r1 = kmalloc(64, GFP_KERNEL)\n"
	"kfree(r0)\n"
	"kfree(r1)\n"
	"r2 = kmalloc(32, GFP_KERNEL)\n";

/* Under all relations at once. Returns what was compared. */
static uint64_t run(const struct sf_allocator *a, const char *text)
{
	const struct sf_lockstep_options opt = {
		.exec = { .end = SF_END_TEARDOWN, .contents = true }, .diverged = on_diverged,
	};
	struct sf_member member[SF_RELATION_COUNT];
	const struct sf_members on = { .m = member, .nr = SF_RELATION_COUNT };
	struct sf_settings set[SF_MEMBERS_MAX];
	uint64_t compared, skipped;
	struct sf_lockstep *l;
	struct sf_error err;
	struct sf_prog p;

	for (unsigned int i = 0; i < SF_RELATION_COUNT; i++)
		member[i] = (struct sf_member){ .allocator = a, .label = "toy",
						.relation = (enum sf_relation)i };
	memset(&found, 0, sizeof(found));
	parse(&p, text);
	l = sf_lockstep_create(&on, &opt, &err);
	assert_non_null(l);
	assert_true(sf_lockstep_settings(l, &p.settings, NULL, set, &err));
	assert_int_equal(sf_lockstep_run(l, &p, "toy", set, &err), p.nr_ops);
	sf_lockstep_totals(l, &compared, &skipped);
	sf_lockstep_destroy(l);
	sf_prog_free(&p);
	return compared;
}

static void test_alike(void **state)
{
	(void)state;
	assert_true(run(&sf_baseline, flawless) > 100);
	for (unsigned int i = 1; i < SF_RELATION_COUNT; i++)
		assert_int_equal(found.nr[i], 0);
}

/* A mistake is found under its relation, and under no other. */
static void test_flaws(void **state)
{
	(void)state;
	for (unsigned int what = 1; what < SF_RELATION_COUNT; what++) {
		struct sf_allocator a = with_flaw((enum sf_relation)what);
		char want[80];

		/* That one is the harness's to get wrong: test_encodings(). */
		if (what == SF_RELATION_BYTES)
			continue;
		snprintf(want, sizeof(want), "relation %s: result: ok, NULL after kmalloc",
			 sf_relations[what].name);
		run(&a, flawless);
		for (unsigned int i = 1; i < SF_RELATION_COUNT; i++)
			if (!found.nr[i] != (i != what))
				fail_msg("%s: %s: %u, '%s'", sf_relations[what].name,
					 sf_relations[i].name, found.nr[i], found.title[i]);
		assert_string_equal(found.title[what], want);
	}
}

/* The first member runs the program itself; the others are that allocator. */
static void test_members(void **state)
{
	struct sf_members m = { .nr = 0 };
	const struct sf_lockstep_options opt = { .exec = { .end = SF_END_WALK } };
	struct sf_error err = { "" };

	(void)state;
	assert_false(sf_members_read(&m, "baseline@relation=nosuch", &err));
	assert_string_equal(err.text, "no relation 'nosuch' (see slabfuzz list relations)");
	assert_true(sf_members_read(&m, "typed@relation=checks", &err));
	assert_true(sf_members_read(&m, "baseline@relation=checks@init_on_free=1", &err));
	assert_int_equal(m.m[1].relation, SF_RELATION_CHECKS);
	assert_null(sf_lockstep_create(&m, &opt, &err));
	assert_string_equal(err.text,
			    "relation=: the first member is that allocator, without a relation");
	sf_members_free(&m);
	assert_true(sf_members_read(&m, "baseline", &err));
	assert_true(sf_members_read(&m, "typed@relation=checks", &err));
	assert_null(sf_lockstep_create(&m, &opt, &err));
	sf_members_free(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_generated),
		cmocka_unit_test(test_put_in),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_exchanged),
		cmocka_unit_test(test_encodings),
		cmocka_unit_test(test_alike),
		cmocka_unit_test(test_flaws),
		cmocka_unit_test(test_members),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
