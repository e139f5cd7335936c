package lan

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"
	"time"

	"github.com/libp2p/go-libp2p/config"
	p2pcrypto "github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/sec"
	"github.com/libp2p/go-libp2p/core/transport"
	rcmgr "github.com/libp2p/go-libp2p/p2p/host/resource-manager"
	"github.com/libp2p/go-libp2p/p2p/muxer/yamux"
	"github.com/libp2p/go-libp2p/p2p/net/upgrader"
	"github.com/libp2p/go-libp2p/p2p/security/noise"
	p2ptls "github.com/libp2p/go-libp2p/p2p/security/tls"
	quictransport "github.com/libp2p/go-libp2p/p2p/transport/quic"
	"github.com/libp2p/go-libp2p/p2p/transport/quicreuse"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
	"github.com/libp2p/go-libp2p/x/rate"
	manet "github.com/multiformats/go-multiaddr/net"
	"github.com/multiformats/go-multistream"
	"github.com/quic-go/quic-go"

	"inselnetz/mesh"
)

const (
	handshakeTime = 5 * time.Second
	tcpStagger    = 200 * time.Millisecond // between addresses of a peer
	quicDelay     = 700 * time.Millisecond // QUIC tries after TCP
	quicTime      = 2 * time.Second        // QUIC does not notice that nobody is there
	maxConns      = 1024
	maxProto      = 64
)

// A host makes and takes libp2p connections. There is no libp2p Host above it:
// identify, ping and address exchange would tell strangers more than they need.
// Each connection carries one stream, so a dead connection is never reused.
type host struct {
	self     peer.ID
	upgrader transport.Upgrader
	tcp      transport.Transport
	quic     transport.Transport
	udp      *quicreuse.ConnManager
	tls      *p2ptls.Transport
	limits   network.ResourceManager
	guard    *guard

	listener  net.Listener
	listeners []transport.Listener // QUIC
	port      int
	wanted    int // port; another one was taken if it was not free
}

func newHost(key ed25519.PrivateKey, g *guard) (*host, error) {
	if len(key) != ed25519.PrivateKeySize {
		return nil, errors.New("lan needs a key")
	}
	priv, err := p2pcrypto.UnmarshalEd25519PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("network key: %w", err)
	}
	h := &host{guard: g}
	if h.self, err = peer.IDFromPrivateKey(priv); err != nil {
		return nil, fmt.Errorf("network key: %w", err)
	}
	if h.limits, err = newLimits(); err != nil {
		return nil, err
	}
	muxers := []upgrader.StreamMuxer{{ID: singleID, Muxer: singleMuxer{}}, {ID: yamux.ID, Muxer: newMuxer()}}
	if h.tls, err = p2ptls.New(p2ptls.ID, priv, muxers); err != nil {
		return nil, fmt.Errorf("set up TLS: %w", err)
	}
	noiseTransport, err := noise.New(noise.ID, priv, muxers)
	if err != nil {
		return nil, fmt.Errorf("set up Noise: %w", err)
	}
	h.upgrader, err = upgrader.New([]sec.SecureTransport{h.tls, noiseTransport}, muxers, nil, h.limits, nil,
		upgrader.WithAcceptTimeout(handshakeTime))
	if err != nil {
		return nil, fmt.Errorf("set up connections: %w", err)
	}
	if h.tcp, err = tcp.NewTCPTransport(h.upgrader, h.limits, nil, tcp.DisableReuseport()); err != nil {
		return nil, fmt.Errorf("set up TCP: %w", err)
	}
	return h, h.newQUIC(priv)
}

func (h *host) newQUIC(priv p2pcrypto.PrivKey) error {
	reset, err := config.PrivKeyToStatelessResetKey(priv)
	if err != nil {
		return fmt.Errorf("set up QUIC: %w", err)
	}
	token, err := config.PrivKeyToTokenGeneratorKey(priv)
	if err != nil {
		return fmt.Errorf("set up QUIC: %w", err)
	}
	// Dialing shares the listening socket: without, each dial would leave one open.
	h.udp, err = quicreuse.NewConnManager(reset, token,
		quicreuse.VerifySourceAddress(func(net.Addr) bool { return true }),
		quicreuse.ConnContext(h.guardQUIC))
	if err != nil {
		return fmt.Errorf("set up QUIC: %w", err)
	}
	if h.quic, err = quictransport.NewTransport(priv, h.udp, nil, nil, h.limits); err != nil {
		return fmt.Errorf("set up QUIC: %w", err)
	}
	return nil
}

// newLimits bounds connections as an office needs it: many PCs behind one IPv6
// prefix, several programs on one PC.
func newLimits() (network.ResourceManager, error) {
	scaling := rcmgr.DefaultLimits
	limits := rcmgr.PartialLimitConfig{
		System: rcmgr.ResourceLimits{
			Conns: maxConns, ConnsInbound: maxConns, ConnsOutbound: maxConns, FD: maxConns,
			Streams: 2 * maxConns, StreamsInbound: 2 * maxConns, StreamsOutbound: 2 * maxConns,
			Memory: 256 << 20,
		},
		Transient:   rcmgr.ResourceLimits{Conns: maxConns, ConnsInbound: maxConns, ConnsOutbound: maxConns, FD: maxConns},
		PeerDefault: rcmgr.ResourceLimits{Conns: 64, ConnsInbound: 64, ConnsOutbound: 64, FD: 64},
	}.Build(scaling.Scale(512<<20, 4096))
	r, err := rcmgr.NewResourceManager(rcmgr.NewFixedLimiter(limits),
		rcmgr.WithMetricsDisabled(),
		rcmgr.WithConnRateLimiters(&rate.Limiter{}), /* none: the guard does it */
		rcmgr.WithLimitPerSubnet(
			[]rcmgr.ConnLimitPerSubnet{{PrefixLength: 32, ConnCount: 64}},
			[]rcmgr.ConnLimitPerSubnet{{PrefixLength: 128, ConnCount: 64}, {PrefixLength: 64, ConnCount: 1024}}))
	if err != nil {
		return nil, fmt.Errorf("set up limits: %w", err)
	}
	return r, nil
}

func newMuxer() *yamux.Transport {
	c := *yamux.DefaultTransport.Config()
	c.KeepAliveInterval = 7 * time.Second
	c.MaxIncomingStreams = 1
	c.AcceptBacklog = 1
	c.MaxStreamWindowSize = 4 << 20
	return (*yamux.Transport)(&c)
}

// listen opens TCP and, if it can, QUIC on the same port.
func (h *host) listen(ctx context.Context, port int, loopback bool) error {
	ip := ""
	if loopback {
		ip = "127.0.0.1"
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", net.JoinHostPort(ip, strconv.Itoa(port)))
	if err != nil { // taken: any other will do, beacons tell which
		if l, err = lc.Listen(ctx, "tcp", net.JoinHostPort(ip, "0")); err != nil {
			return fmt.Errorf("listen: %w", err)
		}
	}
	h.listener, h.wanted = l, port
	h.port = l.Addr().(*net.TCPAddr).Port
	ips := []netip.Addr{netip.IPv4Unspecified(), netip.IPv6Unspecified()}
	if loopback {
		ips = []netip.Addr{netip.MustParseAddr("127.0.0.1")}
	}
	for _, ip := range ips {
		m, err := quicAddr(netip.AddrPortFrom(ip, uint16(h.port)))
		if err != nil {
			return err
		}
		if q, err := h.quic.Listen(m); err == nil { // QUIC is the second way: without it the first must do
			h.listeners = append(h.listeners, q)
		}
	}
	return nil
}

// deafen stops listening; connections go on.
func (h *host) deafen() {
	if h.listener != nil {
		h.listener.Close()
	}
	for _, l := range h.listeners {
		l.Close() // libp2p panics on a second time
	}
	h.listener, h.listeners = nil, nil
}

func (h *host) close() {
	h.deafen()
	h.udp.Close()
	h.limits.Close()
}

// guardQUIC admits a QUIC connection before its handshake.
func (h *host) guardQUIC(ctx context.Context, info *quic.ClientInfo) (context.Context, error) {
	from, ok := addrOf(info.RemoteAddr)
	if !ok {
		return ctx, errors.New("no address")
	}
	p := h.guard.admit(time.Now(), from.Addr())
	if p == nil {
		return ctx, errors.New("too many connections")
	}
	context.AfterFunc(ctx, p.release)
	return ctx, nil
}

// secure makes a libp2p connection of an accepted TCP connection.
func (h *host) secure(ctx context.Context, raw net.Conn) (transport.CapableConn, error) {
	ctx, cancel := context.WithTimeout(ctx, handshakeTime)
	defer cancel()
	return h.upgrade(ctx, raw, network.DirInbound, "")
}

func (h *host) upgrade(ctx context.Context, raw net.Conn, dir network.Direction, p peer.ID) (transport.CapableConn, error) {
	m, err := manet.WrapNetConn(raw)
	if err != nil {
		raw.Close()
		return nil, err
	}
	scope, err := h.limits.OpenConnection(dir, true, m.RemoteMultiaddr())
	if err != nil {
		raw.Close()
		return nil, err
	}
	c, err := h.upgrader.Upgrade(ctx, h.tcp, m, dir, p, scope) // ends scope and raw on error
	if err != nil {
		return nil, err
	}
	return keptAlive(c, raw), nil
}

// An attempt is one way to a peer, tried after a while.
type attempt struct {
	delay time.Duration
	dial  func(context.Context) (transport.CapableConn, error)
}

// attempts are all addresses and names of a peer, TCP first.
func (h *host) attempts(to peer.ID, addrs []netip.AddrPort, names []string) (list []attempt) {
	for i, a := range addrs {
		delay := time.Duration(i) * tcpStagger
		list = append(list,
			attempt{delay, func(ctx context.Context) (transport.CapableConn, error) { return h.dialTCP(ctx, to, a.String()) }},
			attempt{delay + quicDelay, func(ctx context.Context) (transport.CapableConn, error) { return h.dialQUIC(ctx, to, a) }})
	}
	for i, name := range names {
		delay := time.Duration(min(i+len(addrs), 4)) * tcpStagger
		list = append(list,
			attempt{delay, func(ctx context.Context) (transport.CapableConn, error) { return h.dialTCP(ctx, to, name) }},
			attempt{delay + quicDelay, func(ctx context.Context) (transport.CapableConn, error) { return h.dialNameQUIC(ctx, to, name) }})
	}
	return list
}

// first makes attempts and keeps the connection that is made first.
func first(ctx context.Context, tries []attempt) (transport.CapableConn, error) {
	ctx, cancel := context.WithCancel(ctx)
	type result struct {
		conn transport.CapableConn
		err  error
	}
	results := make(chan result)
	for _, a := range tries {
		go func() {
			var r result
			select {
			case <-time.After(a.delay):
				r.conn, r.err = a.dial(ctx)
			case <-ctx.Done():
				r.err = ctx.Err()
			}
			results <- r
		}()
	}
	var won transport.CapableConn
	var errs []error
	for range tries { // cancelled ones end at once, so this also waits for the losers
		r := <-results
		switch {
		case r.err != nil:
			errs = append(errs, r.err)
		case won == nil:
			won = r.conn
			cancel()
		default:
			r.conn.Close()
		}
	}
	cancel()
	if won == nil {
		if err := ctx.Err(); len(errs) == 0 && err != nil {
			return nil, err
		}
		return nil, errors.Join(errs[:min(len(errs), 3)]...)
	}
	return won, nil
}

func (h *host) dialTCP(ctx context.Context, to peer.ID, hostport string) (transport.CapableConn, error) {
	ctx, cancel := context.WithTimeout(ctx, handshakeTime)
	defer cancel()
	raw, err := (&net.Dialer{}).DialContext(ctx, "tcp", hostport)
	if err != nil {
		return nil, err
	}
	return h.upgrade(ctx, raw, network.DirOutbound, to)
}

func (h *host) dialQUIC(ctx context.Context, to peer.ID, a netip.AddrPort) (transport.CapableConn, error) {
	ctx, cancel := context.WithTimeout(ctx, quicTime)
	defer cancel()
	return h.dialDatagrams(ctx, to, a)
}

// dialDatagrams makes a QUIC connection from the port that is listened on, as long
// as ctx lasts.
func (h *host) dialDatagrams(ctx context.Context, to peer.ID, a netip.AddrPort) (transport.CapableConn, error) {
	if a.Addr().Zone() != "" {
		return nil, errors.New("QUIC does not reach link-local addresses") // libp2p's address has no place for the zone
	}
	m, err := quicAddr(a)
	if err != nil {
		return nil, err
	}
	return h.quic.Dial(ctx, m, to)
}

// dialNameQUIC tries the addresses of a name, one after the other.
func (h *host) dialNameQUIC(ctx context.Context, to peer.ID, name string) (transport.CapableConn, error) {
	addrs, err := lookup(ctx, name)
	for _, a := range addrs {
		var c transport.CapableConn
		if c, err = h.dialQUIC(ctx, to, a); err == nil {
			return c, nil
		}
	}
	return nil, err
}

// ask makes a TLS handshake with whoever answers at an address and returns its
// name. Nothing else is said.
func (h *host) ask(ctx context.Context, hostport string) (peer.ID, netip.AddrPort, error) {
	ctx, cancel := context.WithTimeout(ctx, handshakeTime)
	defer cancel()
	raw, err := (&net.Dialer{}).DialContext(ctx, "tcp", hostport)
	if err != nil {
		return "", netip.AddrPort{}, err
	}
	defer raw.Close()
	stop := context.AfterFunc(ctx, func() { raw.Close() })
	defer stop()
	if _, err := multistream.SelectOneOf([]string{p2ptls.ID}, io.ReadWriteCloser(raw)); err != nil {
		return "", netip.AddrPort{}, foreign(hostport, err)
	}
	s, err := h.tls.SecureOutbound(ctx, raw, "")
	if err != nil {
		return "", netip.AddrPort{}, foreign(hostport, err)
	}
	at, _ := addrOf(raw.RemoteAddr())
	return s.RemotePeer(), at, nil
}

// openStream begins the only stream of a dialed connection.
func openStream(ctx context.Context, c transport.CapableConn, proto string) (network.MuxedStream, error) {
	s, err := c.OpenStream(ctx)
	if err != nil {
		return nil, err
	}
	s.SetWriteDeadline(time.Now().Add(handshakeTime))
	if _, err := s.Write(append([]byte{byte(len(proto))}, proto...)); err != nil {
		return nil, err
	}
	return s, nil
}

// acceptStream waits for the only stream of an accepted connection and for the
// protocol it names.
func acceptStream(c transport.CapableConn) (network.MuxedStream, string, error) {
	timer := time.AfterFunc(handshakeTime, func() { c.Close() })
	defer timer.Stop()
	s, err := c.AcceptStream()
	if err != nil {
		return nil, "", err
	}
	proto, err := readProto(s)
	return s, proto, err
}

// readProto reads the name a stream begins with.
func readProto(r io.Reader) (string, error) {
	var size [1]byte
	if _, err := io.ReadFull(r, size[:]); err != nil {
		return "", err
	}
	if size[0] == 0 || size[0] > maxProto {
		return "", errors.New("no protocol named")
	}
	proto := make([]byte, size[0])
	if _, err := io.ReadFull(r, proto); err != nil {
		return "", err
	}
	switch p := string(proto); p {
	case mesh.ProtoSync, mesh.ProtoJoin, mesh.ProtoBlocks, mesh.ProtoRelay, mesh.ProtoSeen:
		return p, nil
	}
	return "", fmt.Errorf("unknown protocol %q", proto)
}
