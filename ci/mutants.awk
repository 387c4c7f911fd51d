# SPDX-License-Identifier: MIT
#
# mutants.awk - the table (or, with json=yes, the object) that ci/mutants.sh prints. Input: one line a
# mutant, separated by tabs: name, title, caught by, executions (0: missed), seconds. `what` is what
# the last line of the table says of those that were caught.

function quote(s)
{
	gsub(/["\\]/, "\\\\&", s)
	return "\"" s "\""
}

{
	name[++total] = $1
	title[total] = $2
	how[total] = $3
	runs[total] = $4
	seconds[total] = $5
	if ($4 == 0) {
		missed[++nr_missed] = $1
		how[total] = "MISSED" ($3 == "missed" ? "" : " (" $3 ")")
	}
	if (length($1) > wide)
		wide = length($1)
}

function print_json(i, n, invariant)
{
	printf "{\"total\": %d, \"caught\": %d, \"missed\": [", total, total - nr_missed
	for (i = 1; i <= nr_missed; i++)
		printf "%s%s", (i > 1 ? ", " : ""), quote(missed[i])
	printf "%s", "], \"by\": {"
	for (i = 1; i <= total; i++) {
		if (runs[i] == 0)
			continue
		invariant = title[i]
		sub(/:.*/, "", invariant)
		printf "%s%s: {\"invariant\": %s, ", (n++ ? ", " : ""), quote(name[i]), quote(invariant)
		printf "\"executions\": %d, \"seconds\": %s}", runs[i], seconds[i]
	}
	print "}}"
}

function print_table(i)
{
	printf "%-*s  %10s  %7s  %-24s  %s\n", wide, "mutant", "executions", "seconds", "caught by",
		"title"
	for (i = 1; i <= total; i++)
		printf "%-*s  %10d  %7s  %-24s  %s\n", wide, name[i], runs[i], seconds[i], how[i],
			title[i]
	printf "%d of %d %s\n", total - nr_missed, total, what ? what : "mutants caught"
}

END {
	if (json == "yes")
		print_json()
	else
		print_table()
	exit nr_missed > 0
}
