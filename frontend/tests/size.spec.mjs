// How much JavaScript the first page takes: what index.html asks for, the screen
// Home, and what both import before they run. The document engine is not among it.
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { test } from "node:test";
import { gzipSync } from "node:zlib";

const limit = 150_000; // bytes, gzip -9
const dist = new URL("../dist/", import.meta.url);
const read = (name) => readFile(new URL(name, dist), "utf8");

// needs is the file and all it imports statically, by name.
async function needs(name, all = new Map()) {
	if (all.has(name)) return all;
	const code = await read(`assets/${name}`);
	all.set(name, gzipSync(code, { level: 9 }).length);
	for (const [, next] of code.matchAll(/(?:from|import)\s*"\.\/([\w.-]+\.js)"/g)) await needs(next, all);
	return all;
}

test("JavaScript of the first page", async () => {
	const index = await read("index.html");
	const first = [...index.matchAll(/assets\/([\w.-]+\.js)"/g)].map(([, name]) => name);
	const home = (await readdir(new URL("assets/", dist))).find((n) => /^Home-[\w-]+\.js$/.test(n));
	assert.ok(first.length > 0 && home, "the page is built");
	const all = new Map();
	for (const name of [...first, home]) await needs(name, all);
	const size = [...all.values()].reduce((a, b) => a + b, 0);
	console.log(`JavaScript of the first page: ${(size / 1000).toFixed(1)} kB in ${all.size} files, gzipped`);
	assert.ok(![...all.keys()].some((n) => n.startsWith("Desk-")), "the document engine comes later");
	assert.ok(size <= limit, `${size} bytes are more than ${limit}`);
});
