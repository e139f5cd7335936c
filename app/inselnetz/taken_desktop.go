//go:build desktop

package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"

	"github.com/wailsapp/wails/v2/pkg/runtime"

	"inselnetz/app/api"
	"inselnetz/app/desktop"
)

// taken are files of this computer that the person chose or dropped: the page
// gets their names and sends them by a token. A webview would not pass them on
// (WebKitGTK sends an empty body for a file), and the page must not name paths.
type taken struct {
	desktop.Taken
	a   *attachment
	ask func(what string) ([]string, error) // the dialog: paths of "files" or one "directory"; none: never mind
}

// Dropped is what was dropped, and where in the page.
type Dropped struct {
	desktop.Brought
	X int `json:"x"`
	Y int `json:"y"`
}

// choose answers POST /window/choose?what=files or directory with a Brought.
func (t *taken) choose(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		http.Error(w, "POST only", http.StatusMethodNotAllowed)
		return
	}
	var got desktop.Brought
	chosen, err := t.ask(r.URL.Query().Get("what"))
	if err == nil {
		got, err = t.Take(chosen)
	}
	if err != nil {
		t.fail(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_ = json.NewEncoder(w).Encode(got) // the page may be gone
}

// send answers POST /window/send?token=TOKEN&to=PATH: it puts the file where the
// API takes contents, and passes the answer on.
func (t *taken) send(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	to, err := url.Parse(q.Get("to"))
	if r.Method != http.MethodPost || err != nil || to.IsAbs() || to.Host != "" || !contentPaths[to.Path] {
		http.Error(w, "POST to a content only", http.StatusBadRequest)
		return
	}
	f, info, err := t.Open(q.Get("token"))
	if err != nil {
		t.fail(w, err)
		return
	}
	defer f.Close()
	res, err := t.a.put(r.Context(), to.RequestURI(), f, info.Size(), r.Header.Get("X-Inselnetz-Language"))
	if err != nil {
		w.WriteHeader(http.StatusBadGateway) // the page knows how to say that nobody answers
		return
	}
	defer res.Body.Close()
	w.Header().Set("Content-Type", res.Header.Get("Content-Type"))
	w.WriteHeader(res.StatusCode)
	_, _ = io.Copy(w, res.Body) // the page may be gone
}

// file answers GET /window/file?token=TOKEN with the content, for what the page
// reads itself.
func (t *taken) file(w http.ResponseWriter, r *http.Request) {
	f, info, err := t.Open(r.URL.Query().Get("token"))
	if err != nil {
		t.fail(w, err)
		return
	}
	defer f.Close()
	w.Header().Set("Content-Type", "application/octet-stream")
	http.ServeContent(w, r, "", info.ModTime(), f)
}

func (t *taken) fail(w http.ResponseWriter, err error) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(http.StatusBadRequest)
	_ = json.NewEncoder(w).Encode(t.wrong(err)) // the page may be gone
}

func (t *taken) wrong(err error) api.Error {
	lang := t.a.e
	return api.Error{Code: "not-read",
		Sentence: lang.pick("Diese Dateien konnten nicht gelesen werden.", "These files could not be read."),
		Next:     lang.pick("Grund: ", "Reason: ") + reason(err)}
}

// contentPaths are where the API takes and gives contents of files.
var contentPaths = map[string]bool{"/api/files/content": true, "/api/stick/content": true}

// put sends a content of a size to the node.
func (a *attachment) put(ctx context.Context, uri string, body io.Reader, size int64, lang string) (*http.Response, error) {
	c, err := a.client()
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPut, "http://"+c.Addr+uri, body)
	if err != nil {
		return nil, err
	}
	r.ContentLength = size
	if size == 0 {
		r.Body = http.NoBody
	}
	r.Header.Set("Authorization", "Bearer "+c.Token)
	r.Header.Set("X-Inselnetz-Language", lang)
	return http.DefaultClient.Do(r)
}

// askFiles opens the system's dialog.
func (w *window) askFiles(what string) ([]string, error) {
	w.mu.Lock()
	lib := w.ctx
	w.mu.Unlock()
	o := runtime.OpenDialogOptions{Title: w.e.pick("Hinzufügen", "Add")}
	if what != "directory" {
		return runtime.OpenMultipleFilesDialog(lib, o)
	}
	dir, err := runtime.OpenDirectoryDialog(lib, o)
	if err != nil || dir == "" {
		return nil, err
	}
	return []string{dir}, nil
}

// watchDrops tells the page what is dropped on the window, where the webview
// itself gives it no files.
func (w *window) watchDrops(lib context.Context) {
	runtime.OnFileDrop(lib, func(x, y int, paths []string) {
		brought, err := w.taken.Take(paths)
		if err != nil {
			runtime.EventsEmit(lib, "undropped", w.taken.wrong(err))
			return
		}
		if len(brought.Files)+len(brought.Empty) == 0 {
			return // something that is no file
		}
		w.mu.Lock()
		zoom := w.place.Zoom
		w.mu.Unlock()
		got := Dropped{brought, x, y}
		if pageZooms && zoom > 0 {
			got.X, got.Y = int(float64(x)/zoom), int(float64(y)/zoom)
		}
		runtime.EventsEmit(lib, "dropped", got)
	})
}
