package automerge

import (
	"bytes"
	"compress/flate"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"inselnetz/crdt/automerge/internal/format"
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

// TestVectors loads every file of testdata/vectors.json that is one, or sees it
// refused. Marks, cursors and sync have tests of their own beside their code.
func TestVectors(t *testing.T) {
	for _, v := range vectors(t) {
		if v.Kind == "sync" || v.Kind == "syncstate" {
			continue // no file
		}
		t.Run(v.Name, func(t *testing.T) {
			b := v.bytes(t)
			d, err := Load(b, Options{})
			switch {
			case v.Expect.JsSaveThenLoad != "": // poison
				if !errors.Is(err, ErrRefused) && !errors.Is(err, ErrCorrupt) || d != nil {
					t.Fatalf("not refused: %v", err)
				}
				t.Log(err)
			case v.Expect.Error, v.Expect.LoadAlone != "":
				if !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrRefused) {
					t.Fatalf("not refused: %v", err)
				}
			case err != nil:
				t.Fatal(err)
			default:
				v.check(t, d, b)
			}
		})
	}
}

// check holds a loaded document against what is expected of it.
func (v checked) check(t *testing.T, d *Doc, b []byte) {
	var heads, hashes []string
	for _, h := range d.Heads() {
		heads = append(heads, hashHex(h))
	}
	cs := must(d.Changes(nil))
	for _, c := range cs {
		hashes = append(hashes, hashHex(c.Hash()))
	}
	if !slices.Equal(heads, v.Expect.Heads) {
		t.Errorf("heads %v, want %v", heads, v.Expect.Heads)
	}
	if w := v.Expect.ChangeHashes; w != nil && !slices.Equal(hashes, w) {
		t.Errorf("changes %v, want %v", hashes, w)
	}
	if got := plainJSON(t, must(d.Materialize(Root))); !reflect.DeepEqual(got, v.Expect.JSON) {
		t.Errorf("value %v, want %v", got, v.Expect.JSON)
	}
	if n := v.Expect.CodePoints; n > 0 {
		u := must(Load(b, Options{Unit: UTF16}))
		text := follow(t, d, "t")
		if got, got16 := must(d.Len(text)), must(u.Len(text)); got != n || got16 != v.Expect.Utf16Length {
			t.Errorf("%d code points, %d units", got, got16)
		}
	}
	for path, id := range v.Expect.Objects {
		if obj := follow(t, d, path); obj.String() != id {
			t.Errorf("%s is %s, want %v", path, obj, id)
		}
	}
	if len(v.Expect.Conflicts) > 0 {
		got := map[string]any{}
		for _, c := range must(d.All(Root, Key("k"))) {
			got[c.ID.String()] = must(d.Text(c.Value.Obj())) // JavaScript makes texts of strings
		}
		if !reflect.DeepEqual(got, v.Expect.Conflicts) {
			t.Errorf("conflicts %v, want %v", got, v.Expect.Conflicts)
		}
	}
	v.saved(t, d, b, cs)
}

// saved checks what a document is written as.
func (v checked) saved(t *testing.T, d *Doc, b []byte, cs []*Change) {
	var each []byte
	for _, c := range cs {
		each = append(each, c.Bytes()...)
	}
	switch {
	case v.Kind == "document":
		if got, want := inflated(t, d.Save()), inflated(t, b); !bytes.Equal(got, want) {
			t.Errorf("saved as\n%x\nwant\n%x", got, want)
		}
	case v.Expect.UncompressedHex != "":
		if hex.EncodeToString(each) != v.Expect.UncompressedHex {
			t.Errorf("change is %x", each)
		}
	case v.Kind == "change" && len(cs) == 1:
		if !bytes.Equal(each, b) {
			t.Errorf("change is %x", each)
		}
		if a := v.Expect.Author; a != "" && (!bytes.Contains(each, must(hex.DecodeString("0104"+a))) || cs[0].Actor().String() != v.Expect.Actor) {
			t.Errorf("author is lost: %x of %s", each, cs[0].Actor())
		}
	}
	l, err := Load(d.Save(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	same(t, d, l)
	if again := must(l.Changes(nil)); len(again) != len(cs) {
		t.Errorf("%d changes after saving, %d before", len(again), len(cs))
	}
}

// follow is the object at a path of keys.
func follow(t *testing.T, d *Doc, path string) ObjID {
	t.Helper()
	obj := Root
	for key := range strings.SplitSeq(path, ".") {
		v, ok, err := d.Get(obj, Key(key))
		if err != nil || !ok {
			t.Fatal(key, err)
		}
		obj = v.Obj()
	}
	return obj
}

func TestVectorOfOneChange(t *testing.T) {
	for _, v := range vectors(t) {
		if v.Name != "list_delete_change" {
			continue
		}
		c, err := ParseChange(v.bytes(t), nil)
		if err != nil {
			t.Fatal(err)
		}
		var deps []string
		for _, h := range c.Deps() {
			deps = append(deps, hashHex(h))
		}
		w := v.Expect
		if c.Actor().String() != w.Actor || c.Seq() != uint64(w.Seq) || c.StartOp() != uint32(w.StartOp) || c.Len() != 1 ||
			hashHex(c.Hash()) != w.Hash || !slices.Equal(deps, w.Deps) || c.Time() != 0 || c.Message() != "" {
			t.Errorf("%+v", c)
		}
	}
}

// plainJSON is a value as the vectors write it.
func plainJSON(t *testing.T, v any) (out any) {
	t.Helper()
	var simple func(v any) any
	list := func(b []byte) any { // how JavaScript writes bytes
		m := map[string]any{}
		for i, c := range b {
			m[strconv.Itoa(i)] = c
		}
		return m
	}
	simple = func(v any) any {
		switch v := v.(type) {
		case map[string]any:
			m := map[string]any{}
			for k, e := range v {
				m[k] = simple(e)
			}
			return m
		case []any:
			var l []any
			for _, e := range v {
				l = append(l, simple(e))
			}
			return l
		case []byte:
			return list(v)
		case Value:
			return list(v.Bytes())
		case time.Time:
			return v.Format("2006-01-02T15:04:05.000Z")
		case string:
			if !utf8.ValidString(v) {
				t.Errorf("%q", v)
			}
		}
		return v
	}
	b, err := json.Marshal(simple(v))
	if err == nil {
		err = json.Unmarshal(b, &out)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// inflated is a document chunk's body with every column inflated: what can be
// compared, since no two programs deflate alike.
func inflated(t testing.TB, b []byte) []byte {
	t.Helper()
	c, err := format.ReadChunk(b, nil)
	if err != nil {
		t.Fatal(err)
	}
	r := syncReader{b: c.Body}
	var out []byte
	for range r.uint("actors") {
		out = appendSized(out, r.sized("actor"))
	}
	out = appendHashes(out, r.hashes("heads"))
	type column struct{ spec, size uint64 }
	var columns []column
	for range 2 { // of changes, of operations
		for range r.uint("columns") {
			columns = append(columns, column{r.uint("column"), r.uint("size")})
		}
	}
	for _, col := range columns {
		data := r.take(col.size, "column")
		if col.spec&8 != 0 {
			if data, err = io.ReadAll(flate.NewReader(bytes.NewReader(data))); err != nil {
				t.Fatal(err)
			}
		}
		out = appendSized(format.AppendUint(out, col.spec), data)
	}
	if r.err != nil {
		t.Fatal(r.err)
	}
	return append(out, r.b...)
}
