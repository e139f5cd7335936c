package log

import (
	"bytes"
	"crypto/sha256"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"pgregory.net/rapid"
)

// The library that the hand-written codec is held against.
var (
	oracleEnc = must(cbor.EncOptions{Sort: cbor.SortCoreDeterministic, IndefLength: cbor.IndefLengthForbidden, TagsMd: cbor.TagsForbidden}.EncMode())
	oracleDec = must(cbor.DecOptions{DupMapKey: cbor.DupMapKeyEnforcedAPF, IndefLength: cbor.IndefLengthForbidden, TagsMd: cbor.TagsForbidden, MaxNestedLevels: 4, ExtraReturnErrors: cbor.ExtraDecErrorUnknownField}.DecMode())
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

type oracleEntry struct {
	_       struct{} `cbor:",toarray"`
	Header  []byte
	Sig     []byte
	Payload []byte
}

// oracle decodes an entry with the library and says whether it is acceptable.
func oracle(b []byte) (Header, bool) {
	var o oracleEntry
	var h Header
	ok := len(b) <= MaxEntry && oracleDec.Unmarshal(b, &o) == nil && len(o.Sig) == 64 &&
		bytes.Equal(must(oracleEnc.Marshal(o)), b) &&
		oracleDec.Unmarshal(o.Header, &h) == nil &&
		bytes.Equal(must(oracleEnc.Marshal(h)), o.Header) &&
		h.Ctl != nil && h.Deps != nil && h.check() == nil &&
		(o.Payload == nil || uint64(len(o.Payload)) == h.Len && sha256.Sum256(o.Payload) == h.Sum)
	return h, ok
}

func compareWithOracle(t interface{ Fatalf(string, ...any) }, b []byte) {
	h, ok := oracle(b)
	e, err := Decode(b)
	if ok != (err == nil) {
		t.Fatalf("library accepts: %v, we say %v: %x", ok, err, b)
	}
	if ok && !reflect.DeepEqual(h, e.Header) {
		t.Fatalf("library reads %+v, we read %+v", h, e.Header)
	}
}

// TestCodecAgreesWithLibrary writes random entries, damages some of them in ways
// that keep most of the structure, and compares.
func TestCodecAgreesWithLibrary(t *testing.T) {
	key := seeded(1)
	rapid.Check(t, func(t *rapid.T) {
		e, err := New(key, drawHeader(t), rapid.SliceOfN(rapid.Byte(), 0, 30).Draw(t, "payload"))
		if err != nil {
			t.Fatal(err)
		}
		if lib := must(oracleEnc.Marshal(e.Header)); !bytes.Equal(lib, e.Raw) {
			t.Fatalf("library writes %x, we write %x", lib, e.Raw)
		}
		compareWithOracle(t, e.Bytes())
		compareWithOracle(t, e.Erased().Bytes())
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		for range 20 {
			raw := bytes.Clone(e.Raw)
			switch i := r.IntN(len(raw)); r.IntN(4) {
			case 0:
				raw[i] = byte(r.Uint32())
			case 1:
				raw = append(raw[:i], raw[i+1:]...)
			case 2:
				raw = append(raw[:i:i], append([]byte{byte(r.Uint32())}, raw[i:]...)...)
			default:
				raw[i] ^= 1 << r.IntN(8)
			}
			damaged := *e
			damaged.Raw = raw
			compareWithOracle(t, damaged.Bytes())
		}
	})
}

func TestHeadsAreShortest(t *testing.T) {
	for _, n := range []uint64{0, 23, 24, 255, 256, 65535, 65536, 1<<32 - 1, 1 << 32, 1<<64 - 1} {
		b := appendHead(nil, uintMajor, n)
		if lib := must(oracleEnc.Marshal(n)); !bytes.Equal(b, lib) {
			t.Errorf("%d: we write %x, library %x", n, b, lib)
		}
		r := reader{b: b}
		if got := r.uint(); got != n || r.bad || len(r.b) != 0 {
			t.Errorf("%d: read %d, bad %v", n, got, r.bad)
		}
		for cut := range b {
			r := reader{b: b[:cut]}
			if r.uint(); !r.bad {
				t.Errorf("%d: torn after %d bytes is accepted", n, cut)
			}
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, e := range chain(f, seeded(1), LogID{1}, 2) {
		f.Add(e.Bytes())
		f.Add(e.Erased().Bytes())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		compareWithOracle(t, b)
		if e, err := Decode(b); err == nil && !bytes.Equal(e.Bytes(), b) {
			t.Fatalf("decoded and encoded again: %x", e.Bytes())
		}
	})
}

func FuzzForkProof(f *testing.F) {
	a, _ := New(seeded(1), Header{Seq: 1}, []byte("a"))
	b, _ := New(seeded(1), Header{Seq: 1}, []byte("b"))
	f.Add(NewForkProof(a, b).Bytes())
	f.Fuzz(func(t *testing.T, raw []byte) {
		p, err := DecodeForkProof(raw)
		if err != nil {
			return
		}
		if !bytes.Equal(p.Bytes(), raw) {
			t.Fatalf("decoded and encoded again: %x", p.Bytes())
		}
		if p.Check(DeviceOf(seeded(1))) == nil && !bytes.Equal(raw, NewForkProof(a, b).Bytes()) {
			t.Fatal("a proof nobody signed")
		}
	})
}

func FuzzOpen(f *testing.F) {
	key, h := Key{1}, Header{Log: LogID{1}, Seq: 1, Kind: KindChat}
	sealed, _ := Seal(rand.NewChaCha8([32]byte{}), key, WorkspaceID{1}, &h, []byte("hello"))
	f.Add(sealed)
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		plain, err := Open(key, WorkspaceID{1}, &h, b)
		if err == nil && !bytes.Equal(b, sealed) {
			t.Fatalf("opens what nobody sealed: %x", plain)
		}
	})
}
