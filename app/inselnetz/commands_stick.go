package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"

	"inselnetz/app"
	"inselnetz/app/api"
)

const stickPath = "/api/stick/content"

// exportCommand writes what another device lacks to a file.
func exportCommand(e *env) func(context.Context) error {
	to := e.flags.String("for", "all", "`device` (or person) that lacks it; all: what any of the others lacks")
	whole := e.flags.Bool("whole", false, "everything from the beginning on")
	return with(e, func(ctx context.Context, c *client) error {
		if len(e.rest) != 1 {
			return errUsage
		}
		req := api.StickAsk{Whole: *whole}
		if *to != "all" {
			d, err := c.missed(ctx, *to)
			if err != nil {
				return err
			}
			req.For = d.ID
		}
		st, err := ask[api.Stick](ctx, c, "stick", req)
		if err != nil {
			return err
		}
		if !e.json {
			fmt.Fprintln(e.err, e.stickSize(st.Size)) // the file itself may go to standard output
		}
		q := url.Values{"for": {req.For}}
		if *whole {
			q.Set("whole", "1")
		}
		res, err := c.request(ctx, http.MethodGet, stickPath+"?"+q.Encode(), nil)
		if err != nil {
			return err
		}
		defer res.Body.Close()
		if res.StatusCode != http.StatusOK {
			return answerProblem(res)
		}
		if e.rest[0] == "-" {
			_, err = io.Copy(e.out, res.Body)
		} else {
			err = writeWhole(e.rest[0], res.Body)
		}
		if p := app.WriteProblem(err); p != nil {
			return p
		}
		if err != nil || e.rest[0] == "-" {
			return err
		}
		return e.say(st.Size, e.pick("Gespeichert: %s", "Saved: %s"), e.rest[0])
	})
}

// importCommand takes in what such a file holds.
func importCommand(e *env) func(context.Context) error {
	return with(e, func(ctx context.Context, c *client) error {
		if len(e.rest) != 1 {
			return errUsage
		}
		from := io.NopCloser(e.in)
		if e.rest[0] != "-" {
			f, err := os.Open(e.rest[0])
			if err != nil {
				return err
			}
			defer f.Close()
			from = f
		}
		res, err := c.request(ctx, http.MethodPut, stickPath, from)
		if err != nil {
			return err
		}
		defer res.Body.Close()
		if res.StatusCode != http.StatusOK {
			return answerProblem(res)
		}
		var got api.StickBrought
		if err := json.NewDecoder(res.Body).Decode(&got); err != nil {
			return fmt.Errorf("read answer: %w", err)
		}
		if e.json {
			if err := e.print(got); err != nil {
				return err
			}
		} else {
			e.brought(got)
		}
		if got.Error != nil {
			return got.Error
		}
		return nil
	})
}

// brought says what a file brought.
func (e *env) brought(got api.StickBrought) {
	fmt.Fprintf(e.out, e.pick("Von %s (%s): %s neu, %d waren schon da.\n", "From %s (%s): %s new, %d were here already.\n"),
		got.By, cmp.Or(got.Device, "?"), e.stickSize(got.New), got.Known)
	if got.Closed > 0 {
		fmt.Fprintf(e.out, e.pick("Nicht für dieses Gerät: %d Bereiche.\n", "Not for this device: %d spaces.\n"), got.Closed)
	}
	for _, r := range got.Refused {
		fmt.Fprintln(e.out, strings.TrimSpace(r.Sentence+" "+r.Next))
	}
}

// stickSize words how much some entries are.
func (e *env) stickSize(s api.StickSize) string {
	out := fmt.Sprintf(e.pick("%d Einträge", "%d entries"), s.Entries)
	var parts []string
	for _, p := range []struct {
		n      int
		de, en string
	}{{s.Messages, "Nachrichten", "messages"}, {s.Files, "Dateistände", "versions of files"}, {s.Documents, "Änderungen an Dokumenten", "changes of documents"}} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", p.n, e.pick(p.de, p.en)))
		}
	}
	if len(parts) > 0 {
		out += " (" + strings.Join(parts, ", ") + ")"
	}
	return fmt.Sprintf("%s, %d KB", out, (s.Bytes+1023)/1024)
}

// maxInvitation bounds the file an invitation lies in.
const maxInvitation = 64 << 10

// writeInvitation puts a link into a file that can be sent.
func writeInvitation(path, link string) error {
	err := writeWhole(path, strings.NewReader(invitationText(link)))
	if p := app.WriteProblem(err); p != nil {
		return p
	}
	return err
}

// invitationText is what such a file holds. The page writes the same.
func invitationText(link string) string {
	return "Inselnetz: Einladung, zum Öffnen auf der Seite „Beitreten“ / invitation, to be opened on the page \"Join\"\n" + link + "\n"
}

var errNoInvitation = errors.New("no invitation in this file")

// readInvitation finds the link in a file.
func readInvitation(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxInvitation))
	if err != nil {
		return "", err
	}
	for _, word := range strings.Fields(string(raw)) {
		if strings.HasPrefix(word, "inselnetz:join?") {
			return word, nil
		}
	}
	return "", fmt.Errorf("%s: %w", path, errNoInvitation)
}
