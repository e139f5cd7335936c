package automerge

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"testing"
)

// A checked is a file and what the JavaScript release makes of it.
type checked struct {
	Name, Kind, Hex string
	Expect          vectorExpect
}

type vectorExpect struct {
	JSON                      any
	Heads, ChangeHashes       []string
	Error                     bool
	Trace                     []string
	Marks, Spans              []map[string]any
	Conflicts, Objects        map[string]any
	Cursors                   map[string]int
	Utf16Length, CodePoints   int
	UncompressedHex, Author   string
	Actor, Hash               string
	Seq, StartOp              int
	Deps                      []string
	LoadAlone, JsSaveThenLoad string
}

func (v checked) bytes(t testing.TB) []byte {
	t.Helper()
	b, err := hex.DecodeString(v.Hex)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func readJSON(t testing.TB, name string, to any) {
	t.Helper()
	b, err := os.ReadFile(name)
	if err == nil {
		err = json.Unmarshal(b, to)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// vectors are the checked files of testdata.
func vectors(t testing.TB) (vs []checked) {
	readJSON(t, "testdata/vectors.json", &vs)
	return vs
}

// seeds are 1 to n, or SEED alone.
func seeds(t testing.TB, n uint64) func(func(uint64) bool) {
	t.Helper()
	from := uint64(1)
	if s := os.Getenv("SEED"); s != "" {
		one, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		from, n = one, one
	}
	return func(yield func(uint64) bool) {
		for seed := from; seed <= n; seed++ {
			if !yield(seed) {
				return
			}
		}
	}
}

func hashHex(h Hash) string { return fmt.Sprintf("%x", h[:]) }
