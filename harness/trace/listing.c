// SPDX-License-Identifier: MIT
/*
 * listing.c - what a listing of a kernel's caches says of it: /proc/slabinfo, the folder
 * /sys/kernel/slab, or that folder as text (grep -r . /sys/kernel/slab). And what the user says.
 * Relies on trace.h; the command relies on it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "private.h"

struct listing {
	uint32_t caches;   /* of kmalloc, seen */
	uint32_t least;    /* the smallest of them, 0: none */
	bool larger;       /* an object takes more than its class */
	bool debug;        /* red_zone, poison or store_user is 1 */
};

/* "kmalloc-96": 96. 0: another name. */
static uint32_t kmalloc_class(const char *name, size_t len)
{
	char *end;
	unsigned long v;
	char text[24];

	if (len < 9 || len - 8 >= sizeof(text) || memcmp(name, "kmalloc-", 8))
		return 0;
	memcpy(text, name + 8, len - 8);
	text[len - 8] = '\0';
	v = strtoul(text, &end, 10);
	if (*end == 'k' && !end[1])
		v *= 1024;
	else if (*end)
		return 0;
	return v <= (64u << 20) ? (uint32_t)v : 0;
}

static void take_class(struct listing *l, uint32_t class, uint32_t size)
{
	l->caches++;
	if (!l->least || class < l->least)
		l->least = class;
	l->larger = l->larger || size > class;
}

/* "kmalloc-64  1234 1344 64 64 1 : tunables …" */
static void slabinfo_line(struct listing *l, const char *line)
{
	size_t len = strcspn(line, " \t\n");
	uint32_t class = kmalloc_class(line, len);
	unsigned int size;

	if (class && sscanf(line + len, "%*u %*u %u", &size) == 1)
		take_class(l, class, size);
}

/* "kmalloc-64/slab_size:64", with any folder before it. */
static void sysfs_line(struct listing *l, const char *line)
{
	const char *at = strstr(line, "kmalloc-"), *slash = at ? strchr(at, '/') : NULL;
	uint32_t class = slash ? kmalloc_class(at, (size_t)(slash - at)) : 0;
	unsigned int size;

	if (!class)
		return;
	if (sscanf(slash, "/slab_size:%u", &size) == 1)
		take_class(l, class, size);
	else if (!strncmp(slash, "/red_zone:1", 11) || !strncmp(slash, "/poison:1", 9) ||
		 !strncmp(slash, "/store_user:1", 13))
		l->debug = true;
}

static int read_text(struct listing *l, const char *path, struct sf_error *err)
{
	char line[512];
	FILE *f = fopen(path, "r");

	if (!f)
		return sf_tr_error(err, path, 0, "%s", strerror(errno));
	while (fgets(line, sizeof(line), f)) {
		slabinfo_line(l, line);
		sysfs_line(l, line);
	}
	fclose(f);
	return 0;
}

/* One attribute of one cache in the folder. */
static bool attribute(const char *dir, uint32_t class, const char *name, unsigned int *v)
{
	char path[4200];
	bool ok;
	FILE *f;

	if (class >= 1024 && class % 1024 == 0)
		snprintf(path, sizeof(path), "%s/kmalloc-%uk/%s", dir, class / 1024, name);
	else
		snprintf(path, sizeof(path), "%s/kmalloc-%u/%s", dir, class, name);
	f = fopen(path, "r");
	if (!f)
		return false;
	ok = fscanf(f, "%u", v) == 1;
	fclose(f);
	return ok;
}

static void read_folder(struct listing *l, const char *dir)
{
	static const uint32_t classes[] = { 8, 16, 32, 64, 96, 128, 192, 256, 512, 1024, 2048 };
	unsigned int v;

	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
		if (attribute(dir, classes[i], "slab_size", &v))
			take_class(l, classes[i], v);
		if ((attribute(dir, classes[i], "red_zone", &v) && v) ||
		    (attribute(dir, classes[i], "poison", &v) && v) ||
		    (attribute(dir, classes[i], "store_user", &v) && v))
			l->debug = true;
	}
}

int sf_trace_hints_listing(struct sf_trace_hints *h, const char *path, struct sf_error *err)
{
	struct listing l = { .caches = 0 };
	const char *base = strrchr(path, '/');
	struct stat st;

	if (stat(path, &st))
		return sf_tr_error(err, path, 0, "%s", strerror(errno));
	if (S_ISDIR(st.st_mode))
		read_folder(&l, path);
	else if (read_text(&l, path, err))
		return -1;
	if (!l.caches)
		return sf_tr_error(err, path, 0, "no kmalloc cache in it: neither /proc/slabinfo "
				   "nor a listing of /sys/kernel/slab");
	if (l.least > 8 && !h->kmalloc_min)
		h->kmalloc_min = l.least;
	h->slub_debug = h->slub_debug || l.debug || l.larger;
	h->plain = !h->slub_debug && h->kmalloc_min <= 8;
	snprintf(h->source, sizeof(h->source), "%.60s", base ? base + 1 : path);
	return 0;
}

static bool is_power(uint64_t v)
{
	return v && !(v & (v - 1));
}

const char *sf_trace_hints_set(struct sf_trace_hints *h, const char *assignment)
{
	const char *eq = strchr(assignment, '=');
	size_t len = eq ? (size_t)(eq - assignment) : strlen(assignment);
	char *end = NULL;
	uint64_t v = eq ? strtoull(eq + 1, &end, 0) : 0;

	if (!eq || !eq[1] || *end)
		return "kmalloc_min=BYTES, page_size=BYTES or slub_debug=0|1";
	snprintf(h->source, sizeof(h->source), "--set");
	if (len == 11 && !memcmp(assignment, "kmalloc_min", len)) {
		if (!is_power(v) || v < 8 || v > 4096)
			return "a power of two from 8 to 4096";
		h->kmalloc_min = v;
	} else if (len == 9 && !memcmp(assignment, "page_size", len)) {
		if (!is_power(v) || v < 4096 || v > 65536)
			return "a power of two from 4096 to 65536";
		h->page_size = v;
	} else if (len == 10 && !memcmp(assignment, "slub_debug", len)) {
		if (v > 1)
			return "0 or 1";
		h->slub_debug = v;
	} else {
		return "kmalloc_min=BYTES, page_size=BYTES or slub_debug=0|1";
	}
	return NULL;
}
