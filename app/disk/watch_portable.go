package disk

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/fsnotify/fsnotify"
)

// Watch is what the function of this name calls.
func (p *portable) Watch(ctx context.Context) (*Watcher, error) {
	n, err := fsnotify.NewBufferedWatcher(4096)
	if err != nil {
		return nil, failure("watch", "", err)
	}
	feed, w := NewFeed(ctx, false)
	r := &recursive{fs: p, n: n, feed: feed, base: p.root.Name()}
	if err := r.add("", false); err != nil {
		n.Close()
		return nil, failure("watch", "", err)
	}
	context.AfterFunc(ctx, func() { n.Close() })
	go r.read()
	return w, nil
}

// recursive watches every directory of a tree by hand.
type recursive struct {
	fs   *portable
	n    *fsnotify.Watcher
	feed *Feed
	base string
}

// add watches a directory and all below; of what is in new ones it tells.
func (r *recursive) add(dir string, tell bool) error {
	if hidden(dir) {
		return nil
	}
	list, err := r.fs.List(dir)
	if err != nil {
		return nil // gone again, a link, or not ours to read
	}
	if err := r.n.Add(filepath.Join(r.base, filepath.FromSlash(dir))); err != nil {
		r.feed.Fail(fmt.Errorf("watch %s: %w", dir, err))
		r.feed.Put(dir, Lost)
		return err
	}
	if tell { // more may have come since the first look
		if list, err = r.fs.List(dir); err != nil {
			return nil
		}
	}
	for _, i := range list {
		path := strings.TrimPrefix(dir+"/"+i.Name, "/")
		if i.Kind == Dir {
			r.add(path, tell)
		}
		if tell {
			r.feed.Put(path, Touched)
		}
	}
	return nil
}

func (r *recursive) read() {
	for {
		select {
		case e, ok := <-r.n.Events:
			if !ok {
				return
			}
			r.event(e)
		case err, ok := <-r.n.Errors:
			if !ok {
				return
			}
			if !errors.Is(err, fsnotify.ErrEventOverflow) {
				r.feed.Fail(fmt.Errorf("watch: %w", err))
			}
			r.feed.Put("", Lost)
		}
	}
}

func (r *recursive) event(e fsnotify.Event) {
	rel, err := filepath.Rel(r.base, e.Name)
	if err != nil || rel == "." {
		return
	}
	path := filepath.ToSlash(rel)
	i, err := r.fs.Stat(path)
	switch {
	case err != nil:
		r.feed.Put(path, Gone)
	case e.Has(fsnotify.Create) && i.Kind == Dir:
		r.add(path, true)
		r.feed.Put(path, Touched)
	case i.Kind != Dir:
		r.feed.Put(path, Touched)
	}
}
