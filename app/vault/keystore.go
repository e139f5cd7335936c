package vault

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/zalando/go-keyring"
)

// A KeyStore keeps texts by service and user: the Windows Credential Manager,
// the macOS Keychain, the Secret Service of a Linux desktop.
type KeyStore interface {
	// Get returns ErrNoEntry if the key store answers and holds none.
	Get(service, user string) (string, error)
	Set(service, user, secret string) error
	Delete(service, user string) error
}

// ErrNoEntry is the error of a KeyStore that answers and does not hold what was
// asked for.
var ErrNoEntry = errors.New("no such entry in the key store")

const service = "Inselnetz"

// System returns the key store of the operating system, or nil where there
// cannot be one, such as on a computer without a desktop.
func System() KeyStore {
	if !reachable() {
		return nil
	}
	return system{}
}

type system struct{}

func (system) Get(service, user string) (string, error) {
	s, err := keyring.Get(service, user)
	if errors.Is(err, keyring.ErrNotFound) {
		err = ErrNoEntry
	}
	return s, err
}

func (system) Set(service, user, secret string) error { return keyring.Set(service, user, secret) }

func (system) Delete(service, user string) error { return keyring.Delete(service, user) }

// keep stores a key and reads it back: a key store that forgets must not be
// trusted with it.
func keep(opts Options, id string, key [32]byte) error {
	text := hex.EncodeToString(key[:])
	_, err := within(opts.Wait, func() (string, error) { return "", opts.Store.Set(service, id, text) })
	if err == nil {
		var back string
		if back, err = within(opts.Wait, func() (string, error) { return opts.Store.Get(service, id) }); err == nil && back != text {
			err = fmt.Errorf("%w: key store returns another text", ErrDamaged)
		}
	}
	if err != nil && !errors.Is(err, errSlow) {
		_, _ = within(opts.Wait, func() (string, error) { return "", opts.Store.Delete(service, id) }) // of no use to anybody
	}
	return err
}

// fetch reads a key that was stored before.
func fetch(opts Options, id string) (key [32]byte, err error) {
	if opts.Store == nil {
		return key, fmt.Errorf("%w: this session has none", ErrLocked)
	}
	text, err := within(opts.Wait, func() (string, error) { return opts.Store.Get(service, id) })
	switch {
	case errors.Is(err, ErrNoEntry):
		return key, fmt.Errorf("%w: the key store does not hold it", ErrGone)
	case err != nil:
		return key, fmt.Errorf("%w: %w", ErrLocked, err)
	}
	return parseKey(text)
}

func parseKey(text string) (key [32]byte, err error) {
	text = strings.TrimSpace(text)
	if len(text) != hex.EncodedLen(len(key)) {
		return key, fmt.Errorf("%w: master key of %d digits", ErrDamaged, len(text))
	}
	if _, err := hex.Decode(key[:], []byte(text)); err != nil {
		return key, fmt.Errorf("%w: master key is not hexadecimal", ErrDamaged)
	}
	return key, nil
}

var errSlow = errors.New("key store does not answer in time")

// within waits for a call at most so long. The call itself cannot be stopped: a
// key store may be asking somebody for a password. It is left behind.
func within(limit time.Duration, call func() (string, error)) (string, error) {
	type result struct {
		text string
		err  error
	}
	done := make(chan result, 1)
	go func() {
		text, err := call()
		done <- result{text, err}
	}()
	late := time.NewTimer(limit)
	defer late.Stop()
	select {
	case r := <-done:
		return r.text, r.err
	case <-late.C:
		return "", errSlow
	}
}
