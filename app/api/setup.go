package api

import (
	"context"

	"inselnetz/app"
)

func (s *Server) setup(_ context.Context, lang language, _ Empty) (Setup, error) {
	n := s.ws.Setup()
	out := Setup{
		Path: n.Path, Step: n.Step, Steps: n.Steps, Kind: n.Kind, Choose: n.MayChoose, Kinds: []SetupKind{},
		Stays: n.Stays, Place: n.Place, CanPlace: n.CanPlace, Folder: n.Folder, Full: n.Full,
	}
	for _, id := range app.KindsOfOffice {
		p := kindPhrases[id]
		k := SetupKind{ID: id, Name: lang.pick(p.de, p.en), Text: lang.pick(p.nextDE, p.nextEN), Channels: []string{}, Documents: []string{}}
		for _, b := range app.KindBrings(id, string(lang)) {
			if b.Channel {
				k.Channels = append(k.Channels, b.Name)
			} else {
				k.Documents = append(k.Documents, b.Name)
			}
		}
		out.Kinds = append(out.Kinds, k)
	}
	return out, nil
}

func (s *Server) setupGo(ctx context.Context, lang language, req SetupGo) (Setup, error) {
	if err := s.ws.SetUp(req.Path, req.Step); err != nil {
		return Setup{}, err
	}
	return s.setup(ctx, lang, Empty{})
}

func (s *Server) setupKind(ctx context.Context, lang language, req SetupKindSet) (Setup, error) {
	if err := s.ws.SetKind(ctx, req.Kind, string(lang)); err != nil {
		return Setup{}, err
	}
	return s.setup(ctx, lang, Empty{})
}

func (s *Server) setupDevice(ctx context.Context, lang language, req SetupDevice) (Setup, error) {
	if req.Place != "" {
		if err := s.ws.SetFilesPlace(req.Place); err != nil {
			return Setup{}, err
		}
	}
	if err := s.ws.SetStaysOn(ctx, req.Stays); err != nil {
		return Setup{}, err
	}
	return s.setup(ctx, lang, Empty{})
}
