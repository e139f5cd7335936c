// What the page says about the program on this computer.
export const desktop = {
	title: "Dieser PC",
	autostart: "Beim Anmelden starten",
	autostartWhy: "Ohne Fenster, damit nichts fehlt, wenn Sie es brauchen.",
	stay: "Weiterlaufen, wenn das Fenster zu ist",
	stayWhy: "Nachrichten und Dateien kommen weiter an.",
	notify: "Mitteilungen",
	notifies: {
		all: "Alle Nachrichten",
		mentions: "Erwähnungen und direkte",
		direct: "Nur direkte",
		none: "Keine",
	},
	text: "Text der Nachricht zeigen",
	textWhy: "Aus: Die Mitteilung sagt nur, wer schreibt.",
	noNotifier: "Dieser PC zeigt keine Mitteilungen von Programmen an.",
	quit: "Inselnetz beenden",
	quitWhy: "Bis zum nächsten Start kommt auf diesem PC nichts mehr an.",
	close: "Schließen",
	tooLarge: "Diese Datei ist zu groß, um so in das Fenster zu kommen.",
	tooLargeNext: "Legen Sie sie in den gemeinsamen Ordner, oder wählen Sie „Hinzufügen“.",
};
export type DesktopWords = typeof desktop;
