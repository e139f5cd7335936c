package sim_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"
	"time"

	"inselnetz/crdt/log"
	"inselnetz/mesh"
	"inselnetz/mesh/meshtest"
	"inselnetz/mesh/sim"
)

// TestFetchRights: a device without the space, or removed, gets nothing; nor does
// a stranger.
func TestFetchRights(t *testing.T) {
	sim.Run(t, 1, func(w *sim.World) {
		o, s, stop := shelves(w, nil, "a", "b", "c")
		defer stop()
		secret := log.SpaceID{5}
		o.Share(secret, s[0].Device.ID, s[1].Device.ID)
		for _, n := range s {
			n.Refresh()
		}
		time.Sleep(time.Second)
		pieces, data := meshtest.Made("x", 30, 4096)
		s[1].stock(pieces, data)
		fetch := func(who *shelf, space log.SpaceID, missing int, what string) {
			w.T.Helper()
			got, err := meshtest.Fetch(w.T.Context(), who.Mesh, space, pieces, data, nil, nil)
			if err = errors.Join(err, got.Check(30, missing)); err != nil {
				w.T.Errorf("%s: %v", what, err)
			}
		}
		fetch(s[0], secret, 0, "a member of the space")
		fetch(s[2], secret, 30, "a device without the space")
		raw := rawLink(w, s[2], "b")
		raw.Send(rawAsk(0, secret, pieces[:3]))
		if f, err := raw.Recv(); err != nil || !bytes.Equal(f, []byte{4, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2}) {
			w.T.Errorf("asked for a space it does not share, it was told %x, %v", f, err)
		}
		raw.Send(rawAsk(3, log.Control, pieces[:1]))
		if f, err := raw.Recv(); err != nil || !bytes.Equal(f, []byte{4, 0, 0, 0, 3}) {
			w.T.Errorf("asked for the control space, it was told %x, %v", f, err)
		}
		fetch(s[2], o.Space(), 0, "a member of all")
		card, e := s[0].Revoke(s[2].Device)
		s[0].Push(card, e.Bytes())
		time.Sleep(time.Second)
		before, _ := s[1].has.Reads(s[2].Device.ID)
		fetch(s[2], o.Space(), 30, "a removed device")
		raw.Send(rawAsk(4, o.Space(), pieces[:3]))
		if f, err := raw.Recv(); err == nil {
			w.T.Errorf("removed, it was told %x", f)
		}
		if c, err := s[2].Transport.Dial(w.T.Context(), "b", nil, mesh.ProtoBlocks); err == nil {
			c.Send(rawAsk(0, o.Space(), pieces[:3]))
			if f, err := c.Recv(); err == nil {
				w.T.Errorf("removed and back, it was told %x", f)
			}
		}
		if after, _ := s[1].has.Reads(s[2].Device.ID); after != before {
			w.T.Error("something was read for a removed device")
		}
		c, err := w.Node("x").Dial(w.T.Context(), "b", nil, mesh.ProtoBlocks)
		if err == nil {
			c.Send(rawAsk(0, o.Space(), pieces[:3]))
			if f, err := c.Recv(); err == nil {
				w.T.Errorf("a stranger was told %x", f)
			}
		}
	})
}

// rawLink opens a Conn for blocks in a member's name, to say what no Mesh says.
func rawLink(w *sim.World, from *shelf, to mesh.PeerID) mesh.Conn {
	c, err := from.Transport.Dial(w.T.Context(), to, nil, mesh.ProtoBlocks)
	if err != nil {
		w.T.Fatal(err)
	}
	return c
}

func rawAsk(first uint32, space log.SpaceID, pieces []mesh.Piece) []byte {
	b := append([]byte{1, 0}, space[:]...)
	for i, p := range pieces {
		b = binary.BigEndian.AppendUint32(b, first+uint32(i))
		b = append(b, p.Content[:]...)
		b = binary.BigEndian.AppendUint32(b, p.Index)
		b = binary.BigEndian.AppendUint32(b, uint32(p.Size))
	}
	return b
}

// rawData is a data frame of one part.
func rawData(number, total, offset uint32, data []byte) []byte {
	b := []byte{3}
	for _, n := range []uint32{number, total, offset, uint32(len(data))} {
		b = binary.BigEndian.AppendUint32(b, n)
	}
	return append(b, data...)
}

// TestBlocksHostile: a member that says over a link what no honest one says is cut
// off, and nobody else is.
func TestBlocksHostile(t *testing.T) {
	one, _ := meshtest.Made("x", 1, 4096)
	space := log.Everyone(log.WorkspaceID{7})
	twice := append(rawAsk(5, space, one), rawAsk(5, space, one)[18:]...)
	for name, frames := range map[string][][]byte{
		"empty frame":             {{}},
		"cut ask":                 {rawAsk(0, space, one)[:40]},
		"empty ask":               {rawAsk(0, space, nil)},
		"number twice":            {twice},
		"number again":            {rawAsk(5, space, one), rawAsk(5, space, one)},
		"piece of all":            {rawAsk(0, space, []mesh.Piece{{Size: 1 << 30}})},
		"data nobody asked for":   {rawData(0, 10, 0, make([]byte, 10))},
		"lack nobody asked for":   {{4, 0, 0, 0, 0}},
		"cut lack":                {{4, 0, 0}},
		"part of nothing":         {rawData(0, 10, 0, nil)},
		"part beyond the piece":   {rawData(0, 10, 8, make([]byte, 10))},
		"part longer than frame":  {append(rawData(0, 10, 0, nil)[:13], 0, 0, 0, 10)},
		"part of a giant":         {rawData(0, 1<<31, 0, make([]byte, 10))},
		"a list that is too long": {append([]byte{2}, make([]byte, 100_000)...)},
	} {
		t.Run(name, func(t *testing.T) {
			sim.Run(t, 1, func(w *sim.World) {
				o, s, stop := shelves(w, nil, "a", "b", "c")
				defer stop()
				c := rawLink(w, s[2], "a")
				for _, f := range frames {
					c.Send(f)
				}
				for end := time.Now().Add(5 * time.Second); ; {
					if _, err := c.Recv(); err != nil {
						break
					}
					if time.Now().After(end) {
						w.T.Fatal("not cut off")
					}
				}
				if !w.Until(time.Second, func() bool { return len(s[0].Here()) == 1 }) {
					w.T.Error("its session goes on")
				}
				pieces, data := meshtest.Made("x", 3, 4096)
				s[1].stock(pieces, data)
				got, err := meshtest.Fetch(w.T.Context(), s[0].Mesh, o.Space(), pieces, data, nil, nil)
				if err = errors.Join(err, got.Check(3, 0)); err != nil {
					w.T.Error(err)
				}
			})
		})
	}
}

// TestBlocksFlood: a peer that asks for more and more, and takes nothing, costs
// little memory, and is cut off.
func TestBlocksFlood(t *testing.T) {
	sim.Run(t, 1, func(w *sim.World) {
		o, s, stop := shelves(w, nil, "a", "b", "c")
		defer stop()
		pieces, data := meshtest.Made("x", 1, 1<<20)
		s[0].stock(pieces, data)
		before := memory()
		var most int64
		many := make([]mesh.Piece, 1024)
		for i := range many {
			many[i] = pieces[0]
		}
		w.SetLink("a", "c", sim.Link{Rate: 100 << 10})
		for range 3 {
			c := rawLink(w, s[2], "a")
			var err error
			for i := 0; err == nil && i < 100; i++ {
				err = c.Send(rawAsk(uint32(i)*1024, o.Space(), many))
				time.Sleep(100 * time.Millisecond)
				most = max(most, memory())
			}
			if err == nil {
				w.T.Error("a hundred thousand pieces were promised")
			}
			time.Sleep(10 * time.Second)
		}
		w.T.Logf("%d KiB before, at most %d KiB", before>>10, most>>10)
		if most > before+16<<20 {
			w.T.Errorf("memory grew from %d to %d bytes", before, most)
		}
	})
}
