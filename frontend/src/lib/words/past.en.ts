// What the page says in English about a document's history and comments.
import type { past as de } from "./past.de";

export const past: typeof de = {
	past: {},
};
