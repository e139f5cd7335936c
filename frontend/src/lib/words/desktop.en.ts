// What the page says about the program on this computer.
import type { DesktopWords } from "./desktop.de";

export const desktop: DesktopWords = {
	title: "This PC",
	autostart: "Start when you log in",
	autostartWhy: "Without a window, so that nothing is missing when you need it.",
	stay: "Keep running when the window is closed",
	stayWhy: "Messages and files keep arriving.",
	notify: "Notifications",
	notifies: {
		all: "All messages",
		mentions: "Mentions and direct ones",
		direct: "Direct ones only",
		none: "None",
	},
	text: "Show what the message says",
	textWhy: "Off: the notification only says who writes.",
	noNotifier: "This PC shows no notifications of programs.",
	quit: "Quit Inselnetz",
	quitWhy: "Until the next start nothing arrives on this PC.",
	close: "Close",
	tooLarge: "This file is too large to come into the window this way.",
	tooLargeNext: "Put it into the shared folder, or choose “Add”.",
};
