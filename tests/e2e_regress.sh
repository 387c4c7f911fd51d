#!/bin/sh
# SPDX-License-Identifier: MIT
#
# e2e_regress.sh - `regress`: a find that was fixed becomes a test with name, origin and
# expectation; one that was not is refused.
#
# shellcheck disable=SC2317 # check calls functions
. tests/lib/e2e.sh

cd "$tmp" || exit 1
mkdir tests.d
cat >find.txt <<'END'
# title: ISO-2: kmalloc-512 is not the smallest class that fits
# detail: 256 bytes asked, object size 512
# allocator: baseline
r0 = kmalloc(256, GFP_KERNEL)
END
slabfuzz 0 regress find.txt -o tests.d
test=tests.d/iso_2_kmalloc_512_is_not_the_smallest_class_that.txt
out_has "^$test"
check 'title' grep -q '^# ISO-2: kmalloc-512 is not' "$test"
check 'origin' grep -q '^# found on baseline: 256 bytes asked' "$test"
check 'expectation' grep -q '^r0 = kmalloc(256, GFP_KERNEL)  # ok' "$test"
slabfuzz 0 run -a all "$test"
out_has '5 of 5 expectations held'
slabfuzz 2 regress find.txt -o tests.d
says 'is there already: another --name'
slabfuzz 0 regress find.txt -o tests.d --name other
check 'another name' test -s tests.d/other.txt
slabfuzz 2 regress find.txt -o tests.d --name ../other
says 'letters, digits'
if ${CC:-cc} -shared -fPIC -O1 -fno-builtin -Wl,-Bsymbolic \
	-I"$OLDPWD/allocators/include" -o two_bugs.so "$OLDPWD/tests/plugins/two_bugs.c" 2>err; then
	printf 'r0 = malloc(9)\nfree(r0)\nr1 = calloc(1, 9)\n' >user.txt
	slabfuzz 1 regress -a plugin:./two_bugs.so user.txt -o tests.d --name user
	says 'it still shows: MAL-5: an object of calloc holds old data'
	check 'nothing is written' test ! -e tests.d/user.txt
fi
finish
