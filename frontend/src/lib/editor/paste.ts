// Copying and pasting. Between documents of ours the text goes as it is, from other
// programs through paste.html.ts; ProseMirror's own way through the page's HTML is
// not used: it would put styles into the page that its policy forbids.
import { Fragment, type Mark, type Node } from "prosemirror-model";
import { Plugin, TextSelection, type Transaction } from "prosemirror-state";
import type { EditorView } from "prosemirror-view";
import { replaceWith } from "./commands";
import { htmlOf, textOf } from "./paste.copy";
import {
	type Block,
	blocksOf,
	clean,
	mostBlocks,
	mostHTML,
	mostText,
	parse,
	type Span,
	safe,
} from "./paste.html";
import { markOf, schema } from "./schema";
import { table } from "./tables";

const own = "application/x-inselnetz-text";

// Refused is what was too much to paste; text is what may go in its place.
export interface Refused {
	size: number; // characters
	text: string; // empty: that is too much as well, or there is none
}

export interface Pasting {
	space: string; // of the document
	refused: (what: Refused) => void;
	files: (files: File[], at: number | null) => boolean; // takes files; at: where they were dropped
}

const block = schema.nodes.block;
const embed = schema.nodes.embed;

// nodesOf makes blocks of what was read.
export function nodesOf(blocks: readonly Block[]): Node[] {
	return blocks.map((b) =>
		block.create(
			{ t: b.t, level: b.level, checked: b.checked, x: null },
			Fragment.fromArray(b.spans.flatMap(inline)),
		),
	);
}

function inline(span: Span): Node[] {
	if (span.table) return [embed.create({ t: "table", x: table(span.table, span.head ?? false) })];
	if (!span.text) return [];
	let marks: readonly Mark[] = [];
	for (const [name, value] of Object.entries(span.marks))
		marks = markOf(name, name === "link" ? JSON.stringify({ href: value, title: "" }) : value).addToSet(
			marks,
		);
	return [schema.text(span.text, marks)];
}

// plain makes paragraphs of text; in code it stays one block.
export function plain(text: string): Node[] {
	const lines = clean(text).replace(/\r\n?/g, "\n").replace(/\n+$/, "").split("\n");
	return lines.map((line) => block.create(null, line ? schema.text(line) : null));
}

// insert puts blocks in the place of the selection.
export function insert(tr: Transaction, nodes: readonly Node[]): Transaction {
	if (tr.selection.$from.parent.attrs.t === "code") {
		const text = nodes.map((n) => n.textBetween(0, n.content.size, undefined, "")).join("\n");
		return text ? tr.insertText(text).scrollIntoView() : tr;
	}
	return replaceWith(tr, nodes).setMeta("paste", true).setMeta("uiEvent", "paste");
}

// ours reads what another document of ours put on the clipboard. Anybody could have
// written it, so it is taken apart like all else.
function ours(raw: string, view: EditorView, space: string): Node[] | null {
	try {
		const { from, content } = JSON.parse(raw) as { from: string; content: unknown };
		const there = commentsOf(view.state.doc);
		const nodes: Node[] = [];
		Fragment.fromJSON(schema, content).forEach((node) => {
			if (node.type !== block) throw new Error("no block");
			node.check();
			const { t, level, checked, x } = node.attrs;
			const content: Node[] = [];
			node.forEach((child) => {
				if (child.isText) content.push(child.mark(child.marks.filter((m) => stays(m, there))));
				else content.push(elsewhere(child, from !== space));
			});
			const attrs = {
				t: typeof t === "string" ? t : "paragraph",
				level: Number.isInteger(level) ? Math.min(32, Math.max(0, level)) : 0,
				checked: checked === true,
				x: x && typeof x === "object" ? x : null,
			};
			nodes.push(block.create(attrs, Fragment.fromArray(content)));
		});
		return nodes.length > 0 && nodes.length <= mostBlocks ? nodes : null;
	} catch {
		return null; // the other ways are tried
	}
}

// A comment goes along with text that is moved, but is not copied.
function stays(mark: Mark, there: Set<string>): boolean {
	if (mark.type === schema.marks.comment) return !there.has(mark.attrs.id);
	return mark.type !== schema.marks.link || safe(mark.attrs.href) !== "";
}

// An image of another space is not to be seen here: its name stands for it.
function elsewhere(node: Node, other: boolean): Node {
	const name = node.attrs.x?.name;
	if (!other || typeof node.attrs.x?.path !== "string") return node;
	return schema.text(`[${typeof name === "string" && name ? name : node.attrs.t}]`);
}

function commentsOf(doc: Node): Set<string> {
	const found = new Set<string>();
	doc.descendants((node) => {
		for (const m of node.marks) if (m.type === schema.marks.comment) found.add(m.attrs.id);
	});
	return found;
}

// read is the blocks that a clipboard holds; null if it holds none or was refused.
function read(data: DataTransfer, view: EditorView, pasting: Pasting): Node[] | null {
	const mine = data.getData(own);
	if (mine) {
		const nodes = ours(mine, view, pasting.space);
		if (nodes) return nodes;
	}
	const html = data.getData("text/html");
	const text = data.getData("text/plain");
	const refuse = () => {
		pasting.refused({ size: Math.max(html.length, text.length), text: text.length <= mostText ? text : "" });
		return null;
	};
	if (html.length >= mostHTML) return refuse();
	if (html && view.state.selection.$from.parent.attrs.t !== "code") {
		const blocks = blocksOf(parse(html));
		if (!blocks) return refuse();
		if (blocks.length > 0) return nodesOf(blocks);
	}
	if (text.length > mostText || lineCount(text) > mostBlocks) {
		pasting.refused({ size: text.length, text: "" });
		return null;
	}
	return text ? plain(text) : null;
}

function lineCount(text: string): number {
	let n = 1;
	for (let i = text.indexOf("\n"); i >= 0; i = text.indexOf("\n", i + 1)) n++;
	return n;
}

// address is a link that is all of a text.
const address = (text: string) =>
	/^(https?:\/\/\S+|mailto:\S+)$/.test(text.trim()) ? safe(text.trim()) : "";

function paste(view: EditorView, data: DataTransfer, pasting: Pasting): boolean {
	const files = [...data.files];
	// Programs add a picture of the text to it.
	const words =
		data
			.getData("text/html")
			.replace(/<[^>]*>/g, "")
			.trim() || data.getData("text/plain");
	if (files.length > 0 && !words && pasting.files(files, null)) return true;
	const { from, to, empty } = view.state.selection;
	const href = address(data.getData("text/plain"));
	if (
		href &&
		!empty &&
		!data.types.includes(own) &&
		view.state.selection.$from.sameParent(view.state.selection.$to)
	) {
		view.dispatch(view.state.tr.addMark(from, to, schema.mark("link", { href, title: "" })));
		return true;
	}
	const nodes = read(data, view, pasting);
	if (nodes) view.dispatch(insert(view.state.tr, nodes));
	return true;
}

// put writes what is selected to a clipboard.
function put(view: EditorView, data: DataTransfer, space: string) {
	const slice = view.state.selection.content();
	const blocks = slice.openStart > 0 || slice.content.firstChild?.type === block;
	const content = blocks ? slice.content : Fragment.from(block.create(null, slice.content));
	const within = content.childCount === 1 && slice.openStart > 0;
	data.clearData();
	data.setData("text/html", htmlOf(content, within));
	data.setData("text/plain", textOf(content, within));
	data.setData(own, JSON.stringify({ from: space, content: content.toJSON() }));
}

// pasting is the plugin. It handles what ProseMirror would.
export function pasting(options: Pasting): Plugin {
	const copy = (view: EditorView, event: ClipboardEvent, cut: boolean) => {
		if (within(event) || view.state.selection.empty || !event.clipboardData) return false;
		event.preventDefault();
		put(view, event.clipboardData, options.space);
		if (cut && view.editable)
			view.dispatch(view.state.tr.deleteSelection().scrollIntoView().setMeta("uiEvent", "cut"));
		return true;
	};
	return new Plugin({
		props: {
			clipboardTextSerializer: (slice) => textOf(slice.content, false), // of what is dragged elsewhere
			handleDOMEvents: {
				copy: (view, event) => copy(view, event, false),
				cut: (view, event) => copy(view, event, true),
				paste(view, event) {
					if (within(event) || !event.clipboardData) return false;
					event.preventDefault();
					return !view.editable || paste(view, event.clipboardData, options);
				},
				drop(view, event) {
					if (within(event) || !event.dataTransfer || view.dragging) return false;
					event.preventDefault();
					if (!view.editable) return true;
					const at = view.posAtCoords({ left: event.clientX, top: event.clientY })?.pos ?? null;
					const files = [...event.dataTransfer.files];
					if (files.length > 0) {
						options.files(files, at);
						return true;
					}
					const nodes = read(event.dataTransfer, view, options);
					if (!nodes) return true;
					const tr = view.state.tr;
					if (at !== null) tr.setSelection(near(tr, at));
					view.dispatch(insert(tr, nodes));
					view.focus();
					return true;
				},
			},
		},
	});
}

const near = (tr: Transaction, at: number) =>
	TextSelection.near(tr.doc.resolve(Math.max(0, Math.min(at, tr.doc.content.size))));

// within says whether an event is about a field in the text, a cell say.
const within = (event: Event) =>
	event.target instanceof HTMLTextAreaElement || event.target instanceof HTMLInputElement;
