// What someone drops on the page: files, and directories with all in them.
import type { Chosen } from "./state/uploads.svelte";

export interface Dropped {
	files: Chosen[];
	empty: string[]; // directories without anything in them
}

// carriesFiles says whether what is dragged over the page are files.
export const carriesFiles = (event: DragEvent) => event.dataTransfer?.types.includes("Files") ?? false;

// dropped reads what a drop brought. It must be called while the event is still
// being handled: later the browser forgets what it was.
export function dropped(data: DataTransfer): Promise<Dropped> {
	const found: Dropped = { files: [], empty: [] };
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
export const picked = (list: FileList | null): Chosen[] =>
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
