// SPDX-License-Identifier: MIT
/*
 * cmd_list.c - `slabfuzz list`: the tables that everything else is made from, printed.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../lockstep/relations.h"
#include "../program/program.h"
#include "../program/types.h"
#include "cmd.h"
#include "json.h"
#include "select.h"
#include "../../oracles/invariants.h"

struct plan {
	bool json;
	struct sf_selection on;
};

static const struct sf_row rows[] = {
	SF_ALLOCATORS_ROW("NAME,…", struct plan, on,
			  "these allocators alone, and what they promise"),
	SF_TRAIT_ROW(struct plan, on),
	SF_JSON(struct plan, json),
	{ 0 },
};

static const struct sf_usage usage = {
	"list", "[allocators|oracles|types|ops|settings|traits|properties|relations]",
	"Lists the allocators and what they can do, the invariants that are judged, the C types\n"
	"that tag allocations, the operations of programs, the settings of a heap, what\n"
	"allocators promise, by what members of a lockstep are compared, programs that one must\n"
	"treat alike; without an argument all. Every -a also takes malloc:LIB.so (any library of\n"
	"the malloc family; malloc: the C library's own), plugin:X.so (a table of\n"
	"slabfuzz/plugin.h) and model:X.so:NAME (make model-so): list -a malloc:LIB.so says what\n"
	"was found.",
	rows,
};

static const struct {
	const char *name;
	uint64_t bit;
} caps[] = {
#define X(id, name, bit, doc) { name, SF_CAP_##id },
	SF_CAPS(X)
#undef X
};

#define NR_CAPS (sizeof(caps) / sizeof(caps[0]))

static const char *const costs[] = { [SF_COST_EVENT] = "event", [SF_COST_WALK] = "walk",
				     [SF_COST_BOOTS] = "boots" };

/* --- text --- */

static void print_caps(uint64_t set)
{
	for (size_t i = 0; i < NR_CAPS; i++)
		if (set & caps[i].bit)
			printf(" %s", caps[i].name);
	printf("\n");
}

static void print_allocator(const struct sf_allocator *a, const char *indent)
{
	printf("%s%-12s %s\n%-12s  reset: %s; can:", indent, a->name, a->summary, "",
	       a->reset_kind == SF_RESET_EXACT ? "exact" : "best effort");
	print_caps(a->caps);
	printf("%-12s  settings:", "");
	for (size_t k = 0; k < sf_setting_count; k++)
		if (a->settings >> sf_setting_table[k].code & 1)
			printf(" %s", sf_setting_table[k].name);
	printf("\n");
}

/* Indented: those that `all` does not mean. */
static void print_allocators(void)
{
	for (int i = 0; sf_allocators[i]; i++)
		print_allocator(sf_allocators[i], "");
	for (int i = 0; sf_other_allocators[i]; i++)
		print_allocator(sf_other_allocators[i], " ");
}

/* Every trait, as --trait takes it. */
static void print_promises(const struct sf_allocator *a)
{
	struct sf_traits t = *sf_traits_of(a);
	char text[40];

	printf("%-12s  traits:", "");
	for (size_t i = 0; i < sf_trait_count; i++)
		printf(" %s=%s", sf_trait_table[i].name,
		       sf_setting_text(&sf_trait_table[i],
				       *sf_trait_slot(&t, &sf_trait_table[i]), text));
	printf("\n");
}

static void print_oracles(void)
{
	for (int i = 0; i < SF_INV_COUNT; i++) {
		const struct sf_invariant_info *inv = &sf_invariants[i];

		printf("%-8s %-6s %s (%s)", inv->id, costs[inv->cost], inv->statement, inv->source);
		if (inv->needs) {
			printf("; needs");
			print_caps(inv->needs);
		} else {
			printf("\n");
		}
	}
}

static void print_types(void)
{
	for (uint32_t i = 1; i < sf_type_count; i++) {
		const struct sf_type *t = &sf_types[i];

		printf("%-28s %6u bytes, align %-4u %s", t->name, t->size, t->align,
		       t->pointer ? "pointers" : "data");
		if (t->flex_elem)
			printf(", flexible array of %u-byte elements at %u%s", t->flex_elem,
			       t->flex_offset, t->counter ? ", counted" : "");
		printf("\n");
	}
}

/* "rN = kmalloc(size, gfp, site=, type=)" */
static void format_op(const struct sf_op_info *op, char *buf, size_t size)
{
	static const char *const results[SF_RES_KINDS] = {
		[SF_RES_NONE] = "", [SF_RES_CACHE] = "c = ",
	};
	size_t n;

	if (op == &sf_op_table[SF_OP_CHECK]) {
		snprintf(buf, size, "%s", op->name);
		return;
	}
	snprintf(buf, size, "%s%s(", results[op->res] ? results[op->res] : "r = ", op->name);
	for (const struct sf_arg_info *a = op->arg; a->kind != SF_ARG_END; a++) {
		n = strlen(buf);
		snprintf(buf + n, size - n, "%s%s%s", a == op->arg ? "" : ", ", a->name,
			 a->key ? "=" : "");
	}
	n = strlen(buf);
	snprintf(buf + n, size - n, ")");
}

static void print_ops(void)
{
	char text[200];

	for (int i = 0; i <= SF_CODE_MAX; i++) {
		const struct sf_op_info *op = &sf_op_table[i];

		if (!op->name)
			continue;
		format_op(op, text, sizeof(text));
		printf("%-72s %s\n", text, op->doc);
	}
}

static void print_setting(const struct sf_setting_info *s)
{
	char def[40];

	printf("%-18s %6s (", s->name, sf_setting_text(s, s->def, def));
	if (!sf_setting_is_choice(s))
		printf("%" PRIu64 "..%" PRIu64 "%s", s->min, s->max, *s->unit ? " " : "");
	printf("%s) %s", s->unit, s->doc);
	if (*s->kernel)
		printf(" [%s]", s->kernel);
}

/* A whole group by its name; the other properties by theirs. */
static void each_of(sf_property_set set, void (*each)(void *ctx, const char *name), void *ctx)
{
	static const unsigned int groups[] = { SF_GROUP_MEANING, SF_GROUP_CHOICE, SF_GROUP_LAYOUT };

	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		sf_property_set all = sf_property_group(groups[i]);

		if ((set & all) != all)
			continue;
		each(ctx, sf_property_group_name(groups[i]));
		set &= ~all;
	}
	for (unsigned int p = 0; p < SF_PROPERTY_COUNT; p++)
		if (set >> p & 1)
			each(ctx, sf_properties[p].name);
}

static void print_word(void *ctx, const char *name)
{
	bool *any = ctx;

	printf("%s %s", *any ? "," : "", name);
	*any = true;
}

static void print_settings(void)
{
	for (size_t i = 0; i < sf_setting_count; i++) {
		const struct sf_setting_info *s = &sf_setting_table[i];
		bool any = false;

		print_setting(s);
		printf("; may change");
		each_of(sf_setting_reach(s), print_word, &any);
		puts(any ? "" : " nothing");
	}
}

static void print_properties(void)
{
	for (unsigned int p = 0; p < SF_PROPERTY_COUNT; p++) {
		const struct sf_property_info *i = &sf_properties[p];

		printf("%-12s %-8s %s", i->name, sf_property_group_name(i->group), i->doc);
		if (i->needs) {
			printf("; needs");
			print_caps(i->needs);
		} else {
			printf("\n");
		}
	}
}

/* What may differ on models; on others there may be more. */
static void print_relations(void)
{
	for (unsigned int r = 1; r < SF_RELATION_COUNT; r++) {
		bool any = false;

		printf("%-12s %s; may change", sf_relations[r].name, sf_relations[r].doc);
		each_of(sf_relation_reach((enum sf_relation)r, &sf_baseline), print_word, &any);
		puts(any ? "" : " nothing");
	}
}

static void print_traits(void)
{
	for (size_t i = 0; i < sf_trait_count; i++) {
		print_setting(&sf_trait_table[i]);
		printf("\n");
	}
}

/* --- JSON --- */

static json_t *json_caps(uint64_t set)
{
	json_t *list = json_array();

	for (size_t i = 0; i < NR_CAPS; i++)
		if (set & caps[i].bit)
			json_array_append_new(list, json_string(caps[i].name));
	return list;
}

static json_t *json_allocator(const struct sf_allocator *a)
{
	json_t *set = json_array();

	for (size_t k = 0; k < sf_setting_count; k++)
		if (a->settings >> sf_setting_table[k].code & 1)
			json_array_append_new(set, json_string(sf_setting_table[k].name));
	return json_pack("{s:s, s:s, s:s, s:o, s:o}", "name", a->name, "summary", a->summary,
			 "reset", a->reset_kind == SF_RESET_EXACT ? "exact" : "best-effort",
			 "capabilities", json_caps(a->caps), "settings", set);
}

static json_t *json_allocators(void)
{
	json_t *list = json_array();

	for (int i = 0; sf_allocators[i]; i++)
		json_array_append_new(list, json_allocator(sf_allocators[i]));
	return list;
}

static json_t *json_promises(const struct sf_allocator *a)
{
	struct sf_traits t = *sf_traits_of(a);
	json_t *j = json_object();
	char text[40];

	for (size_t i = 0; i < sf_trait_count; i++) {
		const struct sf_setting_info *info = &sf_trait_table[i];

		json_object_set_new(j, info->name,
				    json_string(sf_setting_text(info, *sf_trait_slot(&t, info),
								text)));
	}
	return j;
}

static json_t *json_oracles(void)
{
	json_t *list = json_array();

	for (int i = 0; i < SF_INV_COUNT; i++) {
		const struct sf_invariant_info *inv = &sf_invariants[i];

		json_array_append_new(list, json_pack("{s:s, s:s, s:o, s:s, s:s}", "id", inv->id,
						      "cost", costs[inv->cost], "needs",
						      json_caps(inv->needs), "statement",
						      inv->statement, "source", inv->source));
	}
	return list;
}

static json_t *json_types(void)
{
	json_t *list = json_array();

	for (uint32_t i = 1; i < sf_type_count; i++) {
		const struct sf_type *t = &sf_types[i];

		json_array_append_new(
			list, json_pack("{s:s, s:i, s:i, s:b, s:i, s:i, s:i}", "name", t->name,
					"size", (int)t->size, "align", (int)t->align, "pointer",
					t->pointer, "flex_elem", (int)t->flex_elem, "flex_offset",
					(int)t->flex_offset, "counter", (int)t->counter));
	}
	return list;
}

static json_t *json_ops(void)
{
	json_t *list = json_array();
	char text[200];

	for (int i = 0; i <= SF_CODE_MAX; i++) {
		const struct sf_op_info *op = &sf_op_table[i];

		if (!op->name)
			continue;
		format_op(op, text, sizeof(text));
		json_array_append_new(list, json_pack("{s:s, s:i, s:s, s:s}", "name", op->name,
						      "code", i, "form", text, "summary",
						      op->doc));
	}
	return list;
}

/* Of a choice: what `--set` takes, from the least value on. */
static json_t *json_names(const struct sf_setting_info *s)
{
	json_t *list = json_array();
	char text[40];

	for (uint64_t v = s->min; v <= s->max; v++)
		json_array_append_new(list, json_string(sf_setting_text(s, v, text)));
	return list;
}

static json_t *json_setting(const struct sf_setting_info *s)
{
	char def[40];
	json_t *j = json_pack("{s:s, s:o, s:o, s:o, s:s, s:s, s:s}", "name", s->name, "default",
			      sf_json_number(s->def), "min", sf_json_number(s->min), "max",
			      sf_json_number(s->max), "unit", s->unit, "kernel", s->kernel,
			      "summary", s->doc);

	if (sf_setting_is_choice(s)) {
		json_object_set_new(j, "default_name",
				    json_string(sf_setting_text(s, s->def, def)));
		json_object_set_new(j, "names", json_names(s));
	}
	return j;
}

static void json_word(void *list, const char *name)
{
	json_array_append_new(list, json_string(name));
}

static json_t *json_settings(void)
{
	json_t *list = json_array();

	for (size_t i = 0; i < sf_setting_count; i++) {
		json_t *one = json_setting(&sf_setting_table[i]), *reach = json_array();

		each_of(sf_setting_reach(&sf_setting_table[i]), json_word, reach);
		json_object_set_new(one, "may_change", reach);
		json_array_append_new(list, one);
	}
	return list;
}

static json_t *json_properties(void)
{
	json_t *list = json_array();

	for (unsigned int p = 0; p < SF_PROPERTY_COUNT; p++) {
		const struct sf_property_info *i = &sf_properties[p];

		json_array_append_new(list, json_pack("{s:s, s:s, s:o, s:s}", "name", i->name,
						      "group", sf_property_group_name(i->group),
						      "needs", json_caps(i->needs), "summary",
						      i->doc));
	}
	return list;
}

static json_t *json_relations(void)
{
	json_t *list = json_array();

	for (unsigned int r = 1; r < SF_RELATION_COUNT; r++) {
		json_t *reach = json_array();

		each_of(sf_relation_reach((enum sf_relation)r, &sf_baseline), json_word, reach);
		json_array_append_new(list, json_pack("{s:s, s:s, s:o}", "name",
						      sf_relations[r].name, "summary",
						      sf_relations[r].doc, "may_change", reach));
	}
	return list;
}

static json_t *json_traits(void)
{
	json_t *list = json_array();

	for (size_t i = 0; i < sf_trait_count; i++)
		json_array_append_new(list, json_setting(&sf_trait_table[i]));
	return list;
}

static const struct {
	const char *name;
	void (*print)(void);
	json_t *(*json)(void);
} tables[] = {
	{ "allocators", print_allocators, json_allocators },
	{ "oracles", print_oracles, json_oracles },
	{ "types", print_types, json_types },
	{ "ops", print_ops, json_ops },
	{ "settings", print_settings, json_settings },
	{ "traits", print_traits, json_traits },
	{ "properties", print_properties, json_properties },
	{ "relations", print_relations, json_relations },
};

#define NR_TABLES (sizeof(tables) / sizeof(tables[0]))

static void list_all(bool json)
{
	json_t *all = json_object();

	for (size_t i = 0; i < NR_TABLES; i++) {
		if (json) {
			json_object_set_new(all, tables[i].name, tables[i].json());
			continue;
		}
		printf("%s%s\n\n", i ? "\n" : "", tables[i].name);
		tables[i].print();
	}
	if (json)
		sf_json_print(all, stdout);
	else
		json_decref(all);
}

/* With -a: what these can do, and all that they promise. */
static int list_selected(struct plan *p)
{
	int status = sf_select_open(&p->on, &usage, "all");
	json_t *list = json_array(), *one;

	for (uint32_t i = 0; !status && i < p->on.nr; i++) {
		const struct sf_allocator *a = p->on.allocator[i];

		if (!p->json) {
			print_allocator(a, "");
			print_promises(a);
			continue;
		}
		one = json_allocator(a);
		json_object_set_new(one, "traits", json_promises(a));
		json_array_append_new(list, one);
	}
	if (!status && p->json)
		sf_json_print(list, stdout);
	else
		json_decref(list);
	return status;
}

static int list(struct plan *p, int argc, char **argv)
{
	int status = sf_take_options(&usage, p, argc, argv);

	if (status != SF_GO_ON)
		return status;
	if (p->on.nr_asked && optind < argc)
		return sf_usage_error(&usage, "-a lists allocators alone");
	if (p->on.nr_asked)
		return list_selected(p);
	if (p->on.traits)
		return sf_usage_error(&usage, "--trait: of which allocator (-a)?");
	if (optind == argc) {
		list_all(p->json);
		return SF_EXIT_GOOD;
	}
	if (optind + 1 != argc)
		return sf_usage_error(&usage, "one table at a time, or all");
	for (size_t i = 0; i < NR_TABLES; i++) {
		if (strcmp(argv[optind], tables[i].name))
			continue;
		if (p->json)
			sf_json_print(tables[i].json(), stdout);
		else
			tables[i].print();
		return SF_EXIT_GOOD;
	}
	return sf_usage_error(&usage, "no table '%s'", argv[optind]);
}

int sf_cmd_list(int argc, char **argv)
{
	struct plan p = { .json = false };
	int status = list(&p, argc, argv);

	sf_selection_free(&p.on);
	return status;
}
