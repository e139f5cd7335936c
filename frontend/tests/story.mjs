// A small law firm with something in every place, on two real nodes, and the
// addresses of all its pages: for pictures and for checks that want every page.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pair, startNode, until } from "./nodes.mjs";

const deadline =
	"Die Frist endet heute um 24 Uhr. Wenn das beA bis 15 Uhr nicht geht, faxen wir vom Amtsgericht.";
const draft = "Entwurf liegt im Schrank, bitte gegenlesen. @Anke Petersen";
const longName = "Wiedervorlage der Unterhaltssachen Oktober"; // more than 40 characters

const settlement = `Entwurf, Amtsgericht Husum, Az. 8 C 214/26

Die Parteien schließen zur vollständigen Erledigung des Rechtsstreits auf Vorschlag des Gerichts den folgenden Vergleich:

1. Der Beklagte zahlt an die Klägerin **18.400 Euro**, fällig am 15. Dezember 2026.
2. Die Klägerin überlässt dem Beklagten den Hausrat im Obergeschoss, soweit er in Anlage 1 aufgeführt ist.
3. Das Boot „Marie“ verbleibt bei der Klägerin.
4. Die Kosten des Rechtsstreits werden gegeneinander aufgehoben.

## Widerruf

Beide Parteien können den Vergleich bis zum 17. November 2026 durch Schriftsatz an das Gericht widerrufen.

| Wer | Was | Bis |
| --- | --- | --- |
| Anke Petersen | Anlage 1 prüfen | Montag |
| Jonas Wolf | Frau Thiessen anrufen | Dienstag |

- [x] Entwurf an Frau Thiessen
- [ ] Anlage 1 prüfen
`;

const papers = [
	"Klageschrift.docx",
	"Klageerwiderung.docx",
	"Anlage K1 Kaufvertrag.pdf",
	"Anlage K2 Lichtbilder vom Steg und vom Liegeplatz der „Marie“ im Husumer Außenhafen.pdf",
	"Vollmacht Thiessen.pdf",
	"Hausratsliste.xlsx",
	"Steg.jpg",
	"Notiz vom Telefonat.txt",
	"Ladung 14. Dezember.pdf",
	"Kostenfestsetzung.pdf",
	"Diktat 0311.mp3",
	"Sicherung Handakte.zip",
];

// tell sets the office up. The result is its nodes, the addresses of its pages,
// and what ends it.
export async function tell() {
	const [anke, jonas] = await Promise.all([startNode(), startNode()]);
	try {
		await pair(anke, jonas, {
			office: "Kanzlei Petersen & Wolf",
			first: "Anke Petersen",
			firstDevice: "PC Empfang",
			second: "Jonas Wolf",
			secondDevice: "Laptop Wolf",
		});
		const main = await talk(anke, jonas);
		const document = await write(anke, jonas);
		const space = await file(anke, jonas);
		const name = "Notiz vom Telefonat.txt";
		await anke.ask("invite/close");
		return {
			anke,
			jonas,
			main,
			document,
			space,
			pages: pages({ main, document: encodeURIComponent(document), space: encodeURIComponent(space), name }),
			stop: () => Promise.all([anke.stop(), jonas.stop()]),
		};
	} catch (err) {
		await Promise.all([anke.stop(), jonas.stop()]);
		throw err;
	}
}

// pages are the addresses of all pages, each with what is there when it is shown.
const pages = ({ main, document, space, name }) => ({
	home: ["#/home", "main h1"],
	chat: [`#/chat/${main}`, "main article .text"],
	channels: ["#/chat", "main .list"],
	documents: ["#/documents", "text=Vergleich Thiessen"],
	archive: ["#/documents/archive", "main h1, main h2"],
	document: [`#/documents/${document}`, ".paper li"],
	history: [`#/documents/${document}/history`, "[role=slider], input[type=range]"],
	comments: [`#/documents/${document}/comments`, "main aside, main [role=complementary], .paper li"],
	folders: ["#/files", "main h1, main h2"],
	files: [`#/files/${space}/Thiessen`, "main [role=row] a"],
	versions: [
		`#/files/${space}/Thiessen/show/${encodeURIComponent(name)}`,
		"main aside, main [role=complementary]",
	],
	trash: [`#/files/${space}//trash`, "main h1, main h2"],
	conflicts: [`#/files/${space}//conflicts`, "main h1, main h2"],
	people: ["#/people", "text=Jonas Wolf"],
	devices: ["#/people/devices", "text=Laptop Wolf"],
	log: ["#/people/log", "main li"],
	late: ["#/people/late", "main h1, main h2"],
	map: ["#/people/map", "main table"],
	why: ["#/people/why", "main .notice"],
	second: ["#/people/second", "main form"],
	invite: ["#/people/invite", "main h1, main h2"],
	recovery: ["#/recovery", "main h1, main h2"],
	lost: ["#/recovery/lost", "main h1, main h2"],
	deputies: ["#/recovery/name", "main h1, main h2"],
	kit: ["#/kit", "main h1, main h2"],
	phone: ["#/phone", "main h1, main h2"],
	help: ["#/help", "main h1, main h2"],
});

// show goes to a page of the story and waits for it.
export async function show(page, [hash, shown]) {
	await page.evaluate((to) => {
		location.hash = to;
	}, hash);
	await page.locator(shown).filter({ visible: true }).first().waitFor();
	await page.locator("main .wait, main [aria-busy=true]").first().waitFor({ state: "hidden" });
}

async function talk(anke, jonas) {
	const here = (node, text) =>
		until(text, async () =>
			(await node.ask("messages", { channel: "" })).messages.find((m) => m.text === text),
		);
	const says = async (node, text, answers = "") => {
		const replyTo = answers && (await here(node, answers)).id;
		await node.ask("post", { channel: "", text, replyTo, nonce: crypto.randomUUID() });
		for (const other of [anke, jonas]) await here(other, text);
	};
	for (const name of ["Empfang", "Fristen", longName]) await anke.ask("channel/create", { name });
	await says(anke, deadline);
	await says(jonas, "Mache ich. Das Protokoll der Störung hänge ich an.", deadline);
	await says(jonas, draft);
	await says(anke, "Gelesen, passt so. Herr Behrens kommt um 11 Uhr.", draft);
	await jonas.ask("react", { message: (await here(jonas, deadline)).id, word: "agree", on: true });
	await says(jonas, "Ich fahre um 14 Uhr los.");
	const people = (await anke.ask("people")).people
		.filter((p) => !p.self)
		.map((p) => ({ person: p.id, level: "write" }));
	for (const name of ["Mandat Thiessen", "Buchhaltung und vorbereitende Steuern 2026"])
		await anke.ask("space/create", { name, members: people });
	const channels = async () => (await jonas.ask("channels")).channels;
	const reception = await until("a channel", async () =>
		(await channels()).find((c) => c.name === "Empfang"),
	);
	await jonas.ask("post", {
		channel: reception.id,
		text: "Der Paketbote war da.",
		replyTo: "",
		nonce: crypto.randomUUID(),
	});
	return (await channels()).find((c) => c.main && !c.space)?.id ?? (await channels()).find((c) => c.main).id;
}

async function write(anke, jonas) {
	const create = (title, folder, markdown) =>
		anke.ask("document/create", { space: "", title, folder, markdown, template: "" });
	await create("Checkliste Mandatsannahme", "Vorlagen", "- [x] Vollmacht\n- [ ] Honorarvereinbarung\n");
	await create("Telefonliste", "", "| Wer | Nummer |\n| --- | --- |\n| Amtsgericht | 04841 6930 |\n");
	await create("Protokoll der Besprechung über die Aufteilung der Vertretungen", "", "Anwesend: alle.\n");
	const { id } = await create("Vergleich Thiessen", "Mandate", settlement);
	const text = () =>
		jonas
			.ask("document", { id, heads: [] })
			.then((d) => d.markdown)
			.catch(() => "");
	await until("the document", async () => (await text()).includes("Das Boot"));
	await jonas.ask("document/write", {
		id,
		markdown: (await text()).replace(
			"bei der Klägerin.\n",
			"bei der Klägerin, sobald der Kredit getilgt ist.\n",
		),
	});
	await until("his words", async () =>
		(await anke.ask("document", { id, heads: [] })).markdown.includes("getilgt"),
	);
	return id;
}

async function file(anke, jonas) {
	const folder = async (node) =>
		await until("a folder", async () => (await node.ask("files/folders")).folders.find((f) => f.dir));
	const { dir, space } = await folder(anke);
	await mkdir(join(dir, "Thiessen/Schriftwechsel"), { recursive: true });
	await mkdir(join(dir, "Buchhaltung/2026"), { recursive: true });
	await writeFile(
		join(dir, "Thiessen/Schriftwechsel/Brief an das Gericht.txt"),
		"Sehr geehrte Frau Richterin",
	);
	await writeFile(join(dir, "Buchhaltung/2026/Journal.csv"), "Datum;Betrag\n");
	for (const [i, name] of papers.entries()) {
		await writeFile(join(dir, "Thiessen", name), `${name}\n`.repeat(40 + 977 * i));
	}
	const there = async (holds) =>
		await until(
			"the files",
			async () => (await jonas.ask("files/folders")).folders.some((f) => f.space === space && holds(f)),
			90_000,
		);
	await there((f) => f.files >= papers.length + 2 && !f.progress);
	// Its first words become an earlier version.
	await writeFile(join(dir, "Thiessen/Notiz vom Telefonat.txt"), "Frau Thiessen ruft Montag wieder an.\n");
	const versions = () => jonas.ask("files/info", { space, path: "Thiessen/Notiz vom Telefonat.txt" });
	await until("a version", async () => (await versions()).versions.length > 1, 60_000);
	return space;
}

const press = (name) => (page) =>
	page.getByRole("button", { name }).filter({ visible: true }).first().click();

// dialogs worth a look, each with the page it lies on and how it is opened there,
// in both languages.
export const dialogs = {
	search: { on: "home", open: (page) => page.keyboard.press("Control+k") },
	settings: { on: "home", open: press(/^(Einstellungen|Settings)$/) },
	"new-channel": {
		on: "channels",
		open: async (page) => {
			await page.locator("main .list .icon-btn").first().click();
			await page.getByRole("menuitem").first().click();
		},
	},
	"new-document": { on: "documents", open: press(/^(Neu|New)$/) },
};
