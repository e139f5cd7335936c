//go:build desktop

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"inselnetz/app/api"
	"inselnetz/app/desktop"
)

const prefsFile = "desktop.json"

// A resident is the desktop program: a node that stays, with an icon and
// notifications, whose window is another process that comes and goes. So a
// closed window costs no memory, and a webview that crashes takes nothing along.
type resident struct {
	e      *env
	node   *node
	auto   desktop.Autostart
	show   chan struct{} // the window is wanted; holds one
	leave  chan struct{} // the person wants to quit; holds one
	tell   chan desktop.Note
	tray   *desktop.Tray
	notify *desktop.Notifier

	mu    sync.Mutex
	prefs desktop.Prefs
}

// mainCommand is what a person starts: the resident with its window, or if a node
// runs with this data directory, its window.
func mainCommand(e *env) func(context.Context) error {
	var f nodeFlags
	f.add(e)
	hidden := e.flags.Bool("hidden", false, "start without opening the window")
	_ = e.flags.Bool("Embedding", false, "as Windows starts it for a click on a notification")
	return func(ctx context.Context) error {
		if len(e.rest) > 1 {
			return errUsage
		}
		link := strings.Join(e.rest, "")
		err := startDesktop(ctx, e, f, link, *hidden)
		if err == nil || errors.Is(err, context.Canceled) {
			return nil
		}
		if noDisplay() != nil || errors.Is(err, errUsage) {
			return err
		}
		return errors.Join(err, apologise(ctx, e, err)) // who starts a window reads no terminal
	}
}

func startDesktop(ctx context.Context, e *env, f nodeFlags, link string, hidden bool) error {
	if done, err := second(ctx, e, link, hidden); done {
		return err
	}
	if noDisplay() != nil && !hidden {
		return e.noWindow()
	}
	r := &resident{e: e, show: make(chan struct{}, 1), leave: make(chan struct{}, 1), tell: make(chan desktop.Note, 16)}
	n, err := openNode(ctx, e, f, &api.Resident{State: r.state, Set: r.set, Show: r.wantWindow, Quit: r.wantQuit})
	if err != nil {
		// two that were started at once: the other one was faster
		for range 20 {
			if done, serr := second(ctx, e, link, hidden); done {
				return serr
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(100 * time.Millisecond):
			}
		}
		return err
	}
	r.node = n
	r.prefs = desktop.Read(filepath.Join(e.data, prefsFile), desktop.DefaultPrefs)
	r.auto = autostart(e)
	if link != "" {
		n.server.Want(link)
	}
	if !hidden {
		r.wantWindow()
	}
	return errors.Join(r.run(ctx), n.close())
}

// second asks the node that runs with the data directory, if any, to show its
// window. Where it has none, as a service, this process becomes one.
func second(ctx context.Context, e *env, link string, hidden bool) (done bool, err error) {
	c, err := e.client()
	if err != nil {
		return false, nil
	}
	if _, err := ask[api.Desktop](ctx, c, "desktop", api.Empty{}); err != nil {
		return false, nil // it left its contact file and is gone
	}
	if hidden && link == "" {
		return true, nil
	}
	shown, err := ask[api.DesktopShown](ctx, c, "desktop/show", api.DesktopShow{Link: link})
	if err != nil || shown.Shown {
		return true, err
	}
	if noDisplay() != nil {
		return true, e.noWindow()
	}
	return true, showWindow(ctx, e)
}

// noDisplay is an error where no window can open.
func noDisplay() error {
	if runtime.GOOS == "linux" && os.Getenv("DISPLAY") == "" && os.Getenv("WAYLAND_DISPLAY") == "" {
		return errors.New("no display")
	}
	return nil
}

func (e *env) noWindow() error {
	return &api.Error{Code: "no-display", Sentence: e.pick("Hier kann kein Fenster aufgehen: Es gibt keinen Bildschirm.", "No window can open here: there is no display."),
		Next: e.pick("Ohne Fenster starten: inselnetz serve", "Start without a window: inselnetz serve")}
}

func autostart(e *env) desktop.Autostart {
	program, _ := os.Executable() // without it nothing can be switched on, and the system says off
	args := []string{"--hidden"}
	if e.data != defaultData() {
		args = append(args, "--data", e.data)
	}
	return desktop.Autostart{Program: program, Args: args}
}

func (r *resident) wantWindow() { want(r.show) }
func (r *resident) wantQuit()   { want(r.leave) }

func want(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// run works until ctx ends, the person quits, or the node stops.
func (r *resident) run(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	r.tray = desktop.NewTray(ctx, desktop.TrayWords{Open: r.e.pick("Inselnetz öffnen", "Open Inselnetz"), Quit: r.e.pick("Beenden", "Quit")}, func() { r.node.server.Raise(api.DesktopShow{}) }, r.wantQuit)
	r.notify = desktop.NewNotifier(ctx, desktop.Answers{Open: r.openChannel, Reply: r.reply})
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return r.node.run(ctx) })
	g.Go(func() error { return r.follow(ctx) })
	g.Go(func() error {
		defer stop()
		return r.windows(ctx)
	})
	err := g.Wait()
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// windows opens the window when it is wanted, and returns when the program shall
// end.
func (r *resident) windows(ctx context.Context) error {
	var open *child
	defer func() { open.end() }()
	for {
		var ended chan error
		if open != nil {
			ended = open.ended
		}
		select {
		case <-ctx.Done():
			return nil
		case <-r.leave:
			return nil
		case <-r.show:
			if open != nil {
				continue // it is just opening, and asks what to show when it has
			}
			c, err := startWindow(r.e)
			if err != nil {
				return fmt.Errorf("open the window: %w", err)
			}
			open = c
		case err := <-ended:
			open = nil
			debug.FreeOSMemory() // what the window's page made is not needed for long
			if err != nil {
				fmt.Fprintln(r.e.err, "inselnetz: window:", err) // it crashed; the node goes on
			} else if !r.stays() {
				return nil
			}
		}
	}
}

// stays reports whether to go on without a window, and says so the first time.
func (r *resident) stays() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.prefs.Stay {
		return false
	}
	if r.prefs.Told || r.notify == nil {
		return true
	}
	r.prefs.Told = true
	r.keep()
	where := r.e.pick("Öffnen: Inselnetz noch einmal starten. Beenden: in den Einstellungen.", "To open it, start Inselnetz again. To quit: in the settings.")
	if r.tray != nil {
		where = r.e.pick("Öffnen und beenden: beim Symbol neben der Uhr.", "To open or quit: at the icon beside the clock.")
	}
	select {
	case r.tell <- desktop.Note{Title: r.e.pick("Inselnetz läuft weiter", "Inselnetz goes on"), Text: where, Open: r.e.pick("Öffnen", "Open")}:
	default: // so much to tell that this does not matter
	}
	return true
}

// keep writes the choices down; r.mu is held.
func (r *resident) keep() {
	if err := desktop.Write(filepath.Join(r.e.data, prefsFile), r.prefs); err != nil {
		fmt.Fprintln(r.e.err, "inselnetz:", err)
	}
}

func (r *resident) state() api.Desktop {
	r.mu.Lock()
	p := r.prefs
	r.mu.Unlock()
	d := api.Desktop{Autostart: "none", Tray: r.tray != nil, Notifier: r.notify != nil, Stay: p.Stay, Notify: p.Notify, Text: p.Text}
	if on, err := r.auto.On(); err == nil {
		d.Autostart = map[bool]string{true: "on", false: "off"}[on]
	}
	return d
}

func (r *resident) set(s api.DesktopSet) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.prefs.Stay, r.prefs.Text = s.Stay, s.Text
	switch s.Notify {
	case "all", "mentions", "direct", "none":
		r.prefs.Notify = s.Notify
	}
	r.keep()
	if on, err := r.auto.On(); err != nil || on == s.Autostart {
		return err
	}
	return r.auto.Set(s.Autostart)
}

// A child is the process of the window.
type child struct {
	cmd   *exec.Cmd
	say   io.WriteCloser
	ended chan error // holds one
}

func startWindow(e *env) (*child, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(program, "window", "--data", e.data, "--lang", e.lang)
	cmd.Stdout, cmd.Stderr = e.err, e.err
	say, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	c := &child{cmd: cmd, say: say, ended: make(chan error, 1)}
	go func() { c.ended <- cmd.Wait() }()
	return c, nil
}

// end closes the window and waits for it; a webview that hangs is killed.
func (c *child) end() {
	if c == nil {
		return
	}
	_, _ = io.WriteString(c.say, "quit\n") // it may be gone already
	select {
	case <-c.ended:
	case <-time.After(5 * time.Second):
		_ = c.cmd.Process.Kill()
		<-c.ended
	}
}
