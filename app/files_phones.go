package app

import (
	"context"

	"inselnetz/crdt/log"
)

// phones are the stock Syncthing devices of this device and the gateway to them.
type phones struct{}

func newPhones() phones { return phones{} }

// runPhones keeps the gateway running while folders are shared with such devices.
func (w *Workspace) runPhones(ctx context.Context) error { return nil }

// phoneHolds returns the phones whose changes to a space's folder are held.
func (w *Workspace) phoneHolds(space log.SpaceID) []FileHold { return nil }

// A Phone is a stock Syncthing device that a folder is shared with.
type Phone struct {
	ID        string
	Name      string
	Connected bool
	Left      int // files not in sync yet
	Problem   string
}

// Phones are the stock Syncthing devices of this device, and how it is known to
// them.
type Phones struct {
	ID     string
	Addr   string // where it listens
	Phones []Phone
}

// Phones returns the stock Syncthing devices that folders are shared with, or
// that one space's folder is.
func (w *Workspace) Phones(space *log.SpaceID) (Phones, error) { return Phones{}, nil }

// SetPhone shares a space's folder with a stock Syncthing device.
func (w *Workspace) SetPhone(ctx context.Context, space log.SpaceID, id, name, addr string) error {
	return problem("phones-off", "")
}

// RemovePhone ends that.
func (w *Workspace) RemovePhone(ctx context.Context, space log.SpaceID, id string) error {
	return problem("phones-off", "")
}

// DecidePhone accepts or discards changes of such a device that are held.
func (w *Workspace) DecidePhone(ctx context.Context, space log.SpaceID, id string, accept bool) error {
	return problem("not-held")
}
