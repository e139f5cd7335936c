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
	"slices"

	"inselnetz/app/vault"
	"inselnetz/crdt/access"
	"inselnetz/crdt/chat"
	"inselnetz/crdt/log"
)

// identity is who this installation is. It is made once, at the first start,
// and is on disk before anything is signed with it. Losing the file means
// joining again as a new device; the entries written so far stay.
type identity struct {
	Sign    secret // seed of the Ed25519 key that signs entries
	Box     secret // X25519 key that space keys are wrapped to
	Network secret // seed of the Ed25519 key of the network name
	Person  secret // the first half names this device's person, when it founds or joins

	vault vault.Vault // this device's other secrets
}

// identityText is the identity as a file: in clear what is public, and the
// secrets sealed by the vault.
type identityText struct {
	Version int    `json:"version"`
	Device  secret `json:"device"` // public signing key
	Sealed  []byte `json:"sealed"` // Sign, Box, Network, Person
}

// identityText1 is the first version, which held the secrets in clear.
type identityText1 struct {
	Version int    `json:"version"`
	Sign    secret `json:"sign"`
	Box     secret `json:"box"`
	Network secret `json:"network"`
	Person  secret `json:"person"`
}

// A secret, or what is made public of it, is written in hexadecimal.
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

// identityNext holds the new content of identityFile while it is written over
// the old one.
const identityNext = identityFile + ".next"

const identityPurpose = "identity"

// openIdentity reads the identity of a data directory or makes one. Its secrets
// are sealed with a key that lies in the key store, or in a file if keys is nil
// or does not work.
func openIdentity(dir string, keys vault.KeyStore) (*identity, error) {
	path := filepath.Join(dir, identityFile)
	if err := finishIdentity(dir); err != nil {
		return nil, err
	}
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return newIdentity(dir, keys)
	}
	if err != nil {
		return nil, fmt.Errorf("read identity: %w", err)
	}
	var old identityText1
	if err := json.Unmarshal(raw, &old); err != nil && old.Version <= 1 {
		return nil, because("identity-damaged", err, path)
	}
	switch {
	case old.Version == 1 && old.Sign != (secret{}) && old.Network != (secret{}):
		return sealIdentity(dir, keys, old)
	case old.Version > 2:
		return nil, because("newer-data", fmt.Errorf("identity of version %d", old.Version))
	case old.Version != 2:
		return nil, because("identity-damaged", err, path)
	}
	return unsealIdentity(dir, keys, raw)
}

// finishIdentity finishes what sealIdentity was at when the program ended.
func finishIdentity(dir string) error {
	next := filepath.Join(dir, identityNext)
	raw, err := os.ReadFile(next)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read identity: %w", err)
	}
	if err := vault.Overwrite(filepath.Join(dir, identityFile), raw); err != nil {
		return fmt.Errorf("write identity: %w", err)
	}
	if err := os.Remove(next); err != nil {
		return fmt.Errorf("write identity: %w", err)
	}
	vault.SyncDir(dir)
	return nil
}

// sealIdentity seals the secrets of a first version. The file stays the same
// file, because the guard knows it by its number, and its old content is
// overwritten; a copy of the new one lies beside it meanwhile.
func sealIdentity(dir string, keys vault.KeyStore, old identityText1) (*identity, error) {
	v, err := openVault(dir, keys, true)
	if err != nil {
		return nil, err
	}
	id := &identity{Sign: old.Sign, Box: old.Box, Network: old.Network, Person: old.Person, vault: *v}
	raw, err := id.text()
	if err != nil {
		return nil, err
	}
	if err := writeFile(filepath.Join(dir, identityNext), raw); err != nil {
		return nil, err
	}
	return id, finishIdentity(dir)
}

func unsealIdentity(dir string, keys vault.KeyStore, raw []byte) (*identity, error) {
	path := filepath.Join(dir, identityFile)
	var t identityText
	if err := json.Unmarshal(raw, &t); err != nil || len(t.Sealed) == 0 {
		return nil, because("identity-damaged", err, path)
	}
	v, err := openVault(dir, keys, false)
	if err != nil {
		return nil, err
	}
	plain, err := v.Open(identityPurpose, t.Sealed)
	if err != nil {
		return nil, because("identity-damaged", err, path)
	}
	id := &identity{vault: *v}
	all := []*secret{&id.Sign, &id.Box, &id.Network, &id.Person}
	if len(plain) != len(all)*len(secret{}) {
		return nil, because("identity-damaged", fmt.Errorf("%d bytes of secrets", len(plain)), path)
	}
	for i, s := range all {
		copy(s[:], plain[i*len(s):])
	}
	if secret(id.device()) != t.Device {
		return nil, because("identity-damaged", errors.New("secrets of another device"), path)
	}
	return id, nil
}

func newIdentity(dir string, keys vault.KeyStore) (*identity, error) {
	v, err := openVault(dir, keys, true)
	if err != nil {
		return nil, err
	}
	id := &identity{vault: *v}
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
	raw, err := id.text()
	if err != nil {
		return nil, err
	}
	return id, writeFile(filepath.Join(dir, identityFile), raw)
}

// text returns the identity as its file holds it.
func (i *identity) text() ([]byte, error) {
	plain := slices.Concat(i.Sign[:], i.Box[:], i.Network[:], i.Person[:])
	raw, err := json.MarshalIndent(identityText{Version: 2, Device: secret(i.device()), Sealed: i.vault.Seal(identityPurpose, plain)}, "", "\t")
	return append(raw, '\n'), err
}

// openVault opens the vault of a data directory; fresh: it may be a new one. Its
// errors have a sentence.
func openVault(dir string, keys vault.KeyStore, fresh bool) (*vault.Vault, error) {
	v, err := vault.Open(dir, vault.Options{Store: keys, Fresh: fresh})
	switch {
	case errors.Is(err, vault.ErrLocked):
		return nil, because("identity-locked", err)
	case errors.Is(err, vault.ErrGone):
		return nil, because("identity-elsewhere", err, dir)
	case errors.Is(err, vault.ErrNewer):
		return nil, because("newer-data", err)
	case errors.Is(err, vault.ErrDamaged):
		return nil, because("identity-damaged", err, dir)
	}
	return v, err
}

// sealFile keeps a small secret of this device as a sealed file of the data
// directory, such as a recovery kit until it is printed.
func (i *identity) sealFile(name string, plain []byte) error { return i.vault.WriteSealed(name, plain) }

// openFile reads what sealFile wrote; the error is fs.ErrNotExist if nothing did.
func (i *identity) openFile(name string) ([]byte, error) { return i.vault.ReadSealed(name) }

// dropFile overwrites and removes what sealFile wrote.
func (i *identity) dropFile(name string) error { return i.vault.Remove(name) }

// writeFile replaces a file so that a crash leaves the old or the new one.
func writeFile(path string, data []byte) error { return vault.WriteFile(path, data) }
