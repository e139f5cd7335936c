package doctor

import "strings"

// Names of interfaces, as systems and usual programs give them, in lower case.
var (
	virtualNames = []string{
		"docker", "br-", "veth", "virbr", "vboxnet", "vmnet", "lxc", "lxd", "incus", "cni", "podman", "cali", "flannel", "vnet", "bridge",
		"vethernet", "virtualbox", "vmware", "hyper-v", "awdl", "llw", "ap1", "anpi", "wsl",
	}
	vpnNames = []string{
		"tun", "tap", "wg", "ppp", "utun", "ipsec", "zt", "tailscale", "nordlynx", "proton", "mullvad", "cscotun", "gpd", "outline",
		"wireguard", "openvpn", "zerotier", "nordvpn", "fortinet", "fortissl", "cisco anyconnect", "globalprotect", "pangp", "sonicwall", "vpn",
	}
	wifiNames  = []string{"wlan", "wlp", "wlx", "wl", "wi-fi", "wifi", "ath"}
	wiredNames = []string{"eth", "enp", "eno", "ens", "enx", "em", "ethernet", "lan"}
)

// KindOf guesses what an interface is by its name: the system may know better.
func KindOf(name string) Kind {
	n := strings.ToLower(name)
	switch {
	case n == "lo" || n == "lo0" || strings.HasPrefix(n, "loopback"):
		return Loopback
	case begins(n, virtualNames):
		return Virtual
	case begins(n, vpnNames) || strings.Contains(n, "vpn"):
		return VPN
	case begins(n, wifiNames):
		return WiFi
	case begins(n, wiredNames):
		return Wired
	}
	return Plain
}

func begins(name string, list []string) bool {
	for _, p := range list {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	return false
}
