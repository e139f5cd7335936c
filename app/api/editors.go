package api

import (
	"context"
	"encoding/hex"

	"inselnetz/app"
	"inselnetz/crdt/automerge"
	"inselnetz/crdt/document"
)

func (s *Server) documentOpen(ctx context.Context, _ language, req DocumentOpen) (DocumentEditor, error) {
	ref, heads, err := stateOf(req.ID, req.Heads)
	if err != nil {
		return DocumentEditor{}, err
	}
	was := app.EditorResume{Heads: heads, Next: uint64(max(req.Next, 0))}
	if raw, err := hex.DecodeString(req.Actor); err == nil {
		was.Actor = automerge.ActorID(raw)
	}
	st, err := s.ws.OpenEditor(ctx, ref, was)
	if err != nil {
		return DocumentEditor{}, err
	}
	return DocumentEditor{
		Editor: st.Editor, Document: showDocument(st.Row), Heads: showHeads(st.Heads),
		Edits: showEdits(st.Edits), Blocks: showBlocks(st.Text.Blocks), Unmarked: st.Text.Unmarked,
		Resumed: st.Resumed, Arrived: st.Arrived, Length: st.Length, Actor: hex.EncodeToString([]byte(st.Actor)), Next: int(st.Next),
		Seen: showHeads(st.Seen), SeenAt: st.SeenAt, Save: DocumentSave{st.Devices, st.Of},
	}, nil
}

func (s *Server) documentSync(ctx context.Context, _ language, req DocumentSync) (DocumentNews, error) {
	in := app.EditorEdits{
		Batch: req.Batch, More: req.More,
		Page: app.PagePlace{Typing: req.Typing, Shown: req.Shown, Anchor: req.Anchor, Head: req.Head},
	}
	for _, e := range req.Edits {
		in.Edits = append(in.Edits, e.edit())
	}
	news, err := s.ws.SyncEditor(ctx, req.Editor, in)
	if err != nil {
		return DocumentNews{}, err
	}
	return DocumentNews{
		Edits: showEdits(news.Edits), Length: news.Length, Heads: showHeads(news.Heads), Actor: hex.EncodeToString([]byte(news.Actor)), Next: int(news.Next),
		Here: showPages(news.Here), Meta: news.Meta, CanWrite: news.Write, Save: DocumentSave{news.Devices, news.Of},
	}, nil
}

func (s *Server) documentCheck(_ context.Context, _ language, req DocumentClose) (DocumentCheck, error) {
	heads, text, err := s.ws.CheckEditor(req.Editor)
	return DocumentCheck{Heads: showHeads(heads), Blocks: showBlocks(text.Blocks), Unmarked: text.Unmarked}, err
}

func (s *Server) documentClose(_ context.Context, _ language, req DocumentClose) (Empty, error) {
	s.ws.CloseEditor(req.Editor)
	return Empty{}, nil
}

// edit is the edit as documents know it.
func (e DocEdit) edit() document.Edit {
	return document.Edit{
		Kind: document.EditKind(e.Kind), At: e.At, Del: e.Del, End: e.End, Text: e.Text, Marks: e.Marks,
		Name: e.Name, Value: e.Value, Block: e.Block, Expand: e.Expand, Path: e.Path,
	}
}

func showEdits(edits []document.Edit) []DocEdit {
	out := make([]DocEdit, 0, len(edits))
	for _, e := range edits {
		out = append(out, DocEdit{
			Kind: string(e.Kind), At: e.At, Del: e.Del, End: e.End, Text: e.Text, Marks: e.Marks,
			Name: e.Name, Value: e.Value, Block: e.Block, Expand: e.Expand, Path: e.Path,
		})
	}
	return out
}

func showBlocks(blocks []document.Block) []DocBlock {
	out := make([]DocBlock, len(blocks))
	for i, b := range blocks {
		out[i] = DocBlock{Kind: b.Kind, Level: b.Level, Checked: b.Checked, Other: b.Other}
		for _, x := range b.Spans {
			out[i].Spans = append(out[i].Spans, DocSpan(x))
		}
	}
	return out
}

func showPages(list []app.PageHere) []DocumentHere {
	out := []DocumentHere{}
	for _, p := range list {
		by := showBy(p.By)
		out = append(out, DocumentHere{
			Page: p.Page, Person: by.ID, Name: by.Name, Tint: by.Tint, Self: p.By.Self, Typing: p.Typing,
			Shown: p.Shown, Anchor: p.Anchor, Head: p.Head,
		})
	}
	return out
}

func (s *Server) documentComments(ctx context.Context, _ language, req DocumentCommentsAsk) (DocumentComments, error) {
	ref, err := app.ParseDocRef(req.ID)
	if err != nil {
		return DocumentComments{}, err
	}
	threads, err := s.ws.Comments(ctx, ref)
	out := DocumentComments{Threads: []DocumentThread{}}
	for _, t := range threads {
		shown := DocumentThread{ID: t.ID, Resolved: t.Resolved, By: showBy(t.By), At: t.At, Quote: t.Quote, Anchor: t.Anchor}
		for i, r := range t.Remarks {
			shown.Remarks = append(shown.Remarks, DocumentRemark{
				ID: r.ID, By: showBy(t.Writers[i]), At: r.At, Text: r.Text, Mentions: append([]string{}, r.Mentions...), Edited: r.Edited,
			})
		}
		out.Threads = append(out.Threads, shown)
	}
	return out, err
}

func (s *Server) documentComment(ctx context.Context, lang language, req DocumentComment) (DocumentComments, error) {
	ref, err := app.ParseDocRef(req.ID)
	if err != nil {
		return DocumentComments{}, err
	}
	act := app.CommentAct{Do: req.Do, Thread: req.Thread, Remark: req.Remark, Text: req.Text, Mentions: req.Mentions}
	if err := s.ws.Comment(ctx, ref, act); err != nil {
		return DocumentComments{}, err
	}
	return s.documentComments(ctx, lang, DocumentCommentsAsk{ID: req.ID})
}
