// Package meshtest holds the tests every Transport must pass, and Holdings in
// memory to run a Mesh on.
package meshtest

import (
	"testing"

	"inselnetz/mesh"
)

// A Case is one test on two transports that can reach each other. It closes
// neither.
type Case struct {
	Name string
	Run  func(t *testing.T, a, b mesh.Transport)
}

// Transport runs TransportCases, each on two new transports. A transport that
// lives in a synctest bubble runs the cases itself, because a bubble has no
// subtests.
func Transport(t *testing.T, open func(t *testing.T) (a, b mesh.Transport)) {
	for _, c := range TransportCases() {
		t.Run(c.Name, func(t *testing.T) {
			a, b := open(t)
			c.Run(t, a, b)
		})
	}
}

// TransportCases returns what every Transport must do.
func TransportCases() []Case { return nil }
