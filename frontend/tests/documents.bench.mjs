// What documents cost, through the calls that a page makes, on real nodes: printed,
// for app/BENCHMARKS.md. The page itself is measured in write.spec.mjs.
import { get } from "node:http";
import { pair, startNode, until } from "./nodes.mjs";

const nobody = { more: false, typing: false, shown: false, anchor: 0, head: 0 };
const at = (list, p) => list.sort((a, b) => a - b)[Math.floor(list.length * p)].toFixed(1);

async function measure(what, times, run) {
	const took = [];
	for (let i = 0; i < times; i++) {
		const began = performance.now();
		await run(i);
		took.push(performance.now() - began);
	}
	console.log(`${what}: p50 ${at(took, 0.5)} ms, p95 ${at(took, 0.95)} ms`);
}

const create = (node, title, markdown) =>
	node.ask("document/create", { title, space: "", folder: "", markdown, template: "" });
const open = (node, doc) => node.ask("document/open", { id: doc.id, heads: [], actor: "", next: 0 });

const look = async (node, doc) => node.ask("document/close", { editor: (await open(node, doc)).editor });

// writer sends batches of an editor.
async function writer(node, doc) {
	const { editor } = await open(node, doc);
	let batch = 0;
	return (edits = []) => node.ask("document/sync", { editor, batch: ++batch, edits, ...nobody });
}
const letter = (position) => [{ kind: "splice", at: position, text: "x", marks: {} }];

async function large(node) {
	let markdown = "";
	for (let block = 0; block < 1500; block++) {
		for (let word = 0; word < 13; word++) markdown += `wort wor **fett${word}** `;
		markdown = `${markdown.trim()} und noch ein Ende\n\n`;
	}
	const doc = await create(node, "Groß", markdown);
	const { length } = await open(node, doc);
	console.log(`a document of ${length} characters and 19,500 marks`);
	await measure("opening it", 10, () => look(node, doc));
	const send = await writer(node, doc);
	let position = 5000;
	await measure("a keystroke", 100, () => send(letter(position++)));
	await measure("a keystroke anywhere", 100, () => send(letter(100 + Math.floor(Math.random() * 250_000))));
}

async function history(node) {
	const doc = await create(
		node,
		"Lang",
		`${"Ein Absatz mit Worten, die eine Zeile füllen. ".repeat(4)}\n\n`.repeat(300),
	);
	const send = await writer(node, doc);
	const heads = [];
	for (let i = 0; i < 10_000; i++) {
		const answer = await send(letter(1 + ((i * 7919) % 40_000)));
		if (i % 100 === 0) heads.push(answer.heads);
	}
	console.log("a document of 20 pages with 10,000 changes");
	await measure("its history", 10, () => node.ask("document/history", { id: doc.id, heads: [] }));
	await measure("a step of the slider", 90, (i) =>
		node.ask("document/state", { id: doc.id, heads: heads[i + 1], since: heads[i] }),
	);
	await measure("opening it", 20, () => look(node, doc));
}

async function search(node) {
	const words = "Vollmacht Mandant Frist Klage Gericht Termin Akte Gutachten Vergleich Rechnung".split(" ");
	for (let i = 0; i < 1000; i++) {
		let markdown = `Nadel${i}\n\n`;
		for (let w = 0; w < 800; w++) markdown += words[(i * 7 + w * w) % words.length] + (w % 40 ? " " : "\n\n");
		await create(node, `Schriftsatz ${i}`, markdown);
	}
	console.log("1,000 documents of 7,000 characters");
	await measure("the list", 10, () => node.ask("documents", { space: "" }));
	await measure("a rare word", 30, (i) =>
		node.ask("document/search", { query: `nadel${i * 30}`, limit: 50 }),
	);
	await measure("a word in all", 30, () => node.ask("document/search", { query: "vollmacht", limit: 50 }));
	await node.pause();
	await node.resume();
	await measure("the first list after a start", 1, () => node.ask("documents", { space: "" }));
}

// From a batch at one node to the answer with it at another.
async function together(first, second) {
	await pair(first, second, { first: "", second: "Bob", secondDevice: "Laptop" });
	const doc = await create(first, "Kurz", "Hallo");
	const send = await writer(first, doc);
	const fetch_ = await until("the document", () => writer(second, doc).catch(() => null));
	const cookie = (await fetch(await second.address(), { redirect: "manual" })).headers
		.get("set-cookie")
		.split(";")[0];
	let heard = () => {};
	get(`${second.origin}/api/events`, { headers: { Cookie: cookie } }, (stream) => {
		stream.setEncoding("utf8").on("data", (text) => text.includes('"document"') && heard());
	});
	await new Promise((r) => setTimeout(r, 1000));
	await measure("from one node to the page of another", 100, async () => {
		let again = () => {};
		heard = () => again();
		await send(letter(1));
		while ((await fetch_()).edits.length === 0) {
			await new Promise((r) => {
				again = r;
				setTimeout(r, 5);
			});
		}
	});
}

const node = await startNode();
await node.ask("found", { office: "Büro", person: "Ann", device: "PC" });
await large(node);
await history(node);
await search(node);
const other = await startNode();
await together(node, other);
await node.stop();
await other.stop();
process.exit();
