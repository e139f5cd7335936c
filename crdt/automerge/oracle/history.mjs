// Plays a history: resolves the random numbers of its steps against what is
// there, and says what it did so that another engine can do the same.
import { ApiHandler } from "./node_modules/@automerge/automerge/dist/mjs/low_level.js";
import { dump, loose, quote, scalar, sorted } from "./dump.mjs";

const b64 = (bytes) => Buffer.from(bytes).toString("base64");

// input turns a value of a script, {k, v}, into what the library takes.
function input({ k, v }) {
	switch (k) {
		case "null":
			return null;
		case "boolean":
			return v === "true";
		case "f64":
			return Buffer.from(v, "hex").readDoubleBE();
		case "str":
			return v;
		case "bytes":
			return new Uint8Array(Buffer.from(v, "hex"));
		case "timestamp":
			return new Date(Number(v));
		default:
			return Number.isSafeInteger(Number(v)) ? Number(v) : BigInt(v);
	}
}

const empty = { map: () => ({}), list: () => [], text: () => "" };

class Replica {
	constructor(actor) {
		this.doc = ApiHandler.create({ actor });
		this.actor = this.first = actor;
		this.known = new Map([["_root", "map"]]); // object -> type
		this.past = [[]]; // heads that once were
		this.sync = new Map(); // other replica -> state
	}
	of(type) {
		return [...this.known].filter(([, t]) => t === type).map(([id]) => id);
	}
	// learn enters the objects below obj, for blocks and what others made.
	learn(obj, type) {
		this.known.set(obj, type);
		const look = (prop) => {
			for (const v of this.doc.getAll(obj, prop))
				if (v[0] === "map" || v[0] === "list" || v[0] === "text") this.learn(v[1], v[0]);
		};
		if (type === "map") for (const k of sorted(this.doc.keys(obj))) look(k);
		else for (let i = 0; i < this.doc.length(obj); i++) look(i);
	}
}

// edits: each takes the replica, the step with its random numbers n, and returns
// the concrete edit after doing it, or null where there is nothing to do it to.
const edits = {
	put(r, s) {
		const where = place(r, s, false);
		if (!where) return null;
		r.doc.put(where.obj, where.prop, input(s.v), s.v.k);
		return { ...where, v: s.v };
	},
	make(r, s) {
		const where = place(r, s, false);
		if (!where || r.known.get(where.obj) === "text") return null;
		const id = r.doc.putObject(where.obj, where.prop, empty[s.k]());
		r.known.set(id, s.k);
		return { ...where, k: s.k, id };
	},
	insert(r, s) {
		const obj = pick(r.of("list"), s.n[0]);
		if (!obj) return null;
		const prop = s.n[1] % (r.doc.length(obj) + 1);
		r.doc.insert(obj, prop, input(s.v), s.v.k);
		return { obj, prop, v: s.v };
	},
	insertMake(r, s) {
		const obj = pick(r.of("list"), s.n[0]);
		if (!obj) return null;
		const prop = s.n[1] % (r.doc.length(obj) + 1);
		const id = r.doc.insertObject(obj, prop, empty[s.k]());
		r.known.set(id, s.k);
		return { obj, prop, k: s.k, id };
	},
	delete(r, s) {
		const where = place(r, s, true);
		if (!where) return null;
		r.doc.delete(where.obj, where.prop);
		return where;
	},
	increment(r, s) {
		const counters = [];
		for (const [obj, type] of r.known) {
			if (type === "text") continue;
			const props = type === "map" ? sorted(r.doc.keys(obj)) : range(r.doc.length(obj));
			for (const prop of props) {
				const v = r.doc.getWithType(obj, prop);
				if (v && v[0] === "counter") counters.push({ obj, prop });
			}
		}
		const where = pick(counters, s.n[0]);
		if (!where) return null;
		const by = s.n[1] % 2 ? s.n[2] % 100 : -(s.n[2] % 100000);
		r.doc.increment(where.obj, where.prop, by);
		return { ...where, by };
	},
	splice(r, s) {
		const obj = pick(r.of("text"), s.n[0]);
		if (!obj) return null;
		const { pos, del } = span(r.doc.length(obj), s);
		r.doc.splice(obj, pos, del, s.s);
		return { obj, pos, del, s: s.s };
	},
	spliceList(r, s) {
		const obj = pick(r.of("list"), s.n[0]);
		if (!obj) return null;
		const { pos, del } = span(r.doc.length(obj), s);
		r.doc.splice(obj, pos, del, s.vs.map(input));
		return { obj, pos, del, vs: s.vs };
	},
	updateText(r, s) {
		const obj = pick(r.of("text"), s.n[0]);
		if (!obj) return null;
		const chars = [...r.doc.text(obj).replaceAll("\ufffc", "")];
		const at = s.n[1] % (chars.length + 1);
		chars.splice(at, s.n[2] % 4, ...s.s);
		const text = chars.join("");
		r.doc.updateText(obj, text);
		return { obj, s: text };
	},
	mark(r, s) {
		const where = stretch(r, s);
		if (!where) return null;
		r.doc.mark(where.obj, { start: where.pos, end: where.end, expand: s.k }, s.s, input(s.v), s.v.k);
		return { ...where, k: s.k, s: s.s, v: s.v };
	},
	unmark(r, s) {
		const where = stretch(r, s);
		if (!where) return null;
		r.doc.unmark(where.obj, { start: where.pos, end: where.end, expand: s.k }, s.s);
		return { ...where, k: s.k, s: s.s };
	},
	splitBlock(r, s) {
		const obj = pick(r.of("text"), s.n[0]);
		if (!obj) return null;
		const pos = s.n[1] % (r.doc.length(obj) + 1);
		r.doc.splitBlock(obj, pos, s.block);
		r.learn(obj, "text");
		return { obj, pos, block: s.block };
	},
	joinBlock(r, s) {
		const where = blockAt(r, s);
		if (!where) return null;
		r.doc.joinBlock(where.obj, where.pos);
		return where;
	},
	updateBlock(r, s) {
		const where = blockAt(r, s);
		if (!where) return null;
		r.doc.updateBlock(where.obj, where.pos, s.block);
		r.learn(where.obj, "text");
		return { ...where, block: s.block };
	},
};

const range = (n) => Array.from({ length: n }, (_, i) => i);
const pick = (list, n) => (list.length ? list[n % list.length] : null);

// place is a key of a map or an index of a list, an existing one if it must be.
// One in eight lies in a text, where a character becomes a value or another.
function place(r, s, there) {
	const holders = [...r.known].filter(([, t]) => t !== "text" || s.n[3] % 8 === 0);
	const [obj, type] = pick(holders, s.n[0]);
	if (type === "map") {
		const keys = sorted(r.doc.keys(obj));
		if (there) return keys.length ? { obj, prop: pick(keys, s.n[1]) } : null;
		return { obj, prop: s.n[2] % 3 && keys.length ? pick(keys, s.n[1]) : s.key };
	}
	const n = r.doc.length(obj);
	return n ? { obj, prop: s.n[1] % n } : null;
}

function span(len, s) {
	const pos = s.n[1] % (len + 1);
	const left = len - pos;
	const few = [0, 0, 1, 1, 2, 5, left][s.n[2] % 7];
	return { pos, del: Math.min(few, left) };
}

function stretch(r, s) {
	const obj = pick(r.of("text"), s.n[0]);
	if (!obj) return null;
	const len = r.doc.length(obj);
	if (!len) return null;
	const a = s.n[1] % (len + 1);
	const b = s.n[2] % (len + 1);
	return { obj, pos: Math.min(a, b), end: Math.max(a, b) };
}

function blockAt(r, s) {
	const blocks = [];
	for (const obj of r.of("text"))
		for (let pos = 0; pos < r.doc.length(obj); pos++)
			if (r.doc.getWithType(obj, pos)?.[0] === "map") blocks.push({ obj, pos });
	return pick(blocks, s.n[0]);
}

// acts: what is not an edit.
const acts = {
	commit(r, s) {
		const time = s.time ?? 0;
		const empty = s.force && !r.doc.pendingOps();
		const hash = empty ? r.doc.emptyChange(s.s ?? null, time) : r.doc.commit(s.s ?? null, time);
		if (!hash) return null;
		r.past.push(r.doc.getHeads());
		return { hash, s: s.s, time, force: empty, bytes: b64(r.doc.getChangeByHash(hash)) };
	},
	rollback(r) {
		const n = r.doc.rollback();
		for (const obj of [...r.known.keys()])
			try {
				r.doc.objInfo(obj);
			} catch {
				r.known.delete(obj);
			}
		return { count: n };
	},
	merge(r, s, all) {
		const other = all[s.n[0] % all.length];
		if (other === r) return null;
		settle(r, other);
		const added = r.doc.getChangesAdded(other.doc);
		if (s.n[1] % 2) r.doc.merge(other.doc);
		else r.doc.applyChanges(added);
		take(r, other);
		return { from: all.indexOf(other), batch: s.n[1] % 2 ? undefined : added.map(b64), heads: r.doc.getHeads() };
	},
	reload(r, s) {
		settle(r);
		const bytes = r.doc.save();
		r.doc.free();
		r.doc = ApiHandler.load(bytes, { actor: r.actor });
		r.doc.saveIncremental(); // the engine counts what it loads as saved
		r.sync.clear();
		return { bytes: b64(bytes) };
	},
	incremental(r) {
		settle(r);
		return { bytes: b64(r.doc.saveIncremental()) };
	},
	since(r, s) {
		settle(r);
		const heads = pick(r.past, s.n[0]);
		return { heads, bytes: b64(r.doc.saveSince(heads)) };
	},
	read(r) {
		return { heads: r.doc.pendingOps() ? undefined : r.doc.getHeads(), dump: dump(r.doc, undefined, true) };
	},
	readAt(r, s) {
		settle(r);
		const heads = pick(r.past, s.n[0]);
		return { heads, dump: dump(r.doc, heads, true) };
	},
	cursor(r, s) {
		const obj = pick(r.of("text"), s.n[0]);
		if (!obj) return null;
		const len = r.doc.length(obj);
		if (!len) return null;
		const pos = s.n[1] % len;
		const cursor = r.doc.getCursor(obj, pos, undefined, s.k);
		r.cursors ??= [];
		r.cursors.push({ obj, cursor });
		return { obj, pos, k: s.k, cursor };
	},
	positions(r) {
		settle(r);
		const list = (r.cursors ?? [])
			.filter(({ obj }) => r.known.has(obj))
			.flatMap(({ obj, cursor }) => {
				try {
					return [{ obj, cursor, pos: r.doc.getCursorPosition(obj, cursor) }];
				} catch (e) {
					// What it named was rolled back, or is not in the past that was forked.
					if (String(e).includes("is invalid")) return [];
					throw e;
				}
			});
		return list.length ? { positions: list } : null;
	},
	diff(r, s) {
		settle(r);
		const before = pick(r.past, s.n[0]);
		const after = pick(r.past, s.n[1]);
		return { before, after, lines: r.doc.diff(before, after).flatMap(lines) };
	},
	// fork makes the replica a copy of another one, as that is or once was, with a
	// new actor.
	fork(r, s, all) {
		const other = all[s.n[0] % all.length];
		settle(r, other);
		const heads = s.n[2] % 2 ? pick(other.past, s.n[1]) : undefined;
		r.forks = (r.forks ?? 0) + 1;
		const actor = r.first + (r.forks + 0xc000).toString(16);
		let doc = other.doc.fork(actor, heads);
		if (heads) {
			// The library applies them anew in an order of its own; ours stays.
			const there = (hash) => doc.getChangeByHash(hash);
			const changes = other.doc.getChangesMeta([]).map((c) => there(c.hash)).filter(Boolean);
			const again = ApiHandler.create({ actor });
			for (const c of changes) again.applyChanges([c]);
			doc.free();
			doc = again;
		}
		r.doc.free();
		r.doc = doc;
		r.actor = actor;
		r.sync.clear();
		for (const x of all) x.sync.delete(r);
		const there = ([obj]) => {
			try {
				return doc.objInfo(obj);
			} catch {
				return false;
			}
		};
		r.known = new Map([...other.known].filter(there));
		r.known.set("_root", "map");
		r.past = other.past.filter((h) => h.every((x) => doc.getChangeByHash(x)));
		r.cursors = [];
		return { from: all.indexOf(other), heads: doc.getHeads(), past: !!heads, actor };
	},
	bundle(r, s) {
		settle(r);
		const hashes = r.doc.getChangesMeta([]).map((c) => c.hash);
		if (!hashes.length) return null;
		const from = s.n[0] % hashes.length;
		const list = hashes.slice(from, from + 1 + (s.n[1] % hashes.length));
		return { hashes: list, bytes: b64(r.doc.saveBundle(list)) };
	},
	sync(r, s, all) {
		const other = all[s.n[0] % all.length];
		if (other === r) return null;
		settle(r, other);
		const fresh = s.n[1] % 3 === 0;
		const kept = s.n[1] % 3 === 1;
		const state = (a, b) => {
			let st = a.sync.get(b);
			if (!st || fresh) st = ApiHandler.initSyncState();
			else if (kept) st = ApiHandler.decodeSyncState(ApiHandler.encodeSyncState(st));
			a.sync.set(b, st);
			return st;
		};
		const mine = state(r, other);
		const theirs = state(other, r);
		const messages = [];
		for (let round = 0; round < 20; round++) {
			const out = r.doc.generateSyncMessage(mine);
			if (out) other.doc.receiveSyncMessage(theirs, out);
			const back = other.doc.generateSyncMessage(theirs);
			if (back) r.doc.receiveSyncMessage(mine, back);
			messages.push([out ? b64(out) : null, back ? b64(back) : null]);
			if (!out && !back) break;
		}
		take(r, other);
		take(other, r);
		return {
			from: all.indexOf(other),
			fresh,
			kept,
			messages,
			states: [mine, theirs].map((x) => b64(ApiHandler.encodeSyncState(x))),
			heads: r.doc.getHeads(),
		};
	},
};

// settle commits what is pending where the library would do so by itself, with
// a time nobody chose.
function settle(...replicas) {
	for (const r of replicas) if (r.doc.pendingOps()) throw new Error("not settled");
}

function take(r, other) {
	for (const [id, type] of other.known) r.known.set(id, type);
	r.past.push(r.doc.getHeads());
	for (const h of other.past) if (h.length) r.past.push(h);
	r.past = r.past.slice(-40);
	if (other.cursors) r.cursors = [...(r.cursors ?? []), ...other.cursors].slice(-20);
}

// lines writes a patch as patch_test.go does for the engine.
function lines(p) {
	const prop = (x) => (typeof x === "string" ? quote(x) : `${x}`);
	const place = p.path.map((x) => `/${prop(x)}`).join("");
	const conflict = p.conflict ? " conflict" : "";
	const marks = sorted(Object.keys(p.marks ?? {}))
		.map((k) => `${k}=${loose(p.marks[k])}`)
		.join(",");
	switch (p.action) {
		case "put":
			return [`put ${place} ${loose(p.value)}${conflict}`];
		case "insert":
			return [`insert ${place} ${p.values.map(loose).join(",")}`];
		case "splice":
			return [`splice ${place} ${quote(p.value)} ${marks}`];
		case "del":
			return [typeof p.path.at(-1) === "string" ? `del ${place}` : `del ${place} ${p.length ?? 1}`];
		case "inc":
			return [`inc ${place} ${p.value}`];
		case "conflict":
			return [`conflict ${place}`];
		case "mark":
			return p.marks.map((m) => `mark ${place}/ ${m.start} ${m.end} ${m.name} ${loose(m.value)}`);
		default:
			return [`${p.action} ${place}/ ${p.start} ${p.end} ${p.name}`];
	}
}

// Those that need everything committed first, so that no library decides when.
const settled = new Set(["merge", "reload", "incremental", "since", "readAt", "positions", "diff", "bundle", "sync", "fork"]);

// play returns the concrete steps, each with what came of it, and what every
// replica holds in the end.
export function play({ actors, steps }) {
	const all = actors.map((a) => new Replica(a));
	const done = [];
	const commit = (r) => {
		const res = acts.commit(all[r], { time: 0 });
		if (res) done.push({ op: "commit", r, ...res });
	};
	for (const [i, s] of steps.entries()) {
		const r = all[s.r];
		if (settled.has(s.op)) for (const x of all.keys()) commit(x);
		let res;
		try {
			res = edits[s.op] ? edits[s.op](r, s) : acts[s.op](r, s, all);
		} catch (e) {
			e.message = `step ${i} ${JSON.stringify(s)}: ${e.message}`;
			throw e;
		}
		if (res) done.push({ op: s.op, r: s.r, step: i, ...res });
	}
	for (const x of all.keys()) commit(x);
	const ends = all.map(({ doc }) => ({
		heads: doc.getHeads(),
		plain: b64(doc.saveNoCompress()),
		saved: b64(doc.save()),
		changes: doc.getChanges([]).map(b64),
		dump: dump(doc, undefined, true),
	}));
	for (const { doc } of all) doc.free();
	return { done, ends };
}

// look loads bytes and says what is in them.
export function look({ bytes, how, base, light }) {
	const data = new Uint8Array(Buffer.from(bytes, "base64"));
	let doc;
	if (how === "load") doc = ApiHandler.load(data, { actor: "ff" });
	else {
		doc = base ? ApiHandler.load(new Uint8Array(Buffer.from(base, "base64")), { actor: "ff" }) : ApiHandler.create({ actor: "ff" });
		if (how === "incremental") doc.loadIncremental(data);
		else if (how === "changes") doc.applyChanges([data]);
		else throw new Error(`no way ${how}`);
	}
	try {
		return {
			heads: doc.getHeads(),
			dump: light ? "" : dump(doc, undefined, true),
			plain: b64(doc.saveNoCompress()),
			changes: doc.stats().numChanges,
		};
	} finally {
		doc.free();
	}
}

// apply takes single changes in the order given, into an empty document.
export function apply({ changes }) {
	const doc = ApiHandler.create({ actor: "ff" });
	try {
		for (const c of changes) doc.applyChanges([new Uint8Array(Buffer.from(c, "base64"))]);
		return { heads: doc.getHeads(), dump: dump(doc, undefined, true), changes: doc.getChanges([]).length };
	} finally {
		doc.free();
	}
}

export { scalar };
