# SPDX-License-Identifier: MIT
#
# automutants.awk - what ci/automutants.sh found, sorted (or, with json=yes, as an object). Input:
# tests/mutants/free.txt, then one line a mutant, separated by tabs: how it was noticed, file, line,
# column, kind, what became what, title or areas, programs tried, seconds, source line, number, first
# difference in lockstep with the build without the mistake ("none"; "-": was not run). The numbers of
# what breaks a rule, and of what is left, go to the file `breaking`.

function quote(s)
{
	gsub(/["\\]/, "\\\\&", s)
	return "\"" s "\""
}

function why_free(file, old, new, source, i)
{
	sub(/.*\//, "", file)
	for (i = 1; i <= nr_free; i++)
		if ((free_file[i] == file || free_file[i] == "*") && index(source, free_text[i]) &&
		    (free_change[i] == "*" || free_change[i] == old " -> " new))
			return free_why[i]
	return ""
}

NR == FNR {
	if ($0 !~ /^#/ && NF >= 4) {
		free_file[++nr_free] = $1
		free_text[nr_free] = $2
		free_change[nr_free] = $3
		free_why[nr_free] = $4
	}
	next
}

$1 == "invalid" { next }

{
	i = ++total
	how[i] = $1
	old = $6
	gsub(/ +/, " ", old)
	name[i] = $2 ":" $3 ":" $4 ": " $5 ": " old " -> " ($7 == "" ? "nothing" : $7)
	what[i] = $8
	runs[i] = $9
	seconds[i] = $10
	if ($1 == "left") {
		what[i] = why_free($2, old, $7 == "" ? "nothing" : $7, $11)
		if (what[i] != "")
			how[i] = "free"
		else
			what[i] = $8
	}
	nr[how[i]]++
	lockstep[i] = $13
	# What neither rules nor corpora noticed, though something else happens.
	if ($1 == "fuzz" || $1 == "left") {
		survived++
		differ += lockstep[i] != "none" && lockstep[i] != "-"
	}
	if (how[i] != "same" && how[i] != "free")
		print $12 >breaking
}

function group(which, heading, shown, i, any)
{
	for (i = 1; i <= total; i++) {
		if (how[i] != which)
			continue
		if (!any++)
			print heading
		print "  " name[i]
		if (shown && what[i] != "")
			print "      " what[i]
		if (lockstep[i] != "-" && lockstep[i] != "")
			print "      in lockstep: " lockstep[i]
	}
}

function print_groups()
{
	group("same", "equivalent, as far as seen (the same events):", 0)
	group("free", "other events, and free to be so (tests/mutants/free.txt):", 1)
	group("fuzz", "a rule forbids it, but only fuzzing led there (a program is missing):", 1)
	group("left", "no rule forbids it; other events (a rule is missing, or a line why it is free):",
	      1)
	printf "%d mutants: %d noticed (%d by the corpora, %d by generated programs, " \
		"%d by fuzzing), %d equivalent as far as seen, %d free, %d left\n", total, caught,
		nr["corpora"], nr["generated"], nr["fuzz"], nr["same"], nr["free"], nr["left"]
	if (survived)
		printf "%d of %d (%.1f %%) that rules and corpora let pass differ in lockstep\n",
			differ, survived, 100 * differ / survived
	if (caught + nr["left"])
		printf "%.1f %% of those that break a rule are noticed\n",
			100 * caught / (caught + nr["left"])
}

function print_list(key, which, i, n)
{
	printf ", %s: [", quote(key)
	for (i = 1; i <= total; i++)
		if (how[i] == which)
			printf "%s%s", (n++ ? ", " : ""), quote(name[i])
	printf "]"
}

function print_json(i, n, invariant)
{
	printf "{\"total\": %d, \"caught\": %d", total, caught
	print_list("missed", "left")
	print_list("same", "same")
	print_list("free", "free")
	printf ", \"lockstep\": {\"survived\": %d, \"differ\": %d, \"by\": {", survived, differ
	for (i = 1; i <= total; i++)
		if (lockstep[i] != "-" && lockstep[i] != "")
			printf "%s%s: %s", (n++ ? ", " : ""), quote(name[i]), quote(lockstep[i])
	printf "}}"
	n = 0
	printf "%s", ", \"by\": {"
	for (i = 1; i <= total; i++) {
		if (how[i] != "corpora" && how[i] != "generated" && how[i] != "fuzz")
			continue
		invariant = what[i]
		sub(/:.*/, "", invariant)
		printf "%s%s: {\"invariant\": %s, ", (n++ ? ", " : ""), quote(name[i]),
			quote(invariant)
		printf "\"executions\": %d, \"seconds\": %s, \"by\": %s}", runs[i], seconds[i],
			quote(how[i])
	}
	print "}}"
}

BEGIN {
	printf "" >breaking
}

END {
	caught = nr["corpora"] + nr["generated"] + nr["fuzz"]
	if (json == "yes")
		print_json()
	else
		print_groups()
	exit nr["left"] > 0
}
