// Steps of the editor as edits for Go, and edits of others as steps.
import { Fragment, type Node, Slice } from "prosemirror-model";
import type { Step } from "prosemirror-transform";
import type { DocEdit } from "../api/types.gen";
import { difference, Keep, type Part } from "./keep";
import { leads, PutStep, SetStep } from "./keep.attrs";
import { MarksStep } from "./keep.marks";
import { gapAt, indexOf, nodeAt, type Text } from "./place";
import {
	blockOf,
	type Fields,
	inline,
	isBlock,
	isEmbedMap,
	mapOf,
	marksFor,
	marksOf,
	nodeOf,
	schema,
} from "./schema";
import { Whole } from "./translate.whole";

// Edits is what a step means to Go, and the text that it leads to.
export interface Edits {
	edits: DocEdit[];
	text: Text;
}

// editsOf translates a step that is done to a text.
export function editsOf(step: Step, text: Text): Edits {
	const after = step.apply(text.doc);
	if (!after.doc) throw new Error(`a step that does not fit: ${after.failed}`);
	const edits: DocEdit[] = [];
	let at = text;
	if (text.implicit && (touchesStart(step) || emptiesStart(after.doc))) {
		// The first block needs a beginning to be anything but a paragraph, or to
		// have one before it.
		edits.push({ kind: "split", at: 0, block: mapOf(text.doc.child(0)) });
		at = { doc: text.doc, implicit: false };
	}
	if (step instanceof Keep) keepEdits(step.parts, at, edits);
	else if (step instanceof MarksStep) {
		for (const s of step.strokes) {
			const place = { at: indexOf(at, s.from), end: indexOf(at, s.to), name: s.name };
			if (s.value === null) edits.push({ kind: "unmark", ...place });
			else edits.push({ kind: "mark", ...place, value: s.value });
		}
	} else if (step instanceof SetStep) edits.push(...setEdits(indexOf(at, step.pos), step.set, "update"));
	else if (step instanceof PutStep) {
		const node = text.doc.nodeAt(step.pos);
		if (node && leads(mapOf(node), step.path))
			edits.push({ kind: "put", at: indexOf(at, step.pos), path: [...step.path], value: step.value });
	} else throw new Error(`a step of another kind: ${step.constructor.name}`);
	return { edits, text: { doc: after.doc, implicit: at.implicit } };
}

function touchesStart(step: Step): boolean {
	if (step instanceof Keep) return step.parts.some((p) => p.from === 0);
	return (step instanceof SetStep || step instanceof PutStep) && step.pos === 0;
}

// An implicit block without text is none if another follows.
const emptiesStart = (after: Node): boolean => after.childCount > 1 && after.firstChild?.content.size === 0;

function keepEdits(parts: readonly Part[], text: Text, out: DocEdit[]): void {
	for (let i = parts.length - 1; i >= 0; i--) {
		const { from, to, slice } = parts[i] as Part;
		const at = indexOf(text, from);
		const del = indexOf(text, to) - at;
		const edits = insertion(at, slice);
		const first = edits[0];
		if (del > 0 && first?.kind === "splice") first.del = del;
		else if (del > 0) out.push({ kind: "splice", at, del });
		for (const e of edits) join(out, e);
	}
}

// join adds an edit, to the one before where it goes on typing.
function join(out: DocEdit[], e: DocEdit): void {
	const last = out[out.length - 1];
	const typed = last?.kind === "splice" && last.text && e.kind === "splice" && e.text && !e.del;
	if (typed && e.at === last.at + typing(last) && JSON.stringify(e.marks) === JSON.stringify(last.marks))
		last.text = `${last.text}${e.text}`;
	else out.push(e);
}

const typing = (e: DocEdit): number => e.text?.length ?? 0;

// together joins what steps after one another mean.
export function together(edits: readonly DocEdit[]): DocEdit[] {
	const out: DocEdit[] = [];
	for (const e of edits) join(out, { ...e });
	return out;
}

// insertion are the edits that insert a slice.
function insertion(at: number, slice: Slice): DocEdit[] {
	const out: DocEdit[] = [];
	const add = (node: Node) => {
		if (node.isText) {
			const text = node.text as string;
			out.push({ kind: "splice", at, text, marks: marksFor(node.marks) });
			at += text.length;
		} else out.push(...setEdits(at++, mapOf(node), "split"));
	};
	slice.content.forEach((node, _pos, i) => {
		if (!isBlock(node)) {
			add(node);
			return;
		}
		if (i > 0 || slice.openStart === 0) add(node.copy());
		node.forEach(add);
	});
	return out;
}

const largest = 6000; // of attributes in one edit, in characters of JSON

// setEdits are a split or update, with what is too large for one edit put behind
// it piece by piece.
function setEdits(at: number, map: Fields, kind: "split" | "update"): DocEdit[] {
	if (JSON.stringify(map).length <= largest) return [{ kind, at, block: map }];
	const small: Fields = {};
	const out: DocEdit[] = [{ kind, at, block: small }];
	for (const [key, value] of Object.entries(map)) {
		const deep = typeof value === "object" && value !== null && !Array.isArray(value);
		if (!deep || JSON.stringify(value).length < 500) small[key] = value;
		else {
			if (kind === "update") small[key] = null;
			for (const [k, v] of Object.entries(value)) out.push({ kind: "put", at, path: [key, k], value: v });
		}
	}
	return out;
}

// Steps is what edits mean to the editor, and the text that they lead to.
export interface Steps {
	steps: Step[];
	text: Text;
}

// stepsOf translates edits of others. What does not fit step by step becomes the
// difference to the text that it shall be.
export function stepsOf(edits: readonly DocEdit[], text: Text): Steps {
	const steps: Step[] = [];
	let at = text;
	for (let i = 0; i < edits.length; i++) {
		const step = stepOf(edits[i] as DocEdit, at);
		if (step === undefined) {
			const is = Whole.of(at).do(edits.slice(i)).text();
			const keep = difference(at.doc, is.doc);
			if (keep) steps.push(keep);
			const doc = keep?.apply(at.doc).doc ?? at.doc;
			return { steps, text: { doc, implicit: is.implicit } };
		}
		if (step === null) continue;
		const after = step.apply(at.doc);
		if (!after.doc) throw new Error(`an edit that does not fit: ${after.failed}`);
		steps.push(step);
		at = { doc: after.doc, implicit: at.implicit };
	}
	return { steps, text: at };
}

// stepOf is the step for an edit, null for none, undefined if it has no simple one.
function stepOf(e: DocEdit, text: Text): Step | null | undefined {
	const del = e.del ?? 0;
	switch (e.kind) {
		case "splice": {
			if (e.at === 0 && (!text.implicit || del > 0)) return undefined;
			const slice = e.text ? inline(schema.text(e.text, marksOf(e.marks))) : Slice.empty;
			if (del === 0 && !e.text) return null;
			return Keep.of(text.doc, gapAt(text, e.at), gapAt(text, e.at + del), slice);
		}
		case "split": {
			if (e.at === 0) return undefined;
			const node = nodeOf(e.block ?? {});
			const at = gapAt(text, e.at);
			if (isEmbedMap(e.block ?? {})) return Keep.of(text.doc, at, at, inline(node));
			return Keep.of(text.doc, at, at, new Slice(Fragment.from([blockOf(null), node]), 1, 1));
		}
		case "mark":
		case "unmark": {
			const from = gapAt(text, e.at);
			const to = gapAt(text, e.end ?? e.at);
			if (from >= to) return null;
			const value = e.kind === "mark" ? e.value : null;
			return new MarksStep([{ from, to, name: e.name ?? "", value }]);
		}
		case "update": {
			if (e.block && "embed" in e.block) return undefined;
			const pos = nodeAt(text, e.at);
			return pos < 0 ? undefined : new SetStep(pos, e.block ?? {});
		}
	}
	return undefined;
}
