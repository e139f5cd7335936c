package lan

import (
	"testing"
	"time"

	"inselnetz/mesh"
)

// TestHeard: without a frame the systems at both ends go on hearing each other, and
// no longer than until the connection ends.
func TestHeard(t *testing.T) {
	port := freeUDP(t)
	a, b := open(t, "ann", port), open(t, "bob", port)
	from, to := meet(t, a, b)
	for name, c := range map[string]mesh.Conn{"dialed": from, "accepted": to} {
		alive, is := c.(mesh.AliveConn)
		if !is {
			t.Fatalf("%s: does not tell", name)
		}
		var most time.Duration // since when nothing was heard, until something was
		for began := time.Now(); ; time.Sleep(20 * time.Millisecond) {
			ago, ok := alive.Heard()
			if !ok {
				t.Fatalf("%s: cannot tell", name)
			}
			if most > time.Second && ago < most/2 {
				break
			}
			most = max(most, ago)
			if time.Since(began) > 4*keepAlive.Idle {
				t.Fatalf("%s: nothing heard for %v", name, most)
			}
		}
		if most > 2*keepAlive.Idle {
			t.Errorf("%s: heard only after %v", name, most)
		}
	}
	from.Close()
	if _, err := to.Recv(); err == nil {
		t.Error("a frame from a closed connection")
	}
	if _, ok := from.(mesh.AliveConn).Heard(); ok {
		within := time.Now().Add(5 * time.Second)
		for ok && time.Now().Before(within) { // it lingers for a moment
			time.Sleep(20 * time.Millisecond)
			_, ok = from.(mesh.AliveConn).Heard()
		}
		if ok {
			t.Error("a closed connection still tells")
		}
	}
}
