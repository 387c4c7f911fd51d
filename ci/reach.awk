# SPDX-License-Identifier: MIT
#
# reach.awk - the lists that ci/reach.sh prints. Input: tests/coverage/unreached.txt (file, function,
# text, why), then regions: who ran them (fuzz, or the seeds in one of two ways), file, function,
# line, column, last line, column, count; a region of a header comes once for each file that
# includes it. Exit status 1 if a region that was never run has no line, or all were not.

FNR == 1 { part++ }

part == 1 {
	if ($0 !~ /^#/ && NF >= 4) {
		known[++nr_known] = $1 SUBSEP $2
		text[nr_known] = $3
	}
	next
}

{
	key = $2 SUBSEP $3 SUBSEP $4 SUBSEP $5 SUBSEP $6 SUBSEP $7
	if (!(key in number)) {
		number[key] = ++nr
		file[nr] = $2
		name[nr] = $3
		line[nr] = $4
		column[nr] = $5
		last[nr] = $6
		end[nr] = $7
	}
	if ($8 > 0 && $1 == "fuzz")
		fuzzed[number[key]] = 1
	else if ($8 > 0)
		seeded[number[key]] = 1
}

function read_file(f, n)
{
	if (f in was_read)
		return
	was_read[f] = 1
	while ((getline source[f, ++n] < f) > 0)
		;
	close(f)
}

# The first line of a region, without what is before it and, if it ends there, after it.
function words(i, s, f)
{
	f = file[i]
	read_file(f)
	s = source[f, line[i]]
	s = last[i] == line[i] ? substr(s, column[i], end[i] - column[i]) : substr(s, column[i])
	if (s ~ /^[ \t]*\{?[ \t]*$/ && last[i] > line[i])
		s = s " " source[f, line[i] + 1]
	gsub(/[ \t]+/, " ", s)
	sub(/^ /, "", s)
	sub(/ $/, "", s)
	return s
}

# The line of the list that it has; 0: none. A text of "*" is a function that is never called.
function excused(i, k)
{
	for (k = 1; k <= nr_known; k++)
		if (known[k] == file[i] SUBSEP name[i] &&
		    (text[k] == "*" || text[k] == words(i)))
			return k
	return 0
}

function place(i)
{
	return "  " file[i] ":" line[i] ":" column[i] ": " name[i] ": " words(i)
}

# Functions, with the regions that the fuzzing reached of all that they have.
function print_reached(i, f, n, k)
{
	for (i = 1; i <= nr; i++) {
		f = file[i] ": " name[i]
		if (!(f in all))
			order[++n] = f
		all[f]++
		if (i in fuzzed)
			part_of[f]++
	}
	print "reached by " seconds " s of fuzzing from an empty corpus (regions, of all of a function):"
	for (k = 1; k <= n; k++)
		if (part_of[order[k]])
			printf "  %s %d/%d\n", order[k], part_of[order[k]], all[order[k]]
}

function print_seeded(i)
{
	print "reached by seeds alone:"
	for (i = 1; i <= nr; i++)
		if (!(i in fuzzed) && i in seeded)
			print place(i)
}

function print_unreached(i, k)
{
	print "reached by neither:"
	for (i = 1; i <= nr; i++) {
		if (i in fuzzed || i in seeded)
			continue
		k = excused(i)
		if (k)
			used[k] = 1
		else
			nr_new++
		print place(i) (k ? "" : "    <- not in tests/coverage/unreached.txt")
	}
}

END {
	print_reached()
	print_seeded()
	print_unreached()
	for (k = 1; k <= nr_known; k++)
		if (!used[k]) {
			split(known[k], f, SUBSEP)
			print "stale, it is reached or gone: tests/coverage/unreached.txt: " f[1] ": " \
				f[2] ": " text[k]
		}
	for (i = 1; i <= nr; i++) {
		by_fuzz += i in fuzzed
		by_seeds += !(i in fuzzed) && i in seeded
	}
	printf "%d regions: %d reached by %d s of fuzzing, %d by seeds alone, %d by neither", nr,
		by_fuzz, seconds, by_seeds, nr - by_fuzz - by_seeds
	print nr_new ? ", " nr_new " of these without a reason" : ""
	exit nr_new > 0 || !by_fuzz
}
