package sim_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"inselnetz/mesh/sim"
)

// TestSoak lets office after office of up to fifty devices live, each with a seed of
// its own, for as long as SOAK says (as "20m"), and prints each seed before it
// begins. SEED=n replays one of them alone; DEVICES=n sets the size. Without either
// it is one small office.
func TestSoak(t *testing.T) {
	length, seed := time.Duration(0), uint64(1)
	var err error
	if s := os.Getenv("SOAK"); s != "" {
		if length, err = time.ParseDuration(s); err != nil {
			t.Fatal(err)
		}
		seed = uint64(time.Now().UnixNano()) % 1_000_000_000
	}
	if s := os.Getenv("SEED"); s != "" {
		length = 0
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	began := time.Now()
	for n := 0; n == 0 || time.Since(began) < length; n++ {
		size := devices(t, seed, length > 0 || os.Getenv("SEED") != "")
		fmt.Printf("%v: seed %d, %d devices\n", time.Since(began).Round(time.Second), seed, size)
		ok := t.Run(fmt.Sprint(seed), func(t *testing.T) {
			sim.Run(t, seed, func(w *sim.World) { officeOf(w, size).live() })
		})
		if !ok {
			t.Fatalf("replay with: SEED=%d DEVICES=%d make soak", seed, size)
		}
		seed++
	}
}

// devices is the size of the office of a seed: 2 to 50, unless DEVICES says it.
func devices(t *testing.T, seed uint64, large bool) int {
	if s := os.Getenv("DEVICES"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 2 || n > 200 {
			t.Fatalf("DEVICES=%s", s)
		}
		return n
	}
	if !large {
		return 10
	}
	return 2 + rand.New(rand.NewPCG(seed, 2)).IntN(49)
}
