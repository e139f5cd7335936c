package lan

import (
	"context"
	"errors"
	"net"
	"sync/atomic"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/protocol"
)

// singleID names the muxer that does nothing: a connection here carries one
// stream, so the secured connection is that stream. yamux, which stays as the
// fallback, copies every byte twice more and holds small frames back.
const singleID protocol.ID = "/inselnetz/single/1"

type singleMuxer struct{}

func (singleMuxer) NewConn(c net.Conn, isServer bool, _ network.PeerScope) (network.MuxedConn, error) {
	return &single{Conn: c, server: isServer}, nil
}

// A single is a connection and its only stream, opened by the dialer.
type single struct {
	net.Conn
	server bool
	taken  atomic.Bool
	closed atomic.Bool
}

var errTaken = errors.New("the connection's stream is taken")

func (c *single) OpenStream(context.Context) (network.MuxedStream, error) { return c.take(!c.server) }
func (c *single) AcceptStream() (network.MuxedStream, error)              { return c.take(c.server) }

func (c *single) take(may bool) (network.MuxedStream, error) {
	if !may || c.taken.Swap(true) {
		return nil, errTaken
	}
	return singleStream{c}, nil
}

func (c *single) Close() error {
	if c.closed.Swap(true) {
		return nil
	}
	return c.Conn.Close()
}

func (c *single) CloseWithError(network.ConnErrorCode) error { return c.Close() }
func (c *single) IsClosed() bool                             { return c.closed.Load() }
func (c *single) As(any) bool                                { return false }

// singleStream is the stream of a single.
type singleStream struct{ *single }

// CloseWrite says that no more comes, where the security layer can say so.
func (s singleStream) CloseWrite() error {
	if c, ok := s.Conn.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return s.Close()
}

func (s singleStream) CloseRead() error                             { return nil }
func (s singleStream) Reset() error                                 { return s.Close() }
func (s singleStream) ResetWithError(network.StreamErrorCode) error { return s.Close() }
