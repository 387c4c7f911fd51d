#!/bin/sh
# SPDX-License-Identifier: MIT
#
# lint.sh [CHECK...] - every check of `make lint`, or only the named ones. The names are format,
# words, symbols, docs, shellcheck, cppcheck and clang-tidy. Goes through all of them before it
# fails.
#
# From the Makefile: BUILD, LINT_CPPFLAGS (how the sources are compiled), with the plain objects
# built.
set -u

failed=
ran=

need()
{
	command -v "$1" >/dev/null && return
	echo "ci/lint.sh: $1 is missing; Debian: apt install $2 (or ci/setup --dev)" >&2
	exit 3
}

check()
{
	name=$1
	shift
	case " $wanted " in
	"  " | *" $name "*) ;;
	*) return ;;
	esac
	echo "lint: $name"
	ran="$ran $name"
	"$@" || failed="$failed $name"
}

lint_shellcheck()
{
	need shellcheck shellcheck
	# SC2317: 0.9 takes functions that are called by name for unreachable.
	ci/files.sh '*.sh' ci/setup .ci/run | xargs shellcheck -e SC2317
}

# What only clang 22 compiles is not for other tools.
sources()
{
	ci/files.sh '*.c' | grep -v '^tests/tokens/'
}

lint_cppcheck()
{
	need cppcheck cppcheck
	# Not --library=posix: it knows no MAP_ANONYMOUS, and no open() that is just a test.
	# shellcheck disable=SC2086 # a list of options
	sources | xargs cppcheck -q --error-exitcode=1 -j "${JOBS:-$(nproc)}" \
		--enable=warning,performance,portability --std=c11 --inline-suppr \
		--suppressions-list=ci/cppcheck.txt $cppcheck_flags
}

lint_clang_tidy()
{
	need clang-tidy clang-tidy
	# shellcheck disable=SC2016 # $0 and $@ are the inner shell's
	sources | xargs -P "${JOBS:-$(nproc)}" -n 4 sh -c '
		clang-tidy --quiet --warnings-as-errors="*" "$@" -- '"$LINT_CPPFLAGS"' 2>"$0.$$" ||
			{ grep -v "warnings generated\|^Suppressed\|^Use -" "$0.$$" >&2; exit 1; }
		' "$tmp/tidy"
}

LINT_CPPFLAGS=${LINT_CPPFLAGS:--std=gnu11 -D_GNU_SOURCE= -I.}
LINT_CPPFLAGS="$LINT_CPPFLAGS -Iallocators/include -iquote allocators"
wanted=$*
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# Of the compiler's flags cppcheck understands these.
cppcheck_flags=$(echo "$LINT_CPPFLAGS" | tr ' ' '\n' | grep -E '^-(D|I\.)' | paste -s -d ' ')

check format ci/format.sh
check words ci/words.sh
check symbols ci/symbols.sh
check docs ci/gendocs.sh check
check shellcheck lint_shellcheck
check cppcheck lint_cppcheck
check clang-tidy lint_clang_tidy

if [ -z "$ran" ]; then
	echo "ci/lint.sh: no check of that name: $wanted" >&2
	exit 2
fi
if [ -n "$failed" ]; then
	echo "lint: failed:$failed" >&2
	exit 1
fi
echo 'lint: clean'
