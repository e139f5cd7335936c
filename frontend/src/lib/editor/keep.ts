// Replacing text so that nothing of others is lost: what somebody inserted inside
// of what is deleted, or undone, stays.
import { Fragment, type Node, type Schema, Slice } from "prosemirror-model";
import { type Mappable, Mapping, type MapResult, Step, StepMap, StepResult } from "prosemirror-transform";
import { bare } from "./keep.bare";
import { blockOf } from "./schema";

export { PutStep, SetStep } from "./keep.attrs";

// A Part replaces [from,to) by slice, in positions of the document before the step.
// Its id stays the same when the step is mapped or inverted.
export interface Part {
	id: number;
	from: number;
	to: number;
	slice: Slice;
}

// Keep replaces some ranges, ascending and apart. It can be applied to any document:
// see fit.
export class Keep extends Step {
	#parts: readonly Part[];
	#fits: Node | null = null;

	constructor(parts: readonly Part[]) {
		super();
		this.#parts = parts;
	}

	// of is one replacement as ProseMirror would do it.
	static of(doc: Node, from: number, to: number, slice: Slice): Keep {
		return new Keep([{ id: 0, from, to, slice }]).fitted(doc);
	}

	get parts(): readonly Part[] {
		return this.#parts;
	}

	// fitted makes the parts right for the document. A step belongs to one document,
	// so this happens once.
	fitted(doc: Node): this {
		if (this.#fits !== doc) this.#parts = fit(doc, this.#parts);
		this.#fits = doc;
		return this;
	}

	override apply(doc: Node): StepResult {
		this.fitted(doc);
		for (let i = this.#parts.length - 1; i >= 0; i--) {
			const { from, to, slice } = this.#parts[i] as Part;
			doc = doc.replace(from, to, slice);
		}
		return StepResult.ok(doc);
	}

	override getMap(): StepMap {
		if (this.#parts.length === 0) return StepMap.empty;
		return new KeepMap(
			this.#parts.flatMap((p) => [p.from, p.to - p.from, p.slice.size]),
			this.#parts.map((p) => p.id),
		);
	}

	override invert(doc: Node): Step {
		this.fitted(doc);
		let shift = 0;
		return new Keep(
			this.#parts.map(({ id, from, to, slice }) => {
				const at = from + shift;
				shift += slice.size - (to - from);
				return { id, from: at, to: at + slice.size, slice: doc.slice(from, to) };
			}),
		);
	}

	override map(mapping: Mappable): Step | null {
		const through = mapping instanceof Mapping ? mapping : new Mapping([mapping as StepMap]);
		const out: Part[] = [];
		let next = Math.max(...this.#parts.map((p) => p.id)) + 1;
		let last = 0;
		const add = (id: number, from: number, to: number, slice: Slice) => {
			from = Math.max(from, last);
			last = Math.max(from, to);
			out.push({ id, from, to: last, slice });
		};
		for (const { id, from, to, slice } of this.#parts) {
			const left = from < to ? remains(from, to, through) : [];
			const [first] = left;
			if (first) add(id, first[0], first[1], slice);
			else if (slice.size > 0) {
				const at = through.map(from, 1);
				add(id, at, at, slice);
			}
			for (const [a, b] of left.slice(1)) add(next++, a, b, Slice.empty);
		}
		return out.length > 0 ? new Keep(out) : null;
	}

	override merge(other: Step): Step | null {
		if (!(other instanceof Keep) || this.#parts.length !== 1 || other.#parts.length !== 1) return null;
		const a = this.#parts[0] as Part;
		const b = other.#parts[0] as Part;
		const join = (x: Slice, y: Slice) =>
			x.size + y.size === 0 ? Slice.empty : new Slice(x.content.append(y.content), x.openStart, y.openEnd);
		if (a.from + a.slice.size === b.from && !a.slice.openEnd && !b.slice.openStart)
			return new Keep([
				{ id: a.id, from: a.from, to: a.to + (b.to - b.from), slice: join(a.slice, b.slice) },
			]);
		if (b.to === a.from && !a.slice.openStart && !b.slice.openEnd)
			return new Keep([{ id: a.id, from: b.from, to: a.to, slice: join(b.slice, a.slice) }]);
		return null;
	}

	override toJSON() {
		const parts = this.#parts.map((p) => ({ ...p, slice: p.slice.toJSON() }));
		return { stepType: "keep", parts };
	}

	static override fromJSON(
		schema: Schema,
		json: { parts: (Omit<Part, "slice"> & { slice: object })[] },
	): Keep {
		return new Keep(json.parts.map((p) => ({ ...p, slice: Slice.fromJSON(schema, p.slice) })));
	}
}

Step.jsonID("keep", Keep);

// What ProseMirror's maps have beside what they declare.
interface Within {
	_map(pos: number, assoc: number, simple: boolean): number | (MapResult & { recover: number | null });
	recover(value: number): number;
}
const within = StepMap.prototype as unknown as Within;
const factor = 2 ** 16; // a position within a range: range + offset * factor

// A KeepMap names its ranges by the ids of the parts. A place in text that goes and
// comes back, as when steps are rebased, is found again also when the step has
// another number of parts then.
class KeepMap extends StepMap {
	constructor(
		ranges: readonly number[],
		readonly ids: readonly number[],
		inverted = false,
	) {
		super(ranges, inverted);
	}

	override invert(): StepMap {
		const { ranges, inverted } = this as unknown as { ranges: number[]; inverted: boolean };
		return new KeepMap(ranges, this.ids, !inverted);
	}

	recover(value: number): number {
		const index = Math.max(this.ids.indexOf(value % factor), 0);
		return within.recover.call(this, value - (value % factor) + index);
	}

	_map(pos: number, assoc: number, simple: boolean): unknown {
		const result = within._map.call(this, pos, assoc, simple);
		if (typeof result !== "number" && result.recover !== null) {
			const index = result.recover % factor;
			result.recover += (this.ids[index] ?? 0) - index;
		}
		return result;
	}
}

// remains says what is left of a range: ascending, apart, and without what others
// inserted in it.
function remains(from: number, to: number, mapping: Mapping): [number, number][] {
	const found: [number, number][] = [];
	const go = (a: number, b: number, i: number): void => {
		for (; i < mapping.to; i++) {
			const map = mapping.maps[i] as StepMap;
			const pieces: [number, number][] = [];
			let at = a; // up to here all is said
			let shift = 0;
			let index = -1;
			map.forEach((s, e, _ns, ne) => {
				index++;
				if (s >= b) return;
				if (e > a) {
					if (s > at) pieces.push([at + shift, s + shift]);
					const back = e > s ? (mapping as unknown as Mirrors).getMirror(i) : undefined;
					if (back !== undefined && back > i && back < mapping.to) {
						const range = map instanceof KeepMap ? (map.ids[index] ?? 0) : index;
						const start = Math.max(s, a);
						const again = (mapping.maps[back] as unknown as Within).recover(range + (start - s) * factor);
						go(again, again + Math.min(e, b) - start, back + 1);
					}
					at = Math.max(at, e);
				}
				shift = ne - e;
			});
			if (at < b) pieces.push([at + shift, b + shift]);
			const [only] = pieces;
			if (pieces.length !== 1 || !only) {
				for (const [x, y] of pieces) go(x, y, i + 1);
				return;
			}
			[a, b] = only;
		}
		found.push([a, b]);
	};
	go(from, to, mapping.from);
	found.sort((x, y) => x[0] - y[0]);
	const out: [number, number][] = [];
	for (const [a, b] of found) {
		const last = out[out.length - 1];
		if (last && last[1] >= a) last[1] = Math.max(last[1], b);
		else out.push([a, b]);
	}
	return out;
}

interface Mirrors {
	getMirror(n: number): number | undefined;
}

// fit gives parts the one form they have in a document. The text is flat: a block's
// beginning is one unit, its end is none. So a range that begins between two blocks
// is the same as one that begins at the end of the block before, and any range and
// any slice make sense anywhere. Only the beginning of the first block must stay,
// unless another takes its place.
export function fit(doc: Node, parts: readonly Part[]): readonly Part[] {
	const out: Part[] = [];
	let head = 0; // all before goes
	let last = 0;
	let same = true;
	for (const part of parts) {
		const fitted = fitOne(doc, part, head, last);
		same &&= fitted === part;
		if (!fitted) continue;
		out.push(fitted);
		last = fitted.to;
		if (fitted.from === head && between(doc, last)) head = last;
	}
	return same ? parts : out;
}

const between = (doc: Node, pos: number): boolean => doc.resolve(pos).depth === 0;

function fitOne(doc: Node, part: Part, head: number, last: number): Part | null {
	const size = doc.content.size;
	let from = Math.min(Math.max(part.from, last), size);
	let to = Math.min(Math.max(part.to, from), size);
	let { slice } = part;
	const blocks = slice.content.firstChild?.isBlock ?? false;
	const begins = blocks && slice.openStart === 0; // with a block of its own
	const out = between(doc, to);
	if (between(doc, from)) {
		if (from === head && begins) return made(part, from, to, opened(slice, 0, out ? 0 : 1));
		if (from === head && out && to > from && to < size && slice.size === 0)
			return made(part, from, to, slice);
		from = from === head ? head + 1 : from - 1;
	}
	if (out) to--;
	to = Math.max(from, to);
	if (inPair(doc, from)) from = Math.max(from - 1, last);
	if (to < from) to = from;
	if (inPair(doc, to)) to = from === to ? from - 1 : to + 1;
	if (to < from) from = to;
	if (from === to && slice.size === 0) return null;
	if (begins) slice = new Slice(Fragment.from(blockOf(null)).append(slice.content), 1, 1);
	else if (blocks) slice = opened(slice, 1, 1);
	return made(part, from, to, slice);
}

const opened = (slice: Slice, start: number, end: number): Slice =>
	slice.openStart === start && slice.openEnd === end ? slice : new Slice(slice.content, start, end);

function made(part: Part, from: number, to: number, slice: Slice): Part {
	if (from === part.from && to === part.to && slice === part.slice) return part;
	return { id: part.id, from, to, slice };
}

// inPair says whether a position is within a character of two UTF-16 units.
function inPair(doc: Node, pos: number): boolean {
	const $pos = doc.resolve(pos);
	if ($pos.textOffset === 0) return false;
	const text = $pos.parent.child($pos.index()).text ?? "";
	return isHigh(text.charCodeAt($pos.textOffset - 1)) && isLow(text.charCodeAt($pos.textOffset));
}

const isHigh = (c: number): boolean => c >= 0xd800 && c < 0xdc00;
const isLow = (c: number): boolean => c >= 0xdc00 && c < 0xe000;

// difference is the step that makes one document the other, or null if they are the
// same.
export function difference(was: Node, is: Node): Keep | null {
	const start = was.content.findDiffStart(is.content);
	if (start === null) return null;
	const end = was.content.findDiffEnd(is.content);
	if (!end) return null;
	const over = Math.max(0, start - Math.min(end.a, end.b));
	return Keep.of(was, start, end.a + over, bare(is.slice(start, end.b + over)));
}
