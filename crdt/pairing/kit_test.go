package pairing

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"inselnetz/crdt/access"
)

func someKit(t testing.TB) access.Kit {
	t.Helper()
	k, err := access.NewKit(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestKitWords(t *testing.T) {
	for range 20 {
		k := someKit(t)
		w := KitWords(k)
		if len(w) != 24 {
			t.Fatalf("%d words", len(w))
		}
		text := strings.Join(w, " ")
		var list strings.Builder
		for i, word := range w {
			fmt.Fprintf(&list, "%2d.%s\r\n", i+1, word)
		}
		short := slices.Clone(w)
		for i := range short {
			short[i] = shortest(short[i])
		}
		for name, typed := range map[string]string{
			"words": text, "small letters": strings.ToLower(text), "capitals": strings.ToUpper(text), "commas": strings.Join(w, ","), "lines": strings.Join(w, "\n"),
			"numbered list": list.String(), "numbers before": "1) " + strings.Join(w, "; 7) "), "quotes": "„" + strings.Join(w, "“ „") + "“", "beginnings": strings.Join(short, " "),
			"QR code": KitText(k), "QR code, small": " " + strings.ToLower(KitText(k)) + "\n", "accent": strings.ReplaceAll(text, "Cafe", "Café"),
		} {
			if got, err := ParseKit(typed); err != nil || got != k {
				t.Fatalf("%s: %q: %v", name, typed, err)
			}
		}
	}
}

// shortest returns the first four letters of a word, or more until they are its
// own.
func shortest(w string) string {
	for n := 4; n < len(w); n++ {
		own := 0
		for _, other := range words {
			if strings.HasPrefix(other, w[:n]) {
				own++
			}
		}
		if own == 1 {
			return w[:n]
		}
	}
	return w
}

func TestKitFaults(t *testing.T) {
	k := access.Kit{Secret: [22]byte{1, 2, 3, 4, 5, 6, 7}} // one word in 65,536 passes the checksum by chance
	w := KitWords(k)
	text := strings.Join(w, " ")
	with := func(i int, word string) string {
		c := slices.Clone(w)
		c[i] = word
		return strings.Join(c, " ")
	}
	other := "Alarm"
	if w[4] == other {
		other = "Zoo"
	}
	for name, tt := range map[string]struct {
		typed string
		want  KitError
	}{
		"nothing":              {"", KitError{Fault: KitCount}},
		"numbers only":         {"1. 2. 3.", KitError{Fault: KitCount}},
		"one missing":          {strings.Join(w[1:], " "), KitError{Fault: KitCount, Count: 23}},
		"one more":             {text + " Zoo", KitError{Fault: KitCount, Count: 25}},
		"not in the list":      {with(6, "Apfel"), KitError{Fault: KitWord, Word: "Apfel", Position: 7, Count: 24}},
		"two, the first named": {with(0, "Xylophon") + " Apfel", KitError{Fault: KitWord, Word: "Xylophon", Position: 1, Count: 25}},
		"three letters":        {with(2, "Alb"), KitError{Fault: KitWord, Word: "Alb", Position: 3, Count: 24}},
		"two begin like it":    {with(23, "Stud"), KitError{Fault: KitWord, Word: "Stud", Position: 24, Count: 24}},
		"another word":         {with(4, other), KitError{Fault: KitChecksum, Count: 24}},
		"torn code":            {KitText(k)[:40], KitError{Fault: KitCode}},
		"longer code":          {KitText(k) + "A", KitError{Fault: KitCode}},
		"empty code":           {kitScheme, KitError{Fault: KitCode}},
		"code with 0":          {KitText(k)[:20] + "0" + KitText(k)[21:], KitError{Fault: KitCode}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParseKit(tt.typed)
			var got *KitError
			if !errors.As(err, &got) || *got != tt.want {
				t.Fatalf("%+v, want %+v", got, tt.want)
			}
			if tt.want.Word != "" && strings.Contains(err.Error(), tt.want.Word) {
				t.Error("a word of the kit would stand in the log")
			}
		})
	}
	// Words in another order are noticed.
	swapped := slices.Clone(w)
	i := slices.IndexFunc(w, func(s string) bool { return s != w[0] })
	swapped[0], swapped[i] = swapped[i], swapped[0]
	if _, err := ParseKit(strings.Join(swapped, " ")); err == nil {
		t.Error("two words in each other's place")
	}
}

// The first letters tell enough words apart for typing to be short.
func TestKitBeginnings(t *testing.T) {
	for i, w := range words {
		if n, ok := wordNumber(strings.ToUpper(w)); !ok || int(n) != i {
			t.Errorf("%s is number %d", w, n)
		}
	}
	for typed, want := range map[string]string{"hand": "Hand", "handb": "Handball", "cont": "Container", "stude": "Student", "studi": "Studio", "meteo": "Meteor", "BADM": "Badminton"} {
		if n, ok := wordNumber(typed); !ok || words[n] != want {
			t.Errorf("%s is %s, %v", typed, words[n], ok)
		}
	}
	for _, typed := range []string{"", "stud", "han", "zoos"} {
		if n, ok := wordNumber(typed); ok {
			t.Errorf("%q is %s", typed, words[n])
		}
	}
}

// TestGoldenKit holds what is on paper for years.
func TestGoldenKit(t *testing.T) {
	type golden struct {
		About, Secret, Checksum, Text string
		Words                         []string
		Sign, Box                     string // public keys
	}
	const file = "testdata/kit.json"
	var k access.Kit
	seed := sha256.Sum256([]byte("golden kit"))
	copy(k.Secret[:], seed[:])
	sum, d := k.Checksum(), k.Deputy()
	x := hex.EncodeToString
	got := golden{
		About:  "Golden recovery kit of crdt/pairing/FORMAT.md. Written by: go test ./crdt/pairing -run Golden -update",
		Secret: x(k.Secret[:]), Checksum: x(sum[:]), Text: KitText(k), Words: KitWords(k), Sign: x(d.Keys[0][:]), Box: x(d.Box[:]),
	}
	if *update {
		raw := append(ok[[]byte](t)(json.MarshalIndent(got, "", "  ")), '\n')
		if err := os.WriteFile(file, raw, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	now := append(ok[[]byte](t)(json.MarshalIndent(got, "", "  ")), '\n')
	if !bytes.Equal(raw, now) {
		t.Errorf("the format changed:\n%s\nwas\n%s", now, raw)
	}
}

func FuzzKit(f *testing.F) {
	k := access.Kit{}
	f.Add(strings.Join(KitWords(k), " "))
	f.Add(KitText(k))
	f.Add("1. Alarm 2. Album")
	f.Fuzz(func(t *testing.T, s string) {
		k, err := ParseKit(s)
		var fault *KitError
		if err != nil && !errors.As(err, &fault) {
			t.Fatalf("ParseKit = %v", err)
		}
		if err != nil {
			return
		}
		if again, err := ParseKit(strings.Join(KitWords(k), " ")); err != nil || again != k {
			t.Fatalf("%q is another kit when written again: %v", s, err)
		}
	})
}
