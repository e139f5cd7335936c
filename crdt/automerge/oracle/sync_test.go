package oracle

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"

	am "inselnetz/crdt/automerge"
)

// A talker is one side of an exchange.
type talker interface {
	put(key string, v int)
	say() []byte // nil: silent
	hear(message []byte)
	again() // a broken connection: on with the encoded state
	look() (heads []string, dump string)
}

type goTalker struct {
	t *testing.T
	d *am.Doc
	s *am.SyncState
}

func (g *goTalker) check(err error) {
	g.t.Helper()
	if err != nil {
		g.t.Fatal(err)
	}
}

func (g *goTalker) put(key string, v int) {
	g.check(g.d.Put(am.Root, am.Key(key), am.Int(int64(v))))
	g.d.Commit(am.CommitOptions{})
}
func (g *goTalker) say() []byte   { return g.d.GenerateSync(g.s) }
func (g *goTalker) hear(m []byte) { g.check(g.d.ReceiveSync(g.s, m)) }
func (g *goTalker) again() {
	s, err := am.DecodeSyncState(g.s.Encode())
	g.check(err)
	g.s = s
}

func (g *goTalker) look() (heads []string, text string) {
	for _, h := range g.d.Heads() {
		heads = append(heads, fmt.Sprintf("%x", h[:]))
	}
	text, err := dump(g.d.Reader)
	g.check(err)
	return heads, text
}

type nodeTalker struct {
	t  *testing.T
	n  *node
	id string
}

func (j *nodeTalker) ask(verb string, args map[string]any, reply any) {
	j.t.Helper()
	request := map[string]any{"verb": verb, "id": j.id}
	for k, v := range args {
		request[k] = v
	}
	j.n.must(j.t, "talk", request, reply)
}

func (j *nodeTalker) put(key string, v int) {
	j.ask("put", map[string]any{"key": key, "value": v}, nil)
}
func (j *nodeTalker) say() (m []byte) {
	j.ask("say", nil, &m)
	return m
}
func (j *nodeTalker) hear(m []byte) { j.ask("hear", map[string]any{"message": m}, nil) }
func (j *nodeTalker) again()        { j.ask("again", nil, nil) }
func (j *nodeTalker) look() ([]string, string) {
	var got struct {
		Heads []string
		Dump  string
	}
	j.ask("read", nil, &got)
	return got.Heads, got.Dump
}

// A peer of ours and one of the JavaScript release, either of which may begin, edit
// and sync in random order over a way that breaks now and then; at the end both
// have the same.
func TestSyncWithNode(t *testing.T) {
	n := startNode(t)
	from, to := 1, 150
	if s := os.Getenv("SEED"); s != "" {
		one, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		from, to = one, one
	}
	for seed := from; seed <= to; seed++ {
		r := rand.New(rand.NewPCG(uint64(seed), 3))
		id := strconv.Itoa(seed)
		theirs := &nodeTalker{t, n, id}
		theirs.ask("open", map[string]any{"actor": "02"}, nil)
		sides := []talker{&goTalker{t, am.New(am.Options{Actor: "\x01"}), am.NewSyncState()}, theirs}
		if seed%2 == 0 {
			slices.Reverse(sides)
		}
		under := [2][][]byte{}
		hear := func(i int) bool {
			if len(under[i]) == 0 {
				return false
			}
			m := under[i][0]
			under[i] = under[i][1:]
			sides[i].hear(m)
			return true
		}
		say := func(i int) bool {
			m := sides[i].say()
			if m != nil {
				under[1-i] = append(under[1-i], m)
			}
			return m != nil
		}
		for step := range 60 {
			i := r.IntN(2)
			switch k := r.IntN(20); {
			case k < 6:
				for range 1 + r.IntN(5) {
					sides[i].put(fmt.Sprint("k", r.IntN(5)), step)
				}
			case k < 12:
				say(i)
			case k < 19:
				hear(i)
			default:
				under = [2][][]byte{}
				sides[0].again()
				sides[1].again()
			}
		}
		for round := 0; ; round++ {
			busy := say(0)
			busy = say(1) || busy
			for hear(0) || hear(1) {
				busy = true
			}
			if !busy {
				break
			}
			if round > 40 {
				t.Fatalf("SEED=%d: they speak for ever", seed)
			}
		}
		heads, text := sides[0].look()
		heads2, text2 := sides[1].look()
		if !slices.Equal(heads, heads2) || text != text2 {
			t.Fatalf("SEED=%d: %v and %v\n%s\n%s", seed, heads, heads2, text, text2)
		}
		theirs.ask("close", nil, nil)
	}
}

// A peer of the JavaScript release that holds a change which we refuse: both fall
// silent, and what we have stays sound.
func TestSyncRefusesNode(t *testing.T) {
	n := startNode(t)
	poison, err := vectorNamed("unknown_column_change")
	if err != nil {
		t.Fatal(err)
	}
	theirs := &nodeTalker{t, n, "poison"}
	theirs.ask("open", map[string]any{"actor": "02", "bytes": poison}, nil)
	ours := &goTalker{t, am.New(am.Options{Actor: "\x01"}), am.NewSyncState()}
	ours.put("a", 1)
	refused := false
	for round := 0; ; round++ {
		m := ours.say()
		if m != nil {
			theirs.hear(m)
		}
		back := theirs.say()
		if back != nil {
			err := ours.d.ReceiveSync(ours.s, back)
			refused = refused || err != nil
		}
		if m == nil && back == nil {
			break
		}
		if round > 20 {
			t.Fatal("they speak for ever")
		}
	}
	if !refused {
		t.Error("the change was not refused")
	}
	if _, err := am.Load(ours.d.Save(), am.Options{}); err != nil {
		t.Error(err)
	}
	theirs.ask("close", nil, nil)
}

// vectorNamed is a file of testdata/vectors.json.
func vectorNamed(name string) ([]byte, error) {
	b, err := os.ReadFile("../testdata/vectors.json")
	if err != nil {
		return nil, err
	}
	var all []struct{ Name, Hex string }
	if err := json.Unmarshal(b, &all); err != nil {
		return nil, err
	}
	for _, v := range all {
		if v.Name == name {
			return hex.DecodeString(v.Hex)
		}
	}
	return nil, fmt.Errorf("no vector %s", name)
}
