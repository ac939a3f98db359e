package dev

import (
	"fmt"
	"strings"

	"todo.local/magefiles/internal/app"
	"todo.local/magefiles/internal/ui"
)

// mark says of a line what it is.
type mark string

const (
	plain mark = " "
	good  mark = "✓"
	odd   mark = "!"
	bad   mark = "✗"
)

// teller shows a line about a service, or one of its log.
type teller func(service string, m mark, text string)

// tellOn shows the lines of all services in one stream, each behind the service's name.
func tellOn(u *ui.UI) teller {
	marks := map[mark]ui.Colour{good: ui.Green, odd: ui.Yellow, bad: ui.Red}
	names, width := map[string]string{}, 0
	for _, s := range app.Built() {
		width = max(width, len(s.Name))
	}
	colours := []ui.Colour{ui.Cyan, ui.Magenta}
	for i, s := range app.Built() {
		names[s.Name] = u.Paint(colours[i%len(colours)], fmt.Sprintf("%-*s", width, s.Name))
	}
	return func(service string, m mark, text string) {
		for word, c := range map[string]ui.Colour{" WARNING ": ui.Yellow, " ERROR ": ui.Red, " CRITICAL ": ui.Red} {
			if m == plain {
				text = strings.Replace(text, word, u.Paint(c, word), 1)
			}
		}
		u.Printf("%s %s %s\n", names[service], u.Paint(marks[m], string(m)), text)
	}
}
