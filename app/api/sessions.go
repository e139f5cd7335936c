package api

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"slices"
	"sync"
	"time"

	"inselnetz/app"
)

// Bounds of sessions.
const (
	maxSessions    = 32
	sessionUnused  = 90 * 24 * time.Hour // after which it ends
	sessionWriting = 10 * time.Minute    // a later use is written down this much later at most
)

const sessionsFile = "web-sessions"

// A session is a paired browser. Its secret is known to the browser alone; here
// is the hash.
type session struct {
	ID      string     `json:"id"`
	Sum     string     `json:"sum"` // SHA-256 of the secret, in hexadecimal
	Name    string     `json:"name"`
	Created int64      `json:"created"` // ms since 1970
	Used    int64      `json:"used"`
	Addr    netip.Addr `json:"addr"` // of the last use

	cut chan struct{} // closed when the session ends
}

func (s *session) over(now time.Time) bool {
	return now.UnixMilli()-s.Used > sessionUnused.Milliseconds()
}

// sessions are the paired browsers of a device. They live on the disk, and here
// for as long as the program runs.
type sessions struct {
	keep func(raw []byte) error // writes them to the disk

	saving sync.Mutex // one at a time writes
	mu     sync.Mutex
	all    map[string]*session // by Sum
	saved  time.Time
	dirty  bool
}

func newSessions(keep func([]byte) error) *sessions {
	return &sessions{keep: keep, all: map[string]*session{}}
}

// load takes what keep wrote. What cannot be read is no session; the browsers
// are paired again.
func (s *sessions) load(raw []byte) error {
	var list []*session
	if err := json.Unmarshal(raw, &list); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, one := range list {
		if one == nil {
			return errors.New("a session is missing")
		}
		sum, err := hex.DecodeString(one.Sum)
		if err != nil || len(sum) != sha256.Size || one.ID == "" || len(s.all) >= maxSessions {
			return fmt.Errorf("session %q is damaged", one.ID)
		}
		one.cut = make(chan struct{})
		s.all[hex.EncodeToString(sum)] = one
	}
	return nil
}

func sumOf(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// begin makes a session and returns its secret. It is on the disk then. Where
// there are too many the error is a *Problem, unless one is over.
func (s *sessions) begin(name string, addr netip.Addr, now time.Time) (string, *session, error) {
	key := secret()
	var id [4]byte
	_, _ = rand.Read(id[:]) // never fails since Go 1.24
	one := &session{ID: hex.EncodeToString(id[:]), Sum: sumOf(key), Name: name, Created: now.UnixMilli(), Used: now.UnixMilli(), Addr: addr, cut: make(chan struct{})}
	s.mu.Lock()
	for sum, old := range s.all {
		if old.over(now) {
			close(old.cut)
			delete(s.all, sum)
		}
	}
	full := len(s.all) >= maxSessions
	if !full {
		s.all[one.Sum] = one
	}
	s.mu.Unlock()
	if full {
		return "", nil, &app.Problem{Code: "web-sessions-full", Args: []any{maxSessions}}
	}
	if err := s.save(now); err != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.all, one.Sum)
		return "", nil, err
	}
	return key, one, nil
}

// find returns the session of a secret and notes its use; nil: there is none.
func (s *sessions) find(key string, addr netip.Addr, now time.Time) *session {
	sum := sumOf(key) // a map of hashes tells by its timing nothing about secrets
	s.mu.Lock()
	defer s.mu.Unlock()
	one := s.all[sum]
	if one == nil || one.over(now) {
		return nil
	}
	one.Used, one.Addr, s.dirty = now.UnixMilli(), addr, true
	return one
}

// end ends a session at once, also what it is just doing, and takes it off the
// disk. No such session is no error.
func (s *sessions) end(id string, now time.Time) error {
	s.mu.Lock()
	found := false
	for sum, one := range s.all {
		if one.ID == id {
			close(one.cut)
			delete(s.all, sum)
			found = true
		}
	}
	s.mu.Unlock()
	if !found {
		return nil
	}
	return s.save(now)
}

// tend writes down later uses now and then, and all of them when last is set.
func (s *sessions) tend(now time.Time, last bool) error {
	s.mu.Lock()
	due := s.dirty && (last || now.Sub(s.saved).Abs() >= sessionWriting)
	s.mu.Unlock()
	if !due {
		return nil
	}
	return s.save(now)
}

func (s *sessions) save(now time.Time) error {
	s.saving.Lock()
	defer s.saving.Unlock()
	list := s.list(time.Time{})
	s.mu.Lock()
	s.saved, s.dirty = now, false
	s.mu.Unlock()
	raw, err := json.Marshal(list)
	if err != nil {
		return err
	}
	return s.keep(raw)
}

// list returns copies, the latest used first; with a time, those not over then.
func (s *sessions) list(now time.Time) []session {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := []session{}
	for _, one := range s.all {
		if now.IsZero() || !one.over(now) {
			out = append(out, *one)
		}
	}
	slices.SortFunc(out, func(a, b session) int { return int(b.Used - a.Used) })
	return out
}

// within returns a context that ends with the session.
func (s *session) within(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, stop := context.WithCancel(context.WithValue(ctx, sessionKey{}, s))
	go func() { // ends with ctx, at the latest when the request does
		select {
		case <-s.cut:
			stop()
		case <-ctx.Done():
		}
	}()
	return ctx, stop
}

type sessionKey struct{}

// sessionOf returns the session a call came by; nil: from this computer.
func sessionOf(ctx context.Context) *session {
	s, _ := ctx.Value(sessionKey{}).(*session)
	return s
}

func missing(err error) bool { return errors.Is(err, fs.ErrNotExist) }
