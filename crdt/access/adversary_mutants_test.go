package access_test

import (
	"fmt"
	"testing"
	"testing/cryptotest"

	"inselnetz/crdt/access"
)

// mistakes are those the oracle can make on purpose, each a rule broken.
var mistakes = []string{
	"approvals count by key", "a deputy less", "an owner suffices", "owner and deputy do anything",
	"lowering again wins", "lowering does not last", "cuts by number", "logs not named go on", "dead keys go on",
	"nobody needs to know its admission", "juniors remove seniors", "the last end of access wins", "admins make owners",
	"the dead come back", "persons are given away", "guests do as members", "strangers join direct spaces",
	"who left goes on", "owners let themselves in", "juniors put out seniors", "readers make keys", "epochs jump",
	"keys stay fresh", "wraps for anybody", "anybody erases", "the first cut of content stays",
}

// TestMistakesAreFound proves that TestHistories would see a resolver that broke
// a rule: an oracle with that mistake differs from the resolver in some history.
func TestMistakesAreFound(t *testing.T) {
	left := map[string]bool{}
	for _, m := range mistakes {
		left[m] = true
	}
	for seed := uint64(0); len(left) > 0 && seed < 1000; seed++ {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			cryptotest.SetGlobalRandom(t, seed)
			h := play(t, seed)
			p := h.probe()
			said := ofState(access.Resolve(h.w, h.all), p)
			if said.differs(newOracle(h.w, h.all, "").says(p), "", "") != "" {
				t.Fatal("differs without a mistake; TestHistories says how")
			}
			for _, m := range mistakes {
				if left[m] && said.differs(newOracle(h.w, h.all, m).says(p), "resolver", "oracle") != "" {
					delete(left, m)
					t.Logf("seed %d finds: %s", seed, m)
				}
			}
		})
	}
	for m := range left {
		t.Errorf("no history tells right from wrong: %s", m)
	}
}
