package ui

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"todo.local/magefiles/internal/words"
)

// Colour is how a terminal marks text.
type Colour string

// Colours of marks: what is well, what deserves a look, what is wrong; and of what is to be told apart, or is beside
// the point.
const (
	Green   Colour = "\x1b[32m"
	Yellow  Colour = "\x1b[33m"
	Red     Colour = "\x1b[31m"
	Cyan    Colour = "\x1b[36m"
	Magenta Colour = "\x1b[35m"
	Dim     Colour = "\x1b[2m"

	reset = "\x1b[0m"
)

// Paint gives text in a colour where the output shows colours, and as it is elsewhere.
func (u *UI) Paint(c Colour, text string) string { return u.style.paint(c, text) }

var spinner = []rune("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏")

// style turns tasks into text.
type style struct{ colour bool }

func (s style) paint(code Colour, text string) string {
	if !s.colour || text == "" {
		return text
	}
	return string(code) + text + reset
}

func (s style) mark(t *Task, frame int) string {
	switch {
	case t.end.IsZero():
		return s.paint(Cyan, string(spinner[frame%len(spinner)]))
	case t.err != nil:
		return s.paint(Red, "✗")
	case !t.changed():
		return s.paint(Dim, "=")
	}
	return s.paint(Green, "✓")
}

// tree gives the lines of a task and its parts for a terminal of the given width.
func (s style) tree(t *Task, depth, frame, width int) []string {
	detail := t.result
	if t.end.IsZero() {
		detail = t.status
	}
	indent := strings.Repeat("  ", depth)
	took := seconds(t.elapsed())
	room := width - len(indent) - 2 - utf8.RuneCountInString(t.name) - 2 - len(took) - 2
	lines := []string{fmt.Sprintf("%s%s %s  %s %s", indent, s.mark(t, frame), t.name,
		s.paint(Dim, clip(detail, room)), s.paint(Dim, took))}
	for _, c := range t.children {
		lines = append(lines, s.tree(c, depth+1, frame, width)...)
	}
	return lines
}

// plainLine is the one line of a finished task where the output is no terminal.
func (s style) plainLine(t *Task, since time.Time) string {
	line := fmt.Sprintf("[%7s] %s %s", seconds(t.end.Sub(since)), s.mark(t, 0), t.path())
	if t.result != "" {
		line += ": " + t.result
	}
	return fmt.Sprintf("%s (%s)", line, seconds(t.elapsed()))
}

func (s style) plainStatus(t *Task, since time.Time) string {
	return fmt.Sprintf("[%7s] … %s: %s", seconds(time.Since(since)), t.path(), clip(t.status, 160))
}

func (s style) note(text string) string { return s.paint(Yellow, "!") + " " + text }

func clip(s string, n int) string {
	if n < 4 {
		return ""
	}
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return words.Short(s, n-1)
}

func seconds(d time.Duration) string {
	if d < time.Minute {
		return fmt.Sprintf("%.1fs", d.Seconds())
	}
	return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
}
