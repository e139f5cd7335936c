// What the page says in German. Sentences about errors, delivery and notices
// are not here: Go words them.

import { access } from "./access.de";
import { desktop } from "./desktop.de";
import { documents } from "./documents.de";
import { editor } from "./editor.de";
import { files } from "./files.de";
import { help } from "./help.de";
import { home } from "./home.de";
import { map } from "./map.de";
import { past } from "./past.de";
import { phone } from "./phone.de";
import { second } from "./second.de";
import { stick } from "./stick.de";
import { why } from "./why.de";

const many = (n: number, one: string, more: string) => `${n} ${n === 1 ? one : more}`;

export const de = {
	...access,
	desktop,
	...documents,
	...editor,
	...files,
	...help,
	...home,
	...map,
	...past,
	...phone,
	...second,
	...stick,
	...why,
	name: "Deutsch",
	short: "DE",
	language: "Sprache",

	start: {
		title: "Willkommen bei Inselnetz",
		lead: "Kein Konto, kein Server, keine Anmeldung im Internet.",
		say: "Chat, Dokumente und Dateien für Ihr Büro. Es läuft auf Ihren Geräten – auch wenn das Internet weg ist.",
		nearby: "In Ihrem Netz gefunden",
		door: (name: string) => `Bei „${name}“ beitreten`,
		doorWhy: "Derselbe Name steht auf dem Bildschirm der Person, die Sie einlädt.",
		noDoor: "Noch keine Einladung gefunden",
		noDoorWhy:
			"Jemand im Büro öffnet Inselnetz und wählt „Menschen“, dann „Einladen“. Die Einladung erscheint dann hier. Beide Computer müssen im selben Netz sein.",
		looking: "Wird laufend gesucht",
		or: "Oder",
		found: "Neues Büro gründen",
		foundWhy: "In zwei Minuten fertig. Weitere Menschen laden Sie danach ein.",
	},
	back: "Zurück",
	close: "Schließen",
	cancel: "Abbrechen",
	more: "Mehr",
	step: (n: number, of: number) => `Schritt ${n} von ${of}`,

	found: {
		title: "Neues Büro gründen",
		lead: "Auf diesem Computer beginnt Ihr Büro. Andere holen Sie gleich danach dazu.",
		office: "Wie heißt Ihr Büro?",
		officeHint: "So sehen es alle, zum Beispiel „Fahrschule Nord“.",
		person: "Wie heißen Sie?",
		personHint: "Vor- und Nachname, wie auf der Türklingel.",
		device: "Wie heißt dieser Computer?",
		deviceHint: "Zum Beispiel „PC Empfang“. Daran erkennen andere dieses Gerät.",
		go: "Büro gründen",
		busy: "Wird gegründet …",
	},

	join: {
		title: "Beitreten",
		lead: (door: string) => `Sie treten bei „${door}“ bei. Wer Sie einlädt, sieht gleich diese Angaben.`,
		go: "Beitreten",
		connecting: "Verbindung wird aufgebaut",
		connectingWhy: "Das dauert nur wenige Sekunden.",
		number: "Ihre Nummer",
		numberLead: (door: string) =>
			door
				? `Nennen Sie diese Nummer der Person, die bei „${door}“ sitzt. Sie tippt sie dort ein.`
				: "Nennen Sie diese Nummer der Person, die Sie einlädt. Sie tippt sie dort ein.",
		numberSay: (digits: string) => `Nummer: ${digits}`,
		thisDevice: "Danach sehen Sie beide dieselben drei Wörter. Erst dann ist dieser Computer dabei.",
		words: "Sehen Sie beide dieselben Wörter?",
		wordsLead: (office: string) =>
			office
				? `Vergleichen Sie mit dem anderen Bildschirm. Sind sie gleich, gehört dieser Computer zu „${office}“.`
				: "Vergleichen Sie mit dem anderen Bildschirm.",
		same: "Ja, dieselben Wörter",
		different: "Nein",
		done: (office: string) => `Sie sind dabei: ${office}`,
		doneLead: "Frühere Nachrichten kommen jetzt nach und nach an.",
		doneGo: "Los geht’s",
		failed: "Das hat nicht geklappt",
		again: "Neu beginnen",
		waiting: "Wartet auf die Eingabe",
	},
	left: (ms: number) => {
		const s = Math.max(0, Math.ceil(ms / 1000));
		return s > 90 ? `noch ${Math.round(s / 60)} min` : `noch ${s} s`;
	},
	expired: "abgelaufen",

	nav: {
		skip: "Zum Inhalt springen",
		label: "Bereiche",
		home: "Lage",
		chat: "Chat",
		documents: "Dokumente",
		files: "Dateien",
		people: "Menschen",
	},
	unread: (n: number) => many(n, "neue Nachricht", "neue Nachrichten"),

	conn: {
		runs: "Büro-Netz läuft:",
		count: (here: number, of: number) => `${here} von ${of} Geräten da`,
		alone: "Büro-Netz: nur dieses Gerät ist da",
		single: "Nur dieses Gerät gehört zum Büro",
		cut: "Das Programm antwortet nicht",
		cutWhy:
			"Inselnetz auf diesem Computer ist beendet oder startet gerade neu. Diese Seite verbindet sich von allein wieder. Ihr Text bleibt stehen.",
		offline: "Das Programm auf diesem Computer antwortet nicht.",
		offlineNext: "Bitte warten Sie kurz oder starten Sie Inselnetz neu.",
	},

	gone: {
		title: "Diese Seite gehört zu einem anderen Start",
		lead: "Inselnetz wurde neu gestartet, oder diese Seite wurde ohne ihren Schlüssel geöffnet.",
		how: "So geht es weiter",
		open: "Öffnen Sie Inselnetz neu, oder geben Sie im Terminal diesen Befehl ein:",
		after: "Er zeigt eine frische Adresse. Öffnen Sie diese im Browser.",
		retry: "Noch einmal versuchen",
	},

	presence: { here: "da", away: "nicht da", unknown: "unbekannt", never: "noch nicht gesehen" },
	you: "Sie",

	people: {
		title: "Menschen und Geräte",
		titleShort: "Menschen",
		count: (people: number, devices: number) =>
			`${many(people, "Mensch", "Menschen")}, ${many(devices, "Gerät", "Geräte")}.`,
		invite: "Einladen",
		noInvite: "Einladen können nur Menschen, die dieses Büro verwalten.",
		thisDevice: "dieses Gerät",
		hereNow: "da",
		lastSeen: (when: string) => `zuletzt ${when}`,
		away: "nicht da",
		unknownSince: (when: string) => `unbekannt seit ${when}`,
		unknown: "unbekannt",
		never: "von hier aus noch nicht gesehen",
		latency: (ms: number) => (ms < 1000 ? `${ms} ms` : `${(ms / 1000).toFixed(1).replace(".", ",")} s`),
		alone: "Noch ist niemand sonst hier",
		aloneWhy: "Laden Sie jetzt die zweite Person ein. Ihr Computer muss im selben Netz sein.",
	},

	invite: {
		title: "Gerät dazuholen",
		lead: "Ein neuer Computer zeigt eine Nummer. Sie tippen sie hier ein.",
		role: "Was darf die neue Person?",
		open: "Einladung öffnen",
		look: "Am neuen Computer Inselnetz öffnen und diesen Namen wählen:",
		address: (address: string) => `Erscheint er dort nicht: „Link oder Adresse eingeben“ und ${address}`,
		nobody: "Wartet auf einen neuen Computer",
		waits: (person: string, device: string) =>
			device ? `${person} an „${device}“ wartet` : `${person} wartet`,
		digits: "Nummer vom neuen Bildschirm",
		digit: (n: number) => `Ziffer ${n}`,
		paste: "Einfügen geht auch.",
		tries: (n: number) => (n === 1 ? "Noch 1 Versuch." : `Noch ${n} Versuche.`),
		let: "Hereinlassen",
		checking: "Wird geprüft …",
		missing: (n: number) => (n === 0 ? "" : n === 1 ? "Noch eine Ziffer" : `Noch ${n} Ziffern`),
		wait: "Sobald ein Computer wartet, tippen Sie hier seine Nummer ein.",
		words: "Stehen dort dieselben Wörter?",
		wordsWhy: (person: string) =>
			`${person || "Die neue Person"} vergleicht diese drei Wörter auf dem eigenen Bildschirm und bestätigt sie dort.`,
		joined: (person: string) => `Die Nummer stimmt. ${person} ist eingelassen`,
		joinedWhy: "Die Einladung ist damit zu.",
		closed: "Die Einladung ist zu",
		again: "Neue Einladung",
		close: "Einladung schließen",
		ready: "Fertig",
	},

	chat: {
		title: "Chat",
		all: "Alle",
		channels: "Kanäle",
		create: "Neuer Kanal",
		createWhy: "Alle im Büro sehen den Kanal.",
		createName: "Name des Kanals",
		createHint: "Zum Beispiel „Empfang“ oder „Termine“.",
		createGo: "Kanal anlegen",
		peopleHere: (people: number, here: number) => `${many(people, "Mensch", "Menschen")}, ${here} da`,
		backToList: "Zurück zu allen Kanälen",
		searchHere: "In diesem Kanal suchen",
		empty: "Noch keine Nachrichten",
		emptyWhy: "Schreiben Sie die erste.",
		none: "Dieser Kanal ist hier noch nicht angekommen.",
		list: (name: string) => `Nachrichten in ${name}`,
		listHelp: "Mit den Pfeiltasten von Nachricht zu Nachricht.",
		today: "Heute",
		yesterday: "Gestern",
		fresh: "Neu",
		start: "Hier beginnt der Kanal.",
		toNewest: "Zur neuesten",
		edited: "bearbeitet",
		editedAt: (time: string) => `bearbeitet ${time}`,
		retracted: "Zurückgezogen",
		retractedOwn: "Sie haben diese Nachricht zurückgezogen.",
		retractedBy: (name: string) => `${name} hat diese Nachricht zurückgezogen.`,
		textBack: "Text zurück ins Schreibfeld",
		clockOff: "Die Uhr dieses Geräts ging falsch.",
		readBy: (names: string) => `gelesen von ${names}`,
		readByMore: (name: string, n: number) => `gelesen von ${name} und ${n} weiteren`,
		replies: (n: number) => many(n, "Antwort", "Antworten"),
		reply: "Antworten",
		replyTo: (name: string) => `Antwort an ${name}`,
		repliesTitle: "Antworten",
		repliesNone: "Noch keine Antworten.",
		react: "Reagieren",
		edit: "Bearbeiten",
		editing: "Sie bearbeiten Ihre Nachricht",
		save: "Speichern",
		retract: "Zurückziehen",
		retractAsk: "Nachricht zurückziehen?",
		retractWhy:
			"Der Text verschwindet auf allen Geräten, sobald sie es erfahren. Wer ihn schon gelesen hat, kennt ihn. Sie können ihn danach wieder ins Schreibfeld holen.",
		copy: "Text kopieren",
		jump: "Zur Nachricht springen",
		quoteMissing: "Diese Nachricht ist hier noch nicht angekommen.",
		own: "Sie",
		ownSaid: (time: string) => `Sie, ${time}`,
		said: (name: string, time: string) => `${name}, ${time}`,
		compose: "Nachricht schreiben",
		send: "Senden",
		enter: "Eingabetaste sendet, Umschalt und Eingabe macht eine neue Zeile.",
		mention: "Person erwähnen",
		notSent: "Nicht gesendet.",
		draftKept: "Ihr Text bleibt stehen.",
		announce: (name: string, text: string) => `${name}: ${text}`,
		reactionBy: (word: string, n: number, names: string) => `${word} ${n}: ${names}`,
		actions: "Aktionen zur Nachricht",
		who: "Wer ist da",
	},
	words: {
		agree: "Einverstanden",
		thanks: "Danke",
		done: "Erledigt",
		seen: "Gesehen",
		question: "Frage",
		no: "Nein",
	} as Record<string, string>,

	search: {
		open: "Suchen",
		title: "Nachrichten suchen",
		field: "Suchwort",
		keys: "Strg K",
		everywhere: "Überall",
		here: (channel: string) => `Nur in ${channel}`,
		none: (text: string) => `Nichts gefunden für „${text}“.`,
		noneWhy: "Prüfen Sie die Schreibweise, oder suchen Sie nach einem anderen Wort.",
		hint: "Findet Wörter in allen Nachrichten auf diesem Gerät.",
		hits: (n: number, more: boolean) => (more ? `Mehr als ${n} Treffer` : many(n, "Treffer", "Treffer")),
		more: "Ältere Treffer",
		inChannel: (channel: string) => `in ${channel}`,
	},

	settings: {
		title: "Einstellungen",
		theme: "Aussehen",
		themes: { system: "Automatisch", light: "Hell", dark: "Dunkel" },
		contrast: "Kontrast",
		contrasts: { system: "Automatisch", more: "Stark" },
		device: "Dieses Gerät",
		about: (version: string) => `Inselnetz ${version}`,
	},

	account: (name: string) => `Ihr Konto: ${name}`,
	ago: {
		now: "gerade eben",
		min: (n: number) => `vor ${n} min`,
		hours: (n: number) => `vor ${n} Std.`,
		days: (n: number) => (n === 1 ? "vor 1 Tag" : `vor ${n} Tagen`),
	},
};

export type Words = typeof de;
