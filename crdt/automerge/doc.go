// Package automerge reads, writes, edits and merges Automerge documents: maps,
// lists, text and counters that several may change at once without a server.
//
// It speaks the public binary format of Automerge 3 (FORMAT.md says what of it,
// and what each reader does with what it does not know), in pure Go. Bytes from
// others are checked before anything is changed; what is refused comes back as an
// error and leaves the document as it was.
//
// No value of this package may be used by two goroutines at a time.
package automerge

import (
	"crypto/rand"
	"errors"
	"fmt"
	"slices"

	"inselnetz/crdt/automerge/internal/format"
	"inselnetz/crdt/automerge/internal/opid"
	"inselnetz/crdt/automerge/internal/seq"
)

// A Hash names a change: the SHA-256 of its bytes.
type Hash = format.Hash

// Limits bound what bytes from others may cost; see [format.Limits].
type Limits = format.Limits

// A Unit is what positions in texts count.
type Unit = seq.Unit

// Positions count code points as Go's runes do, or UTF-16 units as JavaScript does.
const (
	CodePoints = seq.Points
	UTF16      = seq.Units
)

// Options tunes a document. The zero value is right for programs in Go.
type Options struct {
	Actor  ActorID // who edits here; "" takes a random one when it is needed
	Unit   Unit    // of positions in texts
	Limits Limits  // of what is loaded and applied

	// Unverified makes Load trust a document chunk: the hashes of its changes are
	// worked out when they are asked for, and Verify tells whether they are right.
	// Only for bytes that this program itself has saved.
	Unverified bool

	// Queue is how many changes may wait for others that they depend on; 0 means
	// 10,000.
	Queue int
}

// A Doc is a document: all its history and, embedded, its present state for
// reading. Edits show at once and become a change with Commit.
type Doc struct {
	Reader
	o    Options
	most Limits // for all of the document

	actors   []ActorID
	actorNum map[ActorID]uint32
	names    [][]byte // of the actors
	rank     []uint32 // actor -> place in the order of their bytes
	logs     []actorLog
	me       uint32 // who edits, or none

	seqs    *seq.Store
	objects []object
	rows    []row
	vals    []byte // raw values of rows
	keys    []string
	keyNum  map[string]uint32
	preds   map[uint32][]opid.ID // of a row, beyond the first
	succs   map[uint32][]opid.ID
	sums    map[uint32]int64 // of increments, by counter row
	maxOp   uint32
	turn    int        // counts the rebuilds
	marked  *markIndex // nil: nobody has asked

	graph graph
	tx    tx
	queue []*Change // held back: what they depend on is missing
	saved []uint32  // heads at the last Save or SaveIncremental

	// Reused while a change is encoded.
	change format.ChangeWriter
	body   []byte
	hashes []Hash
	deps   []uint32
	refs   []opid.ID

	keyName, markName []byte
}

// none is no row, object, actor, element.
const none = ^uint32(0)

// New is an empty document.
func New(o Options) *Doc {
	d := &Doc{o: o, most: o.Limits.For(0)}
	d.reset()
	return d
}

func (d *Doc) reset() {
	*d = Doc{
		o:        d.o,
		most:     d.most,
		actorNum: map[ActorID]uint32{},
		me:       none,
		seqs:     seq.New(),
		objects:  []object{{kind: format.MakeMap, row: none}},
		keyNum:   map[string]uint32{},
		preds:    map[uint32][]opid.ID{},
		succs:    map[uint32][]opid.ID{},
		sums:     map[uint32]int64{},
		queue:    d.queue,
		saved:    d.saved,
		turn:     d.turn + 1,
		markName: []byte{}, // a mark may have an empty name: never nil
	}
	d.graph.init()
	d.Reader = Reader{d: d}
}

// Actor is who edits here.
func (d *Doc) Actor() ActorID {
	if d.o.Actor == "" {
		var b [16]byte
		_, _ = rand.Read(b[:]) // cannot fail
		d.o.Actor = ActorID(b[:])
	}
	return d.o.Actor
}

// SetActor says who edits from now on.
func (d *Doc) SetActor(a ActorID) error {
	if d.Pending() > 0 {
		return ErrPending
	}
	if len(a) == 0 || len(a) > maxActor {
		return fmt.Errorf("automerge: an actor id has 1 to %d bytes", maxActor)
	}
	d.o.Actor, d.me = a, none
	return nil
}

// actor is the number of an actor, given one if it is new.
func (d *Doc) actor(a ActorID) uint32 {
	if n, ok := d.actorNum[a]; ok {
		return n
	}
	n := uint32(len(d.actors))
	d.actors = append(d.actors, a)
	d.names = append(d.names, []byte(a))
	d.actorNum[a] = n
	d.logs = append(d.logs, actorLog{})
	d.rankActors()
	return n
}

// rankActors orders the actors anew.
func (d *Doc) rankActors() {
	order := make([]uint32, len(d.actors))
	for i := range order {
		order[i] = uint32(i)
	}
	slices.SortFunc(order, func(a, b uint32) int {
		if d.actors[a] < d.actors[b] {
			return -1
		}
		return 1
	})
	d.rank = slices.Grow(d.rank[:0], len(order))[:len(order)]
	for r, a := range order {
		d.rank[a] = uint32(r)
	}
	d.seqs.SetRanks(d.rank)
}

// less orders ids: by counter, then by the bytes of the actors.
func (d *Doc) less(a, b opid.ID) bool {
	if a.Ctr != b.Ctr {
		return a.Ctr < b.Ctr
	}
	return d.rank[a.Actor] < d.rank[b.Actor]
}

func (d *Doc) compare(a, b opid.ID) int {
	switch {
	case a == b:
		return 0
	case d.less(a, b):
		return -1
	}
	return 1
}

// outer is the id as others know it.
func (d *Doc) outer(id opid.ID) OpID {
	if id.None() {
		return Root
	}
	return OpID{id.Ctr, d.actors[id.Actor]}
}

// inner is the id in this document's numbers.
func (d *Doc) inner(id OpID) (opid.ID, bool) {
	if id == Root {
		return opid.ID{}, true
	}
	n, ok := d.actorNum[id.Actor]
	return opid.ID{Ctr: id.Ctr, Actor: n}, ok
}

// key is the number of a map key or mark name.
func (d *Doc) key(k string) uint32 {
	if n, ok := d.keyNum[k]; ok {
		return n
	}
	n := uint32(len(d.keys))
	d.keys = append(d.keys, k)
	d.keyNum[k] = n
	return n
}

// keyOf is key without an allocation for a known one.
func (d *Doc) keyOf(k []byte) uint32 {
	if n, ok := d.keyNum[string(k)]; ok {
		return n
	}
	return d.key(string(k))
}

// Fork is a copy for another actor.
func (d *Doc) Fork(actor ActorID) (*Doc, error) {
	return d.ForkAt(d.Heads(), actor)
}

// ForkAt is a copy, for another actor, of the document as it was at those heads.
func (d *Doc) ForkAt(heads []Hash, actor ActorID) (*Doc, error) {
	if d.Pending() > 0 {
		return nil, ErrPending
	}
	rows, err := d.graph.rowsOf(d, heads)
	if err != nil {
		return nil, err
	}
	o := d.o
	o.Actor = actor
	if len(rows) == 0 {
		return New(o), nil
	}
	o.Unverified, o.Limits = true, unlimited
	body := d.copied(d.graph.clock(rows))
	f := New(o)
	if err := f.load(body); err != nil {
		return nil, fmt.Errorf("automerge: fork: %w", err)
	}
	f.o.Limits, f.most = d.o.Limits, d.most
	return f, nil
}

// rebuild drops every operation that belongs to no change: those of a transaction
// that is rolled back, or of a change that was refused halfway.
func (d *Doc) rebuild() {
	body := d.copied(d.everything())
	o := d.o
	d.o.Unverified, d.o.Limits = true, unlimited
	d.reset()
	if err := d.load(body); err != nil {
		panic(errors.Join(errors.New("automerge: own state does not load"), err)) // a mistake of this package
	}
	d.o = o
}
