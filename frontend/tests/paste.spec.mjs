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
		console.log(`# ${name}: ${Math.round(took)} ms`);
		assert.ok(took < 20_000, `${took} ms`); // on a busy machine
		assert.ok(lines === null || lines.length <= 5000);
		for (const line of lines ?? []) assert.doesNotMatch(line, /\p{Cs}/u);
	});
}

test("any tags in any order are read, and what is read is sound", async () => {
	const seed = Number(process.env.SEED) || Math.floor(Math.random() * 1e9);
	console.log(`# SEED=${seed}`);
	const bad = await page.evaluate((first) => {
		let state = first >>> 0;
		const random = (n) => {
			state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
			return Math.floor((state / 2 ** 32) * n);
		};
		const names =
			"p div span b i u s a h1 h3 ul ol li table tr td th pre code br img blockquote font input".split(" ");
		const looks = [
			"font-weight:700",
			"mso-list:l0 level3 lfo1",
			"mso-list:Ignore",
			"color:#f00",
			"color:rgb(1,2",
			"display:none",
			"white-space:pre",
			"background:yellow;;:",
		];
		const words = ["a", " ", "\n", "&nbsp;", "wort", "<!--x-->", "<![if y]>", "1.", "\u0007", "&lt;b>"];
		for (let run = 0; run < 400; run++) {
			let html = "";
			for (let i = random(80); i >= 0; i--) {
				const name = names[random(names.length)];
				const style = random(3) ? "" : ` style='${looks[random(looks.length)]}'`;
				const more = name === "a" ? " href=https://a.de" : name === "td" ? ` colspan=${random(4)}` : "";
				html += [`<${name}${more}${style}>`, `</${name}>`, words[random(words.length)]][random(3)];
			}
			const blocks = globalThis.paste.blocksOf(globalThis.paste.parse(html));
			for (const b of blocks) {
				const sound =
					b.level >= 0 &&
					b.level <= 8 &&
					b.spans.every((s) =>
						s.table ? s.table.every((r) => r.length === s.table[0].length) : s.text !== "",
					);
				const none = b.t === "code" && b.spans.some((s) => Object.keys(s.marks).length > 0);
				if (!sound || none) return `${run}: ${html}\n${JSON.stringify(b)}`;
			}
		}
		return "";
	}, seed);
	assert.equal(bad, "");
});

test("too much is noticed soon", async () => {
	const part = samples.Word.html.replace(/^[\s\S]*<!--StartFragment-->|<!--EndFragment-->[\s\S]*$/g, "");
	const { lines, took } = await read(part.repeat(Math.floor(4_900_000 / part.length)));
	console.log(`# 4.9 MB of Word in ${Math.round(took)} ms`);
	assert.equal(lines, null);
	assert.ok(took < 20_000);
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
