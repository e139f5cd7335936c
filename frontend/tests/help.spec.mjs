// The handbook: that it says what is so, in both languages, and is reached from
// everywhere; in the window and as a page without script.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { check, languages, read } from "../build/handbook.mjs";
import { accessible, fits, launch, looks, open, phone, pictures, quiet, step, wide } from "./browser.mjs";
import { startNode } from "./nodes.mjs";

const source = (path) => readFileSync(new URL(`../${path}`, import.meta.url), "utf8");
const chapters = Object.fromEntries(languages.map((l) => [l, read(l)]));
const written = (language) =>
	readdirSync(new URL(`../handbook/${language}`, import.meta.url)).map((name) => ({
		name: `${language}/${name}`,
		text: source(`handbook/${language}/${name}`),
	}));
const all = languages.flatMap(written);

test("both languages have the same chapters and sections", () => {
	const shape = (l) => chapters[l].map((c) => `${c.id}: ${c.sections.map((s) => s.id)}`);
	assert.deepEqual(shape("de"), shape("en"));
	assert.ok(chapters.de.length >= 8 && chapters.de.length <= 14);
	for (const l of languages) {
		for (const c of chapters[l]) {
			const words = [c, ...c.sections].reduce((n, s) => n + s.text.split(" ").length, 0);
			assert.ok(words > 60 && words < 700, `${l}/${c.id} has ${words} words`);
		}
	}
});

test("each link leads to a place that exists", () => {
	for (const l of languages) check(chapters[l]);
	assert.throws(
		() => check([{ id: "a", html: '<a href="#/help/b">b</a>', sections: [] }]),
		/not in the handbook/,
	);
	const route = source("src/lib/state/route.svelte.ts");
	const links = all.flatMap(({ text }) => [...text.matchAll(/\]\((#\/[^)]*)\)/g)].map((m) => m[1]));
	assert.ok(links.length > 20);
	for (const link of new Set(links)) assert.ok(route.includes(`"${link}"`), `no page is called ${link}`);
});

test("ways from the window lead to sections that exist", () => {
	const dir = new URL("../src/", import.meta.url);
	let n = 0;
	for (const file of readdirSync(dir, { recursive: true }).filter((f) => f.endsWith(".svelte"))) {
		for (const [, to, section] of source(`src/${file}`).matchAll(
			/<MoreHelp\s+to="([^"]+)"(?:\s+section="([^"]+)")?/g,
		)) {
			n++;
			const chapter = chapters.de.find((c) => c.id === to);
			assert.ok(chapter, `${file}: no chapter ${to}`);
			if (section)
				assert.ok(
					chapter.sections.some((s) => s.id === section),
					`${file}: no section ${to}/${section}`,
				);
		}
	}
	assert.ok(n >= 6, `only ${n} ways`);
	for (const [place, to, section] of source("src/lib/points.ts").matchAll(/"([a-z-]+)\/([a-z-]+)"/g)) {
		assert.ok(
			chapters.de.find((c) => c.id === to)?.sections.some((s) => s.id === section),
			place,
		);
	}
	const often = [...source("src/screens/Help.svelte").matchAll(/^\t"([a-z-]+)\/([a-z-]+)",$/gm)];
	assert.ok(often.length > 3);
	for (const [place, to, section] of often) {
		assert.ok(
			chapters.de.find((c) => c.id === to)?.sections.some((s) => s.id === section),
			place,
		);
	}
});

test("what is said in bold are words of the page", () => {
	for (const l of languages) {
		const words = readdirSync(new URL("../src/lib/words", import.meta.url))
			.filter((name) => name === `${l}.ts` || name.endsWith(`.${l}.ts`))
			.map((name) => source(`src/lib/words/${name}`))
			.join("\n");
		for (const { name, text } of written(l)) {
			if (/-(what|security)\.md$/.test(name)) continue; // bold stresses there
			for (const [, bold] of text.matchAll(/\*\*(.+?)\*\*/g)) {
				assert.ok(words.includes(bold), `${name}: the page does not say “${bold}”`);
			}
		}
	}
});

test("each command and flag exists", () => {
	const program = process.env.INSELNETZ_BIN;
	const help = execFileSync(program, ["help"], { encoding: "utf8" });
	const names = new Map([...help.matchAll(/^ {2}inselnetz (\S+) (.*)$/gm)].map((m) => [m[1], m[2]]));
	const flags = new Map();
	const flagsOf = (name) => {
		if (!flags.has(name)) {
			const { stderr } = spawnSync(program, [name, "-h"], { encoding: "utf8" });
			flags.set(name, new Set([...stderr.matchAll(/^ {2}-(\S+)/gm)].map((m) => m[1])));
		}
		return flags.get(name);
	};
	let n = 0;
	for (const { name, text } of all) {
		for (const [line] of text.matchAll(/(?<=^|`)inselnetz [a-z][^`\n]*/gm)) {
			const [, command, sub] = line.split(" ");
			if (command === "help") continue;
			n++;
			assert.ok(names.has(command), `${name}: there is no ${line}`);
			if (/^(files|doc|page)$/.test(command) && sub) {
				assert.ok(
					names
						.get(command)
						.split(/[| [\]]/)
						.includes(sub),
					`${name}: there is no ${line}`,
				);
			}
			const said = line.replace(/"[^"]*"/g, "");
			for (const [, flag] of said.matchAll(/ --([a-z-]+)/g)) {
				assert.ok(flagsOf(command).has(flag), `${name}: there is no --${flag} of ${command}`);
			}
		}
		for (const [, flag] of text.matchAll(/`--([a-z-]+)[^`]*`/g)) {
			assert.ok(
				["read", "remove", "serve"].some((c) => flagsOf(c).has(flag)),
				`${name}: there is no --${flag}`,
			);
		}
	}
	assert.ok(n > 60);
	assert.match(help, /handbook/, "inselnetz help does not name the handbook");
});

// The keys of a section's table, in the words of the code.
const keysOf = (language, section) => {
	const { html } = chapters[language]
		.find((c) => c.id === "reference")
		.sections.find((s) => s.id === section);
	const plain = {
		Strg: "Mod",
		Ctrl: "Mod",
		Umschalt: "Shift",
		Eingabe: "Enter",
		Leertaste: " ",
		Space: " ",
		Entf: "Delete",
		Del: "Delete",
		Rücktaste: "Backspace",
		"↑": "ArrowUp",
		"↓": "ArrowDown",
		Esc: "Escape",
	};
	const cells = [...html.matchAll(/<tr><td>(.*?)<\/td>/g)].map((m) => m[1]);
	assert.ok(cells.length > 3);
	return cells.map((cell) => [...cell.matchAll(/<kbd>(.*?)<\/kbd>/g)].map((m) => plain[m[1]] ?? m[1]));
};

test("each keyboard shortcut exists, and no other of a text", () => {
	const list = /export const list = \[(.*?)\] as const/s.exec(source("src/lib/editor/keys.ts"))[1];
	const real = [...list.matchAll(/\["([^"]+)", /g)].map((m) => m[1].replace(/ … \d$/, "")).sort();
	const code = {
		"keys-chat": ["src/components/chat/Composer.svelte", "src/components/chat/MessageList.svelte"],
		"keys-files": ["src/components/files/FileTable.svelte", "src/components/documents/DocumentList.svelte"],
	};
	for (const l of languages) {
		assert.deepEqual(
			keysOf(l, "keys-document")
				.map((k) => k.join("+"))
				.sort(),
			real,
		);
		for (const [section, files] of Object.entries(code)) {
			const text = files.map(source).join("\n");
			for (const key of keysOf(l, section)
				.flat()
				.filter((k) => !["Mod", "Shift"].includes(k))) {
				const named = key === "A" ? '"a"' : key;
				assert.ok(text.includes(`"${key}"`) || text.includes(named), `nothing in ${files} knows ${key}`);
			}
		}
		assert.ok(keysOf(l, "keys").some((k) => k.join("+") === "F1"));
	}
	assert.match(source("src/App.svelte"), /"F1"/);
	assert.match(source("src/components/Frame.svelte"), /=== "k"/);
});

let browser;
let node;
let page;

before(async () => {
	[browser, node] = await Promise.all([launch(), startNode()]);
	page = await open(browser, node);
});
after(async () => {
	await browser?.close();
	await node?.stop();
});

const title = (name) => page.getByRole("heading", { level: 1, name, exact: true });
const show = (hash) => page.evaluate((to) => (location.hash = to), hash);

step("the help is there before there is an office", async () => {
	await page.getByRole("link", { name: "Hilfe", exact: true }).click();
	await title("Hilfe").waitFor();
	await looks(page, "80-hilfe-vorher");
	await page.getByRole("link", { name: "Zurück zum Anfang" }).click();
	await page.getByText("Willkommen bei Inselnetz").waitFor();
});

step("F1 opens the chapter about the page shown", async () => {
	await node.ask("found", { office: "Praxis am Markt", person: "Anke Petersen", device: "PC Empfang" });
	await page.goto(`${node.origin}/#/files`);
	await page.reload();
	await page.getByRole("link", { name: "Hilfe", exact: true }).waitFor();
	await page.keyboard.press("F1");
	await title("Dateien").waitFor();
	assert.equal(await page.evaluate(() => location.hash), "#/help/files");
	assert.match(await page.title(), /^Hilfe/);
	await looks(page, "81-hilfe-dateien");
	await show("#/help");
	await title("Hilfe").waitFor();
	await looks(page, "82-hilfe");
});

step("a search finds sections, and Enter opens the best", async () => {
	const field = page.getByRole("textbox", { name: "Im Handbuch suchen" });
	await field.fill("TRESOR blatt");
	const hits = page.getByRole("list", { name: "Im Handbuch suchen" }).getByRole("link");
	await hits.first().waitFor();
	assert.match(await hits.first().textContent(), /Das Blatt in den Tresor/);
	assert.ok((await hits.locator("mark").count()) > 0);
	await field.press("Enter");
	await page.getByRole("heading", { name: "Das Blatt in den Tresor" }).waitFor();
	assert.equal(await page.evaluate(() => location.hash), "#/help/first-day/sheet");
	await page.waitForFunction(() => document.activeElement?.id === "help-first-day-sheet");
	await field.fill("xyzzy");
	await page.getByText("Nichts gefunden für „xyzzy“.").waitFor();
	await field.press("Escape");
	await page.getByRole("navigation", { name: "Kapitel", exact: true }).waitFor();
});

step("chapters follow one another, links lead on, print shows the text alone", async () => {
	await page.getByRole("link", { name: /^Weiter: Chat/ }).click();
	await title("Chat").waitFor();
	await page.getByRole("link", { name: /^Vorher: Der erste Tag/ }).click();
	await title("Der erste Tag").waitFor();
	await page.locator("article").getByRole("link", { name: "NAS und Handy" }).click();
	await title("NAS und Handy").waitFor();
	await page.emulateMedia({ media: "print" });
	assert.ok(await title("NAS und Handy").isVisible());
	assert.ok(!(await page.getByRole("navigation", { name: "Kapitel", exact: true }).isVisible()));
	await page.emulateMedia({ media: null });
});

step("where the sheet is printed the handbook says more", async () => {
	await show("#/kit");
	await page.getByRole("link", { name: /^Mehr dazu im Handbuch/ }).click();
	await title("Wenn etwas verloren geht").waitFor();
	await page.waitForFunction(() => document.activeElement?.id === "help-recovery-sheet");
});

step("in English, too", async () => {
	await page.evaluate(() => localStorage.setItem("inselnetz.language", "en"));
	await show("#/help/reference");
	await page.reload();
	await title("Keys and words").waitFor();
	await looks(page, "83-help");
	quiet(page);
});

step("the whole handbook is a page without script and session", async () => {
	for (const [language, name] of [
		["de", "Handbuch"],
		["en", "Handbook"],
	]) {
		const address = `${node.origin}/handbook/${language}.html`;
		const answer = await fetch(address);
		assert.equal(answer.status, 200);
		assert.match(answer.headers.get("content-security-policy"), /default-src 'none'/);
		const html = await answer.text();
		assert.doesNotMatch(html, /<script|<style|style=|https?:\/\//);
		const outside = [...html.matchAll(/(?:src|href)="(?!#)([^"]+)"/g)].map((m) => m[1]);
		assert.ok(
			outside.every((to) => to === "../" || /^[a-z]+\.[a-z0-9]+$/.test(to)),
			`not beside it: ${outside}`,
		);
		const ids = new Set([...html.matchAll(/id="([^"]+)"/g)].map((m) => m[1]));
		for (const [, to] of html.matchAll(/href="#([^"]+)"/g))
			assert.ok(ids.has(to), `${language}.html: no ${to}`);
		for (const c of chapters[language]) {
			for (const s of c.sections) assert.ok(ids.has(`${c.id}.${s.id}`), `${c.id}.${s.id}`);
		}

		const context = await browser.newContext({ javaScriptEnabled: false });
		const bare = await context.newPage();
		const failed = [];
		bare.on("requestfailed", (r) => failed.push(r.url()));
		bare.on("response", (r) => r.status() >= 400 && failed.push(r.url()));
		await bare.goto(address);
		await bare.getByRole("heading", { level: 1, name }).waitFor();
		await bare.getByRole("navigation").getByRole("link").nth(3).click();
		assert.match(bare.url(), /#/);
		await bare.getByRole("link", { name: language === "de" ? "English" : "Deutsch" }).click();
		await bare.waitForURL(/\/handbook\/(en|de)\.html$/);
		assert.deepEqual(failed, []);
		await context.close();

		await page.goto(address);
		// It is long, and axe takes its time: each language once, each way to see it once.
		const way = language === "de" ? [wide, "light"] : [phone, "dark"];
		await page.setViewportSize(way[0]);
		await page.emulateMedia({ colorScheme: way[1] });
		await page.screenshot({ path: join(pictures, `84-handbuch-${language}.png`) });
		await accessible(page, `the handbook, ${language}`);
		await fits(page, `the handbook, ${language}`);
	}
	quiet(page);
});
