package chat

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/fxamacker/cbor/v2"
)

// Limits of the format; FORMAT.md describes it.
const (
	Version     = 1
	MaxText     = 16 << 10 // bytes of a message
	MaxName     = 80       // characters of a channel's name
	MaxWord     = 32       // bytes of a reaction
	MaxMentions = 64
	MaxOps      = 256 // in one entry
)

// Errors of Encode and Decode. Details are wrapped around them.
var (
	ErrMalformed = errors.New("malformed chat operations")
	ErrVersion   = errors.New("chat operations of a newer version")
	ErrTooLong   = errors.New("text too long")
	ErrText      = errors.New("text holds characters that are not allowed")
	ErrEmpty     = errors.New("text is empty")
)

// An Op is one thing somebody does in a conversation: Post, Edit, Retract,
// React, Read, Create, or an Unknown one of a later program.
type Op interface {
	code() uint64
	check() error
}

type (
	// Post writes a message.
	Post struct {
		Channel  ChannelID
		Text     string
		Reply    *MsgID
		Mentions []PersonID // ascending, no one twice
	}
	// Edit replaces the text of a message.
	Edit struct {
		Message  MsgID
		Text     string
		Mentions []PersonID // ascending, no one twice
	}
	// Retract takes a message back for good.
	Retract struct{ Message MsgID }
	// React says a word about a message, or takes it back.
	React struct {
		Message MsgID
		Word    string
		On      bool
	}
	// Read says that a person has read a channel up to a message.
	Read struct {
		Channel ChannelID
		Message MsgID
	}
	// Create makes a channel, whose id is ChannelOf the operation's place.
	Create struct{ Name string }
	// Unknown is an operation this program does not know. It changes nothing.
	Unknown struct {
		Code uint64
		Raw  []byte // the operation as encoded
	}
)

func (Post) code() uint64      { return 1 }
func (Edit) code() uint64      { return 2 }
func (Retract) code() uint64   { return 3 }
func (React) code() uint64     { return 4 }
func (Read) code() uint64      { return 5 }
func (Create) code() uint64    { return 6 }
func (u Unknown) code() uint64 { return u.Code }

const lastCode = 6

// The wire forms of operations: [code, fields...].
type (
	wire struct {
		_       struct{} `cbor:",toarray"`
		Version uint64
		Ops     []cbor.RawMessage
	}
	wirePost struct {
		_        struct{} `cbor:",toarray"`
		Code     uint64
		Channel  ChannelID
		Text     string
		Reply    *MsgID
		Mentions []PersonID
	}
	wireEdit struct {
		_        struct{} `cbor:",toarray"`
		Code     uint64
		Message  MsgID
		Text     string
		Mentions []PersonID
	}
	wireRetract struct {
		_       struct{} `cbor:",toarray"`
		Code    uint64
		Message MsgID
	}
	wireReact struct {
		_       struct{} `cbor:",toarray"`
		Code    uint64
		Message MsgID
		Word    string
		On      bool
	}
	wireRead struct {
		_       struct{} `cbor:",toarray"`
		Code    uint64
		Channel ChannelID
		Message MsgID
	}
	wireCreate struct {
		_    struct{} `cbor:",toarray"`
		Code uint64
		Name string
	}
)

var (
	enc = must(cbor.EncOptions{Sort: cbor.SortCoreDeterministic, IndefLength: cbor.IndefLengthForbidden, TagsMd: cbor.TagsForbidden}.EncMode())
	dec = must(cbor.DecOptions{DupMapKey: cbor.DupMapKeyEnforcedAPF, IndefLength: cbor.IndefLengthForbidden, TagsMd: cbor.TagsForbidden, MaxNestedLevels: 8, MaxArrayElements: 1024, MaxMapPairs: 1024}.DecMode())
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// Encode returns the payload of an entry with these operations. It refuses
// what Decode would refuse; mentions it sorts and rids of doubles.
func Encode(ops []Op) ([]byte, error) {
	if len(ops) == 0 || len(ops) > MaxOps {
		return nil, fmt.Errorf("%w: %d operations", ErrMalformed, len(ops))
	}
	w := wire{Version: Version}
	for _, op := range ops {
		op = tidy(op)
		if err := op.check(); err != nil {
			return nil, err
		}
		raw, err := encodeOp(op)
		if err != nil {
			return nil, fmt.Errorf("encode operation: %w", err)
		}
		w.Ops = append(w.Ops, raw)
	}
	return enc.Marshal(w)
}

func tidy(op Op) Op {
	sorted := func(p []PersonID) []PersonID {
		p = slices.Clone(p)
		slices.SortFunc(p, func(a, b PersonID) int { return bytes.Compare(a[:], b[:]) })
		p = slices.Compact(p)
		if p == nil {
			p = []PersonID{}
		}
		return p
	}
	switch o := op.(type) {
	case Post:
		o.Mentions = sorted(o.Mentions)
		return o
	case Edit:
		o.Mentions = sorted(o.Mentions)
		return o
	}
	return op
}

func encodeOp(op Op) ([]byte, error) {
	switch o := op.(type) {
	case Post:
		return enc.Marshal(wirePost{Code: o.code(), Channel: o.Channel, Text: o.Text, Reply: o.Reply, Mentions: o.Mentions})
	case Edit:
		return enc.Marshal(wireEdit{Code: o.code(), Message: o.Message, Text: o.Text, Mentions: o.Mentions})
	case Retract:
		return enc.Marshal(wireRetract{Code: o.code(), Message: o.Message})
	case React:
		return enc.Marshal(wireReact{Code: o.code(), Message: o.Message, Word: o.Word, On: o.On})
	case Read:
		return enc.Marshal(wireRead{Code: o.code(), Channel: o.Channel, Message: o.Message})
	case Create:
		return enc.Marshal(wireCreate{Code: o.code(), Name: o.Name})
	case Unknown:
		return o.Raw, nil
	}
	return nil, fmt.Errorf("%w: %T", ErrMalformed, op)
}

// Decode reads a payload. It accepts exactly one encoding of the operations it
// knows, so encoding them again gives the same bytes; operations of an unknown
// kind come back as Unknown.
func Decode(b []byte) ([]Op, error) {
	var w wire
	if err := dec.Unmarshal(b, &w); err != nil {
		// A later version may look different after its first field.
		var v []cbor.RawMessage
		var n uint64
		if dec.Unmarshal(b, &v) == nil && len(v) > 0 && dec.Unmarshal(v[0], &n) == nil && n > Version {
			return nil, fmt.Errorf("%w: %d", ErrVersion, n)
		}
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if w.Version > Version {
		return nil, fmt.Errorf("%w: %d", ErrVersion, w.Version)
	}
	if w.Version != Version || len(w.Ops) == 0 || len(w.Ops) > MaxOps {
		return nil, fmt.Errorf("%w: version %d, %d operations", ErrMalformed, w.Version, len(w.Ops))
	}
	if again, err := enc.Marshal(w); err != nil || !bytes.Equal(again, b) {
		return nil, fmt.Errorf("%w: not in canonical form", ErrMalformed)
	}
	ops := make([]Op, len(w.Ops))
	for i, raw := range w.Ops {
		op, err := decodeOp(raw)
		if err != nil {
			return nil, fmt.Errorf("operation %d: %w", i, err)
		}
		ops[i] = op
	}
	return ops, nil
}

func decodeOp(raw []byte) (Op, error) {
	code, ok := codeOf(raw)
	if !ok {
		return nil, fmt.Errorf("%w: no operation code", ErrMalformed)
	}
	var op Op
	var err error
	switch code {
	case 1:
		var w wirePost
		err = dec.Unmarshal(raw, &w)
		op = Post{Channel: w.Channel, Text: w.Text, Reply: w.Reply, Mentions: w.Mentions}
	case 2:
		var w wireEdit
		err = dec.Unmarshal(raw, &w)
		op = Edit{Message: w.Message, Text: w.Text, Mentions: w.Mentions}
	case 3:
		var w wireRetract
		err = dec.Unmarshal(raw, &w)
		op = Retract{Message: w.Message}
	case 4:
		var w wireReact
		err = dec.Unmarshal(raw, &w)
		op = React{Message: w.Message, Word: w.Word, On: w.On}
	case 5:
		var w wireRead
		err = dec.Unmarshal(raw, &w)
		op = Read{Channel: w.Channel, Message: w.Message}
	case 6:
		var w wireCreate
		err = dec.Unmarshal(raw, &w)
		op = Create{Name: w.Name}
	default:
		return Unknown{Code: code, Raw: bytes.Clone(raw)}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if err := op.check(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if again, err := encodeOp(op); err != nil || !bytes.Equal(again, raw) {
		return nil, fmt.Errorf("%w: not in canonical form", ErrMalformed)
	}
	return op, nil
}

// codeOf reads the first element of an operation: an array that begins with a
// number in its shortest form.
func codeOf(raw []byte) (uint64, bool) {
	if len(raw) < 2 || raw[0]>>5 != 4 || raw[0]&0x1f == 0 {
		return 0, false
	}
	skip := 1
	switch raw[0] & 0x1f { // a longer array spells its length out
	case 24:
		skip = 2
	case 25:
		skip = 3
	case 26, 27:
		return 0, false
	}
	if len(raw) <= skip {
		return 0, false
	}
	var code uint64
	rest, err := dec.UnmarshalFirst(raw[skip:], &code)
	if err != nil {
		return 0, false
	}
	if again, err := enc.Marshal(code); err != nil || !bytes.Equal(again, raw[skip:len(raw)-len(rest)]) {
		return 0, false
	}
	return code, true
}

func (p Post) check() error {
	if err := checkText(p.Text, MaxText, true); err != nil {
		return err
	}
	if p.Reply != nil {
		if err := p.Reply.check(); err != nil {
			return err
		}
	}
	return checkMentions(p.Mentions)
}

func (e Edit) check() error {
	if err := checkText(e.Text, MaxText, true); err != nil {
		return err
	}
	if err := checkMentions(e.Mentions); err != nil {
		return err
	}
	return e.Message.check()
}

func (r Retract) check() error { return r.Message.check() }

func (r React) check() error {
	if err := checkText(r.Word, MaxWord, false); err != nil {
		return err
	}
	return r.Message.check()
}

func (r Read) check() error { return r.Message.check() }

func (c Create) check() error {
	if utf8.RuneCountInString(c.Name) > MaxName {
		return fmt.Errorf("%w: a name has at most %d characters", ErrTooLong, MaxName)
	}
	return checkText(c.Name, 4*MaxName, false)
}

func (u Unknown) check() error {
	if code, ok := codeOf(u.Raw); !ok || code != u.Code || code >= 1 && code <= lastCode {
		return fmt.Errorf("%w: operation of kind %d", ErrMalformed, u.Code)
	}
	return nil
}

func (m MsgID) check() error {
	if m.Seq < 1 || m.Seq > 1<<48 || m.N >= MaxOps {
		return fmt.Errorf("%w: place of a message", ErrMalformed)
	}
	return nil
}

func checkMentions(p []PersonID) error {
	if p == nil || len(p) > MaxMentions {
		return fmt.Errorf("%w: %d mentions", ErrMalformed, len(p))
	}
	for i := range p {
		if i > 0 && bytes.Compare(p[i-1][:], p[i][:]) >= 0 {
			return fmt.Errorf("%w: order of mentions", ErrMalformed)
		}
	}
	return nil
}

// checkText holds for text of at most max bytes; lines allows breaks and tabs.
func checkText(s string, max int, lines bool) error {
	switch {
	case s == "":
		return ErrEmpty
	case len(s) > max:
		return fmt.Errorf("%w: %d bytes, at most %d", ErrTooLong, len(s), max)
	case !utf8.ValidString(s):
		return fmt.Errorf("%w: not UTF-8", ErrText)
	}
	for _, r := range s {
		if unicode.IsControl(r) && !(lines && (r == '\n' || r == '\t')) {
			return fmt.Errorf("%w: %U", ErrText, r)
		}
	}
	return nil
}

// Clean returns s as a message may hold it: line ends of other systems become
// \n, and what is not UTF-8 and control characters go.
func Clean(s string) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\r':
			return '\n'
		case unicode.IsControl(r) && r != '\n' && r != '\t':
			return -1
		}
		return r
	}, s)
}
