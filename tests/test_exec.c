// SPDX-License-Identifier: MIT
/*
 * test_exec.c - what the executor asks and emits: types and tokens, the object family, flexible
 * arrays, buckets, kmalloc_nolock, memory of devices, wiped memory, reclaim, grace periods, memory
 * cgroups, failures. Relies on the executor and the models; whether these do it right is judged
 * elsewhere.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../harness/exec/exec.h"
#include "../harness/generate/mutate.h"
#include "../harness/program/token.h"
#include "each_allocator.h"

/* Events of a run, without those of the boot and those of the pages. */
struct seen {
	struct sf_event *ev;
	size_t nr, cap;
	uint32_t types, heaps;
	uint8_t token[512];
	uint8_t kind[1024]; /* of caches */
};

static void on_event(void *ctx, const struct sf_event *ev)
{
	struct seen *s = ctx;

	switch (ev->type) {
	case SF_EV_HEAP:
		s->heaps++;
		s->types = 0;
		break;
	case SF_EV_CTYPE:
		assert_int_equal(ev->ctype.index, ++s->types);
		assert_string_equal(ev->ctype.name, sf_types[s->types].name);
		s->token[s->types] = ev->ctype.token;
		break;
	case SF_EV_CACHE:
		assert_true(ev->cache.id < sizeof(s->kind));
		s->kind[ev->cache.id] = ev->cache.kind;
		break;
	case SF_EV_ALLOC:
	case SF_EV_REALLOC:
	case SF_EV_FREE:
	case SF_EV_SKIP:
	case SF_EV_BUCKETS_CREATE:
	case SF_EV_WARN:
	case SF_EV_OWNS:
	case SF_EV_PIN:
	case SF_EV_DEFER:
	case SF_EV_GRACE:
	case SF_EV_MIGRATE:
	case SF_EV_MEMCG:
	case SF_EV_CHARGE:
	case SF_EV_RECLAIM:
	case SF_EV_OOM:
	case SF_EV_FAULT:
		if (s->nr == s->cap) {
			s->cap = s->cap ? 2 * s->cap : 64;
			s->ev = realloc(s->ev, s->cap * sizeof(*s->ev));
			assert_non_null(s->ev);
		}
		s->ev[s->nr++] = *ev;
	}
}

struct fixture {
	struct seen seen;
	struct sf_prog prog;
	struct sf_exec *x;
	struct sf_exec_counts counts;
};

static void run_on(struct fixture *f, const struct sf_allocator *a, const char *text)
{
	static const struct sf_exec_options how = { .end = SF_END_TEARDOWN, .contents = true };
	struct sf_text_error where;
	struct sf_error err;

	memset(f, 0, sizeof(*f));
	sf_prog_init(&f->prog);
	if (sf_text_parse(&f->prog, text, strlen(text), &where))
		fail_msg("%u:%u: %s", where.line, where.col, where.text);
	f->x = sf_exec_create(a, &f->prog.settings, &how, on_event, &f->seen, &err);
	if (!f->x)
		fail_msg("%s", err.text);
	assert_int_equal(sf_exec_run(f->x, &f->prog, "test", &err), f->prog.nr_ops);
	sf_exec_counts(f->x, &f->counts);
	assert_int_equal(f->counts.live, 0);
}

static void run(struct fixture *f, const char *allocator, const char *text)
{
	run_on(f, sf_allocator_by_name(allocator), text);
}

static void done(struct fixture *f)
{
	sf_exec_destroy(f->x);
	sf_prog_free(&f->prog);
	free(f->seen.ev);
}

/* The event of that type of operation `op`, the n-th from 0 on; NULL: there is none. */
static const struct sf_event *find(const struct fixture *f, uint32_t op, uint8_t type, uint32_t n)
{
	for (size_t i = 0; i < f->seen.nr; i++)
		if (f->seen.ev[i].op == op && f->seen.ev[i].type == type && !n--)
			return &f->seen.ev[i];
	return NULL;
}

static const struct sf_ev_alloc *allocated(const struct fixture *f, uint32_t op)
{
	const struct sf_event *ev = find(f, op, SF_EV_ALLOC, 0);

	assert_non_null(ev);
	return &ev->alloc;
}

/* The free of a result, wherever it is emitted; *order says as which of all frees. */
static const struct sf_event *freed(const struct fixture *f, uint32_t res, uint32_t *order)
{
	uint32_t n = 0;

	for (size_t i = 0; i < f->seen.nr; i++) {
		const struct sf_event *ev = &f->seen.ev[i];

		if (ev->type != SF_EV_FREE)
			continue;
		if (ev->free.res == res) {
			*order = n;
			return ev;
		}
		n++;
	}
	return NULL;
}

static uint16_t type_index(const char *name)
{
	return (uint16_t)sf_type_index(sf_type_by_name(name, strlen(name)));
}

static void test_types_are_told(void **state)
{
	struct fixture f;
	struct sf_error err;

	(void)state;
	run(&f, "typed", "r0 = kmalloc(8, GFP_KERNEL)\n");
	assert_int_equal(f.seen.heaps, 1);
	assert_int_equal(f.seen.types, sf_type_count - 1);
	for (uint32_t i = 1; i < sf_type_count; i++)
		assert_int_equal(f.seen.token[i], sf_type_token(i));
	/* Again with another heap, and not otherwise. */
	f.seen.types = 0;
	assert_true(sf_exec_run(f.x, &f.prog, "test", &err) > 0);
	assert_int_equal(f.seen.types, 0);
	f.prog.settings.seed = 9;
	assert_true(sf_exec_run(f.x, &f.prog, "test", &err) > 0);
	assert_int_equal(f.seen.heaps, 2);
	assert_int_equal(f.seen.types, sf_type_count - 1);
	done(&f);
}

static void test_requests_carry_types(void **state)
{
	const struct sf_ev_alloc *a;
	struct fixture f;

	(void)state;
	FOR_EACH_ALLOCATOR(of, SF_CAP_KMALLOC) {
		run_on(&f, of,
		       "r0 = kmalloc(100, GFP_KERNEL)\n"
		       "r1 = kmalloc(100, GFP_KERNEL, type=struct cred)\n"
		       "r2 = kmalloc(100, GFP_KERNEL, type=struct cred, token=3)\n"
		       "r3 = kmalloc_obj(struct fpu_state, GFP_KERNEL)\n"
		       "r4 = kmalloc_objs(struct extent, 5, GFP_KERNEL, token=0)\n"
		       "r5 = krealloc(r0, 5000, GFP_KERNEL, type=struct file)\n");
		a = allocated(&f, 0);
		assert_int_equal(a->type, 0);
		assert_int_equal(a->token, 0);
		assert_int_equal(a->type_align, 0);
		assert_true(a->bucket == SF_NONE && !a->forced && !a->counter_size);
		a = allocated(&f, 1);
		assert_int_equal(a->type, type_index("struct cred"));
		assert_int_equal(a->token, sf_type_token(a->type));
		assert_int_equal(a->type_align, 0);
		a = allocated(&f, 2);
		assert_int_equal(a->token, 3);
		assert_true(a->forced);
		if (of->caps & SF_CAP_TYPED)
			assert_int_equal(a->place.partition, 3);
		a = allocated(&f, 3);
		assert_int_equal(a->type_align, 64);
		a = allocated(&f, 4);
		assert_true(a->forced && !a->token);
		assert_int_equal(a->size, 5 * sf_types[a->type].size);
		a = &find(&f, 5, SF_EV_REALLOC, 0)->alloc;
		assert_int_equal(a->token, sf_type_token(type_index("struct file")));
		done(&f);
	}
}

static void test_kv_objects(void **state)
{
	const struct sf_ev_alloc *a;
	uint32_t order;
	struct fixture f;

	(void)state;
	run(&f, "typed",
	    "r0 = kvmalloc_obj(struct cred, GFP_KERNEL)\n"
	    "r1 = kvzalloc_objs(struct huge_table, 300, GFP_KERNEL)\n"
	    "r2 = kvmalloc_objs(struct huge_table, SIZE_MAX, GFP_KERNEL|__GFP_NOWARN)\n"
	    "r3 = kvzalloc_flex(struct fdtable, 10, GFP_KERNEL)\n"
	    "kvfree(r0)\n"
	    "r4 = kmalloc_objs(struct huge_table, SIZE_MAX, GFP_KERNEL|__GFP_NOWARN)\n"
	    "r5 = kmalloc_flex(struct bitmap, SIZE_MAX, GFP_KERNEL|__GFP_NOWARN)\n");
	a = allocated(&f, 0);
	assert_int_equal(a->api, SF_API_KVMALLOC);
	assert_int_equal(a->type_align, sf_types[a->type].align);
	assert_int_equal(a->place.kind, SF_PLACE_SLAB);
	a = allocated(&f, 1);
	assert_true(a->gfp & SF_GFP_ZERO);
	assert_int_equal(a->size, 300ull * 16384);
	assert_int_equal(a->dirty, SF_GOOD);
	assert_true(a->zeroed >= a->size);
	a = allocated(&f, 2);
	assert_true(!a->addr && a->size == UINT64_MAX && !a->overflow);
	a = allocated(&f, 3);
	assert_int_equal(a->counter_size, 4);
	assert_int_equal(a->counter, 10);
	assert_int_equal(a->size, 32 + 80);
	assert_int_equal(a->dirty, SF_GOOD);
	assert_int_equal(freed(&f, 0, &order)->free.how, SF_KVFREE);
	assert_true(!allocated(&f, 5)->addr && allocated(&f, 5)->size == UINT64_MAX);
	assert_true(!allocated(&f, 6)->addr && allocated(&f, 6)->size == UINT64_MAX);
	done(&f);
}

/* struct scatter_table counts in a u8, 16 bytes into the object. */
static void test_counters(void **state)
{
	static const char text[] = "r0 = kzalloc_flex(struct scatter_table, 255, GFP_KERNEL)\n"
				   "r1 = kmalloc_flex(struct scatter_table, 256, GFP_KERNEL)\n"
				   "r2 = kvzalloc_flex(struct scatter_table, 300, GFP_KERNEL)\n"
				   "r3 = kmalloc_flex(struct bitmap, 3, GFP_KERNEL)\n";
	const struct sf_ev_alloc *a;
	char whole[400];
	struct fixture f;

	(void)state;
	for (int implemented = 0; implemented < 2; implemented++) {
		strcpy(whole, implemented ? "heap flex=implemented\n" : "");
		run(&f, "baseline", strcat(whole, text));
		a = allocated(&f, 0);
		assert_int_equal(a->counter_size, 1);
		assert_int_equal(a->count, 255);
		assert_int_equal(a->counter, 255);
		assert_int_equal(a->dirty, SF_GOOD);
		assert_int_equal(a->zeroed, 8192); /* 6144 bytes: the counter is in there */
		a = allocated(&f, 1);
		assert_int_equal(a->counter_size, implemented ? 1 : a->counter_size);
		assert_int_equal(a->addr != 0, implemented);
		assert_int_equal(a->count, 256);
		assert_int_equal(a->counter, 0);
		a = allocated(&f, 2);
		assert_int_equal(a->addr != 0, implemented);
		assert_int_equal(a->counter, implemented ? 300 & 0xff : 0);
		assert_int_equal(allocated(&f, 3)->counter_size, 0);
		done(&f);
	}
}

static void test_buckets(void **state)
{
	static const char text[] = "r0 = kmem_buckets_create(\"msg\", SLAB_ACCOUNT, usersize=64)\n"
				   "r1 = kmem_buckets_alloc(r0, 100, GFP_KERNEL)\n"
				   "r2 = kmem_buckets_valloc(r0, 20000, GFP_KERNEL)\n"
				   "r3 = kmem_buckets_alloc(r0, 0, GFP_KERNEL)\n"
				   "kfree(r1)\n"
				   "kvfree(r2)\n";
	const struct sf_ev_alloc *a;
	const struct sf_event *ev;
	char whole[400];
	struct fixture f;

	(void)state;
	for (int on = 0; on < 2; on++) {
		strcpy(whole, on ? "" : "heap buckets=0\n");
		run(&f, "typed", strcat(whole, text));
		ev = find(&f, 0, SF_EV_BUCKETS_CREATE, 0);
		assert_non_null(ev);
		assert_string_equal(ev->cacheop.name, "msg");
		assert_int_equal(ev->cacheop.usersize, 64);
		assert_int_equal(ev->cacheop.flags, SF_SLAB_ACCOUNT);
		assert_int_equal(ev->cacheop.cache, on ? 0 : SF_BUCKETS_OFF);
		a = allocated(&f, 1);
		assert_int_equal(a->bucket, ev->cacheop.cache);
		assert_int_equal(f.seen.kind[a->place.cache],
				 on ? SF_CACHE_BUCKET : SF_CACHE_KMALLOC);
		a = allocated(&f, 2);
		assert_int_equal(a->api, SF_API_KVMALLOC);
		assert_int_equal(a->bucket, ev->cacheop.cache);
		assert_int_equal(allocated(&f, 3)->addr, SF_ZERO_SIZE_PTR);
		assert_int_equal(f.counts.skipped[SF_SKIP_DEAD], 0);
		done(&f);
	}
}

static void test_nolock(void **state)
{
	const struct sf_ev_alloc *a;
	const struct sf_event *ev;
	uint32_t order;
	struct fixture f;

	(void)state;
	run(&f, "baseline",
	    "r0 = kmalloc_nolock(100, __GFP_ZERO)\n"
	    "r1 = kmalloc_nolock(10000, 0)\n"
	    "kfree_nolock(r0)\n"
	    "r2 = kmalloc(10000, GFP_KERNEL)\n"
	    "kfree_nolock(r2)\n"
	    "kfree_nolock(NULL)\n");
	a = allocated(&f, 0);
	assert_int_equal(a->api, SF_API_NOLOCK);
	assert_int_equal(a->dirty, SF_GOOD);
	assert_true(a->zeroed);
	assert_true(!allocated(&f, 1)->addr);
	ev = freed(&f, 0, &order);
	assert_int_equal(ev->free.how, SF_KFREE_NOLOCK);
	assert_int_equal(ev->free.status, SF_OK);
	/* It does not take large ones: that one stays, and goes in the end. */
	ev = find(&f, 4, SF_EV_FREE, 0);
	assert_int_equal(ev->free.status, SF_NOTICED);
	assert_non_null(find(&f, 4, SF_EV_WARN, 0));
	ev = find(&f, SF_NONE, SF_EV_FREE, 0);
	assert_int_equal(ev->free.res, 2);
	assert_int_equal(ev->free.how, SF_KFREE);
	assert_int_equal(ev->free.status, SF_OK);
	assert_int_equal(ev->free.bad, SF_GOOD);
	assert_int_equal(find(&f, 5, SF_EV_FREE, 0)->free.how, SF_KFREE_NOLOCK);
	done(&f);
}

/* --- memory of devices --- */

static void test_devm_requests(void **state)
{
	const uint16_t devres = type_index("struct devres");
	const struct sf_ev_alloc *a;
	struct fixture f;

	(void)state;
	run(&f, "random",
	    "r0 = root_device_register(\"eth0\")\n"
	    "r1 = devm_kmalloc(r0, 100, GFP_KERNEL)\n"
	    "r2 = devm_kzalloc(r0, 200, GFP_KERNEL)\n"
	    "r3 = devm_kmalloc_array(r0, 10, 30, GFP_KERNEL)\n"
	    "r4 = devm_kcalloc(r0, SIZE_MAX, 2, GFP_KERNEL)\n"
	    "r5 = devm_kmalloc(r0, SIZE_MAX-10, GFP_KERNEL)\n"
	    "r6 = devm_kmalloc(r0, 0, GFP_KERNEL)\n"
	    "r7 = devm_kcalloc(r0, 3, 0, GFP_KERNEL)\n");
	a = allocated(&f, 1);
	assert_int_equal(a->size, 156);
	assert_int_equal(a->elem, 156);
	assert_int_equal(a->type, devres);
	assert_int_equal(a->token, sf_type_token(devres));
	assert_int_equal(a->site, 65535);
	assert_int_equal(a->type_align, 0);
	assert_int_equal(a->place.object_size, 192);
	a = allocated(&f, 2);
	assert_int_equal(a->size, 256);
	assert_true((a->gfp & SF_GFP_ZERO) && a->zeroed == 256 && a->dirty == SF_GOOD);
	/* One type, one site: one partition. */
	assert_int_equal(a->place.partition, allocated(&f, 1)->place.partition);
	assert_int_equal(allocated(&f, 3)->size, 356);
	a = allocated(&f, 4);
	assert_true(!a->addr && a->overflow && a->n == UINT64_MAX && a->elem == 2);
	a = allocated(&f, 5);
	assert_true(!a->addr && a->size == UINT64_MAX);
	for (uint32_t op = 6; op < 8; op++) {
		a = allocated(&f, op);
		assert_int_equal(a->addr, SF_ZERO_SIZE_PTR);
		assert_int_equal(a->size, 0);
	}
	done(&f);
}

static void test_devm_order(void **state)
{
	uint32_t order[12];
	struct fixture f;

	(void)state;
	run(&f, "baseline",
	    "r0 = root_device_register(\"a\")\n"
	    "r1 = devm_kmalloc(r0, 10, GFP_KERNEL)\n"
	    "r2 = devm_kmalloc(r0, 20, GFP_KERNEL)\n"
	    "r3 = root_device_register(\"b\")\n"
	    "r4 = devm_kmalloc(r3, 30, GFP_KERNEL)\n"
	    "r5 = devm_kmalloc(r0, 40, GFP_KERNEL)\n"
	    "r6 = devm_kmalloc(r0, 50, GFP_KERNEL)\n"
	    "devm_kfree(r0, r5)\n"
	    "r7 = devm_krealloc(r0, r2, 5000, GFP_KERNEL)\n" /* moves, keeps its turn */
	    "root_device_unregister(r0)\n"
	    "r8 = devm_kmalloc(r3, 60, GFP_KERNEL)\n");
	for (uint32_t res = 1; res < 9; res++)
		if (res != 3)
			assert_non_null(freed(&f, res, &order[res]));
	assert_int_equal(find(&f, 7, SF_EV_FREE, 0)->free.res, 5);
	assert_int_equal(find(&f, 9, SF_EV_FREE, 0)->free.res, 6);
	assert_int_equal(find(&f, 9, SF_EV_FREE, 1)->free.res, 7);
	assert_int_equal(find(&f, 9, SF_EV_FREE, 2)->free.res, 1);
	assert_null(find(&f, 9, SF_EV_FREE, 3));
	/* A device that is left goes at the end, in the same way. */
	assert_int_equal(find(&f, SF_NONE, SF_EV_FREE, 0)->free.res, 8);
	assert_int_equal(find(&f, SF_NONE, SF_EV_FREE, 1)->free.res, 4);
	assert_true(order[5] < order[2] && order[2] < order[6]);
	done(&f);
}

/* drivers/base/devres.c:devm_krealloc: in place while the block is large enough, else a new one. */
static void test_devm_krealloc(void **state)
{
	const struct sf_event *ev;
	struct fixture f;

	(void)state;
	run(&f, "typed",
	    "r0 = root_device_register(\"a\")\n"
	    "r1 = devm_kmalloc(r0, 100, GFP_KERNEL)\n"
	    "r2 = devm_krealloc(r0, r1, 136, GFP_KERNEL|__GFP_ZERO)\n"
	    "r3 = devm_krealloc(r0, r2, 137, GFP_KERNEL)\n"
	    "r4 = devm_krealloc(r0, r3, 1, GFP_KERNEL)\n"
	    "r5 = devm_krealloc(r0, NULL, 10, GFP_KERNEL)\n"
	    "r6 = devm_krealloc(r0, r5, 0, GFP_KERNEL)\n"
	    "r7 = devm_krealloc(r0, r6, 10, GFP_KERNEL)\n"
	    "r8 = devm_krealloc(r0, r7, SIZE_MAX, GFP_KERNEL)\n"
	    "devm_kfree(r0, r4)\n");
	ev = find(&f, 2, SF_EV_REALLOC, 0); /* 192 bytes hold it: nothing is zeroed */
	assert_non_null(ev);
	assert_int_equal(ev->alloc.addr, allocated(&f, 1)->addr);
	assert_int_equal(ev->alloc.size, 192);
	assert_true(!ev->alloc.moved && ev->alloc.id == ev->alloc.old_id);
	assert_false(ev->alloc.gfp & SF_GFP_ZERO);
	assert_null(find(&f, 3, SF_EV_REALLOC, 0));
	assert_int_equal(allocated(&f, 3)->size, 193);
	assert_int_equal(find(&f, 3, SF_EV_FREE, 0)->free.res, 2);
	assert_int_equal(find(&f, 3, SF_EV_FREE, 0)->free.bad, SF_GOOD);
	ev = find(&f, 4, SF_EV_REALLOC, 0);
	assert_int_equal(ev->alloc.size, 57);
	assert_int_equal(allocated(&f, 5)->size, 66);
	assert_int_equal(allocated(&f, 6)->addr, SF_ZERO_SIZE_PTR);
	assert_int_equal(find(&f, 6, SF_EV_FREE, 0)->free.res, 5);
	assert_int_equal(allocated(&f, 7)->size, 66);
	assert_true(!allocated(&f, 8)->addr);
	assert_null(find(&f, 8, SF_EV_FREE, 0));
	assert_int_equal(find(&f, 9, SF_EV_FREE, 0)->free.res, 4);
	assert_int_equal(find(&f, SF_NONE, SF_EV_FREE, 0)->free.res, 7);
	done(&f);
}

/* --- zeroes that were not asked for --- */

static void test_wiped_memory(void **state)
{
	static const char text[] = "r0 = kmalloc(100, GFP_KERNEL)\n"
				   "kfree(r0)\n"
				   "r1 = kmalloc(100, GFP_KERNEL)\n"
				   "r2 = krealloc(r1, 120, GFP_KERNEL)\n"
				   "r3 = krealloc(r2, 1000, GFP_KERNEL)\n"
				   "r4 = alloc_pages(GFP_KERNEL, 1)\n";
	const struct sf_ev_alloc *a;
	char whole[400];
	struct fixture f;

	(void)state;
	for (int on = 0; on < 2; on++) {
		strcpy(whole, on ? "heap init_on_free=1\n" : "");
		run(&f, "baseline", strcat(whole, text));
		a = allocated(&f, 2);
		assert_int_equal(a->addr, allocated(&f, 0)->addr);
		assert_int_equal(a->zeroed, on ? 128 : 0);
		assert_int_equal(a->dirty, SF_GOOD);
		assert_int_equal(find(&f, 3, SF_EV_REALLOC, 0)->alloc.zeroed, 0); /* not fresh */
		a = &find(&f, 4, SF_EV_REALLOC, 0)->alloc;
		assert_int_equal(a->zeroed, on ? 1024 - 128 : 0); /* the whole slot was copied */
		assert_int_equal(a->dirty, SF_GOOD);
		assert_int_equal(allocated(&f, 5)->zeroed, on ? 8192 : 0);
		done(&f);
	}
}

/* Zeroes end where the slot ends, wherever the object begins in it. */
static void test_offset_in_slot(void **state)
{
	uint32_t moved = 0;
	struct fixture f;
	char text[4000];
	size_t len;

	(void)state;
	len = (size_t)sprintf(text, "heap slot_offset=1 seed=5\n");
	for (int i = 0; i < 32; i++)
		len += (size_t)sprintf(text + len,
				       "r%d = kzalloc_obj(struct extent[4], GFP_KERNEL)\n", i);
	run(&f, "baseline", text);
	for (uint32_t op = 0; op < 32; op++) {
		const struct sf_ev_alloc *a = allocated(&f, op);

		moved += a->place.offset != 0;
		assert_int_equal(a->zeroed, a->place.object_size - a->place.offset);
		assert_int_equal(a->dirty, SF_GOOD);
		assert_true(a->place.offset + a->size <= a->place.object_size);
	}
	assert_true(moved > 0);
	done(&f);
}

/* --- reclaim --- */

/* What the last operation came to, in another run. */
static struct sf_outcome last_outcome(struct fixture *f)
{
	struct sf_outcome out;

	sf_exec_begin(f->x, "again");
	for (uint32_t i = 0; i < f->prog.nr_ops; i++)
		assert_true(sf_exec_step(f->x, &f->prog.ops[i], f->prog.strings));
	out = *sf_exec_outcome(f->x);
	sf_exec_end(f->x);
	return out;
}

/* The n-th free that operation `op` emits. */
static const struct sf_ev_free *nth_free(const struct fixture *f, uint32_t op, uint32_t n)
{
	const struct sf_event *ev = find(f, op, SF_EV_FREE, n);

	assert_non_null(ev);
	assert_int_equal(ev->free.status, SF_OK);
	assert_int_equal(ev->free.bad, SF_GOOD);
	assert_true(ev->free.verified);
	return &ev->free;
}

static void test_shrink(void **state)
{
	const struct sf_event *ev;
	struct fixture f;

	(void)state;
	run(&f, "baseline",
	    "c0 = kmem_cache_create(\"dentry\", 192, 8, SLAB_RECLAIM_ACCOUNT)\n"
	    "r1 = kmem_cache_alloc(c0, GFP_KERNEL)\n"
	    "r2 = kmalloc(200, GFP_KERNEL|__GFP_RECLAIMABLE)\n"
	    "owns(r1, r2)\n"
	    "r3 = kmem_cache_alloc_bulk(c0, GFP_KERNEL, 3)\n"
	    "r4 = kmem_cache_zalloc(c0, GFP_KERNEL)\n"
	    "shrink(1)\n"
	    "kfree(r2)\n"
	    "kmem_cache_free(c0, r1)\n"
	    "shrink(SIZE_MAX)\n");
	assert_true(allocated(&f, 1)->lru && allocated(&f, 5)->lru);
	assert_false(allocated(&f, 2)->lru || allocated(&f, 4)->lru);
	ev = find(&f, 3, SF_EV_OWNS, 0);
	assert_non_null(ev);
	assert_int_equal(ev->owns.owner, allocated(&f, 1)->id);
	assert_int_equal(ev->owns.owned, allocated(&f, 2)->id);
	/* The name first, then its dentry; the younger dentry stays. */
	assert_int_equal(nth_free(&f, 6, 0)->res, 2);
	assert_int_equal(nth_free(&f, 6, 0)->how, SF_FREE_OWNER);
	assert_int_equal(nth_free(&f, 6, 0)->addr, allocated(&f, 2)->addr);
	assert_int_equal(nth_free(&f, 6, 1)->res, 1);
	assert_int_equal(nth_free(&f, 6, 1)->how, SF_FREE_SHRINK);
	assert_null(find(&f, 6, SF_EV_FREE, 2));
	assert_int_equal(find(&f, 7, SF_EV_SKIP, 0)->skip.reason, SF_SKIP_DEAD);
	assert_int_equal(find(&f, 8, SF_EV_SKIP, 0)->skip.reason, SF_SKIP_DEAD);
	assert_int_equal(nth_free(&f, 9, 0)->res, 4);
	assert_null(find(&f, 9, SF_EV_FREE, 1));
	assert_int_equal(last_outcome(&f).ret, 1);
	done(&f);
}

/* A user's free takes what is owned first, whatever the free is called. */
static void test_owner_freed(void **state)
{
	struct fixture f;

	(void)state;
	run(&f, "typed",
	    "c0 = kmem_cache_create(\"a\", 100, 8, 0)\n"
	    "r1 = kmem_cache_alloc(c0, GFP_KERNEL)\n"
	    "r2 = kmalloc(100, GFP_KERNEL)\n"
	    "r3 = kvmalloc(5000000, GFP_KERNEL)\n"
	    "r4 = kmem_cache_alloc(c0, GFP_KERNEL)\n"
	    "owns(r1, r2)\n"
	    "owns(r2, r3)\n"
	    "owns(r2, r4)\n"
	    "kmem_cache_free(c0, r1)\n"
	    "r5 = kmalloc(100, GFP_KERNEL)\n"
	    "r6 = kmalloc(100, GFP_KERNEL)\n"
	    "owns(r5, r6)\n");
	assert_int_equal(nth_free(&f, 8, 0)->res, 3);
	assert_int_equal(nth_free(&f, 8, 1)->res, 4);
	assert_int_equal(nth_free(&f, 8, 2)->res, 2);
	for (uint32_t n = 0; n < 3; n++)
		assert_int_equal(nth_free(&f, 8, n)->how, SF_FREE_OWNER);
	assert_int_equal(nth_free(&f, 8, 3)->res, 1);
	assert_int_equal(nth_free(&f, 8, 3)->how, SF_KFREE);
	assert_int_equal(nth_free(&f, 8, 3)->cache, allocated(&f, 1)->cache);
	/* In the end as well. */
	assert_int_equal(nth_free(&f, SF_NONE, 0)->res, 6);
	assert_int_equal(nth_free(&f, SF_NONE, 0)->how, SF_FREE_OWNER);
	assert_int_equal(nth_free(&f, SF_NONE, 1)->res, 5);
	assert_null(find(&f, SF_NONE, SF_EV_FREE, 2));
	done(&f);
}

static void test_refused_owners(void **state)
{
	static const uint8_t reasons[] = { SF_SKIP_REFUSED, SF_SKIP_REFUSED, SF_SKIP_REFUSED,
					   SF_SKIP_REFUSED, SF_SKIP_REFUSED, SF_SKIP_NULL,
					   SF_SKIP_NULL,    SF_SKIP_DEAD,    SF_SKIP_DEAD };
	struct fixture f;

	(void)state;
	run(&f, "baseline",
	    "r0 = root_device_register(\"a\")\n"
	    "r1 = devm_kmalloc(r0, 10, GFP_KERNEL)\n"
	    "r2 = kmalloc(10, GFP_KERNEL)\n"
	    "r3 = kmalloc(10, GFP_KERNEL)\n"
	    "r4 = kmalloc(0, GFP_KERNEL)\n"
	    "r5 = kmalloc(SIZE_MAX, GFP_KERNEL|__GFP_NOWARN)\n"
	    "owns(r2, r3)\n"
	    "owns(r2, r2)\n" /* 7 */
	    "owns(r3, r2)\n"
	    "owns(r2, r3)\n"
	    "owns(r2, r1)\n"
	    "owns(r1, r2)\n"
	    "owns(r2, r4)\n"
	    "pin(r4)\n"
	    "owns(r2, r5)\n"
	    "pin(r5)\n");
	assert_non_null(find(&f, 6, SF_EV_OWNS, 0));
	for (uint32_t i = 0; i < sizeof(reasons); i++) {
		assert_null(find(&f, 7 + i, SF_EV_OWNS, 0));
		assert_null(find(&f, 7 + i, SF_EV_PIN, 0));
		assert_int_equal(find(&f, 7 + i, SF_EV_SKIP, 0)->skip.reason, reasons[i]);
	}
	done(&f);
}

static void test_pin(void **state)
{
	struct fixture f;

	(void)state;
	run(&f, "random",
	    "c0 = kmem_cache_create(\"dentry\", 192, 8, SLAB_RECLAIM_ACCOUNT)\n"
	    "r1 = kmem_cache_alloc(c0, GFP_KERNEL)\n"
	    "r2 = kmem_cache_alloc(c0, GFP_KERNEL)\n"
	    "r3 = kmalloc(200, GFP_KERNEL|__GFP_RECLAIMABLE)\n"
	    "owns(r2, r3)\n"
	    "pin(r1)\n"
	    "pin(r3)\n"
	    "shrink(9)\n" /* 7 */
	    "verify(r3)\n"
	    "kfree(r3)\n"
	    "unpin(r1)\n"
	    "shrink(9)\n");
	assert_true(find(&f, 5, SF_EV_PIN, 0)->pin.on);
	assert_int_equal(find(&f, 5, SF_EV_PIN, 0)->pin.id, allocated(&f, 1)->id);
	assert_int_equal(nth_free(&f, 7, 0)->res, 2);
	assert_null(find(&f, 7, SF_EV_FREE, 1));
	assert_int_equal(nth_free(&f, 9, 0)->res, 3);
	assert_int_equal(nth_free(&f, 9, 0)->how, SF_KFREE);
	assert_false(find(&f, 10, SF_EV_PIN, 0)->pin.on);
	assert_int_equal(nth_free(&f, 11, 0)->res, 1);
	done(&f);
}

/* Direct reclaim in the midst of krealloc() takes everything but what is being resized. */
static void test_krealloc_under_pressure(void **state)
{
	const struct sf_event *ev;
	uint32_t n = 0;
	struct fixture f;
	char text[4000];
	size_t len;

	(void)state;
	len = (size_t)sprintf(text,
			      "heap pages=64 cpus=1 watermarks=0 sheaves=0\n"
			      "c0 = kmem_cache_create(\"dentry\", 4096, 8, SLAB_RECLAIM_ACCOUNT)\n"
			      "r1 = kmem_cache_alloc(c0, GFP_KERNEL)\n"
			      "r2 = kmalloc(200, GFP_KERNEL|__GFP_RECLAIMABLE)\n"
			      "owns(r1, r2)\n");
	for (int i = 3; i < 65; i++)
		len += (size_t)sprintf(text + len, "r%d = kmem_cache_alloc(c0, GFP_KERNEL)\n", i);
	sprintf(text + len, "r99 = krealloc(r2, 4000, GFP_KERNEL|__GFP_RECLAIMABLE)\nkfree(r99)\n");
	run(&f, "baseline", text);
	ev = find(&f, 66, SF_EV_REALLOC, 0);
	assert_non_null(ev);
	assert_true(ev->alloc.addr && ev->alloc.moved);
	assert_int_equal(ev->alloc.bad, SF_GOOD);
	assert_int_equal(ev->alloc.kept, 200);
	assert_non_null(find(&f, 66, SF_EV_RECLAIM, 0));
	for (; (ev = find(&f, 66, SF_EV_FREE, n)); n++)
		assert_int_not_equal(ev->free.res, 2);
	assert_int_equal(n, 63); /* its owner as well */
	assert_int_equal(nth_free(&f, 67, 0)->how, SF_KFREE);
	done(&f);
}

/* An owned object stays owned where krealloc() puts it. */
static void test_krealloc_owned(void **state)
{
	const struct sf_ev_alloc *a;
	struct fixture f;

	(void)state;
	run(&f, "typed",
	    "c0 = kmem_cache_create(\"dentry\", 192, 8, SLAB_RECLAIM_ACCOUNT)\n"
	    "r1 = kmem_cache_alloc(c0, GFP_KERNEL)\n"
	    "r2 = kmalloc(10, GFP_KERNEL|__GFP_RECLAIMABLE)\n"
	    "r3 = kmalloc(10, GFP_KERNEL|__GFP_RECLAIMABLE)\n"
	    "owns(r1, r2)\n"
	    "owns(r2, r3)\n"
	    "r4 = krealloc(r2, 3000, GFP_KERNEL|__GFP_RECLAIMABLE)\n"
	    "shrink(1)\n");
	a = &find(&f, 6, SF_EV_REALLOC, 0)->alloc;
	assert_true(a->moved);
	assert_int_equal(nth_free(&f, 7, 0)->res, 3);
	assert_int_equal(nth_free(&f, 7, 1)->res, 4);
	assert_int_equal(nth_free(&f, 7, 1)->addr, a->addr);
	assert_int_equal(nth_free(&f, 7, 1)->id, a->id);
	assert_int_equal(nth_free(&f, 7, 2)->res, 1);
	done(&f);
}

/* Page 2n is freed, page 2n + 1 moves: contents come along, and it is freed where it is then. */
static void test_migration(void **state)
{
	const struct sf_event *ev, *end;
	uint32_t moved = 0, order;
	struct fixture f;
	char text[8000];
	size_t len;

	(void)state;
	len = (size_t)sprintf(text, "heap pages=512 cpus=1 pageblock_order=4 watermarks=0\n");
	for (int i = 0; i < 100; i++)
		len += (size_t)sprintf(text + len, "r%d = alloc_pages(GFP_HIGHUSER_MOVABLE, 0)\n",
				       i);
	for (int i = 0; i < 100; i += 2)
		len += (size_t)sprintf(text + len, "__free_pages(r%d)\n", i);
	sprintf(text + len, "drain_all_pages()\ncompact_memory()\n");
	run(&f, "baseline", text);
	for (; (ev = find(&f, 151, SF_EV_MIGRATE, moved)); moved++) {
		assert_int_not_equal(ev->migrate.from, ev->migrate.to);
		assert_int_equal(ev->migrate.bad, SF_GOOD);
		assert_int_equal(ev->migrate.verified, SF_PAGE_SIZE);
	}
	assert_true(moved > 10);
	for (uint32_t res = 1; res < 100; res += 2) {
		uint64_t at = allocated(&f, res)->addr;

		for (uint32_t n = 0; n < moved; n++) {
			ev = find(&f, 151, SF_EV_MIGRATE, n);
			if (ev->migrate.id == allocated(&f, res)->id && ev->migrate.from == at)
				at = ev->migrate.to;
		}
		end = freed(&f, res, &order);
		assert_non_null(end);
		assert_int_equal(end->free.addr, at);
		assert_int_equal(end->free.bad, SF_GOOD);
	}
	done(&f);
}

/* --- grace periods --- */

static void test_kfree_rcu(void **state)
{
	const struct sf_event *ev, *next;
	struct fixture f;

	(void)state;
	run(&f, "baseline",
	    "r0 = kmalloc(100, GFP_KERNEL)\n"
	    "r1 = kmalloc(20000, GFP_KERNEL)\n"
	    "r2 = kmalloc(100, GFP_KERNEL)\n"
	    "r3 = kmalloc(50, GFP_KERNEL)\n"
	    "kfree_rcu(r0)\n"
	    "kfree_rcu(r1)\n"
	    "kfree_rcu(NULL)\n"
	    "grace_period()\n"
	    "kvfree_rcu_barrier()\n"
	    "owns(r2, r3)\n"
	    "kfree_rcu(r2)\n");
	for (uint32_t op = 4; op < 6; op++) {
		ev = find(&f, op, SF_EV_DEFER, 0);
		assert_non_null(ev);
		assert_int_equal(ev->defer.id, allocated(&f, op - 4)->id);
		assert_int_equal(ev->defer.res, op - 4);
		assert_int_equal(ev->defer.how, SF_KFREE_RCU);
		assert_int_equal(ev->defer.bad, SF_GOOD);
		assert_true(ev->defer.verified);
		assert_null(find(&f, op, SF_EV_FREE, 0));
	}
	assert_null(find(&f, 6, SF_EV_DEFER, 0));
	assert_null(find(&f, 6, SF_EV_SKIP, 0));
	/* No sheaf is full: only what goes through none. */
	assert_int_equal(nth_free(&f, 7, 0)->res, 1);
	assert_int_equal(nth_free(&f, 7, 0)->how, SF_KFREE_RCU);
	assert_null(find(&f, 7, SF_EV_FREE, 1));
	ev = find(&f, 8, SF_EV_GRACE, 0);
	assert_non_null(ev);
	assert_true(ev->grace.barrier && ev < find(&f, 8, SF_EV_FREE, 0));
	assert_int_equal(nth_free(&f, 8, 0)->res, 0);
	/* The program's end waits for the rest before anything else. */
	ev = find(&f, SF_NONE, SF_EV_GRACE, 0);
	next = find(&f, SF_NONE, SF_EV_FREE, 0);
	assert_true(ev && next && ev < next);
	assert_int_equal(nth_free(&f, SF_NONE, 0)->res, 3);
	assert_int_equal(nth_free(&f, SF_NONE, 0)->how, SF_FREE_OWNER);
	assert_int_equal(nth_free(&f, SF_NONE, 1)->res, 2);
	assert_int_equal(nth_free(&f, SF_NONE, 1)->how, SF_KFREE_RCU);
	done(&f);
}

static void test_rcu_shrinker(void **state)
{
	struct fixture f;

	(void)state;
	run(&f, "baseline",
	    "c0 = kmem_cache_create(\"dentry\", 192, 8, SLAB_RECLAIM_ACCOUNT)\n"
	    "c1 = kmem_cache_create(\"other\", 192, 8, SLAB_NO_MERGE)\n"
	    "shrinker(c0, rcu=1)\n"
	    "shrinker(c1, rcu=1)\n"
	    "r2 = kmem_cache_alloc(c0, GFP_KERNEL)\n"
	    "r3 = kmalloc(200, GFP_KERNEL|__GFP_RECLAIMABLE)\n"
	    "owns(r2, r3)\n"
	    "shrink(1)\n" /* 7 */
	    "kfree(r3)\n"
	    "grace_period()\n");
	assert_null(find(&f, 2, SF_EV_SKIP, 0));
	assert_int_equal(find(&f, 3, SF_EV_SKIP, 0)->skip.reason, SF_SKIP_REFUSED);
	assert_null(find(&f, 7, SF_EV_FREE, 0));
	assert_int_equal(find(&f, 7, SF_EV_DEFER, 0)->defer.res, 3);
	assert_int_equal(find(&f, 7, SF_EV_DEFER, 0)->defer.how, SF_FREE_OWNER);
	assert_int_equal(find(&f, 7, SF_EV_DEFER, 1)->defer.res, 2);
	assert_int_equal(find(&f, 7, SF_EV_DEFER, 1)->defer.how, SF_FREE_SHRINK);
	assert_int_equal(find(&f, 8, SF_EV_SKIP, 0)->skip.reason, SF_SKIP_DEAD);
	assert_int_equal(nth_free(&f, 9, 0)->res, 3);
	assert_int_equal(nth_free(&f, 9, 1)->res, 2);
	assert_int_equal(nth_free(&f, 9, 1)->how, SF_KFREE_RCU);
	done(&f);
}

/* --- groups, failures --- */

static void test_groups(void **state)
{
	const struct sf_event *ev;
	struct fixture f;
	uint32_t a, b;

	(void)state;
	run(&f, "baseline",
	    "r0 = mem_cgroup_create(NULL)\n"
	    "r1 = mem_cgroup_create(r0, max=1000)\n"
	    "set_active_memcg(r1)\n"
	    "r2 = kmalloc(256, GFP_KERNEL_ACCOUNT)\n"
	    "r3 = kmalloc(1024, GFP_KERNEL_ACCOUNT|__GFP_NORETRY)\n"
	    "mem_cgroup_destroy(r1)\n"
	    "set_active_memcg(NULL)\n"
	    "kfree(r2)\n"
	    "mem_cgroup_destroy(r0)\n");
	ev = find(&f, 0, SF_EV_MEMCG, 0);
	assert_int_equal(ev->memcg.act, SF_MEMCG_CREATE);
	assert_int_equal(ev->memcg.parent, SF_NONE);
	assert_true(ev->memcg.max == UINT64_MAX);
	a = ev->memcg.id;
	ev = find(&f, 1, SF_EV_MEMCG, 0);
	assert_int_equal(ev->memcg.parent, a);
	assert_int_equal(ev->memcg.max, 1000);
	b = ev->memcg.id;
	assert_int_equal(find(&f, 2, SF_EV_MEMCG, 0)->memcg.act, SF_MEMCG_SET);
	assert_int_equal(find(&f, 2, SF_EV_MEMCG, 0)->memcg.id, b);
	ev = find(&f, 3, SF_EV_CHARGE, 0);
	assert_true(ev->charge.memcg == b && ev->charge.bytes == 264 && !ev->charge.uncharge);
	assert_true(!allocated(&f, 4)->addr);
	/* The active group is in use: it stays, though its result does not. */
	ev = find(&f, 5, SF_EV_MEMCG, 0);
	assert_int_equal(ev->memcg.act, SF_MEMCG_DESTROY);
	assert_int_equal(ev->memcg.status, SF_NULL);
	assert_int_equal(find(&f, 6, SF_EV_MEMCG, 0)->memcg.id, SF_NONE);
	assert_true(find(&f, 7, SF_EV_CHARGE, 0)->charge.uncharge);
	assert_int_equal(find(&f, 8, SF_EV_MEMCG, 0)->memcg.status, SF_NULL);
	assert_int_equal(last_outcome(&f).status, SF_NULL);
	done(&f);
}

static void test_faults_and_overcommit(void **state)
{
	const struct sf_event *ev;
	struct fixture f;

	(void)state;
	run(&f, "baseline",
	    "heap pages=1024\n"
	    "fault_attr(slab, probability=100, interval=2, times=SIZE_MAX)\n"
	    "r0 = kmalloc(8, GFP_ATOMIC)\n"
	    "r1 = kmalloc(8, GFP_ATOMIC)\n"
	    "r2 = kmalloc(8, GFP_KERNEL)\n"
	    "fault_attr(page, probability=100, min_order=1, wait=1)\n"
	    "r3 = alloc_pages(GFP_KERNEL, 0)\n"
	    "r4 = alloc_pages(GFP_KERNEL, 1)\n"
	    "r5 = alloc_pages(GFP_KERNEL, 1)\n"
	    "vm_enough_memory(100)\n"
	    "vm_enough_memory(1000000)\n");
	assert_true(allocated(&f, 1)->addr && !allocated(&f, 2)->addr && allocated(&f, 3)->addr);
	assert_int_equal(find(&f, 2, SF_EV_FAULT, 0)->fault.kind, SF_FAULT_SLAB);
	assert_true(allocated(&f, 5)->addr && !allocated(&f, 6)->addr && allocated(&f, 7)->addr);
	assert_int_equal(find(&f, 6, SF_EV_FAULT, 0)->fault.kind, SF_FAULT_PAGE);
	assert_null(find(&f, 8, SF_EV_OOM, 0));
	ev = find(&f, 9, SF_EV_OOM, 0);
	assert_true(ev && ev->oom.guess && ev->oom.pages == 1000000);
	assert_int_equal(last_outcome(&f).status, SF_NULL);
	done(&f);
}

/* --- allocators that cannot, or do it wrong --- */

static void test_no_reclaim(void **state)
{
	struct sf_allocator a = *sf_allocator_by_name("baseline");
	struct fixture f;

	(void)state;
	a.caps &= ~(uint64_t)(SF_CAP_RECLAIM | SF_CAP_RCU | SF_CAP_MEMCG | SF_CAP_COMPACT |
			      SF_CAP_FAULT_ATTR | SF_CAP_OVERCOMMIT);
	a.set_user = NULL;
	a.track = NULL;
	run_on(&f, &a,
	       "c0 = kmem_cache_create(\"dentry\", 192, 8, SLAB_RECLAIM_ACCOUNT)\n"
	       "r1 = kmem_cache_alloc(c0, GFP_KERNEL)\n"
	       "r2 = alloc_pages(GFP_HIGHUSER_MOVABLE, 0)\n"
	       "r3 = kmalloc(8, GFP_KERNEL)\n"
	       "r4 = mem_cgroup_create(NULL)\n" /* 4: all from here on */
	       "owns(r1, r3)\n"
	       "pin(r1)\n"
	       "unpin(r1)\n"
	       "shrinker(c0)\n"
	       "shrink(1)\n"
	       "kswapd()\n"
	       "compact_memory()\n"
	       "set_active_memcg(r4)\n"
	       "mem_cgroup_destroy(r4)\n"
	       "grace_period()\n"
	       "kvfree_rcu_barrier()\n"
	       "fault_attr(slab)\n"
	       "vm_enough_memory(1)\n"
	       "kfree_rcu(r3)\n");
	assert_false(allocated(&f, 1)->lru);
	for (uint32_t op = 4; op < 19; op++)
		assert_int_equal(find(&f, op, SF_EV_SKIP, 0)->skip.reason, SF_SKIP_NO_CAP);
	assert_int_equal(f.counts.skipped[SF_SKIP_NO_CAP], 15);
	done(&f);
}

/* Frees objects on its own that are being freed, or that never were. */
static const struct sf_user *user;
static const struct sf_allocator *whole;

static void broken_set_user(struct sf_heap *h, const struct sf_user *u)
{
	user = u;
	whole->set_user(h, u);
}

static void broken_free(struct sf_heap *h, uint64_t addr, enum sf_free_how how,
			struct sf_result *rs)
{
	for (uint32_t cookie = 0; cookie < 3; cookie++) {
		user->going(user->ctx, cookie, addr, SF_FREE_OWNER);
		user->gone(user->ctx, cookie, addr, SF_OK);
	}
	user->deferred(user->ctx, 0, addr, SF_FREE_SHRINK);
	user->moved(user->ctx, 0, addr, addr + 8);
	whole->free(h, addr, how, rs);
}

static uint64_t broken_shrink(struct sf_heap *h, uint64_t n)
{
	(void)h;
	user->going(user->ctx, 4000000000u, 1234567, SF_FREE_SHRINK);
	user->gone(user->ctx, 4000000000u, 1234567, SF_OK);
	user->deferred(user->ctx, SF_NONE, 16, SF_FREE_SHRINK);
	user->moved(user->ctx, 77, 1, 2);
	return n;
}

static void test_broken_reclaim(void **state)
{
	const struct sf_event *ev;
	struct sf_allocator a;
	struct fixture f;

	(void)state;
	whole = sf_allocator_by_name("baseline");
	a = *whole;
	a.set_user = broken_set_user;
	a.free = broken_free;
	a.shrink = broken_shrink;
	run_on(&f, &a,
	       "r0 = kmalloc(8, GFP_KERNEL)\n"
	       "r1 = kmalloc(8, GFP_KERNEL)\n"
	       "shrink(5)\n"
	       "kfree(r1)\n"
	       "r2 = kmalloc(8, GFP_KERNEL)\n"
	       "r3 = kmalloc(8, GFP_KERNEL)\n");
	ev = find(&f, 2, SF_EV_FREE, 0);
	assert_true(ev->free.id == 4000000000u && ev->free.addr == 1234567);
	assert_int_equal(ev->free.res, SF_NONE);
	assert_non_null(find(&f, 2, SF_EV_DEFER, 0));
	assert_non_null(find(&f, 2, SF_EV_MIGRATE, 0));
	/* Three of the allocator's, reported as they are, and the user's own. */
	assert_int_equal(find(&f, 3, SF_EV_FREE, 0)->free.id, 0);
	assert_int_equal(find(&f, 3, SF_EV_FREE, 1)->free.id, allocated(&f, 1)->id);
	assert_int_equal(find(&f, 3, SF_EV_FREE, 3)->free.id, allocated(&f, 1)->id);
	assert_null(find(&f, 3, SF_EV_FREE, 4));
	/* Its number is used again, once. */
	assert_int_not_equal(allocated(&f, 4)->id, allocated(&f, 5)->id);
	done(&f);
}

/* --- what generated programs reach --- */

struct reach {
	uint64_t shrunk, owned, rcu, progress, refused, migrated, reserved, slabs_deferred;
	uint64_t oom[3];
};

static void count_reach(void *ctx, const struct sf_event *ev)
{
	struct reach *r = ctx;

	switch (ev->type) {
	case SF_EV_FREE:
		r->shrunk += ev->free.how == SF_FREE_SHRINK;
		r->owned += ev->free.how == SF_FREE_OWNER;
		r->rcu += ev->free.how == SF_KFREE_RCU;
		break;
	case SF_EV_RECLAIM:
		r->progress += !ev->reclaim.begin && ev->reclaim.progress;
		break;
	case SF_EV_CHARGE:
		r->refused += ev->charge.refused;
		break;
	case SF_EV_OOM:
		r->oom[ev->oom.guess ? 1 : ev->oom.memcg != SF_NONE ? 2 : 0]++;
		break;
	case SF_EV_MIGRATE:
		r->migrated++;
		break;
	case SF_EV_RESERVE:
		r->reserved++;
		break;
	case SF_EV_SLAB_DEFER:
		r->slabs_deferred++;
	}
}

static void test_pressure_is_real(void **state)
{
	static const struct sf_exec_options how = { .end = SF_END_TEARDOWN };
	struct sf_exec *x = NULL;
	struct sf_error err;
	struct reach r = { 0 };
	struct sf_prog p;
	struct sf_rng rng;

	(void)state;
	sf_prog_init(&p);
	for (uint64_t seed = 0; seed < 600; seed++) {
		struct sf_swarm sw;

		sf_rng_seed(&rng, seed);
		sf_swarm_draw(&sw, SF_DRAW_KERNEL, &rng);
		sf_generate(&p, 200, &sw, &rng);
		if (!x)
			x = sf_exec_create(sf_allocator_by_name("baseline"), &p.settings, &how,
					   count_reach, &r, &err);
		assert_non_null(x);
		assert_true(sf_exec_run(x, &p, "test", &err) >= 0);
	}
	sf_exec_destroy(x);
	sf_prog_free(&p);
	assert_true(r.shrunk > 200 && r.owned > 500 && r.rcu > 200);
	assert_true(r.progress > 10 && r.refused > 100);
	assert_true(r.migrated > 100 && r.reserved > 10 && r.slabs_deferred > 20);
	assert_true(r.oom[0] > 100 && r.oom[1] > 20 && r.oom[2] > 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_types_are_told),
		cmocka_unit_test(test_requests_carry_types),
		cmocka_unit_test(test_kv_objects),
		cmocka_unit_test(test_counters),
		cmocka_unit_test(test_buckets),
		cmocka_unit_test(test_nolock),
		cmocka_unit_test(test_devm_requests),
		cmocka_unit_test(test_devm_order),
		cmocka_unit_test(test_devm_krealloc),
		cmocka_unit_test(test_wiped_memory),
		cmocka_unit_test(test_offset_in_slot),
		cmocka_unit_test(test_shrink),
		cmocka_unit_test(test_owner_freed),
		cmocka_unit_test(test_refused_owners),
		cmocka_unit_test(test_pin),
		cmocka_unit_test(test_krealloc_under_pressure),
		cmocka_unit_test(test_krealloc_owned),
		cmocka_unit_test(test_migration),
		cmocka_unit_test(test_kfree_rcu),
		cmocka_unit_test(test_rcu_shrinker),
		cmocka_unit_test(test_groups),
		cmocka_unit_test(test_faults_and_overcommit),
		cmocka_unit_test(test_no_reclaim),
		cmocka_unit_test(test_broken_reclaim),
		cmocka_unit_test(test_pressure_is_real),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
