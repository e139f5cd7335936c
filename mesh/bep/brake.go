package bep

import (
	"bytes"
	"math"
	"path"
	"slices"
	"strings"
)

// What one device may do to the files of a share before a person is asked.
const (
	shortWindow = 5 * 60 * 1000       // ms
	longWindow  = 24 * 60 * 60 * 1000 // ms
	shortFiles  = 50
	shortLeast  = 10 // files, of which a fifth of the folder
	longFiles   = 300
	longLeast   = 60 // files, of which a half of the folder
	oddNames    = 10
	scrambled   = 5
)

// A mark is what counts for the brake.
type mark uint8

const (
	markChange mark = 1 << iota
	markDelete
	markOdd       // a deletion beside which stands the same name with an unknown ending more
	markScrambled // a change that looks encrypted
	markBeside    // a new file with an unknown ending more than one of ours: counts nothing by itself
)

// An event is something a device did, or wants to do.
type event struct {
	At     int64  // ms since 1970: when it did it, as far as that can be believed
	Path   string // of ours
	What   mark
	Before string // File.Version before, "" if nothing was there
	After  string // and after
}

// believed is the time at which a device did something: what it says, but neither
// before it was last in sync nor in the future. All ms since 1970.
func believed(says, inSync, now int64) int64 {
	if says == 0 || inSync == 0 {
		return now
	}
	return max(min(says, now), min(inSync, now))
}

// tooMuch decides whether a device is held: events are what it did and wants to
// do, living the number of files in the folder. window is in how many ms it did
// too much, 0: it did not; encrypted says that it looks like that.
func tooMuch(events []event, living int) (window int64, encrypted bool) {
	slices.SortStableFunc(events, func(a, b event) int {
		switch {
		case a.At < b.At:
			return -1
		case a.At > b.At:
			return 1
		}
		return 0
	})
	most := func(window int64, what mark) (n int) {
		count, from := 0, 0
		for i, e := range events {
			if e.What&what != 0 {
				count++
			}
			for events[from].At < events[i].At-window {
				if events[from].What&what != 0 {
					count--
				}
				from++
			}
			n = max(n, count)
		}
		return n
	}
	short, long := most(shortWindow, markChange|markDelete), most(longWindow, markChange|markDelete)
	encrypted = most(shortWindow, markScrambled) >= scrambled || most(shortWindow, markOdd) >= oddNames
	switch {
	case encrypted, short > shortFiles, short >= shortLeast && short*5 > living:
		return shortWindow, encrypted
	case long > longFiles, long >= longLeast && long*2 > living:
		return longWindow, false
	}
	return 0, false
}

// recent drops events that cannot count any more.
func recent(events []event, now int64) []event {
	return slices.DeleteFunc(events, func(e event) bool { return e.At < now-longWindow })
}

// magics are the first bytes of files by their ending, at an offset.
var magics = map[string][]struct {
	at    int
	bytes string
}{
	".pdf":  {{0, "%PDF"}},
	".zip":  {{0, "PK"}},
	".docx": {{0, "PK"}}, ".xlsx": {{0, "PK"}}, ".pptx": {{0, "PK"}},
	".odt": {{0, "PK"}}, ".ods": {{0, "PK"}}, ".odp": {{0, "PK"}}, ".epub": {{0, "PK"}},
	".doc": {{0, "\xd0\xcf\x11\xe0"}}, ".xls": {{0, "\xd0\xcf\x11\xe0"}}, ".ppt": {{0, "\xd0\xcf\x11\xe0"}},
	".jpg": {{0, "\xff\xd8\xff"}}, ".jpeg": {{0, "\xff\xd8\xff"}},
	".png": {{0, "\x89PNG"}}, ".gif": {{0, "GIF8"}}, ".webp": {{0, "RIFF"}},
	".tif": {{0, "II"}, {0, "MM"}}, ".tiff": {{0, "II"}, {0, "MM"}},
	".heic": {{4, "ftyp"}}, ".mp4": {{4, "ftyp"}}, ".mov": {{4, "ftyp"}}, ".m4a": {{4, "ftyp"}},
	".mp3": {{0, "ID3"}, {0, "\xff\xfb"}, {0, "\xff\xf3"}}, ".wav": {{0, "RIFF"}}, ".avi": {{0, "RIFF"}},
	".ogg": {{0, "OggS"}}, ".flac": {{0, "fLaC"}},
	".gz": {{0, "\x1f\x8b"}}, ".7z": {{0, "7z\xbc\xaf"}}, ".rar": {{0, "Rar!"}}, ".xz": {{0, "\xfd7zXZ"}},
	".sqlite": {{0, "SQLite"}},
}

// extOf returns the ending of a path, lower case.
func extOf(p string) string { return strings.ToLower(path.Ext(p)) }

// hasMagic says whether a content begins as its ending promises.
func hasMagic(name string, head []byte) bool {
	for _, m := range magics[extOf(name)] {
		if len(head) >= m.at && bytes.HasPrefix(head[m.at:], []byte(m.bytes)) {
			return true
		}
	}
	return false
}

// entropy returns the bits per byte of a content.
func entropy(b []byte) float64 {
	var counts [256]int
	for _, c := range b {
		counts[c]++
	}
	var h float64
	for _, n := range counts {
		if n > 0 {
			p := float64(n) / float64(len(b))
			h -= p * math.Log2(p)
		}
	}
	return h
}

const (
	sample    = 64 << 10 // bytes of a content that are looked at
	minSample = 4 << 10  // fewer say nothing
	scramble  = 7.9      // bits per byte
)

// looksScrambled says whether a change from one content to another looks as if the
// file was encrypted. Both are the first bytes, at most sample.
func looksScrambled(name string, before, now []byte) bool {
	if len(now) < minSample || hasMagic(name, now) || entropy(now) < scramble {
		return false
	}
	return hasMagic(name, before) || len(before) > 0 && entropy(before) < scramble
}

// stemOf returns a path without its last ending.
func stemOf(p string) string { return strings.TrimSuffix(p, path.Ext(p)) }
