// Shared folders as people see and use them, on two real nodes: what is added on
// one is on the other's page and disk; versions, two versions at once, a held
// device, earlier states, the bin.
import assert from "node:assert/strict";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before } from "node:test";
import { again, launch, looks, open, quiet, step } from "./browser.mjs";
import { pair, startNode, until } from "./nodes.mjs";

let browser;
let anke; // nodes
let jonas;
let a; // their pages
let j;
let ankes; // their directories
let jonass;
let from; // files to add

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

const row = (page, name) =>
	page.getByRole("row").filter({ has: page.getByRole("link", { name, exact: true }) });
const pane = (page, name) => page.getByRole("complementary", { name: `Stände von ${name}` });
const dialog = (page) => page.getByRole("dialog").filter({ visible: true });
const press = (page, name) => page.getByRole("button", { name, exact: true }).click();
const files = (page) =>
	page
		.getByRole("link", { name: /^Dateien/ })
		.first()
		.click();
const add = (page, ...paths) => page.getByLabel("Dateien von diesem Computer").setInputFiles(paths);
const text = async (dir, name) => {
	try {
		return await readFile(join(dir, name), "utf8");
	} catch {
		return null;
	}
};
const onDisk = (dir, name, content) =>
	until(
		`${name} with ${JSON.stringify(content)} in ${dir}`,
		async () => (await text(dir, name)) === content,
		30_000,
	);
const folder = async (node) => (await node.ask("files/folders")).folders[0];
const menu = async (page, name, item) => {
	await row(page, name)
		.getByRole("button", { name: `Mehr zu ${name}` })
		.click();
	await page.getByRole("menuitem", { name: item }).click();
};

step("an empty folder says what to do", async () => {
	ankes = await until("a directory", async () => (await folder(anke))?.dir);
	jonass = await until("a directory", async () => (await folder(jonas))?.dir);
	await files(a);
	await a.getByRole("heading", { name: "Noch keine Dateien" }).waitFor();
	await looks(a, "node-files-empty");
});

step("what is added on one is on the other's page and disk", async () => {
	await files(j);
	await writeFile(join(from, "Brief.txt"), "eins");
	await writeFile(
		join(from, "Foto.png"),
		Buffer.from(
			"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGD4DwABBAEAX+XDSwAAAABJRU5ErkJggg==",
			"base64",
		),
	);
	await add(a, join(from, "Brief.txt"), join(from, "Foto.png"));
	await a.getByText("2 Dateien hinzugefügt.").waitFor();
	await row(j, "Brief.txt").waitFor();
	await onDisk(jonass, "Brief.txt", "eins");
	await onDisk(ankes, "Brief.txt", "eins");
	await row(j, "Foto.png").getByRole("link").click();
	const image = pane(j, "Foto.png").getByRole("img", { name: "Vorschau von Foto.png" });
	await image.waitFor();
	await until("the picture", () => image.evaluate((img) => img.complete && img.naturalWidth > 0));
	await pane(j, "Foto.png").getByText("auf 2 Geräten").waitFor();
	const saved = j.waitForEvent("download");
	await pane(j, "Foto.png").getByRole("link", { name: "Herunterladen" }).click();
	assert.deepEqual(await readFile(await (await saved).path()), await readFile(join(from, "Foto.png")));
	await pane(j, "Foto.png").getByRole("button", { name: "Schließen" }).click();
});

step("a whole folder keeps its shape", async () => {
	await mkdir(join(from, "Akte/Anlagen"), { recursive: true });
	await writeFile(join(from, "Akte/Klage.txt"), "Klage");
	await writeFile(join(from, "Akte/Anlagen/K1.txt"), "K1");
	await a.getByLabel("Ein Ordner von diesem Computer").setInputFiles(join(from, "Akte"));
	await a.getByText("2 Dateien hinzugefügt.").waitFor();
	await onDisk(jonass, "Akte/Anlagen/K1.txt", "K1");
	await row(j, "Akte").getByRole("link").click();
	await row(j, "Klage.txt").waitFor();
	await j.getByRole("navigation", { name: "Wo Sie sind" }).getByRole("link", { name: "Dateien" }).click();
});

step("an earlier version comes back, and goes again", async () => {
	await writeFile(join(jonass, "Brief.txt"), "zwei, von Jonas");
	await onDisk(ankes, "Brief.txt", "zwei, von Jonas");
	await row(a, "Brief.txt").getByRole("link").click();
	const brief = pane(a, "Brief.txt");
	await brief.getByText("zwei, von Jonas").waitFor();
	await brief.getByText("Jonas Wolf").first().waitFor();
	await looks(a, "node-files-versions");
	await brief.getByRole("button", { name: /^Zurückholen/ }).click();
	await brief.getByText(/^Zurückgeholt\. Der Stand von/).waitFor();
	await onDisk(ankes, "Brief.txt", "eins");
	await onDisk(jonass, "Brief.txt", "eins");
	await brief.getByRole("button", { name: "Rückgängig" }).click();
	await brief.getByText("Rückgängig gemacht.").waitFor();
	await onDisk(jonass, "Brief.txt", "zwei, von Jonas");
	await brief.getByRole("button", { name: "Schließen", exact: true }).click();
});

step("replaced by an upload, the old one stays as a version", async () => {
	await writeFile(join(from, "Brief.txt"), "drei, hochgeladen");
	await add(a, join(from, "Brief.txt"));
	await dialog(a).getByRole("heading", { name: "Diese Datei gibt es schon" }).waitFor();
	await dialog(a).getByRole("button", { name: "Weiter" }).click();
	await onDisk(jonass, "Brief.txt", "drei, hochgeladen");
	await add(a, join(from, "Brief.txt"));
	await dialog(a).getByLabel("Beide behalten").check();
	await dialog(a).getByRole("button", { name: "Weiter" }).click();
	await until(
		"a name beside it",
		async () => (await readdir(jonass)).filter((n) => n.startsWith("Brief")).length === 2,
	);
	assert.equal(await text(jonass, "Brief.txt"), "drei, hochgeladen");
});

step("an upload that is cancelled leaves nothing", async () => {
	await writeFile(join(from, "Film.bin"), Buffer.alloc(20_000_000, 7));
	const line = await a.context().newCDPSession(a);
	const slow = { offline: false, latency: 0, downloadThroughput: -1 };
	await line.send("Network.emulateNetworkConditions", { ...slow, uploadThroughput: 2_000_000 });
	await add(a, join(from, "Film.bin"));
	await a
		.getByText(/von 20 MB/)
		.first()
		.waitFor();
	await press(a, "Abbrechen");
	await a.getByText("Abgebrochen.").waitFor();
	await line.send("Network.emulateNetworkConditions", { ...slow, uploadThroughput: -1 });
	await line.detach();
	const list = await anke.ask("files/list", { space: (await folder(anke)).space, path: "" });
	assert.ok(!list.files.some((f) => f.name.startsWith("Film")));
	await press(a, "Ausblenden");
	// And whole when it is not.
	await add(a, join(from, "Film.bin"));
	await until(
		"the film",
		async () => (await readFile(join(jonass, "Film.bin")).catch(() => "")).length === 20_000_000,
		60_000,
	);
});

step("both change a file unaware of each other: both are there, one is chosen", async () => {
	const { space } = await folder(anke);
	await jonas.pause();
	await writeFile(join(ankes, "Brief.txt"), "von Anke");
	await until("the version of Anke", async () => {
		const info = await anke.ask("files/info", { space, path: "Brief.txt" });
		return info.file.size === "von Anke".length;
	});
	await writeFile(join(jonass, "Brief.txt"), "von Jonas, ohne Netz");
	await jonas.resume();
	await a.getByRole("link", { name: "1 Datei mit zwei Fassungen" }).click({ timeout: 40_000 });
	await press(a, "Brief.txt vergleichen");
	await dialog(a).getByText("von Anke").first().waitFor();
	await dialog(a).getByText("von Jonas, ohne Netz").waitFor();
	await looks(a, "node-files-compare");
	await dialog(a)
		.getByRole("button", { name: /^Diese behalten.*Jonas Wolf/ })
		.click();
	await a.getByText("Für „Brief.txt“ gilt wieder eine Fassung.").waitFor();
	await onDisk(ankes, "Brief.txt", "von Jonas, ohne Netz");
	await onDisk(jonass, "Brief.txt", "von Jonas, ohne Netz");
	await again(j, jonas);
	await files(j);
	await row(j, "Brief.txt").waitFor();
	assert.equal((await folder(jonas)).conflicts, 0);
	await files(a);
});

const many = Array.from({ length: 60 }, (_, i) => `Akten/A${String(i).padStart(2, "0")}.txt`);
const all = async (dir, content) => {
	for (const name of many) await onDisk(dir, name, content(name));
};

step("a device that changes very many files is held, and its changes are discarded", async () => {
	await mkdir(join(ankes, "Akten"));
	for (const name of many) await writeFile(join(ankes, name), `${name} gut`);
	await all(jonass, (name) => `${name} gut`);
	for (const name of many) await writeFile(join(jonass, name), `${name} kaputt`);
	await a.getByRole("alert").getByText("Angehalten: Laptop Wolf").waitFor({ timeout: 60_000 });
	await looks(a, "node-files-held");
	await a.getByRole("alert").getByRole("button", { name: "Ansehen" }).click();
	await dialog(a)
		.getByText(/^Akten\/A\d\d\.txt$/)
		.first()
		.waitFor();
	await looks(a, "node-files-hold");
	await dialog(a).getByRole("button", { name: "Schließen" }).click();
	const discard = a.getByRole("alert").getByRole("button", { name: /^Verwerfen/ });
	await discard.focus();
	await a.keyboard.press("Enter");
	await dialog(a).getByRole("button", { name: "Ja, verwerfen" }).click();
	await a.getByText(/^Verworfen\./).waitFor();
	await all(ankes, (name) => `${name} gut`);
	await all(jonass, (name) => `${name} gut`);
});

step("held once more, the changes are accepted", async () => {
	for (const name of many) await writeFile(join(jonass, name), `${name} neu`);
	await a.getByRole("alert").getByText("Angehalten: Laptop Wolf").waitFor({ timeout: 60_000 });
	await a.getByRole("alert").getByRole("button", { name: "Ansehen" }).click();
	await dialog(a).getByRole("button", { name: "Übernehmen" }).click();
	await dialog(a).getByRole("button", { name: "Ja, übernehmen" }).click();
	await a.getByText(/^Übernommen\./).waitFor();
	await all(ankes, (name) => `${name} neu`);
});

step("removed, found in the bin, and back", async () => {
	await row(a, "Film.bin").waitFor();
	await menu(a, "Film.bin", "In den Papierkorb");
	await a.getByText("„Film.bin“ liegt im Papierkorb.").waitFor();
	await until("no film", async () => !(await readdir(jonass)).includes("Film.bin"));
	await press(a, "Mehr zu Dateien");
	await a.getByRole("menuitem", { name: "Papierkorb" }).click();
	await a.getByRole("button", { name: "Film.bin zurückholen" }).waitFor();
	await looks(a, "node-files-bin");
	await press(a, "Film.bin zurückholen");
	await a.getByText("„Film.bin“ ist wieder da.").waitFor();
	await until(
		"the film",
		async () => (await readFile(join(jonass, "Film.bin")).catch(() => "")).length === 20_000_000,
		60_000,
	);
	await files(a);
});

step("a directory goes back to an earlier state, and forth again", async () => {
	await row(a, "Akte").waitFor();
	await menu(a, "Akte", "In den Papierkorb");
	await dialog(a).getByRole("button", { name: "In den Papierkorb" }).click();
	await until("no file of it", async () => (await text(jonass, "Akte/Klage.txt")) === null);
	await press(a, "Stand von …");
	await dialog(a).getByRole("button", { name: "Was ändert sich?" }).click();
	await dialog(a).getByText("2 Dateien kommen zurück").waitFor();
	await looks(a, "node-files-rewind");
	await dialog(a).getByRole("button", { name: "Auf diesen Stand bringen" }).click();
	await a.getByText(/^Zurückgeholt\. Der Stand von/).waitFor();
	await onDisk(jonass, "Akte/Anlagen/K1.txt", "K1");
	await press(a, "Rückgängig");
	await a.getByText("Rückgängig gemacht.").waitFor();
	await until("gone again", async () => (await text(jonass, "Akte/Klage.txt")) === null);
});

step("hostile names are only names", async () => {
	await writeFile(join(jonass, "<img src=x onerror=alert(1)>.txt"), "böse");
	await writeFile(join(jonass, "Rechnung \u202Efdp.exe"), "böse");
	await writeFile(join(jonass, "Wer zahlt was?.txt"), "ich");
	await row(a, "<img src=x onerror=alert(1)>.txt").waitFor();
	await row(a, "Rechnung \ufffdfdp.exe").waitFor(); // not "Rechnung exe.pdf"
	await row(a, "Wer zahlt was?.txt").getByRole("link").click();
	await pane(a, "Wer zahlt was?.txt").getByText("Nicht jedes Gerät kann diesen Namen speichern.").waitFor();
	await looks(a, "node-files-names");
	await pane(a, "Wer zahlt was?.txt")
		.getByRole("button", { name: /umbenennen$/ })
		.click();
	await until("another name", async () => {
		const names = await readdir(jonass);
		return !names.includes("Wer zahlt was?.txt") && names.some((n) => n.startsWith("Wer zahlt was"));
	});
	await files(a);
});

step("renamed and moved by hand", async () => {
	await row(a, "Foto.png").focus();
	await a.keyboard.press("F2");
	await dialog(a).getByLabel("Neuer Name").fill("Bild.png");
	await a.keyboard.press("Enter");
	await a.getByText("Heißt jetzt „Bild.png“.").waitFor();
	await until("the new name", async () => (await readdir(jonass)).includes("Bild.png"));
	await press(a, "Hinzufügen");
	await a.getByRole("menuitem", { name: "Neuer Ordner …" }).click();
	await dialog(a).getByLabel("Name des Ordners").fill("Bilder");
	await a.keyboard.press("Enter");
	await row(a, "Bilder").and(a.locator(":focus")).waitFor();
	await menu(a, "Bild.png", "Verschieben …");
	await dialog(a).getByRole("button", { name: "Bilder" }).click();
	await dialog(a).getByRole("button", { name: "Nach „Bilder“ verschieben" }).click();
	await until("the new place", async () =>
		(await readdir(join(jonass, "Bilder")).catch(() => [])).includes("Bild.png"),
	);
});

step("not kept here any more, and again", async () => {
	await press(a, "Mehr zu Dateien");
	await a.getByRole("menuitem", { name: "Einstellungen des Ordners" }).click();
	await dialog(a).getByLabel("Nicht hier behalten").check();
	await dialog(a).getByRole("button", { name: "Speichern" }).click();
	await dialog(a).getByText("Gespeichert.").waitFor();
	await looks(a, "node-files-settings");
	await dialog(a).getByRole("button", { name: "Schließen" }).click();
	await a.getByText("Dieser Ordner liegt nicht auf diesem Gerät.").waitFor();
	await press(a, "Hier behalten");
	await a.getByText("Dieser Ordner liegt nicht auf diesem Gerät.").waitFor({ state: "detached" });
	await until("the files", async () => (await text((await folder(anke)).dir, "Brief.txt")) !== null, 30_000);
});

step("who may only read sees no way to change", async () => {
	const jonasId = (await anke.ask("people")).people.find((p) => p.name === "Jonas Wolf").id;
	await anke.ask("space/create", { name: "Buchhaltung", members: [{ person: jonasId, level: "read" }] });
	await files(a);
	await a.getByRole("link", { name: /^Buchhaltung/ }).click();
	await a.getByRole("heading", { name: "Noch keine Dateien" }).waitFor();
	await add(a, join(from, "Brief.txt"));
	await files(j);
	await j.getByRole("link", { name: /^Buchhaltung/ }).click();
	await row(j, "Brief.txt").waitFor();
	await j.getByText("Sie können hier lesen und herunterladen.", { exact: false }).waitFor();
	assert.equal(await j.getByRole("button", { name: "Hinzufügen" }).count(), 0);
	await looks(j, "node-files-reading");
	// What a reader writes on disk stays there, and the page says so.
	const own = (await jonas.ask("files/folders")).folders.find((f) => f.name === "Buchhaltung");
	await onDisk(own.dir, "Brief.txt", "drei, hochgeladen");
	await writeFile(join(own.dir, "Brief.txt"), "heimlich");
	await row(j, "Brief.txt").getByText("nur hier").waitFor();
	await row(j, "Brief.txt").getByRole("link").click();
	await pane(j, "Brief.txt")
		.getByText(/dürfen Sie nur lesen/)
		.waitFor();
	const theirs = (await anke.ask("files/folders")).folders.find((f) => f.name === "Buchhaltung");
	assert.equal(await text(theirs.dir, "Brief.txt"), "drei, hochgeladen");
});

step("nothing went wrong inside", async () => {
	quiet(a);
	quiet(j);
});
