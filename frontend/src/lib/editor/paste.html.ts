// HTML of other programs as blocks: what Word, LibreOffice, Google Docs and pages of
// the web put on the clipboard. Only what the text of ours can say is taken over:
// no program, no picture from elsewhere, no look that is just black on white.
// Nothing here knows ProseMirror.

export interface Span {
	text: string;
	marks: Record<string, string | true>; // strong, em, underline, strike, code, marker: true; color: "#rrggbb"; link: address
	table?: string[][]; // instead of text: rows of cells
	head?: boolean; // the first row of it is a heading
}

export interface Block {
	t: string;
	level: number;
	checked: boolean;
	spans: Span[];
}

export const mostHTML = 5_000_000; // characters; more is refused
export const mostText = 1_000_000;
export const mostBlocks = 5_000;
const mostDepth = 150; // elements within each other; what is deeper is plain text
const mostCells = 2_000;

type Marks = Span["marks"];

interface Here {
	marks: Marks;
	depth: number;
	list: number; // lists within each other
	kind: string; // of the innermost list
	item: Item | null; // whose first line comes next
	quote: number;
	pre: boolean;
	space: boolean; // white space counts
	heading: number;
	task: boolean; // the list is one of tasks
}

interface Item {
	t: string;
	level: number;
	checked: boolean;
	used: boolean;
}

// blocksOf reads a document that an HTML parser made, which neither runs nor loads
// anything. The result is null for more than a text takes at once.
export function blocksOf(body: Element): Block[] | null {
	try {
		return new Reader().all(body);
	} catch (err) {
		if (err instanceof TooMuch) return null;
		throw err;
	}
}

class TooMuch extends Error {}

// parse makes a document of HTML. Styles are read from another attribute, and sheets
// of them become fields, which hold plain text as well: the page's policy allows no
// style in text, and the browser would complain about each.
export function parse(html: string): Element {
	const still = html.replace(/<[a-z][^<>]*>/gi, (tag) => tag.replace(/\sstyle\s*=/gi, " data-look="));
	const bare = still.replace(/<(\/?)style(?=[\s/>])/gi, "<$1textarea");
	return new DOMParser().parseFromString(bare, "text/html").body;
}

const skipped = new Set(
	"SCRIPT STYLE HEAD TITLE META LINK TEMPLATE NOSCRIPT IFRAME OBJECT EMBED SVG MATH CANVAS AUDIO VIDEO SELECT TEXTAREA MAP DATALIST COL COLGROUP XML".split(
		" ",
	),
);
const blocks = new Set(
	"P DIV H1 H2 H3 H4 H5 H6 UL OL LI DL DT DD BLOCKQUOTE PRE TABLE THEAD TBODY TFOOT TR TD TH CAPTION SECTION ARTICLE ASIDE HEADER FOOTER MAIN NAV FIGURE FIGCAPTION ADDRESS HR FORM FIELDSET DETAILS SUMMARY CENTER BODY".split(
		" ",
	),
);
const marksOf: Record<string, string> = {
	B: "strong",
	STRONG: "strong",
	I: "em",
	EM: "em",
	CITE: "em",
	U: "underline",
	INS: "underline",
	S: "strike",
	STRIKE: "strike",
	DEL: "strike",
	CODE: "code",
	KBD: "code",
	SAMP: "code",
	TT: "code",
	MARK: "marker",
};

class Reader {
	#out: Block[] = [];
	#open: Block | null = null;
	#size = 0; // characters

	all(body: Element): Block[] {
		this.#children(body, {
			marks: {},
			depth: 0,
			list: 0,
			kind: "",
			item: null,
			quote: 0,
			pre: false,
			space: false,
			heading: 0,
			task: false,
		});
		this.#end();
		while (this.#out.length > 1 && this.#out.at(-1)?.spans.length === 0) this.#out.pop();
		return this.#out;
	}

	// end closes the block that is being filled, without the space around it.
	#end() {
		const block = this.#open;
		this.#open = null;
		if (!block) return;
		if (block.t !== "code") trim(block.spans);
		else cutEnd(block.spans, (text) => text.replace(/\n$/, ""));
		if (block.spans.length > 0) for (const part of lines(block)) this.#out.push(part);
	}

	#block(here: Here): Block {
		if (this.#open) return this.#open;
		const block: Block = { t: "paragraph", level: 0, checked: false, spans: [] };
		if (here.pre) block.t = "code";
		else if (here.heading > 0) Object.assign(block, { t: "heading", level: here.heading });
		else if (here.item && !here.item.used) {
			here.item.used = true;
			Object.assign(block, { t: here.item.t, level: here.item.level, checked: here.item.checked });
		} else if (here.quote > 0) Object.assign(block, { t: "quote", level: Math.min(here.quote - 1, 8) });
		this.#open = block;
		return block;
	}

	#children(el: Element, here: Here) {
		for (const child of el.childNodes) {
			if (child.nodeType === 3) this.#text(child.nodeValue ?? "", here);
			else if (child.nodeType === 1) this.#element(child as Element, here);
		}
	}

	#text(raw: string, here: Here) {
		let text = clean(raw);
		if (here.pre || here.space) text = text.replace(/\r\n?/g, "\n");
		else text = text.replace(/[ \t\r\n]+/g, " ");
		if (!here.pre && !here.space && !this.#open && text.trim() === "" && !text.includes("\u00a0")) return;
		if (text === "") return;
		const block = this.#block(here);
		const last = block.spans.at(-1);
		if (!here.pre && !here.space && /\s$/.test(last?.text ?? (last ? "" : " ")))
			text = text.replace(/^ /, "");
		if (text === "") return;
		this.#size += text.length;
		if (this.#size > mostText || this.#out.length > mostBlocks) throw new TooMuch();
		const marks = here.pre ? {} : here.marks;
		if (last && !last.table && same(last.marks, marks)) last.text += text;
		else block.spans.push({ text, marks });
	}

	#element(el: Element, here: Here) {
		const tag = el.tagName.toUpperCase();
		if (skipped.has(tag)) return;
		const look = looks(el);
		if (look.get("display") === "none" || look.get("mso-hide") === "all" || el.hasAttribute("hidden")) return;
		if (/ignore/i.test(look.get("mso-list") ?? "")) return; // the sign of an item, which the list has itself
		if (here.depth >= mostDepth) return this.#text(el.textContent ?? "", here);
		const inside = this.#look(tag, el, look, { ...here, depth: here.depth + 1 });
		if (tag === "BR") return this.#break(here);
		if (tag === "IMG") return this.#text(el.getAttribute("alt") ?? "", here);
		if (tag === "INPUT") return this.#box(el, here);
		if (!blocks.has(tag)) return this.#children(el, inside);
		this.#end();
		if (tag === "TABLE" && this.#table(el, inside)) return;
		if (tag === "P" || tag === "DIV" || /^H\d$/.test(tag)) word(el, look, inside);
		if (tag === "P" && here.item && !here.item.used) inside.item = here.item;
		const before = this.#out.length;
		this.#children(el, inside);
		this.#end();
		if (tag === "P" && this.#out.length === before) this.#empty(el, inside);
	}

	// look is what an element does to all in it.
	#look(tag: string, el: Element, look: Map<string, string>, inside: Here): Here {
		inside.marks = marked(tag, el, look, inside);
		if (/^pre/.test(look.get("white-space") ?? "") && tag !== "SPAN") inside.space = true;
		if (/^H[1-6]$/.test(tag)) Object.assign(inside, { heading: Number(tag[1]), marks: {} });
		if (tag === "PRE") inside.pre = true;
		if (tag === "BLOCKQUOTE") inside.quote++;
		if (tag === "UL" || tag === "OL") {
			inside.list++;
			inside.kind = tag === "UL" ? "bullet" : "ordered";
			inside.item = null;
		}
		if (tag === "LI") {
			const checked = el.getAttribute("aria-checked");
			const t = checked === null ? inside.kind || "bullet" : "task";
			const level = Math.min(8, Math.max(0, inside.list - 1));
			inside.item = { t, level, checked: checked === "true", used: false };
		}
		return inside;
	}

	#break(here: Here) {
		if (!this.#open) return;
		const last = this.#open.spans.at(-1);
		if (last && !last.table) last.text = `${last.text.replace(/ $/, "")}\n`;
		else this.#open.spans.push({ text: "\n", marks: here.marks });
	}

	// box is the box of a task, which some programs write as one.
	#box(el: Element, here: Here) {
		if (el.getAttribute("type") !== "checkbox" || !here.item || here.item.used) return;
		here.item.t = "task";
		here.item.checked = el.hasAttribute("checked");
	}

	// empty keeps a line that somebody left empty, not two.
	#empty(el: Element, here: Here) {
		if (here.item || !(el.querySelector("br") || /\u00a0/.test(el.textContent ?? ""))) return;
		const last = this.#out.at(-1);
		if (last && last.spans.length > 0)
			this.#out.push({ t: "paragraph", level: 0, checked: false, spans: [] });
	}

	// table takes a table over as one, unless it only lays out a page.
	#table(el: Element, here: Here): boolean {
		if (el.querySelector("table, ul, ol, h1, h2, h3")) return false;
		const rows = cells(el);
		const wide = Math.max(0, ...rows.map((r) => r.length));
		if (rows.length * wide < 2 || wide < 2 || rows.length * wide > mostCells) return false;
		const table = rows.map((r) => [...r, ...Array<string>(wide - r.length).fill("")]);
		if (table.every((r) => r.every((c) => c === ""))) return true;
		const head = el.querySelector("tr")?.querySelector("td") === null;
		this.#block({ ...here, item: null, quote: 0 }).spans.push({ text: "", marks: {}, table, head });
		this.#end();
		return true;
	}
}

const same = (a: Marks, b: Marks) => {
	const keys = Object.keys(a);
	return keys.length === Object.keys(b).length && keys.every((k) => a[k] === b[k]);
};

// looks reads the style of an element.
function looks(el: Element): Map<string, string> {
	const found = new Map<string, string>();
	for (const part of (el.getAttribute("data-look") ?? el.getAttribute("style") ?? "").split(";")) {
		const colon = part.indexOf(":");
		if (colon > 0)
			found.set(
				part.slice(0, colon).trim().toLowerCase(),
				part
					.slice(colon + 1)
					.trim()
					.toLowerCase(),
			);
	}
	return found;
}

// marked is the marks of text in an element.
function marked(tag: string, el: Element, look: Map<string, string>, here: Here): Marks {
	const marks = { ...here.marks };
	if (here.heading > 0 || here.pre) return linked(tag, el, marks);
	const own = marksOf[tag];
	if (own) marks[own] = true;
	const weight = look.get("font-weight");
	if (weight) {
		if (weight === "bold" || weight === "bolder" || Number(weight) >= 600) marks.strong = true;
		else delete marks.strong;
	}
	const slant = look.get("font-style");
	if (slant === "italic" || slant === "oblique") marks.em = true;
	else if (slant === "normal") delete marks.em;
	const line = `${look.get("text-decoration") ?? ""} ${look.get("text-decoration-line") ?? ""}`;
	if (/underline/.test(line)) marks.underline = true;
	if (/line-through/.test(line)) marks.strike = true;
	const light =
		look.get("mso-highlight") ??
		(blocks.has(tag) ? "" : (look.get("background-color") ?? look.get("background")));
	if (light && vivid(light)) marks.marker = true;
	const ink = look.get("color") ?? (tag === "FONT" ? (el.getAttribute("color") ?? "") : "");
	if (ink) {
		const v = vivid(ink);
		if (v) marks.color = v;
		else delete marks.color;
	}
	return linked(tag, el, marks);
}

// linked is what a link makes of marks: it has a look of its own.
function linked(tag: string, el: Element, marks: Marks): Marks {
	const href = tag === "A" ? safe(el.getAttribute("href") ?? "") : "";
	if (href) marks.link = href;
	if (marks.link) {
		delete marks.color;
		delete marks.underline;
	}
	return marks;
}

// clean takes away what is no text: control characters, halves of letters.
export const clean = (text: string) => text.replace(/[^\P{Cc}\n\r\t]|\p{Cs}|[\ufffe\uffff]/gu, "");

// safe is an address that may be opened, or nothing.
export function safe(href: string): string {
	// Browsers ignore these within an address, so that "java\nscript:" is one.
	const bare = href.replace(/[\p{Cc}\s]/gu, "");
	if (bare === "" || bare.length > 2000) return "";
	if (/^(https?:\/\/[^/]|mailto:.|tel:.)/i.test(bare)) return bare;
	return /^#\/documents\/[\w.%/-]+$/.test(bare) ? bare : "";
}

const named: Record<string, string> = {
	red: "#ff0000",
	green: "#008000",
	blue: "#0000ff",
	yellow: "#ffff00",
	orange: "#ffa500",
	purple: "#800080",
	fuchsia: "#ff00ff",
	magenta: "#ff00ff",
	aqua: "#00ffff",
	cyan: "#00ffff",
	lime: "#00ff00",
	maroon: "#800000",
	navy: "#000080",
	olive: "#808000",
	teal: "#008080",
};

// vivid is a colour that is not just black, white or grey, as "#rrggbb"; else
// nothing.
export function vivid(value: string): string {
	const word = value.trim().split(/\s+(?![\d.,]*\s*[,)/%\d])/)[0] ?? "";
	let hex = named[word] ?? word;
	if (/^#[0-9a-f]{3}$/.test(hex)) hex = hex.replace(/[0-9a-f]/g, "$&$&");
	const rgb = /^rgba?\(\s*(\d+)[\s,]+(\d+)[\s,]+(\d+)(?:[\s,/]+([\d.]+%?))?\s*\)/.exec(value);
	if (rgb) {
		if (rgb[4] && Number.parseFloat(rgb[4]) === 0) return "";
		hex = `#${[1, 2, 3].map((i) => Math.min(255, Number(rgb[i])).toString(16).padStart(2, "0")).join("")}`;
	}
	if (!/^#[0-9a-f]{6}$/.test(hex)) return "";
	const parts = [1, 3, 5].map((i) => Number.parseInt(hex.slice(i, i + 2), 16));
	return Math.max(...parts) - Math.min(...parts) > 60 ? hex : "";
}

// word reads how Word says that a paragraph is an item or a title.
function word(el: Element, look: Map<string, string>, here: Here) {
	const name = el.getAttribute("class") ?? "";
	if (/\bMsoTitle\b/.test(name)) Object.assign(here, { heading: 1, marks: {} });
	const list = /level(\d+)/.exec(look.get("mso-list") ?? "");
	if (!list) return;
	const signs = [...el.querySelectorAll("[data-look], [style]")].find((s) =>
		/ignore/i.test(looks(s).get("mso-list") ?? ""),
	);
	const sign = (signs?.textContent ?? "").replace(/[\s\u00a0]/g, "");
	const t = /^\(?([0-9]+|[a-z]{1,4}|[ivxlc]+)[.)]/i.test(sign) ? "ordered" : "bullet";
	here.item = { t, level: Math.min(8, Math.max(0, Number(list[1]) - 1)), checked: false, used: false };
}

// cells is the text of a table, cell by cell; what spans several is in the first.
function cells(el: Element): string[][] {
	const rows: string[][] = [];
	const taken = new Map<string, true>();
	const all = [...el.querySelectorAll("tr")];
	for (const [y, tr] of all.entries()) {
		const row: string[] = [];
		rows.push(row);
		for (const cell of tr.children) {
			if (!/^T[DH]$/.test(cell.tagName)) continue;
			while (taken.has(`${y}:${row.length}`)) row.push("");
			const spans = (name: string) => Math.min(100, Math.max(1, Number(cell.getAttribute(name)) || 1));
			const [wide, high] = [spans("colspan"), Math.min(spans("rowspan"), all.length - y)];
			const x = row.length;
			row.push(cellText(cell));
			for (let i = 1; i < wide; i++) row.push("");
			for (let down = 1; down < high; down++)
				for (let i = 0; i < wide; i++) taken.set(`${y + down}:${x + i}`, true);
			if (row.length > mostCells) return [];
		}
	}
	return rows.filter((r) => r.length > 0);
}

function cellText(cell: Element): string {
	const inside = new Reader().all(cell);
	const text = inside.map((b) => b.spans.map((s) => s.text).join("")).join("\n");
	return text.replaceAll("\u00a0", " ").trim().slice(0, 8000);
}

// lines parts a block where two line ends follow each other: pages of the web write
// paragraphs so.
function lines(block: Block): Block[] {
	if (block.t !== "paragraph") return [block];
	const out: Block[] = [{ ...block, spans: [] }];
	for (const span of block.spans) {
		for (const [i, text] of span.text.split(/\n{2,}/).entries()) {
			if (i > 0) out.push({ ...block, spans: [] });
			if (text || span.table) out.at(-1)?.spans.push({ ...span, text });
		}
	}
	for (const part of out) trim(part.spans);
	return out.filter((part) => part.spans.length > 0);
}

// trim takes white space from both ends.
function trim(spans: Span[]) {
	cutEnd(spans, (text) => text.trimEnd());
	while (spans[0] && !spans[0].table) {
		spans[0].text = spans[0].text.trimStart();
		if (spans[0].text) return;
		spans.shift();
	}
}

function cutEnd(spans: Span[], cut: (text: string) => string) {
	for (let last = spans.at(-1); last && !last.table; last = spans.at(-1)) {
		last.text = cut(last.text);
		if (last.text) return;
		spans.pop();
	}
}
