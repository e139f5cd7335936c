package main

import (
	"context"
	"fmt"
	"strings"

	"inselnetz/app/api"
)

// diagnoseCommand says how the network of this computer is, and why a device is not
// here.
func diagnoseCommand(e *env) func(context.Context) error {
	return with(e, func(ctx context.Context, c *client) error {
		if len(e.rest) > 1 {
			return errUsage
		}
		var req api.DiagnoseAsk
		if len(e.rest) == 1 {
			d, err := c.missed(ctx, e.rest[0])
			if err != nil {
				return err
			}
			req.Device = d.ID
		}
		res, err := ask[api.Diagnosis](ctx, c, "diagnose", req)
		if err != nil {
			return err
		}
		if e.json {
			return e.print(res)
		}
		_, err = fmt.Fprint(e.out, res.Text)
		return err
	})
}

// missed finds the device somebody asks for: by its name or id, or by its person's
// name, then the first that is not here.
func (c *client) missed(ctx context.Context, name string) (api.Device, error) {
	res, err := ask[api.People](ctx, c, "people", api.Empty{})
	if err != nil {
		return api.Device{}, err
	}
	for _, p := range res.People {
		if !strings.EqualFold(p.Name, name) || len(p.Devices) == 0 {
			continue
		}
		for _, d := range p.Devices {
			if d.Presence != api.Here {
				return d, nil
			}
		}
		return p.Devices[0], nil
	}
	return c.device(ctx, name)
}
