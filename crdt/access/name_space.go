package access

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"golang.org/x/crypto/chacha20poly1305"

	"inselnetz/crdt/log"
)

// nameOverhead is what sealing adds to a padded name: key id, nonce and tag.
const nameOverhead = 16 + chacha20poly1305.NonceSizeX + chacha20poly1305.Overhead

// namePad: sealed names are multiples of it long, so that their length says
// little of the name to those who cannot read it.
const namePad = 64

// sealName encrypts the name of a space:
//
//	key id(16) ‖ nonce(24) ‖ XChaCha20-Poly1305(name, zeros up to a multiple of 64 bytes)
//
// with "inselnetz/name/1" ‖ workspace ‖ space authenticated.
func sealName(random io.Reader, key SpaceKey, w log.WorkspaceID, name string) ([]byte, error) {
	if len(name) > maxText {
		return nil, &NameError{"too-long"}
	}
	aead := must(chacha20poly1305.NewX(key.Key[:])) // keys have the right length
	out := make([]byte, 16+chacha20poly1305.NonceSizeX, maxSealed)
	copy(out, key.ID[:])
	nonce := out[16:]
	if _, err := io.ReadFull(random, nonce); err != nil {
		return nil, fmt.Errorf("random nonce: %w", err)
	}
	plain := make([]byte, max(1, (len(name)+namePad-1)/namePad)*namePad)
	copy(plain, name)
	return aead.Seal(out, nonce, plain, nameInfo(w, key.Space)), nil
}

// openName reverses sealName.
func openName(key SpaceKey, w log.WorkspaceID, sealed []byte) (string, error) {
	if len(sealed) < nameOverhead || nameKey(sealed) != key.ID {
		return "", errors.New("name sealed with another key")
	}
	aead := must(chacha20poly1305.NewX(key.Key[:]))
	plain, err := aead.Open(nil, sealed[16:40], sealed[40:], nameInfo(w, key.Space))
	if err != nil {
		return "", fmt.Errorf("open name: %w", err)
	}
	return string(bytes.TrimRight(plain, "\x00")), nil
}

// nameKey returns the key that a sealed name names.
func nameKey(sealed []byte) log.KeyID {
	if len(sealed) < nameOverhead {
		return log.KeyID{}
	}
	return log.KeyID(sealed[:16])
}

func nameInfo(w log.WorkspaceID, space log.SpaceID) []byte {
	b := append([]byte("inselnetz/name/1"), w[:]...)
	return append(b, space[:]...)
}
