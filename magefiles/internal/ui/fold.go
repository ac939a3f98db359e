package ui

import (
	"fmt"
	"io"
)

// fold writes the marks that GitHub Actions folds a log by. Groups cannot be nested, and stages run side by side: what
// the parts of a stage say is in groups named after it, each for as long as no other stage speaks; what came of the
// stage itself is outside, and so seen at once.
type fold struct {
	out  io.Writer
	open *Task // the stage whose group is open; nil for none
}

// within opens the group that a line about t belongs to, and closes the one before. A nil *fold does nothing; a nil t
// belongs to no group.
func (f *fold) within(t *Task) {
	if f == nil {
		return
	}
	var stage *Task
	if t != nil && t.parent != nil {
		stage = t.parent
		for stage.parent != nil {
			stage = stage.parent
		}
	}
	if stage == f.open {
		return
	}
	if f.open != nil {
		_, _ = fmt.Fprintln(f.out, "::endgroup::")
	}
	if stage != nil {
		_, _ = fmt.Fprintf(f.out, "::group::%s\n", stage.name)
	}
	f.open = stage
}
