package mesh

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"inselnetz/crdt/log"
)

func blockSamples() map[string][]byte {
	ask := askBlocks{urgent: true, space: log.SpaceID(id16(1)), pieces: []askPiece{{7, Name{2}, 3, 4096}, {9, Name{2}, ListIndex, 64}}}
	data := []byte{blockData}
	for i, b := range []string{"ab", "c"} {
		var head [partHead]byte
		part{uint32(7 + i), 2, uint32(i), uint32(len(b))}.put(head[:])
		data = append(append(data, head[:]...), b...)
	}
	return map[string][]byte{
		"ask":    ask.encode(),
		"cancel": encodeNumbers(blockCancel, []uint32{7, 9}),
		"data":   data,
		"lack":   encodeNumbers(blockLack, []uint32{9}),
	}
}

// TestBlocksGolden: yesterday's program still reads this, and writes it.
func TestBlocksGolden(t *testing.T) {
	var out strings.Builder
	samples := blockSamples()
	for _, name := range []string{"ask", "cancel", "data", "lack"} {
		fmt.Fprintf(&out, "%s: %s\n", name, hex.EncodeToString(samples[name]))
	}
	const path = "testdata/blocks.golden"
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
	a, err := decodeAsk(samples["ask"])
	if err != nil || !reflect.DeepEqual(a.encode(), samples["ask"]) {
		t.Errorf("ask read back as %+v, %v", a, err)
	}
}

// quiet is a Conn that carries nothing.
type quiet struct{ Conn }

func (quiet) Peer() PeerID { return "p" }
func (quiet) Close() error { return nil }

// FuzzBlocks: a stranger's frames neither crash a link nor give it what it did
// not ask for.
func FuzzBlocks(f *testing.F) {
	for _, b := range blockSamples() {
		f.Add(b)
	}
	f.Add([]byte{9, 1, 2})
	m := New(nothing{}, nil, Identity{}, Options{})
	f.Fuzz(func(t *testing.T, b []byte) {
		if a, err := decodeAsk(b); err == nil && !bytes.Equal(a.encode(), b) {
			t.Errorf("%x was read and is written as %x", b, a.encode())
		}
		if len(b) > 0 {
			if n, err := decodeNumbers(b); err == nil && !bytes.Equal(encodeNumbers(b[0], n), b) {
				t.Errorf("%x is written as another list", b)
			}
		}
		p := &partner{device: log.DeviceID{1}}
		l := newLink(newLinks(m), p, quiet{})
		for n := range uint32(16) {
			l.asked[n] = &request{size: 2 + int(n)*1000, longest: longest(2 + int(n)*1000), at: time.Now()}
			l.out += 2 + int(n)*1000
		}
		for range 3 {
			if l.frame(len(b), bytes.NewReader(b)) != nil {
				break
			}
		}
		for n, r := range l.asked {
			if len(r.buf) > r.size+sealing {
				t.Errorf("piece %d of %d bytes holds %d", n, r.size, len(r.buf))
			}
		}
		if l.out < 0 || len(l.srv.urgent)+len(l.srv.bulk)+len(l.srv.lacks) > maxAsked {
			t.Errorf("%d bytes out, %d pieces asked", l.out, len(l.srv.bulk))
		}
	})
}

// nothing is a Transport that is not there.
type nothing struct{ Transport }

func (nothing) Self() PeerID { return "nobody" }
