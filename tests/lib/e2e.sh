# SPDX-License-Identifier: MIT
#
# e2e.sh - what the end-to-end tests of the command share: sourced, never run. Speaks TAP. Relies on
# SLABFUZZ (the command), set by ci/test.sh; $tmp is an empty folder that goes away at the end.
# shellcheck shell=sh

SLABFUZZ=${SLABFUZZ:-build/slabfuzz}
case $SLABFUZZ in
/*) ;;
*) SLABFUZZ=$PWD/$SLABFUZZ ;;
esac
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
tests=0
failures=0

# check NAME COMMAND...: one test, passed if COMMAND succeeds.
check()
{
	name=$1
	shift
	tests=$((tests + 1))
	if "$@"; then
		echo "ok $tests - $name"
		return
	fi
	failures=$((failures + 1))
	echo "not ok $tests - $name"
	head -n 20 "$tmp/out" "$tmp/err" 2>/dev/null | sed 's/^/# /'
}

skip()
{
	tests=$((tests + 1))
	echo "ok $tests - $1 # SKIP $2"
}

# slabfuzz STATUS ARGUMENT...: one test, that the command ends with STATUS and no sanitizer
# complains; leaves $tmp/out and $tmp/err.
slabfuzz()
{
	want=$1
	shift
	"$SLABFUZZ" "$@" >"$tmp/out" 2>"$tmp/err"
	got=$?
	what=$(echo "$*" | sed "s|$tmp/||g" | tr '#\n' '__')
	check "slabfuzz $what: exit $want" ended "$want" "$got"
}

ended()
{
	[ "$2" = "$1" ] || echo "# exit status was $2"
	[ "$2" = "$1" ] && ! grep -q -e Sanitizer -e 'runtime error' "$tmp/err"
}

# Tests of what the last slabfuzz printed. Patterns are basic regular expressions.
out_has() { check "prints: $1" grep -q -e "$1" "$tmp/out"; }
out_lacks() { check "does not print: $1" lacks "$1" "$tmp/out"; }
lacks() { ! grep -q -e "$1" "$2"; }
says() { check "says: $1" one_line_with "$1" "$tmp/err"; }
silent() { check "says nothing" empty "$tmp/err"; }
empty() { [ ! -s "$1" ]; }

# A message is one line that begins with the program's name.
one_line_with()
{
	[ "$(wc -l <"$2")" = 1 ] && grep -q '^slabfuzz: ' "$2" && grep -q -e "$1" "$2"
}

finish()
{
	echo "1..$tests"
	[ "$failures" = 0 ]
	exit
}
