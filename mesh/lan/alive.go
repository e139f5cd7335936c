package lan

import (
	"net"
	"syscall"
	"time"

	"github.com/libp2p/go-libp2p/core/transport"
)

// What the system asks the other end's by itself (TCP keepalive). It is to tell
// that somebody is there; that nobody is, the mesh decides, and earlier.
var keepAlive = net.KeepAliveConfig{Enable: true, Idle: 5 * time.Second, Interval: time.Second, Count: 15}

// A kept is a TCP connection whose system can tell when it last heard the other end.
type kept struct {
	transport.CapableConn
	raw syscall.RawConn
}

// keptAlive returns c, made over a TCP connection, as a kept one where the system
// can tell.
func keptAlive(c transport.CapableConn, over net.Conn) transport.CapableConn {
	tcp, ok := over.(*net.TCPConn)
	if !ok {
		return c
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return c
	}
	if _, ok := heardTCP(raw); !ok || tcp.SetKeepAliveConfig(keepAlive) != nil {
		return c
	}
	return &kept{c, raw}
}

// Heard tells how long ago the other end's system was last heard of. Its part in
// what the mesh knows is mesh.AliveConn.
func (c *conn) Heard() (ago time.Duration, ok bool) {
	k, ok := c.muxed.(*kept)
	if !ok {
		return 0, false
	}
	return heardTCP(k.raw)
}
