// SPDX-License-Identifier: MIT
/*
 * test_misuse.c - misuse and its reach: for each mistake a heap in which it is known what it must
 * reach, on the models; and that whatever was done to a heap, it goes on, ends, and is forgotten.
 *
 * Relies on the executor, the models, and for the last part on the judge. Where objects lie is read
 * from events, not assumed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../harness/exec/exec.h"
#include "../harness/generate/mutate.h"
#include "../harness/program/types.h"
#include "../oracles/oracle.h"
#include "each_allocator.h"
#include "example_allocator.c"

enum {
	OBJECTS = 2048,
	REACHED = 512,
};

#define R(what) (1u << SF_REACH_##what)

/* One heap, driven by hand. */
struct bench {
	struct sf_exec *x;
	struct sf_ev_alloc obj[OBJECTS]; /* by result number */
	uint32_t next;
	/* of the last misuse */
	struct sf_ev_reach reach[REACHED];
	uint32_t nr_reach;
	struct sf_ev_attack attack;
	uint32_t attacks, taints, skips[SF_SKIP_REASONS];
};

static void on_event(void *ctx, const struct sf_event *ev)
{
	struct bench *b = ctx;

	switch (ev->type) {
	case SF_EV_ALLOC:
	case SF_EV_REALLOC:
		if (ev->alloc.res < OBJECTS)
			b->obj[ev->alloc.res] = ev->alloc;
		break;
	case SF_EV_TAINT:
		b->taints++;
		break;
	case SF_EV_REACH:
		assert_int_equal(b->taints, 1);
		if (b->nr_reach < REACHED)
			b->reach[b->nr_reach] = ev->reach;
		b->nr_reach++;
		break;
	case SF_EV_ATTACK:
		b->attack = ev->attack;
		b->attacks++;
		break;
	case SF_EV_SKIP:
		b->skips[ev->skip.reason]++;
	}
}

static struct sf_settings settings_of(const char *text)
{
	struct sf_settings set;
	struct sf_text_error where;
	struct sf_prog p;

	sf_prog_init(&p);
	if (sf_text_parse(&p, text, strlen(text), &where))
		fail_msg("%u:%u: %s", where.line, where.col, where.text);
	set = p.settings;
	sf_prog_free(&p);
	return set;
}

static struct bench *set_up(const char *allocator, const char *heap)
{
	static const struct sf_exec_options how = { .end = SF_END_TEARDOWN, .contents = true };
	static struct bench b;
	struct sf_settings set = settings_of(heap);
	struct sf_error err;

	memset(&b, 0, sizeof(b));
	b.x = sf_exec_create(sf_allocator_by_name(allocator), &set, &how, on_event, &b, &err);
	if (!b.x)
		fail_msg("%s", err.text);
	sf_exec_begin(b.x, "misuse");
	return &b;
}

/* Whatever was done, the run ends, and everything that was alive was given back or refused. */
static void tear_down(struct bench *b)
{
	sf_exec_end(b->x);
	sf_exec_destroy(b->x);
}

static void step(struct bench *b, const struct sf_op *op)
{
	assert_true(sf_exec_step(b->x, op, "\0name\0other"));
}

static uint32_t new_of(struct bench *b, enum sf_opcode code, uint64_t size, const char *type,
		       uint16_t site)
{
	struct sf_op op = sf_op_make(code);

	op.size = size;
	op.gfp = SF_GFP_KERNEL;
	op.type = type ? (uint16_t)sf_type_index(sf_type_by_name(type, strlen(type))) : 0;
	op.site = site;
	op.res = b->next++;
	assert_true(op.res < OBJECTS);
	step(b, &op);
	return op.res;
}

static uint32_t new(struct bench *b, uint64_t size, const char *type)
{
	return new_of(b, SF_OP_KMALLOC, size, type, 1);
}

static uint32_t new_cache(struct bench *b, const char *name, uint64_t size, uint32_t flags)
{
	struct sf_op op = sf_op_make(SF_OP_CACHE_CREATE);

	op.name = strcmp(name, "name") ? 6 : 1;
	op.size = size;
	op.flags = flags;
	op.res = b->next++;
	step(b, &op);
	return op.res;
}

static uint32_t new_from(struct bench *b, uint32_t cache)
{
	struct sf_op op = sf_op_make(SF_OP_CACHE_ALLOC);

	op.cache = cache;
	op.gfp = SF_GFP_KERNEL;
	op.res = b->next++;
	step(b, &op);
	return op.res;
}

static uint32_t new_pages(struct bench *b, unsigned int order)
{
	struct sf_op op = sf_op_make(SF_OP_ALLOC_PAGES);

	op.order = (uint8_t)order;
	op.gfp = SF_GFP_KERNEL;
	op.res = b->next++;
	step(b, &op);
	return op.res;
}

static void with(struct bench *b, enum sf_opcode code, uint32_t obj)
{
	struct sf_op op = sf_op_make(code);

	op.obj = obj;
	step(b, &op);
}

static void free_of(struct bench *b, uint32_t res)
{
	with(b, SF_OP_KFREE, res);
}

/* Carries a misuse out; returns what it reached. */
static uint32_t misuse(struct bench *b, enum sf_opcode code, uint32_t obj, uint16_t n)
{
	struct sf_op op = sf_op_make(code);
	uint32_t before = b->attacks;

	op.obj = obj;
	op.count = n;
	b->nr_reach = 0;
	step(b, &op);
	assert_int_equal(b->attacks, before + 1);
	assert_int_equal(b->attack.code, code);
	assert_int_equal(b->attack.res, obj);
	return b->attack.reached;
}

static void refuse(struct bench *b, enum sf_opcode code, uint32_t obj, enum sf_skip_reason why)
{
	struct sf_op op = sf_op_make(code);
	uint32_t attacks = b->attacks, skips = b->skips[why];

	op.obj = obj;
	op.count = 8;
	step(b, &op);
	assert_int_equal(b->attacks, attacks);
	assert_int_equal(b->skips[why], skips + 1);
}

static const struct sf_ev_reach *reached(const struct bench *b, enum sf_reach what, uint32_t res)
{
	for (uint32_t i = 0; i < b->nr_reach && i < REACHED; i++)
		if (b->reach[i].what == what && b->reach[i].res == res)
			return &b->reach[i];
	return NULL;
}

static uint64_t addr_of(const struct bench *b, uint32_t res)
{
	return b->obj[res].addr;
}

/* The newest object that begins `distance` bytes behind the beginning of this one, or SF_NONE. */
static uint32_t behind(const struct bench *b, uint32_t res, uint64_t distance)
{
	for (uint32_t i = b->next; i--;)
		if (addr_of(b, i) == addr_of(b, res) + distance)
			return i;
	return SF_NONE;
}

/* Of some new objects, one that has another of them right behind it in its slab. */
static uint32_t pair(struct bench *b, uint64_t size, const char *type, uint32_t *second)
{
	uint32_t first = b->next;

	for (int i = 0; i < 8; i++)
		new(b, size, type);
	for (uint32_t i = first; i < b->next; i++) {
		*second = behind(b, i, b->obj[i].place.stride);
		if (*second != SF_NONE)
			return i;
	}
	fail_msg("no neighbours");
	return SF_NONE;
}

/* Models whose kmalloc() is of slabs: what these tests place, and run over. */
#define MODELS (SF_CAP_MISUSE | SF_CAP_KMALLOC)

/* --- writes --- */

static void test_overflow_reaches_its_neighbour(void **state)
{
	(void)state;
	FOR_EACH_ALLOCATOR(of, MODELS) {
		struct bench *b = set_up(of->name, "heap misuse=1");
		uint32_t second, first = pair(b, 64, "u8", &second);
		const struct sf_ev_reach *r;

		assert_int_equal(misuse(b, SF_OP_OVERFLOW, first, 16), R(SAME_TYPE));
		assert_int_equal(b->nr_reach, 1);
		r = reached(b, SF_REACH_SAME_TYPE, second);
		assert_non_null(r);
		assert_int_equal(r->addr, addr_of(b, second));
		assert_int_equal(r->size, 16);
		assert_int_equal(r->id, b->obj[second].id);
		assert_int_equal(r->cache, b->obj[second].place.cache);
		assert_int_equal(r->partition, b->obj[second].place.partition);
		assert_int_equal(b->attack.addr, addr_of(b, first) + 64);
		assert_int_equal(b->attack.size, 16);
		assert_int_equal(b->attack.cache, b->obj[first].place.cache);
		assert_int_equal(b->attack.partition, b->obj[first].place.partition);
		assert_false(b->attack.noticed);
		/* The other way round, and over all of it. */
		assert_int_equal(misuse(b, SF_OP_UNDERFLOW, second, 8), R(SAME_TYPE));
		r = reached(b, SF_REACH_SAME_TYPE, first);
		assert_true(r && r->addr == addr_of(b, first) + 56 && r->size == 8);
		assert_int_equal(b->attack.addr, addr_of(b, first) + 56);
		assert_int_equal(b->taints, 1);
		tear_down(b);
	}
}

/* What is behind an object in its slot is no object's. */
static void test_slack(void **state)
{
	struct bench *b = set_up("baseline", "heap misuse=1");
	uint32_t second, first = pair(b, 50, "u8", &second);

	(void)state;
	assert_int_equal(misuse(b, SF_OP_OVERFLOW, first, 14), R(SLACK));
	assert_int_equal(b->reach[0].addr, addr_of(b, first) + 50);
	assert_int_equal(b->reach[0].size, 14);
	assert_int_equal(b->reach[0].id, SF_NONE);
	assert_int_equal(misuse(b, SF_OP_OVERFLOW, first, 15), R(SLACK) | R(SAME_TYPE));
	assert_int_equal(reached(b, SF_REACH_SAME_TYPE, second)->size, 1);
	tear_down(b);
}

/*
 * Every plain buffer that is not the last of its slab overflows. Where pointers live elsewhere it
 * never reaches one; in the baseline there is one it must reach.
 */
static uint32_t overflow_all(struct bench *b, uint16_t buffer_site, uint16_t object_site)
{
	uint32_t all = 0, nr;

	for (int i = 0; i < 30; i++) {
		new_of(b, SF_OP_KMALLOC, 64, "u8", buffer_site);
		new_of(b, SF_OP_KMALLOC, 64, "struct list_head", object_site);
	}
	nr = b->next;
	for (uint32_t i = 0; i < nr; i += 2)
		if (b->obj[i].place.index + 1 < b->obj[i].place.objects)
			all |= misuse(b, SF_OP_OVERFLOW, i, 8);
	return all;
}

static void test_typed_keeps_pointers_apart(void **state)
{
	struct bench *b = set_up("baseline", "heap misuse=1");
	uint32_t all = overflow_all(b, 1, 1);

	(void)state;
	assert_true(all & R(POINTER));
	assert_true(all & R(SAME_PARTITION));
	assert_false(all & R(OTHER_PARTITION));
	tear_down(b);
	b = set_up("typed", "heap misuse=1");
	all = overflow_all(b, 1, 1);
	assert_true(all & R(SAME_TYPE));
	assert_false(all & (R(POINTER) | R(SAME_PARTITION) | R(OTHER_PARTITION)));
	tear_down(b);
}

static void test_random_keeps_sites_apart(void **state)
{
	uint32_t together = 0, apart = 0;

	(void)state;
	for (uint16_t site = 1; site < 24; site++) {
		struct bench *b = set_up("random", "heap misuse=1 seed=77");
		uint32_t all = overflow_all(b, 500, site);

		if (b->obj[0].place.partition == b->obj[1].place.partition) {
			together++;
			assert_true(all & R(POINTER));
		} else {
			apart++;
			assert_false(all & R(POINTER));
		}
		tear_down(b);
	}
	assert_true(apart && together);
}

/* Without sheaves what is free is on its slab's list: its free pointer is in the middle of it. */
static void test_free_pointer_is_metadata(void **state)
{
	(void)state;
	for (int hardened = 0; hardened < 2; hardened++) {
		struct bench *b = set_up("baseline", hardened ?
					 "heap misuse=1 sheaves=0 freelist_hardened=1" :
					 "heap misuse=1 sheaves=0");
		uint32_t second, first = pair(b, 64, "u8", &second);
		const struct sf_ev_reach *r;

		free_of(b, second);
		assert_int_equal(misuse(b, SF_OP_OVERFLOW, first, 32), R(SLACK));
		assert_int_equal(misuse(b, SF_OP_OVERFLOW, first, 35), R(SLACK) | R(METADATA));
		r = reached(b, SF_REACH_METADATA, SF_NONE);
		assert_int_equal(r->addr, addr_of(b, second) + 32);
		assert_int_equal(r->size, 3);
		assert_int_equal(r->cache, b->obj[second].place.cache);
		assert_int_equal(reached(b, SF_REACH_SLACK, SF_NONE)->size, 32);
		assert_int_equal(misuse(b, SF_OP_STALE_WRITE, second, 64),
				 R(SLACK) | R(METADATA));
		new(b, 64, "u8");
		new(b, 64, "u8");
		tear_down(b);
	}
}

/* The last page that there is. */
static void test_end_of_memory(void **state)
{
	struct bench *b = set_up("baseline", "heap misuse=1 pages=2048 watermarks=0");
	uint64_t end = SF_DIRECT_MAP + 2048 * SF_PAGE_SIZE;
	uint32_t last = SF_NONE;

	(void)state;
	for (int i = 0; i < 2048 && last == SF_NONE; i++) {
		uint32_t res = new_pages(b, 0);

		if (addr_of(b, res) + SF_PAGE_SIZE == end)
			last = res;
		assert_true(addr_of(b, res));
	}
	assert_true(last != SF_NONE);
	assert_int_equal(misuse(b, SF_OP_OVERFLOW, last, 100), R(UNMAPPED));
	assert_int_equal(b->reach[0].addr, end);
	assert_int_equal(b->reach[0].size, 100);
	tear_down(b);
}

static void test_guard_pages(void **state)
{
	struct bench *b = set_up("typed", "heap misuse=1");
	uint32_t area = new_of(b, SF_OP_KVMALLOC, 6u << 20, "u8", 3);

	(void)state;
	assert_int_equal(b->obj[area].place.kind, SF_PLACE_VMALLOC);
	assert_int_equal(misuse(b, SF_OP_OVERFLOW, area, 5000), R(UNMAPPED));
	assert_int_equal(misuse(b, SF_OP_UNDERFLOW, area, 5000), R(UNMAPPED));
	assert_int_equal(b->reach[0].addr, addr_of(b, area) - 5000);
	assert_int_equal(b->reach[0].size, 5000);
	/* Ranges are not used again: a stale handle finds nothing. */
	with(b, SF_OP_KVFREE, area);
	assert_int_equal(misuse(b, SF_OP_STALE_WRITE, area, 100), R(UNMAPPED));
	tear_down(b);
}

/* What was there before: zeroes, where what is freed is wiped. */
static void test_stale_zeroes(void **state)
{
	struct bench *b;
	uint32_t old;

	(void)state;
	FOR_EACH_ALLOCATOR(of, MODELS) {
		for (int wiped = 0; wiped < 2; wiped++) {
			b = set_up(of->name, wiped ? "heap misuse=1 init_on_free=1" :
				   "heap misuse=1");
			old = new(b, 100, "u8");
			free_of(b, old);
			misuse(b, SF_OP_STALE_WRITE, old, 100);
			assert_int_equal(b->attack.size, 100);
			if (wiped)
				assert_true(b->attack.zero >= 92); /* but for a free pointer */
			else
				assert_true(b->attack.zero <= 8);
			tear_down(b);
		}
	}
}

static void test_stale_write(void **state)
{
	struct bench *b;
	uint32_t old, next;

	(void)state;
	FOR_EACH_ALLOCATOR(of, MODELS) {
		b = set_up(of->name, "heap misuse=1");
		old = new(b, 100, "u8");
		free_of(b, old);
		assert_int_equal(misuse(b, SF_OP_STALE_WRITE, old, 500), R(SLACK));
		assert_int_equal(b->attack.size, 100); /* the object ended there */
		next = new(b, 100, "u8");
		assert_int_equal(addr_of(b, next), addr_of(b, old));
		assert_int_equal(misuse(b, SF_OP_STALE_WRITE, old, 4), R(SAME_TYPE));
		assert_int_equal(b->attack.addr, addr_of(b, old));
		assert_non_null(reached(b, SF_REACH_SAME_TYPE, next));
		free_of(b, next);
		next = new(b, 128, "struct cred");
		if (!(of->caps & SF_CAP_TYPED)) {
			assert_int_equal(misuse(b, SF_OP_STALE_WRITE, old, 4),
					 R(SAME_PARTITION) | R(POINTER));
			assert_non_null(reached(b, SF_REACH_POINTER, next));
		} else {
			assert_int_equal(misuse(b, SF_OP_STALE_WRITE, old, 4), R(SLACK));
		}
		tear_down(b);
	}
}

/* Under slab_virtual slabs have other addresses than their frames: a write is seen all the same. */
static void test_aliases(void **state)
{
	struct bench *b = set_up("typed", "heap misuse=1 slab_virtual=1");
	uint32_t page = SF_NONE, victim = OBJECTS;

	(void)state;
	for (int i = 0; i < 200; i++) {
		new_pages(b, 0);
		new(b, 4000, "struct file");
	}
	for (uint32_t i = 0; i < b->next && page == SF_NONE; i++) {
		if (b->obj[i].api != SF_API_PAGES)
			continue;
		for (victim = 0; victim < b->next; victim++)
			if (b->obj[victim].api == SF_API_KMALLOC &&
			    b->obj[victim].place.pfn == b->obj[i].place.pfn + 1)
				break;
		if (victim < b->next)
			page = i;
	}
	assert_true(page < OBJECTS && victim < OBJECTS);
	assert_true(addr_of(b, victim) >= SF_SLAB_WINDOW);
	assert_int_equal(misuse(b, SF_OP_OVERFLOW, page, 8), R(OTHER_PARTITION) | R(POINTER));
	assert_int_equal(reached(b, SF_REACH_POINTER, victim)->addr, addr_of(b, victim));
	assert_int_equal(reached(b, SF_REACH_POINTER, victim)->size, 8);
	tear_down(b);
}

/* --- frees --- */

static void test_double_free(void **state)
{
	struct bench *b;
	uint32_t old, a, c;

	(void)state;
	FOR_EACH_ALLOCATOR(of, MODELS) {
		b = set_up(of->name, "heap misuse=1");
		old = new(b, 100, "u8");
		free_of(b, old);
		/* In its sheaf twice, which is not looked at. */
		assert_int_equal(misuse(b, SF_OP_DOUBLE_FREE, old, 0), R(METADATA));
		assert_false(b->attack.noticed);
		assert_int_equal(b->attack.size, 0);
		assert_int_equal(b->attack.addr, addr_of(b, old));
		a = new(b, 100, "u8");
		c = new(b, 100, "u8");
		assert_int_equal(addr_of(b, a), addr_of(b, c));
		tear_down(b);

		b = set_up(of->name, "heap misuse=1");
		old = new(b, 100, "u8");
		free_of(b, old);
		a = new(b, 100, "u8");
		assert_int_equal(misuse(b, SF_OP_DOUBLE_FREE, old, 0), R(SAME_TYPE));
		assert_non_null(reached(b, SF_REACH_SAME_TYPE, a));
		tear_down(b);
	}
}

/* An object wiped under its owner was reached, whatever became of the free. */
static void test_double_free_wipes(void **state)
{
	struct bench *b = set_up("baseline", "heap misuse=1 init_on_free=1");
	uint32_t old = new(b, 128, "u8"), next;
	const struct sf_ev_reach *r;

	(void)state;
	free_of(b, old);
	next = new(b, 128, "struct cred");
	assert_int_equal(misuse(b, SF_OP_DOUBLE_FREE, old, 0), R(SAME_PARTITION) | R(POINTER));
	r = reached(b, SF_REACH_POINTER, next);
	assert_true(r && r->addr == addr_of(b, next) && r->size > 100);
	tear_down(b);
}

static void test_noticed_double_frees(void **state)
{
	struct bench *b = set_up("baseline", "heap misuse=1 sheaves=0 freelist_hardened=1");
	uint32_t old = new(b, 64, "u8"), other = new(b, 64, "u8");

	(void)state;
	new(b, 64, "u8"); /* so that the slab is not empty */
	free_of(b, old);
	assert_int_equal(misuse(b, SF_OP_DOUBLE_FREE, old, 0), R(NOTHING));
	assert_true(b->attack.noticed);
	/* Not the head any more: it is not seen. */
	free_of(b, other);
	assert_true(misuse(b, SF_OP_DOUBLE_FREE, old, 0) & R(METADATA));
	assert_false(b->attack.noticed);
	tear_down(b);
	b = set_up("random", "heap misuse=1");
	old = new(b, 20000, "u8");
	free_of(b, old);
	assert_int_equal(misuse(b, SF_OP_DOUBLE_FREE, old, 0), R(NOTHING));
	assert_true(b->attack.noticed);
	tear_down(b);
}

/* The block is another's by now: it is given back under its new owner. */
static void test_double_free_of_pages(void **state)
{
	struct bench *b = set_up("typed", "heap misuse=1");
	uint32_t old = new(b, 16384, "u8"), next;

	(void)state;
	free_of(b, old);
	next = new(b, 16384, "struct file");
	assert_int_equal(addr_of(b, next), addr_of(b, old));
	assert_int_equal(misuse(b, SF_OP_DOUBLE_FREE, old, 0), R(SAME_PARTITION) | R(POINTER));
	assert_non_null(reached(b, SF_REACH_POINTER, next));
	tear_down(b);
}

static void test_inner_free(void **state)
{
	struct bench *b = set_up("baseline", "heap misuse=1");
	uint32_t second, first = pair(b, 64, "u8", &second);

	(void)state;
	/* The slot that is free now is half this one's and half the next one's. */
	assert_int_equal(misuse(b, SF_OP_INNER_FREE, first, 32), R(SAME_TYPE));
	assert_int_equal(b->attack.addr, addr_of(b, first) + 32);
	assert_non_null(reached(b, SF_REACH_SAME_TYPE, first));
	assert_non_null(reached(b, SF_REACH_SAME_TYPE, second));
	tear_down(b);
	b = set_up("baseline", "heap misuse=1");
	first = new(b, 20000, "u8");
	misuse(b, SF_OP_INNER_FREE, first, 5000);
	assert_true(b->attack.noticed);
	assert_int_equal(b->attack.reached, R(NOTHING));
	/* Never beyond the object. */
	second = new(b, 10, NULL);
	misuse(b, SF_OP_INNER_FREE, second, 500);
	assert_int_equal(b->attack.addr, addr_of(b, second) + 9);
	tear_down(b);
}

static uint32_t free_to(struct bench *b, uint32_t obj, uint32_t cache)
{
	struct sf_op op = sf_op_make(SF_OP_WRONG_CACHE_FREE);
	uint32_t before = b->attacks;

	op.obj = obj;
	op.obj2 = cache;
	b->nr_reach = 0;
	step(b, &op);
	return b->attacks == before ? 0 : b->attack.reached;
}

static void test_wrong_cache_free(void **state)
{
	struct bench *b = set_up("baseline", "heap misuse=1");
	uint32_t second, first = pair(b, 64, "u8", &second), cache, alias;
	struct sf_exec_counts before, after;

	(void)state;
	cache = new_cache(b, "name", 512, SF_SLAB_NO_MERGE);
	sf_exec_counts(b->x, &before);
	/* A slot of 512 bytes where one of 64 was: its neighbours are in it. */
	assert_true(free_to(b, first, cache) & R(SAME_TYPE));
	assert_non_null(reached(b, SF_REACH_SAME_TYPE, second));
	assert_null(reached(b, SF_REACH_SAME_TYPE, first));
	assert_false(b->attack.noticed);
	sf_exec_counts(b->x, &after);
	assert_int_equal(after.live, before.live - 1);
	alias = new_from(b, cache);
	assert_int_equal(addr_of(b, alias), addr_of(b, first));
	refuse(b, SF_OP_OVERFLOW, first, SF_SKIP_SAFE);
	tear_down(b);

	b = set_up("baseline", "heap misuse=1 freelist_hardened=1");
	first = pair(b, 64, "u8", &second);
	cache = new_cache(b, "name", 512, SF_SLAB_NO_MERGE);
	assert_int_equal(free_to(b, first, cache), R(NOTHING));
	assert_true(b->attack.noticed);
	tear_down(b);

	/* Two names for one cache: no misuse. */
	b = set_up("baseline", "heap misuse=1");
	cache = new_cache(b, "name", 72, 0);
	alias = new_cache(b, "other", 72, 0);
	first = new_from(b, cache);
	assert_int_equal(free_to(b, first, alias), 0);
	assert_int_equal(b->skips[SF_SKIP_SAFE], 1);
	assert_int_equal(b->taints, 0);
	tear_down(b);
}

/* An object of a cache that is gone can only be freed with kfree(). */
static void test_cache_objects(void **state)
{
	struct bench *b = set_up("baseline", "heap misuse=1");
	uint32_t cache = new_cache(b, "name", 200, SF_SLAB_NO_MERGE), old = new_from(b, cache);
	struct sf_op op = sf_op_make(SF_OP_CACHE_FREE);

	(void)state;
	op.cache = cache;
	op.obj = old;
	step(b, &op);
	assert_int_equal(misuse(b, SF_OP_DOUBLE_FREE, old, 0), R(METADATA));
	assert_int_equal(b->attack.type, 0);
	op = sf_op_make(SF_OP_CACHE_DESTROY);
	op.cache = cache;
	step(b, &op);
	misuse(b, SF_OP_STALE_WRITE, old, 8);
	misuse(b, SF_OP_DOUBLE_FREE, old, 0);
	tear_down(b);
}

/* --- memory of devices --- */

/* In front of what the driver sees is a struct devres, with a list and functions. */
static void test_devres_is_reached(void **state)
{
	struct bench *b = set_up("typed", "heap misuse=1");
	struct sf_op op = sf_op_make(SF_OP_DEVICE_REGISTER);
	uint32_t device, r;

	(void)state;
	op.res = device = b->next++;
	step(b, &op);
	op = sf_op_make(SF_OP_DEVM_KMALLOC);
	op.cache = device;
	op.size = 40;
	op.gfp = SF_GFP_KERNEL;
	op.res = r = b->next++;
	step(b, &op);
	assert_int_equal(misuse(b, SF_OP_UNDERFLOW, r, 8), R(SAME_TYPE) | R(POINTER));
	assert_int_equal(reached(b, SF_REACH_POINTER, r)->addr, addr_of(b, r) + 48);
	assert_int_equal(b->attack.addr, addr_of(b, r) + 48);
	misuse(b, SF_OP_OVERFLOW, r, 8);
	assert_int_equal(b->attack.addr, addr_of(b, r) + 96);
	op = sf_op_make(SF_OP_DEVICE_UNREGISTER);
	op.cache = device;
	step(b, &op);
	misuse(b, SF_OP_STALE_WRITE, r, 500);
	assert_int_equal(b->attack.addr, addr_of(b, r) + 56);
	assert_int_equal(b->attack.size, 40);
	assert_true(misuse(b, SF_OP_DOUBLE_FREE, r, 0) & R(METADATA));
	assert_int_equal(b->attack.addr, addr_of(b, r));
	tear_down(b);
}

/* --- what is no misuse --- */

static void test_harmless_operations_are_skipped(void **state)
{
	struct bench *b = set_up("baseline", "heap misuse=1");
	uint32_t zero = new(b, 0, NULL), byte = new(b, 1, NULL), live = new(b, 8, NULL), pages;

	(void)state;
	refuse(b, SF_OP_OVERFLOW, SF_NONE, SF_SKIP_SAFE);
	refuse(b, SF_OP_OVERFLOW, zero, SF_SKIP_SAFE);
	refuse(b, SF_OP_INNER_FREE, byte, SF_SKIP_SAFE); /* there is nothing inside */
	refuse(b, SF_OP_STALE_WRITE, live, SF_SKIP_SAFE);
	refuse(b, SF_OP_DOUBLE_FREE, live, SF_SKIP_SAFE);
	refuse(b, SF_OP_DOUBLE_FREE, 400, SF_SKIP_SAFE);
	free_of(b, zero);
	refuse(b, SF_OP_DOUBLE_FREE, zero, SF_SKIP_SAFE);
	pages = new_pages(b, 0);
	with(b, SF_OP_FREE_PAGES, pages);
	refuse(b, SF_OP_DOUBLE_FREE, pages, SF_SKIP_SAFE);
	assert_int_equal(b->taints, 0);
	tear_down(b);
	b = set_up("baseline", "heap pages=1024");
	live = new(b, 8, NULL);
	refuse(b, SF_OP_OVERFLOW, live, SF_SKIP_NO_CAP);
	assert_int_equal(b->taints, 0);
	tear_down(b);
}

/* malloc() of the C library in this process must never be misused. */
static void test_allocator_that_cannot(void **state)
{
	static const struct sf_exec_options how = { .contents = true };
	static struct bench b;
	struct sf_settings set = settings_of("heap misuse=1");
	struct sf_error err;
	uint32_t live;

	(void)state;
	memset(&b, 0, sizeof(b));
	b.x = sf_exec_create(&sf_example, &set, &how, on_event, &b, &err);
	assert_non_null(b.x);
	sf_exec_begin(b.x, "misuse");
	live = new(&b, 100, NULL);
	refuse(&b, SF_OP_OVERFLOW, live, SF_SKIP_NO_CAP);
	free_of(&b, live);
	refuse(&b, SF_OP_DOUBLE_FREE, live, SF_SKIP_NO_CAP);
	assert_int_equal(b.taints, 0);
	tear_down(&b);
}

/* --- storms --- */

static const char *const heaps[] = {
	"heap misuse=1 pages=1024",
	"heap misuse=1 pages=1024 sheaves=0",
	"heap misuse=1 pages=1024 sheaves=0 freelist_hardened=1 freelist_random=1 init_on_free=1",
	"heap misuse=1 pages=1024 freelist_hardened=1 init_on_free=1 slab_virtual=1",
	"heap misuse=1 pages=1024 slab_virtual=1 sheaves=0 slot_offset=1 type_align=1 shuffle=1",
	"heap misuse=1 pages=1024 init_on_alloc=1 slab_nomerge=1 cpus=4 nokmem=1",
	"heap misuse=1 pages=2048 directmap=sealed init_on_free=1",
};

static const uint8_t ordinary[] = {
	SF_OP_KMALLOC, SF_OP_KMALLOC, SF_OP_KZALLOC, SF_OP_KREALLOC, SF_OP_KFREE, SF_OP_KFREE,
	SF_OP_KFREE_NOLOCK, SF_OP_KMALLOC_NOLOCK, SF_OP_KVMALLOC, SF_OP_KVFREE, SF_OP_KSIZE,
	SF_OP_CACHE_ALLOC, SF_OP_CACHE_FREE, SF_OP_CACHE_SHRINK, SF_OP_CACHE_CREATE,
	SF_OP_CACHE_DESTROY, SF_OP_ALLOC_PAGES, SF_OP_FREE_PAGES, SF_OP_CPU, SF_OP_CHECK,
	SF_OP_DRAIN, SF_OP_WRITE, SF_OP_VERIFY, SF_OP_KFREE_SENSITIVE, SF_OP_DEVM_KMALLOC,
	SF_OP_DEVICE_REGISTER, SF_OP_DEVICE_UNREGISTER, SF_OP_POOL_CREATE, SF_OP_PMALLOC,
	SF_OP_PMALLOC, SF_OP_POOL_PROTECT, SF_OP_POOL_UNPROTECT, SF_OP_RARE_WRITE,
	SF_OP_POOL_DESTROY,
};

static const uint8_t mistakes[] = {
	SF_OP_OVERFLOW, SF_OP_UNDERFLOW, SF_OP_STALE_WRITE, SF_OP_DOUBLE_FREE, SF_OP_INNER_FREE,
	SF_OP_WRONG_CACHE_FREE, SF_OP_DIRECTMAP_WRITE,
};

static void draw(struct sf_prog *p, struct sf_rng *r, uint32_t nr)
{
	static const uint64_t sizes[] = { 8, 24, 64, 96, 100, 192, 500, 4096, 8192, 9000, 40000 };

	for (uint32_t i = 0; i < nr; i++) {
		bool wrong = sf_rng_below(r, 4) == 0;
		struct sf_op op = sf_op_make(wrong ? mistakes[sf_rng_below(r, sizeof(mistakes))]
						   : ordinary[sf_rng_below(r, sizeof(ordinary))]);

		op.size = sizes[sf_rng_below(r, sizeof(sizes) / sizeof(sizes[0]))];
		op.gfp = SF_GFP_KERNEL;
		op.type = (uint16_t)sf_rng_below(r, sf_type_count);
		op.count = (uint16_t)(1 + sf_rng_below(r, sf_rng_below(r, 8) ? 100 : 65535));
		op.order = (uint8_t)sf_rng_below(r, 4);
		op.cpu = (uint8_t)sf_rng_below(r, 4);
		op.fault = (uint8_t)sf_rng_below(r, SF_POOL_MODE_COUNT);
		op.obj = (uint32_t)sf_rng_below(r, i + 1);
		op.obj2 = (uint32_t)sf_rng_below(r, i + 1);
		op.cache = (uint32_t)sf_rng_below(r, i + 1);
		op.name = sf_prog_string(p, i & 1 ? "one" : "two", 3);
		op.res = i;
		sf_prog_add(p, &op)->res = i;
	}
	sf_prog_fixup(p);
}

struct storm {
	struct sf_judge *judge;
	uint64_t attacks, noticed, violations, reached[SF_REACHES];
};

static void on_storm(void *ctx, const struct sf_event *ev)
{
	struct storm *s = ctx;

	if (ev->type == SF_EV_ATTACK) {
		s->attacks++;
		s->noticed += ev->attack.noticed;
		for (int i = 0; i < SF_REACHES; i++)
			s->reached[i] += ev->attack.reached >> i & 1;
	}
	sf_judge_event(s->judge, ev);
}

static void on_violation(void *ctx, const struct sf_violation *v)
{
	struct storm *s = ctx;

	s->violations++;
	print_message("%s\n", v->title);
}

static const char clean[] = "r0 = kmalloc(100, GFP_KERNEL)\nr1 = kmalloc(100, GFP_KERNEL)\n"
			    "kfree(r0)\nr2 = kzalloc(100, GFP_KERNEL)\n"
			    "c0 = kmem_cache_create(\"x\", 64, 0, 0)\n"
			    "r3 = kmem_cache_alloc(c0, GFP_KERNEL)\n"
			    "r4 = kvmalloc(5000000, GFP_KERNEL)\nr5 = kmalloc(30000, GFP_KERNEL)\n"
			    "check\nkvfree(r4)\n";

/* Whatever happens to a heap, reset makes it as good as new: all oracles judge the next program. */
static void ride(const char *allocator, const char *heap, uint32_t programs, struct storm *s)
{
	static const struct sf_exec_options how = { .end = SF_END_TEARDOWN, .contents = true };
	const struct sf_judge_options judging = { .violation = on_violation, .ctx = s };
	struct sf_settings set = settings_of(heap);
	struct sf_prog p, after;
	struct sf_text_error where;
	struct sf_error err;
	struct sf_exec *x;
	struct sf_rng r;

	sf_prog_init(&p);
	sf_prog_init(&after);
	assert_int_equal(sf_text_parse(&after, clean, strlen(clean), &where), 0);
	after.settings = set;
	s->judge = sf_judge_create(&judging);
	x = sf_exec_create(sf_allocator_by_name(allocator), &set, &how, on_storm, s, &err);
	assert_non_null(x);
	for (uint32_t i = 0; i < programs; i++) {
		sf_rng_seed(&r, i + 1000);
		sf_prog_clear(&p);
		p.settings = set;
		draw(&p, &r, 100);
		assert_true(sf_exec_run(x, &p, "storm", &err) > 0);
		s->violations = 0;
		assert_int_equal(sf_exec_run(x, &after, "clean", &err), after.nr_ops);
		assert_int_equal(s->violations, 0);
	}
	sf_exec_destroy(x);
	sf_judge_destroy(s->judge);
	sf_prog_free(&p);
	sf_prog_free(&after);
}

static void test_storms(void **state)
{
	struct storm s = { 0 };

	(void)state;
	FOR_EACH_ALLOCATOR(of, SF_CAP_MISUSE)
		for (size_t i = 0; i < sizeof(heaps) / sizeof(heaps[0]); i++)
			ride(of->name, heaps[i], 40, &s);
	assert_true(s.attacks > 5000 && s.noticed > 100);
	for (int i = 0; i < SF_REACHES; i++)
		assert_true(s.reached[i] > 0);
	print_message("# %llu misuses, %llu noticed\n", (unsigned long long)s.attacks,
		      (unsigned long long)s.noticed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_overflow_reaches_its_neighbour),
		cmocka_unit_test(test_slack),
		cmocka_unit_test(test_typed_keeps_pointers_apart),
		cmocka_unit_test(test_random_keeps_sites_apart),
		cmocka_unit_test(test_free_pointer_is_metadata),
		cmocka_unit_test(test_end_of_memory),
		cmocka_unit_test(test_guard_pages),
		cmocka_unit_test(test_stale_zeroes),
		cmocka_unit_test(test_stale_write),
		cmocka_unit_test(test_aliases),
		cmocka_unit_test(test_double_free),
		cmocka_unit_test(test_double_free_wipes),
		cmocka_unit_test(test_noticed_double_frees),
		cmocka_unit_test(test_double_free_of_pages),
		cmocka_unit_test(test_inner_free),
		cmocka_unit_test(test_wrong_cache_free),
		cmocka_unit_test(test_cache_objects),
		cmocka_unit_test(test_devres_is_reached),
		cmocka_unit_test(test_harmless_operations_are_skipped),
		cmocka_unit_test(test_allocator_that_cannot),
		cmocka_unit_test(test_storms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
