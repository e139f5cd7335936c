// What marks text may have, and embeds not.
import { Fragment, type Node, Slice } from "prosemirror-model";
import { inOrder, isBlock, isEmbed } from "./schema";

// bare is a slice whose embeds have no marks, and whose text has them in order.
export function bare(slice: Slice): Slice {
	const content = stripped(slice.content);
	return content === slice.content ? slice : new Slice(content, slice.openStart, slice.openEnd);
}

function stripped(content: Fragment): Fragment {
	const out: Node[] = [];
	let changed = false;
	content.forEach((node) => {
		let made = node;
		if (isEmbed(node) && node.marks.length > 0) made = node.mark([]);
		else if (node.isText) {
			const marks = inOrder(node.marks);
			if (marks !== node.marks) made = node.mark(marks);
		} else if (isBlock(node)) {
			const inner = stripped(node.content);
			if (inner !== node.content) made = node.copy(inner);
		}
		changed ||= made !== node;
		out.push(made);
	});
	return changed ? Fragment.fromArray(out) : content;
}
