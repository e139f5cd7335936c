// What the page says in English about writing a document.
import type { editor as de } from "./editor.de";

export const editor: typeof de = {
	editor: {},
};
