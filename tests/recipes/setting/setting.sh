# SPDX-License-Identifier: MIT
# A setting is one row; the allocator reads it, programs name it, and bytes carry it.
# shellcheck shell=sh disable=SC2154 # sourced by e2e_recipes.sh
word=$(lines_of allocators/settings.h + | sed -n 's/.*X([0-9]*, \([a-z_]*\),.*/\1/p')
adds_files 0
changes_files 2
adds_row allocators/settings.h 'X([0-9]*, [a-z_]*,'
slabfuzz 0 list settings
out_has "^$word "
in_docs docs/interface.md "$word"
sed 's/# live keeps = 0/# slabs keeps = 4/' "$tree/corpora/seeds/control_empty_slabs.txt" \
	>"$tmp/program.txt"
slabfuzz 0 run "$tmp/program.txt"
slabfuzz 1 run --set "$word=1" "$tmp/program.txt" # no empty slabs stay
out_has 'got: slabs keeps = 0$'
sed "s/^heap .*/& $word=1/" "$tmp/program.txt" >"$tmp/set.txt"
slabfuzz 0 show "$tmp/set.txt"
out_has "$word=1"
same_as_bytes "$tmp/set.txt"
