package api

// findingPhrases has an entry for every code of the doctor; a test holds it to that.
// What a device is called comes first among the values of those about a device.
var findingPhrases = map[string]phrase{
	// About the device in question.
	"self": {
		"%s ist dieser Computer.", "%s is this computer.", "", "",
	},
	"removed": {
		"%s wurde aus dem Büro entfernt.", "%s was removed from the office.",
		"Soll es wieder dazugehören, laden Sie es neu ein.", "If it is to belong to it again, invite it anew.",
	},
	"here": {
		"%s ist da.", "%s is here.", "", "",
	},
	"via": {
		"%s ist da, über %s.", "%s is here, via %s.",
		"Direkt erreichen sich die beiden Computer nicht. Es geht trotzdem alles, solange %[2]s an ist.", "The two computers do not reach each other directly. Everything works all the same while %[2]s is on.",
	},
	"answers": {
		"%s antwortet gerade wieder.", "%s is answering again just now.",
		"Es sollte gleich da sein. Bleibt es so, starten Sie Inselnetz an beiden Computern neu, und prüfen Sie, ob beide dieselbe Fassung haben.", "It should be here in a moment. If it stays so, restart Inselnetz on both computers, and see whether both have the same version.",
	},
	"refused": {
		"Wo %s zuletzt war, ist ein Computer an, aber Inselnetz läuft dort nicht.", "Where %s was last, a computer is on, but Inselnetz is not running there.",
		"Starten Sie Inselnetz an diesem Computer.", "Start Inselnetz on that computer.",
	},
	"firewall-there": {
		"%s ist an, lässt aber keine Verbindung herein. Meist ist es die Firewall dort.", "%s is on but lets no connection in. Usually it is the firewall there.",
		"Erlauben Sie Inselnetz in der Firewall von %s. Unter Windows muss das Netz dort „privat“ sein, nicht „öffentlich“.", "Allow Inselnetz in the firewall of %s. On Windows the network there has to be \"private\", not \"public\".",
	},
	"off": {
		"Wo %s zuletzt war, ist jetzt kein Computer.", "Where %s was last, there is no computer now.",
		"Ist er an und wach, mit Kabel oder im selben WLAN?", "Is it on and awake, with a cable or in the same Wi-Fi?",
	},
	"timeout": {
		"%s antwortet nicht. Ob es aus ist oder eine Firewall sperrt, lässt sich von hier aus nicht sagen.", "%s does not answer. Whether it is off or a firewall blocks cannot be told from here.",
		"Ist der Computer an und wach? Dann sehen Sie dort nach der Firewall.", "Is the computer on and awake? Then look at the firewall there.",
	},
	"other-part": {
		"%s war zuletzt in einem anderen Teil des Netzes und antwortet von hier aus nicht.", "%s was last in another part of the network and does not answer from here.",
		"Bringen Sie beide ins selbe Netz, zum Beispiel beide ins normale WLAN. Oder lassen Sie ein Gerät an, das in beiden Teilen ist.", "Bring both into the same network, for example both into the normal Wi-Fi. Or keep a device on that is in both parts.",
	},
	"afar": {
		"%s antwortet nicht unter seiner Adresse im Internet.", "%s does not answer at its address on the internet.",
		"Ist das Gerät dort an, und das Internet auf beiden Seiten da? Dann muss der Router dort den Port weiterleiten, TCP und UDP.", "Is the device there on, and the internet there on both sides? Then the router there has to forward the port, TCP and UDP.",
	},
	"no-name": {
		"%s soll unter %s zu erreichen sein, aber dieser Name ist gerade nicht zu finden.", "%s is said to be reached at %s, but this name cannot be found just now.",
		"Ist das Internet da? Dann sehen Sie nach, ob der Name richtig geschrieben ist.", "Is the internet there? Then see whether the name is spelled correctly.",
	},
	"no-route": {
		"Von diesem Computer führt kein Netz dorthin, wo %s zuletzt war.", "No network leads from this computer to where %s was last.",
		"Verbinden Sie diesen Computer mit demselben Netz.", "Connect this computer to the same network.",
	},
	"another": {
		"Wo %s zuletzt war, ist jetzt ein anderes Gerät mit Inselnetz.", "Where %s was last, there is now another device with Inselnetz.",
		"Ist %s an und im selben Netz, finden sich beide von allein.", "If %s is on and in the same network, the two find each other.",
	},
	"foreign": {
		"Wo %s zuletzt war, antwortet ein anderes Programm.", "Where %s was last, another program answers.",
		"Ist %s an und im selben Netz? Starten Sie Inselnetz dort.", "Is %s on and in the same network? Start Inselnetz there.",
	},
	"failed": {
		"%s ließ sich nicht erreichen. Warum, lässt sich von hier aus nicht sagen.", "%s could not be reached. Why cannot be told from here.",
		"Ist der Computer an und im selben Netz? Starten Sie Inselnetz dort neu.", "Is the computer on and in the same network? Restart Inselnetz there.",
	},
	"no-address": {
		"Wo %s im Netz ist, weiß dieser Computer noch nicht.", "This computer does not know yet where %s is in the network.",
		"Starten Sie Inselnetz dort, im selben Netz wie hier.", "Start Inselnetz there, in the same network as here.",
	},
	"heard-only": {
		"%s meldet sich im Netz, sagt aber nicht, wo es zu erreichen ist.", "%s is heard in the network but does not say where to reach it.",
		"Warten Sie eine Minute. Bleibt es so, starten Sie Inselnetz dort neu.", "Wait for a minute. If it stays so, restart Inselnetz there.",
	},
	"goodbye": {
		"%s hat sich zuletzt abgemeldet: Inselnetz wurde dort beendet oder der Computer heruntergefahren.", "%s signed off last: Inselnetz was stopped there, or the computer was shut down.", "", "",
	},
	"long": {
		"%s war seit %d Tagen nicht da.", "%s has not been here for %d days.",
		"Gibt es den Computer nicht mehr, entfernen Sie ihn: Menschen, Geräte.", "If the computer is no more, remove it: People, Devices.",
	},
	"never": {
		"%s wurde von hier aus noch nie gesehen.", "%s has never been seen from here.", "", "",
	},
	"older": {
		"%s hat eine ältere Fassung von Inselnetz: %s.", "%s has an older version of Inselnetz: %s.",
		"Bringen Sie es dort auf den Stand von hier: %[3]s.", "Bring it to the version of here: %[3]s.",
	},
	"newer": {
		"%s hat eine neuere Fassung von Inselnetz: %s.", "%s has a newer version of Inselnetz: %s.",
		"Bringen Sie diesen Computer auf denselben Stand; hier läuft %[3]s.", "Bring this computer to the same version; here it is %[3]s.",
	},
	"clock-ahead": {
		"Die Uhr von %s geht %s vor, oder die von diesem Computer nach.", "The clock of %s is %s ahead, or this computer's is behind.",
		"Stellen Sie Datum und Uhrzeit an dem Computer, der falsch geht.", "Set date and time on the computer that is wrong.",
	},
	"clock-behind": {
		"Die Uhr von %s geht %s nach, oder die von diesem Computer vor.", "The clock of %s is %s behind, or this computer's is ahead.",
		"Stellen Sie Datum und Uhrzeit an dem Computer, der falsch geht.", "Set date and time on the computer that is wrong.",
	},

	// About who is here.
	"all-here": {
		"Alle anderen Geräte sind da: %d.", "All other devices are here: %d.", "", "",
	},
	"some-here": {
		"%d von %d anderen Geräten sind da.", "%d of %d other devices are here.",
		"Warum eines fehlt, steht bei den Geräten unter „Warum nicht da?“.", "Why one is missing is told with the devices, under \"Why not here?\".",
	},
	"nobody-here": {
		"Keines der anderen Geräte ist da: %d fehlen.", "None of the other devices is here: %d are missing.", "", "",
	},
	"alone": {
		"Zu diesem Büro gehört noch kein anderes Gerät.", "No other device belongs to this office yet.",
		"Laden Sie eines ein: Menschen, Einladen.", "Invite one: People, Invite.",
	},
	"clocks": {
		"Die Uhren stimmen überein.", "The clocks agree.", "", "",
	},

	// About this computer.
	"none": {
		"Dieser Computer ist mit keinem Netz verbunden.", "This computer is not connected to any network.",
		"Stecken Sie das Kabel ein, oder schalten Sie das WLAN an.", "Plug in the cable, or switch on the Wi-Fi.",
	},
	"self-assigned": {
		"Dieser Computer hat sich selbst eine Adresse gegeben: Niemand im Netz verteilt welche.", "This computer gave itself an address: nobody in the network hands any out.",
		"Inselnetz geht auch so. Soll es ins Internet, sehen Sie nach dem Router.", "Inselnetz works like that too. For the internet, look at the router.",
	},
	"several": {
		"Dieser Computer ist in mehreren Netzen: %s.", "This computer is in several networks: %s.",
		"Inselnetz nutzt alle. Andere müssen in einem davon sein.", "Inselnetz uses all of them. Others have to be in one of them.",
	},
	"network": {
		"Dieser Computer ist mit dem Netz verbunden (%s).", "This computer is connected to the network (%s).", "", "",
	},
	"loopback": {
		"Inselnetz spricht hier nur innerhalb dieses Computers: Es wurde zum Ausprobieren so gestartet.", "Inselnetz talks within this computer only: it was started like that for trying.", "", "",
	},
	"virtual": {
		"Netze von virtuellen Computern auf diesem PC stören nicht: %s.", "Networks of virtual computers on this PC do no harm: %s.", "", "",
	},
	"vpn": {
		"Ein VPN ist verbunden (%s). Manche VPN sperren das Netz im Büro.", "A VPN is connected (%s). Some VPNs block the office network.",
		"Trennen Sie das VPN zur Probe, oder erlauben Sie darin das lokale Netz.", "Disconnect the VPN to see, or allow the local network in it.",
	},
	"port": {
		"Andere erreichen diesen Computer über Port %d.", "Others reach this computer over port %d.", "", "",
	},
	"port-taken": {
		"Port %d ist von einem anderen Programm belegt. Inselnetz nutzt Port %d.", "Port %d is taken by another program. Inselnetz uses port %d.",
		"Andere erfahren das von allein. Eine Firewall muss den anderen Port erlauben.", "Others learn that by themselves. A firewall has to allow the other port.",
	},
	"deaf": {
		"Ein anderes Programm belegt Port %d. So hört dieser Computer nicht, wer im Netz ist.", "Another program has taken port %d. So this computer does not hear who is in the network.",
		"Beenden Sie das andere Programm, oder starten Sie Inselnetz nur einmal.", "Stop the other program, or start Inselnetz only once.",
	},
	"send": {
		"Über diese Verbindung lässt sich nichts senden: %s.", "Nothing can be sent over this connection: %s.",
		"Trennen und verbinden Sie sie neu. Sehen Sie nach der Firewall dieses Computers.", "Disconnect and connect it again. Look at the firewall of this computer.",
	},
	"heard": {
		"Andere Geräte melden sich im Netz.", "Other devices are heard in the network.", "", "",
	},
	"early": {
		"Inselnetz läuft hier erst seit ein paar Sekunden.", "Inselnetz has been running here for a few seconds only.",
		"Warten Sie eine Minute, und prüfen Sie noch einmal.", "Wait for a minute and check again.",
	},
	"echo-missing": {
		"Dieser Computer hört nicht einmal sich selbst im Netz. Meist sperrt ein Schutzprogramm oder seine Firewall.", "This computer does not even hear itself in the network. Usually security software or its firewall blocks.",
		"Erlauben Sie Inselnetz im Schutzprogramm und in der Firewall dieses Computers.", "Allow Inselnetz in the security software and the firewall of this computer.",
	},
	"isolated": {
		"Das Netz antwortet, aber kein anderes Gerät meldet sich. Vielleicht sind alle aus; vielleicht trennt das Netz Geräte voneinander.", "The network answers, but no other device is heard. Perhaps all are off; perhaps the network separates devices.",
		"Ist ein anderes Gerät an und im selben Netz? Dann sehen Sie im Router nach, ob er Geräte trennt.", "Is another device on and in the same network? Then see in the router whether it separates devices.",
	},
	"isolated-wifi": {
		"Das WLAN antwortet, aber kein anderes Gerät meldet sich. Vielleicht sind alle aus; oder das WLAN trennt Geräte voneinander. Meist ist es dann das Gastnetz.", "The Wi-Fi answers, but no other device is heard. Perhaps all are off; or the Wi-Fi separates devices. Then it usually is the guest Wi-Fi.",
		"Nehmen Sie das normale WLAN oder ein Kabel.", "Use the normal Wi-Fi or a cable.",
	},
	"silence": {
		"Kein anderes Gerät meldet sich im Netz.", "No other device is heard in the network.",
		"Ist ein anderes Gerät an, mit Inselnetz und im selben Netz?", "Is another device on, with Inselnetz and in the same network?",
	},
	"fw-off": {
		"Keine Firewall auf diesem Computer sperrt.", "No firewall on this computer blocks.", "", "",
	},
	"fw-open": {
		"Die Firewall dieses Computers (%s) lässt Inselnetz herein.", "The firewall of this computer (%s) lets Inselnetz in.", "", "",
	},
	"fw-closed": {
		"Die Firewall dieses Computers (%s) lässt Inselnetz nicht herein.", "The firewall of this computer (%s) does not let Inselnetz in.",
		"Erlauben Sie darin Inselnetz: Port %[2]d (TCP und UDP) und Port %[3]d (UDP), nur im eigenen Netz.", "Allow Inselnetz in it: port %[2]d (TCP and UDP) and port %[3]d (UDP), in your own network only.",
	},
	"fw-guarded": {
		"Auf diesem Computer ist eine Firewall an (%s). Ob sie Inselnetz hereinlässt, ließ sich nicht sehen.", "A firewall is on on this computer (%s). Whether it lets Inselnetz in could not be seen.",
		"Sehen Sie nach, ob Port %[2]d (TCP und UDP) und Port %[3]d (UDP) im eigenen Netz erlaubt sind.", "See whether port %[2]d (TCP and UDP) and port %[3]d (UDP) are allowed in your own network.",
	},
	"fw-public": {
		"Windows hält dieses Netz für „öffentlich“ und lässt Inselnetz darin nicht herein.", "Windows takes this network for \"public\" and does not let Inselnetz in there.",
		"Ändern Sie es auf „privat“: Einstellungen, Netzwerk und Internet, Eigenschaften des Netzes.", "Change it to \"private\": Settings, Network & internet, properties of the network.",
	},
	"fw-unknown": {
		"Ob eine Firewall auf diesem Computer sperrt, ließ sich ohne Administrator nicht sehen.", "Whether a firewall on this computer blocks could not be seen without an administrator.", "", "",
	},
}
