package api

import (
	"context"
	"encoding/json"
	"errors"

	"inselnetz/app"
	"inselnetz/app/webcert"
)

func (s *Server) webCalls(t map[string]call) map[string]call {
	w := s.web
	t["web"] = handle(func(_ context.Context, l language, _ Empty) (Web, error) { return w.state(l), nil })
	t["web/set"] = handle(w.set)
	t["web/pair"] = handle(w.pair)
	t["web/pair/close"] = handle(func(_ context.Context, l language, _ Empty) (Web, error) {
		w.pairing.close()
		return w.state(l), nil
	})
	t["web/cut"] = handle(w.cutOne)
	t["web/company"] = handle(w.bring)
	t["web/company/drop"] = handle(w.dropCompany)
	t["web/renew"] = handle(w.renew)
	t["web/here"] = handle(func(ctx context.Context, _ language, _ Empty) (WebHere, error) { return w.here(sessionOf(ctx)), nil })
	t["web/leave"] = handle(w.leave)
	return t
}

// state says how the page on the network stands.
func (w *web) state(l language) Web {
	now := w.s.ws.Now()
	out := Web{
		Fixed: w.fixed(), Addresses: w.addresses(), Sessions: []WebSession{}, Most: maxSessions,
		Pairing: millis(w.pairing.deadline(now)), Steps: l.steps(),
	}
	for _, one := range w.sessions.list(now) {
		addr := ""
		if one.Addr.IsValid() {
			addr = one.Addr.String()
		}
		out.Sessions = append(out.Sessions, WebSession{ID: one.ID, Name: one.Name, Created: one.Created, Used: one.Used, Addr: addr})
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	out.On, out.Running, out.Problem = w.on, w.https != "", l.problem(w.why)
	if w.http != "" && len(w.addrs)+len(w.names) > 0 {
		host := ""
		if len(w.addrs) > 0 {
			host = w.addrs[0].String()
		} else {
			host = w.names[0]
		}
		out.Welcome = address("http", host, w.http, "80")
	}
	if a := w.authority; a != nil {
		out.Authority = &WebAuthority{
			Name: a.Cert.Subject.CommonName, Fingerprint: webcert.Fingerprint(a.Cert), Fingerprint1: webcert.Fingerprint1(a.Cert),
			Names: a.Cert.PermittedDNSDomains, Ranges: []string{}, Until: a.Cert.NotAfter.UnixMilli(), Lacks: []string{},
		}
		for _, r := range a.Cert.PermittedIPRanges {
			out.Authority.Ranges = append(out.Authority.Ranges, r.String())
		}
		if w.leaf.Leaf != nil {
			out.Authority.Leaf = webcert.Fingerprint(w.leaf.Leaf)
		}
		for _, n := range w.names {
			if !a.Permits(n) {
				out.Authority.Lacks = append(out.Authority.Lacks, n)
			}
		}
	}
	if c := w.company; c != nil {
		leaf := c.TLS.Leaf
		out.Company = &WebCompany{Names: c.Names, Issuer: leaf.Issuer.CommonName, Fingerprint: webcert.Fingerprint(leaf), Until: leaf.NotAfter.UnixMilli(),
			Used: !now.After(leaf.NotAfter) && !now.Before(leaf.NotBefore)}
	}
	return out
}

func (w *web) set(_ context.Context, l language, req WebSet) (Web, error) {
	if w.fixed() {
		return Web{}, &app.Problem{Code: "web-fixed"}
	}
	if !w.s.ws.Info().Member {
		return Web{}, &app.Problem{Code: "not-member"}
	}
	raw, err := json.Marshal(webSettings{On: req.On})
	if err != nil {
		return Web{}, err
	}
	if err := w.s.ws.KeepSecret(settingsFile, raw); err != nil {
		return Web{}, err
	}
	w.mu.Lock()
	w.on = req.On
	w.mu.Unlock()
	w.soon()
	w.changed()
	return w.state(l), nil
}

func (w *web) pair(_ context.Context, l language, _ Empty) (WebPair, error) {
	addrs := w.addresses()
	if len(addrs) == 0 {
		return WebPair{}, &app.Problem{Code: "web-off"}
	}
	code, until := w.pairing.open(w.s.ws.Now())
	out := WebPair{Code: code, Link: addrs[0] + "#/pair/" + code, QR: []string{}, Deadline: until.UnixMilli()}
	if qr, err := app.QR(out.Link); err == nil { // a link too long for a code is still a link
		out.QR = qr
	}
	w.changed()
	return out, nil
}

func (w *web) cutOne(_ context.Context, l language, req WebCut) (Web, error) {
	err := w.sessions.end(req.ID, w.s.ws.Now())
	w.changed()
	return w.state(l), err
}

// leave ends the session a call came by.
func (w *web) leave(ctx context.Context, _ language, _ Empty) (Empty, error) {
	one := sessionOf(ctx)
	if one == nil {
		return Empty{}, nil
	}
	err := w.sessions.end(one.ID, w.s.ws.Now())
	w.changed()
	return Empty{}, err
}

// companyCodes words why a certificate is not taken.
var companyCodes = map[error]*app.Problem{
	webcert.ErrTooLarge:    {Code: "web-cert-large", Field: "chain"},
	webcert.ErrNoPEM:       {Code: "web-cert-none", Field: "chain"},
	webcert.ErrPKCS12:      {Code: "web-cert-pkcs12", Field: "chain"},
	webcert.ErrNoKey:       {Code: "web-cert-no-key", Field: "key"},
	webcert.ErrKeyLocked:   {Code: "web-cert-locked", Field: "key"},
	webcert.ErrKeyOther:    {Code: "web-cert-other", Field: "key"},
	webcert.ErrKeyWeak:     {Code: "web-cert-weak", Field: "key"},
	webcert.ErrNotYet:      {Code: "web-cert-early", Field: "chain"},
	webcert.ErrExpired:     {Code: "web-cert-over", Field: "chain"},
	webcert.ErrNoNames:     {Code: "web-cert-no-names", Field: "chain"},
	webcert.ErrNotServer:   {Code: "web-cert-no-server", Field: "chain"},
	webcert.ErrChain:       {Code: "web-cert-chain", Field: "chain"},
	webcert.ErrIsAuthority: {Code: "web-cert-authority", Field: "chain"},
}

func (w *web) bring(_ context.Context, l language, req WebBring) (Web, error) {
	c, err := webcert.ParseCompany([]byte(req.Chain), []byte(req.Key), w.s.ws.Now())
	if err != nil {
		for known, p := range companyCodes {
			if errors.Is(err, known) {
				return Web{}, p
			}
		}
		return Web{}, err
	}
	w.changing.Lock()
	defer w.changing.Unlock()
	raw, err := c.Bytes()
	if err != nil {
		return Web{}, err
	}
	if err := w.s.ws.KeepSecret(companyFile, raw); err != nil {
		return Web{}, err
	}
	w.mu.Lock()
	w.company = c
	w.mu.Unlock()
	w.changed()
	return w.state(l), nil
}

func (w *web) dropCompany(_ context.Context, l language, _ Empty) (Web, error) {
	w.changing.Lock()
	defer w.changing.Unlock()
	if err := w.s.ws.DropSecret(companyFile); err != nil {
		return Web{}, err
	}
	w.mu.Lock()
	w.company = nil
	w.mu.Unlock()
	w.changed()
	return w.state(l), nil
}

// renew drops the authority; the next look makes another one. Browsers that
// trusted the old one have to be told anew, and paired ones stay paired only as
// long as their cookie's name does: so all sessions end.
func (w *web) renew(_ context.Context, l language, _ Empty) (Web, error) {
	w.changing.Lock()
	defer w.changing.Unlock()
	if err := w.s.ws.DropSecret(authorityFile); err != nil {
		return Web{}, err
	}
	now := w.s.ws.Now()
	var errs []error
	for _, one := range w.sessions.list(now) {
		errs = append(errs, w.sessions.end(one.ID, now))
	}
	w.mu.Lock()
	w.authority, w.why = nil, nil
	w.mu.Unlock()
	w.soon()
	w.changed()
	return w.state(l), errors.Join(errs...)
}
