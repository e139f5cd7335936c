package access

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// MaxName is the number of characters a name may have.
const MaxName = 60

// A NameError says why a name cannot be used. Code is a fixed word: "empty",
// "too-long", "control", "direction", "invisible" or "not-text".
type NameError struct{ Code string }

func (e *NameError) Error() string { return fmt.Sprintf("name cannot be used: %s", e.Code) }

// CleanName returns a name as it may be stored: normalised, without blanks
// around it. It refuses characters that are not seen or that reverse the order
// of others, since with them one name can look like another.
func CleanName(s string) (string, error) {
	if !utf8.ValidString(s) {
		return "", &NameError{"not-text"}
	}
	if len(s) > 16*MaxName {
		return "", &NameError{"too-long"}
	}
	s = strings.TrimFunc(norm.NFC.String(s), unicode.IsSpace)
	before := rune(0)
	for i, r := range s {
		if code := refuse(before, r, s[i+utf8.RuneLen(r):]); code != "" {
			return "", &NameError{code}
		}
		before = r
	}
	switch n := utf8.RuneCountInString(s); {
	case !visible(s):
		return "", &NameError{"empty"}
	case n > MaxName || len(s) > maxText:
		return "", &NameError{"too-long"}
	}
	return s, nil
}

// ShowName returns a name from another device as it may be shown: what
// CleanName would refuse is left out or cut off. Names are not refused in
// operations, because what counts as a letter changes with the tables of
// Unicode and all devices must resolve alike.
func ShowName(s string) string {
	if len(s) > 16*MaxName {
		s = s[:16*MaxName]
	}
	s = norm.NFC.String(strings.ToValidUTF8(s, "\ufffd"))
	var out strings.Builder
	before, n := rune(0), 0 // before is the last one kept
	for i, r := range s {
		if n == MaxName {
			break
		}
		switch refuse(before, r, s[i+utf8.RuneLen(r):]) {
		case "":
		case "control":
			r = ' '
		default:
			continue
		}
		out.WriteRune(r)
		before = r
		n++
	}
	// What was left out may have kept apart a letter and its accent.
	shown := norm.NFC.String(strings.TrimRight(out.String(), string(zwj)))
	shown = strings.Join(strings.Fields(shown), " ")
	if !visible(shown) {
		return "?"
	}
	return shown
}

// refuse returns the code of a NameError if r must not stand between before
// and rest.
func refuse(before, r rune, rest string) string {
	switch {
	case r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069, r == 0x200e, r == 0x200f, r == 0x061c:
		return "direction"
	case r == zwj:
		after, _ := utf8.DecodeRuneInString(rest)
		if emoji(before) && symbol(after) {
			return ""
		}
		return "invisible"
	case r == 0xfe0f || r == 0xfe0e: // variation selectors choose how the character before looks
		if emoji(before) || before == '#' || before == '*' || before >= '0' && before <= '9' {
			return ""
		}
		return "invisible"
	case r >= 0xe0020 && r <= 0xe007f: // tags spell the flags of regions after a black flag
		if before == 0x1f3f4 || before >= 0xe0020 && before <= 0xe007e {
			return ""
		}
		return "invisible"
	case unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp, unicode.Noncharacter_Code_Point):
		return "control"
	case unicode.In(r, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector), blank(r):
		return "invisible"
	}
	return ""
}

const zwj rune = 0x200d

// symbol reports whether r can be a part of an emoji by itself.
func symbol(r rune) bool {
	return r > 0x2000 && r != utf8.RuneError && unicode.In(r, unicode.So, unicode.Sm)
}

// emoji reports whether a joiner or a choice of look may stand behind r.
func emoji(r rune) bool { return symbol(r) || r >= 0x1f3fb && r <= 0x1f3ff || r == 0xfe0f }

// blank reports whether r is a letter or symbol that shows nothing.
func blank(r rune) bool {
	return r == 0x2800 || r == 0x3164 || r == 0xffa0 || r == 0x115f || r == 0x1160
}

// visible reports whether anything of s is seen.
func visible(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsGraphic(r) && !unicode.IsSpace(r) && !unicode.Is(unicode.M, r)
	})
}
