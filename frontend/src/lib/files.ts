// How files are shown: sizes, times, where they are, and where their content is.
import type { File, Progress } from "./api/types.gen";
import { saveLink } from "./desktop.svelte";
import { language, t } from "./words/index.svelte";

const numbers = new Map<string, Intl.NumberFormat>();
function number(n: number, digits: number): string {
	const key = `${language.now}${digits}`;
	let f = numbers.get(key);
	if (!f) {
		f = new Intl.NumberFormat(language.now === "de" ? "de-DE" : "en-GB", { maximumFractionDigits: digits });
		numbers.set(key, f);
	}
	return f.format(n);
}

// plain is a name as it may be shown: characters that turn or hide what follows
// would let a program pass for a letter.
export const plain = (name: string) =>
	name.replace(/[\p{Cc}\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]/gu, "\ufffd");

// count is "1.240".
export const count = (n: number) => number(n, 0);

// bytes is "84 KB", "1,2 MB".
export function bytes(n: number): string {
	const units = ["B", "KB", "MB", "GB", "TB"];
	let unit = 0;
	while (n >= 999.5 && unit < units.length - 1) {
		n /= 1000;
		unit++;
	}
	return `${number(n, unit > 1 && n < 99.5 ? 1 : 0)} ${units[unit]}`;
}

// pace is "48 MB/s, noch etwa 4 min"; empty if nothing is known yet.
export function pace(rate: number, seconds: number): string {
	const parts = rate > 0 ? [`${bytes(rate)}/s`] : [];
	if (rate > 0 && seconds > 0) parts.push(t.files.left(seconds));
	return parts.join(", ");
}

// share is how much of some work is done, 0 to 1; null if nobody knows.
export function share(progress: Progress): number | null {
	const all = progress.done + progress.bytes;
	return progress.reading || all === 0 ? null : progress.done / all;
}

// under says in a few words what is in a directory, or how large a file is and
// whose.
export function under(file: File): string {
	if (file.kind === "dir") {
		return file.count === 0
			? t.files.emptyDir
			: `${t.files.count(file.count, count(file.count))}, ${bytes(file.size)}`;
	}
	const parts = [file.kind === "link" ? t.files.link(file.target) : bytes(file.size)];
	if (file.person.name) parts.push(file.person.self ? t.files.you : file.person.name);
	if (file.open) parts.push(t.files.openBy(file.open));
	return parts.join(", ");
}

// address is where the content of a path is: of a version, or as it is now.
export function address(space: string, path: string, version = "", inline = false): string {
	const query = new URLSearchParams({ space, path });
	if (version) query.set("version", version);
	if (inline) query.set("inline", "1");
	return `/api/files/content?${query}`;
}

// save hands a content to the browser's downloads.
export function save(space: string, path: string, version = "") {
	const link = document.createElement("a");
	link.href = address(space, path, version);
	link.download = path.slice(path.lastIndexOf("/") + 1);
	saveLink(link);
}

// inWindow says whether the page is the program's own window, which has no tabs.
export const inWindow = () => "runtime" in window;
