# SPDX-License-Identifier: MIT
#
# kill.awk - the figures (or, with json=yes, the object) that ci/kill.sh prints. Input, separated by
# tabs: of a run its bug, side (base or here), seed, 1 if it was killed, CPU seconds, executions, what
# the engine said last, the title that is due; of a bug that was not run its name, "apart", its
# title, why. Of a run that was not killed nothing is known but that it takes longer than `limit`: in
# each order it comes last.

function quote(s)
{
	gsub(/["\\]/, "\\\\&", s)
	return "\"" s "\""
}

# sort(LIST, N): upwards, in place.
function sort(list, n, gap, i, j, x)
{
	for (gap = int(n / 2); gap > 0; gap = int(gap / 2))
		for (i = gap + 1; i <= n; i++) {
			x = list[i]
			for (j = i; j > gap && list[j - gap] > x; j -= gap)
				list[j] = list[j - gap]
			list[j] = x
		}
}

$2 == "apart" {
	apart[++nr_apart] = $1
	why[nr_apart] = $4
	next
}

{
	if (!($1 in title)) {
		bug[++nr_bugs] = $1
		title[$1] = $8
		if (length($1) > wide)
			wide = length($1)
	}
	i = ++nr[$2, $1]
	total[$2]++
	row[$2, $1, i] = sprintf("{\"seed\": %d, \"killed\": %s, \"seconds\": %s, " \
		"\"executions\": %d}", $3, $4 ? "true" : "false", $5, $6)
	seconds[$2, $1, i] = $4 ? $5 + 0 : LONG
	executions[$2, $1, i] = $4 ? $6 + 0 : LONG
	killed[$2, $1] += $4
	nr_killed[$2] += $4
	early[$2] += $4 && $5 <= 10
	late[$2] += $4 && $5 <= 60
	used[$2] += $5
	if (!$4)
		missed[++nr_missed] = $1 ", " (against == "" ? "" : $2 ", ") "seed " $3 \
			($7 == "" ? "" : ": " $7)
}

# quantile(OF, SIDE, NAME, SHARE): the smallest value that so many of the runs do not exceed; of all
# bugs if NAME is empty.
function quantile(of, side, name, share, b, i, n, list, rank)
{
	n = 0
	for (b = 1; b <= nr_bugs; b++) {
		if (name != "" && bug[b] != name)
			continue
		for (i = 1; i <= nr[side, bug[b]]; i++)
			list[++n] = of == "seconds" ? seconds[side, bug[b], i] : \
				executions[side, bug[b], i]
	}
	sort(list, n)
	rank = share * n
	if (rank > int(rank))
		rank = int(rank) + 1
	return list[rank < 1 ? 1 : int(rank)]
}

# As text: what was not killed takes longer than the limit.
function shown(of, x)
{
	if (x == LONG)
		return of == "seconds" ? "> " limit : "> limit"
	return of == "seconds" ? sprintf("%.2f", x) : sprintf("%d", x)
}

function cell(of, side, name, share)
{
	return shown(of, quantile(of, side, name, share))
}

function percent(n, side)
{
	return sprintf("%.1f %%", total[side] ? 100 * n / total[side] : 0)
}

function print_table(b, s)
{
	printf "%-*s", wide, "bug"
	for (s = 1; s <= nr_sides; s++)
		printf "  %-7s %8s %9s", (nr_sides > 1 ? side[s] : "killed"), "CPU s", "programs"
	print "  title"
	for (b = 1; b <= nr_bugs; b++) {
		printf "%-*s", wide, bug[b]
		for (s = 1; s <= nr_sides; s++)
			printf "  %3d/%-3d %8s %9s", killed[side[s], bug[b]] + 0,
				nr[side[s], bug[b]], cell("seconds", side[s], bug[b], 0.5),
				cell("executions", side[s], bug[b], 0.5)
		print "  " title[bug[b]]
	}
}

function print_line(what, of, share, s)
{
	printf "  %-28s", what
	for (s = 1; s <= nr_sides; s++)
		printf " %12s", cell(of, side[s], "", share)
	print ""
}

function print_sums(s, i)
{
	printf "\n%d bugs, %d seeds, %s CPU s each at most", nr_bugs, seeds, limit
	print nr_apart ? "; " nr_apart " apart" : ""
	if (nr_sides > 1)
		printf "  %-28s %12s %12s\n", "", "base", "here"
	printf "  %-28s", "killed within 10 CPU s"
	for (s = 1; s <= nr_sides; s++)
		printf " %12s", percent(early[side[s]], side[s])
	if (limit > 10) {
		printf "\n  %-28s", "killed within " (limit < 60 ? limit : 60) " CPU s"
		for (s = 1; s <= nr_sides; s++)
			printf " %12s", percent(late[side[s]], side[s])
	}
	print ""
	print_line("CPU s, median", "seconds", 0.5)
	print_line("CPU s, 90 % of the runs", "seconds", 0.9)
	print_line("programs, median", "executions", 0.5)
	print_line("programs, 90 % of the runs", "executions", 0.9)
	printf "  %-28s", "CPU s, all runs"
	for (s = 1; s <= nr_sides; s++)
		printf " %12.0f", used[side[s]]
	print ""
	for (i = 1; i <= nr_missed; i++)
		print (i > 1 ? "" : "\nnot killed:\n") "  " missed[i]
	for (i = 1; i <= nr_apart; i++)
		print (i > 1 ? "" : "\napart:\n") "  " apart[i] ": " why[i]
}

function value(of, side, share, x)
{
	x = quantile(of, side, "", share)
	return x == LONG ? "null" : x
}

function print_side(s)
{
	printf ", %s: {\"runs\": %d, \"killed\": %d, \"within_10\": %d, \"within_60\": %d, ",
		quote(s), total[s], nr_killed[s], early[s], late[s]
	printf "\"seconds\": {\"median\": %s, \"p90\": %s, \"all\": %.2f}, ",
		value("seconds", s, 0.5), value("seconds", s, 0.9), used[s]
	printf "\"executions\": {\"median\": %s, \"p90\": %s}}", value("executions", s, 0.5),
		value("executions", s, 0.9)
}

function print_json(b, s, i)
{
	printf "{\"bugs\": %d, \"seeds\": %d, \"limit\": %s", nr_bugs, seeds, limit
	for (s = 1; s <= nr_sides; s++)
		print_side(side[s])
	printf ", \"apart\": {"
	for (i = 1; i <= nr_apart; i++)
		printf "%s%s: %s", (i > 1 ? ", " : ""), quote(apart[i]), quote(why[i])
	printf "}, \"by\": {"
	for (b = 1; b <= nr_bugs; b++) {
		printf "%s%s: {\"title\": %s", (b > 1 ? ", " : ""), quote(bug[b]),
			quote(title[bug[b]])
		for (s = 1; s <= nr_sides; s++) {
			printf ", %s: [", quote(side[s])
			for (i = 1; i <= nr[side[s], bug[b]]; i++)
				printf "%s%s", (i > 1 ? ", " : ""), row[side[s], bug[b], i]
			printf "]"
		}
		printf "}"
	}
	print "}}"
}

BEGIN {
	LONG = 1e15
	wide = 3
	if (against != "")
		side[++nr_sides] = "base"
	side[++nr_sides] = "here"
}

END {
	if (json == "yes") {
		print_json()
		exit
	}
	print_table()
	print_sums()
}
