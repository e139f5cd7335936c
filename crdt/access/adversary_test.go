package access_test

import (
	"crypto/ed25519"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/cryptotest"

	"inselnetz/crdt/access"
	"inselnetz/crdt/log"
)

// histories is how many of them a run plays. SEED=n replays one, SEEDS=n plays
// another number.
const histories = 2000

func seeds(t testing.TB, n int) (from, to uint64) {
	if s := os.Getenv("SEED"); s != "" {
		seed, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return seed, seed + 1
	}
	if s := os.Getenv("SEEDS"); s != "" {
		count, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		n = count
	}
	from, _ = strconv.ParseUint(os.Getenv("FROM"), 10, 64)
	return from, from + uint64(n)
}

// describe names the operations of an entry, for the story of a failed seed.
func describe(ops []any) string {
	var out []string
	for _, op := range ops {
		text := strings.TrimPrefix(reflect.TypeOf(op).String(), "*access_test.o")
		switch op := op.(type) {
		case *oAdmit:
			text += fmt.Sprintf(" %s %s", dev(op.Device.Sign), op.Role)
		case *oLower:
			text += fmt.Sprintf(" %s %s", dev(op.Device), op.Role)
		case *oRevoke:
			text += " " + dev(op.Device)
		case *oCutOp:
			text += " " + dev(op.Device)
		case *oMembers:
			text += " " + short(op.Space[:])
		case *oKey:
			text += fmt.Sprintf(" %s %d", short(op.Space[:]), op.Epoch)
		}
		out = append(out, text)
	}
	return strings.Join(out, ", ")
}

// play makes a history: devices write, meet, are copied, go back to a backup;
// some begin to lie, and keys of removed ones are in wrong hands.
func play(t testing.TB, seed uint64) *history {
	h := newHistory(t, seed)
	if !h.chance(5) {
		h.setUp()
	}
	var backup *node
	lies := h.r.IntN(4) // in how many of ten steps, in a peaceful office none
	blunders := h.chance(2)
	for range 40 + h.r.IntN(31) {
		n := pick(h.r, h.nodes)
		switch k := h.r.IntN(20); {
		case k < 6:
			h.sync(n, pick(h.r, h.nodes))
		case k < 6+2*lies:
			h.hostileStep(n)
		case k == 19 && h.chance(2):
			backup = h.mishap(n, backup)
		case h.liars[n.pc.card.Sign]:
		case blunders && h.chance(6):
			h.scene()
		case blunders && k%2 == 0:
			h.blunder(n)
		case !h.act(n) && blunders:
			h.blunder(n)
		}
	}
	for range h.r.IntN(3) {
		h.act(pick(h.r, h.nodes))
	}
	return h
}

// setUp makes an office of some devices, spaces and deputies, all of whom know
// each other.
func (h *history) setUp() {
	f := h.nodes[0]
	roles := []access.Role{access.Owner, access.Admin, access.Admin, access.Admin, access.Member, access.Member, access.Guest, access.Carrier}
	for i, role := range roles[h.r.IntN(3):] {
		if h.chance(4) {
			continue
		}
		p := pool()[1+i]
		h.plain(f, oAdmit{Type: 2, Device: p.card, Person: p.person, Role: role, Wraps: []oWrap{}})
	}
	for range h.r.IntN(4) {
		n := pick(h.r, h.nodes)
		h.hand(n, f.list...)
		h.plain(n, h.anyBegin(n.pc))
		h.hand(f, n.list...)
	}
	if h.chance(2) {
		s := oStep{Generation: 1, Previous: access.StepID(h.w), Policy: h.anyPolicy(), Remove: []oStepRemoval{}, Owners: []oStepOwner{}, Access: []oStepAccess{}}
		h.steps = append(h.steps, s)
		id := s.id(h.w)
		h.plain(f, oPropose{Type: 6, Step: s})
		h.plain(f, oApprove{Type: 7, Step: id, Key: log.DeviceOf(h.kit.Sign()), Sig: [64]byte(ed25519.Sign(h.kit.Sign(), oApprovalText(id)))})
	}
	for _, n := range h.nodes {
		h.hand(n, f.list...)
	}
}

// plain writes operations as they are at the end of a node's log.
func (h *history) plain(n *node, ops ...any) {
	payload := oPack(ops...)
	read, _ := oUnpack(payload)
	h.write(n, payload, h.view(n).Heads())
	h.note("%s writes %s", n.name, describe(read))
	h.suspect(n, n.pc, read)
}

// mishap copies a disk, takes a backup, or goes back to it: with the old log, or
// knowing it and with a new one.
func (h *history) mishap(n, backup *node) *node {
	switch {
	case backup == nil:
		backup = h.copyOf(n)
		h.nodes = h.nodes[:len(h.nodes)-1]
		return backup
	case h.chance(3):
		h.note("%s is copied", n.name)
		h.copyOf(n)
		return backup
	}
	h.note("%s goes back to a backup", backup.name)
	again := h.copyOf(backup)
	if h.chance(2) {
		fresh := h.begin(backup.pc)
		fresh.held, fresh.list, h.nodes = again.held, again.list, append(h.nodes[:len(h.nodes)-2], fresh)
	}
	return nil
}

// hostileStep lets one lie: a device that began to, one that was removed, or one
// that never was in.
func (h *history) hostileStep(n *node) {
	p := n.pc
	if h.chance(3) {
		p = h.anyDevice()
	}
	s := h.view(n)
	if _, in := s.Devices[p.card.Sign]; in && !h.liars[p.card.Sign] && len(h.liars) > 2 {
		return // not everyone
	}
	h.liars[p.card.Sign] = true
	payload := h.anyPayload(p, h.all)
	ops, _ := oUnpack(payload)
	a := h.lie(p, payload)
	h.note("%s lies at %d: %s", p.name, a.Entry.Seq, describe(ops))
	h.hand(n, h.closure(a)...)
	h.suspect(n, p, ops)
}

// blunder lets a device that means no harm write anything at the end of its log:
// what it may not do, and what no maker would offer.
func (h *history) blunder(n *node) {
	payload := h.anyPayload(n.pc, n.list)
	ops, _ := oUnpack(payload)
	h.write(n, payload, h.view(n).Heads())
	h.note("%s blunders: %s", n.name, describe(ops))
	h.suspect(n, n.pc, ops)
}

// closure returns an entry with all it builds on: no device takes an entry
// before those.
func (h *history) closure(a access.Authored) []access.Authored {
	seen := map[string]bool{}
	var out []access.Authored
	var visit func(a access.Authored)
	visit = func(a access.Authored) {
		id := a.Entry.Hash().String()
		if seen[id] {
			return
		}
		seen[id] = true
		if p, ok := h.byHash[a.Entry.Prev]; ok {
			visit(p)
		}
		for _, r := range a.Entry.Ctl {
			for _, c := range h.all {
				if c.Entry.Hash().Ref() == r {
					visit(c)
				}
			}
		}
		out = append(out, a)
	}
	visit(a)
	return out
}

// suspect remembers whom operations are aimed at, and starts who was let in.
func (h *history) suspect(n *node, by *pc, ops []any) {
	for _, op := range ops {
		switch op := op.(type) {
		case *oAdmit:
			h.admitters[op.Device.Sign] = append(h.admitters[op.Device.Sign], by.card.Sign)
			i := slices.IndexFunc(pool(), func(p *pc) bool { return p.card.Sign == op.Device.Sign })
			if !slices.ContainsFunc(h.nodes, func(o *node) bool { return o.pc == pool()[i] }) {
				h.hand(h.begin(pool()[i]), n.list...)
			}
		case *oLower:
			h.accuse(by, op.Device)
		case *oRevoke:
			h.accuse(by, op.Device)
		case *oCutOp:
			h.accuse(by, op.Device)
		case *oMembers:
			for _, l := range op.Remove {
				h.accusedIn[l.Person] = true
			}
		case *oPropose:
			for _, r := range op.Step.Remove {
				h.accuse(by, r.Device)
			}
		}
	}
}

func (h *history) accuse(by *pc, d log.DeviceID) {
	h.accused[d] = true
	h.selfLowered = h.selfLowered || by.card.Sign == d
}

func (h *history) story() string { return strings.Join(h.trace, "\n") }

// TestHistories plays office after office and holds each against the oracle and
// against what must never happen.
func TestHistories(t *testing.T) {
	n := histories
	if testing.Short() {
		n = 200
	}
	from, to := seeds(t, n)
	var sum counts
	for seed := from; seed < to; seed++ {
		ok := t.Run(fmt.Sprint(seed), func(t *testing.T) {
			cryptotest.SetGlobalRandom(t, seed)
			h := play(t, seed)
			sum.add(h, h.check())
			if t.Failed() {
				t.Logf("seed %d\n%s", seed, h.story())
			}
		})
		if !ok {
			sum.failed++
			t.Logf("SEED=%d replays it", seed)
			if sum.failed == 10 {
				t.Fatal("enough")
			}
		}
	}
	t.Logf("seeds %d to %d: %+v", from, to-1, sum)
}
