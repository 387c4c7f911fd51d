#!/bin/sh
# SPDX-License-Identifier: MIT
#
# e2e_relations.sh - `slabfuzz diff --relations`: none on models and libraries that are right; in a
# plug-in and in a model, mistakes that no rule forbids, under the relation that they break.
. tests/lib/e2e.sh

# Models, a library, and what they are asked for in words of user space.
for model in baseline typed random large protected; do
	slabfuzz 0 diff --relations -a "$model" corpora/seeds/*.txt --programs 200
	out_has '; 0 divergences$'
	out_has "^$model, $model@relation=again: [1-9][0-9]* compared, 0 skipped, 0 diverged\$"
	out_has "^$model, $model@relation=exchanged: [1-9][0-9]* compared, "
	silent
done
for user in reference malloc:; do
	slabfuzz 0 diff --relations -a "$user" corpora/user/*.txt --programs 200
	out_has '; 0 divergences$'
	out_has "^$user, $user@relation=failing: [1-9][0-9]* compared, "
done
slabfuzz 0 diff --relations --worker -a baseline --programs 20
out_has '; 0 divergences$'

# As members like any other.
slabfuzz 0 diff -a typed,typed@relation=checks,typed@relation=fresh corpora/seeds/bulk.txt
out_has '^typed, typed@relation=fresh: [1-9][0-9]* compared'
slabfuzz 0 list relations
out_has '^fresh  *.*; may change layout$'
out_has '^again  *.*; may change nothing$'
slabfuzz 2 diff --relations=nosuch -a baseline corpora/seeds/bulk.txt
check 'says which there are' grep -q "no relation 'nosuch' (see slabfuzz list relations)" "$tmp/err"
slabfuzz 2 diff --relations --walk-every 2 -a baseline corpora/seeds/bulk.txt
check 'says why' grep -q 'walk-every: related programs have other numbers' "$tmp/err"
slabfuzz 2 diff -a baseline,typed@relation=checks corpora/seeds/bulk.txt
says 'the first member is that allocator'

# A plug-in with a mistake: what is put in place of a line of first_fit.c.
plant()
{
	mkdir -p "$tmp/ff"
	cp tests/plugins/* "$tmp/ff/"
	sed -i -e 's/^	_Alignas(ALIGN) struct chunk \*first, \*end;/&\n	unsigned state;/' \
		-e "$1" "$tmp/ff/first_fit.c"
	OUT="$tmp/ff.so" SRC="$tmp/ff/first_fit.c $tmp/ff/first_fit_plugin.c" sh ci/plugin.sh \
		>"$tmp/out" 2>"$tmp/err"
}
cat >"$tmp/user.txt" <<'END'
r0 = malloc(100)
r1 = malloc(201)
free(r0)
free(r1)
r2 = malloc(5000)
END
init='s/^	\*h->first = (struct chunk){ .size = room };/	h->state = 0;\n&/'
asked='/size_t want = chunk_size(size);/a'
check 'right' plant "$init"
slabfuzz 0 diff --relations -a "plugin:$tmp/ff.so" corpora/user/*.txt --programs 60
out_has '; 0 divergences$'

# found RELATION ALLOCATOR PROGRAM: under that relation alone, and no rule says anything.
found()
{
	slabfuzz 1 diff --relations -a "$2" "$3"
	out_has "^  relation $1: "
	check "nothing but $1" test "$(grep -c '^  relation ' "$tmp/out")" = 1
	slabfuzz 0 run -a "$2" "$3"
	out_has ': 0 violations'
}
check 'a request that fails takes what there is' plant \
	"$init;$asked \\
	for (struct chunk *c = h->first; !want \&\& c != h->end; c = after(c)) c->size |= 1;"
found failing "plugin:$tmp/ff.so" "$tmp/user.txt"
slabfuzz 1 diff --relations --json --junit "$tmp/report.xml" -a "plugin:$tmp/ff.so" "$tmp/user.txt"
out_has '"title": "relation failing: result: ok, NULL after malloc"'
check 'JUnit has it' grep -q '<failure message="relation failing: result: ok, NULL after malloc">' \
	"$tmp/report.xml"
check 'an odd request behind a round one fails' plant "$init;$asked \\
	if (size == 100 \\&\\& h->state == 201) return NULL; h->state = (unsigned)size;"
found exchanged "plugin:$tmp/ff.so" "$tmp/user.txt"
check 'three frees break large requests' plant "$init;$asked \\
	if (h->state >= 3 \&\& size > 4096) return NULL;
	/^	c->size &= ~(size_t)1;/a h->state++;"
found fresh "plugin:$tmp/ff.so" "$tmp/user.txt"

# In a model: a reset that leaves random numbers where they are; a snapshot that changes the CPU.
tree=$tmp/tree
model_so()
{
	rm -rf "$tree"
	mkdir -p "$tree"
	cp -r allocators "$tree/"
	sed -i "$2" "$tree/allocators/$1"
	OUT="$tmp/model.so" TREE="$tree" CFLAGS=-O0 JOBS=2 sh ci/model-so.sh >"$tmp/out" \
		2>"$tmp/err"
}
cat >"$tmp/kernel.txt" <<'END'
heap cpus=2 freelist_random=1
r0 = kmalloc(64, GFP_KERNEL)
cpu(1)
r1 = kmalloc(64, GFP_KERNEL)
kfree(r0)
kfree(r1)
END
check 'a model is built' model_so heap.c '/h->rng = heap_boot_random(h, RNG_STREAM);/d'
found again "model:$tmp/model.so:baseline" "$tmp/kernel.txt"
check 'and once more' model_so snapshot.c 's/^	emit_counters(&w);/&\n	h->cpu = 0;/'
found checks "model:$tmp/model.so:baseline" "$tmp/kernel.txt"
finish
