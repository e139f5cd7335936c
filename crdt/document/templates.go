package document

import "strings"

// A Template is what a document may begin with.
type Template struct {
	ID     string // the same in all languages: Meta.Template
	Name   string
	Blocks []Block
}

// Templates are those in a language: German for "de" and "de-…", else English.
func Templates(lang string) []Template {
	texts := english
	if lang == "de" || strings.HasPrefix(lang, "de-") {
		texts = german
	}
	var out []Template
	for _, t := range texts {
		out = append(out, Template{t.id, t.name, fromLines(t.lines)})
	}
	return out
}

// fromLines reads one block a line: "# " a heading, "* " an item, "1 " a numbered
// one, "[] " a task, else a paragraph, of which what is before "|" is bold.
func fromLines(lines string) []Block {
	var out []Block
	for line := range strings.SplitSeq(lines, "\n") {
		b := Block{Kind: Paragraph}
		for _, k := range []struct{ sign, kind string }{{"# ", Heading}, {"* ", Bullet}, {"1 ", Ordered}, {"[] ", Task}} {
			if rest, ok := strings.CutPrefix(line, k.sign); ok {
				b.Kind, line = k.kind, rest
				break
			}
		}
		if b.Kind == Heading {
			b.Level = 2
		}
		if bold, rest, ok := strings.Cut(line, "|"); ok {
			b.Spans = append(b.Spans, Span{Text: bold, Marks: map[string]any{"strong": true}})
			line = rest
		}
		if line != "" {
			b.Spans = append(b.Spans, Span{Text: line})
		}
		out = append(out, b)
	}
	return out
}

type templateText struct{ id, name, lines string }

var german = []templateText{
	{"blank", "Leeres Dokument", ""},
	{"minutes", "Besprechung", `Datum:| 
Ort:| 
Anwesend:| 
Entschuldigt:| 
Protokoll:| 
# Tagesordnung
1 Offene Punkte vom letzten Mal
1 
# Ergebnisse
* 
# Aufgaben
[] Was – wer – bis wann
# Nächster Termin
`},
	{"checklist", "Checkliste", `Wofür:| 
Verantwortlich:| 
# Vorher
[] 
# Währenddessen
[] 
# Danach
[] Alles zurückgeräumt und abgeschlossen
[] Nächsten Termin eingetragen
# Hinweise
`},
	{"letter", "Brief", `Absender
Straße und Hausnummer
PLZ Ort

Empfänger
Straße und Hausnummer
PLZ Ort

Ort, Datum

Betreff:| 

Sehr geehrte Damen und Herren,



Mit freundlichen Grüßen


Anlagen:| `},
	{"emergency", "Notfallkontakte", `Stand:| – nachgesehen von: 
Feuerwehr und Rettungsdienst:| 112
Polizei:| 110
Ärztlicher Bereitschaftsdienst:| 116 117
Giftnotruf:| (Nummer des Bundeslandes eintragen)
# Im Haus
* Leitung: Name – Mobil – privat
* Vertretung: Name – Mobil – privat
* Ersthelfer: Name – Mobil
* Brandschutz: Name – Mobil
# Gebäude
* Vermieter oder Hausverwaltung: 
* Strom – Störung: 
* Gas – Störung: 
* Wasser – Störung: 
* Schlüsseldienst: 
* Alarmanlage, Aufzug: 
# Technik
* Internet und Telefon – Kundennummer: 
* Computer und Server: 
* Kasse und Kartengerät: 
# Versicherung
* Gesellschaft – Police – Schadensnummer: 
# Wo was ist
* Sicherungskasten: 
* Hauptwasserhahn: 
* Gashahn: 
* Feuerlöscher: 
* Verbandskasten: 
* Sammelplatz: `},
}

var english = []templateText{
	{"blank", "Blank document", ""},
	{"minutes", "Meeting minutes", `Date:| 
Place:| 
Present:| 
Apologies:| 
Minutes by:| 
# Agenda
1 Open points from last time
1 
# Decisions
* 
# To do
[] What – who – by when
# Next meeting
`},
	{"checklist", "Checklist", `For:| 
Responsible:| 
# Before
[] 
# During
[] 
# After
[] Everything put back and locked
[] Next date in the calendar
# Notes
`},
	{"letter", "Letter", `Sender
Street and number
Postcode and town

Recipient
Street and number
Postcode and town

Town, date

Subject:| 

Dear Sir or Madam,



Yours faithfully


Enclosures:| `},
	{"emergency", "Emergency contacts", `As of:| – checked by: 
Fire, ambulance, police:| 112
Doctor on call:| 
Poison centre:| 
# People
* Manager: name – mobile – home
* Deputy: name – mobile – home
* First aider: name – mobile
* Fire warden: name – mobile
# Building
* Landlord or caretaker: 
* Electricity faults: 
* Gas faults: 
* Water faults: 
* Locksmith: 
* Alarm, lift: 
# Technology
* Internet and telephone – customer number: 
* Computers and server: 
* Till and card terminal: 
# Insurance
* Company – policy – claims line: 
# Where things are
* Fuse box: 
* Main water tap: 
* Gas tap: 
* Fire extinguishers: 
* First aid box: 
* Assembly point: `},
}
