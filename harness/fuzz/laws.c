// SPDX-License-Identifier: MIT
/*
 * laws.c - the laws of the two encodings, on one input of a fuzzer. Relies on program/; the entry
 * points of the targets that read text and bytes rely on it.
 */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../allocators/base/grow.h"
#include "find.h"

/* The engines' entry points carry no context. */
static struct sf_prog prog, again;

static void take(const uint8_t *data, size_t size)
{
	static bool ready;

	if (!ready) {
		sf_prog_init(&prog);
		sf_prog_init(&again);
		ready = true;
	}
	sf_find_take(data, size);
}

/*
 * The laws of the two encodings. Each breaks in a function of its own.
 */
#define LAWS(X)                                                                            \
	X(valid, "LAW-1: a decoded or parsed program is not valid")                        \
	X(text, "LAW-2: canonical text does not parse to the same program")                \
	X(bytes, "LAW-3: bytes do not decode to the program that they encode")             \
	X(pure, "LAW-4: the same bytes decode to two programs")

#define X(name, title)                                                                     \
	__attribute__((noinline)) static void law_broken_##name(const char *where)         \
	{                                                                                  \
		if (sf_fuzz_caught(title, where))                                          \
			__builtin_trap();                                                  \
	}
LAWS(X)
#undef X

struct buffer {
	char *text;
	size_t len;
};

static struct buffer text_of(const struct sf_prog *p)
{
	struct buffer b = { NULL, 0 };
	FILE *f = open_memstream(&b.text, &b.len);

	if (!f)
		abort();
	sf_text_write(p, f);
	if (fclose(f))
		abort();
	return b;
}

static bool same_text(const struct buffer *a, const struct buffer *b)
{
	return a->len == b->len && !memcmp(a->text, b->text, a->len);
}

static void check_text(const struct sf_prog *p)
{
	struct buffer a = text_of(p), b;
	struct sf_text_error err;

	if (sf_text_parse(&again, a.text, a.len, &err)) {
		law_broken_text(err.text);
	} else {
		b = text_of(&again);
		if (!sf_prog_equal(p, &again) || !same_text(&a, &b))
			law_broken_text("text -> program -> text");
		free(b.text);
	}
	free(a.text);
}

static void check_bytes(const struct sf_prog *p)
{
	size_t len = sf_bytes_encode(p, NULL, 0);
	uint8_t *one = sf_grow(NULL, 2 * len, 1), *two;

	two = one + len;
	sf_bytes_encode(p, one, len);
	sf_bytes_decode(&again, one, len, 0);
	if (!sf_prog_equal(p, &again))
		law_broken_bytes("program -> bytes -> program");
	if (sf_bytes_encode(&again, two, len) != len || memcmp(one, two, len))
		law_broken_bytes("program -> bytes -> program -> bytes");
	free(one);
}

static void check_laws(struct sf_prog *p)
{
	check_bytes(p);
	check_text(p);
	/* Last, because it may change the program; `again` is what it was. */
	if (sf_prog_fixup(p) || !sf_prog_equal(p, &again))
		law_broken_valid("the fix-up changes it");
}

void sf_fuzz_text(const uint8_t *data, size_t size)
{
	struct sf_text_error err;

	take(data, size);
	if (sf_text_parse(&prog, (const char *)data, size, &err))
		return;
	sf_find_is(&prog, NULL);
	check_laws(&prog);
}

void sf_fuzz_bytes(const uint8_t *data, size_t size)
{
	take(data, size);
	sf_bytes_decode(&prog, data, size, 0);
	sf_find_is(&prog, NULL);
	sf_bytes_decode(&again, data, size, 0);
	if (!sf_prog_equal(&prog, &again))
		law_broken_pure("twice");
	check_laws(&prog);
}
