package doctor

import (
	"context"
	"encoding/binary"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// agesNeighbours: the system says how old an answer of a neighbour is.
const agesNeighbours = true

func quietly(*exec.Cmd) {}

func read(path string) string {
	raw, err := os.ReadFile(path)
	if err != nil || len(raw) > maxOutput {
		return ""
	}
	return string(raw)
}

func gateways(context.Context) []netip.Addr { return procRoutes(read("/proc/net/route")) }

// kindOf asks /sys, which knows better than the name.
func kindOf(name string) Kind {
	dir := filepath.Join("/sys/class/net", filepath.Base(name))
	there := func(file string) bool {
		_, err := os.Stat(filepath.Join(dir, file))
		return err == nil
	}
	uevent := read(filepath.Join(dir, "uevent"))
	switch {
	case there("wireless"), strings.Contains(uevent, "DEVTYPE=wlan"):
		return WiFi
	case there("tun_flags"), strings.Contains(uevent, "DEVTYPE=wireguard"), strings.TrimSpace(read(filepath.Join(dir, "type"))) == "512": // ARPHRD_PPP
		return VPN
	}
	return KindOf(name)
}

// firewall reads what a user may: ufw says in a file whether it is on, firewalld
// answers questions, nftables only to root.
func firewall(ctx context.Context, ports []int) Firewall {
	if on, known := ufwEnabled(read("/etc/ufw/ufw.conf")); known && on {
		return Firewall{Name: "ufw", State: Guarded}
	}
	if strings.TrimSpace(output(ctx, "firewall-cmd", "--state")) == "running" {
		f := Firewall{Name: "firewalld", State: Open}
		for _, p := range ports {
			if strings.TrimSpace(output(ctx, "firewall-cmd", "--query-port="+strconv.Itoa(p)+"/udp")) != "yes" {
				f.State = Guarded // a service may name it
			}
		}
		return f
	}
	rules := output(ctx, "nft", "list", "ruleset")
	switch drops, accepts := nftDrops(rules, ports...); {
	case drops && accepts:
		return Firewall{Name: "nftables", State: Open}
	case drops:
		return Firewall{Name: "nftables", State: Guarded}
	case rules != "" || os.Geteuid() == 0 && haveNft():
		return Firewall{Name: "nftables", State: Off}
	}
	return Firewall{}
}

func haveNft() bool {
	_, err := exec.LookPath("nft")
	return err == nil
}

// Of the kernel's answers about neighbours (linux/neighbour.h).
const (
	nudIncomplete = 0x01
	nudReachable  = 0x02
	nudFailed     = 0x20
	ndaDst        = 1
	ndaCacheinfo  = 3
	ndmLen        = 12
	userHz        = 100
	lately        = 5 * time.Second // an answer not older counts as one of this moment
)

// Neighbours asks the kernel which addresses answered; nil if it does not say.
func Neighbours(context.Context) []Neighbour {
	raw, err := syscall.NetlinkRIB(syscall.RTM_GETNEIGH, syscall.AF_UNSPEC)
	if err != nil {
		return nil
	}
	messages, err := syscall.ParseNetlinkMessage(raw)
	if err != nil {
		return nil
	}
	out := []Neighbour{}
	for _, m := range messages {
		if m.Header.Type == syscall.RTM_NEWNEIGH {
			if n, ok := kernelNeighbour(m.Data); ok {
				out = append(out, n)
			}
		}
	}
	return out
}

// kernelNeighbour reads one ndmsg with its attributes.
func kernelNeighbour(b []byte) (n Neighbour, ok bool) {
	if len(b) < ndmLen {
		return n, false
	}
	state := binary.NativeEndian.Uint16(b[8:])
	confirmed := time.Hour
	for b = b[ndmLen:]; len(b) >= 4; {
		size := int(binary.NativeEndian.Uint16(b))
		if size < 4 || size > len(b) {
			return n, false
		}
		switch value := b[4:size]; binary.NativeEndian.Uint16(b[2:]) {
		case ndaDst:
			n.Addr, ok = netip.AddrFromSlice(value)
		case ndaCacheinfo:
			if len(value) >= 4 {
				confirmed = time.Duration(binary.NativeEndian.Uint32(value)) * time.Second / userHz
			}
		}
		b = b[min(len(b), (size+3)&^3):]
	}
	switch {
	case state&nudFailed != 0:
		n.State = Silent
	case state&nudIncomplete != 0:
		n.State = Asked
	case state&nudReachable != 0, confirmed < lately:
		n.State = Answered
	}
	return n, ok && !n.Addr.IsMulticast()
}
