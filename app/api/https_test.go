package api

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"inselnetz/app"
	"inselnetz/app/webcert"
	"inselnetz/mesh"
)

// A house is a founded device that serves its page to the network.
type house struct {
	*Server
	dir   string
	state string
	stop  func()
}

// newHouse starts one in dir, on 127.0.0.1; with an empty office it founds none.
func newHouse(t testing.TB, dir, state, office string) *house {
	t.Helper()
	ws, err := app.Open(t.Context(), dir, app.Options{
		State: state, Unsafe: true,
		Net: func(context.Context, ed25519.PrivateKey) (mesh.Transport, error) { return alone{}, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	s := New(ws, Options{})
	s.ServeWeb(WebOptions{HTTPS: "127.0.0.1:0", HTTP: "127.0.0.1:0", Loopback: true, Names: []string{"192.168.77.7"}})
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 2)
	go func() { done <- ws.Run(ctx) }()
	go func() { done <- s.Run(ctx) }()
	h := &house{Server: s, dir: dir, state: state}
	stopped := false
	h.stop = func() {
		if stopped {
			return
		}
		stopped = true
		stop()
		for range 2 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		if err := ws.Close(); err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(h.stop)
	heard := s.hub.add()
	defer s.hub.remove(heard)
	if office != "" {
		if err := ws.Found(t.Context(), office, "Anke Petersen", "NAS"); err != nil {
			t.Fatal(err)
		}
	}
	if ws.Info().Member {
		s.web.soon()
		for !s.web.state(german).Running {
			select {
			case <-heard.wake:
				s.hub.take(heard)
			case <-t.Context().Done():
				t.Fatal("the page never came")
			}
		}
	}
	return h
}

// name is the host name by which browsers reach it.
func (h *house) name() string {
	h.web.mu.Lock()
	defer h.web.mu.Unlock()
	return h.web.names[0]
}

// client is a browser that trusts the authority and finds the name.
func (h *house) client(t testing.TB) *http.Client {
	t.Helper()
	roots := x509.NewCertPool()
	h.web.mu.Lock()
	roots.AddCert(h.web.authority.Cert)
	https, plain := h.web.https, h.web.http
	h.web.mu.Unlock()
	dial := func(ctx context.Context, network, addr string) (net.Conn, error) {
		port := https
		if strings.HasSuffix(addr, ":80") {
			port = plain
		}
		var d net.Dialer
		return d.DialContext(ctx, "tcp", "127.0.0.1:"+port)
	}
	tr := &http.Transport{DialContext: dial, TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// do makes a request as the page does; change may make it hostile.
func (h *house) do(t testing.TB, method, path, body string, change func(*http.Request)) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "https://"+h.name()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Origin", "https://"+h.name())
	if change != nil {
		change(r)
	}
	res, err := h.client(t).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = res.Body.Close() })
	return res
}

// phone pairs a browser and returns its cookie.
func (h *house) phone(t testing.TB, name string) *http.Cookie {
	t.Helper()
	p, err := h.web.pair(t.Context(), german, Empty{})
	if err != nil {
		t.Fatal(err)
	}
	body, _ := json.Marshal(WebClaim{Code: p.Code, Name: name})
	res := h.do(t, "POST", "/api/web/claim", string(body), nil)
	if res.StatusCode != 200 || len(res.Cookies()) != 1 {
		t.Fatalf("claim: %s, %d cookies", res.Status, len(res.Cookies()))
	}
	return res.Cookies()[0]
}

func TestPhone(t *testing.T) {
	h := newHouse(t, t.TempDir(), t.TempDir(), "Kanzlei Petersen")
	c := h.phone(t, "Annas iPhone")
	if !c.HttpOnly || !c.Secure || c.SameSite != http.SameSiteStrictMode || c.Path != "/" || c.Domain != "" || !strings.HasPrefix(c.Name, "__Host-") {
		t.Errorf("cookie %v", c)
	}
	with := func(r *http.Request) { r.AddCookie(c) }
	more := func(f func(*http.Request)) func(*http.Request) { return func(r *http.Request) { with(r); f(r) } }
	for name, tt := range map[string]struct {
		method, path string
		change       func(*http.Request)
		want         int
	}{
		"paired":                  {"POST", "/api/status", with, 200},
		"not paired":              {"POST", "/api/status", nil, 401},
		"another cookie":          {"POST", "/api/status", func(r *http.Request) { r.AddCookie(&http.Cookie{Name: c.Name, Value: strings.Repeat("0", 48)}) }, 401},
		"no origin":               {"POST", "/api/status", more(func(r *http.Request) { r.Header.Del("Origin") }), 401},
		"another origin":          {"POST", "/api/status", more(func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") }), 401},
		"origin without TLS":      {"POST", "/api/status", more(func(r *http.Request) { r.Header.Set("Origin", "http://"+h.name()) }), 401},
		"opaque origin":           {"POST", "/api/status", more(func(r *http.Request) { r.Header.Set("Origin", "null") }), 401},
		"another site":            {"GET", "/api/events", more(func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }), 401},
		"another page of the NAS": {"GET", "/api/files/content", more(func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "same-site") }), 401},
		"rebound name":            {"POST", "/api/status", more(func(r *http.Request) { r.Host = "evil.example"; r.Header.Set("Origin", "https://evil.example") }), 421},
		"its address":             {"POST", "/api/status", more(func(r *http.Request) { r.Host = "192.168.77.7"; r.Header.Set("Origin", "https://192.168.77.7") }), 200},
		"another address":         {"POST", "/api/status", more(func(r *http.Request) { r.Host = "192.168.77.8"; r.Header.Set("Origin", "https://192.168.77.8") }), 421},
		"here only":               {"POST", "/api/page", with, 403},
		"more sessions":           {"POST", "/api/web/pair", with, 403},
		"let people in":           {"POST", "/api/invite/open", with, 403},
		"no such call":            {"POST", "/api/nothing", with, 404},
		"with GET":                {"GET", "/api/status", with, 405},
		"the one-time address":    {"GET", "/start?token=0", with, 503}, // no page is built into this test
		"bearer":                  {"POST", "/api/status", func(r *http.Request) { r.Header.Set("Authorization", "Bearer x"); r.Header.Del("Origin") }, 401},
	} {
		t.Run(name, func(t *testing.T) {
			if res := h.do(t, tt.method, tt.path, "{}", tt.change); res.StatusCode != tt.want {
				t.Errorf("answered %s, want %d", res.Status, tt.want)
			}
		})
	}
	res := h.do(t, "POST", "/api/web/here", "{}", with)
	var here WebHere
	if err := json.NewDecoder(res.Body).Decode(&here); err != nil || here != (WebHere{Paired: true, Name: "Annas iPhone", Person: "Anke Petersen", Device: "NAS"}) {
		t.Errorf("here: %+v %v", here, err)
	}
	if res.Header.Get("Strict-Transport-Security") != "" {
		t.Error("a self-made certificate binds the whole host to HTTPS")
	}
}

// TestPhoneIsCut: what a revoked browser is just doing ends too.
func TestPhoneIsCut(t *testing.T) {
	h := newHouse(t, t.TempDir(), t.TempDir(), "Kanzlei Petersen")
	c := h.phone(t, "Annas iPhone")
	with := func(r *http.Request) { r.AddCookie(c) }
	stream := h.do(t, "GET", "/api/events", "", with)
	first := make([]byte, 13)
	if _, err := io.ReadFull(stream.Body, first); err != nil || stream.ProtoMajor != 2 {
		t.Fatalf("stream over HTTP/%d: %q %v", stream.ProtoMajor, first, err)
	}
	st, err := h.web.cutOne(t.Context(), german, WebCut{ID: h.web.state(german).Sessions[0].ID})
	if err != nil || len(st.Sessions) != 0 {
		t.Fatalf("cut: %v, %d left", err, len(st.Sessions))
	}
	if _, err := io.ReadAll(stream.Body); err != nil {
		t.Errorf("stream: %v", err)
	}
	if res := h.do(t, "POST", "/api/status", "{}", with); res.StatusCode != 401 {
		t.Errorf("a revoked session answered %s", res.Status)
	}
	c = h.phone(t, "Annas iPhone")
	if res := h.do(t, "POST", "/api/web/leave", "{}", with); res.StatusCode != 200 {
		t.Errorf("leave: %s", res.Status)
	}
	if res := h.do(t, "POST", "/api/status", "{}", with); res.StatusCode != 401 {
		t.Errorf("a session that left answered %s", res.Status)
	}
}

// TestPhoneSurvives: sessions and certificates are there after a restart, and
// the disk holds no secret of them.
func TestPhoneSurvives(t *testing.T) {
	dir, state := t.TempDir(), t.TempDir()
	h := newHouse(t, dir, state, "Kanzlei Petersen")
	c := h.phone(t, "Annas iPhone")
	before := h.web.state(german)
	h.stop()
	err := filepath.WalkDir(dir, func(p string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := os.ReadFile(p)
		if bytes.Contains(raw, []byte(c.Value)) || bytes.Contains(raw, []byte("Annas iPhone")) || bytes.Contains(raw, []byte("PRIVATE KEY")) {
			t.Errorf("%s can be read", filepath.Base(p))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	h = newHouse(t, dir, state, "")
	if res := h.do(t, "POST", "/api/status", "{}", func(r *http.Request) { r.AddCookie(c) }); res.StatusCode != 200 {
		t.Errorf("after a restart: %s", res.Status)
	}
	if after := h.web.state(german); after.Authority.Fingerprint != before.Authority.Fingerprint || after.Authority.Leaf != before.Authority.Leaf {
		t.Error("the certificates are others after a restart")
	}
}

func TestWelcomeIsAll(t *testing.T) {
	h := newHouse(t, t.TempDir(), t.TempDir(), "Kanzlei Petersen")
	c := h.phone(t, "Annas iPhone")
	get := func(path, host string) (*http.Response, string) {
		r, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+h.name()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.AddCookie(c)
		if host != "" {
			r.Host = host
		}
		res, err := h.client(t).Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		raw, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		if len(res.Cookies()) > 0 {
			t.Errorf("%s sets a cookie without encryption", path)
		}
		return res, string(raw)
	}
	fingerprint := h.web.state(german).Authority.Fingerprint
	for _, lang := range []string{"de", "en"} {
		res, text := get("/?lang="+lang, "")
		if res.StatusCode != 200 || !strings.Contains(text, fingerprint) || !strings.Contains(text, "https://"+h.name()+":") || !strings.Contains(text, `lang="`+lang+`"`) {
			t.Errorf("%s: %s %s", lang, res.Status, text)
		}
		if strings.Contains(text, "Petersen") || strings.Contains(text, "Anke") {
			t.Error("the welcome page tells who works here")
		}
	}
	for path, kind := range map[string]string{"/inselnetz.crt": "application/x-x509-ca-cert", "/inselnetz.mobileconfig": "application/x-apple-aspen-config", "/welcome.css": "text/css; charset=utf-8"} {
		if res, _ := get(path, ""); res.StatusCode != 200 || res.Header.Get("Content-Type") != kind {
			t.Errorf("%s: %s %s", path, res.Status, res.Header.Get("Content-Type"))
		}
	}
	if _, raw := get("/inselnetz.crt", ""); webcert.Fingerprint(must(x509.ParseCertificate([]byte(raw)))) != fingerprint {
		t.Error("another certificate")
	}
	for _, path := range []string{"/api/status", "/api/events", "/api/web/claim", "/start", "/index.html", "/assets/x.js", "/handbook/../index.html", "/api/files/content"} {
		if res, _ := get(path, ""); res.StatusCode == 200 {
			t.Errorf("%s is served without encryption", path)
		}
	}
	if res, _ := get("/", "evil.example"); res.StatusCode != 421 {
		t.Errorf("a rebound name: %s", res.Status)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// TestCallsAreJudged: every call says whether phones may make it.
func TestCallsAreJudged(t *testing.T) {
	s, _, _ := newServer(t)
	for name := range s.calls {
		_, here := hereOnly[name]
		if fromPhones[name] == here {
			t.Errorf("%s must be in one of the lists of https_calls.go", name)
		}
	}
	for name := range fromPhones {
		if s.calls[name] == nil {
			t.Errorf("%s is in fromPhones and no call", name)
		}
	}
}

func TestPairing(t *testing.T) {
	var p pairCode
	now := time.Now()
	from := func(n byte) netip.Addr { return netip.AddrFrom4([4]byte{192, 168, 1, n}) }
	is := func(err error, code string) {
		t.Helper()
		if want := (&app.Problem{Code: code}); code == "" && err != nil || code != "" && !want.Is(err) && !isCode(err, code) {
			t.Errorf("%v, want %q", err, code)
		}
	}
	is(p.take("", from(1), now), "web-pair-none")
	code, until := p.open(now)
	if len(plainCode(code)) != pairDigits || until.Sub(now) != pairLife {
		t.Errorf("code %q until %v", code, until)
	}
	is(p.take("AAAAA-AAAAA", from(1), now), "web-pair-wrong")
	is(p.take(strings.ToLower(strings.ReplaceAll(code, "-", " ")), from(1), now), "")
	is(p.take(code, from(1), now), "web-pair-none")

	code, _ = p.open(now)
	is(p.take(code, from(2), now.Add(pairLife)), "web-pair-none")

	code, _ = p.open(now)
	for range pairPer {
		is(p.take("0", from(3), now), "web-pair-wrong")
	}
	is(p.take(code, from(3), now), "web-pair-slow")
	is(p.take(code, from(3), now.Add(pairPause)), "")

	code, _ = p.open(now)
	for i := range pairTries {
		is(p.take("0", from(byte(10+i)), now), "web-pair-wrong")
	}
	is(p.take(code, from(4), now), "web-pair-none")

	p = pairCode{} // many addresses take bounded room
	for i := range 1000 {
		_ = p.take("0", netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), now)
	}
	if len(p.tries) > maxPairAddrs {
		t.Errorf("%d addresses are remembered", len(p.tries))
	}
}

func isCode(err error, code string) bool {
	p, ok := err.(*app.Problem)
	return ok && p.Code == code
}

func TestSessions(t *testing.T) {
	var disk []byte
	s := newSessions(func(raw []byte) error { disk = raw; return nil })
	now, addr := time.Now(), netip.MustParseAddr("192.168.1.9")
	key, one, err := s.begin("a", addr, now)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(disk, []byte(key)) {
		t.Error("the secret is on the disk")
	}
	if s.find(key, addr, now.Add(sessionUnused)) == nil || s.find(key, addr, now.Add(2*sessionUnused+time.Second)) != nil {
		t.Error("a session ends 90 days after its last use")
	}
	for range maxSessions - 1 {
		if _, _, err := s.begin("b", addr, now.Add(sessionUnused)); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := s.begin("c", addr, now.Add(sessionUnused)); !isCode(err, "web-sessions-full") {
		t.Errorf("one more: %v", err)
	}
	if _, _, err := s.begin("c", addr, now.Add(3*sessionUnused)); err != nil {
		t.Errorf("after the others are over: %v", err)
	}
	select {
	case <-one.cut:
	default:
		t.Error("a session that is over goes on")
	}
	again := newSessions(nil)
	if err := again.load(disk); err != nil || len(again.list(time.Time{})) != 1 {
		t.Errorf("read back %d: %v", len(again.list(time.Time{})), err)
	}
	full := newSessions(func([]byte) error { return io.ErrShortWrite })
	if _, _, err := full.begin("a", addr, now); err == nil || len(full.list(now)) != 0 {
		t.Error("a session that is not on the disk was begun")
	}
}

func FuzzSessions(f *testing.F) {
	f.Add([]byte(`[{"id":"1","sum":"` + sumOf("x") + `","name":"a","created":1,"used":2,"addr":"1.2.3.4"}]`))
	f.Add([]byte(`[null]`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		s := newSessions(func([]byte) error { return nil })
		_ = s.load(raw)
		if n := len(s.list(time.Time{})); n > maxSessions {
			t.Errorf("%d sessions", n)
		}
		if err := s.end("1", time.Now()); err != nil {
			t.Error(err)
		}
	})
}

// FuzzClaim sends any bytes to the one call that needs no session.
func FuzzClaim(f *testing.F) {
	s, _, _ := newServer(f)
	f.Add([]byte(`{"code":"AAAAA-AAAAA","name":"x"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		r := httptest.NewRequest("POST", "/api/web/claim", bytes.NewReader(body))
		r.Header.Set("Origin", "https://"+r.Host)
		w := httptest.NewRecorder()
		s.web.claim(w, r)
		if w.Code < 400 || w.Code >= 500 || !json.Valid(w.Body.Bytes()) {
			t.Errorf("%q: %d %s", body, w.Code, w.Body)
		}
	})
}

func TestGuard(t *testing.T) {
	for addr, want := range map[string]bool{
		"192.168.1.7:1": true, "10.0.0.1:1": true, "127.0.0.1:1": true, "[fd00::7]:1": true, "[fe80::1%eth0]:1": true, "[::ffff:172.16.0.9]:1": true,
		"8.8.8.8:1": false, "[2001:db8::1]:1": false, "172.32.0.1:1": false, "nonsense": false,
	} {
		if near(addrOf(addr)) != want {
			t.Errorf("near(%s) = %v", addr, !want)
		}
	}
	g := newGuard(nil)
	one := netip.MustParseAddr("192.168.1.7")
	for i := range maxWebPerAddr + 1 {
		if g.enter(one) != (i < maxWebPerAddr) {
			t.Fatalf("connection %d of one address", i)
		}
	}
	for i := range maxWebConns {
		if in := g.enter(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)})); in != (i < maxWebConns-maxWebPerAddr) {
			t.Fatalf("connection %d of all", i)
		}
	}
	g.leave(one)
	if !g.enter(one) {
		t.Error("a place that was left is not given again")
	}
}

func TestHostOf(t *testing.T) {
	for in, want := range map[string]string{"NAS.local:21963": "nas.local", "nas": "nas", "[fd00::7]:443": "fd00::7", "[fd00::7]": "fd00::7", "192.168.1.7": "192.168.1.7", "": ""} {
		if got := hostOf(in); got != want {
			t.Errorf("hostOf(%q) = %q", in, got)
		}
	}
}
