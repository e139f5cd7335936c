package pairing

import (
	"crypto/subtle"
	"encoding/base32"
	"fmt"
	"strings"
	"unicode"

	"inselnetz/crdt/access"
)

// kitBytes is what words and QR code of a recovery kit hold: the secret and its
// checksum, one word a byte.
const kitBytes = len(access.Kit{}.Secret) + 2

const kitScheme = "inselnetz:kit?"

var kitText = base32.StdEncoding.WithPadding(base32.NoPadding)

// A KitFault is why a text is no recovery kit.
type KitFault string

// Faults of what was typed for a recovery kit.
const (
	KitWord     KitFault = "word"     // Word is not in the list
	KitCount    KitFault = "count"    // there are Count words, not 24
	KitChecksum KitFault = "checksum" // each word is in the list, but one is wrong or in the wrong place
	KitCode     KitFault = "code"     // the text of a QR code is damaged
)

// A KitError says what is wrong with what was typed for a recovery kit.
type KitError struct {
	Fault    KitFault
	Word     string // as it was typed
	Position int    // of Word, from 1
	Count    int    // of words
}

func (e *KitError) Error() string {
	switch e.Fault {
	case KitWord:
		return fmt.Sprintf("word %d of a recovery kit is not in the list", e.Position) // never the word: it is half a secret
	case KitCount:
		return fmt.Sprintf("%d words instead of %d", e.Count, kitBytes)
	}
	return "recovery kit is not right: " + string(e.Fault)
}

func kitRaw(k access.Kit) []byte {
	sum := k.Checksum()
	return append(k.Secret[:], sum[:]...)
}

// KitWords returns the 24 words of a recovery kit.
func KitWords(k access.Kit) []string {
	var out []string
	for _, b := range kitRaw(k) {
		out = append(out, words[b])
	}
	return out
}

// KitText returns a recovery kit as text for a QR code.
func KitText(k access.Kit) string { return kitScheme + kitText.EncodeToString(kitRaw(k)) }

// ParseKit reads the words of a recovery kit, or the text of its QR code. Case,
// numbering and whatever else stands between the words do not matter, and the
// first letters of a word suffice if they are four or more and no other word
// begins with them. The error is a *KitError.
func ParseKit(s string) (access.Kit, error) {
	if t := strings.TrimSpace(s); len(t) >= len(kitScheme) && strings.EqualFold(t[:len(kitScheme)], kitScheme) {
		raw, err := kitText.DecodeString(strings.ToUpper(t[len(kitScheme):]))
		if err != nil || len(raw) != kitBytes || !strings.EqualFold(kitText.EncodeToString(raw), t[len(kitScheme):]) {
			return access.Kit{}, &KitError{Fault: KitCode}
		}
		return kitOf(raw)
	}
	var raw []byte
	typed := strings.FieldsFunc(s, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsMark(r) })
	for i, w := range typed {
		n, ok := wordNumber(w)
		if !ok {
			return access.Kit{}, &KitError{Fault: KitWord, Word: w, Position: i + 1, Count: len(typed)}
		}
		raw = append(raw, n)
	}
	if len(raw) != kitBytes {
		return access.Kit{}, &KitError{Fault: KitCount, Count: len(raw)}
	}
	return kitOf(raw)
}

func kitOf(raw []byte) (access.Kit, error) {
	var k access.Kit
	n := copy(k.Secret[:], raw)
	if sum := k.Checksum(); subtle.ConstantTimeCompare(sum[:], raw[n:]) != 1 {
		return access.Kit{}, &KitError{Fault: KitChecksum, Count: len(raw)}
	}
	return k, nil
}

// wordNumber finds a word of the list by its name or a clear beginning of it.
func wordNumber(typed string) (byte, bool) {
	typed = strings.ToLower(strings.NewReplacer("é", "e", "É", "e", "e\u0301", "e").Replace(typed))
	found := -1
	for i, w := range words {
		w = strings.ToLower(w)
		if w == typed {
			return byte(i), true
		}
		if len(typed) >= 4 && strings.HasPrefix(w, typed) {
			if found >= 0 {
				found = len(words)
			} else {
				found = i
			}
		}
	}
	if found < 0 || found == len(words) {
		return 0, false
	}
	return byte(found), true
}
