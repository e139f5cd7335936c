package oracle

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"

	am "inselnetz/crdt/automerge"
)

// diff compares the patches between two states: those of maps one by one, those of
// lists and texts by what they add and take away. In which pieces and in which
// order a program does that is for it to choose; that the patches lead from the
// one state to the other is a test of the engine's own.
func (e *engine) diff(d deed) error {
	ps, err := e.docs[d.R].Diff(hashesOf(d.Before), hashesOf(d.After))
	if err != nil {
		return err
	}
	var out []string
	for _, p := range ps {
		out = append(out, patchLine(p))
	}
	got := summary(out)
	want, err := e.settled(d, summary(d.Lines), got)
	if err != nil {
		return err
	}
	if got != want {
		return errors.New("patches differ:" + difference(got, want))
	}
	return nil
}

// settled leaves out of want what says nothing new: where values set at the same
// time became one or more, the JavaScript release puts the one that shows again,
// although it showed before.
func (e *engine) settled(d deed, want, got string) (string, error) {
	before, err := e.docs[d.R].At(hashesOf(d.Before))
	if err != nil {
		return "", err
	}
	after, err := e.docs[d.R].At(hashesOf(d.After))
	if err != nil {
		return "", err
	}
	var out []string
	for _, l := range strings.Split(want, "\n") {
		key, isPut := strings.CutPrefix(l, "put /")
		if isPut && !strings.Contains(got, l) {
			key = unquote(quoted(key))
			was, err := before.All(am.Root, am.Key(key))
			if err != nil {
				return "", err
			}
			is, err := after.All(am.Root, am.Key(key))
			if err != nil {
				return "", err
			}
			if len(was) > 0 && len(is) > 0 && len(was) != len(is) && was[len(was)-1] == is[len(is)-1] {
				continue
			}
		}
		out = append(out, l)
	}
	return strings.Join(out, "\n"), nil
}

// summary are the patches of maps, and how much longer or shorter each sequence
// becomes.
func summary(lines []string) string {
	var out []string
	grows := map[string]int{}
	for _, l := range lines {
		kind, rest, _ := strings.Cut(l, " ")
		place, what, _ := strings.Cut(rest, " ")
		object := place[:strings.LastIndex(place, "/")+1]
		switch {
		case kind == "mark":
		case kind == "splice":
			grows[object] += len(utf16.Encode([]rune(unquote(quoted(what)))))
		case kind == "insert":
			grows[object] += 1 + strings.Count(what, ",")
		case kind == "del" && what != "":
			n, _ := strconv.Atoi(what)
			grows[object] -= n
		case strings.HasSuffix(place, `"`):
			out = append(out, l)
		}
	}
	for object, n := range grows {
		if n != 0 {
			out = append(out, fmt.Sprint("grows ", object, " ", n))
		}
	}
	slices.Sort(out)
	return strings.Join(out, "\n")
}

// quoted is the string that s begins with: names of marks behind it may have any
// sign in them.
func quoted(s string) string {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return s[:i+1]
		}
	}
	return s
}

func unquote(s string) string {
	s = strings.TrimSuffix(strings.TrimPrefix(s, `"`), `"`)
	return strings.NewReplacer(`\\`, `\`, `\"`, `"`, `\n`, "\n").Replace(s)
}

func patchLine(p am.Patch) string {
	var at strings.Builder
	for _, s := range p.Path() {
		fmt.Fprintf(&at, "/%s", propText(s.Prop))
	}
	place := at.String() + "/" + propText(p.Prop)
	var values []string
	for _, v := range p.Values {
		values = append(values, patchValue(v))
	}
	conflict := ""
	if p.Conflict {
		conflict = " conflict"
	}
	var marks []string
	for _, name := range slices.Sorted(maps.Keys(p.Marks)) {
		marks = append(marks, name+"="+patchValue(p.Marks[name]))
	}
	switch p.Kind {
	case am.PatchPut:
		return "put " + place + " " + values[0] + conflict
	case am.PatchInsert:
		return "insert " + place + " " + strings.Join(values, ",")
	case am.PatchSplice:
		return "splice " + place + " " + quote(p.Text) + " " + strings.Join(marks, ",")
	case am.PatchDelete:
		if _, ok := p.Prop.Key(); ok {
			return "del " + place
		}
		return fmt.Sprintf("del %s %d", place, p.Len)
	case am.PatchIncrement:
		return fmt.Sprintf("inc %s %d", place, p.By)
	case am.PatchConflict:
		return "conflict " + place
	}
	return fmt.Sprintf("mark %s/ %d %d %s %s", at.String(), p.Mark.Start, p.Mark.End, p.Mark.Name, patchValue(p.Mark.Value))
}

func propText(p am.Prop) string {
	if k, ok := p.Key(); ok {
		return quote(k)
	}
	i, _ := p.Index()
	return fmt.Sprint(i)
}

// patchValue is a value as a patch tells it: objects, and strings, which JavaScript
// has for both, come empty.
func patchValue(v am.Value) string {
	switch v.Kind() {
	case am.KindMap, am.KindTable:
		return "{}"
	case am.KindList:
		return "[]"
	case am.KindText:
		return quote("")
	}
	return looseScalar(v)
}
