package api

// accessPhrases are those of roles, spaces, recovery and the doctor.
var accessPhrases = map[string]phrase{
	"only-reading": {
		"In diesem Bereich dürfen Sie lesen, nicht schreiben. Ihr Text bleibt stehen.", "You may read in this space, not write. Your text stays.",
		"Fragen Sie jemanden, der den Bereich verwaltet.", "Ask someone who manages the space.",
	},
	"senior": {
		"Dieses Gerät hat Vorrang vor Ihrem: Es war früher mit Rechten dabei.", "That device is senior to yours: it had its rights earlier.",
		"Die Vertretungen können es gemeinsam entfernen: Menschen, Wenn alles verloren geht.", "The deputies can remove it together: People, If all is lost.",
	},
	"not-permitted": {
		"Das darf dieses Gerät nicht.", "This device may not do that.",
		"Fragen Sie jemanden, der das Büro oder den Bereich verwaltet.", "Ask someone who manages the office or the space.",
	},
	"last-manager": {
		"Danach könnte niemand mehr das Büro verwalten.", "Nobody could manage the office then.",
		"Bestimmen Sie zuerst jemand anderen.", "Name someone else first.",
	},
	"no-such-person": {
		"Diese Person oder dieses Gerät gehört nicht mehr zum Büro.", "This person or device is not part of the office any more.",
		"Laden Sie die Seite neu.", "Reload the page.",
	},
	"no-such-space": {
		"Diesen Bereich gibt es hier nicht.", "There is no such space here.",
		"Wählen Sie einen aus der Liste.", "Choose one from the list.",
	},
	"no-such-step": {
		"Diesen Vorschlag gibt es hier nicht.", "There is no such proposal here.",
		"Laden Sie die Seite neu.", "Reload the page.",
	},
	"no-change": {
		"Das ist schon so.", "It is so already.", "", "",
	},
	"policy": {
		"So können die Vertretungen nicht entscheiden: Es muss mehr als die Hälfte zustimmen, von 1 bis 16.", "The deputies cannot decide this way: more than half of 1 to 16 must approve.",
		"Wählen Sie eine größere Zahl oder weniger Vertretungen.", "Choose a larger number or fewer deputies.",
	},
	"too-much": {
		"Das ist zu viel auf einmal.", "That is too much at once.",
		"Machen Sie es in zwei Schritten.", "Do it in two steps.",
	},
	"device-removed": {
		"Dieses Gerät wurde für immer entfernt.", "This device was removed for good.",
		"Nehmen Sie dort einen leeren Datenordner und laden Sie es neu ein.", "Use an empty data folder there and invite it anew.",
	},
	"kit-gone": {
		"Das Blatt liegt nur noch auf Papier vor. Kein Gerät kennt es mehr.", "The sheet exists on paper only. No device knows it any more.",
		"Ist es verloren, lassen Sie ein neues machen: Menschen, Wenn alles verloren geht.", "If it is lost, have a new one made: People, If all is lost.",
	},
	"kit-words": {
		"Das %d. Wort stimmt nicht.", "Word %d is not right.",
		"Lesen Sie es vom gedruckten Blatt ab.", "Read it from the printed sheet.",
	},
	"kit-word": {
		"Das %d. Wort, „%v“, steht auf keinem Blatt.", "Word %d, \"%v\", is on no sheet.",
		"Vergleichen Sie es mit dem Blatt.", "Compare it with the sheet.",
	},
	"kit-count": {
		"Das sind %d Wörter. Auf dem Blatt stehen 24.", "These are %d words. The sheet has 24.",
		"Tippen Sie alle, in ihrer Reihenfolge.", "Type all of them, in their order.",
	},
	"kit-sum": {
		"Die Wörter passen nicht zusammen: Eines ist vertauscht oder falsch gelesen.", "The words do not fit together: one is swapped or misread.",
		"Vergleichen Sie sie der Reihe nach mit dem Blatt.", "Compare them with the sheet in order.",
	},
	"kit-other": {
		"Dieses Blatt gehört nicht zu diesem Büro oder wurde durch ein neues ersetzt.", "This sheet is not of this office, or was replaced by a new one.",
		"Nehmen Sie das neueste Blatt.", "Take the newest sheet.",
	},
	"bad-link": {
		"Das ist keine Einladung. Sie beginnt mit „inselnetz:join?“.", "This is no invitation. It begins with \"inselnetz:join?\".",
		"Kopieren Sie die ganze Zeile.", "Copy the whole line.",
	},
	"link-used": {
		"Diese Einladung wurde schon benutzt. Sie gilt für ein einziges Gerät.", "This invitation was used already. It is for one device.",
		"Lassen Sie sich eine neue geben.", "Ask for a new one.",
	},
	"identity-locked": {
		"Der Schlüsselspeicher dieses Computers ist verschlossen oder fehlt. Ohne ihn lassen sich die Schlüssel des Geräts nicht lesen.", "This computer's key store is locked or missing. Without it the device's keys cannot be read.",
		"Melden Sie sich am Computer an und starten Sie Inselnetz neu. Ist es ein anderer Computer, treten Sie mit einem leeren Datenordner neu bei.", "Log in to the computer and restart Inselnetz. If it is another computer, join anew with an empty data folder.",
	},
	"identity-elsewhere": {
		"Die Schlüssel dieses Geräts liegen im Schlüsselspeicher eines anderen Computers oder Benutzers: %v", "This device's keys lie in the key store of another computer or user: %v",
		"Dieser Datenordner ist eine Kopie. Treten Sie mit einem leeren Datenordner neu bei.", "This data folder is a copy. Join anew with an empty data folder.",
	},

	// Notices.
	"kit-waiting": {
		"Das Wiederherstellungs-Blatt ist noch nicht gedruckt.", "The recovery sheet is not printed yet.",
		"Drucken Sie es und legen Sie es an einen sicheren Ort.", "Print it and put it in a safe place.",
	},
	"secrets-in-file": {
		"Dieser Computer bietet keinen Schlüsselspeicher: Die Schlüssel liegen in einer Datei, die nur Ihr Benutzerkonto lesen darf.", "This computer offers no key store: the keys lie in a file that only your user account may read.",
		"Verschlüsseln Sie die Festplatte. Mehr dazu unter Einstellungen, Zustand dieses Geräts.", "Encrypt the disk. More under Settings, State of this device.",
	},
	"late-work": {
		"Von entfernten Geräten sind %d Einträge zu spät gekommen. Sie sind da und werden nicht gezeigt.", "%d entries of removed devices came too late. They are kept and not shown.",
		"Sehen Sie sie an und entscheiden Sie: Menschen, Entfernt.", "Look at them and decide: People, Removed.",
	},
	"approve-wanted": {
		"Ein Vorschlag wartet auf Ihre Zustimmung.", "A proposal waits for your approval.",
		"Menschen, Wenn alles verloren geht.", "People, If all is lost.",
	},
	"left": {
		"Dieses Gerät gehört nicht mehr zum Büro. Was hier liegt, bleibt lesbar; Neues kommt nicht mehr.", "This device is not part of the office any more. What is here stays readable; nothing new comes.",
		"Für einen neuen Anfang nehmen Sie einen leeren Datenordner.", "For a new start use an empty data folder.",
	},
	"erase-waits": {
		"Ein gelöschter Text ließ sich auf diesem Computer noch nicht restlos entfernen.", "An erased text could not be wiped from this computer completely yet.",
		"Schaffen Sie Platz auf der Festplatte. Inselnetz versucht es weiter.", "Make room on the disk. Inselnetz keeps trying.",
	},

	// What the doctor says: check/CODE/STATE.
	"check/secrets/ok": {
		"Die Schlüssel liegen verschlossen im Schlüsselspeicher des Computers.", "The keys are locked up in the computer's key store.", "", "",
	},
	"check/secrets/file": {
		"Die Schlüssel liegen in einer Datei, die nur dieses Benutzerkonto lesen darf: %v", "The keys lie in a file that only this user account may read: %v",
		"Dieser Computer bietet keinen Schlüsselspeicher. Verschlüsseln Sie die Festplatte.", "This computer offers no key store. Encrypt the disk.",
	},
	"check/disk/ok": {
		"Die Festplatte ist verschlüsselt.", "The disk is encrypted.", "", "",
	},
	"check/disk/open": {
		"Die Festplatte ist nicht verschlüsselt. Wer den Computer mitnimmt, kann lesen, was hier liegt.", "The disk is not encrypted. Whoever takes the computer can read what is here.",
		"Schalten Sie die Verschlüsselung ein: BitLocker, FileVault oder LUKS.", "Switch on encryption: BitLocker, FileVault or LUKS.",
	},
	"check/disk/unknown": {
		"Ob die Festplatte verschlüsselt ist, lässt sich von hier aus nicht sagen.", "Whether the disk is encrypted cannot be told from here.", "", "",
	},
	"check/database/ok": {
		"Die Datenbank ist in Ordnung.", "The database is in order.", "", "",
	},
	"check/database/damaged": {
		"Die Datenbank ist beschädigt.", "The database is damaged.",
		"Starten Sie Inselnetz neu: Es rettet, was lesbar ist, und holt den Rest von den anderen Geräten.", "Restart Inselnetz: it saves what can be read and fetches the rest from the other devices.",
	},
	"check/clock/ok": {
		"Die Uhr zeigt %v.", "The clock shows %v.", "", "",
	},
	"check/clock/wrong": {
		"Die Uhr dieses Computers geht falsch.", "This computer's clock is wrong.",
		"Stellen Sie Datum und Uhrzeit.", "Set date and time.",
	},
	"check/copies/there": {
		"%d beschädigte Datenbanken liegen noch im Datenordner. Darin kann Text stehen, der später gelöscht wurde: %v", "%d damaged databases are still in the data folder. They may hold text that was erased later: %v",
		"Löschen Sie die Dateien mit „damaged“ im Namen, wenn Sie sie nicht mehr brauchen.", "Delete the files with \"damaged\" in their names when you do not need them.",
	},
	"check/erase/waits": {
		"Ein gelöschter Text ließ sich noch nicht restlos entfernen.", "An erased text could not be wiped completely yet.",
		"Schaffen Sie Platz auf der Festplatte.", "Make room on the disk.",
	},
	"check/managers/ok": {
		"%d Menschen können das Büro verwalten.", "%d people can manage the office.", "", "",
	},
	"check/managers/one": {
		"Nur eine Person kann verwalten.", "Only one person can manage.",
		"Bestimmen Sie eine zweite: Menschen.", "Name a second: People.",
	},
	"check/kit/ok": {
		"Das Wiederherstellungs-Blatt ist gedruckt.", "The recovery sheet is printed.", "", "",
	},
	"check/kit/waiting": {
		"Das Wiederherstellungs-Blatt ist noch nicht gedruckt.", "The recovery sheet is not printed yet.",
		"Drucken Sie es: Menschen, Wenn alles verloren geht.", "Print it: People, If all is lost.",
	},
	"check/kit/none": {
		"Es gibt kein Wiederherstellungs-Blatt.", "There is no recovery sheet.",
		"Bestimmen Sie Vertretungen: Menschen, Wenn alles verloren geht.", "Name deputies: People, If all is lost.",
	},
}
