package api

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"net/netip"
	"strings"
	"sync"
	"time"

	"inselnetz/app"
)

// Bounds of pairing a browser.
const (
	pairLife     = 5 * time.Minute
	pairDigits   = 10 // of 32 letters: 50 bits, with at most pairTries tries
	pairTries    = 20 // wrong ones, by whomever, and the code is closed
	pairPer      = 5  // wrong ones of one address
	pairPause    = time.Minute
	maxPairAddrs = 256
)

// letters of a code: Crockford's base 32, which has no I, L, O, U.
const letters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// A pairCode holds at most one open code, and who guessed wrongly of late.
type pairCode struct {
	mu    sync.Mutex
	sum   [sha256.Size]byte
	until time.Time // zero: none is open
	wrong int
	tries map[netip.Addr]*tries
}

type tries struct {
	n     int
	since time.Time
}

// open makes a new code, which ends an earlier one.
func (p *pairCode) open(now time.Time) (code string, until time.Time) {
	var b [pairDigits]byte
	_, _ = rand.Read(b[:]) // never fails since Go 1.24
	for i := range b {
		b[i] = letters[b[i]%32]
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sum, p.until, p.wrong = sha256.Sum256(b[:]), now.Add(pairLife), 0
	return string(b[:5]) + "-" + string(b[5:]), p.until
}

func (p *pairCode) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.until = time.Time{}
}

// deadline is when the open code ends; zero: none is open.
func (p *pairCode) deadline(now time.Time) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !now.Before(p.until) {
		return time.Time{}
	}
	return p.until
}

// take uses the code up. The error is a *Problem.
func (p *pairCode) take(code string, from netip.Addr, now time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.mayTry(from, now) {
		return &app.Problem{Code: "web-pair-slow"}
	}
	sum := sha256.Sum256([]byte(plainCode(code)))
	right := subtle.ConstantTimeCompare(sum[:], p.sum[:]) == 1
	open := now.Before(p.until)
	if right && open {
		p.until = time.Time{}
		delete(p.tries, from)
		return nil
	}
	p.count(from, now)
	if p.wrong++; p.wrong >= pairTries {
		p.until = time.Time{}
	}
	if !open {
		return &app.Problem{Code: "web-pair-none", Field: "code"}
	}
	return &app.Problem{Code: "web-pair-wrong", Field: "code"}
}

func (p *pairCode) mayTry(from netip.Addr, now time.Time) bool {
	for a, t := range p.tries {
		if now.Sub(t.since).Abs() >= pairPause {
			delete(p.tries, a)
		}
	}
	t := p.tries[from]
	return t == nil && len(p.tries) < maxPairAddrs || t != nil && t.n < pairPer
}

func (p *pairCode) count(from netip.Addr, now time.Time) {
	if p.tries == nil {
		p.tries = map[netip.Addr]*tries{}
	}
	if p.tries[from] == nil {
		p.tries[from] = &tries{since: now}
	}
	p.tries[from].n++
}

// plainCode takes a code as people type it.
func plainCode(s string) string {
	if len(s) > 4*pairDigits {
		return ""
	}
	return strings.NewReplacer("-", "", " ", "", "I", "1", "L", "1", "O", "0").Replace(strings.ToUpper(s))
}
