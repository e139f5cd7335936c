// Why a device is not here, as people see it, on two real nodes.
import assert from "node:assert/strict";
import { after, before } from "node:test";
import { accessible, fits, launch, looks, open, quiet, step } from "./browser.mjs";
import { pair, startNode, until } from "./nodes.mjs";

let browser;
let anke;
let jonas;
let page;
const jonasDevice = async () =>
	(await anke.ask("people")).people.flatMap((p) => p.devices).find((d) => d.name === "Laptop Wolf");

before(async () => {
	[anke, jonas, browser] = await Promise.all([startNode(), startNode(), launch()]);
	await pair(anke, jonas, {
		office: "Kanzlei Petersen & Wolf",
		first: "Anke Petersen",
		firstDevice: "PC Empfang",
		second: "Jonas Wolf",
		secondDevice: "Laptop Wolf",
	});
	await until("Jonas is here", async () => (await jonasDevice())?.presence === "here");
	page = await open(browser, anke);
});

after(async () => {
	await browser?.close();
	await Promise.all([anke?.stop(), jonas?.stop()]);
});

step("a device that is here: by which way, and no question why not", async () => {
	await page.goto(`${anke.origin}/#/people/devices`);
	await page.getByText("direkt, auf demselben Computer").first().waitFor();
	await page.getByText("Beide Geräte haben alles.").waitFor();
	assert.equal(await page.getByRole("link", { name: "Warum nicht da?" }).count(), 0);
	await page.getByRole("link", { name: "Netz prüfen" }).click();
	await page.getByText("Das andere Gerät ist da.").first().waitFor();
	await looks(page, "why-network");
});

step("the map: both, and by which way", async () => {
	await page.goto(`${anke.origin}/#/people/map`);
	await page.getByRole("status").getByText("Beide Geräte haben alles.").waitFor();
	const wolf = page.locator(".spot", { hasText: "Laptop Wolf" });
	await wolf.click();
	const facts = page.getByRole("region", { name: "Laptop Wolf" });
	await facts.getByText("direkt, auf demselben Computer").waitFor();
	await looks(page, "map-real");
	await facts.getByRole("link", { name: "Verbindung prüfen" }).click();
	await page.getByText("Laptop Wolf ist da.").first().waitFor();
});

step("copying says what came of it, also where the browser refuses", async () => {
	const copy = page.getByRole("button", { name: "Text für die Hilfe kopieren" });
	await page.evaluate(() => {
		navigator.clipboard.writeText = async (text) => {
			globalThis.copied = text;
		};
	});
	await copy.click();
	await page.getByRole("status").getByText("Kopiert.").waitFor();
	assert.match(await page.evaluate(() => globalThis.copied), /^Inselnetz /);
	await page.evaluate(() => {
		navigator.clipboard.writeText = () => Promise.reject(new DOMException("refused", "NotAllowedError"));
	});
	await copy.click();
	await page.getByRole("status").getByText("Ihr Browser lässt das Kopieren nicht zu.").waitFor();
	await page.locator("main pre").waitFor(); // it is there to be marked
});

step("one that was stopped: by keys alone to the reason and back", async () => {
	await jonas.pause();
	await until("Jonas is gone", async () => (await jonasDevice()).presence !== "here");
	await page.goto(`${anke.origin}/#/people/devices`);
	const why = page.getByRole("link", { name: "Warum nicht da? Laptop Wolf" });
	await why.waitFor();
	await anke.ask("post", { channel: "", text: "Wo bist du?", replyTo: "", nonce: crypto.randomUUID() });
	await page.getByText("fehlt eine Nachricht von heute").waitFor();
	for (let i = 0; i < 60 && !(await why.evaluate((el) => el === document.activeElement)); i++) {
		await page.keyboard.press("Tab");
	}
	await page.keyboard.press("Enter");
	await page.getByRole("heading", { name: "Warum ist Laptop Wolf nicht da?" }).waitFor();
	await page.getByText("ist ein Computer an, aber Inselnetz läuft dort nicht").first().waitFor();
	await page.getByText("Starten Sie Inselnetz an diesem Computer.").first().waitFor();
	await looks(page, "why-device");
	await page.locator("summary").click();
	const text = await page.locator("main pre").innerText();
	assert.match(text, /127\.0\.0\.1:\d+: refused/);
	assert.doesNotMatch(text, /Petersen|Jonas/, "the text names people or the office");
});

step("the same in English", async () => {
	await page.evaluate(() => localStorage.setItem("inselnetz.language", "en"));
	await page.reload();
	await page.getByRole("heading", { name: "Why is Laptop Wolf not here?" }).waitFor();
	await page.getByText("a computer is on, but Inselnetz is not running there").first().waitFor();
	await accessible(page, "why in English");
	await fits(page, "why in English");
	await looks(page, "why-device-english");
	await page.goto(`${anke.origin}/#/people/why`);
	await page.getByText("The other device is not here.").first().waitFor();
	await looks(page, "why-network-english");
	await page.goto(`${anke.origin}/#/people/map`);
	await page.getByRole("cell", { name: /lacks one message from today/ }).waitFor();
	await looks(page, "map-english");
	await page.evaluate(() => localStorage.setItem("inselnetz.language", "de"));
	await page.goto(`${anke.origin}/#/people/why/${(await jonasDevice()).id}`);
	await page.reload();
});

step("it comes back: checked again, it is here", async () => {
	await jonas.resume();
	await until("Jonas is back", async () => (await jonasDevice()).presence === "here", 30_000);
	await page.getByRole("button", { name: "Noch einmal prüfen" }).click();
	await page.getByText("Laptop Wolf ist da.").first().waitFor();
	quiet(page);
});
