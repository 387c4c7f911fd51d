// SPDX-License-Identifier: MIT
/*
 * kernel.c - the kernel's allocation calls, each carried out as the operation that it is.
 *
 * Relies on the executor: a call becomes a struct sf_op, and what lies under its result number
 * afterwards is what the call returns. Pointers are turned back into result numbers by a table of
 * all that was handed out, handles included; a pointer that is not in it, or stands for something
 * that the call does not take, is refused. Programs in C rely on it, through kernel.h.
 */
#include "kernel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../allocators/base/hash_map.h"
#include "exec_internal.h"

/* Handles of caches, sets of buckets and devices are numbers from here on, none of them twice. */
#define HANDLES 0xffffa00000000000ull
#define HANDLE_STEP 16u

#define CALLS 256u /* remembered; a power of two */
#define BULK_MAX (sizeof(((struct sf_exec *)0)->bulk) / sizeof(uint64_t))

/* What a pointer may stand for: calls name what they take. */
enum sort {
	KMALLOCED = 1,
	NAMED = 2,   /* of a cache that still is there */
	KVMALLOCED = 4,
	MANAGED = 8, /* of a device */
	CACHE = 16,
	BUCKETS = 32,
	DEVICE = 64,
};

/* Something handed out, by result number. */
struct held {
	uint64_t addr; /* 0: the number is unused */
	uint32_t next; /* the one before it at that address, or the next unused; SF_NONE: none */
};

/* What is read from the words of a call, once: they are constant. */
struct known {
	const struct sf_call *call;
	uint16_t type, site;
};

struct sf_kernel {
	struct sf_exec *x;
	const struct sf_allocator *a;
	bool host, flex_cut; /* flex_cut: flex=implemented */
	uint64_t calls, refused, handles;
	struct held *held;
	uint32_t nr, unused;   /* numbers; `unused` is the first of those that are free again */
	size_t cap;
	struct sf_map by_addr; /* the newest number that stands for it */
	char strings[SF_STRING_MAX + 2];
	struct known known[CALLS];
};

/*
 * The kernel's calls name no heap, so that a thread must know its own. A thread's, not the
 * process's: heaps of two threads are independent.
 */
static _Thread_local struct sf_kernel *bound;

/* The heap of this call, if anything can be done. */
static struct sf_kernel *ready(void)
{
	if (!bound || bound->x->blocked)
		return NULL;
	bound->calls++;
	return bound;
}

/* --- what was handed out --- */

static uint32_t new_number(struct sf_kernel *k)
{
	uint32_t res = k->unused;

	if (res != SF_NONE) {
		k->unused = k->held[res].next;
		return res;
	}
	res = k->nr++;
	k->held = sf_grow_zeroed(k->held, &k->cap, k->nr, sizeof(*k->held));
	return res;
}

static void give_number(struct sf_kernel *k, uint32_t res)
{
	k->held[res].next = k->unused;
	k->held[res].addr = 0;
	k->unused = res;
}

static void *hold(struct sf_kernel *k, uint32_t res, uint64_t addr)
{
	k->held[res].addr = addr;
	k->held[res].next = sf_map_get(&k->by_addr, addr);
	sf_map_put(&k->by_addr, addr, res);
	return (void *)(uintptr_t)addr;
}

static void let_go(struct sf_kernel *k, uint32_t res)
{
	uint64_t addr = k->held[res].addr;
	uint32_t newer = sf_map_get(&k->by_addr, addr), older = k->held[res].next;

	if (newer == res && older == SF_NONE) {
		sf_map_del(&k->by_addr, addr);
	} else if (newer == res) {
		sf_map_put(&k->by_addr, addr, older);
	} else {
		while (k->held[newer].next != res)
			newer = k->held[newer].next;
		k->held[newer].next = older;
	}
}

static void forget(struct sf_kernel *k, uint32_t res)
{
	let_go(k, res);
	give_number(k, res);
}

static unsigned int sort_of(const struct sf_kernel *k, uint32_t res)
{
	const struct slot *s = x_slot(k->x, res);
	const struct object *o;

	switch (s->kind) {
	case SF_RES_KV:
		return KVMALLOCED;
	case SF_RES_CACHE:
		return CACHE;
	case SF_RES_BUCKETS:
		return BUCKETS;
	case SF_RES_DEVICE:
		return DEVICE;
	case SF_RES_OBJ:
		break;
	default:
		return 0;
	}
	o = &k->x->obj[s->obj];
	if (o->device != SF_NONE)
		return MANAGED;
	if (o->cache == SF_NONE)
		return KMALLOCED;
	return *x_cache_state(k->x, o->cache) & CACHE_LEAKED ? 0 : NAMED;
}

/* The newest of these sorts with that address: there may be many that are ZERO_SIZE_PTR. */
static uint32_t find(const struct sf_kernel *k, const void *p, unsigned int sorts)
{
	uint64_t addr = (uintptr_t)p;
	uint32_t res;

	for (res = sf_map_get(&k->by_addr, addr); res != SF_NONE; res = k->held[res].next)
		if (sort_of(k, res) & sorts)
			break;
	return res;
}

/* The same, or the call is refused. */
static uint32_t find_or_refuse(struct sf_kernel *k, const void *p, unsigned int sorts)
{
	uint32_t res = find(k, p, sorts);

	k->refused += res == SF_NONE;
	return res;
}

/* For calls that take NULL, and then ZERO_SIZE_PTR, wherever that is from. False: refused. */
static bool find_or_null(struct sf_kernel *k, const void *p, unsigned int sorts, uint32_t *res)
{
	*res = p ? find(k, p, sorts) : SF_NONE;
	if (*res != SF_NONE || ZERO_OR_NULL_PTR(p))
		return true;
	k->refused++;
	return false;
}

/* Memory of that device: its own ZERO_SIZE_PTR is not another's. */
static uint32_t find_of_device(const struct sf_kernel *k, const void *p, uint32_t device)
{
	uint32_t res = find(k, p, MANAGED);

	for (; res != SF_NONE; res = k->held[res].next)
		if (sort_of(k, res) == MANAGED &&
		    k->x->obj[x_slot(k->x, res)->obj].device == device)
			break;
	return res;
}

/* --- types by their words --- */

static bool is_word(char c)
{
	return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z');
}

/* The next character that matters from *at on, 0 at the end; blanks do between words only. */
static char next_char(const char *s, size_t len, size_t *at)
{
	size_t from = *at;

	while (*at < len && s[*at] == ' ')
		++*at;
	if (*at == len)
		return 0;
	if (*at > from && from && is_word(s[from - 1]) && is_word(s[*at]))
		return ' ';
	return s[(*at)++];
}

static bool same_type(const char *name, const char *s, size_t len)
{
	size_t name_len = strlen(name), i = 0, k = 0;
	char a, b;

	do {
		a = next_char(name, name_len, &i);
		b = next_char(s, len, &k);
	} while (a == b && a);
	return a == b;
}

/* What is no tag's in the table, and so may also be called what it canonically is: _Bool. */
static bool is_tagged(const char *name)
{
	return strstr(name, "struct ") || strstr(name, "union ") || strstr(name, "enum ");
}

static uint32_t type_named(const char *s, size_t len)
{
	while (len && *s == ' ')
		s++, len--;
	for (uint32_t i = 1; i < sf_type_count; i++)
		if (same_type(sf_types[i].name, s, len))
			return i;
	for (uint32_t i = 1; i < sf_type_count; i++)
		if (!is_tagged(sf_types[i].name) && same_type(sf_types[i].canonical, s, len))
			return i;
	return 0;
}

/* The first sizeof (…) decides, as it does for the compiler. */
static uint32_t type_of_sizeof(const char *text)
{
	const char *s = strstr(text, "sizeof"), *end;
	unsigned int depth = 1;

	while (s && ((s > text && is_word(s[-1])) || is_word(s[6])))
		s = strstr(s + 1, "sizeof");
	if (!s)
		return 0;
	s += 6;
	while (*s == ' ')
		s++;
	if (*s++ != '(')
		return 0;
	for (end = s; *end; end++) {
		depth += *end == '(';
		depth -= *end == ')';
		if (!depth)
			return type_named(s, (size_t)(end - s));
	}
	return 0;
}

/* The family whose argument is a type, or a variable of it. */
static bool names_type(uint8_t code)
{
	return sf_op_table[code].arg[0].kind == SF_ARG_TYPE;
}

/* Equal wherever the source lies, and never the call site of devres. */
static uint16_t site_of(const struct sf_call *call)
{
	const char *slash = strrchr(call->file, '/');
	uint32_t h = 0x811c9dc5u;

	for (const char *s = slash ? slash + 1 : call->file; *s; s++)
		h = (h ^ (unsigned char)*s) * 0x01000193u;
	for (unsigned int i = 0; i < 32; i += 8)
		h = (h ^ (call->line >> i & 0xff)) * 0x01000193u;
	return (uint16_t)(1 + h % 65534);
}

static const struct known *known_of(struct sf_kernel *k, const struct sf_call *call)
{
	struct known *known = &k->known[((uintptr_t)call >> 3) & (CALLS - 1)];

	if (known->call != call)
		*known = (struct known){
			.call = call,
			.type = (uint16_t)(names_type(call->code) ?
						   type_named(call->text, strlen(call->text)) :
						   type_of_sizeof(call->text)),
			.site = site_of(call),
		};
	return known;
}

/* --- operations --- */

static void step(struct sf_kernel *k, const struct sf_op *op)
{
	sf_exec_step(k->x, op, k->strings);
}

static struct sf_op op_of(struct sf_kernel *k, const struct sf_call *call, uint64_t token,
			  gfp_t gfp)
{
	const struct known *known = known_of(k, call);
	struct sf_op op = sf_op_make(call->code);

	op.type = known->type;
	op.site = known->site;
	op.gfp = gfp & SF_GFP_ALL;
	if (token < SF_TOKENS_MAX)
		op.token = (uint8_t)(token + 1);
	return op;
}

/* What lies under a result number now, as its user sees it. */
static void *received(struct sf_kernel *k, uint32_t res)
{
	const struct slot *s = x_slot(k->x, res);
	const struct object *o;

	if (!x_has_objects(s)) {
		give_number(k, res);
		return NULL;
	}
	o = &k->x->obj[s->obj];
	return hold(k, res, o->addr + (x_is_real(o->addr) ? x_head_size(k->x, o) : 0));
}

static void *allocate(struct sf_kernel *k, struct sf_op *op)
{
	op->res = new_number(k);
	step(k, op);
	return received(k, op->res);
}

/* An operation that frees what is under `res`, if it does. */
static void release(struct sf_kernel *k, const struct sf_op *op, uint32_t res)
{
	step(k, op);
	if (res != SF_NONE && !x_has_objects(x_slot(k->x, res)))
		forget(k, res);
}

static void *reallocate(struct sf_kernel *k, struct sf_op *op, uint32_t old)
{
	op->obj = old;
	op->res = new_number(k);
	release(k, op, old);
	return received(k, op->res);
}

/* Names are cut where text's are. */
static uint32_t string(struct sf_kernel *k, const char *name)
{
	if (!name || !*name)
		return 0;
	snprintf(k->strings + 1, sizeof(k->strings) - 1, "%s", name);
	return 1;
}

/* An operation whose result is no object, and the handle of that. */
static void *make(struct sf_kernel *k, struct sf_op *op)
{
	op->res = new_number(k);
	step(k, op);
	if (x_slot(k->x, op->res)->kind != SF_RES_NONE)
		return hold(k, op->res, HANDLES + HANDLE_STEP * k->handles++);
	give_number(k, op->res);
	return NULL;
}

/* --- heaps --- */

static struct sf_exec *open_exec(const struct sf_kernel_options *opt, struct sf_error *err)
{
	struct sf_exec_options how = { .end = SF_END_TEARDOWN,
				       .contents = opt->contents && !opt->host };
	struct sf_settings set;
	const char *fault;

	sf_settings_init(&set);
	if (opt->settings)
		set = *opt->settings;
	fault = sf_settings_fault(&set);
	if (fault) {
		snprintf(err->text, sizeof(err->text), "%s", fault);
		return NULL;
	}
	return sf_exec_create(opt->allocator, &set, &how, opt->emit, opt->ctx, err);
}

struct sf_kernel *sf_kernel_open(const struct sf_kernel_options *opt, struct sf_error *err)
{
	struct sf_exec *x = open_exec(opt, err);
	struct sf_kernel *k;

	if (!x)
		return NULL;
	k = sf_zalloc(1, sizeof(*k));
	k->x = x;
	k->a = opt->allocator;
	k->host = opt->host;
	k->flex_cut = opt->settings && opt->settings->flex;
	k->unused = SF_NONE;
	sf_exec_begin(x, "a C program");
	return k;
}

void sf_kernel_close(struct sf_kernel *k)
{
	if (!k)
		return;
	if (bound == k)
		bound = NULL;
	sf_exec_end(k->x);
	sf_exec_destroy(k->x);
	free(k->held);
	sf_map_free(&k->by_addr);
	free(k);
}

struct sf_kernel *sf_kernel_bind(struct sf_kernel *k)
{
	struct sf_kernel *was = bound;

	bound = k;
	return was;
}

void sf_kernel_counts(const struct sf_kernel *k, struct sf_kernel_counts *to)
{
	struct sf_exec_counts counts;

	sf_exec_counts(k->x, &counts);
	*to = (struct sf_kernel_counts){ .calls = k->calls, .live = counts.live,
					 .refused = k->refused, .blocked = k->x->blocked };
	for (unsigned int i = 0; i < SF_SKIP_REASONS; i++)
		to->skipped += counts.skipped[i];
}

void sf_kernel_check(void)
{
	struct sf_kernel *k = ready();
	struct sf_op op = sf_op_make(SF_OP_CHECK);

	if (k)
		step(k, &op);
}

void sf_kernel_cpu(unsigned int cpu)
{
	struct sf_kernel *k = ready();
	struct sf_op op = sf_op_make(SF_OP_CPU);

	if (!k)
		return;
	op.cpu = (uint8_t)(cpu % k->x->set.cpus);
	step(k, &op);
}

void sf_kernel_fail(enum sf_fault kind, uint16_t after)
{
	struct sf_kernel *k = ready();
	struct sf_op op = sf_op_make(SF_OP_FAIL);

	if (!k)
		return;
	op.fault = (uint8_t)(kind % SF_FAULTS);
	op.count = after;
	step(k, &op);
}

/* --- kmalloc and its forms --- */

void *sf_call_alloc(const struct sf_call *call, uint64_t token, size_t n, size_t size, gfp_t gfp)
{
	struct sf_kernel *k = ready();
	struct sf_op op;

	if (!k)
		return NULL;
	op = op_of(k, call, token, gfp);
	op.n = n;
	op.size = size;
	return allocate(k, &op);
}

void *sf_call_realloc(const struct sf_call *call, uint64_t token, const void *p, size_t n,
		      size_t size, gfp_t gfp)
{
	struct sf_kernel *k = ready();
	unsigned int sorts = KMALLOCED;
	struct sf_op op;
	uint32_t old;

	if (sf_op_table[call->code].flags & SF_OPF_KV)
		sorts |= KVMALLOCED;
	if (!k || !find_or_null(k, p, sorts, &old))
		return NULL;
	op = op_of(k, call, token, gfp);
	op.n = n;
	op.size = size;
	return reallocate(k, &op, old);
}

/* Where an allocator knows no difference, all frees are kfree(). */
static uint8_t spelled(const struct sf_kernel *k, uint8_t code)
{
	if ((code == SF_OP_KVFREE && !x_has(k->x, SF_CAP_KVMALLOC)) ||
	    (code == SF_OP_KFREE_NOLOCK && !x_has(k->x, SF_CAP_NOLOCK)))
		return SF_OP_KFREE;
	return code;
}

static void free_one(struct sf_kernel *k, const void *p, uint8_t code)
{
	struct sf_op op = sf_op_make(spelled(k, code));
	unsigned int sorts = KMALLOCED | NAMED;

	if (code == SF_OP_KVFREE)
		sorts |= KVMALLOCED;
	if (find_or_null(k, p, sorts, &op.obj))
		release(k, &op, op.obj);
}

void sf_call_free(const void *p, uint8_t code)
{
	struct sf_kernel *k = ready();

	if (k)
		free_one(k, p, code);
}

size_t sf_call_ksize(const void *p)
{
	struct sf_kernel *k = ready();
	struct sf_op op = sf_op_make(SF_OP_KSIZE);

	if (!k || !find_or_null(k, p, KMALLOCED | NAMED, &op.obj))
		return 0;
	step(k, &op);
	if (ZERO_OR_NULL_PTR(p) || !x_has(k->x, SF_CAP_USABLE))
		return 0;
	return k->a->usable(k->x->heap, (uintptr_t)p);
}

/* --- the kmalloc_obj family --- */

/*
 * What the executor gets to know of a type: the compiler's word goes before the table's. A type
 * that has a name of the table but is another has at most the token in common.
 */
static struct sf_type type_for(const struct sf_kernel *k, struct sf_op *op,
			       const struct sf_layout *layout)
{
	const struct sf_type *t = &sf_types[op->type];
	struct sf_type as = { .align = (uint32_t)layout->align };

	if (t->size != layout->size || t->align != layout->align) {
		if (op->type && !op->token)
			op->token = (uint8_t)(k->x->token[op->type] + 1);
		op->type = 0;
		t = &sf_types[0];
	}
	if (!(sf_op_table[op->code].flags & SF_OPF_FLEX))
		return as;
	as.counter = t->counter;
	as.counter_offset = t->counter_offset;
	if (layout->counter_size != SF_COUNTER_UNKNOWN) {
		as.counter = layout->counter_size;
		as.counter_offset = (uint32_t)layout->counter_at;
	}
	return as;
}

static bool counter_fits(const struct sf_type *as, uint64_t count)
{
	return !as->counter || as->counter >= sizeof(count) || !(count >> 8 * as->counter);
}

/* __set_flex_counter() of include/linux/overflow.h, little endian as all that is modelled here. */
static void store_counter(void *p, const struct sf_type *as, uint64_t count)
{
	uint8_t *to = (uint8_t *)p + as->counter_offset;

	for (unsigned int i = 0; i < as->counter && i < sizeof(count); i++)
		to[i] = (uint8_t)(count >> 8 * i);
}

void *sf_call_object(const struct sf_call *call, uint64_t token, const struct sf_layout *type,
		     size_t size, size_t count, gfp_t gfp)
{
	struct sf_kernel *k = ready();
	struct sf_type as;
	struct sf_op op;
	bool own;
	void *p;

	if (!k)
		return NULL;
	op = op_of(k, call, token, gfp);
	as = type_for(k, &op, type);
	op.n = count;
	op.size = size;
	own = k->host && !x_has(k->x, SF_CAP_FLEX);
	if (own && !k->flex_cut && !counter_fits(&as, count))
		return NULL;
	op.res = new_number(k);
	sf_exec_step_object(k->x, &op, &as);
	p = received(k, op.res);
	if (own && !ZERO_OR_NULL_PTR(p))
		store_counter(p, &as, count);
	return p;
}

/* --- caches --- */

static uint32_t at_most(uint32_t value, uint32_t limit)
{
	return value < limit ? value : limit;
}

struct kmem_cache *sf_cache_create_args(const char *name, unsigned int size,
					const struct kmem_cache_args *args, slab_flags_t flags)
{
	static const struct kmem_cache_args none;
	struct sf_kernel *k = ready();
	struct sf_op op = sf_op_make(SF_OP_CACHE_CREATE);

	if (!k)
		return NULL;
	if (!args)
		args = &none;
	op.name = string(k, name);
	op.size = size;
	if (args->align)
		op.align = 1u << (31 - __builtin_clz(args->align));
	op.flags = flags | (args->ctor ? SF_SLAB_CTOR : 0);
	if (op.flags & SF_SLAB_TEMPORARY)
		op.flags |= SF_SLAB_RECLAIM_ACCOUNT;
	op.flags &= SF_SLAB_USER & ~SF_SLAB_TEMPORARY;
	op.count = (uint16_t)at_most(args->usersize, UINT16_MAX);
	op.order = (uint8_t)at_most(args->sheaf_capacity, UINT8_MAX);
	return make(k, &op);
}

void *sf_cache_alloc(const struct sf_call *call, struct kmem_cache *s, gfp_t gfp)
{
	struct sf_kernel *k = ready();
	uint32_t cache = k ? find_or_refuse(k, s, CACHE) : SF_NONE;
	struct sf_op op;

	if (cache == SF_NONE)
		return NULL;
	op = op_of(k, call, SF_NO_TOKEN, gfp);
	op.cache = cache;
	return allocate(k, &op);
}

/* The result numbers of what `cache` may take back, no longer in the table: none is met twice. */
static uint32_t collect(struct sf_kernel *k, uint32_t cache, size_t n, void **p, uint32_t *res)
{
	uint32_t id = x_slot(k->x, cache)->cache, nr = 0;

	for (size_t i = 0; i < n; i++) {
		uint32_t one = find_or_refuse(k, p[i], NAMED);

		if (one == SF_NONE)
			continue;
		if (k->x->obj[x_slot(k->x, one)->obj].cache != id) {
			k->refused++;
			continue;
		}
		let_go(k, one);
		res[nr++] = one;
	}
	return nr;
}

/* At most BULK_MAX of them. */
static void free_bulk(struct sf_kernel *k, uint32_t cache, size_t n, void **p)
{
	struct sf_op op = sf_op_make(SF_OP_CACHE_FREE_BULK);
	uint32_t res[BULK_MAX], nr = collect(k, cache, n, p, res);

	if (!nr)
		return;
	op.cache = cache;
	op.obj = new_number(k);
	x_join(k->x, op.obj, res, nr);
	step(k, &op);
	give_number(k, op.obj);
	while (nr-- > 0)
		give_number(k, res[nr]);
}

/* At most BULK_MAX, all or none. */
static bool alloc_bulk(struct sf_kernel *k, struct sf_op *op, size_t n, void **to)
{
	uint32_t res[BULK_MAX];

	op->res = new_number(k);
	op->count = (uint16_t)n;
	step(k, op);
	if (x_slot(k->x, op->res)->kind != SF_RES_BULK) {
		give_number(k, op->res);
		return false;
	}
	for (size_t i = 0; i < n; i++)
		res[i] = new_number(k);
	x_split(k->x, op->res, res);
	give_number(k, op->res);
	for (size_t i = 0; i < n; i++)
		to[i] = received(k, res[i]);
	return true;
}

static size_t up_to(size_t n, size_t at)
{
	return n - at < BULK_MAX ? n - at : BULK_MAX;
}

bool sf_cache_alloc_bulk(const struct sf_call *call, struct kmem_cache *s, gfp_t gfp, size_t n,
			 void **to)
{
	struct sf_kernel *k = ready();
	uint32_t cache = k ? find_or_refuse(k, s, CACHE) : SF_NONE;
	struct sf_op op;
	size_t got;

	if (cache == SF_NONE || !n)
		return false;
	op = op_of(k, call, SF_NO_TOKEN, gfp);
	op.cache = cache;
	for (got = 0; got < n; got += up_to(n, got))
		if (!alloc_bulk(k, &op, up_to(n, got), to + got))
			break;
	if (got == n)
		return true;
	for (size_t at = 0; at < got; at += up_to(got, at))
		free_bulk(k, cache, up_to(got, at), to + at);
	return false;
}

static void cache_free_one(struct sf_kernel *k, struct kmem_cache *s, const void *p)
{
	struct sf_op op = sf_op_make(SF_OP_CACHE_FREE);

	op.cache = find(k, s, CACHE);
	op.obj = op.cache == SF_NONE ? SF_NONE : find(k, p, NAMED);
	if (op.obj == SF_NONE || k->x->obj[x_slot(k->x, op.obj)->obj].cache !=
					 x_slot(k->x, op.cache)->cache) {
		k->refused++;
		return;
	}
	release(k, &op, op.obj);
}

void sf_cache_free(struct kmem_cache *s, const void *p)
{
	struct sf_kernel *k = ready();

	if (k)
		cache_free_one(k, s, p);
}

static void free_each(struct sf_kernel *k, struct kmem_cache *s, size_t n, void **p)
{
	for (size_t i = 0; i < n; i++) {
		if (s)
			cache_free_one(k, s, p[i]);
		else
			free_one(k, p[i], SF_OP_KFREE);
	}
}

void sf_cache_free_bulk(struct kmem_cache *s, size_t n, void **p)
{
	struct sf_kernel *k = ready();
	uint32_t cache;

	if (!k)
		return;
	if (!s || !x_has(k->x, SF_CAP_BULK)) {
		free_each(k, s, n, p);
		return;
	}
	cache = find_or_refuse(k, s, CACHE);
	if (cache == SF_NONE)
		return;
	for (size_t at = 0; at < n; at += up_to(n, at))
		free_bulk(k, cache, up_to(n, at), p + at);
}

int sf_cache_shrink(struct kmem_cache *s)
{
	struct sf_kernel *k = ready();
	struct sf_op op = sf_op_make(SF_OP_CACHE_SHRINK);

	op.cache = k ? find_or_refuse(k, s, CACHE) : SF_NONE;
	if (op.cache == SF_NONE)
		return 0;
	step(k, &op);
	return (int)sf_exec_outcome(k->x)->ret;
}

void sf_cache_destroy(struct kmem_cache *s)
{
	struct sf_kernel *k = s ? ready() : NULL;
	struct sf_op op = sf_op_make(SF_OP_CACHE_DESTROY);

	op.cache = k ? find_or_refuse(k, s, CACHE) : SF_NONE;
	if (op.cache == SF_NONE)
		return;
	step(k, &op);
	forget(k, op.cache);
}

/* --- buckets --- */

kmem_buckets *sf_buckets_create(const char *name, slab_flags_t flags, unsigned int usersize)
{
	struct sf_kernel *k = ready();
	struct sf_op op = sf_op_make(SF_OP_BUCKETS_CREATE);

	if (!k)
		return NULL;
	op.name = string(k, name);
	op.flags = flags & SF_SLAB_USER & ~SF_SLAB_TEMPORARY;
	op.count = (uint16_t)at_most(usersize, UINT16_MAX);
	return make(k, &op);
}

void *sf_buckets_alloc(const struct sf_call *call, uint64_t token, kmem_buckets *b, size_t size,
		       gfp_t gfp)
{
	struct sf_kernel *k = ready();
	struct sf_op op;

	if (!k)
		return NULL;
	op = op_of(k, call, token, gfp);
	op.size = size;
	if (!b)
		op.code = call->code == SF_OP_BUCKETS_VALLOC ? SF_OP_KVMALLOC : SF_OP_KMALLOC;
	else
		op.obj2 = find_or_refuse(k, b, BUCKETS);
	return b && op.obj2 == SF_NONE ? NULL : allocate(k, &op);
}

/* --- memory of devices --- */

struct device *sf_device_register(const char *name)
{
	struct sf_kernel *k = ready();
	struct sf_op op = sf_op_make(SF_OP_DEVICE_REGISTER);

	if (!k)
		return NULL;
	op.name = string(k, name);
	return make(k, &op);
}

void sf_device_unregister(struct device *dev)
{
	struct sf_kernel *k = ready();
	struct sf_op op = sf_op_make(SF_OP_DEVICE_UNREGISTER);

	op.cache = k ? find_or_refuse(k, dev, DEVICE) : SF_NONE;
	if (op.cache == SF_NONE)
		return;
	step(k, &op);
	forget(k, op.cache);
	/* The lowest one last: numbers are used again from there. */
	for (uint32_t res = k->nr; res-- > 0;)
		if (k->held[res].addr && x_slot(k->x, res)->kind == SF_RES_NONE)
			forget(k, res);
}

static struct sf_op device_op(uint8_t code, uint32_t dev, size_t size, gfp_t gfp)
{
	struct sf_op op = sf_op_make(code);

	op.cache = dev;
	op.size = size;
	op.gfp = gfp & SF_GFP_ALL;
	return op;
}

void *sf_device_alloc(struct device *dev, uint8_t code, size_t n, size_t size, gfp_t gfp)
{
	struct sf_kernel *k = ready();
	uint32_t of = k ? find_or_refuse(k, dev, DEVICE) : SF_NONE;
	struct sf_op op;

	if (of == SF_NONE)
		return NULL;
	op = device_op(code, of, size, gfp);
	op.n = n;
	return allocate(k, &op);
}

void *sf_device_realloc(struct device *dev, void *p, size_t size, gfp_t gfp)
{
	struct sf_kernel *k = ready();
	uint32_t of = k ? find_or_refuse(k, dev, DEVICE) : SF_NONE, old;
	struct sf_op op;

	if (of == SF_NONE)
		return NULL;
	old = find_of_device(k, p, of);
	if (old == SF_NONE && !ZERO_OR_NULL_PTR(p)) {
		k->refused++;
		return NULL;
	}
	op = device_op(SF_OP_DEVM_KREALLOC, of, size, gfp);
	return reallocate(k, &op, old);
}

void sf_device_free(struct device *dev, const void *p)
{
	struct sf_kernel *k = ready();
	uint32_t of = k ? find_or_refuse(k, dev, DEVICE) : SF_NONE, old;
	struct sf_op op;

	if (of == SF_NONE)
		return;
	old = find_of_device(k, p, of);
	if (old == SF_NONE) {
		k->refused += !ZERO_OR_NULL_PTR(p);
		return;
	}
	op = device_op(SF_OP_DEVM_KFREE, of, 0, 0);
	op.obj = old;
	release(k, &op, old);
}
