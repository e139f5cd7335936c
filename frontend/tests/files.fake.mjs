// A program that is not there: the built page, and answers about files made up
// in memory, to see states that real nodes reach only slowly. Tests only.
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";

const types = {
	".html": "text/html",
	".js": "text/javascript",
	".css": "text/css",
	".svg": "image/svg+xml",
	".woff2": "font/woff2",
};
const policy =
	"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; " +
	"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const now = new Date();
now.setHours(Math.max(now.getHours(), 1));
const ago = (minutes) => now.getTime() - minutes * 60_000;
const day = 24 * 60;

const someone = (id, name, tint, self = false) => ({
	id,
	name,
	initials: name
		.split(" ")
		.map((w) => w[0])
		.join(""),
	tint,
	role: "member",
	deputy: false,
	until: 0,
	roles: [],
	removal: "",
	another: false,
	self,
	presence: "here",
	devices: [],
});
export const people = {
	marlies: someone("p1", "Marlies Brandt", 4, true),
	emre: someone("p2", "Emre Yıldız", 2),
	anke: someone("p3", "Anke Petersen", 1),
	wolf: someone("p4", "Jonas Wolf", 5),
};

const kinds = {
	docx: "doc",
	pdf: "pdf",
	xlsx: "sheet",
	jpg: "image",
	svg: "image",
	txt: "text",
	zip: "archive",
};
let serial = 0;

// file is a path with sensible values, and whatever the test sets.
export const file = (path, more = {}) => ({
	path,
	name: path.split("/").at(-1),
	kind: "file",
	type: kinds[path.split(".").at(-1)] ?? "other",
	size: 84_000,
	count: 0,
	changed: ago(30),
	person: people.emre,
	device: "PC Yıldız",
	version: `V-${++serial}`,
	where: "here",
	hint: "",
	suggest: "",
	conflict: false,
	open: "",
	copies: 4,
	target: "",
	...more,
});
export const dir = (path, more = {}) =>
	file(path, { kind: "dir", type: "", version: "", count: 14, ...more });

export const version = (path, minutes, person, more = {}) => ({
	id: `V-${++serial}`,
	path,
	at: ago(minutes),
	person,
	device: "PC Empfang",
	size: 84_000,
	kind: "file",
	state: "here",
	renamed: false,
	...more,
});

export const folder = (space, name, more = {}) => ({
	space,
	name,
	kept: true,
	dir: `/home/marlies/Inselnetz/${name || "Alle"}`,
	canWrite: true,
	files: 1240,
	bytes: 3_200_000_000,
	skipped: [],
	spared: 0,
	sparedBytes: 0,
	progress: null,
	problems: [],
	holds: [],
	conflicts: 0,
	trash: 0,
	phones: [],
	...more,
});

export const hold = (space, more = {}) => ({
	space,
	device: "D-wolf",
	name: "Laptop Wolf",
	person: people.wolf,
	why: "many",
	since: ago(4),
	minutes: 3,
	files: 212,
	applied: 0,
	sample: ["Behrens/Klageschrift Behrens.docx", "Behrens/Kostenaufstellung.xlsx"],
	own: false,
	phone: "",
	...more,
});

// fake serves the page. office has: folders, files (space → File[]), and may
// have info(space, path), trash, moments, phones. asked keeps what was asked.
export async function fake(office, dist = process.env.DIST || "dist") {
	const asked = [];
	const listeners = new Set();
	const state = { delay: 0, fail: null, ...office };

	const below = (space, at) =>
		(state.files[space] ?? []).filter((f) => f.path.slice(0, Math.max(0, f.path.lastIndexOf("/"))) === at);
	const of = (space) => state.folders.find((f) => f.space === space);
	const at = (space, path) => state.files[space]?.find((f) => f.path === path);
	const changed = (space) => {
		for (const res of listeners)
			res.write(`data: ${JSON.stringify({ seq: ++serial, what: "files", id: space })}\n\n`);
	};
	const missing = { code: "not-found", sentence: "Das gibt es hier nicht.", next: "", field: "" };

	const calls = {
		status: () => ({
			phase: "member",
			office: "Kanzlei Petersen & Wolf",
			person: people.marlies,
			device: { id: "D-1", name: "PC Brandt", self: true, presence: "here" },
			devices: 5,
			devicesHere: 5,
			people: 4,
			peopleHere: 4,
			managers: 2,
			unread: 3,
			approvals: 0,
			canInvite: true,
			notices: [],
			version: "fake",
			now: Date.now(),
			...state.status,
		}),
		setup: () => ({ path: "", step: 0 }),
		"home/seen": () => ({}),
		people: () => ({
			people: state.people ?? Object.values(people),
			gone: [],
			sentence: state.everyone ?? "",
		}),
		channels: () => ({ channels: [] }),
		spaces: () => ({ spaces: [] }),
		recovery: () => ({
			kit: "printed",
			printed: 1,
			need: 2,
			deputies: [],
			steps: [],
			propose: false,
			change: false,
		}),
		"files/folders": () => ({ folders: state.folders, place: "/home/marlies/Inselnetz" }),
		"files/list": ({ space, path }) => {
			if (path && !at(space, path)) throw missing;
			return { folder: of(space), path, files: below(space, path) };
		},
		"files/info": ({ space, path }) => {
			const found = at(space, path) ?? state.trash?.find((f) => f.path === path);
			if (!found) throw missing;
			return {
				file: found,
				devices: ["PC Brandt", "PC Empfang", "PC Yıldız", "Archiv"],
				versions: [version(path, 30, people.emre, { id: found.version, state: "now", size: found.size })],
				others: [],
				preview: { image: "image", pdf: "pdf", text: "text" }[found.type] ?? "",
				days: 90,
				gone: !at(space, path),
				problems: [],
				...state.info?.(space, path),
			};
		},
		"files/trash": () => ({ files: state.trash ?? [] }),
		"files/conflicts": ({ space }) => ({ files: (state.files[space] ?? []).filter((f) => f.conflict) }),
		"files/moments": () => ({ moments: state.moments ?? [] }),
		"files/mkdir": ({ space, path }) => {
			const made = dir(path, { count: 0, size: 0, person: people.marlies, changed: Date.now() });
			state.files[space].unshift(made);
			changed(space);
			return made;
		},
		"files/open": () => ({}),
		"files/rename": ({ space, path, to }) => {
			const found = at(space, path);
			if (!found) throw missing;
			Object.assign(found, { path: to, name: to.split("/").at(-1), suggest: "", where: "here" });
			changed(space);
			return found;
		},
		"files/remove": ({ space, paths }) => {
			const gone = state.files[space].filter((f) => paths.includes(f.path));
			state.files[space] = state.files[space].filter((f) => !paths.includes(f.path));
			state.trash = [...gone, ...(state.trash ?? [])];
			changed(space);
			return { files: gone };
		},
		"files/restore": ({ space, path }) => {
			const gone = state.trash?.find((f) => f.path === path);
			if (gone) {
				state.trash = state.trash.filter((f) => f !== gone);
				state.files[space].push(gone);
			}
			changed(space);
			return gone ?? at(space, path);
		},
		"files/rewind": ({ dry }) => ({
			changed: 12,
			restored: 3,
			removed: 1,
			lost: 2,
			sample: ["Behrens/Klageschrift Behrens.docx", "Behrens/Anlagen/K1.pdf"],
			undo: dry ? 0 : Date.now(),
		}),
		"files/resolve": ({ space, path }) => Object.assign(at(space, path), { conflict: false }),
		"files/hold": ({ space }) => {
			of(space).holds = [];
			for (const f of state.files[space]) if (f.where === "held") f.where = "here";
			changed(space);
			return of(space);
		},
		"files/folder": ({ space, kept, dir: place }) =>
			Object.assign(of(space), { kept, dir: place || of(space).dir }),
		"files/skip": ({ space, path, kept }) => {
			const one = of(space);
			one.skipped = kept ? one.skipped.filter((p) => p !== path) : [...one.skipped, path];
			return one;
		},
		phones: () => state.phones ?? { id: "ABCDEFG-HIJKLMN", addr: "", phones: [] },
		"phone/set": ({ space, id, name }) => {
			of(space).phones.push({ id, name, connected: false, left: 0, problem: "" });
			return calls.phones();
		},
		"phone/remove": ({ space, id }) => {
			of(space).phones = of(space).phones.filter((p) => p.id !== id);
			return calls.phones();
		},
	};

	const body = async (req) => {
		const parts = [];
		for await (const part of req) parts.push(part);
		return Buffer.concat(parts);
	};
	const json = (res, status, value) => {
		res.writeHead(status, { "Content-Type": "application/json" });
		res.end(JSON.stringify(value));
	};

	// The body is read slowly, so that there is something to see and to cancel.
	const upload = async (req, res, query) => {
		let size = 0;
		try {
			for await (const part of req) {
				size += part.length;
				if (state.delay > 0) await new Promise((done) => setTimeout(done, state.delay));
			}
		} catch {
			return; // cancelled
		}
		if (state.fail) return json(res, 400, state.fail);
		const space = query.get("space");
		let path = query.get("path");
		const there = at(space, path);
		if (there && query.get("base") === "none") path = path.replace(/(\.[^.]*)?$/, " (2)$1");
		state.files[space] = state.files[space].filter((f) => f.path !== path);
		state.files[space].push(file(path, { size, person: people.marlies, changed: Date.now() }));
		changed(space);
		json(res, 200, { file: at(space, path) });
	};

	const content = async (res, query) => {
		const path = query.get("path");
		if (/\.(jpg|svg)$/.test(path)) {
			res.writeHead(200, { "Content-Type": "image/svg+xml" });
			return res.end(
				'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 320 200"><rect width="320" height="200" fill="#bcd"/><path d="M0 200 110 70l70 80 50-50 90 100z" fill="#576"/></svg>',
			);
		}
		res.writeHead(200, { "Content-Type": "text/plain; charset=utf-8" });
		res.end(
			`Aktenvermerk\n\nStand ${query.get("version") || "jetzt"}: Frau Behrens kommt am Freitag um 11 Uhr.\n`,
		);
	};

	const server = createServer(async (req, res) => {
		res.setHeader("Content-Security-Policy", policy);
		const url = new URL(req.url, "http://fake");
		if (url.pathname === "/api/events") {
			res.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
			res.write(": here\n\n");
			listeners.add(res);
			req.on("close", () => listeners.delete(res));
			return;
		}
		if (url.pathname === "/api/files/content") {
			return req.method === "PUT" ? upload(req, res, url.searchParams) : content(res, url.searchParams);
		}
		if (url.pathname.startsWith("/api/")) {
			const name = url.pathname.slice(5);
			const request = JSON.parse((await body(req)).toString() || "{}");
			asked.push({ name, request });
			try {
				const answer = calls[name];
				if (!answer) throw { ...missing, sentence: `The fake does not know ${name}.` };
				json(res, 200, answer(request));
			} catch (err) {
				json(res, 400, err.code ? err : { ...missing, sentence: String(err) });
			}
			return;
		}
		try {
			const path = normalize(url.pathname === "/" ? "/index.html" : url.pathname);
			const data = await readFile(join(dist, path));
			res.writeHead(200, { "Content-Type": types[extname(path)] ?? "application/octet-stream" });
			res.end(data);
		} catch {
			res.writeHead(404).end();
		}
	});
	await new Promise((done) => server.listen(0, "127.0.0.1", done));
	const origin = `http://127.0.0.1:${server.address().port}`;
	return {
		origin,
		address: async () => `${origin}/`,
		state,
		asked,
		changed,
		stop: () => {
			server.closeAllConnections();
			return new Promise((done) => server.close(done));
		},
	};
}

// husum is the folder of the design: one device held, the rest as on any day.
export function husum() {
	const held = { where: "held" };
	const office = {
		folders: [folder("all", "", { holds: [hold("all")], trash: 2 })],
		files: {
			all: [
				dir("Mandate", { count: 6 }),
				dir("Mandate/Behrens", { count: 6 }),
				dir("Mandate/Behrens/Anlagen", { changed: ago(3 * day + 40), count: 14 }),
				file("Mandate/Behrens/Klageschrift Behrens.docx", { changed: ago(20), ...held }),
				file("Mandate/Behrens/Bescheid Stadt Husum.pdf", {
					size: 1_200_000,
					changed: ago(20 * day),
					person: people.anke,
				}),
				file("Mandate/Behrens/Kostenaufstellung.xlsx", {
					size: 31_000,
					changed: ago(87),
					person: people.wolf,
					...held,
				}),
				dir("Mandate/Behrens/Fotos Baustelle", {
					count: 38,
					size: 212_000_000,
					changed: ago(25 * day),
					where: "elsewhere",
				}),
				file("Mandate/Behrens/Vollmacht unterschrieben.pdf", {
					size: 410_000,
					changed: ago(26 * day),
					person: people.marlies,
				}),
			],
		},
		trash: [
			file("Mandate/Behrens/Entwurf alt.docx", { changed: ago(50) }),
			file("Notizen.txt", { changed: ago(2 * day), person: people.anke, size: 1200 }),
		],
		moments: [
			{ at: ago(20), person: people.emre, files: 3, gone: 0 },
			{ at: ago(95), person: people.wolf, files: 12, gone: 12 },
			{ at: ago(day + 30), person: people.anke, files: 4, gone: 1 },
		],
		info: (_space, path) =>
			path.endsWith("Klageschrift Behrens.docx")
				? {
						versions: [
							version(path, 3, people.wolf, { state: "held", device: "Laptop Wolf" }),
							version(path, 20, people.emre, { state: "now" }),
							version(path, 55, people.emre),
							version(path, day + 120, people.anke, { state: "elsewhere" }),
							version(path, 5 * day, people.anke, { renamed: true, path: "Mandate/Behrens/Entwurf.docx" }),
						],
					}
				: {},
	};
	return office;
}
