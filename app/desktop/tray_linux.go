package desktop

import "github.com/godbus/dbus/v5"

// trayPlace reports whether the desktop shows icons of programs: some have no
// place for them.
func trayPlace() bool {
	c, err := dbus.ConnectSessionBus()
	if err != nil {
		return false
	}
	defer c.Close()
	var has bool
	err = c.BusObject().Call("org.freedesktop.DBus.NameHasOwner", 0, "org.kde.StatusNotifierWatcher").Store(&has)
	return err == nil && has
}
