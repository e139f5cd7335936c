package automerge

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"inselnetz/crdt/automerge/internal/format"
)

// UpdateText makes a text read as given, by few edits: what both have in common
// stays, with its marks and for the cursors in it. Use it where a program only
// knows the text before and after; SpliceText says more exactly what was meant.
//
// The edits are the fewest possible, in code points, where texts differ little;
// where they differ much they may be more, for the sake of time. A block or other
// value in the text reads as U+FFFC and stays if the new text has that there.
func (d *Doc) UpdateText(obj ObjID, text string) error {
	n, err := d.object(obj)
	if err == nil && d.objects[n].kind != format.MakeText {
		err = fmt.Errorf("%w: %s is a %s", ErrKind, obj, kindOf(d.objects[n].kind))
	}
	if err != nil {
		return err
	}
	var m matcher
	var long []element
	m.a, long = d.points(n)
	m.b = []rune(strings.ToValidUTF8(text, "\uFFFD"))
	m.match()
	m.keepWhole(long)
	return m.edits(func(pos, del int, ins string) error { return d.SpliceText(obj, pos, del, ins) }, d.o.Unit == UTF16)
}

// An element is a place in a text, from and to in code points, that goes or stays
// as one.
type element struct{ from, to int }

// points are the code points of a text, and where elements of several are.
func (d *Doc) points(n uint32) (text []rune, long []element) {
	o := &d.objects[n]
	text = make([]rune, 0, d.seqs.Len(o.seq, CodePoints))
	var buf []byte
	for e := range d.runs(o) {
		if !e.IsCell {
			for b := e.Text; len(b) > 0; {
				c, size := utf8.DecodeRune(b)
				text, b = append(text, c), b[size:]
			}
			continue
		}
		buf = d.appendCell(buf[:0], d.winner(e.Cell))
		from := len(text)
		text = append(text, []rune(string(buf))...)
		if len(text) > from+1 {
			long = append(long, element{from, len(text)})
		}
	}
	return text, long
}

// A matcher finds what two texts have in common, by the algorithm of Myers ("An
// O(ND) difference algorithm and its variations", 1986) in its variant that needs
// memory for one line only.
type matcher struct {
	a, b []rune
	to   []int // for each of a: where it is in b, or -1
	work int   // steps left
	fwd  []int // farthest x of each diagonal, from the front
	bwd  []int // and from the back
}

const (
	matchWork  = 20_000_000 // steps; some 0.1 s
	matchSteps = 512        // edits from both ends at least before a middle is guessed
)

func (m *matcher) match() {
	m.to = make([]int, len(m.a))
	for i := range m.to {
		m.to[i] = -1
	}
	m.work = matchWork
	type box struct{ a0, a1, b0, b1 int }
	boxes := []box{{0, len(m.a), 0, len(m.b)}}
	for len(boxes) > 0 {
		x := boxes[len(boxes)-1]
		boxes = boxes[:len(boxes)-1]
		for x.a0 < x.a1 && x.b0 < x.b1 && m.a[x.a0] == m.b[x.b0] {
			m.to[x.a0] = x.b0
			x.a0, x.b0 = x.a0+1, x.b0+1
		}
		for x.a0 < x.a1 && x.b0 < x.b1 && m.a[x.a1-1] == m.b[x.b1-1] {
			x.a1, x.b1 = x.a1-1, x.b1-1
			m.to[x.a1] = x.b1
		}
		if x.a0 == x.a1 || x.b0 == x.b1 || m.work <= 0 {
			continue
		}
		a, b := m.split(x.a0, x.a1, x.b0, x.b1)
		boxes = append(boxes, box{x.a0, a, x.b0, b}, box{a, x.a1, b, x.b1})
	}
}

// split finds a point on a shortest way through a box that begins and ends with a
// difference; where that takes too long, one on a good way.
func (m *matcher) split(a0, a1, b0, b1 int) (a, b int) {
	n, k := a1-a0, b1-b0
	most := matchSteps
	for most*most < n+k {
		most *= 2
	}
	most = min(most, (n+k+1)/2+1)
	size := 2*most + 2
	if len(m.fwd) < size {
		m.fwd, m.bwd = make([]int, size), make([]int, size)
	}
	// Diagonal d is x-y, kept at d+most; those from the back are counted from n-k.
	fwd, bwd, delta := m.fwd[:size], m.bwd[:size], n-k
	fwd[most+1], bwd[most+1] = 0, 0
	odd := delta%2 != 0
	for step := range most {
		for d := -step; d <= step; d += 2 {
			x := farthest(fwd, most+d, d, step)
			y := x - d
			for x < n && y < k && x >= 0 && y >= 0 && m.a[a0+x] == m.b[b0+y] {
				x, y, m.work = x+1, y+1, m.work-1
			}
			fwd[most+d] = x
			if c := delta - d; odd && c > -step && c < step && x <= n && y <= k && x+bwd[most+c] >= n {
				return a0 + x, b0 + y
			}
		}
		for d := -step; d <= step; d += 2 {
			x := farthest(bwd, most+d, d, step)
			y := x - d
			for x < n && y < k && x >= 0 && y >= 0 && m.a[a1-1-x] == m.b[b1-1-y] {
				x, y, m.work = x+1, y+1, m.work-1
			}
			bwd[most+d] = x
			if c := delta - d; !odd && c >= -step && c <= step && x <= n && y <= k && x+fwd[most+c] >= n {
				return a1 - x, b1 - y
			}
		}
		if m.work -= 2*step + 2; m.work <= 0 {
			most = step + 1
			break
		}
	}
	return m.guess(fwd, bwd, most, a0, a1, b0, b1)
}

// farthest is where a diagonal begins with one more edit.
func farthest(v []int, at, d, step int) int {
	if d == -step || d != step && v[at-1] < v[at+1] {
		return v[at+1]
	}
	return v[at-1] + 1
}

// guess is the point that is farthest from its end of the box.
func (m *matcher) guess(fwd, bwd []int, steps, a0, a1, b0, b1 int) (a, b int) {
	n, k := a1-a0, b1-b0
	mid := (len(fwd) - 2) / 2
	best := 0
	a, b = a0, b1 // delete and insert everything
	for d := -(steps - 1); d <= steps-1; d += 2 {
		for i, v := range [2][]int{fwd, bwd} {
			x := min(v[mid+d], n)
			y := x - d
			if x < 0 || y < 0 || y > k || x+y <= best || x+y >= n+k {
				continue
			}
			best = x + y
			if a, b = a0+x, b0+y; i == 1 {
				a, b = a1-x, b1-y
			}
		}
	}
	return a, b
}

// keepWhole gives up matches of a part of an element.
func (m *matcher) keepWhole(long []element) {
	for _, e := range long {
		whole := m.to[e.from] >= 0
		for i := e.from + 1; i < e.to; i++ {
			whole = whole && m.to[i] == m.to[i-1]+1
		}
		for i := e.from; i < e.to && !whole; i++ {
			m.to[i] = -1
		}
	}
}

// edits calls splice for every difference from the front to the back, with positions
// in the text as it is then.
func (m *matcher) edits(splice func(pos, del int, ins string) error, utf16 bool) error {
	width := func(text []rune) int {
		if !utf16 {
			return len(text)
		}
		n := len(text)
		for _, c := range text {
			if c > 0xffff {
				n++
			}
		}
		return n
	}
	pos, i, j := 0, 0, 0
	for i < len(m.a) || j < len(m.b) {
		if i < len(m.a) && m.to[i] == j {
			pos += width(m.a[i : i+1])
			i, j = i+1, j+1
			continue
		}
		from, end := i, len(m.b)
		for i < len(m.a) && m.to[i] < 0 {
			i++
		}
		if i < len(m.a) {
			end = m.to[i]
		}
		if err := splice(pos, width(m.a[from:i]), string(m.b[j:end])); err != nil {
			return err
		}
		pos += width(m.b[j:end])
		j = end
	}
	return nil
}
