package app

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"inselnetz/app/disk"
	"inselnetz/app/folder"
	"inselnetz/crdt/log"
	"inselnetz/crdt/tree"
	"inselnetz/mesh/bep"
)

// A phoneFolder is a space's folder as the gateway to Syncthing devices sees it.
type phoneFolder struct {
	w     *Workspace
	space log.SpaceID
	news  chan struct{}
}

func (p *phoneFolder) folder() (*folder.Folder, error) {
	s := p.w.folderOf(p.space)
	if s == nil {
		return nil, problem("no-folder")
	}
	return s.f, nil
}

func (p *phoneFolder) Changed() <-chan struct{} { return p.news }

// Files yields what the folder shows.
func (p *phoneFolder) Files(_ context.Context, yield func(bep.File) bool) error {
	f, err := p.folder()
	if err != nil {
		return err
	}
	var list []bep.File
	f.View(func(t *tree.Tree) {
		for n := range t.All("") {
			list = append(list, phoneFile(n))
		}
	})
	for _, file := range list {
		if !yield(file) {
			break
		}
	}
	return nil
}

// Look returns what is at a path.
func (p *phoneFolder) Look(_ context.Context, path string) (bep.File, error) {
	f, err := p.folder()
	if err != nil {
		return bep.File{}, err
	}
	return look(f, path), nil
}

func look(f *folder.Folder, path string) (out bep.File) {
	f.View(func(t *tree.Tree) {
		if n, ok := t.Node(path); ok {
			out = phoneFile(n)
		} else if n, ok := t.Gone(path); ok {
			out = bep.File{Path: path, Kind: bep.Gone, Base: packIDs(n.Heads)}
		} else {
			out = bep.File{Path: path, Kind: bep.Gone}
		}
	})
	return out
}

// phoneFile turns a node into words of the gateway. A change of a file with which
// others compete builds on the shown one alone, so that the conflict stays.
func phoneFile(n tree.Node) bep.File {
	v := &n.Shown
	f := bep.File{Path: n.Path, Base: packIDs(n.Heads)}
	if v.ID != (tree.VersionID{}) {
		f.Version = packIDs([]tree.VersionID{v.ID})
		if len(n.Others) > 0 {
			f.Base = f.Version
		}
	}
	switch v.Kind {
	case tree.Dir:
		f.Kind = bep.Dir
	case tree.Link:
		f.Kind, f.Target = bep.Link, v.Target
	default:
		f.Kind, f.Size, f.Time, f.Exec, f.Sum = bep.Plain, v.Size, v.Time, v.Exec, v.Sum
	}
	return f
}

// Blocks returns the block hashes of a file.
func (p *phoneFolder) Blocks(_ context.Context, file bep.File) (int, [][32]byte, error) {
	f, err := p.folder()
	if err != nil {
		return 0, nil, err
	}
	size := tree.BlockSize(file.Size)
	if file.Size <= int64(size) {
		return size, [][32]byte{file.Sum}, nil
	}
	var hashes [][32]byte
	f.View(func(t *tree.Tree) {
		if v, ok := p.known(t, file); ok {
			for _, b := range v.Blocks {
				hashes = append(hashes, b)
			}
		}
	})
	if len(hashes) > 0 {
		return size, hashes, nil
	}
	list, err := f.Read(file.Sum, folder.ListIndex, nil)
	if err != nil {
		return 0, nil, fmt.Errorf("list of blocks: %w", err)
	}
	for ; len(list) >= 32; list = list[32:] {
		hashes = append(hashes, [32]byte(list))
	}
	return size, hashes, nil
}

// known returns the version that a file shows, if it still is of that content.
func (p *phoneFolder) known(t *tree.Tree, file bep.File) (tree.Known, bool) {
	ids, err := unpackIDs(file.Version)
	if err != nil || len(ids) != 1 {
		return tree.Known{}, false
	}
	v, ok := t.Known(ids[0])
	return v, ok && v.Sum == file.Sum
}

// Read reads a part of a file, which may have to be fetched from other devices.
func (p *phoneFolder) Read(ctx context.Context, file bep.File, off int64, buf []byte) error {
	f, err := p.folder()
	if err != nil {
		return err
	}
	err = readPart(f, file, off, buf)
	if !errors.Is(err, folder.ErrNone) {
		return err
	}
	var v tree.Known
	ok := false
	f.View(func(t *tree.Tree) { v, ok = p.known(t, file) })
	if !ok || f.Spares(&v.Version) { // a phone asks for all of a folder, that is no person
		return folder.ErrNone
	}
	r, err := f.Content(ctx, v)
	if err != nil {
		return err
	}
	defer r.Close()
	if _, err := r.Seek(off, io.SeekStart); err != nil {
		return err
	}
	_, err = io.ReadFull(r, buf)
	return err
}

func readPart(f *folder.Folder, file bep.File, off int64, buf []byte) error {
	size := int64(tree.BlockSize(file.Size))
	var block []byte
	for len(buf) > 0 {
		var err error
		if block, err = f.Read(file.Sum, uint32(off/size), block[:0]); err != nil {
			return err
		}
		at := off % size
		if at >= int64(len(block)) {
			return io.ErrUnexpectedEOF
		}
		n := copy(buf, block[at:])
		buf, off = buf[n:], off+int64(n)
	}
	return nil
}

// announce publishes what a device made of a path.
func (p *phoneFolder) announce(ctx context.Context, v tree.Version, base string, r io.Reader) (bep.File, error) {
	f, err := p.folder()
	if err != nil {
		return bep.File{}, err
	}
	if v.Parents, err = unpackIDs(base); err != nil {
		return bep.File{}, err
	}
	if v.Kind != tree.Gone && f.Ignored(v.Path) {
		return bep.File{}, fmt.Errorf("%w: ignored here", bep.ErrRefused)
	}
	_, err = f.Announce(ctx, v, r)
	if errors.Is(err, tree.ErrPath) || errors.Is(err, disk.ErrLarge) {
		err = fmt.Errorf("%w: %w", bep.ErrRefused, err)
	}
	if err != nil {
		return bep.File{}, err
	}
	return look(f, v.Path), nil
}

func (p *phoneFolder) Put(ctx context.Context, file bep.File, base string, r io.Reader) (bep.File, error) {
	return p.announce(ctx, tree.Version{Path: file.Path, Kind: tree.File, Time: file.Time, Exec: file.Exec}, base, r)
}

func (p *phoneFolder) Mkdir(ctx context.Context, path, base string) (bep.File, error) {
	return p.announce(ctx, tree.Version{Path: path, Kind: tree.Dir}, base, nil)
}

func (p *phoneFolder) Link(ctx context.Context, path, target, base string) (bep.File, error) {
	return p.announce(ctx, tree.Version{Path: path, Kind: tree.Link, Target: target}, base, nil)
}

func (p *phoneFolder) Remove(ctx context.Context, path, base string) (bep.File, error) {
	if base == "" {
		return p.Look(ctx, path) // a directory that is there only for what is in it
	}
	return p.announce(ctx, tree.Version{Path: path, Kind: tree.Gone}, base, nil)
}

func (p *phoneFolder) Restore(ctx context.Context, path, version string) (bep.File, error) {
	f, err := p.folder()
	if err != nil {
		return bep.File{}, err
	}
	ids, err := unpackIDs(version)
	if err == nil && len(ids) != 1 {
		err = errors.New("no version")
	}
	if err == nil {
		err = f.Restore(ctx, path, ids[0])
	}
	if err != nil {
		return bep.File{}, err
	}
	return look(f, path), nil
}

// packIDs makes the gateway's opaque words of versions: for each the log, then
// its two numbers.
func packIDs(ids []tree.VersionID) string {
	b := make([]byte, 0, 20*len(ids))
	for _, id := range ids {
		b = append(b, id.Log[:]...)
		b = binary.AppendUvarint(b, id.Seq)
		b = binary.AppendUvarint(b, uint64(id.N))
	}
	return string(b)
}

func unpackIDs(s string) (ids []tree.VersionID, err error) {
	for b := []byte(s); len(b) > 0; {
		var id tree.VersionID
		n := copy(id.Log[:], b)
		b = b[n:]
		seq, n1 := binary.Uvarint(b)
		b = b[max(n1, 0):]
		num, n2 := binary.Uvarint(b)
		if n < len(id.Log) || n1 <= 0 || n2 <= 0 || num > 1<<32-1 {
			return nil, errors.New("malformed versions")
		}
		b = b[n2:]
		id.Seq, id.N = seq, uint32(num)
		ids = append(ids, id)
	}
	return ids, nil
}
