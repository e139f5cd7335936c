// The editor's core without a browser: what its steps promise, and two editors that
// random people write in.
import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { load } from "./editor.load.mjs";
import { Program, random, seeds } from "./editor.model.mjs";
import { inText, something } from "./editor.random.mjs";

const core = await load(
	"schema",
	"keep",
	"keep.attrs",
	"keep.own",
	"keep.pieces",
	"translate",
	"translate.whole",
	"place",
	"place.blocks",
	"link",
	"link.batch",
	"here",
	"undo",
);
const {
	schema,
	Keep,
	PutStep,
	own,
	editsOf,
	stepsOf,
	Whole,
	textOf,
	Link,
	here,
	undoing,
	undo,
	redo,
	difference,
} = core;
const { EditorState } = await import("prosemirror-state");
const { Slice, Fragment } = await import("prosemirror-model");
const { Mapping } = await import("prosemirror-transform");

const p = (text, t = "paragraph") => schema.node("block", { t }, text ? [schema.text(text)] : []);
const doc = (...blocks) =>
	schema.node(
		"doc",
		null,
		blocks.map((b) => (typeof b === "string" ? p(b) : b)),
	);
const plain = (d) => d.textBetween(0, d.content.size, "|", "□");
const inline = (text) => new Slice(Fragment.from(schema.text(text)), 0, 0);
const insert = (d, at, text) => Keep.of(d, at, at, inline(text));

// same compares documents whatever the order of attributes.
function same(a, b, what) {
	if (a.eq(b)) return;
	assert.fail(`${what}\n${JSON.stringify(a.toJSON())}\n${JSON.stringify(b.toJSON())}`);
}

test("a deletion leaves what was inserted inside of it", () => {
	const d = doc("Hallo Welt");
	const deletion = Keep.of(d, 1, 11, Slice.empty);
	const foreign = insert(d, 6, " schöne");
	const mapped = deletion.map(foreign.getMap());
	const after = mapped.apply(foreign.apply(d).doc).doc;
	assert.equal(plain(after), " schöne");
	// And taking it back brings only what was deleted.
	const both = mapped.invert(foreign.apply(d).doc).apply(after).doc;
	assert.equal(plain(both), "Hallo schöne Welt");
	// A step maps in one go as it does map by map.
	const maps = new Mapping([foreign.getMap(), insert(foreign.apply(d).doc, 3, "X").getMap()]);
	assert.equal(deletion.map(maps).parts.length, 3);
});

test("joining and deleting across blocks leaves new blocks", () => {
	const d = doc("eins", "zwei", "drei");
	const deletion = Keep.of(d, 3, 15, Slice.empty); // "ei|dr" goes
	const foreign = Keep.of(d, 6, 6, new Slice(Fragment.from([p("NEU", "quote")]), 0, 0));
	const after = deletion.map(foreign.getMap()).apply(foreign.apply(d).doc).doc;
	after.check();
	assert.equal(plain(after), "ei|NEUei");
});

test("the first block stays", () => {
	const d = doc("eins", "zwei");
	for (const [from, to] of [
		[0, 12],
		[0, 8],
		[0, 6],
		[1, 12],
		[0, 1],
		[6, 12],
		[5, 7],
		[0, 0],
		[12, 12],
	]) {
		for (const slice of [
			Slice.empty,
			inline("x"),
			new Slice(Fragment.from([p("n")]), 0, 0),
			new Slice(Fragment.from([p("n"), p("m")]), 1, 0),
			new Slice(Fragment.from([p("n")]), 0, 1),
		]) {
			const keep = new Keep([{ id: 0, from, to, slice }]);
			const after = keep.apply(d).doc;
			after.check();
			assert.equal(keep.invert(d).apply(after).doc.eq(d), true, `${from} ${to} ${slice}`);
			assert.equal(after.content.size - d.content.size, keep.getMap().map(12, 1) - 12);
		}
	}
});

// local is an editor without a link.
const local = (d, ...plugins) => {
	const at = { state: EditorState.create({ doc: d, schema, plugins }) };
	at.do = (make) => {
		const tr = make(at.state);
		own(tr);
		at.state = at.state.apply(tr);
		return tr;
	};
	return at;
};

test("each step has an inverse, and means the same to the program", () => {
	for (const seed of seeds(30)) {
		const r = random(seed);
		const at = local(doc("Anfang", "zweiter 😀 Block", p("Titel", "heading")));
		const implicit = r.chance(0.3);
		let whole = { doc: at.state.doc, implicit };
		for (let i = 0; i < 150; i++) {
			const before = at.state.doc;
			const tr = at.do((s) => something(s, r, core));
			at.state.doc.check();
			for (const [k, step] of tr.steps.entries()) {
				const is = tr.docs[k];
				const then = step.apply(is).doc;
				same(step.invert(is).apply(then).doc, is, `seed ${seed}.${i}: inverse of ${JSON.stringify(step)}`);
				assert.equal(
					then.content.size - is.content.size,
					step.getMap().map(is.content.size, 1) - is.content.size,
					`seed ${seed}.${i}: map`,
				);
				const { edits, text } = editsOf(step, whole);
				const told = Whole.of(whole).do(edits).text();
				same(
					told.doc,
					text.doc,
					`seed ${seed}.${i}: ${JSON.stringify(step)} as ${JSON.stringify(edits)} on ${JSON.stringify(is)}`,
				);
				const [first] = edits;
				assert.equal(told.implicit, text.implicit, `seed ${seed}.${i} ${JSON.stringify(first)}`);
				// And back: others show the same.
				const shown = stepsOf(
					edits.filter((e) => e.kind !== "put"),
					whole,
				);
				if (edits.every((e) => e.kind !== "put")) same(shown.text.doc, text.doc, `seed ${seed}.${i}: back`);
				whole = text;
			}
			same(whole.doc, at.state.doc, `seed ${seed}.${i}: all`);
			assert.ok(before);
		}
	}
});

test("a large replacement is parted, and is the same", () => {
	for (const seed of seeds(20)) {
		const r = random(seed);
		const long = Array.from({ length: 40 }, () =>
			p("ein 😀 langer Satz, ".repeat(r(20)), r.of(["paragraph", "task"])),
		);
		const at = local(doc(...long));
		for (let i = 0; i < 6; i++) {
			const [a, b] = [inText(at.state.doc, r), inText(at.state.doc, r)];
			const from = r.chance(0.2) ? 0 : Math.min(a, b);
			const slice = r.chance(0.5) ? at.state.doc.slice(1, inText(at.state.doc, r)) : Slice.empty;
			const tr = at.do((s) => s.tr.replaceRange(from, Math.max(a, b), slice));
			for (const step of tr.steps)
				for (const part of step.parts ?? [])
					assert.ok(
						part.slice.size <= 2001 && part.to - part.from <= 2001,
						`${seed}.${i}: ${part.to - part.from} ${part.slice.size}`,
					);
			at.state.doc.check();
		}
	}
});

test("undo takes back what is mine, and only that", () => {
	const at = local(doc(""), undoing());
	at.do((s) => s.tr.insertText("AAACCC", 1));
	const foreign = insert(at.state.doc, 4, "bb");
	at.state = at.state.apply(at.state.tr.step(foreign).setMeta("addToHistory", false));
	assert.equal(plain(at.state.doc), "AAAbbCCC");
	const run = (command) => command(at.state, (tr) => (at.state = at.state.apply(tr)));
	run(undo);
	assert.equal(plain(at.state.doc), "bb");
	run(redo);
	assert.equal(plain(at.state.doc), "AAAbbCCC");
	run(undo);
	assert.equal(plain(at.state.doc), "bb");
});

test("two people in different cells of a table", () => {
	const table = schema.node("embed", { t: "table", x: { cells: { a: "1", b: "2" } } });
	const d = doc(schema.node("block", null, [table]));
	const mine = new PutStep(1, ["cells", "a"], "ich");
	const theirs = new PutStep(1, ["cells", "b"], "du");
	const both = mine.map(theirs.getMap()).apply(theirs.apply(d).doc).doc;
	assert.deepEqual(both.nodeAt(1).attrs.x, { cells: { a: "ich", b: "du" } });
	assert.deepEqual(mine.invert(d).apply(both).doc.nodeAt(1).attrs.x, { cells: { a: "1", b: "du" } });
});

// An Office is some pages at one program, on a clock of its own.
class Page {
	constructor(program, r, trouble) {
		this.program = program;
		this.composing = false;
		this.states = [];
		this.senseless = 0;
		const ask = async (name, request) => {
			await new Promise((done) => setTimeout(done, 1 + r(30)));
			const fails = trouble.now && name !== "document/close" && r.chance(0.2);
			if (fails && r.chance(0.5)) throw Object.assign(new Error("lost"), { code: "offline" });
			if (trouble.now && name === "document/sync" && r.chance(0.03)) program.editors.delete(request.editor);
			let answer;
			try {
				if (name === "document/sync" && program.editors.has(request.editor)) this.compare(request);
				const e = program.editors.get(request.editor);
				const fresh = name === "document/sync" && request.batch === e?.batch + 1;
				if (trouble.now && fresh && this.senseless < 2 && r.chance(0.04)) {
					this.senseless++;
					throw Object.assign(new Error("made to be senseless"), { code: "bad-request", made: true });
				}
				answer = structuredClone(program.answer(name, structuredClone(request)));
			} catch (err) {
				if (err.code !== "no-editor" && !err.made) this.wrong ??= err;
				throw err;
			}
			if (name === "document/sync") this.senseless = 0;
			await new Promise((done) => setTimeout(done, 1 + r(30)));
			if (fails) throw Object.assign(new Error("lost"), { code: "offline" });
			return answer;
		};
		this.link = new Link("doc", {
			ask,
			plugins: () => [undoing(), here()],
			onstate: (s) => this.states.push(s.kind),
		});
	}

	// compare finds a page that shows something else than the program thinks, at once.
	compare(request) {
		const e = this.program.editors.get(request.editor);
		if (request.batch !== e.batch + 1) return;
		const { blocks, unmarked } = this.program.blocks(e);
		const is = textOf(blocks, unmarked);
		same(this.link.confirmed.doc, is.doc, `seed ${this.seed}: what is confirmed is not what the program has`);
		assert.equal(this.link.confirmed.implicit, is.implicit);
	}

	async open() {
		this.state = await this.link.open();
		this.link.attach(this);
	}

	updateState(state) {
		this.state = state;
		state.doc.check();
	}

	hasFocus() {
		return true;
	}

	command(command) {
		command(this.state, (tr) => this.link.dispatch(tr));
	}
}

const turn = () => new Promise((done) => setImmediate(done));
async function pass(ms) {
	for (let t = 0; t < ms; t += 10) {
		mock.timers.tick(10);
		for (let i = 0; i < 4; i++) await turn();
	}
}

async function write(seed, { trouble, faults = [], start }) {
	const r = random(seed);
	const program = new Program(start);
	const state = { now: false };
	const pages = Array.from({ length: 2 + r(2) }, () => new Page(program, r, state));
	const opened = Promise.all(pages.map((page) => page.open()));
	await pass(200);
	await opened;
	for (const page of pages) page.seed = seed;
	state.now = trouble;
	const warned = [];
	const warn = console.warn;
	console.warn = (...args) => warned.push(args.map(String).join(" "));
	try {
		for (let i = 0; i < 120; i++) {
			const page = r.of(pages);
			const what = r(20);
			if (what === 0) page.command(undo);
			else if (what === 1) page.command(redo);
			else if (what === 2) page.composing = true;
			else page.link.dispatch(something(page.state, r, core).setTime(Date.now()));
			if (page.composing && r.chance(0.3)) {
				page.composing = false;
				page.link.composed();
			}
			if (faults.length > 0 && r.chance(0.05)) page.link.failNext = [r.of(faults)];
			if (r.chance(0.5)) await pass(r(200));
		}
		state.now = false;
		for (const page of pages) {
			page.composing = false;
			page.link.failNext = [];
			page.link.composed();
		}
		for (let i = 0; i < 30; i++) {
			await pass(1000);
			for (const page of pages) page.link.heard({ what: "document", id: "doc" });
			await pass(500);
		}
	} finally {
		console.warn = warn;
	}
	for (const page of pages) {
		if (page.wrong) throw page.wrong;
		assert.equal(page.link.state.kind, "saved", `seed ${seed}: ${JSON.stringify(page.link.state)} ${warned}`);
		assert.equal(page.link.state.healed, 0, `seed ${seed}: ${warned}`);
		const e = { own: new Set(), upto: program.ops };
		const { blocks, unmarked } = program.blocks(e);
		same(page.state.doc, textOf(blocks, unmarked).doc, `seed ${seed}`);
		same(page.state.doc, Whole.of(page.link.confirmed).text().doc, `seed ${seed}`);
	}
	if (faults.length === 0 && !trouble) assert.deepEqual(warned, [], `seed ${seed}`);
	return pages;
}

const begins = [
	{ kind: "split", at: 0, block: { t: "paragraph" } },
	{ kind: "splice", at: 1, text: "Anfang 😀", marks: {} },
	{ kind: "split", at: 10, block: { t: "task", checked: true } },
];

for (const [name, options] of Object.entries({
	"pages write together": { trouble: false, start: begins },
	"pages write together while calls get lost": { trouble: true, start: begins },
	"a text without a beginning": {
		trouble: true,
		start: [{ kind: "splice", at: 0, text: "ohne", marks: {} }],
	},
	"an empty text": { trouble: false, start: [] },
	"steps that fail": { trouble: true, start: begins, faults: ["dispatch", "translate", "receive"] },
}))
	test(name, async () => {
		mock.timers.enable({ apis: ["setTimeout", "Date"], now: 1e12 });
		try {
			for (const seed of seeds(12)) await write(seed, options);
		} finally {
			mock.timers.reset();
		}
	});
