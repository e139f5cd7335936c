package api

// steps say how to have one system trust this device's authority, and how to
// undo it. The names of menus are those of the systems in late 2026.
func (l language) steps() []WebSteps {
	if l == english {
		return stepsEN
	}
	return stepsDE
}

var stepsDE = []WebSteps{
	{
		Platform: "iPhone und iPad",
		Lines: []string{
			"Diese Seite in Safari öffnen und „Profil für iPhone und iPad“ laden.",
			"Einstellungen öffnen: Oben steht „Profil geladen“. Antippen, „Installieren“.",
			"Einstellungen, Allgemein, Info, ganz unten „Zertifikatsvertrauenseinstellungen“: den Schalter bei „Inselnetz“ einschalten.",
		},
		Undo: "Einstellungen, Allgemein, „VPN und Geräteverwaltung“, Inselnetz, „Profil entfernen“.",
	},
	{
		Platform: "Android",
		Lines: []string{
			"Das Zertifikat laden.",
			"Einstellungen öffnen und nach „CA-Zertifikat“ suchen (Sicherheit, Verschlüsselung und Anmeldedaten, Zertifikat installieren).",
			"Die Warnung lesen, „Trotzdem installieren“, die geladene Datei inselnetz.crt wählen.",
		},
		Undo: "Einstellungen, „Vertrauenswürdige Anmeldedaten“, Reiter „Nutzer“, Inselnetz, „Entfernen“.",
	},
	{
		Platform: "Windows (Edge, Chrome)",
		Lines: []string{
			"Das Zertifikat laden und die Datei inselnetz.crt öffnen, „Zertifikat installieren“.",
			"„Aktueller Benutzer“, „Alle Zertifikate in folgendem Speicher speichern“, „Vertrauenswürdige Stammzertifizierungsstellen“.",
			"Windows zeigt den Fingerabdruck (SHA-1): vergleichen, dann „Ja“. Den Browser neu starten.",
		},
		Undo: "Programm certmgr.msc öffnen, „Vertrauenswürdige Stammzertifizierungsstellen“, Zertifikate, Inselnetz, „Löschen“.",
	},
	{
		Platform: "Mac (Safari, Chrome)",
		Lines: []string{
			"Das Zertifikat laden und die Datei inselnetz.crt öffnen; sie kommt in den Schlüsselbund „Anmeldung“.",
			"In der Schlüsselbundverwaltung doppelt darauf klicken, „Vertrauen“ aufklappen.",
			"Bei „Secure Sockets Layer (SSL)“ „Immer vertrauen“ wählen, schließen, Passwort eingeben.",
		},
		Undo: "In der Schlüsselbundverwaltung das Zertifikat löschen.",
	},
	{
		Platform: "Firefox (alle Systeme)",
		Lines: []string{
			"Das Zertifikat laden.",
			"Einstellungen, „Datenschutz & Sicherheit“, „Zertifikate anzeigen“, Reiter „Zertifizierungsstellen“, „Importieren“.",
			"Die Datei inselnetz.crt wählen und „Dieser CA vertrauen, um Websites zu identifizieren“ ankreuzen.",
		},
		Undo: "An derselben Stelle Inselnetz wählen, „Löschen oder Vertrauen entziehen“.",
	},
}

var stepsEN = []WebSteps{
	{
		Platform: "iPhone and iPad",
		Lines: []string{
			"Open this page in Safari and download \"Profile for iPhone and iPad\".",
			"Open Settings: at the top it says \"Profile Downloaded\". Tap it, \"Install\".",
			"Settings, General, About, at the very end \"Certificate Trust Settings\": switch on \"Inselnetz\".",
		},
		Undo: "Settings, General, \"VPN & Device Management\", Inselnetz, \"Remove Profile\".",
	},
	{
		Platform: "Android",
		Lines: []string{
			"Download the certificate.",
			"Open Settings and search for \"CA certificate\" (Security, Encryption & credentials, Install a certificate).",
			"Read the warning, \"Install anyway\", choose the downloaded file inselnetz.crt.",
		},
		Undo: "Settings, \"Trusted credentials\", tab \"User\", Inselnetz, \"Remove\".",
	},
	{
		Platform: "Windows (Edge, Chrome)",
		Lines: []string{
			"Download the certificate and open the file inselnetz.crt, \"Install Certificate\".",
			"\"Current User\", \"Place all certificates in the following store\", \"Trusted Root Certification Authorities\".",
			"Windows shows the fingerprint (SHA-1): compare it, then \"Yes\". Restart the browser.",
		},
		Undo: "Open the program certmgr.msc, \"Trusted Root Certification Authorities\", Certificates, Inselnetz, \"Delete\".",
	},
	{
		Platform: "Mac (Safari, Chrome)",
		Lines: []string{
			"Download the certificate and open the file inselnetz.crt; it goes to the keychain \"login\".",
			"In Keychain Access double-click it and open \"Trust\".",
			"At \"Secure Sockets Layer (SSL)\" choose \"Always Trust\", close, enter your password.",
		},
		Undo: "Delete the certificate in Keychain Access.",
	},
	{
		Platform: "Firefox (all systems)",
		Lines: []string{
			"Download the certificate.",
			"Settings, \"Privacy & Security\", \"View Certificates\", tab \"Authorities\", \"Import\".",
			"Choose the file inselnetz.crt and tick \"Trust this CA to identify websites\".",
		},
		Undo: "At the same place choose Inselnetz, \"Delete or Distrust\".",
	},
}
