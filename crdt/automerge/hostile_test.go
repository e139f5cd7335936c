package automerge

import (
	"bytes"
	"compress/flate"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"inselnetz/crdt/automerge/internal/format"
)

// What becomes of an input: here, and in the JavaScript release 3.5.0 as seen when
// it was given each.
const (
	loads   = "loads"
	refused = "refused"
	panics  = "panics"
	poison  = "loads, and what it saves does not load" // or is silently another
)

// hostileInputs says of each of testdata/hostile.json what we and what the
// JavaScript release make of it.
var hostileInputs = map[string]struct{ ours, js string }{
	"identity":                     {loads, loads},
	"op col literal of equals":     {refused, refused},
	"op col count-1 runs":          {refused, refused},
	"change col count-1 run":       {loads, loads},
	"head index wrong":             {loads, loads},
	"no head index":                {loads, loads},
	"wrong head":                   {refused, refused},
	"unused actor":                 {refused, panics},
	"no insert col":                {refused, loads}, // no known writer leaves it out
	"no succ count col":            {refused, refused},
	"no extra meta col":            {loads, refused}, // as the core before 3.0
	"no time col":                  {loads, loads},
	"keys swapped (unsorted rows)": {refused, refused},
	"ids swapped":                  {refused, refused},
	"max_op too big":               {refused, refused},
	"max_op too small":             {refused, refused},
	"actor table unsorted":         {refused, loads}, // it searches the table by halves, though
	"dep index self":               {refused, panics},
	"dep index out of range":       {refused, panics},
	"all-null col present":         {refused, loads},
	"short col deflated":           {loads, loads},
	"deflate + trailing bytes":     {loads, loads},
	"value col leftover byte":      {refused, loads}, // and it keeps the byte
	"others unsorted/unused":       {refused, panics},
	"value col leftover":           {refused, poison},
	"action null run":              {refused, refused},
	"key col longer":               {refused, poison},
	"obj missing":                  {refused, panics},
	"pred missing op":              {refused, poison},
	"actor index out of range":     {refused, panics},
	"inc with string":              {refused, refused},
	"makeTable":                    {loads, loads},
	"make with value":              {loads, loads},
	"mark in map":                  {refused, loads}, // no program makes these
	"del with value in root":       {refused, poison},
	"insert in map":                {refused, loads},
}

func TestHostile(t *testing.T) {
	var inputs []struct{ Name, Hex string }
	readJSON(t, "testdata/hostile.json", &inputs)
	if len(inputs) != len(hostileInputs) {
		t.Errorf("%d inputs, %d expectations", len(inputs), len(hostileInputs))
	}
	base := rich(t)
	saved := base.Save()
	for _, in := range inputs {
		t.Run(in.Name, func(t *testing.T) {
			b, err := hex.DecodeString(in.Hex)
			if err != nil {
				t.Fatal(err)
			}
			want := hostileInputs[in.Name]
			before := allocated()
			d, err := Load(b, Options{})
			spend(t, before, len(b))
			switch {
			case want.ours == loads && err == nil:
				lasts(t, d)
			case want.ours == refused && (errors.Is(err, ErrCorrupt) || errors.Is(err, ErrRefused)):
			default:
				t.Errorf("%v, want it %s", err, want.ours)
			}
			// In the midst of a document.
			d, err = Load(saved, Options{})
			if err != nil {
				t.Fatal(err)
			}
			if err := d.LoadIncremental(b); err != nil && !bytes.Equal(d.Save(), saved) {
				t.Error("refused, it left a trace")
			}
			lasts(t, d)
		})
	}
}

// Unverified speaks of Load alone: what comes later comes from others.
func TestUnverifiedIsForLoad(t *testing.T) {
	var inputs []struct{ Name, Hex string }
	readJSON(t, "testdata/hostile.json", &inputs)
	for _, in := range inputs {
		if in.Name != "wrong head" {
			continue
		}
		b := must(hex.DecodeString(in.Hex))
		if _, err := Load(b, Options{Unverified: true}); err != nil {
			t.Fatal(err)
		}
		d := New(Options{Unverified: true})
		if err := d.LoadIncremental(b); !errors.Is(err, ErrCorrupt) || len(d.Heads()) > 0 {
			t.Errorf("LoadIncremental: %v", err)
		}
		m := syncMessage{version: syncV2, payload: [][]byte{b}}
		if err := d.ReceiveSync(NewSyncState(), m.append(nil)); !errors.Is(err, ErrCorrupt) || len(d.Heads()) > 0 {
			t.Errorf("ReceiveSync: %v", err)
		}
	}
}

// zeros is so many zeros deflated: a thousandth of their number.
func zeros(n int) []byte {
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, flate.BestCompression)
	if err != nil {
		panic(err)
	}
	page := make([]byte, 1<<16)
	for ; n > 0; n -= len(page) {
		_, _ = w.Write(page) // into memory
	}
	_ = w.Close()
	return out.Bytes()
}

// column is a column of a chunk: its number and its bytes.
type column struct {
	spec uint64
	data []byte
}

// craft is the body of a document with those columns of operations, one actor and
// one change of n operations.
func craft(n uint64, columns ...column) []byte {
	b := append([]byte{1, 1, 0xaa, 1}, make([]byte, 32)...)
	changes := []column{
		{1, []byte{0x7f, 0}}, {3, []byte{0x7f, 1}}, {19, append([]byte{0x7f}, format.AppendInt(nil, int64(n))...)},
		{35, []byte{0x7f, 0}}, {64, []byte{0x7f, 0}}, {86, []byte{0x7f, 7}},
	}
	var data []byte
	for _, cols := range [][]column{changes, columns} {
		b = format.AppendUint(b, uint64(len(cols)))
		for _, c := range cols {
			b = format.AppendUint(format.AppendUint(b, c.spec), uint64(len(c.data)))
			data = append(data, c.data...)
		}
	}
	return append(append(b, data...), 0)
}

// bombs are small inputs that claim to be large.
func bombs() map[string][]byte {
	run := func(n int64, v ...byte) []byte { return append(format.AppendInt(nil, n), v...) }
	// n puts of null to key "a", one after another.
	puts := func(n uint64) []byte {
		k := int64(n)
		return craft(n,
			column{21, run(k, 1, 'a')}, column{33, run(k, 0)}, column{35, run(k, 1)},
			column{52, format.AppendUint(nil, n)}, column{66, run(k, 1)}, column{86, run(k, 0)}, column{128, run(k, 0)})
	}
	zeros256 := zeros(256 << 20)
	var many []column
	for i := range uint64(40) {
		many = append(many, column{16*(20+i) + 8 + 7, zeros(8 << 20)})
	}
	chunk := func(typ byte, body []byte) []byte { return format.AppendChunk(nil, typ, body) }
	out := map[string][]byte{
		"2^60 rows":                   chunk(format.DocumentChunk, puts(1<<60)),
		"2^31 rows":                   chunk(format.DocumentChunk, puts(1<<31)),
		"2^22 rows":                   chunk(format.DocumentChunk, puts(1<<22)),
		"2^20 rows":                   chunk(format.DocumentChunk, puts(1<<20)),
		"2^18 rows":                   chunk(format.DocumentChunk, puts(1<<18)),
		"values of 24 MB":             chunk(format.DocumentChunk, craft(1, column{66, []byte{0x7f, 1}}, column{86, []byte{0x7f, 7}}, column{87 | 8, zeros(24 << 20)})),
		"a column of 256 MB":          chunk(format.DocumentChunk, craft(1, column{66 | 8, zeros256})),
		"values of 256 MB":            chunk(format.DocumentChunk, craft(1, column{66, []byte{0x7f, 1}}, column{86, []byte{0x7f, 7}}, column{87 | 8, zeros256})),
		"40 columns of 8 MB":          chunk(format.DocumentChunk, craft(1, many...)),
		"a bundle of 2^60 changes":    chunk(format.BundleChunk, append([]byte{0, 1, 1, 0xaa, 1, 1, 10}, run(1<<60, 0)...)),
		"2^60 actors":                 chunk(format.DocumentChunk, format.AppendUint(nil, 1<<60)),
		"2^60 deps":                   chunk(format.ChangeChunk, format.AppendUint(nil, 1<<60)),
		"a compressed change, 256 MB": append(append([]byte{0x85, 0x6f, 0x4a, 0x83, 0, 0, 0, 0, 2}, format.AppendUint(nil, uint64(len(zeros256)))...), zeros256...),
	}
	text := int64(1) << 20
	out["2^20 characters"] = chunk(format.DocumentChunk, craft(1<<20+1,
		column{1, slices.Concat(run(0, 1), run(text, 0))}, column{2, slices.Concat(run(0, 1), run(text, 1))},
		column{17, slices.Concat(run(0, 2), run(text-1, 0))}, column{19, slices.Concat(run(0, 1), run(-2, 0, 2), run(text-2, 1))},
		column{21, slices.Concat(run(-1, 1, 't'), run(0), format.AppendUint(nil, 1<<20))},
		column{33, run(text+1, 0)}, column{35, run(text+1, 1)}, column{52, []byte{1, 0x80, 0x80, 0x40}},
		column{66, slices.Concat(run(-1, 4), run(text, 1))}, column{86, slices.Concat(run(-1, 0), run(text, 22))},
		column{87 | 8, zeros(1 << 20)}, column{128, run(text+1, 0)}))
	// 2^60 operations in a change.
	body := []byte{0, 1, 0xaa, 1, 1, 0, 0, 0, 4}
	cols := []column{{21, run(1<<60, 1, 'a')}, {52, format.AppendUint(nil, 1<<60)}, {66, run(1<<60, 1)}, {112, run(1<<60, 0)}}
	for _, c := range cols {
		body = format.AppendUint(format.AppendUint(body, c.spec), uint64(len(c.data)))
	}
	for _, c := range cols {
		body = append(body, c.data...)
	}
	out["2^60 operations in a change"] = chunk(format.ChangeChunk, body)
	return out
}

// Each bomb is refused by a program that has nothing else to do, which tells how
// much memory it took from the system at most.
func TestBombs(t *testing.T) {
	if path := os.Getenv("AUTOMERGE_BOMB"); path != "" {
		explode(t, path)
		return
	}
	if testing.Short() {
		t.Skip("starts a program for each")
	}
	nothing := filepath.Join(t.TempDir(), "nothing")
	if err := os.WriteFile(nothing, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	base, _ := inChild(t, nothing)
	t.Logf("nothing: %d MB", base>>20)
	for name, b := range bombs() {
		path := filepath.Join(t.TempDir(), "bomb")
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		used, answer := inChild(t, path)
		t.Logf("%s: %d bytes, %d MB: %s", name, len(b), (used-base)>>20, answer)
		if used-base > int(mostMemory(len(b))) {
			t.Errorf("%s: %d MB of memory for %d bytes", name, (used-base)>>20, len(b))
		}
		if strings.Contains(answer, "<nil>") {
			t.Errorf("%s: not refused", name)
		}
	}
}

// inChild reads a file in a program of its own: memory taken from the system, in
// bytes, and what came of it.
func inChild(t *testing.T, path string) (used int, answer string) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestBombs$", "-test.v")
	cmd.Env = append(os.Environ(), "AUTOMERGE_BOMB="+path, "GOGC=100", "GOMEMLIMIT=off")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		if rest, ok := strings.CutPrefix(strings.TrimSpace(line), "used "); ok {
			number, text, _ := strings.Cut(rest, " ")
			if used, err = strconv.Atoi(number); err != nil {
				t.Fatal(err)
			}
			return used, text
		}
	}
	t.Fatalf("no answer: %s", out)
	return 0, ""
}

func explode(t *testing.T, path string) {
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = Load(b, Options{})
	fmt.Printf("\nused %d %v\n", peak(t), err)
}

// peak is the most memory that this program ever took from the system, in bytes.
func peak(t *testing.T) int {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil { // not Linux
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int(m.Sys)
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	kb, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		t.Fatal(err)
	}
	return kb << 10
}
