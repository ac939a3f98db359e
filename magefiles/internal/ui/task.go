package ui

import (
	"fmt"
	"strings"
	"time"
)

// heartbeat is how often a task that takes long says so where the output is plain lines.
const heartbeat = 15 * time.Second

// Task is one piece of work being shown. The zero of *Task, nil, is silent, so that packages can be used without a UI.
type Task struct {
	ui       *UI
	parent   *Task
	name     string
	start    time.Time
	end      time.Time
	err      error
	status   string // what it is doing right now
	result   string // what came of it
	same     bool   // nothing had to be done
	children []*Task
	said     time.Time // when plain output last showed the status
}

// Do runs fn as a part of this task.
func (t *Task) Do(name string, fn func(*Task) error) error {
	if t == nil {
		return fn(nil)
	}
	return t.ui.do(t, name, fn)
}

// Status says what the task is doing right now. It replaces what was said before.
func (t *Task) Status(format string, args ...any) {
	if t == nil {
		return
	}
	t.ui.mu.Lock()
	defer t.ui.mu.Unlock()
	t.status = strings.TrimSpace(fmt.Sprintf(format, args...))
	now := time.Now()
	if t.ui.live == nil && now.Sub(t.start) > heartbeat && now.Sub(t.said) > heartbeat {
		t.said = now
		t.ui.line(t, t.ui.style.plainStatus(t, t.ui.start))
	}
}

// Line is Status for one line of a command's output: it fits run.Cmd.Line.
func (t *Task) Line(line string) {
	if strings.TrimSpace(line) != "" {
		t.Status("%s", line)
	}
}

// Result says what came of the task.
func (t *Task) Result(format string, args ...any) { t.conclude(false, format, args...) }

// Unchanged says that nothing had to be done, and why.
func (t *Task) Unchanged(format string, args ...any) { t.conclude(true, format, args...) }

func (t *Task) conclude(same bool, format string, args ...any) {
	if t == nil {
		return
	}
	t.ui.mu.Lock()
	defer t.ui.mu.Unlock()
	t.result, t.same = fmt.Sprintf(format, args...), same
}

// Note writes a line that stays, a warning or a decision the user should know of.
func (t *Task) Note(format string, args ...any) {
	if t == nil {
		return
	}
	t.ui.Printf("%s\n", t.ui.style.note(fmt.Sprintf(format, args...)))
}

// Changed tells whether the task or one of its parts did anything: it is false where all of them said Unchanged.
func (t *Task) Changed() bool {
	if t == nil {
		return true
	}
	t.ui.mu.Lock()
	defer t.ui.mu.Unlock()
	return t.changed()
}

func (t *Task) changed() bool {
	if len(t.children) == 0 {
		return !t.same
	}
	for _, c := range t.children {
		if c.changed() {
			return true
		}
	}
	return false
}

func (t *Task) elapsed() time.Duration {
	if t.end.IsZero() {
		return time.Since(t.start)
	}
	return t.end.Sub(t.start)
}

// path is the names from the top level down to this task.
func (t *Task) path() string {
	if t.parent == nil {
		return t.name
	}
	return t.parent.path() + " › " + t.name
}
