package automerge

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// a peer is a document and what it knows of others.
type peer struct {
	*Doc
	states map[*peer]*SyncState
}

func newPeer(actor ActorID) *peer {
	return &peer{New(Options{Actor: actor}), map[*peer]*SyncState{}}
}

func (p *peer) state(of *peer) *SyncState {
	if p.states[of] == nil {
		p.states[of] = NewSyncState()
	}
	return p.states[of]
}

func (p *peer) set(t testing.TB, key string, v int64) {
	t.Helper()
	if err := p.Put(Root, Key(key), Int(v)); err != nil {
		t.Fatal(err)
	}
	p.Commit(CommitOptions{})
}

// talk lets two peers speak in turn until both are silent, and returns how many
// messages that took. filter may change them on the way.
func talk(t testing.TB, a, b *peer, filter func([]byte) []byte) int {
	t.Helper()
	for n := 0; ; {
		silent := true
		for _, way := range [][2]*peer{{a, b}, {b, a}} {
			from, to := way[0], way[1]
			if m := from.GenerateSync(from.state(to)); m != nil {
				silent = false
				if filter != nil {
					m = filter(m)
				}
				if err := to.ReceiveSync(to.state(from), m); err != nil {
					t.Fatal(err)
				}
				n++
			}
		}
		if silent {
			return n
		}
		if n > 100 {
			t.Fatal("they speak for ever")
		}
	}
}

func TestSyncTrace(t *testing.T) {
	bytes := map[string][]byte{}
	var trace []string
	for _, v := range vectors(t) {
		bytes[v.Name] = v.bytes(t)
		if v.Name == "sync_trace" {
			trace = v.Expect.Trace
		}
	}
	a, b := newPeer("\xaa"), newPeer("\xbb")
	if err := a.LoadIncremental(bytes["bundle"]); err != nil {
		t.Fatal(err)
	}
	var got []string
	for from, to, name := a, b, "A"; len(got) < 10; from, to = to, from {
		m := from.GenerateSync(from.state(to))
		if m == nil {
			break
		}
		got = append(got, name+">"+hex.EncodeToString(m))
		if err := to.ReceiveSync(to.state(from), m); err != nil {
			t.Fatal(err)
		}
		name = map[string]string{"A": "B", "B": "A"}[name]
	}
	if !slices.Equal(got, trace) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(trace, "\n"))
	}
	same(t, a.Doc, b.Doc)
	if got := hex.EncodeToString(NewSyncState().Encode()); got != "4300" {
		t.Errorf("empty state is %s", got)
	}
}

func TestSyncFirstMessageRead(t *testing.T) {
	for _, v := range vectors(t) {
		switch v.Kind {
		case "sync":
			m, err := readSyncMessage(v.bytes(t))
			if err != nil {
				t.Fatal(err)
			}
			if again := m.append(nil); string(again) != string(v.bytes(t)) {
				t.Errorf("%s: %x", v.Name, again)
			}
		case "syncstate":
			s, err := DecodeSyncState(v.bytes(t))
			if err != nil || string(s.Encode()) != string(v.bytes(t)) {
				t.Errorf("%s: %v", v.Name, err)
			}
		}
	}
}

// Two edit apart and meet, many times, some of it with the state of before a
// restart, some with an old peer that knows no flags.
func TestSyncPairs(t *testing.T) {
	for _, old := range []bool{false, true} {
		var strip func(m []byte) []byte
		if old {
			strip = func(m []byte) []byte { return m[:len(m)-3] }
		}
		a, b := newPeer("\x01"), newPeer("\x02")
		talk(t, a, b, strip)
		for i := range 40 {
			for range i % 7 {
				a.set(t, fmt.Sprint("a", i%5), int64(i))
			}
			for range i % 5 {
				b.set(t, fmt.Sprint("b", i%3), int64(i))
			}
			if n := talk(t, a, b, strip); n > 12 {
				t.Errorf("round %d took %d messages", i, n)
			}
			same(t, a.Doc, b.Doc)
			if i%4 == 0 {
				restart(t, a, b)
			}
			if got := a.state(b).SharedHeads(); i%4 != 0 && !slices.Equal(got, a.Heads()) {
				t.Errorf("round %d: shared heads %x, heads %x", i, got, a.Heads())
			}
		}
		restart(t, a, b)
		if m := a.GenerateSync(a.state(b)); m == nil || len(m) > 140 { // two heads, twice
			t.Errorf("a greeting of %d bytes after a restart", len(m))
		}
	}
}

// restart breaks the connection of two peers: both go on from encoded states.
func restart(t testing.TB, a, b *peer) {
	t.Helper()
	for _, way := range [][2]*peer{{a, b}, {b, a}} {
		s, err := DecodeSyncState(way[0].state(way[1]).Encode())
		if err != nil {
			t.Fatal(err)
		}
		way[0].states[way[1]] = s
	}
}

// A network is peers and the messages under way between them.
type network struct {
	r     *rand.Rand
	peers []*peer
	links []link
	under map[link][][]byte
}

type link struct{ from, to *peer }

func newNetwork(seed uint64) *network {
	n := &network{r: rand.New(rand.NewPCG(seed, 2)), under: map[link][][]byte{}}
	n.peers = []*peer{newPeer("\x01"), newPeer("\x02"), newPeer("\x03")}[:2+n.r.IntN(2)]
	for _, p := range n.peers {
		for _, q := range n.peers {
			if p != q {
				n.links = append(n.links, link{p, q})
			}
		}
	}
	return n
}

// speak sends the next message; it reports whether there was one.
func (n *network) speak(l link) bool {
	m := l.from.GenerateSync(l.from.state(l.to))
	if m != nil {
		n.under[l] = append(n.under[l], m)
	}
	return m != nil
}

// hear delivers the next message; it reports whether there was one.
func (n *network) hear(t *testing.T, l link) bool {
	t.Helper()
	if len(n.under[l]) == 0 {
		return false
	}
	m := n.under[l][0]
	n.under[l] = n.under[l][1:]
	if err := l.to.ReceiveSync(l.to.state(l.from), m); err != nil {
		t.Fatal(err)
	}
	return true
}

// breaks loses what is under way; both go on from encoded states, or one from
// nothing.
func (n *network) breaks(t *testing.T, l link) {
	delete(n.under, l)
	delete(n.under, link{l.to, l.from})
	restart(t, l.from, l.to)
	if n.r.IntN(3) == 0 {
		l.from.states[l.to] = NewSyncState()
	}
}

// fallsBack gives the first peer an older copy of its document, as another actor.
func (n *network) fallsBack(t *testing.T, backup []byte) {
	n.peers[0].Doc = must(Load(backup, Options{Actor: "\x09"}))
	for _, l := range n.links {
		if l.from == n.peers[0] {
			n.breaks(t, l)
		}
	}
}

// settle lets all speak until all are silent.
func (n *network) settle(t *testing.T) {
	t.Helper()
	for round := 0; ; round++ {
		busy := false
		for _, l := range n.links {
			busy = n.speak(l) || busy
			for n.hear(t, l) {
				busy = true
			}
		}
		if !busy {
			return
		}
		if round > 60 {
			t.Fatal("they speak for ever")
		}
	}
}

// Peers in a random network: messages are under way while others edit, links
// break and lose what was under way, peers forget states or fall back to an older
// copy of their document.
func TestSyncNetworks(t *testing.T) {
	for seed := range seeds(t, 300) {
		t.Run(fmt.Sprint("SEED=", seed), func(t *testing.T) {
			n := newNetwork(seed)
			backup, lost := n.peers[0].Save(), false
			for i := range 120 {
				l := n.links[n.r.IntN(len(n.links))]
				switch k := n.r.IntN(20); {
				case k < 7:
					for range 1 + n.r.IntN(4) {
						l.from.set(t, fmt.Sprint("k", n.r.IntN(6)), int64(i))
					}
				case k < 12:
					n.speak(l)
				case k < 18:
					n.hear(t, l)
				case k < 19:
					n.breaks(t, l)
				case i < 40:
					backup = n.peers[0].Save()
				case !lost:
					lost = true
					n.fallsBack(t, backup)
				}
			}
			n.settle(t)
			for _, p := range n.peers[1:] {
				if !slices.Equal(p.Heads(), n.peers[0].Heads()) {
					t.Fatal("heads differ")
				}
				same(t, n.peers[0].Doc, p.Doc)
			}
		})
	}
}

func TestSyncReadOnly(t *testing.T) {
	for _, old := range []bool{false, true} {
		a, b := newPeer("\x01"), newPeer("\x02")
		a.state(b).SetReadOnly(true)
		a.state(b).SetReadOnly(true)
		a.set(t, "a", 1)
		b.set(t, "b", 2)
		talk(t, a, b, nil)
		if _, ok, _ := a.Get(Root, Key("b")); ok {
			t.Error("read-only, but it took a change")
		}
		if _, ok, _ := b.Get(Root, Key("a")); !ok {
			t.Error("the other did not get the change")
		}
		if !b.state(a).PeerReadOnly() || a.state(b).PeerReadOnly() {
			t.Error("who is read-only?")
		}
		if heads, ok := b.state(a).TheirHeads(); !ok || !slices.Equal(heads, a.Heads()) {
			t.Errorf("their heads: %x", heads)
		}
		if old {
			a.state(b).knowsReset = false
		}
		a.state(b).SetReadOnly(false)
		b.set(t, "b", 3)
		talk(t, a, b, nil)
		same(t, a.Doc, b.Doc)
	}
}

// A peer that offers what we refuse does not keep us talking.
func TestSyncRefused(t *testing.T) {
	var poison []byte
	for _, v := range vectors(t) {
		if v.Name == "unknown_column_change" {
			poison = v.bytes(t)
		}
	}
	h, err := hex.DecodeString("f4436fbaa66ed8c4bf1ed0fc63272e6f2e17f8f1ef5477d2c45ed249c40b8068")
	if err != nil {
		t.Fatal(err)
	}
	a := newPeer("\xbb")
	a.set(t, "x", 1)
	s := NewSyncState()
	first := syncMessage{version: syncV1, heads: []Hash{Hash(h)}, have: []syncHave{{}}, flagged: true}
	withChange := first
	withChange.payload = [][]byte{poison}
	if err := a.ReceiveSync(s, withChange.append(nil)); !errors.Is(err, ErrRefused) && !errors.Is(err, ErrCorrupt) {
		t.Fatal(err)
	}
	n := 0
	for a.GenerateSync(s) != nil {
		if n++; n > 10 {
			t.Fatal("for ever")
		}
		if err := a.ReceiveSync(s, first.append(nil)); err != nil {
			t.Fatal(err)
		}
	}
	if a.Held() != 0 || len(a.Heads()) != 1 {
		t.Error("the refused change left a trace")
	}
}

// Who asks for a change a thousand times gets it once.
func TestSyncNeedOnce(t *testing.T) {
	a := newPeer("\x01")
	a.set(t, "x", 1)
	a.set(t, "x", 2)
	h := a.Heads()[0]
	m := appendHashes([]byte{syncV1}, []Hash{{1}})
	need := make([]Hash, 1000)
	for i := range need {
		need[i] = h
	}
	m = append(appendHashes(m, need), 0, 0)
	s := NewSyncState()
	if err := a.ReceiveSync(s, m); err != nil {
		t.Fatal(err)
	}
	out, err := readSyncMessage(a.GenerateSync(s))
	if err != nil || len(out.payload) != 1 {
		t.Fatalf("%d changes, %v", len(out.payload), err)
	}
}

func TestSyncPending(t *testing.T) {
	a, b := newPeer("\x01"), newPeer("\x02")
	a.set(t, "x", 1)
	if err := a.Put(Root, Key("y"), Int(1)); err != nil {
		t.Fatal(err)
	}
	m := a.GenerateSync(a.state(b))
	if err := a.ReceiveSync(a.state(b), m); !errors.Is(err, ErrPending) {
		t.Error(err)
	}
	if err := b.ReceiveSync(b.state(a), m); err != nil {
		t.Error(err)
	}
	// The document chunk leaves the pending edit out.
	if err := b.ReceiveSync(b.state(a), func() []byte {
		s := NewSyncState()
		s.heard, s.v2 = true, true
		return a.GenerateSync(s)
	}()); err != nil {
		t.Error(err)
	}
	if got, _ := b.Keys(Root); !slices.Equal(got, []string{"x"}) {
		t.Error(got)
	}
}

// What is held back is asked for with what it waits for, not itself.
func TestSyncLacking(t *testing.T) {
	a, b := newPeer("\x01"), newPeer("\x02")
	for i := range 4 {
		a.set(t, "x", int64(i))
	}
	cs, err := a.Changes(nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Apply(cs[3], cs[2]); err != nil {
		t.Fatal(err)
	}
	if got := b.lacking(a.Heads()); !slices.Equal(got, []Hash{cs[1].Hash()}) {
		t.Errorf("%x", got)
	}
	if got := b.lacking([]Hash{{1}, {1}}); !slices.Equal(got, []Hash{{1}}) {
		t.Errorf("%x", got)
	}
	talk(t, a, b, nil)
	same(t, a.Doc, b.Doc)
}

func TestSyncMalformed(t *testing.T) {
	ok := (&syncMessage{version: syncV2, heads: []Hash{{1}}, need: []Hash{{2}}, have: []syncHave{{[]Hash{{3}}, newBloom(3)}}, payload: [][]byte{{1, 2}}, flagged: true}).append(nil)
	if _, err := readSyncMessage(ok); err != nil {
		t.Fatal(err)
	}
	for n := range len(ok) - 3 { // without the flags it is a message too
		if _, err := readSyncMessage(ok[:n]); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
	have := func(filter ...byte) []byte { return append(appendSized([]byte{syncV1, 0, 0, 1, 0}, filter), 0) }
	huge := []byte{0xff, 0xff, 0xff, 0xff, 0x0f} // 2^32-1
	for name, tt := range map[string]struct {
		b   []byte
		err error
	}{
		"other version":        {[]byte{0x44, 0, 0, 0, 0}, ErrCorrupt},
		"2^60 heads":           {[]byte{syncV1, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10}, ErrCorrupt},
		"2^60 changes":         {[]byte{syncV1, 0, 0, 0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10}, ErrCorrupt},
		"overlong count":       {[]byte{syncV1, 0x80, 0, 0, 0, 0}, ErrCorrupt},
		"17 haves":             {append([]byte{syncV1, 0, 0, 17}, make([]byte, 40)...), ErrLimit},
		"no bits":              {have(1, 0, 7), ErrCorrupt},
		"2^32 probes":          {have(append([]byte{1, 10}, append(huge, 0, 0)...)...), ErrLimit},
		"2^64 bits":            {have(append(slices.Concat(huge, huge), 7, 0)...), ErrCorrupt},
		"entries beyond 2^32":  {have(0xff, 0xff, 0xff, 0xff, 0x1f, 1, 7), ErrCorrupt},
		"no entries but bytes": {have(0, 10, 7, 1, 2, 3), nil},
	} {
		if _, err := readSyncMessage(tt.b); !errors.Is(err, tt.err) {
			t.Errorf("%s: %v, want %v", name, err, tt.err)
		}
	}
	for _, b := range [][]byte{nil, {0x42, 0}, {0x43}, {0x43, 1}, {0x43, 0x80}} {
		if _, err := DecodeSyncState(b); !errors.Is(err, ErrCorrupt) {
			t.Errorf("state %x: %v", b, err)
		}
	}
}

func TestBloom(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	hash := func() (h Hash) {
		for i := range h {
			h[i] = byte(r.Uint32())
		}
		return h
	}
	b := newBloom(1000)
	in := make([]Hash, 1000)
	for i := range in {
		in[i] = hash()
		b.add(in[i])
	}
	b, err := readBloom(b.append(nil))
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range in {
		if !b.has(h) {
			t.Fatal("denies what is in it")
		}
	}
	wrong := 0
	for range 10_000 {
		if b.has(hash()) {
			wrong++
		}
	}
	if wrong > 200 { // 1 % expected
		t.Errorf("%d of 10,000 taken for known", wrong)
	}
	if e := newBloom(0); e.has(in[0]) || e.append(nil) != nil {
		t.Error("an empty filter has something")
	}
}

// A keystroke to a peer and its answer, in a document of 100,000 changes.
func BenchmarkSyncKeystroke(b *testing.B) {
	x, y := newPeer("\x01"), newPeer("\x02")
	text, err := x.PutObject(Root, Key("t"), KindText)
	if err != nil {
		b.Fatal(err)
	}
	key := func() {
		n, _ := x.Len(text)
		if err := x.SpliceText(text, n, 0, "a"); err != nil {
			b.Fatal(err)
		}
		x.Commit(CommitOptions{})
	}
	for range 100_000 {
		key()
	}
	talk(b, x, y, nil)
	for b.Loop() {
		key()
		talk(b, x, y, nil)
	}
}
