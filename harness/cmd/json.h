/* SPDX-License-Identifier: MIT */
/*
 * json.h - small helpers over jansson. The keys that commands print are a contract
 * (docs/json.md): they are only ever added to.
 */
#ifndef SLABFUZZ_JSON_H
#define SLABFUZZ_JSON_H

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

struct sf_oracle_count;

/* A string; bytes that are no UTF-8 (a file's name may have them) become '?'. NULL gives null. */
json_t *sf_json_text(const char *s);
/* A count. JSON numbers are signed here: what does not fit is given as text. */
json_t *sf_json_number(uint64_t n);
/* An operation's index; SF_NONE gives null. */
json_t *sf_json_op(uint32_t op);
/* One invariant's counts. */
json_t *sf_json_oracle(const struct sf_oracle_count *c);
/* A name as a key: other characters than letters and digits become '_'. */
const char *sf_json_key(const char *name, char buf[40]);
/* Printed with a newline, and freed. */
void sf_json_print(json_t *j, FILE *out);

#endif
