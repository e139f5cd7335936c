// The shared folders: those this device knows, and the directory being looked at.
import { ask, type Problem, problem } from "../api/client";
import type { File, FileList, Folder, Hold } from "../api/types.gen";
import { plain } from "../files";
import { parent, within } from "../paths";
import { t } from "../words/index.svelte";
import { office } from "./office.svelte";

// Done is something that was just done here and may be undone.
export interface Done {
	title: string;
	text?: string;
	undo?: () => Promise<void>;
}

class Folders {
	all = $state.raw<Folder[]>([]);
	place = $state(""); // where new folders lie
	known = $state(false);
	wrong = $state.raw<Problem | null>(null);
	holds = $derived<Hold[]>(this.all.flatMap((f) => f.holds));
	done = $state.raw<Done | null>(null);
	fault = $state.raw<Problem | null>(null); // why the last thing was not done

	#load = paced(async () => {
		if (office.status?.phase !== "member") return;
		try {
			const answer = await ask("files/folders", {});
			this.all = answer.folders;
			this.place = answer.place;
			this.known = true;
			this.wrong = null;
		} catch (err) {
			this.wrong = problem(err);
		}
	});

	// watch keeps the folders fresh until the result is called.
	watch(): () => void {
		this.#load();
		return office.on((event) => {
			if (["all", "files", "spaces", "people"].includes(event.what)) this.#load();
		});
	}

	refresh = () => this.#load();

	of(space: string): Folder | undefined {
		return this.all.find((f) => f.space === space);
	}

	// takes a folder as an answer has it.
	takes(folder: Folder) {
		this.all = this.all.map((f) => (f.space === folder.space ? folder : f));
	}

	name = (folder: Folder | undefined) => folder?.name || t.files.all;

	// try does something and says what came of it, both where it was done.
	async try(what: () => Promise<Done | null>): Promise<boolean> {
		this.done = null;
		this.fault = null;
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

export const folders = new Folders();

// Listing is one directory as the program says it is now.
export class Listing {
	files = $state.raw<File[]>([]);
	loaded = $state(false);
	wrong = $state.raw<Problem | null>(null);
	#ended = false;

	constructor(
		readonly space: string,
		readonly dir: string,
		readonly what: "files/list" | "files/trash" | "files/conflicts" = "files/list",
	) {}

	refresh = paced(async () => {
		if (this.#ended) return;
		try {
			const answer = await ask(this.what, { space: this.space, path: this.dir });
			if (this.#ended) return;
			if ("folder" in answer) folders.takes((answer as FileList).folder);
			this.files = answer.files;
			this.loaded = true;
			this.wrong = null;
		} catch (err) {
			if (!this.#ended) this.wrong = problem(err);
		}
	});

	// watch keeps the listing fresh until the result is called.
	watch(): () => void {
		this.#ended = false; // someone looks again
		this.refresh();
		const end = office.on((event) => {
			if (event.what === "all" || (event.what === "files" && concerns(event.id, this.space))) this.refresh();
		});
		return () => {
			this.#ended = true;
			end();
		};
	}

	has = (name: string) => this.files.find((f) => f.name === name);
}

const concerns = (id: string, space: string) => id === "" || id === space;

// paced runs load at most once at a time and once more if it was asked for
// meanwhile, with a rest that grows with the time it takes: a folder of 20,000
// files that changes all the time must leave the page free.
function paced(load: () => Promise<void>): () => Promise<void> {
	let running: Promise<void> | null = null;
	let again = false;
	const run = async () => {
		do {
			again = false;
			const began = performance.now();
			await load();
			if (again) await rest(Math.max(150, 3 * (performance.now() - began)));
		} while (again);
		running = null;
	};
	return () => {
		if (running) again = true;
		else running = run();
		return running ?? Promise.resolve();
	};
}
const rest = (ms: number) => new Promise((done) => setTimeout(done, ms));

// What people do with paths. Each says what was done and how to undo it.

export async function rename(space: string, file: File, to: string): Promise<Done> {
	const now = await ask("files/rename", { space, path: file.path, to });
	const moved = parent(to) !== parent(file.path);
	return {
		title: moved ? t.files.moved(1) : t.files.renamed(plain(now.name)),
		undo: async () => {
			await ask("files/rename", { space, path: now.path, to: file.path });
		},
	};
}

export async function move(space: string, files: File[], dir: string): Promise<Done> {
	const moved: { from: string; to: string }[] = [];
	const undo = async () => {
		for (const m of moved.toReversed()) await ask("files/rename", { space, path: m.to, to: m.from });
	};
	try {
		for (const file of files) {
			const to = dir ? `${dir}/${file.name}` : file.name;
			if (to === file.path) continue;
			const now = await ask("files/rename", { space, path: file.path, to });
			moved.push({ from: file.path, to: now.path });
		}
	} catch (err) {
		// All of them or none: half a move is hard to see.
		await undo();
		throw err;
	}
	return { title: t.files.moved(moved.length), undo };
}

export async function remove(space: string, files: File[]): Promise<Done> {
	const paths = outermost(files.map((f) => f.path));
	await ask("files/remove", { space, paths });
	return {
		title: t.files.removed(files.length === 1 ? plain(files[0]?.name ?? "") : "", files.length),
		undo: async () => {
			for (const path of paths) await ask("files/restore", { space, path, version: "" });
		},
	};
}

// restore brings a version back; was is the present one, empty if the path is
// in the trash.
export async function restore(
	space: string,
	path: string,
	version: string,
	was: string,
	says: string,
): Promise<Done> {
	const now = await ask("files/restore", { space, path, version });
	return {
		title: says,
		undo: async () => {
			if (was) await ask("files/restore", { space, path: now.path, version: was });
			else await ask("files/remove", { space, paths: [now.path] });
		},
	};
}

export async function keep(space: string, path: string, kept: boolean): Promise<Done> {
	folders.takes(await ask("files/skip", { space, path, kept }));
	return {
		title: kept ? t.files.keptAgain : t.files.notKept,
		text: kept ? "" : t.files.notKeptWhy,
		undo: async () => folders.takes(await ask("files/skip", { space, path, kept: !kept })),
	};
}

const outermost = (paths: string[]) => paths.filter((p) => !paths.some((q) => q !== p && within(p, q)));
