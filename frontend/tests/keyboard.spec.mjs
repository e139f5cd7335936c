// Every flow by keyboard alone: nothing here clicks, focuses or fills; there are only
// keys. What cannot be reached with Tab within some steps is not reachable.
import assert from "node:assert/strict";
import { after, before } from "node:test";
import { launch, open, quiet, step } from "./browser.mjs";
import { until } from "./nodes.mjs";
import { tell } from "./story.mjs";

let browser;
let story;
let a; // the page of Anke
let j;

before(async () => {
	[browser, story] = await Promise.all([launch(), tell()]);
	a = await open(browser, story.anke, { reducedMotion: "reduce" });
	j = await open(browser, story.jonas, { reducedMotion: "reduce" });
	await a.locator("main h1").waitFor();
});
after(async () => {
	await browser?.close();
	await story?.stop();
});

// After a key the page has two frames to put the focus where it belongs: a row may have
// to be drawn first.
const settled = () =>
	a.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
const press = async (...keys) => {
	for (const key of keys) {
		await a.keyboard.press(key);
		await settled();
	}
};
const type = (text) => a.keyboard.type(text);
const button = (name) => a.getByRole("button", { name, exact: true }).filter({ visible: true });
const dialog = () => a.getByRole("dialog").filter({ visible: true });
const focused = () =>
	a.evaluate(() => {
		const el = document.activeElement;
		return `${el.tagName} ${el.getAttribute("aria-label") ?? el.textContent.trim().slice(0, 30)}`;
	});

// reach presses a key until the target has the focus, which must be visible there.
async function reach(target, key = "Tab", most = 60) {
	await target.first().waitFor();
	const passed = [];
	for (let i = 0; i <= most; i++) {
		const here = await target
			.first()
			.evaluate((el) => el === document.activeElement, undefined, { timeout: 5000 })
			.catch(() => false);
		if (here) {
			const { shown, ring } = await target.first().evaluate((el) => {
				const style = getComputedStyle(el);
				const field = el.matches("input, textarea, [contenteditable=true]");
				return {
					shown: el.checkVisibility(),
					ring: field || style.outlineStyle !== "none" || style.boxShadow !== "none",
				};
			});
			assert.ok(shown && ring, `the focus is seen on ${await focused()}`);
			return;
		}
		passed.push(await focused());
		await press(key);
	}
	assert.fail(`${key} does not lead to ${target}: ${passed.join(" > ")}`);
}
// choose goes through an open menu to an item.
async function choose(name) {
	const item = a.getByRole("menuitem", { name }).filter({ visible: true });
	await reach(item, "ArrowDown", 12);
	await press("Enter");
}
async function go(place) {
	const link = a.getByRole("navigation", { name: "Bereiche" }).getByRole("link", { name: place });
	if (!(await link.evaluate((el) => el === document.activeElement))) await reach(link, "Shift+Tab", 120);
	await press("Enter");
	await a.locator("nav.rail [aria-current=page]", { hasText: place }).waitFor();
}
const field = () => a.getByRole("textbox", { name: "Nachricht schreiben" });
const message = (page, text) =>
	page
		.getByRole("feed")
		.getByRole("article")
		.filter({ has: page.locator(".text", { hasText: text }) });

// The messages are one stop; the arrow keys go from one to the next.
async function toMessage(one, arrow) {
	const there = () => a.evaluate(() => document.activeElement.matches("[role=feed], article"));
	for (let i = 0; i < 10 && !(await there()); i++) await press("Shift+Tab");
	await reach(one, arrow, 10);
}

step("the first stop skips what is on every page", async () => {
	await press("Tab");
	await reach(a.getByRole("link", { name: "Zum Inhalt springen" }));
	await press("Enter");
	assert.equal(await a.evaluate(() => document.activeElement.id), "main");
});

step("chat: a channel, a message, a reaction, an answer, taken back", async () => {
	await go("Chat");
	await reach(button("Neu im Chat"));
	await press("Enter");
	await choose("Neuer Kanal");
	await reach(dialog().getByLabel("Name des Kanals"));
	await type("Termine");
	await press("Enter");
	await a.getByRole("heading", { name: "Termine" }).waitFor();
	await reach(field());
	await type("Wer hat den Schlüssel?");
	await press("Enter");
	await message(a, "Wer hat den Schlüssel?").waitFor();

	const mine = message(a, "Wer hat den Schlüssel?");
	await toMessage(mine, "ArrowUp");
	await reach(mine.getByRole("button", { name: "Reagieren" }));
	await press("Enter");
	await choose("Einverstanden");
	await mine.getByRole("button", { name: /^Einverstanden 1/ }).waitFor();
	await reach(mine.getByRole("button", { name: "Antworten", exact: true }));
	await press("Enter");
	await reach(field());
	await type("Ich habe ihn.");
	await press("Enter");
	const answer = message(a, "Ich habe ihn.");
	await answer.waitFor();
	await toMessage(answer, "ArrowDown");
	await reach(answer.getByRole("button", { name: "Mehr", exact: true }));
	await press("Enter");
	await choose("Zurückziehen");
	await reach(dialog().getByRole("button", { name: "Zurückziehen" }));
	await press("Enter");
	await a.getByText("Sie haben diese Nachricht zurückgezogen.").first().waitFor();
});

step("documents: written, remarked upon, an earlier state restored", async () => {
	await go("Dokumente");
	await reach(button("Neu"));
	await press("Enter");
	await reach(dialog().getByLabel("Titel"));
	await type("Protokoll");
	await press("Enter");
	const paper = a.locator(".paper[contenteditable=true]");
	await reach(paper);
	await type("Anwesend sind alle.");
	await press("Shift+Home", "Control+Alt+m");
	const remark = a.getByRole("textbox", { name: "Anmerkung schreiben" });
	await reach(remark);
	await type("Auch Emre?");
	await press("Control+Enter");
	await a.getByRole("complementary", { name: "Anmerkungen" }).getByText("Auch Emre?").waitFor();

	const id = story.document;
	const text = async () => (await story.anke.ask("document", { id, heads: [] })).markdown;
	assert.match(await text(), /sobald der Kredit getilgt ist/);
	await go("Dokumente");
	await reach(a.getByRole("link", { name: /^Vergleich Thiessen/ }));
	await press("Enter");
	await paper.getByText("sobald der Kredit").waitFor();
	await reach(a.getByRole("link", { name: /^Verlauf/ }).or(button(/^Verlauf/)), "Shift+Tab");
	await press("Enter");
	await reach(a.getByRole("slider", { name: "Stand wählen" }));
	await press("ArrowLeft");
	await a.getByText(/^Sie sehen den Stand von/).waitFor();
	await a.locator("main [aria-busy=true]").waitFor({ state: "detached" });
	await reach(button("Wiederherstellen"));
	await press("Enter");
	await reach(dialog().getByRole("button", { name: "Wiederherstellen" }));
	await press("Enter");
	await until("it is restored", async () => !(await text()).includes("sobald der Kredit"));
});

step("files: a new folder, renamed, an earlier version", async () => {
	await go("Dateien");
	await reach(a.getByRole("link", { name: /^Alle/ }));
	await press("Enter");
	await reach(button("Hinzufügen"));
	await press("Enter");
	await choose(/Neuer Ordner/);
	await reach(dialog().getByLabel("Name des Ordners"));
	await type("Archv");
	await press("Enter");
	const row = (name) => a.getByRole("row").filter({ has: a.getByRole("link", { name, exact: true }) });
	await reach(row("Archv"));
	await press("F2");
	await reach(dialog().getByRole("textbox"));
	await press("Control+a");
	await type("Archiv");
	await press("Enter");
	await reach(row("Archiv"));
	await press("End");
	await reach(row("Thiessen"), "ArrowUp");
	await press("Enter");
	await row("Vollmacht Thiessen.pdf").waitFor();
	await reach(a.locator("main [role=row][tabindex='0']"));
	await reach(row("Notiz vom Telefonat.txt"), "ArrowDown");
	await press("Enter");
	const pane = a.getByRole("complementary", { name: "Stände von Notiz vom Telefonat.txt" });
	await reach(pane.getByRole("button", { name: /^Zurückholen/ }));
	await press("Enter");
	await a
		.getByText(/^Zurückgeholt\. Der Stand/)
		.first()
		.waitFor();
});

step("people: invited, another role, not removed after all", async () => {
	await go("Menschen");
	await reach(a.getByRole("link", { name: "Einladen" }));
	await press("Enter");
	await reach(button("Neue Einladung")); // whom the story let in is shown until then
	await press("Enter");
	await reach(a.locator("main form .btn--primary"));
	await press("Enter");
	await until("the door is open", async () => (await story.anke.ask("invite/state")).open);
	const more = button("Mehr zu Jonas Wolf");
	await reach(more, "Shift+Tab");
	await press("Enter");
	await choose(/Rolle/);
	await reach(dialog().getByRole("radio"), "Tab");
	await press(" ", "ArrowDown");
	await reach(dialog().locator(".btn--primary"));
	await press("Enter");
	await reach(dialog().getByRole("button", { name: "Schließen" }));
	await press("Enter");
	await reach(more);
	await press("Enter");
	await choose(/Entfernen/);
	await dialog().waitFor();
	await press("Escape");
	await dialog().waitFor({ state: "hidden" });
	await reach(more, "Tab", 0); // where one was
});

step("settings: the other looks", async () => {
	await reach(button("Einstellungen"), "Shift+Tab", 120);
	await press("Enter");
	await reach(a.getByRole("button", { name: "Dunkel" }));
	await press("Enter");
	await a.locator("html[data-theme=dark]").waitFor();
	await reach(a.getByRole("button", { name: "Stark" }));
	await press("Enter");
	await a.locator("html[data-contrast=more]").waitFor();
	await press("Escape");
	await reach(button("Einstellungen"), "Tab", 0);
	quiet(a);
	quiet(j);
});
