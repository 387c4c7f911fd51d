// SPDX-License-Identifier: MIT
/*
 * cmd_repro.c - `slabfuzz repro`: a find as a folder with a C program that shows it without
 * slabfuzz. It is compiled and run before anybody gets it: what does not show the bug is not
 * written. repro_user.c and repro_model.c write the C.
 */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../fuzz/child.h"
#include "../fuzz/crash_file.h"
#include "../fuzz/files.h"
#include "crash_input.h"
#include "cmd.h"
#include "parts.h"
#include "repro.h"

enum {
	RUNS = 3,           /* of the program, and of what was made of it */
	SELDOM = 20,        /* of a program that has not shown it yet */
	BUILD_SECONDS = 300,
	RUN_SECONDS = 20,
};

struct plan {
	struct sf_crash_plan find;
	const char *out, *source;
};

static const struct sf_row rows[] = {
	SF_TEXT('o', "output", "DIR", struct plan, out, "the folder to make; it is not there yet"),
	SF_CRASH_ROWS(struct plan, find),
	SF_TEXT(0, "source", "DIR", struct plan, source,
		"of a model: its folder allocators/ (default: that it was built from)"),
	{ 0 },
};

static const struct sf_usage usage = {
	"repro", "FILE -o DIR",
	"Makes a folder with a C program that shows what FILE, a program, shows, and needs no\n"
	"more than a C compiler and the allocator: repro.c, Makefile, README.md, bisect.sh and\n"
	"program.txt. It is compiled and run first: if it does not show the bug, nothing is\n"
	"written. minimize makes FILE small; do that before.",
	rows,
};

/* What is made, step by step. */
struct making {
	const struct plan *plan;
	struct sf_crash_input *in;
	const struct sf_member *member;
	struct sf_symptom shows;
	char *report;          /* of a crash, NULL */
	uint32_t repeated, looked;
	char *temp;            /* the folder, until it is done */
	char *library;         /* of a library or plug-in; "": the C library */
	char *source;          /* allocators/, of a model */
	struct sf_repro repro;
	bool crashed;          /* it died of it, as the allocator did */
	char *said;            /* by it, last */
};

/* --- heads --- */

void sf_repro_comment(const struct sf_repro *r, uint32_t op, FILE *f)
{
	char *text = NULL;
	size_t len = 0;
	FILE *m = open_memstream(&text, &len);

	if (!m)
		sf_out_of_memory();
	sf_text_write_op(r->prog, op, m);
	fclose(m);
	text[strcspn(text, "\n")] = 0;
	/* No name ends the comment. */
	for (char *c = strstr(text, "*/"); c; c = strstr(c, "*/"))
		*c = '?';
	fprintf(f, "\n\t/* %s */\n", text);
	free(text);
}

static void put_safely(const char *s, FILE *f)
{
	for (; *s; s++)
		fputc(s[0] == '*' && s[1] == '/' ? '?' : *s, f);
}

void sf_repro_head(const struct sf_repro *r, FILE *f)
{
	fputs("/*\n * ", f);
	put_safely(r->shows->title, f);
	fprintf(f, "\n *\n * on %s. Exits with 1 and says so if the bug is there%s, with 0 if "
		"not.\n */\n", r->label,
		sf_crash_is_judged(r->shows->kind) ? "" : ", or crashes of it");
}

/* --- the other files --- */

static void put_makefile(const struct making *m, FILE *f)
{
	bool sanitize = strstr(m->shows.title, "ASan:");

	fprintf(f, "# make run: 0 if the bug is not there. README.md says more.\n"
		"CC ?= cc\nCFLAGS ?= -O1 -g%s\n", sanitize ? " -fsanitize=address" : "");
	if (m->source)
		fprintf(f, "ALLOCATORS ?= %s\n\n"
			"C := $(wildcard $(ALLOCATORS)/*.c)\n"
			"O := $(patsubst $(ALLOCATORS)/%%.c,o/%%.o,$(C))\n"
			"FLAGS := -std=gnu11 -D_GNU_SOURCE= -w -DSF_ASSERT=0 -I. "
			"-I$(ALLOCATORS)\n\n"
			"repro: repro.c event_hash.h $O\n"
			"\t$(CC) $(FLAGS) $(CFLAGS) -o $@ repro.c $O -lpthread -lm -ldl\n\n"
			"o/%%.o: $(ALLOCATORS)/%%.c $(wildcard $(ALLOCATORS)/*.h)\n"
			"\t@mkdir -p o\n\t$(CC) $(FLAGS) $(CFLAGS) -c -o $@ $<\n\n"
			"run: repro\n\t./repro\n\nclean:\n\trm -rf repro o\n", m->source);
	else if (m->repro.plugin)
		fprintf(f, "PLUGIN ?= %s\n\n"
			"repro: repro.c plugin.h $(PLUGIN)\n"
			"\t$(CC) -std=gnu11 -D_GNU_SOURCE= $(CFLAGS) -I. -o $@ repro.c "
			"$(PLUGIN) \\\n"
			"\t\t-Wl,-rpath,$(dir $(abspath $(PLUGIN)))\n\n"
			"run: repro\n\t./repro\n\nclean:\n\trm -f repro\n", m->library);
	else
		fprintf(f, "LIBRARY ?= %s\n\n"
			"repro: repro.c\n"
			"\t$(CC) -std=gnu11 -D_GNU_SOURCE= -fno-builtin $(CFLAGS) -o $@ repro.c\n\n"
			"run: repro\n\tLD_PRELOAD=$(LIBRARY) ./repro\n\nclean:\n\trm -f repro\n",
			m->library);
}

static void put_bisect(const struct making *m, FILE *f)
{
	fprintf(f, "#!/bin/sh\n"
		"# git bisect run %s: 0 good, 1 bad, 125 cannot be told.\n"
		"# REPRO_BUILD: what builds the allocator there (default: nothing).\n"
		"here=$(cd \"$(dirname \"$0\")\" && pwd)\n"
		"sh -c \"${REPRO_BUILD:-:}\" || exit 125\n", "DIR/bisect.sh");
	if (m->source)
		fputs("make -C \"$here\" -s clean repro "
		      "ALLOCATORS=\"${ALLOCATORS:-$PWD/allocators}\" || exit 125\n", f);
	else
		fputs("make -C \"$here\" -s clean repro || exit 125\n", f);
	fputs("make -C \"$here\" -s run\n[ $? = 0 ] || exit 1\n", f);
}

static void put_readme(const struct making *m, FILE *f)
{
	const struct sf_symptom *s = &m->shows;

	fprintf(f, "# %s\n\nOn `%s`, found by slabfuzz.\n\n", s->title, m->in->label);
	if (s->kind == SF_CRASH_VIOLATION)
		fprintf(f, "**Due**, by %s: %s\n\n", sf_invariants[s->invariant].id,
			sf_invariants[s->invariant].statement);
	if (s->kind == SF_CRASH_VIOLATION && sf_invariants[s->invariant].source)
		fprintf(f, "The rule is from %s.\n\n", sf_invariants[s->invariant].source);
	if (*s->detail)
		fprintf(f, "**Seen**: %s\n\n", s->detail);
	if (s->op != SF_NONE)
		fprintf(f, "In operation %u of [program.txt](program.txt).\n\n", s->op + 1);
	fprintf(f, "`make run` exits with 0 if the bug is not there; else it says\n\n    %.*s\n\n",
		(int)strcspn(m->said, "\n"), *m->said ? m->said : "(nothing: it crashes)");
	fprintf(f, "It came in %u of %u runs of slabfuzz, and in each run of repro.c.\n\n",
		m->repeated, m->looked);
	if (m->report && *m->report) {
		fputs("## Stack\n\n", f);
		for (const char *l = m->report; *l; l += strcspn(l, "\n"), l += *l == '\n')
			fprintf(f, "    %.*s\n", (int)strcspn(l, "\n"), l);
		fputs("\n", f);
	}
	fputs("## Which commit\n\nIn the allocator's repository:\n\n"
	      "    git bisect start BAD GOOD\n", f);
	if (m->source)
		fputs("    git bisect run THIS/bisect.sh\n", f);
	else
		fputs("    REPRO_BUILD=make git bisect run THIS/bisect.sh\n", f);
	fprintf(f, "\nwith THIS for the path of this folder. The allocator is taken from %s\n"
		"(the first variable in the Makefile).\n",
		m->source ? m->source : *m->library ? m->library : "the C library");
}

/* --- writing and trying --- */

static int write_file(const struct making *m, const char *name,
		      void (*put)(const struct making *m, FILE *f))
{
	char *path = sf_sprintf("%s/%s", m->temp, name), *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	int status = 0;

	if (!f)
		sf_out_of_memory();
	put(m, f);
	fclose(f);
	if (!sf_write_file(path, text, len))
		status = sf_bad("repro: %s: %s", path, strerror(errno));
	free(text);
	free(path);
	return status;
}

static void put_program(const struct making *m, FILE *f)
{
	sf_crash_file_put(f, "title", m->shows.title, 1);
	sf_crash_file_put(f, "detail", m->shows.detail, 4);
	sf_crash_file_put(f, "allocator", m->in->label, 1);
	sf_text_write(&m->in->prog, f);
}

static int write_c(const struct making *m)
{
	char *path = sf_sprintf("%s/repro.c", m->temp), *text = NULL;
	struct sf_error err = { "" };
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	int status = 0;
	bool fine;

	if (!f)
		sf_out_of_memory();
	fine = m->source ? sf_repro_model(&m->repro, f, &err) : sf_repro_user(&m->repro, f, &err);
	fclose(f);
	if (!fine)
		status = sf_bad("repro: nothing is written: %s", err.text);
	else if (!sf_write_file(path, text, len))
		status = sf_bad("repro: %s: %s", path, strerror(errno));
	free(text);
	free(path);
	return status;
}

/* `make TARGET` there. 0, or what to exit with after a message. */
static int make(struct making *m, const char *const *argv, unsigned int seconds, int *status,
		bool *hung)
{
	const struct sf_child child = { .argv = argv, .seconds = seconds };
	struct sf_child_output out;

	if (!sf_child_run(&child, &out)) {
		sf_say("repro: make: %s", strerror(errno));
		return SF_EXIT_MISSING;
	}
	*status = out.status;
	*hung = out.hung;
	free(m->said);
	m->said = out.text;
	return 0;
}

static int build(struct making *m)
{
	const char *const argv[] = { "make", "-s", "-j4", "-C", m->temp, "repro", NULL };
	int status = 0, result;
	bool hung;

	result = make(m, argv, BUILD_SECONDS, &status, &hung);
	if (result)
		return result;
	if (hung || !WIFEXITED(status) || WEXITSTATUS(status) == 127) {
		sf_say("repro: make is missing, or takes too long");
		return SF_EXIT_MISSING;
	}
	if (WEXITSTATUS(status))
		return sf_bad("repro: nothing is written: it does not compile: %.*s",
			      (int)strcspn(m->said, "\n"), m->said);
	return 0;
}

/* Does the program that was built show it? What crashed has to crash. */
static int run(struct making *m, bool *shows)
{
	char *path = sf_sprintf("%s/repro", m->temp), *preload = NULL;
	const char *argv[] = { path, NULL };
	const char *env[2] = { NULL, NULL };
	struct sf_child child = { .argv = argv, .env = env, .seconds = RUN_SECONDS };
	struct sf_child_output out;
	bool judged = sf_crash_is_judged(m->shows.kind), bug, died;

	if (m->library && !m->repro.plugin)
		env[0] = preload = sf_sprintf("LD_PRELOAD=%s", m->library);
	if (!sf_child_run(&child, &out))
		return sf_bad("repro: %s: %s", path, strerror(errno));
	died = WIFSIGNALED(out.status) || (WIFEXITED(out.status) && WEXITSTATUS(out.status) > 1);
	bug = !out.hung && WIFEXITED(out.status) && WEXITSTATUS(out.status) == 1 &&
	      strstr(out.text, "BUG: ");
	*shows = m->shows.kind == SF_CRASH_HANG ? out.hung : judged ? bug : bug || died;
	if (WIFEXITED(out.status) && WEXITSTATUS(out.status) == 125)
		*shows = false;
	free(m->said);
	m->said = out.text;
	free(path);
	free(preload);
	return 0;
}

/* Each time, or it is none. */
static int run_all(struct making *m, bool *shows)
{
	int status = 0;

	*shows = true;
	for (int i = 0; i < RUNS && !status && *shows; i++) {
		status = run(m, shows);
		if (m->shows.kind == SF_CRASH_HANG)
			break;
	}
	return status;
}

/* What it sees with the bug, by its own word. */
static int take_fingerprint(struct making *m)
{
	char *path = sf_sprintf("%s/repro", m->temp);
	const char *const argv[] = { path, "seen", NULL };
	const struct sf_child child = { .argv = argv, .seconds = RUN_SECONDS };
	struct sf_child_output out;

	if (!sf_child_run(&child, &out))
		return sf_bad("repro: %s: %s", path, strerror(errno));
	m->repro.fingerprint = strtoull(out.text, NULL, 16);
	free(out.text);
	free(path);
	return 0;
}

static int not_shown(const struct making *m)
{
	const char *line = m->said ? m->said : "";

	if (m->source)
		return sf_bad("repro: nothing is written: the model from %s does not show it: "
			      "is it built from other sources? (--source)", m->source);
	return sf_bad("repro: nothing is written: what plain C can see of '%s' is fine%s%.*s",
		      m->shows.title, *line ? "; it said: " : "", (int)strcspn(line, "\n"), line);
}

static int make_c(struct making *m)
{
	bool shows = false;
	int status = write_c(m);

	if (!status)
		status = build(m);
	if (!status)
		status = run_all(m, &shows);
	if (status || shows)
		return status;
	if (!m->source || !sf_crash_is_judged(m->shows.kind))
		return not_shown(m);
	status = take_fingerprint(m);
	if (!status)
		status = write_c(m);
	if (!status)
		status = build(m);
	if (!status)
		status = run_all(m, &shows);
	return status ? status : shows ? 0 : not_shown(m);
}

/* --- what it needs of others --- */

/* `folder` is where it includes others from: they are in its own one now. */
static int write_header(const struct making *m, const char *text, const char *name,
			const char *folder)
{
	char *path = sf_sprintf("%s/%s", m->temp, name);
	const char *at = folder ? strstr(text, folder) : NULL;
	char *own = sf_sprintf("%.*s%s", at ? (int)(at - text) : 0, text,
			       at ? at + strlen(folder) : text);
	int status = 0;

	if (!sf_write_file(path, own, strlen(own)))
		status = sf_bad("repro: %s: %s", path, strerror(errno));
	free(own);
	free(path);
	return status;
}

static int find_source(struct making *m)
{
	char path[PATH_MAX];

	if (m->plan->source)
		m->source = realpath(m->plan->source, path) ? sf_strdup(path) : NULL;
	else
		m->source = sf_part("../../allocators");
	if (!m->source)
		return sf_bad("repro: the sources of '%s' are not here: --source DIR",
			      m->member->label);
	return write_header(m, sf_event_hash_header, "event_hash.h", "../../allocators/");
}

static int find_library(struct making *m)
{
	const char *colon = strchr(m->member->label, ':');
	size_t len = colon ? strcspn(colon + 1, "@") : 0;
	char *name = sf_sprintf("%.*s", (int)len, colon ? colon + 1 : ""), path[PATH_MAX];

	m->library = sf_strdup(len && realpath(name, path) ? path : name);
	free(name);
	if (!m->repro.plugin)
		return 0;
	return write_header(m, sf_plugin_header, "plugin.h", NULL);
}

/* Whose fault it is to be: of several, one from outside. */
static int choose(struct making *m)
{
	const struct sf_members *on = &m->in->on;

	m->member = &on->m[0];
	for (uint32_t i = 0; i < on->nr; i++)
		if (on->m[i].allocator->instance)
			m->member = &on->m[i];
	if (!strncmp(m->member->label, "model:", 6))
		return sf_bad("repro: %s: a model of another build: run this in its own tree",
			      m->member->label);
	if (on->nr > 1 && !m->member->allocator->instance)
		return sf_bad("repro: a difference between models is nobody's fault yet: say which "
			      "(-a NAME), or look at it with diff");
	m->repro = (struct sf_repro){
		.prog = &m->in->prog, .allocator = m->member->allocator,
		.label = m->member->label, .shows = &m->shows,
		.plugin = !strncmp(m->member->label, "plugin:", 7),
	};
	return m->member->allocator->instance ? find_library(m) : find_source(m);
}

/* --- the whole --- */

/* That it shows it, and how often. */
static int look(struct making *m)
{
	struct sf_target target;
	const struct sf_rerun_options opt = sf_crash_rerun(m->in, &m->plan->find, &target);
	struct sf_error err = { "" };
	struct sf_rerun *r = sf_rerun_open(&opt, &err);
	struct sf_symptom s;

	if (!r)
		return sf_bad("repro: %s", err.text);
	while (m->looked < RUNS || (!m->repeated && m->looked < SELDOM)) {
		const char *report;

		m->looked++;
		if (*err.text)
			break;
		if (!sf_rerun(r, &m->in->prog, m->in->title, &s, &err))
			continue;
		m->shows = s;
		m->repeated++;
		report = sf_rerun_report(r);
		free(m->report);
		m->report = report && !sf_crash_is_judged(s.kind) ? sf_strdup(report) : NULL;
		if (s.kind == SF_CRASH_HANG)
			break;
	}
	sf_rerun_close(r);
	if (m->repeated)
		return 0;
	return sf_bad("%s: on %s: %s", m->in->name, m->in->label, *err.text ? err.text :
		      "it does not show it; for a find that seldom comes: minimize --tries");
}

static int make_temp(struct making *m)
{
	m->temp = sf_sprintf("%s.XXXXXX", m->plan->out);
	if (!access(m->plan->out, F_OK))
		return sf_bad("repro: %s is there already", m->plan->out);
	if (!mkdtemp(m->temp))
		return sf_bad("repro: %s: %s", m->plan->out, strerror(errno));
	chmod(m->temp, 0755);
	return 0;
}

/* What building left, and then it has its name. */
static int hand_over(const struct making *m)
{
	char *path = sf_sprintf("%s/o", m->temp);

	sf_remove_tree(path);
	free(path);
	path = sf_sprintf("%s/bisect.sh", m->temp);
	chmod(path, 0755);
	free(path);
	path = sf_sprintf("%s/repro", m->temp);
	unlink(path);
	free(path);
	if (rename(m->temp, m->plan->out))
		return sf_bad("repro: %s: %s", m->plan->out, strerror(errno));
	printf("%s: %s\n", m->plan->out, m->shows.title);
	printf("  shown by repro.c in %d of %d runs: make -C %s run\n", RUNS, RUNS, m->plan->out);
	return 0;
}

static int repro(struct making *m)
{
	int status = look(m);

	if (!status)
		status = make_temp(m);
	if (!status)
		status = choose(m);
	if (!status)
		status = write_file(m, "Makefile", put_makefile);
	if (!status)
		status = make_c(m);
	if (!status)
		status = write_file(m, "program.txt", put_program);
	if (!status)
		status = write_file(m, "bisect.sh", put_bisect);
	if (!status)
		status = write_file(m, "README.md", put_readme);
	if (!status)
		status = hand_over(m);
	if (status && m->temp)
		sf_remove_tree(m->temp);
	free(m->temp);
	free(m->library);
	free(m->source);
	free(m->report);
	free(m->said);
	return status;
}

int sf_cmd_repro(int argc, char **argv)
{
	struct plan p = { .find = SF_CRASH_PLAN };
	int status = sf_take_options(&usage, &p, argc, argv);
	struct sf_crash_input in;

	if (status == SF_GO_ON && optind + 1 != argc) {
		status = sf_usage_error(&usage, "expected one file");
	} else if (status == SF_GO_ON && !p.out) {
		status = sf_usage_error(&usage, "where to? -o DIR");
	} else if (status == SF_GO_ON) {
		struct making m = { .plan = &p, .in = &in };

		status = sf_crash_open(&in, &p.find, &usage, argv[optind]);
		if (!status)
			status = repro(&m);
		sf_crash_close(&in);
	}
	sf_crash_plan_free(&p.find);
	return status;
}
