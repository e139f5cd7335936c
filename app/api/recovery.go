package api

import (
	"context"
	"encoding/hex"
	"fmt"

	"inselnetz/app"
	"inselnetz/crdt/access"
	"inselnetz/crdt/chat"
	"inselnetz/crdt/log"
)

func (s *Server) kit(context.Context, language, Empty) (Kit, error) {
	k, err := s.ws.Kit()
	if err != nil {
		return Kit{}, err
	}
	return Kit{Words: k.Words, QR: k.QR, Ask: k.Ask, Office: k.Office, Made: millis(k.Made)}, nil
}

func (s *Server) kitConfirm(ctx context.Context, lang language, req KitConfirm) (Recovery, error) {
	if err := s.ws.ConfirmKit(req.Words); err != nil {
		return Recovery{}, err
	}
	return s.recovery(ctx, lang, Empty{})
}

func (s *Server) recovery(_ context.Context, lang language, _ Empty) (Recovery, error) {
	r, err := s.ws.Recovery()
	if err != nil {
		return Recovery{}, err
	}
	show := s.shower(lang)
	out := Recovery{
		Kit: r.Kit, Printed: r.Printed, Need: r.Need, Deputies: []DeputyShow{}, Steps: []Step{},
		Propose: r.Propose, Change: r.Change,
	}
	for _, d := range r.Deputies {
		shown := DeputyShow{Kit: d.Kit, Missing: d.Missing}
		if !d.Kit {
			p := show.person(chat.PersonID(d.Person))
			shown.Person = &p
		}
		out.Deputies = append(out.Deputies, shown)
	}
	for _, st := range r.Steps {
		out.Steps = append(out.Steps, s.showStep(show, st))
	}
	return out, nil
}

func (s *Server) showStep(show *shower, st app.Step) Step {
	out := Step{
		ID: hex.EncodeToString(st.ID[:]), At: millis(st.At), By: show.name(chat.PersonID(st.By)), State: st.State,
		Remove: []string{}, Owners: []string{}, Access: []SpaceAccess{}, Approved: show.deputies(st.Approved),
		Need: st.Need, Mine: st.Mine, CanMine: st.CanMine, CanKit: st.CanKit,
	}
	_, state, err := s.ws.Audit()
	if err != nil {
		return out
	}
	for _, r := range st.Step.Remove {
		if d, ok := state.Known(r.Device); ok {
			out.Remove = append(out.Remove, fmt.Sprintf("%s (%s)", access.ShowName(d.Card.Name), show.name(chat.PersonID(d.Person))))
		} else {
			out.Remove = append(out.Remove, "?")
		}
	}
	seen := map[access.PersonID]bool{}
	for _, o := range st.Step.Owners {
		if !seen[o.Person.ID] {
			seen[o.Person.ID] = true
			out.Owners = append(out.Owners, show.name(chat.PersonID(o.Person.ID)))
		}
	}
	for _, a := range st.Step.Access {
		out.Access = append(out.Access, SpaceAccess{Space: s.ws.SpaceTitle(state, a.Space), Person: show.name(chat.PersonID(a.Person))})
	}
	if p := st.Step.Policy; p != nil {
		out.Policy = &PolicyShow{Need: int(p.Need), Deputies: []string{}}
		for _, d := range p.Deputies {
			out.Policy.Deputies = append(out.Policy.Deputies, show.deputies([]access.PersonID{d.Person})...)
		}
	}
	return out
}

// deputies are names; the sheet has none.
func (sh *shower) deputies(ids []access.PersonID) []string {
	out := []string{}
	for _, id := range ids {
		name := ""
		if id != (access.PersonID{}) {
			name = sh.name(chat.PersonID(id))
		}
		out = append(out, name)
	}
	return out
}

func (s *Server) recoveryLost(_ context.Context, lang language, _ Empty) (LostSpaces, error) {
	found, err := s.ws.LostSpaces()
	if err != nil {
		return LostSpaces{}, err
	}
	show := s.shower(lang)
	out := LostSpaces{Spaces: []LostSpace{}}
	for _, l := range found {
		out.Spaces = append(out.Spaces, LostSpace{ID: l.ID.String(), Name: l.Name, Was: show.name(chat.PersonID(l.Was))})
	}
	return out, nil
}

func (s *Server) recoveryPropose(ctx context.Context, lang language, req Propose) (Recovery, error) {
	p := app.Proposal{KeepKit: req.KeepKit, NewKit: req.NewKit, Need: req.Need, Words: req.Words}
	var err error
	if p.Lost, err = all(req.Lost, deviceID); err != nil {
		return Recovery{}, err
	}
	if p.Deputies, err = all(req.Deputies, personID); err != nil {
		return Recovery{}, err
	}
	if req.Owner != "" {
		if p.Owner, err = personID(req.Owner); err != nil {
			return Recovery{}, err
		}
	}
	for _, a := range req.Access {
		space, err := spaceID(a.Space)
		if err != nil {
			return Recovery{}, err
		}
		if p.Access == nil {
			p.Access = map[log.SpaceID]access.PersonID{}
		}
		if p.Access[space], err = personID(a.Person); err != nil {
			return Recovery{}, err
		}
	}
	if err := s.ws.Propose(ctx, p); err != nil {
		return Recovery{}, err
	}
	return s.recovery(ctx, lang, Empty{})
}

func (s *Server) recoveryApprove(ctx context.Context, lang language, req Approve) (Recovery, error) {
	id, err := stepID(req.Step)
	if err != nil {
		return Recovery{}, err
	}
	if err := s.ws.Approve(ctx, id, req.Words); err != nil {
		return Recovery{}, err
	}
	return s.recovery(ctx, lang, Empty{})
}

// Pages of the audit.
const (
	defaultRecords = 100
	maxRecords     = 1000
)

func (s *Server) audit(_ context.Context, lang language, req AuditAsk) (Audit, error) {
	records, st, err := s.ws.Audit()
	if err != nil {
		return Audit{}, err
	}
	out := Audit{Records: []AuditRecord{}, Total: len(records)}
	last := len(records)
	if req.Before > 0 {
		last = min(last, req.Before-1)
	}
	show := s.shower(lang)
	for i := last - 1; i >= 0 && len(out.Records) < limit(req.Limit, defaultRecords, maxRecords); i-- {
		r := records[i]
		d, _ := st.Known(r.Author)
		rec := AuditRecord{
			N: i + 1, At: r.Clock.Millis(), Author: show.name(chat.PersonID(d.Person)), Device: access.ShowName(d.Card.Name),
			Act: r.Act, Sentence: s.sentence(show, st, r), Counts: r.Counts, Why: lang.why(r),
			Entry: hex.EncodeToString(r.Entry[:]), Log: r.Log.String(), Seq: r.Seq,
		}
		out.Records = append(out.Records, rec)
	}
	return out, nil
}
