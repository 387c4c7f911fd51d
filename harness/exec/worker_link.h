/* SPDX-License-Identifier: MIT */
/*
 * worker_link.h - the memory that a judge and a worker share: docs/worker.md is its specification.
 * worker.c is the judge's side; worker_serve.c the worker's, which knows of no process and is a
 * kernel's, too; worker_child.c puts that into child processes.
 *
 * Three areas, each written by one side alone. `in` is read-only for who executes; `state` does not
 * exist there at all. All numbers are native: both sides are on one machine.
 */
#ifndef SLABFUZZ_WORKER_LINK_H
#define SLABFUZZ_WORKER_LINK_H

#include "exec.h"
#include "wire.h"

#define SF_LINK_MAGIC 0x6b6c6673u /* "sflk" */
#define SF_LINK_VERSION 1u
#define SF_LINK_RING (1u << 20)   /* bytes; a power of two */
#define SF_LINK_IN (64u << 20)    /* bytes of programs, at most; not taken before they are used */
#define SF_LINK_BELL_EVERY (1u << 16) /* a judge that sleeps is woken for so many bytes */

/* The judge's: what is to be done, and what it has taken. */
struct sf_link_in {
	uint32_t magic, version;
	uint64_t layout;    /* sf_wire_layout() */
	uint32_t batch;     /* number of the batch that is here, from 1 on; waited for */
	uint32_t programs;  /* in it */
	uint32_t quit;
	uint32_t sleeps;    /* the judge waits for the bell */
	uint32_t room;      /* changes when there is room again; waited for */
	/* An end has been seen (state.ended is its number): go on with these. */
	uint32_t ack;       /* waited for */
	uint32_t ack_batch, ack_from, ack_to; /* programs of that batch */
	uint32_t ack_nr;    /* number of the next record */
	uint64_t taken;     /* bytes of the ring, since it was made */
	_Alignas(64) uint8_t data[SF_LINK_IN];
};

/* One program of a batch; the next one follows, 8-aligned. */
struct sf_link_program {
	uint32_t bytes;     /* of all of this, padded */
	uint32_t nr_ops;
	uint32_t name_len, prog_len; /* behind this: a name with its NUL, or nothing; byte form */
	uint32_t tell;      /* a heap is to be made anew, so that the judge hears of it */
	uint32_t zero;
	struct sf_settings settings;
};

enum sf_link_phase {
	SF_LINK_IDLE,
	SF_LINK_OPEN, /* a heap is being made */
	SF_LINK_OPS,
	SF_LINK_END,  /* the program ends: last looks, teardown */
};

/*
 * The executor's. Whatever is here may have been written over: the guards stay as they are, or that
 * is seen when the program is over.
 */
struct sf_link_out {
	uint64_t guard;     /* SF_LINK_GUARD */
	uint64_t written;   /* bytes of the ring, since it was made */
	uint64_t beat;      /* changes with each operation */
	uint32_t nr;        /* records written */
	uint32_t bell;      /* changes when a judge that sleeps is woken; waited for */
	uint32_t sleeps;    /* the worker waits for room */
	uint32_t done;      /* programs of the batch that are over */
	uint32_t program;   /* in hand */
	uint32_t op;        /* of it; SF_NONE: none */
	uint32_t phase;     /* enum sf_link_phase */
	uint64_t guard_ring;
	_Alignas(64) uint8_t ring[SF_LINK_RING];
	uint64_t guard_end;
};

#define SF_LINK_GUARD 0x5afe5afe0ddba11ull

enum sf_link_ready {
	SF_LINK_STARTS,
	SF_LINK_READY,
	SF_LINK_REFUSED, /* error says why */
};

/* Of who watches over the executor. */
struct sf_link_state {
	uint32_t ready;     /* enum sf_link_ready */
	uint32_t ended;     /* executors that ended before their work was done */
	int32_t status;     /* of the last one: of waitpid(); -1: none could be made, see error */
	uint32_t finished;  /* the last batch of which all is executed */
	int32_t runner;     /* process that executes, 0: none */
	struct sf_error error;
};

/* Control records in the ring. */
enum sf_link_record {
	SF_LINK_BEGIN = SF_WIRE_CONTROL, /* uint32_t: program of the batch */
	SF_LINK_STEP,                    /* struct sf_link_step: an operation is over */
	SF_LINK_DONE,                    /* struct sf_link_done: a program is over */
	SF_LINK_NO_HEAP,                 /* struct sf_error: its heap cannot be */
};

struct sf_link_step {
	uint64_t addr;
	int64_t ret;
	uint64_t no_cap;    /* operations skipped so far because the allocator cannot do them */
	uint64_t live;      /* objects */
	uint8_t status, skipped;
	uint8_t said;       /* text was written meanwhile */
	uint8_t zero[5];
};

struct sf_link_done {
	uint64_t live, ops, skipped[SF_SKIP_REASONS];
	uint64_t robbed;    /* the process's own descriptors are closed: it ends now */
};

#define SF_LINK_LOAD(p) __atomic_load_n(&(p), __ATOMIC_ACQUIRE)
#define SF_LINK_STORE(p, v) __atomic_store_n(&(p), (v), __ATOMIC_RELEASE)
#define SF_LINK_FENCE() __atomic_thread_fence(__ATOMIC_SEQ_CST)

/* How a worker waits, and is woken: a kernel has its own. */
struct sf_serve_os {
	void (*wait)(const uint32_t *word, uint32_t value, unsigned int ms); /* 0: for ever */
	void (*wake)(uint32_t *word);
	bool (*robbed)(void *ctx); /* NULL: not looked at */
	bool (*said)(void *ctx);   /* text since it was asked last; NULL: not looked at */
	void *ctx;
};

/* The worker's side: worker_serve.c. */
struct sf_serve_options {
	const struct sf_allocator *allocator;
	struct sf_exec_options exec;
	bool steps;          /* STEP records are wanted */
	bool steps_said;     /* ... of operations in which text was written, alone */
	bool careful;        /* look whether it was robbed after each operation, not only program */
	const struct sf_link_in *in;
	struct sf_link_out *out;
	struct sf_serve_os os;
};

struct sf_serve;

/* False: the judge's side is another version's, or of another layout: err says what. */
bool sf_serve_understands(const struct sf_link_in *in, struct sf_error *err);
struct sf_serve *sf_serve_create(const struct sf_serve_options *opt);
void sf_serve_destroy(struct sf_serve *s);
/* A heap, before there is a program. False: err says why. */
bool sf_serve_open(struct sf_serve *s, const struct sf_settings *set, struct sf_error *err);
/* Where the ring goes on: what was written by others, or had to be dropped. */
void sf_serve_resume(struct sf_serve *s, uint64_t written, uint32_t nr);
/* Programs [from, to) of the batch. False: it was robbed and must end. */
bool sf_serve_batch(struct sf_serve *s, uint32_t from, uint32_t to);

/* worker_child.c: never returns. The process that calls it is the worker's. */
struct sf_child_options {
	const struct sf_allocator *allocator;
	const struct sf_settings *settings;
	struct sf_exec_options exec;
	uint8_t fork;        /* enum sf_worker_fork */
	bool steps, steps_said;
	void (*inside)(void); /* called before anything of the allocator's; may be NULL */
	int text;            /* where its output goes */
	int parent;          /* process that must live */
	struct sf_link_in *in;
	struct sf_link_out *out;
	struct sf_link_state *state;
};

_Noreturn void sf_child_main(const struct sf_child_options *opt);

/* futexes between processes */
void sf_futex_wait(const uint32_t *word, uint32_t value, unsigned int ms);
void sf_futex_wake(uint32_t *word);

#endif
