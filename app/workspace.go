// Package app is the product on one device: a Workspace joins logs, network and
// chat into an office that one founds, joins and talks in.
package app

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"inselnetz/app/disk"
	"inselnetz/app/vault"
	"inselnetz/crdt/access"
	"inselnetz/crdt/chat"
	"inselnetz/crdt/log"
	"inselnetz/crdt/store"
	"inselnetz/mesh"
)

// Options tunes a Workspace. Net is required.
type Options struct {
	// Net opens the network for the key behind this device's peer id.
	Net func(ctx context.Context, key ed25519.PrivateKey) (mesh.Transport, error)

	Log      *slog.Logger                      // nil discards
	State    string                            // directory of the count kept outside the data; empty: none, each start begins new logs
	Version  string                            // of the program
	Now      func() time.Time                  // wall clock; nil means time.Now
	Unsafe   bool                              // never waits for the disk; for tests
	Files    string                            // directory in which shared folders lie; empty: they are not kept on this disk
	OpenDisk func(dir string) (disk.FS, error) // of a shared folder; nil: the real one
	Archive  bool                              // keeps every version of files, without a budget: a NAS

	PhonePort int // where the gateway to Syncthing devices listens; 0: 22000, or a free port; < 0: it only dials

	Metered func() string // whether the system says that the connection is paid by volume, in the words of Metered; nil: it is not asked

	KeyStore vault.KeyStore          // of the operating system; nil: none, secrets lie in a file
	Disk     func(dir string) uint64 // whether a directory's disk is encrypted, as access.Device.Disk has it; nil: not looked at
}

// A Workspace is this device's part of an office, or a device that belongs to
// none yet.
type Workspace struct {
	opts  Options
	dir   string
	log   *slog.Logger
	id    *identity
	self  log.DeviceID
	store *store.Store
	net   mesh.Transport
	start time.Time

	jobs      chan func(context.Context) // short-lived work that Run waits for
	member    chan struct{}              // closed once this device is part of a workspace
	hub       hub
	own       own
	held      coalescer
	files     files
	papers    papers
	editors   editors
	pages     pages
	keptSoon  coalescer
	resting   coalescer // after work on files
	carry     carrying
	phones    phones
	tending   coalescer
	tends     atomic.Int32 // since the last minute
	diskOnce  sync.Once
	diskState uint64
	home      homeNotes
	metering  metering
	exchange  exchange

	reload sync.Mutex // one at a time reads the control space
	kept   log.Hash   // admission that the keepsake was last written for; guarded by reload
	door   sync.Mutex // one at a time announces the door

	mu       sync.RWMutex // guards the rest; nothing slow happens under it
	ws       log.WorkspaceID
	state    *access.State // nil before membership; never changed, only replaced
	keys     map[log.KeyID]access.SpaceKey
	mesh     *mesh.Mesh // nil before membership
	notices  map[string]Notice
	inviting *inviting
	joining  *joining
	reading  map[ChannelRef]readMark // read markers not written yet
	noted    map[mesh.PeerID]int64   // who is here, and when that was last written down
	late     map[log.DeviceID]int    // entries of removed devices in quarantine
}

// A Notice is a state of this device that someone should know of.
type Notice struct {
	Code string
	Args []any
	At   time.Time
}

const metaWorkspace = "workspace" // the WorkspaceID, once this device is a member

// Open opens the data directory, which it makes. The error is a *Problem where
// someone can act on it.
func Open(ctx context.Context, dir string, opts Options) (_ *Workspace, err error) {
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	if opts.OpenDisk == nil {
		opts.OpenDisk = disk.Open
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, because("read-only", err, dir)
	}
	s, report, err := store.Open(dir, store.Options{Log: opts.Log, Now: opts.Now, Unsafe: opts.Unsafe})
	if err != nil {
		return nil, storeProblem(err, dir)
	}
	defer func() {
		if err != nil {
			_ = s.Close()
		}
	}()
	id, err := openIdentity(dir, opts.KeyStore)
	if err != nil {
		return nil, storeProblem(err, dir)
	}
	w := &Workspace{
		opts: opts, dir: dir, log: opts.Log, id: id, self: id.device(), store: s, start: opts.Now(),
		jobs: make(chan func(context.Context), 256), member: make(chan struct{}),
		notices: map[string]Notice{}, reading: map[ChannelRef]readMark{}, noted: map[mesh.PeerID]int64{}, files: newFiles(), phones: newPhones(),
	}
	if report.Damaged != "" {
		w.note("damaged", report.Salvaged, filepath.Base(report.Damaged))
	}
	if err := w.openOwn(report.Lost); err != nil {
		return nil, storeProblem(err, dir)
	}
	if err := w.findWorkspace(ctx); err != nil {
		return nil, err
	}
	w.net, err = opts.Net(ctx, id.network())
	if err != nil {
		return nil, fmt.Errorf("open network: %w", err)
	}
	w.tellOutside()
	return w, nil
}

// storeProblem gives the store's errors their sentence.
func storeProblem(err error, dir string) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, store.ErrInUse):
		return because("in-use", err, dir)
	case errors.Is(err, store.ErrFull), isFull(err):
		return because("disk-full", err)
	case errors.Is(err, store.ErrReadOnly), errors.Is(err, os.ErrPermission):
		return because("read-only", err, dir)
	case errors.Is(err, store.ErrNewer):
		return because("newer-data", err)
	case errors.Is(err, store.ErrClosed):
		return because("stopping", err)
	case errors.Is(err, log.ErrTooLarge):
		return because("too-long", err, log.MaxEntry, chat.MaxText)
	}
	return err
}

// findWorkspace takes up the workspace this device belongs to, if any. The
// genesis entry commits before the workspace is noted: a founder that crashed
// between the two finds it by its own log.
func (w *Workspace) findWorkspace(ctx context.Context) error {
	raw, err := w.store.Get(metaWorkspace)
	switch {
	case err == nil && len(raw) == len(w.ws):
		return w.enter(ctx, log.WorkspaceID(raw))
	case err != nil && !errors.Is(err, store.ErrNotFound):
		return storeProblem(err, w.dir)
	}
	control, err := w.store.Control(ctx)
	if err != nil {
		return storeProblem(err, w.dir)
	}
	for _, s := range control {
		if s.Card.Device == w.self && s.Card.Workspace == (log.WorkspaceID{}) && s.Entry.Seq == 1 {
			ws := log.WorkspaceID(s.Entry.Hash())
			if err := w.store.Put(metaWorkspace, ws[:]); err != nil {
				return storeProblem(err, w.dir)
			}
			return w.enter(ctx, ws)
		}
	}
	_, err = w.recall(ctx)
	return err
}

// enter makes this device act as a member; Run then starts the mesh.
func (w *Workspace) enter(ctx context.Context, ws log.WorkspaceID) error {
	w.mu.Lock()
	w.ws = ws
	w.mu.Unlock()
	if err := w.readControl(ctx); err != nil {
		return err
	}
	close(w.member)
	return nil
}

// readControl works out the state of the control space and hands what follows
// from it to store and mesh.
func (w *Workspace) readControl(ctx context.Context) error {
	w.reload.Lock()
	defer w.reload.Unlock()
	stored, err := w.store.Control(ctx)
	if err != nil {
		return storeProblem(err, w.dir)
	}
	entries := make([]access.Authored, len(stored))
	for i, s := range stored {
		entries[i] = access.Authored{Card: s.Card, Entry: s.Entry}
	}
	st := access.Resolve(w.ws, entries)
	keys := st.Keys(access.BoxSecret(w.id.Box))
	w.mu.Lock()
	w.state, w.keys = st, keys
	m := w.mesh
	w.mu.Unlock()
	if st.Stopped {
		w.note("update-needed")
	}
	if err := w.keep(st); err != nil {
		w.log.Warn("keep membership beside the database", "err", err)
	}
	if err := w.store.Use(ctx, &reader{ws: w.ws, state: st, keys: keys}); err != nil {
		return storeProblem(err, w.dir)
	}
	if m != nil {
		m.Refresh()
	}
	w.used(ctx)
	w.tendSoon()
	w.filesSoon()
	w.forgetPapers(st)
	w.forgetEditors(st)
	for _, what := range []string{"people", "status", "spaces", "channels", "documents", "recovery", "audit"} {
		w.changed(what, "")
	}
	return nil
}

// used tells of what a new state of the control space did to what is shown.
func (w *Workspace) used(ctx context.Context) {
	u := w.store.Used()
	for _, c := range u.Fell { // another branch counts: others bring it
		w.forget(c.Space)
	}
	for _, c := range u.Channels {
		w.changed("channel", w.ChannelText(ChannelRef{c.Space, c.Channel}))
	}
	w.countLate(ctx)
	if w.store.Wiped() {
		w.unnote("erase-waits")
	} else {
		w.note("erase-waits")
	}
}

// snapshot returns the state of the control space, nil before membership.
func (w *Workspace) snapshot() *access.State {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return w.state
}

func (w *Workspace) keyring() map[log.KeyID]access.SpaceKey {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return w.keys
}

// everyone is the space of all members.
func (w *Workspace) everyone() log.SpaceID { return log.Everyone(w.ws) }

// A reader understands entries as one state of the control space allows.
type reader struct {
	ws    log.WorkspaceID
	state *access.State
	keys  map[log.KeyID]access.SpaceKey
}

// Plain decrypts a payload.
func (r *reader) Plain(_ log.Card, e *log.Entry) ([]byte, error) {
	if e.Key == nil {
		return e.Payload, nil
	}
	key, ok := r.keys[*e.Key]
	if !ok {
		return nil, store.ErrNoKey
	}
	return log.Open(key.Key, r.ws, &e.Header, e.Payload)
}

// Person says whose device it is.
func (r *reader) Person(dev log.DeviceID) (chat.PersonID, bool) {
	d, ok := r.state.Known(dev) // who has left goes on being an author
	return chat.PersonID(d.Person), ok
}

// Run keeps the device on the network until ctx ends.
func (w *Workspace) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return w.runJobs(ctx) })
	g.Go(func() error { return w.runMesh(ctx) })
	g.Go(func() error { return w.writeReadMarks(ctx) })
	g.Go(func() error { return w.keepTending(ctx) })
	g.Go(func() error { return w.runFiles(ctx) })
	g.Go(func() error { return w.runPhones(ctx) })
	g.Go(func() error { return w.keepPapers(ctx) })
	g.Go(func() error { return w.watchMetered(ctx) })
	g.Go(func() error {
		if err := w.store.Check(ctx); err != nil && ctx.Err() == nil {
			w.log.Warn("database check", "err", err)
			w.changed("status", "")
		}
		return nil
	})
	return g.Wait()
}

// runJobs carries out short-lived work and waits for it at the end.
func (w *Workspace) runJobs(ctx context.Context) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	for {
		select {
		case f := <-w.jobs:
			wg.Go(func() { f(ctx) })
		case <-ctx.Done():
			return nil
		}
	}
}

// job hands work to Run. When there is far too much of it, it is dropped: all
// of it is a courtesy to other devices.
func (w *Workspace) job(f func(context.Context)) {
	select {
	case w.jobs <- f:
	default:
	}
}

// runMesh turns away connections until this device is a member, and is part of
// the mesh from then on.
func (w *Workspace) runMesh(ctx context.Context) error {
	before, stop := context.WithCancel(ctx)
	go func() {
		select {
		case <-w.member:
		case <-ctx.Done():
		}
		stop()
	}()
	w.job(func(context.Context) { w.watchDoors(before) })
	for before.Err() == nil {
		if c, err := w.net.Accept(before); err == nil {
			_ = c.Close()
		}
	}
	<-before.Done()
	if ctx.Err() != nil {
		return nil
	}
	var instance [16]byte
	_, _ = rand.Read(instance[:]) // never fails since Go 1.24
	m := mesh.New(w.net, (*holdings)(w), mesh.Identity{
		Device: w.self, Key: w.id.key(), Instance: instance, Keys: w.networkKeys, Removed: w.removed,
	}, mesh.Options{
		Log: w.log, Version: w.opts.Version, Now: w.opts.Now, Join: w.answerDoor,
		Contents: (*contents)(w), Heard: w.heard, Came: w.came, Told: w.toldBy,
		OnChange: func() { w.noteSeen(); w.changed("people", ""); w.changed("status", "") },
	})
	w.mu.Lock()
	w.mesh = m
	w.mu.Unlock()
	w.log.Info("part of a workspace", "devices", len(w.snapshot().Devices))
	if err := m.Run(ctx); err != nil && ctx.Err() == nil {
		return fmt.Errorf("mesh: %w", err)
	}
	return nil
}

// watchDoors tells the page of doors that open or close nearby.
func (w *Workspace) watchDoors(ctx context.Context) {
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	last := ""
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		now := ""
		for _, d := range w.net.Doors() {
			now += d.Name + "\x00" + string(d.Peer) + "\x00"
		}
		if now != last {
			last = now
			w.changed("doors", "")
		}
	}
}

// networkKeys prove membership to other devices, newest first. They are derived
// from the keys of the space of all; guests and carriers hold them alone.
func (w *Workspace) networkKeys() []log.Key {
	w.mu.RLock()
	defer w.mu.RUnlock()
	var held []access.SpaceKey
	for _, k := range w.keys {
		if k.Space == access.Network {
			held = append(held, k)
		}
	}
	slices.SortFunc(held, func(a, b access.SpaceKey) int {
		return cmp.Or(cmp.Compare(b.Epoch, a.Epoch), slices.Compare(a.ID[:], b.ID[:]))
	})
	var out []log.Key
	for _, k := range held[:min(len(held), 4)] {
		out = append(out, k.Key)
	}
	return out
}

// Close releases what Open opened; call it after Run has returned.
func (w *Workspace) Close() error {
	err := w.net.Close()
	w.own.guard.close()
	return errors.Join(err, w.closeCarried(), w.store.Close())
}

// note keeps a notice until the program ends.
func (w *Workspace) note(code string, args ...any) {
	w.mu.Lock()
	if _, ok := w.notices[code]; !ok {
		w.notices[code] = Notice{Code: code, Args: args, At: w.opts.Now()}
	}
	w.mu.Unlock()
	w.changed("status", "")
}

// unnote takes a notice back.
func (w *Workspace) unnote(code string) {
	w.mu.Lock()
	_, ok := w.notices[code]
	delete(w.notices, code)
	w.mu.Unlock()
	if ok {
		w.changed("status", "")
	}
}

// ComputerName is this computer's name as a suggestion for the device's.
func ComputerName() string {
	name, err := os.Hostname()
	if err != nil || name == "" {
		return "PC"
	}
	name, _, _ = strings.Cut(name, ".")
	return name
}
