// SPDX-License-Identifier: MIT
/*
 * test_geometry.c - the geometry of the model's caches against printouts of real kernels.
 *
 * tests/kernel/ has /proc/slabinfo and /sys/kernel/slab of several kernels. Every cache in them is
 * made again in the model, with the settings that the kernel was booted with, and must come out the
 * same: stride, order, objects per slab, min_partial, sheaf capacity. Nothing is left out: a line
 * that cannot be made again is a failure.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../allocators/allocator.h"

#ifndef SF_TESTS_DIR
#define SF_TESTS_DIR "tests"
#endif

#define CACHES_MAX 1024

struct geometry {
	uint32_t object_size, stride, align, order, objects, min_partial, capacity;
};

/* What the model announces: the last CACHE event, and the boot caches by name. */
struct heard {
	struct sf_ev_cache last;
	struct sf_ev_cache boot[CACHES_MAX];
	char name[CACHES_MAX][64];
	unsigned int nr_boot;
};

static void hear(void *ctx, const struct sf_event *ev)
{
	struct heard *h = ctx;

	if (ev->type != SF_EV_CACHE)
		return;
	h->last = ev->cache;
	if (!ev->cache.boot)
		return;
	assert_true(h->nr_boot < CACHES_MAX);
	snprintf(h->name[h->nr_boot], sizeof(h->name[0]), "%s", ev->cache.name);
	h->boot[h->nr_boot++] = ev->cache;
}

struct bench {
	struct heard heard;
	struct sf_sink sink;
	struct sf_heap *heap;
	unsigned int checked;
};

static void bench_open(struct bench *b, uint64_t cpus, uint64_t min_order)
{
	struct sf_settings set;
	struct sf_error err;

	memset(b, 0, sizeof(*b));
	b->sink = (struct sf_sink){ .emit = hear, .ctx = &b->heard, .op = SF_NONE };
	sf_settings_init(&set);
	set.cpus = cpus;
	set.slab_min_order = min_order;
	b->heap = sf_baseline.create(&sf_baseline, &set, &b->sink, &err);
	assert_non_null(b->heap);
	assert_true(b->heard.nr_boot >= 52);
}

static void bench_close(struct bench *b)
{
	sf_baseline.destroy(b->heap);
}

/* Makes the cache and says whether its stride is the one that is looked for. */
static bool make(struct bench *b, const struct geometry *g, uint32_t flags, uint32_t capacity)
{
	struct sf_cache_request rq = { .name = "again", .size = g->object_size, .align = g->align,
				       .flags = flags | SF_SLAB_NO_MERGE,
				       .sheaf_capacity = capacity };
	bool merged;

	if (sf_baseline.cache_create(b->heap, &rq, &merged) == SF_NONE)
		return false;
	return b->heard.last.stride == g->stride;
}

static void same(const char *file, const char *name, const char *what, uint32_t model,
		 uint32_t kernel)
{
	if (model != kernel)
		fail_msg("%s: %s: %s is %u in the model, %u in the kernel", file, name, what, model,
			 kernel);
}

/* The model's boot cache of that name, NULL if it has none. */
static const struct sf_ev_cache *boot_cache(const struct bench *b, const char *name)
{
	for (unsigned int i = 0; i < b->heard.nr_boot; i++)
		if (!strcmp(b->heard.name[i], name))
			return &b->heard.boot[i];
	return NULL;
}

/* /sys/kernel/slab as a table, a header line first. */
static void check_sysfs(const char *file, uint64_t cpus, uint64_t min_order, unsigned int expect)
{
	static struct bench b;
	char path[256], line[512], name[128];
	unsigned int by_name = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/kernel/%s", SF_TESTS_DIR, file);
	f = fopen(path, "r");
	assert_non_null(f);
	bench_open(&b, cpus, min_order);
	assert_non_null(fgets(line, sizeof(line), f));
	while (fgets(line, sizeof(line), f)) {
		struct geometry g;
		unsigned int reclaim, hw, rcu;
		uint32_t flags;
		const struct sf_ev_cache *c = &b.heard.last;

		assert_int_equal(sscanf(line, "%127s %u %u %u %u %u %u %u %u %u %*s %*u %u", name,
					&g.object_size, &g.stride, &g.align, &g.order, &g.objects,
					&g.min_partial, &g.capacity, &reclaim, &hw, &rcu), 11);
		flags = (reclaim ? SF_SLAB_RECLAIM_ACCOUNT : 0) | (hw ? SF_SLAB_HWCACHE_ALIGN : 0);
		if (g.capacity == 0)
			flags |= SF_SLAB_NOLEAKTRACE;
		/*
		 * Not in the table: whether the free pointer is outside (a constructor, or RCU
		 * without a place of its own inside), and a capacity that the cache asked for.
		 */
		if (!make(&b, &g, flags, 0))
			assert_true(make(&b, &g, flags | SF_SLAB_CTOR, 0));
		if (c->sheaf_capacity != g.capacity) {
			uint32_t model = c->sheaf_capacity;

			assert_true(make(&b, &g, c->flags & ~(uint32_t)SF_SLAB_NO_MERGE,
					 g.capacity));
			/* Only a request can raise it, and only caches known to make one. */
			if (g.capacity <= model || (strcmp(name, "maple_node") != 0 &&
						    strcmp(name, "vm_area_struct") != 0))
				fail_msg("%s: %s: sheaf capacity %u, model %u", file, name,
					 g.capacity, model);
		}
		same(file, name, "order", c->order, g.order);
		same(file, name, "objects per slab", c->objects, g.objects);
		same(file, name, "min_partial", c->min_partial, g.min_partial);
		same(file, name, "sheaf capacity", c->sheaf_capacity, g.capacity);
		c = boot_cache(&b, name);
		if (c) {
			same(file, name, "boot cache's stride", c->stride, g.stride);
			same(file, name, "boot cache's alignment", c->align, g.align);
			same(file, name, "boot cache's order", c->order, g.order);
			same(file, name, "boot cache's sheaf capacity", c->sheaf_capacity,
			     g.capacity);
			by_name++;
		}
		b.checked++;
	}
	fclose(f);
	assert_int_equal(b.checked, expect);
	assert_int_equal(by_name, 26); /* kmalloc-* and kmalloc-rcl-* */
	print_message("%s: %u caches, %u of them boot caches of the model\n", file, b.checked,
		      by_name);
	bench_close(&b);
}

/* /proc/slabinfo: stride, objects per slab, pages per slab. */
static void check_slabinfo(const char *file, uint64_t cpus, unsigned int expect,
			   unsigned int expect_boot)
{
	static struct bench b;
	char path[256], line[512], name[128];
	unsigned int by_name = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/kernel/%s", SF_TESTS_DIR, file);
	f = fopen(path, "r");
	assert_non_null(f);
	bench_open(&b, cpus, 0);
	while (fgets(line, sizeof(line), f)) {
		struct geometry g = { .align = 8 };
		unsigned int pages;
		const struct sf_ev_cache *c = &b.heard.last;

		if (line[0] == '#' || !strncmp(line, "slabinfo", 8))
			continue;
		assert_int_equal(sscanf(line, "%127s %*u %*u %u %u %u", name, &g.object_size,
					&g.objects, &pages), 4);
		g.stride = g.object_size;
		assert_true(make(&b, &g, 0, 0));
		same(file, name, "objects per slab", c->objects, g.objects);
		same(file, name, "pages per slab", 1u << c->order, pages);
		c = boot_cache(&b, name);
		if (c) {
			same(file, name, "stride of the boot cache", c->stride, g.stride);
			same(file, name, "objects of the boot cache", c->objects, g.objects);
			by_name++;
		}
		b.checked++;
	}
	fclose(f);
	assert_int_equal(b.checked, expect);
	assert_int_equal(by_name, expect_boot);
	print_message("%s: %u caches, %u of them boot caches of the model\n", file, b.checked,
		      by_name);
	bench_close(&b);
}

static void sysfs_7_2(void **state)
{
	(void)state;
	check_sysfs("slab-sysfs-7.2-um-typed-1cpu.tsv", 1, 0, 359);
}

static void sysfs_7_2_min_order(void **state)
{
	(void)state;
	check_sysfs("slab-sysfs-7.2-um-typed-1cpu-slab_min_order=3.tsv", 1, 3, 359);
}

static void slabinfo_7_2(void **state)
{
	(void)state;
	check_slabinfo("slabinfo-7.2-um-typed-1cpu.txt", 1, 278, 26);
}

static void slabinfo_6_18(void **state)
{
	(void)state;
	check_slabinfo("slabinfo-6.18-x86_64-2cpu.txt", 2, 235, 52);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sysfs_7_2),
		cmocka_unit_test(sysfs_7_2_min_order),
		cmocka_unit_test(slabinfo_7_2),
		cmocka_unit_test(slabinfo_6_18),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
