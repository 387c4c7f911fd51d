// SPDX-License-Identifier: MIT
/*
 * fuzz.c - one input of a fuzzer: decode, run, judge; and what is left behind when that ends the
 * process. Relies on the executor, the judge and both encodings; the entry points (harness/entry)
 * rely on it. Its state is static because the engines' entry points carry no context.
 */
#include "fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../allocators/base/grow.h"
#include "../../allocators/base/hash.h"
#include "../../oracles/oracle.h"
#include "../exec/exec.h"
#include "../program/program.h"

enum {
	/* Kept, by settings: a new heap costs as much as dozens of runs. 8 took twice the time. */
	HEAPS_MAX = 32,
	FUZZ_PAGES_MAX = 4096, /* a few of the largest blocks; more takes longer to run out of */
	PER_TITLE_MAX = 8,    /* crash files of one title */
};

struct fuzz_heap {
	struct sf_exec *exec; /* NULL: free */
	struct sf_judge *judge;
	struct sf_settings settings;
	uint64_t used;        /* when: the run's number */
};

static struct {
	const struct sf_allocator *allocator;
	const char *crashes, *expect;
	struct fuzz_heap heaps[HEAPS_MAX];
	uint64_t runs;
	struct sf_prog prog, again;
	bool has_prog;        /* prog is the input in hand */
	const uint8_t *data;  /* the input in hand */
	size_t size;
	bool written;         /* what ends this process is on disk already */
	bool thorough;        /* SLABFUZZ_THOROUGH: every program ends in full */
} fz;

void (*sf_fuzz_forget_coverage)(void);

/* "MEM-1: ..." under title hash and content hash: "MEM-1-0123abcd-89abcdef". */
static void crash_name(char *out, size_t cap, const char *title, int *prefix)
{
	uint64_t content = sf_fnv1a(SF_FNV_START, fz.data, fz.size);
	int id = 0;

	while (id < 24 && title[id] && strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
					      "0123456789-", title[id]))
		id++;
	*prefix = snprintf(out, cap, "%.*s-%08" PRIx32, id, title,
			   (uint32_t)(sf_fnv1a_text(title) >> 32));
	snprintf(out + *prefix, cap - (size_t)*prefix, "-%08" PRIx32, (uint32_t)(content >> 32));
}

/* A title that has its files already: their times say that it was seen again. */
static bool title_is_full(const char *prefix, int len)
{
	DIR *dir = opendir(fz.crashes);
	unsigned int nr = 0;
	struct dirent *e;

	if (!dir)
		return false;
	while ((e = readdir(dir)))
		nr += !strncmp(e->d_name, prefix, (size_t)len) && !strchr(e->d_name, '.');
	rewinddir(dir);
	while (nr >= PER_TITLE_MAX && (e = readdir(dir)))
		if (!strncmp(e->d_name, prefix, (size_t)len))
			utimensat(dirfd(dir), e->d_name, NULL, 0);
	closedir(dir);
	return nr >= PER_TITLE_MAX;
}

static bool write_all(int fd, const uint8_t *data, size_t size)
{
	while (size) {
		ssize_t n = write(fd, data, size);

		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0) {
			data += n;
			size -= (size_t)n;
		}
	}
	return true;
}

static bool write_text(int fd, const char *title, const char *detail)
{
	FILE *f = fdopen(dup(fd), "w");

	if (!f)
		return false;
	fprintf(f, "# title: %s\n", title);
	for (const char *line = detail; *line;) {
		int len = (int)strcspn(line, "\n");

		fprintf(f, "# detail: %.*s\n", len, line);
		line += len + (line[len] == '\n');
	}
	fprintf(f, "# allocator: %s\n", fz.allocator ? fz.allocator->name : "none");
	sf_text_write(&fz.prog, f);
	return !fclose(f);
}

/* Temporary file, fsync, rename: a crash file is whole or absent. */
static void write_crash_file(const char *name, const char *title, const char *detail, bool text)
{
	char path[4096], temp[4096 + 32];
	bool ok;
	int fd;

	if (snprintf(path, sizeof(path), "%s/%s%s", fz.crashes, name, text ? ".txt" : "") >=
	    (int)sizeof(path))
		return;
	snprintf(temp, sizeof(temp), "%s.%ld.tmp", path, (long)getpid());
	fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	ok = fd >= 0 && (text ? write_text(fd, title, detail) : write_all(fd, fz.data, fz.size)) &&
	     !fsync(fd);
	if (fd >= 0)
		close(fd);
	if (ok && !rename(temp, path))
		return;
	fprintf(stderr, "slabfuzz: %s: %s\n", path, strerror(errno));
	unlink(temp);
}

/* Bytes first: writing text does more, and the process may be in any state. */
static void write_crash(const char *title, const char *detail)
{
	char name[64];
	int prefix;

	if (fz.written || !fz.crashes || (!fz.data && fz.size))
		return;
	fz.written = true;
	crash_name(name, sizeof(name), title, &prefix);
	if (title_is_full(name, prefix))
		return;
	write_crash_file(name, title, detail, false);
	if (fz.has_prog)
		write_crash_file(name, title, detail, true);
}

static bool expected(const char *title)
{
	return !fz.expect || !strncmp(title, fz.expect, strlen(fz.expect));
}

static void on_violation(void *ctx, const struct sf_violation *v)
{
	(void)ctx;
	if (expected(v->title))
		write_crash(v->title, v->detail);
	sf_trap(v);
}

bool sf_fuzz_caught(const char *title, const char *detail)
{
	if (!expected(title))
		return false;
	fprintf(stderr, "%s\n%s\n", title, detail);
	write_crash(title, detail);
	return true;
}

/*
 * AddressSanitizer's report. The hook for the end of the process (__sanitizer_set_death_callback)
 * has a single place, which libFuzzer takes to save its own copy of the input, so this is the hook
 * for reports. Absent when there is no AddressSanitizer.
 */
void __asan_set_error_report_callback(void (*callback)(const char *report)) __attribute__((weak));

/* "SUMMARY: AddressSanitizer: KIND FILE:LINE:COL in FUNCTION" -> "ASan: KIND in FUNCTION". */
static void on_asan_report(const char *report)
{
	static const char mark[] = "SUMMARY: AddressSanitizer: ";
	const char *s = strstr(report, mark), *in;
	char title[SF_TITLE_MAX];
	int line, kind;

	if (fz.written)
		return;
	if (!s) {
		write_crash("ASan: no summary", "");
		return;
	}
	s += sizeof(mark) - 1;
	line = (int)strcspn(s, "\n");
	kind = (int)strcspn(s, " \n");
	in = strstr(s, " in ");
	if (in && in < s + line)
		snprintf(title, sizeof(title), "ASan: %.*s%.*s", kind, s,
			 (int)strcspn(in + 4, " \n") + 4, in);
	else
		snprintf(title, sizeof(title), "ASan: %.*s", kind, s);
	fprintf(stderr, "%s\n", title);
	write_crash(title, "");
}

static const char *env_or_null(const char *name)
{
	const char *s = getenv(name);

	return s && *s ? s : NULL;
}

/*
 * Brings settings to what is worth a heap of its own: bounded, and at the default where they do
 * nothing.
 */
static void normalise(struct sf_settings *set)
{
	for (size_t i = 0; i < sf_setting_count; i++)
		if (!(fz.allocator->settings & 1ull << sf_setting_table[i].code))
			*sf_setting_slot(set, &sf_setting_table[i]) = sf_setting_table[i].def;
	if (set->pages > FUZZ_PAGES_MAX)
		set->pages = FUZZ_PAGES_MAX;
	sf_settings_fixup(set);
}

static void on_event(void *judge, const struct sf_event *ev)
{
	if (ev->type == SF_EV_BEGIN && sf_fuzz_forget_coverage)
		sf_fuzz_forget_coverage();
	sf_judge_event(judge, ev);
}

static bool open_heap(struct fuzz_heap *h, const struct sf_settings *set, struct sf_error *err)
{
	static const struct sf_judge_options judging = { .violation = on_violation };
	static const struct sf_exec_options how = { .end = SF_END_TEARDOWN, .contents = true };

	if (h->exec) {
		sf_exec_destroy(h->exec);
		sf_judge_destroy(h->judge);
	}
	h->settings = *set;
	h->judge = sf_judge_create(&judging);
	h->exec = sf_exec_create(fz.allocator, set, &how, on_event, h->judge, err);
	if (!h->exec)
		sf_judge_destroy(h->judge);
	return h->exec;
}

/* The heap with these settings; the one that was not used for longest makes way. */
static struct fuzz_heap *find_heap(const struct sf_settings *set, struct sf_error *err)
{
	struct fuzz_heap *oldest = &fz.heaps[0];

	for (struct fuzz_heap *h = fz.heaps; h < fz.heaps + HEAPS_MAX; h++) {
		if (h->exec && !memcmp(&h->settings, set, sizeof(*set)))
			return h;
		if (!h->exec || (oldest->exec && h->used < oldest->used))
			oldest = h;
	}
	return open_heap(oldest, set, err) ? oldest : NULL;
}

void sf_fuzz_setup(void)
{
	const char *name = env_or_null("SLABFUZZ_ALLOCATOR");
	struct sf_error err;

	if (!name)
		name = "baseline";
	fz.allocator = sf_allocator_by_name(name);
	if (!fz.allocator) {
		fprintf(stderr, "slabfuzz: SLABFUZZ_ALLOCATOR=%s: no such allocator; there are:",
			name);
		for (size_t i = 0; sf_allocators[i]; i++)
			fprintf(stderr, " %s", sf_allocators[i]->name);
		fprintf(stderr, "\n");
		exit(2);
	}
	fz.crashes = env_or_null("SLABFUZZ_CRASHES");
	fz.expect = env_or_null("SLABFUZZ_EXPECT");
	fz.thorough = env_or_null("SLABFUZZ_THOROUGH");
	sf_prog_init(&fz.prog);
	sf_prog_init(&fz.again);
	normalise(&fz.prog.settings);
	if (!find_heap(&fz.prog.settings, &err)) {
		fprintf(stderr, "slabfuzz: %s: %s\n", name, err.text);
		exit(3);
	}
	if (__asan_set_error_report_callback)
		__asan_set_error_report_callback(on_asan_report);
}

void sf_fuzz_take(const uint8_t *data, size_t size)
{
	fz.data = data;
	fz.size = size;
	fz.has_prog = false;
	fz.written = false;
}

/*
 * A snapshot and a teardown cost as much as a short program, and a program can ask for snapshots
 * itself (`check`). So a quarter of the programs are looked at as they end and a quarter are torn
 * down. Which is the program's own doing, so a find stays one; replays do both, and find whatever
 * either does.
 */
static enum sf_end how_it_ends(const struct sf_prog *p)
{
	uint32_t sum = p->nr_ops;

	for (uint32_t i = 0; i < p->nr_ops; i++)
		sum += p->ops[i].code;
	switch (sum & 3) {
	case 0:
		return SF_END_ONLY_TEARDOWN;
	case 1:
		return SF_END_WALK;
	}
	return SF_END_PLAIN;
}

void sf_fuzz_program(const uint8_t *data, size_t size)
{
	struct sf_error err;
	struct fuzz_heap *h;

	sf_fuzz_take(data, size);
	sf_bytes_decode(&fz.prog, data, size, SF_FUZZ_OPS_MAX);
	normalise(&fz.prog.settings);
	fz.has_prog = true;
	h = find_heap(&fz.prog.settings, &err);
	if (!h) {
		/* A heap that cannot be: the allocator says so in words, that is no bug. */
		static bool said;

		if (!said)
			fprintf(stderr, "slabfuzz: an input's heap is refused: %s\n", err.text);
		said = true;
		return;
	}
	h->used = ++fz.runs;
	sf_exec_set_end(h->exec, fz.thorough ? SF_END_TEARDOWN : how_it_ends(&fz.prog));
	sf_exec_run(h->exec, &fz.prog, NULL, &err);
}

const struct sf_prog *sf_fuzz_last(void)
{
	return &fz.prog;
}

/*
 * The laws of the two encodings. Each breaks in a function of its own.
 */
#define LAWS(X)                                                                            \
	X(valid, "LAW-1: a decoded or parsed program is not valid")                        \
	X(text, "LAW-2: canonical text does not parse to the same program")                \
	X(bytes, "LAW-3: bytes do not decode to the program that they encode")             \
	X(pure, "LAW-4: the same bytes decode to two programs")

#define X(name, title)                                                                     \
	__attribute__((noinline)) static void law_broken_##name(const char *where)         \
	{                                                                                  \
		if (sf_fuzz_caught(title, where))                                          \
			__builtin_trap();                                                  \
	}
LAWS(X)
#undef X

struct buffer {
	char *text;
	size_t len;
};

static struct buffer text_of(const struct sf_prog *p)
{
	struct buffer b = { NULL, 0 };
	FILE *f = open_memstream(&b.text, &b.len);

	if (!f)
		abort();
	sf_text_write(p, f);
	if (fclose(f))
		abort();
	return b;
}

static bool same_text(const struct buffer *a, const struct buffer *b)
{
	return a->len == b->len && !memcmp(a->text, b->text, a->len);
}

static void check_text(const struct sf_prog *p, struct sf_prog *again)
{
	struct buffer a = text_of(p), b;
	struct sf_text_error err;

	if (sf_text_parse(again, a.text, a.len, &err)) {
		law_broken_text(err.text);
	} else {
		b = text_of(again);
		if (!sf_prog_equal(p, again) || !same_text(&a, &b))
			law_broken_text("text -> program -> text");
		free(b.text);
	}
	free(a.text);
}

static void check_bytes(const struct sf_prog *p, struct sf_prog *again)
{
	size_t len = sf_bytes_encode(p, NULL, 0);
	uint8_t *one = sf_grow(NULL, 2 * len, 1), *two;

	two = one + len;
	sf_bytes_encode(p, one, len);
	sf_bytes_decode(again, one, len, 0);
	if (!sf_prog_equal(p, again))
		law_broken_bytes("program -> bytes -> program");
	if (sf_bytes_encode(again, two, len) != len || memcmp(one, two, len))
		law_broken_bytes("program -> bytes -> program -> bytes");
	free(one);
}

static void check_laws(struct sf_prog *p, struct sf_prog *again)
{
	check_bytes(p, again);
	check_text(p, again);
	/* Last, because it may change the program; `again` is what it was. */
	if (sf_prog_fixup(p) || !sf_prog_equal(p, again))
		law_broken_valid("the fix-up changes it");
}

void sf_fuzz_text(const uint8_t *data, size_t size)
{
	struct sf_text_error err;

	sf_fuzz_take(data, size);
	if (sf_text_parse(&fz.prog, (const char *)data, size, &err))
		return;
	fz.has_prog = true;
	check_laws(&fz.prog, &fz.again);
}

void sf_fuzz_bytes(const uint8_t *data, size_t size)
{
	sf_fuzz_take(data, size);
	sf_bytes_decode(&fz.prog, data, size, 0);
	fz.has_prog = true;
	sf_bytes_decode(&fz.again, data, size, 0);
	if (!sf_prog_equal(&fz.prog, &fz.again))
		law_broken_pure("twice");
	check_laws(&fz.prog, &fz.again);
}
