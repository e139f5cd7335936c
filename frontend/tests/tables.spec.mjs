// Tables by themselves: what two people change at once, and what nobody should have
// written into one.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { build } from "vite";

let tables;
before(async () => {
	const made = await build({
		configFile: false,
		logLevel: "error",
		build: {
			lib: { entry: fileURLToPath(new URL("../src/lib/editor/tables.ts", import.meta.url)), formats: ["es"] },
			write: false,
		},
	});
	const { code } = [made].flat()[0].output[0];
	tables = await import(`data:text/javascript,${encodeURIComponent(code)}`);
});

// done is a table's attributes with changes, as PutStep makes them.
function done(x, puts) {
	const copy = structuredClone(x);
	for (const { path, value } of puts) {
		let at = copy;
		for (const key of path.slice(0, -1)) at = at[key] ??= {};
		if (value === null) delete at[path.at(-1)];
		else at[path.at(-1)] = value;
	}
	return copy;
}
const texts = (x) => {
	const grid = tables.gridOf(x);
	return grid.rows.map((row) => grid.cols.map((col) => grid.text(row, col)).join("|"));
};

test("rows and columns come where they were wanted, and go with their cells", () => {
	let x = tables.table(
		[
			["a", "b"],
			["c", "d"],
		],
		true,
	);
	assert.deepEqual(texts(x), ["a|b", "c|d"]);
	const top = tables.addRow(x, -1);
	x = done(x, top.puts);
	assert.deepEqual(texts(x), ["|", "a|b", "c|d"]);
	x = done(x, tables.addRow(x, 1).puts);
	x = done(x, tables.addRow(x, 3).puts);
	assert.deepEqual(texts(x), ["|", "a|b", "|", "c|d", "|"]);
	x = done(x, tables.addCol(x, 0).puts);
	assert.deepEqual(texts(x)[1], "a||b");
	x = done(x, tables.remove(x, "rows", top.id));
	x = done(x, tables.remove(x, "cols", tables.gridOf(x).cols[0]));
	assert.deepEqual(texts(x), ["|b", "|", "|d", "|"]);
	assert.equal(Object.keys(x.cells).length, 8, "no cell is left of what is gone");
});

test("two people's rows at one place are both there, in one order for all", () => {
	const x = tables.bare(2, 2);
	const [mine, yours] = [tables.addRow(x, 0), tables.addRow(x, 0)];
	const here = done(done(x, mine.puts), yours.puts);
	const there = done(done(x, yours.puts), mine.puts);
	assert.deepEqual(tables.gridOf(here).rows, tables.gridOf(there).rows);
	assert.equal(tables.gridOf(here).rows.length, 4);
});

test("there is always room between two rows for the next", () => {
	let x = tables.bare(2, 1);
	for (let i = 0; i < 40; i++) {
		const { id, puts } = tables.addRow(x, 0);
		x = done(x, puts);
		assert.equal(tables.gridOf(x).rows[1], id);
	}
});

test("whatever is in a table, it is shown somehow", () => {
	for (const x of [
		null,
		{},
		{ rows: 1, cols: "x", cells: [] },
		{ rows: { a: "1", b: 2, c: null }, cols: { d: {}, e: 1 }, cells: { "b:e": { x: 1 } } },
	]) {
		const grid = tables.gridOf(x);
		for (const row of grid.rows)
			for (const col of grid.cols) assert.equal(typeof grid.text(row, col), "string");
	}
	const many = Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`r${i}`, i]));
	const grid = tables.gridOf({ rows: many, cols: many, cells: {} });
	assert.ok(grid.rows.length * grid.cols.length <= 5000);
	assert.equal(grid.more, true);
});

test("a cell's text is cut between letters", () => {
	assert.equal(tables.cut("ü".repeat(5000)), "ü".repeat(4096));
	assert.equal(tables.cut(`${"a".repeat(8190)}😀`), "a".repeat(8190));
	assert.equal(tables.cut("kurz"), "kurz");
});
