package folder_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"strings"
	"time"

	"inselnetz/app/disk"
	"inselnetz/app/folder"
	"inselnetz/crdt/log"
	"inselnetz/crdt/tree"
)

// names are what users call things. "d" and "e" are directories mostly.
var names = []string{"a", "b.txt", "d/a", "d/b", "d/e/c", "e/f", "d", "e"}

var dirs = []string{"d", "e", "d/e", "g", "f"}

// manyNames are further ones of offices where so much is changed that the brake
// falls.
var manyNames = []string{"f/1", "f/2", "f/3", "f/4", "f/5", "f/6", "f/7", "f/8", "f/9", "f/10", "f/11", "f/12", "f/13", "f/14"}

func (p *peer) name() string { return p.w.names[p.w.r.Intn(len(p.w.names))] }
func (p *peer) dir() string  { return dirs[p.w.r.Intn(len(dirs))] }

// content returns bytes that nobody wrote before, or, sometimes, that somebody
// did. They do not look encrypted.
func (p *peer) content() []byte {
	w := p.w
	w.stamp++
	line := fmt.Sprintf("%d wrote this, number %d.\n", p.n, w.stamp)
	if w.one(12) {
		line = "the same for all\n"
	}
	n := 1 + w.r.Intn(8)
	switch w.r.Intn(60) {
	case 0:
		n = 4000 + w.r.Intn(2000) // one block, or two
	case 1:
		n = 45_000 // more than is read at once
	}
	if w.one(2000) {
		n = 400_000 // with a list
	}
	b := bytes.Repeat([]byte(line), n)
	w.write(b)
	return b
}

// at returns the content of a file on the user's disk.
func (p *peer) at(path string) (tree.Sum, bool) {
	b, _, err := p.user.Read(path, nil)
	if err != nil {
		return tree.Sum{}, false
	}
	return sumOf(b), true
}

// leaves is called before the user does away with what is at a path. The user's
// own bytes that the engine replaced before that are owed; those that it only
// moved are the user's there.
func (p *peer) leaves(path string) {
	path = p.key(path)
	within := func(at string) bool { return at == path || strings.HasPrefix(at, path+"/") }
	moved := map[string]bytesOf{}
	for at, b := range p.mine {
		if !within(at) {
			continue
		}
		delete(p.mine, at)
		got, ok := p.at(at)
		if ok && got == b.sum || !ok && p.nested {
			continue // or the engine holds it at this moment, to put it back
		}
		switch now := p.where(b.sum); {
		case now == "":
			p.owe(at, b.sum)
		case !within(now):
			moved[now] = bytesOf{b.sum, false}
		}
	}
	maps.Copy(p.mine, moved)
}

// where returns a path at which a content lies, or "".
func (p *peer) where(sum tree.Sum) (at string) {
	p.visit(func(path string, _ disk.Info, data []byte) {
		if sumOf(data) == sum {
			at = p.key(path)
		}
	})
	return at
}

func (p *peer) owe(path string, sum tree.Sum) {
	if p.w.sums[sum] > 0 {
		p.w.owed[sum] = fmt.Sprintf("%s on %d", path, p.n)
	}
}

// edit does one thing that a user does.
func (p *peer) edit() {
	r := p.w.r
	path := p.name()
	what, err := "", error(nil)
	if len(p.w.names) > len(names)+4 && p.w.one(8) {
		p.sweep()
		return
	}
	switch r.Intn(16) {
	case 0, 1, 2, 3:
		what, err = "writes", p.save(path, false)
	case 4, 5:
		what, err = "writes in place", p.save(path, true)
	case 6, 7:
		what, err = "replaces", p.replace(path)
	case 8, 9:
		what = "removes"
		if err = p.gone(path); errors.Is(err, disk.ErrNotEmpty) {
			what, err = "removes all of", p.gone(path)
		}
	case 10:
		path = p.dir()
		what, err = "removes all of", p.removeAll(path)
	case 11:
		to := p.name()
		what, err = "moves to "+to, p.move(path, to)
	case 12:
		path = p.dir()
		to := p.dir()
		what, err = "moves to "+to, p.move(path, to)
	case 13:
		path = p.dir()
		what, err = "makes directory", p.user.Mkdir(path)
	case 14:
		switch r.Intn(3) {
		case 0:
			target := fmt.Sprint("to", r.Intn(3))
			p.user.Mkdir(parentOf(path))
			what, err = "links", p.user.Symlink(target, path)
		case 1:
			what, err = "touches", p.user.Mark(path, p.w.now.UnixNano()-int64(r.Intn(1e9)), false)
		default:
			what, err = "makes executable", p.user.Mark(path, p.w.now.UnixNano(), true)
		}
	default:
		path += ".tmp"
		what, err = "writes what is ignored", p.scribble(path)
	}
	p.w.tell("  user %d %s %s: %v", p.n, what, path, err)
	p.visible = true
}

// sweep changes or removes many files at once.
func (p *peer) sweep() {
	what := p.w.r.Intn(3)
	p.w.tell("  user %d sweeps (%d)", p.n, what)
	for _, path := range manyNames {
		switch what {
		case 0:
			p.gone(path)
		default:
			p.save(path, false)
		}
	}
	p.visible = true
}

func parentOf(path string) string {
	dir, _ := disk.Split(path)
	return dir
}

// save writes a file: new, over what is there, or in place and in pieces.
func (p *peer) save(path string, inPlace bool) error {
	if dir := parentOf(path); dir != "" {
		if err := p.user.Mkdir(dir); err != nil {
			return err
		}
	}
	var old []byte
	h, err := p.user.Create(path, 0)
	if errors.Is(err, fs.ErrExist) {
		in, err2 := p.user.Stat(path)
		if err2 != nil || in.Kind != disk.File {
			return err
		}
		p.leaves(path)
		old, _, _ = p.user.Read(path, nil)
		h, err = p.user.Edit(path)
	}
	if err != nil {
		return err
	}
	defer h.Close()
	if in, err := h.Stat(); err == nil {
		p.open[in.Inode] = true
	}
	b := p.content()
	if inPlace && len(old) > 10 { // a few bytes in the middle
		b = bytes.Clone(old)
		copy(b[len(b)/2:], fmt.Sprintf("%05d", p.w.stamp))
		p.w.write(b)
		_, err = h.WriteAt(b[len(b)/2:], int64(len(b)/2))
	} else {
		p.state(nil, old, b)
		if err = h.Truncate(0); err == nil {
			_, err = h.WriteAt(b, 0)
		}
	}
	if err != nil { // the disk is full: whatever is there is the user's
		if b, _, err := p.user.Read(path, nil); err == nil {
			p.own(path, p.w.write(b), false)
		}
		return err
	}
	durable := false
	if p.w.one(2) && h.Sync() == nil && p.syncNames(path) == nil {
		durable = true
	}
	p.own(path, tree.Sum{}, durable)
	return nil
}

// state notes what is on the disk for a moment while a file is written.
func (p *peer) state(contents ...[]byte) {
	for _, b := range contents {
		p.w.write(b)
	}
}

// own notes that what is at a path is the user's.
func (p *peer) own(path string, sum tree.Sum, durable bool) {
	if sum == (tree.Sum{}) {
		sum, _ = p.at(path)
	}
	p.mine[p.key(path)] = bytesOf{sum, durable}
}

// key returns what paths have in common that are one on the peer's disk.
func (p *peer) key(path string) string {
	if p.folds {
		return strings.ToLower(path)
	}
	return path
}

func (p *peer) syncNames(path string) error {
	for dir := path; dir != ""; {
		dir = parentOf(dir)
		if err := p.user.SyncDir(dir); err != nil {
			return err
		}
	}
	return nil
}

// replace saves as most programs do: to another name, which then replaces the
// file.
func (p *peer) replace(path string) error {
	in, err := p.user.Stat(path)
	if err == nil && in.Kind == disk.Dir {
		return fs.ErrExist
	}
	tmp := path + ".tmp"
	b := p.content()
	p.user.Remove(tmp)
	if dir := parentOf(path); dir != "" {
		if err := p.user.Mkdir(dir); err != nil {
			return err
		}
	}
	h, err := p.user.Create(tmp, 0)
	if err != nil {
		return err
	}
	defer h.Close()
	p.state(nil)
	if in, err := h.Stat(); err == nil {
		p.open[in.Inode] = true
	}
	if _, err := h.WriteAt(b, 0); err != nil {
		return err
	}
	durable := p.w.one(2)
	if durable {
		h.Sync()
	}
	p.leaves(path)
	if err := p.user.Rename(tmp, path); err != nil {
		return err
	}
	p.own(path, sumOf(b), durable && p.syncNames(path) == nil)
	return nil
}

func (p *peer) gone(path string) error {
	in, err := p.user.Stat(path)
	if err != nil {
		return err
	}
	if in.Kind == disk.Dir {
		return p.removeAll(path)
	}
	p.leaves(path)
	return p.user.Remove(path)
}

func (p *peer) removeAll(path string) error {
	p.leaves(path)
	list, err := p.user.List(path)
	if err != nil {
		return err
	}
	for _, in := range list {
		at := path + "/" + in.Name
		if in.Kind == disk.Dir {
			err = p.removeAll(at)
		} else {
			err = p.user.Remove(at)
		}
		if err != nil {
			return err
		}
	}
	return p.user.Remove(path)
}

// move renames a file or a directory, over another file too.
func (p *peer) move(from, to string) error {
	if p.key(from) == p.key(to) || strings.HasPrefix(p.key(to), p.key(from)+"/") {
		return fs.ErrInvalid
	}
	in, err := p.user.Stat(from)
	if err != nil {
		return err
	}
	if there, err := p.user.Stat(to); err == nil && (there.Kind == disk.Dir || in.Kind == disk.Dir) {
		return fs.ErrExist
	}
	if dir := parentOf(to); dir != "" {
		if err := p.user.Mkdir(dir); err != nil {
			return err
		}
	}
	p.leaves(to)
	if err := p.user.Rename(from, to); err != nil {
		return err
	}
	from, to = p.key(from), p.key(to)
	moved := map[string]bytesOf{}
	for at, b := range p.mine {
		if at == from || strings.HasPrefix(at, from+"/") {
			delete(p.mine, at)
			moved[to+at[len(from):]] = bytesOf{b.sum, false}
		}
	}
	for at, b := range moved {
		if got, ok := p.at(at); ok && got == b.sum {
			p.mine[at] = b
		} else {
			p.owe(at, b.sum)
		}
	}
	return nil
}

func (p *peer) scribble(path string) error {
	if dir := parentOf(path); dir != "" {
		if err := p.user.Mkdir(dir); err != nil {
			return err
		}
	}
	p.user.Remove(path)
	h, err := p.user.Create(path, 0)
	if err != nil {
		return err
	}
	defer h.Close()
	_, err = h.WriteAt([]byte("ignored"), 0)
	return err
}

// ask does one thing that a user does in the window.
func (p *peer) window(ctx context.Context) error {
	f, r := p.f, p.w.r
	path := p.name()
	switch r.Intn(9) {
	case 0, 1:
		b := p.content()
		_, err := f.Put(ctx, path, nil, p.w.now.UnixNano(), bytes.NewReader(b))
		if err == nil {
			p.w.owed[sumOf(b)] = path + " put"
		}
		return wrap("puts "+path, err)
	case 2:
		return wrap("makes "+path, f.Mkdir(ctx, path))
	case 3:
		to := p.name()
		return wrap("renames "+path+" to "+to, f.Rename(ctx, path, to))
	case 4:
		return wrap("removes "+path, f.Remove(ctx, path))
	case 5, 6:
		var old []tree.Known
		f.View(func(t *tree.Tree) { old = t.Recent("", 20) })
		if len(old) == 0 {
			return nil
		}
		k := old[r.Intn(len(old))]
		if r.Intn(2) == 0 {
			path = k.Path
		}
		return wrap("restores "+path+" as "+brief(&k.Version), f.Restore(ctx, path, k.ID))
	case 7:
		var all []string
		f.View(func(t *tree.Tree) { all = t.Conflicts() })
		if len(all) == 0 {
			return nil
		}
		path = all[r.Intn(len(all))]
		var node tree.Node
		f.View(func(t *tree.Tree) { node, _ = t.Node(path) })
		keep := node.Shown.ID
		if r.Intn(2) == 0 {
			keep = node.Others[0].ID
		}
		var beside func(tree.Known) string
		if r.Intn(2) == 0 {
			beside = func(k tree.Known) string { return fmt.Sprintf("of %d", k.Device[0]) }
		}
		return wrap("solves "+path, f.Resolve(ctx, path, keep, beside))
	}
	back := time.Duration(r.Intn(600)) * time.Second
	dir := ""
	if r.Intn(2) == 0 {
		dir = p.dir()
	}
	_, err := f.Rewind(ctx, dir, log.HLC(p.w.now.Add(-back).UnixMilli())<<16, false)
	return wrap(fmt.Sprintf("rewinds %q by %v", dir, back), err)
}

// wrap says what was done; what people may not do, and what cannot be had, is
// no fault.
func wrap(what string, err error) error {
	if err == nil || errors.Is(err, fs.ErrExist) || errors.Is(err, fs.ErrNotExist) || errors.Is(err, folder.ErrNobody) || errors.Is(err, fs.ErrInvalid) {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}
