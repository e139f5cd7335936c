package api

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"inselnetz/app"
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
