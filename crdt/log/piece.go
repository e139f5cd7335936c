package log

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"

	"golang.org/x/crypto/chacha20poly1305"
)

// Pieces of files travel beside the logs. Whoever must not read them keeps them
// sealed, under names that tell nothing to those without the key.

// PieceOverhead is the number of bytes SealPiece adds.
const PieceOverhead = 16 + Overhead

// PieceName returns the name under which a carrier knows a piece of a content:
// HMAC-SHA256 over content ‖ index as 4 bytes big endian, with the key
// HKDF-SHA256(k, "inselnetz/piece name/1"). All devices of a space use the key
// of its first epoch, so that a piece keeps its name.
func PieceName(k Key, content Hash, index uint32) Hash {
	mac := hmac.New(sha256.New, derive(k, "inselnetz/piece name/1"))
	mac.Write(content[:])
	mac.Write(binary.BigEndian.AppendUint32(nil, index))
	return Hash(mac.Sum(nil))
}

// SealPiece appends a sealed piece to buf: key id(16) ‖ nonce(24) ‖
// XChaCha20-Poly1305 with the key HKDF-SHA256(k, "inselnetz/piece/1") and the
// piece's name authenticated.
func SealPiece(random io.Reader, buf []byte, id KeyID, k Key, name Hash, plain []byte) ([]byte, error) {
	aead, err := chacha20poly1305.NewX(derive(k, "inselnetz/piece/1"))
	if err != nil {
		return nil, err
	}
	buf = append(buf, id[:]...)
	from := len(buf)
	buf = append(buf, make([]byte, chacha20poly1305.NonceSizeX)...)
	nonce := buf[from:]
	if _, err := io.ReadFull(random, nonce); err != nil {
		return nil, fmt.Errorf("random nonce: %w", err)
	}
	return aead.Seal(buf, nonce, plain, name[:]), nil
}

// OpenPiece reverses SealPiece with the key that key finds. The error is
// ErrSealed.
func OpenPiece(sealed []byte, name Hash, key func(KeyID) (Key, bool)) ([]byte, error) {
	if len(sealed) < PieceOverhead {
		return nil, ErrSealed
	}
	k, ok := key(KeyID(sealed[:16]))
	if !ok {
		return nil, fmt.Errorf("%w: sealed with a key that is not known", ErrSealed)
	}
	aead, err := chacha20poly1305.NewX(derive(k, "inselnetz/piece/1"))
	if err != nil {
		return nil, err
	}
	nonce, rest := sealed[16:16+chacha20poly1305.NonceSizeX], sealed[16+chacha20poly1305.NonceSizeX:]
	plain, err := aead.Open(nil, nonce, rest, name[:])
	if err != nil {
		return nil, ErrSealed
	}
	return plain, nil
}

func derive(k Key, purpose string) []byte {
	out, err := hkdf.Expand(sha256.New, k[:], purpose, 32)
	if err != nil {
		panic(err) // the length is fixed and short
	}
	return out
}
