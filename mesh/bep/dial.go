package bep

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/syncthing/syncthing/lib/protocol"
	"golang.org/x/sync/errgroup"
)

const (
	defaultPort = "22000"
	handshake   = 15 * time.Second // for TLS and hello
	knocking    = 32               // connections at once whose device is not known yet
	young       = 10 * time.Second // a connection this young is not replaced
	maxStranger = 8
)

func tlsConfig(cert tls.Certificate) *tls.Config {
	return &tls.Config{
		Certificates:       []tls.Certificate{cert},
		NextProtos:         []string{"bep/1.0"},
		MinVersion:         tls.VersionTLS13,
		ClientAuth:         tls.RequireAnyClientCert,
		InsecureSkipVerify: true, // the device id is the hash of the certificate: greet compares it
		ServerName:         certName,
		// A resumed session would not show its certificate anew.
		SessionTicketsDisabled: true,
	}
}

// accept takes connections until ctx ends.
func (g *Gateway) accept(ctx context.Context, eg *errgroup.Group) error {
	stop := context.AfterFunc(ctx, func() { g.ln.Close() })
	defer stop()
	room := make(chan struct{}, knocking)
	for {
		nc, err := g.ln.Accept()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			g.log.Warn("cannot accept Syncthing devices", "err", err)
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(time.Second):
			}
			continue
		}
		select {
		case room <- struct{}{}:
		default:
			nc.Close()
			continue
		}
		eg.Go(func() error {
			c, err := g.greet(ctx, tls.Server(nc, g.tls), nil)
			<-room
			if err == nil {
				g.serve(c)
			} else {
				g.log.Debug("connection not taken", "addr", nc.RemoteAddr().String(), "err", err)
			}
			return nil
		})
	}
}

// dial keeps connecting to a device until ctx ends.
func (g *Gateway) dial(ctx context.Context, d Device) error {
	wait := time.Duration(0)
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
		wait = time.Second + rand.N(2*time.Second)
		if g.connected(d.ID) {
			continue
		}
		var errs []error
		for _, a := range d.Addrs {
			c, err := g.reach(ctx, d, a)
			if err == nil {
				began := time.Now()
				g.serve(c)
				if time.Since(began) < 20*time.Second {
					wait = 5*time.Second + rand.N(10*time.Second) // it may not know us yet
				}
				errs = nil
				break
			}
			errs = append(errs, err)
		}
		if err := errors.Join(errs...); err != nil && ctx.Err() == nil {
			g.noted(d.ID, func(st *DeviceStatus) { st.Err = errs[0].Error() })
			wait = 5*time.Second + rand.N(10*time.Second)
		}
	}
}

// reach connects to a device at an address.
func (g *Gateway) reach(ctx context.Context, d Device, addr string) (*conn, error) {
	addr = strings.TrimPrefix(addr, "tcp://")
	if _, _, err := net.SplitHostPort(addr); err != nil {
		addr = net.JoinHostPort(strings.Trim(addr, "[]"), defaultPort)
	}
	nd := net.Dialer{Timeout: handshake}
	nc, err := nd.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	return g.greet(ctx, tls.Client(nc, g.tls), &d.ID)
}

// greet makes a connection of one that just came about: TLS, then hellos. expect
// is the device that was dialed, nil if it was not us who dialed. Strangers learn
// nothing but that somebody speaks BEP here.
func (g *Gateway) greet(ctx context.Context, nc *tls.Conn, expect *DeviceID) (_ *conn, err error) {
	defer func() {
		if err != nil {
			nc.Close()
		}
	}()
	// A silent one is cut off, and one that is greeted when we go.
	stop := context.AfterFunc(ctx, func() { nc.NetConn().Close() })
	defer stop()
	nc.SetDeadline(time.Now().Add(handshake))
	if err := nc.HandshakeContext(ctx); err != nil {
		return nil, fmt.Errorf("handshake: %w", err)
	}
	st := nc.ConnectionState()
	if st.NegotiatedProtocol != "bep/1.0" || len(st.PeerCertificates) != 1 {
		return nil, errors.New("not a Syncthing device")
	}
	id := protocol.NewDeviceID(st.PeerCertificates[0].Raw)
	if expect != nil && id != *expect {
		return nil, fmt.Errorf("another device answers there: %s", id)
	}
	d, ok := g.devices[id]
	if !ok {
		g.stranger(id, nc.RemoteAddr().String())
		return nil, fmt.Errorf("stranger %s", id)
	}
	hello, err := protocol.ExchangeHello(nc, protocol.Hello{
		DeviceName: g.opts.Name, ClientName: "inselnetz", ClientVersion: "v1", NumConnections: 1,
		Timestamp: time.Now().UnixNano(), // a zero one makes the library panic
	})
	if err != nil {
		return nil, fmt.Errorf("hello: %w", err)
	}
	nc.SetDeadline(time.Time{})
	return newConn(ctx, g, d, nc, expect != nil, clean(hello.ClientName+" "+hello.ClientVersion)), nil
}

// serve runs a connection until it ends, if there is no other to its device.
func (g *Gateway) serve(c *conn) {
	id, addr := c.dev.ID, c.net.RemoteAddr().String()
	for {
		g.mu.Lock()
		old := g.conns[id]
		if old == nil {
			g.conns[id] = c
			g.mu.Unlock()
			break
		}
		g.mu.Unlock()
		if time.Since(old.began) < young || c.dialed {
			c.cancel()
			c.net.Close()
			return
		}
		// It connects anew, so it does not hold the old one for alive.
		old.cancel()
		select {
		case <-c.ctx.Done():
			c.net.Close()
			return
		case <-old.over:
		}
	}
	g.log.Info("Syncthing device connected", "peer", id.String(), "addr", addr)
	g.noted(id, func(st *DeviceStatus) { st.Addr, st.Client, st.Err = addr, c.client, "" })
	err := c.serve()
	g.mu.Lock()
	delete(g.conns, id)
	g.mu.Unlock()
	close(c.over)
	g.log.Info("Syncthing device gone", "peer", id.String(), "err", err)
	g.noted(id, func(st *DeviceStatus) { st.Seen, st.Err = g.opts.Now(), why(err) })
}

func (g *Gateway) connected(id DeviceID) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.conns[id] != nil
}

// stranger notes a device that is not known.
func (g *Gateway) stranger(id DeviceID, addr string) {
	g.mu.Lock()
	g.strangers = slices.DeleteFunc(g.strangers, func(s Stranger) bool { return s.ID == id })
	g.strangers = slices.Insert(g.strangers, 0, Stranger{id, addr, g.opts.Now()})
	g.strangers = g.strangers[:min(len(g.strangers), maxStranger)]
	g.mu.Unlock()
	g.changed()
}
