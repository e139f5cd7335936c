package app

import (
	"context"
	"sync"
	"time"

	"inselnetz/crdt/log"
)

// Where this device's connection is paid by volume, contents of large files wait
// until somebody opens them or asks for what waits. Messages, documents and small
// files come as ever. It is each device's own setting: others behind the same phone
// decide for themselves.

// MeteredOver is from which size on contents wait, in bytes.
const MeteredOver = 5_000_000

const metaMetered = "metered" // what a person said, as JSON: see Metered.Mode

const meteredEvery = 15 * time.Second // the system is asked again

// Words about a connection that is paid by volume.
const (
	MeteredAuto    = "auto" // as the system says
	MeteredYes     = "yes"
	MeteredNo      = "no"
	MeteredUnknown = "unknown"
)

// metering is what is known of the connection.
type metering struct {
	once sync.Once // the system was asked

	mu     sync.Mutex
	mode   string // what a person said; empty: not read yet
	system string
}

// A Metered says whether the connection is paid by volume.
type Metered struct {
	Mode   string // what a person said: MeteredAuto, MeteredYes or MeteredNo
	System string // what the system says: MeteredYes, MeteredNo or MeteredUnknown
	Now    bool   // large contents wait
	Over   int64  // from which size on, in bytes
}

// Metered says whether the connection of this device is paid by volume.
func (w *Workspace) Metered() Metered {
	w.metering.once.Do(w.askMetered)
	w.metering.mu.Lock()
	defer w.metering.mu.Unlock()
	if w.metering.mode == "" {
		w.metering.mode = MeteredAuto
		if err := w.getJSON(metaMetered, &w.metering.mode); err != nil {
			w.log.Warn("read what was said about the connection", "err", err)
		}
	}
	m := Metered{Mode: w.metering.mode, System: w.metering.system, Over: MeteredOver}
	m.Now = m.Mode == MeteredYes || m.Mode == MeteredAuto && m.System == MeteredYes
	return m
}

// askMetered asks the system.
func (w *Workspace) askMetered() {
	says := MeteredUnknown
	if w.opts.Metered != nil {
		says = w.opts.Metered()
	}
	w.metering.mu.Lock()
	w.metering.system = says
	w.metering.mu.Unlock()
}

// SetMetered says whether the connection of this device is paid by volume.
func (w *Workspace) SetMetered(mode string) error {
	if mode != MeteredAuto && mode != MeteredYes && mode != MeteredNo {
		return problem("bad-request", mode)
	}
	if w.snapshot() == nil {
		return problem("not-member")
	}
	if err := w.putJSON(metaMetered, mode); err != nil {
		return storeProblem(err, w.dir)
	}
	w.metering.mu.Lock()
	w.metering.mode = mode
	w.metering.mu.Unlock()
	w.spareFolders()
	return nil
}

// spare is from which size on contents are not fetched by themselves; 0: all are.
func (w *Workspace) spare() int64 {
	if m := w.Metered(); m.Now {
		return m.Over
	}
	return 0
}

// spareFolders has the folders fetch as the connection asks for.
func (w *Workspace) spareFolders() {
	over := w.spare()
	for _, s := range w.folders() {
		s.f.SetSpare(over)
	}
	w.changed("files", "")
}

// watchMetered asks the system again and again: a laptop leaves the office.
func (w *Workspace) watchMetered(ctx context.Context) error {
	if w.opts.Metered == nil {
		return nil
	}
	tick := time.NewTicker(meteredEvery)
	defer tick.Stop()
	for {
		before := w.Metered()
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
		w.askMetered()
		if w.Metered() != before {
			w.spareFolders()
		}
	}
}

// FetchFiles fetches what waits in a space's folder at this moment because the
// connection is paid by volume.
func (w *Workspace) FetchFiles(space log.SpaceID) error {
	s, err := w.sharedFolder(space)
	if err != nil {
		return err
	}
	s.f.FetchNow()
	return nil
}
