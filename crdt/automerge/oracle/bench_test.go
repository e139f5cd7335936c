//go:build unix

package oracle

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	am "inselnetz/crdt/automerge"
)

// spent is the processor time of this process.
func spent() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// A keystroke is [position, deleted, inserted], in code points.
type keystroke struct {
	pos, del int
	ins      string
}

func (k keystroke) MarshalJSON() ([]byte, error) { return json.Marshal([]any{k.pos, k.del, k.ins}) }

func (k *keystroke) UnmarshalJSON(b []byte) error {
	return json.Unmarshal(b, &[]any{&k.pos, &k.del, &k.ins})
}

// trace is the public editing trace of the Automerge paper, 259,778 keystrokes,
// from INSELNETZ_TRACE or the place beside the project; else one like it.
func trace(b *testing.B) []keystroke {
	b.Helper()
	path := os.Getenv("INSELNETZ_TRACE")
	if path == "" {
		path = "../../../../shared/data/automerge-paper.json.gz"
	}
	f, err := os.Open(path)
	if err != nil {
		b.Logf("a made-up trace: %v", err)
		return typing(rand.New(rand.NewPCG(1, 2)), 259_778, 0, "e", 0.007, 0.298)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		b.Fatal(err)
	}
	var t struct {
		Txns []struct{ Patches []keystroke }
	}
	if err := json.NewDecoder(z).Decode(&t); err != nil {
		b.Fatal(err)
	}
	var out []keystroke
	for _, x := range t.Txns {
		out = append(out, x.Patches...)
	}
	return out
}

// typing makes up n keystrokes in a text of that length: somebody jumps to
// another place now and then, and takes some back.
func typing(r *rand.Rand, n, length int, char string, jumps, deletes float64) []keystroke {
	out := make([]keystroke, 0, n)
	pos := length
	for range n {
		if r.Float64() < jumps {
			pos = r.IntN(length + 1)
		}
		if pos > 0 && r.Float64() < deletes {
			pos--
			length--
			out = append(out, keystroke{pos, 1, ""})
			continue
		}
		out = append(out, keystroke{pos, 0, char})
		pos++
		length++
	}
	return out
}

// branches are the beginning of a text and what two people then type at once.
func branches() [3][]keystroke {
	r := rand.New(rand.NewPCG(3, 4))
	base := typing(r, 1000, 0, "x", 0.02, 0)
	return [3][]keystroke{base, typing(r, 100_000, 1000, "a", 0.02, 0.2), typing(r, 100_000, 1000, "b", 0.02, 0.2)}
}

func asFile(b *testing.B, v any) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "in.json")
	j, err := json.Marshal(v)
	if err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(path, j, 0o600); err != nil {
		b.Fatal(err)
	}
	return path
}

const rounds = 5 // of what is quick; medians count

// median runs f so many times; f tells what it took.
func median(n int, f func() time.Duration) time.Duration {
	var all []time.Duration
	for range n {
		runtime.GC()
		all = append(all, f())
	}
	slices.Sort(all)
	return all[len(all)/2]
}

// cpu is the processor time of f.
func cpu(f func()) time.Duration {
	start := spent()
	f()
	return spent() - start
}

// show makes a sub-benchmark of one figure.
func show(b *testing.B, name string, figure float64, unit string) {
	b.Run(name, func(b *testing.B) {
		for range b.N {
			continue
		}
		b.ReportMetric(figure, unit)
		b.ReportMetric(0, "ns/op")
	})
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1e3 }

// inNode runs a task of bench.mjs, medians of its figures in microseconds.
func inNode(b *testing.B, n int, rival, task, file string) map[string]float64 {
	b.Helper()
	if _, err := os.Stat("node_modules/yjs"); err != nil {
		b.Skip("npm packages are not installed: build/setup.sh bench")
	}
	figures := map[string][]float64{}
	for range n {
		out, err := exec.Command("node", "--expose-gc", "bench.mjs", rival, task, file).Output()
		if err != nil {
			b.Fatalf("%s, %s: %v", rival, task, err)
		}
		var f map[string]float64
		if err := json.Unmarshal(out, &f); err != nil {
			b.Fatal(err)
		}
		for k, v := range f {
			figures[k] = append(figures[k], v)
		}
	}
	return medians(figures)
}

func medians(figures map[string][]float64) map[string]float64 {
	out := map[string]float64{}
	for k, v := range figures {
		slices.Sort(v)
		out[k] = v[len(v)/2]
	}
	return out
}

// inBinding asks automerge-go; nil without it.
func inBinding(b *testing.B, cmd string, request map[string]any) map[string]float64 {
	b.Helper()
	n := binding(b)
	if n == nil {
		return nil
	}
	var out map[string]float64
	n.must(b, cmd, request, &out)
	return out
}

// newText is a document with an empty text.
func newText(b *testing.B) (*am.Doc, am.ObjID) {
	b.Helper()
	d := am.New(am.Options{Actor: "\xaa"})
	text, err := d.PutObject(am.Root, am.Key("text"), am.KindText)
	if err != nil {
		b.Fatal(err)
	}
	return d, text
}

func typed(b *testing.B, d *am.Doc, text am.ObjID, ks []keystroke, each bool) {
	b.Helper()
	for _, k := range ks {
		if err := d.SpliceText(text, k.pos, k.del, k.ins); err != nil {
			b.Fatal(err)
		}
		if each {
			d.Commit(am.CommitOptions{})
		}
	}
	d.Commit(am.CommitOptions{})
}

// BenchmarkEdit types the trace, in one change and in one for each keystroke, and
// saves.
func BenchmarkEdit(b *testing.B) {
	ks := trace(b)
	file := asFile(b, ks)
	per := func(us float64) float64 { return us / float64(len(ks)) }
	for _, each := range []bool{false, true} {
		name, task, slow := "OneChange/", "one change", 1
		if each {
			name, task = "ChangeEach/", "a change each"
		}
		var d *am.Doc
		var text am.ObjID
		edit := median(rounds, func() time.Duration {
			d, text = newText(b)
			return cpu(func() { typed(b, d, text, ks, each) })
		})
		hashed := median(rounds, func() time.Duration {
			d, text = newText(b)
			return cpu(func() {
				typed(b, d, text, ks, each)
				if _, ok := d.Change(d.Heads()[0]); !ok {
					b.Fatal("no change")
				}
			})
		})
		var saved []byte
		save := median(rounds, func() time.Duration { return cpu(func() { saved = d.Save() }) })
		show(b, name+"inselnetz", per(float64(edit.Microseconds())), "µs/edit")
		show(b, name+"inselnetz-hashed", per(float64(hashed.Microseconds())), "µs/edit")
		show(b, name+"inselnetz-save", ms(save), "ms")
		show(b, name+"inselnetz-size", float64(len(saved)), "bytes")
		if f := inBinding(b, "trace", map[string]any{"path": file, "each": each}); f != nil {
			show(b, name+"automerge-go", per(f["edit"]), "µs/edit")
			show(b, name+"automerge-go-save", f["save"]/1e3, "ms")
			show(b, name+"automerge-go-size", f["size"], "bytes")
		}
		for _, rival := range []string{"yjs", "loro", "automerge"} {
			f := inNode(b, slow, rival, task, file)
			show(b, name+rival+"-js", per(f["edit"]), "µs/edit")
			show(b, name+rival+"-js-save", f["save"]/1e3, "ms")
			show(b, name+rival+"-js-size", f["size"], "bytes")
		}
	}
}

// BenchmarkLoad loads what the trace became, to the first reading of the text.
func BenchmarkLoad(b *testing.B) {
	ks := trace(b)
	for _, each := range []bool{false, true} {
		name := "OneChange/"
		if each {
			name = "ChangeEach/"
		}
		d, text := newText(b)
		typed(b, d, text, ks[:len(ks)/2], each)
		past := d.Heads()
		typed(b, d, text, ks[len(ks)/2:], each)
		saved := d.Save()
		load := func(o am.Options) (d *am.Doc, took time.Duration) {
			took = cpu(func() {
				var err error
				if d, err = am.Load(saved, o); err != nil {
					b.Fatal(err)
				}
				if s, err := d.Text(text); err != nil || len(s) == 0 {
					b.Fatal(err)
				}
			})
			return d, took
		}
		trusting := median(rounds, func() time.Duration { _, t := load(am.Options{Unverified: true}); return t })
		verified := median(rounds, func() time.Duration { _, t := load(am.Options{}); return t })
		show(b, name+"inselnetz", ms(trusting), "ms")
		show(b, name+"inselnetz-verified", ms(verified), "ms")
		d = nil
		before := heap()
		d, _ = load(am.Options{Unverified: true})
		show(b, name+"inselnetz-heap", float64(heap()-before)/1e6, "MB")
		read := median(rounds, func() time.Duration { return cpu(func() { _, _ = d.Text(text) }) })
		show(b, name+"inselnetz-text", ms(read), "ms")
		then := median(rounds, func() time.Duration {
			return cpu(func() {
				r, err := d.At(past)
				if err != nil {
					b.Fatal(err)
				}
				if s, err := r.Text(text); err != nil || len(s) == 0 {
					b.Fatal(err)
				}
			})
		})
		show(b, name+"inselnetz-text-past", ms(then), "ms")
		runtime.KeepAlive(d)
		if f := inBinding(b, "open", map[string]any{"bytes": saved}); f != nil {
			show(b, name+"automerge-go", f["load"]/1e3, "ms")
			show(b, name+"automerge-go-text", f["text"]/1e3, "ms")
		}
		path := filepath.Join(b.TempDir(), "saved")
		if err := os.WriteFile(path, saved, 0o600); err != nil {
			b.Fatal(err)
		}
		f := inNode(b, 3, "automerge", "load", path)
		show(b, name+"automerge-js", f["load"]/1e3, "ms")
		show(b, name+"automerge-js-text", f["text"]/1e3, "ms")
	}
}

// heap is what lives on the heap.
func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// BenchmarkMap puts 100,000 keys, a change each, and loads the document.
func BenchmarkMap(b *testing.B) {
	const keys = 100_000
	var d *am.Doc
	edit := median(rounds, func() time.Duration {
		d = am.New(am.Options{Actor: "\xaa"})
		return cpu(func() {
			for i := range keys {
				if err := d.Put(am.Root, am.Key("k"+strconv.Itoa(i)), am.Int(int64(i))); err != nil {
					b.Fatal(err)
				}
				d.Commit(am.CommitOptions{})
			}
		})
	})
	saved := d.Save()
	load := func(o am.Options) time.Duration {
		return median(rounds, func() time.Duration {
			return cpu(func() {
				if _, err := am.Load(saved, o); err != nil {
					b.Fatal(err)
				}
			})
		})
	}
	show(b, "Edit/inselnetz", float64(edit.Microseconds())/keys, "µs/edit")
	show(b, "Load/inselnetz", ms(load(am.Options{Unverified: true})), "ms")
	show(b, "Load/inselnetz-verified", ms(load(am.Options{})), "ms")
	if f := inBinding(b, "map", nil); f != nil {
		show(b, "Edit/automerge-go", f["edit"]/keys, "µs/edit")
		show(b, "Load/automerge-go", f["load"]/1e3, "ms")
	}
	for _, rival := range []string{"yjs", "loro", "automerge"} {
		f := inNode(b, 1, rival, "map", os.DevNull)
		show(b, "Edit/"+rival+"-js", f["edit"]/keys, "µs/edit")
		show(b, "Load/"+rival+"-js", f["load"]/1e3, "ms")
	}
}

// BenchmarkMerge merges two branches of 100,000 keystrokes each.
func BenchmarkMerge(b *testing.B) {
	parts := branches()
	file := asFile(b, parts)
	for _, each := range []bool{false, true} {
		name, task := "OneChange/", "merge"
		if each {
			name, task = "ChangeEach/", "merge of changes"
		}
		merge := median(rounds, func() time.Duration {
			left, text := newText(b)
			typed(b, left, text, parts[0], false)
			right, err := left.Fork("\x0b")
			if err != nil {
				b.Fatal(err)
			}
			typed(b, left, text, parts[1], each)
			typed(b, right, text, parts[2], each)
			return cpu(func() {
				if err := left.Merge(right); err != nil {
					b.Fatal(err)
				}
			})
		})
		show(b, name+"inselnetz", ms(merge), "ms")
		if f := inBinding(b, "merge", map[string]any{"path": file, "each": each}); f != nil {
			show(b, name+"automerge-go", f["merge"]/1e3, "ms")
		}
		for _, rival := range []string{"yjs", "loro", "automerge"} {
			show(b, name+rival+"-js", inNode(b, 1, rival, task, file)["merge"]/1e3, "ms")
		}
	}
}

// BenchmarkWorst are the cases in which others become quadratic: the time for
// twice as much is to be twice as long.
func BenchmarkWorst(b *testing.B) {
	for name, make := range map[string]func(n int) []keystroke{
		"OnePlace":  func(n int) []keystroke { return slices.Repeat([]keystroke{{0, 0, "a"}}, n) },
		"AllRandom": func(n int) []keystroke { return typing(rand.New(rand.NewPCG(5, 6)), n, 0, "r", 1, 0.2) },
	} {
		for _, n := range []int{100_000, 200_000} {
			ks := make(n)
			took := median(3, func() time.Duration {
				d, text := newText(b)
				return cpu(func() { typed(b, d, text, ks, false) })
			})
			show(b, fmt.Sprintf("%s%d/inselnetz", name, n), ms(took), "ms")
		}
	}
	for _, n := range []int{20_000, 40_000} {
		took := median(3, func() time.Duration {
			left, text := newText(b)
			left.Commit(am.CommitOptions{})
			right, err := left.Fork("\x0b")
			if err != nil {
				b.Fatal(err)
			}
			ks := slices.Repeat([]keystroke{{0, 0, "a"}}, n)
			typed(b, left, text, ks, true)
			typed(b, right, text, ks, true)
			return cpu(func() {
				if err := left.Merge(right); err != nil {
					b.Fatal(err)
				}
			})
		})
		show(b, fmt.Sprintf("ConcurrentPrepends%d/inselnetz", n), ms(took), "ms")
	}
}

// BenchmarkOpenDocuments is the memory of 1,000 documents of a note and of a page.
func BenchmarkOpenDocuments(b *testing.B) {
	for name, keys := range map[string]int{"Note200": 200, "Page2000": 2000} {
		d, text := newText(b)
		typed(b, d, text, typing(rand.New(rand.NewPCG(7, 8)), keys, 0, "n", 0.02, 0.2), false)
		saved := d.Save()
		var docs []*am.Doc
		before := heap()
		for range 1000 {
			d, err := am.Load(saved, am.Options{})
			if err != nil {
				b.Fatal(err)
			}
			docs = append(docs, d)
		}
		show(b, name+"/inselnetz", float64(heap()-before)/1e6, "MB")
		runtime.KeepAlive(docs)
	}
}
