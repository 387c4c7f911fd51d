// SPDX-License-Identifier: MIT
/*
 * worker.c - worker.h: the judge's side. It puts programs into shared memory, takes events out,
 * watches the clock and the memory of who executes, and makes an event of how that ended. Relies on
 * Linux; of what comes back it believes nothing that wire.c has not read.
 */
#include "worker.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../allocators/base/grow.h"
#include "worker_link.h"

enum {
	BATCH = 64,
	CHUNK = 1 << 16,      /* bytes taken at once: room is given back early */
	SPINS = 200,          /* looks at the ring before sleeping */
	SLEEP_MS = 2,
	STALL_MS = 50,        /* between two looks at the clock more does not count */
	WATCH_MS = 5,         /* between two looks at memory and output */
	SPEAK_MS = 500,       /* who hangs may say where */
	OBEY_MS = 2000,       /* then the whole worker is ended */
	START_MS = 20000,
	CLOSE_MS = 1000,
	TEXT_SHOWN = 1 << 18, /* bytes of its text that are kept, the last ones */
	RESTARTS = 3,         /* in a row, without a program run */
	BUSY_TIMES = 8,       /* the limit of an operation, if it emits events all the time */
};

#define TEXT_BYTES (16ull << 20)

struct sf_worker {
	const struct sf_allocator *allocator;
	struct sf_settings settings;
	struct sf_worker_options opt;

	int pid;                 /* of who watches; 0: there is none */
	int text;                /* memory that its output goes to */
	struct sf_link_in *in;
	struct sf_link_out *out;
	struct sf_link_state *state;

	char *buf;               /* what was taken and is no whole record yet; 8-aligned */
	size_t len, cap;
	uint64_t taken;
	uint32_t nr;             /* of the next record */

	/* The batch in hand. */
	const struct sf_worker_job *jobs;
	uint32_t first, count;   /* of the jobs */
	uint32_t over;           /* of these, are over */
	bool begun;              /* BEGIN of the next one has come */
	uint32_t robbed_at;      /* operation after which descriptors were gone; SF_NONE */
	bool tainted;            /* by the program in hand */
	bool known;              /* the judge has heard of a heap ... */
	struct sf_settings told; /* ... with these settings */

	uint32_t ended;          /* ends that were seen */
	uint8_t why;             /* enum sf_worker_fate: what it was ended for; DONE: nothing */
	uint8_t asked;           /* 1: to speak, 2: to die, 3: all were ended */
	uint64_t asked_ms;
	struct sf_wire_fault fault;
	bool dead;               /* who watches is gone */
	uint64_t warm_bytes;     /* resident before there was a program, the judge's own too */
	uint64_t beat, written;  /* as seen last */
	uint64_t seen_ms, stalled_ms, watched_ms;
	uint64_t busy_ms;        /* with one operation, if it tells of events meanwhile, too */
	unsigned int restarts;
	char *words;             /* its text */
};

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* --- processes --- */

static void *shared(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

static void unmap(struct sf_worker *w)
{
	if (w->in)
		munmap(w->in, sizeof(*w->in));
	if (w->out)
		munmap(w->out, sizeof(*w->out));
	if (w->state)
		munmap(w->state, sizeof(*w->state));
	w->in = NULL;
	w->out = NULL;
	w->state = NULL;
	if (w->text >= 0)
		close(w->text);
	w->text = -1;
}

static void set_guards(struct sf_link_out *out)
{
	out->guard = out->guard_ring = out->guard_end = SF_LINK_GUARD;
}

static bool map(struct sf_worker *w, struct sf_error *err)
{
	w->in = shared(sizeof(*w->in));
	w->out = shared(sizeof(*w->out));
	w->state = shared(sizeof(*w->state));
	w->text = memfd_create("slabfuzz-text", MFD_CLOEXEC);
	if (w->in && w->out && w->state && w->text >= 0 &&
	    !fcntl(w->text, F_SETFL, O_APPEND)) {
		w->in->magic = SF_LINK_MAGIC;
		w->in->version = SF_LINK_VERSION;
		w->in->layout = sf_wire_layout();
		set_guards(w->out);
		return true;
	}
	snprintf(err->text, sizeof(err->text), "a worker has no memory to share: %s",
		 strerror(errno));
	unmap(w);
	return false;
}

/* It has ended, or was never there; its status, or 0. All that it started is ended, too. */
static int bury(struct sf_worker *w)
{
	siginfo_t info;
	int status = 0;

	if (!w->pid)
		return 0;
	/* As long as it is not reaped its number is nobody else's, nor is its group's. */
	while (waitid(P_PID, (id_t)w->pid, &info, WEXITED | WNOWAIT) && errno == EINTR)
		;
	kill(-w->pid, SIGKILL);
	while (waitpid(w->pid, &status, 0) < 0 && errno == EINTR)
		;
	w->pid = 0;
	return status;
}

static int end_all(struct sf_worker *w)
{
	if (w->pid) {
		kill(-w->pid, SIGKILL);
		kill(w->pid, SIGKILL);
	}
	return bury(w);
}

static bool is_dead(const struct sf_worker *w)
{
	siginfo_t info = { .si_pid = 0 };

	return !waitid(P_PID, (id_t)w->pid, &info, WEXITED | WNOHANG | WNOWAIT) && info.si_pid;
}

static bool spawn(struct sf_worker *w, struct sf_error *err)
{
	const struct sf_child_options opt = {
		.allocator = w->allocator,
		.settings = &w->settings,
		.exec = w->opt.exec,
		.fork = w->opt.fork,
		.steps = w->opt.step,
		.steps_said = w->opt.step_said,
		.inside = w->opt.inside,
		.text = w->text,
		.parent = getpid(),
		.in = w->in,
		.out = w->out,
		.state = w->state,
	};

	fflush(NULL); /* or exit() over there would write it again */
	w->pid = fork();
	if (!w->pid)
		sf_child_main(&opt);
	if (w->pid > 0) {
		setpgid(w->pid, w->pid);
		return true;
	}
	snprintf(err->text, sizeof(err->text), "a worker cannot be forked: %s", strerror(errno));
	w->pid = 0;
	return false;
}

/* --- its text --- */

static uint64_t text_size(const struct sf_worker *w)
{
	struct stat st;

	return fstat(w->text, &st) ? 0 : (uint64_t)st.st_size;
}

/* While nobody writes: what a program says that runs ahead of the judge is not to be lost. */
static bool drop_text(const struct sf_worker *w)
{
	return !text_size(w) || !ftruncate(w->text, 0);
}

/* The last of what it wrote, as a string; *len. */
static const char *text_of(struct sf_worker *w, size_t *len)
{
	uint64_t size = text_size(w);
	ssize_t n;

	if (!w->words)
		w->words = sf_grow(NULL, TEXT_SHOWN + 1, 1);
	n = pread(w->text, w->words, TEXT_SHOWN,
		  size > TEXT_SHOWN ? (off_t)(size - TEXT_SHOWN) : 0);
	*len = n > 0 ? (size_t)n : 0;
	w->words[*len] = 0;
	return w->words;
}

/* --- how it ended --- */

static const char *signal_title(int nr)
{
	static char other[40];
	const char *name = sigabbrev_np(nr);

	if (name)
		snprintf(other, sizeof(other), "SIG%s", name);
	else
		snprintf(other, sizeof(other), "signal %d", nr);
	return other;
}

/* Until somebody who reads reports gives a better one. */
static void plain_title(const struct sf_worker_end *end, char title[SF_CRASH_TITLE_MAX])
{
	static const char *const names[] = {
		[SF_FATE_HANG] = "hang",
		[SF_FATE_MEMORY] = "runaway memory",
		[SF_FATE_OUTPUT] = "runaway output",
		[SF_FATE_CLOSED] = "closed descriptors",
		[SF_FATE_SCRIBBLED] = "the worker's own memory was written over",
	};

	if (end->fate == SF_FATE_SIGNAL)
		snprintf(title, SF_CRASH_TITLE_MAX, "%s", signal_title(WTERMSIG(end->status)));
	else if (end->fate == SF_FATE_EXIT)
		snprintf(title, SF_CRASH_TITLE_MAX, "exit(%d)", WEXITSTATUS(end->status));
	else
		snprintf(title, SF_CRASH_TITLE_MAX, "%s", names[end->fate]);
}

static const struct sf_worker_job *job_of(const struct sf_worker *w)
{
	return &w->jobs[w->first + w->over];
}

static const struct sf_op *op_in_hand(const struct sf_worker *w, uint32_t op)
{
	const struct sf_prog *p = job_of(w)->prog;

	return op < p->nr_ops ? &p->ops[op] : NULL;
}

/* An abort that the traits announce, at an operation that they announce it for. */
static bool is_refusal(const struct sf_worker *w, const struct sf_worker_end *end)
{
	const struct sf_op *op = op_in_hand(w, end->op);

	return end->fate == SF_FATE_SIGNAL && WTERMSIG(end->status) == SIGABRT && op &&
	       sf_exec_abort_refuses(sf_traits_of(w->allocator), op, w->tainted);
}

static void emit_crash(struct sf_worker *w, struct sf_worker_end *end)
{
	const struct sf_op *op = op_in_hand(w, end->op);
	struct sf_event ev = { .type = SF_EV_CRASH, .op = end->op };

	if (w->opt.title)
		w->opt.title(w->opt.ctx, end, end->title);
	if (!end->title[0])
		plain_title(end, end->title);
	end->refusal = is_refusal(w, end);
	ev.crash = (struct sf_ev_crash){ .code = op ? op->code : 0, .refusal = end->refusal,
					 .title = end->title };
	w->opt.emit(w->opt.ctx, &ev);
}

/* The program in hand is over. */
static void finish(struct sf_worker *w, struct sf_worker_end *end)
{
	if (end->fate > SF_FATE_NO_HEAP)
		emit_crash(w, end);
	if (w->opt.over)
		w->opt.over(w->opt.ctx, w->first + w->over, end);
	w->over++;
	w->begun = w->tainted = false;
	w->restarts = 0;
}

/* Where it was is a number that may be anything. */
static uint32_t op_when_it_died(const struct sf_worker *w)
{
	uint32_t phase = SF_LINK_LOAD(w->out->phase), op = SF_LINK_LOAD(w->out->op);

	if (!w->begun || phase != SF_LINK_OPS || op >= job_of(w)->prog->nr_ops)
		return SF_NONE;
	return op;
}

/* Whoever executed ended before its work was done. */
static void take_end(struct sf_worker *w, int status)
{
	struct sf_worker_end end = { .fate = w->why, .status = status };

	if (w->why == SF_FATE_DONE)
		end.fate = WIFSIGNALED(status) ? SF_FATE_SIGNAL : SF_FATE_EXIT;
	end.op = end.fate == SF_FATE_CLOSED ? w->robbed_at : op_when_it_died(w);
	end.text = text_of(w, &end.text_len);
	if (end.fate == SF_FATE_SCRIBBLED)
		snprintf(end.why, sizeof(end.why), "%s", w->fault.text);
	w->len = 0;
	w->known = false;
	w->why = SF_FATE_DONE;
	w->asked = 0;
	finish(w, &end);
}

/* --- records --- */

static void take_step(struct sf_worker *w, const struct sf_wire_head *head)
{
	const struct sf_link_step *in = sf_wire_control_payload(head, sizeof(*in));
	struct sf_worker_step step;

	if (!in || !w->opt.step || head->op >= job_of(w)->prog->nr_ops)
		return;
	step = (struct sf_worker_step){ .op = head->op, .no_cap = in->no_cap, .live = in->live,
					 .said = in->said != 0 };
	step.outcome = (struct sf_outcome){ .status = in->status, .addr = in->addr,
					    .skipped = in->skipped != 0, .ret = in->ret };
	w->opt.step(w->opt.ctx, &step);
}

static bool guarded(const struct sf_worker *w)
{
	const struct sf_link_out *out = w->out;

	return out->guard == SF_LINK_GUARD && out->guard_ring == SF_LINK_GUARD &&
	       out->guard_end == SF_LINK_GUARD;
}

static bool take_done(struct sf_worker *w, const struct sf_wire_head *head)
{
	const struct sf_link_done *in = sf_wire_control_payload(head, sizeof(*in));
	struct sf_worker_end end = { .fate = SF_FATE_DONE, .op = SF_NONE, .text = "" };

	if (!in || !w->begun || !guarded(w))
		return false;
	end.counts.live = in->live;
	end.counts.ops = in->ops;
	memcpy(end.counts.skipped, in->skipped, sizeof(in->skipped));
	if (in->robbed) {
		/* It ends by itself: that is when the program is over. */
		w->why = SF_FATE_CLOSED;
		w->robbed_at = head->op < job_of(w)->prog->nr_ops ? head->op : SF_NONE;
		return true;
	}
	finish(w, &end);
	return true;
}

static bool take_no_heap(struct sf_worker *w, const struct sf_wire_head *head)
{
	const struct sf_error *in = sf_wire_control_payload(head, sizeof(*in));
	struct sf_worker_end end = { .fate = SF_FATE_NO_HEAP, .op = SF_NONE, .text = "" };

	if (!in || !w->begun)
		return false;
	snprintf(end.why, sizeof(end.why), "%.*s", (int)sizeof(in->text) - 1, in->text);
	w->known = false;
	finish(w, &end);
	return true;
}

static bool take_begin(struct sf_worker *w, const struct sf_wire_head *head)
{
	const uint32_t *index = sf_wire_control_payload(head, sizeof(*index));

	if (!index || *index != w->over || w->begun || w->over == w->count)
		return false;
	w->begun = true;
	return true;
}

static bool take_event(struct sf_worker *w, const void *record)
{
	struct sf_event ev;

	if (!sf_wire_read(record, &ev, &w->fault))
		return false;
	if (ev.type == SF_EV_HEAP) {
		w->known = true;
		w->told = *ev.heap.settings;
	} else if (ev.type == SF_EV_TAINT) {
		w->tainted = true;
	}
	w->opt.emit(w->opt.ctx, &ev);
	return true;
}

static bool take_record(struct sf_worker *w, const void *record)
{
	const struct sf_wire_head *head = record;
	bool fine = true;

	switch (head->type) {
	case SF_LINK_BEGIN:
		fine = take_begin(w, head);
		break;
	case SF_LINK_STEP:
		take_step(w, head);
		break;
	case SF_LINK_DONE:
		fine = take_done(w, head);
		break;
	case SF_LINK_NO_HEAP:
		fine = take_no_heap(w, head);
		break;
	default:
		return take_event(w, record);
	}
	if (!fine)
		snprintf(w->fault.text, sizeof(w->fault.text),
			 guarded(w) ? "record %u: of type %u, in the wrong place" :
			 "by record %u (type %u) what guards it had changed", head->nr, head->type);
	return fine;
}

/* All whole records in the buffer. False: one was refused. */
static bool take_records(struct sf_worker *w)
{
	size_t at = 0;
	int64_t n = 0;

	while (w->why != SF_FATE_SCRIBBLED) {
		n = sf_wire_frame(w->buf + at, w->len - at, w->nr, &w->fault);
		if (n <= 0)
			break;
		w->nr++;
		if (!take_record(w, w->buf + at))
			n = -1;
		if (n < 0)
			break;
		at += (size_t)n;
	}
	if (n < 0)
		return false;
	w->len -= at;
	if (at)
		memmove(w->buf, w->buf + at, w->len);
	return true;
}

static void let_go_on(struct sf_worker *w)
{
	SF_LINK_STORE(w->in->taken, w->taken);
	SF_LINK_FENCE();
	if (!SF_LINK_LOAD(w->out->sleeps))
		return;
	SF_LINK_STORE(w->in->room, w->in->room + 1);
	sf_futex_wake(&w->in->room);
}

/* Bytes that are there to be taken. More than the ring holds: refused. */
static bool waiting(struct sf_worker *w, uint64_t *bytes)
{
	*bytes = SF_LINK_LOAD(w->out->written) - w->taken;
	if (*bytes <= SF_LINK_RING)
		return true;
	snprintf(w->fault.text, sizeof(w->fault.text), "%llu bytes in a ring of %u",
		 (unsigned long long)*bytes, SF_LINK_RING);
	return false;
}

/* Takes what is there, at most a chunk. False: it was refused. */
static bool take_chunk(struct sf_worker *w, bool *any)
{
	uint32_t at = w->taken % SF_LINK_RING;
	uint64_t n;

	*any = false;
	if (!waiting(w, &n))
		return false;
	if (!n)
		return true;
	*any = true;
	if (n > CHUNK)
		n = CHUNK;
	if (n > SF_LINK_RING - at)
		n = SF_LINK_RING - at;
	if (w->cap < w->len + n) {
		w->cap = 2 * (w->len + n);
		w->buf = sf_grow(w->buf, w->cap, 1);
	}
	memcpy(w->buf + w->len, w->out->ring + at, n);
	w->len += n;
	w->taken += n;
	let_go_on(w);
	return take_records(w);
}

/* --- watching --- */

static void ask_to_end(struct sf_worker *w, enum sf_worker_fate why, uint64_t now)
{
	if (w->why != SF_FATE_DONE)
		return;
	w->why = (uint8_t)why;
	w->asked = why == SF_FATE_HANG ? 1 : 2;
	w->asked_ms = now;
	kill(w->pid, w->asked == 1 ? SIGUSR1 : SIGUSR2);
}

/* All of the batch was executed, so nobody's end will be told. */
static bool nobody_executes(const struct sf_worker *w)
{
	return SF_LINK_LOAD(w->state->finished) == w->in->batch;
}

static void insist(struct sf_worker *w, uint64_t now)
{
	if (w->asked == 1 && now - w->asked_ms > SPEAK_MS) {
		w->asked = 2;
		kill(w->pid, SIGUSR2);
	} else if (w->asked == 2 && (now - w->asked_ms > OBEY_MS || nobody_executes(w))) {
		w->asked = 3;
		kill(-w->pid, SIGKILL);
	}
}

static uint64_t resident(int pid)
{
	unsigned long long size, pages = 0;
	char path[40];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/statm", pid);
	f = pid ? fopen(path, "re") : NULL;
	if (!f)
		return 0;
	if (fscanf(f, "%llu %llu", &size, &pages) != 2)
		pages = 0;
	fclose(f);
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* Looks at clock, memory and output, if it is time. */
static void watch(struct sf_worker *w)
{
	uint64_t now = now_ms(), beat = SF_LINK_LOAD(w->out->beat);
	uint64_t written = SF_LINK_LOAD(w->out->written);

	/* A while in which this process was stopped says nothing of the other one. */
	w->stalled_ms += now - w->seen_ms < STALL_MS ? now - w->seen_ms : STALL_MS;
	w->busy_ms += now - w->seen_ms < STALL_MS ? now - w->seen_ms : STALL_MS;
	if (beat != w->beat)
		w->busy_ms = 0;
	if (beat != w->beat || written != w->written) {
		w->beat = beat;
		w->written = written;
		w->stalled_ms = 0;
	}
	/* Events are judged meanwhile, which takes its time; but there is an end of them. */
	if (w->opt.timeout_ms && (w->stalled_ms > w->opt.timeout_ms ||
				  w->busy_ms / BUSY_TIMES > w->opt.timeout_ms))
		ask_to_end(w, SF_FATE_HANG, now);
	w->seen_ms = now;
	insist(w, now);
	if (now - w->watched_ms < WATCH_MS)
		return;
	w->watched_ms = now;
	w->dead = is_dead(w);
	if (w->opt.memory_bytes &&
	    resident(SF_LINK_LOAD(w->state->runner)) > w->opt.memory_bytes + w->warm_bytes)
		ask_to_end(w, SF_FATE_MEMORY, now);
	if (text_size(w) > (w->opt.text_bytes ? w->opt.text_bytes : TEXT_BYTES))
		ask_to_end(w, SF_FATE_OUTPUT, now);
}

static bool news(const struct sf_worker *w)
{
	return SF_LINK_LOAD(w->out->written) != w->taken ||
	       SF_LINK_LOAD(w->state->ended) != w->ended;
}

static inline void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#endif
}

/* Until something has come, or for a short while. */
static void wait_for_news(struct sf_worker *w)
{
	uint32_t bell;

	for (int i = 0; i < SPINS; i++) {
		if (news(w))
			return;
		relax();
	}
	bell = SF_LINK_LOAD(w->out->bell);
	SF_LINK_STORE(w->in->sleeps, 1);
	SF_LINK_FENCE();
	if (!news(w))
		sf_futex_wait(&w->out->bell, bell, SLEEP_MS);
	SF_LINK_STORE(w->in->sleeps, 0);
}

/* --- a batch --- */

/* Bytes that it takes of the `room` there; 0: it does not fit. */
static size_t put_program(uint8_t *to, size_t room, const struct sf_worker_job *job, bool tell)
{
	struct sf_link_program *p = (void *)to;
	size_t name_len = job->name ? strlen(job->name) + 1 : 0;
	size_t head = sizeof(*p) + name_len, len, bytes;

	if (!to || room <= head)
		return 0;
	len = sf_bytes_encode(job->prog, to + head, room - head);
	bytes = (head + len + 7) & ~(size_t)7;
	if (bytes > room)
		return 0;
	*p = (struct sf_link_program){
		.bytes = (uint32_t)bytes, .nr_ops = job->prog->nr_ops, .tell = tell,
		.name_len = (uint32_t)name_len, .prog_len = (uint32_t)len,
		.settings = job->settings ? *job->settings : job->prog->settings,
	};
	if (name_len)
		memcpy(p + 1, job->name, name_len);
	return bytes;
}

/* As many as fit, from jobs[first] on. */
static bool fill(struct sf_worker *w, uint32_t first, uint32_t nr, struct sf_error *err)
{
	uint32_t most = w->opt.batch ? w->opt.batch : BATCH;
	bool known = w->known;
	size_t used = 0;

	w->first = first;
	w->count = w->over = 0;
	w->begun = w->tainted = false;
	for (; first + w->count < nr && w->count < most; w->count++) {
		const struct sf_worker_job *job = &w->jobs[first + w->count];
		const struct sf_settings *set = job->settings ? job->settings :
								&job->prog->settings;
		size_t bytes = put_program(w->in->data + used, SF_LINK_IN - used, job,
					   !known || memcmp(set, &w->told, sizeof(*set)) != 0);

		if (!bytes)
			break;
		known = true;
		w->told = *set;
		used += bytes;
	}
	if (w->count)
		return true;
	snprintf(err->text, sizeof(err->text), "a program of %u operations is too long for a "
		 "worker", w->jobs[first].prog->nr_ops);
	return false;
}

static void post(struct sf_worker *w)
{
	drop_text(w);
	w->in->programs = w->count;
	w->seen_ms = now_ms();
	w->stalled_ms = w->busy_ms = 0;
	SF_LINK_STORE(w->in->batch, w->in->batch + 1);
	sf_futex_wake(&w->in->batch);
}

static struct sf_link_program *program_of(struct sf_worker *w, uint32_t nr)
{
	uint8_t *at = w->in->data;

	while (nr--)
		at += ((struct sf_link_program *)(void *)at)->bytes;
	return (void *)at;
}

/* The end has been seen: those that are left are to be run. */
static void acknowledge(struct sf_worker *w)
{
	struct sf_link_in *in = w->in;

	/* Nobody writes there now: what was written over is as it should be again. */
	drop_text(w);
	set_guards(w->out);
	SF_LINK_STORE(w->out->written, w->taken);
	/* What the one before it should have told, the judge may not have heard. */
	if (w->over < w->count)
		program_of(w, w->over)->tell = 1;
	w->nr = 0;
	w->len = 0;
	in->ack_batch = in->batch;
	in->ack_from = w->over;
	in->ack_to = w->count;
	in->ack_nr = w->nr;
	SF_LINK_STORE(in->taken, w->taken);
	w->seen_ms = now_ms();
	w->stalled_ms = w->busy_ms = 0;
	SF_LINK_STORE(in->ack, w->ended);
	sf_futex_wake(&in->ack);
}

/* Between two programs, which is none's fault: the next one is run all the same, if it can be. */
static bool died_idle(struct sf_worker *w)
{
	return !w->begun && w->why == SF_FATE_DONE &&
	       SF_LINK_LOAD(w->out->phase) == SF_LINK_IDLE && w->restarts++ < RESTARTS;
}

/* Who wrote writes no more: what is whole is taken, what is not is lost. */
static void take_rest(struct sf_worker *w)
{
	bool any = true;

	while (any && w->why != SF_FATE_SCRIBBLED)
		if (!take_chunk(w, &any))
			w->why = SF_FATE_SCRIBBLED;
}

/* False: it could not even be forked. */
static bool see_end(struct sf_worker *w, struct sf_error *err)
{
	w->ended = SF_LINK_LOAD(w->state->ended);
	take_rest(w);
	if (w->state->status == -1) {
		*err = w->state->error;
		return false;
	}
	if (w->over < w->count && !died_idle(w))
		take_end(w, w->state->status);
	acknowledge(w);
	return true;
}

/* The watching process is gone, by our hand or another's: so is the program in hand. */
static void see_death(struct sf_worker *w)
{
	int status = bury(w);

	w->dead = false;
	take_rest(w);
	if (w->over < w->count && !died_idle(w))
		take_end(w, status);
	unmap(w);
}

/* Until all of the batch are over, or the worker is gone. False: err is set. */
static bool pump(struct sf_worker *w, struct sf_error *err)
{
	bool any;

	while (w->over < w->count) {
		if (w->why != SF_FATE_SCRIBBLED && !take_chunk(w, &any)) {
			ask_to_end(w, SF_FATE_SCRIBBLED, now_ms());
			w->why = SF_FATE_SCRIBBLED;
		}
		if (w->over == w->count)
			break;
		if (SF_LINK_LOAD(w->state->ended) != w->ended) {
			if (!see_end(w, err))
				return false;
			continue;
		}
		if (w->why == SF_FATE_SCRIBBLED || !any)
			wait_for_news(w);
		watch(w);
		if (w->dead) {
			see_death(w);
			return true;
		}
	}
	return true;
}

/* --- opening --- */

static bool start_failed(struct sf_worker *w, int status, struct sf_error *err)
{
	size_t len;
	const char *text = text_of(w, &len);

	if (w->why == SF_FATE_HANG)
		snprintf(err->text, sizeof(err->text), "the worker does not start");
	else if (WIFSIGNALED(status))
		snprintf(err->text, sizeof(err->text), "the worker dies as it starts: %s: %.120s",
			 signal_title(WTERMSIG(status)), text);
	else
		snprintf(err->text, sizeof(err->text), "the worker ends as it starts: %.140s",
			 text);
	err->text[strcspn(err->text, "\n")] = 0;
	return false;
}

/* It is ready, and what its heap emitted has been passed on. */
static bool wait_for_start(struct sf_worker *w, struct sf_error *err)
{
	uint64_t start = now_ms();
	/* Little patience with operations is none with a machine that is busy. */
	uint64_t patience = w->opt.timeout_ms > START_MS ? w->opt.timeout_ms : START_MS;
	bool any = true;

	while (SF_LINK_LOAD(w->state->ready) == SF_LINK_STARTS) {
		if (is_dead(w))
			return start_failed(w, bury(w), err);
		if (now_ms() - start > patience) {
			w->why = SF_FATE_HANG;
			return start_failed(w, end_all(w), err);
		}
		wait_for_news(w);
		if (!take_chunk(w, &any))
			break;
	}
	while (any)
		if (!take_chunk(w, &any))
			return snprintf(err->text, sizeof(err->text), "the worker's first words "
					"are none: %s", w->fault.text), false;
	if (SF_LINK_LOAD(w->state->ready) == SF_LINK_REFUSED) {
		*err = w->state->error;
		return false;
	}
	return true;
}

static bool start(struct sf_worker *w, struct sf_error *err)
{
	w->len = 0;
	w->taken = w->written = w->beat = 0;
	w->nr = w->ended = 0;
	w->why = SF_FATE_DONE;
	w->asked = 0;
	w->known = false;
	w->count = w->over = 0;
	if (map(w, err) && spawn(w, err) && wait_for_start(w, err)) {
		w->warm_bytes = resident(w->pid);
		return true;
	}
	end_all(w);
	unmap(w);
	return false;
}

struct sf_worker *sf_worker_open(const struct sf_allocator *a, const struct sf_settings *set,
				 const struct sf_worker_options *opt, struct sf_error *err)
{
	struct sf_worker *w = sf_zalloc(1, sizeof(*w));

	w->allocator = a;
	w->settings = *set;
	w->opt = *opt;
	w->text = -1;
	if (start(w, err))
		return w;
	sf_worker_close(w);
	return NULL;
}

/* There is a worker. */
static bool have_worker(struct sf_worker *w, struct sf_error *err)
{
	if (w->pid && is_dead(w))
		see_death(w);
	if (w->pid)
		return true;
	if (w->restarts++ == RESTARTS) {
		snprintf(err->text, sizeof(err->text), "the worker died %d times in a row without "
			 "running a program", RESTARTS);
		return false;
	}
	return start(w, err);
}

bool sf_worker_run(struct sf_worker *w, const struct sf_worker_job *jobs, uint32_t nr,
		   struct sf_error *err)
{
	w->jobs = jobs;
	for (uint32_t next = 0; next < nr; next += w->over) {
		if (!have_worker(w, err) || !fill(w, next, nr, err))
			return false;
		post(w);
		if (!pump(w, err))
			return false;
	}
	w->count = w->over = 0;
	return true;
}

static void leave(struct sf_worker *w)
{
	uint64_t start = now_ms();

	SF_LINK_STORE(w->in->quit, 1);
	sf_futex_wake(&w->in->batch);
	sf_futex_wake(&w->in->ack);
	while (!is_dead(w) && now_ms() - start < CLOSE_MS) {
		const struct timespec ts = { .tv_nsec = 200000 };

		nanosleep(&ts, NULL);
	}
	end_all(w);
}

void sf_worker_close(struct sf_worker *w)
{
	if (!w)
		return;
	if (w->pid)
		leave(w);
	unmap(w);
	free(w->buf);
	free(w->words);
	free(w);
}
