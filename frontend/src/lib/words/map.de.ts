// What the map of who is here says.

export const map = {
	map: {
		title: "Wer ist da",
		open: "Karte: wer ist da",
		of: "Karte der Geräte",
		keys: "Mit den Pfeiltasten von Gerät zu Gerät.",
		table: "Alle Geräte",
		device: "Gerät",
		way: "Weg",
		answer: "Antwort",
		state: "Stand",
		seen: "Zuletzt da",
		now: "jetzt",
		none: "–",
		member: "über ein anderes Gerät",
		direct: "direkt",
		internet: "über das Internet",
		apart: "gerade nicht da",
		known: "Was einem Gerät fehlt, das nicht da ist: soweit dieser Computer weiß.",
		gone: (when: string) => `seit ${when.replace("Gestern", "gestern")}`,
		check: "Verbindung prüfen",
		devices: "In der Liste der Geräte",
		close: "Schließen",
	},
	copying: {
		done: "Kopiert.",
		refused:
			"Ihr Browser lässt das Kopieren nicht zu. Markieren Sie den Text, und kopieren Sie ihn von Hand.",
	},
};
