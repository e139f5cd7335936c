package desktop

import (
	"os"
	"sync/atomic"
	"testing"

	"github.com/godbus/dbus/v5"
)

// A manager is NetworkManager in a test: its property Metered.
type manager struct{ metered atomic.Pointer[dbus.Variant] }

func (m *manager) Get(iface, name string) (dbus.Variant, *dbus.Error) {
	if iface != "org.freedesktop.NetworkManager" || name != "Metered" {
		return dbus.Variant{}, dbus.NewError("org.freedesktop.DBus.Error.UnknownProperty", nil)
	}
	return *m.metered.Load(), nil
}

func TestMetered(t *testing.T) {
	c := bus(t)
	t.Setenv("DBUS_SYSTEM_BUS_ADDRESS", os.Getenv("DBUS_SESSION_BUS_ADDRESS"))
	if got := Metered(); got != "unknown" {
		t.Errorf("without NetworkManager: %s", got)
	}
	m := &manager{}
	if err := c.Export(m, "/org/freedesktop/NetworkManager", "org.freedesktop.DBus.Properties"); err != nil {
		t.Fatal(err)
	}
	own(t, c, "org.freedesktop.NetworkManager")
	for value, want := range map[any]string{
		uint32(0): "unknown", uint32(1): "yes", uint32(2): "no", uint32(3): "yes", uint32(4): "no", uint32(99): "unknown", "yes": "unknown",
	} {
		said := dbus.MakeVariant(value)
		m.metered.Store(&said)
		if got := Metered(); got != want {
			t.Errorf("%v: %s, want %s", value, got, want)
		}
	}
	t.Setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nowhere/bus")
	if got := Metered(); got != "unknown" {
		t.Errorf("without a bus: %s", got)
	}
}
