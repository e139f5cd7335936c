// Random things that people do to a text, as transactions.
import { Fragment, Slice } from "prosemirror-model";
import { TextSelection } from "prosemirror-state";

const words = ["a", "bc", "def ", "häß", "😀", "x😀y", "\n", "Wort und ", "…"];
const kinds = ["paragraph", "heading", "bullet", "ordered", "task", "quote", "code", "later"];

// inText is a random place within a block, and not within a character.
export function inText(doc, r) {
	for (;;) {
		const $pos = doc.resolve(r(doc.content.size + 1));
		if ($pos.depth === 0) continue;
		const text = $pos.parent.textBetween(
			$pos.parentOffset,
			Math.min($pos.parentOffset + 1, $pos.parent.content.size),
		);
		if (!/^[\udc00-\udfff]/.test(text)) return $pos.pos;
	}
}

const marksOf = (schema, r) =>
	r.of([
		() => schema.mark("strong"),
		() => schema.mark("em"),
		() => schema.mark("code"),
		() => schema.mark("color", { v: r.of(["red", "#00f"]) }),
		() => schema.mark("comment", { id: r.of(["a", "b", "c"]) }),
		() => schema.mark("link", { href: `https://${r.of("abc")}.de`, title: "" }),
		() => schema.mark("other", { n: "new", v: r(3) }),
	])();

const table = (r) => ({ cols: { c1: 1, c2: 2 }, rows: { r1: 1 }, cells: { "r1:c1": r.of(words) } });

function blockAt(doc, r) {
	const all = [];
	doc.forEach((node, pos) => {
		all.push({ node, pos });
	});
	return r.of(all);
}

function embeds(doc) {
	const found = [];
	doc.descendants((node, pos) => {
		if (node.type.name === "embed") found.push({ node, pos });
	});
	return found;
}

// someBlocks is a slice as it is pasted.
function pasted(schema, r) {
	const n = 1 + r(4);
	const blocks = Array.from({ length: n }, () =>
		schema.node(
			"block",
			{ t: r.of(kinds), level: r(3) },
			r.chance(0.8) ? [schema.text(r.of(words), r.chance(0.3) ? [marksOf(schema, r)] : [])] : [],
		),
	);
	return new Slice(Fragment.from(blocks), r(2), r(2));
}

// things are [weight, (state, r, more) => transaction or null].
const things = [
	[30, (s, r) => s.tr.insertText(r.of(words), inText(s.doc, r))],
	[
		12,
		(s, r) => {
			// Goes on where the selection is, as typing does.
			const tr = s.tr.setSelection(TextSelection.create(s.doc, inText(s.doc, r)));
			for (let i = r(6); i >= 0; i--) tr.insertText(r.of("abcdef"));
			return tr;
		},
	],
	[
		12,
		(s, r) => {
			const from = inText(s.doc, r);
			const to = inText(s.doc, r);
			return Math.abs(from - to) < 40 ? s.tr.delete(Math.min(from, to), Math.max(from, to)) : null;
		},
	],
	[
		8,
		(s, r) => {
			const from = inText(s.doc, r);
			const to = inText(s.doc, r);
			return s.tr.insertText(
				"ERSATZ",
				Math.min(from, to),
				Math.min(Math.max(from, to), Math.min(from, to) + 30),
			);
		},
	],
	[
		10,
		(s, r) => s.tr.split(inText(s.doc, r), 1, [{ type: s.schema.nodes.block, attrs: { t: r.of(kinds) } }]),
	],
	[
		8,
		(s, r) => {
			const { node, pos } = blockAt(s.doc, r);
			return pos + node.nodeSize < s.doc.content.size ? s.tr.join(pos + node.nodeSize) : null;
		},
	],
	[
		10,
		(s, r) => {
			const [a, b] = [inText(s.doc, r), inText(s.doc, r)];
			const mark = marksOf(s.schema, r);
			return r.chance(0.7)
				? s.tr.addMark(Math.min(a, b), Math.max(a, b), mark)
				: s.tr.removeMark(Math.min(a, b), Math.max(a, b), r.chance(0.5) ? mark : mark.type);
		},
	],
	[
		8,
		(s, r) =>
			s.tr.setNodeAttribute(
				blockAt(s.doc, r).pos,
				...r.of([
					["checked", r.chance(0.5)],
					["level", r(4)],
					["t", r.of(kinds)],
					["x", r.chance(0.5) ? null : { lang: r.of(["go", "ts"]), deep: { a: r(3) } }],
				]),
			),
	],
	[4, (s, r) => s.tr.setNodeMarkup(blockAt(s.doc, r).pos, null, { t: r.of(kinds), level: r(3) })],
	[
		3,
		(s, r) => {
			const [a, b] = [inText(s.doc, r), inText(s.doc, r)];
			return s.tr.setBlockType(Math.min(a, b), Math.max(a, b), s.schema.nodes.block, { t: r.of(kinds) });
		},
	],
	[
		4,
		(s, r) =>
			s.tr.insert(inText(s.doc, r), s.schema.node("embed", { t: r.of(["image", "table"]), x: table(r) })),
	],
	[
		2,
		(s, r) =>
			s.tr
				.setSelection(TextSelection.create(s.doc, inText(s.doc, r)))
				.replaceSelectionWith(s.schema.node("embed", { t: "image", x: { name: "a" } }), true),
	],
	[
		6,
		(s, r, { PutStep }) => {
			const at = embeds(s.doc);
			if (at.length === 0) return null;
			const value = r.of(["", "zelle", null, "Ä".repeat(r(5))]);
			return s.tr.step(
				new PutStep(
					r.of(at).pos,
					r.of([["cells", `r${r(3)}:c${r(3)}`], ["rows", `r${r(4)}`], ["neu"]]),
					value,
				),
			);
		},
	],
	[
		3,
		(s, r) => {
			const at = embeds(s.doc);
			return at.length > 0
				? s.tr.setNodeMarkup(r.of(at).pos, null, { t: "image", x: { name: r.of(words) } })
				: null;
		},
	],
	[
		6,
		(s, r) => {
			const [a, b] = [inText(s.doc, r), inText(s.doc, r)];
			return s.tr.replaceRange(Math.min(a, b), Math.max(a, b), pasted(s.schema, r));
		},
	],
	[
		3,
		(s, r) =>
			s.tr.insert(
				blockAt(s.doc, r).pos,
				s.schema.node("block", { t: r.of(kinds) }, [s.schema.text("davor")]),
			),
	],
	[1, (s) => s.tr.delete(0, s.doc.content.size)],
	[
		1,
		(s) =>
			s.tr.replaceWith(
				0,
				s.doc.content.size,
				s.schema.node("block", { t: "heading", level: 1 }, [s.schema.text("alles neu")]),
			),
	],
	[
		2,
		(s, r) => {
			const { node, pos } = blockAt(s.doc, r);
			return s.doc.childCount > 1 ? s.tr.delete(pos, pos + node.nodeSize) : null;
		},
	],
];
const total = things.reduce((sum, [weight]) => sum + weight, 0);

// something is a random transaction.
export function something(state, r, more) {
	for (;;) {
		let at = r(total);
		const [, make] = things.find(([weight]) => {
			at -= weight;
			return at < 0;
		});
		let tr;
		try {
			tr = make(state, r, more);
		} catch (err) {
			// Some slices do not fit where they shall go.
			if (!/RangeError|TransformError|ReplaceError/.test(err.constructor.name + err.name)) throw err;
		}
		if (tr?.docChanged) return tr;
	}
}
