// SPDX-License-Identifier: MIT
/*
 * test_cache_oracles.c - what a cache is made like (ACC-24): caches that are announced with one
 * number that no formula gives. Relies on tiny_heap.h.
 */
#include "tiny_heap.h"

/* As in the kernel with 2 CPUs: 512 bytes, 16 in a slab of order 1; 26 in a sheaf. */
static struct sf_event fresh(void)
{
	struct sf_event ev = cache_event(C_B0, "kmalloc-512", SF_CACHE_KMALLOC, 512, 512, 1,
					 SF_SLAB_KMALLOC);

	ev.cache.bucket = SF_NONE;
	ev.cache.sheaf_capacity = 28;
	return ev;
}

static void announce(struct fixture *f, struct sf_event ev)
{
	emit(f, SF_EV_CACHE, ev);
}

/* Linux 7.2 has these on x86-64: object size, alignment, order, sheaf, empty slabs, constructor. */
static void as_linux(struct fixture *f)
{
	static const struct {
		uint32_t size, align;
		uint8_t order;
		uint32_t sheaf, partial, flags;
	} known[] = {
		{ 8, 8, 0, 60, 5, 0 },
		{ 96, 32, 0, 60, 5, 0 },
		{ 192, 64, 0, 60, 5, 0 },
		{ 256, 256, 0, 28, 5, 0 },
		{ 1024, 1024, 2, 12, 5, 0 },
		{ 4096, 4096, 3, 4, 6, 0 },
		{ 8192, 8192, 3, 4, 6, 0 },
		{ 64, 8, 0, 60, 5, SF_SLAB_TYPESAFE_BY_RCU },
	};

	for (uint32_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		struct sf_event ev = cache_event(C_B0 + i, "named", SF_CACHE_NAMED, known[i].size,
						 known[i].align, known[i].order, known[i].flags);

		if (known[i].flags) {
			ev.cache.stride += 8;
			ev.cache.freeptr = known[i].size;
			ev.cache.objects = (uint16_t)(4096 / ev.cache.stride);
		}
		ev.cache.boot = true;
		ev.cache.min_partial = known[i].partial;
		ev.cache.sheaf_capacity = known[i].sheaf;
		announce(f, ev);
	}
	announce(f, fresh());
}

#define WRONG(name, member, value)               \
	static void name(struct fixture *f)      \
	{                                        \
		struct sf_event ev = fresh();    \
		ev.cache.member = value;         \
		announce(f, ev);                 \
	}

WRONG(wrong_stride, stride, 520)
WRONG(wrong_objects, objects, 15)
WRONG(wrong_freeptr, freeptr, 0)
WRONG(wrong_partial, min_partial, 6)
WRONG(wrong_sheaf, sheaf_capacity, 26)

static void wrong_order(struct fixture *f)
{
	struct sf_event ev = fresh();

	ev.cache.order = 2;
	ev.cache.objects = 32;
	announce(f, ev);
}

/* What was asked for is the most, what is usual the least. */
static void created(struct fixture *f, uint32_t asked, uint32_t has)
{
	struct sf_event ev = fresh();

	ev.cache.kind = SF_CACHE_NAMED;
	ev.cache.boot = false;
	ev.cache.id = C_NAMED;
	ev.cache.class_size = 0;
	ev.cache.sheaf_capacity = has;
	announce(f, ev);
	EMIT(f, CACHE_CREATE, cacheop, .cache = C_NAMED, .name = "named", .size = 512, .align = 512,
	     .sheaf_capacity = asked);
}

static void asked_less(struct fixture *f)
{
	created(f, 5, 28);
}

static void asked_more(struct fixture *f)
{
	created(f, 40, 40);
}

static void got_less(struct fixture *f)
{
	created(f, 40, 12);
}

static void got_more(struct fixture *f)
{
	created(f, 5, 29);
}

#define SHEAF "sheaves of a named cache have another capacity than was asked for and their " \
	      "objects' size says"

static const struct stream streams[] = {
	{ SF_INV_ACC_24, as_linux, NULL, NULL },
	{ SF_INV_ACC_24, asked_less, NULL, NULL },
	{ SF_INV_ACC_24, asked_more, NULL, NULL },
	STREAM(ACC, 24, wrong_stride,
	       "objects of kmalloc-512 are further apart, or closer, than size and alignment say"),
	STREAM(ACC, 24, wrong_order,
	       "slabs of kmalloc-512 have another order than their objects ask for"),
	STREAM(ACC, 24, wrong_objects, "slabs of kmalloc-512 hold more or fewer objects than fit"),
	STREAM(ACC, 24, wrong_freeptr,
	       "the free pointer of kmalloc-512 is neither in the middle of an object nor behind "
	       "it"),
	STREAM(ACC, 24, wrong_partial,
	       "kmalloc-512 keeps another number of empty slabs than its objects' size says"),
	STREAM(ACC, 24, wrong_sheaf,
	       "sheaves of kmalloc-512 have another capacity than their objects' size says"),
	STREAM(ACC, 24, got_less, SHEAF),
	STREAM(ACC, 24, got_more, SHEAF),
};

static void test_streams_have_exact_titles(void **state)
{
	(void)state;
	check_streams(streams, sizeof(streams) / sizeof(streams[0]));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_streams_have_exact_titles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
