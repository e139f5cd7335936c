import type { Message } from "../../lib/api/types.gen";

// Actions is what one can do with a message of the list.
export interface Actions {
	readonly write: boolean; // one may answer, react and change one's own
	reply(message: Message): void;
	replies(message: Message): void;
	react(message: Message, word: string, on: boolean): void;
	edit(message: Message): void;
	retract(message: Message): void;
	erase(message: Message): void;
	jump(pos: number): void;
	retracted(id: string): string; // the text of a message taken back on this page
	putBack(text: string): void;
}
