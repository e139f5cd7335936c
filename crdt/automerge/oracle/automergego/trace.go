//go:build cgo

package main

import (
	"fmt"
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

// trace types the patches [position, deleted, inserted] into a text and tells the
// processor time of that, and of saving, in nanoseconds.
func trace(r request) (any, error) {
	d := automerge.New()
	if err := d.SetActorID("aa"); err != nil {
		return nil, err
	}
	zero := time.Unix(0, 0)
	commit := func() error {
		_, err := d.Commit("", automerge.CommitOptions{Time: &zero})
		return err
	}
	if err := d.Path("text").Set(automerge.NewText("")); err != nil {
		return nil, err
	}
	text := d.Path("text").Text()
	start := spent()
	for _, txn := range r.Txns {
		for _, p := range txn {
			if err := text.Splice(int(p[0].(float64)), int(p[1].(float64)), p[2].(string)); err != nil {
				return nil, err
			}
		}
		if r.Commit {
			if err := commit(); err != nil {
				return nil, err
			}
		}
	}
	if !r.Commit {
		if err := commit(); err != nil {
			return nil, err
		}
	}
	edits := spent() - start
	start = spent()
	b := d.Save()
	return map[string]any{"edit": edits, "save": spent() - start, "bytes": b, "heads": fmt.Sprint(d.Heads())}, nil
}

// files tells the processor time to load bytes and to read the text in them.
func files(r request) (any, error) {
	start := spent()
	d, err := automerge.Load(r.Bytes)
	if err != nil {
		return nil, err
	}
	load := spent() - start
	start = spent()
	n := 0
	if v, err := d.Path("text").Get(); err == nil && v.Kind() == automerge.KindText {
		s, err := v.Text().Get()
		if err != nil {
			return nil, err
		}
		n = len(s)
	}
	return map[string]any{"load": load, "text": spent() - start, "length": n}, nil
}
