// SPDX-License-Identifier: MIT
/*
 * import_text.c - a recording as the canonical text of a program, a line at a time.
 *
 * sf_text_write() needs the whole program; a recording's is never whole in memory. So lines are
 * written from the same tables (ops.h, gfp.h, settings.h), for the arguments that imported
 * operations have; the tests hold that the outcome is what sf_text_write() gives. Relies on
 * import.c; the command relies on it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../program/program.h"
#include "private.h"

struct writer {
	FILE *out;
	uint32_t caches; /* results 0..caches-1 are caches, the others follow */
};

struct flag {
	const char *name;
	uint32_t bits;
};

static void write_flags(FILE *out, uint32_t flags, const struct flag *names, size_t nr,
			const char *separator)
{
	for (size_t i = 0; i < nr; i++) {
		if (!(flags & names[i].bits))
			continue;
		fputs(separator, out);
		fputs(names[i].name, out);
		separator = "|";
	}
}

static void write_gfp(FILE *out, uint32_t gfp)
{
	static const struct flag composite[] = {
#define X(id, name, ...) { name, SF_GFP_##id },
		SF_GFP_NAMES(X)
	}, single[] = {
		SF_GFP_BITS(X)
#undef X
	};
	const char *separator = "";

	if (!gfp)
		fputs("0", out);
	for (size_t i = 0; i < sizeof(composite) / sizeof(composite[0]); i++) {
		if ((gfp & composite[i].bits) != composite[i].bits)
			continue;
		fputs(composite[i].name, out);
		gfp &= ~composite[i].bits;
		separator = "|";
		break;
	}
	write_flags(out, gfp, single, sizeof(single) / sizeof(single[0]), separator);
}

static void write_slab_flags(FILE *out, uint32_t flags)
{
	static const struct flag names[] = {
#define X(id, name, bit) { name, SF_SLAB_##id },
		SF_SLAB_FLAGS(X)
#undef X
	};

	if (!flags)
		fputs("0", out);
	write_flags(out, flags, names, sizeof(names) / sizeof(names[0]), "");
}

static void write_result(const struct writer *w, uint32_t res)
{
	if (res == SF_NONE)
		fputs("NULL", w->out);
	else if (res < w->caches)
		fprintf(w->out, "c%u", res);
	else
		fprintf(w->out, "r%u", res - w->caches);
}

static uint64_t number(const struct sf_op *op, unsigned int kind)
{
	const struct sf_arg_layout *l = &sf_arg_table[kind];
	uint64_t v = 0;

	memcpy(&v, (const char *)op + l->offset, l->size); /* little endian, as all of slabfuzz's */
	return v;
}

static void write_arg(const struct writer *w, const struct sf_op *op, unsigned int kind,
		      const char *strings)
{
	uint64_t v = number(op, kind);

	switch (kind) {
	case SF_ARG_OBJ:
	case SF_ARG_OBJ2:
	case SF_ARG_PAGES:
	case SF_ARG_CACHE:
	case SF_ARG_UOBJ:
		write_result(w, (uint32_t)v);
		break;
	case SF_ARG_GFP:
		write_gfp(w->out, (uint32_t)v);
		break;
	case SF_ARG_SLAB_FLAGS:
		write_slab_flags(w->out, (uint32_t)v);
		break;
	case SF_ARG_NAME:
		fprintf(w->out, "\"%s\"", strings + v);
		break;
	default:
		fprintf(w->out, "%llu", (unsigned long long)v);
	}
}

static bool write_op(void *ctx, const struct sf_op *op, const char *strings,
		     const struct sf_trace_record *rec)
{
	const struct sf_op_info *info = &sf_op_table[op->code];
	const struct sf_arg_info *arg = info->arg;
	struct writer *w = ctx;
	const char *comma = "";

	(void)rec;
	if (info->res == SF_RES_CACHE)
		w->caches = op->res + 1;
	if (info->res != SF_RES_NONE) {
		write_result(w, op->res);
		fputs(" = ", w->out);
	}
	fprintf(w->out, "%s(", info->name);
	for (; arg->kind != SF_ARG_END; arg++) {
		/* The first heap is not named. */
		if (arg->key && (!number(op, arg->kind) || arg->kind == SF_ARG_HEAP))
			continue;
		fprintf(w->out, "%s%s%s", comma, arg->key ? arg->name : "", arg->key ? "=" : "");
		write_arg(w, op, arg->kind, strings);
		comma = ", ";
	}
	fputs(")\n", w->out);
	return !ferror(w->out);
}

static void write_heap(FILE *out, const struct sf_settings *set)
{
	const char *separator = "heap ";

	for (size_t i = 0; i < sf_setting_count; i++) {
		const struct sf_setting_info *info = &sf_setting_table[i];
		uint64_t v;

		memcpy(&v, (const char *)set + info->offset, sizeof(v));
		if (v == info->def)
			continue;
		fprintf(out, "%s%s=%llu", separator, info->name, (unsigned long long)v);
		separator = " ";
	}
	if (separator[0] == ' ')
		fputs("\n", out);
}

static int write_all(struct sf_trace *t, FILE *out, struct sf_trace_counts *counts,
		     struct sf_error *err)
{
	struct writer w = { .out = out };
	struct sf_import_options opt = { .unique_results = true, .op = write_op, .ctx = &w };
	struct sf_trace_scan *s;
	int r;

	if (sf_trace_rewind(t, err))
		return -1;
	s = sf_trace_scan(t, err);
	if (!s)
		return -1;
	write_heap(out, &s->settings);
	r = sf_trace_import(t, s, &opt, counts, err);
	sf_trace_scan_free(s);
	return r < 0 ? -1 : 0;
}

/* Nothing half-written: the name appears when the file is whole and on disk. */
static int write_file(struct sf_trace *t, const char *path, struct sf_trace_counts *counts,
		      struct sf_error *err)
{
	size_t len = strlen(path) + sizeof(".XXXXXX");
	char *temp = sf_tr_alloc(len);
	mode_t mask = umask(0);
	FILE *out = NULL;
	int fd, r = -1;

	umask(mask);
	snprintf(temp, len, "%s.XXXXXX", path);
	fd = mkstemp(temp);
	if (fd >= 0)
		out = fdopen(fd, "w");
	if (!out) {
		sf_tr_error(err, path, 0, "%s", strerror(errno));
		if (fd >= 0) {
			close(fd);
			unlink(temp);
		}
		free(temp);
		return -1;
	}
	err->text[0] = '\0';
	r = write_all(t, out, counts, err);
	errno = 0;
	if (fflush(out) || ferror(out) || fchmod(fd, 0666 & ~mask) || fsync(fd))
		r = sf_tr_error(err, path, 0, "%s", errno ? strerror(errno) : "cannot write");
	if (fclose(out) && !r)
		r = sf_tr_error(err, path, 0, "%s", strerror(errno));
	if (!r && rename(temp, path))
		r = sf_tr_error(err, path, 0, "%s", strerror(errno));
	if (r)
		unlink(temp);
	free(temp);
	return r;
}

int sf_trace_import_text(struct sf_trace *t, const char *path, FILE *out_file,
			 struct sf_trace_counts *counts, struct sf_error *err)
{
	if (path)
		return write_file(t, path, counts, err);
	if (write_all(t, out_file, counts, err))
		return -1;
	if (fflush(out_file) || ferror(out_file))
		return sf_tr_error(err, "output", 0, "%s", strerror(errno));
	return 0;
}
