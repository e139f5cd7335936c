package api

import (
	"testing"
	"time"

	"inselnetz/app"
	"inselnetz/app/doctor"
	"inselnetz/crdt/store"
)

func TestLacks(t *testing.T) {
	now := time.Date(2026, 11, 22, 19, 30, 0, 0, time.Local)
	at := func(days int) int64 { return now.AddDate(0, 0, -days).UnixMilli() }
	for _, tt := range []struct {
		lag         store.Lag
		here        bool
		de, english string
	}{
		{store.Lag{}, true, "hat alles", "has everything"},
		{store.Lag{}, false, "hat alles", "has everything"},
		{store.Lag{Entries: 1200}, true, "lädt noch 1.200 Einträge", "still loading 1,200 entries"},
		{store.Lag{Entries: 1}, true, "lädt noch einen Eintrag", "still loading one entry"},
		{store.Lag{Entries: 1}, false, "fehlt ein Eintrag", "lacks one entry"},
		{store.Lag{Entries: 1_234_567}, false, "fehlen 1.234.567 Einträge", "lacks 1,234,567 entries"},
		{store.Lag{Entries: 5, Messages: 3, Since: at(0)}, false, "fehlen 3 Nachrichten von heute", "lacks 3 messages from today"},
		{store.Lag{Entries: 5, Messages: 1, Since: at(1)}, false, "fehlt eine Nachricht seit gestern", "lacks one message since yesterday"},
		{store.Lag{Entries: 5, Messages: 2, Since: at(19)}, false, "fehlen 2 Nachrichten seit dem 3. November", "lacks 2 messages since 3 November"},
		{store.Lag{Entries: 5, Messages: 2, Files: 1, Since: at(0)}, true, "lädt noch 2 Nachrichten von heute und eine Datei", "still loading 2 messages from today and one file"},
		{store.Lag{Entries: 9, Messages: 1, Files: 4, Documents: 3, Since: at(0)}, false, "fehlen eine Nachricht von heute, 4 Dateien und Änderungen an Dokumenten", "lacks one message from today, 4 files and changes to documents"},
		{store.Lag{Entries: 2, Documents: 2}, false, "fehlen Änderungen an Dokumenten", "lacks changes to documents"},
	} {
		if got := german.lacks(tt.lag, tt.here, now); got != tt.de {
			t.Errorf("%+v: %q, want %q", tt.lag, got, tt.de)
		}
		if got := english.lacks(tt.lag, tt.here, now); got != tt.english {
			t.Errorf("%+v: %q, want %q", tt.lag, got, tt.english)
		}
	}
}

func TestEveryone(t *testing.T) {
	for _, tt := range []struct {
		roll        roll
		de, english string
	}{
		{roll{all: 1, here: 1}, "Zu diesem Büro gehört nur dieses Gerät.", "Only this device belongs to this office."},
		{roll{all: 2, here: 2}, "Beide Geräte haben alles.", "Both devices have everything."},
		{roll{all: 6, here: 6}, "Alle 6 Geräte haben alles.", "All 6 devices have everything."},
		{roll{all: 6, here: 6, loads: 1}, "Alle 6 Geräte sind da. Eines lädt noch.", "All 6 devices are here. One is still loading."},
		{roll{all: 2, here: 2, owes: true}, "Beide Geräte sind da. Hier fehlt noch etwas.", "Both devices are here. Something is still missing here."},
		{roll{all: 6, here: 4}, "4 von 6 Geräten sind da. Sie haben alles.", "4 of 6 devices are here. They have everything."},
		{roll{all: 6, here: 4, loads: 2, lack: 1}, "4 von 6 Geräten sind da. 2 laden noch. Einem Gerät, das nicht da ist, fehlt etwas.", "4 of 6 devices are here. 2 are still loading. One that is not here lacks something."},
		{roll{all: 3, here: 1, lack: 2}, "Gerade ist nur dieses Gerät da. 2 Geräten, die nicht da sind, fehlt etwas.", "Only this device is here right now. 2 that are not here lack something."},
	} {
		if got := german.everyone(tt.roll); got != tt.de {
			t.Errorf("%+v: %q, want %q", tt.roll, got, tt.de)
		}
		if got := english.everyone(tt.roll); got != tt.english {
			t.Errorf("%+v: %q, want %q", tt.roll, got, tt.english)
		}
	}
}

// TestStandingOfDevice: nothing is claimed of a device that was never seen, nor of
// this one.
func TestStandingOfDevice(t *testing.T) {
	behind := app.Standing{Way: app.WayNear, Lag: store.Lag{Entries: 7, Owed: 2}}
	for name, tt := range map[string]struct {
		device      Device
		lacks, owed string
	}{
		"this one":   {Device{Self: true, Presence: Here}, "", ""},
		"never seen": {Device{Presence: Never}, "", ""},
		"here":       {Device{Presence: Here}, "lädt noch 7 Einträge", "2 Einträge von dort kommen noch"},
		"away":       {Device{Presence: Away}, "fehlen 7 Einträge", "2 Einträge von dort fehlen hier"},
	} {
		d := tt.device
		german.standing(&d, behind, time.Now())
		if d.Lacks != tt.lacks || d.Owed != tt.owed {
			t.Errorf("%s: %q, %q; want %q, %q", name, d.Lacks, d.Owed, tt.lacks, tt.owed)
		}
	}
}

func TestFindingOfOne(t *testing.T) {
	for _, tt := range []struct {
		code, want string
		n          int
	}{
		{"all-here", "Das andere Gerät ist da.", 1},
		{"all-here", "Alle anderen Geräte sind da: 5.", 5},
		{"nobody-here", "Das andere Gerät ist nicht da.", 1},
	} {
		if got := german.finding(doctor.Finding{Code: tt.code, Args: []any{tt.n}}).Sentence; got != tt.want {
			t.Errorf("%s of %d: %q, want %q", tt.code, tt.n, got, tt.want)
		}
	}
}
