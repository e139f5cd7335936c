package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"inselnetz/crdt/chat"
	"inselnetz/crdt/log"
)

// A logState is what is known of a log without looking on disk. It is never
// changed once others can see it, but replaced.
type logState struct {
	id    int64 // local number
	lid   log.LogID
	card  log.Card
	last  log.Height
	clock log.HLC // of the last entry
	ready uint64  // entries up to here have a stamp
	stamp uint64  // of entry ready
	rose  uint64  // writer's tick when ready last rose
	own   uint64  // writer's tick when this device last appended
	wait  log.Dep // what entry ready+1 waits for; zero if nothing is known

	cut   bool       // it has a limit
	limit log.Height // as named; the entry may not be held
	upto  uint64     // entries up to here count; with cut
	shown uint64     // entries after upto up to here may still be shown; with cut
}

// A writer is used by whoever holds Store.turn.
type writer struct {
	c        *conn
	full     bool // commits wait for the disk
	reader   Reader
	tick     uint64
	nextLog  int64
	nextChan int64
	rebuilt  bool                                 // opening threw the views of another version away
	tail     spot                                 // of the last message; zero if there is none or it is not known
	tailOK   bool                                 // tail is known
	orphans  int                                  // operations whose message is not here
	stamps   [2]map[int64]uint64                  // of entries stamped lately: young and old
	waiters  map[log.LogID]map[log.LogID]struct{} // log waited for → logs waiting
	runnable map[log.LogID]struct{}               // logs that may be able to go on
	erased   map[int64]struct{}                   // entries known to have no payload, by at
	dropped  map[log.LogID]struct{}               // logs of spaces that were dropped
	given    map[log.LogID]int                    // how often a log gave way to another branch
}

// maxStep is how many entries one transaction takes, so that an own entry never
// waits long for its turn.
const maxStep = 1024

// A tx is one transaction. What it changes in memory others see when it is
// committed, and never if it fails.
type tx struct {
	s        *Store
	w        *writer
	c        *conn
	logs     map[log.LogID]*logState              // changed ones
	byID     map[int64]*logState                  // new ones
	chans    map[chanKey]*chanState               // changed ones
	waits    map[log.LogID]map[log.LogID]struct{} // as writer.waiters, new ones
	moved    []log.LogID                          // logs that went on
	runnable []log.LogID                          // logs that may be able to go on, for the next transaction
	woken    []log.LogID                          // logs that may be able to go on now
	gone     map[log.LogID]struct{}               // logs removed
	retrying bool                                 // messages may be there already
	stamped  []stamped
	posts    []post
	acts     []act
	budget   int
	tick     uint64
	nextLog  int64
	nextCh   int64
	orphans  int
	tail     spot
	tailOK   bool
	unkept   []log.SpaceID // their documents are kept no more
	applied  Applied
}

type stamped struct {
	at    int64
	stamp uint64
}

// step calls the test's hook.
func (s *Store) step(point string) {
	if s.opts.hook != nil {
		s.opts.hook(point)
	}
}

// write runs do in a transaction. With full it returns when the disk has it.
// The caller holds turn.
func (s *Store) write(full bool, do func(*tx) error) (applied Applied, err error) {
	if s.closed {
		return Applied{}, ErrClosed
	}
	w := s.w
	full = full && !s.opts.Unsafe
	if w.full != full {
		level := "PRAGMA synchronous=NORMAL"
		if full {
			level = "PRAGMA synchronous=FULL"
		}
		if err := w.c.script(level); err != nil {
			return Applied{}, s.note(err)
		}
		w.full = full
	}
	s.step("begin")
	if err := w.c.exec("BEGIN IMMEDIATE"); err != nil {
		return Applied{}, s.note(err)
	}
	t := &tx{s: s, w: w, c: w.c, logs: map[log.LogID]*logState{}, byID: map[int64]*logState{}, chans: map[chanKey]*chanState{},
		waits: map[log.LogID]map[log.LogID]struct{}{}, budget: maxStep, tick: w.tick, nextLog: w.nextLog, nextCh: w.nextChan,
		orphans: w.orphans, tail: w.tail, tailOK: w.tailOK}
	err = do(t)
	if err == nil {
		err = t.finish()
	}
	if err == nil {
		t.announce()
		s.step("commit")
		err = w.c.exec("COMMIT")
	}
	if err != nil {
		t.retract()
		w.c.exec("ROLLBACK") // fails when SQLite already did it
		return Applied{}, s.note(err)
	}
	s.step("committed")
	t.install()
	return t.applied, nil
}

// log returns a log's state as this transaction sees it, or nil.
func (t *tx) log(id log.LogID) *logState {
	if _, ok := t.gone[id]; ok {
		return nil
	}
	if lg := t.logs[id]; lg != nil {
		return lg
	}
	return t.s.logs[id] // only the writer changes the map
}

// edit returns a log's state to be changed.
func (t *tx) edit(id log.LogID) *logState {
	if lg := t.logs[id]; lg != nil {
		return lg
	}
	lg := *t.s.logs[id]
	t.logs[id] = &lg
	return &lg
}

// local returns the log with a local number, or nil.
func (t *tx) local(id int64) *logState {
	if lg := t.byID[id]; lg != nil {
		return lg
	}
	return t.s.byID[id]
}

// enter makes a log known.
func (t *tx) enter(card log.Card) (*logState, error) {
	id := card.ID()
	if t.log(id) != nil {
		return t.edit(id), nil
	}
	if err := card.Device.Check(); err != nil {
		return nil, err
	}
	lg := &logState{id: t.nextLog, lid: id, card: card}
	t.nextLog++
	t.logs[id], t.byID[lg.id] = lg, lg
	if err := t.c.exec("INSERT INTO logs(id, card, last, ready, stamp) VALUES(?, ?, 0, 0, 0)", lg.id, encodeCard(card)); err != nil {
		return nil, err
	}
	if t.w.reader != nil && card.Space != log.Control {
		if at, cut := t.w.reader.Limit(card); cut {
			return lg, t.setLimit(lg, at, true)
		}
	}
	return lg, nil
}

// add stores the next entry of a log, and shows it when it is ready.
func (t *tx) add(lg *logState, e *log.Entry) error {
	if e.Seq >= 1<<seqBits {
		return fmt.Errorf("%w: sequence number out of range", log.ErrChain)
	}
	inOrder := lg.ready == lg.last.Seq
	lg.last, lg.clock = log.Height{Seq: e.Seq, Hash: e.Hash()}, e.HLC
	if lg.pending() && lg.last == lg.limit {
		if err := t.reached(lg); err != nil {
			return err
		}
	}
	var stamp, card, payload any
	var st uint64
	ready := false
	if inOrder {
		var err error
		if st, ready, err = t.stamp(lg, e); err != nil {
			return err
		}
		if ready {
			stamp = int64(st)
		}
	}
	if e.Seq == 1 {
		card = encodeCard(lg.card)
	}
	if t.erasedEntry(lg, e) {
		e = e.Erased()
	}
	if e.Payload != nil {
		payload = e.Payload
	}
	err := t.c.exec("INSERT INTO entries(at, header, sig, payload, stamp, card) VALUES(?, ?, ?, ?, ?, ?)",
		atOf(lg.id, e.Seq), e.Raw, e.Sig[:], payload, stamp, card)
	if err != nil {
		return err
	}
	t.applied.Entries++
	t.applied.Control = t.applied.Control || e.Kind == log.KindControl
	t.applied.Document = t.applied.Document || e.Kind == log.KindDocument
	if ready {
		return t.became(lg, e, st)
	}
	return nil
}

// erasedEntry reports whether an entry is to be kept without its payload.
func (t *tx) erasedEntry(lg *logState, e *log.Entry) bool {
	return t.w.reader != nil && lg.card.Space != log.Control && t.w.reader.Erased(lg.card, e.Seq, e.Hash())
}

// became takes note that an entry is ready.
func (t *tx) became(lg *logState, e *log.Entry, stamp uint64) error {
	t.tick++
	lg.ready, lg.stamp, lg.rose = e.Seq, stamp, t.tick
	t.stamped = append(t.stamped, stamped{atOf(lg.id, e.Seq), stamp})
	if n := len(t.moved); n == 0 || t.moved[n-1] != lg.lid {
		t.moved = append(t.moved, lg.lid)
	}
	return t.look(lg, e, stamp)
}

// finish writes what the transaction has gathered.
func (t *tx) finish() error {
	t.s.step("advance")
	if err := t.advance(); err != nil {
		return err
	}
	t.s.step("views")
	if err := t.show(); err != nil {
		return err
	}
	t.s.step("heads")
	for _, lg := range t.logs {
		if err := t.c.exec("UPDATE logs SET last=?, ready=?, stamp=? WHERE id=?", lg.last.Seq, lg.ready, lg.stamp, lg.id); err != nil {
			return err
		}
	}
	if t.s.held.much() {
		return t.keepHeld()
	}
	return nil
}

// announce makes the numbers of new logs and channels known: whoever begins to
// read when the commit is through meets them before install.
func (t *tx) announce() {
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	for id, lg := range t.byID {
		t.s.byID[id] = lg
	}
	for k, ch := range t.chans {
		if t.s.chans[k] == nil {
			t.s.chanByID[ch.id] = ch
		}
	}
}

// retract takes announce back when the commit failed.
func (t *tx) retract() {
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	for id := range t.byID {
		delete(t.s.byID, id)
	}
	for k, ch := range t.chans {
		if t.s.chans[k] == nil {
			delete(t.s.chanByID, ch.id)
		}
	}
}

// install makes the committed changes seen.
func (t *tx) install() {
	w, s := t.w, t.s
	w.tick, w.nextLog, w.nextChan, w.orphans, w.tail, w.tailOK = t.tick, t.nextLog, t.nextCh, t.orphans, t.tail, t.tailOK
	clear(w.runnable)
	for _, id := range t.runnable {
		w.runnable[id] = struct{}{}
	}
	for _, st := range t.stamped {
		if len(w.stamps[0]) >= 32<<10 {
			w.stamps[1], w.stamps[0] = w.stamps[0], map[int64]uint64{}
		}
		w.stamps[0][st.at] = st.stamp
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for id := range t.gone { // byID keeps them for those who are reading
		delete(s.logs, id)
		delete(w.runnable, id)
	}
	for id, lg := range t.logs {
		if _, ok := t.gone[id]; ok {
			continue
		}
		if old := s.logs[id]; old != nil && old.wait.Seq > 0 {
			delete(w.waiters[old.wait.Log], id)
		}
		if lg.wait.Seq > 0 {
			w.awaits(lg)
		}
		if s.logs[id] == nil {
			s.held.came(id)
		}
		s.logs[id], s.byID[lg.id] = lg, lg
	}
	for k, ch := range t.chans {
		if old := s.chans[k]; old != nil {
			ch.gen = old.gen + 1
		}
		s.chans[k], s.chanByID[ch.id] = ch, ch
	}
	for _, space := range t.unkept {
		s.turns[space]++
	}
}

func (w *writer) awaits(lg *logState) {
	if w.waiters[lg.wait.Log] == nil {
		w.waiters[lg.wait.Log] = map[log.LogID]struct{}{}
	}
	w.waiters[lg.wait.Log][lg.lid] = struct{}{}
}

// rest finishes what a transaction left over. The caller does not hold turn.
func (s *Store) rest(ctx context.Context, sum *Applied) error {
	for ctx.Err() == nil {
		more, err := func() (bool, error) {
			s.turn.Lock()
			defer s.turn.Unlock()
			if len(s.w.runnable) == 0 {
				return false, nil
			}
			a, err := s.write(false, func(*tx) error { return nil })
			sum.join(a)
			return err == nil, err
		}()
		if !more {
			return err
		}
	}
	return ctx.Err()
}

// maxNew is how many new messages an Applied names.
const maxNew = 64

func (a *Applied) join(b Applied) {
	a.Entries += b.Entries
	a.erased += b.erased
	a.reopen = a.reopen || b.reopen
	a.fell = append(a.fell, b.fell...)
	for _, k := range b.touched {
		if !slices.Contains(a.touched, k) {
			a.touched = append(a.touched, k)
		}
	}
	a.Control = a.Control || b.Control
	a.Document = a.Document || b.Document
	for _, c := range b.Channels {
		if !slices.Contains(a.Channels, c) {
			a.Channels = append(a.Channels, c)
		}
	}
	a.Messages = append(a.Messages, b.Messages[:min(len(b.Messages), maxNew-min(maxNew, len(a.Messages)))]...)
}

// Append adds an own entry: build gets what it has to follow and returns it.
// When Append returns, the entry and what it changed are safe on disk. A nonce
// that is not empty makes the same call twice do it once. build must not write
// to the store itself.
func (s *Store) Append(ctx context.Context, card log.Card, nonce string, build func(Next) (*log.Entry, error)) (Applied, error) {
	if err := ctx.Err(); err != nil {
		return Applied{}, err
	}
	id := card.ID()
	a, err := func() (Applied, error) {
		s.turn.Lock()
		defer s.turn.Unlock()
		if s.closed {
			return Applied{}, ErrClosed
		}
		if nonce != "" {
			if again, ok, err := s.posted(id, nonce); ok || err != nil {
				return again, s.note(err)
			}
		}
		e, err := build(s.next(card))
		if err != nil {
			return Applied{}, err
		}
		return s.write(true, func(t *tx) error { return t.own(card, nonce, e) })
	}()
	if err != nil {
		return Applied{}, err
	}
	if a.Again {
		return a, nil
	}
	// The entry is safe already; what follows from it may be shown later.
	if err := s.rest(ctx, &a); err != nil {
		s.log.Warn("showing entries that waited for an own one", "err", err)
	}
	return a, nil
}

// own stores a new own entry.
func (t *tx) own(card log.Card, nonce string, e *log.Entry) error {
	if _, ok := t.w.dropped[card.ID()]; ok {
		return ErrDropped
	}
	lg, err := t.enter(card)
	if err != nil {
		return err
	}
	if e.Log != lg.lid {
		return fmt.Errorf("%w: entry of another log", log.ErrChain)
	}
	if err := e.Extends(lg.last); err != nil {
		return err
	}
	if err := e.Verify(card.Device); err != nil {
		return err
	}
	t.s.step("entry")
	if err := t.add(lg, e); err != nil {
		return err
	}
	lg.own = t.tick
	t.applied.Height, t.applied.Seq, t.applied.Own = lg.last, e.Seq, e
	if nonce == "" {
		return nil
	}
	var ns []byte // of the messages
	for _, p := range t.posts {
		if p.at == atOf(lg.id, e.Seq) {
			ns = append(ns, byte(p.meta.N))
		}
	}
	t.s.step("nonce")
	if err := t.c.exec("INSERT INTO posted(nonce, at, posts) VALUES(?, ?, ?)", nonce, atOf(lg.id, e.Seq), ns); err != nil {
		return err
	}
	return t.c.exec("DELETE FROM posted WHERE id <= (SELECT max(id) FROM posted) - 10000")
}

// posted looks a nonce up.
func (s *Store) posted(id log.LogID, nonce string) (Applied, bool, error) {
	r, err := s.w.c.get(context.Background(), "SELECT at, posts FROM posted WHERE nonce=?", nonce)
	if errors.Is(err, ErrNotFound) {
		return Applied{}, false, nil
	}
	if err != nil {
		return Applied{}, false, err
	}
	local, seq := splitAt(r.int(0))
	a := Applied{Again: true, Seq: seq}
	if lg := s.byID[local]; lg != nil {
		a.Height = lg.last
		for _, n := range r.bytes(1) {
			a.Messages = append(a.Messages, chat.MsgID{Log: lg.lid, Seq: seq, N: uint32(n)})
		}
	}
	return a, true, nil
}

// next says what a log's next entry has to follow.
func (s *Store) next(card log.Card) Next {
	var n Next
	var since uint64
	if lg := s.logs[card.ID()]; lg != nil {
		n.Height, n.Last, since = lg.last, lg.clock, lg.own
	}
	var others []*logState
	for id, lg := range s.logs {
		if id == card.ID() || lg.card.Space != card.Space {
			continue
		}
		if !lg.beyond(lg.last.Seq) { // else its clock does not count
			n.Seen = max(n.Seen, lg.clock)
		}
		if lg.known() > 0 && lg.rose > since {
			others = append(others, lg)
		}
	}
	slices.SortFunc(others, func(a, b *logState) int { return cmp.Compare(b.rose, a.rose) })
	for _, lg := range others[:min(len(others), log.MaxRefs)] {
		n.Deps = append(n.Deps, log.Dep{Log: lg.lid, Seq: lg.known()})
	}
	slices.SortFunc(n.Deps, func(a, b log.Dep) int { return slices.Compare(a.Log[:], b.Log[:]) })
	return n
}
