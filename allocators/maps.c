// SPDX-License-Identifier: MIT
/*
 * maps.c - the process's own memory map, as far as it concerns the arena's frames, as events.
 *
 * What is mapped where, and may be written, is asked of the operating system (/proc/self/maps, in
 * its text or by queries) and not of pool.c, which ought to know: a seal that is not there, or a
 * mapping that was left, shows.
 * Addresses are emitted as simulated ones, and entries that one would do for as one, so that
 * the events are the same on every machine.
 */
#include "base/grow.h"
#include "maps.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define CHUNK 65536u

struct maps {
	int fd;
	pid_t pid;          /* whose map that is: a child has its own */
	char *text;         /* CHUNK of it at a time */
	struct sf_ev_mapping *run; /* what is to be emitted */
	uint32_t nr, cap;
	uint64_t run_end;   /* host address, of the last one */
	uint64_t dev_major, dev_minor, ino; /* of the frames' file, as entries have them */
};

static int open_maps(void)
{
	return open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
}

bool maps_init(struct sf_heap *h, struct sf_error *err)
{
	struct maps *m = calloc(1, sizeof(*m));
	struct stat st;

	h->maps = m;
	if (!m) {
		snprintf(err->text, sizeof(err->text), "no memory for a heap");
		return false;
	}
	m->fd = open_maps();
	m->pid = getpid();
	m->text = malloc(CHUNK);
	if (m->fd < 0 || !m->text || fstat(h->arena.fd, &st)) {
		snprintf(err->text, sizeof(err->text), "cannot read /proc/self/maps: %s",
			 strerror(errno));
		return false;
	}
	m->dev_major = major(st.st_dev);
	m->dev_minor = minor(st.st_dev);
	m->ino = st.st_ino;
	return true;
}

void maps_free(struct sf_heap *h)
{
	if (!h->maps)
		return;
	if (h->maps->fd >= 0)
		close(h->maps->fd);
	free(h->maps->text);
	free(h->maps->run);
	free(h->maps);
	h->maps = NULL;
}

static void reopen(struct maps *m)
{
	if (m->pid == getpid())
		return;
	close(m->fd);
	m->fd = open_maps();
	m->pid = getpid();
}

/* One entry: of the frames' file, or it is passed over. */
struct entry {
	uint64_t from, end;   /* host addresses */
	uint64_t offset;      /* in the file */
	bool read, write, exec;
};

static uint64_t number(const char **at, unsigned int base)
{
	uint64_t value = 0;

	for (;; (*at)++) {
		unsigned int c = (unsigned char)**at, digit = c - '0';

		if (digit > 9)
			digit = c - 'a' + 10;
		if (digit >= base)
			return value;
		value = value * base + digit;
	}
}

/* "from-end rwxp offset major:minor inode  path": leaves *at behind the inode. */
static bool parse(const struct maps *m, const char **at, struct entry *e)
{
	uint64_t dev_major, dev_minor, ino;
	const char *perms;

	e->from = number(at, 16);
	++*at;
	e->end = number(at, 16);
	perms = ++*at;
	e->read = perms[0] == 'r';
	e->write = perms[1] == 'w';
	e->exec = perms[2] == 'x';
	*at += 5;
	e->offset = number(at, 16);
	++*at;
	dev_major = number(at, 16);
	++*at;
	dev_minor = number(at, 16);
	++*at;
	ino = number(at, 10);
	return ino == m->ino && dev_major == m->dev_major && dev_minor == m->dev_minor;
}

struct window {
	uint64_t host, bytes;
	uint64_t base;        /* its first address, as it is emitted */
	uint8_t kind;
};

struct reader {
	struct maps *m;
	struct window window[3];
};

/* Is what begins where the other ends more of the same? */
static bool goes_on(const struct sf_ev_mapping *last, const struct sf_ev_mapping *run)
{
	return last->kind == run->kind && last->pfn + last->pages == run->pfn &&
	       last->read == run->read && last->write == run->write && last->exec == run->exec;
}

/* Lies in one window, or in none. Goes on where the last one ended, or begins another run. */
static void add(struct maps *m, const struct window *w, const struct entry *e)
{
	const struct sf_ev_mapping run = { .kind = w ? w->kind : SF_MAPPING_OTHER,
					   .read = e->read, .write = e->write, .exec = e->exec,
					   .addr = w ? w->base + (e->from - w->host) : 0,
					   .pfn = e->offset >> SF_PAGE_SHIFT,
					   .pages = (e->end - e->from) >> SF_PAGE_SHIFT };
	bool more = m->nr && m->run_end == e->from && goes_on(&m->run[m->nr - 1], &run);

	if (m->nr == m->cap) {
		m->cap = m->cap ? 2 * m->cap : 64;
		m->run = sf_grow(m->run, m->cap, sizeof(*m->run));
	}
	if (more)
		m->run[m->nr - 1].pages += run.pages;
	else
		m->run[m->nr++] = run;
	m->run_end = e->end;
}

/* Piece by piece, as the windows divide it. */
static void add_entry(struct reader *r, struct entry e)
{
	while (e.from < e.end) {
		const struct window *in = NULL;
		struct entry piece = e;

		for (unsigned int i = 0; i < 3; i++) {
			const struct window *w = &r->window[i];
			uint64_t end = w->host + w->bytes;

			if (e.from - w->host < w->bytes)
				in = w;
			if (e.from < w->host && w->host < piece.end)
				piece.end = w->host;
			else if (e.from < end && end < piece.end)
				piece.end = end;
		}
		add(r->m, in, &piece);
		e.offset += piece.end - e.from;
		e.from = piece.end;
	}
}

static struct window window(const uint8_t *host, uint64_t pages, uint64_t base, uint8_t kind)
{
	return (struct window){ (uint64_t)(uintptr_t)host, pages << SF_PAGE_SHIFT, base, kind };
}

/* Whole lines of text[0..len): how long they are together. */
static size_t add_lines(struct reader *r, const char *text, size_t len)
{
	const char *at, *line = text, *end;
	struct entry e;

	while ((end = memchr(line, '\n', len - (size_t)(line - text)))) {
		at = line;
		if (parse(r->m, &at, &e))
			add_entry(r, e);
		line = end + 1;
	}
	return (size_t)(line - text);
}

/*
 * Linux 6.11 and later answer about one mapping at a time, and pass over those of no file: a
 * process with dozens of heaps has hundreds, and to print them all takes longer than the program
 * that is run (include/uapi/linux/fs.h: PROCMAP_QUERY).
 */
struct map_query {
	uint64_t size, flags, addr;         /* asked */
	uint64_t from, end, perms, page_size, offset, ino;
	uint32_t dev_major, dev_minor;
	uint32_t name_size, build_id_size;  /* 0: not asked for */
	uint64_t name_addr, build_id_addr;
};

_Static_assert(sizeof(struct map_query) == 104, "as the kernel has it");

enum {
	MAP_QUERY_READ = 1,
	MAP_QUERY_WRITE = 2,
	MAP_QUERY_EXEC = 4,
	MAP_QUERY_OR_NEXT = 0x10,
	MAP_QUERY_OF_FILE = 0x20,
};

#define MAP_QUERY _IOWR('f', 17, struct map_query)

/* False: this kernel does not answer. */
static bool query_all(struct reader *r)
{
	struct maps *m = r->m;
	struct map_query q = { .size = sizeof(q),
			       .flags = MAP_QUERY_OR_NEXT | MAP_QUERY_OF_FILE };

	while (!ioctl(m->fd, MAP_QUERY, &q)) {
		struct entry e = { .from = q.from, .end = q.end, .offset = q.offset,
				   .read = q.perms & MAP_QUERY_READ,
				   .write = q.perms & MAP_QUERY_WRITE,
				   .exec = q.perms & MAP_QUERY_EXEC };

		if (q.ino == m->ino && q.dev_major == m->dev_major && q.dev_minor == m->dev_minor)
			add_entry(r, e);
		q = (struct map_query){ .size = q.size, .flags = q.flags, .addr = q.end };
	}
	return errno == ENOENT;
}

/* Nothing is emitted, and so nothing is mapped by who listens, before all is read. */
static void read_all(struct reader *r)
{
	struct maps *m = r->m;
	size_t len = 0, used;
	off_t pos = 0;
	ssize_t n;

	reopen(m);
	m->nr = 0;
	if (query_all(r))
		return;
	m->nr = 0;
	while ((n = pread(m->fd, m->text + len, CHUNK - len, pos)) > 0) {
		pos += n;
		len += (size_t)n;
		used = add_lines(r, m->text, len);
		len -= used;
		memmove(m->text, m->text + used, len);
	}
	if (n < 0)
		abort(); /* it could be read when the heap was made */
}

void maps_emit(struct sf_heap *h, struct sf_sink *sink, enum sf_maps_when when, uint32_t pool,
	       uint64_t addr, uint64_t size)
{
	struct sf_event ev = { .cpu = (uint8_t)h->cpu };
	const struct arena *a = &h->arena;
	struct maps *m = h->maps;
	struct reader r = { .m = m };

	if (!sink)
		return;
	r.window[0] = window(a->mem, a->pages, SF_DIRECT_MAP, SF_MAPPING_DIRECT);
	r.window[1] = window(a->areas, VMAP_PAGES, SF_VMALLOC, SF_MAPPING_AREA);
	r.window[2] = window(a->alias, ALIAS_PAGES, 0, SF_MAPPING_ALIAS);
	read_all(&r);
	ev.op = sink->op;
	ev.type = SF_EV_MAPPING;
	for (uint32_t i = 0; i < m->nr; i++) {
		ev.mapping = m->run[i];
		sink->emit(sink->ctx, &ev);
	}
	ev.type = SF_EV_MAPS;
	ev.maps = (struct sf_ev_maps){ .when = (uint8_t)when, .pool = pool, .nr = m->nr,
				       .addr = addr, .size = size };
	sink->emit(sink->ctx, &ev);
}
