package lan

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/transport"

	"inselnetz/mesh"
)

const (
	sendTimeout = 20 * time.Second       // for one frame
	lingerTime  = 500 * time.Millisecond // for the last frames to arrive after Close
	readPiece   = 32 << 10               // a frame's memory grows by no more than this ahead of its bytes
	joinedFrame = 4 << 10                // up to here length and frame go out in one write
)

// A conn is one libp2p connection with its only stream.
type conn struct {
	peer   mesh.PeerID
	proto  string
	path   string
	muxed  transport.CapableConn
	stream network.MuxedStream
	pass   *pass // of an inbound connection
	owner  *Transport

	sendMu sync.Mutex
	recvMu sync.Mutex
	in     *bufio.Reader
	closed chan struct{}
	once   sync.Once
}

func newConn(t *Transport, muxed transport.CapableConn, stream network.MuxedStream, proto string, p *pass) *conn {
	return &conn{
		peer:   mesh.PeerID(muxed.RemotePeer().String()),
		proto:  proto,
		path:   pathText(muxed.RemoteMultiaddr()),
		muxed:  muxed,
		stream: stream,
		pass:   p,
		owner:  t,
		in:     bufio.NewReaderSize(stream, 8<<10),
		closed: make(chan struct{}),
	}
}

func (c *conn) Peer() mesh.PeerID { return c.peer }
func (c *conn) Proto() string     { return c.proto }
func (c *conn) Path() string      { return c.path }

// Send writes one frame; it gives up, and the Conn is broken, after a while.
func (c *conn) Send(frame []byte) error {
	if len(frame) > mesh.MaxFrame {
		return fmt.Errorf("frame of %d bytes is too long", len(frame))
	}
	c.sendMu.Lock()
	defer c.sendMu.Unlock()
	c.stream.SetWriteDeadline(time.Now().Add(sendTimeout))
	select {
	case <-c.closed: // after the deadline was set, so that Close cannot be overtaken
		return net.ErrClosed
	default:
	}
	if err := writeFrame(c.stream, frame); err != nil {
		c.Close()
		return c.told(fmt.Errorf("send to %s: %w", c.path, err))
	}
	return nil
}

// Recv returns the next frame.
func (c *conn) Recv() ([]byte, error) {
	c.recvMu.Lock()
	defer c.recvMu.Unlock()
	select {
	case <-c.closed:
		return nil, net.ErrClosed
	default:
	}
	frame, err := readFrame(c.in)
	if err != nil {
		c.Close()
		return nil, c.told(fmt.Errorf("receive from %s: %w", c.path, err))
	}
	return frame, nil
}

// RecvStream waits for the next frame and returns its length and a Reader of its
// bytes, all of which must be read before the next call. It spares the copy that
// Recv makes.
func (c *conn) RecvStream() (int, io.Reader, error) {
	var head [4]byte
	if _, err := io.ReadFull(body{c}, head[:]); err != nil {
		return 0, nil, err
	}
	size := binary.BigEndian.Uint32(head[:])
	if size > mesh.MaxFrame {
		c.Close()
		return 0, nil, c.told(fmt.Errorf("receive from %s: %w", c.path, errFrame))
	}
	return int(size), io.LimitReader(body{c}, int64(size)), nil
}

// A body reads what comes on a conn.
type body struct{ c *conn }

func (b body) Read(p []byte) (int, error) {
	c := b.c
	c.recvMu.Lock()
	defer c.recvMu.Unlock()
	select {
	case <-c.closed:
		return 0, net.ErrClosed
	default:
	}
	n, err := c.in.Read(p)
	if err != nil {
		c.Close()
		err = c.told(fmt.Errorf("receive from %s: %w", c.path, err))
	}
	return n, err
}

// told replaces an error by net.ErrClosed if the Conn was closed on purpose.
func (c *conn) told(err error) error {
	if errors.Is(err, io.EOF) || !errors.Is(err, errFrame) && c.owner.ctx.Err() != nil {
		return net.ErrClosed
	}
	return err
}

// Close ends the Conn; frames sent before still arrive if the peer listens.
func (c *conn) Close() error {
	c.once.Do(func() {
		close(c.closed)
		c.stream.SetDeadline(time.Unix(1, 0))
		if !c.owner.spawn(c.linger) {
			c.drop()
		}
	})
	return nil
}

// linger waits until the other end has seen the end of the stream, or not long.
func (c *conn) linger() {
	defer c.drop()
	timer := time.AfterFunc(lingerTime, func() { c.muxed.Close() })
	defer timer.Stop()
	c.sendMu.Lock()
	err := c.stream.CloseWrite()
	c.sendMu.Unlock()
	if err != nil {
		return
	}
	c.recvMu.Lock()
	defer c.recvMu.Unlock()
	c.stream.SetReadDeadline(time.Now().Add(lingerTime))
	io.Copy(io.Discard, c.stream)
}

func (c *conn) drop() {
	c.stream.Reset()
	c.muxed.Close()
	if c.pass != nil {
		c.pass.release()
	}
	c.owner.forget(c)
}

var errFrame = errors.New("frame is longer than allowed")

func writeFrame(w io.Writer, frame []byte) error {
	if len(frame) <= joinedFrame {
		p := make([]byte, 4, 4+len(frame))
		binary.BigEndian.PutUint32(p, uint32(len(frame)))
		_, err := w.Write(append(p, frame...))
		return err
	}
	var head [4]byte
	binary.BigEndian.PutUint32(head[:], uint32(len(frame)))
	if _, err := w.Write(head[:]); err != nil {
		return err
	}
	_, err := w.Write(frame)
	return err
}

// readFrame never allocates much more than has arrived, whatever length is claimed.
func readFrame(r io.Reader) ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	size := int64(binary.BigEndian.Uint32(head[:]))
	if size > mesh.MaxFrame {
		return nil, errFrame
	}
	frame := make([]byte, 0, min(size, readPiece))
	for int64(len(frame)) < size {
		n := int(min(size-int64(len(frame)), readPiece, int64(max(len(frame), readPiece))))
		at := len(frame)
		frame = append(frame, make([]byte, n)...)
		if _, err := io.ReadFull(r, frame[at:]); err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
	}
	return frame, nil
}
