package app

import (
	"bytes"
	"context"
	"errors"
	"io"
	"path"
	"slices"
	"strings"
	"time"

	"inselnetz/crdt/automerge"
	"inselnetz/crdt/document"
	"inselnetz/crdt/log"
	officefile "inselnetz/crdt/office"
)

// MaxImport is the most bytes of a file that becomes a document.
const MaxImport = 32 << 20

// ImportDocument makes a document of a file: .md, .txt, .docx, .odt or .automerge by
// its name. An Automerge file of a document that is here brings what was written in
// it to that document instead.
func (w *Workspace) ImportDocument(ctx context.Context, space log.SpaceID, folder, name string, content []byte) (DocRow, error) {
	if len(content) > MaxImport {
		return DocRow{}, problem("import-large", MaxImport>>20)
	}
	name = path.Base(strings.ReplaceAll(name, `\`, "/"))
	ext := strings.ToLower(path.Ext(name))
	meta := document.Meta{Folder: folder, Title: clip(strings.TrimSuffix(name, path.Ext(name)))}
	var title string
	var blocks []document.Block
	var err error
	switch ext {
	case ".md", ".markdown":
		title, blocks, err = document.FromMarkdown(content)
	case ".txt", ".text":
		blocks, err = document.FromText(content)
	case ".docx", ".odt":
		read := officefile.ReadDOCX
		if ext == ".odt" {
			read = officefile.ReadODT
		}
		var im officefile.Imported
		if im, err = read(content); err == nil {
			if title = im.Title; clip(title) == "" {
				im.Title = meta.Title
			}
			w.keepPictures(ctx, space, &im)
			blocks = im.Blocks
		}
	case ".automerge":
		return w.importAutomerge(ctx, space, meta, content)
	default:
		return DocRow{}, problem("import-kind", name)
	}
	switch {
	case errors.Is(err, officefile.ErrEncrypted):
		return DocRow{}, because("import-locked", err, name)
	case errors.Is(err, officefile.ErrTooLarge):
		return DocRow{}, because("import-large", err, MaxImport>>20)
	case errors.Is(err, document.ErrImport) && len(content) > document.MaxImport:
		return DocRow{}, because("import-large", err, document.MaxImport>>20)
	case err != nil:
		return DocRow{}, because("import-bad", err, name)
	}
	if title = clip(strings.TrimSpace(title)); title != "" {
		meta.Title = title
	}
	return w.CreateDocument(ctx, space, meta, blocks)
}

// keepPictures puts the pictures of a file into the space's folder. Where that is not
// on this device, or cannot be written, their names stay in the text.
func (w *Workspace) keepPictures(ctx context.Context, space log.SpaceID, im *officefile.Imported) {
	dir := path.Join("Dokumente", fileName(clip(im.Title)))
	for _, p := range im.Images {
		span := &im.Blocks[p.Block].Spans[p.Span]
		row, err := w.PutFile(ctx, space, path.Join(dir, fileName(p.Name)), nil, true, 0, bytes.NewReader(p.Bytes))
		if err != nil {
			w.log.Info("a picture of an imported document is not kept", "err", err)
			*span = document.Span{Text: "[" + document.Label(span.Embed) + "]"}
			continue
		}
		span.Embed["path"] = row.Node.Path
	}
}

// clip makes a text fit for a title.
func clip(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	for i := range s {
		if i > 200 {
			return s[:i]
		}
	}
	return s
}

// importAutomerge takes what another program wrote in a document. Its changes are by
// nobody of this office and cannot be entries: what they did is done again, as edits
// of this person at the state they began from, so that it merges with what happened
// here meanwhile. A file that shares no change with a document here becomes a new one
// with its text.
func (w *Workspace) importAutomerge(ctx context.Context, space log.SpaceID, meta document.Meta, content []byte) (DocRow, error) {
	name := meta.Title + ".automerge"
	from, err := automerge.Load(content, automerge.Options{Unit: automerge.UTF16})
	if err != nil {
		return DocRow{}, because("import-bad", err, name)
	}
	changes, err := from.Changes(nil)
	if err != nil {
		return DocRow{}, because("import-bad", err, name)
	}
	if _, err := document.Body(from.Reader); err != nil {
		return DocRow{}, because("import-foreign", err, name)
	}
	spaces, err := w.DocumentSpaces()
	if err != nil {
		return DocRow{}, err
	}
	for _, sp := range spaces {
		s, err := w.shelf(sp)
		if err != nil {
			continue // taken away meanwhile
		}
		s.mu.Lock()
		row, done, err := s.bringBack(ctx, from, changes)
		s.mu.Unlock()
		if done || err != nil {
			return row, err
		}
	}
	if m := document.ReadMeta(from.Reader); strings.TrimSpace(m.Title) != "" {
		meta.Title = clip(m.Title)
	}
	blocks, err := document.Blocks(from.Reader)
	if err != nil {
		return DocRow{}, because("import-bad", err, name)
	}
	return w.CreateDocument(ctx, space, meta, blocks)
}

// bringBack does what is new in a file in the document of the shelf that it is a
// copy of; done is false if there is none. The caller holds mu.
func (s *shelf) bringBack(ctx context.Context, from *automerge.Doc, changes []*automerge.Change) (row DocRow, done bool, err error) {
	if err := s.load(ctx); err != nil {
		return row, false, err
	}
	for id, p := range s.docs {
		common := map[automerge.Hash]bool{}
		var heads []automerge.Hash
		for _, c := range changes { // each after those it depends on
			if _, ok := p.doc.Change(c.Hash()); !ok {
				continue
			}
			common[c.Hash()] = true
			heads = slices.DeleteFunc(heads, func(h automerge.Hash) bool { return slices.Contains(c.Deps(), h) })
			heads = append(heads, c.Hash())
		}
		if len(heads) == 0 {
			continue
		}
		if len(common) < len(changes) {
			ref := DocRef{s.space, id}
			n, err := s.w.number(ref)
			if err != nil {
				return row, true, err
			}
			edits, _, err := document.Patches(from, heads, from.Heads())
			if err != nil {
				return row, true, err
			}
			e := &editor{ref: ref, n: n}
			if e.log, err = s.w.ownLog(s.space); err != nil {
				return row, true, err
			}
			if e.doc, err = p.doc.ForkAt(heads, e.actor()); err != nil {
				return row, true, err
			}
			if err := e.write(ctx, s, edits); err != nil {
				return row, true, s.w.docProblem(err)
			}
			s.w.freeNumber(ref, n)
		}
		row, _ = s.row(id, s.docs[id])
		return row, true, nil
	}
	return row, false, nil
}

// DocumentFiles reads the pictures of a document from its space's folder; those that
// cannot be had soon are missing.
func (w *Workspace) DocumentFiles(ctx context.Context, ref DocRef) document.Files {
	return func(name string) []byte {
		ctx, stop := context.WithTimeout(ctx, pictureWait)
		defer stop()
		content, k, err := w.FileContent(ctx, ref.Space, name, nil)
		if err != nil || k.Size > maxPicture {
			return nil
		}
		defer content.Close()
		b, err := io.ReadAll(io.LimitReader(content, maxPicture))
		if err != nil {
			return nil
		}
		return b
	}
}

// Bounds of a picture that goes into an export.
const (
	maxPicture  = 16 << 20
	pictureWait = 5 * time.Second
)
