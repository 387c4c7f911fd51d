// SPDX-License-Identifier: MIT
/*
 * bench_isolation.c - what isolation costs: instructions that choosing a partition adds to an
 * allocation, time that its oracles add to a run, time that the types of a kernel take.
 *
 * Instructions are counted one by one, by a parent that single-steps its child (ptrace): exact on
 * every machine, with or without hardware counters. Relies on the models and the judge.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../program/token.h"
#include "bench.h"

#define KERNEL_BTF "/sys/kernel/btf/vmlinux"

/* --- instructions --- */

#define COUNTED 48 /* allocations, fewer than a sheaf holds */

static void allocate(const struct sf_allocator *a, struct sf_heap *h, uint64_t *addr, uint32_t nr)
{
	struct sf_request rq = { .api = SF_API_KMALLOC, .gfp = SF_GFP_KERNEL, .n = 1, .size = 64,
				 .site = 12, .bucket = SF_NONE };
	struct sf_result rs;

	for (uint32_t i = 0; i < nr; i++) {
		rq.token = 9;
		a->alloc(h, &rq, &rs);
		addr[i] = rs.addr;
	}
}

/* In the child: everything is warm, then two stops with the allocations between them. */
static _Noreturn void child(const struct sf_allocator *a, uint32_t nr)
{
	struct sf_settings set;
	struct sf_error err;
	struct sf_result rs;
	uint64_t addr[COUNTED];
	struct sf_heap *h;

	sf_settings_init(&set);
	h = a->create(a, &set, NULL, &err);
	if (!h || ptrace(PTRACE_TRACEME, 0, NULL, NULL))
		_exit(1);
	for (int round = 0; round < 2; round++) {
		allocate(a, h, addr, COUNTED);
		for (uint32_t i = 0; i < COUNTED; i++)
			a->free(h, addr[i], SF_KFREE, &rs);
	}
	raise(SIGSTOP);
	allocate(a, h, addr, nr);
	raise(SIGSTOP);
	_exit(0);
}

/* From the child's first stop to its second; -1: it cannot be traced. */
static long count_steps(pid_t pid)
{
	long steps = 0;
	int status;

	if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
		return -1;
	for (;;) {
		if (ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL) ||
		    waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
			return -1;
		if (WSTOPSIG(status) == SIGSTOP)
			return steps;
		steps++;
	}
}

static long instructions(const struct sf_allocator *a, uint32_t nr)
{
	pid_t pid = fork();
	int status;
	long n;

	if (pid < 0)
		return -1;
	if (!pid)
		child(a, nr);
	n = count_steps(pid);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return n;
}

/* Of one allocation: what COUNTED take more than none. */
static double per_allocation(const struct sf_allocator *a)
{
	long none = instructions(a, 0), all = instructions(a, COUNTED);

	return none < 0 || all < 0 ? -1 : (double)(all - none) / COUNTED;
}

static void bench_choice(struct bench *b)
{
	double base = per_allocation(&sf_baseline);
	char name[64];

	if (base < 0) {
		bench_skip(b, "instructions of an allocation: no child can be traced here");
		return;
	}
	bench_add_value(b, BENCH_RATE, "allocation_baseline", base, 0, "instr");
	for (int i = 0; sf_allocators[i]; i++) {
		if (!(sf_allocators[i]->caps & (SF_CAP_RANDOM | SF_CAP_TYPED)))
			continue;
		snprintf(name, sizeof(name), "partition_choice_%.40s", sf_allocators[i]->name);
		bench_add_value(b, BENCH_RATIO, name, per_allocation(sf_allocators[i]) / base, 1.05,
				"");
	}
}

/* --- oracles --- */

static bool of_isolation(unsigned int inv)
{
	static const char *const more[] = { "MEM-14", "MEM-15", "MEM-16", "MEM-18" };

	if (!strncmp(sf_invariants[inv].id, "ISO-", 4) ||
	    !strncmp(sf_invariants[inv].id, "SHF-", 4))
		return true;
	for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++)
		if (!strcmp(sf_invariants[inv].id, more[i]))
			return true;
	return false;
}

/* --- types of a kernel --- */

static void bench_types(struct bench *b)
{
	char command[4608];
	struct series s = { .nr = 0 };

	if (access(KERNEL_BTF, R_OK)) {
		bench_skip(b, "types of a kernel: there is no " KERNEL_BTF);
		return;
	}
	snprintf(command, sizeof(command), "'%s/slabfuzz' types --btf " KERNEL_BTF
		 " >/dev/null 2>&1", b->folder);
	for (unsigned int r = 0; r < b->rounds; r++) {
		uint64_t start = bench_now_wall();
		int status = system(command);

		if (status) {
			bench_skip(b, "types of a kernel: slabfuzz types exits with %d",
				   WEXITSTATUS(status));
			return;
		}
		series_add(&s, (double)(bench_now_wall() - start) / 1e9);
	}
	bench_add(b, BENCH_RATIO, "types_of_a_kernel", &s, 1.0, "s");
}

void bench_isolation(struct bench *b)
{
	bench_choice(b);
	for (int i = 0; sf_allocators[i]; i++)
		bench_oracles(b, sf_allocators[i], "isolation", of_isolation, 1.30);
	bench_types(b);
}
