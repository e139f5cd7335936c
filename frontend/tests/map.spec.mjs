// The map of who is here: where devices stand on it, and the page with offices of 2
// to 50 devices, relays in a row, long names.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";
import { accessible, fits, launch, looks, open, phone, quiet, step, wide } from "./browser.mjs";
import { fake } from "./files.fake.mjs";
import { device, office, person } from "./map.fake.mjs";
import { until } from "./nodes.mjs";

const bundle = await rolldown({
	input: fileURLToPath(new URL("../src/lib/map.ts", import.meta.url)),
	logLevel: "silent",
});
const { output } = await bundle.generate({ format: "esm" });
const { seat, layout, toward } = await import(`data:text/javascript,${encodeURIComponent(output[0].code)}`);

// A small generator, so that a failure can be repeated.
function random(seed) {
	let state = seed * 2654435761;
	return (n) => {
		state = (Math.imul(state ^ (state >>> 15), 2246822519) + 0x9e3779b9) | 0;
		return (state >>> 8) % n;
	};
}

// some are so many devices: any may be away, and carried by any, itself included.
function some(n, pick) {
	const id = (i) => `d${i}`;
	return Array.from({ length: n }, (_, i) => ({
		id: id(i),
		here: pick(4) > 0,
		hops: pick(4),
		via: pick(3) > 0 ? "" : pick(5) > 0 ? id(pick(n)) : "nobody",
	}));
}

test("each device has a place of its own, and keeps it", () => {
	for (let seed = 1; seed <= 400; seed++) {
		const pick = random(seed);
		const width = [160, 288, 343, 520, 599, 600, 716, 860][pick(8)];
		const narrow = width < 600;
		let dots = some(1 + pick(50), pick);
		let seats = new Map();
		for (let turn = 0; turn < 4; turn++) {
			const before = seats;
			seats = seat(dots, before, narrow);
			assert.deepEqual([...seats.keys()].sort(), dots.map((d) => d.id).sort(), `seed ${seed}`);
			assert.equal(
				new Set([...seats.values()].map((s) => `${s.side} ${s.row}`)).size,
				seats.size,
				`seed ${seed}`,
			);
			for (const [id, was] of before) {
				if (seats.has(id)) assert.deepEqual(seats.get(id), was, `seed ${seed}: ${id} moved`);
			}
			apart(layout(dots, seats, width), width, `seed ${seed}, turn ${turn}`);
			// Somebody goes, comes, is carried by another, is removed, is new.
			dots = dots
				.filter((_, i) => i === 0 || pick(20) > 0)
				.map((d) => (pick(4) ? d : { ...d, here: !d.here }));
			if (pick(2)) dots.push({ id: `new${turn}`, here: true, via: "", hops: 0 });
		}
	}
});

// apart: nothing lies over anything else or beyond the map.
function apart(map, width, what) {
	const boxes = map.spots.map((s) => {
		const left = s.side === 1 ? s.x - map.sign / 2 : s.x + map.sign / 2 - s.room;
		return { s, left, right: left + s.room };
	});
	for (const { s, left, right } of boxes) {
		assert.ok(left >= -0.01 && right <= width + 0.01, `${what}: ${s.id} is beyond the edge`);
		assert.ok(
			s.y - map.sign / 2 >= 0 && s.y + map.sign / 2 <= map.height,
			`${what}: ${s.id} is beyond the end`,
		);
		assert.ok(
			s.room - map.sign >= (width < 260 ? 40 : 50),
			`${what}: ${s.id} has ${s.room - map.sign} for its name`,
		);
		if (!map.narrow) {
			const inner = s.side === 1 ? left - map.middle.x : map.middle.x - right;
			assert.ok(inner >= 28, `${what}: ${s.id} lies over this device`);
		}
		assert.equal(s.line !== "", s.here, `${what}: the line of ${s.id}`);
		assert.doesNotMatch(s.line, /NaN|undefined/);
	}
	for (const a of boxes) {
		for (const b of boxes) {
			if (a.s.id >= b.s.id || a.s.side !== b.s.side) continue;
			assert.ok(Math.abs(a.s.y - b.s.y) >= map.pitch - 0.01, `${what}: ${a.s.id} over ${b.s.id}`);
		}
	}
	assert.ok(map.pitch > map.sign, what);
	// The arrow keys lead to all of them.
	const met = new Set();
	for (let at = ""; !met.has(at); at = toward(map, at, "ArrowDown")) met.add(at);
	assert.equal(met.size, map.spots.length + 1, `${what}: the keys lead to ${met.size - 1}`);
	for (const key of ["ArrowLeft", "ArrowRight", "ArrowUp", "Home", "End"]) {
		for (const s of map.spots) assert.ok(met.has(toward(map, s.id, key)), `${what}: ${key} from ${s.id}`);
	}
}

test("who is carried sits below who carries, who is away at the end", () => {
	const dots = [
		{ id: "far", here: true, via: "next", hops: 2 },
		{ id: "away", here: false, via: "", hops: 0 },
		{ id: "next", here: true, via: "near", hops: 1 },
		{ id: "near", here: true, via: "", hops: 0 },
	];
	const seats = seat(dots, new Map(), true);
	assert.deepEqual(
		["near", "next", "far", "away"].map((id) => seats.get(id).row),
		[0, 1, 2, 3],
	);
	const map = layout(dots, seats, 343);
	const x = (id) => map.spots.find((s) => s.id === id).x;
	assert.ok(x("near") < x("next") && x("next") < x("far"), "each step is further out");
});

let browser;
let node;
let page;

before(async () => {
	browser = await launch();
});
after(async () => {
	await browser?.close();
	await node?.stop();
});

const total = (people) => people.flatMap((p) => p.devices).length;

async function show(people, everyone, options) {
	await node?.stop();
	node = await fake({ folders: [], files: {}, people, everyone });
	page = await open(browser, node, { reducedMotion: "reduce", ...options });
	await page.goto(`${node.origin}/#/people/map`);
	await page.getByRole("table").waitFor();
	await page
		.locator(".spot")
		.nth(total(people) - 1)
		.waitFor();
}

// overlapping are pairs of words of the map that lie over each other, and words
// beyond its frame.
const overlapping = () =>
	page.evaluate(() => {
		const frame = document.querySelector(".frame").getBoundingClientRect();
		const words = [...document.querySelectorAll(".frame .name, .frame .under, .frame .tile")].map((el) => {
			const range = document.createRange();
			range.selectNodeContents(el);
			const text = el.matches(".tile") ? el.getBoundingClientRect() : range.getBoundingClientRect();
			const box = el.getBoundingClientRect(); // what is longer ends in "…"
			return {
				of: el.closest(".spot").dataset.id + el.className,
				left: Math.max(text.left, box.left),
				right: Math.min(text.right, box.right),
				top: text.top + 2,
				bottom: text.bottom - 2,
			};
		});
		const bad = [];
		for (const [i, a] of words.entries()) {
			if (a.left < frame.left - 1 || a.right > frame.right + 1) bad.push(`${a.of} beyond the edge`);
			for (const b of words.slice(i + 1)) {
				if (a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom && b.top < a.bottom)
					bad.push(`${a.of} over ${b.of}`);
			}
		}
		return bad;
	});

for (const n of [2, 5, 20, 50]) {
	step(`${n} devices: no name over another, wide and on a phone`, async () => {
		await show(office(n), n === 2 ? "Beide Geräte haben alles." : `Alle ${n} Geräte sind da.`);
		assert.equal(await page.locator(".spot").count(), n);
		assert.equal(await page.getByRole("table").getByRole("rowheader").count(), n);
		for (const size of [wide, { width: 1000, height: 700 }, phone, { width: 320, height: 640 }]) {
			await page.setViewportSize(size);
			await page.waitForTimeout(60);
			assert.deepEqual(await overlapping(), [], `${n} at ${size.width}`);
		}
		await looks(page, `map-${n}`);
		quiet(page);
		await page.close();
	});
}

step("in English, in strong contrast, in the colours of the system, at 200 %", async () => {
	await show(office(20), "17 of 20 devices are here.");
	await page.evaluate(() => localStorage.setItem("inselnetz.language", "en"));
	await page.reload();
	await page.getByRole("heading", { name: "Who is here" }).waitFor();
	await accessible(page, "map in English");
	await page.emulateMedia({ contrast: "more" });
	await accessible(page, "map in strong contrast");
	await page.emulateMedia({ contrast: null, forcedColors: "active" });
	// Without colours the ways still differ.
	const drawn = await page.evaluate(() =>
		["direct", "member", "internet"].map((kind) => {
			const style = getComputedStyle(document.querySelector(`.lines .line.${kind}`));
			return `${style.strokeDasharray} ${style.strokeWidth}`;
		}),
	);
	assert.equal(new Set(drawn).size, 3, String(drawn));
	await page.emulateMedia({ forcedColors: "none" });
	await page.setViewportSize({ width: 640, height: 400 });
	assert.deepEqual(await overlapping(), []);
	await fits(page, "map in English");
	await page.evaluate(() => localStorage.setItem("inselnetz.language", "de"));
	await page.close();
	const large = await launch("--blink-settings=defaultFontSize=32");
	try {
		page = await open(large, node, { reducedMotion: "reduce" });
		await page.goto(`${node.origin}/#/people/map`);
		await page.locator(".spot").nth(19).waitFor();
		for (const size of [wide, phone]) {
			await page.setViewportSize(size);
			await page.waitForTimeout(60);
			assert.deepEqual(await overlapping(), [], `large letters at ${size.width}`);
		}
	} finally {
		await large.close();
	}
});

step("by keys alone: to a device that is away, why, and back", async () => {
	await show(office(20), "");
	const focused = () => page.evaluate(() => document.activeElement?.dataset?.id ?? null);
	for (let i = 0; i < 40 && (await focused()) === null; i++) await page.keyboard.press("Tab");
	assert.equal(await focused(), "", "this device is the way in");
	await page.keyboard.press("Tab");
	assert.equal(await focused(), null, "the map is one stop");
	await page.keyboard.press("Shift+Tab");
	const met = new Set([await focused()]);
	for (let i = 0; i < 25; i++) {
		await page.keyboard.press("ArrowDown");
		met.add(await focused());
	}
	assert.equal(met.size, 20, "the arrow keys lead to every device");
	await page.keyboard.press("End");
	const last = page.locator(".spot:focus");
	const label = await last.textContent();
	assert.match(label, /zuletzt|unbekannt|noch nicht gesehen/, "those who are away are at the end");
	await page.keyboard.press("Enter");
	const facts = page.getByRole("region", { name: (await last.getAttribute("title")) ?? "" });
	await facts.getByRole("link", { name: /^Warum nicht da\?/ }).waitFor();
	const [box, over] = [await last.boundingBox(), await facts.boundingBox()];
	assert.ok(
		box.y + box.height <= over.y + 1 || box.y >= over.y + over.height - 1,
		"what is known lies over the device",
	);
	await accessible(page, "map with a chosen device");
	for (let i = 0; i < 6 && (await focused()) !== null; i++) await page.keyboard.press("Tab");
	await facts.getByRole("button", { name: "Schließen" }).press("Enter");
	assert.equal(await focused(), await last.getAttribute("data-id"), "the focus is back at the device");
	await page.keyboard.press("Enter");
	await facts.getByRole("link", { name: /^Warum nicht da\?/ }).press("Enter");
	await page.getByRole("heading", { name: /^Warum ist .* nicht da\?$/ }).waitFor();
	await page.close();
});

step("the table says the same in words", async () => {
	const anke = person("p1", "Anke Petersen", [device("d0", "PC Empfang", { self: true, way: "" })], {
		self: true,
	});
	const jonas = person("p2", "Jonas Wolf", [
		device("d1", "Laptop Wolf", { latency: 3, behind: 1200, lacks: "lädt noch 1.200 Einträge" }),
		device("d2", "NAS Keller", { way: "member", via: "Laptop Wolf", viaId: "d1", hops: 1, latency: 1240 }),
		device("d3", "iMac Süd", { way: "member", via: "NAS Keller", viaId: "d2", hops: 2, latency: 12 }),
		device("d4", "Filiale", { way: "internet", latency: 40, owed: "40 Einträge von dort kommen noch" }),
		device("d5", "Lager", { presence: "never", way: "", latency: 0, seen: 0, since: 0, lacks: "" }),
	]);
	await show([anke, jonas], "4 von 6 Geräten sind da. Eines lädt noch.");
	await page.getByRole("status").getByText("4 von 6 Geräten sind da. Eines lädt noch.").waitFor();
	const row = async (name) =>
		(await page.getByRole("row").filter({ hasText: name }).first().innerText()).replace(/\s+/g, " ");
	assert.match(
		await row("Laptop Wolf Jonas"),
		/direkt über Kabel oder WLAN 3 ms lädt noch 1\.200 Einträge jetzt/,
	);
	assert.match(await row("NAS Keller Jonas"), /über Laptop Wolf 1,2 s hat alles jetzt/);
	assert.match(await row("iMac Süd"), /über NAS Keller und ein weiteres Gerät 12 ms/);
	assert.match(
		await row("Filiale"),
		/direkt, über das Internet 40 ms hat alles, 40 Einträge von dort kommen noch/,
	);
	assert.match(await row("Lager"), /noch nicht gesehen/);
	const label = (await page.locator(".spot[data-id=d2]").textContent()).replace(/\s+/g, " ").trim();
	assert.equal(label, "NAS Keller Jonas Wolf , da, hat alles, über Laptop Wolf, antwortet langsam (1240 ms)");
	await page.close();
});

step("somebody goes and comes back: the others keep their places, and nothing is kept", async () => {
	const people = office(12);
	await show(people, "Alle 12 Geräte haben alles.");
	const places = () =>
		page.evaluate(() =>
			Object.fromEntries(
				[...document.querySelectorAll(".spot")].map((el) => {
					const { top, left } = el.getBoundingClientRect();
					return [el.dataset.id, [Math.round(top), Math.round(left)]];
				}),
			),
		);
	const was = await places();
	const gone = people[1].devices[0];
	const there = { ...gone };
	Object.assign(gone, { presence: "away", way: "", latency: 0, seen: Date.now(), since: Date.now() });
	await page.locator(`.spot.apart[data-id=${gone.id}]`).waitFor();
	const now = await places();
	assert.equal(now[gone.id][0], was[gone.id][0], "who is away stays in the row");
	for (const id of Object.keys(was)) {
		if (id !== gone.id) assert.deepEqual(now[id]?.[0], was[id][0], `${id} moved to another row`);
	}
	Object.assign(gone, there);
	await page.locator(`.spot:not(.apart)[data-id=${gone.id}]`).waitFor();
	await until("all are where they were", async () => {
		try {
			assert.deepEqual(await places(), was);
			return true;
		} catch {
			return false;
		}
	});
	const kept = await page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }));
	for (const { devices } of people) assert.ok(!devices.some((d) => kept.includes(d.name)), kept);
	quiet(page);
});
