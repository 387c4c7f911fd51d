#!/bin/sh
# SPDX-License-Identifier: MIT
#
# e2e_recipes.sh - the recipes of CONTRIBUTING.md, followed: each patch of tests/recipes/KIND/ is
# applied to a copy of the tree, the command is built there, and KIND/KIND.sh says what must hold.
# Objects of the plain flavor are copied too, so that only what a patch changes is compiled.
#
# It is sourced in the copy after the build, with $patch (the file) and $toy (its name), and
# uses the functions here and in lib/e2e.sh. RECIPES names some patches only.
. tests/lib/e2e.sh

case $SLABFUZZ in
*/asan/*)
	echo '1..0 # recipes are the same in every flavor'
	exit 0
	;;
esac
if ! command -v patch >/dev/null; then
	skip 'recipes' 'there is no patch'
	finish
fi

tree=$PWD
build=${BUILD:-build}

# copy_tree DIR: the tree and, where make keeps its objects in the tree, those of the command.
copy_tree()
{
	mkdir -p "$1"
	ci/files.sh | tar -c -f - -T - | tar -x -f - -C "$1"
	case $build in
	/*) return ;;
	esac
	mkdir -p "$1/$build/plain"
	tar -c -f - --exclude=tests --exclude=entry "$build/plain" | tar -x -f - -C "$1"
}

# The command of the copy, made as this tree's was.
make_command()
{
	env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS make -j"$(nproc)" BUILD="$build" CC="${CC:-cc}" \
		"$build/slabfuzz" >"$tmp/out" 2>"$tmp/err"
}

# --- what a patch changes ---

# Files of the patch that are new; that it changes.
new_files() { sed -n '/^--- \/dev\/null/{n;s|^+++ b/\([^[:blank:]]*\).*|\1|p;}' "$patch"; }
changed_files() { sed -n '/^--- a\//{n;s|^+++ b/\([^[:blank:]]*\).*|\1|p;}' "$patch"; }
count() { [ "$("$2" | grep -c .)" = "$1" ]; }

# adds_files N, changes_files N: no more than the recipe says.
adds_files() { check "$recipe: $1 new file(s)" count "$1" new_files; }
changes_files() { check "$recipe: $1 file(s) changed" count "$1" changed_files; }

# Lines that the patch adds to FILE, or takes away.
lines_of()
{
	awk -v f="$1" -v sign="$2" '
		/^\+\+\+ / { on = $2 == "b/" f; next }
		/^--- / { on = 0; next }
		on && substr($0, 1, 1) == sign { print substr($0, 2) }' "$patch"
}

rows()
{
	more=$(lines_of "$2" + | grep -c "$3")
	less=$(lines_of "$2" - | grep -c "$3")
	[ $((more - less)) = "$1" ]
}

# adds_row FILE PATTERN: one line more of FILE than before has the pattern.
adds_row() { check "$recipe: one row in $1" rows 1 "$1" "$2"; }

# adds_function FILE: one line more of FILE begins a function.
adds_function()
{
	check "$recipe: one function in $1" rows 1 "$1" '^[a-z][a-z_ ]*[ *][a-z_0-9]*(.*)$'
}

# --- what holds when it is built ---

quiet() { "$@" >"$tmp/out" 2>"$tmp/err"; }

# Every seed was run and has its line; none says that a violation was found. (What seeds expect of
# the shape of plain kmalloc caches is not held against a variant that has others.)
clean_on()
{
	quiet "$SLABFUZZ" run -a "$1" corpora/seeds/*.txt
	[ "$(grep -c ": $1: .* operations .* 0 violations" "$tmp/out")" = \
		"$(find corpora/seeds -name '*.txt' | wc -l)" ]
}

# no_violation_on NAME: of a variant, on all seeds.
no_violation_on() { check "$recipe: no violation on any seed" clean_on "$1"; }

docs_name()
{
	CC="${CC:-cc}" ci/gendocs.sh write >"$tmp/out" 2>"$tmp/err" && grep -q -e "$2" "$1"
}

# in_docs FILE PATTERN: `make docs` puts it there.
in_docs() { check "$recipe: make docs puts it into $1" docs_name "$1" "$2"; }

# same_as_bytes FILE: text, bytes and text again are the same program.
same_as_bytes()
{
	slabfuzz 0 compile "$1" -o "$tmp/bytes"
	slabfuzz 0 show "$1"
	cp "$tmp/out" "$tmp/text"
	slabfuzz 0 show --bytes "$tmp/bytes"
	check "$recipe: the same as text and as bytes" cmp -s "$tmp/text" "$tmp/out"
}

follow()
{
	patch=$tree/$1
	kind=$(basename "$(dirname "$1")")
	recipe=$kind/$(basename "$1" .patch)
	toy=$(basename "$1" .patch)
	copy=$tmp/$kind-$toy
	copy_tree "$copy"
	cd "$copy" || exit 1
	check "$recipe: applies" patch -s -p1 -i "$patch"
	check "$recipe: builds" make_command
	SLABFUZZ=$copy/$build/slabfuzz
	# shellcheck source=/dev/null
	. "$tree/tests/recipes/$kind/$kind.sh"
	cd "$tree" || exit 1
	rm -rf "$copy"
}

for kind in tests/recipes/*/; do
	ls "$kind"*.patch >"$tmp/out" 2>&1 ||
		skip "$(basename "$kind")" 'there is no patch of that kind'
done
for recipe_patch in ${RECIPES:-tests/recipes/*/*.patch}; do
	follow "$recipe_patch"
done
finish
