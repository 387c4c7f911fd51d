// SPDX-License-Identifier: MIT
/*
 * cmd_fuzz.c - `slabfuzz fuzz`: the installed engines on allocators, from built-in seeds, and the
 * summary of what they found. harness/fuzz/ does the work (engine.h).
 */
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../fuzz/engine.h"
#include "../fuzz/files.h"
#include "cmd.h"
#include "json.h"
#include "keep_finds.h"
#include "known.h"
#include "members.h"
#include "parts.h"
#include "select.h"

enum { WITH_LIBFUZZER, WITH_AFL };

struct plan {
	struct sf_selection on;
	const char *corpus, *crashes, *target, *flags, *dict, *coverage, *known;
	char *lockstep; /* partners, with blanks between them; "default"; NULL: none */
	struct sf_words seeds;
	uint64_t seed;
	uint32_t seconds, jobs, max_len, minimize;
	uint8_t engine;
	bool no_seeds, raw, json;
};

static const char *const engines[] = { "libfuzzer", "afl", NULL };

static int take_seeds(void *to, const struct sf_usage *u, const char *folder)
{
	if (access(folder, R_OK | X_OK))
		return sf_bad("%s: --seeds %s: no such folder", u->name, folder);
	sf_words_add(to, "%s", folder);
	return 0;
}

/* Read here already: what is wrong is said once, and not by each engine. */
static int take_lockstep(void *to, const struct sf_usage *u, const char *list)
{
	struct sf_members m = { .nr = 0 };
	char **partners = to;
	bool word = !list || !strcmp(list, "relations");
	int status = word ? 0 : sf_members_add(&m, u, list);

	free(*partners);
	*partners = sf_strdup(!word ? "" : list ? list : "default");
	for (uint32_t i = 0; i < m.nr; i++) {
		char *more = sf_sprintf("%s%s%s", *partners, i ? " " : "", m.m[i].label);

		free(*partners);
		*partners = more;
	}
	sf_members_free(&m);
	if (!status && !**partners)
		status = sf_usage_error(u, "--lockstep: with whom?");
	return status;
}

static const struct sf_row rows[] = {
	SF_ALLOCATORS_ROW("NAME,…", struct plan, on,
			  "these allocators, or all (default; afl: baseline)"),
	SF_TRAIT_ROW(struct plan, on),
	SF_CALL(0, "lockstep", "[=MEMBER,…]", struct plan, lockstep, take_lockstep,
		"each in lockstep with these, or with whom fits; relations: with itself"),
	SF_WORD("engine", "NAME", struct plan, engine, engines, "libfuzzer (default) or afl"),
	SF_NUMBER("seconds", "N", struct plan, seconds, 1, 100000000, "how long (default: 60)"),
	SF_NUMBER("jobs", "N", struct plan, jobs, 1, 1024,
		  "processes side by side (default: one for each CPU)"),
	SF_TEXT(0, "corpus", "DIR", struct plan, corpus,
		"what is found worth keeping (default: slabfuzz-corpus)"),
	SF_TEXT(0, "crashes", "DIR", struct plan, crashes,
		"finds (default: slabfuzz-crashes)"),
	SF_NUMBER("minimize", "SECONDS", struct plan, minimize, 0, 1000000,
		  "time for the smallest program of each find (default: 10; 0: none)"),
	SF_TEXT(0, "known", "FILE", struct plan, known,
		"titles that are known: counted, not reported (TITLE | ADDRESS | EXPIRY)"),
	SF_NUMBER("seed", "N", struct plan, seed, 0, UINT32_MAX,
		  "of the engine's random numbers (default: drawn)"),
	SF_CALL(0, "seeds", "DIR", struct plan, seeds, take_seeds,
		"programs to begin with, instead of the built-in ones"),
	SF_FLAG("no-seeds", struct plan, no_seeds, "no programs to begin with"),
	SF_TEXT(0, "target", "FILE", struct plan, target,
		"this target of the engine, instead of the installed one"),
	SF_FLAG("raw", struct plan, raw,
		"the target runs on no allocator, and seeds are its input"),
	SF_NUMBER("max-len", "N", struct plan, max_len, 16, 1 << 20,
		  "bytes of an input, libfuzzer (default: 4096)"),
	SF_TEXT(0, "dict", "FILE", struct plan, dict, "a dictionary, libfuzzer"),
	SF_TEXT(0, "coverage", "FILE", struct plan, coverage,
		"write what the corpus covers, libfuzzer"),
	SF_TEXT(0, "flags", "WORDS", struct plan, flags, "more options for the engine"),
	SF_JSON(struct plan, json),
	{ 0 },
};

static const struct sf_usage usage = {
	"fuzz", "",
	"Fuzzes allocators until the time is over (Ctrl-C ends it early), under all oracles. No\n"
	"find ends it; each is confirmed in a fresh process, and printed once, with its smallest\n"
	"program. What was kept in the corpus is gone on from. Exit status 1: something was found.",
	rows,
};

/* --- where things are --- */

/* Installed: ../libexec/slabfuzz/NAME. Where it was built: ../NAME, the command is in plain/. */
static char *find_part(const char *name)
{
	char *where = sf_path("../libexec/slabfuzz/%s", name), *path = sf_part(where);

	free(where);
	if (!path) {
		where = sf_path("../%s", name);
		path = sf_part(where);
		free(where);
	}
	return path;
}

/* The kernel's words, or those of malloc(): installed, and where it was built. */
static void find_seeds(struct sf_words *w, bool user)
{
	static const char *const where[2][3] = {
		{ "../share/slabfuzz/seeds", "../../corpora/seeds", "../../corpora/regressions" },
		{ "../share/slabfuzz/user", "../../corpora/user" },
	};
	size_t before = w->nr;

	for (int i = 0; i < 3 && where[user][i] && !(i == 1 && w->nr > before); i++) {
		char *path = sf_part(where[user][i]);

		if (path)
			sf_words_add(w, "%s", path);
		free(path);
	}
}

/* What the allocators have words for. */
static void choose_seeds(struct plan *p)
{
	bool kernel = !p->on.nr && !p->on.nr_left, user = p->on.nr_left;

	for (uint32_t i = 0; i < p->on.nr; i++) {
		bool has = p->on.allocator[i]->caps & SF_CAP_KMALLOC;

		kernel |= has;
		user |= !has;
	}
	if (kernel)
		find_seeds(&p->seeds, false);
	if (user)
		find_seeds(&p->seeds, true);
}

static bool in_path(const char *program)
{
	const char *path = getenv("PATH");
	char all[4096], *save = NULL;

	snprintf(all, sizeof(all), "%s", path ? path : "");
	for (char *dir = strtok_r(all, ":", &save); dir; dir = strtok_r(NULL, ":", &save)) {
		char *file = sf_path("%s/%s", dir, program);
		bool there = !access(file, X_OK);

		free(file);
		if (there)
			return true;
	}
	return false;
}

static uint32_t nr_cpus(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) ? 1 : (uint32_t)CPU_COUNT(&set);
}

/* --- what was found --- */

static void print_find(const struct sf_find *f, const struct sf_known_title *known)
{
	printf("  %s       %s\n              %s\n              ", known ? "known" : "found",
	       f->title, f->text);
	if (known && *known->address)
		printf("%s; ", known->address);
	if (f->times > 1)
		printf("%" PRIu64 " times; ", f->times);
	if (!f->repeated) {
		printf("not confirmed: not once again in %u fresh processes\n", f->tried);
		return;
	}
	printf("%s: %u of %u fresh processes", f->repeated == f->tried ? "confirmed" :
	       "confirmed, not always", f->repeated, f->tried);
	if (f->before)
		printf(", after %u programs (%.*s.before/)", f->before,
		       (int)strlen(f->text) - 4, f->text);
	putchar('\n');
}

static double share(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 0;
}

static uint64_t rate(const struct sf_engine_result *r)
{
	return (uint64_t)((double)r->executions / (r->seconds > 1 ? r->seconds : 1));
}

static void print_result(const struct plan *p, const struct sf_engine_plan *e,
			 const struct sf_engine_result *r, const struct sf_known *known)
{
	printf("%s: %.0f s of %s%s%s%s\n", p->engine == WITH_AFL ? "afl" : "fuzz", r->seconds,
	       e->target, p->engine == WITH_AFL ? " on " : "",
	       p->engine == WITH_AFL ? e->allocators : "", r->interrupted ? ", interrupted" : "");
	printf("  executions  %" PRIu64 " (%" PRIu64 "/s)\n", r->executions, rate(r));
	for (uint32_t i = 0; p->engine == WITH_LIBFUZZER && i < r->nr_allocators; i++)
		printf("    %-12s %" PRIu64 " (%" PRIu64 " edges)\n", r->allocators[i].name,
		       r->allocators[i].runs, r->allocators[i].edges);
	if (p->lockstep)
		printf("  lockstep    %s: %" PRIu64 " values compared, %" PRIu64 " not\n",
		       p->lockstep, r->compared, r->uncompared);
	printf("  edges       %" PRIu64, r->edges);
	if (r->edges_total)
		printf(" of %" PRIu64, r->edges_total);
	if (r->running && r->cpu)
		printf("\n  time        %.1f %% runs programs, of which the costliest 1 %% took "
		       "%.1f %%; %.1f %% opens heaps", share(r->running, r->cpu),
		       share(r->costliest, r->running), share(r->opening, r->cpu));
	if (*r->stability)
		printf("\n  stability   %s", r->stability);
	printf("\n  corpus      %s (%zu files; seeds: %zu)\n", r->corpus, r->files, r->seeds);
	if (e->coverage)
		printf("  coverage    %s\n", e->coverage);
	printf("  crashes     %s\n  log         %s\n", e->crashes, r->log);
	for (uint32_t i = 0; i < r->finds.nr; i++)
		print_find(&r->finds.list[i], sf_known_of(known, r->finds.list[i].title));
	sf_known_print_rest(known);
	if (!r->finds.nr)
		puts("  found       nothing");
}

static json_t *json_find(const struct sf_find *f, const struct sf_known_title *known)
{
	return json_pack("{s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:o}", "title",
			 sf_json_text(f->title), "kind", sf_crash_key(f->kind), "program",
			 sf_json_text(f->text), "allocator", sf_json_text(f->allocator), "times",
			 sf_json_number(f->times), "repeated", sf_json_number(f->repeated), "tried",
			 sf_json_number(f->tried), "before", sf_json_number(f->before),
			 "known", known != NULL, "issue",
			 sf_json_text(known ? known->address : NULL));
}

static json_t *json_lockstep(const struct plan *p, const struct sf_engine_result *r)
{
	if (!p->lockstep)
		return json_null();
	return json_pack("{s:o, s:o, s:o}", "with", sf_json_text(p->lockstep), "compared",
			 sf_json_number(r->compared), "skipped", sf_json_number(r->uncompared));
}

static void print_json(const struct plan *p, const struct sf_engine_plan *e,
		       const struct sf_engine_result *r, const struct sf_known *known)
{
	json_t *on = json_array(), *found = json_array();
	/* AFL++ knows of no allocators. */
	bool counted = p->engine == WITH_LIBFUZZER;

	for (uint32_t i = 0; i < r->nr_allocators; i++) {
		const struct sf_engine_allocator *a = &r->allocators[i];

		json_array_append_new(on, json_pack("{s:o, s:o, s:o}", "allocator",
						    sf_json_text(a->name), "executions",
						    counted ? sf_json_number(a->runs) : json_null(),
						    "edges",
						    counted ? sf_json_number(a->edges) :
							    json_null()));
	}
	for (uint32_t i = 0; i < r->finds.nr; i++)
		json_array_append_new(found,
				      json_find(&r->finds.list[i],
						sf_known_of(known, r->finds.list[i].title)));
	sf_json_print(json_pack("{s:s, s:o, s:f, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o,"
				"s:o, s:o}", "engine", engines[p->engine], "target",
				sf_json_text(e->target), "seconds", r->seconds, "interrupted",
				r->interrupted, "executions", sf_json_number(r->executions),
				"allocators", on, "edges", sf_json_number(r->edges), "stability",
				sf_json_text(*r->stability ? r->stability : NULL), "corpus",
				sf_json_text(r->corpus), "files", sf_json_number(r->files), "seeds",
				sf_json_number(r->seeds), "crashes", sf_json_text(e->crashes),
				"log", sf_json_text(r->log), "lockstep", json_lockstep(p, r),
				"found", found), stdout);
}

/* --- the command --- */

static char *names_of(const struct sf_selection *on)
{
	char *names = sf_strdup("");

	for (uint32_t i = 0; i < on->nr + on->nr_left; i++) {
		const char *name = i < on->nr ? on->allocator[i]->name : on->left[i - on->nr];
		char *more = sf_path("%s%s%s", names, i ? " " : "", name);

		free(names);
		names = more;
	}
	return names;
}

static int lacks_part(const struct plan *p, const char *what)
{
	sf_say("fuzz: %s is not there: it was not built, or not installed (Debian: apt install "
	       "clang libclang-rt-dev%s, then make)", what, p->engine == WITH_AFL ? " afl++" : "");
	return SF_EXIT_MISSING;
}

/* 0, or what to exit with after a message. Strings are for drop_plan(), either way. */
static int prepare(struct plan *p, struct sf_engine_plan *e)
{
	static const char *const none[] = { NULL };
	bool afl = p->engine == WITH_AFL;
	int status;

	p->on.leave = true; /* targets have sanitizers, whatever this program has */
	status = p->raw ? 0 : sf_select_open(&p->on, &usage, afl ? "baseline" : "all");
	if (status)
		return status;
	if (afl && !in_path("afl-fuzz")) {
		sf_say("fuzz: afl-fuzz is missing; Debian: apt install afl++");
		return SF_EXIT_MISSING;
	}
	e->target = p->target ? sf_strdup(p->target) :
				find_part(afl ? "afl_program" : "libfuzzer_program");
	if (!e->target)
		return lacks_part(p, afl ? "afl_program" : "libfuzzer_program");
	e->mutator = afl ? find_part("afl_mutator.so") : NULL;
	if (afl && !e->mutator)
		return lacks_part(p, "afl_mutator.so");
	if (!p->seeds.nr && !p->no_seeds)
		choose_seeds(p);
	if (!p->seeds.nr && !p->no_seeds)
		return lacks_part(p, "share/slabfuzz/seeds");
	e->allocators = p->raw ? NULL : names_of(&p->on);
	e->seeds = p->no_seeds ? none : (const char *const *)p->seeds.word;
	/* The engine's processes open the same allocators. */
	if (p->on.traits)
		setenv("SLABFUZZ_TRAITS", p->on.traits, 1);
	if (p->lockstep)
		setenv("SLABFUZZ_LOCKSTEP", p->lockstep, 1);
	return 0;
}

static void drop_plan(struct sf_engine_plan *e)
{
	free((char *)e->target);
	free((char *)e->mutator);
	free((char *)e->allocators);
}

enum { MINIMIZE_INTERRUPTED = 2 }; /* seconds a find: who interrupts wants to go on */

/* Made small, and put in a folder for each title. */
static void keep_finds(const struct plan *p, const struct sf_engine_plan *e,
		       struct sf_engine_result *r)
{
	struct sf_keep k = { .store = e->crashes, .target = e->target, .seconds = p->minimize };

	if (p->raw)
		return;
	if (r->interrupted && k.seconds > MINIMIZE_INTERRUPTED)
		k.seconds = MINIMIZE_INTERRUPTED;
	sf_keep_finds(&k, &r->finds);
}

/* Those that nobody knows yet. */
static uint32_t new_finds(struct sf_known *known, const struct sf_engine_result *r)
{
	uint32_t new = 0;

	for (uint32_t i = 0; i < r->finds.nr; i++)
		new += !sf_known_find(known, r->finds.list[i].title);
	return new;
}

static int fuzz(struct plan *p)
{
	struct sf_engine_plan e = {
		.corpus = p->corpus, .crashes = p->crashes, .flags = p->flags, .dict = p->dict,
		.coverage = p->coverage, .raw = p->raw, .progress = isatty(STDERR_FILENO),
		.seconds = p->seconds, .jobs = p->jobs ? p->jobs : nr_cpus(),
		.max_len = p->max_len, .seed = p->seed,
	};
	struct sf_engine_result r = { .seconds = 0 };
	struct sf_error err = { "" };
	struct sf_known known;
	int status = sf_known_read(&known, p->known);

	status = status ? status : prepare(p, &e);
	if (status) {
		drop_plan(&e);
		sf_known_free(&known);
		return status;
	}
	status = p->engine == WITH_AFL ? sf_with_afl(&e, &r, &err) :
					 sf_with_libfuzzer(&e, &r, &err);
	if (status) {
		sf_say("fuzz: %s", err.text);
	} else {
		keep_finds(p, &e, &r);
		status = new_finds(&known, &r) ? SF_EXIT_WRONG : SF_EXIT_GOOD;
		if (p->json)
			print_json(p, &e, &r, &known);
		else
			print_result(p, &e, &r, &known);
		/* Who was not compared is not alike. AFL++ counts nothing. */
		if (p->lockstep && !r.compared && p->engine == WITH_LIBFUZZER && !r.interrupted) {
			sf_say("fuzz: --lockstep: nothing was compared");
			status = SF_EXIT_WRONG;
		}
		/* Coverage that depends on the inputs before is a find of another kind. */
		if (*r.stability && strcmp(r.stability, "100.00%") && !r.interrupted) {
			if (!p->json)
				puts("  found       stability below 100 %: coverage depends on the "
				     "inputs before");
			status = SF_EXIT_WRONG;
		}
	}
	sf_engine_result_free(&r);
	drop_plan(&e);
	sf_known_free(&known);
	return status;
}

int sf_cmd_fuzz(int argc, char **argv)
{
	struct plan p = { .corpus = "slabfuzz-corpus", .crashes = "slabfuzz-crashes",
			  .seconds = 60, .max_len = 4096, .minimize = 10 };
	int status = sf_take_options(&usage, &p, argc, argv);

	if (status == SF_GO_ON && optind < argc)
		status = sf_usage_error(&usage, "'%s': nothing but options was expected",
					argv[optind]);
	else if (status == SF_GO_ON)
		status = fuzz(&p);
	sf_selection_free(&p.on);
	sf_words_free(&p.seeds);
	free(p.lockstep);
	return status;
}
