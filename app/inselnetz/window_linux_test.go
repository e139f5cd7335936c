package main

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestWindow builds the program with its window and opens it on a display of its
// own. The window has loaded its page when that asks for doors nearby, which
// nobody else does.
func TestWindow(t *testing.T) {
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
	dir := t.TempDir()
	bin := filepath.Join(dir, "inselnetz")
	build := exec.CommandContext(t.Context(), "go", "build", "-tags", "desktop,production,webkit2_41", "-o", bin, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=1")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	window := exec.Command(bin, "--data", filepath.Join(dir, "data"), "--state", filepath.Join(dir, "state"), "--loopback", "--page", "127.0.0.1:0", "--verbose")
	window.Env = append(os.Environ(), "DISPLAY="+display(t), "HOME="+dir, "XDG_RUNTIME_DIR="+dir, "LIBGL_ALWAYS_SOFTWARE=1")
	stderr, err := window.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := window.Start(); err != nil {
		t.Fatal(err)
	}
	limit := time.AfterFunc(time.Minute, func() { _ = window.Process.Kill() })
	defer limit.Stop()
	var log bytes.Buffer
	lines, loaded := bufio.NewScanner(io.TeeReader(stderr, &log)), false
	for lines.Scan() {
		if strings.Contains(lines.Text(), "name=doors") && !loaded {
			loaded = true
			_ = window.Process.Signal(os.Interrupt)
		}
	}
	if err := window.Wait(); err != nil || !loaded {
		t.Errorf("window: loaded %v, ended with %v\n%s", loaded, err, log.String())
	}
}

// display starts a display without a screen and returns its name.
func display(t *testing.T) string {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	x := exec.Command("Xvfb", "-displayfd", "3", "-screen", "0", "1280x800x24", "-nolisten", "tcp")
	x.ExtraFiles = []*os.File{w}
	if err := x.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = x.Process.Kill()
		_ = x.Wait()
	})
	_ = w.Close()
	number, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		t.Fatalf("no display: %v", err)
	}
	_ = r.Close()
	return ":" + strings.TrimSpace(number)
}
