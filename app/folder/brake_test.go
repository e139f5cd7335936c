package folder

import (
	"bytes"
	"fmt"
	"math/rand"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"inselnetz/crdt/log"
	"inselnetz/crdt/tree"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// A braking is a run of changes by one device, in its log 1.
type braking struct {
	b     *Brake
	seq   uint64
	files int
}

func newBraking(files int) *braking { return &braking{b: NewBrake(), files: files} }

func (r *braking) version(path string, kind tree.Kind, content byte) tree.Known {
	r.seq++
	k := tree.Known{ID: tree.VersionID{Log: log.LogID{1}, Seq: r.seq}, Author: tree.Author{Device: log.DeviceID{1}}}
	k.Path, k.Kind = path, kind
	if kind == tree.File {
		k.Size, k.Sum = 10, tree.Sum{content}
	}
	return k
}

func old(path string) *tree.Known {
	k := tree.Known{Version: tree.Version{Path: path, Kind: tree.File, Size: 10, Sum: tree.Sum{200}}}
	return &k
}

// write changes a file; delete and rename are what they say. They return
// whether it is held.
func (r *braking) write(path string, at time.Time) bool {
	return r.b.Judge(r.version(path, tree.File, 1), old(path), r.files, at)
}

func (r *braking) delete(path string, at time.Time) bool {
	return r.b.Judge(r.version(path, tree.Gone, 0), old(path), r.files, at)
}

func (r *braking) why() string {
	if h := r.b.Held(); len(h) > 0 {
		return h[0].Why
	}
	return ""
}

func TestBrakeLimits(t *testing.T) {
	name := func(i int) string { return fmt.Sprintf("Ordner/%d.odt", i) }
	for what, tt := range map[string]struct {
		files int
		run   func(r *braking, i int) bool // the i-th change, from 0
		n     int
		first int // that is held; -1 none
		why   string
	}{
		"50 files at once":                 {1000, func(r *braking, i int) bool { return r.write(name(i), noon) }, 50, -1, ""},
		"the 51st":                         {1000, func(r *braking, i int) bool { return r.write(name(i), noon) }, 60, 50, HeldMany},
		"deletions":                        {1000, func(r *braking, i int) bool { return r.delete(name(i), noon) }, 60, 50, HeldMany},
		"within five minutes":              {1000, func(r *braking, i int) bool { return r.write(name(i), noon.Add(time.Duration(i)*6*time.Second)) }, 60, 50, HeldMany},
		"more slowly":                      {1000, func(r *braking, i int) bool { return r.write(name(i), noon.Add(time.Duration(i)*7*time.Second)) }, 100, -1, ""},
		"backwards":                        {1000, func(r *braking, i int) bool { return r.write(name(i), noon.Add(-time.Duration(i)*time.Second)) }, 60, 50, HeldMany},
		"one file often":                   {1000, func(r *braking, i int) bool { return r.write("a", noon.Add(time.Duration(i)*time.Second)) }, 5000, -1, ""},
		"a fifth of a small folder":        {40, func(r *braking, i int) bool { return r.write(name(i), noon) }, 20, 9, HeldShare},
		"nine of a tiny folder":            {9, func(r *braking, i int) bool { return r.write(name(i), noon) }, 9, -1, ""},
		"a fifth is not more than a fifth": {100, func(r *braking, i int) bool { return r.write(name(i), noon) }, 20, -1, ""},
		"more than a fifth":                {100, func(r *braking, i int) bool { return r.write(name(i), noon) }, 21, 20, HeldShare},
		"slowly over a day":                {10000, func(r *braking, i int) bool { return r.write(name(i), noon.Add(time.Duration(i)*time.Minute)) }, 310, 300, HeldDay},
		"300 a day":                        {10000, func(r *braking, i int) bool { return r.write(name(i), noon.Add(time.Duration(i)*5*time.Minute)) }, 1000, -1, ""},
		"more than half in a day":          {200, func(r *braking, i int) bool { return r.write(name(i), noon.Add(time.Duration(i)*2*time.Minute)) }, 150, 100, HeldDay},
		"half of a small folder in a day":  {60, func(r *braking, i int) bool { return r.write(name(i), noon.Add(time.Duration(i)*2*time.Minute)) }, 59, -1, ""},
		"new files":                        {10, func(r *braking, i int) bool { return r.b.Judge(r.version(name(i), tree.File, 1), nil, 10, noon) }, 5000, -1, ""},
		"moves": {10, func(r *braking, i int) bool {
			return r.b.Judge(r.version("b/"+name(i), tree.File, 200), old(name(i)), 10, noon)
		}, 500, -1, ""},
		"moves to another extension": {1000, func(r *braking, i int) bool {
			return r.b.Judge(r.version(name(i)+"x", tree.File, 200), old(name(i)), 1000, noon)
		}, 60, 50, HeldMany},
		"changed and an unknown extension": {1000, func(r *braking, i int) bool {
			return r.b.Judge(r.version(name(i)+".locked", tree.File, 9), old(name(i)), 1000, noon)
		}, 20, 9, HeldEncrypted},
		"changed and a known extension": {1000, func(r *braking, i int) bool {
			return r.b.Judge(r.version(name(i)+".bak", tree.File, 9), old(name(i)), 1000, noon)
		}, 20, -1, ""},
		"an unknown extension alone": {1000, func(r *braking, i int) bool {
			return r.b.Judge(r.version(name(i)+".locked", tree.File, 200), old(name(i)), 1000, noon)
		}, 20, -1, ""},
		"only the last is held with another": {1000, func(r *braking, i int) bool { return r.delete(name(i), noon.Add(time.Duration(i/45)*10*time.Minute)) }, 200, -1, ""},
	} {
		t.Run(what, func(t *testing.T) {
			r := newBraking(tt.files)
			first := -1
			for i := range tt.n {
				held := tt.run(r, i)
				if held && first < 0 {
					first = i
				}
				if first >= 0 && !held {
					t.Fatalf("change %d is let through after %d was held", i, first)
				}
			}
			if first != tt.first || r.why() != tt.why {
				t.Errorf("held from %d, %q; want %d, %q", first, r.why(), tt.first, tt.why)
			}
		})
	}
}

func TestBrakeHolding(t *testing.T) {
	r := newBraking(1000)
	for i := range 55 {
		r.write(fmt.Sprint(i), noon.Add(time.Duration(i)*time.Second))
	}
	h := r.b.Held()[0]
	if h.Device != (log.DeviceID{1}) || !h.Window.Equal(noon) || !h.At.Equal(noon.Add(50*time.Second)) || len(h.Counted) != 50 || h.Counted[49].Seq != 50 {
		t.Errorf("%+v", h)
	}
	other := tree.Known{ID: tree.VersionID{Log: log.LogID{2}, Seq: 1}, Author: tree.Author{Device: log.DeviceID{2}}, Version: tree.Version{Path: "x", Kind: tree.Gone}}
	if r.b.Judge(other, old("x"), 1000, noon) || r.b.Holds(log.DeviceID{2}) {
		t.Error("another device is held")
	}
	if !r.b.Judge(r.version("new", tree.File, 1), nil, 1000, noon.Add(48*time.Hour)) {
		t.Error("a new file of a device that is held is let through")
	}
	if k := r.version("in another log", tree.File, 1); true {
		k.ID.Log = log.LogID{3}
		if !r.b.Judge(k, nil, 1000, noon) {
			t.Error("another log of the device is let through")
		}
	}
}

func verdict(by byte, upto uint64) Verdict {
	return Verdict{Author: tree.Author{Device: log.DeviceID{by}}, Verdict: tree.Verdict{Device: log.DeviceID{1}, Upto: []log.Dep{{Log: log.LogID{1}, Seq: upto}}}}
}

func TestBrakeDecide(t *testing.T) {
	r := newBraking(1000)
	var vs []tree.Known
	judge := func(k tree.Known) bool { return r.b.Judge(k, old(k.Path), 1000, noon) }
	for i := range 80 {
		vs = append(vs, r.version(fmt.Sprint(i), tree.Gone, 0))
		judge(vs[i])
	}
	again := func() (held []int) {
		for i, k := range vs {
			if judge(k) {
				held = append(held, i)
			}
		}
		return held
	}
	if h := again(); len(h) != 30 || h[0] != 50 {
		t.Errorf("judged again: %v", h)
	}
	if _, ok := r.b.Decide(verdict(1, 80)); ok || !r.b.Holds(log.DeviceID{1}) {
		t.Error("a device decided for itself")
	}
	if h, ok := r.b.Decide(verdict(2, 70)); !ok || h.Why != HeldMany || r.b.Holds(log.DeviceID{1}) {
		t.Errorf("%+v, %v", h, ok)
	}
	if _, ok := r.b.Decide(verdict(3, 70)); ok {
		t.Error("decided twice")
	}
	if h := again(); len(h) != 0 {
		t.Errorf("held after the decision: %v", h)
	}
	for i := range 40 { // 10 were judged anew, these come on top
		vs = append(vs, r.version(fmt.Sprint("b", i), tree.Gone, 0))
		judge(vs[80+i])
	}
	if r.b.Holds(log.DeviceID{1}) {
		t.Error("the 50 let through count still")
	}
	vs = append(vs, r.version("b41", tree.Gone, 0))
	if !judge(vs[120]) {
		t.Error("51 after the decision are let through")
	}
	if _, ok := r.b.Decide(verdict(3, 70)); ok || !r.b.Holds(log.DeviceID{1}) {
		t.Error("an old decision counts for new changes")
	}
}

// TestBrakeDecideBefore: a verdict may name versions that were not seen yet.
func TestBrakeDecideBefore(t *testing.T) {
	r := newBraking(1000)
	for i := range 51 {
		r.delete(fmt.Sprint(i), noon)
	}
	if _, ok := r.b.Decide(verdict(2, 200)); !ok {
		t.Fatal("not decided")
	}
	for i := range 149 {
		if r.delete(fmt.Sprint("b", i), noon) {
			t.Fatalf("%d is held although it was accepted", i)
		}
	}
	for i := range 51 { // the accepted ones count for nothing
		if r.delete(fmt.Sprint("c", i), noon) != (i == 50) {
			t.Fatalf("%d after the accepted ones", i)
		}
	}
}

// TestBrakeRemembersLittle: however much a device does.
func TestBrakeRemembersLittle(t *testing.T) {
	r := newBraking(100_000)
	for i := range 3 * maxMarks {
		if r.delete(fmt.Sprint(i), noon.Add(time.Duration(i)*6*time.Minute)) {
			t.Fatalf("%d is held", i)
		}
	}
	if n := len(r.b.devices[log.DeviceID{1}].marks); n > maxMarks {
		t.Errorf("%d marks", n)
	}
	again := newBraking(1000) // a file counts when it was changed last, in whatever order that is heard
	for i := range 50 {
		again.delete(fmt.Sprint(i), noon)
		again.delete(fmt.Sprint(i), noon.Add(-time.Hour))
	}
	if !again.delete("one more", noon) {
		t.Error("old changes hide new ones")
	}
}

// TestBrakeDecideOfAnother: a verdict on one device says nothing of logs of
// another one.
func TestBrakeDecideOfAnother(t *testing.T) {
	r := newBraking(1000)
	for i := range 60 {
		r.delete(fmt.Sprint(i), noon)
	}
	v := verdict(3, 60)
	v.Verdict.Device = log.DeviceID{2}
	if _, ok := r.b.Decide(v); ok || !r.b.Holds(log.DeviceID{1}) {
		t.Error("a verdict on another device ends the holding")
	}
	for i := range 3 * maxLogs {
		v.Upto = []log.Dep{{Log: log.LogID{9, byte(i), byte(i >> 8)}, Seq: 1}}
		r.b.Decide(v)
	}
	if n := len(r.b.devices[log.DeviceID{2}].logs); n > maxLogs {
		t.Errorf("%d logs remembered", n)
	}
}

func TestBrakeSaved(t *testing.T) {
	seed := time.Now().UnixNano()
	if s := os.Getenv("SEED"); s != "" {
		seed, _ = strconv.ParseInt(s, 10, 64)
	}
	t.Logf("SEED=%d", seed)
	r := rand.New(rand.NewSource(seed))
	a, b := newBraking(500), newBraking(500)
	for i := range 3000 {
		save, err := b.b.Save()
		if err != nil {
			t.Fatal(err)
		}
		if b.b, err = LoadBrake(save); err != nil {
			t.Fatal(err)
		}
		path := fmt.Sprintf("%d.pdf", r.Intn(400))
		at := noon.Add(time.Duration(i/10)*time.Minute + time.Duration(r.Intn(600))*time.Second)
		if x, y := a.write(path, at), b.write(path, at); x != y {
			t.Fatalf("change %d: %v, after loading %v", i, x, y)
		}
		if r.Intn(100) == 0 {
			v := verdict(2, a.seq-uint64(r.Intn(3)))
			x, okx := a.b.Decide(v)
			y, oky := b.b.Decide(v)
			if okx != oky || !reflect.DeepEqual(inUTC(x), inUTC(y)) {
				t.Fatalf("decision %d: %v %+v, after loading %v %+v", i, okx, x, oky, y)
			}
		}
	}
	for _, bad := range []string{"", "{}", `{"Version":2}`, `{"Version":1,"Devices":{"x":{}}}`, `{"Version":1,"Devices":{"` + (log.DeviceID{}).String() + `":{"Marks":[{"ID":"x"}]}}}`} {
		if _, err := LoadBrake([]byte(bad)); err == nil {
			t.Errorf("%s is taken", bad)
		}
	}
}

func inUTC(h Holding) Holding {
	h.At, h.Window = h.At.UTC(), h.Window.UTC()
	return h
}

func TestEffective(t *testing.T) {
	clock := func(t time.Time) log.HLC { return log.HLC(t.UnixMilli()) << 16 }
	hour := func(n int) time.Time { return noon.Add(time.Duration(n) * time.Hour) }
	for name, tt := range map[string]struct {
		clock log.HLC
		seen  time.Time
		want  time.Time
	}{
		"now":                  {clock(hour(0)), hour(-1), hour(0)},
		"offline for days":     {clock(hour(-50)), hour(-72), hour(-50)},
		"clock set back":       {clock(hour(-5000)), hour(-1), hour(-1)},
		"clock far ahead":      {clock(hour(5000)), hour(-1), hour(0)},
		"never seen":           {clock(hour(-50)), time.Time{}, hour(-50)},
		"highest clock":        {^log.HLC(0), time.Time{}, hour(0)},
		"seen later than now?": {clock(hour(0)), hour(1), hour(0)},
	} {
		if got := Effective(tt.clock, tt.seen, noon); !got.Equal(tt.want) {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}

func TestLooksEncrypted(t *testing.T) {
	r := rand.New(rand.NewSource(1))
	random := func(n int) []byte {
		b := make([]byte, n)
		r.Read(b)
		return b
	}
	text := []byte(strings.Repeat("Sehr geehrte Damen und Herren, anbei der Entwurf. ", 100))
	for name, tt := range map[string]struct {
		path  string
		first []byte
		want  bool
	}{
		"text":                        {"a.txt", text, false},
		"random text":                 {"a.txt", random(4096), true},
		"a little":                    {"a.txt", random(1024), true},
		"too little":                  {"a.txt", random(1000), false},
		"nothing":                     {"a.txt", nil, false},
		"picture":                     {"a.JPG", append([]byte("\xff\xd8\xff"), random(8000)...), false},
		"picture that is none":        {"a.jpg", random(8000), true},
		"picture that is a document":  {"a.jpg", append([]byte("%PDF"), random(8000)...), true},
		"document":                    {"a.odt", append([]byte("PK\x03\x04"), random(8000)...), false},
		"video":                       {"a.mp4", append([]byte("\x00\x00\x00\x20ftyp"), random(8000)...), false},
		"unknown, begins as a kind":   {"a.zzz", append([]byte("\x89PNG"), random(8000)...), false},
		"unknown":                     {"a.zzz", random(8000), true},
		"no extension":                {"a", random(8000), true},
		"key ring":                    {"a.kdbx", random(8000), false},
		"half random":                 {"a.bin", append(random(4096), text[:2048]...), false},
		"base64 or so":                {"a.txt", bytes.Map(func(c rune) rune { return 'A' + c%64 }, random(8000)), false},
		"locked by a known extension": {"a.txt.locked", random(8000), true},
	} {
		if got := looksEncrypted(tt.path, tt.first); got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	for n := leastSample; n <= 64<<10; n *= 2 { // neither chance nor length decides
		for range 200 {
			if !looksEncrypted("a", random(n)) {
				t.Fatalf("%d random bytes do not look so", n)
			}
		}
	}
}

func TestBrakeSample(t *testing.T) {
	r := newBraking(1000)
	rnd := make([]byte, 16<<10)
	rand.New(rand.NewSource(1)).Read(rnd)
	text := bytes.Repeat([]byte("Text "), 1000)
	for i := range 6 {
		p := fmt.Sprintf("%d.txt", i)
		k := r.version(p, tree.File, 1)
		if r.b.Judge(k, old(p), 1000, noon) != (i > 4) {
			t.Fatalf("%d judged", i)
		}
		if got := r.b.Sample(k, rnd, *old(p), text, noon); got != (i >= 4) {
			t.Fatalf("%d: %v", i, got)
		}
	}
	if h := r.b.Held()[0]; h.Why != HeldEncrypted || len(h.Counted) != 5 || !slices.IsSortedFunc(h.Counted, tree.VersionID.Compare) {
		t.Errorf("%+v", h)
	}
	for name, tt := range map[string]struct{ first, was []byte }{
		"text by text": {text, text}, "random by text": {text, rnd}, "random by random": {rnd, rnd}, "short by random": {rnd, text[:100]},
	} {
		r := newBraking(1000)
		for i := range 20 {
			p := fmt.Sprintf("%d.txt", i)
			k := r.version(p, tree.File, 1)
			r.b.Judge(k, old(p), 1000, noon)
			if r.b.Sample(k, tt.first, *old(p), tt.was, noon) {
				t.Errorf("%s: held", name)
				break
			}
		}
	}
}
