package main

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"inselnetz/app/api"
	"inselnetz/app/desktop"
)

// TestWindow builds the program with its window and opens it on a display of its
// own. The window has loaded its page when that asks for doors nearby, which
// nobody else does.
func TestWindow(t *testing.T) {
	p := startResident(t, windowProgram(t))
	p.await("name=doors", "the window to load")
	status := func() {
		t.Helper()
		if _, err := ask[api.Status](t.Context(), p.client(), "status", api.Empty{}); err != nil {
			t.Fatalf("the node: %v", err)
		}
	}

	p.mark()
	p.again("a second start raises the window")
	p.await("name=desktop/wanted", "the window to hear of a second start")

	p.mark()
	p.again("a link is handed over", "inselnetz:join?nonsense")
	p.await("name=desktop/wanted", "the link to reach the page")
	if w, err := ask[api.DesktopWanted](t.Context(), p.client(), "desktop/wanted", api.Empty{}); err != nil || w.Link != "" {
		t.Errorf("the link was not taken: %+v, %v", w, err)
	}

	p.mark()
	p.closeWindow(syscall.SIGTERM) // ends it as its close button does
	status()
	if place := desktop.Read(filepath.Join(p.data, placeFileName), desktop.Place{}); place.Width < desktop.LeastWidth || !place.Known {
		t.Errorf("place of the window is not kept: %+v", place)
	}
	closedMemory(t, p.cmd.Process.Pid)
	if shown, err := ask[api.DesktopShown](t.Context(), p.client(), "desktop/show", api.DesktopShow{}); err != nil || !shown.Shown {
		t.Fatalf("show: %+v, %v", shown, err)
	}
	p.await("name=doors", "the window to open again")
	openMemory(t, p.cmd.Process.Pid)

	p.mark()
	p.closeWindow(syscall.SIGKILL)
	status()
	p.again("a start opens it again")
	p.await("name=doors", "the window to open after a crash")

	p.again("it quits on command, as for an installer", "quit")
	if err := p.wait(); err != nil {
		t.Errorf("the program ended with %v", err)
	}
}

// TestWindowOfService opens the window of a node that runs without one, and the
// node is started again under it.
func TestWindowOfService(t *testing.T) {
	bin := windowProgram(t)
	service := startProgram(t, bin, "serve", "--secrets", "file")
	second := service.beside()
	service.await("name=doors", "the window to load")
	service.stop()
	service.start()
	service.await("name=status", "the window to follow the node")
	_ = second.Process.Signal(os.Interrupt)
	if err := second.Wait(); err != nil {
		t.Errorf("the window ended with %v", err)
	}
	service.stop()
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
