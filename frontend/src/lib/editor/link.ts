// The link between an editor and the program: what is typed goes there in batches,
// what others do comes back. The program is the authority, and what it says is
// rebased under what is not sent yet.
import { collab, receiveTransaction, sendableSteps } from "prosemirror-collab";
import type { Node } from "prosemirror-model";
import { EditorState, type Plugin, TextSelection, type Transaction } from "prosemirror-state";
import type { Step } from "prosemirror-transform";
import type { DocEdit, DocumentCheck, DocumentEditor, DocumentNews, DocumentSync } from "../api/types.gen";
import { type Someone, show } from "./here";
import { difference } from "./keep";
import { own } from "./keep.own";
import { apart, type Batch, batchOf, selected, written } from "./link.batch";
import { type LinkState, opening } from "./link.state";
import { gapAt, length, type Text } from "./place";
import { textOf } from "./place.blocks";
import { schema } from "./schema";
import { stepsOf } from "./translate";

export type { LinkState } from "./link.state";

// A Host shows the state: ProseMirror's view, or nothing.
export interface Host {
	state: EditorState;
	updateState(state: EditorState): void;
	composing: boolean;
	hasFocus(): boolean;
}

// Ask is the door to the program, see lib/api/client.ts.
export type Ask = <R>(name: string, request: unknown) => Promise<R>;

export interface LinkOptions {
	ask: Ask;
	plugins: (link: Link) => Plugin[]; // also history; called for each new state
	onstate: (state: LinkState) => void;
}

// When to ask, in ms.
const alone = 300; // after the first edit, if nobody else has the document open
const least = 40; // between calls
const moved = 50; // after the selection moved
const beat = 15_000; // at least
const typing = 3000; // somebody who typed is typing for so long
const slow = 3000; // an answer that takes longer is worth saying
const patience = 5000; // news wait so long for the end of a composition
const retries = [300, 600, 1200, 3000];

// Problems that come again when the same is sent again.
const final = new Set(["only-reading", "document-large", "bad-request", "request-too-long", "no-document"]);

const collabKey = "collab$"; // of prosemirror-collab

// Still stands for a view that went before all was sent.
class Still implements Host {
	composing = false;

	constructor(public state: EditorState) {}

	updateState(state: EditorState): void {
		this.state = state;
	}

	hasFocus(): boolean {
		return false;
	}
}

// A Sent is a batch without an answer.
type Sent = Batch & { request: DocumentSync };

// Places where a test can make the editor fail.
type Place = "dispatch" | "translate" | "receive" | "repair";

export class Link {
	state: LinkState = opening;
	failNext: Place[] = []; // for tests

	#id: string;
	#options: LinkOptions;
	#host: Host | null = null;
	#confirmed: Text = { doc: schema.node("doc", null, [schema.node("block")]), implicit: true };
	#editor = "";
	#actor = "";
	#next = 0;
	#batch = 0; // the last one answered
	#out: Sent | null = null;
	#running = false;
	#once = false; // another call shall follow the running one
	#closed = false;
	#timer: ReturnType<typeof setTimeout> | undefined;
	#due = Number.POSITIVE_INFINITY;
	#asked = 0; // when the last call began
	#failures = 0;
	#senseless = 0; // answers of that kind one after the other
	#first = 0; // when the first edit that is not saved came
	#typed = Number.NEGATIVE_INFINITY;
	#known = ""; // what was told of other pages
	#calm: (() => void) | null = null;
	#idle: (() => void)[] = [];

	constructor(id: string, options: LinkOptions) {
		this.#id = id;
		this.#options = options;
	}

	// open fetches the text. The result is the state for a view; show it and call
	// attach.
	async open(): Promise<EditorState> {
		const answer = await this.#ask<DocumentEditor>("document/open", {
			id: this.#id,
			heads: [],
			actor: "",
			next: 0,
		});
		this.#confirmed = textOf(answer.blocks, answer.unmarked);
		this.#began(answer);
		this.#set({ kind: "saved", canWrite: answer.document.canWrite });
		return this.#fresh(this.#confirmed.doc);
	}

	// attach gives the link the view that shows its state.
	attach(host: Host): void {
		this.#host = host;
		this.#wake(0);
	}

	// heard is told of every event of the program.
	heard(event: { what: string; id: string }): void {
		if (event.what === "all" || (event.what === "document" && event.id === this.#id)) this.#wake(0);
	}

	// composed is told when a composition ends, and focused when the focus changes.
	composed(): void {
		this.#calm?.();
		this.#wake(0);
	}

	focused(): void {
		this.#moved();
	}

	// dispatch is the view's dispatchTransaction.
	dispatch(tr: Transaction): void {
		const host = this.#host;
		if (!host) return;
		const news = tr.getMeta(collabKey) !== undefined;
		if (tr.docChanged && !news && !this.state.editable) return;
		try {
			if (tr.docChanged && !news) {
				this.#fail("dispatch");
				own(tr);
			}
			host.updateState(host.state.apply(tr));
		} catch (err) {
			if (news) throw err;
			try {
				this.#repair(err, tr.doc);
			} catch {
				return; // it is said
			}
		}
		if (news) return;
		if (tr.docChanged) this.#edited();
		if (tr.selectionSet || tr.docChanged) this.#moved();
	}

	// saved waits until all that is typed is on the disk.
	async saved(): Promise<void> {
		while (this.#unsent().length > 0 && !this.#stuck()) {
			this.#wake(0);
			await new Promise<void>((done) => this.#idle.push(done));
		}
	}

	// close ends the editor when all is saved. The view may go at once.
	async close(): Promise<void> {
		if (this.#host) this.#host = new Still(this.#host.state);
		this.#calm?.();
		await this.saved();
		this.#closed = true;
		clearTimeout(this.#timer);
		if (this.#editor) await this.#ask("document/close", { editor: this.#editor }).catch(() => {});
	}

	// last are the calls that a page makes that is about to go: what is on its way
	// again, and what is not sent yet.
	last(): DocumentSync[] {
		const out: DocumentSync[] = [];
		let text = this.#confirmed;
		let steps = this.#unsent();
		let batch = this.#batch;
		if (this.#out) {
			out.push(this.#out.request);
			text = this.#out.text;
			steps = steps.slice(this.#out.steps);
			batch++;
		}
		while (steps.length > 0 && out.length < 10 && this.#editor && !this.#stuck()) {
			const b = batchOf(text, steps);
			out.push({ ...this.#request(b.edits, true), batch: ++batch });
			text = b.text;
			steps = steps.slice(b.steps);
		}
		return out;
	}

	// reload begins anew after something was refused. The text of what is lost stays
	// in the state.
	async reload(): Promise<void> {
		const host = this.#host;
		if (!host) return;
		const unsaved = written(this.#confirmed.doc, host.state.doc);
		this.#out = null;
		this.#failures = 0;
		host.updateState(await this.open());
		this.#set({ unsaved, problem: null });
		this.#settle();
		this.#wake(0);
	}

	// forget takes the text of what was lost away.
	forget(): void {
		this.#set({ unsaved: "" });
	}

	// confirmed is the text as the program has it, for tests.
	get confirmed(): Text {
		return this.#confirmed;
	}

	#fresh(doc: Node): EditorState {
		return EditorState.create({
			doc,
			plugins: [...this.#options.plugins(this), collab({ clientID: "self" })],
		});
	}

	#ask<R>(name: string, request: unknown): Promise<R> {
		return this.#options.ask<R>(name, request);
	}

	#set(change: Partial<LinkState>): void {
		const next = { ...this.state, ...change };
		next.editable =
			next.canWrite && (next.kind === "saved" || next.kind === "saving" || next.kind === "unsaved");
		this.state = next;
		this.#options.onstate(next);
	}

	#fail(where: Place): void {
		if (this.failNext[0] !== where) return;
		this.failNext.shift();
		throw new Error(`made to fail: ${where}`);
	}

	#stuck(): boolean {
		return this.state.kind === "refused" || this.state.kind === "broken";
	}

	#unsent(): readonly Step[] {
		return (this.#host && sendableSteps(this.#host.state)?.steps) ?? [];
	}

	#edited(): void {
		this.#typed = Date.now();
		if (this.state.kind === "saved") {
			this.#first = Date.now();
			this.#set({ kind: "saving" });
		}
		if (this.#failures === 0) this.#wake(this.state.here.length > 0 ? 0 : alone);
	}

	#moved(): void {
		if (this.state.here.length > 0 && this.#failures === 0) this.#wake(moved);
	}

	// wake has the next call begin in a while, or earlier.
	#wake(ms: number): void {
		if (this.#closed) return;
		const at = Math.max(Date.now() + ms, this.#asked + least);
		if (at >= this.#due) return;
		clearTimeout(this.#timer);
		this.#due = at;
		this.#timer = setTimeout(() => void this.#run(), at - Date.now());
	}

	async #run(): Promise<void> {
		this.#due = Number.POSITIVE_INFINITY;
		if (this.#running) this.#once = true;
		if (this.#running || this.#closed || !this.#host || this.#stuck()) return;
		this.#running = true;
		this.#once = false;
		this.#asked = Date.now();
		const late = setTimeout(() => this.#late(), slow);
		let next: number;
		try {
			const rest = this.#editor ? await this.#sync() : await this.#again();
			this.#failures = 0;
			next = rest ? 0 : this.#rested();
		} catch (err) {
			next = this.#failed(err);
		} finally {
			clearTimeout(late);
			this.#running = false;
		}
		this.#settle();
		for (const done of this.#idle.splice(0)) done();
		this.#wake(this.#once && this.#failures === 0 ? 0 : next);
	}

	// rested is how long there is nothing to ask.
	#rested(): number {
		const company = this.state.here.length > 0;
		if (this.#unsent().length > 0) return company ? 0 : alone;
		const still = this.#typed + typing - Date.now(); // then nobody is typing
		return company && still > 0 ? still : beat;
	}

	#late(): void {
		if (this.#unsent().length > 0 && !this.#stuck()) this.#set({ kind: "unsaved", since: this.#first });
	}

	// settle says whether all is saved.
	#settle(): void {
		if (this.#stuck() || !this.#host) return;
		const kind = this.#unsent().length === 0 ? "saved" : this.#failures > 0 ? "unsaved" : "saving";
		if (kind === "saved") this.#first = Date.now();
		if (kind !== this.state.kind) this.#set({ kind, since: this.#first });
	}

	#failed(err: unknown): number {
		const problem = err as { code?: string; sentence?: string; next?: string };
		if (problem.code === "no-editor") {
			this.#editor = "";
			return 0;
		}
		if (typeof problem.code !== "string") {
			if (this.state.kind !== "broken") this.#broke(err);
			return beat;
		}
		const { code, sentence = "", next = "" } = problem;
		// A batch that makes no sense is our own fault: the editor begins anew, then
		// goes on from what it shows.
		if (code === "bad-request" && this.#senseless < 2) {
			if (this.#senseless++ === 0) this.#editor = "";
			else {
				this.#out = null;
				this.#repair(err, (this.#host as Host).state.doc);
			}
			return 0;
		}
		if (final.has(code)) {
			this.#set({ kind: "refused", problem: { code, sentence, next } });
			return beat;
		}
		// The page belongs to another start of the program: nothing will be saved.
		if (code === "gone") this.#set({ problem: { code, sentence, next } });
		return retries[Math.min(this.#failures++, retries.length - 1)] as number;
	}

	#request(edits: DocEdit[], more: boolean): DocumentSync {
		const place = { shown: false, anchor: 0, head: 0 };
		return { editor: this.#editor, batch: this.#batch + 1, edits, more, typing: false, ...place };
	}

	// sync sends a batch, and says whether more follows at once.
	async #sync(): Promise<boolean> {
		this.#out ??= this.#prepare();
		const out = this.#out;
		const news = await this.#ask<DocumentNews>("document/sync", out.request);
		if (this.#out !== out || this.#closed) return false; // it was loaded again
		if (news.edits.length > 0) await this.#composed();
		this.#batch = out.request.batch;
		this.#heads(news);
		this.#senseless = 0;
		const [steps, text] = await this.#news(news, out.text);
		this.#receive(out, steps, text);
		this.#here(news);
		this.#set({
			save: news.save,
			canWrite: news.canWrite,
			meta: this.state.meta + (news.meta ? 1 : 0),
		});
		return out.rest;
	}

	// news are the steps of others, and the text that they lead to.
	async #news(news: { edits: DocEdit[]; length: number }, text: Text): Promise<[readonly Step[], Text]> {
		if (news.length !== length(text)) return this.#heal(text, `${length(text)} units, not ${news.length}`);
		try {
			const made = stepsOf(news.edits, text);
			return [made.steps, made.text];
		} catch (err) {
			return this.#heal(text, err);
		}
	}

	// prepare makes the next batch.
	#prepare(): Sent {
		const host = this.#host as Host;
		let steps = this.#unsent();
		let batch: Batch;
		try {
			this.#fail("translate");
			batch = batchOf(this.#confirmed, steps);
		} catch (err) {
			this.#repair(err, host.state.doc);
			steps = this.#unsent();
			batch = batchOf(this.#confirmed, steps);
		}
		const rest = steps.slice(batch.steps);
		const { anchor, head } = host.state.selection;
		const request = this.#request(batch.edits, batch.rest || host.composing);
		request.typing = Date.now() - this.#typed < typing;
		request.shown = host.hasFocus();
		request.anchor = selected(batch.text, rest, anchor);
		request.head = selected(batch.text, rest, head);
		return { ...batch, request };
	}

	// receive takes what was sent as confirmed, then steps of others.
	#receive(sent: Sent | null, steps: readonly Step[], text: Text): void {
		const host = this.#host as Host;
		const take = () => {
			this.#fail("receive");
			const ours = this.#unsent().slice(0, sent?.steps ?? 0);
			if (ours.length + steps.length === 0) return;
			const names = [...ours.map(() => "self"), ...steps.map(() => "others")];
			this.dispatch(
				receiveTransaction(host.state, [...ours, ...steps], names, { mapSelectionBackward: true }),
			);
		};
		this.#out = sent;
		try {
			take();
		} catch (err) {
			this.#repair(err, host.state.doc);
			take();
		}
		this.#out = null;
		this.#confirmed = text;
	}

	// heal is for a text that is not what the program has, which must not happen.
	async #heal(text: Text, why: unknown): Promise<[Step[], Text]> {
		console.warn("the text is not what the program has:", why);
		const is = await this.#ask<DocumentCheck>("document/check", { editor: this.#editor });
		const wanted = textOf(is.blocks, is.unmarked);
		const step = difference(text.doc, wanted.doc);
		this.#set({ healed: this.state.healed + 1 });
		return [step ? [step] : [], wanted];
	}

	#here(news: DocumentNews): void {
		const host = this.#host as Host;
		const here = news.here;
		const known = JSON.stringify(here);
		if (known === this.#known) return;
		this.#known = known;
		this.#set({ here });
		const rest = this.#unsent();
		const place = (at: number) => {
			let pos = gapAt(this.#confirmed, Math.min(at, length(this.#confirmed)));
			for (const step of rest) pos = step.getMap().map(pos);
			return pos;
		};
		const said: Someone[] = here
			.filter((h) => h.shown)
			.map(({ page, name, tint, anchor, head }) => ({
				page,
				name,
				tint,
				anchor: place(anchor),
				head: place(head),
			}));
		host.updateState(host.state.apply(show(host.state, said)));
	}

	#composed(): Promise<void> {
		if (!this.#host?.composing) return Promise.resolve();
		return new Promise((done) => {
			const timer = setTimeout(() => this.#calm?.(), patience);
			this.#calm = () => {
				clearTimeout(timer);
				this.#calm = null;
				done();
			};
		});
	}

	#heads(at: { heads: string[]; actor: string; next: number }): void {
		this.#actor = at.actor;
		this.#next = at.next;
		if (at.heads.join() !== this.state.heads.join()) this.#set({ heads: at.heads });
	}

	#began(answer: DocumentEditor): void {
		this.#editor = answer.editor;
		this.#batch = 0;
		this.#heads(answer);
		const { seen, seenAt, document, save } = answer;
		this.#set(this.state.document ? { document, save } : { document, save, seen, seenAt });
	}

	// again opens the document after its editor ended, and goes on.
	async #again(): Promise<boolean> {
		const where = { id: this.#id, heads: this.state.heads, actor: this.#actor, next: this.#next };
		const answer = await this.#ask<DocumentEditor>("document/open", where);
		const out = this.#out;
		this.#began(answer);
		if (answer.resumed) {
			const sent = answer.arrived ? out : null;
			const { steps, text } = stepsOf(answer.edits, sent ? sent.text : this.#confirmed);
			this.#receive(sent, steps, text);
		} else {
			const text = textOf(answer.blocks, answer.unmarked);
			// Nobody says whether the last batch arrived: what is nearer decides.
			const arrived = out && apart(out.text.doc, text.doc) < apart(this.#confirmed.doc, text.doc);
			const sent = arrived ? out : null;
			const step = difference(sent ? sent.text.doc : this.#confirmed.doc, text.doc);
			this.#receive(sent, step ? [step] : [], text);
		}
		if (length(this.#confirmed) !== answer.length) {
			const [steps, text] = await this.#heal(
				this.#confirmed,
				`${length(this.#confirmed)} units, not ${answer.length}`,
			);
			this.#receive(null, steps, text);
		}
		return true;
	}

	// repair makes one step of those that do not work: from what the program has, and
	// from what was sent to it, to what the page shows.
	#repair(err: unknown, shown: Node): void {
		console.warn("the editor goes on from what it shows:", err);
		const host = this.#host as Host;
		try {
			this.#fail("repair");
			let state = this.#fresh(this.#confirmed.doc);
			const go = (to: Node): number => {
				const step = difference(state.doc, to);
				if (step) state = state.apply(state.tr.step(step));
				return step ? 1 : 0;
			};
			if (this.#out) this.#out.steps = go(this.#out.text.doc);
			go(shown);
			const head = Math.min(host.state.selection.head, state.doc.content.size);
			host.updateState(state.apply(state.tr.setSelection(TextSelection.near(state.doc.resolve(head)))));
		} catch (worse) {
			this.#broke(worse);
			throw worse;
		}
	}

	#broke(err: unknown): void {
		console.error(err);
		this.#set({ kind: "broken", problem: null });
	}
}
