//go:build !automergego

package oracle

import "testing"

// binding is automerge-go, which this build does not have.
func binding(testing.TB) *node { return nil }
