// What someone drops on the page: files, and directories with all in them.
import { base } from "./paths";
import type { Chosen } from "./state/uploads.svelte";
import { type Brought, inWindow } from "./taken";

export interface Dropped {
	files: Chosen[];
	empty: string[]; // directories without anything in them
}

// What the program around the window says was dropped; the events are the page's
// own then.
const brought = new WeakMap<DragEvent, Brought>();

// carriesFiles says whether what is dragged over the page are files. The webview
// of Linux shows their addresses alone.
export const carriesFiles = (event: DragEvent) =>
	brought.has(event) ||
	(event.dataTransfer?.types.some((type) => type === "Files" || (inWindow && type === "text/uri-list")) ??
		false);

// land drops on the page what was dropped on the window.
export function land(what: Brought, x: number, y: number) {
	const at = document.elementFromPoint(x, y) ?? document.body;
	for (const kind of ["dragover", "drop"]) {
		const event = new DragEvent(kind, {
			bubbles: true,
			cancelable: true,
			clientX: x,
			clientY: y,
			dataTransfer: new DataTransfer(),
		});
		brought.set(event, what);
		at.dispatchEvent(event);
	}
}

// chosen makes of what the program has what the page works with.
export const chosen = (what: Brought): Dropped => ({
	files: (what.files ?? []).map((f) => ({
		path: f.path,
		file: { token: f.token, name: base(f.path), size: f.size, lastModified: f.time },
	})),
	empty: what.empty ?? [],
});

// dropped reads what a drop brought. It must be called while the event is still
// being handled: later the browser forgets what it was.
export function dropped(event: DragEvent): Promise<Dropped> {
	const found: Dropped = { files: [], empty: [] };
	const what = brought.get(event);
	if (what) return Promise.resolve(chosen(what));
	const data = event.dataTransfer;
	if (!data) return Promise.resolve(found);
	const entries: FileSystemEntry[] = [];
	for (const item of data.items) {
		const entry = item.webkitGetAsEntry();
		const file = item.getAsFile();
		if (entry) entries.push(entry);
		else if (file) found.files.push({ path: file.name, file }); // from another page: it has no place on a disk
	}
	return Promise.all(entries.map((entry) => walk(entry, "", found))).then(() => found);
}

// picked makes the same of what a file field holds.
export const picked = (list: FileList | null) =>
	[...(list ?? [])].map((file) => ({ path: file.webkitRelativePath || file.name, file }));

async function walk(entry: FileSystemEntry, dir: string, found: Dropped): Promise<void> {
	const path = dir ? `${dir}/${entry.name}` : entry.name;
	if (entry.isFile) {
		const file = await new Promise<File | null>((done) =>
			(entry as FileSystemFileEntry).file(done, () => done(null)),
		);
		if (file) found.files.push({ path, file });
		return;
	}
	const reader = (entry as FileSystemDirectoryEntry).createReader();
	let some = false;
	for (;;) {
		// A reader gives a hundred at a time, and nothing at the end.
		const batch = await new Promise<FileSystemEntry[]>((done) => reader.readEntries(done, () => done([])));
		if (batch.length === 0) break;
		some = true;
		for (const child of batch) await walk(child, path, found);
	}
	if (!some) found.empty.push(path);
}
