package format

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"inselnetz/crdt/automerge/internal/opid"
)

type vector struct {
	Name, Kind, Hex string
	Expect          struct {
		Error        bool
		Heads        []string
		ChangeHashes []string
	}
}

// vectors are the checked files of testdata, with what the reference makes of them.
func vectors(t testing.TB) []vector {
	var vs []vector
	readJSON(t, "../../testdata/vectors.json", &vs)
	return vs
}

func readJSON(t testing.TB, name string, to any) {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, to); err != nil {
		t.Fatal(err)
	}
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// rebuild makes the bodies of a document's changes from its rows, as slowly
// and plainly as can be: what a successor list names and has no row is a delete.
func rebuild(d *Document) ([][]byte, error) {
	byID := map[opid.ID]*Op{}
	preds := map[opid.ID][]opid.ID{}
	var r OpReader
	d.Ops(&r)
	var op Op
	var rows []*Op
	for r.Next(&op) {
		row := op
		row.Refs = slices.Clone(op.Refs)
		rows = append(rows, &row)
		byID[row.ID] = &row
	}
	if r.Err() != nil {
		return nil, r.Err()
	}
	if n, chars := d.Complex(), len(rows)-characters(rows); n != chars {
		return nil, fmt.Errorf("%d rows are no characters, want %d", n, chars)
	}
	for _, row := range rows {
		for _, s := range row.Refs {
			preds[s] = append(preds[s], row.ID)
			if byID[s] == nil {
				elem := row.Elem
				if row.Insert {
					elem = row.ID
				}
				byID[s] = &Op{ID: s, Obj: row.Obj, Map: row.Map, Key: row.Key, Elem: elem, Action: Delete}
			}
		}
	}
	rank := make([]uint32, len(d.Actors))
	for i := range rank {
		rank[i] = uint32(i)
	}
	var bodies [][]byte
	var hashes []Hash
	next := make([]uint32, len(d.Actors)) // first counter not given to a change
	var cr ChangeReader
	d.Changes(&cr)
	var row ChangeRow
	var w ChangeWriter
	for cr.Next(&row) {
		w.Reset(row.Actor, rank)
		h := &Change{Seq: row.Seq, Time: row.Time, Message: string(row.Message), Extra: row.Extra, StartOp: row.MaxOp + 1}
		for c := next[row.Actor]; c <= row.MaxOp; c++ {
			op := byID[opid.ID{Ctr: c, Actor: row.Actor}]
			if op == nil {
				continue
			}
			h.StartOp = min(h.StartOp, c)
			op.Refs = preds[op.ID]
			slices.SortFunc(op.Refs, func(a, b opid.ID) int {
				if a.Ctr != b.Ctr {
					return int(a.Ctr) - int(b.Ctr)
				}
				return int(a.Actor) - int(b.Actor)
			})
			w.Add(op)
		}
		next[row.Actor] = row.MaxOp + 1
		for _, i := range row.Deps {
			h.Deps = append(h.Deps, hashes[i])
		}
		body := w.AppendBody(nil, h, d.Actors)
		bodies = append(bodies, body)
		hashes = append(hashes, HashOf(ChangeChunk, body))
	}
	return bodies, cr.Err()
}

func characters(rows []*Op) (n int) {
	for _, op := range rows {
		if op.Insert && op.Action == Set && op.Value.Type == Str {
			n++
		}
	}
	return n
}

// rewrite writes a document again from its rows.
func rewrite(d *Document) ([]byte, error) {
	var w DocumentWriter
	table := make([]uint32, len(d.Actors))
	for i := range table {
		table[i] = uint32(i)
	}
	w.Reset(table)
	var cr ChangeReader
	d.Changes(&cr)
	var row ChangeRow
	for cr.Next(&row) {
		w.Change(&row)
	}
	if cr.Err() != nil {
		return nil, cr.Err()
	}
	var r OpReader
	d.Ops(&r)
	var op Op
	for r.Next(&op) {
		if op.Insert && op.Action == Set && op.Value.Type == Str && len(op.Refs) < 2 && !op.Map {
			var del opid.ID
			if len(op.Refs) > 0 {
				del = op.Refs[0]
			}
			w.Chars(op.Obj, op.ID, op.Elem, op.Value.Raw, 1, del, 1)
			continue
		}
		w.Add(&op)
	}
	return w.AppendBody(nil, d.Actors, d.Heads, d.HeadRows), r.Err()
}

// sameColumns compares two documents after inflating.
func sameColumns(t *testing.T, a, b *Document) {
	t.Helper()
	for i, p := range [][2]columns{{a.changes, b.changes}, {a.ops, b.ops}} {
		if len(p[0]) != len(p[1]) {
			t.Fatalf("table %d has %d columns, then %d", i, len(p[0]), len(p[1]))
		}
		for j := range p[0] {
			if x, y := p[0][j], p[1][j]; x.spec != y.spec || !bytes.Equal(x.data, y.data) {
				t.Errorf("column %d is %x, then column %d %x", x.spec, x.data, y.spec, y.data)
			}
		}
	}
	if !slices.EqualFunc(a.Actors, b.Actors, bytes.Equal) || !slices.Equal(a.Heads, b.Heads) || !slices.Equal(a.HeadRows, b.HeadRows) {
		t.Error("actors or heads differ")
	}
}

// readVector reads the chunks of a file: the hashes of the changes in them, and
// the last document. An error is a refusal.
func readVector(t *testing.T, b []byte) (hashes []string, last *Document, err error) {
	var k Checker
	for len(b) > 0 {
		c, err := ReadChunk(b, nil)
		if err != nil {
			return nil, nil, err
		}
		b = b[c.Size:]
		bodies := [][]byte{c.Body}
		switch c.Type {
		case DocumentChunk:
			if last, err = ParseDocument(c.Body, nil); err == nil {
				bodies, err = rebuild(last)
			}
		case BundleChunk:
			var bundle *Bundle
			if bundle, err = ParseBundle(c.Body, nil); err == nil {
				bodies, err = bundle.Bodies()
			}
		}
		if err != nil {
			return nil, nil, err
		}
		for _, body := range bodies {
			ch, err := ParseChange(body, nil)
			if err == nil {
				err = k.Canonical(ch)
			}
			if err != nil {
				return nil, nil, err
			}
			h := HashOf(ChangeChunk, body)
			hashes = append(hashes, hex.EncodeToString(h[:]))
		}
	}
	return hashes, last, nil
}

func TestVectors(t *testing.T) {
	for _, v := range vectors(t) {
		if strings.HasPrefix(v.Kind, "sync") {
			continue
		}
		t.Run(v.Name, func(t *testing.T) {
			hashes, last, err := readVector(t, unhex(t, v.Hex))
			// The reference takes the two poisonous ones and saves what it cannot load.
			poison := v.Name == "unknown_column_change" || v.Name == "noncanonical_rle_change"
			if want := v.Expect.Error || poison; (err != nil) != want {
				t.Fatalf("%v, want it refused: %v", err, want)
			}
			if err != nil {
				return
			}
			if v.Kind == "document" || v.Kind == "bundle" {
				for _, h := range v.Expect.Heads {
					if !slices.Contains(hashes, h) {
						t.Errorf("head %s is not among %v", h, hashes)
					}
				}
				if want := v.Expect.ChangeHashes; want != nil && !slices.Equal(hashes, want) {
					t.Errorf("changes %v, want %v", hashes, want)
				}
			}
			if last == nil {
				return
			}
			body, err := rewrite(last)
			if err != nil {
				t.Fatal(err)
			}
			again, err := ParseDocument(body, nil)
			if err != nil {
				t.Fatal(err)
			}
			sameColumns(t, last, again)
		})
	}
}
