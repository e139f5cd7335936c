// Makes the pictures of the README: three real nodes, one small office.
// npm run pictures
import { mkdir } from "node:fs/promises";
import { launch, open, phone } from "./browser.mjs";
import { pair, startNode, until } from "./nodes.mjs";

const folder = "../build/pictures";
await mkdir(folder, { recursive: true });
const [browser, anke, jonas, emre] = await Promise.all([launch(), startNode(), startNode(), startNode()]);

await pair(anke, jonas, {
	office: "Kanzlei Petersen & Wolf",
	first: "Anke Petersen",
	firstDevice: "PC Empfang",
	second: "Jonas Wolf",
	secondDevice: "Laptop Wolf",
});
await pair(anke, emre, { second: "Emre Yıldız", secondDevice: "PC Yıldız" });

const here = async (node, holds) => {
	const found = async () => (await node.ask("messages", { channel: "" })).messages.find(holds);
	return await until("a message", found);
};
const says = async (node, text, answers = "") => {
	const replyTo = answers && (await here(node, (m) => m.text === answers)).id;
	await node.ask("post", { channel: "", text, replyTo, nonce: crypto.randomUUID() });
	for (const other of [anke, jonas, emre]) await here(other, (m) => m.text === text);
};

const deadline =
	"Die Frist endet heute um 24 Uhr. Wenn das beA bis 15 Uhr nicht geht, faxen wir vom Amtsgericht.";
await anke.ask("channel/create", { name: "Empfang" });
await anke.ask("channel/create", { name: "Fristen" });
await says(anke, deadline);
await says(emre, "Mache ich. Das Protokoll der Störung hänge ich an.", deadline);
await says(emre, "Entwurf liegt im Schrank, bitte gegenlesen. @Anke Petersen");
await says(
	anke,
	"Gelesen, passt so. Herr Behrens kommt um 11 Uhr.",
	"Entwurf liegt im Schrank, bitte gegenlesen. @Anke Petersen",
);
for (const node of [jonas, emre]) {
	const { id } = await here(node, (m) => m.text === deadline);
	await node.ask("react", { message: id, word: "agree", on: true });
}
await until("reactions", async () => {
	const message = await here(anke, (m) => m.text === deadline);
	return message.reactions[0]?.by.length === 2;
});
await says(jonas, "Ich fahre um 14 Uhr los.");

const channels = (await anke.ask("channels")).channels;
const main = channels.find((c) => c.main).id;
const page = await open(browser, anke);
await page.setViewportSize({ width: 1280, height: 860 });
await page.goto(`${anke.origin}/#/chat/${main}`);
await page.getByText("Ich fahre um 14 Uhr los.").first().waitFor();
await page.waitForTimeout(800);
await page.screenshot({ path: `${folder}/chat.png` });
await page.setViewportSize({ width: 1280, height: 720 });

const empfang = (await jonas.ask("channels")).channels.find((c) => c.name === "Empfang").id;
await jonas.ask("post", { channel: empfang, text: "Der Paketbote war da.", replyTo: "", nonce: "p" });
await page.goto(`${anke.origin}/#/home`);
await page.getByText("Der Paketbote war da.").waitFor();
await page.waitForTimeout(400);
await page.screenshot({ path: `${folder}/home.png` });

const settlement = `Entwurf, Amtsgericht Husum, Az. 8 C 214/26

Die Parteien schließen zur vollständigen Erledigung des Rechtsstreits auf Vorschlag des Gerichts den folgenden Vergleich:

1. Der Beklagte zahlt an die Klägerin **18.400 Euro**, fällig am 15. Dezember 2026.
2. Die Klägerin überlässt dem Beklagten den Hausrat im Obergeschoss, soweit er in Anlage 1 aufgeführt ist.
3. Das Boot „Marie“ verbleibt bei der Klägerin.
4. Die Kosten des Rechtsstreits werden gegeneinander aufgehoben.

## Widerruf

Beide Parteien können den Vergleich bis zum 17. November 2026 durch Schriftsatz an das Gericht widerrufen.

- [x] Entwurf an Frau Thiessen
- [ ] Anlage 1 prüfen
`;
const { id } = await anke.ask("document/create", {
	space: "",
	title: "Vergleich Thiessen",
	folder: "Mandate",
	markdown: settlement,
	template: "",
});
await until("the document", async () => (await jonas.ask("documents", { space: "" })).documents.length > 0);
const his = await open(browser, jonas);
const document_ = `#/documents/${encodeURIComponent(id)}`;
await page.setViewportSize({ width: 1280, height: 800 });
await page.goto(`${anke.origin}/${document_}`);
await his.goto(`${jonas.origin}/${document_}`);
await page.getByText("Das Boot").waitFor();
await his.getByText("Das Boot").click();
await his.keyboard.press("End");
await his.keyboard.type(" Der Beklagte übergibt die Papiere bis zum 30. November.", { delay: 30 });
await page.getByText("bis zum 30. November.").waitFor();
await page.waitForTimeout(500);
await page.screenshot({ path: `${folder}/document.png` });

await page.setViewportSize(phone);
await page.emulateMedia({ colorScheme: "dark" });
await page.goto(`${anke.origin}/#/chat/${main}`);
await page.getByText("Ich fahre um 14 Uhr los.").first().waitFor();
await page.waitForTimeout(800);
await page.screenshot({ path: `${folder}/phone.png` });

await browser.close();
await Promise.all([anke.stop(), jonas.stop(), emre.stop()]);
