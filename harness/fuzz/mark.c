// SPDX-License-Identifier: MIT
/*
 * mark.c - the allocator's name in front of a byte program. Relies on the layout of bytes.c: 4
 * bytes, then records; a setting with a code that no setting has is passed over.
 */
#include "mark.h"

#include <string.h>

#include "../program/program.h"

enum {
	HEADER = 4,
	MARK_CODE = 255, /* settings are bits of 64: none will ever have it */
};

_Static_assert(SF_MARK_NAME_MAX == SF_RECORD_SIZE - 2, "a name fills a record");

static bool is_marked(const uint8_t *data, size_t size)
{
	return size >= HEADER + SF_RECORD_SIZE && data[HEADER] == SF_CODE_SETTING &&
	       data[HEADER + 1] == MARK_CODE;
}

bool sf_mark_get(const uint8_t *data, size_t size, char name[SF_MARK_NAME_MAX + 1])
{
	if (!is_marked(data, size))
		return false;
	memcpy(name, data + HEADER + 2, SF_MARK_NAME_MAX);
	name[SF_MARK_NAME_MAX] = 0;
	return true;
}

size_t sf_mark_strip(uint8_t *data, size_t size)
{
	if (!is_marked(data, size))
		return size;
	size -= SF_RECORD_SIZE;
	memmove(data + HEADER, data + HEADER + SF_RECORD_SIZE, size - HEADER);
	return size;
}

size_t sf_mark_size(void)
{
	return SF_RECORD_SIZE;
}

size_t sf_mark_put(uint8_t *data, size_t size, const char *name)
{
	uint8_t *mark = data + HEADER;

	if (size < HEADER)
		return size;
	memmove(mark + SF_RECORD_SIZE, mark, size - HEADER);
	memset(mark, 0, SF_RECORD_SIZE);
	mark[0] = SF_CODE_SETTING;
	mark[1] = MARK_CODE;
	memcpy(mark + 2, name, strnlen(name, SF_MARK_NAME_MAX));
	return size + SF_RECORD_SIZE;
}
