package keep

import (
	"bufio"
	"bytes"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"inselnetz/app/disk"
)

// TestPowerCut copies the image of a mounted file system from under a process
// that keeps contents: what a power cut would leave. It needs root.
func TestPowerCut(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	base := "/dev/shm"
	if _, err := os.Stat(base); err != nil {
		base = ""
	}
	tmp, err := os.MkdirTemp(base, "keep")
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(tmp) })
	image := filepath.Join(tmp, "image")
	must(t, os.WriteFile(image, nil, 0o600))
	must(t, os.Truncate(image, 48<<20))
	if out, err := exec.Command("mkfs.ext4", "-q", "-F", "-O", "has_journal", image).CombinedOutput(); err != nil {
		t.Skip("no ext4 here: ", err, string(out))
	}
	mount := func(image, name string) string {
		dir := filepath.Join(tmp, name)
		must(t, os.MkdirAll(dir, 0o700))
		if out, err := exec.Command("mount", "-o", "loop", image, dir).CombinedOutput(); err != nil {
			t.Skip("nothing can be mounted here: ", err, string(out))
		}
		t.Cleanup(func() { unix.Unmount(dir, unix.MNT_DETACH) })
		return dir
	}
	live := mount(image, "live")
	have, next := map[int]bool{}, 0
	unsynced := 0
	for round := range 8 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "KEEP_TEST_DIR="+live, "KEEP_TEST_FROM="+strconv.Itoa(next))
		out, err := cmd.StdoutPipe()
		must(t, err)
		must(t, cmd.Start())
		from, upto := next, next-1
		stop := 5 + rand.IntN(80)
		lines := bufio.NewScanner(out)
		for i := 0; i < stop && lines.Scan(); i++ {
			what, arg, _ := strings.Cut(lines.Text(), " ")
			n, _ := strconv.Atoi(arg)
			switch what {
			case "durable":
				upto = n
			case "drop":
				delete(have, n)
				if n > upto {
					t.Fatal("dropped before it was durable")
				}
			default:
				t.Fatal(lines.Text())
			}
			for ; from <= upto; from++ {
				have[from] = true
			}
		}
		must(t, cmd.Process.Signal(unix.SIGSTOP))
		after := filepath.Join(tmp, "after")
		copyFile(t, image, after)
		must(t, cmd.Process.Kill())
		for lines.Scan() { // what was said before it stopped
			if what, arg, _ := strings.Cut(lines.Text(), " "); what == "drop" {
				n, _ := strconv.Atoi(arg)
				delete(have, n)
			}
		}
		cmd.Wait()

		dir := mount(after, "after.d")
		f, err := disk.Open(dir)
		must(t, err)
		s, err := Open(f, "keep", testOptions)
		must(t, err)
		for n := range have {
			b, sum := numbered(n)
			if got, err := get(s, sum); err != nil || !bytes.Equal(got, b) {
				t.Fatalf("round %d: content %d was durable and is not there: %v", round, n, err)
			}
		}
		for i := range s.Each {
			if got, err := get(s, i.Sum); err != nil || !holds(i.Sum, got) {
				t.Fatalf("round %d: a content is damaged: %v", round, err)
			}
		}
		if l, _ := f.List(""); len(l) > 2 { // lost+found, keep, files that were to be adopted
			unsynced += len(l) - 2
		}
		must(t, s.Close())
		must(t, f.Close())
		must(t, unix.Unmount(dir, 0))
		next = upto + 1000
	}
	t.Log(len(have), "contents survived,", unsynced, "files were left beside")
}

func copyFile(t *testing.T, from, to string) {
	src, err := os.Open(from)
	must(t, err)
	defer src.Close()
	dst, err := os.Create(to)
	must(t, err)
	_, err = io.Copy(dst, src)
	must(t, err)
	must(t, dst.Close())
}
