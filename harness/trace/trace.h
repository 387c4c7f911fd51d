/* SPDX-License-Identifier: MIT */
/*
 * trace.h - recordings of real kernels: read them, turn them into programs, or judge them as they
 * are; and recordings of what programs of user space ask of malloc().
 *
 *   source (ftrace text, trace-cmd report, perf script, trace.dat; .gz, .xz, .zst or plain)
 *      -> records -> importer (pairs, infers, counts) -> operations, for text or for the executor
 *                 -> judge adapter                    -> events, for the oracles
 *   source (mtrace, heaptrack, ltrace, memory_replay, malloc lab)
 *      -> calls   -> importer (pairs, counts)         -> operations
 *
 * Everything streams: memory grows with the objects alive at one time, not with the recording.
 */
#ifndef SLABFUZZ_TRACE_H
#define SLABFUZZ_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "../../allocators/allocator.h"
#include "../program/ops.h"

enum sf_trace_kind {
	SF_TRACE_KMALLOC, /* kmalloc, kmalloc_node */
	SF_TRACE_KFREE,
	SF_TRACE_CACHE_ALLOC,
	SF_TRACE_CACHE_FREE,
	SF_TRACE_PAGE_ALLOC,
	SF_TRACE_PAGE_FREE,
	SF_TRACE_KINDS,
	SF_TRACE_CALL = SF_TRACE_KINDS, /* none: behind an operation is a call of malloc() */
};

/* One event as recorded. Strings live until the next sf_trace_read(). */
struct sf_trace_record {
	uint8_t kind; /* enum sf_trace_kind */
	bool accounted;
	bool node;            /* the kernel tells allocations on a node apart, or says which */
	bool batched;         /* a page freed with others: mm_page_free may say so, too */
	bool no_ptr, no_frame; /* not told; ptr is 0, pfn SF_NO_PFN */
	uint8_t order, migratetype;
	uint32_t cpu;
	int32_t pid;
	const char *comm, *site, *cache; /* task; call as symbol+offset; cache; never NULL */
	uint64_t time_ns;
	uint64_t ptr;         /* address, or its hash: see sf_trace_hashed() */
	uint64_t pfn;         /* SF_NO_PFN: a page allocation that failed */
	uint64_t page;        /* of the page's descriptor, or its hash; 0: none */
	uint64_t bytes_req, bytes_alloc;
	uint32_t gfp;
	uint64_t line;        /* in the file (text) or number of the event (trace.dat), from 1 */
};

struct sf_trace;

/*
 * Opens a recording; the format is told from content, compression too. "-" is standard input. NULL
 * with "FILE: …" in err. `exit_code` becomes 2 (bad input) or 3 (this build or machine lacks
 * something).
 */
struct sf_trace *sf_trace_open(const char *path, struct sf_error *err, int *exit_code);
/*
 * Several files of one recording (of one CPU each, or rotated), merged by time; those without times
 * in the order given. Lines are then numbers of events.
 */
struct sf_trace *sf_trace_open_files(const char *const *paths, unsigned int nr,
				     struct sf_error *err, int *exit_code);
/* The same from memory (fuzz targets), which must stay until close. */
struct sf_trace *sf_trace_open_memory(const void *data, size_t len, struct sf_error *err,
				      int *exit_code);
void sf_trace_close(struct sf_trace *t);
/*
 * 1: a record; 0: the end; -1: the file cannot be read, "FILE:LINE: …" in err. Foreign lines and
 * damaged events are counted.
 */
int sf_trace_read(struct sf_trace *t, struct sf_trace_record *rec, struct sf_error *err);
/* From the start again (a file; standard input is spooled to a temporary file on first need). */
int sf_trace_rewind(struct sf_trace *t, struct sf_error *err);
const char *sf_trace_format(const struct sf_trace *t); /* "ftrace", "trace-cmd report", … */
/* Whether it has calls of malloc(), and no kernel's events: not for sf_trace_read(). */
bool sf_trace_is_calls(const struct sf_trace *t);
/* True once pointers turn out to be %p hashes (ftrace text): names of objects, no addresses. */
bool sf_trace_hashed(const struct sf_trace *t);
/* Whether the file's first bytes look like a recording rather than a program. */
bool sf_trace_probe(const uint8_t *head, size_t len);
/* What people take for a recording and is none: what it is and where to take it, or NULL. */
const char *sf_trace_foreign(const uint8_t *head, size_t len);

/*
 * What the user knows of the recorded kernel, and what a listing of its caches tells: all 0 means
 * that nobody knows. Before the first pass; sf_trace_open() leaves all 0.
 */
struct sf_trace_hints {
	uint64_t kmalloc_min; /* its least size and alignment, a power of two */
	uint64_t page_size;
	bool slub_debug;      /* its caches have red zones, poisoning or tracking */
	bool plain;           /* a listing shows that none of that is so */
	char source[64];      /* who says so */
};
void sf_trace_set_hints(struct sf_trace *t, const struct sf_trace_hints *h);
const struct sf_trace_hints *sf_trace_hints(const struct sf_trace *t);
/*
 * From /proc/slabinfo, a folder /sys/kernel/slab, or a listing of it (grep -r . /sys/kernel/slab).
 * What `h` has already stays. 0, or -1 with err.
 */
int sf_trace_hints_listing(struct sf_trace_hints *h, const char *path, struct sf_error *err);
/* One setting by name ("kmalloc_min", "page_size", "slub_debug"). NULL, or what was expected. */
const char *sf_trace_hints_set(struct sf_trace_hints *h, const char *assignment);

/*
 * What there is to say of a recording besides counts, one line each, after the last pass: names of
 * unknown flags, damage, what is unlike a plain kernel, what was not judged. NULL behind the last.
 */
const char *sf_trace_remark(struct sf_trace *t, unsigned int index);
/* Of these: what the recorded kernel has unlike a plain one. "": nothing is known. */
const char *sf_trace_kernel(const struct sf_trace *t);

/*
 * What the importer met, by rule: one table, printed as it is. X(field, what)
 *
 *   kfree + cache_free    = paired + free_null + free_unborn + free_no_ptr
 *   kmalloc + cache_alloc = failed + paired + implied_free + alive + alloc_no_ptr
 *   page_free             = page_paired + page_mismatch + page_unborn + page_echo +
 *                           page_free_no_frame
 *   events                = kmalloc + kfree + cache_alloc + cache_free + page_alloc + page_free
 *
 * and of calls (the others are 0 then)
 *
 *   calls                 = mallocs + callocs + reallocs + aligned + frees
 *   frees + realloc_freed = paired + free_null + free_unborn + freed_twice
 *   calls - frees         = failed + alloc_no_ptr + resized + realloc_freed + paired +
 *                           implied_free + alive
 */
#define SF_TRACE_COUNTS(X)                                                                   \
	X(events, "kmem events read")                                                        \
	X(kmalloc, "kmalloc")                                                                \
	X(kfree, "kfree")                                                                    \
	X(cache_alloc, "kmem_cache_alloc")                                                   \
	X(cache_free, "kmem_cache_free")                                                     \
	X(page_alloc, "mm_page_alloc")                                                       \
	X(page_free, "mm_page_free")                                                         \
	X(foreign_lines, "lines (trace.dat: events) of something else")                 \
	X(lost, "events the recorder says it lost")                                          \
	X(unknown_gfp, "gfp flags of names or bits unknown here, left out")                  \
	X(caches, "named caches")                                                            \
	X(odd_caches, "named caches whose stride no alignment gives")                        \
	X(paired, "frees paired with their allocation")                                      \
	X(free_null, "frees of NULL")                                                         \
	X(free_unborn, "frees of objects born before the recording, or unseen")              \
	X(implied_free, "objects gone with no free seen: address or page in use again")      \
	X(kfree_of_named, "objects of named caches freed with kfree")                        \
	X(hash_collision, "pointers whose hashes collide")                                   \
	X(wrong_cache, "frees that name another cache than the allocation")                  \
	X(failed, "allocations that returned NULL")                                          \
	X(alive, "objects still alive at the end")                                           \
	X(owners, "ownerships inferred")                                                     \
	X(slab_pages, "page blocks that are the backing of slabs or large kmalloc")          \
	X(page_failed, "page allocations that failed")                                       \
	X(page_paired, "page frees paired with their allocation")                            \
	X(page_unborn, "frees of page blocks born before the recording")                     \
	X(page_mismatch, "page frees of another order than the allocation")                  \
	X(page_implied, "page blocks handed out again with no free seen")                    \
	X(page_alive, "page blocks still in use at the end")                                 \
	X(double_free, "kfree of an object already freed (judge only)")                      \
	X(peak_bytes, "most bytes outstanding at once")                                      \
	X(ops, "operations made")                                                            \
	X(other_events, "of the foreign ones: events of other kinds")                        \
	X(cut_off, "events cut off")                                                         \
	X(torn, "events torn into each other")                                               \
	X(bad_values, "events with values that make no sense")                               \
	X(wrapped, "of those cut off: wrapped into two lines")                               \
	X(overwritten, "events overwritten before they were read, as headers say")           \
	X(started, "CPUs whose events begin later than those of others")                     \
	X(alloc_no_ptr, "allocations whose address is not told")                             \
	X(free_no_ptr, "frees whose address is not told")                                    \
	X(page_no_frame, "page allocations whose frame is not told")                         \
	X(page_free_no_frame, "page frees whose frame is not told")                          \
	X(page_echo, "page frees told twice, alone and with others")                         \
	X(page_too_large, "page blocks larger than any of the model: not replayed")          \
	X(alloc_too_large, "kmalloc larger than any block of the model: not replayed")       \
	X(backwards, "events with an earlier time than the one before them")                  \
	X(kfence, "objects at the end of a page, perhaps KFENCE's (judge only)") \
	X(duplicates, "events that several files have: taken once")                           \
	X(ended_early, "files whose compressed data ends too early: read as far as it goes") \
	X(escapes, "lines with colour escapes, which were left out")                         \
	X(calls, "calls of malloc and its like read")                                        \
	X(mallocs, "malloc, or an operator new")                                             \
	X(callocs, "calloc")                                                                 \
	X(reallocs, "realloc, reallocarray")                                                 \
	X(aligned, "aligned_alloc, posix_memalign, memalign and their like")                 \
	X(frees, "free, or an operator delete")                                              \
	X(threads, "threads that call")                                                      \
	X(resized, "objects that realloc gave another size")                                 \
	X(realloc_freed, "realloc to 0 bytes: a free")                                       \
	X(realloc_unborn, "realloc of objects born before the recording, or unseen: a malloc") \
	X(freed_twice, "frees of what was freed already: left out")                          \
	X(by_kind, "frees that tell size and place only: the last such object was taken")    \
	X(forked, "calls of processes that forked, with heaps of their own: left out")       \
	X(nested, "calls that another call of the family made: left out")

struct sf_trace_counts {
#define X(field, what) uint64_t field;
	SF_TRACE_COUNTS(X)
#undef X
};

/*
 * First pass: counts, the settings a heap needs to replay it (pages from the peak, cpus from the
 * events), and what is known of each named cache. Leaves the trace at its end. Its counts may
 * differ from those of the second pass, which knows from the start what this one finds out: print
 * those.
 */
struct sf_trace_scan;
struct sf_trace_scan *sf_trace_scan(struct sf_trace *t, struct sf_error *err);
void sf_trace_scan_free(struct sf_trace_scan *s);
const struct sf_settings *sf_trace_scan_settings(const struct sf_trace_scan *s);
const struct sf_trace_counts *sf_trace_scan_counts(const struct sf_trace_scan *s);

/*
 * Second pass (rewinds): calls `op` for each operation, first the cache creations. Result numbers
 * are recycled (the executor's streaming contract) unless `unique_results` (text needs each only
 * once). `rec` is the event behind the operation, NULL if it is implied. `op` returns false to
 * stop. 0: whole; 1: stopped; -1: err. Recordings of calls need no first pass: `s` may be NULL.
 */
struct sf_import_options {
	bool unique_results;
	bool kernel_words; /* calls of malloc(): as kmalloc() and its like */
	bool (*op)(void *ctx, const struct sf_op *op, const char *strings,
		   const struct sf_trace_record *rec);
	void *ctx;
};
int sf_trace_import(struct sf_trace *t, const struct sf_trace_scan *s,
		    const struct sf_import_options *opt, struct sf_trace_counts *counts,
		    struct sf_error *err);

/*
 * `slabfuzz import`, both passes: canonical text (temp file, fsync, rename), or to `out_file` if
 * path is NULL. 0, or -1 with err (and no file).
 */
int sf_trace_import_text(struct sf_trace *t, const char *path, FILE *out_file,
			 struct sf_trace_counts *counts, struct sf_error *err);

/*
 * `slabfuzz judge`, both passes: the recorded events themselves as struct sf_event: HEAP, BEGIN,
 * CACHE at first sight, ALLOC, FREE, OWNS, END. 0, or -1 with err.
 */
int sf_trace_judge(struct sf_trace *t, void (*emit)(void *ctx, const struct sf_event *ev),
		   void *ctx, struct sf_trace_counts *counts, struct sf_error *err);

#endif
