// SPDX-License-Identifier: MIT
/*
 * crash_file.c - crash_file.h.
 */
#include "crash_file.h"

#include <string.h>

#include "files.h"

char *sf_crash_file_get(const char *text, const char *key)
{
	size_t n = strlen(key);

	for (; text && !strncmp(text, "# ", 2); text = strchr(text, '\n'), text += text != NULL)
		if (!strncmp(text + 2, key, n) && !strncmp(text + 2 + n, ": ", 2))
			return sf_path("%.*s", (int)strcspn(text + n + 4, "\n"), text + n + 4);
	return NULL;
}

const char *sf_crash_file_program(const char *text)
{
	static const char *const keys[] = { "title: ", "detail: ", "allocator: ", "report: ",
					    "minimized: ", "due: " };

	while (text[0] == '#' && text[1] == ' ') {
		bool known = false;

		for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
			known |= !strncmp(text + 2, keys[i], strlen(keys[i]));
		if (!known)
			break;
		text += strcspn(text, "\n");
		text += *text == '\n';
	}
	return text;
}

void sf_crash_file_put(FILE *f, const char *key, const char *value, int max)
{
	for (int i = 0; i < max && value && *value; i++) {
		int n = (int)strcspn(value, "\n");

		fprintf(f, "# %s: %.*s\n", key, n, value);
		value += n + (value[n] == '\n');
	}
}
