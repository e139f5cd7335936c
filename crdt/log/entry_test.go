package log

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func seeded(n byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{n}, 32))
}

// forge signs a header that New would refuse, filling in nothing but the sum.
func forge(key ed25519.PrivateKey, h Header, payload []byte) *Entry {
	if h.Version == 0 {
		h.Version = Version
	}
	if h.Len == 0 {
		h.Len = uint64(len(payload))
	}
	h.Sum = sha256.Sum256(payload)
	e := &Entry{Header: h, Raw: h.append(nil), Payload: payload}
	e.hash = hashHeader(e.Raw)
	copy(e.Sig[:], ed25519.Sign(key, e.hash[:]))
	return e
}

// chain makes n entries of a log.
func chain(t testing.TB, key ed25519.PrivateKey, id LogID, n int) []*Entry {
	t.Helper()
	var at Height
	var run []*Entry
	for range n {
		e, err := New(key, Header{Log: id, Seq: at.Seq + 1, Prev: at.Hash, Kind: KindChat}, []byte("text"))
		if err != nil {
			t.Fatal(err)
		}
		at = Height{Seq: e.Seq, Hash: e.Hash()}
		run = append(run, e)
	}
	return run
}

func ids[T ~[16]byte](t *rapid.T, name string) []T {
	var out []T
	for _, b := range rapid.SliceOfNDistinct(rapid.SliceOfN(rapid.Byte(), 16, 16), 0, MaxRefs, func(b []byte) string { return string(b) }).Draw(t, name) {
		out = append(out, T(b))
	}
	slices.SortFunc(out, func(a, b T) int { x, y := [16]byte(a), [16]byte(b); return bytes.Compare(x[:], y[:]) })
	return out
}

func drawHeader(t *rapid.T) Header {
	number := func(name string, max uint64) uint64 {
		return rapid.OneOf(rapid.Uint64Range(0, min(max, 1<<16)), rapid.Uint64Range(0, max)).Draw(t, name)
	}
	h := Header{
		Log:  LogID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "log")),
		Seq:  1 + number("seq", MaxSeq-1),
		HLC:  HLC(number("hlc", 1<<64-1)),
		Ctl:  ids[Ref](t, "ctl"),
		Kind: Kind(number("kind", 1<<64-1)),
	}
	if h.Seq > 1 {
		h.Prev = sha256.Sum256(h.Log[:])
	}
	for _, id := range ids[LogID](t, "deps") {
		if id != h.Log {
			h.Deps = append(h.Deps, Dep{Log: id, Seq: 1 + number("dep", MaxSeq-1)})
		}
	}
	if rapid.Bool().Draw(t, "sealed") {
		h.Key = &KeyID{1, 2, 3}
	}
	return h
}

func TestEveryEntryDecodesToItself(t *testing.T) {
	key := seeded(1)
	rapid.Check(t, func(t *rapid.T) {
		e, err := New(key, drawHeader(t), rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "payload"))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range []*Entry{e, e.Erased()} {
			raw := e.Bytes()
			got, err := Decode(raw)
			if err != nil {
				t.Fatal(err)
			}
			raw[0]++ // the entry must not share the bytes it was read from
			if got.Hash() != e.Hash() || !bytes.Equal(got.Bytes(), e.Bytes()) || got.Verify(DeviceOf(key)) != nil {
				t.Fatal("decoded entry differs")
			}
			if !bytes.Equal(got.Header.append(nil), e.Raw) {
				t.Fatal("decoded header differs")
			}
		}
	})
}

func TestFromPartsChecksLikeDecode(t *testing.T) {
	e := chain(t, seeded(1), LogID{1}, 1)[0]
	for name, tt := range map[string]struct {
		header, sig, payload []byte
		want                 error
	}{
		"as stored":        {e.Raw, e.Sig[:], e.Payload, nil},
		"erased":           {e.Raw, e.Sig[:], nil, nil},
		"other payload":    {e.Raw, e.Sig[:], []byte("tex!"), ErrMalformed},
		"payload too long": {e.Raw, e.Sig[:], []byte("texts"), ErrMalformed},
		"empty payload":    {e.Raw, e.Sig[:], []byte{}, ErrMalformed},
		"short signature":  {e.Raw, e.Sig[:63], e.Payload, ErrMalformed},
		"no header":        {nil, e.Sig[:], e.Payload, ErrMalformed},
		"torn header":      {e.Raw[:len(e.Raw)-1], e.Sig[:], e.Payload, ErrMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := FromParts(tt.header, tt.sig, tt.payload); !errors.Is(err, tt.want) {
				t.Errorf("FromParts = %v, want %v", err, tt.want)
			}
		})
	}
}

func TestNewRefusesWhatDecodeRefuses(t *testing.T) {
	for name, h := range map[string]Header{
		"seq 0":              {},
		"seq too high":       {Seq: MaxSeq + 1, Prev: Hash{1}},
		"first with prev":    {Seq: 1, Prev: Hash{1}},
		"second without":     {Seq: 2},
		"17 control heads":   {Seq: 1, Ctl: make([]Ref, 17)},
		"unsorted heads":     {Seq: 1, Ctl: []Ref{{2}, {1}}},
		"head twice":         {Seq: 1, Ctl: []Ref{{1}, {1}}},
		"unsorted deps":      {Seq: 1, Deps: []Dep{{Log: LogID{2}, Seq: 1}, {Log: LogID{1}, Seq: 1}}},
		"dep twice":          {Seq: 1, Deps: []Dep{{Log: LogID{2}, Seq: 1}, {Log: LogID{2}, Seq: 2}}},
		"dep on own log":     {Seq: 1, Deps: []Dep{{Seq: 1}}},
		"dep on seq 0":       {Seq: 1, Deps: []Dep{{Log: LogID{2}}}},
		"dep on seq too big": {Seq: 1, Deps: []Dep{{Log: LogID{2}, Seq: MaxSeq + 1}}},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := New(seeded(1), h, nil); !errors.Is(err, ErrMalformed) {
				t.Errorf("New = %v", err)
			}
			if _, err := Decode(forge(seeded(1), h, []byte{}).Bytes()); !errors.Is(err, ErrMalformed) {
				t.Errorf("Decode = %v", err)
			}
		})
	}
	if _, err := New(seeded(1), Header{Seq: 1}, make([]byte, MaxEntry)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("entry over 64 KiB: %v", err)
	}
}

func TestNewerVersionIsNamed(t *testing.T) {
	e := forge(seeded(1), Header{Version: 2, Seq: 1}, nil)
	e.Raw = append(e.Raw, 0) // what follows the version is not looked at
	_, err := Decode(e.Bytes())
	if !errors.Is(err, ErrMalformed) || !bytes.Contains([]byte(err.Error()), []byte("version 2")) {
		t.Errorf("Decode = %v", err)
	}
}

func TestAnyChangedBitIsNoticed(t *testing.T) {
	key := seeded(1)
	e, _ := New(key, Header{Log: LogID{1}, Seq: 2, Prev: Hash{1}, HLC: 1 << 40, Ctl: []Ref{{1}}, Deps: []Dep{{Log: LogID{2}, Seq: 500}}, Key: &KeyID{3}, Kind: KindChat}, []byte("hello"))
	raw := e.Bytes()
	for range 2000 {
		b := bytes.Clone(raw)
		b[rand.IntN(len(b))] ^= 1 << rand.IntN(8)
		if got, err := Decode(b); err == nil && got.Verify(DeviceOf(key)) == nil {
			t.Fatalf("changed entry passes: %x", b)
		}
	}
}
