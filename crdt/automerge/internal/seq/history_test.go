package seq

import (
	"fmt"
	"math/rand"
	"os"
	"strconv"
	"testing"
)

// An op is what peers tell each other.
type op struct {
	kind   byte // 'i' character, 'c' cell, 'd' delete, 'o' overwrite by a cell
	seq    int
	id, at ID // at: reference or target
	text   string
	width  Width
	mark   bool
}

// A peer holds two sequences in one store, and the slow ones beside them.
type peer struct {
	s     *Store
	q     [2]Seq
	d     [2]*refSeq
	eid   map[ID]uint32
	log   []op // in the order applied here, which is causal
	clock []uint32
	max   uint32
}

func newPeer(rank []uint32) *peer {
	p := &peer{s: New(), eid: map[ID]uint32{}, clock: make([]uint32, len(rank))}
	p.s.SetRanks(rank)
	for i := range p.q {
		p.q[i].Owner = uint32(10 + i)
		p.d[i] = newRef(rank)
	}
	return p
}

func (p *peer) after(id ID) uint32 {
	if id.Ctr == 0 {
		return None
	}
	return p.eid[id]
}

// take applies ops, as runs where they are some.
func (p *peer) take(ops []op) {
	for len(ops) > 0 {
		n := 1
		for n < len(ops) && continues(ops[n-1], ops[n]) {
			n++
		}
		for n > 1 && ops[0].kind == 'd' && !p.oneRun(ops[:n]) {
			n--
		}
		p.apply(ops[:n])
		for _, o := range ops[:n] {
			p.slow(o)
			p.log = append(p.log, o)
			p.clock[o.id.Actor] = o.id.Ctr
			p.max = max(p.max, o.id.Ctr)
		}
		ops = ops[n:]
	}
}

func continues(a, b op) bool {
	if a.kind != b.kind || a.seq != b.seq || b.id != a.id.Add(1) {
		return false
	}
	return a.kind == 'i' && b.at == a.id || a.kind == 'd' && b.at == a.at.Add(1)
}

// oneRun reports whether the targets of ops show and are one run.
func (p *peer) oneRun(ops []op) bool {
	r := p.s.Elem(p.eid[ops[0].at])
	return !r.IsCell && !r.Deleted && r.N >= len(ops)
}

func (p *peer) apply(ops []op) {
	o, q := ops[0], &p.q[ops[0].seq]
	switch o.kind {
	case 'i':
		text := ""
		for _, o := range ops {
			text += o.text
		}
		e := p.s.InsertChars(q, o.id, p.after(o.at), []byte(text), len(ops))
		for i := range ops {
			p.eid[o.id.Add(i)] = e + uint32(i)
		}
	case 'c':
		p.eid[o.id] = p.s.InsertCell(q, o.id, p.after(o.at), o.id.Ctr, o.width, o.mark)
	case 'd':
		e := p.eid[o.at]
		if p.s.Elem(e).IsCell {
			p.s.SetWidth(e, Width{})
		} else {
			p.s.Kill(e, len(ops), o.id)
		}
	case 'o':
		e, x := p.eid[o.at], p.d[o.seq].by[o.at]
		w := o.width
		if len(x.dels) > 0 {
			w = Width{}
		}
		if !x.cell {
			if dels := p.s.MakeCell(e, o.id.Ctr, w); len(dels) != len(x.dels) {
				panic("deleters are lost")
			}
		} else if p.s.greater(o.id, x.by) {
			p.s.SetWidth(e, w)
		}
	}
}

func (p *peer) slow(o op) {
	d := p.d[o.seq]
	switch o.kind {
	case 'i', 'c':
		d.insert(&refElem{id: o.id, ref: o.at, text: o.text, cell: o.kind == 'c', mark: o.mark, width: o.width, by: o.id})
	case 'd':
		d.by[o.at].dels = append(d.by[o.at].dels, o.id)
	case 'o':
		if x := d.by[o.at]; !x.cell || p.s.greater(o.id, x.by) {
			x.cell, x.width, x.by = true, o.width, o.id
		}
	}
}

// ref is what an insert at pos is after.
func (p *peer) ref(q *Seq, pos int) ID {
	if pos == 0 {
		return ID{}
	}
	r, _ := p.s.At(q, Points, pos-1)
	return r.ID
}

// from takes what q knows and p does not, up to n ops.
func (p *peer) from(q *peer, n int) {
	var ops []op
	for _, o := range q.log {
		if o.id.Ctr > p.clock[o.id.Actor] && len(ops) < n {
			ops = append(ops, o)
		}
	}
	p.take(ops)
}

func (p *peer) check() error {
	for i := range p.q {
		if err := p.s.check(&p.q[i]); err != nil {
			return err
		}
	}
	return nil
}

func (p *peer) same() error {
	for i := range p.q {
		if err := p.s.sameAs(&p.q[i], p.d[i]); err != nil {
			return fmt.Errorf("sequence %d: %w", i, err)
		}
	}
	return nil
}

// A source gives choices: random ones, or those of a fuzzer.
type source interface{ Intn(n int) int }

var alphabet = []string{"a", "b", "c", "é", "語", "😀", "x", "e\u0301"[1:]}

type history struct {
	rnd   source
	peers []*peer
	words int  // letters to choose from
	hot   bool // all at the head
}

// edit makes peer a do something near one place and everybody who hears of it.
func (h *history) edit(a int) {
	p, r := h.peers[a], h.rnd
	k := r.Intn(2)
	q := &p.q[k]
	pos := r.Intn(p.s.Len(q, Points) + 1)
	if h.hot {
		pos = min(pos, r.Intn(3))
	}
	for n := r.Intn(6); n >= 0; n-- {
		size := p.s.Len(q, Points)
		switch x := r.Intn(20); {
		case x < 10:
			n := 1 + r.Intn(3)
			if r.Intn(300) == 7 { // not what a fuzzer gives when it has run out
				n = 1200
			}
			pos += h.insert(p, a, k, pos, n)
		case x < 12: // backspace
			if pos > 0 {
				pos--
				h.remove(p, a, k, pos, 1)
			}
		case x < 16:
			h.remove(p, a, k, pos, min(size-pos, r.Intn(5)))
		case x < 18: // a cell
			o := op{kind: 'c', seq: k, id: ID{Ctr: p.max + 1, Actor: uint32(a)}, at: p.ref(q, pos)}
			if o.mark = r.Intn(2) == 0; !o.mark {
				o.width = Width{uint32(r.Intn(3)), uint32(r.Intn(4))}
			}
			p.take([]op{o})
			pos += int(o.width.Points)
		default:
			if pos < size {
				at, _ := p.s.At(q, Points, pos)
				w := Width{uint32(r.Intn(3)), uint32(r.Intn(4))}
				p.take([]op{{kind: 'o', seq: k, id: ID{Ctr: p.max + 1, Actor: uint32(a)}, at: at.ID, width: w}})
			}
		}
		pos = min(pos, p.s.Len(q, Points))
	}
}

func (h *history) insert(p *peer, a, k, pos, n int) int {
	at, id := p.ref(&p.q[k], pos), ID{Ctr: p.max + 1, Actor: uint32(a)}
	var ops []op
	for range n {
		ops = append(ops, op{kind: 'i', seq: k, id: id, at: at, text: alphabet[h.rnd.Intn(h.words)]})
		at, id = id, id.Add(1)
	}
	p.take(ops)
	return n
}

// remove deletes what shows in n units of a sequence, run by run.
func (h *history) remove(p *peer, a, k, pos, n int) {
	for n > 0 {
		r, off := p.s.At(&p.q[k], Points, pos)
		if r.Eid == None {
			return
		}
		m := 1
		if !r.IsCell {
			m = min(n, r.N)
		}
		var ops []op
		for i := range m {
			ops = append(ops, op{kind: 'd', seq: k, id: ID{Ctr: p.max + 1 + uint32(i), Actor: uint32(a)}, at: r.ID.Add(i)})
		}
		pos -= off
		n -= m
		p.take(ops)
	}
}

func newHistory(r source) *history {
	h := &history{rnd: r, words: 3, hot: r.Intn(3) == 0}
	if r.Intn(2) == 0 {
		h.words = len(alphabet)
	}
	for range 3 {
		h.peers = append(h.peers, newPeer([]uint32{2, 0, 1}))
	}
	return h
}

// run makes a history and compares all peers with the slow sequences.
func (h *history) run(steps int, deep bool) error {
	for st := range steps {
		a := h.rnd.Intn(3)
		if h.rnd.Intn(6) > 0 {
			h.edit(a)
		} else if b := h.rnd.Intn(3); b != a {
			h.peers[a].from(h.peers[b], 1+h.rnd.Intn(100))
		}
		if deep && st%4 == 0 {
			if err := h.peers[a].check(); err != nil {
				return fmt.Errorf("step %d: %w", st, err)
			}
		}
	}
	for range 2 {
		for a, p := range h.peers {
			for b, q := range h.peers {
				if a != b {
					p.from(q, 1<<30)
				}
			}
		}
	}
	for i, p := range h.peers {
		if err := p.check(); err != nil {
			return fmt.Errorf("peer %d: %w", i, err)
		}
		if err := p.same(); err != nil {
			return fmt.Errorf("peer %d: %w", i, err)
		}
		if err := p.past(h.rnd); err != nil {
			return fmt.Errorf("peer %d: %w", i, err)
		}
		if err := p.rebuilt(); err != nil {
			return fmt.Errorf("peer %d, filled anew: %w", i, err)
		}
	}
	return nil
}

// past compares a text of the past with the slow sequence.
func (p *peer) past(r source) error {
	for range 4 {
		clock := make([]uint32, r.Intn(len(p.clock)+1))
		for i := range clock {
			clock[i] = uint32(r.Intn(int(p.max) + 2))
		}
		for k := range p.q {
			want := ""
			for _, e := range p.d[k].all() {
				ok := seen(clock, e.id)
				for _, x := range e.dels {
					ok = ok && (e.cell || !seen(clock, x))
				}
				if ok && e.cell {
					want += "|"
				} else if ok {
					want += e.text
				}
			}
			got := p.s.AppendTextAt(&p.q[k], clock, nil, func(dst []byte, _ uint32) []byte { return append(dst, '|') })
			if string(got) != want {
				return fmt.Errorf("at %v: %q, want %q", clock, got, want)
			}
		}
	}
	return nil
}

// rebuilt fills a new store with what p holds and goes on with it.
func (p *peer) rebuilt() error {
	n := newPeer(p.s.rank)
	n.d, n.log, n.clock, n.max = p.d, p.log, p.clock, p.max
	for k := range p.q {
		b := n.s.Build(&n.q[k])
		for _, e := range p.d[k].all() {
			if e.cell {
				n.eid[e.id] = b.Cell(e.id, e.ref, 0, e.shows(), e.mark)
				continue
			}
			var del ID
			if len(e.dels) > 0 {
				del = e.dels[0]
			}
			n.eid[e.id] = b.Char(e.id, e.ref, []byte(e.text), del)
			for i := 1; i < len(e.dels); i++ {
				b.Deleter(e.dels[i])
			}
		}
		if err := b.Done(); err != nil {
			return err
		}
		if n.q[k].Marks() != p.q[k].Marks() {
			return fmt.Errorf("%d marks, want %d", n.q[k].Marks(), p.q[k].Marks())
		}
	}
	if err := n.check(); err != nil {
		return err
	}
	if err := n.same(); err != nil {
		return err
	}
	h := &history{rnd: rand.New(rand.NewSource(int64(p.max))), peers: []*peer{n}, words: len(alphabet)}
	for range 20 {
		h.edit(0)
	}
	if err := n.check(); err != nil {
		return err
	}
	return n.same()
}

func seeds(t *testing.T, n int) (from, to int64) {
	if v := os.Getenv("SEED"); v != "" {
		i, err := strconv.ParseInt(v, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return i, i + 1
	}
	if os.Getenv("LONG") != "" {
		n *= 20
	}
	return 0, int64(n)
}

// TestHistories lets three peers edit, hear of each other, and compares each
// with a slow sequence of its own.
func TestHistories(t *testing.T) {
	from, to := seeds(t, 30)
	for seed := from; seed < to; seed++ {
		if err := newHistory(rand.New(rand.NewSource(seed))).run(120, true); err != nil {
			t.Fatalf("SEED=%d: %v", seed, err)
		}
	}
}

func TestLongHistories(t *testing.T) {
	from, to := seeds(t, 1)
	for seed := from; seed < to; seed++ {
		if err := newHistory(rand.New(rand.NewSource(seed))).run(800, false); err != nil {
			t.Fatalf("SEED=%d: %v", seed, err)
		}
	}
}

// choices reads choices from bytes, zeros after their end.
type choices []byte

func (c *choices) Intn(n int) int {
	if len(*c) == 0 || n <= 1 {
		return 0
	}
	x := int((*c)[0])
	*c = (*c)[1:]
	if n > 256 && len(*c) > 0 {
		x = x<<8 | int((*c)[0])
		*c = (*c)[1:]
	}
	return x % n
}

func FuzzHistory(f *testing.F) {
	r := rand.New(rand.NewSource(1))
	for range 8 {
		b := make([]byte, 200)
		r.Read(b)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		c := choices(b[:min(len(b), 2000)])
		h := newHistory(&c)
		if err := h.run(min(len(b)/8, 200), true); err != nil {
			t.Fatal(err)
		}
	})
}
