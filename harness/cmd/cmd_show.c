// SPDX-License-Identifier: MIT
/*
 * cmd_show.c - `slabfuzz show` and `slabfuzz compile`: a program from one encoding into the other.
 */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "input.h"
#include "output.h"

struct conversion {
	const char *out;
	bool bytes;
};

#define BYTES_ROW                                                    \
	SF_FLAG("bytes", struct conversion, bytes,                   \
		"take FILE for a byte program, whatever it begins with")

static const struct sf_row show_rows[] = {
	SF_TEXT('o', "output", "OUT", struct conversion, out,
		"write there, not to standard output"),
	BYTES_ROW,
	{ 0 },
};

static const struct sf_usage show_usage = {
	"show", "FILE",
	"Prints a program as canonical text. FILE is a byte program (a fuzzer's input), or text,\n"
	"which comes out in canonical form; - is standard input.",
	show_rows,
};

static const struct sf_row compile_rows[] = {
	SF_TEXT('o', "output", "OUT", struct conversion, out,
		"write the bytes there (- is standard output)"),
	BYTES_ROW,
	{ 0 },
};

static const struct sf_usage compile_usage = {
	"compile", "FILE -o OUT",
	"Turns a program into bytes, as the fuzz targets take them. OUT is written whole or not\n"
	"at all.",
	compile_rows,
};

/* SF_GO_ON with argv[optind], or what to exit with. */
static int take_options(const struct sf_usage *u, int argc, char **argv, struct conversion *c)
{
	int status = sf_take_options(u, c, argc, argv);

	if (status == SF_GO_ON && optind + 1 != argc)
		return sf_usage_error(u, "expected one file");
	return status;
}

static int read_program(const char *name, bool bytes, struct sf_prog *p)
{
	struct sf_input in;
	int status = sf_input_open(&in, name, bytes);

	if (status)
		return status;
	/*
	 * An engine's mutation may have hit the magic: text has no NUL, records are full of them.
	 */
	if (in.kind == SF_INPUT_TEXT && memchr(in.data, 0, in.len))
		in.kind = SF_INPUT_BYTES;
	if (in.kind == SF_INPUT_TRACE)
		status = sf_bad("%s: is a recording; slabfuzz import turns it into a program",
				name);
	else
		status = sf_input_program(&in, p);
	sf_input_close(&in);
	return status;
}

static void put_text(const struct sf_prog *p, FILE *out)
{
	sf_text_write(p, out);
}

static void put_bytes(const struct sf_prog *p, FILE *out)
{
	size_t len = sf_bytes_encode(p, NULL, 0);
	uint8_t *data = sf_grow(NULL, len, 1);

	sf_bytes_encode(p, data, len);
	fwrite(data, 1, len, out);
	free(data);
}

static int convert(const char *name, const struct conversion *c,
		   void (*put)(const struct sf_prog *p, FILE *out))
{
	struct sf_prog p;
	struct sf_out out;
	int status;

	sf_prog_init(&p);
	status = read_program(name, c->bytes, &p);
	if (!status)
		status = sf_out_open(&out, c->out);
	if (!status) {
		put(&p, out.file);
		status = sf_out_commit(&out);
	}
	sf_prog_free(&p);
	return status;
}

int sf_cmd_show(int argc, char **argv)
{
	struct conversion c = { .out = "-" };
	int status = take_options(&show_usage, argc, argv, &c);

	return status >= 0 ? status : convert(argv[optind], &c, put_text);
}

int sf_cmd_compile(int argc, char **argv)
{
	struct conversion c = { .out = NULL };
	int status = take_options(&compile_usage, argc, argv, &c);

	if (status >= 0)
		return status;
	if (!c.out)
		return sf_usage_error(&compile_usage, "where to? -o OUT");
	return convert(argv[optind], &c, put_bytes);
}
