// What turns into something while one types: "# " a heading, "**bold**" bold.
// Backspace right after takes it back.
import { InputRule, inputRules } from "prosemirror-inputrules";
import type { MarkType } from "prosemirror-model";
import type { EditorState, Plugin } from "prosemirror-state";
import { isItem, turn } from "./commands";
import { schema } from "./schema";

// kind makes the block one when it begins so; not in code, and not where it is one.
function kind(
	match: RegExp,
	t: string,
	level: (m: RegExpMatchArray) => number = () => 0,
	checked = () => false,
) {
	return new InputRule(match, (state, m, start, end) => {
		const $start = state.doc.resolve(start);
		const { attrs } = $start.parent;
		if (attrs.t === t || $start.parentOffset > 0) return null;
		const fits = attrs.t === "paragraph" || (isItem(t) && isItem(attrs.t));
		if (!fits) return null;
		const tr = state.tr.delete(start, end);
		const pos = $start.before();
		turn(tr, [{ node: $start.parent, pos }], t, level(m));
		if (t === "task" && checked()) tr.setNodeAttribute(pos, "checked", true);
		return tr;
	});
}

const task = (match: RegExp, checked: boolean) =>
	kind(
		match,
		"task",
		() => 0,
		() => checked,
	);

// mark gives what stands between two signs a mark, and takes the signs away.
function mark(match: RegExp, type: MarkType) {
	return new InputRule(match, (state: EditorState, m, start, end) => {
		const $start = state.doc.resolve(start);
		const inner = m[2];
		if (!inner || $start.parent.attrs.t === "code") return null;
		if (state.doc.rangeHasMark(start, end, schema.marks.code)) return null;
		// The last sign, or the last letter of it, is just being typed.
		const lead = (m[1] ?? "").length;
		const sign = (m[0].length - lead - inner.length) / 2;
		const from = start + lead + sign;
		const to = from + inner.length;
		if (to > end) return null;
		const tr = state.tr;
		if (end > to) tr.delete(to, end);
		tr.delete(start + lead, from);
		tr.addMark(start + lead, start + lead + inner.length, type.create());
		return tr.removeStoredMark(type);
	});
}

export function rules(): Plugin {
	const { strong, em, code, strike } = schema.marks;
	return inputRules({
		rules: [
			kind(/^(#{1,3})\s$/, "heading", (m) => m[1]?.length ?? 1),
			task(/^\[ ?\]\s$/, false),
			task(/^\[[xX]\]\s$/, true),
			kind(/^[-*+]\s$/, "bullet"),
			kind(/^1[.)]\s$/, "ordered"),
			kind(/^>\s$/, "quote"),
			kind(/^```$/, "code"),
			mark(/(^|[^*\w])\*\*([^*\s](?:[^*]*[^*\s])?)\*\*$/, strong),
			mark(/(^|[^*\w])\*([^*\s](?:[^*]*[^*\s])?)\*$/, em),
			mark(/(^|[^~\w])~~([^~\s](?:[^~]*[^~\s])?)~~$/, strike),
			mark(/(^|[^`\w])`([^`\s](?:[^`]*[^`\s])?)`$/, code),
		],
	});
}
