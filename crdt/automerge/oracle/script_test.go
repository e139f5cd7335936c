package oracle

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
)

// A script is a history before anybody played it: its steps hold random numbers,
// which the player resolves against what is there at that moment. So any part of
// a script is a script, and a failing one can be made shorter.
type script struct {
	Actors []string `json:"actors"`
	Steps  []step   `json:"steps"`
}

type step struct {
	R     int            `json:"r"`
	Op    string         `json:"op"`
	N     [4]int         `json:"n"`
	S     *string        `json:"s,omitzero"` // text, name of a mark, message
	K     string         `json:"k,omitzero"` // kind of object, expand of a mark, move of a cursor
	Key   string         `json:"key"`
	V     *value         `json:"v,omitzero"`
	VS    []value        `json:"vs,omitzero"`
	Block map[string]any `json:"block,omitzero"`
	Time  int64          `json:"time,omitzero"`
	Force bool           `json:"force,omitzero"` // commit although nothing is pending
}

// A value is a scalar with its type, both as the JavaScript release names them;
// v is text: digits, hexadecimal of bytes and of the bits of a float.
type value struct {
	K string `json:"k"`
	V string `json:"v"`
}

// dice rolls scripts.
type dice struct{ *rand.Rand }

func (d dice) one(of ...string) string { return of[d.IntN(len(of))] }

var pieces = []string{
	"a", "b", "hello", " ", "\n", "ö", "e\u0301", "😀", "👨‍👩‍👧", "\u202eאב", "0123456789abcdef", "𝒳y", "\"\\", "ﬁ", "\u0000", "z͎͗",
}

func (d dice) text(max int) string {
	var b strings.Builder
	for range d.IntN(max + 1) {
		b.WriteString(pieces[d.IntN(len(pieces))])
	}
	return b.String()
}

func (d dice) int64() int64 {
	switch d.IntN(6) {
	case 0:
		return int64(d.Uint64())
	case 1:
		return math.MinInt64 + int64(d.IntN(2))
	case 2:
		return 1<<53 + int64(d.IntN(5)) - 2
	case 3:
		return int64(d.IntN(300)) - 150
	default:
		return int64(d.IntN(20)) - 5
	}
}

func (d dice) scalar() value {
	switch d.IntN(10) {
	case 0:
		return value{"null", ""}
	case 1:
		return value{"boolean", strconv.FormatBool(d.IntN(2) == 0)}
	case 2:
		n := uint64(d.int64())
		return value{"uint", strconv.FormatUint(n, 10)}
	case 3:
		f := []float64{0, math.Copysign(0, -1), 1, 1.5, -math.Pi, math.Inf(1), math.NaN(), math.SmallestNonzeroFloat64, 1e300}[d.IntN(9)]
		return value{"f64", fmt.Sprintf("%016x", math.Float64bits(f))}
	case 4:
		return value{"bytes", hex.EncodeToString([]byte(d.text(2)))}
	case 5:
		return value{"timestamp", strconv.FormatInt(d.Int64N(4_000_000_000_000)-2_000_000_000_000, 10)}
	case 6, 7:
		return value{"counter", strconv.FormatInt(int64(d.IntN(1000))-500, 10)}
	case 8:
		return value{"str", d.text(3)}
	default:
		return value{"int", strconv.FormatInt(d.int64(), 10)}
	}
}

func (d dice) block() map[string]any {
	b := map[string]any{"type": d.one("p", "h1", "todo"), "parents": []any{}}
	switch d.IntN(4) {
	case 0:
		b["attrs"] = map[string]any{"z": 1, "ä": "x", "": nil, "deep": map[string]any{"a": []any{true, "y", 2}}}
	case 1:
		b["parents"] = []any{"ul", "li"}
	case 2:
		return map[string]any{}
	}
	return b
}

// weights say how often a step is of a kind. A flavour of history is a set of them.
type weights map[string]int

// long is the flavour of texts of some thousand characters.
const long = "long"

var flavours = []struct {
	name    string
	weights weights
}{
	{"mixed", weights{
		"put": 8, "make": 5, "insert": 6, "insertMake": 3, "delete": 5, "increment": 4, "splice": 10, "spliceList": 3,
		"updateText": 2, "mark": 4, "unmark": 2, "splitBlock": 2, "joinBlock": 1, "updateBlock": 1,
		"commit": 10, "merge": 7, "reload": 1, "incremental": 1, "since": 1, "read": 1, "readAt": 2, "cursor": 2,
		"positions": 1, "diff": 1, "bundle": 1, "sync": 2, "rollback": 1, "fork": 1,
	}},
	{"text", weights{
		"make": 1, "splice": 20, "updateText": 2, "mark": 8, "unmark": 4, "splitBlock": 3, "joinBlock": 2,
		"updateBlock": 1, "commit": 8, "merge": 8, "reload": 1, "readAt": 2, "cursor": 3, "positions": 2, "diff": 2, "rollback": 1,
	}},
	{"maps and lists", weights{
		"put": 14, "make": 6, "insert": 9, "insertMake": 5, "delete": 9, "increment": 9, "spliceList": 5,
		"commit": 10, "merge": 9, "reload": 1, "incremental": 1, "readAt": 2, "diff": 2, "rollback": 1, "sync": 1, "fork": 1,
	}},
	{"plain text", weights{"make": 1, "splice": 24, "commit": 6, "merge": 5, "reload": 1, "readAt": 2, "cursor": 1, "positions": 1, "incremental": 1}},
	{long, weights{"splice": 20, "mark": 2, "splitBlock": 1, "commit": 5, "merge": 6, "reload": 1, "cursor": 1, "positions": 1, "sync": 1, "bundle": 1, "rollback": 1, "fork": 1}},
	{"forever apart", weights{
		"put": 5, "make": 3, "insert": 5, "delete": 3, "increment": 2, "splice": 12, "mark": 4, "splitBlock": 1, "commit": 4, "merge": 1, "sync": 1, "read": 1,
	}},
}

// roll is the script of a seed.
func roll(seed uint64) script {
	d := dice{rand.New(rand.NewPCG(seed, 0x05c111))}
	flavour := flavours[d.IntN(len(flavours))]
	var s script
	for i := range 2 + d.IntN(3) {
		s.Actors = append(s.Actors, d.actor(i))
	}
	// Everybody begins with the same text and list, else most edits would meet
	// nobody else's.
	s.Steps = append(s.Steps,
		step{Op: "make", Key: "text", K: "text"}, step{Op: "make", Key: "list", K: "list"},
		step{Op: "splice", S: ptr("The quick brown fox"), N: [4]int{0, 0, 0, 1}}, step{Op: "commit"})
	for i := range s.Actors[1:] {
		s.Steps = append(s.Steps, step{R: i + 1, Op: "merge"})
	}
	var bag []string
	for _, k := range order {
		if unsupported[k] {
			continue
		}
		for range flavour.weights[k] {
			bag = append(bag, k)
		}
	}
	steps := 10 + d.IntN(60)
	if flavour.name == long {
		steps = 5 + d.IntN(15)
	}
	for range steps {
		st := d.step(bag[d.IntN(len(bag))], len(s.Actors))
		if flavour.name == long && st.Op == "splice" && d.IntN(2) == 0 {
			st.S = ptr(d.text(1) + strings.Repeat(d.one("x", "long ", "ö", "😀"), d.IntN(900)) + d.text(2))
		}
		s.Steps = append(s.Steps, st)
	}
	if d.IntN(3) > 0 { // all meet in the end
		for i := range s.Actors[1:] {
			s.Steps = append(s.Steps, step{Op: "merge", N: [4]int{i + 1, d.IntN(2)}})
		}
		for i := range s.Actors[1:] {
			s.Steps = append(s.Steps, step{R: i + 1, Op: "merge", N: [4]int{0, d.IntN(2)}})
		}
	}
	return s
}

// order makes a bag of weights the same in every run.
var order = strings.Fields("put make insert insertMake delete increment splice spliceList updateText mark unmark " +
	"splitBlock joinBlock updateBlock commit merge reload incremental since read readAt cursor positions diff bundle sync rollback fork")

func ptr[T any](v T) *T { return &v }

// actor is an id of 1 to 16 bytes; some are the beginning of others.
func (d dice) actor(i int) string {
	b := []byte{[]byte{0x10, 0x7f, 0x80, 0xff}[d.IntN(4)]}
	for range d.IntN(4) * 5 {
		b = append(b, byte(d.IntN(3)*127))
	}
	return hex.EncodeToString(append(b, byte(i)))
}

func (d dice) step(op string, replicas int) step {
	s := step{R: d.IntN(replicas), Op: op, N: [4]int{d.IntN(1000), d.IntN(1000), d.IntN(1000), d.IntN(1000)}}
	switch op {
	case "put", "insert":
		s.V, s.Key = ptr(d.scalar()), d.key()
	case "make", "insertMake":
		s.K, s.Key = d.one("map", "list", "text"), d.key()
	case "splice":
		s.S = ptr(d.text(3))
		if d.IntN(6) == 0 {
			s.S = ptr("")
		}
	case "updateText":
		s.S = ptr(d.text(2))
	case "spliceList":
		s.VS = []value{}
		for range d.IntN(4) {
			s.VS = append(s.VS, d.plain())
		}
	case "mark":
		s.S, s.K, s.V = ptr(d.one("bold", "link", "c ö")), d.one("none", "before", "after", "both"), ptr(d.plain())
	case "unmark":
		s.S, s.K = ptr(d.one("bold", "link", "c ö")), d.one("none", "before", "after", "both")
	case "splitBlock", "updateBlock":
		s.Block = d.block()
	case "cursor":
		s.K = d.one("before", "after")
	case "commit":
		s.Time = []int64{0, 0, 1, -7, 1_700_000_000}[d.IntN(5)]
		if d.IntN(3) == 0 {
			s.S = ptr(d.one("saved", "größer 😀", "x"))
		}
		s.Force = d.IntN(10) == 0
	}
	return s
}

func (d dice) key() string {
	return d.one("a", "b", "c", "text", "list", "", "ö", "\uffff", "😀", "0")
}

// plain is a scalar that a list splice or a mark passes on with its type.
func (d dice) plain() value {
	switch d.IntN(4) {
	case 0:
		return value{"boolean", "true"}
	case 1:
		return value{"str", d.text(2)}
	case 2:
		return value{"int", strconv.Itoa(1 + d.IntN(100))} // the library makes a float of a 0 in a list
	}
	return value{"null", ""}
}

// String is the script for a report: one step a line.
func (s script) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "actors %v\n", s.Actors)
	for _, st := range s.Steps {
		j, _ := json.Marshal(st)
		fmt.Fprintf(&b, "%s\n", j)
	}
	return b.String()
}

// shrink drops steps as long as the script still fails, for at most tries tries.
func (s script) shrink(fails func(script) bool, tries int) script {
	for size := len(s.Steps) / 2; size > 0; {
		dropped := false
		for at := 0; at+size <= len(s.Steps) && tries > 0; {
			tries--
			less := script{Actors: s.Actors}
			less.Steps = append(append(less.Steps, s.Steps[:at]...), s.Steps[at+size:]...)
			if fails(less) {
				s, dropped = less, true
			} else {
				at += size
			}
		}
		if !dropped || tries == 0 {
			size /= 2
		}
	}
	return s
}

func TestShrinkKeepsWhatFails(t *testing.T) {
	s := roll(7)
	s.Steps = append(s.Steps, step{Op: "needle"}, step{Op: "commit"}, step{Op: "thread"})
	has := func(s script, op string) bool {
		for _, st := range s.Steps {
			if st.Op == op {
				return true
			}
		}
		return false
	}
	got := s.shrink(func(s script) bool { return has(s, "needle") && has(s, "thread") }, 1000)
	if len(got.Steps) != 2 {
		t.Errorf("shrunk to %d steps, want the 2 that matter:\n%s", len(got.Steps), got)
	}
}
