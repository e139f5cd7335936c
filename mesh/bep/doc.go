// Package bep shares folders with stock Syncthing devices (a phone, an existing
// NAS) by their protocol, BEP, over TLS.
package bep
