// A text as Go tells it when a document is opened.
import type { Node } from "prosemirror-model";
import type { DocBlock, DocSpan } from "../api/types.gen";
import type { Text } from "./place";
import { attrsOf, blockOf, marksOf, nodeOf, schema } from "./schema";

// textOf is the document of blocks; unmarked says that the first has no beginning.
export function textOf(blocks: readonly DocBlock[], unmarked: boolean): Text {
	const nodes = blocks.map((b) => {
		const attrs = {
			t: b.kind,
			level: b.level ?? 0,
			checked: b.checked ?? false,
			x: attrsOf(b.other ?? {}).x,
		};
		return blockOf(attrs, joined(b.spans ?? []));
	});
	return { doc: schema.node("doc", null, nodes.length > 0 ? nodes : [blockOf(null)]), implicit: unmarked };
}

function joined(spans: readonly DocSpan[]): Node[] {
	const out: Node[] = [];
	for (const s of spans) {
		if (s.embed) {
			out.push(nodeOf({ ...s.embed, embed: true }));
			continue;
		}
		if (!s.text) continue;
		const node = schema.text(s.text, marksOf(s.marks));
		const last = out[out.length - 1];
		if (last?.isText && last.sameMarkup(node))
			out[out.length - 1] = schema.text(last.text + s.text, node.marks);
		else out.push(node);
	}
	return out;
}
