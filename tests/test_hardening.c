// SPDX-License-Identifier: MIT
/*
 * test_hardening.c - the oracles of hardening.c on events made by hand: for each rule what is right
 * and the smallest change that breaks it, by exact title; and the reason where it is not judged.
 */
#define PAGES 8192u
#define SECRET 0x5eedface12345678ull
#define OBJECTS 8u /* of a slab of "named", of 512 bytes each */

enum { C_64, C_NAMED, C_CTOR };

#define CAPS (~0ull & ~(uint64_t)SF_CAP_RANDOM)

#include "event_fixture.h"

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

static void heap(struct fixture *f)
{
	EMIT(f, HEAP, heap, .allocator = "test", .caps = f->caps, .settings = &f->set,
	     .direct_map = SF_DIRECT_MAP, .pages = PAGES, .exact = true);
	emit(f, SF_EV_CACHE, cache_event(C_64, SF_SLAB_KMALLOC, SECRET));
	emit(f, SF_EV_CACHE, cache_event(C_NAMED, 0, SECRET + 1));
	emit(f, SF_EV_CACHE, cache_event(C_CTOR, SF_SLAB_CTOR, SECRET + 2));
	EMIT(f, BEGIN, run, .ops = 0);
}

/* A judge of one invariant, on a heap of three caches with one setting changed by `mode`. */
static struct fixture *open_for(enum sf_invariant inv, void (*mode)(struct fixture *f))
{
	return fixture_open(sf_invariant_bit(inv), mode);
}

static const struct sf_oracle_count *count_of(const struct fixture *f, enum sf_invariant inv)
{
	return &sf_judge_counts(f->j)[inv];
}

/* One title is reported once in a run: the next run begins. */
static void wrong(struct fixture *f, const char *title)
{
	assert_int_equal(f->nr_titles, 1);
	assert_string_equal(f->title[0], title);
	f->nr_titles = 0;
	EMIT(f, BEGIN, run, .ops = 0);
}

/* --- MEM-14 --- */

static void flex(struct fixture *f, uint8_t size, uint64_t count, uint64_t counter, bool null)
{
	static uint32_t id;

	id++;
	EMIT(f, ALLOC, alloc, .id = null ? SF_NONE : id, .res = 0, .api = SF_API_KMALLOC,
	     .status = null ? SF_NULL : SF_OK, .addr = null ? 0 : SF_DIRECT_MAP + 4096,
	     .counter_size = size, .count = count, .counter = counter, .cache = SF_NONE,
	     .bucket = SF_NONE, .size = 64, .n = 1, .elem = 64, .dirty = SF_GOOD,
	     .old_id = SF_NONE, .bad = SF_GOOD, .place = { .cache = SF_NONE });
}

static void cut_off(struct fixture *f)
{
	f->set.flex = 1;
}

static void test_counters_of_flexible_arrays(void **state)
{
	static const char other[] =
		"MEM-14: the counter of a flexible array does not hold its count";
	struct fixture *f = open_for(SF_INV_MEM_14, NULL);

	(void)state;
	flex(f, 1, 255, 255, false);
	flex(f, 2, 300, 300, false);
	flex(f, 8, UINT64_MAX, UINT64_MAX, false);
	flex(f, 1, 300, 0, true); /* refused */
	flex(f, 0, 300, 0, false);/* it has none */
	assert_no_title(f);
	assert_int_equal(count_of(f, SF_INV_MEM_14)->checked, 4);
	flex(f, 2, 300, 44, false);
	wrong(f, other);
	flex(f, 2, 300, 0, false);
	wrong(f, other);
	flex(f, 1, 256, 0, false);
	wrong(f, "MEM-14: a count that its counter cannot hold was accepted");
	fixture_close(f);

	f = open_for(SF_INV_MEM_14, cut_off);
	flex(f, 1, 300, 44, false); /* as Linux 7.2 does */
	assert_no_title(f);
	flex(f, 1, 300, 255, false);
	wrong(f, other);
	fixture_close(f);
}

/* --- MEM-15 --- */

static void hardened(struct fixture *f)
{
	f->set.freelist_hardened = 1;
}

static uint64_t encoded(uint64_t next, uint64_t at)
{
	return next ^ (SECRET + 1) ^ __builtin_bswap64(at + 32);
}

static void walk(struct fixture *f, const uint64_t *free, const uint64_t *stored, uint32_t nr)
{
	EMIT(f, SNAP_BEGIN, snap, .managed = PAGES);
	EMIT(f, SNAP_SLAB, snapslab, .cache = C_NAMED, .objects = OBJECTS, .nr_free = nr,
	     .inuse = OBJECTS - nr, .free = free, .stored = stored, .unwiped = SF_GOOD);
}

static void test_encoded_free_pointers(void **state)
{
	const uint64_t free[3] = { SF_DIRECT_MAP + 512, SF_DIRECT_MAP, SF_DIRECT_MAP + 1024 };
	uint64_t good[3], stored[3];
	struct fixture *f = open_for(SF_INV_MEM_15, hardened);

	(void)state;
	for (unsigned int i = 0; i < 3; i++)
		good[i] = encoded(i < 2 ? free[i + 1] : 0, free[i]);
	walk(f, free, good, 3);
	assert_no_title(f);
	assert_int_equal(count_of(f, SF_INV_MEM_15)->checked, 3 + 3); /* and three secrets */
	for (unsigned int i = 0; i < 3; i++) {
		memcpy(stored, good, sizeof(stored));
		stored[i] ^= 1ull << (7 * i);
		walk(f, free, stored, 3);
		wrong(f, "MEM-15: a free pointer of named does not decode to the next object");
	}
	stored[0] = free[1]; /* plain */
	walk(f, free, stored, 1);
	wrong(f, "MEM-15: a free pointer of named does not decode to the next object");
	walk(f, free, NULL, 3);
	assert_no_title(f);
	assert_int_equal(count_of(f, SF_INV_MEM_15)->skipped, 1);
	assert_string_equal(count_of(f, SF_INV_MEM_15)->reason,
			    "the allocator does not tell what it stores");
	fixture_close(f);
}

/* A secret that undoes an address: what decodes there is stored as it is, and not by chance. */
static void test_plain_free_pointers(void **state)
{
	const uint64_t free[1] = { SF_DIRECT_MAP + 512 }, stored[1] = { 0 };
	struct fixture *f = open_for(SF_INV_MEM_15, hardened);

	(void)state;
	emit(f, SF_EV_CACHE, cache_event(C_NAMED, 0, __builtin_bswap64(free[0] + 32)));
	for (unsigned int i = 0; i < 4096; i++)
		walk(f, free, stored, 1);
	wrong(f, "MEM-15: free pointers of named are stored as they are");
	fixture_close(f);
}

/* Two caches whose secrets differ as the addresses do: the ends of their lists look the same. */
static void test_ends_of_lists(void **state)
{
	const uint64_t free[2] = { SF_DIRECT_MAP + 512, SF_DIRECT_MAP + 8192 };
	const uint64_t secret = SECRET + 1;
	const uint64_t other = secret ^ __builtin_bswap64(free[0] + 32) ^
			       __builtin_bswap64(free[1] + 32);
	const uint64_t stored[1] = { encoded(0, free[0]) };
	struct fixture *f = open_for(SF_INV_MEM_15, hardened);

	(void)state;
	emit(f, SF_EV_CACHE, cache_event(C_CTOR, SF_SLAB_CTOR, other));
	walk(f, free, stored, 1);
	walk(f, free, stored, 1); /* the same one again */
	assert_no_title(f);
	EMIT(f, SNAP_SLAB, snapslab, .cache = C_CTOR, .objects = OBJECTS, .nr_free = 1,
	     .inuse = OBJECTS - 1, .free = free + 1, .stored = stored, .unwiped = SF_GOOD);
	wrong(f, "MEM-15: the end of a free list of ctor looks the same in two places");
	fixture_close(f);
}

static void test_secrets(void **state)
{
	struct fixture *f = open_for(SF_INV_MEM_15, hardened);

	(void)state;
	assert_no_title(f);
	emit(f, SF_EV_CACHE, cache_event(C_NAMED, 0, 0));
	wrong(f, "MEM-15: named encodes free pointers with 0");
	emit(f, SF_EV_CACHE, cache_event(C_NAMED, 0, SECRET));
	wrong(f, "MEM-15: named encodes free pointers as another cache does");
	fixture_close(f);

	f = open_for(SF_INV_MEM_15, NULL); /* off: there are none */
	emit(f, SF_EV_CACHE, cache_event(C_NAMED, 0, 0));
	assert_no_title(f);
	assert_int_equal(count_of(f, SF_INV_MEM_15)->checked, 0);
	assert_string_equal(count_of(f, SF_INV_MEM_15)->reason, "freelist_hardened is off");
	fixture_close(f);
}

/* --- MEM-16 --- */

static void random_order(struct fixture *f)
{
	f->set.freelist_random = 1;
}

static void order(struct fixture *f, const uint16_t *index, uint16_t objects)
{
	EMIT(f, SLAB_ORDER, slaborder, .cache = C_NAMED, .objects = objects, .index = index);
}

static void test_order_of_a_fresh_slab(void **state)
{
	static const uint16_t up[OBJECTS] = { 0, 1, 2, 3, 4, 5, 6, 7 };
	static const uint16_t from_3[OBJECTS] = { 3, 4, 5, 6, 7, 0, 1, 2 };
	struct fixture *f = open_for(SF_INV_MEM_16, NULL);

	(void)state;
	order(f, up, OBJECTS);
	assert_no_title(f);
	order(f, from_3, OBJECTS);
	wrong(f, "MEM-16: a fresh slab of named hands out its objects out of order");
	fixture_close(f);
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
	struct fixture *f = open_for(SF_INV_MEM_16, random_order);

	(void)state;
	order(f, fewer, 4);
	assert_int_equal(count_of(f, SF_INV_MEM_16)->skipped, 1);
	assert_string_equal(count_of(f, SF_INV_MEM_16)->reason,
			    "no slab has shown its cache's order yet");
	order(f, first, OBJECTS);
	order(f, turned, OBJECTS);
	order(f, fewer, 4);
	assert_no_title(f);
	assert_int_equal(count_of(f, SF_INV_MEM_16)->checked, 3);
	order(f, swapped, OBJECTS);
	wrong(f, none);
	order(f, backwards, OBJECTS);
	wrong(f, none);
	order(f, fewer_wrong, 4);
	wrong(f, none);
	fixture_close(f);

	f = open_for(SF_INV_MEM_16, random_order);
	order(f, twice, OBJECTS);
	wrong(f, "MEM-16: a fresh slab of named hands out an object twice");
	fixture_close(f);
}

/* --- MEM-18, ISO-16 --- */

static void wiped(struct fixture *f)
{
	f->set.init_on_free = 1;
}

static void fresh(struct fixture *f, uint32_t cache, uint64_t dirty)
{
	static uint32_t id;

	id++;
	EMIT(f, ALLOC, alloc, .id = id, .api = SF_API_CACHE, .status = SF_OK, .cache = cache,
	     .addr = SF_DIRECT_MAP + 512, .size = 512, .n = 1, .elem = 512, .dirty = dirty,
	     .zeroed = 512, .old_id = SF_NONE, .bad = SF_GOOD, .bucket = SF_NONE,
	     .place = { .kind = SF_PLACE_SLAB, .cache = cache, .base = SF_DIRECT_MAP,
			.object_size = 512, .stride = 512, .index = 1 });
}

static void left_in(struct fixture *f, uint32_t cache, uint64_t unwiped)
{
	static const uint64_t free[1] = { SF_DIRECT_MAP };

	EMIT(f, SNAP_BEGIN, snap, .managed = PAGES);
	EMIT(f, SNAP_SLAB, snapslab, .cache = cache, .objects = OBJECTS, .nr_free = 1,
	     .inuse = OBJECTS - 1, .free = free, .unwiped = unwiped);
}

static void parked(struct fixture *f, uint64_t unwiped)
{
	static const uint64_t objs[1] = { SF_DIRECT_MAP };

	EMIT(f, SNAP_BEGIN, snap, .managed = PAGES);
	EMIT(f, SNAP_SHEAF, snapsheaf, .cache = C_NAMED, .nr = 1, .objs = objs,
	     .unwiped = unwiped);
}

static void test_wiped_memory(void **state)
{
	struct fixture *f = open_for(SF_INV_MEM_18, wiped);

	(void)state;
	fresh(f, C_NAMED, SF_GOOD);
	left_in(f, C_NAMED, SF_GOOD);
	parked(f, SF_GOOD);
	left_in(f, C_CTOR, SF_DIRECT_MAP); /* is not wiped */
	assert_no_title(f);
	assert_int_equal(count_of(f, SF_INV_MEM_18)->checked, 3);
	fresh(f, C_NAMED, 17);
	wrong(f, "MEM-18: named memory is handed out as it was left");
	left_in(f, C_NAMED, SF_DIRECT_MAP + 3);
	wrong(f, "MEM-18: a free object of named is not wiped");
	parked(f, SF_DIRECT_MAP + 3);
	wrong(f, "MEM-18: a free object of named is not wiped");
	fixture_close(f);

	f = open_for(SF_INV_MEM_18, NULL);
	fresh(f, C_NAMED, 17);
	left_in(f, C_NAMED, SF_DIRECT_MAP);
	assert_no_title(f);
	assert_string_equal(count_of(f, SF_INV_MEM_18)->reason, "init_on_free is off");
	fixture_close(f);
}

static void slab_of(struct fixture *f, uint64_t dirty)
{
	EMIT(f, SLAB_NEW, slab, .cache = C_NAMED, .objects = OBJECTS, .pfn = 0,
	     .addr = SF_DIRECT_MAP, .dirty = dirty);
}

static void test_wiped_pages(void **state)
{
	struct fixture *f = open_for(SF_INV_ISO_16, wiped);

	(void)state;
	slab_of(f, SF_GOOD);
	assert_no_title(f);
	assert_int_equal(count_of(f, SF_INV_ISO_16)->checked, 1);
	slab_of(f, 4095);
	wrong(f, "ISO-16: a slab of named is made of pages that were not wiped");
	fixture_close(f);
}

/* --- SHF-1 --- */

static void shuffled(struct fixture *f)
{
	f->set.shuffle = 1;
	f->set.pages = PAGES;
}

/* A snapshot of the blocks that boot leaves; one of them missing, halved, or on another list. */
static void blocks(struct fixture *f, unsigned int missing, unsigned int halved, unsigned int moved)
{
	EMIT(f, SNAP_BEGIN, snap, .managed = PAGES);
	for (unsigned int i = 0; i < PAGES / 1024; i++) {
		uint8_t list = i == moved ? SF_MIGRATE_UNMOVABLE : SF_MIGRATE_MOVABLE;

		if (i == missing)
			continue;
		/* In any order of their list. */
		EMIT(f, SNAP_BLOCK, snapblock, .pfn = i * 1024u,
		     .order = i == halved ? 9 : 10, .list = list,
		     .pageblock = SF_MIGRATE_MOVABLE, .position = 7 - i);
	}
	EMIT(f, SNAP_END, snap, .managed = PAGES);
}

#define NO_BLOCK 99u

static void test_shuffled_blocks(void **state)
{
	static const char other_list[] =
		"SHF-1: a free block is on another list than before the shuffle";
	struct fixture *f = open_for(SF_INV_SHF_1, shuffled);

	(void)state;
	blocks(f, NO_BLOCK, NO_BLOCK, NO_BLOCK);
	assert_no_title(f);
	assert_true(count_of(f, SF_INV_SHF_1)->checked > PAGES / 1024);
	blocks(f, 3, NO_BLOCK, NO_BLOCK);
	wrong(f, "SHF-1: there are other free blocks than before the shuffle");
	blocks(f, NO_BLOCK, 3, NO_BLOCK);
	wrong(f, other_list);
	blocks(f, NO_BLOCK, NO_BLOCK, 3);
	wrong(f, other_list);
	fixture_close(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counters_of_flexible_arrays),
		cmocka_unit_test(test_encoded_free_pointers),
		cmocka_unit_test(test_plain_free_pointers),
		cmocka_unit_test(test_ends_of_lists),
		cmocka_unit_test(test_secrets),
		cmocka_unit_test(test_order_of_a_fresh_slab),
		cmocka_unit_test(test_rotations),
		cmocka_unit_test(test_wiped_memory),
		cmocka_unit_test(test_wiped_pages),
		cmocka_unit_test(test_shuffled_blocks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
