package app

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"time"

	"inselnetz/app/folder"
	"inselnetz/crdt/access"
	"inselnetz/crdt/log"
	"inselnetz/crdt/tree"
	"inselnetz/mesh"
)

// host is what a folder needs of its Workspace.
type host shared

// Publish writes versions as own entries; they are safe on disk when it returns.
func (h *host) Publish(ctx context.Context, vs []tree.Version) ([]tree.Known, error) {
	ops := make([]tree.Op, len(vs))
	for i, v := range vs {
		ops[i] = v
	}
	out := make([]tree.Known, 0, len(vs))
	err := h.publish(ctx, ops, func(i int, id tree.VersionID, by tree.Author) {
		out = append(out, tree.Known{ID: id, Author: by, Version: vs[i]})
	})
	return out, err
}

// Verdict writes what a person decided about a device.
func (h *host) Verdict(ctx context.Context, v tree.Verdict) (folder.Verdict, error) {
	var out folder.Verdict
	err := h.publish(ctx, []tree.Op{v}, func(_ int, _ tree.VersionID, by tree.Author) {
		out = folder.Verdict{Author: by, Verdict: v}
	})
	return out, err
}

// publish writes operations in as few entries as possible and says which place
// each got. On an error those told are written.
func (h *host) publish(ctx context.Context, ops []tree.Op, told func(i int, id tree.VersionID, by tree.Author)) error {
	payloads, err := tree.Pack(ops, tree.MaxPayload)
	if err != nil {
		return err
	}
	i := 0
	for _, p := range payloads {
		a, err := (*shared)(h).appendOwn(ctx, p.Bytes)
		if err != nil && a.Own == nil {
			return err
		}
		for n := range p.Ops {
			told(i, tree.VersionID{Log: a.Own.Log, Seq: a.Own.Seq, N: uint32(n)}, tree.Author{Device: h.w.self, Clock: a.Own.HLC})
			i++
		}
		if err != nil { // the entry is written; what follows from it is not done
			h.w.log.Warn("after own entry of files", "err", err)
		}
	}
	return nil
}

// Fetch brings pieces here from other devices.
func (h *host) Fetch(ctx context.Context, pieces []folder.Piece, by []log.DeviceID, got func(i int, data []byte) error, missing func(i int)) error {
	h.w.mu.RLock()
	m := h.w.mesh
	h.w.mu.RUnlock()
	if m == nil {
		for i := range pieces {
			missing(i)
		}
		return nil
	}
	list := make([]mesh.Piece, len(pieces))
	for i, p := range pieces {
		list[i] = mesh.Piece{Content: mesh.Name(p.Content), Index: p.Index, Size: p.Size, Hash: p.Hash}
	}
	return m.Fetch(ctx, h.space, list, by, got, missing)
}

func (h *host) Now() time.Time { return h.w.opts.Now() }

// contents is what this device gives others of files, as the mesh asks for it.
type contents Workspace

func (c *contents) w() *Workspace { return (*Workspace)(c) }

// Read appends a piece as a device is to get it: sealed for one that must not
// read it.
func (c *contents) Read(to log.DeviceID, space log.SpaceID, content mesh.Name, index uint32, buf []byte) ([]byte, error) {
	w := c.w()
	st := w.snapshot()
	if carrier(st, w.self) {
		return w.readCarried(space, content, buf)
	}
	s := w.folderOf(space)
	if s == nil {
		return buf, mesh.ErrNone
	}
	if carrier(st, to) {
		return w.readForCarrier(s, content, index, buf)
	}
	if st.Level(space, to) == access.None {
		return buf, mesh.ErrNone
	}
	out, err := s.f.Read(tree.Sum(content), index, buf)
	if errors.Is(err, folder.ErrNone) {
		return buf, mesh.ErrNone
	}
	return out, err
}

// Ask returns the name by which a device knows a content.
func (c *contents) Ask(from log.DeviceID, space log.SpaceID, content mesh.Name, index uint32) (mesh.Name, bool) {
	w := c.w()
	st := w.snapshot()
	if carrier(st, w.self) || !carrier(st, from) {
		return content, true
	}
	k, ok := w.nameKey(space)
	if !ok {
		return mesh.Name{}, false
	}
	return mesh.Name(log.PieceName(k, log.Hash(content), index)), true
}

// Take returns the plain bytes of what a device sent.
func (c *contents) Take(from log.DeviceID, space log.SpaceID, p mesh.Piece, data []byte) ([]byte, error) {
	w := c.w()
	st := w.snapshot()
	if carrier(st, w.self) || !carrier(st, from) {
		return data, nil
	}
	k, ok := w.nameKey(space)
	if !ok {
		return nil, log.ErrSealed
	}
	keys := w.keyring()
	return log.OpenPiece(data, log.PieceName(k, log.Hash(p.Content), p.Index), func(id log.KeyID) (log.Key, bool) {
		key, ok := keys[id]
		return key.Key, ok && key.Space == space
	})
}

func carrier(st *access.State, dev log.DeviceID) bool { return st.Devices[dev].Role == access.Carrier }

// nameKey returns the key that names sealed pieces: the one of the space's first
// epoch, which everyone who reads the space has. Of several the lowest.
func (w *Workspace) nameKey(space log.SpaceID) (log.Key, bool) {
	var best access.SpaceKey
	found := false
	for _, k := range w.keyring() {
		if k.Space != space {
			continue
		}
		if !found || k.Epoch < best.Epoch || k.Epoch == best.Epoch && slices.Compare(k.ID[:], best.ID[:]) < 0 {
			best, found = k, true
		}
	}
	return best.Key, found
}

// seal appends a piece for those who carry it.
func (w *Workspace) seal(space log.SpaceID, name log.Hash, plain, buf []byte) ([]byte, error) {
	_, id, ok := w.snapshot().Current(space)
	key, held := w.keyring()[id]
	if !ok || !held {
		return buf, mesh.ErrNone
	}
	return log.SealPiece(rand.Reader, buf, id, key.Key, name, plain)
}
