package api

// webPhrases word what goes wrong with the page on the network.
var webPhrases = map[string]phrase{
	"here-only": {
		"Das geht nur an dem Computer selbst, auf dem Inselnetz läuft.", "This works only at the computer itself that Inselnetz runs on.",
		"Von einem verbundenen Handy aus lässt sich lesen und schreiben; wer dazugehört und was auf dem Computer liegt, wird dort entschieden.", "From a connected phone you can read and write; who belongs and what lies on the computer is decided there.",
	},
	"web-no-session": {
		"Dieses Gerät ist nicht verbunden.", "This device is not connected.",
		"Wählen Sie am Computer „Handy verbinden“ und geben Sie hier den Code ein.", "Choose \"Connect a phone\" at the computer and enter the code here.",
	},
	"web-sessions-full": {
		"Es sind schon %d Browser verbunden. Mehr gehen nicht.", "%d browsers are connected already. There can be no more.",
		"Trennen Sie am Computer einen, den niemand mehr braucht.", "Disconnect one at the computer that nobody needs any more.",
	},
	"web-pair-slow": {
		"Zu viele falsche Codes.", "Too many wrong codes.",
		"Warten Sie eine Minute.", "Wait a minute.",
	},
	"web-pair-none": {
		"Gerade gilt kein Code. Jeder gilt fünf Minuten und für ein Gerät.", "No code is valid just now. Each holds for five minutes and for one device.",
		"Wählen Sie am Computer „Handy verbinden“ für einen neuen.", "Choose \"Connect a phone\" at the computer for a new one.",
	},
	"web-pair-wrong": {
		"Der Code stimmt nicht.", "The code is wrong.",
		"Lesen Sie ihn noch einmal vom Computer ab.", "Read it from the computer again.",
	},
	"web-off": {
		"Die Seite für Handys läuft gerade nicht.", "The page for phones is not running just now.",
		"Schalten Sie sie zuerst ein.", "Switch it on first.",
	},
	"web-fixed": {
		"Ob die Seite für Handys läuft, ist beim Start des Programms festgelegt (--https).", "Whether the page for phones runs was set when the program was started (--https).",
		"Starten Sie das Programm ohne diese Angabe.", "Start the program without that option.",
	},
	"web-port": {
		"Die Seite für Handys kann nicht starten: %v", "The page for phones cannot start: %v",
		"Es wird weiter versucht. Vielleicht nutzt ein anderes Programm den Anschluss.", "It is tried again. Another program may be using the port.",
	},
	"web-certificate": {
		"Das Zertifikat für die Seite für Handys kann nicht ausgestellt werden: %v", "The certificate of the page for phones cannot be issued: %v",
		"Es wird weiter versucht.", "It is tried again.",
	},
	"web-damaged": {
		"Der Schlüssel des eigenen Ausstellers ist beschädigt.", "The key of the device's own issuer is damaged.",
		"Wählen Sie „Neuen Aussteller anlegen“. Handys müssen danach neu verbunden werden.", "Choose \"Make a new issuer\". Phones must be connected anew after that.",
	},
	"web-authority-over": {
		"Der eigene Aussteller ist abgelaufen, oder die Uhr dieses Computers geht falsch.", "The device's own issuer has expired, or this computer's clock is wrong.",
		"Prüfen Sie die Uhr. Stimmt sie, wählen Sie „Neuen Aussteller anlegen“.", "Check the clock. If it is right, choose \"Make a new issuer\".",
	},
	"web-cert-large": {
		"Die Datei ist zu groß für ein Zertifikat: höchstens 64 KB.", "The file is too large for a certificate: at most 64 KB.",
		"Wählen Sie die Datei mit dem Zertifikat und seiner Kette.", "Choose the file with the certificate and its chain.",
	},
	"web-cert-none": {
		"Darin ist kein Zertifikat in PEM-Form („-----BEGIN CERTIFICATE-----“).", "There is no certificate in PEM form in it (\"-----BEGIN CERTIFICATE-----\").",
		"Fragen Sie, wer das Zertifikat ausgestellt hat, nach der PEM-Datei mit der ganzen Kette.", "Ask whoever issued it for the PEM file with the whole chain.",
	},
	"web-cert-pkcs12": {
		"Das ist eine PKCS#12-Datei (.pfx, .p12). Gebraucht wird PEM.", "This is a PKCS#12 file (.pfx, .p12). PEM is needed.",
		"Umwandeln: openssl pkcs12 -in datei.pfx -nodes -out datei.pem", "Convert it: openssl pkcs12 -in file.pfx -nodes -out file.pem",
	},
	"web-cert-no-key": {
		"Der private Schlüssel fehlt oder ist nicht lesbar.", "The private key is missing or cannot be read.",
		"Er beginnt mit „-----BEGIN PRIVATE KEY-----“.", "It begins with \"-----BEGIN PRIVATE KEY-----\".",
	},
	"web-cert-locked": {
		"Der private Schlüssel ist mit einem Passwort verschlossen.", "The private key is locked with a password.",
		"Öffnen: openssl pkey -in schluessel.pem -out offen.pem. Hier wird er wieder verschlossen abgelegt.", "Unlock it: openssl pkey -in key.pem -out open.pem. Here it is stored sealed again.",
	},
	"web-cert-other": {
		"Der private Schlüssel gehört zu einem anderen Zertifikat.", "The private key belongs to another certificate.",
		"Wählen Sie den Schlüssel, mit dem dieses Zertifikat beantragt wurde.", "Choose the key this certificate was requested with.",
	},
	"web-cert-weak": {
		"Diesen Schlüssel nehmen Browser nicht an. Es geht RSA ab 2048 Bit und ECDSA mit P-256 oder P-384.", "Browsers do not take this key. RSA from 2048 bits and ECDSA with P-256 or P-384 work.",
		"Beantragen Sie das Zertifikat mit einem solchen Schlüssel neu.", "Request the certificate anew with such a key.",
	},
	"web-cert-early": {
		"Das Zertifikat gilt noch nicht.", "The certificate is not valid yet.",
		"Prüfen Sie die Uhr dieses Computers.", "Check this computer's clock.",
	},
	"web-cert-over": {
		"Das Zertifikat ist abgelaufen.", "The certificate has expired.",
		"Nehmen Sie das neue.", "Use the new one.",
	},
	"web-cert-no-names": {
		"Im Zertifikat steht kein Name, unter dem die Seite erreichbar wäre (Subject Alternative Name).", "The certificate has no name the page could be reached by (subject alternative name).",
		"Beantragen Sie eines mit dem Namen dieses Geräts.", "Request one with this device's name.",
	},
	"web-cert-no-server": {
		"Das Zertifikat ist nicht für Webseiten ausgestellt.", "The certificate was not issued for web pages.",
		"Gebraucht wird eines für Server (TLS Web Server Authentication).", "One for servers is needed (TLS Web Server Authentication).",
	},
	"web-cert-chain": {
		"Die Kette passt nicht zusammen: Jedes Zertifikat muss vom nächsten unterschrieben sein.", "The chain does not fit together: each certificate must be signed by the next.",
		"Zuerst das Zertifikat des Geräts, dann die Zwischenzertifikate der Reihe nach.", "First the device's certificate, then the intermediate ones in order.",
	},
	"web-cert-authority": {
		"Das erste Zertifikat ist das einer Zertifizierungsstelle, nicht das eines Geräts.", "The first certificate is an authority's, not a device's.",
		"Zuerst das Zertifikat des Geräts, dann die Zwischenzertifikate der Reihe nach.", "First the device's certificate, then the intermediate ones in order.",
	},
}
