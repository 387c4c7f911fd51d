/*
 * heap.js - a film (harness/measure/film.h) as states of a heap: each frame is applied to the one
 * before it; copies are kept every so many frames, so that going back is quick. Knows no page.
 */
const FILM = { LISTED: 0, UNLISTED: 1, USED: 2, PARKED: 3, SLAB: 4, UNSLAB: 5, OBJECT: 6, GONE: 7,
	TYPE: 8, SHEAF: 9, FREELIST: 10, MAPPED: 11, WAITS: 12, MOVED: 13 };
/* How many numbers are behind each code; -1: it tells itself. */
const LENGTHS = [3, 2, 3, 2, 5, 2, 9, 1, 3, -1, -1, -1, 1, 2];
/* What a page is. */
const PAGE = { FREE: 0, MOVING: 1, PCP: 2, SLAB: 3, LARGE: 4, USED: 5, MAPPED: 6, POOL: 7, HEAP: 8 };
const PAGE_NAMES = ['free', 'between lists', 'per-CPU list', 'slab', 'large kmalloc', 'pages',
	'vmalloc', 'pool', 'objects'];
const TYPE_NAMES = ['unmovable', 'movable', 'reclaimable', 'high atomic', 'not told'];
const SHEAF_NAMES = ['main', 'spare', 'rcu', 'barn', 'prefilled'];
const PLACE = { SLAB: 1, LARGE: 2, PAGES: 3, VMALLOC: 4, POOL: 5 };
const NR_ORDERS = 11;

/* The numbers behind the code at `i`: how many. */
function lengthAt(d, i)
{
	switch (d[i]) {
	case FILM.SHEAF: return 5 + 2 * d[i + 5];
	case FILM.FREELIST: return 2 + d[i + 2];
	case FILM.MAPPED: return 1 + d[i + 1];
	}
	return LENGTHS[d[i]];
}

/* Pages that the film ever mentions, by chunk, so that an empty heap of gigabytes costs nothing. */
function chunksOf(run, shift)
{
	const seen = new Set();
	const see = (pfn, pages) => {
		for (let c = pfn >= 0 ? Math.floor(pfn / shift) : 1, e = pfn >= 0 ?
			Math.floor((pfn + Math.min(pages, 4096) - 1) / shift) : 0; c <= e; c++)
			seen.add(c);
	};
	let ids = 0;
	for (const [, d] of run.frames)
		for (let i = 0; i < d.length; i += 1 + lengthAt(d, i)) {
			switch (d[i]) {
			case FILM.USED: case FILM.PARKED: case FILM.SLAB:
				see(d[i + 1], 2 ** d[i + 2]);
				break;
			case FILM.OBJECT:
				ids = Math.max(ids, d[i + 1] + 1);
				see(d[i + 2], run.pages ? 1 : Math.ceil((d[i + 3] + d[i + 4]) / 4096) || 1);
				break;
			case FILM.MOVED:
				see(d[i + 2], 1);
				break;
			}
		}
	return { list: [...seen].sort((a, b) => a - b), ids };
}

class Heap {
	constructor(run)
	{
		this.run = run;
		this.shift = run.pages ? 512 : 16;
		const { list, ids } = chunksOf(run, this.shift);
		this.chunks = list.length ? list : [0];
		this.place = new Map(this.chunks.map((c, i) => [c, i]));
		this.nr = this.chunks.length * this.shift;
		this.ids = ids;
		this.caches = new Map(run.caches.map((c) => [c[0], { id: c[0], name: c[1], kind: c[2],
			partition: c[3], size: c[4], stride: c[5], objects: c[6], order: c[7] }]));
		/* Results are numbered in the order of their definitions; text has names for them. */
		this.names = run.frames.map((f) => /^([a-z]+\d+) = /.exec(f[0])).filter((m) => m)
			.map((m) => m[1]);
		this.reset();
		this.keys = [];
		this.every = Math.max(32, Math.ceil(run.frames.length /
			Math.max(4, Math.min(64, 2e8 / (this.nr * 16 + ids * 24 + 1)))));
		this.film();
	}

	reset()
	{
		const n = this.nr, m = this.ids;
		this.a = { kind: new Uint8Array(n), order: new Uint8Array(n).fill(NR_ORDERS - 1),
			type: new Uint8Array(n).fill(1), cache: new Int32Array(n).fill(-1),
			head: new Int32Array(n).fill(-1), live: new Uint16Array(n),
			slots: new Uint16Array(n),
			alive: new Uint8Array(m), at: new Int32Array(m).fill(-1),
			index: new Int32Array(m), size: new Int32Array(m), part: new Uint8Array(m),
			okind: new Uint8Array(m), oorder: new Uint8Array(m), res: new Int32Array(m).fill(-1),
			blocks: new Int32Array(NR_ORDERS), sums: new Float64Array(4) };
		this.a.blocks[NR_ORDERS - 1] = Math.floor(this.run.pages / 1024);
		if (!this.run.pages)
			this.a.type.fill(4);
		this.sheaves = new Map();
		this.lists = new Map();
		this.changed = new Set();
		this.touched = new Set();
		this.was = new Map();
		this.frame = -1;
	}

	/* Place of a page in the arrays, -1: it is not among them. */
	dense(pfn)
	{
		const c = this.place.get(Math.floor(pfn / this.shift));
		return c === undefined || pfn < 0 ? -1 : c * this.shift + pfn % this.shift;
	}

	pfn(i)
	{
		return this.chunks[Math.floor(i / this.shift)] * this.shift + i % this.shift;
	}

	pages(pfn, nr, fn)
	{
		for (let p = pfn; p < pfn + nr; p++) {
			const i = this.dense(p);
			if (i >= 0)
				fn(i);
		}
	}

	mark(pfn, order, kind, type)
	{
		const a = this.a, head = this.dense(pfn);
		this.pages(pfn, 2 ** order, (i) => {
			if (!this.was.has(i))
				this.was.set(i, a.kind[i]);
			a.kind[i] = kind;
			a.order[i] = order;
			a.head[i] = head;
			a.cache[i] = -1;
			a.live[i] = a.slots[i] = 0;
			if (type !== undefined)
				a.type[i] = type;
		});
	}

	/* sums: live objects, live bytes, pages of slabs, pages in other use */
	slab(pfn, order, type, cache, objects)
	{
		const a = this.a, h = this.dense(pfn);
		this.mark(pfn, order, PAGE.SLAB, type);
		this.pages(pfn, 2 ** order, (i) => {
			a.cache[i] = cache;
			a.slots[i] = objects;
			a.head[i] = h;
			this.changed.add(i);
		});
		a.sums[2] += 2 ** order;
		this.lists.delete(pfn);
	}

	object(id, pfn, index, size, kind, order, part, res)
	{
		const a = this.a, at = this.dense(pfn);
		if (a.alive[id])
			this.gone(id);
		a.alive[id] = 1;
		a.at[id] = at;
		a.index[id] = index;
		a.size[id] = size;
		a.okind[id] = kind;
		a.oorder[id] = order;
		a.part[id] = part;
		a.res[id] = res;
		a.sums[0]++;
		a.sums[1] += size;
		this.touched.add(id);
		if (at < 0)
			return;
		if (!this.run.pages)
			this.pages(pfn, Math.max(1, Math.min(4096, Math.ceil((index + size) / 4096))),
				(i) => { a.kind[i] = PAGE.HEAP; a.live[i]++; this.changed.add(i); });
		else if (kind === PLACE.SLAB)
			a.live[a.head[at] < 0 ? at : a.head[at]]++, this.changed.add(at);
		else if (kind === PLACE.LARGE || kind === PLACE.PAGES)
			this.pages(pfn, 2 ** order, (i) => {
				a.kind[i] = kind === PLACE.LARGE ? PAGE.LARGE : PAGE.USED;
				this.changed.add(i);
			});
		else
			a.kind[at] = kind === PLACE.POOL ? PAGE.POOL : PAGE.MAPPED, this.changed.add(at);
	}

	gone(id)
	{
		const a = this.a, at = a.at[id];
		if (!a.alive[id])
			return;
		a.alive[id] = 0;
		a.sums[0]--;
		a.sums[1] -= a.size[id];
		this.touched.add(id);
		if (at < 0)
			return;
		this.changed.add(at);
		if (!this.run.pages)
			this.pages(this.pfn(at), Math.max(1, Math.min(4096,
				Math.ceil((a.index[id] + a.size[id]) / 4096))), (i) => {
				if (a.live[i] && !--a.live[i])
					a.kind[i] = PAGE.FREE;
				this.changed.add(i);
			});
		else if (a.okind[id] === PLACE.SLAB && a.head[at] >= 0 && a.live[a.head[at]])
			a.live[a.head[at]]--;
	}

	record(d, i)
	{
		const a = this.a;
		switch (d[i]) {
		case FILM.LISTED:
			this.mark(d[i + 1], d[i + 2], PAGE.FREE, d[i + 3]);
			a.blocks[d[i + 2]]++;
			break;
		case FILM.UNLISTED:
			this.mark(d[i + 1], d[i + 2], PAGE.MOVING);
			a.blocks[d[i + 2]] = Math.max(0, a.blocks[d[i + 2]] - 1);
			break;
		case FILM.USED:
			this.mark(d[i + 1], d[i + 2], PAGE.USED, d[i + 3]);
			break;
		case FILM.PARKED:
			this.mark(d[i + 1], d[i + 2], PAGE.PCP);
			break;
		case FILM.SLAB:
			this.slab(d[i + 1], d[i + 2], d[i + 3], d[i + 4], d[i + 5]);
			break;
		case FILM.UNSLAB:
			this.mark(d[i + 1], d[i + 2], PAGE.MOVING);
			this.lists.delete(d[i + 1]);
			a.sums[2] -= 2 ** d[i + 2];
			break;
		case FILM.OBJECT:
			this.object(d[i + 1], d[i + 2], d[i + 3], d[i + 4], d[i + 5], d[i + 6], d[i + 7],
				d[i + 8]);
			break;
		case FILM.GONE:
			this.gone(d[i + 1]);
			break;
		case FILM.TYPE:
			this.pages(d[i + 1], d[i + 2], (p) => { a.type[p] = d[i + 3]; });
			break;
		case FILM.SHEAF:
			this.sheaf(d, i);
			break;
		case FILM.FREELIST:
			this.lists.set(d[i + 1], d.slice(i + 3, i + 3 + d[i + 2]));
			break;
		case FILM.MAPPED:
			for (let k = 0; k < d[i + 1]; k++)
				this.pages(d[i + 2 + k], 1, (p) => { a.kind[p] = PAGE.MAPPED; this.changed.add(p); });
			break;
		case FILM.WAITS:
			a.alive[d[i + 1]] = a.alive[d[i + 1]] ? 2 : 0;
			if (a.at[d[i + 1]] >= 0)
				this.changed.add(a.at[d[i + 1]]);
			break;
		case FILM.MOVED:
			a.at[d[i + 1]] = this.dense(d[i + 2]);
			this.changed.add(a.at[d[i + 1]]);
			break;
		}
	}

	sheaf(d, i)
	{
		const key = `${d[i + 1]}:${d[i + 2]}:${d[i + 3]}:${d[i + 4]}`;
		if (!d[i + 5])
			this.sheaves.delete(key);
		else
			this.sheaves.set(key, { cache: d[i + 1], kind: d[i + 2], cpu: d[i + 3], which: d[i + 4],
				slots: d.slice(i + 6, i + 6 + 2 * d[i + 5]) });
	}

	step()
	{
		const d = this.run.frames[++this.frame][1];
		this.changed.clear();
		this.touched.clear();
		this.was.clear();
		for (let i = 0; i < d.length; i += 1 + lengthAt(d, i))
			this.record(d, i);
		/* What merely went from list to list did not change. */
		for (const [i, kind] of this.was)
			if (this.a.kind[i] !== kind)
				this.changed.add(i);
	}

	copy()
	{
		const a = {};
		for (const k of Object.keys(this.a))
			a[k] = this.a[k].slice();
		return { a, sheaves: new Map(this.sheaves), lists: new Map(this.lists), frame: this.frame };
	}

	/* Once from the first frame to the last: copies, and series for the plots. */
	film()
	{
		const n = this.run.frames.length, every = Math.max(1, Math.floor(n / 400));
		this.series = { at: [], bytes: [], slabs: [], objects: [], split: [] };
		while (this.frame + 1 < n) {
			if ((this.frame + 1) % this.every === 0)
				this.keys.push(this.copy());
			this.step();
			if (this.frame % every === 0 || this.frame + 1 === n)
				this.sample();
		}
	}

	sample()
	{
		const s = this.series, a = this.a;
		s.at.push(this.frame);
		s.objects.push(a.sums[0]);
		s.bytes.push(a.sums[1]);
		s.slabs.push(a.sums[2] * 4096);
		s.split.push(this.split(3));
	}

	/* Of the free pages on lists, the share in blocks that are too small for an order. */
	split(order)
	{
		let all = 0, small = 0;
		this.a.blocks.forEach((n, o) => { all += n * 2 ** o; small += o < order ? n * 2 ** o : 0; });
		return all ? small / all : 0;
	}

	goto(frame)
	{
		frame = Math.max(0, Math.min(frame, this.run.frames.length - 1));
		const key = this.keys[Math.floor(frame / this.every)];
		/* The frame itself is applied anew, so that what it changed is known. */
		if (this.frame >= frame || this.frame < key.frame) {
			for (const k of Object.keys(key.a))
				this.a[k] = key.a[k].slice();
			this.sheaves = new Map(key.sheaves);
			this.lists = new Map(key.lists);
			this.frame = key.frame;
		}
		while (this.frame < frame)
			this.step();
	}

	/* Pages where an object with that result number is, or last was. */
	whereIs(res)
	{
		const a = this.a;
		let best = -1;
		for (let id = 0; id < this.ids; id++)
			if (res >= 0 && a.res[id] === res && (best < 0 || a.alive[id]))
				best = id;
		return best < 0 ? -1 : a.at[best];
	}

	/* Live objects of ordinary kmalloc by partition. */
	partitions()
	{
		const a = this.a, n = new Array(16).fill(0);
		for (let id = 0; id < this.ids; id++)
			if (a.alive[id] && a.okind[id] === PLACE.SLAB && a.at[id] >= 0) {
				const c = this.caches.get(a.cache[a.at[id]]);
				if (c && c.kind === 1)
					n[c.partition & 15]++;
			}
		return n;
	}
}
