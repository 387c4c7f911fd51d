// SPDX-License-Identifier: MIT
/*
 * find.c - saves the inputs that broke a rule, as bytes and text, and counts them by title. Relies
 * on both encodings and on counts.c. Its state is static because it is called from the report hooks
 * of sanitizers, which carry no context.
 */
#include "find.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../allocators/base/hash.h"
#include "../../oracles/oracle.h"
#include "counts.h"
#include "files.h"

enum {
	PER_TITLE_MAX = 8, /* crash files of one title */
	TITLES_MAX = 256,  /* that this process remembers */
};

/* A title that was met before, where a run goes on after a find. */
struct known {
	char title[SF_TITLE_MAX];
	char *counter;
	bool full; /* it has its files */
};

static struct {
	const char *crashes, *expect;
	bool goes_on;
	const uint8_t *data;  /* the input in hand */
	size_t size;
	const struct sf_prog *prog;
	const char *allocator;
	bool made;            /* it is saved already */
	struct known known[TITLES_MAX];
	unsigned int nr_known;
} fd;

int sf_find_name(char name[SF_FIND_NAME_MAX], const char *title, const uint8_t *data, size_t size)
{
	uint64_t content = sf_fnv1a(SF_FNV_START, data, size);
	int id = 0, prefix;

	while (id < 24 && title[id] && strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
					      "0123456789-", title[id]))
		id++;
	prefix = snprintf(name, SF_FIND_NAME_MAX, "%.*s-%08" PRIx32, id, title,
			  (uint32_t)(sf_fnv1a_text(title) >> 32));
	snprintf(name + prefix, SF_FIND_NAME_MAX - (size_t)prefix, "-%08" PRIx32,
		 (uint32_t)(content >> 32));
	return prefix;
}

/* How many files a title has. If these are all that it gets, their times say: seen again. */
static unsigned int nr_of_title(const char *prefix, int len)
{
	DIR *dir = opendir(fd.crashes);
	unsigned int nr = 0;
	struct dirent *e;

	if (!dir)
		return 0;
	while ((e = readdir(dir)))
		nr += !strncmp(e->d_name, prefix, (size_t)len) && !strchr(e->d_name, '.');
	rewinddir(dir);
	while (nr >= PER_TITLE_MAX && (e = readdir(dir)))
		if (!strncmp(e->d_name, prefix, (size_t)len))
			utimensat(dirfd(dir), e->d_name, NULL, 0);
	closedir(dir);
	return nr;
}

static bool write_all(int file, const uint8_t *data, size_t size)
{
	while (size) {
		ssize_t n = write(file, data, size);

		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0) {
			data += n;
			size -= (size_t)n;
		}
	}
	return true;
}

static bool write_bytes(int file, const void *ctx)
{
	(void)ctx;
	return write_all(file, fd.data, fd.size);
}

struct words {
	const char *title, *detail;
};

/*
 * What it ran with has no misuse where the allocator heeds none; but text with operations that
 * misuse it has to say so.
 */
static struct sf_prog as_text(const struct sf_prog *prog)
{
	struct sf_prog p = *prog;

	for (uint32_t i = 0; i < p.nr_ops; i++)
		if (sf_op_table[p.ops[i].code & SF_CODE_MAX].flags & SF_OPF_MISUSE)
			p.settings.misuse = 1;
	return p;
}

static bool write_text(int file, const void *ctx)
{
	const struct sf_prog prog = as_text(fd.prog);
	const struct words *w = ctx;
	FILE *f = fdopen(dup(file), "w");

	if (!f)
		return false;
	fprintf(f, "# title: %s\n", w->title);
	for (const char *line = w->detail; *line;) {
		int len = (int)strcspn(line, "\n");

		fprintf(f, "# detail: %.*s\n", len, line);
		line += len + (line[len] == '\n');
	}
	fprintf(f, "# allocator: %s\n", fd.allocator ? fd.allocator : "none");
	sf_text_write(&prog, f);
	return !fclose(f);
}

/* The last inputs, one behind the other in a ring, and where each begins. */
static struct {
	uint8_t bytes[SF_HISTORY_BYTES];
	size_t at[SF_HISTORY_INPUTS], written; /* all that ever was, of which the last is there */
	uint64_t nr;
} past;

static void remember(const uint8_t *data, size_t size)
{
	size_t from = past.written % SF_HISTORY_BYTES, first = SF_HISTORY_BYTES - from;

	if (!size || size > SF_HISTORY_BYTES)
		return;
	first = size < first ? size : first;
	memcpy(past.bytes + from, data, first);
	memcpy(past.bytes, data + first, size - first);
	past.at[past.nr++ % SF_HISTORY_INPUTS] = past.written;
	past.written += size;
}

void sf_find_forget(void)
{
	past.nr = 0;
	past.written = 0;
}

/* Without the last, which is the find. */
static bool write_history(int file, const void *ctx)
{
	uint64_t first = past.nr > SF_HISTORY_INPUTS ? past.nr - SF_HISTORY_INPUTS : 0;

	(void)ctx;
	for (uint64_t i = first; i + 1 < past.nr; i++) {
		size_t at = past.at[i % SF_HISTORY_INPUTS];
		size_t len = past.at[(i + 1) % SF_HISTORY_INPUTS] - at;
		size_t from = at % SF_HISTORY_BYTES, run = SF_HISTORY_BYTES - from;
		const uint8_t head[4] = { (uint8_t)len, (uint8_t)(len >> 8), (uint8_t)(len >> 16),
					  (uint8_t)(len >> 24) };

		if (past.written - at > SF_HISTORY_BYTES)
			continue;
		run = len < run ? len : run;
		if (!write_all(file, head, 4) || !write_all(file, past.bytes + from, run) ||
		    !write_all(file, past.bytes, len - run))
			return false;
	}
	return true;
}

/* Temporary file, fsync, rename: a crash file is whole or absent. */
static void write_crash_file(const char *name, const char *ending,
			     bool (*fill)(int file, const void *ctx), const void *ctx)
{
	char path[4096], temp[4096 + 32];
	bool ok;
	int file;

	if (snprintf(path, sizeof(path), "%s/%s%s", fd.crashes, name, ending) >= (int)sizeof(path))
		return;
	snprintf(temp, sizeof(temp), "%s.%ld.tmp", path, (long)getpid());
	file = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	ok = file >= 0 && fill(file, ctx) && !fsync(file);
	if (file >= 0)
		close(file);
	if (ok && !rename(temp, path))
		return;
	fprintf(stderr, "slabfuzz: %s: %s\n", path, strerror(errno));
	unlink(temp);
}

/*
 * Bytes first: writing text does more, and the process may be in any state. True: the title has all
 * the files that it gets.
 */
static bool write_crash(const char *title, const char *detail)
{
	const struct words words = { title, detail };
	char name[SF_FIND_NAME_MAX];
	unsigned int nr;
	int prefix;

	if (!fd.crashes || (!fd.data && fd.size))
		return true;
	prefix = sf_find_name(name, title, fd.data, fd.size);
	nr = nr_of_title(name, prefix);
	if (nr >= PER_TITLE_MAX)
		return true;
	write_crash_file(name, "", write_bytes, NULL);
	if (!nr && fd.goes_on)
		write_crash_file(name, ".history", write_history, NULL);
	if (fd.prog)
		write_crash_file(name, ".txt", write_text, &words);
	return false;
}

/* NULL: too many are known. Said once each: the engine's log shows when it was found. */
static struct known *known(const char *title)
{
	char name[SF_TITLE_MAX + 8];
	struct known *k;

	for (unsigned int i = 0; i < fd.nr_known; i++)
		if (!strcmp(fd.known[i].title, title))
			return &fd.known[i];
	if (fd.nr_known == TITLES_MAX)
		return NULL;
	k = &fd.known[fd.nr_known++];
	snprintf(k->title, sizeof(k->title), "%s", title);
	snprintf(name, sizeof(name), "title %s", title);
	k->counter = sf_counter(name);
	/* Another process may have said so. */
	if (!sf_counter_value(k->counter))
		fprintf(stderr, "slabfuzz: found %s\n", title);
	return k;
}

void sf_find_save(const char *title, const char *detail)
{
	struct known *k;

	if (fd.made)
		return;
	fd.made = true;
	if (!fd.goes_on) {
		write_crash(title, detail);
		return;
	}
	k = known(title);
	if (!k)
		return;
	if (!k->full)
		k->full = write_crash(title, detail);
	sf_counter_add(k->counter, 1);
}

void sf_find_note(const char *title)
{
	bool made = fd.made;

	fd.made = false;
	sf_find_save(title, "");
	fd.made = made;
}

bool sf_find_made(void)
{
	return fd.made;
}

bool sf_find_expected(const char *title)
{
	return !fd.expect || !strncmp(title, fd.expect, strlen(fd.expect));
}

bool sf_find_goes_on(void)
{
	return fd.goes_on;
}

/* What is mapped of FILE.input; NULL: it cannot be had, and is not that important. */
static uint8_t *in_hand;

static void open_in_hand(const char *counts)
{
	char path[4096];

	if (snprintf(path, sizeof(path), "%s.input", counts) >= (int)sizeof(path))
		return;
	in_hand = sf_map_file(path, 4 + SF_IN_HAND_BYTES);
	if (in_hand)
		memset(in_hand, 0, 4);
}

static void put_in_hand(const uint8_t *data, size_t size)
{
	const uint32_t len = size > SF_IN_HAND_BYTES ? 0 : (uint32_t)size;

	if (!in_hand)
		return;
	for (unsigned int i = 0; i < 4; i++)
		in_hand[i] = (uint8_t)(len >> 8 * i);
	if (len)
		memcpy(in_hand + 4, data, len);
}

void sf_find_take(const uint8_t *data, size_t size)
{
	fd.data = data;
	fd.size = size;
	fd.prog = NULL;
	fd.made = false;
	if (!fd.goes_on)
		return;
	remember(data, size);
	put_in_hand(data, size);
}

void sf_find_is(const struct sf_prog *prog, const char *allocator)
{
	fd.prog = prog;
	fd.allocator = allocator;
}

static const char *env_or_null(const char *name)
{
	const char *s = getenv(name);

	return s && *s ? s : NULL;
}

void sf_find_setup(void)
{
	const char *counts = env_or_null("SLABFUZZ_GO_ON");

	fd.crashes = env_or_null("SLABFUZZ_CRASHES");
	fd.expect = env_or_null("SLABFUZZ_EXPECT");
	fd.goes_on = counts;
	if (counts && !sf_counts_open(counts)) {
		fprintf(stderr, "slabfuzz: SLABFUZZ_GO_ON=%s: %s\n", counts, strerror(errno));
		exit(3);
	}
	if (counts)
		open_in_hand(counts);
}
