package log

import (
	"bytes"
	"crypto/ed25519"
	"testing"
)

func TestRoundTrip(t *testing.T) {
	key := ed25519.NewKeyFromSeed(make([]byte, 32))
	c := Card{Device: DeviceOf(key)}
	e, err := New(key, Header{Log: c.ID(), Seq: 1, Kind: KindChat}, []byte("hello"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := Decode(e.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), e.Bytes()) || got.Hash() != e.Hash() || got.Verify(c.Device) != nil {
		t.Errorf("decoded entry differs")
	}
	if _, err := Decode(e.Erased().Bytes()); err != nil {
		t.Errorf("erased entry: %v", err)
	}
}

func BenchmarkDecode(b *testing.B) {
	key := ed25519.NewKeyFromSeed(make([]byte, 32))
	e, _ := New(key, Header{Log: LogID{1}, Seq: 1, Kind: KindChat}, make([]byte, 120))
	raw := e.Bytes()
	for b.Loop() {
		if _, err := Decode(raw); err != nil {
			b.Fatal(err)
		}
	}
}
