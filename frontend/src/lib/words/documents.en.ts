// What the page says in English about the list of documents.
import type { documents as de } from "./documents.de";

export const documents: typeof de = {
	documents: {},
};
