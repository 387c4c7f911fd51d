/* SPDX-License-Identifier: MIT */
/*
 * kernel.h - the kernel's allocation calls for C programs: kmalloc() and its forms, the kmalloc_obj
 * family, kmem_cache_*(), kmem_buckets_*(), devm_*(), as include/linux/slab.h of Linux 7.2 has
 * them, on any allocator of slabfuzz.
 *
 * Relies on kernel.c, which hands the calls to the executor as the operations that they are: so
 * they give the same events, and the oracles judge a C program as they judge a text. The types that
 * calls name become allocation tokens, by the compiler where it can (clang 22 or newer,
 * -falloc-token-max=16), else by the type table. Programs in C rely on it.
 *
 * The kernel's calls have no heap argument: they go to the one bound to the thread. What they
 * return is an address of that heap, as a pointer. Of a model it is a number that nothing is mapped
 * at: never dereference it.
 */
#ifndef SLABFUZZ_KERNEL_H
#define SLABFUZZ_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../allocators/allocator.h"
#include "../program/ops.h"

/* --- the heap --- */

struct sf_kernel_options {
	const struct sf_allocator *allocator;
	const struct sf_settings *settings; /* NULL: defaults */
	/* Everything that happens; NULL: nothing is emitted. */
	void (*emit)(void *ctx, const struct sf_event *ev);
	void *ctx;
	/* Objects are filled and verified (and their zeroes looked at). Not with `host`. */
	bool contents;
	/*
	 * Addresses are this process's own, and contents the program's (an adapter of a malloc
	 * library): counters of flexible arrays are stored through them if the allocator does not.
	 */
	bool host;
};

struct sf_kernel;

/* A heap, freshly booted. NULL on failure with one line in `err`. */
struct sf_kernel *sf_kernel_open(const struct sf_kernel_options *opt, struct sf_error *err);
/* A last snapshot, everything is given back, and one more. Unbinds it if it is bound here. */
void sf_kernel_close(struct sf_kernel *k);

/*
 * The calls of this thread go to `k` from now on. Returns what was bound before. NULL, and at the
 * beginning: there is no memory, all allocations fail.
 */
struct sf_kernel *sf_kernel_bind(struct sf_kernel *k);

struct sf_kernel_counts {
	uint64_t calls, live;
	uint64_t skipped; /* calls that the allocator cannot carry out: they returned NULL */
	/* Pointers that came from no call, or are gone already: nothing was done with them. */
	uint64_t refused;
	/* An allocation that may not fail can never succeed: nothing is done from then on. */
	bool blocked;
};
void sf_kernel_counts(const struct sf_kernel *k, struct sf_kernel_counts *to);

/* A snapshot now; another CPU; a failure to come. As the operations of these names. */
void sf_kernel_check(void);
void sf_kernel_cpu(unsigned int cpu);
void sf_kernel_fail(enum sf_fault kind, uint16_t after);

/* --- flags --- */

typedef unsigned int gfp_t;
typedef unsigned int slab_flags_t;

enum sf_kernel_flags {
#define X(id, name, bit) __GFP_##id = SF_GFP_##id,
	SF_GFP_BITS(X)
#undef X
#define X(id, name) GFP_##id = SF_GFP_##id,
	SF_GFP_NAMES(X)
#undef X
	GFP_DMA = SF_GFP_DMA,
	GFP_DMA32 = SF_GFP_DMA32,
};

enum sf_kernel_slab_flags {
#define X(id, name, bit) SLAB_##id = SF_SLAB_##id,
	SF_SLAB_FLAGS(X)
#undef X
};

#define NUMA_NO_NODE (-1)
#define ZERO_SIZE_PTR ((void *)SF_ZERO_SIZE_PTR)
#define ZERO_OR_NULL_PTR(p) ((unsigned long)(p) <= (unsigned long)ZERO_SIZE_PTR)

#if __STDC_VERSION__ < 202311L
#define auto __auto_type
#endif

/* --- sizes (include/linux/overflow.h) --- */

static inline size_t size_mul(size_t a, size_t b)
{
	size_t n;

	return __builtin_mul_overflow(a, b, &n) ? SIZE_MAX : n;
}

static inline size_t size_add(size_t a, size_t b)
{
	size_t n;

	return __builtin_add_overflow(a, b, &n) ? SIZE_MAX : n;
}

static inline size_t size_sub(size_t a, size_t b)
{
	size_t n;

	return a == SIZE_MAX || b == SIZE_MAX || __builtin_sub_overflow(a, b, &n) ? SIZE_MAX : n;
}

#define array_size(a, b) size_mul(a, b)
#define array3_size(a, b, c) size_mul(size_mul(a, b), c)

/* 1 for an integer constant expression, which then is a null pointer. */
#define SF_CONSTANT(n) _Generic(1 ? (void *)((intptr_t)(n) * 0) : (int *)0, int *: 1, void *: 0)
/* n as a size, if it is one. */
#define SF_CONSTANT_SIZE(n) ((size_t)__builtin_choose_expr(SF_CONSTANT(n), n, 0))
#define SF_MOST(head, elem) ((SIZE_MAX - (head)) / ((elem) + !(elem)))
/* A constant that is at most that. Not by <=: compilers warn of 0 <= n. */
#define SF_FITS(n, head, elem)                                                                \
	(SF_CONSTANT(n) && (SF_CONSTANT_SIZE(n) < SF_MOST(head, elem) ||                      \
			    SF_CONSTANT_SIZE(n) == SF_MOST(head, elem)))

/*
 * As in the kernel, a constant count is arithmetic (which type inference sees) and any other a call
 * (which it does not). Unlike there, the constant saturates too.
 */
#define flex_array_size(p, member, count)                                                     \
	__builtin_choose_expr(SF_FITS(count, 0, sizeof((p)->member[0])),                      \
			      (count) * sizeof(*(p)->member),                                 \
			      size_mul(count, sizeof(*(p)->member)))
#define struct_size(p, member, count)                                                         \
	__builtin_choose_expr(SF_FITS(count, sizeof(*(p)), sizeof((p)->member[0])),           \
			      sizeof(*(p)) + flex_array_size(p, member, count),               \
			      size_add(sizeof(*(p)), flex_array_size(p, member, count)))
#define struct_size_t(type, member, count) struct_size((type *)NULL, member, count)

/* --- what a call carries: its place, its words, its token --- */

struct sf_call {
	const char *file;
	/* What its type is read from if the compiler has no tokens: arguments, or a type. */
	const char *text;
	uint32_t line;
	uint8_t code; /* enum sf_opcode */
};

#define SF_CALL(op, words)                                                                    \
	({                                                                                    \
		static const struct sf_call sf_this_call = {                                  \
			.file = __FILE__, .text = (words), .line = __LINE__,                  \
			.code = SF_OP_##op,                                                   \
		};                                                                            \
		&sf_this_call;                                                                \
	})

#define SF_NO_TOKEN UINT64_MAX /* the compiler has none, or not one of 16 */

#ifndef __has_builtin
#define __has_builtin(x) 0
#endif

#if __has_builtin(__builtin_infer_alloc_token)
/* Tokens are of 16 iff that of void * is 11: the compiler was told -falloc-token-max=16. */
static inline uint64_t sf_token(uint64_t inferred)
{
	return __builtin_infer_alloc_token(sizeof(void *)) == 11 ? inferred : SF_NO_TOKEN;
}
#define __kmalloc_token(...) sf_token(__builtin_infer_alloc_token(__VA_ARGS__))
#else
#define __kmalloc_token(...) SF_NO_TOKEN
#endif

/* What an object of the kmalloc_obj family looks like. */
struct sf_layout {
	size_t size, align;
	size_t counter_at;     /* of the member that __counted_by names */
	uint8_t counter_size;  /* 0: none. SF_COUNTER_UNKNOWN: the compiler does not say */
};

#define SF_COUNTER_UNKNOWN 255

#if __has_builtin(__builtin_counted_by_ref)
/* Any place that is aligned will do: nothing is read. */
#define SF_COUNTER_PLACE 4096ul
#define SF_COUNTER_SIZE(type, member)                                                         \
	_Generic(__builtin_counted_by_ref(((type *)0)->member), void *: 0,                    \
		 default: sizeof(*__builtin_counted_by_ref(((type *)0)->member)))
#define SF_COUNTER_AT(type, member)                                                           \
	({                                                                                    \
		type *sf_at = (type *)SF_COUNTER_PLACE;                                       \
		(size_t)__builtin_counted_by_ref(sf_at->member) - SF_COUNTER_PLACE;           \
	})
#else
#define SF_COUNTER_SIZE(type, member) SF_COUNTER_UNKNOWN
#define SF_COUNTER_AT(type, member) 0
#endif

/* Behind the macros. Never called by name. */
void *sf_call_alloc(const struct sf_call *call, uint64_t token, size_t n, size_t size, gfp_t gfp);
void *sf_call_realloc(const struct sf_call *call, uint64_t token, const void *p, size_t n,
		      size_t size, gfp_t gfp);
void *sf_call_object(const struct sf_call *call, uint64_t token, const struct sf_layout *type,
		     size_t size, size_t count, gfp_t gfp);
void sf_call_free(const void *p, uint8_t code);

/* --- kmalloc and its forms --- */

#define kmalloc(size, flags)                                                                  \
	sf_call_alloc(SF_CALL(KMALLOC, #size ", " #flags), __kmalloc_token(size, flags), 1,   \
		      size, flags)
#define kzalloc(size, flags)                                                                  \
	sf_call_alloc(SF_CALL(KZALLOC, #size ", " #flags), __kmalloc_token(size, flags), 1,   \
		      size, flags)
#define kmalloc_array(n, size, flags)                                                         \
	sf_call_alloc(SF_CALL(KMALLOC_ARRAY, #n ", " #size ", " #flags),                      \
		      __kmalloc_token(n, size, flags), n, size, flags)
#define kcalloc(n, size, flags)                                                               \
	sf_call_alloc(SF_CALL(KCALLOC, #n ", " #size ", " #flags),                            \
		      __kmalloc_token(n, size, flags), n, size, flags)
#define krealloc(p, size, flags)                                                              \
	sf_call_realloc(SF_CALL(KREALLOC, #size), __kmalloc_token(size), p, 1, size, flags)
#define krealloc_array(p, n, size, flags)                                                     \
	sf_call_realloc(SF_CALL(KREALLOC_ARRAY, #n ", " #size ", " #flags),                   \
			__kmalloc_token(p, n, size, flags), p, n, size, flags)
/* There is one node. */
#define kmalloc_node(size, flags, node) ((void)(node), kmalloc(size, flags))
#define kzalloc_node(size, flags, node) ((void)(node), kzalloc(size, flags))
#define kmalloc_nolock(size, flags, node)                                                     \
	((void)(node), sf_call_alloc(SF_CALL(KMALLOC_NOLOCK, #size), __kmalloc_token(size), 1,\
				     size, flags))

#define kvmalloc(size, flags)                                                                 \
	sf_call_alloc(SF_CALL(KVMALLOC, #size), __kmalloc_token(size), 1, size, flags)
#define kvzalloc(size, flags)                                                                 \
	sf_call_alloc(SF_CALL(KVZALLOC, #size), __kmalloc_token(size), 1, size, flags)
#define kvmalloc_array(n, size, flags)                                                        \
	sf_call_alloc(SF_CALL(KVMALLOC_ARRAY, #n ", " #size ", " #flags),                     \
		      __kmalloc_token(n, size, flags), n, size, flags)
#define kvcalloc(n, size, flags)                                                              \
	sf_call_alloc(SF_CALL(KVCALLOC, #n ", " #size ", " #flags),                           \
		      __kmalloc_token(n, size, flags), n, size, flags)
#define kvrealloc(p, size, flags)                                                             \
	sf_call_realloc(SF_CALL(KVREALLOC, #size), __kmalloc_token(size), p, 1, size, flags)

static inline void kfree(const void *p)
{
	sf_call_free(p, SF_OP_KFREE);
}

static inline void kfree_sensitive(const void *p)
{
	sf_call_free(p, SF_OP_KFREE_SENSITIVE);
}

static inline void kfree_nolock(const void *p)
{
	sf_call_free(p, SF_OP_KFREE_NOLOCK);
}

static inline void kvfree(const void *p)
{
	sf_call_free(p, SF_OP_KVFREE);
}

size_t sf_call_ksize(const void *p);
#define ksize(p) sf_call_ksize(p)

/* --- the kmalloc_obj family --- */

/* The last argument if there is one, or GFP_KERNEL. */
#define SF_SECOND(none, gfp, ...) gfp
#define default_gfp(...) SF_SECOND(0, ##__VA_ARGS__, GFP_KERNEL)

#define SF_OBJECTS(op, var_or_type, count, gfp)                                               \
	({                                                                                    \
		const size_t sf_size = size_mul(sizeof(__typeof__(var_or_type)), count);      \
		(__typeof__(var_or_type) *)sf_call_object(                                    \
			SF_CALL(op, #var_or_type), __kmalloc_token(sf_size, gfp),             \
			&(const struct sf_layout){                                            \
				.size = sizeof(__typeof__(var_or_type)),                      \
				.align = _Alignof(__typeof__(var_or_type)) },                 \
			sf_size, 0, gfp);                                                     \
	})

#define SF_FLEXIBLE(op, var_or_type, member, count, gfp)                                      \
	({                                                                                    \
		const size_t sf_count = (count);                                              \
		const size_t sf_size = struct_size_t(__typeof__(var_or_type), member,         \
						     sf_count);                               \
		__typeof__(var_or_type) *sf_object = sf_call_object(                          \
			SF_CALL(op, #var_or_type), __kmalloc_token(sf_size, gfp),             \
			&(const struct sf_layout){                                            \
				.size = sizeof(__typeof__(var_or_type)),                      \
				.align = _Alignof(__typeof__(var_or_type)),                   \
				.counter_at = SF_COUNTER_AT(__typeof__(var_or_type), member), \
				.counter_size =                                               \
					SF_COUNTER_SIZE(__typeof__(var_or_type), member) },   \
			sf_size, sf_count, gfp);                                              \
		sf_object;                                                                    \
	})

#define kmalloc_obj(P, ...) SF_OBJECTS(KMALLOC_OBJ, P, 1, default_gfp(__VA_ARGS__))
#define kzalloc_obj(P, ...) SF_OBJECTS(KZALLOC_OBJ, P, 1, default_gfp(__VA_ARGS__))
#define kvmalloc_obj(P, ...) SF_OBJECTS(KVMALLOC_OBJ, P, 1, default_gfp(__VA_ARGS__))
#define kvzalloc_obj(P, ...) SF_OBJECTS(KVZALLOC_OBJ, P, 1, default_gfp(__VA_ARGS__))

#define kmalloc_objs(P, n, ...) SF_OBJECTS(KMALLOC_OBJS, P, n, default_gfp(__VA_ARGS__))
#define kzalloc_objs(P, n, ...) SF_OBJECTS(KZALLOC_OBJS, P, n, default_gfp(__VA_ARGS__))
#define kvmalloc_objs(P, n, ...) SF_OBJECTS(KVMALLOC_OBJS, P, n, default_gfp(__VA_ARGS__))
#define kvzalloc_objs(P, n, ...) SF_OBJECTS(KVZALLOC_OBJS, P, n, default_gfp(__VA_ARGS__))

#define kmalloc_flex(P, fam, n, ...)                                                          \
	SF_FLEXIBLE(KMALLOC_FLEX, P, fam, n, default_gfp(__VA_ARGS__))
#define kzalloc_flex(P, fam, n, ...)                                                          \
	SF_FLEXIBLE(KZALLOC_FLEX, P, fam, n, default_gfp(__VA_ARGS__))
#define kvmalloc_flex(P, fam, n, ...)                                                         \
	SF_FLEXIBLE(KVMALLOC_FLEX, P, fam, n, default_gfp(__VA_ARGS__))
#define kvzalloc_flex(P, fam, n, ...)                                                         \
	SF_FLEXIBLE(KVZALLOC_FLEX, P, fam, n, default_gfp(__VA_ARGS__))

/* --- caches --- */

struct kmem_cache;

/* A constructor and offsets of free pointer and window decide as in the kernel, or not at all. */
struct kmem_cache_args {
	unsigned int align;
	unsigned int useroffset; /* ignored */
	unsigned int usersize;
	unsigned int freeptr_offset; /* ignored */
	bool use_freeptr_offset;     /* ignored */
	void (*ctor)(void *object);  /* the cache has one; it is never called */
	unsigned int sheaf_capacity;
};

struct kmem_cache *sf_cache_create_args(const char *name, unsigned int size,
					const struct kmem_cache_args *args, slab_flags_t flags);
static inline struct kmem_cache *sf_cache_create(const char *name, unsigned int size,
						 unsigned int align, slab_flags_t flags,
						 void (*ctor)(void *object))
{
	return sf_cache_create_args(name, size,
				    &(struct kmem_cache_args){ .align = align, .ctor = ctor },
				    flags);
}

/* (name, size, args or NULL, flags), or (name, size, align, flags, constructor or NULL). */
#define kmem_cache_create(name, size, args, ...)                                              \
	_Generic((args), struct kmem_cache_args *: sf_cache_create_args,                      \
		 const struct kmem_cache_args *: sf_cache_create_args,                        \
		 void *: sf_cache_create_args,                                                \
		 default: sf_cache_create)(name, size, args, __VA_ARGS__)
#define KMEM_CACHE(tag, flags)                                                                \
	sf_cache_create_args(#tag, sizeof(struct tag),                                        \
			     &(struct kmem_cache_args){ .align = _Alignof(struct tag) }, flags)

void *sf_cache_alloc(const struct sf_call *call, struct kmem_cache *s, gfp_t gfp);
bool sf_cache_alloc_bulk(const struct sf_call *call, struct kmem_cache *s, gfp_t gfp, size_t n,
			 void **to);
void sf_cache_free(struct kmem_cache *s, const void *p);
void sf_cache_free_bulk(struct kmem_cache *s, size_t n, void **p);
int sf_cache_shrink(struct kmem_cache *s);
void sf_cache_destroy(struct kmem_cache *s);

#define kmem_cache_alloc(s, flags) sf_cache_alloc(SF_CALL(CACHE_ALLOC, ""), s, flags)
#define kmem_cache_zalloc(s, flags) sf_cache_alloc(SF_CALL(CACHE_ZALLOC, ""), s, flags)
/* All n, or none and false. */
#define kmem_cache_alloc_bulk(s, flags, n, p)                                                 \
	sf_cache_alloc_bulk(SF_CALL(CACHE_ALLOC_BULK, ""), s, flags, n, p)
#define kmem_cache_free(s, p) sf_cache_free(s, p)
/* Of no cache (NULL): kfree() of each. */
#define kmem_cache_free_bulk(s, n, p) sf_cache_free_bulk(s, n, p)
#define kmem_cache_shrink(s) sf_cache_shrink(s)
#define kmem_cache_destroy(s) sf_cache_destroy(s)

/* --- buckets --- */

typedef struct sf_buckets kmem_buckets; /* as the kernel spells it */

kmem_buckets *sf_buckets_create(const char *name, slab_flags_t flags, unsigned int usersize);
void *sf_buckets_alloc(const struct sf_call *call, uint64_t token, kmem_buckets *b, size_t size,
		       gfp_t gfp);

/* Where the window begins and a constructor are ignored. NULL is plain kmalloc. */
#define kmem_buckets_create(name, flags, useroffset, usersize, ctor)                          \
	((void)(useroffset), (void)(ctor), sf_buckets_create(name, flags, usersize))
#define kmem_buckets_alloc(b, size, flags)                                                    \
	sf_buckets_alloc(SF_CALL(BUCKETS_ALLOC, #size), __kmalloc_token(size), b, size, flags)
#define kmem_buckets_valloc(b, size, flags)                                                   \
	sf_buckets_alloc(SF_CALL(BUCKETS_VALLOC, #size), __kmalloc_token(size), b, size, flags)

/* --- memory of devices (drivers/base/devres.c) --- */

struct device;

struct device *sf_device_register(const char *name);
void sf_device_unregister(struct device *dev);
void *sf_device_alloc(struct device *dev, uint8_t code, size_t n, size_t size, gfp_t gfp);
void *sf_device_realloc(struct device *dev, void *p, size_t size, gfp_t gfp);
void sf_device_free(struct device *dev, const void *p);

#define root_device_register(name) sf_device_register(name)
#define root_device_unregister(dev) sf_device_unregister(dev)
#define devm_kmalloc(dev, size, gfp) sf_device_alloc(dev, SF_OP_DEVM_KMALLOC, 1, size, gfp)
#define devm_kzalloc(dev, size, gfp) sf_device_alloc(dev, SF_OP_DEVM_KZALLOC, 1, size, gfp)
#define devm_kmalloc_array(dev, n, size, flags)                                               \
	sf_device_alloc(dev, SF_OP_DEVM_KMALLOC_ARRAY, n, size, flags)
#define devm_kcalloc(dev, n, size, flags)                                                     \
	sf_device_alloc(dev, SF_OP_DEVM_KCALLOC, n, size, flags)
#define devm_krealloc(dev, p, size, gfp) sf_device_realloc(dev, p, size, gfp)
#define devm_kfree(dev, p) sf_device_free(dev, p)

#endif
