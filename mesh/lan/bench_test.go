package lan

import (
	"io"
	"net"
	"testing"

	"inselnetz/mesh"
)

func benchPair(b *testing.B) (from, to mesh.Conn) {
	b.Helper()
	var ts [2]*Transport
	for i, name := range []string{"ann", "bob"} {
		t, err := New(b.Context(), Options{Key: key(name), BeaconPort: 40100, Loopback: true})
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { t.Close() })
		ts[i] = t
	}
	from, err := ts[0].Dial(b.Context(), ts[1].Self(), ts[1].Addrs(), mesh.ProtoSync)
	if err != nil {
		b.Fatal(err)
	}
	to, err = ts[1].Accept(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	return from, to
}

// BenchmarkEcho sends a small frame and waits for it to come back, beside the
// same over a plain TCP connection.
func BenchmarkEcho(b *testing.B) {
	b.Run("lan", func(b *testing.B) {
		from, to := benchPair(b)
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

// BenchmarkBulk sends the longest frames one way.
func BenchmarkBulk(b *testing.B) {
	from, to := benchPair(b)
	frame := make([]byte, mesh.MaxFrame)
	b.SetBytes(int64(len(frame)))
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			if _, err := to.Recv(); err != nil {
				return
			}
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
