package bep

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/syncthing/syncthing/lib/protocol"
	"golang.org/x/sync/errgroup"
)

// A Gateway connects Syncthing devices with folders.
type Gateway struct {
	opts    Options
	id      DeviceID
	log     *slog.Logger
	keys    *protocol.KeyGenerator // of encrypted folders: never used, but the library wants it
	tls     *tls.Config
	ln      net.Listener // nil: only dials
	shares  map[string]*share
	devices map[DeviceID]Device

	mu        sync.Mutex
	conns     map[DeviceID]*conn
	last      map[DeviceID]DeviceStatus // Addr, Client, Seen, Err
	strangers []Stranger
}

// Open reads what the gateway remembers and begins to listen. Whoever wants other
// devices or shares ends Run and opens another Gateway.
func Open(opts Options) (*Gateway, error) {
	if opts.State == nil || len(opts.Cert.Certificate) == 0 {
		return nil, errors.New("a certificate and a state are required")
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Name == "" {
		opts.Name = "Inselnetz"
	}
	if opts.OnChange == nil {
		opts.OnChange = func() {}
	}
	g := &Gateway{
		opts: opts, id: IDOf(opts.Cert), log: opts.Log, keys: protocol.NewKeyGenerator(), tls: tlsConfig(opts.Cert),
		shares: map[string]*share{}, devices: map[DeviceID]Device{}, conns: map[DeviceID]*conn{}, last: map[DeviceID]DeviceStatus{},
	}
	for _, d := range opts.Devices {
		if d.ID == g.id || d.ID == protocol.EmptyDeviceID {
			return nil, fmt.Errorf("device %q: the id is this device's own, or none", d.Name)
		}
		g.devices[d.ID] = d
	}
	for _, s := range opts.Shares {
		sh := newShare(s, g.id, opts.Devices, opts.Now, opts.Log, opts.OnChange)
		sh.anew = g.anew
		data, err := opts.State.Load(s.ID)
		if err == nil {
			err = sh.load(data)
		}
		if err != nil {
			// What is equal on both sides is found equal again.
			opts.Log.Warn("what Syncthing devices know is forgotten", "folder", s.ID, "err", err)
		}
		g.shares[s.ID] = sh
	}
	if opts.Listen != "" {
		ln, err := net.Listen("tcp", opts.Listen)
		if err != nil {
			return nil, fmt.Errorf("listen for Syncthing devices: %w", err)
		}
		g.ln = ln
	}
	return g, nil
}

// ID returns this device's id, which people enter on the other one.
func (g *Gateway) ID() DeviceID { return g.id }

// Run serves until ctx ends and then closes what Open opened.
func (g *Gateway) Run(ctx context.Context) error {
	eg, ctx := errgroup.WithContext(ctx)
	for _, s := range g.shares {
		eg.Go(func() error { return s.watch(ctx) })
	}
	if g.ln != nil {
		eg.Go(func() error { return g.accept(ctx, eg) })
	}
	for _, d := range g.opts.Devices {
		if len(d.Addrs) > 0 {
			eg.Go(func() error { return g.dial(ctx, d) })
		}
	}
	// What is remembered is saved last, after all who change it are done.
	save, saved := context.WithCancel(context.WithoutCancel(ctx))
	var keepers sync.WaitGroup
	for _, s := range g.shares {
		keepers.Go(func() { s.keep(save, g.opts.State) })
	}
	eg.Go(func() error {
		<-ctx.Done()
		return ctx.Err()
	})
	err := eg.Wait()
	saved()
	keepers.Wait()
	return err
}

func (g *Gateway) changed() { g.opts.OnChange() }

// Status returns how it stands.
func (g *Gateway) Status() Status {
	g.mu.Lock()
	st := Status{ID: g.id, Strangers: slices.Clone(g.strangers)}
	if g.ln != nil {
		st.Listen = g.ln.Addr().String()
	}
	for _, d := range g.opts.Devices {
		ds := g.last[d.ID]
		ds.ID, ds.Name = d.ID, d.Name
		if g.conns[d.ID] != nil {
			ds.Connected, ds.Seen, ds.Err = true, g.opts.Now(), ""
		}
		st.Devices = append(st.Devices, ds)
	}
	g.mu.Unlock()
	for i, d := range g.opts.Devices {
		for _, id := range d.Folders {
			if s := g.shares[id]; s != nil {
				st.Devices[i].Folders = append(st.Devices[i].Folders, s.status(d.ID))
			}
		}
	}
	return st
}

// Accept lets in what the brake holds of a device in a share.
func (g *Gateway) Accept(ctx context.Context, share string, device DeviceID) error {
	s, r, err := g.find(share, device)
	if err != nil {
		return err
	}
	defer g.changed()
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case r.held == 0:
		return nil
	case !r.known:
		return ErrAway
	}
	for _, w := range r.wants {
		w.accepted, w.retry = true, time.Time{}
	}
	r.held, r.crypt, r.events, s.dirty = 0, false, nil, true
	r.poke()
	return nil
}

// Discard undoes what the device changed since the brake's window began, here
// and over there: it gets back what it wanted to change or delete. Files it added
// are let in; they replace nothing.
func (g *Gateway) Discard(ctx context.Context, share string, device DeviceID) error {
	s, r, err := g.find(share, device)
	if err != nil {
		return err
	}
	defer g.changed()
	return s.discard(ctx, r)
}

func (g *Gateway) find(id string, device DeviceID) (*share, *remote, error) {
	s := g.shares[id]
	if s == nil || s.remotes[device] == nil {
		return nil, nil, ErrUnknown
	}
	return s, s.remotes[device], nil
}

func (s *share) discard(ctx context.Context, r *remote) error {
	r.work.Lock() // what is on the way ends with the hold
	defer r.work.Unlock()
	s.mu.Lock()
	switch {
	case r.held == 0:
		s.mu.Unlock()
		return nil
	case !r.known:
		s.mu.Unlock()
		return ErrAway
	}
	undo := slices.DeleteFunc(slices.Clone(r.events), func(e event) bool { return e.At < r.from })
	s.mu.Unlock()
	// First what was let through before the brake came, newest first. Should this
	// fail half-way the device stays held, and it can be tried again.
	for _, e := range slices.Backward(undo) {
		if err := s.undo(ctx, e); err != nil {
			return fmt.Errorf("put %s back: %w", e.Path, err)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for p, w := range r.wants {
		e := s.entries[p]
		if e == nil || e.file.Kind == Gone || e.file.Kind == Dir && w.kind == Dir {
			w.accepted = true
			continue
		}
		if s.busy[p] != nil {
			continue
		}
		e.vector = raise(merge(e.vector, w.vector), s.own, s.now())
		e.shared = false
		s.touch(e)
		r.drop(p)
	}
	r.held, r.crypt, r.events, s.dirty = 0, false, nil, true
	r.poke()
	return nil
}

// undo puts back what was at a path before a device changed it, unless somebody
// changed it since.
func (s *share) undo(ctx context.Context, e event) error {
	if e.Before == "" || e.What&(markChange|markDelete) == 0 {
		return nil
	}
	s.mu.Lock()
	ok := s.reserve(e.Path)
	s.mu.Unlock()
	if !ok {
		return errors.New("it is being changed just now")
	}
	defer s.release(context.WithoutCancel(ctx), e.Path)
	cur, err := s.Folder.Look(ctx, e.Path)
	if err != nil {
		return err
	}
	if cur.Kind != Gone && cur.Version != e.After || cur.Kind == Gone && e.What&markDelete == 0 {
		return nil
	}
	now, err := s.Folder.Restore(ctx, e.Path, e.Before)
	if err != nil {
		return err
	}
	now.Path = e.Path
	s.mu.Lock()
	defer s.mu.Unlock()
	s.show(now)
	return nil
}

// anew ends all connections; whoever listens or dials makes new ones.
func (g *Gateway) anew() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, c := range g.conns {
		c.cancel()
	}
}

// noted remembers how it went with a device.
func (g *Gateway) noted(id DeviceID, f func(*DeviceStatus)) {
	g.mu.Lock()
	st := g.last[id]
	f(&st)
	g.last[id] = st
	g.mu.Unlock()
	g.changed()
}

// why says in a few words why a connection ended; "" if there is nothing to say.
func why(err error) string {
	if err == nil || errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) || errors.Is(err, context.Canceled) {
		return ""
	}
	return err.Error()
}
