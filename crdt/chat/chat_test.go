package chat

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"inselnetz/crdt/log"
)

func msg(n int) MsgID { return MsgID{Log: log.LogID{1}, Seq: uint64(n), N: 0} }

func samples() []Op {
	reply := msg(3)
	return []Op{
		Post{Text: "Guten Morgen\n\tzusammen 🏝️", Mentions: []PersonID{}},
		Post{Channel: ChannelID{5}, Text: "ja", Reply: &reply, Mentions: []PersonID{{1}, {2}}},
		Edit{Message: msg(1), Text: "neu", Mentions: []PersonID{}},
		Retract{Message: msg(1)},
		React{Message: msg(1), Word: "agree", On: true},
		Read{Channel: Main, Message: msg(9)},
		Create{Name: "Büro 🏝️"},
		Unknown{Code: 77, Raw: []byte{0x82, 0x18, 77, 0xa1, 0x01, 0x02}},
	}
}

func TestRoundTrip(t *testing.T) {
	ops := samples()
	b, err := Encode(ops)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(ops, got) {
		t.Errorf("decoded %+v\nwant    %+v", got, ops)
	}
}

func TestLimits(t *testing.T) {
	many := make([]PersonID, MaxMentions+1)
	for i := range many {
		many[i][0] = byte(i)
	}
	for name, tt := range map[string]struct {
		op   Op
		want error
	}{
		"longest text":          {Post{Text: strings.Repeat("x", MaxText)}, nil},
		"text too long":         {Post{Text: strings.Repeat("x", MaxText+1)}, ErrTooLong},
		"empty":                 {Post{}, ErrEmpty},
		"not UTF-8":             {Post{Text: "a\xff"}, ErrText},
		"bell":                  {Post{Text: "a\a"}, ErrText},
		"carriage return":       {Post{Text: "a\r\n"}, ErrText},
		"C1 control":            {Edit{Message: msg(1), Text: "a\u0085"}, ErrText},
		"line break":            {Post{Text: "a\nb\tc"}, nil},
		"right to left":         {Post{Text: "\u202eabc"}, nil},
		"name with a break":     {Create{Name: "a\nb"}, ErrText},
		"longest name":          {Create{Name: strings.Repeat("🏝", MaxName)}, nil},
		"name too long":         {Create{Name: strings.Repeat("ü", MaxName+1)}, ErrTooLong},
		"word too long":         {React{Message: msg(1), Word: strings.Repeat("x", MaxWord+1)}, ErrTooLong},
		"mentions":              {Post{Text: "a", Mentions: many[:MaxMentions]}, nil},
		"too many mentions":     {Post{Text: "a", Mentions: many}, ErrMalformed},
		"no message":            {Retract{}, ErrMalformed},
		"message out of range":  {Retract{Message: MsgID{Seq: 1, N: MaxOps}}, ErrMalformed},
		"unknown that is known": {Unknown{Code: 3, Raw: []byte{0x81, 3}}, ErrMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			b, err := Encode([]Op{tt.op})
			if !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) {
				t.Fatalf("encode: %v, want %v", err, tt.want)
			}
			if err == nil {
				if _, err := Decode(b); err != nil {
					t.Errorf("decode: %v", err)
				}
			}
		})
	}
	if _, err := Encode(make([]Op, 0)); !errors.Is(err, ErrMalformed) {
		t.Errorf("no operations: %v", err)
	}
	ops := make([]Op, MaxOps+1)
	for i := range ops {
		ops[i] = Retract{Message: msg(1)}
	}
	if _, err := Encode(ops); !errors.Is(err, ErrMalformed) {
		t.Errorf("too many operations: %v", err)
	}
}

func TestDecodeRefuses(t *testing.T) {
	for name, tt := range map[string]struct {
		in   string
		want error
	}{
		"nothing":              {"", ErrMalformed},
		"no operations":        {"\x82\x01\x80", ErrMalformed},
		"newer version":        {"\x82\x02\x80", ErrVersion},
		"newer and other form": {"\x83\x18\x63\x01\x02", ErrVersion},
		"version zero":         {"\x82\x00\x81\x82\x06\x61a", ErrMalformed},
		"long number":          {"\x82\x18\x01\x81\x82\x06\x61a", ErrMalformed},
		"long code":            {"\x82\x01\x81\x82\x18\x06\x61a", ErrMalformed},
		"long string length":   {"\x82\x01\x81\x82\x06\x78\x01a", ErrMalformed},
		"trailing":             {"\x82\x01\x81\x82\x06\x61a\x00", ErrMalformed},
		"one field more":       {"\x82\x01\x81\x83\x06\x61a\x01", ErrMalformed},
		"operation is no list": {"\x82\x01\x81\x06", ErrMalformed},
		"code is text":         {"\x82\x01\x81\x81\x61a", ErrMalformed},
		"indefinite":           {"\x82\x01\x81\x9f\x06\x61a\xff", ErrMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			if ops, err := Decode([]byte(tt.in)); !errors.Is(err, tt.want) {
				t.Errorf("got %v, %v", ops, err)
			}
		})
	}
	if ops, err := Decode([]byte("\x82\x01\x82\x82\x06\x61a\x82\x18\x2a\xf6")); err != nil || len(ops) != 2 {
		t.Errorf("an unknown operation beside a known one: %v, %v", ops, err)
	}
}

func FuzzDecode(f *testing.F) {
	for _, op := range samples() {
		b, err := Encode([]Op{op})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		ops, err := Decode(b)
		if err != nil {
			return
		}
		again, err := Encode(ops)
		if err != nil || string(again) != string(b) {
			t.Errorf("%x decodes to %+v, which encodes to %x, %v", b, ops, again, err)
		}
	})
}

func TestIDs(t *testing.T) {
	m := MsgID{Log: log.LogID{1, 2, 3}, Seq: 42, N: 7}
	if got, err := ParseMsgID(m.String()); err != nil || got != m {
		t.Errorf("%v, %v", got, err)
	}
	for _, s := range []string{"", "-", m.Log.String(), m.Log.String() + "-0-0", m.Log.String() + "-01-0", m.Log.String() + "-1--1", m.String() + "-1", m.Log.String() + "-1-+1"} {
		if got, err := ParseMsgID(s); err == nil {
			t.Errorf("%q reads as %v", s, got)
		}
	}
	if ChannelOf(m) == ChannelOf(MsgID{Log: m.Log, Seq: 42, N: 8}) || ChannelOf(m) == Main {
		t.Error("channel ids collide")
	}
}

func TestClean(t *testing.T) {
	for in, want := range map[string]string{"a\r\nb\rc": "a\nb\nc", "a\x00\x1b[31mb": "a[31mb", "a\xffb": "a\uFFFDb", "ok\n\t": "ok\n\t"} {
		if got := Clean(in); got != want {
			t.Errorf("Clean(%q) = %q, want %q", in, got, want)
		}
	}
}

// drawItems draws entries of three people with two devices each.
func drawItems(t *rapid.T) []Item {
	var items []Item
	any := func() MsgID {
		return MsgID{Log: log.LogID{byte(rapid.IntRange(1, 4).Draw(t, "log"))}, Seq: uint64(rapid.IntRange(1, 12).Draw(t, "seq"))}
	}
	next := map[byte]uint64{}
	for range rapid.IntRange(0, 40).Draw(t, "items") {
		l := byte(rapid.IntRange(1, 4).Draw(t, "author"))
		next[l]++
		m := Meta{Place: Place{Stamp: uint64(rapid.IntRange(1, 20).Draw(t, "stamp")), MsgID: MsgID{Log: log.LogID{l}, Seq: next[l]}}, Author: PersonID{l / 2}, Clock: log.HLC(next[l])}
		var ops []Op
		for range rapid.IntRange(1, 3).Draw(t, "ops") {
			switch rapid.IntRange(0, 5).Draw(t, "op") {
			case 0:
				ops = append(ops, Edit{Message: any(), Text: fmt.Sprint("edit ", len(items))})
			case 1:
				ops = append(ops, Retract{Message: any()})
			case 2:
				ops = append(ops, React{Message: any(), Word: "agree", On: rapid.Bool().Draw(t, "on")})
			case 3:
				ops = append(ops, Read{Message: any()})
			default:
				ops = append(ops, Post{Text: fmt.Sprint("post ", len(items))})
			}
		}
		items = append(items, Item{Meta: m, Ops: ops})
	}
	return items
}

// TestFoldIgnoresOrder shuffles and repeats entries.
func TestFoldIgnoresOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		items := drawItems(t)
		want := Fold(items)
		other := rapid.Permutation(append(items, items[:len(items)/2]...)).Draw(t, "order")
		if got := Fold(other); !reflect.DeepEqual(want, got) {
			t.Fatalf("in another order:\n%+v\nwant\n%+v", got, want)
		}
	})
}

func TestApply(t *testing.T) {
	ann, bob := PersonID{1}, PersonID{2}
	at := func(stamp uint64, who PersonID) Meta {
		return Meta{Place: Place{Stamp: stamp, MsgID: MsgID{Log: log.LogID{who[0]}, Seq: stamp}}, Author: who, Clock: log.HLC(stamp)}
	}
	post := at(1, ann)
	id := post.MsgID
	for name, tt := range map[string]struct {
		do      func(m *Message)
		text    string
		gone    bool
		reacted int
	}{
		"nothing":                 {func(m *Message) {}, "alt", false, 0},
		"edit":                    {func(m *Message) { m.Apply(Edit{Message: id, Text: "neu"}, at(2, ann)) }, "neu", false, 0},
		"edit by another":         {func(m *Message) { m.Apply(Edit{Message: id, Text: "neu"}, at(2, bob)) }, "alt", false, 0},
		"retracted by another":    {func(m *Message) { m.Apply(Retract{id}, at(2, bob)) }, "alt", false, 0},
		"retracted":               {func(m *Message) { m.Apply(Retract{id}, at(2, ann)) }, "", true, 0},
		"edit of another message": {func(m *Message) { m.Apply(Edit{Message: msg(7), Text: "neu"}, at(2, ann)) }, "alt", false, 0},
		"older edit comes later": {func(m *Message) {
			m.Apply(Edit{Message: id, Text: "neuer"}, at(3, ann))
			m.Apply(Edit{Message: id, Text: "neu"}, at(2, ann))
		}, "neuer", false, 0},
		"edit after retraction": {func(m *Message) {
			m.Apply(Retract{id}, at(2, ann))
			m.Apply(Edit{Message: id, Text: "neu"}, at(3, ann))
		}, "", true, 0},
		"reactions": {func(m *Message) {
			m.Apply(React{id, "agree", true}, at(2, bob))
			m.Apply(React{id, "agree", true}, at(3, ann))
			m.Apply(React{id, "agree", false}, at(4, bob))
			m.Apply(React{id, "agree", true}, at(1, bob))
		}, "alt", false, 1},
	} {
		t.Run(name, func(t *testing.T) {
			m := NewMessage(Post{Text: "alt"}, post)
			tt.do(m)
			n := 0
			for _, v := range m.Votes {
				if v.On {
					n++
				}
			}
			if m.Text != tt.text || m.Retracted != tt.gone || n != tt.reacted {
				t.Errorf("%+v", m)
			}
		})
	}
}
