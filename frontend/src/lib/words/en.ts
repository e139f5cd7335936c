// What the page says in English. A word missing here is a type error.
import { access } from "./access.en";
import type { Words } from "./de";
import { desktop } from "./desktop.en";
import { documents } from "./documents.en";
import { editor } from "./editor.en";
import { files } from "./files.en";
import { help } from "./help.en";
import { home } from "./home.en";
import { map } from "./map.en";
import { past } from "./past.en";
import { phone } from "./phone.en";
import { second } from "./second.en";
import { stick } from "./stick.en";
import { why } from "./why.en";

const many = (n: number, one: string, more: string) => `${n} ${n === 1 ? one : more}`;

export const en: Words = {
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
	name: "English",
	short: "EN",
	language: "Language",

	start: {
		title: "Welcome to Inselnetz",
		lead: "No account, no server, no sign-up on the internet.",
		say: "Chat, documents and files for your office. It runs on your own devices – even when the internet is down.",
		nearby: "Found in your network",
		door: (name) => `Join at “${name}”`,
		doorWhy: "The same name is on the screen of the person who invites you.",
		noDoor: "No invitation found yet",
		noDoorWhy:
			"Someone in the office opens Inselnetz and chooses “People”, then “Invite”. The invitation then appears here. Both computers must be in the same network.",
		looking: "Searching all the time",
		or: "Or",
		found: "Start a new office",
		foundWhy: "Done in two minutes. You invite other people afterwards.",
	},
	back: "Back",
	close: "Close",
	cancel: "Cancel",
	more: "More",
	step: (n, of) => `Step ${n} of ${of}`,

	found: {
		title: "Start a new office",
		lead: "Your office begins on this computer. You bring in others right afterwards.",
		office: "What is your office called?",
		officeHint: "Everyone sees this name, for example “North Driving School”.",
		person: "What is your name?",
		personHint: "First and last name, as on your door.",
		device: "What is this computer called?",
		deviceHint: "For example “Reception PC”. Others recognise this device by it.",
		go: "Start the office",
		busy: "Starting …",
	},

	join: {
		title: "Join",
		lead: (door) => `You are joining at “${door}”. Whoever invites you is about to see this.`,
		go: "Join",
		connecting: "Connecting",
		connectingWhy: "This takes only a few seconds.",
		number: "Your number",
		numberLead: (door) =>
			door
				? `Tell this number to the person at “${door}”. They type it in there.`
				: "Tell this number to the person who invites you. They type it in there.",
		numberSay: (digits) => `Number: ${digits}`,
		thisDevice: "Then you both see the same three words. Only then does this computer belong.",
		words: "Do you both see the same words?",
		wordsLead: (office) =>
			office
				? `Compare with the other screen. If they are the same, this computer belongs to “${office}”.`
				: "Compare with the other screen.",
		same: "Yes, the same words",
		different: "No",
		done: (office) => `You are in: ${office}`,
		doneLead: "Earlier messages are arriving now, bit by bit.",
		doneGo: "Let’s go",
		failed: "That did not work",
		again: "Start again",
		waiting: "Waiting for the number to be typed",
	},
	left: (ms) => {
		const s = Math.max(0, Math.ceil(ms / 1000));
		return s > 90 ? `${Math.round(s / 60)} min left` : `${s} s left`;
	},
	expired: "expired",

	nav: {
		skip: "Skip to content",
		label: "Areas",
		home: "Overview",
		chat: "Chat",
		documents: "Documents",
		files: "Files",
		people: "People",
	},
	unread: (n) => many(n, "new message", "new messages"),

	conn: {
		runs: "Office network works:",
		count: (here, of) => `${here} of ${of} devices here`,
		alone: "Office network: only this device is here",
		single: "Only this device belongs to the office",
		cut: "The program does not answer",
		cutWhy:
			"Inselnetz on this computer has stopped or is starting again. This page reconnects by itself. Your text stays.",
		offline: "The program on this computer does not answer.",
		offlineNext: "Please wait a moment or start Inselnetz again.",
	},

	gone: {
		title: "This page belongs to another start",
		lead: "Inselnetz was started again, or this page was opened without its key.",
		how: "How to go on",
		open: "Open Inselnetz again, or type this command in a terminal:",
		after: "It shows a fresh address. Open that in the browser.",
		retry: "Try again",
	},

	presence: { here: "here", away: "not here", unknown: "unknown", never: "not seen yet" },
	you: "You",

	people: {
		title: "People and devices",
		titleShort: "People",
		count: (people, devices) => `${many(people, "person", "people")}, ${many(devices, "device", "devices")}.`,
		invite: "Invite",
		noInvite: "Only people who manage this office can invite.",
		thisDevice: "this device",
		hereNow: "here",
		lastSeen: (when) => `last seen ${when}`,
		away: "not here",
		unknownSince: (when) => `unknown since ${when}`,
		unknown: "unknown",
		never: "not seen from here yet",
		latency: (ms) => (ms < 1000 ? `${ms} ms` : `${(ms / 1000).toFixed(1)} s`),
		alone: "Nobody else is here yet",
		aloneWhy: "Invite the second person now. Their computer must be in the same network.",
	},

	invite: {
		title: "Add a device",
		lead: "A new computer shows a number. You type it in here.",
		role: "What may the new person do?",
		open: "Open the invitation",
		look: "Open Inselnetz on the new computer and choose this name:",
		address: (address) => `If it does not appear there: “Enter a link or an address” and ${address}`,
		nobody: "Waiting for a new computer",
		waits: (person, device) => (device ? `${person} at “${device}” is waiting` : `${person} is waiting`),
		digits: "Number on the new screen",
		digit: (n) => `Digit ${n}`,
		paste: "Pasting works, too.",
		tries: (n) => (n === 1 ? "1 try left." : `${n} tries left.`),
		let: "Let in",
		checking: "Checking …",
		missing: (n) => (n === 0 ? "" : n === 1 ? "One more digit" : `${n} more digits`),
		wait: "As soon as a computer is waiting, type its number here.",
		words: "Are the same words there?",
		wordsWhy: (person) =>
			`${person || "The new person"} compares these three words on their own screen and confirms them there.`,
		joined: (person) => `The number is right. ${person} is let in`,
		joinedWhy: "The invitation is closed with that.",
		closed: "The invitation is closed",
		again: "New invitation",
		close: "Close the invitation",
		ready: "Done",
	},

	chat: {
		title: "Chat",
		all: "Everyone",
		channels: "Channels",
		create: "New channel",
		createWhy: "Everyone in the office sees the channel.",
		createName: "Name of the channel",
		createHint: "For example “Reception” or “Dates”.",
		createGo: "Create channel",
		peopleHere: (people, here) => `${many(people, "person", "people")}, ${here} here`,
		backToList: "Back to all channels",
		searchHere: "Search in this channel",
		empty: "No messages yet",
		emptyWhy: "Write the first.",
		none: "This channel has not arrived here yet.",
		list: (name) => `Messages in ${name}`,
		listHelp: "Use the arrow keys to move from message to message.",
		today: "Today",
		yesterday: "Yesterday",
		fresh: "New",
		start: "The channel begins here.",
		toNewest: "To the newest",
		edited: "edited",
		editedAt: (time) => `edited ${time}`,
		retracted: "Taken back",
		retractedOwn: "You took this message back.",
		retractedBy: (name) => `${name} took this message back.`,
		textBack: "Put the text back into the field",
		clockOff: "The clock of this device was wrong.",
		readBy: (names) => `read by ${names}`,
		readByMore: (name, n) => `read by ${name} and ${n} more`,
		replies: (n) => many(n, "reply", "replies"),
		reply: "Reply",
		replyTo: (name) => `Reply to ${name}`,
		repliesTitle: "Replies",
		repliesNone: "No replies yet.",
		react: "React",
		edit: "Edit",
		editing: "You are editing your message",
		save: "Save",
		retract: "Take back",
		retractAsk: "Take this message back?",
		retractWhy:
			"The text disappears on all devices as soon as they hear of it. Whoever has read it knows it. You can put it back into the field afterwards.",
		copy: "Copy text",
		jump: "Jump to the message",
		quoteMissing: "This message has not arrived here yet.",
		own: "You",
		ownSaid: (time) => `You, ${time}`,
		said: (name, time) => `${name}, ${time}`,
		compose: "Write a message",
		send: "Send",
		enter: "Enter sends, Shift and Enter makes a new line.",
		mention: "Mention a person",
		notSent: "Not sent.",
		draftKept: "Your text stays.",
		announce: (name, text) => `${name}: ${text}`,
		reactionBy: (word, n, names) => `${word} ${n}: ${names}`,
		actions: "Actions for the message",
		who: "Who is here",
	},
	words: { agree: "Agreed", thanks: "Thanks", done: "Done", seen: "Seen", question: "Question", no: "No" },

	search: {
		open: "Search",
		title: "Search messages",
		field: "Word to search for",
		keys: "Ctrl K",
		everywhere: "Everywhere",
		here: (channel) => `Only in ${channel}`,
		none: (text) => `Nothing found for “${text}”.`,
		noneWhy: "Check the spelling, or search for another word.",
		hint: "Finds words in all messages on this device.",
		hits: (n, more) => (more ? `More than ${n} hits` : many(n, "hit", "hits")),
		more: "Older hits",
		inChannel: (channel) => `in ${channel}`,
	},

	settings: {
		title: "Settings",
		theme: "Appearance",
		themes: { system: "Automatic", light: "Light", dark: "Dark" },
		contrast: "Contrast",
		contrasts: { system: "Automatic", more: "Strong" },
		device: "This device",
		about: (version) => `Inselnetz ${version}`,
	},

	account: (name) => `Your account: ${name}`,
	ago: {
		now: "just now",
		min: (n) => `${n} min ago`,
		hours: (n) => `${n} h ago`,
		days: (n) => (n === 1 ? "1 day ago" : `${n} days ago`),
	},
};
