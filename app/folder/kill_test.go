package folder

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"inselnetz/app/disk"
	"inselnetz/crdt/log"
	"inselnetz/crdt/tree"
)

const killFiles = 3000

// killFile is the i-th file that the killed process has to bring to its disk.
func killFile(i int) (path string, data []byte) {
	data = []byte(strings.Repeat(fmt.Sprintf("the text of file %d\n", i), 150+i%60))
	return fmt.Sprintf("d%02d/f%04d", i%20, i), data
}

// A killHost has every content and notes which it gave.
type killHost struct {
	bySum map[tree.Sum]int
	mu    sync.Mutex
	given *os.File
}

func (h *killHost) Now() time.Time { return time.Now() }

func (h *killHost) Verdict(context.Context, tree.Verdict) (Verdict, error) { panic("no verdicts") }

func (h *killHost) Publish(_ context.Context, vs []tree.Version) ([]tree.Known, error) {
	return nil, fmt.Errorf("published %d versions of %s", len(vs), vs[0].Path)
}

func (h *killHost) Fetch(ctx context.Context, pieces []Piece, _ []log.DeviceID, got func(int, []byte) error, _ func(int)) error {
	for i, p := range pieces {
		_, data := killFile(h.bySum[p.Content])
		h.mu.Lock()
		fmt.Fprintln(h.given, h.bySum[p.Content])
		h.mu.Unlock()
		if err := got(i, data); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// TestMain is also the process that is killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv("FOLDER_KILLED"); dir != "" {
		if err := killed(dir); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println("done")
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func killed(dir string) error {
	fsys, err := disk.Open(filepath.Join(dir, "folder"))
	if err != nil {
		return err
	}
	h := &killHost{bySum: map[tree.Sum]int{}}
	if h.given, err = os.OpenFile(filepath.Join(dir, "given"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600); err != nil {
		return err
	}
	f, err := Open(ctx, Options{FS: fsys, Host: h, Device: log.DeviceID{1}, Create: true, Kept: true})
	if err != nil {
		return err
	}
	var all []tree.Known
	for i := range killFiles {
		path, data := killFile(i)
		blocks := blocksOf(data)
		k := tree.Known{ID: tree.VersionID{Log: log.LogID{2}, Seq: uint64(i/1000 + 1), N: uint32(i % 1000)}, Version: tree.Version{Path: path, Kind: tree.File, Size: int64(len(data)), Time: 1e18, Sum: tree.SumOf(blocks)}}
		k.Device = log.DeviceID{2}
		h.bySum[k.Sum] = i
		all = append(all, k)
	}
	f.Add(all)
	if err := f.Scan(ctx); err != nil {
		return err
	}
	if err := f.Apply(ctx); err != nil {
		return err
	}
	return f.Close()
}

// Killing the program again and again does not keep it from finishing, leaves
// nothing behind, shows no half file and fetches hardly anything twice: what lay in
// files without a name the first time.
func TestKill9(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	must(os.Mkdir(filepath.Join(dir, "folder"), 0o755))
	kills := 0
	for kills < 200 {
		cmd := exec.Command(self)
		cmd.Env = append(os.Environ(), "FOLDER_KILLED="+dir)
		out, err := cmd.StdoutPipe()
		must(err)
		must(cmd.Start())
		var timer *time.Timer
		if kills < 30 {
			timer = time.AfterFunc(time.Duration(20+rand.IntN(150))*time.Millisecond, func() { cmd.Process.Kill() })
		}
		line, _ := bufio.NewReader(out).ReadString('\n')
		err = cmd.Wait()
		if timer != nil {
			timer.Stop()
		}
		if err == nil && line == "done\n" {
			break
		}
		if line != "" {
			t.Fatal(line)
		}
		kills++
	}
	for i := range killFiles {
		path, want := killFile(i)
		if got, err := os.ReadFile(filepath.Join(dir, "folder", path)); err != nil || string(got) != string(want) {
			t.Fatalf("%s: %v, %d bytes", path, err, len(got))
		}
	}
	if left, err := os.ReadDir(filepath.Join(dir, "folder", tmpAt)); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
	given, err := os.ReadFile(filepath.Join(dir, "given"))
	must(err)
	times := map[string]int{}
	often := 0 // beyond twice
	for line := range strings.Lines(string(given)) {
		if times[line]++; times[line] > 2 {
			often++
		}
	}
	if often > kills {
		t.Errorf("%d contents were fetched a third time in %d kills", often, kills)
	}
	t.Logf("%d kills, %d contents fetched for %d files", kills, strings.Count(string(given), "\n"), killFiles)
}
