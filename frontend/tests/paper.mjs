// What the tests of writing have in common: where things are on the page of an open
// document, what its text is, and the clipboard.
import assert from "node:assert/strict";
import { until } from "./nodes.mjs";

export const text = (page) => page.getByRole("textbox", { name: /^Text von / });
export const tool = (page, name) =>
	page.getByRole("toolbar", { name: "Text gestalten" }).getByRole("button", { name, exact: true });
export const dialog = (page) => page.getByRole("dialog").filter({ visible: true });

// show opens a document in a page.
export async function show(page, id, view = "") {
	await page.evaluate(
		(hash) => {
			location.hash = hash;
		},
		`#/documents/${encodeURIComponent(id)}${view}`,
	);
	if (view !== "/history") await text(page).waitFor();
}

// blocks is what an editor shows: kind, level and text of each block.
export const blocks = (page) =>
	page.evaluate(() =>
		globalThis.document.querySelector(".paper-place").editor.view.state.doc.content.content.map((b) => {
			const { t, level, checked } = b.attrs;
			const inline = b.content.content.map((n) => {
				if (!n.isText) return `{${n.attrs.t}}`;
				const marks = n.marks.map((m) => m.type.name + (m.attrs.v ?? m.attrs.href ?? ""));
				return marks.length > 0 ? `[${n.text}|${marks.join(",")}]` : n.text;
			});
			return `${t}${level || ""}${checked ? "x" : ""}: ${inline.join("")}`;
		}),
	);
export const says = async (page, wanted) => {
	try {
		await until("the text", async () => JSON.stringify(await blocks(page)) === JSON.stringify(wanted));
	} catch {
		assert.deepEqual(await blocks(page), wanted);
	}
};
// begin puts the cursor at the beginning. Within a moment after the text got the
// focus back, its own selection wins.
export const begin = (page) =>
	until("the beginning", async () => {
		await page.keyboard.press("Control+Home");
		return page.evaluate(() => {
			const { selection } = globalThis.document.querySelector(".paper-place").editor.view.state;
			return selection.empty && selection.from === 1;
		});
	});

// select selects so many letters from the beginning.
export async function select(page, n) {
	await begin(page);
	for (let i = 0; i < n; i++) await page.keyboard.press("Shift+ArrowRight");
	await until("the selection", () =>
		page.evaluate((many) => {
			const { from, to } = globalThis.document.querySelector(".paper-place").editor.view.state.selection;
			return to - from === many;
		}, n),
	);
}
// saved is the text as the program has it.
export const saved = async (node, id) => (await node.ask("document", { id, heads: [] })).markdown;

// paste puts something on the clipboard as a program would, and pastes it.
export const paste = (page, types) =>
	text(page).evaluate((el, data) => {
		const transfer = new DataTransfer();
		for (const [type, value] of Object.entries(data)) transfer.setData(type, value);
		el.dispatchEvent(
			new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true, cancelable: true }),
		);
	}, types);
// copied is what copying puts on the clipboard.
export const copied = (page) =>
	text(page).evaluate((el) => {
		const transfer = new DataTransfer();
		el.dispatchEvent(
			new ClipboardEvent("copy", { clipboardData: transfer, bubbles: true, cancelable: true }),
		);
		return { html: transfer.getData("text/html"), text: transfer.getData("text/plain") };
	});
