// SPDX-License-Identifier: MIT
/*
 * replay.c - runs saved inputs, bytes or text, as the fuzz targets do, without an engine: any
 * compiler, any sanitizer. Relies on fuzz.c. Each file runs in a process of its own, because a find
 * ends it.
 *
 *   replay [-n] FILE...    -n: in this process (for a debugger)
 *
 * Exit status: 0 nothing wrong, 1 a violation or a crash, 2 a file that cannot be read.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../allocators/base/grow.h"
#include "../fuzz/fuzz.h"
#include "../program/program.h"

struct input {
	uint8_t *data;
	size_t size;
};

static int complain(const char *path, const char *what)
{
	fprintf(stderr, "replay: %s: %s\n", path, what);
	return 2;
}

static int read_input(struct input *in, const char *path)
{
	FILE *f = fopen(path, "rb");
	size_t cap = 0, n;

	if (!f)
		return complain(path, strerror(errno));
	do {
		if (in->size == cap)
			in->data = sf_grow(in->data, cap = cap ? 2 * cap : 1 << 16, 1);
		n = fread(in->data + in->size, 1, cap - in->size, f);
		in->size += n;
	} while (n);
	n = (size_t)ferror(f);
	fclose(f);
	return n ? complain(path, "read error") : 0;
}

/* Text becomes bytes; whatever is no program in text is taken as bytes. */
static int as_bytes(struct input *in, const char *path)
{
	size_t magic = sizeof(SF_BYTES_MAGIC) - 1, len = strlen(path);
	bool text = len > 4 && !strcmp(path + len - 4, ".txt");
	struct sf_text_error err;
	struct sf_prog p;
	int status = 0;

	if (in->size >= magic && !memcmp(in->data, SF_BYTES_MAGIC, magic))
		return 0;
	sf_prog_init(&p);
	if (!sf_text_parse(&p, (const char *)in->data, in->size, &err)) {
		free(in->data);
		in->size = sf_bytes_encode(&p, NULL, 0);
		in->data = sf_grow(NULL, in->size, 1);
		sf_bytes_encode(&p, in->data, in->size);
	} else if (text) {
		fprintf(stderr, "replay: %s:%u:%u: %s\n", path, err.line, err.col, err.text);
		status = 2;
	}
	sf_prog_free(&p);
	return status;
}

/* In a child: 0 or 1, by how it ended. */
static int run_apart(const struct input *in)
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid < 0) {
		perror("replay: fork");
		exit(3);
	}
	if (!pid) {
		sf_fuzz_program(in->data, in->size);
		_exit(0);
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			exit(3);
	return !WIFEXITED(status) || WEXITSTATUS(status);
}

static int replay(const char *path, bool apart)
{
	struct input in = { NULL, 0 };
	int status = read_input(&in, path);

	if (!status)
		status = as_bytes(&in, path);
	if (!status && apart) {
		status = run_apart(&in);
		printf("%s: %s\n", path, status ? "FAILED" : "ok");
	} else if (!status) {
		sf_fuzz_program(in.data, in.size);
	}
	free(in.data);
	return status;
}

int main(int argc, char **argv)
{
	bool apart = true;
	int opt, worst = 0;

	while ((opt = getopt(argc, argv, "n")) != -1) {
		if (opt != 'n')
			return 2;
		apart = false;
	}
	if (optind == argc) {
		fprintf(stderr, "usage: replay [-n] FILE...\n");
		return 2;
	}
	setenv("SLABFUZZ_THOROUGH", "1", 0); /* what is set to nothing stays so */
	sf_fuzz_setup();
	for (; optind < argc; optind++) {
		int status = replay(argv[optind], apart);

		if (status > worst)
			worst = status;
	}
	return fflush(stdout) ? 2 : worst;
}
