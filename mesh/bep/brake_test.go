package bep

import (
	crand "crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"
)

func TestTooMuch(t *testing.T) {
	const minute = 60_000
	many := func(n int, from, step int64, what mark) (out []event) {
		for i := range n {
			out = append(out, event{At: from + int64(i)*step, Path: fmt.Sprint(i), What: what})
		}
		return out
	}
	for name, tt := range map[string]struct {
		events         []event
		living         int
		held, scramble bool
	}{
		"nothing":                     {nil, 100, false, false},
		"fifty of many":               {many(50, 0, 1000, markChange), 1000, false, false},
		"more than fifty":             {many(51, 0, 1000, markDelete), 1000, true, false},
		"nine of ten":                 {many(9, 0, 1000, markDelete), 10, false, false},
		"a fifth of fifty":            {many(10, 0, 1000, markChange), 50, false, false},
		"more than a fifth":           {many(11, 0, 1000, markChange), 50, true, false},
		"a hundred over hours":        {many(100, 0, 10*minute, markChange), 1000, false, false},
		"more than 300 in a day":      {many(301, 0, minute*4, markChange), 10_000, true, false},
		"300 in a day":                {many(300, 0, minute*4, markChange), 10_000, false, false},
		"more than half in a day":     {many(61, 0, minute*20, markDelete), 110, true, false},
		"half of few in a day":        {many(59, 0, minute*20, markDelete), 70, false, false},
		"five look encrypted":         {many(5, 0, minute, markScrambled), 1000, true, true},
		"four look encrypted":         {many(4, 0, minute, markScrambled), 1000, false, false},
		"ten with an odd ending":      {many(10, 0, 1, markDelete|markOdd), 1000, true, true},
		"new files with odd endings":  {many(100, 0, 1, markBeside), 1000, false, false},
		"slow enough to be an editor": {many(20, 0, 6*minute, markScrambled), 1000, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			window, scramble := tooMuch(tt.events, tt.living)
			if window > 0 != tt.held || scramble != tt.scramble {
				t.Errorf("window %d, encrypted %v", window, scramble)
			}
		})
	}
}

func TestBelieved(t *testing.T) {
	for _, tt := range []struct{ says, inSync, now, want int64 }{
		{0, 50, 100, 100},   // says nothing
		{70, 0, 100, 100},   // was never in sync
		{70, 50, 100, 70},   // plausible
		{20, 50, 100, 50},   // before we last agreed
		{170, 50, 100, 100}, // in the future
		{170, 150, 100, 100},
	} {
		if got := believed(tt.says, tt.inSync, tt.now); got != tt.want {
			t.Errorf("believed(%d, %d, %d) = %d, want %d", tt.says, tt.inSync, tt.now, got, tt.want)
		}
	}
}

func random(n int) []byte {
	b := make([]byte, n)
	crand.Read(b)
	return b
}

func TestLooksScrambled(t *testing.T) {
	text := []byte(strings.Repeat("Sehr geehrte Frau Meier, ", 1000))
	pdf := append([]byte("%PDF-1.7\n"), random(10_000)...)
	for name, tt := range map[string]struct {
		path        string
		before, now []byte
		want        bool
	}{
		"text to noise":        {"a.txt", text, random(20_000), true},
		"pdf to noise":         {"a.pdf", pdf, random(20_000), true},
		"pdf to pdf":           {"a.pdf", pdf, append([]byte("%PDF-1.7\n"), random(10_000)...), false},
		"text to text":         {"a.txt", text, text[1:], false},
		"noise to noise":       {"a.bin", random(20_000), random(20_000), false},
		"too little to say":    {"a.txt", text, random(1000), false},
		"text to a real photo": {"a.jpg", text, append([]byte("\xff\xd8\xff"), random(10_000)...), false},
	} {
		if got := looksScrambled(tt.path, tt.before, tt.now); got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// held returns what the brake holds of a device, nil if nothing.
func (n *node) held(id DeviceID) *Held {
	for _, d := range n.Status().Devices {
		if d.ID == id {
			return d.Folders[0].Held
		}
	}
	return nil
}

// office makes two nodes with n files in sync.
func office(t *testing.T, files int) (a, b *node) {
	a, b = newNode(t), newNode(t)
	for i := range files {
		a.folder.write(fmt.Sprintf("dir/%d.txt", i), strings.Repeat(fmt.Sprint("text ", i), 1000))
	}
	pair(a, b)
	settle(a, b)
	return a, b
}

func (n *node) waitHeld(id DeviceID) *Held {
	n.t.Helper()
	n.wait("the brake", func() bool { return n.held(id) != nil })
	return n.held(id)
}

func TestBrakeDiscard(t *testing.T) {
	a, b := office(t, 200)
	want := a.folder.shows()
	b.folder.remove("dir")
	a.waitHeld(b.id())
	b.folder.write("new.txt", "a new one")
	a.wait("the new one", func() bool { return a.held(b.id()).New == 1 })
	h := a.held(b.id())
	if h.Deleted != 200 || h.Changed != 0 || h.New != 1 || len(h.Paths) != 100 || h.Encrypted || h.Away {
		t.Fatalf("held %+v", h)
	}
	if got := a.folder.shows(); len(got) != len(want) {
		t.Fatalf("%d paths left", len(got))
	}
	// It survives a restart, without the device.
	b.halt()
	a.halt()
	a.start(Device{ID: b.id()})
	if h := a.held(b.id()); h == nil || !h.Away {
		t.Fatalf("after a restart: %+v", h)
	}
	if err := a.Discard(t.Context(), "office", b.id()); !errors.Is(err, ErrAway) {
		t.Fatalf("discard without the device: %v", err)
	}
	b.start(Device{ID: a.id(), Addrs: []string{a.addr()}})
	a.wait("the device", func() bool { h := a.held(b.id()); return !h.Away && h.Deleted == 200 })
	if err := a.Discard(t.Context(), "office", b.id()); err != nil {
		t.Fatal(err)
	}
	settle(a, b)
	got := b.folder.shows()
	if got["new.txt"] != "a new one" || len(got) != len(want)+1 {
		t.Errorf("%d paths over there, want %d", len(got), len(want)+1)
	}
}

func TestBrakeAccept(t *testing.T) {
	a, b := office(t, 100)
	b.folder.remove("dir")
	a.waitHeld(b.id())
	if err := a.Accept(t.Context(), "office", b.id()); err != nil {
		t.Fatal(err)
	}
	a.wait("all gone", func() bool { return len(a.folder.shows()) == 0 })
	if h := a.held(b.id()); h != nil {
		t.Errorf("held %+v", h)
	}
	if err := a.Accept(t.Context(), "home", b.id()); !errors.Is(err, ErrUnknown) {
		t.Errorf("accept in an unknown folder: %v", err)
	}
}

// What went through before the brake came is put back too.
func TestBrakeDiscardsWhatWasApplied(t *testing.T) {
	a, b := office(t, 300)
	want := a.folder.shows()
	for i := range 20 {
		b.folder.write(fmt.Sprintf("dir/%d.txt", i), "spoiled")
		b.folder.remove(fmt.Sprintf("dir/%d.txt", 100+i))
	}
	a.wait("forty changes", func() bool {
		got := a.folder.shows()
		return got["dir/19.txt"] == "spoiled" && len(got) == len(want)-20
	})
	for i := range 20 {
		b.folder.write(fmt.Sprintf("dir/%d.txt", 50+i), "spoiled")
	}
	if h := a.waitHeld(b.id()); h.Changed != 20 {
		t.Errorf("held %+v", h)
	}
	if err := a.Discard(t.Context(), "office", b.id()); err != nil {
		t.Fatal(err)
	}
	settle(a, b)
	for p, text := range b.folder.shows() {
		if want[p] != text {
			t.Errorf("%s: %.20q", p, text)
		}
	}
	if got := len(b.folder.shows()); got != len(want) {
		t.Errorf("%d paths, want %d", got, len(want))
	}
}

func TestBrakeEncrypted(t *testing.T) {
	a, b := office(t, 100)
	for i := range 8 {
		b.folder.write(fmt.Sprintf("dir/%d.txt", i), string(random(20_000)))
	}
	if h := a.waitHeld(b.id()); !h.Encrypted || h.Changed < 4 {
		t.Errorf("held %+v", h)
	}
	spoiled := 0
	for _, text := range a.folder.shows() {
		if text != "/" && !strings.HasPrefix(text, "text") {
			spoiled++
		}
	}
	if spoiled >= scrambled {
		t.Errorf("%d files spoiled", spoiled)
	}
	if err := a.Discard(t.Context(), "office", b.id()); err != nil {
		t.Fatal(err)
	}
	settle(a, b)
	for p, text := range b.folder.shows() {
		if text != "/" && !strings.HasPrefix(text, "text") {
			t.Errorf("%s is spoiled", p)
		}
	}
}

func TestBrakeOddEndings(t *testing.T) {
	a, b := office(t, 200)
	for i := range 12 {
		b.folder.write(fmt.Sprintf("dir/%d.txt.locked", i), string(random(100)))
		b.folder.remove(fmt.Sprintf("dir/%d.txt", i))
	}
	if h := a.waitHeld(b.id()); !h.Encrypted {
		t.Errorf("held %+v", h)
	}
}

// A directory that is renamed is no harm.
func TestBrakeLetsMovesPass(t *testing.T) {
	a, b := office(t, 100)
	texts := b.folder.shows()
	b.folder.remove("dir")
	for p, text := range texts {
		if text != "/" {
			b.folder.write("moved/"+p, text)
		}
	}
	a.wait("the move", func() bool {
		if h := a.held(b.id()); h != nil {
			t.Fatalf("held %+v", h)
		}
		return len(a.folder.shows()) == 102 && a.inSync(b.id())
	})
}

// A device that was away for long may bring more, one that says so may not.
func TestBrakeBelievesTimes(t *testing.T) {
	now := time.Now()
	for name, tt := range map[string]struct {
		inSync time.Duration // ago
		held   bool
	}{"away for a day": {20 * time.Hour, false}, "here all the time": {time.Minute, true}} {
		dev := DeviceID{1}
		s := newShare(Share{ID: "office", Folder: newMemFolder()}, DeviceID{2}, []Device{{ID: dev, Folders: []string{"office"}}},
			time.Now, slog.New(slog.DiscardHandler), func() {})
		s.ready = true
		r := s.remotes[dev]
		r.inSync = now.Add(-tt.inSync).UnixMilli()
		for i := range 1000 {
			p := fmt.Sprint(i)
			e := s.show(File{Path: p, Kind: Plain, Size: 1, Sum: [32]byte{1, byte(i), byte(i >> 8)}})
			if i < 60 {
				r.want(p, &want{
					vector: raise(e.vector, dev.Short(), now), kind: Plain, size: 1, sum: [32]byte{2},
					changed: now.Add(-time.Duration(i) * 15 * time.Minute).UnixMilli(),
				})
			}
		}
		s.plan(r)
		if held := r.held != 0; held != tt.held {
			t.Errorf("%s: held %v", name, held)
		}
	}
}

// Only what was done in the window is undone.
func TestDiscardLeavesWhatIsOld(t *testing.T) {
	a, b := office(t, 100)
	b.folder.write("dir/0.txt", "an honest change")
	settle(a, b)
	s := a.shares["office"]
	s.mu.Lock()
	for i := range s.remotes[b.id()].events {
		s.remotes[b.id()].events[i].At -= time.Hour.Milliseconds()
	}
	s.mu.Unlock()
	for i := range 60 {
		b.folder.remove(fmt.Sprintf("dir/%d.txt", 10+i))
	}
	a.waitHeld(b.id())
	if err := a.Discard(t.Context(), "office", b.id()); err != nil {
		t.Fatal(err)
	}
	settle(a, b)
	if got := b.folder.shows(); len(got) != 101 || got["dir/0.txt"] != "an honest change" {
		t.Errorf("%d paths, %q", len(got), got["dir/0.txt"])
	}
}
