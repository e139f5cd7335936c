package lan

import (
	"bytes"
	"slices"
	"testing"

	"github.com/miekg/dns"
)

func response(t testing.TB, rrs ...string) []byte {
	t.Helper()
	m := new(dns.Msg)
	m.Response = true
	for _, text := range rrs {
		rr, err := dns.NewRR(text)
		if err != nil {
			t.Fatal(err)
		}
		m.Answer = append(m.Answer, rr)
	}
	raw, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestAnswers(t *testing.T) {
	const (
		ptr   = "_inselnetz._udp.local. 120 IN PTR abc._inselnetz._udp.local."
		txt   = `abc._inselnetz._udp.local. 120 IN TXT "aW5z" "ZWw"`
		other = `abc._other._udp.local. 120 IN TXT "aW5zZWw"`
		away  = "_inselnetz._udp.local. 120 IN PTR abc._other._udp.local."
	)
	for name, tt := range map[string]struct {
		rrs     []string
		packets int
		without []string
	}{
		"all in one":                {[]string{ptr, txt}, 1, nil},
		"the text is left out":      {[]string{ptr}, 0, []string{"abc._inselnetz._udp.local."}},
		"the same twice":            {[]string{ptr, ptr}, 0, []string{"abc._inselnetz._udp.local."}},
		"text alone":                {[]string{txt}, 1, nil},
		"not ours":                  {[]string{other}, 0, nil},
		"another service's name":    {[]string{away}, 0, nil},
		"text that is not a packet": {[]string{ptr, `abc._inselnetz._udp.local. 120 IN TXT "a=b"`}, 0, nil},
	} {
		t.Run(name, func(t *testing.T) {
			blobs, without := answers(response(t, tt.rrs...))
			if len(blobs) != tt.packets || !slices.Equal(without, tt.without) {
				t.Errorf("%d packets, without text %q", len(blobs), without)
			}
			if len(blobs) > 0 && !bytes.Equal(blobs[0], []byte("insel")) {
				t.Errorf("packet %q", blobs[0])
			}
		})
	}
}

func FuzzAnswers(f *testing.F) {
	f.Add(response(f, "_inselnetz._udp.local. 120 IN PTR abc._inselnetz._udp.local.", `abc._inselnetz._udp.local. 120 IN TXT "aW5z" "ZWw"`))
	f.Add(response(f, "_inselnetz._udp.local. 120 IN PTR abc._inselnetz._udp.local."))
	f.Fuzz(func(t *testing.T, raw []byte) {
		blobs, without := answers(raw)
		if len(blobs) > maxClaims || len(without) > maxClaims {
			t.Errorf("%d packets, %d names", len(blobs), len(without))
		}
		for _, b := range blobs {
			if len(b) > maxPacket {
				t.Errorf("a packet of %d bytes", len(b))
			}
		}
		for _, name := range without { // is asked for
			if _, err := question(name, dns.TypeTXT); err != nil {
				t.Errorf("question for %q: %v", name, err)
			}
		}
	})
}
