package app

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"inselnetz/crdt/automerge"
	"inselnetz/crdt/document"
	"inselnetz/crdt/log"
	"inselnetz/crdt/store"
)

// Documents are kept as they were folded, so that the next start reads only the
// entries that came since. The store drops what it keeps when it may hold what counts
// no more; what this device may not believe any more is passed over here.
const (
	keepEvery = 5 * time.Minute
	keepFrom  = 100     // entries that came since; fewer are read again in no time
	keepStep  = 1 << 20 // bytes in one transaction, about
)

// A keptHead is what is kept of a document beside its Automerge file: its length as a
// uvarint, then itself in JSON, then the file.
type keptHead struct {
	Version int
	Changed log.HLC
	By      log.DeviceID
	Actors  []automerge.ActorID // who wrote
	Devices []log.DeviceID      // on which device
}

const keptVersion = 1

var errKept = errors.New("what is kept of a document makes no sense")

// encode is the document as it is kept.
func (p *paper) encode() ([]byte, error) {
	h := keptHead{Version: keptVersion, Changed: p.changed, By: p.by, Actors: slices.Sorted(maps.Keys(p.devices))}
	for _, a := range h.Actors {
		h.Devices = append(h.Devices, p.devices[a])
	}
	head, err := json.Marshal(jsonHead(h))
	if err != nil {
		return nil, err
	}
	b := binary.AppendUvarint(nil, uint64(len(head)))
	return append(append(b, head...), p.doc.Save()...), nil
}

// decodePaper reads what encode wrote.
func decodePaper(b []byte) (*paper, error) {
	size, n := binary.Uvarint(b)
	if n <= 0 || size > uint64(len(b)-n) {
		return nil, errKept
	}
	head, file := b[n:n+int(size)], b[n+int(size):]
	var j keptJSON
	if err := json.Unmarshal(head, &j); err != nil {
		return nil, fmt.Errorf("%w: %w", errKept, err)
	}
	h, ok := j.head()
	if !ok {
		return nil, errKept
	}
	p := newPaper()
	p.changed, p.by = h.Changed, h.By
	for i, a := range h.Actors {
		p.devices[a] = h.Devices[i]
	}
	o := docOptions
	o.Unverified = true // the store's sum says that it is what was kept
	d, err := automerge.Load(file, o)
	if err != nil { // nothing but changes that wait for others
		if err = p.doc.LoadIncremental(file); err != nil || len(p.doc.Heads()) > 0 {
			return nil, fmt.Errorf("%w: %w", errKept, err)
		}
		return p, nil
	}
	p.doc = d
	return p, nil
}

// keptJSON is a keptHead as JSON takes it: ids are bytes.
type keptJSON struct {
	Version int
	Changed uint64
	By      []byte
	Actors  [][]byte
	Devices [][]byte
}

func jsonHead(h keptHead) keptJSON {
	j := keptJSON{Version: h.Version, Changed: uint64(h.Changed), By: h.By[:]}
	for i, a := range h.Actors {
		j.Actors = append(j.Actors, []byte(a))
		j.Devices = append(j.Devices, h.Devices[i][:])
	}
	return j
}

func (j *keptJSON) head() (h keptHead, ok bool) {
	h = keptHead{Version: j.Version, Changed: log.HLC(j.Changed)}
	if j.Version != keptVersion || len(j.By) != len(h.By) || len(j.Actors) != len(j.Devices) {
		return h, false
	}
	copy(h.By[:], j.By)
	for i, a := range j.Actors {
		if len(j.Devices[i]) != len(h.By) {
			return h, false
		}
		h.Actors = append(h.Actors, automerge.ActorID(a))
		h.Devices = append(h.Devices, log.DeviceID(j.Devices[i]))
	}
	return h, true
}

// fromKept begins the shelf with what is kept, if that counts: of logs that do now,
// as far as they do. It tells from where on entries are to be read, nil for the start.
func (s *shelf) fromKept(ctx context.Context, writes map[log.LogID]bool) map[log.LogID]uint64 {
	kept, err := s.w.store.KeptDocuments(ctx, s.space)
	if err != nil || kept.Upto == nil {
		return nil // reading the entries tells what is wrong
	}
	docs := map[document.ID]*paper{}
	for _, k := range append(kept.Documents, store.KeptDocument{Upto: kept.Upto}) {
		for id := range k.Upto {
			if !writes[id] {
				return nil
			}
		}
		if k.Body == nil {
			continue
		}
		p, err := decodePaper(k.Body)
		if err != nil {
			s.w.log.Warn("documents are read anew", "document", document.ID(k.ID), "err", err)
			return nil
		}
		p.last, p.kept = k.Upto, true
		docs[k.ID] = p
	}
	s.docs = docs
	return kept.Upto
}

// keep keeps the documents that changed since they were kept, if that many entries
// came. The shelf is unlocked while the store writes.
func (s *shelf) keep(ctx context.Context, from int) error {
	var upto map[log.LogID]uint64 // that all documents hold when the last is kept
	turn := 0
	for {
		s.mu.Lock()
		some, more, err := s.some(ctx, from, &upto, &turn)
		s.mu.Unlock()
		if err != nil || upto == nil {
			return err
		}
		all := upto
		if more {
			all = nil
		}
		if err := s.w.store.KeepDocuments(s.space, turn, all, some); err != nil {
			s.mu.Lock()
			s.upto, s.aside = nil, true // which are kept is not known any more
			s.mu.Unlock()
			return err
		}
		if !more {
			return nil
		}
	}
}

// some are documents to be kept next; more tells that there are others. The first
// time it sets upto, which stays nil if there is nothing to do. The caller holds mu.
func (s *shelf) some(ctx context.Context, from int, upto *map[log.LogID]uint64, turn *int) (out []store.KeptDocument, more bool, err error) {
	if *upto == nil && (s.upto == nil || s.aside || s.fresh < from) {
		return nil, false, nil
	}
	if err := s.load(ctx); err != nil || s.aside {
		*upto = nil
		return nil, false, err
	}
	switch {
	case *upto == nil:
		*upto, *turn, s.fresh = map[log.LogID]uint64{}, s.turn, 0
		for id, seq := range s.upto {
			if s.writes[id] { // what others say was passed over
				(*upto)[id] = seq
			}
		}
	case *turn != s.turn:
		*upto = nil // what was kept is gone
		return nil, false, nil
	}
	size := 0
	for id, p := range s.docs {
		if p.kept {
			continue
		}
		if size >= keepStep {
			return out, true, nil
		}
		body, err := p.encode()
		if err != nil {
			return nil, false, err
		}
		p.kept = true
		size += len(body)
		out = append(out, store.KeptDocument{ID: id, Upto: maps.Clone(p.last), Body: body})
	}
	return out, false, nil
}

// keepPapers reads the documents of all spaces when the program starts, so that the
// first who asks does not wait, and keeps them now and then and at the end.
func (w *Workspace) keepPapers(ctx context.Context) error {
	if err := w.readPapers(ctx); err != nil {
		return err
	}
	tick := time.NewTicker(keepEvery)
	defer tick.Stop()
	for {
		w.keepNow(ctx, keepFrom)
		select {
		case <-tick.C:
		case <-ctx.Done():
			w.keepNow(context.WithoutCancel(ctx), keepFrom)
			return nil
		}
	}
}

// keepNow keeps the documents of all spaces; see shelf.keep.
func (w *Workspace) keepNow(ctx context.Context, from int) {
	w.papers.mu.Lock()
	shelfs := slices.Collect(maps.Values(w.papers.shelfs))
	w.papers.mu.Unlock()
	for _, s := range shelfs {
		if err := s.keep(ctx, from); err != nil && ctx.Err() == nil {
			w.log.Debug("documents were not kept", "space", s.space, "err", err)
		}
	}
}
