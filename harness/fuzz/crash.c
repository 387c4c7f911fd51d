// SPDX-License-Identifier: MIT
/*
 * crash.c - crash.h: reports of sanitizers, of libFuzzer and of our own handler are read alike: a
 * line that says what it was, then a stack, "    #0 0x55.. in FUNCTION FILE:LINE" or "(FILE+0x12)".
 */
#include "crash.h"

#include <ctype.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "../lockstep/relations.h"

enum {
	NAME_MAX_LEN = 96,
	FRAMES_MAX = 32,
};

struct frame {
	char name[NAME_MAX_LEN]; /* "": unknown */
	const char *where;       /* the rest of its line */
	int len;
};

const char *sf_crash_key(enum sf_crash_kind kind)
{
	static const char *const keys[] = {
#define X(id, key, summary) key,
		SF_CRASHES(X)
#undef X
	};

	return keys[kind];
}

/* --- whose a frame is --- */

static bool is_one_of(const char *s, const char *const *list)
{
	for (; *list; list++)
		if (!strcmp(s, *list))
			return true;
	return false;
}

static bool begins(const char *s, const char *const *list)
{
	for (; *list; list++)
		if (!strncmp(s, *list, strlen(*list)))
			return true;
	return false;
}

/* `where` is no string of its own: it ends with the line. */
static bool holds(const struct frame *f, const char *const *list)
{
	for (; *list; list++) {
		const char *at = strstr(f->where, *list);

		if (at && at < f->where + f->len)
			return true;
	}
	return false;
}

static bool is_interposed(const struct frame *f)
{
	static const char *const names[] = {
		"malloc", "calloc", "realloc", "reallocarray", "free", "posix_memalign",
		"aligned_alloc", "memalign", "operator new", "operator delete", NULL,
	};

	return is_one_of(f->name, names);
}

/* What the sanitizer that reports has put in place of the C library's. */
static bool is_in_place(const struct frame *f, enum sf_crash_kind kind)
{
	static const char *const prefixes[] = { "pthread_", "sem_", NULL };

	if (kind == SF_CRASH_TSAN && begins(f->name, prefixes))
		return true;
	return (kind == SF_CRASH_ASAN || kind == SF_CRASH_TSAN) && is_interposed(f);
}

/* What reports, copies or gives up on somebody's behalf. */
static bool is_machinery(const struct frame *f)
{
	static const char *const prefixes[] = {
		"__asan_", "__ubsan_", "__tsan_", "__sanitizer_", "__lsan_", "__interceptor_",
		"___interceptor_", "fuzzer::", "__assert_", "__pthread_kill", "__GI_",
		"__libc_message", "__fortify_", "__stack_chk_", "__mem", "__str", "__run_exit",
		"sf_violation_", "sf_diff_", "sf_trap", "sf_survive", "sf_crash_", NULL,
	};
	static const char *const names[] = {
		"abort", "raise", "gsignal", "pthread_kill", "malloc_printerr", "__chk_fail",
		"__restore_rt", "heap_assert_failed", "exit", "_exit", "_Exit", "memcpy", "memmove",
		"memset", "memcmp", "memchr", "strlen", "strcpy", "strcmp", NULL,
	};
	static const char *const places[] = { "compiler-rt", "libclang_rt", "libasan", "libubsan",
					      "libtsan", "sanitizer_common", NULL };

	return begins(f->name, prefixes) || is_one_of(f->name, names) || holds(f, places);
}

static bool is_libc(const struct frame *f)
{
	static const char *const places[] = {
		"/libc.so", "/libc-", "/libm.so", "/libpthread", "/ld-linux", "/ld-musl",
		"/libgcc_s", "/libstdc++", "/sysdeps/", "./malloc/", "./stdlib/", "./string/",
		"./nptl/", "./csu/", "./assert/", "./signal/", "[vdso]", NULL,
	};

	return holds(f, places);
}

/* What drives and judges. */
static bool is_harness(const struct frame *f)
{
	static const char *const prefixes[] = { "sf_", "LLVMFuzzer", "__libc_start", NULL };
	static const char *const places[] = {
		"harness/program/", "harness/exec/", "harness/generate/", "harness/trace/",
		"harness/measure/", "harness/fuzz/", "harness/lockstep/", "harness/cmd/",
		"harness/bench/", "harness/entry/", "oracles/", NULL,
	};

	return begins(f->name, prefixes) || !strcmp(f->name, "main") ||
	       !strcmp(f->name, "_start") || holds(f, places);
}

/* It ends where arguments or a place begin; a compiler's copy of a function is that function. */
static void take_name(struct frame *f, const char *s, int len)
{
	int n = 0, depth = 0, from = len > 9 && !strncmp(s, "operator ", 9) ? 9 : 0;

	for (; n < len && n < NAME_MAX_LEN - 1; n++) {
		if (s[n] == '<')
			depth++;
		else if (s[n] == '>')
			depth--;
		else if (n >= from && !depth && strchr(" (.", s[n]))
			break;
	}
	memcpy(f->name, s, (size_t)n);
	f->name[n] = 0;
}

/* Behind "#0 0x55.. in ", or, as ThreadSanitizer has it, behind "#0 "; NULL: it has no name. */
static const char *name_in(const char *line, int len)
{
	const char *in = strstr(line, " in "), *at = line + 1;

	if (in && in < line + len)
		return in + 4;
	at += strspn(at, "0123456789");
	at += strspn(at, " ");
	return at >= line + len || !strncmp(at, "0x", 2) || !strncmp(at, "<null>", 6) ? NULL : at;
}

/* The next frame of a stack at or after *at, NULL: there is no other in it. */
static bool next_frame(const char **at, struct frame *f)
{
	const char *line = *at + strspn(*at, " \t"), *in;
	int len = (int)strcspn(line, "\n");

	if (*line != '#' || !isdigit((unsigned char)line[1]))
		return false;
	*at = line + len + (line[len] == '\n');
	f->name[0] = 0;
	in = name_in(line, len);
	if (in)
		take_name(f, in, len - (int)(in - line));
	f->where = in ? in + strlen(f->name) : line;
	f->len = len - (int)(f->where - line);
	return true;
}

/* The first stack at or after `text`: its first line; NULL: none. */
static const char *stack_in(const char *text)
{
	for (; text && *text; text = strchr(text, '\n'), text += text != NULL) {
		const char *s = text + strspn(text, " \t");

		if (!strncmp(s, "#0 ", 3))
			return text;
	}
	return NULL;
}

/* "(/usr/lib/libx.so.2+0x12)": what a frame without a name is called. */
static void name_by_file(char *out, const struct frame *f)
{
	const char *begin = memchr(f->where, '(', (size_t)f->len), *end, *slash;

	*out = 0;
	if (!begin)
		return;
	end = strstr(begin, "+0x");
	if (!end || end > f->where + f->len)
		return;
	for (slash = ++begin; slash < end; slash++)
		if (*slash == '/')
			begin = slash + 1;
	snprintf(out, NAME_MAX_LEN, "%.*s", (int)(end - begin), begin);
}

/*
 * The innermost frame that is the allocator's; if none is, that of what drives it, and then the C
 * library's. "": not known.
 */
static void culprit(const char *text, enum sf_crash_kind kind, char out[NAME_MAX_LEN])
{
	const char *at = stack_in(text);
	char ours[NAME_MAX_LEN] = "", libc[NAME_MAX_LEN] = "", *to;
	struct frame f;

	*out = 0;
	while (at && !*out && next_frame(&at, &f)) {
		if (is_machinery(&f) || is_in_place(&f, kind))
			continue;
		to = is_libc(&f) ? libc : is_harness(&f) ? ours : out;
		if (*to)
			continue;
		if (*f.name)
			memcpy(to, f.name, sizeof(f.name));
		else
			name_by_file(to, &f);
	}
	if (!*out)
		snprintf(out, NAME_MAX_LEN, "%s", *ours ? ours : libc);
}

/* --- what it was --- */

/* One line of somebody's words: addresses and numbers go, names with digits in them stay. */
static void put_words(char *out, size_t cap, const char *s, size_t len)
{
	bool word = false;
	size_t n = 0;

	for (size_t i = 0; i < len && n + 2 < cap; i++) {
		unsigned char c = (unsigned char)s[i];

		if (!word && isdigit(c)) {
			bool hex = c == '0' && i + 1 < len && s[i + 1] == 'x';

			i += hex ? 2 : 0;
			while (i < len && (hex ? isxdigit((unsigned char)s[i]) :
						 isdigit((unsigned char)s[i])))
				i++;
			i--;
			out[n++] = 'N';
			continue;
		}
		word = isalnum(c) || c == '_';
		out[n++] = iscntrl(c) ? ' ' : (char)c;
	}
	while (n && out[n - 1] == ' ')
		n--;
	out[n] = 0;
}

static void put_title(struct sf_crash *c, enum sf_crash_kind kind, const char *what,
		      const char *text)
{
	char name[NAME_MAX_LEN];

	culprit(text, kind, name);
	c->kind = kind;
	/* The place is what tells two of a kind apart: the words are cut before it. */
	snprintf(c->title, sizeof(c->title), "%.*s%s%s",
		 (int)(sizeof(c->title) - 5 - strlen(name)), what, *name ? " in " : "", name);
}

static bool is_violation(const char *s)
{
	size_t family = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"), nr;

	if (!family || s[family] != '-')
		return false;
	nr = strspn(s + family + 1, "0123456789");
	return nr && !strncmp(s + family + 1 + nr, ": ", 2);
}

/* Behind the word that says of what; NULL: it is no title of a difference. */
static const char *property_of(const char *s)
{
	if (!strncmp(s, "diff ", 5))
		return s + 5;
	if (strncmp(s, "relation ", 9))
		return NULL;
	s += 9;
	for (unsigned int r = 1; r < SF_RELATION_COUNT; r++) {
		size_t len = strlen(sf_relations[r].name);

		if (!strncmp(s, sf_relations[r].name, len) && !strncmp(s + len, ": ", 2))
			return s + len + 2;
	}
	return NULL;
}

static bool is_difference(const char *s)
{
	const char *property = property_of(s);

	if (!property)
		return false;
	for (unsigned int p = 0; p < SF_PROPERTY_COUNT; p++) {
		size_t len = strlen(sf_properties[p].name);

		if (!strncmp(property, sf_properties[p].name, len) &&
		    !strncmp(property + len, ": ", 2))
			return true;
	}
	return false;
}

enum sf_crash_kind sf_crash_of_title(const char *title)
{
	if (is_violation(title))
		return SF_CRASH_VIOLATION;
	return is_difference(title) ? SF_CRASH_DIFFERENCE : SF_CRASH_NONE;
}

/* What a judge says: a title at the beginning of a line. */
static bool read_judged(struct sf_crash *c, const char *text)
{
	for (; text && *text; text = strchr(text, '\n'), text += text != NULL) {
		enum sf_crash_kind kind = sf_crash_of_title(text);

		if (kind == SF_CRASH_NONE)
			continue;
		c->kind = kind;
		c->said = true;
		snprintf(c->title, sizeof(c->title), "%.*s", (int)strcspn(text, "\n"), text);
		return true;
	}
	return false;
}

/*
 * "ASan: SEGV in slab_free", a line of its own: a target's word for it, from where.h or
 * undefined.c.
 */
static bool read_said(struct sf_crash *c, const char *text)
{
	for (; text && *text; text = strchr(text, '\n'), text += text != NULL) {
		bool undefined = !strncmp(text, "UBSan: ", 7);

		if (!undefined && strncmp(text, "ASan: ", 6))
			continue;
		c->kind = undefined ? SF_CRASH_UBSAN : SF_CRASH_ASAN;
		c->said = true;
		snprintf(c->title, sizeof(c->title), "%.*s", (int)strcspn(text, "\n"), text);
		return true;
	}
	return false;
}

/* The summary's word: the headline says "attempting double-free". */
static bool read_asan(struct sf_crash *c, const char *text)
{
	static const char head[] = "ERROR: AddressSanitizer: ";
	static const char sum[] = "SUMMARY: AddressSanitizer: ";
	const char *at = strstr(text, head), *word = strstr(text, sum);
	char what[80];

	if (word)
		word += sizeof(sum) - 1;
	else if (at)
		word = at + sizeof(head) - 1;
	else
		return false;
	snprintf(what, sizeof(what), "ASan: %.*s", (int)strcspn(word, " \n"), word);
	put_title(c, SF_CRASH_ASAN, what, at ? at : text);
	return true;
}

void sf_crash_undefined(char title[SF_TITLE_MAX], const char *message)
{
	static const char head[] = "UBSan: ";
	size_t len = strcspn(message, "\n"), at = sizeof(head) - 1;

	/* After a colon there are only the values. */
	for (size_t i = 0; i + 1 < len; i++)
		if (message[i] == ':' && message[i + 1] == ' ')
			len = i;
	memcpy(title, head, at);
	put_words(title + at, SF_TITLE_MAX - at, message, len);
	title[at] = (char)tolower((unsigned char)title[at]);
}

/* "FILE:LINE:COL: runtime error: signed integer overflow: 1 + 2 cannot ...". */
static bool read_ubsan(struct sf_crash *c, const char *text)
{
	static const char head[] = ": runtime error: ";
	const char *at = strstr(text, head), *line = at, *s;
	char what[SF_TITLE_MAX];
	size_t len;

	if (!at)
		return false;
	s = at + sizeof(head) - 1;
	sf_crash_undefined(what, s);
	while (line > text && line[-1] != '\n')
		line--;
	put_title(c, SF_CRASH_UBSAN, what, s);
	if (stack_in(s))
		return true;
	/* Without a stack there is the file. */
	for (s = line; s < at && *s != ':'; s++)
		if (*s == '/')
			line = s + 1;
	len = strlen(c->title);
	snprintf(c->title + len, sizeof(c->title) - len, " in %.*s", (int)strcspn(line, ":"), line);
	return true;
}

/* Of a race: who came first is chance. */
static void put_both(struct sf_crash *c, const char *what, const char *at, const char *second)
{
	char a[NAME_MAX_LEN], b[NAME_MAX_LEN];
	bool swap;

	culprit(at, SF_CRASH_TSAN, a);
	culprit(second, SF_CRASH_TSAN, b);
	swap = strcmp(a, b) > 0;
	c->kind = SF_CRASH_TSAN;
	if (!strcmp(a, b))
		snprintf(c->title, sizeof(c->title), "%s in %s", what, a);
	else
		snprintf(c->title, sizeof(c->title), "%s in %.70s and %.70s", what, swap ? b : a,
			 swap ? a : b);
}

/* "WARNING: ThreadSanitizer: data race (pid=1)", two stacks; the second is "Previous ...". */
static bool read_tsan(struct sf_crash *c, const char *text)
{
	static const char head[] = ": ThreadSanitizer: ";
	const char *at = strstr(text, head), *word, *second;
	char what[80];

	if (!at)
		return false;
	word = at + sizeof(head) - 1;
	snprintf(what, sizeof(what), "TSan: %.*s", (int)strcspn(word, "(\n"), word);
	if (what[strlen(what) - 1] == ' ')
		what[strlen(what) - 1] = 0;
	second = strstr(at, "  Previous ");
	if (second)
		put_both(c, what, at, second);
	else
		put_title(c, SF_CRASH_TSAN, what, at);
	return true;
}

/* The text between the quotes that stand before `end`, and the function named before them. */
static bool put_assertion(struct sf_crash *c, const char *text, const char *cond, size_t len)
{
	char what[SF_TITLE_MAX], name[NAME_MAX_LEN];
	const char *line = cond, *colon;
	size_t n;

	snprintf(what, sizeof(what), "assertion %.*s", (int)(len > 80 ? 80 : len), cond);
	put_title(c, SF_CRASH_ASSERTION, what, text);
	/* "PROGRAM: FILE:LINE: FUNCTION: assertion": the function, whatever the stack says. */
	while (line > text && line[-1] != '\n')
		line--;
	for (colon = cond; colon > line && strncmp(colon, ": ", 2); colon--)
		;
	for (cond = colon; cond > line + 1 && strncmp(cond - 2, ": ", 2); cond--)
		;
	n = cond > line + 1 && colon > cond ? strcspn(cond, "(:") : 0;
	if (!n || n >= sizeof(name) || (size_t)(colon - cond) < n)
		return true;
	snprintf(name, sizeof(name), "%.*s", (int)n, cond);
	if (strrchr(name, ' '))
		memmove(name, strrchr(name, ' ') + 1, strlen(strrchr(name, ' ')));
	snprintf(c->title, sizeof(c->title), "%.100s in %.50s", what, name);
	return true;
}

/* glibc's, and the models' own: "Assertion `x' failed", "assertion 'x' failed". */
static bool read_assertion(struct sf_crash *c, const char *text)
{
	const char *at = text, *quote, *end;

	while ((at = strstr(at, "ssertion "))) {
		quote = at + 9;
		end = strstr(quote, "' failed");
		if ((*quote == '`' || *quote == '\'') && end && end < quote + strcspn(quote, "\n"))
			return put_assertion(c, text, quote + 1, (size_t)(end - quote - 1));
		/* BSD, musl: "Assertion failed: x (file: function: line)". */
		if (!strncmp(quote, "failed: ", 8)) {
			end = quote + 8 + strcspn(quote + 8, "\n");
			for (at = end; at > quote + 8 && strncmp(at, " (", 2); at--)
				;
			return put_assertion(c, text, quote + 8,
					     (size_t)((at > quote + 8 ? at : end) - quote - 8));
		}
		at = quote;
	}
	return false;
}

/* The last line that is neither a report's nor a frame. */
static void last_words(char *out, size_t cap, const char *text)
{
	*out = 0;
	for (; *text; text += strcspn(text, "\n"), text += *text == '\n') {
		size_t len = strcspn(text, "\n");

		if (!strncmp(text, "slabfuzz: SIG", 13) || !strncmp(text, "==", 2))
			return;
		if (len)
			put_words(out, cap, text, len);
	}
}

static bool read_abort(struct sf_crash *c, const char *text)
{
	char what[SF_TITLE_MAX] = "abort";
	char words[SF_TITLE_MAX];

	last_words(words, sizeof(words), text);
	if (*words)
		snprintf(what, sizeof(what), "abort: %.*s", 100, words);
	put_title(c, SF_CRASH_ABORT, what, text);
	return true;
}

/* libFuzzer's own reports, of what it ends itself. */
static bool read_engine(struct sf_crash *c, const char *text)
{
	const char *at = strstr(text, "ERROR: libFuzzer: ");

	if (!at)
		return false;
	text = at;
	at += 18;
	if (!strncmp(at, "timeout", 7))
		put_title(c, SF_CRASH_HANG, "hang", text);
	else if (!strncmp(at, "out-of-memory", 13))
		put_title(c, SF_CRASH_MEMORY, "memory runs away", text);
	else if (!strncmp(at, "fuzz target exited", 18))
		put_title(c, SF_CRASH_EXIT, "exit()", text);
	else
		return false;
	return true;
}

static const struct {
	const char *name, *title;
	int nr;
	enum sf_crash_kind kind;
} signals[] = {
	{ "SIGSEGV", "SIGSEGV", SIGSEGV, SF_CRASH_SEGV },
	{ "SIGBUS", "SIGBUS", SIGBUS, SF_CRASH_BUS },
	{ "SIGILL", "trap", SIGILL, SF_CRASH_TRAP },
	{ "SIGTRAP", "trap", SIGTRAP, SF_CRASH_TRAP },
	{ "SIGFPE", "SIGFPE", SIGFPE, SF_CRASH_FPE },
	{ "SIGABRT", "abort", SIGABRT, SF_CRASH_ABORT },
	{ "SIGALRM", "hang", SIGALRM, SF_CRASH_HANG },
};

enum { NR_SIGNALS = sizeof(signals) / sizeof(signals[0]) };

static bool read_signal(struct sf_crash *c, const char *text, int nr)
{
	char what[64];

	if (nr == SIGABRT)
		return read_assertion(c, text) || read_abort(c, text);
	for (int i = 0; i < NR_SIGNALS; i++) {
		if (signals[i].nr != nr)
			continue;
		put_title(c, signals[i].kind, signals[i].title, text);
		return true;
	}
	snprintf(what, sizeof(what), "killed by SIG%s", sigabbrev_np(nr) ? sigabbrev_np(nr) : "?");
	put_title(c, SF_CRASH_KILLED, what, text);
	return true;
}

/* "slabfuzz: SIGSEGV" (our handler's), or libFuzzer's, which does not say which it was. */
static int signal_said(const char *text)
{
	const char *at = strstr(text, "slabfuzz: SIG");

	for (int i = 0; at && i < NR_SIGNALS; i++)
		if (!strncmp(at + 10, signals[i].name, strlen(signals[i].name)))
			return signals[i].nr;
	if (!strstr(text, "ERROR: libFuzzer: deadly signal"))
		return 0;
	at = stack_in(text);
	return at && strstr(at, " in abort") ? SIGABRT : at && strstr(at, " in raise") ? SIGABRT :
	       strstr(text, "ssertion ") ? SIGABRT : SIGTRAP;
}

/* UndefinedBehaviorSanitizer's runtime has handlers of its own: "ERROR: ...: SEGV on". */
static int deadly_signal(const char **text)
{
	static const char head[] = "ERROR: UndefinedBehaviorSanitizer: ";
	const char *at = strstr(*text, head);

	for (int i = 0; at && i < NR_SIGNALS; i++) {
		const char *name = signals[i].name + 3;

		if (strncmp(at + sizeof(head) - 1, name, strlen(name)))
			continue;
		*text = at;
		return signals[i].nr;
	}
	return 0;
}

static bool read_end(struct sf_crash *c, const char *text, const struct sf_crash_end *end)
{
	if (end->hung)
		put_title(c, SF_CRASH_HANG, "hang", text);
	else if (end->memory)
		put_title(c, SF_CRASH_MEMORY, "memory runs away", text);
	else if (WIFSIGNALED(end->status))
		return read_signal(c, text, WTERMSIG(end->status));
	else if (end->left)
		put_title(c, SF_CRASH_EXIT, "exit()", text);
	else if (end->closed)
		put_title(c, SF_CRASH_CLOSED, "closes the process's own descriptors", text);
	else
		return false;
	return true;
}

bool sf_crash_read(struct sf_crash *c, const char *text, const struct sf_crash_end *end)
{
	int nr = deadly_signal(&text);

	*c = (struct sf_crash){ .kind = SF_CRASH_NONE };
	if (nr)
		return read_signal(c, text, nr);
	/* A report is kept even if the supervisor lost patience with what came after it. */
	if (read_judged(c, text) || read_said(c, text) || read_asan(c, text) ||
	    read_ubsan(c, text) || read_tsan(c, text) || read_engine(c, text))
		return true;
	if (end && read_end(c, text, end))
		return true;
	nr = signal_said(text);
	return nr && read_signal(c, text, nr);
}
