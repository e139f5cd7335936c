package folder

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
)

// IgnoreFile holds patterns of names that are not shared, in Syncthing's
// syntax. It is shared itself.
const IgnoreFile = ".inselignore"

// Limits of the ignore file: it comes from others.
const (
	maxIgnoreFile     = 64 << 10
	maxIgnoreLine     = 512
	maxIgnorePatterns = 1000
)

// builtIn tells whether a name is never shared: what programs leave beside the
// documents they edit, what systems leave in directories, and our own.
func builtIn(name string) bool {
	if name == "" {
		return true
	}
	switch name[0] {
	case '~':
		if strings.HasPrefix(name, "~$") || strings.HasPrefix(name, "~") && hasSuffix(name, ".tmp") {
			return true
		}
	case '.':
		if strings.HasPrefix(name, ".~lock.") || strings.HasPrefix(name, "._") && len(name) > 2 ||
			strings.HasPrefix(name, ".inselnetz") || strings.HasPrefix(name, ".nfs0") || strings.HasPrefix(name, ".syncthing.") ||
			strings.HasPrefix(name, ".fuse_hidden") || strings.HasPrefix(name, ".goutputstream-") {
			return true
		}
		switch name {
		case ".DS_Store", ".Trashes", ".Spotlight-V100", ".fseventsd", ".stfolder", ".stversions", ".stignore":
			return true
		}
	}
	if junk(name) {
		return true
	}
	switch name[len(name)-1] | 0x20 {
	case 'p':
		return hasSuffix(name, ".tmp") || hasSuffix(name, ".swp")
	case 'd':
		return hasSuffix(name, ".crdownload")
	case 't':
		return hasSuffix(name, ".part")
	case 'l':
		return hasSuffix(name, ".partial")
	}
	return false
}

// junk may go with the directory it lies in.
func junk(name string) bool {
	return name == ".DS_Store" || strings.EqualFold(name, "Thumbs.db") || strings.EqualFold(name, "desktop.ini")
}

func hasSuffix(name, suffix string) bool {
	return len(name) >= len(suffix) && strings.EqualFold(name[len(name)-len(suffix):], suffix)
}

// A rule is one pattern; the first that matches decides.
type rule struct {
	name  bool           // matches a single name at any depth, else the whole path
	how   byte           // '=' text, '<' begins with text, '>' ends with text, '~' re
	text  string         // of '~': must be in what matches
	re    *regexp.Regexp // linear in the path's length, whatever the pattern
	fold  bool
	allow bool
}

// rules are the patterns of an ignore file.
type rules []rule

// parseRules reads an ignore file. Lines that cannot be read are told and left
// out. #include is not followed.
func parseRules(text []byte) (rules, error) {
	if len(text) > maxIgnoreFile {
		return nil, fmt.Errorf("%s is larger than %d KiB", IgnoreFile, maxIgnoreFile>>10)
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	var out rules
	var first error
	for n, line := range strings.Split(string(text), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "//") || line[0] == '#' {
			continue
		}
		if len(out) == maxIgnorePatterns {
			return out, fmt.Errorf("%s has too many patterns", IgnoreFile)
		}
		r, err := parseRule(line)
		if err != nil {
			if first == nil {
				first = fmt.Errorf("%s, line %d: %w", IgnoreFile, n+1, err)
			}
			continue
		}
		out = append(out, r)
	}
	return out, first
}

// parseRule reads one pattern: at any depth unless it begins with a slash, and
// always with everything below what it names.
func parseRule(line string) (rule, error) {
	var r rule
	if len(line) > maxIgnoreLine {
		return r, fmt.Errorf("pattern too long")
	}
	for {
		rest, ok := strings.CutPrefix(line, "!")
		if ok {
			r.allow = !r.allow
		} else if rest, ok = strings.CutPrefix(line, "(?i)"); ok {
			r.fold = true
		} else if rest, ok = strings.CutPrefix(line, "(?d)"); !ok {
			break
		}
		line = rest
	}
	if r.fold {
		line = strings.ToLower(line)
	}
	anchored := strings.HasPrefix(line, "/")
	line = strings.Trim(line, "/")
	if !anchored {
		for strings.HasPrefix(line, "**/") {
			line = line[3:]
		}
	}
	if line == "" {
		return r, fmt.Errorf("empty pattern")
	}
	r.name = !anchored && !strings.Contains(line, "/") && !strings.Contains(line, "**")
	const special = `*?[]{}\`
	if r.name {
		switch r.how = '~'; {
		case !strings.ContainsAny(line, special):
			r.how, r.text = '=', line
		case line[0] == '*' && !strings.ContainsAny(line[1:], special):
			r.how, r.text = '>', line[1:]
		case line[len(line)-1] == '*' && !strings.ContainsAny(line[:len(line)-1], special):
			r.how, r.text = '<', line[:len(line)-1]
		}
		if r.how != '~' {
			return r, nil
		}
	}
	exp, err := expression(line)
	if err != nil {
		return r, err
	}
	switch {
	case r.name:
		exp = "^(?:" + exp + ")$"
	case anchored:
		exp = "^(?:" + exp + ")(?:/.*)?$"
	default:
		exp = "^(?:.*/)?(?:" + exp + ")(?:/.*)?$"
	}
	r.how, r.text = '~', longest(line)
	r.re, err = regexp.Compile("(?s)" + exp)
	return r, err
}

// longest returns the longest part of a pattern that stands for itself: looking
// for it first spares most paths the expression.
func longest(p string) (best string) {
	if strings.ContainsAny(p, `[]{}\\`) {
		return ""
	}
	for _, part := range strings.FieldsFunc(p, func(r rune) bool { return r == '*' || r == '?' }) {
		if len(part) > len(best) {
			best = part
		}
	}
	return best
}

// expression translates a pattern: * and ? do not match a slash, ** does, [a-z]
// and {one,two} choose, a backslash takes the next letter as it is.
func expression(p string) (string, error) {
	var b strings.Builder
	depth := 0
	for i := 0; i < len(p); i++ {
		switch c := p[i]; c {
		case '*':
			if i+1 < len(p) && p[i+1] == '*' {
				b.WriteString(".*")
				for i+1 < len(p) && p[i+1] == '*' {
					i++
				}
			} else {
				b.WriteString("[^/]*")
			}
		case '?':
			b.WriteString("[^/]")
		case '[':
			end := strings.IndexByte(p[i:], ']')
			if end < 2 {
				return "", fmt.Errorf("bracket without end")
			}
			set := p[i+1 : i+end]
			b.WriteByte('[')
			if set[0] == '!' || set[0] == '^' {
				b.WriteByte('^')
				set = set[1:]
			}
			b.WriteString(strings.NewReplacer(`\`, `\\`, "[", `\[`, "^", `\^`, "&", `\&`, "~", `\~`).Replace(set))
			b.WriteByte(']')
			i += end
		case '{':
			depth++
			b.WriteString("(?:")
		case '}':
			if depth == 0 {
				return "", fmt.Errorf("brace without beginning")
			}
			depth--
			b.WriteByte(')')
		case ',':
			if depth > 0 {
				b.WriteByte('|')
			} else {
				b.WriteByte(',')
			}
		case '\\':
			if i++; i == len(p) {
				return "", fmt.Errorf("backslash at the end")
			}
			b.WriteString(regexp.QuoteMeta(p[i : i+1]))
		default:
			if c < 0x80 {
				b.WriteString(regexp.QuoteMeta(string(rune(c))))
			} else {
				b.WriteByte(c)
			}
		}
	}
	if depth > 0 {
		return "", fmt.Errorf("brace without end")
	}
	return b.String(), nil
}

func (r *rule) matches(path string) bool {
	if r.how == '~' && !strings.Contains(path, r.text) {
		return false
	}
	if !r.name {
		return r.re.MatchString(path)
	}
	for {
		name, rest, more := strings.Cut(path, "/")
		ok := false
		switch r.how {
		case '=':
			ok = name == r.text
		case '<':
			ok = strings.HasPrefix(name, r.text)
		case '>':
			ok = strings.HasSuffix(name, r.text)
		default:
			ok = r.re.MatchString(name)
		}
		if ok {
			return true
		}
		if !more {
			return false
		}
		path = rest
	}
}

// match tells whether a path is ignored.
func (rs rules) match(path string) bool {
	low := ""
	for i := range rs {
		p := path
		if rs[i].fold {
			if low == "" {
				low = strings.ToLower(path)
			}
			p = low
		}
		if rs[i].matches(p) {
			return !rs[i].allow
		}
	}
	return false
}

// ignored tells whether a path is not shared: by any of its names, or by the
// folder's own rules. The rules are replaced, never changed.
func ignored(rs rules, path string) bool {
	rest := path
	for {
		name, tail, more := strings.Cut(rest, "/")
		if builtIn(name) && path != IgnoreFile {
			return true
		}
		if !more {
			break
		}
		rest = tail
	}
	return len(rs) > 0 && path != IgnoreFile && rs.match(path)
}

// Ignored tells whether a path is not shared here, by its name or by the
// folder's own rules.
func (f *Folder) Ignored(path string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return ignored(f.rules, path)
}
