// What one can do with the text: kinds of blocks, lists, marks. The schema is flat,
// so that a list's item is a block with a depth, and all of this is attributes.
// Attributes change one by one (AttrStep): two people who change different ones of
// the same block do not undo each other's.
import { type Attrs, Fragment, type Mark, type MarkType, type Node, Slice } from "prosemirror-model";
import {
	type Command,
	type EditorState,
	NodeSelection,
	TextSelection,
	type Transaction,
} from "prosemirror-state";
import { schema } from "./schema";

const block = schema.nodes.block;

export const deepest = 8; // level of a list's item

export const isItem = (t: string) => t === "bullet" || t === "ordered" || t === "task";

export interface Placed {
	node: Node;
	pos: number;
}

// blocksOf is the blocks that the selection touches.
export function blocksOf(state: EditorState): Placed[] {
	const found: Placed[] = [];
	for (const range of state.selection.ranges) {
		state.doc.nodesBetween(range.$from.pos, range.$to.pos, (node, pos) => {
			if (node.type === block && found.at(-1)?.pos !== pos) found.push({ node, pos });
			return false;
		});
	}
	return found;
}

// attr sets attributes of a block, those that are another now.
export function attr(tr: Transaction, pos: number, attrs: Attrs): Transaction {
	const node = tr.doc.nodeAt(pos);
	for (const [name, value] of Object.entries(attrs))
		if (node && node.attrs[name] !== value) tr.setNodeAttribute(pos, name, value);
	return tr;
}

// plainText takes away what a block of code cannot have.
function plainText(tr: Transaction, at: Placed) {
	const from = at.pos + 1;
	at.node.forEach((child, offset) => {
		for (const mark of child.marks)
			if (mark.type !== schema.marks.comment)
				tr.removeMark(from + offset, from + offset + child.nodeSize, mark);
	});
}

// turn makes blocks of a kind; level is that of a heading.
export function turn(tr: Transaction, blocks: Placed[], t: string, level = 0): Transaction {
	for (const at of blocks) {
		const keeps = isItem(t) && isItem(at.node.attrs.t);
		const attrs: Attrs = { t, level: keeps ? at.node.attrs.level : level };
		attr(tr, at.pos, t === "task" ? attrs : { ...attrs, checked: false });
		if (t === "code") plainText(tr, at);
	}
	return tr;
}

// setKind makes the selected blocks of a kind, or text again if all are.
export function setKind(t: string, level = 0): Command {
	return (state, dispatch) => {
		const blocks = blocksOf(state);
		if (blocks.length === 0) return false;
		const all = blocks.every((b) => b.node.attrs.t === t && (isItem(t) || b.node.attrs.level === level));
		if (dispatch)
			dispatch(
				(all ? turn(state.tr, blocks, "paragraph") : turn(state.tr, blocks, t, level)).scrollIntoView(),
			);
		return true;
	};
}

// indent moves items of lists in or out; what is no item stays.
export function indent(by: 1 | -1): Command {
	return (state, dispatch) => {
		const items = blocksOf(state).filter((b) => isItem(b.node.attrs.t));
		if (items.length === 0) return false;
		const tr = state.tr;
		for (const { node, pos } of items) {
			const level = Math.min(deepest, Math.max(0, node.attrs.level + by));
			attr(tr, pos, { level });
		}
		if (dispatch && tr.docChanged) dispatch(tr.scrollIntoView());
		return true;
	};
}

// check ticks the tasks of the selection, or unticks them if all are.
export const check: Command = (state, dispatch) => {
	const tasks = blocksOf(state).filter((b) => b.node.attrs.t === "task");
	if (tasks.length === 0) return false;
	const checked = !tasks.every((b) => b.node.attrs.checked);
	const tr = state.tr;
	for (const { pos } of tasks) attr(tr, pos, { checked });
	if (dispatch) dispatch(tr);
	return true;
};

// texts is the stretches of text in a range, whose marks may change.
function texts(doc: Node, from: number, to: number): { from: number; to: number; marks: readonly Mark[] }[] {
	const found: { from: number; to: number; marks: readonly Mark[] }[] = [];
	doc.nodesBetween(from, to, (node, pos, parent) => {
		if (node.isText && parent?.attrs.t !== "code")
			found.push({ from: Math.max(from, pos), to: Math.min(to, pos + node.nodeSize), marks: node.marks });
		return true;
	});
	return found;
}

const inCode = (state: EditorState) => state.selection.$from.parent.attrs.t === "code";

// toggle gives the selected text a mark, or takes it away if all has it. An embed
// never has one.
export function toggle(type: MarkType, attrs: Attrs | null = null): Command {
	return (state, dispatch) => {
		const { from, to, empty, $from } = state.selection;
		if (!$from.parent.inlineContent || state.selection instanceof NodeSelection) return false;
		const mark = type.create(attrs);
		if (empty) {
			if (inCode(state)) return false;
			const has = mark.isInSet(state.storedMarks ?? $from.marks());
			if (dispatch) dispatch(has ? state.tr.removeStoredMark(mark) : state.tr.addStoredMark(mark));
			return true;
		}
		const parts = texts(state.doc, from, to);
		if (parts.length === 0) return false;
		const all = parts.every((p) => mark.isInSet(p.marks));
		const tr = state.tr;
		for (const p of parts) {
			if (all) tr.removeMark(p.from, p.to, mark);
			else tr.addMark(p.from, p.to, mark);
		}
		if (dispatch) dispatch(tr.scrollIntoView());
		return true;
	};
}

// colour sets the colour of the selected text; "" is that of all text.
export function colour(v: string): Command {
	const type = schema.marks.color;
	return (state, dispatch) => {
		const { from, to, empty } = state.selection;
		if (inCode(state)) return false;
		const tr = state.tr;
		if (empty) tr.removeStoredMark(type);
		if (empty && v) tr.addStoredMark(type.create({ v }));
		for (const p of empty ? [] : texts(state.doc, from, to)) {
			tr.removeMark(p.from, p.to, type);
			if (v) tr.addMark(p.from, p.to, type.create({ v }));
		}
		if (dispatch) dispatch(tr);
		return true;
	};
}

// clear takes all marks away but those of comments.
export const clear: Command = (state, dispatch) => {
	const { from, to, empty } = state.selection;
	const tr = state.tr;
	if (empty) tr.setStoredMarks([]);
	for (const p of empty ? [] : texts(state.doc, from, to))
		for (const mark of p.marks) if (mark.type !== schema.marks.comment) tr.removeMark(p.from, p.to, mark);
	if (dispatch) dispatch(tr);
	return true;
};

// newline is a line's end within a block.
export const newline: Command = (state, dispatch) => {
	if (!state.selection.$from.parent.inlineContent) return false;
	if (dispatch) dispatch(state.tr.insertText("\n").scrollIntoView());
	return true;
};

// next is what a block becomes behind one that ends here.
function next(attrs: Attrs, atEnd: boolean): Attrs {
	if (attrs.t === "heading" && atEnd) return { t: "paragraph", level: 0, checked: false, x: null };
	return { t: attrs.t, level: attrs.level, checked: false, x: null };
}

// enter begins a new block; in an empty item or quote it ends the list instead, in
// code it is a line's end.
export const enter: Command = (state, dispatch) => {
	const { $from, empty } = state.selection;
	if (state.selection instanceof NodeSelection || !$from.parent.inlineContent) return below(state, dispatch);
	const { t, level } = $from.parent.attrs;
	if (t === "code") return newline(state, dispatch);
	if (empty && $from.parent.content.size === 0 && (isItem(t) || t === "quote")) {
		const attrs =
			isItem(t) && level > 0 ? { level: level - 1 } : { t: "paragraph", level: 0, checked: false };
		if (dispatch) dispatch(attr(state.tr, $from.before(), attrs).scrollIntoView());
		return true;
	}
	if (!dispatch) return true;
	const tr = state.tr.deleteSelection();
	const $pos = tr.selection.$from;
	const atEnd = $pos.parentOffset === $pos.parent.content.size;
	const before = $pos.before();
	tr.split($pos.pos, 1, [{ type: block, attrs: next($pos.parent.attrs, atEnd) }]);
	// What is pushed down by an empty line above it takes its kind along.
	if ($pos.parentOffset === 0 && !atEnd && t === "heading") attr(tr, before, { t: "paragraph", level: 0 });
	const marks = state.storedMarks ?? (empty ? $from.marks() : null);
	if (marks && !atEnd) tr.ensureMarks([]);
	else if (marks) tr.ensureMarks(marks.filter((m) => m.type.spec.inclusive !== false));
	dispatch(tr.scrollIntoView());
	return true;
};

// below begins an empty paragraph behind the block of the selection: the way out of
// code and from behind an embed.
export const below: Command = (state, dispatch) => {
	const { $to } = state.selection;
	if ($to.depth === 0) return false;
	const end = $to.after(1);
	if (dispatch) {
		const tr = state.tr.insert(end, block.create({ t: "paragraph" }));
		dispatch(tr.setSelection(TextSelection.create(tr.doc, end + 1)).scrollIntoView());
	}
	return true;
};

// back is Backspace at the beginning of a block: its kind goes first, then it joins
// the one before.
export const back: Command = (state, dispatch) => {
	const { $from, empty } = state.selection;
	if (!empty || $from.depth === 0 || $from.parentOffset > 0) return false;
	const pos = $from.before();
	if ($from.parent.attrs.t !== "paragraph") {
		if (dispatch) dispatch(turn(state.tr, [{ node: $from.parent, pos }], "paragraph").scrollIntoView());
		return true;
	}
	if (pos === 0) return true;
	if (dispatch) dispatch(state.tr.join(pos).scrollIntoView());
	return true;
};

// ahead is Delete at the end of a block.
export const ahead: Command = (state, dispatch) => {
	const { $from, empty } = state.selection;
	if (!empty || $from.depth === 0 || $from.parentOffset < $from.parent.content.size) return false;
	const end = $from.after();
	if (end >= state.doc.content.size) return true;
	if (dispatch) dispatch(state.tr.join(end).scrollIntoView());
	return true;
};

// wipe deletes what is selected. Where blocks are selected as a whole, an empty
// one stays.
export const wipe: Command = (state, dispatch) => {
	if (state.selection.empty) return false;
	if (dispatch) dispatch(state.tr.deleteSelection().scrollIntoView());
	return true;
};

// replaceWith puts blocks in the place of the selection. The first goes on in the
// block that is there, and gives it its kind if that was empty; what was behind the
// selection goes on in the last.
export function replaceWith(tr: Transaction, nodes: readonly Node[]): Transaction {
	const first = nodes[0];
	if (!first) return tr;
	if (!tr.selection.empty) tr.deleteSelection();
	const $at = tr.selection.$from;
	const pos = $at.before();
	const bare = $at.parent.content.size === 0 && $at.parent.attrs.t === "paragraph";
	tr.replace($at.pos, $at.pos, new Slice(Fragment.fromArray([...nodes]), 1, 1));
	if (bare) {
		const { t, level, checked, x } = first.attrs;
		attr(tr, pos, x ? { t, level, checked, x } : { t, level, checked });
	}
	const end = tr.mapping.map($at.pos, 1);
	tr.setSelection(TextSelection.near(tr.doc.resolve(Math.min(end, tr.doc.content.size)), -1));
	return tr.scrollIntoView();
}

// placeEmbed puts an embed where the selection is: a table or an image stands in a
// paragraph of its own, anything else in the line.
export function placeEmbed(tr: Transaction, embed: Node): Transaction {
	if (!tr.selection.empty) tr.deleteSelection();
	const $at = tr.selection.$from;
	const alone = embed.attrs.t === "table" || embed.attrs.t === "image";
	if (!alone) return tr.replaceWith($at.pos, $at.pos, embed).scrollIntoView();
	const { parent } = $at;
	const text = { t: "paragraph" };
	const nodes = [
		block.create(text, embed),
		block.create($at.parentOffset < parent.content.size ? parent.attrs : text),
	];
	const bare = parent.content.size === 0;
	if (bare) attr(tr, $at.before(), { t: "paragraph", level: 0, checked: false });
	if (!bare) nodes.unshift(block.create(text));
	return replaceWith(tr, nodes);
}
