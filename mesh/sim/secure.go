package sim

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"

	"inselnetz/mesh"
)

// sealLen is how much longer a frame is on its way through a third device.
const sealLen = 32

var errForged = errors.New("sim: not who it should be")

// A sealed is a Conn within one that a third device carries. Only the World knows
// what makes its frames what they are, so nobody else can make or read them.
type sealed struct {
	mesh.Conn
	n        *node
	peer     mesh.PeerID
	proto    string
	out, in  string // names of both ways
	sent     uint64
	received uint64
}

// Secure has both ends show that the World knows them by their names.
func (n *node) Secure(ctx context.Context, carrier mesh.Conn, peer mesh.PeerID, dialed bool, proto string) (mesh.Conn, error) {
	defer context.AfterFunc(ctx, func() { carrier.Close() })()
	s := &sealed{Conn: carrier, n: n, peer: peer, proto: proto, out: n.name + ">" + string(peer), in: string(peer) + ">" + n.name}
	hello := []byte{}
	if dialed {
		hello = []byte(proto)
	}
	if err := s.Send(hello); err != nil {
		return nil, fmt.Errorf("sim: secure: %w", err)
	}
	got, err := s.Recv()
	if err != nil {
		return nil, fmt.Errorf("sim: secure: %w", err)
	}
	if !dialed {
		s.proto = string(got)
	}
	return s, nil
}

func (s *sealed) Peer() mesh.PeerID { return s.peer }
func (s *sealed) Proto() string     { return s.proto }

func (s *sealed) Send(frame []byte) error {
	if len(frame)+sealLen > mesh.MaxFrame {
		if len(frame) > mesh.MaxFrame {
			return fmt.Errorf("sim: frame of %d bytes", len(frame))
		}
		half := len(frame) / 2
		if err := s.send(frame[:half], 1); err != nil {
			return err
		}
		frame = frame[half:]
	}
	return s.send(frame, 0)
}

// send seals a frame, or the first part of one, which more says.
func (s *sealed) send(frame []byte, more byte) error {
	s.sent++
	seal := s.seal(s.out, s.sent, more, frame)
	veiled := append(slices.Clone(seal[:]), frame...)
	s.veil(veiled[sealLen:], s.out, s.sent)
	return s.Conn.Send(veiled)
}

func (s *sealed) Recv() ([]byte, error) {
	frame, err := s.Conn.Recv()
	if err != nil {
		return nil, err
	}
	s.received++
	if len(frame) < sealLen {
		return nil, errForged
	}
	plain := slices.Clone(frame[sealLen:])
	s.veil(plain, s.in, s.received)
	whole, part := s.seal(s.in, s.received, 0, plain), s.seal(s.in, s.received, 1, plain)
	seal := whole
	if bytes.Equal(frame[:sealLen], part[:]) {
		seal = part
	}
	if !bytes.Equal(frame[:sealLen], seal[:]) {
		return nil, errForged
	}
	if seal == part {
		rest, err := s.Recv()
		if err != nil {
			return nil, err
		}
		plain = append(plain, rest...)
	}
	return plain, nil
}

// veil hides a frame, or shows it again.
func (s *sealed) veil(frame []byte, way string, n uint64) {
	key := s.n.w.sum("veil", way, n)
	for i := range frame {
		frame[i] ^= key[i%len(key)]
	}
}

func (s *sealed) seal(way string, n uint64, more byte, plain []byte) [sealLen]byte {
	return s.n.w.sum("seal", way, n, more, sha256.Sum256(plain))
}
