package desktop

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// MaxTaken bounds the files that one choice or drop may bring, and those that
// are kept for the page in all: the oldest go first.
const MaxTaken = 100_000

var errTooMany = fmt.Errorf("more than %d files", MaxTaken)

// Taken are files of this computer that the person chose or dropped: the page
// gets names and tokens, no paths. The zero value is ready.
type Taken struct {
	mu    sync.Mutex
	paths map[string]string // by token
	order []string          // tokens, the oldest first
}

// A File is one of them as the page sees it.
type File struct {
	Token string `json:"token"`
	Path  string `json:"path"` // below what was chosen, with slashes
	Size  int64  `json:"size"`
	Time  int64  `json:"time"` // of the last change, ms since 1970
}

// Brought is what was chosen or dropped.
type Brought struct {
	Files []File   `json:"files"`
	Empty []string `json:"empty"` // directories without anything in them
}

// Take lists files and all that lies in directories. Links and other things that
// are no plain files are left out.
func (t *Taken) Take(chosen []string) (Brought, error) {
	var out Brought
	var paths []string
	for _, top := range chosen {
		err := filepath.WalkDir(top, func(p string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			rel, err := filepath.Rel(filepath.Dir(top), p)
			if err != nil {
				return err
			}
			rel = filepath.ToSlash(rel)
			if d.IsDir() {
				if inside, err := os.ReadDir(p); err == nil && len(inside) == 0 {
					out.Empty = append(out.Empty, rel)
				}
				return nil
			}
			info, err := os.Stat(p) // what was chosen may be a link to a file
			if err != nil || !info.Mode().IsRegular() || p != top && d.Type()&fs.ModeSymlink != 0 {
				return nil
			}
			if len(out.Files) == MaxTaken {
				return errTooMany
			}
			out.Files = append(out.Files, File{Token: rand.Text(), Path: rel, Size: info.Size(), Time: info.ModTime().UnixMilli()})
			paths = append(paths, p)
			return nil
		})
		if err != nil {
			return Brought{}, err
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.paths == nil {
		t.paths = map[string]string{}
	}
	for i, f := range out.Files {
		t.paths[f.Token] = paths[i]
		t.order = append(t.order, f.Token)
	}
	for len(t.order) > MaxTaken {
		delete(t.paths, t.order[0])
		t.order = t.order[1:]
	}
	return out, nil
}

// Open opens the file of a token. The caller closes it.
func (t *Taken) Open(token string) (*os.File, os.FileInfo, error) {
	t.mu.Lock()
	p, ok := t.paths[token]
	t.mu.Unlock()
	if !ok {
		return nil, nil, fs.ErrNotExist
	}
	f, err := os.Open(p)
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	return f, info, nil
}
