// Who gets in, who may do what, who leaves, and how an office comes back from
// the loss of its owner: as people see it, on real nodes.
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before } from "node:test";
import { again, launch, looks, open, pictures, quiet, step, wide } from "./browser.mjs";
import { pair, startNode, until } from "./nodes.mjs";
import { lines, pages } from "./pdf.mjs";

let browser;
let anke; // nodes
let jonas;
let emre;
let a; // their pages
let j;
let e;
let words; // of the recovery sheet, as someone copied them from paper

before(async () => {
	[browser, anke, jonas, emre] = await Promise.all([launch(), startNode(), startNode(), startNode()]);
	a = await open(browser, anke);
	j = await open(browser, jonas);
});

after(async () => {
	await browser?.close();
	await Promise.all([anke, jonas, emre].map((node) => node?.stop()));
});

const write = async (page, text) => {
	const field = page.getByRole("textbox", { name: "Nachricht schreiben" });
	await field.fill(text);
	await field.press("Enter");
};
const message = (page, text) =>
	page
		.getByRole("feed")
		.getByRole("article")
		.filter({ has: page.locator(".text", { hasText: text }) });
const go = (page, name) => page.getByRole("link", { name, exact: true }).click();
const people = async (page) => {
	await page
		.getByRole("link", { name: /^Menschen/ })
		.first()
		.click();
	await page.getByRole("heading", { name: "Menschen und Geräte" }).waitFor();
};
const menu = async (page, name, item) => {
	await page.getByRole("button", { name: `Mehr zu ${name}`, exact: true }).click();
	if (item) await page.getByRole("menuitem", { name: item }).click();
};
const dialog = (page) => page.getByRole("dialog");
const channel = (page, name) => page.getByRole("region", { name: "Kanäle" }).getByRole("link", { name });
const row = (page, name) => page.getByRole("listitem").filter({ has: page.getByText(name, { exact: true }) });
const channelNames = async (node) =>
	(await node.ask("channels")).channels.map((c) => c.with?.name || c.in || c.name || "Alle").sort();
const texts = async (node) => {
	const { channels } = await node.ask("channels");
	const all = await Promise.all(channels.map((c) => node.ask("messages", { channel: c.id })));
	return all.flatMap((m) => m.messages.map((one) => one.text));
};

step("founding ends with the recovery sheet", async () => {
	await a.getByRole("button", { name: "Neues Büro gründen" }).click();
	await a.getByLabel("Wie heißt Ihr Büro?").fill("Kanzlei Petersen & Wolf");
	await a.getByLabel("Wie heißen Sie?").fill("Anke Petersen");
	await a.getByLabel("Wie heißt dieser Computer?").fill("PC Empfang");
	await a.getByRole("button", { name: "Büro gründen" }).click();
	await a.getByRole("button", { name: "Später erledigen" }).click(); // the kind of office
	await a.getByRole("list", { name: "Die 24 Wörter" }).waitFor();
	words = await a.getByRole("list", { name: "Die 24 Wörter" }).locator("b").allTextContents();
	assert.equal(words.length, 24);
	await looks(a, "10-blatt");
});

step("the sheet is one printed page with all there is to know", async () => {
	const pdf = await a.pdf({ preferCSSPageSize: true, printBackground: true });
	await writeFile(join(pictures, "10-blatt.pdf"), pdf);
	assert.equal(pages(pdf), 1);
	const said = lines(pdf).map((line) => line.trim());
	const numbered = words.map((word, i) => said.indexOf(word) > 0 && said[said.indexOf(`${i + 1}`) + 1]);
	assert.deepEqual(numbered, words);
	assert.ok(said.includes("Kanzlei Petersen & Wolf"), "the office's name");
	assert.ok(
		said.some((line) => line.includes("In den Tresor")),
		"where to keep it",
	);
	assert.ok(!said.some((line) => /Später erledigen|Bestätigen|Lage/.test(line)), "nothing but the sheet");
	await a.emulateMedia({ media: "print", colorScheme: "dark" });
	await a.setViewportSize({ width: 658, height: 1002 }); // A4 within its margins
	await a.screenshot({ path: join(pictures, "10-blatt-druck.png") });
	await a.emulateMedia({ media: "screen", colorScheme: "light" });
	await a.setViewportSize(wide);
});

step("the overview reminds until the sheet is confirmed", async () => {
	await a.getByRole("button", { name: "Später erledigen" }).click();
	await a.getByRole("heading", { name: "Zweiter Computer" }).waitFor();
	await a.getByRole("button", { name: "Später erledigen" }).click();
	await a.getByRole("button", { name: "Weiter" }).click();
	await a.getByRole("button", { name: "Los geht’s" }).click();
	await a.getByText("Das Wiederherstellungs-Blatt ist noch nicht gedruckt.").waitFor();
	await a.getByText("Alles liegt nur auf diesem Gerät.").waitFor();
	await looks(a, "10-lage-erinnert");
	await a.getByRole("link", { name: "Jetzt drucken" }).click();
	const asked = await until("two words are asked for", async () => {
		const labels = await a.locator("form label").allTextContents();
		return labels.length === 2 && labels.map((l) => Number(/\d+/.exec(l)[0]));
	});
	for (const n of asked) await a.getByLabel(`Wort ${n}`, { exact: true }).fill("falsch");
	await a.getByRole("button", { name: "Bestätigen" }).click();
	await a.getByText(`Das ${asked[0]}. Wort stimmt nicht.`).waitFor();
	await looks(a, "10-blatt-falsch");
	for (const n of asked)
		await a.getByLabel(`Wort ${n}`, { exact: true }).fill(` ${words[n - 1].toUpperCase()} `);
	await a.getByRole("button", { name: "Bestätigen" }).click();
	await a.getByText("Das Blatt gilt").waitFor();
	await looks(a, "10-blatt-gilt");
	assert.equal(await a.getByText(words[0], { exact: true }).count(), 0);
	const kept = await a.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }) + location.href);
	assert.ok(!words.slice(0, 3).every((w) => kept.includes(w)), "the page keeps no words");
	await a.getByRole("link", { name: "Zur Lage" }).click();
	await a.getByText("Alles liegt nur auf diesem Gerät.").waitFor();
	assert.equal(await a.getByText("Das Wiederherstellungs-Blatt ist noch nicht gedruckt.").count(), 0);
});

step("invite by link", async () => {
	await a.getByRole("button", { name: "Zweite Person einladen" }).click();
	await looks(a, "10-einladen");
	await a.getByText("Per Link oder QR-Code").click();
	await a.getByRole("button", { name: "Link erstellen" }).click();
	await a.getByRole("img", { name: "QR-Code der Einladung" }).waitFor();
	const link = await a.getByLabel("Einladung", { exact: true }).inputValue();
	assert.match(link, /^inselnetz:join\?/);
	await looks(a, "10-einladen-link");

	await j.getByRole("button", { name: "Link oder Adresse eingeben" }).click();
	await j.getByLabel("Link oder Adresse").fill(`Moin Jonas, das ist er: ${link} Gruß, Anke`);
	await j.getByText("Link erkannt.").waitFor();
	await looks(j, "10-beitreten-link");
	await j.getByRole("button", { name: "Weiter" }).click();
	await j.getByLabel("Wie heißen Sie?").fill("Jonas Wolf");
	await j.getByLabel("Wie heißt dieser Computer?").fill("Laptop Wolf");
	await j.getByRole("button", { name: "Beitreten" }).click();
	await j.getByRole("heading", { name: "Sehen Sie beide dieselben Wörter?" }).waitFor();
	const shown = (await jonas.ask("join/state")).words.split(" ");
	for (const page of [a, j]) {
		await until("both see the words", async () => {
			const seen = await page.locator(".words b").allTextContents();
			return seen.join(" ") === shown.join(" ");
		});
	}
	await looks(a, "10-link-woerter");
	await j.getByRole("button", { name: "Ja, dieselben Wörter" }).click();
	await j.getByRole("button", { name: "Weiter" }).click();
	await j.getByRole("button", { name: "Los geht’s" }).click();
	await j.getByText("2 von 2 Geräten da").waitFor();
	await a.getByText("Jonas Wolf ist eingelassen").waitFor();
	await a.getByRole("button", { name: "Fertig" }).click();
});

step("a second person manages", async () => {
	await menu(a, "Jonas Wolf");
	await looks(a, "10-mensch-menue");
	await a.getByRole("menuitem", { name: "Rolle ändern" }).click();
	await dialog(a).getByText("Verwaltet", { exact: true }).click();
	await dialog(a).getByText("Jonas Wolf kann danach einladen und entfernen.").waitFor();
	await looks(a, "10-rolle");
	await dialog(a).getByRole("button", { name: "Ändern" }).click();
	await dialog(a).getByText("Jonas Wolf: Verwaltet").waitFor();
	await dialog(a).getByRole("button", { name: "Schließen" }).click();
	await row(a, "Jonas Wolf").getByText("verwaltet").waitFor();
	await people(j);
	await j.getByRole("link", { name: "Einladen" }).first().waitFor();
	await menu(j, "Anke Petersen");
	await j.getByText("Kann nur mit dem Blatt oder mit Vertretungen entfernt werden.").waitFor();
	await looks(j, "10-vorrang");
	await j.keyboard.press("Escape");
	await go(a, "Lage");
	await until("the overview is calm", async () => {
		return (await a.getByText("Nur eine Person kann verwalten.").count()) === 0;
	});
});

step("spaces and direct messages are for those in them", async () => {
	await pair(anke, emre, { second: "Emre Yıldız", secondDevice: "PC Yıldız" });
	e = await open(browser, emre);
	await until("Jonas knows Emre", async () => (await jonas.ask("people")).people.length === 3);
	await go(a, "Chat");
	await a.getByRole("button", { name: "Neu im Chat" }).click();
	await a.getByRole("menuitem", { name: "Neuer Bereich" }).click();
	await dialog(a).getByRole("button", { name: "Bereich anlegen" }).click();
	await dialog(a).getByRole("alert").waitFor();
	await dialog(a).getByLabel("Name des Bereichs").fill("Buchhaltung");
	await dialog(a).getByLabel("Was darf Jonas Wolf?").selectOption("write");
	await looks(a, "11-neuer-bereich");
	await dialog(a).getByRole("button", { name: "Bereich anlegen" }).click();
	await a.getByRole("heading", { name: "Buchhaltung" }).waitFor();
	await write(a, "Der Kontostand ist vertraulich.");
	await message(a, "Der Kontostand ist vertraulich.").waitFor();

	await people(a);
	await menu(a, "Jonas Wolf", "Nachricht schreiben");
	await a.getByText("Nur Sie beide lesen mit").waitFor();
	await write(a, "Jonas, das bleibt unter uns.");
	await go(j, "Chat").catch(() => j.getByRole("link", { name: /^Chat/ }).click());
	await channel(j, /Anke Petersen/).click();
	await message(j, "Jonas, das bleibt unter uns.").waitFor();
	await looks(j, "11-zu-zweit");
	await channel(j, /^Allgemein/).click();
	await message(j, "Der Kontostand ist vertraulich.").waitFor();
	await looks(j, "11-bereich");

	await e.getByRole("link", { name: "Chat" }).first().click();
	await e.getByRole("heading", { name: "Alle", exact: true }).waitFor();
	assert.deepEqual(await channelNames(emre), ["Alle"]);
	assert.equal(await e.getByText("Buchhaltung").count(), 0);
	assert.ok(!(await texts(emre)).some((text) => /vertraulich|unter uns/.test(text)));
});

step("who may only read is told so", async () => {
	await a.getByRole("button", { name: "Mehr zu Buchhaltung" }).click();
	await a.getByRole("menuitem", { name: "Mitglieder und Name" }).click();
	await dialog(a).getByLabel("Was darf Emre Yıldız?").selectOption("read");
	await looks(a, "11-mitglieder");
	await dialog(a).getByRole("button", { name: "Speichern" }).click();
	await dialog(a).getByText("Gespeichert.").waitFor();
	await dialog(a).getByRole("button", { name: "Schließen" }).click();
	await channel(e, /^Allgemein/).click();
	await e.getByText("In diesem Bereich dürfen Sie lesen, nicht schreiben.").waitFor();
	await looks(e, "11-nur-lesen");
	await e.getByRole("button", { name: "Mehr zu Buchhaltung" }).click();
	await e.getByRole("menuitem", { name: "Bereich verlassen" }).click();
	await looks(e, "11-verlassen");
	await dialog(e).getByRole("button", { name: "Bereich verlassen" }).click();
	await until("Emre has left", async () => (await channelNames(emre)).join() === "Alle");
});

step("erased is gone for everyone", async () => {
	await channel(a, /^Alle/).first().click();
	await write(a, "Das Passwort ist Sommer2026.");
	await channel(j, /^Alle/).first().click();
	await message(j, "Sommer2026").waitFor();
	await message(a, "Sommer2026").hover();
	await message(a, "Sommer2026").getByRole("button", { name: "Mehr" }).click();
	await a.getByRole("menuitem", { name: "Endgültig löschen" }).click();
	await looks(a, "11-loeschen");
	await dialog(a).getByRole("button", { name: "Endgültig löschen" }).click();
	await a.getByText("Endgültig gelöscht.").waitFor();
	for (const page of [a, j]) {
		await until("nobody sees it", async () => (await page.getByText("Sommer2026").count()) === 0);
	}
	for (const node of [anke, jonas, emre]) {
		await until("nobody finds it", async () => {
			return (await node.ask("search", { text: "Sommer2026", channel: "" })).hits.length === 0;
		});
	}
	await looks(a, "11-geloescht");
});

step("another device of the same person comes, and goes alone", async () => {
	const laptop = await startNode();
	try {
		await people(a);
		await menu(a, "Anke Petersen", "Weiteres Gerät dazuholen");
		await a.getByRole("heading", { name: "Weiteres Gerät für Anke Petersen" }).waitFor();
		await looks(a, "11-weiteres-geraet");
		await a.getByRole("button", { name: "Einladung öffnen" }).click();
		await a.getByText("Wartet auf einen neuen Computer").waitFor();
		const l = await open(browser, laptop);
		await l.getByRole("button", { name: /^Bei „.+“ beitreten/ }).click();
		await l.getByLabel("Wie heißen Sie?").fill("A. Petersen");
		await l.getByLabel("Wie heißt dieser Computer?").fill("Laptop Petersen");
		await l.getByRole("button", { name: "Beitreten" }).click();
		await l.getByRole("heading", { name: "Ihre Nummer" }).waitFor();
		await a.getByText("A. Petersen an „Laptop Petersen“ wartet").waitFor();
		await a.getByLabel("Nummer vom neuen Bildschirm").fill((await laptop.ask("join/state")).number);
		await a.getByRole("button", { name: "Hereinlassen" }).click();
		await l.getByText("Sie sind dort: Anke Petersen").waitFor();
		await looks(l, "11-weiteres-woerter");
		await l.getByRole("button", { name: "Ja, dieselben Wörter" }).click();
		await l.getByRole("button", { name: "Weiter" }).click();
		await l.getByRole("button", { name: "Los geht’s" }).click();
		await a.getByRole("button", { name: "Fertig" }).click();
		await a.getByText("3 Menschen, 4 Geräte.").waitFor();
		await l.context().close();
	} finally {
		await laptop.stop();
	}
	await a.getByRole("link", { name: /^Geräte/ }).click();
	await menu(a, "Laptop Petersen", "Entfernen");
	await dialog(a).getByText("Dieses Gerät gehört danach nicht mehr zum Büro:").waitFor();
	await looks(a, "11-geraet-entfernen");
	await dialog(a).getByRole("button", { name: "Laptop Petersen entfernen" }).click();
	await dialog(a).getByText("Laptop Petersen ist entfernt").waitFor();
	await dialog(a).getByRole("button", { name: "Schließen" }).click();
	await a.getByText("3 Menschen, 3 Geräte.").waitFor();
});

step("deputies are named", async () => {
	await people(a);
	await a.getByRole("link", { name: "Ansehen und ändern" }).click();
	await a.getByText("Das Blatt allein reicht.").waitFor();
	await looks(a, "12-wiederherstellung");
	await a.getByRole("link", { name: "Vertretungen bestimmen" }).click();
	await a.getByLabel("Jonas Wolf").check();
	await a.getByLabel("Emre Yıldız").check();
	await a
		.getByLabel("Die 24 Wörter vom Blatt")
		.or(a.getByLabel("Das Blatt, das jetzt gilt"))
		.fill(words.join(" "));
	await a.getByText("24 von 24 Wörtern").waitFor();
	await looks(a, "12-vertretungen");
	await a.getByRole("button", { name: "Bestimmen" }).click();
	await a.getByText("2 von 3 reichen.").waitFor();
	await looks(a, "12-bestimmt");
	await people(j);
	await row(j, "Emre Yıldız").getByText("Vertretung").waitFor();
	await looks(j, "12-menschen");
	for (const node of [jonas, emre]) {
		await until("they know", async () => (await node.ask("recovery")).need === 2);
	}
});

step("a device is removed, and what it wrote too late can be taken over", async () => {
	const tim = await startNode();
	try {
		await pair(anke, tim, { second: "Tim Nowak", secondDevice: "Laptop Tim" });
		await until("all know Tim", async () => (await jonas.ask("people")).people.length === 4);
		await tim.ask("post", { channel: "", text: "Noch rechtzeitig.", replyTo: "", nonce: "t1" });
		for (const node of [anke, jonas]) {
			await until("it is here", async () => (await texts(node)).includes("Noch rechtzeitig."));
		}
		// Anke hears nothing of what Tim writes now, and removes him.
		await anke.pause();
		await tim.ask("post", { channel: "", text: "Das kam später.", replyTo: "", nonce: "t2" });
		await until("Jonas has it", async () => (await texts(jonas)).includes("Das kam später."));
		await Promise.all([tim.pause(), jonas.pause(), emre.pause()]);
		await anke.resume();
		await again(a, anke);
		await people(a);
		await menu(a, "Tim Nowak", "Entfernen");
		await dialog(a).getByText("Was dort schon liegt, bleibt dort.").waitFor();
		await looks(a, "13-entfernen");
		await dialog(a).getByRole("button", { name: "Tim Nowak entfernen" }).click();
		await dialog(a).getByText("Tim Nowak ist entfernt").waitFor();
		await looks(a, "13-entfernt");
		await dialog(a).getByRole("button", { name: "Schließen" }).click();
		await a.locator("summary", { hasText: "Entfernt" }).click();
		await a.getByText("Laptop Tim, entfernt").waitFor();
		await Promise.all([jonas.resume(), emre.resume()]);
		await Promise.all([again(j, jonas), again(e, emre)]);
	} finally {
		await tim.stop();
	}
	await a
		.getByRole("link", { name: /späte[r]? Ein/ })
		.first()
		.click();
	await a.getByText("Das kam später.").waitFor();
	await until("Jonas no longer shows it", async () => !(await texts(jonas)).includes("Das kam später."));
	assert.ok((await texts(anke)).includes("Noch rechtzeitig."));
	await looks(a, "13-spaet");
	await a.getByRole("button", { name: "Übernehmen" }).click();
	await a.getByText("Übernommen: Laptop Tim").waitFor();
	for (const node of [anke, jonas]) {
		await until("it is shown", async () => (await texts(node)).includes("Das kam später."));
	}
});

step("everyone can read who changed what", async () => {
	await people(e);
	await e.getByRole("link", { name: "Verlauf" }).click();
	await e.getByRole("list", { name: "Wer hat was geändert" }).getByText("Tim Nowak").first().waitFor();
	await looks(e, "13-verlauf");
	await e.getByRole("link", { name: /^Geräte/ }).click();
	await e.getByText("von Jonas Wolf").waitFor();
	await looks(e, "13-geraete");
});

step("the state of the device", async () => {
	await a.getByRole("button", { name: "Einstellungen" }).first().click();
	await a.getByRole("button", { name: "Zustand dieses Geräts" }).click();
	await a.getByText("Die Datenbank ist in Ordnung.").waitFor();
	await looks(a, "13-zustand");
	await dialog(a).getByRole("button", { name: "Schließen" }).click();
});

step("the owner's computer is lost: one deputy and the sheet make a new owner", async () => {
	for (const page of [a, j, e]) quiet(page);
	const began = Date.now();
	await anke.destroy();
	anke = undefined;
	await people(j);
	await j.getByRole("link", { name: "Jemand oder etwas ist weg" }).click();
	await j.getByRole("button", { name: "Vorschlagen" }).click();
	await j.getByText("Bitte wählen Sie aus, was gelten soll.").waitFor();
	await j.getByLabel(/PC Empfang/).check();
	await j.getByLabel("Wer wird Inhaber/in?").selectOption({ label: "Jonas Wolf (Sie)" });
	await looks(j, "14-weg");
	await j.getByRole("button", { name: "Vorschlagen" }).click();
	await j.getByText("Der Vorschlag ist gemacht").waitFor();
	await j.getByText("Jonas Wolf wird Inhaber/in.").waitFor();
	await j.getByText("Es fehlt noch 1 Zustimmung.").waitFor();
	await looks(j, "14-vorschlag");

	// The other deputy is asked, too.
	await e.getByRole("link", { name: /Menschen.*1 Vorschlag wartet auf Sie/ }).waitFor();
	await go(e, "Lage");
	await e.getByText("Ein Vorschlag wartet auf Ihre Zustimmung.").first().waitFor();
	await looks(e, "14-gefragt");

	await j.getByRole("button", { name: "Mit dem Blatt zustimmen" }).click();
	const field = j.getByLabel("Die 24 Wörter vom Blatt");
	await field.fill(["Quatschwort", ...words.slice(1)].join(" "));
	await j.getByRole("button", { name: "Mit dem Blatt zustimmen" }).click();
	await j.getByText("Das 1. Wort, „Quatschwort“, steht auf keinem Blatt.", { exact: false }).waitFor();
	await looks(j, "14-blatt-falsch");
	await field.fill(words.map((word, i) => `${i + 1}. ${word.toUpperCase()},\n`).join(""));
	await j.getByText("24 von 24 Wörtern").waitFor();
	await j.getByRole("button", { name: "Mit dem Blatt zustimmen" }).click();
	await j.getByText("Es gilt ab jetzt.").waitFor();
	assert.ok(Date.now() - began < 5 * 60_000, "in under five minutes");
	await looks(j, "14-gilt");
	await people(j);
	await row(j, "Jonas Wolf").getByText("Inhaber/in").waitFor();
	assert.equal(await row(j, "Anke Petersen").getByText("Inhaber/in").count(), 0);
	await looks(j, "14-neu");
	await until("Emre knows", async () => {
		const all = (await emre.ask("people")).people;
		return all.find((p) => p.name === "Jonas Wolf").role === "owner" && all.length === 2;
	});
	quiet(e);
	quiet(j);
});
