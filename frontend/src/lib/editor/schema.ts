// What a document's text may hold while it is being edited. It is flat, as in Go
// (crdt/document): blocks one after the other, none within another. How deep an
// item of a list lies, its kind and its tick are attributes.
import {
	type Attrs,
	type DOMOutputSpec,
	Fragment,
	type Mark,
	type Node,
	Schema,
	Slice,
} from "prosemirror-model";

// Fields are the attributes of a block or embed by the names that Go has for them.
export type Fields = Record<string, unknown>;

// Items of lists are lists of one each: numbers come from CSS.
function outer(node: Node, attrs: Record<string, string | undefined>): DOMOutputSpec {
	const { t, level } = node.attrs;
	switch (t) {
		case "heading":
			return [`h${Math.min(Math.max(level, 1), 6)}`, attrs, 0];
		case "quote":
			return ["blockquote", attrs, 0];
		case "code":
			return ["pre", attrs, 0];
		case "bullet":
		case "task":
			return ["ul", attrs, ["li", 0]];
		case "ordered":
			return ["ol", attrs, ["li", 0]];
	}
	return ["p", attrs, 0];
}

const json = (x: unknown): string | undefined => (x ? JSON.stringify(x) : undefined);

function parsed(text: string | null): Fields | null {
	try {
		const x = text && JSON.parse(text);
		return x && typeof x === "object" && !Array.isArray(x) ? x : null;
	} catch {
		return null;
	}
}

function blockFrom(dom: HTMLElement): Attrs {
	return {
		t: dom.dataset.t || "paragraph",
		level: Math.min(Math.max(Math.trunc(Number(dom.dataset.level) || 0), 0), 32),
		checked: dom.dataset.checked === "true",
		x: parsed(dom.dataset.x ?? null),
	};
}

// A colour comes from others: nothing but a colour may get into a style.
const colour = (v: unknown): string | undefined => {
	if (!/^(#[0-9a-f]{3,8}|[a-z]{3,30})$/i.test(String(v))) return undefined;
	return `color: ${v}; --ink: ${v}`;
};

// opens says whether a link may lead there.
export const opens = (href: string): boolean => /^(https?:\/\/|mailto:|tel:|#\/)/i.test(href);

const headings = [1, 2, 3, 4, 5, 6].map((level) => ({
	tag: `h${level}`,
	attrs: { t: "heading", level },
	preserveWhitespace: false as const,
}));

export const schema = new Schema({
	nodes: {
		doc: { content: "block+" },
		block: {
			content: "inline*",
			defining: true,
			whitespace: "pre", // lines of code are parted by "\n"
			attrs: {
				t: { default: "paragraph" },
				level: { default: 0 },
				checked: { default: false },
				x: { default: null }, // all other attributes, or null for none
			},
			parseDOM: [
				{
					tag: "[data-t]",
					getAttrs: blockFrom,
					contentElement: (dom) =>
						(dom as HTMLElement).querySelector<HTMLElement>(":scope > li") ?? (dom as HTMLElement),
					priority: 60,
				},
				{ tag: "p", preserveWhitespace: false },
				...headings,
				{ tag: "blockquote", attrs: { t: "quote" }, preserveWhitespace: false },
				{ tag: "pre", attrs: { t: "code" }, preserveWhitespace: "full" },
				{ tag: "li", attrs: { t: "bullet" }, preserveWhitespace: false },
			],
			toDOM: (node) =>
				outer(node, {
					"data-t": node.attrs.t,
					"data-level": node.attrs.level || undefined,
					"data-checked": node.attrs.checked ? "true" : undefined,
					"data-x": json(node.attrs.x),
				}),
		},
		text: { group: "inline" },
		embed: {
			group: "inline",
			inline: true,
			atom: true,
			attrs: { t: { default: "" }, x: { default: null } },
			parseDOM: [
				{
					tag: "[data-embed]",
					priority: 60,
					getAttrs: (dom) => ({ t: dom.dataset.embed ?? "", x: parsed(dom.dataset.x ?? null) }),
				},
			],
			toDOM: (node) => ["span", { "data-embed": node.attrs.t, "data-x": json(node.attrs.x) }],
		},
	},
	marks: {
		link: {
			attrs: { href: {}, title: { default: "" } },
			inclusive: false,
			parseDOM: [
				{
					tag: "a[href]",
					getAttrs: (dom) => {
						const href = dom.getAttribute("href") ?? "";
						return opens(href) && { href, title: dom.getAttribute("title") ?? "" };
					},
				},
			],
			toDOM: ({ attrs }) => [
				"a",
				{
					href: opens(attrs.href) ? attrs.href : undefined,
					title: attrs.title || undefined,
					rel: "noopener noreferrer",
				},
				0,
			],
		},
		em: { parseDOM: [{ tag: "em" }, { tag: "i" }], toDOM: () => ["em", 0] },
		strong: { parseDOM: [{ tag: "strong" }, { tag: "b" }], toDOM: () => ["strong", 0] },
		underline: { parseDOM: [{ tag: "u" }], toDOM: () => ["u", 0] },
		strike: { parseDOM: [{ tag: "s" }, { tag: "del" }, { tag: "strike" }], toDOM: () => ["s", 0] },
		marker: { parseDOM: [{ tag: "mark" }], toDOM: () => ["mark", 0] },
		code: { parseDOM: [{ tag: "code" }], toDOM: () => ["code", 0] },
		color: {
			attrs: { v: {} },
			parseDOM: [{ tag: "[data-color]", getAttrs: (dom) => ({ v: dom.dataset.color ?? "" }) }],
			toDOM: ({ attrs }) => ["span", { class: "ink", "data-color": attrs.v, style: colour(attrs.v) }, 0],
		},
		comment: {
			attrs: { id: {} },
			excludes: "", // comments overlap
			inclusive: false,
			toDOM: ({ attrs }) => ["span", { class: "cm", "data-comment": attrs.id }, 0],
		},
		// What this version does not know stays as it is.
		other: {
			attrs: { n: {}, v: {} },
			excludes: "",
			toDOM: ({ attrs }) => ["span", { "data-mark": attrs.n }, 0],
		},
	},
});

const { block, embed } = schema.nodes as {
	block: (typeof schema.nodes)["block"];
	embed: (typeof schema.nodes)["block"];
};
export const isBlock = (node: Node): boolean => node.type === block;
export const isEmbed = (node: Node): boolean => node.type === embed;

const maxLevel = 32;

// isEmbedMap is what Go's isEmbed is.
export const isEmbedMap = (map: Fields): boolean => Boolean(map.embed);

// attrsOf are the attributes of the node for a map from Go. What has another type
// than it should have is kept in x, as in blockOf.
export function attrsOf(map: Fields): Attrs {
	const inline = isEmbedMap(map);
	const out: Fields = inline ? { t: "" } : { t: "paragraph", level: 0, checked: false };
	let x: Fields | null = null;
	for (const key of Object.keys(map).sort()) {
		const v = map[key];
		if (v === null || v === undefined || (inline && key === "embed")) continue;
		if (key === "t" && typeof v === "string" && v !== "") out.t = v;
		else if (!inline && key === "level" && Number.isInteger(v) && Number(v) >= 0 && Number(v) <= maxLevel)
			out.level = v;
		else if (!inline && key === "checked" && typeof v === "boolean") out.checked = v;
		else {
			x ??= {};
			x[key] = v;
		}
	}
	out.x = x;
	return out;
}

// mapOf is the reverse of attrsOf.
export function mapOf(node: Node): Fields {
	const { t, level, checked, x } = node.attrs;
	const out: Fields = { ...x };
	if (isEmbed(node)) {
		out.embed = true;
		if (t) out.t = t;
		return out;
	}
	if (!("t" in out) || t !== "paragraph") out.t = t;
	if (level) out.level = level;
	if (checked) out.checked = checked;
	return out;
}

// nodeOf is the block without text, or the embed, for a map from Go.
export const nodeOf = (map: Fields): Node => (isEmbedMap(map) ? embed : block).create(attrsOf(map));

export const blockOf = (attrs: Attrs | null, content: Node[] = []): Node => block.create(attrs, content);

// markOf is a mark for its name and value in Go.
export function markOf(name: string, value: unknown): Mark {
	const marks = schema.marks;
	if (name.startsWith("comment:") && value === true) return mark("comment", { id: name.slice(8) });
	if (name === "link" && typeof value === "string") return mark("link", linkOf(value));
	if (name === "color" && typeof value === "string") return mark("color", { v: value });
	if (plain.has(name) && value === true) return (marks[name] as NonNullable<(typeof marks)[string]>).create();
	return mark("other", { n: name, v: value });
}

const plain = new Set(["strong", "em", "underline", "strike", "marker", "code"]);

function mark(name: "comment" | "link" | "color" | "other", attrs: Attrs): Mark {
	return schema.mark(name, attrs);
}

function linkOf(value: string): Attrs {
	const link = value.startsWith("{") ? parsed(value) : null;
	if (!link) return { href: value, title: "" };
	return { href: String(link.href ?? ""), title: String(link.title ?? "") };
}

// nameOf is a mark's name in Go.
export function nameOf(m: Mark): string {
	if (m.type.name === "comment") return `comment:${m.attrs.id}`;
	return m.type.name === "other" ? m.attrs.n : m.type.name;
}

// worthOf is a mark's value in Go.
export function worthOf(m: Mark): unknown {
	switch (m.type.name) {
		case "link":
			return JSON.stringify({ href: m.attrs.href, title: m.attrs.title });
		case "color":
		case "other":
			return m.attrs.v;
	}
	return true;
}

const ranks = Object.keys(schema.marks);

// inOrder sorts marks: everywhere alike also where some are of one kind.
export function inOrder(marks: readonly Mark[]): readonly Mark[] {
	const before = (a: Mark, b: Mark): boolean => {
		const by = ranks.indexOf(a.type.name) - ranks.indexOf(b.type.name);
		return by < 0 || (by === 0 && nameOf(a) <= nameOf(b));
	};
	if (marks.every((m, i) => i === 0 || before(marks[i - 1] as Mark, m))) return marks;
	return [...marks].sort((a, b) => (before(a, b) ? -1 : 1));
}

// painted are marks with one more, or without those of a name.
export function painted(marks: readonly Mark[], name: string, more: Mark | null): readonly Mark[] {
	const others = marks.filter((m) => nameOf(m) !== name);
	return more ? inOrder(more.addToSet(others)) : others;
}

// marksOf are the marks for those of a splice from Go.
export function marksOf(marks: Fields | undefined): readonly Mark[] {
	let out: readonly Mark[] = [];
	for (const [name, value] of Object.entries(marks ?? {}))
		if (value !== null && value !== undefined) out = painted(out, name, markOf(name, value));
	return out;
}

// marksFor is the reverse of marksOf.
export function marksFor(marks: readonly Mark[]): Fields {
	return Object.fromEntries(marks.map((m) => [nameOf(m), worthOf(m)]));
}

// inline is a slice of text and embeds.
export const inline = (...nodes: Node[]): Slice => new Slice(Fragment.from(nodes), 0, 0);

export const empty = (): Node => schema.node("doc", null, [blockOf(null)]);
