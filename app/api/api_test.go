package api

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"inselnetz/app"
	"inselnetz/crdt/log"
	"inselnetz/mesh"
)

// alone is a Transport without a network.
type alone struct{}

func (alone) Self() mesh.PeerID { return "alone" }
func (alone) Dial(ctx context.Context, _ mesh.PeerID, _ []string, _ string) (mesh.Conn, error) {
	return nil, io.ErrClosedPipe
}
func (alone) DialPunched(context.Context, mesh.PeerID, []string, string) (mesh.Conn, error) {
	return nil, io.ErrClosedPipe
}
func (alone) Punch(context.Context, mesh.PeerID, []string) {}
func (alone) Secure(context.Context, mesh.Conn, mesh.PeerID, bool, string) (mesh.Conn, error) {
	return nil, io.ErrClosedPipe
}
func (alone) Accept(ctx context.Context) (mesh.Conn, error) { <-ctx.Done(); return nil, ctx.Err() }
func (alone) Sightings() <-chan mesh.Sighting               { return nil }
func (alone) Announce([]log.Key)                            {}
func (alone) ShowDoor(string)                               {}
func (alone) Doors() []mesh.Door                            { return nil }
func (alone) Addrs() []string                               { return nil }
func (alone) Close() error                                  { return nil }

// newServer returns the API of a device that belongs to no workspace, on a
// loopback address.
func newServer(t testing.TB) (s *Server, url, token string) {
	t.Helper()
	ws, err := app.Open(t.Context(), t.TempDir(), app.Options{
		State: t.TempDir(), Unsafe: true,
		Net: func(context.Context, ed25519.PrivateKey) (mesh.Transport, error) { return alone{}, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	s = New(ws, Options{})
	done := make(chan error, 2)
	go func() { done <- ws.Run(ctx) }()
	go func() { done <- s.Run(ctx) }()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h, token := s.Loopback(l.Addr())
	srv := &httptest.Server{Listener: l, Config: &http.Server{Handler: h}}
	srv.Start()
	t.Cleanup(func() {
		stop()
		srv.CloseClientConnections()
		srv.Close()
		for range 2 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		if err := ws.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, srv.URL, token
}

// request makes one request without following redirects.
func request(t testing.TB, method, url string, body string, change func(*http.Request)) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(r)
	}
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = res.Body.Close() })
	return res
}

func TestGate(t *testing.T) {
	s, url, token := newServer(t)
	start := s.PageAddress()
	opened := request(t, "GET", start, "", nil)
	if opened.StatusCode != http.StatusSeeOther || len(opened.Cookies()) != 1 {
		t.Fatalf("start: %s, %d cookies", opened.Status, len(opened.Cookies()))
	}
	cookie := opened.Cookies()[0]
	if !cookie.HttpOnly || cookie.SameSite != http.SameSiteStrictMode {
		t.Errorf("cookie %v can be read or sent by others", cookie)
	}
	if again := request(t, "GET", start, "", nil); len(again.Cookies()) != 0 {
		t.Error("a one-time address worked twice")
	}
	session := func(r *http.Request) { r.AddCookie(cookie); r.Header.Set("Origin", url) }
	for name, tt := range map[string]struct {
		method, path string
		change       func(*http.Request)
		want         int
	}{
		"page without a session":   {"POST", "/api/status", nil, 401},
		"page with its session":    {"POST", "/api/status", session, 200},
		"no origin":                {"POST", "/api/status", func(r *http.Request) { r.AddCookie(cookie) }, 401},
		"another origin":           {"POST", "/api/status", func(r *http.Request) { r.AddCookie(cookie); r.Header.Set("Origin", "http://evil.example") }, 401},
		"another port":             {"POST", "/api/status", func(r *http.Request) { r.AddCookie(cookie); r.Header.Set("Origin", "http://127.0.0.1:1") }, 401},
		"opaque origin":            {"POST", "/api/status", func(r *http.Request) { r.AddCookie(cookie); r.Header.Set("Origin", "null") }, 401},
		"cross-site fetch":         {"GET", "/api/events", func(r *http.Request) { r.AddCookie(cookie); r.Header.Set("Sec-Fetch-Site", "cross-site") }, 401},
		"rebound name":             {"POST", "/api/status", func(r *http.Request) { session(r); r.Host = "evil.example" }, 421},
		"rebound name, right port": {"POST", "/api/status", func(r *http.Request) { session(r); r.Host = "evil.example" + url[strings.LastIndex(url, ":"):] }, 421},
		"no port":                  {"GET", "/", func(r *http.Request) { r.Host = "127.0.0.1" }, 421},
		"made-up session":          {"POST", "/api/status", func(r *http.Request) { session(r); r.Header.Set("Cookie", cookie.Name+"=00") }, 401},
		"command line":             {"POST", "/api/status", func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }, 200},
		"wrong token":              {"POST", "/api/status", func(r *http.Request) { r.Header.Set("Authorization", "Bearer x") }, 401},
		"token from a page":        {"POST", "/api/status", func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token); r.Header.Set("Origin", url) }, 401},
		"reading with GET":         {"GET", "/api/status", session, 405},
		"unknown call":             {"POST", "/api/nothing", session, 404},
	} {
		t.Run(name, func(t *testing.T) {
			res := request(t, tt.method, url+tt.path, "{}", tt.change)
			if res.StatusCode != tt.want {
				t.Errorf("answered %s, want %d", res.Status, tt.want)
			}
			if tt.want >= 400 && tt.want != 421 {
				var e Error
				if err := json.NewDecoder(res.Body).Decode(&e); err != nil || e.Sentence == "" {
					t.Errorf("no sentence: %v", err)
				}
			}
			if res.Header.Get("Content-Security-Policy") == "" {
				t.Error("no content security policy")
			}
		})
	}
}

func TestRequestsThatMakeNoSense(t *testing.T) {
	_, url, token := newServer(t)
	for name, tt := range map[string]struct {
		call, body, want string
	}{
		"binary":        {"post", "{\"text\":\"\xff\xfe\x00\"}", "not-text"},
		"not json":      {"post", "hello", "bad-request"},
		"unknown field": {"post", `{"text":"a","colour":"red"}`, "bad-request"},
		"two requests":  {"post", `{"text":"a"}{"text":"b"}`, "bad-request"},
		"not a member":  {"post", `{"text":"a"}`, "not-member"},
		"8 MB and more": {"post", `{"text":"` + strings.Repeat("a", maxBody) + `"}`, "request-too-long"},
		"no name":       {"found", `{"office":"Kanzlei","person":"  "}`, "name-empty"},
		"reversed name": {"found", `{"office":"Kanzlei","person":"Chef\u202e"}`, "name-direction"},
		"long name":     {"found", `{"office":"` + strings.Repeat("K", 61) + `","person":"Ann"}`, "name-long"},
		"nobody here":   {"join", `{"person":"Ann"}`, "no-door"},
		"no invite":     {"invite/type", `{"number":"123456"}`, "invite-closed"},
		"may not":       {"invite/open", `{}`, "not-member"},
	} {
		t.Run(name, func(t *testing.T) {
			res := request(t, "POST", url+"/api/"+tt.call, tt.body, func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) })
			var e Error
			if err := json.NewDecoder(res.Body).Decode(&e); err != nil || e.Code != tt.want || res.StatusCode == 200 || strings.HasPrefix(e.Code, "name-") && e.Field == "" {
				t.Errorf("%s %+v (%v), want %s", res.Status, e, err, tt.want)
			}
		})
	}
}

func TestNamesWithEmoji(t *testing.T) {
	_, url, token := newServer(t)
	body, _ := json.Marshal(Found{Office: "Praxis 🌿", Person: "Anke 👩‍⚖️ Petersen", Device: "PC"})
	res := request(t, "POST", url+"/api/found", string(body), func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) })
	var st Status
	if err := json.NewDecoder(res.Body).Decode(&st); err != nil || st.Office != "Praxis 🌿" || st.Person.Name != "Anke 👩‍⚖️ Petersen" {
		t.Errorf("%s: %+v (%v)", res.Status, st, err)
	}
}

// TestPhrases holds every problem and notice in the code to a sentence in both
// languages that takes the same values.
func TestPhrases(t *testing.T) {
	codes := map[string]bool{}
	for _, dir := range []string{"..", "."} {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if !strings.HasSuffix(f, "_test.go") {
				findCodes(t, f, codes)
			}
		}
	}
	if len(codes) < 30 {
		t.Fatalf("found only %d codes", len(codes))
	}
	all := maps.Clone(phrases)
	for code, p := range accessPhrases {
		if _, twice := all[code]; twice {
			t.Errorf("%s is there twice", code)
		}
		all[code] = p
	}
	for _, more := range []map[string]phrase{filePhrases, documentPhrases, webPhrases, stickPhrases} {
		for code, p := range more {
			if _, twice := all[code]; twice {
				t.Errorf("%s is there twice", code)
			}
			all[code] = p
		}
	}
	for code := range codes {
		if _, ok := all[code]; !ok {
			t.Errorf("no sentence for %q", code)
		}
	}
	for code, p := range all {
		if strings.Count(p.de, "%") != strings.Count(p.en, "%") || strings.Count(p.nextDE, "%") != strings.Count(p.nextEN, "%") {
			t.Errorf("%s takes other values in German than in English", code)
		}
		if p.de == "" || p.en == "" || (p.nextDE == "") != (p.nextEN == "") {
			t.Errorf("%s is not translated", code)
		}
	}
}

func findCodes(t *testing.T, path string, codes map[string]bool) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	add := func(e ast.Expr) {
		if l, ok := e.(*ast.BasicLit); ok && l.Kind == token.STRING {
			s, _ := strconv.Unquote(l.Value)
			codes[s] = true
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			name := ""
			switch f := n.Fun.(type) {
			case *ast.Ident:
				name = f.Name
			case *ast.SelectorExpr:
				name = f.Sel.Name
			}
			if (name == "problem" || name == "because" || name == "note") && len(n.Args) > 0 {
				add(n.Args[0])
			}
		case *ast.CompositeLit:
			for _, el := range n.Elts {
				if kv, ok := el.(*ast.KeyValueExpr); ok {
					if k, ok := kv.Key.(*ast.Ident); ok && k.Name == "Code" {
						add(kv.Value)
					}
				}
			}
		}
		return true
	})
}

func TestInitials(t *testing.T) {
	for name, want := range map[string]string{"Anke Petersen": "AP", "emre": "E", "Ann-Kathrin von Hof": "AH", "Yıldız Örs": "YÖ", "": "?", "  ": "?"} {
		if got := initials(name); got != want {
			t.Errorf("initials(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestHosts(t *testing.T) {
	got := hosts([]string{"[fe80::1%eth0]:21960", "[fd00::7]:21960", "192.168.1.7:21960", "127.0.0.1:21960", "169.254.3.4:4001", "nonsense"})
	want := []string{"192.168.1.7", "169.254.3.4:4001", "[fd00::7]:21960"}
	if !slices.Equal(got, want) {
		t.Errorf("hosts = %q, want %q", got, want)
	}
}

func TestClockOff(t *testing.T) {
	const day = 24 * 3600_000
	now := oldest + 1000*day
	for name, tt := range map[string]struct {
		at, placed int64
		want       bool
	}{
		"just now":                           {now, now, false},
		"last week":                          {now - 7*day, now - 7*day, false},
		"1970":                               {0, now, true},
		"ten years ahead":                    {now + 3650*day, now + 3650*day, true},
		"a year behind what it answers":      {now - 365*day, now - day, true},
		"answers someone ten years ahead":    {now, now + 3650*day, false},
		"last week, after someone far ahead": {now - 7*day, now + 3650*day, false},
		"an hour behind what it answers":     {now - day/24, now, false},
	} {
		if got := clockOff(tt.at, tt.placed, now); got != tt.want {
			t.Errorf("%s: clockOff = %v", name, got)
		}
	}
}

// FuzzCall sends any bytes to any call.
func FuzzCall(f *testing.F) {
	s, _, _ := newServer(f)
	names := []string{}
	for n := range s.calls {
		names = append(names, n)
	}
	f.Add(uint8(0), []byte(`{}`))
	f.Add(uint8(3), []byte(`{"channel":"x","limit":-1}`))
	f.Fuzz(func(t *testing.T, n uint8, body []byte) {
		w := httptest.NewRecorder()
		s.Window().ServeHTTP(w, httptest.NewRequest("POST", "/api/"+names[int(n)%len(names)], bytes.NewReader(body)))
		if w.Code == http.StatusInternalServerError || !json.Valid(w.Body.Bytes()) {
			t.Errorf("%s %q: %d %s", names[int(n)%len(names)], body, w.Code, w.Body)
		}
	})
}
