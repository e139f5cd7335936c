package api

import (
	"cmp"
	"fmt"
	"slices"

	"inselnetz/app"
	"inselnetz/crdt/access"
)

// kindPhrases are the kinds of offices: name, and whom it is for.
var kindPhrases = map[string]phrase{
	app.KindLaw: {
		"Kanzlei", "Law firm",
		"Anwalt, Notariat, Steuerberatung", "Lawyers, notaries, tax advisers",
	},
	app.KindPractice: {
		"Praxis", "Practice",
		"Arzt, Heilpraktik, Therapie", "Doctors, naturopaths, therapists",
	},
	app.KindDriving: {
		"Fahrschule", "Driving school",
		"Fahrzeuge, Fahrstunden, Prüfungen", "Cars, lessons, tests",
	},
	app.KindOther: {
		"Etwas anderes", "Something else",
		"Beginnt leer: mit dem Kanal „Alle“ und einem gemeinsamen Ordner", "Begins empty: with the channel “Everyone” and a shared folder",
	},
}

// pointPhrases are the sentences about what is open beside the notices. Each takes
// the point's name and number.
var pointPhrases = map[string]phrase{
	"hold": {
		"Angehalten: %[1]s hat %[2]d Dateien geändert.", "Paused: %[1]s changed %[2]d files.",
		"Hier ist nichts überschrieben. Entscheiden Sie, ob die Änderungen gelten.", "Nothing here was overwritten. Decide whether the changes count.",
	},
	"folder-missing": {
		"Der Ordner „%[1]s“ ist nicht da, wo er war.", "The folder “%[1]s” is not where it was.",
		"Schließen Sie die Festplatte wieder an, oder wählen Sie einen anderen Ort. Nichts wird gelöscht.", "Connect its disk again, or choose another place. Nothing is deleted.",
	},
	"conflicts": {
		"Zwei Fassungen in „%[1]s“. Beide sind da.", "Two versions in “%[1]s”. Both are kept.",
		"Sehen Sie nach, welche gelten soll.", "Look which one should count.",
	},
	"kind": {
		"Noch keine Art des Büros gewählt.", "No kind of office chosen yet.",
		"Passende Kanäle und Checklisten lassen sich mit einem Klick anlegen.", "Fitting channels and checklists can be made with one click.",
	},
	"invite": {
		"Alles liegt nur auf diesem Gerät.", "Everything is on this device alone.",
		"Mit einem zweiten Computer ist es doppelt gesichert.", "A second computer keeps it twice.",
	},
	"always-on": {
		"Noch kein Gerät, das immer an ist.", "No device yet that is always on.",
		"Ein PC oder NAS, der an bleibt, bringt Änderungen auch denen, die später kommen.", "A PC or NAS that stays on brings changes to those who come later.",
	},
	"only-here": {
		"Ihre letzte Arbeit ist bisher nur hier gespeichert.", "Your latest work is saved only here so far.",
		"Sie geht von allein hinaus, sobald ein anderes Gerät da ist.", "It goes out by itself as soon as another device is here.",
	},
}

// pointLevels says how much a point matters; what is not here is "info".
var pointLevels = map[string]string{"hold": "danger", "folder-missing": "danger", "conflicts": "warn"}

// doings are the words and places of what to do about a point or notice.
var doings = map[string]struct{ de, en, link string }{
	"hold":            {"Ansehen", "Look", ""}, // link: the folder
	"folder-missing":  {"Ansehen", "Look", ""},
	"conflicts":       {"Ansehen", "Look", ""},
	"kind":            {"Art wählen", "Choose", "kind"},
	"invite":          {"Zweiten PC einladen", "Invite a second PC", "#/people/invite"},
	"always-on":       {"Dieses Gerät", "This device", "device"},
	"kit-waiting":     {"Jetzt drucken", "Print now", "#/kit"},
	"approve-wanted":  {"Ansehen und entscheiden", "Look and decide", "#/recovery"},
	"late-work":       {"Ansehen", "Look", "#/people/late"},
	"secrets-in-file": {"Prüfung zeigen", "Show the check-up", "doctor"},
	"copy":            {"Geräte ansehen", "Look at devices", "#/people/devices"},
	"twice":           {"Geräte ansehen", "Look at devices", "#/people/devices"},
}

// homePoints phrases what is open, the most serious first.
func (l language) homePoints(h app.Home) []HomePoint {
	out := []HomePoint{}
	for _, n := range l.notices(h.Info.Notices) {
		if n.Code == "one-admin" && h.Devices < 2 {
			continue // the second PC comes first
		}
		p := HomePoint{Code: n.Code, Level: n.Level, Sentence: n.Sentence, Next: n.Next, At: n.At}
		if n.Code == "one-admin" {
			p.Action, p.Link = l.pick("Zweite Person bestimmen", "Name a second person"), "#/people"
			if h.People < 2 {
				p.Action, p.Link = l.pick("Zweite Person einladen", "Invite a second person"), "#/people/invite"
			}
		}
		out = append(out, l.todo(p))
	}
	for _, p := range h.Points {
		out = append(out, l.homePoint(p))
	}
	rank := func(p HomePoint) int {
		last := 0
		if p.Code == "secrets-in-file" { // to be known rather than done
			last = 1
		}
		return 2*slices.Index([]string{"danger", "warn", "info"}, p.Level) + last
	}
	slices.SortStableFunc(out, func(a, b HomePoint) int { return cmp.Compare(rank(a), rank(b)) })
	return out
}

func (l language) homePoint(p app.Point) HomePoint {
	ph, name := pointPhrases[p.What], p.Name
	if name == "" {
		name = l.pick("Alle", "Everyone")
	}
	out := HomePoint{
		Code: p.What, Level: cmp.Or(pointLevels[p.What], "info"), At: p.At,
		Sentence: fill(l.pick(ph.de, ph.en), []any{name, p.N}), Next: l.pick(ph.nextDE, ph.nextEN),
	}
	switch p.What {
	case "hold", "folder-missing":
		out.Link = "#/files/" + p.Space.String() + "/"
	case "conflicts":
		out.Link = "#/files/" + p.Space.String() + "//conflicts"
	}
	return l.todo(out)
}

// todo says what to press.
func (l language) todo(p HomePoint) HomePoint {
	if d, ok := doings[p.Code]; ok {
		p.Action, p.Link = l.pick(d.de, d.en), cmp.Or(d.link, p.Link)
	}
	return p
}

// homeSentence is how things are: one sentence, what else, and what it means.
func (l language) homeSentence(h app.Home, points []HomePoint) (level, sentence, more, hint string) {
	serious := slices.DeleteFunc(slices.Clone(points), func(p HomePoint) bool { return p.Level == "info" })
	switch {
	case len(serious) > 0:
		if n := len(serious) - 1; n > 0 {
			more = fmt.Sprintf(l.pick("Und %d weitere.", "And %d more."), n)
			if n == 1 {
				more = l.pick("Und noch etwas.", "And one more thing.")
			}
		}
		return serious[0].Level, serious[0].Sentence, more, "" // the point below says what to do
	case h.Devices < 2:
		return "info", l.pick("Ihr Büro steht.", "Your office is ready."), l.pick("Noch sind Sie allein darin.", "You are still alone in it."), ""
	case h.DevicesHere < 2:
		return "info", l.pick("Gerade sind nur Sie da.", "Only you are here right now."), "",
			l.pick("Was Sie schreiben, ist hier gespeichert und geht hinaus, sobald jemand da ist.", "What you write is saved here and goes out as soon as someone is here.")
	}
	return "ok", l.pick("Alles läuft.", "Everything works."), l.peopleHere(h.Here, h.People), ""
}

func (l language) peopleHere(here, of int) string {
	switch {
	case of == 1:
		return l.pick("Alle Ihre Geräte gehören zusammen.", "All your devices belong together.")
	case here == of && of == 2:
		return l.pick("Beide Menschen sind da.", "Both people are here.")
	case here == of:
		return fmt.Sprintf(l.pick("Alle %d Menschen sind da.", "All %d people are here."), of)
	case here == 1:
		return fmt.Sprintf(l.pick("1 von %d Menschen ist da.", "1 of %d people is here."), of)
	}
	return fmt.Sprintf(l.pick("%d von %d Menschen sind da.", "%d of %d people are here."), here, of)
}

// homeNext is what to do next in an office that is new.
func (l language) homeNext(h app.Home) []HomePoint {
	out := []HomePoint{}
	add := func(code, link string, words phrase) {
		out = append(out, HomePoint{Code: code, Level: "info", Link: link, Sentence: l.pick(words.de, words.en), Next: l.pick(words.nextDE, words.nextEN)})
	}
	if h.Devices < 2 && h.Info.CanInvite {
		add("invite", "#/people/invite", phrase{
			"Zweite Person einladen", "Invite a second person",
			"Ein zweiter Computer im selben Netz. Dauert etwa zwei Minuten.", "A second computer in the same network. Takes about two minutes.",
		})
	}
	if h.Silent && h.Role != access.Carrier {
		add("write", "#/chat", phrase{
			"Erste Nachricht schreiben", "Write the first message",
			"Sie ist sofort hier gespeichert.", "It is saved here at once.",
		})
	}
	return out
}
