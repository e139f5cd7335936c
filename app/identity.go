package app

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"inselnetz/crdt/access"
	"inselnetz/crdt/chat"
	"inselnetz/crdt/log"
)

// identity is who this installation is. It is made once, at the first start,
// and is on disk before anything is signed with it. Losing the file means
// joining again as a new device; the entries written so far stay.
type identity struct {
	Version int    `json:"version"`
	Sign    secret `json:"sign"`    // seed of the Ed25519 key that signs entries
	Box     secret `json:"box"`     // X25519 key that space keys are wrapped to
	Network secret `json:"network"` // seed of the Ed25519 key of the network name
	Person  secret `json:"person"`  // the first half names this device's person, when it founds or joins
}

// A secret is written in hexadecimal.
type secret [32]byte

// MarshalText writes 64 hexadecimal digits.
func (s secret) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, s[:]), nil }

// UnmarshalText reads them.
func (s *secret) UnmarshalText(b []byte) error {
	if len(b) != hex.EncodedLen(len(s)) {
		return errors.New("a secret has 64 hexadecimal digits")
	}
	_, err := hex.Decode(s[:], b)
	return err
}

const identityFile = "identity.json"

func (i *identity) key() ed25519.PrivateKey { return ed25519.NewKeyFromSeed(i.Sign[:]) }

func (i *identity) network() ed25519.PrivateKey { return ed25519.NewKeyFromSeed(i.Network[:]) }

func (i *identity) device() log.DeviceID { return log.DeviceOf(i.key()) }

func (i *identity) person() chat.PersonID { return chat.PersonID(i.Person[:16]) }

// openIdentity reads the identity of a data directory or makes one.
func openIdentity(dir string) (*identity, error) {
	path := filepath.Join(dir, identityFile)
	raw, err := os.ReadFile(path)
	switch {
	case err == nil:
		var id identity
		if err := json.Unmarshal(raw, &id); err != nil || id.Version != 1 || id.Sign == (secret{}) || id.Network == (secret{}) {
			return nil, because("identity-damaged", err, path)
		}
		return &id, nil
	case !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("read identity: %w", err)
	}
	id := &identity{Version: 1}
	box, err := access.GenerateBox(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make key: %w", err)
	}
	id.Box = secret(box)
	for _, b := range [][]byte{id.Sign[:], id.Network[:], id.Person[:]} {
		if _, err := rand.Read(b); err != nil {
			return nil, fmt.Errorf("make key: %w", err)
		}
	}
	raw, err = json.MarshalIndent(id, "", "\t")
	if err != nil {
		return nil, err
	}
	return id, writeFile(path, append(raw, '\n'))
}

// writeFile replaces a file so that a crash leaves the old or the new one:
// temporary file, fsync, rename, fsync of the directory.
func writeFile(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }() // gone already when all went well
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(path), err)
	}
	if d, err := os.Open(filepath.Dir(path)); err == nil {
		_ = d.Sync() // Windows cannot; the rename is journalled there
		_ = d.Close()
	}
	return nil
}
