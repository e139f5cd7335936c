package api

// Each call is in one of these two lists; a call in neither is refused from the
// network. A paired browser reads and writes as the person of this device. What
// concerns this computer itself, or would outlive the end of the session (access
// of people, recovery, further sessions), is for who sits at the computer: a
// phone gets lost more easily.

// fromPhones are the calls of paired browsers.
var fromPhones = set(
	"status", "people", "channels", "channel/create", "messages", "replies", "post", "edit", "retract", "react", "read", "search",
	"spaces", "direct", "late", "erase", "recovery", "audit", "doctor", "diagnose",
	"files/folders", "files/list", "files/info", "files/trash", "files/conflicts", "files/moments", "files/mkdir", "files/rename",
	"files/remove", "files/restore", "files/rewind", "files/resolve", "files/hold",
	"documents", "document", "document/create", "document/set", "document/write", "document/history", "document/restore",
	"document/export", "document/templates", "document/copy", "document/search", "document/state", "document/import",
	"document/comments", "document/comment", "document/open", "document/sync", "document/check", "document/close",
	"home", "home/seen", "setup", "phones", "web/here", "web/leave",
)

// hereOnly are the calls for this computer alone, with the reason.
var hereOnly = map[string]string{
	"page":             "gives entry to this computer's own page",
	"places":           "shows how this network is reached from outside",
	"places/own":       "says where this computer is reached",
	"places/of":        "says where this computer dials",
	"found":            "decides what this device belongs to",
	"doors":            "belongs to joining",
	"join":             "decides what this device belongs to",
	"join/state":       "belongs to joining",
	"join/confirm":     "decides what this device belongs to",
	"join/cancel":      "decides what this device belongs to",
	"invite/open":      "lets people in",
	"invite/state":     "shows the link of an invitation",
	"invite/type":      "lets people in",
	"invite/close":     "lets people in",
	"space/create":     "decides who may read",
	"space/change":     "decides who may read",
	"person/role":      "changes what people may do",
	"person/leaving":   "belongs to removing",
	"person/remove":    "removes people",
	"late/adopt":       "takes over work in one's own name",
	"kit":              "shows the words of the recovery sheet",
	"kit/confirm":      "belongs to the recovery sheet",
	"recovery/lost":    "belongs to recovery",
	"recovery/propose": "changes who decides",
	"recovery/approve": "changes who decides",
	"files/folder":     "chooses what lies on this computer",
	"files/skip":       "chooses what lies on this computer",
	"files/fetch":      "spends what this computer's connection costs",
	"metered":          "tells of this computer's connection",
	"metered/set":      "spends what this computer's connection costs",
	"files/open":       "starts programs of this computer",
	"phone/set":        "lets a device read a folder",
	"phone/remove":     "belongs to the devices that read a folder",
	"setup/go":         "sets the office up",
	"setup/kind":       "sets the office up",
	"setup/device":     "chooses what lies on this computer",
	"stick":            "carries entries of this computer out",
	"stick/stop":       "belongs to files for a stick",
	"web":              "lists sessions",
	"web/set":          "switches the page on the network",
	"web/pair":         "begins sessions",
	"web/pair/close":   "begins sessions",
	"web/cut":          "ends sessions of others",
	"web/company":      "takes a private key",
	"web/company/drop": "changes what browsers are shown",
	"web/renew":        "changes what browsers trust",
	"desktop":          "belongs to this computer's desktop",
	"desktop/set":      "belongs to this computer's desktop",
	"desktop/show":     "belongs to this computer's desktop",
	"desktop/wanted":   "belongs to this computer's desktop",
	"desktop/focus":    "belongs to this computer's desktop",
	"desktop/quit":     "ends the program",
}

func set(names ...string) map[string]bool {
	out := map[string]bool{}
	for _, n := range names {
		out[n] = true
	}
	return out
}
