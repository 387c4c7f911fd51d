// SPDX-License-Identifier: MIT
/*
 * bench.c - `make bench`: runs the measurements, prints them as a table or as JSON. Exit status:
 * 0, 1 if a target was missed and --strict was given, 2 bad usage. Relies on everything but the
 * command.
 */
#include <dirent.h>
#include <getopt.h>
#include <libgen.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include "../generate/mutate.h"
#include "bench.h"

#ifdef __SANITIZE_ADDRESS__
#define FLAVOR "asan"
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FLAVOR "asan"
#endif
#endif
#ifndef FLAVOR
#define FLAVOR "plain"
#endif

#define SAMPLE_PROGRAMS 64
#define SAMPLE_OPS 32

_Noreturn void bench_die(const char *fmt, ...)
{
	va_list ap;

	fputs("bench: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(2);
}

static uint64_t read_clock(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t bench_now(void)
{
	return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}

uint64_t bench_now_wall(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double median_of(double *values, unsigned int nr)
{
	if (!nr)
		return 0;
	qsort(values, nr, sizeof(*values), by_value);
	return nr % 2 ? values[nr / 2] : (values[nr / 2 - 1] + values[nr / 2]) / 2;
}

void series_add(struct series *s, double value)
{
	if (s->nr < BENCH_ROUNDS_MAX)
		s->value[s->nr++] = value;
}

void bench_add(struct bench *b, enum bench_kind kind, const char *name, const struct series *s,
	       double target, const char *unit)
{
	struct series sorted = *s;
	struct bench_result *r;

	if (b->nr_results == BENCH_RESULTS_MAX)
		return;
	r = &b->result[b->nr_results++];
	*r = (struct bench_result){ .kind = (uint8_t)kind, .target = target, .unit = unit };
	snprintf(r->name, sizeof(r->name), "%s", name);
	r->median = median_of(sorted.value, sorted.nr);
	r->min = sorted.nr ? sorted.value[0] : 0;
	r->max = sorted.nr ? sorted.value[sorted.nr - 1] : 0;
}

void bench_add_value(struct bench *b, enum bench_kind kind, const char *name, double value,
		     double target, const char *unit)
{
	struct series s = { .value = { value }, .nr = 1 };

	bench_add(b, kind, name, &s, target, unit);
}

void bench_skip(struct bench *b, const char *fmt, ...)
{
	va_list ap;

	if (b->nr_skipped == sizeof(b->skipped) / sizeof(b->skipped[0]))
		return;
	va_start(ap, fmt);
	vsnprintf(b->skipped[b->nr_skipped++], sizeof(b->skipped[0]), fmt, ap);
	va_end(ap);
}

struct sf_exec *bench_exec(const struct sf_settings *set, struct sf_judge *judge,
			   uint32_t walk_every)
{
	struct sf_exec_options opt = { .end = SF_END_PLAIN, .contents = true,
				       .walk_every = walk_every };
	struct sf_error err = { "" };
	struct sf_exec *x = sf_exec_create(&sf_baseline, set, &opt, judge ? sf_judge_event : NULL,
					   judge, &err);

	if (!x)
		bench_die("%s", err.text);
	return x;
}

static void on_violation(void *ctx, const struct sf_violation *v)
{
	(void)ctx;
	bench_die("%s (%s)", v->title, v->detail);
}

struct sf_judge *bench_judge(void)
{
	struct sf_judge_options opt = { .violation = on_violation };

	return sf_judge_create(&opt);
}

void bench_generate(struct sf_prog *p, uint32_t nr_ops, uint64_t seed, bool checks)
{
	struct sf_swarm swarm;
	struct sf_rng rng;

	sf_rng_seed(&rng, seed);
	sf_swarm_draw(&swarm, SF_DRAW_KERNEL, &rng);
	if (!checks) {
		swarm.total -= swarm.weight[SF_OP_CHECK];
		swarm.weight[SF_OP_CHECK] = 0;
	}
	sf_generate(p, nr_ops, &swarm, &rng);
	sf_settings_init(&p->settings);
	sf_prog_fixup(p);
}

/* --- the sample --- */

static void write_sample(const char *folder)
{
	struct sf_prog p;

	sf_prog_init(&p);
	for (unsigned int i = 1; i <= SAMPLE_PROGRAMS; i++) {
		char path[PATH_MAX];
		FILE *f;

		bench_generate(&p, SAMPLE_OPS, i, true);
		snprintf(path, sizeof(path), "%s/%02u.txt", folder, i);
		f = fopen(path, "w");
		if (!f)
			bench_die("%s: cannot be written", path);
		sf_text_write(&p, f);
		if (fclose(f))
			bench_die("%s: cannot be written", path);
	}
	sf_prog_free(&p);
}

static void load_program(struct bench *b, const char *path)
{
	struct sf_text_error err;
	char text[65536];
	FILE *f = fopen(path, "r");
	size_t len;

	if (!f)
		bench_die("%s: cannot be read", path);
	len = fread(text, 1, sizeof(text), f);
	fclose(f);
	sf_prog_init(&b->sample[b->nr_sample]);
	if (sf_text_parse(&b->sample[b->nr_sample], text, len, &err))
		bench_die("%s:%u:%u: %s", path, err.line, err.col, err.text);
	b->nr_sample++;
}

static int is_text(const struct dirent *e)
{
	const char *dot = strrchr(e->d_name, '.');

	return dot && !strcmp(dot, ".txt");
}

static void load_sample(struct bench *b)
{
	struct dirent **list;
	int nr = scandir(b->corpus, &list, is_text, alphasort);

	if (nr <= 0)
		bench_die("%s: no sample programs there", b->corpus);
	b->sample = sf_zalloc((size_t)nr, sizeof(*b->sample));
	for (int i = 0; i < nr; i++) {
		char path[PATH_MAX];

		snprintf(path, sizeof(path), "%s/%s", b->corpus, list[i]->d_name);
		load_program(b, path);
		free(list[i]);
	}
	free(list);
}

/* --- the same with AddressSanitizer: another build of this program --- */

static void take_asan(struct bench *b, const json_t *from, enum bench_kind kind)
{
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)from, name, value) {
		struct bench_result *r;
		json_t *unit = json_object_get(value, "unit");

		if (b->nr_results == BENCH_RESULTS_MAX)
			return;
		r = &b->result[b->nr_results++];
		*r = (struct bench_result){ .kind = (uint8_t)kind, .unit = "" };
		if (unit && !strcmp(json_string_value(unit), "ns"))
			r->unit = "ns";
		snprintf(r->name, sizeof(r->name), "%.50s_asan", name);
		r->median = json_number_value(json_object_get(value, "median"));
		r->min = json_number_value(json_object_get(value, "min"));
		r->max = json_number_value(json_object_get(value, "max"));
		r->target = json_number_value(json_object_get(value, "target"));
	}
}

static void run_asan(struct bench *b)
{
	char path[PATH_MAX + 16], command[2 * PATH_MAX];
	json_error_t err;
	json_t *root;
	FILE *f;

	snprintf(path, sizeof(path), "%s/asan/bench", b->folder);
	if (b->asan)
		snprintf(path, sizeof(path), "%s", b->asan);
	if (access(path, X_OK)) {
		bench_skip(b, "AddressSanitizer: there is no %.120s", path);
		return;
	}
	snprintf(command, sizeof(command), "'%s' --only-operations --json%s --traces '%s'",
		 path, b->quick ? " --quick" : "", b->traces);
	f = popen(command, "r");
	root = f ? json_loadf(f, 0, &err) : NULL;
	if (f)
		pclose(f);
	if (!root) {
		bench_skip(b, "AddressSanitizer: %.120s failed", path);
		return;
	}
	take_asan(b, json_object_get(root, "rates"), BENCH_RATE);
	take_asan(b, json_object_get(root, "ratios"), BENCH_RATIO);
	json_decref(root);
}

/* --- results --- */

static void machine_name(char *buf, size_t size)
{
	FILE *f = fopen("/proc/cpuinfo", "r");
	char line[256], *colon;

	snprintf(buf, size, "unknown");
	while (f && fgets(line, sizeof(line), f)) {
		if (strncmp(line, "model name", 10) || !(colon = strchr(line, ':')))
			continue;
		colon[strcspn(colon, "\n")] = 0;
		snprintf(buf, size, "%s, %ld CPUs", colon + 2, sysconf(_SC_NPROCESSORS_ONLN));
		break;
	}
	if (f)
		fclose(f);
}

static bool missed(const struct bench_result *r)
{
	return r->target > 0 && r->median > r->target;
}

/* --- pools --- */

static const char *const sides[2] = { "pool", "plain" };

/* What is done to one object is not to be divided by pages. */
static void print_step(const struct bench_pool *p, int step)
{
	printf(" %13.0f %10.0f", p->ns[0][step], p->ns[1][step]);
	if (strstr(bench_pool_steps[step], "write"))
		printf(" %9s", "");
	else
		printf(" %9.0f", p->ns[0][step] / p->pages);
}

static void print_pools(const struct bench *b)
{
	if (!b->pool[0].pages)
		return;
	printf("\npools of objects of 64 bytes, and a plain mapping for each object (ns)\n%-16s",
	       "");
	for (int i = 0; i < BENCH_POOLS; i++)
		printf(" %7u page%s %10s %9s", b->pool[i].pages, b->pool[i].pages > 1 ? "s" : " ",
		       "plain", "per page");
	putchar('\n');
	for (int s = 0; s < BENCH_POOL_STEPS; s++) {
		printf("%-16s", bench_pool_steps[s]);
		for (int i = 0; i < BENCH_POOLS; i++)
			print_step(&b->pool[i], s);
		putchar('\n');
	}
	printf("%-16s", "pages used");
	for (int i = 0; i < BENCH_POOLS; i++)
		printf(" %13llu %10llu %9s", (unsigned long long)b->pool[i].used[0],
		       (unsigned long long)b->pool[i].used[1], "");
	printf("\n%-16s", "bytes per byte");
	for (int i = 0; i < BENCH_POOLS; i++)
		printf(" %13.2f %10.2f %9s",
		       (double)(b->pool[i].used[0] * SF_PAGE_SIZE) / (double)b->pool[i].bytes,
		       (double)(b->pool[i].used[1] * SF_PAGE_SIZE) / (double)b->pool[i].bytes, "");
	printf("\n%-16s", "mappings");
	for (int i = 0; i < BENCH_POOLS; i++)
		printf(" %13llu %10llu %9s", (unsigned long long)b->pool[i].mappings[0],
		       (unsigned long long)b->pool[i].mappings[1], "");
	putchar('\n');
}

static const char *step_key(int step, char key[32])
{
	snprintf(key, 32, "%s", bench_pool_steps[step]);
	for (char *at = key; (at = strchr(at, ' ')); )
		*at = '_';
	return key;
}

static json_t *json_pools(const struct bench *b)
{
	json_t *list = json_array();
	char key[32];

	for (int i = 0; i < BENCH_POOLS && b->pool[i].pages; i++) {
		const struct bench_pool *p = &b->pool[i];
		json_t *j = json_pack("{s:I, s:I, s:I}", "pages", (json_int_t)p->pages, "objects",
				      (json_int_t)p->objects, "bytes", (json_int_t)p->bytes);

		for (int side = 0; side < 2; side++) {
			json_t *ns = json_object();

			for (int s = 0; s < BENCH_POOL_STEPS; s++)
				json_object_set_new(ns, step_key(s, key),
						    json_real(p->ns[side][s]));
			json_object_set_new(j, sides[side],
					    json_pack("{s:o, s:I, s:I}", "ns", ns, "pages_used",
						      (json_int_t)p->used[side], "mappings",
						      (json_int_t)p->mappings[side]));
		}
		json_array_append_new(list, j);
	}
	return list;
}

static void print_table(const struct bench *b)
{
	char machine[256];

	machine_name(machine, sizeof(machine));
	printf("machine: %s; compiler: %s; flavor: %s; median of %u rounds\n\n", machine,
	       __VERSION__, FLAVOR, b->rounds);
	printf("%-36s %14s %14s %14s %10s\n", "", "median", "min", "max", "target");
	for (uint32_t i = 0; i < b->nr_results; i++) {
		const struct bench_result *r = &b->result[i];
		int digits = r->median < 100 ? 2 : 0;

		printf("%-36s %14.*f %14.*f %14.*f ", r->name, digits, r->median, digits, r->min,
		       digits, r->max);
		if (r->target > 0)
			printf("%10.2f", r->target);
		else
			printf("%10s", "");
		printf(" %s%s\n", r->unit, missed(r) ? "  MISSED" : "");
	}
	print_pools(b);
	for (uint32_t i = 0; i < b->nr_skipped; i++)
		printf("not measured: %s\n", b->skipped[i]);
}

static void print_json(const struct bench *b)
{
	json_t *ratios = json_object(), *rates = json_object(), *skipped = json_array(), *j;
	char machine[256];

	machine_name(machine, sizeof(machine));
	for (uint32_t i = 0; i < b->nr_results; i++) {
		const struct bench_result *r = &b->result[i];

		j = json_pack("{s:f, s:f, s:f, s:s}", "median", r->median, "min", r->min, "max",
			      r->max, "unit", r->unit);
		if (r->target > 0)
			json_object_set_new(j, "target", json_real(r->target));
		json_object_set_new(r->kind == BENCH_RATIO ? ratios : rates, r->name, j);
	}
	for (uint32_t i = 0; i < b->nr_skipped; i++)
		json_array_append_new(skipped, json_string(b->skipped[i]));
	j = json_pack("{s:s, s:s, s:s, s:i, s:o, s:o, s:o, s:o}", "machine", machine, "compiler",
		      __VERSION__, "flavor", FLAVOR, "rounds", (int)b->rounds, "ratios", ratios,
		      "rates", rates, "pools", json_pools(b), "skipped", skipped);
	json_dumpf(j, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(j);
}

/* --- options --- */

static const char help[] =
	"usage: bench [OPTION]…\n\n"
	"Measures slabfuzz and says which targets are missed.\n\n"
	"  --json               print JSON (docs/json.md)\n"
	"  --quick              a smoke test: short rounds\n"
	"  --strict             exit with 1 if a target is missed\n"
	"  --rounds=N           interleaved rounds (default 5)\n"
	"  --corpus=DIR         programs that fuzzing begins with (default corpora/seeds)\n"
	"  --traces=DIR         recordings (default corpora/traces)\n"
	"  --target=PROGRAM     libfuzzer_bench (default: beside this program)\n"
	"  --asan=PROGRAM       this program, built with AddressSanitizer (default: asan/bench)\n"
	"  --only-operations    only the cost of operations and oracles\n"
	"  --only-designs       only large objects and pools\n"
	"  --only-growth        only whether units cost more where there are more of them\n"
	"  --only-fuzz          only what a program of `make fuzz` costs, by part\n"
	"  --only-user          only what it costs to judge a malloc library\n"
	"  --only-worker        only what it costs to run programs in another process\n"
	"  --write-sample=DIR   make the sample programs anew, and stop\n"
	"  --help               this text\n";

enum { OPT_JSON = 256, OPT_QUICK, OPT_STRICT, OPT_ROUNDS, OPT_CORPUS, OPT_TRACES, OPT_TARGET,
       OPT_ASAN, OPT_ONLY, OPT_DESIGNS, OPT_GROWTH, OPT_FUZZ, OPT_USER, OPT_WORKER,
       OPT_WRITE, OPT_HELP };

static const struct option options[] = {
	{ "json", 0, NULL, OPT_JSON },           { "quick", 0, NULL, OPT_QUICK },
	{ "strict", 0, NULL, OPT_STRICT },
	{ "rounds", 1, NULL, OPT_ROUNDS },       { "corpus", 1, NULL, OPT_CORPUS },
	{ "traces", 1, NULL, OPT_TRACES },       { "target", 1, NULL, OPT_TARGET },
	{ "asan", 1, NULL, OPT_ASAN },
	{ "only-operations", 0, NULL, OPT_ONLY },{ "write-sample", 1, NULL, OPT_WRITE },
	{ "only-designs", 0, NULL, OPT_DESIGNS },{ "only-growth", 0, NULL, OPT_GROWTH },
	{ "only-fuzz", 0, NULL, OPT_FUZZ },    { "only-user", 0, NULL, OPT_USER },
	{ "only-worker", 0, NULL, OPT_WORKER },
	{ "help", 0, NULL, OPT_HELP },           { NULL, 0, NULL, 0 },
};

struct choice {
	bool json, strict, only_operations, only_designs, only_growth, only_fuzz, only_user;
	bool only_worker, stop;
};

static void take_option(struct bench *b, struct choice *c, int key)
{
	const char **paths[] = { &b->corpus, &b->traces, &b->target, &b->asan };

	switch (key) {
	case OPT_JSON:
		c->json = true;
		break;
	case OPT_QUICK:
		b->quick = true;
		b->rounds = 3;
		break;
	case OPT_STRICT:
		c->strict = true;
		break;
	case OPT_ROUNDS:
		b->rounds = (unsigned int)atoi(optarg);
		if (b->rounds < 1 || b->rounds > BENCH_ROUNDS_MAX)
			bench_die("--rounds: 1 to %d", BENCH_ROUNDS_MAX);
		break;
	case OPT_ONLY:
		c->only_operations = true;
		break;
	case OPT_DESIGNS:
		c->only_operations = c->only_designs = true;
		break;
	case OPT_GROWTH:
		c->only_growth = true;
		break;
	case OPT_FUZZ:
		c->only_fuzz = true;
		break;
	case OPT_USER:
		c->only_user = true;
		break;
	case OPT_WORKER:
		c->only_worker = true;
		break;
	case OPT_WRITE:
		write_sample(optarg);
		c->stop = true;
		break;
	case OPT_HELP:
		fputs(help, stdout);
		c->stop = true;
		break;
	case '?':
		exit(2);
	default:
		*paths[key - OPT_CORPUS] = optarg;
	}
}

static void find_folder(struct bench *b)
{
	ssize_t n = readlink("/proc/self/exe", b->folder, sizeof(b->folder) - 1);

	b->folder[n > 0 ? n : 0] = 0;
	/* The program is in a flavor's folder; what it looks for is in the folder above. */
	for (int up = 0; up < 2 && strrchr(b->folder, '/'); up++)
		*strrchr(b->folder, '/') = 0;
}

static void measure(struct bench *b, const struct choice *c)
{
	bool all = !c->only_operations && !c->only_designs && !c->only_growth && !c->only_fuzz &&
		   !c->only_user && !c->only_worker;

	if (all || (c->only_operations && !c->only_designs))
		bench_operations(b);
	if (all || c->only_user)
		bench_user(b);
	if (all || c->only_fuzz)
		load_sample(b);
	if (all) {
		run_asan(b);
		bench_reset(b);
	}
	if (all || c->only_fuzz)
		bench_target(b);
	if (all || c->only_growth)
		bench_growth(b);
	if (all || c->only_growth)
		bench_replay(b);
	if (all) {
		bench_memory(b);
		bench_isolation(b);
		bench_reclaim(b);
	}
	if (all || c->only_worker)
		bench_worker(b);
	if (all || c->only_operations)
		bench_lockstep(b);
	if (all || c->only_designs) {
		bench_large(b);
		bench_pools(b);
	}
}

int main(int argc, char **argv)
{
	struct bench b = { .rounds = 5, .corpus = "corpora/seeds", .traces = "corpora/traces" };
	struct choice c = { .json = false };
	int key, status = 0;

	find_folder(&b);
	while ((key = getopt_long(argc, argv, "", options, NULL)) >= 0)
		take_option(&b, &c, key);
	if (c.stop)
		return 0;
	if (optind < argc)
		bench_die("no argument is expected: %s", argv[optind]);
	measure(&b, &c);
	if (c.json)
		print_json(&b);
	else
		print_table(&b);
	for (uint32_t i = 0; i < b.nr_results; i++)
		if (c.strict && missed(&b.result[i]))
			status = 1;
	for (uint32_t i = 0; i < b.nr_sample; i++)
		sf_prog_free(&b.sample[i]);
	free(b.sample);
	return fflush(stdout) ? 2 : status;
}
