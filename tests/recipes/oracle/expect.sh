# SPDX-License-Identifier: MIT
# An oracle is one row, its listing and one function; it is counted, and fires on the program beside
# its patch, which says where (# violation ID).
# shellcheck shell=sh disable=SC2154 # sourced by e2e_recipes.sh
id=$(lines_of oracles/invariants.h + | sed -n 's/.*X(\([A-Z]*\), *\([0-9]*\),.*/\1-\2/p')
adds_row oracles/invariants.h 'X([A-Z]*, *[0-9]*,'
adds_row oracles/listing.h "RULE("
slabfuzz 0 list oracles
out_has "^ *$id"
in_docs docs/invariants.md "$id"
program=${patch%.patch}.txt
slabfuzz 0 run -o "$id" "$program"
out_has "^$id  *[1-9]"
sed 's/ *# violation.*//' "$program" >"$tmp/program.txt"
slabfuzz 1 run -o "$id" "$tmp/program.txt"
out_has "^$id: "
