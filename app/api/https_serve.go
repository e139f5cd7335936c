package api

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"inselnetz/app"
	"inselnetz/app/webcert"
)

// maxClaim bounds the one request that needs no session.
const maxClaim = 4 << 10

// cookieLife is the longest browsers keep a cookie (RFC 6265bis, 5.6.1). The
// session ends earlier when it is not used.
const cookieLife = 400 * 24 * time.Hour

// handler is the page over HTTPS.
func (w *web) handler() http.Handler {
	s := w.s
	mux := http.NewServeMux()
	mux.Handle("GET /api/events", w.closed(http.HandlerFunc(s.events)))
	mux.Handle("GET /api/files/content", w.closed(http.HandlerFunc(s.download)))
	mux.Handle("PUT /api/files/content", w.closed(http.HandlerFunc(s.upload)))
	mux.Handle("POST /api/web/claim", http.HandlerFunc(w.claim))
	mux.Handle("/api/", w.closed(http.HandlerFunc(w.calls)))
	mux.Handle("GET /inselnetz.crt", http.HandlerFunc(w.crt))
	mux.Handle("GET /inselnetz.mobileconfig", http.HandlerFunc(w.profile))
	mux.Handle("GET /welcome", http.HandlerFunc(w.welcome))
	mux.Handle("GET /welcome.css", http.HandlerFunc(welcomeStyle))
	mux.Handle("/", w.again(s.packed()))
	return paced(w.rightHost(w.strict(secured(mux))))
}

// plainHandler is what is served without encryption: words and certificates that
// anybody may read. It has no cookie, and knows no session.
func (w *web) plainHandler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", http.HandlerFunc(w.welcome))
	mux.Handle("GET /welcome.css", http.HandlerFunc(welcomeStyle))
	mux.Handle("GET /inselnetz.crt", http.HandlerFunc(w.crt))
	mux.Handle("GET /inselnetz.mobileconfig", http.HandlerFunc(w.profile))
	mux.Handle("GET /handbook/", w.s.files())
	mux.Handle("GET /logo.svg", w.s.files())
	return paced(w.rightHost(secured(mux)))
}

// rightHost refuses names that are not this device's. Before there is an office,
// only the welcome page is there to be reached.
func (w *web) rightHost(h http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		none := w.names == nil
		w.mu.Unlock()
		if !none && !w.ours(r.Host) || none && r.TLS != nil {
			http.Error(rw, "This device does not go by that name.", http.StatusMisdirectedRequest)
			return
		}
		h.ServeHTTP(rw, r)
	})
}

// strict has browsers keep to HTTPS where they trust the certificate anyway, on
// the usual port only: the rule is for the whole host, and a NAS has other pages.
func (w *web) strict(h http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		strict := w.https == "443" && w.company.Speaks(hostOf(r.Host), w.s.ws.Now())
		w.mu.Unlock()
		if strict {
			rw.Header().Set("Strict-Transport-Security", "max-age=2592000")
		}
		h.ServeHTTP(rw, r)
	})
}

// cookie's name tells nodes on one host apart: cookies know no ports. The prefix
// holds browsers to Secure, this host and the whole path.
func (w *web) cookie() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.authority == nil {
		return "__Host-inselnetz"
	}
	return "__Host-inselnetz-" + strings.ReplaceAll(webcert.Fingerprint(w.authority.Cert), ":", "")[:8]
}

func (w *web) setCookie(rw http.ResponseWriter, secret string) {
	http.SetCookie(rw, &http.Cookie{
		Name: w.cookie(), Value: secret, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteStrictMode, MaxAge: int(cookieLife.Seconds()),
	})
}

// session returns the session a request comes by; nil: by none.
func (w *web) session(r *http.Request) (*session, string) {
	c, err := r.Cookie(w.cookie())
	if err != nil || len(c.Value) != 48 {
		return nil, ""
	}
	return w.sessions.find(c.Value, addrOf(r.RemoteAddr), w.s.ws.Now()), c.Value
}

// sameOrigin refuses requests that another site's page makes.
func sameOrigin(r *http.Request) bool {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" {
		return false
	}
	origin := r.Header.Get("Origin")
	return origin == "https://"+r.Host || origin == "" && r.Method == http.MethodGet
}

// closed lets paired browsers through, as long as their session lasts.
func (w *web) closed(h http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		var one *session
		if sameOrigin(r) {
			one, _ = w.session(r)
		}
		if one == nil {
			w.s.fail(rw, languageOf(r), http.StatusUnauthorized, &app.Problem{Code: "web-no-session"})
			return
		}
		ctx, stop := one.within(r.Context())
		defer stop()
		h.ServeHTTP(rw, r.WithContext(ctx))
	})
}

// again gives a paired browser that opens the page its cookie anew, so that it
// does not end while it is used.
func (w *web) again(h http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			if one, secret := w.session(r); one != nil {
				w.setCookie(rw, secret)
			}
		}
		h.ServeHTTP(rw, r)
	})
}

// calls answers what paired browsers may call.
func (w *web) calls(rw http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, "/api/")
	if _, known := w.s.calls[name]; known && !fromPhones[name] {
		w.s.fail(rw, languageOf(r), http.StatusForbidden, &app.Problem{Code: "here-only"})
		return
	}
	w.s.serve(rw, r)
}

// claim turns a code into a session.
func (w *web) claim(rw http.ResponseWriter, r *http.Request) {
	lang := languageOf(r)
	if !sameOrigin(r) {
		w.s.fail(rw, lang, http.StatusForbidden, &app.Problem{Code: "web-no-session"})
		return
	}
	raw, err := io.ReadAll(http.MaxBytesReader(rw, r.Body, maxClaim))
	if err != nil {
		var tooBig *http.MaxBytesError
		if errors.As(err, &tooBig) {
			w.s.fail(rw, lang, http.StatusRequestEntityTooLarge, &app.Problem{Code: "bad-request", Args: []any{"too long"}})
		}
		return // else the caller hung up
	}
	res, secret, err := w.take(raw, addrOf(r.RemoteAddr))
	if err != nil {
		status := http.StatusBadRequest
		var p *app.Problem
		if errors.As(err, &p) && p.Code == "web-pair-slow" {
			status = http.StatusTooManyRequests
		}
		w.s.fail(rw, lang, status, err)
		return
	}
	w.setCookie(rw, secret)
	writeJSON(rw, http.StatusOK, res)
}

func (w *web) take(raw []byte, from netip.Addr) (WebHere, string, error) {
	var req WebClaim
	if err := json.Unmarshal(raw, &req); err != nil {
		return WebHere{}, "", &app.Problem{Code: "bad-request", Args: []any{err.Error()}, Err: err}
	}
	name, err := app.CleanName("name", req.Name) // before the code is used up
	if err != nil {
		return WebHere{}, "", err
	}
	now := w.s.ws.Now()
	if err := w.pairing.take(req.Code, from, now); err != nil {
		return WebHere{}, "", err
	}
	secret, one, err := w.sessions.begin(name, from, now)
	if err != nil {
		return WebHere{}, "", err
	}
	w.s.log.Info("a browser was paired", "session", one.ID)
	w.changed()
	return w.here(one), secret, nil
}

// here says who a session acts as.
func (w *web) here(one *session) WebHere {
	i := w.s.ws.Info()
	out := WebHere{Device: i.Device}
	if one != nil {
		out.Paired, out.Name = true, one.Name
	}
	people, _ := w.s.ws.People()
	for _, p := range people {
		if p.ID == i.Person {
			out.Person = showPerson(p).Name
		}
	}
	return out
}
