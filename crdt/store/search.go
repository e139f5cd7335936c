package store

import (
	"context"
	"fmt"
	"strings"
	"unicode"

	"inselnetz/crdt/chat"
	"inselnetz/crdt/log"
)

const (
	maxWords  = 16 // of a search
	maxPerHit = 24 // words in a snippet
	wordMark  = "\x01"
	wordEnd   = "\x02" // no message holds these two
)

// Search returns messages with all words of text, the last of them perhaps
// unfinished, newest first, and whether there are more. A nil channel is all;
// before is the position to go on from, 0 the newest.
func (s *Store) Search(ctx context.Context, space log.SpaceID, text string, channel *chat.ChannelID, before int64, limit int) ([]Hit, bool, error) {
	words := match(text)
	where := s.where(space, channel)
	if words == "" || where == "" {
		return nil, false, nil
	}
	if limit <= 0 {
		limit = 30
	}
	if before <= 0 {
		before = 1 << 62
	}
	var hits []Hit
	more := false
	err := s.read(ctx, func(c *conn) error {
		type found struct {
			pos     int64
			snippet string
		}
		var all []found
		q := fmt.Sprintf("SELECT rowid, snippet(words, 0, '%s', '%s', '…', %d) FROM words WHERE words MATCH ? AND rowid<? ORDER BY rowid DESC LIMIT ?", wordMark, wordEnd, maxPerHit)
		err := c.query(ctx, q, []any{where + words, before, limit + 1}, func(r row) error {
			all = append(all, found{r.int(0), r.str(1)})
			return nil
		})
		if err != nil && strings.Contains(err.Error(), "fts5: syntax error") {
			return nil // a word that is none
		}
		if err != nil {
			return err
		}
		if more = len(all) > limit; more {
			all = all[:limit]
		}
		for _, f := range all {
			rows, err := s.rows(ctx, c, "WHERE pos=?", f.pos)
			if err != nil {
				return err
			}
			if len(rows) == 0 {
				return fmt.Errorf("%w: words of no message", ErrDamaged)
			}
			if err := s.complete(ctx, c, rows); err != nil {
				return err
			}
			hits = append(hits, Hit{Row: rows[0], Snippet: pieces(f.snippet)})
		}
		return nil
	})
	return hits, more, err
}

// match turns what a person typed into a query that is never wrong: each word
// in quotes, all of them, the last one as a beginning.
func match(text string) string {
	words := strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) && !unicode.IsMark(r) })
	var b strings.Builder
	n := 0
	for _, w := range words {
		if strings.IndexFunc(w, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }) < 0 || n == maxWords {
			continue
		}
		if n++; n > 1 {
			b.WriteString(" AND ")
		}
		b.WriteString(`"` + w + `"`)
	}
	if n == 0 {
		return ""
	}
	if last, _ := lastRune(text); unicode.IsSpace(last) {
		return "text : (" + b.String() + ")" // the last word is finished
	}
	return "text : (" + b.String() + " *)"
}

func lastRune(s string) (rune, bool) {
	var last rune
	for _, r := range s {
		last = r
	}
	return last, s != ""
}

// where limits a search to a channel, or to a space's when there are others.
// It is empty when nothing can be found.
func (s *Store) where(space log.SpaceID, channel *chat.ChannelID) string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if channel != nil {
		ch := s.chans[chanKey{space, *channel}]
		if ch == nil {
			return ""
		}
		return fmt.Sprintf(`chan : "%d" AND `, ch.id)
	}
	var ids []string
	others := false
	for k, ch := range s.chans {
		switch {
		case k.space == space:
			ids = append(ids, fmt.Sprintf(`"%d"`, ch.id))
		case ch.total > 0:
			others = true
		}
	}
	switch {
	case len(ids) == 0:
		return ""
	case !others:
		return " "
	}
	return "chan : (" + strings.Join(ids, " OR ") + ") AND "
}

// pieces takes a marked snippet apart.
func pieces(s string) []Piece {
	var out []Piece
	for s != "" {
		before, rest, ok := strings.Cut(s, wordMark)
		if before != "" {
			out = append(out, Piece{Text: before})
		}
		if !ok {
			break
		}
		hit, after, _ := strings.Cut(rest, wordEnd)
		if hit != "" {
			out = append(out, Piece{Text: hit, Hit: true})
		}
		s = after
	}
	return out
}
