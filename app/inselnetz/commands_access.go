package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"inselnetz/app"
	"inselnetz/app/api"
)

// person finds a person by name or id.
func (c *client) person(ctx context.Context, name string) (api.Person, error) {
	res, err := ask[api.People](ctx, c, "people", api.Empty{})
	if err != nil {
		return api.Person{}, err
	}
	var found []api.Person
	for _, p := range res.People {
		if p.ID == name {
			return p, nil
		}
		if p.Name == name {
			found = append(found, p)
		}
	}
	if len(found) == 1 {
		return found[0], nil
	}
	return api.Person{}, &app.Problem{Code: "no-such-person"}
}

// device finds a device, also a removed one, by name or id.
func (c *client) device(ctx context.Context, name string) (api.Device, error) {
	res, err := ask[api.People](ctx, c, "people", api.Empty{})
	if err != nil {
		return api.Device{}, err
	}
	var found []api.Device
	for _, p := range slices.Concat(res.People, res.Gone) {
		for _, d := range p.Devices {
			if d.ID == name {
				return d, nil
			}
			if d.Name == name {
				found = append(found, d)
			}
		}
	}
	if len(found) == 1 {
		return found[0], nil
	}
	return api.Device{}, &app.Problem{Code: "no-such-person"}
}

// space finds a named space by name or id.
func (c *client) space(ctx context.Context, name string) (api.Space, error) {
	res, err := ask[api.Spaces](ctx, c, "spaces", api.Empty{})
	if err != nil {
		return api.Space{}, err
	}
	for _, s := range res.Spaces {
		if s.ID == name || s.Name == name && s.Kind == "named" {
			return s, nil
		}
	}
	return api.Space{}, &app.Problem{Code: "no-such-space"}
}

// levels reads NAME=LEVEL, the level being write if it is left out.
func (c *client) levels(ctx context.Context, in []string) ([]api.MemberLevel, error) {
	out := []api.MemberLevel{}
	for _, s := range in {
		name, level, _ := strings.Cut(s, "=")
		p, err := c.person(ctx, name)
		if err != nil {
			return nil, err
		}
		out = append(out, api.MemberLevel{Person: p.ID, Level: cmp.Or(level, "write")})
	}
	return out, nil
}

// A list is a flag that may be given several times.
type list []string

func (l *list) String() string     { return strings.Join(*l, ", ") }
func (l *list) Set(s string) error { *l = append(*l, s); return nil }

func roleCommand(e *env) func(context.Context) error {
	return with(e, func(ctx context.Context, c *client) error {
		if len(e.rest) != 2 {
			return errUsage
		}
		p, err := c.person(ctx, e.rest[0])
		if err != nil {
			return err
		}
		res, err := ask[api.People](ctx, c, "person/role", api.RoleChange{Person: p.ID, Role: e.rest[1]})
		if err != nil {
			return err
		}
		return e.say(res, e.pick("%s: %s", "%s: %s"), p.Name, e.rest[1])
	})
}

func removeCommand(e *env) func(context.Context) error {
	device := e.flags.String("device", "", "remove this device alone, by `name`")
	dry := e.flags.Bool("dry-run", false, "only say what it would mean")
	var handover list
	e.flags.Var(&handover, "handover", "`SPACE=PERSON`: who manages a space from then on; may be given several times")
	return with(e, func(ctx context.Context, c *client) error {
		var req api.Remove
		switch {
		case *device != "":
			d, err := c.device(ctx, *device)
			if err != nil {
				return err
			}
			req.Device = d.ID
		case len(e.rest) == 1:
			p, err := c.person(ctx, e.rest[0])
			if err != nil {
				return err
			}
			req.Person = p.ID
		default:
			return errUsage
		}
		leaving, err := ask[api.Leaving](ctx, c, "person/leaving", api.LeavingAsk{Person: req.Person, Device: req.Device})
		if err != nil {
			return err
		}
		if *dry {
			return e.leaving(leaving)
		}
		for _, h := range handover {
			space, person, _ := strings.Cut(h, "=")
			p, err := c.person(ctx, person)
			if err != nil {
				return err
			}
			for _, of := range leaving.Handover {
				if of.Space == space || of.Name == space {
					req.Handover = append(req.Handover, api.HandoverTo{Space: of.Space, Person: p.ID})
				}
			}
		}
		res, err := ask[api.People](ctx, c, "person/remove", req)
		if err != nil {
			return err
		}
		return e.say(res, e.pick("%s ist entfernt. Was schon auf dem Gerät liegt, bleibt dort.",
			"%s is removed. What is on the device already stays there."), leaving.Name)
	})
}

func (e *env) leaving(l api.Leaving) error {
	if e.json {
		return e.print(l)
	}
	for _, d := range l.Devices {
		fmt.Fprintf(e.out, e.pick("Gerät: %s\n", "Device: %s\n"), d.Name)
	}
	for _, h := range l.Handover {
		var names []string
		for _, p := range h.Choices {
			names = append(names, p.Name)
		}
		fmt.Fprintf(e.out, e.pick("Bereich ohne Verwaltung: %s, möglich: %s\n", "Space without a manager: %s, possible: %s\n"), h.Name, strings.Join(names, ", "))
	}
	for _, o := range l.Orphaned {
		fmt.Fprintf(e.out, e.pick("Danach für niemanden lesbar: %s\n", "Readable by nobody then: %s\n"), o)
	}
	_, err := fmt.Fprintf(e.out, e.pick("Danach verwalten %d.\n", "%d manage then.\n"), l.Managers)
	return err
}

func lateCommand(e *env) func(context.Context) error {
	adopt := e.flags.String("adopt", "", "take over the late work of this `device`")
	return with(e, func(ctx context.Context, c *client) error {
		var res api.Late
		var err error
		if *adopt != "" {
			d, derr := c.device(ctx, *adopt)
			if derr != nil {
				return derr
			}
			res, err = ask[api.Late](ctx, c, "late/adopt", api.Adopt{Device: d.ID})
		} else {
			res, err = ask[api.Late](ctx, c, "late", api.Empty{})
		}
		if err != nil {
			return err
		}
		if e.json {
			return e.print(res)
		}
		for _, l := range res.Late {
			fmt.Fprintf(e.out, "%s\t%d\n", l.Name, l.Entries)
			for _, m := range l.Messages {
				fmt.Fprintf(e.out, "  %s %s\n", time.UnixMilli(m.At).Format("2006-01-02 15:04"), m.Text)
			}
		}
		return nil
	})
}

func spacesCommand(e *env) func(context.Context) error {
	create := e.flags.String("create", "", "begin a space of this `name`")
	change := e.flags.String("change", "", "change the space of this `name`")
	rename := e.flags.String("rename", "", "with --change: its new `name`")
	var add, out list
	e.flags.Var(&add, "add", "`PERSON[=manage|write|read]` to let in; may be given several times")
	e.flags.Var(&out, "remove", "`PERSON` to take out; may be given several times")
	return with(e, func(ctx context.Context, c *client) error {
		set, err := c.levels(ctx, add)
		if err != nil {
			return err
		}
		switch {
		case *create != "":
			s, err := ask[api.Space](ctx, c, "space/create", api.SpaceCreate{Name: *create, Members: set})
			if err != nil {
				return err
			}
			return e.say(s, "%s", s.ID)
		case *change != "":
			s, err := c.space(ctx, *change)
			if err != nil {
				return err
			}
			req := api.SpaceChange{Space: s.ID, Name: *rename, Set: set, Remove: []string{}}
			for _, name := range out {
				p, err := c.person(ctx, name)
				if err != nil {
					return err
				}
				req.Remove = append(req.Remove, p.ID)
			}
			if s, err = ask[api.Space](ctx, c, "space/change", req); err != nil {
				return err
			}
			return e.say(s, "%s", s.ID)
		}
		res, err := ask[api.Spaces](ctx, c, "spaces", api.Empty{})
		if err != nil {
			return err
		}
		if e.json {
			return e.print(res)
		}
		for _, s := range res.Spaces {
			var names []string
			for _, m := range s.Members {
				names = append(names, m.Person.Name+" ("+m.Level+")")
			}
			fmt.Fprintf(e.out, "%s\t%s\t%s\n", cmp.Or(s.Name, e.pick("Alle", "Everyone")), s.Level, strings.Join(names, ", "))
		}
		return nil
	})
}

func eraseCommand(e *env) func(context.Context) error {
	return with(e, func(ctx context.Context, c *client) error {
		if len(e.rest) != 1 {
			return errUsage
		}
		res, err := ask[api.Empty](ctx, c, "erase", api.Erase{Message: e.rest[0]})
		if err != nil {
			return err
		}
		return e.say(res, "%s", e.pick("Endgültig gelöscht, auf jedem Gerät, sobald es davon hört.", "Erased for good, on every device as soon as it hears of it."))
	})
}

func kitCommand(e *env) func(context.Context) error {
	confirm := e.flags.String("confirm", "", "the two `words` asked for, once the sheet is put away")
	return with(e, func(ctx context.Context, c *client) error {
		if *confirm != "" {
			res, err := ask[api.Recovery](ctx, c, "kit/confirm", api.KitConfirm{Words: strings.Fields(*confirm)})
			if err != nil {
				return err
			}
			return e.say(res, "%s", e.pick("Das Blatt gilt als gedruckt. Kein Gerät kennt es mehr.", "The sheet counts as printed. No device knows it any more."))
		}
		k, err := ask[api.Kit](ctx, c, "kit", api.Empty{})
		if err != nil {
			return err
		}
		if e.json {
			return e.print(k)
		}
		fmt.Fprintln(e.out, k.Office)
		for i, w := range k.Words {
			fmt.Fprintf(e.out, "%2d. %-14s", i+1, w)
			if i%4 == 3 {
				fmt.Fprintln(e.out)
			}
		}
		_, err = fmt.Fprintf(e.out, e.pick("Abschreiben oder drucken, sicher aufbewahren, dann: inselnetz kit --confirm \"Wort %d Wort %d\"\n",
			"Write it down or print it, put it away, then: inselnetz kit --confirm \"word %d word %d\"\n"), k.Ask[0], k.Ask[1])
		return err
	})
}

func recoveryCommand(e *env) func(context.Context) error {
	approve := e.flags.String("approve", "", "approve the proposal with this `id`")
	sheet := e.flags.String("sheet", "", "`file` with the 24 words of the recovery sheet, to approve by it too")
	owner := e.flags.String("owner", "", "propose: this `person` becomes owner")
	need := e.flags.Int("need", 0, "propose new deputies, of whom this `number` must approve")
	keep := e.flags.Bool("keep-sheet", true, "with --need: the sheet stays one of the deputies")
	fresh := e.flags.Bool("new-sheet", false, "with --need: a new sheet replaces the old one")
	var lost, deputies list
	e.flags.Var(&lost, "lost", "propose: this `device` is lost; may be given several times")
	e.flags.Var(&deputies, "deputy", "with --need: a `person`; may be given several times")
	return with(e, func(ctx context.Context, c *client) error {
		words := ""
		if *sheet != "" {
			b, err := os.ReadFile(*sheet)
			if err != nil {
				return err
			}
			words = string(b)
		}
		var res api.Recovery
		var err error
		switch {
		case *approve != "":
			res, err = ask[api.Recovery](ctx, c, "recovery/approve", api.Approve{Step: *approve, Words: words})
		case *owner != "" || *need > 0 || len(lost) > 0:
			req := api.Propose{Lost: []string{}, Deputies: []string{}, Need: *need, KeepKit: *keep && !*fresh, NewKit: *fresh, Words: words}
			if err := c.proposal(ctx, &req, *owner, lost, deputies); err != nil {
				return err
			}
			res, err = ask[api.Recovery](ctx, c, "recovery/propose", req)
		default:
			res, err = ask[api.Recovery](ctx, c, "recovery", api.Empty{})
		}
		if err != nil {
			return err
		}
		if e.json {
			return e.print(res)
		}
		return e.recovery(res)
	})
}

func (c *client) proposal(ctx context.Context, req *api.Propose, owner string, lost, deputies []string) error {
	if owner != "" {
		p, err := c.person(ctx, owner)
		if err != nil {
			return err
		}
		req.Owner = p.ID
	}
	for _, name := range lost {
		d, err := c.device(ctx, name)
		if err != nil {
			return err
		}
		req.Lost = append(req.Lost, d.ID)
	}
	for _, name := range deputies {
		p, err := c.person(ctx, name)
		if err != nil {
			return err
		}
		req.Deputies = append(req.Deputies, p.ID)
	}
	return nil
}

func (e *env) recovery(r api.Recovery) error {
	sheet := e.pick("das Blatt", "the sheet")
	var names []string
	for _, d := range r.Deputies {
		if d.Kit {
			names = append(names, sheet)
		} else {
			names = append(names, d.Person.Name)
		}
	}
	fmt.Fprintf(e.out, e.pick("%d von %d entscheiden: %s\n", "%d of %d decide: %s\n"), r.Need, len(names), strings.Join(names, ", "))
	for _, s := range r.Steps {
		var by []string
		for _, n := range s.Approved {
			by = append(by, cmp.Or(n, sheet))
		}
		fmt.Fprintf(e.out, "%s\t%s\t%d/%d\t%s\n", s.State, s.ID, len(by), s.Need, strings.Join(by, ", "))
		for _, d := range s.Remove {
			fmt.Fprintf(e.out, e.pick("  entfernt %s\n", "  removes %s\n"), d)
		}
		for _, o := range s.Owners {
			fmt.Fprintf(e.out, e.pick("  wird Inhaber: %s\n", "  becomes owner: %s\n"), o)
		}
	}
	return nil
}

func auditCommand(e *env) func(context.Context) error {
	limit := e.flags.Int("limit", 0, "`number` of latest records; 0 is all")
	return with(e, func(ctx context.Context, c *client) error {
		var out api.Audit
		for before := 0; ; {
			page, err := ask[api.Audit](ctx, c, "audit", api.AuditAsk{Before: before, Limit: 1000})
			if err != nil {
				return err
			}
			out.Total = page.Total
			out.Records = append(out.Records, page.Records...)
			if len(page.Records) == 0 || *limit > 0 && len(out.Records) >= *limit {
				break
			}
			if before = page.Records[len(page.Records)-1].N; before == 1 {
				break
			}
		}
		if *limit > 0 {
			out.Records = out.Records[:min(*limit, len(out.Records))]
		}
		if e.json {
			return e.print(out)
		}
		for _, r := range slices.Backward(out.Records) {
			mark := ""
			if !r.Counts {
				mark = e.pick(" (gilt nicht: ", " (does not count: ") + r.Why + ")"
			}
			fmt.Fprintf(e.out, "%d\t%s\t%s, %s\t%s%s\n", r.N, time.UnixMilli(r.At).Format("2006-01-02 15:04"), r.Author, r.Device, r.Sentence, mark)
		}
		return nil
	})
}

func doctorCommand(e *env) func(context.Context) error {
	return with(e, func(ctx context.Context, c *client) error {
		res, err := ask[api.Doctor](ctx, c, "doctor", api.Empty{})
		if err != nil {
			return err
		}
		if e.json {
			return e.print(res)
		}
		marks := map[string]string{"ok": "+", "info": "·", "warn": "!", "danger": "!!"}
		for _, c := range res.Checks {
			fmt.Fprintln(e.out, marks[c.Level], c.Sentence, c.Next)
		}
		return nil
	})
}
