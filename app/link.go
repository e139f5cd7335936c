package app

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"inselnetz/crdt/access"
	"inselnetz/crdt/pairing"
	"inselnetz/mesh"
)

// answerLink serves one device that was given a link. Proving the link's secret
// is all it takes: the device is admitted at once.
func (w *Workspace) answerLink(ctx context.Context, c mesh.Conn, id pairing.LinkID, knock []byte, limit *time.Timer) {
	session, in, challenge, err := w.linkKnock(c, id, knock)
	if err != nil {
		refuse(c, pairing.ReasonOf(err))
		return
	}
	if c.Send(challenge) != nil {
		return
	}
	claim, err := c.Recv()
	if err != nil {
		return
	}
	w.mu.Lock()
	offer, err := session.Claim(claim, w.opts.Now())
	if err == nil && (w.inviting != in || in.link == nil) {
		err = pairing.ErrClosed
	}
	if err == nil {
		in.conns[c.Peer()] = c
	}
	w.mu.Unlock()
	if err != nil {
		refuse(c, pairing.ReasonOf(err))
		return
	}
	limit.Stop()
	// the secret was right: the admission goes on even if this program is ending
	if err := w.letInByLink(context.WithoutCancel(ctx), in, session, offer, c); err != nil {
		w.log.Warn("let in by link", "err", err)
		refuse(c, pairing.Closed)
		return
	}
	limit.Reset(openingTime)
	_, _ = c.Recv() // nothing more is expected: this waits for the end
}

func (w *Workspace) linkKnock(c mesh.Conn, id pairing.LinkID, knock []byte) (*pairing.LinkSession, *inviting, []byte, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	in := w.inviting
	if in == nil || in.link == nil || in.link.Link().ID() != id {
		return nil, nil, nil, pairing.ErrClosed
	}
	session, challenge, err := in.link.Knock(rand.Reader, string(c.Peer()), knock, w.opts.Now())
	return session, in, challenge, err
}

// letInByLink writes the admission, which is on disk before the new device hears
// of it, and sends the welcome. A device that missed its welcome comes again and
// is welcomed by the same admission, as long as the link is open.
func (w *Workspace) letInByLink(ctx context.Context, in *inviting, session *pairing.LinkSession, offer pairing.Offer, c mesh.Conn) (err error) {
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
		return err
	}
	err = sendAll(c, welcome)
	w.mu.Lock()
	// The link stays open for this one device, which may have missed its welcome.
	in.joined, in.words = access.ShowName(st.People[known.Person].Name), session.Words(w.ws)
	delete(in.conns, c.Peer())
	w.mu.Unlock()
	w.changed("invite", "")
	w.changed("people", "")
	return err
}

// followLink goes the way of a link to its end: it is proved in both directions
// before this device says who it is.
func (w *Workspace) followLink(c mesh.Conn, link pairing.Link, offer pairing.Offer, opening *time.Timer) (pairing.Result, string, error) {
	j, err := pairing.NewLinkJoiner(rand.Reader, link, offer, access.BoxSecret(w.id.Box), string(w.net.Self()), string(c.Peer()))
	if err != nil {
		return pairing.Result{}, "", err
	}
	if err := c.Send(j.Start()); err != nil {
		return pairing.Result{}, "", err
	}
	b, err := c.Recv()
	if err != nil {
		return pairing.Result{}, "", err
	}
	claim, err := j.Challenge(b)
	if err != nil {
		return pairing.Result{}, "", err
	}
	if err := c.Send(claim); err != nil {
		return pairing.Result{}, "", err
	}
	opening.Reset(pairing.Lifetime) // the admission, and a long welcome, take their time
	r, err := receive(c, j.Welcome)
	return r, j.Words(), err
}

// receive takes a welcome, which may come in several messages.
func receive(c mesh.Conn, take func([]byte) (pairing.Result, error)) (pairing.Result, error) {
	for {
		b, err := c.Recv()
		if err != nil {
			return pairing.Result{}, err
		}
		r, err := take(b)
		if !errors.Is(err, pairing.ErrMore) {
			return r, err
		}
	}
}
