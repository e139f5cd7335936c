//go:build cgo

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/automerge/automerge-go"
)

// spent is the processor time of this process.
func spent() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// A patch is [position, deleted, inserted].
type patch [3]any

func (p patch) on(text *automerge.Text) error {
	return text.Splice(int(p[0].(float64)), int(p[1].(float64)), p[2].(string))
}

func read(path string, to any) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, to)
}

func commit(d *automerge.Doc) error {
	zero := time.UnixMilli(0)
	_, err := d.Commit("", automerge.CommitOptions{Time: &zero, AllowEmpty: true})
	return err
}

// typed does patches, each as a change or all as one.
func typed(d *automerge.Doc, patches []patch, each bool) error {
	text := d.Path("text").Text()
	for _, p := range patches {
		if err := p.on(text); err != nil {
			return err
		}
		if each {
			if err := commit(d); err != nil {
				return err
			}
		}
	}
	return commit(d)
}

// measured is the processor time of f in microseconds.
func measured(f func() error) (float64, error) {
	start := spent()
	err := f()
	return float64(spent()-start) / 1e3, err
}

func newText() (*automerge.Doc, error) {
	d := automerge.New()
	return d, errors.Join(d.SetActorID("aa"), d.Path("text").Set(automerge.NewText("")))
}

// trace types a file of patches into a text.
func trace(r request) (any, error) {
	var patches []patch
	d, err := newText()
	if err := errors.Join(err, read(r.Path, &patches)); err != nil {
		return nil, err
	}
	edit, err := measured(func() error { return typed(d, patches, r.Each) })
	if err != nil {
		return nil, err
	}
	var b []byte
	save, _ := measured(func() error { b = d.Save(); return nil })
	return map[string]any{"edit": edit, "save": save, "size": len(b)}, nil
}

// open loads bytes and reads the text in them.
func open(r request) (any, error) {
	var d *automerge.Doc
	load, err := measured(func() (err error) { d, err = automerge.Load(r.Bytes); return err })
	if err != nil {
		return nil, err
	}
	text, err := measured(func() error { _, err := d.Path("text").Text().Get(); return err })
	return map[string]any{"load": load, "text": text}, err
}

// fill puts 100,000 keys, each as a change, and loads the result.
func fill(request) (any, error) {
	d := automerge.New()
	edit, err := measured(func() error {
		for i := range 100_000 {
			if err := d.Path(fmt.Sprintf("k%d", i)).Set(int64(i)); err != nil {
				return err
			}
			if err := commit(d); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	b := d.Save()
	load, err := measured(func() error { _, err := automerge.Load(b); return err })
	return map[string]any{"edit": edit, "load": load, "size": len(b)}, err
}

// merge merges two branches.
func merge(r request) (any, error) {
	var parts [3][]patch // before, here, there
	a, err := newText()
	if err := errors.Join(err, read(r.Path, &parts)); err != nil {
		return nil, err
	}
	if err := typed(a, parts[0], false); err != nil {
		return nil, err
	}
	b, err := a.Fork()
	if err != nil {
		return nil, err
	}
	if err := errors.Join(b.SetActorID("0b"), typed(a, parts[1], r.Each), typed(b, parts[2], r.Each)); err != nil {
		return nil, err
	}
	t, err := measured(func() error { _, err := a.Merge(b); return err })
	return map[string]any{"merge": t}, err
}
