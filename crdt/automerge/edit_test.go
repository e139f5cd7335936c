package automerge

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
)

// What cannot be saved and loaded again cannot be edited into a document.
func TestTooLong(t *testing.T) {
	long := strings.Repeat("k", 1<<20+1)
	d, text := newText(t, "abc", Options{Actor: "\x01"})
	for name, err := range map[string]error{
		"key":            d.Put(Root, Key(long), Int(1)),
		"name of a mark": d.Mark(text, 0, 1, long, Int(1), ExpandAfter),
		"actor":          New(Options{Actor: ActorID(long)}).Put(Root, Key("a"), Int(1)),
	} {
		if !errors.Is(err, ErrValue) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if New(Options{Actor: ActorID(long)}).Commit(CommitOptions{Empty: true}) {
		t.Error("a change of an impossible actor")
	}
	d.Commit(CommitOptions{Message: long})
	lasts(t, d)
}

func TestLimits(t *testing.T) {
	d := New(Options{Actor: "\x01", Limits: Limits{Rows: 10}})
	list := must(d.PutObject(Root, Key("l"), KindList))
	var err error
	for i := 0; err == nil && i < 20; i++ {
		err = d.Insert(list, i, Int(1))
	}
	if !errors.Is(err, ErrLimit) {
		t.Fatal(err)
	}
	d.Commit(CommitOptions{})
	l, err := Load(d.Save(), Options{Limits: Limits{Rows: 10}})
	if err != nil {
		t.Fatal(err)
	}
	same(t, d, l)
	if _, err := Load(d.Save(), Options{Limits: Limits{Rows: 5}}); !errors.Is(err, ErrLimit) {
		t.Error(err)
	}
}

// Edits that are not possible say why and do nothing.
func TestImpossibleEdits(t *testing.T) {
	d := New(Options{Actor: "\x01"})
	m := must(d.PutObject(Root, Key("m"), KindMap))
	list := must(d.PutObject(Root, Key("l"), KindList))
	text := must(d.PutObject(Root, Key("t"), KindText))
	do(t, d.Insert(list, 0, Int(1)), d.SpliceText(text, 0, 0, "abc"))
	n := d.Pending()
	gone := ObjID{Ctr: 99, Actor: "\x01"}
	stranger := ObjID{Ctr: 1, Actor: "\x02"}
	for name, tt := range map[string]struct{ got, want error }{
		"put in nothing":         {d.Put(gone, Key("a"), Int(1)), ErrNoObject},
		"put of a stranger":      {d.Put(stranger, Key("a"), Int(1)), ErrNoObject},
		"index of a map":         {d.Put(m, Index(0), Int(1)), ErrKind},
		"key of a list":          {d.Put(list, Key("a"), Int(1)), ErrKind},
		"put behind the end":     {d.Put(list, Index(1), Int(1)), ErrRange},
		"put before the start":   {d.Put(list, Index(-1), Int(1)), ErrRange},
		"put of an object":       {d.Put(m, Key("a"), Value{kind: KindMap}), ErrValue},
		"string not UTF-8":       {d.Put(m, Key("a"), Str("\xff")), ErrValue},
		"key not UTF-8":          {d.Put(m, Key("\xff"), Int(1)), ErrValue},
		"object of a scalar":     {second(d.PutObject(m, Key("a"), KindInt)), ErrValue},
		"object in nothing":      {second(d.PutObject(gone, Key("a"), KindMap)), ErrNoObject},
		"insert in a map":        {d.Insert(m, 0, Int(1)), ErrKind},
		"insert behind the end":  {d.Insert(list, 2, Int(1)), ErrRange},
		"insert not UTF-8":       {d.Insert(list, 0, Str("\xff")), ErrValue},
		"insert in nothing":      {d.Insert(gone, 0, Int(1)), ErrNoObject},
		"insert of a scalar":     {second(d.InsertObject(list, 0, KindStr)), ErrValue},
		"insert object in a map": {second(d.InsertObject(m, 0, KindMap)), ErrKind},
		"delete in nothing":      {d.Delete(gone, Key("a")), ErrNoObject},
		"delete behind the end":  {d.Delete(list, Index(1)), ErrRange},
		"increment of nothing":   {d.Increment(m, Key("a"), 1), ErrValue},
		"increment of an int":    {d.Increment(list, Index(0), 1), ErrValue},
		"increment in nothing":   {d.Increment(gone, Key("a"), 1), ErrNoObject},
		"splice of a map":        {d.Splice(m, 0, 0, Int(1)), ErrKind},
		"splice too far":         {d.Splice(list, 2, 0, Int(1)), ErrRange},
		"splice not UTF-8":       {d.Splice(list, 0, 0, Int(1), Str("\xff")), ErrValue},
		"text of a list":         {d.SpliceText(list, 0, 0, "a"), ErrKind},
		"text of nothing":        {d.SpliceText(gone, 0, 0, "a"), ErrNoObject},
		"text behind the end":    {d.SpliceText(text, 4, 0, "a"), ErrRange},
		"text before the start":  {d.SpliceText(text, -1, 0, "a"), ErrRange},
		"text less than nothing": {d.SpliceText(text, 0, -1, "a"), ErrRange},
		"actor while pending":    {d.SetActor("\x05"), ErrPending},
		"verify while pending":   {d.Verify(), ErrPending},
		"fork while pending":     {second(d.Fork("\x05")), ErrPending},
		"merge while pending":    {d.Merge(New(Options{})), ErrPending},
		"apply while pending":    {d.Apply(), ErrPending},
		"load while pending":     {d.LoadIncremental(nil), ErrPending},
		"bundle while pending":   {second(d.SaveBundle(nil)), ErrPending},
	} {
		if !errors.Is(tt.got, tt.want) {
			t.Errorf("%s: %v, want %v", name, tt.got, tt.want)
		}
	}
	if d.Pending() != n {
		t.Errorf("%d edits, were %d", d.Pending(), n)
	}
	d.Commit(CommitOptions{})
	if err := d.SetActor(""); err == nil {
		t.Error("an empty actor")
	}
	do(t, d.SetActor("\x05"), d.Put(Root, Key("a"), Int(1)))
	d.Commit(CommitOptions{})
	if cs := must(d.Changes(nil)); cs[1].Actor() != "\x05" || d.Actor() != "\x05" {
		t.Errorf("changed by %s", cs[1].Actor())
	}
	if a := New(Options{}).Actor(); len(a) != 16 {
		t.Errorf("a random actor of %d bytes", len(a))
	}
}

// Readings of what is not there.
func TestImpossibleReadings(t *testing.T) {
	d := New(Options{Actor: "\x01"})
	early := d.Heads()
	m := must(d.PutObject(Root, Key("m"), KindMap))
	list := must(d.PutObject(Root, Key("l"), KindList))
	do(t, d.Insert(list, 0, Int(1)))
	d.Commit(CommitOptions{})
	past := must(d.At(early))
	gone := ObjID{Ctr: 99, Actor: "\x01"}
	for name, tt := range map[string]struct{ got, want error }{
		"get of nothing":          {second(d.All(gone, Key("a"))), ErrNoObject},
		"get then":                {second(past.All(m, Key("a"))), ErrNoObject},
		"key of a list":           {second(d.All(list, Key("a"))), ErrKind},
		"index of a map":          {second(d.All(m, Index(0))), ErrKind},
		"keys of a list":          {second(d.Keys(list)), ErrKind},
		"keys of nothing":         {second(d.Keys(gone)), ErrNoObject},
		"length of nothing":       {second(d.Len(gone)), ErrNoObject},
		"text of a map":           {second(d.Text(m)), ErrKind},
		"text of nothing":         {second(d.Text(gone)), ErrNoObject},
		"value of nothing":        {second(d.Materialize(gone)), ErrNoObject},
		"kind of nothing":         {second(d.ObjectKind(gone)), ErrNoObject},
		"marks of a list":         {second(d.Marks(list)), ErrKind},
		"spans of nothing":        {second(d.Spans(gone)), ErrNoObject},
		"difference to elsewhere": {second(d.Diff(nil, []Hash{{1}})), ErrHeads},
	} {
		if !errors.Is(tt.got, tt.want) {
			t.Errorf("%s: %v, want %v", name, tt.got, tt.want)
		}
	}
	for _, p := range []Prop{Index(-1), Index(1), Index(math.MaxInt)} {
		if _, ok, err := d.Get(list, p); ok || err != nil {
			t.Errorf("%s: %v, %v", p, ok, err)
		}
	}
	if k := must(d.ObjectKind(list)); k != KindList {
		t.Error(k)
	}
	if n := must(past.Len(Root)); n != 0 {
		t.Errorf("%d keys before the first", n)
	}
}

// Every kind of value is read back as it was written, now, after loading and of
// the past.
func TestValues(t *testing.T) {
	nan := math.Float64frombits(0x7ff8_dead_beef_0001)
	values := []Value{
		Null(), Bool(true), Bool(false), Int(math.MinInt64), Int(math.MaxInt64), Uint(math.MaxUint64), Float(math.Inf(-1)), Float(nan),
		Str(""), Str("ü😀\x00"), Bytes(nil), Bytes([]byte{0, 255}), Counter(-3), Timestamp(1_700_000_000_000),
	}
	native := []any{
		nil, true, false, int64(math.MinInt64), int64(math.MaxInt64), uint64(math.MaxUint64), math.Inf(-1), nan,
		"", "ü😀\x00", []byte{}, []byte{0, 255}, int64(-3), time.UnixMilli(1_700_000_000_000).UTC(),
	}
	d := New(Options{Actor: "\x01"})
	list := must(d.PutObject(Root, Key("l"), KindList))
	do(t, d.Splice(list, 0, 0, values...))
	d.Commit(CommitOptions{})
	then := d.Heads()
	l := must(Load(d.Save(), Options{}))
	do(t, d.Splice(list, 0, len(values)))
	d.Commit(CommitOptions{})
	past := must(d.At(then))
	for i, want := range values {
		for _, r := range []Reader{l.Reader, past} {
			got, ok, err := r.Get(list, Index(i))
			if err != nil || !ok || got != want || got.Kind() != want.Kind() || got.String() != want.String() {
				t.Errorf("%d: %s %v, want %s", i, got.Kind(), got, want)
			}
		}
	}
	for _, r := range []Reader{l.Reader, past} {
		if got := must(r.Materialize(list)); !alike(got, native) {
			t.Errorf("%#v", got)
		}
		if n := must(r.Len(list)); n != len(values) {
			t.Errorf("%d elements", n)
		}
	}
	if v := Value(Str("x")); v.Str() != "x" || v.Int() != 0 || v.Bool() || len(v.Bytes()) != 1 {
		t.Errorf("%#v", v)
	}
	if f, _, _ := l.Get(list, Index(6)); f.Float() != math.Inf(-1) {
		t.Error(f)
	}
	if u, _, _ := l.Get(list, Index(5)); u.Uint() != math.MaxUint64 {
		t.Error(u)
	}
}

// Values as people see them.
func TestStrings(t *testing.T) {
	id := OpID{Ctr: 3, Actor: "\xab\x01"}
	for want, got := range map[string]string{
		"null": Null().String(), "true": Bool(true).String(), "-1": Int(-1).String(), "7": Uint(7).String(), "1.5": Float(1.5).String(),
		`"a"`: Str("a").String(), "0x0102": Bytes([]byte{1, 2}).String(), "map 3@ab01": Value{kind: KindMap, obj: id}.String(),
		"_root": Root.String(), "3@ab01": id.String(), "kind 99": Kind(99).String(), "counter": KindCounter.String(),
		`"k"`: Key("k").String(), "5": Index(5).String(),
	} {
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	for _, s := range []string{"_root", "3@ab01", "4294967295@00"} {
		if got, err := ParseObjID(s); err != nil || got.String() != s {
			t.Errorf("%s: %v, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "3", "3@", "0@ab", "x@ab", "4294967296@ab", "3@a", "3@" + strings.Repeat("ab", 65)} {
		if got, err := ParseObjID(s); err == nil {
			t.Errorf("%q is %v", s, got)
		}
	}
	if a := must(ParseActor("ff00")); !slices.Equal([]byte(a), []byte{255, 0}) {
		t.Errorf("%q", a)
	}
	if k, ok := Key("a").Key(); !ok || k != "a" {
		t.Error(k, ok)
	}
	if _, ok := Key("a").Index(); ok {
		t.Error("a key is an index")
	}
	if i, ok := Index(2).Index(); !ok || i != 2 {
		t.Error(i, ok)
	}
}
