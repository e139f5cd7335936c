package tree

import (
	"errors"
	"fmt"
	"math/rand"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestCheckPath(t *testing.T) {
	long := strings.Repeat("x", MaxName)
	for path, ok := range map[string]bool{
		"a": true, "a/b/c": true, "Übung/ß": true, "a b ": true, `..\x`: true, "CON": true, "a\tb": true, "a:b": true, "...": true,
		long: true, long + "x": false, "ü" + long[2:]: true, "ü" + long[1:]: false,
		strings.Repeat(long+"/", 3) + long + "/": false, strings.Repeat(long+"/", 4) + "x": false, strings.Repeat(long+"/", 3) + long: true,
		strings.Repeat("a/", MaxDepth-1) + "a": true, strings.Repeat("a/", MaxDepth) + "a": false,
		"": false, "/": false, "/a": false, "a/": false, "a//b": false, ".": false, "..": false, "a/..": false, "a/./b": false, "../a": false,
		"a\x00": false, "a\nb": false, "a\xff": false, "U\u0308bung": false, "\ufb01": true, "\u212b": false,
		".inselnetz": false, ".inselnetz/keep": false, ".INSELNETZ/x": false, ".In\u017felnetz": false, ".inselnetz.": false, ".inselnetz ": false,
		".inselnetz::$INDEX_ALLOCATION": false, ".insel\u200dnetz": false, "\ufeff.inselnetz": false, "INSELN~1": false, "inseln~12/x": false,
		"a/.inselnetz": true, ".inselnetze": true, "inseln~1x": true, "inseln~": false, ".inselignore": true, "inselnetz": true,
	} {
		err := CheckPath(path)
		if (err == nil) != ok || err != nil && !errors.Is(err, ErrPath) {
			t.Errorf("%q: %v", path, err)
		}
		if s := Suggest(path); CheckPath(s) != nil || !clean(s) {
			t.Errorf("Suggest(%q) = %q: %v", path, s, CheckPath(s))
		}
	}
}

func TestStorable(t *testing.T) {
	for name, want := range map[string]Problem{
		"a.txt": 0, "Müller & Söhne (2).odt": 0, ".profile": 0, "a b": 0, "CONSOLE": 0, "COM": 0, "COM10": 0, "LPT": 0, "a.con": 0, "CON1": 0, "con-": 0,
		"CON": Reserved, "con": Reserved, "Con.txt": Reserved, "con.tar.gz": Reserved, "con .txt": Reserved, "NUL": Reserved, "prn": Reserved, "aux.h": Reserved,
		"COM1": Reserved, "com9.x": Reserved, "COM0": Reserved, "LPT¹": Reserved, "com²": Reserved, "LPT3": Reserved, "CONIN$": Reserved, "conout$.txt": Reserved,
		"a<": Letters, "a>": Letters, `a"`: Letters, "a|b": Letters, "a?": Letters, "a*": Letters, `a\b`: Letters, "a:b": Letters | Colon, "con:": Letters | Colon | Reserved,
		"a\tb": Letters | Deceptive, "a\x7f": Deceptive, "a\u0085": Deceptive, "a.": Trailing, "a ": Trailing, "...": Trailing,
		"a\u202etxt.exe": Deceptive, "\u2066a": Deceptive, "א.txt": 0, "a\u200db": 0,
	} {
		if got := problems(name); got != want {
			t.Errorf("%q: %b, want %b", name, got, want)
		}
		if got := Storable(name, Windows); got != want&^(Deceptive|Colon) {
			t.Errorf("%q on Windows: %b", name, got)
		}
		if got := Storable(name, Mac); got != want&Colon {
			t.Errorf("%q on macOS: %b", name, got)
		}
		if Storable(name, Linux) != 0 {
			t.Errorf("%q on Linux", name)
		}
	}
}

func TestSuggest(t *testing.T) {
	for path, want := range map[string]string{
		"a/b.txt": "a/b.txt", "con.txt": "con_.txt", "x/AUX": "x/AUX_", "a:b": "a_b", "was?.odt": "was_.odt", "a. ": "a_", `..\..\Startup\x.lnk`: ".._.._Startup_x.lnk",
		"U\u0308": "Ü", "a\xffb": "a_b", "a\u202ecod.exe": "acod.exe", "": "_", "../x": "x", ".inselnetz/x": "_.inselnetz/x", "/": "_", "COM1 .txt": "COM1_.txt",
		strings.Repeat("ü", 200) + ".pdf": strings.Repeat("ü", 125) + ".pdf",
	} {
		if got := Suggest(path); got != want {
			t.Errorf("Suggest(%q) = %q, want %q", path, got, want)
		}
	}
}

func TestKey(t *testing.T) {
	for _, same := range [][]string{
		{"a", "A"}, {"Übung", "ÜBUNG", "übung", "U\u0308bung"}, {"ſtraße", "STRAßE", "straẞe"}, {"Kelvin", "kelvin", "\u212aelvin"}, {"ΣΑΣ", "σας", "σασ"},
	} {
		for _, s := range same {
			if Key(s) != Key(same[0]) {
				t.Errorf("%q and %q have keys %q and %q", same[0], s, Key(same[0]), Key(s))
			}
			if Key(Key(s)) != Key(s) {
				t.Errorf("key of the key of %q", s)
			}
		}
	}
	for _, two := range [][2]string{{"ß", "ss"}, {"a", "ä"}, {"i", "ı"}} {
		if Key(two[0]) == Key(two[1]) {
			t.Errorf("%q and %q are twins", two[0], two[1])
		}
	}
}

func FuzzPath(f *testing.F) {
	for _, p := range somePaths {
		f.Add(p)
	}
	f.Add(strings.Repeat("x", 300) + ".x/..")
	f.Add("CON \u202e. /\u0308a")
	f.Fuzz(func(t *testing.T, p string) {
		if s := Suggest(p); CheckPath(s) != nil || Suggest(s) != s {
			t.Errorf("Suggest(%q) = %q, %v, then %q", p, s, CheckPath(s), Suggest(s))
		}
		if CheckPath(p) != nil {
			return
		}
		for n := 1; n < 4; n++ {
			if a := awayPath(p, n); CheckPath(a) != nil {
				t.Errorf("away from %q: %q, %v", p, a, CheckPath(a))
			}
		}
	})
}

// TestAwayPaths: no two paths drive files to the same one, and all of them can
// be shared.
func TestAwayPaths(t *testing.T) {
	from := map[string]string{}
	parts := []string{"a", ".", " (Datei)", " (Datei 2)", "x", " ", ")"}
	paths := []string{strings.Repeat("ü", 120), strings.Repeat("ü", 120) + ".pdf", strings.Repeat("ü", 127) + "x", strings.Repeat("b/", 99) + "c"}
	for i := range 7 {
		paths = append(paths, strings.Repeat(strings.Repeat("d", 120)+"/", i)+strings.Repeat("e", 200)+".ext")
	}
	r := rand.New(rand.NewSource(1))
	for range 20_000 {
		p := ""
		for range 1 + r.Intn(5) {
			p += parts[r.Intn(len(parts))]
		}
		paths = append(paths, p)
	}
	for _, p := range paths {
		if CheckPath(p) != nil {
			continue
		}
		for n := 1; n < 4; n++ {
			a, by := awayPath(p, n), fmt.Sprintf("%q %d", p, n)
			if CheckPath(a) != nil || !utf8.ValidString(a) {
				t.Errorf("%s: %q, %v", by, a, CheckPath(a))
			}
			if was, ok := from[a]; ok && was != by {
				t.Errorf("%s and %s both become %q", was, by, a)
			}
			from[a] = by
		}
	}
	for in, want := range map[string]string{"a/b.txt": "a/b (Datei).txt", "b": "b (Datei)", ".x": ".x (Datei)", "a.b/c": "a.b/c (Datei)"} {
		if got := awayPath(in, 1); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
}
