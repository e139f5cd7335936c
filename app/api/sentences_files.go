package api

// filePhrases are the sentences about files.
var filePhrases = map[string]phrase{
	"no-folder": {
		"Dieser Bereich hat hier keinen Ordner.", "This space has no folder here.",
		"Wählen Sie einen anderen Bereich.", "Choose another space.",
	},
	"no-file": {
		"Hier gibt es „%v“ nicht.", "There is no \"%v\" here.",
		"Vielleicht wurde es gerade umbenannt oder gelöscht: Schauen Sie im Papierkorb nach.", "It may just have been renamed or deleted: look in the trash.",
	},
	"file-taken": {
		"„%v“ gibt es schon.", "\"%v\" is there already.",
		"Wählen Sie einen anderen Namen.", "Choose another name.",
	},
	"file-bad-name": {
		"„%v“ kann keine Datei heißen.", "No file can be called \"%v\".",
		"Nehmen Sie einen kürzeren Namen ohne Sonderzeichen.", "Choose a shorter name without special characters.",
	},
	"file-nobody": {
		"„%v“ hat gerade kein Gerät, das erreichbar ist.", "No device in reach has \"%v\" just now.",
		"Schalten Sie ein Gerät ein, auf dem es liegt.", "Switch on a device that has it.",
	},
	"file-not-here": {
		"„%v“ liegt nicht auf diesem Gerät.", "\"%v\" is not on this device.",
		"Laden Sie es herunter.", "Download it.",
	},
	"file-denied": {
		"Das Betriebssystem lässt „%v“ nicht lesen oder schreiben.", "The operating system does not let \"%v\" be read or written.",
		"Schließen Sie das Programm, das die Datei offen hat, und prüfen Sie die Rechte des Ordners.", "Close the program that has the file open, and check the folder's permissions.",
	},
	"file-cannot-open": {
		"Auf diesem Computer lässt sich „%v“ von hier aus nicht öffnen.", "\"%v\" cannot be opened from here on this computer.",
		"Laden Sie es herunter und öffnen Sie es dort.", "Download it and open it there.",
	},
	"files-read-only": {
		"In diesem Bereich dürfen Sie lesen, nicht ändern.", "In this space you may read, not change.",
		"Fragen Sie, wer den Bereich verwaltet.", "Ask whoever manages the space.",
	},
	"files-missing": {
		"Der Ordner %v ist nicht da.", "The folder %v is not there.",
		"Schließen Sie das Laufwerk wieder an, oder wählen Sie in den Einstellungen des Ordners einen neuen Platz. Solange wird nichts gelöscht.", "Connect the drive again, or choose another place in the folder's settings. Nothing is deleted meanwhile.",
	},
	"folder-broken": {
		"Der Ordner „%v“ lässt sich nicht öffnen: %v", "The folder \"%v\" cannot be opened: %v",
		"Prüfen Sie das Laufwerk und die Rechte. Inselnetz versucht es jede Minute wieder.", "Check the drive and its permissions. Inselnetz tries again every minute.",
	},
	"bad-directory": {
		"In „%v“ kann hier kein Ordner liegen.", "No folder can lie in \"%v\" here.",
		"Nennen Sie ein Verzeichnis mit vollem Pfad, in das Sie schreiben dürfen.", "Name a directory with its full path that you may write to.",
	},
	"directory-taken": {
		"„%v“ gehört schon zu einem anderen Ordner von Inselnetz.", "\"%v\" belongs to another folder of Inselnetz already.",
		"Wählen Sie ein anderes Verzeichnis.", "Choose another directory.",
	},
	"hold-own": {
		"Über Änderungen dieses Geräts muss jemand an einem anderen Gerät entscheiden.", "Somebody at another device must decide about changes of this one.",
		"Bitten Sie eine Kollegin, dort „Dateien“ zu öffnen.", "Ask a colleague to open \"Files\" there.",
	},
	"not-held": {
		"Von diesem Gerät ist nichts angehalten.", "Nothing of this device is held.",
		"Laden Sie die Seite neu.", "Reload the page.",
	},
	"bad-phone": {
		"Das ist keine Gerätekennung von Syncthing.", "This is not a device id of Syncthing.",
		"Kopieren Sie sie dort aus „Eigene Kennung anzeigen“: acht Gruppen zu sieben Zeichen.", "Copy it there from \"Show ID\": eight groups of seven characters.",
	},
	"phones-off": {
		"Die Verbindung zu Syncthing-Geräten läuft nicht: %v", "The connection to Syncthing devices is not running: %v",
		"Starten Sie Inselnetz neu.", "Restart Inselnetz.",
	},
	"files-held": {
		"Angehalten: %v hat viele Dateien geändert (%d).", "Held: %v changed many files (%d).",
		"Sehen Sie nach und entscheiden Sie: annehmen oder verwerfen.", "Have a look and decide: accept or discard.",
	},
	"files-waiting": {
		"%d Dateien hat gerade kein erreichbares Gerät.", "%d files are on no device in reach just now.",
		"Sie kommen, sobald ein Gerät eingeschaltet ist, das sie hat.", "They come as soon as a device that has them is switched on.",
	},
	"files-conflict": {
		"Bei %d Dateien haben zwei gleichzeitig geändert.", "%d files were changed by two people at the same time.",
		"Wählen Sie, was gilt. Beide Fassungen sind da.", "Choose which one counts. Both are there.",
	},
	"files-alone": {
		"Ihre Änderung bleibt auf diesem Gerät: In diesem Bereich dürfen Sie nur lesen.", "Your change stays on this device: in this space you may only read.",
		"Kopieren Sie die Datei an einen anderen Ort, und fragen Sie, wer den Bereich verwaltet.", "Copy the file to another place, and ask whoever manages the space.",
	},
	"files-watch": {
		"Änderungen werden langsamer bemerkt als sonst: %v", "Changes are noticed more slowly than usual: %v",
		"Es geht nichts verloren; Inselnetz sieht jede Minute nach.", "Nothing is lost; Inselnetz looks every minute.",
	},
	"file-waits": {
		"Diese Datei hat gerade kein erreichbares Gerät.", "No device in reach has this file just now.",
		"Sie kommt, sobald ein Gerät eingeschaltet ist, das sie hat.", "It comes as soon as a device that has it is switched on.",
	},
	"file-spared": {
		"Diese Datei wartet, weil die Verbindung nach Menge bezahlt wird.", "This file waits because the connection is paid by volume.",
		"Öffnen Sie sie, oder wählen Sie oben „Jetzt laden“.", "Open it, or choose \"Load now\" above.",
	},
	"file-name": {
		"„%v“ kann dieser Computer so nicht speichern.", "This computer cannot store \"%v\" under this name.",
		"Benennen Sie es um, zum Beispiel in „%[2]v“.", "Rename it, for example to \"%[2]v\".",
	},
	"file-own-name": {
		"„%v“ hat einen Namen, den andere Computer nicht speichern können; die Datei bleibt hier.", "\"%v\" has a name other computers cannot store; the file stays here.",
		"Benennen Sie sie um, zum Beispiel in „%[2]v“.", "Rename it, for example to \"%[2]v\".",
	},
	"file-name-others": {
		"Windows kann „%v“ so nicht speichern.", "Windows cannot store \"%v\" under this name.",
		"Benennen Sie es um, dann haben es alle.", "Rename it, then everyone has it.",
	},
	"file-deceptive": {
		"Der Name von „%v“ enthält Zeichen, die täuschen können.", "The name of \"%v\" has characters that can deceive.",
		"Öffnen Sie es nur, wenn Sie wissen, woher es kommt.", "Open it only if you know where it comes from.",
	},
	"file-in-use": {
		"„%v“ ist in einem Programm geöffnet; die neue Fassung wartet.", "\"%v\" is open in a program; the new version waits.",
		"Schließen Sie die Datei dort.", "Close the file there.",
	},
	"file-held": {
		"Eine neue Fassung ist angehalten, weil ein Gerät sehr viele Dateien geändert hat.", "A new version is held because a device changed very many files.",
		"Entscheiden Sie oben auf der Seite.", "Decide at the top of the page.",
	},
	"file-disk-full": {
		"Für „%v“ ist auf diesem Gerät kein Platz.", "There is no room for \"%v\" on this device.",
		"Schaffen Sie Platz, oder behalten Sie den Ordner nicht auf diesem Gerät.", "Make room, or do not keep the folder on this device.",
	},
	"file-no-access": {
		"„%v“ darf Inselnetz auf diesem Gerät nicht lesen oder schreiben.", "Inselnetz may not read or write \"%v\" on this device.",
		"Prüfen Sie die Rechte der Datei und des Ordners.", "Check the permissions of the file and its folder.",
	},
	"file-failed": {
		"Mit „%v“ ging etwas schief: %v", "Something went wrong with \"%v\": %v",
		"Inselnetz versucht es wieder.", "Inselnetz tries again.",
	},
	"phone-accept": {
		"Auf dem Gerät ist der Ordner noch nicht angenommen.", "The folder is not accepted on the device yet.",
		"Öffnen Sie dort Syncthing und nehmen Sie ihn an.", "Open Syncthing there and accept it.",
	},
	"phone-paused": {
		"Auf dem Gerät ist der Ordner angehalten.", "The folder is paused on the device.",
		"Setzen Sie ihn dort in Syncthing fort.", "Resume it there in Syncthing.",
	},
	"phone-encrypted": {
		"Auf dem Gerät ist der Ordner als verschlüsselt eingerichtet; das versteht Inselnetz nicht.", "The folder is set up as encrypted on the device; Inselnetz does not understand that.",
		"Richten Sie ihn dort ohne Passwort ein.", "Set it up there without a password.",
	},
	"phone-held": {
		"Änderungen dieses Geräts sind angehalten.", "Changes of this device are held.",
		"Entscheiden Sie oben auf der Seite der Dateien.", "Decide at the top of the page of files.",
	},
	"upload-broken": {
		"Die Übertragung ist abgebrochen, die Datei ist nicht gespeichert.", "The transfer broke off, the file is not stored.",
		"Versuchen Sie es noch einmal.", "Try again.",
	},
}
