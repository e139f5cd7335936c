// Two devices that cannot reach each other: an invitation as a file, then what each
// wrote carried over by files, both ways.
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before } from "node:test";
import { accessible, again, fits, launch, looks, open, quiet, step } from "./browser.mjs";
import { startNode } from "./nodes.mjs";

let browser;
let anke;
let jonas;
let a;
let j;
let there; // the file that goes to Jonas

const lines = async (node) => (await node.ask("messages", { limit: 500 })).messages.map((m) => m.text);

// saved follows a button that saves a file, and says where it is.
async function saved(page, button, dir) {
	const [download] = await Promise.all([
		page.waitForEvent("download"),
		page.getByRole("button", { name: button }).click(),
	]);
	const path = join(dir, download.suggestedFilename());
	await download.saveAs(path);
	return path;
}

before(async () => {
	[anke, jonas, browser] = await Promise.all([startNode(), startNode(), launch()]);
	await anke.ask("found", { office: "Kanzlei Sommer", person: "Anke Sommer", device: "PC Empfang" });
	[a, j] = [await open(browser, anke), await open(browser, jonas)];
});

after(async () => {
	await browser?.close();
	await Promise.all([anke?.stop(), jonas?.stop()]);
});

step("an invitation is saved as a file and opened on joining", async () => {
	await a.goto(`${anke.origin}/#/people/invite`);
	await a.getByText("Per Link oder QR-Code").click();
	await a.getByRole("button", { name: "Link erstellen" }).click();
	await a.getByRole("img", { name: "QR-Code der Einladung" }).waitFor();
	await looks(a, "stick-invitation");
	const file = await saved(a, "Als Datei speichern", anke.home);
	assert.match(file, /Einladung Kanzlei Sommer\.inselnetz$/);

	await j.getByRole("button", { name: "Link oder Adresse eingeben" }).click();
	const field = j.getByLabel("Einladung als Datei öffnen");
	const other = join(anke.home, "Protokoll.txt");
	await writeFile(other, "Protokoll vom Montag\n");
	await field.last().setInputFiles(other);
	await j.getByText("In dieser Datei ist keine Einladung.").waitFor();
	await field.last().setInputFiles(file);
	await j.getByText("Link erkannt.").waitFor();
	await looks(j, "stick-join");
	await j.getByRole("button", { name: "Weiter" }).click();
	await j.getByLabel("Wie heißen Sie?").fill("Jonas Wolf");
	await j.getByLabel("Wie heißt dieser Computer?").fill("Laptop Wolf");
	await j.getByRole("button", { name: "Beitreten" }).click();
	await j.getByRole("button", { name: "Ja, dieselben Wörter" }).click();
	await j.getByRole("button", { name: "Weiter" }).click();
	await j.getByRole("button", { name: "Los geht’s" }).click();
	await j.getByText("2 von 2 Geräten da").waitFor();
});

step("from now on each is alone", async () => {
	await Promise.all([anke.pause(), jonas.pause()]);
	anke.apart(30_100 + 4 * Math.floor(Math.random() * 300));
	jonas.apart(31_500 + 4 * Math.floor(Math.random() * 300));
	await Promise.all([anke.resume(), jonas.resume()]);
	await Promise.all([again(a, anke), again(j, jonas)]);
	for (let i = 0; i < 40; i++) await anke.ask("post", { text: `Akte ${i} liegt bereit` });
	for (let i = 0; i < 3; i++) await jonas.ask("post", { text: `Gericht, Saal ${i}` });
});

step("what the other lacks is saved to a file", async () => {
	await a.goto(`${anke.origin}/#/people/devices`);
	await a.getByRole("link", { name: "Ohne Netz: USB-Stick" }).click();
	await a.getByRole("heading", { name: "Austausch mit einem USB-Stick" }).waitFor();
	await a.getByLabel("Für welches Gerät?").selectOption({ label: "Laptop Wolf, Jonas Wolf" });
	await a.getByText(/Die Datei enthält: 4\d Nachrichten/).waitFor();
	await looks(a, "stick-take");
	there = await saved(a, "Datei speichern", anke.home);
	assert.match(there, /Inselnetz \d{4}-\d\d-\d\d \d\d-\d\d\.inselnetz$/);
	await a.getByText("Die Datei ist geschrieben.").waitFor();
	const bytes = await readFile(there);
	assert.equal(bytes.subarray(0, 15).toString(), "inselnetz-stick");
	assert.doesNotMatch(bytes.toString("latin1"), /Sommer|Akte|Anke/, "the file says something in the clear");
	await looks(a, "stick-taken");
});

step("the other brings it, and an open page shows it at once", async () => {
	const chat = await j.context().newPage();
	await chat.goto(`${jonas.origin}/#/chat`);
	await chat.getByText("Gericht, Saal 2").first().waitFor();
	await j.goto(`${jonas.origin}/#/people/stick`);
	const field = j.getByLabel("Datei wählen").last();
	await field.setInputFiles(join(anke.home, "Protokoll.txt"));
	await j.getByText("Das ist keine Datei zum Austausch.").waitFor();
	const cut = join(anke.home, "halb.inselnetz");
	const whole = await readFile(there);
	await writeFile(cut, whole.subarray(0, whole.length - 100));
	await field.setInputFiles(cut);
	await j.getByText("Die Datei ist unvollständig oder beschädigt.").waitFor();
	await field.setInputFiles(there);
	await j.getByText(/Neu: 4\d Nachrichten/).waitFor();
	await j.getByText("Gemacht von Anke Sommer (PC Empfang)").waitFor();
	await looks(j, "stick-brought");
	await chat.getByText("Akte 39 liegt bereit").first().waitFor();
	await chat.close();
	assert.equal((await jonas.ask("search", { text: "Akte" })).hits.length > 0, true);
	await field.setInputFiles(there);
	await j.getByText("Es war nichts Neues dabei.").waitFor();
});

step("and the same way back: both show the same", async () => {
	await j.getByLabel("Alles von Anfang an").check();
	const back = await saved(j, "Datei speichern", jonas.home);
	await a.getByLabel("Datei wählen").last().setInputFiles(back);
	await a.getByText("Neu: 3 Nachrichten").waitFor();
	assert.deepEqual(await lines(anke), await lines(jonas));
	assert.equal((await lines(anke)).length, 43);
	await a.getByText("Drüben fehlt nichts, soweit hier bekannt.").waitFor();
	quiet(a);
	quiet(j);
});

step("a file of another office", async () => {
	const other = await startNode();
	try {
		await other.ask("found", { office: "Praxis", person: "Ole", device: "PC" });
		const page = await open(browser, other);
		await page.goto(`${other.origin}/#/people/stick`);
		await page.getByLabel("Datei wählen").last().setInputFiles(there);
		await page.getByText("Dieser Computer kann die Datei nicht öffnen.").waitFor();
		await page.context().close();
	} finally {
		await other.stop();
	}
});

step("the same in English, and by keys", async () => {
	await a.evaluate(() => localStorage.setItem("inselnetz.language", "en"));
	await a.reload();
	await a.getByRole("heading", { name: "Exchange by USB stick" }).waitFor();
	await a.getByText("Nothing is missing over there, as far as is known here.").waitFor();
	await a.screenshot({ path: join(process.env.SHOTS || "test-results", "stick-english.png") });
	await accessible(a, "stick in English");
	await fits(a, "stick in English");
	const pick = a.getByRole("button", { name: "Choose file" });
	await a.bringToFront(); // browsers open a dialog for the page in front alone
	const [chooser] = await Promise.all([a.waitForEvent("filechooser"), pick.press("Enter")]);
	await chooser.setFiles(there);
	await a.getByText("There was nothing new in it.").waitFor();
	quiet(a);
});
