# SPDX-License-Identifier: MIT
# A seed is one new file; all of its expectations hold, and nothing needs to be built.
# shellcheck shell=sh disable=SC2154,SC2046 # sourced by e2e_recipes.sh
adds_files 1
changes_files 0
slabfuzz 0 run -a all $(new_files)
out_has '2 of 2 expectations held'
same_as_bytes "$(new_files)"
