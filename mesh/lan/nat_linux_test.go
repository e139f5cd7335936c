package lan

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"inselnetz/mesh"
	"inselnetz/mesh/meshtest"
)

// An internet is a lab with a network between sites, each behind a router.
type internet struct{ *meshtest.Lab }

func newInternet(t *testing.T) internet {
	n := internet{meshtest.NewLab(t)}
	n.Bridge("world")
	return n
}

// public makes a host with an address everybody reaches.
func (n internet) public(addr string) *meshtest.LabHost {
	h := n.Host(false)
	h.Plug("eth0", "world", addr+"/24")
	return h
}

// site makes a router with that address outside, and hosts behind it. All sites have
// the same addresses inside.
func (n internet) site(name, addr, leaves string, hosts int, rules ...string) (list []*meshtest.LabHost) {
	n.Bridge(name)
	n.Router(name, "world", addr+"/24", leaves, rules...)
	for i := range hosts {
		h := n.Host(false)
		h.Plug("eth0", name, fmt.Sprintf("192.168.178.%d/24", 20+i))
		h.Behind()
		list = append(list, h)
	}
	return list
}

// TestLabInternet: two sites behind masquerading routers meet through a member that
// both reach, and directly where their routers allow it.
func TestLabInternet(t *testing.T) {
	const same, other = meshtest.KeepsPort, meshtest.AnyPort
	for name, tt := range map[string]struct {
		a, b   string
		direct bool
	}{
		"routers that keep the port":   {same, same, true},
		"routers that take any port":   {other, other, false},
		"one keeps it, one takes any":  {same, other, false},
		"one takes any, one keeps it ": {other, same, false},
	} {
		t.Run(name, func(t *testing.T) {
			n := newInternet(t)
			office := "rel@198.51.100.9:21960,ann,cem"
			rel := startNode(t, n.public("198.51.100.9"), "member rel "+office)
			ann := startNode(t, n.site("a", "198.51.100.1", tt.a, 1)[0], "member ann "+office)
			cem := startNode(t, n.site("b", "198.51.100.2", tt.b, 1)[0], "member cem "+office)
			from := sees(t, ann, "rel", "here")
			if at := sees(t, cem, "rel", "here"); at.After(from) {
				from = at
			}
			here := sees(t, ann, "cem", "via rel")
			there := sees(t, cem, "ann", "via rel")
			t.Logf("through the third %v and %v after both had reached it", here.Sub(from), there.Sub(from))
			if tt.direct {
				direct, too := sees(t, ann, "cem", "here"), sees(t, cem, "ann", "here")
				t.Logf("directly after another %v and %v", direct.Sub(here), too.Sub(there))
				rel.stop()
				sees(t, ann, "rel", "left")
				sees(t, cem, "rel", "left")
				stays(t, ann, "cem", 5*time.Second)
				return
			}
			stays(t, ann, "cem", 5*time.Second) // longer than a first try for a direct way
			rel.stop()
			sees(t, ann, "cem", "left")
		})
	}
}

// stays fails if a node says that another left, or goes another way.
func stays(t *testing.T, n *labNode, of string, long time.Duration) {
	t.Helper()
	peer, over := peerOf(of), time.After(long)
	last := ""
	for {
		select {
		case e, ok := <-n.events:
			if !ok {
				t.Fatalf("%s ended", n.name)
			}
			if e.Peer != peer {
				continue
			}
			if last != "" && e.Ev != last || e.Ev == "left" {
				t.Fatalf("%s sees %s as %q, before %q", n.name, of, e.Ev, last)
			}
			last = e.Ev
		case <-over:
			return
		}
	}
}

// TestLabInternetForwarded: with a port that one router forwards two offices need
// nobody else, and whoever is behind the two that talk is carried by them.
func TestLabInternetForwarded(t *testing.T) {
	n := newInternet(t)
	office := "cem@198.51.100.2:4000,ann,bob,dan"
	a := n.site("a", "198.51.100.1", meshtest.KeepsPort, 2)
	b := n.site("b", "198.51.100.2", meshtest.KeepsPort, 2,
		"add rule ip nat pre iifname wan tcp dport 4000 dnat to 192.168.178.20:21960",
		"add rule ip nat pre iifname wan udp dport 4000 dnat to 192.168.178.20:21960")
	cem := startNode(t, b[0], "member cem "+office)
	dan := startNode(t, b[1], "member dan "+office)
	sees(t, dan, "cem", "here")
	start := time.Now()
	ann := startNode(t, a[0], "member ann "+office)
	here := sees(t, ann, "cem", "here")
	sees(t, cem, "ann", "here")
	t.Logf("the other office after %v", here.Sub(start))
	via := sees(t, ann, "dan", "via cem")
	t.Logf("who is behind it after %v", via.Sub(start))
	bob := startNode(t, a[1], "member bob "+office)
	sees(t, bob, "ann", "here")
	sees(t, bob, "cem", "here")
}

// TestLabInternetStranger: who is not a member is neither carried nor told how it is
// seen, whatever it asks for.
func TestLabInternetStranger(t *testing.T) {
	n := newInternet(t)
	office := "rel@198.51.100.9:21960,ann,cem"
	rel := startNode(t, n.public("198.51.100.9"), "member rel "+office)
	ann := startNode(t, n.site("a", "198.51.100.1", meshtest.KeepsPort, 1)[0], "member ann "+office)
	sees(t, ann, "rel", "here")
	stranger := startNode(t, n.public("198.51.100.66"), "nosy 198.51.100.9:21960 "+string(rel.self))
	e := stranger.await(time.Minute, func(e event) bool { return strings.HasPrefix(e.Ev, "heard ") })
	if e.Ev != "heard nothing" {
		t.Errorf("a stranger %s", e.Ev)
	}
	stays(t, ann, "rel", 3*time.Second)
}

// nosy is a program on a host of the lab that asks a device it does not share an
// office with for all that members are given, and tells what it heard.
func nosy(addr string, of mesh.PeerID, say func(event)) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	t, err := New(ctx, Options{Key: key("nosy")})
	if err != nil {
		return err
	}
	defer t.Close()
	say(event{Ev: "ready", Peer: t.Self()})
	heard := "nothing"
	for _, proto := range []string{mesh.ProtoRelay, mesh.ProtoSeen, mesh.ProtoBlocks} {
		for dial, c := range map[string]func() (mesh.Conn, error){
			"tcp":  func() (mesh.Conn, error) { return t.Dial(ctx, of, []string{addr}, proto) },
			"quic": func() (mesh.Conn, error) { return t.DialPunched(ctx, of, []string{addr}, proto) },
		} {
			conn, err := c()
			if err != nil {
				say(event{Ev: "heard an error instead of silence: " + err.Error()})
				return err
			}
			conn.Send(make([]byte, 16)) // as the token of a leg, or nonsense
			if frame, err := conn.Recv(); err == nil {
				heard = fmt.Sprintf("%d bytes of %s by %s", len(frame), proto, dial)
			}
			conn.Close()
		}
	}
	say(event{Ev: "heard " + heard})
	return nil
}
