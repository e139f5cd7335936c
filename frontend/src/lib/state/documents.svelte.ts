// The documents this person reads, what people do with them, and finding them.
import { ask, Problem, problem } from "../api/client";
import type { Document, DocumentHere, DocumentHit, Person } from "../api/types.gen";
import { saveLink } from "../desktop.svelte";
import { plain } from "../files";
import { language, t } from "../words/index.svelte";
import { sameDay } from "./clock.svelte";
import type { Done } from "./files.svelte";
import { office } from "./office.svelte";
import { route, to } from "./route.svelte";

// A list that is looked at follows within moments; one that only counts what is
// new has time.
const soon = 300;
const later = 3000;

class Documents {
	all = $state.raw<Document[]>([]); // newest first
	known = $state(false);
	wrong = $state.raw<Problem | null>(null);
	fresh = $derived<Document[]>(this.all.filter((d) => d.new && !d.archived));
	mentions = $derived(this.all.reduce((sum, d) => sum + (d.archived ? 0 : d.mentions), 0));
	folders = $derived<string[]>(foldersOf(this.all.filter((d) => !d.archived)));
	done = $state.raw<Done | null>(null);
	fault = $state.raw<Problem | null>(null); // why the last thing was not done

	#lookers = 0;
	#running: Promise<void> | null = null;
	#again = false;
	#wake: (() => void) | undefined;

	async #load() {
		if (office.status?.phase !== "member") return;
		try {
			const answer = await ask("documents", { space: "" });
			this.all = answer.documents.toSorted((a, b) => b.changed - a.changed);
			this.known = true;
			this.wrong = null;
		} catch (err) {
			this.wrong = problem(err);
		}
	}

	async #run() {
		do {
			this.#again = false;
			const began = performance.now();
			await this.#load();
			const took = performance.now() - began;
			await new Promise<void>((done) => {
				this.#wake = done;
				setTimeout(done, Math.max(this.#lookers > 0 ? soon : later, 3 * took));
			});
			this.#wake = undefined;
		} while (this.#again);
		this.#running = null;
	}

	#want() {
		if (this.#running) this.#again = true;
		else this.#running = this.#run();
	}

	// refresh asks again at once.
	refresh = () => {
		this.#want();
		this.#wake?.();
	};

	// watch keeps the list fresh until the result is called.
	watch(): () => void {
		this.refresh();
		return office.on((event) => {
			if (["all", "document", "documents", "spaces", "people"].includes(event.what)) this.#want();
		});
	}

	// look makes the list follow closely until the result is called.
	look(): () => void {
		this.#lookers++;
		this.refresh();
		return () => {
			this.#lookers--;
		};
	}

	of(id: string): Document | undefined {
		return this.all.find((d) => d.id === id);
	}

	// takes a document as an answer has it, before the list names it so.
	takes(document: Document) {
		const others = this.all.filter((d) => d.id !== document.id);
		this.all = [document, ...others].sort((a, b) => b.changed - a.changed);
		this.refresh();
	}

	// try does something and says what came of it, both where it was done.
	async try(what: () => Promise<Done | null>): Promise<boolean> {
		this.hush();
		try {
			this.done = await what();
			return true;
		} catch (err) {
			this.fault = problem(err);
			return false;
		}
	}

	hush() {
		this.done = null;
		this.fault = null;
	}
}

export const documents = new Documents();

// Which documents the list shows: all, those of a folder, or the archive.
export interface View {
	archive: boolean;
	folder: string | null; // null: all
}

export function viewOf(): View {
	const archive = route.now.view === "archive";
	const folder = route.now.view === "in" ? decodeURIComponent(location.hash.split("/")[3] ?? "") : null;
	return { archive, folder };
}

export const toFolder = (folder: string) => `${to.documents}/in/${encodeURIComponent(folder)}`;

export const within = (all: Document[], view: View) =>
	all.filter((d) => d.archived === view.archive && (view.folder === null || d.folder === view.folder));

function foldersOf(all: Document[]): string[] {
	const names = new Set(all.map((d) => d.folder).filter(Boolean));
	return [...names].sort((a, b) => a.localeCompare(b, language.now));
}

// spaces are those this person may write in: the space of all first.
export const writable = () => office.spaces.filter((s) => s.level === "write" || s.level === "manage");

// place is where a document lies: "Buchhaltung, Rechnungen"; empty for the space
// of all without a folder.
export function place(document: Document): string {
	const space = office.spaces.find((s) => s.id === document.space);
	return [space?.name, document.folder].filter(Boolean).join(", ");
}

export interface Group {
	title: string;
	documents: Document[];
}

// groups puts documents under the days they were changed on.
export function groups(all: Document[], now: number): Group[] {
	const today = new Date(now);
	const monday = new Date(
		today.getFullYear(),
		today.getMonth(),
		today.getDate() - ((today.getDay() + 6) % 7),
	).getTime();
	const at = (d: Document) => (sameDay(d.changed, now) ? 0 : d.changed >= monday ? 1 : 2);
	return [t.documents.today, t.documents.week, t.documents.older]
		.map((title, i) => ({ title, documents: all.filter((d) => at(d) === i) }))
		.filter((g) => g.documents.length > 0);
}

// face is what an avatar needs of somebody who has a document open.
export function face(here: DocumentHere): Pick<Person, "initials" | "tint"> {
	const known = office.people.find((p) => p.id === here.person);
	if (known) return known;
	const names = here.name.trim().split(/\s+/);
	const letters = [names[0], names.length > 1 ? names.at(-1) : ""].map((n) => [...(n ?? "")][0] ?? "");
	return { initials: letters.join("").toLocaleUpperCase(), tint: here.tint };
}

// whoIsIn names those who have a document open, each person once, and says
// whether they write.
export function whoIsIn(document: Document): string {
	const seen = new Map<string, DocumentHere>();
	for (const here of document.writers) {
		const before = seen.get(here.person);
		if (!before || (here.typing && !before.typing)) seen.set(here.person, here);
	}
	const all = [...seen.values()];
	const name = (h: DocumentHere) => (h.self ? t.documents.self : (h.name.split(/\s+/)[0] ?? h.name));
	const typing = all.find((h) => h.typing && !h.self);
	if (typing) return t.documents.writes(name(typing));
	const others = all.filter((h) => !h.self);
	if (others.length === 0) return "";
	if (others.length === 1 && others[0]) return t.documents.reads(name(others[0]));
	const names = others.map(name);
	return t.documents.readMany(t.documents.and(names.slice(0, -1).join(", "), names.at(-1) ?? ""));
}

// What people do with documents. Each says what was done and how to undo it.

async function set(document: Document, what: { title?: string; folder?: string; archived?: boolean }) {
	const { title = null, folder = null, archived = null } = what;
	const now = await ask("document/set", { id: document.id, title, folder, archived });
	documents.takes(now);
	return now;
}

export async function rename(document: Document, title: string): Promise<Done> {
	const now = await set(document, { title });
	const undo = async () => void (await set(document, { title: document.title }));
	return { title: t.documents.renamed(plain(now.title)), undo };
}

export async function move(document: Document, folder: string): Promise<Done> {
	const now = await set(document, { folder });
	const undo = async () => void (await set(document, { folder: document.folder }));
	return { title: t.documents.moved(plain(now.folder)), undo };
}

export async function archive(document: Document, archived: boolean): Promise<Done> {
	await set(document, { archived });
	const undo = async () => void (await set(document, { archived: !archived }));
	const title = plain(document.title);
	return archived
		? { title: t.documents.archived(title), text: t.documents.archivedWhy, undo }
		: { title: t.documents.back(title), undo };
}

export async function copy(document: Document): Promise<Done> {
	const made = await ask("document/copy", {
		id: document.id,
		title: t.documents.copyName(document.title),
	});
	documents.takes(made);
	return { title: t.documents.copied(plain(made.title)) };
}

// saveDocument hands a document as a file to the browser's downloads, and says
// the file's name.
export async function saveDocument(id: string, format: string, heads: string[] = []): Promise<string> {
	const file = await ask("document/export", { id, heads, format });
	const bytes = Uint8Array.from(atob(file.content), (c) => c.charCodeAt(0));
	const link = document.createElement("a");
	link.href = URL.createObjectURL(new Blob([bytes], { type: "application/octet-stream" }));
	link.download = file.name;
	saveLink(link);
	setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
	return file.name;
}

// Importing: one file after the other, each a document of its own.

export const kinds = [".docx", ".odt", ".md", ".markdown", ".txt", ".automerge"];
const largest = 32 << 20; // bytes: larger ones are not even read here

class Importing {
	n = $state(0); // which is under way; 0: none
	of = $state(0);
	failed = $state.raw<string[]>([]); // a sentence each

	async run(files: File[], space: string, folder: string): Promise<Document[]> {
		const made: Document[] = [];
		documents.hush();
		this.failed = [];
		this.of = files.length;
		for (const [i, file] of files.entries()) {
			this.n = i + 1;
			try {
				made.push(await bring(file, space, folder));
			} catch (err) {
				const { sentence, next } = problem(err);
				this.failed = [...this.failed, [sentence, next].filter(Boolean).join(" ")];
			}
		}
		this.n = 0;
		const [only] = made;
		if (only)
			documents.done = {
				title:
					made.length === 1 ? t.documents.brought(plain(only.title)) : t.documents.broughtMany(made.length),
			};
		return made;
	}
}
export const importing = new Importing();

async function bring(file: File, space: string, folder: string): Promise<Document> {
	const name = plain(file.name);
	if (file.size > largest) throw new Problem("file-size", t.documents.badSize(name), "");
	const content = await base64(file).catch(() => {
		throw new Problem("file-read", t.documents.badRead(name), "");
	});
	const made = await ask("document/import", { space, folder, name: file.name, content });
	documents.takes(made);
	return made;
}

const base64 = (file: File) =>
	new Promise<string>((done, failed) => {
		const reader = new FileReader();
		reader.onload = () => done(String(reader.result).replace(/^[^,]*,?/, ""));
		reader.onerror = () => failed(reader.error);
		reader.readAsDataURL(file);
	});

// Finder asks for documents with words while they are typed.
export class Finder {
	text = $state("");
	hits = $state.raw<DocumentHit[]>([]);
	more = $state(false);
	searched = $state(""); // what hits belong to; empty: nothing was looked for
	wrong = $state.raw<Problem | null>(null);
	says = $derived(
		!this.searched
			? ""
			: this.hits.length > 0
				? t.documents.found(this.hits.length, this.more)
				: t.documents.foundNone(this.searched),
	);
	#running: AbortController | undefined;
	#timer: ReturnType<typeof setTimeout> | undefined;

	constructor(readonly limit: number) {}

	typed() {
		clearTimeout(this.#timer);
		this.#timer = setTimeout(() => this.run(), 120);
	}

	async run(): Promise<void> {
		clearTimeout(this.#timer);
		this.#running?.abort();
		const mine = new AbortController();
		this.#running = mine;
		const query = this.text.trim();
		if (!query) {
			this.hits = [];
			this.searched = "";
			this.more = false;
			this.wrong = null;
			return;
		}
		try {
			const answer = await ask("document/search", { query, limit: this.limit }, mine.signal);
			this.hits = answer.hits;
			this.more = answer.more;
			this.searched = query;
			this.wrong = null;
		} catch (err) {
			if (!mine.signal.aborted) this.wrong = problem(err);
		}
	}

	clear() {
		this.text = "";
		this.run();
	}
}

// hitPlace is where a hit opens: at the words, or at the beginning.
export const hitPlace = (hit: DocumentHit) =>
	hit.at < 0 ? to.document(hit.document.id) : to.document(hit.document.id, "at", hit.at);
