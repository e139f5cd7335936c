package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"strings"
	"unicode/utf8"

	"inselnetz/app"
)

// maxBody bounds a request. It is well above the longest message, so that a too
// long message is told its own limit and not this one.
const maxBody = 8 << 20

// maxImport bounds a request that carries a file in base64.
const maxImport = app.MaxImport/3*4 + 64<<10

// A Server answers the calls of one workspace. It is an http.Handler factory:
// Loopback for the page and the command line, Window for the desktop window.
type Server struct {
	ws    *app.Workspace
	log   *slog.Logger
	calls map[string]call
	hub   hub
	gate  *gate
	page  fs.FS // nil: the page is not built
	open  func(path string) error
	web   *web

	resident *Resident // nil: this node is no desktop program
	desk     desk
}

// Options tunes a Server.
type Options struct {
	Log  *slog.Logger
	Page fs.FS                   // the built page; nil when it is not built
	Open func(path string) error // opens a file with this computer's program for it; nil: there is none
	// Resident is the desktop program around the node; nil: there is none.
	Resident *Resident
}

// call answers one named call: the request's bytes in, the result out.
type call func(ctx context.Context, lang language, body []byte) (any, error)

// New returns the API of a workspace.
func New(ws *app.Workspace, opts Options) *Server {
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	s := &Server{ws: ws, log: opts.Log, page: opts.Page, open: opts.Open, resident: opts.Resident}
	s.web = newWeb(s)
	s.calls = s.webCalls(s.table())
	return s
}

// Run passes the workspace's changes on to listeners until ctx ends.
func (s *Server) Run(ctx context.Context) error {
	changes, stop := s.ws.Subscribe()
	defer stop()
	served := make(chan struct{})
	go func() {
		defer close(served)
		s.web.run(ctx)
	}()
	defer func() { <-served }()
	return s.hub.run(ctx, changes)
}

// handle makes a typed function a call. Bytes that are not text and fields that
// are not known are refused, so that nothing is quietly dropped.
func handle[Req, Res any](f func(ctx context.Context, lang language, req Req) (Res, error)) call {
	return func(ctx context.Context, lang language, body []byte) (any, error) {
		var req Req
		if !utf8.Valid(body) {
			return nil, &app.Problem{Code: "not-text"}
		}
		if len(strings.TrimSpace(string(body))) > 0 {
			d := json.NewDecoder(strings.NewReader(string(body)))
			d.DisallowUnknownFields()
			if err := d.Decode(&req); err != nil {
				return nil, &app.Problem{Code: "bad-request", Err: err, Args: []any{err.Error()}}
			}
			if _, err := d.Token(); !errors.Is(err, io.EOF) {
				return nil, &app.Problem{Code: "bad-request", Args: []any{"data after the request"}}
			}
		}
		return f(ctx, lang, req)
	}
}

// serve answers POST /api/NAME.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	lang := languageOf(r)
	name := strings.TrimPrefix(r.URL.Path, "/api/")
	c, ok := s.calls[name]
	switch {
	case !ok:
		s.fail(w, lang, http.StatusNotFound, &app.Problem{Code: "no-such-call", Args: []any{name}})
		return
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", http.MethodPost)
		s.fail(w, lang, http.StatusMethodNotAllowed, &app.Problem{Code: "bad-request", Args: []any{"POST"}})
		return
	}
	most := int64(maxBody)
	if name == "document/import" {
		most = maxImport
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, most))
	if err != nil {
		var tooBig *http.MaxBytesError
		if errors.As(err, &tooBig) {
			s.fail(w, lang, http.StatusRequestEntityTooLarge, &app.Problem{Code: "request-too-long", Args: []any{most >> 20}})
		}
		return // else the caller hung up
	}
	s.log.Debug("call", "name", name)
	res, err := c(r.Context(), lang, body)
	if err != nil {
		s.fail(w, lang, http.StatusBadRequest, err)
		return
	}
	writeJSON(w, http.StatusOK, res)
}

func (s *Server) fail(w http.ResponseWriter, lang language, status int, err error) {
	var p *app.Problem
	if !errors.As(err, &p) {
		s.log.Warn("call failed", "err", err)
		status = http.StatusInternalServerError
	}
	writeJSON(w, status, lang.error(err))
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	b, err := json.Marshal(v)
	if err != nil {
		status, b = http.StatusInternalServerError, fmt.Appendf(nil, `{"code":"internal","sentence":%q,"next":""}`, err.Error())
	}
	w.WriteHeader(status)
	_, _ = w.Write(b) // the caller may have hung up
}

// policy is the content security policy: nothing inline, nothing from outside.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; " +
	"font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

func secured(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		head := w.Header()
		head.Set("Content-Security-Policy", policy)
		head.Set("X-Content-Type-Options", "nosniff")
		head.Set("Referrer-Policy", "no-referrer")
		head.Set("Cross-Origin-Opener-Policy", "same-origin")
		head.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.ServeHTTP(w, r)
	})
}

// Window is the handler for the desktop window, which alone can reach it: no
// port, no session.
func (s *Server) Window() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /api/files/content", http.HandlerFunc(s.download))
	mux.Handle("PUT /api/files/content", http.HandlerFunc(s.upload))
	mux.Handle("GET /api/stick/content", http.HandlerFunc(s.stickOut))
	mux.Handle("PUT /api/stick/content", http.HandlerFunc(s.stickIn))
	mux.Handle("/api/", http.HandlerFunc(s.serve))
	mux.Handle("/", s.files())
	return secured(mux)
}
