package store

import (
	"context"
	"fmt"
	"slices"

	"inselnetz/crdt/chat"
)

// Messages lie on disk under their position, a number that rises in the order
// people see. It is taken from the clock, 64 numbers a millisecond, so that a
// later message nearly always finds its number free and between its
// neighbours'; when it does not, the messages around move.
const (
	posShift = 10  // bits of a stamp that a position leaves out
	posStep  = 8   // distance kept to the message before, where there is room
	posRoom  = 8   // average distance after messages moved
	posWide  = 256 // messages looked at first when they have to move
	posFloor = 1   // no message has this position or a lower one
)

// A spot is a message's position and its place in the order.
type spot struct {
	pos   int64
	place chat.Place
}

// wish returns the position a message would have if nothing was in the way.
func wish(p chat.Place) int64 { return max(posFloor+1, int64(p.Stamp>>posShift)) }

// spread gives n messages positions between below and above, both excluded, as
// near to what they wish as order allows. above is 0 if nothing is there. It
// returns nil if there is no room.
func spread(wishes []int64, below, above int64) []int64 {
	n := int64(len(wishes))
	if above > 0 && above-below-1 < n {
		return nil
	}
	out := make([]int64, n)
	at := below
	for i, w := range wishes {
		step := int64(posStep)
		if above > 0 {
			left := n - int64(i) // to be placed, this one included
			step = max(1, min(step, (above-at)/(left+1)))
			w = min(w, above-left)
		}
		at = max(w, at+step)
		out[i] = at
	}
	return out
}

// place gives new messages, in order, their positions, and stores them.
func (t *tx) place(posts []post) error {
	for len(posts) > 0 {
		lo, hi, err := t.between(posts[0].meta.Place)
		if err != nil {
			return err
		}
		n := len(posts)
		if hi != nil {
			n = 1
			for n < len(posts) && posts[n].meta.Place.Compare(hi.place) < 0 {
				n++
			}
		}
		wishes := make([]int64, n)
		for i := range wishes {
			wishes[i] = wish(posts[i].meta.Place)
		}
		below, above := int64(posFloor), int64(0)
		if lo != nil {
			below = lo.pos
		}
		if hi != nil {
			above = hi.pos
		}
		got := spread(wishes, below, above)
		if got == nil {
			if got, err = t.shift(below, above, n); err != nil {
				return err
			}
		}
		for i, pos := range got {
			posts[i].pos = pos
			if err := t.insert(&posts[i]); err != nil {
				return err
			}
		}
		if hi == nil {
			t.tail, t.tailOK = spot{got[n-1], posts[n-1].meta.Place}, true
		}
		posts = posts[n:]
	}
	return nil
}

// between returns the messages that come before and after a place; nil where
// there is none.
func (t *tx) between(p chat.Place) (lo, hi *spot, err error) {
	if !t.tailOK {
		last, err := t.spot("SELECT pos, stamp, at, n FROM messages WHERE pos<? ORDER BY pos DESC LIMIT 1", 1<<62)
		if err != nil {
			return nil, nil, err
		}
		t.tail, t.tailOK = spot{}, true
		if last != nil {
			t.tail = *last
		}
	}
	if t.tail.pos == 0 {
		return nil, nil, nil
	}
	if t.tail.place.Compare(p) < 0 {
		tail := t.tail
		return &tail, nil, nil
	}
	// Positions follow stamps closely, so the wish is a good guess. From there
	// the steps double until they are past the place, and then halve.
	lo, err = t.spot("SELECT pos, stamp, at, n FROM messages WHERE pos<? ORDER BY pos DESC LIMIT 1", wish(p))
	if err != nil {
		return nil, nil, err
	}
	low, high := int64(0), t.tail.pos // place is in (low, high]
	switch {
	case lo == nil:
	case lo.place.Compare(p) < 0:
		low = lo.pos
	default:
		high, lo = lo.pos, nil
	}
	up := lo != nil || wish(p) == posFloor+1
	for step := int64(1); ; step *= 2 {
		from := low + 1
		next, err := t.spot("SELECT pos, stamp, at, n FROM messages WHERE pos>=? ORDER BY pos LIMIT 1", from)
		if err != nil {
			return nil, nil, err
		}
		if next == nil || next.place.Compare(p) > 0 {
			return lo, next, nil
		}
		lo, low = next, next.pos
		probe := low + step
		if !up || probe >= high {
			probe = low + (high-low)/2
		}
		if probe <= low {
			continue
		}
		at, err := t.spot("SELECT pos, stamp, at, n FROM messages WHERE pos>=? ORDER BY pos LIMIT 1", probe)
		if err != nil {
			return nil, nil, err
		}
		if at == nil || at.place.Compare(p) > 0 {
			high, up = min(high, probe), false
		} else {
			lo, low = at, at.pos
		}
	}
}

func (t *tx) spot(q string, pos int64) (*spot, error) {
	var out *spot
	err := t.c.query(context.Background(), q, []any{pos}, func(r row) error {
		p, err := t.placeOf(r.uint(1), r.int(2), r.int(3))
		out = &spot{pos: r.int(0), place: p}
		return err
	})
	return out, err
}

// shift makes room for n messages between two positions by moving those
// around, and returns the new ones' positions.
func (t *tx) shift(below, above int64, n int) ([]int64, error) {
	for wide := posWide; ; wide *= 2 {
		down, err := t.near("SELECT pos FROM messages WHERE pos<=? ORDER BY pos DESC LIMIT ?", below, wide)
		if err != nil {
			return nil, err
		}
		slices.Reverse(down)
		up, err := t.near("SELECT pos FROM messages WHERE pos>=? ORDER BY pos LIMIT ?", above, wide)
		if err != nil {
			return nil, err
		}
		low, high := int64(posFloor), int64(0) // the window's ends stay
		if len(down) == wide {
			low, down = down[0], down[1:]
		}
		if len(up) == wide {
			high, up = up[len(up)-1], up[:len(up)-1]
		}
		all := int64(len(down) + n + len(up))
		gap := int64(posRoom)
		if high > 0 {
			gap = (high - low) / (all + 1)
			if gap < posRoom {
				continue // too dense: take more of it
			}
		} else if len(up) > 0 {
			gap = max(gap, (up[len(up)-1]-low)/all)
		}
		to := func(i int) int64 { return low + int64(i+1)*gap }
		if err := t.move(down, up, n, to); err != nil {
			return nil, err
		}
		got := make([]int64, n)
		for i := range got {
			got[i] = to(len(down) + i)
		}
		return got, nil
	}
}

func (t *tx) near(q string, pos int64, n int) ([]int64, error) {
	var out []int64
	err := t.c.query(context.Background(), q, []any{pos, n}, func(r row) error {
		out = append(out, r.int(0))
		return nil
	})
	return out, err
}

// move renumbers messages; n new ones will come between down and up. Those
// that move up go first, from the top, then those that move down, from the
// bottom: so no one meets another on the way.
func (t *tx) move(down, up []int64, n int, to func(int) int64) error {
	type step struct{ from, to int64 }
	var steps []step
	for i, pos := range down {
		steps = append(steps, step{pos, to(i)})
	}
	for i, pos := range up {
		steps = append(steps, step{pos, to(len(down) + n + i)})
	}
	for i := len(steps) - 1; i >= 0; i-- {
		if st := steps[i]; st.to > st.from {
			if err := t.renumber(st.from, st.to); err != nil {
				return err
			}
		}
	}
	for _, st := range steps {
		if st.to < st.from {
			if err := t.renumber(st.from, st.to); err != nil {
				return err
			}
		}
	}
	t.tailOK = false
	return nil
}

func (t *tx) renumber(from, to int64) error {
	r, err := t.c.get(context.Background(), "SELECT text, chan FROM messages WHERE pos=?", from)
	if err != nil {
		return fmt.Errorf("move message: %w", err)
	}
	if err := t.c.exec("UPDATE messages SET pos=? WHERE pos=?", to, from); err != nil {
		return fmt.Errorf("move message: %w", err)
	}
	ch, err := t.channelByID(r.int(1))
	if err != nil {
		return err
	}
	t.applied.touch(ch.chanKey)
	return t.reword(from, r.str(0), to, r.str(0), r.int(1))
}
