package store

import (
	"context"

	"inselnetz/crdt/log"
)

// A Span is how much some entries are.
type Span struct {
	Entries                    uint64
	Bytes                      int64 // as they travel
	Messages, Files, Documents int   // among them
}

// Add counts another one.
func (s *Span) Add(o Span) {
	s.Entries += o.Entries
	s.Bytes += o.Bytes
	s.Messages += o.Messages
	s.Files += o.Files
	s.Documents += o.Documents
}

// spanOver is what an entry's parts grow by when they are put together.
const spanOver = 8

// Span returns how much the entries of a log are that lie here in a range.
func (s *Store) Span(ctx context.Context, r log.Range) (out Span, err error) {
	s.mu.RLock()
	lg := s.logs[r.Log]
	s.mu.RUnlock()
	if lg == nil || r.To < r.From {
		return out, nil
	}
	err = s.read(ctx, func(c *conn) error {
		row, err := c.get(ctx, "SELECT count(*), coalesce(sum(length(header) + length(sig) + coalesce(length(payload), 0)), 0) FROM entries WHERE at BETWEEN ? AND ?",
			atOf(lg.id, r.From), atOf(lg.id, r.To))
		if err != nil {
			return err
		}
		l, err := lookInto(ctx, c, gap{local: lg.id, from: r.From, to: r.To})
		out = Span{Entries: row.uint(0), Messages: l.Messages, Files: l.Files, Documents: l.Documents}
		out.Bytes = int64(row.uint(1) + spanOver*out.Entries)
		return err
	})
	return out, err
}
