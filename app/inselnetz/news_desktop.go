//go:build desktop

package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"inselnetz/app/api"
	"inselnetz/app/desktop"
)

// latest is how many messages of a channel are looked at when something came.
const latest = 30

// quiet is the time in which changes are gathered before the icon is drawn anew.
const quiet = 300 * time.Millisecond

// follow keeps the icon right and tells of new messages, until ctx ends.
func (r *resident) follow(ctx context.Context) error {
	c, err := r.e.client()
	if err != nil {
		return err
	}
	changes := make(chan api.Event, 64)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		return r.node.server.Listen(ctx, func(ev api.Event) error {
			select {
			case changes <- ev:
			case <-ctx.Done():
			}
			return nil
		})
	})
	g.Go(func() error {
		news := &desktop.News{}
		for _, ch := range r.channels(ctx, c) {
			r.fresh(ctx, c, news, ch) // what is there is no news
		}
		r.draw(ctx, c)
		var soon <-chan time.Time
		for {
			select {
			case <-ctx.Done():
				return nil
			case <-soon:
				soon = nil
				r.draw(ctx, c)
			case ev := <-changes:
				if soon == nil && slices.Contains([]string{"status", "people", "channels", "channel", "all"}, ev.What) {
					soon = time.After(quiet)
				}
				if ev.What == "channel" {
					r.came(ctx, c, news, ev.ID)
				}
			case n := <-r.tell:
				r.notice(ctx, n)
			}
		}
	})
	return g.Wait()
}

func (r *resident) channels(ctx context.Context, c *client) []api.Channel {
	res, err := ask[api.Channels](ctx, c, "channels", api.Empty{})
	if err != nil {
		return nil // this device belongs to no office yet
	}
	return res.Channels
}

// fresh returns what is new in a channel.
func (r *resident) fresh(ctx context.Context, c *client, news *desktop.News, ch api.Channel) []desktop.Message {
	res, err := ask[api.Messages](ctx, c, "messages", api.MessagesAsk{Channel: ch.ID, Limit: latest})
	if err != nil {
		return nil
	}
	me := ""
	if st, err := ask[api.Status](ctx, c, "status", api.Empty{}); err == nil {
		me = st.Person.ID
	}
	list := make([]desktop.Message, len(res.Messages))
	for i, m := range res.Messages {
		list[i] = desktop.Message{ID: m.ID, Pos: m.Pos, Author: m.Author.Name, Text: m.Text, Own: m.Own, Gone: m.Retracted, Me: slices.Contains(m.Mentions, me)}
	}
	return news.Fresh(ch.ID, list, res.ReadUpTo)
}

// came tells of what is new in a channel, unless somebody looks at the window.
func (r *resident) came(ctx context.Context, c *client, news *desktop.News, id string) {
	all := r.channels(ctx, c)
	i := slices.IndexFunc(all, func(ch api.Channel) bool { return ch.ID == id })
	if i < 0 {
		return
	}
	ch := all[i]
	if !news.Knows(id) {
		news.Empty(id) // it began while this program ran
	}
	fresh := r.fresh(ctx, c, news, ch)
	if r.node.server.Focused() {
		return
	}
	r.mu.Lock()
	prefs := r.prefs
	r.mu.Unlock()
	if n, ok := prefs.Tell(desktop.Channel{ID: ch.ID, Title: r.title(ch), Direct: ch.Kind == "direct"}, fresh, r.e.lang == "en"); ok {
		r.notice(ctx, n)
	}
}

func (r *resident) title(ch api.Channel) string {
	switch {
	case ch.In != "" && ch.Name != "":
		return ch.In + ": " + ch.Name
	case ch.In != "":
		return ch.In
	case ch.Name == "":
		return r.e.pick("Alle", "Everyone")
	}
	return ch.Name
}

func (r *resident) notice(ctx context.Context, n desktop.Note) {
	if r.notify == nil {
		return
	}
	ctx, stop := context.WithTimeout(ctx, 2*time.Second) // a server that hangs delays no other
	defer stop()
	if err := r.notify.Show(ctx, n); err != nil && ctx.Err() == nil {
		fmt.Fprintln(r.e.err, "inselnetz:", err)
	}
}

// draw shows at the icon how the office is.
func (r *resident) draw(ctx context.Context, c *client) {
	if r.tray == nil {
		return
	}
	st, err := ask[api.Status](ctx, c, "status", api.Empty{})
	if err != nil {
		return
	}
	s := desktop.TrayState{Tip: "Inselnetz", Dot: st.Unread > 0}
	if st.Phase == api.PhaseMember {
		s.Line = fmt.Sprintf(r.e.pick("%d von %d Geräten da", "%d of %d devices here"), st.DevicesHere, st.Devices)
		s.Tip = st.Office + " · " + s.Line
		if st.Unread > 0 {
			s.Tip += fmt.Sprintf(r.e.pick(" · %d ungelesen", " · %d unread"), st.Unread)
		}
	}
	r.tray.Set(ctx, s)
}

// openChannel opens the window on what a notification was about.
func (r *resident) openChannel(id string) { r.node.server.Raise(api.DesktopShow{Channel: id}) }

// reply posts what was typed into a notification.
func (r *resident) reply(id, text string) {
	text = strings.TrimSpace(text)
	if text == "" {
		return
	}
	ctx, stop := context.WithTimeout(context.Background(), 10*time.Second)
	defer stop()
	c, err := r.e.client()
	if err == nil {
		_, err = ask[api.Message](ctx, c, "post", api.Post{Channel: id, Text: text})
	}
	if err != nil {
		p := r.e.phrase(err)
		select { // the answer is not lost without a word
		case r.tell <- desktop.Note{Tag: id, Title: p.Sentence, Text: text, Open: r.e.pick("Öffnen", "Open")}:
		default:
			fmt.Fprintln(r.e.err, "inselnetz:", err)
		}
	}
}
