// SPDX-License-Identifier: MIT
/*
 * trace.c - opens a recording: tells its format, picks the reader, merges the files of one
 * recording by time, and says in words what readers and the first pass found.
 *
 * Relies on source.c and the readers; scan, import, judge and the command rely on it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "calls.h"
#include "unpack.h"

#define FILES_MAX 1024u
#define REMARKS_MAX 12u
#define REMARK_MAX 400u
#define LEFT_OUT_MAX 3u

/* One file. */
struct part {
	struct sf_source *src;
	struct sf_lines *lines; /* text */
	struct sf_dat *dat;     /* trace.dat */
	struct sf_calls *calls; /* calls of malloc() */
	const char *format;
	const char *looks_like; /* a kernel log: what else is in it, NULL: nothing known */
	struct sf_tr_notes notes;
	struct sf_tr_heard heard;
	struct sf_trace_record next; /* several files: read, not yet taken */
	uint64_t lost;               /* likewise: events, as far as they are added up */
};

/* Events of the present time, to find those that several files have. */
#define TIED_MAX 256u
struct tied {
	uint64_t hash;
	unsigned int part;
};

struct sf_trace {
	struct part *part;
	unsigned int nr;
	unsigned int *heap, heap_nr; /* several files: those not ended, the earliest first */
	bool primed;
	uint64_t events;
	struct tied tied[TIED_MAX];
	unsigned int nr_tied;
	uint64_t tied_ns;
	uint64_t duplicates, duplicate_ns; /* the first one's time, and the two files */
	unsigned int duplicate_of, duplicate_in;
	struct sf_tr_notes notes;    /* of all files */
	struct sf_tr_heard heard;
	struct sf_trace_hints hints;
	char *name;
	char said[REMARK_MAX]; /* of calls of malloc() */
	char kernel[200], left_out[LEFT_OUT_MAX][REMARK_MAX], remark[REMARKS_MAX][REMARK_MAX];
	unsigned int nr_left_out;
};

static bool is_dat(const uint8_t *head, size_t len)
{
	return len >= SF_DAT_MAGIC_LEN && !memcmp(head, SF_DAT_MAGIC, SF_DAT_MAGIC_LEN);
}

bool sf_trace_probe(const uint8_t *head, size_t len)
{
	if (is_dat(head, len) || sf_packing_of(head, len) != SF_PLAIN)
		return true;
	return sf_lines_format(head, len) || sf_calls_probe(head, len);
}

const char *sf_trace_foreign(const uint8_t *head, size_t len)
{
	return sf_tr_foreign(head, len);
}

bool sf_trace_is_calls(const struct sf_trace *t)
{
	return t->part->calls != NULL;
}

struct sf_calls *sf_trace_calls(const struct sf_trace *t)
{
	return t->part->calls;
}

/* ---- one file ---- */

static int open_dat(struct part *p, struct sf_error *err, int *exit_code)
{
	int fd = sf_source_fd(p->src, err);

	if (fd < 0)
		return -1;
	p->dat = sf_dat_open(fd, sf_source_name(p->src), err, exit_code);
	p->format = "trace.dat";
	return p->dat ? 0 : -1;
}

static bool is_blank(const uint8_t *head, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!strchr(" \t\r\n", head[i]) || !head[i])
			return false;
	return true;
}

static bool open_calls(struct part *p, const uint8_t *head, size_t len)
{
	const struct sf_calls_format *f = p->format ? NULL : sf_calls_probe(head, len);

	if (!f)
		return false;
	p->format = f->name;
	p->calls = sf_calls_open(p->src, f);
	return true;
}

static int open_reader(struct part *p, struct sf_error *err, int *exit_code)
{
	const uint8_t *head;
	const char *other;
	ssize_t len = sf_source_peek(p->src, &head, SF_TR_LINE_MAX, err);

	if (len < 0)
		return -1;
	if (!len && sf_source_early(p->src))
		return sf_tr_error(err, sf_source_name(p->src), 0,
				   "%s data ends too early, before anything that can be unpacked",
				   sf_source_early(p->src));
	if (sf_packing_of(head, (size_t)len) != SF_PLAIN)
		return sf_tr_error(err, sf_source_name(p->src), 0,
				   "compressed twice: decompress it once first");
	if (is_blank(head, (size_t)len))
		return sf_tr_error(err, sf_source_name(p->src), 0, "empty: no recording");
	if (is_dat(head, (size_t)len))
		return open_dat(p, err, exit_code);
	p->format = sf_lines_format(head, (size_t)len);
	if (open_calls(p, head, (size_t)len))
		return 0;
	/*
	 * A log may have anything in it, and a dump behind that; a mail's events are events but for
	 * the way it is written.
	 */
	other = p->format && strcmp(p->format, "kernel log") &&
		!memmem(head, (size_t)len, "=3D", 3) ? NULL : sf_tr_foreign(head, (size_t)len);
	if (p->format && !strcmp(p->format, "kernel log"))
		p->looks_like = other;
	else if (!p->format || other)
		return sf_tr_error(err, sf_source_name(p->src), 0, "%s",
				   other ? other : "neither ftrace text, trace-cmd report, "
						   "perf script, trace.dat nor calls of malloc");
	p->lines = sf_lines_open(p->src);
	return 0;
}

static void close_part(struct part *p)
{
	sf_lines_close(p->lines);
	sf_calls_close(p->calls);
	sf_dat_close(p->dat);
	sf_source_close(p->src);
}

static int read_part(struct part *p, struct sf_trace_record *rec, struct sf_error *err)
{
	p->notes.heard = &p->heard;
	if (p->dat)
		return sf_dat_read(p->dat, rec, &p->notes, err);
	return sf_lines_read(p->lines, rec, &p->notes, err);
}

static int rewind_part(struct part *p, struct sf_error *err)
{
	bool hashed = p->notes.hashed;

	memset(&p->notes, 0, sizeof(p->notes));
	memset(&p->heard, 0, sizeof(p->heard));
	p->notes.hashed = hashed;
	p->lost = 0;
	if (p->dat)
		return sf_dat_rewind(p->dat, err);
	if (p->calls)
		sf_calls_reset(p->calls);
	else
		sf_lines_reset(p->lines);
	return sf_source_rewind(p->src, err);
}

/* ---- a recording ---- */

static struct sf_trace *make(unsigned int nr, const char *name)
{
	struct sf_trace *t = sf_tr_alloc(sizeof(*t));

	memset(t, 0, sizeof(*t));
	t->nr = nr;
	t->part = sf_tr_alloc(nr * sizeof(*t->part));
	memset(t->part, 0, nr * sizeof(*t->part));
	t->heap = sf_tr_alloc(nr * sizeof(*t->heap));
	t->name = strcpy(sf_tr_alloc(strlen(name) + 1), name);
	t->notes.heard = &t->heard;
	return t;
}

struct sf_trace *sf_trace_open_files(const char *const *paths, unsigned int nr,
				     struct sf_error *err, int *exit_code)
{
	struct sf_trace *t;

	*exit_code = 2;
	if (nr > FILES_MAX) {
		sf_tr_error(err, paths[0], 0, "more than %u files of one recording", FILES_MAX);
		return NULL;
	}
	t = make(nr, !strcmp(paths[0], "-") ? "standard input" : paths[0]);
	for (unsigned int i = 0; i < nr; i++) {
		struct part *p = &t->part[i];

		p->src = sf_source_open(paths[i], err, exit_code);
		if (p->src && !open_reader(p, err, exit_code) && (nr == 1 || !p->calls))
			continue;
		if (p->calls)
			sf_tr_error(err, paths[i], 0, "%s has no times to merge files by: give one "
				    "file at a time", p->format);
		sf_trace_close(t);
		return NULL;
	}
	return t;
}

struct sf_trace *sf_trace_open(const char *path, struct sf_error *err, int *exit_code)
{
	return sf_trace_open_files(&path, 1, err, exit_code);
}

struct sf_trace *sf_trace_open_memory(const void *data, size_t len, struct sf_error *err,
				      int *exit_code)
{
	struct sf_trace *t = make(1, "memory");

	t->part[0].src = sf_source_memory(data, len, err, exit_code);
	if (t->part[0].src && !open_reader(&t->part[0], err, exit_code))
		return t;
	sf_trace_close(t);
	return NULL;
}

void sf_trace_close(struct sf_trace *t)
{
	if (!t)
		return;
	for (unsigned int i = 0; i < t->nr; i++)
		if (t->part[i].src)
			close_part(&t->part[i]);
	free(t->part);
	free(t->heap);
	free(t->name);
	free(t);
}

/* What all files say together; of the parts that is cheap enough for every event. */
static void add_notes(struct sf_trace *t)
{
	struct sf_tr_notes *n = &t->notes;
	bool hashed = n->hashed;

	memset(n, 0, sizeof(*n));
	n->heard = &t->heard;
	n->hashed = hashed;
	n->duplicates = t->duplicates;
	for (unsigned int i = 0; i < t->nr; i++) {
		const struct sf_tr_notes *p = &t->part[i].notes;

		n->foreign += p->foreign;
		n->lost += p->lost;
		n->unknown_gfp += p->unknown_gfp;
		n->other_events += p->other_events;
		for (int d = 0; d < SF_TR_DAMAGES; d++)
			n->damage[d] += p->damage[d];
		n->wrapped += p->wrapped;
		n->overwritten += p->overwritten;
		n->started += p->started;
		n->backwards += p->backwards;
		n->early += p->early;
		n->escapes += p->escapes;
		n->cpus = p->cpus > n->cpus ? p->cpus : n->cpus;
		n->page_size = p->page_size ? p->page_size : n->page_size;
		n->hashed = n->hashed || p->hashed;
	}
}

/* Names that were heard, of one file or of all. */
static void gather(const struct sf_trace *t, struct sf_tr_heard *all)
{
	memset(all, 0, sizeof(*all));
	for (unsigned int i = 0; i < t->nr; i++) {
		const struct sf_tr_heard *h = &t->part[i].heard;

		sf_tr_tally_add(&all->events, &h->events);
		sf_tr_tally_add(&all->gfp, &h->gfp);
		sf_tr_note_cut(all, h->cut_column, h->cut_there);
		if (all->damage_line || !h->damage_line)
			continue;
		all->damage_line = h->damage_line;
		all->damage_file = i;
		snprintf(all->damage_why, sizeof(all->damage_why), "%s", h->damage_why);
	}
}

static bool earlier(const struct sf_trace *t, unsigned int a, unsigned int b)
{
	uint64_t ta = t->part[a].next.time_ns, tb = t->part[b].next.time_ns;

	return ta != tb ? ta < tb : a < b;
}

static void sift(struct sf_trace *t, unsigned int at)
{
	for (;;) {
		unsigned int child = 2 * at + 1, part = t->heap[at];

		if (child >= t->heap_nr)
			return;
		if (child + 1 < t->heap_nr && earlier(t, t->heap[child + 1], t->heap[child]))
			child++;
		if (!earlier(t, t->heap[child], part))
			return;
		t->heap[at] = t->heap[child];
		t->heap[child] = part;
		at = child;
	}
}

/* Reads on in the file whose event was taken last; what it has next finds its place. */
static int advance(struct sf_trace *t, struct sf_error *err)
{
	struct part *p = &t->part[t->heap[0]];
	int r = read_part(p, &p->next, err);

	if (r < 0)
		return -1;
	if (!r)
		t->heap[0] = t->heap[--t->heap_nr];
	if (t->heap_nr)
		sift(t, 0);
	return 0;
}

static int prime(struct sf_trace *t, struct sf_error *err)
{
	t->heap_nr = 0;
	for (unsigned int i = 0; i < t->nr; i++) {
		int r = read_part(&t->part[i], &t->part[i].next, err);

		if (r < 0)
			return -1;
		if (r)
			t->heap[t->heap_nr++] = i;
	}
	for (unsigned int i = t->heap_nr / 2; i-- > 0;)
		sift(t, i);
	t->primed = true;
	return 0;
}

static uint64_t mix(const struct sf_trace_record *r)
{
	const uint64_t parts[] = { r->kind, r->cpu, (uint64_t)r->pid, r->ptr, r->pfn, r->order,
				   r->bytes_req, r->bytes_alloc };
	uint64_t h = 0;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		h = (h ^ parts[i]) * 0x9e3779b97f4a7c15ull ^ h >> 29;
	return h;
}

/*
 * The same event at the same time in another file: a recording was given twice, or a whole one and
 * a part of it. Files without times cannot be told apart.
 */
static bool is_duplicate(struct sf_trace *t)
{
	unsigned int part = t->heap[0];
	const struct sf_trace_record *r = &t->part[part].next;
	uint64_t hash;

	if (!r->time_ns)
		return false;
	if (r->time_ns != t->tied_ns)
		t->nr_tied = 0;
	t->tied_ns = r->time_ns;
	hash = mix(r);
	for (unsigned int i = 0; i < t->nr_tied; i++) {
		if (t->tied[i].hash != hash || t->tied[i].part == part)
			continue;
		if (!t->duplicates++) {
			t->duplicate_ns = r->time_ns;
			t->duplicate_of = t->tied[i].part;
			t->duplicate_in = part;
		}
		return true;
	}
	if (t->nr_tied < TIED_MAX)
		t->tied[t->nr_tied++] = (struct tied){ hash, part };
	return false;
}

static int read_merged(struct sf_trace *t, struct sf_trace_record *rec, struct sf_error *err)
{
	struct part *p;

	do {
		if (!t->primed ? prime(t, err) : t->heap_nr ? advance(t, err) : 0)
			return -1;
	} while (t->heap_nr && is_duplicate(t));
	/* Sums over all files where something may depend on them; the rest at the end. */
	if (!t->heap_nr) {
		add_notes(t);
		gather(t, &t->heard);
		return 0;
	}
	p = &t->part[t->heap[0]];
	if (p->notes.lost != p->lost || (p->notes.hashed && !t->notes.hashed)) {
		p->lost = p->notes.lost;
		add_notes(t);
	}
	*rec = p->next;
	rec->line = ++t->events;
	return 1;
}

int sf_trace_call(struct sf_trace *t, struct sf_call *call, struct sf_error *err)
{
	t->part->notes.heard = &t->part->heard;
	return sf_calls_read(t->part->calls, call, &t->part->notes, err);
}

int sf_trace_read(struct sf_trace *t, struct sf_trace_record *rec, struct sf_error *err)
{
	if (t->nr > 1)
		return read_merged(t, rec, err);
	return read_part(t->part, rec, err);
}

int sf_trace_rewind(struct sf_trace *t, struct sf_error *err)
{
	bool hashed = t->notes.hashed;

	memset(&t->notes, 0, sizeof(t->notes));
	t->notes.heard = &t->heard;
	t->notes.hashed = hashed;
	t->primed = false;
	t->heap_nr = 0;
	t->events = t->duplicates = t->nr_tied = 0;
	for (unsigned int i = 0; i < t->nr; i++)
		if (rewind_part(&t->part[i], err))
			return -1;
	return 0;
}

const char *sf_trace_format(const struct sf_trace *t)
{
	return t->part[0].format;
}

bool sf_trace_hashed(const struct sf_trace *t)
{
	return sf_trace_notes(t)->hashed;
}

const struct sf_tr_notes *sf_trace_notes(const struct sf_trace *t)
{
	return t->nr > 1 ? &t->notes : &t->part[0].notes;
}

const char *sf_trace_looks_like(const struct sf_trace *t)
{
	return t->part[0].looks_like;
}

const char *sf_trace_name(const struct sf_trace *t)
{
	return t->name;
}

void sf_trace_set_hints(struct sf_trace *t, const struct sf_trace_hints *h)
{
	t->hints = *h;
}

const struct sf_trace_hints *sf_trace_hints(const struct sf_trace *t)
{
	return &t->hints;
}

/* ---- in words ---- */

void sf_trace_found(struct sf_trace *t, const struct sf_trace_scan *s)
{
	snprintf(t->kernel, sizeof(t->kernel), "%s", s->kernel.why);
	t->nr_left_out = 0;
}

void sf_trace_left_out(struct sf_trace *t, const char *what)
{
	if (t->nr_left_out < LEFT_OUT_MAX)
		snprintf(t->left_out[t->nr_left_out++], REMARK_MAX, "%s", what);
}

void sf_trace_say(struct sf_trace *t, const char *what)
{
	snprintf(t->said, sizeof(t->said), "%s", what);
}

const char *sf_trace_kernel(const struct sf_trace *t)
{
	return t->kernel;
}

static unsigned int make_remarks(const struct sf_trace *t, char out[REMARKS_MAX][REMARK_MAX])
{
	const struct sf_tr_notes *n = sf_trace_notes(t);
	struct sf_tr_heard all;
	unsigned int nr = 0;
	uint64_t column;
	char names[300];

	gather(t, &all);
	if (*t->kernel)
		snprintf(out[nr++], REMARK_MAX, "recorded kernel: %s", t->kernel);
	for (unsigned int i = 0; i < t->nr_left_out; i++)
		snprintf(out[nr++], REMARK_MAX, "not judged: %s", t->left_out[i]);
	if (t->duplicates)
		snprintf(out[nr++], REMARK_MAX, "%.150s has events of %.150s, too, since "
			 "%llu.%06llu: taken once",
			 sf_source_name(t->part[t->duplicate_in].src),
			 sf_source_name(t->part[t->duplicate_of].src),
			 (unsigned long long)(t->duplicate_ns / 1000000000u),
			 (unsigned long long)(t->duplicate_ns / 1000u % 1000000u));
	if (*t->said)
		snprintf(out[nr++], REMARK_MAX, "%s", t->said);
	if (all.damage_line)
		snprintf(out[nr++], REMARK_MAX, "first damaged event: %.200s%sline %llu: %s",
			 t->nr > 1 ? sf_source_name(t->part[all.damage_file].src) : "",
			 t->nr > 1 ? ": " : "", (unsigned long long)all.damage_line,
			 all.damage_why);
	column = sf_tr_cut_column(&all, n->damage[SF_TR_CUT]);
	if (column)
		snprintf(out[nr++], REMARK_MAX, "%llu events end at column %llu: " SF_TR_CUT_HINT,
			 (unsigned long long)all.cut_there, (unsigned long long)column);
	if (n->unknown_gfp) {
		sf_tr_tally_text(&all.gfp, 8, names, sizeof(names));
		snprintf(out[nr++], REMARK_MAX, "unknown gfp flags: %s", names);
	}
	if (n->other_events) {
		sf_tr_tally_text(&all.events, 5, names, sizeof(names));
		snprintf(out[nr++], REMARK_MAX, "%s: %s",
			 t->part->calls ? "other lines" : "other events", names);
	}
	return nr;
}

const char *sf_trace_remark(struct sf_trace *t, unsigned int index)
{
	unsigned int nr = make_remarks(t, t->remark);

	return index < nr ? t->remark[index] : NULL;
}
