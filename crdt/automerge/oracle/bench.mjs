// The rivals in Node, measured: node bench.mjs RIVAL TASK FILE prints one line of
// JSON. Times are processor time of this process in microseconds; a trace is
// [[position, deleted, inserted], ...].
import { readFileSync, writeFileSync } from "node:fs";

const [rival, task, file, out] = process.argv.slice(2);

const cpu = (f) => {
	globalThis.gc?.();
	const from = process.cpuUsage();
	const result = f();
	const spent = process.cpuUsage(from);
	return [spent.user + spent.system, result];
};

const heap = () => {
	globalThis.gc?.();
	globalThis.gc?.();
	return process.memoryUsage().rss;
};

async function automerge() {
	await import("@automerge/automerge");
	const { ApiHandler } = await import("./node_modules/@automerge/automerge/dist/mjs/low_level.js");
	return {
		create: (actor) => {
			const doc = ApiHandler.create({ actor: actor ?? "aa" });
			return { doc, text: actor ? null : doc.putObject("_root", "text", "") };
		},
		edit: ({ doc, text }, [pos, del, ins]) => doc.splice(text, pos, del, ins),
		commit: ({ doc }) => doc.commit(null, 0),
		put: ({ doc }, k, v) => doc.put("_root", k, v, "int"),
		save: ({ doc }) => doc.save(),
		load: (bytes) => {
			const doc = ApiHandler.load(bytes, { actor: "bb" });
			return { doc, text: doc.get("_root", "text") };
		},
		fork: ({ doc, text }, actor) => ({ doc: doc.fork(actor), text }),
		merge: (a, b) => a.doc.merge(b.doc),
		read: ({ doc, text }) => doc.text(text),
		readAt: ({ doc, text }, heads) => doc.text(text, heads),
	};
}

async function yjs() {
	const Y = await import("yjs");
	const of = (doc) => ({ doc, text: doc.getText("text"), map: doc.getMap("map") });
	const load = (bytes, id) => {
		const doc = new Y.Doc();
		doc.clientID = id ?? 2;
		Y.applyUpdateV2(doc, bytes);
		return of(doc);
	};
	return {
		create: () => of(Object.assign(new Y.Doc(), { clientID: 1 })),
		edit: ({ text }, [pos, del, ins]) => {
			if (del) text.delete(pos, del);
			if (ins) text.insert(pos, ins);
		},
		together: ({ doc }, f) => doc.transact(f),
		commit: () => {},
		put: ({ map }, k, v) => map.set(k, v),
		save: ({ doc }) => Y.encodeStateAsUpdateV2(doc),
		load,
		fork: (d, id) => load(Y.encodeStateAsUpdateV2(d.doc), Number.parseInt(id, 16)),
		merge: (a, b) => Y.applyUpdateV2(a.doc, Y.encodeStateAsUpdateV2(b.doc, Y.encodeStateVector(a.doc))),
		read: ({ text }) => text.toString(),
	};
}

async function loro() {
	const { LoroDoc } = await import("loro-crdt");
	const of = (doc) => ({ doc, text: doc.getText("text"), map: doc.getMap("map") });
	const load = (bytes, id) => {
		const doc = new LoroDoc();
		doc.setPeerId(BigInt(id ?? 2));
		doc.import(bytes);
		return of(doc);
	};
	return {
		create: () => {
			const doc = new LoroDoc();
			doc.setPeerId(1n);
			return of(doc);
		},
		edit: ({ text }, [pos, del, ins]) => {
			if (del) text.delete(pos, del);
			if (ins) text.insert(pos, ins);
		},
		commit: ({ doc }) => doc.commit(),
		put: ({ map }, k, v) => map.set(k, v),
		save: ({ doc }) => doc.export({ mode: "snapshot" }),
		load,
		fork: (d, id) => load(d.doc.export({ mode: "snapshot" }), Number.parseInt(id, 16)),
		merge: (a, b) => a.doc.import(b.doc.export({ mode: "update", from: a.doc.version() })),
		read: ({ text }) => text.toString(),
	};
}

const lib = await { automerge, yjs, loro }[rival]();
const patches = () => JSON.parse(readFileSync(file, "utf8"));

// type does a trace, each edit a change of its own or all one.
function type(d, list, each) {
	if (each)
		for (const p of list) {
			lib.edit(d, p);
			lib.commit(d);
		}
	else {
		const all = () => {
			for (const p of list) lib.edit(d, p);
		};
		if (lib.together) lib.together(d, all);
		else all();
		lib.commit(d);
	}
}

const tasks = {
	edit(each) {
		const list = patches();
		const d = lib.create();
		const [edit] = cpu(() => type(d, list, each));
		const [save, bytes] = cpu(() => lib.save(d));
		if (out) writeFileSync(out, bytes);
		return { edit, save, size: bytes.length, length: lib.read(d).length };
	},
	"one change": () => tasks.edit(false),
	"a change each": () => tasks.edit(true),
	load() {
		const bytes = new Uint8Array(readFileSync(file));
		const before = heap();
		const [load, d] = cpu(() => lib.load(bytes));
		const after = heap();
		const [first] = cpu(() => lib.read(d));
		const [text] = cpu(() => lib.read(d));
		return { load: load + first, text, memory: after - before };
	},
	map() {
		const d = lib.create("aa");
		const [edit] = cpu(() => {
			for (let i = 0; i < 100_000; i++) {
				lib.put(d, `k${i}`, i);
				lib.commit(d);
			}
		});
		const bytes = lib.save(d);
		if (out) writeFileSync(out, bytes);
		const [load] = cpu(() => lib.load(bytes));
		return { edit, load, size: bytes.length };
	},
	merge(each = false) {
		const [base, left, right] = patches();
		const a = lib.create();
		type(a, base, false);
		const b = lib.fork(a, "0b");
		type(a, left, each);
		type(b, right, each);
		const [merge] = cpu(() => lib.merge(a, b));
		return { merge, length: lib.read(a).length };
	},
	"merge of changes": () => tasks.merge(true),
};

console.log(JSON.stringify(tasks[task]()));
process.exit(0);
