// How many open documents hold text that the program does not have: who leaves such
// a page loses it.
class Unsaved {
	documents = $state(0);
}

export const unsaved = new Unsaved();
