package api

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"inselnetz/app"
	"inselnetz/crdt/log"
)

// A transfer that breaks off must not become a shorter file.
func TestWhole(t *testing.T) {
	for _, tt := range []struct {
		body string
		size int64
		ok   bool
	}{{"Akte", 4, true}, {"Akt", 4, false}, {"", 0, true}, {"", 1, false}, {"Akte", -1, true}} {
		b, err := io.ReadAll(&whole{r: strings.NewReader(tt.body), left: tt.size})
		if (err == nil) != tt.ok || string(b) != tt.body {
			t.Errorf("%d bytes of %d: %q, %v", len(tt.body), tt.size, b, err)
		}
		if !tt.ok && !errors.Is(err, &app.Problem{Code: "upload-broken"}) {
			t.Errorf("%d bytes of %d: %v", len(tt.body), tt.size, err)
		}
	}
}

// A webview that sends a file as nothing must not make an empty file.
func TestUploadOfAnotherSize(t *testing.T) {
	for query, want := range map[string]string{"size=4": "upload-broken", "size=-1": "bad-request", "size=viel": "bad-request"} {
		r := httptest.NewRequest(http.MethodPut, "/api/files/content?path=Akte.txt&space="+log.SpaceID{1}.String()+"&"+query, http.NoBody)
		if _, err := (&Server{}).put(r); !errors.Is(err, &app.Problem{Code: want}) {
			t.Errorf("%s: %v, want %s", query, err, want)
		}
	}
}

func TestSentencesOfNames(t *testing.T) {
	s := german.sentence(app.FileProblem{Code: "file-name", Args: []any{"CON.txt", "CON_.txt"}, Path: "CON.txt"})
	if !strings.Contains(s.Text, "„CON.txt“") || !strings.Contains(s.Hint, "„CON_.txt“") || strings.Contains(s.Text+s.Hint, "%") {
		t.Errorf("%+v", s)
	}
}

func TestFileType(t *testing.T) {
	for name, want := range map[string]string{"Klage.DOCX": "doc", "a.b.pdf": "pdf", "Foto.jpeg": "image", "ohne": "other", ".profil": "other"} {
		if got := fileType(name); got != want {
			t.Errorf("fileType(%q) = %s, want %s", name, got, want)
		}
	}
	for name, want := range map[string]bool{"x.svg": false, "x.html": false, "x.png": true, "x.PDF": true, "x.txt": true, "x": false} {
		if kind, ok := inlineType(name); ok != want || bytes.Contains([]byte(kind), []byte("html")) {
			t.Errorf("inlineType(%q) = %q, %v", name, kind, ok)
		}
	}
}
