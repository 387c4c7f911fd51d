#!/bin/sh
# SPDX-License-Identifier: MIT
#
# e2e_figures.sh - what `make mutants KILL=1` and `make coverage FUZZ=` make of what was measured:
# ci/kill.awk and ci/reach.awk on tables made by hand. Speaks TAP. A run that was not killed is
# never dropped; a part that nothing reaches needs a reason, and a reason a part.
set -u

case $SLABFUZZ in
*/asan/*)
	echo "1..0 # it is the same in every flavor"
	exit 0
	;;
esac
# shellcheck source=tests/lib/e2e.sh
. tests/lib/e2e.sh
touch "$tmp/err"

# run BUG SIDE SEED KILLED SECONDS EXECUTIONS
run()
{
	printf '%s\t%s\t%s\t%s\t%s\t%s\tX-1: last\tX-1: due\n' "$@"
}

# kill AGAINST JSON: the figures of $tmp/in.
kill_awk()
{
	awk -F '\t' -v json="$2" -v limit=60 -v seeds=2 -v against="$1" -f ci/kill.awk \
		"$tmp/in" >"$tmp/out"
}

for i in 1 2 3 4 5 6 7 8; do
	run "bug-$i" here 1 1 "0.5$i" "$((i * 100))"
done >"$tmp/in"
{
	run slow here 1 1 30.00 90000
	run lost here 1 0 60.10 180000
	printf 'boot\tapart\tX-2: due\tonly slabfuzz boots shows it\n'
} >>"$tmp/in"
kill_awk '' no
out_has '^  killed within 10 CPU s  *80.0 %$'
out_has '^  killed within 60 CPU s  *90.0 %$'
out_has '^  CPU s, median  *0.55$'
out_has '^  CPU s, 90 % of the runs  *30.00$'
out_has '^  programs, 90 % of the runs  *90000$'
out_has '^10 bugs, 2 seeds, 60 CPU s each at most; 1 apart$'
out_has '^  lost, seed 1: X-1: last$'
out_has '^  boot: only slabfuzz boots shows it$'

# Numbers, not texts, are what is sorted; what was not killed is last, however soon it ended.
{
	run long here 1 1 9.00 9000
	run long here 2 1 10.00 10000
	run long here 3 0 0.10 5
} >"$tmp/in"
kill_awk '' no
out_has '^long  *2/3  *10.00  *10000  X-1: due$'
out_has '^  CPU s, 90 % of the runs  *> 60$'
kill_awk '' yes
out_has '"seconds": {"median": 10, "p90": null, "all": 19.10}'
out_has '"killed": false, "seconds": 0.10, "executions": 5}'

{
	run one base 1 0 60.00 1000
	run one here 1 1 2.00 50
} >"$tmp/in"
kill_awk rev no
out_has '^one  *0/1  *> 60  *> limit *1/1  *2.00  *50  X-1: due$'
out_has '^  killed within 10 CPU s  *0.0 %  *100.0 %$'
kill_awk rev yes
out_has '"base": {"runs": 1, "killed": 0,'

# reach STATUS: the lists of $tmp/reasons and $tmp/in.
reach()
{
	awk -F '\t' -v seconds=9 -f ci/reach.awk "$tmp/reasons" "$tmp/in" >"$tmp/out"
	got=$?
	check "ends with $1" [ "$got" = "$1" ]
}

file=$tmp/some.c
printf 'int f(int a)\n{\n\tif (a)\n\t\treturn 1;\n\treturn 2;\n}\n' >"$file"
{
	printf 'fuzz\t%s\tf\t2\t1\t6\t2\t5\n' "$file"
	printf 'fuzz\t%s\tf\t4\t3\t4\t11\t0\n' "$file"
	printf 'seeds\t%s\tf\t4\t3\t4\t11\t0\n' "$file"
	printf 'fuzz\t%s\tf\t5\t2\t5\t10\t0\n' "$file"
	printf 'seeds\t%s\tf\t5\t2\t5\t10\t3\n' "$file"
} >"$tmp/in"
echo '# nothing' >"$tmp/reasons"
reach 1
out_has 'some.c: f 1/3$'
out_has 'some.c:5:2: f: return 2$'
out_has 'some.c:4:3: f: return 1    <- not in tests/coverage/unreached.txt$'
out_has '^3 regions: 1 reached by 9 s of fuzzing, 1 by seeds alone, 1 by neither, 1 of these'
printf '%s\tf\treturn 1\tit is never asked for\n' "$file" >>"$tmp/reasons"
reach 0
out_lacks 'stale'
out_lacks 'not in tests'
printf '%s\tf\treturn 2\tit is never asked for\n' "$file" >>"$tmp/reasons"
reach 0
out_has '^stale, .*some.c: f: return 2$'

# What measured nothing found nothing.
: >"$tmp/in"
reach 1
finish
