package desktop

import (
	"bytes"
	"encoding/xml"
)

// Arguments of a toast: a word for what was clicked, then the tag.
const openArg, replyArg = "open:", "reply:"

// toastField is the name of the field an answer is typed into.
const toastField = "reply"

// toastXML is a toast of Windows as its schema wants it. It is our own because
// the library's puts texts into a script of PowerShell where the system's own
// way fails, and a message may hold commands.
func toastXML(n Note) string {
	type text struct {
		Text string `xml:",chardata"`
	}
	type input struct {
		ID   string `xml:"id,attr"`
		Type string `xml:"type,attr"`
		Hint string `xml:"placeHolderContent,attr"`
	}
	type action struct {
		Type  string `xml:"activationType,attr"`
		Words string `xml:"content,attr"`
		Args  string `xml:"arguments,attr"`
		Input string `xml:"hint-inputId,attr"`
	}
	type actions struct {
		Input  input  `xml:"input"`
		Action action `xml:"action"`
	}
	type toast struct {
		XMLName xml.Name `xml:"toast"`
		Type    string   `xml:"activationType,attr"`
		Launch  string   `xml:"launch,attr"`
		Binding struct {
			Template string `xml:"template,attr"`
			Text     []text `xml:"text"`
		} `xml:"visual>binding"`
		Actions *actions `xml:"actions,omitempty"`
	}
	t := toast{Type: "foreground", Launch: openArg + n.Tag}
	t.Binding.Template = "ToastGeneric"
	t.Binding.Text = []text{{n.Title}, {n.Text}}
	if n.Reply {
		t.Actions = &actions{
			Input:  input{ID: toastField, Type: "text", Hint: n.Answer},
			Action: action{Type: "foreground", Words: n.Answer, Args: replyArg + n.Tag, Input: toastField},
		}
	}
	var out bytes.Buffer
	_ = xml.NewEncoder(&out).Encode(t) // strings to a buffer: never fails
	return out.String()
}
