package api

import (
	"fmt"
	"hash/fnv"
	"net/netip"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"inselnetz/app"
	"inselnetz/crdt/access"
	"inselnetz/crdt/chat"
	"inselnetz/crdt/store"
	"inselnetz/mesh/lan"
)

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// problem phrases a problem that may be none.
func (l language) problem(p *app.Problem) *Error {
	if p == nil {
		return nil
	}
	return l.error(p)
}

// notices phrases notices; those of one kind of trouble first.
func (l language) notices(in []app.Notice) []Notice {
	out := []Notice{}
	for _, n := range in {
		e := l.error(&app.Problem{Code: n.Code, Args: n.Args})
		out = append(out, Notice{Code: n.Code, Level: levels[n.Code], Sentence: e.Sentence, Next: e.Next, At: millis(n.At)})
	}
	return out
}

// levels says how much a notice matters.
var levels = map[string]string{
	"copy": "warn", "clock": "warn", "damaged": "warn", "check-damaged": "danger", "disk-full": "danger",
	"twice": "danger", "update-needed": "danger", "one-admin": "info",
	"kit-waiting": "info", "secrets-in-file": "info", "late-work": "warn", "approve-wanted": "warn",
	"left": "danger", "erase-waits": "warn",
}

func (l language) invite(st app.InviteState) InviteState {
	out := InviteState{
		Open: st.Open, Door: st.Door, Role: st.Role.String(), Deadline: millis(st.Deadline), Tries: st.Tries,
		Addrs: hosts(st.Addrs), Waiting: []Waiting{}, Joined: st.Joined, Words: st.Words, Error: l.problem(st.Why),
		Link: st.Link, QR: []string{}, Person: st.Person,
	}
	if st.Link != "" {
		if qr, err := app.QR(st.Link); err == nil { // a link too long for a code is still a link
			out.QR = qr
		}
	}
	for _, o := range st.Waiting {
		out.Waiting = append(out.Waiting, Waiting{Person: access.ShowName(o.Person.Name), Device: access.ShowName(o.Device.Name)})
	}
	return out
}

// hosts leaves of addresses what a person types: "192.168.1.7", with the port
// where it is not the usual one; IPv4 first, nobody types the others gladly.
func hosts(addrs []string) []string {
	v4, v6 := []string{}, []string{}
	for _, a := range addrs {
		ap, err := netip.ParseAddrPort(a)
		switch {
		case err != nil, ap.Addr().IsLoopback(), ap.Addr().Is6() && ap.Addr().IsLinkLocalUnicast():
		case ap.Addr().Is4() && ap.Port() == lan.DefaultPort:
			v4 = append(v4, ap.Addr().String())
		case ap.Addr().Is4():
			v4 = append(v4, a)
		default:
			v6 = append(v6, a)
		}
	}
	return append(v4, v6...)
}

func (sh *shower) channel(c app.Channel) Channel {
	out := Channel{
		ID: sh.ws.ChannelText(c.Ref), Name: channelName(c), Main: c.ID == chat.Main && c.Kind == app.KindEveryone,
		Unread: c.Unread, Mention: c.Mentioned, Last: c.LastAt, Topic: firstLine(c.LastText),
		Space: c.Ref.Space.String(), Kind: c.Kind, In: c.In, Write: c.Write,
	}
	if c.Kind == app.KindDirect {
		p := sh.person(chat.PersonID(c.With))
		out.With = &p
	}
	return out
}

// channelName is empty for the first channel of each space, which is named after
// its space.
func channelName(c app.Channel) string {
	if c.ID == chat.Main {
		return ""
	}
	return access.ShowName(c.Name)
}

// title is what a channel is called where nothing else tells which it is.
func (sh *shower) title(c app.Channel) string {
	name := channelName(c)
	switch {
	case c.Kind == app.KindDirect:
		return sh.name(chat.PersonID(c.With))
	case c.Kind == app.KindNamed && name != "":
		return c.In + ": " + name
	case c.Kind == app.KindNamed:
		return c.In
	case name == "":
		return sh.lang.pick("Alle", "Everyone")
	}
	return name
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return shorten(s, 80)
}

// shorten cuts after n characters and says so.
func shorten(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return strings.TrimRight(string([]rune(s)[:n]), " ") + " …"
}

func showPerson(p app.Person) Person {
	out := namedPerson(chat.PersonID(p.ID), p.Name)
	out.Role, out.Self, out.Presence = roleWord(p.Role), p.Self, Presence(p.Presence)
	out.Deputy, out.Until, out.Removal, out.Another = p.Deputy, p.Until, p.Removal, p.Another
	for _, r := range p.Roles {
		out.Roles = append(out.Roles, r.String())
	}
	out.Devices = make([]Device, len(p.Devices))
	for i, d := range p.Devices {
		out.Devices[i] = Device{
			ID: d.ID.String(), Name: d.Name, Self: d.Self, Presence: Presence(d.Presence), Since: millis(d.Since),
			Path: d.Path, Via: d.Via, Latency: int((d.RTT + time.Millisecond - 1) / time.Millisecond), Behind: int(min(d.Behind, 1<<31)), Twice: d.Twice,
			Seen: d.Seen, Disk: diskWord(d.Disk), Stays: d.Stays, Removal: d.Removal, Gone: d.Gone, Late: d.Late,
		}
	}
	return out
}

// standing completes what is shown of a device by how it stands to this one.
func (l language) standing(d *Device, s app.Standing, now time.Time) {
	if d.Self || d.Presence == Never {
		return
	}
	d.Way, d.Hops = string(s.Way), s.Hops
	if s.Way == app.WayMember {
		d.ViaID = s.Via.String()
	}
	d.Behind = int(min(s.Lag.Entries, 1<<31))
	d.Lacks, d.Owed = l.lacks(s.Lag, d.Presence == Here, now), l.owed(s.Lag.Owed, d.Presence == Here)
}

// roleWord is empty for those who have left.
func roleWord(r access.Role) string {
	if r == 0 {
		return ""
	}
	return r.String()
}

func diskWord(d uint64) string {
	switch d {
	case 1:
		return "yes"
	case 2:
		return "no"
	}
	return "unknown"
}

func namedPerson(id chat.PersonID, name string) Person {
	h := fnv.New32a()
	_, _ = h.Write(id[:]) // never fails
	return Person{ID: id.String(), Name: name, Initials: initials(name), Tint: int(h.Sum32()%6) + 1, Devices: []Device{}, Roles: []string{}}
}

// initials are the first letters of the first and the last word.
func initials(name string) string {
	words := strings.FieldsFunc(name, func(r rune) bool { return unicode.IsSpace(r) || r == '-' })
	if len(words) == 0 {
		return "?"
	}
	first, _ := utf8.DecodeRuneInString(words[0])
	if len(words) == 1 {
		return string(unicode.ToUpper(first))
	}
	last, _ := utf8.DecodeRuneInString(words[len(words)-1])
	return string(unicode.ToUpper(first)) + string(unicode.ToUpper(last))
}

// A shower turns messages into what the page shows. It looks people up once.
type shower struct {
	ws     *app.Workspace
	lang   language
	people map[chat.PersonID]Person
	self   chat.PersonID
	now    int64
}

func (s *Server) shower(lang language) *shower {
	sh := &shower{ws: s.ws, lang: lang, people: map[chat.PersonID]Person{}, now: s.ws.Now().UnixMilli()}
	people, gone := s.ws.People()
	for _, p := range slices.Concat(gone, people) { // who is in again counts as in
		person := showPerson(p)
		person.Devices = []Device{}
		sh.people[chat.PersonID(p.ID)] = person
		if p.Self {
			sh.self = chat.PersonID(p.ID)
		}
	}
	return sh
}

func (sh *shower) own(r store.Row) bool { return r.Author == sh.self }

func (sh *shower) person(id chat.PersonID) Person {
	if p, ok := sh.people[id]; ok {
		return p
	}
	return namedPerson(id, sh.lang.pick("Unbekannt", "Unknown"))
}

func (sh *shower) name(id chat.PersonID) string { return sh.person(id).Name }

func (sh *shower) names(ids []chat.PersonID) []string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = sh.name(id)
	}
	return out
}

// quoteLength is how much of a message an answer shows, in characters.
const quoteLength = 140

// clockOff reports whether a message's clock was plainly wrong, all in ms: before
// there was such a program, or ahead of now, or long before what it comes after.
// A place in the future says nothing: one wrong clock moves all that follow.
func clockOff(at, placed, now int64) bool {
	slack := (12 * time.Hour).Milliseconds()
	return at < oldest || at > now+slack || placed < now+slack && placed-at > slack
}

func (sh *shower) message(m app.Message) Message {
	out := Message{
		ID: m.ID.String(), Pos: m.Pos, Channel: sh.ws.ChannelText(app.ChannelRef{Space: m.Space, ID: m.Channel}), Erase: m.Erase, Author: sh.person(m.Author), Own: m.Own,
		Text: m.Text, At: m.At, Edited: m.Edited, Retracted: m.Retracted, Replies: m.Replies,
		ClockOff: clockOff(m.At, m.Placed, sh.now),
		Mentions: []string{}, Reactions: []Reaction{},
	}
	for _, p := range m.Mentions {
		out.Mentions = append(out.Mentions, p.String())
	}
	if q := m.Reply; q != nil {
		out.ReplyTo = &Quote{ID: q.ID.String(), Pos: q.Pos, Text: shorten(q.Text, quoteLength)}
		if q.Pos != 0 {
			out.ReplyTo.Author = sh.name(q.Author)
		}
	}
	for _, r := range m.Reactions {
		re := Reaction{Word: r.Word, By: sh.names(r.By)}
		for _, id := range r.By {
			re.Own = re.Own || id == sh.self
		}
		out.Reactions = append(out.Reactions, re)
	}
	if m.Own {
		out.Delivery = sh.delivery(m)
	}
	return out
}

// oldest is the earliest plausible time of a message, in ms.
var oldest = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()

// delivery says in words where an own message is on disk: never more than is
// known.
func (sh *shower) delivery(m app.Message) *Delivery {
	d := &Delivery{Devices: m.Held, Of: m.Of, ReadBy: sh.names(m.ReadBy)}
	switch {
	case m.Held <= 1:
		d.Sentence = sh.lang.pick("gespeichert hier", "saved here")
	case m.Held >= m.Of:
		d.Sentence = fmt.Sprintf(sh.lang.pick("auf %d Geräten", "on %d devices"), m.Held)
	default:
		d.Sentence = fmt.Sprintf(sh.lang.pick("auf %d von %d Geräten", "on %d of %d devices"), m.Held, m.Of)
	}
	return d
}
