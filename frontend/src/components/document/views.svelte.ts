// The views of what is not text: Svelte components in ProseMirror's tree, and the
// box of a task.
import { DOMSerializer, type Node } from "prosemirror-model";
import { NodeSelection, Plugin, Selection } from "prosemirror-state";
import type { EditorView, NodeView } from "prosemirror-view";
import { type Component, flushSync, mount, unmount } from "svelte";
import { PutStep } from "../../lib/editor/keep";
import { schema } from "../../lib/editor/schema";
import type { Put, X } from "../../lib/editor/tables";
import { t } from "../../lib/words/index.svelte";
import FileView from "./FileView.svelte";
import ImageView from "./ImageView.svelte";
import TableView from "./TableView.svelte";

// Embedded is what the view of an embed gets.
export interface Embedded {
	x: X;
	space: string;
	selected: boolean;
	editable: boolean;
	put: (puts: Put[], more?: boolean) => void; // more: goes on what was typed before
	select: () => void;
	remove: () => void;
	leave: (to: -1 | 1) => void; // the focus goes back to the text, before or behind it
	undo: (redo: boolean) => void;
}

const views: Record<string, Component<Embedded>> = { table: TableView, image: ImageView, file: FileView };

class EmbedView implements NodeView {
	dom: HTMLElement;
	#props: Embedded;
	#made: ReturnType<typeof mount>;
	gone = () => {};

	constructor(
		private node: Node,
		private view: EditorView,
		private at: () => number | undefined,
		space: string,
		undo: (redo: boolean) => void,
	) {
		this.dom = document.createElement("span");
		this.dom.contentEditable = "false";
		this.dom.dataset.embed = node.attrs.t;
		this.#props = $state({
			x: node.attrs.x ?? {},
			space,
			selected: false,
			editable: view.editable,
			put: (puts, more) => this.#put(puts, more ?? false),
			select: () => this.#select(),
			remove: () => this.#remove(),
			leave: (to) => this.#leave(to),
			undo,
		});
		this.#made = mount(views[node.attrs.t] ?? FileView, { target: this.dom, props: this.#props });
		flushSync();
	}

	#put(puts: Put[], more: boolean) {
		const pos = this.at();
		if (pos === undefined || !this.view.editable || puts.length === 0) return;
		const tr = this.view.state.tr;
		for (const { path, value } of puts) tr.step(new PutStep(pos, path, value));
		// One word typed into a cell is one step to undo.
		if (more) tr.setMeta("appendedTransaction", tr);
		this.view.dispatch(tr);
	}

	#select() {
		const pos = this.at();
		if (pos === undefined) return;
		const { selection, doc } = this.view.state;
		if (selection instanceof NodeSelection && selection.from === pos) return;
		this.view.dispatch(this.view.state.tr.setSelection(NodeSelection.create(doc, pos)));
	}

	#remove() {
		const pos = this.at();
		if (pos === undefined) return;
		this.view.dispatch(this.view.state.tr.delete(pos, pos + 1));
		this.view.focus();
	}

	#leave(to: -1 | 1) {
		const pos = this.at();
		if (pos === undefined) return;
		this.view.focus();
		const { doc, tr } = this.view.state;
		const place = doc.resolve(to < 0 ? pos : pos + 1);
		const edge = to < 0 ? place.before() : place.after();
		// Where nothing is before or behind its block, a paragraph comes.
		if (to > 0 && edge === doc.content.size) tr.insert(edge, schema.nodes.block.create());
		const found = Selection.findFrom(tr.doc.resolve(edge), to, true);
		if (found) this.view.dispatch(tr.setSelection(found).scrollIntoView());
	}

	update(node: Node): boolean {
		if (node.type !== this.node.type || node.attrs.t !== this.node.attrs.t) return false;
		this.node = node;
		this.#props.x = node.attrs.x ?? {};
		this.#props.editable = this.view.editable;
		flushSync();
		return true;
	}

	// allow is told whether one may write now.
	allow(editable: boolean) {
		this.#props.editable = editable;
	}

	selectNode() {
		this.dom.classList.add("ProseMirror-selectednode");
		this.#props.selected = true;
	}

	deselectNode() {
		this.dom.classList.remove("ProseMirror-selectednode");
		this.#props.selected = false;
	}

	// What happens in a field of it is not for the text.
	stopEvent(event: Event): boolean {
		const target = event.target as HTMLElement;
		return target !== this.dom && target.closest("textarea, input, select, button, a, [popover]") !== null;
	}

	ignoreMutation(): boolean {
		return true;
	}

	destroy() {
		this.gone();
		unmount(this.#made);
	}
}

class TaskView implements NodeView {
	dom: HTMLElement;
	contentDOM: HTMLElement;
	#box: HTMLInputElement;
	gone = () => {};

	constructor(
		private node: Node,
		view: EditorView,
		at: () => number | undefined,
	) {
		this.dom = document.createElement("ul");
		const item = this.dom.appendChild(document.createElement("li"));
		const place = item.appendChild(document.createElement("span"));
		place.className = "box";
		place.contentEditable = "false";
		this.#box = place.appendChild(document.createElement("input"));
		this.#box.type = "checkbox";
		this.#box.tabIndex = -1; // Strg and Enter tick it from the text
		this.contentDOM = item.appendChild(document.createElement("div"));
		this.#box.addEventListener("change", () => {
			const pos = at();
			const checked = this.#box.checked;
			this.#show();
			if (pos !== undefined && view.editable)
				view.dispatch(view.state.tr.setNodeAttribute(pos, "checked", checked));
		});
		this.#box.disabled = !view.editable;
		this.#show();
	}

	#show() {
		const { level, checked } = this.node.attrs;
		this.dom.dataset.t = "task";
		if (level > 0) this.dom.dataset.level = String(level);
		else delete this.dom.dataset.level;
		if (checked) this.dom.dataset.checked = "true";
		else delete this.dom.dataset.checked;
		this.#box.checked = checked;
		this.#box.setAttribute("aria-label", `${t.editor.ticked}: ${this.node.textContent.slice(0, 80)}`);
	}

	update(node: Node): boolean {
		if (node.type !== this.node.type || node.attrs.t !== "task") return false;
		this.node = node;
		this.#show();
		return true;
	}

	allow(editable: boolean) {
		this.#box.disabled = !editable;
	}

	destroy() {
		this.gone();
	}

	stopEvent(event: Event): boolean {
		return event.target === this.#box;
	}

	ignoreMutation(mutation: { target: globalThis.Node }): boolean {
		return !this.contentDOM.contains(mutation.target);
	}
}

// embeds is the plugin; undo takes back what was done in the text.
export function embeds(space: string, undo: (redo: boolean) => void): Plugin {
	const all = new Set<EmbedView | TaskView>();
	const kept = <V extends EmbedView | TaskView>(view: V): V => {
		all.add(view);
		view.gone = () => all.delete(view);
		return view;
	};
	return new Plugin({
		props: {
			nodeViews: {
				embed: (node, view, at) => kept(new EmbedView(node, view, at, space, undo)),
				block: (node, view, at) =>
					node.attrs.t === "task" ? kept(new TaskView(node, view, at)) : drawn(node),
			},
		},
		view: () => {
			let could: boolean | null = null;
			return {
				update: ({ editable }) => {
					if (editable === could) return;
					could = editable;
					for (const view of all) view.allow(editable);
				},
			};
		},
	});
}

// drawn is a block as the schema has it; it is redrawn when an attribute changes.
function drawn(node: Node): NodeView {
	const spec = node.type.spec.toDOM?.(node);
	if (!spec) throw new Error("the schema draws no block");
	return { ...DOMSerializer.renderSpec(document, spec), update: (next) => next.sameMarkup(node) };
}
