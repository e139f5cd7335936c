import type { Document, DocumentHere, DocumentSave } from "../api/types.gen";

// LinkState is what the page says of an open document.
export interface LinkState {
	// opening: there is no text yet; saving: something is on its way to the disk of
	// this device; unsaved: it does not get there; refused: it will not; broken: the
	// editor itself has failed.
	kind: "opening" | "saved" | "saving" | "unsaved" | "refused" | "broken";
	since: number; // ms; unsaved: since when
	problem: { code: string; sentence: string; next: string } | null;
	save: DocumentSave;
	here: DocumentHere[]; // other pages
	canWrite: boolean; // this person may
	editable: boolean; // and can now
	document: Document | null;
	meta: number; // counts changes of title, folder or comments
	heads: string[];
	seen: string[]; // see DocumentEditor
	seenAt: number;
	unsaved: string; // what was refused, as plain text, once the text was loaded again
	healed: number; // how often the text was not what the program has: 0
}

export const opening: LinkState = {
	kind: "opening",
	since: 0,
	problem: null,
	save: { devices: 1, of: 1 },
	here: [],
	canWrite: false,
	editable: false,
	document: null,
	meta: 0,
	heads: [],
	seen: [],
	seenAt: 0,
	unsaved: "",
	healed: 0,
};
