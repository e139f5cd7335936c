// What a document was, and what people remark about it.
import { ask, type Problem, problem } from "../api/client";
import type {
	DocumentComment,
	DocumentSession,
	DocumentShown,
	DocumentThread,
	Person,
} from "../api/types.gen";
import { office } from "./office.svelte";

const often = 1000; // ms between two answers while somebody writes

// follow runs load now, and again when the document changed, at most every so
// often. The result ends it.
function follow(id: string, load: () => Promise<void>, every = often): () => void {
	let running = false;
	let again = false;
	let ended = false;
	const run = async () => {
		if (running) {
			again = true;
			return;
		}
		running = true;
		do {
			again = false;
			await load();
			await new Promise((done) => setTimeout(done, every));
		} while (again && !ended);
		running = false;
	};
	run();
	const off = office.on((event) => {
		const ours = event.what === "document" && event.id === id;
		if (ours || event.what === "all" || event.what === "documents") run();
	});
	return () => {
		ended = true;
		off();
	};
}

// Past are the states of a document, oldest first; the last one is the present.
export class Past {
	sessions = $state.raw<DocumentSession[]>([]);
	known = $state(false);
	wrong = $state.raw<Problem | null>(null);

	constructor(readonly id: string) {}

	refresh = async () => {
		try {
			const { sessions } = await ask("document/history", { id: this.id, heads: [] });
			this.sessions = sessions;
			this.known = true;
			this.wrong = null;
		} catch (err) {
			this.wrong = problem(err);
		}
	};

	watch = (): (() => void) => follow(this.id, this.refresh);
}

// names are those who wrote in a session, this person last.
export function writers(session: DocumentSession, you: string): string[] {
	const all: Person[] = session.people?.length ? session.people : [session.by];
	return all.toSorted((a, b) => Number(a.self) - Number(b.self)).map((p) => (p.self ? you : p.name));
}

// Sight asks for one state at a time: an answer that is overtaken does not count,
// and states that were seen lately are there at once.
export class Sight {
	shown = $state.raw<DocumentShown | null>(null);
	wrong = $state.raw<Problem | null>(null);
	busy = $state(false);
	#kept = new Map<string, DocumentShown>();
	#running: AbortController | undefined;

	constructor(readonly id: string) {}

	// see shows the state at heads (none: the present) with what differs from since
	// marked. The present is asked for anew each time.
	async see(heads: string[], since: string[]): Promise<void> {
		this.#running?.abort();
		const mine = new AbortController();
		this.#running = mine;
		const key = `${heads} ${since}`;
		const kept = heads.length > 0 ? this.#kept.get(key) : undefined;
		if (kept) {
			this.shown = kept;
			this.wrong = null;
			this.busy = false;
			return;
		}
		this.busy = true;
		try {
			const answer = await ask("document/state", { id: this.id, heads, since }, mine.signal);
			if (mine.signal.aborted) return;
			this.shown = answer;
			this.wrong = null;
			this.#keep(key, answer);
		} catch (err) {
			if (mine.signal.aborted) return;
			this.wrong = problem(err);
		}
		this.busy = false;
	}

	#keep(key: string, answer: DocumentShown) {
		this.#kept.set(key, answer);
		const [oldest] = this.#kept.keys();
		if (this.#kept.size > 12 && oldest !== undefined) this.#kept.delete(oldest);
	}

	stop = () => this.#running?.abort();
}

// Threads are the comments of a document, in the order of the text.
export class Threads {
	list = $state.raw<DocumentThread[]>([]);
	known = $state(false);
	wrong = $state.raw<Problem | null>(null);
	open = $derived(this.list.filter((thread) => !thread.resolved));

	constructor(readonly id: string) {}

	refresh = async () => {
		try {
			this.list = (await ask("document/comments", { id: this.id })).threads;
			this.known = true;
			this.wrong = null;
		} catch (err) {
			this.wrong = problem(err);
		}
	};

	watch = (): (() => void) => follow(this.id, this.refresh, 500);

	of = (id: string): DocumentThread | undefined => this.list.find((thread) => thread.id === id);

	// change adds, edits, removes, resolves or reopens, and takes what comes of it.
	async change(what: Pick<DocumentComment, "do" | "thread"> & Partial<DocumentComment>): Promise<void> {
		const answer = await ask("document/comment", {
			remark: "",
			text: "",
			mentions: [],
			...what,
			id: this.id,
		});
		this.list = answer.threads;
		this.known = true;
	}
}

// drafts are remarks that were begun and not sent, by what they belong to: another
// thread may be looked at meanwhile.
export const drafts = new Map<string, string>();

// newThread names a thread as Go names things: 16 random bytes in base32, whose last
// letter carries three bits.
const letters = "abcdefghijklmnopqrstuvwxyz234567";
export const newThread = () =>
	[...crypto.getRandomValues(new Uint8Array(26))]
		.map((b, i) => letters[i < 25 ? b & 0b11111 : b & 0b11100])
		.join("");
