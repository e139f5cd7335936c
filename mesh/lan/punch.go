package lan

import (
	"context"
	"fmt"
	"sync"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/transport"

	"inselnetz/mesh"
)

// DialPunched dials all addresses at once by QUIC, whose one port makes that packets
// of both ends look like questions and answers to the routers in between. It tries
// as long as ctx lasts.
func (t *Transport) DialPunched(ctx context.Context, to mesh.PeerID, addrs []string, proto string) (mesh.Conn, error) {
	id, err := peer.Decode(string(to))
	if err != nil {
		return nil, fmt.Errorf("dial: %w", err)
	}
	var tries []attempt
	for _, a := range t.others(parseAddrs(addrs)) {
		tries = append(tries, attempt{0, func(ctx context.Context) (transport.CapableConn, error) {
			return t.host.dialDatagrams(ctx, id, a)
		}})
	}
	for _, name := range parseNames(addrs) {
		tries = append(tries, attempt{0, func(ctx context.Context) (transport.CapableConn, error) {
			return t.host.dialNameQUIC(ctx, id, name)
		}})
	}
	c, err := t.begin(ctx, tries, proto)
	if err != nil {
		return nil, fmt.Errorf("dial %s: %w", to, err)
	}
	return c, nil
}

// Punch sends packets that mean nothing to addresses of a peer, so that what it
// sends from there is let in, until ctx ends or it has connected.
func (t *Transport) Punch(ctx context.Context, from mesh.PeerID, addrs []string) {
	id, err := peer.Decode(string(from))
	if err != nil {
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(t.ctx, cancel)()
	ctx = network.WithSimultaneousConnect(ctx, false, "punch")
	var wg sync.WaitGroup
	for _, a := range t.others(parseAddrs(addrs)) {
		wg.Go(func() {
			muxed, err := t.host.dialDatagrams(ctx, id, a)
			if err != nil {
				return
			}
			cancel()
			if !t.spawn(func() { t.serve(muxed, nil) }) {
				muxed.Close()
			}
		})
	}
	wg.Wait()
}
