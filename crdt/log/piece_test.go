package log

import (
	"bytes"
	"crypto/rand"
	"errors"
	"testing"
)

func TestSealedPieces(t *testing.T) {
	old, now := Key{1}, Key{2}
	keys := map[KeyID]Key{{1}: old, {2}: now}
	find := func(id KeyID) (Key, bool) { k, ok := keys[id]; return k, ok }
	name := PieceName(old, Hash{7}, 3)
	if name == PieceName(old, Hash{7}, 4) || name == PieceName(old, Hash{8}, 3) || name == PieceName(now, Hash{7}, 3) {
		t.Error("different pieces have one name")
	}
	plain := []byte("Akte Behrens")
	sealed, err := SealPiece(rand.Reader, []byte("before"), KeyID{2}, now, name, plain)
	if err != nil {
		t.Fatal(err)
	}
	sealed = sealed[len("before"):]
	if len(sealed) != len(plain)+PieceOverhead || bytes.Contains(sealed, plain) {
		t.Errorf("sealed to %d bytes: %x", len(sealed), sealed)
	}
	if got, err := OpenPiece(sealed, name, find); err != nil || !bytes.Equal(got, plain) {
		t.Errorf("opens to %q, %v", got, err)
	}
	for what, open := range map[string]func() ([]byte, error){
		"another name": func() ([]byte, error) { return OpenPiece(sealed, PieceName(old, Hash{7}, 4), find) },
		"cut off":      func() ([]byte, error) { return OpenPiece(sealed[:PieceOverhead-1], name, find) },
		"unknown key":  func() ([]byte, error) { return OpenPiece(append([]byte{9}, sealed[1:]...), name, find) },
		"another key":  func() ([]byte, error) { return OpenPiece(append([]byte{1}, sealed[1:]...), name, find) },
		"flipped bit":  func() ([]byte, error) { s := bytes.Clone(sealed); s[len(s)-1] ^= 1; return OpenPiece(s, name, find) },
	} {
		if got, err := open(); !errors.Is(err, ErrSealed) {
			t.Errorf("%s: opens to %q, %v", what, got, err)
		}
	}
}

func FuzzOpenPiece(f *testing.F) {
	sealed, err := SealPiece(rand.Reader, nil, KeyID{2}, Key{2}, Hash{7}, []byte("Akte"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sealed)
	f.Add(sealed[:20])
	f.Fuzz(func(t *testing.T, b []byte) {
		plain, err := OpenPiece(b, Hash{7}, func(KeyID) (Key, bool) { return Key{2}, true })
		if err == nil && string(plain) != "Akte" {
			t.Errorf("opened what nobody sealed: %q", plain)
		}
	})
}
