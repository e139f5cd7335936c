// Where others are in the text: their cursors and what they have selected. It is no
// part of the document.
import { type EditorState, Plugin, PluginKey } from "prosemirror-state";
import { Decoration, DecorationSet } from "prosemirror-view";

// Someone is another page and where its selection is, in ProseMirror's positions.
export interface Someone {
	page: string;
	name: string;
	tint: number;
	anchor: number;
	head: number;
}

const key = new PluginKey<DecorationSet>("here");

// here is the plugin that shows them.
export const here = (): Plugin =>
	new Plugin<DecorationSet>({
		key,
		state: {
			init: () => DecorationSet.empty,
			apply: (tr, shown) => {
				const said = tr.getMeta(key) as Someone[] | undefined;
				if (said)
					return DecorationSet.create(
						tr.doc,
						said.flatMap((s) => decorations(s, tr.doc.content.size)),
					);
				return tr.docChanged ? shown.map(tr.mapping, tr.doc) : shown;
			},
		},
		props: { decorations: (state) => key.getState(state) },
	});

// show is the transaction that shows where others are now.
export const show = (state: EditorState, said: Someone[]) =>
	state.tr.setMeta(key, said).setMeta("addToHistory", false);

// shown says whether somebody is shown.
export const shown = (state: EditorState): boolean => (key.getState(state)?.find().length ?? 0) > 0;

function decorations(s: Someone, size: number): Decoration[] {
	const within = (pos: number) => Math.min(Math.max(pos, 0), size);
	const [head, anchor] = [within(s.head), within(s.anchor)];
	const out = [Decoration.widget(head, () => caret(s), { side: 1, key: `${s.page} ${s.tint} ${s.name}` })];
	if (head !== anchor) {
		const attrs = { class: "here-range", "data-t": String(s.tint) };
		out.push(Decoration.inline(Math.min(head, anchor), Math.max(head, anchor), attrs));
	}
	return out;
}

function caret(s: Someone): HTMLElement {
	const at = document.createElement("span");
	at.className = "here";
	at.dataset.t = String(s.tint);
	at.setAttribute("aria-hidden", "true");
	const name = document.createElement("span");
	name.className = "here-name";
	name.dataset.name = s.name; // shown by CSS: no text of the document
	at.append(name);
	// Where there is no room to the right the name stands to the left.
	requestAnimationFrame(() => {
		const room = at.closest(".ProseMirror")?.getBoundingClientRect().right ?? 0;
		at.classList.toggle("here-left", name.getBoundingClientRect().right > room);
	});
	return at;
}
