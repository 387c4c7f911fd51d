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

/* "MEM-1: ..." under title hash and content hash: "MEM-1-0123abcd-89abcdef". */
static void crash_name(char *out, size_t cap, const char *title, int *prefix)
{
	uint64_t content = sf_fnv1a(SF_FNV_START, fd.data, fd.size);
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
	DIR *dir = opendir(fd.crashes);
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

static bool write_text(int file, const char *title, const char *detail)
{
	FILE *f = fdopen(dup(file), "w");

	if (!f)
		return false;
	fprintf(f, "# title: %s\n", title);
	for (const char *line = detail; *line;) {
		int len = (int)strcspn(line, "\n");

		fprintf(f, "# detail: %.*s\n", len, line);
		line += len + (line[len] == '\n');
	}
	fprintf(f, "# allocator: %s\n", fd.allocator ? fd.allocator : "none");
	sf_text_write(fd.prog, f);
	return !fclose(f);
}

/* Temporary file, fsync, rename: a crash file is whole or absent. */
static void write_crash_file(const char *name, const char *title, const char *detail, bool text)
{
	char path[4096], temp[4096 + 32];
	bool ok;
	int file;

	if (snprintf(path, sizeof(path), "%s/%s%s", fd.crashes, name, text ? ".txt" : "") >=
	    (int)sizeof(path))
		return;
	snprintf(temp, sizeof(temp), "%s.%ld.tmp", path, (long)getpid());
	file = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	ok = file >= 0 &&
	     (text ? write_text(file, title, detail) : write_all(file, fd.data, fd.size)) &&
	     !fsync(file);
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
	char name[64];
	int prefix;

	if (!fd.crashes || (!fd.data && fd.size))
		return true;
	crash_name(name, sizeof(name), title, &prefix);
	if (title_is_full(name, prefix))
		return true;
	write_crash_file(name, title, detail, false);
	if (fd.prog)
		write_crash_file(name, title, detail, true);
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

void sf_find_take(const uint8_t *data, size_t size)
{
	fd.data = data;
	fd.size = size;
	fd.prog = NULL;
	fd.made = false;
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
}
