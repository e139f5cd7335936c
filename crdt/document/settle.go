package document

import (
	"maps"
	"slices"

	"inselnetz/crdt/automerge"
)

// manyFresh is from how many fresh stretches on all marks of the text are read once.
const manyFresh = 50

// settle gives the fresh stretches their marks: what they have by the place where
// they were inserted and shall not have goes, what they lack comes.
func (w *writer) settle() error {
	var names []string
	var byName map[string][]automerge.Mark
	if len(w.fresh) >= manyFresh {
		all, err := w.d.Marks(w.body)
		if err != nil {
			return err
		}
		names, byName = named(all)
	}
	for _, s := range w.fresh {
		if len(w.fresh) < manyFresh {
			all, err := w.d.MarksIn(w.body, s.start, s.end)
			if err != nil {
				return err
			}
			names, byName = named(all)
		}
		if err := w.settle1(s, names, byName); err != nil {
			return err
		}
	}
	w.fresh = w.fresh[:0]
	return nil
}

// named are the names of marks and the marks of each: ascending and apart.
func named(all []automerge.Mark) (names []string, byName map[string][]automerge.Mark) {
	byName = map[string][]automerge.Mark{}
	for len(all) > 0 {
		n := 1
		for n < len(all) && all[n].Name == all[0].Name {
			n++
		}
		names = append(names, all[0].Name)
		byName[all[0].Name] = all[:n]
		all = all[n:]
	}
	return names, byName
}

func (w *writer) settle1(s stretch, names []string, byName map[string][]automerge.Mark) error {
	for _, name := range names {
		if _, wanted := s.marks[name]; wanted {
			continue
		}
		for _, m := range within(byName[name], s) {
			// What is typed behind the stretch goes on as the stretch is.
			if err := w.d.Unmark(w.body, max(m.Start, s.start), min(m.End, s.end), name, automerge.ExpandAfter); err != nil {
				return err
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.marks)) {
		v, at := s.marks[name], s.start
		for _, m := range within(byName[name], s) {
			if m.Start > at || m.Value != v {
				break
			}
			at = m.End
		}
		if at >= s.end {
			continue // it has it all over
		}
		expand, err := expandOf(name, "")
		if err != nil {
			return err
		}
		if err := w.d.Mark(w.body, s.start, s.end, name, v, expand); err != nil {
			return err
		}
	}
	return nil
}

// within are the marks, ascending and apart, that overlap a stretch.
func within(marks []automerge.Mark, s stretch) []automerge.Mark {
	i, _ := slices.BinarySearchFunc(marks, s.start+1, func(m automerge.Mark, at int) int { return m.End - at })
	j := i
	for j < len(marks) && marks[j].Start < s.end {
		j++
	}
	return marks[i:j]
}
