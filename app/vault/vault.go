// Package vault keeps this device's small secrets: one master key in the key
// store of the operating system, or else in a file, and whatever is sealed with
// it.
//
// The data directory alone is then worth nothing to whoever copies it, as long
// as the key lies in the key store. A key in a file protects from nobody who can
// read the directory; Place says which it is.
package vault

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/crypto/chacha20poly1305"
)

// A Place is where the master key lies.
type Place string

// Places of the master key.
const (
	InKeyStore Place = "keystore"
	InFile     Place = "file"
)

// Errors of Open, besides those of the file system.
var (
	// ErrLocked: the key lies in the key store, which does not answer or is
	// locked. It may answer later; no new key is made.
	ErrLocked = errors.New("key store is locked or not there")
	// ErrGone: the key store or the directory does not hold the key, as after
	// copying the data directory to another computer or account.
	ErrGone = errors.New("master key is not here")
	// ErrDamaged: a file of the vault, or something sealed, was changed.
	ErrDamaged = errors.New("vault is damaged")
	// ErrNewer: a newer program wrote the vault.
	ErrNewer = errors.New("vault of a newer program")
)

// Options says how to find the master key.
type Options struct {
	Store KeyStore      // of the operating system; nil: none, new keys go to a file
	Wait  time.Duration // at most for each call of the key store; 0 means 3 s
	Fresh bool          // nothing is sealed yet, so a new key may be made
}

// Files of a vault in the data directory.
const (
	markerFile = "master.json" // where the key lies, and by what it is known
	keyFile    = "master.key"  // the key, unless it lies in the key store
)

// A marker says where the master key is. It is written last: before it is there,
// nothing is sealed with the key.
type marker struct {
	Version int    `json:"version"`
	Place   Place  `json:"place"`
	ID      string `json:"id"`    // of this installation; names the key in the key store
	Check   string `json:"check"` // by which a wrong key is noticed
}

// A Vault holds the master key of one data directory. Equal vaults are ==.
type Vault struct {
	key   [32]byte
	place Place
	dir   string
}

// Open finds the master key of a data directory. If there is none and
// opts.Fresh is set, it makes one.
func Open(dir string, opts Options) (*Vault, error) {
	if opts.Wait <= 0 {
		opts.Wait = 3 * time.Second
	}
	raw, err := os.ReadFile(filepath.Join(dir, markerFile))
	if errors.Is(err, fs.ErrNotExist) {
		return begin(dir, opts)
	}
	if err != nil {
		return nil, fmt.Errorf("read vault: %w", err)
	}
	m, err := parseMarker(raw)
	if err != nil {
		return nil, err
	}
	v := &Vault{place: m.Place, dir: dir}
	if m.Place == InFile {
		v.key, err = readKey(dir)
	} else {
		v.key, err = fetch(opts, m.ID)
	}
	if err != nil {
		return nil, err
	}
	if subtle.ConstantTimeCompare([]byte(check(v.key)), []byte(m.Check)) != 1 {
		return nil, fmt.Errorf("%w: another key than before", ErrGone)
	}
	return v, nil
}

// begin makes a vault, or takes up one whose marker was lost or not yet written.
func begin(dir string, opts Options) (*Vault, error) {
	v := &Vault{dir: dir, place: InFile}
	key, err := readKey(dir)
	switch {
	case err == nil:
		v.key = key
		return v, v.mark("")
	case !errors.Is(err, ErrGone) && !errors.Is(err, ErrDamaged):
		return nil, err
	case !opts.Fresh:
		return nil, err
	}
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails since Go 1.24
	_, _ = rand.Read(v.key[:])
	name := hex.EncodeToString(id[:])
	if opts.Store != nil && keep(opts, name, v.key) == nil {
		v.place = InKeyStore
		return v, v.mark(name)
	}
	if err := WriteFile(filepath.Join(dir, keyFile), []byte(hex.EncodeToString(v.key[:])+"\n")); err != nil {
		return nil, err
	}
	if back, err := readKey(dir); err != nil || back != v.key {
		return nil, fmt.Errorf("%w: %s reads otherwise than written: %v", ErrDamaged, keyFile, err)
	}
	return v, v.mark(name)
}

func (v *Vault) mark(id string) error {
	raw, err := json.MarshalIndent(marker{Version: 1, Place: v.place, ID: id, Check: check(v.key)}, "", "\t")
	if err != nil {
		return err
	}
	return WriteFile(filepath.Join(v.dir, markerFile), append(raw, '\n'))
}

func parseMarker(raw []byte) (marker, error) {
	var m marker
	if err := json.Unmarshal(raw, &m); err != nil {
		return m, fmt.Errorf("%w: %s: %w", ErrDamaged, markerFile, err)
	}
	switch {
	case m.Version > 1:
		return m, fmt.Errorf("%w: version %d", ErrNewer, m.Version)
	case m.Version != 1 || m.Place != InFile && m.Place != InKeyStore || m.Place == InKeyStore && len(m.ID) != 32 || len(m.Check) != 32:
		return m, fmt.Errorf("%w: %s", ErrDamaged, markerFile)
	}
	return m, nil
}

// check is a fingerprint of a key; the key has 256 random bits, so it gives
// nothing away.
func check(key [32]byte) string {
	h := sha256.Sum256(append([]byte("inselnetz/vault/check/1"), key[:]...))
	return hex.EncodeToString(h[:16])
}

func readKey(dir string) (key [32]byte, err error) {
	raw, err := os.ReadFile(filepath.Join(dir, keyFile))
	if errors.Is(err, fs.ErrNotExist) {
		return key, fmt.Errorf("%w: no %s", ErrGone, keyFile)
	}
	if err != nil {
		return key, fmt.Errorf("read vault: %w", err)
	}
	return parseKey(string(raw))
}

// Place returns where the master key lies.
func (v *Vault) Place() Place { return v.place }

const sealVersion = 1

// Seal encrypts for this device alone. The same purpose must be told to Open.
// The result is 41 bytes longer than plain: version(1), nonce(24), tag(16).
func (v *Vault) Seal(purpose string, plain []byte) []byte {
	nonce := make([]byte, chacha20poly1305.NonceSizeX)
	_, _ = rand.Read(nonce) // never fails since Go 1.24
	out := append([]byte{sealVersion}, nonce...)
	aead, err := chacha20poly1305.NewX(v.key[:])
	if err != nil {
		panic(err) // the key has 32 bytes
	}
	return aead.Seal(out, nonce, plain, aad(purpose))
}

// Open reverses Seal. The error is ErrDamaged, or ErrNewer.
func (v *Vault) Open(purpose string, sealed []byte) ([]byte, error) {
	const head = 1 + chacha20poly1305.NonceSizeX
	if len(sealed) < head {
		return nil, fmt.Errorf("%w: %d bytes", ErrDamaged, len(sealed))
	}
	if sealed[0] != sealVersion {
		return nil, fmt.Errorf("%w: sealed as version %d", ErrNewer, sealed[0])
	}
	aead, err := chacha20poly1305.NewX(v.key[:])
	if err != nil {
		panic(err) // the key has 32 bytes
	}
	plain, err := aead.Open(nil, sealed[1:head], sealed[head:], aad(purpose))
	if err != nil {
		return nil, fmt.Errorf("%w: %s does not open", ErrDamaged, purpose)
	}
	return plain, nil
}

func aad(purpose string) []byte { return []byte("inselnetz/vault/1\x00" + purpose) }
