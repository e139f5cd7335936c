package api

import (
	"encoding/json"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"inselnetz/app"
	"inselnetz/app/doctor"
)

// TestFindings holds every code of the doctor to sentences in both languages, which
// take the values the doctor gives and name no address.
func TestFindings(t *testing.T) {
	for _, code := range doctor.Codes {
		p, ok := findingPhrases[code]
		if !ok || p.de == "" || p.en == "" || (p.nextDE == "") != (p.nextEN == "") {
			t.Errorf("%s is not worded in both languages", code)
		}
		if strings.Count(p.de, "%") != strings.Count(p.en, "%") || strings.Count(p.nextDE, "%") != strings.Count(p.nextEN, "%") {
			t.Errorf("%s takes other values in German than in English", code)
		}
	}
	for code := range findingPhrases {
		if !slices.Contains(doctor.Codes, code) {
			t.Errorf("the doctor never says %s", code)
		}
	}
}

// everything is a computer on which as much as possible is wrong.
func everything(peer *doctor.Peer) doctor.Facts {
	return doctor.Facts{
		Now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC), Up: time.Hour, Others: 3, Here: 1,
		System: doctor.System{
			Out: "wg0", Gateways: []netip.Addr{netip.MustParseAddr("192.168.1.1")}, Firewall: doctor.Firewall{Name: "ufw", State: doctor.Guarded},
		},
		Net: doctor.Net{
			Known: true, Port: 40000, WantedPort: 21960, BeaconPort: 21961,
			Interfaces: []doctor.Used{
				{Name: "eth0", Addrs: []netip.Prefix{netip.MustParsePrefix("192.168.1.7/24")}, Failed: true},
				{Name: "docker0"}, {Name: "wlan0"},
			},
		},
		Peers: []doctor.Met{{Name: "PC Empfang", Clock: 3 * time.Hour}, {Name: "PC Keller", Clock: -30 * 24 * time.Hour}},
		Peer:  peer,
	}
}

func TestWords(t *testing.T) {
	petra := &doctor.Peer{Name: "PC Petra", Seen: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), Left: true, Tries: []doctor.Try{{
		Addr: netip.MustParseAddrPort("192.168.1.9:21960"), Result: doctor.Timeout,
	}}}
	for name, facts := range map[string]doctor.Facts{
		"all":   everything(nil),
		"petra": everything(petra),
		"via":   everything(&doctor.Peer{Name: "PC Petra", Here: true, Via: "PC Anna", Version: "0.9.0", Own: "1.0.0"}),
	} {
		d := app.Diagnosis{Facts: facts, Findings: doctor.Diagnose(facts)}
		for _, l := range []language{german, english} {
			for _, f := range d.Findings {
				said := l.finding(f)
				if said.Sentence == "" || strings.Contains(said.Sentence+said.Next, "%!") {
					t.Errorf("%s, %s: %q %q", name, f.Code, said.Sentence, said.Next)
				}
				if strings.Contains(said.Sentence+said.Next, "192.168.") {
					t.Errorf("%s, %s names an address: %q %q", name, f.Code, said.Sentence, said.Next)
				}
			}
			text := l.report(d, "1.0.0")
			for _, want := range []string{"Inselnetz 1.0.0", "192.168.1.7/24", "40000", "wg0"} {
				if !strings.Contains(text, want) {
					t.Errorf("%s: the report lacks %q:\n%s", name, want, text)
				}
			}
			if name == "petra" && !strings.Contains(text, "192.168.1.9:21960: timeout") {
				t.Errorf("the report lacks the try:\n%s", text)
			}
		}
	}
	if got := german.finding(doctor.Finding{Code: "clock-behind", Level: "warn", Args: []any{"PC Keller", 180}}).Sentence; got != "Die Uhr von PC Keller geht 3 Stunden nach, oder die von diesem Computer vor." {
		t.Errorf("said %q", got)
	}
}

// TestDiagnoseAlone: a computer that belongs to no office has nobody to look for.
func TestDiagnoseAlone(t *testing.T) {
	_, url, token := newServer(t)
	res := request(t, "POST", url+"/api/diagnose", "{}", func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) })
	var e Error
	if err := json.NewDecoder(res.Body).Decode(&e); err != nil || e.Code != "not-member" {
		t.Errorf("answered %s, %q, %v", res.Status, e.Code, err)
	}
}
