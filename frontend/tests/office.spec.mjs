// Two computers become one office and talk, as their people see it.
import assert from "node:assert/strict";
import { after, before } from "node:test";
import { accessible, launch, looks, open, phone, quiet, step, wide } from "./browser.mjs";
import { startNode, until } from "./nodes.mjs";

let browser;
let anke; // nodes
let jonas;
let a; // their pages
let j;

before(async () => {
	[browser, anke, jonas] = await Promise.all([launch(), startNode(), startNode()]);
	a = await open(browser, anke);
	j = await open(browser, jonas);
});

after(async () => {
	await browser?.close();
	await Promise.all([anke?.stop(), jonas?.stop()]);
});

const write = (page, text) => page.getByRole("textbox", { name: "Nachricht schreiben" }).fill(text);
const send = (page) => page.getByRole("textbox", { name: "Nachricht schreiben" }).press("Enter");
const feed = (page) => page.getByRole("feed");
// message is the one that says text itself; a quote of it does not count.
const message = (page, text) =>
	feed(page)
		.getByRole("article")
		.filter({ has: page.locator(".text", { hasText: text }) });

step("a page without its key says what to do", async () => {
	const context = await browser.newContext({ locale: "de-DE" });
	const page = await context.newPage();
	await page.goto(anke.origin);
	await page.getByRole("heading", { name: "Diese Seite gehört zu einem anderen Start" }).waitFor();
	await page.getByText("inselnetz open").waitFor();
	await accessible(page, "gone");
	await context.close();
});

step("found an office", async () => {
	await a.getByRole("heading", { name: "Willkommen bei Inselnetz" }).waitFor();
	await a.getByText("Noch keine Einladung gefunden").waitFor();
	await looks(a, "01-start");

	await a.getByRole("button", { name: "Neues Büro gründen" }).click();
	await a.getByRole("button", { name: "Büro gründen" }).click();
	await a.getByRole("alert").getByText("Der Name fehlt.").waitFor();
	await looks(a, "01-gruenden");
	await a.getByLabel("Wie heißt Ihr Büro?").fill("Kanzlei Petersen & Wolf");
	await a.getByLabel("Wie heißen Sie?").fill("Anke Petersen");
	await a.getByLabel("Wie heißt dieser Computer?").fill("PC Empfang");
	await a.getByRole("button", { name: "Büro gründen" }).click();
	// The steps of the wizard have a story of their own: first.spec.mjs.
	for (const name of [
		"Was für ein Büro ist es?",
		"Das Wiederherstellungs-Blatt",
		"Zweiter Computer, zweite Person",
	]) {
		await a.getByRole("heading", { name, level: 1 }).waitFor();
		await a.getByRole("button", { name: "Später erledigen" }).click();
	}
	await a.getByRole("button", { name: "Weiter" }).click();
	await a.getByRole("button", { name: "Los geht’s" }).click();
	await a.getByRole("link", { name: "Jetzt drucken" }).waitFor();
	await a.getByRole("button", { name: "Zweite Person einladen" }).waitFor();
	await looks(a, "02-lage-allein");
});

step("joining can be called off, and ends when the invitation does", async () => {
	const ask = async () => {
		await j.getByRole("button", { name: /^Bei „.+“ beitreten/ }).click();
		await j.getByLabel("Wie heißen Sie?").fill("Jonas Wolf");
		await j.getByRole("button", { name: "Beitreten" }).click();
		await j.getByRole("heading", { name: "Ihre Nummer" }).waitFor();
	};
	await anke.ask("invite/open", { role: "member" });
	await ask();
	await j.getByRole("button", { name: "Abbrechen" }).click();
	await j.getByRole("heading", { name: "Willkommen bei Inselnetz" }).waitFor();
	await until("nobody waits", async () => (await anke.ask("invite/state")).waiting.length === 0);

	await ask();
	await j.reload(); // a page opened anew goes on with the same number
	await j.getByRole("heading", { name: "Ihre Nummer" }).waitFor();
	await anke.ask("invite/close");
	await j.getByRole("heading", { name: "Das hat nicht geklappt" }).waitFor();
	await looks(j, "01b-gescheitert");
	await j.getByRole("button", { name: "Zurück" }).click();
	await j.getByText("Noch keine Einladung gefunden").waitFor();
});

step("join by number", async () => {
	await a.getByRole("button", { name: "Zweite Person einladen" }).click();
	await a.getByRole("button", { name: "Einladung öffnen" }).click();
	await a.getByText("Wartet auf einen neuen Computer").waitFor();

	const door = j.getByRole("button", { name: /^Bei „.+“ beitreten/ });
	await door.waitFor();
	await looks(j, "01-start-gefunden");
	await door.click();
	await j.getByLabel("Wie heißen Sie?").fill("Jonas Wolf");
	await j.getByLabel("Wie heißt dieser Computer?").fill("Laptop Wolf");
	await looks(j, "01b-angaben");
	await j.getByRole("button", { name: "Beitreten" }).click();
	await j.getByRole("heading", { name: "Ihre Nummer" }).waitFor();
	await looks(j, "01b-nummer");
	const number = (await jonas.ask("join/state")).number;
	assert.match(number, /^\d{6}$/);

	await a.getByText("Jonas Wolf an „Laptop Wolf“ wartet").waitFor();
	const wrong = number === "123456" ? "654321" : "123456";
	await a.getByLabel("Nummer vom neuen Bildschirm").fill(wrong);
	await looks(a, "07-einladen");
	await a.getByRole("button", { name: "Hereinlassen" }).click();
	await a.getByText("Die Nummer stimmt nicht. Noch 2 Versuche.").waitFor();
	await looks(a, "07-einladen-falsch");

	// A number read over the phone is pasted with a space in it.
	await a.getByLabel("Nummer vom neuen Bildschirm").focus();
	await a.evaluate(
		(text) => {
			const data = new DataTransfer();
			data.setData("text", text);
			document.activeElement.dispatchEvent(
				new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }),
			);
		},
		`${number.slice(0, 3)} ${number.slice(3)}`,
	);
	await a.getByRole("button", { name: "Hereinlassen" }).click();

	await j.getByRole("heading", { name: "Sehen Sie beide dieselben Wörter?" }).waitFor();
	const words = (await jonas.ask("join/state")).words.split(" ");
	assert.equal(words.length, 3);
	for (const page of [a, j]) {
		await until("both see them", async () => {
			const shown = await page.locator(".words b").allTextContents();
			return shown.join(" ") === words.join(" ");
		});
	}
	await looks(j, "01b-woerter");
	await j.getByRole("button", { name: "Ja, dieselben Wörter" }).click();
	await j.getByRole("button", { name: "Weiter" }).click();
	await j.getByRole("heading", { name: "Sie sind dabei: Kanzlei Petersen & Wolf" }).waitFor();
	await looks(j, "01b-dabei");
	await a.getByText("Jonas Wolf ist eingelassen").waitFor();
	await looks(a, "07-dabei");
	await j.getByRole("button", { name: "Los geht’s" }).click();
	await j.getByText("2 von 2 Geräten da").waitFor();
	await a.getByRole("button", { name: "Fertig" }).click();
});

step("both talk", async () => {
	for (const page of [a, j]) {
		await page.getByRole("link", { name: "Chat", exact: true }).click();
		await page.getByRole("link", { name: "Alle", exact: true }).click();
		await page.getByRole("heading", { name: "Noch keine Nachrichten" }).waitFor();
	}
	await looks(a, "03-chat-leer");
	await write(a, "Moin Jonas, hörst du mich?");
	await send(a);
	await message(j, "Moin Jonas, hörst du mich?").waitFor();
	await write(j, "Klar und deutlich.");
	await send(j);
	await message(a, "Klar und deutlich.").waitFor();
	await message(a, "Moin Jonas")
		.getByText(/gelesen von Jonas Wolf|auf 2 Geräten/)
		.waitFor();
	assert.equal(await a.getByRole("textbox", { name: "Nachricht schreiben" }).inputValue(), "");
});

step("edit with arrow up, reply, react, mention, retract", async () => {
	const field = a.getByRole("textbox", { name: "Nachricht schreiben" });
	await field.press("ArrowUp");
	await a.getByText("Sie bearbeiten Ihre Nachricht").waitFor();
	await field.fill("Moin Jonas, liest du mich?");
	await field.press("Enter");
	await message(j, "liest du mich?").waitFor();
	await message(j, "liest du mich?").getByText("bearbeitet").waitFor();

	await message(j, "liest du mich?").hover();
	await message(j, "liest du mich?").getByRole("button", { name: "Antworten", exact: true }).click();
	await write(j, "Auch das.");
	await send(j);
	await message(a, "Auch das.")
		.getByRole("button", { name: /Antwort an Anke Petersen/ })
		.waitFor();
	await message(a, "liest du mich?").getByRole("button", { name: "1 Antwort" }).click();
	await a.getByRole("complementary", { name: "Antworten" }).getByText("Auch das.").waitFor();
	await a.getByRole("complementary", { name: "Antworten" }).getByRole("textbox").fill("Sehr gut.");
	await a.getByRole("complementary", { name: "Antworten" }).getByRole("textbox").press("Enter");
	await message(j, "Sehr gut.").waitFor();
	await looks(a, "03-antworten");
	await a
		.getByRole("complementary", { name: "Antworten" })
		.getByRole("button", { name: "Schließen" })
		.click();

	await message(j, "liest du mich?").hover();
	await message(j, "liest du mich?").getByRole("button", { name: "Reagieren" }).click();
	await looks(j, "03-reagieren");
	await j.getByRole("menuitem", { name: "Einverstanden" }).click();
	await message(a, "liest du mich?").getByRole("button", { name: "Einverstanden 1: Jonas Wolf" }).waitFor();

	const box = j.getByRole("textbox", { name: "Nachricht schreiben" });
	await box.pressSequentially("Schau mal @An");
	await j.getByRole("option", { name: "Anke Petersen" }).waitFor();
	await looks(j, "03-erwaehnen");
	await box.focus();
	await box.press("Enter");
	assert.equal(await box.inputValue(), "Schau mal @Anke Petersen ");
	await box.pressSequentially("bitte");
	await box.press("Enter");
	await message(a, "@Anke Petersen").locator("b.mention").waitFor();

	await write(j, "Das war ein Versehen.");
	await send(j);
	await message(a, "Das war ein Versehen.").waitFor();
	await message(j, "Das war ein Versehen.").hover();
	await message(j, "Das war ein Versehen.").getByRole("button", { name: "Mehr" }).click();
	await j.getByRole("menuitem", { name: "Zurückziehen" }).click();
	await looks(j, "03-zurueckziehen");
	await j.getByRole("dialog").getByRole("button", { name: "Zurückziehen" }).click();
	await a.getByText("Jonas Wolf hat diese Nachricht zurückgezogen.").waitFor();
	await j.getByRole("button", { name: "Text zurück ins Schreibfeld" }).click();
	assert.equal(await box.inputValue(), "Das war ein Versehen.");
	await box.fill("");
});

step("new messages are counted until they are read", async () => {
	await j.getByRole("link", { name: "Lage" }).click();
	await j.getByRole("heading", { name: "Alles läuft." }).waitFor();
	await write(a, "Kommst du um elf?");
	await send(a);
	await j.getByRole("link", { name: "Chat 1 neue Nachricht" }).waitFor();
	await looks(j, "02-lage");
	await j.getByRole("link", { name: "Chat", exact: false }).first().click();
	await message(j, "Kommst du um elf?").waitFor();
	await until("it is read", async () => (await jonas.ask("status")).unread === 0);
	await message(a, "Kommst du um elf?").getByText("gelesen von Jonas Wolf").waitFor();
});

step("a new channel", async () => {
	await a.getByRole("button", { name: "Neu im Chat" }).click();
	await a.getByRole("menuitem", { name: "Neuer Kanal" }).click();
	await looks(a, "03-neuer-kanal");
	await a.getByLabel("Name des Kanals").fill("Empfang");
	await a.getByRole("button", { name: "Kanal anlegen" }).click();
	await a.getByRole("heading", { name: "Empfang" }).waitFor();
	await write(a, "Der Paketbote war da.");
	await send(a);
	await j.getByRole("link", { name: /Empfang/ }).click();
	await message(j, "Der Paketbote war da.").waitFor();
	await a.getByRole("link", { name: "Alle", exact: true }).click();
	await j.getByRole("link", { name: "Alle", exact: true }).click();
	await message(a, "Kommst du um elf?").waitFor();
	await looks(a, "03-chat");
});

step("whoever was away begins at the first new message", async () => {
	await j.getByRole("link", { name: "Lage" }).click();
	await j.getByRole("heading", { name: "Alles läuft." }).waitFor();
	const channel = (await anke.ask("channels")).channels.find((c) => c.main).id;
	for (let i = 1; i <= 150; i++) {
		await anke.ask("post", { channel, text: `Neues ${i}.`, replyTo: "", nonce: `new${i}` });
	}
	const unread = async () => (await jonas.ask("channels")).channels.find((c) => c.main).unread;
	await until("all are here", async () => (await unread()) === 150);
	await j.getByRole("link", { name: /^Alle .*neue Nachrichten/ }).click();
	await message(j, "Neues 1.").first().waitFor();
	await j.getByText("Neu", { exact: true }).waitFor();
	await looks(j, "03-neu");
	await j.getByRole("button", { name: /Zur neuesten/ }).click();
	await message(j, "Neues 150.").waitFor();
	await until("all are read", async () => (await unread()) === 0);
});

step("search marks what it finds and jumps to it", async () => {
	await a.keyboard.press("Control+k");
	await a.getByRole("combobox", { name: "Suchwort" }).fill("paketbote");
	await a.getByRole("option", { name: /Paketbote/ }).waitFor();
	assert.equal(await a.locator("dialog mark").first().textContent(), "Paketbote");
	await looks(a, "03-suche");
	await a.getByRole("combobox", { name: "Suchwort" }).press("Enter");
	await a.getByRole("heading", { name: "Empfang" }).waitFor();
	await message(a, "Der Paketbote war da.").waitFor();
	assert.equal(await a.getByRole("dialog").count(), 0);
	await a.keyboard.press("Control+k");
	await a.getByRole("combobox", { name: "Suchwort" }).fill("gibtesnicht");
	await a.getByText("Nichts gefunden für „gibtesnicht“.").first().waitFor();
	await a.keyboard.press("Escape");
	await a.getByRole("link", { name: "Alle", exact: true }).click();
});

step("what could not be sent stays, and is sent once", async () => {
	quiet(a);
	quiet(j);
	const text = "Dieser Satz darf nicht verloren gehen.";
	// The program takes the message, but its answer gets lost.
	await a.route("**/api/post", async (route) => {
		await route.fetch();
		await route.abort();
	});
	await write(a, text);
	await send(a);
	await a.getByRole("alert").getByText("Ihr Text bleibt stehen.").waitFor();
	await looks(a, "03-nicht-gesendet");
	assert.equal(await a.getByRole("textbox", { name: "Nachricht schreiben" }).inputValue(), text);
	await a.reload();
	await feed(a).waitFor();
	assert.equal(await a.getByRole("textbox", { name: "Nachricht schreiben" }).inputValue(), text);
	await a.unroute("**/api/post");
	a.complaints.length = 0; // of the answer that was made to get lost
	await send(a);
	await until(
		"the field is empty",
		async () => (await a.getByRole("textbox", { name: "Nachricht schreiben" }).inputValue()) === "",
	);
	await message(j, text).waitFor();
	await message(a, text).last().waitFor();
	assert.equal(await message(a, text).count(), 1);

	// The program's own words stand beside a text it does not take.
	const long = "x".repeat(1 << 20);
	await write(a, long);
	await send(a);
	await a.getByRole("alert").getByText("Die Nachricht ist zu lang").waitFor();
	assert.equal(
		(await a.getByRole("textbox", { name: "Nachricht schreiben" }).inputValue()).length,
		long.length,
	);
	await write(a, "");
});

step("the keyboard alone is enough", async () => {
	await a.getByRole("textbox", { name: "Nachricht schreiben" }).focus();
	await feed(a).focus();
	await a.keyboard.press("ArrowUp");
	await until("a message has the focus", () =>
		a.evaluate(() => document.activeElement?.tagName === "ARTICLE"),
	);
	const first = await a.evaluate(() => document.activeElement.id);
	await a.keyboard.press("ArrowUp");
	await until("the one above has it", () =>
		a.evaluate(
			(id) => document.activeElement?.tagName === "ARTICLE" && document.activeElement.id !== id,
			first,
		),
	);
	await looks(a, "03-tastatur");
	await until("the focus is back", () => a.evaluate(() => document.activeElement?.tagName === "ARTICLE"));
	await a.keyboard.press("Tab");
	assert.equal(await a.evaluate(() => document.activeElement.tagName), "BUTTON");
	await a.keyboard.press("Escape");
	await until("the message has it again", () =>
		a.evaluate(() => document.activeElement?.tagName === "ARTICLE"),
	);
	await a.keyboard.press("Escape");
	assert.equal(await a.evaluate(() => document.activeElement.tagName), "TEXTAREA");
});

step("people and their devices", async () => {
	await j.getByRole("link", { name: "Menschen", exact: true }).click();
	await j.getByText("2 Menschen, 2 Geräte.").waitFor();
	await j.getByText("Einladen können nur Menschen, die dieses Büro verwalten.").waitFor();
	await looks(j, "07-menschen-mitglied");
	await a.getByRole("link", { name: "Menschen", exact: true }).click();
	await looks(a, "07-menschen");
});

step("English, dark and strong contrast are one click away", async () => {
	await a.getByRole("button", { name: "Einstellungen" }).first().click();
	await looks(a, "09-einstellungen");
	await a.getByRole("button", { name: "English" }).click();
	await a.getByRole("heading", { name: "People and devices" }).waitFor();
	assert.equal(await a.evaluate(() => document.documentElement.lang), "en");
	await a.getByRole("button", { name: "Dark" }).click();
	await a.getByRole("button", { name: "Strong" }).click();
	await a.keyboard.press("Escape");
	await a.getByRole("link", { name: "Chat", exact: true }).click();
	await a
		.getByText(/read by Jonas Wolf/)
		.filter({ visible: true })
		.first()
		.waitFor();
	await accessible(a, "english, dark, strong contrast");
	await a.screenshot({ path: `${process.env.SHOTS || "test-results"}/03-chat-english-contrast.png` });
	await a.setViewportSize(phone);
	await accessible(a, "english, dark, strong contrast on a phone");
	await a.setViewportSize(wide);
	await a.evaluate(() => localStorage.clear());
	await a.reload();
});

step("on a phone the list and the conversation are views of their own", async () => {
	await a.setViewportSize(phone);
	await a.goto(`${anke.origin}/#/chat`);
	await a.getByRole("heading", { name: "Chat", exact: true }).waitFor();
	await looks(a, "03-chat-liste");
	await a.setViewportSize(phone);
	await a.getByRole("link", { name: /^Empfang/ }).click();
	await message(a, "Der Paketbote war da.").waitFor();
	await a.getByRole("button", { name: "Einstellungen" }).click();
	await accessible(a, "settings on a phone");
	await a.screenshot({ path: `${process.env.SHOTS || "test-results"}/09-einstellungen-375.png` });
	await a.keyboard.press("Escape");
	await a.getByRole("link", { name: "Zurück zu allen Kanälen" }).click();
	await a.getByRole("link", { name: /^Empfang/ }).waitFor();
	await a.setViewportSize(wide);
});

step("a program that stops is said to have stopped", async () => {
	await jonas.stop();
	await j.getByText("Das Programm antwortet nicht").first().waitFor();
	await j.getByText("PC Empfang, unbekannt").waitFor();
	await looks(j, "02-programm-weg");
	jonas = undefined;
	await a.goto(`${anke.origin}/#/home`);
	await a.getByRole("heading", { name: "Gerade sind nur Sie da." }).waitFor({ timeout: 40_000 });
	await looks(a, "02-lage-niemand-da");
	quiet(a);
});
