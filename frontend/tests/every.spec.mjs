// Every page and the dialogs worth it: axe in both languages, light and dark; nothing
// is cut off at 200 % zoom, with text twice as large, in strong contrast or in the
// colours of the system.
import assert from "node:assert/strict";
import { after, before } from "node:test";
import { accessible, launch, open, quiet, step } from "./browser.mjs";
import { dialogs, show, tell } from "./story.mjs";

let browser;
let story;
let page;

before(async () => {
	[browser, story] = await Promise.all([launch(), tell()]);
	page = await open(browser, story.anke, { reducedMotion: "reduce" });
	await page.locator("main").waitFor();
});
after(async () => {
	await browser?.close();
	await story?.stop();
});

async function speak(language) {
	await page.evaluate((to) => localStorage.setItem("inselnetz.language", to), language);
	await page.reload();
	await page.locator(`html[lang=${language}] main`).waitFor();
}

// each shows every page and dialog, and tells of all that is wrong at once.
async function each(look) {
	const wrong = [];
	const tried = async (name, toShow) => {
		try {
			await toShow();
			await look(name);
		} catch (err) {
			wrong.push(`${name}: ${err.message}`);
		}
	};
	for (const [name, place] of Object.entries(story.pages)) {
		await tried(name, () => show(page, place));
	}
	for (const [name, dialog] of Object.entries(dialogs)) {
		await tried(name, async () => {
			await show(page, story.pages[dialog.on]);
			await dialog.open(page);
		});
		await page.keyboard.press("Escape");
	}
	assert.deepEqual(wrong, []);
}

for (const [language, colorScheme, next] of [
	["de", "light", "dark"],
	["en", "dark", "light"],
]) {
	step(
		`axe, ${language}`,
		async () => {
			await speak(language);
			await each(async (name) => {
				await page.emulateMedia({ colorScheme });
				await accessible(page, `${name} ${language} ${colorScheme}`);
				await page.emulateMedia({ colorScheme: next });
				await accessible(page, `${name} ${language} ${next}`);
			});
		},
		300_000,
	);
}

// cut tells what does not fit: a page that scrolls sideways, words that are cut off
// without "…" or lie under something else, a main action that cannot be reached.
async function cut() {
	const found = await page.evaluate(() => {
		const wrong = [];
		const root = document.documentElement;
		const over = root.scrollWidth - root.clientWidth;
		if (over > 0) wrong.push(`scrolls ${over} px sideways`);
		const top = document.querySelector("dialog[open], [popover]:popover-open") ?? document.body;
		const clips = (value) => value !== "visible";
		// seen is the part of a box that no scrolling or hiding around it cuts away.
		const seen = (el, box) => {
			let [left, upper, right, lower] = [Math.max(box.left, 0), Math.max(box.top, 0), box.right, box.bottom];
			right = Math.min(right, innerWidth);
			lower = Math.min(lower, innerHeight);
			for (let up = el; up && up !== root; up = up.parentElement) {
				const style = getComputedStyle(up);
				const around = up.getBoundingClientRect();
				if (clips(style.overflowX))
					[left, right] = [Math.max(left, around.left), Math.min(right, around.right)];
				if (clips(style.overflowY))
					[upper, lower] = [Math.max(upper, around.top), Math.min(lower, around.bottom)];
			}
			return { left, upper, right, lower };
		};
		for (const el of top.querySelectorAll("*")) {
			const words = [...el.childNodes].filter((n) => n.nodeType === 3 && n.data.trim());
			if (words.length === 0 || !el.checkVisibility({ visibilityProperty: true, opacityProperty: true }))
				continue;
			if (
				el.closest(".vh, .skip, svg, .av, .paper, [aria-hidden=true]") ||
				/^(OPTION|TEXTAREA)$/.test(el.tagName)
			)
				continue;
			const style = getComputedStyle(el);
			if (style.clipPath !== "none") continue;
			const said = el.textContent.trim().replace(/\s+/g, " ").slice(0, 40);
			const scrolls = (value) => value === "auto" || value === "scroll";
			let sideways = false; // something around it scrolls sideways, or ends it in "…"
			for (let up = el; up; up = up.parentElement) {
				const around = getComputedStyle(up);
				if (
					scrolls(around.overflowX) ||
					around.textOverflow === "ellipsis" ||
					around.webkitLineClamp !== "none"
				)
					sideways = true;
			}
			for (const text of words) {
				const range = document.createRange();
				range.selectNodeContents(text);
				const box = range.getBoundingClientRect();
				const part = seen(el, box);
				const wide = part.right - part.left;
				if (wide < box.width - 2 && part.lower - part.upper > 4 && !sideways) wrong.push(`cut off: ${said}`);
				if (wide < 4 || part.lower - part.upper < box.height - 1) continue;
				for (const x of [part.left + 2, part.right - 2]) {
					const hit = document.elementFromPoint(x, (part.upper + part.lower) / 2);
					if (hit && !el.contains(hit) && !hit.contains(el)) {
						wrong.push(`under ${hit.tagName} ${hit.className}: ${said}`);
						break;
					}
				}
			}
			const em = Number.parseFloat(style.fontSize);
			if (/^(H1|H2|BUTTON)$/.test(el.tagName) && said.length > 5 && el.clientWidth < 3 * em)
				wrong.push(`one letter below the other: ${said}`);
		}
		return wrong;
	});
	if (!(await page.locator("nav.rail a").first().isVisible())) found.push("the places are gone");
	const action = page
		.locator("dialog[open] .btn--primary:enabled, main .btn--primary:enabled")
		.filter({ visible: true });
	if ((await action.count()) > 0) {
		await action.last().scrollIntoViewIfNeeded();
		const free = await action.last().evaluate((el) => {
			const { x, y, width, height } = el.getBoundingClientRect();
			return el.contains(document.elementFromPoint(x + width / 2, y + height / 2));
		});
		if (!free) found.push("the main action lies under something");
	}
	assert.deepEqual(found, []);
}

step("at 200 % zoom nothing is cut off", async () => {
	await speak("de");
	await page.emulateMedia({ colorScheme: "light" });
	await page.setViewportSize({ width: 640, height: 400 });
	await each(cut);
});

step("with letters twice as large nothing is cut off", async () => {
	const large = await launch("--blink-settings=defaultFontSize=32");
	const before = page;
	try {
		page = await open(large, story.anke, { reducedMotion: "reduce" });
		await page.locator("main").waitFor();
		assert.equal(await page.evaluate(() => getComputedStyle(document.documentElement).fontSize), "32px");
		await each(cut);
	} finally {
		page = before;
		await large.close();
	}
});

step("strong contrast, and the colours of the system", async () => {
	const few = ["chat", "documents", "document", "versions", "people", "kit"];
	for (const media of [{ contrast: "more" }, { contrast: null, forcedColors: "active" }]) {
		await page.emulateMedia(media);
		for (const name of few) {
			await show(page, story.pages[name]);
			// What is drawn in the system's colours has no colour that axe could read.
			if (media.contrast) await accessible(page, `${name} in strong contrast`);
			await chosen(name);
		}
	}
	await page.emulateMedia({ contrast: null, forcedColors: "none" });
});

// chosen: where colour alone says which place is shown, something else must too.
async function chosen(name) {
	const place = page.locator("nav.rail [aria-current=page]");
	const marked = await place.evaluate((el) => {
		const { backgroundColor } = getComputedStyle(el, "::before");
		return backgroundColor !== "rgba(0, 0, 0, 0)" && backgroundColor !== getComputedStyle(el).backgroundColor;
	});
	assert.ok(marked, `${name}: the current place is marked`);
}

step("without motion nothing moves", async () => {
	const moving = await page.evaluate(
		() => document.getAnimations().filter((a) => a.playState === "running").length,
	);
	assert.equal(moving, 0);
	quiet(page);
});
