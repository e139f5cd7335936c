package automerge

import (
	"bytes"
	"crypto/sha256"
	"maps"
	"slices"

	"inselnetz/crdt/automerge/internal/format"
)

// A SyncState is what one document knows of one peer. Keep one for each peer and
// document:
//
//	for msg := d.GenerateSync(s); …  // nil: nothing to say at present
//	err := d.ReceiveSync(s, msg)     // and ask GenerateSync again
//
// Ask after every edit, too. The way between the peers must keep the order of
// messages and lose none; where it broke, both begin anew with NewSyncState, or
// with what Encode wrote, which saves telling again what both have.
type SyncState struct {
	shared   []Hash // heads of what both are known to have
	lastSent []Hash // our heads when we last spoke
	sent     map[Hash]struct{}

	heard                 bool // the following three are the peer's last words
	theirHeads, theirNeed []Hash
	theirHave             []syncHave

	inFlight  bool // we spoke and have not been answered
	responded bool // we spoke
	resetSent bool // since we last heard

	v2, knowsReset bool // what the peer understands
	readOnly       bool
	peerReadOnly   bool
	needsReset     bool // the next message asks the peer to forget what it sent

	// Digests of the last words without payload, see again.
	saidLast, heardLast, heardBefore [32]byte
}

// NewSyncState is the state before the first message.
func NewSyncState() *SyncState { return &SyncState{} }

// Encode writes what may be used again after a broken connection: the heads of
// what both have.
func (s *SyncState) Encode() []byte { return appendHashes([]byte{syncState}, s.shared) }

// DecodeSyncState reads what Encode wrote.
func DecodeSyncState(b []byte) (*SyncState, error) {
	r := syncReader{b: b}
	if t := r.take(1, "type"); r.err == nil && t[0] != syncState {
		return nil, damaged("a sync state begins with %02x", t)
	}
	s := &SyncState{shared: r.hashes("shared heads")}
	return s, r.err
}

// SharedHeads are the heads of what both are known to have.
func (s *SyncState) SharedHeads() []Hash { return slices.Clone(s.shared) }

// TheirHeads are the heads that the peer last named; ok is false before its first
// message.
func (s *SyncState) TheirHeads() (heads []Hash, ok bool) { return slices.Clone(s.theirHeads), s.heard }

// PeerReadOnly reports whether the peer has said that it takes no changes.
func (s *SyncState) PeerReadOnly() bool { return s.peerReadOnly }

// SetReadOnly says whether changes of the peer are passed over. It learns so with
// the next message. Who reads again is sent what was passed over.
func (s *SyncState) SetReadOnly(on bool) {
	switch {
	case on == s.readOnly:
	case on:
		s.readOnly, s.inFlight, s.responded = true, false, false
	default:
		*s = SyncState{v2: s.v2, knowsReset: s.knowsReset, needsReset: true}
	}
}

// GenerateSync is the next message for the peer, nil if there is nothing to say
// before it answers or something changes. Edits that are not committed are not
// spoken of.
func (d *Doc) GenerateSync(s *SyncState) []byte {
	heads := d.Heads()
	if len(s.theirHave) > 0 && slices.ContainsFunc(s.theirHave[0].lastSync, func(h Hash) bool { return !d.Has(h) }) {
		return s.resetMessage(heads)
	}
	quiet := s.responded && slices.Equal(s.lastSent, heads)
	if quiet && s.inFlight {
		return nil
	}
	payload, rows := d.syncPayload(s)
	if quiet && len(rows) == 0 && (s.readOnly || s.heard && slices.Equal(s.theirHeads, heads)) {
		return nil
	}
	m := syncMessage{version: syncV1, heads: heads, payload: payload, flagged: true, flags: flagSupportsReset}
	if s.v2 {
		m.version = syncV2
	}
	if !s.readOnly {
		m.need = d.lacking(s.theirHeads)
	} else {
		m.flags |= flagReadOnly
	}
	known := func(h Hash) bool { return slices.Contains(s.theirHeads, h) }
	if !slices.ContainsFunc(m.need, func(h Hash) bool { return !known(h) }) {
		m.have = []syncHave{{s.shared, d.bloomSince(s.shared)}}
	}
	if s.needsReset {
		s.needsReset = false
		if s.knowsReset {
			m.flags |= flagReset
		} else {
			m.heads = nil // as if we had lost everything
		}
	}
	out := m.append(nil)
	if quiet && len(rows) == 0 && s.again(out) {
		return nil
	}
	s.responded, s.inFlight, s.lastSent = true, true, heads
	if len(rows) > 0 && s.sent == nil {
		s.sent = map[Hash]struct{}{}
	}
	for _, n := range rows {
		s.sent[d.graph.hash(d, n)] = struct{}{}
	}
	return out
}

// again reports whether both sides would only repeat themselves: a peer may lack
// for ever what the other cannot give, say a change that is refused.
func (s *SyncState) again(message []byte) bool {
	sum := sha256.Sum256(message)
	twice := sum == s.saidLast && s.heardLast == s.heardBefore && s.heardLast != [32]byte{}
	s.saidLast = sum
	return twice
}

// resetMessage tells a peer who counts on changes that we have not (any more) to
// begin anew.
func (s *SyncState) resetMessage(heads []Hash) []byte {
	if s.resetSent {
		return nil
	}
	s.resetSent = true
	m := syncMessage{version: syncV1, heads: heads, have: []syncHave{{}}, flagged: true, flags: flagSupportsReset}
	return m.append(nil)
}

// lacking are the changes to ask for, to get to those heads: what is held back is
// not asked for, but what it waits for. Ascending.
func (d *Doc) lacking(heads []Hash) []Hash {
	var out []Hash
	var held map[Hash]*Change
	if len(d.queue) > 0 {
		held = make(map[Hash]*Change, len(d.queue))
		for _, c := range d.queue {
			held[c.hash] = c
		}
	}
	for todo := slices.Clone(heads); len(todo) > 0; {
		h := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		switch c := held[h]; {
		case d.Has(h):
		case c == nil:
			out = append(out, h)
		default:
			todo = append(todo, c.c.Deps...)
			held[h] = &Change{c: &format.Change{}} // looked through
		}
	}
	slices.SortFunc(out, compareHash)
	return slices.Compact(out)
}

// since are the changes after those heads, unknown ones not counted.
func (d *Doc) since(heads []Hash) []uint32 {
	var rows []uint32
	for _, h := range heads {
		if n, ok := d.graph.lookup(d, h); ok {
			rows = append(rows, n)
		}
	}
	if len(rows) > 0 && !slices.ContainsFunc(d.graph.heads, func(n uint32) bool { return !slices.Contains(rows, n) }) {
		return nil
	}
	return d.graph.after(rows)
}

func (d *Doc) bloomSince(heads []Hash) bloom {
	rows := d.since(heads)
	b := newBloom(len(rows))
	for _, n := range rows {
		b.add(d.graph.hash(d, n))
	}
	return b
}

// syncPayload is what the peer lacks as far as we know, and the changes in it.
func (d *Doc) syncPayload(s *SyncState) (payload [][]byte, rows []uint32) {
	if !s.heard || s.peerReadOnly {
		return nil, nil
	}
	all := len(s.theirHeads) == 0 && s.v2
	if !all {
		for _, n := range d.wanted(s) {
			if _, sent := s.sent[d.graph.hash(d, n)]; !sent {
				rows = append(rows, n)
			}
		}
		all = s.v2 && len(rows) > len(d.graph.rows)/3
	}
	if all {
		rows = make([]uint32, len(d.graph.rows))
		for n := range rows {
			rows[n] = uint32(n)
		}
		doc := d.document(nil)
		for _, c := range d.queue {
			doc = format.AppendChunk(doc, format.ChangeChunk, c.body)
		}
		return [][]byte{doc}, rows
	}
	var chunks []byte
	for _, n := range rows {
		d.body = d.appendChange(d.body[:0], n)
		from := len(chunks)
		chunks = format.AppendChunk(chunks, format.ChangeChunk, d.body)
		if !s.v2 {
			payload = append(payload, chunks[from:len(chunks):len(chunks)])
		}
	}
	if s.v2 && len(chunks) > 0 {
		payload = [][]byte{chunks}
	}
	return payload, rows
}

// wanted are the changes that a peer asks for, and after those both have the ones
// in none of its filters, with all that depend on them.
func (d *Doc) wanted(s *SyncState) []uint32 {
	var out []uint32
	var send []bool // of the changes from first on
	first := uint32(len(d.graph.rows))
	sends := func(n uint32) bool { return n >= first && send[n-first] }
	if len(s.theirHave) > 0 {
		var both []Hash
		for i := range s.theirHave {
			both = append(both, s.theirHave[i].lastSync...)
		}
		in := func(h Hash) bool {
			return slices.ContainsFunc(s.theirHave, func(have syncHave) bool { return have.since.has(h) })
		}
		since := d.since(both)
		if len(since) > 0 {
			first = since[0]
			send = make([]bool, uint32(len(d.graph.rows))-first)
		}
		var deps []uint32
		for _, n := range since { // deps come first
			deps = d.graph.deps(deps[:0], n)
			if slices.ContainsFunc(deps, sends) || !in(d.graph.hash(d, n)) {
				send[n-first] = true
				out = append(out, n)
			}
		}
	}
	var need []uint32
	for _, h := range s.theirNeed {
		if n, ok := d.graph.lookup(d, h); ok && !sends(n) {
			need = append(need, n)
		}
	}
	return append(need, out...)
}

// ReceiveSync takes a message of the peer: its changes are applied, and the state
// knows what to answer. An error means that the message is no message, or that a
// change in it was refused; the others are applied then. Such a peer is best left
// alone.
func (d *Doc) ReceiveSync(s *SyncState, message []byte) error {
	if d.Pending() > 0 {
		return ErrPending
	}
	m, err := readSyncMessage(message)
	if err != nil {
		return err
	}
	s.inFlight, s.resetSent = false, false
	s.heardBefore, s.heardLast = s.heardLast, [32]byte{}
	if len(m.payload) == 0 {
		s.heardLast = sha256.Sum256(message)
	}
	if m.flagged {
		s.v2, s.knowsReset = true, m.flags&flagSupportsReset != 0
		s.peerReadOnly = m.flags&flagReadOnly != 0
		if m.flags&flagReset != 0 {
			s.sent = nil
		}
	}
	before := d.Heads()
	if len(m.payload) > 0 && !s.readOnly {
		err = d.takeIn(m.payload...)
		s.advance(before, d.Heads())
	}
	d.heardOf(s, m.heads)
	if len(m.payload) == 0 && slices.Equal(m.heads, before) {
		s.lastSent = m.heads
	}
	known := slices.DeleteFunc(slices.Clone(m.heads), func(h Hash) bool { return !d.Has(h) })
	if len(known) == len(m.heads) {
		s.shared = known
		if len(known) == 0 { // the peer has nothing, perhaps lost it
			s.lastSent, s.sent = nil, nil
		}
	} else {
		s.shared = append(slices.Clone(s.shared), known...)
		slices.SortFunc(s.shared, compareHash)
		s.shared = slices.Compact(s.shared)
	}
	s.heard, s.theirHeads, s.theirNeed = true, m.heads, m.need
	s.theirHave = m.have
	for i := range s.theirHave { // the message belongs to the caller
		s.theirHave[i].since.bits = bytes.Clone(s.theirHave[i].since.bits)
	}
	return err
}

// advance notes that the peer has what it has just given us.
func (s *SyncState) advance(before, after []Hash) {
	var out []Hash
	for _, h := range after {
		if !slices.Contains(before, h) || slices.Contains(s.shared, h) {
			out = append(out, h)
		}
	}
	s.shared = out
}

// heardOf forgets of what was sent whatever the peer has by its own word.
func (d *Doc) heardOf(s *SyncState, heads []Hash) {
	if len(s.sent) == 0 {
		return
	}
	var rows []uint32
	for _, h := range heads {
		if n, ok := d.graph.lookup(d, h); ok {
			rows = append(rows, n)
		}
	}
	c := d.graph.clock(rows)
	maps.DeleteFunc(s.sent, func(h Hash, _ struct{}) bool {
		n, ok := d.graph.lookup(d, h)
		if !ok {
			return false
		}
		r := &d.graph.rows[n]
		return int(r.actor) < len(c) && r.seq <= c[r.actor]
	})
	if len(s.sent) == 0 {
		s.sent = nil
	}
}
