package automerge_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"inselnetz/crdt/automerge"
)

func Example() {
	ann := automerge.New(automerge.Options{Actor: "ann"})
	text, _ := ann.PutObject(automerge.Root, automerge.Key("note"), automerge.KindText)
	ann.SpliceText(text, 0, 0, "Buy milk")
	ann.Commit(automerge.CommitOptions{Message: "a list"})

	ben, err := automerge.Load(ann.Save(), automerge.Options{Actor: "ben"})
	if err != nil {
		panic(err)
	}
	ann.SpliceText(text, 8, 0, " and bread") // both edit, neither knows
	ann.Commit(automerge.CommitOptions{})
	ben.SpliceText(text, 4, 0, "some ")
	ben.Put(automerge.Root, automerge.Key("done"), automerge.Bool(false))
	ben.Commit(automerge.CommitOptions{})

	if err := ann.Merge(ben); err != nil {
		panic(err)
	}
	note, _ := ann.Text(text)
	fmt.Println(note)
	fmt.Println(ann.Keys(automerge.Root))
	// Output:
	// Buy some milk and bread
	// [done note] <nil>
}

// Two peers that meet: the way between them is here two variables.
func ExampleDoc_GenerateSync() {
	ann := automerge.New(automerge.Options{Actor: "ann"})
	ben := automerge.New(automerge.Options{Actor: "ben"})
	ann.Put(automerge.Root, automerge.Key("n"), automerge.Int(1))
	ann.Commit(automerge.CommitOptions{})

	ofBen, ofAnn := automerge.NewSyncState(), automerge.NewSyncState()
	for {
		toBen := ann.GenerateSync(ofBen)
		if toBen != nil {
			if err := ben.ReceiveSync(ofAnn, toBen); err != nil {
				panic(err)
			}
		}
		toAnn := ben.GenerateSync(ofAnn)
		if toAnn != nil {
			if err := ann.ReceiveSync(ofBen, toAnn); err != nil {
				panic(err)
			}
		}
		if toBen == nil && toAnn == nil {
			break
		}
	}
	n, _, _ := ben.Get(automerge.Root, automerge.Key("n"))
	fmt.Println(n)
	// Output: 1
}

// A text as it was, and what has become of it.
func ExampleDoc_At() {
	d := automerge.New(automerge.Options{Actor: "ann"})
	text, _ := d.PutObject(automerge.Root, automerge.Key("t"), automerge.KindText)
	d.UpdateText(text, "a quick fox")
	d.Commit(automerge.CommitOptions{})
	then := d.Heads()
	d.UpdateText(text, "the quick brown fox")
	d.Commit(automerge.CommitOptions{})

	past, err := d.At(then)
	if err != nil {
		panic(err)
	}
	before, _ := past.Text(text)
	after, _ := d.Text(text)
	fmt.Printf("%q %q\n", before, after)
	// Output: "a quick fox" "the quick brown fox"
}

// The example of the README is the one above.
func TestReadmeExample(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	_, example, _ := strings.Cut(string(readme), "```go\n")
	example, _, ok := strings.Cut(example, "```")
	if !ok || strings.Count(example, "\n") < 15 {
		t.Fatal("there is no example")
	}
	for line := range strings.Lines(example) {
		if line != "\n" && !strings.Contains(string(source), "\t"+line) {
			t.Errorf("not in example_test.go: %s", line)
		}
	}
}
