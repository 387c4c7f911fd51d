// SPDX-License-Identifier: MIT
/*
 * test_btf.c - structures read from BTF: what has a pointer, what is its name, and files that are
 * damaged in every place.
 *
 * The BTF is written here by hand (linux/btf.h has the format), so that no library checks itself.
 * Relies on btf.c and token.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <elf.h>
#include <linux/btf.h>

#ifdef SF_HAVE_LIBBPF
#include <bpf/libbpf.h>
#endif

#include "../harness/program/token.h"
#include "../harness/trace/btf.h"

#define FILE_MAX 4096u

/* ---- BTF by hand ---- */

struct image {
	uint32_t types[512];
	char strings[1024];
	uint32_t nr_words, strings_len, nr_types;
	uint32_t base_strings; /* bytes that the base's strings have */
};

static void image_init(struct image *b, const struct image *base)
{
	memset(b, 0, sizeof(*b));
	b->base_strings = base ? base->strings_len : 0;
	b->nr_types = base ? base->nr_types : 0;
	b->strings_len = 1;
	/* Strings of a module go on where the kernel's end: offset 0 is the kernel's "". */
	if (base)
		b->strings_len = 0;
}

static void word(struct image *b, uint32_t w)
{
	assert_true(b->nr_words < sizeof(b->types) / sizeof(b->types[0]));
	b->types[b->nr_words++] = w;
}

static uint32_t string(struct image *b, const char *s)
{
	uint32_t at = b->base_strings + b->strings_len;

	if (!*s)
		return 0;
	assert_true(b->strings_len + strlen(s) < sizeof(b->strings));
	strcpy(b->strings + b->strings_len, s);
	b->strings_len += (uint32_t)strlen(s) + 1;
	return at;
}

/* Returns its id; what follows the three words is the caller's. */
static uint32_t type(struct image *b, const char *name, unsigned int kind, uint32_t vlen,
		     uint32_t size_or_type)
{
	word(b, string(b, name));
	word(b, kind << 24 | vlen);
	word(b, size_or_type);
	return ++b->nr_types;
}

static uint32_t integer(struct image *b, const char *name, uint32_t size)
{
	uint32_t id = type(b, name, BTF_KIND_INT, 0, size);

	word(b, size * 8);
	return id;
}

static uint32_t pointer_to(struct image *b, uint32_t to)
{
	return type(b, "", BTF_KIND_PTR, 0, to);
}

static uint32_t alias(struct image *b, const char *name, uint32_t of)
{
	return type(b, name, BTF_KIND_TYPEDEF, 0, of);
}

static uint32_t array(struct image *b, uint32_t of, uint32_t nr)
{
	uint32_t id = type(b, "", BTF_KIND_ARRAY, 0, 0);

	word(b, of);
	word(b, of);
	word(b, nr);
	return id;
}

/* A struct or union with two members. */
static uint32_t record(struct image *b, unsigned int kind, const char *name, uint32_t size,
		       uint32_t first, uint32_t second)
{
	uint32_t id = type(b, name, kind, 2, size);

	word(b, string(b, "a"));
	word(b, first);
	word(b, 0);
	word(b, string(b, "b"));
	word(b, second);
	word(b, kind == BTF_KIND_UNION ? 0 : size * 4);
	return id;
}

static uint32_t structure(struct image *b, const char *name, uint32_t size, uint32_t first,
			  uint32_t second)
{
	return record(b, BTF_KIND_STRUCT, name, size, first, second);
}

static size_t image_bytes(const struct image *b, unsigned char to[FILE_MAX])
{
	struct btf_header h = { .magic = BTF_MAGIC, .version = BTF_VERSION,
				.hdr_len = sizeof(h), .type_len = b->nr_words * 4,
				.str_off = b->nr_words * 4, .str_len = b->strings_len };
	size_t len = sizeof(h) + h.type_len + h.str_len;

	assert_true(len <= FILE_MAX);
	memcpy(to, &h, sizeof(h));
	memcpy(to + sizeof(h), b->types, h.type_len);
	memcpy(to + sizeof(h) + h.type_len, b->strings, h.str_len);
	return len;
}

/* ---- files ---- */

struct files {
	char folder[64], file[80], base[80];
};

static int set_up(void **state)
{
	struct files *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	snprintf(f->folder, sizeof(f->folder), "/tmp/slabfuzz-btf-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	snprintf(f->file, sizeof(f->file), "%s/file", f->folder);
	snprintf(f->base, sizeof(f->base), "%s/base", f->folder);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct files *f = *state;

	unlink(f->file);
	unlink(f->base);
	rmdir(f->folder);
	free(f);
	return 0;
}

static void save(const char *path, const void *data, size_t len)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

static void save_image(const char *path, const struct image *b)
{
	unsigned char bytes[FILE_MAX];

	save(path, bytes, image_bytes(b, bytes));
}

/* Whether there is anything to test; without libbpf it says what is missing. */
static void need_libbpf(const struct files *f)
{
	struct sf_error err = { "" };
	struct sf_btf btf;

	if (sf_btf_read(f->folder, NULL, &btf, &err) != SF_BTF_MISSING)
		return;
	assert_non_null(strstr(err.text, "libbpf-dev"));
	skip();
}

static void read_good(const struct files *f, bool with_base, struct sf_btf *btf)
{
	struct sf_error err = { "" };

	if (sf_btf_read(f->file, with_base ? f->base : NULL, btf, &err) != SF_BTF_OK)
		fail_msg("%s", err.text);
}

static void read_bad(const char *path, const char *base, const char *why)
{
	struct sf_error err = { "" };
	struct sf_btf btf;

	assert_int_equal(sf_btf_read(path, base, &btf, &err), SF_BTF_BAD);
	if (!strstr(err.text, why) || strchr(err.text, '\n'))
		fail_msg("'%s' does not say '%s'", err.text, why);
}

static void image_bad(const struct files *f, const struct image *b, const char *why)
{
	save_image(f->file, b);
	read_bad(f->file, NULL, why);
}

static const struct sf_btf_type *named(const struct sf_btf *btf, const char *name)
{
	for (uint32_t i = 0; i < btf->nr; i++)
		if (!strcmp(btf->type[i].name, name))
			return &btf->type[i];
	fail_msg("no %s", name);
	return NULL;
}

/* ---- tests ---- */

/* One structure of each sort; the second member decides. */
static void kinds(struct image *b)
{
	uint32_t i = integer(b, "int", 4), l = integer(b, "long unsigned int", 8);
	uint32_t p = pointer_to(b, 0), np, hp, up, chain, q, anonymous;

	np = structure(b, "np", 16, i, l);
	hp = structure(b, "hp", 16, i, p);
	structure(b, "nested_np", 24, i, np);
	structure(b, "nested_hp", 24, i, hp);
	structure(b, "array_np", 80, i, array(b, array(b, np, 2), 2));
	structure(b, "array_hp", 80, i, array(b, array(b, hp, 2), 2));
	structure(b, "flexible", 8, i, array(b, p, 0));
	record(b, BTF_KIND_UNION, "u_np", 8, i, l);
	record(b, BTF_KIND_UNION, "u_hp", 8, i, p);
	up = alias(b, "uintptr_t", l);
	chain = alias(b, "handle_t", type(b, "", BTF_KIND_CONST, 0, up));
	structure(b, "by_uintptr", 16, i, chain);
	structure(b, "by_long", 16, i, alias(b, "word_t", l));
	q = type(b, "", BTF_KIND_VOLATILE, 0, type(b, "", BTF_KIND_RESTRICT, 0, p));
	structure(b, "qualified", 16, i, q);
	structure(b, "incomplete", 8, i, type(b, "opaque", BTF_KIND_FWD, 0, 0));
	anonymous = record(b, BTF_KIND_UNION, "", 8, l, p);
	structure(b, "by_anonymous", 16, i, anonymous);
	/* Itself, through a pointer to what comes later. */
	structure(b, "list", 16, i, pointer_to(b, b->nr_types + 2));
	structure(b, "np", 40, i, p);
	structure(b, "nothing", 0, i, i);
}

static void test_pointers(void **state)
{
	static const struct {
		const char *name;
		bool pointer;
	} want[] = {
		{ "struct np", false },       { "struct hp", true },
		{ "struct nested_np", false }, { "struct nested_hp", true },
		{ "struct array_np", false }, { "struct array_hp", true },
		{ "struct flexible", true },  { "union u_np", false },
		{ "union u_hp", true },       { "struct by_uintptr", true },
		{ "struct by_long", false },  { "struct qualified", true },
		{ "struct incomplete", false }, { "struct by_anonymous", true },
		{ "struct list", true },      { "(anonymous)", true },
	};
	const struct files *f = *state;
	struct image b;
	struct sf_btf btf;

	need_libbpf(f);
	image_init(&b, NULL);
	kinds(&b);
	save_image(f->file, &b);
	read_good(f, false, &btf);
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++)
		if (named(&btf, want[i].name)->pointer != want[i].pointer)
			fail_msg("%s: pointer %d", want[i].name, !want[i].pointer);
	/* A name that comes twice is there twice; what has no size is counted. */
	assert_int_equal(btf.nr, sizeof(want) / sizeof(want[0]) + 1);
	assert_int_equal(btf.empty, 1);
	assert_int_equal(named(&btf, "struct np")->size, 16);
	assert_string_equal(btf.type[btf.nr - 1].name, "struct np");
	assert_int_equal(btf.type[btf.nr - 1].size, 40);
	assert_true(btf.type[btf.nr - 1].pointer);
	sf_btf_free(&btf);
}

/* clang 22 gives sizeof(struct np) 5, struct hp 9, foo_t 14, bar_t 1, un_t 7 (of 16). */
static void test_names(void **state)
{
	static const struct {
		const char *name, *canonical;
		unsigned int token;
	} want[] = {
		{ "struct np", "np", 5 }, { "struct hp", "hp", 9 },   { "foo_t", "foo_t", 14 },
		{ "bar_t", "bar_t", 1 },  { "un_t", "un_t", 7 },
	};
	const struct files *f = *state;
	uint32_t i, l, p, foo, constant;
	struct image b;
	struct sf_btf btf;

	need_libbpf(f);
	image_init(&b, NULL);
	i = integer(&b, "int", 4);
	l = integer(&b, "long int", 8);
	p = pointer_to(&b, 0);
	structure(&b, "np", 16, i, l);
	structure(&b, "hp", 16, i, p);
	foo = structure(&b, "", 16, i, p);
	alias(&b, "foo_t", foo);
	alias(&b, "not_the_first_t", foo);
	alias(&b, "bar_t", b.nr_types + 2);
	structure(&b, "", 16, i, i);
	alias(&b, "un_t", record(&b, BTF_KIND_UNION, "", 8, i, l));
	/* Not directly: no name for it. */
	constant = type(&b, "", BTF_KIND_CONST, 0, structure(&b, "", 12, i, i));
	alias(&b, "const_t", constant);
	save_image(f->file, &b);
	read_good(f, false, &btf);
	assert_int_equal(btf.nr, 6);
	for (size_t n = 0; n < sizeof(want) / sizeof(want[0]); n++) {
		const struct sf_btf_type *t = named(&btf, want[n].name);

		assert_string_equal(t->canonical, want[n].canonical);
		assert_int_equal(sf_token_of(t->canonical, t->pointer, SF_TOKENS), want[n].token);
	}
	assert_null(named(&btf, "(anonymous)")->canonical);
	assert_int_equal(named(&btf, "(anonymous)")->size, 12);
	sf_btf_free(&btf);
}

/* A module's structures hold the kernel's. */
static void test_module(void **state)
{
	const struct files *f = *state;
	struct image kernel, module;
	struct sf_btf btf;
	uint32_t i, hp;

	need_libbpf(f);
	image_init(&kernel, NULL);
	i = integer(&kernel, "int", 4);
	hp = structure(&kernel, "hp", 16, i, pointer_to(&kernel, 0));
	save_image(f->base, &kernel);
	image_init(&module, &kernel);
	structure(&module, "driver", 40, i, hp);
	structure(&module, "plain", 8, i, i);
	save_image(f->file, &module);

	read_good(f, true, &btf);
	assert_int_equal(btf.nr, 3);
	assert_true(named(&btf, "struct hp")->from_base);
	assert_false(named(&btf, "struct driver")->from_base);
	assert_true(named(&btf, "struct driver")->pointer);
	assert_false(named(&btf, "struct plain")->pointer);
	sf_btf_free(&btf);
	read_bad(f->file, NULL, "needs the kernel's");
	read_bad(f->file, "/nonesuch", "/nonesuch: No such file");
}

/* A base that has sizes only is no base: what is in it decides whether there is a pointer. */
static void test_distilled(void **state)
{
	const struct files *f = *state;
	struct image distilled, module, empty;

	need_libbpf(f);
	image_init(&distilled, NULL);
	integer(&distilled, "int", 4);
	type(&distilled, "hp", BTF_KIND_STRUCT, 0, 16);
	save_image(f->base, &distilled);
	image_init(&module, &distilled);
	structure(&module, "driver", 40, 1, 2);
	save_image(f->file, &module);
	read_bad(f->file, f->base, "a distilled base, without members");
	read_bad(f->base, NULL, "a distilled base, without members");
	/* structures of no size, and no structure at all, are not distilled */
	image_init(&empty, NULL);
	integer(&empty, "int", 4);
	type(&empty, "lock", BTF_KIND_STRUCT, 0, 0);
	save_image(f->base, &empty);
	read_bad(f->base, NULL, "no structure in its BTF");
}

static void test_no_btf(void **state)
{
	const struct files *f = *state;
	unsigned char bytes[FILE_MAX];
	struct image b;
	size_t len;

	need_libbpf(f);
	unlink(f->file);
	read_bad(f->file, NULL, "No such file");
	read_bad(f->folder, NULL, "not a regular file");
	read_bad("/dev/zero", NULL, "not a regular file");
	save(f->file, "", 0);
	read_bad(f->file, NULL, "empty");
	save(f->file, "heap pages=64\n", 14);
	read_bad(f->file, NULL, "not BTF");

	image_init(&b, NULL);
	kinds(&b);
	len = image_bytes(&b, bytes);
	bytes[0] = BTF_MAGIC >> 8;
	bytes[1] = BTF_MAGIC & 0xff;
	save(f->file, bytes, len);
	read_bad(f->file, NULL, "other byte order");

	image_init(&b, NULL);
	integer(&b, "int", 4);
	image_bad(f, &b, "no structure");
}

static void test_impossible(void **state)
{
	const struct files *f = *state;
	struct image b;
	uint32_t id;

	need_libbpf(f);
	image_init(&b, NULL);
	structure(&b, "outside", 8, integer(&b, "int", 4), 99);
	image_bad(f, &b, "damaged");

	image_init(&b, NULL);
	id = integer(&b, "int", 4);
	structure(&b, "ouroboros", 8, id, b.nr_types + 1);
	image_bad(f, &b, "damaged");

	image_init(&b, NULL);
	id = array(&b, 1, 1);
	structure(&b, "bottomless", 8, id, id);
	image_bad(f, &b, "damaged");

	image_init(&b, NULL);
	id = alias(&b, "round", 2);
	alias(&b, "and_round", id);
	structure(&b, "dizzy", 8, id, id);
	image_bad(f, &b, "damaged");

	image_init(&b, NULL);
	structure(&b, "two\nlines", 8, integer(&b, "int", 4), 1);
	image_bad(f, &b, "damaged");
}

/* Whatever it holds: types that can be printed, or one line that says why not. */
static void read_anything(const struct files *f, const void *data, size_t len)
{
	struct sf_error err = { "" };
	struct sf_btf btf;
	enum sf_btf_status status;

	save(f->file, data, len);
	status = sf_btf_read(f->file, NULL, &btf, &err);
	if (status == SF_BTF_BAD) {
		assert_true(*err.text && !strchr(err.text, '\n'));
		return;
	}
	assert_int_equal(status, SF_BTF_OK);
	assert_true(btf.nr > 0 && btf.nr < FILE_MAX);
	for (uint32_t i = 0; i < btf.nr; i++) {
		assert_true(btf.type[i].size && *btf.type[i].name);
		assert_null(strpbrk(btf.type[i].name, "\n\033\177"));
	}
	sf_btf_free(&btf);
}

/* Cut to every length, and every byte changed in two ways. Returns how many files that were. */
static unsigned int damage(const struct files *f, unsigned char *bytes, size_t len)
{
	unsigned int nr = 0;

	for (size_t i = 0; i < len; i++, nr += 3) {
		const unsigned char was = bytes[i];

		read_anything(f, bytes, i);
		bytes[i] = was ^ (unsigned char)(1u << i % 8);
		read_anything(f, bytes, len);
		bytes[i] = (unsigned char)~was;
		read_anything(f, bytes, len);
		bytes[i] = was;
	}
	return nr;
}

/* Small, so that every byte's turn comes. */
static size_t small(unsigned char bytes[FILE_MAX])
{
	struct image b;
	uint32_t i;

	image_init(&b, NULL);
	i = integer(&b, "int", 4);
	structure(&b, "hp", 16, i, pointer_to(&b, 0));
	alias(&b, "foo_t", structure(&b, "", 12, i, array(&b, i, 2)));
	return image_bytes(&b, bytes);
}

static void test_damaged(void **state)
{
	unsigned char bytes[FILE_MAX];

	need_libbpf(*state);
	assert_true(damage(*state, bytes, small(bytes)) >= 500);
}

/* An ELF file of three sections: none, names, .BTF. */
static size_t elf(unsigned char to[FILE_MAX])
{
	static const char names[] = "\0.BTF\0.shstrtab";
	unsigned char btf[FILE_MAX];
	size_t len = small(btf);
	struct {
		Elf64_Ehdr h;
		Elf64_Shdr section[3];
		char names[16];
	} e = {
		.h = { .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
				    __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB :
										ELFDATA2MSB,
				    EV_CURRENT },
		       .e_type = ET_REL, .e_machine = EM_X86_64, .e_version = EV_CURRENT,
		       .e_shoff = sizeof(e.h), .e_ehsize = sizeof(e.h),
		       .e_shentsize = sizeof(e.section[0]), .e_shnum = 3, .e_shstrndx = 1 },
		.section[1] = { .sh_name = 6, .sh_type = SHT_STRTAB,
				.sh_offset = offsetof(__typeof__(e), names),
				.sh_size = sizeof(names), .sh_addralign = 1 },
		.section[2] = { .sh_name = 1, .sh_type = SHT_PROGBITS, .sh_offset = sizeof(e),
				.sh_size = len, .sh_addralign = 1 },
	};

	memcpy(e.names, names, sizeof(names));
	memcpy(to, &e, sizeof(e));
	memcpy(to + sizeof(e), btf, len);
	return sizeof(e) + len;
}

static void test_elf(void **state)
{
	const struct files *f = *state;
	unsigned char bytes[FILE_MAX];
	struct sf_btf btf;
	size_t len;

	need_libbpf(f);
	len = elf(bytes);
	save(f->file, bytes, len);
	read_good(f, false, &btf);
	assert_int_equal(btf.nr, 2);
	assert_true(named(&btf, "struct hp")->pointer);
	assert_false(named(&btf, "foo_t")->pointer);
	sf_btf_free(&btf);

	bytes[EI_DATA] ^= ELFDATA2LSB ^ ELFDATA2MSB;
	save(f->file, bytes, len);
	read_bad(f->file, NULL, "other byte order");
	bytes[EI_DATA] ^= ELFDATA2LSB ^ ELFDATA2MSB;
	bytes[sizeof(Elf64_Ehdr) + 3 * sizeof(Elf64_Shdr) + 1] = '_';
	save(f->file, bytes, len);
	read_bad(f->file, NULL, "no .BTF section");
	bytes[sizeof(Elf64_Ehdr) + 3 * sizeof(Elf64_Shdr) + 1] = '.';
	/* The BTF itself had its turn. */
	assert_true(damage(f, bytes, sizeof(Elf64_Ehdr) + 3 * sizeof(Elf64_Shdr)) >= 500);
}

/* A module with a base of its own does not refer to the kernel's types by number. */
static void test_own_base(void **state)
{
	const struct files *f = *state;
	unsigned char bytes[FILE_MAX];
	struct image kernel;
	size_t len;

	need_libbpf(f);
#ifdef SF_HAVE_LIBBPF
	if (libbpf_major_version() > 1 || libbpf_minor_version() >= 5)
		skip(); /* the library finds them */
#endif
	image_init(&kernel, NULL);
	structure(&kernel, "hp", 16, integer(&kernel, "int", 4), 1);
	save_image(f->base, &kernel);
	len = elf(bytes);
	memcpy(bytes + sizeof(Elf64_Ehdr) + 3 * sizeof(Elf64_Shdr) + 6, ".BTF.base", 9);
	save(f->file, bytes, len);
	read_bad(f->file, f->base, "needs libbpf 1.5");
}

static void test_this_kernel(void **state)
{
	const char *path = "/sys/kernel/btf/vmlinux";
	struct sf_error err = { "" };
	struct sf_btf btf;

	need_libbpf(*state);
	if (access(path, R_OK)) {
		print_message("there is no %s\n", path);
		skip();
	}
	assert_int_equal(sf_btf_read(path, NULL, &btf, &err), SF_BTF_OK);
	assert_true(btf.nr > 2000);
	assert_true(named(&btf, "struct task_struct")->pointer);
	assert_int_equal(named(&btf, "struct list_head")->size, 2 * sizeof(void *));
	assert_string_equal(named(&btf, "atomic_t")->canonical, "atomic_t");
	assert_false(named(&btf, "atomic_t")->pointer);
	sf_btf_free(&btf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pointers),    cmocka_unit_test(test_names),
		cmocka_unit_test(test_module),      cmocka_unit_test(test_no_btf),
		cmocka_unit_test(test_distilled),   cmocka_unit_test(test_own_base),
		cmocka_unit_test(test_impossible),  cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_elf),         cmocka_unit_test(test_this_kernel),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("btf", tests, set_up, tear_down);
}
