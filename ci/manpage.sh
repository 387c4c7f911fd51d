#!/bin/sh
# SPDX-License-Identifier: MIT
#
# manpage.sh COMMAND - slabfuzz(1) from what the command says of itself: `--help`, and that of each
# subcommand, as they are printed.
set -eu

command=$1

# as_is: text that troff must not change.
as_is()
{
	sed -e 's/\\/\\e/g' -e "s/^\\([.']\\)/\\\\\\&\\1/" -e 's/-/\\-/g'
}

cat <<'END'
.TH SLABFUZZ 1 "" "slabfuzz" "User Commands"
.SH NAME
slabfuzz \- fuzz and differentially test memory allocators
.SH SYNOPSIS
.B slabfuzz
.I COMMAND
.RI [ OPTION "]... [" ARGUMENT ]...
.SH DESCRIPTION
.nf
END
"$command" --help | as_is
echo .fi
for sub in $("$command" --help | sed -n 's/^  \([a-z]*\)  *[a-z].*/\1/p'); do
	echo ".SH \"slabfuzz $sub\""
	echo .nf
	"$command" "$sub" --help | as_is
	echo .fi
done
cat <<'END'
.SH FILES
.nf
PREFIX/libexec/slabfuzz/     engines of slabfuzz fuzz
PREFIX/share/slabfuzz/seeds/ what they begin with
PREFIX/share/doc/slabfuzz/   all else
.fi
END
