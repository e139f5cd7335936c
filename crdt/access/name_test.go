package access

import (
	"errors"
	"strings"
	"testing"
)

func TestCleanName(t *testing.T) {
	for in, want := range map[string]string{
		"Anna":            "Anna",
		"  Anna  Weber\t": "Anna  Weber",
		"Jürgen":          "Jürgen",
		"Ju\u0308rgen":    "Jürgen", // composed
		"Łukasz Öztürk":   "Łukasz Öztürk",
		"Нина":            "Нина",
		"מרים":            "מרים",
		"王小明":             "王小明",
		"Anna 🌻":          "Anna 🌻",
		"👩‍⚖️ Kanzlei":    "👩‍⚖️ Kanzlei", // joiner inside an emoji
		"👩🏽‍🚀":            "👩🏽‍🚀",
		"🏳️‍🌈":            "🏳️‍🌈",
		"🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f": "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
		"1️⃣":                   "1️⃣",
		strings.Repeat("ä", 60): strings.Repeat("ä", 60),
	} {
		if got, err := CleanName(in); err != nil || got != want {
			t.Errorf("CleanName(%+q) = %+q, %v", in, got, err)
		}
		if got := ShowName(want); got != strings.Join(strings.Fields(want), " ") {
			t.Errorf("ShowName(%+q) = %+q", want, got)
		}
	}
}

// TestHostileName: also number 24 of the hostile inputs, as far as names of
// people go.
func TestHostileName(t *testing.T) {
	for name, tt := range map[string]struct{ in, code, shown string }{
		"empty":               {"", "empty", "?"},
		"blanks":              {" \u00a0\u3000", "empty", "?"},
		"right-to-left":       {"\u202eChef", "direction", "Chef"},
		"isolate":             {"Ch\u2066ef\u2069", "direction", "Chef"},
		"mark":                {"Chef\u200f", "direction", "Chef"},
		"arabic letter mark":  {"Chef\u061c", "direction", "Chef"},
		"zero width space":    {"Ch\u200bef", "invisible", "Chef"},
		"joiner in a word":    {"Ch\u200def", "invisible", "Chef"},
		"joiner at the end":   {"👩\u200d", "invisible", "👩"},
		"non-joiner":          {"Ch\u200cef", "invisible", "Chef"},
		"soft hyphen":         {"Ch\u00adef", "invisible", "Chef"},
		"byte order mark":     {"\ufeffChef", "invisible", "Chef"},
		"word joiner":         {"Ch\u2060ef", "invisible", "Chef"},
		"variation of letter": {"C\ufe0fhef", "invisible", "Chef"},
		"hangul filler":       {"\u3164", "invisible", "?"},
		"braille blank":       {"\u2800Chef", "invisible", "Chef"},
		"tag letters":         {"Chef\U000e0041", "invisible", "Chef"},
		"newline":             {"Chef\nAdmin", "control", "Chef Admin"},
		"nul":                 {"Chef\x00", "control", "Chef"},
		"escape":              {"\x1b[31mChef", "control", "[31mChef"},
		"line separator":      {"Chef\u2028Admin", "control", "Chef Admin"},
		"c1 control":          {"Chef\u0085Admin", "control", "Chef Admin"},
		"noncharacter":        {"Chef\ufffe", "control", "Chef"},
		"only marks":          {"\u0301\u0302", "empty", "?"},
		"not text":            {"Chef\xff", "not-text", "Chef\ufffd"},
		"61 characters":       {strings.Repeat("ä", 61), "too-long", strings.Repeat("ä", 60)},
		"a megabyte":          {strings.Repeat("a", 1<<20), "too-long", strings.Repeat("a", 60)},
		"blanks, a megabyte":  {strings.Repeat(" ", 1<<20), "too-long", "?"},
	} {
		t.Run(name, func(t *testing.T) {
			var n *NameError
			if got, err := CleanName(tt.in); !errors.As(err, &n) || n.Code != tt.code {
				t.Errorf("CleanName = %+q, %v, want %s", got, err, tt.code)
			}
			if got := ShowName(tt.in); got != tt.shown {
				t.Errorf("ShowName = %+q, want %+q", got, tt.shown)
			}
		})
	}
}
