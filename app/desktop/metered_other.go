//go:build !linux && !windows

package desktop

// Metered says whether the connection of this computer is paid by volume: here the
// system cannot be asked.
func Metered() string { return "unknown" }
