//go:build desktop

package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"strings"

	"inselnetz/app"
	"inselnetz/app/api"
)

// saver answers POST /window/save?name=NAME[&from=PATH]: it asks the person for
// a place and writes there what is at a path of the API, or else the body. The
// answer is a Saved.
type saver struct {
	a   *attachment
	ask func(name string) (path string, err error) // the dialog; an empty path: never mind
}

// Saved is the answer.
type Saved struct {
	Path string `json:"path"` // empty: the person does not want to
}

func (s saver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		http.Error(w, "POST only", http.StatusMethodNotAllowed)
		return
	}
	q := r.URL.Query()
	path, err := s.ask(fileName(q.Get("name")))
	if err == nil && path != "" {
		err = s.save(r.Context(), path, q.Get("from"), r.Body)
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		if p := app.WriteProblem(err); p != nil {
			_ = json.NewEncoder(w).Encode(api.Phrase(s.a.e.lang, p))
			return
		}
		lang := s.a.e
		_ = json.NewEncoder(w).Encode(api.Error{Code: "save-failed", // the page may be gone
			Sentence: lang.pick("Die Datei konnte nicht gespeichert werden.", "The file could not be saved."),
			Next:     lang.pick("Wählen Sie einen anderen Ordner. Grund: ", "Choose another folder. Reason: ") + reason(err)})
		return
	}
	_ = json.NewEncoder(w).Encode(Saved{Path: path})
}

// reason is an error without the path, which the person just chose.
func reason(err error) string {
	var p *os.PathError
	if errors.As(err, &p) {
		return p.Err.Error()
	}
	return err.Error()
}

func (s saver) save(ctx context.Context, path, from string, body io.Reader) error {
	if from != "" {
		content, err := s.a.content(ctx, from)
		if err != nil {
			return err
		}
		defer content.Close()
		body = content
	}
	return writeWhole(path, body)
}

// fileName makes of any text a name that a dialog may begin with.
func fileName(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || strings.ContainsRune(`/\:*?"<>|`, r) {
			return '_'
		}
		return r
	}, strings.TrimSpace(s))
	if s = strings.TrimLeft(s, "."); s == "" {
		return "Inselnetz"
	}
	return s
}
