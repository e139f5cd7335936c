package stick

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"inselnetz/crdt/log"
)

// A Reader reads a file.
type Reader struct {
	About  About
	Closed int // spaces that are not for this device

	from    *opener
	keys    Keys
	salt    [32]byte
	records uint64
	space   log.SpaceID
	key     []byte // of the space
	shut    bool   // it is not for this device
}

// NewReader reads the beginning of a file. The error is ErrNotStick, ErrNewer,
// ErrForeign, ErrDamaged or one of from.
func NewReader(from io.Reader, keys Keys) (*Reader, error) {
	r := &Reader{keys: keys}
	head := make([]byte, len(magic)+len(r.salt)+2)
	n, err := io.ReadFull(from, head)
	if err := headProblem(head[:n], err); err != nil {
		return nil, err
	}
	copy(r.salt[:], head[len(magic):])
	size, ok := lockSize(head[len(head)-2:])
	if !ok {
		return nil, fmt.Errorf("%w: header", ErrDamaged)
	}
	at := len(head) - 2
	head = append(head, make([]byte, size-2)...)
	if _, err := io.ReadFull(from, head[at+2:]); err != nil {
		return nil, cut(err)
	}
	content, ok := openLock(scope{salt: r.salt}, head[at:], keys.Network, keys.Box)
	if !ok {
		return nil, ErrForeign
	}
	r.from = &opener{r: from, aead: newAEAD(streamKey(content, head))}
	kind, body, err := r.take()
	if err != nil {
		return nil, cut(err)
	}
	about, err := exactly(body, func(*About) bool { return kind == typeAbout })
	if err != nil {
		return nil, err
	}
	r.About = *about
	return r, nil
}

// headProblem says what is wrong with the first bytes of a file.
func headProblem(head []byte, err error) error {
	name := magic[:len(magic)-1]
	switch {
	case err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
		return err
	case len(head) < len(magic) || string(head[:len(name)]) != name:
		return ErrNotStick
	case head[len(name)] > magic[len(name)]:
		return ErrNewer
	case head[len(name)] != magic[len(name)]:
		return ErrNotStick
	}
	return cut(err)
}

// cut makes an end that is none an ErrDamaged.
func cut(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return ErrDamaged
	}
	return err
}

// Next returns the next record that is for this device, io.EOF at the end of a
// whole file. What it returned before may be used on.
func (r *Reader) Next() (*Record, error) {
	for {
		number := r.records
		kind, body, err := r.take()
		if err != nil {
			return nil, err
		}
		switch kind {
		case typeAbout:
			return nil, fmt.Errorf("%w: begins twice", ErrDamaged)
		case typeSpace:
			if err := r.enter(number, body); err != nil {
				return nil, err
			}
			continue
		case typeSealed:
			if r.key == nil && !r.shut {
				return nil, fmt.Errorf("%w: sealed outside of a space", ErrDamaged)
			}
			if r.shut {
				continue
			}
			if kind, body, err = r.unseal(number, body); err != nil {
				return nil, err
			}
		default:
			if r.key != nil || r.shut { // what is of a space is sealed for it
				return nil, fmt.Errorf("%w: not sealed", ErrDamaged)
			}
		}
		if rec, err := decodeRecord(r.space, kind, body); rec != nil || err != nil {
			return rec, err
		}
	}
}

// enter begins a space.
func (r *Reader) enter(number uint64, body []byte) error {
	var id log.SpaceID
	if len(body) < len(id)+lockFixed {
		return fmt.Errorf("%w: space", ErrDamaged)
	}
	lock := body[copy(id[:], body):]
	if size, ok := lockSize(lock[:2]); !ok || size != len(lock) || id == log.Control {
		return fmt.Errorf("%w: space", ErrDamaged)
	}
	var keys []log.Key
	if r.keys.Space != nil {
		keys = r.keys.Space(id)
	}
	s := scope{r.salt, id, number}
	content, ok := openLock(s, lock, keys, r.keys.Box)
	r.space, r.key, r.shut = id, nil, !ok
	if ok {
		r.key = s.spaceKey(content)
	} else {
		r.Closed++
	}
	return nil
}

func (r *Reader) unseal(number uint64, body []byte) (byte, []byte, error) {
	plain, err := open(r.key, number, body)
	if err != nil || len(plain) == 0 {
		return 0, nil, fmt.Errorf("%w: sealed record", ErrDamaged)
	}
	return plain[0], plain[1:], nil
}

// take reads a record. Its memory grows with what comes, not with what it claims.
func (r *Reader) take() (kind byte, body []byte, err error) {
	var head [headLen]byte
	if _, err := io.ReadFull(r.from, head[:]); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			err = ErrDamaged
		}
		return 0, nil, err
	}
	size := binary.BigEndian.Uint32(head[1:])
	if size > maxRecord {
		return 0, nil, fmt.Errorf("%w: record of %d bytes", ErrDamaged, size)
	}
	var buf bytes.Buffer
	if n, err := io.CopyN(&buf, r.from, int64(size)); err != nil || n != int64(size) {
		return 0, nil, cut(err)
	}
	r.records++
	return head[0], buf.Bytes(), nil
}
