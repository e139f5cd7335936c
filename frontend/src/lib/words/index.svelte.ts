// The words of the page in the chosen language. Reading t in a component makes
// it follow a change of language.
import { de, type Words } from "./de";
import { en } from "./en";

export type Language = "de" | "en";

const dictionaries: Record<Language, Words> = { de, en };

let chosen = $state<Language>(document.documentElement.lang === "en" ? "en" : "de");

export const language = {
	get now(): Language {
		return chosen;
	},
	set(next: Language) {
		chosen = next;
		document.documentElement.lang = next;
		localStorage.setItem("inselnetz.language", next);
	},
	all: Object.entries(dictionaries) as [Language, Words][],
};

// t gives each part of the dictionary in the language of the moment.
export const t = new Proxy({} as Words, {
	get: (_, part: keyof Words) => dictionaries[chosen][part],
});
