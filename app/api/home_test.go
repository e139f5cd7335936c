package api

import (
	"testing"
	"time"

	"inselnetz/app"
)

// TestHomeSentence holds the sentence to the state: the most serious thing first,
// and never good news beside it.
func TestHomeSentence(t *testing.T) {
	notice := func(codes ...string) (out app.Info) {
		out.CanInvite = true
		for _, c := range codes {
			out.Notices = append(out.Notices, app.Notice{Code: c, At: time.UnixMilli(5)})
		}
		return out
	}
	hold := app.Point{What: "hold", Name: "Laptop Wolf", N: 212}
	for name, tt := range map[string]struct {
		home                           app.Home
		level, sentence, more, english string
		points                         int
	}{
		"all is well": {
			app.Home{Here: 3, People: 5, Devices: 6, DevicesHere: 4},
			"ok", "Alles läuft.", "3 von 5 Menschen sind da.", "Everything works. 3 of 5 people are here.", 0,
		},
		"two of two": {
			app.Home{Here: 2, People: 2, Devices: 2, DevicesHere: 2},
			"ok", "Alles läuft.", "Beide Menschen sind da.", "Everything works. Both people are here.", 0,
		},
		"one of three": {
			app.Home{Here: 1, People: 3, Devices: 4, DevicesHere: 2},
			"ok", "Alles läuft.", "1 von 3 Menschen ist da.", "Everything works. 1 of 3 people is here.", 0,
		},
		"new": {
			app.Home{Here: 1, People: 1, Devices: 1, DevicesHere: 1, Info: notice("one-admin", "kit-waiting")},
			"info", "Ihr Büro steht.", "Noch sind Sie allein darin.", "Your office is ready. You are still alone in it.", 1,
		},
		"nobody here": {
			app.Home{Here: 1, People: 3, Devices: 3, DevicesHere: 1},
			"info", "Gerade sind nur Sie da.", "", "Only you are here right now.", 0,
		},
		"what is only to be known changes nothing": {
			app.Home{Here: 2, People: 2, Devices: 2, DevicesHere: 2, Info: notice("secrets-in-file", "kit-waiting"), Points: []app.Point{{What: "always-on"}}},
			"ok", "Alles läuft.", "Beide Menschen sind da.", "Everything works. Both people are here.", 3,
		},
		"brake": {
			app.Home{Here: 2, People: 2, Devices: 2, DevicesHere: 2, Points: []app.Point{hold}},
			"danger", "Angehalten: Laptop Wolf hat 212 Dateien geändert.", "", "Paused: Laptop Wolf changed 212 files.", 1,
		},
		"brake before a conflict and a clock": {
			app.Home{Here: 2, People: 2, Devices: 2, DevicesHere: 2, Info: notice("clock"), Points: []app.Point{{What: "conflicts", N: 1}, hold}},
			"danger", "Angehalten: Laptop Wolf hat 212 Dateien geändert.", "Und 2 weitere.", "Paused: Laptop Wolf changed 212 files. And 2 more.", 3,
		},
		"full disk, and a conflict": {
			app.Home{Here: 2, People: 2, Devices: 2, DevicesHere: 2, Info: notice("disk-full"), Points: []app.Point{{What: "conflicts", N: 1}}},
			"danger", german.error(&app.Problem{Code: "disk-full"}).Sentence, "Und noch etwas.", english.error(&app.Problem{Code: "disk-full"}).Sentence + " And one more thing.", 2,
		},
	} {
		t.Run(name, func(t *testing.T) {
			points := german.homePoints(tt.home)
			level, sentence, more, _ := german.homeSentence(tt.home, points)
			if level != tt.level || sentence != tt.sentence || more != tt.more || len(points) != tt.points {
				t.Errorf("%s, %q, %q, %d points; want %s, %q, %q, %d", level, sentence, more, len(points), tt.level, tt.sentence, tt.more, tt.points)
			}
			_, sentence, more, _ = english.homeSentence(tt.home, english.homePoints(tt.home))
			if more != "" {
				sentence += " " + more
			}
			if sentence != tt.english {
				t.Errorf("English: %q, want %q", sentence, tt.english)
			}
		})
	}
}

// TestHomePoints: each kind of point has words in both languages, and what can be
// done has a place.
func TestHomePoints(t *testing.T) {
	for code, p := range pointPhrases {
		if p.de == "" || p.en == "" || p.nextDE == "" || p.nextEN == "" {
			t.Errorf("%s is not translated", code)
		}
		for _, l := range []language{german, english} {
			got := l.homePoint(app.Point{What: code, N: 3})
			if (got.Action == "") != (got.Link == "") || got.Sentence == "" || got.Level == "" {
				t.Errorf("%s: %+v", code, got)
			}
		}
	}
	for code, d := range doings {
		_, point := pointPhrases[code]
		_, notice := levels[code]
		if !point && !notice || d.de == "" || d.en == "" {
			t.Errorf("%s is neither a point nor a notice, or not translated", code)
		}
	}
	last := german.homePoints(app.Home{Devices: 2, Info: app.Info{Notices: []app.Notice{{Code: "secrets-in-file"}, {Code: "kit-waiting"}}}, Points: []app.Point{{What: "always-on"}, {What: "conflicts"}}})
	for i, want := range []string{"conflicts", "kit-waiting", "always-on", "secrets-in-file"} {
		if last[i].Code != want {
			t.Errorf("point %d is %s, want %s", i, last[i].Code, want)
		}
	}
	for _, id := range app.KindsOfOffice {
		if p := kindPhrases[id]; p.de == "" || p.en == "" || p.nextDE == "" || p.nextEN == "" {
			t.Errorf("kind %s is not translated", id)
		}
	}
}
