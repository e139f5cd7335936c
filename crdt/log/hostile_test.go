package log

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"errors"
	"math"
	"math/big"
	"math/rand/v2"
	"runtime"
	"testing"
)

// These are inputs that no honest program makes. Each is refused, or does no harm.

func TestHostileCBOR(t *testing.T) {
	e := chain(t, seeded(1), LogID{1}, 1)[0]
	raw, header := e.Bytes(), e.Raw
	outer := func(header []byte) []byte {
		c := *e
		c.Raw = header
		return c.Bytes()
	}
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	for name, b := range map[string][]byte{
		"nothing":                      {},
		"trailing byte":                append(bytes.Clone(raw), 0),
		"two entries":                  append(bytes.Clone(raw), raw...),
		"trailing byte in header":      outer(append(bytes.Clone(header), 0)),
		"list of no stated length":     join([]byte{0x9f}, raw[1:], []byte{0xff}),
		"header of no stated length":   join([]byte{0x83, 0x5f}, raw[1:3+len(header)], []byte{0xff}, raw[3+len(header):]),
		"header list without length":   outer(join([]byte{0x9f}, header[1:], []byte{0xff})),
		"a field more":                 outer(join([]byte{0x8c}, header[1:], []byte{0})),
		"a field less":                 outer(join([]byte{0x8a}, header[1:len(header)-34])),
		"map with one key twice":       outer(join([]byte{0xa2}, []byte{0, 1, 0, 1})),
		"tagged":                       join([]byte{0xc2}, raw),
		"text instead of bytes":        bytes.Replace(raw, []byte{0x58, 0x40}, []byte{0x78, 0x40}, 1),
		"undefined instead of null":    bytes.Replace(e.Erased().Bytes(), []byte{0xf6}, []byte{0xf7}, 1),
		"header longer than the entry": join([]byte{0x83, 0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, header),
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Decode(b); !errors.Is(err, ErrMalformed) {
				t.Errorf("Decode = %v", err)
			}
		})
	}
}

func TestHostileLongIntegers(t *testing.T) {
	e := chain(t, seeded(1), LogID{1}, 1)[0]
	at := 1 + 1 + 17 // list, version, log
	if e.Raw[at] != 1 {
		t.Fatalf("sequence number is not at %d: %x", at, e.Raw)
	}
	for name, long := range map[string][]byte{
		"1 byte": {0x18, 1}, "2 bytes": {0x19, 0, 1}, "4 bytes": {0x1a, 0, 0, 0, 1}, "8 bytes": {0x1b, 0, 0, 0, 0, 0, 0, 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			c := *e
			c.Raw = bytes.Join([][]byte{e.Raw[:at], long, e.Raw[at+1:]}, nil)
			if _, err := Decode(c.Bytes()); !errors.Is(err, ErrMalformed) {
				t.Errorf("Decode = %v", err)
			}
		})
	}
}

func TestHostileHighestSeq(t *testing.T) {
	for _, seq := range []uint64{MaxSeq + 1, math.MaxInt64, math.MaxUint64} {
		if _, err := Decode(forge(seeded(1), Header{Seq: seq, Prev: Hash{1}}, nil).Bytes()); !errors.Is(err, ErrMalformed) {
			t.Errorf("seq %d: Decode = %v", seq, err)
		}
		want, forked := Missing(Heights{}, Heights{{1}: {Seq: seq, Hash: Hash{1}}, {2}: {Seq: 3}})
		if len(want) != 1 || want[0].Log != (LogID{2}) || forked != nil {
			t.Errorf("seq %d: Missing = %v, %v", seq, want, forked)
		}
	}
	if want, forked := Missing(Heights{}, Heights{{1}: {Seq: 0, Hash: Hash{1}}}); want != nil || forked != nil {
		t.Errorf("a height of nothing: Missing = %v, %v", want, forked)
	}
}

func TestHostilePrev(t *testing.T) {
	key, id := seeded(1), LogID{1}
	run := chain(t, key, id, 4)
	at := Height{Seq: 1, Hash: run[0].Hash()}
	for name, prev := range map[string]Hash{
		"into the future": run[3].Hash(),
		"to nowhere":      {9},
		"to its own sum":  sha256.Sum256(run[1].Raw), // itself cannot be: the hash covers prev
	} {
		t.Run(name, func(t *testing.T) {
			e, err := New(key, Header{Log: id, Seq: 2, Prev: prev, Kind: KindChat}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := e.Extends(at); !errors.Is(err, ErrChain) {
				t.Errorf("Extends = %v", err)
			}
			if _, err := VerifyRun(DeviceOf(key), id, at, []*Entry{e}); !errors.Is(err, ErrChain) {
				t.Errorf("VerifyRun = %v", err)
			}
		})
	}
	if _, err := VerifyRun(DeviceOf(key), id, Height{}, []*Entry{run[0], run[2]}); !errors.Is(err, ErrChain) {
		t.Errorf("a gap: VerifyRun = %v", err)
	}
}

func TestHostileFork(t *testing.T) {
	key, id := seeded(1), LogID{1}
	a, _ := New(key, Header{Log: id, Seq: 1}, []byte("a"))
	b, _ := New(key, Header{Log: id, Seq: 1}, []byte("b"))
	other, _ := New(key, Header{Log: id, Seq: 2, Prev: Hash{1}}, []byte("b"))
	foreign, _ := New(key, Header{Log: LogID{2}, Seq: 1}, []byte("b"))
	forged := *b
	forged.Sig[0]++

	p := NewForkProof(b.Erased(), a)
	if !bytes.Equal(p.Bytes(), NewForkProof(a, b).Bytes()) {
		t.Error("the proof depends on the order of the entries")
	}
	got, err := DecodeForkProof(p.Bytes())
	if err != nil || got.Check(DeviceOf(key)) != nil {
		t.Errorf("honest proof: %v, %v", err, got.Check(DeviceOf(key)))
	}
	if log, seq := got.Place(); log != id || seq != 1 {
		t.Errorf("Place = %v, %d", log, seq)
	}
	if err := got.Check(DeviceOf(seeded(2))); !errors.Is(err, ErrSignature) {
		t.Errorf("against another device: %v", err)
	}
	for name, tt := range map[string]struct {
		proof ForkProof
		want  error
	}{
		"same entry twice": {NewForkProof(a, a), ErrChain},
		"other number":     {NewForkProof(a, other), ErrChain},
		"other log":        {NewForkProof(a, foreign), ErrChain},
		"forged signature": {NewForkProof(a, &forged), ErrSignature},
		"higher first":     {ForkProof{A: p.B, B: p.A, SigA: p.SigB, SigB: p.SigA}, ErrChain},
		"empty":            {ForkProof{}, ErrMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			if err := tt.proof.Check(DeviceOf(key)); !errors.Is(err, tt.want) {
				t.Errorf("Check = %v, want %v", err, tt.want)
			}
		})
	}
	_, forked := Missing(Heights{id: {Seq: 1, Hash: a.Hash()}}, Heights{id: {Seq: 1, Hash: b.Hash()}})
	if len(forked) != 1 || forked[0] != id {
		t.Errorf("Missing does not see the fork: %v", forked)
	}
}

func TestHostileWorkspaceInLog(t *testing.T) {
	key := seeded(1)
	here := Card{Workspace: WorkspaceID{1}, Device: DeviceOf(key)}
	there := Card{Workspace: WorkspaceID{2}, Device: DeviceOf(key)}
	run := chain(t, key, there.ID(), 3)
	if _, err := VerifyRun(DeviceOf(key), here.ID(), Height{}, run); !errors.Is(err, ErrChain) {
		t.Errorf("VerifyRun = %v", err)
	}
}

func TestHostileLength(t *testing.T) {
	e := forge(seeded(1), Header{Seq: 1, Len: 4 << 30}, []byte("x"))
	for name, b := range map[string][]byte{
		"with payload": e.Bytes(),
		"erased":       e.Erased().Bytes(),
		"in the frame": append([]byte{0x83, 0x5a, 0xff, 0xff, 0xff, 0xff}, e.Raw...),
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			for range 100 {
				if _, err := Decode(b); !errors.Is(err, ErrMalformed) {
					t.Fatalf("Decode = %v", err)
				}
			}
			runtime.ReadMemStats(&after)
			if n := (after.TotalAlloc - before.TotalAlloc) / 100; n > 4096 {
				t.Errorf("refusing it took %d bytes", n)
			}
		})
	}
	if _, err := Decode(make([]byte, MaxEntry+1)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("64 KiB and a byte: %v", err)
	}
}

func TestHostilePayloadOfAnotherEntry(t *testing.T) {
	key, w := Key{1}, WorkspaceID{1}
	id := key.ID(SpaceID{1}, 1)
	h := Header{Log: LogID{1}, Seq: 7, Kind: KindChat, Key: &id}
	sealed, err := Seal(rand.NewChaCha8([32]byte{}), key, w, &h, []byte("hello"))
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := Open(key, w, &h, sealed); err != nil || string(plain) != "hello" {
		t.Fatalf("Open = %q, %v", plain, err)
	}
	other := KeyID{9}
	for name, h := range map[string]Header{
		"log":    {Log: LogID{2}, Seq: 7, Kind: KindChat, Key: &id},
		"seq":    {Log: LogID{1}, Seq: 8, Kind: KindChat, Key: &id},
		"kind":   {Log: LogID{1}, Seq: 7, Kind: KindFile, Key: &id},
		"key id": {Log: LogID{1}, Seq: 7, Kind: KindChat, Key: &other},
		"no key": {Log: LogID{1}, Seq: 7, Kind: KindChat},
	} {
		if _, err := Open(key, w, &h, sealed); !errors.Is(err, ErrSealed) {
			t.Errorf("another %s: %v", name, err)
		}
	}
	if _, err := Open(key, WorkspaceID{2}, &h, sealed); !errors.Is(err, ErrSealed) {
		t.Errorf("another workspace: %v", err)
	}
	for n := range sealed {
		if _, err := Open(key, w, &h, sealed[:n]); !errors.Is(err, ErrSealed) {
			t.Errorf("torn after %d bytes: %v", n, err)
		}
	}
}

func TestHostileKeyNeverAnnounced(t *testing.T) {
	e, err := New(seeded(1), Header{Seq: 1, Key: &KeyID{0xbb}, Kind: KindChat}, make([]byte, 60))
	if err != nil {
		t.Fatal(err)
	}
	got, err := Decode(e.Bytes()) // kept and forwarded like any other
	if err != nil || *got.Key != (KeyID{0xbb}) {
		t.Fatalf("Decode = %v", err)
	}
	if _, err := Open(Key{}, WorkspaceID{}, &got.Header, got.Payload); !errors.Is(err, ErrSealed) {
		t.Errorf("Open = %v", err)
	}
}

func TestHostileTwoKeysOfOneEpoch(t *testing.T) {
	a, b, space := Key{1}, Key{2}, SpaceID{3}
	if a.ID(space, 1) == b.ID(space, 1) {
		t.Error("two keys have one name")
	}
	if a.ID(space, 1) == a.ID(space, 2) || a.ID(space, 1) == a.ID(SpaceID{4}, 1) {
		t.Error("the name does not cover space and epoch")
	}
}

func TestHostileWeakKey(t *testing.T) {
	e := chain(t, seeded(1), LogID{1}, 1)[0]
	for _, y := range smallOrder {
		for _, sign := range []byte{0, 0x80} {
			weak := DeviceID(y)
			weak[31] |= sign
			if weak.Check() == nil {
				t.Errorf("%x is accepted", weak)
			}
			if e.Verify(weak) == nil {
				t.Errorf("%x verifies", weak)
			}
		}
	}
	// The neutral element: S·B = R holds with S = 0 and R neutral, whatever was
	// said. The library alone would accept it.
	neutral, forged := DeviceID{1}, *e
	forged.Sig = [64]byte{1}
	if !ed25519.Verify(neutral[:], forged.hash[:], forged.Sig[:]) {
		t.Log("the library refuses it by now")
	}
	if err := forged.Verify(neutral); !errors.Is(err, ErrSignature) {
		t.Errorf("signature anyone can make: %v", err)
	}
	for i := range 19 { // y and y+p name the same point
		var big DeviceID
		for j := range big {
			big[j] = 0xff
		}
		big[0], big[31] = 0xed+byte(i), 0x7f
		if big.Check() == nil {
			t.Errorf("%x is not canonical and accepted", big)
		}
	}
	if err := DeviceOf(seeded(1)).Check(); err != nil {
		t.Errorf("honest key: %v", err)
	}
}

// TestSmallOrderListIsComplete multiplies points by eight, in big integers, and
// compares with the list.
func TestSmallOrderListIsComplete(t *testing.T) {
	p := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 255), big.NewInt(19))
	d := new(big.Int).Mul(big.NewInt(-121665), new(big.Int).ModInverse(big.NewInt(121666), p))
	mod := func(x *big.Int) *big.Int { return x.Mod(x, p) }
	// y² and x² of the double of a point, from y² alone: the double's
	// y = (y²+x²)/(2+x²-y²) up to sign, with x² = (y²-1)/(dy²+1).
	double := func(yy *big.Int) (*big.Int, bool) {
		xx := new(big.Int).ModInverse(mod(new(big.Int).Add(new(big.Int).Mul(d, yy), big.NewInt(1))), p)
		if xx == nil {
			return nil, false
		}
		xx = mod(xx.Mul(xx, new(big.Int).Sub(yy, big.NewInt(1))))
		low := new(big.Int).ModInverse(mod(new(big.Int).Sub(new(big.Int).Add(big.NewInt(2), xx), yy)), p)
		if low == nil {
			return nil, false
		}
		y := mod(low.Mul(low, new(big.Int).Add(yy, xx)))
		return mod(y.Mul(y, y)), true
	}
	for _, s := range smallOrder {
		le := s
		for i := range 16 {
			le[i], le[31-i] = le[31-i], le[i]
		}
		y := new(big.Int).SetBytes(le[:])
		yy, ok := mod(y.Mul(y, y)), true
		for range 3 {
			if yy, ok = double(yy); !ok {
				t.Fatalf("%x: no such point", s)
			}
		}
		if yy.Cmp(big.NewInt(1)) != 0 {
			t.Errorf("%x times eight is not neutral", s)
		}
	}
	if len(smallOrder) != 5 { // 1, -1, 0 and ±y of order eight are all
		t.Errorf("%d coordinates", len(smallOrder))
	}
}

func TestHostileSignatureForms(t *testing.T) {
	key := seeded(1)
	e := chain(t, key, LogID{1}, 1)[0]
	order, _ := new(big.Int).SetString("7237005577332262213973186563042994240857116359379907606001950938285454250989", 10)
	le := func(b []byte) *big.Int {
		r := bytes.Clone(b)
		for i := range len(r) / 2 {
			r[i], r[len(r)-1-i] = r[len(r)-1-i], r[i]
		}
		return new(big.Int).SetBytes(r)
	}
	s := le(e.Sig[32:])
	s.Add(s, order)
	c := *e
	for i, b := range s.FillBytes(make([]byte, 32)) {
		c.Sig[63-i] = b
	}
	if err := c.Verify(DeviceOf(key)); !errors.Is(err, ErrSignature) {
		t.Errorf("S above the order: %v", err)
	}
	c = *e
	c.Sig = [64]byte{}
	if err := c.Verify(DeviceOf(key)); !errors.Is(err, ErrSignature) {
		t.Errorf("zero signature: %v", err)
	}
	// A signature over something else than the hash.
	sum := sha512.Sum512(e.Raw)
	copy(c.Sig[:], ed25519.Sign(key, sum[:]))
	if err := c.Verify(DeviceOf(key)); !errors.Is(err, ErrSignature) {
		t.Errorf("signature of other bytes: %v", err)
	}
}

func TestHostileClock(t *testing.T) {
	const year9999 = HLC(253402300799999) << 16
	for _, c := range []HLC{0, 1, year9999, math.MaxUint64} {
		e, err := New(seeded(1), Header{Seq: 1, HLC: c}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Decode(e.Bytes()); err != nil { // never a reason to refuse
			t.Errorf("clock %d: %v", c, err)
		}
		s := Stamp(c)
		for range 3 { // whoever answers comes after, at whatever hour
			next := Stamp(1<<40, s)
			if next <= s {
				t.Errorf("clock %d: %d after %d", c, next, s)
			}
			s = next
		}
		wall := int64(1_800_000_000_000)
		if now := Tick(wall, 0, c); now.Millis() > wall+3600_000 {
			t.Errorf("clock %d pulls ours to %d", c, now.Millis())
		}
	}
	e := forge(seeded(1), Header{Seq: 1, HLC: 5}, nil)
	at := 1 + 1 + 17 + 1 + 34
	if e.Raw[at] != 5 {
		t.Fatalf("clock is not at %d", at)
	}
	e.Raw[at] = 0x20 // -1
	if _, err := Decode(e.Bytes()); !errors.Is(err, ErrMalformed) {
		t.Errorf("negative clock: %v", err)
	}
}

func TestHostileManyDeps(t *testing.T) {
	e := forge(seeded(1), Header{Seq: 1}, nil)
	at := bytes.IndexByte(e.Raw, 0x80) // the two empty lists stand side by side
	for name, list := range map[string][]byte{
		"17":        bytes.Repeat([]byte{0}, 17),
		"thousand":  bytes.Repeat([]byte{0}, 1000),
		"million":   {}, // promised, not delivered
		"2^64 less": {},
	} {
		head := binary.BigEndian.AppendUint32([]byte{0x9a}, uint32(max(len(list), 1_000_000)))
		switch name {
		case "17":
			head = []byte{0x91}
		case "thousand":
			head = []byte{0x99, 1000 >> 8, 1000 & 0xff}
		case "2^64 less":
			head = []byte{0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
		}
		for field, raw := range map[string][]byte{
			"ctl":  bytes.Join([][]byte{e.Raw[:at], head, list, e.Raw[at+1:]}, nil),
			"deps": bytes.Join([][]byte{e.Raw[:at+1], head, list, e.Raw[at+2:]}, nil),
		} {
			c := *e
			c.Raw = raw
			b := c.Bytes()
			if _, err := Decode(b); !errors.Is(err, ErrMalformed) {
				t.Errorf("%s %s: %v", name, field, err)
			}
			if n := testing.AllocsPerRun(10, func() { _, _ = Decode(b) }); n > 10 {
				t.Errorf("%s %s: %v allocations", name, field, n)
			}
		}
	}
}

func TestHostileLinkInTheMiddleOfARun(t *testing.T) {
	key, id := seeded(1), LogID{1}
	dev := DeviceOf(key)
	run := chain(t, key, id, 1000)
	checked, err := VerifyRun(dev, id, Height{}, run)
	if err != nil || len(checked) != 4 || checked[0] != 255 || checked[3] != 999 {
		t.Fatalf("honest run: %v, %v", checked, err)
	}
	replace := func(at int, h Header) []*Entry {
		bad := append([]*Entry(nil), run...)
		bad[at] = forge(key, h, []byte("other"))
		return bad
	}
	for name, run := range map[string][]*Entry{
		"other content": replace(500, run[500].Header),
		"other link":    replace(500, Header{Log: id, Seq: 501, Prev: Hash{1}}),
		"other log":     replace(500, Header{Log: LogID{2}, Seq: 501, Prev: run[499].Hash()}),
		"other number":  replace(500, Header{Log: id, Seq: 502, Prev: run[499].Hash()}),
	} {
		if checked, err := VerifyRun(dev, id, Height{}, run); err == nil || checked != nil {
			t.Errorf("%s: %v, %v", name, checked, err)
		}
	}
	// A spoilt signature within the run does not change what the author said, and
	// that entry is not reported as checked.
	spoilt := append([]*Entry(nil), run...)
	c := *run[500]
	c.Sig[0]++
	spoilt[500] = &c
	if checked, err := VerifyRun(dev, id, Height{}, spoilt); err != nil || len(checked) != 4 {
		t.Errorf("spoilt signature: %v, %v", checked, err)
	}
	last := *run[999]
	last.Sig[0]++
	if _, err := VerifyRun(dev, id, Height{}, append(append([]*Entry(nil), run[:999]...), &last)); !errors.Is(err, ErrSignature) {
		t.Errorf("spoilt last signature: %v", err)
	}
	if _, err := VerifyRun(DeviceOf(seeded(2)), id, Height{}, run); !errors.Is(err, ErrSignature) {
		t.Errorf("another device: %v", err)
	}
}
