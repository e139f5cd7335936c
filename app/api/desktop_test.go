package api

import (
	"bufio"
	"io"
	"net/http"
	"strings"
	"testing"
)

// TestDesk: what a node without a desktop program around it says to windows and
// second starts.
func TestDesk(t *testing.T) {
	s, url, token := newServer(t)
	bearer := func(r *http.Request) {
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("X-Inselnetz-Language", "en")
	}
	call := func(name, body, want string) {
		t.Helper()
		res := request(t, "POST", url+"/api/"+name, body, bearer)
		raw, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(raw), want) {
			t.Errorf("%s %s: %s, want %s", name, body, raw, want)
		}
	}
	call("desktop", `{}`, `"resident":false,"window":false`)
	call("desktop/set", `{}`, `"code":"bad-request"`)
	call("desktop/quit", `{}`, `"code":"not-desktop"`)
	call("desktop/focus", `{"focused":true}`, `{}`)
	if s.Focused() {
		t.Error("focused without a window")
	}
	call("desktop/show", `{"link":"inselnetz:join?nonsense"}`, `{"shown":false}`)
	call("desktop/wanted", `{}`, `"code":"bad-link"`)
	call("desktop/wanted", `{}`, `"error":null`) // told once
	call("desktop/show", `{"link":"`+strings.Repeat("x", maxWanted+1)+`"}`, `"code":"bad-link"`)

	window := request(t, "GET", url+"/api/desktop/events", "", bearer)
	lines := bufio.NewScanner(window.Body)
	if !lines.Scan() || lines.Text() != "retry: 1000" {
		t.Fatalf("the stream begins with %q", lines.Text())
	}
	call("desktop", `{}`, `"window":true`)
	call("desktop/focus", `{"focused":true}`, `{}`)
	if !s.Focused() {
		t.Error("not focused")
	}
	call("desktop/show", `{"channel":"main"}`, `{"shown":true}`)
	for lines.Scan() && !strings.Contains(lines.Text(), `"what":"show"`) {
		continue
	}
	if lines.Err() != nil {
		t.Fatal(lines.Err())
	}
	call("desktop/wanted", `{}`, `"channel":"main"`)

	asked := 0
	s.resident = &Resident{Show: func() { asked++ }, Quit: func() { asked += 10 }, State: func() Desktop { return Desktop{Notify: "all"} }}
	if err := window.Body.Close(); err != nil {
		t.Fatal(err)
	}
	for s.Windows() > 0 { // the server notices the end by itself
		request(t, "POST", url+"/api/status", `{}`, bearer)
	}
	if s.Focused() {
		t.Error("focused after the window is gone")
	}
	call("desktop/show", `{}`, `{"shown":true}`)
	call("desktop/quit", `{}`, `{}`)
	call("desktop", `{}`, `"resident":true`)
	if asked != 11 {
		t.Errorf("the resident was asked %d", asked)
	}
}
