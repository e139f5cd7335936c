package desktop

import (
	"bytes"
	"encoding/binary"
	"encoding/xml"
	"errors"
	"image/png"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestFit(t *testing.T) {
	one := []Size{{1920, 1080}}
	two := []Size{{1920, 1080}, {1280, 1024}}
	for name, c := range map[string]struct {
		in      Place
		screens []Size
		want    Place
	}{
		"as it was":            {Place{10, 20, 800, 600, true, false, 1}, one, Place{10, 20, 800, 600, true, false, 1}},
		"never closed":         {FirstPlace, one, FirstPlace},
		"the screen is gone":   {Place{2500, 20, 800, 600, true, false, 1}, one, Place{0, 0, 800, 600, false, false, 1}},
		"the screen is there":  {Place{2500, 20, 800, 600, true, false, 1}, two, Place{2500, 20, 800, 600, true, false, 1}},
		"above the top":        {Place{10, -50, 800, 600, true, false, 1}, one, Place{0, 0, 800, 600, false, false, 1}},
		"larger than screens":  {Place{0, 0, 4000, 3000, true, true, 2}, one, Place{0, 0, 1920, 1080, true, true, 2}},
		"nothing of it left":   {Place{-790, 20, 800, 600, true, false, 1}, one, Place{0, 0, 800, 600, false, false, 1}},
		"no screens are known": {Place{10, 20, 0, 0, true, false, 0}, nil, Place{10, 20, LeastWidth, LeastHeight, false, false, 1}},
		"zoomed out of sight":  {Place{10, 20, 800, 600, true, false, 90}, one, Place{10, 20, 800, 600, true, false, 3}},
	} {
		if got := c.in.Fit(c.screens); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

func TestZoom(t *testing.T) {
	z := 1.0
	for range 20 {
		z = ZoomStep(z, 1)
	}
	if z != 3 {
		t.Errorf("largest %v", z)
	}
	for range 20 {
		z = ZoomStep(z, -1)
	}
	if z != 0.5 || ZoomStep(z, 0) != 1 || ZoomStep(1, 1) != 1.1 || ZoomStep(1.03, -1) != 1 || Zoom(math.NaN()) != 1 {
		t.Errorf("steps: %v", z)
	}
}

func TestKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "p.json")
	if got := Read(path, DefaultPrefs); got != DefaultPrefs {
		t.Errorf("no file: %+v", got)
	}
	want := Prefs{Notify: "none", Told: true}
	if err := Write(path, want); err != nil {
		t.Fatal(err)
	}
	if got := Read(path, DefaultPrefs); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	for _, bad := range []string{"", "{", `{"stay":"yes"}`, `[]`} {
		if err := os.WriteFile(path, []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := Read(path, DefaultPrefs); got != DefaultPrefs {
			t.Errorf("%q: %+v", bad, got)
		}
	}
}

func TestHold(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	free, err := Hold(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Hold(path); !errors.Is(err, ErrHeld) {
		t.Errorf("held twice: %v", err)
	}
	free()
	free, err = Hold(path)
	if err != nil {
		t.Fatalf("not free again: %v", err)
	}
	free()
}

func TestNews(t *testing.T) {
	n := &News{}
	m := func(id string, pos int64) Message { return Message{ID: id, Pos: pos, Text: id} }
	ids := func(ms []Message) string {
		var out []string
		for _, m := range ms {
			out = append(out, m.ID)
		}
		return strings.Join(out, " ")
	}
	step := func(what, want string, readUpTo int64, latest ...Message) {
		t.Helper()
		if got := ids(n.Fresh("c", latest, readUpTo)); got != want {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
	step("at the start", "", 0, m("a", 1), m("b", 2))
	step("nothing new", "", 0, m("a", 1), m("b", 2))
	step("one came", "c", 2, m("a", 1), m("b", 2), m("c", 3))
	step("one came between", "d", 1, m("a", 1), m("d", 2), m("b", 3), m("c", 4))
	own, gone := m("e", 5), m("f", 6)
	own.Own, gone.Gone = true, true
	step("own and retracted ones", "", 1, m("b", 3), m("c", 4), own, gone)
	step("read elsewhere", "", 7, m("c", 4), own, gone, m("g", 7))
	step("one moves up", "", 0, m("a", 1), m("c", 4), m("g", 7))
	n.Empty("new")
	if got := ids(n.Fresh("new", []Message{m("x", 1)}, 0)); got != "x" {
		t.Errorf("a channel that just began: %q", got)
	}
}

func TestTell(t *testing.T) {
	hello, me := Message{Author: "Ben", Text: "Hallo"}, Message{Author: "Ben", Text: "@Anke bitte", Me: true}
	all, direct := Channel{ID: "1", Title: "Alle"}, Channel{ID: "2", Direct: true}
	for _, c := range []struct {
		notify string
		text   bool
		in     Channel
		fresh  []Message
		want   string // title and text; empty: none
	}{
		{"all", true, all, []Message{hello}, "Ben · Alle|Hallo"},
		{"all", true, direct, []Message{hello}, "Ben|Hallo"},
		{"all", false, all, []Message{hello}, "Ben · Alle|Eine neue Nachricht"},
		{"all", false, all, []Message{me}, "Ben · Alle|erwähnt Sie."},
		{"all", false, direct, []Message{hello, hello}, "Ben|2 neue Nachrichten"},
		{"all", true, all, []Message{hello, me}, "Ben · Alle|@Anke bitte\n(und 1 weitere)"},
		{"mentions", true, all, []Message{hello}, ""},
		{"mentions", true, all, []Message{me, hello}, "Ben · Alle|@Anke bitte"},
		{"mentions", true, direct, []Message{hello}, "Ben|Hallo"},
		{"direct", true, all, []Message{me}, ""},
		{"direct", true, direct, []Message{hello}, "Ben|Hallo"},
		{"none", true, direct, []Message{hello}, ""},
		{"all", true, all, nil, ""},
	} {
		n, ok := Prefs{Notify: c.notify, Text: c.text}.Tell(c.in, c.fresh, false)
		got := n.Title + "|" + n.Text
		if !ok {
			got = ""
		}
		if got != c.want {
			t.Errorf("%+v: %q", c, got)
		}
	}
	n, _ := DefaultPrefs.Tell(all, []Message{{Author: "B", Text: strings.Repeat("ö", 500)}}, true)
	if len([]rune(n.Text)) > noteText+2 {
		t.Errorf("%d characters", len([]rune(n.Text)))
	}
}

func TestXDGAutostart(t *testing.T) {
	args := []string{`/opt/Müller & "Söhne"/100% $HOME\x` + "`", "--hidden"}
	entry := xdgEntry(args)
	if !xdgOn(entry, args) {
		t.Errorf("own entry is off:\n%s", entry)
	}
	for what, changed := range map[string]string{
		"hidden":        entry + "Hidden=true\n",
		"GNOME's list":  strings.Replace(entry, "enabled=true", "enabled=false", 1),
		"another group": strings.Replace(entry, "[Desktop Entry]", "[Other]", 1),
		"another copy":  strings.Replace(entry, "--hidden", "--other", 1),
		"nothing":       "",
	} {
		if xdgOn(changed, args) {
			t.Errorf("%s: on", what)
		}
	}
	if got, want := execLine([]string{`a\b`, `c"d`, "50%"}), `"a\\\\b" "c\\"d" "50%%"`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if tool, err := exec.LookPath("desktop-file-validate"); err == nil {
		path := filepath.Join(t.TempDir(), "x.desktop")
		if err := os.WriteFile(path, []byte(entry), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command(tool, path).CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	}
}

func TestAgentPlist(t *testing.T) {
	var parsed struct {
		Strings []string `xml:"dict>array>string"`
	}
	if err := xml.Unmarshal([]byte(agentPlist("l", []string{"/A&B <C>", "--hidden"})), &parsed); err != nil {
		t.Fatal(err)
	}
	if len(parsed.Strings) != 2 || parsed.Strings[0] != "/A&B <C>" {
		t.Errorf("%q", parsed.Strings)
	}
}

// TestToast: what messages say is text in a toast, whatever it is.
func TestToast(t *testing.T) {
	n := Note{Tag: `a"&<`, Title: `<b>"`, Text: "]]> $(calc) & \x00 <actions>", Reply: true, Answer: "Antworten"}
	var parsed struct {
		Launch string   `xml:"launch,attr"`
		Text   []string `xml:"visual>binding>text"`
		Action []struct {
			Args string `xml:"arguments,attr"`
		} `xml:"actions>action"`
	}
	if err := xml.Unmarshal([]byte(toastXML(n)), &parsed); err != nil {
		t.Fatal(err)
	}
	if parsed.Launch != openArg+n.Tag || len(parsed.Text) != 2 || parsed.Text[0] != n.Title || !strings.Contains(parsed.Text[1], "]]> $(calc) & ") {
		t.Errorf("%+v", parsed)
	}
	if len(parsed.Action) != 1 || parsed.Action[0].Args != replyArg+n.Tag {
		t.Errorf("%+v", parsed.Action)
	}
}

func TestIcons(t *testing.T) {
	made := icons()
	plain, err := png.Decode(bytes.NewReader(made[0]))
	if err != nil {
		t.Fatal(err)
	}
	dot, err := png.Decode(bytes.NewReader(made[1]))
	if err != nil || bytes.Equal(made[0], made[1]) || plain.Bounds() != dot.Bounds() {
		t.Fatalf("no dot: %v", err)
	}
	b := plain.Bounds()
	if r, g, _, _ := dot.At(b.Max.X-b.Dx()/5, b.Min.Y+b.Dy()/5).RGBA(); r < 0xc000 || g > 0x6000 {
		t.Error("the dot is not red")
	}
	raw, err := ico(made[1])
	if err != nil {
		t.Fatal(err)
	}
	size, at := binary.LittleEndian.Uint32(raw[14:]), binary.LittleEndian.Uint32(raw[18:])
	if int(at+size) != len(raw) || int(raw[6]) != b.Dx() {
		t.Errorf("icon of %d bytes says %d at %d", len(raw), size, at)
	}
}
