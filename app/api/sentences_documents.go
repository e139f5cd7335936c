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
	"import-kind": {
		"„%s“ lässt sich nicht als Dokument öffnen.", "“%s” cannot be opened as a document.",
		"Möglich sind Word (.docx), OpenDocument (.odt), Markdown (.md), Text (.txt) und Automerge.", "Word (.docx), OpenDocument (.odt), Markdown (.md), text (.txt) and Automerge work.",
	},
	"import-large": {
		"Diese Datei ist zu groß für ein Dokument: höchstens %d MB, auch entpackt nicht ungewöhnlich viel.", "This file is too large for a document: at most %d MB, and not unusually much when unpacked.",
		"Legen Sie sie unter Dateien ab, oder teilen Sie sie.", "Keep it under Files, or split it.",
	},
	"import-locked": {
		"„%s“ ist mit einem Kennwort verschlossen.", "“%s” is locked with a password.",
		"Speichern Sie sie ohne Kennwort und versuchen Sie es noch einmal.", "Save it without a password and try again.",
	},
	"import-bad": {
		"„%s“ ist beschädigt oder kein Dokument dieser Art.", "“%s” is damaged or no document of this kind.",
		"Öffnen und speichern Sie sie in dem Programm, aus dem sie kommt.", "Open and save it in the program that it comes from.",
	},
	"import-foreign": {
		"„%s“ ist eine Automerge-Datei, aber kein Text.", "“%s” is an Automerge file, but no text.",
		"Nur Dateien mit einem Text unter „text“ werden zu Dokumenten.", "Only files with a text under “text” become documents.",
	},
	"comment-empty": {
		"Eine Anmerkung braucht Worte.", "A comment needs words.",
		"Schreiben Sie etwas.", "Write something.",
	},
	"comment-long": {
		"Diese Anmerkung ist zu lang: höchstens %d KB.", "This comment is too long: at most %d KB.",
		"Kürzen Sie sie, oder schreiben Sie es in das Dokument.", "Shorten it, or write it in the document.",
	},
	"comment-other": {
		"Diese Anmerkung hat jemand anderes geschrieben, oder sie ist nicht mehr da.", "Somebody else wrote this comment, or it is gone.",
		"Antworten Sie auf sie.", "Answer it.",
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
