// Files and images in a text: they lie in the folder of the document's space, below
// "Dokumente/TITLE", and the text names their path.
import { Plugin, PluginKey, TextSelection } from "prosemirror-state";
import type { EditorView } from "prosemirror-view";
import { Problem } from "../api/client";
import type { Upload as Uploaded, Error as Wrong } from "../api/types.gen";
import { join } from "../paths";
import { body } from "../taken";
import { language, t } from "../words/index.svelte";
import { placeEmbed } from "./commands";
import { schema } from "./schema";

const shown = /\.(png|gif|webp|bmp|avif|jpe?g)$/i; // what a browser shows, and Go lets it

export const isImage = (name: string) => shown.test(name);

// dirOf is the directory of a document's files. Its title becomes a name that all
// systems can have.
export function dirOf(title: string): string {
	const name = title
		.normalize("NFC")
		.replace(/[\p{Cc}\p{Cf}<>:"/\\|?*]/gu, " ")
		.replace(/\s+/g, " ")
		.slice(0, 80)
		.replace(/^[. ]+|[. ]+$/g, "");
	const safe = /^(con|prn|aux|nul|com\d|lpt\d)$/i.test(name) ? `${name}_` : name;
	return join(t.editor.embed.dir, safe || t.editor.untitled);
}

// nameOf is a name for a file from a clipboard, which often has none of its own.
function nameOf(file: File, at: Date): string {
	if (file.name && !/^image\.\w+$/.test(file.name)) return file.name;
	const two = (n: number) => String(n).padStart(2, "0");
	const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
	const clock = `${two(at.getHours())}.${two(at.getMinutes())}.${two(at.getSeconds())}`;
	const ending = /\.\w+$/.exec(file.name)?.[0] ?? `.${file.type.split("/")[1] ?? "bin"}`;
	return `${day} ${clock}${ending}`;
}

// Sending is a file on its way into the folder.
export interface Sending {
	name: string;
	done: Promise<Uploaded>;
	stop: () => void;
}

// send puts a file into the folder of a space; moved says how much of it is there,
// from 0 to 1.
export function send(space: string, title: string, file: File, moved: (share: number) => void): Sending {
	const name = nameOf(file, new Date());
	const request = new XMLHttpRequest();
	const query = new URLSearchParams({
		space,
		path: join(dirOf(title), name).normalize("NFC"),
		base: "none",
		time: String(file.lastModified),
		size: String(file.size),
	});
	let fail: (why: unknown) => void = () => {};
	const done = new Promise<Uploaded>((ok, failed) => {
		fail = failed;
		const offline = () => failed(new Problem("offline", t.conn.offline, t.conn.offlineNext));
		request.upload.onprogress = (event) => moved(event.loaded / Math.max(1, file.size));
		request.onerror = offline;
		request.onabort = () => failed(new Problem("stopped", "", ""));
		request.onload = () => {
			try {
				const answer = JSON.parse(request.responseText) as Uploaded & Wrong;
				if (request.status < 300) ok(answer);
				else failed(new Problem(answer.code, answer.sentence, answer.next, answer.field));
			} catch {
				offline();
			}
		};
	});
	request.open("PUT", `/api/files/content?${query}`);
	request.setRequestHeader("X-Inselnetz-Language", language.now);
	body(file).then((content) => request.send(content), fail);
	return { name, done, stop: () => request.abort() };
}

// Spots are the places where files go that are on their way; they move along while
// people write.
type Spots = ReadonlyMap<string, number>;
const key = new PluginKey<Spots>("spots");

export const spots = (): Plugin<Spots> =>
	new Plugin<Spots>({
		key,
		state: {
			init: () => new Map(),
			apply(tr, was) {
				const asked = tr.getMeta(key) as { add?: [string, number]; drop?: string } | undefined;
				if (!asked && (!tr.docChanged || was.size === 0)) return was;
				const now = new Map([...was].map(([id, at]) => [id, tr.mapping.map(at)] as const));
				if (asked?.add) now.set(...asked.add);
				if (asked?.drop) now.delete(asked.drop);
				return now;
			},
		},
	});

// hold keeps a place; drop forgets it.
export const hold = (view: EditorView, id: string, at: number | null) =>
	view.dispatch(view.state.tr.setMeta(key, { add: [id, at ?? view.state.selection.from] }));
export const drop = (view: EditorView, id: string) => view.dispatch(view.state.tr.setMeta(key, { drop: id }));

// place puts what was sent into the text, where its place was held. Whoever writes
// elsewhere by now stays there.
export function place(view: EditorView, { file }: Uploaded, id: string) {
	const { state } = view;
	const at = key.getState(state)?.get(id) ?? state.selection.from;
	const { selection } = state;
	const tr = state.tr.setMeta(key, { drop: id });
	const there = selection.from === at;
	tr.setSelection(TextSelection.near(tr.doc.resolve(Math.min(at, tr.doc.content.size))));
	const x = { path: file.path, name: file.name, size: file.size };
	placeEmbed(tr, schema.nodes.embed.create({ t: isImage(file.name) ? "image" : "file", x }));
	if (!there) tr.setSelection(selection.getBookmark().map(tr.mapping).resolve(tr.doc));
	view.dispatch(tr);
}
