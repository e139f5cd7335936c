package sim_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"inselnetz/crdt/log"
	"inselnetz/mesh"
	"inselnetz/mesh/meshtest"
	"inselnetz/mesh/sim"
)

// ear notes whispers and arrivals.
type ear struct {
	mu    sync.Mutex
	heard []string
	came  []log.DeviceID
}

func (e *ear) said() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.heard)
}

// listen starts devices that note what they hear.
func listen(w *sim.World, names ...string) (*meshtest.Office, []*meshtest.Node, []*ear) {
	o, ms := members(names...)
	var nodes []*meshtest.Node
	var ears []*ear
	for _, m := range ms {
		name := string(m.Device.Peer)
		e := &ear{}
		nodes = append(nodes, meshtest.Start(m, w.Node(name), 1, mesh.Options{
			Rand: w.Entropy(name), Now: w.Clock(name),
			Heard: func(from log.DeviceID, space log.SpaceID, kind uint8, data []byte) {
				peer, _ := m.Member(from)
				e.mu.Lock()
				defer e.mu.Unlock()
				e.heard = append(e.heard, fmt.Sprintf("%s %x %d %s", peer, space[:1], kind, data))
			},
			Came: func(dev log.DeviceID) {
				e.mu.Lock()
				defer e.mu.Unlock()
				e.came = append(e.came, dev)
			},
		}))
		ears = append(ears, e)
	}
	return o, nodes, ears
}

// TestWhisper: whispers reach those who share the space, in order, and nobody else.
func TestWhisper(t *testing.T) {
	sim.Run(t, 1, func(w *sim.World) {
		o, nodes, ears := listen(w, "a", "b", "c")
		defer func() {
			for _, n := range nodes {
				n.Stop()
			}
		}()
		secret := log.SpaceID{5}
		o.Share(secret, nodes[0].Device.ID, nodes[1].Device.ID)
		if !w.Until(20*time.Second, func() bool { return len(ears[0].came) == 2 && len(ears[1].came) == 2 && len(ears[2].came) == 2 }) {
			w.T.Fatalf("they did not come: %d %d %d", len(ears[0].came), len(ears[1].came), len(ears[2].came))
		}
		for _, n := range nodes {
			n.Refresh()
		}
		time.Sleep(time.Second)
		var want []string
		for i := range 50 {
			nodes[0].Whisper(secret, 7, fmt.Append(nil, i))
			want = append(want, fmt.Sprintf("a 05 7 %d", i))
		}
		all := o.Space()
		nodes[0].WhisperTo(nodes[2].Device.ID, all, 255, nil)
		nodes[2].WhisperTo(nodes[1].Device.ID, secret, 1, []byte("not mine"))
		nodes[2].Whisper(log.Control, 1, []byte("to all, unasked"))
		nodes[2].Whisper(all, 1, make([]byte, mesh.MaxWhisper+1))
		time.Sleep(time.Second)
		if got := ears[1].said(); !slices.Equal(got, want) {
			w.T.Errorf("b heard %q", got)
		}
		if got, want := ears[2].said(), []string{fmt.Sprintf("a %x 255 ", all[:1])}; !slices.Equal(got, want) {
			w.T.Errorf("c heard %q", got)
		}
		if got := ears[0].said(); len(got) != 0 {
			w.T.Errorf("a heard %q", got)
		}
	})
}

// TestWhisperFlood: a member that whispers without end costs little, and what it
// said before stays in order.
func TestWhisperFlood(t *testing.T) {
	sim.Run(t, 1, func(w *sim.World) {
		o, nodes, ears := listen(w, "a", "b")
		defer func() {
			for _, n := range nodes {
				n.Stop()
			}
		}()
		if !w.Until(20*time.Second, func() bool { return len(ears[0].came) == 1 }) {
			w.T.Fatal("b did not come")
		}
		w.SetLink("a", "b", sim.Link{Rate: 50_000})
		long := make([]byte, mesh.MaxWhisper)
		before := memory()
		for i := range 5000 {
			copy(long, fmt.Sprintf("%06d", i))
			nodes[0].Whisper(o.Space(), 1, long)
			if i%100 == 0 {
				time.Sleep(10 * time.Millisecond)
			}
		}
		if after := memory(); after > before+4<<20 {
			w.T.Errorf("memory grew from %d to %d", before, after)
		}
		time.Sleep(time.Minute)
		got := ears[1].said()
		if len(got) == 0 || len(got) == 5000 || !slices.IsSorted(got) {
			w.T.Errorf("b heard %d of 5000, in order: %v", len(got), slices.IsSorted(got))
		}
		if len(nodes[0].Here()) != 1 {
			w.T.Error("the session ended")
		}
	})
}
