// How long a page takes until one can use it: from the address to Home with its
// sentence, then to the channels with the newest message. Printed, for
// app/BENCHMARKS.md; more than LIMIT milliseconds is a failure.
import { launch, wide } from "./browser.mjs";
import { startNode, until } from "./nodes.mjs";

const messages = Number(process.env.MESSAGES || 100_000);
const documents = Number(process.env.DOCUMENTS || 1000);
const limit = Number(process.env.LIMIT || 1500);

// fill does n things, eight at a time.
async function fill(n, what) {
	let next = 0;
	const work = async () => {
		while (next < n) await what(next++);
	};
	await Promise.all(Array.from({ length: 8 }, work));
}

const node = await startNode();
await node.ask("found", { office: "Kanzlei Petersen & Wolf", person: "Anke Petersen", device: "PC Empfang" });
const began = performance.now();
await fill(messages, (i) =>
	node.ask("post", {
		channel: "",
		text: `${i}: Die Akte liegt im Schrank, bitte bis elf Uhr gegenlesen.`,
		replyTo: "",
		nonce: `n${i}`,
	}),
);
await fill(documents, (i) =>
	node.ask("document/create", {
		space: "",
		title: `Schriftsatz ${i}`,
		folder: `Mandate ${i % 20}`,
		markdown: "Die Parteien schließen den folgenden Vergleich.\n\n1. Der Beklagte zahlt.\n",
		template: "",
	}),
);
const took = (performance.now() - began) / 1000;
console.log(`${messages} messages and ${documents} documents, written in ${took.toFixed(0)} s`);
await node.pause();
await node.resume(); // nothing of it is in memory
await until("an answer", () => node.ask("status").catch(() => null));

const browser = await launch();
const home = [];
const chat = [];
let size = 0;
for (let i = 0; i < 7; i++) {
	// A fresh profile: nothing is cached.
	const context = await browser.newContext({ viewport: wide, locale: "de-DE" });
	const page = await context.newPage();
	const address = await node.address();
	const from = performance.now();
	await page.goto(address, { waitUntil: "commit" });
	await page.locator("main h1").waitFor();
	await page.getByRole("navigation", { name: "Bereiche" }).waitFor();
	home.push(performance.now() - from);
	if (i === 0) {
		size = await page.evaluate(() =>
			performance
				.getEntriesByType("resource")
				.filter((r) => r.name.endsWith(".js"))
				.reduce((sum, r) => sum + r.encodedBodySize, 0),
		);
	}
	const then = performance.now();
	await page.getByRole("link", { name: /^Chat/ }).first().click();
	await page
		.getByRole("feed")
		.getByText(/^\d+: Die Akte/)
		.last()
		.waitFor();
	await page.getByRole("textbox", { name: "Nachricht schreiben" }).waitFor();
	chat.push(performance.now() - then);
	await context.close();
}
await browser.close();
await node.stop();

const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
const say = (what, list) =>
	console.log(`${what}: p50 ${median(list).toFixed(0)} ms, first ${list[0].toFixed(0)} ms`);
say("from the address to Home", home);
say("from Home to the channels", chat);
console.log(`JavaScript until then: ${(size / 1000).toFixed(0)} kB as sent`);
if (median(home) + median(chat) > limit) {
	console.error(`more than ${limit} ms`);
	process.exitCode = 1;
}
