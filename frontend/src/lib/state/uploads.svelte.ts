// What is being added from this computer: one queue for the whole page, so that
// looking elsewhere does not stop it.
import { ask, Problem, problem } from "../api/client";
import type { File as Entry, Error as Wrong } from "../api/types.gen";
import { base, join, parent } from "../paths";
import { body, type Taken, taken } from "../taken";
import { language, t } from "../words/index.svelte";
import { folders } from "./files.svelte";

// Chosen is a file someone picked or dropped, and where below the directory it
// belongs.
export interface Chosen {
	path: string; // relative to that directory
	file: File | Taken;
}

// Clash is one that is there already.
export interface Clash {
	chosen: Chosen;
	there: Entry;
}
export type Choice = "replace" | "both" | "skip";

const atOnce = 3;
const window_ = 5000; // ms over which the rate is measured

export class Upload {
	state = $state<"waits" | "goes" | "done" | "failed" | "cancelled">("waits");
	sent = $state(0);
	wrong = $state.raw<Problem | null>(null);
	#request: XMLHttpRequest | undefined;

	constructor(
		readonly space: string,
		readonly path: string,
		readonly file: File | Taken,
		readonly base: string, // "none", or the version it replaces
	) {}

	// run sends it; the result says whether it is there.
	run(moved: () => void): Promise<void> {
		this.state = "goes";
		this.sent = 0;
		this.wrong = null;
		const request = new XMLHttpRequest();
		this.#request = request;
		const query = new URLSearchParams({
			space: this.space,
			path: this.path,
			base: this.base,
			time: String(this.file.lastModified),
			size: String(this.file.size),
		});
		return new Promise((done) => {
			const fail = (wrong: Problem) => {
				this.wrong = wrong;
				this.state = "failed";
				this.sent = 0;
			};
			request.upload.onprogress = (event) => {
				this.sent = Math.min(event.loaded, this.file.size);
				moved();
			};
			request.onload = () => {
				if (request.status < 300) {
					this.sent = this.file.size;
					this.state = "done";
				} else fail(worded(request));
			};
			request.onerror = () => fail(new Problem("offline", t.conn.offline, t.conn.offlineNext));
			request.onabort = () => {
				this.state = "cancelled";
				this.sent = 0;
			};
			request.onloadend = () => {
				moved();
				done();
			};
			const to = `/api/files/content?${query}`;
			if (taken(this.file)) {
				// The program around the window has it, and sends it by itself.
				request.open("POST", `/window/send?${new URLSearchParams({ token: this.file.token, to })}`);
				request.setRequestHeader("X-Inselnetz-Language", language.now);
				request.send();
				return;
			}
			request.open("PUT", to);
			request.setRequestHeader("X-Inselnetz-Language", language.now);
			body(this.file).then(
				(file) => request.send(file),
				(err) => {
					fail(problem(err));
					moved();
					done();
				},
			);
		});
	}

	cancel() {
		if (this.state === "goes") this.#request?.abort();
		else if (this.state === "waits" || this.state === "failed") this.state = "cancelled";
	}
}

function worded(request: XMLHttpRequest): Problem {
	try {
		const error = JSON.parse(request.responseText) as Wrong;
		return new Problem(error.code, error.sentence, error.next, error.field);
	} catch {
		return new Problem("offline", t.conn.offline, t.conn.offlineNext);
	}
}

class Uploads {
	list = $state.raw<Upload[]>([]);
	// Of what the list holds; kept by hand because it may hold many thousands.
	all = $state(0); // without cancelled ones
	done = $state(0);
	failed = $state.raw<Upload[]>([]);
	going = $state.raw<Upload[]>([]);
	bytes = $state(0);
	sent = $state(0);
	rate = $state(0); // bytes a second; 0: not known yet

	#next = 0;
	#trail: { at: number; sent: number }[] = [];

	get busy() {
		return this.going.length > 0;
	}
	get left() {
		return this.rate > 0 ? Math.ceil((this.bytes - this.sent) / this.rate) : 0;
	}

	// add queues files for a directory; bases says which of them replace what.
	add(space: string, dir: string, chosen: Chosen[], bases: Map<Chosen, string>) {
		if (!this.busy) this.clear();
		const more = chosen.map(
			(c) => new Upload(space, join(dir, c.path).normalize("NFC"), c.file, bases.get(c) ?? "none"),
		);
		this.list = [...this.list, ...more];
		this.#count();
		this.#pump();
	}

	cancel(upload: Upload) {
		upload.cancel();
		this.#count();
	}

	cancelAll() {
		for (const upload of this.list) upload.cancel();
		this.#count();
	}

	retry(which: Upload[]) {
		for (const upload of which) upload.state = "waits";
		this.#next = 0;
		this.#count();
		this.#pump();
	}

	// clear forgets what is over.
	clear() {
		if (this.busy) return;
		this.list = [];
		this.#next = 0;
		this.#trail = [];
		this.rate = 0;
		this.#count();
	}

	#pump() {
		while (this.going.length < atOnce) {
			while (this.#next < this.list.length && this.list[this.#next]?.state !== "waits") this.#next++;
			const upload = this.list[this.#next];
			if (!upload) break;
			const over = upload.run(() => this.#moved());
			this.going = [...this.going, upload];
			over.then(() => {
				this.going = this.going.filter((u) => u !== upload);
				this.#count();
				this.#pump();
			});
		}
	}

	// All is summed up at most ten times a second: small files pass by the hundred.
	#timer: ReturnType<typeof setTimeout> | undefined;
	#moved() {
		this.#timer ??= setTimeout(() => this.#count(), 100);
	}

	#count() {
		clearTimeout(this.#timer);
		this.#timer = undefined;
		let all = 0;
		let done = 0;
		let sent = 0;
		let bytes = 0;
		const failed: Upload[] = [];
		for (const upload of this.list) {
			if (upload.state === "cancelled") continue;
			all++;
			bytes += upload.file.size;
			sent += upload.sent;
			if (upload.state === "done") done++;
			if (upload.state === "failed") failed.push(upload);
		}
		this.all = all;
		this.done = done;
		this.failed = failed;
		this.sent = sent;
		this.bytes = bytes;
		const now = performance.now();
		this.#trail = [...this.#trail.filter((p) => now - p.at < window_), { at: now, sent }];
		const first = this.#trail[0];
		if (first && now - first.at > 500)
			this.rate = Math.max(0, ((sent - first.sent) * 1000) / (now - first.at));
	}
}

export const uploads = new Uploads();

addEventListener("beforeunload", (event) => {
	if (uploads.busy) event.preventDefault();
});

// clashes finds which of the chosen are there already. A directory that is not
// there cannot hold any, so only those that exist are asked for.
export async function clashes(space: string, dir: string, chosen: Chosen[]): Promise<Clash[]> {
	const listed = new Map<string, Promise<Map<string, Entry>>>();
	const list = (at: string): Promise<Map<string, Entry>> => {
		let known = listed.get(at);
		if (!known) {
			known = entries(at);
			listed.set(at, known);
		}
		return known;
	};
	const entries = async (at: string) => {
		if (at !== dir) {
			const there = (await list(parent(at))).get(base(at));
			if (there?.kind !== "dir") return new Map<string, Entry>();
		}
		const answer = await ask("files/list", { space, path: at });
		return new Map(answer.files.map((f) => [f.name, f]));
	};
	const found: Clash[] = [];
	for (const one of chosen) {
		const path = join(dir, one.path).normalize("NFC");
		const there = (await list(parent(path))).get(base(path));
		if (there && there.kind !== "dir") found.push({ chosen: one, there });
	}
	return found;
}

// makeDirs makes directories that were chosen without a file in them.
export async function makeDirs(space: string, dir: string, empty: string[]): Promise<void> {
	for (const path of empty) {
		try {
			await ask("files/mkdir", { space, path: join(dir, path).normalize("NFC") });
		} catch (err) {
			folders.fault = problem(err);
		}
	}
}
