package tree

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestHostile24FileNames: names made to leave the folder, to hit a device, to
// hide, or to fill memory are refused, or kept from the disks they would harm.
func TestHostile24FileNames(t *testing.T) {
	payload := func(path string) []byte {
		return Version{Path: path, Kind: Dir}.append(appendStart(nil, 1))
	}
	for name, path := range map[string]string{
		"up":                     "../x",
		"up in the middle":       "a/../../x",
		"absolute":               "/etc/cron.d/x",
		"the folder itself":      ".",
		"32 k long":              strings.Repeat("x", 32<<10),
		"long in all":            strings.Repeat(strings.Repeat("x", 200)+"/", 10) + "x",
		"thousands deep":         strings.Repeat("x/", 500) + "x",
		"our own directory":      ".inselnetz/index",
		"the same on Windows":    ".INSELNETZ. /index",
		"by its short name":      "INSELN~1/index",
		"by a stream":            ".inselnetz::$INDEX_ALLOCATION/index",
		"by what HFS leaves out": ".insel\u200cnetz/index",
		"zero byte":              "a\x00.txt",
		"line break":             "a\nb",
		"not UTF-8":              "a\xc0\xaf",
		"not in normal form":     "a\u0308",
	} {
		if ops, err := Decode(payload(path)); !errors.Is(err, ErrPath) || !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v, %v", name, ops, err)
		} else if len(err.Error()) > 600 {
			t.Errorf("%s: error of %d bytes", name, len(err.Error()))
		}
	}
	for path, want := range map[string]Problem{
		`..\..\Startup\x.lnk`: Letters,
		`C:\x`:                Letters | Colon,
		"C:x":                 Letters | Colon,
		"x.txt:stream":        Letters | Colon,
		"CON":                 Reserved,
		"a/nul.txt":           Reserved,
		"x.":                  Trailing,
		"cod\u202efdp.exe":    Deceptive,
		"a\x1b[2J":            Letters | Deceptive,
	} {
		ops, err := Decode(payload(path))
		if err != nil {
			t.Errorf("%q: %v", path, err)
			continue
		}
		tr := of(Known{ID: id(1, 1, 0), Version: ops[0].(Version)})
		n, ok := tr.Node(path)
		if !ok || n.Problem != want || want != Deceptive && n.Problem.On(Windows) == 0 {
			t.Errorf("%q: %b, want %b", path, n.Problem, want)
		}
		if s := Suggest(path); CheckPath(s) != nil || !clean(s) {
			t.Errorf("%q: suggests %q", path, s)
		}
		if below := of(Known{ID: id(1, 1, 0), Version: Version{Path: path + "/x", Kind: Dir}}); want.On(Windows) != 0 {
			if n, _ := below.Node(path + "/x"); n.Problem.On(Windows) == 0 {
				t.Errorf("%q is stored below a name that is not", path+"/x")
			}
		}
	}
	// Of twins in case exactly one is stored where case does not count.
	tr := of(at(1, 1, "Büro/Akte", 'A'), at(2, 2, "BÜRO/Akte", 'B'), at(3, 3, "büro/AKTE", 'C'))
	stored := 0
	for n := range tr.All("") {
		if n.Problem.On(Windows) == 0 && n.Shown.Kind == File {
			stored++
		}
	}
	if stored != 1 {
		t.Errorf("%d of three twins are stored", stored)
	}
}

// TestHostileCircle: versions that name each other as parents, which honest ones
// cannot, lose nothing and end no loop.
func TestHostileCircle(t *testing.T) {
	a := at(1, 1, "a", 'A')
	p, q := at(2, 2, "a", 'P', a), at(3, 3, "a", 'Q', a)
	p.Parents, q.Parents = []VersionID{a.ID, q.ID}, []VersionID{a.ID, p.ID}
	self := at(4, 4, "b", 'S')
	self.Parents = []VersionID{self.ID}
	tr := of(q, p, self, a)
	if got := show(tr); got != "a=Q|P b=S" {
		t.Error(got)
	}
	if h := tr.History("a"); len(h) != 3 {
		t.Errorf("history of %d", len(h))
	}
	n, _ := tr.Node("a")
	solve := at(1, 9, "a", 'Z')
	solve.Parents = n.Heads
	tr.Add(solve)
	if got := show(tr); got != "a=Z b=S" {
		t.Error(got)
	}
}

// TestHostileCost: shapes that are made to be slow take about as long as others
// of their size.
func TestHostileCost(t *testing.T) {
	for name, make := range map[string]func(n int) []Known{
		"chain backwards": func(n int) []Known {
			vs := chain(n)
			for i, j := 0, n-1; i < j; i, j = i+1, j-1 {
				vs[i], vs[j] = vs[j], vs[i]
			}
			return vs
		},
		"all heads": func(n int) []Known {
			vs := make([]Known, n)
			for i := range vs {
				vs[i] = at(1, i+1, "a", byte(i%250+1))
				if i > 0 {
					vs[i].Parents = []VersionID{vs[0].ID}
				}
			}
			return vs
		},
		"circles": func(n int) []Known {
			vs := chain(n)
			for i := 3; i < n; i++ {
				vs[i-3].Parents = append(vs[i-3].Parents, vs[i].ID)
			}
			return vs
		},
		"merges of far branches": func(n int) []Known {
			vs := chain(n)
			for i := 4; i < n; i += 2 {
				vs[i].Parents = []VersionID{vs[i-2].ID, vs[i%4].ID}
			}
			return vs
		},
		"files away": func(n int) []Known {
			var vs []Known
			for i := range n / 2 {
				vs = append(vs, at(1, i+1, fmt.Sprint("x", i), 'X'), at(2, i+1, fmt.Sprint("x", i, "/y"), 'Y'))
			}
			return vs
		},
		"names taken": func(n int) []Known {
			vs := []Known{at(1, 1, "x", 'X'), at(2, 1, "x/y", 'Y')}
			for i := range n - 2 {
				vs = append(vs, at(2, i+2, awayPath("x", i+1), 'Z'))
			}
			return vs
		},
		"twins": func(n int) []Known {
			vs := make([]Known, n)
			for i := range vs {
				p := []byte("aaaaaaaaaaaaa")
				for b := range p {
					p[b] -= byte(i >> b & 1 * 32)
				}
				vs[i] = at(1, i+1, string(p), 'T')
			}
			return vs
		},
		"deep": func(n int) []Known {
			vs := make([]Known, n/10)
			for i := range vs {
				vs[i] = at(1, i+1, fmt.Sprintf("%06d", i)+string(deep), 'D')
			}
			return vs
		},
	} {
		t.Run(name, func(t *testing.T) {
			vs := make(5000)
			start := time.Now()
			tr := New()
			for len(vs) > 0 {
				n := min(100, len(vs))
				tr.Add(vs[:n]...)
				vs = vs[n:]
			}
			for range tr.All("") {
			}
			took := time.Since(start)
			t.Logf("%v", took)
			if took > 5*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}

var deep = func() (b []byte) {
	for range MaxDepth - 1 {
		b = append(b, "/x"...)
	}
	return b
}()
