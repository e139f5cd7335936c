package pairing

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
)

// Limits of a link.
const (
	LinkLifetime    = time.Hour      // how long one is good for unless said otherwise
	MaxLinkLifetime = 24 * time.Hour // and at most
	MaxLink         = 1 << 10        // bytes of its text
	maxLinkAddrs    = 8              // that a reader takes
	newLinkAddrs    = 4              // that a writer puts in: each makes the QR code larger
	maxLinkAddr     = 64             // bytes
	maxLinkPeer     = 128
)

// ErrLink is the error of a text that is no invite link.
var ErrLink = errors.New("not an invite link")

// A Link lets one new device in: whoever has it can prove so, and is told by the
// inviter's proof that it speaks with the device that made the link. It is a
// secret until it was used.
type Link struct {
	Secret  [16]byte
	Peer    string    // peer id of the inviter
	Addrs   []string  // "host:port" where the inviter may be reached; at most 8
	Expires time.Time // for people: only the inviter's clock decides
}

// A LinkID names a link without giving it away.
type LinkID [16]byte

// linkText is what the text of a Link holds.
type linkText struct {
	_       struct{} `cbor:",toarray"`
	Version uint64
	Secret  [16]byte
	Peer    string
	Addrs   []string
	Expires uint64 // Unix milliseconds
}

const linkScheme = "inselnetz:join?"

var linkEncoding = base64.RawURLEncoding.Strict()

// NewLink makes a link to the device with this peer id. Of the addresses it
// takes four that are short enough, IPv4 first.
func NewLink(random io.Reader, peer string, addrs []string, expires time.Time) (Link, error) {
	l := Link{Peer: peer, Addrs: []string{}, Expires: time.UnixMilli(expires.UnixMilli())}
	for _, six := range []bool{false, true} {
		for _, a := range addrs {
			if plain(a, maxLinkAddr) && strings.HasPrefix(a, "[") == six && len(l.Addrs) < newLinkAddrs {
				l.Addrs = append(l.Addrs, a)
			}
		}
	}
	if !plain(peer, maxLinkPeer) || l.Expires.UnixMilli() < 0 {
		return Link{}, fmt.Errorf("%w: peer id or time", ErrLink)
	}
	if _, err := io.ReadFull(random, l.Secret[:]); err != nil {
		return Link{}, fmt.Errorf("random secret: %w", err)
	}
	return l, nil
}

// plain reports whether s is 1 to limit bytes of visible ASCII.
func plain(s string, limit int) bool {
	return s != "" && len(s) <= limit && strings.IndexFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) < 0
}

// String returns the link as text, for a QR code, a mail or a stick.
func (l Link) String() string {
	addrs := l.Addrs
	if addrs == nil {
		addrs = []string{}
	}
	b := encode(linkText{Version: version, Secret: l.Secret, Peer: l.Peer, Addrs: addrs, Expires: uint64(l.Expires.UnixMilli())})
	return linkScheme + linkEncoding.EncodeToString(b)
}

// ID returns the link's name. The secret cannot be worked out from it.
func (l Link) ID() LinkID {
	h := hash("link id", l.Secret[:])
	return LinkID(h[:16])
}

// ParseLink reads the text of a link. What mail and hands add to it is left out:
// white space anywhere, quotes, brackets and full stops around it. The error is
// ErrLink, or ErrVersion for a link of a newer program.
func ParseLink(s string) (Link, error) {
	if len(s) > 4*MaxLink {
		return Link{}, fmt.Errorf("%w: too long", ErrLink)
	}
	s = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, s)
	s = strings.Trim(s, "<>()\"'„“”«».,;")
	if len(s) > MaxLink || len(s) < len(linkScheme) || !strings.EqualFold(s[:len(linkScheme)], linkScheme) {
		return Link{}, fmt.Errorf("%w: does not begin with %s", ErrLink, linkScheme)
	}
	raw, err := linkEncoding.DecodeString(s[len(linkScheme):])
	if err != nil {
		return Link{}, fmt.Errorf("%w: %w", ErrLink, err)
	}
	if v, _, _ := head(raw); v > version {
		return Link{}, fmt.Errorf("%w: link of version %d", ErrVersion, v)
	}
	var t linkText
	if err := dec.Unmarshal(raw, &t); err != nil || t.Addrs == nil || !bytes.Equal(encode(t), raw) {
		return Link{}, fmt.Errorf("%w: not in canonical form", ErrLink)
	}
	ok := plain(t.Peer, maxLinkPeer) && len(t.Addrs) <= maxLinkAddrs && t.Expires < 1<<53
	for _, a := range t.Addrs {
		ok = ok && plain(a, maxLinkAddr)
	}
	if !ok {
		return Link{}, fmt.Errorf("%w: peer id, address or time", ErrLink)
	}
	return Link{Secret: t.Secret, Peer: t.Peer, Addrs: t.Addrs, Expires: time.UnixMilli(int64(t.Expires))}, nil
}
