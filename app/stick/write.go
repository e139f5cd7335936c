package stick

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"

	"inselnetz/crdt/log"
)

// magic begins a file; its last byte is the version.
const magic = "inselnetz-stick\x01"

// A Writer makes a file. What is of the control space comes first; Space begins
// what is of another one.
type Writer struct {
	to      *sealer
	salt    [32]byte
	records uint64
	space   log.SpaceID
	key     []byte // of the space; nil: the control space, which all who can open the file read
}

// NewWriter begins a file for members.
func NewWriter(to io.Writer, members Locks, about About) (*Writer, error) {
	w := &Writer{}
	var content secret
	_, _ = rand.Read(w.salt[:]) // never fails since Go 1.24
	_, _ = rand.Read(content[:])
	lock, err := makeLock(scope{salt: w.salt}, content, members)
	if err != nil {
		return nil, err
	}
	head := append(append([]byte(magic), w.salt[:]...), lock...)
	if _, err := to.Write(head); err != nil {
		return nil, err
	}
	w.to = &sealer{w: to, aead: newAEAD(streamKey(content, head))}
	return w, w.put(typeAbout, encode(about))
}

// streamKey belongs to one header, so that no other can be put before a stream.
func streamKey(content secret, head []byte) []byte {
	sum := sha256.Sum256(head)
	return derive(content[:], sum[:], "inselnetz/stick/1/stream")
}

// Space says that what follows is of a space, and who may read it.
func (w *Writer) Space(id log.SpaceID, readers Locks) error {
	var content secret
	_, _ = rand.Read(content[:])
	s := scope{w.salt, id, w.records}
	lock, err := makeLock(s, content, readers)
	if err != nil {
		return err
	}
	if err := w.put(typeSpace, append(id[:], lock...)); err != nil {
		return err
	}
	w.space, w.key = id, s.spaceKey(content)
	return nil
}

func (s scope) spaceKey(content secret) []byte {
	return derive(content[:], s.salt[:], string(s.info("space")))
}

// Part writes entries of a log of the space.
func (w *Writer) Part(p Part) error {
	if p.Card.Space != w.space {
		return fmt.Errorf("part of space %s within %s", p.Card.Space, w.space)
	}
	return w.record(typePart, encode(partBody{Card: p.Card.Pack(), Entries: p.Entries}))
}

// Holds writes what a device has of the space.
func (w *Writer) Holds(h *Holds) error { return w.record(typeHolds, encode(h)) }

// Piece writes a piece of a content of the space.
func (w *Writer) Piece(p Piece) error { return w.record(typePiece, encode(p)) }

// Close writes the end, without which a file counts as cut short. It does not
// close what lies below.
func (w *Writer) Close() error { return w.to.Close() }

func (w *Writer) record(kind byte, body []byte) error {
	if w.key == nil {
		return w.put(kind, body)
	}
	return w.put(typeSealed, seal(nil, w.key, w.records, append([]byte{kind}, body...)))
}

func (w *Writer) put(kind byte, body []byte) error {
	if len(body) > maxRecord {
		return fmt.Errorf("record of %d bytes", len(body))
	}
	w.records++
	if _, err := w.to.Write(binary.BigEndian.AppendUint32([]byte{kind}, uint32(len(body)))); err != nil {
		return err
	}
	_, err := w.to.Write(body)
	return err
}
