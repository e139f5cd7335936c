package tree

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// A Problem is a set of reasons why a name is not stored everywhere, or is to be
// shown with care.
type Problem uint16

// What can be wrong with a name. All but Twin follow from it alone.
const (
	Reserved  Problem = 1 << iota // a device of Windows: CON, NUL, COM1 ...
	Letters                       // holds what Windows forbids: <>:"|?*\ or a control character
	Trailing                      // ends in a dot or a space, which Windows drops
	Colon                         // which macOS forbids
	Twin                          // a file system that ignores case takes it for another one
	Deceptive                     // reads as what it is not: stored, but to be shown with care
)

// A Platform is a family of systems with the same rules for names.
type Platform uint8

// The platforms.
const (
	Linux Platform = iota
	Windows
	Mac
)

// On returns those of the problems that keep a file from being stored there.
// Whether twins do is up to the file system; here Windows and Mac say yes.
func (p Problem) On(on Platform) Problem {
	switch on {
	case Windows:
		return p & (Reserved | Letters | Trailing | Twin)
	case Mac:
		return p & (Colon | Twin)
	}
	return 0
}

// Storable returns what keeps a name, one part of a path, from being stored
// there. Of twins it cannot know.
func Storable(name string, on Platform) Problem { return problems(name).On(on) }

// problems returns what is wrong with a name by itself.
func problems(name string) Problem {
	var p Problem
	for _, r := range name {
		switch {
		case r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z': // most of all
		case r < 0x20:
			p |= Letters | Deceptive
		case r == ':':
			p |= Letters | Colon
		case r < 0x7f && strings.ContainsRune(`<>"|?*\`, r):
			p |= Letters
		case r >= 0x7f && deceptive(r):
			p |= Deceptive
		}
	}
	if c := name[len(name)-1]; c == '.' || c == ' ' {
		p |= Trailing
	}
	if reserved(name) {
		p |= Reserved
	}
	return p
}

// deceptive holds for what turns the direction of text around, and for control
// characters.
func deceptive(r rune) bool {
	return r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == 0x2028 || r == 0x2029 || unicode.IsControl(r)
}

// reserved holds for names that Windows takes for a device, whatever extension
// they have.
func reserved(name string) bool {
	stem, _, _ := strings.Cut(name, ".")
	stem, _, _ = strings.Cut(stem, ":")
	stem = strings.TrimRight(stem, " ")
	if len(stem) < 3 || len(stem) > 7 {
		return false
	}
	switch stem[0] | 0x20 { // most names begin otherwise
	case 'a', 'c', 'l', 'n', 'p':
	default:
		return false
	}
	switch stem = strings.ToUpper(stem); stem {
	case "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$":
		return true
	}
	if n, ok := strings.CutPrefix(stem, "COM"); ok {
		return port(n)
	}
	n, ok := strings.CutPrefix(stem, "LPT")
	return ok && port(n)
}

func port(n string) bool {
	return len(n) == 1 && n[0] >= '0' && n[0] <= '9' || n == "¹" || n == "²" || n == "³"
}

// Suggest returns a path like this one that every platform stores, the same if
// this one is. It does not know whether that is free. Of a path that is not
// valid at all it makes a valid one.
func Suggest(path string) string {
	if CheckPath(path) == nil && clean(path) {
		return path
	}
	path = norm.NFC.String(strings.ToValidUTF8(path, "_"))
	var names []string
	for name := range strings.SplitSeq(path, "/") {
		if name = suggestName(name); name != "" {
			names = append(names, name)
		}
	}
	for len(names) > MaxDepth || len(names) > 1 && len(strings.Join(names, "/")) > MaxPath {
		names = names[1:]
	}
	if len(names) == 0 {
		return "_"
	}
	if hidden(names[0]) {
		names[0] = "_" + names[0]
	}
	return strings.Join(names, "/")
}

// clean reports whether nothing is wrong with any name in a path.
func clean(path string) bool {
	for name := range strings.SplitSeq(path, "/") {
		if problems(name) != 0 {
			return false
		}
	}
	return true
}

func suggestName(name string) string {
	name = strings.Map(func(r rune) rune {
		if r < 0x20 || strings.ContainsRune(`<>:"|?*\`, r) {
			return '_'
		}
		if deceptive(r) {
			return -1
		}
		return r
	}, name)
	if name == "." || name == ".." {
		return ""
	}
	if reserved(name) {
		stem, rest, _ := strings.Cut(name, ".")
		name = strings.TrimRight(stem, " ") + "_"
		if rest != "" {
			name += "." + rest
		}
	}
	if len(name) > MaxName-1 {
		ext := extension(name)
		if len(ext) > 32 {
			ext = ""
		}
		name = cutText(name[:len(name)-len(ext)], MaxName-1-len(ext)) + ext
	}
	if end := strings.TrimRight(name, ". "); end != name {
		name = end + "_"
	}
	return norm.NFC.String(name)
}

// extension returns the end of a name from its last dot on, if there is
// something before and behind that.
func extension(name string) string {
	if i := strings.LastIndexByte(name, '.'); i > 0 && i < len(name)-1 {
		return name[i:]
	}
	return ""
}

// cutText returns at most n bytes of s, whole characters only.
func cutText(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// Key returns what file systems that ignore case compare of a name: normal form
// C of the name with each character replaced by the least one that differs from
// it in case only. Names with one key are twins.
func Key(name string) string {
	plain := true
	for i := 0; i < len(name) && plain; i++ {
		plain = name[i] < utf8.RuneSelf && (name[i] < 'A' || name[i] > 'Z')
	}
	if plain {
		return name
	}
	return norm.NFC.String(strings.Map(foldRune, norm.NFC.String(name)))
}

// foldRune returns the representative of all characters that are r but for case.
func foldRune(r rune) rune {
	if r < utf8.RuneSelf && r != 'k' && r != 's' && r != 'K' && r != 'S' {
		if r >= 'A' && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}
	least := r
	for o := unicode.SimpleFold(r); o != r; o = unicode.SimpleFold(o) {
		least = min(least, o)
	}
	if least >= 'A' && least <= 'Z' {
		least += 'a' - 'A' // as for the rest of ASCII
	}
	return least
}
