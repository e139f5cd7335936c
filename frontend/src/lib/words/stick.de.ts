// What the page says about devices without a network, and invitations as a file.

const many = (n: number, shown: string, one: string, more: string) => `${shown} ${n === 1 ? one : more}`;

export const stick = {
	stick: {
		open: "Ohne Netz: USB-Stick",
		title: "Austausch mit einem USB-Stick",
		intro:
			"Für zwei Geräte, zwischen denen kein Netz ist: Speichern Sie hier eine Datei, tragen Sie sie hinüber und lesen Sie sie dort ein. Zurück genauso.",
		take: "Mitnehmen",
		for: "Für welches Gerät?",
		all: "Alle anderen Geräte",
		of: (device: string, person: string) => `${device}, ${person}`,
		whole: "Alles von Anfang an",
		wholeWhy: "Größer. Nötig, wenn drüben etwas fehlt oder zurückgesetzt wurde.",
		holds: (amount: string) => `Die Datei enthält: ${amount}.`,
		nothing: "Drüben fehlt nichts, soweit hier bekannt.",
		counting: "Wird gezählt …",
		without: "Was in den Dateien der Ordner steht, ist nicht dabei, nur welche es gibt.",
		safe: "Nur Geräte dieses Büros können sie öffnen.",
		save: "Datei speichern",
		saving: "Die Datei wird geschrieben.",
		saved: "Die Datei ist geschrieben.",
		savedNext: "Ziehen Sie den Stick erst heraus, wenn der Computer ihn freigegeben hat.",
		notSaved: "Die Datei wurde nicht fertig.",
		notSavedNext: "Es ist keine brauchbare Datei entstanden. Versuchen Sie es noch einmal.",
		bring: "Mitgebracht",
		bringWhy: "Wählen Sie die Datei vom Stick. Was schon da ist, kommt nicht doppelt.",
		choose: "Datei wählen",
		orDrop: "oder hierher ziehen",
		reading: "Die Datei wird eingelesen.",
		progress: (done: string, all: string) => `${done} von ${all} Einträgen`,
		stop: "Abbrechen",
		came: (amount: string) => `Neu: ${amount}`,
		cameNone: "Es war nichts Neues dabei.",
		known: (n: number, shown: string) => `${many(n, shown, "Eintrag war", "Einträge waren")} schon da.`,
		by: (person: string, device: string, when: string) => `Gemacht von ${person} (${device}), ${when}.`,
		byNobody: (when: string) => `Gemacht ${when}.`,
		closed: (n: number) =>
			n === 1
				? "Ein Bereich darin ist nicht für dieses Gerät."
				: `${n} Bereiche darin sind nicht für dieses Gerät.`,
		refused: "Nicht genommen",
		messages: (n: number, shown: string) => many(n, shown, "Nachricht", "Nachrichten"),
		files: (n: number, shown: string) => many(n, shown, "Dateistand", "Dateistände"),
		documents: (n: number, shown: string) =>
			many(n, shown, "Änderung an Dokumenten", "Änderungen an Dokumenten"),
		entries: (n: number, shown: string, besides: boolean) =>
			besides
				? many(n, shown, "weiterer Eintrag", "weitere Einträge")
				: many(n, shown, "Eintrag", "Einträge"),
		invitation: "Als Datei speichern",
		invitationName: (office: string) => `Einladung ${office}.inselnetz`,
		openInvitation: "Einladung als Datei öffnen",
		noInvitation: "In dieser Datei ist keine Einladung.",
		noInvitationNext: "Eine Einladung heißt zum Beispiel „Einladung Kanzlei Sommer.inselnetz“.",
	},
};
