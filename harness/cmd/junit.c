// SPDX-License-Identifier: MIT
/*
 * junit.c - results for machines that read test reports: JUnit XML, TAP 13 and KTAP (results.h).
 */
#include <inttypes.h>
#include <string.h>

#include "output.h"
#include "results.h"

void sf_put_xml(const char *s, FILE *out)
{
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '<')
			fputs("&lt;", out);
		else if (c == '>')
			fputs("&gt;", out);
		else if (c == '&')
			fputs("&amp;", out);
		else if (c == '"')
			fputs("&quot;", out);
		else if (c < 0x20 || c >= 0x7f)
			fputc('?', out);
		else
			fputc(c, out);
	}
}

static void put_failure(const char *element, const char *message, const char *file, uint64_t line,
			const char *text, const char *detail, FILE *out)
{
	fprintf(out, "      <%s message=\"", element);
	sf_put_xml(message, out);
	fputs("\">", out);
	sf_put_xml(file, out);
	if (line)
		fprintf(out, ":%" PRIu64, line);
	fputs(": ", out);
	sf_put_xml(text ? text : "", out);
	fputs(" ", out);
	sf_put_xml(detail ? detail : "", out);
	fprintf(out, "</%s>\n", element);
}

static void put_case(const struct sf_results *r, uint32_t index, FILE *out)
{
	const struct sf_trial *t = &r->trials[index];
	char text[200];

	fputs("    <testcase classname=\"", out);
	sf_put_xml(t->allocator, out);
	fputs("\" name=\"", out);
	sf_put_xml(t->file, out);
	fputs("\">\n", out);
	if (t->error)
		put_failure("error", t->error, t->file, 0, NULL, NULL, out);
	for (uint32_t i = 0; i < r->nr_found; i++)
		if (r->found[i].trial == index)
			put_failure("failure", r->found[i].title, t->file, r->found[i].line,
				    r->found[i].text, r->found[i].detail, out);
	for (uint32_t i = 0; i < r->nr_missed; i++) {
		if (r->missed[i].trial != index)
			continue;
		snprintf(text, sizeof(text), "expected: %s; got: %s", r->missed[i].expected,
			 r->missed[i].got);
		put_failure("failure", text, t->file, r->missed[i].line, r->missed[i].text, NULL,
			    out);
	}
	for (uint32_t i = 0; i < r->nr_crashed; i++)
		if (r->crashed[i].trial == index)
			put_failure("failure", r->crashed[i].title, t->file, r->crashed[i].line,
				    r->crashed[i].text, r->crashed[i].report, out);
	for (uint32_t i = 0; t->replay && i < t->replay->nr_shown; i++)
		put_failure("failure", "bytes_alloc differs from the recording", t->file, 0,
			    t->replay->shown[i], NULL, out);
	fputs("    </testcase>\n", out);
}

void sf_junit_results(const struct sf_results *r, FILE *out)
{
	uint32_t failures = 0, errors = 0;

	for (uint32_t i = 0; i < r->nr_trials; i++) {
		errors += r->trials[i].error != NULL;
		failures += !r->trials[i].error && sf_trial_wrong(&r->trials[i]);
	}
	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n", out);
	fprintf(out, "<testsuites tests=\"%u\" failures=\"%u\" errors=\"%u\">\n", r->nr_trials,
		failures, errors);
	fprintf(out, "  <testsuite name=\"slabfuzz\" tests=\"%u\" failures=\"%u\" errors=\"%u\">\n",
		r->nr_trials, failures, errors);
	for (uint32_t i = 0; i < r->nr_trials; i++)
		put_case(r, i, out);
	fputs("  </testsuite>\n</testsuites>\n", out);
}

/* '#' starts a directive in TAP. */
static void put_tap_name(const char *s, FILE *out)
{
	for (; *s; s++)
		fputc(*s == '#' || (unsigned char)*s < 0x20 ? '_' : *s, out);
}

void sf_tap_results(const struct sf_results *r, bool ktap, FILE *out)
{
	fprintf(out, "%s\n1..%u\n", ktap ? "KTAP version 1" : "TAP version 13", r->nr_trials);
	for (uint32_t i = 0; i < r->nr_trials; i++) {
		const struct sf_trial *t = &r->trials[i];

		fprintf(out, "%sok %u %s", sf_trial_wrong(t) ? "not " : "", i + 1,
			ktap ? "" : "- ");
		put_tap_name(t->file, out);
		fprintf(out, " on %s\n", t->allocator);
		if (t->error)
			fprintf(out, "# %s\n", t->error);
		for (uint32_t k = 0; k < r->nr_found; k++)
			if (r->found[k].trial == i)
				fprintf(out, "# line %" PRIu64 ": %s\n", r->found[k].line,
					r->found[k].title);
		for (uint32_t k = 0; k < r->nr_missed; k++)
			if (r->missed[k].trial == i)
				fprintf(out, "# line %" PRIu64 ": expected: %s; got: %s\n",
					r->missed[k].line, r->missed[k].expected, r->missed[k].got);
		for (uint32_t k = 0; k < r->nr_crashed; k++)
			if (r->crashed[k].trial == i)
				fprintf(out, "# line %" PRIu64 ": %s\n", r->crashed[k].line,
					r->crashed[k].title);
		for (uint32_t k = 0; t->replay && k < t->replay->nr_shown; k++)
			fprintf(out, "# %s\n", t->replay->shown[k]);
	}
}
