package folder

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"time"

	"inselnetz/crdt/log"
	"inselnetz/crdt/tree"
)

// brakeAt is where the brake's state lies.
const brakeAt = hidden + "/brake"

// decideMost is how many of the newest versions are looked through for what a
// device made since its holding began.
const decideMost = 200_000

// sampleSize is how much of a content's beginning the brake looks at.
const sampleSize = 16 << 10

// A Hold is a device whose changes wait for a person to decide.
type Hold struct {
	Device  log.DeviceID
	Why     string        // HeldMany ...
	Since   time.Time     // when the brake fell
	Window  time.Duration // in which the changes were made
	Files   int           // paths that are held
	Applied int           // changes that were let through before
	Sample  []string      // some of the held paths, at most 20
}

// loadBrake reads the brake's state; mu is not needed yet.
func (f *Folder) loadBrake() error {
	b, _, err := f.fs.Read(brakeAt, nil)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	brake, err := LoadBrake(b)
	if err != nil {
		f.log.Warn("state of the brake is lost", "err", err)
		return nil
	}
	f.mu.Lock()
	f.brake = brake
	f.mu.Unlock()
	return nil
}

// saveBrake writes the brake's state: at once if a device is held or not any
// more, else now and then. If that is lost in a crash, some changes are not
// counted; nothing is applied that was held.
func (f *Folder) saveBrake(now bool) error {
	f.mu.Lock()
	at := f.host.Now()
	if f.saved == brakeSame || f.saved == brakeCounted && !now && at.Sub(f.savedAt) < brakeEvery {
		f.mu.Unlock()
		return nil
	}
	b, err := f.brake.Save()
	was := f.saved
	f.saved, f.savedAt = brakeSame, at
	f.mu.Unlock()
	if err == nil {
		err = f.replace(brakeAt, b)
	}
	if err != nil {
		f.mu.Lock()
		f.saved = max(was, f.saved)
		f.mu.Unlock()
	}
	return err
}

// How the brake differs from what is saved.
const (
	brakeSame = iota
	brakeCounted
	brakeFell // or was released
)

const brakeEvery = 5 * time.Second

// pass returns those of the versions that the brake lets through and remembers
// the others; mu is held.
func (f *Folder) pass(vs []tree.Known) []tree.Known {
	var out []tree.Known
	now := f.host.Now()
	last := map[log.DeviceID]time.Time{}
	for i := range vs {
		v := &vs[i]
		if v.Device == f.opts.Device || f.index == nil {
			out = append(out, *v)
			continue
		}
		seen, asked := last[v.Device]
		if !asked && f.opts.Seen != nil {
			seen = f.opts.Seen(v.Device)
			last[v.Device] = seen
		}
		_, was := f.onDiskNow(v)
		if was != nil && (f.tree.Had(v) || f.undoes(v)) {
			was = nil
		}
		held := f.brake.Holds(v.Device)
		f.saved = max(f.saved, brakeCounted)
		if f.brake.Judge(*v, was, f.index.files, Effective(v.Clock, seen, now)) {
			f.held[v.ID] = *v
			if !held {
				f.saved = brakeFell
			}
			continue
		}
		delete(f.held, v.ID)
		out = append(out, *v)
	}
	return out
}

// undoes tells whether a version replaces only what another device, which is
// held here, made, or what was discarded. Putting back is not braked. mu is held.
func (f *Folder) undoes(v *tree.Known) bool {
	for _, id := range v.Parents {
		k, ok := f.tree.Known(id)
		if !ok {
			if k, ok = f.held[id]; !ok {
				return false
			}
		}
		if k.Device == v.Device || !f.brake.Holds(k.Device) && id.Seq > f.undone[id.Log] {
			return false
		}
	}
	return len(v.Parents) > 0
}

// onDiskNow returns the file on this disk that a version changes or deletes, and
// which version that is; mu is held.
func (f *Folder) onDiskNow(v *tree.Known) (*rec, *tree.Known) {
	paths := make([]string, 0, 4)
	for _, id := range v.Parents {
		if k, ok := f.tree.Known(id); ok {
			paths = append(paths, k.Path)
		} else if k, ok := f.held[id]; ok {
			paths = append(paths, k.Path)
		}
	}
	paths = append(paths, v.Path)
	for _, path := range paths {
		r := f.index.get(path)
		if r == nil || r.Kind != tree.File || len(r.Base) == 0 {
			continue
		}
		if k, ok := f.tree.Known(r.Base[0]); ok && k.ID != v.ID {
			k.Path = path
			return r, &k
		}
	}
	return nil, nil
}

// decide takes in verdicts and adds what they release; mu is held.
func (f *Folder) decide(verdicts []Verdict) {
	for _, v := range verdicts {
		f.saved = brakeFell
		_, ended := f.brake.Decide(v)
		if ended {
			f.release(v.Verdict.Device)
		}
		// Else whoever wants to delete much could first declare it discarded.
		if mine := v.Verdict.Device == f.opts.Device && v.Author.Device != f.opts.Device; (ended || mine) && !v.Accept {
			for _, u := range v.Upto {
				f.undone[u.Log] = max(f.undone[u.Log], u.Seq)
			}
			f.undo(v.Author.Device)
		}
	}
}

// undo releases a device that is held only for putting back what a verdict
// discarded. mu is held.
func (f *Folder) undo(by log.DeviceID) {
	if !f.brake.Holds(by) {
		return
	}
	upto := map[log.LogID]uint64{}
	for id, k := range f.held {
		if k.Device != by {
			continue
		}
		if !f.undoes(&k) && !f.tree.Had(&k) {
			return
		}
		upto[id.Log] = max(upto[id.Log], id.Seq)
	}
	own := Verdict{Author: tree.Author{Device: f.opts.Device}, Verdict: tree.Verdict{Device: by, Upto: deps(upto), Accept: true}}
	if _, ended := f.brake.Decide(own); ended {
		f.release(by)
	}
}

// release judges anew what was held of a device; mu is held.
func (f *Folder) release(dev log.DeviceID) {
	var again []tree.Known
	for id, k := range f.held {
		if k.Device == dev {
			again = append(again, k)
			delete(f.held, id)
		}
	}
	slices.SortFunc(again, func(a, b tree.Known) int { return a.ID.Compare(b.ID) })
	f.add(f.pass(again))
	for path, why := range f.todo {
		if why == todoHeld {
			f.todo[path] = todoNew
		}
	}
}

// deps returns numbers of logs in ascending order of log.
func deps(upto map[log.LogID]uint64) []log.Dep {
	var out []log.Dep
	for _, id := range slices.SortedFunc(maps.Keys(upto), func(a, b log.LogID) int { return bytes.Compare(a[:], b[:]) }) {
		out = append(out, log.Dep{Log: id, Seq: upto[id]})
	}
	return out[:min(len(out), tree.MaxLogs)]
}

// holds tells whether what a path is now comes from a device that is held; mu is
// held.
func (f *Folder) holds(node *tree.Node, living bool) bool {
	if len(f.held) == 0 && len(f.brake.Held()) == 0 {
		return false
	}
	if living {
		return f.brake.Holds(node.Shown.Device)
	}
	gone, ok := f.tree.Gone(node.Path)
	return ok && gone.Deleted != nil && f.brake.Holds(gone.Deleted.Device)
}

// sample shows the brake how a content begins that is to replace what is on the
// disk, and tells whether its device is held now.
func (f *Folder) sample(j *job, first []byte) bool {
	if j.v.Device == f.opts.Device {
		return false
	}
	f.mu.Lock()
	r, was := f.onDiskNow(&j.v)
	f.mu.Unlock()
	if r == nil || was.Size == 0 {
		return false
	}
	old := make([]byte, min(r.Size, sampleSize))
	h, err := f.fs.Open(r.Path)
	if err != nil {
		return false
	}
	n, _ := h.ReadAt(old, 0)
	h.Close()
	f.mu.Lock()
	defer f.mu.Unlock()
	var seen time.Time
	if f.opts.Seen != nil {
		seen = f.opts.Seen(j.v.Device)
	}
	f.saved = max(f.saved, brakeCounted)
	held := f.brake.Holds(j.v.Device)
	if !f.brake.Sample(j.v, first[:min(len(first), sampleSize)], *was, old[:n], Effective(j.v.Clock, seen, f.host.Now())) && !f.brake.Holds(j.v.Device) {
		return false
	}
	if !held {
		f.saved = brakeFell
	}
	f.todo[j.path] = todoHeld
	return true
}

// Holds returns the devices whose changes wait for a decision.
func (f *Folder) Holds() []Hold {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []Hold
	for _, h := range f.brake.Held() {
		paths := map[string]bool{}
		for _, k := range f.held {
			if k.Device == h.Device {
				paths[k.Path] = true
			}
		}
		hold := Hold{Device: h.Device, Why: h.Why, Since: h.At, Window: h.At.Sub(h.Window), Files: len(paths), Applied: len(h.Counted)}
		hold.Sample = slices.Sorted(maps.Keys(paths))
		hold.Sample = hold.Sample[:min(len(hold.Sample), 20)]
		out = append(out, hold)
	}
	return out
}

// Decide ends the holding of a device for everyone: what is held is accepted, or
// everything the device changed since the window began is put back to what was
// before. Either way it can be undone by Restore and Rewind.
func (f *Folder) Decide(ctx context.Context, dev log.DeviceID, accept bool) error {
	if !f.mayWrite() {
		return ErrReadOnly
	}
	f.using.RLock()
	defer f.using.RUnlock()
	f.mu.Lock()
	i := slices.IndexFunc(f.brake.Held(), func(h Holding) bool { return h.Device == dev })
	if i < 0 {
		f.mu.Unlock()
		return fmt.Errorf("nothing of device %v is held: %w", dev, fs.ErrNotExist)
	}
	h := f.brake.Held()[i]
	verdict := tree.Verdict{Device: dev, Accept: accept}
	upto := map[log.LogID]uint64{}
	bad := map[tree.VersionID]tree.Known{}
	for id, k := range f.held {
		if k.Device == dev {
			bad[id] = k
			upto[id.Log] = max(upto[id.Log], id.Seq)
		}
	}
	for _, id := range h.Counted {
		if k, ok := f.tree.Known(id); ok {
			bad[id] = k
			upto[id.Log] = max(upto[id.Log], id.Seq)
		}
	}
	// What it made is not counted, and goes with the rest.
	for _, k := range f.tree.Recent("", decideMost) {
		if k.Device == dev && k.Clock.Millis() >= h.Window.UnixMilli() {
			bad[k.ID] = k
			upto[k.ID.Log] = max(upto[k.ID.Log], k.ID.Seq)
		}
	}
	var back []tree.Version
	if !accept {
		back = f.putBack(bad)
	}
	f.mu.Unlock()
	verdict.Upto = deps(upto)
	// What puts back comes first: nobody then shows what is discarded.
	if _, err := f.announce(ctx, back); err != nil {
		return err
	}
	v, err := f.host.Verdict(ctx, verdict)
	if err != nil {
		return fmt.Errorf("publish the decision: %w", err)
	}
	f.Add(nil, v)
	return nil
}

// putBack returns versions that undo the given ones: for each file its last
// state before them, for what they made a deletion. mu is held.
func (f *Folder) putBack(bad map[tree.VersionID]tree.Known) []tree.Version {
	replaced := map[tree.VersionID]bool{}
	for _, k := range bad {
		for _, p := range k.Parents {
			replaced[p] = true
		}
	}
	byRoot := map[tree.VersionID]*tree.Version{}
	var out []*tree.Version
	for _, id := range slices.SortedFunc(maps.Keys(bad), tree.VersionID.Compare) {
		if replaced[id] || f.builtOn(id, bad) {
			continue // only the last ones are parents
		}
		k := bad[id]
		root, ok := f.before(k, bad, map[tree.VersionID]bool{})
		if !ok {
			if k.Kind != tree.Gone {
				out = append(out, &tree.Version{Path: k.Path, Kind: tree.Gone, Parents: []tree.VersionID{id}})
			}
			continue
		}
		v := byRoot[root.ID]
		if v == nil {
			back := as(root.Path, &root.Version, []tree.VersionID{root.ID})
			v = &back
			byRoot[root.ID] = v
			out = append(out, v)
		}
		if len(v.Parents) < tree.MaxParents {
			v.Parents = append(v.Parents, id)
		}
	}
	vs := make([]tree.Version, len(out))
	for i, v := range out {
		slices.SortFunc(v.Parents, tree.VersionID.Compare)
		vs[i] = *v
	}
	return vs
}

// builtOn tells whether somebody replaced a bad version meanwhile: that person
// has decided about the file. mu is held.
func (f *Folder) builtOn(id tree.VersionID, bad map[tree.VersionID]tree.Known) bool {
	return slices.ContainsFunc(f.tree.ChildrenOf(id), func(c tree.VersionID) bool {
		_, is := bad[c]
		return !is
	})
}

// before returns the newest version that the given one comes from and that is
// not among the bad ones; mu is held.
func (f *Folder) before(k tree.Known, bad map[tree.VersionID]tree.Known, been map[tree.VersionID]bool) (best tree.Known, ok bool) {
	for _, id := range k.Parents {
		if been[id] {
			continue
		}
		been[id] = true
		p, known := bad[id]
		if known {
			p, known = f.before(p, bad, been)
		} else {
			p, known = f.tree.Known(id)
		}
		if known && (!ok || p.Compare(best) > 0) {
			best, ok = p, true
		}
	}
	return best, ok
}
