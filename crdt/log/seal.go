package log

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"golang.org/x/crypto/chacha20poly1305"
)

// A Key encrypts the payloads of one epoch of one space.
type Key [32]byte

// ID returns SHA-256("inselnetz/key/1" ‖ space ‖ epoch as 8 bytes big endian ‖
// key), first 16 bytes. It commits to the key.
func (k Key) ID(space SpaceID, epoch uint64) KeyID {
	b := append([]byte("inselnetz/key/1"), space[:]...)
	b = binary.BigEndian.AppendUint64(b, epoch)
	b = append(b, k[:]...)
	h := sha256.Sum256(b)
	return KeyID(h[:16])
}

// ErrSealed is returned when a payload does not open.
var ErrSealed = errors.New("payload does not open with this key")

// Overhead is the number of bytes Seal adds.
const Overhead = chacha20poly1305.NonceSizeX + chacha20poly1305.Overhead

// Seal encrypts a payload for its place: nonce(24) ‖ XChaCha20-Poly1305 with
// workspace ‖ log ‖ seq ‖ kind ‖ key id authenticated.
func Seal(random io.Reader, key Key, w WorkspaceID, h *Header, plain []byte) ([]byte, error) {
	aead, err := chacha20poly1305.NewX(key[:])
	if err != nil {
		return nil, err
	}
	out := make([]byte, chacha20poly1305.NonceSizeX, len(plain)+Overhead)
	if _, err := io.ReadFull(random, out); err != nil {
		return nil, fmt.Errorf("random nonce: %w", err)
	}
	return aead.Seal(out, out, plain, place(w, h)), nil
}

// Open reverses Seal.
func Open(key Key, w WorkspaceID, h *Header, payload []byte) ([]byte, error) {
	aead, err := chacha20poly1305.NewX(key[:])
	if err != nil {
		return nil, err
	}
	if len(payload) < Overhead {
		return nil, ErrSealed
	}
	n := chacha20poly1305.NonceSizeX
	plain, err := aead.Open(nil, payload[:n], payload[n:], place(w, h))
	if err != nil {
		return nil, ErrSealed
	}
	return plain, nil
}

func place(w WorkspaceID, h *Header) []byte {
	b := make([]byte, 0, 32+16+8+8+16)
	b = append(b, w[:]...)
	b = append(b, h.Log[:]...)
	b = binary.BigEndian.AppendUint64(b, h.Seq)
	b = binary.BigEndian.AppendUint64(b, uint64(h.Kind))
	if h.Key != nil {
		b = append(b, h.Key[:]...)
	}
	return b
}
