// Finding text in the document that is open. What was found is shown by decorations,
// which move along while people write.
import type { Node } from "prosemirror-model";
import { type EditorState, Plugin, PluginKey, TextSelection } from "prosemirror-state";
import { Decoration, DecorationSet, type EditorView } from "prosemirror-view";

interface Found {
	query: string;
	places: { from: number; to: number }[];
	at: number; // the one shown; -1: none
	shown: DecorationSet;
}

const key = new PluginKey<Found>("find");
const none: Found = { query: "", places: [], at: -1, shown: DecorationSet.empty };
const most = 2_000; // places that are marked

// look finds all places of a text, large or small, within blocks.
export function look(doc: Node, query: string): { from: number; to: number }[] {
	const wanted = fold(query);
	const found: { from: number; to: number }[] = [];
	if (!wanted) return found;
	doc.forEach((block, offset) => {
		const text = fold(block.textBetween(0, block.content.size, undefined, "\ufffc"));
		for (
			let i = text.indexOf(wanted);
			i >= 0 && found.length < most;
			i = text.indexOf(wanted, i + wanted.length)
		)
			found.push({ from: offset + 1 + i, to: offset + 1 + i + wanted.length });
	});
	return found;
}

// fold makes letters alike that differ in size only, each as long as before.
const fold = (text: string) => {
	const small = text.toLowerCase();
	return small.length === text.length
		? small
		: [...text].map((c) => (c.toLowerCase().length === c.length ? c.toLowerCase() : c)).join("");
};

function shown(doc: Node, places: Found["places"], at: number): DecorationSet {
	return DecorationSet.create(
		doc,
		places.map((p, i) => Decoration.inline(p.from, p.to, { class: i === at ? "found found--now" : "found" })),
	);
}

export function finding(): Plugin<Found> {
	return new Plugin<Found>({
		key,
		state: {
			init: () => none,
			apply(tr, was) {
				const asked = tr.getMeta(key) as { query: string; at: number } | undefined;
				if (!asked && (!tr.docChanged || !was.query)) return was;
				const query = asked?.query ?? was.query;
				if (!query) return none;
				const places = asked?.query === was.query && !tr.docChanged ? was.places : look(tr.doc, query);
				const at = places.length === 0 ? -1 : Math.min(asked?.at ?? was.at, places.length - 1);
				return { query, places, at, shown: shown(tr.doc, places, at) };
			},
		},
		props: { decorations: (state) => key.getState(state)?.shown },
	});
}

// found is how many places there are and which is shown, from 1.
export function found(state: EditorState): { at: number; of: number } {
	const now = key.getState(state);
	return { at: (now?.at ?? -1) + 1, of: now?.places.length ?? 0 };
}

// find looks for a text from the selection on; "" ends it.
export function find(view: EditorView, query: string) {
	const places = look(view.state.doc, query);
	const from = view.state.selection.from;
	const first = places.findIndex((p) => p.from >= from);
	view.dispatch(view.state.tr.setMeta(key, { query, at: Math.max(0, first) }));
	reveal(view);
}

// step goes to the next place, or the one before.
export function step(view: EditorView, by: 1 | -1) {
	const now = key.getState(view.state);
	if (!now || now.places.length === 0) return;
	const at = (now.at + by + now.places.length) % now.places.length;
	view.dispatch(view.state.tr.setMeta(key, { query: now.query, at }));
	reveal(view);
}

// end ends the search and leaves the selection on what was shown.
export function end(view: EditorView) {
	const now = key.getState(view.state);
	const place = now?.places[now.at];
	const tr = view.state.tr.setMeta(key, { query: "", at: -1 });
	if (place) tr.setSelection(TextSelection.create(tr.doc, place.from, place.to));
	view.dispatch(tr);
}

function reveal(view: EditorView) {
	view.dom.querySelector(".found--now")?.scrollIntoView({ block: "center" });
}
