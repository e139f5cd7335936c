package oracle

import "testing"

// A played history: what every step came to in the JavaScript release, and what
// each replica held in the end.
type played struct {
	Done []deed
	Ends []end
}

// A deed is a step with its random numbers resolved. Which fields count depends
// on Op; history.mjs fills them.
type deed struct {
	Op   string
	R    int // replica
	Step int // in the script

	Obj       string
	Prop      any // key (string) or index (float64)
	Pos       int
	End       int
	Del       int
	By        int64
	S         *string
	K         string
	ID        string // of the object made
	V         *value
	VS        []value
	Block     map[string]any
	Time      int64
	Force     bool
	Count     int
	From      int
	Hash      string
	Heads     []string
	Before    []string
	After     []string
	Past      bool     // fork: at heads that once were
	Actor     string   // fork: who edits from now on
	Batch     [][]byte // changes merged one by one
	Bytes     []byte
	Dump      string
	Cursor    string
	Hashes    []string
	Positions []position
	Lines     []string // diff: patches
	Fresh     bool
	Kept      bool
	Messages  [][2][]byte
	States    [2][]byte
}

type position struct {
	Obj, Cursor string
	Pos         int
}

type end struct {
	Heads        []string
	Plain, Saved []byte
	Changes      [][]byte
	Dump         string
}

// play has the JavaScript release play a script.
func play(t testing.TB, n *node, s script) *played {
	t.Helper()
	var p played
	n.must(t, "play", map[string]any{"actors": s.Actors, "steps": s.Steps}, &p)
	return &p
}
