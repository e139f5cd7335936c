package api

import (
	"fmt"
	"strings"
	"time"

	"inselnetz/crdt/access"
	"inselnetz/crdt/chat"
)

// roleName is a role as people say it.
func (l language) roleName(r access.Role) string {
	switch r {
	case access.Owner:
		return l.pick("Inhaber", "owner")
	case access.Admin:
		return l.pick("verwaltet", "manages")
	case access.Member:
		return l.pick("Mitglied", "member")
	case access.Guest:
		return l.pick("Gast", "guest")
	case access.Carrier:
		return l.pick("nur Ablage", "storage only")
	}
	return "?"
}

func (l language) levelName(v access.Level) string {
	switch v {
	case access.Manage:
		return l.pick("verwaltet", "manages")
	case access.Write:
		return l.pick("schreibt", "writes")
	case access.Read:
		return l.pick("liest", "reads")
	}
	return "?"
}

// sentence says what an operation of the control space was.
func (s *Server) sentence(show *shower, st *access.State, r access.Record) string {
	l := show.lang
	device := access.ShowName(r.Name)
	if d, ok := st.Known(r.Device); ok {
		device = fmt.Sprintf("%s (%s)", access.ShowName(d.Card.Name), show.name(chat.PersonID(d.Person)))
	}
	space := s.ws.SpaceTitle(st, r.Space)
	if _, ok := st.Spaces[r.Space]; !ok {
		space = l.pick("Alle", "Everyone")
	} else if space == "" {
		space = l.pick("ein Bereich, den Sie nicht sehen", "a space you do not see")
	}
	switch r.Act {
	case "genesis":
		return l.pick("hat das Büro gegründet", "founded the office")
	case "admit":
		return fmt.Sprintf(l.pick("hat %s eingelassen: %s", "let %s in: %s"), device, l.roleName(r.Role))
	case "raise", "lower":
		return fmt.Sprintf(l.pick("hat die Rolle von %s geändert: %s", "changed the role of %s: %s"), device, l.roleName(r.Role))
	case "revoke":
		return fmt.Sprintf(l.pick("hat %s entfernt", "removed %s"), device)
	case "cut":
		return fmt.Sprintf(l.pick("hat festgelegt, bis wohin die Einträge von %s gelten", "set how far the entries of %s count"), device)
	case "propose":
		return l.pick("hat den Vertretungen etwas vorgeschlagen", "proposed something to the deputies")
	case "approve":
		return l.pick("hat einem Vorschlag zugestimmt", "approved a proposal")
	case "space":
		return fmt.Sprintf(l.pick("hat den Bereich angelegt: %s", "began the space: %s"), space)
	case "direct":
		return fmt.Sprintf(l.pick("hat direkte Nachrichten begonnen: %s", "began direct messages: %s"), space)
	case "members":
		return fmt.Sprintf(l.pick("hat den Bereich geändert: %s%s", "changed the space: %s%s"), space, show.members(r))
	case "key":
		return fmt.Sprintf(l.pick("hat den Schlüssel erneuert: %s", "renewed the key: %s"), space)
	case "wraps":
		return fmt.Sprintf(l.pick("hat Schlüssel weitergegeben: %s", "handed on keys: %s"), space)
	case "ask":
		return l.pick("hat um fehlende Schlüssel gebeten", "asked for missing keys")
	case "erase":
		return fmt.Sprintf(l.pick("hat endgültig gelöscht: %d Einträge in %s", "erased for good: %d entries in %s"), r.Erased, space)
	case "until":
		if r.Until == 0 {
			return fmt.Sprintf(l.pick("hat das Ende des Zugangs aufgehoben: %s", "lifted the end of access: %s"), device)
		}
		return fmt.Sprintf(l.pick("hat den Zugang befristet: %s bis %s", "limited access: %s until %s"), device, time.UnixMilli(r.Until).Format("02.01.2006"))
	case "facts":
		if r.Stays {
			return l.pick("hat gemeldet, dass es an bleibt, und ob die Festplatte verschlüsselt ist", "said that it stays on, and whether its disk is encrypted")
		}
		return l.pick("hat gemeldet, ob die Festplatte verschlüsselt ist", "said whether its disk is encrypted")
	case "policy":
		return l.pick("hat das Wiederherstellungs-Blatt eingeführt", "introduced the recovery sheet")
	}
	return l.pick("hat etwas geschrieben, das dieses Programm nicht kennt", "wrote something this program does not know")
}

// members says who came and left.
func (sh *shower) members(r access.Record) string {
	var parts []string
	for _, m := range r.Set {
		parts = append(parts, fmt.Sprintf("%s %s", sh.name(chat.PersonID(m.Person)), sh.lang.levelName(m.Level)))
	}
	for _, p := range r.Left {
		parts = append(parts, fmt.Sprintf(sh.lang.pick("%s ist nicht mehr dabei", "%s is out"), sh.name(chat.PersonID(p))))
	}
	if len(parts) == 0 {
		return ""
	}
	return " (" + strings.Join(parts, ", ") + ")"
}

// why says why an operation does not count.
func (l language) why(r access.Record) string {
	if r.Counts {
		return ""
	}
	switch r.Why {
	case access.WhyMalformed:
		return l.pick("unlesbar", "unreadable")
	case access.WhyUnknown:
		return l.pick("von einer neueren Fassung", "of a newer version")
	case access.WhyOutsider:
		return l.pick("war nicht dabei oder wusste es noch nicht", "was not in, or did not know it yet")
	case access.WhyNotAllow:
		return l.pick("durfte das nicht", "was not allowed to")
	case access.WhySenior:
		return l.pick("das andere Gerät hat Vorrang", "the other device is senior")
	case access.WhyDead:
		return l.pick("das Gerät ist für immer entfernt", "the device is removed for good")
	case access.WhyKnown:
		return l.pick("die Schlüssel gehören einem anderen Gerät", "the keys belong to another device")
	case access.WhyNoChange:
		return l.pick("war schon so", "was so already")
	case access.WhyNobody:
		return l.pick("das gibt es nicht", "there is no such thing")
	case access.WhyCut:
		return l.pick("kam nach der Entfernung", "came after the removal")
	case access.WhyOnce:
		return l.pick("ein Büro wird einmal gegründet", "an office is founded once")
	case access.WhyOpen:
		return l.pick("noch nicht genug Zustimmungen", "not enough approvals yet")
	case access.WhyKeys:
		return l.pick("passt nicht zu den Schlüsseln davor", "does not follow from the keys before")
	}
	return string(r.Why)
}
