// SPDX-License-Identifier: MIT
/*
 * expressions.c - which type clang infers from the expressions that kernel code allocates with, and
 * where that goes wrong: the captured count, the lost pointer, the wrapper.
 *
 * Compiled by clang 22 with -falloc-token-max=16 and -mllvm -alloc-token-fallback=99, so that "no
 * type was inferred" is told from the token 0. The macros hand the call's own arguments to the
 * builtin, as include/linux/slab.h of Linux 7.2 does. Run by tests/e2e_tokens.sh; speaks TAP.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define FALLBACK 99
#define DATA 0
#define POINTER 1

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef uintptr_t word_t;

struct np { int a; long b; };
struct hp { int a; void *p; };
struct incomplete;
typedef struct np np_t;
typedef struct hp hp_t;
struct with_uintptr { uintptr_t v; };
struct with_long { unsigned long v; };
struct fns { int (*f)(int); };
struct holds_hp { struct hp h; int x; };
struct holds_hps { struct hp h[2]; };
struct holds_np { struct np n; };
struct fam_u8 { int n; u8 data[]; };
struct fam_ptr { int n; void *data[]; };
struct fam_hp { int n; struct hp data[]; };
union no_pointer { int a; long b; };
union has_pointer { int a; void *p; };
struct anonymous_union { union { int a; void *p; }; };
struct self { struct self *next; };
struct opaque { struct incomplete *x; };
struct atomic_pointer { _Atomic(void *) p; };
struct bits { unsigned int a : 3, b : 5; };
struct pack { char c; void *p; } __attribute__((packed));
enum en { ONE };

static unsigned long token;
static u8 bytes[16];
static struct np np_table[4];
static void *pointers[4];
static char chars[8];
static size_t n = 3;

static void *take(size_t size, unsigned long t)
{
	(void)size;
	token = t;
	return NULL;
}

#define kmalloc(size) take((size), __builtin_infer_alloc_token(size))
#define kcalloc(nr, size) take((nr) * (size), __builtin_infer_alloc_token(nr, size))
#define krealloc(p, size) take((size), __builtin_infer_alloc_token(p, size))
#define kmalloc_obj(T) ((__typeof__(T) *)kmalloc(sizeof(__typeof__(T))))
#define kmalloc_objs(T, nr) ((__typeof__(T) *)kmalloc(size_mul(sizeof(__typeof__(T)), (nr))))
#define kmalloc_flex(T, fam, nr)                                                          \
	((__typeof__(T) *)kmalloc(struct_size_of(T, fam, nr)))
#define struct_size_of(T, fam, nr)                                                        \
	size_add(sizeof(__typeof__(T)), size_mul(sizeof(((__typeof__(T) *)0)->fam[0]), (nr)))
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static size_t size_mul(size_t a, size_t b)
{
	return a * b;
}

static size_t size_add(size_t a, size_t b)
{
	return a + b;
}

static void *wrapper(size_t size)
{
	return kmalloc(size);
}

static struct hp *returns(size_t size)
{
	return kmalloc(size);
}

static void takes(struct hp *p)
{
	(void)p;
}

static struct np *gives_np(void *p)
{
	return p;
}

/* What only stands here to be converted to. */
static struct hp *to_hp, **to_hpp;
static const struct hp *to_const_hp;
static struct incomplete *to_incomplete;
static struct { struct hp *m; } to_member;
static void *to_void;
static char *to_char;
static u8 *to_u8;
static unsigned long to_long;

/*
 * ROWS(X): X(name, statement, token, half). The token that the published description of the scheme
 * and our own computation (harness/program/token.c) give; FALLBACK: nothing is inferred.
 */
#define ROWS(X)                                                                              \
	X("char", kmalloc(sizeof(char)), 4, DATA)                                            \
	X("signed char", kmalloc(sizeof(signed char)), 0, DATA)                              \
	X("u8", kmalloc(sizeof(u8)), 0, DATA)                                                \
	X("short", kmalloc(sizeof(short)), 7, DATA)                                          \
	X("u16", kmalloc(sizeof(u16)), 1, DATA)                                              \
	X("int", kmalloc(sizeof(int)), 2, DATA)                                              \
	X("u32", kmalloc(sizeof(u32)), 1, DATA)                                              \
	X("long", kmalloc(sizeof(long)), 6, DATA)                                            \
	X("intptr_t", kmalloc(sizeof(intptr_t)), 6, DATA)                                    \
	X("unsigned long", kmalloc(sizeof(unsigned long)), 6, DATA)                          \
	X("long long", kmalloc(sizeof(long long)), 2, DATA)                                  \
	X("u64", kmalloc(sizeof(u64)), 4, DATA)                                              \
	X("_Bool", kmalloc(sizeof(_Bool)), 5, DATA)                                          \
	X("enum", kmalloc(sizeof(enum en)), 5, DATA)                                         \
	X("float", kmalloc(sizeof(float)), 6, DATA)                                          \
	X("double", kmalloc(sizeof(double)), 0, DATA)                                        \
	X("__int128", kmalloc(sizeof(__int128)), 1, DATA)                                    \
	X("sizeof(void)", kmalloc(sizeof(void)), 5, DATA)                                    \
	X("uintptr_t", kmalloc(sizeof(uintptr_t)), 14, POINTER)                              \
	X("typedef of uintptr_t", kmalloc(sizeof(word_t)), 14, POINTER)                      \
	X("struct with uintptr_t", kmalloc(sizeof(struct with_uintptr)), -1, POINTER)        \
	X("struct with unsigned long", kmalloc(sizeof(struct with_long)), -1, DATA)          \
	X("void *", kmalloc(sizeof(void *)), 11, POINTER)                                    \
	X("char *", kmalloc(sizeof(char *)), 11, POINTER)                                    \
	X("struct np *", kmalloc(sizeof(struct np *)), 10, POINTER)                          \
	X("struct hp *", kmalloc(sizeof(struct hp *)), 8, POINTER)                           \
	X("struct of function pointers", kmalloc(sizeof(struct fns)), -1, POINTER)           \
	X("void *[4]", kmalloc(sizeof(void *[4])), 14, POINTER)                              \
	X("char[64]", kmalloc(sizeof(char[64])), 7, DATA)                                    \
	X("char[32]", kmalloc(sizeof(char[32])), 0, DATA)                                    \
	X("int[10]", kmalloc(sizeof(int[10])), 1, DATA)                                      \
	X("struct np", kmalloc(sizeof(struct np)), 5, DATA)                                  \
	X("its typedef", kmalloc(sizeof(np_t)), 5, DATA)                                     \
	X("an element", kmalloc(sizeof(np_table[0])), 5, DATA)                               \
	X("struct hp", kmalloc(sizeof(struct hp)), 9, POINTER)                               \
	X("its typedef with a pointer", kmalloc(sizeof(hp_t)), 9, POINTER)                   \
	X("*p", kmalloc(sizeof(*to_hp)), 9, POINTER)                                         \
	X("const struct np", kmalloc(sizeof(const struct np)), 6, DATA)                      \
	X("const struct hp", kmalloc(sizeof(const struct hp)), 14, POINTER)                  \
	X("volatile struct np", kmalloc(sizeof(volatile struct np)), 4, DATA)                \
	X("struct np[2]", kmalloc(sizeof(struct np[2])), 4, DATA)                            \
	X("a whole array", kmalloc(sizeof(np_table)), 0, DATA)                               \
	X("struct hp[2]", kmalloc(sizeof(struct hp[2])), 12, POINTER)                        \
	X("struct in a struct", kmalloc(sizeof(struct holds_hp)), -1, POINTER)               \
	X("array in a struct", kmalloc(sizeof(struct holds_hps)), -1, POINTER)               \
	X("struct without in a struct", kmalloc(sizeof(struct holds_np)), -1, DATA)          \
	X("flexible array of u8", kmalloc(sizeof(struct fam_u8)), -1, DATA)                  \
	X("flexible array of void *", kmalloc(sizeof(struct fam_ptr)), -1, POINTER)          \
	X("flexible array of structs", kmalloc(sizeof(struct fam_hp)), -1, POINTER)          \
	X("union without", kmalloc(sizeof(union no_pointer)), -1, DATA)                      \
	X("union with", kmalloc(sizeof(union has_pointer)), -1, POINTER)                     \
	X("anonymous union with", kmalloc(sizeof(struct anonymous_union)), -1, POINTER)      \
	X("pointer to itself", kmalloc(sizeof(struct self)), -1, POINTER)                    \
	X("pointer to incomplete", kmalloc(sizeof(struct opaque)), -1, POINTER)              \
	X("packed", kmalloc(sizeof(struct pack)), -1, POINTER)                               \
	X("HOLE: _Atomic pointer", kmalloc(sizeof(struct atomic_pointer)), -1, DATA)         \
	X("bit-fields", kmalloc(sizeof(struct bits)), -1, DATA)                              \
	X("sizeof * n", kmalloc(sizeof(struct hp) * n), 9, POINTER)                          \
	X("n * sizeof", kmalloc(n * sizeof(struct hp)), 9, POINTER)                          \
	X("sizeof + n", kmalloc(sizeof(struct hp) + n), 9, POINTER)                          \
	X("sizeof << 1", kmalloc(sizeof(struct hp) << 1), 9, POINTER)                        \
	X("sizeof / 2", kmalloc(sizeof(struct hp) / 2), 9, POINTER)                          \
	X("2 * (3 + sizeof)", kmalloc(2 * (3 + sizeof(struct hp))), 9, POINTER)              \
	X("HOLE: sizeof % 7", kmalloc(sizeof(struct hp) % 7), FALLBACK, DATA)                \
	X("HOLE: sizeof | 1", kmalloc(sizeof(struct hp) | 1), FALLBACK, DATA)                \
	X("HOLE: sizeof & ~7", kmalloc(sizeof(struct hp) & ~7ul), FALLBACK, DATA)            \
	X("HOLE: explicit cast", kmalloc((size_t)sizeof(struct hp)), FALLBACK, DATA)         \
	X("HOLE: c ? sizeof : n", kmalloc(n ? sizeof(struct hp) : n), FALLBACK, DATA)        \
	X("HOLE: (x, sizeof)", kmalloc(((void)n, sizeof(struct hp))), FALLBACK, DATA)        \
	X("HOLE: _Alignof", kmalloc(_Alignof(struct hp)), FALLBACK, DATA)                    \
	X("HOLE: offsetof", kmalloc(offsetof(struct fam_hp, data) + n * 8), FALLBACK, DATA)  \
	X("HOLE: first operand wins", kmalloc(sizeof(struct np) + sizeof(struct hp)), 5,     \
	  DATA)                                                                              \
	X("the other way round", kmalloc(sizeof(struct hp) + sizeof(struct np)), 9, POINTER) \
	X("HOLE: a header in front", kmalloc(n * sizeof(struct np) + sizeof(struct hp)), 5,  \
	  DATA)                                                                              \
	X("HOLE: a call computes", kmalloc(size_mul(sizeof(struct hp), n)), FALLBACK, DATA)  \
	X("assigned", to_hp = kmalloc(n), 9, POINTER)                                        \
	X("assigned to a member", to_member.m = kmalloc(n), 9, POINTER)                      \
	X("returned", returns(n), 9, POINTER)                                                \
	X("passed on", takes(kmalloc(n)), 9, POINTER)                                        \
	X("to const", to_const_hp = kmalloc(n), 14, POINTER)                                 \
	X("to a pointer to a pointer", to_hpp = kmalloc(n), 8, POINTER)                      \
	X("to char *", to_char = kmalloc(n), 4, DATA)                                        \
	X("to u8 *", to_u8 = kmalloc(n), 0, DATA)                                            \
	X("HOLE: to void *", to_void = kmalloc(n), FALLBACK, DATA)                           \
	X("HOLE: (void *) loses the pointer", to_hp = (void *)kmalloc(n), 5, DATA)           \
	X("HOLE: innermost cast wins", to_hp = (void *)(struct np *)kmalloc(n), 5, DATA)     \
	X("HOLE: to an integer", to_long = (unsigned long)kmalloc(n), FALLBACK, DATA)        \
	X("HOLE: to an incomplete type", to_incomplete = kmalloc(n), FALLBACK, DATA)         \
	X("outer cast leaks in", to_hp = (struct hp *)(void *)gives_np(kmalloc(n)), -1, -1)  \
	X("HOLE: the argument beats the cast", to_hp = kmalloc(sizeof(struct np)), 5, DATA)  \
	X("kmalloc_obj", to_void = kmalloc_obj(struct hp), 9, POINTER)                       \
	X("kmalloc_obj of *p", to_void = kmalloc_obj(*to_hp), 9, POINTER)                    \
	X("kmalloc_obj of a const", to_void = (void *)kmalloc_obj(*to_const_hp), 14,         \
	  POINTER)                                                                           \
	X("kmalloc_objs", to_void = kmalloc_objs(struct hp, n), 9, POINTER)                  \
	X("kmalloc_flex of u8", to_void = kmalloc_flex(struct fam_u8, data, n), -1, DATA)    \
	X("kmalloc_flex of void *", to_void = kmalloc_flex(struct fam_ptr, data, n), -1,     \
	  POINTER)                                                                           \
	X("kcalloc", to_void = kcalloc(n, sizeof(struct hp)), 9, POINTER)                    \
	X("kcalloc the other way", to_void = kcalloc(sizeof(struct hp), n), 9, POINTER)      \
	X("HOLE: the count is captured",                                                     \
	  to_void = kcalloc(ARRAY_SIZE(bytes), sizeof(struct hp)), -1, DATA)                 \
	X("and the converse", to_void = kcalloc(ARRAY_SIZE(pointers), sizeof(struct np)), -1,\
	  POINTER)                                                                           \
	X("krealloc", to_hp = krealloc(to_void, n), 9, POINTER)                              \
	X("krealloc of n * sizeof", to_void = krealloc(to_void, n * sizeof(struct hp)), 9,   \
	  POINTER)                                                                           \
	X("HOLE: a wrapper", to_hp = wrapper(sizeof(struct hp)), FALLBACK, DATA)

static int check(unsigned int nr, const char *name, long due, int half)
{
	int pointer = token != FALLBACK && token >= 8;
	int good = (due < 0 || token == (unsigned long)due) &&
		   (half < 0 || (pointer == half && (token < 16 || token == FALLBACK)));

	printf("%sok %u - %s: token %lu\n", good ? "" : "not ", nr, name, token);
	if (!good)
		printf("# due: token %ld, half %d\n", due, half);
	return !good;
}

/* What stands in size variables: only an initialiser is looked at. */
static int check_variables(unsigned int *nr)
{
	size_t initialised = sizeof(struct hp) * n, assigned;
	int wrong;

	assigned = sizeof(struct hp);
	to_void = kmalloc(initialised);
	wrong = check(++*nr, "a variable's initialiser", 9, POINTER);
	to_void = kmalloc(assigned);
	return wrong + check(++*nr, "HOLE: a variable assigned later", FALLBACK, DATA);
}

int main(void)
{
	unsigned int nr = 0;
	int wrong = 0;

#define X(name, statement, due, half) \
	token = 1000;                 \
	statement;                    \
	wrong += check(++nr, name, due, half);
	ROWS(X)
#undef X
	wrong += check_variables(&nr);
	(void)chars;
	printf("1..%u\n", nr);
	return wrong != 0;
}
