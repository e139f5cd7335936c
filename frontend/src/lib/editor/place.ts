// Where something is in the text as Go counts, and as ProseMirror does.
import type { Node } from "prosemirror-model";

// A Text is a document with what ProseMirror cannot say: whether its first block is
// implicit, without a beginning of its own in Go's text.
export interface Text {
	doc: Node;
	implicit: boolean;
}

// length is that of the text in Go.
export const length = ({ doc, implicit }: Text): number =>
	doc.content.size - doc.childCount - (implicit ? 1 : 0);

// indexOf is the position in Go for one of ProseMirror. Before an implicit first
// block it is 0.
export function indexOf({ doc, implicit }: Text, pos: number): number {
	const at = pos - doc.resolve(pos).index(0) - (implicit ? 1 : 0);
	return Math.max(at, 0);
}

// gapAt is the place in ProseMirror for a position in Go: within a block, at its end
// if the position is before the next one's beginning. 0 is before the first block
// if that has a beginning.
export function gapAt({ doc, implicit }: Text, at: number): number {
	if (at <= 0 && !implicit) return 0;
	return walk({ doc, implicit }, at).gap;
}

// nodeAt is where the block or embed is that is at a position in Go, or -1.
export function nodeAt(text: Text, at: number): number {
	const { start, index } = walk(text, at + 1);
	if (at === index) return start; // the beginning of a block
	const pos = start + 1 + (at - index - 1);
	return text.doc.nodeAt(pos)?.isAtom ? pos : -1;
}

// walk finds the block that holds the unit before a position: where it starts and
// which position in Go its beginning has.
function walk({ doc, implicit }: Text, at: number): { start: number; index: number; gap: number } {
	let index = implicit ? -1 : 0;
	let start = 0;
	for (let k = 0; k < doc.childCount - 1; k++) {
		const size = doc.child(k).content.size;
		if (at <= index + 1 + size) break;
		index += 1 + size;
		start += size + 2;
	}
	return { start, index, gap: start + at - index };
}
