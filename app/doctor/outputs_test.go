package doctor

import (
	"net/netip"
	"reflect"
	"testing"
)

const (
	recordedRoutes = `Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT
wlp2s0	00000000	0101A8C0	0003	0	0	600	00000000	0	0	0
wlp2s0	0001A8C0	00000000	0001	0	0	600	00FFFFFF	0	0	0
`
	recordedWindowsRoutes = `===========================================================================
Schnittstellenliste
 12...00 11 22 33 44 55 ......Intel(R) Ethernet Connection
===========================================================================
IPv4-Routentabelle
Aktive Routen:
     Netzwerkziel    Netzwerkmaske          Gateway    Schnittstelle Metrik
          0.0.0.0          0.0.0.0      192.168.1.1      192.168.1.7     25
        127.0.0.0        255.0.0.0   Auf Verbindung         127.0.0.1    331
`
	recordedNetsh = `Schnittstelle 12: Ethernet

Internetadresse                               Physikalische Adresse  Typ
--------------------------------------------  -----------------  -----------
192.168.1.1                                   aa-bb-cc-dd-ee-ff  Erreichbar
192.168.1.9                                   00-00-00-00-00-00  Nicht erreichbar
192.168.1.20                                  aa-bb-cc-dd-ee-01  Abgelaufen
224.0.0.22                                    01-00-5e-00-00-16  Permanent
`
	recordedRules = `HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\SharedAccess\Parameters\FirewallPolicy\FirewallRules
    {A1}    REG_SZ    v2.31|Action=Allow|Active=TRUE|Dir=In|Protocol=17|Profile=Private|Profile=Domain|App=C:\Program Files\Inselnetz\inselnetz.exe|Name=Inselnetz|
    {A2}    REG_SZ    v2.31|Action=Block|Active=TRUE|Dir=In|Protocol=6|Profile=Public|App=C:\Program Files\Inselnetz\inselnetz.exe|Name=Inselnetz|
    {A3}    REG_SZ    v2.31|Action=Allow|Active=FALSE|Dir=In|Profile=Public|App=C:\Program Files\Inselnetz\inselnetz.exe|Name=off|
    {A4}    REG_SZ    v2.31|Action=Allow|Active=TRUE|Dir=Out|App=C:\Program Files\Inselnetz\inselnetz.exe|Name=out|
    {A5}    REG_SZ    v2.31|Action=Allow|Active=TRUE|Dir=In|App=C:\Windows\other.exe|Name=uses inselnetz.exe|
`
	recordedSwitch = `
HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\SharedAccess\Parameters\FirewallPolicy\PublicProfile
    EnableFirewall    REG_DWORD    0x1
`
	recordedArp = `? (192.168.1.1) at aa:bb:cc:dd:ee:ff on en0 ifscope [ethernet]
? (192.168.1.9) at (incomplete) on en0 ifscope [ethernet]
? (224.0.0.251) at 1:0:5e:0:0:fb on en0 ifscope permanent [ethernet]
`
	recordedNetstat = `Routing tables

Internet:
Destination        Gateway            Flags               Netif Expire
default            192.168.1.1        UGScg                 en0
default            link#18            UCSIg             bridge100      !
127                127.0.0.1          UCS                   lo0
`
	recordedNft = `table inet filter {
	chain input {
		type filter hook input priority filter; policy drop;
		ct state established,related accept
		udp dport { 21960, 21961 } accept
	}
	chain forward {
		type filter hook forward priority filter; policy drop;
	}
}
`
)

var gateway = []netip.Addr{netip.MustParseAddr("192.168.1.1")}

func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func TestOutputs(t *testing.T) {
	a, b, c := gateway[0], netip.MustParseAddr("192.168.1.9"), netip.MustParseAddr("192.168.1.20")
	same(t, "/proc/net/route", procRoutes(recordedRoutes), gateway)
	same(t, "route print", windowsRoutes(recordedWindowsRoutes), gateway)
	same(t, "netstat", bsdRoutes(recordedNetstat), gateway)
	same(t, "netsh", windowsNeighbours(recordedNetsh), []Neighbour{{a, Answered}, {b, Silent}, {c, Unsure}})
	same(t, "netsh, English", windowsNeighbours("192.168.1.1  aa-bb-cc-dd-ee-ff  Reachable (Router)\n192.168.1.9  Unreachable  Unreachable"), []Neighbour{{a, Answered}, {b, Silent}})
	same(t, "arp", bsdNeighbours(recordedArp), []Neighbour{{a, Unsure}, {b, Silent}})
	same(t, "rules", windowsRules(recordedRules, "inselnetz.exe"), []fwRule{{true, "Private|Domain"}, {false, "Public"}})
	on, known := windowsSwitch(recordedSwitch)
	same(t, "switch", []bool{on, known}, []bool{true, true})
	on, known = ufwEnabled("# comment\nENABLED=yes\nLOGLEVEL=low\n")
	same(t, "ufw", []bool{on, known}, []bool{true, true})
	on, known = ufwEnabled("LOGLEVEL=low\n")
	same(t, "ufw without a word", []bool{on, known}, []bool{false, false})
	drops, accepts := nftDrops(recordedNft, 21960, 21961)
	same(t, "nft", []bool{drops, accepts}, []bool{true, true})
	drops, accepts = nftDrops(recordedNft, 4711)
	same(t, "nft, another port", []bool{drops, accepts}, []bool{true, false})
	drops, _ = nftDrops("table ip nat {\n chain out {\n type nat hook output priority 0; policy accept;\n drop\n }\n}")
	same(t, "nft, what goes out", drops, false)
	same(t, "macOS on", macFirewall("Firewall is enabled. (State = 1)"), Guarded)
	same(t, "macOS off", macFirewall("Firewall is disabled. (State = 0)"), Off)
	same(t, "macOS silent", macFirewall(""), NotLooked)
	same(t, "profiles", windowsProfiles("WLAN|Private\r\nEthernet|Public\r\nx|Öffentlich\r\n"), []profile{{"WLAN", "Private"}, {"Ethernet", "Public"}})
}

func TestWindowsFirewall(t *testing.T) {
	all := map[string]bool{"Public": true, "Private": true, "Domain": true}
	private := []fwRule{{true, "Private"}}
	for name, tt := range map[string]struct {
		profiles []profile
		on       map[string]bool
		rules    []fwRule
		want     FirewallState
	}{
		"nothing known":                {nil, all, private, NotLooked},
		"switches unknown":             {[]profile{{"WLAN", "Private"}}, nil, private, NotLooked},
		"private, with our rule":       {[]profile{{"WLAN", "Private"}}, all, private, Open},
		"public, rule for private":     {[]profile{{"WLAN", "Public"}}, all, private, Public},
		"public, blocked by a click":   {[]profile{{"WLAN", "Public"}}, all, []fwRule{{false, "Public"}}, Closed},
		"no rule":                      {[]profile{{"Ethernet", "DomainAuthenticated"}}, all, nil, Closed},
		"rule for all":                 {[]profile{{"Ethernet", "DomainAuthenticated"}}, all, []fwRule{{true, ""}}, Open},
		"allowed and blocked":          {[]profile{{"WLAN", "Private"}}, all, []fwRule{{true, ""}, {false, "Private"}}, Closed},
		"switched off":                 {[]profile{{"WLAN", "Private"}}, map[string]bool{"Private": false}, nil, Off},
		"the worst counts":             {[]profile{{"WLAN", "Public"}, {"Ethernet", "Private"}}, all, private, Public},
		"virtual ones do not":          {[]profile{{"vEthernet (WSL)", "Public"}, {"Ethernet", "Private"}}, all, private, Open},
		"one switch could not be read": {[]profile{{"WLAN", "Private"}}, map[string]bool{"Public": true}, private, Guarded},
	} {
		if got := windowsFirewall(tt.profiles, tt.on, tt.rules); got.State != tt.want || got.Name != "Windows" {
			t.Errorf("%s: %v, want %d", name, got, tt.want)
		}
	}
}

// FuzzOutputs: whatever a system prints, nothing falls over, and no address comes
// out that nobody could have.
func FuzzOutputs(f *testing.F) {
	for _, s := range []string{
		recordedRoutes, recordedWindowsRoutes, recordedNetsh, recordedRules, recordedSwitch, recordedArp, recordedNetstat, recordedNft,
		"ENABLED=\"no\"", "WLAN|Public", "(", "default x", "0.0.0.0 0.0.0.0 :: x",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, a := range append(append(procRoutes(s), windowsRoutes(s)...), bsdRoutes(s)...) {
			if !a.Is4() {
				t.Errorf("gateway %v", a)
			}
		}
		for _, n := range append(windowsNeighbours(s), bsdNeighbours(s)...) {
			if !n.Addr.IsValid() || n.Addr.IsMulticast() {
				t.Errorf("neighbour %v", n)
			}
		}
		if on, known := ufwEnabled(s); on && !known {
			t.Error("on, and not known")
		}
		if on, known := windowsSwitch(s); on && !known {
			t.Error("on, and not known")
		}
		nftDrops(s, 21960)
		macFirewall(s)
		windowsFirewall(windowsProfiles(s), map[string]bool{"Public": true}, windowsRules(s, "inselnetz.exe"))
	})
}
