package tree

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math"
	"math/rand"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"

	"inselnetz/crdt/log"
)

var update = flag.Bool("update", false, "rewrite testdata")

func id(l byte, seq uint64, n uint32) VersionID { return VersionID{Log: log.LogID{l}, Seq: seq, N: n} }

func blocks(n int) []Sum {
	b := make([]Sum, n)
	for i := range b {
		b[i] = Sum(sha256.Sum256([]byte{byte(i), byte(i >> 8)}))
	}
	return b
}

func samples() []Op {
	two := blocks(2)
	return []Op{
		Version{Path: "Akten/Müller ./ 2026 – Entwurf.odt", Kind: File, Size: 4096, Time: 1795312800_123456789, Sum: Sum{1}},
		Version{Path: "leer", Kind: File, Time: -5},
		Version{Path: "bin/run.sh", Kind: File, Size: 200_000, Time: math.MinInt64, Exec: true, Sum: SumOf(two), Blocks: two, Parents: []VersionID{id(1, 5, 0), id(1, 5, 1), id(2, log.MaxSeq, MaxOps-1)}},
		Version{Path: "groß.iso", Kind: File, Size: 1 << 30, Time: math.MaxInt64, Sum: Sum{3}},
		Version{Path: "Ordner", Kind: Dir},
		Version{Path: "Ordner/zu", Kind: Link, Target: "../a\xffb"},
		Version{Path: "weg\\CON\t\u202e.txt", Kind: Gone, Parents: []VersionID{id(1, 5, 0)}},
		Verdict{Device: log.DeviceID{7}, Upto: []log.Dep{{Log: log.LogID{1}, Seq: 9}, {Log: log.LogID{2}, Seq: 1}}, Accept: true},
		Unknown{Code: 77, Raw: []byte{0x83, 0x18, 77, 0xa1, 0x01, 0x61, 'x', 0xf6}},
	}
}

func TestRoundTrip(t *testing.T) {
	ops := samples()
	b, err := Encode(ops)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(ops, got) {
		t.Errorf("decoded %+v\nwant    %+v", got, ops)
	}
	var any any // a library reads it too
	if err := cbor.Unmarshal(b, &any); err != nil {
		t.Errorf("not CBOR: %v", err)
	}
}

// TestVectors holds the encoding to what was once written.
func TestVectors(t *testing.T) {
	type vector struct{ Op, Payload string }
	var now []vector
	for _, op := range samples() {
		b, err := Encode([]Op{op})
		if err != nil {
			t.Fatal(err)
		}
		now = append(now, vector{Op: fmt.Sprintf("%+q", fmt.Sprintf("%T %+v", op, op)), Payload: hex.EncodeToString(b)})
	}
	const file = "testdata/vectors.json"
	if *update {
		b, _ := json.MarshalIndent(now, "", "\t")
		if err := os.MkdirAll("testdata", 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, append(b, '\n'), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var want []vector
	if err := json.Unmarshal(b, &want); err != nil {
		t.Fatal(err)
	}
	if len(want) < len(now) {
		t.Fatalf("%d vectors, %d samples", len(want), len(now))
	}
	for i, w := range want {
		if i < len(now) && w != now[i] {
			t.Errorf("vector %d is\n%+v\nwant\n%+v", i, now[i], w)
		}
		raw, err := hex.DecodeString(w.Payload)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Decode(raw); err != nil {
			t.Errorf("vector %d: %v", i, err)
		}
	}
}

func TestSmall(t *testing.T) {
	v := Version{Path: "Akten/Mandant 0815/Entwurf.odt", Kind: File, Size: 4096, Time: 1795312800_123456789, Sum: Sum{1}}
	if len(v.Path) != 30 {
		t.Fatal(len(v.Path))
	}
	for name, tt := range map[string]struct {
		parents []VersionID
		max     int
	}{"new": {nil, 85}, "changed": {[]VersionID{id(1, 5000, 200)}, 110}} {
		v.Parents = tt.parents
		if n := len(v.append(nil)); n > tt.max {
			t.Errorf("%s: %d bytes, at most %d", name, n, tt.max)
		}
	}
}

// TestMaxPayload holds the room for what else is in an entry.
func TestMaxPayload(t *testing.T) {
	_, key, _ := ed25519.GenerateKey(rand.New(rand.NewSource(1)))
	h := log.Header{Log: log.LogID{0xff}, Seq: log.MaxSeq, Prev: log.Hash{1}, HLC: math.MaxUint64, Key: &log.KeyID{}, Kind: log.KindFile}
	for i := range log.MaxRefs {
		h.Ctl = append(h.Ctl, log.Ref{byte(i)})
		h.Deps = append(h.Deps, log.Dep{Log: log.LogID{byte(i)}, Seq: log.MaxSeq})
	}
	if _, err := log.New(key, h, make([]byte, MaxPayload+log.Overhead)); err != nil {
		t.Error(err)
	}
}

func TestLimits(t *testing.T) {
	many := make([]VersionID, MaxParents+1)
	for i := range many {
		many[i] = id(1, uint64(i+1), 0)
	}
	file := func(f func(*Version)) Version {
		v := Version{Path: "a", Kind: File, Size: 1, Sum: Sum{1}}
		f(&v)
		return v
	}
	deps := make([]log.Dep, MaxLogs+1)
	for i := range deps {
		deps[i] = log.Dep{Log: log.LogID{byte(i)}, Seq: 1}
	}
	inline := blocks(MaxInline)
	for name, tt := range map[string]struct {
		op   Op
		want error
	}{
		"no kind":             {Version{Path: "a"}, ErrMalformed},
		"negative size":       {file(func(v *Version) { v.Size = -1 }), ErrMalformed},
		"largest":             {file(func(v *Version) { v.Size = MaxSize }), nil},
		"too large":           {file(func(v *Version) { v.Size = MaxSize + 1 }), ErrMalformed},
		"empty with a sum":    {file(func(v *Version) { v.Size = 0 }), ErrMalformed},
		"no sum":              {file(func(v *Version) { v.Sum = Sum{} }), ErrMalformed},
		"one block inline":    {file(func(v *Version) { v.Blocks = []Sum{{1}} }), ErrMalformed},
		"blocks missing":      {file(func(v *Version) { v.Size = MinBlock + 1 }), ErrMalformed},
		"most inline":         {file(func(v *Version) { v.Size, v.Blocks, v.Sum = 64*MinBlock, inline, SumOf(inline) }), nil},
		"another sum":         {file(func(v *Version) { v.Size, v.Blocks = 64*MinBlock, inline }), ErrMalformed},
		"inline and too many": {file(func(v *Version) { v.Size, v.Blocks, v.Sum = 64*MinBlock+1, inline, SumOf(inline) }), ErrMalformed},
		"too many for inline": {file(func(v *Version) { v.Size = 64*MinBlock + 1 }), nil},
		"target of a file":    {file(func(v *Version) { v.Target = "x" }), ErrMalformed},
		"most parents":        {file(func(v *Version) { v.Parents = many[:MaxParents] }), nil},
		"too many parents":    {file(func(v *Version) { v.Parents = many }), ErrMalformed},
		"parents descending":  {file(func(v *Version) { v.Parents = []VersionID{id(2, 1, 0), id(1, 1, 0)} }), ErrMalformed},
		"a parent twice":      {file(func(v *Version) { v.Parents = []VersionID{id(2, 1, 0), id(2, 1, 0)} }), ErrMalformed},
		"parent nowhere":      {file(func(v *Version) { v.Parents = []VersionID{id(2, 0, 0)} }), ErrMalformed},
		"parent too far":      {file(func(v *Version) { v.Parents = []VersionID{id(2, 1, MaxOps)} }), ErrMalformed},
		"dir with a size":     {Version{Path: "a", Kind: Dir, Size: 1}, ErrMalformed},
		"dir with a time":     {Version{Path: "a", Kind: Dir, Time: 1}, ErrMalformed},
		"gone with a sum":     {Version{Path: "a", Kind: Gone, Sum: Sum{1}}, ErrMalformed},
		"link to nothing":     {Version{Path: "a", Kind: Link}, ErrMalformed},
		"longest link":        {Version{Path: "a", Kind: Link, Target: strings.Repeat("x", MaxTarget)}, nil},
		"link too long":       {Version{Path: "a", Kind: Link, Target: strings.Repeat("x", MaxTarget+1)}, ErrMalformed},
		"link with a zero":    {Version{Path: "a", Kind: Link, Target: "a\x00"}, ErrMalformed},
		"most logs":           {Verdict{Upto: deps[:MaxLogs]}, nil},
		"too many logs":       {Verdict{Upto: deps}, ErrMalformed},
		"verdict on nothing":  {Verdict{}, ErrMalformed},
		"verdict on seq 0":    {Verdict{Upto: []log.Dep{{}}}, ErrMalformed},
		"a log twice":         {Verdict{Upto: []log.Dep{deps[0], deps[0]}}, ErrMalformed},
		"unknown that is not": {Unknown{Code: 4, Raw: []byte{0x81, 4}}, ErrMalformed},
		"unknown with a tail": {Unknown{Code: 9, Raw: []byte{0x81, 9, 0}}, ErrMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			b, err := Encode([]Op{tt.op})
			if !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) {
				t.Fatalf("encode: %v, want %v", err, tt.want)
			}
			if err == nil {
				if got, err := Decode(b); err != nil || !reflect.DeepEqual(got, []Op{tt.op}) {
					t.Errorf("decode: %v, %v", got, err)
				}
			} else if b, err := Decode(tt.op.append(appendStart(nil, 1))); err == nil && !reflect.DeepEqual(b, []Op{tt.op}) {
				return // the encoding cannot say it
			} else if err == nil {
				t.Errorf("decode takes %+v", b)
			}
		})
	}
	if _, err := Encode(nil); !errors.Is(err, ErrMalformed) {
		t.Errorf("no operations: %v", err)
	}
}

// TestHostileFilePayloads: whatever is not the one form of a payload is refused
// whole.
func TestHostileFilePayloads(t *testing.T) {
	for name, tt := range map[string]struct {
		in   string
		want error
	}{
		"nothing":              {"", ErrMalformed},
		"no operations":        {"\x82\x01\x80", ErrMalformed},
		"newer version":        {"\x82\x02\x80", ErrVersion},
		"newer and other form": {"\x83\x18\x63\x01\x02", ErrVersion},
		"version zero":         {"\x82\x00\x81\x83\x02\x61a\x80", ErrMalformed},
		"long number":          {"\x82\x18\x01\x81\x83\x02\x61a\x80", ErrMalformed},
		"long code":            {"\x82\x01\x81\x83\x18\x02\x61a\x80", ErrMalformed},
		"long string length":   {"\x82\x01\x81\x83\x02\x78\x01a\x80", ErrMalformed},
		"trailing":             {"\x82\x01\x81\x83\x02\x61a\x80\x00", ErrMalformed},
		"one field more":       {"\x82\x01\x81\x84\x02\x61a\x80\x01", ErrMalformed},
		"one field less":       {"\x82\x01\x81\x82\x02\x61a", ErrMalformed},
		"operation is no list": {"\x82\x01\x81\x02", ErrMalformed},
		"operation is empty":   {"\x82\x01\x81\x80", ErrMalformed},
		"code is text":         {"\x82\x01\x81\x81\x61a", ErrMalformed},
		"indefinite":           {"\x82\x01\x81\x9f\x02\x61a\x80\xff", ErrMalformed},
		"path of bytes":        {"\x82\x01\x81\x83\x02\x41a\x80", ErrMalformed},
		"second one bad":       {"\x82\x01\x82\x83\x02\x61a\x80\x83\x02\x61/\x80", ErrPath},
		"4 GiB of operations":  {"\x82\x01\x9a\xff\xff\xff\xff", ErrMalformed},
		"4 GiB of path":        {"\x82\x01\x81\x83\x02\x7a\xff\xff\xff\xff", ErrMalformed},
		"more than 2^63 bytes": {"\x82\x01\x81\x87\x01\x61a\x1b\xff\xff\xff\xff\xff\xff\xff\xff\x00\xf4\x40\x80", ErrMalformed},
		"time beyond":          {"\x82\x01\x81\x87\x01\x61a\x00\x1b\xff\xff\xff\xff\xff\xff\xff\xff\xf4\x40\x80", ErrMalformed},
		"tag in an unknown":    {"\x82\x01\x81\x82\x09\xc1\x00", ErrMalformed},
		"deep unknown":         {"\x82\x01\x81\x82\x09" + strings.Repeat("\x81", 20) + "\x00", ErrMalformed},
		"unknown of 2^64":      {"\x82\x01\x81\x82\x09\x9b\xff\xff\xff\xff\xff\xff\xff\xff", ErrMalformed},
		"map of 2^63":          {"\x82\x01\x81\x82\x09\xbb\x80\x00\x00\x00\x00\x00\x00\x00", ErrMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			if ops, err := Decode([]byte(tt.in)); !errors.Is(err, tt.want) {
				t.Errorf("got %v, %v", ops, err)
			}
		})
	}
	if ops, err := Decode([]byte("\x82\x01\x82\x83\x02\x61a\x80\x82\x18\x2a\xf6")); err != nil || len(ops) != 2 {
		t.Errorf("an unknown operation beside a known one: %v, %v", ops, err)
	}
}

func FuzzDecode(f *testing.F) {
	for _, op := range samples() {
		b, err := Encode([]Op{op})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	all, _ := Encode(samples())
	f.Add(all)
	f.Fuzz(func(t *testing.T, b []byte) {
		ops, err := Decode(b)
		if err != nil {
			return
		}
		again, err := Encode(ops)
		if err != nil || !bytes.Equal(again, b) {
			t.Fatalf("%x decodes to %+v, which encodes to %x, %v", b, ops, again, err)
		}
		tr := New()
		for i, op := range ops {
			if v, ok := op.(Version); ok {
				tr.Add(Known{ID: id(1, 1, uint32(i)), Version: v})
			}
		}
		checkViews(t, tr)
	})
}

func TestPack(t *testing.T) {
	var ops []Op
	for i := range 10_000 {
		ops = append(ops, Version{Path: fmt.Sprintf("Ordner %d/Datei %d", i/100, i), Kind: File, Size: 10, Sum: Sum{1}})
	}
	for _, max := range []int{0, 200, 5000} {
		packs, err := Pack(ops, max)
		if err != nil {
			t.Fatal(err)
		}
		var got []Op
		total := 0
		for i, p := range packs {
			limit := max
			if max == 0 {
				limit = MaxPayload
			}
			if len(p.Bytes) > limit {
				t.Errorf("%d bytes, at most %d", len(p.Bytes), limit)
			}
			if i < len(packs)-1 && len(p.Bytes) < limit-100 {
				t.Errorf("payload %d of %d bytes could hold more", i, len(p.Bytes))
			}
			dec, err := Decode(p.Bytes)
			if err != nil || !reflect.DeepEqual(dec, p.Ops) {
				t.Fatalf("payload %d: %v", i, err)
			}
			got = append(got, dec...)
			total += len(p.Bytes)
		}
		if !reflect.DeepEqual(got, ops) {
			t.Errorf("%d operations became %d", len(ops), len(got))
		}
	}
	tiny := make([]Op, MaxOps+1)
	for i := range tiny {
		tiny[i] = Version{Path: "a", Kind: Dir}
	}
	if p, err := Pack(tiny, 0); err != nil || len(p) != 2 || len(p[0].Ops) != MaxOps {
		t.Errorf("most operations: %d payloads, %v", len(p), err)
	}
	if _, err := Pack(ops, 20); !errors.Is(err, ErrMalformed) {
		t.Errorf("one is too large: %v", err)
	}
	if p, err := Pack(nil, 0); err != nil || p != nil {
		t.Errorf("nothing: %v, %v", p, err)
	}
}

func TestVersionID(t *testing.T) {
	v := VersionID{Log: log.LogID{1, 2, 3}, Seq: 42, N: 7}
	if got, err := ParseVersionID(v.String()); err != nil || got != v {
		t.Errorf("%v, %v", got, err)
	}
	for _, s := range []string{"", "x", v.Log.String() + "-0-0", v.Log.String() + "-01-0", v.Log.String() + "-1-4096", v.String() + "-1", v.Log.String() + "-1--1"} {
		if got, err := ParseVersionID(s); err == nil {
			t.Errorf("%q is %v", s, got)
		}
	}
}

func TestBlocks(t *testing.T) {
	const mib = 1 << 20
	for size, want := range map[int64][2]int{
		0: {MinBlock, 0}, 1: {MinBlock, 1}, MinBlock: {MinBlock, 1}, MinBlock + 1: {MinBlock, 2},
		250*mib - 1: {MinBlock, 2000}, 250 * mib: {2 * MinBlock, 1000}, 500 * mib: {4 * MinBlock, 1000},
		1 << 30: {mib, 1024}, 40_000 * mib: {MaxBlock, 2500}, MaxSize: {MaxBlock, MaxSize / MaxBlock},
	} {
		if b, n := BlockSize(size), BlockCount(size); b != want[0] || n != want[1] {
			t.Errorf("%d bytes: %d blocks of %d, want %v", size, n, b, want)
		}
	}
	two := blocks(2)
	list := append(two[0][:], two[1][:]...)
	if SumOf(nil) != (Sum{}) || SumOf(two[:1]) != two[0] {
		t.Error("sums of no and one block")
	}
	if Sum(sha256.Sum256(list)) != SumOf(two).List() || SumOf(two) == Sum(sha256.Sum256(list)) {
		t.Error("a file that holds a list must not have the name of the file with that list")
	}
}
