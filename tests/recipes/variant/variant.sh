# SPDX-License-Identifier: MIT
# A variant is one new file and one row; the oracles find nothing wrong with it.
# shellcheck shell=sh disable=SC2154 # sourced by e2e_recipes.sh
adds_files 1
changes_files 1
adds_row allocators/registry.h "X($toy)"
slabfuzz 0 list allocators
out_has "^$toy "
no_violation_on "$toy"
