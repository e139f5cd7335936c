package api

import (
	"fmt"
	"strings"
	"time"

	"inselnetz/app"
	"inselnetz/crdt/store"
)

// onePhrases are the sentences of findings about one where there is but one.
var onePhrases = map[string]phrase{
	"all-here":    {"Das andere Gerät ist da.", "The other device is here.", "", ""},
	"nobody-here": {"Das andere Gerät ist nicht da.", "The other device is not here.", "", ""},
}

// count is a number as people write it: "1.200", "1,200".
func (l language) count(n uint64) string {
	digits := fmt.Sprint(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + l.pick(".", ",") + digits[i:]
	}
	return digits
}

// entries are so many entries: "ein Eintrag", "1.200 Einträge".
func (l language) entries(n uint64) string {
	if n == 1 {
		return l.pick("ein Eintrag", "one entry")
	}
	return l.count(n) + l.pick(" Einträge", " entries")
}

// lacks says what a device has not got of what is here.
func (l language) lacks(lag store.Lag, here bool, now time.Time) string {
	if lag.Entries == 0 {
		return l.pick("hat alles", "has everything")
	}
	what, one := l.missing(lag, now)
	switch {
	case here:
		return l.pick("lädt noch ", "still loading ") + strings.Replace(what, "ein Eintrag", "einen Eintrag", 1)
	case one:
		return l.pick("fehlt ", "lacks ") + what
	}
	return l.pick("fehlen ", "lacks ") + what
}

// missing names what lacks, as in "3 Nachrichten von heute und eine Datei", and
// whether it is but one thing. What people would not call anything is counted in
// entries, where it is all there is.
func (l language) missing(lag store.Lag, now time.Time) (what string, one bool) {
	var parts []string
	if n := lag.Messages; n > 0 {
		parts = append(parts, l.some(n, "eine Nachricht", "Nachrichten", "one message", "messages")+l.since(lag.Since, now))
	}
	if n := lag.Files; n > 0 {
		parts = append(parts, l.some(n, "eine Datei", "Dateien", "one file", "files"))
	}
	if lag.Documents > 0 {
		parts = append(parts, l.pick("Änderungen an Dokumenten", "changes to documents"))
	}
	if len(parts) == 0 {
		return l.entries(lag.Entries), lag.Entries == 1
	}
	one = len(parts) == 1 && lag.Documents == 0 && lag.Messages+lag.Files == 1
	if n := len(parts); n > 1 {
		parts = append(parts[:n-2], parts[n-2]+l.pick(" und ", " and ")+parts[n-1])
	}
	return strings.Join(parts, ", "), one
}

func (l language) some(n int, oneDE, manyDE, oneEN, manyEN string) string {
	if n == 1 {
		return l.pick(oneDE, oneEN)
	}
	return l.count(uint64(n)) + " " + l.pick(manyDE, manyEN)
}

// since tells from when on: " von heute", " seit gestern", " seit dem 3. November".
func (l language) since(at int64, now time.Time) string {
	then := time.UnixMilli(at).In(now.Location())
	midnight := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, now.Location())
	switch {
	case at == 0:
		return ""
	case !then.Before(midnight):
		return l.pick(" von heute", " from today")
	case !then.Before(midnight.AddDate(0, 0, -1)):
		return l.pick(" seit gestern", " since yesterday")
	}
	return fmt.Sprintf(l.pick(" seit dem %[1]d. %[2]s", " since %[1]d %[3]s"), then.Day(), months[then.Month()-1], then.Month())
}

var months = [...]string{
	"Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November", "Dezember",
}

// owed says what a device has that is not here yet.
func (l language) owed(n uint64, here bool) string {
	switch {
	case n == 0:
		return ""
	case here && n == 1:
		return l.pick("ein Eintrag von dort kommt noch", "one entry from there is still to come")
	case here:
		return l.entries(n) + l.pick(" von dort kommen noch", " from there are still to come")
	case n == 1:
		return l.pick("ein Eintrag von dort fehlt hier", "one entry from there is missing here")
	}
	return l.entries(n) + l.pick(" von dort fehlen hier", " from there are missing here")
}

// A roll is how many devices there are, and how they stand.
type roll struct {
	all, here   int // this device too
	loads, lack int // that have not everything: of those here, of those away
	owes        bool
}

func (r *roll) add(d app.Device, s app.Standing) {
	r.all++
	r.owes = r.owes || s.Lag.Owed > 0
	switch lacks := s.Lag.Entries > 0; {
	case d.Presence == app.Here:
		r.here++
		if lacks {
			r.loads++
		}
	case lacks && d.Presence != app.Never:
		r.lack++
	}
}

// everyone says how many devices are here, and whether they have everything.
func (l language) everyone(r roll) string {
	equal := r.loads == 0 && r.lack == 0 && !r.owes
	var out []string
	add := func(de, en string, args ...any) { out = append(out, fill(l.pick(de, en), args)) }
	switch {
	case r.all == 1:
		add("Zu diesem Büro gehört nur dieses Gerät.", "Only this device belongs to this office.")
		return out[0]
	case r.here == r.all && equal && r.all == 2:
		add("Beide Geräte haben alles.", "Both devices have everything.")
		return out[0]
	case r.here == r.all && equal:
		add("Alle %d Geräte haben alles.", "All %d devices have everything.", r.all)
		return out[0]
	case r.here == r.all && r.all == 2:
		add("Beide Geräte sind da.", "Both devices are here.")
	case r.here == r.all:
		add("Alle %d Geräte sind da.", "All %d devices are here.", r.all)
	case r.here == 1:
		add("Gerade ist nur dieses Gerät da.", "Only this device is here right now.")
	default:
		add("%d von %d Geräten sind da.", "%d of %d devices are here.", r.here, r.all)
	}
	if r.here > 1 && r.loads == 0 && !r.owes {
		add("Sie haben alles.", "They have everything.")
	}
	switch {
	case r.loads == 1:
		add("Eines lädt noch.", "One is still loading.")
	case r.loads > 1:
		add("%d laden noch.", "%d are still loading.", r.loads)
	}
	if r.owes {
		add("Hier fehlt noch etwas.", "Something is still missing here.")
	}
	switch {
	case r.lack == 1:
		add("Einem Gerät, das nicht da ist, fehlt etwas.", "One that is not here lacks something.")
	case r.lack > 1:
		add("%d Geräten, die nicht da sind, fehlt etwas.", "%d that are not here lack something.", r.lack)
	}
	return strings.Join(out, " ")
}
