package app

import (
	"strings"

	"inselnetz/crdt/document"
)

// A Brought is a channel or a document that a kind of office begins with.
type Brought struct {
	ID       string // the same in all languages
	Name     string
	Channel  bool
	Template string // of a document: document.Meta.Template
	Blocks   []document.Block
}

// KindBrings is what a kind of office begins with, in a language: German for "de"
// and "de-…", else English. A kind that is not known brings nothing.
func KindBrings(kind, lang string) []Brought {
	texts := englishKinds
	if lang == "de" || strings.HasPrefix(lang, "de-") {
		texts = germanKinds
	}
	var out []Brought
	for _, t := range texts[kind] {
		b := Brought{ID: t.id, Name: t.name, Channel: t.lines == "", Template: "checklist"}
		switch t.lines {
		case "":
		case "emergency":
			b.Template = t.lines
			for _, tpl := range document.Templates(lang) {
				if tpl.ID == t.lines {
					b.Blocks = tpl.Blocks
				}
			}
		default:
			b.Blocks = tasks(t.lines)
		}
		out = append(out, b)
	}
	return out
}

// tasks reads one block a line: "# " a heading, else a task.
func tasks(lines string) (out []document.Block) {
	for line := range strings.SplitSeq(lines, "\n") {
		b := document.Block{Kind: document.Task}
		if rest, ok := strings.CutPrefix(line, "# "); ok {
			b.Kind, b.Level, line = document.Heading, 2, rest
		}
		b.Spans = []document.Span{{Text: line}}
		out = append(out, b)
	}
	return out
}

// A kindText is a channel if it has no lines.
type kindText struct{ id, name, lines string }

var germanKinds = map[string][]kindText{
	KindLaw: {
		{"deadlines", "Fristen", ""},
		{"reception", "Empfang", ""},
		{"court", "Gerichtstermine", ""},
		{"emergency", "Notfallkontakte", "emergency"},
		{"deadline-check", "Fristenkontrolle", `# Jeden Morgen
Posteingang und beA durchsehen
Neue Fristen notieren: Ablauf und Vorfrist
Zweite Person prüft die Berechnung
# Jeden Abend
Fristen von heute und morgen erledigt oder verlängert
Ausgang und Empfangsbekenntnisse geprüft
# Bei Ausfall
Fristenliste für zwei Wochen liegt gedruckt vor
Vertretung ist verständigt`},
		{"new-case", "Neues Mandat", `Interessenkollision geprüft
Identität festgestellt
Vollmacht unterschrieben
Vergütung vereinbart
Rechtsschutz angefragt
Akte angelegt
Fristen notiert
Datenschutzhinweise übergeben`},
	},
	KindPractice: {
		{"desk", "Anmeldung", ""},
		{"rooms", "Behandlungsräume", ""},
		{"supplies", "Material und Bestellungen", ""},
		{"emergency", "Notfallkontakte", "emergency"},
		{"open-close", "Praxis öffnen und schließen", `# Morgens
Räume gelüftet
Flächen desinfiziert
Notfallkoffer vollständig und im Datum
Kühlschrank-Temperatur notiert
Anrufbeantworter abgehört
# Abends
Instrumente aufbereitet
Abfälle entsorgt
Patientenunterlagen eingeschlossen
Fenster zu, Geräte aus, Alarm ein`},
		{"new-patient", "Neue Patientin, neuer Patient", `Anamnesebogen ausgefüllt
Einwilligung in die Behandlung unterschrieben
Datenschutzhinweise übergeben
Allergien und Medikamente notiert
Kosten besprochen
Nächster Termin vereinbart`},
	},
	KindDriving: {
		{"cars", "Fahrzeuge", ""},
		{"lessons", "Fahrstunden", ""},
		{"tests", "Prüfungen", ""},
		{"emergency", "Notfallkontakte", "emergency"},
		{"departure", "Abfahrtkontrolle", `Licht, Blinker, Bremslicht
Reifen und Luftdruck
Öl, Kühlwasser, Scheibenwasser
Spiegel und Doppelpedale
Warndreieck, Weste, Verbandskasten
Fahrzeugschein und Fahrschulschild
Schäden notiert`},
		{"new-learner", "Neue Fahrschülerin, neuer Fahrschüler", `Vertrag unterschrieben
Sehtest
Erste-Hilfe-Kurs
Passbild
Antrag bei der Behörde gestellt
Theorie begonnen
Prüfauftrag liegt vor`},
	},
}

var englishKinds = map[string][]kindText{
	KindLaw: {
		{"deadlines", "Deadlines", ""},
		{"reception", "Reception", ""},
		{"court", "Court dates", ""},
		{"emergency", "Emergency contacts", "emergency"},
		{"deadline-check", "Deadline check", `# Every morning
Incoming post and electronic mailbox read
New deadlines noted: end and early reminder
A second person checks the calculation
# Every evening
Deadlines of today and tomorrow done or extended
Outgoing post and receipts checked
# If everything fails
A printed list of deadlines for two weeks is at hand
Deputy has been told`},
		{"new-case", "New client", `Conflict of interest checked
Identity established
Power of attorney signed
Fee agreed
Legal insurance asked
File opened
Deadlines noted
Privacy notice handed over`},
	},
	KindPractice: {
		{"desk", "Front desk", ""},
		{"rooms", "Treatment rooms", ""},
		{"supplies", "Supplies and orders", ""},
		{"emergency", "Emergency contacts", "emergency"},
		{"open-close", "Opening and closing the practice", `# Morning
Rooms aired
Surfaces disinfected
Emergency case complete and in date
Refrigerator temperature noted
Answering machine listened to
# Evening
Instruments reprocessed
Waste disposed of
Patient records locked away
Windows closed, machines off, alarm on`},
		{"new-patient", "New patient", `History form filled in
Consent to treatment signed
Privacy notice handed over
Allergies and medication noted
Costs discussed
Next appointment made`},
	},
	KindDriving: {
		{"cars", "Cars", ""},
		{"lessons", "Driving lessons", ""},
		{"tests", "Tests", ""},
		{"emergency", "Emergency contacts", "emergency"},
		{"departure", "Check before driving", `Lights, indicators, brake lights
Tyres and pressure
Oil, coolant, washer fluid
Mirrors and dual controls
Warning triangle, vest, first aid box
Registration and driving school sign
Damage noted`},
		{"new-learner", "New learner", `Contract signed
Eye test
First aid course
Photograph
Application made
Theory begun
Test order is here`},
	},
}
