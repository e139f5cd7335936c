package tree

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"inselnetz/crdt/log"
)

// Limits of the format; FORMAT.md describes it.
const (
	FormatVersion = 1
	MaxOps        = 4096 // in one entry
	MaxParents    = 16
	MaxTarget     = 1024 // bytes of a link's target
	MaxLogs       = 64   // logs in a verdict

	// MaxPayload is how many bytes Encode may give for an entry with the most
	// control heads and dependencies, sealed.
	MaxPayload = 63 << 10
)

const (
	verdictCode = 5 // a Version has its Kind as code
	maxNesting  = 8 // of an operation this program does not know
)

// Errors of Encode and Decode. Details are wrapped around them.
var (
	ErrMalformed = errors.New("malformed file operations")
	ErrVersion   = errors.New("file operations of a newer version")
	ErrPath      = errors.New("path cannot be shared")
)

// An Op is a Version, a Verdict, or an Unknown operation of a later program.
type Op interface {
	check() error
	append(b []byte) []byte
}

// A Verdict is what people decided about versions of a device that were held:
// those in its logs up to the numbers given.
type Verdict struct {
	Device log.DeviceID
	Upto   []log.Dep // ascending by log, no one twice
	Accept bool
}

// Unknown is an operation this program does not know. It changes nothing.
type Unknown struct {
	Code uint64
	Raw  []byte // the operation as encoded
}

// A Payload is an encoded list of operations.
type Payload struct {
	Bytes []byte
	Ops   []Op
}

// Encode returns the payload of an entry with these operations. It refuses what
// Decode would refuse.
func Encode(ops []Op) ([]byte, error) {
	if len(ops) == 0 || len(ops) > MaxOps {
		return nil, fmt.Errorf("%w: %d operations", ErrMalformed, len(ops))
	}
	b := appendStart(nil, len(ops))
	for _, op := range ops {
		if err := op.check(); err != nil {
			return nil, err
		}
		b = op.append(b)
	}
	return b, nil
}

func appendStart(b []byte, ops int) []byte {
	b = appendHead(b, listMajor, 2)
	b = appendHead(b, uintMajor, FormatVersion)
	return appendHead(b, listMajor, uint64(ops))
}

// Pack encodes operations into as few payloads of at most max bytes as their
// order allows; at most MaxPayload if max is 0.
func Pack(ops []Op, max int) ([]Payload, error) {
	if max == 0 {
		max = MaxPayload
	}
	max -= len(appendStart(nil, MaxOps))
	var all []Payload
	var body []byte
	from := 0
	end := func(to int) {
		if from < to {
			all = append(all, Payload{Bytes: append(appendStart(nil, to-from), body...), Ops: ops[from:to:to]})
		}
		from, body = to, body[:0]
	}
	for i, op := range ops {
		if err := op.check(); err != nil {
			return nil, fmt.Errorf("operation %d: %w", i, err)
		}
		was := len(body)
		body = op.append(body)
		if len(body)-was > max {
			return nil, fmt.Errorf("%w: operation %d of %d bytes, at most %d", ErrMalformed, i, len(body)-was, max)
		}
		if len(body) > max || i-from == MaxOps {
			last := bytes.Clone(body[was:])
			body = body[:was]
			end(i)
			body = append(body, last...)
		}
	}
	end(len(ops))
	return all, nil
}

// Decode reads a payload. It accepts exactly one encoding of the operations it
// knows, so encoding them again gives the same bytes; operations of an unknown
// kind come back as Unknown. Versions and verdicts are values, not pointers.
func Decode(b []byte) ([]Op, error) {
	r := reader{b: b}
	fields := r.list(64)
	if v := r.uint(); !r.bad && v > FormatVersion {
		return nil, fmt.Errorf("%w: %d", ErrVersion, v) // whatever follows
	} else if v != FormatVersion || fields != 2 {
		return nil, fmt.Errorf("%w: not in canonical form", ErrMalformed)
	}
	n := r.list(MaxOps)
	if n == 0 || n > len(r.b) {
		return nil, fmt.Errorf("%w: %d operations", ErrMalformed, n)
	}
	ops := make([]Op, n)
	for i := range ops {
		op, err := r.op()
		if _, unknown := op.(Unknown); err == nil && !unknown {
			err = op.check()
		}
		if err != nil {
			return nil, fmt.Errorf("operation %d: %w", i, err)
		}
		ops[i] = op
	}
	if len(r.b) != 0 {
		return nil, fmt.Errorf("%w: more follows", ErrMalformed)
	}
	return ops, nil
}

// op takes an operation, whose values are still to be checked.
func (r *reader) op() (Op, error) {
	start := r.b
	fields := r.list(64)
	if fields == 0 {
		r.bad = true
	}
	code := r.uint()
	var op Op
	want := fields
	switch {
	case r.bad:
	case code >= uint64(File) && code <= uint64(Gone):
		v := Version{Kind: Kind(code)}
		want = [...]int{File: 7, Dir: 3, Link: 4, Gone: 3}[v.Kind]
		r.version(&v)
		op = v
	case code == verdictCode:
		var v Verdict
		want = 4
		r.verdict(&v)
		op = v
	default:
		for i := 1; i < fields; i++ {
			r.skip(maxNesting)
		}
		op = Unknown{Code: code, Raw: bytes.Clone(start[:len(start)-len(r.b)])}
	}
	if r.bad || fields != want {
		return nil, fmt.Errorf("%w: not in canonical form", ErrMalformed)
	}
	return op, nil
}

// version takes the fields of a version after its kind.
func (r *reader) version(v *Version) {
	v.Path = string(r.text(textMajor))
	switch v.Kind {
	case File:
		v.Size = int64(r.uint()) // checked later: beyond the range it is negative
		v.Time = r.int()
		v.Exec = r.bool()
		r.hashes(v)
	case Link:
		v.Target = string(r.text(bytesMajor))
	}
	if n := r.list(MaxParents); n > 0 {
		v.Parents = make([]VersionID, n)
		for i := range v.Parents {
			r.id(&v.Parents[i])
		}
	}
}

// hashes takes Sum or Blocks, as the size wants it.
func (r *reader) hashes(v *Version) {
	s := r.text(bytesMajor)
	if r.bad || v.Size < 0 || v.Size > MaxSize {
		return // check says so
	}
	n := BlockCount(v.Size)
	if n > MaxInline {
		n = 1
	}
	if len(s) != n*len(Sum{}) {
		r.bad = true
		return
	}
	switch n {
	case 0:
	case 1:
		v.Sum = Sum(s)
	default:
		v.Blocks = make([]Sum, n)
		for i := range v.Blocks {
			v.Blocks[i] = Sum(s[i*32:])
		}
		v.Sum = SumOf(v.Blocks)
	}
}

func (r *reader) id(v *VersionID) {
	r.bad = r.list(3) != 3 || r.bad
	r.fill(v.Log[:])
	v.Seq = r.uint()
	n := r.uint()
	v.N = uint32(min(n, MaxOps)) // which check refuses
}

func (r *reader) verdict(v *Verdict) {
	r.fill(v.Device[:])
	v.Upto = make([]log.Dep, r.list(MaxLogs))
	for i := range v.Upto {
		r.bad = r.list(2) != 2 || r.bad
		r.fill(v.Upto[i].Log[:])
		v.Upto[i].Seq = r.uint()
	}
	v.Accept = r.bool()
}

func (v Version) append(b []byte) []byte {
	switch v.Kind {
	case File:
		b = appendHead(b, listMajor, 7)
	case Link:
		b = appendHead(b, listMajor, 4)
	default:
		b = appendHead(b, listMajor, 3)
	}
	b = appendHead(b, uintMajor, uint64(v.Kind))
	b = appendText(b, v.Path)
	switch v.Kind {
	case File:
		b = appendHead(b, uintMajor, uint64(v.Size))
		b = appendInt(b, v.Time)
		b = appendBool(b, v.Exec)
		switch {
		case v.Size == 0:
			b = appendBytes(b, nil)
		case len(v.Blocks) == 0:
			b = appendBytes(b, v.Sum[:])
		default:
			b = appendHead(b, bytesMajor, uint64(32*len(v.Blocks)))
			for i := range v.Blocks {
				b = append(b, v.Blocks[i][:]...)
			}
		}
	case Link:
		b = appendBytes(b, []byte(v.Target))
	}
	b = appendHead(b, listMajor, uint64(len(v.Parents)))
	for i := range v.Parents {
		p := &v.Parents[i]
		b = appendHead(b, listMajor, 3)
		b = appendBytes(b, p.Log[:])
		b = appendHead(b, uintMajor, p.Seq)
		b = appendHead(b, uintMajor, uint64(p.N))
	}
	return b
}

func (v Verdict) append(b []byte) []byte {
	b = appendHead(b, listMajor, 4)
	b = appendHead(b, uintMajor, verdictCode)
	b = appendBytes(b, v.Device[:])
	b = appendHead(b, listMajor, uint64(len(v.Upto)))
	for i := range v.Upto {
		b = appendHead(b, listMajor, 2)
		b = appendBytes(b, v.Upto[i].Log[:])
		b = appendHead(b, uintMajor, v.Upto[i].Seq)
	}
	return appendBool(b, v.Accept)
}

func (u Unknown) append(b []byte) []byte { return append(b, u.Raw...) }

func (v Version) check() error {
	bad := func(what string) error { return fmt.Errorf("%w: %s of %q", ErrMalformed, what, v.Path) }
	if err := CheckPath(v.Path); err != nil {
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	switch v.Kind {
	case File:
		if err := v.checkContent(); err != "" {
			return bad(err)
		}
	case Dir, Link, Gone:
		if v.Size != 0 || v.Time != 0 || v.Exec || v.Sum != (Sum{}) || v.Blocks != nil {
			return bad("content")
		}
	default:
		return bad("kind")
	}
	if (v.Kind == Link) != (v.Target != "") || len(v.Target) > MaxTarget || strings.ContainsRune(v.Target, 0) {
		return bad("target")
	}
	if len(v.Parents) > MaxParents || !slices.IsSortedFunc(v.Parents, VersionID.Compare) {
		return bad("parents")
	}
	for i, p := range v.Parents {
		if p.check() != nil || i > 0 && p == v.Parents[i-1] {
			return bad("parents")
		}
	}
	return nil
}

// checkContent names what is wrong with size and hashes of a file.
func (v *Version) checkContent() string {
	if v.Size < 0 || v.Size > MaxSize {
		return "size"
	}
	n := BlockCount(v.Size)
	inline := 0
	if n > 1 && n <= MaxInline {
		inline = n
	}
	switch {
	case len(v.Blocks) != inline || inline == 0 && v.Blocks != nil:
		return "blocks"
	case (v.Sum == Sum{}) != (n == 0), inline > 0 && v.Sum != SumOf(v.Blocks):
		return "sum"
	}
	return ""
}

func (v Verdict) check() error {
	if len(v.Upto) == 0 || len(v.Upto) > MaxLogs {
		return fmt.Errorf("%w: verdict on %d logs", ErrMalformed, len(v.Upto))
	}
	for i, u := range v.Upto {
		if u.Seq < 1 || u.Seq > log.MaxSeq || i > 0 && bytes.Compare(v.Upto[i-1].Log[:], u.Log[:]) >= 0 {
			return fmt.Errorf("%w: logs of a verdict", ErrMalformed)
		}
	}
	return nil
}

func (u Unknown) check() error {
	r := reader{b: u.Raw}
	op, err := r.op()
	if o, ok := op.(Unknown); err != nil || !ok || o.Code != u.Code || len(r.b) != 0 {
		return fmt.Errorf("%w: operation of kind %d", ErrMalformed, u.Code)
	}
	return nil
}
