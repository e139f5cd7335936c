package api

import (
	"context"
	"io"
	"net/http"
	"net/url"

	"inselnetz/app"
	"inselnetz/crdt/log"
	"inselnetz/crdt/store"
)

// stickAsk reads for whom a file is to be.
func stickAsk(req StickAsk) (app.ExportAsk, error) {
	ask := app.ExportAsk{Whole: req.Whole}
	if req.For == "" {
		return ask, nil
	}
	dev, err := log.ParseDeviceID(req.For)
	if err != nil {
		return ask, &app.Problem{Code: "no-such-person", Err: err}
	}
	ask.For = dev
	return ask, nil
}

func (s *Server) stick(ctx context.Context, _ language, req StickAsk) (Stick, error) {
	ask, err := stickAsk(req)
	if err != nil {
		return Stick{}, err
	}
	x := s.ws.Exchange()
	if x.Going != "" { // asked often then, and counting takes its time
		return Stick{Going: x.Going, Done: int(x.Done), All: int(x.All)}, nil
	}
	size, err := s.ws.ExportSize(ctx, ask)
	return Stick{Size: showSize(size), Name: s.stickName(), Last: x.Last}, err
}

// stickName says nothing of the office: a stick gets lost.
func (s *Server) stickName() string { return s.ws.Now().Format("Inselnetz 2006-01-02 15-04.inselnetz") }

func (s *Server) stickStop(context.Context, language, Empty) (Empty, error) {
	s.ws.StopExchange()
	return Empty{}, nil
}

func showSize(z store.Span) StickSize {
	return StickSize{Entries: int(z.Entries), Bytes: int(z.Bytes), Messages: z.Messages, Files: z.Files, Documents: z.Documents}
}

// stickOut answers GET /api/stick/content with a file. One that ends early breaks
// the connection, so that nobody takes it for whole.
func (s *Server) stickOut(w http.ResponseWriter, r *http.Request) {
	lang := languageOf(r)
	q := r.URL.Query()
	ask, err := stickAsk(StickAsk{For: q.Get("for"), Whole: q.Get("whole") != ""})
	if err != nil {
		s.fail(w, lang, http.StatusBadRequest, err)
		return
	}
	head := w.Header()
	head.Set("Content-Type", "application/octet-stream")
	head.Set("Content-Disposition", "attachment; filename*=UTF-8''"+url.PathEscape(s.stickName()))
	head.Set("Cache-Control", "no-store")
	out := &begun{w: w}
	switch err := s.ws.Export(r.Context(), ask, out); {
	case err == nil:
	case out.some:
		if r.Context().Err() == nil {
			s.log.Warn("file for a stick broke off", "err", err)
		}
		panic(http.ErrAbortHandler)
	default:
		head.Del("Content-Disposition")
		s.fail(w, lang, http.StatusBadRequest, err)
	}
}

// begun knows whether anything was written.
type begun struct {
	w    http.ResponseWriter
	some bool
}

func (b *begun) Write(p []byte) (int, error) {
	b.some = true
	return b.w.Write(p)
}

// stickIn answers PUT /api/stick/content, which brings a file.
func (s *Server) stickIn(w http.ResponseWriter, r *http.Request) {
	lang := languageOf(r)
	got, err := s.ws.Import(r.Context(), r.Body)
	_, _ = io.Copy(io.Discard, r.Body) // some browsers hear no answer before they have sent all
	if err != nil {
		if r.Context().Err() == nil {
			s.fail(w, lang, http.StatusBadRequest, err)
		}
		return
	}
	out := StickBrought{
		By: got.By.Name, Device: got.By.Device, At: got.At, For: got.For, New: showSize(got.New), Known: int(got.Known), Closed: got.Closed,
		Refused: []StickRefused{}, Error: lang.problem(got.Why),
	}
	for _, f := range got.Refused {
		e := lang.error(&app.Problem{Code: "stick-refused-" + f.Why, Args: []any{int(f.Entries), f.Device}})
		out.Refused = append(out.Refused, StickRefused{Code: f.Why, Entries: int(f.Entries), Sentence: e.Sentence, Next: e.Next})
	}
	writeJSON(w, http.StatusOK, out)
}
