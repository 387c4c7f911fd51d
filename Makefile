# SPDX-License-Identifier: MIT
#
# Makefile - builds slabfuzz out of the source tree and runs what is built. `make help` lists it.
#
# Sources are found by folder; one file in harness/entry is one program, build/<its name>. The same
# sources are compiled in several flavors, each with objects and an archive in build/<flavor>/:
#
#   plain  CC -O2                     the command, the replayer, the unit tests, the benchmark
#   pic    CC -O2 -fPIC               what a fuzzing engine loads as a shared object
#   asan   clang (or CC), address     unit and end-to-end tests
#   ubsan  clang (or CC), undefined   unit tests
#   fuzz   clang, address             libFuzzer target of allocators, and the benchmark's
#   parse  clang, address, undefined  libFuzzer targets of what reads text, bytes and recordings
#   afl    clang, address             AFL++ targets
#   cov    clang, source coverage     unit tests and corpora for `make coverage`
#   tsan   clang                      the command with ThreadSanitizer's runtime: for plug-ins that
#                                     are built with it; nothing here is, and no order of ours seen
#
# In fuzz and afl only allocators/ is instrumented, for coverage and for AddressSanitizer: what is
# tested guides the engine and is watched, not the harness and not the judge (their own bugs are
# looked for by the unit tests under sanitizers, and by parse). The arena's accessors are in
# allocators/.

BUILD ?= build
PREFIX ?= /usr/local
DESTDIR ?=
PKG_CONFIG ?= pkg-config
AFL_RT ?= /usr/lib/afl/afl-compiler-rt.o
INSTALL ?= install

FUZZ_SECONDS ?= 60
# Which libFuzzer target `make fuzz` runs: program, text, bytes, trace.
FUZZ ?= program
# Empty; yes: each allocator in lockstep with others that fit; or with these (docs/lockstep.md).
LOCKSTEP ?=
# `make coverage FUZZ=SECONDS`: what so much fuzzing reaches.
FUZZ_REACH := $(filter-out program text bytes trace,$(FUZZ))
MUTANT_SECONDS ?= $(if $(kill),60,30)
# `make mutants KILL=1` measures how soon each is found from an empty corpus, by SEEDS engines; with
# AGAINST=REV beside a build of that revision.
KILL ?=
SEEDS ?= 3
AGAINST ?=
# `make mutants ORACLES=1` takes out rules of the oracles instead of seeding bugs.
ORACLES ?=
# `make mutants MINIMIZE=1` buries what shows each in random operations, and minimizes that.
MINIMIZE ?=
# `make mutants AUTO=N SEED=S` draws N small mistakes; what runs do not notice is fuzzed this long.
AUTO ?=
SEED ?= 1
AUTO_SECONDS ?= 20
# What of these fuzzes.
kill := $(KILL)$(AGAINST)
bank := $(if $(ORACLES)$(MINIMIZE),,bank)
mutants_fuzz := $(if $(AUTO),$(filter-out 0,$(AUTO_SECONDS)$(kill)),$(bank))
# Narrow `make test`: TESTS="program e2e_run asan/slab slab:test_krealloc*" (ci/select-tests.sh).
TESTS ?=

.DELETE_ON_ERROR:
.SUFFIXES:
.DEFAULT_GOAL := all

# As many jobs as CPUs unless the caller has a say (-j, or a make above this one).
ifeq ($(MAKELEVEL),0)
ifeq ($(filter clean,$(MAKECMDGOALS)),)
JOBS := $(or $(JOBS),$(shell nproc 2>/dev/null || echo 1))
MAKEFLAGS += -j$(JOBS)
export JOBS
endif
endif

# --- compilers and libraries ---------------------------------------------------------------------

# 22 is the one slabfuzz is measured with; then the newest.
CLANG ?= $(shell for v in -22 -25 -24 -23 -21 -20 -19 -18 -17 -16 -15 -14 ''; do \
	command -v clang$$v && break; done)
CLANG := $(CLANG)
CLANG_SUFFIX := $(patsubst clang%,%,$(notdir $(CLANG)))
CLANG_RT := $(if $(CLANG),$(shell \
	ls $$($(CLANG) -print-resource-dir)/lib/*/libclang_rt.* 2>/dev/null))
HAVE_FUZZER := $(findstring libclang_rt.fuzzer,$(CLANG_RT))
HAVE_TSAN := $(findstring libclang_rt.tsan,$(CLANG_RT))
SAN_CC := $(if $(findstring libclang_rt.asan,$(CLANG_RT)),$(CLANG),$(CC))
LLVM_PROFDATA ?= llvm-profdata$(CLANG_SUFFIX)
LLVM_COV ?= llvm-cov$(CLANG_SUFFIX)

has = $(shell $(PKG_CONFIG) --exists $1 2>/dev/null && echo yes)
HAVE_JANSSON := $(call has,jansson)
HAVE_CMOCKA := $(call has,cmocka)
HAVE_ZSTD := $(call has,libzstd)
HAVE_LZMA := $(call has,liblzma)
HAVE_ZLIB := $(call has,zlib)
HAVE_TRACECMD := $(call has,libtracecmd libtraceevent)
HAVE_LIBBPF := $(call has,libbpf)
HAVE_AFL_RT := $(wildcard $(AFL_RT))
HAVE_AFL := $(if $(CLANG),$(HAVE_AFL_RT))

LIB_PKGS := $(if $(HAVE_TRACECMD),libtracecmd libtraceevent) $(if $(HAVE_ZSTD),libzstd) \
	$(if $(HAVE_LZMA),liblzma) $(if $(HAVE_ZLIB),zlib) $(if $(HAVE_LIBBPF),libbpf)
LIB_CPPFLAGS := $(if $(HAVE_TRACECMD),-DSF_HAVE_TRACECMD) $(if $(HAVE_ZSTD),-DSF_HAVE_ZSTD) \
	$(if $(HAVE_LZMA),-DSF_HAVE_LZMA) $(if $(HAVE_ZLIB),-DSF_HAVE_ZLIB) \
	$(if $(HAVE_LIBBPF),-DSF_HAVE_LIBBPF) \
	$(if $(strip $(LIB_PKGS)),$(shell $(PKG_CONFIG) --cflags $(LIB_PKGS)))
LIBS := $(if $(strip $(LIB_PKGS)),$(shell $(PKG_CONFIG) --libs $(LIB_PKGS))) -lpthread -lm
CMD_LIBS := $(if $(HAVE_JANSSON),$(shell $(PKG_CONFIG) --libs jansson))
# harness/cmd/coverage.c
CMD_EXPORTS := $(foreach f,8bit_counters pcs,-Wl,--export-dynamic-symbol=__sanitizer_cov_$f_init)
CMD_CPPFLAGS := $(if $(HAVE_JANSSON),$(shell $(PKG_CONFIG) --cflags jansson))
TEST_LIBS := $(if $(HAVE_CMOCKA),$(shell $(PKG_CONFIG) --libs cmocka))

# --- sources -------------------------------------------------------------------------------------

ALLOC_SRC := $(sort $(wildcard allocators/*.c))
# The rooms of harness/ that are the library, lowest first: none uses one after it.
ROOMS := program exec lockstep generate trace measure fuzz
LIB_SRC := $(ALLOC_SRC) $(sort $(wildcard oracles/*.c)) \
	$(sort $(wildcard $(ROOMS:%=harness/%/*.c)))
CMD_SRC := $(sort $(wildcard harness/cmd/*.c))
BENCH_SRC := $(sort $(wildcard harness/bench/*.c))
TEST_SRC := $(sort $(wildcard tests/test_*.c))
TEST_SH := $(sort $(wildcard tests/*.sh))

entry = $(basename $(notdir $(sort $(wildcard harness/entry/$1))))
LIBFUZZER := $(call entry,libfuzzer_*.c)
AFL_SO := $(call entry,afl_mutator*.c)
AFL := $(filter-out $(AFL_SO),$(call entry,afl_*.c))
ENTRY := $(filter-out $(LIBFUZZER) $(AFL) $(AFL_SO),$(call entry,*.c))

# --- flavors -------------------------------------------------------------------------------------

WARN := -Wall -Wextra -Wshadow -Wmissing-prototypes -Wstrict-prototypes $(if $(WERROR),-Werror)
# Not -D_GNU_SOURCE=1: a file that defines it itself is then no redefinition.
BASE := -std=gnu11 -D_GNU_SOURCE= -I. $(WARN) -fno-strict-aliasing -fno-common \
	$(LIB_CPPFLAGS) $(CMD_CPPFLAGS)

ASAN := -fsanitize=address -fno-omit-frame-pointer
UBSAN := -fsanitize=undefined,alignment -fno-sanitize-recover=all -fno-omit-frame-pointer

FLAVORS := plain pic asan ubsan fuzz parse afl cov tsan

# Of allocators/, what only looks or holds tables: no allocator decides anything there; and the
# partner of comparisons.
UNCOVERED := arena heap_assert heap_check load load_malloc load_model load_plugin maps open \
	reference registry settings snapshot spare traits trap user_block user_contents user_heap \
	user_probe user_thread

# Assertions in allocators/ (heap_assert.h has the levels): cheap ones where tests and fuzzers run;
# none where speed is measured and in what is installed. `make SF_ASSERT=2` is for all flavors.
ASSERTED := asan ubsan fuzz parse afl
assert = -DSF_ASSERT=$(or $(SF_ASSERT),$(if $(filter $1,$(ASSERTED)),1,0))

plain_CC := $(CC)
plain_CFLAGS := -O2 -g
pic_CC := $(CC)
pic_CFLAGS := -O2 -g -fPIC
asan_CC := $(SAN_CC)
asan_CFLAGS := -O1 -g $(ASAN)
ubsan_CC := $(SAN_CC)
ubsan_CFLAGS := -O1 -g $(UBSAN)
fuzz_CC := $(CLANG)
fuzz_CFLAGS := -O2 -g -fno-omit-frame-pointer
# Recover: a report ends the process all the same, unless ASAN_OPTIONS says halt_on_error=0.
fuzz_ALLOC_CFLAGS := $(ASAN) -fsanitize-address-use-after-return=never -fsanitize-recover=address
# No trace-cmp: the mutator knows what the bytes mean and does not use it.
fuzz_COV_CFLAGS := -fsanitize-coverage=inline-8bit-counters,pc-table
fuzz_LDFLAGS := -fsanitize=address
parse_CC := $(CLANG)
parse_CFLAGS := -O1 -g $(ASAN) $(UBSAN) -fsanitize=fuzzer-no-link
afl_CC := $(CLANG)
afl_CFLAGS := -O2 -g -fno-omit-frame-pointer
afl_ALLOC_CFLAGS := $(ASAN) -fsanitize-address-use-after-return=never
afl_COV_CFLAGS := -fsanitize-coverage=trace-pc-guard,trace-cmp
afl_LDFLAGS := -fsanitize=address
tsan_CC := $(CLANG)
tsan_CFLAGS := -O2 -g -fno-omit-frame-pointer
tsan_LDFLAGS := -fsanitize=thread
cov_CC := $(CLANG)
cov_CFLAGS := -O1 -g -fprofile-instr-generate -fcoverage-mapping

compile = $($1_CC) $(BASE) $($1_CFLAGS) $(CPPFLAGS) $(CFLAGS)
link = $($1_CC) $($1_CFLAGS) $($1_LDFLAGS) $(CFLAGS) $(LDFLAGS)
# ld(flavor, more): a recipe line that links what the target depends on.
ld = $(Q)echo '  LD      $@' && $(call link,$1) -o $@ $(filter %.o %.a,$^) $2 $(LIBS)
identity = $(call compile,$1) $(call assert,$1) $($1_ALLOC_CFLAGS) $($1_COV_CFLAGS) $($1_LDFLAGS) \
	$(LDFLAGS) $(LIBS)
objects = $(patsubst %.c,$(BUILD)/$1/%.o,$2)
archive = $(BUILD)/$1/libslabfuzz.a

# A flavor is rebuilt when its compiler or flags change, its archive when a source comes or goes.
define FLAVOR
$(BUILD)/$1/flags: FORCE | $(BUILD)/$1/
	@echo '$$(call identity,$1)' | cmp -s - $$@ || echo '$$(call identity,$1)' >$$@

$(BUILD)/$1/sources: FORCE | $(BUILD)/$1/
	@echo '$$(LIB_SRC)' | cmp -s - $$@ || echo '$$(LIB_SRC)' >$$@

$(BUILD)/$1/allocators/%.o: allocators/%.c $(BUILD)/$1/flags
	@mkdir -p $$(@D)
	$$(Q)echo '  CC      $$@' && $$(call compile,$1) $$(call assert,$1) $$($1_ALLOC_CFLAGS) \
		$$(if $$(filter $$*,$$(UNCOVERED)),,$$($1_COV_CFLAGS)) -MMD -MP -c -o $$@ $$<

$(BUILD)/$1/%.o: %.c $(BUILD)/$1/flags
	@mkdir -p $$(@D)
	$$(Q)echo '  CC      $$@' && $$(call compile,$1) -MMD -MP -c -o $$@ $$<

$(call archive,$1): $$(call objects,$1,$$(LIB_SRC)) $(BUILD)/$1/flags $(BUILD)/$1/sources
	$$(Q)echo '  AR      $$@' && rm -f $$@ && $(AR) rcs $$@ $$(filter %.o,$$^)

$(BUILD)/$1/slabfuzz: $$(call objects,$1,$$(CMD_SRC)) $(call archive,$1)
	$$(call ld,$1,$$(CMD_EXPORTS) $$(CMD_LIBS))

$(BUILD)/$1/bench: $$(call objects,$1,$$(BENCH_SRC)) $(call archive,$1)
	$$(call ld,$1,$$(CMD_LIBS))

$(BUILD)/$1/tests/%: $(BUILD)/$1/tests/%.o $(call archive,$1)
	$$(call ld,$1,$$(TEST_LIBS) $$(CMD_LIBS))

$(BUILD)/$1/tests/test_%: $(BUILD)/$1/tests/test_%.o $(BUILD)/$1/tests/lib/one_case.o \
		$(call archive,$1)
	$$(call ld,$1,$$(ONE_CASE) $$(TEST_LIBS) $$(CMD_LIBS))

$(BUILD)/$1/entry/%: $(BUILD)/$1/harness/entry/%.o $(call archive,$1)
	@mkdir -p $$(@D)
	$$(call ld,$1)

$(BUILD)/$1/:
	@mkdir -p $$@
endef
$(foreach f,$(FLAVORS),$(eval $(call FLAVOR,$f)))

# tests/lib/one_case.c stands before cmocka.
ONE_CASE := -Wl,--wrap=_cmocka_run_group_tests

# `make V=1` shows the commands.
Q := $(if $(V),,@)
comma := ,

# --- programs ------------------------------------------------------------------------------------

# command(folders), benchmark(folders): their paths in the folders; nothing if they cannot be built.
command = $(if $(HAVE_JANSSON),$(if $(CMD_SRC),$(addsuffix /slabfuzz,$1)))
benchmark = $(if $(HAVE_JANSSON),$(if $(BENCH_SRC),$(addsuffix /bench,$1)))

PROGRAMS := $(call command,$(BUILD)) $(call benchmark,$(BUILD)) $(addprefix $(BUILD)/,$(ENTRY))
FUZZ_PROGRAMS := $(if $(HAVE_FUZZER),$(addprefix $(BUILD)/,$(LIBFUZZER)))
PROGRAM_TARGET := $(filter %/libfuzzer_program,$(FUZZ_PROGRAMS))
AFL_PROGRAMS := $(if $(HAVE_AFL),$(addprefix $(BUILD)/,$(AFL) $(addsuffix .so,$(AFL_SO))))

$(BUILD)/slabfuzz $(BUILD)/bench: $(BUILD)/%: $(BUILD)/plain/%
	@ln -sf plain/$* $@

$(addprefix $(BUILD)/,$(ENTRY)): $(BUILD)/%: $(BUILD)/plain/entry/%
	@ln -sf plain/entry/$* $@

PARSERS := $(filter libfuzzer_text libfuzzer_bytes libfuzzer_trace,$(LIBFUZZER))

$(addprefix $(BUILD)/,$(filter-out $(PARSERS),$(LIBFUZZER))): \
		$(BUILD)/%: $(BUILD)/fuzz/harness/entry/%.o $(call archive,fuzz)
	$(call ld,fuzz,-fsanitize=fuzzer)

$(addprefix $(BUILD)/,$(PARSERS)): \
		$(BUILD)/%: $(BUILD)/parse/harness/entry/%.o $(call archive,parse)
	$(call ld,parse,-fsanitize=fuzzer)

$(addprefix $(BUILD)/,$(AFL)): $(BUILD)/%: $(BUILD)/afl/harness/entry/%.o $(call archive,afl)
	$(call ld,afl,$(AFL_RT))

$(patsubst %,$(BUILD)/%.so,$(AFL_SO)): \
		$(BUILD)/%.so: $(BUILD)/pic/harness/entry/%.o $(call archive,pic)
	$(call ld,pic,-shared -Wl$(comma)-Bsymbolic)

TEST_FLAVORS := plain asan ubsan
test_programs = $(patsubst tests/%.c,$(BUILD)/$1/tests/%,$(TEST_SRC))
TEST_PROGRAMS := $(if $(HAVE_CMOCKA),$(foreach f,$(TEST_FLAVORS),$(call test_programs,$f))) \
	$(foreach f,$(TEST_FLAVORS),$(BUILD)/$f/tests/behaviour)
# The unit tests that are to notice a rule of the oracles that is gone, the quickest first: those on
# events made by hand.
ORACLE_TESTS := hardening complaints cache_oracles malloc_oracles large_oracles pool_oracles \
	words_oracles buddy_oracles oracles \
	$(patsubst tests/test_%.c,%,$(wildcard tests/test_designs.c)) boots accounting

# All that `make test` needs; with TESTS, what these need and no more.
TEST_NEEDS := $(PROGRAMS) $(TEST_PROGRAMS) $(FUZZ_PROGRAMS) $(BUILD)/token-report \
	$(call command,$(addprefix $(BUILD)/,$(TEST_FLAVORS) $(if $(HAVE_TSAN),tsan)))
ifneq ($(and $(filter test,$(MAKECMDGOALS)),$(strip $(TESTS))),)
SELECTED := $(shell BUILD='$(BUILD)' TEST_FLAVORS='$(TEST_FLAVORS)' TESTS='$(TESTS)' \
	ci/select-tests.sh targets)
$(if $(filter-out 0,$(.SHELLSTATUS)),$(error TESTS names what is not there))
# What this machine cannot build, a test skips.
TEST_NEEDS := $(filter $(TEST_NEEDS),$(SELECTED))
endif

# What `make check-behaviour` runs: its arguments after the recorded rows.
BEHAVIOUR := tests/behaviour.tsv $(sort $(wildcard corpora/seeds/*.txt corpora/regressions/*.txt)) \
	$(filter-out %.md,$(sort $(wildcard corpora/traces/*.*)))

# --- targets -------------------------------------------------------------------------------------

# need(goals, have, what, packages): stops before anything is built if a goal lacks something.
need = $(if $(filter $1,$(MAKECMDGOALS)),$(if $2,,$(error make $(filter $1,$(MAKECMDGOALS)): \
	$3 is missing; Debian: apt install $4 (or run ci/setup --dev))))
tool = $(shell command -v $1 2>/dev/null)

FUZZER_PKGS := clang-22 libclang-rt-22-dev libfuzzer-22-dev

$(call need,test coverage $(if $(ORACLES),mutants),$(HAVE_CMOCKA),cmocka,libcmocka-dev pkg-config)
$(call need,test fuzz afl mutants bench alloc-token-report,$(HAVE_JANSSON),jansson,\
	libjansson-dev pkg-config)
$(call need,fuzz $(if $(mutants_fuzz),mutants),$(HAVE_FUZZER),clang with libFuzzer,$(FUZZER_PKGS))
$(call need,afl,$(call tool,afl-fuzz),afl-fuzz,afl++)
$(call need,afl coverage,$(CLANG),clang,$(FUZZER_PKGS))
$(call need,afl,$(HAVE_AFL_RT),$(AFL_RT),afl++)
$(call need,$(if $(FUZZ_REACH),coverage),$(HAVE_FUZZER),clang with libFuzzer,$(FUZZER_PKGS))
$(call need,$(if $(AUTO),,mutants),$(call tool,patch),patch,patch)
$(call need,$(if $(AUTO)$(kill),mutants),$(call tool,prlimit),prlimit,util-linux)
$(call need,$(if $(ORACLES),mutants),$(call tool,objdump),objdump,binutils)
$(call need,coverage,$(call tool,$(LLVM_COV)),$(LLVM_COV),llvm-22)

.PHONY: all test check-behaviour fuzz afl mutants bench coverage lint docs alloc-token-report plugin
.PHONY: model-so
.PHONY: check-format install uninstall clean help FORCE
FORCE:

# left_out(have, what, packages)
left_out = $(if $1,,echo 'left out: $2; needs $3 (ci/setup installs it)';)

all: $(PROGRAMS) $(FUZZ_PROGRAMS) $(AFL_PROGRAMS)
	@$(call left_out,$(HAVE_JANSSON),slabfuzz and bench,libjansson-dev) \
	$(call left_out,$(HAVE_FUZZER),libFuzzer targets,$(FUZZER_PKGS)) \
	$(call left_out,$(HAVE_AFL),AFL++ targets,clang-22 afl++) \
	$(call left_out,$(HAVE_TRACECMD),reading trace.dat,libtracecmd-dev libtraceevent-dev) \
	$(call left_out,$(HAVE_ZSTD),reading .zst,libzstd-dev) \
	$(call left_out,$(HAVE_LZMA),reading .xz,liblzma-dev) \
	$(call left_out,$(HAVE_ZLIB),reading .gz,zlib1g-dev) \
	$(call left_out,$(HAVE_LIBBPF),types of a real kernel (BTF),libbpf-dev) \
	$(call left_out,$(HAVE_CMOCKA),unit tests,libcmocka-dev) :

test: $(TEST_NEEDS)
	@BUILD='$(BUILD)' CC='$(CC)' TEST_FLAVORS='$(TEST_FLAVORS)' TESTS='$(TESTS)' \
		BEHAVIOUR='$(BEHAVIOUR)' ci/test.sh

fuzz: $(PROGRAMS) $(FUZZ_PROGRAMS)
	@BUILD='$(BUILD)' SLABFUZZ='$(BUILD)/slabfuzz' FUZZ_TARGET='$(BUILD)/libfuzzer_$(FUZZ)' \
		FUZZ_SECONDS='$(FUZZ_SECONDS)' LOCKSTEP='$(LOCKSTEP)' ci/fuzz.sh libfuzzer

afl: $(PROGRAMS) $(AFL_PROGRAMS)
	@BUILD='$(BUILD)' SLABFUZZ='$(BUILD)/slabfuzz' FUZZ_TARGET='$(BUILD)/afl_program' \
		FUZZ_SECONDS='$(FUZZ_SECONDS)' LOCKSTEP='$(LOCKSTEP)' ci/fuzz.sh afl

check-behaviour: $(BUILD)/plain/tests/behaviour
	@$< $(if $(UPDATE),--update) $(BEHAVIOUR)

# An allocator from outside (docs/plugin.md). CFLAGS are its own.
plugin:
	@SRC='$(SRC)' OUT='$(OUT)' CFLAGS='$(CFLAGS)' SANITIZE='$(SANITIZE)' \
		COVERAGE='$(COVERAGE)' CC='$(CC)' CLANG='$(CLANG)' ci/plugin.sh

# The models of REV, or of TREE, to be held against these (docs/lockstep.md).
model-so:
	@OUT='$(OUT)' REV='$(REV)' TREE='$(TREE)' CC='$(CC)' CFLAGS='$(CFLAGS)' JOBS='$(JOBS)' \
		ci/model-so.sh

# AUTO=N: mistakes drawn from all that could be made, instead of those in tests/mutants/.
$(BUILD)/mutator: tests/mutator.c
	@mkdir -p $(@D)
	$(Q)echo '  LD      $@' && $(CC) -std=gnu11 -D_GNU_SOURCE= -O2 $(WARN) -o $@ $<

# Files that the command carries in itself.
$(foreach f,$(FLAVORS),$(BUILD)/$f/harness/cmd/parts.o): harness/exec/event_hash.h \
	allocators/include/slabfuzz/plugin.h $(wildcard harness/cmd/report/page.* \
	harness/cmd/report/*.js)

# The tree's own headers first, as for any tree (ci/model-so.sh).
$(BUILD)/pic/ci/model-so.o: pic_CFLAGS += -iquote allocators

ifneq ($(AUTO),)
mutants: $(BUILD)/mutator $(BUILD)/plain/tests/behaviour $(PROGRAMS) $(BUILD)/pic/ci/model-so.o \
		$(call archive,pic) \
		$(if $(mutants_fuzz),$(PROGRAM_TARGET))
	@BUILD='$(BUILD)' AUTO_CC='$(call compile,plain)' AUTO_LD='$(call link,plain)' \
		AUTO_LIBS='$(LIBS)' BEHAVIOUR='$(BEHAVIOUR)' \
		PIC_CC='$(call compile,pic)' PIC_LD='$(call link,pic)' \
		MUTANT_CC='$(call compile,fuzz) $(fuzz_ALLOC_CFLAGS) $(fuzz_COV_CFLAGS)' \
		MUTANT_LD='$(call link,fuzz)' MUTANT_LIBS='$(LIBS)' \
		AUTO='$(AUTO)' SEED='$(SEED)' AUTO_SECONDS='$(AUTO_SECONDS)' \
		KILL='$(kill)' MUTANT_SECONDS='$(MUTANT_SECONDS)' SEEDS='$(SEEDS)' \
		AGAINST='$(AGAINST)' ci/automutants.sh $(MUTANTS)
else ifneq ($(ORACLES),)
mutants: $(call archive,plain) $(ORACLE_TESTS:%=$(BUILD)/plain/tests/test_%)
	@BUILD='$(BUILD)' ORACLE_TESTS='$(ORACLE_TESTS)' COMPILE='$(call compile,plain)' \
		TEST_LIBS='$(TEST_LIBS)' CMD_LIBS='$(CMD_LIBS)' LIBS='$(LIBS)' \
		ci/oracle-mutants.sh $(MUTANTS)
else ifneq ($(MINIMIZE),)
mutants: $(PROGRAMS) $(BUILD)/plain/tests/bury
	@BUILD='$(BUILD)' MUTANT_CC='$(call compile,plain) -DSF_ASSERT=0' \
		MUTANT_LD='$(call link,plain) $(CMD_EXPORTS)' MUTANT_LIBS='$(CMD_LIBS) $(LIBS)' \
		ci/minimize-bank.sh $(MUTANTS)
else
# Without assertions: one that fails before an oracle does would hide the title that is due.
mutant_CC = $(call compile,fuzz) $(fuzz_ALLOC_CFLAGS) $(fuzz_COV_CFLAGS) -DSF_ASSERT=0

mutants: $(PROGRAMS) $(PROGRAM_TARGET) $(call command,$(BUILD)/fuzz)
	@BUILD='$(BUILD)' MUTANT_CC='$(mutant_CC)' \
		MUTANT_LD='$(call link,fuzz)' MUTANT_LIBS='$(LIBS)' MUTANT_CMD_LIBS='$(CMD_LIBS)' \
		MUTANT_SECONDS='$(MUTANT_SECONDS)' SEEDS='$(SEEDS)' AGAINST='$(AGAINST)' \
		ci/$(if $(kill),kill,mutants).sh $(MUTANTS)
endif

bench: $(PROGRAMS) $(FUZZ_PROGRAMS) $(call benchmark,$(BUILD)/asan)
	@$(BUILD)/bench $(BENCH_FLAGS)

# FUZZ=SECONDS: what so much fuzzing from an empty corpus reaches of allocators/, and what not.
ifneq ($(FUZZ_REACH),)
coverage: $(call command,$(BUILD) $(BUILD)/cov) $(BUILD)/cov/entry/replay $(PROGRAM_TARGET)
	@BUILD='$(BUILD)' LLVM_COV='$(LLVM_COV)' LLVM_PROFDATA='$(LLVM_PROFDATA)' FUZZ='$(FUZZ)' \
		UNCOVERED='$(UNCOVERED)' ci/reach.sh
else
coverage: $(if $(HAVE_CMOCKA),$(call test_programs,cov)) \
		$(call command,$(BUILD)/cov) $(BUILD)/cov/entry/replay
	@BUILD='$(BUILD)' LLVM_COV='$(LLVM_COV)' LLVM_PROFDATA='$(LLVM_PROFDATA)' ci/coverage.sh
endif

LINT_CPPFLAGS := -std=gnu11 -D_GNU_SOURCE= -I. $(LIB_CPPFLAGS) $(CMD_CPPFLAGS)

lint: $(call archive,plain) $(call objects,plain,$(CMD_SRC) $(BENCH_SRC))
	@BUILD='$(BUILD)' CC='$(CC)' LINT_CPPFLAGS='$(LINT_CPPFLAGS)' ci/lint.sh $(CHECKS)

check-format:
	@ci/format.sh

# Allocations of our own code, of COMPDB=compile_commands.json, or of FILES="a.c b.c".
$(BUILD)/token-report: ci/token-report.c
	@mkdir -p $(@D)
	$(Q)echo '  LD      $@' && \
	$(CC) -std=gnu11 -D_GNU_SOURCE= -O2 $(WARN) $(CMD_CPPFLAGS) -o $@ $< \
		$(CMD_LIBS)

alloc-token-report: $(BUILD)/token-report
	@CLANG='$(CLANG)' TOKEN_REPORT_H='$(CURDIR)/ci/token-report.h' $(BUILD)/token-report \
		$(REPORT_FLAGS) \
		$(if $(COMPDB),--compdb='$(COMPDB)',$(or $(FILES),$(LIB_SRC) $(CMD_SRC)))

# The parts of docs/ that come from tables in the sources.
docs:
	@CC='$(CC)' ci/gendocs.sh write

# What a program of somebody else's may include.
HEADERS := $(addprefix allocators/,allocator.h event.h gfp.h settings.h traits.h) \
	allocators/include/slabfuzz/plugin.h
ENGINES := $(filter $(BUILD)/libfuzzer_program,$(FUZZ_PROGRAMS)) $(AFL_PROGRAMS)
VERSION := 0

dest = $(DESTDIR)$(PREFIX)

$(BUILD)/slabfuzz.1: $(BUILD)/slabfuzz ci/manpage.sh
	@ci/manpage.sh $< >$@

$(BUILD)/slabfuzz.pc: Makefile
	@printf '%s\n' 'prefix=$(PREFIX)' 'Name: slabfuzz' \
		'Description: fuzzing and differential testing of memory allocators' \
		'Version: $(VERSION)' 'Cflags: -I$${prefix}/include' \
		'Libs: -L$${prefix}/lib -lslabfuzz' 'Libs.private: $(LIBS)' >$@

install: $(BUILD)/slabfuzz $(BUILD)/replay $(BUILD)/slabfuzz.1 $(BUILD)/slabfuzz.pc $(ENGINES)
	$(INSTALL) -d '$(dest)/bin' '$(dest)/libexec/slabfuzz' '$(dest)/include/slabfuzz' \
		'$(dest)/lib/pkgconfig' '$(dest)/share/slabfuzz/seeds' \
		'$(dest)/share/slabfuzz/user' '$(dest)/share/doc/slabfuzz' \
		'$(dest)/share/man/man1'
	$(INSTALL) -m 755 $(BUILD)/slabfuzz '$(dest)/bin/slabfuzz'
	$(INSTALL) -m 755 $(BUILD)/replay '$(dest)/bin/slabfuzz-replay'
	$(if $(ENGINES),$(INSTALL) -m 755 $(ENGINES) '$(dest)/libexec/slabfuzz/')
	$(INSTALL) -m 644 $(HEADERS) '$(dest)/include/slabfuzz/'
	$(INSTALL) -m 644 $(call archive,plain) '$(dest)/lib/libslabfuzz.a'
	$(INSTALL) -m 644 $(BUILD)/slabfuzz.pc '$(dest)/lib/pkgconfig/'
	$(INSTALL) -m 644 $(BUILD)/slabfuzz.1 '$(dest)/share/man/man1/'
	@$(INSTALL) -m 644 \
		$(filter-out %.md,$(wildcard corpora/seeds/* corpora/regressions/*)) \
		'$(dest)/share/slabfuzz/seeds/'
	@$(INSTALL) -m 644 $(filter-out %.md,$(wildcard corpora/user/*)) \
		'$(dest)/share/slabfuzz/user/'
	$(INSTALL) -m 644 README.md LICENSE $(wildcard docs/*.md docs/*.png) \
		'$(dest)/share/doc/slabfuzz/'

uninstall:
	rm -f '$(dest)/bin/slabfuzz' '$(dest)/bin/slabfuzz-replay' \
		'$(dest)/lib/libslabfuzz.a' '$(dest)/lib/pkgconfig/slabfuzz.pc' \
		'$(dest)/share/man/man1/slabfuzz.1'
	rm -rf '$(dest)/libexec/slabfuzz' '$(dest)/include/slabfuzz' '$(dest)/share/slabfuzz' \
		'$(dest)/share/doc/slabfuzz'

clean:
	rm -rf '$(BUILD)'

help:
	@echo 'make            everything this machine can build, in $(BUILD)/'
	@echo 'make test       unit tests (plain, asan, ubsan), end-to-end tests, corpora'
	@echo '                TESTS="program e2e_run" builds and runs only these, "asan/slab" in'
	@echo '                one flavor, "slab:*krealloc*" some cases of one'
	@echo 'make check-behaviour'
	@echo '                hashes of what the corpora and 10,000 generated programs do, against'
	@echo '                those committed; UPDATE=1 records them anew'
	@echo 'make fuzz       libFuzzer for FUZZ_SECONDS=$(FUZZ_SECONDS), in JOBS engines'
	@echo '                FUZZ=text (or bytes, trace) fuzzes what reads these'
	@echo '                LOCKSTEP=yes (or MEMBER,...): each allocator in lockstep with others'
	@echo 'make afl        AFL++ for FUZZ_SECONDS=$(FUZZ_SECONDS)'
	@echo 'make mutants    seeded bugs: each must be caught; MUTANTS="NAME..." or --json'
	@echo '                KILL=1: CPU seconds and programs until each is found from an empty'
	@echo '                corpus, SEEDS=$(SEEDS) times; AGAINST=REV: beside that revision'
	@echo '                AUTO=N SEED=S: mistakes drawn at random; AUTO_SECONDS=0: no fuzzing'
	@echo '                ORACLES=1: rules and titles of the oracles, taken out one by one; a'
	@echo '                test must fail; MUTANTS=--rules rules alone'
	@echo 'make bench      speed, as ratios; BENCH_FLAGS="--json --quick"'
	@echo 'make coverage   source coverage of tests and corpora, in $(BUILD)/coverage/'
	@echo '                FUZZ=600: what so many seconds of fuzzing, without seeds, reach of'
	@echo '                allocators/, what only the seeds do, what neither; FUZZ=0: once more'
	@echo 'make lint       clang-tidy, cppcheck, shellcheck, symbols, words, docs, format'
	@echo 'make alloc-token-report'
	@echo '                allocations whose type clang 22 cannot infer, and those that lose a'
	@echo '                pointer: of our code, COMPDB=compile_commands.json or FILES="..."'
	@echo '                REPORT_FLAGS="--json --extended"'
	@echo 'make plugin     SRC="a.c b.c" OUT=x.so [CFLAGS= SANITIZE=address,undefined'
	@echo '                COVERAGE=1]: a shared object for -a plugin:x.so, and its commands'
	@echo 'make model-so   OUT=old.so [REV=REVISION or TREE=FOLDER]: the models of that as a'
	@echo '                shared object, for -a model:old.so:typed'
	@echo 'make docs       regenerate the parts of docs/ that come from tables'
	@echo 'make install    PREFIX=$(PREFIX) DESTDIR=; command, engines, seeds, headers,'
	@echo '                library, man page; make uninstall takes them away'
	@echo 'make clean      rm -rf $(BUILD)'
	@echo 'Variables: CC CLANG CFLAGS LDFLAGS BUILD V=1 WERROR=1 JOBS'

# Keep what chains of pattern rules make in between, and know every header.
.SECONDARY:
-include $(foreach f,$(FLAVORS),$(patsubst %.o,%.d,$(call objects,$f,$(LIB_SRC) $(CMD_SRC) \
	$(BENCH_SRC) $(TEST_SRC) tests/behaviour.c tests/lib/one_case.c \
	$(wildcard harness/entry/*.c))))
