# SPDX-License-Identifier: MIT
# An oracle is one row, its listing and one function; it is listed, counted, and fires in the second
# operation of the program beside its patch, where it can be expected.
# shellcheck shell=sh disable=SC2154 # sourced by e2e_recipes.sh
id=$(lines_of oracles/invariants.h + | sed -n 's/.*X(\([A-Z]*\), *\([0-9]*\),.*/\1-\2/p')
rule=sf_$(echo "$id" | tr '[:upper:]-' '[:lower:]_')
changes_files 2
adds_row oracles/invariants.h 'X([A-Z]*, *[0-9]*,'
adds_row oracles/listing.h "$rule)"
adds_function "$(new_files)"
slabfuzz 0 list oracles
out_has "^ *$id"
in_docs docs/invariants.md "$id"
slabfuzz 1 run -o "$id" "${patch%.patch}.txt"
out_has "^$id: "
out_has "^$id  *[1-9][0-9]*  *0  *1"
sed "/^r1 /s/\$/ # violation $id/" "${patch%.patch}.txt" >"$tmp/program.txt"
slabfuzz 0 run -o "$id" "$tmp/program.txt"
out_has ' 1 of 1 expectations held'
