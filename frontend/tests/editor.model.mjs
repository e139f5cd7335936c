// A small model of the program: one sequence of all units that there ever were, and
// for each page which operations it knows.

// random is a generator of numbers below n.
export function random(seed) {
	let a = seed >>> 0;
	const next = () => {
		a = (a + 0x6d2b79f5) >>> 0;
		let t = Math.imul(a ^ (a >>> 15), a | 1);
		t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
		return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
	};
	return Object.assign((n) => Math.floor(next() * n), {
		chance: (p) => next() < p,
		of: (list) => list[Math.floor(next() * list.length)],
	});
}

// seeds are those to run: SEED=n replays one.
const base = Math.floor(Date.now() / 1000) * 100;
export const seeds = (n) =>
	process.env.SEED ? [Number(process.env.SEED)] : Array.from({ length: n }, (_, i) => base + i);

export class Program {
	units = []; // {ins, dels, char | map, marks: [{op, name, value}], sets: [{op, path, value}]}
	ops = 0;
	editors = new Map();
	pages = 0;

	constructor(edits = []) {
		const e = { own: new Set(), upto: 0 };
		this.write(e, edits);
	}

	knows = (e, op) => op <= e.upto || e.own.has(op);
	shows = (e, u) => this.knows(e, u.ins) && !u.dels.some((op) => this.knows(e, op));
	visible(e) {
		return this.units.filter((u) => this.shows(e, u));
	}

	op(e) {
		e.own.add(++this.ops);
		return this.ops;
	}

	write(e, edits) {
		for (const edit of edits) this.edit(e, edit);
	}

	edit(e, edit) {
		const seen = this.visible(e);
		const within = (n) => {
			if (!(Number.isInteger(n) && n >= 0 && n <= seen.length))
				throw new Error(`${n} of ${seen.length}: ${JSON.stringify(edit)}`);
		};
		within(edit.at);
		const insert = (made) => {
			const left = edit.at > 0 ? this.units.indexOf(seen[edit.at - 1]) + 1 : 0;
			this.units.splice(
				left,
				0,
				...made.map((u) => ({ ins: this.op(e), dels: [], marks: [], sets: [], ...u })),
			);
		};
		switch (edit.kind) {
			case "splice": {
				within(edit.at + (edit.del ?? 0));
				for (const u of seen.slice(edit.at, edit.at + (edit.del ?? 0))) u.dels.push(this.op(e));
				if (edit.text && !edit.marks) throw new Error("marks are not said");
				const marks = Object.entries(edit.marks ?? {}).map(([name, value]) => ({ op: 0, name, value }));
				insert((edit.text ?? "").split("").map((char) => ({ char, marks })));
				for (const u of this.units) for (const m of u.marks) if (m.op === 0) m.op = u.ins;
				break;
			}
			case "split":
				insert([{ map: edit.block }]);
				break;
			case "mark":
			case "unmark":
				within(edit.end);
				for (const u of seen.slice(edit.at, edit.end))
					if ("char" in u)
						u.marks = [
							...u.marks,
							{ op: this.op(e), name: edit.name, value: edit.kind === "mark" ? edit.value : null },
						];
				break;
			case "update":
				for (const [key, value] of Object.entries(edit.block)) this.set(e, seen, edit.at, [key], value);
				break;
			case "put":
				this.set(e, seen, edit.at, edit.path, edit.value);
				break;
			default:
				throw new Error(edit.kind);
		}
	}

	set(e, seen, at, path, value) {
		const u = seen[at];
		if (!u?.map) throw new Error(`no block at ${at}`);
		u.sets.push({ op: this.op(e), path, value });
	}

	// is what a page sees of a unit.
	is(e, u) {
		if ("char" in u) {
			const marks = {};
			for (const m of u.marks) {
				if (!this.knows(e, m.op)) continue;
				if (m.value === null) delete marks[m.name];
				else marks[m.name] = m.value;
			}
			return { char: u.char, marks };
		}
		const map = structuredClone(u.map);
		for (const { op, path, value } of u.sets) {
			if (!this.knows(e, op)) continue;
			let at = map;
			for (const key of path.slice(0, -1)) {
				if (at[key] === undefined && value === null) at = {};
				else if (at[key] === undefined) at = at[key] = {};
				else at = typeof at[key] === "object" ? at[key] : {};
			}
			if (value === null) delete at[path.at(-1)];
			else at[path.at(-1)] = structuredClone(value);
		}
		return { map };
	}

	// merge has a page know all, and tells what it must do to show that.
	merge(e) {
		const before = { own: new Set(e.own), upto: e.upto };
		e.upto = this.ops;
		e.own.clear();
		const edits = [];
		const updates = [];
		let at = 0;
		for (const u of this.units) {
			const [was, is] = [this.shows(before, u), this.shows(e, u)];
			const now = is && this.is(e, u);
			const last = edits.at(-1);
			if (was && !is) {
				// Never half a character.
				if (last?.del && last.at === at) last.del++;
				else edits.push({ kind: "splice", at, del: 1 });
			} else if (!was && is) {
				const goes = last?.text && last.at + last.text.length === at;
				if ("char" in u && goes && JSON.stringify(last.marks) === JSON.stringify(now.marks))
					last.text += u.char;
				else if ("char" in u) edits.push({ kind: "splice", at, text: u.char, marks: now.marks });
				else edits.push({ kind: "split", at, block: now.map });
			} else if (was && is) {
				const old = this.is(before, u);
				const both = (a, b) =>
					[...new Set([...Object.keys(a), ...Object.keys(b)])].filter(
						(k) => JSON.stringify(a[k]) !== JSON.stringify(b[k]),
					);
				if ("char" in u)
					for (const name of both(old.marks, now.marks)) {
						if (name in now.marks)
							edits.push({ kind: "mark", at, end: at + 1, name, value: now.marks[name] });
						else edits.push({ kind: "unmark", at, end: at + 1, name });
					}
				else {
					const changed = both(old.map, now.map);
					if (changed.length > 0)
						updates.push({
							kind: "update",
							at,
							block: Object.fromEntries(changed.map((k) => [k, now.map[k] ?? null])),
						});
				}
			}
			if (is) at++;
		}
		return [...edits, ...updates];
	}

	// edits lead from nothing to what a page sees.
	text(e) {
		return this.visible(e).map((u, at) => {
			const is = this.is(e, u);
			return "char" in is
				? { kind: "splice", at, text: is.char, marks: is.marks }
				: { kind: "split", at, block: is.map };
		});
	}

	// blocks are that text as a page gets it.
	blocks(e) {
		const blocks = [];
		const seen = this.visible(e).map((u) => this.is(e, u));
		const unmarked = !seen[0]?.map || Boolean(seen[0].map.embed);
		if (unmarked) blocks.push({ kind: "paragraph", spans: [] });
		for (const u of seen) {
			if ("char" in u) blocks.at(-1).spans.push({ text: u.char, marks: u.marks });
			else if (u.map.embed) blocks.at(-1).spans.push({ embed: u.map });
			else {
				const { t = "paragraph", level = 0, checked = false, ...other } = u.map;
				blocks.push({ kind: t, level, checked, other, spans: [] });
			}
		}
		return { blocks, unmarked };
	}

	// answer is the program's door.
	answer(name, request) {
		switch (name) {
			case "document/open": {
				const e = { id: `e${++this.pages}`, own: new Set(), upto: 0, batch: 0, last: null };
				this.editors.set(e.id, e);
				const place = {
					editor: e.id,
					document: { canWrite: true },
					seen: [],
					seenAt: 0,
					save: { devices: 1, of: 2 },
					edits: [],
					blocks: [],
				};
				const was = this.states.get(request.heads[0]);
				if (was) {
					const done = this.states.get(`${request.actor}/${request.next}`);
					e.upto = (done ?? was).upto;
					e.own = new Set((done ?? was).own);
					return {
						...place,
						resumed: true,
						arrived: Boolean(done),
						edits: this.merge(e),
						...this.place(e),
						length: this.visible(e).length,
					};
				}
				this.merge(e);
				return {
					...place,
					resumed: false,
					arrived: false,
					...this.blocks(e),
					...this.place(e),
					length: this.visible(e).length,
				};
			}
			case "document/sync": {
				const e = this.editors.get(request.editor);
				if (!e) throw Object.assign(new Error("no editor"), { code: "no-editor" });
				if (request.batch === e.batch && e.last) return e.last;
				if (request.batch !== e.batch + 1)
					throw Object.assign(new Error(`batch ${request.batch} of ${e.batch}`), { code: "bad-request" });
				this.write(e, request.edits);
				if (request.edits.length > 0)
					this.states.set(`${e.id}/${e.next++}`, { upto: e.upto, own: new Set(e.own) });
				const length = this.visible(e).length;
				const edits = request.more ? [] : this.merge(e);
				e.batch = request.batch;
				e.last = {
					edits,
					length,
					...this.place(e),
					here: [...this.editors.keys()]
						.filter((id) => id !== e.id)
						.map((page) => ({ page, shown: true, name: "x", tint: 1, anchor: 0, head: 0 })),
					meta: false,
					canWrite: true,
					save: { devices: 1, of: 2 },
				};
				return e.last;
			}
			case "document/check":
				return this.blocks(this.editors.get(request.editor));
			case "document/close":
				this.editors.delete(request.editor);
				return {};
		}
		throw new Error(name);
	}

	states = new Map();
	place(e) {
		const head = `h${this.states.size}`;
		this.states.set(head, { upto: e.upto, own: new Set(e.own) });
		e.next ??= 1;
		return { heads: [head], actor: e.id, next: e.next };
	}
}
