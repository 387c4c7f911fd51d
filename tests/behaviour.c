// SPDX-License-Identifier: MIT
/*
 * behaviour.c - what slabfuzz does, as numbers that can be compared: for each program of the
 * corpora, and for generated ones by the hundred, a hash of the events on each allocator, by area,
 * and one of what the judge counted and raised. `make check-behaviour` compares them with those
 * that are committed (behaviour.tsv), so that a change that should change nothing is shown to, and
 * one that does says so in its commit. Relies on the executor, the generator, the importer and the
 * judge; speaks TAP.
 *
 *   behaviour [--programs N] [--titles | --stop] [--update | --each] RECORDED [FILE...]
 *   behaviour --show SEED
 *
 * --each prints a row for every single generated program instead, to be compared by hand between
 * two builds once a hundred has changed. Rows of files that are not given, and of generated
 * programs beyond N, are not looked at. --titles prints what was raised, expected or
 * not, --stop ends with the first, and runs each file once more after a reset; --show prints a
 * generated program.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../allocators/base/grow.h"
#include "../harness/exec/exec.h"
#include "../harness/generate/mutate.h"
#include "../harness/trace/trace.h"
#include "../oracles/oracle.h"
#include "../harness/exec/event_hash.h"

enum {
	PROGRAMS = 10000,
	GROUP = 100,    /* generated programs to a row */
	OPS = 48,
	PAGES = 4096,   /* of a generated program's heap, at most */
	REPLAY_WALK_EVERY = 100000,
	SHOWN = 20,     /* differences printed */
};

/* AREAS(X): X(identifier, which events). The first of them is no event's: what was run. */
#define AREAS(X)                                                    \
	X(program, "the program itself, as bytes")                  \
	X(result, "what came back from operations")                 \
	X(page, "free lists, page blocks, mappings, watermarks")    \
	X(slab, "slabs and sheaves")                                \
	X(cache, "caches and buckets")                              \
	X(reclaim, "reclaim, RCU, OOM, compaction, overcommit")     \
	X(group, "memory cgroups")                                  \
	X(pool, "protected memory")                                 \
	X(misuse, "mistakes on purpose and what they reached")      \
	X(judge, "judgements, skips and violations")

enum area {
#define X(id, doc) AREA_##id,
	AREAS(X)
#undef X
	NR_AREAS,
};

#define X(id, doc) #id,
static const char *const area_names[] = { AREAS(X) };
#undef X

static enum area area_of(uint8_t type)
{
	switch (type) {
	case SF_EV_BLOCK_ADD: case SF_EV_BLOCK_DEL: case SF_EV_RMQUEUE: case SF_EV_CLAIM:
	case SF_EV_PAGE_ALLOC: case SF_EV_PAGE_FREE: case SF_EV_PCP_DRAIN: case SF_EV_PAGE_FAIL:
	case SF_EV_RESERVE: case SF_EV_MAP: case SF_EV_UNMAP: case SF_EV_SNAP_BLOCK:
	case SF_EV_SNAP_PCP: case SF_EV_SNAP_USED: case SF_EV_SNAP_PAGEBLOCK:
	case SF_EV_SNAP_COUNTERS:
		return AREA_page;
	case SF_EV_SLAB_NEW: case SF_EV_SLAB_ORDER: case SF_EV_SLAB_FREE: case SF_EV_SLAB_DEFER:
	case SF_EV_SNAP_SLAB: case SF_EV_SNAP_SHEAF:
		return AREA_slab;
	case SF_EV_CACHE: case SF_EV_CACHE_CREATE: case SF_EV_CACHE_DESTROY:
	case SF_EV_CACHE_SHRINK: case SF_EV_BUCKETS_CREATE: case SF_EV_SNAP_CACHE:
		return AREA_cache;
	case SF_EV_OWNS: case SF_EV_PIN: case SF_EV_DEFER: case SF_EV_MIGRATE: case SF_EV_ASK:
	case SF_EV_OOM: case SF_EV_SHRINK: case SF_EV_RECLAIM: case SF_EV_COMPACT:
	case SF_EV_GRACE:
		return AREA_reclaim;
	case SF_EV_MEMCG: case SF_EV_CHARGE: case SF_EV_SNAP_MEMCG:
		return AREA_group;
	case SF_EV_POOL: case SF_EV_WRITE: case SF_EV_RARE: case SF_EV_MAPPING: case SF_EV_MAPS:
		return AREA_pool;
	case SF_EV_TAINT: case SF_EV_REACH: case SF_EV_ATTACK: case SF_EV_WARN:
		return AREA_misuse;
	default:
		return AREA_result;
	}
}

struct row {
	char name[96];              /* file, or range of generated programs */
	const char *allocator;
	uint64_t hash[NR_AREAS];
};

struct rows {
	struct row *row;
	size_t nr, cap;
};

struct run {
	const struct sf_allocator *allocator;
	struct sf_judge *judge;
	struct sf_exec *exec;
	struct sf_settings set;     /* of exec's heap */
	struct row *row;
};

static struct {
	uint32_t programs;
	bool update, each, titles, stop;
	const char *recorded;
	uint32_t tried;             /* programs and recordings that were run, or begun */
} opt = { .programs = PROGRAMS };

__attribute__((noreturn, format(printf, 1, 2))) static void die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fprintf(stderr, "behaviour: ");
	vfprintf(stderr, fmt, ap);
	fprintf(stderr, "\n");
	va_end(ap);
	exit(2);
}

static struct row *new_row(struct rows *all, const char *name, const char *allocator)
{
	struct row *r;

	SF_GROW(all->row, all->nr, all->cap);
	r = &all->row[all->nr++];
	*r = (struct row){ .allocator = allocator };
	snprintf(r->name, sizeof(r->name), "%s", name);
	return r;
}

static void on_event(void *ctx, const struct sf_event *ev)
{
	struct run *x = ctx;
	bool boot = ev->op == SF_NONE &&
		    (ev->type == SF_EV_HEAP || ev->type == SF_EV_CACHE || ev->type == SF_EV_CTYPE);

	/* A heap is made when settings change, for however many programs. */
	if (!boot)
		hash_event(&x->row->hash[area_of(ev->type)], ev);
	sf_judge_event(x->judge, ev);
}

static void on_violation(void *ctx, const struct sf_violation *v)
{
	struct run *x = ctx;

	if (opt.titles || opt.stop)
		printf("# %s %s: op %u: %s\n", x->row->name, x->row->allocator, v->op, v->title);
	if (opt.stop) {
		printf("# after %u programs\n", opt.tried);
		exit(1);
	}
	mix_text(&x->row->hash[AREA_judge], v->title);
	mix(&x->row->hash[AREA_judge], v->op);
}

/* By id, and nothing for what did nothing: a new invariant changes no hash but where it judges. */
static void take_counts(struct run *x)
{
	const struct sf_oracle_count *count = sf_judge_counts(x->judge);
	uint64_t *h = &x->row->hash[AREA_judge];

	for (unsigned int i = 0; i < SF_INV_COUNT; i++) {
		if (!count[i].checked && !count[i].skipped)
			continue;
		mix_text(h, sf_invariants[i].id);
		mix(h, count[i].checked);
		mix(h, count[i].skipped);
		mix(h, count[i].violations);
		mix_text(h, count[i].skipped ? count[i].reason : NULL);
	}
	sf_judge_clear_counts(x->judge);
}

static void open_heap(struct run *x, const struct sf_settings *set, uint32_t walk_every)
{
	struct sf_judge_options judge = { .violation = on_violation, .ctx = x };
	struct sf_exec_options how = { .end = SF_END_TEARDOWN, .contents = true,
				       .walk_every = walk_every };
	struct sf_error err;

	if (x->exec) {
		sf_exec_destroy(x->exec);
		sf_judge_destroy(x->judge);
	}
	x->set = *set;
	x->judge = sf_judge_create(&judge);
	x->exec = sf_exec_create(x->allocator, set, &how, on_event, x, &err);
	if (!x->exec)
		die("%s: %s", x->allocator->name, err.text);
}

static void close_heap(struct run *x)
{
	if (!x->exec)
		return;
	sf_exec_destroy(x->exec);
	sf_judge_destroy(x->judge);
	x->exec = NULL;
}

static void steps(struct run *x, const struct sf_prog *p)
{
	opt.tried++;
	sf_exec_begin(x->exec, "p");
	for (uint32_t i = 0; i < p->nr_ops; i++)
		if (!sf_exec_step(x->exec, &p->ops[i], p->strings))
			break;
	sf_exec_end(x->exec);
	take_counts(x);
}

/* Once more, on a heap that was reset: reset() promises a fresh one, byte for byte. */
static void again(struct run *x, const struct sf_prog *p)
{
	struct row *first = x->row, second = { .allocator = first->allocator };

	snprintf(second.name, sizeof(second.name), "%s", first->name);
	x->row = &second;
	steps(x, p);
	x->row = first;
	for (unsigned int i = AREA_result; i < AREA_judge; i++) {
		if (first->hash[i] == second.hash[i])
			continue;
		printf("# %s %s: op 0: RESET-1: %s differs after a reset\n", first->name,
		       first->allocator, area_names[i]);
		printf("# after %u programs\n", opt.tried);
		exit(1);
	}
}

static void run_program(struct run *x, const struct sf_prog *p)
{
	struct sf_settings set = p->settings;

	for (size_t i = 0; i < sf_setting_count; i++)
		if (!(x->allocator->settings & 1ull << sf_setting_table[i].code))
			*sf_setting_slot(&set, &sf_setting_table[i]) = sf_setting_table[i].def;
	sf_settings_fixup(&set);
	if (!x->exec || memcmp(&set, &x->set, sizeof(set)))
		open_heap(x, &set, 16);
	steps(x, p);
}

static void hash_program(struct row *r, const struct sf_prog *p)
{
	size_t len = sf_bytes_encode(p, NULL, 0);
	uint8_t *bytes = malloc(len);

	if (!bytes)
		die("out of memory");
	sf_bytes_encode(p, bytes, len);
	for (size_t i = 0; i < len; i++)
		mix(&r->hash[AREA_program], bytes[i]);
	free(bytes);
}

static void generate(struct sf_prog *p, uint64_t seed)
{
	struct sf_swarm sw;
	struct sf_rng r;

	sf_rng_seed(&r, seed);
	sf_swarm_draw(&sw, SF_DRAW_KERNEL, &r);
	sf_generate(p, OPS, &sw, &r);
	if (p->settings.pages > PAGES)
		p->settings.pages = PAGES;
	sf_prog_fixup(p);
}

static void generated(struct rows *all, const struct sf_allocator *a)
{
	struct run x = { .allocator = a };
	struct sf_prog p;
	char name[32];

	sf_prog_init(&p);
	for (uint32_t seed = 0; seed < opt.programs; seed++) {
		if (opt.each || seed % GROUP == 0) {
			snprintf(name, sizeof(name), "generated/%05u", seed);
			x.row = new_row(all, name, a->name);
		}
		generate(&p, seed);
		hash_program(x.row, &p);
		run_program(&x, &p);
	}
	close_heap(&x);
	sf_prog_free(&p);
}

/* --show: a generated program as text. */
static int show(uint64_t seed)
{
	struct sf_prog p;

	sf_prog_init(&p);
	generate(&p, seed);
	sf_text_write(&p, stdout);
	sf_prog_free(&p);
	return 0;
}

static bool on_operation(void *ctx, const struct sf_op *op, const char *strings,
			 const struct sf_trace_record *rec)
{
	struct run *x = ctx;

	(void)rec;
	return sf_exec_step(x->exec, op, strings);
}

static void recording(struct run *x, const char *path)
{
	struct sf_import_options how = { .op = on_operation, .ctx = x };
	struct sf_trace_counts counts;
	struct sf_trace_scan *scan;
	struct sf_error err;
	struct sf_trace *tr;
	int code;

	tr = sf_trace_open(path, &err, &code);
	scan = tr ? sf_trace_scan(tr, &err) : NULL;
	if (!scan || sf_trace_rewind(tr, &err))
		die("%s", err.text);
	open_heap(x, sf_trace_scan_settings(scan), REPLAY_WALK_EVERY);
	opt.tried++;
	sf_exec_begin(x->exec, "t");
	if (sf_trace_import(tr, scan, &how, &counts, &err) < 0)
		die("%s", err.text);
	sf_exec_end(x->exec);
	take_counts(x);
#define X(field, what) mix(&x->row->hash[AREA_program], counts.field);
	SF_TRACE_COUNTS(X)
#undef X
	close_heap(x);
	sf_trace_scan_free(scan);
	sf_trace_close(tr);
}

static char *read_file(const char *path, size_t *len)
{
	FILE *f = fopen(path, "rb");
	size_t cap = 1 << 20;
	char *data = malloc(cap + 1);

	if (!f || !data)
		die("%s: %s", path, strerror(errno));
	*len = fread(data, 1, cap, f);
	data[*len] = 0;
	fclose(f);
	return data;
}

static void corpus_file(struct rows *all, const struct sf_allocator *a, const char *path)
{
	struct run x = { .allocator = a };
	const char *short_name = strstr(path, "corpora/");
	struct sf_text_error err;
	struct sf_prog p;
	size_t len;
	char *data;

	x.row = new_row(all, short_name ? short_name + 8 : path, a->name);
	data = read_file(path, &len);
	if (sf_trace_probe((const uint8_t *)data, len)) {
		recording(&x, path);
	} else {
		sf_prog_init(&p);
		if (sf_text_parse(&p, data, len, &err))
			die("%s:%u:%u: %s", path, err.line, err.col, err.text);
		hash_program(x.row, &p);
		run_program(&x, &p);
		if (opt.stop)
			again(&x, &p);
		close_heap(&x);
		sf_prog_free(&p);
	}
	free(data);
}

/* --- rows, written and compared --- */

static void print_hash(FILE *f, uint64_t h)
{
	if (h)
		fprintf(f, "\t%07" PRIx64, (h ^ h >> 32) & 0xfffffff);
	else
		fputs("\t-", f);
}

static void write_rows(FILE *f, const struct rows *all)
{
	fputs("name\tallocator", f);
	for (unsigned int i = 0; i < NR_AREAS; i++)
		fprintf(f, "\t%s", area_names[i]);
	fputc('\n', f);
	for (const struct row *r = all->row; r < all->row + all->nr; r++) {
		fprintf(f, "%s\t%s", r->name, r->allocator);
		for (unsigned int i = 0; i < NR_AREAS; i++)
			print_hash(f, r->hash[i]);
		fputc('\n', f);
	}
}

static int update(const struct rows *all)
{
	char temp[4096];
	FILE *f;

	if (snprintf(temp, sizeof(temp), "%s.tmp", opt.recorded) >= (int)sizeof(temp))
		die("%s: the name is too long", opt.recorded);
	f = fopen(temp, "w");
	if (!f)
		die("%s: %s", temp, strerror(errno));
	write_rows(f, all);
	if (fflush(f) || fsync(fileno(f)) || fclose(f) || rename(temp, opt.recorded))
		die("%s: %s", opt.recorded, strerror(errno));
	printf("%zu rows written to %s\n", all->nr, opt.recorded);
	return 0;
}

/* The name and the allocator, with the tab behind them. */
static size_t key_length(const char *line)
{
	return (size_t)(strchr(strchr(line, '\t') + 1, '\t') - line) + 1;
}

/* The line of these rows that has the same first two fields; NULL: there is none. */
static const char *find_line(char *const *lines, size_t nr, const char *line)
{
	size_t key = key_length(line);

	for (size_t i = 0; i < nr; i++)
		if (lines[i] && !strncmp(lines[i], line, key))
			return lines[i];
	return NULL;
}

static size_t split(char *text, char ***lines)
{
	size_t nr = 0;
	char *at;

	*lines = calloc(strlen(text) / 2 + 1, sizeof(**lines));
	if (!*lines)
		die("out of memory");
	for (at = strtok(text, "\n"); at; at = strtok(NULL, "\n"))
		if (strchr(at, '\t') && strchr(strchr(at, '\t') + 1, '\t'))
			(*lines)[nr++] = at;
	return nr;
}

/* Says which areas of a row differ. */
static void say_areas(const char *was, const char *is)
{
	for (int field = 0; *is; field++) {
		size_t a = strcspn(was, "\t"), b = strcspn(is, "\t");

		if ((a != b || strncmp(was, is, a)) && field >= 2)
			printf(" %s", area_names[field - 2]);
		was += a + (was[a] == '\t');
		is += b + (is[b] == '\t');
	}
}

/* A test for each allocator's generated programs and files: TAP. */
static int compare(const struct rows *all)
{
	char **was, **is, *old, *new = NULL;
	size_t len, nr_was, nr_is;
	unsigned int differ = 0, missing = 0;
	FILE *f = open_memstream(&new, &len);

	if (!f)
		die("out of memory");
	write_rows(f, all);
	fclose(f);
	nr_is = split(new, &is);
	old = read_file(opt.recorded, &len);
	nr_was = split(old, &was);
	if (!nr_was || !was[0] || !is[0] || strcmp(was[0], is[0]))
		die("%s: not rows of these areas; --update writes them", opt.recorded);
	for (size_t i = 1; i < nr_is; i++) {
		const char *line = i < nr_was ? was[i] : NULL;

		/* In the same order, as a rule. */
		if (!line || strcmp(line, is[i]))
			line = find_line(was, nr_was, is[i]);

		if (line && !strcmp(line, is[i]))
			continue;
		if (differ + missing < SHOWN) {
			printf("# %.*s:", (int)key_length(is[i]), is[i]);
			if (line)
				say_areas(line, is[i]);
			else
				printf(" not recorded");
			printf("\n");
		}
		differ += line != NULL;
		missing += !line;
	}
	printf("1..2\n%sok 1 - %zu rows are as they were (%u differ)\n", differ ? "not " : "",
	       nr_is - 1 - differ - missing, differ);
	printf("%sok 2 - every row is recorded (%u are not)\n", missing ? "not " : "", missing);
	if (differ + missing)
		printf("# what changed on purpose is recorded by `make check-behaviour UPDATE=1`, "
		       "with a word why in its commit\n");
	free(was);
	free(is);
	free(old);
	free(new);
	return differ + missing ? 1 : 0;
}

static int parse_options(int argc, char **argv)
{
	int i;

	for (i = 1; i < argc && !strncmp(argv[i], "--", 2); i++) {
		if (!strcmp(argv[i], "--update"))
			opt.update = true;
		else if (!strcmp(argv[i], "--each"))
			opt.each = true;
		else if (!strcmp(argv[i], "--titles"))
			opt.titles = true;
		else if (!strcmp(argv[i], "--stop"))
			opt.stop = true;
		else if (!strcmp(argv[i], "--programs") && i + 1 < argc)
			opt.programs = (uint32_t)strtoul(argv[++i], NULL, 10);
		else
			die("unknown option %s", argv[i]);
	}
	if (i == argc)
		die("usage: behaviour [--programs N] [--titles | --stop] [--update | --each] "
		    "RECORDED [FILE...]");
	if (opt.programs % GROUP)
		die("--programs: a multiple of %d is needed", GROUP);
	opt.recorded = argv[i++];
	return i;
}

int main(int argc, char **argv)
{
	struct rows all = { 0 };
	int first, status = 0;

	if (argc == 3 && !strcmp(argv[1], "--show"))
		return show(strtoul(argv[2], NULL, 10));
	first = parse_options(argc, argv);

	for (size_t a = 0; sf_allocators[a]; a++) {
		for (int i = first; i < argc; i++)
			corpus_file(&all, sf_allocators[a], argv[i]);
		generated(&all, sf_allocators[a]);
	}
	if (opt.each)
		write_rows(stdout, &all);
	else
		status = opt.update ? update(&all) : compare(&all);
	if (opt.stop)
		printf("# after %u programs\n", opt.tried);
	free(all.row);
	return status;
}
