package api

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"inselnetz/app"
	"inselnetz/crdt/access"
	"inselnetz/crdt/chat"
	"inselnetz/crdt/log"
	"inselnetz/crdt/store"
	"inselnetz/mesh"
)

// table is every call there is.
func (s *Server) table() map[string]call {
	return map[string]call{
		"status":         handle(s.status),
		"home":           handle(s.home),
		"home/seen":      handle(s.homeSeen),
		"setup":          handle(s.setup),
		"setup/go":       handle(s.setupGo),
		"setup/kind":     handle(s.setupKind),
		"setup/device":   handle(s.setupDevice),
		"page":           handle(s.pageAddress),
		"people":         handle(s.people),
		"found":          handle(s.found),
		"doors":          handle(s.doors),
		"join":           handle(s.join),
		"join/state":     handle(s.joinState),
		"join/confirm":   handle(s.joinConfirm),
		"join/cancel":    handle(s.joinCancel),
		"invite/open":    handle(s.inviteOpen),
		"invite/state":   handle(s.inviteState),
		"invite/type":    handle(s.inviteType),
		"invite/close":   handle(s.inviteClose),
		"channels":       handle(s.channels),
		"channel/create": handle(s.channelCreate),
		"messages":       handle(s.messages),
		"replies":        handle(s.replies),
		"post":           handle(s.post),
		"edit":           handle(s.edit),
		"retract":        handle(s.retract),
		"react":          handle(s.react),
		"read":           handle(s.read),
		"search":         handle(s.search),

		"spaces":           handle(s.spaces),
		"space/create":     handle(s.spaceCreate),
		"space/change":     handle(s.spaceChange),
		"direct":           handle(s.direct),
		"person/role":      handle(s.personRole),
		"person/leaving":   handle(s.personLeaving),
		"person/remove":    handle(s.personRemove),
		"late":             handle(s.late),
		"late/adopt":       handle(s.lateAdopt),
		"erase":            handle(s.erase),
		"kit":              handle(s.kit),
		"kit/confirm":      handle(s.kitConfirm),
		"recovery":         handle(s.recovery),
		"recovery/lost":    handle(s.recoveryLost),
		"recovery/propose": handle(s.recoveryPropose),
		"recovery/approve": handle(s.recoveryApprove),
		"audit":            handle(s.audit),
		"doctor":           handle(s.doctor),
		"diagnose":         handle(s.diagnose),
		"stick":            handle(s.stick),
		"stick/stop":       handle(s.stickStop),
		"places":           handle(s.places),
		"places/own":       handle(s.placesOwn),
		"places/of":        handle(s.placesOf),

		"files/folders":      handle(s.folders),
		"files/folder":       handle(s.folderSet),
		"files/skip":         handle(s.skipSet),
		"files/fetch":        handle(s.filesFetch),
		"metered":            handle(s.metered),
		"metered/set":        handle(s.meteredSet),
		"files/list":         handle(s.fileList),
		"files/info":         handle(s.fileInfo),
		"files/trash":        handle(s.fileTrash),
		"files/conflicts":    handle(s.fileConflicts),
		"files/moments":      handle(s.fileMoments),
		"files/mkdir":        handle(s.fileMkdir),
		"files/rename":       handle(s.fileRename),
		"files/remove":       handle(s.fileRemove),
		"files/restore":      handle(s.fileRestore),
		"files/rewind":       handle(s.fileRewind),
		"files/resolve":      handle(s.fileResolve),
		"files/hold":         handle(s.fileHold),
		"files/open":         handle(s.fileOpen),
		"documents":          handle(s.documents),
		"document":           handle(s.document),
		"document/create":    handle(s.documentCreate),
		"document/set":       handle(s.documentSet),
		"document/write":     handle(s.documentWrite),
		"document/history":   handle(s.documentHistory),
		"document/restore":   handle(s.documentRestore),
		"document/export":    handle(s.documentExport),
		"document/templates": handle(s.documentTemplates),
		"document/copy":      handle(s.documentCopy),
		"document/search":    handle(s.documentSearch),
		"document/state":     handle(s.documentState),
		"document/import":    handle(s.documentImport),
		"document/comments":  handle(s.documentComments),
		"document/comment":   handle(s.documentComment),
		"document/open":      handle(s.documentOpen),
		"document/sync":      handle(s.documentSync),
		"document/check":     handle(s.documentCheck),
		"document/close":     handle(s.documentClose),
		"phones":             handle(s.phones),
		"phone/set":          handle(s.phoneSet),
		"phone/remove":       handle(s.phoneRemove),

		"desktop":        handle(s.desktop),
		"desktop/set":    handle(s.desktopSet),
		"desktop/show":   handle(s.desktopShow),
		"desktop/wanted": handle(s.desktopWanted),
		"desktop/focus":  handle(s.desktopFocus),
		"desktop/quit":   handle(s.desktopQuit),
	}
}

func (s *Server) status(ctx context.Context, lang language, _ Empty) (Status, error) {
	i := s.ws.Info()
	out := Status{
		Phase: PhaseNew, Version: i.Version, Office: i.Office, CanInvite: i.CanInvite,
		Device: Device{Name: i.Device, Self: true, Presence: Here}, Person: Person{Self: true, Presence: Here, Devices: []Device{}},
		Now: i.Now.UnixMilli(), Since: i.Start.UnixMilli(), Notices: lang.notices(i.Notices),
	}
	switch {
	case i.Joining:
		out.Phase = PhaseJoining
		return out, nil
	case !i.Member:
		return out, nil
	}
	out.Phase, out.Kit, out.Managers, out.Approvals = PhaseMember, i.Kit, i.Managers, i.Approvals
	people, _ := s.ws.People()
	for _, p := range people {
		person := showPerson(p)
		out.People++
		if p.Presence == app.Here {
			out.PeopleHere++
		}
		for _, d := range person.Devices {
			out.Devices++
			if d.Presence == Here {
				out.DevicesHere++
			}
			if d.Self {
				out.Device, out.Person = d, person
			}
		}
	}
	rows, err := s.ws.Channels(ctx)
	if err != nil {
		return out, err
	}
	for _, r := range rows {
		out.Unread += r.Unread
	}
	return out, nil
}

func (s *Server) pageAddress(context.Context, language, Empty) (Page, error) {
	return Page{Address: s.PageAddress()}, nil
}

func (s *Server) people(ctx context.Context, lang language, _ Empty) (People, error) {
	people, gone := s.ws.People()
	if people == nil {
		return People{}, &app.Problem{Code: "not-member"}
	}
	standings, err := s.ws.Standings(ctx)
	if err != nil { // who is here is known all the same
		s.log.Warn("count what devices lack", "err", err)
	}
	out := People{People: make([]Person, len(people)), Gone: make([]Person, len(gone))}
	all, now := roll{}, s.ws.Now()
	for i, p := range people {
		out.People[i] = showPerson(p)
		for j, d := range p.Devices {
			all.add(d, standings[d.ID])
			if st, ok := standings[d.ID]; ok {
				lang.standing(&out.People[i].Devices[j], st, now)
			}
		}
	}
	if err == nil {
		out.Sentence = lang.everyone(all)
	}
	for i, p := range gone {
		out.Gone[i] = showPerson(p)
	}
	return out, nil
}

func (s *Server) found(ctx context.Context, lang language, req Found) (Status, error) {
	if err := s.ws.Found(ctx, req.Office, req.Person, req.Device); err != nil {
		return Status{}, err
	}
	return s.status(ctx, lang, Empty{})
}

func (s *Server) doors(context.Context, language, Empty) (Doors, error) {
	out := Doors{Doors: []Door{}, Device: app.ComputerName()}
	for _, d := range s.ws.Doors() {
		out.Doors = append(out.Doors, Door{ID: string(d.Peer), Name: d.Name})
	}
	return out, nil
}

func (s *Server) join(ctx context.Context, lang language, req Join) (JoinState, error) {
	ask := app.JoinAsk{Peer: mesh.PeerID(req.Door), Addr: req.Addr, Link: req.Link, Person: req.Person, Device: req.Device}
	if err := s.ws.Join(ctx, ask); err != nil {
		return JoinState{}, err
	}
	return s.joinState(ctx, lang, Empty{})
}

func (s *Server) joinState(_ context.Context, lang language, _ Empty) (JoinState, error) {
	j := s.ws.JoinState()
	return JoinState{
		Step: j.Step, Number: j.Number, Words: j.Words, Office: j.Office, Person: j.Person, Door: j.Door,
		Deadline: millis(j.Deadline), Error: lang.problem(j.Why),
	}, nil
}

func (s *Server) joinConfirm(ctx context.Context, lang language, req JoinConfirm) (JoinState, error) {
	if err := s.ws.ConfirmJoin(req.Same); err != nil {
		return JoinState{}, err
	}
	return s.joinState(ctx, lang, Empty{})
}

func (s *Server) joinCancel(ctx context.Context, lang language, _ Empty) (JoinState, error) {
	s.ws.CancelJoin()
	return s.joinState(ctx, lang, Empty{})
}

func (s *Server) inviteOpen(_ context.Context, lang language, req Invite) (InviteState, error) {
	ask := app.InviteAsk{Role: access.Member, Link: req.Link, Life: time.Duration(req.Hours) * time.Hour, Until: req.Until}
	var err error
	if req.Role != "" {
		if ask.Role, err = roleOf(req.Role); err != nil {
			return InviteState{}, err
		}
	}
	if req.Person != "" {
		if ask.Person, err = personID(req.Person); err != nil {
			return InviteState{}, err
		}
	}
	for _, sp := range req.Spaces {
		id, err := spaceID(sp.Space)
		if err != nil {
			return InviteState{}, err
		}
		if ask.Spaces == nil {
			ask.Spaces = map[log.SpaceID]access.Level{}
		}
		if ask.Spaces[id], err = levelOf(sp.Level); err != nil {
			return InviteState{}, err
		}
	}
	st, err := s.ws.OpenInvite(ask)
	return lang.invite(st), err
}

func (s *Server) inviteState(_ context.Context, lang language, _ Empty) (InviteState, error) {
	return lang.invite(s.ws.InviteState()), nil
}

func (s *Server) inviteType(ctx context.Context, lang language, req InviteType) (InviteState, error) {
	st, err := s.ws.TypeNumber(ctx, req.Number)
	return lang.invite(st), err
}

func (s *Server) inviteClose(_ context.Context, lang language, _ Empty) (InviteState, error) {
	return lang.invite(s.ws.CloseInvite()), nil
}

func (s *Server) channels(ctx context.Context, lang language, _ Empty) (Channels, error) {
	rows, err := s.ws.Channels(ctx)
	if err != nil {
		return Channels{}, err
	}
	show := s.shower(lang)
	out := Channels{Channels: make([]Channel, len(rows))}
	for i, r := range rows {
		out.Channels[i] = show.channel(r)
	}
	return out, nil
}

func (s *Server) channelCreate(ctx context.Context, lang language, req ChannelCreate) (Channel, error) {
	space, err := spaceID(req.Space)
	if err != nil {
		return Channel{}, err
	}
	row, err := s.ws.CreateChannel(ctx, space, req.Name)
	if err != nil {
		return Channel{}, err
	}
	return s.shower(lang).channel(row), nil
}

// Pages of messages and hits.
const (
	defaultPage = 50
	maxPage     = 500
	defaultHits = 30
	maxHits     = 100
)

func (s *Server) messages(ctx context.Context, lang language, req MessagesAsk) (Messages, error) {
	channel, err := s.ws.ParseChannel(req.Channel)
	if err != nil {
		return Messages{}, err
	}
	p, err := s.ws.Messages(ctx, store.Query{
		Space: channel.Space, Channel: channel.ID, Before: req.Before, After: req.After, Around: req.Around, Limit: limit(req.Limit, defaultPage, maxPage),
	})
	if err != nil {
		return Messages{}, err
	}
	show := s.shower(lang)
	out := Messages{Messages: make([]Message, len(p.Messages)), Earlier: p.Earlier, Later: p.Later, Total: p.Total, ReadUpTo: p.ReadUpTo}
	for i, m := range p.Messages {
		out.Messages[i] = show.message(m)
	}
	return out, nil
}

func (s *Server) replies(ctx context.Context, lang language, req RepliesAsk) (Messages, error) {
	id, err := messageID(req.Message)
	if err != nil {
		return Messages{}, err
	}
	found, err := s.ws.Replies(ctx, id, maxPage)
	if err != nil {
		return Messages{}, err
	}
	show := s.shower(lang)
	out := Messages{Messages: make([]Message, len(found)), Total: len(found)}
	for i, m := range found {
		out.Messages[i] = show.message(m)
	}
	return out, nil
}

func (s *Server) post(ctx context.Context, lang language, req Post) (Message, error) {
	channel, err := s.ws.ParseChannel(req.Channel)
	if err != nil {
		return Message{}, err
	}
	d := app.Draft{Channel: channel, Text: req.Text, Nonce: req.Nonce}
	if req.ReplyTo != "" {
		id, err := messageID(req.ReplyTo)
		if err != nil {
			return Message{}, err
		}
		d.Reply = &id
	}
	m, err := s.ws.Post(ctx, d)
	return s.answer(lang, m, err)
}

func (s *Server) answer(lang language, m app.Message, err error) (Message, error) {
	if err != nil {
		return Message{}, err
	}
	return s.shower(lang).message(m), nil
}

func (s *Server) edit(ctx context.Context, lang language, req Edit) (Message, error) {
	id, err := messageID(req.Message)
	if err != nil {
		return Message{}, err
	}
	m, err := s.ws.Edit(ctx, id, req.Text)
	return s.answer(lang, m, err)
}

func (s *Server) retract(ctx context.Context, lang language, req Retract) (Message, error) {
	id, err := messageID(req.Message)
	if err != nil {
		return Message{}, err
	}
	m, err := s.ws.Retract(ctx, id)
	return s.answer(lang, m, err)
}

func (s *Server) react(ctx context.Context, lang language, req React) (Message, error) {
	id, err := messageID(req.Message)
	if err != nil {
		return Message{}, err
	}
	m, err := s.ws.React(ctx, id, req.Word, req.On)
	return s.answer(lang, m, err)
}

func (s *Server) read(ctx context.Context, _ language, req Read) (Empty, error) {
	channel, err := s.ws.ParseChannel(req.Channel)
	if err != nil {
		return Empty{}, err
	}
	id, err := messageID(req.Message)
	if err != nil {
		return Empty{}, err
	}
	return Empty{}, s.ws.MarkRead(ctx, channel, id)
}

func (s *Server) search(ctx context.Context, lang language, req Search) (Hits, error) {
	out := Hits{Hits: []Hit{}}
	if strings.TrimSpace(req.Text) == "" {
		return out, nil
	}
	if utf8.RuneCountInString(req.Text) > 200 {
		req.Text = string([]rune(req.Text)[:200]) // more words than anybody types
	}
	var channel *app.ChannelRef
	if req.Channel != "" {
		c, err := s.ws.ParseChannel(req.Channel)
		if err != nil {
			return out, err
		}
		channel = &c
	}
	hits, more, err := s.ws.Search(ctx, req.Text, channel, req.Before, limit(req.Limit, defaultHits, maxHits))
	if err != nil {
		return out, err
	}
	rows, err := s.ws.Channels(ctx)
	if err != nil {
		return out, err
	}
	show := s.shower(lang)
	names := map[app.ChannelRef]string{}
	for _, r := range rows {
		names[r.Ref] = show.title(r)
	}
	out.More = more
	for _, h := range hits {
		hit := Hit{Message: show.message(app.Message{Row: h.Row, Own: show.own(h.Row)}), Channel: names[app.ChannelRef{Space: h.Row.Space, ID: h.Row.Channel}]}
		hit.Message.Delivery = nil
		for _, p := range h.Snippet {
			hit.Snippet = append(hit.Snippet, Piece{Text: p.Text, Hit: p.Hit})
		}
		out.Hits = append(out.Hits, hit)
	}
	return out, nil
}

func limit(n, usual, most int) int {
	if n <= 0 {
		return usual
	}
	return min(n, most)
}

func messageID(s string) (chat.MsgID, error) {
	id, err := chat.ParseMsgID(s)
	if err != nil {
		return id, &app.Problem{Code: "no-such-message", Err: err}
	}
	return id, nil
}
