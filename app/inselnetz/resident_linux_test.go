package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// placeFileName is where a window keeps its place; the window itself is built
// with another tag than its tests.
const placeFileName = "window.json"

var windowBuilt = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "inselnetz-window")
	if err != nil {
		return "", err
	}
	out := filepath.Join(dir, "inselnetz")
	build := exec.Command("go", "build", "-tags", "desktop,production,webkit2_41", "-o", out, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=1")
	if msg, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build: %w\n%s", err, msg)
	}
	return out, nil
})

// windowProgram is the program with its window.
func windowProgram(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("builds the program with cgo")
	}
	for _, tool := range []string{"Xvfb", "gcc"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip("needs ", tool)
		}
	}
	if err := exec.Command("pkg-config", "--exists", "webkit2gtk-4.1").Run(); err != nil {
		t.Skip("needs libwebkit2gtk-4.1-dev")
	}
	bin, err := windowBuilt()
	if err != nil {
		t.Fatal(err)
	}
	return bin
}

// A desk is the program on a display of its own.
type desk struct {
	t         *testing.T
	bin, data string
	args      []string
	env       []string
	cmd       *exec.Cmd
	log       *heard
}

// heard is what a program logs; lines wake who waits for them.
type heard struct {
	mu   sync.Mutex
	all  bytes.Buffer
	from int // what was logged before does not count
	wake chan struct{}
}

func (h *heard) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.all.Write(p)
	select {
	case h.wake <- struct{}{}:
	default:
	}
	return len(p), nil
}

func (h *heard) has(text string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return strings.Contains(h.all.String()[h.from:], text)
}

func startResident(t *testing.T, bin string) *desk { return startProgram(t, bin) }

func startProgram(t *testing.T, bin string, args ...string) *desk {
	t.Helper()
	dir := t.TempDir()
	d := &desk{t: t, bin: bin, data: filepath.Join(dir, "data"), args: args, log: &heard{wake: make(chan struct{}, 1)}}
	d.env = append(os.Environ(), "DISPLAY="+display(t), "HOME="+dir, "XDG_RUNTIME_DIR="+dir, "XDG_CONFIG_HOME="+dir, "INSELNETZ_STATE="+filepath.Join(dir, "state"),
		"DBUS_SESSION_BUS_ADDRESS=unix:path="+filepath.Join(dir, "nobus"), "LIBGL_ALWAYS_SOFTWARE=1")
	d.start()
	t.Cleanup(func() {
		if d.cmd != nil {
			_ = d.cmd.Process.Kill()
			_ = d.cmd.Wait()
		}
		if t.Failed() {
			t.Log(d.log.all.String())
		}
	})
	return d
}

func (d *desk) start() {
	d.t.Helper()
	d.mark()
	d.cmd = exec.Command(d.bin, append(d.args, "--data", d.data, "--loopback", "--page", "127.0.0.1:0", "--verbose")...)
	d.cmd.Env, d.cmd.Stderr = d.env, d.log
	if err := d.cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	d.until("the API to answer", func() bool { _, err := (&env{data: d.data}).client(); return err == nil })
}

func (d *desk) client() *client {
	d.t.Helper()
	c, err := (&env{data: d.data, lang: "en"}).client()
	if err != nil {
		d.t.Fatal(err)
	}
	return c
}

// mark forgets what was logged.
func (d *desk) mark() {
	d.log.mu.Lock()
	defer d.log.mu.Unlock()
	d.log.from = d.log.all.Len()
}

// windowLimit is for a machine with much else to do.
const windowLimit = 90 * time.Second

func (d *desk) await(text, what string) {
	d.t.Helper()
	limit := time.After(windowLimit)
	for !d.log.has(text) {
		select {
		case <-d.log.wake:
		case <-limit:
			d.t.Fatalf("waited in vain for %s", what)
		}
	}
}

// until asks again and again: other processes tell nobody.
func (d *desk) until(what string, is func() bool) {
	d.t.Helper()
	for end := time.Now().Add(windowLimit); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			d.t.Fatalf("waited in vain for %s", what)
		}
	}
}

// again starts the program once more, which hands over and ends.
func (d *desk) again(what string, args ...string) {
	d.t.Helper()
	ctx, stop := context.WithTimeout(d.t.Context(), windowLimit)
	defer stop()
	cmd := exec.CommandContext(ctx, d.bin, append(args, "--data", d.data)...)
	cmd.Env = d.env
	if out, err := cmd.CombinedOutput(); err != nil {
		d.t.Fatalf("%s: %v\n%s", what, err, out)
	}
}

// beside starts the program beside a service: it stays, as its window.
func (d *desk) beside() *exec.Cmd {
	d.t.Helper()
	cmd := exec.Command(d.bin, "--data", d.data)
	cmd.Env, cmd.Stderr = d.env, d.log
	if err := cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { _ = cmd.Process.Kill() })
	return cmd
}

func (d *desk) stop() {
	d.t.Helper()
	_ = d.cmd.Process.Signal(os.Interrupt)
	if err := d.wait(); err != nil {
		d.t.Errorf("the program ended with %v", err)
	}
}

func (d *desk) wait() error {
	limit := time.AfterFunc(windowLimit, func() { _ = d.cmd.Process.Kill() })
	defer limit.Stop()
	err := d.cmd.Wait()
	d.cmd = nil
	return err
}

// closeWindow sends the window's process a signal and waits for its end.
func (d *desk) closeWindow(s syscall.Signal) {
	d.t.Helper()
	kids := children(d.cmd.Process.Pid)
	if len(kids) != 1 {
		d.t.Fatalf("%d windows", len(kids))
	}
	if err := syscall.Kill(kids[0], s); err != nil {
		d.t.Fatal(err)
	}
	d.until("the window to close", func() bool { return len(children(d.cmd.Process.Pid)) == 0 })
}

// children are the processes that a process began.
func children(pid int) []int {
	var out []int
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, list := range lists {
		raw, _ := os.ReadFile(list) // the thread may be gone
		for _, f := range strings.Fields(string(raw)) {
			if n, err := strconv.Atoi(f); err == nil {
				out = append(out, n)
			}
		}
	}
	return out
}

// kilobytes reads a line of a file of /proc; 0 if it is not there.
func kilobytes(path, key string) int {
	raw, _ := os.ReadFile(path)
	for line := range strings.Lines(string(raw)) {
		if rest, ok := strings.CutPrefix(line, key+":"); ok {
			n, _ := strconv.Atoi(strings.Fields(rest)[0])
			return n
		}
	}
	return 0
}

// closedMemory says what the program takes without its window.
func closedMemory(t *testing.T, pid int) {
	t.Helper()
	status := fmt.Sprintf("/proc/%d/status", pid)
	t.Logf("window closed: %d MB resident, of which %d MB are files that others share", kilobytes(status, "VmRSS")>>10, kilobytes(status, "RssFile")>>10)
}

// openMemory says what all processes take with the window open.
func openMemory(t *testing.T, pid int) {
	t.Helper()
	sum := 0
	for todo := []int{pid}; len(todo) > 0; {
		p := todo[0]
		todo = append(todo[1:], children(p)...)
		sum += kilobytes(fmt.Sprintf("/proc/%d/smaps_rollup", p), "Pss")
	}
	t.Logf("window open: %d MB, what processes share counted once", sum>>10)
}
