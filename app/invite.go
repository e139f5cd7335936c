package app

import (
	"context"
	"crypto/rand"
	"errors"
	"net"
	"time"

	"inselnetz/crdt/access"
	"inselnetz/crdt/log"
	"inselnetz/crdt/pairing"
	"inselnetz/mesh"
)

// An inviting is the one open invite of this device, or what became of the last.
// Workspace.mu guards it.
type inviting struct {
	invite *pairing.Invite     // the number path
	link   *pairing.LinkInvite // or a link
	ask    InviteAsk
	door   string
	conns  map[mesh.PeerID]mesh.Conn // of the sessions
	joined string                    // name of who was let in
	words  string
	why    *Problem // why it is closed
}

// InviteAsk says whom an invite is for.
type InviteAsk struct {
	Role   access.Role
	Link   bool                         // by link instead of a number
	Life   time.Duration                // of a link; 0 is an hour
	Person access.PersonID              // whose further device is let in; zero: a new person
	Until  int64                        // a guest's access ends then, ms since 1970; 0: no end
	Spaces map[log.SpaceID]access.Level // what a guest may see
}

// open reports whether anybody could still come in. The caller holds mu.
func (in *inviting) open() bool { return in != nil && (in.invite != nil || in.link != nil) }

// InviteState is how an invite stands.
type InviteState struct {
	Open     bool
	Door     string   // name under which those nearby see this workspace
	Addrs    []string // where this device is reached, for typing in
	Link     string   // to be copied; empty for the number path
	Person   string   // name of whose further device is let in; empty: a new person
	Role     access.Role
	Deadline time.Time
	Tries    int
	Waiting  []pairing.Offer
	Joined   string // person let in; empty before
	Words    string // three words to compare with the new device
	Why      *Problem
}

// OpenInvite opens the door for one new device, in place of an invite that may
// be open. It lives in memory alone: a restored backup revives none.
func (w *Workspace) OpenInvite(ask InviteAsk) (InviteState, error) {
	st := w.snapshot()
	if st == nil {
		return InviteState{}, problem("not-member")
	}
	if err := w.mayInvite(st); err != nil {
		return InviteState{}, err
	}
	if ask.Person != (access.PersonID{}) {
		if ask.Role = st.PersonRole(ask.Person); ask.Role == 0 {
			return InviteState{}, problem("no-such-person")
		}
	}
	if ask.Role == access.Owner && st.Devices[w.self].Role != access.Owner {
		return InviteState{}, problem("not-permitted")
	}
	if ask.Role != access.Guest {
		ask.Until, ask.Spaces = 0, nil
	}
	name, err := pairing.DoorName(rand.Reader)
	if err != nil {
		return InviteState{}, err
	}
	card, life := st.Devices[w.self].Card, pairing.Lifetime
	in := &inviting{ask: ask, conns: map[mesh.PeerID]mesh.Conn{}}
	if ask.Link {
		if in.link, err = pairing.NewLinkInvite(rand.Reader, card, w.linkAddrs(), ask.Life, w.opts.Now()); err != nil {
			return InviteState{}, err
		}
		life = in.link.Deadline().Sub(w.opts.Now())
	} else {
		in.invite, in.door = pairing.NewInvite(rand.Reader, card, w.opts.Now()), name
	}
	w.CloseInvite()
	w.mu.Lock()
	w.inviting = in
	w.mu.Unlock()
	w.showDoor()
	w.job(func(ctx context.Context) {
		select {
		case <-time.After(life + time.Second):
			w.InviteState() // closes what has expired
			w.changed("invite", "")
		case <-ctx.Done():
		}
	})
	w.changed("invite", "")
	return w.InviteState(), nil
}

// showDoor announces the door of the open invite, or none.
func (w *Workspace) showDoor() {
	w.door.Lock() // the last to look is the last to announce
	defer w.door.Unlock()
	w.mu.RLock()
	name := ""
	if w.inviting != nil && w.inviting.invite != nil {
		name = w.inviting.door
	}
	w.mu.RUnlock()
	w.net.ShowDoor(name)
}

func (w *Workspace) mayInvite(st *access.State) error {
	if st.Stopped {
		return problem("update-needed")
	}
	if st.CanInvite(w.self) {
		return nil
	}
	names := ""
	for id, p := range st.People {
		if r := st.PersonRole(id); r == access.Owner || r == access.Admin {
			if names != "" {
				names += ", "
			}
			names += access.ShowName(p.Name)
		}
	}
	return problem("not-allowed", names)
}

// CloseInvite closes the door; sessions are told.
func (w *Workspace) CloseInvite() InviteState {
	w.mu.Lock()
	w.shut(nil)
	w.mu.Unlock()
	w.changed("invite", "")
	return w.InviteState()
}

// shut closes an open invite for a reason. The caller holds mu; sending the
// refusals is left to the sessions' own goroutines, which end with their conns.
func (w *Workspace) shut(why *Problem) {
	in := w.inviting
	if !in.open() {
		return
	}
	if in.link != nil {
		in.link.Close()
		for _, c := range in.conns {
			w.job(func(context.Context) { refuse(c, pairing.Closed) })
		}
	}
	if in.invite != nil {
		for _, peer := range in.invite.Close() {
			if c := in.conns[mesh.PeerID(peer)]; c != nil {
				w.job(func(context.Context) { refuse(c, pairing.Closed) })
			}
		}
	}
	in.invite, in.link, in.why = nil, nil, why
	w.job(func(context.Context) { w.showDoor() })
}

func refuse(c mesh.Conn, why pairing.Reason) {
	_ = c.Send(pairing.Refusal(why)) // the other side may be gone
	_ = c.Close()
}

// InviteState returns how the invite stands.
func (w *Workspace) InviteState() InviteState {
	w.mu.Lock()
	defer w.mu.Unlock()
	in := w.inviting
	if in == nil {
		return InviteState{}
	}
	now := w.opts.Now()
	if in.invite != nil && errors.Is(in.invite.Open(now), pairing.ErrExpired) ||
		in.link != nil && errors.Is(in.link.Open(now), pairing.ErrExpired) {
		w.shut(problem("invite-expired"))
	}
	out := InviteState{Door: in.door, Role: in.ask.Role, Joined: in.joined, Words: in.words, Why: in.why}
	if p, ok := w.state.People[in.ask.Person]; ok {
		out.Person = access.ShowName(p.Name)
	}
	if in.link != nil {
		out.Open, out.Deadline, out.Link = true, in.link.Deadline(), in.link.Link().String()
		out.Addrs = w.net.Addrs()
	}
	if in.invite != nil {
		out.Open, out.Deadline, out.Tries = true, in.invite.Deadline(), in.invite.Tries()
		out.Addrs = w.net.Addrs()
		for _, s := range in.invite.Waiting() {
			out.Waiting = append(out.Waiting, s.Offer())
		}
	}
	return out
}

// openingTime bounds each message of a session until the number is shown.
const openingTime = 10 * time.Second

// answerDoor serves one device that asks to be let in.
func (w *Workspace) answerDoor(ctx context.Context, c mesh.Conn) {
	defer c.Close()
	stop := context.AfterFunc(ctx, func() { _ = c.Close() })
	defer stop()
	limit := time.AfterFunc(openingTime, func() { _ = c.Close() })
	defer limit.Stop()
	ask, err := c.Recv()
	if err != nil {
		return
	}
	if id, ok := pairing.LinkOf(ask); ok {
		w.answerLink(ctx, c, id, ask, limit)
		return
	}
	answer, err := w.doorAsk(c, ask)
	if err != nil {
		refuse(c, pairing.ReasonOf(err))
		return
	}
	defer w.doorLeft(c)
	if c.Send(answer) != nil {
		return
	}
	opening, err := c.Recv()
	if err != nil {
		return
	}
	reveal, err := w.doorReveal(c, opening)
	if err != nil {
		refuse(c, pairing.ReasonOf(err))
		return
	}
	if c.Send(reveal) != nil {
		return
	}
	limit.Reset(pairing.Lifetime)
	w.changed("invite", "")
	_, _ = c.Recv() // nothing more is expected: this waits for the end
}

func (w *Workspace) doorAsk(c mesh.Conn, ask []byte) ([]byte, error) {
	source, _, err := net.SplitHostPort(c.Path())
	if err != nil {
		source = c.Path()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	in := w.inviting
	if in == nil || in.invite == nil {
		return nil, pairing.ErrClosed
	}
	answer, dropped, err := in.invite.Ask(string(c.Peer()), source, ask, w.opts.Now())
	if err != nil {
		return nil, err
	}
	w.drop(in, dropped, c)
	in.conns[c.Peer()] = c
	return answer, nil
}

// drop ends the session of a peer that had to make room for c. The caller holds
// mu.
func (w *Workspace) drop(in *inviting, peer string, c mesh.Conn) {
	if old := in.conns[mesh.PeerID(peer)]; peer != "" && old != nil && old != c {
		delete(in.conns, mesh.PeerID(peer))
		w.job(func(context.Context) { refuse(old, pairing.Dropped) })
	}
}

func (w *Workspace) doorReveal(c mesh.Conn, opening []byte) ([]byte, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	in := w.inviting
	if in == nil || in.invite == nil || in.conns[c.Peer()] != c {
		return nil, pairing.ErrClosed
	}
	reveal, dropped, err := in.invite.Reveal(string(c.Peer()), opening, w.opts.Now())
	w.drop(in, dropped, c)
	return reveal, err
}

func (w *Workspace) doorLeft(c mesh.Conn) {
	w.mu.Lock()
	if in := w.inviting; in != nil && in.conns[c.Peer()] == c {
		delete(in.conns, c.Peer())
		if in.invite != nil {
			in.invite.Drop(string(c.Peer()))
		}
	}
	w.mu.Unlock()
	w.changed("invite", "")
}

// TypeNumber lets in the device that shows the number.
func (w *Workspace) TypeNumber(ctx context.Context, number string) (InviteState, error) {
	w.mu.Lock()
	in := w.inviting
	if in == nil || in.invite == nil {
		w.mu.Unlock()
		return InviteState{}, problem("invite-closed")
	}
	if len(in.invite.Waiting()) == 0 && in.invite.Open(w.opts.Now()) == nil {
		w.mu.Unlock()
		return InviteState{}, problem("nobody-waits")
	}
	session, err := in.invite.Type(number, w.opts.Now())
	if err != nil {
		p := w.missed(in, err)
		w.mu.Unlock()
		w.changed("invite", "")
		return w.InviteState(), p
	}
	offer := session.Offer()
	conn := in.conns[mesh.PeerID(offer.Device.Peer)]
	w.mu.Unlock()
	// the number was right: who typed it may go, the admission goes on
	err = w.letIn(context.WithoutCancel(ctx), in, session, offer, conn)
	if err != nil {
		w.mu.Lock()
		w.shut(because("invite-closed", err))
		w.mu.Unlock()
	}
	return w.InviteState(), err
}

// missed phrases why a number let nobody in. The caller holds mu.
func (w *Workspace) missed(in *inviting, err error) *Problem {
	tries := in.invite.Tries()
	switch {
	case errors.Is(err, pairing.ErrNotNumber):
		return problem("number-format")
	case errors.Is(err, pairing.ErrMiss) && tries > 1:
		return problem("number-wrong", tries)
	case errors.Is(err, pairing.ErrMiss) && tries == 1:
		return problem("number-wrong-last")
	}
	p := because("invite-closed", err)
	switch {
	case errors.Is(err, pairing.ErrMiss):
		p = problem("invite-missed")
	case errors.Is(err, pairing.ErrTwice):
		p = problem("invite-ambiguous")
	case errors.Is(err, pairing.ErrExpired):
		p = problem("invite-expired")
	}
	w.shut(p)
	return p
}

// letIn writes the admission, which is on disk before the new device hears of
// it, and sends the welcome. A device that missed its welcome asks again and is
// welcomed by the same admission.
func (w *Workspace) letIn(ctx context.Context, in *inviting, session *pairing.Inviter, offer pairing.Offer, conn mesh.Conn) (err error) {
	st := w.snapshot()
	known, ok := st.Devices[offer.Device.Sign]
	if !ok {
		if known, err = w.admit(ctx, in.ask, offer); err != nil {
			return err
		}
		st = w.snapshot()
	}
	welcome, err := session.Welcome(st, known.Entry, w.net.Addrs())
	if err != nil {
		return admitProblem(err)
	}
	if conn != nil {
		err = sendAll(conn, welcome)
	}
	w.mu.Lock()
	in.joined, in.words = access.ShowName(offer.Person.Name), session.Words(w.ws)
	delete(in.conns, mesh.PeerID(offer.Device.Peer)) // its conn ends when the joiner closes it
	w.shut(nil)
	w.mu.Unlock()
	w.changed("invite", "")
	w.changed("people", "")
	if conn == nil || err != nil {
		return because("door-gone", err)
	}
	return nil
}

// admit writes the admission of a device, as the invite says.
func (w *Workspace) admit(ctx context.Context, ask InviteAsk, offer pairing.Offer) (access.Device, error) {
	st := w.snapshot()
	in := access.AdmitInput{Device: offer.Device, Person: offer.Person, Role: ask.Role, Until: ask.Until, Spaces: ask.Spaces}
	if ask.Person != (access.PersonID{}) {
		in.Person, in.Known = st.People[ask.Person], true
	}
	payload, err := st.Admit(w.self, w.keyring(), in)
	if err != nil {
		return access.Device{}, admitProblem(err)
	}
	if err := w.control(ctx, payload); err != nil {
		return access.Device{}, err
	}
	known, ok := w.snapshot().Devices[offer.Device.Sign]
	if !ok {
		return known, problem("internal", "admission does not count")
	}
	return known, nil
}

func sendAll(c mesh.Conn, frames [][]byte) error {
	for _, f := range frames {
		if err := c.Send(f); err != nil {
			return err
		}
	}
	return nil
}

func admitProblem(err error) *Problem {
	switch {
	case errors.Is(err, access.ErrDeviceKnown), errors.Is(err, access.ErrPersonKnown), errors.Is(err, access.ErrCard):
		return because("device-known", err)
	case errors.Is(err, access.ErrStopped):
		return because("update-needed", err)
	case errors.Is(err, access.ErrNoKeys):
		return because("no-key", err)
	}
	return because("internal", err, err.Error())
}
