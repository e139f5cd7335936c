// The text as Go has it, unit by unit: slow, and right for whatever comes.
import type { Mark, Node } from "prosemirror-model";
import type { DocEdit } from "../api/types.gen";
import { put } from "./keep.attrs";
import type { Text } from "./place";
import {
	attrsOf,
	blockOf,
	type Fields,
	isEmbedMap,
	mapOf,
	markOf,
	marksOf,
	nodeOf,
	painted,
	schema,
} from "./schema";

// A Unit is one UTF-16 unit of text, or a block's beginning or an embed.
type Unit = { char: string; marks: readonly Mark[] } | { map: Fields };

// A Whole is a text that edits can be done to.
export class Whole {
	#units: Unit[] = [];

	static of({ doc, implicit }: Text): Whole {
		const whole = new Whole();
		doc.forEach((block, _pos, i) => {
			if (i > 0 || !implicit) whole.#units.push({ map: mapOf(block) });
			block.forEach((node) => {
				if (!node.isText) whole.#units.push({ map: mapOf(node) });
				else
					for (const char of (node.text as string).split("")) whole.#units.push({ char, marks: node.marks });
			});
		});
		return whole;
	}

	get length(): number {
		return this.#units.length;
	}

	do(edits: readonly DocEdit[]): this {
		for (const e of edits) this.#do(e);
		return this;
	}

	#do(e: DocEdit): void {
		if (e.at < 0 || e.at + (e.del ?? 0) > this.length)
			throw new Error(`an edit at ${e.at} of ${this.length}`);
		switch (e.kind) {
			case "splice": {
				const marks = marksOf(e.marks);
				this.#insert(
					e.at,
					e.del ?? 0,
					(e.text ?? "").split("").map((char) => ({ char, marks })),
				);
				break;
			}
			case "split":
				this.#insert(e.at, 0, [{ map: e.block ?? {} }]);
				break;
			case "join":
				this.#insert(e.at, 1, []);
				break;
			case "mark":
			case "unmark":
				this.#mark(e);
				break;
			case "update":
			case "put":
				this.#set(e);
				break;
			default:
				throw new Error(`an edit of kind ${e.kind}`);
		}
	}

	#insert(at: number, del: number, units: Unit[]): void {
		if (at === this.length) for (const u of units) this.#units.push(u);
		else if (units.length < 10_000) this.#units.splice(at, del, ...units);
		else this.#units = [...this.#units.slice(0, at), ...units, ...this.#units.slice(at + del)];
	}

	#mark(e: DocEdit): void {
		const name = e.name ?? "";
		const mark = e.kind === "mark" ? markOf(name, e.value) : null;
		for (let i = e.at; i < (e.end ?? e.at) && i < this.length; i++) {
			const u = this.#units[i] as Unit;
			if (!("char" in u)) continue;
			this.#units[i] = { char: u.char, marks: painted(u.marks, name, mark) };
		}
	}

	#set(e: DocEdit): void {
		const u = this.#units[e.at];
		if (!u || "char" in u) throw new Error(`no block at ${e.at}`);
		if (e.kind === "update") u.map = { ...u.map, ...e.block };
		else u.map = put(u.map, e.path ?? [], e.value ?? null);
	}

	// text is the whole as a document.
	text(): Text {
		const blocks: Node[] = [];
		let head: Fields | null = null; // null: the implicit one
		let content: Node[] = [];
		let run = "";
		let marks: readonly Mark[] = [];
		const flush = () => {
			if (run) content.push(schema.text(run, marks));
			run = "";
		};
		const close = () => {
			flush();
			blocks.push(blockOf(head && attrsOf(head), content));
			content = [];
		};
		const first = this.#units[0];
		const implicit = !first || "char" in first || isEmbedMap(first.map);
		for (const [i, u] of this.#units.entries()) {
			if ("char" in u) {
				if (u.marks !== marks && !same(u.marks, marks)) flush();
				marks = u.marks;
				run += u.char;
			} else if (isEmbedMap(u.map)) {
				flush();
				content.push(nodeOf(u.map));
			} else {
				if (i > 0 || implicit) close();
				head = u.map;
			}
		}
		close();
		return { doc: schema.node("doc", null, blocks), implicit };
	}
}

const same = (a: readonly Mark[], b: readonly Mark[]): boolean =>
	a.length === b.length && a.every((m, i) => m.eq(b[i] as Mark));
