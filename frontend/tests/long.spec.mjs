// A channel of 20,000 messages scrolls smoothly and keeps the page small.
import assert from "node:assert/strict";
import { after, before } from "node:test";
import { accessible, launch, open, quiet, step } from "./browser.mjs";
import { startNode, until } from "./nodes.mjs";

const many = Number(process.env.MESSAGES || 20_000);
const words =
	"Akte Termin Rückruf morgen um elf Uhr bitte Frau Thiessen Drucker Post Schrank Kaffee Fristen Entwurf".split(
		" ",
	);

let browser;
let node;
let page;
const rank = new Map(); // number of a message → its place in the channel

before(async () => {
	[browser, node] = await Promise.all([launch(), startNode()]);
	await node.ask("found", { office: "Fahrschule Nord", person: "Anke Petersen", device: "PC Empfang" });
});
after(async () => {
	await browser?.close();
	await node?.stop();
});

const text = (i) =>
	`${i}: ${Array.from({ length: 3 + ((i * 7919) % 28) }, (_, k) => words[(i * 31 + k * 17) % words.length]).join(" ")}`;

// The places in the channel of the messages that the list shows now.
const shown = async () => (await numbers()).map((n) => rank.get(n) ?? n);
const numbers = () =>
	page.evaluate(() => {
		const box = document.querySelector("[role=feed]").getBoundingClientRect();
		return [...document.querySelectorAll("[role=feed] article")]
			.filter((a) => a.getBoundingClientRect().bottom > box.top && a.getBoundingClientRect().top < box.bottom)
			.map((a) => Number.parseInt(a.querySelector(".text").textContent, 10));
	});

step(
	`post ${many} messages`,
	async (t) => {
		const began = Date.now();
		let next = 0;
		await Promise.all(
			Array.from({ length: 8 }, async () => {
				while (next < many) {
					const i = next++;
					await node.ask("post", { channel: "", text: text(i), replyTo: "", nonce: `n${i}` });
				}
			}),
		);
		t.diagnostic(`${many} posts in ${((Date.now() - began) / 1000).toFixed(1)} s`);

		// Posted side by side, so the program's order counts, not that of asking.
		let after = 0;
		for (let more = true; more; ) {
			const answer = await node.ask("messages", {
				channel: "",
				before: 0,
				after: after || 1,
				around: 0,
				limit: 500,
			});
			for (const message of answer.messages) rank.set(Number.parseInt(message.text, 10), rank.size);
			after = answer.messages.at(-1).pos;
			more = answer.later;
		}
		assert.equal(rank.size, many);
	},
	300_000,
);

step("the newest is there at once", async (t) => {
	page = await open(browser, node);
	await page.getByRole("heading", { level: 1 }).waitFor();
	const began = Date.now();
	await page.getByRole("link", { name: "Chat", exact: false }).first().click();
	await page.getByRole("feed").getByRole("article").last().waitFor();
	t.diagnostic(`first messages after ${Date.now() - began} ms`);
	await until("the end is shown", () =>
		page.evaluate(() => {
			const feed = document.querySelector("[role=feed]");
			return feed.scrollHeight - feed.scrollTop - feed.clientHeight < 4;
		}),
	);
});

// scroll moves the list step by step for a while, once per frame, and reports
// the frames and the size of the page.
const scroll = (by, ms) =>
	page.evaluate(
		async ([by, ms]) => {
			const feed = document.querySelector("[role=feed]");
			const tasks = [];
			const watch = new PerformanceObserver((list) => {
				for (const entry of list.getEntries()) tasks.push(entry.duration);
			});
			watch.observe({ entryTypes: ["longtask"] });
			const gaps = [];
			let nodes = 0;
			let blank = 0;
			let last = performance.now();
			const end = last + ms;
			while (last < end) {
				feed.scrollTop += by;
				const now = await new Promise(requestAnimationFrame);
				gaps.push(now - last);
				last = now;
				nodes = Math.max(nodes, document.querySelectorAll("*").length);
				const box = feed.getBoundingClientRect();
				if (!document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2)) blank++;
			}
			watch.disconnect();
			gaps.sort((a, b) => a - b);
			const at = (q) => Math.round(gaps[Math.min(gaps.length - 1, Math.floor(gaps.length * q))]);
			return {
				frames: gaps.length,
				p50: at(0.5),
				p95: at(0.95),
				p99: at(0.99),
				worst: at(1),
				longTasks: tasks.length,
				longest: Math.round(Math.max(0, ...tasks)),
				nodes,
				blank,
			};
		},
		[by, ms],
	);

step("scrolling up through it stays smooth and small", async (t) => {
	const before = (await shown()).at(-1);
	const up = await scroll(-600, 10_000);
	t.diagnostic(`up: ${JSON.stringify(up)}`);
	const after = await shown();
	t.diagnostic(`from message ${before} to ${after[0]}`);
	assert.ok(before - after[0] > 2000, `only ${before - after[0]} messages in 10 s`);
	assert.ok(up.nodes < 6000, `${up.nodes} elements in the page`);
	assert.ok(up.longest < 500, `a task of ${up.longest} ms`);
	for (const [i, n] of after.entries()) {
		if (i > 0) assert.equal(n, after[i - 1] + 1, `in order without gaps: ${after}`);
	}
	await accessible(page, "in the middle of a long channel");
});

step("what is read stays in place when something new arrives", async () => {
	await page.waitForTimeout(600); // pages asked for have arrived
	const place = () =>
		page.evaluate(() => {
			const box = document.querySelector("[role=feed]").getBoundingClientRect();
			const rows = [...document.querySelectorAll("[role=feed] article")];
			const row = rows.find((a) => a.getBoundingClientRect().top >= box.top);
			return { id: row.id, top: Math.round(row.getBoundingClientRect().top) };
		});
	const was = await place();
	for (let i = 0; i < 5; i++)
		await node.ask("post", { channel: "", text: `${many + i}: neu`, replyTo: "", nonce: `late${i}` });
	await page.waitForTimeout(800);
	assert.deepEqual(await place(), was);
});

step("down again, and to the newest in one click", async (t) => {
	const down = await scroll(600, 4_000);
	t.diagnostic(`down: ${JSON.stringify(down)}`);
	assert.ok(down.nodes < 6000, `${down.nodes} elements in the page`);
	await page.getByRole("button", { name: /Zur neuesten/ }).click();
	await until("the newest is shown", async () => (await shown()).at(-1) === many + 4);
	quiet(page);
});

step("a hit far back is shown where it stands", async () => {
	await page.keyboard.press("Control+k");
	await page.getByRole("combobox", { name: "Suchwort" }).fill("77");
	await page.getByRole("option").first().waitFor();
	const { hits } = await node.ask("search", { text: "77", channel: "", before: 0, limit: 1 });
	await page.getByRole("combobox", { name: "Suchwort" }).press("Enter");
	const wanted = Number.parseInt(hits[0].message.text, 10);
	await until(`message ${wanted} is shown`, async () => (await numbers()).includes(wanted));
	quiet(page);
});
