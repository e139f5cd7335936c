// Undoing what this page did, and only that: see keep.ts.
import { history, redo, redoDepth, undo, undoDepth } from "prosemirror-history";
import type { Plugin } from "prosemirror-state";

export { redo, redoDepth, undo, undoDepth };

export const undoing = (): Plugin => history({ depth: 200, newGroupDelay: 700 });
