// What the page says in German about the list of documents.
export const documents = {
	documents: {},
};
