package app

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"inselnetz/app/vault"
)

// A memoryStore is a key store; failing says that it does not answer.
type memoryStore struct {
	held    map[string]string
	failing bool
}

func (m *memoryStore) Get(_, user string) (string, error) {
	if m.failing {
		return "", errors.New("locked")
	}
	if s, ok := m.held[user]; ok {
		return s, nil
	}
	return "", vault.ErrNoEntry
}

func (m *memoryStore) Set(_, user, secret string) error {
	if m.failing {
		return errors.New("locked")
	}
	m.held[user] = secret
	return nil
}

func (m *memoryStore) Delete(_, user string) error {
	delete(m.held, user)
	return nil
}

func TestIdentity(t *testing.T) {
	dir := t.TempDir()
	made, err := openIdentity(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	again, err := openIdentity(dir, nil)
	if err != nil || *again != *made {
		t.Fatalf("identity changed between starts (%v)", err)
	}
	if err := made.device().Check(); err != nil {
		t.Error(err)
	}
	for name, tt := range map[string]struct{ raw, code string }{
		"empty": {"", "identity-damaged"}, "cut": {"{\"version\":1", "identity-damaged"},
		"no keys": {"{\"version\":1}", "identity-damaged"}, "not hex": {"{\"version\":1,\"sign\":\"xx\"}", "identity-damaged"},
		"nothing sealed": {"{\"version\":2}", "identity-damaged"}, "sealed nonsense": {"{\"version\":2,\"sealed\":\"AAAA\"}", "identity-damaged"},
		"newer": {"{\"version\":3,\"sign\":\"xx\"}", "newer-data"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile(filepath.Join(dir, identityFile), []byte(tt.raw), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := openIdentity(dir, nil); !isProblem(err, tt.code) {
				t.Errorf("got %v, want %s", err, tt.code)
			}
		})
	}
}

// hidden fails if one of the secrets stands in a file of the directory.
func hidden(t *testing.T, dir string, id *identity) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		for name, s := range map[string]secret{"sign": id.Sign, "box": id.Box, "network": id.Network, "person": id.Person} {
			if bytes.Contains(raw, s[:]) || bytes.Contains(raw, []byte(hex.EncodeToString(s[:]))) {
				t.Errorf("%s holds the secret %s", filepath.Base(path), name)
			}
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestIdentityIsSealed(t *testing.T) {
	dir, ks := t.TempDir(), &memoryStore{held: map[string]string{}}
	id, err := openIdentity(dir, ks)
	if err != nil {
		t.Fatal(err)
	}
	hidden(t, dir, id)
	if id.vault.Place() != vault.InKeyStore {
		t.Errorf("key in %s", id.vault.Place())
	}
	if err := id.sealFile("kit.sealed", []byte("words")); err != nil {
		t.Fatal(err)
	}
	again, err := openIdentity(dir, ks)
	if err != nil || *again != *id {
		t.Fatalf("identity changed between starts (%v)", err)
	}
	if got, err := again.openFile("kit.sealed"); err != nil || string(got) != "words" {
		t.Errorf("openFile = %q, %v", got, err)
	}
	if err := again.dropFile("kit.sealed"); err != nil {
		t.Error(err)
	}
	if _, err := again.openFile("kit.sealed"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("openFile = %v", err)
	}
}

// TestIdentityCopied: whoever carries the directory off has nothing, and what is
// there is left as it is for the day when the key store answers again.
func TestIdentityCopied(t *testing.T) {
	dir, ks := t.TempDir(), &memoryStore{held: map[string]string{}}
	id, err := openIdentity(dir, ks)
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		keys vault.KeyStore
		code string
	}{
		"no key store":     {nil, "identity-locked"},
		"locked":           {&memoryStore{failing: true}, "identity-locked"},
		"another computer": {&memoryStore{held: map[string]string{}}, "identity-elsewhere"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := openIdentity(dir, tt.keys); !isProblem(err, tt.code) {
				t.Errorf("got %v, want %s", err, tt.code)
			}
		})
	}
	if again, err := openIdentity(dir, ks); err != nil || *again != *id {
		t.Errorf("not opened again: %v", err)
	}
	// the public part must belong to the secrets
	raw, err := os.ReadFile(filepath.Join(dir, identityFile))
	if err != nil {
		t.Fatal(err)
	}
	var text identityText
	if err := json.Unmarshal(raw, &text); err != nil || text.Device != secret(id.device()) {
		t.Fatalf("%s, %v", raw, err)
	}
	text.Device[0] ^= 1
	raw, _ = json.Marshal(text)
	if err := os.WriteFile(filepath.Join(dir, identityFile), raw, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := openIdentity(dir, ks); !isProblem(err, "identity-damaged") {
		t.Errorf("got %v", err)
	}
}

// TestIdentityOfTheFirstVersion: it is sealed at the next start, the device stays
// who it is, in the same file, and nothing of the old content is left.
func TestIdentityOfTheFirstVersion(t *testing.T) {
	old := identityText1{Version: 1, Sign: secret{1}, Box: secret{2, 2}, Network: secret{3, 3, 3}, Person: secret{4, 4, 4, 4}}
	for i := range old.Sign {
		old.Sign[i], old.Box[i], old.Network[i], old.Person[i] = byte(i+1), byte(i+2), byte(i+3), byte(i+4)
	}
	raw, err := json.MarshalIndent(old, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	// the points at which the program may die
	for name, prepare := range map[string]func(dir string, next []byte){
		"at once":       func(string, []byte) {},
		"with the next": func(dir string, next []byte) { write(t, dir, identityNext, next) },
		"while writing": func(dir string, next []byte) {
			write(t, dir, identityNext, next)
			write(t, dir, identityFile, append(bytes.Clone(next[:100]), raw[100:]...))
		},
		"before cutting": func(dir string, next []byte) {
			write(t, dir, identityNext, next)
			write(t, dir, identityFile, append(bytes.Clone(next), 0, 0))
		},
		"nearly done": func(dir string, next []byte) { write(t, dir, identityNext, next); write(t, dir, identityFile, next) },
	} {
		t.Run(name, func(t *testing.T) {
			ks := &memoryStore{held: map[string]string{}}
			done := t.TempDir()
			write(t, done, identityFile, raw)
			if _, err := openIdentity(done, ks); err != nil {
				t.Fatal(err)
			}
			next, err := os.ReadFile(filepath.Join(done, identityFile))
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			write(t, dir, identityFile, raw)
			if name != "at once" { // the vault was there before
				marker, err := os.ReadFile(filepath.Join(done, "master.json"))
				if err != nil {
					t.Fatal(err)
				}
				write(t, dir, "master.json", marker)
			}
			prepare(dir, next)
			before, err := os.Stat(filepath.Join(dir, identityFile))
			if err != nil {
				t.Fatal(err)
			}
			held := len(ks.held)
			for range 2 {
				id, err := openIdentity(dir, ks)
				if err != nil || id.Sign != old.Sign || id.Box != old.Box || id.Network != old.Network || id.Person != old.Person {
					t.Fatalf("another identity: %v", err)
				}
				hidden(t, dir, id)
			}
			if after, err := os.Stat(filepath.Join(dir, identityFile)); err != nil || !os.SameFile(before, after) {
				t.Errorf("it is another file now, which the guard takes for a copy (%v)", err)
			}
			if _, err := os.Stat(filepath.Join(dir, identityNext)); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("the next one is left: %v", err)
			}
			if n := len(ks.held); name != "at once" && n != held {
				t.Errorf("%d keys in the key store: %v", n, maps.Keys(ks.held))
			}
		})
	}
}

func write(t *testing.T, dir, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// FuzzIdentity reads any bytes as the file of the identity.
func FuzzIdentity(f *testing.F) {
	f.Add([]byte(`{"version":2,"device":"` + strings.Repeat("0", 64) + `","sealed":"AAAA"}`))
	f.Add([]byte(`{"version":1,"sign":"` + strings.Repeat("1", 64) + `"}`))
	f.Add([]byte(`{"version":1,"sign":"` + strings.Repeat("1", 64) + `","network":"` + strings.Repeat("2", 64) + `"}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, identityFile), raw, 0o600); err != nil {
			t.Fatal(err)
		}
		id, err := openIdentity(dir, nil)
		if err != nil {
			return
		}
		if again, err := openIdentity(dir, nil); err != nil || *again != *id {
			t.Errorf("another identity at the next start: %v", err)
		}
	})
}
