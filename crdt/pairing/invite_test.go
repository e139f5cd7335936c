package pairing

import (
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"
)

// A door is an open invite and what is needed to knock at it.
type door struct {
	t testing.TB
	*Invite
	host pc
	now  time.Time
}

func newDoor(t testing.TB) *door {
	host := newPC("anna")
	return &door{t, NewInvite(rand.Reader, host.card, start), host, start}
}

// knock asks and opens as peer from source. It returns the number shown.
func (d *door) knock(p pc, source string) (number string, dropped []string, err error) {
	j, err := NewJoiner(rand.Reader, p.offer(), p.box, p.card.Peer, d.host.card.Peer)
	if err != nil {
		d.t.Fatal(err)
	}
	answer, gone, err := d.Ask(p.card.Peer, source, j.Start(), d.now)
	dropped = append(dropped, gone)
	if err != nil {
		return "", dropped, err
	}
	opened, err := j.Answer(answer)
	if err != nil {
		d.t.Fatal(err)
	}
	back, gone, err := d.Reveal(p.card.Peer, opened, d.now)
	dropped = append(dropped, gone)
	if err != nil {
		return "", dropped, err
	}
	number, err = j.Reveal(back)
	if err != nil {
		d.t.Fatal(err)
	}
	return number, slices.DeleteFunc(dropped, func(s string) bool { return s == "" }), nil
}

func (d *door) waiting() []string {
	var names []string
	for _, i := range d.Waiting() {
		names = append(names, i.Offer().Person.Name)
	}
	return names
}

func TestInviteLetsInWhoShowsTheNumber(t *testing.T) {
	d := newDoor(t)
	first, _, err := d.knock(newPC("ben"), "10.0.0.2")
	if err != nil {
		t.Fatal(err)
	}
	second, _, err := d.knock(newPC("cy"), "10.0.0.3")
	if err != nil {
		t.Fatal(err)
	}
	if got := d.waiting(); !slices.Equal(got, []string{"ben", "cy"}) {
		t.Errorf("waiting %v", got)
	}
	if first == second {
		t.Skip("one in a million")
	}
	in, err := d.Type(" "+second[:3]+"\u00a0"+second[3:]+" ", d.now)
	if err != nil || in.Offer().Person.Name != "cy" || in.Peer() != "peer-cy" {
		t.Fatalf("Type = %v", err)
	}
	if err := d.Open(d.now); !errors.Is(err, ErrClosed) {
		t.Errorf("still open: %v", err)
	}
	if _, err := d.Type(first, d.now); !errors.Is(err, ErrClosed) {
		t.Errorf("a second one gets in: %v", err)
	}
	if got := d.Close(); !slices.Equal(got, []string{"peer-ben"}) {
		t.Errorf("to be refused: %v", got)
	}
}

func TestThreeMissesCloseTheInvite(t *testing.T) {
	d := newDoor(t)
	number, _, err := d.knock(newPC("ben"), "10.0.0.2")
	if err != nil {
		t.Fatal(err)
	}
	wrong := "000000"
	if number == wrong {
		wrong = "000001"
	}
	for _, bad := range []string{"", "12345", "1234567", "12345a", "１２３４５６", "+12345"} {
		if _, err := d.Type(bad, d.now); !errors.Is(err, ErrNotNumber) {
			t.Errorf("Type(%q) = %v", bad, err)
		}
	}
	for left := 2; left >= 0; left-- {
		if _, err := d.Type(wrong, d.now); !errors.Is(err, ErrMiss) || d.Tries() != left {
			t.Errorf("Type = %v, %d tries left", err, d.Tries())
		}
	}
	if _, err := d.Type(number, d.now); !errors.Is(err, ErrClosed) {
		t.Errorf("the right number after three misses: %v", err)
	}
	if _, _, err := d.knock(newPC("cy"), "10.0.0.3"); !errors.Is(err, ErrClosed) {
		t.Errorf("knocking at a closed door: %v", err)
	}
}

func TestInviteExpires(t *testing.T) {
	d := newDoor(t)
	number, _, err := d.knock(newPC("ben"), "10.0.0.2")
	if err != nil {
		t.Fatal(err)
	}
	if !d.Deadline().Equal(start.Add(Lifetime)) || d.Open(start.Add(Lifetime-1)) != nil {
		t.Error("expires too early")
	}
	d.now = start.Add(Lifetime)
	if _, err := d.Type(number, d.now); !errors.Is(err, ErrExpired) {
		t.Errorf("Type = %v", err)
	}
	if _, _, err := d.knock(newPC("cy"), "10.0.0.3"); !errors.Is(err, ErrExpired) {
		t.Errorf("Ask = %v", err)
	}
	if _, _, err := d.Invite.Reveal("peer-cy", nil, d.now); !errors.Is(err, ErrExpired) {
		t.Errorf("Reveal = %v", err)
	}
}

func TestANumberShownTwiceClosesTheInvite(t *testing.T) {
	d := newDoor(t)
	for i, name := range []string{"ben", "cy"} {
		if _, _, err := d.knock(newPC(name), fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
	}
	for _, i := range d.Waiting() {
		i.number = "123456"
	}
	if _, err := d.Type("123456", d.now); !errors.Is(err, ErrTwice) {
		t.Errorf("Type = %v", err)
	}
	if _, err := d.Type("123456", d.now); !errors.Is(err, ErrClosed) {
		t.Errorf("still open: %v", err)
	}
}

func TestAPeerHasOneSession(t *testing.T) {
	d := newDoor(t)
	ben := newPC("ben")
	old, _, err := d.knock(ben, "10.0.0.2")
	if err != nil {
		t.Fatal(err)
	}
	number, dropped, err := d.knock(ben, "10.0.0.2")
	if err != nil || len(dropped) != 0 || len(d.Waiting()) != 1 {
		t.Fatalf("%d waiting, dropped %v, %v", len(d.Waiting()), dropped, err)
	}
	if old == number {
		t.Skip("one in a million")
	}
	if _, err := d.Type(old, d.now); !errors.Is(err, ErrMiss) {
		t.Errorf("the old number: %v", err)
	}
	if _, err := d.Type(number, d.now); err != nil {
		t.Errorf("the new number: %v", err)
	}
}

// What follows is number 25 of the hostile inputs.

func TestHostileCommitmentNeverOpened(t *testing.T) {
	d := newDoor(t)
	ask := func(name string) string {
		p := newPC(name)
		j, err := NewJoiner(rand.Reader, p.offer(), p.box, p.card.Peer, d.host.card.Peer)
		if err != nil {
			t.Fatal(err)
		}
		_, dropped, err := d.Ask(p.card.Peer, "10.0.0.9", j.Start(), d.now)
		if err != nil {
			t.Fatal(err)
		}
		return dropped
	}
	for i := range MaxAsking {
		if dropped := ask(fmt.Sprint(i)); dropped != "" {
			t.Errorf("%d drops %s", i, dropped)
		}
	}
	if dropped := ask("more"); dropped != "peer-0" {
		t.Errorf("drops %q", dropped)
	}
	if len(d.Waiting()) != 0 || len(d.sessions) != MaxAsking {
		t.Errorf("%d waiting of %d", len(d.Waiting()), len(d.sessions))
	}
	if _, dropped, err := d.knock(newPC("ben"), "10.0.0.2"); err != nil || !slices.Equal(dropped, []string{"peer-1"}) {
		t.Errorf("an honest one: %v, dropped %v", err, dropped)
	}
	if got := d.Stale(d.now.Add(OpenWithin)); got != nil {
		t.Errorf("stale too early: %v", got)
	}
	if got := d.Stale(d.now.Add(OpenWithin + 1)); len(got) != MaxAsking-1 || len(d.sessions) != 1 {
		t.Errorf("%d stale, %d left", len(got), len(d.sessions))
	}
}

func TestHostileCommitmentOpenedLate(t *testing.T) {
	d := newDoor(t)
	p := newPC("ben")
	j, err := NewJoiner(rand.Reader, p.offer(), p.box, p.card.Peer, d.host.card.Peer)
	if err != nil {
		t.Fatal(err)
	}
	answer, _, err := d.Ask(p.card.Peer, "10.0.0.2", j.Start(), d.now)
	if err != nil {
		t.Fatal(err)
	}
	opened, err := j.Answer(answer)
	if err != nil {
		t.Fatal(err)
	}
	late := d.now.Add(OpenWithin + 1)
	if _, _, err := d.Reveal(p.card.Peer, opened, late); !errors.Is(err, ErrLate) {
		t.Errorf("Reveal = %v", err)
	}
	if _, _, err := d.Reveal(p.card.Peer, opened, late); !errors.Is(err, ErrOrder) {
		t.Errorf("and again: %v", err)
	}
}

func TestHostileBadOpeningEndsTheSession(t *testing.T) {
	d := newDoor(t)
	p := newPC("ben")
	j, err := NewJoiner(rand.Reader, p.offer(), p.box, p.card.Peer, d.host.card.Peer)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := d.Ask(p.card.Peer, "10.0.0.2", j.Start(), d.now); err != nil {
		t.Fatal(err)
	}
	if _, _, err := d.Reveal(p.card.Peer, encode(reveal{Version: version, Type: typeReveal}), d.now); !errors.Is(err, ErrOpening) {
		t.Errorf("Reveal = %v", err)
	}
	if len(d.sessions) != 0 || d.reveals != 0 {
		t.Errorf("%d sessions, %d reveals", len(d.sessions), d.reveals)
	}
	if _, _, err := d.Ask("peer-eve", "10.0.0.3", []byte("nonsense"), d.now); !errors.Is(err, ErrMalformed) || len(d.sessions) != 0 {
		t.Errorf("Ask = %v, %d sessions", err, len(d.sessions))
	}
}

func TestHostileFloodFromOneSource(t *testing.T) {
	d := newDoor(t)
	in := 0
	for i := range 50 {
		if _, _, err := d.knock(newPC(fmt.Sprint(i)), "10.0.0.9"); err == nil {
			in++
		} else if !errors.Is(err, ErrBusy) {
			t.Errorf("knock = %v", err)
		}
	}
	if in != MaxSource {
		t.Errorf("%d got a number", in)
	}
	number, _, err := d.knock(newPC("ben"), "10.0.0.2")
	if err != nil {
		t.Fatalf("an honest one: %v", err)
	}
	if in, err := d.Type(number, d.now); err != nil || in.Offer().Person.Name != "ben" {
		t.Errorf("Type = %v", err)
	}
}

func TestHostileFloodFromManySources(t *testing.T) {
	d := newDoor(t)
	if _, _, err := d.knock(newPC("ben"), "10.0.0.2"); err != nil {
		t.Fatal(err)
	}
	for i := range 50 {
		_, dropped, err := d.knock(newPC(fmt.Sprint(i)), fmt.Sprintf("10.0.1.%d", i))
		if i < MaxWaiting-1 && err != nil || i >= MaxWaiting-1 && !errors.Is(err, ErrBusy) || slices.Contains(dropped, "peer-ben") {
			t.Errorf("knock %d = %v, dropped %v", i, err, dropped)
		}
	}
	if got := d.waiting(); len(got) != MaxWaiting || got[0] != "ben" {
		t.Errorf("waiting %v", got)
	}
}

// Two sources with two sessions each make room for a third source.
func TestASourceWithManySessionsMakesRoom(t *testing.T) {
	d := newDoor(t)
	for i := range MaxWaiting {
		if _, _, err := d.knock(newPC(fmt.Sprint(i)), fmt.Sprint("10.0.0.", i/2)); err != nil {
			t.Fatal(err)
		}
	}
	_, dropped, err := d.knock(newPC("ben"), "10.0.0.9")
	if err != nil || !slices.Equal(dropped, []string{"peer-3"}) {
		t.Errorf("knock = %v, dropped %v", err, dropped)
	}
	if got := d.waiting(); !slices.Equal(got, []string{"0", "1", "2", "4", "ben"}) {
		t.Errorf("waiting %v", got)
	}
}

// TestHostileGuessing: whoever stands between both sides could ask again and
// again until our number is the one that the new device shows.
func TestHostileGuessing(t *testing.T) {
	d := newDoor(t)
	got := 0
	for i := range 10 * MaxReveals {
		p := newPC(fmt.Sprint(i))
		if _, _, err := d.knock(p, "10.0.0.9"); err == nil {
			got++
		}
		d.Drop(p.card.Peer)
	}
	if got != MaxReveals {
		t.Errorf("%d guesses, at most %d", got, MaxReveals)
	}
	if err := d.Open(d.now); err != nil {
		t.Errorf("who waits already cannot be let in: %v", err)
	}
}

// An open invite is in no file: what a restored backup brings back is a program
// without one, which refuses.
func TestInviteIsNotStored(t *testing.T) {
	d := newDoor(t)
	p := newPC("ben")
	j, err := NewJoiner(rand.Reader, p.offer(), p.box, p.card.Peer, d.host.card.Peer)
	if err != nil {
		t.Fatal(err)
	}
	answer, _, err := d.Ask(p.card.Peer, "10.0.0.2", j.Start(), d.now)
	if err != nil {
		t.Fatal(err)
	}
	opened, err := j.Answer(answer)
	if err != nil {
		t.Fatal(err)
	}
	restored := NewInvite(rand.Reader, d.host.card, start) // opened anew after the restore
	if _, _, err := restored.Reveal(p.card.Peer, opened, d.now); !errors.Is(err, ErrOrder) {
		t.Errorf("Reveal = %v", err)
	}
}
