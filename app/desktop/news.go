package desktop

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// A Message is what a notification needs of one.
type Message struct {
	ID     string
	Pos    int64 // its place in the channel, ascending
	Author string
	Text   string
	Own    bool
	Gone   bool // retracted
	Me     bool // mentions this person
}

// A Channel is where messages arrive.
type Channel struct {
	ID     string
	Title  string // empty for a direct one
	Direct bool   // between two people
}

// News remembers which messages were there, to tell those that arrive. It is
// not safe for use by several goroutines.
type News struct{ seen map[string]page }

type page struct {
	ids    map[string]struct{}
	oldest int64
}

// Fresh returns which of the latest messages of a channel are new since it was
// last asked, are not read, and are not this person's. The first time there are
// none: what was there when the program started is no news. A message older than
// all of the last page is none either: it only moved up because others went.
func (n *News) Fresh(channel string, latest []Message, readUpTo int64) []Message {
	if n.seen == nil {
		n.seen = map[string]page{}
	}
	before, known := n.seen[channel]
	now := page{ids: map[string]struct{}{}}
	var fresh []Message
	for i, m := range latest {
		if i == 0 || m.Pos < now.oldest {
			now.oldest = m.Pos
		}
		now.ids[m.ID] = struct{}{}
		_, old := before.ids[m.ID]
		if known && !old && !m.Own && !m.Gone && m.Pos > readUpTo && m.Pos > before.oldest {
			fresh = append(fresh, m)
		}
	}
	n.seen[channel] = now
	return fresh
}

// Empty makes everything in the channel news from now on: it has no messages
// yet.
func (n *News) Empty(channel string) { n.Fresh(channel, nil, 0) }

// A Note is one notification.
type Note struct {
	Tag    string // a later one with the same tag takes its place; also what is opened
	Title  string
	Text   string
	Reply  bool // an answer can be typed into it
	Open   string
	Answer string // words of the buttons
}

// noteText is the longest text of a notification, in characters.
const noteText = 200

// Tell makes the notification of messages that just came, none if the person
// does not want it. Direct messages count unless nothing does.
func (p Prefs) Tell(c Channel, fresh []Message, english bool) (Note, bool) {
	var told []Message
	for _, m := range fresh {
		if c.Direct && p.Notify != "none" || p.Notify == "all" || p.Notify == "mentions" && m.Me {
			told = append(told, m)
		}
	}
	if len(told) == 0 {
		return Note{}, false
	}
	pick := func(de, en string) string {
		if english {
			return en
		}
		return de
	}
	last := told[len(told)-1]
	n := Note{Tag: c.ID, Reply: true, Title: last.Author, Open: pick("Öffnen", "Open"), Answer: pick("Antworten", "Reply")}
	if !c.Direct {
		n.Title += " · " + c.Title
	}
	switch {
	case len(told) > 1 && !p.Text:
		n.Text = fmt.Sprintf(pick("%d neue Nachrichten", "%d new messages"), len(told))
	case !p.Text && last.Me:
		n.Text = pick("erwähnt Sie.", "mentions you.")
	case !p.Text:
		n.Text = pick("Eine neue Nachricht", "A new message")
	case len(told) > 1:
		n.Text = fmt.Sprintf(pick("%s\n(und %d weitere)", "%s\n(and %d more)"), shorten(last.Text), len(told)-1)
	default:
		n.Text = shorten(last.Text)
	}
	return n, true
}

func shorten(s string) string {
	s = strings.TrimSpace(s)
	if utf8.RuneCountInString(s) <= noteText {
		return s
	}
	return strings.TrimSpace(string([]rune(s)[:noteText])) + " …"
}

// Knows reports whether the channel was asked about before.
func (n *News) Knows(channel string) bool {
	_, ok := n.seen[channel]
	return ok
}
