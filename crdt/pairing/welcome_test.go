package pairing

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"inselnetz/crdt/access"
	"inselnetz/crdt/log"
)

// grow lets in so many devices, each with a key as large as a real one.
func (o *office) grow(n int) {
	_, key, _ := o.state().Current(log.Everyone(o.w))
	for i := range n {
		p := newPC(fmt.Sprint("old-", i))
		wrap := []any{log.SpaceID{}, 1, key, [80]byte{}}
		o.write(encode([]any{1, []any{[]any{2, p.card, p.person, access.Member, []any{wrap}}}}), nil)
	}
}

// TestWelcomeOfAnOldOffice: 10,000 control entries, all of which the newcomer's
// admission builds on.
func TestWelcomeOfAnOldOffice(t *testing.T) {
	anna, ben := newPC("anna"), newPC("ben")
	o := newOffice(t, anna)
	o.grow(10_000)
	entry := o.admit(ben.offer())
	st := o.state()
	_, i, number := pair(t, newPC("other"), anna)
	if number == "" {
		t.Fatal("no number")
	}
	_, err := i.Welcome(st, entry, nil)
	wantErr(t, "for another device", err, ErrWelcome)

	j, i, _ := pair(t, ben, anna)
	begun := time.Now()
	all, err := i.Welcome(st, entry, testAddrs)
	if err != nil {
		t.Fatal(err)
	}
	made, size := time.Since(begun), 0
	var r Result
	for n, m := range all {
		size += len(m)
		if len(m) > MaxWelcome {
			t.Errorf("message of %d bytes", len(m))
		}
		r, err = j.Welcome(m)
		if last := n == len(all)-1; last && err != nil || !last && !errors.Is(err, ErrMore) {
			t.Fatalf("message %d of %d: %v", n+1, len(all), err)
		}
	}
	if len(r.Entries) != 10_002 || len(r.State.Devices) != 10_002 || len(r.Keys) != 2 || !slices.Equal(r.Addrs, testAddrs) || j.Words() == "" {
		t.Errorf("%d entries, %d devices, %d keys", len(r.Entries), len(r.State.Devices), len(r.Keys))
	}
	t.Logf("%d messages, %d bytes, made in %v, all in %v", len(all), size, made, time.Since(begun))
}

func TestHostilePieces(t *testing.T) {
	anna, ben := newPC("anna"), newPC("ben")
	o := newOffice(t, anna)
	o.grow(1500)
	entry := o.admit(ben.offer())
	st := o.state()
	piece := func(n int) []byte { return encode(welcome{Version: version, Type: typePiece, Sealed: make([]byte, n)}) }
	for name, tt := range map[string]struct {
		change func(all [][]byte) [][]byte
		want   error
	}{
		"honest":      {func(all [][]byte) [][]byte { return all }, nil},
		"swapped":     {func(all [][]byte) [][]byte { all[0], all[1] = all[1], all[0]; return all }, ErrWelcome},
		"one missing": {func(all [][]byte) [][]byte { return all[1:] }, ErrWelcome},
		"one twice":   {func(all [][]byte) [][]byte { return append(all[:1:1], all...) }, ErrWelcome},
		"last only":   {func(all [][]byte) [][]byte { return all[len(all)-1:] }, ErrWelcome},
		"short piece": {func([][]byte) [][]byte { return [][]byte{piece(pieceSize - 1)} }, ErrMalformed},
		"empty piece": {func([][]byte) [][]byte { return [][]byte{piece(0)} }, ErrMalformed},
		"long piece":  {func([][]byte) [][]byte { return [][]byte{piece(pieceSize + 65)} }, ErrMalformed},
		"without end": {func([][]byte) [][]byte { return slices.Repeat([][]byte{piece(pieceSize)}, maxWelcomed/pieceSize+1) }, ErrMalformed},
		"refusal":     {func(all [][]byte) [][]byte { return [][]byte{all[0], Refusal(Dropped)} }, errRefused},
		"another type": {func(all [][]byte) [][]byte {
			return [][]byte{all[0], encode(reveal{Version: version, Type: typeReveal})}
		}, ErrOrder},
		"newer version": {func(all [][]byte) [][]byte { return [][]byte{all[0], encode([]any{2, typePiece, []byte{}})} }, ErrVersion},
	} {
		t.Run(name, func(t *testing.T) {
			j, i, _ := pair(t, ben, anna)
			all, err := i.Welcome(st, entry, nil)
			if err != nil || len(all) < 3 {
				t.Fatalf("%d messages, %v", len(all), err)
			}
			for _, m := range tt.change(all) {
				if _, err = j.Welcome(m); !errors.Is(err, ErrMore) {
					break
				}
			}
			var refused *Refused
			if errors.As(err, &refused) {
				err = errRefused
			}
			wantErr(t, "Welcome", err, tt.want)
			if len(j.welcome.sealed) > maxWelcomed {
				t.Errorf("%d bytes are kept", len(j.welcome.sealed))
			}
			if tt.want != nil {
				_, err = j.Welcome(all[0])
				wantErr(t, "afterwards", err, ErrOrder)
			}
		})
	}
}

var errRefused = errors.New("refused")

func TestWelcomeIsBounded(t *testing.T) {
	anna, ben := newPC("anna"), newPC("ben")
	o := newOffice(t, anna)
	filler := make([]byte, 60<<10) // no operation at all
	for range maxWelcomed/len(filler) + 1 {
		o.write(filler, nil)
	}
	entry := o.admit(ben.offer())
	_, i, _ := pair(t, ben, anna)
	_, err := i.Welcome(o.state(), entry, nil)
	wantErr(t, "64 MiB of control space", err, ErrTooLarge)
}
