package lan

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"io"
	stdlog "log"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/mdns"
	"github.com/miekg/dns"
	"golang.org/x/net/ipv4"
)

const (
	mdnsService  = "_inselnetz._udp"
	mdnsPort     = 5353
	maxResponder = 4               // interfaces served; more is a server, not an office PC
	maxTXT       = 255             // of one string
	mdnsFresh    = time.Second     // a record is made anew for a question after this
	queryTime    = time.Second     // that answers are awaited
	queryEvery   = 5 * time.Minute // besides news
	maxAnswers   = 64              // read for one question
)

var mdnsGroup4 = netip.AddrFrom4([4]byte{224, 0, 0, 251})

// responders answer mDNS questions, one on each interface. They are the second
// way to be found, where a switch or a firewall knows mDNS and drops the beacon.
type responders struct {
	record func() (blob []byte, port int) // a fresh member packet; none is silence

	mu   sync.Mutex // guards the rest
	open map[int]*responder
}

type responder struct {
	server *mdns.Server
	zone   *zone
	iface  iface
}

// tune follows the interfaces. hashicorp/mdns listens on the system's default
// interface unless told, and there is none without a default route: so there is
// one server for each interface, made anew when its addresses change.
func (r *responders) tune(ifs []iface) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.open == nil {
		r.open = map[int]*responder{}
	}
	for index, o := range r.open {
		i := slices.IndexFunc(ifs, func(f iface) bool { return f.Index == index })
		if i < 0 || !slices.Equal(ifs[i].Addrs, o.iface.Addrs) {
			o.server.Shutdown()
			delete(r.open, index)
		}
	}
	for _, f := range ifs {
		if r.open[f.Index] != nil || len(r.open) >= maxResponder {
			continue
		}
		z := &zone{record: r.record, iface: f}
		s, err := mdns.NewServer(&mdns.Config{
			Zone: z, Iface: &net.Interface{Index: f.Index, Name: f.Name},
			Logger: stdlog.New(io.Discard, "", 0), // it logs every foreign packet
		})
		if err == nil {
			r.open[f.Index] = &responder{s, z, f}
		}
	}
}

func (r *responders) close() {
	r.tune(nil)
}

// A zone is what a responder tells. The names in it are random and change with
// every record, and the text is sealed: a stranger learns that the program runs.
type zone struct {
	record func() ([]byte, int)
	iface  iface

	mu      sync.Mutex // guards the rest
	service *mdns.MDNSService
	made    time.Time
}

// Records implements mdns.Zone.
func (z *zone) Records(q dns.Question) []dns.RR {
	z.mu.Lock()
	defer z.mu.Unlock()
	if !strings.Contains(q.Name, mdnsService) && (z.service == nil || !strings.HasPrefix(q.Name, z.service.Instance)) {
		return nil
	}
	if now := time.Now(); now.Sub(z.made) > mdnsFresh {
		z.made = now
		z.service = z.make()
	}
	if z.service == nil {
		return nil
	}
	return z.service.Records(q)
}

func (z *zone) make() *mdns.MDNSService {
	blob, port := z.record()
	if blob == nil {
		return nil
	}
	var ips []net.IP
	for _, a := range z.iface.Addrs {
		if a.Addr().Is4() {
			ips = append(ips, a.Addr().AsSlice())
		}
	}
	if len(ips) == 0 {
		for _, a := range z.iface.Addrs {
			ips = append(ips, a.Addr().AsSlice())
		}
	}
	name := strings.ToLower(rand.Text()[:16])
	s, err := mdns.NewMDNSService(name, mdnsService, "", name+".local.", port, ips, splitTXT(blob))
	if err != nil {
		return nil
	}
	return s
}

// splitTXT writes a packet as strings a TXT record can carry.
func splitTXT(blob []byte) []string {
	text := base64.RawStdEncoding.EncodeToString(blob)
	var parts []string
	for part := range slices.Chunk([]byte(text), maxTXT) {
		parts = append(parts, string(part))
	}
	return parts
}

// joinTXT is the inverse of splitTXT.
func joinTXT(parts []string) ([]byte, bool) {
	text := strings.Join(parts, "")
	if len(text) > base64.RawStdEncoding.EncodedLen(maxPacket) {
		return nil, false
	}
	blob, err := base64.RawStdEncoding.Strict().DecodeString(text)
	return blob, err == nil
}

// question is an mDNS query: for our service, or for the text of one instance.
func question(name string, kind uint16) ([]byte, error) {
	m := new(dns.Msg)
	m.SetQuestion(name, kind)
	m.RecursionDesired = false
	return m.Pack()
}

// answers takes the packets out of an mDNS response, and the names of instances
// whose text did not come along: to a question from another port than 5353 avahi
// answers in 512 bytes, and the text is what it leaves out.
func answers(response []byte) (blobs [][]byte, without []string) {
	m := new(dns.Msg)
	if m.Unpack(response) != nil || !m.Response {
		return nil, nil
	}
	all := append(m.Answer, m.Extra...)
	told := map[string]bool{}
	for _, rr := range all {
		txt, ok := rr.(*dns.TXT)
		if !ok || !strings.Contains(txt.Hdr.Name, mdnsService) {
			continue
		}
		told[txt.Hdr.Name] = true
		if blob, ok := joinTXT(txt.Txt); ok && len(blobs) < maxClaims {
			blobs = append(blobs, blob)
		}
	}
	for _, rr := range all {
		ptr, ok := rr.(*dns.PTR)
		if ok && !told[ptr.Ptr] && strings.HasSuffix(ptr.Ptr, "."+mdnsService+".local.") && len(without) < maxClaims {
			told[ptr.Ptr] = true
			without = append(without, ptr.Ptr)
		}
	}
	return blobs, without
}

// ask sends the question on every interface and hands packets in the answers to
// heard. The client of hashicorp/mdns cannot be used: it joins its group on the
// default interface before it looks at the one it was given, so that it fails
// where there is no default route, and leaves a socket open each time.
func ask(ctx context.Context, ifs []iface, heard func(packet []byte, from netip.Addr)) {
	ctx, cancel := context.WithTimeout(ctx, queryTime)
	defer cancel()
	q, err := question(mdnsService+".local.", dns.TypePTR)
	if err != nil {
		return
	}
	var wg sync.WaitGroup
	for _, f := range ifs[:min(len(ifs), maxResponder)] {
		wg.Go(func() { askOn(ctx, f, q, heard) })
	}
	wg.Wait()
}

func askOn(ctx context.Context, f iface, q []byte, heard func([]byte, netip.Addr)) {
	local, group := netip.Addr{}, mdnsGroup4
	for _, a := range f.Addrs {
		if a.Addr().Is4() {
			local = a.Addr()
			break
		}
		if a.Addr().IsLinkLocalUnicast() && !local.IsValid() {
			local = a.Addr().WithZone(f.Name)
		}
	}
	if !local.IsValid() {
		return
	}
	if local.Is6() {
		group = netip.MustParseAddr("ff02::fb").WithZone(f.Name)
	}
	var lc net.ListenConfig
	pc, err := lc.ListenPacket(ctx, "udp", netip.AddrPortFrom(local, 0).String())
	if err != nil {
		return
	}
	defer pc.Close()
	defer context.AfterFunc(ctx, func() { pc.Close() })()
	c := pc.(*net.UDPConn)
	if local.Is4() {
		ipv4.NewPacketConn(c).SetMulticastInterface(&net.Interface{Index: f.Index, Name: f.Name})
	}
	to := netip.AddrPortFrom(group, mdnsPort)
	if _, err := c.WriteToUDPAddrPort(q, to); err != nil {
		return
	}
	buf := make([]byte, 9000)
	asked := map[string]bool{}
	for range maxAnswers {
		n, from, err := c.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		blobs, without := answers(buf[:n])
		for _, blob := range blobs {
			heard(blob, from.Addr().Unmap())
		}
		for _, name := range without {
			if q, err := question(name, dns.TypeTXT); err == nil && !asked[name] && len(asked) < maxClaims {
				asked[name] = true
				c.WriteToUDPAddrPort(q, to)
			}
		}
	}
}
