package bep

import (
	"context"
	"errors"
)

// A Gateway connects Syncthing devices with folders.
type Gateway struct {
	opts Options
}

// Open reads what the gateway remembers and begins to listen.
func Open(opts Options) (*Gateway, error) { return nil, errors.ErrUnsupported }

// Run serves until ctx ends and then closes what Open opened.
func (g *Gateway) Run(ctx context.Context) error { return errors.ErrUnsupported }

// Status returns how it stands.
func (g *Gateway) Status() Status { return Status{} }

// Accept lets in what the brake holds of a device in a share.
func (g *Gateway) Accept(ctx context.Context, share string, device DeviceID) error {
	return errors.ErrUnsupported
}

// Discard undoes what the device changed since the brake's window began, here
// and over there. Files it added stay.
func (g *Gateway) Discard(ctx context.Context, share string, device DeviceID) error {
	return errors.ErrUnsupported
}
