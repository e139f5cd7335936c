package api

// documentPhrases are the sentences about documents.
var documentPhrases = map[string]phrase{
	"no-document": {
		"Dieses Dokument gibt es hier nicht.", "This document is not here.",
		"Vielleicht ist es noch nicht angekommen, oder es liegt in einem Bereich, den Sie nicht lesen.", "It may not have arrived yet, or lie in a space that you do not read.",
	},
	"document-incomplete": {
		"Der Anfang dieses Dokuments ist noch nicht angekommen.", "The beginning of this document has not arrived yet.",
		"Schalten Sie ein Gerät ein, auf dem es geöffnet war.", "Switch on a device on which it was open.",
	},
	"document-title": {
		"Ein Dokument braucht einen Namen: eine Zeile, nicht zu lang.", "A document needs a name: one line, not too long.",
		"Geben Sie ihm einen kürzeren Namen.", "Give it a shorter name.",
	},
	"document-large": {
		"So groß kann ein Dokument nicht werden.", "A document cannot become that large.",
		"Teilen Sie es in mehrere Dokumente.", "Split it into several documents.",
	},
	"no-editor": {
		"Das Programm hat inzwischen neu begonnen.", "The program has started anew meanwhile.",
		"Die Seite verbindet sich wieder.", "The page connects again.",
	},
	"no-version": {
		"Diesen Stand des Dokuments gibt es hier nicht.", "This state of the document is not here.",
		"Wählen Sie einen aus der Liste.", "Choose one from the list.",
	},
}
