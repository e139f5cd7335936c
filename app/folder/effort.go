package folder

import (
	"context"
	"errors"
)

// An effort is plans that are carried out one after the other: what the first ones
// brought gets its names while the next ones are fetched.
type effort struct {
	c     *committer      // of all plans with many files; nil: none yet
	taken map[string]bool // paths in c
	look  []string
	did   bool
}

// plansAtOnce is how many plans an effort has at most, so that it ends although
// more comes all the time.
const plansAtOnce = 50

// try makes plans and carries them out until nothing new came meanwhile.
func (f *Folder) try(ctx context.Context, all bool, aside func(*job), w *effort) error {
	var err error
	for n := 0; err == nil && (n == 0 || n < plansAtOnce && w.c != nil && f.more(w.taken)); n++ {
		var p *plan
		f.work.Lock()
		p, err = f.arrange(ctx, all && n == 0, w.taken)
		f.work.Unlock()
		if err == nil {
			err = f.bring(ctx, p, aside, w)
		}
		if p != nil {
			w.look = append(w.look, p.look...)
			w.did = w.did || len(p.place)+len(p.remove)+len(p.leave)+len(p.dirs) > 0
		}
	}
	if w.c != nil {
		err = errors.Join(err, w.c.close())
		w.look = append(w.look, w.c.look...)
	}
	return err
}

// more tells whether a path is new on the list that is not at work.
func (f *Folder) more(taken map[string]bool) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for path, why := range f.todo {
		if why == todoNew && !taken[path] {
			return true
		}
	}
	return false
}
