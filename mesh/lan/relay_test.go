package lan

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"inselnetz/crdt/log"
	"inselnetz/mesh"
	"inselnetz/mesh/meshtest"
)

// apart has no way to one other peer.
type apart struct {
	mesh.Transport
	from mesh.PeerID
}

func (a apart) Dial(ctx context.Context, to mesh.PeerID, addrs []string, proto string) (mesh.Conn, error) {
	if to == a.from {
		return nil, errors.New("no way")
	}
	return a.Transport.Dial(ctx, to, addrs, proto)
}

func (a apart) Accept(ctx context.Context) (mesh.Conn, error) {
	for {
		c, err := a.Transport.Accept(ctx)
		if err != nil || c.Peer() != a.from {
			return c, err
		}
		c.Close()
	}
}

// TestRelayAndOwnTalk: while much passes through a device, what it says itself
// arrives as if nothing were.
func TestRelayAndOwnTalk(t *testing.T) {
	names := []string{"ann", "bob", "cem"}
	port := freeUDP(t)
	var ts []*Transport
	var devices []meshtest.Device
	for _, n := range names {
		tr := open(t, n, port)
		ts = append(ts, tr)
		devices = append(devices, meshtest.NewDevice(n, tr.Self()))
	}
	o := meshtest.NewOffice(devices[0])
	ms := []*meshtest.Memory{meshtest.NewMemory(o, devices[0])}
	for _, d := range devices[1:] {
		ms[0].Admit(d)
		ms = append(ms, meshtest.NewMemory(o, d))
	}
	var mu sync.Mutex
	var took []time.Duration
	start := time.Now()
	heard := func(_ log.DeviceID, _ log.SpaceID, _ uint8, data []byte) {
		mu.Lock()
		defer mu.Unlock()
		took = append(took, time.Since(start)-time.Duration(binary.BigEndian.Uint64(data)))
	}
	has := meshtest.NewContents()
	var nodes []*meshtest.Node
	for i, m := range ms {
		if i > 0 {
			m.Take(ms[0])
		}
		var tr mesh.Transport = ts[i]
		opts := mesh.Options{}
		switch i {
		case 0:
			tr, opts.Heard = apart{tr, devices[2].Peer}, heard
		case 2:
			tr, opts.Contents = apart{tr, devices[0].Peer}, has
		}
		nodes = append(nodes, meshtest.Start(m, tr, 1, opts))
	}
	defer func() {
		for _, n := range nodes {
			if err := n.Stop(); err != nil {
				t.Error(err)
			}
		}
	}()
	for _, n := range nodes {
		for i, tr := range ts {
			if tr.Self() != n.Device.Peer {
				n.Memory.Reached(devices[i].Peer, tr.Addrs())
			}
		}
		n.Refresh()
	}
	joined := func() bool {
		for _, p := range nodes[0].Peers() {
			if p.PeerID == devices[2].Peer && p.Here && p.Via == devices[1].ID {
				return true
			}
		}
		return false
	}
	for end := time.Now().Add(30 * time.Second); !joined(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("ann sees %+v", nodes[0].Peers())
		}
	}
	pieces, data := meshtest.Made("x", 64, 512<<10)
	for i, p := range pieces {
		has.Put(p, data[i])
	}
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for {
			nodes[1].WhisperTo(devices[0].ID, o.Space(), 1, binary.BigEndian.AppendUint64(nil, uint64(time.Since(start))))
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
	})
	began := time.Now()
	got, err := meshtest.Fetch(t.Context(), nodes[0].Mesh, o.Space(), pieces, data, nil, nil)
	passed := time.Since(began)
	stop()
	wg.Wait()
	if err == nil {
		err = got.Check(len(pieces), 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	slices.Sort(took)
	if len(took) == 0 {
		t.Fatal("nothing was heard")
	}
	median := took[len(took)/2]
	t.Logf("32 MiB through bob in %v; meanwhile %d whispers of his arrived, half within %v, the slowest after %v", passed, len(took), median, took[len(took)-1])
	if median > 250*time.Millisecond {
		t.Errorf("half of what bob said took more than %v", median)
	}
}
