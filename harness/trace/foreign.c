// SPDX-License-Identifier: MIT
/*
 * foreign.c - files that people take for recordings of a kernel's allocations, and that are
 * something else: what they are and where to take them. Relies on nothing; trace.c and the command
 * rely on it.
 */
#include <string.h>

#include "private.h"

/* Lines that begin with `a` (NULL: with anything) and have `b` in them. */
struct sign {
	const char *a, *b;
	unsigned int lines; /* how many such lines it takes */
	const char *what;
};

#define KMEM "; read are kmem events (trace-cmd record -e kmem)"
static const struct sign signs[] = {
	{ "slabinfo - version:", "", 1,
	  "/proc/slabinfo, a listing of caches: give it beside a recording "
	  "(judge --slabinfo FILE)" },
	{ NULL, "/slab_size:", 2,
	  "a listing of /sys/kernel/slab: give it beside a recording (judge --slabinfo FILE)" },
	{ "Node ", ", zone ", 1, "buddyinfo or pagetypeinfo, free blocks and no events" KMEM },
	{ NULL, "invoked oom-killer:", 1, "the report of an OOM kill, no recording" KMEM },
	{ NULL, "Mem-Info:", 1,
	  "the report of an OOM or of a failed allocation, no recording" KMEM },
	{ NULL, "page allocation failure: order:", 1,
	  "the report of a failed page allocation, no recording" KMEM },
	{ "MemTotal:", "kB", 1, "/proc/meminfo, counters and no events" KMEM },
	{ "nr_free_pages ", "", 1, "/proc/vmstat, counters and no events" KMEM },
	{ "unreferenced object 0x", "(size ", 1, "a report of kmemleak, no recording" KMEM },
	{ NULL, " kmem_kmalloc: {", 1,
	  "LTTng's events (babeltrace): not read; record with trace-cmd or perf" },
	{ NULL, " kmem:kmalloc(", 1, "output of perf trace: not read; take perf script instead" },
	{ NULL, "call_site=3D", 1,
	  "a mail in quoted-printable: decode it first (python3 -m quopri -d)" },
	{ NULL, "page=3D", 1,
	  "a mail in quoted-printable: decode it first (python3 -m quopri -d)" },
	{ "Page allocated via order ", "", 1, "a page_owner listing, no recording" KMEM },
	{ NULL, "[Tracepoint event]", 1, "output of perf list, no recording" KMEM },
	{ "  # perf kmem stat", "", 1, "output of perf kmem stat: take perf script instead" },
	{ NULL, "Total allocated (KB)", 1, "output of perf kmem stat: take perf script instead" },
	{ "# event histogram", "", 1, "output of a hist trigger, sums and no events" KMEM },
	{ "# trigger info: hist:", "", 1, "output of a hist trigger, sums and no events" KMEM },
	{ "Attaching ", " probe", 1, "output of bpftrace: not read" KMEM },
	{ "@", "]: ", 1, "output of bpftrace, sums and no events" KMEM },
	{ "@", "|@", 1, "output of bpftrace, sums and no events" KMEM },
	{ "[", "|@", 1, "output of bpftrace, sums and no events" KMEM },
	{ "desc: ", "", 1, "output of valgrind's massif: calls of malloc, no kernel's" KMEM },
};

static bool magic(const uint8_t *head, size_t len, const char *m, size_t n)
{
	return len >= n && !memcmp(head, m, n);
}

static bool has(const char *p, const char *end, const char *what)
{
	return !*what || memmem(p, (size_t)(end - p), what, strlen(what));
}

static bool begins(const char *p, const char *end, const char *with)
{
	size_t n = strlen(with);

	return (size_t)(end - p) >= n && !memcmp(p, with, n);
}

static const char *next_line(const char *p, const char *end, const char **stop)
{
	const char *nl = memchr(p, '\n', (size_t)(end - p));

	*stop = nl ? nl : end;
	return nl ? nl + 1 : end;
}

static unsigned int lines_with(const char *p, const char *end, const struct sign *s)
{
	unsigned int nr = 0;
	const char *stop, *next;

	for (; p < end && nr < s->lines; p = next) {
		next = next_line(p, end, &stop);
		nr += (!s->a || begins(p, stop, s->a)) && has(p, stop, s->b);
	}
	return nr;
}

/* "12.93%  call_site=…": lines of perf report. */
static bool is_perf_report(const char *p, const char *end)
{
	const char *stop, *next;

	for (; p < end; p = next) {
		const char *percent;

		next = next_line(p, end, &stop);
		percent = memchr(p, '%', (size_t)(stop - p));
		if (percent && has(percent, stop, "call_site=") &&
		    has(percent, stop, "bytes_alloc="))
			return true;
	}
	return false;
}

/* Neither a program nor a recording begins with a brace, or a bracket and one or a string. */
static bool is_json(const char *p, const char *end)
{
	bool list;

	while (p < end && strchr(" \t\r\n", *p) && *p)
		p++;
	list = p < end && *p == '[';
	for (p += list; p < end && list && *p && strchr(" \t\r\n", *p); p++)
		;
	return p < end && (*p == '{' || (list && *p == '"'));
}

static unsigned int commas(const char *p, const char *stop)
{
	unsigned int nr = 0;

	for (; p < stop; p++) {
		if (*p == '(' || *p == ')' || *p == '#')
			return 0;
		nr += *p == ',' || *p == ';';
	}
	return nr;
}

/* A line of names and one of values, with as many commas. */
static bool is_csv(const char *p, const char *end)
{
	const char *stop, *second = next_line(p, end, &stop);
	unsigned int nr = commas(p, stop);

	next_line(second, end, &stop);
	return nr >= 2 && commas(second, stop) == nr;
}

/* A mark of the order of bytes, or every other byte of what should be text is 0. */
static bool is_utf16(const uint8_t *head, size_t len)
{
	size_t zeros = 0, nr = len < 64 ? len / 2 : 32;

	if (magic(head, len, "\xff\xfe", 2) || magic(head, len, "\xfe\xff", 2))
		return true;
	if (len < 16)
		return false;
	for (size_t i = 0; i < nr; i++) {
		zeros += !head[2 * i] != !head[2 * i + 1];
		if (!head[2 * i] && !head[2 * i + 1])
			return false;
	}
	return zeros == nr;
}

/* What has to be unpacked or converted before it can be looked at. */
static const char *wrapping(const uint8_t *head, size_t len)
{
	if (len > 4 && magic(head, len, "BZh", 3) && head[3] >= '1' && head[3] <= '9')
		return "bzip2 data: not read; decompress it first (bunzip2 -c FILE)";
	if (magic(head, len, "\x04\x22\x4d\x18", 4))
		return "lz4 data: not read; decompress it first (lz4 -dc FILE)";
	if (magic(head, len, "PK\x03\x04", 4))
		return "a zip archive: take the recording out of it first";
	if (len > 262 && !memcmp(head + 257, "ustar", 5))
		return "a tar archive: take the recording out of it first";
	if (is_utf16(head, len))
		return "UTF-16 text: convert it first (iconv -f UTF-16 -t UTF-8 FILE)";
	return NULL;
}

const char *sf_tr_foreign(const uint8_t *head, size_t len)
{
	const char *p = (const char *)head, *end = p + len;

	if (wrapping(head, len))
		return wrapping(head, len);

	if (magic(head, len, "PERFILE2", 8))
		return "a perf.data: print it with perf script -i FILE";
	if (magic(head, len, "\x7f" "ELF", 4))
		return "an ELF file, no recording";
	if (magic(head, len, "\xc1\x1f\xfc\xc1", 4))
		return "a CTF stream (LTTng): not read; record with trace-cmd or perf";
	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
		if (lines_with(p, end, &signs[i]) >= signs[i].lines)
			return signs[i].what;
	if (is_perf_report(p, end))
		return "output of perf report: take perf script instead";
	if (is_json(p, end))
		return "JSON: not read; take the text of perf script or trace-cmd report";
	if (is_csv(p, end))
		return "comma-separated values: not read; take the text of perf script or "
		       "trace-cmd report";
	return NULL;
}
