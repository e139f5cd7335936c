package api

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"inselnetz/app"
	"inselnetz/app/webcert"
)

// WebOptions say how this device's page is served to the local network.
type WebOptions struct {
	HTTPS    string   // address of the page; "auto": port 443, or 21963; "off": never; "": as switched, then like auto
	HTTP     string   // address of the welcome page; "auto" and "": port 80, or 21964; "off": none
	Names    []string // host names and addresses by which browsers reach it, beside those it knows
	Loopback bool     // listen on 127.0.0.1 alone, for trying things out
}

// Ports of the page where the usual ones are taken or not allowed.
const (
	portHTTPS = 21963
	portHTTP  = 21964
)

// Secrets on the disk.
const (
	authorityFile = "web-authority"
	companyFile   = "web-company"
	settingsFile  = "web-settings"
)

// webTick is how often addresses and certificates are looked at.
const webTick = 10 * time.Second

// A web is this device's page on the local network: certificates, sessions and
// the two servers.
type web struct {
	s        *Server
	opts     WebOptions
	sessions *sessions
	pairing  pairCode
	kick     chan struct{} // holds one token when settings changed
	changing sync.Mutex    // one at a time changes certificates

	mu        sync.Mutex // guards the rest; nothing slow happens under it
	on        bool
	authority *webcert.Authority
	leaf      tls.Certificate
	company   *webcert.Company
	addrs     []netip.Addr // of this device, the best one first
	names     []string     // host names it is known by
	https     string       // port that is served; empty: none
	http      string
	why       *app.Problem // why it is not as it should be
}

// webSettings is what is switched, on the disk.
type webSettings struct {
	On bool `json:"on"`
}

func newWeb(s *Server) *web {
	w := &web{s: s, kick: make(chan struct{}, 1)}
	w.sessions = newSessions(func(raw []byte) error { return s.ws.KeepSecret(sessionsFile, raw) })
	w.load()
	return w
}

// ServeWeb sets how the page is served to the local network; without it, it is
// as switched. It comes before Run.
func (s *Server) ServeWeb(opts WebOptions) {
	s.web.opts = opts
	if s.web.fixed() {
		s.web.on = opts.HTTPS != "off"
	}
}

func (w *web) fixed() bool { return w.opts.HTTPS != "" }

// load reads what is on the disk. What is damaged is said, and replaced only
// when somebody decides so: a new authority would have to be trusted anew.
func (w *web) load() {
	var set webSettings
	if raw, err := w.s.ws.Secret(settingsFile); err == nil {
		_ = json.Unmarshal(raw, &set) // damaged: off
	}
	w.on = set.On
	raw, err := w.s.ws.Secret(authorityFile)
	if err == nil {
		w.authority, err = webcert.ParseAuthority(raw)
	}
	if err != nil && !missing(err) {
		w.s.log.Warn("read the page's authority", "err", err)
		w.why = &app.Problem{Code: "web-damaged", Err: err}
	}
	raw, err = w.s.ws.Secret(companyFile)
	if err == nil {
		w.company, err = webcert.ParseCompany(raw, nil, time.Time{})
	}
	if err != nil && !missing(err) {
		w.s.log.Warn("read the company's certificate", "err", err)
	}
	raw, err = w.s.ws.Secret(sessionsFile)
	if err == nil {
		err = w.sessions.load(raw)
	}
	if err != nil && !missing(err) {
		w.s.log.Warn("read sessions of browsers; they have to be paired again", "err", err)
	}
}

// run serves as long as it is switched on, until ctx ends.
func (w *web) run(ctx context.Context) {
	tick := time.NewTicker(webTick)
	defer tick.Stop()
	var open *webServers
	defer func() {
		open.close()
		if err := w.sessions.tend(w.s.ws.Now(), true); err != nil {
			w.s.log.Warn("write sessions", "err", err)
		}
	}()
	for {
		open = w.adjust(open)
		if err := w.sessions.tend(w.s.ws.Now(), false); err != nil {
			w.s.log.Warn("write sessions", "err", err)
		}
		var early <-chan time.Time // until there is an office, or a port
		if open != nil && (open.https == nil || open.http == nil && w.opts.HTTP != "off") {
			early = time.After(time.Second)
		}
		select {
		case <-w.kick:
		case <-early:
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// adjust opens or closes what is served, as it is switched.
func (w *web) adjust(open *webServers) *webServers {
	member := w.s.ws.Info().Member
	w.mu.Lock()
	on := w.on
	before := [2]string{w.https, w.http}
	w.mu.Unlock()
	if !on {
		open.close()
		w.stand("", "", nil)
		if before != [2]string{} {
			w.changed()
		}
		return nil
	}
	if open == nil {
		open = &webServers{}
	}
	var why *app.Problem
	if open.http == nil && w.opts.HTTP != "off" {
		var err error
		if open.http, err = w.serve(w.opts.HTTP, 80, portHTTP, w.plainHandler(), nil); err != nil {
			why = &app.Problem{Code: "web-port", Args: []any{err.Error()}, Err: err}
		}
	}
	if member {
		if err := w.certify(); err != nil {
			var p *app.Problem
			if !errors.As(err, &p) {
				w.s.log.Warn("certificate of the page", "err", err)
				p = &app.Problem{Code: "web-certificate", Args: []any{err.Error()}, Err: err}
			}
			why = p
		} else if open.https == nil {
			if open.https, err = w.serve(w.opts.HTTPS, 443, portHTTPS, w.handler(), w.tls()); err != nil {
				why = &app.Problem{Code: "web-port", Args: []any{err.Error()}, Err: err}
			}
		}
	}
	w.stand(open.https.port(), open.http.port(), why)
	if before != [2]string{open.https.port(), open.http.port()} {
		w.changed()
	}
	return open
}

func (w *web) stand(https, http string, why *app.Problem) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.https, w.http, w.why = https, http, why
}

// changed tells listeners to ask again.
func (w *web) changed() { w.s.hub.tell(app.Change{What: "web"}) }

// soon has run look at the settings.
func (w *web) soon() {
	select {
	case w.kick <- struct{}{}:
	default:
	}
}

// certify sees to an authority and a leaf for what this device is called now.
func (w *web) certify() error {
	w.changing.Lock()
	defer w.changing.Unlock()
	title, names, addrs := w.known()
	w.mu.Lock()
	a, damaged := w.authority, w.why != nil && w.why.Code == "web-damaged"
	w.mu.Unlock()
	now := w.s.ws.Now()
	var err error
	switch {
	case a == nil && damaged:
		return &app.Problem{Code: "web-damaged"}
	case a == nil:
		if a, err = webcert.NewAuthority(title, webcert.Limits(names), now); err != nil {
			return err
		}
	case !a.Valid(now):
		return &app.Problem{Code: "web-authority-over"}
	}
	leaf, fresh, err := a.Leaf(names, addrs, now)
	if err != nil {
		return err
	}
	if fresh { // on the disk before a browser is shown it
		raw, err := a.Bytes()
		if err == nil {
			err = w.s.ws.KeepSecret(authorityFile, raw)
		}
		if err != nil {
			return err
		}
	}
	w.mu.Lock()
	w.authority, w.leaf, w.names, w.addrs = a, leaf, names, addrs
	w.mu.Unlock()
	if fresh {
		w.changed()
	}
	return nil
}

// known are the names and addresses of this device, and what its authority is
// called.
func (w *web) known() (title string, names []string, addrs []netip.Addr) {
	host, _ := os.Hostname() // without one there is the office's
	names = webcert.Names(host, w.s.ws.Tag())
	title = "Inselnetz " + strings.TrimSuffix(names[len(names)-1], ".inselnetz.internal")
	addrs = localAddrs()
	for _, n := range w.opts.Names {
		if a, err := netip.ParseAddr(n); err == nil {
			addrs = append([]netip.Addr{a}, addrs...)
		} else if n = strings.ToLower(strings.TrimSuffix(n, ".")); n != "" {
			names = append(names, n)
		}
	}
	return title, names, addrs
}

// localAddrs are the private addresses of this computer, the one other computers
// most likely reach first. Link-local ones of IPv6 need a zone, which browsers do
// not take.
func localAddrs() []netip.Addr {
	var out []netip.Addr
	interfaces, _ := net.Interfaces() // none: reached by name only
	for _, i := range interfaces {
		if i.Flags&net.FlagUp == 0 || i.Flags&net.FlagLoopback != 0 {
			continue
		}
		addrs, _ := i.Addrs()
		for _, a := range addrs {
			p, err := netip.ParsePrefix(a.String())
			if ip := p.Addr().Unmap(); err == nil && webcert.Private(ip) && (ip.Is4() || !ip.IsLinkLocalUnicast()) {
				out = append(out, ip)
			}
		}
	}
	first := usual()
	rank := func(a netip.Addr) int {
		switch {
		case a == first:
			return 0
		case a.Is4() && !a.IsLinkLocalUnicast():
			return 1
		case a.Is4():
			return 2
		}
		return 3
	}
	slices.SortStableFunc(out, func(a, b netip.Addr) int { return rank(a) - rank(b) })
	return out
}

// usual is the address the system would send from. Connecting UDP sends nothing.
func usual() netip.Addr {
	c, err := net.Dial("udp4", "192.0.2.1:9") // RFC 5737: nobody's
	if err != nil {
		return netip.Addr{}
	}
	defer c.Close()
	ap, _ := netip.ParseAddrPort(c.LocalAddr().String())
	return ap.Addr()
}

// certificate chooses for a browser: the company's where it speaks for the name
// that is asked for, else the own one.
func (w *web) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.company.Speaks(hello.ServerName, w.s.ws.Now()) {
		return &w.company.TLS, nil
	}
	leaf := w.leaf // a handshake reads it while certify writes the next
	return &leaf, nil
}

func (w *web) tls() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: w.certificate}
}

// ours reports whether a Host header names this device: a web page elsewhere
// must not reach it under a name of its own (DNS rebinding).
func (w *web) ours(hostport string) bool {
	host := hostOf(hostport)
	w.mu.Lock()
	defer w.mu.Unlock()
	if a, err := netip.ParseAddr(host); err == nil {
		return slices.Contains(w.addrs, a.Unmap()) || w.company.Speaks(host, w.s.ws.Now())
	}
	return slices.Contains(w.names, host) || w.company.Speaks(host, w.s.ws.Now())
}

// hostOf is a Host header's host, in lower case, without port and brackets.
func hostOf(hostport string) string {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = strings.TrimSuffix(strings.TrimPrefix(hostport, "["), "]")
	}
	return strings.ToLower(host)
}

// addresses of the page, the best one first.
func (w *web) addresses() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.https == "" {
		return []string{}
	}
	var hosts []string
	if w.company != nil {
		for _, n := range w.company.Names {
			if w.company.Speaks(n, w.s.ws.Now()) && !strings.HasPrefix(n, "*") {
				hosts = append(hosts, n)
			}
		}
	}
	for _, a := range w.addrs {
		if a.Is4() {
			hosts = append(hosts, a.String())
		}
	}
	for _, n := range w.names {
		if strings.Contains(n, ".") && !strings.HasSuffix(n, ".internal") && w.authority != nil && w.authority.Permits(n) {
			hosts = append(hosts, n)
		}
	}
	for _, a := range w.addrs { // nobody types those
		if !a.Is4() {
			hosts = append(hosts, a.String())
		}
	}
	out := []string{}
	for _, h := range hosts {
		out = append(out, address("https", h, w.https, "443"))
	}
	return out
}

// address is a URL without the port that goes without saying.
func address(scheme, host, port, usual string) string {
	if port == usual {
		if strings.Contains(host, ":") {
			host = "[" + host + "]"
		}
		return scheme + "://" + host + "/"
	}
	return scheme + "://" + net.JoinHostPort(host, port) + "/"
}

// webServers are the listening servers; run alone holds them.
type webServers struct{ https, http *webServer }

func (o *webServers) close() {
	if o == nil {
		return
	}
	o.https.close()
	o.http.close()
}

type webServer struct {
	server *http.Server
	on     string
	done   chan struct{}
}

func (o *webServer) port() string {
	if o == nil {
		return ""
	}
	return o.on
}

func (o *webServer) close() {
	if o != nil {
		_ = o.server.Close()
		<-o.done
	}
}

// serve opens a server: at addr, or on the usual port, else ours, else any.
func (w *web) serve(addr string, usual, ours int, h http.Handler, conf *tls.Config) (*webServer, error) {
	host := ""
	if w.opts.Loopback {
		host = "127.0.0.1"
	}
	at := []string{addr}
	if addr == "" || addr == "auto" {
		at = nil
		for _, port := range []int{usual, ours, 0} {
			at = append(at, net.JoinHostPort(host, strconv.Itoa(port)))
		}
	}
	var l net.Listener
	var err error
	for _, a := range at {
		if l, err = net.Listen("tcp", a); err == nil {
			break
		}
	}
	if err != nil {
		return nil, err
	}
	_, port, _ := net.SplitHostPort(l.Addr().String()) // a TCP address always splits
	srv := &http.Server{
		Handler: h, TLSConfig: conf, ErrorLog: slogAt(w.s.log), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 32 << 10, HTTP2: &http.HTTP2Config{MaxConcurrentStreams: 100},
	}
	out := &webServer{server: srv, on: port, done: make(chan struct{})}
	go func() { // close waits for it
		defer close(out.done)
		var err error
		if guarded := newGuard(l); conf != nil {
			err = srv.ServeTLS(guarded, "", "")
		} else {
			err = srv.Serve(guarded)
		}
		if !errors.Is(err, http.ErrServerClosed) {
			w.s.log.Warn("serve the page on the network", "err", err)
		}
	}()
	w.s.log.Info("page for the network", "addr", l.Addr().String(), "tls", conf != nil)
	return out, nil
}
