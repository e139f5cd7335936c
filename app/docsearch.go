package app

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"inselnetz/crdt/document"
	"inselnetz/crdt/log"
)

// A face is what lists and the search show of a document, made when it is asked for.
type face struct {
	meta   document.Meta
	size   int    // UTF-16 units of the text
	text   string // a line for each block
	folded string // text in small letters
	start  string
	named  int // open comments that name this person
}

// Bounds of the start of a document in a list.
const (
	startLines = 8
	startRunes = 400
)

// look makes the face of a document; ok is false while its beginning is not here.
func (s *shelf) look(p *paper) (*face, bool) {
	if p.face != nil {
		return p.face, true
	}
	body, err := document.Body(p.doc.Reader)
	if err != nil {
		return nil, false
	}
	f := &face{meta: document.ReadMeta(p.doc.Reader), text: document.Text(p.doc.Reader)}
	f.size, _ = p.doc.Len(body)
	f.folded = fold(f.text)
	f.start = startOf(f.text)
	f.named = s.mentions(p)
	p.face = f
	return f, true
}

// startOf is the first lines of a text.
func startOf(text string) string {
	var out []string
	runes := 0
	for line := range strings.SplitSeq(text, "\n") {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		if n := utf8.RuneCountInString(line); runes+n > startRunes {
			line = string([]rune(line)[:startRunes-runes])
		}
		runes += utf8.RuneCountInString(line)
		out = append(out, line)
		if len(out) == startLines || runes >= startRunes {
			break
		}
	}
	return strings.Join(out, "\n")
}

// fold makes letters small, one for one.
func fold(s string) string { return strings.Map(unicode.ToLower, s) }

// A DocHit is a document that has all words of a search.
type DocHit struct {
	Row                  DocRow
	Before, Match, After string // around the first word
	At                   int    // position of Match in the text; -1: it is in the title
}

// SearchDocuments looks for documents that have all words of a query in their title,
// folder or text, as parts of words too: those with all in the title first, then the
// newest.
func (w *Workspace) SearchDocuments(ctx context.Context, query string, limit int) (hits []DocHit, more bool, err error) {
	words := strings.Fields(fold(query))
	if len(words) == 0 {
		return nil, false, nil
	}
	spaces, err := w.DocumentSpaces()
	if err != nil {
		return nil, false, err
	}
	type found struct {
		s       *shelf
		id      document.ID
		changed log.HLC
		titled  bool
	}
	var all []found
	for _, space := range spaces {
		s, err := w.shelf(space)
		if err != nil {
			continue // taken away meanwhile
		}
		s.mu.Lock()
		if err := s.load(ctx); err != nil {
			s.mu.Unlock()
			return nil, false, err
		}
		for id, p := range s.docs {
			f, ok := s.look(p)
			if !ok || f.meta.Archived {
				continue
			}
			if titled, has := f.has(words); has {
				all = append(all, found{s, id, p.changed, titled})
			}
		}
		s.mu.Unlock()
	}
	slices.SortFunc(all, func(a, b found) int {
		if a.titled != b.titled {
			if a.titled {
				return -1
			}
			return 1
		}
		return cmp.Or(-cmp.Compare(a.changed, b.changed), slices.Compare(a.id[:], b.id[:]))
	})
	for _, f := range all[:min(len(all), limit)] {
		if hit, ok := f.s.quote(f.id, words); ok {
			hits = append(hits, hit)
		}
	}
	return hits, len(all) > limit, nil
}

// quote shows a document that has these words.
func (s *shelf) quote(id document.ID, words []string) (DocHit, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.docs[id]
	if p == nil {
		return DocHit{}, false
	}
	row, ok := s.row(id, p)
	hit := DocHit{Row: row, At: -1}
	if ok {
		p.face.quote(p, words, &hit)
	}
	return hit, ok
}

// has reports whether all words are in the document, and whether all are in its
// title.
func (f *face) has(words []string) (titled, all bool) {
	head := fold(f.meta.Title + "\n" + f.meta.Folder)
	titled = true
	for _, word := range words {
		if strings.Contains(head, word) {
			continue
		}
		if !strings.Contains(f.folded, word) {
			return false, false
		}
		titled = false
	}
	return titled, true
}

// quoteRunes is how much is shown on either side of a match.
const quoteRunes = 60

// quote shows the place of the first word that is in the text.
func (f *face) quote(p *paper, words []string, hit *DocHit) {
	at, word := -1, ""
	for _, wd := range words {
		if i := strings.Index(f.folded, wd); i >= 0 && (at < 0 || i < at) {
			at, word = i, wd
		}
	}
	if at < 0 {
		return
	}
	// A small letter may take other bytes than the large one, but is one letter.
	skip, n := utf8.RuneCountInString(f.folded[:at]), utf8.RuneCountInString(word)
	from := runeAt(f.text, skip)
	to := from + runeAt(f.text[from:], n)
	before, after := f.text[:from], f.text[to:]
	if i := strings.LastIndexByte(before, '\n'); i >= 0 {
		before = before[i+1:]
	}
	if i := strings.IndexByte(after, '\n'); i >= 0 {
		after = after[:i]
	}
	if n := utf8.RuneCountInString(before) - quoteRunes; n > 0 {
		before = "…" + before[runeAt(before, n):]
	}
	if utf8.RuneCountInString(after) > quoteRunes {
		after = after[:runeAt(after, quoteRunes)] + "…"
	}
	hit.Before, hit.Match, hit.After = before, f.text[from:to], after
	hit.At = document.PositionOf(p.doc.Reader, from)
}

// runeAt is the byte at which the nth letter begins.
func runeAt(s string, n int) int {
	for i := range s {
		if n == 0 {
			return i
		}
		n--
	}
	return len(s)
}

// readPapers reads the documents of all spaces.
func (w *Workspace) readPapers(ctx context.Context) error {
	select {
	case <-w.member:
	case <-ctx.Done():
		return nil
	}
	spaces, err := w.DocumentSpaces()
	if err != nil {
		return nil // not a member any more
	}
	for _, space := range spaces {
		if _, err := w.Documents(ctx, space); err != nil && ctx.Err() == nil {
			w.log.Debug("read documents", "space", space, "err", err)
		}
	}
	return nil
}
