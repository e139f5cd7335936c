// A large replacement as several smaller ones: what is sent at once must fit in one
// change of the document, so that it arrives as a whole or not at all.
import { type Node, Slice } from "prosemirror-model";
import { Keep } from "./keep";

const most = 2000; // tokens of a piece

// pieces are steps that do what one does.
export function pieces(keep: Keep, doc: Node): Keep[] {
	const [part, ...others] = keep.parts;
	if (!part || others.length > 0 || (part.slice.size <= most && part.to - part.from <= most)) return [keep];
	const after = keep.apply(doc).doc;
	if (!after) return [keep];
	const out: Keep[] = [];
	let at = doc;
	const step = (from: number, to: number, slice: Slice) => {
		const k = Keep.of(at, from, to, slice);
		out.push(k);
		at = k.apply(at).doc ?? at;
	};
	const [from, end] = [part.from, part.from + part.slice.size];
	let { to } = part;
	if (to - from > most) {
		// Of the first block its beginning can go only as a whole, at last.
		const first = (doc.firstChild as Node).nodeSize;
		const low = from === 0 ? Math.min(first - 1, to) : from;
		shrink(doc, low, to, step);
		if (from > 0) to = from;
		else if (to > first - 1) to = doc.resolve(to).depth === 0 ? first : first - 1;
	}
	let next = inBlock(after, from, Math.min(from + most, end), end);
	step(from, to, after.slice(from, next));
	while (next < end) {
		const start = next;
		next = inBlock(after, start, Math.min(start + most, end), end);
		step(start, start, after.slice(start, next));
	}
	return at.eq(after) ? out.filter((k) => k.parts.length > 0) : [keep];
}

// shrink deletes a range from its end.
function shrink(
	doc: Node,
	low: number,
	to: number,
	step: (from: number, to: number, slice: Slice) => void,
): void {
	while (to > low) {
		const from = inBlock(doc, low, Math.max(low, to - most), to);
		step(from, to, Slice.empty);
		to = from < to ? from : low;
	}
}

// inBlock is a place near pos within a block and not within a character.
function inBlock(doc: Node, from: number, pos: number, end: number): number {
	if (pos <= from || pos >= end) return pos;
	const $pos = doc.resolve(pos);
	if ($pos.depth === 0) return pos - 1 > from ? pos - 1 : pos + 1;
	const low = $pos.parent.textBetween(
		$pos.parentOffset,
		Math.min($pos.parentOffset + 1, $pos.parent.content.size),
	);
	return /^[\udc00-\udfff]/.test(low) ? pos + 1 : pos;
}
