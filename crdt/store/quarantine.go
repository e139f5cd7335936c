package store

import (
	"context"

	"inselnetz/crdt/chat"
	"inselnetz/crdt/log"
)

// Quarantined returns what lies beyond the limits of logs.
func (s *Store) Quarantined(ctx context.Context) ([]Quarantine, error) { return nil, nil }

// Related returns the held entries with text of a message: its post and every
// edit of it by the same person, also those that lost or are in quarantine.
// Entries erased already are not among them.
func (s *Store) Related(ctx context.Context, id chat.MsgID) ([]Ref, error) { return nil, nil }

// Used returns what Use and Drop did since it was last asked.
func (s *Store) Used() Used { return Used{} }

// Drop removes all entries of a space from this device, so that nothing of them
// is left in its files. A log of it that was this device's own must not be
// continued: Append returns ErrDropped.
func (s *Store) Drop(ctx context.Context, space log.SpaceID) error { return nil }

// Wiped reports whether no bytes of what was erased or dropped are left in the
// files. Use and Drop see to it; where they could not (the disk is full), Wipe
// tries again.
func (s *Store) Wiped() bool { return true }

// Wipe frees the files of bytes of what was erased or dropped.
func (s *Store) Wipe(ctx context.Context) error { return nil }

// DamagedCopies lists the damaged databases that were moved aside. Erasing does
// not touch them, so they may hold text that was erased later.
func (s *Store) DamagedCopies() ([]string, error) { return nil, nil }

// AllChannels returns the channels of all spaces, space by space.
func (s *Store) AllChannels(ctx context.Context, me chat.PersonID) ([]ChannelRow, error) {
	var out []ChannelRow
	for _, space := range s.Spaces() {
		if space == log.Control {
			continue
		}
		rows, err := s.Channels(ctx, space, me)
		if err != nil {
			return nil, err
		}
		out = append(out, rows...)
	}
	return out, nil
}
