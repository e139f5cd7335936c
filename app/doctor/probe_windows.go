package doctor

import (
	"context"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

// agesNeighbours: Windows is asked once; its states take half a minute to change.
const agesNeighbours = false

const createNoWindow = 0x08000000

func quietly(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{HideWindow: true, CreationFlags: createNoWindow}
}

func kindOf(name string) Kind { return KindOf(name) }

func gateways(ctx context.Context) []netip.Addr {
	return windowsRoutes(output(ctx, system("route.exe"), "print", "-4"))
}

// Neighbours asks netsh; nil if it does not answer.
func Neighbours(ctx context.Context) []Neighbour {
	return windowsNeighbours(output(ctx, system("netsh.exe"), "interface", "ipv4", "show", "neighbors"))
}

// policy holds the firewall's settings; anybody may read them.
const policy = `HKLM\SYSTEM\CurrentControlSet\Services\SharedAccess\Parameters\FirewallPolicy`

func firewall(ctx context.Context, _ []int) Firewall {
	on := map[string]bool{}
	for name, key := range map[string]string{"Public": "PublicProfile", "Private": "StandardProfile", "Domain": "DomainProfile"} {
		if v, known := windowsSwitch(output(ctx, system("reg.exe"), "query", policy+`\`+key, "/v", "EnableFirewall")); known {
			on[name] = v
		}
	}
	profiles := windowsProfiles(output(ctx, system(`WindowsPowerShell\v1.0\powershell.exe`), "-NoProfile", "-NonInteractive", "-Command",
		`Get-NetConnectionProfile | ForEach-Object { $_.InterfaceAlias + '|' + $_.NetworkCategory }`))
	self, err := os.Executable()
	if err != nil {
		return Firewall{Name: "Windows"}
	}
	return windowsFirewall(profiles, on, windowsRules(output(ctx, system("reg.exe"), "query", policy+`\FirewallRules`), filepath.Base(self)))
}

// system is a program of Windows by its full path: not whatever lies in the way.
func system(name string) string {
	return filepath.Join(os.Getenv("SystemRoot"), "System32", name)
}
