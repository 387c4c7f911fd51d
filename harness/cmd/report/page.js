/*
 * page.js - the page of a report: lists, and the heap under a slider. Names and programs are
 * strangers' text: they only ever become text nodes. Relies on heap.js and plots.js.
 */
const data = JSON.parse(document.getElementById('data').textContent);
const $ = (id) => document.getElementById(id);

function add(parent, tag, text, name)
{
	const e = document.createElement(tag);
	if (text !== undefined && text !== null)
		e.textContent = text;
	if (name)
		e.className = name;
	parent.appendChild(e);
	return e;
}

const many = (n, what) => `${Number(n).toLocaleString('en')} ${what}${Number(n) === 1 ? '' : 's'}`;

function bytes(n)
{
	return n < 10240 ? `${n} B` : n < 1e7 ? `${(n / 1024).toFixed(1)} KiB` :
		`${(n / 1048576).toFixed(1)} MiB`;
}

/* --- files, and those of their runs that are shown --- */

const files = [];
for (const run of data.runs) {
	let f = files.find((x) => x.name === run.file && x.runs.every((r) =>
		r.allocator !== run.allocator));
	if (!f)
		files.push(f = { name: run.file, runs: [], shown: [] });
	f.runs.push(run);
	if (f.shown.length < 2)
		f.shown.push(run);
}

const view = { file: 0, frame: 0, colour: 'what', panels: [], marks: [] };
const frames = () => Math.max(1, ...files[view.file].shown.map((r) => r.frames.length));

function heapOf(run)
{
	if (!run.heap) {
		/* One film at a time is kept beside those that are shown. */
		for (const r of data.runs)
			if (r.heap && !files[view.file].shown.includes(r))
				r.heap = null;
		run.heap = new Heap(run);
	}
	return run.heap;
}

function openPanels()
{
	const f = files[view.file], where = $('panels');
	where.textContent = '';
	where.className = f.shown.length > 1 ? 'two' : '';
	view.panels = f.shown.map((run) => {
		const box = add(where, 'div', null, 'panel'), p = { run, heap: heapOf(run), slab: -1 };
		add(box, 'h3', run.allocator);
		p.facts = add(box, 'p', null, 'facts');
		p.wrong = add(box, 'div');
		p.map = add(box, 'canvas', null, 'map');
		p.map.setAttribute('role', 'img');
		p.map.setAttribute('aria-label', `map of pages, ${run.allocator}`);
		const below = add(box, 'div', null, 'below');
		const slab = add(below, 'div'), time = add(below, 'div');
		p.slabTitle = add(slab, 'p', null, 'facts');
		p.slabMap = add(slab, 'canvas');
		p.sheaves = add(slab, 'div', null, 'sheaves');
		p.modelled = run.pages > 0;
		add(time, 'p', `over time: bytes alive (solid)${p.modelled ? ', in slabs (long dashes), ' +
			'free pages in blocks below order 3 (dots; 0 to 100 %)' : ''}`, 'facts');
		p.curves = add(time, 'canvas');
		if (p.modelled) {
			p.barTitle = add(time, 'p', null, 'facts');
			p.bars = add(time, 'canvas');
			add(time, 'p', 'free blocks by order', 'facts');
			p.orders = add(time, 'canvas');
		}
		p.map.addEventListener('click', (e) => {
			p.slab = p.pinned = pageAt(p.map, p.heap, e);
			draw();
		});
		return p;
	});
	view.marks = f.shown.flatMap((r) => r.violations.map((v) => v[0]))
		.concat(f.shown.filter((r) => r.crash && r.crash[2] >= 0).map((r) => r.crash[2] + 1))
		.sort((a, b) => a - b);
	$('find').disabled = !view.marks.length;
	$('slider').max = frames() - 1;
}

function showFile(n, frame)
{
	if (!files.length)
		return;
	view.file = (n + files.length) % files.length;
	const f = files[view.file], who = $('who');
	$('file').value = view.file;
	who.textContent = '';
	for (const run of f.runs.length > 1 ? f.runs : []) {
		const label = add(who, 'label'), box = add(label, 'input');
		box.type = 'checkbox';
		box.checked = f.shown.includes(run);
		add(label, 'span', run.allocator);
		box.addEventListener('change', () => {
			const others = f.shown.filter((r) => r !== run);
			f.shown = box.checked ? [...others, run].slice(-2) : others.length ? others : [run];
			showFile(view.file, view.frame);
		});
	}
	openPanels();
	go(frame === undefined ? (view.marks.length ? view.marks[0] : frames() - 2) : frame);
}

function go(frame)
{
	view.frame = Math.max(0, Math.min(frames() - 1, frame));
	$('slider').value = view.frame;
	for (const p of view.panels)
		p.heap.goto(view.frame);
	draw();
}

/* --- one frame --- */

function opText()
{
	const run = files[view.file].shown.find((r) => view.frame < r.frames.length) ||
		files[view.file].shown[0];
	const text = run.frames[Math.min(view.frame, run.frames.length - 1)][0];
	const last = Math.max(...files[view.file].shown.map((r) => r.frames.length)) - 1;
	$('opnr').textContent = view.frame === 0 ? 'before the first operation' :
		text ? `operation ${view.frame - 1} of ${run.operations}` :
			view.frame === last ? 'after the last: teardown' : '';
	$('optext').textContent = text;
}

/* Violations of this frame; their pages go to the heap's `bad`. */
function showWrong(p)
{
	p.wrong.textContent = '';
	p.heap.bad = new Set();
	for (const v of p.run.violations) {
		if (v[0] !== view.frame)
			continue;
		add(p.wrong, 'p', `${v[2]}${v[3] ? ` (${v[3]})` : ''}`, 'violation');
		for (const res of v.slice(4))
			if (p.heap.whereIs(res) >= 0)
				p.heap.bad.add(p.heap.whereIs(res));
		if (!p.heap.bad.size)
			for (const i of p.heap.changed)
				p.heap.bad.add(i);
	}
	if (p.run.crash && p.run.crash[2] + 1 === view.frame)
		add(p.wrong, 'p', p.run.crash[0], 'violation');
}

/* The slab to open: one clicked at, of a violation, what changed last, the fullest. */
function chooseSlab(p)
{
	const h = p.heap, head = (i) => h.a.head[i] < 0 ? i : h.a.head[i];
	if (p.pinned >= 0)
		return head(p.pinned);
	for (const i of [...h.bad, ...[...h.touched].map((id) => h.a.at[id]), ...h.changed])
		if (i >= 0 && h.a.kind[i] === PAGE.SLAB)
			return head(i);
	if (p.slab >= 0 && h.a.kind[p.slab] === PAGE.SLAB)
		return head(p.slab);
	let most = -1;
	for (let i = 0; i < h.nr; i++)
		if (h.a.kind[i] === PAGE.SLAB && (most < 0 || h.a.live[i] > h.a.live[most]))
			most = i;
	return most < 0 ? most : head(most);
}

function slotNames(h, s)
{
	const out = [];
	for (let k = 0; k < s.slots.length; k += 2)
		out.push(s.slots[k] < 0 ? '?' : `${s.slots[k].toString(16)}/${s.slots[k + 1]}`);
	return out.join(' ');
}

function drawLists(p, cache, pfn)
{
	const h = p.heap, list = h.lists.get(pfn);
	p.sheaves.textContent = '';
	if (list) {
		add(p.sheaves, 'span', `free list, first to last (as of the last look): ${
			many(list.length, 'object')}`);
		add(p.sheaves, 'code', list.slice(0, 200).join(' ') || '(empty)');
	}
	for (const s of h.sheaves.values())
		if (s.cache === cache) {
			add(p.sheaves, 'span', `${SHEAF_NAMES[s.kind]} sheaf${
				s.cpu === 255 ? ` ${s.which}` : `, CPU ${s.cpu}`}: ${
				many(s.slots.length / 2, 'object')} (page/index)`);
			add(p.sheaves, 'code', slotNames(h, s));
		}
}

function drawOpened(p)
{
	const h = p.heap, i = p.slab = chooseSlab(p);
	p.sheaves.textContent = '';
	p.slabMap.style.display = 'none';
	if (i < 0) {
		p.slabTitle.textContent = h.run.pages ? 'no slab yet: a click on the map opens one' :
			'a click on the map tells what is there';
		return;
	}
	const c = h.caches.get(h.a.cache[i]), name = h.run.pages ? 'page' : 'address';
	const where = `${name} ${h.run.pages ? `0x${h.pfn(i).toString(16)}` :
		`0x${(h.pfn(i) * 4096).toString(16)}`}`;
	if (h.a.kind[i] !== PAGE.SLAB || !c) {
		p.slabTitle.textContent = `${where}: ${PAGE_NAMES[h.a.kind[i]]}, ${
			h.run.pages ? `order ${h.a.order[i]}, ${TYPE_NAMES[h.a.type[i]]}` :
				many(h.a.live[i], 'object')}`;
		return;
	}
	p.slabMap.style.display = 'block';
	p.slabTitle.textContent = `${c.name}: slab at ${where}, order ${h.a.order[i]}, ${
		h.a.live[i]} of ${h.a.slots[i]} alive, ${c.size} bytes each${
		c.kind === 1 ? `, partition ${c.partition}` : ''}. Blue: alive (its result); ` +
		'orange: in a sheaf; violet: waits for a grace period; grey: free (place on its list).';
	drawSlab(p.slabMap, h, i);
	drawLists(p, c.id, h.pfn(i));
}

function drawPanel(p, legend)
{
	const h = p.heap, s = h.a.sums;
	p.facts.textContent = `${many(s[0], 'object')} alive, ${bytes(s[1])}; ${
		h.run.pages ? `${many(s[2], 'page')} in slabs; ${
			many(h.chunks.length, 'page block')} of ${
			many(Math.ceil(h.run.pages / 512), 'page block')} in use at any time` :
			many(h.nr, 'page')}`;
	showWrong(p);
	for (const [k, v] of drawMap(p.map, h, view.colour))
		legend.set(k, v);
	drawOpened(p);
	const most = Math.max(1, ...h.series.bytes, ...h.series.slabs);
	const curves = [{ key: 'bytes', hue: 0, most }];
	if (p.modelled)
		curves.push({ key: 'slabs', hue: 2, dash: [7, 4], most },
			{ key: 'split', hue: 3, dash: [2, 3], most: 1 });
	drawCurves(p.curves, h.series, curves, view.frame, frames());
	if (!p.modelled)
		return;
	const parts = h.partitions();
	p.barTitle.textContent = `objects of ordinary kmalloc by partition: ${
		parts.reduce((sum, n) => sum + n, 0)}`;
	drawBars(p.bars, parts, true);
	drawBars(p.orders, [...h.a.blocks], false);
}

let asked = false;
function draw()
{
	if (asked)
		return;
	asked = true;
	window.requestAnimationFrame(() => {
		asked = false;
		drawNow();
	});
}

function drawNow()
{
	const legend = new Map();
	if (!files.length)
		return;
	opText();
	for (const p of view.panels)
		drawPanel(p, legend);
	drawMarks($('marks'), view.marks, view.frame, frames());
	$('legend').textContent = '';
	for (const [, [label, colour]] of [...legend].sort((a, b) => a[0] - b[0]).slice(0, 40)) {
		const s = add($('legend'), 'span');
		add(s, 'i').style.background = colour;
		s.appendChild(document.createTextNode(label));
	}
	add($('legend'), 'span', 'fainter: fewer objects alive; rim: changed; red rim: a violation');
	try {
		window.history.replaceState(null, '', `#${view.file}:${view.frame}`);
	} catch { /* some browsers keep files from it */ }
}

/* --- lists --- */

function table(where, heads, rows)
{
	const t = add(where, 'table'), top = add(add(t, 'thead'), 'tr'), body = add(t, 'tbody');
	for (const h of heads)
		add(top, 'th', h);
	for (const r of rows) {
		const tr = add(body, 'tr');
		for (const v of r)
			add(tr, 'td', typeof v === 'number' ? v.toLocaleString('en') : v,
				typeof v === 'number' ? 'n' : String(v).length > 24 ? 'text' : '');
	}
}

function addFind(run, title, detail, frame)
{
	const box = add($('finds'), 'div', null, 'find');
	add(box, 'h3', title);
	add(box, 'p', `${run.file} on ${run.allocator}${frame > 0 && run.frames[frame] &&
		run.frames[frame][0] ? `, operation ${frame - 1}: ${run.frames[frame][0]}` : ''}`);
	if (detail)
		add(box, 'p', detail);
	const b = add(box, 'button', 'show');
	b.addEventListener('click', () => {
		const n = files.findIndex((f) => f.runs.includes(run));
		if (!files[n].shown.includes(run))
			files[n].shown = [run];
		showFile(n, Math.max(0, frame));
		$('heap').scrollIntoView();
	});
	if (run.program) {
		const d = add(box, 'details');
		add(d, 'summary', 'program');
		add(d, 'pre', run.program);
	}
}

const FINDS_SHOWN = 200;

function listFinds()
{
	let n = 0;
	for (const run of data.runs) {
		for (const v of run.violations)
			if (n++ < FINDS_SHOWN)
				addFind(run, v[2], v[3], v[0]);
		if (run.crash && n++ < FINDS_SHOWN)
			addFind(run, run.crash[0], run.crash[1], run.crash[2] + 1);
	}
	if (!n)
		add($('finds'), 'p', 'Nothing was found.');
	else if (n > FINDS_SHOWN)
		add($('finds'), 'p', `and ${n - FINDS_SHOWN} more`);
	return n;
}

function listOracles()
{
	const all = $('quiet').checked;
	$('oracles').textContent = '';
	table($('oracles'), ['invariant', 'says', 'checks', 'skips', 'violations', 'why not'],
		data.oracles.filter((o) => all || o[3] || o[5]).map((o) =>
			[o[0], `${o[1]} (${o[2]})`, o[3], o[4], o[5], o[6]]));
}

function listRuns()
{
	table($('ran'), ['file', 'allocator', 'operations', 'skipped', 'events', 'violations', 'settings',
		'remarks'], data.runs.map((r) => [r.file, r.allocator, r.operations, r.skipped, r.events,
		r.violations.length + (r.crash ? 1 : 0), r.settings.filter((s) => !s[2])
			.map((s) => `${s[0]}=${s[1]}`).join(' ') || 'defaults',
		[r.error, r.dropped ? `${many(r.dropped, 'operation')} at the end are not shown` : '']
			.filter((x) => x).join('; ')]));
}

/* --- hands --- */

function nextMark()
{
	const on = view.marks.find((m) => m > view.frame);
	if (view.marks.length)
		go(on === undefined ? view.marks[0] : on);
}

function nextColour()
{
	const names = Object.keys(COLOURS);
	view.colour = names[(names.indexOf(view.colour) + 1) % names.length];
	$('colour').value = view.colour;
	draw();
}

function turn(theme)
{
	document.documentElement.dataset.theme = theme || (dark() ? 'light' : 'dark');
	draw();
}

const KEYS = {
	ArrowLeft: (e) => go(view.frame - (e.shiftKey ? 10 : 1)),
	ArrowRight: (e) => go(view.frame + (e.shiftKey ? 10 : 1)),
	PageUp: () => go(view.frame - 100),
	PageDown: () => go(view.frame + 100),
	Home: () => go(0),
	End: () => go(frames() - 1),
	j: () => showFile(view.file + 1),
	k: () => showFile(view.file - 1),
	v: nextMark,
	c: nextColour,
	t: () => turn(),
};

function begin()
{
	const system = window.matchMedia('(prefers-color-scheme: dark)');
	turn(system.matches ? 'dark' : 'light');
	system.addEventListener('change', () => turn(system.matches ? 'dark' : 'light'));
	files.forEach((f, i) => { add($('file'), 'option', f.name).value = i; });
	for (const [k, v] of Object.entries(COLOURS))
		add($('colour'), 'option', v).value = k;
	if (data.runs.some((r) => r.caches.some((c) => c[2] === 1 && c[3] > 0)))
		view.colour = 'partition';
	$('colour').value = view.colour;
	$('file').addEventListener('change', () => showFile(Number($('file').value)));
	$('colour').addEventListener('change', () => { view.colour = $('colour').value; draw(); });
	$('slider').addEventListener('input', () => go(Number($('slider').value)));
	$('first').addEventListener('click', () => go(0));
	$('back').addEventListener('click', () => go(view.frame - 1));
	$('next').addEventListener('click', () => go(view.frame + 1));
	$('last').addEventListener('click', () => go(frames() - 1));
	$('find').addEventListener('click', nextMark);
	$('theme').addEventListener('click', () => turn());
	$('quiet').addEventListener('change', listOracles);
	document.addEventListener('keydown', (e) => {
		if (e.ctrlKey || e.altKey || e.metaKey || e.target.tagName === 'SELECT' || !KEYS[e.key])
			return;
		e.preventDefault();
		KEYS[e.key](e);
	});
	window.addEventListener('resize', draw);
	const n = listFinds();
	listRuns();
	listOracles();
	$('summary').textContent = `${many(files.length, 'file')} on ${
		[...new Set(data.runs.map((r) => r.allocator))].join(', ')}: ${many(n, 'find')}, ${
		many(data.runs.reduce((s, r) => s + r.operations, 0), 'operation')}`;
	const asked = /^#(\d+):(\d+)/.exec(window.location.hash);
	showFile(asked ? Number(asked[1]) : 0, asked ? Number(asked[2]) : undefined);
}

begin();
