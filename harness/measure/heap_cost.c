// SPDX-License-Identifier: MIT
/*
 * heap_cost.c - heap_cost.h: a socket that operations go through, and a process that makes the
 * calls. What that process keeps itself lies in shared memory, which is not counted.
 */
#include "heap_cost.h"

#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../exec/exec.h"

#define BATCH 512u
#define RESULTS_MAX (1u << 28) /* room for so many at once, touched as they come */
#define LOOK_EVERY 8192u       /* operations without a new maximum */
#define TIMES 3u               /* runs of which the middle one's time is taken */
#define LONG 5000000000ull     /* ns of one that is enough alone */
#define PATIENCE 60u           /* seconds for a batch */

const char *const sf_held_names[SF_HELD_COUNT] = {
#define X(id, name, doc) name,
	SF_HELD(X)
#undef X
};

/* What the process says in the end. */
struct report {
	struct sf_heap_cost cost;
	uint64_t ns;
	struct sf_error error; /* "": none */
};

/* --- the process --- */

struct slot {
	uint64_t addr; /* 0: there is no object */
	uint64_t size;
};

struct shop {
	const struct sf_allocator *a;
	struct sf_heap *heap;
	bool memory;            /* write, look; else time */
	int fd;
	struct slot *slot;
	uint32_t nr_slots;      /* used so far */
	uint64_t live, looked;  /* bytes; at the last look */
	uint64_t base, least, farthest; /* resident at first; addresses of objects */
	uint64_t since;         /* operations since the last look */
	uint64_t own;           /* what the adapter had then */
	struct report *report;
};

/*
 * What is anonymous, private and resident, but for what is this program's and grows as it goes. The
 * counters of /proc/self/status may be off by some dozen pages for each CPU: these are not.
 */
static uint64_t resident(struct shop *s)
{
	uint64_t own = s->a->own_bytes ? s->a->own_bytes(s->heap) : 0;
	char text[4096];
	const char *at;
	FILE *f;
	size_t n;

	/* What it let go of when it grew. */
	if (own != s->own)
		malloc_trim(0);
	s->own = own;
	f = fopen("/proc/self/smaps_rollup", "re");
	if (!f)
		return 0;
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = '\0';
	at = strstr(text, "\nAnonymous:");
	return at ? strtoull(at + 11, NULL, 10) * 1024 - own : 0;
}

static uint64_t held(struct shop *s)
{
	uint64_t now;

	if (s->report->cost.held == SF_HELD_BLOCK)
		return s->farthest > s->least ? s->farthest - s->least : 0;
	now = resident(s);
	return now > s->base ? now - s->base : 0;
}

/* A new maximum by a hundredth and more, or long ago: to look takes some time. */
static void look(struct shop *s)
{
	struct sf_heap_cost *c = &s->report->cost;
	uint64_t now;

	if (c->held == SF_HELD_PAGES)
		return;
	if (s->live <= s->looked + s->looked / 64 && s->since < LOOK_EVERY)
		return;
	s->since = 0;
	if (s->live > s->looked)
		s->looked = s->live;
	now = held(s);
	if (now > c->peak_held)
		c->peak_held = now;
}

static void came(struct shop *s, struct slot *o, const struct sf_op *op, uint64_t addr,
		 uint64_t size)
{
	struct sf_heap_cost *c = &s->report->cost;

	if (op->res >= s->nr_slots)
		s->nr_slots = op->res + 1;
	*o = (struct slot){ addr, size };
	if (addr + size > s->farthest)
		s->farthest = addr + size;
	s->live += size;
	if (s->live > c->peak_live)
		c->peak_live = s->live;
	if (s->memory && size && s->a->caps & SF_CAP_CONTENTS)
		s->a->fill(s->heap, addr, size, addr, SF_CONTENTS_WHOLE);
}

static bool is_kernels(const struct sf_op *op)
{
	return !(sf_exec_needs(op->code) & SF_CAP_MALLOC);
}

static struct sf_request request(const struct sf_op *op)
{
	static const uint8_t calls[][2] = {
		{ SF_OP_CALLOC, SF_CALL_CALLOC },
		{ SF_OP_REALLOC, SF_CALL_REALLOC },
		{ SF_OP_REALLOCARRAY, SF_CALL_REALLOCARRAY },
		{ SF_OP_ALIGNED_ALLOC, SF_CALL_ALIGNED_ALLOC },
		{ SF_OP_POSIX_MEMALIGN, SF_CALL_POSIX_MEMALIGN },
		{ SF_OP_MEMALIGN, SF_CALL_MEMALIGN },
	};
	unsigned int flags = sf_op_table[op->code].flags;
	bool kv = sf_op_table[op->code].res == SF_RES_KV;
	struct sf_request rq = { .n = 1, .size = op->size, .align = op->align, .bucket = SF_NONE,
				 .gfp = op->gfp, .call = SF_CALL_MALLOC };

	if (flags & SF_OPF_ARRAY)
		rq.n = op->n;
	rq.array = flags & SF_OPF_ARRAY;
	if (is_kernels(op)) {
		rq.api = kv ? SF_API_KVMALLOC : SF_API_KMALLOC;
		rq.call = SF_CALL_NONE;
		rq.gfp |= flags & SF_OPF_ZERO ? SF_GFP_ZERO : 0;
		return rq;
	}
	rq.api = SF_API_FOREIGN;
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (calls[i][0] == op->code)
			rq.call = calls[i][1];
	return rq;
}

static void give_back(struct shop *s, struct slot *o, enum sf_free_how how)
{
	struct sf_free_request rq = { .addr = o->addr, .call = SF_CALL_FREE };
	struct sf_result rs = { .status = SF_OK };

	if (how == SF_FREE_USER && s->a->user_free)
		s->a->user_free(s->heap, &rq, &rs);
	else
		s->a->free(s->heap, o->addr, how, &rs);
	s->live -= o->size;
	*o = (struct slot){ 0 };
}

static void do_free(struct shop *s, const struct sf_op *op)
{
	struct slot none = { 0 }, *o = op->obj == SF_NONE ? &none : &s->slot[op->obj];

	/* It never came. */
	if (op->obj != SF_NONE && !o->addr) {
		s->report->cost.skipped++;
		return;
	}
	s->report->cost.operations++;
	give_back(s, o, !is_kernels(op) ? SF_FREE_USER :
			op->code == SF_OP_KVFREE ? SF_KVFREE : SF_KFREE);
}

static void do_alloc(struct shop *s, const struct sf_op *op)
{
	struct sf_request rq = request(op);
	struct sf_result rs = { .status = SF_NULL };

	s->report->cost.operations++;
	s->a->alloc(s->heap, &rq, &rs);
	s->slot[op->res] = (struct slot){ 0 };
	if (rs.addr)
		came(s, &s->slot[op->res], op, rs.addr, rq.n * rq.size);
	else
		s->report->cost.failures++;
}

static void do_realloc(struct shop *s, const struct sf_op *op)
{
	struct slot was = { 0 };
	struct sf_request rq = request(op);
	struct sf_result rs = { .status = SF_NULL };

	if (op->obj != SF_NONE)
		was = s->slot[op->obj];
	s->report->cost.operations++;
	s->a->realloc(s->heap, was.addr, &rq, &rs);
	if (op->obj != SF_NONE)
		s->slot[op->obj] = (struct slot){ 0 };
	if (rs.addr || rs.status == SF_FREED) {
		s->live -= was.size;
		s->slot[op->res] = (struct slot){ 0 };
		if (rs.addr)
			came(s, &s->slot[op->res], op, rs.addr, rq.n * rq.size);
		return;
	}
	s->report->cost.failures++;
	/* It is as it was, under its new name. */
	s->slot[op->res] = was;
}

static void do_op(struct shop *s, const struct sf_op *op)
{
	bool can = !(sf_exec_needs(op->code) & ~s->a->caps);
	unsigned int flags = sf_op_table[op->code].flags;

	if (op->code == SF_OP_THREAD) {
		/* No call. To hand over to another thread takes longer than what is timed. */
		if (can && s->memory)
			s->a->set_thread(s->heap, op->cpu);
	} else if (!can) {
		s->report->cost.skipped++;
		if (op->res != SF_NONE)
			s->slot[op->res] = (struct slot){ 0 };
	} else if (op->code == SF_OP_CPU) {
		s->a->set_cpu(s->heap, op->cpu);
	} else if (flags & SF_OPF_FREES) {
		do_free(s, op);
	} else if (flags & SF_OPF_MOVES) {
		do_realloc(s, op);
	} else if (op->res != SF_NONE) {
		do_alloc(s, op);
	}
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void do_batch(struct shop *s, const struct sf_op *op, uint32_t nr)
{
	uint64_t start;

	if (s->memory) {
		for (uint32_t i = 0; i < nr; i++) {
			do_op(s, &op[i]);
			s->since++;
			look(s);
		}
		return;
	}
	start = now_ns();
	for (uint32_t i = 0; i < nr; i++)
		do_op(s, &op[i]);
	s->report->ns += now_ns() - start;
}

static bool read_all(int fd, void *to, size_t len)
{
	while (len) {
		ssize_t n = read(fd, to, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		to = (char *)to + n;
		len -= (size_t)n;
	}
	return true;
}

static void finish(struct shop *s)
{
	bool user = s->a->caps & SF_CAP_MALLOC;
	struct sf_heap_cost *c = &s->report->cost;

	if (!s->memory)
		return;
	s->since = LOOK_EVERY;
	look(s);
	for (uint32_t i = 0; i < s->nr_slots; i++)
		if (s->slot[i].addr)
			give_back(s, &s->slot[i], user ? SF_FREE_USER : SF_KVFREE);
	if (c->held == SF_HELD_RESIDENT)
		c->end_held = held(s);
}

/* In the process of its own; the report is shared. */
static void serve(struct shop *s, const struct sf_settings *set)
{
	static struct sf_op op[BATCH];
	uint64_t block = 0;
	uint32_t nr;

	s->heap = s->a->create(s->a, set, NULL, &s->report->error);
	if (!s->heap)
		return;
	if (s->a->heap_addr)
		block = s->a->heap_addr(s->heap, 0, 0);
	s->least = block;
	s->report->cost.held = !(s->a->caps & SF_CAP_MALLOC) ? SF_HELD_PAGES :
			       block ? SF_HELD_BLOCK : SF_HELD_RESIDENT;
	memset(op, 0, sizeof(op));
	/* What it has from before, and is free, would not be counted when it is used again. */
	if (s->a->caps & SF_CAP_TRIM)
		s->a->trim(s->heap, 0);
	malloc_trim(0);
	resident(s);
	s->base = resident(s);
	while (read_all(s->fd, &nr, sizeof(nr)) && nr) {
		alarm(PATIENCE);
		if (nr > BATCH || !read_all(s->fd, op, nr * sizeof(*op)))
			return;
		do_batch(s, op, nr);
	}
	finish(s);
}

/* --- this side --- */

struct link {
	int fd;
	struct sf_op op[BATCH];
	uint32_t nr;
};

static bool send_all(int fd, const void *from, size_t len)
{
	while (len) {
		ssize_t n = send(fd, from, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		from = (const char *)from + n;
		len -= (size_t)n;
	}
	return true;
}

static bool flush_ops(struct link *l)
{
	uint32_t nr = l->nr;

	l->nr = 0;
	return !nr || (send_all(l->fd, &nr, sizeof(nr)) &&
		       send_all(l->fd, l->op, nr * sizeof(*l->op)));
}

static bool take_op(void *ctx, const struct sf_op *op)
{
	struct link *l = ctx;

	l->op[l->nr++] = *op;
	return l->nr < BATCH || flush_ops(l);
}

static int say(struct sf_error *err, const char *what)
{
	snprintf(err->text, sizeof(err->text), "%s", what);
	return -1;
}

static int died(const struct report *r, int status, struct sf_error *err)
{
	const char *why = WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "exit";
	bool slow = WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM;

	snprintf(err->text, sizeof(err->text), "the process died after %" PRIu64 " operations "
		 "(%s): run says more", r->cost.operations + r->cost.skipped,
		 slow ? "took too long" : why);
	return -1;
}

static int run_once(const struct sf_heap_cost_options *opt, bool memory, struct report *r,
		    struct slot *slot, struct sf_error *err)
{
	struct shop shop = { .a = opt->allocator, .memory = memory, .slot = slot, .report = r };
	struct link l = { .nr = 0 };
	const uint32_t nothing = 0;
	int fd[2], fed, status;
	pid_t pid;

	memset(r, 0, sizeof(*r));
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd))
		return say(err, strerror(errno));
	fflush(NULL);
	pid = fork();
	if (pid < 0) {
		close(fd[0]);
		close(fd[1]);
		return say(err, strerror(errno));
	}
	if (!pid) {
		close(fd[0]);
		shop.fd = fd[1];
		serve(&shop, &opt->settings);
		_exit(0);
	}
	close(fd[1]);
	l.fd = fd[0];
	fed = opt->feed(opt->ctx, take_op, &l);
	if (!fed && flush_ops(&l))
		send_all(l.fd, &nothing, sizeof(nothing));
	close(fd[0]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (*r->error.text)
		return say(err, r->error.text);
	return fed ? fed : status ? died(r, status, err) : 0;
}

static int by_time(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static int measure(const struct sf_heap_cost_options *opt, struct sf_heap_cost *out,
		   struct report *r, struct slot *slot, struct sf_error *err)
{
	double ns[TIMES];
	unsigned int done = 0;
	int status = run_once(opt, true, r, slot, err);

	*out = r->cost;
	while (!status && done < TIMES) {
		madvise(slot, RESULTS_MAX * sizeof(*slot), MADV_REMOVE);
		status = run_once(opt, false, r, slot, err);
		ns[done++] = r->cost.operations ? (double)r->ns / (double)r->cost.operations : 0;
		if (r->ns > LONG)
			break;
	}
	if (status)
		return status;
	qsort(ns, done, sizeof(*ns), by_time);
	out->ns = ns[done / 2];
	return 0;
}

int sf_heap_cost_run(const struct sf_heap_cost_options *opt, struct sf_heap_cost *out,
		     struct sf_error *err)
{
	const int prot = PROT_READ | PROT_WRITE;
	const int flags = MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE;
	struct report *r = mmap(NULL, sizeof(*r), prot, flags, -1, 0);
	struct slot *slot = mmap(NULL, RESULTS_MAX * sizeof(*slot), prot, flags, -1, 0);
	int status = -1;

	if (r == MAP_FAILED || slot == MAP_FAILED)
		say(err, strerror(errno));
	else
		status = measure(opt, out, r, slot, err);
	if (r != MAP_FAILED)
		munmap(r, sizeof(*r));
	if (slot != MAP_FAILED)
		munmap(slot, RESULTS_MAX * sizeof(*slot));
	return status;
}
