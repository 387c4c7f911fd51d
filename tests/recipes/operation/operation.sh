# SPDX-License-Identifier: MIT
# An operation is one row and one function; it is listed, runs, and is the same in text and bytes.
# shellcheck shell=sh disable=SC2154 # sourced by e2e_recipes.sh
word=$(lines_of harness/program/ops.h + | sed -n 's/.*X([0-9]*, [A-Z_]*, "\([a-z_]*\)".*/\1/p')
adds_files 0
changes_files 2
adds_row harness/program/ops.h 'X([0-9]*, [A-Z_]*, "'
adds_function "$(changed_files | grep '\.c$')"
slabfuzz 0 list ops
out_has "^ *$word"
in_docs docs/programs.md "$word"
cat >"$tmp/program.txt" <<-END
	r0 = kmalloc(100, GFP_KERNEL)
	$word(r0)
	kfree(r0)
END
slabfuzz 0 run -a all "$tmp/program.txt"
out_has '(0 skipped).* 0 violations'
out_lacks '([1-9][0-9]* skipped)'
same_as_bytes "$tmp/program.txt"
out_has "^$word(r0)"
