package desktop

import (
	"bufio"
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

// bus starts a session bus of the test's own and returns a connection to it.
func bus(t *testing.T) *dbus.Conn {
	t.Helper()
	if _, err := exec.LookPath("dbus-daemon"); err != nil {
		t.Skip("needs dbus-daemon")
	}
	cmd := exec.Command("dbus-daemon", "--session", "--nofork", "--print-address", "--address=unix:path="+filepath.Join(t.TempDir(), "bus"))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	addr, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", strings.TrimSpace(addr))
	return connect(t)
}

func connect(t *testing.T) *dbus.Conn {
	t.Helper()
	c, err := dbus.ConnectSessionBus()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func own(t *testing.T, c *dbus.Conn, name string) {
	t.Helper()
	if r, err := c.RequestName(name, dbus.NameFlagDoNotQueue); err != nil || r != dbus.RequestNameReplyPrimaryOwner {
		t.Fatalf("%s: %v, %v", name, r, err)
	}
}

// within takes the next value, or fails.
func within[T any](t *testing.T, c <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(20 * time.Second):
		t.Fatalf("waited in vain for %s", what)
		panic("unreachable")
	}
}

// A server shows notifications in a test.
type server struct {
	can   []string
	shown chan []any
	last  uint32
}

func (s *server) GetCapabilities() ([]string, *dbus.Error) { return s.can, nil }

func (s *server) Notify(app string, replaces uint32, icon, title, text string, actions []string, hints map[string]dbus.Variant, limit int32) (uint32, *dbus.Error) {
	if replaces == 0 {
		s.last++
		replaces = s.last
	}
	s.shown <- []any{replaces, title, text, actions}
	return replaces, nil
}

func TestNotifier(t *testing.T) {
	c := bus(t)
	opened, replied := make(chan string, 1), make(chan string, 1)
	answers := Answers{Open: func(tag string) { opened <- tag }, Reply: func(tag, text string) { replied <- tag + ": " + text }}
	if NewNotifier(t.Context(), answers) != nil {
		t.Fatal("a notifier where nobody shows notifications")
	}
	s := &server{can: []string{"actions", "body", "body-markup", "inline-reply"}, shown: make(chan []any, 1)}
	const path = "/org/freedesktop/Notifications"
	if err := c.Export(s, path, notifications); err != nil {
		t.Fatal(err)
	}
	own(t, c, notifications)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	n := NewNotifier(ctx, answers)
	if n == nil {
		t.Fatal("no notifier")
	}
	note := Note{Tag: "main", Title: "Ben", Text: "<b>1 & 2</b>", Reply: true, Open: "Öffnen", Answer: "Antworten"}
	show := func(want string) {
		t.Helper()
		if err := n.Show(ctx, note); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(within(t, s.shown, "a notification")...); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	tell := func(member string, body ...any) {
		t.Helper()
		if err := c.Emit(path, notifications+"."+member, body...); err != nil {
			t.Fatal(err)
		}
	}
	acts := fmt.Sprint([]string{"default", "Öffnen", "inline-reply", "Antworten"})
	show(fmt.Sprint(uint32(1), "Ben", "&lt;b&gt;1 &amp; 2&lt;/b&gt;", acts))
	show(fmt.Sprint(uint32(1), "Ben", "&lt;b&gt;1 &amp; 2&lt;/b&gt;", acts)) // in place of the first
	tell("ActionInvoked", uint32(77), "default")                             // another program's
	tell("ActionInvoked", uint32(1), "default")
	if got := within(t, opened, "a click"); got != "main" {
		t.Errorf("opened %q", got)
	}
	tell("NotificationReplied", uint32(1), "Ja & gern")
	if got := within(t, replied, "an answer"); got != "main: Ja & gern" {
		t.Errorf("replied %q", got)
	}
	tell("NotificationClosed", uint32(1), uint32(2))
	tell("ActionInvoked", uint32(1), "default")
	note.Tag = "other"
	show(fmt.Sprint(uint32(2), "Ben", "&lt;b&gt;1 &amp; 2&lt;/b&gt;", acts))
	tell("ActionInvoked", uint32(2), "default")
	if got := within(t, opened, "a click"); got != "other" { // the closed one's was ignored
		t.Errorf("opened %q", got)
	}
}

// A watcher is the place for icons of a desktop in a test.
type watcher struct{ items chan string }

func (w *watcher) RegisterStatusNotifierItem(path string, from dbus.Sender) *dbus.Error {
	w.items <- string(from)
	return nil
}

// TestTray: one test for all, since a process has one icon.
func TestTray(t *testing.T) {
	c := bus(t)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	opened, quit := make(chan bool, 1), make(chan bool, 1)
	begin := func() *Tray {
		return NewTray(ctx, TrayWords{Open: "Öffnen", Quit: "Beenden"}, func() { opened <- true }, func() { quit <- true })
	}
	if begin() != nil {
		t.Fatal("an icon where there is no place for it")
	}
	w := &watcher{items: make(chan string, 1)}
	if err := c.Export(w, "/StatusNotifierWatcher", "org.kde.StatusNotifierWatcher"); err != nil {
		t.Fatal(err)
	}
	own(t, c, "org.kde.StatusNotifierWatcher")
	tray := begin()
	if tray == nil {
		t.Fatal("no icon")
	}
	item := c.Object(within(t, w.items, "the icon"), "/StatusNotifierItem")
	get := func(name string) any {
		t.Helper()
		v, err := item.GetProperty("org.kde.StatusNotifierItem." + name)
		if err != nil {
			t.Fatal(err)
		}
		return v.Value()
	}
	plain := fmt.Sprint(get("IconPixmap"))
	tray.Set(ctx, TrayState{Line: "3 von 5 Geräten da", Tip: "Kanzlei · 2 ungelesen", Dot: true})
	tray.Set(ctx, TrayState{Line: "3 von 5 Geräten da", Tip: "Kanzlei · 2 ungelesen", Dot: true}) // returns when the first is shown
	if !strings.Contains(fmt.Sprint(get("ToolTip")), "2 ungelesen") {
		t.Errorf("tip: %v", get("ToolTip"))
	}
	if fmt.Sprint(get("IconPixmap")) == plain {
		t.Error("no dot")
	}
	if err := item.Call("org.kde.StatusNotifierItem.Activate", 0, int32(0), int32(0)).Err; err != nil {
		t.Fatal(err)
	}
	within(t, opened, "a click on the icon")

	type node struct {
		ID       int32
		Props    map[string]dbus.Variant
		Children []dbus.Variant
	}
	menu := c.Object(item.Destination(), "/StatusNotifierItem/menu")
	var revision uint32
	var root node
	if err := menu.Call("com.canonical.dbusmenu.GetLayout", 0, int32(0), int32(-1), []string{}).Store(&revision, &root); err != nil {
		t.Fatal(err)
	}
	ids := map[string]int32{}
	var labels []string
	for _, v := range root.Children {
		var n node
		if err := dbus.Store([]any{v.Value()}, &n); err != nil {
			t.Fatal(err)
		}
		if label, ok := n.Props["label"].Value().(string); ok && label != "" {
			ids[label] = n.ID
			labels = append(labels, label)
		}
	}
	if want := []string{"3 von 5 Geräten da", "Öffnen", "Beenden"}; !slices.Equal(labels, want) {
		t.Fatalf("menu %q, want %q", labels, want)
	}
	for label, done := range map[string]chan bool{"Öffnen": opened, "Beenden": quit} {
		if err := menu.Call("com.canonical.dbusmenu.Event", 0, ids[label], "clicked", dbus.MakeVariant(""), uint32(0)).Err; err != nil {
			t.Fatal(err)
		}
		within(t, done, label)
	}
}
