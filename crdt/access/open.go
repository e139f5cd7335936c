package access

import (
	"crypto/hkdf"
	"crypto/sha256"
	"fmt"
	"io"
	"slices"

	"golang.org/x/crypto/chacha20poly1305"

	"inselnetz/crdt/log"
)

// Keys returns the keys that the holder of a device's box secret can open, by
// the name that entries use: those sealed to it, older ones under them, and the
// keys of the network (Space is Network). It costs some hundred microseconds for
// each key that is not under another; keep the result.
func (s *State) Keys(secret BoxSecret) map[log.KeyID]SpaceKey {
	keys := map[log.KeyID]SpaceKey{}
	id, ok := s.boxes[secret.Public()]
	if !ok {
		return keys
	}
	card := s.devices[id].Card
	for _, r := range s.keys {
		s.openRing(keys, r, card, secret)
	}
	for _, w := range s.networkCopies(id) {
		s.tryWrap(keys, w, card, secret)
	}
	s.addNetwork(keys)
	return keys
}

// KitKeys returns the keys that a recovery kit can open.
func (s *State) KitKeys(k Kit) map[log.KeyID]SpaceKey {
	keys := map[log.KeyID]SpaceKey{}
	for _, r := range s.keys {
		s.openRing(keys, r, k.Deputy().card(), k.Box())
	}
	s.addNetwork(keys)
	return keys
}

// addNetwork adds the keys of the network that follow from keys of the space of
// all.
func (s *State) addNetwork(keys map[log.KeyID]SpaceKey) {
	for _, k := range s.ring(log.Everyone(s.Workspace)).list {
		if held, ok := keys[k.id]; ok {
			n := s.NetworkKey(held)
			keys[n.ID] = n
		}
	}
}

// NetworkKey returns the key by which devices know each other on the network in
// an epoch of the space of all, made of the key of that epoch.
func (s *State) NetworkKey(k SpaceKey) SpaceKey {
	key := log.Key(must(hkdf.Key(sha256.New, k.Key[:], nil, "inselnetz/network/1", 32))) // fails for longer keys only
	return SpaceKey{Space: Network, Epoch: k.Epoch, ID: key.ID(Network, k.Epoch), Key: key}
}

// openRing adds the keys of a space that a device can open. The newest come
// first, so that those under them cost little.
func (s *State) openRing(keys map[log.KeyID]SpaceKey, r *ring, card DeviceCard, secret BoxSecret) {
	for _, k := range slices.Backward(r.list) {
		if _, ok := keys[k.id]; ok {
			continue
		}
		for _, w := range lastByAuthor(k.wraps, card.Sign) {
			if s.tryWrap(keys, Wrap{Space: k.space, Epoch: k.epoch, Key: k.id, Sealed: w}, card, secret) {
				s.openOlder(keys, r, k)
				break
			}
		}
	}
}

// lastByAuthor returns the copies for a device, of each author the last one: a
// hostile author costs one try, an honest one can mend what it broke.
func lastByAuthor(all []wraps, to log.DeviceID) [][80]byte {
	var out [][80]byte
	seen := map[log.DeviceID]bool{}
	for _, w := range slices.Backward(all) {
		if seen[w.node.Card.Device] {
			continue
		}
		if i := slices.IndexFunc(w.list, func(d deviceWrap) bool { return d.Device == to }); i >= 0 {
			seen[w.node.Card.Device] = true
			out = append(out, w.list[i].Sealed)
		}
	}
	return out
}

// networkCopies returns the copies of network keys for a device, of each epoch
// and author the last one.
func (s *State) networkCopies(to log.DeviceID) []Wrap {
	type source struct {
		epoch  uint64
		author log.DeviceID
	}
	var out []Wrap
	seen := map[source]bool{}
	epochs := map[uint64]bool{}
	for _, k := range s.ring(log.Everyone(s.Workspace)).list {
		epochs[k.epoch] = true
	}
	for _, c := range slices.Backward(s.copies) {
		from := source{c.epoch, c.node.Card.Device}
		if seen[from] || !epochs[c.epoch] {
			continue
		}
		if i := slices.IndexFunc(c.list, func(d deviceWrap) bool { return d.Device == to }); i >= 0 {
			seen[from] = true
			out = append(out, Wrap{Space: Network, Epoch: c.epoch, Key: c.id, Sealed: c.list[i].Sealed})
		}
	}
	return out
}

func (s *State) tryWrap(keys map[log.KeyID]SpaceKey, w Wrap, card DeviceCard, secret BoxSecret) bool {
	key, err := w.unwrap(s.scope, card, secret)
	if err == nil {
		keys[w.Key] = SpaceKey{Space: s.space(w.Space), Epoch: w.Epoch, ID: w.Key, Key: key}
	}
	return err == nil
}

// openOlder adds the keys that lie under one that is held.
func (s *State) openOlder(keys map[log.KeyID]SpaceKey, r *ring, k *announced) {
	for stack := []*announced{k}; len(stack) > 0; {
		k := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		for _, p := range k.prevs {
			prev := r.keys[p.ID]
			if _, held := keys[p.ID]; held || p.Sealed == none {
				continue
			}
			if key, ok := openOld(keys[k.id], prev, p.Sealed); ok {
				keys[p.ID] = SpaceKey{Space: s.space(prev.space), Epoch: prev.epoch, ID: prev.id, Key: key}
				stack = append(stack, prev)
			}
		}
	}
}

// sealOld encrypts an older key under a new one of the same space:
//
//	nonce(24) ‖ XChaCha20-Poly1305(old key)
//
// with "inselnetz/old/1" ‖ new key id ‖ old key id authenticated.
func sealOld(random io.Reader, under log.Key, id log.KeyID, old SpaceKey) ([72]byte, error) {
	aead := must(chacha20poly1305.NewX(under[:])) // keys have the right length
	out := make([]byte, chacha20poly1305.NonceSizeX, 72)
	if _, err := io.ReadFull(random, out); err != nil {
		return none, fmt.Errorf("random nonce: %w", err)
	}
	return [72]byte(aead.Seal(out, out, old.Key[:], oldInfo(id, old.ID))), nil
}

// openOld reverses sealOld and checks that the key is the one it is named.
func openOld(under SpaceKey, old *announced, sealed [72]byte) (log.Key, bool) {
	aead := must(chacha20poly1305.NewX(under.Key[:]))
	n := chacha20poly1305.NonceSizeX
	plain, err := aead.Open(nil, sealed[:n], sealed[n:], oldInfo(under.ID, old.id))
	if err != nil {
		return log.Key{}, false
	}
	key := log.Key(plain)
	return key, key.ID(old.space, old.epoch) == old.id
}

func oldInfo(under, old log.KeyID) []byte {
	b := append([]byte("inselnetz/old/1"), under[:]...)
	return append(b, old[:]...)
}

// SpaceName returns the name of a named space. It returns false without the key.
func (s *State) SpaceName(id log.SpaceID, keys map[log.KeyID]SpaceKey) (string, bool) {
	sp, ok := s.Spaces[id]
	if !ok {
		return "", false
	}
	key, ok := keys[sp.NameKey]
	if !ok {
		return "", false
	}
	name, err := openName(key, s.Workspace, sp.Name)
	return name, err == nil
}

// Policy returns the recovery policy in force and the number of steps that were
// accepted. Without deputies the policy is empty.
func (s *State) Policy() (Policy, int) {
	n := 0
	for _, st := range s.steps {
		if st.Accepted {
			n++
		}
	}
	return s.policy, n
}

// Steps returns the accepted steps in their order, then the open ones of the
// next generation.
func (s *State) Steps() []StepState { return slices.Clone(s.steps) }
