package store

import (
	"context"

	"inselnetz/crdt/log"
)

// A Lag is what another device has not said to hold of what is here, and the other
// way round.
type Lag struct {
	Entries uint64
	// Of the entries, where they are few enough to be looked at and lie here.
	Messages, Files, Documents int
	Since                      int64 // the oldest of the messages, ms since 1970; 0 if there is none

	Owed uint64 // entries of logs known here that the device said to hold and that are not here
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
	l.Owed += o.Owed
	l.Messages += o.Messages
	l.Files += o.Files
	l.Documents += o.Documents
}

// A gap is the end of a log that a device did not say to hold.
type gap struct {
	local    int64
	from, to uint64
}

// Lags returns for each of some devices what it has not said to hold of a space,
// as of when it was last connected.
func (s *Store) Lags(ctx context.Context, space log.SpaceID, devs []log.DeviceID) (map[log.DeviceID]Lag, error) {
	out := make(map[log.DeviceID]Lag, len(devs))
	gaps := map[log.DeviceID][]gap{}
	s.mu.RLock()
	s.held.mu.Lock()
	for id, lg := range s.logs {
		if lg.card.Space != space {
			continue
		}
		said, held := s.held.logs[id], lg.last.Seq
		for _, dev := range devs {
			theirs, l := said[dev], out[dev]
			switch {
			case dev == lg.card.Device && theirs <= held: // who wrote a log need not say so
			case theirs > held:
				l.Owed += theirs - held
			case theirs < held:
				l.Entries += held - theirs
				gaps[dev] = append(gaps[dev], gap{lg.id, theirs + 1, held})
			}
			out[dev] = l
		}
	}
	s.held.mu.Unlock()
	s.mu.RUnlock()
	if len(gaps) == 0 {
		return out, nil
	}
	looked := map[gap]Lag{} // most lack the same
	err := s.read(ctx, func(c *conn) error {
		for dev, list := range gaps {
			l := out[dev]
			if l.Entries > mostLooked {
				continue
			}
			for _, g := range list {
				part, ok := looked[g]
				if !ok {
					var err error
					if part, err = lookInto(ctx, c, g); err != nil {
						return err
					}
					looked[g] = part
				}
				l.Add(part)
			}
			out[dev] = l
		}
		return nil
	})
	return out, err
}

// lookInto counts what people call something among the entries of a gap.
func lookInto(ctx context.Context, c *conn, g gap) (l Lag, err error) {
	from, to := atOf(g.local, g.from), atOf(g.local, g.to)
	r, err := c.get(ctx, "SELECT count(*), min(clock) FROM messages WHERE at BETWEEN ? AND ? AND retracted=0", from, to)
	if err != nil {
		return l, err
	}
	if l.Messages = int(r.int(0)); l.Messages > 0 {
		l.Since = log.HLC(r.uint(1)).Millis()
	}
	for table, n := range map[string]*int{"files": &l.Files, "documents": &l.Documents} {
		r, err := c.get(ctx, "SELECT count(*) FROM "+table+" WHERE at BETWEEN ? AND ?", from, to)
		if err != nil {
			return l, err
		}
		*n = int(r.int(0))
	}
	return l, nil
}
