#!/bin/sh
# SPDX-License-Identifier: MIT
#
# e2e_boots.sh - `slabfuzz boots`: what only many boots show.
. tests/lib/e2e.sh

slabfuzz 0 boots --boots 400
silent
for id in ISO-9 ISO-10 ISO-11 MEM-15 MEM-16 SHF-2; do
	out_has "^  $id  *[1-9][0-9]* checked  *0 skipped  *0 violations"
done
out_has "^  ISO-9  *0 checked  *1 skipped .* the allocator lacks 'typed'\$"

slabfuzz 0 boots -a random --set freelist_random=0 --set shuffle=0 --set freelist_hardened=0
out_has 'MEM-16  *0 checked  *1 skipped .* freelist_random is off$'
out_has 'MEM-15  *0 checked  *1 skipped .* freelist_hardened is off$'
out_has 'SHF-2  *0 checked  *1 skipped .* shuffle is off$'
slabfuzz 0 boots -a typed,random --boots 320 --json
out_has '"allocator": "typed"'
out_has '"ISO-10": {'

slabfuzz 2 boots --boots 319
says 'from 320'
slabfuzz 2 boots -a nonesuch
slabfuzz 2 boots --set nonesuch=1
slabfuzz 2 boots --set nokmem=1 --set memcg=0
slabfuzz 2 boots file
finish
