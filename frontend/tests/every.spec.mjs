// Every page and the dialogs worth it: axe in both languages, light and dark; nothing
// is cut off at 200 % zoom, with text twice as large, in strong contrast or in the
// colours of the system.
import assert from "node:assert/strict";
import { after, before } from "node:test";
import { accessible, launch, open, quiet, step, wide } from "./browser.mjs";
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
	const tried = (name) => look(name).catch((err) => wrong.push(`${name}: ${err.message}`));
	for (const [name, place] of Object.entries(story.pages)) {
		await show(page, place);
		await tried(name);
	}
	for (const [name, dialog] of Object.entries(dialogs)) {
		await show(page, story.pages[dialog.on]);
		await dialog.open(page);
		await tried(name);
		await page.keyboard.press("Escape");
	}
	assert.deepEqual(wrong, []);
}

for (const [language, colorScheme, next] of [
	["de", "light", "dark"],
	["en", "dark", "light"],
]) {
	step(`axe, ${language}`, async () => {
		await speak(language);
		await each(async (name) => {
			await page.emulateMedia({ colorScheme });
			await accessible(page, `${name} ${language} ${colorScheme}`);
			await page.emulateMedia({ colorScheme: next });
			await accessible(page, `${name} ${language} ${next}`);
		});
	});
}

// cut tells what does not fit: a page that scrolls sideways, words whose box is
// smaller than they are and that do not end in "…", a main action under something.
async function cut() {
	const found = await page.evaluate(() => {
		const wrong = [];
		const root = document.documentElement;
		const over = root.scrollWidth - root.clientWidth;
		if (over > 0) wrong.push(`scrolls ${over} px sideways`);
		const dialog = document.querySelector("dialog[open]");
		const words = (el) => el.textContent.trim().replace(/\s+/g, " ").slice(0, 40);
		for (const el of (dialog ?? document.body).querySelectorAll("*")) {
			if (
				!el.checkVisibility({ visibilityProperty: true }) ||
				el.closest(".vh, svg, .av, [aria-hidden=true]")
			)
				continue;
			const own = [...el.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
			if (!own) continue;
			const style = getComputedStyle(el);
			const hides = (value) => value === "hidden" || value === "clip";
			if (hides(style.overflowX) && style.textOverflow !== "ellipsis" && el.scrollWidth > el.clientWidth + 1)
				wrong.push(`cut off: ${words(el)}`);
			if (
				hides(style.overflowY) &&
				!style.webkitLineClamp &&
				el.scrollHeight > el.clientHeight + 3 &&
				el.clientHeight > 1
			)
				wrong.push(`cut off below: ${words(el)}`);
			// Words that leave a button or a link, over what stands beside it.
			if (style.display === "inline" || el.closest(".paper, .trunc")) continue;
			if (/^(BUTTON|A)$/.test(el.tagName) && el.scrollWidth > el.clientWidth + 1)
				wrong.push(`leaves its place: ${words(el)}`);
		}
		return wrong;
	});
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

step("with text twice as large nothing is cut off", async () => {
	await page.setViewportSize(wide);
	await page.evaluate(() => {
		document.documentElement.style.fontSize = "200%";
	});
	await each(cut);
	await page.evaluate(() => {
		document.documentElement.style.fontSize = "";
	});
});

step("strong contrast, and the colours of the system", async () => {
	const few = ["chat", "documents", "document", "versions", "people", "kit"];
	for (const media of [{ contrast: "more" }, { contrast: null, forcedColors: "active" }]) {
		await page.emulateMedia(media);
		for (const name of few) {
			await show(page, story.pages[name]);
			await accessible(page, `${name} ${JSON.stringify(media)}`);
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
