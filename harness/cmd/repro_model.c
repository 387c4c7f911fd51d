// SPDX-License-Identifier: MIT
/*
 * repro_model.c - repro.h for a model: what the executor calls, call by call, as C. The program
 * runs once on a table that stands before the model's and writes down each call before it is made
 * (one that crashes is the last). Looks at what came of the calls of the failing operation: their
 * results and all that the model traced, as one number; or where an object lies, if that is what
 * is wrong.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../exec/exec.h"
#include "cmd.h"
#include "repro.h"

enum { PATIENCE = 20 }; /* seconds */

static struct {
	const struct sf_repro *r;
	const struct sf_allocator *real;
	FILE *f;
	int depth;            /* what a call calls back for is no call of its own */
	bool watching;        /* the calls in hand are the failing operation's */
	uint64_t *addr;       /* that came, in order: a[0], a[1] … in the text */
	uint32_t nr, cap;
} rec;

/* --- writing down --- */

static void __attribute__((format(printf, 1, 2))) say(const char *fmt, ...)
{
	va_list ap;

	if (rec.depth)
		return;
	va_start(ap, fmt);
	vfprintf(rec.f, fmt, ap);
	va_end(ap);
	fflush(rec.f);
}

/* An address that came, by its name. */
static const char *name(uint64_t addr, char buf[40])
{
	for (uint32_t i = rec.nr; i-- > 0 && addr;) {
		if (rec.addr[i] != addr)
			continue;
		snprintf(buf, 40, "a[%u]", i);
		return buf;
	}
	snprintf(buf, 40, addr < 4096 ? "%" PRIu64 : "0x%" PRIx64 "ull", addr);
	return buf;
}

static void came(uint64_t addr, const char *what)
{
	if (rec.depth)
		return;
	SF_GROW(rec.addr, rec.nr, rec.cap);
	rec.addr[rec.nr++] = addr;
	say("\ta[%u] = SEE(%s);\n", rec.nr - 1, what);
}

/* Around the call itself. */
#define DO(call) (rec.depth++, (call), rec.depth--)
#define N1 char n1[40]
#define N2 char n1[40], n2[40]

/* --- the table --- */

static void put_request(const struct sf_request *q)
{
	say("\trq = (struct sf_request){ .api = %u, .type = %u, .token = %u, .gfp = 0x%x, "
	    ".site = %u,\n\t\t.align = %" PRIu64 ", .n = %" PRIu64 ", .size = %" PRIu64
	    "u, .array = %d, .bucket = %uu,\n", q->api, q->type, q->token, q->gfp, q->site,
	    q->align, q->n, q->size, q->array, q->bucket);
	say("\t\t.type_align = %u, .counter_size = %u, .counter_at = %u, .count = %" PRIu64
	    "u, .call = %u, .heap = %u };\n", q->type_align, q->counter_size, q->counter_at,
	    q->count, q->call, q->heap);
}

static void rec_alloc(struct sf_heap *h, const struct sf_request *rq, struct sf_result *rs)
{
	put_request(rq);
	say("\tt->alloc(h, &rq, &rs);\n\tSEE(rs.status);\n");
	DO(rec.real->alloc(h, rq, rs));
	came(rs->addr, "rs.addr");
}

static void rec_realloc(struct sf_heap *h, uint64_t addr, const struct sf_request *rq,
			struct sf_result *rs)
{
	N1;

	put_request(rq);
	say("\tt->realloc(h, %s, &rq, &rs);\n\tSEE(rs.status);\n", name(addr, n1));
	DO(rec.real->realloc(h, addr, rq, rs));
	came(rs->addr, "rs.addr");
}

static void rec_free(struct sf_heap *h, uint64_t addr, enum sf_free_how how, struct sf_result *rs)
{
	N1;

	say("\tt->free(h, %s, %d, &rs);\n\tSEE(rs.status);\n", name(addr, n1), how);
	DO(rec.real->free(h, addr, how, rs));
}

static uint64_t rec_usable(struct sf_heap *h, uint64_t addr)
{
	uint64_t v;
	N1;

	say("\tSEE(t->usable(h, %s));\n", name(addr, n1));
	DO(v = rec.real->usable(h, addr));
	return v;
}

static void rec_fill(struct sf_heap *h, uint64_t addr, uint64_t size, uint64_t key,
		     enum sf_contents how)
{
	N1;

	say("\tt->fill(h, %s, %" PRIu64 ", 0x%" PRIx64 ", %d);\n", name(addr, n1), size, key, how);
	DO(rec.real->fill(h, addr, size, key, how));
}

static uint64_t rec_verify(struct sf_heap *h, uint64_t addr, uint64_t size, uint64_t key,
			   enum sf_contents how)
{
	uint64_t v;
	N1;

	say("\tif (SEE(t->verify(h, %s, %" PRIu64 ", 0x%" PRIx64 ", %d)) != SF_GOOD)\n"
	    "\t\tbug(\"what was written to an object is not in it any more\");\n",
	    name(addr, n1), size, key, how);
	DO(v = rec.real->verify(h, addr, size, key, how));
	return v;
}

static uint64_t rec_zeroed(struct sf_heap *h, uint64_t addr, uint64_t from, uint64_t to,
			   enum sf_contents how)
{
	uint64_t v;
	N1;

	say("\tSEE(t->zeroed(h, %s, %" PRIu64 ", %" PRIu64 ", %d));\n", name(addr, n1), from, to,
	    how);
	DO(v = rec.real->zeroed(h, addr, from, to, how));
	return v;
}

static uint32_t rec_cache_create(struct sf_heap *h, const struct sf_cache_request *q, bool *merged)
{
	uint32_t v;

	say("\tcq = (struct sf_cache_request){ .name = \"%s\", .size = %uu, .align = %uu, .flags = "
	    "0x%x,\n\t\t.usersize = %u, .sheaf_capacity = %u, .min_order = %u };\n", q->name,
	    q->size, q->align, q->flags, q->usersize, q->sheaf_capacity, q->min_order);
	say("\tSEE(t->cache_create(h, &cq, &flag)); /* in what follows it has the number that it "
	    "had */\n");
	DO(v = rec.real->cache_create(h, q, merged));
	return v;
}

static void rec_cache_alloc(struct sf_heap *h, uint32_t cache, uint32_t gfp, struct sf_result *rs)
{
	say("\tt->cache_alloc(h, %u, 0x%x, &rs);\n\tSEE(rs.status);\n", cache, gfp);
	DO(rec.real->cache_alloc(h, cache, gfp, rs));
	came(rs->addr, "rs.addr");
}

static void rec_cache_free(struct sf_heap *h, uint32_t cache, uint64_t addr, struct sf_result *rs)
{
	N1;

	say("\tt->cache_free(h, %u, %s, &rs);\n\tSEE(rs.status);\n", cache, name(addr, n1));
	DO(rec.real->cache_free(h, cache, addr, rs));
}

static void rec_cache_alloc_bulk(struct sf_heap *h, uint32_t cache, uint32_t gfp, uint32_t n,
				 uint64_t *addrs, struct sf_result *rs)
{
	char text[40];

	say("\tt->cache_alloc_bulk(h, %u, 0x%x, %u, bulk, &rs);\n\tSEE(rs.status);\n", cache, gfp,
	    n);
	DO(rec.real->cache_alloc_bulk(h, cache, gfp, n, addrs, rs));
	for (uint32_t i = 0; rs->status == SF_OK && i < n; i++) {
		snprintf(text, sizeof(text), "bulk[%u]", i);
		came(addrs[i], text);
	}
}

static void put_bulk(const uint64_t *addrs, uint32_t n)
{
	N1;

	for (uint32_t i = 0; i < n; i++)
		say("\tbulk[%u] = %s;\n", i, name(addrs[i], n1));
}

static void rec_cache_free_bulk(struct sf_heap *h, uint32_t cache, uint32_t n,
				const uint64_t *addrs, struct sf_result *rs)
{
	put_bulk(addrs, n);
	say("\tt->cache_free_bulk(h, %u, %u, bulk, &rs);\n\tSEE(rs.status);\n", cache, n);
	DO(rec.real->cache_free_bulk(h, cache, n, addrs, rs));
}

static uint32_t rec_pages_alloc_bulk(struct sf_heap *h, uint32_t gfp, uint32_t n, uint64_t *pages,
				     struct sf_result *rs)
{
	char text[40];
	uint32_t v;

	put_bulk(pages, n);
	say("\tSEE(t->pages_alloc_bulk(h, 0x%x, %u, bulk, &rs));\n", gfp, n);
	DO(v = rec.real->pages_alloc_bulk(h, gfp, n, pages, rs));
	for (uint32_t i = 0; i < n; i++) {
		snprintf(text, sizeof(text), "bulk[%u]", i);
		came(pages[i], text);
	}
	return v;
}

static void rec_pages_alloc(struct sf_heap *h, uint32_t gfp, unsigned int order,
			    struct sf_result *rs)
{
	say("\tt->pages_alloc(h, 0x%x, %u, &rs);\n\tSEE(rs.status);\n", gfp, order);
	DO(rec.real->pages_alloc(h, gfp, order, rs));
	came(rs->addr, "rs.addr");
}

static void rec_pages_free(struct sf_heap *h, uint64_t addr, unsigned int order)
{
	N1;

	say("\tt->pages_free(h, %s, %u);\n", name(addr, n1), order);
	DO(rec.real->pages_free(h, addr, order));
}

static void rec_exact_alloc(struct sf_heap *h, uint64_t size, uint32_t gfp, struct sf_result *rs)
{
	say("\tt->exact_alloc(h, %" PRIu64 "u, 0x%x, &rs);\n\tSEE(rs.status);\n", size, gfp);
	DO(rec.real->exact_alloc(h, size, gfp, rs));
	came(rs->addr, "rs.addr");
}

static void rec_exact_free(struct sf_heap *h, uint64_t addr, uint64_t size)
{
	N1;

	say("\tt->exact_free(h, %s, %" PRIu64 "u);\n", name(addr, n1), size);
	DO(rec.real->exact_free(h, addr, size));
}

/* Where it should not be is where it is. */
static bool is_about_place(void)
{
	const char *title = rec.r->shows->title;

	return !strncmp(title, "ISO-", 4) || !strncmp(title, "BIG-", 4);
}

static void rec_place(struct sf_heap *h, uint64_t addr, struct sf_place *pl)
{
	N1;

	say("\tt->place(h, %s, &pl);\n", name(addr, n1));
	DO(rec.real->place(h, addr, pl));
	if (rec.watching && is_about_place())
		say("\tif (pl.kind == %u && pl.partition == %u && pl.cache == %uu && pl.stride == "
		    "%uu &&\n\t    pl.object_size == %uu && pl.order == %u)\n"
		    "\t\tbug(title);\n", pl->kind, pl->partition, pl->cache, pl->stride,
		    pl->object_size, pl->order);
	else
		say("\tSEE(pl.kind + pl.partition * 10u + pl.order * 1000u), SEE(pl.cache), "
		    "SEE(pl.stride), SEE(pl.base);\n");
}

static void rec_walk(struct sf_heap *h, struct sf_sink *sink, bool touched, bool final)
{
	say("\tt->walk(h, &sink, %d, %d);\n", touched, final);
	DO(rec.real->walk(h, sink, touched, final));
}

static uint32_t rec_buckets_create(struct sf_heap *h, const char *nm, uint32_t flags,
				   uint32_t usersize)
{
	uint32_t v;

	say("\tSEE(t->buckets_create(h, \"%s\", 0x%x, %u));\n", nm, flags, usersize);
	DO(v = rec.real->buckets_create(h, nm, flags, usersize));
	return v;
}

static void rec_set_user(struct sf_heap *h, const struct sf_user *user)
{
	say("\tt->set_user(h, &nobody);\n");
	DO(rec.real->set_user(h, user));
}

static void rec_track(struct sf_heap *h, uint64_t addr, uint32_t cookie, bool lru)
{
	N1;

	say("\tt->track(h, %s, %u, %d);\n", name(addr, n1), cookie, lru);
	DO(rec.real->track(h, addr, cookie, lru));
}

static bool rec_owns(struct sf_heap *h, uint64_t a, uint64_t b)
{
	bool v;
	N2;

	say("\tSEE(t->owns(h, %s, %s));\n", name(a, n1), name(b, n2));
	DO(v = rec.real->owns(h, a, b));
	return v;
}

static void rec_pin(struct sf_heap *h, uint64_t addr, bool on)
{
	N1;

	say("\tt->pin(h, %s, %d);\n", name(addr, n1), on);
	DO(rec.real->pin(h, addr, on));
}

static void rec_shrinker(struct sf_heap *h, uint32_t cache, const struct sf_shrinker *how)
{
	say("\tt->shrinker(h, %u, &(struct sf_shrinker){ %u, %u, %d });\n", cache, how->seeks,
	    how->batch, how->rcu);
	DO(rec.real->shrinker(h, cache, how));
}

static void rec_fault_attr(struct sf_heap *h, enum sf_fault kind, const struct sf_fault_attr *a)
{
	say("\tt->fault_attr(h, %d, &(struct sf_fault_attr){ %u, %u, %d, %u, %" PRIu64 "u, %" PRIu64
	    "u });\n", kind, a->probability, a->min_order, a->wait, a->interval, a->times,
	    a->space);
	DO(rec.real->fault_attr(h, kind, a));
}

static uint32_t rec_pool_create(struct sf_heap *h, const struct sf_pool_request *rq)
{
	uint32_t v;

	say("\tSEE(t->pool_create(h, &(struct sf_pool_request){ %u, %u }));\n", rq->mode,
	    rq->refill);
	DO(v = rec.real->pool_create(h, rq));
	return v;
}

static void rec_pool_alloc(struct sf_heap *h, uint32_t pool, uint64_t n, uint64_t size,
			   struct sf_result *rs)
{
	say("\tt->pool_alloc(h, %u, %" PRIu64 "u, %" PRIu64 "u, &rs);\n\tSEE(rs.status);\n",
	    pool, n, size);
	DO(rec.real->pool_alloc(h, pool, n, size, rs));
	came(rs->addr, "rs.addr");
}

static enum sf_status rec_pool_write(struct sf_heap *h, uint64_t addr, uint64_t size, uint64_t key,
				     enum sf_contents how)
{
	enum sf_status v;
	N1;

	say("\tSEE(t->pool_write(h, %s, %" PRIu64 ", 0x%" PRIx64 ", %d));\n", name(addr, n1), size,
	    key, how);
	DO(v = rec.real->pool_write(h, addr, size, key, how));
	return v;
}

static enum sf_status rec_rare_write(struct sf_heap *h, uint32_t pool, uint64_t addr,
				     uint64_t offset, uint64_t size, uint64_t key)
{
	enum sf_status v;
	N1;

	say("\tSEE(t->rare_write(h, %u, %s, %" PRIu64 "u, %" PRIu64 "u, 0x%" PRIx64 "));\n", pool,
	    name(addr, n1), offset, size, key);
	DO(v = rec.real->rare_write(h, pool, addr, offset, size, key));
	return v;
}

static uint32_t rec_sheaf_prefill(struct sf_heap *h, uint32_t cache, uint32_t gfp, uint32_t n,
				  struct sf_result *rs)
{
	uint32_t v;

	say("\tSEE(t->sheaf_prefill(h, %u, 0x%x, %u, &rs));\n", cache, gfp, n);
	DO(v = rec.real->sheaf_prefill(h, cache, gfp, n, rs));
	return v;
}

static void rec_sheaf_alloc(struct sf_heap *h, uint32_t cache, uint32_t gfp, uint32_t sheaf,
			    struct sf_result *rs)
{
	say("\tt->sheaf_alloc(h, %u, 0x%x, %u, &rs);\n\tSEE(rs.status);\n", cache, gfp, sheaf);
	DO(rec.real->sheaf_alloc(h, cache, gfp, sheaf, rs));
	came(rs->addr, "rs.addr");
}

static enum sf_status rec_sheaf_refill(struct sf_heap *h, uint32_t cache, uint32_t gfp,
				       uint32_t *sheaf, uint32_t n)
{
	enum sf_status v;

	say("\tnumber = %u;\n\tSEE(t->sheaf_refill(h, %u, 0x%x, &number, %u)), SEE(number);\n",
	    *sheaf, cache, gfp, n);
	DO(v = rec.real->sheaf_refill(h, cache, gfp, sheaf, n));
	return v;
}

static uint64_t rec_peek(struct sf_heap *h, uint64_t addr, void *to, uint64_t len)
{
	uint64_t v;

	DO(v = rec.real->peek(h, addr, to, len));
	return v;
}

static uint64_t rec_poke(struct sf_heap *h, uint64_t addr, const void *from, uint64_t len)
{
	const uint8_t *byte = from;
	uint64_t v;
	N1;

	say("\tt->poke(h, %s, \"", name(addr, n1));
	for (uint64_t i = 0; i < len; i++)
		say("\\%03o", byte[i]);
	say("\", %" PRIu64 ");\n", len);
	DO(v = rec.real->poke(h, addr, from, len));
	return v;
}

/* Of numbers alone. */
#define VOID(fn)                                                                                \
	static void rec_##fn(struct sf_heap *h)                                                 \
	{                                                                                       \
		say("\tt->" #fn "(h);\n");                                                      \
		DO(rec.real->fn(h));                                                            \
	}
#define VOID1(fn, type)                                                                         \
	static void rec_##fn(struct sf_heap *h, type a)                                         \
	{                                                                                       \
		say("\tt->" #fn "(h, %uu);\n", a);                                              \
		DO(rec.real->fn(h, a));                                                         \
	}
#define VALUE1(result, fn)                                                                      \
	static result rec_##fn(struct sf_heap *h, uint32_t a)                                   \
	{                                                                                       \
		result v;                                                                       \
												\
		say("\tSEE(t->" #fn "(h, %uu));\n", a);                                         \
		DO(v = rec.real->fn(h, a));                                                     \
		return v;                                                                       \
	}
#define LONG1(result, fn)                                                                       \
	static result rec_##fn(struct sf_heap *h, uint64_t a)                                   \
	{                                                                                       \
		result v;                                                                       \
												\
		say("\tSEE(t->" #fn "(h, %" PRIu64 "u));\n", a);                                \
		DO(v = rec.real->fn(h, a));                                                     \
		return v;                                                                       \
	}

VOID(drain)
VOID(kswapd)
VOID(grace_period)
VOID(rcu_barrier)
VOID(compact)
VOID1(set_cpu, unsigned int)
VOID1(buckets_shrink, uint32_t)
VOID1(memcg_set, uint32_t)
VOID1(pool_destroy, uint32_t)
VALUE1(enum sf_status, cache_destroy)
VALUE1(int, cache_shrink)
VALUE1(enum sf_status, memcg_destroy)
VALUE1(enum sf_status, pool_protect)
VALUE1(enum sf_status, pool_unprotect)
VALUE1(uint32_t, sheaf_size)
LONG1(uint64_t, shrink)
LONG1(enum sf_status, vm_enough_memory)

static void rec_fail(struct sf_heap *h, enum sf_fault kind, uint64_t after)
{
	say("\tt->fail(h, %d, %" PRIu64 "u);\n", kind, after);
	DO(rec.real->fail(h, kind, after));
}

static uint32_t rec_memcg_create(struct sf_heap *h, uint32_t parent, uint64_t max)
{
	uint32_t v;

	say("\tSEE(t->memcg_create(h, %uu, %" PRIu64 "u));\n", parent, max);
	DO(v = rec.real->memcg_create(h, parent, max));
	return v;
}

static enum sf_status rec_sheaf_return(struct sf_heap *h, uint32_t cache, uint32_t gfp,
				       uint32_t sheaf)
{
	enum sf_status v;

	say("\tSEE(t->sheaf_return(h, %u, 0x%x, %u));\n", cache, gfp, sheaf);
	DO(v = rec.real->sheaf_return(h, cache, gfp, sheaf));
	return v;
}

static struct sf_heap *rec_create(const struct sf_allocator *self, const struct sf_settings *set,
				  struct sf_sink *sink, struct sf_error *err)
{
	struct sf_heap *h;

	(void)self;
	DO(h = rec.real->create(rec.real, set, sink, err));
	return h;
}

static void rec_reset(struct sf_heap *h)
{
	say("\tt->reset(h);\n");
	DO(rec.real->reset(h));
}

static void stand_before(struct sf_allocator *a)
{
	*a = *rec.real;
	a->create = rec_create;
#define X(fn) a->fn = a->fn ? rec_##fn : NULL;
	X(reset) X(alloc) X(realloc) X(free) X(usable) X(fill) X(verify) X(zeroed) X(cache_create)
	X(cache_destroy) X(cache_shrink) X(cache_alloc) X(cache_free) X(cache_alloc_bulk)
	X(cache_free_bulk) X(pages_alloc) X(pages_free) X(exact_alloc) X(exact_free) X(set_cpu)
	X(fail) X(drain) X(place) X(walk) X(buckets_create) X(buckets_shrink) X(peek) X(poke)
	X(set_user) X(track) X(owns) X(pin) X(shrinker) X(shrink) X(kswapd) X(grace_period)
	X(rcu_barrier) X(memcg_create) X(memcg_set) X(memcg_destroy) X(compact) X(fault_attr)
	X(vm_enough_memory) X(pool_create) X(pool_alloc) X(pool_protect) X(pool_unprotect)
	X(pool_destroy) X(pool_write) X(rare_write) X(pages_alloc_bulk) X(sheaf_prefill)
	X(sheaf_alloc) X(sheaf_refill) X(sheaf_return) X(sheaf_size)
#undef X
}

/* --- a run --- */

static void listen(void *ctx, const struct sf_event *ev)
{
	(void)ctx;
	(void)ev;
}

static void watch(bool on)
{
	if (rec.watching != on)
		fprintf(rec.f, "\twatching = %d;\n", on);
	rec.watching = on;
}

/* In a process of its own: it may crash, and what was written down is there. */
static _Noreturn void record(const struct sf_repro *r)
{
	static const struct sf_exec_options in_full = { .end = SF_END_TEARDOWN, .contents = true };
	struct sf_allocator before;
	struct sf_error err = { "" };
	struct sf_exec *x;

	alarm(PATIENCE);
	stand_before(&before);
	x = sf_exec_create(&before, &r->prog->settings, &in_full, listen, NULL, &err);
	if (!x)
		_exit(2);
	sf_exec_begin(x, NULL);
	for (uint32_t i = 0; i < r->prog->nr_ops; i++) {
		sf_repro_comment(r, i, rec.f);
		watch(i == r->shows->op);
		if (!sf_exec_step(x, &r->prog->ops[i], r->prog->strings))
			break;
	}
	fputs("\n\t/* All is given back. */\n", rec.f);
	watch(r->shows->op == SF_NONE);
	sf_exec_end(x);
	_exit(0);
}

static char *recorded(const struct sf_repro *r, struct sf_error *err)
{
	FILE *f = tmpfile();
	char *text = NULL;
	int status = 0;
	long size;
	pid_t pid;

	rec.r = r;
	rec.real = r->allocator;
	rec.f = f;
	pid = f ? (fflush(NULL), fork()) : -1;
	if (!pid)
		record(r);
	if (pid > 0)
		waitpid(pid, &status, 0);
	if (pid < 0 || (WIFEXITED(status) && WEXITSTATUS(status))) {
		snprintf(err->text, sizeof(err->text), "its calls cannot be recorded");
	} else {
		fseek(f, 0, SEEK_END);
		size = ftell(f);
		rewind(f);
		text = sf_zalloc((size_t)size + 1, 1);
		size = (long)fread(text, 1, (size_t)size, f);
		text[size < 0 ? 0 : size] = 0;
	}
	if (f)
		fclose(f);
	return text;
}

/* --- the file --- */

static const char prelude[] =
"#include <stdio.h>\n"
"#include <stdlib.h>\n"
"#include <string.h>\n"
"#include <unistd.h>\n"
"\n"
"#include \"allocator.h\"\n"
"#include \"event_hash.h\"\n"
"\n"
"/* What the calls of the failing operation gave, and what was traced meanwhile. */\n"
"static uint64_t seen = 1;\n"
"static int watching;\n"
"\n"
"static uint64_t see(uint64_t x)\n"
"{\n"
"	if (watching)\n"
"		mix(&seen, x);\n"
"	return x;\n"
"}\n"
"\n"
"#define SEE(x) see((uint64_t)(x))\n"
"\n"
"static void on_event(void *ctx, const struct sf_event *ev)\n"
"{\n"
"	(void)ctx;\n"
"	if (watching)\n"
"		hash_event(&seen, ev);\n"
"}\n"
"\n"
"static void bug(const char *what)\n"
"{\n"
"	fprintf(stderr, \"BUG: %s\\n\", what);\n"
"	_exit(1);\n"
"}\n"
"\n"
"/* Who is told when objects go by themselves. */\n"
"static void going(void *ctx, uint32_t nr, uint64_t addr, enum sf_free_how how)\n"
"{\n"
"	(void)ctx;\n"
"	SEE(nr + addr + how);\n"
"}\n"
"\n"
"static void gone(void *ctx, uint32_t nr, uint64_t addr, enum sf_status status)\n"
"{\n"
"	(void)ctx;\n"
"	SEE(nr + addr + status);\n"
"}\n"
"\n"
"static void moved(void *ctx, uint32_t nr, uint64_t from, uint64_t to)\n"
"{\n"
"	(void)ctx;\n"
"	SEE(nr + from), SEE(to);\n"
"}\n"
"\n"
"static void midst(void *ctx, bool after)\n"
"{\n"
"	(void)ctx;\n"
"	SEE(after);\n"
"}\n"
"\n"
"static const struct sf_user nobody = { going, gone, going, moved, midst, NULL };\n"
"\n";

static void put_settings(const struct sf_repro *r, FILE *f)
{
	struct sf_settings set = r->prog->settings;

	fputs("\tsf_settings_init(&set);\n", f);
	for (size_t i = 0; i < sf_setting_count; i++)
		if (*sf_setting_slot(&set, &sf_setting_table[i]) != sf_setting_table[i].def)
			fprintf(f, "\tset.%s = %" PRIu64 "u;\n", sf_setting_table[i].name,
				*sf_setting_slot(&set, &sf_setting_table[i]));
}

static uint32_t addresses(const char *text)
{
	uint32_t nr = 1;

	for (; (text = strstr(text, "] = SEE(")); text++)
		nr++;
	return nr;
}

bool sf_repro_model(const struct sf_repro *r, FILE *f, struct sf_error *err)
{
	char *calls = recorded(r, err);

	if (!calls)
		return false;
	sf_repro_head(r, f);
	fputs(prelude, f);
	fprintf(f, "static uint64_t a[%u], bulk[4096];\n\nint main(int argc, char **argv)\n{\n"
		"\tstatic const char title[] = \"%s\";\n", addresses(calls), r->shows->title);
	fprintf(f, "\tconst struct sf_allocator *t = sf_allocator_by_name(\"%s\");\n"
		"\tstruct sf_sink sink = { on_event, NULL, SF_NONE };\n"
		"\tstruct sf_cache_request cq;\n\tstruct sf_settings set;\n"
		"\tstruct sf_request rq;\n"
		"\tstruct sf_result rs;\n\tstruct sf_place pl;\n\tstruct sf_error err;\n"
		"\tstruct sf_heap *h;\n\tuint32_t number;\n\tbool flag;\n\n"
		"\t(void)a, (void)bulk, (void)cq, (void)rq, (void)rs, (void)pl, (void)number;\n"
		"\t(void)flag, (void)nobody, (void)argv;\n", r->allocator->name);
	put_settings(r, f);
	fputs("\th = t->create(t, &set, &sink, &err);\n\tif (!h)\n\t\treturn 125;\n", f);
	fputs(calls, f);
	fprintf(f, "\n\tif (argc > 1)\n\t\tprintf(\"0x%%llx\\n\", (unsigned long long)seen);\n"
		"\t/* This is what is seen if the bug is there. */\n"
		"\telse if (seen == 0x%" PRIx64 "ull)\n\t\tbug(title);\n\treturn 0;\n}\n",
		r->fingerprint);
	free(calls);
	return true;
}
