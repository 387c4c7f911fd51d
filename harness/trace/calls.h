/* SPDX-License-Identifier: MIT */
/*
 * calls.h - recordings of what programs ask of malloc(), as other tools write them: what the
 * readers of their formats share. A format is a file calls_NAME.c and a row of SF_CALLS_FORMATS.
 *
 * Relies on private.h; nothing outside this folder includes it.
 */
#ifndef SLABFUZZ_TRACE_CALLS_H
#define SLABFUZZ_TRACE_CALLS_H

#include "private.h"

/* No object is larger: larger numbers are damage. */
#define SF_CALLS_BYTES_MAX (1ull << 40)

/* One call as recorded. */
struct sf_call {
	/*
	 * enum sf_user_call. NONE, and REALLOC that failed with a `ptr`: the object that was called
	 * `old` is called `ptr` from now on.
	 */
	uint8_t call;
	bool no_ptr;      /* the address of the object is not told */
	bool failed;      /* an allocation that returned NULL */
	bool kind_only;   /* ptr names all objects of one size and place: any of them is meant */
	uint64_t thread;  /* as recorded, 0 if it is not told */
	uint64_t ptr;     /* of the object, or whatever names it; 0: NULL */
	uint64_t old;     /* realloc(): what is resized; free(): 0 */
	uint64_t n, size, align; /* size of one element */
	uint64_t line;
};

/* What came of a line. */
enum sf_calls_line {
	SF_CALLS_NONE, /* no call, or half of one */
	SF_CALLS_ONE,  /* a call */
	SF_CALLS_BAD,  /* sf_calls_bad() said what is wrong with it */
};

struct sf_calls;

/*
 * SF_CALLS_FORMATS(X): X(identifier, name, strict)
 * strict: in such a file nothing is lost on the way, and one wrong line makes those behind it mean
 * something else: it is an error, not a count.
 */
#define SF_CALLS_FORMATS(X)                         \
	X(rep, "malloc lab (.rep)", true)           \
	X(replay, "memory_replay", true)            \
	X(mtrace, "mtrace", false)                  \
	X(heaptrack, "heaptrack", true)             \
	X(ltrace, "ltrace", false)

struct sf_calls_format {
	const char *name;
	bool strict;
	/* Whether the first bytes are such a file's. */
	bool (*probe)(const char *head, const char *end);
	/* A line, NUL-terminated, without its end of line. `whole`: it has one. */
	enum sf_calls_line (*line)(struct sf_calls *c, char *line, char *end, bool whole,
				   struct sf_call *out);
	/* May be NULL. Behind the last line: NULL, or what the file lacks. */
	const char *(*end)(struct sf_calls *c);
	size_t state; /* bytes of c->state, zeroed at the start of the file */
	void (*forget)(void *state); /* what it allocated; may be NULL */
};
#define X(id, name, strict) extern const struct sf_calls_format sf_calls_##id;
SF_CALLS_FORMATS(X)
#undef X

struct sf_calls {
	const struct sf_calls_format *format;
	struct sf_line_reader *reader;
	const char *name;  /* of the file */
	void *state;
	const char *start; /* of the line in hand */
	uint64_t line;
	struct sf_tr_notes *notes;
	uint64_t column;   /* of what sf_calls_bad() found, from 1; 0: it does not matter */
	enum sf_tr_damage damage;
	char why[SF_TR_WHY_MAX];
};

/* NULL: none of them. */
const struct sf_calls_format *sf_calls_probe(const uint8_t *head, size_t len);
struct sf_calls *sf_calls_open(struct sf_source *src, const struct sf_calls_format *format);
void sf_calls_close(struct sf_calls *c);
void sf_calls_reset(struct sf_calls *c); /* the source was rewound */
/* 1: a call; 0: the end; -1: err, with line and column. */
int sf_calls_read(struct sf_calls *c, struct sf_call *call, struct sf_tr_notes *notes,
		  struct sf_error *err);

/* --- for readers --- */

/* What is wrong, and at what place of the line in hand (NULL: at none). Returns SF_CALLS_BAD. */
enum sf_calls_line sf_calls_bad(struct sf_calls *c, enum sf_tr_damage damage, const char *at,
				const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* The line ends too early: cut off if it is the last one, else wrong. `wanted`: what is missing. */
enum sf_calls_line sf_calls_short(struct sf_calls *c, const char *at, bool whole,
				  const char *wanted);
/* A line that is no call, by name. Returns SF_CALLS_NONE. */
enum sf_calls_line sf_calls_other(struct sf_calls *c, const char *name, size_t len);

/* A number from *p on, moved behind it, and a blank or the end must follow. */
enum sf_number {
	SF_NUMBER_DECIMAL,
	SF_NUMBER_HEX, /* with or without 0x; "(nil)", "nil": 0 */
	SF_NUMBER_ANY, /* by its 0x */
};
/* False, and sf_calls_bad() or sf_calls_short() said why. `what` it is, in words. */
bool sf_calls_number(struct sf_calls *c, const char **p, const char *end, bool whole,
		     enum sf_number how, const char *what, uint64_t *v);
/* The line ends here but for blanks. */
bool sf_calls_end(struct sf_calls *c, const char *p, const char *end);
/* What a successful call asks for is possible. */
bool sf_calls_fits(struct sf_calls *c, const struct sf_call *call, const char *at);

/* --- calls_pair.c: what is alive under which address --- */

struct sf_calls_obj {
	uint64_t key, size, line;
	uint32_t next;  /* kind_only: the one before it of that kind; or free list */
	uint32_t user;  /* the listener's: result number */
	bool kv;        /* the listener's: of the kvmalloc family */
	bool alive;
};

enum sf_calls_step {
	SF_CALLS_ALLOC,
	SF_CALLS_RESIZE,
	SF_CALLS_FREE,      /* obj NULL: free(NULL) */
};

struct sf_calls_pair;
struct sf_calls_pair_options {
	/* `call`: what is behind it, NULL: it is implied. False: stop. May be NULL. */
	bool (*event)(void *ctx, enum sf_calls_step step, struct sf_calls_obj *obj,
		      const struct sf_call *call);
	void *ctx;
};

struct sf_calls_pair *sf_calls_pair_create(const struct sf_calls_pair_options *opt);
void sf_calls_pair_destroy(struct sf_calls_pair *p);
/* 1: go on; 0: the listener stopped. */
int sf_calls_pair_call(struct sf_calls_pair *p, const struct sf_call *call);
/* All are read: totals, and what the reader noted. */
void sf_calls_pair_finish(struct sf_calls_pair *p, const struct sf_trace *t);
struct sf_trace_counts *sf_calls_pair_counts(struct sf_calls_pair *p);
/* From 0, in the order of first sight. */
uint32_t sf_calls_pair_thread(struct sf_calls_pair *p, uint64_t thread);
/* "": nothing to say; of the first free of what was freed already. */
const char *sf_calls_pair_remark(const struct sf_calls_pair *p);

/* --- calls_import.c: calls to operations; what sf_trace_scan() and sf_trace_import() do --- */

struct sf_trace_scan *sf_calls_scan(struct sf_trace *t, struct sf_error *err);
int sf_calls_import(struct sf_trace *t, const struct sf_import_options *opt,
		    struct sf_trace_counts *counts, struct sf_error *err);

/* trace.c: the next call of a recording of calls. */
int sf_trace_call(struct sf_trace *t, struct sf_call *call, struct sf_error *err);

#endif
