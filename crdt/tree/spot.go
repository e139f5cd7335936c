package tree

import (
	"crypto/sha256"
	"encoding/hex"
	"iter"
	"slices"
	"strconv"
	"strings"
)

// A spot is a path that some version names, or a directory above one.
type spot struct {
	path  string
	up    *spot
	kids  map[string]*spot // by Key of their names; one of each ring of twins
	twin  *spot            // next in its ring; nil if it has no twin
	files *file            // those that lie here
	first *version         // the oldest that names this path or one below
	below int32            // living files at paths below
	lives bool             // there is something, away or not
	holds bool             // that is a file or a link among it

	review, touched bool // in the work at hand
}

// An away is where the files at a directory's path are shown.
type away struct {
	at    *spot
	tried []*spot // all names up to that, which are taken
}

// work is what one Add has to see to in the end.
type work struct {
	dirty   []*file
	review  []*spot
	touched []*spot
	twins   map[*spot]bool // of rings, of which another one may have the name now
}

func (w *work) soil(f *file) {
	if !f.dirty {
		f.dirty = true
		w.dirty = append(w.dirty, f)
	}
}

func (w *work) see(s *spot) {
	if !s.review {
		s.review = true
		w.review = append(w.review, s)
	}
}

func (w *work) touch(s *spot) {
	if !s.touched {
		s.touched = true
		w.touched = append(w.touched, s)
	}
}

// end returns the paths that were touched.
func (w *work) end() []string {
	paths := make([]string, len(w.touched))
	for i, s := range w.touched {
		paths[i] = s.path
		s.touched = false
	}
	slices.Sort(paths)
	return paths
}

func (s *spot) name() string { return s.path[strings.LastIndexByte(s.path, '/')+1:] }

// find returns the spot of a path, or nil.
func (t *Tree) find(path string) *spot {
	s := t.root
	for rest, more := path, path != ""; more; {
		var name string
		name, rest, more = strings.Cut(rest, "/")
		s = s.kid(name)
		if s == nil {
			return nil
		}
	}
	return s
}

func (s *spot) kid(name string) *spot {
	return s.kids[Key(name)].named(name)
}

// named returns the one in the ring of s with this name, or nil.
func (s *spot) named(name string) *spot {
	for k := range s.ring() {
		if k.name() == name {
			return k
		}
	}
	return nil
}

// ring yields s and its twins; nothing of nil.
func (s *spot) ring() iter.Seq[*spot] {
	return func(yield func(*spot) bool) {
		for k := s; k != nil && yield(k); {
			if k = k.twin; k == s {
				return
			}
		}
	}
}

// spot returns the spot of a path, new or not.
func (t *Tree) spot(path string) *spot {
	if i := strings.LastIndexByte(path, '/'); i >= 0 && t.last != nil && t.last.path == path[:i] {
		return t.last.grow(path)
	}
	s := t.root
	for end := 0; end < len(path); {
		if i := strings.IndexByte(path[end+1:], '/'); i >= 0 {
			end += 1 + i
		} else {
			t.last, end = s, len(path)
		}
		s = s.grow(path[:end])
	}
	return s
}

// grow returns the kid of s with this path, new or not.
func (s *spot) grow(path string) *spot {
	name := path[strings.LastIndexByte(path, '/')+1:]
	key := Key(name)
	twin := s.kids[key]
	if k := twin.named(name); k != nil {
		return k
	}
	k := &spot{path: path, up: s}
	if twin != nil { // the map keeps the key it has
		k.twin, twin.twin = twin.twin, k
		if k.twin == nil {
			k.twin = twin
		}
		return k
	}
	if s.kids == nil {
		s.kids = map[string]*spot{}
	}
	s.kids[key] = k
	return k
}

// date tells a spot and those above it that v names it.
func (t *Tree) date(w *work, s *spot, v *version) {
	for ; s != nil && (s.first == nil || t.order(v, s.first) < 0); s = s.up {
		s.first = v
		w.touchTwins(s)
	}
}

// put places f at a spot.
func (t *Tree) put(w *work, f *file, at *spot, live bool) {
	if f.at != at {
		t.lift(w, f)
		f.at = at
		f.next, at.files = at.files, f
	}
	if f.live != live {
		f.live = live
		change := int32(1)
		if !live {
			change = -1
		}
		t.count(w, at, change)
	}
	w.see(at)
}

// lift takes f from its spot.
func (t *Tree) lift(w *work, f *file) {
	if f.at == nil {
		return
	}
	for p := &f.at.files; ; p = &(*p).next {
		if *p == f {
			*p = f.next
			break
		}
	}
	w.see(f.at)
	if f.live {
		t.count(w, f.at, -1)
	}
	f.at, f.next, f.live = nil, nil, false
}

// count adds to the living files below the spots above s.
func (t *Tree) count(w *work, s *spot, n int32) {
	for s = s.up; s != nil; s = s.up {
		s.below += n
		if s.below == 0 || s.below == n { // a directory began or ended
			w.see(s)
		}
	}
}

// living returns the contents at a spot, newest first and no two the same:
// directories, and files and links.
func (t *Tree) living(s *spot) (dirs, files []*version) {
	var buf [1]*version
	n := 0
	for f := s.files; f != nil; f = f.next {
		if !f.live {
			continue
		}
		n++
		for _, v := range f.contents(&buf) {
			if v.kind == Dir {
				dirs = append(dirs, v)
			} else {
				files = append(files, v)
			}
		}
	}
	if n > 1 {
		if len(dirs) > 0 {
			dirs = t.contentsOf(dirs)
		}
		if len(files) > 0 {
			files = t.contentsOf(files)
		}
	}
	return dirs, files
}

// seeTo sees to all spots that changed.
func (t *Tree) seeTo(w *work) {
	var homes []*spot
	for _, s := range w.review {
		s.review = false
		if s == t.root {
			continue
		}
		w.touch(s)
		dirs, files := t.living(s)
		holds, lives := len(files) > 0, len(files)+len(dirs) > 0 || s.below > 0
		if holds != s.holds {
			s.holds = holds
			if holds {
				t.files++
			} else {
				t.files--
			}
		}
		if len(files) > 1 {
			t.conflicts[s] = true
		} else {
			delete(t.conflicts, s)
		}
		if lives != s.lives {
			s.lives = lives
			w.touchTwins(s)
			for home := range t.wants[s] {
				homes = append(homes, home)
			}
		}
		if t.aways[s] != nil || holds && (len(dirs) > 0 || s.below > 0) {
			homes = append(homes, s)
		}
	}
	slices.SortFunc(homes, func(a, b *spot) int { return strings.Compare(a.path, b.path) })
	for _, s := range slices.Compact(homes) {
		t.settleAway(w, s)
	}
	for twin := range w.twins {
		for s := range twin.ring() {
			t.touchAll(w, s)
		}
	}
}

// settleAway finds the place of the files at a spot that is a directory's too.
func (t *Tree) settleAway(w *work, home *spot) {
	if a := t.aways[home]; a != nil {
		for _, s := range a.tried {
			delete(t.wants[s], home)
			if len(t.wants[s]) == 0 {
				delete(t.wants, s)
			}
		}
		delete(t.aways, home)
		delete(t.guests, a.at)
		w.touch(a.at)
		w.touchTwins(a.at)
	}
	dirs, files := t.living(home)
	if len(files) == 0 || len(dirs) == 0 && home.below == 0 {
		return
	}
	a := &away{}
	for n := 1; ; n++ {
		a.at = t.spot(awayPath(home.path, n))
		a.tried = append(a.tried, a.at)
		if t.wants[a.at] == nil {
			t.wants[a.at] = map[*spot]bool{}
		}
		t.wants[a.at][home] = true
		if !a.at.lives && t.guests[a.at] == nil {
			break
		}
	}
	t.aways[home], t.guests[a.at] = a, home
	w.touch(a.at)
	w.touchTwins(a.at)
}

// awayPath returns the n-th path, from 1, under which a file is shown whose own
// is a directory's. No two paths give the same one.
func awayPath(path string, n int) string {
	name := path[strings.LastIndexByte(path, '/')+1:]
	dir := path[:len(path)-len(name)]
	ext := extension(name)
	if strings.Contains(ext, " ") { // else "a. (Datei)" and "a (Datei)." would meet
		ext = ""
	}
	word := " (Datei)"
	if n > 1 {
		word = " (Datei " + strconv.Itoa(n) + ")"
	}
	if away := name[:len(name)-len(ext)] + word + ext; len(away) <= MaxName && len(dir)+len(away) <= MaxPath {
		return dir + away
	}
	// Too long: a hash keeps it apart from others, and it lies at the top if the
	// directory leaves it no room.
	h := sha256.Sum256([]byte(path + "\x00" + strconv.Itoa(n)))
	stem := name[:len(name)-len(ext)]
	if len(ext) > 32 {
		ext = ""
	}
	word = " (Datei " + hex.EncodeToString(h[:16]) + ")" + ext
	if len(dir) > MaxPath-MaxName {
		dir = ""
	}
	return dir + cutText(stem, MaxName-len(word)) + word
}

// shown reports whether there is a node at s.
func (t *Tree) shown(s *spot) bool { return s.lives || len(t.guests) > 0 && t.guests[s] != nil }

// touchTwins says that another twin of s may have the name now.
func (w *work) touchTwins(s *spot) {
	if s.twin == nil {
		return
	}
	if w.twins == nil {
		w.twins = map[*spot]bool{}
	}
	w.twins[s.up.kids[Key(s.name())]] = true
}

// touchAll touches s and all below it.
func (t *Tree) touchAll(w *work, s *spot) {
	if !t.shown(s) {
		return
	}
	w.touch(s)
	for k := range s.each() {
		t.touchAll(w, k)
	}
}

// each yields the spots right below s, in no order.
func (s *spot) each() iter.Seq[*spot] {
	return func(yield func(*spot) bool) {
		for _, one := range s.kids {
			for k := range one.ring() {
				if !yield(k) {
					return
				}
			}
		}
	}
}

// owner returns which of the twins of s and itself has the name: the one first
// named; nil if none is shown.
func (t *Tree) owner(s *spot) (best *spot) {
	if s.twin == nil {
		return s
	}
	for k := range s.ring() {
		if t.shown(k) && (best == nil || t.before(k, best)) {
			best = k
		}
	}
	return best
}

func (t *Tree) before(a, b *spot) bool {
	switch {
	case a.first == nil && b.first == nil, a.first == b.first:
		return a.path < b.path
	case a.first == nil || b.first == nil:
		return a.first != nil
	}
	return t.order(a.first, b.first) < 0
}
