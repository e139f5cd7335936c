package bep

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/syncthing/syncthing/lib/protocol"
)

const (
	batchFiles  = 500
	batchBlocks = 5000
	modesty     = 2 * time.Second // for which a device is let speak first
)

// A sender tells one device what a share shows.
type sender struct {
	*share
	dev  DeviceID
	conn protocol.Connection
}

// run announces everything and then what changes, until ctx ends. first is closed
// when the device began to tell what it has.
func (s *sender) run(ctx context.Context, first <-chan struct{}) error {
	select {
	case <-s.up:
	case <-ctx.Done():
		return ctx.Err()
	}
	// Conflicts are to be settled here, see since: so it should speak first.
	select {
	case <-first:
		pause(ctx, quiet)
	case <-time.After(modesty):
	case <-ctx.Done():
	}
	var prev int64
	var later []string // whose blocks could not be had
	at, whole := int64(0), true
	for ctx.Err() == nil {
		entries, upto, more := s.since(s.dev, at, batchFiles)
		if upto == at && !whole {
			select {
			case <-more:
				pause(ctx, 100*time.Millisecond) // several changes make one message
			case <-time.After(30 * time.Second):
				s.again(later)
				later = nil
			case <-ctx.Done():
			}
			continue
		}
		var files []protocol.FileInfo
		for i, blocks := 0, 0; i < len(entries); i++ {
			e := &entries[i]
			if blocks > batchBlocks {
				upto = entries[i-1].seq // the rest with the next message
				break
			}
			info, err := s.info(ctx, e)
			if err != nil {
				s.log.Debug("cannot announce a file yet", "err", err)
				later = append(later, e.file.Path)
				continue
			}
			files = append(files, info)
			blocks += len(info.Blocks)
		}
		at = upto
		if ctx.Err() != nil || len(files) == 0 && !whole {
			continue
		}
		if err := s.send(ctx, files, whole, prev, at); err != nil {
			return err
		}
		whole, prev = false, at
	}
	return ctx.Err()
}

// pause waits, at most until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

func (s *sender) send(ctx context.Context, files []protocol.FileInfo, first bool, prev, last int64) error {
	if first {
		return s.conn.Index(ctx, &protocol.Index{Folder: s.ID, Files: files, LastSequence: last})
	}
	return s.conn.IndexUpdate(ctx, &protocol.IndexUpdate{Folder: s.ID, Files: files, LastSequence: last, PrevSequence: prev})
}

// again has paths announced once more.
func (s *share) again(paths []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range paths {
		if e := s.entries[p]; e != nil && e.file.Kind != Gone {
			s.touch(e)
		}
	}
}

// info is what the wire says of an entry.
func (s *share) info(ctx context.Context, e *entry) (protocol.FileInfo, error) {
	f := e.file
	info := protocol.FileInfo{
		Name: f.Path, Version: e.vector, Sequence: e.seq, ModifiedBy: newest(e.vector, s.own),
		ModifiedS: f.Time / 1e9, ModifiedNs: int32(f.Time % 1e9),
	}
	if info.ModifiedNs < 0 {
		info.ModifiedS--
		info.ModifiedNs += 1e9
	}
	kind := f.Kind
	if kind == Gone {
		kind, info.Deleted = e.was, true
	}
	switch kind {
	case Dir:
		info.Type, info.Permissions = protocol.FileInfoTypeDirectory, 0o755
	case Link:
		info.Type, info.NoPermissions, info.SymlinkTarget = protocol.FileInfoTypeSymlink, true, []byte(f.Target)
	default:
		info.Type, info.Permissions = protocol.FileInfoTypeFile, 0o644
	}
	if info.Deleted {
		info.SymlinkTarget = nil
		return info, nil
	}
	if e.perms != 0 && kind != Link {
		info.Permissions = uint32(e.perms)
	}
	if f.Kind != Plain {
		return info, nil
	}
	// Whoever may read it may run it, as an umask would have it.
	if info.Permissions &^= 0o111; f.Exec {
		info.Permissions |= info.Permissions >> 2 & 0o111
	}
	info.Size = f.Size
	return info, s.blocks(ctx, f, &info)
}

// blocks fills in the blocks of a file.
func (s *share) blocks(ctx context.Context, f File, info *protocol.FileInfo) error {
	if f.Size == 0 {
		empty := sha256.Sum256(nil)
		info.Blocks = []protocol.BlockInfo{{Hash: empty[:]}}
		info.RawBlockSize = protocol.MinBlockSize
		info.BlocksHash = protocol.BlocksHash(info.Blocks)
		return nil
	}
	size, hashes, err := s.Folder.Blocks(ctx, f)
	if err != nil {
		return fmt.Errorf("blocks of %s: %w", f.Path, err)
	}
	if size <= 0 || int64(len(hashes)) != (f.Size+int64(size)-1)/int64(size) {
		return fmt.Errorf("blocks of %s: %d of %d bytes do not make %d", f.Path, len(hashes), size, f.Size)
	}
	info.RawBlockSize = int32(size)
	info.Blocks = make([]protocol.BlockInfo, len(hashes))
	for i := range hashes {
		off := int64(i) * int64(size)
		info.Blocks[i] = protocol.BlockInfo{Offset: off, Size: int(min(int64(size), f.Size-off)), Hash: hashes[i][:]}
	}
	info.BlocksHash = protocol.BlocksHash(info.Blocks)
	return nil
}

// newest returns the device whose change a version is: that with the highest
// counter, which follows the clock.
func newest(v protocol.Vector, own protocol.ShortID) protocol.ShortID {
	by, most := own, uint64(0)
	for _, c := range v.Counters {
		if c.Value > most || c.Value == most && c.ID == own {
			by, most = c.ID, c.Value
		}
	}
	return by
}
