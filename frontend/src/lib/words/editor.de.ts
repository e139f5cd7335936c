// What the page says in German about writing a document.
export const editor = {
	editor: {},
};
