// What the toolbar shows of the selection, and the plugins of the text that are not
// its core.
import { dropCursor } from "prosemirror-dropcursor";
import { gapCursor } from "prosemirror-gapcursor";
import { redoDepth, undoDepth } from "prosemirror-history";
import { keydownHandler } from "prosemirror-keymap";
import type { Mark, MarkType, Node } from "prosemirror-model";
import { type EditorState, NodeSelection, Plugin, PluginKey, TextSelection } from "prosemirror-state";
import { Decoration, DecorationSet, type EditorView } from "prosemirror-view";
import { spots } from "./embeds";
import { finding } from "./find";
import { type Asks, keys } from "./keys";
import { type Pasting, pasting } from "./paste";
import { safe } from "./paste.html";
import { rules } from "./rules";
import { schema } from "./schema";

// Look is what the selection has.
export interface Look {
	kind: string; // of the first block
	level: number;
	marks: ReadonlySet<string>; // names of those that all selected text has
	colour: string;
	link: string; // address at the selection
	text: boolean; // marks can be set
	item: boolean;
	empty: boolean; // nothing is selected
	undo: boolean;
	redo: boolean;
}

const far = 400; // stretches of text that are looked at; a larger selection is judged by them

// lookOf reads it.
export function lookOf(state: EditorState): Look {
	const { $from, from, to, empty } = state.selection;
	const block = $from.depth > 0 ? $from.node(1) : state.doc.nodeAt(from);
	const marks = empty ? (state.storedMarks ?? $from.marks()) : common(state.doc, from, to);
	const of = (type: MarkType) => marks.find((m) => m.type === type);
	const code = block?.attrs.t === "code";
	return {
		kind: block?.attrs.t ?? "paragraph",
		level: block?.attrs.level ?? 0,
		marks: new Set(marks.map((m) => m.type.name)),
		colour: of(schema.marks.color)?.attrs.v ?? "",
		link: linkAt(state)?.mark.attrs.href ?? "",
		text: !code && !(state.selection instanceof NodeSelection),
		item: ["bullet", "ordered", "task"].includes(block?.attrs.t),
		empty,
		undo: undoDepth(state) > 0,
		redo: redoDepth(state) > 0,
	};
}

function common(doc: Node, from: number, to: number): readonly Mark[] {
	let marks: readonly Mark[] | null = null;
	let seen = 0;
	doc.nodesBetween(from, to, (node) => {
		if (!node.isText || seen > far) return seen <= far;
		seen++;
		const had: readonly Mark[] | null = marks;
		marks = had === null ? node.marks : had.filter((m) => m.isInSet(node.marks));
		return false;
	});
	return marks ?? [];
}

export interface LinkAt {
	mark: Mark;
	from: number;
	to: number;
}

// linkAt is the link that the selection is in, with all of its text.
export function linkAt(state: EditorState): LinkAt | null {
	const { $from, to } = state.selection;
	const type = schema.marks.link;
	const parent = $from.parent;
	if (!parent.inlineContent) return null;
	const here = parent.childAfter($from.parentOffset);
	const before = parent.childBefore($from.parentOffset);
	const mark =
		(here.node && type.isInSet(here.node.marks)) ?? (before.node && type.isInSet(before.node.marks));
	if (!mark) return null;
	let found: LinkAt | null = null;
	let from = -1;
	const start = $from.start();
	parent.forEach((child, offset) => {
		const at = start + offset;
		if (!mark.isInSet(child.marks)) {
			from = -1;
			return;
		}
		if (from < 0) from = at;
		const end = at + child.nodeSize;
		if (from <= $from.pos && $from.pos <= end) found = { mark, from, to: end };
	});
	return found && to <= (found as LinkAt).to ? found : null;
}

// setLink makes a link of the selection, or changes the one it is in; text replaces
// what stands there.
export function setLink(view: EditorView, href: string, text: string) {
	const { state } = view;
	const at = linkAt(state);
	const from = at?.from ?? state.selection.from;
	const to = at?.to ?? state.selection.to;
	const mark = schema.mark("link", { href, title: at?.mark.attrs.title ?? "" });
	const tr = state.tr;
	const was = state.doc.textBetween(from, to, " ");
	if (text && text !== was) {
		const marks = state.doc.resolve(from).marksAcross(state.doc.resolve(to)) ?? [];
		tr.replaceWith(from, to, schema.text(text, mark.addToSet(marks)));
	} else {
		if (at) tr.removeMark(from, to, schema.marks.link);
		tr.addMark(from, to, mark);
	}
	const end = text && text !== was ? from + text.length : to;
	tr.setSelection(TextSelection.create(tr.doc, end)).removeStoredMark(schema.marks.link);
	view.dispatch(tr.scrollIntoView());
}

export function removeLink(view: EditorView) {
	const at = linkAt(view.state);
	if (at) view.dispatch(view.state.tr.removeMark(at.from, at.to, schema.marks.link));
}

// addressOf is what somebody typed as an address, completed; "" if it is none.
export function addressOf(typed: string): string {
	const text = typed.trim();
	if (/^[^\s@/:]+@[^\s@/]+\.[^\s@/]+$/.test(text)) return safe(`mailto:${text}`);
	if (/^\+?[\d\s()/-]{5,}$/.test(text)) return safe(`tel:${text.replace(/[^\d+]/g, "")}`);
	if (/^[a-z][a-z\d+.-]*:/i.test(text) && !/^[\w.-]+:\d+(\/|$)/.test(text)) return safe(text);
	if (text.startsWith("#/")) return safe(text);
	if (/^[^\s/]+\.[^\s/]+/.test(text) || /^localhost\b/.test(text)) return safe(`https://${text}`);
	return "";
}

// commentOn marks what is selected as what a comment is about.
export function commentOn(view: EditorView, id: string, from: number, to: number) {
	const tr = view.state.tr;
	const mark = schema.mark("comment", { id });
	view.state.doc.nodesBetween(from, to, (node, pos) => {
		if (node.isText) tr.addMark(Math.max(from, pos), Math.min(to, pos + node.nodeSize), mark);
	});
	if (tr.docChanged) view.dispatch(tr);
}

// placeOf is where the text of a comment is; null if it is gone.
export function placeOf(doc: Node, id: string): { from: number; to: number } | null {
	let place: { from: number; to: number } | null = null;
	doc.descendants((node, pos) => {
		if (node.isText && node.marks.some((m) => m.type === schema.marks.comment && m.attrs.id === id))
			place = { from: place?.from ?? pos, to: pos + node.nodeSize };
		return true;
	});
	return place;
}

// What the comment that is chosen, or is being written, is about; it moves along.
interface Chosen {
	from: number;
	to: number;
}
const chosenKey = new PluginKey<Chosen | null>("chosen");

const choosing = (): Plugin<Chosen | null> =>
	new Plugin<Chosen | null>({
		key: chosenKey,
		state: {
			init: () => null,
			apply(tr, was) {
				const asked = tr.getMeta(chosenKey) as Chosen | null | undefined;
				if (asked !== undefined) return asked;
				if (!was || !tr.docChanged) return was;
				const now = { from: tr.mapping.map(was.from, 1), to: tr.mapping.map(was.to, -1) };
				return now.from < now.to ? now : null;
			},
		},
		props: {
			decorations: (state) => {
				const at = chosenKey.getState(state);
				return (
					at && DecorationSet.create(state.doc, [Decoration.inline(at.from, at.to, { class: "cm cm--on" })])
				);
			},
		},
	});

// choose shows what a comment is about; null ends it.
export const choose = (view: EditorView, at: Chosen | null) =>
	view.dispatch(view.state.tr.setMeta(chosenKey, at && { from: at.from, to: at.to }));
export const chosen = (state: EditorState): Chosen | null => chosenKey.getState(state) ?? null;

// The block where one writes is always laid out: what is typed into one that the
// browser has not drawn yet (content-visibility) is lost or lands elsewhere.
const near = (): Plugin =>
	new Plugin({
		props: {
			decorations({ doc, selection: { $head } }) {
				if ($head.depth === 0) return null;
				return DecorationSet.create(doc, [
					Decoration.node($head.before(1), $head.after(1), { class: "near" }),
				]);
			},
		},
	});

export interface Hooks extends Asks, Pasting {
	opens: (href: string) => void; // a link was pressed with Strg
	thread: (id: string) => void; // the text of a comment was pressed
	embeds: Plugin; // their views
	tools: () => void; // the focus goes to the toolbar
	update: (view: EditorView) => void; // something is another
}

// plugins is all of them, in order.
export function plugins(hooks: Hooks): Plugin[] {
	const handle = keydownHandler(keys(hooks));
	return [
		hooks.embeds,
		rules(),
		new Plugin({
			props: {
				attributes: { spellcheck: "true", autocapitalize: "sentences" },
				handleKeyDown(view, event) {
					if (event.altKey && event.key === "F10") {
						hooks.tools();
						event.preventDefault();
						return true;
					}
					// What the text takes is not for the page, which has shortcuts too.
					if (!handle(view, event)) return false;
					event.stopPropagation();
					return true;
				},
				handleDOMEvents: {
					click: (_view, event) => pressed(event, hooks),
					dblclick: (view) => void setTimeout(() => unbreak(view), 30),
					auxclick: (_view, event) => {
						if ((event.target as Element).closest?.("a")) event.preventDefault();
						return false;
					},
				},
			},
		}),
		pasting(hooks),
		finding(),
		choosing(),
		near(),
		spots(),
		new Plugin({ view: () => ({ update: (view) => hooks.update(view) }) }),
		dropCursor({ class: "drop-cursor", color: false, width: 2 }),
		gapCursor(),
	];
}

// unbreak: a double click beside a paragraph selects its end in some browsers, and
// what is typed then would join it with the next.
function unbreak(view: EditorView) {
	if (view.isDestroyed) return;
	const { doc, selection, tr } = view.state;
	const { from, to } = selection;
	if (to - from !== 2 || selection.$from.sameParent(selection.$to)) return;
	view.dispatch(tr.setSelection(TextSelection.create(doc, from)));
}

function pressed(event: MouseEvent, hooks: Hooks): boolean {
	const target = event.target as Element;
	const link = target.closest?.("a");
	if (link) {
		event.preventDefault(); // the page never leaves by itself
		const href = safe(link.getAttribute("href") ?? "");
		if (href && (event.ctrlKey || event.metaKey)) hooks.opens(href);
	}
	const comment = target.closest?.("[data-comment]");
	if (comment instanceof HTMLElement && comment.dataset.comment) hooks.thread(comment.dataset.comment);
	return false;
}
