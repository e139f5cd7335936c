// A real relay as people see it: four computers in a row, each with a cable to the
// next one only. Needs root, for the networks.
import assert from "node:assert/strict";
import { after, before } from "node:test";
import { launch, looks, open, quiet, step } from "./browser.mjs";
import { able, row } from "./lab.nodes.mjs";
import { pair, startNode, until } from "./nodes.mjs";

const names = [
	["Anke Petersen", "PC Empfang"],
	["Jonas Wolf", "Laptop Wolf"],
	["Emre Yıldız", "NAS Keller"],
	["Marlies Brandt", "iMac Dachgeschoß"],
];

// Whose end began the connection knows the last of those who carry, the other the
// one next to it.
const twice = /über (NAS Keller|Laptop Wolf) und ein weiteres Gerät/;

let lab;
let browser;
let nodes = [];
const line = (page, name) =>
	page.getByRole("row").filter({ has: page.getByRole("rowheader", { name: new RegExp(name) }) });
const see = async (node, name) =>
	(await node.ask("people")).people.flatMap((p) => p.devices).find((d) => d.name === name);

if (able) {
	before(
		async () => {
			lab = row(names.length);
			browser = await launch();
			nodes = await Promise.all(lab.hosts.map((ns) => startNode(ns)));
			for (let i = 0; i + 1 < nodes.length; i++) {
				await pair(nodes[i], nodes[i + 1], {
					office: i === 0 ? "Kanzlei Petersen & Wolf" : "",
					first: names[i][0],
					firstDevice: names[i][1],
					second: names[i + 1][0],
					secondDevice: names[i + 1][1],
					role: "admin",
				});
			}
		},
		{ timeout: 120_000 },
	);

	after(async () => {
		await browser?.close();
		await Promise.all(nodes.map((node) => node.stop()));
		lab?.stop();
	});

	step("who has no way of its own is carried, by one and by two", async () => {
		const [anke] = nodes;
		for (const [, name] of names) {
			await until(`${name} is here`, async () => (await see(anke, name))?.presence === "here", 60_000);
		}
		const page = await open(browser, anke);
		await page.goto(`${anke.origin}/#/people/map`);
		await line(page, "Laptop Wolf").getByText("direkt über Kabel oder WLAN").waitFor();
		await line(page, "NAS Keller").getByText("über Laptop Wolf").waitFor();
		await line(page, "iMac Dachgeschoß").getByText(twice).waitFor();
		await page.getByRole("status").getByText("Alle 4 Geräte haben alles.").waitFor();
		// On the map each hangs at who carries it.
		const x = async (name) => (await page.locator(`.spot[title="${name}"]`).locator(".tile").boundingBox()).x;
		assert.ok((await x("Laptop Wolf")) < (await x("NAS Keller")));
		assert.ok((await x("NAS Keller")) < (await x("iMac Dachgeschoß")));
		assert.equal(await page.locator(".lines .line.member").count(), 2);
		await page.locator('.spot[title="iMac Dachgeschoß"]').click();
		await looks(page, "map-relay");
		await page.goto(`${anke.origin}/#/people/devices`);
		await page.getByText(twice).waitFor();
		await page.goto(`${anke.origin}/#/people/why/${(await see(anke, "NAS Keller")).id}`);
		await page.getByText("NAS Keller ist da, über Laptop Wolf.", { exact: true }).waitFor();
		await page.getByRole("heading", { name: "Verbindung zu NAS Keller" }).waitFor();
		quiet(page);
		await page.close();
	});

	step(
		"without who carries, those behind are away, and lack what was said meanwhile",
		async () => {
			const [anke, , nas] = nodes;
			const page = await open(browser, anke);
			await page.goto(`${anke.origin}/#/people/map`);
			await page.getByRole("status").getByText("Alle 4 Geräte haben alles.").waitFor();
			await nas.pause();
			await page.locator('.spot.apart[title="NAS Keller"]').waitFor({ timeout: 30_000 });
			await page.locator('.spot.apart[title="iMac Dachgeschoß"]').waitFor({ timeout: 30_000 });
			await anke.ask("post", { channel: "", text: "Seht ihr das?", replyTo: "", nonce: crypto.randomUUID() });
			await line(page, "iMac Dachgeschoß").getByText("fehlt eine Nachricht von heute").waitFor();
			await page.getByText("2 Geräten, die nicht da sind, fehlt etwas.").waitFor();
			await looks(page, "map-relay-gone");
			await nas.resume();
			await until("all are here", async () => (await anke.ask("status")).devicesHere === 4, 60_000);
			await page.getByRole("status").getByText("Alle 4 Geräte haben alles.").waitFor({ timeout: 60_000 });
			quiet(page);
		},
		180_000,
	);
} else {
	console.log("the map of relays: not tried, networks of its own need root");
}
