package pairing

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/fxamacker/cbor/v2"

	"inselnetz/crdt/access"
	"inselnetz/crdt/log"
)

const version = 1

// Types of messages. Every message is an array that begins with version and type.
const (
	typeAsk       = 1
	typeAnswer    = 2
	typeReveal    = 3
	typeWelcome   = 4
	typeRefusal   = 5
	typeKnock     = 6
	typeChallenge = 7
	typeClaim     = 8
	typePiece     = 9
)

type ask struct {
	_          struct{} `cbor:",toarray"`
	Version    uint64
	Type       uint64
	Offer      Offer
	Commitment [32]byte
}

type answer struct {
	_          struct{} `cbor:",toarray"`
	Version    uint64
	Type       uint64
	Card       access.DeviceCard
	Commitment [32]byte
}

type reveal struct {
	_       struct{} `cbor:",toarray"`
	Version uint64
	Type    uint64
	Nonce   [32]byte
}

type knock struct {
	_       struct{} `cbor:",toarray"`
	Version uint64
	Type    uint64
	Link    LinkID
	Nonce   [32]byte
}

type challenge struct {
	_       struct{} `cbor:",toarray"`
	Version uint64
	Type    uint64
	Nonce   [32]byte
	Proof   [32]byte
}

type claim struct {
	_       struct{} `cbor:",toarray"`
	Version uint64
	Type    uint64
	Sealed  []byte // the Offer
	Proof   [32]byte
}

type refusal struct {
	_       struct{} `cbor:",toarray"`
	Version uint64
	Type    uint64
	Reason  Reason
}

var (
	enc = must(cbor.EncOptions{Sort: cbor.SortCoreDeterministic, IndefLength: cbor.IndefLengthForbidden, TagsMd: cbor.TagsForbidden}.EncMode())
	dec = must(cbor.DecOptions{DupMapKey: cbor.DupMapKeyEnforcedAPF, IndefLength: cbor.IndefLengthForbidden, TagsMd: cbor.TagsForbidden, MaxNestedLevels: 8, MaxArrayElements: 2048, MaxMapPairs: 16, ExtraReturnErrors: cbor.ExtraDecErrorUnknownField}.DecMode())
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func encode(v any) []byte { return must(enc.Marshal(v)) } // own fixed types always encode

// decode reads a message of one type into to. Only the canonical form counts.
func decode(b []byte, kind uint64, to any) error {
	limit := MaxMessage
	if kind == typeWelcome || kind == typePiece {
		limit = MaxWelcome
	}
	if len(b) > MaxWelcome {
		return fmt.Errorf("%w: %d bytes", ErrMalformed, len(b))
	}
	v, t, err := head(b)
	if err != nil {
		return err
	}
	switch {
	case v != version:
		return fmt.Errorf("%w: version %d", ErrVersion, v)
	case t == typeRefusal && kind != typeRefusal:
		var r refusal
		if err := decode(b, typeRefusal, &r); err != nil {
			return err
		}
		return &Refused{r.Reason}
	case t != kind:
		return fmt.Errorf("%w: type %d instead of %d", ErrOrder, t, kind)
	case len(b) > limit:
		return fmt.Errorf("%w: %d bytes", ErrMalformed, len(b))
	}
	if err := dec.Unmarshal(b, to); err != nil || !bytes.Equal(encode(to), b) {
		return fmt.Errorf("%w: type %d not in canonical form", ErrMalformed, kind)
	}
	return nil
}

// head returns version and type of a message, and the version of a link.
func head(b []byte) (v, t uint64, err error) {
	var fields []cbor.RawMessage
	if err := dec.Unmarshal(b, &fields); err != nil || len(fields) < 2 || dec.Unmarshal(fields[0], &v) != nil {
		return 0, 0, fmt.Errorf("%w: not a message", ErrMalformed)
	}
	if err := dec.Unmarshal(fields[1], &t); err != nil {
		return v, 0, fmt.Errorf("%w: not a message", ErrMalformed)
	}
	return v, t, nil
}

// hash returns SHA-256 of a purpose and parts, each after its length.
func hash(purpose string, parts ...[]byte) [32]byte {
	h := sha256.New()
	feed(h, purpose, parts)
	return [32]byte(h.Sum(nil))
}

func feed(h io.Writer, purpose string, parts [][]byte) {
	_, _ = h.Write([]byte("inselnetz/pairing/" + purpose + "/1")) // a hash takes everything
	for _, p := range parts {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(p)))
		_, _ = h.Write(n[:])
		_, _ = h.Write(p)
	}
}

// A side of a session.
const (
	joins   = "joiner"
	invites = "inviter"
)

// commit returns the commitment of a side to its card or offer and its nonce,
// for these two ends of the connection.
func commit(side string, card any, nonce [32]byte, joiner, inviter string) [32]byte {
	return hash("commit", []byte(side), encode(card), nonce[:], []byte(joiner), []byte(inviter))
}

// A transcript is the hash of all that both sides said up to both secrets.
type transcript [32]byte

func transcriptOf(ask, answer []byte, joinerNonce, inviterNonce [32]byte, joiner, inviter string) transcript {
	return hash("transcript", ask, answer, joinerNonce[:], inviterNonce[:], []byte(joiner), []byte(inviter))
}

func (t transcript) number() string {
	h := hash("number", t[:])
	return fmt.Sprintf("%06d", binary.BigEndian.Uint64(h[:8])%1_000_000)
}

func (t transcript) words(w log.WorkspaceID) string {
	h := hash("words", t[:], w[:])
	return words[h[0]] + " " + words[h[1]] + " " + words[h[2]]
}

// welcomeInfo binds a Welcome to its session.
func (t transcript) welcomeInfo() []byte {
	h := hash("welcome", t[:])
	return h[:]
}
