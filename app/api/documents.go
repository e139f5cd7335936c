package api

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"maps"
	"slices"
	"strings"

	"inselnetz/app"
	"inselnetz/crdt/automerge"
	"inselnetz/crdt/document"
	"inselnetz/crdt/log"
	"inselnetz/crdt/office"
)

func (s *Server) documents(ctx context.Context, _ language, req DocumentsAsk) (Documents, error) {
	var spaces []log.SpaceID
	if req.Space != "" {
		id, err := spaceOf(req.Space)
		if err != nil {
			return Documents{}, err
		}
		spaces = append(spaces, id)
	} else {
		list, err := s.ws.DocumentSpaces()
		if err != nil {
			return Documents{}, err
		}
		spaces = list
	}
	out := Documents{Documents: []Document{}}
	for _, id := range spaces {
		rows, err := s.ws.Documents(ctx, id)
		if err != nil {
			return Documents{}, err
		}
		for _, r := range rows {
			out.Documents = append(out.Documents, showDocument(r))
		}
	}
	return out, nil
}

func showDocument(r app.DocRow) Document {
	return Document{
		ID: app.DocText(r.Ref), Space: r.Ref.Space.String(), Title: r.Meta.Title, Folder: r.Meta.Folder, Archived: r.Meta.Archived,
		Changed: r.Changed, By: showBy(r.By), Size: r.Size, Waiting: r.Waiting, CanWrite: r.Write,
		Template: r.Meta.Template, Start: r.Start, New: r.New, Mentions: r.Mentions, Writers: showPages(r.Writers),
	}
}

func showHeads(hs []automerge.Hash) []string {
	out := []string{}
	for _, h := range hs {
		out = append(out, hex.EncodeToString(h[:]))
	}
	return out
}

// stateOf reads a document's name and heads.
func stateOf(id string, heads []string) (app.DocRef, []automerge.Hash, error) {
	ref, err := app.ParseDocRef(id)
	if err != nil {
		return ref, nil, err
	}
	var out []automerge.Hash
	for _, h := range heads {
		b, err := hex.DecodeString(h)
		if err != nil || len(b) != len(automerge.Hash{}) {
			return ref, nil, &app.Problem{Code: "no-version"}
		}
		out = append(out, automerge.Hash(b))
	}
	return ref, out, nil
}

func (s *Server) document(ctx context.Context, _ language, req DocumentAsk) (DocumentText, error) {
	ref, heads, err := stateOf(req.ID, req.Heads)
	if err != nil {
		return DocumentText{}, err
	}
	out := DocumentText{Heads: showHeads(heads)}
	err = s.ws.ReadDocument(ctx, ref, heads, func(d *automerge.Doc, r automerge.Reader) error {
		if len(heads) == 0 {
			out.Heads = showHeads(d.Heads())
		}
		blocks, err := document.Blocks(r)
		out.Markdown = string(document.Markdown("", blocks))
		return err
	})
	if err != nil {
		return DocumentText{}, err
	}
	return out, s.row(ctx, ref, &out.Document)
}

func (s *Server) row(ctx context.Context, ref app.DocRef, to *Document) error {
	row, err := s.ws.Document(ctx, ref)
	*to = showDocument(row)
	return err
}

func (s *Server) documentCreate(ctx context.Context, lang language, req DocumentCreate) (Document, error) {
	space, err := s.spaceOfDocuments(req.Space)
	if err != nil {
		return Document{}, err
	}
	meta := document.Meta{Folder: req.Folder}
	var blocks []document.Block
	if req.Markdown == "" && req.Template != "" {
		all := document.Templates(string(lang))
		i := slices.IndexFunc(all, func(t document.Template) bool { return t.ID == req.Template })
		if i < 0 {
			return Document{}, &app.Problem{Code: "bad-request", Field: "template", Args: []any{"template"}}
		}
		t := all[i]
		meta.Title, meta.Template, blocks = t.Name, t.ID, t.Blocks
	} else if meta.Title, blocks, err = document.FromMarkdown([]byte(req.Markdown)); err != nil {
		return Document{}, &app.Problem{Code: "not-text", Field: "markdown", Err: err}
	}
	if strings.TrimSpace(req.Title) != "" {
		meta.Title = req.Title
	}
	row, err := s.ws.CreateDocument(ctx, space, meta, blocks)
	return showDocument(row), err
}

// spaceOfDocuments reads the id of a space; empty is that of all.
func (s *Server) spaceOfDocuments(id string) (log.SpaceID, error) {
	if id != "" {
		return spaceOf(id)
	}
	list, err := s.ws.DocumentSpaces()
	if err != nil || len(list) == 0 {
		return log.SpaceID{}, err
	}
	return list[0], nil
}

func (s *Server) documentTemplates(_ context.Context, lang language, _ Empty) (DocumentTemplates, error) {
	out := DocumentTemplates{Templates: []DocumentTemplate{}}
	for _, t := range document.Templates(string(lang)) {
		out.Templates = append(out.Templates, DocumentTemplate{ID: t.ID, Name: t.Name})
	}
	return out, nil
}

func (s *Server) documentCopy(ctx context.Context, _ language, req DocumentCopy) (Document, error) {
	ref, err := app.ParseDocRef(req.ID)
	if err != nil {
		return Document{}, err
	}
	row, err := s.ws.CopyDocument(ctx, ref, req.Title)
	return showDocument(row), err
}

func (s *Server) documentSearch(ctx context.Context, _ language, req DocumentSearch) (DocumentHits, error) {
	limit := min(max(req.Limit, 0), 500)
	if limit == 0 {
		limit = 50
	}
	hits, more, err := s.ws.SearchDocuments(ctx, req.Query, limit)
	out := DocumentHits{Hits: []DocumentHit{}, More: more}
	for _, h := range hits {
		out.Hits = append(out.Hits, DocumentHit{Document: showDocument(h.Row), Before: h.Before, Match: h.Match, After: h.After, At: h.At})
	}
	return out, err
}

func (s *Server) documentSet(ctx context.Context, _ language, req DocumentSet) (Document, error) {
	ref, err := app.ParseDocRef(req.ID)
	if err != nil {
		return Document{}, err
	}
	row, err := s.ws.SetDocument(ctx, ref, func(m *document.Meta) {
		for _, set := range []struct {
			to   *string
			from *string
		}{{&m.Title, req.Title}, {&m.Folder, req.Folder}} {
			if set.from != nil {
				*set.to = *set.from
			}
		}
		if req.Archived != nil {
			m.Archived = *req.Archived
		}
	})
	return showDocument(row), err
}

func (s *Server) documentWrite(ctx context.Context, _ language, req DocumentWrite) (Document, error) {
	ref, err := app.ParseDocRef(req.ID)
	if err != nil {
		return Document{}, err
	}
	_, blocks, err := document.FromMarkdown([]byte(req.Markdown))
	if err != nil {
		return Document{}, &app.Problem{Code: "not-text", Field: "markdown", Err: err}
	}
	row, err := s.ws.ChangeDocument(ctx, ref, func(d *automerge.Doc, commit func() error) error {
		return document.Replace(d, blocks, commit)
	})
	return showDocument(row), err
}

func (s *Server) documentRestore(ctx context.Context, _ language, req DocumentAsk) (Document, error) {
	ref, heads, err := stateOf(req.ID, req.Heads)
	if err != nil {
		return Document{}, err
	}
	row, err := s.ws.RestoreDocument(ctx, ref, heads)
	return showDocument(row), err
}

func (s *Server) documentHistory(ctx context.Context, _ language, req DocumentAsk) (DocumentHistory, error) {
	ref, err := app.ParseDocRef(req.ID)
	if err != nil {
		return DocumentHistory{}, err
	}
	list, err := s.ws.DocumentHistory(ctx, ref)
	out := DocumentHistory{Sessions: []DocumentSession{}}
	for _, h := range list {
		session := DocumentSession{
			From: millis(h.From), To: millis(h.To), Heads: showHeads(h.Heads), Changes: h.Changes, Added: h.Added, Removed: h.Removed, People: []Person{},
		}
		for _, by := range h.By {
			session.People = append(session.People, showBy(by))
		}
		session.By = session.People[0]
		out.Sessions = append(out.Sessions, session)
	}
	return out, err
}

func (s *Server) documentState(ctx context.Context, _ language, req DocumentState) (DocumentShown, error) {
	ref, heads, err := stateOf(req.ID, req.Heads)
	if err != nil {
		return DocumentShown{}, err
	}
	_, since, err := stateOf(req.ID, req.Since)
	if err != nil {
		return DocumentShown{}, err
	}
	st, err := s.ws.DocumentState(ctx, ref, heads, since)
	if err != nil {
		return DocumentShown{}, err
	}
	out := DocumentShown{Title: st.Title, Heads: showHeads(st.Heads), Blocks: []DocBlock{}, People: []Person{}, Added: st.Added, Removed: st.Removed}
	places := map[automerge.ActorID]int{}
	place := func(a automerge.ActorID) int {
		if n, ok := places[a]; ok {
			return n
		}
		by := showBy(st.By[a])
		n := slices.IndexFunc(out.People, func(p Person) bool { return p.ID == by.ID })
		if n < 0 {
			n = len(out.People)
			out.People = append(out.People, by)
		}
		places[a] = n
		return n
	}
	for _, b := range st.Blocks {
		shown := DocBlock{Kind: b.Kind, Level: b.Level, Checked: b.Checked, Other: b.Other, Change: string(b.Change)}
		if b.Change != "" {
			shown.By = place(b.By)
		}
		for _, x := range b.Parts {
			span := DocSpan{Text: x.Text, Marks: maps.Clone(x.Marks), Embed: x.Embed}
			if x.Change != "" {
				if span.Marks == nil {
					span.Marks = map[string]any{}
				}
				span.Marks[string(x.Change)] = place(x.By)
			}
			shown.Spans = append(shown.Spans, span)
		}
		out.Blocks = append(out.Blocks, shown)
	}
	return out, nil
}

func (s *Server) documentImport(ctx context.Context, _ language, req DocumentImport) (Document, error) {
	space, err := s.spaceOfDocuments(req.Space)
	if err != nil {
		return Document{}, err
	}
	content, err := base64.StdEncoding.DecodeString(req.Content)
	if err != nil {
		return Document{}, &app.Problem{Code: "bad-request", Field: "content", Args: []any{"base64"}}
	}
	row, err := s.ws.ImportDocument(ctx, space, req.Folder, req.Name, content)
	return showDocument(row), err
}

func (s *Server) documentExport(ctx context.Context, lang language, req DocumentExport) (DocumentFile, error) {
	ref, heads, err := stateOf(req.ID, req.Heads)
	if err != nil {
		return DocumentFile{}, err
	}
	var title string
	var content []byte
	var blocks []document.Block
	err = s.ws.ReadDocument(ctx, ref, heads, func(d *automerge.Doc, r automerge.Reader) error {
		title = document.ReadMeta(r).Title
		switch req.Format {
		case "txt":
			content = []byte(document.Text(r) + "\n")
		case "automerge":
			if len(heads) == 0 {
				content = d.Save()
				return nil
			}
			past, err := d.ForkAt(heads, "export")
			if err != nil {
				return err
			}
			content = past.Save()
		default:
			blocks, err = document.Blocks(r)
		}
		return err
	})
	if err != nil {
		return DocumentFile{}, err
	}
	files := s.ws.DocumentFiles(ctx, ref)
	switch req.Format {
	case "txt", "automerge":
	case "md":
		content = document.Markdown(title, blocks)
	case "html":
		content = document.HTMLWithFiles(title, string(lang), blocks, files)
	case "docx":
		content, err = office.DOCX(title, blocks, files)
	case "odt":
		content, err = office.ODT(title, blocks, files)
	default:
		err = &app.Problem{Code: "bad-request", Field: "format", Args: []any{"format: md, txt, html, docx, odt, automerge"}}
	}
	return DocumentFile{Name: app.FileName(title) + "." + req.Format, Content: base64.StdEncoding.EncodeToString(content)}, err
}
