// What other programs get when text is copied: HTML with real lists, and plain text
// that reads like Markdown.
import type { Fragment, Mark, Node } from "prosemirror-model";
import { isItem } from "./commands";
import { safe } from "./paste.html";
import { gridOf } from "./tables";

const escaped = (text: string) =>
	text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");

// Marks that are an element, from the outside in.
const tags: [string, string][] = [
	["strong", "strong"],
	["em", "em"],
	["underline", "u"],
	["strike", "s"],
	["code", "code"],
];

function wrapped(html: string, marks: readonly Mark[]): string {
	let out = html;
	const has = (name: string) => marks.find((m) => m.type.name === name);
	for (const [name, tag] of tags.toReversed()) if (has(name)) out = `<${tag}>${out}</${tag}>`;
	if (has("marker")) out = `<span style="background-color:#fff2a8">${out}</span>`;
	const v = String(has("color")?.attrs.v ?? "");
	if (/^(#[0-9a-f]{3,8}|[a-z]{3,30})$/i.test(v)) out = `<span style="color:${v}">${out}</span>`;
	const href = safe(has("link")?.attrs.href ?? "");
	if (/^(https?|mailto|tel):/i.test(href)) out = `<a href="${escaped(href)}">${out}</a>`;
	return out;
}

function embedHTML(node: Node): string {
	if (node.attrs.t !== "table") return escaped(nameOf(node));
	const grid = gridOf(node.attrs.x);
	const rows = grid.rows.map((row, y) => {
		const tag = y === 0 && grid.head ? "th" : "td";
		const cells = grid.cols.map((col) => escaped(grid.text(row, col)).replaceAll("\n", "<br>"));
		return `<tr>${cells.map((c) => `<${tag}>${c}</${tag}>`).join("")}</tr>`;
	});
	return `<table border="1">${rows.join("")}</table>`;
}

// nameOf is what stands for an image or file in text.
const nameOf = (node: Node): string => {
	const { alt, name } = node.attrs.x ?? {};
	return `[${typeof alt === "string" && alt ? alt : typeof name === "string" ? name : node.attrs.t}]`;
};

function inlineHTML(node: Node): string {
	let out = "";
	node.forEach((child) => {
		const text = child.isText
			? wrapped(escaped(child.text ?? "").replaceAll("\n", "<br>"), child.marks)
			: embedHTML(child);
		out += text;
	});
	return out;
}

// htmlOf is blocks as HTML; a single stretch of text has no paragraph around it.
export function htmlOf(content: Fragment, within: boolean): string {
	const only = content.childCount === 1 ? content.firstChild : null;
	if (only && within) return inlineHTML(only);
	let out = "";
	const open: string[] = [];
	const close = (n: number) => {
		while (open.length > n) out += `</li></${open.pop()}>`;
	};
	content.forEach((node) => {
		const { t, level, checked } = node.attrs;
		if (!isItem(t)) close(0);
		const inner = inlineHTML(node);
		if (isItem(t)) {
			const tag = t === "ordered" ? "ol" : "ul";
			const depth = Math.min(level, open.length);
			close(depth + 1);
			if (open[depth] && open[depth] !== tag) close(depth);
			if (open.length > depth) out += "</li>";
			else {
				out += `<${tag}>`;
				open.push(tag);
			}
			out +=
				t === "task"
					? `<li role="checkbox" aria-checked="${checked}">${checked ? "☑" : "☐"} ${inner}`
					: `<li>${inner}`;
		} else if (t === "heading")
			out += `<h${Math.min(6, Math.max(1, level))}>${inner}</h${Math.min(6, Math.max(1, level))}>`;
		else if (t === "quote") out += `<blockquote><p>${inner}</p></blockquote>`;
		else if (t === "code") out += `<pre><code>${escaped(node.textContent)}</code></pre>`;
		else if (node.childCount === 1 && node.firstChild?.attrs.t === "table") out += inner;
		else out += `<p>${inner}</p>`;
	});
	close(0);
	return out;
}

function inlineText(node: Node): string {
	let out = "";
	node.forEach((child) => {
		if (!child.isText) {
			out += child.attrs.t === "table" ? `\n${tableText(child)}\n` : nameOf(child);
			return;
		}
		const link = child.marks.find((m) => m.type.name === "link");
		const text = child.text ?? "";
		out += link && link.attrs.href !== text ? `${text} (${link.attrs.href})` : text;
	});
	return out;
}

function tableText(node: Node): string {
	const grid = gridOf(node.attrs.x);
	return grid.rows
		.map((row) => grid.cols.map((col) => grid.text(row, col).replaceAll(/[\t\n]/g, " ")).join("\t"))
		.join("\n");
}

// textOf is blocks as plain text: what is typed for a heading, an item or a quote is
// before it.
export function textOf(content: Fragment, within: boolean): string {
	const only = content.childCount === 1 ? content.firstChild : null;
	if (only && within) return inlineText(only);
	const lines: string[] = [];
	const numbers: number[] = [];
	let before = "";
	content.forEach((node) => {
		const { t, level, checked } = node.attrs;
		const pad = "  ".repeat(isItem(t) ? level : 0);
		if (lines.length > 0 && !(isItem(t) && isItem(before))) lines.push("");
		if (t === "ordered") numbers[level] = (numbers[level] ?? 0) + 1;
		numbers.length = isItem(t) ? level + (t === "ordered" ? 1 : 0) : 0;
		const sign =
			{
				heading: `${"#".repeat(Math.min(6, Math.max(1, level)))} `,
				bullet: "- ",
				ordered: `${numbers[level] ?? 1}. `,
				task: checked ? "- [x] " : "- [ ] ",
				quote: "> ",
			}[t as string] ?? "";
		lines.push(pad + sign + inlineText(node).replace(/^\n+|\n+$/g, ""));
		before = t;
	});
	return lines.join("\n");
}
