package desktop

// trayPlace is true: every Windows has one.
func trayPlace() bool { return true }
