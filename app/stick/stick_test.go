package stick

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"flag"
	"io"
	"os"
	"reflect"
	"runtime"
	"slices"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"inselnetz/crdt/access"
	"inselnetz/crdt/log"
)

var update = flag.Bool("update", false, "make the golden file anew")

var (
	oldKey, newKey = log.Key{1}, log.Key{2}
	space          = log.SpaceID{7}
	spaceKey       = log.Key{8}
	box            = access.BoxSecret{9}
	signer         = ed25519.NewKeyFromSeed(make([]byte, 32))
)

// reading are the keys of one who reads all of it.
func reading() Keys {
	return Keys{Box: box, Network: []log.Key{newKey, oldKey}, Space: func(log.SpaceID) []log.Key { return []log.Key{spaceKey} }}
}

func card(space log.SpaceID) log.Card {
	return log.Card{Workspace: log.WorkspaceID{1}, Space: space, Device: log.DeviceOf(signer), Incarnation: log.Incarnation{3}}
}

// filled is what the tests put into a file.
func filled(entry int) []*Record {
	text := func(n int) []byte { return bytes.Repeat([]byte{0x5a}, n) }
	heights := log.Heights{{1}: {Seq: 4, Hash: log.Hash{5}}, {2}: {Seq: 9, Hash: log.Hash{6}}}
	return []*Record{
		{Part: &Part{Card: card(log.Control), Entries: [][]byte{text(3), text(entry)}}},
		{Holds: NewHolds(signer, 12, heights)[0]},
		{Space: space, Part: &Part{Card: card(space), Entries: [][]byte{text(entry)}}},
		{Space: space, Piece: &Piece{Content: log.Hash{3}, Index: 1, Data: text(4 * entry)}},
		{Space: space, Holds: NewHolds(signer, 13, heights)[0]},
	}
}

func write(t interface{ Fatal(...any) }, records []*Record, members, readers Locks) []byte {
	var out bytes.Buffer
	w, err := NewWriter(&out, members, About{By: log.DeviceOf(signer), At: 11, Entries: 3})
	for at := (log.SpaceID{}); err == nil && len(records) > 0; records = records[1:] {
		r := records[0]
		if r.Space != at {
			if err = w.Space(r.Space, readers); err != nil {
				break
			}
			at = r.Space
		}
		switch {
		case r.Part != nil:
			err = w.Part(*r.Part)
		case r.Holds != nil:
			err = w.Holds(r.Holds)
		case r.Piece != nil:
			err = w.Piece(*r.Piece)
		}
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func readAll(r io.Reader, keys Keys) (got []*Record, closed int, err error) {
	f, err := NewReader(r, keys)
	if err != nil {
		return nil, 0, err
	}
	for {
		rec, err := f.Next()
		if err != nil {
			return got, f.Closed, err
		}
		got = append(got, rec)
	}
}

var both = Locks{Keys: []log.Key{newKey}, Boxes: []access.BoxKey{box.Public()}}

func TestRoundTrip(t *testing.T) {
	for _, entry := range []int{1, 40, chunkSize - 500, chunkSize} {
		file := write(t, filled(entry), both, Locks{Keys: []log.Key{spaceKey}})
		got, closed, err := readAll(bytes.NewReader(file), reading())
		if err != io.EOF || closed != 0 || !reflect.DeepEqual(got, filled(entry)) {
			t.Errorf("%d bytes: %d records, %d closed, %v", entry, len(got), closed, err)
		}
		for _, r := range got {
			if r.Holds != nil && !r.Holds.True() {
				t.Error("what a device holds is not signed")
			}
		}
	}
}

func TestWhoOpens(t *testing.T) {
	other := access.BoxSecret{77}
	for name, tt := range map[string]struct {
		members, readers Locks
		keys             Keys
		records, closed  int
		err              error
	}{
		"a member by the newest key":    {both, both, Keys{Box: other, Network: []log.Key{newKey}}, 2, 1, io.EOF},
		"a device that was away":        {both, both, Keys{Box: box, Network: []log.Key{oldKey}}, 5, 0, io.EOF},
		"a device that was removed":     {both, both, Keys{Box: other, Network: []log.Key{oldKey}}, 0, 0, ErrForeign},
		"a stranger":                    {both, both, Keys{}, 0, 0, ErrForeign},
		"a reader that came later":      {both, Locks{Keys: []log.Key{spaceKey}}, Keys{Box: other, Network: []log.Key{newKey}, Space: reading().Space}, 5, 0, io.EOF},
		"a space whose key is not good": {Locks{Boxes: both.Boxes}, Locks{Boxes: both.Boxes}, Keys{Box: box}, 5, 0, io.EOF},
	} {
		t.Run(name, func(t *testing.T) {
			got, closed, err := readAll(bytes.NewReader(write(t, filled(40), tt.members, tt.readers)), tt.keys)
			if len(got) != tt.records || closed != tt.closed || !errors.Is(err, tt.err) {
				t.Errorf("%d records, %d closed, %v", len(got), closed, err)
			}
		})
	}
}

// TestNothingShows: neither what is in a file nor for how many it is.
func TestNothingShows(t *testing.T) {
	clear := []byte("Kanzlei Petersen")
	records := []*Record{{Part: &Part{Card: card(log.Control), Entries: [][]byte{clear}}}}
	few := write(t, records, both, both)
	if bytes.Contains(few, clear) {
		t.Error("an entry stands in the clear")
	}
	var many Locks
	for i := range lockStep {
		many.Boxes = append(many.Boxes, access.BoxSecret{byte(i), 1}.Public())
	}
	if n := len(write(t, records, many, both)); n != len(few) {
		t.Errorf("a file for %d devices has %d bytes, one for a single one %d", lockStep, n, len(few))
	}
}

// TestEveryByteCounts: no byte can be changed, left out or added unnoticed.
func TestEveryByteCounts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		records := filled(rapid.IntRange(1, chunkSize).Draw(t, "entry"))
		file := write(t, records, both, both)
		at := rapid.IntRange(0, len(file)-1).Draw(t, "at")
		bad := slices.Clone(file)
		switch rapid.IntRange(0, 3).Draw(t, "how") {
		case 0:
			bad[at] ^= byte(rapid.IntRange(1, 255).Draw(t, "bits"))
		case 1:
			bad = bad[:at]
		case 2:
			bad = append(bad, file[at:]...)
		case 3: // two chunks change places
			head := len(file) - len(file)%sealedChunk
			if head < 2*sealedChunk {
				return
			}
			from := lockAt + lockFixed + lockStep*boxLen
			bad = slices.Concat(file[:from], file[from+sealedChunk:from+2*sealedChunk], file[from:from+sealedChunk], file[from+2*sealedChunk:])
			if bytes.Equal(bad, file) {
				return
			}
		}
		got, _, err := readAll(bytes.NewReader(bad), reading())
		if err == io.EOF || err == nil {
			t.Fatalf("a file that was changed is read to its end: %d records", len(got))
		}
		if len(got) > len(records) || len(got) > 0 && !reflect.DeepEqual(got, records[:len(got)]) {
			t.Fatal("a file that was changed tells something else")
		}
	})
}

const lockAt = len(magic) + 32

func TestHeads(t *testing.T) {
	file := write(t, filled(1), both, both)
	for name, tt := range map[string]struct {
		in   []byte
		want error
	}{
		"empty":         {nil, ErrNotStick},
		"another file":  {[]byte("PK\x03\x04 something that is no stick"), ErrNotStick},
		"newer":         {append([]byte(magic[:len(magic)-1]+"\x02"), file[len(magic):]...), ErrNewer},
		"version zero":  {append([]byte(magic[:len(magic)-1]+"\x00"), file[len(magic):]...), ErrNotStick},
		"cut in a lock": {file[:lockAt+100], ErrDamaged},
		"header alone":  {file[:lockAt+lockFixed+lockStep*boxLen], ErrDamaged},
		"no boxes":      {append(slices.Clone(file[:lockAt]), make([]byte, lockFixed)...), ErrDamaged},
		"all too many":  {append(slices.Clone(file[:lockAt]), bytes.Repeat([]byte{0xff}, 1000)...), ErrDamaged},
	} {
		if _, err := NewReader(bytes.NewReader(tt.in), reading()); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
	}
	pulled := errors.New("input/output error")
	r := io.MultiReader(bytes.NewReader(file[:len(file)-5]), errReader{pulled})
	if _, _, err := readAll(r, reading()); !errors.Is(err, pulled) {
		t.Errorf("a stick that was pulled out: %v", err)
	}
}

type errReader struct{ err error }

func (r errReader) Read([]byte) (int, error) { return 0, r.err }

// inside seals bytes as a member that means harm could.
func inside(plain []byte) []byte {
	head := hostileHead()
	out := bytes.NewBuffer(slices.Clone(head))
	s := &sealer{w: out, aead: newAEAD(streamKey(secret{}, head))}
	_, _ = s.Write(plain)
	_ = s.Close()
	return out.Bytes()
}

var hostileHead = sync.OnceValue(func() []byte {
	lock, err := makeLock(scope{}, secret{}, both)
	if err != nil {
		panic(err)
	}
	return slices.Concat([]byte(magic), make([]byte, 32), lock)
})

func rec(kind byte, body []byte) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{kind}, uint32(len(body))), body...)
}

// TestHostileMember: what a member could put into a file is bounded and refused.
func TestHostileMember(t *testing.T) {
	about := rec(typeAbout, encode(About{}))
	part := func(entries ...[]byte) []byte {
		return rec(typePart, encode(partBody{Card: card(log.Control).Pack(), Entries: entries}))
	}
	for name, in := range map[string][]byte{
		"nothing":                 {},
		"no about":                part([]byte{1}),
		"about twice":             slices.Concat(about, about),
		"a length without bytes":  append(slices.Clone(about), typePart, 0, 0xff, 0xff, 0xff),
		"a length beyond all":     append(slices.Clone(about), typePart, 0xff, 0xff, 0xff, 0xff),
		"a part without entries":  slices.Concat(about, part()),
		"an entry too long":       slices.Concat(about, part(make([]byte, log.MaxEntry+1))),
		"too many bytes":          slices.Concat(about, part(slices.Repeat([][]byte{make([]byte, log.MaxEntry)}, 5)...)),
		"an array that claims":    slices.Concat(about, rec(typePart, []byte{0x82, 0x58, 0x60})),
		"nested deeply":           slices.Concat(about, rec(typeHolds, bytes.Repeat([]byte{0x81}, 5000))),
		"another space":           slices.Concat(about, rec(typePart, encode(partBody{Card: card(space).Pack(), Entries: [][]byte{{1}}}))),
		"sealed without space":    slices.Concat(about, rec(typeSealed, []byte{1, 2, 3})),
		"the control space again": slices.Concat(about, rec(typeSpace, make([]byte, 16+lockFixed+lockStep*boxLen))),
		"a space cut short":       slices.Concat(about, rec(typeSpace, []byte{1})),
		"heights twice":           slices.Concat(about, rec(typeHolds, encode(Holds{Heights: []Height{{Seq: 1}, {Seq: 1}}}))),
		"a piece without bytes":   slices.Concat(about, rec(typePiece, encode(Piece{}))),
	} {
		t.Run(name, func(t *testing.T) {
			if _, _, err := readAll(bytes.NewReader(inside(in)), reading()); !errors.Is(err, ErrDamaged) {
				t.Errorf("%v, want ErrDamaged", err)
			}
		})
	}
	t.Run("a type of later versions", func(t *testing.T) {
		got, _, err := readAll(bytes.NewReader(inside(slices.Concat(about, rec(99, []byte("later")), part([]byte{1})))), reading())
		if err != io.EOF || len(got) != 1 {
			t.Errorf("%d records, %v", len(got), err)
		}
	})
}

// TestMemory: a claim of sixteen megabytes costs what comes of it.
func TestMemory(t *testing.T) {
	in := inside(append(rec(typeAbout, encode(About{})), typePart, 0x01, 0, 0, 0, 1, 2, 3))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, _, err := readAll(bytes.NewReader(in), reading()); !errors.Is(err, ErrDamaged) {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 4<<20 {
		t.Errorf("%d bytes for a claim", n)
	}
}

func TestHoldsAreSigned(t *testing.T) {
	heights := log.Heights{}
	for i := range 2*maxHolds + 1 {
		heights[log.LogID{byte(i), byte(i >> 8)}] = log.Height{Seq: uint64(i + 1)}
	}
	all := log.Heights{}
	list := NewHolds(signer, 5, heights)
	for _, h := range list {
		if !h.True() || !h.good() {
			t.Fatal("not signed, or not within the limits")
		}
		for id, at := range h.All() {
			all[id] = at
		}
	}
	if len(list) != 3 || !reflect.DeepEqual(all, heights) {
		t.Errorf("%d records with %d heights", len(list), len(all))
	}
	list[0].Heights[0].Seq++
	if list[0].True() {
		t.Error("a height can be raised")
	}
	list[1].Device[0] ^= 1
	if list[1].True() {
		t.Error("another's word")
	}
}

// TestGolden: files of earlier versions are read.
func TestGolden(t *testing.T) {
	const name = "testdata/version1.inselnetz"
	if *update {
		if err := os.WriteFile(name, write(t, filled(5), both, Locks{Keys: []log.Key{spaceKey}}), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	file, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for by, keys := range map[string]Keys{"keys": {Network: []log.Key{newKey}, Space: reading().Space}, "box": reading()} {
		got, _, err := readAll(bytes.NewReader(file), keys)
		if err != io.EOF || !reflect.DeepEqual(got, filled(5)) {
			t.Errorf("by %s: %d records, %v", by, len(got), err)
		}
	}
}

// FuzzReader: bytes of strangers, and what a member sealed, end in an error or at
// the end.
func FuzzReader(f *testing.F) {
	file := write(f, filled(9), both, both)
	f.Add(file, false)
	f.Add(file[:300], false)
	f.Add(rec(typeAbout, encode(About{})), true)
	f.Add(slices.Concat(rec(typeAbout, encode(About{})), rec(typePart, encode(partBody{Card: card(log.Control).Pack(), Entries: [][]byte{{1}}}))), true)
	f.Add(slices.Concat(rec(typeAbout, encode(About{})), rec(typeHolds, encode(NewHolds(signer, 1, log.Heights{{1}: {Seq: 4}})[0]))), true)
	f.Fuzz(func(t *testing.T, in []byte, member bool) {
		if member {
			in = inside(in)
		}
		r, err := NewReader(bytes.NewReader(in), reading())
		if err != nil {
			return
		}
		for {
			rec, err := r.Next()
			if err != nil {
				return
			}
			if rec.Part == nil && rec.Holds == nil && rec.Piece == nil {
				t.Fatal("a record without anything in it")
			}
		}
	})
}

// FuzzRecord: what decodes has one encoding.
func FuzzRecord(f *testing.F) {
	for _, r := range filled(3) {
		switch {
		case r.Part != nil:
			f.Add(byte(typePart), encode(partBody{Card: r.Part.Card.Pack(), Entries: r.Part.Entries}))
		case r.Holds != nil:
			f.Add(byte(typeHolds), encode(r.Holds))
		default:
			f.Add(byte(typePiece), encode(r.Piece))
		}
	}
	f.Fuzz(func(t *testing.T, kind byte, body []byte) {
		r, err := decodeRecord(space, kind, body)
		if err != nil || r == nil {
			return
		}
		var again []byte
		switch {
		case r.Part != nil:
			again = encode(partBody{Card: r.Part.Card.Pack(), Entries: r.Part.Entries})
		case r.Holds != nil:
			again = encode(r.Holds)
		default:
			again = encode(r.Piece)
		}
		if !bytes.Equal(again, body) {
			t.Fatalf("%x reads as %x", body, again)
		}
	})
}

func BenchmarkRead(b *testing.B) {
	entry := make([]byte, 300)
	_, _ = rand.Read(entry)
	records := slices.Repeat([]*Record{{Space: space, Part: &Part{Card: card(space), Entries: slices.Repeat([][]byte{entry}, 256)}}}, 100)
	file := write(b, records, both, both)
	b.SetBytes(int64(len(file)))
	for b.Loop() {
		if _, _, err := readAll(bytes.NewReader(file), reading()); err != io.EOF {
			b.Fatal(err)
		}
	}
}
