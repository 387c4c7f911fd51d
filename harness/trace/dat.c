// SPDX-License-Identifier: MIT
/*
 * dat.c - trace.dat, decoded in a process of its own.
 *
 * libtracecmd crashes on some broken files. Crash, hang and chatter stay in the child: here they
 * are an error message. The child sends records over a pipe; reading again starts another child.
 * Relies on tracecmd.c; trace.c relies on it.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "private.h"

#ifdef SF_HAVE_TRACECMD

#ifdef __has_feature
#define HAS_ASAN __has_feature(address_sanitizer)
#elif defined(__SANITIZE_ADDRESS__)
#define HAS_ASAN 1
#else
#define HAS_ASAN 0
#endif

#define TEXT_MAX 255u            /* a task, a call site, a cache */
#define BUF_SIZE (64u << 10)
#define SILENCE_SECONDS_MAX 120  /* between records: then it hangs */
#define CHILD_BYTES_MAX (8ull << 30)

enum message {
	MSG_OPEN,   /* the file is open */
	MSG_RECORD, /* followed by its three strings */
	MSG_END,    /* followed by what was heard */
	MSG_ERROR,  /* followed by its text */
};

/* What goes through the pipe. Same program on both ends: a plain struct will do. */
struct wire {
	uint8_t msg; /* enum message */
	uint8_t comm_len, site_len, cache_len;
	struct sf_trace_record rec; /* its pointers mean nothing */
	struct sf_tr_notes notes;   /* so far; its pointer means nothing */
};

struct sf_dat {
	char *name;
	int file, pipe; /* pipe -1: nobody runs */
	pid_t pid;
	bool fresh;     /* the child has sent no record yet */
	uint32_t page_size;
	size_t pos, len;
	char buf[BUF_SIZE];
	char comm[TEXT_MAX + 1], site[TEXT_MAX + 1], cache[TEXT_MAX + 1];
};

/* ---- the child ---- */

static void send_bytes(FILE *out, const void *data, size_t len)
{
	/* Nobody listens any more: nothing is left to do. */
	if (len && fwrite(data, 1, len, out) != len)
		_exit(1);
}

static uint8_t text_len(const char *s)
{
	size_t n = s ? strlen(s) : 0;

	return (uint8_t)(n < TEXT_MAX ? n : TEXT_MAX);
}

static void send_record(FILE *out, const struct sf_trace_record *rec,
			const struct sf_tr_notes *notes)
{
	struct wire w;

	memset(&w, 0, sizeof(w));
	w.msg = MSG_RECORD;
	w.comm_len = text_len(rec->comm);
	w.site_len = text_len(rec->site);
	w.cache_len = text_len(rec->cache);
	w.rec = *rec;
	w.notes = *notes;
	send_bytes(out, &w, sizeof(w));
	send_bytes(out, rec->comm, w.comm_len);
	send_bytes(out, rec->site, w.site_len);
	send_bytes(out, rec->cache, w.cache_len);
}

static void send_plain(FILE *out, enum message msg, const struct sf_tr_notes *notes)
{
	struct wire w;

	memset(&w, 0, sizeof(w));
	w.msg = (uint8_t)msg;
	w.notes = *notes;
	send_bytes(out, &w, sizeof(w));
}

static void send_all(FILE *out, int file, const char *name)
{
	static struct sf_tr_heard heard;
	struct sf_tr_notes notes = { .heard = &heard };
	struct sf_trace_record rec;
	struct sf_error err = { "" };
	struct sf_tcmd *d = sf_tcmd_open(file, name, &err);
	int r = -1;

	if (d) {
		send_plain(out, MSG_OPEN, &notes);
		while ((r = sf_tcmd_read(d, &rec, &notes, &err)) > 0)
			send_record(out, &rec, &notes);
	}
	send_plain(out, r < 0 ? MSG_ERROR : MSG_END, &notes);
	if (r < 0)
		send_bytes(out, &err, sizeof(err));
	else
		send_bytes(out, &heard, sizeof(heard));
	if (fflush(out))
		_exit(1);
}

/*
 * Under AddressSanitizer, whose shadow counts as data: so much more than is mapped already. Less
 * than what a fuzzing engine lets anybody allocate, because it would take that for a find.
 */
static void limit_more(uint64_t more)
{
	unsigned long long pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");
	struct rlimit space;

	if (!f)
		return;
	if (fscanf(f, "%llu", &pages) == 1) {
		space.rlim_cur = space.rlim_max = pages * (rlim_t)sysconf(_SC_PAGESIZE) + more;
		setrlimit(RLIMIT_AS, &space);
	}
	fclose(f);
}

/* Without limits one broken length field could take the machine's memory. */
static void limit(void)
{
	const struct rlimit none = { 0, 0 };
	const struct rlimit data = { CHILD_BYTES_MAX, CHILD_BYTES_MAX };

	if (HAS_ASAN)
		limit_more(CHILD_BYTES_MAX / 8);
	else
		setrlimit(RLIMIT_DATA, &data);
	setrlimit(RLIMIT_CORE, &none);
}

/* Of sanitizers, where they are: what to call before a process dies. */
void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

/* A fuzzing engine would take the child's crash for one of its own. */
static void quiet(void)
{
	static const int signals[] = { SIGPIPE, SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGALRM };

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		signal(signals[i], SIG_DFL);
	if (__sanitizer_set_death_callback)
		__sanitizer_set_death_callback(NULL);
}

__attribute__((noreturn)) static void child(int file, int to, const char *name)
{
	int null = open("/dev/null", O_RDWR);
	FILE *out = fdopen(to, "w");

	/* The library explains itself on stderr: we do, once. */
	if (null >= 0) {
		dup2(null, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
	}
	quiet();
	limit();
	if (!out || lseek(file, 0, SEEK_SET) < 0)
		_exit(1);
	send_all(out, file, name);
	_exit(0);
}

/* ---- the parent ---- */

static void stop(struct sf_dat *d)
{
	if (d->pipe < 0)
		return;
	close(d->pipe);
	d->pipe = -1;
	kill(d->pid, SIGKILL);
	while (waitpid(d->pid, NULL, 0) < 0 && errno == EINTR)
		;
}

static int fill(struct sf_dat *d, struct sf_error *err)
{
	struct pollfd p = { .fd = d->pipe, .events = POLLIN };
	ssize_t n;
	int r;

	do {
		r = poll(&p, 1, SILENCE_SECONDS_MAX * 1000);
	} while (r < 0 && errno == EINTR);
	if (!r)
		return sf_tr_error(err, d->name, 0, "libtracecmd hangs reading it");
	do {
		n = read(d->pipe, d->buf, sizeof(d->buf));
	} while (n < 0 && errno == EINTR);
	if (n <= 0)
		return sf_tr_error(err, d->name, 0, "libtracecmd crashed reading it: broken");
	d->pos = 0;
	d->len = (size_t)n;
	return 0;
}

static int take(struct sf_dat *d, void *to, size_t len, struct sf_error *err)
{
	char *out = to;

	while (len) {
		size_t n = d->len - d->pos;

		if (!n) {
			if (fill(d, err))
				return -1;
			continue;
		}
		if (n > len)
			n = len;
		memcpy(out, d->buf + d->pos, n);
		d->pos += n;
		out += n;
		len -= n;
	}
	return 0;
}

static int take_text(struct sf_dat *d, char *to, uint8_t len, struct sf_error *err)
{
	to[len] = '\0';
	return take(d, to, len, err);
}

/* Makes a child and waits until it has opened the file. */
static int start(struct sf_dat *d, struct sf_error *err)
{
	struct sf_error said;
	struct wire w;
	int fd[2];

	if (pipe2(fd, O_CLOEXEC))
		return sf_tr_error(err, d->name, 0, "%s", strerror(errno));
	d->pid = fork();
	if (!d->pid) {
		close(fd[0]);
		child(d->file, fd[1], d->name);
	}
	close(fd[1]);
	if (d->pid < 0) {
		close(fd[0]);
		return sf_tr_error(err, d->name, 0, "%s", strerror(errno));
	}
	d->pipe = fd[0];
	d->pos = d->len = 0;
	d->fresh = true;
	if (take(d, &w, sizeof(w), err))
		return -1;
	if (w.msg == MSG_OPEN)
		return 0;
	if (!take(d, &said, sizeof(said), err))
		*err = said;
	return -1;
}

/*
 * What the library does not check before it relies on it: a version (6 or 7), the byte order, the
 * size of a long and of a page.
 */
static bool sane_header(int fd, uint32_t *page_size)
{
	unsigned char h[SF_DAT_MAGIC_LEN + 8];
	uint32_t page;

	if (pread(fd, h, sizeof(h), 0) != (ssize_t)sizeof(h))
		return false;
	if ((h[10] != '6' && h[10] != '7') || h[11] || h[12] > 1 || (h[13] != 4 && h[13] != 8))
		return false;
	memcpy(&page, h + 14, sizeof(page));
	if (h[12])
		page = __builtin_bswap32(page);
	*page_size = page;
	return page >= 4096 && page <= 65536 && !(page & (page - 1));
}

struct sf_dat *sf_dat_open(int fd, const char *name, struct sf_error *err, int *exit_code)
{
	struct sf_dat *d = sf_tr_alloc(sizeof(*d));

	(void)exit_code;
	memset(d, 0, sizeof(*d));
	d->file = fd;
	d->pipe = -1;
	d->name = strcpy(sf_tr_alloc(strlen(name) + 1), name);
	if (!sane_header(fd, &d->page_size))
		sf_tr_error(err, name, 0, "trace.dat with a header that makes no sense");
	else if (!start(d, err))
		return d;
	sf_dat_close(d);
	return NULL;
}

void sf_dat_close(struct sf_dat *d)
{
	if (!d)
		return;
	stop(d);
	close(d->file);
	free(d->name);
	free(d);
}

int sf_dat_rewind(struct sf_dat *d, struct sf_error *err)
{
	if (d->pipe >= 0 && d->fresh)
		return 0;
	stop(d);
	return start(d, err);
}

int sf_dat_read(struct sf_dat *d, struct sf_trace_record *rec, struct sf_tr_notes *notes,
		struct sf_error *err)
{
	struct sf_tr_heard *heard = notes->heard;
	bool hashed = notes->hashed;
	struct sf_error said;
	struct wire w;

	if (d->pipe < 0)
		return 0;
	if (take(d, &w, sizeof(w), err))
		return -1;
	d->fresh = false;
	*notes = w.notes;
	notes->hashed = hashed;
	notes->heard = heard;
	notes->page_size = d->page_size;
	if (w.msg == MSG_END) {
		if (take(d, heard, sizeof(*heard), err))
			return -1;
		stop(d);
		return 0;
	}
	if (w.msg == MSG_ERROR) {
		if (!take(d, &said, sizeof(said), err))
			*err = said;
		return -1;
	}
	*rec = w.rec;
	rec->comm = d->comm;
	rec->site = d->site;
	rec->cache = d->cache;
	if (take_text(d, d->comm, w.comm_len, err) || take_text(d, d->site, w.site_len, err) ||
	    take_text(d, d->cache, w.cache_len, err))
		return -1;
	return 1;
}

#else /* !SF_HAVE_TRACECMD */

struct sf_dat *sf_dat_open(int fd, const char *name, struct sf_error *err, int *exit_code)
{
	close(fd);
	*exit_code = 3;
	sf_tr_error(err, name, 0,
		    "trace.dat, and this build has no libtracecmd (Debian: libtracecmd-dev)");
	return NULL;
}

void sf_dat_close(struct sf_dat *d)
{
	(void)d;
}

int sf_dat_rewind(struct sf_dat *d, struct sf_error *err)
{
	(void)d;
	(void)err;
	return -1;
}

int sf_dat_read(struct sf_dat *d, struct sf_trace_record *rec, struct sf_tr_notes *notes,
		struct sf_error *err)
{
	(void)d;
	(void)rec;
	(void)notes;
	(void)err;
	return -1;
}

#endif
