package folder

import (
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"inselnetz/app/disk"
	"inselnetz/crdt/tree"
)

// ErrName is wrapped by what keeps a name on the disk from being shared.
var ErrName = errors.New("cannot be shared under this name")

// platform is whose rules for names count here.
func platform() tree.Platform {
	switch runtime.GOOS {
	case "windows":
		return tree.Windows
	case "darwin", "ios":
		return tree.Mac
	}
	return tree.Linux
}

// storable tells whether this disk can have a node under its name.
func (f *Folder) storable(n *tree.Node) bool {
	p := n.Problem.On(f.platform) &^ tree.Twin
	if n.Problem&tree.Twin != 0 && f.folds {
		p |= tree.Twin
	}
	return p == 0 && (n.Shown.Kind != tree.Link || f.platform != tree.Windows)
}

// normal returns the path under which a name on the disk is shared, or why it
// cannot be.
func normal(path string) (string, error) {
	if !utf8.ValidString(path) {
		return "", fmt.Errorf("%w: not UTF-8", ErrName)
	}
	path = norm.NFC.String(path)
	if err := tree.CheckPath(path); err != nil {
		return "", fmt.Errorf("%w: %w", ErrName, err)
	}
	return path, nil
}

// suggest returns a name for a path that cannot be shared.
func suggest(path string) string {
	clean := strings.ToValidUTF8(path, "_")
	clean = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return '_'
		}
		return r
	}, norm.NFC.String(clean))
	clean = tree.Suggest(clean)
	if tree.CheckPath(clean) != nil {
		return ""
	}
	return clean
}

// split divides a name into stem and extension.
func split(name string) (stem, ext string) {
	if i := strings.LastIndexByte(name, '.'); i > 0 && len(name)-i <= 16 {
		return name[:i], name[i:]
	}
	return name, ""
}

// free returns path, or the first of "stem (2).ext", "stem (3).ext" that taken
// does not know.
func free(path string, taken func(string) bool) string {
	dir, name := disk.Split(path)
	if dir != "" {
		dir += "/"
	}
	stem, ext := split(name)
	for n := 2; taken(path); n++ {
		tail := " (" + strconv.Itoa(n) + ")" + ext
		s := stem
		for len(s)+len(tail) > tree.MaxName {
			_, w := utf8.DecodeLastRuneInString(s)
			s = s[:len(s)-w]
		}
		path = dir + s + tail
	}
	return path
}

// parent is the directory of a path, "" at the top.
func parent(path string) string {
	dir, _ := disk.Split(path)
	return dir
}

// within tells whether path is prefix or below it.
func within(path, prefix string) bool {
	return prefix == "" || path == prefix || len(path) > len(prefix) && path[len(prefix)] == '/' && path[:len(prefix)] == prefix
}

func join(dir, name string) string {
	if dir == "" {
		return name
	}
	return dir + "/" + name
}
