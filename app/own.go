package app

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"

	"inselnetz/crdt/access"
	"inselnetz/crdt/log"
	"inselnetz/crdt/store"
)

// own is what this device writes: the log it continues in each space, and the
// guard that says whether it may.
type own struct {
	mu    sync.Mutex // one own entry at a time
	logs  map[log.SpaceID]log.Card
	guard *guardFile
}

const (
	metaWhere = "where"    // where the data directory lay at the last start
	metaLogs  = "own-logs" // the cards of the logs this device continues
)

// openOwn decides whether this device continues its logs or begins new ones.
func (w *Workspace) openOwn(lost bool) error {
	now, err := whereIs(w.dir)
	if err != nil {
		return err
	}
	var before where
	if err := w.getJSON(metaWhere, &before); err != nil {
		return err
	}
	var cards []log.Card
	if err := w.getJSON(metaLogs, &cards); err != nil {
		return err
	}
	w.own.logs = map[log.SpaceID]log.Card{}
	for _, c := range cards {
		w.own.logs[c.Space] = c
	}
	outside, found := mark{}, false
	if w.opts.State != "" {
		w.own.guard, outside, found, err = openGuard(w.opts.State, w.self, now.Place)
		if err != nil {
			w.log.Warn("no count outside the data directory, beginning new logs", "err", err)
		}
	}
	why := judge(before, now, w.ownMark(), outside, found)
	if lost && why == certain {
		why = crashed
	}
	if why != certain {
		w.log.Info("beginning new logs", "why", why.String())
		if err := w.beginAnew(); err != nil {
			return err
		}
	}
	if len(cards) > 0 && (why == moved || why == restored) {
		w.note("copy")
	}
	if err := w.putJSON(metaWhere, now); err != nil {
		return err
	}
	return w.own.guard.set(w.ownMark())
}

// beginAnew makes the next own entry of each space the first of a new log.
func (w *Workspace) beginAnew() error {
	w.own.logs = map[log.SpaceID]log.Card{}
	return w.putJSON(metaLogs, []log.Card{})
}

// surpassed is called when another device holds more of a log of this device
// than this device does, so that the data here is an old copy.
func (w *Workspace) surpassed(id log.LogID) {
	w.own.mu.Lock()
	defer w.own.mu.Unlock()
	for _, c := range w.own.logs {
		if c.ID() != id {
			continue
		}
		w.log.Warn("another device holds more of this device's log, beginning new logs")
		if err := w.beginAnew(); err != nil {
			w.log.Warn("begin new logs", "err", err)
			return
		}
		_ = w.own.guard.set(w.ownMark()) // advisory
		w.note("copy")
		return
	}
}

// ownMark sums up the logs this device continues, as they are on disk.
func (w *Workspace) ownMark() mark {
	at := log.Heights{}
	var m mark
	for space, c := range w.own.logs {
		h, ok := w.store.Heights(space)[c.ID()]
		if ok {
			at[c.ID()] = h
			m.count += h.Seq
		}
	}
	m.digest = at.Digest()
	return m
}

// ownCard returns the log to continue in a space, a new one if need be. The
// caller holds own.mu. A new card is on disk before its first entry.
func (w *Workspace) ownCard(space log.SpaceID) (log.Card, error) {
	if c, ok := w.own.logs[space]; ok {
		// A log that someone ended counts no further: it is not continued.
		if _, ended := w.snapshot().Limit(c); !ended {
			return c, nil
		}
	}
	c := log.Card{Workspace: w.ws, Space: space, Device: w.self}
	_, _ = rand.Read(c.Incarnation[:]) // never fails since Go 1.24
	return c, w.takeUp(c)
}

// takeUp notes a log as the one to continue in its space.
func (w *Workspace) takeUp(c log.Card) error {
	cards := []log.Card{c}
	for _, other := range w.own.logs {
		if other.Space != c.Space {
			cards = append(cards, other)
		}
	}
	if err := w.putJSON(metaLogs, cards); err != nil {
		return err
	}
	w.own.logs[c.Space] = c
	return nil
}

// giveUp ends the log that this device continues in a space. The caller holds
// own.mu.
func (w *Workspace) giveUp(space log.SpaceID) error {
	delete(w.own.logs, space)
	cards := []log.Card{}
	for _, c := range w.own.logs {
		cards = append(cards, c)
	}
	slices.SortFunc(cards, func(a, b log.Card) int { return slices.Compare(a.Space[:], b.Space[:]) })
	if err := w.putJSON(metaLogs, cards); err != nil {
		return err
	}
	_ = w.own.guard.set(w.ownMark()) // advisory
	return nil
}

// append writes an own entry. When it returns, the entry is safe on disk; only
// then it leaves this device.
func (w *Workspace) append(ctx context.Context, space log.SpaceID, kind log.Kind, plain []byte, nonce string) (store.Applied, error) {
	return w.appendTo(ctx, log.LogID{}, space, kind, plain, nonce)
}

// errOtherLog is the answer of appendTo when this device has begun a new log.
var errOtherLog = errors.New("own entries go to another log now")

// appendTo is append to a certain log, if to is set.
func (w *Workspace) appendTo(ctx context.Context, to log.LogID, space log.SpaceID, kind log.Kind, plain []byte, nonce string) (store.Applied, error) {
	st := w.snapshot()
	if st == nil {
		return store.Applied{}, problem("not-member")
	}
	if st.Stopped {
		return store.Applied{}, problem("update-needed")
	}
	if kind != log.KindControl && st.Stale(space) {
		// Somebody who must not read on holds the key: a new one comes first.
		if err := w.rotate(ctx, space); err != nil {
			return store.Applied{}, err
		}
		st = w.snapshot()
	}
	key, err := w.writeKey(st, space, kind)
	if err != nil {
		return store.Applied{}, err
	}
	w.own.mu.Lock()
	defer w.own.mu.Unlock()
	card, err := w.ownCard(space)
	if err != nil {
		return store.Applied{}, storeProblem(err, w.dir)
	}
	if to != (log.LogID{}) && card.ID() != to {
		return store.Applied{}, errOtherLog
	}
	var made *log.Entry
	applied, err := w.store.Append(ctx, card, nonce, func(n store.Next) (*log.Entry, error) {
		h := log.Header{
			Log: card.ID(), Seq: n.Height.Seq + 1, Prev: n.Height.Hash, Kind: kind, Ctl: st.Heads(), Deps: n.Deps,
			HLC: log.Tick(w.opts.Now().UnixMilli(), n.Last, n.Seen),
		}
		payload := plain
		if key != nil {
			h.Key = &key.ID
			var err error
			if payload, err = log.Seal(rand.Reader, key.Key, w.ws, &h, plain); err != nil {
				return nil, err
			}
		}
		var err error
		made, err = log.New(w.id.key(), h, payload)
		return made, err
	})
	if err != nil {
		if errors.Is(err, store.ErrFull) {
			w.note("disk-full")
		}
		return applied, storeProblem(err, w.dir)
	}
	w.unnote("disk-full")
	if made == nil || applied.Again {
		return applied, nil
	}
	if err := w.own.guard.set(w.ownMark()); err != nil {
		w.log.Warn("count outside the data directory", "err", err)
	}
	w.mu.RLock()
	m := w.mesh
	w.mu.RUnlock()
	if m != nil {
		m.Push(card, made.Bytes())
	}
	return applied, w.follow(ctx, space, applied)
}

// writeKey returns the key new entries of a space are sealed with, nil for the
// control space.
func (w *Workspace) writeKey(st *access.State, space log.SpaceID, kind log.Kind) (*access.SpaceKey, error) {
	if kind == log.KindControl {
		return nil, nil
	}
	_, id, ok := st.Current(space)
	if !ok {
		return nil, problem("no-key")
	}
	key, ok := w.keyring()[id]
	if !ok {
		return nil, problem("no-key")
	}
	return &key, nil
}

// follow does what new entries ask for: the control space is read again, pages
// hear of channels.
func (w *Workspace) follow(ctx context.Context, space log.SpaceID, a store.Applied) error {
	if a.Control {
		if err := w.readControl(ctx); err != nil {
			return err
		}
	}
	for _, c := range a.Channels {
		w.changed("channel", w.ChannelText(ChannelRef{space, c}))
	}
	if len(a.Channels) > 0 {
		w.changed("channels", "")
	}
	if s := w.folderOf(space); s != nil {
		s.look()
	}
	if a.Document {
		w.changed("documents", space.String())
		for ref := range w.editors.of(space) {
			w.toldPage(ref)
		}
	}
	return nil
}

// ownLog is the log that own entries of a space go to.
func (w *Workspace) ownLog(space log.SpaceID) (log.LogID, error) {
	w.own.mu.Lock()
	defer w.own.mu.Unlock()
	card, err := w.ownCard(space)
	if err != nil {
		return log.LogID{}, storeProblem(err, w.dir)
	}
	return card.ID(), nil
}

// control appends control entries in their order.
func (w *Workspace) control(ctx context.Context, payloads ...[]byte) error {
	for _, p := range payloads {
		if _, err := w.append(ctx, log.Control, log.KindControl, p, ""); err != nil {
			return err
		}
	}
	return nil
}

// rotate gives a space a new key.
func (w *Workspace) rotate(ctx context.Context, space log.SpaceID) error {
	payloads, err := w.snapshot().Rotate(w.self, w.keyring(), rand.Reader, space)
	if err != nil {
		return accessProblem(err)
	}
	return w.control(ctx, payloads...)
}

func (w *Workspace) getJSON(key string, v any) error {
	raw, err := w.store.Get(key)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := json.Unmarshal(raw, v); err != nil {
		return fmt.Errorf("read %s: %w", key, err)
	}
	return nil
}

func (w *Workspace) putJSON(key string, v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return w.store.Put(key, raw)
}
