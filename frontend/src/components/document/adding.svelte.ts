// Files on their way into a text: their state for the page.
import type { EditorView } from "prosemirror-view";
import { Problem, problem } from "../../lib/api/client";
import { drop, hold, place, send } from "../../lib/editor/embeds";
import { plain } from "../../lib/files";
import { folders } from "../../lib/state/files.svelte";
import { t } from "../../lib/words/index.svelte";

export class One {
	share = $state(0);
	stop = () => {};

	constructor(
		readonly id: string,
		readonly name: string,
	) {}
}

export class Adding {
	all = $state.raw<One[]>([]);
	wrong = $state.raw<{ title: string; text: string } | null>(null);
	#n = 0;

	// add sends files one after the other; at is where they were dropped.
	async add(view: EditorView, space: string, title: string, files: File[], at: number | null) {
		this.wrong = null;
		const folder = folders.of(space);
		const w = t.editor.embed;
		if (!folder?.kept) this.wrong = { title: w.notKept, text: w.notKeptWhy };
		else if (!folder.canWrite) this.wrong = { title: w.noWrite, text: "" };
		if (this.wrong) return;
		for (const file of files) {
			const id = `f${++this.#n}`;
			hold(view, id, at);
			await this.#one(view, space, title, file, id);
		}
	}

	async #one(view: EditorView, space: string, title: string, file: File, id: string) {
		const sending = send(space, title, file, (share) => {
			one.share = Math.min(1, share);
		});
		const one = new One(id, plain(sending.name));
		one.stop = sending.stop;
		this.all = [...this.all, one];
		try {
			const there = await sending.done;
			if (!view.isDestroyed) place(view, there, id);
		} catch (err) {
			if (!view.isDestroyed) drop(view, id);
			if (!(err instanceof Problem && err.code === "stopped")) {
				const { sentence, next } = problem(err);
				this.wrong = { title: t.editor.embed.failed(one.name), text: `${sentence} ${next}` };
			}
		}
		this.all = this.all.filter((o) => o !== one);
	}
}
