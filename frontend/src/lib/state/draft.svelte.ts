// What someone is writing, kept in this browser until the program has it.
import type { Message } from "../api/types.gen";

export interface Target {
	id: string;
	pos: number;
	author: string;
	text: string;
}

interface Kept {
	text: string;
	reply: Target | null;
	editing: Target | null;
	editText: string;
	nonce: string;
	sending: string; // the text the nonce stands for
}

const empty: Kept = { text: "", reply: null, editing: null, editText: "", nonce: "", sending: "" };

export class Draft {
	text = $state("");
	reply = $state.raw<Target | null>(null);
	editing = $state.raw<Target | null>(null);
	editText = $state("");
	#nonce = "";
	#sending = "";
	#timer: ReturnType<typeof setTimeout> | undefined;

	constructor(readonly key: string) {
		let kept = empty;
		try {
			kept = { ...empty, ...JSON.parse(localStorage.getItem(this.#place) ?? "{}") };
		} catch {
			// Damaged: begin with an empty field.
		}
		this.text = kept.text;
		this.reply = kept.reply;
		this.editing = kept.editing;
		this.editText = kept.editText;
		this.#nonce = kept.nonce;
		this.#sending = kept.sending;
	}

	get #place() {
		return `inselnetz.draft.${this.key}`;
	}

	// nonce is the same for the same text until it was sent: a retry after an
	// answer that got lost posts once.
	nonce(text: string): string {
		if (!this.#nonce || this.#sending !== text) {
			this.#nonce = [...crypto.getRandomValues(new Uint8Array(16))]
				.map((b) => b.toString(16).padStart(2, "0"))
				.join("");
			this.#sending = text;
			this.save();
		}
		return this.#nonce;
	}

	// sent takes away what the program has; what was typed meanwhile stays.
	sent(text: string) {
		this.text = this.text.startsWith(text) ? this.text.slice(text.length) : this.text;
		this.reply = null;
		this.#nonce = "";
		this.#sending = "";
		this.save();
	}

	edit(message: Message) {
		this.editing = target(message);
		this.editText = message.text;
		this.reply = null;
		this.save();
	}

	stopEditing() {
		this.editing = null;
		this.editText = "";
		this.save();
	}

	// forget drops what is kept of a message that was erased.
	forget(id: string) {
		if (this.reply?.id === id) this.reply = null;
		if (this.editing?.id === id) this.stopEditing();
		this.save();
	}

	// later saves soon: a long text is not written at every key.
	later() {
		clearTimeout(this.#timer);
		this.#timer = setTimeout(() => this.save(), 150);
	}

	save() {
		clearTimeout(this.#timer);
		const kept: Kept = {
			text: this.text,
			reply: this.reply,
			editing: this.editing,
			editText: this.editText,
			nonce: this.#nonce,
			sending: this.#sending,
		};
		try {
			if (kept.text || kept.reply || kept.editing) localStorage.setItem(this.#place, JSON.stringify(kept));
			else localStorage.removeItem(this.#place);
		} catch {
			// Too long for this browser: the text is still in the field.
		}
	}
}

export function target(message: Message): Target {
	return { id: message.id, pos: message.pos, author: message.author.name, text: message.text.slice(0, 140) };
}
