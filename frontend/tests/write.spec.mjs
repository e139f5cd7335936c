// People write in documents together, at real nodes: without a browser first, many
// at once, then as they see it.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { random, seeds } from "./editor.model.mjs";
import { something } from "./editor.random.mjs";
import { pair, startNode, until } from "./nodes.mjs";
import { core, kill, Typist, told } from "./write.nodes.mjs";

let anke; // nodes
let jonas;
let cleo; // is away most of the time

before(async () => {
	[anke, jonas, cleo] = await Promise.all([startNode(), startNode(), startNode()]);
	const names = { office: "Kanzlei Petersen & Wolf", first: "Anke Petersen", firstDevice: "PC Empfang" };
	await pair(anke, jonas, { ...names, second: "Jonas Wolf", secondDevice: "Laptop Wolf" });
	await anke.ask("invite/close");
	await pair(anke, cleo, { second: "Cleo Brandt", secondDevice: "PC Brandt" });
	await anke.ask("invite/close");
});

after(() => Promise.all([anke, jonas, cleo].map((node) => node?.stop())));

async function create(title, markdown) {
	const { id } = await anke.ask("document/create", { space: "", title, folder: "", markdown, template: "" });
	await until("it is there", async () =>
		(await jonas.ask("documents", { space: "" })).documents.some((d) => d.id === id),
	);
	return id;
}

const pause = (ms) => new Promise((done) => setTimeout(done, ms));
// json is the text with attributes in one order.
const sorted = (_key, v) =>
	v && typeof v === "object" && !Array.isArray(v)
		? Object.fromEntries(Object.entries(v).sort(([a], [b]) => (a < b ? -1 : 1)))
		: v;
const json = (doc) => JSON.stringify(doc.toJSON(), sorted);

// write has two people do random things to a document of their own.
async function write(seed, stop) {
	const r = random(seed);
	const id = await create(`Zufall ${seed}`, "# Anfang\n\nEin Absatz mit **fett** und 😀.\n\n- [ ] Aufgabe\n");
	const people = await Promise.all([anke, jonas].map((node) => new Typist(node, id).open()));
	while (Date.now() < stop) {
		const who = r.of(people);
		const what = r(20);
		if (what === 0) who.command(core.undo);
		else if (what === 1) who.command(core.redo);
		else if (what === 2) who.cut = r.chance(0.3);
		else who.link.dispatch(something(who.state, r, core).setTime(Date.now()));
		await pause(r(400));
	}
	for (const who of people) who.cut = false;
	return { seed, id, people };
}

async function agree({ seed, id, people }) {
	for (const who of people) await who.link.saved();
	await until(
		`seed ${seed}: both show the same`,
		async () => {
			for (const who of people) who.link.heard({ what: "document", id });
			await pause(200);
			return (
				people.every((who) => who.link.state.kind === "saved") && people[0].state.doc.eq(people[1].state.doc)
			);
		},
		60_000,
	).catch(async (err) => {
		for (const who of people) console.log(who.link.state.kind, who.link.state.problem, json(who.state.doc));
		throw err;
	});
	for (const who of people) {
		assert.equal(who.link.state.healed, 0, `seed ${seed}`);
		assert.equal(
			json(await told(who.node, id)),
			json(people[0].state.doc),
			`seed ${seed}: ${who.node === anke}`,
		);
		await who.close();
	}
}

test("random people at two nodes, which come and go", { timeout: 240_000 }, async () => {
	await cleo.pause();
	const list = seeds(20);
	console.log("seeds", list.join(" "));
	const stop = Date.now() + 30_000;
	const all = Promise.all(list.map((seed) => write(seed, stop)));
	await pause(8000);
	await jonas.pause();
	await pause(3000);
	await jonas.resume();
	await pause(4000);
	await kill(anke);
	await pause(1000);
	await anke.resume();
	const written = await all;
	for (const w of written) await agree(w);
	// Whoever was away all the time has the same in the end.
	await cleo.resume();
	for (const { seed, id } of written) {
		const wanted = json(await told(anke, id));
		await until(
			`seed ${seed}: Cleo has it`,
			async () => (await told(cleo, id).then(json, () => "")) === wanted,
			30_000,
		);
	}
});
