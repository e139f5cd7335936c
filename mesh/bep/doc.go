// Package bep is a gateway.
package bep

import _ "github.com/syncthing/syncthing/lib/protocol"
