package lan

import (
	"crypto/sha256"
	"fmt"
	"testing"
	"time"

	"inselnetz/crdt/log"
	"inselnetz/mesh"
	"inselnetz/mesh/meshtest"
)

// same is Contents of pieces that all have the same bytes, so that a large file
// costs no memory.
type same []byte

func (s same) Read(_ log.DeviceID, _ log.SpaceID, _ mesh.Name, _ uint32, buf []byte) ([]byte, error) {
	return append(buf, s...), nil
}

func (s same) Ask(_ log.DeviceID, _ log.SpaceID, c mesh.Name, _ uint32) (mesh.Name, bool) {
	return c, true
}

func (s same) Take(_ log.DeviceID, _ log.SpaceID, _ mesh.Piece, data []byte) ([]byte, error) {
	return data, nil
}

// BenchmarkFetch fetches files between two Meshes on the loopback interface: each
// is one large file or many small ones, with the check of their hashes.
func BenchmarkFetch(b *testing.B) {
	for _, f := range []struct{ n, size int }{{2048, 512 << 10}, {8192, 128 << 10}, {64, 16 << 20}, {10_000, 4096}, {1, 10_000}} {
		b.Run(fmt.Sprintf("%dx%d", f.n, f.size), func(b *testing.B) { benchFetch(b, f.n, f.size) })
	}
}

func benchFetch(b *testing.B, n, size int) {
	data := make([]byte, size)
	pieces := make([]mesh.Piece, n)
	for i := range pieces {
		pieces[i] = mesh.Piece{Content: mesh.Name{1}, Index: uint32(i), Size: size, Hash: sha256.Sum256(data)}
	}
	var ms []*meshtest.Memory
	var nodes []*meshtest.Node
	var o *meshtest.Office
	for i, name := range []string{"ann", "bob"} {
		tr, err := New(b.Context(), Options{Key: key(name), BeaconPort: 40100, Loopback: true})
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { tr.Close() })
		d := meshtest.NewDevice(name, tr.Self())
		if i == 0 {
			o = meshtest.NewOffice(d)
		} else {
			ms[0].Admit(d)
		}
		m := meshtest.NewMemory(o, d)
		ms = append(ms, m)
		if i > 0 {
			m.Take(ms[0])
		}
		nodes = append(nodes, meshtest.Start(m, tr, byte(i), mesh.Options{Contents: same(data)}))
		b.Cleanup(func() { nodes[i].Stop() })
	}
	nodes[0].Reached(nodes[1].Transport.Self(), nodes[1].Transport.Addrs())
	nodes[0].Refresh()
	for end := time.Now().Add(20 * time.Second); len(nodes[0].Here()) == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			b.Fatal("they do not meet")
		}
	}
	b.SetBytes(int64(n) * int64(size))
	for b.Loop() {
		err := nodes[0].Fetch(b.Context(), o.Space(), pieces, nil, func(int, []byte) error { return nil }, func(i int) { b.Error("missing") })
		if err != nil {
			b.Fatal(err)
		}
	}
}
