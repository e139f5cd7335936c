package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"inselnetz/app"
	"inselnetz/app/api"
)

// with makes a command of a function that needs the running node.
func with(e *env, f func(context.Context, *client) error) func(context.Context) error {
	return func(ctx context.Context) error {
		c, err := e.client()
		if err != nil {
			return err
		}
		return f(ctx, c)
	}
}

// say prints v as JSON, or the text.
func (e *env) say(v any, format string, args ...any) error {
	if e.json {
		return e.print(v)
	}
	_, err := fmt.Fprintf(e.out, format+"\n", args...)
	return err
}

func (e *env) pick(de, en string) string {
	if e.lang == "en" {
		return en
	}
	return de
}

func openCommand(e *env) func(context.Context) error {
	return with(e, func(ctx context.Context, c *client) error {
		p, err := ask[api.Page](ctx, c, "page", api.Empty{})
		if err != nil {
			return err
		}
		return e.say(p, "%s", p.Address)
	})
}

func foundCommand(e *env) func(context.Context) error {
	var req api.Found
	e.flags.StringVar(&req.Office, "office", "", "`name` of the office")
	e.flags.StringVar(&req.Person, "person", "", "your `name`")
	e.flags.StringVar(&req.Device, "device", "", "`name` of this device (default the computer's)")
	return with(e, func(ctx context.Context, c *client) error {
		st, err := ask[api.Status](ctx, c, "found", req)
		if err != nil {
			return err
		}
		return e.say(st, e.pick("Büro „%s“ gegründet. Laden Sie als Nächstes jemanden ein: inselnetz invite",
			"Office \"%s\" founded. Invite someone next: inselnetz invite"), st.Office)
	})
}

func inviteCommand(e *env) func(context.Context) error {
	role := e.flags.String("role", "member", "what the new person may do: `owner, admin, member, guest or carrier`")
	link := e.flags.Bool("link", false, "print a link instead of waiting for a number; it lets one device in")
	file := e.flags.String("file", "", "save the link as a `file` that can be sent or carried")
	hours := e.flags.Int("hours", 1, "how many `hours` the link holds, at most 24")
	another := e.flags.String("another", "", "let in another device of this `person`")
	until := e.flags.String("until", "", "a guest's access ends on this `date`, such as 2026-12-24")
	var spaces list
	e.flags.Var(&spaces, "space", "`NAME[=read|write]` of a space a guest may see; may be given several times")
	open := e.flags.Bool("open", false, "open the invitation and return at once")
	number := e.flags.String("number", "", "the six `digits` the new computer shows")
	state := e.flags.Bool("show", false, "show the open invitation")
	stop := e.flags.Bool("close", false, "close the invitation")
	return with(e, func(ctx context.Context, c *client) error {
		switch {
		case *number != "":
			return typeNumber(ctx, e, c, *number)
		case *state, *stop:
			call := map[bool]string{true: "invite/close", false: "invite/state"}[*stop]
			st, err := ask[api.InviteState](ctx, c, call, api.Empty{})
			if err != nil {
				return err
			}
			return e.say(st, "%s", e.pick(fmt.Sprintf("offen: %v, Name %q, %d warten", st.Open, st.Door, len(st.Waiting)),
				fmt.Sprintf("open: %v, name %q, %d waiting", st.Open, st.Door, len(st.Waiting))))
		}
		*link = *link || *file != ""
		req := api.Invite{Role: *role, Link: *link, Hours: *hours}
		if err := c.invite(ctx, &req, *another, *until, spaces); err != nil {
			return err
		}
		st, err := ask[api.InviteState](ctx, c, "invite/open", req)
		if err != nil {
			return err
		}
		if *file != "" {
			if err := writeInvitation(*file, st.Link); err != nil {
				return err
			}
			return e.say(st, e.pick("Gespeichert: %s", "Saved: %s"), *file)
		}
		if *link {
			return e.say(st, "%s", st.Link)
		}
		if err := e.say(st, e.pick("Die Tür ist offen unter dem Namen „%s“. Am neuen Computer: inselnetz join --person NAME",
			"The door is open under the name \"%s\". On the new computer: inselnetz join --person NAME"), st.Door); err != nil || *open {
			return err
		}
		return askNumber(ctx, e, c)
	})
}

// invite fills in whose device, until when and which spaces.
func (c *client) invite(ctx context.Context, req *api.Invite, another, until string, spaces []string) error {
	if another != "" {
		p, err := c.person(ctx, another)
		if err != nil {
			return err
		}
		req.Person = p.ID
	}
	if until != "" {
		day, err := time.ParseInLocation("2006-01-02", until, time.Local)
		if err != nil {
			return errUsage
		}
		req.Until = day.AddDate(0, 0, 1).UnixMilli() // to the end of the day
	}
	for _, s := range spaces {
		name, level, _ := strings.Cut(s, "=")
		sp, err := c.space(ctx, name)
		if err != nil {
			return err
		}
		req.Spaces = append(req.Spaces, api.SpaceFor{Space: sp.ID, Level: cmp.Or(level, "write")})
	}
	return nil
}

// askNumber reads numbers from the terminal until someone is in.
func askNumber(ctx context.Context, e *env, c *client) error {
	lines := bufio.NewScanner(e.in)
	for {
		fmt.Fprint(e.err, e.pick("Nummer vom neuen Computer: ", "Number on the new computer: "))
		if !lines.Scan() {
			return lines.Err()
		}
		err := typeNumber(ctx, e, c, lines.Text())
		var p *api.Error
		if err == nil || !errors.As(err, &p) || !slices.Contains([]string{"number-wrong", "number-wrong-last", "number-format", "nobody-waits"}, p.Code) {
			return err
		}
		fmt.Fprintln(e.err, p.Sentence)
	}
}

func typeNumber(ctx context.Context, e *env, c *client, number string) error {
	st, err := ask[api.InviteState](ctx, c, "invite/type", api.InviteType{Number: number})
	if err != nil {
		return err
	}
	return e.say(st, e.pick("%s ist dabei. Auf beiden Bildschirmen stehen dieselben drei Wörter: %s",
		"%s is in. Both screens show the same three words: %s"), st.Joined, st.Words)
}

func joinCommand(e *env) func(context.Context) error {
	var req api.Join
	door := e.flags.String("door", "", "`name` of the door, if there are several")
	e.flags.StringVar(&req.Link, "link", "", "`link` of an invitation")
	file := e.flags.String("file", "", "`file` with an invitation")
	e.flags.StringVar(&req.Addr, "address", "", "`address` of the computer that invites, if it is not found")
	e.flags.StringVar(&req.Person, "person", "", "your `name`")
	e.flags.StringVar(&req.Device, "device", "", "`name` of this device (default the computer's)")
	yes := e.flags.Bool("yes", false, "take the three words for the same without asking")
	wait := e.flags.Duration("wait", 20*time.Second, "how long to look for a door")
	return with(e, func(ctx context.Context, c *client) error {
		if *file != "" {
			var err error
			if req.Link, err = readInvitation(*file); err != nil {
				return err
			}
		}
		if req.Addr == "" && req.Link == "" {
			id, err := findDoor(ctx, c, *door, *wait)
			if err != nil {
				return err
			}
			req.Door = id
		}
		st, err := ask[api.JoinState](ctx, c, "join", req)
		if err != nil {
			return err
		}
		return followJoin(ctx, e, c, st, *yes)
	})
}

// findDoor waits for the door with this name, or for any.
func findDoor(ctx context.Context, c *client, name string, wait time.Duration) (id string, err error) {
	within, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	look := func(api.Event) error {
		doors, err := ask[api.Doors](within, c, "doors", api.Empty{})
		if err != nil {
			return err
		}
		for _, d := range doors.Doors {
			if d.Name == name || name == "" && len(doors.Doors) == 1 {
				id = d.ID
				return io.EOF
			}
		}
		return nil
	}
	err = c.events(within, look)
	if id == "" && within.Err() != nil && ctx.Err() == nil {
		return "", nil // the node says in a sentence that there is none
	}
	return id, err
}

// followJoin prints each step and ends when this device is in or it failed.
func followJoin(ctx context.Context, e *env, c *client, st api.JoinState, yes bool) error {
	shown := ""
	step := func(api.Event) error {
		st, err := ask[api.JoinState](ctx, c, "join/state", api.Empty{})
		if err != nil || st.Step == shown {
			return err
		}
		shown = st.Step
		switch st.Step {
		case "number":
			return e.say(st, e.pick("Nummer: %s. Am anderen Computer eintippen: inselnetz invite --number %[1]s",
				"Number: %s. Type it on the other computer: inselnetz invite --number %[1]s"), st.Number)
		case "words":
			if err := e.say(st, e.pick("Die drei Wörter: %s", "The three words: %s"), st.Words); err != nil {
				return err
			}
			_, err := ask[api.JoinState](ctx, c, "join/confirm", api.JoinConfirm{Same: yes || e.confirm()})
			return err
		case "done":
			if err := e.say(st, e.pick("Dabei: %s", "In: %s"), st.Office); err != nil {
				return err
			}
			return io.EOF
		case "failed":
			return st.Error
		}
		return nil
	}
	if err := step(api.Event{}); err != nil {
		return done(err)
	}
	return c.events(ctx, func(ev api.Event) error {
		if ev.What != "" && ev.What != "join" {
			return nil
		}
		return step(ev)
	})
}

func (e *env) confirm() bool {
	fmt.Fprint(e.err, e.pick("Stehen dieselben Wörter auf dem anderen Bildschirm? [j/n] ", "Are the same words on the other screen? [y/n] "))
	line, _ := bufio.NewReader(e.in).ReadString('\n') // no answer is a no
	return slices.Contains([]string{"j", "ja", "y", "yes"}, strings.ToLower(strings.TrimSpace(line)))
}

func statusCommand(e *env) func(context.Context) error {
	return with(e, func(ctx context.Context, c *client) error {
		st, err := ask[api.Status](ctx, c, "status", api.Empty{})
		if err != nil {
			return err
		}
		if e.json {
			return e.print(st)
		}
		if st.Phase == api.PhaseNew {
			return e.say(st, "%s", e.pick("Dieses Gerät gehört noch zu keinem Büro.", "This device belongs to no office yet."))
		}
		fmt.Fprintf(e.out, e.pick("%s: %d von %d Geräten da, %d ungelesen\nDieses Gerät: %s, %s\n", "%s: %d of %d devices here, %d unread\nThis device: %s, %s\n"),
			st.Office, st.DevicesHere, st.Devices, st.Unread, st.Device.Name, st.Person.Name)
		for _, n := range st.Notices {
			fmt.Fprintln(e.out, "!", n.Sentence, n.Next)
		}
		return nil
	})
}

func peersCommand(e *env) func(context.Context) error {
	return with(e, func(ctx context.Context, c *client) error {
		res, err := ask[api.People](ctx, c, "people", api.Empty{})
		if err != nil {
			return err
		}
		if e.json {
			return e.print(res)
		}
		for _, p := range res.People {
			for _, d := range p.Devices {
				way := d.Path
				if d.Via != "" {
					way = "via " + d.Via
				}
				fmt.Fprintf(e.out, "%s\t%s\t%s\t%s\t%s\n", p.Name, p.Role, d.Name, d.Presence, way)
			}
		}
		return nil
	})
}

// channel finds a channel by its name or id; an empty name is the one of all.
func (c *client) channel(ctx context.Context, name string) (api.Channel, error) {
	res, err := ask[api.Channels](ctx, c, "channels", api.Empty{})
	if err != nil {
		return api.Channel{}, err
	}
	for _, ch := range res.Channels {
		if ch.ID == name || name == "" && ch.Main || name != "" && slices.Contains(names(ch), name) {
			return ch, nil
		}
	}
	return api.Channel{}, &app.Problem{Code: "no-such-channel"}
}

// names are what a channel may be called on the command line.
func names(ch api.Channel) []string {
	switch {
	case ch.With != nil:
		return []string{ch.With.Name}
	case ch.In != "" && ch.Name == "":
		return []string{ch.In}
	case ch.In != "":
		return []string{ch.In + ": " + ch.Name}
	}
	return []string{ch.Name}
}

func directCommand(e *env) func(context.Context) error {
	return with(e, func(ctx context.Context, c *client) error {
		if len(e.rest) != 1 {
			return errUsage
		}
		p, err := c.person(ctx, e.rest[0])
		if err != nil {
			return err
		}
		ch, err := ask[api.Channel](ctx, c, "direct", api.Direct{Person: p.ID})
		if err != nil {
			return err
		}
		return e.say(ch, "%s", ch.ID)
	})
}

func sendCommand(e *env) func(context.Context) error {
	name := e.flags.String("channel", "", "`name` of the channel (default the one of all)")
	create := e.flags.Bool("create", false, "make the channel if there is none of this name")
	reply := e.flags.String("reply", "", "`id` of the message this answers")
	lines := e.flags.Bool("lines", false, "post each line of standard input as a message")
	return with(e, func(ctx context.Context, c *client) error {
		ch, err := c.channel(ctx, *name)
		if err != nil && *create {
			ch, err = ask[api.Channel](ctx, c, "channel/create", api.ChannelCreate{Name: *name})
		}
		if err != nil {
			return err
		}
		post := func(text string) error {
			m, err := ask[api.Message](ctx, c, "post", api.Post{Channel: ch.ID, Text: text, ReplyTo: *reply})
			if err != nil {
				return err
			}
			return e.say(m, "%s", m.ID)
		}
		switch text := strings.Join(e.rest, " "); {
		case *lines:
			in := bufio.NewScanner(e.in)
			in.Buffer(nil, 1<<20)
			for in.Scan() {
				if err := post(in.Text()); err != nil {
					return err
				}
			}
			return in.Err()
		case text == "-":
			b, err := io.ReadAll(io.LimitReader(e.in, 4<<20))
			if err != nil {
				return err
			}
			return post(strings.TrimSuffix(string(b), "\n"))
		default:
			return post(text)
		}
	})
}

func (e *env) message(m api.Message) error {
	if e.json {
		return e.print(m)
	}
	text := m.Text
	switch {
	case m.Retracted:
		text = e.pick("(zurückgenommen)", "(retracted)")
	case m.Edited > 0:
		text += e.pick(" (geändert)", " (edited)")
	}
	_, err := fmt.Fprintf(e.out, "%s %s: %s\n", time.UnixMilli(m.At).Format("2006-01-02 15:04"), m.Author.Name, text)
	return err
}

func readCommand(e *env) func(context.Context) error {
	name := e.flags.String("channel", "", "`name` of the channel (default the one of all)")
	limit := e.flags.Int("limit", 50, "`number` of newest messages; 0 is all")
	return with(e, func(ctx context.Context, c *client) error {
		ch, err := c.channel(ctx, *name)
		if err != nil {
			return err
		}
		var pages [][]api.Message // newest page first
		for n, before := 0, int64(0); ; {
			size := 500
			if *limit > 0 {
				size = min(size, *limit-n)
			}
			page, err := ask[api.Messages](ctx, c, "messages", api.MessagesAsk{Channel: ch.ID, Before: before, Limit: size})
			if err != nil {
				return err
			}
			pages = append(pages, page.Messages)
			n += len(page.Messages)
			if len(page.Messages) == 0 || !page.Earlier || *limit > 0 && n >= *limit {
				break
			}
			before = page.Messages[0].Pos
		}
		for _, page := range slices.Backward(pages) {
			for _, m := range page {
				if err := e.message(m); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

func searchCommand(e *env) func(context.Context) error {
	limit := e.flags.Int("limit", 30, "`number` of hits at most")
	return with(e, func(ctx context.Context, c *client) error {
		hits, err := ask[api.Hits](ctx, c, "search", api.Search{Text: strings.Join(e.rest, " "), Limit: *limit})
		if err != nil {
			return err
		}
		if e.json {
			return e.print(hits)
		}
		for _, h := range hits.Hits {
			if err := e.message(h.Message); err != nil {
				return err
			}
		}
		return nil
	})
}

// tailCommand prints what arrives after it began.
func tailCommand(e *env) func(context.Context) error {
	name := e.flags.String("channel", "", "`name` of the channel (default the one of all)")
	return with(e, func(ctx context.Context, c *client) error {
		ch, err := c.channel(ctx, *name)
		if err != nil {
			return err
		}
		seen := map[string]bool{} // ids of the newest page: arrivals need not be last in order
		first := true
		return c.events(ctx, func(ev api.Event) error {
			if ev.What != "" && (ev.What != "channel" || ev.ID != ch.ID) {
				return nil
			}
			page, err := ask[api.Messages](ctx, c, "messages", api.MessagesAsk{Channel: ch.ID, Limit: 500})
			if err != nil {
				return err
			}
			now := make(map[string]bool, len(page.Messages))
			for _, m := range page.Messages {
				now[m.ID] = true
				if first || seen[m.ID] {
					continue
				}
				if err := e.message(m); err != nil {
					return err
				}
			}
			seen, first = now, false
			return nil
		})
	})
}
