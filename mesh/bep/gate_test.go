package bep

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"encoding/binary"
	"io"
	"math"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/pierrec/lz4/v4"
	"github.com/syncthing/syncthing/lib/protocol"
)

// frame makes a message as it is on the wire.
func frame(typ byte, body []byte) []byte {
	b := []byte{0, 2, 8, typ}
	return append(binary.BigEndian.AppendUint32(b, uint32(len(body))), body...)
}

func packedFrame(typ byte, size uint32, packed []byte) []byte {
	b := []byte{0, 4, 8, typ, 16, 1}
	b = binary.BigEndian.AppendUint32(b, uint32(4+len(packed)))
	return append(binary.BigEndian.AppendUint32(b, size), packed...)
}

// field makes a protobuf field of bytes.
func field(num int, data []byte) []byte {
	b := binary.AppendUvarint(nil, uint64(num<<3|2))
	return append(binary.AppendUvarint(b, uint64(len(data))), data...)
}

func TestGate(t *testing.T) {
	ping := frame(msgPing, nil)
	id := bytes.Repeat([]byte{7}, 32)
	body := bytes.Repeat(field(1, []byte("a folder with a long name")), 20)
	packed := make([]byte, lz4.CompressBlockBound(len(body)))
	n, err := lz4.CompressBlock(body, packed, nil)
	if err != nil || n == 0 {
		t.Fatal(n, err)
	}
	packed = packed[:n]
	for name, tt := range map[string]struct {
		in   []byte
		want []byte
		ok   bool
	}{
		"nothing":              {nil, nil, true},
		"two messages":         {append(frame(msgClose, field(1, []byte("bye"))), ping...), append(frame(msgClose, field(1, []byte("bye"))), ping...), true},
		"progress is skipped":  {append(frame(msgDownloadProgress, make([]byte, 5000)), ping...), ping, true},
		"unknown is skipped":   {append(frame(77, make([]byte, 5000)), ping...), ping, true},
		"packed is unpacked":   {packedFrame(msgIndex, uint32(len(body)), packed), frame(msgIndex, body), true},
		"packed, wrong size":   {packedFrame(msgIndex, uint32(len(body))+1, packed), nil, false},
		"packed, huge":         {packedFrame(msgIndex, math.MaxUint32, packed), nil, false},
		"packed, noise":        {packedFrame(msgIndex, 100, []byte{0xff, 0xff, 0xff}), nil, false},
		"packed, no size":      {[]byte{0, 4, 8, msgIndex, 16, 1, 0, 0, 0, 2, 1, 2}, nil, false},
		"unknown packing":      {[]byte{0, 4, 8, msgIndex, 16, 2, 0, 0, 0, 0}, nil, false},
		"huge":                 {[]byte{0, 2, 8, msgIndex, 0x7f, 0xff, 0xff, 0xff}, nil, false},
		"unknown and huge":     {[]byte{0, 2, 8, 99, 0xff, 0xff, 0xff, 0xff}, nil, false},
		"long header":          {append([]byte{0x7f, 0xff}, make([]byte, 0x7fff)...), nil, false},
		"header is no message": {[]byte{0, 1, 0xff, 0, 0, 0, 0}, nil, false},
		"cut off":              {frame(msgIndex, body)[:50], nil, false},
		"device":               {frame(msgClusterConfig, field(1, field(16, field(1, id)))), frame(msgClusterConfig, field(1, field(16, field(1, id)))), true},
		"short device id":      {frame(msgClusterConfig, field(1, field(16, field(1, id[:31])))), nil, false},
		"long device id":       {frame(msgClusterConfig, field(1, field(16, field(1, append(id, 1))))), nil, false},
		"no device id":         {frame(msgClusterConfig, field(1, field(16, nil))), nil, false},
		"second device id":     {frame(msgClusterConfig, field(1, field(16, append(field(1, id), field(1, nil)...)))), nil, false},
		"many empty files":     {frame(msgIndex, bytes.Repeat(field(2, nil), maxItems+1)), nil, false},
		"many counters":        {frame(msgIndex, field(2, field(9, bytes.Repeat(field(1, nil), maxItems+1)))), nil, false},
		"not a message":        {frame(msgIndex, []byte{0xff}), nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := io.ReadAll(newGate(bytes.NewReader(tt.in), 10, nil))
			if (err == nil) != tt.ok || tt.ok && !bytes.Equal(got, tt.want) {
				t.Errorf("%q, %v; want %q", got, err, tt.want)
			}
		})
	}
}

// More requests than are answered wait outside.
func TestGateHoldsRequestsBack(t *testing.T) {
	req := frame(msgRequest, field(3, []byte("f")))
	done := make(chan struct{})
	g := newGate(bytes.NewReader(bytes.Repeat(req, 4)), 2, done)
	out := replies{io.Discard, g}
	buf := make([]byte, len(req))
	for range 2 {
		if _, err := io.ReadFull(g, buf); err != nil {
			t.Fatal(err)
		}
	}
	out.Write(frame(msgIndex, nil)) // no answer
	out.Write(frame(msgResponse, nil))
	if _, err := io.ReadFull(g, buf); err != nil {
		t.Fatal(err)
	}
	close(done)
	if _, err := io.ReadFull(g, buf); err == nil {
		t.Error("a request too many came through")
	}
}

// FuzzGate reads anything, and what it lets through is let through again as it is.
func FuzzGate(f *testing.F) {
	f.Add(frame(msgClusterConfig, field(1, field(16, field(1, make([]byte, 32))))))
	f.Add(frame(msgIndex, field(2, field(1, []byte("name")))))
	f.Add(packedFrame(msgIndex, 10, []byte{1, 2, 3}))
	f.Add(frame(99, []byte("x")))
	f.Fuzz(func(t *testing.T, in []byte) {
		out, err := io.ReadAll(newGate(bytes.NewReader(in), 1000, nil))
		if err != nil {
			return
		}
		again, err := io.ReadAll(newGate(bytes.NewReader(out), 1000, nil))
		if err != nil || !bytes.Equal(out, again) {
			t.Errorf("%q then %q, %v", out, again, err)
		}
	})
}

// FuzzWanted reads what a device says of a file; what is taken makes sense.
func FuzzWanted(f *testing.F) {
	f.Add("dir/name", int64(5), int64(1), int32(2), uint8(0), false, int64(5), []byte("12345678901234567890123456789012"), uint64(1))
	f.Add("../x", int64(-1), int64(math.MinInt64), int32(-1), uint8(1), true, int64(0), []byte{}, uint64(0))
	f.Fuzz(func(t *testing.T, name string, size, sec int64, ns int32, typ uint8, deleted bool, block int64, hash []byte, counter uint64) {
		p, w, err := wanted(protocol.FileInfo{
			Name: name, Size: size, ModifiedS: sec, ModifiedNs: ns, Type: protocol.FileInfoType(typ), Deleted: deleted,
			SymlinkTarget: hash, Blocks: []protocol.BlockInfo{{Size: int(block), Hash: hash}},
			Version: protocol.Vector{Counters: []protocol.Counter{{ID: 1, Value: counter}}},
		})
		if err != nil {
			return
		}
		if checkPath(p) != nil || strings.HasPrefix(p, "/") || w.size < 0 || w.kind > Link {
			t.Errorf("%q: %+v", p, w)
		}
		if w.kind == Plain && w.size > int64(w.blocks())*int64(w.blockSize) {
			t.Errorf("%d bytes in %d blocks", w.size, w.blocks())
		}
	})
}

// FuzzState reads anything, and writes what it read in one way.
func FuzzState(f *testing.F) {
	v := packVector(protocol.Vector{Counters: []protocol.Counter{{ID: 1, Value: 2}}})
	good, err := encodeState(saved{
		Entries: []savedEntry{{Path: "a", Kind: Plain, Mark: make([]byte, 16), Vector: v, Base: "\xff"}},
		Devices: []savedDevice{{ID: make([]byte, 32), Events: []savedEvent{{At: 1, Path: "a", What: markChange, Before: "1"}}}},
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := decodeState(data)
		if err != nil || len(data) == 0 {
			return
		}
		one, err := encodeState(s)
		if err != nil {
			t.Fatal(err)
		}
		s, err = decodeState(one)
		if err != nil {
			t.Fatal(err)
		}
		if two, err := encodeState(s); err != nil || !bytes.Equal(one, two) {
			t.Errorf("%x then %x, %v", one, two, err)
		}
	})
}

// A hostile is an approved device that says whatever a test wants.
type hostile struct {
	*tls.Conn
	t *testing.T
}

func newHostile(t *testing.T) (*node, tls.Certificate) {
	n := newNode(t)
	cert := newCert(t)
	n.folder.write("secret", "content")
	n.start(Device{ID: IDOf(cert)})
	return n, cert
}

// connect says hello as an approved device.
func connect(t *testing.T, n *node, cert tls.Certificate) hostile {
	t.Helper()
	c, err := tls.Dial("tcp", n.addr(), tlsConfig(cert))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := protocol.ExchangeHello(c, protocol.Hello{Timestamp: 1}); err != nil {
		t.Fatal(err)
	}
	return hostile{c, t}
}

// dropped waits until the gateway ends the connection.
func (h hostile) dropped(what string) {
	h.t.Helper()
	if _, err := io.Copy(io.Discard, h.Conn); err != nil && strings.Contains(err.Error(), "timeout") {
		h.t.Errorf("%s: not dropped: %v", what, err)
	}
}

func config() []byte {
	id := make([]byte, 32)
	return frame(msgClusterConfig, field(1, append(field(1, []byte("office")), field(16, field(1, id))...)))
}

func TestHostileDevice(t *testing.T) {
	n, cert := newHostile(t)
	index := func(fields ...[]byte) []byte {
		return append(config(), frame(msgIndex, bytes.Join(append([][]byte{field(1, []byte("office"))}, fields...), nil))...)
	}
	for name, tt := range map[string]struct {
		say []byte
		err string
	}{
		"short device id":   {frame(msgClusterConfig, field(1, field(16, field(1, []byte("short"))))), "device id of 5 bytes"},
		"index before all":  {frame(msgIndex, field(1, []byte("office"))), "invalid state"},
		"unknown folder":    {append(config(), frame(msgIndex, field(1, []byte("home")))...), `"home" is not shared`},
		"bad name":          {index(field(2, field(1, []byte("../../etc/passwd")))), "filename is invalid"},
		"absolute name":     {append(config(), frame(msgRequest, append(field(2, []byte("office")), field(3, []byte("/etc/passwd"))...))...), "filename is invalid"},
		"packed and short":  {append(config(), 0, 4, 8, msgIndex, 16, 1, 0, 0, 0, 2, 1, 2), "packed message of 2 bytes"},
		"500 MB":            {append(config(), 0, 2, 8, msgIndex, 0x1d, 0xcd, 0x65, 0x00), "message of 500000000 bytes"},
		"noise":             {append([]byte{0xff, 0xff}, random(1000)...), "header of 65535 bytes"},
		"millions of files": {index(bytes.Repeat(field(2, nil), 1_000_000)), "too many parts"},
	} {
		h := connect(t, n, cert)
		h.Write(tt.say)
		h.dropped(name)
		n.wait(name+": "+tt.err, func() bool {
			d := n.Status().Devices[0]
			return !d.Connected && strings.Contains(d.Err, tt.err)
		})
	}
	if got := n.folder.shows(); len(got) != 1 || got["secret"] != "content" {
		t.Errorf("the folder shows %v", got)
	}
}

// A stranger gets nothing, not even a hello.
func TestStranger(t *testing.T) {
	n, _ := newHostile(t)
	cert := newCert(t)
	c, err := tls.Dial("tcp", n.addr(), tlsConfig(cert))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(20 * time.Second))
	if got, _ := io.ReadAll(c); len(got) != 0 {
		t.Errorf("a stranger heard %q", got)
	}
	if s := n.Status().Strangers; len(s) != 1 || s[0].ID != IDOf(cert) {
		t.Errorf("strangers %+v", s)
	}
	// Whoever does not even speak TLS is cut off.
	raw, err := net.Dial("tcp", n.addr())
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	raw.SetDeadline(time.Now().Add(20 * time.Second))
	raw.Write([]byte("GET / HTTP/1.0\r\n\r\n"))
	io.Copy(io.Discard, raw)
}

// A hello without a time, or without anything, is as good as another.
func TestEmptyHello(t *testing.T) {
	n, cert := newHostile(t)
	c, err := tls.Dial("tcp", n.addr(), tlsConfig(cert))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.Write([]byte{0x2e, 0xa7, 0xd9, 0x0b, 0, 0})
	n.wait("connected", func() bool { return n.Status().Devices[0].Connected })
}

// puppet is the library's view of a device that serves what a test wants.
type puppet struct {
	hash  func(name string) []byte
	serve func(*protocol.Request) ([]byte, error)
	ready chan struct{}
	gone  chan struct{}
}

func (p *puppet) Index(protocol.Connection, *protocol.Index) error             { return nil }
func (p *puppet) IndexUpdate(protocol.Connection, *protocol.IndexUpdate) error { return nil }
func (p *puppet) Request(_ protocol.Connection, r *protocol.Request) (protocol.RequestResponse, error) {
	data, err := p.serve(r)
	return &answer{data, func() {}}, err
}
func (p *puppet) ClusterConfig(protocol.Connection, *protocol.ClusterConfig) error {
	close(p.ready)
	return nil
}
func (p *puppet) Closed(protocol.Connection, error) { close(p.gone) }
func (p *puppet) DownloadProgress(protocol.Connection, *protocol.DownloadProgress) error {
	return nil
}

func play(t *testing.T, n *node, cert tls.Certificate, serve func(*protocol.Request) ([]byte, error)) protocol.Connection {
	t.Helper()
	h := connect(t, n, cert)
	h.SetDeadline(time.Time{})
	p := &puppet{serve: serve, ready: make(chan struct{}), gone: make(chan struct{})}
	pc := protocol.NewConnection(n.id(), h.Conn, h.Conn, h.Conn, p, connInfo{h.Conn, time.Now()}, protocol.CompressionNever, protocol.NewKeyGenerator())
	pc.Start()
	pc.ClusterConfig(&protocol.ClusterConfig{Folders: []protocol.Folder{{ID: "office", Devices: []protocol.Device{{ID: n.id()}, {ID: IDOf(cert)}}}}}, nil)
	<-p.ready
	t.Cleanup(func() {
		h.Conn.Close()
		<-p.gone
	})
	return pc
}

func info(name, content string, counter uint64) protocol.FileInfo {
	h := sha256.Sum256([]byte(content))
	return protocol.FileInfo{
		Name: name, Size: int64(len(content)), Permissions: 0o644, Version: protocol.Vector{Counters: []protocol.Counter{{ID: 1, Value: counter}}},
		Blocks: []protocol.BlockInfo{{Size: len(content), Hash: h[:]}}, Sequence: int64(counter),
	}
}

// Wrong bytes are not taken, names that cannot be are refused, the rest comes.
func TestLyingDevice(t *testing.T) {
	n, cert := newHostile(t)
	pc := play(t, n, cert, func(r *protocol.Request) ([]byte, error) {
		switch r.Name {
		case "lie":
			return []byte("lies!"), nil
		case "short":
			return []byte("x"), nil
		case "none":
			return nil, protocol.ErrNoSuchFile
		}
		return []byte("truth"), nil
	})
	bad := info("bad blocks", "truth", 1)
	bad.Size = 1 << 40
	unsorted := info("unsorted", "truth", 1)
	unsorted.Version.Counters = append(unsorted.Version.Counters, protocol.Counter{ID: 1, Value: 5})
	err := pc.Index(t.Context(), &protocol.Index{Folder: "office", Files: []protocol.FileInfo{
		info("lie", "truth", 1), info("short", "truth", 2), info("none", "truth", 3), info("good", "truth", 4), bad, unsorted,
		info(".inselnetz/keep", "truth", 5), info("nul\x00", "truth", 6), info(strings.Repeat("x", 300), "truth", 7),
		info(".stfolder/x", "truth", 8), info("max", "truth", math.MaxUint64),
	}})
	if err != nil {
		t.Fatal(err)
	}
	n.wait("the good one", func() bool {
		f := n.Status().Devices[0].Folders
		return n.folder.shows()["good"] == "truth" && len(f) == 1 && len(f[0].Errors) == 10
	})
	if got := n.folder.shows(); len(got) != 2 {
		t.Errorf("shows %v", got)
	}
	for _, req := range []protocol.Request{
		{Name: "secret", Offset: -1, Size: 3}, {Name: "secret", Size: -1}, {Name: "secret", Size: 1 << 30},
		{Name: "secret", Offset: math.MaxInt64, Size: 10}, {Name: "nothing", Size: 1},
		{Name: ".inselnetz/folder", Size: 1}, {Name: "secret", Size: 7, FromTemporary: true},
	} {
		req.Folder = "office"
		if data, err := pc.Request(t.Context(), &req); err == nil {
			t.Errorf("%+v: %q", req, data)
		}
	}
	if data, err := pc.Request(t.Context(), &protocol.Request{Folder: "office", Name: "secret", Size: 7}); err != nil || string(data) != "content" {
		t.Errorf("a good request: %q, %v", data, err)
	}
}

// An endless index ends the connection, not the program.
func TestEndlessIndex(t *testing.T) {
	n, cert := newHostile(t)
	n.shares["office"].most = 16 << 20
	pc := play(t, n, cert, func(*protocol.Request) ([]byte, error) { return nil, protocol.ErrNoSuchFile })
	var files []protocol.FileInfo
	for i := range 1000 {
		f := info(strings.Repeat("x", 200)+string(rune('a'+i%26))+strings.Repeat("y", i%50), "truth", uint64(i+1))
		f.Size, f.Blocks = 0, nil
		hash := make([]byte, 32)
		for b := range 100 {
			f.Blocks = append(f.Blocks, protocol.BlockInfo{Offset: int64(b) << 17, Size: 1 << 17, Hash: hash})
			f.Size += 1 << 17
		}
		files = append(files, f)
	}
	for round := 0; ; round++ {
		batch := append([]protocol.FileInfo(nil), files...)
		for i := range batch {
			batch[i].Name = string(rune('a'+round%26)) + string(rune('a'+round/26)) + string(rune('0'+i%10)) + string(rune('0'+i/10%10)) + string(rune('0'+i/100)) + batch[i].Name[:200]
		}
		if pc.IndexUpdate(t.Context(), &protocol.IndexUpdate{Folder: "office", Files: batch}) != nil {
			break
		}
		if round > 500 {
			t.Fatal("it takes everything")
		}
	}
}
