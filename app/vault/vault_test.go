package vault

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/zalando/go-keyring"
)

// A fakeStore is a key store that can fail, forget and hang.
type fakeStore struct {
	held  map[string]string
	err   error
	hangs chan struct{} // calls wait for it, if any
	lies  bool          // returns another text than was stored
}

func newFake() *fakeStore { return &fakeStore{held: map[string]string{}} }

func (f *fakeStore) call() error {
	if f.hangs != nil {
		<-f.hangs
	}
	return f.err
}

func (f *fakeStore) Get(service, user string) (string, error) {
	if err := f.call(); err != nil {
		return "", err
	}
	s, ok := f.held[service+"/"+user]
	if !ok {
		return "", ErrNoEntry
	}
	if f.lies {
		s = strings.Repeat("0", len(s))
	}
	return s, nil
}

func (f *fakeStore) Set(service, user, secret string) error {
	if err := f.call(); err != nil {
		return err
	}
	f.held[service+"/"+user] = secret
	return nil
}

func (f *fakeStore) Delete(service, user string) error {
	if err := f.call(); err != nil {
		return err
	}
	delete(f.held, service+"/"+user)
	return nil
}

func open(t *testing.T, dir string, opts Options) *Vault {
	t.Helper()
	v, err := Open(dir, opts)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func exists(dir, name string) bool {
	_, err := os.Stat(filepath.Join(dir, name))
	return err == nil
}

func TestKeyLiesInTheKeyStore(t *testing.T) {
	dir, ks := t.TempDir(), newFake()
	v := open(t, dir, Options{Store: ks, Fresh: true})
	if v.Place() != InKeyStore || len(ks.held) != 1 || exists(dir, keyFile) {
		t.Fatalf("place %s, %d in the key store", v.Place(), len(ks.held))
	}
	for name := range ks.held {
		if !strings.HasPrefix(name, "Inselnetz/") {
			t.Errorf("stored as %q", name)
		}
	}
	sealed := v.Seal("a", []byte("text"))
	again := open(t, dir, Options{Store: ks})
	if *again != *v {
		t.Error("another vault at the next start")
	}
	if got, err := again.Open("a", sealed); err != nil || string(got) != "text" {
		t.Errorf("Open = %q, %v", got, err)
	}
	// nothing in the directory opens it
	for _, name := range []string{markerFile} {
		raw, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || bytes.Contains(raw, []byte(hex.EncodeToString(v.key[:]))) {
			t.Errorf("%s holds the key (%v)", name, err)
		}
	}
}

func TestKeyLiesInAFile(t *testing.T) {
	for name, ks := range map[string]KeyStore{
		"no key store": nil, "key store fails": &fakeStore{err: errors.New("no such bus")}, "key store lies": &fakeStore{held: map[string]string{}, lies: true},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			v := open(t, dir, Options{Store: ks, Fresh: true})
			if v.Place() != InFile {
				t.Fatalf("place %s", v.Place())
			}
			info, err := os.Stat(filepath.Join(dir, keyFile))
			if err != nil || info.Mode().Perm()&0o077 != 0 && os.PathSeparator == '/' {
				t.Errorf("%v, %v", info.Mode(), err)
			}
			if f, ok := ks.(*fakeStore); ok && len(f.held) != 0 {
				t.Error("a key is left in a key store that is not used")
			}
			// a key store that turns up later changes nothing
			if again := open(t, dir, Options{Store: newFake()}); *again != *v {
				t.Error("another vault at the next start")
			}
		})
	}
}

// TestNoNewKeyWhileLocked: sealed things must not be lost to a key store that is
// away today.
func TestNoNewKeyWhileLocked(t *testing.T) {
	dir, ks := t.TempDir(), newFake()
	v := open(t, dir, Options{Store: ks, Fresh: true})
	before, err := os.ReadFile(filepath.Join(dir, markerFile))
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		ks   KeyStore
		want error
	}{
		"no key store in this session": {nil, ErrLocked},
		"locked":                       {&fakeStore{err: errors.New("prompt dismissed")}, ErrLocked},
		"another computer":             {newFake(), ErrGone},
		"another key of that name":     {&fakeStore{held: ks.held, lies: true}, ErrGone},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Open(dir, Options{Store: tt.ks, Fresh: true}); !errors.Is(err, tt.want) {
				t.Errorf("Open = %v, want %v", err, tt.want)
			}
			if after, err := os.ReadFile(filepath.Join(dir, markerFile)); err != nil || !bytes.Equal(after, before) || exists(dir, keyFile) {
				t.Error("the vault was changed")
			}
		})
	}
	if again := open(t, dir, Options{Store: ks}); *again != *v {
		t.Error("not found again")
	}
}

func TestKeyStoreThatHangs(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		ks := newFake()
		ks.hangs = make(chan struct{})
		begun := time.Now()
		v := open(t, dir, Options{Store: ks, Fresh: true})
		if v.Place() != InFile || time.Since(begun) > 3*time.Second {
			t.Errorf("place %s after %v", v.Place(), time.Since(begun))
		}
		other := t.TempDir()
		close(ks.hangs)
		synctest.Wait() // the late call is over: nobody else touches the store
		open(t, other, Options{Store: ks, Fresh: true})
		ks.hangs = make(chan struct{})
		begun = time.Now()
		if _, err := Open(other, Options{Store: ks}); !errors.Is(err, ErrLocked) || time.Since(begun) > 3*time.Second {
			t.Errorf("Open = %v after %v", err, time.Since(begun))
		}
		close(ks.hangs)
	})
}

// TestCrashWhileBeginning: at each point where the program may die, the next
// start ends with a vault, and nothing was sealed with a key that is gone.
func TestCrashWhileBeginning(t *testing.T) {
	t.Run("key in the key store, no marker", func(t *testing.T) {
		dir, ks := t.TempDir(), newFake()
		open(t, dir, Options{Store: ks, Fresh: true})
		if err := os.Remove(filepath.Join(dir, markerFile)); err != nil {
			t.Fatal(err)
		}
		v := open(t, dir, Options{Store: ks, Fresh: true})
		if again := open(t, dir, Options{Store: ks}); *again != *v {
			t.Error("another vault")
		}
	})
	t.Run("key in its file, no marker", func(t *testing.T) {
		dir := t.TempDir()
		v := open(t, dir, Options{Fresh: true})
		if err := os.Remove(filepath.Join(dir, markerFile)); err != nil {
			t.Fatal(err)
		}
		if again := open(t, dir, Options{}); *again != *v {
			t.Error("the key file was there and another key was made")
		}
	})
	t.Run("half a key, no marker", func(t *testing.T) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, keyFile), []byte("00"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(dir, Options{}); !errors.Is(err, ErrDamaged) {
			t.Errorf("Open = %v", err)
		}
		open(t, dir, Options{Fresh: true})
	})
	t.Run("no marker, but something is sealed", func(t *testing.T) {
		dir := t.TempDir()
		if _, err := Open(dir, Options{Store: newFake()}); !errors.Is(err, ErrGone) || exists(dir, markerFile) {
			t.Errorf("Open = %v", err)
		}
	})
}

func TestDamagedVault(t *testing.T) {
	for name, tt := range map[string]struct {
		file, text string
		want       error
	}{
		"marker empty":   {markerFile, "", ErrDamaged},
		"marker torn":    {markerFile, `{"version":1,`, ErrDamaged},
		"marker newer":   {markerFile, `{"version":2}`, ErrNewer},
		"no place":       {markerFile, `{"version":1,"check":"` + strings.Repeat("0", 32) + `"}`, ErrDamaged},
		"key torn":       {keyFile, "0123", ErrDamaged},
		"key not hex":    {keyFile, strings.Repeat("x", 64), ErrDamaged},
		"another key":    {keyFile, strings.Repeat("0", 64), ErrGone},
		"key file empty": {keyFile, "", ErrDamaged},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			open(t, dir, Options{Fresh: true})
			if err := os.WriteFile(filepath.Join(dir, tt.file), []byte(tt.text), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := Open(dir, Options{Fresh: true}); !errors.Is(err, tt.want) {
				t.Errorf("Open = %v, want %v", err, tt.want)
			}
		})
	}
}

func TestSealedIsBoundToItsPurpose(t *testing.T) {
	v := open(t, t.TempDir(), Options{Fresh: true})
	other := open(t, t.TempDir(), Options{Fresh: true})
	a, b := v.Seal("kit", []byte("text")), v.Seal("kit", []byte("text"))
	if bytes.Equal(a, b) || len(a) != 4+41 {
		t.Errorf("sealed twice alike, or %d bytes", len(a))
	}
	newer := bytes.Clone(a)
	newer[0]++
	flipped := bytes.Clone(a)
	flipped[len(flipped)-1] ^= 1
	for name, tt := range map[string]struct {
		v       *Vault
		purpose string
		sealed  []byte
		want    error
	}{
		"right":           {v, "kit", a, nil},
		"another purpose": {v, "identity", a, ErrDamaged},
		"another vault":   {other, "kit", a, ErrDamaged},
		"changed":         {v, "kit", flipped, ErrDamaged},
		"torn":            {v, "kit", a[:20], ErrDamaged},
		"empty":           {v, "kit", nil, ErrDamaged},
		"newer":           {v, "kit", newer, ErrNewer},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := tt.v.Open(tt.purpose, tt.sealed); !errors.Is(err, tt.want) {
				t.Errorf("Open = %v, want %v", err, tt.want)
			}
		})
	}
}

func TestSealedFiles(t *testing.T) {
	dir := t.TempDir()
	v := open(t, dir, Options{Fresh: true})
	if _, err := v.ReadSealed("kit.sealed"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("ReadSealed = %v", err)
	}
	if err := v.WriteSealed("kit.sealed", []byte("words")); err != nil {
		t.Fatal(err)
	}
	if got, err := v.ReadSealed("kit.sealed"); err != nil || string(got) != "words" {
		t.Errorf("ReadSealed = %q, %v", got, err)
	}
	raw, err := os.ReadFile(filepath.Join(dir, "kit.sealed"))
	if err != nil || bytes.Contains(raw, []byte("words")) {
		t.Errorf("%q, %v", raw, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "other"), raw, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := v.ReadSealed("other"); !errors.Is(err, ErrDamaged) {
		t.Errorf("under another name: %v", err)
	}
	// what another name still holds shows that removing overwrites first
	link := filepath.Join(dir, "link")
	if err := os.Link(filepath.Join(dir, "kit.sealed"), link); err != nil {
		t.Skip(err)
	}
	for range 2 {
		if err := v.Remove("kit.sealed"); err != nil || exists(dir, "kit.sealed") {
			t.Errorf("Remove = %v", err)
		}
	}
	if raw, err := os.ReadFile(link); err != nil || len(raw) != 0 {
		t.Errorf("%d bytes are left (%v)", len(raw), err)
	}
}

func TestOverwriteKeepsTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	for _, text := range []string{"a long old text", "new", "a longer text than before", ""} {
		if err := os.WriteFile(path, []byte("a long old text"), 0o600); err != nil {
			t.Fatal(err)
		}
		before, _ := os.Stat(path)
		if err := Overwrite(path, []byte(text)); err != nil {
			t.Fatal(err)
		}
		after, _ := os.Stat(path)
		if got, err := os.ReadFile(path); err != nil || string(got) != text || !os.SameFile(before, after) {
			t.Errorf("%q instead of %q, same file %v", got, text, os.SameFile(before, after))
		}
	}
	if err := Overwrite(path+"x", nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Overwrite = %v", err)
	}
}

// TestLibrary holds the library to what KeyStore says of it.
func TestLibrary(t *testing.T) {
	keyring.MockInit()
	ks := system{}
	if _, err := ks.Get(service, "a"); !errors.Is(err, ErrNoEntry) {
		t.Errorf("Get = %v", err)
	}
	dir := t.TempDir()
	v := open(t, dir, Options{Store: ks, Fresh: true})
	if again := open(t, dir, Options{Store: ks}); *again != *v || v.Place() != InKeyStore {
		t.Errorf("place %s", v.Place())
	}
	keyring.MockInitWithError(errors.New("locked"))
	if _, err := Open(dir, Options{Store: ks}); !errors.Is(err, ErrLocked) {
		t.Errorf("Open = %v", err)
	}
}

func FuzzMarker(f *testing.F) {
	f.Add([]byte(`{"version":1,"place":"file","id":"","check":"00000000000000000000000000000000"}`))
	f.Add([]byte(`{"version":1,"place":"keystore","id":"00000000000000000000000000000000","check":"00000000000000000000000000000000"}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if m, err := parseMarker(raw); err == nil && m.Place != InFile && m.Place != InKeyStore {
			t.Errorf("%+v", m)
		}
	})
}

func FuzzSealed(f *testing.F) {
	v := &Vault{}
	f.Add(v.Seal("a", []byte("text")))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if plain, err := v.Open("b", raw); err == nil {
			t.Errorf("opened for another purpose: %q", plain)
		}
		_, _ = v.Open("a", raw)
	})
}
