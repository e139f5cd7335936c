package api

import "context"

func (s *Server) metered(context.Context, language, Empty) (Metered, error) {
	m := s.ws.Metered()
	return Metered{Mode: m.Mode, System: m.System, Now: m.Now, Over: m.Over}, nil
}

func (s *Server) meteredSet(ctx context.Context, lang language, req MeteredSet) (Metered, error) {
	if err := s.ws.SetMetered(req.Mode); err != nil {
		return Metered{}, err
	}
	return s.metered(ctx, lang, Empty{})
}

func (s *Server) filesFetch(_ context.Context, lang language, req FilesAsk) (Folder, error) {
	space, err := spaceOf(req.Space)
	if err != nil {
		return Folder{}, err
	}
	if err := s.ws.FetchFiles(space); err != nil {
		return Folder{}, err
	}
	return s.folder(lang, space)
}
