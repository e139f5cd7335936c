// Writing in a document as people do, on real nodes: keys, toolbar, lists, pasting,
// tables, images, links, finding, printing.
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before } from "node:test";
import { accessible, launch, looks, open, phone, pictures, quiet, step, wide } from "./browser.mjs";
import { pair, startNode, until } from "./nodes.mjs";
import { begin, blocks, copied, dialog, paste, saved, says, select, show, text, tool } from "./paper.mjs";
import { samples } from "./paste.samples.mjs";

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

// fresh makes a document and opens it, with the cursor in it.
async function fresh(page, title, markdown = "") {
	const { id } = await anke.ask("document/create", { space: "", title, folder: "", markdown, template: "" });
	await show(page, id);
	await text(page).click();
	return id;
}

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
	await until("the cursor is at the beginning", () =>
		a.evaluate(() => {
			const { selection } = globalThis.document.querySelector(".paper-place").editor.view.state;
			return selection.empty && selection.$head.parentOffset === 0;
		}),
	);
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
	await until("bold is pressed", async () => (await tool(a, "Fett").getAttribute("aria-pressed")) === "true");
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
	assert.equal(await cell(a, 4, 1).evaluate((el) => el === document.activeElement), true);
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

step("what is pasted is clean, and what is copied is good elsewhere", async () => {
	await fresh(a, "Einfügen");
	const { html, blocks: wanted } = samples.Word;
	await paste(a, { "text/html": html, "text/plain": "Vertrag" });
	const shape = (line) => line.replace(/\{table[^}]*\}/, "{table}");
	await says(a, wanted.map(shape));
	quiet(a); // nothing was loaded, no style refused
	await a.keyboard.press("Control+a");
	const out = await copied(a);
	assert.match(out.html, /<h1>Vertrag<\/h1><h2>Parteien<\/h2><p>Zwischen <strong>/);
	assert.match(out.html, /<ul><li>Erster Punkt<ul><li>Darunter<\/li><\/ul><\/li><\/ul><ol><li>Nummer eins/);
	assert.match(out.html, /<table border="1"><tr><td>Posten<\/td><td>Betrag<\/td><\/tr>/);
	assert.match(out.text, /^# Vertrag\n\n## Parteien\n\nZwischen/);
	assert.match(out.text, /- Erster Punkt\n {2}- Darunter\n1\. Nummer eins/);
	assert.match(out.text, /Posten\tBetrag\nzusammen\t/);
	// Between documents of ours nothing is lost, by the real clipboard.
	const before = await blocks(a);
	await a.keyboard.press("Control+c");
	await fresh(a, "Eingefügt");
	await a.keyboard.press("Control+v");
	await says(a, before);
	// Within a line.
	await fresh(a, "Zeile", "eins drei");
	await begin(a);
	for (let i = 0; i < 5; i++) await a.keyboard.press("ArrowRight");
	await until("the cursor", () =>
		a.evaluate(
			() => globalThis.document.querySelector(".paper-place").editor.view.state.selection.from === 6,
		),
	);
	await paste(a, { "text/html": "<b>zwei</b> " });
	await says(a, ["paragraph: eins [zwei|strong]drei"]);
	await paste(a, { "text/plain": "a\nb\r\nc" });
	await says(a, ["paragraph: eins [zwei|strong]a", "paragraph: b", "paragraph: cdrei"]);
});

step("too much to paste is said in place, and the text alone is offered", async () => {
	await fresh(a, "Zu viel");
	await text(a).evaluate((el) => {
		const transfer = new DataTransfer();
		transfer.setData("text/html", `<p>${"viel Text ".repeat(600_000)}</p>`);
		transfer.setData("text/plain", "nur der Text");
		el.dispatchEvent(
			new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true, cancelable: true }),
		);
	});
	await a.getByText("Das ist zu viel auf einmal (6 MB).").waitFor();
	await accessible(a, "refused");
	await a.getByRole("button", { name: "Nur den Text einfügen" }).click();
	await says(a, ["paragraph: nur der Text"]);
	assert.equal(await a.getByText("Das ist zu viel").count(), 0);
});

step("links lead only where they may", async () => {
	await fresh(a, "Links", "Siehe Gericht dort");
	await select(a, 5);
	await a.keyboard.press("Control+k");
	const address = dialog(a).getByLabel("Adresse");
	assert.equal(await dialog(a).count(), 1); // not that of the whole page, which has the same keys
	await address.fill("javascript:alert(1)");
	await a.getByRole("button", { name: "Übernehmen" }).click();
	await dialog(a).getByText("Das ist keine Adresse").waitFor();
	await accessible(a, "link dialog");
	await address.fill("www.beispiel.de/x");
	await a.keyboard.press("Enter");
	await says(a, ["paragraph: [Siehe|linkhttps://www.beispiel.de/x] Gericht dort"]);
	const popup = a.getByRole("group", { name: "Link an dieser Stelle" });
	await popup.waitFor();
	await accessible(a, "link popup");
	const opened = a.context().waitForEvent("page");
	await a.context().route("https://www.beispiel.de/**", (route) => route.fulfill({ body: "dort" }));
	await popup.getByRole("button", { name: "Öffnen" }).click();
	const other = await opened;
	await other.waitForURL("https://www.beispiel.de/x");
	await other.close();
	await a.bringToFront();
	await popup.getByRole("button", { name: "Link entfernen" }).click();
	await says(a, ["paragraph: Siehe Gericht dort"]);
	// An address pasted onto words makes them a link; one that lies opens nothing.
	await select(a, 5);
	await paste(a, { "text/plain": "https://a.de/b" });
	await says(a, ["paragraph: [Siehe|linkhttps://a.de/b] Gericht dort"]);
});

step("finding counts, goes round and ends on what was found", async () => {
	await fresh(a, "Suchen", "Eins zwei EINS\n\ndrei eins\n\nEinsatz");
	await begin(a);
	await a.keyboard.press("Control+f");
	await a.keyboard.type("eins");
	await a.getByText("1 von 4", { exact: true }).waitFor();
	for (let i = 0; i < 4; i++) await a.keyboard.press("Enter");
	await a.getByText("1 von 4", { exact: true }).waitFor();
	await a.getByRole("button", { name: "Vorige Stelle" }).click();
	await a.getByText("4 von 4", { exact: true }).waitFor();
	await accessible(a, "find");
	await a.getByRole("textbox", { name: "Im Text suchen" }).press("Escape");
	await a.keyboard.type("Vor");
	await says(a, ["paragraph: Eins zwei EINS", "paragraph: drei eins", "paragraph: Voratz"]);
});

step("an image goes into the folder, into the text, and to the other", async () => {
	const id = await fresh(a, "Bericht: Husum/Nord", "Oben\n\nUnten");
	await until("a folder", async () => (await anke.ask("files/folders")).folders[0]?.kept);
	const png = join(anke.home, "Foto.png");
	const image = await a.evaluate(async () => {
		const canvas = new OffscreenCanvas(600, 300);
		const draw = canvas.getContext("2d");
		draw.fillStyle = "#0f515b";
		draw.fillRect(0, 0, 600, 300);
		return [...new Uint8Array(await (await canvas.convertToBlob()).arrayBuffer())];
	});
	await writeFile(png, Buffer.from(image));
	await writeFile(join(anke.home, "Liste.csv"), "a;b");
	await begin(a);
	await a.keyboard.press("End");
	await a
		.getByLabel("Bild oder Datei von diesem Computer")
		.setInputFiles([png, join(anke.home, "Liste.csv")]);
	const img = (page) => page.getByRole("img", { name: "Bild Foto.png" });
	await img(a).waitFor();
	await show(j, id);
	for (const page of [a, j])
		await until("the picture", () => img(page).evaluate((i) => i.complete && i.naturalWidth === 600), 30_000);
	const paths = (
		await anke.ask("files/list", {
			space: (await anke.ask("documents", { space: "" })).documents[0].space,
			path: "Dokumente/Bericht Husum Nord",
		})
	).files.map((f) => f.name);
	assert.deepEqual(paths.sort(), ["Foto.png", "Liste.csv"]);
	await img(a).click();
	const alt = a.getByRole("textbox", { name: "Beschreibung" });
	await alt.fill("Karte von Husum");
	await a.getByRole("button", { name: "Mittel" }).click();
	await j.getByRole("img", { name: "Karte von Husum" }).waitFor();
	await until("its size", () => j.locator(".embed-image[data-width=medium]").count());
	await a.screenshot({ path: join(pictures, "node-paper-image.png") });
	await accessible(a, "image");
	assert.ok((await blocks(a)).some((b) => b.includes("{image}")));
	assert.ok((await blocks(a)).some((b) => b.includes("{file}")));
	await a.getByRole("button", { name: /^Datei Liste\.csv/ }).click();
	await a.getByRole("menuitem", { name: "In Dateien zeigen" }).click();
	await a.getByRole("complementary", { name: "Stände von Liste.csv" }).waitFor();
});

step("an image is pasted and dropped; without the folder it is said why not", async () => {
	await fresh(a, "Bilder", "Oben");
	// bring hands the text an image as the clipboard or the mouse would.
	const bring = (how) =>
		text(a).evaluate(async (el, kind) => {
			const canvas = new OffscreenCanvas(40, 20);
			canvas.getContext("2d").fillRect(0, 0, 40, 20);
			const blob = await canvas.convertToBlob();
			const data = new DataTransfer();
			data.items.add(new File([blob], kind === "paste" ? "image.png" : "Gezogen.png", { type: "image/png" }));
			const { right, bottom } = el.firstElementChild.getBoundingClientRect();
			const at = { bubbles: true, cancelable: true, clientX: right - 5, clientY: bottom - 5 };
			if (kind === "paste") el.dispatchEvent(new ClipboardEvent("paste", { ...at, clipboardData: data }));
			else el.dispatchEvent(new DragEvent("drop", { ...at, dataTransfer: data }));
		}, how);
	await bring("paste");
	await a.getByRole("img", { name: /^Bild \d{4}-\d\d-\d\d [\d.]+\.png$/ }).waitFor();
	await bring("drop");
	await a.getByRole("img", { name: "Bild Gezogen.png" }).waitFor();
	const space = (await anke.ask("files/folders")).folders[0].space;
	await anke.ask("files/folder", { space, kept: false, dir: "" });
	await until("the folder is not kept", async () => !(await anke.ask("files/folders")).folders[0].kept);
	await until("it is said", async () => {
		await bring("paste");
		return a.getByText("Der Ordner dieses Bereichs liegt nicht auf diesem Gerät.").count();
	});
	await accessible(a, "no folder");
	await anke.ask("files/folder", { space, kept: true, dir: "" });
	await until("the folder is kept", async () => (await anke.ask("files/folders")).folders[0].kept);
});

step("who may only read has no tools and changes nothing", async () => {
	const person = (await jonas.ask("status")).person.id;
	const space = await anke.ask("space/create", { name: "Nur lesen", members: [{ person, level: "read" }] });
	const { id } = await anke.ask("document/create", {
		space: space.id,
		title: "Geschützt",
		folder: "",
		markdown: "Lesen\n\n- [ ] Aufgabe\n\n| A | B |\n|---|---|\n| 1 | 2 |",
		template: "",
	});
	await until("it is there", async () =>
		(await jonas.ask("documents", { space: "" })).documents.some((d) => d.id === id),
	);
	await show(j, id);
	await j.getByText("Schreiben dürfen Sie hier nicht.").waitFor();
	const was = await blocks(j);
	await text(j).getByText("Lesen").click();
	await j.keyboard.type("x");
	await j.keyboard.press("Control+b");
	await paste(j, { "text/plain": "nein" });
	assert.equal(await j.getByRole("checkbox").isDisabled(), true);
	assert.equal(await j.getByRole("textbox", { name: "Zeile 1, Spalte 1" }).getAttribute("readonly"), "");
	assert.equal(await j.getByRole("toolbar").count(), 0);
	assert.deepEqual(await blocks(j), was);
	await accessible(j, "reader");
});

step("a remark keeps its place while people write before it", async () => {
	const id = await fresh(a, "Anmerkungen", "Der Hausrat im Obergeschoss");
	await begin(a);
	await select(a, 11);
	await a.keyboard.press("Control+Alt+m");
	const field = a.getByRole("complementary", { name: "Anmerkungen" }).getByRole("textbox").last();
	await field.waitFor();
	await show(j, id);
	await text(j).click();
	await begin(j);
	await j.keyboard.type("Neu: ");
	await until("it arrived", async () => (await blocks(a))[0].includes("Neu: "));
	await field.fill("Ist das alles?");
	await a.screenshot({ path: join(pictures, "node-paper-comment.png") });
	await field.press("Control+Enter");
	await until("the mark", async () => /Neu: \[Der Hausrat\|comment\]/.test((await blocks(j))[0]), 10_000);
	await accessible(a, "comments");
	await j.locator(".cm").click();
	await j.getByText("Ist das alles?").waitFor();
});

step("the title is changed in place, and names the document elsewhere", async () => {
	const id = await fresh(a, "Alter Titel", "x");
	const title = a.getByRole("textbox", { name: "Titel", exact: true });
	await title.fill("Neuer Titel");
	await title.press("Enter");
	await until("the name", async () =>
		(await jonas.ask("documents", { space: "" })).documents.some(
			(d) => d.id === id && d.title === "Neuer Titel",
		),
	);
	assert.equal(await a.evaluate(() => document.activeElement.classList.contains("ProseMirror")), true);
});

step("print shows the text alone", async () => {
	await fresh(
		a,
		"Druck",
		"# Eins\n\nText **fett**\n\n- [x] getan\n\n1. a\n2. b\n\n| A | B |\n|---|---|\n| 1 | 2 |\n\n> Zitat",
	);
	await a.evaluate(() => {
		globalThis.print = () => globalThis.dispatchEvent(new Event("beforeprint"));
	});
	await a.getByRole("button", { name: "Mehr zu diesem Dokument" }).click();
	await a.getByRole("menuitem", { name: "Drucken", exact: true }).click();
	await a.locator(".print-root").waitFor({ state: "attached" });
	await a.emulateMedia({ media: "print" });
	assert.equal(await a.locator("header").first().isVisible(), false);
	assert.equal(await a.locator(".print-root table").isVisible(), true);
	assert.deepEqual(await a.locator(".print-root th").allInnerTexts(), ["A", "B"]);
	const pdf = await a.pdf({ path: join(pictures, "node-paper.pdf"), printBackground: true });
	assert.ok(pdf.length > 1000);
	await a.screenshot({ path: join(pictures, "node-paper-print.png") });
	await a.emulateMedia({ media: "screen" });
	await a.evaluate(() => globalThis.dispatchEvent(new Event("afterprint")));
	assert.equal(await a.locator(".print-root").count(), 0);
});

step("the page looks right, large and small, light and dark, with two cursors", async () => {
	const id = await fresh(
		a,
		"Vergleich Thiessen",
		await readFile(new URL("./paper.md", import.meta.url), "utf8"),
	);
	await show(j, id);
	await text(j).click();
	await j.getByText("Das Boot").click();
	await j.keyboard.press("End");
	await j.keyboard.type(" Der Beklagte übergibt die Papiere.");
	await a.getByText("Jonas schreibt").waitFor();
	await until("his cursor", () => a.locator(".here").count());
	await looks(a, "node-paper");
	await a.setViewportSize(phone);
	await a.getByRole("button", { name: "Mehr zu diesem Dokument" }).click();
	await a.screenshot({ path: join(pictures, "node-paper-menu-375.png") });
	await a.keyboard.press("Escape");
	await a.setViewportSize(wide);
	quiet(a);
	quiet(j);
});

step("while the program is away the page says since when nothing is saved", async () => {
	const id = await fresh(a, "Weg", "Anfang");
	await a.keyboard.press("Control+End");
	await a.route("**/api/document/sync", (route) => route.abort());
	await a.keyboard.type(" ohne Netz");
	await a.getByText(/^nicht gespeichert seit \d\d:\d\d/).waitFor();
	await a.screenshot({ path: join(pictures, "node-paper-unsaved.png") });
	await a.unroute("**/api/document/sync");
	await a.getByText(/^gespeichert hier/).waitFor();
	await until("saved", async () => (await saved(anke, id)).includes("Anfang ohne Netz"));
	a.complaints.length = 0; // of the calls that were cut
});
