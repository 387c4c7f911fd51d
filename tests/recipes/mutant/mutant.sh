# SPDX-License-Identifier: MIT
# A seeded bug is one new file, a patch of allocators/: with it the program that it names raises its
# title, without it nothing.
# shellcheck shell=sh disable=SC2154 # sourced by e2e_recipes.sh
mutant=$(new_files)
title=$(sed -n 's/^# title: //p' "$mutant")
seed=corpora/seeds/$(sed -n 's/^# by: seed //p' "$mutant")
adds_files 1
changes_files 0
check "$recipe: says what it is" grep -q '^# what: ' "$mutant"
slabfuzz 0 run "$seed"
check "$recipe: applies to allocators/" patch -s -p1 -i "$mutant"
check "$recipe: builds, as a bug" make_command
slabfuzz 1 run "$seed"
check "$recipe: raises its title" grep -qF "$title" "$tmp/out"
