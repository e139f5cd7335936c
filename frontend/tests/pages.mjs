// Writes a picture of every page, German, light and dark, for a desk and for a
// phone, into PICTURES (bin/pictures): make pictures
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { launch, open, phone, wide } from "./browser.mjs";
import { startNode } from "./nodes.mjs";
import { dialogs, show, tell } from "./story.mjs";

const folder = process.env.PICTURES || "../bin/pictures";
const only = process.argv.slice(2);
await mkdir(folder, { recursive: true });
const began = Date.now();
const [browser, fresh, story] = await Promise.all([launch(), startNode(), tell()]);

const page = await open(browser, story.anke, { reducedMotion: "reduce" });
await page.locator("main").waitFor();
let taken = 0;
await story.anke.ask("invite/open", { role: "member" }); // so that its page shows one

async function take(page, name) {
	for (const [size, viewport] of Object.entries({ 1280: wide, 375: phone })) {
		await page.setViewportSize(viewport);
		for (const colorScheme of ["light", "dark"]) {
			await page.emulateMedia({ colorScheme });
			await page.evaluate(() => document.fonts.ready);
			await page.screenshot({ path: join(folder, `${name}-${size}-${colorScheme}.png`) });
			taken++;
		}
	}
	await page.setViewportSize(wide);
}

const wanted = ([name]) => only.length === 0 || only.includes(name);
for (const [name, place] of Object.entries(story.pages).filter(wanted)) {
	await show(page, place);
	await take(page, name);
}
for (const [name, dialog] of Object.entries(dialogs).filter(wanted)) {
	await show(page, story.pages[dialog.on]);
	await dialog.open(page);
	await take(page, name);
	await page.keyboard.press("Escape");
}
if (only.length === 0) {
	const start = await open(browser, fresh, { reducedMotion: "reduce" });
	await start.locator("h1").waitFor();
	await take(start, "start");
}
console.log(`${taken} pictures in ${folder}, ${Math.round((Date.now() - began) / 1000)} s`);
await browser.close();
await Promise.all([fresh.stop(), story.stop()]);
