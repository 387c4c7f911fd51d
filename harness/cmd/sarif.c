// SPDX-License-Identifier: MIT
/*
 * sarif.c - results for machines that show finds where people look: SARIF 2.1.0, and lines that
 * GitHub turns into annotations (results.h).
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "json.h"
#include "results.h"

#define SCHEMA "https://json.schemastore.org/sarif-2.1.0.json"
#define UNEXPECTED "unexpected-result" /* ids of rules that are no invariant's */
#define CRASH "crash"
#define DIFFERS "differs-from-recording"
#define BAD_INPUT "bad-input"

/* One thing that is wrong, whatever kind it is of. */
struct finding {
	const char *rule, *title, *detail, *text;
	const struct sf_trial *trial;
	uint64_t line;
};

typedef void (*finding_fn)(void *ctx, const struct finding *f);

static void each_finding(const struct sf_results *r, finding_fn fn, void *ctx)
{
	char text[400];

	for (uint32_t i = 0; i < r->nr_found; i++) {
		const struct sf_found *f = &r->found[i];

		fn(ctx, &(struct finding){ sf_invariants[f->invariant].id, f->title, f->detail,
					   f->text, &r->trials[f->trial], f->line });
	}
	for (uint32_t i = 0; i < r->nr_crashed; i++) {
		const struct sf_crashed *c = &r->crashed[i];

		fn(ctx, &(struct finding){ CRASH, c->title, c->report, c->text,
					   &r->trials[c->trial], c->line });
	}
	for (uint32_t i = 0; i < r->nr_missed; i++) {
		const struct sf_missed *m = &r->missed[i];

		snprintf(text, sizeof(text), "expected: %s; got: %s", m->expected, m->got);
		fn(ctx, &(struct finding){ UNEXPECTED, text, NULL, m->text, &r->trials[m->trial],
					   m->line });
	}
	for (uint32_t i = 0; i < r->nr_trials; i++) {
		const struct sf_trial *t = &r->trials[i];

		if (t->error)
			fn(ctx, &(struct finding){ BAD_INPUT, t->error, NULL, NULL, t, 0 });
		for (uint32_t k = 0; t->replay && k < t->replay->nr_shown; k++)
			fn(ctx, &(struct finding){ DIFFERS, t->replay->shown[k], NULL, NULL, t,
						   0 });
	}
}

/* --- SARIF --- */

/* RFC 3986: what is neither unreserved nor a path's '/' goes as %XX. */
static json_t *uri_of(const char *path)
{
	static const char hex[] = "0123456789ABCDEF";
	char *uri = sf_grow(NULL, 3 * strlen(path) + 8, 1), *to = uri;
	json_t *j;

	if (*path == '/')
		to = stpcpy(to, "file://");
	for (; *path; path++) {
		unsigned char c = (unsigned char)*path;

		if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
		    strchr("-._~/", c)) {
			*to++ = (char)c;
			continue;
		}
		*to++ = '%';
		*to++ = hex[c >> 4];
		*to++ = hex[c & 15];
	}
	*to = '\0';
	j = json_string(uri);
	free(uri);
	return j;
}

static json_t *location(const struct finding *f)
{
	json_t *physical = json_pack("{s:{s:o}}", "artifactLocation", "uri",
				     uri_of(f->trial->file));

	if (f->line)
		json_object_set_new(physical, "region",
				    json_pack("{s:I}", "startLine", (json_int_t)f->line));
	return json_pack("{s:o}", "physicalLocation", physical);
}

/* NULL: the rule is no invariant's. */
static const struct sf_invariant_info *invariant_of(const char *rule)
{
	for (int i = 0; i < SF_INV_COUNT; i++)
		if (!strcmp(rule, sf_invariants[i].id))
			return &sf_invariants[i];
	return NULL;
}

static const char *said_of(const char *rule)
{
	if (!strcmp(rule, CRASH))
		return "an allocator's process does not end in the midst of an operation";
	if (!strcmp(rule, UNEXPECTED))
		return "what a comment behind an operation expects comes true";
	if (!strcmp(rule, DIFFERS))
		return "an object has the size that the recorded kernel gave it";
	return "an input can be read";
}

/* The rule's place among those that occur; it is appended if it is not there. */
static size_t rule_index(json_t *rules, const char *id)
{
	const struct sf_invariant_info *inv = invariant_of(id);
	size_t i;
	json_t *rule;

	json_array_foreach(rules, i, rule)
		if (!strcmp(json_string_value(json_object_get(rule, "id")), id))
			return i;
	rule = json_pack("{s:s, s:{s:s}}", "id", id, "shortDescription", "text",
			 inv ? inv->statement : said_of(id));
	if (inv)
		json_object_set_new(rule, "help", json_pack("{s:s}", "text", inv->source));
	json_array_append_new(rules, rule);
	return i;
}

/* The same for the same bug, wherever it was met: FNV-1a of title and allocator. */
static json_t *fingerprint(const struct finding *f)
{
	uint64_t hash = 0xcbf29ce484222325ull;
	char hex[17];

	for (const char *s = f->title; *s; s++)
		hash = (hash ^ (unsigned char)*s) * 0x100000001b3ull;
	for (const char *s = f->trial->allocator; *s; s++)
		hash = (hash ^ (unsigned char)*s) * 0x100000001b3ull;
	snprintf(hex, sizeof(hex), "%016" PRIx64, hash);
	return json_pack("{s:s}", "slabfuzz/v1", hex);
}

static json_t *message(const struct finding *f)
{
	char text[2000];

	snprintf(text, sizeof(text), "%s%s%s%s%s (on %s)", f->title, f->text ? "; at " : "",
		 f->text ? f->text : "", f->detail && *f->detail ? "; " : "",
		 f->detail ? f->detail : "", f->trial->allocator);
	return json_pack("{s:o}", "text", sf_json_text(text));
}

struct sarif {
	json_t *rules, *results;
};

static void add_result(void *ctx, const struct finding *f)
{
	struct sarif *s = ctx;
	json_t *result = json_pack("{s:s, s:I, s:s, s:o, s:o}", "ruleId", f->rule, "ruleIndex",
				   (json_int_t)rule_index(s->rules, f->rule), "level", "error",
				   "message", message(f), "partialFingerprints", fingerprint(f));

	if (strcmp(f->trial->file, "-"))
		json_object_set_new(result, "locations", json_pack("[o]", location(f)));
	json_array_append_new(s->results, result);
}

void sf_sarif_results(const struct sf_results *r, FILE *out)
{
	struct sarif s = { json_array(), json_array() };

	each_finding(r, add_result, &s);
	sf_json_print(json_pack("{s:s, s:s, s:[{s:{s:{s:s, s:o}}, s:o}]}", "$schema", SCHEMA,
				"version", "2.1.0", "runs", "tool", "driver", "name", "slabfuzz",
				"rules", s.rules, "results", s.results), out);
}

/* --- annotations --- */

/* In what stands before "::" a colon and a comma mean something too. */
static void put_escaped(const char *s, bool property, FILE *out)
{
	for (; s && *s; s++)
		if (*s == '%' || *s == '\r' || *s == '\n' ||
		    (property && (*s == ':' || *s == ',')))
			fprintf(out, "%%%02X", (unsigned char)*s);
		else
			fputc(*s, out);
}

static void put_annotation(void *ctx, const struct finding *f)
{
	FILE *out = ctx;

	fputs("::error file=", out);
	put_escaped(f->trial->file, true, out);
	if (f->line)
		fprintf(out, ",line=%" PRIu64, f->line);
	fputs(",title=", out);
	put_escaped(f->title, true, out);
	fputs("::", out);
	put_escaped(f->text ? f->text : f->title, false, out);
	if (f->detail && *f->detail) {
		fputs("%0A", out);
		put_escaped(f->detail, false, out);
	}
	fputs(" (on ", out);
	put_escaped(f->trial->allocator, false, out);
	fputs(")\n", out);
}

void sf_annotate_results(const struct sf_results *r, FILE *out)
{
	each_finding(r, put_annotation, out);
}
