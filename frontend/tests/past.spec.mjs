// What a document was and what people remark about it, on three real nodes: steps
// through its history, comparing, restoring; threads, answers, mentions, readers.
import assert from "node:assert/strict";
import { after, before } from "node:test";
import { launch, looks, open, quiet, step } from "./browser.mjs";
import { pair, startNode, until } from "./nodes.mjs";

let browser;
let nodes; // of Anke, Jonas, Emre
let anke;
let jonas;
let emre;
let a; // their pages
let j;
let id; // of the document

before(async () => {
	[browser, ...nodes] = await Promise.all([launch(), startNode(), startNode(), startNode()]);
	[anke, jonas, emre] = nodes;
	await pair(anke, jonas, {
		office: "Kanzlei Petersen & Wolf",
		first: "Anke Petersen",
		firstDevice: "PC Empfang",
		second: "Jonas Wolf",
		secondDevice: "Laptop Wolf",
	});
	await pair(anke, emre, { second: "Emre Yıldız", secondDevice: "PC Yıldız" });
	a = await open(browser, anke);
	j = await open(browser, jonas);
});

after(async () => {
	await browser?.close();
	await Promise.all((nodes ?? []).map((node) => node?.stop()));
});

const first = `Entwurf, Amtsgericht Husum, Az. 8 C 214/26

Die Parteien schließen zur **Erledigung** des Rechtsstreits den folgenden Vergleich:

1. Der Beklagte zahlt an die Klägerin 18.400 Euro.
2. Die Klägerin überlässt dem Beklagten den Hausrat.
3. Das Boot verbleibt bei der Klägerin.

- [ ] Herrn Behrens anrufen

| Wer | Was |
| --- | --- |
| Anke | Akte holen |

## Widerruf

Beide Parteien können den Vergleich bis zum 17. November widerrufen.
`;
const second = first.replace(
	"3. Das Boot verbleibt bei der Klägerin.",
	"3. Das Boot verbleibt bei der Tochter.",
);
const third = `${second}\nDie Kosten werden gegeneinander aufgehoben.\n`;

// While a document is on its way it says nothing.
const markdown = (node) =>
	node.ask("document", { id, heads: [] }).then(
		(d) => d.markdown,
		() => "",
	);
const has = (node, words) => until(`„${words}“ there`, async () => (await markdown(node)).includes(words));
const write = async (node, text) => node.ask("document/write", { id, markdown: text });
const show = (page, view = "") =>
	page.evaluate(
		(hash) => {
			location.hash = hash;
		},
		`#/documents/${encodeURIComponent(id)}${view}`,
	);
const dialog = (page) => page.getByRole("dialog").filter({ visible: true });
const press = (page, name) => page.getByRole("button", { name, exact: true }).click();
const past = (page) => page.getByRole("article", { name: "Text dieses Standes" });
const slider = (page) => page.getByRole("slider", { name: "Stand wählen" });
const panel = (page) => page.getByRole("complementary", { name: "Anmerkungen" });
const thread = (page, quote) => panel(page).getByRole("article", { name: new RegExp(quote) });
const comments = async (node) => (await node.ask("document/comments", { id })).threads;

step("three people wrote one after the other", async () => {
	({ id } = await anke.ask("document/create", {
		space: "",
		title: "Vergleich Thiessen",
		folder: "Mandate",
		markdown: first,
		template: "",
	}));
	await has(jonas, "bei der Klägerin");
	await write(jonas, second);
	await has(emre, "bei der Tochter");
	await write(emre, third);
	await has(anke, "gegeneinander");
	const { sessions } = await anke.ask("document/history", { id, heads: [] });
	assert.deepEqual(
		sessions.map((s) => s.by.name),
		["Anke Petersen", "Jonas Wolf", "Emre Yıldız"],
	);
});

step("the last step is what the history begins with", async () => {
	await show(a, "/history");
	await past(a).locator("ins", { hasText: "Die Kosten werden" }).waitFor();
	await a.getByRole("status").getByText("Sie sehen den heutigen Text.").waitFor();
	assert.equal(await past(a).locator("ins").count(), 1);
	assert.equal(await past(a).locator("del").count(), 0);
	assert.equal(await past(a).locator("td", { hasText: "Akte holen" }).count(), 1);
	assert.equal(await a.getByRole("button", { name: "Wiederherstellen" }).count(), 0);
	await looks(a, "history-now");
});

step("the keyboard goes through the states", async () => {
	await slider(a).focus();
	await a.keyboard.press("ArrowLeft");
	await past(a).locator("del", { hasText: "bei der Klägerin" }).waitFor();
	await past(a).locator("ins", { hasText: "bei der Tochter" }).waitFor();
	assert.equal(await past(a).getByText("Die Kosten werden").count(), 0);
	await a.getByRole("status").getByText("Sie sehen den Stand von").waitFor();
	assert.match(await slider(a).getAttribute("aria-valuetext"), /Jonas Wolf.*Stand 2 von 3/);
	await looks(a, "history-before");

	await press(a, "Früherer Stand");
	await past(a).getByText("Das Boot verbleibt bei der Klägerin.").waitFor();
	assert.equal(await past(a).locator("ins, del").count(), 0);
	assert.ok(await a.getByRole("button", { name: "Früherer Stand" }).isDisabled());
	await press(a, "Späterer Stand");
	await past(a).locator("ins", { hasText: "bei der Tochter" }).waitFor();
});

step("a state is compared with the present", async () => {
	await slider(a).focus();
	await a.keyboard.press("Home");
	await a.getByRole("button", { name: "Womit vergleichen?" }).click();
	await a.getByRole("menuitem", { name: /^Mit jetzt/ }).click();
	await past(a).locator("ins", { hasText: "Die Kosten werden" }).waitFor();
	await past(a).locator("del", { hasText: "bei der Klägerin" }).waitFor();
	await a.getByRole("status").getByText("Sie sehen, was sich seit").waitFor();
	await looks(a, "history-compare");
});

step("restoring is for all, and can be undone", async () => {
	await press(a, "Wiederherstellen");
	await dialog(a).getByText("Der jetzige Text geht nicht verloren").waitFor();
	await dialog(a).getByRole("button", { name: "Wiederherstellen" }).click();
	await a.getByRole("status").getByText("gilt wieder.").waitFor();
	await until("Jonas has it", async () => {
		const now = await markdown(jonas);
		return now.includes("bei der Klägerin") && !now.includes("Die Kosten");
	});
	await looks(a, "history-restored");
	await press(a, "Rückgängig");
	await a.getByText("Rückgängig gemacht.").waitFor();
	await until("Jonas has that too", async () => {
		const now = await markdown(jonas);
		return now.includes("bei der Tochter") && now.includes("Die Kosten");
	});
});

step("what changed since the last visit", async () => {
	await show(j);
	await j.locator(".paper[contenteditable=true]").getByText("Die Kosten werden").waitFor();
	await j.evaluate(() => {
		location.hash = "#/documents";
	});
	await until(
		"Jonas left",
		async () => (await anke.ask("documents", { space: "" })).documents[0].writers.length === 0,
	);
	await has(anke, "Die Kosten");
	await write(anke, `${third}\nSo wird es gemacht.\n`);
	await has(jonas, "So wird es gemacht.");
	await show(j);
	await j.getByText("Seit Ihrem letzten Besuch").first().waitFor();
	await press(j, "Änderungen zeigen");
	await past(j).locator("ins", { hasText: "So wird es gemacht." }).waitFor();
	assert.equal(await past(j).locator("ins").count(), 1);
	await press(j, "Zurück zu jetzt");
	await j.locator(".paper[contenteditable=true]").getByText("So wird es gemacht.").waitFor();
});

step("no comments yet", async () => {
	await show(a, "/comments");
	await panel(a).getByRole("heading", { name: "Noch keine Anmerkungen" }).waitFor();
	await looks(a, "comments-empty");
});

step("a comment about words of the text, with a mention", async () => {
	const paper = a.locator(".paper[contenteditable=true]");
	await paper.getByText("18.400 Euro").dblclick({ position: { x: 210, y: 8 } });
	await a
		.getByRole("toolbar", { name: "Text gestalten" })
		.getByRole("button", { name: "Anmerkung", exact: true })
		.click();
	const field = panel(a).getByRole("textbox", { name: "Anmerkung schreiben" });
	await field.fill("Stimmt das? ");
	await field.pressSequentially("@jon");
	await panel(a).getByRole("option", { name: "Jonas Wolf" }).waitFor();
	await a.keyboard.press("Enter");
	assert.equal(await field.inputValue(), "Stimmt das? @Jonas Wolf ");
	await looks(a, "comments-new");
	await a.keyboard.press("Control+Enter");
	await panel(a).getByText("Stimmt das?").waitFor();
	await until("it is marked in the text", async () => (await paper.locator(".cm").count()) > 0);
	const [one] = await until("Jonas has it", async () => {
		const list = await comments(jonas);
		return list[0]?.anchor >= 0 && list;
	});
	assert.deepEqual(one.remarks[0].mentions, [(await jonas.ask("status")).person.id]);
	await until(
		"the list names Jonas",
		async () => (await jonas.ask("documents", { space: "" })).documents[0].mentions === 1,
	);
});

step("answer, edit, remove, resolve, open again", async () => {
	await show(j, "/comments");
	await panel(j).getByText("Stimmt das?").click();
	await panel(j).getByRole("textbox", { name: "Antwort schreiben" }).fill("Ja, laut Gutachten.");
	await press(panel(j), "Antworten");
	await panel(a).getByText("Ja, laut Gutachten.").waitFor();

	await panel(j).getByRole("button", { name: "Mehr zu Ihrer Anmerkung" }).click();
	await j.getByRole("menuitem", { name: "Bearbeiten" }).click();
	await panel(j)
		.getByRole("textbox", { name: "Anmerkung bearbeiten" })
		.fill("Ja, laut Gutachten vom 3. Mai.");
	await press(panel(j), "Speichern");
	await panel(a).getByText("vom 3. Mai.").waitFor();
	await panel(a).getByText("bearbeitet").waitFor();
	await looks(a, "comments");
	assert.equal(await panel(a).getByRole("button", { name: "Mehr zu Ihrer Anmerkung" }).count(), 1);

	await panel(j).getByRole("textbox", { name: "Antwort schreiben" }).fill("Kann weg.");
	await j.keyboard.press("Control+Enter");
	await panel(j).getByText("Kann weg.").waitFor();
	await panel(j).getByRole("button", { name: "Mehr zu Ihrer Anmerkung" }).last().click();
	await j.getByRole("menuitem", { name: /^Löschen/ }).click();
	await dialog(j).getByRole("button", { name: "Löschen" }).click();
	await until("it is gone at Anke's", async () => (await comments(anke))[0].remarks.length === 2);

	await press(panel(a), "Erledigt");
	await panel(a)
		.getByRole("heading", { name: "Keine offenen Anmerkungen" })
		.or(panel(a).getByText("Von Ihnen erledigt"))
		.first()
		.waitFor();
	await until("it is resolved at Jonas'", async () => (await comments(jonas))[0].resolved);
	await panel(j)
		.getByText(/^Erledigt von Anke Petersen/)
		.waitFor();
	await press(panel(j), "Wieder öffnen");
	await until("it is open at Anke's", async () => !(await comments(anke))[0].resolved);
	await press(panel(a), "Erledigt");
	await show(a);
	await show(a, "/comments");
	await press(panel(a), "Erledigte zeigen (1)");
	await panel(a).getByText("Ja, laut Gutachten").waitFor();
	await looks(a, "comments-resolved");
	await press(panel(a), "Wieder öffnen");
});

step("a comment whose text is gone says so", async () => {
	await write(emre, "Alles neu.\n");
	await has(anke, "Alles neu.");
	await panel(a).getByText("Der Text dazu ist gelöscht").waitFor();
	assert.equal(await thread(a, "Beiträge").count(), 1);
});

step("a reader reads", async () => {
	const person = (await jonas.ask("status")).person.id;
	const space = await anke.ask("space/create", { name: "Buchhaltung", members: [{ person, level: "read" }] });
	const made = await anke.ask("document/create", {
		space: space.id,
		title: "Kassenbuch",
		folder: "",
		markdown: "Stand der Kasse.",
		template: "",
	});
	id = made.id;
	await anke.ask("document/comment", {
		id,
		do: "add",
		thread: "abcdefghijklmnopqrstuvwx2a",
		remark: "",
		text: "Zählen!",
		mentions: [],
	});
	await until("Jonas has it", async () =>
		comments(jonas).then(
			(list) => list.length === 1,
			() => false,
		),
	);
	await show(j, "/comments");
	await panel(j).getByText("Zählen!").click();
	assert.equal(await panel(j).getByRole("textbox").count(), 0);
	assert.equal(await panel(j).getByRole("button", { name: "Erledigt" }).count(), 0);
	await panel(j).getByText("Anmerken können Menschen, die hier schreiben dürfen.").waitFor();
	await show(j, "/history");
	await past(j).getByText("Stand der Kasse.").waitFor();
	assert.equal(await j.getByRole("button", { name: "Wiederherstellen" }).count(), 0);
});

step("each step of a long text is quick", async (t) => {
	const long = Array.from({ length: 400 }, (_, i) => `Absatz ${i}: ${"Wort und Satz. ".repeat(20)}`).join(
		"\n\n",
	);
	({ id } = await anke.ask("document/create", {
		space: "",
		title: "Lang",
		folder: "",
		markdown: long,
		template: "",
	}));
	await has(jonas, "Absatz 399");
	await write(jonas, `${long}\n\nStand 0.\n`);
	await has(emre, "Stand 0.");
	await write(emre, `${long}\n\nStand 1.\n`);
	await has(anke, "Stand 1.");
	await show(a, "/history");
	await past(a).locator("ins", { hasText: "Stand 1." }).waitFor();
	// There and back; the way back knows the answer already.
	const took = [];
	for (const button of ["Früherer Stand", "Späterer Stand", "Früherer Stand"])
		took.push(
			await a.evaluate(async (name) => {
				const from = performance.now();
				const was = document.querySelector("article.paper ins").textContent;
				document.querySelector(`[aria-label='${name}']`).click();
				while (document.querySelector("article.paper ins")?.textContent === was)
					await new Promise(requestAnimationFrame);
				return Math.round(performance.now() - from);
			}, button),
		);
	t.diagnostic(`steps of 120,000 characters: ${took.join(", ")} ms`);
	assert.ok(Math.max(...took) < 5000, "a step takes long");
});

step("in English", async () => {
	await a.evaluate(() => localStorage.setItem("inselnetz.language", "en"));
	await a.reload();
	await a.getByRole("slider", { name: "Choose a state" }).waitFor();
	await looks(a, "history-english");
	await show(a, "/comments");
	await a.getByRole("heading", { name: "No comments yet" }).waitFor();
});

step("nothing complained", () => {
	quiet(a);
	quiet(j);
});
