// The first five minutes of an office: found in six steps, a second computer joins,
// both talk, write and drop a file. A stopwatch tells how long each step took. Told
// twice: with axe on each step in both languages, and by the keyboard alone.
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before } from "node:test";
import { accessible, launch, looks, open, quiet, step } from "./browser.mjs";
import { startNode, until } from "./nodes.mjs";

let browser;
let nodes = [];
let place;
const watch = { begin: 0, last: 0, rows: [] };

before(async () => {
	[browser, place] = await Promise.all([launch(), mkdtemp(join(tmpdir(), "inselnetz-place-"))]);
});
after(async () => {
	await browser?.close();
	await Promise.all(nodes.map((n) => n.stop()));
	await rm(place, { recursive: true, force: true });
	for (const [what, ms] of watch.rows) console.log(`${String(Math.round(ms)).padStart(7)} ms  ${what}`);
});

// lap writes down how long the step before it took.
function lap(what) {
	const now = performance.now();
	if (what) watch.rows.push([what, now - watch.last]);
	else watch.begin = now;
	watch.last = now;
}
// Looking for faults is not what people do: it is not timed.
async function untimed(what) {
	const began = performance.now();
	await what();
	watch.last += performance.now() - began;
	watch.begin += performance.now() - began;
}

// both looks at a step in German and English, and goes on in German.
async function both(page, name) {
	await untimed(async () => {
		await accessible(page, `${name} de`);
		await page.getByRole("button", { name: "English" }).click();
		await until("English", () => page.evaluate(() => document.documentElement.lang === "en"));
		await accessible(page, `${name} en`);
		await page.getByRole("button", { name: "Deutsch" }).click();
		if (process.env.SHOTS) await looks(page, name);
	});
}

const heading = (page, name) => page.getByRole("heading", { name, level: 1 });
const button = (page, name) => page.getByRole("button", { name, exact: true });

let a;
let j;

step("found an office in six steps", async () => {
	nodes = await Promise.all([startNode(), startNode()]);
	[a, j] = await Promise.all(nodes.map((n) => open(browser, n)));
	lap();
	await a.getByRole("button", { name: /^Neues Büro gründen/ }).click();
	await a.getByText("Schritt 1 von 6").waitFor();
	await a.getByLabel("Wie heißt Ihr Büro?").fill("Kanzlei Petersen & Wolf");
	await a.getByLabel("Wie heißen Sie?").fill("Anke Petersen");
	await a.reload(); // nothing typed is lost
	await a.getByText("Schritt 1 von 6").waitFor();
	assert.equal(await a.getByLabel("Wie heißen Sie?").inputValue(), "Anke Petersen");
	await a.getByLabel("Wie heißt dieser Computer?").fill("PC Empfang");
	await both(a, "01-schritt-1");
	await button(a, "Büro gründen").click();
	await heading(a, "Was für ein Büro ist es?").waitFor();
	lap("1 names");

	await a.getByText("Schritt 2 von 6").waitFor();
	await a.getByText("Gerichtstermine").waitFor();
	await a.getByRole("radio", { name: /^Praxis/ }).check();
	await a.getByText("Behandlungsräume").waitFor();
	await a.getByRole("radio", { name: /^Kanzlei/ }).check();
	await both(a, "01-schritt-2");
	await button(a, "Anlegen und weiter").click();
	await heading(a, "Das Wiederherstellungs-Blatt").waitFor();
	const made = (await nodes[0].ask("channels")).channels.map((c) => c.name).filter(Boolean);
	assert.deepEqual(made.sort(), ["Empfang", "Fristen", "Gerichtstermine"]);
	lap("2 kind of office");

	await a.getByText("Schritt 3 von 6").waitFor();
	await a.locator(".pcard").waitFor();
	await both(a, "01-schritt-3");
	await button(a, "Zurück").click();
	await heading(a, "Was für ein Büro ist es?").waitFor();
	await button(a, "Anlegen und weiter").click(); // nothing is made twice
	await heading(a, "Das Wiederherstellungs-Blatt").waitFor();
	assert.equal((await nodes[0].ask("channels")).channels.length, 4);
	await a.reload(); // and the page goes on where it was
	await a.locator(".pcard").waitFor();
	const sheet = await nodes[0].ask("kit");
	for (const n of sheet.ask) await a.getByLabel(`Wort ${n}`, { exact: true }).fill(sheet.words[n - 1]);
	await button(a, "Bestätigen").click();
	await heading(a, "Zweiter Computer, zweite Person").waitFor();
	lap("3 recovery sheet");
});

step("the second computer joins in five steps", async () => {
	await both(a, "01-schritt-4");
	await button(a, "Jetzt einladen").click();
	await button(a, "Einladung öffnen").click();
	await a.getByText("Wartet auf einen neuen Computer").waitFor();
	await j.getByRole("button", { name: /^Bei „.+“ beitreten/ }).click();
	await j.getByText("Schritt 2 von 5").waitFor();
	await j.getByLabel("Wie heißen Sie?").fill("Jonas Wolf");
	await j.reload();
	await j.getByText("Schritt 2 von 5").waitFor();
	assert.equal(await j.getByLabel("Wie heißen Sie?").inputValue(), "Jonas Wolf");
	await j.getByLabel("Wie heißt dieser Computer?").fill("Laptop Wolf");
	await both(j, "01b-schritt-2");
	await button(j, "Beitreten").click();
	await heading(j, "Ihre Nummer").waitFor();
	const { number } = await nodes[1].ask("join/state");
	await a.getByText("Jonas Wolf an „Laptop Wolf“ wartet").waitFor();
	await a.getByLabel("Nummer vom neuen Bildschirm").fill(number);
	await button(a, "Hereinlassen").click();
	await heading(j, "Sehen Sie beide dieselben Wörter?").waitFor();
	await both(j, "01b-schritt-3");
	await button(j, "Ja, dieselben Wörter").click();
	await heading(j, "Dieser Computer").waitFor();
	await j.getByText("Schritt 4 von 5").waitFor();
	await both(j, "01b-schritt-4");
	await j.getByLabel("Dieses Gerät bleibt an").check();
	await button(j, "Weiter").click();
	await heading(j, "Sie sind dabei: Kanzlei Petersen & Wolf").waitFor();
	await both(j, "01b-schritt-5");
	await button(j, "Los geht’s").click();
	await heading(j, /Alles läuft/).waitFor();
	await button(a, "Fertig").click();
	await button(a, "Jonas Wolf mitverwalten lassen").click();
	await a.getByText("Jonas Wolf darf mitverwalten").waitFor();
	await both(a, "01-schritt-4-dabei");
	await button(a, "Weiter").click();
	await heading(a, "Dieser Computer").waitFor();
	lap("4 second computer, second admin");

	await both(a, "01-schritt-5");
	await a.getByLabel("Hier liegen die gemeinsamen Ordner").fill("nirgends");
	await button(a, "Weiter").click();
	await a.getByRole("alert").waitFor();
	await a.getByLabel("Hier liegen die gemeinsamen Ordner").fill(place);
	await button(a, "Weiter").click();
	await heading(a, "„Kanzlei Petersen & Wolf“ ist eingerichtet").waitFor();
	lap("5 this computer");
	await a.getByText("2 Geräte gehören zum Büro").waitFor();
	await a.getByText("2 Menschen verwalten das Büro").waitFor();
	await both(a, "01-schritt-6");
	await button(a, "Los geht’s").click();
	await heading(a, /Alles läuft.*Beide Menschen sind da/).waitFor();
	lap("6 what is open");
});

step("both talk, write and drop a file", async () => {
	await a.getByRole("link", { name: "Chat", exact: true }).click();
	await a.getByRole("link", { name: /^Fristen/ }).click();
	await a
		.getByRole("textbox", { name: "Nachricht schreiben" })
		.fill("Moin Jonas, @Jonas Wolf bitte die Fristen.");
	await a.getByRole("textbox", { name: "Nachricht schreiben" }).press("Enter");
	await j.getByRole("link", { name: /Fristen.*erwähnt/ }).waitFor();
	lap("chat");

	await a.getByRole("link", { name: "Dokumente", exact: true }).click();
	await a
		.getByRole("link", { name: /Notfallkontakte/ })
		.first()
		.click();
	const text = a.getByRole("textbox", { name: /Text|Dokument/ }).last();
	await text.click();
	await a.keyboard.press("Control+Home");
	await a.keyboard.type("Unsere Nummern. ");
	await j.getByRole("link", { name: /Notfallkontakte/ }).waitFor();
	lap("document");

	const { folder } = await nodes[0].ask("setup");
	assert.ok(folder.startsWith(place), folder);
	await a.getByRole("link", { name: "Dateien", exact: true }).click();
	await a.getByLabel("Dateien von diesem Computer").setInputFiles({
		name: "Vollmacht.txt",
		mimeType: "text/plain",
		buffer: Buffer.from("Hiermit bevollmächtige ich"),
	});
	const there = (await nodes[1].ask("setup")).folder;
	await until("the file is on the other disk", () =>
		readFile(join(there, "Vollmacht.txt"), "utf8").then(
			(s) => s.startsWith("Hiermit"),
			() => false,
		),
	);
	await j.getByRole("link", { name: /Vollmacht\.txt/ }).waitFor();
	lap("file");
	const all = performance.now() - watch.begin;
	watch.rows.push(["all", all]);
	assert.ok(all < 5 * 60_000, `took ${all} ms`);
	await accessible(j, "home with news");
	await looks(j, "02-lage-neues");
	await button(j, "Alles gesehen").click();
	await until("nothing but the message is new", async () => {
		const home = await nodes[1].ask("home");
		return home.files.length === 0 && home.documents.length === 0 && home.channels.length === 1;
	});
	quiet(a);
	quiet(j);
	await Promise.all([a, j].map((p) => p.context().close()));
});

// reach presses Tab until the target has the focus.
async function reach(page, target, most = 40) {
	await target.first().waitFor();
	for (let i = 0; i < most; i++) {
		if (await target.first().evaluate((el) => el === document.activeElement)) return;
		await page.keyboard.press("Tab");
	}
	assert.fail(`not to be reached by Tab: ${target}`);
}
async function enter(page, target, key = "Enter") {
	await reach(page, target);
	await page.keyboard.press(key);
}
async function fill(page, label, text) {
	await reach(page, page.getByLabel(label));
	await page.keyboard.press("Control+a");
	await page.keyboard.type(text);
}

step("the same by the keyboard alone", async () => {
	await Promise.all(nodes.map((n) => n.stop()));
	nodes = await Promise.all([startNode(), startNode()]);
	[a, j] = await Promise.all(nodes.map((n) => open(browser, n)));
	lap();
	await enter(a, a.getByRole("button", { name: /^Neues Büro gründen/ }));
	await fill(a, "Wie heißt Ihr Büro?", "Fahrschule Nord");
	await fill(a, "Wie heißen Sie?", "Emre Kaya");
	await a.keyboard.press("Enter");
	await heading(a, "Was für ein Büro ist es?").waitFor();
	await reach(a, a.getByRole("radio", { checked: true }));
	await a.keyboard.press("ArrowDown");
	await a.keyboard.press("ArrowDown");
	await a.getByText("Abfahrtkontrolle").waitFor();
	await enter(a, button(a, "Anlegen und weiter"));
	await heading(a, "Das Wiederherstellungs-Blatt").waitFor();
	await enter(a, button(a, "Später erledigen"));
	await enter(a, button(a, "Jetzt einladen"));
	await enter(a, button(a, "Einladung öffnen"));
	await a.getByText("Wartet auf einen neuen Computer").waitFor();

	await enter(j, j.getByRole("button", { name: /^Bei „.+“ beitreten/ }));
	await fill(j, "Wie heißen Sie?", "Lena Brandt");
	await j.keyboard.press("Enter");
	await heading(j, "Ihre Nummer").waitFor();
	const { number } = await nodes[1].ask("join/state");
	await a.getByText(/^Lena Brandt an .+ wartet/).waitFor();
	await reach(a, a.getByLabel("Nummer vom neuen Bildschirm"));
	await a.keyboard.type(number);
	await a.keyboard.press("Enter");
	await enter(j, button(j, "Ja, dieselben Wörter"));
	await heading(j, "Dieser Computer").waitFor();
	await enter(j, j.getByLabel("Dieses Gerät bleibt an"), "Space");
	await enter(j, button(j, "Weiter"));
	await enter(j, button(j, "Los geht’s"));
	await heading(j, /Alles läuft/).waitFor();
	assert.equal((await nodes[1].ask("setup")).stays, true);

	await enter(a, button(a, "Fertig"));
	await enter(a, button(a, "Lena Brandt mitverwalten lassen"));
	await a.getByText("Lena Brandt darf mitverwalten").waitFor();
	await enter(a, button(a, "Weiter"));
	await heading(a, "Dieser Computer").waitFor();
	await enter(a, button(a, "Weiter"));
	await heading(a, "„Fahrschule Nord“ ist eingerichtet").waitFor();
	await enter(a, button(a, "Los geht’s"));
	await heading(a, /Alles läuft/).waitFor();

	await enter(a, a.getByRole("link", { name: "Chat", exact: true }));
	await enter(a, a.getByRole("link", { name: /^Fahrzeuge/ }));
	await reach(a, a.getByRole("textbox", { name: "Nachricht schreiben" }));
	await a.keyboard.type("Der Golf ist in der Werkstatt.");
	await a.keyboard.press("Enter");
	await j
		.getByRole("link", { name: /Fahrzeuge/ })
		.first()
		.waitFor();
	lap("all by keyboard");
	quiet(a);
	quiet(j);
});
