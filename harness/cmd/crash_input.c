// SPDX-License-Identifier: MIT
/*
 * crash_input.c - crash_input.h.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "../fuzz/child.h"
#include "../fuzz/crash_file.h"
#include "../fuzz/mark.h"
#include "crash_input.h"
#include "input.h"

/* --- options --- */

static void append(char **to, const char *between, const char *text)
{
	char *all = sf_sprintf("%s%s%s", *to ? *to : "", *to ? between : "", text);

	free(*to);
	*to = all;
}

int sf_crash_take_names(void *plan, const struct sf_usage *u, const char *list)
{
	struct sf_crash_plan *p = plan;

	if (!list[strspn(list, ", ")])
		return sf_usage_error(u, "-a: which allocator?");
	append(&p->names, ",", list);
	return 0;
}

int sf_crash_take_trait(void *plan, const struct sf_usage *u, const char *text)
{
	struct sf_crash_plan *p = plan;
	char *trait;

	if (!strchr(text, '='))
		return sf_usage_error(u, "--trait wants KEY=VALUE, not '%s'", text);
	trait = sf_sprintf("@%s", text);
	append(&p->traits, "", trait);
	free(trait);
	return 0;
}

void sf_crash_plan_free(struct sf_crash_plan *p)
{
	free(p->names);
	free(p->traits);
	sf_overrides_free(&p->overrides);
}

/* --- what the find says --- */

/* The lines about it, as far as it is text. */
static char *lines_about(const struct sf_input *in)
{
	char *text;
	size_t len;

	if (in->kind != SF_INPUT_TEXT)
		return sf_strdup("");
	text = sf_sprintf("%.*s", (int)in->len, (const char *)in->data);
	len = (size_t)(sf_crash_file_program(text) - text);
	text[len] = 0;
	return text;
}

/* "slabfuzz diff -a A,B": members of a lockstep, in the detail. */
static char *lockstep_of(const char *said)
{
	static const char mark[] = "slabfuzz diff -a ";
	const char *at = strstr(said, mark);

	if (!at)
		return NULL;
	at += sizeof(mark) - 1;
	return sf_sprintf("%.*s", (int)strcspn(at, " \n"), at);
}

/* Names in commas. */
static char *names_of(const struct sf_input *in, const char *said)
{
	char mark[SF_MARK_NAME_MAX + 1], *name = lockstep_of(said);

	if (!name)
		name = sf_crash_file_get(said, "allocator");
	if (name && (!strcmp(name, "none") || !*name)) {
		free(name);
		name = NULL;
	}
	if (!name && in->kind == SF_INPUT_BYTES && sf_mark_get(in->data, in->len, mark))
		name = sf_strdup(mark);
	for (char *c = name; c && *c; c++)
		if (*c == ' ')
			*c = ',';
	return name ? name : sf_strdup(sf_allocators[0]->name);
}

/* Each with the traits of all, and those of the build with none. */
static int add_members(struct sf_members *on, const struct sf_crash_plan *p,
		       const struct sf_usage *u, const char *list)
{
	int status = 0;

	for (size_t len; !status && (list += strspn(list, ","), (len = strcspn(list, ",")));
	     list += len) {
		bool outside = memchr(list, ':', len);
		char *text = sf_sprintf("%.*s%s", (int)len, list,
					outside && p->traits ? p->traits : "");

		status = sf_members_add(on, u, text);
		free(text);
	}
	return status;
}

static void label(struct sf_crash_input *in)
{
	in->label = sf_strdup("");
	for (uint32_t i = 0; i < in->on.nr; i++) {
		char *more = sf_sprintf("%s%s%s", in->label, i ? "," : "", in->on.m[i].label);

		free(in->label);
		in->label = more;
	}
}

/* Settings of the one member, and of the user, become the program's. */
static int settle(struct sf_crash_input *in, const struct sf_crash_plan *p)
{
	const char *fault = NULL;

	if (in->on.nr == 1)
		fault = sf_overrides_apply(&in->on.m[0].overrides, &in->prog.settings);
	if (!fault)
		fault = sf_overrides_apply(&p->overrides, &in->prog.settings);
	return fault ? sf_bad("%s: %s", in->name, fault) : 0;
}

static int open_program(struct sf_crash_input *in, const struct sf_crash_plan *p,
			const struct sf_usage *u, const struct sf_input *file)
{
	char *names;
	int status;

	if (file->kind == SF_INPUT_TRACE)
		return sf_bad("%s: is a recording; slabfuzz import turns it into a program",
			      in->name);
	in->said = lines_about(file);
	status = sf_input_program(file, &in->prog);
	if (status)
		return status;
	in->title = p->title ? sf_strdup(p->title) : sf_crash_file_get(in->said, "title");
	names = p->names ? sf_strdup(p->names) : names_of(file, in->said);
	status = add_members(&in->on, p, u, names);
	free(names);
	label(in);
	return status ? status : settle(in, p);
}

int sf_crash_open(struct sf_crash_input *in, const struct sf_crash_plan *p,
		  const struct sf_usage *u, const char *file)
{
	struct sf_input data;
	int status;

	*in = (struct sf_crash_input){ .name = file };
	sf_prog_init(&in->prog);
	status = sf_input_open(&data, file, p->bytes);
	if (status)
		return status;
	/* An engine's mutation may have hit the magic: text has no NUL, records do. */
	if (data.kind == SF_INPUT_TEXT && memchr(data.data, 0, data.len))
		data.kind = SF_INPUT_BYTES;
	status = open_program(in, p, u, &data);
	sf_input_close(&data);
	return status;
}

void sf_crash_close(struct sf_crash_input *in)
{
	sf_members_free(&in->on);
	sf_prog_free(&in->prog);
	free(in->label);
	free(in->title);
	free(in->said);
}

struct sf_rerun_options sf_crash_rerun(const struct sf_crash_input *in,
				       const struct sf_crash_plan *p, struct sf_target *target)
{
	uint32_t mb = p->memory ? p->memory : sf_memory_mb();

	*target = (struct sf_target){ .program = p->target };
	return (struct sf_rerun_options){
		.on = &in->on, .timeout_ms = p->timeout * 1000,
		.memory_bytes = (uint64_t)mb << 20, .target = p->target ? target : NULL,
	};
}

/* --- interrupts --- */

static volatile sig_atomic_t interrupts;

static void count(int nr)
{
	if (++interrupts > 2) {
		signal(nr, SIG_DFL);
		raise(nr);
	}
}

const volatile sig_atomic_t *sf_crash_interrupts(void)
{
	const struct sigaction ours = { .sa_handler = count, .sa_flags = SA_RESTART };

	sigaction(SIGINT, &ours, NULL);
	sigaction(SIGTERM, &ours, NULL);
	return &interrupts;
}
