// SPDX-License-Identifier: MIT
/*
 * gendocs.c - prints one of the project's tables as Markdown: `gendocs NAME`. Relies on the headers
 * alone, so that docs can be checked before anything is built; ci/gendocs.sh puts the tables in
 * place.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "../allocators/allocator.h"
#include "../harness/fuzz/crash.h"
#include "../harness/lockstep/concurrent.h"
#include "../harness/lockstep/relations.h"
#include "../harness/program/ops.h"
#include "../harness/trace/trace.h"
#include "../oracles/invariants.h"
#include "../oracles/oracle.h"

/* What stands in a cell: a bar in it is no border. */
static void put_cell(const char *s)
{
	for (; *s; s++) {
		if (*s == '|')
			putchar('\\');
		putchar(*s);
	}
}

static void print_caps(uint64_t caps)
{
	const char *comma = "";

	if (!caps)
		printf("-");
#define X(id, name, bit, doc)                                                                      \
	if (caps & SF_CAP_##id) {                                                                  \
		printf("%s%s", comma, name);                                                       \
		comma = ", ";                                                                      \
	}
	SF_CAPS(X)
#undef X
}

/* What an invariant's row says that it needs: capabilities, a setting, real addresses. */
static void print_needs(uint64_t caps, const char *setting, unsigned int marks)
{
	bool any = !strcmp(setting, "ANY");

	if (caps || (any && !(marks & SF_RULE_ADDRESS)))
		print_caps(caps);
	if (!any)
		printf("%s`%s`", caps ? ", " : "", setting);
	if (marks & SF_RULE_ADDRESS)
		printf("%saddresses", caps || !any ? ", " : "");
}

static void print_invariants(void)
{
	static const char *const judged[] = {
		[SF_COST_EVENT] = "each event",
		[SF_COST_WALK] = "snapshots",
		[SF_COST_BOOTS] = "many boots",
	};

	puts("| id | judged | statement | needs | source |");
	puts("| --- | --- | --- | --- | --- |");
#define X(family, nr, cost, needs, setting, marks, statement, source)                              \
	printf("| %s-%d | %s | ", #family, nr, judged[SF_COST_##cost]);                            \
	put_cell(statement);                                                                       \
	printf(" | ");                                                                             \
	print_needs(needs, #setting, marks);                                                       \
	printf(" | %s |\n", source);
	SF_INVARIANTS(X)
#undef X
}

static void print_events(void)
{
	puts("| event | payload | reports |");
	puts("| --- | --- | --- |");
#define X(id, member, doc) printf("| %s | `struct sf_ev_%s` | %s |\n", #id, #member, doc);
	SF_EVENTS(X)
#undef X
}

static void print_capabilities(void)
{
	puts("| capability | bit | promises |");
	puts("| --- | --- | --- |");
#define X(id, name, bit, doc) printf("| `SF_CAP_%s` (%s) | %d | %s |\n", #id, name, bit, doc);
	SF_CAPS(X)
#undef X
}

static void print_setting(const char *name, uint64_t def, uint64_t lo, uint64_t hi,
			  const char *unit, const char *kernel, const char *doc)
{
	printf("| `%s` | %" PRIu64 " | %" PRIu64 " | %" PRIu64 " | ", name, def, lo, hi);
	put_cell(unit);
	printf(" | %s | %s |\n", kernel, doc);
}

static void print_settings(void)
{
	puts("| setting | default | from | to | unit | stands for | does |");
	puts("| --- | --- | --- | --- | --- | --- | --- |");
#define X(code, field, def, lo, hi, unit, kernel, doc)                                             \
	print_setting(#field, def, lo, hi, unit, "`" kernel "`", doc);
	SF_SETTINGS(X)
#undef X
}

static const char *const arg_names[SF_ARG_KINDS] = {
#define X(kind, field, width, doc) [SF_ARG_##kind] = #kind,
	SF_ARGS(X)
#undef X
};

static void print_op(int code, const char *name, int res, const char *doc,
		     const struct sf_arg_info *args)
{
	static const char *const results[SF_RES_KINDS] = {
		[SF_RES_NONE] = "", [SF_RES_CACHE] = "c = ",
	};
	const char *comma = "";

	if (code == SF_OP_CHECK) {
		printf("| %d | `%s` | %s |\n", code, name, doc);
		return;
	}
	printf("| %d | `%s%s(", code, results[res] ? results[res] : "r = ", name);
	for (; args->kind != SF_ARG_END; args++) {
		if (args->key)
			printf("%s%s=%s", comma, args->name, arg_names[args->kind]);
		else
			printf("%s%s", comma, arg_names[args->kind]);
		comma = ", ";
	}
	printf(")` | %s |\n", doc);
}

static void print_ops(void)
{
	puts("| code | operation | does |");
	puts("| --- | --- | --- |");
#define X(code, id, name, res, handler, needs, weight, flags, doc, ...)                            \
	print_op(code, name, SF_RES_##res, doc,                                                    \
		 (const struct sf_arg_info[SF_OP_ARGS_MAX + 1]){ __VA_ARGS__ });
	SF_OPS(X)
#undef X
}

static void print_args(void)
{
	puts("| argument | bytes in a record | text |");
	puts("| --- | --- | --- |");
#define X(kind, field, width, doc)                                                                 \
	printf("| %s | %d | ", #kind, width);                                                      \
	put_cell(doc);                                                                             \
	puts(" |");
	SF_ARGS(X)
#undef X
}

static void print_gfp(void)
{
	puts("| name | bits |");
	puts("| --- | --- |");
#define X(id, name, bit) printf("| `%s` | 0x%x |\n", name, (unsigned int)SF_GFP_##id);
	SF_GFP_BITS(X)
#undef X
#define X(id, name) printf("| `%s` | 0x%x |\n", name, (unsigned int)SF_GFP_##id);
	SF_GFP_NAMES(X)
#undef X
}

static void print_slab_flags(void)
{
	puts("| flag | a program may pass it |");
	puts("| --- | --- |");
#define X(id, name, bit)                                                                           \
	printf("| `%s` | %s |\n", name, SF_SLAB_##id & SF_SLAB_USER ? "yes" : "no");
	SF_SLAB_FLAGS(X)
#undef X
}

static void print_oom_causes(void)
{
	puts("| cause | what would have helped |");
	puts("| --- | --- |");
#define X(id, name, doc) printf("| %s | %s |\n", name, doc);
	SF_OOM_CAUSES(X)
#undef X
}

static void print_trace_counts(void)
{
	puts("| count | what |");
	puts("| --- | --- |");
#define X(field, what) printf("| `%s` | %s |\n", #field, what);
	SF_TRACE_COUNTS(X)
#undef X
}

static void print_crashes(void)
{
	puts("| kind | is |");
	puts("| --- | --- |");
#define X(id, key, summary)                                                                        \
	if (SF_CRASH_##id != SF_CRASH_NONE)                                                        \
		printf("| %s | %s |\n", key, summary);
	SF_CRASHES(X)
#undef X
}

static const char *group_name(unsigned int group)
{
	if (group == SF_GROUP_MEANING)
		return "meaning";
	return group == SF_GROUP_CHOICE ? "choice" : "layout";
}

static void print_properties(void)
{
	puts("| property | group | needs | what is compared |");
	puts("| --- | --- | --- | --- |");
#define X(id, name, group, needs, doc)                                                             \
	printf("| `%s` | %s | ", name, group_name(SF_GROUP_##group));                              \
	print_caps(needs);                                                                         \
	printf(" | %s |\n", doc);
	SF_PROPERTIES(X)
#undef X
}

/* "SF_PROP(INDEX) | SF_LAYOUT", as it stands in the table, in words. */
static void put_reach(const char *reach)
{
	static const struct {
		const char *code, *words;
	} known[] = {
		{ "SF_LAYOUT", "layout" }, { "SF_WHERE", "choice, layout" },
		{ "~0u", "everything" }, { "0", "nothing" },
#define X(id, name, group, needs, doc) { "SF_PROP(" #id ")", "`" name "`" },
		SF_PROPERTIES(X)
#undef X
	};
	const char *comma = "";

	for (size_t len; *reach; reach += len + strspn(reach + len, "| ")) {
		len = strcspn(reach, "| ");
		for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
			if (strlen(known[i].code) != len || strncmp(known[i].code, reach, len))
				continue;
			printf("%s%s", comma, known[i].words);
			comma = ", ";
		}
	}
}

static void print_reach(void)
{
	puts("| setting | may change |");
	puts("| --- | --- |");
#define X(setting, reach)                                                                          \
	printf("| `%s` | ", #setting);                                                             \
	put_reach(#reach);                                                                         \
	puts(" |");
	SF_SETTING_REACH(X)
#undef X
}

static void print_relations(void)
{
	puts("| relation | what is done to the program | may change "
	     "| and where an allocator places by rules of its own |");
	puts("| --- | --- | --- | --- |");
#define X(id, name, reach, strangers, make, rounds, doc)                                           \
	printf("| `%s` | %s | ", name, doc);                                                       \
	put_reach(#reach);                                                                         \
	fputs(" | ", stdout);                                                                      \
	put_reach(#strangers);                                                                     \
	puts(" |");
	SF_RELATIONS(X)
#undef X
}

static void print_thread_rules(void)
{
	puts("| rule | what every interleaving must give |");
	puts("| --- | --- |");
#define X(id, name, doc) printf("| `%s` | %s |\n", name, doc);
	SF_THREAD_RULES(X)
#undef X
}

static const struct {
	const char *name;
	void (*print)(void);
} tables[] = {
	{ "invariants", print_invariants },
	{ "events", print_events },
	{ "capabilities", print_capabilities },
	{ "settings", print_settings },
	{ "ops", print_ops },
	{ "args", print_args },
	{ "gfp", print_gfp },
	{ "slab-flags", print_slab_flags },
	{ "trace-counts", print_trace_counts },
	{ "oom-causes", print_oom_causes },
	{ "crashes", print_crashes },
	{ "properties", print_properties },
	{ "reach", print_reach },
	{ "relations", print_relations },
	{ "thread-rules", print_thread_rules },
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc == 2 && i < sizeof(tables) / sizeof(tables[0]); i++) {
		if (!strcmp(tables[i].name, argv[1])) {
			tables[i].print();
			return fflush(stdout) ? 2 : 0;
		}
	}
	fprintf(stderr, "usage: gendocs TABLE, one of:");
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		fprintf(stderr, " %s", tables[i].name);
	fputc('\n', stderr);
	return 2;
}
