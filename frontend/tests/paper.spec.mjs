// Writing in a document as people do, on real nodes: keys, toolbar, lists, pasting,
// tables, images, links, finding, printing.
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before } from "node:test";
import { accessible, fits, launch, looks, open, phone, pictures, quiet, step, wide } from "./browser.mjs";
import { pair, startNode, until } from "./nodes.mjs";

let browser;
let anke; // nodes
let jonas;
let a; // their pages
let j;

before(async () => {
	[browser, anke, jonas] = await Promise.all([launch(), startNode(), startNode()]);
	await pair(anke, jonas, {
		office: "Kanzlei Petersen & Wolf",
		first: "Anke Petersen",
		firstDevice: "PC Empfang",
		second: "Jonas Wolf",
		secondDevice: "Laptop Wolf",
	});
	a = await open(browser, anke, { permissions: ["clipboard-read", "clipboard-write"] });
	j = await open(browser, jonas);
});

after(async () => {
	await browser?.close();
	await Promise.all([anke, jonas].map((node) => node?.stop()));
});

const text = (page) => page.getByRole("textbox", { name: /^Text von / });
const tool = (page, name) =>
	page.getByRole("toolbar", { name: "Text gestalten" }).getByRole("button", { name, exact: true });
const dialog = (page) => page.getByRole("dialog").filter({ visible: true });

// show opens a document in a page.
async function show(page, id, view = "") {
	await page.evaluate(
		(hash) => {
			location.hash = hash;
		},
		`#/documents/${encodeURIComponent(id)}${view}`,
	);
	if (view !== "/history") await text(page).waitFor();
}

// fresh makes a document and opens it, with the cursor in it.
async function fresh(page, title, markdown = "") {
	const { id } = await anke.ask("document/create", { space: "", title, folder: "", markdown, template: "" });
	await show(page, id);
	await text(page).click();
	return id;
}

// blocks is what an editor shows: kind, level and text of each block.
const blocks = (page) =>
	page.evaluate(() =>
		globalThis.document.querySelector(".paper-place").editor.view.state.doc.content.content.map((b) => {
			const { t, level, checked } = b.attrs;
			const inline = b.content.content.map((n) => {
				if (!n.isText) return `{${n.attrs.t}}`;
				const marks = n.marks.map((m) => m.type.name + (m.attrs.v ?? m.attrs.href ?? ""));
				return marks.length > 0 ? `[${n.text}|${marks.join(",")}]` : n.text;
			});
			return `${t}${level || ""}${checked ? "x" : ""}: ${inline.join("")}`;
		}),
	);
const says = async (page, wanted) => {
	try {
		await until("the text", async () => JSON.stringify(await blocks(page)) === JSON.stringify(wanted), 5000);
	} catch {
		assert.deepEqual(await blocks(page), wanted);
	}
};
// select selects so many letters from the beginning.
async function select(page, n) {
	await page.keyboard.press("Control+Home");
	for (let i = 0; i < n; i++) await page.keyboard.press("Shift+ArrowRight");
	await until("the selection", () =>
		page.evaluate((many) => {
			const { from, to } = globalThis.document.querySelector(".paper-place").editor.view.state.selection;
			return to - from === many;
		}, n),
	);
}
// saved is the text as the program has it.
const saved = async (node, id) => (await node.ask("document", { id, heads: [] })).markdown;

// paste puts something on the clipboard as a program would, and pastes it.
const paste = (page, types) =>
	text(page).evaluate((el, data) => {
		const transfer = new DataTransfer();
		for (const [type, value] of Object.entries(data)) transfer.setData(type, value);
		el.dispatchEvent(
			new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true, cancelable: true }),
		);
	}, types);
// copied is what copying puts on the clipboard.
const copied = (page) =>
	text(page).evaluate((el) => {
		const transfer = new DataTransfer();
		el.dispatchEvent(
			new ClipboardEvent("copy", { clipboardData: transfer, bubbles: true, cancelable: true }),
		);
		return { html: transfer.getData("text/html"), text: transfer.getData("text/plain") };
	});

step("what is typed becomes what it says", async () => {
	const id = await fresh(a, "Kürzel");
	const type = (what) => a.keyboard.type(what);
	const enter = () => a.keyboard.press("Enter");
	await type("# Titel");
	await enter();
	await type("Text mit **fett** und *kursiv* und `code` da.");
	await enter();
	await type("- eins");
	await enter();
	await a.keyboard.press("Tab");
	await type("tiefer");
	await enter();
	await enter(); // out of the inner list
	await type("zwei");
	await enter();
	await enter(); // and out of the list
	await type("1. erstens");
	await enter();
	await type("zweitens");
	await enter();
	await enter();
	await type("[] Aufgabe");
	await enter();
	await enter();
	await type("> Zitat");
	await enter();
	await enter();
	await type("``` a");
	await enter();
	await type("  b");
	await a.keyboard.press("Control+Enter");
	await type("Ende");
	await a.keyboard.press("Shift+Enter");
	await type("neue Zeile");
	await says(a, [
		"heading1: Titel",
		"paragraph: Text mit [fett|strong] und [kursiv|em] und [code|code] da.",
		"bullet: eins",
		"bullet1: tiefer",
		"bullet: zwei",
		"ordered: erstens",
		"ordered: zweitens",
		"task: Aufgabe",
		"quote: Zitat",
		"code:  a\n  b",
		"paragraph: Ende\nneue Zeile",
	]);
	await until("saved", async () => (await saved(anke, id)).includes("neue Zeile"));
	assert.match(await saved(anke, id), /# Titel\n\nText mit \*\*fett\*\* und \*kursiv\* und `code` da\./);
});

step("Backspace takes a rule back, then the kind, then joins", async () => {
	await fresh(a, "Rückschritt");
	await a.keyboard.type("oben");
	await a.keyboard.press("Enter");
	await a.keyboard.type("# ");
	await says(a, ["paragraph: oben", "heading1: "]);
	await a.keyboard.press("Backspace");
	await says(a, ["paragraph: oben", "paragraph: # "]);
	for (let i = 0; i < 2; i++) await a.keyboard.press("Backspace");
	await a.keyboard.press("Control+Alt+2");
	await a.keyboard.type("unten");
	await a.keyboard.press("Home");
	await says(a, ["paragraph: oben", "heading2: unten"]);
	await a.keyboard.press("Backspace");
	await says(a, ["paragraph: oben", "paragraph: unten"]);
	await a.keyboard.press("Backspace");
	await says(a, ["paragraph: obenunten"]);
	// What was done within a moment is one step to undo, so it may take one or two.
	const until2 = async (key, wanted) => {
		for (let i = 0; i < 2 && JSON.stringify(await blocks(a)) !== JSON.stringify(wanted); i++)
			await a.keyboard.press(key);
		await says(a, wanted);
	};
	await until2("Control+z", ["paragraph: oben", "heading2: unten"]);
	await until2("Control+y", ["paragraph: obenunten"]);
});

step("keys and tools mark what is selected", async () => {
	await fresh(a, "Zeichen", "eins zwei drei\n\nvier");
	await select(a, 4);
	await a.keyboard.press("Control+b");
	assert.equal(await tool(a, "Fett").getAttribute("aria-pressed"), "true");
	await tool(a, "Kursiv").click();
	await says(a, ["paragraph: [eins|em,strong] zwei drei", "paragraph: vier"]);
	await tool(a, "Markieren").click();
	await tool(a, "Farbe und weitere Schrift").click();
	await a.getByRole("menuitem", { name: "Rot", exact: true }).click();
	await tool(a, "Farbe und weitere Schrift").click();
	await a.getByRole("menuitem", { name: "Unterstrichen" }).click();
	const marked = (await blocks(a))[0];
	for (const mark of ["em", "strong", "marker", "color#b3261e", "underline"])
		assert.ok(marked.includes(mark), marked);
	await tool(a, "Farbe und weitere Schrift").click();
	await a.getByRole("menuitem", { name: "Gestaltung entfernen" }).click();
	await says(a, ["paragraph: eins zwei drei", "paragraph: vier"]);
	// By keyboard alone: to the tools, along them, and back.
	await a.keyboard.press("Alt+F10");
	assert.equal(
		await a.evaluate(() => document.activeElement.getAttribute("aria-label")),
		"Farbe und weitere Schrift",
	);
	await a.keyboard.press("ArrowRight");
	await a.keyboard.press("Enter");
	await says(a, ["bullet: eins zwei drei", "paragraph: vier"]);
	await a.keyboard.press("Alt+F10");
	await a.keyboard.press("Home");
	await a.keyboard.press("Enter");
	await a.getByRole("menuitem", { name: "Überschrift 3" }).waitFor();
	await a.keyboard.press("ArrowDown");
	await a.keyboard.press("ArrowDown");
	await a.keyboard.press("Enter");
	await says(a, ["heading2: eins zwei drei", "paragraph: vier"]);
	await a.keyboard.press("Control+/");
	await dialog(a).getByText("Zu den Werkzeugen").waitFor();
	await accessible(a, "keys");
	await a.keyboard.press("Escape");
});

step("two people tick tasks of one list, each sees both", async () => {
	const id = await fresh(a, "Aufgaben", "- [ ] Akte\n- [ ] Anruf\n- [ ] Post");
	await show(j, id);
	await j.getByRole("checkbox").nth(2).waitFor();
	await Promise.all([a.getByRole("checkbox").nth(0).click(), j.getByRole("checkbox").nth(1).click()]);
	await says(a, ["taskx: Akte", "taskx: Anruf", "task: Post"]);
	await says(j, ["taskx: Akte", "taskx: Anruf", "task: Post"]);
	await j.getByText("Post").click();
	await j.keyboard.press("Control+Enter");
	await says(a, ["taskx: Akte", "taskx: Anruf", "taskx: Post"]);
});

step("a table: cells, rows and columns of two people merge", async () => {
	const id = await fresh(a, "Tabelle");
	await a.keyboard.type("Davor");
	await tool(a, "Tabelle").click();
	const cell = (page, row, col) =>
		page.getByRole("textbox", { name: `Zeile ${row}, Spalte ${col}`, exact: true });
	await cell(a, 1, 1).click();
	await a.keyboard.type("Posten");
	await a.keyboard.press("Tab");
	await a.keyboard.type("Betrag");
	await show(j, id);
	await until("the cell there", async () => (await cell(j, 1, 2).inputValue()) === "Betrag");
	// Both in different cells, then both in one.
	await Promise.all([cell(a, 2, 1).click(), cell(j, 2, 2).click()]);
	await Promise.all([
		a.keyboard.type("Hausrat", { delay: 15 }),
		j.keyboard.type("1.200 Euro", { delay: 15 }),
	]);
	for (const page of [a, j]) {
		await until("both cells", async () => {
			const now = [await cell(page, 2, 1).inputValue(), await cell(page, 2, 2).inputValue()];
			return now[0] === "Hausrat" && now[1] === "1.200 Euro";
		});
	}
	await cell(a, 3, 1).click();
	await cell(j, 3, 1).click();
	await a.keyboard.type("Boot");
	await until("the word there", async () => (await cell(j, 3, 1).inputValue()) === "Boot");
	await j.keyboard.press("End");
	await j.keyboard.type(" Marie");
	await until("both words", async () => (await cell(a, 3, 1).inputValue()) === "Boot Marie");
	// Tab from the last cell adds a row; undo from within a cell takes typing back.
	await cell(a, 3, 3).click();
	await a.keyboard.press("Tab");
	await cell(a, 4, 1).waitFor();
	await a.keyboard.type("neu");
	await until("the new row there", async () => (await cell(j, 4, 1).inputValue()) === "neu");
	await a.keyboard.press("Control+z");
	await until("typing is undone", async () => (await cell(a, 4, 1).inputValue()) === "");
	// A column goes with its cells.
	await cell(a, 1, 3).click();
	await a.getByRole("button", { name: "Mehr zur Tabelle" }).click();
	await a.getByRole("menuitem", { name: "Spalte löschen" }).click();
	await until(
		"two columns",
		async () => (await j.getByRole("row").first().getByRole("textbox").count()) === 2,
	);
	await cell(a, 2, 1).click();
	await a.screenshot({ path: join(pictures, "node-paper-table.png") });
	await accessible(a, "table");
	await a.keyboard.press("Escape");
	await a.keyboard.type("Danach");
	await says(a, ["paragraph: Davor", "paragraph: {table}", "paragraph: Danach"]);
	const md = await until("saved", async () => {
		const now = await saved(anke, id);
		return now.includes("Danach") && now;
	});
	assert.match(md, /\| Posten \| Betrag \|[\s\S]*\| Hausrat \| 1\\\.200 Euro \|/);
});
