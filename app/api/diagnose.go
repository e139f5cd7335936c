package api

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"inselnetz/app"
	"inselnetz/app/doctor"
	"inselnetz/crdt/log"
)

func (s *Server) diagnose(ctx context.Context, lang language, req DiagnoseAsk) (Diagnosis, error) {
	var dev *log.DeviceID
	if req.Device != "" {
		id, err := deviceID(req.Device)
		if err != nil {
			return Diagnosis{}, err
		}
		dev = &id
	}
	d, err := s.ws.Diagnose(ctx, dev)
	if err != nil {
		return Diagnosis{}, err
	}
	out := Diagnosis{Device: req.Device, At: d.Facts.Now.UnixMilli(), Findings: []Finding{}}
	if d.Facts.Peer != nil {
		out.Name = d.Facts.Peer.Name
	}
	for _, f := range d.Findings {
		out.Findings = append(out.Findings, lang.finding(f))
	}
	out.Text = lang.report(d, s.ws.Info().Version)
	return out, nil
}

// finding words a finding.
func (l language) finding(f doctor.Finding) Finding {
	ph := findingPhrases[f.Code]
	if one, ok := onePhrases[f.Code]; ok && slices.Equal(f.Args, []any{1}) {
		ph = one
	}
	args := slices.Clone(f.Args)
	if f.Code == "clock-ahead" || f.Code == "clock-behind" {
		args[1] = l.minutes(args[1].(int))
	}
	return Finding{Code: f.Code, Level: f.Level, Sentence: fill(l.pick(ph.de, ph.en), args), Next: fill(l.pick(ph.nextDE, ph.nextEN), args)}
}

// minutes is a span of time in words.
func (l language) minutes(n int) string {
	switch {
	case n < 120:
		return fmt.Sprintf(l.pick("%d Minuten", "%d minutes"), n)
	case n < 48*60:
		return fmt.Sprintf(l.pick("%d Stunden", "%d hours"), n/60)
	}
	return fmt.Sprintf(l.pick("%d Tage", "%d days"), n/60/24)
}

// marks of levels where there is no colour.
var marks = map[string]string{
	doctor.LevelOK: "+", doctor.LevelInfo: "·", doctor.LevelUnknown: "?", doctor.LevelWarn: "!", doctor.LevelDanger: "!!",
}

// report is a diagnosis for whoever helps: the sentences, then what was looked at.
// Names of people and of the office are not in it.
func (l language) report(d app.Diagnosis, version string) string {
	var out strings.Builder
	f := d.Facts
	fmt.Fprintf(&out, "Inselnetz %s, %s\n", version, f.Now.Format("2006-01-02 15:04 -07:00"))
	for _, found := range d.Findings {
		said := l.finding(found)
		fmt.Fprintln(&out, marks[found.Level], strings.TrimSpace(said.Sentence+" "+said.Next))
	}
	for _, u := range f.Net.Interfaces {
		fmt.Fprintf(&out, "%s:", u.Name)
		for _, a := range u.Addrs {
			fmt.Fprintf(&out, " %s", a)
		}
		if u.Failed {
			out.WriteString(l.pick(" (Senden gelang nicht)", " (sending failed)"))
		}
		out.WriteByte('\n')
	}
	if f.Net.Known {
		fmt.Fprintf(&out, l.pick("Ports: %d (TCP, UDP), %d (UDP)\n", "Ports: %d (TCP, UDP), %d (UDP)\n"), f.Net.Port, f.Net.BeaconPort)
	}
	if len(f.System.Gateways) > 0 {
		fmt.Fprintf(&out, l.pick("Weg nach außen: %v über %s\n", "Way outside: %v by %s\n"), f.System.Gateways, f.System.Out)
	}
	if p := f.Peer; p != nil {
		for _, t := range p.Tries {
			fmt.Fprintf(&out, "%s: %s\n", tried(t), t.Result)
		}
	}
	return out.String()
}

// tried says what was tried.
func tried(t doctor.Try) string {
	switch {
	case t.Name == "":
		return t.Addr.String()
	case !t.Addr.IsValid():
		return t.Name
	}
	return t.Name + " (" + t.Addr.String() + ")"
}
