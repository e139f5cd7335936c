package oracle

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

func (d deed) String() string {
	b, _ := json.Marshal(d)
	var m map[string]any
	_ = json.Unmarshal(b, &m)
	for k, v := range m {
		switch v := v.(type) {
		case nil:
			delete(m, k)
		case string:
			if v == "" || k == "Dump" || k == "Bytes" {
				delete(m, k)
			}
		case float64:
			if v == 0 && k != "R" {
				delete(m, k)
			}
		case bool:
			if !v {
				delete(m, k)
			}
		case []any:
			delete(m, k)
		}
	}
	b, _ = json.Marshal(m)
	return string(b)
}

// number reads a number from the environment.
func number(t testing.TB, name string, otherwise int) int {
	t.Helper()
	v := os.Getenv(name)
	if v == "" {
		return otherwise
	}
	n, err := strconv.Atoi(v)
	if err != nil {
		t.Fatalf("%s=%q is no number", name, v)
	}
	return n
}

// TestHistories has the engine do what the JavaScript release did: 2,000 random
// histories, HISTORIES of them if that is set, or the one of SEED.
func TestHistories(t *testing.T) {
	seeds := number(t, "HISTORIES", 2000)
	if testing.Short() {
		seeds = 100
	}
	from := 0
	if os.Getenv("SEED") != "" {
		from, seeds = number(t, "SEED", 0), number(t, "HISTORIES", 1)
	}
	start := time.Now()
	var deeds, readings int
	done := map[string]int{}
	type game struct {
		seed int
		s    script
		p    *played
	}
	games := make(chan game, 8)
	var players sync.WaitGroup
	const many = 2 // the child is what takes the time
	for i := range many {
		n := startNode(t)
		players.Go(func() {
			for seed := from + i; seed < from+seeds && !t.Failed(); seed += many {
				s := roll(uint64(seed))
				p, err := tryPlay(n, s)
				if err != nil {
					t.Errorf("seed %d: the JavaScript release: %v", seed, err)
					return
				}
				games <- game{seed, s, p}
			}
		})
	}
	go func() {
		players.Wait()
		close(games)
	}()
	reader := startNode(t)
	failed := 0
	for g := range games {
		for _, d := range g.p.Done {
			done[d.Op]++
		}
		deeds += len(g.p.Done)
		r, err := judge(reader, g.s, g.p, g.seed)
		readings += r
		if err == nil {
			continue
		}
		if failed++; failed <= 3 {
			report(t, g.seed, g.s, err)
		}
		if failed == number(t, "FAILURES", 3) {
			t.Fail()
			break
		}
	}
	for range games {
		continue
	}
	t.Logf("%d histories, %d deeds, %d readings in %.1f s: %v", seeds, deeds, readings, time.Since(start).Seconds(), done)
}

func tryPlay(n *node, s script) (*played, error) {
	var p played
	err := n.ask("play", map[string]any{"actors": s.Actors, "steps": s.Steps}, &p)
	return &p, err
}

// judge replays a history with all replicas here, then with some elsewhere, and
// has the JavaScript release read what came out.
func judge(n *node, s script, p *played, seed int) (readings int, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	for _, foreign := range []int{0, 1 + seed%(1<<len(s.Actors)-1)} {
		e, err := replay(s, p, foreign)
		readings += e.readings
		if err != nil {
			return readings, fmt.Errorf("replicas elsewhere %b: %w", foreign, err)
		}
		if r := seed % len(s.Actors); foreign == 0 {
			if err := e.readBack(n, seed, p.Ends[r], r); err != nil {
				return readings, fmt.Errorf("the JavaScript release reads what replica %d wrote: %w", r, err)
			}
		}
	}
	return readings, nil
}

var anything = regexp.MustCompile(`\{.*\}: |[0-9a-f@]*[0-9][0-9a-f@]*`)

// kindOf is what a failure says without its names and numbers, so that shortening
// a history does not wander from one failure to another.
func kindOf(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	line = anything.ReplaceAllString(line, "")
	return line[max(0, len(line)-40):]
}

// report shortens a failing history and prints it.
func report(t *testing.T, seed int, s script, first error) {
	t.Helper()
	n := startNode(t)
	last := first
	short := s.shrink(func(s script) bool {
		p, err := tryPlay(n, s)
		if err != nil {
			return false
		}
		_, err = judge(n, s, p, seed)
		if err == nil || kindOf(err) != kindOf(first) {
			return false
		}
		last = err
		return true
	}, 400)
	p, err := tryPlay(n, short)
	if err != nil {
		t.Fatal(err)
	}
	var deeds strings.Builder
	for i, d := range p.Done {
		fmt.Fprintf(&deeds, "%3d %s\n", i, d)
	}
	t.Errorf("seed %d: %v\nshortened: %v\n%s\nwhat was done:\n%s", seed, first, last, short, deeds.String())
}
