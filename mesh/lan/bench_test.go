package lan

import (
	"io"
	"net"
	"testing"

	"inselnetz/mesh"
)

// pair returns both ends of a Conn over the loopback interface.
func pair(tb testing.TB, proto string) (from, to mesh.Conn) {
	tb.Helper()
	var ts [2]*Transport
	for i, name := range []string{"ann", "bob"} {
		t, err := New(tb.Context(), Options{Key: key(name), BeaconPort: 40100, Loopback: true})
		if err != nil {
			tb.Fatal(err)
		}
		tb.Cleanup(func() { t.Close() })
		ts[i] = t
	}
	from, err := ts[0].Dial(tb.Context(), ts[1].Self(), ts[1].Addrs(), proto)
	if err != nil {
		tb.Fatal(err)
	}
	to, err = ts[1].Accept(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	return from, to
}

// BenchmarkEcho sends a small frame and waits for it to come back, beside the
// same over a plain TCP connection.
func BenchmarkEcho(b *testing.B) {
	b.Run("lan", func(b *testing.B) {
		from, to := pair(b, mesh.ProtoSync)
		go func() {
			for {
				f, err := to.Recv()
				if err != nil || to.Send(f) != nil {
					return
				}
			}
		}()
		frame := make([]byte, 300)
		for b.Loop() {
			if err := from.Send(frame); err != nil {
				b.Fatal(err)
			}
			if _, err := from.Recv(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("tcp", func(b *testing.B) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			b.Fatal(err)
		}
		defer l.Close()
		go func() {
			if c, err := l.Accept(); err == nil {
				io.Copy(c, c)
			}
		}()
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			b.Fatal(err)
		}
		defer c.Close()
		frame := make([]byte, 300)
		for b.Loop() {
			if _, err := c.Write(frame); err != nil {
				b.Fatal(err)
			}
			if _, err := io.ReadFull(c, frame); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkBulk sends the longest frames one way, read as frames and as streams.
func BenchmarkBulk(b *testing.B) {
	b.Run("frames", func(b *testing.B) {
		bulk(b, func(c mesh.Conn) error {
			_, err := c.Recv()
			return err
		})
	})
	b.Run("streams", func(b *testing.B) {
		buf := make([]byte, mesh.MaxFrame)
		bulk(b, func(c mesh.Conn) error {
			n, r, err := c.(*conn).RecvStream()
			if err == nil {
				_, err = io.ReadFull(r, buf[:n])
			}
			return err
		})
	})
}

func bulk(b *testing.B, recv func(mesh.Conn) error) {
	from, to := pair(b, mesh.ProtoBlocks)
	frame := make([]byte, mesh.MaxFrame)
	b.SetBytes(int64(len(frame)))
	done := make(chan struct{})
	go func() {
		defer close(done)
		for recv(to) == nil {
		}
	}()
	for b.Loop() {
		if err := from.Send(frame); err != nil {
			b.Fatal(err)
		}
	}
	from.Close()
	<-done
}
