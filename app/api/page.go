package api

import (
	"bytes"
	"compress/gzip"
	"io"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"
)

// files serves the built page with a policy that lets nothing in from outside.
func (s *Server) files() http.Handler {
	if s.page == nil {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = io.WriteString(w, "The page is not built into this program. Build it with: make build\n")
		})
	}
	fileServer := http.FileServerFS(s.page)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			http.Error(w, "GET only", http.StatusMethodNotAllowed)
			return
		}
		describe(w.Header(), r.URL.Path)
		fileServer.ServeHTTP(w, r)
	})
}

// packed serves the built page compressed where the browser takes that: over Wi-Fi
// a phone waits for bytes, on this computer nobody does.
func (s *Server) packed() http.Handler {
	plain := s.files()
	var mu sync.Mutex
	made := map[string][]byte{} // by name; the page has some hundred files
	pack := func(name string) []byte {
		mu.Lock()
		defer mu.Unlock()
		if b, ok := made[name]; ok {
			return b
		}
		raw, err := fs.ReadFile(s.page, name)
		if err != nil {
			return nil // files says so
		}
		var out bytes.Buffer
		z := gzip.NewWriter(&out)
		_, _ = z.Write(raw) // a buffer takes everything
		_ = z.Close()
		made[name] = out.Bytes()
		return out.Bytes()
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(path.Clean(r.URL.Path), "/")
		if s.page == nil || r.Method != http.MethodGet || r.Header.Get("Range") != "" ||
			!slices.Contains([]string{".js", ".css", ".svg", ".html"}, path.Ext(name)) || !takesGzip(r) {
			plain.ServeHTTP(w, r)
			return
		}
		body := pack(name)
		if body == nil {
			plain.ServeHTTP(w, r)
			return
		}
		head := w.Header()
		describe(head, r.URL.Path)
		head.Set("Content-Encoding", "gzip")
		head.Add("Vary", "Accept-Encoding")
		_, _ = w.Write(body) // the browser may have hung up
	})
}

// takesGzip reads Accept-Encoding as RFC 9110 §12.5.3 has it: named, and not with
// the weight 0.
func takesGzip(r *http.Request) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		coding, weight, _ := strings.Cut(strings.ReplaceAll(part, " ", ""), ";")
		if strings.EqualFold(coding, "gzip") {
			return strings.Trim(weight, "q=0.") != "" || weight == ""
		}
	}
	return false
}

// types of the page's files. Windows lets any program register others for these
// endings, and a browser refuses a script that is called text.
var types = map[string]string{
	".js":    "text/javascript; charset=utf-8",
	".css":   "text/css; charset=utf-8",
	".html":  "text/html; charset=utf-8",
	".svg":   "image/svg+xml",
	".woff2": "font/woff2",
	".png":   "image/png",
}

// describe says what a file of the page is and how long a browser may keep it.
func describe(head http.Header, name string) {
	if t, ok := types[path.Ext(name)]; ok {
		head.Set("Content-Type", t)
	}
	if strings.HasPrefix(name, "/assets/") { // named by their content
		head.Set("Cache-Control", "public, max-age=31536000, immutable")
		return
	}
	head.Set("Cache-Control", "no-cache")
}
