package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"inselnetz/app/api"
)

// homeCommand says what the page's first screen says: how things are, what is open
// and what others changed since the last visit.
func homeCommand(e *env) func(context.Context) error {
	stays := e.flags.String("stays", "", "`yes` or no: this device is meant to stay on")
	kind := e.flags.String("kind", "", "`KIND` of office: law, practice, driving or other; makes channels and documents that fit")
	metered := e.flags.String("metered", "", "`yes`, no or auto: the connection of this device is paid by volume, so large files wait; auto is as the system says")
	seen := e.flags.Bool("seen", false, "everything up to now is known")
	return with(e, func(ctx context.Context, c *client) error {
		if len(e.rest) > 0 || *stays != "" && *stays != "yes" && *stays != "no" || !slices.Contains([]string{"", "auto", "yes", "no"}, *metered) {
			return errUsage
		}
		if *kind != "" {
			if _, err := ask[api.Setup](ctx, c, "setup/kind", api.SetupKindSet{Kind: *kind}); err != nil {
				return err
			}
		}
		if *stays != "" {
			if _, err := ask[api.Setup](ctx, c, "setup/device", api.SetupDevice{Stays: *stays == "yes"}); err != nil {
				return err
			}
		}
		if *metered != "" {
			if _, err := ask[api.Metered](ctx, c, "metered/set", api.MeteredSet{Mode: *metered}); err != nil {
				return err
			}
		}
		if *seen {
			if _, err := ask[api.Empty](ctx, c, "home/seen", api.HomeSeen{All: true}); err != nil {
				return err
			}
		}
		res, err := ask[api.Home](ctx, c, "home", api.Empty{})
		if err != nil {
			return err
		}
		if e.json {
			return e.print(res)
		}
		return e.home(res)
	})
}

// home prints what Home says.
func (e *env) home(res api.Home) error {
	var out strings.Builder
	fmt.Fprintln(&out, strings.TrimSpace(res.Sentence+" "+res.More))
	for _, p := range res.Points {
		fmt.Fprintln(&out, "!", strings.TrimSpace(p.Sentence+" "+p.Next))
	}
	since := time.UnixMilli(res.Since).Format("02.01. 15:04")
	if len(res.Channels)+len(res.Documents)+len(res.Files) == 0 {
		fmt.Fprintf(&out, e.pick("Nichts Neues seit %s.\n", "Nothing new since %s.\n"), since)
	} else {
		fmt.Fprintf(&out, e.pick("Neu seit %s:\n", "New since %s:\n"), since)
	}
	for _, c := range res.Channels {
		name := c.Name
		switch {
		case c.With != nil:
			name = c.With.Name
		case name == "" && c.In != "":
			name = c.In
		case name == "":
			name = e.pick("Alle", "Everyone")
		}
		fmt.Fprintf(&out, "  # %s (%d): %s\n", name, c.Unread, c.Topic)
	}
	for _, d := range res.Documents {
		fmt.Fprintf(&out, "  %s (%s)\n", d.Title, d.By.Name)
	}
	for _, f := range res.Files {
		fmt.Fprintf(&out, "  %s (%s)\n", f.Path, f.Person.Name)
	}
	if n := res.DocumentsMore + res.FilesMore; n > 0 {
		fmt.Fprintf(&out, e.pick("  und %d weitere\n", "  and %d more\n"), n)
	}
	_, err := fmt.Fprint(e.out, out.String())
	return err
}

// quitCommand ends the desktop program of this user, for whoever replaces it, and
// returns when its node has ended.
func quitCommand(e *env) func(context.Context) error {
	return with(e, func(ctx context.Context, c *client) error {
		asked := false
		err := c.events(ctx, func(ev api.Event) error {
			if ev != (api.Event{}) {
				return nil
			}
			_, err := ask[api.Empty](ctx, c, "desktop/quit", api.Empty{})
			asked = err == nil
			return err
		})
		if !asked || ctx.Err() != nil { // else the end of the stream is the node's
			return err
		}
		return e.say(api.Empty{}, "%s", e.pick("Inselnetz ist beendet.", "Inselnetz has quit."))
	})
}
