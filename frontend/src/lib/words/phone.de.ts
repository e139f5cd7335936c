// What the page says in German about the page for phones.

export const phone = {
	phone: {
		title: "Handy verbinden",
		lead: "Dieses Gerät kann seine Seite auch im Browser von Handys und Tablets zeigen, die im selben Netz sind. Ohne Internet, ohne App.",
		on: "Seite für Handys zeigen",
		onWhy: (device: string) =>
			`„${device}“ nimmt dann verschlüsselte Verbindungen aus dem eigenen Netz an. Hinein kommt nur, wer hier verbunden wurde.`,
		turnOn: "Einschalten",
		turnOff: "Ausschalten",
		isOn: "Eingeschaltet",
		isOff: "Ausgeschaltet",
		starting: "Wird gestartet …",
		fixed: "So beim Start des Programms festgelegt (--https).",

		pair: "Ein Handy verbinden",
		pairWhy:
			"Mit der Kamera des Handys scannen. Der Code gilt fünf Minuten und für ein Gerät. Wer ihn scannt, liest und schreibt danach in Ihrem Namen: Zeigen Sie ihn nur Ihrem eigenen Handy.",
		pairGo: "Code zeigen",
		pairAgain: "Neuen Code zeigen",
		pairHide: "Code schließen",
		qr: "QR-Code zum Verbinden",
		byHand: "Ohne Kamera: diese Adresse im Browser des Handys öffnen und den Code eingeben.",
		code: "Code",
		holds: "Der Code gilt noch",
		warns:
			"Beim ersten Mal warnt der Browser, weil er den Aussteller des Zertifikats nicht kennt. Fortfahren oder einmal vertrauen: siehe unten.",
		came: (name: string) => `„${name}“ ist verbunden.`,
		cameWhy: "War das nicht Ihr Gerät? Dann trennen Sie es sofort.",

		list: "Verbundene Browser",
		none: "Noch keiner.",
		used: (when: string, addr: string) => `zuletzt ${when}${addr ? `, von ${addr}` : ""}`,
		cut: "Trennen",
		cutOne: (name: string) => `${name} trennen`,
		listWhy:
			"Wer ein Handy verliert, trennt es hier. Was 90 Tage nicht benutzt wird, trennt sich von selbst.",

		trust: "Warum warnt der Browser?",
		trustWhy:
			"Öffentliche Zertifikate gibt es nur für Namen im Internet. Dieses Gerät stellt sich deshalb selbst eines aus. Sie müssen ihm nicht vertrauen: Dann warnt der Browser, und Sie vergleichen den Fingerabdruck und fahren fort. Oder Sie installieren den Aussteller einmal auf dem Handy; dann warnt nichts mehr.",
		can: "Was es heißt, ihm zu vertrauen",
		canWhy:
			"Der Aussteller kann nur für die Namen und privaten Adressen hier unten bürgen. Für Ihre Bank oder irgendeine Seite im Internet kann er nichts ausstellen, auch nicht, wenn jemand seinen Schlüssel stiehlt. Der Schlüssel verlässt dieses Gerät nie. Entfernen lässt er sich jederzeit.",
		welcome: "Zum Installieren öffnet das Handy",
		seen: "Fingerabdruck, den der Browser bei der Warnung zeigt (SHA-256)",
		issuer: "Fingerabdruck des Ausstellers (SHA-256)",
		issuer1: "Derselbe, wie Windows ihn zeigt (SHA-1)",
		only: "Nur für",
		until: "Gültig bis",
		download: "Zertifikat laden",
		how: "So vertraut ein Gerät dem Aussteller",
		undo: "Wieder entfernen: ",
		lacks: (names: string) =>
			`Dieses Gerät heißt inzwischen auch ${names}. Dafür bräuchte es einen neuen Aussteller.`,
		renew: "Neuen Aussteller anlegen",
		renewAsk: "Neuen Aussteller anlegen?",
		renewWhy:
			"Alle verbundenen Browser werden getrennt und müssen neu verbunden werden. Wer den alten Aussteller installiert hat, installiert den neuen.",

		company: "Zertifikat der Firma",
		companyWhy:
			"Hat Ihre Firma einen Namen für dieses Gerät und ein Zertifikat dafür, nehmen Sie das. Browser warnen dann nicht.",
		companyNow: (names: string, until: string) => `Für ${names}, gültig bis ${until}.`,
		companyOver: "Es gilt nicht mehr. Bis Sie ein neues bringen, springt das eigene ein.",
		chain: "Zertifikat mit Kette (PEM)",
		key: "Privater Schlüssel (PEM)",
		keyHint: "Er wird geprüft und versiegelt abgelegt. Steht er in derselben Datei, bleibt das Feld leer.",
		companyGo: "Übernehmen",
		companyDrop: "Entfernen",
		choose: "Datei wählen",

		claim: "Dieses Gerät verbinden",
		claimLead:
			"Hier läuft Inselnetz. Wählen Sie am Computer in den Einstellungen „Handy verbinden“; dort steht ein Code.",
		claimFound: "Hier läuft Inselnetz. Geben Sie diesem Gerät einen Namen, dann ist es verbunden.",
		codeHint: "Zehn Zeichen, zum Beispiel K7Q2M-9XWTE.",
		name: "Wie heißt dieses Gerät?",
		nameHint: "Zum Beispiel „Annas iPhone“. Daran erkennen Sie es am Computer.",
		claimGo: "Verbinden",
		done: "Verbunden",
		doneWhy: (person: string, device: string) =>
			`Sie lesen und schreiben hier als ${person}, über das Gerät „${device}“. Es geht nur, solange dieses Gerät läuft und Sie im selben Netz sind.`,
		doneLimits:
			"Menschen einladen oder entfernen, Rechte ändern und wiederherstellen geht nur am Computer selbst.",
		doneGo: "Los",
		as: (person: string, device: string) => `Sie schreiben als ${person} über „${device}“.`,
		leave: "Dieses Gerät trennen",
		leaveAsk: "Dieses Gerät trennen?",
		leaveWhy: "Danach braucht es hier einen neuen Code vom Computer.",
	},
};
