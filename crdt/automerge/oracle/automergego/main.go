//go:build cgo

// Command automergego answers questions about Automerge files with automerge-go,
// one line of JSON each. It is a process of its own because the library aborts on
// some inputs, and a module of its own so that no program of ours links it.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/automerge/automerge-go"
)

// A request is one line. Which fields count depends on Cmd.
type request struct {
	Cmd    string
	How    string // look: load, incremental or changes
	Bytes  []byte
	Actors []string
	Steps  []edit
	Path   string // trace: of a file with patches
	Each   bool   // trace: a change for each patch
}

var commands = map[string]func(request) (any, error){
	"look":  look,
	"play":  play,
	"trace": trace,
	"open":  open,
	"map":   fill,
	"merge": merge,
}

func main() {
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := json.NewEncoder(os.Stdout)
	for {
		line, err := in.ReadBytes('\n')
		if err != nil {
			return
		}
		var r request
		var answer struct {
			OK    any    `json:"ok"`
			Error string `json:"error,omitempty"`
		}
		if err := json.Unmarshal(line, &r); err != nil {
			answer.Error = err.Error()
		} else if f, ok := commands[r.Cmd]; !ok {
			answer.Error = "no command " + r.Cmd
		} else if answer.OK, err = f(r); err != nil {
			answer.Error = err.Error()
		}
		if err := out.Encode(answer); err != nil {
			return
		}
	}
}

// A state is what a document shows. Changes are those from its beginning.
type state struct {
	Heads   []string
	Value   string
	Saved   []byte
	Changes [][]byte
}

func stateOf(d *automerge.Doc) (state, error) {
	var s state
	for _, h := range d.Heads() {
		s.Heads = append(s.Heads, h.String())
	}
	cs, err := d.Changes()
	if err != nil {
		return s, err
	}
	for _, c := range cs {
		s.Changes = append(s.Changes, c.Save())
	}
	s.Value, err = show(d.Root())
	s.Saved = d.Save()
	return s, err
}

func look(r request) (any, error) {
	var d *automerge.Doc
	switch r.How {
	case "load":
		var err error
		if d, err = automerge.Load(r.Bytes); err != nil {
			return nil, err
		}
	case "incremental":
		d = automerge.New()
		if err := d.LoadIncremental(r.Bytes); err != nil {
			return nil, err
		}
	case "changes":
		d = automerge.New()
		cs, err := automerge.LoadChanges(r.Bytes)
		if err != nil {
			return nil, err
		}
		if err := d.Apply(cs...); err != nil {
			return nil, err
		}
	default:
		return nil, fmt.Errorf("no way %q", r.How)
	}
	return stateOf(d)
}

// An edit names its place by a path of keys and indices.
type edit struct {
	R     int // replica
	Op    string
	Path  []any
	K, V  string // type and text of a value
	Pos   int
	Del   int
	By    int64
	Time  int64
	From  int
	Empty bool
}

// play does edits on replicas and tells every change's hash.
func play(r request) (any, error) {
	var out struct {
		Hashes []string
		Ends   []state
	}
	var docs []*automerge.Doc
	for _, a := range r.Actors {
		d := automerge.New()
		if err := d.SetActorID(a); err != nil {
			return nil, err
		}
		docs = append(docs, d)
	}
	for i, e := range r.Steps {
		hash, err := do(docs, e)
		if err != nil {
			return nil, fmt.Errorf("step %d %+v: %w", i, e, err)
		}
		out.Hashes = append(out.Hashes, hash)
	}
	for _, d := range docs {
		s, err := stateOf(d)
		if err != nil {
			return nil, err
		}
		out.Ends = append(out.Ends, s)
	}
	return out, nil
}

func do(docs []*automerge.Doc, e edit) (string, error) {
	d := docs[e.R]
	path := make([]any, len(e.Path))
	for i, p := range e.Path {
		if f, ok := p.(float64); ok {
			p = int(f)
		}
		path[i] = p
	}
	at := d.Path(path...)
	switch e.Op {
	case "put":
		v, err := valueOf(e.K, e.V)
		if err != nil {
			return "", err
		}
		return "", at.Set(v)
	case "insert":
		v, err := valueOf(e.K, e.V)
		if err != nil {
			return "", err
		}
		return "", at.List().Insert(e.Pos, v)
	case "delete":
		return "", at.Delete()
	case "increment":
		return "", at.Counter().Inc(e.By)
	case "splice":
		return "", at.Text().Splice(e.Pos, e.Del, e.V)
	case "merge":
		_, err := d.Merge(docs[e.From])
		return "", err
	case "commit":
		t := time.UnixMilli(e.Time) // the library writes milliseconds
		h, err := d.Commit(e.V, automerge.CommitOptions{Time: &t, AllowEmpty: e.Empty})
		return h.String(), err
	}
	return "", fmt.Errorf("no edit %q", e.Op)
}
