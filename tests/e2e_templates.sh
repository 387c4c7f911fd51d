#!/bin/sh
# SPDX-License-Identifier: MIT
#
# e2e_templates.sh - what an allocator's own repository gets for its CI (ci/templates) works as the
# workflows call it: in such a repository, on an allocator with bugs and on one without; and what
# `run` writes for machines is what they read: SARIF, KTAP, annotations.
#
# Needs: libfuzzer_program
# shellcheck disable=SC2317 # check calls functions
. tests/lib/e2e.sh

src=$PWD
script=$src/ci/templates/slabfuzz-ci.sh

# --- what run writes ---

printf '%s\n' 'r0 = kmalloc(64, GFP_KERNEL)  # NULL' 'kfree(r0)' >"$tmp/a b,c.txt"
slabfuzz 1 run --ktap --sarif "$tmp/o.sarif" --annotations "$tmp/a b,c.txt"
check 'KTAP' grep -qx 'KTAP version 1' "$tmp/out"
out_has '^not ok 1 .*a b,c.txt on baseline$'
check 'an annotation, with its place escaped' grep -q \
	'^::error file=.*/a b%2Cc.txt,line=1,title=expected%3A NULL; got%3A ok::r0 = kmalloc' \
	"$tmp/err"
slabfuzz 0 run --sarif "$tmp/clean.sarif" --annotations corpora/seeds/types.txt
check 'no annotation where nothing is wrong' lacks '^::' "$tmp/err"
slabfuzz 2 run --tap --ktap corpora/seeds/types.txt
slabfuzz 2 run --sarif "$tmp/nowhere/o.sarif" corpora/seeds/types.txt

# What the schema of SARIF 2.1.0 demands of the parts that are there.
sarif_good()
{
	python3 - "$1" "$2" <<'P'
import json, re, sys
log = json.load(open(sys.argv[1]))
assert log["version"] == "2.1.0" and log["$schema"].endswith("sarif-2.1.0.json")
(run,) = log["runs"]
rules = run["tool"]["driver"]["rules"]
assert run["tool"]["driver"]["name"] == "slabfuzz"
assert len({r["id"] for r in rules}) == len(rules)
assert len(run["results"]) == int(sys.argv[2])
for r in run["results"]:
    assert rules[r["ruleIndex"]]["id"] == r["ruleId"] and r["level"] == "error"
    assert r["message"]["text"] and r["partialFingerprints"]["slabfuzz/v1"]
    for l in r["locations"]:
        p = l["physicalLocation"]
        assert re.fullmatch(r"[A-Za-z0-9._~/:%-]+", p["artifactLocation"]["uri"])
        assert p["region"]["startLine"] >= 1
P
}
if command -v python3 >/dev/null; then
	check 'SARIF of what is wrong' sarif_good "$tmp/o.sarif" 1
	check 'SARIF of nothing' sarif_good "$tmp/clean.sarif" 0
else
	skip 'SARIF' 'there is no python3'
	skip 'SARIF of nothing' 'there is no python3'
fi

# --- the templates ---

case $SLABFUZZ in
*/asan/*)
	echo "1..$tests"
	[ $failures = 0 ]
	exit
	;;
esac

yaml()
{
	python3 -c 'import sys, yaml; yaml.safe_load(open(sys.argv[1]))' "$1"
}
for f in github.yml gitlab-ci.yml action/action.yml; do
	if python3 -c 'import yaml' 2>/dev/null; then
		check "ci/templates/$f is YAML" yaml "ci/templates/$f"
	else
		skip "ci/templates/$f is YAML" 'python3 has no yaml'
	fi
	check "ci/templates/$f calls slabfuzz-ci.sh" grep -q slabfuzz-ci.sh "ci/templates/$f"
done
for how in test change night; do
	check "mode $how is described" grep -q "^#   $how " "$script"
done

repository=$tmp/repository
mkdir -p "$repository/slabfuzz"
echo 'r0 = malloc(10)' >"$repository/slabfuzz/one.txt"
unset SLABFUZZ_ALLOCATOR SLABFUZZ_KNOWN SLABFUZZ_SEED GITHUB_ACTIONS SLABFUZZ_CRASHES
make -s plugin SRC=tests/plugins/two_bugs.c OUT="$repository/bad.so" COVERAGE=1 \
	CFLAGS=-fno-builtin >"$tmp/out" 2>&1
make -s plugin SRC="tests/plugins/first_fit.c tests/plugins/first_fit_plugin.c" \
	OUT="$repository/good.so" COVERAGE=1 >>"$tmp/out" 2>&1
check 'the allocators build' test -e "$repository/good.so" -a -e "$repository/bad.so"
export SLABFUZZ

# ci STATUS HOW ALLOCATOR [VARIABLE=VALUE...]
ci()
{
	want=$1 how=$2 what=$3
	shift 3
	(cd "$repository" && env SLABFUZZ_ALLOCATOR="$what" "$@" "$script" "$how") \
		>"$tmp/out" 2>"$tmp/err"
	got=$?
	check "slabfuzz-ci.sh $how on $what: exit $want" ended "$want" "$got"
}

ci 2 often plugin:./good.so
ci 2 test ''
ci 3 test plugin:./good.so SLABFUZZ=/nonexistent/slabfuzz
ci 0 test plugin:./good.so
check 'a report in JUnit' grep -q '<testsuites tests="1" failures="0"' \
	"$repository/slabfuzz-reports/regressions.xml"
if [ -x "$BUILD/libfuzzer_program" ]; then
	ci 0 change plugin:./good.so SLABFUZZ_SECONDS=4 SLABFUZZ_SEED=7 SLABFUZZ_FLAGS='--jobs 1'
	out_has 'fuzzing for 4 s, seed 7'
	check 'the corpus is kept' test -n "$(ls "$repository/slabfuzz-state/corpus")"
	ci 1 change plugin:./bad.so SLABFUZZ_SECONDS=12 SLABFUZZ_SEED=1 SLABFUZZ_FLAGS='--jobs 1' \
		GITHUB_ACTIONS=true
	out_has 'found  *MAL-1: an object of aligned_alloc is not aligned as asked'
	check 'annotations for GitHub' grep -q \
		'^::error file=slabfuzz-state/crashes/.*title=MAL-1' "$tmp/err"
	check 'SARIF of it' grep -q '"ruleId": "MAL-1"' \
		"$repository/slabfuzz-reports/slabfuzz.sarif"
	check 'a reproducer in C' grep -lq aligned_alloc \
		"$repository"/slabfuzz-reports/finds/MAL-1*/repro.c
	echo '*' >"$repository/slabfuzz/known"
	ci 0 change plugin:./bad.so SLABFUZZ_SECONDS=6 SLABFUZZ_SEED=1 SLABFUZZ_FLAGS='--jobs 1'
else
	skip 'slabfuzz-ci.sh change' 'there is no engine'
fi

echo "1..$tests"
[ $failures = 0 ]
