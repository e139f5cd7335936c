package format

import (
	"bytes"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"inselnetz/crdt/automerge/internal/opid"
)

// write is a table of columns and their data, for a bundle one after the other.
func write(cols ...column) (meta, data []byte) {
	meta = appendU(nil, uint64(len(cols)))
	for _, c := range cols {
		meta = appendU(appendU(meta, uint64(c.spec)), uint64(len(c.data)))
		data = append(data, c.data...)
	}
	return meta, data
}

// except replaces, adds or (data nil) removes columns.
func except(cols []column, other ...column) []column {
	cols = slices.Clone(cols)
	for _, o := range other {
		cols = slices.DeleteFunc(cols, func(c column) bool { return c.spec == o.spec })
		if o.data != nil {
			cols = append(cols, o)
		}
	}
	slices.SortFunc(cols, func(a, b column) int { return int(a.spec) - int(b.spec) })
	return cols
}

func col(s spec, data ...byte) column { return column{spec: s, data: data} }

// none removes a column.
func none(s spec) column { return column{spec: s} }

// twoPuts are the columns of a document of actor 1 in which two keys are set,
// each in a change.
var (
	twoPutsChanges = []column{
		col(specActor, 2, 0), col(specSeq, 2, 1), col(specMaxOp, 2, 1), col(specTime, 2, 0),
		col(specDepNum, 0x7e, 0, 1), col(specDep, 0x7f, 0), col(specExtraMeta, 2, 7),
	}
	twoPutsOps = []column{
		col(specKeyText, 0x7e, 1, 'a', 1, 'b'), col(specIDActor, 2, 0), col(specIDCtr, 2, 1), col(specInsert, 2),
		col(specAction, 2, 1), col(specValueMeta, 2, 0x14), col(specValue, 1, 2), col(specSuccNum, 2, 0),
	}
)

func document(changes, ops []column) []byte {
	cm, cd := write(changes...)
	om, od := write(ops...)
	return slices.Concat([]byte{1, 1, 1, 0}, cm, om, cd, od)
}

// badDocuments are changes to the columns of twoPuts, with what is said of them.
var badDocuments = map[string]struct {
	changes, ops []column
	says         string
}{
	"":                        {nil, nil, ""},
	"unknown columns":         {[]column{col(specExtra + 16)}, []column{col(specPlace, 1, 2, 3), col(0x1234, 9)}, ""},
	"no time":                 {[]column{none(specTime)}, nil, ""},
	"no extra":                {[]column{none(specExtraMeta)}, nil, ""},
	"actor beyond":            {[]column{col(specActor, 0x7e, 0, 1)}, nil, "actor"},
	"actor null":              {[]column{col(specActor, 0x7f, 0, 0, 1)}, nil, "null"},
	"seq from 2":              {[]column{col(specSeq, 0x7e, 2, 1)}, nil, "seq"},
	"seq again":               {[]column{col(specSeq, 0x7e, 1, 0)}, nil, "seq"},
	"seq negative":            {[]column{col(specSeq, 0x7e, 0x7f, 1)}, nil, "seq"},
	"no seq":                  {[]column{none(specSeq)}, nil, "seq"},
	"operations go back":      {[]column{col(specMaxOp, 0x7e, 2, 0x7f)}, nil, "up to"},
	"operations beyond":       {[]column{col(specMaxOp, appendS([]byte{0x7f}, 1<<32)...)}, nil, "last operation"},
	"depends on itself":       {[]column{col(specDep, 0x7f, 1)}, nil, "depends"},
	"depends on the future":   {[]column{col(specDepNum, 0x7e, 1, 0)}, nil, "depend"},
	"depends on nothing":      {[]column{none(specDep)}, nil, "dependency"},
	"depends on -1":           {[]column{col(specDep, appendS([]byte{0x7f}, -1)...)}, nil, "depends"},
	"no dependencies":         {[]column{none(specDepNum)}, nil, "dependencies"},
	"2^40 dependencies":       {[]column{col(specDepNum, append(appendU([]byte{0x7e, 0}, 1<<40), 0)...)}, nil, ""},
	"extra of another type":   {[]column{col(specExtraMeta, 2, 6)}, nil, "type 6"},
	"extra bytes missing":     {[]column{col(specExtraMeta, 2, 0x17)}, nil, "extra"},
	"extra bytes left":        {[]column{col(specExtra, 1)}, nil, "extra"},
	"too few changes":         {[]column{col(specActor, 3, 0)}, nil, "too few"},
	"too many changes":        {[]column{col(specActor, 0x7f, 0)}, nil, "too many"},
	"message no UTF-8":        {[]column{col(specMessage, 2, 1, 0xff)}, nil, "UTF-8"},
	"key missing":             {nil, []column{none(specKeyText)}, "neither key"},
	"key and element":         {nil, []column{col(specKeyCtr, 2, 0)}, "key and element"},
	"half an element":         {nil, []column{none(specKeyText), col(specKeyActor, 2, 0)}, "neither key"},
	"head that is no insert":  {nil, []column{none(specKeyText), col(specKeyCtr, 2, 0)}, "head"},
	"null head":               {nil, []column{none(specKeyText), col(specKeyCtr, 2, 1), col(specInsert, 0, 2)}, "neither key"},
	"half an object":          {nil, []column{col(specObjActor, 2, 0)}, "half"},
	"object of no time":       {nil, []column{col(specObjActor, 2, 0), col(specObjCtr, 2, 0)}, "counter 0"},
	"object of the future":    {nil, []column{col(specObjActor, 2, 0), col(specObjCtr, 2, 2)}, "older"},
	"object of another":       {nil, []column{col(specObjActor, 2, 1), col(specObjCtr, 2, 1)}, "actor 1"},
	"no id":                   {nil, []column{none(specIDActor)}, "no id"},
	"id 0":                    {nil, []column{col(specIDCtr, 0x7e, 0, 1)}, "counter 0"},
	"no inserts":              {nil, []column{none(specInsert)}, "inserts"},
	"expands nothing":         {nil, []column{col(specExpand, 2)}, "expands"},
	"expands a value":         {nil, []column{col(specExpand, 0, 2)}, "with a mark"},
	"value with a mark":       {nil, []column{col(specMark, 2, 1, 'm')}, "with a mark"},
	"unknown action":          {nil, []column{col(specAction, 2, 8)}, "action 8"},
	"delete":                  {nil, []column{col(specAction, 2, 3)}, "delete"},
	"increment by nothing":    {nil, []column{col(specAction, 2, 5), col(specValueMeta, 2, 0), none(specValue)}, "increment"},
	"no values":               {nil, []column{none(specValueMeta)}, "no value"},
	"values missing":          {nil, []column{none(specValue)}, "left"},
	"values left":             {nil, []column{col(specValue, 1, 2, 3)}, "after the last value"},
	"null with a byte":        {nil, []column{col(specValueMeta, 2, 0x10)}, "type 0"},
	"float of one byte":       {nil, []column{col(specValueMeta, 2, 0x15)}, "type 5"},
	"int of none":             {nil, []column{col(specValueMeta, 2, 4), none(specValue)}, "type 4"},
	"timestamp of none":       {nil, []column{col(specValueMeta, 2, 9), none(specValue)}, "type 9"},
	"text no UTF-8":           {nil, []column{col(specValueMeta, 2, 0x16), col(specValue, 0xc3, 0xc3)}, "UTF-8"},
	"no successors":           {nil, []column{none(specSuccNum)}, "references"},
	"successor missing":       {nil, []column{col(specSuccNum, 2, 1)}, "no reference"},
	"successor older":         {nil, []column{col(specSuccNum, 0x7e, 0, 1), col(specSuccActor, 0x7f, 0), col(specSuccCtr, 0x7f, 1)}, "younger"},
	"successors out of order": {nil, []column{col(specSuccNum, 0x7e, 2, 0), col(specSuccActor, 2, 0), col(specSuccCtr, 0x7e, 4, 0x7f)}, "ascend"},
	"successor of nobody":     {nil, []column{col(specSuccNum, 0x7e, 1, 0), col(specSuccActor, 0x7f, 7), col(specSuccCtr, 0x7f, 4)}, "actor 7"},
	"columns out of order":    {nil, []column{{spec: specMark, data: []byte{1}}, {spec: specMark}}, ""},
}

func TestDocumentRefused(t *testing.T) {
	for name, tt := range badDocuments {
		body := document(except(twoPutsChanges, tt.changes...), except(twoPutsOps, tt.ops...))
		d, err := ParseDocument(body, nil)
		if err == nil {
			_, err = rewrite(d)
		}
		if ok := name == "" || name == "no time" || name == "no extra" || name == "unknown columns" || name == "columns out of order"; ok != (err == nil) {
			t.Errorf("%s: %v", name, err)
		} else if err != nil && (!errors.Is(err, ErrMalformed) && !errors.Is(err, ErrLimit) || !strings.Contains(err.Error(), tt.says)) {
			t.Errorf("%s: %v, want it to say %q", name, err, tt.says)
		}
	}
	body := document(twoPutsChanges, twoPutsOps)
	for name, b := range map[string][]byte{
		"bytes left":            append(slices.Clone(body), 1),
		"cut":                   body[:len(body)-1],
		"actors not ascending":  append([]byte{2, 1, 1, 1, 1}, body[3:]...),
		"heads not ascending":   slices.Concat([]byte{1, 1, 1, 2}, make([]byte, 64), body[4:]),
		"columns not ascending": slices.Concat([]byte{1, 1, 1, 0, 2, byte(specSeq), 0, byte(specActor), 0}, []byte{0}),
		"nothing":               {},
	} {
		if _, err := ParseDocument(b, nil); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestChangeRefused(t *testing.T) {
	ok := []column{
		col(specKeyText, 0x7f, 1, 'a'), col(specInsert, 1), col(specAction, 0x7f, 1), col(specValueMeta, 0x7f, 0x14), col(specValue, 1), col(specPredNum, 0x7f, 0),
	}
	pred := func(ctr byte) []column {
		return []column{col(specPredNum, 0x7f, 1), col(specPredActor, 0x7f, 0), col(specPredCtr, 0x7f, ctr)}
	}
	del := append(pred(1), col(specAction, 0x7f, 3), col(specValueMeta, 0x7f, 0), none(specValue))
	head := []byte{0, 1, 5, 1, 4, 0, 0, 0} // actor 5, seq 1, from 4
	for name, tt := range map[string]struct {
		head []byte
		cols []column
	}{
		"":                        {head, nil},
		"a delete":                {head, del},
		"seq 0":                   {[]byte{0, 1, 5, 0, 4, 0, 0, 0}, nil},
		"from 0":                  {[]byte{0, 1, 5, 1, 0, 0, 0, 0}, nil},
		"to beyond":               {slices.Concat([]byte{0, 1, 5, 1}, appendU(nil, 1<<32), []byte{0, 0, 0}), nil},
		"message no UTF-8":        {[]byte{0, 1, 5, 1, 4, 0, 1, 0xff, 0}, nil},
		"unused other":            {[]byte{0, 1, 5, 1, 4, 0, 0, 1, 1, 7}, nil},
		"others not ascending":    {[]byte{0, 1, 5, 1, 4, 0, 0, 2, 1, 7, 1, 6}, nil},
		"author among the others": {[]byte{0, 1, 5, 1, 4, 0, 0, 1, 1, 5}, nil},
		"cut":                     {[]byte{0, 1, 5, 1, 4}, []column{none(specKeyText), none(specInsert), none(specAction), none(specValueMeta), none(specValue), none(specPredNum)}},
		"unknown column":          {head, []column{col(specPlace, 1)}},
		"deflated column":         {head, []column{none(specValue), col(specValue|deflated, 1)}},
		"empty column":            {head, []column{{spec: specMark, data: []byte{}}}},
		"predecessor not older":   {head, pred(4)},
		"delete of nothing":       {head, []column{col(specAction, 0x7f, 3), col(specValueMeta, 0x7f, 0), none(specValue)}},
		"delete that inserts":     {head, append(del, col(specInsert, 0, 1))},
		"delete with a value":     {head, append(del, col(specValueMeta, 0x7f, 0x14), col(specValue, 1))},
		"nothing but nulls":       {head, []column{col(specMark, 0, 1)}},
	} {
		meta, data := write(except(ok, tt.cols...)...)
		c, err := ParseChange(slices.Concat(tt.head, meta, data), nil)
		if err == nil {
			err = new(Checker).Canonical(c)
		}
		if good := name == "" || name == "a delete"; good != (err == nil) || err != nil && !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := ParseChange(slices.Concat(head[:6], []byte{3, 'a', 'b', 'c', 0, 0}), &Limits{Key: 2}); !errors.Is(err, ErrLimit) {
		t.Errorf("a long message: %v", err)
	}
}

// someBundle is two changes by different actors, the second a delete of what
// the first made, with a dependency outside.
func someBundle() []byte {
	var w BundleWriter
	w.Reset([]uint32{1, 0})
	w.Change(&ChangeRow{Actor: 0, Seq: 3, StartOp: 7, MaxOp: 9, Time: -4, Message: []byte("hm"), Deps: []uint32{2}, Extra: []byte{1}})
	w.Change(&ChangeRow{Actor: 1, Seq: 1, StartOp: 10, MaxOp: 10, Deps: []uint32{0}})
	obj := opid.ID{Ctr: 7}
	w.Add(&Op{ID: obj, Map: true, Key: []byte("t"), Action: MakeText})
	w.Add(&Op{ID: opid.ID{Ctr: 9}, Obj: obj, Insert: true, Action: Set, Value: Value{Str, []byte("b")}})
	w.Add(&Op{ID: opid.ID{Ctr: 8}, Obj: obj, Insert: true, Action: Set, Value: Value{Str, []byte("a")}})
	w.Add(&Op{ID: opid.ID{Ctr: 10, Actor: 1}, Obj: obj, Elem: opid.ID{Ctr: 8}, Action: Delete, Refs: []opid.ID{{Ctr: 8}}})
	return w.AppendBody(nil, [][]byte{{1}, {2}}, []Hash{{9}})
}

func TestBundle(t *testing.T) {
	b, err := ParseBundle(someBundle(), nil)
	if err != nil {
		t.Fatal(err)
	}
	bodies, err := b.Bodies()
	if err != nil || len(bodies) != 2 {
		t.Fatal(len(bodies), err)
	}
	one, err := ParseChange(bodies[0], nil)
	if err != nil {
		t.Fatal(err)
	}
	two, err := ParseChange(bodies[1], nil)
	if err != nil {
		t.Fatal(err)
	}
	if one.Seq != 3 || one.StartOp != 7 || one.NumOps != 3 || one.Time != -4 || one.Message != "hm" || !bytes.Equal(one.Extra, []byte{1}) ||
		!slices.Equal(one.Deps, []Hash{{9}}) || !bytes.Equal(one.Actor, []byte{2}) {
		t.Errorf("%+v", one)
	}
	if two.Deps[0] != HashOf(ChangeChunk, bodies[0]) || !bytes.Equal(two.Others[0], []byte{2}) {
		t.Errorf("%+v", two)
	}
	for _, c := range []*Change{one, two} {
		if err := new(Checker).Canonical(c); err != nil {
			t.Error(err)
		}
	}
}

func TestBundleRefused(t *testing.T) {
	good, err := ParseBundle(someBundle(), nil)
	if err != nil {
		t.Fatal(err)
	}
	build := func(changes, ops []column) []byte {
		cm, cd := write(except(good.changes, changes...)...)
		om, od := write(except(good.ops, ops...)...)
		return slices.Concat([]byte{1}, make([]byte, 32), []byte{2, 1, 1, 1, 2}, cm, cd, om, od)
	}
	for name, tt := range map[string]struct{ changes, ops []column }{
		"":                        {nil, nil},
		"counters, no places":     {nil, []column{none(specPlace), col(specIDCtr, 0x7c, 7, 2, 0x7f, 2)}},
		"a place twice":           {nil, []column{col(specPlace, 4, 0)}},
		"a place beyond":          {nil, []column{col(specPlace, 0x7c, 9, 1, 1, 1)}},
		"too few places":          {nil, []column{col(specPlace, 0x7f, 3)}},
		"neither":                 {nil, []column{none(specPlace)}},
		"wrong counters":          {nil, []column{none(specPlace), col(specIDCtr, 4, 3)}},
		"operations of another":   {nil, []column{col(specIDActor, 4, 1)}},
		"operations of nobody":    {nil, []column{col(specIDActor, 4, 5)}},
		"operations too many":     {[]column{col(specBundleMax, 0x7e, 8, 2)}, nil},
		"operations too few":      {[]column{col(specBundleMax, 0x7e, 9, 9)}, nil},
		"operations from behind":  {[]column{col(specBundleStart, 0x7e, 12, 1)}, nil},
		"depends on the bundle":   {[]column{col(specBundleDep, 0x7e, 1, 0)}, nil},
		"depends on beyond":       {[]column{col(specBundleDep, 0x7e, 3, 0x7d)}, nil},
		"extra bytes missing":     {[]column{col(specBundleExtraLen, 2, 1)}, nil},
		"key missing":             {nil, []column{none(specKeyText)}},
		"too many changes":        {[]column{col(specActor, 3, 0)}, nil},
		"action that nobody made": {nil, []column{col(specAction, 4, 9)}},
	} {
		b, err := ParseBundle(build(tt.changes, tt.ops), nil)
		if err == nil {
			_, err = b.Bodies()
		}
		if ok := name == "" || name == "counters, no places"; ok != (err == nil) || err != nil && !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	body := build(nil, nil)
	for i := range body {
		if b, err := ParseBundle(body[:i], nil); err == nil {
			if _, err = b.Bodies(); err == nil {
				t.Errorf("cut at %d, it reads", i)
			}
		}
	}
	if _, err := ParseBundle(append(body, 0), nil); !errors.Is(err, ErrMalformed) {
		t.Errorf("a byte left: %v", err)
	}
	if b, err := ParseBundle(body, &Limits{Inflated: 100}); err != nil {
		t.Error(err)
	} else if _, err := b.Bodies(); !errors.Is(err, ErrLimit) {
		t.Errorf("changes beyond the limit: %v", err)
	}
}

func TestScalars(t *testing.T) {
	for _, v := range []int64{0, -1, math.MaxInt64, math.MinInt64} {
		if got, n := ReadInt(AppendInt(nil, v)); got != v || n == 0 {
			t.Errorf("%d is %d", v, got)
		}
		if got, n := ReadUint(AppendUint(nil, uint64(v))); got != uint64(v) || n == 0 {
			t.Errorf("%d is %d", uint64(v), got)
		}
	}
}
