package automerge

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"inselnetz/crdt/automerge/internal/format"
)

// An ActorID names who edits: raw bytes, usually 16. One actor writes in one
// place at a time.
type ActorID string

// String is the id in hexadecimal.
func (a ActorID) String() string { return hex.EncodeToString([]byte(a)) }

// ParseActor reads the hexadecimal form.
func ParseActor(s string) (ActorID, error) {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) == 0 || len(b) > maxActor {
		return "", fmt.Errorf("automerge: %q is no actor id: 1 to %d bytes in hexadecimal", s, maxActor)
	}
	return ActorID(b), nil
}

const maxActor = 64 // bytes

// An OpID names an operation: the Ctr-th that its actor could see.
type OpID struct {
	Ctr   uint32
	Actor ActorID
}

// An ObjID names an object by the operation that made it; the zero value is the
// root map.
type ObjID = OpID

// Root is the map at the top of every document.
var Root ObjID

// String is the usual form: "_root" or "counter@actor".
func (id OpID) String() string {
	if id == Root {
		return "_root"
	}
	return strconv.FormatUint(uint64(id.Ctr), 10) + "@" + id.Actor.String()
}

// ParseObjID reads what String wrote.
func ParseObjID(s string) (ObjID, error) {
	if s == "_root" {
		return Root, nil
	}
	ctr, actor, ok := strings.Cut(s, "@")
	n, err := strconv.ParseUint(ctr, 10, 32)
	a, err2 := ParseActor(actor)
	if !ok || err != nil || err2 != nil || n == 0 {
		return Root, fmt.Errorf("automerge: %q is no object id", s)
	}
	return ObjID{uint32(n), a}, nil
}

// A Kind is what a value is.
type Kind uint8

// The kinds. A text is a sequence of characters and blocks, a table a map under
// its old name.
const (
	KindNull Kind = iota
	KindBool
	KindInt
	KindUint
	KindFloat
	KindStr
	KindBytes
	KindCounter
	KindTimestamp
	KindUnknown // of a later version of the format; kept as it is
	KindMap
	KindList
	KindText
	KindTable
)

var kindNames = [...]string{"null", "bool", "int", "uint", "float", "string", "bytes", "counter", "timestamp", "unknown", "map", "list", "text", "table"}

func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "kind " + strconv.Itoa(int(k))
}

// IsObject reports whether values of this kind are objects.
func (k Kind) IsObject() bool { return k >= KindMap }

// A Value is a scalar or names an object. The zero value is null.
type Value struct {
	kind Kind
	code uint8  // unknown: its code in the format
	num  uint64 // bool, numbers (floats by their bits), times
	str  string // strings and bytes
	obj  ObjID
}

// Null is the null value.
func Null() Value { return Value{} }

// Bool is a truth value.
func Bool(b bool) Value {
	v := Value{kind: KindBool}
	if b {
		v.num = 1
	}
	return v
}

// Int is a signed number.
func Int(n int64) Value { return Value{kind: KindInt, num: uint64(n)} }

// Uint is an unsigned number.
func Uint(n uint64) Value { return Value{kind: KindUint, num: n} }

// Float is a floating-point number; its bits are kept, also those of a NaN.
func Float(f float64) Value { return Value{kind: KindFloat, num: math.Float64bits(f)} }

// Str is a string that is replaced as a whole. (The JavaScript release makes a
// text object of a plain string; PutObject with KindText does that.)
func Str(s string) Value { return Value{kind: KindStr, str: s} }

// Bytes is a string of bytes; b is copied.
func Bytes(b []byte) Value { return Value{kind: KindBytes, str: string(b)} }

// Counter is a number whose increments add up.
func Counter(n int64) Value { return Value{kind: KindCounter, num: uint64(n)} }

// Timestamp is a time in milliseconds since 1970.
func Timestamp(ms int64) Value { return Value{kind: KindTimestamp, num: uint64(ms)} }

// Kind is what the value is.
func (v Value) Kind() Kind { return v.kind }

// Obj is the object that the value names, when Kind().IsObject().
func (v Value) Obj() ObjID { return v.obj }

// Bool is the truth value.
func (v Value) Bool() bool { return v.kind == KindBool && v.num == 1 }

// Int is an int, counter or timestamp.
func (v Value) Int() int64 { return int64(v.num) }

// Uint is an unsigned number.
func (v Value) Uint() uint64 { return v.num }

// Float is a floating-point number.
func (v Value) Float() float64 { return math.Float64frombits(v.num) }

// Str is a string.
func (v Value) Str() string { return v.str }

// Bytes are the bytes of a bytes value, or of an unknown one.
func (v Value) Bytes() []byte { return []byte(v.str) }

// String is for people.
func (v Value) String() string {
	switch v.kind {
	case KindNull:
		return "null"
	case KindBool:
		return strconv.FormatBool(v.Bool())
	case KindInt, KindCounter, KindTimestamp:
		return strconv.FormatInt(v.Int(), 10)
	case KindUint:
		return strconv.FormatUint(v.num, 10)
	case KindFloat:
		return strconv.FormatFloat(v.Float(), 'g', -1, 64)
	case KindStr:
		return strconv.Quote(v.str)
	case KindBytes, KindUnknown:
		return "0x" + hex.EncodeToString([]byte(v.str))
	}
	return v.kind.String() + " " + v.obj.String()
}

// Codes of value types in the format.
const (
	typeNull = iota
	typeFalse
	typeTrue
	typeUint
	typeInt
	typeFloat
	typeStr
	typeBytes
	typeCounter
	typeTimestamp
)

// append writes the raw bytes of a scalar and tells the code of its type.
func (v Value) append(dst []byte) ([]byte, uint8) {
	switch v.kind {
	case KindBool:
		return dst, typeFalse + uint8(v.num)
	case KindInt:
		return format.AppendInt(dst, int64(v.num)), typeInt
	case KindUint:
		return format.AppendUint(dst, v.num), typeUint
	case KindFloat:
		for i := range 8 {
			dst = append(dst, byte(v.num>>(8*i)))
		}
		return dst, typeFloat
	case KindStr:
		return append(dst, v.str...), typeStr
	case KindBytes:
		return append(dst, v.str...), typeBytes
	case KindCounter:
		return format.AppendInt(dst, int64(v.num)), typeCounter
	case KindTimestamp:
		return format.AppendInt(dst, int64(v.num)), typeTimestamp
	case KindUnknown:
		return append(dst, v.str...), v.code
	}
	return dst, typeNull
}

// scalar reads raw bytes that the format has checked.
func scalar(code uint8, raw []byte) Value {
	switch code {
	case typeNull:
		return Value{}
	case typeFalse, typeTrue:
		return Bool(code == typeTrue)
	case typeUint:
		n, _ := format.ReadUint(raw)
		return Uint(n)
	case typeInt, typeCounter, typeTimestamp:
		n, _ := format.ReadInt(raw)
		return Value{kind: map[uint8]Kind{typeInt: KindInt, typeCounter: KindCounter, typeTimestamp: KindTimestamp}[code], num: uint64(n)}
	case typeFloat:
		v := Value{kind: KindFloat}
		for i, b := range raw {
			v.num |= uint64(b) << (8 * i)
		}
		return v
	case typeStr:
		return Str(string(raw))
	case typeBytes:
		return Value{kind: KindBytes, str: string(raw)}
	}
	return Value{kind: KindUnknown, code: code, str: string(raw)}
}

// A Prop is a place in an object: a key of a map or an index of a sequence.
type Prop struct {
	key   string
	index int
	isKey bool
}

// Key is a key of a map; any string, also the empty one.
func Key(k string) Prop { return Prop{key: k, isKey: true} }

// Index is a place in a list, counted from 0, or in a text, in the units of the
// document.
func Index(i int) Prop { return Prop{index: i} }

func (p Prop) String() string {
	if p.isKey {
		return strconv.Quote(p.key)
	}
	return strconv.Itoa(p.index)
}

// What editing and reading may answer; errors wrap one of these.
var (
	ErrNoObject = errors.New("automerge: no such object")
	ErrKind     = errors.New("automerge: wrong kind of object")
	ErrRange    = errors.New("automerge: index out of range")
	ErrValue    = errors.New("automerge: value not possible there")
	ErrPending  = errors.New("automerge: edits are not committed")
	ErrHeads    = errors.New("automerge: unknown heads")
	ErrRefused  = errors.New("automerge: change refused")
	ErrCorrupt  = errors.New("automerge: damaged bytes")
	ErrLimit    = errors.New("automerge: beyond the limit")
)
