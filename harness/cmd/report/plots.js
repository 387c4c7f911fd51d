/*
 * plots.js - what is drawn: the map of pages, a slab's objects, curves and bars. Relies on heap.js.
 */
const COLOURS = {
	what: 'what it is', partition: 'partition', cache: 'cache', order: 'order', type: 'migrate type',
};

function look(name)
{
	return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function dark()
{
	return document.documentElement.dataset.theme === 'dark';
}

/* Hues far apart for numbers that follow each other. */
function hue(n, light)
{
	return `hsl(${Math.round((n * 137.508 + 210) % 360)} 62% ${light || (dark() ? 60 : 46)}%)`;
}

/* A canvas as wide as its place, sharp on any screen; its context in CSS pixels. */
function canvasOf(canvas, height)
{
	const width = canvas.clientWidth || canvas.parentNode.clientWidth || 300;
	const ratio = Math.min(3, window.devicePixelRatio || 1);
	canvas.width = Math.round(width * ratio);
	canvas.height = Math.round(height * ratio);
	canvas.style.height = `${height}px`;
	const g = canvas.getContext('2d');
	g.setTransform(ratio, 0, 0, ratio, 0, 0);
	g.clearRect(0, 0, width, height);
	g.width = width;
	return g;
}

/* [key, label, colour] of a page, seen by `mode`; null: free. */
function colourOf(h, i, mode)
{
	const a = h.a, kind = a.kind[i];
	if (mode === 'type')
		return [a.type[i], TYPE_NAMES[a.type[i]] || '?', hue(a.type[i] * 2 + 1,
			kind === PAGE.FREE ? (dark() ? 28 : 82) : 0)];
	if (mode === 'order')
		return [a.order[i], `order ${a.order[i]}`, `hsl(${260 - a.order[i] * 22} 60% ${
			kind === PAGE.FREE ? (dark() ? 24 : 86) : (dark() ? 58 : 48)}%)`];
	if (kind === PAGE.FREE)
		return null;
	const c = kind === PAGE.SLAB ? h.caches.get(a.cache[i]) : null;
	if (mode === 'cache' && c)
		return [c.id, c.name, hue(c.id)];
	if (mode === 'partition' && c)
		return c.kind === 1 ? [c.partition, `partition ${c.partition}`, hue(c.partition)] :
			[99, 'not partitioned', dark() ? '#7d8590' : '#8a9099'];
	return [100 + kind, PAGE_NAMES[kind], kind === PAGE.MOVING ? (dark() ? '#3a4049' : '#d5d8dc') :
		kind === PAGE.PCP ? (dark() ? '#8a7a3c' : '#d9c777') : hue(kind + 3)];
}

const MAP_CELLS = 65536;

/* Where cells of the map are. */
function layout(h, width)
{
	let group = 1;
	while (h.nr / group > MAP_CELLS)
		group *= 2;
	const cells = Math.ceil(h.nr / group);
	const cols = cells <= 2048 ? 64 : cells <= 16384 ? 128 : 256;
	return { group, cells, cols, size: width / cols, rows: Math.ceil(cells / cols) };
}

function groupLook(h, cell, group, mode)
{
	let best = null, changed = false, full = 1, bad = false;
	for (let i = cell * group; i < (cell + 1) * group && i < h.nr; i++) {
		if (!best || best[0] === 101) {
			best = colourOf(h, i, mode) || best;
			const head = h.a.head[i] < 0 ? i : h.a.head[i];
			if (h.a.kind[i] === PAGE.SLAB && h.a.slots[i])
				full = h.a.live[head] / h.a.slots[i];
		}
		changed = changed || h.changed.has(i);
		bad = bad || (h.bad && h.bad.has(i));
	}
	return { best, changed, full, bad };
}

/* Draws, and returns what the legend has to say: key -> [label, colour]. */
function drawMap(canvas, h, mode)
{
	const l = layout(h, canvas.clientWidth || 300), gap = l.size > 4 ? 1 : 0;
	const g = canvasOf(canvas, Math.ceil(l.rows * l.size)), legend = new Map(), rims = [];
	const free = look('--free');

	for (let cell = 0; cell < l.cells; cell++) {
		const x = cell % l.cols * l.size, y = Math.floor(cell / l.cols) * l.size;
		const c = groupLook(h, cell, l.group, mode);
		g.globalAlpha = 1;
		g.fillStyle = free;
		g.fillRect(x, y, l.size - gap, l.size - gap);
		if (c.best) {
			legend.set(c.best[0], [c.best[1], c.best[2]]);
			g.globalAlpha = 0.4 + 0.6 * Math.min(1, c.full);
			g.fillStyle = c.best[2];
			g.fillRect(x, y, l.size - gap, l.size - gap);
		}
		if (c.changed || c.bad)
			rims.push([x, y, c.bad]);
	}
	g.globalAlpha = 1;
	rims.sort((p, q) => p[2] - q[2]);
	for (const [x, y, bad] of rims) {
		g.strokeStyle = bad ? look('--bad') : look('--change');
		g.lineWidth = bad ? 3 : 1.5;
		g.strokeRect(x + 0.5, y + 0.5, Math.max(2, l.size - 1.5), Math.max(2, l.size - 1.5));
	}
	return legend;
}

/* The page under a click. */
function pageAt(canvas, h, event)
{
	const box = canvas.getBoundingClientRect(), l = layout(h, box.width);
	const cell = Math.floor((event.clientY - box.top) / l.size) * l.cols +
		Math.floor((event.clientX - box.left) / l.size);
	return Math.min(h.nr - 1, Math.max(0, cell * l.group));
}

/* What each slot of a slab is: 'live', 'waits', 'sheaf', 'free', with what to say of it. */
function slotsOf(h, head)
{
	const a = h.a, pfn = h.pfn(head), slots = [];
	for (let i = 0; i < a.slots[head]; i++)
		slots.push({ is: 'free', text: '' });
	(h.lists.get(pfn) || []).forEach((index, n) => {
		if (slots[index])
			slots[index].text = `${n}`;
	});
	for (const s of h.sheaves.values())
		for (let k = 0; k < s.slots.length; k += 2)
			if (s.slots[k] === pfn && slots[s.slots[k + 1]])
				slots[s.slots[k + 1]] = { is: 'sheaf', text: SHEAF_NAMES[s.kind][0] };
	for (let id = 0; id < h.ids; id++)
		if (a.alive[id] && a.at[id] === head && slots[a.index[id]])
			slots[a.index[id]] = { is: a.alive[id] === 2 ? 'waits' : 'live',
				text: a.res[id] < 0 ? '' : h.names[a.res[id]] || `${a.res[id]}`, changed: h.touched.has(id), id };
	for (const id of h.touched)
		if (a.at[id] === head && slots[a.index[id]])
			slots[a.index[id]].changed = true;
	return slots;
}

const SLOT_COLOURS = { live: 214, waits: 285, sheaf: 38 };

function drawSlab(canvas, h, head)
{
	const slots = slotsOf(h, head), width = canvas.clientWidth || 300;
	const cols = Math.max(1, Math.min(slots.length, slots.length > 128 ? 32 : 16));
	const size = width / cols, high = Math.min(size, 26), text = size > 20;
	const g = canvasOf(canvas, Math.ceil(slots.length / cols) * high || 1);

	g.font = '10px ui-monospace, monospace';
	g.textBaseline = 'middle';
	slots.forEach((s, i) => {
		const x = i % cols * size, y = Math.floor(i / cols) * high;
		g.fillStyle = s.is === 'free' ? look('--free') :
			`hsl(${SLOT_COLOURS[s.is]} 58% ${dark() ? 42 : 74}%)`;
		g.fillRect(x, y, size - 1, high - 1);
		if (text && s.text) {
			g.fillStyle = s.is === 'free' ? look('--dim') : look('--fg');
			g.fillText(s.text, x + 3, y + high / 2, size - 5);
		}
		if (s.changed) {
			g.strokeStyle = look('--change');
			g.lineWidth = 2;
			g.strokeRect(x + 1, y + 1, size - 3, high - 3);
		}
	});
	return slots;
}

/* Curves, each on a scale of its own from 0 to its most; a line where the slider is. */
function drawCurves(canvas, series, curves, frame, frames)
{
	const height = 96, g = canvasOf(canvas, height), w = g.width;
	g.strokeStyle = look('--line');
	g.strokeRect(0.5, 0.5, w - 1, height - 1);
	for (const c of curves) {
		const most = c.most || Math.max(1, ...series[c.key]);
		g.strokeStyle = hue(c.hue);
		g.lineWidth = 1.6;
		g.setLineDash(c.dash || []);
		g.beginPath();
		series[c.key].forEach((v, i) => {
			const x = series.at[i] / Math.max(1, frames - 1) * (w - 2) + 1;
			const y = height - 3 - v / most * (height - 8);
			if (i)
				g.lineTo(x, y);
			else
				g.moveTo(x, y);
		});
		g.stroke();
	}
	g.setLineDash([]);
	g.strokeStyle = look('--fg');
	g.lineWidth = 1;
	const x = Math.round(frame / Math.max(1, frames - 1) * (w - 2)) + 0.5;
	g.beginPath();
	g.moveTo(x, 0);
	g.lineTo(x, height);
	g.stroke();
}

function drawBars(canvas, values, hues)
{
	const height = 96, g = canvasOf(canvas, height), w = g.width / values.length;
	const most = Math.max(1, ...values);

	g.font = '10px system-ui, sans-serif';
	g.textAlign = 'center';
	values.forEach((v, i) => {
		const high = v ? Math.max(2, v / most * (height - 28)) : 0;
		g.fillStyle = hue(hues ? i : 0);
		g.fillRect(i * w + 1, height - 14 - high, Math.max(1, w - 2), high);
		g.fillStyle = look('--dim');
		g.fillText(`${i}`, i * w + w / 2, height - 3);
		if (v)
			g.fillText(v > 9999 ? `${Math.round(v / 1000)}k` : `${v}`, i * w + w / 2,
				height - 17 - high, w);
	});
}

/* Where violations are, above the map. */
function drawMarks(canvas, marks, frame, frames)
{
	const g = canvasOf(canvas, 14), w = g.width;
	g.fillStyle = look('--line');
	g.fillRect(0, 6, w, 2);
	g.fillStyle = look('--bad');
	for (const m of marks)
		g.fillRect(m / Math.max(1, frames - 1) * (w - 4), 1, 4, 12);
	g.fillStyle = look('--accent');
	g.fillRect(frame / Math.max(1, frames - 1) * (w - 3), 3, 3, 8);
}
