package folder

import (
	"cmp"
	"path"
	"slices"
	"strings"
	"time"

	"inselnetz/crdt/log"
	"inselnetz/crdt/tree"
)

// Limits of what one device may change or delete of the files that lie here.
// What brings a file back to what it was before does not count.
const (
	soon      = 5 * time.Minute
	soonMany  = 50 // more files than these
	soonShare = 5  // or more than a fifth of the folder
	soonLeast = 10 // if at least so many
	soonLook  = 5  // or so many that look encrypted
	soonNames = 10 // or so many that got an extension nobody knows behind their own

	day      = 24 * time.Hour
	dayMany  = 300 // more files than these
	dayShare = 2   // or more than half of the folder
	dayLeast = 60  // if at least so many

	maxMarks = 1000 // files a device changed that are remembered
	maxLogs  = 1000 // logs of a device that are
)

// A Brake decides when too much of what one device does is held back until a
// person looked at it. It decides only; the Folder holds. It is for one
// goroutine at a time.
type Brake struct{ devices map[log.DeviceID]*braked }

// braked is what the Brake knows of one device.
type braked struct {
	marks   []brakeMark // one a file, ascending by time
	logs    map[log.LogID]*judged
	holding *Holding
}

// judged says how far a log was judged.
type judged struct {
	next step   // the first operation that was not
	held *step  // from here on everything is held
	upto uint64 // of the last entry that a Verdict let through
}

// A step is the place of an operation in a log.
type step struct {
	Seq uint64
	N   uint32
}

func (s step) compare(o step) int { return cmp.Or(cmp.Compare(s.Seq, o.Seq), cmp.Compare(s.N, o.N)) }

// A brakeMark is the last change of a file by a device that counts.
type brakeMark struct {
	at    time.Time
	path  string
	id    tree.VersionID
	look  bool // it looks encrypted
	named bool // it got an unknown extension
}

// Reasons of a Holding.
const (
	HeldMany      = "many"      // too many files within minutes
	HeldShare     = "share"     // too large a part of the folder within minutes
	HeldDay       = "day"       // too much within a day
	HeldEncrypted = "encrypted" // files that were readable look encrypted
)

// A Holding is a device whose versions are held, and why.
type Holding struct {
	Device  log.DeviceID
	Why     string           // HeldMany ...
	At      time.Time        // the effective time of the change at which the brake fell
	Window  time.Time        // the effective time from which on its changes were counted
	Counted []tree.VersionID // the changes in the window that were let through, ascending
}

// NewBrake returns a brake that saw nothing yet.
func NewBrake() *Brake { return &Brake{devices: map[log.DeviceID]*braked{}} }

// Effective returns when a change counts as made: at its clock, but not before
// seen, when this device last was in sync with its author, nor after now. So
// nobody escapes by a clock set back, and what was done over days without a
// connection counts as done over days.
func Effective(clock log.HLC, seen, now time.Time) time.Time {
	at := time.UnixMilli(clock.Millis())
	if at.Before(seen) {
		at = seen
	}
	if at.After(now) {
		at = now
	}
	return at
}

// Judge says whether a version is to be held, and counts it else. was is the
// living version on this device's disk that it changes or deletes (with the path
// it has there), nil if there is none or if v brings back what the file was
// before; files is how many files the folder has; at is the effective time.
// Versions of one log come in ascending order. One that was judged already is
// not counted again: it is held if it was, unless a Verdict came since.
func (b *Brake) Judge(v tree.Known, was *tree.Known, files int, at time.Time) (hold bool) {
	d := b.device(v.Device)
	l := d.log(v.ID.Log)
	here := step{v.ID.Seq, v.ID.N}
	switch {
	case v.ID.Seq <= l.upto:
		return false
	case here.compare(l.next) < 0:
		return l.held != nil && here.compare(*l.held) >= 0
	}
	l.next = step{v.ID.Seq, v.ID.N + 1}
	if d.holding == nil && was != nil && changes(&v.Version, &was.Version) {
		m := brakeMark{at: at, path: was.Path, id: v.ID, named: named(&v.Version, &was.Version)}
		d.add(m)
		d.holding = d.tooMuch(m, files)
		if d.holding != nil {
			d.holding.Device = v.Device
		}
	}
	if d.holding == nil {
		return false
	}
	if l.held == nil {
		l.held = &here
	}
	return true
}

// Sample looks at how the content that v brings begins (16 KiB, or all of it)
// and at how the one it replaces does, before it is applied, and says whether
// v's device is held, from now on or already.
func (b *Brake) Sample(v tree.Known, first []byte, was tree.Known, old []byte, at time.Time) (hold bool) {
	d := b.device(v.Device)
	if d.holding == nil && v.Kind == tree.File && looksEncrypted(v.Path, first) && !looksEncrypted(was.Path, old) && len(old) >= leastSample {
		m := brakeMark{at: at, path: was.Path, id: v.ID}
		if i := slices.IndexFunc(d.marks, func(o brakeMark) bool { return o.path == m.path }); i >= 0 {
			m = d.marks[i]
		}
		m.look = true
		d.add(m)
		d.holding = d.tooMuch(m, 0)
		if d.holding != nil {
			d.holding.Device = v.Device
		}
	}
	return d.holding != nil
}

// Holds reports whether a device is held: none of its versions is to be added,
// except those that a Verdict named.
func (b *Brake) Holds(dev log.DeviceID) bool {
	d := b.devices[dev]
	return d != nil && d.holding != nil
}

// Held returns all devices that are held, ascending.
func (b *Brake) Held() []Holding {
	var all []Holding
	for _, d := range b.devices {
		if d.holding != nil {
			all = append(all, *d.holding)
		}
	}
	slices.SortFunc(all, func(x, y Holding) int { return slices.Compare(x.Device[:], y.Device[:]) })
	return all
}

// Decide takes in a verdict. If it ends a holding, that is returned: versions up
// to v.Upto are then to be added without judging, later ones judged anew, with
// nothing counted before. A verdict of the held device itself ends nothing, nor
// one that names only what others named before.
func (b *Brake) Decide(v Verdict) (Holding, bool) {
	if v.Author.Device == v.Verdict.Device {
		return Holding{}, false
	}
	d := b.device(v.Verdict.Device)
	news := false
	for _, u := range v.Upto {
		if l := d.logs[u.Log]; l == nil && len(d.logs) >= maxLogs {
			continue
		}
		if l := d.log(u.Log); u.Seq > l.upto {
			l.upto, news = u.Seq, true
		}
	}
	if !news || d.holding == nil {
		return Holding{}, false
	}
	ended := *d.holding
	d.holding, d.marks = nil, nil
	for _, l := range d.logs {
		if l.held != nil { // what was held and not named is judged anew
			l.next, l.held = *l.held, nil
		}
	}
	return ended, true
}

func (b *Brake) device(id log.DeviceID) *braked {
	d := b.devices[id]
	if d == nil {
		d = &braked{logs: map[log.LogID]*judged{}}
		b.devices[id] = d
	}
	return d
}

func (d *braked) log(id log.LogID) *judged {
	l := d.logs[id]
	if l == nil {
		l = &judged{}
		d.logs[id] = l
	}
	return l
}

// add adds a mark in place of the one its file has, unless that is newer.
func (d *braked) add(m brakeMark) {
	if i := slices.IndexFunc(d.marks, func(o brakeMark) bool { return o.path == m.path }); i >= 0 {
		old := d.marks[i]
		if old.at.After(m.at) {
			m.at = old.at
		}
		m.look, m.named = m.look || old.look, m.named || old.named
		d.marks = slices.Delete(d.marks, i, i+1)
	}
	i, _ := slices.BinarySearchFunc(d.marks, m, func(a, b brakeMark) int { return a.at.Compare(b.at) })
	d.marks = slices.Insert(d.marks, i, m)
	if len(d.marks) > maxMarks {
		d.marks = slices.Delete(d.marks, 0, len(d.marks)-maxMarks)
	}
}

// tooMuch returns a Holding if some window around m has too much in it.
func (d *braked) tooMuch(m brakeMark, files int) *Holding {
	for _, w := range d.windows(m, soon) {
		look, names := 0, 0
		for _, m := range w {
			if m.look {
				look++
			}
			if m.named {
				names++
			}
		}
		switch {
		case look >= soonLook || names >= soonNames:
			return holding(HeldEncrypted, m, w)
		case len(w) > soonMany:
			return holding(HeldMany, m, w)
		case files > 0 && len(w) >= soonLeast && len(w)*soonShare > files:
			return holding(HeldShare, m, w)
		}
	}
	for _, w := range d.windows(m, day) {
		if len(w) > dayMany || files > 0 && len(w) >= dayLeast && len(w)*dayShare > files {
			return holding(HeldDay, m, w)
		}
	}
	return nil
}

// windows returns the longest runs of marks with m in them that are at most this
// long.
func (d *braked) windows(m brakeMark, length time.Duration) (all [][]brakeMark) {
	from := 0
	for to := range d.marks {
		for d.marks[to].at.Sub(d.marks[from].at) > length {
			from++
		}
		if !m.at.Before(d.marks[from].at) && !m.at.After(d.marks[to].at) {
			all = append(all, d.marks[from:to+1])
		}
	}
	return all
}

func holding(why string, last brakeMark, window []brakeMark) *Holding {
	h := &Holding{Why: why, At: last.at, Window: window[0].at}
	for _, m := range window {
		if m.id != last.id || last.look { // what is sampled was let through
			h.Counted = append(h.Counted, m.id)
		}
	}
	slices.SortFunc(h.Counted, tree.VersionID.Compare)
	return h
}

// changes reports whether v does more to a living file than to move it under
// the same extension.
func changes(v, was *tree.Version) bool {
	return !v.SameContent(was) || path.Ext(v.Path) != path.Ext(was.Path)
}

// named reports whether v changes a file and puts an extension that is not known
// behind its name.
func named(v, was *tree.Version) bool {
	more, ok := strings.CutPrefix(path.Base(v.Path), path.Base(was.Path)+".")
	return ok && v.Kind == tree.File && !v.SameContent(was) && !knownExtension(more)
}
