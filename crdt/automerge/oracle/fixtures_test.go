package oracle

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	am "inselnetz/crdt/automerge"
)

// A file is bytes that somebody else wrote.
type file struct {
	name string
	b    []byte
}

// files are the vectors and hostile inputs of the package and, where
// INSELNETZ_FIXTURES names a directory, all files in it.
func files(t *testing.T) []file {
	t.Helper()
	var out []file
	for _, name := range []string{"vectors.json", "hostile.json"} {
		b, err := os.ReadFile(filepath.Join("../testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		var list []struct {
			Name string
			Hex  string
		}
		if err := json.Unmarshal(b, &list); err != nil {
			t.Fatal(err)
		}
		for _, v := range list {
			if b := unhex(v.Hex); len(b) > 0 {
				out = append(out, file{v.Name, b})
			}
		}
	}
	out = append(out, twins(out)...)
	dir := os.Getenv("INSELNETZ_FIXTURES")
	if dir == "" {
		return out
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if b, err := os.ReadFile(filepath.Join(dir, e.Name())); err == nil && len(b) < 4<<20 {
			out = append(out, file{e.Name(), b})
		}
	}
	return out
}

// twins are made from vectors: they have the faults of files of the reference
// project's tests, under a checksum that is right.
func twins(of []file) []file {
	var out []file
	for _, f := range of {
		change := func(name string, to func(body []byte) []byte) {
			r := &cursor{b: f.b[9:]}
			body := to(bytes.Clone(r.take(r.uint())))
			sealed := binary.AppendUvarint([]byte{f.b[8]}, uint64(len(body)))
			sealed = append(sealed, body...)
			sum := sha256.Sum256(sealed)
			out = append(out, file{name, slices.Concat(f.b[:4], sum[:4], sealed)})
		}
		switch f.name {
		case "one_put_change":
			const start = 4 // after deps, actor and seq
			change("starts beyond 32 bits", func(b []byte) []byte {
				return slices.Concat(b[:start], binary.AppendUvarint(nil, 1<<42), b[start+1:])
			})
			change("ends early", func(b []byte) []byte { return b[:len(b)-3] })
		case "deflated_column_doc":
			change("bad deflate stream", func(b []byte) []byte {
				for i := len(b) / 2; i < len(b)/2+8; i++ {
					b[i] = 0xff
				}
				return b
			})
		}
	}
	return out
}

// stricter are files that the JavaScript release takes and the engine refuses, and
// why: what is taken must encode to the same bytes again, else the document that
// is saved could not be loaded.
var stricter = map[string]string{
	"unknown_column_change":   "a column that is not written again",
	"noncanonical_rle_change": "runs that are written otherwise",
	"value col leftover":      "bytes that are not written again",
	"value col leftover byte": "bytes that are not written again",
	"key col longer":          "rows that are not written again",
	"all-null col present":    "a column that is not written again",
	"no insert col":           "a column that is written again",
	"pred missing op":         "replaces what never was",
	"del with value in root":  "a value that is not written again",
	"actor table unsorted":    "the table is searched by halves",
	"bad_checksum_reject":     "single changes are taken there whatever their checksum",
	"mark in map":             "marks are in texts",
	"insert in map":           "maps have no order",
}

// milder are files that the engine takes and the JavaScript release refuses, and why.
var milder = map[string]string{
	"no extra meta col": "older releases left it out",
}

// TestFiles asks both engines of every file. What the JavaScript release refuses or
// dies of, the engine refuses; what both take reads the same and is saved the same.
func TestFiles(t *testing.T) {
	n := startNode(t)
	taken, refused := 0, 0
	for _, f := range files(t) {
		for _, how := range []string{"load", "incremental", "changes"} {
			if how == "changes" && f.b[min(8, len(f.b)-1)] != 1 {
				continue
			}
			light := len(f.b) > 10_000
			var want struct {
				Heads []string
				Dump  string
				Plain []byte
			}
			theirs := n.ask("look", map[string]any{"bytes": f.b, "how": how, "light": light}, &want)
			if errors.Is(theirs, errPanic) {
				n = startNode(t)
			}
			doc, ours := read(f.b, how)
			switch {
			case theirs == nil && ours == nil:
				taken++
				if err := compareFile(doc, want.Heads, want.Dump, want.Plain, light); err != nil {
					t.Errorf("%s, %s: %v", f.name, how, err)
				}
			case ours == nil && milder[f.name] == "":
				t.Errorf("%s, %s: taken here, refused by the JavaScript release: %s", f.name, how, brief(theirs))
			case theirs == nil && stricter[f.name] == "":
				t.Errorf("%s, %s: refused here: %v", f.name, how, ours)
			default:
				refused++
			}
		}
	}
	t.Logf("%d taken, %d refused", taken, refused)
}

func brief(err error) string {
	if err == nil {
		return "takes it"
	}
	s, _, _ := strings.Cut(err.Error(), "\n")
	return s[:min(len(s), 120)]
}

func read(b []byte, how string) (*am.Doc, error) {
	o := am.Options{Unit: am.UTF16}
	switch how {
	case "load":
		return am.Load(b, o)
	case "incremental":
		doc := am.New(o)
		return doc, doc.LoadIncremental(b)
	}
	doc := am.New(o)
	c, err := am.ParseChange(b, nil)
	if err != nil {
		return doc, err
	}
	return doc, doc.Apply(c)
}

func compareFile(doc *am.Doc, heads []string, reading string, plain []byte, light bool) error {
	if got := hashes(doc.Heads()); !slices.Equal(got, heads) {
		return errors.New("heads " + strings.Join(got, " ") + ", want " + strings.Join(heads, " "))
	}
	if !light {
		got, err := dump(doc.Reader)
		if err != nil {
			return err
		}
		if got != reading {
			return errors.New("readings differ:" + difference(got, reading))
		}
	}
	if err := doc.Verify(); err != nil {
		return err
	}
	b := doc.Save()
	if err := equalFiles(b, plain); err != nil {
		return err
	}
	again, err := am.Load(b, am.Options{})
	if err != nil {
		return err
	}
	return equalHeads(again, heads)
}
