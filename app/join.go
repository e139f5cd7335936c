package app

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"time"

	"inselnetz/crdt/access"
	"inselnetz/crdt/log"
	"inselnetz/crdt/pairing"
	"inselnetz/mesh"
)

// A joining is this device's way into a workspace. Workspace.mu guards it.
type joining struct {
	JoinState
	conn    mesh.Conn
	result  pairing.Result
	answer  chan bool // whether the words are the same
	stop    context.CancelFunc
	aborted bool
	typed   string // the address it was found at, if someone typed one
}

// Steps of joining.
const (
	StepNone       = "none"
	StepConnecting = "connecting"
	StepNumber     = "number"
	StepWords      = "words"
	StepDone       = "done"
	StepFailed     = "failed"
)

// JoinState is how far joining is.
type JoinState struct {
	Step     string
	Door     string
	Number   string
	Words    string
	Office   string
	Person   string // who this device's person is there, from StepWords on
	Deadline time.Time
	Why      *Problem
}

// Doors returns the workspaces nearby that let someone in just now.
func (w *Workspace) Doors() []mesh.Door { return w.net.Doors() }

// An asker finds out who answers at an address that someone typed.
type asker interface {
	Ask(ctx context.Context, addr string) (mesh.Door, error)
}

// offer is what this device says about itself.
func (w *Workspace) offer(person, device string) (pairing.Offer, error) {
	person, err := cleanName("person", person)
	if err != nil {
		return pairing.Offer{}, err
	}
	if device == "" {
		device = ComputerName()
	}
	if device, err = cleanName("device", device); err != nil {
		return pairing.Offer{}, err
	}
	return pairing.Offer{
		Device: access.DeviceCard{Sign: w.self, Box: access.BoxSecret(w.id.Box).Public(), Peer: string(w.net.Self()), Name: device},
		Person: access.Person{ID: access.PersonID(w.id.person()), Name: person},
	}, nil
}

// A JoinAsk says where to join, and as whom.
type JoinAsk struct {
	Peer   mesh.PeerID // a door by its peer id; empty: the only one there is
	Addr   string      // or a typed address
	Link   string      // or a link
	Person string
	Device string // empty: the computer's name
}

// Join asks at a door, or goes the way of a link.
func (w *Workspace) Join(ctx context.Context, ask JoinAsk) error {
	if st := w.snapshot(); st != nil {
		return problem("already-member", access.ShowName(st.Office))
	}
	offer, err := w.offer(ask.Person, ask.Device)
	if err != nil {
		return err
	}
	var link *pairing.Link
	var door mesh.Door
	if ask.Link != "" {
		l, err := pairing.ParseLink(ask.Link)
		if err != nil {
			return &Problem{Code: "bad-link", Field: "link", Err: err}
		}
		link, door = &l, mesh.Door{Peer: mesh.PeerID(l.Peer), Addrs: l.Addrs}
		for _, d := range w.net.Doors() { // its address may have changed since
			if d.Peer == door.Peer {
				door.Addrs = append(door.Addrs, d.Addrs...)
			}
		}
	} else if door, err = w.findDoor(ctx, string(ask.Peer), ask.Addr); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if j := w.joining; j != nil && (j.Step == StepConnecting || j.Step == StepNumber || j.Step == StepWords) {
		return problem("join-running")
	}
	j := &joining{typed: ask.Addr, JoinState: JoinState{Step: StepConnecting, Door: door.Name, Deadline: w.opts.Now().Add(pairing.Lifetime)}, answer: make(chan bool, 1)}
	w.joining = j
	w.job(func(ctx context.Context) { w.runJoin(ctx, j, door, link, offer) })
	return nil
}

func (w *Workspace) findDoor(ctx context.Context, peer, addr string) (mesh.Door, error) {
	if addr != "" {
		a, ok := w.net.(asker)
		if !ok {
			return mesh.Door{}, &Problem{Code: "bad-address", Field: "address", Args: []any{addr}}
		}
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		door, err := a.Ask(ctx, addr)
		if err != nil {
			return mesh.Door{}, &Problem{Code: "bad-address", Field: "address", Args: []any{addr}, Err: err}
		}
		return door, nil
	}
	doors := w.net.Doors()
	for _, d := range doors {
		if string(d.Peer) == peer || peer == "" && len(doors) == 1 {
			return d, nil
		}
	}
	switch {
	case peer != "":
		return mesh.Door{}, problem("door-gone")
	case len(doors) == 0:
		return mesh.Door{}, problem("no-door")
	}
	return mesh.Door{}, problem("several-doors")
}

// runJoin goes the number path, or the way of a link, to its end.
func (w *Workspace) runJoin(ctx context.Context, j *joining, door mesh.Door, link *pairing.Link, offer pairing.Offer) {
	ctx, stop := context.WithTimeout(ctx, pairing.Lifetime)
	defer stop()
	w.mu.Lock()
	j.stop = stop
	aborted := j.aborted
	w.mu.Unlock()
	if aborted {
		stop()
	}
	err := w.goThroughDoor(ctx, j, door, link, offer)
	w.mu.Lock()
	if err == nil {
		j.Step = StepDone
	} else {
		j.Step, j.Why = StepFailed, joinProblem(err, j.aborted, ctx)
	}
	j.Number = ""
	w.mu.Unlock()
	w.changed("join", "")
	w.changed("status", "")
}

func joinProblem(err error, aborted bool, ctx context.Context) *Problem {
	var p *Problem
	var r *pairing.Refused
	switch {
	case aborted:
		return problem("join-canceled")
	case errors.As(err, &p):
		return p
	case errors.As(err, &r) && r.Reason == pairing.Used:
		return because("link-used", err)
	case errors.As(err, &r) && r.Reason == pairing.Expired, errors.Is(ctx.Err(), context.DeadlineExceeded):
		return because("join-expired", err)
	case errors.As(err, &r):
		return because("join-refused", err)
	case errors.Is(err, pairing.ErrMalformed), errors.Is(err, pairing.ErrOpening), errors.Is(err, pairing.ErrOrder),
		errors.Is(err, pairing.ErrWelcome), errors.Is(err, pairing.ErrVersion), errors.Is(err, pairing.ErrProof):
		return because("join-hostile", err)
	}
	return because("door-gone", err)
}

func (w *Workspace) goThroughDoor(ctx context.Context, j *joining, door mesh.Door, link *pairing.Link, offer pairing.Offer) error {
	dial, cancel := context.WithTimeout(ctx, openingTime)
	c, err := w.net.Dial(dial, door.Peer, door.Addrs, mesh.ProtoJoin)
	cancel()
	if err != nil {
		return err
	}
	defer c.Close()
	defer context.AfterFunc(ctx, func() { _ = c.Close() })()
	opening := time.AfterFunc(openingTime, func() { _ = c.Close() })
	defer opening.Stop()
	var result pairing.Result
	var words string
	if link != nil {
		result, words, err = w.followLink(c, *link, offer, opening)
	} else {
		result, words, err = w.byNumber(c, j, offer, opening)
	}
	if err != nil {
		return err
	}
	opening.Stop()
	w.joinStep(j, func(s *JoinState) {
		s.Step, s.Words, s.Office, s.Person = StepWords, words, access.ShowName(result.State.Office), access.ShowName(result.Person.Name)
	})
	select {
	case same := <-j.answer:
		if !same {
			return problem("words-differ")
		}
	case <-ctx.Done():
		return ctx.Err()
	}
	// where the door was reached first, then what its device says of itself
	result.Addrs = append(slices.Clone(door.Addrs), result.Addrs...)
	w.keepTyped(result.Inviter.Peer, j.typed)
	return w.takeOver(ctx, result)
}

// byNumber goes the number path up to the welcome.
func (w *Workspace) byNumber(c mesh.Conn, j *joining, offer pairing.Offer, opening *time.Timer) (pairing.Result, string, error) {
	joiner, err := pairing.NewJoiner(rand.Reader, offer, access.BoxSecret(w.id.Box), string(w.net.Self()), string(c.Peer()))
	if err != nil {
		return pairing.Result{}, "", err
	}
	number, err := showNumber(c, joiner)
	if err != nil {
		return pairing.Result{}, "", err
	}
	opening.Stop()
	w.joinStep(j, func(s *JoinState) { s.Step, s.Number = StepNumber, number })
	result, err := receive(c, joiner.Welcome)
	return result, joiner.Words(), err
}

// showNumber exchanges commitments and secrets; both sides then know the number.
func showNumber(c mesh.Conn, j *pairing.Joiner) (string, error) {
	if err := c.Send(j.Start()); err != nil {
		return "", err
	}
	b, err := c.Recv()
	if err != nil {
		return "", err
	}
	reveal, err := j.Answer(b)
	if err != nil {
		return "", err
	}
	if err := c.Send(reveal); err != nil {
		return "", err
	}
	if b, err = c.Recv(); err != nil {
		return "", err
	}
	return j.Reveal(b)
}

func (w *Workspace) joinStep(j *joining, f func(*JoinState)) {
	w.mu.Lock()
	f(&j.JoinState)
	w.mu.Unlock()
	w.changed("join", "")
}

// takeOver makes this device a member. The membership file comes first: a crash
// after it is made good at the next start, a crash before it leaves nothing.
func (w *Workspace) takeOver(ctx context.Context, r pairing.Result) error {
	w.own.mu.Lock()
	defer w.own.mu.Unlock()
	if w.snapshot() != nil {
		return problem("already-member", access.ShowName(r.State.Office))
	}
	if err := w.keep(r.State); err != nil {
		return storeProblem(err, w.dir)
	}
	if err := w.store.Use(ctx, &reader{ws: r.Workspace, state: r.State, keys: r.Keys}); err != nil {
		return storeProblem(err, w.dir)
	}
	if err := w.importAll(ctx, r.Entries); err != nil {
		return storeProblem(err, w.dir)
	}
	if err := w.store.Put(metaWorkspace, r.Workspace[:]); err != nil {
		return storeProblem(err, w.dir)
	}
	// before the mesh begins: it may know no other way to the inviter
	w.reached(mesh.PeerID(r.Inviter.Peer), r.Addrs)
	w.told(mesh.PeerID(r.Inviter.Peer), r.Addrs)
	return w.enter(ctx, r.Workspace)
}

// importAll stores entries in their order, each run of one log at once.
func (w *Workspace) importAll(ctx context.Context, entries []access.Authored) error {
	for len(entries) > 0 {
		n := 1
		for n < len(entries) && entries[n].Card == entries[0].Card {
			n++
		}
		run := make([]*log.Entry, n)
		for i := range run {
			run[i] = entries[i].Entry
		}
		if _, err := w.store.Import(ctx, entries[0].Card, run, true); err != nil {
			return err
		}
		entries = entries[n:]
	}
	return nil
}

// JoinState returns how far joining is.
func (w *Workspace) JoinState() JoinState {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if w.joining == nil {
		return JoinState{Step: StepNone}
	}
	return w.joining.JoinState
}

// ConfirmJoin says whether the three words are the same on both screens.
func (w *Workspace) ConfirmJoin(same bool) error {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if w.joining == nil || w.joining.Step != StepWords {
		return problem("bad-request", StepWords)
	}
	select {
	case w.joining.answer <- same:
	default: // answered already
	}
	return nil
}

// CancelJoin gives joining up.
func (w *Workspace) CancelJoin() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if j := w.joining; j != nil && j.Step != StepDone && j.Step != StepFailed {
		j.aborted = true
		if j.stop != nil {
			j.stop()
		}
	} else {
		w.joining = nil
	}
}
