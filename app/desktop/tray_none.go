//go:build !linux && !windows

package desktop

import "context"

// NewTray returns nil: on this platform the icon would take a C compiler.
func NewTray(context.Context, TrayWords, func(), func()) *Tray { return nil }

// Set does nothing.
func (t *Tray) Set(context.Context, TrayState) {}
