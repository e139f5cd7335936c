package oracle

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	am "inselnetz/crdt/automerge"
)

// sync has two replicas exchange messages as they did in the JavaScript release,
// and compares every one. A replica edited elsewhere takes part like any other.
func (e *engine) sync(d deed) error {
	state := func(a, b int) (*am.SyncState, error) {
		s := e.syncs[[2]int{a, b}]
		var err error
		switch {
		case s == nil || d.Fresh:
			s = am.NewSyncState()
		case d.Kept:
			s, err = am.DecodeSyncState(s.Encode())
		}
		e.syncs[[2]int{a, b}] = s
		return s, err
	}
	mine, err := state(d.R, d.From)
	if err != nil {
		return err
	}
	theirs, err := state(d.From, d.R)
	if err != nil {
		return err
	}
	a, b := e.docs[d.R], e.docs[d.From]
	for i, want := range d.Messages {
		if err := say(a, mine, b, theirs, want[0]); err != nil {
			return fmt.Errorf("round %d, asking: %w", i, err)
		}
		if err := say(b, theirs, a, mine, want[1]); err != nil {
			return fmt.Errorf("round %d, answering: %w", i, err)
		}
	}
	for i, s := range []*am.SyncState{mine, theirs} {
		if !bytes.Equal(s.Encode(), d.States[i]) {
			return fmt.Errorf("state %d: %x, want %x", i, s.Encode(), d.States[i])
		}
	}
	return equalHeads(a, d.Heads)
}

func say(from *am.Doc, mine *am.SyncState, to *am.Doc, theirs *am.SyncState, want []byte) error {
	got := from.GenerateSync(mine)
	if (got == nil) != (want == nil) {
		return fmt.Errorf("said %x, want %x", got, want)
	}
	if got == nil {
		return nil
	}
	if !bytes.Equal(got, want) {
		a, err := message(got)
		b, err2 := message(want)
		if err := errors.Join(err, err2); err != nil {
			return err
		}
		if a != b {
			return errors.New("messages differ:" + difference(a, b))
		}
	}
	return to.ReceiveSync(theirs, got)
}

// message is what a sync message says, with the columns of a document in it
// inflated.
func message(b []byte) (string, error) {
	var out strings.Builder
	r := &cursor{b: b}
	fmt.Fprintf(&out, "type %x\n", r.take(1))
	hashes := func(what string) {
		for range r.uint() {
			fmt.Fprintf(&out, "%s %x\n", what, r.take(32))
		}
	}
	hashes("head")
	hashes("need")
	for range r.uint() {
		hashes("have since")
		fmt.Fprintf(&out, "bloom %x\n", r.take(r.uint()))
	}
	for range r.uint() {
		s, err := saved(r.take(r.uint()))
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&out, "payload\n%s", s)
	}
	fmt.Fprintf(&out, "flags %x\n", r.b)
	return out.String(), r.err
}
