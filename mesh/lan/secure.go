package lan

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/sec"

	"inselnetz/mesh"
)

// carriedPiece is how many bytes go into one frame of a carrier: enough to be
// quick, little enough that a carrying device holds little.
const carriedPiece = 64 << 10

// Secure makes a TLS connection, as a direct one has it, over a Conn that another
// device carries.
func (t *Transport) Secure(ctx context.Context, carrier mesh.Conn, to mesh.PeerID, dialed bool, proto string) (mesh.Conn, error) {
	id, err := peer.Decode(string(to))
	if err != nil {
		return nil, fmt.Errorf("secure: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, handshakeTime)
	defer cancel()
	defer context.AfterFunc(t.ctx, cancel)()
	stop := context.AfterFunc(ctx, func() { carrier.Close() })
	defer stop()
	v := &veiled{carrier: carrier, peer: to, proto: proto}
	v.pipe = &pipe{c: carrier}
	if dialed {
		v.tls, err = t.host.tls.SecureOutbound(ctx, v.pipe, id)
	} else {
		v.tls, err = t.host.tls.SecureInbound(ctx, v.pipe, id)
	}
	if err != nil {
		return nil, fmt.Errorf("secure: %w", err)
	}
	v.in = bufio.NewReaderSize(v.tls, 16<<10)
	if dialed {
		_, err = v.tls.Write(append([]byte{byte(len(proto))}, proto...))
	} else {
		v.proto, err = readProto(v.in)
	}
	if err != nil {
		return nil, fmt.Errorf("secure: %w", err)
	}
	if !stop() {
		return nil, fmt.Errorf("secure: %w", context.Cause(ctx))
	}
	return v, nil
}

// A veiled is a Conn within a carrier: who carries sees its frames sealed.
type veiled struct {
	carrier mesh.Conn
	pipe    *pipe
	tls     sec.SecureConn
	peer    mesh.PeerID
	proto   string

	sendMu sync.Mutex
	recvMu sync.Mutex
	in     *bufio.Reader
}

func (v *veiled) Peer() mesh.PeerID { return v.peer }
func (v *veiled) Proto() string     { return v.proto }
func (v *veiled) Path() string      { return v.carrier.Path() }
func (v *veiled) Close() error      { return v.carrier.Close() }

func (v *veiled) Send(frame []byte) error {
	if len(frame) > mesh.MaxFrame {
		return fmt.Errorf("frame of %d bytes is too long", len(frame))
	}
	v.sendMu.Lock()
	defer v.sendMu.Unlock()
	v.pipe.hold()
	err := writeFrame(v.tls, frame)
	if e := v.pipe.flush(); err == nil {
		err = e
	}
	if err != nil {
		v.Close()
		return fmt.Errorf("send through %s: %w", v.Path(), err)
	}
	return nil
}

func (v *veiled) Recv() ([]byte, error) {
	v.recvMu.Lock()
	defer v.recvMu.Unlock()
	frame, err := readFrame(v.in)
	if err != nil {
		v.Close()
		return nil, v.told(err)
	}
	return frame, nil
}

// RecvStream spares the copy that Recv makes.
func (v *veiled) RecvStream() (int, io.Reader, error) {
	v.recvMu.Lock()
	defer v.recvMu.Unlock()
	var head [4]byte
	if _, err := io.ReadFull(v.in, head[:]); err != nil {
		v.Close()
		return 0, nil, v.told(err)
	}
	size := binary.BigEndian.Uint32(head[:])
	if size > mesh.MaxFrame {
		v.Close()
		return 0, nil, v.told(errFrame)
	}
	return int(size), io.LimitReader(veiledBody{v}, int64(size)), nil
}

type veiledBody struct{ v *veiled }

func (b veiledBody) Read(p []byte) (int, error) {
	b.v.recvMu.Lock()
	defer b.v.recvMu.Unlock()
	n, err := b.v.in.Read(p)
	if err != nil {
		b.v.Close()
		err = b.v.told(err)
	}
	return n, err
}

func (v *veiled) told(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) {
		return net.ErrClosed
	}
	return fmt.Errorf("receive through %s: %w", v.Path(), err)
}

// A pipe is a carrier as TLS wants it: bytes instead of frames. Deadlines are the
// carrier's own; closing it is what ends a wait.
type pipe struct {
	c    mesh.Conn
	rest []byte // of a frame, not read yet

	mu      sync.Mutex
	out     []byte
	holding bool
}

func (p *pipe) Read(b []byte) (int, error) {
	for len(p.rest) == 0 {
		frame, err := p.c.Recv()
		if err != nil {
			return 0, err
		}
		p.rest = frame
	}
	n := copy(b, p.rest)
	p.rest = p.rest[n:]
	return n, nil
}

func (p *pipe) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.out)+len(b) > carriedPiece {
		if err := p.send(); err != nil {
			return 0, err
		}
	}
	p.out = append(p.out, b...)
	if p.holding && len(p.out) < carriedPiece {
		return len(b), nil
	}
	return len(b), p.send()
}

// send sends what was gathered. The caller holds mu.
func (p *pipe) send() error {
	for len(p.out) > 0 {
		n := min(len(p.out), carriedPiece)
		if err := p.c.Send(p.out[:n]); err != nil {
			return err
		}
		p.out = p.out[n:]
	}
	p.out = p.out[:0]
	return nil
}

// hold gathers what is written until flush.
func (p *pipe) hold() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.holding = true
}

func (p *pipe) flush() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.holding = false
	return p.send()
}

func (p *pipe) Close() error                     { return p.c.Close() }
func (p *pipe) LocalAddr() net.Addr              { return pipeAddr{} }
func (p *pipe) RemoteAddr() net.Addr             { return pipeAddr{} }
func (p *pipe) SetDeadline(time.Time) error      { return nil }
func (p *pipe) SetReadDeadline(time.Time) error  { return nil }
func (p *pipe) SetWriteDeadline(time.Time) error { return nil }

type pipeAddr struct{}

func (pipeAddr) Network() string { return "relay" }
func (pipeAddr) String() string  { return "relay" }
