; What the installer says beyond NSIS's own texts.
!macro Text NAME GERMAN ENGLISH
  LangString ${NAME} ${LANG_GERMAN} "${GERMAN}"
  LangString ${NAME} ${LANG_ENGLISH} "${ENGLISH}"
!macroend

!insertmacro Text OldWindows \
  "Inselnetz braucht Windows 10 oder neuer." \
  "Inselnetz needs Windows 10 or newer."
!insertmacro Text StillRunning \
  "Inselnetz läuft noch. Bitte beenden Sie es und versuchen Sie es noch einmal." \
  "Inselnetz is still running. Please quit it and try again."
!insertmacro Text NoFirewall \
  "Ohne Administrator gibt es keine Firewall-Regel. Fragt Windows beim ersten Start, erlauben Sie private Netzwerke. Dieser PC erreicht die anderen auch so." \
  "Without an administrator there is no firewall rule. If Windows asks at the first start, allow private networks. This PC reaches the others all the same."
!insertmacro Text FirewallFailed \
  "Die Firewall-Regel konnte nicht angelegt werden. Erlauben Sie Inselnetz in den Firewall-Einstellungen für private Netzwerke." \
  "The firewall rule could not be made. Allow Inselnetz for private networks in the firewall's settings."
!insertmacro Text WebViewInstalling \
  "Microsoft Edge WebView2 wird eingerichtet" \
  "Installing Microsoft Edge WebView2"
!insertmacro Text WebViewMissing \
  "Auf diesem PC fehlt „Microsoft Edge WebView2“; ohne es gibt es kein Fenster.$\r$\n$\r$\nSo geht es ohne Internet an diesem PC: Laden Sie an einem anderen PC von developer.microsoft.com/microsoft-edge/webview2 den „Evergreen Standalone Installer“ (x64), legen Sie ${WEBVIEWSETUP} neben dieses Programm und starten Sie es noch einmal.$\r$\n$\r$\nBis dahin zeigt der Browser dieselbe Seite: inselnetz-cli.exe serve nennt ihre Adresse." \
  "“Microsoft Edge WebView2” is missing on this PC; without it there is no window.$\r$\n$\r$\nWithout internet on this PC: on another one, download the “Evergreen Standalone Installer” (x64) from developer.microsoft.com/microsoft-edge/webview2, put ${WEBVIEWSETUP} beside this program and start it again.$\r$\n$\r$\nUntil then a browser shows the same page: inselnetz-cli.exe serve says its address."
!insertmacro Text DataTitle \
  "Ihre Daten" \
  "Your data"
!insertmacro Text DataSubtitle \
  "Was soll mit den Daten von Inselnetz auf diesem PC geschehen?" \
  "What shall happen to the data of Inselnetz on this PC?"
!insertmacro Text DataKeep \
  "Behalten" \
  "Keep them"
!insertmacro Text DataKeepAbout \
  "Wird Inselnetz wieder eingerichtet, ist alles noch da." \
  "When Inselnetz is installed again, all is still there."
!insertmacro Text DataRemove \
  "Von diesem PC entfernen" \
  "Remove them from this PC"
!insertmacro Text DataRemoveAbout \
  "Nachrichten, frühere Stände und Schlüssel des angemeldeten Benutzers. Dieser PC muss dann neu eingelassen werden. Ihre Dateien im Ordner „Inselnetz“ bleiben in jedem Fall." \
  "Messages, earlier versions and keys of the user who is logged in. This PC then has to be let in anew. Your files in the folder “Inselnetz” stay in any case."
