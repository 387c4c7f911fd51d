/* SPDX-License-Identifier: MIT */
/*
 * observe.h - what one member did, property by property: events become values that can be held
 * against another member's. Relies on event.h and properties.h.
 *
 * Addresses are no values: a slab is its first page frame, an object its number in it. Caches are
 * their names, which are the same in every member.
 */
#ifndef SLABFUZZ_OBSERVE_H
#define SLABFUZZ_OBSERVE_H

#include "properties.h"

struct sf_value {
	const char *what; /* what it is, a string that lives for ever */
	uint64_t value;
	const char *text; /* shown and compared in place of the number; NULL: none */
};

struct sf_seen {
	struct sf_value *v;
	uint32_t nr, cap;
};

/* Zeroed it is one that has seen nothing. */
struct sf_observer {
	/* Since sf_observe_begin(). */
	struct sf_seen seen[SF_PROPERTY_COUNT];
	/* Memory was short, or a failure injected: a NULL has a reason. Here; in this program. */
	bool short_of_memory, was_short;
	uint32_t faults; /* injected failures that fired */
	/* Bytes, generously: of the allocation of this step; of all in this program. */
	uint64_t asking, asked;
	bool moved;   /* a realloc gave another address */
	bool tainted; /* misuse has begun, in this program */
	char crash[160]; /* its title */
	bool whole; /* set by who wants to know: every event counts */
	bool final; /* the snapshot in hand is the one after everything was freed */
	char **cache; /* names by id */
	uint32_t nr_caches, cap_caches;
	uint32_t nr_boot; /* of these, how many were there at boot */
};

/* A new step: nothing has been seen. */
void sf_observe_begin(struct sf_observer *o);
void sf_observe_event(struct sf_observer *o, const struct sf_event *ev);
/* A value that was seen before, elsewhere. */
void sf_observe_again(struct sf_observer *o, enum sf_property p, const struct sf_value *v);
void sf_observe_value(struct sf_observer *o, enum sf_property p, const char *what, uint64_t value);
void sf_observer_free(struct sf_observer *o);

/*
 * The first value of property `p` in which they differ, as its index; UINT32_MAX: they are the
 * same. It may be behind the last of one of them.
 */
uint32_t sf_observed_differ(const struct sf_observer *a, const struct sf_observer *b,
			    enum sf_property p);
/* It ended the process, and not as a refusal that its traits allow. */
bool sf_observed_crash(const struct sf_observer *o);
/* It returned what is neither NULL nor the address of an object. */
bool sf_observed_nowhere(const struct sf_observer *o);
/* As people read it: "64", "kmalloc-64", "nothing". */
const char *sf_value_text(const struct sf_seen *s, uint32_t index, char buf[40]);

#endif
