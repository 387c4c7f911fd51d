/* SPDX-License-Identifier: MIT */
/*
 * workload.h - programs as kernels are known to run them: families with a few parameters, made
 * whole. A family is a line of SF_WORKLOADS and a function.
 *
 * Relies on program.h; `slabfuzz workload` and the tests rely on it.
 */
#ifndef SLABFUZZ_WORKLOAD_H
#define SLABFUZZ_WORKLOAD_H

#include "../program/program.h"

/* SF_WORKLOADS(X): X(name, what it does) */
#define SF_WORKLOADS(X)                                                                        \
	X(dentry, "files are looked up by names too long for a dentry, until memory is short")   \
	X(buffers, "blocks of sizes that are no powers of two, in a fragmented zone (dm-bufio)") \
	X(policydb, "a security policy is loaded, sealed, looked up and reloaded (SELinux)")

/*
 * SF_WORKLOAD_OPTIONS(X): X(field, option, default, min, max, what it is). `files` 0: as many as
 * fill three quarters of the memory. `size` 0: 160, 320, 640 and 704 KiB; `blocks` 0: half as much
 * again as all memory holds.
 */
#define SF_WORKLOAD_OPTIONS(X)                                                                 \
	X(pages, "pages", 8192, 64, 1u << 22, "pages of memory")                               \
	X(files, "files", 0, 0, 1u << 22, "names that are looked up; 0: what fills 3/4 of it")     \
	X(shortest, "shortest", 120, 1, 255, "bytes in the shortest name")                         \
	X(longest, "longest", 255, 1, 255, "bytes in the longest name")                          \
	X(negative, "negative", 95, 0, 100, "percent of names that have no file")                \
	X(open, "open", 2, 0, 100, "percent of files that stay open: nothing frees them")        \
	X(unlink, "unlink", 10, 0, 100, "percent of names that are removed again")               \
	X(ask, "ask", 60, 0, 100, "percent of memory that a process then asks for")              \
	X(rcu, "rcu", 0, 0, 1, "1: what reclaim frees waits for a grace period, as in a kernel") \
	X(size, "size", 0, 0, 1u << 22, "buffers: bytes of a block; 0: 160, 320, 640 and 704 KiB") \
	X(blocks, "blocks", 0, 0, 1u << 20, "buffers: blocks asked for; 0: 3/2 of memory") \
	X(kmalloc, "kmalloc", 0, 0, 2, "buffers: 1: by kmalloc, 2: by kvmalloc; 0: from caches")   \
	X(keep, "keep", 0, 0, 1, "buffers: 1: none is freed before the end")                       \
	X(noise, "noise", 25, 0, 90, "buffers: percent of memory first fragmented by others")      \
	X(min_order, "min-order", 0, 0, 10, "buffers: least order of the caches' slabs")           \
	X(rules, "rules", 1000, 1, 1u << 20, "policydb: rules in a policy")                        \
	X(reloads, "reloads", 4, 0, 1000, "policydb: reloads, every second one of a whole policy") \
	X(seed, "seed", 1, 0, UINT32_MAX, "of what is drawn")

struct sf_workload_options {
#define X(field, option, def, lo, hi, doc) uint64_t field;
	SF_WORKLOAD_OPTIONS(X)
#undef X
};

struct sf_workload {
	const char *name, *doc;
	void (*make)(struct sf_prog *p, const struct sf_workload_options *opt);
};

/* Ends with a NULL name. */
extern const struct sf_workload sf_workloads[];
/* NULL: there is none. */
const struct sf_workload *sf_workload_by_name(const char *name);

void sf_workload_defaults(struct sf_workload_options *opt);
/* What contradicts itself, as one line, or NULL. */
const char *sf_workload_fault(const struct sf_workload_options *opt);

#endif
