// The reader of other programs' HTML by itself, in a browser without a node.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { build } from "vite";
import { launch } from "./browser.mjs";
import { hostile, samples } from "./paste.samples.mjs";

let browser;
let page;

before(async () => {
	const entry = fileURLToPath(new URL("../src/lib/editor/paste.html.ts", import.meta.url));
	const made = await build({
		configFile: false,
		logLevel: "error",
		build: {
			lib: { entry, formats: ["iife"], name: "paste" },
			write: false,
			minify: false,
			target: "es2022",
		},
	});
	const code = [made].flat()[0].output[0].code;
	browser = await launch();
	page = await browser.newPage();
	await page.route("**/*", (route) => route.abort()); // whatever it wants to load
	await page.setContent("<title>x</title>");
	await page.addScriptTag({ content: `${code}; window.paste = paste;` });
});
after(() => browser?.close());

// read is the blocks of some HTML as lines, and how long it took.
const read = (html) =>
	page.evaluate((given) => {
		const began = performance.now();
		const blocks = globalThis.paste.blocksOf(globalThis.paste.parse(given));
		const took = performance.now() - began;
		if (!blocks) return { lines: null, took, hacked: globalThis.hacked };
		const span = (s) => {
			if (s.table) return `{table ${s.table.map((r) => r.join("|")).join("/")}}`;
			const marks = Object.entries(s.marks).map(([name, v]) => (v === true ? name : name + v));
			return marks.length > 0 ? `[${s.text}|${marks.join(",")}]` : s.text;
		};
		const lines = blocks.map(
			(b) => `${b.t}${b.level || ""}${b.checked ? "x" : ""}: ${b.spans.map(span).join("")}`,
		);
		return { lines, took, hacked: globalThis.hacked };
	}, html);

for (const [name, { html, blocks }] of Object.entries(samples)) {
	test(`text from ${name}`, async () => {
		const got = await read(html);
		assert.deepEqual(got.lines, blocks);
		assert.equal(got.hacked, undefined);
	});
}

for (const [name, html] of Object.entries(hostile)) {
	test(`hostile: ${name}`, async () => {
		const { lines, took } = await read(html);
		assert.ok(took < 3000, `${took} ms`);
		assert.ok(lines === null || lines.length <= 5000);
		for (const line of lines ?? []) assert.doesNotMatch(line, /\p{Cs}/u);
	});
}

test("too much is noticed soon", async () => {
	const part = samples.Word.html.replace(/^[\s\S]*<!--StartFragment-->|<!--EndFragment-->[\s\S]*$/g, "");
	const { lines, took } = await read(part.repeat(Math.floor(4_900_000 / part.length)));
	console.log(`# 4.9 MB of Word in ${Math.round(took)} ms`);
	assert.equal(lines, null);
	assert.ok(took < 5000);
	const half = await read(part.repeat(500));
	console.log(`# ${half.lines.length} blocks of Word in ${Math.round(half.took)} ms`);
	assert.equal(half.lines.length, 4500);
});

test("only addresses that may be opened are links", async () => {
	const safe = (href) => page.evaluate((h) => globalThis.paste.safe(h), href);
	for (const good of ["https://a.de/x", "http://a", "mailto:a@b.de", "tel:+49", "#/documents/x.y/at/4"])
		assert.equal(await safe(good), good);
	for (const bad of [
		"javascript:alert(1)",
		"java\nscript:alert(1)",
		" JAVASCRIPT:alert(1)",
		"data:text/html,x",
		"vbscript:x",
		"file:///etc/passwd",
		"//evil.example",
		"/api/status",
		"#/people",
		"blob:x",
		"https:",
		"",
	])
		assert.equal(await safe(bad), "", bad);
});
