package sim_test

import (
	"testing"

	"inselnetz/mesh"
	"inselnetz/mesh/meshtest"
	"inselnetz/mesh/sim"
)

func TestTransport(t *testing.T) {
	for _, c := range meshtest.TransportCases() {
		t.Run(c.Name, func(t *testing.T) {
			sim.Run(t, 1, func(w *sim.World) { c.Run(w.T, w.Node("a"), w.Node("b")) })
		})
	}
}

func TestMesh(t *testing.T) {
	for _, c := range meshtest.MeshCases() {
		t.Run(c.Name, func(t *testing.T) {
			sim.Run(t, 1, func(w *sim.World) {
				var ts []mesh.Transport
				for i := range c.Nodes {
					ts = append(ts, w.Node(string(rune('a'+i))))
				}
				c.Run(w.T, ts)
			})
		})
	}
}
