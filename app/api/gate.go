package api

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net"
	"net/http"
	"strings"
	"sync"

	"inselnetz/app"
)

// A gate lets in who proves to sit at this computer: the page by a session that
// began with a one-time address, the command line by a token from a file only
// this user can read.
//
// Any web page in the same browser can send requests to a loopback port, and a
// name that resolves to 127.0.0.1 makes them same-origin for the browser
// (DNS rebinding). So Host must be exactly ours, a page's POST must carry our
// Origin, and the cookie is never enough without it.
type gate struct {
	hosts  []string // exact Host values
	cookie string   // its name; cookies do not tell ports apart
	bearer [sha256.Size]byte

	mu       sync.Mutex
	once     map[[sha256.Size]byte]struct{} // one-time tokens not used yet
	sessions map[[sha256.Size]byte]struct{}
}

// maxTokens bounds unused addresses and sessions; the oldest need not be known,
// any goes: a person opens a new one.
const maxTokens = 64

// Loopback returns the handler for a listener on the loopback interface and the
// token for the command line.
func (s *Server) Loopback(addr net.Addr) (h http.Handler, token string) {
	_, port, _ := net.SplitHostPort(addr.String()) // a TCP address always splits
	token = secret()
	s.gate = &gate{
		hosts:    []string{"127.0.0.1:" + port, "localhost:" + port},
		cookie:   "inselnetz-" + port,
		bearer:   sha256.Sum256([]byte(token)),
		once:     map[[sha256.Size]byte]struct{}{},
		sessions: map[[sha256.Size]byte]struct{}{},
	}
	mux := http.NewServeMux()
	mux.Handle("GET /api/events", s.gate.closed(s, http.HandlerFunc(s.events)))
	mux.Handle("GET /api/desktop/events", s.gate.closed(s, http.HandlerFunc(s.windowEvents)))
	mux.Handle("GET /api/files/content", s.gate.closed(s, http.HandlerFunc(s.download)))
	mux.Handle("PUT /api/files/content", s.gate.closed(s, http.HandlerFunc(s.upload)))
	mux.Handle("GET /api/stick/content", s.gate.closed(s, http.HandlerFunc(s.stickOut)))
	mux.Handle("PUT /api/stick/content", s.gate.closed(s, http.HandlerFunc(s.stickIn)))
	mux.Handle("/api/", s.gate.closed(s, http.HandlerFunc(s.serve)))
	mux.Handle("GET /inselnetz.crt", http.HandlerFunc(s.web.crt))
	mux.Handle("GET /start", http.HandlerFunc(s.gate.start))
	mux.Handle("/", s.files())
	return secured(s.gate.rightHost(mux)), token
}

// PageAddress returns an address that opens the page once.
func (s *Server) PageAddress() string {
	if s.gate == nil {
		return ""
	}
	token := secret()
	s.gate.mu.Lock()
	defer s.gate.mu.Unlock()
	remember(s.gate.once, token)
	return "http://" + s.gate.hosts[0] + "/start?token=" + token
}

func secret() string {
	var b [24]byte
	_, _ = rand.Read(b[:]) // never fails since Go 1.24
	return hex.EncodeToString(b[:])
}

func remember(set map[[sha256.Size]byte]struct{}, token string) {
	for old := range set {
		if len(set) < maxTokens {
			break
		}
		delete(set, old)
	}
	set[sha256.Sum256([]byte(token))] = struct{}{}
}

func (g *gate) rightHost(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, host := range g.hosts {
			if r.Host == host {
				h.ServeHTTP(w, r)
				return
			}
		}
		http.Error(w, "This address is for this computer only.", http.StatusMisdirectedRequest)
	})
}

// start turns a one-time token into a session.
func (g *gate) start(w http.ResponseWriter, r *http.Request) {
	sum := sha256.Sum256([]byte(r.URL.Query().Get("token")))
	g.mu.Lock()
	_, ok := g.once[sum]
	delete(g.once, sum)
	session := ""
	if ok {
		session = secret()
		remember(g.sessions, session)
	}
	g.mu.Unlock()
	w.Header().Set("Cache-Control", "no-store")
	if ok {
		http.SetCookie(w, &http.Cookie{Name: g.cookie, Value: session, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode})
	}
	// A used or wrong token leads to the page as well, which says what to do.
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// closed lets only the page and the command line through.
func (g *gate) closed(s *Server, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !g.admits(r) {
			s.fail(w, languageOf(r), http.StatusUnauthorized, &app.Problem{Code: "no-session"})
			return
		}
		h.ServeHTTP(w, r)
	})
}

func (g *gate) admits(r *http.Request) bool {
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		sum := sha256.Sum256([]byte(token))
		return subtle.ConstantTimeCompare(sum[:], g.bearer[:]) == 1 && r.Header.Get("Origin") == ""
	}
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" {
		return false
	}
	origin := r.Header.Get("Origin")
	if origin == "" && r.Method != http.MethodGet || origin != "" && origin != "http://"+r.Host {
		return false
	}
	c, err := r.Cookie(g.cookie)
	if err != nil {
		return false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	_, ok := g.sessions[sha256.Sum256([]byte(c.Value))]
	return ok
}
