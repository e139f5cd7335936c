package api

import (
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"inselnetz/app/webcert"
)

// Bounds of connections from the network.
const (
	maxWebConns   = 256
	maxWebPerAddr = 96               // several browsers may share an address behind a router
	pace          = 30 * time.Second // in which each read and each write must get on
)

// A guard lets in connections within the private network, and so many.
type guard struct {
	net.Listener

	mu  sync.Mutex
	all int
	per map[netip.Addr]int
}

func newGuard(l net.Listener) *guard {
	return &guard{Listener: l, per: map[netip.Addr]int{}}
}

// Accept closes what it does not let in.
func (g *guard) Accept() (net.Conn, error) {
	for {
		c, err := g.Listener.Accept()
		if err != nil {
			return nil, err
		}
		from, to := addrOf(c.RemoteAddr().String()), addrOf(c.LocalAddr().String())
		if near(from) && near(to) && g.enter(from) {
			return &guardedConn{Conn: c, leave: sync.OnceFunc(func() { g.leave(from) })}, nil
		}
		_ = c.Close()
	}
}

// near reports whether an address is of the private network or this computer.
func near(a netip.Addr) bool { return a.IsValid() && (a.IsLoopback() || webcert.Private(a)) }

// addrOf is the address of "host:port" without its zone; not valid if it is none.
func addrOf(s string) netip.Addr {
	ap, err := netip.ParseAddrPort(s)
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().Unmap().WithZone("")
}

func (g *guard) enter(from netip.Addr) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.all >= maxWebConns || g.per[from] >= maxWebPerAddr {
		return false
	}
	g.all++
	g.per[from]++
	return true
}

func (g *guard) leave(from netip.Addr) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.all--
	if g.per[from]--; g.per[from] == 0 {
		delete(g.per, from)
	}
}

type guardedConn struct {
	net.Conn
	leave func()
}

func (c *guardedConn) Close() error {
	c.leave()
	return c.Conn.Close()
}

// paced ends requests whose peer stops reading or writing in the middle. There
// is no limit for the whole: an event stream never ends, a large file takes long.
func paced(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rc := http.NewResponseController(w)
		if r.Body != nil && r.Body != http.NoBody {
			r.Body = &pacedBody{ReadCloser: r.Body, rc: rc}
		}
		h.ServeHTTP(&pacedWriter{ResponseWriter: w, rc: rc}, r)
	})
}

type pacedBody struct {
	io.ReadCloser
	rc *http.ResponseController
}

func (b *pacedBody) Read(p []byte) (int, error) {
	_ = b.rc.SetReadDeadline(time.Now().Add(pace))
	n, err := b.ReadCloser.Read(p)
	if err != nil { // what comes after the body has its own time
		_ = b.rc.SetReadDeadline(time.Time{})
	}
	return n, err
}

type pacedWriter struct {
	http.ResponseWriter
	rc *http.ResponseController
}

func (w *pacedWriter) Write(p []byte) (int, error) {
	_ = w.rc.SetWriteDeadline(time.Now().Add(pace))
	n, err := w.ResponseWriter.Write(p)
	if err == nil {
		_ = w.rc.SetWriteDeadline(time.Time{}) // silence is no fault
	}
	return n, err
}

// FlushError is what http.ResponseController calls.
func (w *pacedWriter) FlushError() error {
	_ = w.rc.SetWriteDeadline(time.Now().Add(pace))
	err := w.rc.Flush()
	if err == nil {
		_ = w.rc.SetWriteDeadline(time.Time{})
	}
	return err
}

// Unwrap is for http.ResponseController.
func (w *pacedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// slogAt takes what net/http says of strangers' connections.
func slogAt(l *slog.Logger) *log.Logger { return slog.NewLogLogger(l.Handler(), slog.LevelDebug) }
