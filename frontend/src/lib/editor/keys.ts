// Which keys do what, and the list of them for people.
import { chainCommands, selectAll } from "prosemirror-commands";
import { redo, undo } from "prosemirror-history";
import { undoInputRule } from "prosemirror-inputrules";
import { type Command, NodeSelection } from "prosemirror-state";
import { ahead, back, below, check, enter, indent, newline, setKind, toggle, wipe } from "./commands";
import { schema } from "./schema";

const marks = schema.marks;

export interface Asks {
	link(): void;
	comment(): void;
	find(): void;
	help(): void;
}

const does = (what: () => void): Command => {
	return (_state, dispatch) => {
		if (dispatch) what();
		return true;
	};
};

// keys is the keymap of the text; asks opens what needs a dialog.
export function keys(asks: Asks): Record<string, Command> {
	const out = chainCommands(check, outOf);
	return {
		Enter: enter,
		"Shift-Enter": newline,
		"Mod-Enter": out,
		Backspace: chainCommands(undoInputRule, wipe, back),
		"Mod-Backspace": chainCommands(wipe, back),
		"Shift-Backspace": chainCommands(wipe, back),
		Delete: chainCommands(wipe, ahead),
		"Mod-Delete": chainCommands(wipe, ahead),
		Tab: chainCommands(indent(1), tabInCode),
		"Shift-Tab": indent(-1),
		"Mod-b": toggle(marks.strong),
		"Mod-i": toggle(marks.em),
		"Mod-u": toggle(marks.underline),
		"Mod-Shift-x": toggle(marks.strike),
		"Mod-e": toggle(marks.code),
		"Mod-Shift-h": toggle(marks.marker),
		"Mod-k": does(asks.link),
		"Mod-Alt-0": setKind("paragraph"),
		"Mod-Alt-1": setKind("heading", 1),
		"Mod-Alt-2": setKind("heading", 2),
		"Mod-Alt-3": setKind("heading", 3),
		"Mod-Shift-7": setKind("ordered"),
		"Mod-Shift-8": setKind("bullet"),
		"Mod-Shift-9": setKind("task"),
		"Mod-Alt-m": does(asks.comment),
		"Mod-f": does(asks.find),
		"Mod-/": does(asks.help),
		"Mod-z": undo,
		"Mod-y": redo,
		"Mod-Shift-z": redo,
		"Mod-a": selectAll,
		ArrowDown: outOfCode,
	};
}

// outOf leads out of what Enter does not lead out of.
const outOf: Command = (state, dispatch) => {
	const stuck = state.selection instanceof NodeSelection || state.selection.$from.parent.attrs.t === "code";
	return stuck && below(state, dispatch);
};

const tabInCode: Command = (state, dispatch) => {
	if (state.selection.$from.parent.attrs.t !== "code") return false;
	if (dispatch) dispatch(state.tr.insertText("\t").scrollIntoView());
	return true;
};

// At the end of the last block, if that is code, arrow down leads out of it.
const outOfCode: Command = (state, dispatch) => {
	const { $head, empty } = state.selection;
	if (!empty || $head.parent.attrs.t !== "code" || $head.after() < state.doc.content.size) return false;
	if ($head.parentOffset < $head.parent.content.size) return false;
	return below(state, dispatch);
};

// list is what the help shows: keys in the words of a keyboard, and the name of what
// they do among the words of the editor.
export const list = [
	["Mod+B", "strong"],
	["Mod+I", "em"],
	["Mod+U", "underline"],
	["Mod+Shift+X", "strike"],
	["Mod+Shift+H", "marker"],
	["Mod+E", "code"],
	["Mod+K", "link"],
	["Mod+Alt+0", "text"],
	["Mod+Alt+1 … 3", "headings"],
	["Mod+Shift+8", "bullet"],
	["Mod+Shift+7", "ordered"],
	["Mod+Shift+9", "task"],
	["Tab", "deeper"],
	["Shift+Tab", "higher"],
	["Mod+Enter", "tick"],
	["Shift+Enter", "newline"],
	["Mod+Alt+M", "comment"],
	["Mod+F", "find"],
	["Mod+Z", "undo"],
	["Mod+Y", "redo"],
	["Alt+F10", "toolbar"],
	["Mod+/", "keys"],
] as const;
