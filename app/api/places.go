package api

import (
	"context"

	"inselnetz/app"
)

func (s *Server) places(context.Context, language, Empty) (Places, error) {
	p, err := s.ws.Places()
	if err != nil {
		return Places{}, err
	}
	out := Places{Port: int(p.Port), Near: []string{}, Outside: orEmpty(p.Outside), Devices: []Place{}}
	for _, a := range p.Near {
		out.Near = append(out.Near, a.String())
	}
	for _, d := range p.Devices {
		out.Devices = append(out.Devices, Place{Person: d.Person, Device: showPerson(app.Person{Devices: []app.Device{d.Device}}).Devices[0], Typed: orEmpty(d.Typed), Told: orEmpty(d.Told)})
	}
	return out, nil
}

func (s *Server) placesOwn(ctx context.Context, lang language, req PlacesOwn) (Places, error) {
	if err := s.ws.SetOutside(req.Addresses); err != nil {
		return Places{}, err
	}
	return s.places(ctx, lang, Empty{})
}

func (s *Server) placesOf(ctx context.Context, lang language, req PlacesOf) (Places, error) {
	dev, err := deviceID(req.Device)
	if err != nil {
		return Places{}, err
	}
	if err := s.ws.SetPlace(dev, req.Addresses); err != nil {
		return Places{}, err
	}
	return s.places(ctx, lang, Empty{})
}
