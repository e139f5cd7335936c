// Which page is shown: #/home, #/chat, #/chat/CHANNEL, #/chat/CHANNEL/at/POS,
// #/people, #/people/invite.

export interface Route {
	page: "home" | "chat" | "people";
	channel: string;
	at: number; // position of the message to show, 0 for none
	invite: boolean;
}

function read(): Route {
	const [page, id = "", at, pos] = location.hash.replace(/^#\/?/, "").split("/").map(decodeURIComponent);
	return {
		page: page === "chat" || page === "people" ? page : "home",
		channel: page === "chat" ? id : "",
		at: at === "at" ? Number(pos) || 0 : 0,
		invite: page === "people" && id === "invite",
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
	invite: "#/people/invite",
};

export function go(hash: string) {
	// Going to the same message again must jump again.
	if (location.hash === hash) now = read();
	else location.hash = hash;
}
