package mesh_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"inselnetz/mesh"
	"inselnetz/mesh/meshtest"
)

// TestAddressesToldByPeers: two members who hear no beacons and know one third
// device alone find each other through it.
func TestAddressesToldByPeers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wires{nodes: map[mesh.PeerID]*wired{}}
		devices := []meshtest.Device{meshtest.NewDevice("a", "a"), meshtest.NewDevice("b", "b"), meshtest.NewDevice("c", "c")}
		o := meshtest.NewOffice(devices[1])
		first := meshtest.NewMemory(o, devices[1])
		first.Admit(devices[0])
		first.Admit(devices[2])
		ms := []*meshtest.Memory{meshtest.NewMemory(o, devices[0]), first, meshtest.NewMemory(o, devices[2])}
		var nodes []*meshtest.Node
		for i, m := range ms {
			if m != first {
				m.Take(first)
				m.Reached("b", []string{"wire:b"})
			}
			nodes = append(nodes, meshtest.Start(m, w.node(m.Device.Peer), byte(i+1), mesh.Options{}))
		}
		time.Sleep(90 * time.Second)
		if got := nodes[0].Here(); !slices.Equal(got, []mesh.PeerID{"b", "c"}) {
			t.Errorf("a sees %v", got)
		}
		for _, n := range nodes {
			if err := n.Stop(); err != nil {
				t.Error(err)
			}
		}
	})
}
