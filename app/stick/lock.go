package stick

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"golang.org/x/crypto/chacha20poly1305"

	"inselnetz/crdt/access"
	"inselnetz/crdt/log"
)

const (
	lockKeys  = 4 // keys a lock is opened by; fewer are filled up
	lockStep  = 16
	maxBoxes  = 1024
	wrapLen   = 32 + chacha20poly1305.Overhead
	boxLen    = 32 + 48 // HPKE: encapsulated key, ciphertext, tag
	lockFixed = 2 + lockKeys*wrapLen
)

type secret [32]byte

// scope is what a lock belongs to: a file, by its salt, and a space of it. No two
// locks share one, so that no key is used twice with one nonce.
type scope struct {
	salt   [32]byte
	space  log.SpaceID // the control space: the file itself
	number uint64      // of the record
}

func (s scope) info(purpose string) []byte {
	b := append([]byte("inselnetz/stick/1/"+purpose), s.salt[:]...)
	return binary.BigEndian.AppendUint64(append(b, s.space[:]...), s.number)
}

func (s scope) wrapKey(k log.Key) []byte { return derive(k[:], s.salt[:], string(s.info("key"))) }

func derive(key, salt []byte, info string) []byte {
	out, err := hkdf.Key(sha256.New, key, salt, info, chacha20poly1305.KeySize)
	if err != nil {
		panic(err) // only for lengths that are wrong
	}
	return out
}

// makeLock seals a secret. How many may open it shows only in steps of sixteen:
// what is missing is filled up with the same made for nobody.
func makeLock(s scope, what secret, whom Locks) ([]byte, error) {
	boxes := whom.Boxes
	if len(boxes) > maxBoxes {
		return nil, fmt.Errorf("sealed to %d devices, at most %d", len(boxes), maxBoxes)
	}
	n := max(lockStep, (len(boxes)+lockStep-1)/lockStep*lockStep)
	out := binary.BigEndian.AppendUint16(make([]byte, 0, lockFixed+n*boxLen), uint16(n))
	for i := range lockKeys {
		var k log.Key
		_, _ = rand.Read(k[:]) // never fails since Go 1.24
		if i < len(whom.Keys) {
			k = whom.Keys[i]
		}
		out = seal(out, s.wrapKey(k), 0, what[:])
	}
	for i := range n {
		to, plain := access.BoxKey{}, what
		if i < len(boxes) {
			to = boxes[i]
		} else {
			nobody, err := access.GenerateBox(rand.Reader)
			if err != nil {
				return nil, err
			}
			to = nobody.Public()
			_, _ = rand.Read(plain[:])
		}
		box, err := access.Seal(to, s.info("box"), plain[:])
		if err != nil {
			return nil, err
		}
		out = append(out, box...)
	}
	return out, nil
}

// openLock tries what there is on a lock.
func openLock(s scope, lock []byte, keys []log.Key, box access.BoxSecret) (what secret, ok bool) {
	wraps, boxes := lock[2:lockFixed], lock[lockFixed:]
	for _, k := range keys {
		for i := range lockKeys {
			if plain, err := open(s.wrapKey(k), 0, wraps[i*wrapLen:(i+1)*wrapLen]); err == nil {
				return secret(plain), true
			}
		}
	}
	for ; len(boxes) >= boxLen; boxes = boxes[boxLen:] {
		if plain, err := access.Open(box, s.info("box"), boxes[:boxLen]); err == nil && len(plain) == len(what) {
			return secret(plain), true
		}
	}
	return what, false
}

// lockSize returns the length of a lock that begins with these two bytes.
func lockSize(head []byte) (int, bool) {
	n := int(binary.BigEndian.Uint16(head))
	return lockFixed + n*boxLen, n > 0 && n <= maxBoxes && n%lockStep == 0
}

// seal and open encrypt with a key of which each number is used once.
func seal(out, key []byte, number uint64, plain []byte) []byte {
	aead, err := chacha20poly1305.New(key)
	if err != nil {
		panic(err) // the length is fixed
	}
	return aead.Seal(out, nonce(number, false), plain, nil)
}

func open(key []byte, number uint64, sealed []byte) ([]byte, error) {
	aead, err := chacha20poly1305.New(key)
	if err != nil {
		panic(err)
	}
	return aead.Open(nil, nonce(number, false), sealed, nil)
}

func nonce(number uint64, last bool) []byte {
	n := binary.BigEndian.AppendUint64(make([]byte, 3, chacha20poly1305.NonceSize), number)
	if last {
		return append(n, 1)
	}
	return append(n, 0)
}
