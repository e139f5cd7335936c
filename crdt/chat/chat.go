// Package chat holds the operations of a conversation and folds them into
// channels and messages, the same on every device.
package chat

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"inselnetz/crdt/log"
)

type (
	// PersonID names a human of the workspace.
	PersonID [16]byte
	// ChannelID names a channel within its space. The zero value is the channel
	// that every space has.
	ChannelID [16]byte
)

// Main is the channel that every space has without being created.
var Main ChannelID

// A MsgID names an operation by its place: the N-th of an entry. Messages are
// named after the operation that posted them.
type MsgID struct {
	_   struct{} `cbor:",toarray"`
	Log log.LogID
	Seq uint64
	N   uint32
}

// ChannelOf returns the id of the channel that the operation at id created:
// SHA-256("inselnetz/channel/1" ‖ log ‖ seq ‖ n), first 16 bytes.
func ChannelOf(id MsgID) ChannelID {
	b := append([]byte("inselnetz/channel/1"), id.Log[:]...)
	b = binary.BigEndian.AppendUint64(b, id.Seq)
	b = binary.BigEndian.AppendUint32(b, id.N)
	h := sha256.Sum256(b)
	return ChannelID(h[:16])
}

func (p PersonID) String() string  { return log.LogID(p).String() }
func (c ChannelID) String() string { return log.LogID(c).String() }

// String returns "LOG-SEQ-N".
func (m MsgID) String() string {
	return m.Log.String() + "-" + strconv.FormatUint(m.Seq, 10) + "-" + strconv.FormatUint(uint64(m.N), 10)
}

// ParsePersonID reads what PersonID.String wrote.
func ParsePersonID(s string) (PersonID, error) {
	id, err := log.ParseLogID(s)
	return PersonID(id), err
}

// ParseChannelID reads what ChannelID.String wrote.
func ParseChannelID(s string) (ChannelID, error) {
	id, err := log.ParseLogID(s)
	return ChannelID(id), err
}

// ParseMsgID reads what MsgID.String wrote.
func ParseMsgID(s string) (MsgID, error) {
	bad := func() (MsgID, error) { return MsgID{}, fmt.Errorf("%q is not the id of a message", s) }
	parts := strings.Split(s, "-")
	if len(parts) != 3 {
		return bad()
	}
	id, err := log.ParseLogID(parts[0])
	if err != nil {
		return bad()
	}
	seq, err := strconv.ParseUint(parts[1], 10, 64)
	if err != nil || seq < 1 || seq > log.MaxSeq {
		return bad()
	}
	n, err := strconv.ParseUint(parts[2], 10, 32)
	if err != nil {
		return bad()
	}
	m := MsgID{Log: id, Seq: seq, N: uint32(n)}
	if m.String() != s { // leading zeros or signs
		return bad()
	}
	return m, nil
}

// A Place is where an operation stands in the order people see: by stamp, then
// log, then sequence number, then number in the entry. No two operations have
// the same place. The zero Place is before all others.
type Place struct {
	Stamp uint64
	MsgID
}

// Compare returns -1, 0 or 1 as p comes before, at or after q.
func (p Place) Compare(q Place) int {
	return cmp.Or(
		cmp.Compare(p.Stamp, q.Stamp),
		bytes.Compare(p.Log[:], q.Log[:]),
		cmp.Compare(p.Seq, q.Seq),
		cmp.Compare(p.N, q.N),
	)
}

// Meta says about an operation what is not in it but in its entry.
type Meta struct {
	Place
	Author PersonID
	Device log.DeviceID
	Clock  log.HLC
}

// A Message is one line of a channel with everything done to it.
type Message struct {
	Meta      // of the post
	Channel   ChannelID
	Text      string // empty once retracted
	Mentions  []PersonID
	Reply     *MsgID
	Edit      Place // of the newest edit; zero if never edited
	Edited    log.HLC
	Retracted bool
	Votes     map[Ballot]Vote
}

// A Ballot is what a person can say yes or no to under a message.
type Ballot struct {
	Person PersonID
	Word   string
}

// A Vote is the newest reaction on a ballot.
type Vote struct {
	On bool
	At Place
}

// NewMessage returns the message that p posts at m.
func NewMessage(p Post, m Meta) *Message {
	return &Message{Meta: m, Channel: p.Channel, Text: p.Text, Mentions: p.Mentions, Reply: p.Reply}
}

// Apply does an edit, retraction or reaction of this message and reports
// whether anything changed. In whatever order and however often operations are
// applied, the result is the same: the newest edit by the author counts, a
// retraction by the author is for good, and the newest reaction of each person
// with each word counts.
func (m *Message) Apply(op Op, by Meta) bool {
	switch op := op.(type) {
	case Edit:
		if op.Message != m.MsgID || by.Author != m.Author || m.Edit.Compare(by.Place) >= 0 {
			return false
		}
		m.Edit, m.Edited = by.Place, by.Clock
		if !m.Retracted {
			m.Text, m.Mentions = op.Text, op.Mentions
		}
		return true
	case Retract:
		if op.Message != m.MsgID || by.Author != m.Author || m.Retracted {
			return false
		}
		m.Retracted, m.Text, m.Mentions = true, "", nil
		return true
	case React:
		b := Ballot{Person: by.Author, Word: op.Word}
		if op.Message != m.MsgID || m.Votes[b].At.Compare(by.Place) >= 0 {
			return false
		}
		if m.Votes == nil {
			m.Votes = map[Ballot]Vote{}
		}
		m.Votes[b] = Vote{On: op.On, At: by.Place}
		return true
	}
	return false
}

// Target returns the message that an operation is about, if it is about one
// that was there before.
func Target(op Op) (MsgID, bool) {
	switch op := op.(type) {
	case Edit:
		return op.Message, true
	case Retract:
		return op.Message, true
	case React:
		return op.Message, true
	case Read:
		return op.Message, true
	}
	return MsgID{}, false
}

// An Item is one entry's operations.
type Item struct {
	Meta // N is not used
	Ops  []Op
}

// State is what a set of operations in one space comes to.
type State struct {
	Names    map[ChannelID]string // of created channels; Main is not among them
	Messages map[MsgID]*Message
	Marks    map[ChannelID]map[PersonID]Place // up to which message a person has read
}

// Fold returns what a set of entries of one space comes to. The order of items
// and items given twice do not matter.
func Fold(items []Item) State {
	s := State{Names: map[ChannelID]string{}, Messages: map[MsgID]*Message{}, Marks: map[ChannelID]map[PersonID]Place{}}
	each := func(do func(Op, Meta)) {
		for _, it := range items {
			for n, op := range it.Ops {
				m := it.Meta
				m.N = uint32(n)
				do(op, m)
			}
		}
	}
	each(func(op Op, m Meta) {
		switch op := op.(type) {
		case Post:
			s.Messages[m.MsgID] = NewMessage(op, m)
		case Create:
			s.Names[ChannelOf(m.MsgID)] = op.Name
		}
	})
	each(func(op Op, m Meta) {
		id, ok := Target(op)
		to := s.Messages[id]
		if !ok || to == nil {
			return
		}
		if r, ok := op.(Read); ok {
			s.read(r, m.Author, to)
			return
		}
		to.Apply(op, m)
	})
	return s
}

// read moves a person's marker, which only goes forward.
func (s *State) read(r Read, who PersonID, to *Message) {
	if to.Channel != r.Channel {
		return
	}
	if s.Marks[r.Channel] == nil {
		s.Marks[r.Channel] = map[PersonID]Place{}
	}
	if s.Marks[r.Channel][who].Compare(to.Place) < 0 {
		s.Marks[r.Channel][who] = to.Place
	}
}

// Channel returns the messages of a channel in the order people see.
func (s *State) Channel(c ChannelID) []*Message {
	var out []*Message
	for _, m := range s.Messages {
		if m.Channel == c {
			out = append(out, m)
		}
	}
	slices.SortFunc(out, func(a, b *Message) int { return a.Place.Compare(b.Place) })
	return out
}
