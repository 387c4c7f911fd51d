/* SPDX-License-Identifier: MIT */
/*
 * mutate_internal.h - what draw.c (values), generate.c (programs) and mutate.c (changes) share.
 * Relies on program.h and mutate.h, and stays within the room.
 */
#ifndef SLABFUZZ_MUTATE_INTERNAL_H
#define SLABFUZZ_MUTATE_INTERNAL_H

#include "index.h"
#include "mutate.h"

/* Where a value is drawn for: an operation that stands, or will stand, at index `pos`. */
struct sf_draw {
	struct sf_rng *rng;
	struct sf_prog *p;
	uint32_t pos;
	uint64_t caps;                 /* of the allocator it is drawn for; 0: a kernel's */
	bool tweak;                    /* the old value may be edited rather than replaced */
	const struct sf_arg_info *arg; /* the argument being drawn */
	struct sf_index *index;        /* NULL: the program is walked; else `pos` is its end */
};

/* Tells d->index of the operation at d->pos, which goes on from there. */
void sf_draw_note(struct sf_draw *d);

/* Whether it ends a cache, a device or a pool, and with that all that came from there. */
static inline bool sf_op_ends_many(enum sf_opcode code)
{
	return sf_op_table[code].flags & SF_OPF_ENDS &&
	       sf_op_table[code].arg[0].kind != SF_ARG_MEMCG;
}

/* Whether it is a word of user space. */
bool sf_is_user_word(enum sf_opcode code);
/*
 * Whether it is drawn for an allocator with these capabilities: it would not be skipped, and is of
 * its world. An allocator that has the words of user space gets those, and what has no world.
 */
bool sf_word_fits(enum sf_opcode code, uint64_t caps);
/* The word that can stand anywhere and fails for no lack of anything. */
static inline enum sf_opcode sf_plain_word(uint64_t caps)
{
	return caps & SF_CAP_MALLOC ? SF_OP_MALLOC : SF_OP_KMALLOC;
}
/*
 * What does not fit is said in words that do, or dropped where there are none. What is left may
 * need sf_prog_fixup(). False: all of it fitted.
 */
bool sf_prog_respell(struct sf_prog *p, uint64_t caps);

/* A fresh operation, every argument drawn. References may be SF_NONE: nothing fits. */
struct sf_op sf_draw_op(struct sf_draw *d, enum sf_opcode code);
/* Draws one argument anew; false if nothing changed by it. */
bool sf_draw_change(struct sf_draw *d, struct sf_op *op);
/* Draws one reference anew; likewise. */
bool sf_draw_repoint(struct sf_draw *d, struct sf_op *op);
/*
 * Whether an operation of this code can stand at `pos`: each reference finds something, or may be
 * NULL.
 */
bool sf_draw_possible(struct sf_draw *d, enum sf_opcode code);
/* The operation that gives back what `def` defines, SF_OP_NOP if it defines nothing. */
enum sf_opcode sf_draw_free_code(const struct sf_op *def);
/* Whether `o` ends, or may end, the life of what `def` defines. */
bool sf_draw_ends(const struct sf_op *o, const struct sf_op *def);
/* One of a few heaps that are worth having; one of its settings at random, rarely. */
void sf_draw_preset(struct sf_settings *set, struct sf_rng *rng);
/* One in which memory is short from the start. */
void sf_draw_tight(struct sf_settings *set, struct sf_rng *rng);
void sf_draw_setting(struct sf_settings *set, struct sf_rng *rng);

/* families.c: operations that belong together, and the heap on which they lead somewhere. */
struct sf_family {
	const char *name;
	uint8_t weight;
	uint8_t reaches; /* enum sf_event_type: what it is for */
	struct {
		uint16_t pages;
		uint8_t cpus, pageblock_order, watermarks;
	} heap;
	void (*emit)(struct sf_prog *p, struct sf_rng *r);
};

extern const struct sf_family sf_families[];
extern const unsigned int sf_family_count;

/* One of the families, by weight; and its program, at the end of an empty one. */
unsigned int sf_family_pick(struct sf_rng *r);
void sf_family_draw(struct sf_prog *p, unsigned int which, struct sf_rng *r);

/*
 * user_families.c: how a program of user space begins: its heap, and mostly one run of operations
 * that belong together, at the end of an empty one.
 */
void sf_user_begin(struct sf_prog *p, uint32_t nr_ops, uint64_t caps, struct sf_rng *r);

/* An operation that the swarm has switched on and that can stand at `pos`. */
enum sf_opcode sf_swarm_pick(const struct sf_swarm *sw, struct sf_draw *d);

#endif
