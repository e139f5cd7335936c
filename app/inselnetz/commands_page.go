package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"inselnetz/app/api"
	"inselnetz/app/webcert"
)

func pageCommand(e *env) func(context.Context) error {
	chain := e.flags.String("chain", "", "PEM `file` of the company's certificate and its chain")
	key := e.flags.String("key", "", "PEM `file` of its private key, if it is not in the chain's file")
	drop := e.flags.Bool("remove", false, "company: go back to the device's own certificate")
	return with(e, func(ctx context.Context, c *client) error {
		what := "state"
		if len(e.rest) > 0 {
			what = e.rest[0]
		}
		if want := map[string]int{"cut": 2}[what]; len(e.rest) > max(want, 1) || want > len(e.rest) {
			return errUsage
		}
		var st api.Web
		var err error
		switch what {
		case "pair":
			return pairPage(ctx, e, c)
		case "state", "list":
			st, err = ask[api.Web](ctx, c, "web", api.Empty{})
		case "on", "off":
			st, err = ask[api.Web](ctx, c, "web/set", api.WebSet{On: what == "on"})
		case "renew":
			st, err = ask[api.Web](ctx, c, "web/renew", api.Empty{})
		case "cut":
			st, err = cutPage(ctx, c, e.rest[1])
		case "company":
			st, err = companyPage(ctx, c, *chain, *key, *drop)
		default:
			return errUsage
		}
		if err != nil {
			return err
		}
		if what == "list" {
			return e.say(st.Sessions, "%s", e.sessions(st))
		}
		return e.say(st, "%s", e.pageState(st))
	})
}

// pairPage shows a code and the link to it as a picture of half blocks.
func pairPage(ctx context.Context, e *env, c *client) error {
	p, err := ask[api.WebPair](ctx, c, "web/pair", api.Empty{})
	if err != nil || e.json {
		return orSay(e, p, err)
	}
	return e.say(p, "%s%s\n\n%s\n%s", blocks(p.QR), p.Link,
		e.pick("Mit dem Handy scannen, oder die Adresse öffnen und den Code eingeben: ", "Scan with the phone, or open the address and enter the code: ")+p.Code,
		fmt.Sprintf(e.pick("Gilt bis %s Uhr, für ein Gerät.", "Valid until %s, for one device."), time.UnixMilli(p.Deadline).Format("15:04")))
}

func orSay(e *env, v any, err error) error {
	if err != nil {
		return err
	}
	return e.print(v)
}

// blocks draws a QR code, two rows in a line, light on dark as terminals are;
// readers take both.
func blocks(rows []string) string {
	if len(rows) == 0 {
		return ""
	}
	const margin = 2
	dark := func(y, x int) bool {
		y, x = y-margin, x-margin
		return y >= 0 && y < len(rows) && x >= 0 && x < len(rows[y]) && rows[y][x] == '1'
	}
	var out strings.Builder
	for y := 0; y < len(rows)+2*margin; y += 2 {
		for x := range len(rows[0]) + 2*margin {
			switch up, down := dark(y, x), dark(y+1, x); {
			case up && down:
				out.WriteString(" ")
			case up:
				out.WriteString("▄")
			case down:
				out.WriteString("▀")
			default:
				out.WriteString("█")
			}
		}
		out.WriteString("\n")
	}
	return out.String()
}

func cutPage(ctx context.Context, c *client, name string) (api.Web, error) {
	st, err := ask[api.Web](ctx, c, "web", api.Empty{})
	if err != nil {
		return st, err
	}
	id := ""
	for _, s := range st.Sessions {
		if s.ID == name || strings.EqualFold(s.Name, name) {
			if id != "" {
				return st, fmt.Errorf("%q: several, use one's id", name)
			}
			id = s.ID
		}
	}
	if id == "" {
		return st, fmt.Errorf("%q: no such session; see inselnetz page list", name)
	}
	return ask[api.Web](ctx, c, "web/cut", api.WebCut{ID: id})
}

func companyPage(ctx context.Context, c *client, chain, key string, drop bool) (api.Web, error) {
	if drop {
		return ask[api.Web](ctx, c, "web/company/drop", api.Empty{})
	}
	var req api.WebBring
	for _, f := range []struct {
		path string
		to   *string
	}{{chain, &req.Chain}, {key, &req.Key}} {
		if f.path == "" {
			continue
		}
		raw, err := readSmall(f.path)
		if err != nil {
			return api.Web{}, err
		}
		*f.to = raw
	}
	if req.Chain == "" {
		return api.Web{}, errUsage
	}
	return ask[api.Web](ctx, c, "web/company", req)
}

// readSmall reads a file up to a little more than is taken.
func readSmall(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, webcert.MaxCompany+1))
	return string(raw), err
}

func (e *env) pageState(st api.Web) string {
	var out []string
	add := func(de, en, value string) {
		if value != "" {
			out = append(out, e.pick(de, en)+": "+value)
		}
	}
	add("Seite für Handys", "Page for phones", map[bool]string{true: e.pick("eingeschaltet", "on"), false: e.pick("ausgeschaltet", "off")}[st.On])
	if st.Problem != nil {
		add("Störung", "Trouble", st.Problem.Sentence)
	}
	for _, a := range st.Addresses {
		add("Adresse", "Address", a)
	}
	add("Erklärung und Zertifikat", "Explanation and certificate", st.Welcome)
	if a := st.Authority; a != nil {
		add("Eigener Aussteller", "Own issuer", a.Name)
		add("Fingerabdruck (SHA-256)", "Fingerprint (SHA-256)", a.Fingerprint)
		add("Nur für", "Only for", strings.Join(append(a.Names, a.Ranges...), ", "))
		add("Im Browser zu sehen", "Seen in the browser", a.Leaf)
	}
	if c := st.Company; c != nil {
		add("Zertifikat der Firma", "The company's certificate", strings.Join(c.Names, ", ")+e.pick(", bis ", ", until ")+time.UnixMilli(c.Until).Format("02.01.2006"))
	}
	return strings.Join(append(out, e.sessions(st)), "\n")
}

func (e *env) sessions(st api.Web) string {
	if len(st.Sessions) == 0 {
		return e.pick("Kein Browser ist verbunden.", "No browser is connected.")
	}
	var out []string
	for _, s := range st.Sessions {
		out = append(out, fmt.Sprintf("%s  %s  %s  %s", s.ID, time.UnixMilli(s.Used).Format("02.01.2006 15:04"), s.Addr, s.Name))
	}
	return strings.Join(out, "\n")
}
