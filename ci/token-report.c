// SPDX-License-Identifier: MIT
/*
 * token-report.c - `make alloc-token-report`: what clang 22 infers at each allocation of a C
 * program, and where that loses a pointer.
 *
 * Each file is compiled twice with -fsanitize=alloc-token to LLVM's assembler: once as it is,
 * which says what is inferred; and once with every size hidden behind a cast, so that clang must
 * infer from what the result becomes (ci/token-report.h). Where the result has pointers and what
 * was inferred has none, the object lies in the wrong half. Sites are malloc() and its relatives of
 * stdlib.h, with --extended every function whose declaration says that it allocates, and calls of
 * __builtin_infer_alloc_token(), which is what kmalloc() of Linux 7.2 hands its arguments to.
 * Relies on jansson and clang 22.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jansson.h>

#define TOKENS 16
#define FALLBACK 99 /* no token: where nothing was inferred */
#define PACKAGES "clang-22 (Debian: apt install clang-22, or ci/setup)"

/* One allocation, as the assembler tells it. */
struct site {
	char *file, *function, *callee;
	char *type;            /* NULL: none was inferred, or the builtin's, which tells no name */
	unsigned int line, column, token;
	bool inferred, pointer;
	char *result;          /* type that the result becomes, NULL: unknown */
	bool result_pointer;
};

struct sites {
	struct site *s;
	size_t nr, cap;
	size_t no_results; /* files that do not compile with sizes hidden */
};

/* A node of debug information or of a token. */
struct node {
	char *name;            /* subprogram, file, type */
	unsigned int line, column, scope, file;
	bool pointer;
};

struct module {
	struct node *node;
	size_t nr;
};

struct options {
	const char *clang, *compdb, *header;
	bool json, extended;
};

static char *text_of(const char *s, size_t n)
{
	char *t = strndup(s, n);

	if (!t)
		abort();
	return t;
}

/* What stands between `key` and `end`, or NULL. */
static char *quoted(const char *line, const char *key, char end)
{
	const char *s = strstr(line, key), *e;

	if (!s)
		return NULL;
	s += strlen(key);
	e = strchr(s, end);
	return e ? text_of(s, (size_t)(e - s)) : NULL;
}

static unsigned int number_after(const char *line, const char *key)
{
	const char *s = strstr(line, key);

	return s ? (unsigned int)strtoul(s + strlen(key), NULL, 10) : 0;
}

/* --- LLVM assembler --- */

static struct node *node_at(struct module *m, size_t id)
{
	if (id >= m->nr) {
		size_t nr = m->nr ? m->nr : 256;

		while (nr <= id)
			nr *= 2;
		m->node = realloc(m->node, nr * sizeof(*m->node));
		if (!m->node)
			abort();
		memset(m->node + m->nr, 0, (nr - m->nr) * sizeof(*m->node));
		m->nr = nr;
	}
	return &m->node[id];
}

static void read_node(struct module *m, const char *line)
{
	char *end;
	unsigned long id = strtoul(line + 1, &end, 10);
	struct node *n;

	if (strncmp(end, " = ", 3) || id > 10000000)
		return;
	n = node_at(m, id);
	if (strstr(end, "!DILocation(")) {
		n->line = number_after(end, "line: ");
		n->column = number_after(end, "column: ");
		n->scope = number_after(end, "scope: !");
	} else if (strstr(end, "!DISubprogram(")) {
		n->name = quoted(end, "name: \"", '"');
		n->file = number_after(end, "file: !");
	} else if (strstr(end, "!DILexicalBlock")) {
		n->scope = number_after(end, "scope: !");
	} else if (strstr(end, "!DIFile(")) {
		n->name = quoted(end, "filename: \"", '"');
	} else if (strstr(end, "!{!\"") &&
		   (strstr(end, ", i1 true}") || strstr(end, ", i1 false}"))) {
		n->name = quoted(end, "!{!\"", '"');
		n->pointer = strstr(end, ", i1 true}") != NULL;
	}
}

static void add_site(struct sites *to, const struct site *s)
{
	if (to->nr == to->cap) {
		to->cap = to->cap ? 2 * to->cap : 64;
		to->s = realloc(to->s, to->cap * sizeof(*to->s));
		if (!to->s)
			abort();
	}
	to->s[to->nr++] = *s;
}

static const char *name_of(struct module *m, unsigned int id)
{
	const char *name = node_at(m, id)->name;

	return name ? name : "?";
}

/*
 * What the call on this line is called by its user; NULL: it is no allocation. Calls have been
 * renamed by LLVM's own pass, or it has not run (`results`).
 */
static char *callee_of(const char *line, bool results)
{
	const char *builtin = results ? "@llvm.alloc.token.id" : "@alloc_token_report_site(";
	const char *name = results ? "@" : "@__alloc_token_";
	const char *at = strstr(line, " call "), *end;

	if (!at || !strstr(at, "!dbg !"))
		return NULL;
	if (strstr(at, builtin))
		return strdup("__builtin_infer_alloc_token");
	at = strstr(at, name);
	if (!at || (results && !strstr(at, "!alloc_token !")))
		return NULL;
	at += strlen(name);
	end = strchr(at, '(');
	return end ? text_of(at, (size_t)(end - at)) : NULL;
}

/* Its token is the last argument; not yet, before LLVM's own pass. */
static unsigned int token_of(const char *line)
{
	const char *end = strstr(line, "!dbg !"), *last = NULL;

	for (const char *s = line; (s = strstr(s, "i64 ")) && s < end; s++)
		last = s;
	return last ? number_after(last, "i64 noundef ") | number_after(last, "i64 ") : 0;
}

static void read_type(struct module *m, const char *line, struct site *s)
{
	const char *key = strstr(line, "(metadata !") ? "(metadata !" : "!alloc_token !";
	const struct node *type;

	if (!strstr(line, key))
		return;
	type = node_at(m, number_after(line, key));
	s->type = type->name ? strdup(type->name) : NULL;
	s->inferred = s->type;
	s->pointer = type->pointer;
}

static void read_call(struct module *m, const char *line, bool results, struct sites *to)
{
	struct site s = { .callee = callee_of(line, results) };
	unsigned int loc, scope;

	if (!s.callee)
		return;
	loc = number_after(line, "!dbg !");
	s.line = node_at(m, loc)->line;
	s.column = node_at(m, loc)->column;
	for (scope = node_at(m, loc)->scope; scope && !node_at(m, scope)->name;)
		scope = node_at(m, scope)->scope;
	s.function = text_of(name_of(m, scope), strlen(name_of(m, scope)));
	s.file = strdup(name_of(m, node_at(m, scope)->file));
	s.token = token_of(line);
	read_type(m, line, &s);
	if (strstr(line, "@alloc_token_report_site(")) {
		s.inferred = s.token != FALLBACK;
		s.pointer = s.inferred && s.token >= TOKENS / 2;
	}
	if (!s.inferred)
		s.token = 0;
	add_site(to, &s);
}

static bool read_module(const char *path, bool results, struct sites *to)
{
	FILE *f = fopen(path, "r");
	struct module m = { NULL, 0 };
	char *line = NULL;
	size_t cap = 0;

	if (!f)
		return false;
	while (getline(&line, &cap, f) >= 0)
		if (line[0] == '!' && line[1] >= '0' && line[1] <= '9')
			read_node(&m, line);
	rewind(f);
	while (getline(&line, &cap, f) >= 0)
		if (line[0] == ' ')
			read_call(&m, line, results, to);
	for (size_t i = 0; i < m.nr; i++)
		free(m.node[i].name);
	free(m.node);
	free(line);
	fclose(f);
	return true;
}

/* --- compiling --- */

#define FLAGS                                                                                \
	"-w -Qunused-arguments -O0 -gline-tables-only -fno-lto -fsanitize=alloc-token "       \
	"-falloc-token-max=16 -mllvm -alloc-token-fallback=99 -S -emit-llvm"
/* Results are read before LLVM's own pass: it drops what the builtin inferred. */
#define EXTENDED "-fsanitize-alloc-token-extended"
#define RESULT_FLAGS "-DTOKEN_REPORT_RESULTS -Xclang -disable-llvm-passes"

/* Runs clang with the entry's own arguments and ours behind them, in `dir`. */
static bool compile(const struct options *o, const char *dir, const char *command, const char *out,
		    const char *flags)
{
	static const char script[] =
		"cd \"$1\" || exit 1; eval \"set -- $2\"; shift; "
		"exec \"$CLANG\" \"$@\" " FLAGS " $FLAGS -include \"$INCLUDE\" -o \"$OUT\"";
	pid_t pid = fork();
	int status, null;

	if (pid < 0)
		return false;
	if (!pid) {
		setenv("CLANG", o->clang, 1);
		setenv("OUT", out, 1);
		setenv("INCLUDE", o->header, 1);
		setenv("FLAGS", flags, 1);
		null = open("/dev/null", O_WRONLY);
		if (null >= 0) {
			dup2(null, 1);
			dup2(null, 2);
		}
		execl("/bin/sh", "sh", "-c", script, "sh", dir, command, (char *)NULL);
		_exit(127);
	}
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && !WEXITSTATUS(status);
}

static bool has_alloc_token(const struct options *o)
{
	return compile(o, ".", "cc -x c /dev/null", "/dev/null", "");
}

/* What the results become, where both compilations have an allocation. */
static void join(struct sites *sites, size_t from, const struct sites *results)
{
	for (size_t i = from; i < sites->nr; i++) {
		struct site *s = &sites->s[i];

		for (size_t k = 0; k < results->nr; k++) {
			const struct site *r = &results->s[k];

			if (r->line != s->line || r->column != s->column ||
			    strcmp(r->callee, s->callee) || strcmp(r->file, s->file))
				continue;
			free(s->result);
			s->result = r->type ? strdup(r->type) : NULL;
			s->result_pointer = r->pointer;
		}
	}
}

static void free_sites(struct sites *s)
{
	for (size_t i = 0; i < s->nr; i++) {
		free(s->s[i].file);
		free(s->s[i].function);
		free(s->s[i].callee);
		free(s->s[i].type);
		free(s->s[i].result);
	}
	free(s->s);
}

/* False: it does not compile; said. */
static bool look_at(const struct options *o, const char *dir, const char *file, const char *command,
		    struct sites *sites)
{
	char path[] = "/tmp/token-report-XXXXXX";
	struct sites results = { .nr = 0 };
	int fd = mkstemp(path);
	size_t from = sites->nr;
	bool fine;

	if (fd < 0) {
		fprintf(stderr, "alloc-token-report: %s: %s\n", path, strerror(errno));
		return false;
	}
	close(fd);
	fine = compile(o, dir, command, path, o->extended ? EXTENDED : "") &&
	       read_module(path, false, sites);
	if (fine && compile(o, dir, command, path, RESULT_FLAGS) &&
	    read_module(path, true, &results))
		join(sites, from, &results);
	else
		sites->no_results += fine;
	unlink(path);
	free_sites(&results);
	if (!fine)
		fprintf(stderr, "alloc-token-report: %s does not compile with %s\n", file,
			o->clang);
	return fine;
}

/* --- input --- */

static char *shell_quote(const json_t *arguments)
{
	char *text = NULL;
	size_t len = 0, i;
	FILE *f = open_memstream(&text, &len);
	json_t *a;

	if (!f)
		abort();
	json_array_foreach((json_t *)arguments, i, a) {
		fputs(i ? " '" : "'", f);
		for (const char *s = json_string_value(a); s && *s; s++)
			fputs(*s == '\'' ? "'\\''" : (char[]){ *s, 0 }, f);
		fputc('\'', f);
	}
	fclose(f);
	return text;
}

static int look_at_entry(const struct options *o, const json_t *entry, struct sites *sites)
{
	const char *dir = json_string_value(json_object_get(entry, "directory"));
	const char *file = json_string_value(json_object_get(entry, "file"));
	const char *command = json_string_value(json_object_get(entry, "command"));
	const json_t *arguments = json_object_get(entry, "arguments");
	char *made = NULL;
	int status = 0;

	if (!dir || !file || (!command && !json_is_array(arguments))) {
		fprintf(stderr,
			"alloc-token-report: %s: an entry without directory, file or command\n",
			o->compdb);
		return 2;
	}
	if (!command)
		command = made = shell_quote(arguments);
	if (!look_at(o, dir, file, command, sites))
		status = 2;
	free(made);
	return status;
}

static int look_at_database(const struct options *o, struct sites *sites)
{
	json_error_t err;
	json_t *root = json_load_file(o->compdb, 0, &err), *entry;
	int status = 0;
	size_t i;

	if (!root) {
		fprintf(stderr, "alloc-token-report: %s:%d: %s\n", o->compdb,
			err.line > 0 ? err.line : 1, err.text);
		return 2;
	}
	if (!json_is_array(root) || !json_array_size(root)) {
		fprintf(stderr, "alloc-token-report: %s: not a list of compilations\n", o->compdb);
		status = 2;
	}
	json_array_foreach(root, i, entry)
		status |= look_at_entry(o, entry, sites);
	json_decref(root);
	return status;
}

static int look_at_files(const struct options *o, char **files, struct sites *sites)
{
	int status = 0;

	for (; *files; files++) {
		char command[4200];

		snprintf(command, sizeof(command), "cc -std=gnu11 -D_GNU_SOURCE= -I. '%s'", *files);
		if (access(*files, R_OK)) {
			fprintf(stderr, "alloc-token-report: %s: %s\n", *files, strerror(errno));
			status = 2;
		} else if (!look_at(o, ".", *files, command, sites)) {
			status = 2;
		}
	}
	return status;
}

/* --- output --- */

static bool loses_pointer(const struct site *s)
{
	return s->result && s->result_pointer && !s->pointer;
}

static void print_text(const struct sites *sites)
{
	size_t none = 0, lost = 0;

	for (size_t i = 0; i < sites->nr; i++) {
		const struct site *s = &sites->s[i];

		none += !s->inferred;
		lost += loses_pointer(s);
		if (s->inferred && !loses_pointer(s))
			continue;
		printf("%s:%u:%u: %s() in %s: ", s->file, s->line, s->column, s->callee,
		       s->function);
		if (!s->inferred)
			printf("no type, token 0");
		else
			printf("%s, token %u", s->type ? s->type : "a type", s->token);
		if (loses_pointer(s))
			printf("; the result is a %s, which has pointers: in the data half",
			       s->result);
		putchar('\n');
	}
	printf("%zu allocation sites: %zu with a type, %zu without; %zu whose result has pointers "
	       "are in the data half\n", sites->nr, sites->nr - none, none, lost);
	if (sites->no_results)
		printf("%zu files compile only as they are: what results become is not known "
		       "there\n", sites->no_results);
}

static void print_json(const struct sites *sites)
{
	json_t *list = json_array();

	for (size_t i = 0; i < sites->nr; i++) {
		const struct site *s = &sites->s[i];

		json_array_append_new(
			list,
			json_pack("{s:s,s:i,s:i,s:s,s:s,s:b,s:s?,s:i,s:b,s:s?,s:b}", "file",
				  s->file, "line", (int)s->line, "column", (int)s->column,
				  "function", s->function, "call", s->callee, "inferred",
				  s->inferred, "type", s->type, "token", (int)s->token,
				  "pointer", s->pointer, "result", s->result, "loses_pointer",
				  loses_pointer(s)));
	}
	json_dumpf(list, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(list);
}

int main(int argc, char **argv)
{
	struct options o = { .clang = getenv("CLANG"), .header = getenv("TOKEN_REPORT_H") };
	struct sites sites = { .nr = 0 };
	int status, arg = 1;

	for (; arg < argc && argv[arg][0] == '-'; arg++) {
		if (!strcmp(argv[arg], "--json")) {
			o.json = true;
		} else if (!strcmp(argv[arg], "--extended")) {
			o.extended = true;
		} else if (!strncmp(argv[arg], "--compdb=", 9)) {
			o.compdb = argv[arg] + 9;
		} else {
			fprintf(stderr, "alloc-token-report: unknown option '%s'; usage: "
				"token-report [--json] [--extended] [--compdb=FILE] "
				"[FILE...]\n", argv[arg]);
			return 2;
		}
	}
	if (!o.clang || !*o.clang)
		o.clang = "clang-22";
	if (!o.header) {
		fprintf(stderr, "alloc-token-report: TOKEN_REPORT_H must name token-report.h; "
			"run `make alloc-token-report`\n");
		return 2;
	}
	if (!has_alloc_token(&o)) {
		fprintf(stderr, "alloc-token-report: %s has no allocation tokens; needs " PACKAGES
			"\n", o.clang);
		return 3;
	}
	status = o.compdb ? look_at_database(&o, &sites) : look_at_files(&o, argv + arg, &sites);
	if (o.json)
		print_json(&sites);
	else
		print_text(&sites);
	free_sites(&sites);
	return fflush(stdout) ? 2 : status;
}
