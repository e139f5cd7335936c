package document

import (
	"fmt"
	"maps"

	"inselnetz/crdt/automerge"
)

// Write appends blocks to the text. See [Apply] for commit and errors.
func Write(d *automerge.Doc, blocks []Block, commit func() error) error {
	body, err := Body(d.Reader)
	if err != nil {
		return err
	}
	at, err := d.Len(body)
	if err != nil {
		return err
	}
	return Apply(d, EditsOf(at, blocks), commit)
}

// EditsOf are the edits that insert blocks at a position.
func EditsOf(at int, blocks []Block) []Edit {
	var out []Edit
	for i := range blocks {
		out = append(out, Edit{Kind: Split, At: at, Block: blocks[i].attrs()})
		at++
		for _, s := range blocks[i].Spans {
			if s.Embed != nil {
				embed := maps.Clone(s.Embed)
				embed["embed"] = true
				out = append(out, Edit{Kind: Split, At: at, Block: embed})
				at++
				continue
			}
			marks := s.Marks
			if marks == nil {
				marks = map[string]any{}
			}
			out = append(out, Edit{Kind: Splice, At: at, Text: s.Text, Marks: marks})
			at += units(s.Text)
		}
	}
	return out
}

// Patches are the edits that lead a page from the text at some heads to that at
// others. Splices say which marks their text has, splits all attributes; only
// the kinds splice, mark, unmark, split and update occur, and a splice may delete
// blocks. meta reports whether anything beside the text differs: title, comments.
func Patches(d *automerge.Doc, before, after []automerge.Hash) (edits []Edit, meta bool, err error) {
	was, err := d.At(before)
	if err != nil {
		return nil, false, err
	}
	is, err := d.At(after)
	if err != nil {
		return nil, false, err
	}
	body, err := Body(is)
	if err != nil {
		return nil, false, err
	}
	patches, err := d.Diff(before, after)
	if err != nil {
		return nil, false, err
	}
	p := patcher{r: is, body: body, fresh: map[automerge.ObjID]bool{}}
	if old, err := Body(was); err == nil && old != body {
		n, err := was.Len(old)
		if err != nil {
			return nil, false, err
		}
		p.add(Edit{Kind: Splice, Del: n}) // the text is another one
	}
	for i := range patches {
		if !p.patch(&patches[i]) {
			meta = true
		}
	}
	for _, u := range p.updates {
		p.add(u)
	}
	return p.out, meta, nil
}

type patcher struct {
	r       automerge.Reader
	body    automerge.ObjID
	fresh   map[automerge.ObjID]bool // blocks whose split says all
	out     []Edit
	updates []Edit // their positions are those after all others
}

func (p *patcher) add(e Edit) { p.out = append(p.out, e) }

// patch translates one patch and reports whether it is about the text.
func (p *patcher) patch(x *automerge.Patch) bool {
	if x.Obj == p.body {
		p.text(x)
		return true
	}
	at, block := -1, automerge.Root
	key, _ := x.Prop.Key()
	for _, s := range x.Path() {
		switch {
		case s.Obj == p.body:
			at, _ = s.Prop.Index()
		case at >= 0 && block == automerge.Root:
			block = s.Obj
			key, _ = s.Prop.Key()
		}
	}
	if at < 0 {
		name, _ := x.Prop.Key()
		return x.Obj == automerge.Root && name == "text"
	}
	if block == automerge.Root {
		block = x.Obj
	}
	if p.fresh[block] {
		return true
	}
	n := len(p.updates)
	if n == 0 || p.updates[n-1].At != at {
		p.updates = append(p.updates, Edit{Kind: Update, At: at, Block: map[string]any{}})
		n++
	}
	p.updates[n-1].Block[key] = attrOf(p.r, block, key)
	return true
}

// text translates a patch of the text itself.
func (p *patcher) text(x *automerge.Patch) {
	at, _ := x.Prop.Index()
	switch x.Kind {
	case automerge.PatchSplice:
		marks := plainMarks(x.Marks)
		if marks == nil {
			marks = map[string]any{}
		}
		p.add(Edit{Kind: Splice, At: at, Text: x.Text, Marks: marks})
	case automerge.PatchInsert:
		for i, v := range x.Values {
			p.fresh[v.Obj()] = true
			p.add(Edit{Kind: Split, At: at + i, Block: attrsOf(p.r, v.Obj())})
		}
	case automerge.PatchDelete:
		if n := len(p.out); n > 0 && p.out[n-1].Kind == Splice && p.out[n-1].At+units(p.out[n-1].Text) == at {
			p.out[n-1].Del += x.Len // what replaces what
			return
		}
		p.add(Edit{Kind: Splice, At: at, Del: x.Len})
	case automerge.PatchMark:
		e := Edit{Kind: Mark, At: x.Mark.Start, End: x.Mark.End, Name: x.Mark.Name, Value: plain(x.Mark.Value)}
		if x.Mark.Value.Kind() == automerge.KindNull {
			e.Kind, e.Value = Unmark, nil
		}
		p.add(e)
	case automerge.PatchPut, automerge.PatchIncrement, automerge.PatchConflict:
		// A text has none that its readers could see.
	default:
		panic(fmt.Sprintf("document: patch of kind %d", x.Kind))
	}
}
