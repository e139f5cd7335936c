; The Windows installer. For all users (with firewall rules) where whoever starts
; it is an administrator, else for this user alone, without asking for one.
;   /S silent, /AllUsers, /CurrentUser, /D=FOLDER; uninstall.exe /S [/RemoveData]
; Defines: VERSION, NUMBERS (four of them), BIN (programs), ROOT (source), OUT.
Unicode true
Target amd64-unicode
!define MULTIUSER_EXECUTIONLEVEL Highest
!define MULTIUSER_MUI
!define MULTIUSER_INSTALLMODE_COMMANDLINE
!define MULTIUSER_USE_PROGRAMFILES64
!define MULTIUSER_INSTALLMODE_INSTDIR "Inselnetz"
!define MULTIUSER_INSTALLMODE_INSTDIR_REGISTRY_KEY "Software\Inselnetz"
!define MULTIUSER_INSTALLMODE_INSTDIR_REGISTRY_VALUENAME "Folder"
!define MULTIUSER_INSTALLMODE_DEFAULT_REGISTRY_KEY "Software\Inselnetz"
!define MULTIUSER_INSTALLMODE_DEFAULT_REGISTRY_VALUENAME "Mode"
!include "MultiUser.nsh"
!include "MUI2.nsh"
!include "LogicLib.nsh"
!include "FileFunc.nsh"
!include "WinVer.nsh"
!include "nsDialogs.nsh"

!define UNINSTALL "Software\Microsoft\Windows\CurrentVersion\Uninstall\Inselnetz"
!define WEBVIEW "EdgeUpdate\Clients\{F3017226-FE2A-4295-8BDF-00C3A9A7E4C5}"
!define WEBVIEWSETUP "MicrosoftEdgeWebView2RuntimeInstallerX64.exe"

Name "Inselnetz"
OutFile "${OUT}"
BrandingText "Inselnetz ${VERSION}"
SetCompressor /SOLID lzma
SetCompressorDictSize 64 ; two programs that are nearly the same
SetDateSave off          ; the same bytes at every build
ManifestDPIAware true
ShowInstDetails nevershow

!define MUI_ICON "${ROOT}/build/package/icons/inselnetz.ico"
!define MUI_UNICON "${ROOT}/build/package/icons/inselnetz.ico"
!define MUI_FINISHPAGE_RUN
!define MUI_FINISHPAGE_RUN_FUNCTION Start
!define MUI_FINISHPAGE_NOAUTOCLOSE

!insertmacro MUI_PAGE_WELCOME
!insertmacro MULTIUSER_PAGE_INSTALLMODE
!insertmacro MUI_PAGE_DIRECTORY
!insertmacro MUI_PAGE_INSTFILES
!insertmacro MUI_PAGE_FINISH
UninstPage custom un.AskData un.HearData
!insertmacro MUI_UNPAGE_INSTFILES
!insertmacro MUI_LANGUAGE "German"
!insertmacro MUI_LANGUAGE "English"
!include "texts.nsh"

VIProductVersion "${NUMBERS}"
VIFileVersion "${NUMBERS}"
!macro VersionInfo LANG ABOUT
  VIAddVersionKey /LANG=${LANG} "ProductName" "Inselnetz"
  VIAddVersionKey /LANG=${LANG} "CompanyName" "Inselnetz"
  VIAddVersionKey /LANG=${LANG} "FileDescription" "${ABOUT}"
  VIAddVersionKey /LANG=${LANG} "FileVersion" "${VERSION}"
  VIAddVersionKey /LANG=${LANG} "ProductVersion" "${VERSION}"
  VIAddVersionKey /LANG=${LANG} "LegalCopyright" "Apache-2.0"
!macroend
!insertmacro VersionInfo 1031 "Inselnetz einrichten"
!insertmacro VersionInfo 1033 "Inselnetz setup"

!ifdef SIGN ; the uninstaller is written while compiling, so it can be signed
  !uninstfinalize '${SIGN} "%1"' = 0
!endif

Var Chosen
Var RemoveData
Var Keep
Var Remove

Function .onInit
  ${IfNot} ${AtLeastWin10}
    MessageBox MB_OK|MB_ICONSTOP "$(OldWindows)" /SD IDOK
    SetErrorLevel 2
    Quit
  ${EndIf}
  StrCpy $Chosen $INSTDIR ; of /D; else empty
  !insertmacro MULTIUSER_INIT
  ${If} $Chosen != ""
    StrCpy $INSTDIR $Chosen
  ${EndIf}
FunctionEnd


; AskToQuit has the program that runs quit, as its icon would; $2 is then how often
; a quarter of a second is waited for it. A program of another user does not hear.
!macro AskToQuit
  StrCpy $2 0
  ${If} ${FileExists} "$INSTDIR\inselnetz-cli.exe"
    nsExec::Exec /TIMEOUT=20000 '"$INSTDIR\inselnetz-cli.exe" quit'
    Pop $0
    ${If} $0 == 0
      StrCpy $2 40
    ${EndIf}
  ${EndIf}
!macroend

; WaitUntilClosed asks until the program in FILE can be replaced.
!macro WaitUntilClosed FILE
  ${DoWhile} ${FileExists} "${FILE}"
    ClearErrors
    FileOpen $0 "${FILE}" a
    ${IfNot} ${Errors}
      FileClose $0
      ${ExitDo}
    ${EndIf}
    ${If} $2 > 0
      IntOp $2 $2 - 1
      Sleep 250
      ${Continue}
    ${EndIf}
    MessageBox MB_RETRYCANCEL|MB_ICONEXCLAMATION "$(StillRunning)" /SD IDCANCEL IDRETRY +3
      SetErrorLevel 3
      Quit
  ${Loop}
!macroend

Section "Inselnetz"
  !insertmacro AskToQuit
  !insertmacro WaitUntilClosed "$INSTDIR\inselnetz.exe"
  !insertmacro WaitUntilClosed "$INSTDIR\inselnetz-cli.exe"
  SetOutPath $INSTDIR
  File "/oname=inselnetz.exe" "${BIN}/inselnetz-window-windows-amd64.exe"
  File "/oname=inselnetz-cli.exe" "${BIN}/inselnetz-windows-amd64.exe"
  File "/oname=LICENSE.txt" "${ROOT}/LICENSE"
  File "${ROOT}/build/THIRD-PARTY-NOTICES.txt"
  WriteUninstaller "$INSTDIR\uninstall.exe"
  CreateShortcut "$SMPROGRAMS\Inselnetz.lnk" "$INSTDIR\inselnetz.exe"

  WriteRegStr SHCTX "Software\Inselnetz" "Folder" $INSTDIR
  WriteRegStr SHCTX "Software\Inselnetz" "Mode" $MultiUser.InstallMode
  WriteRegStr SHCTX "${UNINSTALL}" "DisplayName" "Inselnetz"
  WriteRegStr SHCTX "${UNINSTALL}" "DisplayVersion" "${VERSION}"
  WriteRegStr SHCTX "${UNINSTALL}" "DisplayIcon" "$INSTDIR\inselnetz.exe"
  WriteRegStr SHCTX "${UNINSTALL}" "Publisher" "Inselnetz"
  WriteRegStr SHCTX "${UNINSTALL}" "InstallLocation" $INSTDIR
  WriteRegStr SHCTX "${UNINSTALL}" "UninstallString" '"$INSTDIR\uninstall.exe" /$MultiUser.InstallMode'
  WriteRegStr SHCTX "${UNINSTALL}" "QuietUninstallString" '"$INSTDIR\uninstall.exe" /$MultiUser.InstallMode /S'
  WriteRegDWORD SHCTX "${UNINSTALL}" "NoModify" 1
  WriteRegDWORD SHCTX "${UNINSTALL}" "NoRepair" 1
  ${GetSize} "$INSTDIR" "/S=0K" $0 $1 $2
  WriteRegDWORD SHCTX "${UNINSTALL}" "EstimatedSize" $0

  ; After "--" nothing in a link is taken for a flag.
  WriteRegStr SHCTX "Software\Classes\inselnetz" "" "URL:Inselnetz"
  WriteRegStr SHCTX "Software\Classes\inselnetz" "URL Protocol" ""
  WriteRegStr SHCTX "Software\Classes\inselnetz\DefaultIcon" "" "$INSTDIR\inselnetz.exe,0"
  WriteRegStr SHCTX "Software\Classes\inselnetz\shell\open\command" "" '"$INSTDIR\inselnetz.exe" -- "%1"'

  ${If} $MultiUser.InstallMode == "AllUsers"
    Push "inselnetz.exe"
    Call Firewall
    Push "inselnetz-cli.exe"
    Call Firewall
  ${Else}
    DetailPrint "$(NoFirewall)"
  ${EndIf}
  Call WebView
SectionEnd

; Firewall lets a program be called from the office's network, not from public ones.
Function Firewall
  Pop $1
  nsExec::Exec 'netsh advfirewall firewall delete rule name="Inselnetz ($1)"'
  Pop $0
  nsExec::Exec 'netsh advfirewall firewall add rule name="Inselnetz ($1)" dir=in action=allow program="$INSTDIR\$1" profile=private,domain enable=yes'
  Pop $0
  ${If} $0 != 0
    DetailPrint "$(FirewallFailed)"
  ${EndIf}
FunctionEnd

; WebView looks for the part of Windows that shows the window. It never goes to
; the internet: the runtime's own installer may lie beside this one.
Function WebView
  Call FindWebView
  ${If} $0 != ""
    Return
  ${EndIf}
  ${If} ${FileExists} "$EXEDIR\${WEBVIEWSETUP}"
    DetailPrint "$(WebViewInstalling)"
    ExecWait '"$EXEDIR\${WEBVIEWSETUP}" /silent /install' $1
    Call FindWebView
    ${If} $0 != ""
      Return
    ${EndIf}
  ${EndIf}
  DetailPrint "$(WebViewMissing)"
  MessageBox MB_OK|MB_ICONINFORMATION "$(WebViewMissing)" /SD IDOK
FunctionEnd

; FindWebView puts the runtime's version into $0, empty where there is none.
Function FindWebView
  ReadRegStr $0 HKLM "SOFTWARE\WOW6432Node\Microsoft\${WEBVIEW}" "pv"
  ${If} $0 == ""
    ReadRegStr $0 HKLM "SOFTWARE\Microsoft\${WEBVIEW}" "pv"
  ${EndIf}
  ${If} $0 == ""
    ReadRegStr $0 HKCU "Software\Microsoft\${WEBVIEW}" "pv"
  ${EndIf}
  ${If} $0 == "0.0.0.0"
    StrCpy $0 ""
  ${EndIf}
FunctionEnd

; Start goes through the Explorer, so that the program has the user's rights and
; not the installer's.
Function Start
  Exec '"$WINDIR\explorer.exe" "$INSTDIR\inselnetz.exe"'
FunctionEnd

Function un.onInit
  !insertmacro MULTIUSER_UNINIT
  StrCpy $RemoveData 0
  ${GetParameters} $1
  ClearErrors
  ${GetOptions} $1 "/RemoveData" $0
  ${IfNot} ${Errors}
    StrCpy $RemoveData 1
  ${EndIf}
FunctionEnd

Function un.AskData
  !insertmacro MUI_HEADER_TEXT "$(DataTitle)" "$(DataSubtitle)"
  nsDialogs::Create 1018
  Pop $0
  ${NSD_CreateRadioButton} 0 0 100% 12u "$(DataKeep)"
  Pop $Keep
  ${NSD_CreateLabel} 12u 14u -12u 24u "$(DataKeepAbout)"
  Pop $0
  ${NSD_CreateRadioButton} 0 46u 100% 12u "$(DataRemove)"
  Pop $Remove
  ${NSD_CreateLabel} 12u 60u -12u 40u "$(DataRemoveAbout)"
  Pop $0
  ${If} $RemoveData == 1
    ${NSD_Check} $Remove
  ${Else}
    ${NSD_Check} $Keep
  ${EndIf}
  nsDialogs::Show
FunctionEnd

Function un.HearData
  ${NSD_GetState} $Remove $RemoveData
FunctionEnd

Section "Uninstall"
  !insertmacro AskToQuit
  !insertmacro WaitUntilClosed "$INSTDIR\inselnetz.exe"
  !insertmacro WaitUntilClosed "$INSTDIR\inselnetz-cli.exe"
  ${If} $MultiUser.InstallMode == "AllUsers"
    nsExec::Exec 'netsh advfirewall firewall delete rule name="Inselnetz (inselnetz.exe)"'
    Pop $0
    nsExec::Exec 'netsh advfirewall firewall delete rule name="Inselnetz (inselnetz-cli.exe)"'
    Pop $0
  ${EndIf}
  Delete "$INSTDIR\inselnetz.exe"
  Delete "$INSTDIR\inselnetz-cli.exe"
  Delete "$INSTDIR\LICENSE.txt"
  Delete "$INSTDIR\THIRD-PARTY-NOTICES.txt"
  Delete "$INSTDIR\uninstall.exe"
  RMDir "$INSTDIR"
  Delete "$SMPROGRAMS\Inselnetz.lnk"
  DeleteRegKey SHCTX "${UNINSTALL}"
  DeleteRegKey SHCTX "Software\Inselnetz"
  DeleteRegKey SHCTX "Software\Classes\inselnetz"
  ; What the program wrote itself: start at login, and who shows its notifications.
  DeleteRegValue HKCU "Software\Microsoft\Windows\CurrentVersion\Run" "Inselnetz"
  DeleteRegValue HKCU "Software\Microsoft\Windows\CurrentVersion\Explorer\StartupApproved\Run" "Inselnetz"
  DeleteRegKey HKCU "Software\Classes\AppUserModelId\Inselnetz"
  DeleteRegKey HKCU "Software\Classes\CLSID\{6C1B7D5E-2F0B-4E4C-9A1D-5B6B0F3E7A21}"
  ${If} $RemoveData == 1
    SetShellVarContext current ; data are the user's, also where the program is everybody's
    RMDir /r "$LOCALAPPDATA\Inselnetz\Daten"
    RMDir "$LOCALAPPDATA\Inselnetz"
    RMDir /r "$APPDATA\Inselnetz\Stand"
    RMDir "$APPDATA\Inselnetz"
    RMDir /r "$APPDATA\inselnetz.exe" ; what the webview keeps
  ${EndIf}
SectionEnd
