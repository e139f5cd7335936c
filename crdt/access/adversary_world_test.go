package access_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"inselnetz/crdt/access"
	"inselnetz/crdt/log"
)

// A pc is a device with its secrets.
type pc struct {
	name   string
	key    ed25519.PrivateKey
	box    access.BoxSecret
	card   access.DeviceCard
	person access.Person
}

const (
	poolSize = 14
	people   = 10 // the last devices of the pool are second ones
)

// pool holds the devices that histories are made of. Making keys takes time, and
// the histories need not differ in them.
var pool = sync.OnceValue(func() []*pc {
	var all []*pc
	for i := range poolSize {
		sum := func(what string, n int) [32]byte { return sha256.Sum256(fmt.Appendf(nil, "%s %d", what, n)) }
		seed, id := sum("sign", i), sum("person", i%people)
		p := &pc{name: fmt.Sprint("d", i), key: ed25519.NewKeyFromSeed(seed[:]), box: sum("box", i)}
		p.person = access.Person{ID: access.PersonID(id[:16]), Name: fmt.Sprint("P", i%people)}
		p.card = access.DeviceCard{Sign: log.DeviceOf(p.key), Box: p.box.Public(), Peer: fmt.Sprint("peer-", i), Name: fmt.Sprint("PC ", i)}
		all = append(all, p)
	}
	return all
})

// A node is a place where a device runs: an honest one has one, a copied one
// has several.
type node struct {
	*pc
	held  map[log.Hash]bool
	list  []access.Authored // in the order they came
	card  log.Card          // of its control log
	last  log.Height
	state *access.State // nil: to be resolved again
	keys  map[log.KeyID]access.SpaceKey
}

// A history is an office over time, and all that was written in it.
type history struct {
	t    testing.TB
	r    *rand.Rand
	rand io.Reader
	w    log.WorkspaceID
	kit  access.Kit

	all    []access.Authored
	byHash map[log.Hash]access.Authored
	nodes  []*node
	trace  []string

	spaces    []knownSpace
	keys      []knownKey
	steps     []oStep
	copied    map[log.DeviceID]bool // devices that exist or existed twice
	liars     map[log.DeviceID]bool // devices that do anything
	accused   map[log.DeviceID]bool // devices that a cut, a lowering or a removal was aimed at
	accusedIn map[access.PersonID]bool
	admitters map[log.DeviceID][]log.DeviceID
	honest    map[log.Hash]bool         // entries that the package's makers made
	allowed   map[oGiven]bool           // keys wrapped by makers: id and device
	before    map[log.KeyID][]log.KeyID // keys that makers sealed under a newer one

	selfLowered        bool
	rewritten, attacks int
}

type knownSpace struct {
	id      log.SpaceID
	salt    [16]byte
	creator *pc
}

type knownKey struct {
	space log.SpaceID // as operations name it
	epoch uint64
	id    log.KeyID
}

func newHistory(t testing.TB, seed uint64) *history {
	h := &history{
		t: t, r: rand.New(rand.NewPCG(seed, 7)), rand: rand.NewChaCha8(sha256.Sum256(fmt.Append(nil, seed))),
		byHash: map[log.Hash]access.Authored{}, copied: map[log.DeviceID]bool{}, liars: map[log.DeviceID]bool{}, accused: map[log.DeviceID]bool{},
		accusedIn: map[access.PersonID]bool{}, admitters: map[log.DeviceID][]log.DeviceID{}, honest: map[log.Hash]bool{}, allowed: map[oGiven]bool{}, before: map[log.KeyID][]log.KeyID{},
	}
	var err error
	if h.kit, err = access.NewKit(h.rand); err != nil {
		t.Fatal(err)
	}
	f := pool()[0]
	payload := h.genesis(f)
	n := h.node(f, log.Card{Device: f.card.Sign})
	g := h.write(n, payload, nil)
	h.w = log.WorkspaceID(g.Entry.Hash())
	ops, _ := oUnpack(payload)
	first := ops[0].(*oGenesis).Wraps[0]
	h.keys = append(h.keys, knownKey{log.Control, 1, first.Key})
	h.allowed[oGiven{id: first.Key, to: f.card.Sign}] = true
	return h
}

// genesis founds the workspace, mostly with a recovery kit.
func (h *history) genesis(f *pc) []byte {
	g := oGenesis{Type: 1, Office: "Fahrschule Blau", Salt: [16]byte(h.random(16)), Person: f.person, Device: f.card}
	key := log.Key(h.random(32))
	w := oWrap{Space: log.Control, Epoch: 1, Key: key.ID(log.Control, 1)}
	scope := sha256.Sum256(slices.Concat([]byte("inselnetz/scope/1"), g.Salt[:], f.card.Sign[:]))
	info := slices.Concat([]byte("inselnetz/wrap/1"), scope[:], f.card.Sign[:], f.card.Box[:], w.Space[:], binary.BigEndian.AppendUint64(nil, 1), w.Key[:])
	sealed, err := access.Seal(f.card.Box, info, key[:])
	if err != nil {
		h.t.Fatal(err)
	}
	w.Sealed = [80]byte(sealed)
	g.Wraps = []oWrap{w}
	if h.chance(6) {
		return oPack(g)
	}
	kit := h.kit.Deputy()
	return oPack(g, oFirstPolicy{Type: 16, Need: 1, Deputies: []oDeputy{{Keys: kit.Keys, Box: kit.Box}}})
}

func (h *history) note(format string, args ...any) {
	h.trace = append(h.trace, fmt.Sprintf(format, args...))
}

// node starts a device.
func (h *history) node(p *pc, card log.Card) *node {
	n := &node{pc: p, held: map[log.Hash]bool{}, card: card}
	h.nodes = append(h.nodes, n)
	return n
}

// begin starts a device in the workspace, with a log of its own.
func (h *history) begin(p *pc) *node {
	return h.node(p, log.Card{Workspace: h.w, Device: p.card.Sign, Incarnation: h.incarnation()})
}

func (h *history) incarnation() (i log.Incarnation) {
	for at := range i {
		i[at] = byte(h.r.Uint32())
	}
	return i
}

// write appends an entry to a node's log.
func (h *history) write(n *node, payload []byte, ctl []log.Ref) access.Authored {
	a := h.sign(n.pc, n.card, n.last, payload, ctl)
	n.last = log.Height{Seq: a.Entry.Seq, Hash: a.Entry.Hash()}
	h.hand(n, a)
	return a
}

// sign makes an entry after any other one.
func (h *history) sign(p *pc, card log.Card, after log.Height, payload []byte, ctl []log.Ref) access.Authored {
	head := log.Header{Log: card.ID(), Seq: after.Seq + 1, Prev: after.Hash, Kind: log.KindControl, Ctl: sortRefs(ctl), HLC: log.HLC(h.r.Uint64() >> 8)}
	e, err := log.New(p.key, head, payload)
	if err != nil {
		h.t.Fatalf("make an entry: %v", err)
	}
	a := access.Authored{Card: card, Entry: e}
	if _, ok := h.byHash[e.Hash()]; !ok {
		h.byHash[e.Hash()] = a
		h.all = append(h.all, a)
	}
	return a
}

func sortRefs(refs []log.Ref) []log.Ref {
	refs = slices.Clone(refs)
	slices.SortFunc(refs, func(a, b log.Ref) int { return bytes.Compare(a[:], b[:]) })
	refs = slices.Compact(refs)
	return refs[:min(len(refs), log.MaxRefs)]
}

// hand gives entries to a node.
func (h *history) hand(n *node, entries ...access.Authored) {
	for _, a := range entries {
		if !n.held[a.Entry.Hash()] {
			n.held[a.Entry.Hash()] = true
			n.list = append(n.list, a)
			n.state, n.keys = nil, nil
		}
	}
}

func (h *history) sync(a, b *node) {
	h.hand(b, a.list...)
	h.hand(a, b.list...)
}

// view returns what a node knows.
func (h *history) view(n *node) *access.State {
	if n.state == nil {
		n.state = access.Resolve(h.w, n.list)
	}
	return n.state
}

// opens returns the keys a node holds.
func (h *history) opens(n *node) map[log.KeyID]access.SpaceKey {
	if n.keys == nil {
		n.keys = h.view(n).Keys(n.box)
	}
	return n.keys
}

// copyOf makes a second node of a device that goes on like the first.
func (h *history) copyOf(n *node) *node {
	c := *n
	c.held, c.list = map[log.Hash]bool{}, slices.Clone(n.list)
	for k := range n.held {
		c.held[k] = true
	}
	h.copied[n.pc.card.Sign] = true
	h.nodes = append(h.nodes, &c)
	return &c
}

func pick[T any](r *rand.Rand, all []T) T { return all[r.IntN(len(all))] }

// chance is true once in n times.
func (h *history) chance(n int) bool { return h.r.IntN(n) == 0 }

// contentCard returns the card of a device's content log; each device has two
// in every space.
func (h *history) contentCard(d log.DeviceID, s log.SpaceID) log.Card {
	c := log.Card{Workspace: h.w, Space: s, Device: d}
	c.Incarnation[0] = byte(1 + h.r.IntN(2))
	return c
}

// probe asks for everything a history is about.
func (h *history) probe() probe {
	var p probe
	spaces := []log.SpaceID{log.Everyone(h.w)}
	for _, s := range h.spaces {
		spaces = append(spaces, s.id)
	}
	for _, d := range pool() {
		p.devices = append(p.devices, d.card.Sign)
		for _, s := range spaces {
			for i := range 2 {
				p.cards = append(p.cards, log.Card{Workspace: h.w, Space: s, Device: d.card.Sign, Incarnation: log.Incarnation{byte(1 + i)}})
			}
		}
	}
	return p
}
