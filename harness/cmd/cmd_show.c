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

enum {
	OPT_BYTES = SF_OPTION_OWN,
};

static const struct sf_option show_options[] = {
	{ 'o', "output", "OUT", "write there, not to standard output" },
	{ OPT_BYTES, "bytes", NULL, "take FILE for a byte program, whatever it begins with" },
	{ 0 },
};

static const struct sf_usage show_usage = {
	"show", "FILE",
	"Prints a program as canonical text. FILE is a byte program (a fuzzer's input), or text,\n"
	"which comes out in canonical form; - is standard input.",
	show_options,
};

static const struct sf_option compile_options[] = {
	{ 'o', "output", "OUT", "write the bytes there (- is standard output)" },
	{ OPT_BYTES, "bytes", NULL, "take FILE for a byte program, whatever it begins with" },
	{ 0 },
};

static const struct sf_usage compile_usage = {
	"compile", "FILE -o OUT",
	"Turns a program into bytes, as the fuzz targets take them. OUT is written whole or not\n"
	"at all.",
	compile_options,
};

struct conversion {
	const char *out;
	bool bytes;
};

/* -1 to go on with argv[optind], or what to exit with. */
static int take_options(const struct sf_usage *u, int argc, char **argv, struct conversion *c)
{
	int key;

	while ((key = sf_option_next(u, argc, argv)) >= 0) {
		if (key == 'o')
			c->out = optarg;
		else
			c->bytes = true;
	}
	if (key != SF_OPTION_END)
		return sf_option_exit(key);
	if (optind + 1 != argc)
		return sf_usage_error(u, "expected one file");
	return -1;
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
