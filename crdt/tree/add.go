package tree

import "inselnetz/crdt/log"

// A Tree is the fold of a set of versions. It depends on the set alone, not on
// the order in which they came. It is for one goroutine at a time. Slices it
// returns inside of versions are shared and must not be changed.
type Tree struct {
	logs     numbers[log.LogID]
	devices  numbers[log.DeviceID]
	versions map[place]*version
	waiting  map[place][]*version // those that name a parent that is not known

	root      *spot
	last      *spot // where the last path led, since the next one is mostly there too
	files     int   // spots that hold a file or a link
	conflicts map[*spot]bool
	aways     map[*spot]*away          // of files at a directory's path
	guests    map[*spot]*spot          // which are shown here: their own spot
	wants     map[*spot]map[*spot]bool // whose away is here, or tried to be

	sets, walks, circles uint32
}

// numbers gives things numbers from 0.
type numbers[T comparable] struct {
	of  map[T]uint32
	all []T
}

func (n *numbers[T]) number(v T) uint32 {
	if len(n.all) > 0 && n.all[len(n.all)-1] == v {
		return uint32(len(n.all) - 1)
	}
	i, ok := n.of[v]
	if !ok {
		if n.of == nil {
			n.of = map[T]uint32{}
		}
		i = uint32(len(n.all))
		n.of[v] = i
		n.all = append(n.all, v)
	}
	return i
}

// New returns an empty tree.
func New() *Tree {
	return &Tree{
		versions:  map[place]*version{},
		waiting:   map[place][]*version{},
		root:      &spot{},
		conflicts: map[*spot]bool{},
		aways:     map[*spot]*away{},
		guests:    map[*spot]*spot{},
		wants:     map[*spot]map[*spot]bool{},
	}
}

// Add adds versions, those that are known already without effect, and returns
// the paths whose Node may have changed and those that the versions name,
// ascending.
func (t *Tree) Add(vs ...Known) (touched []string) {
	w := &work{}
	var fresh []*version
	for i := range vs {
		if v := t.take(w, &vs[i]); v != nil {
			fresh = append(fresh, v)
		}
	}
	t.derive(fresh)
	for _, f := range w.dirty {
		t.settle(w, f)
	}
	t.seeTo(w)
	return w.end()
}

// take adds one version and ties it to its neighbours. It returns nil if it is
// known.
func (t *Tree) take(w *work, k *Known) *version {
	at := t.place(k.ID)
	if t.versions[at] != nil || k.Path == "" {
		return nil
	}
	v := &version{
		place: at, clock: k.Clock, device: t.devices.number(k.Device),
		kind: k.Kind, size: k.Size, time: k.Time, sum: k.Sum, exec: k.Exec,
		at: t.spot(k.Path),
	}
	if k.Blocks != nil || k.Target != "" || k.Parents != nil {
		v.more = &more{blocks: k.Blocks, target: k.Target, parents: k.Parents}
	}
	t.versions[at] = v
	t.date(w, v.at, v)
	w.touch(v.at)
	v.file = &file{list: v, n: 1}
	w.soil(v.file)
	for i := range k.Parents {
		p := &k.Parents[i]
		if !before(p, &k.ID) {
			continue
		}
		at := t.place(*p)
		if known := t.versions[at]; known != nil {
			t.tie(w, known, v)
		} else {
			t.waiting[at] = append(t.waiting[at], v)
		}
	}
	if len(t.waiting) > 0 {
		for _, kid := range t.waiting[at] {
			t.tie(w, v, kid)
		}
		delete(t.waiting, at)
	}
	return v
}

// before reports whether p may be a parent of v: in one log it comes before.
func before(p, v *VersionID) bool { return p.Log != v.Log || p.Compare(*v) < 0 }

func (t *Tree) place(id VersionID) place {
	return place{log: t.logs.number(id.Log), n: id.N, seq: id.Seq}
}

func (t *Tree) id(p place) VersionID {
	return VersionID{Log: t.logs.all[p.log], Seq: p.seq, N: p.n}
}

func (t *Tree) known(v *version) Known {
	k := Known{
		ID:     t.id(v.place),
		Author: Author{Device: t.devices.all[v.device], Clock: v.clock},
		Version: Version{
			Path: v.at.path, Kind: v.kind, Size: v.size, Time: v.time, Exec: v.exec, Sum: v.sum,
		},
	}
	if v.more != nil {
		k.Blocks, k.Target, k.Parents = v.more.blocks, v.more.target, v.more.parents
	}
	return k
}
