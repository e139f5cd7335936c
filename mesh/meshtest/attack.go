package meshtest

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"inselnetz/mesh"
)

// An Attack is what a stranger on the same network can do to a device without
// knowing anything but where it is.
type Attack struct {
	Stranger mesh.Transport // not a member
	Victim   mesh.PeerID    // as anybody can learn it
	Addr     string         // of the victim, "host:port"
	Beacons  string         // where it hears packets, "host:port"
}

// AttackReport counts what was done.
type AttackReport struct {
	Tries    int64
	Refused  int64 // connections that were not made at all
	Dialed   int64 // connections that got as far as a protocol
	Answers  int64 // frames that came back
	Packets  int64
	Duration time.Duration
}

// Run makes n connection attempts of all kinds, 64 at once, and throws packets
// of all kinds, until done or ctx ends.
func (a Attack) Run(ctx context.Context, n int) AttackReport {
	start := time.Now()
	var r AttackReport
	var next atomic.Int64
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			for i := next.Add(1); i <= int64(n) && ctx.Err() == nil; i = next.Add(1) {
				atomic.AddInt64(&r.Tries, 1)
				if i%8 == 0 {
					a.dial(ctx, &r, int(i/8))
				} else {
					a.connect(ctx, &r, int(i))
				}
			}
		})
	}
	attempts := make(chan struct{})
	go func() { wg.Wait(); close(attempts) }()
	a.packets(ctx, &r, attempts)
	<-attempts
	r.Duration = time.Since(start)
	return r
}

// connect makes a plain TCP connection and misuses it.
func (a Attack) connect(ctx context.Context, r *AttackReport, kind int) {
	d := net.Dialer{Timeout: time.Second}
	c, err := d.DialContext(ctx, "tcp", a.Addr)
	if err != nil {
		atomic.AddInt64(&r.Refused, 1)
		return
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(200 * time.Millisecond))
	switch kind % 4 {
	case 0: // and say nothing
	case 1:
		c.Write(junk(4 << 10))
	case 2:
		c.Write([]byte("\x13/multistream/1.0.0\n\x0b/tls/1.0.0\n"))
		c.Write(junk(1 << 10))
	case 3:
		c.Write([]byte("GET / HTTP/1.1\r\nHost: victim\r\n\r\n"))
	}
	buf := make([]byte, 1<<10)
	for {
		if _, err := c.Read(buf); err != nil {
			return
		}
	}
}

// dial gets as far as frames and sends malformed ones.
func (a Attack) dial(ctx context.Context, r *AttackReport, kind int) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	proto := []string{mesh.ProtoSync, mesh.ProtoJoin, "/no/such/1"}[kind%3]
	c, err := a.Stranger.Dial(ctx, a.Victim, []string{a.Addr}, proto)
	if err != nil {
		atomic.AddInt64(&r.Refused, 1)
		return
	}
	defer c.Close()
	atomic.AddInt64(&r.Dialed, 1)
	defer context.AfterFunc(ctx, func() { c.Close() })()
	for i := range 3 {
		frame := junk([]int{0, 1, 40, 1 << 10, 64 << 10, mesh.MaxFrame}[rand.IntN(6)])
		if i == 1 && len(frame) > 8 { // a CBOR array that claims to be huge
			frame[0] = 0x9b
			binary.BigEndian.PutUint64(frame[1:], 1<<62)
		}
		if c.Send(frame) != nil {
			return
		}
	}
	for {
		if _, err := c.Recv(); err != nil {
			return
		}
		atomic.AddInt64(&r.Answers, 1)
	}
}

// packets throws about two thousand packets a second until the attempts are over.
func (a Attack) packets(ctx context.Context, r *AttackReport, over <-chan struct{}) {
	c, err := net.Dial("udp", a.Beacons)
	if err != nil {
		return
	}
	defer c.Close()
	q, err := net.Dial("udp", a.Addr) // QUIC is on the port of TCP
	if err != nil {
		return
	}
	defer q.Close()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	heads := []string{"insel\x01\x01", "insel\x01\x02", "insel\x02\x01", ""}
	for {
		select {
		case <-over:
			return
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		for i := range 10 {
			size := []int{0, 7, 328, 328, 1300}[rand.IntN(5)]
			if _, err := c.Write(append([]byte(heads[i%len(heads)]), junk(size)...)); err == nil {
				r.Packets++
			}
			if _, err := q.Write(append([]byte("\xc3\x00\x00\x00\x01\x08"), junk(1200)...)); err == nil { // looks like a first packet
				r.Packets++
			}
		}
	}
}

func junk(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rand.Uint32())
	}
	return b
}
