package app

import (
	"context"
	"slices"
	"strings"

	"inselnetz/crdt/access"
	"inselnetz/crdt/automerge"
	"inselnetz/crdt/chat"
	"inselnetz/crdt/document"
)

// A DocThread is a comment with its answers, and who wrote them.
type DocThread struct {
	document.Thread
	By      FileBy   // who resolved it
	Writers []FileBy // of the Remarks
}

// sameWriter reports whether two actors of a document are the same person's.
func (s *shelf) sameWriter(p *paper) func(a, b automerge.ActorID) bool {
	st := s.w.snapshot()
	person := func(a automerge.ActorID) (access.PersonID, bool) {
		dev, ok := p.devices[a]
		d, known := st.Known(dev)
		return d.Person, ok && known
	}
	return func(a, b automerge.ActorID) bool {
		x, ok := person(a)
		y, there := person(b)
		return a == b || ok && there && x == y
	}
}

// Comments are those of a document, in the order of the text.
func (w *Workspace) Comments(ctx context.Context, ref DocRef) (out []DocThread, err error) {
	err = w.with(ctx, ref, func(s *shelf, p *paper) error {
		st := w.snapshot()
		for _, t := range document.Threads(p.doc.Reader, s.sameWriter(p)) {
			x := DocThread{Thread: t, By: w.fileBy(st, p.devices[t.By])}
			for _, r := range t.Remarks {
				x.Writers = append(x.Writers, w.fileBy(st, p.devices[r.By]))
			}
			out = append(out, x)
		}
		return nil
	})
	return out, err
}

// A CommentAct changes the comments of a document.
type CommentAct struct {
	Do             string // "add" (begins a thread or answers), "edit", "remove", "resolve", "reopen"
	Thread, Remark string
	Text           string
	Mentions       []string // people
}

// Comment does it. Only who wrote a remark changes or removes it.
func (w *Workspace) Comment(ctx context.Context, ref DocRef, act CommentAct) error {
	text := strings.TrimSpace(act.Text)
	if (act.Do == "add" || act.Do == "edit") && text == "" {
		return &Problem{Code: "comment-empty", Field: "text"}
	}
	if len(text) > document.MaxRemark {
		return &Problem{Code: "comment-long", Field: "text", Args: []any{document.MaxRemark >> 10}}
	}
	if act.Do == "edit" || act.Do == "remove" {
		threads, err := w.Comments(ctx, ref)
		if err != nil {
			return err
		}
		if !mayChange(threads, act) {
			return problem("comment-other")
		}
	}
	_, err := w.ChangeDocument(ctx, ref, func(d *automerge.Doc, _ func() error) error {
		switch act.Do {
		case "add":
			return document.AddRemark(d, act.Thread, document.NewID().String(), text, act.Mentions)
		case "edit":
			return document.EditRemark(d, act.Thread, act.Remark, text, act.Mentions)
		case "remove":
			return document.RemoveRemark(d, act.Thread, act.Remark)
		case "resolve", "reopen":
			return document.Resolve(d, act.Thread, act.Do == "resolve")
		}
		return problem("bad-request", "do")
	})
	return err
}

func mayChange(threads []DocThread, act CommentAct) bool {
	for _, t := range threads {
		for i, r := range t.Remarks {
			if t.ID == act.Thread && r.ID == act.Remark {
				return t.Writers[i].Self
			}
		}
	}
	return false
}

// mentions counts the open threads in which somebody else names this person.
func (s *shelf) mentions(p *paper) (n int) {
	st := s.w.snapshot()
	me := st.Devices[s.w.self].Person
	for _, t := range document.Threads(p.doc.Reader, s.sameWriter(p)) {
		if !t.Resolved && slices.ContainsFunc(t.Remarks, func(r document.Remark) bool {
			d, _ := st.Known(p.devices[r.By])
			return d.Person != me && slices.Contains(r.Mentions, chat.PersonID(me).String())
		}) {
			n++
		}
	}
	return n
}
