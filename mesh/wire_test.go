package mesh

import (
	"bytes"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"inselnetz/crdt/log"
)

var update = flag.Bool("update", false, "rewrite golden files")

func id16(b byte) (id [16]byte) {
	for i := range id {
		id[i] = b
	}
	return id
}

// samples holds one frame of each type.
func samples() []struct {
	name  string
	frame any
} {
	space, a, b := log.SpaceID(id16(1)), log.LogID(id16(2)), log.LogID(id16(3))
	c := log.Card{Workspace: log.WorkspaceID{4}, Space: space, Device: log.DeviceID{5}, Incarnation: log.Incarnation{6}}
	heights := []logHeight{{Log: a, Seq: 7, Hash: log.Hash{8}}, {Log: b, Seq: 300, Hash: log.Hash{9}}}
	return []struct {
		name  string
		frame any
	}{
		{"digest", &digestFrame{Type: typeDigest, Digests: []spaceDigest{{Space: log.Control, Digest: id16(10)}, {Space: space, Digest: id16(11)}}}},
		{"digest for a stranger", &digestFrame{Type: typeDigest, Digests: []spaceDigest{}}},
		{"ask", &askFrame{Type: typeAsk, Spaces: []log.SpaceID{log.Control, space}}},
		{"heights", &heightsFrame{Type: typeHeights, Space: space, More: true, Heights: heights}},
		{"have", &haveFrame{Type: typeHave, Space: space, Heights: heights}},
		{"want", &wantFrame{Type: typeWant, ID: 1, Max: 65536, Ranges: []log.Range{{Log: a, From: 1, To: 7}}}},
		{"batch", &batchFrame{Type: typeBatch, ID: 1, Parts: []batchPart{{Card: c.Pack(), Entries: [][]byte{{1, 2}, {3}}}}}},
		{"empty batch", &batchFrame{Type: typeBatch, ID: 2, Parts: []batchPart{}}},
		{"push", &pushFrame{Type: typePush, Card: c.Pack(), Entry: []byte{1, 2, 3}}},
		{"addrs", &addrsFrame{Type: typeAddrs, Peers: []peerAddrs{{Peer: "p", Addrs: []string{"192.168.1.7:21960"}}}}},
		{"ping", &pingFrame{Type: typePing, N: 5}},
		{"pong", &pingFrame{Type: typePong, N: 5}},
		{"goodbye", &goodbyeFrame{Type: typeGoodbye}},
		{"call", &callFrame{Type: typeCall}},
		{"whisper", &whisperFrame{Type: typeWhisper, Space: space, Kind: 3, Data: []byte{1, 2}}},
		{"near", &nearFrame{Type: typeNear, Peers: []string{"p", "q"}}},
		{"near nobody", &nearFrame{Type: typeNear, Peers: []string{}}},
		{"relay", &relayFrame{Type: typeRelay, Token: id16(12), Peer: "p"}},
		{"bring", &bringFrame{Type: typeBring, Token: id16(13), Peer: "q", Hops: 1}},
		{"refuse", &refuseFrame{Type: typeRefuse, Token: id16(12)}},
		{"punch", &punchFrame{Type: typePunch, Step: punchAnswer, N: 3, Addrs: []string{"192.0.2.7:21960"}}},
	}
}

// TestGolden: yesterday's program still reads this, and writes it.
func TestGolden(t *testing.T) {
	var out strings.Builder
	for _, s := range samples() {
		b := encode(s.frame)
		fmt.Fprintf(&out, "%s: %s\n", s.name, hex.EncodeToString(b))
		got, err := decode(b)
		if err != nil || !reflect.DeepEqual(got, s.frame) {
			t.Errorf("%s: read back as %+v, %v", s.name, got, err)
		}
	}
	const path = "testdata/frames.golden"
	if *update {
		if err := os.WriteFile(path, []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if out.String() != string(want) {
		t.Errorf("frames changed:\n%s", out.String())
	}
}

func TestDecodeRefuses(t *testing.T) {
	good := encode(pingFrame{Type: typePing, N: 5})
	many := make([]logHeight, maxHeightsFrame+1)
	for i := range many {
		many[i].Seq = 1
	}
	for name, b := range map[string][]byte{
		"nothing":          {},
		"one byte":         {0x81},
		"not an array":     {0xa1, 0x01, 0x02},
		"no type":          {0x81, 0x20},
		"trailing byte":    append(bytes.Clone(good), 0),
		"cut":              good[:len(good)-1],
		"long number":      {0x82, 0x09, 0x18, 0x05},
		"long array head":  {0x98, 0x02, 0x09, 0x05},
		"element too many": {0x83, 0x09, 0x05, 0x05},
		"element too few":  {0x81, 0x09},
		"null list":        encode(askFrame{Type: typeAsk}),
		"zero seq":         encode(haveFrame{Type: typeHave, Heights: []logHeight{{}}}),
		"huge seq":         encode(haveFrame{Type: typeHave, Heights: []logHeight{{Seq: log.MaxSeq + 1}}}),
		"many heights":     encode(haveFrame{Type: typeHave, Heights: many}),
		"backward range":   encode(wantFrame{Type: typeWant, Ranges: []log.Range{{From: 2, To: 1}}}),
		"no range":         encode(wantFrame{Type: typeWant, Ranges: []log.Range{}}),
		"greedy want":      encode(wantFrame{Type: typeWant, Max: log.MaxBatch + 1, Ranges: []log.Range{{From: 1, To: 1}}}),
		"empty part":       encode(batchFrame{Type: typeBatch, Parts: []batchPart{{Entries: [][]byte{}}}}),
		"long entry":       encode(pushFrame{Type: typePush, Entry: make([]byte, log.MaxEntry+1)}),
		"empty entry":      encode(pushFrame{Type: typePush, Entry: []byte{}}),
		"long address":     encode(addrsFrame{Type: typeAddrs, Peers: []peerAddrs{{Peer: "p", Addrs: []string{strings.Repeat("a", maxAddr+1)}}}}),
		"long whisper":     encode(whisperFrame{Type: typeWhisper, Data: make([]byte, MaxWhisper+1)}),
		"near too many":    encode(nearFrame{Type: typeNear, Peers: slices.Repeat([]string{"p"}, maxToldPeers+1)}),
		"near no name":     encode(nearFrame{Type: typeNear, Peers: []string{""}}),
		"relay to nobody":  encode(relayFrame{Type: typeRelay}),
		"brought by far":   encode(bringFrame{Type: typeBring, Peer: "p", Hops: 256}),
		"loud whisper":     encode([]any{uint64(typeWhisper), make([]byte, 16), 256, []byte{}}),
		"short card":       {0x83, 0x07, 0x41, 0x00, 0x41, 0x00},
	} {
		if f, err := decode(b); err == nil {
			t.Errorf("%s: read as %+v", name, f)
		}
	}
	if f, err := decode([]byte{0x82, 0x17, 0x00}); f != nil || err != nil {
		t.Errorf("a type of tomorrow: %v, %v; want it ignored", f, err)
	}
}

// TestLongestFrames: what a sender may make fits into a frame.
func TestLongestFrames(t *testing.T) {
	heights := make([]logHeight, maxHeightsFrame)
	for i := range heights {
		heights[i] = logHeight{Seq: log.MaxSeq}
	}
	batch := batchFrame{Type: typeBatch, ID: 1 << 63}
	for range maxRanges {
		part := batchPart{}
		for range log.MaxBatch / maxRanges / entryGuess {
			part.Entries = append(part.Entries, make([]byte, entryGuess))
		}
		batch.Parts = append(batch.Parts, part)
	}
	digests := make([]spaceDigest, maxSpaces)
	var peers []peerAddrs
	for range maxToldPeers {
		p := peerAddrs{Peer: strings.Repeat("p", maxAddr)}
		for range maxToldAddrs {
			p.Addrs = append(p.Addrs, strings.Repeat("a", maxAddr))
		}
		peers = append(peers, p)
	}
	for name, f := range map[string]any{
		"heights": heightsFrame{Type: typeHeights, Heights: heights},
		"batch":   batch,
		"digest":  digestFrame{Type: typeDigest, Digests: digests},
		"addrs":   addrsFrame{Type: typeAddrs, Peers: peers},
	} {
		b := encode(f)
		if len(b) > MaxFrame {
			t.Errorf("%s: %d bytes, at most %d", name, len(b), MaxFrame)
		}
		if _, err := decode(b); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestIdleCost: comparing a space costs at most 40 bytes.
func TestIdleCost(t *testing.T) {
	one := len(encode(digestFrame{Type: typeDigest, Digests: make([]spaceDigest, 1)}))
	ten := len(encode(digestFrame{Type: typeDigest, Digests: make([]spaceDigest, 10)}))
	if one > 40 || ten > 400 {
		t.Errorf("one space costs %d bytes, ten %d", one, ten)
	}
}

func FuzzFrame(f *testing.F) {
	for _, s := range samples() {
		f.Add(encode(s.frame))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		frame, err := decode(b)
		if err != nil || frame == nil {
			return
		}
		if again := encode(frame); !bytes.Equal(again, b) {
			t.Errorf("%x was read and is written as %x", b, again)
		}
		if p, ok := frame.(*pushFrame); ok {
			openPush(p)
		}
	})
}
