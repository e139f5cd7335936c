package tree

import (
	"iter"

	"inselnetz/crdt/log"
)

// A Node is what a path is now.
type Node struct {
	Path string
	// Shown is what to have on disk. Its own Path is another one if somebody
	// else renamed the file. It has a zero ID and Kind Dir where a directory is
	// only there for what is in it.
	Shown Known
	// Heads are the parents for whoever changes this path now, deletions too;
	// ascending, at most MaxParents.
	Heads   []VersionID
	Others  []Known // further contents, newest first: a conflict if there are any
	Problem Problem // of any name in the path
	Twin    string  // path of the file or directory that has the name, if Problem has Twin
	Deleted *Known  // the newest deletion, of a path that is gone; nil if it lives
}

// A Was is what a path was at some time.
type Was struct {
	Path string
	Known
}

// A Tree is the fold of a set of versions. It depends on the set alone, not on
// the order in which they came. It is for one goroutine at a time. Slices it
// returns inside of versions are shared and must not be changed.
type Tree struct{}

// New returns an empty tree.
func New() *Tree { return &Tree{} }

// Add adds versions, those that are known already without effect, and returns
// the paths whose Node may have changed, ascending.
func (t *Tree) Add(vs ...Known) (touched []string) { return nil }

// Node returns what a living path is.
func (t *Tree) Node(path string) (Node, bool) { return Node{}, false }

// Gone returns what a path was that is not there any more. Shown is the last
// living version (a deletion if none is known), Others are further ones.
func (t *Tree) Gone(path string) (Node, bool) { return Node{}, false }

// List returns the children of a directory by name; "" is the whole folder.
func (t *Tree) List(dir string) []Node { return nil }

// All returns the living nodes at and below a path, directories before what is
// in them; "" for all.
func (t *Tree) All(prefix string) iter.Seq[Node] { return func(func(Node) bool) {} }

// Trash returns what is gone at and below a path and can be had back, what was
// deleted last first.
func (t *Tree) Trash(prefix string) []Node { return nil }

// History returns all versions of what is or was at a path, newest first and
// none before one that replaced it.
func (t *Tree) History(path string) []Known { return nil }

// Known returns a version.
func (t *Tree) Known(id VersionID) (Known, bool) { return Known{}, false }

// ChildrenOf returns the versions that name id as a parent.
func (t *Tree) ChildrenOf(id VersionID) []VersionID { return nil }

// At returns what was at and below a path at a time: the fold of the versions
// up to that clock. Directories that were there only for what was in them are
// left out.
func (t *Tree) At(prefix string, when log.HLC) []Was { return nil }

// Conflicts returns the living paths with more than one content, ascending.
func (t *Tree) Conflicts() []string { return nil }

// Len returns how many living files and links, and how many versions there are.
func (t *Tree) Len() (living, versions int) { return 0, 0 }
