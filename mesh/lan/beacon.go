package lan

import (
	"bytes"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"inselnetz/crdt/log"
	"inselnetz/mesh"
)

const (
	announceEvery = 30 * time.Second // where few are heard; give or take a sixth
	announceShare = 2 * time.Second  // of all who are heard together: where they are many, each is rarer
	announceMost  = 2 * time.Minute
	answerAfter   = 60 * time.Millisecond // and up to as much again
	answerPause   = time.Second           // between answers to news of others
	doorEvery     = 1500 * time.Millisecond
	lookEvery     = 2 * time.Second // at the interfaces

	packetRate   = 500 * time.Microsecond // opened in the long run
	packetBurst  = 400
	sourceRate   = 20 * time.Millisecond // the same for one address
	sourceBurst  = 60
	maxListeners = 512 // addresses whose rate is known
)

// fastAnnounces are when news is told again, in case a packet was lost.
var fastAnnounces = []time.Duration{0, 300 * time.Millisecond, time.Second}

// air is what a Transport says and hears by radio. The Transport's mu guards it.
type air struct {
	keys    [][]byte // newest first; none is silence
	door    string
	counter uint64
	burst   uint32
	due     []time.Time // of fast announces
	next    time.Time   // of the regular one
	answer  time.Time   // of an answer; zero if none is owed
	replied time.Time
	nextDoor,
	nextLook,
	nextAsk time.Time
	asking bool      // by mDNS whoever else is heard
	radio  time.Time // when a beacon of another came by radio

	seen  seen
	doors doors

	all   bucket
	rates map[netip.Addr]*bucket
}

// Announce sets the keys that authenticate beacons, newest first, and announces
// this device at once; the same keys again are a reminder and no news. With no
// keys it falls silent.
func (t *Transport) Announce(keys []log.Key) {
	if len(keys) == 0 {
		t.announce(true)
	}
	var derived [][]byte
	for _, k := range keys[:min(len(keys), maxBeaconKeys)] {
		derived = append(derived, beaconKey(k))
	}
	now := time.Now()
	t.mu.Lock()
	if slices.EqualFunc(derived, t.air.keys, bytes.Equal) {
		t.air.remind(now)
	} else {
		t.air.keys = derived
		t.air.news(now)
	}
	t.mu.Unlock()
	t.wake()
}

// ShowDoor announces a door under this name until called with "".
func (t *Transport) ShowDoor(name string) {
	t.mu.Lock()
	t.air.door = cleanName(name)
	t.air.nextDoor = time.Time{}
	t.mu.Unlock()
	t.wake()
}

// Doors returns the doors heard within the last few seconds.
func (t *Transport) Doors() []mesh.Door {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.air.doors.all(time.Now())
}

func (t *Transport) wake() {
	select {
	case t.kick <- struct{}{}:
	default:
	}
}

// news begins a new burst of announces.
func (a *air) news(now time.Time) {
	a.burst++
	a.due = a.due[:0]
	for _, d := range fastAnnounces {
		a.due = append(a.due, now.Add(d))
	}
	a.next = a.regular(now)
	a.nextAsk, a.asking = now, true
}

// every is how long a device waits between regular beacons where so many others
// are heard. News is told at once however many they are.
func every(others int) time.Duration {
	return min(max(announceEvery, time.Duration(others+1)*announceShare), announceMost)
}

// regular returns when the next regular beacon is due.
func (a *air) regular(now time.Time) time.Time {
	wait := every(a.seen.lately(now))
	return now.Add(wait*5/6 + rand.N(wait/3))
}

// remind owes one announce, like an answer.
func (a *air) remind(now time.Time) {
	if a.answer.IsZero() {
		a.answer = later(now.Add(answerAfter+rand.N(answerAfter)), a.replied.Add(answerPause))
	}
}

// A duty is what is due.
type duty struct {
	announce, door, look, ask bool
}

// toDo says what is due now and when to look again.
func (a *air) toDo(now time.Time) (do duty, next time.Time) {
	if !a.nextLook.After(now) {
		do.look = true
		a.nextLook = now.Add(lookEvery)
	}
	next = a.nextLook
	soon := func(at time.Time) {
		if at.Before(next) {
			next = at
		}
	}
	if len(a.keys) > 0 {
		for len(a.due) > 0 && !a.due[0].After(now) {
			do.announce = true
			a.due = a.due[1:]
		}
		if !a.answer.IsZero() && !a.answer.After(now) {
			do.announce = true
			a.replied = now
		}
		if !a.next.After(now) {
			do.announce = true
		}
		if do.announce {
			a.answer = time.Time{}
			a.next = a.regular(now)
		}
		if !a.nextAsk.After(now) {
			// Who hears beacons need not ask: everybody answers a question, and who
			// hears none asks himself.
			do.ask = a.asking || now.Sub(a.radio) >= queryEvery
			a.nextAsk, a.asking = now.Add(queryEvery), false
		}
		soon(a.next)
		soon(a.nextAsk)
		if len(a.due) > 0 {
			soon(a.due[0])
		}
		if !a.answer.IsZero() {
			soon(a.answer)
		}
	}
	if a.door != "" {
		if !a.nextDoor.After(now) {
			do.door = true
			a.nextDoor = now.Add(doorEvery)
		}
		soon(a.nextDoor)
	}
	return do, next
}

// announcer does what is due, until Close.
func (t *Transport) announcer() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-t.kick:
		case <-t.ctx.Done():
			return
		}
		now := time.Now()
		t.mu.Lock()
		do, next := t.air.toDo(now)
		ifs := t.ifs
		t.mu.Unlock()
		if do.look && t.look(now) {
			t.wake()
		}
		if do.announce {
			t.announce(false)
		}
		if do.door {
			t.announceDoor()
		}
		if do.ask && !t.loopback {
			t.spawn(func() {
				ask(t.ctx, ifs, func(packet []byte, from netip.Addr) { t.heard(packet, from, ByMDNS) })
			})
		}
		timer.Reset(time.Until(next))
	}
}

// look follows changes of the interfaces and reports whether there is news.
func (t *Transport) look(now time.Time) bool {
	ifs := interfaces(t.loopback)
	t.mu.Lock()
	changed, news := compare(t.ifs, ifs)
	if !t.looked.IsZero() && slept(t.looked, now) {
		news = true
	}
	t.ifs, t.looked = ifs, now
	var again []mesh.Sighting
	if news {
		t.air.news(now)
		again = t.air.seen.renew()
	}
	t.mu.Unlock()
	if changed {
		t.radio.tune(ifs)
		if !t.loopback {
			t.mdns.tune(ifs)
		}
		t.log.Info("network changed", "addr", t.Addrs())
		if !t.loopback {
			t.dropOrphans() // before the sightings: a peer that is connected would be asked first
		}
	}
	for _, s := range again {
		t.report(s)
	}
	return news
}

// announce sends a member beacon everywhere.
func (t *Transport) announce(gone bool) {
	t.radio.send(func() []byte { return t.memberPacket(gone) })
}

// slept reports whether the computer slept between two looks: then connections
// are dead that do not know it, though no interface changed. Some clocks stand
// still in sleep, so both are asked.
func slept(was, is time.Time) bool {
	const long = lookEvery + 10*time.Second
	return is.Sub(was) > long || is.Round(0).Sub(was.Round(0)) > long
}

// memberPacket makes the next member beacon; nil without a key.
func (t *Transport) memberPacket(gone bool) []byte {
	t.mu.Lock()
	if len(t.air.keys) == 0 {
		t.mu.Unlock()
		return nil
	}
	t.air.counter++
	key := t.air.keys[0]
	b := beacon{
		Instance: t.instance, Counter: t.air.counter, Burst: t.air.burst, Gone: gone,
		Port: uint16(t.host.port), Peer: string(t.host.self), Claims: claims(t.ifs),
	}
	t.mu.Unlock()
	p, err := sealBeacon(key, b)
	if err != nil {
		return nil
	}
	return p
}

func (t *Transport) announceDoor() {
	t.mu.Lock()
	n := notice{Name: t.air.door, Port: uint16(t.host.port), Peer: string(t.host.self)}
	t.mu.Unlock()
	if n.Name != "" {
		p := sealNotice(n)
		t.radio.send(func() []byte { return p })
	}
}

// heard takes a packet off the air. What it costs a second is bounded, for each
// address and for all.
func (t *Transport) heard(packet []byte, from netip.Addr, by Way) {
	kind := packetType(packet)
	if kind == 0 {
		return
	}
	now := time.Now()
	t.mu.Lock()
	allowed := t.air.allow(now, from)
	keys := t.air.keys
	t.mu.Unlock()
	if !allowed {
		return
	}
	switch kind {
	case typeMember:
		if b, err := openBeacon(keys, packet); err == nil {
			t.notes.heard(now, by, b.Instance == t.instance)
			t.heardBeacon(now, b, from, by)
		}
	case typeDoor:
		if n, err := openNotice(packet); err == nil {
			t.heardNotice(now, n, from)
		}
	}
}

// allow bounds packets. One address cannot use up what all have together.
func (a *air) allow(now time.Time, from netip.Addr) bool {
	b := a.rates[from]
	if b == nil {
		if a.rates == nil {
			a.rates = map[netip.Addr]*bucket{}
		}
		if len(a.rates) >= maxListeners {
			for addr, old := range a.rates {
				if old.full.Before(now) {
					delete(a.rates, addr)
				}
			}
		}
		if len(a.rates) >= maxListeners {
			return false
		}
		b = &bucket{}
		a.rates[from] = b
	}
	return b.allow(now, sourceRate, sourceBurst) && a.all.allow(now, packetRate, packetBurst)
}

func (t *Transport) heardBeacon(now time.Time, b beacon, from netip.Addr, by Way) {
	id, err := peer.IDFromBytes([]byte(b.Peer))
	if err != nil || b.Instance == t.instance {
		return
	}
	name := mesh.PeerID(id.String())
	t.mu.Lock()
	if by != ByMDNS {
		t.air.radio = now
	}
	s, ok := t.air.seen.hear(now, name, b, from)
	if ok && !s.Gone {
		t.learn(name, s.Addrs)
	}
	if ok && s.New {
		t.air.remind(now)
	}
	t.mu.Unlock()
	if !ok {
		return
	}
	t.guard.befriend(now, from)
	t.report(s)
	if s.New {
		t.wake()
	}
}

func (t *Transport) heardNotice(now time.Time, n notice, from netip.Addr) {
	id, err := peer.IDFromBytes([]byte(n.Peer))
	if err != nil || id == t.host.self {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.air.doors.hear(now, mesh.PeerID(id.String()), n, from)
}

// report hands a sighting on; if nobody reads, the oldest is dropped.
func (t *Transport) report(s mesh.Sighting) {
	s.Addrs = slices.Clone(s.Addrs)
	for {
		select {
		case t.sightings <- s:
			return
		default:
		}
		select {
		case <-t.sightings:
		default:
		}
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
