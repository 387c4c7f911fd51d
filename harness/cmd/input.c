// SPDX-License-Identifier: MIT
/*
 * input.c - input.h: reads a file once, whatever kind of file it is. A pipe is spooled to a
 * temporary file that takes the place of standard input, because recordings are read twice.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd.h"
#include "input.h"

#define HEAD_SIZE 65536
/* A program of that size has some 20 million operations: it is something else. */
#define PROGRAM_SIZE_MAX (1ull << 30)

static ssize_t read_some(int fd, void *buf, size_t size)
{
	ssize_t n;

	do
		n = read(fd, buf, size);
	while (n < 0 && errno == EINTR);
	return n;
}

static bool write_all(int fd, const char *buf, size_t size)
{
	while (size) {
		ssize_t n = write(fd, buf, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		buf += n;
		size -= (size_t)n;
	}
	return true;
}

/* Makes `fd` standard input, as a plain file. False with errno. */
static bool spool(int fd)
{
	const char *dir = getenv("TMPDIR");
	char *path = sf_sprintf("%s/slabfuzz.XXXXXX", dir && *dir ? dir : "/tmp");
	int tmp = mkstemp(path), error;
	char buf[HEAD_SIZE];
	ssize_t n = -1;

	if (tmp >= 0) {
		unlink(path);
		while ((n = read_some(fd, buf, sizeof(buf))) > 0 && write_all(tmp, buf, (size_t)n))
			;
	}
	free(path);
	if (tmp < 0 || n || lseek(tmp, 0, SEEK_SET) || dup2(tmp, STDIN_FILENO) < 0) {
		error = errno;
		if (tmp >= 0)
			close(tmp);
		errno = error;
		return false;
	}
	close(tmp);
	return true;
}

/* A descriptor of a plain file at its beginning, or -1 with errno. */
static int open_plain(struct sf_input *in)
{
	bool standard = !strcmp(in->name, "-");
	int fd = standard ? STDIN_FILENO : open(in->name, O_RDONLY | O_CLOEXEC);
	struct stat st;

	in->path = in->name;
	if (fd < 0 || fstat(fd, &st))
		return -1;
	if (S_ISDIR(st.st_mode)) {
		close(fd);
		errno = EISDIR;
		return -1;
	}
	if (S_ISREG(st.st_mode))
		return fd;
	in->path = "-";
	if (!spool(fd))
		return -1;
	if (!standard)
		close(fd);
	return STDIN_FILENO;
}

bool sf_input_is_stream(const char *name)
{
	struct stat st;

	return strcmp(name, "-") && !stat(name, &st) && !S_ISREG(st.st_mode);
}

int sf_input_keep_standard(char **names)
{
	struct stat st;

	for (; *names; names++)
		if (!strcmp(*names, "-") && !fstat(STDIN_FILENO, &st) && !S_ISREG(st.st_mode) &&
		    !S_ISDIR(st.st_mode) && !spool(STDIN_FILENO))
			return sf_bad("-: %s", strerror(errno));
	return 0;
}

static uint8_t probe(const uint8_t *head, size_t len)
{
	if (len >= 4 && !memcmp(head, SF_BYTES_MAGIC, 4))
		return SF_INPUT_BYTES;
	return sf_trace_probe(head, len) ? SF_INPUT_TRACE : SF_INPUT_TEXT;
}

static int read_rest(struct sf_input *in, int fd, size_t cap)
{
	ssize_t n;

	for (;;) {
		if (in->len == cap) {
			cap *= 2;
			in->data = sf_grow(in->data, cap, 1);
		}
		n = read_some(fd, in->data + in->len, cap - in->len);
		if (n < 0)
			return sf_bad("%s: %s", in->name, strerror(errno));
		if (!n)
			return 0;
		in->len += (size_t)n;
		if (in->len > PROGRAM_SIZE_MAX)
			return sf_bad("%s: too large for a program (over 1 GiB)", in->name);
	}
}

int sf_input_open(struct sf_input *in, const char *name, bool bytes)
{
	int fd, status = 0;
	ssize_t n = 0;

	*in = (struct sf_input){ .name = name };
	fd = open_plain(in);
	if (fd < 0)
		return sf_bad("%s: %s", name, strerror(errno));
	in->data = sf_grow(NULL, HEAD_SIZE, 1);
	while (in->len < HEAD_SIZE &&
	       (n = read_some(fd, in->data + in->len, HEAD_SIZE - in->len)) > 0)
		in->len += (size_t)n;
	if (n < 0)
		status = sf_bad("%s: %s", name, strerror(errno));
	else
		in->kind = bytes ? SF_INPUT_BYTES : probe(in->data, in->len);
	if (!status && in->kind != SF_INPUT_TRACE)
		status = read_rest(in, fd, HEAD_SIZE);
	if (fd == STDIN_FILENO)
		lseek(fd, 0, SEEK_SET);
	else
		close(fd);
	if (status)
		sf_input_close(in);
	return status;
}

void sf_input_close(struct sf_input *in)
{
	free(in->data);
	in->data = NULL;
	in->len = 0;
}

/* A recorder or a compressor that failed leaves such files: no success without a word in them. */
static int hold_words(const struct sf_input *in)
{
	for (size_t i = 0; i < in->len; i++)
		if (!in->data[i] || !strchr(" \t\r\n\f\v", in->data[i]))
			return 0;
	return sf_bad("%s: empty: neither a program nor a recording", in->name);
}

int sf_input_program(const struct sf_input *in, struct sf_prog *p)
{
	const char *hint = "", *other;
	struct sf_text_error err;

	sf_prog_clear(p);
	if (in->kind == SF_INPUT_BYTES) {
		sf_bytes_decode(p, in->data, in->len, 0);
		return 0;
	}
	if (!sf_text_parse(p, (const char *)in->data, in->len, &err))
		return hold_words(in);
	/* What people have beside recordings is named rather than refused for its first word. */
	other = sf_trace_foreign(in->data, in->len < HEAD_SIZE ? in->len : HEAD_SIZE);
	if (other)
		return sf_bad("%s: %s", in->name, other);
	if (memchr(in->data, 0, in->len))
		hint = " (if this is a fuzzer's input: --bytes)";
	return sf_bad("%s:%u:%u: %s%s", in->name, err.line, err.col, err.text, hint);
}

struct sf_trace *sf_input_trace(const struct sf_input *in, int *status)
{
	struct sf_error err = { "" };
	struct sf_trace *t;

	*status = SF_EXIT_BAD;
	t = sf_trace_open(in->path, &err, status);
	if (!t)
		sf_say("%s", err.text);
	return t;
}

struct sf_trace *sf_input_traces(char **names, int *status)
{
	const char **paths;
	struct sf_trace *t = NULL;
	struct sf_error err = { "" };
	unsigned int nr = 0, spooled = 0;

	for (char **n = names; *n; n++)
		nr++;
	paths = sf_grow(NULL, nr, sizeof(*paths));
	for (unsigned int i = 0; i < nr; i++) {
		struct sf_input in;

		*status = sf_input_open(&in, names[i], false);
		if (*status)
			goto out;
		sf_input_close(&in);
		paths[i] = in.path;
		spooled += !strcmp(in.path, "-");
	}
	*status = SF_EXIT_BAD;
	if (spooled > 1) {
		sf_say("%s: only one file of a recording may be a pipe", names[0]);
		goto out;
	}
	t = sf_trace_open_files(paths, nr, &err, status);
	if (!t)
		sf_say("%s", err.text);
out:
	free(paths);
	return t;
}

int sf_input_hint_file(struct sf_trace_hints *h, const char *path)
{
	struct sf_error err = { "" };

	return sf_trace_hints_listing(h, path, &err) ? sf_bad("%s", err.text) : 0;
}

int sf_input_hint_set(struct sf_trace_hints *h, const struct sf_usage *u, const char *assignment)
{
	const char *wanted = sf_trace_hints_set(h, assignment);

	return wanted ? sf_usage_error(u, "--set wants %s, not '%s'", wanted, assignment) : 0;
}
