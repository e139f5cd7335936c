package api

// Places is the result of "places", "places/own" and "places/of": the ways between
// the network of this computer and others, for a second office.
type Places struct {
	Port    int      `json:"port"`    // of this computer, TCP and UDP; 0 unknown
	Near    []string `json:"near"`    // addresses of this computer in its own network: where a router has to forward to
	Outside []string `json:"outside"` // where this computer is reached from outside, as someone typed
	Devices []Place  `json:"devices"` // others with an address typed or told, by name
}

// Place says how another device is reached from outside its network.
type Place struct {
	Person string   `json:"person"` // name
	Device Device   `json:"device"`
	Typed  []string `json:"typed"` // on this computer
	Told   []string `json:"told"`  // by that device or by others
}

// PlacesOwn is the request of "places/own": where this computer is reached from
// outside.
type PlacesOwn struct {
	Addresses []string `json:"addresses"` // "host" or "host:port", at most 4; empty: nowhere
}

// PlacesOf is the request of "places/of": where another device is reached.
type PlacesOf struct {
	Device    string   `json:"device"`
	Addresses []string `json:"addresses"` // as in PlacesOwn
}
