package api

import (
	"context"
	"net/http"
	"sync"

	"inselnetz/app"
	"inselnetz/crdt/pairing"
)

// A Resident is the desktop program around a node, as far as calls reach it.
type Resident struct {
	State func() Desktop // without Resident and Window
	Set   func(DesktopSet) error
	Show  func() // opens the window if there is none
	Quit  func()
}

// A desk is what a node knows of windows that show it. Windows are processes of
// their own: they hold an event stream as long as they live.
type desk struct {
	mu      sync.Mutex
	windows int
	focused bool
	wanted  DesktopShow
}

// windowEvents is the event stream of a window.
func (s *Server) windowEvents(w http.ResponseWriter, r *http.Request) {
	s.desk.mu.Lock()
	s.desk.windows++
	s.desk.mu.Unlock()
	defer func() {
		s.desk.mu.Lock()
		defer s.desk.mu.Unlock()
		if s.desk.windows--; s.desk.windows == 0 {
			s.desk.focused = false
		}
	}()
	s.events(w, r)
}

// Focused reports whether somebody looks at a window of this node.
func (s *Server) Focused() bool {
	s.desk.mu.Lock()
	defer s.desk.mu.Unlock()
	return s.desk.focused
}

// Windows returns how many windows show this node.
func (s *Server) Windows() int {
	s.desk.mu.Lock()
	defer s.desk.mu.Unlock()
	return s.desk.windows
}

func (s *Server) desktop(context.Context, language, Empty) (Desktop, error) {
	d := Desktop{Autostart: "none", Notify: "none"}
	if s.resident != nil {
		d = s.resident.State()
		d.Resident = true
	}
	d.Window = s.Windows() > 0
	return d, nil
}

func (s *Server) desktopSet(ctx context.Context, lang language, req DesktopSet) (Desktop, error) {
	if s.resident == nil {
		return Desktop{}, &app.Problem{Code: "bad-request", Args: []any{"this node is no desktop program"}}
	}
	if err := s.resident.Set(req); err != nil {
		return Desktop{}, err
	}
	return s.desktop(ctx, lang, Empty{})
}

func (s *Server) desktopShow(_ context.Context, _ language, req DesktopShow) (DesktopShown, error) {
	if len(req.Link)+len(req.Channel) > maxWanted {
		return DesktopShown{}, &app.Problem{Code: "bad-link"}
	}
	return DesktopShown{Shown: s.Raise(req)}, nil
}

// Want has the next window show an invitation.
func (s *Server) Want(link string) {
	s.desk.mu.Lock()
	defer s.desk.mu.Unlock()
	s.desk.wanted = DesktopShow{Link: link}
}

// Raise brings a window to the front, with what is wanted if anything is. It
// reports false if there is neither a window nor who opens one.
func (s *Server) Raise(wanted DesktopShow) bool {
	s.desk.mu.Lock()
	if wanted != (DesktopShow{}) {
		s.desk.wanted = wanted
	}
	open := s.desk.windows > 0
	s.desk.mu.Unlock()
	if open {
		s.hub.tell(app.Change{What: "show"})
		return true
	}
	if s.resident != nil {
		s.resident.Show()
		return true
	}
	return false
}

// maxWanted bounds a link that anybody's web page may hand to the program, in
// bytes; ours have some 300.
const maxWanted = 4096

func (s *Server) desktopWanted(_ context.Context, lang language, _ Empty) (DesktopWanted, error) {
	s.desk.mu.Lock()
	wanted := s.desk.wanted
	s.desk.wanted = DesktopShow{}
	s.desk.mu.Unlock()
	out := DesktopWanted{Link: wanted.Link, Channel: wanted.Channel}
	if wanted.Link == "" {
		return out, nil
	}
	if _, err := pairing.ParseLink(wanted.Link); err != nil {
		out.Error = lang.error(&app.Problem{Code: "bad-link", Err: err})
	} else if s.ws.Info().Member {
		out.Error = lang.error(&app.Problem{Code: "already-member", Args: []any{s.ws.Info().Office}})
	}
	return out, nil
}

func (s *Server) desktopFocus(_ context.Context, _ language, req DesktopFocus) (Empty, error) {
	s.desk.mu.Lock()
	defer s.desk.mu.Unlock()
	s.desk.focused = req.Focused && s.desk.windows > 0
	return Empty{}, nil
}

func (s *Server) desktopQuit(context.Context, language, Empty) (Empty, error) {
	if s.resident == nil {
		return Empty{}, &app.Problem{Code: "not-desktop"}
	}
	s.resident.Quit()
	return Empty{}, nil
}
