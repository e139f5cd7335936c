package log

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

const vectorsFile = "testdata/vectors.json"

type vectors struct {
	About string
	Cards []cardVector
	Keys  []keyVector
	// Everyone is the id of the space of all members of the workspace of Cards[1].
	Everyone string
	Entries  []entryVector
	Digests  []digestVector
	Fork     forkVector
	Stamps   []stampVector
}

type cardVector struct{ Workspace, Space, DeviceSeed, Device, Incarnation, Log string }

type keyVector struct {
	Space, Key, ID string
	Epoch          uint64
}

type entryVector struct {
	Name                                  string
	Plain, Nonce                          string `json:",omitempty"` // of a sealed payload
	Payload, Header, Hash, Signature, All string
}

type digestVector struct {
	Heights []struct {
		Log, Hash string
		Seq       uint64
	}
	Digest string
}

type forkVector struct{ All, Device string }

type stampVector struct {
	Clock uint64
	Past  []uint64
	Stamp uint64
}

func h2s(b []byte) string { return hex.EncodeToString(b) }

// computeVectors makes the golden vectors from fixed keys.
func computeVectors(t *testing.T) vectors {
	v := vectors{About: "Golden vectors of crdt/log/FORMAT.md. All byte strings are hexadecimal. Written by: go test ./crdt/log -update"}
	key := seeded(7)
	dev := DeviceOf(key)
	w := WorkspaceID(bytes.Repeat([]byte{0x11}, 32))
	genesis := Card{Device: dev, Incarnation: Incarnation{0xaa}}
	chat := Card{Workspace: w, Space: Everyone(w), Device: dev, Incarnation: Incarnation{0xbb}}
	for _, c := range []Card{genesis, chat} {
		id := c.ID()
		v.Cards = append(v.Cards, cardVector{h2s(c.Workspace[:]), h2s(c.Space[:]), h2s(key.Seed()), h2s(dev[:]), h2s(c.Incarnation[:]), h2s(id[:])})
	}
	v.Everyone = h2s(chat.Space[:])
	space := Key(bytes.Repeat([]byte{0x22}, 32))
	for _, k := range []struct {
		space SpaceID
		epoch uint64
	}{{Control, 1}, {chat.Space, 1}, {chat.Space, 2}} {
		id := space.ID(k.space, k.epoch)
		v.Keys = append(v.Keys, keyVector{h2s(k.space[:]), h2s(space[:]), h2s(id[:]), k.epoch})
	}
	add := func(name string, h Header, plain, nonce, payload []byte) *Entry {
		e, err := New(key, h, payload)
		if err != nil {
			t.Fatal(err)
		}
		hash := e.Hash()
		ev := entryVector{Name: name, Plain: h2s(plain), Nonce: h2s(nonce), Payload: h2s(e.Payload), Header: h2s(e.Raw), Hash: h2s(hash[:]), Signature: h2s(e.Sig[:]), All: h2s(e.Bytes())}
		v.Entries = append(v.Entries, ev)
		return e
	}
	first := add("first of its log, plain, empty", Header{Log: genesis.ID(), Seq: 1, Kind: KindControl}, nil, nil, nil)
	id := space.ID(Control, 1)
	h := Header{
		Log: chat.ID(), Seq: 300, Prev: first.Hash(), HLC: 1_767_225_600_000<<16 | 5, Ctl: []Ref{first.Hash().Ref()},
		Deps: []Dep{{Log: LogID{1}, Seq: 23}, {Log: LogID{2}, Seq: 24}}, Key: &id, Kind: KindChat,
	}
	nonce := bytes.Repeat([]byte{0x33}, 24)
	sealed, err := Seal(bytes.NewReader(nonce), space, w, &h, []byte("Guten Morgen"))
	if err != nil {
		t.Fatal(err)
	}
	second := add("sealed, with every field used", h, []byte("Guten Morgen"), nonce, sealed)
	erased := second.Erased()
	v.Entries = append(v.Entries, entryVector{Name: "the same, erased", Header: h2s(erased.Raw), Hash: v.Entries[1].Hash, Signature: v.Entries[1].Signature, All: h2s(erased.Bytes())})

	heights := Heights{}
	d := heights.Digest()
	v.Digests = append(v.Digests, digestVector{Digest: h2s(d[:])})
	var dv digestVector
	for i := byte(1); i <= 2; i++ {
		heights[LogID{i}] = Height{Seq: uint64(i) * 300, Hash: Hash{i}}
		lid, lh := LogID{i}, Hash{i}
		dv.Heights = append(dv.Heights, struct {
			Log, Hash string
			Seq       uint64
		}{h2s(lid[:]), h2s(lh[:]), uint64(i) * 300})
	}
	d = heights.Digest()
	dv.Digest = h2s(d[:])
	v.Digests = append(v.Digests, dv)

	a, _ := New(key, Header{Log: chat.ID(), Seq: 1, Kind: KindChat}, []byte("a"))
	b, _ := New(key, Header{Log: chat.ID(), Seq: 1, Kind: KindChat}, []byte("b"))
	v.Fork = forkVector{All: h2s(NewForkProof(a, b).Bytes()), Device: h2s(dev[:])}

	for _, s := range []stampVector{{Clock: 1000}, {Clock: 1000, Past: []uint64{999, 1000}}, {Clock: 5, Past: []uint64{70}}, {Clock: 1<<64 - 1}} {
		s.Stamp = Stamp(HLC(s.Clock), s.Past...)
		v.Stamps = append(v.Stamps, s)
	}
	return v
}

func TestGoldenVectors(t *testing.T) {
	got, err := json.MarshalIndent(computeVectors(t), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(vectorsFile, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(vectorsFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("the format changed: %s differs from what is computed now", vectorsFile)
	}
}

// TestGoldenEntriesAreRead reads yesterday's entries from the file.
func TestGoldenEntriesAreRead(t *testing.T) {
	raw, err := os.ReadFile(vectorsFile)
	if err != nil {
		t.Fatal(err)
	}
	var v vectors
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	bin := func(s string) []byte {
		b, err := hex.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	dev := DeviceID(bin(v.Cards[1].Device))
	for _, ev := range v.Entries {
		e, err := Decode(bin(ev.All))
		if err != nil {
			t.Errorf("%s: %v", ev.Name, err)
			continue
		}
		if hash := e.Hash(); h2s(hash[:]) != ev.Hash || e.Verify(dev) != nil {
			t.Errorf("%s: hash or signature", ev.Name)
		}
		if ev.Plain == "" {
			continue
		}
		plain, err := Open(Key(bin(v.Keys[0].Key)), WorkspaceID(bin(v.Cards[1].Workspace)), &e.Header, e.Payload)
		if err != nil || h2s(plain) != ev.Plain {
			t.Errorf("%s: opens to %q, %v", ev.Name, plain, err)
		}
	}
	p, err := DecodeForkProof(bin(v.Fork.All))
	if err != nil || p.Check(dev) != nil {
		t.Errorf("fork proof: %v, %v", err, p.Check(dev))
	}
}
