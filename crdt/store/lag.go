package store

import (
	"context"

	"inselnetz/crdt/log"
)

// A Lag is what one of two devices has of a space and the other has not, as far as
// they told each other.
type Lag struct {
	Entries uint64
	// Of the entries, where they are few enough to be looked at and lie here.
	Messages, Files, Documents int
	Since                      int64 // the oldest of the messages, ms since 1970; 0 if there is none
}

// mostLooked is how many missing entries are looked at: beyond that their number
// says enough.
const mostLooked = 2000

// Add counts what lacks in another space.
func (l *Lag) Add(o Lag) {
	if o.Since != 0 && (l.Since == 0 || o.Since < l.Since) {
		l.Since = o.Since
	}
	l.Entries += o.Entries
	l.Messages += o.Messages
	l.Files += o.Files
	l.Documents += o.Documents
}

// A gap is the end of a log that a device did not say to hold.
type gap struct {
	local    int64
	from, to uint64
}

// Lag returns what a device has not said to hold of a space, and how many entries
// of logs known here it said to hold that are not here. That is as of when it was
// last connected.
func (s *Store) Lag(ctx context.Context, dev log.DeviceID, space log.SpaceID) (lacks Lag, more uint64, err error) {
	s.mu.RLock()
	ends := map[log.LogID]gap{}
	for id, lg := range s.logs {
		// Who wrote a log need not say so.
		if lg.card.Space == space && lg.card.Device != dev {
			ends[id] = gap{local: lg.id, to: lg.last.Seq}
		}
	}
	s.mu.RUnlock()
	var gaps []gap
	s.held.mu.Lock()
	for id, g := range ends {
		switch theirs := s.held.logs[id][dev]; {
		case theirs > g.to:
			more += theirs - g.to
		case theirs < g.to:
			g.from = theirs + 1
			gaps = append(gaps, g)
			lacks.Entries += g.to - theirs
		}
	}
	s.held.mu.Unlock()
	if len(gaps) == 0 || lacks.Entries > mostLooked {
		return lacks, more, nil
	}
	err = s.read(ctx, func(c *conn) error {
		for _, g := range gaps {
			if err := lacks.look(ctx, c, g); err != nil {
				return err
			}
		}
		return nil
	})
	return lacks, more, err
}

// look counts what people call something among the entries of a gap.
func (l *Lag) look(ctx context.Context, c *conn, g gap) error {
	from, to := atOf(g.local, g.from), atOf(g.local, g.to)
	r, err := c.get(ctx, "SELECT count(*), min(clock) FROM messages WHERE at BETWEEN ? AND ? AND retracted=0", from, to)
	if err != nil {
		return err
	}
	part := Lag{Messages: int(r.int(0))}
	if part.Messages > 0 {
		part.Since = log.HLC(r.uint(1)).Millis()
	}
	for table, n := range map[string]*int{"files": &part.Files, "documents": &part.Documents} {
		r, err := c.get(ctx, "SELECT count(*) FROM "+table+" WHERE at BETWEEN ? AND ?", from, to)
		if err != nil {
			return err
		}
		*n = int(r.int(0))
	}
	l.Add(part)
	return nil
}
