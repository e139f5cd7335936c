package api

// Web is the result of "web" and of the calls that change it: this device's page
// for browsers of the local network.
type Web struct {
	On        bool          `json:"on"`    // it shall be served
	Fixed     bool          `json:"fixed"` // as the program was started; "web/set" changes nothing
	Running   bool          `json:"running"`
	Problem   *Error        `json:"problem"`   // why it is not running, or not as it should be
	Addresses []string      `json:"addresses"` // of the page, "https://…/", the best one first
	Welcome   string        `json:"welcome"`   // of the welcome page, "http://…/"; empty: none
	Authority *WebAuthority `json:"authority"` // the device's own; null before it first ran
	Company   *WebCompany   `json:"company"`   // null: none
	Sessions  []WebSession  `json:"sessions"`  // paired browsers, the latest used first
	Most      int           `json:"most"`      // of them
	Pairing   int64         `json:"pairing"`   // a code to pair holds until then; 0: none
	Steps     []WebSteps    `json:"steps"`     // how to trust the authority
}

// WebAuthority is the device's own certificate authority.
type WebAuthority struct {
	Name         string   `json:"name"`
	Fingerprint  string   `json:"fingerprint"`  // SHA-256
	Fingerprint1 string   `json:"fingerprint1"` // SHA-1, as the dialog of Windows shows
	Leaf         string   `json:"leaf"`         // SHA-256 of the page's own certificate; empty: none yet
	Names        []string `json:"names"`        // all it may speak for
	Ranges       []string `json:"ranges"`
	Until        int64    `json:"until"`
	Lacks        []string `json:"lacks"` // names of the device it may not speak for: a new authority would
}

// WebCompany is a certificate that was brought.
type WebCompany struct {
	Names       []string `json:"names"`
	Issuer      string   `json:"issuer"`
	Fingerprint string   `json:"fingerprint"`
	Until       int64    `json:"until"`
	Used        bool     `json:"used"` // it is valid now; else the own one stands in
}

// WebSession is a paired browser.
type WebSession struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Created int64  `json:"created"`
	Used    int64  `json:"used"` // last
	Addr    string `json:"address"`
}

// WebSteps say how to make one system trust the authority, and how to undo it.
type WebSteps struct {
	Platform string   `json:"platform"`
	Lines    []string `json:"lines"`
	Undo     string   `json:"undo"`
}

// WebSet is the request of "web/set".
type WebSet struct {
	On bool `json:"on"`
}

// WebPair is the result of "web/pair": a code that lets one browser in, once.
type WebPair struct {
	Code     string   `json:"code"`
	Link     string   `json:"link"` // with the code behind the #, which no server or log sees
	QR       []string `json:"qr"`   // Link as rows of 0 and 1, without a margin
	Deadline int64    `json:"deadline"`
}

// WebCut is the request of "web/cut".
type WebCut struct {
	ID string `json:"id"` // WebSession.ID
}

// WebBring is the request of "web/company": texts in PEM form.
type WebBring struct {
	Chain string `json:"chain"` // the host's certificate first
	Key   string `json:"key"`   // empty: it is in Chain
}

// WebClaim is the request of "web/claim", which needs no session: it begins one.
type WebClaim struct {
	Code string `json:"code"`
	Name string `json:"name"` // of the browser's device
}

// WebHere is the result of "web/here" and "web/claim": who this page acts as.
type WebHere struct {
	Paired bool   `json:"paired"` // by a session over the network; else this is the computer itself
	Name   string `json:"name"`   // of the session
	Person string `json:"person"` // in whose name everything is written
	Device string `json:"device"` // over which everything goes
}
