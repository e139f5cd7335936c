// The handbook in the window: fetched when somebody opens it, searched here.
import type { Chapter, Section } from "virtual:handbook/*";
import type { Language } from "./words/index.svelte";

export type { Chapter, Section };

export const handbook = (language: Language): Promise<Chapter[]> =>
	(language === "de" ? import("virtual:handbook/de") : import("virtual:handbook/en")).then((m) => m.default);

export interface Found {
	chapter: Chapter;
	section: Section | null; // null: what stands before the first section
	before: string;
	match: string;
	after: string;
}

// fold makes words comparable: "Größe", "groesse" and "GRÖSSE" are one.
const fold = (text: string) =>
	text
		.toLowerCase()
		.replaceAll("ä", "ae")
		.replaceAll("ö", "oe")
		.replaceAll("ü", "ue")
		.replaceAll("ß", "ss")
		.normalize("NFD")
		.replace(/\p{M}/gu, "");

// at says where a folded word begins and ends in a text that is not folded.
function at(text: string, word: string): [number, number] | null {
	let folded = "";
	const origin: number[] = [];
	for (let i = 0; i < text.length; i++) {
		const one = fold(text[i] ?? "");
		for (let k = 0; k < one.length; k++) origin.push(i);
		folded += one;
	}
	const from = folded.indexOf(word);
	if (from < 0) return null;
	return [origin[from] ?? 0, (origin[from + word.length - 1] ?? text.length - 1) + 1];
}

// find returns the sections that have all words of what was typed, those first
// that have them in their titles.
export function find(chapters: Chapter[], typed: string): Found[] {
	const words = fold(typed).split(/\s+/).filter(Boolean);
	const first = words[0];
	if (!first) return [];
	const found: (Found & { rank: number })[] = [];
	for (const chapter of chapters) {
		for (const section of [null, ...chapter.sections]) {
			const { title, text } = section ?? chapter;
			const [inTitle, inText] = [fold(title), fold(text)];
			if (!words.every((w) => inTitle.includes(w) || inText.includes(w))) continue;
			const rank = words.filter((w) => inTitle.includes(w)).length * 2 + (section ? 0 : 1);
			found.push({ chapter, section, rank, ...excerpt(text, first) });
		}
	}
	return found.sort((a, b) => b.rank - a.rank);
}

const around = 60; // characters of an excerpt on each side

function excerpt(text: string, word: string) {
	const [from, to] = at(text, word) ?? [0, 0];
	const begin = from <= around ? 0 : text.indexOf(" ", from - around) + 1;
	const cut = text.lastIndexOf(" ", to + around);
	const end = to + around >= text.length || cut <= to ? text.length : cut;
	return {
		before: (begin > 0 ? "… " : "") + text.slice(begin, from),
		match: text.slice(from, to),
		after: text.slice(to, Math.min(end, to + 2 * around)) + (end < text.length ? " …" : ""),
	};
}
