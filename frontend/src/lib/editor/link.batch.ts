// What is sent at once.
import type { Node } from "prosemirror-model";
import type { Step } from "prosemirror-transform";
import type { DocEdit } from "../api/types.gen";
import { difference } from "./keep";
import { indexOf, type Text } from "./place";
import { editsOf, together } from "./translate";

// A Batch is some steps that were not sent yet, as edits.
export interface Batch {
	steps: number; // how many they are
	edits: DocEdit[];
	text: Text; // that they lead to
	rest: boolean; // there are more
}

// Bounds of a batch: it is one change of the document, which arrives as a whole.
const mostText = 4000;
const mostEdits = 200;

// batchOf translates the first steps of those not sent yet.
export function batchOf(text: Text, steps: readonly Step[]): Batch {
	const edits: DocEdit[] = [];
	let size = 0;
	let n = 0;
	for (; n < steps.length; n++) {
		const made = editsOf(steps[n] as Step, text);
		const more = made.edits.reduce((sum, e) => sum + (e.text?.length ?? 0) + (e.del ?? 0), 0);
		if (n > 0 && (size + more > mostText || edits.length + made.edits.length > mostEdits)) break;
		edits.push(...made.edits);
		size += more;
		text = made.text;
	}
	return { steps: n, edits: together(edits), text, rest: n < steps.length };
}

// selected is where a selection is when the first steps are done and the rest is
// not.
export function selected(text: Text, rest: readonly Step[], pos: number): number {
	for (let i = rest.length - 1; i >= 0; i--) pos = (rest[i] as Step).getMap().invert().map(pos, -1);
	return indexOf(text, Math.min(Math.max(pos, 0), text.doc.content.size));
}

// apart says how much differs between two documents.
export function apart(a: Node, b: Node): number {
	return difference(a, b)?.parts.reduce((sum, p) => sum + p.to - p.from + p.slice.size, 0) ?? 0;
}

// written is the text of what one document has and the other has not.
export function written(was: Node, is: Node): string {
	const start = was.content.findDiffStart(is.content);
	const end = was.content.findDiffEnd(is.content);
	if (start === null || !end) return "";
	return is.textBetween(start, Math.max(start, end.b), "\n", (leaf) => `[${leaf.attrs.t}]`);
}
