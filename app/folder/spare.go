package folder

import (
	"errors"

	"inselnetz/crdt/tree"
)

// Where a connection is paid by volume, large contents wait until a person asks for
// them: for all that wait now, or by opening one. What is on this device goes to
// its places as ever.

// errSpared says that a content waits until somebody asks for it.
var errSpared = errors.New("large, and the connection is paid by volume")

// SetSpare says that contents of more than over bytes are not fetched unless a
// person asks; 0: all are fetched. What was asked for before is forgotten.
func (f *Folder) SetSpare(over int64) {
	if over > 0 {
		over = max(over, tree.MinBlock) // smaller ones go together
	}
	f.mu.Lock()
	if f.spare == over {
		f.mu.Unlock()
		return
	}
	f.spare, f.asked = over, map[tree.Sum]bool{}
	if over > 0 {
		for _, x := range f.fetching { // tried again, and then they wait
			x.cancel()
		}
	}
	f.unspare(func(*tree.Node) bool { return true })
	f.mu.Unlock()
	f.changed()
	f.poke()
}

// FetchNow fetches what waits at this moment.
func (f *Folder) FetchNow() {
	f.mu.Lock()
	for path, why := range f.todo {
		if node, ok := f.tree.Node(path); ok && why == todoSpare {
			f.ask(node.Shown.Sum)
			for i := range node.Others {
				f.ask(node.Others[i].Sum)
			}
		}
	}
	for sum := range f.wish {
		f.ask(sum)
	}
	f.unspare(func(*tree.Node) bool { return true })
	f.mu.Unlock()
	f.changed()
	f.poke()
}

// ask notes that a person wants a content; mu is held.
func (f *Folder) ask(sum tree.Sum) {
	if f.spare > 0 {
		f.asked[sum] = true
	}
}

// wanted notes that a person opens a content.
func (f *Folder) wanted(sum tree.Sum) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.spare == 0 || f.asked[sum] {
		return
	}
	f.ask(sum)
	f.unspare(func(n *tree.Node) bool { return n.Shown.Sum == sum })
	f.poke()
}

// unspare has paths that wait looked at again; mu is held.
func (f *Folder) unspare(which func(*tree.Node) bool) {
	for path, why := range f.todo {
		if why != todoSpare {
			continue
		}
		if node, ok := f.tree.Node(path); !ok || which(&node) {
			f.todo[path] = todoNew
		}
	}
	f.wishes = f.wishes || len(f.wish) > 0
}

// Spares tells whether a content waits until somebody asks for it.
func (f *Folder) Spares(v *tree.Version) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.spare > 0 && v.Size > f.spare && !f.asked[v.Sum]
}

// spared counts what a path waits for that is not on this device; mu is held.
func (f *Folder) spared(n *tree.Node) (bytes int64) {
	if !f.has(n.Shown.Sum, n.Shown.Size) {
		bytes = n.Shown.Size
	}
	for i := range n.Others {
		if o := &n.Others[i]; o.Kind == tree.File && !f.has(o.Sum, o.Size) {
			bytes += o.Size
		}
	}
	return bytes
}

// arrived tells whether a content that a path waits for came another way, such as
// by a copy of the file; mu is held.
func (f *Folder) arrived(path string) bool {
	node, ok := f.tree.Node(path)
	return !ok || f.spared(&node) == 0
}
