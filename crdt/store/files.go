package store

import (
	"context"
	"maps"

	"inselnetz/crdt/log"
)

// listed are the kinds whose entries the store lists and others fold, each with
// its table.
var listed = map[log.Kind]string{log.KindFile: "files", log.KindDocument: "documents"}

// Files hands out the entries of kind log.KindFile in a space that count, log by
// log, beyond the numbers in after. It returns up to where each log counts, for
// the next call; a log may count less far than before. Erased entries are left
// out.
func (s *Store) Files(ctx context.Context, space log.SpaceID, after map[log.LogID]uint64, each func(log.Card, *log.Entry) error) (map[log.LogID]uint64, error) {
	return s.list(ctx, log.KindFile, space, after, each)
}

// Documents is Files for the entries of kind log.KindDocument.
func (s *Store) Documents(ctx context.Context, space log.SpaceID, after map[log.LogID]uint64, each func(log.Card, *log.Entry) error) (map[log.LogID]uint64, error) {
	return s.list(ctx, log.KindDocument, space, after, each)
}

func (s *Store) list(ctx context.Context, kind log.Kind, space log.SpaceID, after map[log.LogID]uint64, each func(log.Card, *log.Entry) error) (map[log.LogID]uint64, error) {
	upto := maps.Clone(after)
	if upto == nil {
		upto = map[log.LogID]uint64{}
	}
	err := s.read(ctx, func(c *conn) error {
		for _, lg := range s.logsOf(space) {
			to := lg.ready
			if lg.cut {
				to = min(to, lg.upto)
			}
			upto[lg.lid] = to
			if to <= after[lg.lid] {
				continue
			}
			err := c.query(ctx, "SELECT e.header, e.sig, e.payload, e.at FROM "+listed[kind]+" f JOIN entries e ON e.at=f.at WHERE f.at BETWEEN ? AND ? ORDER BY f.at",
				[]any{atOf(lg.id, after[lg.lid]+1), atOf(lg.id, to)}, func(r row) error {
					e, err := parseEntry(r.int(3), r, 0)
					if err != nil || e.Payload == nil {
						return err
					}
					return each(lg.card, e)
				})
			if err != nil {
				return err
			}
		}
		return nil
	})
	return upto, err
}

// FilesUpto returns up to where each log of a space counts, as Files and Documents
// do.
func (s *Store) FilesUpto(space log.SpaceID) map[log.LogID]uint64 {
	out := map[log.LogID]uint64{}
	for _, lg := range s.logsOf(space) {
		out[lg.lid] = lg.ready
		if lg.cut {
			out[lg.lid] = min(lg.ready, lg.upto)
		}
	}
	return out
}
