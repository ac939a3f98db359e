// Package ui shows what a target is doing: a live tree of tasks on a terminal, plain lines elsewhere, in groups where
// GitHub Actions folds them. It knows nothing about the work itself.
package ui

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/term"
)

// UI is where the tasks of one run are shown.
type UI struct {
	mu    sync.Mutex
	out   io.Writer
	live  *screen // nil where the output is no terminal
	fold  *fold   // nil where nothing folds the output
	style style
	start time.Time
	tasks []*Task
}

// New shows tasks on out. The live tree needs a terminal, and is off in CI; colour also yields to NO_COLOR
// (https://no-color.org).
func New(out *os.File) *UI {
	tty := term.IsTerminal(int(out.Fd())) && os.Getenv("CI") == "" && os.Getenv("TERM") != "dumb"
	u := &UI{out: out, start: time.Now(), style: style{colour: tty && os.Getenv("NO_COLOR") == ""}}
	if os.Getenv("GITHUB_ACTIONS") == "true" {
		u.fold = &fold{out: out}
	}
	if tty {
		u.live = newScreen(u, func() (int, int) {
			w, h, err := term.GetSize(int(out.Fd()))
			if err != nil {
				return 80, 24
			}
			return w, h
		})
	}
	return u
}

// Plain shows tasks as plain lines on any writer.
func Plain(out io.Writer) *UI { return &UI{out: out, start: time.Now()} }

// Close ends the live tree and leaves its final state on the terminal.
func (u *UI) Close() {
	if u.live != nil {
		u.live.stop()
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.fold.within(nil)
}

// Do runs fn as a task of its own at the top level.
func (u *UI) Do(name string, fn func(*Task) error) error { return u.do(nil, name, fn) }

// Printf writes text that stays, above the live tree where there is one.
func (u *UI) Printf(format string, args ...any) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.print(fmt.Sprintf(format, args...))
}

// print needs u.mu.
func (u *UI) print(text string) {
	if u.live != nil {
		u.live.clear()
	}
	u.fold.within(nil)
	_, _ = fmt.Fprint(u.out, text)
}

// line writes a line about a task where there is no live tree. It needs u.mu.
func (u *UI) line(t *Task, text string) {
	if t.err == nil {
		u.fold.within(t)
	} else {
		u.fold.within(nil) // what failed is to be seen at once
	}
	_, _ = fmt.Fprintf(u.out, "%s\n", text)
}

func (u *UI) do(parent *Task, name string, fn func(*Task) error) error {
	t := &Task{ui: u, parent: parent, name: name, start: time.Now()}
	u.mu.Lock()
	if parent == nil {
		u.tasks = append(u.tasks, t)
	} else {
		parent.children = append(parent.children, t)
	}
	u.mu.Unlock()
	if u.live != nil {
		u.live.begin()
	}

	err := fn(t)

	u.mu.Lock()
	defer u.mu.Unlock()
	t.end, t.err = time.Now(), err
	if u.live == nil {
		u.line(t, u.style.plainLine(t, u.start))
	} else if parent == nil {
		u.live.finish(t)
	}
	return err
}
