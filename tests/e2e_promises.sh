#!/bin/sh
# SPDX-License-Identifier: MIT
#
# e2e_promises.sh - `slabfuzz compare --attacks` on allocators that may die: what is measured of one
# whose promises are known (tests/plugins/toy.c) is what it promises; claims are shown, refuted or
# neither; what is no claim is refused with its place; nothing that an allocator does ends it.
#
# shellcheck disable=SC2317 # check calls functions
. tests/lib/e2e.sh

case $SLABFUZZ in
*/asan/* | */ubsan/*)
	skip 'what allocators promise' 'a sanitizer stands before what is misused; plain runs these'
	finish
	;;
esac

build()
{
	make -s plugin SRC=tests/plugins/toy.c OUT="$tmp/$1.so" CFLAGS="$2 -Wall -Wextra -Werror" \
		>"$tmp/out" 2>"$tmp/err"
}

# toy NAME [MACROS]: an allocator with these promises.
toy() { check "toy $1 builds" build "$1" "${2-}"; }

# claims STATUS NAME CLAIM...: of that allocator, in 80 trials.
claims()
{
	want=$1
	of=$2
	shift 2
	printf '%s\n' "$@" >"$tmp/claims"
	slabfuzz "$want" compare --attacks -a "plugin:$tmp/$of.so" --trials 80 --starts 4 \
		--claims "$tmp/claims"
	silent
}

toy none
toy check -DTOY_CHECK
toy canary -DTOY_CANARY
toy zero -DTOY_ZERO
toy wait -DTOY_WAIT=64
toy never '-DTOY_NEVER -DTOY_CHECK'
toy says -DTOY_SAYS
toy hangs -DTOY_HANGS

# Nothing is noticed, and what is freed is handed out at once.
claims 0 none 'free-twice: noticed <= 0.05' 'free-twice: reaches-other-object >= 0.7' \
	'stale-write: reaches-other-object >= 0.7' 'stale-write: reaches-other-class <= 0.05' \
	'overflow: reaches-other-object >= 0.7' 'overflow: reaches-allocator-data <= 0.05' \
	'overflow: reaches-other-class >= 0.2' 'overflow: reaches-pointers >= 0.2' \
	'wild-free: nothing >= 0.95' 'foreign-free: nothing >= 0.95' 'inner-free: nothing >= 0.95' \
	'past-usable: noticed <= 0.05' 'canary: seen <= 0.05' 'guard-page: seen <= 0.05' \
	'zeroing: seen <= 0.05' 'unmapping: seen <= 0.05' 'next-address: bits <= 1'
out_has '^17 claims: 17 shown, 0 not shown, 0 refuted$'
out_has '^frees before reuse  *median 0, least 0, most 0; '

# What is no live object is noticed; who uses it a second time is its owner.
claims 0 check 'free-twice: noticed-at-once >= 0.95' 'inner-free: noticed-at-once >= 0.95' \
	'wild-free: noticed-at-once >= 0.95' 'foreign-free: noticed-at-once >= 0.95' \
	'double-free: noticed >= 0.95' 'double-free: noticed-later >= 0.5' \
	'wild-free: crashes <= 0.05' 'overflow: noticed <= 0.05'
claims 0 never 'double-free: noticed-at-once >= 0.95' \
	'stale-write: reaches-other-object <= 0.05' 'stale-write: nothing >= 0.95' \
	'overflow: reaches-other-object >= 0.5'
out_has '^frees before reuse  *median over 1024, least over 1024, '

# A canary that every second free looks at.
claims 0 canary 'canary: seen >= 0.35' 'canary: seen <= 0.65' \
	'past-usable: noticed-at-once <= 0.05' \
	'past-usable: reaches-allocator-data >= 0.95' 'past-usable: reaches-other-object <= 0.05' \
	'overflow: reaches-allocator-data >= 0.95'
claims 0 zero 'zeroing: seen >= 0.95' 'filling: seen <= 0.05' \
	'stale-write: reaches-allocator-data <= 0.05'
claims 0 says 'free-twice: noticed-at-once >= 0.95' 'free-twice: crashes <= 0.05'

# So many frees, and not one more.
slabfuzz 0 compare --attacks -a "plugin:$tmp/wait.so" --trials 400 --starts 4
out_has '^frees before reuse  *median 64, least 64, most '
echo 'reuse: after >= 64 frees' >"$tmp/claims"
slabfuzz 0 compare --attacks -a "plugin:$tmp/wait.so" --trials 400 --starts 4 --claims "$tmp/claims"
out_has ': shown: reuse: after >= 64 frees; measured: after 64 frees, and earlier than .* in 0 of'
claims 1 wait '' '  reuse:   after >= 65 frees # too many' 'canary: seen >= 0.5'
out_has 'claims:2:3: refuted: reuse: after >= 65 frees; measured: after 64 frees'
out_has 'claims:3:1: refuted: canary: seen >= 0.5; measured: 0.0000 (0.0000 to 0.0458; 80 trials)'
out_has '^2 claims: 0 shown, 0 not shown, 2 refuted$'

# What the trials do not decide is not shown.
claims 1 wait 'reuse: after >= 64 frees' 'canary: seen <= 0.001'
out_has ':1:1: not shown: reuse: after >= 64'
out_has ':2:1: not shown: canary: seen <= 0.001; measured: 0.0000 (0.0000 to 0.0458'
out_has '^2 claims: 0 shown, 2 not shown, 0 refuted$'

# The same figures again, but for where the system puts it.
twice()
{
	for i in 1 2; do
		"$SLABFUZZ" compare --attacks -a "plugin:$tmp/canary.so" --trials 60 \
			--starts "$((4 * i))" >"$tmp/out"
		grep -v -e '^address in' -e 'that vary' -e '^60 trials' -e '^next address' \
			"$tmp/out" >"$tmp/$i"
	done
	grep -q '^overflow' "$tmp/1" && cmp -s "$tmp/1" "$tmp/2"
}
check 'figures do not depend on the number of starts' twice

# Hangs, and a library that is none, end nothing but themselves.
slabfuzz 0 compare --attacks -a "plugin:$tmp/hangs.so" --trials 6 --starts 2
out_has '^free twice  *0.0 ([^)]*)  *0.0 .* 100.0 ([^)]*)  *-  *-  *(4 left out)$'
slabfuzz 0 compare --attacks --json -a "plugin:$tmp/check.so,reference" --trials 4 --starts 2
for key in layout allocator settings trials starts bytes mistakes features claims left_out nothing \
	noticed noticed_at_once later_operations canary guard_page reuse_after_frees next_address \
	varying_bits; do
	out_has "\"$key\": "
done
# The reference: a mapping for each object, each used once.
echo 'reuse: after >= 1024
free-twice: noticed-at-once >= 0.8
unmapping: seen >= 0.8
guard-page: seen >= 0.8
foreign-free: noticed-at-once >= 0.8' >"$tmp/claims"
slabfuzz 1 compare --attacks -a reference --trials 24 --starts 2 --claims "$tmp/claims"
out_has '^5 claims: 4 shown, 1 not shown, 0 refuted$'
# Models, too; what they have no word for is left out.
slabfuzz 0 compare --attacks --promises -a typed,baseline --trials 6 --starts 2
out_has '^wild free  *-  *- .*(6 left out)$'
out_has '^foreign free  *[0-9]'
# A library, and a layout.
slabfuzz 0 compare --attacks -a malloc: --trials 6 --starts 2 corpora/seeds/types.txt
out_has 'layout: corpora/seeds/types.txt'
out_has '^free twice .* 100.0 ([^)]*) '

# bad MESSAGE LINE...: a file of claims that is refused with that.
bad()
{
	message=$1
	shift
	printf '%s\n' "$@" >"$tmp/claims"
	slabfuzz 2 compare --attacks -a "plugin:$tmp/check.so" --trials 2 --claims "$tmp/claims"
	says "claims:$message"
}
bad "1:1: no claim about 'foo'; there are: overflow, .* reuse, next-address, first-address$" \
	'foo: bar >= 1'
bad "2:11: expected one of reaches-other-object, .* of 'overflow', not 'bar'" '' \
	'overflow: bar >= 1'
bad '1:10: expected SUBJECT:' ' overflow bar'
bad '1:19: expected >= or <=' 'overflow: noticed > 1'
bad '1:22: expected a number' 'overflow: noticed >= -1'
bad '1:21: expected a number' 'overflow: noticed >='
bad '1:22: a chance is from 0 to 1' 'overflow: noticed >= 1.5'
bad '1:17: frees are a whole number' 'reuse: after >= 1025 frees'
bad '1:14: expected >=' 'reuse: after <= 4 frees'
bad '1:26: expected the end of the line' 'overflow: noticed >= 0.5 frees'
bad '2:1: there is no claim' '# nothing' ''
slabfuzz 2 compare --attacks -a "plugin:$tmp/check.so" --claims "$tmp/nonesuch"
says 'nonesuch: No such file'
slabfuzz 2 compare --claims "$tmp/claims" corpora/seeds/types.txt
slabfuzz 2 compare --attacks --promises --hardening none
slabfuzz 2 compare --attacks --starts 0 -a malloc:
slabfuzz 2 compare --attacks --starts 1 --trials 5001 -a malloc:
says 'raise --starts'
slabfuzz 2 compare --attacks -a malloc: - </dev/null
finish
