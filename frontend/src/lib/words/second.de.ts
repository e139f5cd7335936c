// What the page says about a second office, and about connections paid by volume.

export const second = {
	second: {
		title: "Zweites Büro",
		open: "Zweites Büro",
		enter: "Adresse eintragen",
		intro:
			"Zwei Büros verbinden sich über das Internet, wenn ein Gerät in einem der beiden von außen zu erreichen ist.",
		without: "Im eigenen Büro braucht es das nicht: Dort läuft alles auch ohne Internet.",
		router: "Was am Router zu tun ist",
		step1: "Öffnen Sie die Seite Ihres Routers und dort „Portfreigabe“, manchmal „Portweiterleitung“.",
		step2: (port: number, device: string, addresses: string) =>
			`Leiten Sie Port ${port}, TCP und UDP, an dieses Gerät weiter: ${device}${addresses ? `, ${addresses}` : ""}.`,
		step3:
			"Tragen Sie hier ein, wie Ihr Router im Internet heißt: ein Name wie buero.example.de oder eine feste Adresse.",
		either: "Es genügt, wenn eines der beiden Büros das tut. Das Gerät sollte immer an sein.",
		own: "Dieses Gerät von außen",
		ownField: "Adresse von außen",
		ownHint: (port: number) =>
			`Ohne Angabe gilt Port ${port || 21960}. Die anderen Geräte erfahren sie von selbst.`,
		ownNone: "Noch keine Adresse. Andere Büros erreichen dieses Gerät nicht von sich aus.",
		other: "Geräte im anderen Büro",
		otherField: "Adresse des Geräts",
		otherHint: "Sie steht dort unter „Dieses Gerät von außen“.",
		device: "Gerät",
		choose: "Bitte wählen",
		chooseFirst: "Wählen Sie zuerst ein Gerät.",
		otherNone: "Noch keine Adresse eines anderen Geräts.",
		alone: "Noch ist kein anderes Gerät dabei",
		aloneWhy:
			"Tragen Sie oben die Adresse ein und laden Sie das andere Büro dann per Link ein: Der Link führt dorthin.",
		go: "Eintragen",
		drop: (address: string) => `${address} wegnehmen`,
		typed: "hier eingetragen",
		told: "von dort mitgeteilt",
		connected: (way: string) => `verbunden über ${way}`,
		direct: "direkter Weg",
		notYet: "nicht verbunden",
		ms: (ms: number) => `${ms} ms`,
		why: (name: string) => `Warum nicht da? ${name}`,
	},
	metered: {
		waits: (n: number, size: string) =>
			n === 1 ? `Eine große Datei wartet (${size}).` : `${n} große Dateien warten (${size}).`,
		why: (size: string) =>
			`Diese Verbindung wird nach Menge bezahlt. Dateien über ${size} lädt Inselnetz dann nur, wenn Sie es sagen. Nachrichten und Dokumente kommen weiter.`,
		now: "Jetzt laden",
		always: "Hier immer laden",
		title: "Verbindung nach Menge bezahlt",
		auto: "Automatisch",
		yes: "Ja",
		no: "Nein",
		says: {
			yes: "Der Computer sagt: Diese Verbindung wird nach Menge bezahlt.",
			no: "Der Computer sagt: Diese Verbindung kostet nicht nach Menge.",
			unknown: "Der Computer sagt es nicht. Im Zweifel wird alles geladen.",
		} as Record<string, string>,
		means: (size: string) => `Bei „Ja“ warten Dateien über ${size}, bis Sie sie laden.`,
	},
};
