package doctor

import (
	"context"
	"net/netip"
	"os/exec"
)

// agesNeighbours: arp does not say how old an answer is.
const agesNeighbours = false

func quietly(*exec.Cmd) {}

func kindOf(name string) Kind { return KindOf(name) }

func gateways(ctx context.Context) []netip.Addr {
	return bsdRoutes(output(ctx, "/usr/sbin/netstat", "-rn", "-f", "inet"))
}

// Neighbours asks arp; nil if it does not answer.
func Neighbours(ctx context.Context) []Neighbour {
	return bsdNeighbours(output(ctx, "/usr/sbin/arp", "-an"))
}

func firewall(ctx context.Context, _ []int) Firewall {
	return Firewall{Name: "macOS", State: macFirewall(output(ctx, "/usr/libexec/ApplicationFirewall/socketfilterfw", "--getglobalstate"))}
}
