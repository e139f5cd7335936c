package api

import (
	"compress/gzip"
	"io"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
)

// TestPacked: a browser gets a file of the page compressed where it asks for that,
// and always under the type it is, whatever this computer thinks of its ending.
func TestPacked(t *testing.T) {
	script := strings.Repeat("export const island = 'Inselnetz';\n", 200)
	s := &Server{page: fstest.MapFS{
		"index.html":     {Data: []byte("<!doctype html><title>Inselnetz</title>")},
		"assets/a.js":    {Data: []byte(script)},
		"assets/i.woff2": {Data: []byte("font")},
	}}
	for _, c := range []struct {
		path, accept, kind string
		status             int
		packed             bool
	}{
		{"/assets/a.js", "gzip, deflate, br", "text/javascript; charset=utf-8", 200, true},
		{"/assets/a.js", "br;q=1.0, gzip;q=0.5", "text/javascript; charset=utf-8", 200, true},
		{"/assets/a.js", "gzip;q=0", "text/javascript; charset=utf-8", 200, false},
		{"/assets/a.js", "gzip; q=0.0", "text/javascript; charset=utf-8", 200, false},
		{"/assets/a.js", "", "text/javascript; charset=utf-8", 200, false},
		{"/assets/a.js", "br", "text/javascript; charset=utf-8", 200, false},
		{"/assets/i.woff2", "gzip", "font/woff2", 200, false},
		{"/", "gzip", "text/html; charset=utf-8", 200, false},
		{"/assets/none.js", "gzip", "text/plain; charset=utf-8", 404, false},
		{"/assets/../../secret.js", "gzip", "text/plain; charset=utf-8", 404, false},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.URL.Path = c.path
		if c.accept != "" {
			r.Header.Set("Accept-Encoding", c.accept)
		}
		w := httptest.NewRecorder()
		s.packed().ServeHTTP(w, r)
		packed := w.Header().Get("Content-Encoding") == "gzip"
		if w.Code != c.status || packed != c.packed || w.Header().Get("Content-Type") != c.kind {
			t.Errorf("%s for %q: %d, %v", c.path, c.accept, w.Code, w.Header())
		}
		if !packed {
			continue
		}
		if w.Body.Len() > len(script)/10 {
			t.Errorf("%s: %d bytes of %d", c.path, w.Body.Len(), len(script))
		}
		z, err := gzip.NewReader(w.Body)
		if err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(z); err != nil || string(b) != script {
			t.Errorf("%s: another file came, %v", c.path, err)
		}
	}
}
