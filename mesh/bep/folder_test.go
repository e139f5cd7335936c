package bep

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/syncthing/syncthing/lib/protocol"
)

// memFolder is a Folder in memory that keeps all versions, as the real one does: a
// version names those it replaces, versions that nobody replaced compete, the
// newest of them is shown.
type memFolder struct {
	mu      sync.Mutex
	paths   map[string][]*memVersion
	count   int
	changed chan struct{}
	fail    func(op, path string) error // called before what changes something
	puts    int
	reads   int64 // bytes
}

type memVersion struct {
	id      int
	file    File
	data    []byte
	parents []int
}

func newMemFolder() *memFolder {
	return &memFolder{paths: map[string][]*memVersion{}, changed: make(chan struct{}, 1)}
}

func sumBytes(data []byte) (sum [32]byte, hashes [][32]byte, size int) {
	size = protocol.BlockSize(int64(len(data)))
	var all []byte
	for b := range slices.Chunk(data, size) {
		h := sha256.Sum256(b)
		hashes = append(hashes, h)
		all = append(all, h[:]...)
	}
	return sumOf(all), hashes, size
}

// heads returns the versions at a path that nobody replaced, oldest first.
func (m *memFolder) heads(p string) (heads []*memVersion) {
	replaced := map[int]bool{}
	for _, v := range m.paths[p] {
		for _, id := range v.parents {
			replaced[id] = true
		}
	}
	for _, v := range m.paths[p] {
		if !replaced[v.id] {
			heads = append(heads, v)
		}
	}
	return heads
}

func (m *memFolder) look(p string) File {
	f := File{Path: p}
	heads := m.heads(p)
	var bases []string
	living := map[string]bool{}
	var shown *memVersion
	for _, v := range heads {
		bases = append(bases, strconv.Itoa(v.id))
		if v.file.Kind != Gone {
			shown = v
			living[fmt.Sprint(v.file.Kind, v.file.Sum, v.file.Target)] = true
		}
	}
	implied := m.hasKids(p)
	switch {
	case shown != nil && !(implied && shown.file.Kind != Dir):
		f = shown.file
		f.Version = strconv.Itoa(shown.id)
	case implied:
		f.Kind = Dir
	}
	f.Base = strings.Join(bases, ",")
	if len(living) > 1 && shown != nil {
		f.Base = strconv.Itoa(shown.id)
	}
	return f
}

func (m *memFolder) hasKids(p string) bool {
	for q := range m.paths {
		if strings.HasPrefix(q, p+"/") {
			for _, v := range m.heads(q) {
				if v.file.Kind != Gone {
					return true
				}
			}
		}
	}
	return false
}

// conflicts returns the living contents that compete at a path.
func (m *memFolder) conflicts(p string) (out []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, v := range m.heads(p) {
		if v.file.Kind == Plain && !slices.Contains(out, string(v.data)) {
			out = append(out, string(v.data))
		}
	}
	return out
}

func (m *memFolder) add(p string, f File, data []byte, parents []int) File {
	m.count++
	f.Path = p
	m.paths[p] = append(m.paths[p], &memVersion{m.count, f, data, parents})
	select {
	case m.changed <- struct{}{}:
	default:
	}
	return m.look(p)
}

func parents(base string) (out []int) {
	for s := range strings.SplitSeq(base, ",") {
		if n, err := strconv.Atoi(s); err == nil {
			out = append(out, n)
		}
	}
	return out
}

func (m *memFolder) Files(_ context.Context, yield func(File) bool) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		if err := m.fail("files", ""); err != nil {
			return err
		}
	}
	all := map[string]bool{}
	for p := range m.paths {
		for _, v := range m.heads(p) {
			if v.file.Kind != Gone {
				for q := p; q != "."; q = path.Dir(q) {
					all[q] = true
				}
			}
		}
	}
	names := make([]string, 0, len(all))
	for p := range all {
		names = append(names, p)
	}
	sort.Strings(names)
	for _, p := range names {
		// Only what is not implied needs the slow look.
		if f := m.look(p); f.Kind != Gone && !yield(f) {
			break
		}
	}
	return nil
}

func (m *memFolder) Look(_ context.Context, p string) (File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.look(p), nil
}

func (m *memFolder) Changed() <-chan struct{} { return m.changed }

func (m *memFolder) content(f File) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, v := range m.paths[f.Path] {
		if v.file.Kind == Plain && v.file.Sum == f.Sum {
			return v.data, nil
		}
	}
	return nil, errors.New("no such content")
}

func (m *memFolder) Blocks(_ context.Context, f File) (int, [][32]byte, error) {
	data, err := m.content(f)
	_, hashes, size := sumBytes(data)
	return size, hashes, err
}

func (m *memFolder) Read(_ context.Context, f File, off int64, p []byte) error {
	data, err := m.content(f)
	if err == nil && off+int64(len(p)) > int64(len(data)) {
		err = io.ErrUnexpectedEOF
	}
	if err == nil {
		copy(p, data[off:])
		m.mu.Lock()
		m.reads += int64(len(p))
		m.mu.Unlock()
	}
	return err
}

func (m *memFolder) change(op, p, base string, f File, data []byte) (File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		if err := m.fail(op, p); err != nil {
			return File{}, err
		}
	}
	return m.add(p, f, data, parents(base)), nil
}

func (m *memFolder) Put(_ context.Context, f File, base string, r io.Reader) (File, error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return File{}, err
	}
	m.mu.Lock()
	m.puts++
	m.mu.Unlock()
	sum, _, _ := sumBytes(data)
	return m.change("put", f.Path, base, File{Kind: Plain, Size: int64(len(data)), Time: f.Time, Exec: f.Exec, Sum: sum}, data)
}

func (m *memFolder) Mkdir(_ context.Context, p, base string) (File, error) {
	return m.change("mkdir", p, base, File{Kind: Dir}, nil)
}

func (m *memFolder) Link(_ context.Context, p, target, base string) (File, error) {
	return m.change("link", p, base, File{Kind: Link, Target: target}, nil)
}

func (m *memFolder) Remove(_ context.Context, p, base string) (File, error) {
	m.mu.Lock()
	kids := m.hasKids(p)
	m.mu.Unlock()
	if kids {
		return m.Look(context.Background(), p)
	}
	return m.change("remove", p, base, File{Kind: Gone}, nil)
}

func (m *memFolder) Restore(_ context.Context, p, version string) (File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	base := m.look(p).Base
	for _, v := range m.paths[p] {
		if strconv.Itoa(v.id) == version {
			return m.add(p, v.file, v.data, parents(base)), nil
		}
	}
	return File{}, errors.New("no such version")
}

// took returns how many files were put, and how many bytes were read.
func (m *memFolder) took() (puts int, reads int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.puts, m.reads
}

// What a person at this device does.

func (m *memFolder) write(p, content string) { m.writeAt(p, content, time.Now()) }

func (m *memFolder) writeAt(p, content string, at time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	sum, _, _ := sumBytes([]byte(content))
	m.add(p, File{Kind: Plain, Size: int64(len(content)), Time: at.UnixNano(), Sum: sum}, []byte(content), parents(m.look(p).Base))
}

func (m *memFolder) mkdir(p string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.add(p, File{Kind: Dir}, nil, parents(m.look(p).Base))
}

func (m *memFolder) remove(p string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for q := range m.paths {
		if q == p || strings.HasPrefix(q, p+"/") {
			if m.look(q).Kind != Gone {
				m.add(q, File{Kind: Gone}, nil, parents(m.look(q).Base))
			}
		}
	}
}

// shows returns what people see: contents of files by path, "/" for directories,
// "-> target" for links.
func (m *memFolder) shows() map[string]string {
	out := map[string]string{}
	m.Files(context.Background(), func(f File) bool {
		switch f.Kind {
		case Dir:
			out[f.Path] = "/"
		case Link:
			out[f.Path] = "-> " + f.Target
		default:
			for _, v := range m.paths[f.Path] {
				if v.file.Kind == Plain && v.file.Sum == f.Sum {
					out[f.Path] = string(v.data)
				}
			}
		}
		return true
	})
	return out
}
