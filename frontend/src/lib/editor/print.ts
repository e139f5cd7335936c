// Printing: the text is drawn once more, without what one writes with, beside the
// page; paper.css shows nothing else on paper.
import { DOMSerializer, type Node } from "prosemirror-model";
import { address, bytes } from "../files";
import { schema } from "./schema";
import { gridOf } from "./tables";

// still draws an embed for reading only.
export function still(node: Node, space: string): HTMLElement {
	const { t, x } = node.attrs;
	if (t === "table") return stillTable(x);
	const name = typeof x?.name === "string" ? x.name : "";
	if (t === "image" && typeof x?.path === "string") {
		const box = make("span", "embed-image");
		if (typeof x.width === "string") box.dataset.width = x.width;
		const img = document.createElement("img");
		img.src = address(space, x.path, "", true);
		img.alt = typeof x.alt === "string" && x.alt ? x.alt : name;
		box.append(img);
		return box;
	}
	const box = make("span", "embed-file");
	box.textContent = [name || t, typeof x?.size === "number" ? bytes(x.size) : ""].filter(Boolean).join(", ");
	return box;
}

function stillTable(x: Record<string, unknown> | null): HTMLElement {
	const grid = gridOf(x);
	const table = document.createElement("table");
	const part = (tag: "thead" | "tbody", rows: string[]) => {
		const section = document.createElement(tag);
		for (const row of rows) {
			const tr = section.appendChild(document.createElement("tr"));
			for (const col of grid.cols) {
				const cell = tr.appendChild(document.createElement(tag === "thead" ? "th" : "td"));
				const box = cell.appendChild(make("div", "cell"));
				box.appendChild(make("div", "still")).textContent = grid.text(row, col);
			}
		}
		if (rows.length > 0) table.append(section);
	};
	part("thead", grid.head ? grid.rows.slice(0, 1) : []);
	part("tbody", grid.head ? grid.rows.slice(1) : grid.rows);
	const box = make("div", "embed-table");
	box.append(table);
	return box;
}

function make(tag: "span" | "div", looks: string): HTMLElement {
	const el = document.createElement(tag);
	el.className = looks;
	return el;
}

// draw makes the text as elements for reading only.
export function draw(doc: Node, space: string): HTMLElement {
	const marks = DOMSerializer.marksFromSchema(schema);
	const nodes = DOMSerializer.nodesFromSchema(schema);
	const drawer = new DOMSerializer({ ...nodes, embed: (node) => still(node, space) }, marks);
	const paper = document.createElement("article");
	paper.className = "paper";
	paper.append(drawer.serializeFragment(doc.content));
	for (const task of paper.querySelectorAll<HTMLElement>("ul[data-t=task]")) {
		const item = task.firstElementChild;
		if (!item) continue;
		const text = document.createElement("div");
		text.append(...item.childNodes);
		const box = make("span", "box");
		const tick = document.createElement("input");
		tick.type = "checkbox";
		tick.checked = task.dataset.checked === "true";
		box.append(tick);
		item.append(box, text);
	}
	return paper;
}

// prepare draws what is printed; the result takes it away again. A heading that says
// the title is not said twice.
export function prepare(
	title: string,
	doc: Node,
	space: string,
): { ready: Promise<unknown>; end: () => void } {
	const root = make("div", "print-root");
	const first = doc.firstChild;
	const said = first?.attrs.t === "heading" && (first.attrs.level <= 1 || first.textContent.trim() === title);
	if (!said && title) {
		const heading = document.createElement("h1");
		heading.className = "print-title";
		heading.textContent = title;
		root.append(heading);
	}
	root.append(draw(doc, space));
	document.body.append(root);
	document.body.classList.add("prints");
	const images = [...root.querySelectorAll("img")].map((img) => img.decode().catch(() => img.remove()));
	return {
		ready: Promise.all(images),
		end: () => {
			root.remove();
			document.body.classList.remove("prints");
		},
	};
}

// print prints the text.
export async function print(title: string, doc: Node, space: string): Promise<void> {
	const sheet = prepare(title, doc, space);
	await Promise.race([sheet.ready, new Promise((done) => setTimeout(done, 5000))]);
	addEventListener("afterprint", sheet.end, { once: true });
	window.print();
}
