package api

// stickPhrases are the sentences about the file for a stick.
var stickPhrases = map[string]phrase{
	"stick-busy": {
		"Es wird gerade schon eine Datei geschrieben oder eingelesen.", "A file is being written or read already.",
		"Warten Sie, bis sie fertig ist, oder brechen Sie sie ab.", "Wait until it is done, or cancel it.",
	},
	"stick-other": {
		"Das ist keine Datei zum Austausch.", "This is no file for exchange.",
		"Wählen Sie die Datei, die der andere Computer unter Menschen, Geräte, „Ohne Netz“ gespeichert hat.", "Choose the file that the other computer saved under People, Devices, \"Without a network\".",
	},
	"stick-newer": {
		"Diese Datei hat eine neuere Fassung von Inselnetz gemacht.", "A newer version of Inselnetz made this file.",
		"Bringen Sie Inselnetz auf diesem Computer auf den neuesten Stand.", "Update Inselnetz on this computer.",
	},
	"stick-foreign": {
		"Dieser Computer kann die Datei nicht öffnen. Sie ist aus einem anderen Büro, oder er gehört nicht mehr dazu.", "This computer cannot open the file. It is of another office, or the computer is no longer in it.",
		"Gehört er dazu, lassen Sie drüben eine neue Datei machen.", "If it is in, have the other computer make a new file.",
	},
	"stick-damaged": {
		"Die Datei ist unvollständig oder beschädigt. Was davor kam, ist hier.", "The file is incomplete or damaged. What came before that is here.",
		"Speichern Sie sie drüben noch einmal, und warten Sie mit dem Herausziehen, bis der Stick fertig ist.", "Save it once more on the other computer, and pull the stick out only when it is done.",
	},
	"stick-unread": {
		"Die Datei konnte nicht zu Ende gelesen werden. Was davor kam, ist hier.", "The file could not be read to its end. What came before that is here.",
		"Stecken Sie den Stick wieder ein, und lesen Sie die Datei noch einmal ein. Nichts kommt doppelt.", "Plug the stick in again and import the file once more. Nothing comes twice.",
	},
	"stick-stopped": {
		"Abgebrochen. Was bis dahin kam, ist hier.", "Cancelled. What came until then is here.",
		"Sie können dieselbe Datei jederzeit noch einmal einlesen.", "You can import the same file again at any time.",
	},
	"write-full": {
		"Dort ist kein Platz mehr. Es wurde nichts gespeichert.", "There is no room left. Nothing was saved.",
		"Machen Sie Platz, oder nehmen Sie einen größeren Stick.", "Make room, or take a larger stick.",
	},
	"write-not-allowed": {
		"Dorthin darf nicht geschrieben werden. Es wurde nichts gespeichert.", "Writing there is not allowed. Nothing was saved.",
		"Schieben Sie den Schreibschutz des Sticks zurück, oder wählen Sie einen anderen Ordner.", "Move the stick's write protection back, or choose another folder.",
	},
	"write-gone": {
		"Der Ordner oder der Stick ist nicht mehr da. Es wurde nichts gespeichert.", "The folder or the stick is gone. Nothing was saved.",
		"Stecken Sie den Stick wieder ein, und versuchen Sie es noch einmal.", "Plug the stick in again, and try once more.",
	},
	"write-broken": {
		"Die Datei wurde nicht fertig. Es wurde nichts gespeichert.", "The file was not finished. Nothing was saved.",
		"Versuchen Sie es noch einmal.", "Try once more.",
	},
	"stick-refused-members": {
		"%d Einträge von %s warten: was über die Mitglieder bekannt sein muss, fehlt noch.", "%d entries of %s wait: something that must be known about members is missing.",
		"Lassen Sie drüben eine Datei mit allem von Anfang an machen.", "Have the other computer make a file with everything from the beginning.",
	},
	"stick-refused-gap": {
		"%d Einträge von %s passen noch nicht: davor fehlt hier etwas.", "%d entries of %s do not fit yet: something before them is missing here.",
		"Lassen Sie drüben eine Datei mit allem von Anfang an machen.", "Have the other computer make a file with everything from the beginning.",
	},
	"stick-refused-space": {
		"%d Einträge von %s gehören zu einem Bereich, der nicht auf diesem Gerät liegt.", "%d entries of %s belong to a space that is not on this device.", "", "",
	},
	"stick-refused-wrong": {
		"%d Einträge von %s sind nicht echt und wurden nicht genommen.", "%d entries of %s are not genuine and were not taken.",
		"Fragen Sie, woher die Datei kommt. Hier ist nichts verändert.", "Ask where the file comes from. Nothing was changed here.",
	},
}
