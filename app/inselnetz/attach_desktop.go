//go:build desktop

package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"inselnetz/app/api"
)

// An attachment reaches the node that runs with a data directory from another
// process. A node that is started again has another address and token: the
// contact file is looked at before each call.
type attachment struct {
	e    *env
	path string

	mu   sync.Mutex
	file os.FileInfo
	c    *client
}

func attach(e *env) *attachment {
	return &attachment{e: e, path: filepath.Join(e.data, contactFile)}
}

// client returns how to call the node now.
func (a *attachment) client() (*client, error) {
	now, err := os.Stat(a.path)
	if err != nil {
		return nil, notRunning(a.e.lang)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.c != nil && os.SameFile(a.file, now) && a.file.ModTime().Equal(now.ModTime()) && a.file.Size() == now.Size() {
		return a.c, nil
	}
	c, err := a.e.client()
	if err != nil {
		return nil, err
	}
	a.file, a.c = now, c
	return c, nil
}

// proxy passes the page's requests on. The token stays in this process: what the
// page sends of headers that let in is taken away.
func (a *attachment) proxy() http.Handler {
	forward := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			c, _ := r.In.Context().Value(clientKey{}).(*client)
			r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = "http", c.Addr, c.Addr
			for _, h := range []string{"Origin", "Referer", "Cookie"} {
				r.Out.Header.Del(h)
			}
			r.Out.Header.Set("Authorization", "Bearer "+c.Token)
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) {
			w.WriteHeader(http.StatusBadGateway) // the page knows how to say that nobody answers
		},
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := a.client()
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		forward.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), clientKey{}, c)))
	})
}

type clientKey struct{}

// follow tells of every event until ctx ends, and of the node's coming and
// going.
func (a *attachment) follow(ctx context.Context, heard func(api.Event), up func(bool)) {
	for ctx.Err() == nil {
		if c, err := a.client(); err == nil {
			_ = c.stream(ctx, "/api/desktop/events", func(ev api.Event) error {
				if ev == (api.Event{}) { // the stream is open
					up(true)
					ev.What = "all"
				}
				heard(ev)
				return nil
			})
			if ctx.Err() == nil {
				up(false)
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(300 * time.Millisecond): // nobody tells that a node is there again
		}
	}
}

// content opens what the node has at a path of its API.
func (a *attachment) content(ctx context.Context, path string) (io.ReadCloser, error) {
	u, err := url.Parse(path)
	if err != nil || u.IsAbs() || u.Host != "" || !contentPaths[u.Path] {
		return nil, fmt.Errorf("%q is no content", path)
	}
	c, err := a.client()
	if err != nil {
		return nil, err
	}
	res, err := c.request(ctx, http.MethodGet, u.RequestURI(), nil)
	if err != nil {
		return nil, err
	}
	if res.StatusCode != http.StatusOK {
		_ = res.Body.Close()
		return nil, fmt.Errorf("the node answered %s", res.Status)
	}
	return res.Body, nil
}
