package desktop

import (
	"context"
	"time"

	"github.com/godbus/dbus/v5"
)

// meteredTime bounds a question to the system.
const meteredTime = 2 * time.Second

// Metered says whether the connection of this computer is paid by volume, as
// NetworkManager has it: "yes", "no" or "unknown". What NetworkManager guesses, as
// of a phone's hotspot, counts.
func Metered() string {
	ctx, cancel := context.WithTimeout(context.Background(), meteredTime)
	defer cancel()
	conn, err := dbus.ConnectSystemBus(dbus.WithContext(ctx))
	if err != nil {
		return "unknown"
	}
	defer conn.Close()
	var said dbus.Variant
	err = conn.Object("org.freedesktop.NetworkManager", "/org/freedesktop/NetworkManager").
		CallWithContext(ctx, "org.freedesktop.DBus.Properties.Get", dbus.FlagNoAutoStart, "org.freedesktop.NetworkManager", "Metered").Store(&said)
	if err != nil {
		return "unknown"
	}
	switch said.Value() {
	case uint32(1), uint32(3): // yes, guessed yes
		return "yes"
	case uint32(2), uint32(4): // no, guessed no
		return "no"
	}
	return "unknown"
}
