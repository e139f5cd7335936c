// What the page says about why a device is not here, and how one is reached.

export const why = {
	why: {
		open: "Warum nicht da?",
		openFor: (name: string) => `Warum nicht da? ${name}`,
		network: "Netz prüfen",
		title: "Wie das Netz ist",
		titleFor: (name: string) => `Warum ist ${name} nicht da?`,
		titleHere: (name: string) => `Verbindung zu ${name}`,
		toDevices: "Zu den Geräten",
		looking: "Wird geprüft. Das dauert bis zu 15 Sekunden …",
		again: "Noch einmal prüfen",
		looked: "Was sonst geprüft wurde",
		others: "Was noch auffällt",
		copy: "Text für die Hilfe kopieren",
		copyWhy: "Der Text für die Hilfe nennt Geräte und Adressen dieses Netzes, sonst nichts aus dem Büro.",
		show: "Text ansehen",
		checked: (time: string) => `Geprüft um ${time}.`,
		level: {
			ok: "in Ordnung",
			info: "Hinweis",
			unknown: "nicht geprüft",
			warn: "Bitte ansehen",
			danger: "Bitte handeln",
		} as Record<string, string>,
	},
	reach: {
		unknown: "direkt verbunden",
		way: {
			inside: "direkt, auf demselben Computer",
			near: "direkt über Kabel oder WLAN",
			routed: "direkt, über ein anderes Netz",
			internet: "direkt, über das Internet",
		} as Record<string, string>,
		via: (name: string, more: number) =>
			more === 0
				? `über ${name}`
				: `über ${name} und ${more === 1 ? "ein weiteres Gerät" : `${more} weitere Geräte`}`,
		quick: (ms: number) => `antwortet sofort (${ms}\u00a0ms)`,
		fair: (ms: number) => `antwortet zügig (${ms}\u00a0ms)`,
		slow: (ms: number) => `antwortet langsam (${ms}\u00a0ms)`,
	},
};
