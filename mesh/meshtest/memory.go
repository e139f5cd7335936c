package meshtest

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"inselnetz/crdt/log"
	"inselnetz/mesh"
)

// An Office is what all devices of a test know from the start: the founder, the
// network key, and who shares which space. Everything comes from its name.
type Office struct {
	Workspace log.WorkspaceID
	Key       log.Key
	Founder   Device

	mu      sync.Mutex
	private map[log.SpaceID][]log.DeviceID // spaces beside those of everyone
	right   map[seal]bool                  // signatures
}

// Share makes a space that some devices share. Refresh their Meshes afterwards.
func (o *Office) Share(space log.SpaceID, among ...log.DeviceID) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.private[space] = among
}

func (o *Office) shared(a, b log.DeviceID) (list []log.SpaceID) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for s, who := range o.private {
		if slices.Contains(who, a) && slices.Contains(who, b) {
			list = append(list, s)
		}
	}
	slices.SortFunc(list, func(a, b log.SpaceID) int { return bytes.Compare(a[:], b[:]) })
	return list
}

// signed reports whether an entry's signature is right. What one device of the
// office found right is not looked at again for the others, which share a processor.
func (o *Office) signed(by log.DeviceID, e *log.Entry) bool {
	key := seal{by, e.Hash(), e.Sig}
	o.mu.Lock()
	known := o.right[key]
	o.mu.Unlock()
	if known {
		return true
	}
	if e.Verify(by) != nil {
		return false
	}
	o.mu.Lock()
	o.right[key] = true
	o.mu.Unlock()
	return true
}

// A seal is who is said to have signed what, and the signature.
type seal struct {
	by   log.DeviceID
	hash log.Hash
	sig  [64]byte
}

// A Device of a test.
type Device struct {
	ID   log.DeviceID
	Key  ed25519.PrivateKey
	Peer mesh.PeerID
}

// NewDevice returns the device of a name, always the same.
func NewDevice(name string, peer mesh.PeerID) Device {
	seed := sha256.Sum256([]byte("device " + name))
	key := ed25519.NewKeyFromSeed(seed[:])
	return Device{ID: log.DeviceOf(key), Key: key, Peer: peer}
}

// NewOffice returns an office with one device.
func NewOffice(founder Device) *Office {
	return &Office{Workspace: log.WorkspaceID{7}, Key: log.Key{42}, Founder: founder, private: map[log.SpaceID][]log.DeviceID{}, right: map[seal]bool{}}
}

// Space is the space of all members.
func (o *Office) Space() log.SpaceID { return log.Everyone(o.Workspace) }

// Identity returns what a device proves, for one start of it.
func (o *Office) Identity(d Device, start byte) mesh.Identity {
	return mesh.Identity{Device: d.ID, Key: d.Key, Instance: [16]byte{start}, Keys: func() []log.Key { return []log.Key{o.Key} }}
}

// Memory is Holdings in memory: real entries, and as membership the control
// entries Admit and Revoke write. What Import and Append returned for is kept,
// nothing else: Crash drops imports under way.
type Memory struct {
	Office *Office
	Device Device
	// Disk is how long an import of some bytes takes; nil means no time.
	Disk func(entries [][]byte) time.Duration

	mu      sync.Mutex
	logs    map[log.LogID]*chain
	own     map[log.SpaceID]log.Incarnation
	starts  byte // incarnations begun
	life    int
	admits  map[log.DeviceID]mesh.PeerID
	revoked map[log.DeviceID]bool
	control map[log.Ref]bool
	has     map[log.DeviceID]log.Heights
	reached map[mesh.PeerID][]string
	imports int
	bulk    int
	forks   int
}

type chain struct {
	card    log.Card
	entries []*log.Entry
}

func (c *chain) height() log.Height {
	if len(c.entries) == 0 {
		return log.Height{}
	}
	last := c.entries[len(c.entries)-1]
	return log.Height{Seq: last.Seq, Hash: last.Hash()}
}

// NewMemory returns the empty holdings of a device.
func NewMemory(o *Office, d Device) *Memory {
	return &Memory{
		Office: o, Device: d,
		logs: map[log.LogID]*chain{}, own: map[log.SpaceID]log.Incarnation{},
		admits: map[log.DeviceID]mesh.PeerID{}, revoked: map[log.DeviceID]bool{}, control: map[log.Ref]bool{},
		has: map[log.DeviceID]log.Heights{}, reached: map[mesh.PeerID][]string{},
	}
}

// Copy returns holdings that are equal now, as a copied data directory is.
func (m *Memory) Copy() *Memory {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := NewMemory(m.Office, m.Device)
	c.Disk = m.Disk
	for id, l := range m.logs {
		c.logs[id] = &chain{l.card, slices.Clone(l.entries)}
	}
	c.own, c.starts = maps.Clone(m.own), m.starts
	c.admits, c.revoked, c.control = maps.Clone(m.admits), maps.Clone(m.revoked), maps.Clone(m.control)
	return c
}

// Crash makes imports that have not returned store nothing.
func (m *Memory) Crash() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.life++
}

// Append writes an own entry. Pass it to Push.
func (m *Memory) Append(space log.SpaceID, payload []byte) (log.Card, *log.Entry) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.append(space, log.KindChat, payload)
}

func (m *Memory) append(space log.SpaceID, kind log.Kind, payload []byte) (log.Card, *log.Entry) {
	card := log.Card{Workspace: m.Office.Workspace, Space: space, Device: m.Device.ID, Incarnation: m.own[space]}
	id := card.ID()
	c := m.logs[id]
	if c == nil {
		c = &chain{card: card}
		m.logs[id] = c
	}
	at := c.height()
	h := log.Header{Log: id, Seq: at.Seq + 1, Prev: at.Hash, Kind: kind}
	for _, l := range m.logs {
		if l.card.Space == log.Control && l != c && len(h.Ctl) < log.MaxRefs {
			h.Ctl = append(h.Ctl, l.height().Hash.Ref())
		}
	}
	slices.SortFunc(h.Ctl, func(a, b log.Ref) int { return bytes.Compare(a[:], b[:]) })
	e, err := log.New(m.Device.Key, h, payload)
	if err != nil {
		panic(err)
	}
	m.keep(c, e)
	return card, e
}

// Admit writes a control entry that makes a device a member.
func (m *Memory) Admit(d Device) (log.Card, *log.Entry) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.append(log.Control, log.KindControl, slices.Concat([]byte("a"), d.ID[:], []byte(d.Peer)))
}

// Revoke writes a control entry that ends a membership.
func (m *Memory) Revoke(d Device) (log.Card, *log.Entry) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.append(log.Control, log.KindControl, slices.Concat([]byte("r"), d.ID[:]))
}

func (m *Memory) keep(c *chain, e *log.Entry) {
	c.entries = append(c.entries, e)
	if c.card.Space != log.Control {
		return
	}
	m.control[e.Hash().Ref()] = true
	if p := e.Payload; len(p) >= 33 {
		switch dev := log.DeviceID(p[1:33]); p[0] {
		case 'a':
			m.admits[dev] = mesh.PeerID(p[33:])
		case 'r':
			m.revoked[dev] = true
		}
	}
}

// Member is part of mesh.Holdings.
func (m *Memory) Member(d log.DeviceID) (mesh.PeerID, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.member(d)
}

func (m *Memory) member(d log.DeviceID) (mesh.PeerID, bool) {
	if d == m.Office.Founder.ID {
		return m.Office.Founder.Peer, true
	}
	p, ok := m.admits[d]
	return p, ok && !m.revoked[d]
}

// Members is part of mesh.Holdings.
func (m *Memory) Members() map[mesh.PeerID][]string {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := map[mesh.PeerID][]string{m.Office.Founder.Peer: nil}
	for d, p := range m.admits {
		if !m.revoked[d] {
			all[p] = nil
		}
	}
	delete(all, m.Device.Peer)
	for p := range all {
		all[p] = m.reached[p]
	}
	return all
}

// Reached is part of mesh.Holdings.
func (m *Memory) Reached(p mesh.PeerID, addrs []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.reached[p] = addrs
}

// Spaces is part of mesh.Holdings.
func (m *Memory) Spaces(with log.DeviceID) []log.SpaceID {
	m.mu.Lock()
	defer m.mu.Unlock()
	list := []log.SpaceID{log.Control}
	if _, ok := m.member(with); !ok {
		return list
	}
	list = append(list, m.Office.Space())
	return append(list, m.Office.shared(with, m.Device.ID)...)
}

// Heights is part of mesh.Holdings.
func (m *Memory) Heights(space log.SpaceID) log.Heights {
	m.mu.Lock()
	defer m.mu.Unlock()
	h := log.Heights{}
	for id, c := range m.logs {
		if c.card.Space == space {
			h[id] = c.height()
		}
	}
	return h
}

// Top returns the number of the last entry held of a log.
func (m *Memory) Top(id log.LogID) uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	if c := m.logs[id]; c != nil {
		return c.height().Seq
	}
	return 0
}

// Card is part of mesh.Holdings.
func (m *Memory) Card(id log.LogID) (log.Card, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := m.logs[id]
	if c == nil {
		return log.Card{}, false
	}
	return c.card, true
}

// Entries is part of mesh.Holdings.
func (m *Memory) Entries(_ context.Context, id log.LogID, from, to uint64, most int) ([][]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := m.logs[id]
	if c == nil || from < 1 || from > uint64(len(c.entries)) {
		return nil, errors.New("not held")
	}
	var list [][]byte
	for _, e := range c.entries[from-1 : min(to, uint64(len(c.entries)))] {
		b := e.Bytes()
		if most -= len(b); most < 0 && len(list) > 0 {
			break
		}
		list = append(list, b)
	}
	return list, nil
}

// Import is part of mesh.Holdings.
func (m *Memory) Import(ctx context.Context, card log.Card, entries [][]byte, live bool) (log.Height, error) {
	m.mu.Lock()
	life := m.life
	m.mu.Unlock()
	if m.Disk != nil {
		select {
		case <-time.After(m.Disk(entries)):
		case <-ctx.Done():
			return log.Height{}, ctx.Err()
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.life != life {
		return log.Height{}, errors.New("crashed")
	}
	m.imports++
	if !live {
		m.bulk++
	}
	return m.store(card, entries, live)
}

func (m *Memory) store(card log.Card, entries [][]byte, live bool) (log.Height, error) {
	id := card.ID()
	c := m.logs[id]
	if c == nil {
		c = &chain{card: card}
	}
	var run []*log.Entry
	for _, b := range entries {
		e, err := log.Decode(b)
		if err != nil {
			return log.Height{}, fmt.Errorf("%w: %w", mesh.ErrHostile, err)
		}
		if e.Log != id {
			return log.Height{}, fmt.Errorf("%w: another log", mesh.ErrHostile)
		}
		if e.Seq <= c.height().Seq {
			if c.entries[e.Seq-1].Hash() != e.Hash() && e.Verify(card.Device) == nil {
				m.forks++
				return c.height(), errors.New("a fork")
			}
			continue
		}
		run = append(run, e)
	}
	if len(run) == 0 {
		return c.height(), nil
	}
	if run[0].Extends(c.height()) != nil {
		return log.Height{}, mesh.ErrBehind
	}
	if err := m.check(card, c.height(), run, live); err != nil {
		return log.Height{}, err
	}
	m.logs[id] = c
	for _, e := range run {
		m.keep(c, e)
	}
	return c.height(), nil
}

func (m *Memory) check(card log.Card, at log.Height, run []*log.Entry, live bool) error {
	checked, err := log.VerifyRun(card.Device, card.ID(), at, run)
	if err != nil {
		return fmt.Errorf("%w: %w", mesh.ErrHostile, err)
	}
	_, was := m.admits[card.Device]
	if card.Device != m.Office.Founder.ID && !was {
		return mesh.ErrNeedControl
	}
	if card.Device != m.Device.ID && m.revoked[card.Device] {
		return errors.New("its author was removed")
	}
	for i, e := range run {
		if live && !slices.Contains(checked, i) && !m.Office.signed(card.Device, e) {
			return mesh.ErrHostile
		}
		for _, r := range e.Ctl {
			if !m.control[r] {
				return mesh.ErrNeedControl
			}
		}
	}
	return nil
}

// Holds is part of mesh.Holdings. An old copy of a device learns here that it is
// one, and begins a new log.
func (m *Memory) Holds(dev log.DeviceID, heights log.Heights) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.has[dev] == nil {
		m.has[dev] = log.Heights{}
	}
	maps.Copy(m.has[dev], heights)
	for space, inc := range m.own {
		m.renew(space, inc, heights)
	}
	for _, space := range []log.SpaceID{log.Control, m.Office.Space()} {
		if _, ok := m.own[space]; !ok {
			m.renew(space, log.Incarnation{}, heights)
		}
	}
}

func (m *Memory) renew(space log.SpaceID, inc log.Incarnation, heights log.Heights) {
	id := log.Card{Workspace: m.Office.Workspace, Space: space, Device: m.Device.ID, Incarnation: inc}.ID()
	at, ok := heights[id]
	if !ok {
		return
	}
	if c := m.logs[id]; c == nil || at.Seq > c.height().Seq {
		m.starts++
		m.own[space] = log.Incarnation{m.starts, 1}
	}
}

// Held returns how many devices said that they hold an entry.
func (m *Memory) Held(id log.LogID, seq uint64) (n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, h := range m.has {
		if h[id].Seq >= seq {
			n++
		}
	}
	return n
}

// Imports returns how many imports were done, and how many of them in bulk.
func (m *Memory) Imports() (all, bulk int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.imports, m.bulk
}

// Forks returns how many forked entries were offered.
func (m *Memory) Forks() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.forks
}

// Payloads returns all payloads held of a space, sorted.
func (m *Memory) Payloads(space log.SpaceID) []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var list []string
	for _, c := range m.logs {
		if c.card.Space == space {
			for _, e := range c.entries {
				list = append(list, string(e.Payload))
			}
		}
	}
	slices.Sort(list)
	return list
}

// Equal reports whether all hold the same of a space.
func Equal(space log.SpaceID, all ...*Memory) bool {
	for _, m := range all[1:] {
		if m.Heights(space).Digest() != all[0].Heights(space).Digest() {
			return false
		}
	}
	return true
}
