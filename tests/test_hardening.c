// SPDX-License-Identifier: MIT
/*
 * test_hardening.c - the oracles of hardening.c on events made by hand: for each rule what is right
 * and the smallest change that breaks it, by exact title; and the reason where it is not judged.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../oracles/oracle.h"

#define PAGES 8192u
#define SECRET 0x5eedface12345678ull
#define OBJECTS 8u /* of a slab of "named", of 512 bytes each */

enum { C_64, C_NAMED, C_CTOR };

struct bed {
	struct sf_judge *j;
	struct sf_settings set;
	char title[SF_TITLE_MAX];
	unsigned int nr;
};

static void record(void *ctx, const struct sf_violation *v)
{
	struct bed *b = ctx;

	strcpy(b->title, v->title);
	b->nr++;
}

static void emit(struct bed *b, uint8_t type, struct sf_event ev)
{
	ev.type = type;
	sf_judge_event(b->j, &ev);
}

#define EMIT(b, TYPE, member, ...) \
	emit(b, SF_EV_##TYPE, (struct sf_event){ .member = { __VA_ARGS__ } })

static void heap(struct bed *b)
{
	EMIT(b, HEAP, heap, .allocator = "test", .caps = ~0ull & ~(uint64_t)SF_CAP_RANDOM,
	     .settings = &b->set, .direct_map = SF_DIRECT_MAP, .pages = PAGES, .exact = true);
}

static struct sf_event cache_event(uint32_t id, uint32_t flags, uint64_t secret)
{
	static const char *const name[] = { "kmalloc-64", "named", "ctor" };

	return (struct sf_event){ .cache = {
		.name = name[id], .id = id, .kind = id ? SF_CACHE_NAMED : SF_CACHE_KMALLOC,
		.object_size = id ? 512 : 64, .stride = id ? 512 : 64, .align = 8,
		.objects = id ? OBJECTS : 64, .min_objects = id ? OBJECTS : 64, .freeptr = 32,
		.flags = flags, .bucket = SF_NONE, .boot = true, .class_size = id ? 0 : 64,
		.secret = secret } };
}

/* A judge of one invariant, on a heap with one setting changed by `set`, of three caches. */
static struct bed *bed_open(enum sf_invariant inv, void (*set)(struct sf_settings *set))
{
	struct bed *b = calloc(1, sizeof(*b));
	struct sf_judge_options opt = { .violation = record, .ctx = b,
					.only = sf_invariant_bit(inv) };

	assert_non_null(b);
	b->j = sf_judge_create(&opt);
	sf_settings_init(&b->set);
	if (set)
		set(&b->set);
	heap(b);
	emit(b, SF_EV_CACHE, cache_event(C_64, SF_SLAB_KMALLOC, SECRET));
	emit(b, SF_EV_CACHE, cache_event(C_NAMED, 0, SECRET + 1));
	emit(b, SF_EV_CACHE, cache_event(C_CTOR, SF_SLAB_CTOR, SECRET + 2));
	EMIT(b, BEGIN, run, .ops = 0);
	return b;
}

static void bed_close(struct bed *b)
{
	sf_judge_destroy(b->j);
	free(b);
}

static const struct sf_oracle_count *count_of(const struct bed *b, enum sf_invariant inv)
{
	return &sf_judge_counts(b->j)[inv];
}

static void right(const struct bed *b)
{
	assert_string_equal(b->title, "");
}

/* One title is told once in a run: the next run begins. */
static void wrong(struct bed *b, const char *title)
{
	assert_string_equal(b->title, title);
	b->title[0] = 0;
	EMIT(b, BEGIN, run, .ops = 0);
}

/* --- MEM-14 --- */

static void flex(struct bed *b, uint8_t size, uint64_t count, uint64_t counter, bool null)
{
	static uint32_t id;

	id++;
	EMIT(b, ALLOC, alloc, .id = null ? SF_NONE : id, .res = 0, .api = SF_API_KMALLOC,
	     .status = null ? SF_NULL : SF_OK, .addr = null ? 0 : SF_DIRECT_MAP + 4096,
	     .counter_size = size, .count = count, .counter = counter, .cache = SF_NONE,
	     .bucket = SF_NONE, .size = 64, .n = 1, .elem = 64, .dirty = SF_GOOD,
	     .old_id = SF_NONE, .bad = SF_GOOD, .place = { .cache = SF_NONE });
}

static void cut_off(struct sf_settings *set)
{
	set->flex = 1;
}

static void test_counters_of_flexible_arrays(void **state)
{
	static const char other[] =
		"MEM-14: the counter of a flexible array does not hold its count";
	struct bed *b = bed_open(SF_INV_MEM_14, NULL);

	(void)state;
	flex(b, 1, 255, 255, false);
	flex(b, 2, 300, 300, false);
	flex(b, 8, UINT64_MAX, UINT64_MAX, false);
	flex(b, 1, 300, 0, true); /* refused */
	flex(b, 0, 300, 0, false);/* it has none */
	right(b);
	assert_int_equal(count_of(b, SF_INV_MEM_14)->checked, 4);
	flex(b, 2, 300, 44, false);
	wrong(b, other);
	flex(b, 2, 300, 0, false);
	wrong(b, other);
	flex(b, 1, 256, 0, false);
	wrong(b, "MEM-14: a count that its counter cannot hold was accepted");
	bed_close(b);

	b = bed_open(SF_INV_MEM_14, cut_off);
	flex(b, 1, 300, 44, false); /* as Linux 7.2 does */
	right(b);
	flex(b, 1, 300, 255, false);
	wrong(b, other);
	bed_close(b);
}

/* --- MEM-15 --- */

static void hardened(struct sf_settings *set)
{
	set->freelist_hardened = 1;
}

static uint64_t encoded(uint64_t next, uint64_t at)
{
	return next ^ (SECRET + 1) ^ __builtin_bswap64(at + 32);
}

static void walk(struct bed *b, const uint64_t *free, const uint64_t *stored, uint32_t nr)
{
	EMIT(b, SNAP_BEGIN, snap, .managed = PAGES);
	EMIT(b, SNAP_SLAB, snapslab, .cache = C_NAMED, .objects = OBJECTS, .nr_free = nr,
	     .inuse = OBJECTS - nr, .free = free, .stored = stored, .unwiped = SF_GOOD);
}

static void test_encoded_free_pointers(void **state)
{
	const uint64_t free[3] = { SF_DIRECT_MAP + 512, SF_DIRECT_MAP, SF_DIRECT_MAP + 1024 };
	uint64_t good[3], stored[3];
	struct bed *b = bed_open(SF_INV_MEM_15, hardened);

	(void)state;
	for (unsigned int i = 0; i < 3; i++)
		good[i] = encoded(i < 2 ? free[i + 1] : 0, free[i]);
	walk(b, free, good, 3);
	right(b);
	assert_int_equal(count_of(b, SF_INV_MEM_15)->checked, 3 + 3); /* and three secrets */
	for (unsigned int i = 0; i < 3; i++) {
		memcpy(stored, good, sizeof(stored));
		stored[i] ^= 1ull << (7 * i);
		walk(b, free, stored, 3);
		wrong(b, "MEM-15: a free pointer of named does not decode to the next object");
	}
	stored[0] = free[1]; /* plain */
	walk(b, free, stored, 1);
	wrong(b, "MEM-15: a free pointer of named does not decode to the next object");
	walk(b, free, NULL, 3);
	right(b);
	assert_int_equal(count_of(b, SF_INV_MEM_15)->skipped, 1);
	assert_string_equal(count_of(b, SF_INV_MEM_15)->reason,
			    "the allocator does not tell what it stores");
	bed_close(b);
}

static void test_secrets(void **state)
{
	struct bed *b = bed_open(SF_INV_MEM_15, hardened);

	(void)state;
	right(b);
	emit(b, SF_EV_CACHE, cache_event(C_NAMED, 0, 0));
	wrong(b, "MEM-15: named encodes free pointers with 0");
	emit(b, SF_EV_CACHE, cache_event(C_NAMED, 0, SECRET));
	wrong(b, "MEM-15: named encodes free pointers as another cache does");
	bed_close(b);

	b = bed_open(SF_INV_MEM_15, NULL); /* off: there are none */
	emit(b, SF_EV_CACHE, cache_event(C_NAMED, 0, 0));
	right(b);
	assert_int_equal(count_of(b, SF_INV_MEM_15)->checked, 0);
	assert_string_equal(count_of(b, SF_INV_MEM_15)->reason, "freelist_hardened is off");
	bed_close(b);
}

/* --- MEM-16 --- */

static void random_order(struct sf_settings *set)
{
	set->freelist_random = 1;
}

static void order(struct bed *b, const uint16_t *index, uint16_t objects)
{
	EMIT(b, SLAB_ORDER, slaborder, .cache = C_NAMED, .objects = objects, .index = index);
}

static void test_order_of_a_fresh_slab(void **state)
{
	static const uint16_t up[OBJECTS] = { 0, 1, 2, 3, 4, 5, 6, 7 };
	static const uint16_t from_3[OBJECTS] = { 3, 4, 5, 6, 7, 0, 1, 2 };
	struct bed *b = bed_open(SF_INV_MEM_16, NULL);

	(void)state;
	order(b, up, OBJECTS);
	right(b);
	order(b, from_3, OBJECTS);
	wrong(b, "MEM-16: a fresh slab of named hands out its objects out of order");
	bed_close(b);
}

static void test_rotations(void **state)
{
	static const uint16_t first[OBJECTS] = { 3, 1, 7, 0, 5, 2, 6, 4 };
	static const uint16_t turned[OBJECTS] = { 5, 2, 6, 4, 3, 1, 7, 0 };
	static const uint16_t swapped[OBJECTS] = { 5, 2, 6, 4, 3, 7, 1, 0 };
	static const uint16_t backwards[OBJECTS] = { 4, 6, 2, 5, 0, 7, 1, 3 };
	static const uint16_t twice[OBJECTS] = { 3, 1, 7, 0, 5, 2, 6, 3 };
	static const uint16_t fewer[4] = { 0, 2, 3, 1 }; /* the order without 4 to 7 */
	static const uint16_t fewer_wrong[4] = { 0, 2, 1, 3 };
	static const char none[] =
		"MEM-16: a fresh slab of named is no rotation of its cache's order";
	struct bed *b = bed_open(SF_INV_MEM_16, random_order);

	(void)state;
	order(b, fewer, 4);
	assert_int_equal(count_of(b, SF_INV_MEM_16)->skipped, 1);
	assert_string_equal(count_of(b, SF_INV_MEM_16)->reason,
			    "no slab has shown its cache's order yet");
	order(b, first, OBJECTS);
	order(b, turned, OBJECTS);
	order(b, fewer, 4);
	right(b);
	assert_int_equal(count_of(b, SF_INV_MEM_16)->checked, 3);
	order(b, swapped, OBJECTS);
	wrong(b, none);
	order(b, backwards, OBJECTS);
	wrong(b, none);
	order(b, fewer_wrong, 4);
	wrong(b, none);
	bed_close(b);

	b = bed_open(SF_INV_MEM_16, random_order);
	order(b, twice, OBJECTS);
	wrong(b, "MEM-16: a fresh slab of named hands out an object twice");
	bed_close(b);
}

/* --- MEM-18, ISO-16 --- */

static void wiped(struct sf_settings *set)
{
	set->init_on_free = 1;
}

static void fresh(struct bed *b, uint32_t cache, uint64_t dirty)
{
	static uint32_t id;

	id++;
	EMIT(b, ALLOC, alloc, .id = id, .api = SF_API_CACHE, .status = SF_OK, .cache = cache,
	     .addr = SF_DIRECT_MAP + 512, .size = 512, .n = 1, .elem = 512, .dirty = dirty,
	     .zeroed = 512, .old_id = SF_NONE, .bad = SF_GOOD, .bucket = SF_NONE,
	     .place = { .kind = SF_PLACE_SLAB, .cache = cache, .base = SF_DIRECT_MAP,
			.object_size = 512, .stride = 512, .index = 1 });
}

static void left_in(struct bed *b, uint32_t cache, uint64_t unwiped)
{
	static const uint64_t free[1] = { SF_DIRECT_MAP };

	EMIT(b, SNAP_BEGIN, snap, .managed = PAGES);
	EMIT(b, SNAP_SLAB, snapslab, .cache = cache, .objects = OBJECTS, .nr_free = 1,
	     .inuse = OBJECTS - 1, .free = free, .unwiped = unwiped);
}

static void parked(struct bed *b, uint64_t unwiped)
{
	static const uint64_t objs[1] = { SF_DIRECT_MAP };

	EMIT(b, SNAP_BEGIN, snap, .managed = PAGES);
	EMIT(b, SNAP_SHEAF, snapsheaf, .cache = C_NAMED, .nr = 1, .objs = objs,
	     .unwiped = unwiped);
}

static void test_wiped_memory(void **state)
{
	struct bed *b = bed_open(SF_INV_MEM_18, wiped);

	(void)state;
	fresh(b, C_NAMED, SF_GOOD);
	left_in(b, C_NAMED, SF_GOOD);
	parked(b, SF_GOOD);
	left_in(b, C_CTOR, SF_DIRECT_MAP); /* is not wiped */
	right(b);
	assert_int_equal(count_of(b, SF_INV_MEM_18)->checked, 3);
	fresh(b, C_NAMED, 17);
	wrong(b, "MEM-18: named memory is handed out as it was left");
	left_in(b, C_NAMED, SF_DIRECT_MAP + 3);
	wrong(b, "MEM-18: a free object of named is not wiped");
	parked(b, SF_DIRECT_MAP + 3);
	wrong(b, "MEM-18: a free object of named is not wiped");
	bed_close(b);

	b = bed_open(SF_INV_MEM_18, NULL);
	fresh(b, C_NAMED, 17);
	left_in(b, C_NAMED, SF_DIRECT_MAP);
	right(b);
	assert_string_equal(count_of(b, SF_INV_MEM_18)->reason, "init_on_free is off");
	bed_close(b);
}

static void slab_of(struct bed *b, uint64_t dirty)
{
	EMIT(b, SLAB_NEW, slab, .cache = C_NAMED, .objects = OBJECTS, .pfn = 0,
	     .addr = SF_DIRECT_MAP, .dirty = dirty);
}

static void test_wiped_pages(void **state)
{
	struct bed *b = bed_open(SF_INV_ISO_16, wiped);

	(void)state;
	slab_of(b, SF_GOOD);
	right(b);
	assert_int_equal(count_of(b, SF_INV_ISO_16)->checked, 1);
	slab_of(b, 4095);
	wrong(b, "ISO-16: a slab of named is made of pages that were not wiped");
	bed_close(b);
}

/* --- SHF-1 --- */

static void shuffled(struct sf_settings *set)
{
	set->shuffle = 1;
	set->pages = PAGES;
}

/* A snapshot of the blocks that boot leaves; one of them missing, halved, or on another list. */
static void blocks(struct bed *b, unsigned int missing, unsigned int halved, unsigned int moved)
{
	EMIT(b, SNAP_BEGIN, snap, .managed = PAGES);
	for (unsigned int i = 0; i < PAGES / 1024; i++) {
		uint8_t list = i == moved ? SF_MIGRATE_UNMOVABLE : SF_MIGRATE_MOVABLE;

		if (i == missing)
			continue;
		/* In any order of their list. */
		EMIT(b, SNAP_BLOCK, snapblock, .pfn = i * 1024u,
		     .order = i == halved ? 9 : 10, .list = list,
		     .pageblock = SF_MIGRATE_MOVABLE, .position = 7 - i);
	}
	EMIT(b, SNAP_END, snap, .managed = PAGES);
}

#define NO_BLOCK 99u

static void test_shuffled_blocks(void **state)
{
	static const char other_list[] =
		"SHF-1: a free block is on another list than before the shuffle";
	struct bed *b = bed_open(SF_INV_SHF_1, shuffled);

	(void)state;
	blocks(b, NO_BLOCK, NO_BLOCK, NO_BLOCK);
	right(b);
	assert_true(count_of(b, SF_INV_SHF_1)->checked > PAGES / 1024);
	blocks(b, 3, NO_BLOCK, NO_BLOCK);
	wrong(b, "SHF-1: there are other free blocks than before the shuffle");
	blocks(b, NO_BLOCK, 3, NO_BLOCK);
	wrong(b, other_list);
	blocks(b, NO_BLOCK, NO_BLOCK, 3);
	wrong(b, other_list);
	bed_close(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counters_of_flexible_arrays),
		cmocka_unit_test(test_encoded_free_pointers),
		cmocka_unit_test(test_secrets),
		cmocka_unit_test(test_order_of_a_fresh_slab),
		cmocka_unit_test(test_rotations),
		cmocka_unit_test(test_wiped_memory),
		cmocka_unit_test(test_wiped_pages),
		cmocka_unit_test(test_shuffled_blocks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
