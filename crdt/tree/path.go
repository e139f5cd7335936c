package tree

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Limits of paths.
const (
	MaxPath  = 1024 // bytes of a path
	MaxName  = 255  // bytes of a name in it
	MaxDepth = 100  // names in a path
)

// Hidden is the directory that a folder keeps for itself. No path begins with
// it, nor with what some file system takes for it.
const Hidden = ".inselnetz"

// CheckPath returns why a path cannot be shared, wrapped in ErrPath, or nil.
func CheckPath(path string) error {
	bad := func(why string) error {
		if len(path) > 80 {
			return fmt.Errorf("%w: %s: %.80q...", ErrPath, why, path)
		}
		return fmt.Errorf("%w: %s: %q", ErrPath, why, path)
	}
	switch {
	case path == "":
		return bad("empty")
	case len(path) > MaxPath:
		return bad("longer than 1,024 bytes")
	case strings.ContainsAny(path, "\x00\n"):
		return bad("holds a zero byte or a line break")
	case !utf8.ValidString(path):
		return bad("not UTF-8")
	case !norm.NFC.IsNormalString(path):
		return bad("not in Unicode normal form C")
	}
	rest, depth := path, 0
	for more := true; more; depth++ {
		var name string
		name, rest, more = strings.Cut(rest, "/")
		switch {
		case name == "":
			return bad("begins or ends with a slash, or has two in a row")
		case name == "." || name == "..":
			return bad("holds a name that means a directory")
		case len(name) > MaxName:
			return bad("holds a name longer than 255 bytes")
		case depth == 0 && hidden(name):
			return bad("begins with the directory " + Hidden)
		case depth == MaxDepth:
			return bad("more than 100 names deep")
		}
	}
	return nil
}

// hidden reports whether some file system takes a name at the top for Hidden:
// because of case, by characters that HFS+ leaves out, by dots and spaces that
// Windows drops, as a stream of NTFS, or by its short name.
func hidden(name string) bool {
	if c := name[0] | 0x20; c < utf8.RuneSelf && c != '.' && c != 'i' {
		return false // by far the most
	}
	name = strings.Map(func(r rune) rune {
		switch {
		case r >= 0x200c && r <= 0x200f, r >= 0x202a && r <= 0x202e, r >= 0x206a && r <= 0x206f, r == 0xfeff:
			return -1
		}
		return r
	}, name)
	name, _, _ = strings.Cut(name, ":")
	name = Key(strings.TrimRight(name, ". "))
	if short, ok := strings.CutPrefix(name, "inseln~"); ok {
		return strings.Trim(short, "0123456789") == ""
	}
	return name == Hidden
}
