package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"inselnetz/app/api"
)

// A contact is the file by which the command line finds the running node. Only
// the user who started the node can read it.
type contact struct {
	Addr  string `json:"addr"`
	Token string `json:"token"`
}

const contactFile = "api.json"

// A client calls the API of the node running with a data directory.
type client struct {
	contact
	lang string
}

func (e *env) client() (*client, error) {
	raw, err := os.ReadFile(filepath.Join(e.data, contactFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, notRunning(e.lang)
	}
	if err != nil {
		return nil, err
	}
	c := &client{lang: e.lang}
	if err := json.Unmarshal(raw, &c.contact); err != nil {
		return nil, fmt.Errorf("read %s: %w", contactFile, err)
	}
	return c, nil
}

func notRunning(lang string) error {
	if lang == "en" {
		return &api.Error{Code: "not-running", Sentence: "No Inselnetz is running with this data folder.", Next: "Start it: inselnetz serve"}
	}
	return &api.Error{Code: "not-running", Sentence: "Mit diesem Datenordner läuft kein Inselnetz.", Next: "Starten Sie es: inselnetz serve"}
}

func (c *client) request(ctx context.Context, method, path string, body io.Reader) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, method, "http://"+c.Addr+path, body)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer "+c.Token)
	r.Header.Set("X-Inselnetz-Language", c.lang)
	res, err := http.DefaultClient.Do(r)
	if err != nil && ctx.Err() == nil {
		return nil, notRunning(c.lang) // a node that was killed leaves its contact file
	}
	return res, err
}

// ask makes one call.
func ask[Res any](ctx context.Context, c *client, name string, req any) (Res, error) {
	var out Res
	body, err := json.Marshal(req)
	if err != nil {
		return out, err
	}
	res, err := c.request(ctx, http.MethodPost, "/api/"+name, bytes.NewReader(body))
	if err != nil {
		return out, err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		return out, fmt.Errorf("read answer: %w", err)
	}
	if res.StatusCode != http.StatusOK {
		p := &api.Error{}
		if json.Unmarshal(raw, p) != nil || p.Sentence == "" {
			return out, fmt.Errorf("the node answered %s", res.Status)
		}
		return out, p
	}
	return out, json.Unmarshal(raw, &out)
}

// events calls f for every event until it returns an error, io.EOF for done.
func (c *client) events(ctx context.Context, f func(api.Event) error) error {
	return c.stream(ctx, "/api/events", f)
}

// stream is events from another path.
func (c *client) stream(ctx context.Context, path string, f func(api.Event) error) error {
	res, err := c.request(ctx, http.MethodGet, path, nil)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("the node answered %s", res.Status)
	}
	lines := bufio.NewScanner(res.Body)
	for lines.Scan() {
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			if lines.Text() == "retry: 1000" { // the stream is open
				if err := f(api.Event{}); err != nil {
					return done(err)
				}
			}
			continue
		}
		var ev api.Event
		if err := json.Unmarshal([]byte(data), &ev); err != nil {
			return fmt.Errorf("read event: %w", err)
		}
		if err := f(ev); err != nil {
			return done(err)
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return errors.New("the node has stopped")
}

func done(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// print writes v as one line of JSON.
func (e *env) print(v any) error {
	enc := json.NewEncoder(e.out)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}
