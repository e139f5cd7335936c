//go:build !windows && !darwin

package desktop

import (
	"context"
	"fmt"
	"html"
	"slices"
	"sync"

	"github.com/godbus/dbus/v5"
)

// A Notifier shows notifications by the desktop's server for them
// (org.freedesktop.Notifications, version 1.2).
type Notifier struct {
	conn    *dbus.Conn
	server  dbus.BusObject
	reply   bool // "inline-reply": KDE's extension, understood by others too
	markup  bool
	actions bool
	answers Answers

	mu    sync.Mutex
	shown map[uint32]string // id: tag
	ids   map[string]uint32 // tag: id
}

const notifications = "org.freedesktop.Notifications"

// NewNotifier returns nil if the desktop shows no notifications. It works until
// ctx ends.
func NewNotifier(ctx context.Context, answers Answers) *Notifier {
	conn, err := dbus.ConnectSessionBus(dbus.WithContext(ctx))
	if err != nil {
		return nil
	}
	n := &Notifier{conn: conn, server: conn.Object(notifications, "/org/freedesktop/Notifications"), answers: answers, shown: map[uint32]string{}, ids: map[string]uint32{}}
	var can []string
	if err := n.server.CallWithContext(ctx, notifications+".GetCapabilities", 0).Store(&can); err != nil {
		_ = conn.Close()
		return nil
	}
	n.reply, n.markup, n.actions = slices.Contains(can, "inline-reply"), slices.Contains(can, "body-markup"), slices.Contains(can, "actions")
	if err := conn.AddMatchSignal(dbus.WithMatchInterface(notifications)); err != nil {
		_ = conn.Close()
		return nil
	}
	signals := make(chan *dbus.Signal, 16)
	conn.Signal(signals)
	go n.listen(signals) // ends when the connection is closed, which ctx does
	return n
}

// Show shows a notification, in place of an earlier one with its tag.
func (n *Notifier) Show(ctx context.Context, note Note) error {
	text := note.Text
	if n.markup {
		text = html.EscapeString(text)
	}
	actions := []string{}
	if n.actions {
		actions = append(actions, "default", note.Open)
	}
	if n.reply && note.Reply {
		actions = append(actions, "inline-reply", note.Answer)
	}
	hints := map[string]dbus.Variant{
		"desktop-entry": dbus.MakeVariant("inselnetz"), "category": dbus.MakeVariant("im.received"),
		"x-kde-reply-placeholder-text": dbus.MakeVariant(note.Answer),
	}
	n.mu.Lock()
	replaces := n.ids[note.Tag]
	n.mu.Unlock()
	var id uint32
	err := n.server.CallWithContext(ctx, notifications+".Notify", 0, "Inselnetz", replaces, "inselnetz", note.Title, text, actions, hints, int32(-1)).Store(&id)
	if err != nil {
		return fmt.Errorf("notify: %w", err)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.shown[id], n.ids[note.Tag] = note.Tag, id
	return nil
}

func (n *Notifier) listen(signals <-chan *dbus.Signal) {
	for s := range signals {
		if len(s.Body) < 1 {
			continue
		}
		id, ok := s.Body[0].(uint32)
		if !ok {
			continue
		}
		n.mu.Lock()
		tag, ours := n.shown[id] // others' notifications are told of, too
		n.mu.Unlock()
		if !ours {
			continue
		}
		switch s.Name {
		case notifications + ".NotificationClosed":
			n.mu.Lock()
			delete(n.shown, id)
			if n.ids[tag] == id {
				delete(n.ids, tag)
			}
			n.mu.Unlock()
		case notifications + ".ActionInvoked":
			if len(s.Body) > 1 && s.Body[1] == "default" {
				n.answers.Open(tag)
			}
		case notifications + ".NotificationReplied":
			if len(s.Body) > 1 {
				if text, ok := s.Body[1].(string); ok {
					n.answers.Reply(tag, text)
				}
			}
		}
	}
}
