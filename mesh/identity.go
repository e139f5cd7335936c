package mesh

import (
	"crypto/ed25519"

	"inselnetz/crdt/log"
)

// Identity is what a device proves in the hello.
type Identity struct {
	Device   log.DeviceID
	Key      ed25519.PrivateKey
	Instance [16]byte                // random for each start of the program
	Keys     func() []log.Key        // network keys that prove membership, newest first; none before joining
	Removed  func(log.DeviceID) bool // whether a device was in the workspace and is not any more; nil: none was
}
