// SPDX-License-Identifier: MIT
/*
 * members.c - members.h: the library reads a member; "all", and what this command can do about a
 * library that needs more static TLS, are here.
 */
#include <stdlib.h>
#include <string.h>

#include "members.h"
#include "static_tls.h"

static int add_member(struct sf_members *m, const struct sf_usage *u, const char *text)
{
	struct sf_error err = { "" };

	if (!strcmp(text, "all")) {
		for (int i = 0; sf_allocators[i]; i++)
			sf_members_put(m, sf_allocators[i]);
		return 0;
	}
	if (sf_members_read(m, text, &err))
		return 0;
	sf_static_tls_again(err.text);
	return sf_bad("%s: %s", u->name, err.text);
}

int sf_members_add(void *members, const struct sf_usage *u, const char *list)
{
	int status = 0;

	for (size_t len; !status && (list += strspn(list, ","), (len = strcspn(list, ",")));
	     list += len) {
		char *text = sf_sprintf("%.*s", (int)len, list);

		status = add_member(members, u, text);
		free(text);
	}
	return status;
}
