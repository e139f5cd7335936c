package folder

import "strings"

// lockOf returns what a lock file of an office program says: which document in
// the same directory is open. names are the files beside it.
func lockOf(name string, names func(yield func(string) bool)) string {
	if doc, ok := strings.CutPrefix(name, ".~lock."); ok && strings.HasSuffix(doc, "#") {
		return doc[:len(doc)-1] // LibreOffice
	}
	tail, ok := strings.CutPrefix(name, "~$")
	if !ok || tail == "" {
		return ""
	}
	// Microsoft Office puts ~$ in front of short names and in place of the first
	// one or two letters of long ones.
	best := ""
	for doc := range names {
		if strings.HasPrefix(doc, "~$") {
			continue
		}
		if doc == tail {
			return doc
		}
		if len(doc) > len(tail) && strings.HasSuffix(doc, tail) {
			if head := []rune(doc[:len(doc)-len(tail)]); len(head) <= 2 && (best == "" || doc < best) {
				best = doc
			}
		}
	}
	return best
}
