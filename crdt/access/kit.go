package access

import (
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/sha256"
	"fmt"
	"io"

	"inselnetz/crdt/log"
)

// A Kit is the printed recovery kit: the secret of a deputy that is no person.
// It is told as 24 words by crdt/pairing.
type Kit struct{ Secret [22]byte }

// NewKit makes a recovery kit.
func NewKit(random io.Reader) (Kit, error) {
	var k Kit
	if _, err := io.ReadFull(random, k.Secret[:]); err != nil {
		return k, fmt.Errorf("random kit: %w", err)
	}
	return k, nil
}

// Checksum returns the two bytes told after the secret.
func (k Kit) Checksum() [2]byte {
	h := sha256.Sum256(append([]byte("inselnetz/kit/1"), k.Secret[:]...))
	return [2]byte(h[:2])
}

func (k Kit) derive(info string) []byte {
	return must(hkdf.Key(sha256.New, k.Secret[:], nil, info, 32)) // fails for longer keys only
}

// Sign returns the key by which the kit approves steps.
func (k Kit) Sign() ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(k.derive("inselnetz/kit/sign/1"))
}

// Box returns the key that space keys are sealed to.
func (k Kit) Box() BoxSecret { return BoxSecret(k.derive("inselnetz/kit/box/1")) }

// Deputy returns the kit as a policy names it.
func (k Kit) Deputy() Deputy {
	return Deputy{Keys: []log.DeviceID{log.DeviceOf(k.Sign())}, Box: k.Box().Public()}
}

// card returns the keys of a kit in the form that wraps are bound to.
func (d Deputy) card() DeviceCard { return DeviceCard{Sign: d.Keys[0], Box: d.Box} }
