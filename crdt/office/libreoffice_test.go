package office

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"inselnetz/crdt/document"
)

// describe is blocks as lines that people can compare.
func describe(title string, blocks []document.Block) string {
	var b strings.Builder
	fmt.Fprintf(&b, "title %q\n", title)
	for _, x := range blocks {
		b.WriteString(x.Kind)
		if x.Level > 0 {
			fmt.Fprintf(&b, " %d", x.Level)
		}
		if x.Checked {
			b.WriteString(" checked")
		}
		if n, ok := x.Other["start"]; ok {
			fmt.Fprintf(&b, " from %v", n)
		}
		b.WriteString(":")
		for _, s := range x.Spans {
			if t, ok := document.TableOf(s.Embed); ok {
				fmt.Fprintf(&b, " table head=%v %q", t.Head, t.Rows)
				continue
			}
			if s.Embed != nil {
				fmt.Fprintf(&b, " %v %q", s.Embed["t"], document.Label(s.Embed))
				continue
			}
			fmt.Fprintf(&b, " %q", s.Text)
			for _, k := range slices.Sorted(maps.Keys(s.Marks)) {
				fmt.Fprintf(&b, " %s", k)
				if s.Marks[k] != true {
					fmt.Fprintf(&b, "=%v", s.Marks[k])
				}
			}
		}
		b.WriteString("\n")
	}
	return b.String()
}

// TestFromLibreOffice reads what LibreOffice 7.4 made of testdata/source.*.
func TestFromLibreOffice(t *testing.T) {
	for _, name := range []string{"fodt.odt", "fodt.docx", "html.odt", "html.docx"} {
		b, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		fromLibreOffice(t, name, b)
	}
}

func fromLibreOffice(t *testing.T, name string, b []byte) {
	t.Helper()
	im, err := formats[strings.TrimPrefix(filepath.Ext(name), ".")].read(b)
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	got := describe(im.Title, im.Blocks)
	want, err := os.ReadFile(filepath.Join("testdata", strings.TrimSuffix(name, filepath.Ext(name))+".txt"))
	if err != nil || got != string(want) {
		t.Errorf("%s: %v\ngot:\n%s\nwant:\n%s", name, err, got, want)
	}
	if strings.HasPrefix(name, "fodt") {
		if len(im.Images) != 1 || len(im.Images[0].Bytes) != 70 || im.Blocks[im.Images[0].Block].Spans[im.Images[0].Span].Embed == nil {
			t.Errorf("%s: images %+v", name, im.Images)
		}
	}
}

// convert has LibreOffice turn files of a directory into another format, into a
// directory beside it.
func convert(t *testing.T, profile, format string, files ...string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	args := []string{"--headless", "-env:UserInstallation=file://" + profile, "--convert-to", format, "--outdir", dir}
	if strings.HasSuffix(files[0], ".html") {
		args = append(args, "--infilter=HTML (StarWriter)")
	}
	if out, err := exec.Command("soffice", append(args, files...)...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return dir
}

func soffice(t *testing.T) (profile string) {
	t.Helper()
	if _, err := exec.LookPath("soffice"); err != nil {
		if os.Getenv("INSELNETZ_CI") == "1" {
			t.Fatal("no soffice: build/setup.sh test installs it")
		}
		t.Skip("no soffice: build/setup.sh test installs it")
	}
	return t.TempDir()
}

func read(t *testing.T, parts ...string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(parts...))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestLibreOffice has LibreOffice read what this package writes, and write what it
// reads.
func TestLibreOffice(t *testing.T) {
	profile := soffice(t)
	dir := t.TempDir()
	blocks := append(slices.Clone(sample), para1(document.Paragraph, 0, text("image "), document.Span{Embed: marks("embed", true, "t", "image", "path", "Dokumente/Plan.png", "alt", "Der Plan")}))
	var ours []string
	for name, f := range formats {
		file := filepath.Join(dir, name+"."+name)
		if err := os.WriteFile(file, must(f.write("Der Titel", blocks, sampleFiles)), 0o600); err != nil {
			t.Fatal(err)
		}
		ours = append(ours, file)
	}
	txt := convert(t, profile, "txt:Text (encoded):UTF8", ours...)
	html := convert(t, profile, "html:HTML (StarWriter)", ours...)
	odt, docx := convert(t, profile, "odt", ours...), convert(t, profile, "docx", ours...)
	for name := range formats {
		if got := lines(strings.TrimPrefix(string(read(t, txt, name+".txt")), "\ufeff")); got != lines(asText) {
			t.Errorf("%s as text:\n%s", name, got)
		}
		page := strings.Join(strings.Fields(string(read(t, html, name+".html"))), " ")
		for _, want := range []string{"<h1", "<h6", "<b>bold</b>", "<i><b> both", "<u>under</u>", "<ul>", "<ol>", `value="7"`, `href="https://a.example/?a=1&amp;b=2"`, "<thead>", `lang="de-DE"`, "<img "} {
			if !strings.Contains(page, want) {
				t.Errorf("%s as HTML lacks %s:\n%s", name, want, page)
			}
		}
		for kind, dir := range map[string]string{"odt": odt, "docx": docx} {
			im, err := formats[kind].read(read(t, dir, name+"."+kind))
			if err != nil {
				t.Errorf("%s as %s: %v", name, kind, err)
				continue
			}
			if got, want := describe(im.Title, im.Blocks), describe("Der Titel", blocks); got != want {
				t.Errorf("%s as %s:\n%s", name, kind, diff(got, want))
			}
		}
	}
}

func diff(got, want string) string {
	var b strings.Builder
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range max(len(g), len(w)) {
		x, y := "", ""
		if i < len(g) {
			x = g[i]
		}
		if i < len(w) {
			y = w[i]
		}
		if x != y {
			fmt.Fprintf(&b, "got  %s\nwant %s\n", x, y)
		}
	}
	return b.String()
}

// TestLibreOfficeWrites reads what the LibreOffice that is here makes of the sources.
func TestLibreOfficeWrites(t *testing.T) {
	profile := soffice(t)
	source, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"odt", "docx"} {
		fromLibreOffice(t, "fodt."+kind, read(t, convert(t, profile, kind, filepath.Join(source, "source.fodt")), "source."+kind))
	}
	odt := convert(t, profile, "odt", filepath.Join(source, "source.html"))
	fromLibreOffice(t, "html.odt", read(t, odt, "source.odt"))
	fromLibreOffice(t, "html.docx", read(t, convert(t, profile, "docx", filepath.Join(odt, "source.odt")), "source.docx"))
}

// lines is text without empty lines and without what is before and behind them.
func lines(s string) string {
	var out []string
	for line := range strings.SplitSeq(s, "\n") {
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, line)
		}
	}
	return strings.Join(out, "\n")
}

// asText is the sample as LibreOffice writes plain text.
const asText = `Der Titel
Grüße & <b> 😀
one bold both understruckx := 1redmarklink	tab  two
break
• a
◦ b
1. c
2. d
• e
1. one
2. two
7. seven
8. eight
between
1. again one
☒ done
☐ open
quoted
deeper
if a {
	b  = <c>
}
another
Wer
Was
Änne
two
lines
x
only one row
b
six
image
`
