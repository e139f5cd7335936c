// A second office, and a connection that is paid by volume, as people meet them on
// two real nodes.
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before } from "node:test";
import { accessible, fits, launch, looks, open, quiet, step } from "./browser.mjs";
import { pair, startNode, until } from "./nodes.mjs";

let browser;
let anke;
let jonas;
let page;
let theirs;

before(async () => {
	[anke, jonas, browser] = await Promise.all([startNode(), startNode(), launch()]);
	page = await open(browser, anke);
	await anke.ask("found", {
		office: "Kanzlei Petersen & Wolf",
		person: "Anke Petersen",
		device: "PC Empfang",
	});
});

after(async () => {
	await browser?.close();
	await Promise.all([anke?.stop(), jonas?.stop()]);
});

const speak = async (page, language) => {
	await page.evaluate((l) => localStorage.setItem("inselnetz.language", l), language);
	await page.reload();
};

step("alone: what to do at the router, and whom to invite", async () => {
	await page.goto(`${anke.origin}/#/people/devices`);
	await page.getByRole("link", { name: "Zweites Büro" }).click();
	await page.getByRole("heading", { name: "Zweites Büro" }).waitFor();
	const { port, near } = await anke.ask("places");
	await page
		.getByText(`Leiten Sie Port ${port}, TCP und UDP, an dieses Gerät weiter: PC Empfang, ${near[0]}.`)
		.waitFor();
	await page.getByText("Noch ist kein anderes Gerät dabei").waitFor();
	await looks(page, "second-alone");
	const invite = page.locator("main .main").getByRole("link", { name: "Einladen" });
	assert.match(await invite.getAttribute("href"), /#\/people\/invite/);
});

step("the own address: mistyped, typed by keys alone, in the link, taken away", async () => {
	const { port } = await anke.ask("places");
	const field = page.getByLabel("Adresse von außen", { exact: true });
	await field.fill("http://kanzlei.example.org/");
	await page.keyboard.press("Enter");
	await page.getByText("ist keine Adresse.").waitFor();
	await accessible(page, "a mistyped address");
	assert.equal(await field.inputValue(), "http://kanzlei.example.org/", "what was typed is gone");
	await field.fill("Kanzlei.example.org");
	await page.keyboard.press("Enter");
	await page.getByText(`kanzlei.example.org:${port}`).waitFor();
	assert.equal(await field.inputValue(), "");
	assert.deepEqual((await anke.ask("places")).outside, [`kanzlei.example.org:${port}`]);
	await page.getByRole("button", { name: `kanzlei.example.org:${port} wegnehmen` }).click();
	await page.getByText("Noch keine Adresse. Andere Büros").waitFor();
	await field.fill("kanzlei.example.org");
	await page.keyboard.press("Enter");
	await page.getByText(`kanzlei.example.org:${port}`).waitFor();
});

step("another office: its device, the way to it, both languages", async () => {
	await pair(anke, jonas, { second: "Jonas Wolf", secondDevice: "PC Kiel" });
	const { port } = await jonas.ask("places");
	const form = page
		.locator("section")
		.filter({ has: page.getByRole("heading", { name: "Geräte im anderen Büro" }) });
	await form.getByLabel("Adresse des Geräts", { exact: true }).fill(`localhost:${port}`);
	await form.getByText("Wählen Sie zuerst ein Gerät.").waitFor();
	await form.getByLabel("Gerät", { exact: true }).selectOption({ label: "PC Kiel, Jonas Wolf" });
	await page.getByRole("button", { name: "Eintragen: Adresse des Geräts" }).click();
	await form.getByText(`localhost:${port}`).waitFor();
	await form.getByText(/^\s*verbunden über 127\.0\.0\.1:\d+, direkter Weg/).waitFor();
	await looks(page, "second-office");
	await speak(page, "en");
	await page.getByRole("heading", { name: "Second office" }).waitFor();
	await page.getByText("direct way").waitFor();
	await looks(page, "second-office-en");
	await speak(page, "de");
	// It heard where the other one is.
	const address = `kanzlei.example.org:${(await anke.ask("places")).port}`;
	await until(
		"the address is told",
		async () => (await jonas.ask("places")).devices[0]?.told.includes(address),
		90_000,
	);
	theirs = await open(browser, jonas);
	await theirs.goto(`${jonas.origin}/#/people/second`);
	await theirs.getByText("von dort mitgeteilt").waitFor();
});

step("one that is not found: from the reason to its address", async () => {
	await jonas.pause();
	const [device] = (await anke.ask("places")).devices;
	await page.goto(`${anke.origin}/#/people/why/${device.device.id}`);
	await page.getByRole("link", { name: "Adresse eintragen" }).click();
	await page.getByRole("heading", { name: "Zweites Büro" }).waitFor();
	assert.equal(await page.getByLabel("Gerät", { exact: true }).inputValue(), device.device.id);
	await page.getByText("nicht verbunden").waitFor();
	await page.getByLabel("Adresse des Geräts", { exact: true }).fill("1.2.3");
	await page.keyboard.press("Enter");
	await page.getByText("„1.2.3“ ist keine Adresse.").waitFor();
	await jonas.resume();
	const { port } = await jonas.ask("places");
	await page.getByLabel("Adresse des Geräts", { exact: true }).fill(`localhost:${port}`);
	await page.keyboard.press("Enter");
	await page.getByText("direkter Weg").waitFor();
	quiet(page);
});

step("a connection paid by volume: the large file waits, the small one comes", async () => {
	theirs = await open(browser, jonas);
	await theirs.getByRole("button", { name: "Einstellungen", exact: true }).first().click();
	const choice = theirs.getByRole("group", { name: "Verbindung nach Menge bezahlt" });
	await choice.getByRole("button", { name: "Ja", exact: true }).click();
	await until("it is paid by volume", async () => (await jonas.ask("metered")).now);
	await looks(theirs, "metered-settings");
	await theirs.keyboard.press("Escape");
	const { dir, space } = await until("a folder", async () =>
		(await anke.ask("files/folders")).folders.find((f) => f.dir),
	);
	await writeFile(join(dir, "Verhandlung.mp4"), Buffer.alloc(9_000_000, "Kammer"));
	await writeFile(join(dir, "Ladung.txt"), "am 14. Dezember");
	await until("the small one", async () =>
		(await jonas.ask("files/list", { space, path: "" })).files.some(
			(f) => f.name === "Ladung.txt" && f.where === "here",
		),
	);
	await theirs.goto(`${jonas.origin}/#/files/${space}/`);
	await theirs.getByText("Eine große Datei wartet (9 MB).").waitFor();
	await theirs.getByText("nicht geladen").first().waitFor();
	await looks(theirs, "metered-files");
	await speak(theirs, "en");
	await theirs.getByText("One large file waits (9 MB).").waitFor();
	await fits(theirs, "metered files in English");
	await speak(theirs, "de");
});

step("asked for once, the next one waits; always, and none does", async () => {
	const { dir, space } = (await anke.ask("files/folders")).folders.find((f) => f.dir);
	const large = async (where) =>
		await until(
			`the large ones: ${where}`,
			async () => {
				const { files } = await jonas.ask("files/list", { space, path: "" });
				const found = files.filter((f) => f.name.endsWith(".mp4")).map((f) => f.where);
				return found.join() === where;
			},
			60_000,
		);
	await theirs.getByRole("button", { name: "Jetzt laden" }).click();
	await large("here");
	await theirs.getByText("Eine große Datei wartet").waitFor({ state: "detached" });
	await writeFile(join(dir, "Ortstermin.mp4"), Buffer.alloc(7_000_000, "Steg"));
	await theirs.getByText("Eine große Datei wartet (7 MB).").waitFor();
	await large("spared,here");
	await theirs.getByRole("button", { name: "Hier immer laden" }).click();
	await large("here,here");
	assert.equal((await jonas.ask("metered")).mode, "no");
	quiet(theirs);
});
