import type { stick as german } from "./stick.de";

const many = (n: number, shown: string, one: string, more: string) => `${shown} ${n === 1 ? one : more}`;

export const stick: typeof german = {
	stick: {
		open: "Without a network: USB stick",
		title: "Exchange by USB stick",
		intro:
			"For two devices that have no network between them: save a file here, carry it over and import it there. The same way back.",
		take: "Take along",
		for: "For which device?",
		all: "All other devices",
		of: (device, person) => `${device}, ${person}`,
		whole: "Everything from the beginning",
		wholeWhy: "Larger. Needed when something is missing over there, or was set back.",
		holds: (amount) => `The file holds: ${amount}.`,
		nothing: "Nothing is missing over there, as far as is known here.",
		counting: "Counting …",
		without: "What the files in folders contain is not part of it, only which there are.",
		safe: "Only devices of this office can open it.",
		save: "Save file",
		saving: "The file is being written.",
		saved: "The file is written.",
		savedNext: "Pull out the stick only when the computer has released it.",
		notSaved: "The file was not finished.",
		notSavedNext: "No usable file came of it. Try once more.",
		bring: "Brought along",
		bringWhy: "Choose the file on the stick. What is here already does not come twice.",
		choose: "Choose file",
		orDrop: "or drop it here",
		reading: "The file is being imported.",
		progress: (done, all) => `${done} of ${all} entries`,
		stop: "Cancel",
		came: (amount) => `New: ${amount}`,
		cameNone: "There was nothing new in it.",
		known: (n, shown) => `${many(n, shown, "entry was", "entries were")} here already.`,
		by: (person, device, when) => `Made by ${person} (${device}), ${when}.`,
		byNobody: (when) => `Made ${when}.`,
		closed: (n) =>
			n === 1 ? "One space in it is not for this device." : `${n} spaces in it are not for this device.`,
		refused: "Not taken",
		messages: (n, shown) => many(n, shown, "message", "messages"),
		files: (n, shown) => many(n, shown, "version of a file", "versions of files"),
		documents: (n, shown) => many(n, shown, "change of documents", "changes of documents"),
		entries: (n, shown, besides) =>
			besides ? many(n, shown, "other entry", "other entries") : many(n, shown, "entry", "entries"),
		invitation: "Save as a file",
		invitationName: (office) => `Invitation ${office}.inselnetz`,
		openInvitation: "Open an invitation file",
		noInvitation: "There is no invitation in this file.",
		noInvitationNext: 'An invitation is called, for example, "Invitation Sommer Law.inselnetz".',
	},
};
