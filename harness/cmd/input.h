/* SPDX-License-Identifier: MIT */
/*
 * input.h - files that a command reads: programs as text or bytes, and recordings, told apart by
 * content. Relies on program.h and trace.h; `run`, `show`, `compile` rely on it.
 */
#ifndef SLABFUZZ_INPUT_H
#define SLABFUZZ_INPUT_H

#include "../program/program.h"
#include "../trace/trace.h"

enum sf_input_kind {
	SF_INPUT_TEXT,
	SF_INPUT_BYTES,
	SF_INPUT_TRACE,
};

struct sf_usage;

struct sf_input {
	const char *name; /* as given */
	const char *path; /* what sf_trace_open() takes: `name`, or "-" for what is no plain file */
	uint8_t kind;     /* enum sf_input_kind */
	uint8_t *data;    /* text and bytes: all of it */
	size_t len;
};

/*
 * 0, or SF_EXIT_BAD after a message. "-" is standard input. `bytes`: whatever it looks like, it
 * is a byte program (what a fuzzer leaves need not begin with the magic).
 */
int sf_input_open(struct sf_input *in, const char *name, bool bytes);
void sf_input_close(struct sf_input *in);
/* Standard input as a plain file, if "-" is among the names: so that it can be read again. */
int sf_input_keep_standard(char **names);
/* Can be read only once: a pipe that has a name. */
bool sf_input_is_stream(const char *name);

/* Not for recordings. 0, or SF_EXIT_BAD after "FILE:LINE:COL: …". */
int sf_input_program(const struct sf_input *in, struct sf_prog *p);

/* Opens the recording: NULL after a message, with what to exit with in *status. */
struct sf_trace *sf_input_trace(const struct sf_input *in, int *status);
/* Several files of one recording; likewise. Only one of them may be no plain file. */
struct sf_trace *sf_input_traces(char **names, int *status);

/* --slabinfo FILE, --set KEY=VALUE: what is known of a recorded kernel. 0, or what to exit with. */
int sf_input_hint_file(struct sf_trace_hints *h, const char *path);
int sf_input_hint_set(struct sf_trace_hints *h, const struct sf_usage *u, const char *assignment);

#endif
