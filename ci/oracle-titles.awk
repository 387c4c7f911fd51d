# SPDX-License-Identifier: MIT
#
# oracle-titles.awk - the texts of which titles are made, of the C files given: every string of
# more than one word that is not an argument of sf_report(), sf_skip() or _Static_assert(). One a
# line, once.

# Takes comments out of `s`; `comment` says whether one is open.
function bare(s, out, i, two)
{
	for (i = 1; i <= length(s); i++) {
		two = substr(s, i, 2)
		if (comment) {
			if (two == "*/") {
				comment = 0
				i++
			}
		} else if (two == "/*") {
			comment = 1
			i++
		} else if (two == "//") {
			break
		} else {
			out = out substr(s, i, 1)
		}
	}
	return out
}

# Reads one string that begins at `i`, with what follows it and is joined; leaves `i` behind it.
function text_at(all, c, out)
{
	for (;;) {
		for (i++; (c = substr(all, i, 1)) != "\""; i++) {
			if (c == "\\")
				out = out substr(all, i++, 1)
			out = out substr(all, i, 1)
		}
		i++
		if (!match(substr(all, i), /^[ \t\n]*"/))
			return out
		i += RLENGTH - 1
	}
}

# Leaves `i` behind the call whose name begins at `i`.
function skip_call(all, depth, c)
{
	for (;; i++) {
		c = substr(all, i, 1)
		if (c == "\"") {
			text_at(all)
			i--
		}
		depth += (c == "(") - (c == ")")
		if (c == ")" && !depth)
			return
	}
}

function take(all, n, c, s)
{
	n = length(all)
	for (i = 1; i <= n; i++) {
		c = substr(all, i, 1)
		if (match(substr(all, i, 16), /^(sf_report|sf_skip|_Static_assert)\(/)) {
			skip_call(all)
		} else if (c == "\"") {
			s = text_at(all)
			i--
			if (s ~ / / && !seen[s]++)
				print s
		}
	}
}

FNR == 1 {
	take(all)
	all = ""
}
{ all = all bare($0) "\n" }
END { take(all) }
