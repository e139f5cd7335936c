// What the page says in German about a document's history and comments.
export const past = {
	past: {},
};
