// SPDX-License-Identifier: MIT
/*
 * test_exec.c - what the executor asks and tells: types and tokens, the object family, flexible
 * arrays, buckets, kmalloc_nolock, memory of devices, wiped memory. Relies on the executor and the
 * models; whether the models do it right is judged elsewhere.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../harness/exec.h"
#include "../harness/token.h"

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

static void run(struct fixture *f, const char *allocator, const char *text)
{
	static const struct sf_exec_options how = { .end = SF_END_TEARDOWN, .contents = true };
	struct sf_text_error where;
	struct sf_error err;

	memset(f, 0, sizeof(*f));
	sf_prog_init(&f->prog);
	if (sf_text_parse(&f->prog, text, strlen(text), &where))
		fail_msg("%u:%u: %s", where.line, where.col, where.text);
	f->x = sf_exec_create(sf_allocator_by_name(allocator), &f->prog.settings, &how, on_event,
			      &f->seen, &err);
	if (!f->x)
		fail_msg("%s", err.text);
	assert_int_equal(sf_exec_run(f->x, &f->prog, "test", &err), f->prog.nr_ops);
	sf_exec_counts(f->x, &f->counts);
	assert_int_equal(f->counts.live, 0);
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

/* The free of a result, wherever it is told; *order says as which of all frees. */
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
	static const char *const all[] = { "baseline", "random", "typed" };
	const struct sf_ev_alloc *a;
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		run(&f, all[i],
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
		if (i == 2)
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

/* --- zeroes that nobody asked for --- */

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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
