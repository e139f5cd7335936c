// The page for files against answers made up in memory: what a person sees in
// states that real nodes reach only slowly.
import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before } from "node:test";
import { accessible, launch, looks, open, phone, pictures, quiet, step, wide } from "./browser.mjs";
import { dir, fake, file, folder, hold, husum, people, version } from "./files.fake.mjs";

let browser;
let node;
let page;
let home;

before(async () => {
	browser = await launch();
	home = await mkdtemp(join(tmpdir(), "inselnetz-files-"));
	node = await fake(husum());
	page = await open(browser, node);
});
after(async () => {
	await browser?.close();
	await node?.stop();
	await rm(home, { recursive: true, force: true });
});

const behrens = `#/files/all/${encodeURIComponent("Mandate/Behrens")}`;
const show = async (hash) => {
	await page.goto(`${node.origin}/${hash}`);
};
const row = (name) => page.getByRole("row").filter({ has: page.getByRole("link", { name, exact: true }) });
const menu = async (name, item) => {
	await page
		.getByRole("button", { name: `Mehr zu ${name}`, exact: true })
		.last()
		.click();
	await page.getByRole("menuitem", { name: item }).click();
};
const dialog = () => page.getByRole("dialog").filter({ visible: true });
const last = (name) => node.asked.filter((a) => a.name === name).at(-1)?.request;
const press = (name) => page.getByRole("button", { name, exact: true }).click();

step("a directory, a file beside it, a device held", async () => {
	await show(behrens);
	await page.getByRole("heading", { name: "Behrens", level: 1 }).waitFor();
	await page.getByRole("alert").getByText("Angehalten: Laptop Wolf").waitFor();
	await looks(page, "files-directory");
	await row("Klageschrift Behrens.docx").getByRole("link").click();
	const pane = page.getByRole("complementary", { name: "Stände von Klageschrift Behrens.docx" });
	await pane.getByText("gilt").waitFor();
	await pane.getByText("angehalten").first().waitFor();
	await looks(page, "files-versions");
	await page.setViewportSize(phone);
	await pane.getByRole("button", { name: "Zurück", exact: true }).click();
	await page.getByRole("heading", { name: "Behrens", level: 1 }).waitFor();
	await page.setViewportSize(wide);
});

step("an earlier version comes back, and goes again", async () => {
	await row("Klageschrift Behrens.docx").getByRole("link").click();
	await page
		.getByRole("button", { name: /^Zurückholen/ })
		.first()
		.click();
	await page.getByText(/^Zurückgeholt\. Der Stand von/).waitFor();
	const asked = last("files/restore");
	assert.equal(asked.path, "Mandate/Behrens/Klageschrift Behrens.docx");
	await press("Rückgängig");
	await page.getByText("Rückgängig gemacht.").waitFor();
	assert.notEqual(last("files/restore").version, asked.version);
	await press("Meldung schließen");
});

step("the keyboard does it all", async () => {
	await show(behrens);
	await row("Anlagen").waitFor();
	await row("Anlagen").focus();
	await page.keyboard.press("ArrowDown");
	await page.keyboard.press("Shift+ArrowDown");
	await page.keyboard.press("Shift+ArrowDown");
	await page.getByRole("toolbar", { name: "3 ausgewählt" }).waitFor();
	assert.equal(await row("Bescheid Stadt Husum.pdf").getAttribute("aria-selected"), "true");
	await accessible(page, "files marked");
	await page.keyboard.press("Escape");
	await page.getByRole("toolbar").waitFor({ state: "hidden" });
	await page.keyboard.press("End");
	await page.keyboard.press("F2");
	await dialog().getByLabel("Neuer Name").fill("Vollmacht.pdf");
	await page.keyboard.press("Enter");
	await page.getByText("Heißt jetzt „Vollmacht.pdf“.").waitFor();
	await row("Vollmacht.pdf").focus();
	await page.keyboard.press("Delete");
	await page.getByText("„Vollmacht.pdf“ liegt im Papierkorb.").waitFor();
	await row("Vollmacht.pdf").waitFor({ state: "detached" });
	await press("Rückgängig");
	await row("Vollmacht.pdf").waitFor();
	await row("Anlagen").focus();
	await page.keyboard.press("Backspace");
	await page.getByRole("heading", { name: "Mandate", level: 1 }).waitFor();
	await row("Behrens").and(page.locator(":focus")).waitFor(); // where one came from
	await page.keyboard.press("Enter");
	await row("Anlagen").and(page.locator(":focus")).waitFor();
	await page.keyboard.press("Alt+ArrowUp");
	await row("Behrens").and(page.locator(":focus")).waitFor();
});

step("files, a whole folder and dropped ones are added", async () => {
	await writeFile(join(home, "Brief.txt"), "Sehr geehrte Frau Behrens");
	await writeFile(join(home, "Bescheid Stadt Husum.pdf"), "neu");
	await mkdir(join(home, "Anlagen B/Fotos"), { recursive: true });
	await writeFile(join(home, "Anlagen B/K1.txt"), "eins");
	await writeFile(join(home, "Anlagen B/Fotos/a.txt"), "zwei");
	await show(behrens);
	await row("Anlagen").waitFor();
	await page.getByLabel("Dateien von diesem Computer").setInputFiles(join(home, "Brief.txt"));
	await page.getByText("1 Datei hinzugefügt.").waitFor();
	await row("Brief.txt").waitFor();
	await page.getByLabel("Ein Ordner von diesem Computer").setInputFiles(join(home, "Anlagen B"));
	await page.getByText("2 Dateien hinzugefügt.").waitFor();
	assert.ok(node.state.files.all.some((f) => f.path === "Mandate/Behrens/Anlagen B/Fotos/a.txt"));

	// The same name again: keep both, or replace.
	const again = page.getByLabel("Dateien von diesem Computer");
	await again.setInputFiles(join(home, "Bescheid Stadt Husum.pdf"));
	await dialog().getByRole("heading", { name: "Diese Datei gibt es schon" }).waitFor();
	await looks(page, "files-clash");
	await dialog().getByLabel("Beide behalten").check();
	await dialog().getByRole("button", { name: "Weiter" }).click();
	await row("Bescheid Stadt Husum (2).pdf").waitFor();

	// Dropped onto the list: the place shows itself.
	const data = await page.evaluateHandle(() => {
		const transfer = new DataTransfer();
		transfer.items.add(new File(["hallo"], "Gezogen.txt", { type: "text/plain" }));
		return transfer;
	});
	const list = page.getByRole("region", { name: "Dateien", exact: true });
	await list.dispatchEvent("dragover", { dataTransfer: data });
	await page.getByText("Loslassen, um in „Behrens“ abzulegen").waitFor();
	await page.screenshot({ path: join(pictures, "files-drop.png") });
	await row("Anlagen").dispatchEvent("dragover", { dataTransfer: data });
	await page.getByText("Loslassen, um in „Anlagen“ abzulegen").waitFor();
	await list.dispatchEvent("dragover", { dataTransfer: data });
	await list.dispatchEvent("drop", { dataTransfer: data });
	await row("Gezogen.txt").waitFor();
});

step("an upload shows how far it is, is cancelled, fails and is tried again", async () => {
	node.state.delay = 60;
	await writeFile(join(home, "Film.bin"), Buffer.alloc(30_000_000));
	await page.getByLabel("Dateien von diesem Computer").setInputFiles(join(home, "Film.bin"));
	await page
		.getByText(/von 30 MB/)
		.first()
		.waitFor();
	await page
		.getByText(/MB\/s|KB\/s/)
		.first()
		.waitFor();
	await looks(page, "files-upload");
	await press("Abbrechen");
	await page.getByText("Abgebrochen.").waitFor();
	assert.ok(!node.state.files.all.some((f) => f.name === "Film.bin"));
	node.state.delay = 0;
	node.state.fail = {
		code: "disk-full",
		sentence: "Kein Platz mehr auf der Platte.",
		next: "Bitte Platz schaffen.",
		field: "",
	};
	await page.getByLabel("Dateien von diesem Computer").setInputFiles(join(home, "Film.bin"));
	await page.getByText("Kein Platz mehr auf der Platte.").waitFor();
	await looks(page, "files-upload-failed");
	node.state.fail = null;
	await press("Noch einmal");
	await page.getByText("1 Datei hinzugefügt.").waitFor();
	await press("Ausblenden");
});

step("a new folder, and something moved into it", async () => {
	await show(behrens);
	await row("Anlagen").waitFor();
	await press("Hinzufügen");
	await page.getByRole("menuitem", { name: "Neuer Ordner …" }).click();
	await dialog().getByLabel("Name des Ordners").fill("a/b");
	await page.keyboard.press("Enter");
	await dialog().getByText("Ein Name darf keinen Schrägstrich enthalten.").waitFor();
	await dialog().getByLabel("Name des Ordners").fill("Gericht");
	await page.keyboard.press("Enter");
	await row("Gericht").and(page.locator(":focus")).waitFor(); // the list has come to rest
	await menu("Brief.txt", "Verschieben …");
	await dialog().getByRole("button", { name: "Gericht" }).click();
	await looks(page, "files-move");
	await dialog().getByRole("button", { name: "Nach „Gericht“ verschieben" }).click();
	await page.getByText("1 Eintrag verschoben.").waitFor();
	assert.deepEqual(last("files/rename").to, "Mandate/Behrens/Gericht/Brief.txt");
});

step("back to an earlier state: look first", async () => {
	await press("Stand von …");
	await dialog()
		.getByText(/12 Dateien gelöscht/)
		.waitFor();
	await looks(page, "files-rewind");
	await dialog().getByRole("button", { name: "Was ändert sich?" }).click();
	await dialog().getByText("3 Dateien kommen zurück").waitFor();
	await looks(page, "files-rewind-dry");
	assert.equal(last("files/rewind").dry, true);
	await dialog().getByRole("button", { name: "Auf diesen Stand bringen" }).click();
	await page.getByText(/^Zurückgeholt\. Der Stand von/).waitFor();
	const { at } = last("files/rewind");
	await press("Rückgängig");
	await page.getByText("Rückgängig gemacht.").waitFor();
	assert.notEqual(last("files/rewind").at, at);
});

step("the bin gives back", async () => {
	await show("#/files/all//trash");
	await page.getByRole("button", { name: "Notizen.txt zurückholen" }).waitFor();
	await looks(page, "files-bin");
	await press("Notizen.txt zurückholen");
	await page.getByText("„Notizen.txt“ ist wieder da.").waitFor();
	await press("Rückgängig");
	await page.getByRole("button", { name: "Notizen.txt zurückholen" }).waitFor();
});

step("a held device is looked at, and discarded by keyboard, by holding, or accepted", async () => {
	await show(behrens);
	await page.getByRole("alert").getByRole("button", { name: "Ansehen" }).click();
	await dialog().getByText("Behrens/Klageschrift Behrens.docx").waitFor();
	await looks(page, "files-hold");
	await dialog().getByRole("button", { name: "Übernehmen" }).click();
	await dialog().getByRole("button", { name: "Abbrechen" }).click();
	assert.equal(
		await dialog().getByRole("link", { name: "Gerät entfernen" }).getAttribute("href"),
		"#/people/devices",
	);
	await dialog().getByRole("button", { name: "Schließen" }).click();

	const discard = page.getByRole("alert").getByRole("button", { name: /^Verwerfen/ });
	await discard.focus();
	await page.keyboard.press("Enter");
	await dialog().getByRole("heading", { name: "212 Änderungen verwerfen?" }).waitFor();
	await looks(page, "files-discard");
	await dialog().getByRole("button", { name: "Abbrechen" }).click();
	assert.equal(last("files/hold"), undefined);

	const box = await discard.boundingBox();
	await page.mouse.move(box.x + 30, box.y + 20);
	await page.mouse.down();
	await page.waitForTimeout(900);
	await page.screenshot({ path: join(pictures, "files-holding.png") });
	await page.waitForTimeout(1400);
	await page.mouse.up();
	await page.getByText(/^Verworfen\./).waitFor();
	assert.deepEqual(last("files/hold"), { space: "all", device: "D-wolf", accept: false });
	await page.getByText("Angehalten: Laptop Wolf").waitFor({ state: "detached" });

	node.state.folders[0].holds = [hold("all", { why: "encrypted", applied: 12 })];
	node.changed("all");
	await page.getByText(/sieht nach Verschlüsselung aus/).waitFor();
	await page.getByRole("alert").getByRole("button", { name: "Ansehen" }).click();
	await dialog().getByRole("button", { name: "Übernehmen" }).click();
	await dialog().getByRole("button", { name: "Ja, übernehmen" }).click();
	await page.getByText(/^Übernommen\./).waitFor();
	assert.equal(last("files/hold").accept, true);
});

step("two versions are compared, and one is kept", async () => {
	const path = "Mandate/Behrens/Aktenvermerk.txt";
	node.state.files.all.push(file(path, { conflict: true }));
	node.state.folders[0].conflicts = 1;
	const others = [version(path, 12, people.anke, { size: 91_000 })];
	node.state.info = (_space, p) => (p === path ? { others } : {});
	node.changed("all");
	await show("#/files");
	await page.getByRole("link", { name: "1 Datei mit zwei Fassungen" }).click();
	await page.getByRole("button", { name: "Aktenvermerk.txt vergleichen" }).waitFor();
	await looks(page, "files-conflicts");
	await press("Aktenvermerk.txt vergleichen");
	await dialog().getByText("Frau Behrens kommt").first().waitFor();
	await looks(page, "files-compare");
	await dialog()
		.getByRole("button", { name: /^Diese behalten.*Anke Petersen/ })
		.click();
	await page.getByText("Für „Aktenvermerk.txt“ gilt wieder eine Fassung.").waitFor();
	assert.deepEqual(last("files/resolve"), { space: "all", path, version: others[0].id, both: false });
	node.state.folders[0].conflicts = 0;
});

step("a name that others cannot store is put right with one click", async () => {
	node.state.files.all.push(
		file("Mandate/Behrens/Wer zahlt was?.txt", {
			where: "unstorable",
			suggest: "Wer zahlt was_.txt",
			hint: "Windows kann „?“ nicht speichern.",
		}),
		file("Mandate/Behrens/<img src=x onerror=alert(1)>.txt", { hint: "Der Name täuscht etwas vor." }),
		file(`Mandate/Behrens/Rechnung \u202Efdp.exe`, {
			hint: "Der Name zeigt seine Endung verkehrt herum.",
			suggest: "Rechnung fdp.exe",
		}),
	);
	node.changed("all");
	await show(`${behrens}/show/${encodeURIComponent("Wer zahlt was?.txt")}`);
	await page.getByText("Windows kann „?“ nicht speichern.").waitFor();
	await row("Rechnung \ufffdfdp.exe").waitFor(); // not "Rechnung exe.pdf"
	await looks(page, "files-names");
	await page.getByRole("button", { name: "In „Wer zahlt was_.txt“ umbenennen" }).click();
	await row("Wer zahlt was_.txt").waitFor();
	await page.getByRole("complementary", { name: "Stände von Wer zahlt was_.txt" }).waitFor();
});

step("settings of a folder, what is kept here, phones", async () => {
	node.state.phones = {
		id: "MFZWI3D-BONSGYC-YLTMRWG-C43ENR5-QXGZDMM-FZWI3DP-BONSGYY-LTMRWAD",
		addr: "192.168.1.7:22000",
		qr: ["101", "010", "110"],
		phones: [],
	};
	await show(behrens);
	await menu("Fotos Baustelle", "Nicht auf diesem Gerät behalten");
	await page.getByText("Wird auf diesem Gerät nicht mehr behalten.").waitFor();
	await page.getByRole("button", { name: "Mehr zu Dateien" }).click();
	await page.getByRole("menuitem", { name: "Einstellungen des Ordners" }).click();
	await dialog().getByText("Mandate/Behrens/Fotos Baustelle").waitFor();
	await looks(page, "files-settings");
	await dialog().getByLabel("Nicht hier behalten").check();
	await dialog().getByRole("button", { name: "Speichern" }).click();
	await dialog().getByText("Gespeichert.").waitFor();
	await dialog().getByRole("button", { name: "Handys und andere Geräte" }).click();
	await dialog().getByLabel("Kennung des Handys").fill("AAAAAAA-BBBBBBB");
	await dialog().getByLabel("Name").fill("Handy Anke");
	await dialog().getByRole("button", { name: "Dazunehmen" }).click();
	await dialog().getByText("nicht verbunden").waitFor();
	await looks(page, "files-phones");
	await dialog().getByRole("button", { name: "Nicht mehr teilen: Handy Anke" }).click();
	await dialog().getByText("Noch kein Handy.").waitFor();
	await dialog().getByRole("button", { name: "Schließen" }).click();
	await page.getByText("Dieser Ordner liegt nicht auf diesem Gerät.").waitFor();
});

step("how far it is, and why not everywhere", async () => {
	Object.assign(node.state.folders[0], {
		kept: true,
		progress: {
			files: 1240,
			bytes: 3_200_000_000,
			done: 900_000_000,
			rate: 48_000_000,
			left: 67,
			reading: false,
			waitsFor: 12,
			canCancel: true,
		},
		problems: [
			{
				code: "waits",
				text: "12 Dateien hat gerade niemand, der da ist.",
				hint: "Schalten Sie „Laptop Wolf“ ein.",
				path: "",
			},
			{
				code: "unstorable",
				text: "Ein Name geht unter Windows nicht.",
				hint: "Benennen Sie die Datei um.",
				path: "Mandate/Behrens/Wer zahlt was_.txt",
			},
		],
	});
	node.changed("all");
	await page.getByText("Noch 1.240 Dateien, 3,2 GB").waitFor();
	await looks(page, "files-progress");
	await page.getByRole("button", { name: /^Warum nicht überall\?/ }).click();
	await dialog().getByText("Schalten Sie „Laptop Wolf“ ein.").waitFor();
	await looks(page, "files-why");
	await dialog().getByRole("button", { name: "Schließen" }).click();
});

step("several folders; one may only be read; one is empty", async () => {
	node.state.folders.push(
		folder("acc", "Buchhaltung", { canWrite: false, files: 1 }),
		folder("new", "Neubau", { files: 0, bytes: 0, kept: false }),
	);
	node.state.files.acc = [file("Kontoauszug.pdf")];
	node.state.files.new = [];
	node.changed("");
	await show("#/files");
	await page.getByRole("link", { name: /^Buchhaltung/ }).waitFor();
	await looks(page, "files-folders");
	await page.getByRole("link", { name: /^Buchhaltung/ }).click();
	await page.getByText("Sie können hier lesen und herunterladen.", { exact: false }).waitFor();
	assert.equal(await page.getByRole("button", { name: "Hinzufügen" }).count(), 0);
	await row("Kontoauszug.pdf").getByRole("link").click();
	await page.getByRole("button", { name: "Mehr zu Kontoauszug.pdf" }).first().click();
	await page.getByRole("menuitem").first().waitFor();
	assert.deepEqual(await page.getByRole("menuitem").allInnerTexts(), [
		"Öffnen",
		"Herunterladen",
		"Auswählen",
	]);
	await page.keyboard.press("Escape");
	await looks(page, "files-reading");
	await show("#/files/new/");
	await page.getByRole("heading", { name: "Noch keine Dateien" }).waitFor();
	await looks(page, "files-empty");
	await show("#/files/new/weg");
	await page.getByRole("heading", { name: "Diesen Ordner gibt es hier nicht mehr" }).waitFor();
});

step("in English", async () => {
	await show(behrens);
	await page.evaluate(() => localStorage.setItem("inselnetz.language", "en"));
	await page.reload();
	await page.getByRole("button", { name: "Add", exact: true }).waitFor();
	await looks(page, "files-english");
	await page.evaluate(() => localStorage.setItem("inselnetz.language", "de"));
	await page.reload();
});

step("20,000 files scroll, and change all the time", async () => {
	const many = Array.from({ length: 20_000 }, (_, i) => file(`Scan ${String(i).padStart(5, "0")}.pdf`));
	node.state.folders = [folder("all", "")];
	node.state.files = { all: [dir("Alt"), ...many] };
	await show("#/files");
	await page.reload();
	await row("Scan 00000.pdf").waitFor();
	const table = page.getByRole("grid");
	assert.equal(await table.getAttribute("aria-rowcount"), "20002");
	assert.ok((await page.getByRole("row").count()) < 60, "only rows near the window are in the page");
	await page.screenshot({ path: join(pictures, "files-20000-top.png") });
	// Scroll through all of it.
	const frames = await page.evaluate(async () => {
		const scroller = document.querySelector("[role=grid]").closest(".scroll");
		const frame = () => new Promise(requestAnimationFrame);
		const took = [];
		let last = performance.now();
		for (let i = 0; i < 240; i++) {
			scroller.scrollTop += i < 120 ? 300 : 10_000; // as a wheel does; as the bar does
			await frame();
			const now = performance.now();
			took.push(now - last);
			last = now;
		}
		return took;
	});
	const middle = (list) => Math.round(list.toSorted((a, b) => a - b)[list.length >> 1]);
	console.log(
		`# a frame takes ${middle(frames.slice(0, 120))} ms by wheel, ${middle(frames.slice(120))} ms by bar`,
	);
	assert.ok(middle(frames.slice(0, 120)) < 400, "scrolling is slow");
	await row("Scan 19999.pdf").waitFor();
	await page.screenshot({ path: join(pictures, "files-20000-end.png") });
	await row("Scan 19999.pdf").focus();
	await page.keyboard.press("Control+a");
	await page.getByRole("toolbar", { name: "20001 ausgewählt" }).waitFor();
	await page.keyboard.press("Home");
	await row("Alt").waitFor();
	for (let i = 0; i < 20; i++) node.changed("all");
	await page.keyboard.press("Escape");
	await row("Scan 00003.pdf").getByRole("link").click();
	await page.getByRole("complementary").getByText("auf 4 Geräten").waitFor();
	await accessible(page, "20,000 files");
});

step("nothing went wrong inside", async () => quiet(page));
