package document

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode/utf8"
)

// Files gives the bytes of an image by the path its embed names, nil for none.
type Files func(path string) []byte

// A Table is a grid of plain texts, every row as long as the others.
//
// Its embed has "t": "table", "cols" and "rows": id → order (a number; equal ones go
// by id), "cells": "row:col" → text, and "head": true where the first row holds
// headings.
type Table struct {
	Head bool
	Rows [][]string
}

// What is shown of a table at most; others may claim more cells than they sent.
const (
	maxCols  = 256
	maxCells = 1 << 17
)

// TableOf reads the embed of a table; false if it is none. Cells of rows or columns
// that are gone are left out.
func TableOf(embed map[string]any) (t Table, ok bool) {
	if embed["t"] != "table" {
		return t, false
	}
	t.Head, _ = embed["head"].(bool)
	rows, cols := inOrder(embed["rows"]), inOrder(embed["cols"])
	cols = cols[:min(len(cols), maxCols)]
	rows = rows[:min(len(rows), maxCells/max(1, len(cols)))]
	if len(cols) == 0 {
		return t, true
	}
	cells, _ := embed["cells"].(map[string]any)
	for _, r := range rows {
		row := make([]string, len(cols))
		for i, c := range cols {
			row[i], _ = cells[r+":"+c].(string)
		}
		t.Rows = append(t.Rows, row)
	}
	return t, true
}

// inOrder are the ids of rows or columns in their order.
func inOrder(ids any) []string {
	m, _ := ids.(map[string]any)
	type place struct {
		order float64
		id    string
	}
	var all []place
	for id, v := range m {
		switch v := v.(type) {
		case int64:
			all = append(all, place{float64(v), id})
		case float64:
			all = append(all, place{v, id})
		}
	}
	slices.SortFunc(all, func(a, b place) int {
		return cmp.Or(cmp.Compare(a.order, b.order), strings.Compare(a.id, b.id))
	})
	out := make([]string, len(all))
	for i, p := range all {
		out[i] = p.id
	}
	return out
}

// embedCost keeps the attributes of an embed within what one edit may have.
const embedCost = maxAttrs * 3 / 4

// Blocks are the paragraphs that hold the table: one, or several with a part of the
// rows each, and the headings again, where it is larger than an edit may be. Rows
// that are too large for a table at all become paragraphs of their cells.
func (t Table) Blocks() (out []Block) {
	cols := 0
	for _, r := range t.Rows {
		cols = min(maxCols, max(cols, len(r)))
	}
	room := embedCost - 8*costAttr - cols*(costAttr+8)
	var head [][]string
	if t.Head && len(t.Rows) > 0 && rowCost(t.Rows[0], cols) <= embedCost/4 {
		head = t.Rows[:1]
		room -= rowCost(head[0], cols)
	}
	var part [][]string // the rows of the next embed, without the headings
	cost := 0
	flush := func() {
		if len(part) > 0 || len(out) == 0 && len(head) > 0 {
			embed := tableEmbed(slices.Concat(head, part), cols, len(head) > 0)
			out = append(out, Block{Kind: Paragraph, Spans: []Span{{Embed: embed}}})
		}
		part, cost = nil, 0
	}
	for _, r := range t.Rows[len(head):] {
		n := rowCost(r, cols)
		if n > room {
			flush()
			for _, cell := range r {
				if cell != "" {
					out = append(out, Block{Kind: Paragraph, Spans: []Span{{Text: cell}}})
				}
			}
			continue
		}
		if cost+n > room {
			flush()
		}
		part, cost = append(part, r), cost+n
	}
	flush()
	return out
}

// rowCost is what a row costs in an edit, never too low; and too much for
// one that cannot be in a table.
func rowCost(row []string, cols int) int {
	n := costAttr + 8
	if len(row) > maxCols {
		return embedCost + 1
	}
	for i := range cols {
		cell := ""
		if i < len(row) {
			cell = row[i]
		}
		if len(cell) > maxString {
			return embedCost + 1
		}
		n += costAttr + 16 + len(cell) + utf8.RuneCountInString(cell)
	}
	return n
}

func tableEmbed(rows [][]string, cols int, head bool) map[string]any {
	rowIDs, colIDs, cells := map[string]any{}, map[string]any{}, map[string]any{}
	for i := range cols {
		colIDs[fmt.Sprintf("c%d", i+1)] = int64(i + 1)
	}
	for i, r := range rows {
		rowIDs[fmt.Sprintf("r%d", i+1)] = int64(i + 1)
		for k := range cols {
			cell := "" // there, so that two who begin to type in it write one text
			if k < len(r) {
				cell = r[k]
			}
			cells[fmt.Sprintf("r%d:c%d", i+1, k+1)] = cell
		}
	}
	embed := map[string]any{"embed": true, "t": "table", "rows": rowIDs, "cols": colIDs, "cells": cells}
	if head {
		embed["head"] = true
	}
	return embed
}

// A Part of a block is text and embeds of a line, or a table.
type Part struct {
	Spans []Span
	Table *Table
}

// Parts parts a block at its tables, which cannot stand within a line.
func Parts(b *Block) (out []Part) {
	from := 0
	for i, s := range b.Spans {
		t, ok := TableOf(s.Embed)
		if !ok {
			continue
		}
		if i > from {
			out = append(out, Part{Spans: b.Spans[from:i]})
		}
		out = append(out, Part{Table: &t})
		from = i + 1
	}
	if from < len(b.Spans) || len(b.Spans) == 0 {
		out = append(out, Part{Spans: b.Spans[from:]})
	}
	return out
}

// Label is what an embed is called where it cannot be shown.
func Label(embed map[string]any) string {
	for _, key := range []string{"alt", "name", "path", "src", "text", "t"} {
		if s, _ := embed[key].(string); s != "" {
			if key == "path" {
				s = path.Base(s)
			}
			return s
		}
	}
	return ""
}

// Source is where the contents of an image or file lie: the path within a space's
// folder, or what an imported text said.
func Source(embed map[string]any) string {
	if p, _ := embed["path"].(string); p != "" {
		return p
	}
	src, _ := embed["src"].(string)
	return src
}
