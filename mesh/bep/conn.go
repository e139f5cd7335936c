package bep

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/syncthing/syncthing/lib/protocol"
	"golang.org/x/sync/semaphore"
)

const (
	maxRequests = 256      // of a device that wait for answers
	serving     = 64 << 20 // bytes of answers that wait to be sent, per connection
)

// A conn is one connection to an approved device. It is the protocol.Model of the
// library: what comes in.
type conn struct {
	g      *Gateway
	dev    Device
	net    net.Conn
	dialed bool
	client string
	began  time.Time
	pc     protocol.Connection

	ctx     context.Context
	cancel  context.CancelFunc
	fetches *semaphore.Weighted
	serves  *semaphore.Weighted
	work    sync.WaitGroup // senders, pullers, answers

	mu     sync.Mutex
	active map[string]context.CancelFunc // shares that are exchanged
	closed bool
	gone   chan error    // why it ended
	over   chan struct{} // closed when serve is through
}

// newConn prepares a connection whose hellos were exchanged.
func newConn(ctx context.Context, g *Gateway, dev Device, nc net.Conn, dialed bool, client string) *conn {
	ctx, cancel := context.WithCancel(ctx)
	c := &conn{
		g: g, dev: dev, net: nc, dialed: dialed, client: client, began: time.Now(), ctx: ctx, cancel: cancel,
		fetches: semaphore.NewWeighted(window), serves: semaphore.NewWeighted(serving),
		active: map[string]context.CancelFunc{}, gone: make(chan error, 1), over: make(chan struct{}),
	}
	in := newGate(nc, maxRequests, ctx.Done())
	c.pc = protocol.NewConnection(dev.ID, in, replies{nc, in}, nc, c, connInfo{nc, c.began}, protocol.CompressionMetadata, g.keys)
	return c
}

// serve exchanges until the connection ends, and says why it did.
func (c *conn) serve() error {
	c.pc.Start()
	c.pc.ClusterConfig(c.config(), nil)
	stop := context.AfterFunc(c.ctx, func() {
		// Whoever does not read must not keep us.
		c.net.SetDeadline(time.Now().Add(time.Second))
		c.pc.Close(errors.New("this device goes"))
	})
	err := <-c.gone
	stop()
	c.cancel()
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.work.Wait()
	for _, s := range c.g.shares {
		s.waiting(c.dev.ID, WaitsDevice)
	}
	return err
}

// config says what we share with the device.
func (c *conn) config() *protocol.ClusterConfig {
	cc := &protocol.ClusterConfig{}
	for _, id := range c.dev.Folders {
		s := c.g.shares[id]
		if s == nil {
			continue
		}
		s.mu.Lock()
		seq := s.seq
		s.mu.Unlock()
		// Of ours they get everything each time, of theirs we ask for everything:
		// no index id of theirs.
		cc.Folders = append(cc.Folders, protocol.Folder{
			ID: s.ID, Label: s.Label, DisableTempIndexes: true,
			Devices: []protocol.Device{
				{ID: c.g.id, Name: c.g.opts.Name, CertName: certName, IndexID: s.index, MaxSequence: seq},
				{ID: c.dev.ID, Name: c.dev.Name},
			},
		})
	}
	return cc
}

// share returns a share that this device has, nil if it has none of that name.
func (c *conn) share(id string) *share {
	s := c.g.shares[id]
	if s == nil || s.remotes[c.dev.ID] == nil {
		return nil
	}
	return s
}

// ClusterConfig hears what the device shares with us.
func (c *conn) ClusterConfig(_ protocol.Connection, cc *protocol.ClusterConfig) error {
	states := map[string]Waits{}
	for _, f := range cc.Folders {
		st := WaitsNot
		for _, d := range f.Devices {
			if len(d.EncryptionPasswordToken) > 0 {
				st = WaitsEncrypted
			}
		}
		if f.Paused {
			st = WaitsPaused
		}
		states[f.ID] = st
	}
	for _, id := range c.dev.Folders {
		s := c.share(id)
		if s == nil {
			continue
		}
		st, ok := states[id]
		if !ok {
			st = WaitsAccept
		}
		s.waiting(c.dev.ID, st)
		if st == WaitsNot {
			c.begin(s)
		} else {
			c.end(s)
		}
	}
	c.g.changed()
	return nil
}

// begin exchanges a share, if it is not yet.
func (c *conn) begin(s *share) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || c.active[s.ID] != nil {
		return
	}
	ctx, cancel := context.WithCancel(c.ctx)
	c.active[s.ID] = cancel
	first := s.begun(c.dev.ID)
	c.work.Add(2)
	go func() {
		defer c.work.Done()
		if err := (&sender{s, c.dev.ID, c.pc}).run(ctx, first); err != nil && ctx.Err() == nil {
			c.drop(err)
		}
	}()
	go func() {
		defer c.work.Done()
		p := &puller{share: s, r: s.remotes[c.dev.ID], c: c.pc, budget: c.fetches}
		if err := p.run(ctx); err != nil && ctx.Err() == nil {
			c.drop(err)
		}
	}()
}

func (c *conn) end(s *share) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if cancel := c.active[s.ID]; cancel != nil {
		cancel()
		delete(c.active, s.ID)
	}
}

// drop ends the connection because of err.
func (c *conn) drop(err error) {
	c.g.log.Info("connection to a Syncthing device dropped", "peer", c.dev.ID.String(), "err", err)
	c.cancel()
}

// Index and IndexUpdate hear what the device has.
func (c *conn) Index(_ protocol.Connection, m *protocol.Index) error {
	return c.indexed(m.Folder, m.Files, true)
}

func (c *conn) IndexUpdate(_ protocol.Connection, m *protocol.IndexUpdate) error {
	return c.indexed(m.Folder, m.Files, false)
}

func (c *conn) indexed(folder string, files []protocol.FileInfo, whole bool) error {
	s := c.share(folder)
	if s == nil {
		return fmt.Errorf("folder %q is not shared with it", clean(folder))
	}
	return s.indexed(c.dev.ID, files, whole)
}

// Request serves a block.
func (c *conn) Request(_ protocol.Connection, m *protocol.Request) (protocol.RequestResponse, error) {
	s := c.share(m.Folder)
	c.mu.Lock()
	ok := s != nil && !c.closed && c.active[m.Folder] != nil
	if ok {
		c.work.Add(1)
	}
	c.mu.Unlock()
	if !ok {
		return nil, protocol.ErrNoSuchFile
	}
	defer c.work.Done()
	f, ok := s.shown(m.Name)
	if !ok || m.FromTemporary || f.Kind != Plain {
		return nil, protocol.ErrNoSuchFile
	}
	if m.Offset < 0 || m.Size < 0 || m.Size > protocol.MaxBlockSize || m.Offset > f.Size-int64(m.Size) {
		return nil, protocol.ErrInvalid
	}
	if err := c.serves.Acquire(c.ctx, int64(m.Size)); err != nil {
		return nil, err
	}
	a := &answer{data: make([]byte, m.Size), free: sync.OnceFunc(func() { c.serves.Release(int64(m.Size)) })}
	if err := s.Folder.Read(c.ctx, f, m.Offset, a.data); err != nil {
		a.Close()
		s.log.Debug("cannot serve a block", "peer", c.dev.ID.String(), "err", err)
		return nil, protocol.ErrNoSuchFile
	}
	return a, nil
}

// Closed hears that the connection ended.
func (c *conn) Closed(_ protocol.Connection, err error) { c.gone <- err }

// DownloadProgress is not needed; the gate skips it.
func (c *conn) DownloadProgress(protocol.Connection, *protocol.DownloadProgress) error { return nil }

// An answer is a block that was asked for.
type answer struct {
	data []byte
	free func()
}

func (a *answer) Data() []byte { return a.data }
func (a *answer) Close()       { a.free() }
func (a *answer) Wait()        {}

// connInfo is what the library wants to know of a connection.
type connInfo struct {
	net.Conn
	since time.Time
}

func (i connInfo) Type() string             { return "tcp" }
func (i connInfo) Transport() string        { return "tcp" }
func (i connInfo) IsLocal() bool            { return true }
func (i connInfo) Priority() int            { return 10 }
func (i connInfo) String() string           { return i.RemoteAddr().String() }
func (i connInfo) Crypto() string           { return "TLS1.3" }
func (i connInfo) EstablishedAt() time.Time { return i.since }
func (i connInfo) ConnectionID() string     { return i.RemoteAddr().String() }

// shown returns what we announced at a path as the wire spells it.
func (s *share) shown(name string) (File, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.entries[spelled(name)]
	if e == nil {
		return File{}, false
	}
	return e.file, true
}

// begun prepares for what a device is going to tell, and returns what is closed
// when it does.
func (s *share) begun(id DeviceID) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	first := make(chan struct{})
	s.remotes[id].first = first
	return first
}

// waiting notes why a share is not exchanged with a device.
func (s *share) waiting(id DeviceID, w Waits) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.remotes[id]; r != nil {
		r.waits = w
	}
}
