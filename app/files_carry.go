package app

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"inselnetz/app/disk"
	"inselnetz/app/folder"
	"inselnetz/app/keep"
	"inselnetz/crdt/access"
	"inselnetz/crdt/log"
	"inselnetz/crdt/tree"
	"inselnetz/mesh"
)

// A storage-only device (carrier) keeps pieces of files that it cannot read,
// under names that tell it nothing. It learns the names from the catalogues of
// those who read the space: pages of name(32) ‖ sealed size as 4 bytes big
// endian, asked for as pieces of the content with the zero name.
const (
	catalogLine = 36
	catalogPage = 4096 // lines
)

// carryPause gathers what came before a round of asking begins.
const carryPause = 2 * time.Second

// carrying is what this device carries, by space.
type carrying struct {
	mu     sync.Mutex
	ctx    context.Context // of the program's run
	spaces map[log.SpaceID]*carried
}

// carried are the pieces this device keeps for a space it cannot read.
type carried struct {
	disk disk.FS
	keep *keep.Store
	mu   sync.Mutex // one round at a time
	soon coalescer
}

// carriersHere returns the storage-only devices of the workspace.
func (w *Workspace) carriersHere() []log.DeviceID {
	var out []log.DeviceID
	for id, d := range w.snapshot().Devices {
		if d.Role == access.Carrier && id != w.self {
			out = append(out, id)
		}
	}
	return out
}

// readForCarrier seals a piece, or a page of the catalogue.
func (w *Workspace) readForCarrier(s *shared, content mesh.Name, index uint32, buf []byte) ([]byte, error) {
	if content == (mesh.Name{}) {
		return w.catalog(s, index, buf)
	}
	return w.sealByName(s, log.Hash(content), buf)
}

// A catalog is what this device offers carriers of one space.
type catalog struct {
	lines  []byte
	pieces map[log.Hash]folder.Piece
}

// catalog appends a page of the names of all pieces here. The first page is made
// anew each time it is asked for.
func (w *Workspace) catalog(s *shared, page uint32, buf []byte) ([]byte, error) {
	s.catMu.Lock()
	defer s.catMu.Unlock()
	if page == 0 || s.cat == nil {
		k, ok := w.nameKey(s.space)
		if !ok {
			return buf, mesh.ErrNone
		}
		s.cat = makeCatalog(s.f, k)
	}
	from := int(min(uint64(page)*catalogPage*catalogLine, uint64(len(s.cat.lines))))
	to := min(from+catalogPage*catalogLine, len(s.cat.lines))
	if from == to && page > 0 {
		return buf, mesh.ErrNone
	}
	return append(buf, s.cat.lines[from:to]...), nil
}

func makeCatalog(f *folder.Folder, k log.Key) *catalog {
	c := &catalog{pieces: map[log.Hash]folder.Piece{}}
	add := func(sum tree.Sum, index uint32, size int) {
		name := log.PieceName(k, log.Hash(sum), index)
		c.pieces[name] = folder.Piece{Content: sum, Index: index, Size: size}
		c.lines = binary.BigEndian.AppendUint32(append(c.lines, name[:]...), uint32(size+log.PieceOverhead))
	}
	f.Each(func(sum tree.Sum, size int64) bool {
		n, block := tree.BlockCount(size), tree.BlockSize(size)
		if n > 1 {
			add(sum, folder.ListIndex, n*len(sum))
		}
		for i := range n {
			add(sum, uint32(i), int(min(int64(block), size-int64(i)*int64(block))))
		}
		return true
	})
	return c
}

// sealByName appends a sealed piece that the catalogue named.
func (w *Workspace) sealByName(s *shared, name log.Hash, buf []byte) ([]byte, error) {
	s.catMu.Lock()
	if k, held := w.nameKey(s.space); s.cat == nil && held {
		s.cat = makeCatalog(s.f, k)
	}
	var p folder.Piece
	ok := false
	if s.cat != nil {
		p, ok = s.cat.pieces[name]
	}
	s.catMu.Unlock()
	if !ok {
		return buf, mesh.ErrNone
	}
	plain, err := s.f.Read(p.Content, p.Index, make([]byte, 0, p.Size))
	if errors.Is(err, folder.ErrNone) {
		return buf, mesh.ErrNone
	} else if err != nil {
		return buf, err
	}
	return w.seal(s.space, name, plain, buf)
}

// matchCarried opens what this device carries, if it is a carrier.
func (w *Workspace) matchCarried(ctx context.Context) {
	st := w.snapshot()
	if !carrier(st, w.self) {
		return
	}
	spaces := []log.SpaceID{w.everyone()}
	for id := range st.Spaces {
		spaces = append(spaces, id)
	}
	w.carry.mu.Lock()
	w.carry.ctx = ctx
	for _, space := range spaces {
		if w.carry.spaces[space] != nil {
			continue
		}
		c, err := openCarried(w, space)
		if err != nil {
			w.log.Warn("open what is carried", "space", space, "err", err)
			continue
		}
		if w.carry.spaces == nil {
			w.carry.spaces = map[log.SpaceID]*carried{}
		}
		w.carry.spaces[space] = c
	}
	w.carry.mu.Unlock()
	w.carrySoon()
}

func openCarried(w *Workspace, space log.SpaceID) (*carried, error) {
	dir := filepath.Join(w.dir, "carried", space.String())
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	fsys, err := disk.Open(dir)
	if err != nil {
		return nil, err
	}
	k, err := keep.Open(fsys, "keep", keep.Options{Log: w.log, Now: w.opts.Now, Opaque: true})
	if err != nil {
		return nil, errors.Join(err, fsys.Close())
	}
	return &carried{disk: fsys, keep: k}, nil
}

// carrySoon has this device fetch what it does not carry yet, if it carries.
func (w *Workspace) carrySoon() {
	w.carry.mu.Lock()
	ctx := w.carry.ctx
	list := map[log.SpaceID]*carried{}
	for space, c := range w.carry.spaces {
		list[space] = c
	}
	w.carry.mu.Unlock()
	for space, c := range list {
		c.soon.want(carryPause, func() {
			w.job(func(context.Context) {
				if err := w.carryRound(ctx, space, c); err != nil && ctx.Err() == nil {
					w.log.Warn("carry", "space", space, "err", err)
				}
			})
		})
	}
}

// carryRound asks everyone here what they have and fetches what is missing.
func (w *Workspace) carryRound(ctx context.Context, space log.SpaceID, c *carried) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	m := w.network()
	if m == nil {
		return nil
	}
	for _, p := range m.Peers() {
		if p.Here && !p.Stranger {
			if err := c.ask(ctx, m, space, p.Device); err != nil {
				return err
			}
		}
	}
	return ctx.Err()
}

// ask fetches what one device has and this one lacks.
func (c *carried) ask(ctx context.Context, m *mesh.Mesh, space log.SpaceID, dev log.DeviceID) error {
	for page := uint32(0); ctx.Err() == nil; page++ {
		var lines []byte
		err := m.Fetch(ctx, space, []mesh.Piece{{Index: page}}, []log.DeviceID{dev}, func(_ int, data []byte) error {
			lines = bytes.Clone(data)
			return nil
		}, func(int) {})
		if err != nil {
			return err
		}
		var wanted []mesh.Piece
		for line := range slices.Chunk(lines, catalogLine) {
			if len(line) < catalogLine {
				break
			}
			name, size := mesh.Name(line[:32]), binary.BigEndian.Uint32(line[32:])
			if _, here := c.keep.Has(tree.Sum(name)); !here && size <= mesh.MaxPiece {
				wanted = append(wanted, mesh.Piece{Content: name, Size: int(size)})
			}
		}
		if err := c.fetch(ctx, m, space, wanted, dev); err != nil {
			return err
		}
		if len(lines) < catalogPage*catalogLine {
			return nil
		}
	}
	return ctx.Err()
}

// fetch brings sealed pieces here.
func (c *carried) fetch(ctx context.Context, m *mesh.Mesh, space log.SpaceID, wanted []mesh.Piece, dev log.DeviceID) error {
	if len(wanted) == 0 {
		return nil
	}
	err := m.Fetch(ctx, space, wanted, []log.DeviceID{dev}, func(i int, data []byte) error {
		if len(data) != wanted[i].Size {
			return nil // not what was offered; another round may bring it
		}
		if err := c.keep.Put(tree.Sum(wanted[i].Content), data); err != nil {
			return fmt.Errorf("keep what is carried: %w", err)
		}
		return nil
	}, func(int) {})
	return errors.Join(err, c.keep.Sync())
}

// readCarried appends a sealed piece.
func (w *Workspace) readCarried(space log.SpaceID, name mesh.Name, buf []byte) ([]byte, error) {
	w.carry.mu.Lock()
	c := w.carry.spaces[space]
	w.carry.mu.Unlock()
	if c == nil {
		return buf, mesh.ErrNone
	}
	size, ok := c.keep.Has(tree.Sum(name))
	if !ok {
		return buf, mesh.ErrNone
	}
	from := len(buf)
	buf = append(buf, make([]byte, size)...)
	if _, err := c.keep.ReadAt(tree.Sum(name), buf[from:], 0); err != nil {
		return buf[:from], err
	}
	return buf, nil
}

// closeCarried closes what matchCarried opened.
func (w *Workspace) closeCarried() error {
	w.carry.mu.Lock()
	defer w.carry.mu.Unlock()
	var err error
	for _, c := range w.carry.spaces {
		c.mu.Lock()
		err = errors.Join(err, c.keep.Close(), c.disk.Close())
		c.mu.Unlock()
	}
	w.carry.spaces = nil
	return err
}
