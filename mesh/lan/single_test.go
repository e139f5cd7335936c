package lan

import (
	"net"
	"testing"

	"inselnetz/mesh"
)

// TestSingle: the connection is the one stream of the dialer, and no second.
func TestSingle(t *testing.T) {
	a, b := net.Pipe()
	defer b.Close()
	dialed, _ := singleMuxer{}.NewConn(a, false, nil)
	accepted, _ := singleMuxer{}.NewConn(b, true, nil)
	if _, err := dialed.AcceptStream(); err == nil {
		t.Error("the dialer accepted a stream")
	}
	s, err := dialed.OpenStream(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := dialed.OpenStream(t.Context()); err == nil {
		t.Error("two streams")
	}
	r, err := accepted.AcceptStream()
	if err != nil {
		t.Fatal(err)
	}
	go s.Write([]byte("hi"))
	buf := make([]byte, 2)
	if _, err := r.Read(buf); err != nil || string(buf) != "hi" {
		t.Errorf("read %q, %v", buf, err)
	}
	s.Reset()
	if _, err := r.Read(buf); err == nil || !dialed.IsClosed() {
		t.Error("still open")
	}
}

// TestSingleIsUsed: two devices of today do without yamux.
func TestSingleIsUsed(t *testing.T) {
	from, to := pair(t, mesh.ProtoBlocks)
	for _, c := range []mesh.Conn{from, to} {
		if _, is := c.(*conn).stream.(singleStream); !is {
			t.Errorf("a stream is %T", c.(*conn).stream)
		}
	}
}
