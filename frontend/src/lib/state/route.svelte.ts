// Which page is shown: #/home, #/chat, #/chat/CHANNEL, #/chat/CHANNEL/at/POS,
// #/people, #/people/devices, #/people/map, #/people/log, #/people/late, #/people/invite,
// #/people/invite/PERSON, #/people/why, #/people/why/DEVICE, #/people/second,
// #/people/second/DEVICE, #/people/stick, #/recovery, #/recovery/lost, #/recovery/name,
// #/recovery/sheet, #/kit, #/files, #/files/SPACE/DIR, #/files/SPACE/DIR/show/NAME,
// #/files/SPACE//trash, #/files/SPACE//conflicts; the last two with /show/PATH too.
// #/documents, #/documents/archive, #/documents/ID, #/documents/ID/history,
// #/documents/ID/comments, #/documents/ID/at/POSITION,
// #/help, #/help/CHAPTER, #/help/CHAPTER/SECTION.
// DIR and PATH are one part each: their slashes are escaped.

import { base, join, parent } from "../paths";

const pages = ["home", "chat", "people", "recovery", "kit", "files", "documents", "help", "phone"] as const;

export interface Route {
	page: (typeof pages)[number];
	channel: string;
	at: number; // position of the message to show, 0 for none
	view: string; // of a page that has several; empty for the first
	invite: boolean;
	device: string; // of which is asked why it is not here, or where; empty: none in particular
	person: string; // whose further device is invited; empty for a new person
	space: string; // whose folder is shown; empty for all folders
	dir: string; // path of the directory in it
	file: string; // path of the file shown beside the list; empty for none
	document: string; // which is open; empty for the list
	section: string; // of the chapter of the help, which is the view
}

const nowhere = {
	channel: "",
	at: 0,
	view: "",
	invite: false,
	person: "",
	device: "",
	space: "",
	dir: "",
	file: "",
	document: "",
	section: "",
};

function read(): Route {
	const parts = location.hash.replace(/^#\/?/, "").split("/").map(decodeURIComponent);
	const [name, id = "", at = "", pos] = parts;
	const page = pages.find((p) => p === name) ?? "home";
	const invite = page === "people" && id === "invite";
	if (page === "files") return files(parts);
	if (page === "documents") {
		// An id has a dot, a view has none.
		if (!id.includes(".")) return { ...nowhere, page, view: id };
		return { ...nowhere, page, document: id, view: at, at: at === "at" ? Number(pos) || 0 : 0 };
	}
	return {
		...nowhere,
		page,
		channel: page === "chat" ? id : "",
		at: page === "chat" && at === "at" ? Number(pos) || 0 : 0,
		view: page === "chat" || invite ? "" : id,
		invite,
		person: invite ? at : "",
		device: page === "people" && ["why", "second"].includes(id) ? at : "",
		section: page === "help" ? at : "",
	};
}

function files([, space = "", dir = "", ...rest]: string[]): Route {
	const view = rest[0] === "trash" || rest[0] === "conflicts" ? rest[0] : "";
	const [verb, shown = ""] = view ? rest.slice(1) : rest;
	const file = verb === "show" ? (view ? shown : join(dir, shown)) : "";
	return { ...nowhere, page: "files", space, dir, view, file };
}

let now = $state.raw(read());
addEventListener("hashchange", () => {
	now = read();
});

export const route = {
	get now(): Route {
		return now;
	},
};

export const to = {
	home: "#/home",
	chat: "#/chat",
	channel: (id: string) => `#/chat/${encodeURIComponent(id)}`,
	message: (channel: string, pos: number) => `#/chat/${encodeURIComponent(channel)}/at/${pos}`,
	people: "#/people",
	devices: "#/people/devices",
	map: "#/people/map",
	stick: "#/people/stick",
	log: "#/people/log",
	late: "#/people/late",
	why: (device = "") => ["#/people/why", encodeURIComponent(device)].filter(Boolean).join("/"),
	second: (device = "") => ["#/people/second", encodeURIComponent(device)].filter(Boolean).join("/"),
	invite: "#/people/invite",
	another: (person: string) => `#/people/invite/${encodeURIComponent(person)}`,
	recovery: "#/recovery",
	lost: "#/recovery/lost",
	deputies: "#/recovery/name",
	newSheet: "#/recovery/sheet",
	kit: "#/kit",
	phone: "#/phone",
	files: "#/files",
	documents: "#/documents",
	archive: "#/documents/archive",
	document: (id: string, view = "", at?: number) =>
		["#/documents", encodeURIComponent(id), ...(view ? [view] : []), ...(at === undefined ? [] : [at])].join(
			"/",
		),
	dir: (space: string, dir = "") => `#/files/${encodeURIComponent(space)}/${encodeURIComponent(dir)}`,
	file: (space: string, path: string) =>
		`${to.dir(space, parent(path))}/show/${encodeURIComponent(base(path))}`,
	trash: (space: string, path = "") => shown(`${to.dir(space)}/trash`, path),
	help: (chapter = "", section = "") => ["#/help", chapter, section].filter(Boolean).join("/"),
	conflicts: (space: string, path = "") => shown(`${to.dir(space)}/conflicts`, path),
};

const shown = (view: string, path: string) => (path ? `${view}/show/${encodeURIComponent(path)}` : view);

export function go(hash: string) {
	// Going to the same message again must jump again.
	if (location.hash === hash) now = read();
	else location.hash = hash;
}
