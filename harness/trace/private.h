/* SPDX-License-Identifier: MIT */
/*
 * private.h - what the files of harness/trace/ share: byte source, readers, pairing, scan.
 *
 * Relies on trace.h; nothing outside this folder includes it.
 */
#ifndef SLABFUZZ_TRACE_PRIVATE_H
#define SLABFUZZ_TRACE_PRIVATE_H

#include <stddef.h>
#include <sys/types.h>

#include "../../allocators/base/hash_map.h"
#include "trace.h"

/* A line of a recording is about 200 bytes; whatever exceeds this is no recording. */
#define SF_TR_LINE_MAX 65536u
/* No kernel has blocks or kmalloc objects beyond these: larger numbers are damage. */
#define SF_TR_BYTES_MAX (1ull << 30)
#define SF_TR_PFN_MAX (1ull << 40)
#define SF_TR_CPU_MAX 8191u
#define SF_TR_ORDER_MAX 17u /* ia64's; larger than the model's: see page_too_large */
#define SF_TR_CACHES_MAX 16384u
/* Larger kmalloc objects are page blocks (include/linux/slab.h:KMALLOC_MAX_CACHE_SIZE). */
#define SF_TR_KMALLOC_CACHE_MAX 8192u

/* Bytes, never NULL (grow.h). */
static inline void *sf_tr_grow(void *p, size_t size)
{
	return sf_grow(p, size, 1);
}

static inline void *sf_tr_alloc(size_t size)
{
	return sf_grow(NULL, size, 1);
}

/* "FILE: …", or "FILE:LINE: …" if line != 0. A long path keeps its end. Returns -1. */
int sf_tr_error(struct sf_error *err, const char *path, uint64_t line, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* "FILE:LINE:COLUMN: …", likewise. */
int sf_tr_error_at(struct sf_error *err, const char *path, uint64_t line, uint64_t column,
		   const char *fmt, ...) __attribute__((format(printf, 5, 6)));

uint64_t sf_tr_hash(const char *s);

/* source.c: bytes of a file, a pipe or memory, decompressed. */
struct sf_source;
struct sf_source *sf_source_open(const char *path, struct sf_error *err, int *exit_code);
struct sf_source *sf_source_memory(const void *data, size_t len, struct sf_error *err,
				   int *exit_code);
void sf_source_close(struct sf_source *s);
/* Up to `len` bytes, 0 at the end, -1 with err. */
ssize_t sf_source_read(struct sf_source *s, void *dst, size_t len, struct sf_error *err);
/* The first bytes, decompressed, without consuming them; fewer than `len` only at the end. */
ssize_t sf_source_peek(struct sf_source *s, const uint8_t **head, size_t len, struct sf_error *err);
int sf_source_rewind(struct sf_source *s, struct sf_error *err);
const char *sf_source_name(const struct sf_source *s);
/* Read to its end, packed data that ended in the middle: of which kind; else NULL. */
const char *sf_source_early(const struct sf_source *s);
/* A seekable descriptor with the decompressed bytes, the caller's to close; -1 with err. */
int sf_source_fd(struct sf_source *s, struct sf_error *err);

/* Why an event that is there could not be read. */
enum sf_tr_damage {
	SF_TR_WHOLE,
	SF_TR_CUT,  /* its end, or a part of it, is missing */
	SF_TR_TORN, /* another event begins in the midst of it */
	SF_TR_BAD,  /* a value that makes no sense */
	SF_TR_DAMAGES,
};
#define SF_TR_WHY_MAX 120

/* Names and how often: the first that fit, and how many others. */
#define SF_TR_TALLY_NAMES 64u
#define SF_TR_TALLY_TEXT 40u
struct sf_tr_tally {
	struct {
		char name[SF_TR_TALLY_TEXT];
		uint64_t nr; /* 0: free */
	} entry[SF_TR_TALLY_NAMES];
	uint64_t rest;
};
void sf_tr_tally(struct sf_tr_tally *t, const char *name, size_t len);
void sf_tr_tally_add(struct sf_tr_tally *to, const struct sf_tr_tally *from);
/* "a 12, b 3, others 2", the most frequent first. */
void sf_tr_tally_text(const struct sf_tr_tally *t, unsigned int names, char *out, size_t cap);

/* What readers note in words. */
struct sf_tr_heard {
	struct sf_tr_tally events, gfp; /* other events; gfp flags unknown here */
	uint64_t damage_line;           /* of the first damaged event, 0: none */
	char damage_why[SF_TR_WHY_MAX];
	uint32_t damage_file;           /* of several: which */
	uint64_t cut_column, cut_there; /* the longest event cut off, and how many are as long */
};
#define SF_TR_CUT_HINT "lines were cut there (cut, less -S): take them whole"
/* The column at which lines are cut, 0: at none, they merely end. */
uint64_t sf_tr_cut_column(const struct sf_tr_heard *h, uint64_t cut_off);
void sf_tr_note_cut(struct sf_tr_heard *h, uint64_t column, uint64_t events);

/* What readers report besides records. */
struct sf_tr_notes {
	uint64_t foreign, lost, unknown_gfp;
	uint64_t other_events;          /* of the foreign ones: events of other kinds */
	uint64_t damage[SF_TR_DAMAGES]; /* events */
	uint64_t wrapped;               /* of those cut off: the rest is on the next line */
	uint64_t overwritten, started;  /* as headers say; CPUs whose buffer begins later */
	uint64_t escapes;               /* lines with escapes of a terminal */
	uint64_t early;                 /* files that are packed, and end in the middle */
	uint64_t duplicates;            /* events that another file had already */
	uint64_t backwards;             /* events before the one that they follow */
	uint64_t forked, nested;        /* calls of processes that forked; of calls */
	uint32_t cpus;                  /* what a header says, 0: nothing */
	uint32_t page_size;             /* likewise */
	bool hashed;
	struct sf_tr_heard *heard;      /* never NULL */
};

/* gfp.c: names to bits. What is unknown is left out and counted, by name. */
uint32_t sf_tr_gfp(const char *s, size_t len, struct sf_tr_notes *notes);
/* One name, 0 if there is none such, or if it means nothing any more (*known). */
uint32_t sf_tr_gfp_name(const char *s, size_t len, bool *known);
/* Whether a known name begins so, and goes on. */
bool sf_tr_gfp_begins(const char *s, size_t len);
/* Bits of a kernel that gives no names: which kernel shows in which bits mean reclaim. */
uint32_t sf_tr_gfp_raw(uint64_t bits, struct sf_tr_notes *notes);

/*
 * The frame of a page event from what is recorded of it; SF_NO_PFN: it failed, or (no_frame) the
 * recording does not tell.
 */
void sf_tr_page_frame(struct sf_trace_record *rec, bool have_pfn, bool have_page);

/* line_reader.c: lines of any text. */
struct sf_line_reader;
struct sf_line_reader *sf_line_reader_open(struct sf_source *src);
void sf_line_reader_close(struct sf_line_reader *r);
void sf_line_reader_reset(struct sf_line_reader *r); /* the source was rewound */
/*
 * 1: a line of *len bytes, NUL-terminated in place, valid until the next call; *whole: a newline
 * ends it. 0: the end. -1: err.
 */
int sf_line_next(struct sf_line_reader *r, char **line, size_t *len, bool *whole,
		 struct sf_error *err);
/* At the end: whether it is that of packed data that ended in the middle. */
bool sf_line_reader_early(const struct sf_line_reader *r);

/* text.c: lines to records. */
struct sf_lines;
struct sf_lines *sf_lines_open(struct sf_source *src);
void sf_lines_close(struct sf_lines *l);
void sf_lines_reset(struct sf_lines *l);
int sf_lines_read(struct sf_lines *l, struct sf_trace_record *rec, struct sf_tr_notes *notes,
		  struct sf_error *err);
const char *sf_lines_format(const uint8_t *head, size_t len); /* NULL: no recording */

/* tracecmd.c: trace.dat through libtracecmd, in a process of its own. Takes fd. */
struct sf_tcmd;
struct sf_tcmd *sf_tcmd_open(int fd, const char *name, struct sf_error *err);
void sf_tcmd_close(struct sf_tcmd *d);
int sf_tcmd_read(struct sf_tcmd *d, struct sf_trace_record *rec, struct sf_tr_notes *notes,
		 struct sf_error *err);

/* dat.c: that process, and its records. Takes fd. */
#define SF_DAT_MAGIC "\x17\x08\x44tracing"
#define SF_DAT_MAGIC_LEN 10u
struct sf_dat;
struct sf_dat *sf_dat_open(int fd, const char *name, struct sf_error *err, int *exit_code);
void sf_dat_close(struct sf_dat *d);
int sf_dat_rewind(struct sf_dat *d, struct sf_error *err);
int sf_dat_read(struct sf_dat *d, struct sf_trace_record *rec, struct sf_tr_notes *notes,
		struct sf_error *err);

/* foreign.c: what a file is that is no recording, and where to take it; NULL: not known. */
const char *sf_tr_foreign(const uint8_t *head, size_t len);

const struct sf_tr_notes *sf_trace_notes(const struct sf_trace *t);
/* The first pass is over: what it learned, for remarks; and what judge leaves out, and why. */
struct sf_trace_scan;
void sf_trace_found(struct sf_trace *t, const struct sf_trace_scan *s);
void sf_trace_left_out(struct sf_trace *t, const char *what);
/* One more remark of a recording of calls; "": none. */
void sf_trace_say(struct sf_trace *t, const char *what);
struct sf_calls;
/* NULL: a kernel's recording. */
struct sf_calls *sf_trace_calls(const struct sf_trace *t);
const char *sf_trace_name(const struct sf_trace *t);
/* What it is if it turns out to have no memory events, NULL: nothing known. */
const char *sf_trace_looks_like(const struct sf_trace *t);

/* Bits in the order of events: a fact of the first pass for the second. */
struct sf_bits {
	uint64_t *word;
	uint64_t nr, cap;
};
void sf_bits_push(struct sf_bits *b, bool value);
static inline void sf_bits_set(struct sf_bits *b, uint64_t i)
{
	b->word[i / 64] |= 1ull << (i % 64);
}
static inline bool sf_bits_get(const struct sf_bits *b, uint64_t i)
{
	return i < b->nr && (b->word[i / 64] >> (i % 64) & 1);
}

/*
 * pair.c: the rules that make sense of a recording, once for scan, import and judge.
 */
struct sf_tr_cache {
	char *name;            /* as recorded; kmalloc: NULL */
	uint32_t bytes_alloc;  /* stride */
	uint32_t bytes_req;    /* the largest request seen */
	uint32_t req_min;      /* the smallest */
	uint32_t next;         /* of the same name, SF_NONE */
	bool account;          /* named: charged although the request did not say so */
	uint64_t live, peak;   /* objects */
	uint64_t nr, crooked;  /* allocations; those not aligned as their size is */
	uint32_t user;         /* the listener's */
};

/* An object, or a block of pages. */
struct sf_tr_obj {
	uint64_t key;          /* pointer or hash; blocks: pfn */
	uint64_t serial;       /* of its event; 0: free */
	uint64_t ordinal;      /* blocks: number of the page allocation */
	uint32_t next;         /* on the same key, or free list */
	uint32_t page_next, page_prev; /* objects that begin on the same page */
	uint32_t cache;        /* index; SF_NONE: large kmalloc, or a page block */
	uint32_t bytes;        /* as recorded; blocks: 0 */
	uint32_t user;         /* the listener's: result number or id */
	uint32_t left;         /* blocks: pages not given back yet */
	uint32_t gfp;          /* blocks */
	uint8_t order;         /* blocks */
	bool block, backing;   /* backing: a slab or a large kmalloc lives there */
	bool alien;            /* larger than any block of the model: listeners hear nothing */
	bool on_page;
};

enum sf_tr_step {
	SF_STEP_ALLOC,      /* obj */
	SF_STEP_FREE,       /* obj; implied: no free was seen; rec is what shows it, or NULL */
	SF_STEP_FREE_NULL,
	SF_STEP_UNBORN,     /* a free that belongs to nothing alive */
	SF_STEP_FAILED,
	SF_STEP_PAGES,      /* obj: a block, unless backing */
	SF_STEP_PAGES_FREE, /* obj likewise */
	SF_STEP_OWNS,       /* obj owns other */
};

struct sf_tr_event {
	enum sf_tr_step step;
	struct sf_tr_obj *obj, *other;
	bool implied;
	const struct sf_trace_record *rec;
};

struct sf_pair;
struct sf_pair_options {
	/* First pass: NULL, and what is backing is found out. Second: what the first found. */
	const struct sf_bits *backing;
	bool hashed;   /* second pass: known from the start */
	uint64_t base; /* likewise: where the direct map begins, 0: unknown */
	bool (*event)(void *ctx, const struct sf_tr_event *ev); /* false: stop */
	void *ctx;
};

struct sf_pair *sf_pair_create(const struct sf_pair_options *opt);
void sf_pair_destroy(struct sf_pair *p);
/* 1: go on; 0: a listener stopped; -1: err. */
int sf_pair_record(struct sf_pair *p, const struct sf_trace *t, const struct sf_trace_record *rec,
		   struct sf_error *err);
/* Everything read: totals of what is still alive, and what the reader noted. */
void sf_pair_finish(struct sf_pair *p, const struct sf_trace *t);
struct sf_trace_counts *sf_pair_counts(struct sf_pair *p);
uint32_t sf_pair_caches(const struct sf_pair *p);
struct sf_tr_cache *sf_pair_cache(struct sf_pair *p, uint32_t index);
void sf_pair_take_backing(struct sf_pair *p, struct sf_bits *out); /* the caller's from now on */
/* Of blocks that are no backing, and of large kmalloc. */
uint64_t sf_pair_peak_pages(const struct sf_pair *p);
uint64_t sf_pair_base(const struct sf_pair *p);
/* Large kmalloc whose size is that of a block of pages, and of others. */
void sf_pair_large(const struct sf_pair *p, uint64_t *fit, uint64_t *unfit);
/* What the addresses of slabs say of the size of pages; 0: nothing. */
uint32_t sf_pair_page_size(const struct sf_pair *p);
/* Ends all objects, implied. */
void sf_pair_forget(struct sf_pair *p);

/*
 * gaps.c: signs that events are missing though nothing says so. In the first pass, each record
 * before sf_pair_record() of it, and what the pair reports of it.
 */
enum sf_gap_kind {
	SF_GAP_PAGE_TWICE,   /* a page handed out while it is */
	SF_GAP_NO_PAGE,      /* an object on a page given back */
	SF_GAP_UNBORN,       /* kfree of what must have been allocated in the recording */
	SF_GAP_FREED_TWICE,  /* kfree of what is free; once for each place that calls it */
	SF_GAP_SINGLE_FREED, /* of a cache without bulk: freed twice */
	SF_GAP_SINGLE_TWICE, /* handed out twice */
	SF_GAP_KINDS,
};
#define SF_GAPS_PROOF 2u /* so many prove it; one may be the kernel's mistake */
struct sf_gaps;
struct sf_gaps *sf_gaps_create(void);
void sf_gaps_destroy(struct sf_gaps *g);
void sf_gaps_record(struct sf_gaps *g, struct sf_pair *p, const struct sf_trace_record *rec);
void sf_gaps_event(struct sf_gaps *g, const struct sf_tr_event *ev);
/* Whether there are enough of them, and then which. */
bool sf_gaps_found(const struct sf_gaps *g, char *why, size_t cap);

/* scan.c */
struct sf_tr_named {
	char *name;
	uint32_t bytes_alloc, size, align, flags;
};

/*
 * learn.c: what kind of kernel was recorded, from the sizes and addresses of its objects, from a
 * listing of its caches, or from what the user says.
 */
struct sf_tr_kernel {
	bool plain_sizes;      /* kmalloc's sizes are those of a plain kernel */
	bool plain_align;      /* and its objects are aligned as their size is */
	uint32_t page_size;    /* 0: not known, taken for 4 KiB */
	char why[200];         /* what differs, "": nothing */
};
void sf_tr_learn(struct sf_tr_kernel *k, struct sf_pair *p, const struct sf_trace *t,
		 uint64_t odd_caches, uint64_t named_caches);

/* What a recording has, and so what may be concluded from what it does not have. */
struct sf_tr_evidence {
	uint32_t kinds;        /* bits of enum sf_trace_kind */
	bool node;             /* allocations on a node would be seen, too */
	bool idle;             /* so are tasks of all kinds: the idle one is */
	bool unbroken;         /* nothing was overwritten, cut off or torn */
	bool complete;         /* so double frees and overlaps may be told */
	char why[240];         /* why not, "": they may */
};

struct sf_trace_scan {
	struct sf_settings settings;
	struct sf_tr_kernel kernel;
	struct sf_tr_evidence evidence;
	struct sf_trace_counts counts;
	struct sf_bits backing;
	struct sf_tr_named *named; /* in the order of first sight */
	uint32_t nr_named;
	uint64_t last_kmalloc;     /* event number of the last kmalloc, 0: none */
	uint64_t base;             /* of the direct map, 0: unknown */
	bool hashed;
};

/* Numbers of results for an import: of those that went, again; with `unique` never. */
struct sf_tr_results {
	bool unique;
	uint32_t next, *gone, nr_gone, cap_gone; /* gone: to be freed */
};

static inline uint32_t sf_tr_result_take(struct sf_tr_results *r)
{
	return r->nr_gone ? r->gone[--r->nr_gone] : r->next++;
}

static inline void sf_tr_result_put(struct sf_tr_results *r, uint32_t res)
{
	if (r->unique)
		return;
	if (r->nr_gone == r->cap_gone) {
		r->cap_gone = r->cap_gone ? 2 * r->cap_gone : 4096;
		r->gone = sf_tr_grow(r->gone, r->cap_gone * sizeof(*r->gone));
	}
	r->gone[r->nr_gone++] = res;
}

#endif
