// SPDX-License-Identifier: MIT
/*
 * compare_promises.c - `slabfuzz compare --attacks` for allocators of any sort, and --promises:
 * what hardened allocators promise, measured; with --claims, held against what somebody says of it.
 *
 * What an allocator draws when it begins, and where the system puts it, is another one in each
 * process: so this command is run again and again, each time with a part of the trials
 * (PART in the environment), and prints them, a line each. promise.c makes them, tally.c counts.
 */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "../fuzz/child.h"
#include "claims.h"
#include "compare.h"

#define PART "SLABFUZZ_ATTACKS_PART"

enum {
	USER_PAGES = 2048,    /* of a heap in a block */
	MODEL_PAGES = 8192,
	PART_SECONDS = 600,
	JOBS_MAX = 16,
	PER_START_MAX = 5000, /* trials, so that a part's lines are kept */
};

#define BIT(outcome) (1u << SF_OUTCOME_##outcome)

struct run {
	struct sf_compare *c;
	const struct sf_promise_plan *plan;
	const char *layout;
	const struct sf_prog *prog;
	const struct sf_allocator *a;
	struct sf_tally tally;
	struct sf_claims *claims;
	json_t *json;        /* of this allocator's claims */
	uint32_t count[3];   /* claims by state */
};

/* --- a part --- */

static void print_trial(void *ctx, enum sf_scenario what, uint32_t trial, const struct sf_trial *t)
{
	(void)ctx;
	printf("trial %u %u %d %x %x %" PRIx64 " %" PRIx64 "\n", (unsigned int)what, trial, t->ran,
	       t->what, t->after, t->first, t->next);
}

static int heap_for(const struct run *r, struct sf_settings *set)
{
	const char *fault;

	if (r->prog) {
		*set = r->prog->settings;
	} else {
		sf_settings_init(set);
		set->pages = r->a->caps & SF_CAP_KMALLOC ? MODEL_PAGES : USER_PAGES;
	}
	fault = sf_overrides_apply(&r->c->overrides, set);
	return fault ? sf_bad("compare: %s", fault) : 0;
}

static int run_part(const struct run *r, const char *part)
{
	struct sf_promise_options opt = { .allocator = r->a, .trials = r->plan->trials,
					  .bytes = r->plan->bytes, .seed = r->plan->seed,
					  .layout = r->prog };
	struct sf_error err = { "" };
	int status;

	prctl(PR_SET_PDEATHSIG, SIGKILL); /* who wants to know is gone */
	if (sscanf(part, "%u/%u", &opt.part, &opt.parts) != 2 || opt.part >= opt.parts)
		return sf_bad("compare: %s=%s: expected N/M", PART, part);
	status = heap_for(r, &opt.settings);
	if (status)
		return status;
	if (!sf_promise_run(&opt, print_trial, NULL, &err))
		return sf_bad("compare: %s: %s", r->a->name, err.text);
	puts("end");
	return 0;
}

/* --- parts --- */

enum { ARGS_MAX = 24 };

struct arguments {
	char *arg[ARGS_MAX + 1];
	uint32_t nr;
};

static void put(struct arguments *a, char *arg)
{
	if (a->nr < ARGS_MAX)
		a->arg[a->nr++] = arg;
	else
		free(arg);
}

static void add_settings(struct arguments *a, const struct sf_overrides *l)
{
	for (uint32_t i = 0; i < l->nr; i++) {
		char text[40];

		put(a, sf_sprintf("--set=%s=%s", l->o[i].info->name,
				  sf_setting_text(l->o[i].info, l->o[i].value, text)));
	}
}

/* This command for one allocator. A layout is the last one: it may look like an option. */
static struct arguments arguments_for(const struct run *r)
{
	struct arguments a = { .nr = 0 };

	put(&a, sf_strdup("/proc/self/exe"));
	put(&a, sf_strdup("compare"));
	put(&a, sf_strdup("--attacks"));
	put(&a, sf_strdup("--promises"));
	put(&a, sf_sprintf("--allocator=%s", r->a->name));
	put(&a, sf_sprintf("--trials=%u", r->plan->trials));
	put(&a, sf_sprintf("--starts=%u", r->plan->starts));
	put(&a, sf_sprintf("--bytes=%u", (unsigned int)r->plan->bytes));
	put(&a, sf_sprintf("--seed=%" PRIu64, r->plan->seed));
	if (r->c->on.traits && !(r->a->caps & SF_CAP_KMALLOC) && r->a->instance)
		put(&a, sf_sprintf("--trait=%s", r->c->on.traits));
	add_settings(&a, &r->c->overrides);
	put(&a, sf_strdup("--"));
	if (r->layout)
		put(&a, sf_strdup(r->layout));
	return a;
}

/* False: it is no whole answer. */
static bool take_lines(struct run *r, const char *text)
{
	for (const char *at = text; *at; at += strcspn(at, "\n"), at += *at == '\n') {
		unsigned int what, trial;
		struct sf_trial t;
		int ran;

		if (!strncmp(at, "end\n", 4))
			return true;
		if (sscanf(at, "trial %u %u %d %x %x %" SCNx64 " %" SCNx64, &what, &trial, &ran,
			   &t.what, &t.after, &t.first, &t.next) != 7)
			continue;
		t.ran = ran;
		sf_tally_add(&r->tally, what, trial, &t);
	}
	return false;
}

static const char *last_line(char *text)
{
	size_t len = strlen(text);
	char *line;

	while (len && text[len - 1] == '\n')
		text[--len] = 0;
	line = strrchr(text, '\n');
	line = line ? line + 1 : text;
	return strncmp(line, "slabfuzz: ", 10) ? line : line + 10;
}

/* It was refused (its own message says why), or it died. One line, to be freed. */
static char *why_it_failed(const struct run *r, uint32_t part, struct sf_child_output *out)
{
	if (out->hung)
		return sf_sprintf("compare: %s: start %u took longer than %d s", r->a->name, part,
				  PART_SECONDS);
	if (WIFSIGNALED(out->status))
		return sf_sprintf("compare: %s: start %u died of signal %d: %s", r->a->name, part,
				  WTERMSIG(out->status), last_line(out->text));
	return sf_strdup(last_line(out->text));
}

/* Several at once: each waits for processes of its own. */
struct parts {
	struct run *r;
	struct arguments args;
	pthread_mutex_t lock; /* of all below, and of the tally */
	uint32_t next;
	char *fault;          /* of the first that failed; then no more are begun */
};

/* False: there are no more. */
static bool take_part(struct parts *p, uint32_t *part)
{
	bool more;

	pthread_mutex_lock(&p->lock);
	more = !p->fault && p->next < p->r->plan->starts;
	*part = p->next;
	p->next += more;
	pthread_mutex_unlock(&p->lock);
	return more;
}

static void take_answer(struct parts *p, uint32_t part, bool ran, struct sf_child_output *out)
{
	char *fault = NULL;

	pthread_mutex_lock(&p->lock);
	if (!ran)
		fault = sf_sprintf("compare: it cannot run itself: %s", strerror(errno));
	else if (out->hung || out->status || !take_lines(p->r, out->text))
		fault = why_it_failed(p->r, part, out);
	if (!p->fault)
		p->fault = fault;
	else
		free(fault);
	pthread_mutex_unlock(&p->lock);
	free(out->text);
}

static void *run_some(void *parts)
{
	struct parts *p = parts;
	uint32_t i;

	while (take_part(p, &i)) {
		char part[64];
		const char *env[] = { part, NULL };
		const struct sf_child child = { .argv = (const char *const *)p->args.arg,
						.env = env, .seconds = PART_SECONDS };
		struct sf_child_output out = { 0 };

		snprintf(part, sizeof(part), PART "=%u/%u", i, p->r->plan->starts);
		take_answer(p, i, sf_child_run(&child, &out), &out);
	}
	return NULL;
}

static uint32_t processors(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set))
		return 1;
	return CPU_COUNT(&set) < JOBS_MAX ? (uint32_t)CPU_COUNT(&set) : JOBS_MAX;
}

/* This thread is one of them, so that all is done even where there can be no other. */
static int run_parts(struct run *r)
{
	struct parts p = { .r = r, .args = arguments_for(r) };
	pthread_t thread[JOBS_MAX];
	uint32_t nr = 0, jobs = processors();
	int status = 0;

	pthread_mutex_init(&p.lock, NULL);
	while (nr + 1 < jobs && !pthread_create(&thread[nr], NULL, run_some, &p))
		nr++;
	run_some(&p);
	while (nr)
		pthread_join(thread[--nr], NULL);
	pthread_mutex_destroy(&p.lock);
	if (p.fault)
		status = sf_bad("%s", p.fault);
	free(p.fault);
	for (uint32_t i = 0; i < p.args.nr; i++)
		free(p.args.arg[i]);
	return status;
}

/* --- figures --- */

static struct sf_chance chance(const struct run *r, enum sf_scenario what, uint32_t any)
{
	struct sf_figure f = { .scenario = (uint8_t)what, .any = any };

	return sf_tally_chance(&r->tally, &f, 0);
}

static struct sf_chance named(const struct run *r, const char *subject)
{
	struct sf_figure f;

	if (!sf_figure_find(subject, NULL, &f))
		return sf_chance(0, 0);
	return sf_tally_chance(&r->tally, &f, 0);
}

/* A mistake, with all that may come of it. */
static bool is_row(unsigned int what)
{
	return what < SF_SCENARIO_GUARD && sf_scenarios[what].use & SF_FOR_PROMISE;
}

/* --- text --- */

static void print_cell(const struct sf_chance *p)
{
	char range[32];

	snprintf(range, sizeof(range), "(%.1f-%.1f)", 100 * p->low, 100 * p->high);
	if (p->n)
		printf(" %5.1f %-12s", 100 * p->share, range);
	else
		printf(" %5s %-12s", "-", "");
}

static void print_row(const struct run *r, enum sf_scenario what)
{
	struct sf_spread s;

	printf("%-12s", sf_scenarios[what].name);
	for (uint32_t k = 0; k <= SF_OUTCOME_DIED; k++) {
		struct sf_chance p = chance(r, what, 1u << k);

		print_cell(&p);
	}
	if (sf_tally_after(&r->tally, what, BIT(LATER), &s))
		printf(" %4u %4u", s.median, s.most);
	else
		printf(" %4s %4s", "-", "-");
	if (sf_tally_left_out(&r->tally, what))
		printf("  (%u left out)", sf_tally_left_out(&r->tally, what));
	putchar('\n');
}

static void print_feature(const char *name, const struct sf_chance *p, const char *more)
{
	if (!p->n)
		printf("%-26s -\n", name);
	else
		printf("%-26s %5.1f %% (%.1f to %.1f)%s\n", name, 100 * p->share, 100 * p->low,
		       100 * p->high, more);
}

static const char *frees(uint32_t n, char buf[24])
{
	if (n == SF_NEVER)
		snprintf(buf, 24, "over %u", SF_REUSE_FREES);
	else
		snprintf(buf, 24, "%u", n);
	return buf;
}

static void print_reuse(const struct run *r)
{
	struct sf_figure f = { .scenario = SF_SCENARIO_REUSE, .unit = SF_FIGURE_FREES };
	struct sf_chance never = sf_tally_chance(&r->tally, &f, SF_NEVER);
	struct sf_spread s;
	char least[24], median[24], most[24];

	if (!sf_tally_after(&r->tally, SF_SCENARIO_REUSE, 0, &s)) {
		printf("%-26s -\n", "frees before reuse");
		return;
	}
	printf("%-26s median %s, least %s, most %s; not within %u: %.1f %% (%.1f to %.1f)\n",
	       "frees before reuse", frees(s.median, median), frees(s.least, least),
	       frees(s.most, most), SF_REUSE_FREES, 100 * never.share, 100 * never.low,
	       100 * never.high);
}

static void print_bits(const struct run *r, const char *name, const char *subject)
{
	struct sf_chance p = named(r, subject);
	struct sf_bits b = sf_bits(&p);

	if (!p.n)
		printf("%-26s -\n", name);
	else
		printf("%-26s %.2f bits (%.2f to %.2f); %u starts can tell %.2f\n", name, b.bits,
		       b.low, b.high, (unsigned int)p.n, log2((double)p.n));
}

static void print_features(const struct run *r)
{
	struct sf_chance canary = named(r, "canary"), guard = named(r, "guard-page");
	struct sf_chance zero = named(r, "zeroing"), fill = named(r, "filling");
	struct sf_chance unmap = named(r, "unmapping"), own = chance(r, SF_SCENARIO_LOOK, BIT(OWN));
	struct sf_spread s;
	char far[64] = "";

	putchar('\n');
	print_feature("canary, looked at by free", &canary, "");
	if (sf_tally_after(&r->tally, SF_SCENARIO_GUARD, BIT(UNMAPPED), &s))
		snprintf(far, sizeof(far), "; after %u bytes (median), %u at least", s.median,
			 s.least);
	print_feature("guard page within 64 KiB", &guard, far);
	print_feature("freed memory zeroed", &zero, "");
	print_feature("  filled otherwise", &fill, "");
	print_feature("  unmapped", &unmap, "");
	print_feature("  holds allocator's data", &own, "");
	print_reuse(r);
	print_bits(r, "next address", "next-address");
	print_bits(r, "address in a new process", "first-address");
	printf("%-26s %u\n", "  bits of it that vary", sf_tally_varying(&r->tally));
}

static void print_text(const struct run *r)
{
	printf("%s\n%u trials of each mistake in %u starts, writes of %u bytes, layout: %s; "
	       "percent, in brackets Wilson's 95 %% interval\n\n%-12s", r->a->name,
	       r->plan->trials, r->plan->starts, (unsigned int)r->plan->bytes,
	       r->layout ? r->layout : "drawn, a new one each trial", "");
	printf(" %-56s %-37s\n%-12s", "reached: another live", "noticed", "mistake");
	for (uint32_t k = 0; k <= SF_OUTCOME_DIED; k++)
		printf(" %-18s", sf_outcomes[k].name);
	printf(" %4s %4s\n", "ops", "most");
	for (unsigned int s = 0; s < SF_SCENARIO_COUNT; s++)
		if (is_row(s))
			print_row(r, s);
	print_features(r);
}

/* --- JSON --- */

static json_t *json_chance(const struct sf_chance *p)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o}", "hits", sf_json_number(p->hits), "trials",
			 sf_json_number(p->n), "chance", p->n ? json_real(p->share) : json_null(),
			 "low", json_real(p->low), "high", json_real(p->high));
}

static json_t *json_frees(uint32_t n)
{
	return n == SF_NEVER ? json_null() : sf_json_number(n);
}

static json_t *json_spread(const struct run *r, enum sf_scenario what, uint32_t any)
{
	struct sf_spread s;

	if (!sf_tally_after(&r->tally, what, any, &s))
		return json_null();
	return json_pack("{s:o, s:o, s:o}", "least", json_frees(s.least), "median",
			 json_frees(s.median), "most", json_frees(s.most));
}

static json_t *json_mistake(const struct run *r, enum sf_scenario what)
{
	struct sf_figure nothing = { .scenario = (uint8_t)what, .nothing = true };
	struct sf_chance p = sf_tally_chance(&r->tally, &nothing, 0);
	json_t *j = json_object();
	char key[40];

	json_object_set_new(j, "left_out", sf_json_number(sf_tally_left_out(&r->tally, what)));
	json_object_set_new(j, "nothing", json_chance(&p));
	p = chance(r, what, BIT(AT_ONCE) | BIT(LATER));
	json_object_set_new(j, "noticed", json_chance(&p));
	for (uint32_t k = 0; k < SF_OUTCOME_ZEROED; k++) {
		p = chance(r, what, 1u << k);
		json_object_set_new(j, sf_json_key(sf_outcomes[k].claim, key), json_chance(&p));
	}
	json_object_set_new(j, "later_operations", json_spread(r, what, BIT(LATER)));
	return j;
}

static json_t *json_bits(const struct run *r, const char *subject)
{
	struct sf_chance p = named(r, subject);
	struct sf_bits b = sf_bits(&p);

	if (!p.n)
		return json_null();
	return json_pack("{s:f, s:f, s:o, s:f, s:o}", "bits", b.bits, "low", b.low, "high",
			 isfinite(b.high) ? json_real(b.high) : json_null(), "limit",
			 log2((double)p.n), "starts", sf_json_number(p.n));
}

static json_t *json_named(const struct run *r, const char *subject)
{
	struct sf_chance p = named(r, subject);

	return json_chance(&p);
}

static json_t *json_features(const struct run *r)
{
	struct sf_chance own = chance(r, SF_SCENARIO_LOOK, BIT(OWN));

	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "canary",
			 json_named(r, "canary"), "guard_page", json_named(r, "guard-page"),
			 "guard_page_after", json_spread(r, SF_SCENARIO_GUARD, BIT(UNMAPPED)),
			 "zeroing", json_named(r, "zeroing"), "filling", json_named(r, "filling"),
			 "unmapping", json_named(r, "unmapping"), "freed_holds_allocator_data",
			 json_chance(&own), "reuse_after_frees",
			 json_spread(r, SF_SCENARIO_REUSE, 0), "next_address",
			 json_bits(r, "next-address"), "first_address",
			 json_bits(r, "first-address"), "varying_bits",
			 json_integer(sf_tally_varying(&r->tally)));
}

static void add_json(struct run *r)
{
	json_t *mistakes = json_object();
	char key[40];

	for (unsigned int s = 0; s < SF_SCENARIO_COUNT; s++)
		if (is_row(s))
			json_object_set_new(mistakes, sf_json_key(sf_scenarios[s].name, key),
					    json_mistake(r, s));
	json_array_append_new(
		r->c->list,
		json_pack("{s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:O}", "layout",
			  sf_json_text(r->layout), "allocator", r->a->name, "settings",
			  sf_compare_settings(&r->c->overrides), "trials",
			  sf_json_number(r->plan->trials), "starts",
			  sf_json_number(r->plan->starts), "bytes",
			  sf_json_number(r->plan->bytes), "mistakes", mistakes, "features",
			  json_features(r), "claims", r->json));
}

/* --- claims --- */

static json_t *json_claim(const struct run *r, const struct sf_claim *c, const char *state,
			  const char *measured)
{
	return json_pack("{s:o, s:i, s:i, s:o, s:s, s:s}", "file", sf_json_text(r->claims->file),
			 "line", (int)c->line, "column", (int)c->col, "claim",
			 sf_json_text(c->text), "state", state, "measured", measured);
}

static void check_claims(struct run *r)
{
	for (uint32_t i = 0; i < r->claims->nr; i++) {
		const struct sf_claim *c = &r->claims->c[i];
		char measured[SF_MEASURED_MAX];
		enum sf_claim_state state = sf_claim_check(c, &r->tally, measured);
		const char *name = sf_claim_states[state];

		r->count[state]++;
		if (r->c->json)
			json_array_append_new(r->json, json_claim(r, c, name, measured));
		else
			printf("%s%s:%u:%u: %s: %s; measured: %s, %s\n", i ? "" : "\n",
			       r->claims->file, c->line, c->col, name, c->text, measured,
			       r->a->name);
	}
}

/* --- the command --- */

static int measure(struct run *r)
{
	int status;

	sf_tally_init(&r->tally, r->plan->trials, r->plan->starts);
	r->json = json_array();
	status = run_parts(r);
	if (!status && !r->c->json)
		print_text(r);
	if (!status)
		check_claims(r);
	if (!status && r->c->json)
		add_json(r);
	json_decref(r->json);
	sf_tally_free(&r->tally);
	return status;
}

static int measure_all(struct run *r)
{
	int status = 0;

	for (uint32_t i = 0; !status && i < r->c->on.nr; i++) {
		r->a = r->c->on.allocator[i];
		if (i && !r->c->json)
			printf("\n\n");
		status = measure(r);
		fflush(stdout);
	}
	if (status || !r->claims->nr)
		return status;
	if (!r->c->json)
		printf("\n%u claims: %u shown, %u not shown, %u refuted\n",
		       r->count[0] + r->count[1] + r->count[2], r->count[SF_CLAIM_SHOWN],
		       r->count[SF_CLAIM_NOT_SHOWN], r->count[SF_CLAIM_REFUTED]);
	return r->count[SF_CLAIM_NOT_SHOWN] + r->count[SF_CLAIM_REFUTED] ? SF_EXIT_WRONG : 0;
}

bool sf_promises_due(const struct sf_compare *c, const struct sf_promise_plan *plan)
{
	bool due = plan->asked || plan->claims || plan->starts;

	for (uint32_t i = 0; i < c->on.nr; i++)
		due |= !(c->on.allocator[i]->caps & SF_CAP_KMALLOC);
	return due;
}

int sf_compare_promises(struct sf_compare *c, struct sf_promise_plan *plan, const char *layout,
			const struct sf_prog *prog)
{
	struct sf_claims claims = { 0 };
	struct run r = { .c = c, .plan = plan, .layout = layout, .prog = prog, .claims = &claims };
	const char *part = getenv(PART);
	int status = 0;

	if (!plan->starts)
		plan->starts = plan->trials < 64 ? plan->trials : 64;
	if (plan->trials > (uint64_t)PER_START_MAX * plan->starts)
		return sf_bad("compare: at most %d trials for each start; raise --starts",
			      PER_START_MAX);
	if (part) {
		r.a = c->on.allocator[0];
		return run_part(&r, part);
	}
	if (plan->claims)
		status = sf_claims_read(&claims, plan->claims);
	if (!status)
		status = measure_all(&r);
	sf_claims_free(&claims);
	return status;
}
