package automerge

import (
	"bytes"
	"slices"
	"testing"

	"inselnetz/crdt/automerge/internal/format"
)

// says is the next message to another peer, read; nil if it is silent.
func (p *peer) says(t testing.TB, to *peer) *syncMessage {
	t.Helper()
	b := p.GenerateSync(p.state(to))
	if b == nil {
		return nil
	}
	m := must(readSyncMessage(b))
	return &m
}

func (p *peer) hears(t testing.TB, from *peer, m *syncMessage) {
	t.Helper()
	if err := p.ReceiveSync(p.state(from), m.append(nil)); err != nil {
		t.Fatal(err)
	}
}

// met are two peers with n changes in common.
func met(t testing.TB, n int) (a, b *peer) {
	t.Helper()
	a, b = newPeer("\x01"), newPeer("\x02")
	for i := range n {
		a.set(t, "n", int64(i))
	}
	talk(t, a, b, nil)
	return a, b
}

func hash(b byte) Hash { return Hash{b} }

// What was passed over while read-only is sent again afterwards, also by a peer
// that does not know the flag for it.
func TestSyncReadsAgain(t *testing.T) {
	for _, old := range []bool{false, true} {
		a, b := met(t, 3)
		before := a.Heads()
		a.state(b).SetReadOnly(true)
		b.set(t, "b", 1)
		a.hears(t, b, b.says(t, a)) // b has not heard of it yet
		if !slices.Equal(a.Heads(), before) {
			t.Fatal("read-only, it took a change")
		}
		m := a.says(t, b)
		if m == nil || m.flags != flagReadOnly|flagSupportsReset || len(m.need) > 0 {
			t.Fatalf("%+v", m)
		}
		b.hears(t, a, m)
		b.set(t, "b", 2)
		if m := b.says(t, a); m == nil || len(m.payload) > 0 {
			t.Errorf("changes for a peer that takes none: %+v", m)
		}
		if !old && !a.state(b).knowsReset {
			t.Error("what the peer knows was not heard")
		}
		a.state(b).knowsReset = !old
		a.state(b).SetReadOnly(false)
		m = a.says(t, b)
		switch {
		case m == nil || m.version != syncV2:
			t.Fatalf("%+v", m)
		case old && (m.flags&flagReset != 0 || len(m.heads) > 0):
			t.Errorf("to an old peer: %+v", m)
		case !old && (m.flags&flagReset == 0 || !slices.Equal(m.heads, before)):
			t.Errorf("to a new peer: %+v", m)
		}
		b.hears(t, a, m)
		if len(b.state(a).sent) > 0 {
			t.Error("what was sent is not forgotten")
		}
		talk(t, a, b, nil)
		same(t, a.Doc, b.Doc)
	}
}

func TestSyncTurnsReadOnlyAloud(t *testing.T) {
	a, b := met(t, 1)
	if a.says(t, b) != nil {
		t.Fatal("not silent")
	}
	a.state(b).SetReadOnly(true)
	if m := a.says(t, b); m == nil || m.flags&flagReadOnly == 0 {
		t.Errorf("%+v", m)
	}
}

// What the peer has by its own word need not be remembered as sent.
func TestSyncForgets(t *testing.T) {
	a, b := met(t, 40)
	for i := range 5 {
		a.set(t, "x", int64(i))
		b.set(t, "y", int64(i))
		talk(t, a, b, nil)
	}
	if n, m := len(a.state(b).sent), len(b.state(a).sent); n+m > 0 {
		t.Errorf("%d and %d changes are remembered", n, m)
	}
}

// More than a third of the history goes as a document, less as changes.
func TestSyncPayload(t *testing.T) {
	for n, want := range map[int]byte{3: format.ChangeChunk, 20: format.DocumentChunk} {
		a, b := met(t, 30)
		for i := range n {
			a.set(t, "x", int64(i))
		}
		m := a.says(t, b)
		if len(m.payload) != 1 || must(format.ReadChunk(m.payload[0], nil)).Type != want {
			t.Errorf("%d changes: %d payloads, %x", n, len(m.payload), m.payload[0][:9])
		}
	}
}

// A document for a peer without anything has what waits behind it.
func TestSyncPayloadHeld(t *testing.T) {
	a, b := met(t, 2)
	c := newPeer("\x03")
	c.set(t, "c", 1)
	c.set(t, "c", 2)
	if err := a.Apply(must(c.Changes(nil))[1]); err != nil {
		t.Fatal(err)
	}
	b.Doc = New(Options{Actor: "\x04"})
	restart(t, a, b)
	b.states[a] = NewSyncState()
	talk(t, a, b, nil)
	if b.Held() != 1 || !slices.Equal(a.Heads(), b.Heads()) {
		t.Errorf("%d held", b.Held())
	}
}

// All that follows on a missing change is sent with it, even if the filter has it.
func TestSyncClosure(t *testing.T) {
	a := newPeer("\x01")
	for i := range 3 {
		a.set(t, "x", int64(i))
	}
	cs := must(a.Changes(nil))
	filter := newBloom(1)
	filter.add(cs[1].Hash())
	m := syncMessage{version: syncV1, heads: []Hash{cs[1].Hash()}, have: []syncHave{{since: filter}}}
	b := newPeer("\x02")
	a.hears(t, b, &m)
	got := a.says(t, b)
	if len(got.payload) != 3 {
		t.Fatalf("%d changes, want 3", len(got.payload))
	}
	for i, c := range cs {
		if !bytes.Equal(got.payload[i], c.Bytes()) {
			t.Errorf("change %d is another", i)
		}
	}
}

// Who counts on changes that we do not have is told so, once.
func TestSyncReset(t *testing.T) {
	a, b := met(t, 1)
	m := syncMessage{version: syncV2, heads: a.Heads(), have: []syncHave{{lastSync: []Hash{hash(9)}}}, flagged: true}
	a.hears(t, b, &m)
	got := a.says(t, b)
	want := syncMessage{version: syncV1, heads: a.Heads(), have: []syncHave{{}}, flagged: true, flags: flagSupportsReset}
	if got == nil || !bytes.Equal(got.append(nil), want.append(nil)) {
		t.Fatalf("%+v", got)
	}
	if a.says(t, b) != nil {
		t.Error("said twice")
	}
	a.hears(t, b, &m)
	if a.says(t, b) == nil {
		t.Error("not said again")
	}
}

// After changes of a peer whose heads we do not all know, both have: what it gave,
// what both had and is still a head, and its heads that we know.
func TestSyncShared(t *testing.T) {
	a, b := met(t, 1)
	both := a.Heads()[0]
	c := New(Options{Actor: "\x03"}) // gives a change beside
	do(t, c.Put(Root, Key("c"), Int(1)))
	c.Commit(CommitOptions{})
	e := New(Options{Actor: "\x05"}) // what only a has
	do(t, e.Put(Root, Key("e"), Int(1)))
	e.Commit(CommitOptions{})
	do(t, a.Merge(e))
	given := c.Heads()[0]
	m := syncMessage{version: syncV2, heads: []Hash{{0xff}}, payload: [][]byte{must(c.Changes(nil))[0].Bytes()}}
	a.hears(t, b, &m)
	want := []Hash{both, given}
	slices.SortFunc(want, compareHash)
	if got := a.state(b).SharedHeads(); !slices.Equal(got, want) {
		t.Errorf("%x, want %x", got, want)
	}
	m = syncMessage{version: syncV2, heads: []Hash{e.Heads()[0], {0xff}}}
	slices.SortFunc(m.heads, compareHash)
	a.hears(t, b, &m)
	want = append(want, e.Heads()[0])
	slices.SortFunc(want, compareHash)
	if got := a.state(b).SharedHeads(); !slices.Equal(got, want) {
		t.Errorf("%x, want %x", got, want)
	}
}

// A peer who got the same elsewhere and says so needs no answer.
func TestSyncSameFromElsewhere(t *testing.T) {
	a, b := met(t, 3)
	c := must(a.Fork("\x03"))
	do(t, c.Put(Root, Key("c"), Int(1)))
	c.Commit(CommitOptions{})
	do(t, a.Merge(c))
	a.hears(t, b, &syncMessage{version: syncV2, heads: a.Heads(), have: []syncHave{{lastSync: a.Heads()}}})
	if m := a.says(t, b); m != nil {
		t.Errorf("%+v", m)
	}
}

// Who must ask for more than the peer's heads does not say what it has: the peer
// would answer with what cannot be used yet.
func TestSyncNoHave(t *testing.T) {
	a, b := met(t, 1)
	c := must(a.Fork("\x03"))
	for i := range 2 {
		do(t, c.Put(Root, Key("c"), Int(int64(i))))
		c.Commit(CommitOptions{})
	}
	cs := must(c.Changes(a.Heads()))
	do(t, a.Apply(cs[1]))
	m := syncMessage{version: syncV2, heads: []Hash{cs[1].Hash()}}
	a.hears(t, b, &m)
	got := a.says(t, b)
	if got == nil || !slices.Equal(got.need, []Hash{cs[0].Hash()}) || len(got.have) != 0 {
		t.Errorf("%+v", got)
	}
}

// A message belongs to who received it, and may be used for the next one.
func TestSyncMessageReused(t *testing.T) {
	a, b := met(t, 0)
	a.set(t, "x", 1)
	filter := newBloom(1)
	filter.add(a.Heads()[0])
	m := (&syncMessage{version: syncV1, have: []syncHave{{since: filter}}}).append(nil)
	do(t, a.ReceiveSync(a.state(b), m))
	clear(m)
	if !a.state(b).theirHave[0].since.has(a.Heads()[0]) {
		t.Error("the filter went with the message")
	}
}
