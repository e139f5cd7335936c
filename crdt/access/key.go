package access

import (
	"crypto/ecdh"
	"crypto/hpke"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"

	"inselnetz/crdt/log"
)

// A Wrap is a space key sealed to one device. Operations name the space of all
// by the zero id, in a Wrap as in the commitment: its real id is made of the
// workspace id, which is the hash of the entry that holds the first Wrap. (The
// control space, whose id is zero, has no keys.)
type Wrap struct {
	_      struct{} `cbor:",toarray"`
	Space  log.SpaceID
	Epoch  uint64
	Key    log.KeyID // Key.ID(Space, Epoch): which key of this epoch it is
	Sealed [80]byte  // HPKE: encapsulated key (32), ciphertext (32), tag (16)
}

// scope binds wraps to one workspace. The workspace id cannot: see Wrap.
type scope [32]byte

func scopeOf(salt [16]byte, founder log.DeviceID) scope {
	b := append([]byte("inselnetz/scope/1"), salt[:]...)
	return sha256.Sum256(append(b, founder[:]...))
}

func wrapInfo(s scope, to DeviceCard, space log.SpaceID, epoch uint64, id log.KeyID) []byte {
	b := append([]byte("inselnetz/wrap/1"), s[:]...)
	b = append(b, to.Sign[:]...)
	b = append(b, to.Box[:]...)
	b = append(b, space[:]...)
	b = binary.BigEndian.AppendUint64(b, epoch)
	return append(b, id[:]...)
}

// wrap seals a key to a device. space is as operations name it.
func wrap(s scope, to DeviceCard, space log.SpaceID, epoch uint64, key log.Key) (Wrap, error) {
	id := key.ID(space, epoch)
	sealed, err := Seal(to.Box, wrapInfo(s, to, space, epoch, id), key[:])
	if err != nil {
		return Wrap{}, err
	}
	return Wrap{Space: space, Epoch: epoch, Key: id, Sealed: [80]byte(sealed)}, nil
}

// unwrap opens a Wrap and checks that it holds the key it names.
func (w Wrap) unwrap(s scope, to DeviceCard, secret BoxSecret) (log.Key, error) {
	b, err := Open(secret, wrapInfo(s, to, w.Space, w.Epoch, w.Key), w.Sealed[:])
	if err != nil {
		return log.Key{}, err
	}
	key := log.Key(b)
	if key.ID(w.Space, w.Epoch) != w.Key {
		return log.Key{}, fmt.Errorf("%w: another key than it names", errVoid)
	}
	return key, nil
}

// The one HPKE suite in use: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256,
// ChaCha20-Poly1305, base mode. Another one needs another info text.
func suite() (hpke.KDF, hpke.AEAD) { return hpke.HKDFSHA256(), hpke.ChaCha20Poly1305() }

// Seal encrypts to a device's box key with HPKE; info is authenticated and not
// sent. The result is 48 bytes longer than plain.
func Seal(to BoxKey, info, plain []byte) ([]byte, error) {
	pub, err := hpke.DHKEM(ecdh.X25519()).NewPublicKey(to[:])
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCard, err)
	}
	kdf, aead := suite()
	sealed, err := hpke.Seal(pub, kdf, aead, info, plain)
	if err != nil {
		return nil, fmt.Errorf("seal to device: %w", err)
	}
	return sealed, nil
}

// Open reverses Seal.
func Open(secret BoxSecret, info, sealed []byte) ([]byte, error) {
	priv, err := hpke.DHKEM(ecdh.X25519()).NewPrivateKey(secret[:])
	if err != nil {
		return nil, fmt.Errorf("box key: %w", err)
	}
	kdf, aead := suite()
	plain, err := hpke.Open(priv, kdf, aead, info, sealed)
	if err != nil {
		return nil, fmt.Errorf("open what was sealed to this device: %w", err)
	}
	return plain, nil
}

// GenerateBox makes a device's box key.
func GenerateBox(random io.Reader) (BoxSecret, error) {
	var s BoxSecret
	if _, err := io.ReadFull(random, s[:]); err != nil {
		return s, fmt.Errorf("random box key: %w", err)
	}
	return s, nil
}

// Public returns the key others seal to.
func (s BoxSecret) Public() BoxKey {
	priv, err := ecdh.X25519().NewPrivateKey(s[:])
	if err != nil {
		panic(err) // 32 bytes are always an X25519 private key
	}
	return BoxKey(priv.PublicKey().Bytes())
}

// check refuses points of small order, to which nothing can be sealed, and
// those not in canonical form.
func (k BoxKey) check() error {
	canonical := k[31] < 0x7f || k[31] == 0x7f && k[0] < 0xed
	for _, b := range k[1:31] {
		canonical = canonical || k[31] == 0x7f && b != 0xff
	}
	if !canonical {
		return fmt.Errorf("%w: box key not in canonical form", ErrCard)
	}
	for _, s := range smallOrder {
		if hex.EncodeToString(k[:]) == s {
			return fmt.Errorf("%w: weak box key", ErrCard)
		}
	}
	return nil
}

// smallOrder holds the canonical u coordinates of curve25519 and its twist that
// have small order (RFC 7748, section 6.1).
var smallOrder = []string{
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0100000000000000000000000000000000000000000000000000000000000000",
	"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
	"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
}
