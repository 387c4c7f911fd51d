// SPDX-License-Identifier: MIT
/*
 * where.c - functions by address, from the symbol tables in the files themselves. A symbolizer
 * knows of inlined functions, too, but takes a process of its own and a second of its time, and may
 * be missing. Relies on ELF; survive.c and fuzz.c rely on it.
 */
#include "where.h"

#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

extern const char __executable_start[] __attribute__((weak)), etext[] __attribute__((weak));

/* A file with code in it, which stays mapped. The first is the program, others are allocators'. */
static struct object {
	uintptr_t base, start, end; /* of its addresses; of its code */
	const char *file;
	size_t size;
	const ElfW(Sym) *sym;
	size_t nr;
	const char *names;
	size_t names_size;
} object[8];
static unsigned int nr_objects;

static int first_object(struct dl_phdr_info *info, size_t size, void *base)
{
	(void)size;
	*(uintptr_t *)base = info->dlpi_addr;
	return 1; /* the program itself */
}

static const void *in_file(const char *file, size_t size, uint64_t at, uint64_t bytes)
{
	return at <= size && bytes <= size - at ? file + at : NULL;
}

static void read_table(struct object *o, const char *file, size_t size, const ElfW(Shdr) *table,
		       const ElfW(Shdr) *names)
{
	o->names = in_file(file, size, names->sh_offset, names->sh_size);
	o->names_size = names->sh_size;
	o->sym = in_file(file, size, table->sh_offset, table->sh_size);
	o->nr = o->names && o->sym && o->names_size ? table->sh_size / sizeof(*o->sym) : 0;
	if (o->nr && o->names[o->names_size - 1])
		o->nr = 0;
}

/* What is exported, where the rest was stripped. */
static void read_symbols(struct object *o, const char *file, size_t size)
{
	const ElfW(Ehdr) *e = in_file(file, size, 0, sizeof(*e));
	const ElfW(Shdr) *s;

	if (!e || memcmp(e->e_ident, ELFMAG, SELFMAG))
		return;
	s = in_file(file, size, e->e_shoff, e->e_shnum * sizeof(*s));
	for (unsigned int i = 0; s && i < e->e_shnum; i++)
		if ((s[i].sh_type == SHT_SYMTAB || (s[i].sh_type == SHT_DYNSYM && !o->nr)) &&
		    s[i].sh_link < e->e_shnum)
			read_table(o, file, size, &s[i], &s[s[i].sh_link]);
}

static void read_file(struct object *o, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *file;

	if (fd < 0)
		return;
	if (!fstat(fd, &st) && st.st_size > 0) {
		file = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (file != MAP_FAILED) {
			o->file = file;
			o->size = (size_t)st.st_size;
			read_symbols(o, file, o->size);
		}
	}
	close(fd);
}

void sf_where_setup(void)
{
	struct object *o = &object[0];

	if (nr_objects)
		return;
	nr_objects = 1;
	o->start = (uintptr_t)__executable_start;
	o->end = (uintptr_t)etext;
	dl_iterate_phdr(first_object, &o->base);
	read_file(o, "/proc/self/exe");
}

static uint8_t *find_section(const struct object *o, const char *name, size_t *size)
{
	const ElfW(Ehdr) *e = in_file(o->file, o->size, 0, sizeof(*e));
	const ElfW(Shdr) *s, *names;
	const char *text;

	s = e ? in_file(o->file, o->size, e->e_shoff, e->e_shnum * sizeof(*s)) : NULL;
	if (!s || e->e_shstrndx >= e->e_shnum)
		return NULL;
	names = &s[e->e_shstrndx];
	text = in_file(o->file, o->size, names->sh_offset, names->sh_size);
	for (unsigned int i = 0; text && i < e->e_shnum; i++) {
		if (s[i].sh_name + strlen(name) >= names->sh_size ||
		    strcmp(text + s[i].sh_name, name) != 0 || !s[i].sh_addr)
			continue;
		*size = s[i].sh_size;
		return (uint8_t *)(o->base + s[i].sh_addr);
	}
	return NULL;
}

/* From the list of mappings, as a library with a namespace of its own is in no other. */
uint8_t *sf_where_add(const char *path, const char *section, size_t *size)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char real[PATH_MAX], line[PATH_MAX + 128];
	struct object o = { 0 };

	sf_where_setup();
	while (maps && *path && realpath(path, real) && fgets(line, sizeof(line), maps)) {
		const char *file = strchr(line, '/');
		unsigned long start, end;

		if (!file || strncmp(file, real, strlen(real)) || file[strlen(real)] != '\n' ||
		    sscanf(line, "%lx-%lx", &start, &end) != 2)
			continue;
		if (!o.end)
			o.base = o.start = start;
		o.end = end;
	}
	if (maps)
		fclose(maps);
	if (!o.end || nr_objects == sizeof(object) / sizeof(object[0]))
		return NULL;
	read_file(&o, real);
	object[nr_objects++] = o;
	return find_section(&o, section, size);
}

static const struct object *object_at(uintptr_t pc)
{
	for (unsigned int i = 0; i < nr_objects; i++)
		if (pc >= object[i].start && pc < object[i].end)
			return &object[i];
	return NULL;
}

/* NULL: it is in none. Of several names the strong one: memcpy() is also the sanitizer's. */
static const char *function_at(const struct object *o, uintptr_t pc)
{
	uintptr_t at = pc - o->base;
	const char *weak = NULL;

	for (size_t i = 0; i < o->nr; i++) {
		const ElfW(Sym) *s = &o->sym[i];

		if ((s->st_info & 0xf) != STT_FUNC || at - s->st_value >= s->st_size ||
		    s->st_name >= o->names_size)
			continue;
		if (s->st_info >> 4 != STB_WEAK)
			return o->names + s->st_name;
		weak = o->names + s->st_name;
	}
	return weak;
}

/* Not the function that it is about: the sanitizer's, or how an assertion fails. */
static bool is_passed_over(const char *name)
{
	static const char *const begins[] = {
		"__asan", "__interceptor", "___interceptor", "__sanitizer",
		"_ZN6__asan", "_ZN11__sanitizer", "heap_assert_failed", "on_crash",
	};

	for (size_t i = 0; i < sizeof(begins) / sizeof(begins[0]); i++)
		if (!strncmp(name, begins[i], strlen(begins[i])))
			return true;
	return strstr(name, "__ubsan"); /* mangled, of arguments' types */
}

void sf_where_title(const char *kind, size_t len, const uintptr_t *pc, unsigned int nr,
		    char title[SF_CRASH_MAX])
{
	for (unsigned int i = 0; i < nr; i++) {
		const struct object *o = object_at(pc[i]);
		const char *name = o ? function_at(o, pc[i]) : NULL;

		if (!o)
			continue;
		if (!o->nr && o == object) {
			snprintf(title, SF_CRASH_MAX, "ASan: %.*s at +%#lx", (int)len, kind,
				 (unsigned long)(pc[i] - o->start));
			return;
		}
		if (!name || is_passed_over(name))
			continue;
		/* What a compiler made of a function has its name and more behind a dot. */
		snprintf(title, SF_CRASH_MAX, "ASan: %.*s in %.*s", (int)len, kind,
			 (int)strcspn(name, "."), name);
		return;
	}
	snprintf(title, SF_CRASH_MAX, "ASan: %.*s at an unknown place", (int)len, kind);
}
