import type { Document } from "../../lib/api/types.gen";

// What the list does for its rows and cards.
export interface Actions {
	rename: (document: Document) => void;
	move: (document: Document) => void;
	copy: (document: Document) => void;
	save: (document: Document) => void; // as a file
	archive: (document: Document, archived: boolean) => void;
}
