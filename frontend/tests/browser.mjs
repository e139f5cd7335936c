// The browser of the tests: pictures, accessibility, and what went wrong inside.
import assert from "node:assert/strict";
import { mkdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { test } from "node:test";
import { chromium } from "playwright-core";

const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
export const pictures = process.env.SHOTS || "test-results";
await mkdir(pictures, { recursive: true });

export const wide = { width: 1280, height: 800 };
export const phone = { width: 375, height: 812 };

// step is a test that needs the ones before it: when one failed, the rest of the
// story is skipped.
let broken = false;
const pages = [];
export function step(name, run, ms = 120_000) {
	test(name, { timeout: ms }, async (t) => {
		if (broken) return t.skip("an earlier step failed");
		broken = true;
		try {
			await run(t);
			broken = false;
		} catch (err) {
			// What the pages showed then says more than the message.
			for (const [i, page] of pages.entries()) {
				await page.screenshot({ path: join(pictures, `failed-${i}.png`) }).catch(() => {});
			}
			throw err;
		}
	});
}

export const launch = (...args) =>
	chromium.launch({
		executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
		args: [
			"--no-sandbox",
			"--disable-gpu",
			"--disable-quic",
			"--no-first-run",
			"--disable-background-networking",
			"--disable-component-update",
			"--disable-sync",
			...args,
		],
	});

// open shows the page of a node in a fresh profile. Whatever the browser
// complains about, and whatever asks the outside, fails the test in check().
export async function open(browser, node, options = {}) {
	const context = await browser.newContext({
		viewport: wide,
		locale: "de-DE",
		colorScheme: "light",
		...options,
	});
	context.setDefaultTimeout(20_000);
	const page = await context.newPage();
	const complaints = [];
	page.on("console", (message) => {
		if (["error", "warning"].includes(message.type()) && !/status of 4\d\d/.test(message.text())) {
			complaints.push(message.text());
		}
	});
	page.on("pageerror", (error) => complaints.push(String(error)));
	page.on("request", (request) => {
		if (!request.url().startsWith(node.origin)) complaints.push(`asked the outside: ${request.url()}`);
	});
	await page.goto(await node.address());
	pages.push(page);
	return Object.assign(page, { complaints });
}

// again shows the page of a node that was started anew, at its new address.
export async function again(page, node) {
	await page.goto(await node.address());
	page.complaints.length = 0; // of the time it was away
}

export function quiet(page) {
	assert.deepEqual(page.complaints, [], "the browser complained");
}

// looks takes the four pictures of a screen and checks each with axe.
export async function looks(page, name) {
	for (const [size, viewport] of Object.entries({ 1280: wide, 375: phone })) {
		for (const colorScheme of ["light", "dark"]) {
			await page.setViewportSize(viewport);
			await page.emulateMedia({ colorScheme });
			await page.waitForTimeout(250); // the layout settles
			if (process.env.FAST) continue;
			await page.screenshot({ path: join(pictures, `${name}-${size}-${colorScheme}.png`) });
			await accessible(page, `${name} ${size} ${colorScheme}`);
		}
	}
	await fits(page, name);
	await page.setViewportSize(wide);
	await page.emulateMedia({ colorScheme: "light" });
}

// accessible fails on anything axe calls serious or critical.
export async function accessible(page, name) {
	await page.evaluate(axe);
	const found = await page.evaluate(() =>
		globalThis.axe.run(document, {
			runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
		}),
	);
	const bad = found.violations
		.filter((v) => v.impact === "serious" || v.impact === "critical")
		.map((v) => `${v.id}: ${v.help}: ${v.nodes.map((n) => n.html.slice(0, 160)).join(" | ")}`);
	assert.deepEqual(bad, [], `axe: ${name}`);
}

// fits fails when a screen of 320 pixels must be scrolled sideways.
export async function fits(page, name) {
	await page.setViewportSize({ width: 320, height: 640 });
	await page.waitForTimeout(60);
	const over = await page.evaluate(
		() => document.documentElement.scrollWidth - document.documentElement.clientWidth,
	);
	assert.ok(over <= 0, `${name} is ${over} pixels too wide at 320`);
}
