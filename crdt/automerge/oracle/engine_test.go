package oracle

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	am "inselnetz/crdt/automerge"
)

// An engine does what a history did, with the Go library, and finds where the two
// part.
type engine struct {
	actors   []am.ActorID
	docs     []*am.Doc
	foreign  int // bit r: replica r is edited elsewhere, its changes are applied here
	script   script
	syncs    map[[2]int]*am.SyncState
	readings int // how many comparisons of a whole reading there were
}

// replay does a history and compares on the way; the error names the first
// difference.
func replay(s script, p *played, foreign int) (*engine, error) {
	for _, d := range p.Done {
		if d.Op == "updateText" {
			foreign |= 1 << d.R
		}
	}
	e := &engine{foreign: foreign, script: s, syncs: map[[2]int]*am.SyncState{}}
	for _, a := range s.Actors {
		id, err := am.ParseActor(a)
		if err != nil {
			return e, err
		}
		e.actors = append(e.actors, id)
		e.docs = append(e.docs, am.New(am.Options{Actor: id, Unit: am.UTF16}))
	}
	for i, d := range p.Done {
		if err := e.do(d); err != nil {
			return e, fmt.Errorf("deed %d, %s: %w", i, d, err)
		}
	}
	for r, end := range p.Ends {
		if err := e.compareEnd(r, end); err != nil {
			return e, fmt.Errorf("replica %d in the end: %w", r, err)
		}
	}
	return e, nil
}

func (e *engine) isForeign(r int) bool { return e.foreign>>r&1 == 1 }

// do does one deed. Edits of a foreign replica are left out: they come with its
// commit.
func (e *engine) do(d deed) error {
	if f, ok := acts[d.Op]; ok {
		return f(e, d)
	}
	f, ok := edits[d.Op]
	switch {
	case !ok:
		return fmt.Errorf("no edit %q", d.Op)
	case e.isForeign(d.R) && d.Op != "updateText":
		return nil
	}
	obj, err := am.ParseObjID(d.Obj)
	if err != nil {
		return err
	}
	doc := e.docs[d.R]
	if d.Op == "updateText" {
		if doc, err = doc.Fork("copy"); err != nil {
			return err
		}
		if _, err := doc.ObjectKind(obj); err != nil {
			return nil // made since the last commit
		}
	}
	return f(doc, obj, d)
}

// edits are the operations; obj is the deed's.
var edits = map[string]func(doc *am.Doc, obj am.ObjID, d deed) error{
	"put": func(doc *am.Doc, obj am.ObjID, d deed) error { return doc.Put(obj, prop(d.Prop), input(d.V)) },
	"make": func(doc *am.Doc, obj am.ObjID, d deed) error {
		id, err := doc.PutObject(obj, prop(d.Prop), kinds[d.K])
		return made(id, d, err)
	},
	"insert": func(doc *am.Doc, obj am.ObjID, d deed) error {
		return doc.Insert(obj, int(d.Prop.(float64)), input(d.V))
	},
	"insertMake": func(doc *am.Doc, obj am.ObjID, d deed) error {
		id, err := doc.InsertObject(obj, int(d.Prop.(float64)), kinds[d.K])
		return made(id, d, err)
	},
	"delete":    func(doc *am.Doc, obj am.ObjID, d deed) error { return doc.Delete(obj, prop(d.Prop)) },
	"increment": func(doc *am.Doc, obj am.ObjID, d deed) error { return doc.Increment(obj, prop(d.Prop), d.By) },
	"splice":    func(doc *am.Doc, obj am.ObjID, d deed) error { return doc.SpliceText(obj, d.Pos, d.Del, *d.S) },
	"spliceList": func(doc *am.Doc, obj am.ObjID, d deed) error {
		var vs []am.Value
		for _, v := range d.VS {
			vs = append(vs, input(&v))
		}
		return doc.Splice(obj, d.Pos, d.Del, vs...)
	},
	"updateText":  updateText,
	"mark":        mark,
	"unmark":      unmark,
	"splitBlock":  splitBlock,
	"joinBlock":   joinBlock,
	"updateBlock": updateBlock,
}

var kinds = map[string]am.Kind{"map": am.KindMap, "list": am.KindList, "text": am.KindText}

func made(id am.ObjID, d deed, err error) error {
	if err == nil && id.String() != d.ID {
		err = fmt.Errorf("made %s, want %s", id, d.ID)
	}
	return err
}

func prop(p any) am.Prop {
	if s, ok := p.(string); ok {
		return am.Key(s)
	}
	return am.Index(int(p.(float64)))
}

// input is the value of a script.
func input(v *value) am.Value {
	n, _ := strconv.ParseInt(v.V, 10, 64)
	switch v.K {
	case "boolean":
		return am.Bool(v.V == "true")
	case "int":
		return am.Int(n)
	case "uint":
		u, _ := strconv.ParseUint(v.V, 10, 64)
		return am.Uint(u)
	case "f64":
		u, _ := strconv.ParseUint(v.V, 16, 64)
		return am.Float(math.Float64frombits(u))
	case "str":
		return am.Str(v.V)
	case "bytes":
		b, _ := hex.DecodeString(v.V)
		return am.Bytes(b)
	case "counter":
		return am.Counter(n)
	case "timestamp":
		return am.Timestamp(n)
	}
	return am.Null()
}

// acts are what is not an edit.
var acts = map[string]func(e *engine, d deed) error{
	"commit":      (*engine).commit,
	"rollback":    (*engine).rollback,
	"merge":       (*engine).merge,
	"reload":      (*engine).reload,
	"incremental": (*engine).incremental,
	"since":       (*engine).since,
	"read":        (*engine).read,
	"readAt":      (*engine).readAt,
	"cursor":      (*engine).cursor,
	"positions":   (*engine).positions,
	"diff":        (*engine).diff,
	"bundle":      (*engine).bundle,
	"sync":        (*engine).sync,
	"fork":        (*engine).fork,
}

func (e *engine) commit(d deed) error {
	doc := e.docs[d.R]
	if e.isForeign(d.R) {
		c, err := am.ParseChange(d.Bytes, nil)
		if err != nil {
			return err
		}
		if err := doc.Apply(c); err != nil {
			return err
		}
		if !doc.Has(c.Hash()) {
			return errors.New("the change is not there after it was applied")
		}
		return nil
	}
	message := ""
	if d.S != nil {
		message = *d.S
	}
	if !doc.Commit(am.CommitOptions{Message: message, Time: d.Time, Empty: d.Force}) {
		return errors.New("nothing to commit")
	}
	if heads := hashes(doc.Heads()); !slices.Equal(heads, []string{d.Hash}) {
		var got []byte
		if c, ok := doc.Change(doc.Heads()[0]); ok {
			got = c.Bytes()
		}
		return fmt.Errorf("hash %v, want %s\nbytes %x\nwant  %x", heads, d.Hash, got, d.Bytes)
	}
	c, ok := doc.Change(doc.Heads()[0])
	if !ok || !bytes.Equal(c.Bytes(), d.Bytes) {
		return fmt.Errorf("change %v has other bytes", d.Hash)
	}
	return nil
}

func (e *engine) rollback(d deed) error {
	if e.isForeign(d.R) {
		return nil
	}
	if n := e.docs[d.R].Rollback(); n != d.Count {
		return fmt.Errorf("%d operations rolled back, want %d", n, d.Count)
	}
	return nil
}

func (e *engine) merge(d deed) error {
	doc := e.docs[d.R]
	if d.Batch == nil {
		if err := doc.Merge(e.docs[d.From]); err != nil {
			return err
		}
	} else {
		var batch []*am.Change
		for _, b := range d.Batch {
			c, err := am.ParseChange(b, nil)
			if err != nil {
				return err
			}
			batch = append(batch, c)
		}
		if err := doc.Apply(batch...); err != nil {
			return err
		}
	}
	return equalHeads(doc, d.Heads)
}

func equalHeads(doc *am.Doc, want []string) error {
	if got := hashes(doc.Heads()); !slices.Equal(got, want) {
		return fmt.Errorf("heads %v, want %v", got, want)
	}
	return nil
}

// reload saves, compares the files, and goes on with what is loaded: with the
// other's file on odd steps.
func (e *engine) reload(d deed) error {
	b := e.docs[d.R].Save()
	if err := equalFiles(b, d.Bytes); err != nil {
		return err
	}
	if d.Step%2 == 1 {
		b = d.Bytes
	}
	doc, err := am.Load(b, am.Options{Actor: e.actors[d.R], Unit: am.UTF16})
	if err != nil {
		return err
	}
	e.docs[d.R] = doc
	for pair := range e.syncs {
		if pair[0] == d.R {
			delete(e.syncs, pair)
		}
	}
	return nil
}

func (e *engine) fork(d deed) error {
	actor, err := am.ParseActor(d.Actor)
	if err != nil {
		return err
	}
	var doc *am.Doc
	if d.Past {
		doc, err = e.docs[d.From].ForkAt(hashesOf(d.Heads), actor)
	} else {
		doc, err = e.docs[d.From].Fork(actor)
	}
	if err != nil {
		return err
	}
	e.docs[d.R], e.actors[d.R] = doc, actor
	for pair := range e.syncs {
		if pair[0] == d.R || pair[1] == d.R {
			delete(e.syncs, pair)
		}
	}
	return equalHeads(doc, d.Heads)
}

// equalFiles compares what two files say, columns inflated.
func equalFiles(got, want []byte) error {
	a, err := saved(got)
	if err != nil {
		return err
	}
	b, err := saved(want)
	if err != nil {
		return err
	}
	if a != b {
		return errors.New("saved files differ:" + difference(a, b))
	}
	return nil
}

func (e *engine) incremental(d deed) error {
	if b := e.docs[d.R].SaveIncremental(); !bytes.Equal(b, d.Bytes) {
		return fmt.Errorf("incremental save:\n%x, want\n%x", b, d.Bytes)
	}
	return nil
}

func (e *engine) since(d deed) error {
	b, err := e.docs[d.R].SaveSince(hashesOf(d.Heads))
	if err != nil {
		return err
	}
	if !bytes.Equal(b, d.Bytes) {
		return fmt.Errorf("save since %v:\n%x, want\n%x", d.Heads, b, d.Bytes)
	}
	return nil
}

func (e *engine) read(d deed) error {
	if e.isForeign(d.R) {
		return nil // may show edits that are not committed
	}
	return e.reading(e.docs[d.R].Reader, d.Dump)
}

func (e *engine) readAt(d deed) error {
	r, err := e.docs[d.R].At(hashesOf(d.Heads))
	if err != nil {
		return err
	}
	return e.reading(r, d.Dump)
}

func (e *engine) reading(r am.Reader, want string) error {
	e.readings++
	got, err := dump(r)
	if err != nil {
		return err
	}
	if want = poorer(want); got != want {
		return errors.New("readings differ:" + difference(got, want))
	}
	return nil
}

func (e *engine) compareEnd(r int, end end) error {
	doc := e.docs[r]
	if err := equalHeads(doc, end.Heads); err != nil {
		return err
	}
	if err := e.reading(doc.Reader, end.Dump); err != nil {
		return err
	}
	cs, err := doc.Changes(nil)
	if err != nil {
		return err
	}
	var got [][]byte
	for _, c := range cs {
		got = append(got, c.Bytes())
	}
	if !slices.EqualFunc(got, end.Changes, bytes.Equal) {
		return errors.New("changes differ")
	}
	if err := equalFiles(doc.Save(), end.Saved); err != nil {
		return err
	}
	return e.again(r, end)
}

// again loads what both saved, and the changes in the wrong order.
func (e *engine) again(r int, end end) error {
	o := am.Options{Unit: am.UTF16}
	for _, b := range [][]byte{e.docs[r].Save(), end.Saved, end.Plain} {
		doc, err := am.Load(b, o)
		if err != nil {
			return fmt.Errorf("load: %w", err)
		}
		if err := doc.Verify(); err != nil {
			return fmt.Errorf("verify: %w", err)
		}
		if err := errors.Join(equalHeads(doc, end.Heads), e.reading(doc.Reader, end.Dump)); err != nil {
			return fmt.Errorf("loaded: %w", err)
		}
		if err := equalFiles(doc.Save(), end.Saved); err != nil {
			return fmt.Errorf("loaded and saved: %w", err)
		}
	}
	doc := am.New(o)
	for _, b := range slices.Backward(end.Changes) {
		c, err := am.ParseChange(b, nil)
		if err != nil {
			return err
		}
		if err := doc.Apply(c); err != nil {
			return fmt.Errorf("backwards: %w", err)
		}
	}
	return errors.Join(equalHeads(doc, end.Heads), e.reading(doc.Reader, end.Dump))
}

// readBack has the JavaScript release read what the engine wrote: one of a file, a
// file and what was saved after it, a bundle of everything, or single changes in
// the wrong order.
func (e *engine) readBack(n *node, which int, end end, r int) error {
	doc := e.docs[r]
	if len(end.Heads) == 0 {
		return nil
	}
	request := map[string]any{"how": "load", "bytes": doc.Save()}
	cmd := "look"
	switch which % 4 {
	case 1:
		half := end.Changes[:len(end.Changes)/2]
		older := am.New(am.Options{Unit: am.UTF16})
		for _, b := range half {
			c, err := am.ParseChange(b, nil)
			if err != nil {
				return err
			}
			if err := older.Apply(c); err != nil {
				return err
			}
		}
		rest, err := doc.SaveSince(older.Heads())
		if err != nil {
			return err
		}
		request = map[string]any{"how": "incremental", "base": older.Save(), "bytes": rest}
	case 2:
		var all []am.Hash
		cs, err := doc.Changes(nil)
		if err != nil {
			return err
		}
		for _, c := range cs {
			all = append(all, c.Hash())
		}
		b, err := doc.SaveBundle(all)
		if err != nil {
			return err
		}
		request = map[string]any{"how": "incremental", "bytes": b}
	case 3:
		backwards := slices.Clone(end.Changes)
		slices.Reverse(backwards)
		cmd, request = "apply", map[string]any{"changes": backwards}
	}
	var got struct {
		Heads []string
		Dump  string
	}
	if err := n.ask(cmd, request, &got); err != nil {
		return err
	}
	if !slices.Equal(got.Heads, end.Heads) || got.Dump != end.Dump {
		return fmt.Errorf("heads %v, want %v; reading:%s", got.Heads, end.Heads, difference(got.Dump, end.Dump))
	}
	return nil
}

func hashes(hs []am.Hash) []string {
	out := []string{}
	for _, h := range hs {
		out = append(out, hex.EncodeToString(h[:]))
	}
	return out
}

func unhex(s string) []byte {
	b, _ := hex.DecodeString(s)
	return b
}

func hashesOf(hs []string) []am.Hash {
	out := make([]am.Hash, len(hs))
	for i, h := range hs {
		_, _ = hex.Decode(out[i][:], []byte(h))
	}
	return out
}

// difference shows where two texts part, a few lines around.
func difference(got, want string) string {
	a, b := strings.Split(got, "\n"), strings.Split(want, "\n")
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	cut := func(l []string) string {
		part := slices.Clone(l[max(0, min(i-3, len(l))):min(i+4, len(l))])
		for j := range part {
			if len(part[j]) > 400 {
				part[j] = part[j][:400] + "…"
			}
		}
		return strings.Join(part, "\n")
	}
	return fmt.Sprintf("\n--- got, line %d\n%s\n--- want\n%s", i+1, cut(a), cut(b))
}
