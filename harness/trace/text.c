// SPDX-License-Identifier: MIT
/*
 * text.c - ftrace text, `trace-cmd report`, `perf script`, the dump of a crash: lines to records.
 *
 * What precedes an event's fields is prefix.c's, the fields are fields.c's, lines without a memory
 * event headers.c's. A line that is damaged costs what was on it, and is counted by reason. Strings
 * of a record point into the line buffer, which is never longer than two lines may be. Relies on
 * source.c; trace.c relies on it.
 */
#include <stdlib.h>
#include <string.h>

#include "lines.h"

struct sf_lines {
	struct sf_line_reader *reader;
	struct sf_fields *fields;
	bool cut;          /* the last line was an event without its end */
	uint64_t line;
	size_t width;      /* of the line in hand, if a newline ends it */
	uint64_t time_ns;  /* of the last event */
};

struct sf_lines *sf_lines_open(struct sf_source *src)
{
	struct sf_lines *l = sf_tr_alloc(sizeof(*l));

	memset(l, 0, sizeof(*l));
	l->reader = sf_line_reader_open(src);
	l->fields = sf_fields_create();
	return l;
}

void sf_lines_close(struct sf_lines *l)
{
	if (!l)
		return;
	free(l->fields);
	sf_line_reader_close(l->reader);
	free(l);
}

void sf_lines_reset(struct sf_lines *l)
{
	sf_line_reader_reset(l->reader);
	l->line = l->time_ns = 0;
	l->cut = false;
	sf_fields_reset(l->fields);
}

/* The names people know the layouts by. */
static const char *const layouts[SF_LAYOUTS] = {
	[SF_LAYOUT_FTRACE] = "ftrace",
	[SF_LAYOUT_LATENCY] = "ftrace, latency format",
	[SF_LAYOUT_GRAPH] = "ftrace, function graph",
	[SF_LAYOUT_REPORT] = "trace-cmd report",
	[SF_LAYOUT_PERF] = "perf script",
};

/* "[   12.345678] ", "Nov 29 08:00:00 host kernel: ": a line of the kernel's log. */
static bool is_printk(const char *p, const char *end)
{
	const char *kernel = memmem(p, (size_t)(end - p), " kernel: ", 9);
	uint64_t v;

	/* No operation of a program begins with a capital letter or a digit. */
	if (kernel && (sf_tr_is_digit(*p) || (*p >= 'A' && *p <= 'Z')) &&
	    memchr(p, ':', (size_t)(kernel - p)))
		return true;
	if (p == end || *p++ != '[')
		return false;
	p = sf_tr_skip_blanks(p, end);
	return sf_tr_decimal(&p, end, &v) && p < end && *p++ == '.' &&
	       sf_tr_decimal(&p, end, &v) && end - p >= 2 && p[0] == ']' && p[1] == ' ';
}

/* Without the escapes that grep and others colour with: the new length. */
static size_t strip(char *line, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		if (line[i] != '\x1b') {
			line[n++] = line[i];
			continue;
		}
		if (i + 1 == len || line[i + 1] != '[')
			continue;
		for (i += 2; i < len && line[i] >= 0x20 && line[i] < 0x40; i++)
			;
		/* One that is cut off ends with its line. */
		if (i < len && (line[i] < 0x40 || line[i] > 0x7e))
			i--;
	}
	return n;
}

static const char *format(const char *head, size_t len);

const char *sf_lines_format(const uint8_t *head, size_t len)
{
	const char *found;
	char *plain;

	if (!memchr(head, '\x1b', len))
		return format((const char *)head, len);
	plain = memcpy(sf_tr_alloc(len), head, len);
	found = format(plain, strip(plain, len));
	free(plain);
	return found;
}

static const char *format(const char *head, size_t len)
{
	const char *p = head, *end = p + len, *log = NULL;
	struct sf_prefix x;

	while (p < end) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		const char *stop = nl ? nl : end;
		size_t n = (size_t)(stop - p);

		if (n >= 9 && !memcmp(p, "# tracer:", 9))
			return "ftrace";
		if (n >= 6 && !memcmp(p, "cpus=", 5) && sf_tr_is_digit(p[5]))
			return "trace-cmd report";
		if (n && sf_tr_prefix(&x, p, stop))
			return log ? log : layouts[x.layout];
		if (is_printk(p, stop))
			log = "kernel log";
		p = nl ? nl + 1 : end;
	}
	return log;
}

enum outcome { OTHER, RECORD, LOST };

/* A damaged event: counted, the first one kept to be reported. */
static enum outcome lose(struct sf_lines *l, enum sf_tr_damage damage, const char *why,
			 struct sf_tr_notes *notes)
{
	notes->damage[damage]++;
	l->cut = damage == SF_TR_CUT;
	if (l->cut && l->width)
		sf_tr_note_cut(notes->heard, l->width, 1);
	if (!notes->heard->damage_line) {
		notes->heard->damage_line = l->line;
		snprintf(notes->heard->damage_why, sizeof(notes->heard->damage_why), "%s", why);
	}
	return LOST;
}

static const char *check_prefix(const struct sf_prefix *x)
{
	if (x->pid > INT32_MAX)
		return "process number out of range";
	if (x->cpu > SF_TR_CPU_MAX)
		return "CPU number out of range";
	return NULL;
}

static void fill_in(const struct sf_lines *l, struct sf_trace_record *rec,
		    const struct sf_tr_event_name *ev, const struct sf_prefix *x, char *line)
{
	memset(rec, 0, sizeof(*rec));
	rec->kind = ev->kind;
	rec->node = ev->node;
	rec->batched = ev->batched;
	rec->line = l->line;
	rec->site = rec->cache = "";
	rec->comm = x->comm < x->comm_end ? x->comm : "";
	rec->pid = (int32_t)x->pid;
	rec->cpu = (uint32_t)x->cpu;
	rec->time_ns = x->time_ns;
	if (x->comm < x->comm_end)
		line[x->comm_end - line] = '\0';
}

static enum outcome parse_line(struct sf_lines *l, char *line, size_t len, bool whole,
			       struct sf_trace_record *rec, struct sf_tr_notes *notes)
{
	const struct sf_tr_event_name *ev = NULL;
	char *end, why[SF_TR_WHY_MAX];
	enum sf_tr_damage damage;
	struct sf_prefix x;
	const char *bad;
	bool event;

	if (memchr(line, '\x1b', len)) {
		len = strip(line, len);
		line[len] = '\0';
		notes->escapes++;
	}
	end = line + len;
	if (len && line[len - 1] == '\r')
		*--end = '\0';
	l->width = whole ? (size_t)(end - line) : 0;
	event = len && sf_tr_prefix(&x, line, end);
	if (event && (!x.group || (x.event - x.group == 5 && !memcmp(x.group, "kmem:", 5))))
		ev = sf_tr_event(x.event, (size_t)(x.event_end - x.event));
	if (!ev) {
		notes->wrapped += l->cut && sf_tr_begins_with_field(line, end);
		l->cut = false;
		sf_tr_note_line(line, (size_t)(end - line), event ? &x : NULL, notes);
		return OTHER;
	}
	l->cut = false;
	bad = check_prefix(&x);
	if (bad)
		return lose(l, SF_TR_BAD, bad, notes);
	if (sf_tr_torn_in_front(&x)) {
		notes->damage[SF_TR_TORN]++;
		return lose(l, SF_TR_TORN, "another event ends in front of it", notes);
	}
	fill_in(l, rec, ev, &x, line);
	damage = sf_tr_fields(l->fields, rec, ev, &x, line, whole, notes, why);
	return damage ? lose(l, damage, why, notes) : RECORD;
}

int sf_lines_read(struct sf_lines *l, struct sf_trace_record *rec, struct sf_tr_notes *notes,
		  struct sf_error *err)
{
	for (;;) {
		bool whole = true;
		size_t len;
		char *line;
		int r = sf_line_next(l->reader, &line, &len, &whole, err);

		if (!r)
			notes->early = sf_line_reader_early(l->reader);
		if (r <= 0)
			return r;
		l->line++;
		if (parse_line(l, line, len, whole, rec, notes) != RECORD)
			continue;
		notes->backwards += rec->time_ns && rec->time_ns < l->time_ns;
		l->time_ns = rec->time_ns;
		/* Kernel addresses have the top bit set, hashes have 32 bits (lib/vsprintf.c). */
		if (rec->ptr > SF_PAGE_SIZE && !(rec->ptr >> 63))
			notes->hashed = true;
		return 1;
	}
}
