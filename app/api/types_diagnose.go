package api

// DiagnoseAsk is the request of "diagnose": look at the network of this computer,
// and why this device is not seen. It takes up to 15 seconds when nobody answers.
type DiagnoseAsk struct {
	Device string `json:"device"` // id; empty: none in particular
}

// Diagnosis is the result of "diagnose".
type Diagnosis struct {
	Device   string    `json:"device"` // id; empty: none in particular
	Name     string    `json:"name"`   // of the device
	At       int64     `json:"at"`
	Findings []Finding `json:"findings"` // what was asked about first, then what matters most
	Text     string    `json:"text"`     // all of it and the addresses, for whoever helps; of the office the names of devices alone
}

// Finding is one thing that was looked at.
type Finding struct {
	Code     string `json:"code"`
	Level    string `json:"level"` // "ok", "info", "warn", "danger"; "unknown": it could not be looked at
	Sentence string `json:"sentence"`
	Next     string `json:"next"` // what to do or what it means; may be empty
}
