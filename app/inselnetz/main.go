// Command inselnetz is the program: the window where there is a display and the
// build has one, else a headless node, and the command line of a running node.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"inselnetz/app"
	"inselnetz/app/api"
)

// version is set by the build.
var version = "dev"

func main() {
	// quic-go prints to standard error where buffers are small; it works all the same
	_ = os.Setenv("QUIC_GO_DISABLE_RECEIVE_BUFFER_WARNING", "true")
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// env is what every command gets.
type env struct {
	in      io.Reader
	out     io.Writer
	err     io.Writer
	data    string // data directory
	state   string // directory of the outside count
	lang    string // "de" or "en"
	json    bool   // answers as JSON
	verbose bool
	flags   *flag.FlagSet
	rest    []string // arguments that are no flags
}

// A command is one word of the command line.
type command struct {
	args  string // shown in the help
	about string
	// prepare adds flags and returns what to do once they are parsed
	prepare func(e *env) func(ctx context.Context) error
}

func commands() map[string]command {
	return map[string]command{
		"serve":    {"", "start a node without a window and print the address of its page", serveCommand},
		"open":     {"", "print a fresh address that opens the page of the running node once", openCommand},
		"found":    {"--office NAME --person NAME", "begin a new office on this device", foundCommand},
		"invite":   {"[--role admin] [--link [--file FILE]] [--number N]", "let a new device in: shows the door's name and asks for the number, or prints a link", inviteCommand},
		"join":     {"--person NAME [--door NAME | --link LINK | --file FILE]", "join the office next door: shows six digits; or by a link", joinCommand},
		"status":   {"", "say how this device and its office are", statusCommand},
		"quit":     {"", "quit the desktop program of this user, as its icon does", quitCommand},
		"home":     {"[--kind KIND] [--stays yes|no] [--metered auto|yes|no] [--seen]", "say how things are, what is open and what is new; choose the kind of office, say that this device stays on or that its connection is paid by volume", homeCommand},
		"peers":    {"", "list people and devices", peersCommand},
		"send":     {"[--channel NAME] TEXT", "post a message (- reads it from standard input)", sendCommand},
		"read":     {"[--channel NAME] [--limit N]", "print messages", readCommand},
		"search":   {"TEXT", "find messages, newest first", searchCommand},
		"tail":     {"[--channel NAME]", "print messages as they arrive", tailCommand},
		"direct":   {"PERSON", "print the id of the direct channel with a person, begun if need be", directCommand},
		"role":     {"PERSON owner|admin|member|guest", "change what a person may do", roleCommand},
		"remove":   {"PERSON | --device NAME", "remove a person or one device for good", removeCommand},
		"late":     {"[--adopt DEVICE]", "list work of removed devices that came too late, or take it over", lateCommand},
		"spaces":   {"[--create NAME] [--change NAME] [--add PERSON[=LEVEL]]", "list spaces, begin one, change who is in it", spacesCommand},
		"erase":    {"MESSAGE", "erase a message for good, on every device", eraseCommand},
		"kit":      {"[--confirm WORDS]", "print the recovery sheet as long as it was not confirmed", kitCommand},
		"recovery": {"[--approve ID] [--lost DEVICE --owner PERSON]", "say who helps when all is lost; propose and approve", recoveryCommand},
		"page":     {"[pair|list|cut NAME|on|off|company --chain FILE --key FILE|renew]", "the page for browsers of the local network: pair a phone, end a session, certificates", pageCommand},
		"audit":    {"[--limit N]", "list who changed access, and when", auditCommand},
		"files": {"ls|get|put|versions|restore|conflicts|resolve|trash|rm|mv|mkdir|state|fetch|accept|discard|keep|drop [PATH …]",
			"look at and change shared files; restore --at TIME brings a directory back to a time", filesCommand},
		"doc": {"list|new|cat|edit|set|copy|archive|history|restore|export|search [DOCUMENT] [FILE]",
			"look at and change documents, as Markdown; new takes Word, OpenDocument and Automerge files too; --at NUMBER is a state of the past", docCommand},
		"export":   {"FILE [--for DEVICE|all] [--whole]", "write what a device without a network lacks to a file, for a USB stick (- is standard output)", exportCommand},
		"import":   {"FILE", "take in what export wrote on another device; the same file may come again", importCommand},
		"doctor":   {"", "look at this device from inside: keys, disk, database", doctorCommand},
		"diagnose": {"[NAME]", "say how this computer's network is, and why a device is not here", diagnoseCommand},
		"address": {"[--outside HOST[:PORT] … | --of DEVICE HOST[:PORT] … | --clear]",
			"say where this computer and others are reached from outside their networks, or set it: for a second office", addressCommand},
		"version": {"", "print the version", versionCommand},
	}
}

// run carries out one command line and returns the exit code: 0 done, 1 it did
// not work, 2 the command line makes no sense.
func run(ctx context.Context, args []string, in io.Reader, out, errw io.Writer) int {
	name := ""
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") && !isLink(args[0]) {
		name, args = args[0], args[1:]
	}
	if name == "" && len(args) > 0 && (args[0] == "-h" || args[0] == "--help") || name == "help" {
		usage(out)
		return 0
	}
	e := &env{in: in, out: out, err: errw, flags: flag.NewFlagSet(name, flag.ContinueOnError)}
	e.flags.SetOutput(errw)
	e.flags.StringVar(&e.data, "data", defaultData(), "data `directory`")
	e.flags.StringVar(&e.state, "state", "", "`directory` of the count kept outside the data (default beside the settings of the user)")
	e.flags.StringVar(&e.lang, "lang", defaultLanguage(), "`language` of sentences, de or en")
	e.flags.BoolVar(&e.json, "json", false, "print JSON")
	e.flags.BoolVar(&e.verbose, "verbose", false, "log more")
	prepare := mainCommand
	if name != "" {
		c, ok := commands()[name]
		if name == "window" { // what the desktop program starts; nobody types it
			c, ok = command{prepare: windowCommand}, hasWindow
		}
		if !ok {
			fmt.Fprintf(errw, "inselnetz: there is no command %q\n", name)
			usage(errw)
			return 2
		}
		prepare = c.prepare
	}
	do := prepare(e)
	if err := e.parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return 2
	}
	if e.state == "" {
		e.state = defaultState()
	}
	if err := do(ctx); err != nil {
		return e.fail(err)
	}
	return 0
}

// isLink reports whether an argument is a link of ours: the system starts the
// program with one.
func isLink(s string) bool {
	const scheme = "inselnetz:"
	return len(s) >= len(scheme) && strings.EqualFold(s[:len(scheme)], scheme)
}

// parse accepts flags before, between and after the other arguments; after "--"
// nothing is a flag.
func (e *env) parse(args []string) error {
	for {
		if err := e.flags.Parse(args); err != nil {
			return err
		}
		left := e.flags.Args()
		if len(left) == 0 {
			return nil
		}
		if i := len(args) - len(left); i > 0 && args[i-1] == "--" {
			e.rest = append(e.rest, left...)
			return nil
		}
		e.rest = append(e.rest, left[0])
		args = left[1:]
	}
}

var errUsage = errors.New("the command line makes no sense; see inselnetz help")

// fail prints an error for whoever must act: the sentence, then what to do.
func (e *env) fail(err error) int {
	if errors.Is(err, context.Canceled) {
		return 1
	}
	p := e.phrase(err)
	if e.json {
		_ = e.print(p)
	} else {
		fmt.Fprintln(e.err, "inselnetz:", p.Sentence)
		if p.Next != "" {
			fmt.Fprintln(e.err, p.Next)
		}
	}
	if errors.Is(err, errUsage) {
		return 2
	}
	return 1
}

func (e *env) phrase(err error) *api.Error {
	var p *api.Error
	var own *app.Problem
	switch {
	case errors.As(err, &p):
		return p
	case errors.As(err, &own):
		return api.Phrase(e.lang, own)
	}
	return &api.Error{Code: "failed", Sentence: err.Error()}
}

func usage(w io.Writer) {
	fmt.Fprint(w, "Inselnetz: chat for an office, with no server and no internet.\n\nWithout a command it opens the window, or starts a node where there is none.\n\n")
	all := commands()
	names := make([]string, 0, len(all))
	for n := range all {
		names = append(names, n)
	}
	slices.Sort(names)
	for _, n := range names {
		fmt.Fprintf(w, "  inselnetz %s %s\n        %s\n", n, all[n].args, all[n].about)
	}
	fmt.Fprint(w, "\nAll take --data DIR, --json and --lang de|en; inselnetz COMMAND -h lists the rest.\n"+
		"The handbook is in the page of the running node, under Help, and at /handbook/en.html and /handbook/de.html there.\n")
}

func versionCommand(e *env) func(context.Context) error {
	return func(context.Context) error {
		if e.json {
			return e.print(map[string]string{"version": version})
		}
		_, err := fmt.Fprintln(e.out, "inselnetz", version)
		return err
	}
}
