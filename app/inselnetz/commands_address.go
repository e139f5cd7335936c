package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"inselnetz/app/api"
)

// addressCommand says by which addresses this computer and others are reached from
// outside their networks, and sets them.
func addressCommand(e *env) func(context.Context) error {
	outside := e.flags.Bool("outside", false, "the addresses given are where this computer is reached from outside")
	of := e.flags.String("of", "", "the addresses given are where this `device` is reached")
	clean := e.flags.Bool("clear", false, "forget the addresses, of this computer or of the device named with --of")
	return with(e, func(ctx context.Context, c *client) error {
		given := len(e.rest) > 0
		if *outside && *of != "" || given && *clean || given != (*outside || *of != "") && !*clean {
			return errUsage
		}
		var res api.Places
		var err error
		switch {
		case *of != "":
			d, err := c.device(ctx, *of)
			if err != nil {
				return err
			}
			if res, err = ask[api.Places](ctx, c, "places/of", api.PlacesOf{Device: d.ID, Addresses: e.rest}); err != nil {
				return err
			}
		case *outside, *clean:
			res, err = ask[api.Places](ctx, c, "places/own", api.PlacesOwn{Addresses: e.rest})
		default:
			res, err = ask[api.Places](ctx, c, "places", api.Empty{})
		}
		if err != nil {
			return err
		}
		if e.json {
			return e.print(res)
		}
		return e.places(res)
	})
}

// places prints the ways between networks.
func (e *env) places(res api.Places) error {
	var out strings.Builder
	fmt.Fprintf(&out, e.pick("In diesem Netz: %s, Port %s (TCP und UDP)\n", "In this network: %s, port %s (TCP and UDP)\n"),
		orNone(e, strings.Join(res.Near, ", ")), orNone(e, portText(res.Port)))
	fmt.Fprintf(&out, e.pick("Von außen: %s\n", "From outside: %s\n"), orNone(e, strings.Join(res.Outside, ", ")))
	for _, p := range res.Devices {
		fmt.Fprintf(&out, "%s (%s): %s\n", p.Device.Name, p.Person, e.reach(p.Device))
		if len(p.Typed) > 0 {
			fmt.Fprintf(&out, e.pick("  eingetragen: %s\n", "  typed: %s\n"), strings.Join(p.Typed, ", "))
		}
		if len(p.Told) > 0 {
			fmt.Fprintf(&out, e.pick("  hat es gesagt: %s\n", "  it said: %s\n"), strings.Join(p.Told, ", "))
		}
	}
	_, err := fmt.Fprint(e.out, out.String())
	return err
}

func portText(port int) string {
	if port == 0 {
		return ""
	}
	return strconv.Itoa(port)
}

func orNone(e *env, s string) string {
	if s == "" {
		return e.pick("keine", "none")
	}
	return s
}

// reach says whether a device is connected, and by which way.
func (e *env) reach(d api.Device) string {
	switch {
	case d.Presence != api.Here:
		return e.pick("nicht verbunden", "not connected")
	case d.Via != "":
		return fmt.Sprintf(e.pick("verbunden über %s, %d ms", "connected via %s, %d ms"), d.Via, d.Latency)
	}
	return fmt.Sprintf(e.pick("verbunden, %s, %d ms", "connected, %s, %d ms"), d.Path, d.Latency)
}
