package office

import "inselnetz/crdt/document"

// lists follows the items of lists to know their numbers: the first item of a
// numbered list is 1 or what its "start" says, and a list goes on until a block that
// is no item, an item less deep, or one of another kind at its level.
type lists struct {
	open []openList // by level
}

type openList struct {
	kind   string // Bullet or Ordered; "" for none at this level
	number int64  // of the last item
	id     int    // what the writer gave it
}

func isItem(kind string) bool {
	return kind == document.Bullet || kind == document.Ordered || kind == document.Task
}

// end ends all lists.
func (l *lists) end() { l.open = l.open[:0] }

// item goes on to an item at a level. It returns the list, in which the number is
// the one that the item has if it says nothing, and whether it begins anew.
func (l *lists) item(kind string, level int) (list *openList, fresh bool) {
	if kind == document.Task {
		kind = document.Bullet
	}
	for len(l.open) <= level {
		l.open = append(l.open, openList{})
	}
	l.open = l.open[:level+1]
	list = &l.open[level]
	if fresh = list.kind != kind; fresh {
		*list = openList{kind: kind}
	}
	list.number++
	return list, fresh
}

// write is item for a block that is written: what it says of its number counts.
func (l *lists) write(b *document.Block, level int) (list *openList, fresh bool) {
	list, fresh = l.item(b.Kind, level)
	if n, ok := b.Other["start"].(int64); ok && n != list.number && n >= 0 && n < 1e9 && list.kind == document.Ordered {
		list.number, fresh = n, true
	}
	return list, fresh
}

// read is item for a block that was read with a number.
func (l *lists) read(b *document.Block, number int64) {
	list, _ := l.item(b.Kind, b.Level)
	if b.Kind == document.Ordered && number != list.number && number >= 0 && number < 1e9 {
		list.number = number
		b.Other = map[string]any{"start": number}
	}
}
