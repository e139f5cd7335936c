package app

import (
	"strings"
	"testing"
	"time"

	"inselnetz/crdt/access"
	"inselnetz/mesh/sim"
)

// newcomer starts a device that belongs to no workspace.
func (o *office) newcomer(name string) *device {
	d := o.device(name)
	d.start()
	return d
}

// reach waits until joining is at a step.
func (d *device) reach(step string) JoinState {
	d.o.t.Helper()
	if !d.o.net.Until(time.Minute, func() bool { return d.ws.JoinState().Step == step }) {
		d.o.t.Fatalf("joining is at %+v, not at %s", d.ws.JoinState(), step)
	}
	return d.ws.JoinState()
}

func (d *device) seesDoor() bool {
	return d.o.net.Until(10*time.Second, func() bool { return len(d.ws.Doors()) == 1 })
}

func TestNumberPath(t *testing.T) {
	sim.Run(t, 10, func(w *sim.World) {
		t := w.T
		o := newOffice(w, 1)
		defer o.close()
		a := o.devices[0]
		b := o.newcomer("new")
		a.post("schon da")
		if _, err := a.ws.OpenInvite(InviteAsk{Role: access.Member}); err != nil {
			t.Fatal(err)
		}
		invite, err := a.ws.OpenInvite(InviteAsk{Role: access.Admin}) // in place of the first
		must(t, err)
		if !b.seesDoor() || b.ws.Doors()[0].Name != invite.Door || strings.Contains(invite.Door, "Kanzlei") {
			t.Fatalf("doors %+v, want one under the made-up name %q", b.ws.Doors(), invite.Door)
		}
		must(t, b.ws.Join(t.Context(), JoinAsk{Person: "Emre", Device: "Laptop"}))
		number := b.reach(StepNumber).Number
		w.Until(time.Minute, func() bool { return len(a.ws.InviteState().Waiting) == 1 })
		if _, err := a.ws.TypeNumber(t.Context(), number[:5]); !isProblem(err, "number-format") {
			t.Errorf("five digits: %v", err)
		}
		if _, err := a.ws.TypeNumber(t.Context(), other(number)); !isProblem(err, "number-wrong") {
			t.Errorf("another number: %v", err)
		}
		st, err := a.ws.TypeNumber(t.Context(), number[:3]+" "+number[3:])
		must(t, err)
		words := b.reach(StepWords)
		if st.Words != words.Words || st.Joined != "Emre" || words.Office != "Kanzlei" {
			t.Errorf("one screen says %q, the other %q", st.Words, words.Words)
		}
		must(t, b.ws.ConfirmJoin(true))
		b.reach(StepDone)
		if lines := o.agree(time.Minute); len(lines) != 1 {
			t.Errorf("the new device shows %q", lines)
		}
		if !b.ws.Info().CanInvite {
			t.Error("who was invited to manage may not")
		}
		w.Until(time.Minute, func() bool { return len(b.ws.Doors()) == 0 })
		if len(b.ws.Doors()) != 0 {
			t.Error("the door stays open")
		}
	})
}

// other is a number that is not this one.
func other(number string) string {
	if number[0] == '9' {
		return "0" + number[1:]
	}
	return "9" + number[1:]
}

func TestJoiningThatFails(t *testing.T) {
	for name, tt := range map[string]struct {
		act  func(t *testing.T, a, b *device, number string)
		want string // problem on the new device
	}{
		"three wrong numbers": {func(t *testing.T, a, b *device, number string) {
			for i, want := range []string{"number-wrong", "number-wrong-last", "invite-missed"} {
				if _, err := a.ws.TypeNumber(t.Context(), other(number)); !isProblem(err, want) {
					t.Errorf("miss %d: %v", i, err)
				}
			}
			if _, err := a.ws.TypeNumber(t.Context(), number); !isProblem(err, "invite-closed") {
				t.Errorf("the right number after three misses: %v", err)
			}
		}, "join-refused"},
		"invite closed":     {func(t *testing.T, a, b *device, _ string) { a.ws.CloseInvite() }, "join-refused"},
		"given up":          {func(t *testing.T, a, b *device, _ string) { b.ws.CancelJoin() }, "join-canceled"},
		"the other crashed": {func(t *testing.T, a, b *device, _ string) { a.kill(); a.start() }, "door-gone"},
		"ten minutes":       {func(t *testing.T, a, b *device, _ string) { time.Sleep(11 * time.Minute) }, "join-expired"},
		"words differ": {func(t *testing.T, a, b *device, number string) {
			_, err := a.ws.TypeNumber(t.Context(), number)
			must(t, err)
			b.reach(StepWords)
			must(t, b.ws.ConfirmJoin(false))
		}, "words-differ"},
	} {
		t.Run(name, func(t *testing.T) {
			sim.Run(t, 11, func(w *sim.World) {
				t := w.T
				o := newOffice(w, 1)
				defer o.close()
				a, b := o.devices[0], o.newcomer("new")
				_, err := a.ws.OpenInvite(InviteAsk{Role: access.Member})
				must(t, err)
				if !b.seesDoor() {
					t.Fatal("no door")
				}
				must(t, b.ws.Join(t.Context(), JoinAsk{Person: "Emre", Device: "Laptop"}))
				number := b.reach(StepNumber).Number
				w.Until(time.Minute, func() bool { return len(a.ws.InviteState().Waiting) == 1 })
				tt.act(t, a, b, number)
				if why := b.reach(StepFailed).Why; why == nil || why.Code != tt.want {
					t.Errorf("the new device says %v, want %s", why, tt.want)
				}
				if b.ws.Info().Member {
					t.Error("the new device is a member")
				}
				if st := a.ws.InviteState(); st.Open {
					if name != "given up" {
						t.Errorf("the invite is still open: %+v", st)
					}
				}
				// it can be tried again, and works
				_, err = a.ws.OpenInvite(InviteAsk{Role: access.Member})
				must(t, err)
				w.Until(10*time.Second, func() bool { return len(b.ws.Doors()) == 1 })
				must(t, b.ws.Join(t.Context(), JoinAsk{Person: "Emre", Device: "Laptop"}))
				number = b.reach(StepNumber).Number
				w.Until(time.Minute, func() bool { return len(a.ws.InviteState().Waiting) == 1 })
				_, err = a.ws.TypeNumber(t.Context(), number)
				must(t, err)
				b.reach(StepWords)
				must(t, b.ws.ConfirmJoin(true))
				b.reach(StepDone)
				o.agree(time.Minute)
			})
		})
	}
}

// TestCrashWhileJoining stops a device between the membership file and the
// database: it is a member at the next start.
func TestCrashWhileJoining(t *testing.T) {
	sim.Run(t, 12, func(w *sim.World) {
		t := w.T
		o := newOffice(w, 2)
		defer o.close()
		a, b := o.devices[0], o.devices[1]
		a.post("vor dem Absturz")
		o.agree(time.Minute)
		b.halt()
		files := b.files()
		for name := range files {
			if strings.HasPrefix(name, "inselnetz.db") {
				delete(files, name)
			}
		}
		b.put(files)
		b.start()
		if !b.ws.Info().Member {
			t.Fatal("the device forgot that it joined")
		}
		if lines := o.agree(time.Minute); len(lines) != 1 {
			t.Errorf("it shows %q", lines)
		}
	})
}
