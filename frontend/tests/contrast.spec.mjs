// The contrast of every pair of colours that meet on the page, from tokens.css:
// printed as a table, in both themes, as designed and in high contrast. Words need
// 4.5:1, borders of controls and the focus ring 3:1 (WCAG 2.2, 1.4.3 and 1.4.11).
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

const css = await readFile(new URL("../src/styles/tokens.css", import.meta.url), "utf8");

// block is what stands between the braces after a selector.
function block(selector) {
	const from = css.indexOf(selector);
	assert.ok(from >= 0, `tokens.css has ${selector}`);
	let depth = 0;
	for (let i = css.indexOf("{", from); i < css.length; i++) {
		if (css[i] === "{") depth++;
		if (css[i] === "}" && --depth === 0) return css.slice(css.indexOf("{", from) + 1, i);
	}
	throw new Error(`${selector} does not end`);
}

// colours are the tokens of a block: [light, dark] by name.
function colours(text) {
	const pattern = /--([\w-]+):\s*(?:light-dark\((#\w{6}),\s*(#\w{6})\)|(#\w{6}));/g;
	return Object.fromEntries(
		[...text.matchAll(pattern)].map(([, name, light, dark, both]) => [name, [light ?? both, dark ?? both]]),
	);
}

const designed = colours(block(":root {"));
const chosen = colours(block(':root[data-contrast="more"] {'));
const wanted = colours(block("@media (prefers-contrast: more)"));
const themes = { designed, "high contrast": { ...designed, ...chosen } };

function luminance(hex) {
	const [r, g, b] = [1, 3, 5]
		.map((i) => Number.parseInt(hex.slice(i, i + 2), 16) / 255)
		.map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
	return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
function ratio(one, other) {
	const [high, low] = [luminance(one), luminance(other)].sort((a, b) => b - a);
	return (high + 0.05) / (low + 0.05);
}

const surfaces = ["canvas", "sheet", "side", "raised", "well", "desk", "hover", "selected"];
const states = ["ok", "warn", "danger", "info", "unknown"];
const cross = (inks, grounds, least) => inks.flatMap((ink) => grounds.map((on) => [ink, on, least]));
const pairs = [
	...cross(["text", "text-muted", "text-faint", "accent"], surfaces, 4.5),
	...cross(states, ["canvas", "sheet", "side", "raised", "hover"], 4.5),
	...states.flatMap((s) => cross([s, "text", "text-muted"], [`${s}-soft`], 4.5)),
	...cross(["beacon"], ["sheet", "side"], 4.5),
	...cross(["on-beacon"], ["beacon"], 4.5),
	...cross(["text"], ["marker"], 4.5),
	...cross(["on-accent"], ["accent", "accent-hover", "accent-press"], 4.5),
	...cross(["on-accent-soft", "text", "text-muted"], ["accent-soft"], 4.5),
	...cross(["on-danger"], ["danger-solid", "danger-hover"], 4.5),
	...[1, 2, 3, 4, 5, 6].map((n) => [`on-tint-${n}`, `tint-${n}`, 4.5]),
	...cross(["line-strong"], ["canvas", "sheet", "side", "raised", "well"], 3),
	...cross(["focus"], ["canvas", "sheet", "side", "raised", "selected"], 3),
];

for (const [name, tokens] of Object.entries(themes)) {
	test(`contrast, ${name}`, () => {
		const low = [];
		console.log(`${"".padEnd(16)}${"on".padEnd(16)}least  light   dark`);
		for (const [ink, on, least] of pairs) {
			assert.ok(tokens[ink] && tokens[on], `tokens.css has ${ink} and ${on}`);
			const both = [0, 1].map((theme) => ratio(tokens[ink][theme], tokens[on][theme]));
			const [light, dark] = both.map((r) => r.toFixed(1).padStart(6));
			console.log(`${ink.padEnd(16)}${on.padEnd(16)}${least.toFixed(1).padStart(5)} ${light} ${dark}`);
			if (Math.min(...both) < least) low.push(`${ink} on ${on}: ${light} ${dark}, at least ${least}`);
		}
		assert.deepEqual(low, []);
	});
}

test("high contrast by setting is high contrast by system", () => assert.deepEqual(wanted, chosen));
