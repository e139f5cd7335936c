package api

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"inselnetz/app"
)

// A language of the sentences people read.
type language string

const (
	german  language = "de"
	english language = "en"
)

// languageOf returns what the caller asks for: the page says so in a header, a
// browser or script may only have Accept-Language. German is the default.
func languageOf(r *http.Request) language {
	for _, h := range []string{r.Header.Get("X-Inselnetz-Language"), r.Header.Get("Accept-Language")} {
		switch {
		case strings.HasPrefix(h, "en"):
			return english
		case strings.HasPrefix(h, "de"):
			return german
		}
	}
	return german
}

// pick returns the text in the language.
func (l language) pick(de, en string) string {
	if l == english {
		return en
	}
	return de
}

// A phrase is what happened and what to do now, in both languages. It takes the
// Args of a Problem.
type phrase struct{ de, en, nextDE, nextEN string }

// error phrases any error; what is not a Problem is our fault.
func (l language) error(err error) *Error {
	var p *app.Problem
	if !errors.As(err, &p) {
		p = &app.Problem{Code: "internal", Args: []any{err.Error()}}
	}
	ph, ok := phrases[p.Code]
	if !ok {
		ph, ok = accessPhrases[p.Code]
	}
	if !ok {
		ph, ok = filePhrases[p.Code]
	}
	if !ok {
		ph, ok = documentPhrases[p.Code]
	}
	if !ok {
		ph, ok = webPhrases[p.Code]
	}
	if !ok {
		ph, ok = stickPhrases[p.Code]
	}
	if !ok {
		ph = phrases["internal"]
		p = &app.Problem{Code: p.Code, Args: []any{p.Error()}}
	}
	return &Error{Code: p.Code, Sentence: fill(l.pick(ph.de, ph.en), p.Args), Next: fill(l.pick(ph.nextDE, ph.nextEN), p.Args), Field: p.Field}
}

func fill(s string, args []any) string {
	if n := strings.Count(s, "%"); n == 0 {
		return s
	} else if n < len(args) && !strings.Contains(s, "%[") {
		args = args[:n]
	}
	return fmt.Sprintf(s, args...)
}

// phrases, accessPhrases, filePhrases and documentPhrases have an entry for every code of a Problem; a test
// holds them to that.
var phrases = map[string]phrase{
	"internal": {
		"Das hat nicht geklappt: %v", "That did not work: %v",
		"Bitte noch einmal versuchen. Bleibt es so, starten Sie Inselnetz neu.", "Please try again. If it stays so, restart Inselnetz.",
	},
	"bad-request": {
		"Diese Anfrage ist nicht verständlich: %v", "This request makes no sense: %v",
		"Laden Sie die Seite neu.", "Reload the page.",
	},
	"not-desktop": {
		"Hier läuft Inselnetz ohne Fenster.", "Inselnetz runs here without a window.",
		"Beenden Sie den Dienst dort, wo Sie ihn gestartet haben.", "Stop the service where you started it.",
	},
	"no-such-call": {
		"Diese Seite kennt einen Befehl, den das Programm nicht kennt: %v", "The page knows a call the program does not know: %v",
		"Laden Sie die Seite neu.", "Reload the page.",
	},
	"request-too-long": {
		"Das ist zu groß: höchstens %d MB auf einmal. Ihr Text bleibt stehen.", "That is too large: at most %d MB at once. Your text stays.",
		"Legen Sie es als Datei ab.", "Store it as a file.",
	},
	"no-session": {
		"Diese Seite gehört zu einem früheren Start des Programms.", "This page belongs to an earlier start of the program.",
		"Öffnen Sie Inselnetz neu, oder rufen Sie „inselnetz open“ auf.", "Open Inselnetz again, or run \"inselnetz open\".",
	},
	"not-text": {
		"Das ist kein Text. Ihre Eingabe bleibt stehen.", "This is not text. What you typed stays.",
		"Fügen Sie nur Text ein.", "Paste text only.",
	},
	"too-long": {
		"Die Nachricht ist zu lang: %d Zeichen-Bytes, höchstens %d. Ihr Text bleibt stehen.", "The message is too long: %d bytes, at most %d. Your text stays.",
		"Teilen Sie ihn auf.", "Split it up.",
	},
	"empty": {
		"Die Nachricht ist leer.", "The message is empty.",
		"Schreiben Sie etwas.", "Write something.",
	},
	"nonce-long": {
		"Die Kennung der Sendung ist zu lang.", "The nonce is too long.", "", "",
	},
	"name-empty": {
		"Der Name fehlt.", "The name is missing.",
		"Tragen Sie einen Namen ein.", "Enter a name.",
	},
	"name-long": {
		"Der Name ist zu lang: höchstens 60 Zeichen.", "The name is too long: at most 60 characters.",
		"Kürzen Sie ihn.", "Shorten it.",
	},
	"name-control": {
		"Der Name enthält unsichtbare Zeichen.", "The name contains invisible characters.",
		"Tippen Sie ihn von Hand ein.", "Type it by hand.",
	},
	"name-direction": {
		"Der Name enthält Zeichen, die die Schreibrichtung umdrehen. Damit ließe sich ein anderer Name vortäuschen.", "The name contains characters that turn the writing direction. They could fake another name.",
		"Tippen Sie ihn von Hand ein.", "Type it by hand.",
	},
	"not-member": {
		"Dieser Computer gehört noch zu keinem Büro.", "This computer belongs to no office yet.",
		"Gründen Sie ein Büro oder treten Sie einem bei.", "Found an office or join one.",
	},
	"already-member": {
		"Dieser Computer gehört schon zum Büro „%v“.", "This computer already belongs to the office \"%v\".",
		"Für ein zweites Büro braucht es einen eigenen Datenordner.", "A second office needs a data folder of its own.",
	},
	"no-door": {
		"Kein Büro gefunden. Ist der Computer im selben WLAN, und ist dort „Einladen“ offen?", "No office found. Same Wi-Fi, and is \"Invite\" open there?",
		"Öffnen Sie am Computer im Büro: Menschen, Einladen.", "On the office computer open: People, Invite.",
	},
	"several-doors": {
		"Mehrere Büros lassen gerade jemanden ein.", "Several offices are letting someone in.",
		"Wählen Sie das mit dem Namen vom anderen Bildschirm.", "Choose the one whose name is on the other screen.",
	},
	"door-gone": {
		"Das Büro antwortet nicht mehr.", "The office does not answer any more.",
		"Lassen Sie dort „Einladen“ noch einmal öffnen.", "Ask for \"Invite\" to be opened again there.",
	},
	"bad-address": {
		"Unter „%v“ lässt gerade kein Büro jemanden ein.", "At \"%v\" no office is letting anyone in.",
		"Die Adresse steht am anderen Bildschirm, zum Beispiel 192.168.1.7.", "The address is on the other screen, such as 192.168.1.7.",
	},
	"no-address": {
		"„%v“ ist keine Adresse.", "\"%v\" is no address.",
		"So sieht eine aus: buero.example.de, 203.0.113.7 oder 203.0.113.7:21960.", "It looks like this: office.example.com, 203.0.113.7 or 203.0.113.7:21960.",
	},
	"many-addresses": {
		"Mehr als %d Adressen merkt sich Inselnetz nicht.", "Inselnetz keeps no more than %d addresses.",
		"Nehmen Sie zuerst eine weg.", "Take one away first.",
	},
	"own-address": {
		"%v ist dieser Computer.", "%v is this computer.",
		"Wo er von außen zu erreichen ist, tragen Sie oben ein.", "Enter further up where it is reached from outside.",
	},
	"not-reached": {
		"Dieses Netz kennt keine Adressen von außen.", "This network knows no addresses from outside.", "", "",
	},
	"join-running": {
		"Der Beitritt läuft schon.", "Joining is under way already.",
		"Brechen Sie ihn ab, um neu zu beginnen.", "Cancel it to begin anew.",
	},
	"join-refused": {
		"Das Büro hat den Beitritt beendet.", "The office ended the joining.",
		"Lassen Sie dort „Einladen“ noch einmal öffnen.", "Ask for \"Invite\" to be opened again there.",
	},
	"join-hostile": {
		"Die Gegenseite hat sich nicht an das Verfahren gehalten. Es wurde nichts übernommen.", "The other side did not keep to the procedure. Nothing was taken over.",
		"Prüfen Sie, ob der Name am anderen Bildschirm derselbe ist.", "Check that the name on the other screen is the same.",
	},
	"join-expired": {
		"Die Nummer gilt nicht mehr. Lassen Sie eine neue zeigen.", "The number expired. Ask for a new one.",
		"Beginnen Sie den Beitritt noch einmal.", "Begin joining again.",
	},
	"join-canceled": {
		"Der Beitritt wurde abgebrochen.", "Joining was canceled.", "", "",
	},
	"words-differ": {
		"Die Wörter waren verschieden. Es wurde nichts übernommen.", "The words differed. Nothing was taken over.",
		"Beginnen Sie neu, und sagen Sie im Büro Bescheid: Vielleicht hat sich jemand dazwischengesetzt.", "Begin again, and tell the office: someone may have come in between.",
	},
	"not-allowed": {
		"Dafür braucht es jemanden, der das Büro verwaltet.", "Only someone who manages the office can do this.",
		"Fragen Sie: %v.", "Ask: %v.",
	},
	"number-format": {
		"Die Nummer hat sechs Ziffern, zum Beispiel 482 917.", "The number has six digits, such as 482 917.",
		"Sie steht auf dem neuen Computer.", "It is on the new computer.",
	},
	"number-wrong": {
		"Die Nummer stimmt nicht. Noch %d Versuche.", "Wrong number. %d tries left.",
		"Lesen Sie sie noch einmal vom neuen Computer ab.", "Read it from the new computer again.",
	},
	"number-wrong-last": {
		"Die Nummer stimmt nicht. Noch ein Versuch.", "Wrong number. One try left.",
		"Lesen Sie sie noch einmal vom neuen Computer ab.", "Read it from the new computer again.",
	},
	"nobody-waits": {
		"Noch kein neuer Computer zeigt eine Nummer.", "No new computer shows a number yet.",
		"Wählen Sie dort „Beitreten“. Das zählt nicht als Versuch.", "Choose \"Join\" there. This does not count as a try.",
	},
	"invite-closed": {
		"Es ist keine Einladung offen.", "No invitation is open.",
		"Öffnen Sie eine neue.", "Open a new one.",
	},
	"invite-missed": {
		"Dreimal falsch: Die Einladung ist geschlossen. Niemand wurde eingelassen.", "Wrong three times: the invitation is closed. Nobody was let in.",
		"Öffnen Sie eine neue und lesen Sie die Nummer vom neuen Computer ab.", "Open a new one and read the number from the new computer.",
	},
	"invite-ambiguous": {
		"Zwei Geräte zeigen dieselbe Nummer. Die Einladung ist geschlossen, niemand wurde eingelassen.", "Two devices show the same number. The invitation is closed, nobody was let in.",
		"Öffnen Sie eine neue.", "Open a new one.",
	},
	"invite-expired": {
		"Die Einladung ist abgelaufen.", "The invitation has expired.",
		"Öffnen Sie eine neue.", "Open a new one.",
	},
	"device-known": {
		"Dieses Gerät oder diese Person gehört schon zum Büro.", "This device or person already belongs to the office.",
		"Nehmen Sie am neuen Computer einen leeren Datenordner.", "Use an empty data folder on the new computer.",
	},
	"no-such-message": {
		"Diese Nachricht ist hier nicht bekannt.", "This message is not known here.",
		"Vielleicht ist sie noch unterwegs.", "It may still be on its way.",
	},
	"no-such-channel": {
		"Diesen Kanal gibt es hier nicht.", "There is no such channel here.",
		"Wählen Sie einen aus der Liste.", "Choose one from the list.",
	},
	"not-yours": {
		"Nur wer eine Nachricht geschrieben hat, kann sie ändern.", "Only its author can change a message.", "", "",
	},
	"retracted": {
		"Diese Nachricht ist zurückgenommen.", "This message has been retracted.", "", "",
	},
	"bad-word": {
		"Dieses Wort gibt es nicht als Antwort.", "There is no such reaction.", "", "",
	},
	"disk-full": {
		"Nicht gespeichert: Speicher voll. Ihr Text bleibt stehen.", "Not saved: disk full. Your text stays.",
		"Schaffen Sie Platz auf diesem Computer. Danach geht es von selbst weiter.", "Make room on this computer. Then it goes on by itself.",
	},
	"read-only": {
		"Nicht gespeichert: In den Datenordner darf nicht geschrieben werden. Ihr Text bleibt stehen.", "Not saved: the data folder may not be written to. Your text stays.",
		"Prüfen Sie die Rechte des Ordners %v.", "Check the permissions of the folder %v.",
	},
	"in-use": {
		"Inselnetz läuft schon mit diesem Datenordner: %v", "Inselnetz is already running with this data folder: %v",
		"Nutzen Sie das laufende Programm, oder nehmen Sie mit --data einen anderen Ordner.", "Use the running program, or take another folder with --data.",
	},
	"newer-data": {
		"Die Daten stammen von einer neueren Fassung des Programms.", "The data is from a newer version of the program.",
		"Nehmen Sie die neuere Fassung. Nichts wurde verändert.", "Use the newer version. Nothing was changed.",
	},
	"identity-damaged": {
		"Die Datei mit den Schlüsseln dieses Geräts ist beschädigt: %v", "The file with this device's keys is damaged: %v",
		"Holen Sie sie aus einer Sicherung, oder benennen Sie sie um und treten Sie neu bei.", "Get it from a backup, or rename it and join again.",
	},
	"update-needed": {
		"Ein anderes Gerät nutzt eine neuere Fassung. Dieses Gerät kann gerade nichts Neues schreiben.", "Another device uses a newer version. This device cannot write anything new just now.",
		"Bringen Sie Inselnetz auf den neuen Stand.", "Update Inselnetz.",
	},
	"no-key": {
		"Der Schlüssel für diesen Bereich ist noch nicht hier.", "The key of this space is not here yet.",
		"Warten Sie, bis ein anderes Gerät da ist.", "Wait until another device is here.",
	},
	"stopping": {
		"Das Programm wird gerade beendet.", "The program is just stopping.", "", "",
	},
	"port-taken": {
		"Die Adresse %v ist schon belegt.", "The address %v is taken.",
		"Nehmen Sie mit --page eine andere, oder beenden Sie das andere Programm.", "Take another one with --page, or stop the other program.",
	},
	// Notices of the status call.
	"copy": {
		"Dieser Datenordner ist eine Kopie oder wurde zurückgespielt. Nichts ging verloren. Neues schreibt dieses Gerät ab jetzt getrennt weiter.", "This data folder is a copy or was restored. Nothing was lost. This device now continues separately.",
		"Läuft das Original noch, beenden Sie eines von beiden und treten Sie damit neu bei.", "If the original still runs, stop one of them and join anew with it.",
	},
	"clock": {
		"Die Uhr dieses Computers geht falsch.", "This computer's clock is wrong.",
		"Stellen Sie Datum und Uhrzeit. Die Reihenfolge der Nachrichten stimmt trotzdem.", "Set date and time. The order of messages is right all the same.",
	},
	"damaged": {
		"Die Datenbank war beschädigt und wurde beiseitegelegt. %d Einträge sind gerettet, den Rest holen wir von den anderen Geräten.", "The database was damaged and has been put aside. %d entries were saved; the rest comes from the other devices.",
		"Die alte Datei liegt in %v.", "The old file is %v.",
	},
	"check-damaged": {
		"Die Datenbank auf diesem Computer ist beschädigt.", "The database on this computer is damaged.",
		"Starten Sie Inselnetz neu: Es rettet, was lesbar ist, und holt den Rest von den anderen Geräten.", "Restart Inselnetz: it saves what can be read and fetches the rest from the other devices.",
	},
	"twice": {
		"„%v“ gibt es zweimal: Zwei Kopien dieses Geräts haben an derselben Stelle geschrieben.", "\"%v\" exists twice: two copies of this device wrote in the same place.",
		"Beenden Sie eine davon und treten Sie damit neu bei.", "Stop one of them and join anew with it.",
	},
	"one-admin": {
		"Nur eine Person kann verwalten. Bitte eine zweite bestimmen.", "Only one person can manage. Name a second.",
		"Laden Sie jemanden mit der Rolle „verwaltet“ ein.", "Invite someone with the role \"manages\".",
	},
}

// Error returns code and sentence.
func (e *Error) Error() string { return e.Code + ": " + e.Sentence }

// Phrase returns a problem in the language "de" or "en".
func Phrase(lang string, p *app.Problem) *Error { return language(lang).error(p) }
