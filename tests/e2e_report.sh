#!/bin/sh
# SPDX-License-Identifier: MIT
#
# e2e_report.sh - `slabfuzz report`: the page is there and whole, its data can be read, no name can
# get out of it; in a browser it draws, and slider and keys work.
. tests/lib/e2e.sh

page=$tmp/out.d/index.html

# A cache whose name would end the element and run a script, were it not escaped.
cat >"$tmp/hostile.txt" <<'END'
c0 = kmem_cache_create("</script><img src=x onerror=alert(1)>&", 64, 0, 0)
r0 = kmem_cache_alloc(c0, GFP_KERNEL)
r1 = kmalloc_obj(struct cred, GFP_KERNEL)
r2 = kmalloc(100, GFP_KERNEL, type=u8)
kfree(r1)
check
END
cat >"$tmp/found.txt" <<'END'
# title: MEM-1
# allocator: typed
heap misuse=1
r0 = kmalloc(100, GFP_KERNEL)
kfree(r0)
END

slabfuzz 0 report -o "$tmp/out.d" -a baseline,typed "$tmp/hostile.txt"
silent
check 'one file is written, and nothing is left beside it' \
	test "$(ls "$tmp/out.d")" = index.html
check 'it is a whole page' grep -q '^</html>$' "$page"
check 'nothing is fetched' lacks '<link\|src="http\|url(http\|@import' "$page"
check 'as many script elements as the page has' test "$(grep -c '</script>' "$page")" = 2
check 'no name becomes markup' lacks '<img' "$page"
check 'the name is there, escaped' grep -q 'u003c/script\\u003e\\u003cimg' "$page"

# The data, by a reader of JSON.
data='import json, re, sys
text = re.search(r"id=\"data\">(.*?)</script>", open(sys.argv[1]).read(), re.S).group(1)
d = json.loads(text)
assert [r["allocator"] for r in d["runs"]] == ["baseline", "typed"], "allocators"
for r in d["runs"]:
    assert len(r["frames"]) == r["operations"] + 2, "a frame for each operation, two beside"
    assert "onerror" in r["frames"][1][0], "the text of the operation"
    assert any("</script>" in c[1] for c in r["caches"]), "the name of the cache"
    assert 6 in r["frames"][2][1], "an object"
    assert not r["violations"] and not r["error"], "clean"
assert sum(o[3] for o in d["oracles"]) > 100, "checks"'
if command -v python3 >/dev/null; then
	check 'the data can be read, and has the frames' python3 -c "$data" "$page"
else
	skip 'the data can be read' 'no python3'
fi

# Finds by themselves: on the allocator that they name; a folder stands for its files.
mkdir -p "$tmp/crashes/MEM-1"
cp "$tmp/found.txt" "$tmp/crashes/MEM-1/smallest.txt"
cp "$tmp/hostile.txt" "$tmp/crashes/a.txt"
slabfuzz 0 report -o "$tmp/out.d" "$tmp/crashes"
for a in typed baseline; do
	check "a find on its own allocator, $a" \
		test "$(grep -c "^\"allocator\":\"$a\"" "$page")" = 1
done
slabfuzz 0 report -o "$tmp/out.d" --ops 1 corpora/traces/sockets-6.18.trace-cmd-report.txt.zst
check 'what is not shown is counted' grep -q '"dropped":[1-9]' "$page"

# Nothing half: what was there stays.
before=$(cksum <"$page")
slabfuzz 2 report -o "$tmp/out.d" "$tmp/nonesuch.txt"
says 'nonesuch'
check 'the page of before is as it was' test "$(cksum <"$page")" = "$before"
slabfuzz 2 report "$tmp/hostile.txt"
slabfuzz 2 report -o "$tmp/hostile.txt" "$tmp/hostile.txt"
mkdir "$tmp/empty"
slabfuzz 2 report -o "$tmp/out.d" "$tmp/empty"
says 'no program in'

# In a browser: a script behind the page's own uses it, and leaves what it saw in the page.
browser=
for b in chromium chromium-browser google-chrome; do
	command -v "$b" >/dev/null && browser=$b && break
done
if [ -z "$browser" ]; then
	skip 'the page works in a browser (12 checks)' 'no Chromium'
	finish
fi
cat >"$tmp/use.html" <<'END'
<script>
'use strict';
const seen = [];
const note = (what, good) => seen.push(`${good ? 'good' : 'BAD'}: ${what}`);
const key = (k, shiftKey) => document.dispatchEvent(new KeyboardEvent('keydown',
	{ key: k, shiftKey: !!shiftKey, bubbles: true }));
const painted = (c) => new Set(new Uint32Array(c.getContext('2d').getImageData(0, 0, c.width,
	c.height).data.buffer)).size;
const at = () => Number(document.getElementById('slider').value);
drawNow();
const maps = [...document.querySelectorAll('canvas.map')];
note('two maps', maps.length === 2);
note('maps are painted', maps.every((c) => painted(c) > 3));
note('the plots are painted', [...document.querySelectorAll('.below canvas')]
	.filter((c) => c.style.display !== 'none').every((c) => painted(c) > 1));
key('Home');
const home = at();
key('ArrowRight');
key('ArrowRight');
drawNow();
note('home and arrows', home === 0 && at() === 2);
note('the text of the operation', document.getElementById('optext').textContent
	.startsWith('r0 = kmem_cache_alloc'));
key('End');
note('end', at() === Number(document.getElementById('slider').max));
const slider = document.getElementById('slider');
slider.value = 1;
slider.dispatchEvent(new Event('input'));
drawNow();
note('the slider moves', view.frame === 1 && document.getElementById('optext').textContent
	.includes('<img src=x onerror'));
const theme = document.documentElement.dataset.theme;
key('t');
note('another theme', document.documentElement.dataset.theme !== theme);
key('j');
key('k');
note('names are text', !document.querySelector('img'));
view.frame = 0;
key('v');
drawNow();
note('the next violation, and its place', at() === 2 && view.panels[0].heap.bad.size === 1 &&
	document.querySelectorAll('.violation').length === 2);
note('results have the names of the text', slotsOf(view.panels[0].heap,
	[...view.panels[0].heap.bad][0]).some((s) => s.text === 'r0'));
note('the finds are listed', document.querySelectorAll('.find').length === 2);
const told = document.body.appendChild(document.createElement('pre'));
told.textContent = '\n' + seen.join('\n') + '\n';
</script>
END
slabfuzz 0 report -o "$tmp/out.d" -a baseline,typed "$tmp/hostile.txt"
# No allocator here is wrong: a find is put into the data.
sed "/^<\/body>/{
r $tmp/use.html
d
}
s/^\"violations\":\[\]/\"violations\":[[2,\"MEM-1\",\"MEM-1: a title\",\"a detail\",1,-1]]/" \
	"$page" >"$tmp/used.html"
timeout 120 "$browser" --headless=new --no-sandbox --disable-gpu --user-data-dir="$tmp/profile" \
	--enable-logging=stderr --virtual-time-budget=5000 --dump-dom "file://$tmp/used.html" \
	>"$tmp/out" 2>"$tmp/err"
check 'nothing on the console' lacks 'CONSOLE' "$tmp/err"
check 'twelve things were tried' test "$(grep -c '^good: ' "$tmp/out")" = 12
check 'and none went wrong' lacks '^BAD: ' "$tmp/out"
finish
