package api

import (
	"context"
	"encoding/hex"

	"inselnetz/app"
	"inselnetz/crdt/access"
	"inselnetz/crdt/chat"
	"inselnetz/crdt/log"
)

// roles by the words of the API.
var roles = map[string]access.Role{
	"owner": access.Owner, "admin": access.Admin, "member": access.Member, "guest": access.Guest, "carrier": access.Carrier,
}

// levels of access by the words of the API.
var accessLevels = map[string]access.Level{"manage": access.Manage, "write": access.Write, "read": access.Read}

func roleOf(s string) (access.Role, error) {
	if r, ok := roles[s]; ok {
		return r, nil
	}
	return 0, &app.Problem{Code: "bad-request", Args: []any{"role"}, Field: "role"}
}

func levelOf(s string) (access.Level, error) {
	if l, ok := accessLevels[s]; ok {
		return l, nil
	}
	return 0, &app.Problem{Code: "bad-request", Args: []any{"level"}, Field: "level"}
}

func personID(s string) (access.PersonID, error) {
	id, err := log.ParseLogID(s) // the same text of 16 bytes
	if err != nil {
		return access.PersonID{}, &app.Problem{Code: "no-such-person", Err: err}
	}
	return access.PersonID(id), nil
}

func deviceID(s string) (log.DeviceID, error) {
	id, err := log.ParseDeviceID(s)
	if err != nil {
		return id, &app.Problem{Code: "no-such-person", Err: err}
	}
	return id, nil
}

func spaceID(s string) (log.SpaceID, error) {
	if s == "" {
		return log.SpaceID{}, nil
	}
	id, err := log.ParseSpaceID(s)
	if err != nil {
		return id, &app.Problem{Code: "no-such-space", Err: err}
	}
	return id, nil
}

func stepID(s string) (id access.StepID, err error) {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != len(id) {
		return id, &app.Problem{Code: "no-such-step", Err: err}
	}
	return access.StepID(b), nil
}

// all converts a list of texts.
func all[T any](in []string, f func(string) (T, error)) ([]T, error) {
	out := make([]T, len(in))
	for i, s := range in {
		var err error
		if out[i], err = f(s); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func memberLevels(in []MemberLevel) (map[access.PersonID]access.Level, error) {
	out := map[access.PersonID]access.Level{}
	for _, m := range in {
		p, err := personID(m.Person)
		if err != nil {
			return nil, err
		}
		if out[p], err = levelOf(m.Level); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (s *Server) spaces(_ context.Context, lang language, _ Empty) (Spaces, error) {
	found, err := s.ws.Spaces()
	if err != nil {
		return Spaces{}, err
	}
	show := s.shower(lang)
	out := Spaces{Spaces: make([]Space, len(found))}
	for i, sp := range found {
		out.Spaces[i] = show.space(sp)
	}
	return out, nil
}

func (sh *shower) space(sp app.Space) Space {
	out := Space{ID: sp.ID.String(), Name: sp.Name, Kind: sp.Kind, Level: sp.Level.String(), Members: []SpaceMember{}}
	for _, m := range sp.Members {
		out.Members = append(out.Members, SpaceMember{Person: sh.person(chat.PersonID(m.Person)), Level: m.Level.String()})
	}
	return out
}

func (s *Server) spaceCreate(ctx context.Context, lang language, req SpaceCreate) (Space, error) {
	members, err := memberLevels(req.Members)
	if err != nil {
		return Space{}, err
	}
	sp, err := s.ws.CreateSpace(ctx, req.Name, members)
	if err != nil {
		return Space{}, err
	}
	return s.shower(lang).space(sp), nil
}

func (s *Server) spaceChange(ctx context.Context, lang language, req SpaceChange) (Space, error) {
	id, err := spaceID(req.Space)
	if err != nil {
		return Space{}, err
	}
	set, err := memberLevels(req.Set)
	if err != nil {
		return Space{}, err
	}
	remove, err := all(req.Remove, personID)
	if err != nil {
		return Space{}, err
	}
	sp, err := s.ws.ChangeSpace(ctx, id, req.Name, set, remove)
	if err != nil {
		return Space{}, err
	}
	return s.shower(lang).space(sp), nil
}

func (s *Server) direct(ctx context.Context, lang language, req Direct) (Channel, error) {
	p, err := personID(req.Person)
	if err != nil {
		return Channel{}, err
	}
	c, err := s.ws.Direct(ctx, p)
	if err != nil {
		return Channel{}, err
	}
	return s.shower(lang).channel(c), nil
}

func (s *Server) personRole(ctx context.Context, lang language, req RoleChange) (People, error) {
	p, err := personID(req.Person)
	if err != nil {
		return People{}, err
	}
	role, err := roleOf(req.Role)
	if err != nil {
		return People{}, err
	}
	if err := s.ws.SetRole(ctx, p, role); err != nil {
		return People{}, err
	}
	return s.people(ctx, lang, Empty{})
}

// who reads whom a request is about: a person, or one device.
func who(person, device string) (p access.PersonID, d log.DeviceID, err error) {
	if device != "" {
		d, err = deviceID(device)
		return p, d, err
	}
	p, err = personID(person)
	return p, d, err
}

func (s *Server) personLeaving(_ context.Context, lang language, req LeavingAsk) (Leaving, error) {
	p, d, err := who(req.Person, req.Device)
	if err != nil {
		return Leaving{}, err
	}
	l, err := s.ws.Leaving(p, d)
	if err != nil {
		return Leaving{}, err
	}
	show := s.shower(lang)
	out := Leaving{
		Name: l.Name, Whole: l.Whole, Devices: []Device{}, Handover: []Handover{}, Orphaned: append([]string{}, l.Orphaned...),
		Managers: l.Managers, Deputy: l.Deputy,
	}
	people, _ := s.ws.People()
	for _, person := range people {
		for i, dev := range person.Devices {
			for _, id := range l.Devices {
				if id == dev.ID {
					out.Devices = append(out.Devices, showPerson(person).Devices[i])
				}
			}
		}
	}
	for _, h := range l.Handover {
		to := Handover{Space: h.Space.String(), Name: h.Name, Choices: []Person{}}
		for _, c := range h.Choices {
			to.Choices = append(to.Choices, show.person(chat.PersonID(c)))
		}
		out.Handover = append(out.Handover, to)
	}
	return out, nil
}

func (s *Server) personRemove(ctx context.Context, lang language, req Remove) (People, error) {
	p, d, err := who(req.Person, req.Device)
	if err != nil {
		return People{}, err
	}
	handover := map[log.SpaceID]access.PersonID{}
	for _, h := range req.Handover {
		space, err := spaceID(h.Space)
		if err != nil {
			return People{}, err
		}
		if handover[space], err = personID(h.Person); err != nil {
			return People{}, err
		}
	}
	if err := s.ws.Remove(ctx, p, d, handover); err != nil {
		return People{}, err
	}
	return s.people(ctx, lang, Empty{})
}

func (s *Server) late(ctx context.Context, lang language, _ Empty) (Late, error) {
	found, err := s.ws.Late(ctx)
	if err != nil {
		return Late{}, err
	}
	show := s.shower(lang)
	out := Late{Late: []LateWork{}}
	for _, l := range found {
		work := LateWork{
			Device: l.Device.String(), Name: l.Name, Person: show.person(chat.PersonID(l.Person)),
			Entries: l.Entries, Messages: []LateMessage{}, Adopt: l.Adopt,
		}
		for _, m := range l.Messages {
			work.Messages = append(work.Messages, LateMessage{At: m.At, Text: m.Text})
		}
		out.Late = append(out.Late, work)
	}
	return out, nil
}

func (s *Server) lateAdopt(ctx context.Context, lang language, req Adopt) (Late, error) {
	dev, err := deviceID(req.Device)
	if err != nil {
		return Late{}, err
	}
	if err := s.ws.Adopt(ctx, dev); err != nil {
		return Late{}, err
	}
	return s.late(ctx, lang, Empty{})
}

func (s *Server) erase(ctx context.Context, _ language, req Erase) (Empty, error) {
	id, err := messageID(req.Message)
	if err != nil {
		return Empty{}, err
	}
	return Empty{}, s.ws.Erase(ctx, id)
}

func (s *Server) doctor(_ context.Context, lang language, _ Empty) (Doctor, error) {
	out := Doctor{Checks: []Check{}}
	for _, c := range s.ws.Doctor() {
		e := lang.error(&app.Problem{Code: "check/" + c.Code + "/" + c.State, Args: c.Args})
		out.Checks = append(out.Checks, Check{Code: c.Code, Level: c.Level, Sentence: e.Sentence, Next: e.Next})
	}
	return out, nil
}
