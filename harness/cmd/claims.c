// SPDX-License-Identifier: MIT
/*
 * claims.c - claims.h: one claim a line, `SUBJECT: MEASURE >= NUMBER`, `#` begins a comment.
 */
#include "claims.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"

/* Trials say that earlier reuse does not happen if its chance is below this. */
#define RARE 0.01

#define BLANKS " \t\r"

const char *const sf_claim_states[] = { "shown", "not shown", "refuted" };

struct reader {
	struct sf_claims *claims;
	char *line;    /* without its comment and its end */
	char *at;
	uint32_t number;
};

static int refuse(const struct reader *r, const char *at, const char *what)
{
	return sf_bad("%s:%u:%u: %s", r->claims->file, r->number, (unsigned int)(at - r->line) + 1,
		      what);
}

static int refuse_free(const struct reader *r, const char *at, char *what)
{
	int status = refuse(r, at, what);

	free(what);
	return status;
}

/* The next word, which ends with a NUL then; NULL: there is none. *at: where it begins. */
static char *word(struct reader *r, char **at)
{
	char *w = r->at + strspn(r->at, BLANKS);
	size_t len = strcspn(w, BLANKS);

	*at = w;
	r->at = w + len + (w[len] != 0);
	w[len] = 0;
	return len ? w : NULL;
}

/* Their names, each once, or (subject) the measures of one. */
static char *names(const char *subject)
{
	char *all = sf_strdup("");
	struct sf_figure f;

	for (uint32_t i = 0; sf_figure_at(i, &f); i++) {
		const char *name = subject ? f.measure : f.subject;
		char *more;

		if (subject ? strcmp(f.subject, subject) != 0 : strstr(all, name) != NULL)
			continue;
		more = sf_sprintf("%s%s%s", all, *all ? ", " : "", name);
		free(all);
		all = more;
	}
	return all;
}

static int no_subject(const struct reader *r, const char *at, const char *name)
{
	char *all = names(NULL);
	char *what = sf_sprintf("no claim about '%s'; there are: %s", name, all);

	free(all);
	return refuse_free(r, at, what);
}

static int no_measure(const struct reader *r, const char *at, const char *subject,
		      const char *name)
{
	char *all = names(subject);
	char *what = sf_sprintf("expected one of %s, of '%s', not '%s'", all, subject, name);

	free(all);
	return refuse_free(r, at, what);
}

/* "SUBJECT:", and its measure. */
static int read_names(struct reader *r, struct sf_claim *c)
{
	char *at, *subject = word(r, &at), *measure;
	size_t len = subject ? strlen(subject) : 0;

	c->col = (uint32_t)(at - r->line) + 1;
	if (!len || subject[len - 1] != ':')
		return refuse(r, at + len, "expected SUBJECT: and what is claimed of it");
	subject[len - 1] = 0;
	if (!sf_figure_find(subject, NULL, &c->figure))
		return no_subject(r, at, subject);
	measure = word(r, &at);
	if (!measure || !sf_figure_find(subject, measure, &c->figure))
		return no_measure(r, at, subject, measure ? measure : "");
	return 0;
}

static const char *fault_of(const struct sf_claim *c)
{
	switch (c->figure.unit) {
	case SF_FIGURE_SHARE:
		return c->value <= 1 ? NULL : "a chance is from 0 to 1";
	case SF_FIGURE_FREES:
		return c->value == floor(c->value) && c->value <= SF_REUSE_FREES ? NULL :
			"frees are a whole number, at most 1024: so long it is looked for";
	default:
		return c->value <= 64 ? NULL : "an address has 64 bits";
	}
}

static int read_number(struct reader *r, struct sf_claim *c)
{
	char *at, *op = word(r, &at), *number, *end = NULL;

	c->least = op && !strcmp(op, ">=");
	if (!op || (!c->least && strcmp(op, "<=") != 0))
		return refuse(r, at, "expected >= or <=");
	if (c->figure.unit == SF_FIGURE_FREES && !c->least)
		return refuse(r, at, "expected >=: memory that is used again soon is no promise");
	number = word(r, &at);
	c->value = number ? strtod(number, &end) : 0;
	if (!number || *end || strspn(number, "0123456789.") != strlen(number))
		return refuse(r, at, "expected a number");
	return fault_of(c) ? refuse(r, at, fault_of(c)) : 0;
}

/* "64 frees", "4 bits": the unit may be there. */
static int read_unit(struct reader *r, const struct sf_claim *c)
{
	char *at, *unit = word(r, &at), *more;

	if (unit && !(c->figure.unit == SF_FIGURE_FREES && !strcmp(unit, "frees")) &&
	    !(c->figure.unit == SF_FIGURE_BITS && !strcmp(unit, "bits")))
		return refuse(r, at, "expected the end of the line");
	more = word(r, &at);
	return more ? refuse(r, at, "expected the end of the line") : 0;
}

static char *tidy(const char *line)
{
	char *text = sf_strdup(line), *to = text;

	for (const char *from = line + strspn(line, BLANKS); *from;) {
		size_t blanks = strspn(from, BLANKS);

		from += blanks;
		if (blanks && *from)
			*to++ = ' ';
		else if (*from)
			*to++ = *from++;
	}
	*to = 0;
	return text;
}

static int read_line(struct sf_claims *claims, char *line, uint32_t number)
{
	struct reader r = { .claims = claims, .line = line, .at = line, .number = number };
	struct sf_claim c = { .line = number };
	int status;

	line[strcspn(line, "#\n")] = 0;
	if (!line[strspn(line, BLANKS)])
		return 0;
	c.text = tidy(line);
	status = read_names(&r, &c);
	if (!status)
		status = read_number(&r, &c);
	if (!status)
		status = read_unit(&r, &c);
	if (status) {
		free(c.text);
		return status;
	}
	SF_GROW(claims->c, claims->nr, claims->cap);
	claims->c[claims->nr++] = c;
	return 0;
}

static int read_lines(struct sf_claims *claims, FILE *in)
{
	uint32_t number = 0;
	size_t size = 0;
	char *line = NULL;
	ssize_t len;
	int status = 0;

	while (!status && (len = getline(&line, &size, in)) >= 0) {
		number++;
		if (strlen(line) == (size_t)len)
			status = read_line(claims, line, number);
		else
			status = sf_bad("%s:%u:%zu: a NUL is no text", claims->file, number,
					strlen(line) + 1);
	}
	free(line);
	if (!status && ferror(in))
		return sf_bad("%s: %s", claims->file, strerror(errno));
	if (!status && !claims->nr)
		return sf_bad("%s:%u:1: there is no claim in it", claims->file,
			      number ? number : 1);
	return status;
}

int sf_claims_read(struct sf_claims *claims, const char *file)
{
	FILE *in = fopen(file, "re");
	int status;

	if (!in)
		return sf_bad("%s: %s", file, strerror(errno));
	claims->file = file;
	status = read_lines(claims, in);
	fclose(in);
	return status;
}

void sf_claims_free(struct sf_claims *claims)
{
	for (uint32_t i = 0; i < claims->nr; i++)
		free(claims->c[i].text);
	free(claims->c);
	*claims = (struct sf_claims){ 0 };
}

/* --- against what was measured --- */

static enum sf_claim_state side(double low, double high, bool least, double value)
{
	if (least ? low >= value : high <= value)
		return SF_CLAIM_SHOWN;
	return (least ? high < value : low > value) ? SF_CLAIM_REFUTED : SF_CLAIM_NOT_SHOWN;
}

/* One free that came too early is enough; that there is none takes many trials. */
static enum sf_claim_state check_frees(const struct sf_claim *c, const struct sf_tally *t,
				       char measured[SF_MEASURED_MAX])
{
	struct sf_chance p = sf_tally_chance(t, &c->figure, (uint32_t)c->value);
	struct sf_spread s;

	if (!sf_tally_after(t, SF_SCENARIO_REUSE, 0, &s)) {
		snprintf(measured, SF_MEASURED_MAX, "nothing: no trial could be run");
		return SF_CLAIM_NOT_SHOWN;
	}
	if (s.least == SF_NEVER)
		snprintf(measured, SF_MEASURED_MAX, "not within %u frees (%u trials)",
			 SF_REUSE_FREES, (unsigned int)p.n);
	else
		snprintf(measured, SF_MEASURED_MAX, "after %u frees, and earlier than "
			 "claimed in %u of %u trials", s.least, (unsigned int)(p.n - p.hits),
			 (unsigned int)p.n);
	if (p.hits < p.n)
		return SF_CLAIM_REFUTED;
	return p.low >= 1 - RARE ? SF_CLAIM_SHOWN : SF_CLAIM_NOT_SHOWN;
}

enum sf_claim_state sf_claim_check(const struct sf_claim *c, const struct sf_tally *t,
				   char measured[SF_MEASURED_MAX])
{
	struct sf_chance p = sf_tally_chance(t, &c->figure, 0);
	struct sf_bits b = sf_bits(&p);

	if (c->figure.unit == SF_FIGURE_FREES)
		return check_frees(c, t, measured);
	if (!p.n) {
		snprintf(measured, SF_MEASURED_MAX, "nothing: no trial could be run");
		return SF_CLAIM_NOT_SHOWN;
	}
	if (c->figure.unit == SF_FIGURE_BITS) {
		snprintf(measured, SF_MEASURED_MAX, "%.2f bits (%.2f to %.2f; %u starts)",
			 b.bits, b.low, b.high, (unsigned int)p.n);
		return side(b.low, b.high, c->least, c->value);
	}
	snprintf(measured, SF_MEASURED_MAX, "%.4f (%.4f to %.4f; %u trials)", p.share,
		 p.low, p.high, (unsigned int)p.n);
	return side(p.low, p.high, c->least, c->value);
}
