/* SPDX-License-Identifier: MIT */
/*
 * exec_internal.h - the executor's state, shared by exec.c (tables, contents, running), exec_ops.c
 * (most handlers of operations), exec_device.c (memory of devices), exec_sheaf.c (prefilled
 * sheaves), exec_pool.c (memory that is sealed), exec_reclaim.c (what goes by itself), exec_user.c
 * (the words of user space), exec_misuse.c (misuse, and what it reached), exec_left.c (whose bytes
 * those of dead objects are) and kernel.c, which reads what became of an operation.
 */
#ifndef SLABFUZZ_EXEC_INTERNAL_H
#define SLABFUZZ_EXEC_INTERNAL_H

#include "../../allocators/base/grow.h"
#include "exec.h"

/* An object alive: what its user knows of it. */
struct object {
	uint64_t addr, size; /* as asked */
	uint64_t key;        /* of its contents */
	uint32_t res;
	uint32_t cache;      /* id it was asked of, SF_NONE */
	uint32_t next;       /* next of its bulk, of its device or pool, or of the unused */
	uint32_t device;     /* result number of the device that owns it, SF_NONE */
	uint32_t pool;       /* id of the pool that it lies in, 0: none */
	uint32_t patch;      /* POOL: what was written on top of its pattern; 0: nothing */
	uint32_t heap;       /* FOREIGN: that it was asked of, 0: the first */
	uint64_t align;      /* FOREIGN: as asked, for free_aligned_sized() */
	uint64_t spare;      /* FOREIGN: usable bytes behind `size`, which are written too */
	uint16_t type;
	uint8_t api, order;
	bool zeroed;         /* every byte beyond `size` is zero: each request had __GFP_ZERO */
	bool whole;          /* contents were written whole (user space: SF_USER_WHOLE_MAX) */
	bool blank;          /* POOL: they never were: zero */
	bool verified;       /* POOL: looked at, before the pool went */
	bool alive;
	bool tracked, pinned;/* the allocator knows it; a reference is held */
	bool deferred;       /* its user has let go of it, a grace period has not ended */
};

/* What a result number stands for now. */
struct slot {
	uint8_t kind;        /* enum sf_res_kind; NONE: nothing, or no longer */
	uint32_t obj;        /* first object; DEVICE, POOL: the one allocated last, or SF_NONE */
	uint32_t count;      /* objects: 1, or those of a bulk */
	/* CACHE: id; BUCKETS: set; MEMCG: group; POOL, HEAP, REGION: id; SHEAF: number */
	uint32_t cache;
	/*
	 * CACHE: as created; POOL: enum sf_pool_mode; SHEAF: result number of its cache; REGION: id
	 * of its heap
	 */
	uint32_t flags;
	uint32_t size;       /* CACHE: of an object, as created; POOL: refill */
};

struct lab;   /* exec_misuse.c */
struct patch; /* exec_pool.c */

/* A rare write under way: what a reader saw. */
struct rare {
	uint32_t id;         /* of the object, SF_NONE: none is under way */
	uint8_t seen;        /* as in struct sf_ev_rare */
	uint64_t key, before, after;
};

struct sf_exec {
	const struct sf_allocator *a;
	struct sf_heap *heap;
	struct sf_settings set;
	struct sf_exec_options opt;
	struct sf_sink sink;
	void (*emit)(void *ctx, const struct sf_event *ev);
	void *ctx;
	uint32_t nr_boot;    /* boot caches: ids below it */

	struct slot *slot;
	uint32_t nr_slots;
	size_t cap_slots;
	struct object *obj;
	uint32_t nr_objs, free_obj;
	size_t cap_objs;
	uint8_t *cache_state;/* by cache id */
	uint32_t nr_caches;
	size_t cap_caches;

	struct patch *patch; /* of objects in pools */
	uint32_t nr_patches, free_patch;
	size_t cap_patches;
	struct rare rare;

	uint8_t *token;      /* by type number */
	uint16_t devres;     /* number of struct devres */

	const char *strings; /* of the program */
	uint32_t op;         /* index of the operation under way */
	uint64_t seq;        /* objects ever made: keys */
	uint64_t touched;    /* bytes, of what opt.touch_max allows */
	uint32_t nr_prefilled; /* sheaves that the program has */
	uint32_t check_every;  /* operations from one look at INTEGRITY to the next; 0: never */
	uint8_t cpu;
	bool blocked, failed;
	bool stopped;        /* by sf_exec_stop() */
	bool wiped;          /* init_on_free: what is handed out is zero without being asked to */
	bool tainted;        /* the allocator has been misused in this run */
	struct sf_user user; /* what the allocator calls back */
	struct sf_event leaving; /* FREE of the object that is going, emitted once it is gone */
	struct lab *lab;     /* NULL: it cannot be, or the program does not mean to */
	struct sf_outcome out;
	struct sf_exec_counts counts;
	uint64_t bulk[64];
};

enum cache_state {
	CACHE_USED = 1,      /* something was allocated from it */
	CACHE_LEAKED = 2,    /* destroyed while objects were alive */
};

#define X_EMIT(x, evtype, member, ...)                                                      \
	do {                                                                               \
		if ((x)->emit) {                                                           \
			struct sf_event emit_ev;                                           \
			emit_ev.type = SF_EV_##evtype;                                     \
			emit_ev.cpu = (x)->cpu;                                            \
			emit_ev.op = (x)->op;                                              \
			emit_ev.member = (__typeof__(emit_ev.member)){ __VA_ARGS__ };      \
			(x)->emit((x)->ctx, &emit_ev);                                     \
		}                                                                          \
	} while (0)

static inline void x_emit(struct sf_exec *x, const struct sf_event *ev)
{
	if (x->emit)
		x->emit(x->ctx, ev);
}

static inline bool x_has(const struct sf_exec *x, uint64_t caps)
{
	return (x->a->caps & caps) == caps;
}

/* Neither NULL nor what kmalloc(0) returns. */
static inline bool x_is_real(uint64_t addr)
{
	return addr > SF_ZERO_SIZE_PTR;
}

/* Results that stand for objects. */
static inline bool x_has_objects(const struct slot *s)
{
	return s->kind >= SF_RES_OBJ && s->kind <= SF_RES_MEMALIGNED;
}
_Static_assert(SF_RES_OBJ == SF_RES_NONE + 1 && SF_RES_CACHE == SF_RES_MEMALIGNED + 1,
	       "kinds of results that stand for objects lie together");

/* The objects of a result that has some: all of a bulk, or the one. */
#define X_EACH_OF(x, s, id) \
	for (uint32_t id = (s)->obj, id##_n = (s)->count; id##_n--; id = (x)->obj[id].next)

/* Tables: by result number, by cache id; objects. They grow, and are emptied by begin. */
struct slot *x_slot(struct sf_exec *x, uint32_t res);
uint8_t *x_cache_state(struct sf_exec *x, uint32_t cache);
uint32_t x_object_new(struct sf_exec *x, uint64_t addr, uint64_t size);
void x_object_drop(struct sf_exec *x, uint32_t id);

/* The objects of a bulk as results of their own, first to last; and the other way round. */
void x_split(struct sf_exec *x, uint32_t bulk, const uint32_t *res);
void x_join(struct sf_exec *x, uint32_t bulk, const uint32_t *res, uint32_t n);

/* Of contents: never twice in a run, and never 0. */
static inline uint64_t x_new_key(struct sf_exec *x)
{
	return (++x->seq + x->opt.keys) * 0xd6e8feb86659fd93ull;
}

/*
 * Counts bytes that an allocator from outside is about to zero or to copy. False: they are more
 * than the program may ask for, and the operation is skipped.
 */
bool x_touches(struct sf_exec *x, const struct sf_op *op, uint64_t bytes);

/* Contents of `size` bytes of an object are to be written and verified. */
bool x_has_contents(const struct sf_exec *x, const struct object *o, uint64_t size);
/* Contents: write an object's pattern; first bad offset in `size` bytes of it; verify and emit. */
void x_write(struct sf_exec *x, const struct object *o);
uint64_t x_bad(struct sf_exec *x, const struct object *o, uint64_t size, uint64_t *verified);
void x_check(struct sf_exec *x, uint32_t id);
/* All contents, then a snapshot. */
void x_look_at_all(struct sf_exec *x);

/* The record of an allocation: what a handler knows of it when it comes back. */
struct alloc_record {
	struct sf_request rq;   /* as the allocator got it */
	uint64_t n, elem, size; /* as the program asked: n elements, in all */
	uint64_t exact;         /* EXACT: bytes of whole pages, else 0 */
	uint32_t cache;         /* it was asked of, SF_NONE */
	uint32_t pool;          /* PMALLOC: it was asked of; else 0 */
	uint8_t order;
	bool overflow, forced;  /* the product; the program named the token */
	bool lru;               /* its cache's shrinker may free it */
};

/* A request as the operation spells it; without a size. Inline: all allocations begin with it. */
static inline struct alloc_record x_record(const struct sf_exec *x, const struct sf_op *op,
					   uint8_t api)
{
	uint16_t type = op->type < sf_type_count ? op->type : 0;
	uint32_t zero = sf_op_table[op->code].flags & SF_OPF_ZERO ? SF_GFP_ZERO : 0;

	return (struct alloc_record){
		.rq = { .api = api, .type = type, .site = op->site, .n = 1,
			.token = op->token ? (uint16_t)(op->token - 1) : x->token[type],
			.gfp = op->gfp | zero, .bucket = SF_NONE },
		.n = 1, .cache = SF_NONE, .forced = op->token != 0,
	};
}

/*
 * Asks for ar->n elements of ar->elem bytes, emits, fills, and gives the operation its result. The
 * object's id, or SF_NONE.
 */
uint32_t x_alloc(struct sf_exec *x, const struct sf_op *op, struct alloc_record *ar);
/* The same from the point on where the allocator's answer is known. */
uint32_t x_allocated(struct sf_exec *x, const struct sf_op *op, const struct alloc_record *ar,
		const struct sf_result *rs);
void x_result(struct sf_exec *x, const struct sf_op *op, uint32_t id);
/* Its parts: an event that knows what was asked and what came; where an object lies; ksize(). */
struct sf_event x_alloc_event(const struct sf_exec *x, const struct sf_op *op,
			      const struct alloc_record *ar, const struct sf_result *rs);
void x_look(struct sf_exec *x, uint64_t addr, struct sf_place *pl);
uint64_t x_usable(struct sf_exec *x, uint64_t addr, uint8_t api);
void x_note_outcome(struct sf_exec *x, const struct sf_result *rs);
/* What a free will emit. From here on the object is as good as dead. */
struct sf_event x_free_event(struct sf_exec *x, uint32_t id);
/* Emits it, with what came of it. False: it was refused, and the object is as it was. */
bool x_freed(struct sf_exec *x, struct sf_event *ev, const struct sf_result *rs);
/* One of the kmalloc_obj family: `size` bytes of a type that is `t`, in the table or not. */
void x_objects(struct sf_exec *x, const struct sf_op *op, const struct sf_type *t, uint64_t size);
/* krealloc() of the operation's object, or of NULL, to ar->n * ar->elem bytes. */
void x_realloc(struct sf_exec *x, const struct sf_op *op, struct alloc_record *ar);

/* Giving things back, for handlers and for teardown. False: refused, the object is as it was. */
bool x_free_object(struct sf_exec *x, uint32_t id, enum sf_free_how spelled);
void x_free_pages(struct sf_exec *x, uint32_t id);
void x_free_pages_bulk(struct sf_exec *x, uint32_t first);
void x_free_bulk(struct sf_exec *x, uint32_t cache, uint32_t first);
void x_shrink(struct sf_exec *x, uint32_t cache);
void x_destroy(struct sf_exec *x, uint32_t res);

/* References: what they stand for, or the operation is skipped, which is emitted. */
void x_skip(struct sf_exec *x, const struct sf_op *op, enum sf_skip_reason why);
uint32_t x_object_of(struct sf_exec *x, const struct sf_op *op, uint32_t res);
uint32_t x_object_or_skip(struct sf_exec *x, const struct sf_op *op);
struct slot *x_slot_of(struct sf_exec *x, const struct sf_op *op, uint32_t res,
		       enum sf_res_kind kind);

/* exec_sheaf.c. Sheaves of a cache that is about to be destroyed are returned. */
void x_sheaves_return(struct sf_exec *x, uint32_t cache_res);
/* What kmem_cache_alloc() and its like ask of the cache that `s` stands for. */
struct alloc_record x_cache_record(const struct sf_exec *x, const struct slot *s,
				   const struct sf_op *op);

/* exec_device.c. An object of a device begins with a struct devres, which its user never sees. */
void x_device_release(struct sf_exec *x, uint32_t device);
void x_device_forget(struct sf_exec *x, uint32_t id);

/* exec_reclaim.c. With an allocator that reclaims: before anything else is asked of its heap. */
void x_user_open(struct sf_exec *x);
/* The allocator may call back about the object. `lru`: its cache's shrinker may free it. */
void x_track(struct sf_exec *x, uint32_t id, bool lru);
/* Nothing may take it while its user works on it. True: it must be released where it is then. */
bool x_hold(struct sf_exec *x, uint32_t id);

/* exec_pool.c. What lies in a pool goes with it. */
void x_pool_write(struct sf_exec *x, uint32_t id);
/* First bad offset in an object of a pool. */
uint64_t x_pool_bad(struct sf_exec *x, const struct object *o);
void x_pool_midst(void *exec, bool after);
void x_pool_release(struct sf_exec *x, uint32_t res);
void x_patches_drop(struct sf_exec *x, struct object *o);

/* exec_user.c. An object goes back as free() or one of its forms (enum sf_user_call) does it. */
bool x_user_free(struct sf_exec *x, uint32_t id, uint8_t call);
/* What the allocator is told then: to the heap `heap`. */
void x_user_release(struct sf_exec *x, const struct sf_free_request *rq, struct sf_result *rs);
/* The bytes behind an object's size: written, and the first bad offset in the object. */
void x_spare_write(struct sf_exec *x, const struct object *o);
uint64_t x_spare_bad(struct sf_exec *x, const struct object *o, uint64_t *verified);
void x_integrity(struct sf_exec *x);
/* Everything is given back: heaps go; then what the allocator says of itself. */
void x_user_begin(struct sf_exec *x);
void x_user_close(struct sf_exec *x);

static inline uint64_t x_head_size(const struct sf_exec *x, const struct object *o)
{
	return o->device == SF_NONE ? 0 : sf_types[x->devres].size;
}

/*
 * exec_misuse.c. The lab is there while the setting misuse is on and the allocator can be misused:
 * it sees every event of the allocator, and remembers where dead objects were.
 */
void x_lab_open(struct sf_exec *x);
void x_lab_begin(struct sf_exec *x);
void x_lab_close(struct sf_exec *x);
void x_lab_emit(void *exec, const struct sf_event *ev);
void x_lab_quarantine(struct sf_exec *x, uint32_t id); /* it is about to be freed */
void x_lab_release(struct sf_exec *x, uint32_t res); /* it lives on */
void x_lab_cache_gone(struct sf_exec *x, uint32_t cache);

/*
 * exec_left.c. What the owners of dead objects left there, as far as nobody had that memory since.
 * note(): before it is freed. Then, of a range: aim(); pass() for what is somebody's; strange():
 * byte `i` of it held what neither an owner nor fresh memory accounts for.
 */
#define X_RANGE_MAX 65536u /* longer than any SPAN */
struct left;
struct left *x_left_create(void);
void x_left_free(struct left *l);
void x_left_begin(struct left *l);
void x_left_note(struct left *l, const struct sf_exec *x, const struct object *o);
void x_left_aim(struct left *l, uint64_t addr, uint64_t size);
void x_left_pass(struct left *l, uint64_t addr, uint64_t size);
bool x_left_strange(const struct left *l, uint64_t i, uint8_t byte);

/*
 * The handlers that the rows of SF_OPS name: one without a row has no prototype, which warns; a row
 * without one does not link. What the row needs of the allocator is there when it is called.
 */
#define X(code, id, name, res, handler, ...) \
	void exec_##handler(struct sf_exec *x, const struct sf_op *op);
SF_OPS(X)
#undef X

#endif
