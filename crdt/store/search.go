package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"inselnetz/crdt/chat"
	"inselnetz/crdt/log"
)

const (
	maxWords = 16   // of a search
	glance   = 2000 // newest messages looked at before the index
)

// Search returns messages of these spaces with all words of text, the last of
// them perhaps unfinished, newest first, and whether there are more. A nil
// channel is all; before is the position to go on from, 0 the newest.
func (s *Store) Search(ctx context.Context, spaces []log.SpaceID, text string, channel *chat.ChannelID, before int64, limit int) ([]Hit, bool, error) {
	n := parseNeedle(text)
	in, where := s.where(spaces, channel)
	if len(n.words) == 0 || len(in) == 0 {
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
		found, err := n.find(ctx, c, in, where, before, limit+1)
		if err != nil {
			return err
		}
		if more = len(found) > limit; more {
			found = found[:limit]
		}
		for _, pos := range found {
			rows, err := s.rows(ctx, c, "WHERE pos=?", pos)
			if err != nil {
				return err
			}
			if len(rows) == 0 {
				return fmt.Errorf("%w: words of no message", ErrDamaged)
			}
			if err := s.complete(ctx, c, rows); err != nil {
				return err
			}
			hits = append(hits, Hit{Row: rows[0], Snippet: n.pieces(rows[0].Text)})
		}
		return nil
	})
	return hits, more, err
}

// find returns the positions of at most limit messages before a position.
//
// The index goes through whole words from the newest back and stops at the
// limit, but for a beginning of words it first gathers all messages with any
// of them: half a second for one that is in every third message of a million.
// Such a beginning is also in enough of the newest messages, so these are
// looked at first, one by one.
func (n needle) find(ctx context.Context, c *conn, in map[int64]bool, where string, before int64, limit int) ([]int64, error) {
	var out []int64
	if n.open {
		q, args := "SELECT pos, text, chan FROM messages WHERE pos<? ORDER BY pos DESC LIMIT ?", []any{before, glance}
		if len(in) == 1 {
			for id := range in {
				q, args = "SELECT pos, text, chan FROM messages WHERE chan=? AND pos<? ORDER BY pos DESC LIMIT ?", []any{id, before, glance}
			}
		}
		err := c.query(ctx, q, args, func(r row) error {
			if in[r.int(2)] && n.in(r.str(1)) {
				out = append(out, r.int(0))
			}
			if len(out) == limit {
				return errStop
			}
			return nil
		})
		if err != nil || len(out) == limit {
			return out, err
		}
		out = nil
	}
	err := c.query(ctx, "SELECT rowid FROM words WHERE words MATCH ? AND rowid<? ORDER BY rowid DESC LIMIT ?", []any{where + n.query, before, limit}, func(r row) error {
		out = append(out, r.int(0))
		return nil
	})
	if err != nil && strings.Contains(err.Error(), "fts5: syntax error") {
		return nil, nil // a word that is none
	}
	return out, err
}

// A needle is what a person looks for.
type needle struct {
	words []string // folded as the index folds them
	open  bool     // the last word may be the beginning of one
	query string   // for the index
}

// parseNeedle turns what a person typed into a query that is never wrong: each
// word in quotes, all of them, the last one as a beginning.
func parseNeedle(text string) needle {
	var n needle
	var b strings.Builder
	eachWord(strings.ToValidUTF8(text, " "), func(from, to int, word string) bool {
		if n.words = append(n.words, word); len(n.words) > 1 {
			b.WriteString(" AND ")
		}
		b.WriteString(`"` + strings.ToValidUTF8(text, " ")[from:to] + `"`)
		return len(n.words) < maxWords
	})
	last, _ := utf8.DecodeLastRuneInString(text)
	if n.open = !unicode.IsSpace(last); n.open {
		b.WriteString(" *")
	}
	n.query = "text : (" + b.String() + ")"
	return n
}

// eachWord calls do with each word of a text and where it is, until do returns
// false. Words are what the tokenizer unicode61 with remove_diacritics 2 takes
// for words.
func eachWord(text string, do func(from, to int, folded string) bool) {
	start, real := -1, false
	for i, r := range text + " " {
		letter := unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.Is(unicode.Co, r)
		switch {
		case letter || start >= 0 && unicode.IsMark(r):
			if start < 0 {
				start = i
			}
			real = real || letter
		case start >= 0:
			if real && !do(start, i, fold(text[start:i])) {
				return
			}
			start, real = -1, false
		}
	}
}

// fold makes small letters without accents.
func fold(word string) string {
	ascii := true
	for i := range len(word) {
		ascii = ascii && word[i] < utf8.RuneSelf
	}
	if ascii {
		return strings.ToLower(word)
	}
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return unicode.ToLower(r)
	}, norm.NFD.String(word))
}

// is reports whether a folded word is the i-th looked for.
func (n needle) is(i int, word string) bool {
	return word == n.words[i] || n.open && i == len(n.words)-1 && strings.HasPrefix(word, n.words[i])
}

// in reports whether all words are in a text.
func (n needle) in(text string) bool {
	var got, all uint32 = 0, 1<<len(n.words) - 1
	eachWord(text, func(_, _ int, word string) bool {
		for i := range n.words {
			if n.is(i, word) {
				got |= 1 << i
			}
		}
		return got != all
	})
	return got == all
}

// Bytes of a snippet, and of it before the first word found.
const (
	snippetLen  = 160
	snippetLead = 40
)

// pieces cuts the part of a text out that has the first word found in it, and
// marks all words found.
func (n needle) pieces(text string) []Piece {
	type span struct{ from, to int }
	var hits []span
	var starts []int
	eachWord(text, func(from, to int, word string) bool {
		starts = append(starts, from)
		for i := range n.words {
			if n.is(i, word) {
				hits = append(hits, span{from, to})
				break
			}
		}
		return len(hits) == 0 || from < hits[0].from+snippetLen
	})
	at, end := 0, len(text)
	if len(hits) > 0 && hits[0].from > snippetLead {
		for _, s := range starts { // begin with a whole word
			if at = s; s >= hits[0].from-snippetLead {
				break
			}
		}
	}
	if end-at > snippetLen {
		end = at + snippetLen
		for _, s := range starts { // end before one
			if s > at && s <= at+snippetLen {
				end = s
			}
		}
		if len(hits) > 0 {
			end = max(end, hits[0].to)
		}
		for !utf8.RuneStart(text[min(end, len(text)-1)]) {
			end--
		}
	}
	var out []Piece
	add := func(s string, hit bool) {
		if s != "" {
			out = append(out, Piece{Text: s, Hit: hit})
		}
	}
	if at > 0 {
		add("… ", false)
	}
	for _, h := range hits {
		if h.from >= at && h.to <= end {
			add(text[at:h.from], false)
			add(text[h.from:h.to], true)
			at = h.to
		}
	}
	add(text[at:end], false)
	if end < len(text) {
		add(" …", false)
	}
	return out
}

// where returns the channels a search is limited to, and the beginning of its
// query that says so; that is empty when there are no others.
func (s *Store) where(spaces []log.SpaceID, channel *chat.ChannelID) (map[int64]bool, string) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	in := map[int64]bool{}
	var ids []string
	others := false
	for k, ch := range s.chans {
		switch {
		case slices.Contains(spaces, k.space) && (channel == nil || k.id == *channel):
			in[ch.id] = true
			ids = append(ids, fmt.Sprintf(`"%d"`, ch.id))
		case ch.total > 0:
			others = true
		}
	}
	if !others {
		return in, ""
	}
	return in, "chan : (" + strings.Join(ids, " OR ") + ") AND "
}
