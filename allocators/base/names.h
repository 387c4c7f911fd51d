/* SPDX-License-Identifier: MIT */
/*
 * names.h - names put together without snprintf(), which costs more than all else that a cache
 * needs when hundreds of them are made for a heap (under a sanitizer a microsecond a call).
 */
#ifndef SLABFUZZ_BASE_NAMES_H
#define SLABFUZZ_BASE_NAMES_H

#include <stdint.h>
#include <string.h>

/* What fits of `from`, and a NUL, at to[at..cap). Returns where the NUL is: the next `at`. */
static inline size_t sf_name_add(char *to, size_t at, size_t cap, const char *from)
{
	size_t len = strnlen(from, cap - 1 - at);

	memcpy(to + at, from, len);
	to[at + len] = 0;
	return at + len;
}

static inline size_t sf_name_add_number(char *to, size_t at, size_t cap, uint32_t n)
{
	char digits[11];
	size_t i = sizeof(digits) - 1;

	digits[i] = 0;
	do
		digits[--i] = (char)('0' + n % 10);
	while (n /= 10);
	return sf_name_add(to, at, cap, digits + i);
}

#endif
