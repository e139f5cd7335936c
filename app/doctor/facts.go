// Package doctor works out why a device does not see another: facts in, findings
// out. What it cannot know it does not claim.
package doctor

import (
	"net/netip"
	"time"
)

// Facts are what was looked at.
type Facts struct {
	Now    time.Time
	Up     time.Duration // since this program started
	System System
	Net    Net
	Others int   // other devices of the office
	Here   int   // of them, connected now
	Peers  []Met // those connected now
	Peer   *Peer // the device in question; nil: none in particular
}

// A System is what the operating system says.
type System struct {
	Interfaces []Interface // nil: could not look
	Out        string      // interface that leads outside; empty if none does
	Gateways   []netip.Addr
	Neighbours []Neighbour // nil: could not look
	Firewall   Firewall
}

// A Kind is what an interface is.
type Kind int

// Kinds. Plain is a network interface of which no more is known.
const (
	Plain Kind = iota
	Wired
	WiFi
	VPN     // leads elsewhere
	Virtual // of virtual machines and containers on this computer
	Loopback
)

// An Interface is a network interface of this computer.
type Interface struct {
	Name  string
	Kind  Kind
	Up    bool // switched on, and with a cable or a Wi-Fi
	Addrs []netip.Prefix
}

// A Neighbour is an address of the local network that was looked for lately.
type Neighbour struct {
	Addr  netip.Addr
	State NeighbourState
}

// A NeighbourState says whether somebody has an address.
type NeighbourState int

// States of neighbours.
const (
	Unsure   NeighbourState = iota // known from before
	Asked                          // just now, and no answer yet
	Answered                       // a moment ago
	Silent                         // nobody says to have it
)

// A Firewall is the state of this computer's own firewall.
type Firewall struct {
	Name  string // "ufw", "firewalld", "nftables", "Windows", "macOS"; empty: none was found
	State FirewallState
}

// A FirewallState is what can be said of a firewall without an administrator.
type FirewallState int

// States of firewalls.
const (
	NotLooked FirewallState = iota // could not look
	Off
	Open    // lets the program's ports in
	Closed  // on, and nothing lets the program in
	Guarded // on; its rules could not be read
	Public  // Windows: rules hold, but not in a network taken for public
)

// A Net is what the transport knows.
type Net struct {
	Known      bool // false: there is no real network, and nothing below is said
	Loopback   bool // talks within this computer alone
	Port       int
	WantedPort int
	BeaconPort int
	Deaf       bool // the beacon port is another program's
	Interfaces []Used
	Heard      time.Time     // the last beacon of another device; zero: none since the start
	Echo       time.Time     // the last own beacon that came back; zero: none
	Every      time.Duration // between beacons of one device
}

// Used is an interface that beacons leave by.
type Used struct {
	Name   string
	Addrs  []netip.Prefix
	Failed bool // the last packet could not be sent
}

// Met is a device connected now.
type Met struct {
	Name  string
	Clock time.Duration // its clock minus ours
}

// A Peer is the device in question.
type Peer struct {
	Name    string
	Self    bool
	Removed bool
	Here    bool
	Via     string // device that relays; empty: directly
	Clock   time.Duration
	Version string // of its program, as it said; empty: not known
	Own     string // version of this program
	Seen    time.Time
	Heard   time.Time // its last beacon since the start
	Left    bool      // it said goodbye
	Tries   []Try
}

// A Try is one address of the device, tried just now.
type Try struct {
	Addr   netip.AddrPort // zero with NoName
	Name   string         // with its port, if it was found by a name
	Result Result
}

// A Result is what became of a try.
type Result string

// Results.
const (
	Answers     Result = "answers"
	Other       Result = "other"   // another device
	Foreign     Result = "foreign" // another program
	Refused     Result = "refused"
	Timeout     Result = "timeout"
	Unreachable Result = "unreachable"
	NoRoute     Result = "no-route"
	NoName      Result = "no-name" // nobody knows the address of the name
	Failed      Result = "failed"
)

// Levels of findings.
const (
	LevelOK      = "ok"
	LevelInfo    = "info"
	LevelUnknown = "unknown" // could not look
	LevelWarn    = "warn"
	LevelDanger  = "danger"
)

// A Finding is one thing to say. Each Code has its sentence in app/api; Args fill
// it.
type Finding struct {
	Code  string
	Level string
	Args  []any
}

// Codes are all codes there are, for whoever words them.
var Codes = []string{
	"self", "removed", "here", "via", "answers", "refused", "firewall-there", "off", "timeout", "afar", "other-part", "no-name",
	"no-route", "another", "foreign", "failed", "no-address", "heard-only", "goodbye", "long", "never",
	"clock-ahead", "clock-behind", "older", "newer",
	"none", "self-assigned", "several", "network", "loopback", "virtual", "vpn",
	"port", "port-taken", "deaf", "send",
	"heard", "early", "echo-missing", "isolated", "isolated-wifi", "silence",
	"fw-off", "fw-open", "fw-closed", "fw-guarded", "fw-public", "fw-unknown",
	"all-here", "some-here", "nobody-here", "alone", "clocks",
}
