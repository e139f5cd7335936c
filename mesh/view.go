package mesh

import (
	"bytes"
	"slices"
	"sync/atomic"
	"time"

	"inselnetz/crdt/log"
)

// Timing and sizes of sync.
const (
	haveDelay   = 50 * time.Millisecond  // heights that came on disk are told together
	pushGrace   = 150 * time.Millisecond // for a push on its way, before asking for what another has
	wantTime    = 10 * time.Second
	slowAnswer  = 500 * time.Millisecond
	askGap      = 2 * time.Second // between two full lists of one space
	digestEvery = 30 * time.Second
	digestMore  = 30 * time.Second // jitter on top
	digestSoon  = 3 * time.Second  // those due within this go together, as pings do
	retryFirst  = 100 * time.Millisecond
	retryLast   = time.Minute
	smallLag    = 16 // entries that pushes may well bring
	credit      = 1 << 20
	leastWant   = 16 << 10 // bytes; the first wants are no larger
	entryGuess  = 150      // bytes, to tell how many entries fill a want
	maxWants    = 8
)

// A view is what one peer holds of one space, as it said.
type view struct {
	theirs  log.Heights
	sent    map[log.LogID]uint64 // last entry pushed to it
	lacking map[log.LogID]*lack  // logs of which it has more, or other, than we
	asked   time.Time            // when its full list was asked for
	listed  bool                 // the full list, or an equal digest, came
}

// A lack is a log we may ask this peer for.
type lack struct {
	after  time.Time // not before
	fails  int
	behind bool // an import did not continue our log: ask from one entry earlier
	ctl    bool // waits for the control space
}

// A fetch is a log being brought here. There is at most one of a log, so that no
// two peers send the same.
type fetch struct {
	from    *session
	upTo    uint64 // last entry received
	asked   bool   // a want is on its way
	pending int    // received and not imported
	bulk    int    // of these, not live
	dead    atomic.Bool
}

// An ask is a want that is not answered yet.
type ask struct {
	id     uint64
	ranges []log.Range
	max    int
	at     time.Time
}

func newView() *view {
	return &view{theirs: log.Heights{}, sent: map[log.LogID]uint64{}, lacking: map[log.LogID]*lack{}}
}

// merge takes the higher of two heights of each log, and returns what changed.
func (v *view) merge(list []logHeight) log.Heights {
	changed := log.Heights{}
	for _, h := range list {
		if old, ok := v.theirs[h.Log]; !ok || h.Seq > old.Seq {
			at := log.Height{Seq: h.Seq, Hash: h.Hash}
			v.theirs[h.Log] = at
			changed[h.Log] = at
		}
	}
	return changed
}

// compare brings lacking up to date for one log. A log that is lacking anew may
// be asked for at once, or after grace.
func (v *view) compare(id log.LogID, held log.Height, after time.Time) {
	t := v.theirs[id]
	if t.Seq < held.Seq || t == held {
		delete(v.lacking, id)
		return
	}
	if v.lacking[id] == nil {
		v.lacking[id] = &lack{after: after, behind: t.Seq == held.Seq}
	}
}

// failed puts off the next try.
func (k *lack) failed(now time.Time) {
	k.fails++
	k.after = now.Add(min(retryFirst<<min(k.fails-1, 16), retryLast))
}

// behind counts the entries of ours that theirs lacks.
func (v *view) behind(ours log.Heights) (n uint64) {
	for id, at := range ours {
		if t := v.theirs[id].Seq; t < at.Seq {
			n += at.Seq - t
		}
	}
	return n
}

// knows returns the last entry the peer has or is being sent.
func (v *view) knows(id log.LogID) uint64 { return max(v.theirs[id].Seq, v.sent[id]) }

// A candidate is a log that could be asked for.
type candidate struct {
	log.Range
	space log.SpaceID
	lack  *lack
}

// candidates returns the logs a peer could be asked for now, the control space
// first, and when to look again if some must wait; zero if none must.
func (s *session) candidates(held func(log.SpaceID) log.Heights, fetching map[log.LogID]*fetch, now time.Time) (list []candidate, next time.Time) {
	for _, space := range s.spaces {
		v := s.views[space]
		if len(v.lacking) == 0 {
			continue
		}
		for id, k := range v.lacking {
			if k.after.After(now) {
				if next.IsZero() || k.after.Before(next) {
					next = k.after
				}
				continue
			}
			from := held(space)[id].Seq + 1
			if f := fetching[id]; f != nil {
				if f.from != s || f.asked || f.dead.Load() {
					continue
				}
				from = f.upTo + 1
			} else if k.behind && from > 1 {
				from--
			}
			if to := v.theirs[id].Seq; from <= to {
				list = append(list, candidate{log.Range{Log: id, From: from, To: to}, space, k})
			}
		}
		if space == log.Control && (len(list) > 0 || fetchingControl(v, fetching, s)) {
			break // what others say of it decides who may say anything else
		}
	}
	slices.SortFunc(list, func(a, b candidate) int { return bytes.Compare(a.Log[:], b.Log[:]) })
	return list, next
}

func fetchingControl(v *view, fetching map[log.LogID]*fetch, s *session) bool {
	for id := range v.lacking {
		if f := fetching[id]; f != nil && f.from == s {
			return true
		}
	}
	return false
}

// fill takes ranges until they are likely to fill a want of max bytes.
func fill(list []candidate, max int) []log.Range {
	var ranges []log.Range
	room := uint64(max/entryGuess) + 1
	for _, c := range list {
		if len(ranges) == maxRanges || room == 0 {
			break
		}
		r := c.Range
		r.To = min(r.To, r.From+room-1)
		room -= r.To - r.From + 1
		ranges = append(ranges, r)
	}
	return ranges
}

// resize fits the size of wants to the link, by how long an answer took beyond
// the round trip: what is live waits behind it, where queues are not ours.
func resize(size int, took time.Duration) int {
	switch {
	case took < 150*time.Millisecond:
		size *= 2
	case took > slowAnswer:
		size /= 2
	}
	return min(max(size, leastWant), log.MaxBatch)
}

// wants is how many may be unanswered at once: few on a slow link.
func wants(size int) int { return min(max(2, size/leastWant), maxWants) }
