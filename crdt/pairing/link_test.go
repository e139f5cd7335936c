package pairing

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"inselnetz/crdt/access"
	"inselnetz/crdt/log"
)

var testAddrs = []string{"192.168.178.23:41000", "10.0.0.117:41000"}

func newLinkInvite(t testing.TB, host pc) *LinkInvite {
	t.Helper()
	v, err := NewLinkInvite(rand.Reader, host.card, testAddrs, 0, start)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// claimBy brings a device as far as its claim.
func claimBy(t testing.TB, v *LinkInvite, l Link, p pc, now time.Time) (*LinkJoiner, *LinkSession, Offer, error) {
	t.Helper()
	j, err := NewLinkJoiner(rand.Reader, l, p.offer(), p.box, p.card.Peer, l.Peer)
	if err != nil {
		t.Fatal(err)
	}
	s, challenge, err := v.Knock(rand.Reader, p.card.Peer, j.Start(), now)
	if err != nil {
		return j, nil, Offer{}, err
	}
	claim, err := j.Challenge(challenge)
	if err != nil {
		return j, s, Offer{}, err
	}
	offer, err := s.Claim(claim, now)
	return j, s, offer, err
}

func TestJoinByLink(t *testing.T) {
	anna, ben := newPC("anna"), newPC("ben")
	o := newOffice(t, anna)
	v := newLinkInvite(t, anna)
	l, err := ParseLink(v.Link().String())
	if err != nil {
		t.Fatal(err)
	}
	j, s, offer, err := claimBy(t, v, l, ben, start)
	if err != nil || offer != ben.offer() {
		t.Fatalf("Claim = %+v, %v", offer, err)
	}
	if got, ok := v.Taken(); !ok || got != offer {
		t.Errorf("taken by %+v, %v", got, ok)
	}
	before := o.state()
	entry := o.admit(offer)
	_, err = s.Welcome(before, entry, nil)
	wantErr(t, "before it is admitted", err, ErrWelcome)
	m, err := s.Welcome(o.state(), entry, testAddrs)
	if err != nil || len(m) != 1 {
		t.Fatalf("%d messages, %v", len(m), err)
	}
	r, err := j.Welcome(m[0])
	if err != nil {
		t.Fatal(err)
	}
	if r.Workspace != o.w || len(r.Keys) != 2 || r.Inviter != anna.card || r.Person != ben.person || r.Role != access.Member || !reflect.DeepEqual(r.Addrs, testAddrs) {
		t.Errorf("result %+v", r)
	}
	if w := j.Words(); w == "" || w != s.Words(o.w) || len(strings.Fields(w)) != 3 {
		t.Errorf("words %q and %q", w, s.Words(o.w))
	}
}

func TestLinkText(t *testing.T) {
	peer := "12D3KooWGzLT1XZbbz1BM3ZgZjxpjFMoPGKLpjVuipHTpgBtF3SK"
	l, err := NewLink(rand.Reader, peer, testAddrs, start)
	if err != nil {
		t.Fatal(err)
	}
	text := l.String()
	if len(text) > 200 {
		t.Errorf("%d characters are many for a QR code", len(text))
	}
	if strings.Trim(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_:?") != "" {
		t.Errorf("%q does not travel well", text)
	}
	for name, typed := range map[string]string{
		"as it is":       text,
		"broken by mail": text[:60] + "\r\n  " + text[60:120] + "\n" + text[120:] + "\n",
		"in quotes":      "„" + text + "“.",
		"in brackets":    "<" + text + ">",
		"upper scheme":   strings.ToUpper(linkScheme) + text[len(linkScheme):],
		"no-break space": "\u00a0" + text,
	} {
		if got, err := ParseLink(typed); err != nil || !reflect.DeepEqual(got, l) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	raw := func(v any) string { return linkScheme + base64URL(encode(v)) }
	many := linkText{Version: 1, Peer: peer, Addrs: make([]string, 9)}
	for i := range many.Addrs {
		many.Addrs[i] = "a"
	}
	for name, tt := range map[string]struct {
		text string
		want error
	}{
		"nothing":         {"", ErrLink},
		"a web address":   {"https://example.org/?" + text, ErrLink},
		"no content":      {linkScheme, ErrLink},
		"torn":            {text[:len(text)-4], ErrLink},
		"one letter more": {text + "A", ErrLink},
		"not base64":      {text[:40] + "!" + text[41:], ErrLink},
		"newer":           {raw([]any{2, "whatever"}), ErrVersion},
		"a field more":    {raw([]any{1, make([]byte, 16), peer, []string{}, 0, 0}), ErrLink},
		"short secret":    {raw([]any{1, make([]byte, 15), peer, []string{}, 0}), ErrLink},
		"no peer":         {raw(linkText{Version: 1, Addrs: []string{}}), ErrLink},
		"odd peer":        {raw(linkText{Version: 1, Peer: "a\nb", Addrs: []string{}}), ErrLink},
		"odd address":     {raw(linkText{Version: 1, Peer: peer, Addrs: []string{"a b"}}), ErrLink},
		"long address":    {raw(linkText{Version: 1, Peer: peer, Addrs: []string{strings.Repeat("a", 65)}}), ErrLink},
		"nine addresses":  {raw(many), ErrLink},
		"null list":       {raw(linkText{Version: 1, Peer: peer}), ErrLink},
		"far future":      {raw(linkText{Version: 1, Peer: peer, Addrs: []string{}, Expires: 1 << 60}), ErrLink},
		"far too long":    {text + strings.Repeat(" ", 8*MaxLink), ErrLink},
		"long":            {linkScheme + strings.Repeat("A", MaxLink), ErrLink},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := ParseLink(tt.text); !errors.Is(err, tt.want) {
				t.Errorf("ParseLink = %v, want %v", err, tt.want)
			}
		})
	}
	longest := make([]string, 20)
	for i := range longest {
		longest[i] = strings.Repeat("a", 60+i)
	}
	l, err = NewLink(rand.Reader, strings.Repeat("p", 128), longest, start)
	if err != nil || len(l.Addrs) != 4 || len(l.String()) > MaxLink {
		t.Errorf("%d addresses, %d bytes, %v", len(l.Addrs), len(l.String()), err)
	}
	if got, err := ParseLink(l.String()); err != nil || !reflect.DeepEqual(got, l) {
		t.Errorf("the longest: %v", err)
	}
	l, err = NewLink(rand.Reader, peer, []string{"[fd00::1]:4001", "10.0.0.1:1", "[fe80::1%eth0]:4001", "10.0.0.2:1", "10.0.0.3:1"}, start)
	if err != nil || !reflect.DeepEqual(l.Addrs, []string{"10.0.0.1:1", "10.0.0.2:1", "10.0.0.3:1", "[fd00::1]:4001"}) {
		t.Errorf("%v, %v", l.Addrs, err)
	}
	for _, bad := range []string{"", "a b", strings.Repeat("p", 129)} {
		if _, err := NewLink(rand.Reader, bad, nil, start); !errors.Is(err, ErrLink) {
			t.Errorf("NewLink(%q) = %v", bad, err)
		}
	}
	if _, err := NewLink(bytes.NewReader(nil), peer, nil, start); err == nil {
		t.Error("a link without randomness")
	}
}

// The two kinds of invite are told apart by the first message.
func TestLinkOf(t *testing.T) {
	anna, ben := newPC("anna"), newPC("ben")
	v := newLinkInvite(t, anna)
	j, err := NewLinkJoiner(rand.Reader, v.Link(), ben.offer(), ben.box, ben.card.Peer, anna.card.Peer)
	if err != nil {
		t.Fatal(err)
	}
	if id, ok := LinkOf(j.Start()); !ok || id != v.Link().ID() {
		t.Errorf("%x, %v", id, ok)
	}
	number, _ := begin(t, ben, anna)
	for name, b := range map[string][]byte{"number path": number.Start(), "nothing": nil, "nonsense": {1, 2, 3}, "torn": j.Start()[:30]} {
		if _, ok := LinkOf(b); ok {
			t.Errorf("%s passes for a knock", name)
		}
	}
	if _, err := NewInvite(rand.Reader, anna.card, start).knockAsAsk(j.Start()); !errors.Is(err, ErrOrder) {
		t.Errorf("a knock at a door with a number: %v", err)
	}
}

func (v *Invite) knockAsAsk(b []byte) ([]byte, error) {
	answer, _, err := v.Ask("peer-ben", "10.0.0.2", b, start)
	return answer, err
}

func TestLinkLivesItsTime(t *testing.T) {
	anna, ben := newPC("anna"), newPC("ben")
	for asked, want := range map[time.Duration]time.Duration{0: LinkLifetime, -1: LinkLifetime, 3 * time.Hour: 3 * time.Hour, 48 * time.Hour: MaxLinkLifetime} {
		v, err := NewLinkInvite(rand.Reader, anna.card, nil, asked, start)
		if err != nil {
			t.Fatal(err)
		}
		if !v.Deadline().Equal(start.Add(want)) || !v.Link().Expires.Equal(v.Deadline()) {
			t.Errorf("%v asked for: expires %v", asked, v.Deadline())
		}
	}
	v := newLinkInvite(t, anna)
	if err := v.Open(v.Deadline().Add(-1)); err != nil {
		t.Errorf("expires too early: %v", err)
	}
	if _, _, _, err := claimBy(t, v, v.Link(), ben, v.Deadline()); !errors.Is(err, ErrExpired) {
		t.Errorf("late knock: %v", err)
	}
	// a knock in time is no claim in time
	j, err := NewLinkJoiner(rand.Reader, v.Link(), ben.offer(), ben.box, ben.card.Peer, anna.card.Peer)
	if err != nil {
		t.Fatal(err)
	}
	last := v.Deadline().Add(-time.Second)
	s, challenge, err := v.Knock(rand.Reader, ben.card.Peer, j.Start(), last)
	if err != nil {
		t.Fatal(err)
	}
	claim := ok[[]byte](t)(j.Challenge(challenge))
	if _, err := s.Claim(claim, v.Deadline()); !errors.Is(err, ErrExpired) {
		t.Errorf("late claim: %v", err)
	}
	if _, taken := v.Taken(); taken {
		t.Error("taken by a late claim")
	}
	if _, err := NewLinkInvite(rand.Reader, access.DeviceCard{}, nil, 0, start); !errors.Is(err, ErrMalformed) {
		t.Errorf("a link of nobody: %v", err)
	}
}

func TestLinkClaimLate(t *testing.T) {
	anna, ben := newPC("anna"), newPC("ben")
	v := newLinkInvite(t, anna)
	j, err := NewLinkJoiner(rand.Reader, v.Link(), ben.offer(), ben.box, ben.card.Peer, anna.card.Peer)
	if err != nil {
		t.Fatal(err)
	}
	s, challenge, err := v.Knock(rand.Reader, ben.card.Peer, j.Start(), start)
	if err != nil {
		t.Fatal(err)
	}
	claim := ok[[]byte](t)(j.Challenge(challenge))
	_, err = s.Claim(claim, start.Add(OpenWithin+1))
	wantErr(t, "late", err, ErrLate)
	_, err = s.Claim(claim, start)
	wantErr(t, "again", err, ErrOrder)
}

// One link lets in one device. That device may come again for the welcome it
// missed, as long as the link lives.
func TestLinkIsUsedOnce(t *testing.T) {
	anna, ben, cy := newPC("anna"), newPC("ben"), newPC("cy")
	v := newLinkInvite(t, anna)
	if _, _, _, err := claimBy(t, v, v.Link(), ben, start); err != nil {
		t.Fatal(err)
	}
	_, _, _, err := claimBy(t, v, v.Link(), cy, start)
	wantErr(t, "a second device", err, ErrUsed)
	if got := ReasonOf(err); got != Used {
		t.Errorf("told %d", got)
	}
	again := ben
	again.person.Name = "Benjamin"
	if _, _, offer, err := claimBy(t, v, v.Link(), again, start.Add(time.Minute)); err != nil || offer.Device != ben.card {
		t.Errorf("the same device again: %v", err)
	}
	box := ben
	box.box, box.card.Box = cy.box, cy.card.Box
	_, _, _, err = claimBy(t, v, v.Link(), box, start)
	wantErr(t, "the same device with another key", err, ErrUsed)
	v.Close()
	_, _, _, err = claimBy(t, v, v.Link(), ben, start)
	wantErr(t, "closed", err, ErrClosed)
}

// Two devices hold the same link at the same time: the first claim wins.
func TestLinkRace(t *testing.T) {
	anna := newPC("anna")
	v := newLinkInvite(t, anna)
	var claims [][]byte
	var sessions []*LinkSession
	for _, p := range []pc{newPC("ben"), newPC("cy")} {
		j, err := NewLinkJoiner(rand.Reader, v.Link(), p.offer(), p.box, p.card.Peer, anna.card.Peer)
		if err != nil {
			t.Fatal(err)
		}
		s, challenge, err := v.Knock(rand.Reader, p.card.Peer, j.Start(), start)
		if err != nil {
			t.Fatal(err)
		}
		sessions = append(sessions, s)
		claims = append(claims, ok[[]byte](t)(j.Challenge(challenge)))
	}
	if _, err := sessions[1].Claim(claims[1], start); err != nil {
		t.Fatal(err)
	}
	_, err := sessions[0].Claim(claims[0], start)
	wantErr(t, "the slower one", err, ErrUsed)
	_, err = sessions[0].Welcome(&access.State{}, log.Hash{}, nil)
	wantErr(t, "its welcome", err, ErrOrder)
}

// A link lives in memory alone. What a restored backup brings back is a program
// without it, which knows no such link.
func TestLinkIsNotStored(t *testing.T) {
	anna, ben, cy := newPC("anna"), newPC("ben"), newPC("cy")
	used := newLinkInvite(t, anna)
	if _, _, _, err := claimBy(t, used, used.Link(), ben, start); err != nil {
		t.Fatal(err)
	}
	restored := newLinkInvite(t, anna) // made anew after the restore
	_, _, _, err := claimBy(t, restored, used.Link(), cy, start)
	wantErr(t, "the old link", err, ErrClosed)
}

func base64URL(b []byte) string { return linkEncoding.EncodeToString(b) }

func ExampleLink() {
	l, _ := NewLink(bytes.NewReader(make([]byte, 16)), "peer-anna", []string{"192.168.1.7:4001"}, time.UnixMilli(0))
	fmt.Println(l)
	// Output: inselnetz:join?hQFQAAAAAAAAAAAAAAAAAAAAAGlwZWVyLWFubmGBcDE5Mi4xNjguMS43OjQwMDEA
}
