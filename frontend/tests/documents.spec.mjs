// The list of documents on two real nodes: making, finding, moving, importing and
// exporting them, who is in them, what a reader may do; and a thousand of them.
import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before } from "node:test";
import { accessible, launch, looks, open, quiet, step, wide } from "./browser.mjs";
import { pair, startNode, until } from "./nodes.mjs";

let browser;
let anke; // nodes
let jonas;
let a; // their pages
let j;
let from; // files to import

before(async () => {
	[browser, anke, jonas] = await Promise.all([launch(), startNode(), startNode()]);
	await pair(anke, jonas, {
		office: "Kanzlei Petersen & Wolf",
		first: "Anke Petersen",
		firstDevice: "PC Empfang",
		second: "Jonas Wolf",
		secondDevice: "Laptop Wolf",
	});
	a = await open(browser, anke);
	j = await open(browser, jonas);
	from = join(anke.home, "von hier");
	await mkdir(from);
});

after(async () => {
	await browser?.close();
	await Promise.all([anke, jonas].map((node) => node?.stop()));
});

const text = `Entwurf, Amtsgericht Husum

Die Parteien schließen zur Erledigung des Rechtsstreits den folgenden Vergleich:

1. Der Beklagte zahlt an die Klägerin 18.400 Euro.
2. Das Boot verbleibt bei der Klägerin.
`;
const list = async (node) => (await node.ask("documents", { space: "" })).documents;
const named = async (node, title) => (await list(node)).find((d) => d.title === title);
const here = (node, title) => until(`„${title}“ there`, () => named(node, title));
const make = (node, title, folder = "", markdown = text) =>
	node.ask("document/create", { space: "", title, folder, markdown, template: "" });
const documents = (page) =>
	page
		.getByRole("navigation", { name: "Bereiche" })
		.getByRole("link", { name: /^Dokumente/ })
		.click();
const dialog = (page) => page.getByRole("dialog").filter({ visible: true });
const press = (page, name) => page.getByRole("button", { name, exact: true }).click();
const link = (page, title) => page.getByRole("listitem").getByRole("link", { name: title });
const menu = async (page, title, item) => {
	await page.getByRole("button", { name: `Mehr zu ${title}`, exact: true }).click();
	await page.getByRole("menuitem", { name: item }).click();
};
const tab = (page, name) =>
	page.getByRole("navigation", { name: "Ordner der Dokumente" }).getByRole("link", { name });
const field = (page) => page.getByRole("textbox", { name: "In Titel und Text suchen" });
const add = (page, ...paths) => page.getByLabel("Text von diesem Computer").setInputFiles(paths);
const address = (page) => decodeURIComponent(new URL(page.url()).hash);

step("an empty list says what to do", async () => {
	await documents(a);
	await a.getByRole("heading", { name: "Noch keine Dokumente" }).waitFor();
	await looks(a, "documents-empty");
});

step("a new document has a title and opens", async () => {
	await press(a, "Neu");
	await dialog(a).getByRole("button", { name: "Anlegen" }).click();
	await dialog(a).getByRole("alert").getByText("Bitte einen Titel eingeben").waitFor();
	await dialog(a).getByLabel("Titel").fill("Vergleich Thiessen");
	await dialog(a).getByLabel("Ordner").fill("Mandate");
	await a.keyboard.press("Enter");
	await until("the document is open", () => /^#\/documents\/[^/]*\.[^/]*$/.test(address(a)));
	await until("its title in the window", async () => (await a.title()).includes("Vergleich Thiessen"));
	assert.equal((await here(jonas, "Vergleich Thiessen")).folder, "Mandate");
});

step("a template is chosen with the arrow keys", async () => {
	await documents(a);
	await press(a, "Aus Vorlage");
	await dialog(a).getByRole("radio").first().waitFor();
	await until("the keyboard on the first", () =>
		a.evaluate(() => document.activeElement?.getAttribute("type") === "radio"),
	);
	await a.keyboard.press("ArrowDown");
	const title = dialog(a).getByLabel("Titel");
	assert.equal(await title.inputValue(), "Checkliste");
	await looks(a, "documents-template");
	await title.fill("Checkliste Kanzleischlüssel");
	await dialog(a).getByRole("button", { name: "Anlegen" }).click();
	await until("the document is open", () => /^#\/documents\/[^/]*\./.test(address(a)));
	assert.equal((await named(anke, "Checkliste Kanzleischlüssel")).template, "checklist");
});

step("days, folders and papers", async () => {
	for (const [title, folder] of [
		["Mandantenbrief Behrens", "Mandate"],
		["Teamrunde KW 45", ""],
		["Urlaubsplan 2027", ""],
		["Schriftsatz Nissen, zweite Fassung", "Mandate"],
		["Telefonnotiz Landgericht", "Telefon"],
	])
		await make(jonas, title, folder);
	await here(anke, "Telefonnotiz Landgericht");
	await documents(a);
	await link(a, "Telefonnotiz Landgericht").waitFor();
	await a.getByRole("heading", { name: "Gerade in Arbeit" }).waitFor();
	await a.getByRole("heading", { name: "Heute" }).waitFor();
	await looks(a, "documents-list");
	await tab(a, /^Mandate/).click();
	await until(
		"three of the folder",
		async () => (await a.getByRole("button", { name: /^Mehr zu/ }).count()) === 3,
	);
	assert.match(await tab(a, /^Mandate/).innerText(), /3/);
	await tab(a, /^Alle/).click();
});

step("rename, move, duplicate, archive, and back again", async () => {
	await menu(a, "Urlaubsplan 2027", /^Umbenennen/);
	await dialog(a).getByLabel("Neuer Titel").fill("Urlaub 2027");
	await a.keyboard.press("Enter");
	await a.getByRole("status").getByText("Heißt jetzt „Urlaub 2027“.").waitFor();
	await here(jonas, "Urlaub 2027");
	await press(a, "Rückgängig");
	await here(jonas, "Urlaubsplan 2027");

	await menu(a, "Urlaubsplan 2027", /^In Ordner/);
	await dialog(a).getByLabel("Ordner").fill("Personal");
	await a.keyboard.press("Enter");
	await tab(a, /^Personal/).waitFor();
	await until("moved there too", async () => (await named(jonas, "Urlaubsplan 2027")).folder === "Personal");

	await menu(a, "Urlaubsplan 2027", "Duplizieren");
	await here(jonas, "Kopie von Urlaubsplan 2027");
	assert.equal(
		(await jonas.ask("document", { id: (await named(jonas, "Kopie von Urlaubsplan 2027")).id, heads: [] }))
			.markdown,
		(await jonas.ask("document", { id: (await named(jonas, "Urlaubsplan 2027")).id, heads: [] })).markdown,
	);

	await menu(a, "Kopie von Urlaubsplan 2027", "Archivieren");
	await a.getByText("liegt im Archiv.").waitFor();
	await tab(a, /^Archiv/).click();
	await menu(a, "Kopie von Urlaubsplan 2027", "Aus dem Archiv holen");
	await a.getByRole("heading", { name: "Das Archiv ist leer" }).waitFor();
	await press(a, "Rückgängig");
	await link(a, "Kopie von Urlaubsplan 2027").waitFor();
	await looks(a, "documents-archive");
	await tab(a, /^Alle/).click();
});

step("texts come in by the button and by dropping", async () => {
	await writeFile(join(from, "Protokoll.md"), "# Protokoll\n\n- Punkt **eins**\n");
	await writeFile(join(from, "Notiz.txt"), "Nur Text.\n");
	await writeFile(join(from, "bild.png"), "kein Text");
	await add(a, join(from, "Protokoll.md"), join(from, "Notiz.txt"), join(from, "bild.png"));
	await a.getByText("2 Dokumente importiert.").waitFor();
	await a.getByRole("alert").getByText("„bild.png“ lässt sich nicht als Dokument öffnen").waitFor();
	await here(jonas, "Protokoll");
	await looks(a, "documents-imported");
	const shut = a.getByRole("button", { name: "Meldung schließen" });
	while ((await shut.count()) > 0) await shut.first().click();

	const file = await a.evaluateHandle(() => {
		const data = new DataTransfer();
		data.items.add(new File(["# Gezogen\n\nMit der Maus."], "Gezogen.md"));
		return data;
	});
	const pane = a.getByRole("region", { name: "Dokumente" });
	await pane.dispatchEvent("dragenter", { dataTransfer: file });
	await a.getByText("Loslassen, um als Dokument zu importieren").waitFor();
	await pane.dispatchEvent("drop", { dataTransfer: file });
	await here(jonas, "Gezogen");
	await a.getByText("„Gezogen“ importiert.").waitFor();
});

step("a document goes out as a file and comes back", async () => {
	await make(anke, "Zum Mitnehmen", "", "Mit **fettem** Wort.\n");
	await link(a, "Zum Mitnehmen").waitFor();
	await menu(a, "Zum Mitnehmen", /^Exportieren/);
	await accessible(a, "documents-export");
	const paths = {};
	for (const [name, ending] of [
		["Markdown", ".md"],
		["Word", ".docx"],
		["OpenDocument", ".odt"],
	]) {
		const [download] = await Promise.all([
			a.waitForEvent("download"),
			dialog(a)
				.getByRole("button", { name: new RegExp(`^${name}`) })
				.click(),
		]);
		assert.equal(download.suggestedFilename(), `Zum Mitnehmen${ending}`);
		paths[name] = join(from, `Zurück${ending}`);
		await download.saveAs(paths[name]);
		await dialog(a).getByText(`Gespeichert als „Zum Mitnehmen${ending}“.`).waitFor();
	}
	await dialog(a).getByRole("button", { name: "Schließen" }).click();
	assert.match(await readFile(paths.Markdown, "utf8"), /Mit \*\*fettem\*\* Wort\./);
	const before = (await list(anke)).length;
	await add(a, paths.Word, paths.OpenDocument);
	await until("both are back", async () => (await list(anke)).length === before + 2);
	const all = (await list(anke)).filter((d) => d.title === "Zum Mitnehmen"); // as the files say
	assert.equal(all.length, 3);
	for (const d of all)
		assert.match((await anke.ask("document", { id: d.id, heads: [] })).markdown, /Mit \*\*fettem\*\* Wort\./);
});

step("words are found in title and text, and open at their place", async () => {
	await documents(a);
	await field(a).fill("boot");
	await a.getByRole("status").getByText("gefunden").waitFor();
	await a.locator("mark", { hasText: /boot/i }).first().waitFor();
	await looks(a, "documents-found");
	await field(a).press("ArrowDown");
	await a.keyboard.press("ArrowDown");
	await a.keyboard.press("ArrowUp");
	await a.keyboard.press("Enter");
	await until("it opens at the place", () => /^#\/documents\/[^/]+\/at\/\d+$/.test(address(a)));

	await documents(a);
	await field(a).fill("gibtesnicht");
	await a.getByRole("heading", { name: "Kein Dokument mit „gibtesnicht“." }).waitFor();
	await field(a).press("Escape");
	await a.getByRole("heading", { name: "Gerade in Arbeit" }).waitFor();

	await a.keyboard.press("Control+k");
	await a.getByRole("combobox", { name: "Suchwort" }).fill("teamrunde");
	await a.getByRole("option").filter({ hasText: "Teamrunde KW 45" }).waitFor();
	await accessible(a, "search with documents");
	await a.getByRole("combobox", { name: "Suchwort" }).press("Enter");
	await until("it is open", async () => (await a.title()).includes("Teamrunde KW 45"));
});

step("who is in a document, and what is new since one was in it", async () => {
	await documents(a); // leaves the Teamrunde, which is seen by now
	const { id } = await named(jonas, "Teamrunde KW 45");
	await j.goto(`${jonas.origin}/#/documents/${id}`);
	await a.getByText("Jonas ist gerade darin").first().waitFor();
	await looks(a, "documents-busy");
	await jonas.ask("document/write", { id, markdown: `${text}\nNoch ein Satz.\n` });
	await until("it is new for Anke", async () => (await named(anke, "Teamrunde KW 45")).new);
	await link(a, "Teamrunde KW 45").getByText("neu", { exact: true }).waitFor();
	await a.getByRole("link", { name: "Lage" }).click();
	await a.getByRole("link", { name: /Teamrunde KW 45.*geändert von Jonas Wolf/ }).waitFor();
	await looks(a, "home-document");
	await a.getByRole("link", { name: /Teamrunde KW 45/ }).click();
	await a.locator(".paper[contenteditable=true]").getByText("Noch ein Satz.").waitFor();
	await documents(a);
	await until("nothing is new any more", async () => !(await named(anke, "Teamrunde KW 45")).new);
	await documents(j);
	await until("Jonas left", async () => (await named(anke, "Teamrunde KW 45")).writers.every((w) => w.self));
});

step("several spaces, and a reader", async () => {
	const { id: person } = (await anke.ask("people")).people.find((p) => p.name === "Jonas Wolf");
	const space = await anke.ask("space/create", { name: "Buchhaltung", members: [{ person, level: "read" }] });
	await until("Jonas is in", async () => (await jonas.ask("spaces")).spaces.some((s) => s.id === space.id));
	await documents(a);
	await press(a, "Neu");
	await dialog(a).getByLabel("Titel").fill("Kassenbuch");
	await dialog(a).getByLabel("Bereich").selectOption({ label: "Buchhaltung" });
	await dialog(a).getByRole("button", { name: "Anlegen" }).click();
	await here(jonas, "Kassenbuch");
	await documents(j);
	await link(j, "Kassenbuch").waitFor();
	await j.getByRole("button", { name: "Mehr zu Kassenbuch" }).click();
	const items = await j.getByRole("menuitem").allInnerTexts();
	assert.deepEqual(
		items.map((i) => i.trim()),
		["Öffnen", "Verlauf", "Exportieren …"],
	);
	await j.keyboard.press("Escape");
});

step("in English", async () => {
	await documents(j);
	await j.evaluate(() => localStorage.setItem("inselnetz.language", "en"));
	await j.reload();
	await j.getByRole("heading", { name: "Being worked on" }).waitFor();
	await looks(j, "documents-english");
	assert.doesNotMatch(await j.getByRole("main").innerText(), /Dokument|Ordner|Heute/);
});

step("a thousand documents stay quick", async (t) => {
	const many = Number(process.env.DOCUMENTS || 1000);
	let next = 0;
	const began = Date.now();
	await Promise.all(
		Array.from({ length: 4 }, async () => {
			while (next < many) {
				const i = next++;
				await make(
					anke,
					`Akte ${String(i).padStart(4, "0")}`,
					`Jahrgang ${i % 5}`,
					`Nummer ${i}.\n\n${text}`,
				);
			}
		}),
	);
	t.diagnostic(`${many} documents made in ${((Date.now() - began) / 1000).toFixed(1)} s`);
	await a.setViewportSize(wide);
	await a.goto(`${anke.origin}/#/home`);
	await documents(a);
	await until(
		"all are known",
		async () => Number.parseInt((await tab(a, /^Alle/).innerText()).match(/\d+/)[0], 10) >= many,
	);
	await a.goto(`${anke.origin}/#/home`);
	const shown = await a.evaluate(async () => {
		const from = performance.now();
		location.hash = "#/documents";
		while (document.querySelectorAll("[data-index]").length < 3) await new Promise(requestAnimationFrame);
		return performance.now() - from;
	});
	t.diagnostic(`the list after ${shown.toFixed(0)} ms`);
	assert.ok(shown < 5000, "the list comes late");
	assert.ok((await a.locator("[data-index]").count()) < 60, "rows far away are in the page");
	const typed = Date.now();
	await field(a).fill(`nummer ${many - 30}`);
	await link(a, `Akte ${String(many - 30).padStart(4, "0")}`).waitFor();
	t.diagnostic(`found after ${Date.now() - typed} ms`);
	await field(a).press("Escape");
	await a.locator("[data-index] a").first().focus();
	await a.keyboard.press("End");
	await until("the last row has the keyboard", () =>
		a.evaluate(() => {
			const row = document.activeElement?.closest("[data-index]");
			return row !== null && row.getAttribute("aria-posinset") === row.getAttribute("aria-setsize");
		}),
	);
	await accessible(a, "a thousand documents");
});

step("nothing complained", () => {
	quiet(a);
	quiet(j);
});
