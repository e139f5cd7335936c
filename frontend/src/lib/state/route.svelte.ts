// Which page is shown: #/home, #/chat, #/chat/CHANNEL, #/chat/CHANNEL/at/POS,
// #/people, #/people/devices, #/people/log, #/people/late, #/people/invite,
// #/people/invite/PERSON, #/recovery, #/recovery/lost, #/recovery/name,
// #/recovery/sheet, #/kit.

const pages = ["home", "chat", "people", "recovery", "kit"] as const;

export interface Route {
	page: (typeof pages)[number];
	channel: string;
	at: number; // position of the message to show, 0 for none
	view: string; // of a page that has several; empty for the first
	invite: boolean;
	person: string; // whose further device is invited; empty for a new person
}

function read(): Route {
	const [name, id = "", at = "", pos] = location.hash.replace(/^#\/?/, "").split("/").map(decodeURIComponent);
	const page = pages.find((p) => p === name) ?? "home";
	const invite = page === "people" && id === "invite";
	return {
		page,
		channel: page === "chat" ? id : "",
		at: page === "chat" && at === "at" ? Number(pos) || 0 : 0,
		view: page === "chat" || invite ? "" : id,
		invite,
		person: invite ? at : "",
	};
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
	log: "#/people/log",
	late: "#/people/late",
	invite: "#/people/invite",
	another: (person: string) => `#/people/invite/${encodeURIComponent(person)}`,
	recovery: "#/recovery",
	lost: "#/recovery/lost",
	deputies: "#/recovery/name",
	newSheet: "#/recovery/sheet",
	kit: "#/kit",
};

export function go(hash: string) {
	// Going to the same message again must jump again.
	if (location.hash === hash) now = read();
	else location.hash = hash;
}
