// Files of this computer that the program around the window has, not the page:
// webviews do not pass files on in requests (WebKitGTK sends nothing instead).
import { Problem } from "./api/client";
import { t } from "./words/index.svelte";

export const inWindow = "runtime" in window;

export interface Taken {
	token: string;
	name: string;
	size: number;
	lastModified: number; // ms since 1970
}

// Brought is what someone chose in the system's dialog or dropped on the window.
export interface Brought {
	files: { token: string; path: string; size: number; time: number }[] | null;
	empty: string[] | null; // directories without anything in them
}

export const taken = (file: File | Taken): file is Taken => "token" in file;

// real reads what the program has into the page.
export async function real(file: File | Taken): Promise<File> {
	if (!taken(file)) return file;
	const answer = await fetch(`/window/file?token=${file.token}`);
	if (!answer.ok) throw new Error(`a file that was dropped: ${answer.status}`);
	return new File([await answer.blob()], file.name, { lastModified: file.lastModified });
}

// choose asks by the system's dialog for files, or for a directory with all in it.
export async function choose(what: "files" | "directory"): Promise<Brought> {
	const answer = await fetch(`/window/choose?what=${what}`, { method: "POST" });
	const found = await answer.json();
	if (!answer.ok) throw new Problem(found.code, found.sentence, found.next);
	return found;
}

// most is what the window takes of a file that only the page has, such as an image
// that was pasted: it is held in memory on its way.
const most = 256 << 20;

// body is what a request carries to send a file.
export async function body(file: File): Promise<File | ArrayBuffer> {
	if (!inWindow) return file;
	if (file.size > most) throw new Problem("too-large", t.desktop.tooLarge, t.desktop.tooLargeNext);
	return file.arrayBuffer();
}
