package api

import (
	"context"
	"path"

	"inselnetz/app"
)

func (s *Server) home(ctx context.Context, lang language, _ Empty) (Home, error) {
	h, err := s.ws.Home(ctx)
	if err != nil {
		return Home{}, err
	}
	out := Home{
		Now: h.Info.Now.UnixMilli(), Since: h.Since, Points: lang.homePoints(h), Next: lang.homeNext(h),
		Channels: []Channel{}, Documents: []Document{}, DocumentsMore: h.DocsMore, Files: []HomeFile{}, FilesMore: h.FilesMore,
	}
	out.Level, out.Sentence, out.More, out.Hint = lang.homeSentence(h, out.Points)
	show := s.shower(lang)
	for _, c := range h.Channels {
		out.Channels = append(out.Channels, show.channel(c))
	}
	for _, d := range h.Documents {
		out.Documents = append(out.Documents, showDocument(d))
	}
	for _, f := range h.Files {
		out.Files = append(out.Files, showHomeFile(f))
	}
	return out, nil
}

func showHomeFile(f app.HomeFile) HomeFile {
	return HomeFile{
		Space: f.Space.String(), Folder: f.Folder, Path: f.Path, Name: path.Base(f.Path), At: f.At,
		Person: showBy(f.By), Device: f.By.Device,
	}
}

func (s *Server) homeSeen(_ context.Context, _ language, req HomeSeen) (Empty, error) {
	return Empty{}, s.ws.Look(req.All)
}
