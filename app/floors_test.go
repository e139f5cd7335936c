package app_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// floors is the map of the project: a package may import those below it only.
// The words are in ARCHITECTURE.md.
var floors = map[string]int{
	"app/inselnetz":     6,
	"app/api":           5,
	"app":               4,
	"app/vault":         3,
	"crdt/store":        2,
	"mesh/lan":          2,
	"mesh/sim":          2,
	"mesh/meshtest":     2, // tests every Transport must pass
	"crdt/access":       1,
	"crdt/pairing":      1,
	"crdt/chat":         1,
	"crdt/tree":         1,
	"app/disk":          1,
	"app/disk/disktest": 2,
	"app/desktop":       1,
	"app/keep":          2,
	"app/webcert":       1, // certificates of the page on the network
	"app/doctor":        1, // why a device is not seen
	"app/folder":        3,
	"app/stick":         2, // the file on a USB stick
	"mesh/bep":          2,
	"mesh":              1,
	"crdt/log":          0,

	"crdt/office":                       3, // pure, but above crdt/document
	"crdt/document":                     2,
	"crdt/automerge":                    1,
	"crdt/automerge/oracle":             2, // its tests against other programs
	"crdt/automerge/oracle/automergego": 0, // a module of its own: the other program
	"crdt/automerge/internal/format":    0,
	"crdt/automerge/internal/seq":       0,
	"crdt/automerge/internal/opid":      0,

	"frontend": 0,
}

// sameFloor are the imports within a floor that are meant.
var sameFloor = map[[2]string]bool{
	{"crdt/pairing", "crdt/access"}: true, // a pairing ends in an admission

	{"crdt/automerge/internal/format", "crdt/automerge/internal/opid"}: true,
	{"crdt/automerge/internal/seq", "crdt/automerge/internal/opid"}:    true,
}

// homes are the outside libraries that only one package may know.
var homes = map[string]string{
	"github.com/libp2p/":      "mesh/lan",
	"github.com/multiformats": "mesh/lan",
	"github.com/quic-go/":     "mesh/lan",
	"github.com/miekg/":       "mesh/lan",
	"github.com/hashicorp/":   "mesh/lan",
	"modernc.org/":            "crdt/store",
	"github.com/wailsapp/":    "app/inselnetz",
	"github.com/zalando/":     "app/vault",
	"github.com/boombuler/":   "app",
	"github.com/syncthing/":   "mesh/bep",
	"github.com/pierrec/":     "mesh/bep", // in Syncthing's frames
	"github.com/fsnotify/":    "app/disk",
	"fyne.io/":                "app/desktop",
	"github.com/godbus/":      "app/desktop",
	"git.sr.ht/":              "app/desktop",
	"net/http":                "", // see httpHomes
}

// rivals are tests that hold us against a library of another package.
var rivals = map[string][]string{
	"app/inselnetz/swarm_rivals_linux_test.go": {"github.com/hashicorp/", "github.com/libp2p/", "github.com/multiformats"},
}

// httpHomes may speak HTTP.
var httpHomes = []string{"app/api", "app/inselnetz"}

// pure packages decide; they may not reach the outside.
var pure = []string{"crdt/log", "crdt/access", "crdt/pairing", "crdt/chat", "crdt/tree", "crdt/document", "crdt/office",
	"crdt/automerge", "crdt/automerge/internal/format", "crdt/automerge/internal/seq", "crdt/automerge/internal/opid"}

var impure = []string{"os", "net", "net/http", "log/slog", "os/exec", "database/sql", "sync"}

func TestFloors(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range goFiles(t) {
		pkg := filepath.ToSlash(filepath.Dir(f))
		if strings.HasPrefix(pkg, "app/api/gen") || strings.HasPrefix(pkg, "build") {
			continue // programs run while building
		}
		seen[pkg] = true
		from, ok := floors[pkg]
		if !ok {
			t.Errorf("%s: package %s is not on the map", f, pkg)
			continue
		}
		test := strings.HasSuffix(f, "_test.go")
		for _, imp := range imports(t, f) {
			if own, ok := strings.CutPrefix(imp, "inselnetz/"); ok {
				to, ok := floors[own]
				switch {
				case !ok:
					t.Errorf("%s: imports %s, which is not on the map", f, own)
				case own == pkg && test, (own == "mesh/meshtest" || own == "app/disk/disktest") && test, sameFloor[[2]string{pkg, own}]:
				case to >= from:
					t.Errorf("%s: %s (floor %d) imports %s (floor %d)", f, pkg, from, own, to)
				}
				if (pkg == "mesh") && strings.HasPrefix(own, "crdt/") && own != "crdt/log" {
					t.Errorf("%s: mesh carries entries without understanding them, so it may not import %s", f, own)
				}
			}
			checkOutside(t, f, pkg, imp, test)
		}
	}
	for pkg := range floors {
		if !seen[pkg] {
			t.Errorf("package %s is on the map but not there", pkg)
		}
	}
}

func checkOutside(t *testing.T, f, pkg, imp string, test bool) {
	for lib, home := range homes {
		if !strings.HasPrefix(imp, lib) {
			continue
		}
		if lib == "net/http" {
			if !test && !contains(httpHomes, pkg) {
				t.Errorf("%s: only %v may import %s", f, httpHomes, imp)
			}
		} else if pkg != home && !contains(rivals[filepath.ToSlash(f)], lib) {
			t.Errorf("%s: only %s may import %s", f, home, imp)
		}
	}
	if contains(pure, pkg) && contains(impure, imp) && !test {
		t.Errorf("%s: %s is pure and may not import %s", f, pkg, imp)
	}
}

// TestPackagesAreIntroduced holds every package to a sentence about itself.
func TestPackagesAreIntroduced(t *testing.T) {
	docs := map[string]bool{}
	for _, f := range goFiles(t) {
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		pkg := filepath.ToSlash(filepath.Dir(f))
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", f), nil, parser.ParseComments|parser.PackageClauseOnly)
		if err != nil {
			t.Fatal(err)
		}
		docs[pkg] = docs[pkg] || file.Doc != nil
	}
	for pkg, ok := range docs {
		if !ok {
			t.Errorf("package %s does not say what it is", pkg)
		}
	}
}

func contains(list []string, s string) bool {
	for _, l := range list {
		if l == s {
			return true
		}
	}
	return false
}

// goFiles returns the project's Go files, relative to its root.
func goFiles(t *testing.T) []string {
	t.Helper()
	var out []string
	err := fs.WalkDir(os.DirFS(".."), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "node_modules" || d.Name() == "bin" || d.Name() == ".git") {
			return fs.SkipDir
		}
		if strings.HasSuffix(path, ".go") {
			out = append(out, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out) < 20 {
		t.Fatalf("found %d Go files, that cannot be all", len(out))
	}
	return out
}

func imports(t *testing.T, f string) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", f), nil, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, i := range file.Imports {
		s, err := strconv.Unquote(i.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, s)
	}
	return out
}
