// SPDX-License-Identifier: MIT
/*
 * test_kernel.c - the kernel's allocation calls in C: every one of them on all allocators with the
 * judge listening, what it says of types, tokens, counters and sizes, and the pointers that are
 * refused.
 *
 * Relies on kernel.c and on what is under it; the example of an adapter is where objects have
 * addresses of this process. Types have the table's names, from its own header. The tokens that a
 * compiler infers are checked by tokens/kernel_calls.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>

#include "../harness/exec/exec.h"
#include "../harness/exec/kernel.h"
#include "../harness/program/token.h"
#include "../harness/program/type_defs.h"
#include "../oracles/oracle.h"
#include "each_allocator.h"
#include "example_allocator.c"

static int run_example(void);
#define main run_example
#include "example_kernel.c"
#undef main

/* --- a heap, and who listens --- */

struct subject {
	const char *allocator, *heap;
};

/* Besides each allocator as it comes. */
static const struct subject changed[] = {
	{ "random", "heap pages=2048 seed=3" },
	{ "typed", "heap pages=2048 buckets=0 memcg=0 init_on_alloc=1" },
	{ "typed", "heap pages=2048 seed=5 type_align=1 slot_offset=1 slab_virtual=1 "
		   "freelist_random=1 freelist_hardened=1 init_on_free=1 flex=implemented" },
};

struct fixture {
	struct sf_kernel *k;
	struct sf_judge *judge;
	struct sf_event *ev;
	size_t nr, cap;
	uint32_t memory, warnings; /* events of memory taken; complaints */
	char violation[600];
};

static void on_violation(void *ctx, const struct sf_violation *v)
{
	struct fixture *w = ctx;

	if (!w->violation[0])
		snprintf(w->violation, sizeof(w->violation), "%s: %s", v->title, v->detail);
}

static void on_event(void *ctx, const struct sf_event *ev)
{
	struct fixture *w = ctx;

	sf_judge_event(w->judge, ev);
	w->memory += ev->type == SF_EV_SLAB_NEW || ev->type == SF_EV_RMQUEUE ||
		     ev->type == SF_EV_PAGE_ALLOC || ev->type == SF_EV_MAP;
	w->warnings += ev->type == SF_EV_WARN;
	if (w->nr == w->cap) {
		w->cap = w->cap ? 2 * w->cap : 256;
		w->ev = realloc(w->ev, w->cap * sizeof(*w->ev));
		assert_non_null(w->ev);
	}
	w->ev[w->nr++] = *ev;
}

static struct sf_settings settings_of(const char *heap)
{
	struct sf_text_error where;
	struct sf_settings set;
	struct sf_prog p;

	sf_prog_init(&p);
	if (sf_text_parse(&p, heap, strlen(heap), &where))
		fail_msg("%s", where.text);
	set = p.settings;
	sf_prog_free(&p);
	return set;
}

static void open_on(struct fixture *w, const struct sf_allocator *a, const char *heap, bool host)
{
	const struct sf_judge_options judge = { .violation = on_violation, .ctx = w };
	struct sf_settings set = settings_of(heap);
	struct sf_error err;

	memset(w, 0, sizeof(*w));
	w->judge = sf_judge_create(&judge);
	w->k = sf_kernel_open(&(struct sf_kernel_options){ .allocator = a, .settings = &set,
							   .emit = on_event, .ctx = w,
							   .contents = true, .host = host },
			      &err);
	if (!w->k)
		fail_msg("%s", err.text);
	sf_kernel_bind(w->k);
}

static void fixture_open(struct fixture *w, const char *allocator, const char *heap)
{
	open_on(w, sf_allocator_by_name(allocator), heap, false);
}

static struct sf_kernel_counts counts(const struct fixture *w)
{
	struct sf_kernel_counts n;

	sf_kernel_counts(w->k, &n);
	return n;
}

/* The judge has heard all of it, the end too, and says nothing. */
static void fixture_close(struct fixture *w)
{
	sf_kernel_close(w->k);
	assert_null(sf_kernel_bind(NULL));
	if (w->violation[0])
		fail_msg("%s", w->violation);
	assert_true(w->nr > 0);
	assert_int_equal(w->ev[w->nr - 1].type, SF_EV_END);
	sf_judge_destroy(w->judge);
	free(w->ev);
}

/* The newest event of a type; there must be one. */
static const struct sf_event *last(const struct fixture *w, uint8_t type)
{
	for (size_t i = w->nr; i-- > 0;)
		if (w->ev[i].type == type)
			return &w->ev[i];
	fail_msg("no event of type %u", type);
	return NULL;
}

static const struct sf_ev_alloc *last_alloc(const struct fixture *w)
{
	return &last(w, SF_EV_ALLOC)->alloc;
}

static uint32_t type_index(const char *name)
{
	return sf_type_index(sf_type_by_name(name, strlen(name)));
}

/* --- every call --- */

static void call_kmalloc(void)
{
	struct extent *a = kmalloc(sizeof(*a), GFP_KERNEL);
	struct extent *b = kzalloc(sizeof(struct extent), GFP_ATOMIC | __GFP_NOWARN);
	u32 *c = kmalloc_array(7, sizeof(u32), GFP_KERNEL);
	u32 *d = kcalloc(9, sizeof(*d), GFP_KERNEL_ACCOUNT);
	void *e = kmalloc_node(100, GFP_KERNEL | __GFP_RECLAIMABLE, NUMA_NO_NODE);
	void *f = kzalloc_node(10000, GFP_KERNEL, 0);
	void *g = kmalloc_nolock(40, __GFP_ZERO, NUMA_NO_NODE);

	assert_true(a && b && c && d && e && f && g);
	a = krealloc(a, 3 * sizeof(*a), GFP_KERNEL);
	c = krealloc_array(c, 700, sizeof(u32), GFP_KERNEL);
	e = krealloc(e, 10, GFP_KERNEL);
	assert_true(a && c && e);
	assert_true(ksize(a) >= 3 * sizeof(*a));
	kfree(a);
	kfree_sensitive(b);
	kfree(c);
	kfree(d);
	kfree(e);
	kfree(f);
	kfree_nolock(g);
}

static void call_kvmalloc(void)
{
	void *a = kvmalloc(100, GFP_KERNEL), *b = kvzalloc(300000, GFP_KERNEL);
	u64 *c = kvmalloc_array(10, sizeof(u64), GFP_KERNEL);
	u64 *d = kvcalloc(100000, sizeof(u64), GFP_KERNEL);

	assert_true(a && b && c && d);
	a = kvrealloc(a, 200000, GFP_KERNEL);
	assert_non_null(a);
	kvfree(a);
	kvfree(b);
	kvfree(c);
	kvfree(d);
}

static void call_objects(void)
{
	auto a = kmalloc_obj(struct cred);
	auto b = kzalloc_obj(*a, GFP_ATOMIC);
	auto c = kmalloc_objs(struct io_vector, 5);
	auto d = kzalloc_objs(*c, 300, GFP_KERNEL);
	auto e = kmalloc_flex(struct posix_acl, entries, 9);
	auto f = kzalloc_flex(*e, entries, 200, GFP_KERNEL_ACCOUNT);

	assert_true(a && b && c && d && e && f);
	kfree(a);
	kfree(b);
	kfree(c);
	kfree(d);
	kfree(e);
	kfree(f);
}

static void call_kv_objects(void)
{
	auto a = kvmalloc_obj(struct huge_table);
	auto b = kvzalloc_obj(*a, GFP_KERNEL);
	auto c = kvmalloc_objs(struct dentry, 5);
	auto d = kvzalloc_objs(*c, 3000, GFP_KERNEL);
	auto e = kvmalloc_flex(struct io_batch, vec, 4);
	auto f = kvzalloc_flex(*e, vec, 9000, GFP_KERNEL);

	assert_true(a && b && c && d && e && f);
	kvfree(a);
	kvfree(b);
	kvfree(c);
	kvfree(d);
	kvfree(e);
	kvfree(f);
}

static void constructor(void *object)
{
	fail_msg("it is not called: %p", object);
}

static void call_caches(void)
{
	struct kmem_cache_args args = { .align = 64, .usersize = 8, .sheaf_capacity = 16 };
	struct kmem_cache *s[] = {
		KMEM_CACHE(dentry, SLAB_RECLAIM_ACCOUNT | SLAB_ACCOUNT),
		kmem_cache_create("windowed", 200, &args, SLAB_HWCACHE_ALIGN),
		kmem_cache_create("plain", 33, NULL, 0),
		kmem_cache_create("old", 72, 8, SLAB_TYPESAFE_BY_RCU, NULL),
		kmem_cache_create("made", 72, 0, SLAB_TEMPORARY, constructor),
	};
	void *p[40];

	for (unsigned int i = 0; i < sizeof(s) / sizeof(s[0]); i++) {
		void *a, *b = NULL;

		assert_non_null(s[i]);
		a = kmem_cache_alloc(s[i], GFP_KERNEL);
		/* Not of one with a constructor: it would be overwritten. */
		if (i != 4)
			b = kmem_cache_zalloc(s[i], GFP_KERNEL);
		assert_true(a && (b || i == 4));
		assert_true(kmem_cache_alloc_bulk(s[i], GFP_KERNEL, 40, p));
		kmem_cache_free(s[i], a);
		kmem_cache_free_bulk(s[i], 40, p);
		kfree(b);
		kmem_cache_shrink(s[i]);
		kmem_cache_destroy(s[i]);
	}
}

static void call_buckets(void)
{
	kmem_buckets *set = kmem_buckets_create("msg", SLAB_ACCOUNT, 0, 100, NULL);
	void *a, *b, *c;

	assert_non_null(set);
	a = kmem_buckets_alloc(set, 100, GFP_KERNEL);
	b = kmem_buckets_valloc(set, 20000, GFP_KERNEL);
	c = kmem_buckets_alloc(NULL, 100, GFP_KERNEL);
	assert_true(a && b && c);
	a = krealloc(a, 1000, GFP_KERNEL);
	assert_non_null(a);
	kfree(a);
	kvfree(b);
	kfree(c);
}

static void call_devices(void)
{
	struct device *dev = root_device_register("disk");
	void *a = devm_kmalloc(dev, 100, GFP_KERNEL), *b = devm_kzalloc(dev, 10, GFP_KERNEL);
	void *c = devm_kmalloc_array(dev, 3, 50, GFP_KERNEL);
	void *d = devm_kcalloc(dev, 9, 9, GFP_KERNEL);

	assert_true(dev && a && b && c && d);
	a = devm_krealloc(dev, a, 3000, GFP_KERNEL);
	b = devm_krealloc(dev, b, 11, GFP_KERNEL);
	assert_true(a && b);
	devm_kfree(dev, c);
	root_device_unregister(dev);
}

static void call_everything(void)
{
	call_kmalloc();
	sf_kernel_cpu(1);
	call_kvmalloc();
	call_objects();
	sf_kernel_check();
	call_kv_objects();
	call_caches();
	sf_kernel_cpu(0);
	call_buckets();
	call_devices();
	sf_kernel_fail(SF_FAULT_SLAB, 0);
	assert_null(kmalloc(64, GFP_KERNEL));
}

static void test_every_call(void **state)
{
	const struct subject *of = *state;
	struct fixture w;

	fixture_open(&w, of->allocator, of->heap);
	call_everything();
	assert_int_equal(counts(&w).live, 0);
	assert_int_equal(counts(&w).refused, 0);
	assert_int_equal(counts(&w).skipped, 0);
	assert_int_equal(w.warnings, 0);
	assert_true(counts(&w).calls > 100);
	assert_false(counts(&w).blocked);
	fixture_close(&w);
}

static bool same_alloc(const struct sf_ev_alloc *a, const struct sf_ev_alloc *b)
{
	return a->id == b->id && a->res == b->res && a->api == b->api && a->type == b->type &&
	       a->token == b->token && a->gfp == b->gfp && a->site == b->site &&
	       a->size == b->size && a->addr == b->addr && a->usable == b->usable &&
	       a->place.cache == b->place.cache && a->place.pfn == b->place.pfn &&
	       a->counter == b->counter && a->bucket == b->bucket;
}

static bool same_event(const struct sf_event *a, const struct sf_event *b)
{
	if (a->type != b->type || a->cpu != b->cpu || a->op != b->op)
		return false;
	switch (a->type) {
	case SF_EV_ALLOC:
	case SF_EV_REALLOC:
		return same_alloc(&a->alloc, &b->alloc);
	case SF_EV_FREE:
		return a->free.id == b->free.id && a->free.addr == b->free.addr &&
		       a->free.res == b->free.res;
	case SF_EV_SLAB_NEW:
	case SF_EV_SLAB_FREE:
		return a->slab.addr == b->slab.addr && a->slab.cache == b->slab.cache;
	case SF_EV_PAGE_ALLOC:
	case SF_EV_PAGE_FREE:
		return a->page.pfn == b->page.pfn && a->page.order == b->page.order;
	}
	return true;
}

static void test_same_calls_same_events(void **state)
{
	const struct subject *of = *state;
	struct fixture a, b;

	fixture_open(&a, of->allocator, of->heap);
	call_everything();
	sf_kernel_bind(NULL);
	fixture_open(&b, of->allocator, of->heap);
	call_everything();
	assert_int_equal(a.nr, b.nr);
	for (size_t i = 0; i < a.nr; i++)
		if (!same_event(&a.ev[i], &b.ev[i]))
			fail_msg("event %zu (type %u) differs", i, a.ev[i].type);
	fixture_close(&b);
	fixture_close(&a);
}

/* A program in C and one in text: operation by operation the same, call sites apart. */
static void test_same_events_as_text(void **state)
{
	static const char text[] = "r0 = kmalloc_obj(struct cred, GFP_KERNEL)\n"
				   "r1 = kzalloc_objs(u64, 33, GFP_KERNEL)\n"
				   "r2 = kmalloc_flex(struct fprog, 12, GFP_KERNEL)\n"
				   "r3 = kvmalloc_obj(struct huge_table, GFP_KERNEL)\n"
				   "r4 = kcalloc(3, 100, GFP_KERNEL, type=u8)\n"
				   "kfree(r1)\n"
				   "r5 = kmalloc(24, GFP_KERNEL, type=struct extent[4])\n";
	static const struct sf_exec_options how = { .end = SF_END_PLAIN, .contents = true };
	struct fixture w, t = { 0 };
	struct sf_text_error where;
	struct sf_error err;
	struct sf_exec *x;
	struct sf_prog p;
	size_t i = 0, k = 0;
	u64 *r1;

	(void)state;
	fixture_open(&w, "typed", "heap");
	assert_non_null(kmalloc_obj(struct cred));
	r1 = kzalloc_objs(u64, 33);
	assert_non_null(kmalloc_flex(struct fprog, insns, 12));
	assert_non_null(kvmalloc_obj(struct huge_table));
	assert_non_null(kcalloc(3, sizeof(u8) * 100, GFP_KERNEL));
	kfree(r1);
	assert_non_null(kmalloc(sizeof(struct extent[4]) / 2, GFP_KERNEL));

	t.judge = sf_judge_create(&(struct sf_judge_options){ .violation = on_violation,
							      .ctx = &t });
	sf_prog_init(&p);
	assert_int_equal(sf_text_parse(&p, text, strlen(text), &where), 0);
	x = sf_exec_create(&sf_typed, &p.settings, &how, on_event, &t, &err);
	assert_non_null(x);
	assert_int_equal(sf_exec_run(x, &p, "test", &err), p.nr_ops);
	for (; i < w.nr; i++, k++) {
		struct sf_event ev = w.ev[i];

		if (ev.type == SF_EV_ALLOC)
			ev.alloc.site = t.ev[k].alloc.site;
		ev.alloc.res = ev.type == SF_EV_ALLOC ? t.ev[k].alloc.res : ev.alloc.res;
		if (!same_event(&ev, &t.ev[k]))
			fail_msg("event %zu (type %u) differs", i, ev.type);
	}
	assert_int_equal(t.ev[k].type, SF_EV_END);
	sf_exec_destroy(x);
	sf_prog_free(&p);
	sf_judge_destroy(t.judge);
	free(t.ev);
	fixture_close(&w);
}

/* --- types and tokens --- */

/* TYPES(X): X(type) of the table, each alone and as text may spell it. */
#define TYPES(X)                                                                              \
	X(char) X(u8) X(short) X(u16) X(int) X(u32) X(long) X(unsigned long) X(s64) X(u64)    \
	X(bool) X(gfp_t) X(uintptr_t) X(handle_word_t) X(enum node_state) X(double)           \
	X(char[64]) X(u8[256]) X(struct extent[4]) X(void *) X(void *[4]) X(struct cred *)    \
	X(struct io_vector[8]) X(work_func_t) X(notifier_fn_t) X(struct list_head)            \
	X(struct kobject) X(struct cred) X(const struct cred) X(struct dentry)                \
	X(struct external_name) X(struct inode) X(struct sk_buff) X(struct tty_buffer)        \
	X(struct stat_counters) X(struct extent) X(struct disk_inode) X(struct ether_header)  \
	X(struct posix_acl) X(struct fpu_state) X(union ktime_value) X(struct with_uintptr)   \
	X(struct hidden_long) X(struct scatter_table) X(union payload) X(struct big_buffer)   \
	X(struct huge_table) X(struct odd_size) X(struct dma_ring) X(struct percpu_slot)

static void is_of_type(const struct fixture *w, const char *name, size_t size, size_t type_align)
{
	const struct sf_ev_alloc *a = last_alloc(w);
	uint32_t type = type_index(name);

	if (!type || a->type != type || a->token != sf_type_token(type))
		fail_msg("%s: type %u and token %u, not %u and %u", name, a->type, a->token, type,
			 sf_type_token(type));
	assert_int_equal(a->size, size);
	assert_int_equal(a->type_align, type_align);
	assert_true(a->site > 0 && a->site < 65535);
}

static void test_types_and_tokens(void **state)
{
	const struct subject *of = *state;
	unsigned int types = 0;
	struct fixture w;

	fixture_open(&w, of->allocator, of->heap);
#define NAME_OF(T) !strcmp(#T, "_Bool") ? "bool" : #T
#define X(T)                                                             \
	kfree(kmalloc_obj(T));                                           \
	is_of_type(&w, NAME_OF(T), sizeof(T), _Alignof(T));              \
	kfree(kzalloc_objs(T, 3, GFP_KERNEL));                           \
	is_of_type(&w, NAME_OF(T), 3 * sizeof(T), _Alignof(T));          \
	kfree(kmalloc(sizeof(T), GFP_KERNEL));                           \
	is_of_type(&w, NAME_OF(T), sizeof(T), 0);                        \
	kfree(kcalloc(2, sizeof(T), GFP_KERNEL));                        \
	is_of_type(&w, NAME_OF(T), 2 * sizeof(T), 0);                    \
	kvfree(kvmalloc(sizeof(T) + 100, GFP_KERNEL));                   \
	is_of_type(&w, NAME_OF(T), sizeof(T) + 100, 0);                  \
	types++;
	TYPES(X)
#undef X
	assert_int_equal(types, 50);
	fixture_close(&w);
}

/* What the words of a call say where the compiler says nothing. */
static void test_words(void **state)
{
	struct extent *e = NULL;
	size_t n = 4;
	struct fixture w;

	(void)state;
	fixture_open(&w, "typed", "heap");
#define WORDS(call, name)                                                       \
	do {                                                                    \
		kfree(call);                                                    \
		assert_int_equal(last_alloc(&w)->type, type_index(name));       \
	} while (0)
	WORDS(kmalloc(sizeof(struct extent) * n, GFP_KERNEL), "struct extent");
	WORDS(kmalloc(n * sizeof( struct  extent ), GFP_KERNEL), "struct extent");
	WORDS(kmalloc(100 + sizeof(void*[4]), GFP_KERNEL), "void *[4]");
	WORDS(kmalloc(sizeof(unsigned int), GFP_KERNEL), "u32");
	WORDS(kmalloc(sizeof(_Bool), GFP_KERNEL), "bool");
	WORDS(kmalloc(sizeof(struct extent) + sizeof(void *), GFP_KERNEL), "struct extent");
	WORDS(kmalloc_array(sizeof(struct qstr), sizeof(u8), GFP_KERNEL), "struct qstr");
	WORDS(krealloc(kmalloc(8, GFP_KERNEL), 0, GFP_KERNEL), "");
	WORDS(kmalloc(sizeof(*e), GFP_KERNEL), "");
	WORDS(kmalloc(sizeof e, GFP_KERNEL), "");
	WORDS(kmalloc(n, GFP_KERNEL), "");
	WORDS(kmalloc_obj(*e), "");
	WORDS(kmalloc_obj(unsigned int), "u32");
	assert_int_equal(sizeof(struct extent), last_alloc(&w)->size * 3);
	fixture_close(&w);
}

/* The type table does not have them, or has others of that name. */
static void test_unknown_types(void **state)
{
	struct nobody { long a, b, c; } __attribute__((aligned(32)));
	struct cred { char a; } *mine;
	const struct sf_ev_alloc *a;
	struct fixture w;

	(void)state;
	fixture_open(&w, "typed", "heap type_align=1");
	auto p = kmalloc_objs(struct nobody, 2);
	a = last_alloc(&w);
	assert_int_equal(a->type, 0);
	assert_int_equal(a->token, 0);
	assert_false(a->forced);
	assert_int_equal(a->size, 64);
	assert_int_equal(a->type_align, 32);
	assert_int_equal((uintptr_t)p % 32, 0);
	mine = kmalloc_obj(struct cred);
	a = last_alloc(&w);
	assert_int_equal(a->type, 0);
	assert_int_equal(a->token, sf_type_token(type_index("struct cred")));
	assert_true(a->forced);
	assert_int_equal(a->size, 1);
	kfree(p);
	kfree(mine);
	fixture_close(&w);
}

#define IS(expression, type) \
	_Static_assert(__builtin_types_compatible_p(__typeof__(expression), type), #expression)

static void test_results_are_typed(void **state)
{
	struct cred *c = NULL;

	(void)state;
	auto a = kmalloc_obj(struct cred);
	auto b = kzalloc_objs(*c, 4, GFP_ATOMIC);
	auto d = kvmalloc_flex(struct fdtable, fd, 3);
	auto e = kvzalloc_obj(void *);
	auto f = kmalloc_objs(u8[16], 3);
	auto g = kmalloc_obj(const struct cred);

	IS(a, struct cred *);
	IS(b, struct cred *);
	IS(d, struct fdtable *);
	IS(e, void **);
	IS(f, u8(*)[16]);
	IS(g, const struct cred *);
	IS(kmalloc(1, GFP_KERNEL), void *);
	IS(kvcalloc(1, 1, GFP_KERNEL), void *);
	IS(ksize(NULL), size_t);
	IS(KMEM_CACHE(cred, 0), struct kmem_cache *);
	IS(kmem_cache_create("", 1, NULL, 0), struct kmem_cache *);
	IS(kmem_buckets_create("", 0, 0, 0, NULL), kmem_buckets *);
	IS(root_device_register(""), struct device *);
	/* Nothing is bound. */
	assert_true(!a && !b && !d && !e && !f && !g);
}

/* --- sizes --- */

/* A call that cannot be: it fails, and no memory was touched for it. */
#define NOTHING(w, call)                                                          \
	do {                                                                      \
		uint32_t before = (w)->memory;                                    \
		assert_null(call);                                                \
		assert_int_equal((w)->memory, before);                            \
		assert_int_equal(last_alloc(w)->status, SF_NULL);                 \
		assert_true(last_alloc(w)->size == SIZE_MAX);                     \
	} while (0)

static void test_saturation(void **state)
{
	const struct subject *of = *state;
	volatile size_t huge = SIZE_MAX / 2, n = SIZE_MAX;
	struct fixture w;

	fixture_open(&w, of->allocator, of->heap);
	NOTHING(&w, kmalloc_objs(u64, huge));
	NOTHING(&w, kzalloc_objs(struct cred, SIZE_MAX / 8));
	NOTHING(&w, kvmalloc_objs(u64, -1));
	NOTHING(&w, kmalloc_flex(struct bitmap, words, huge));
	NOTHING(&w, kzalloc_flex(struct bitmap, words, SIZE_MAX / 8));
	NOTHING(&w, kvzalloc_flex(struct page_vector, pages, n));
	NOTHING(&w, kmalloc_array(huge, 3, GFP_KERNEL));
	NOTHING(&w, kcalloc(huge, huge, GFP_KERNEL));
	NOTHING(&w, kvmalloc_array(n, sizeof(u64), GFP_KERNEL));
	NOTHING(&w, kmalloc(array3_size(huge, 2, 2), GFP_KERNEL));
	NOTHING(&w, kmalloc(struct_size_t(struct bitmap, words, SIZE_MAX), GFP_KERNEL));
	assert_null(krealloc_array(NULL, huge, 5, GFP_KERNEL));
	assert_true(last(&w, SF_EV_REALLOC)->alloc.overflow);
	assert_null(devm_kcalloc(root_device_register("d"), huge, 5, GFP_KERNEL));
	assert_int_equal(counts(&w).live, 0);
	fixture_close(&w);
}

static void test_sizes(void **state)
{
	static const char bytes[struct_size_t(struct bitmap, words, 4)];
	struct short_label *l = NULL;
	struct bitmap *b = NULL;
	volatile size_t n = 5;

	(void)state;
	assert_int_equal(sizeof(bytes), sizeof(struct bitmap) + 4 * sizeof(long));
	assert_int_equal(struct_size(b, words, n), sizeof(*b) + 5 * sizeof(long));
	assert_int_equal(struct_size(l, text, 0), 1);
	assert_int_equal(flex_array_size(b, words, 3), 3 * sizeof(long));
	assert_true(struct_size(l, text, SIZE_MAX) == SIZE_MAX);
	assert_true(struct_size(l, text, SIZE_MAX - 2) == SIZE_MAX - 1);
	assert_true(struct_size(b, words, SIZE_MAX / 8) == SIZE_MAX);
	assert_true(size_mul(SIZE_MAX, 2) == SIZE_MAX);
	assert_true(size_add(SIZE_MAX, 1) == SIZE_MAX);
	assert_true(size_sub(1, 2) == SIZE_MAX && size_sub(SIZE_MAX, 2) == SIZE_MAX);
	assert_int_equal(size_sub(7, 2), 5);
	assert_int_equal(array3_size(2, 3, 7), 42);
}

/* --- counters --- */

/* Returns 1: how many were checked is checked too. */
static unsigned int counted(const struct fixture *w, const void *p, uint8_t size, uint64_t count,
			    bool cut)
{
	const struct sf_ev_alloc *a = last_alloc(w);
	uint64_t most = size < 8 ? (1ull << 8 * size) - 1 : UINT64_MAX;

	assert_int_equal(a->counter_size, size);
	assert_int_equal(a->count, count);
	if (count > most && !cut) {
		assert_null(p);
		assert_int_equal(a->status, SF_NULL);
	} else {
		assert_non_null(p);
		assert_int_equal(a->counter, count & most);
	}
	kvfree(p);
	return 1;
}

/* Another type of that name: where it has its counter only the compiler knows. */
static unsigned int count_unknown(const struct fixture *w, bool cut)
{
	struct short_label { u64 before; u16 len; u16 text[] SF_COUNTED_BY(len); };
	unsigned int checked = 0;
	void *p = kmalloc_flex(struct short_label, text, 300);

#if __has_builtin(__builtin_counted_by_ref)
	checked += counted(w, p, 2, 300, cut);
	p = kzalloc_flex(struct short_label, text, 70000);
	checked += counted(w, p, 2, 70000, cut);
#else
	assert_int_equal(last_alloc(w)->counter_size, 0);
	assert_non_null(p);
	kfree(p);
	(void)cut;
#endif
	return checked;
}

static void check_counters(const char *heap, bool cut)
{
	unsigned int checked = 0;
	volatile size_t n = 300;
	struct fixture w;

	fixture_open(&w, "typed", heap);
	checked += counted(&w, kmalloc_flex(struct short_label, text, 255), 1, 255, cut);
	checked += counted(&w, kmalloc_flex(struct short_label, text, n), 1, 300, cut);
	checked += counted(&w, kzalloc_flex(struct short_label, text, 0), 1, 0, cut);
	checked += counted(&w, kzalloc_flex(struct fprog, insns, 65535), 2, 65535, cut);
	checked += counted(&w, kvzalloc_flex(struct fprog, insns, 65536), 2, 65536, cut);
	checked += counted(&w, kvmalloc_flex(struct posix_acl, entries, 70000), 4, 70000, cut);
	checked += counted(&w, kmalloc_flex(struct io_batch, vec, n), 8, 300, cut);
	checked += counted(&w, kzalloc_flex(struct route_table, via, n), 2, 300, cut);
	assert_int_equal(checked, 8);
	checked = count_unknown(&w, cut);
#if __has_builtin(__builtin_counted_by_ref)
	assert_int_equal(checked, 2);
#else
	assert_int_equal(checked, 0);
#endif
	/* It has none. */
	kfree(kmalloc_flex(struct bitmap, words, n));
	assert_int_equal(last_alloc(&w)->counter_size, 0);
	fixture_close(&w);
}

static void test_counters_documented(void **state)
{
	(void)state;
	check_counters("heap flex=documented", false);
}

static void test_counters_implemented(void **state)
{
	(void)state;
	check_counters("heap flex=implemented", true);
}

/* Memory of this process, of an allocator that knows nothing of counters. */
static void check_host(const char *heap, bool cut)
{
	struct fixture w;

	open_on(&w, &sf_example, heap, true);
	auto a = kmalloc_flex(struct fprog, insns, 40);
	auto b = kzalloc_flex(struct fprog, insns, 65539);
	auto c = kmalloc_flex(struct short_label, text, 200);
	auto d = kmalloc_obj(struct cred);

	assert_int_equal(a->len, 40);
	a->insns[39].k = 7;
	assert_true(!b == !cut);
	assert_true(!b || b->len == 3);
	assert_int_equal(c->len, 200);
	d->security = d;
	/* It has no kvmalloc(), and no difference of frees. */
	assert_null(kvmalloc(10, GFP_KERNEL));
	assert_null(KMEM_CACHE(cred, 0));
	assert_int_equal(counts(&w).skipped, 2);
	kvfree(a);
	if (b)
		kfree(b);
	kfree(c);
	kfree_nolock(d);
	assert_int_equal(counts(&w).live, 0);
	fixture_close(&w);
}

static void test_counters_of_the_host(void **state)
{
	(void)state;
	check_host("heap flex=documented", false);
	check_host("heap flex=implemented", true);
}

/* --- NULL, and nothing --- */

static void test_null_and_zero(void **state)
{
	const struct subject *of = *state;
	struct device *dev;
	struct fixture w;
	void *p, *q;

	fixture_open(&w, of->allocator, of->heap);
	kfree(NULL);
	kvfree(NULL);
	kfree_sensitive(NULL);
	kfree_nolock(NULL);
	kmem_cache_destroy(NULL);
	assert_int_equal(ksize(NULL), 0);
	p = kmalloc(0, GFP_KERNEL);
	q = kmalloc_objs(u64, 0);
	assert_ptr_equal(p, ZERO_SIZE_PTR);
	assert_ptr_equal(q, ZERO_SIZE_PTR);
	assert_true(ZERO_OR_NULL_PTR(p) && ZERO_OR_NULL_PTR(NULL));
	assert_int_equal(ksize(p), 0);
	assert_int_equal(counts(&w).live, 2);
	dev = root_device_register("d");
	assert_ptr_equal(devm_kmalloc(dev, 0, GFP_KERNEL), ZERO_SIZE_PTR);
	kfree(p);
	kfree(q);
	assert_int_equal(counts(&w).live, 1);
	/* The device's is not kfree()'s; there is always one more to free. */
	kfree(ZERO_SIZE_PTR);
	assert_int_equal(counts(&w).live, 1);
	devm_kfree(dev, ZERO_SIZE_PTR);
	assert_int_equal(counts(&w).live, 0);
	devm_kfree(dev, NULL);
	p = krealloc(NULL, 10, GFP_KERNEL);
	assert_ptr_equal(krealloc(p, 0, GFP_KERNEL), ZERO_SIZE_PTR);
	q = krealloc(ZERO_SIZE_PTR, 20, GFP_KERNEL);
	assert_true(q && !ZERO_OR_NULL_PTR(q));
	kfree(q);
	assert_int_equal(counts(&w).live, 0);
	assert_int_equal(counts(&w).refused, 0);
	fixture_close(&w);
}

static void test_resize(void **state)
{
	const struct subject *of = *state;
	struct fixture w;
	void *p, *q;

	fixture_open(&w, of->allocator, of->heap);
	p = kmalloc(100, GFP_KERNEL);
	q = krealloc(p, 110, GFP_KERNEL);
	assert_ptr_equal(p, q);
	q = krealloc(p, 3000, GFP_KERNEL);
	assert_non_null(q);
	assert_ptr_not_equal(p, q);
	/* Too much: the old one is as it was. */
	assert_null(krealloc(q, SIZE_MAX / 2, GFP_KERNEL));
	assert_true(ksize(q) >= 3000);
	assert_int_equal(counts(&w).refused, 0);
	assert_null(krealloc(p, 10, GFP_KERNEL));
	assert_int_equal(counts(&w).refused, 1);
	kfree(q);
	assert_int_equal(counts(&w).live, 0);
	fixture_close(&w);
}

/* --- caches, buckets, devices --- */

enum { MANY = 150 };

static void test_bulk(void **state)
{
	const struct subject *of = *state;
	void *p[MANY];
	struct kmem_cache *s;
	struct fixture w;

	fixture_open(&w, of->allocator, of->heap);
	s = kmem_cache_create("bulk", 120, NULL, SLAB_NO_MERGE);
	assert_true(kmem_cache_alloc_bulk(s, GFP_KERNEL, MANY, p));
	assert_int_equal(counts(&w).live, MANY);
	for (int i = 0; i < MANY; i++)
		for (int k = 0; k < i; k++)
			assert_ptr_not_equal(p[i], p[k]);
	/* One by one too, and what is gone already is not freed again. */
	kmem_cache_free(s, p[3]);
	kfree(p[70]);
	kmem_cache_free_bulk(s, MANY, p);
	assert_int_equal(counts(&w).refused, 2);
	assert_int_equal(counts(&w).live, 0);
	assert_false(kmem_cache_alloc_bulk(s, GFP_KERNEL, 0, p));
	p[0] = kmem_cache_alloc(s, GFP_KERNEL);
	p[1] = kmalloc(10, GFP_KERNEL);
	kmem_cache_free_bulk(NULL, 2, p);
	assert_int_equal(counts(&w).live, 0);
	assert_int_equal(kmem_cache_shrink(s), 0);
	kmem_cache_destroy(s);
	fixture_close(&w);
}

/* All or none: memory ends in the middle. */
static void test_bulk_that_fails(void **state)
{
	static void *p[4000];
	struct kmem_cache *s;
	struct fixture w;

	(void)state;
	fixture_open(&w, "baseline", "heap pages=256");
	s = kmem_cache_create("bulk", 1000, NULL, SLAB_NO_MERGE);
	assert_false(kmem_cache_alloc_bulk(s, GFP_KERNEL, 4000, p));
	assert_int_equal(counts(&w).live, 0);
	assert_int_equal(counts(&w).refused, 0);
	assert_true(kmem_cache_alloc_bulk(s, GFP_KERNEL, 100, p));
	kmem_cache_free_bulk(s, 100, p);
	kmem_cache_destroy(s);
	fixture_close(&w);
}

static void test_shrink(void **state)
{
	struct sf_kernel *k;
	struct kmem_cache *s;
	struct sf_error err;
	void *p;

	(void)state;
	/* Without a listener it is done all the same. */
	k = sf_kernel_open(&(struct sf_kernel_options){ .allocator = &sf_baseline }, &err);
	assert_non_null(k);
	sf_kernel_bind(k);
	s = kmem_cache_create("s", 200, NULL, 0);
	p = kmem_cache_alloc(s, GFP_KERNEL);
	assert_int_not_equal(kmem_cache_shrink(s), 0);
	kmem_cache_free(s, p);
	assert_int_equal(kmem_cache_shrink(s), 0);
	sf_kernel_close(k);
}

/* A cache goes with objects alive: they stay, and are never freed. */
static void test_leaked_by_cache(void **state)
{
	struct kmem_cache *s, *t;
	struct fixture w;
	void *p, *q;

	(void)state;
	fixture_open(&w, "typed", "heap");
	s = kmem_cache_create("s", 200, NULL, SLAB_NO_MERGE);
	p = kmem_cache_alloc(s, GFP_KERNEL);
	kmem_cache_destroy(s);
	t = kmem_cache_create("t", 200, NULL, SLAB_NO_MERGE);
	q = kmem_cache_alloc(t, GFP_KERNEL);
	kmem_cache_free(s, p);
	kmem_cache_free(t, p);
	kfree(p);
	assert_int_equal(counts(&w).refused, 3);
	assert_int_equal(counts(&w).live, 2);
	kmem_cache_free(t, q);
	fixture_close(&w);
}

static void test_buckets(void **state)
{
	struct fixture w;
	kmem_buckets *a, *b;
	void *p;

	(void)state;
	fixture_open(&w, "typed", "heap");
	a = kmem_buckets_create("a", 0, 0, 0, NULL);
	b = kmem_buckets_create("b", 0, 0, 0, NULL);
	assert_true(a && b && a != b);
	p = kmem_buckets_alloc(a, sizeof(struct cred), GFP_KERNEL);
	assert_int_equal(last_alloc(&w)->bucket, 0);
	assert_int_equal(last_alloc(&w)->type, type_index("struct cred"));
	kfree(p);
	p = kmem_buckets_valloc(b, 5000, GFP_KERNEL);
	assert_int_equal(last_alloc(&w)->bucket, 1);
	assert_int_equal(last_alloc(&w)->api, SF_API_KVMALLOC);
	kvfree(p);
	p = kmem_buckets_valloc(NULL, 5000, GFP_KERNEL);
	assert_int_equal(last_alloc(&w)->bucket, SF_NONE);
	assert_int_equal(last_alloc(&w)->api, SF_API_KVMALLOC);
	kvfree(p);
	/* Nothing that is one. */
	assert_null(kmem_buckets_alloc((kmem_buckets *)root_device_register("d"), 10, GFP_KERNEL));
	assert_int_equal(counts(&w).refused, 1);
	fixture_close(&w);
}

static void test_device_order(void **state)
{
	const struct subject *of = *state;
	uint32_t ids[6], seen = 0;
	struct device *dev, *other;
	struct fixture w;
	void *p, *keep;
	size_t from;

	fixture_open(&w, of->allocator, of->heap);
	dev = root_device_register("a");
	other = root_device_register("b");
	keep = devm_kmalloc(other, 100, GFP_KERNEL);
	for (unsigned int i = 0; i < 6; i++) {
		p = devm_kzalloc(dev, 100 + i, GFP_KERNEL);
		assert_non_null(p);
		ids[i] = last_alloc(&w)->id;
		/* Behind the struct devres that only the allocator sees. */
		assert_int_equal(last_alloc(&w)->site, 65535);
		assert_int_equal((uintptr_t)p, last_alloc(&w)->addr + sizeof(struct devres));
	}
	devm_kfree(dev, p);
	from = w.nr;
	root_device_unregister(dev);
	for (size_t i = from; i < w.nr; i++)
		if (w.ev[i].type == SF_EV_FREE)
			assert_int_equal(w.ev[i].free.id, ids[4 - seen++]);
	assert_int_equal(seen, 5);
	assert_int_equal(counts(&w).live, 1);
	devm_kfree(dev, p);
	devm_kfree(other, p);
	assert_null(devm_kmalloc(dev, 10, GFP_KERNEL));
	assert_int_equal(counts(&w).refused, 3);
	devm_kfree(other, keep);
	assert_int_equal(counts(&w).live, 0);
	fixture_close(&w);
}

static void test_device_realloc(void **state)
{
	struct device *dev, *other;
	struct fixture w;
	void *p, *q;

	(void)state;
	fixture_open(&w, "baseline", "heap");
	dev = root_device_register("a");
	other = root_device_register("b");
	p = devm_krealloc(dev, NULL, 100, GFP_KERNEL);
	q = devm_krealloc(dev, p, 120, GFP_KERNEL);
	assert_ptr_equal(p, q);
	assert_null(devm_krealloc(other, p, 500, GFP_KERNEL));
	assert_int_equal(counts(&w).refused, 1);
	q = devm_krealloc(dev, p, 500, GFP_KERNEL);
	assert_ptr_not_equal(p, q);
	assert_ptr_equal(devm_krealloc(dev, q, 0, GFP_KERNEL), ZERO_SIZE_PTR);
	assert_int_equal(counts(&w).live, 1);
	root_device_unregister(dev);
	assert_int_equal(counts(&w).live, 0);
	fixture_close(&w);
}

/* --- what is refused, and where nothing is --- */

static void test_wrong_pointers(void **state)
{
	const struct subject *of = *state;
	struct kmem_cache *s, *t;
	uint64_t refused = 0;
	struct device *dev;
	struct fixture w;
	char *p, *kv, *m, *c;

	fixture_open(&w, of->allocator, of->heap);
#define REFUSED(call)                                                   \
	do {                                                            \
		call;                                                   \
		assert_int_equal(counts(&w).refused, ++refused);        \
	} while (0)
	s = kmem_cache_create("s", 64, NULL, SLAB_NO_MERGE);
	t = kmem_cache_create("t", 64, NULL, SLAB_NO_MERGE);
	dev = root_device_register("d");
	p = kmalloc(100, GFP_KERNEL);
	kv = kvmalloc(100000, GFP_KERNEL);
	m = devm_kmalloc(dev, 100, GFP_KERNEL);
	c = kmem_cache_alloc(s, GFP_KERNEL);
	REFUSED(kfree(p + 8));
	REFUSED(kfree(&w));
	REFUSED(kfree(kv));
	REFUSED(kfree(m));
	REFUSED(kfree(s));
	REFUSED(kfree(dev));
	REFUSED(kmem_cache_free(t, c));
	REFUSED(kmem_cache_free(s, p));
	REFUSED(kmem_cache_free(s, NULL));
	REFUSED(kmem_cache_free_bulk(t, 1, (void **)&c));
	REFUSED(devm_kfree(dev, p));
	REFUSED(assert_null(krealloc(m, 10, GFP_KERNEL)));
	REFUSED(assert_null(krealloc(c, 10, GFP_KERNEL)));
	REFUSED(assert_null(krealloc(kv, 10, GFP_KERNEL)));
	REFUSED(assert_null(kvrealloc(p + 1, 10, GFP_KERNEL)));
	REFUSED(assert_int_equal(ksize(kv), 0));
	REFUSED(assert_null(kmem_cache_alloc((struct kmem_cache *)dev, GFP_KERNEL)));
	REFUSED(assert_null(kmem_cache_alloc(NULL, GFP_KERNEL)));
	REFUSED(assert_false(kmem_cache_alloc_bulk(NULL, GFP_KERNEL, 1, (void **)&c)));
	assert_int_equal(counts(&w).live, 4);
	kfree(p);
	REFUSED(kfree(p));
	REFUSED(kfree_sensitive(p));
	REFUSED(kfree_nolock(p));
	REFUSED(kvfree(p));
	kmem_cache_free(s, c);
	REFUSED(kmem_cache_free(s, c));
	kvfree(kv);
	kmem_cache_destroy(s);
	REFUSED(kmem_cache_destroy(s));
	REFUSED(kmem_cache_shrink(s));
	REFUSED(assert_null(kmem_cache_alloc(s, GFP_KERNEL)));
	root_device_unregister(dev);
	REFUSED(root_device_unregister(dev));
	assert_int_equal(counts(&w).live, 0);
	assert_int_equal(w.warnings, 0);
	fixture_close(&w);
}

static void *call_unbound(void *ctx)
{
	struct device *dev = root_device_register("d");
	void *p[2] = { NULL, NULL };

	(void)ctx;
	p[0] = kmalloc(8, GFP_KERNEL);
	p[1] = devm_kmalloc(dev, 8, GFP_KERNEL);
	kfree(&p);
	kfree(NULL);
	kvfree(&p);
	kmem_cache_free(NULL, &p);
	kmem_cache_free_bulk(NULL, 1, p);
	kmem_cache_destroy((struct kmem_cache *)p);
	devm_kfree(dev, p);
	root_device_unregister(dev);
	sf_kernel_check();
	sf_kernel_cpu(1);
	sf_kernel_fail(SF_FAULT_PAGE, 1);
	if (p[0] || p[1] || dev || ksize(p) || kmem_cache_alloc(NULL, GFP_KERNEL) ||
	    krealloc(p, 10, GFP_KERNEL) || kmalloc_obj(struct cred) || KMEM_CACHE(cred, 0) ||
	    kmem_cache_alloc_bulk(NULL, GFP_KERNEL, 2, p) || devm_krealloc(dev, p, 1, 0) ||
	    kmem_buckets_create("b", 0, 0, 0, NULL) || kvmalloc_flex(struct bitmap, words, 3) ||
	    kmem_buckets_alloc(NULL, 10, GFP_KERNEL) || kmem_cache_shrink(NULL))
		return (void *)"something came of nothing";
	return NULL;
}

/* What is bound is bound to a thread; another has nothing until it binds. */
static void test_unbound(void **state)
{
	struct sf_kernel *was;
	pthread_t thread;
	struct fixture w;
	void *said;

	(void)state;
	assert_null(call_unbound(NULL));
	fixture_open(&w, "typed", "heap");
	assert_int_equal(pthread_create(&thread, NULL, call_unbound, NULL), 0);
	assert_int_equal(pthread_join(thread, &said), 0);
	assert_null(said);
	assert_int_equal(counts(&w).calls, 0);
	was = sf_kernel_bind(NULL);
	assert_ptr_equal(was, w.k);
	assert_null(call_unbound(NULL));
	assert_null(sf_kernel_bind(was));
	assert_int_equal(counts(&w).calls, 0);
	fixture_close(&w);
}

/* An allocation that must not fail and cannot succeed is the last thing that happens. */
static void test_blocked(void **state)
{
	unsigned int got = 0;
	struct fixture w;

	(void)state;
	fixture_open(&w, "baseline", "heap pages=64");
	while (kmalloc(4096, GFP_KERNEL | __GFP_NOFAIL))
		assert_true(++got < 100);
	assert_true(got > 10);
	assert_true(counts(&w).blocked);
	assert_null(kmalloc(8, GFP_KERNEL));
	assert_int_equal(counts(&w).calls, got + 1);
	fixture_close(&w);
}

static void test_cpu_and_faults(void **state)
{
	struct fixture w;

	(void)state;
	fixture_open(&w, "typed", "heap cpus=4");
	sf_kernel_cpu(3);
	kfree(kmalloc(10, GFP_KERNEL));
	assert_int_equal(last(&w, SF_EV_ALLOC)->cpu, 3);
	sf_kernel_cpu(9);
	kfree(kmalloc(10, GFP_KERNEL));
	assert_int_equal(last(&w, SF_EV_ALLOC)->cpu, 1);
	sf_kernel_fail(SF_FAULT_SLAB, 1);
	kfree(kmalloc(10, GFP_KERNEL));
	assert_null(kmalloc(10, GFP_KERNEL));
	assert_int_equal(last(&w, SF_EV_FAULT)->fault.kind, SF_FAULT_SLAB);
	sf_kernel_check();
	assert_int_equal(last(&w, SF_EV_SNAP_END)->snap.final, false);
	fixture_close(&w);
}

/* Result numbers, handles and the table of pointers, many and again. */
static void test_many(void **state)
{
	static void *p[3000];
	struct fixture w;

	(void)state;
	fixture_open(&w, "random", "heap pages=16384");
	for (unsigned int round = 0; round < 3; round++) {
		for (unsigned int i = 0; i < 3000; i++) {
			p[i] = kmalloc(i % 9 ? 1 + i % 300 : 0, GFP_KERNEL);
			assert_non_null(p[i]);
		}
		assert_int_equal(counts(&w).live, 3000);
		for (unsigned int i = 0; i < 3000; i++)
			kfree(p[i * 7 % 3000]);
	}
	assert_int_equal(counts(&w).live, 0);
	assert_int_equal(counts(&w).refused, 0);
	assert_true(last_alloc(&w)->res < 3000);
	fixture_close(&w);
}

static void test_heaps_that_cannot_be(void **state)
{
	struct sf_settings set;
	struct sf_error err = { "" };

	(void)state;
	sf_settings_init(&set);
	set.slab_min_order = 9;
	set.slab_max_order = 1;
	if (sf_settings_fault(&set)) {
		assert_null(sf_kernel_open(&(struct sf_kernel_options){ .allocator = &sf_typed,
									.settings = &set },
					   &err));
		assert_true(err.text[0]);
	}
	sf_kernel_close(NULL);
}

static void test_example(void **state)
{
	(void)state;
	assert_int_equal(run_example(), 0);
	assert_null(sf_kernel_bind(NULL));
}

static const struct CMUnitTest on_all[] = {
	cmocka_unit_test(test_every_call),
	cmocka_unit_test(test_same_calls_same_events),
	cmocka_unit_test(test_types_and_tokens),
	cmocka_unit_test(test_saturation),
	cmocka_unit_test(test_null_and_zero),
	cmocka_unit_test(test_resize),
	cmocka_unit_test(test_bulk),
	cmocka_unit_test(test_device_order),
	cmocka_unit_test(test_wrong_pointers),
};

static const struct CMUnitTest once[] = {
	cmocka_unit_test(test_same_events_as_text),
	cmocka_unit_test(test_words),
	cmocka_unit_test(test_unknown_types),
	cmocka_unit_test(test_results_are_typed),
	cmocka_unit_test(test_sizes),
	cmocka_unit_test(test_counters_documented),
	cmocka_unit_test(test_counters_implemented),
	cmocka_unit_test(test_counters_of_the_host),
	cmocka_unit_test(test_bulk_that_fails),
	cmocka_unit_test(test_shrink),
	cmocka_unit_test(test_leaked_by_cache),
	cmocka_unit_test(test_buckets),
	cmocka_unit_test(test_device_realloc),
	cmocka_unit_test(test_unbound),
	cmocka_unit_test(test_blocked),
	cmocka_unit_test(test_cpu_and_faults),
	cmocka_unit_test(test_many),
	cmocka_unit_test(test_heaps_that_cannot_be),
	cmocka_unit_test(test_example),
};

#define NR(array) (sizeof(array) / sizeof((array)[0]))

enum { SUBJECTS_MAX = 64 };

/* The first tests run on every allocator that has what they call, and on heaps that are changed. */
int main(void)
{
	static struct subject subjects[SUBJECTS_MAX];
	static struct CMUnitTest tests[NR(on_all) * SUBJECTS_MAX + NR(once)];
	size_t nr_subjects = 0, nr = 0;

	FOR_EACH_ALLOCATOR(a, SF_CAP_KMALLOC | SF_CAP_BUCKETS) {
		if (nr_subjects == SUBJECTS_MAX - NR(changed))
			abort();
		subjects[nr_subjects++] = (struct subject){ a->name, "heap pages=2048" };
	}
	memcpy(subjects + nr_subjects, changed, sizeof(changed));
	nr_subjects += NR(changed);
	for (size_t i = 0; i < NR(on_all); i++)
		for (size_t k = 0; k < nr_subjects; k++) {
			tests[nr] = on_all[i];
			tests[nr++].initial_state = &subjects[k];
		}
	memcpy(tests + nr, once, sizeof(once));
	return _cmocka_run_group_tests("kernel", tests, nr + NR(once), NULL, NULL);
}
