package deploy

import (
	"context"

	"github.com/stretchr/testify/require"

	"todo.local/magefiles/internal/release"
	"todo.local/magefiles/internal/ui"
)

func (w *world) last() *revision { return &w.history[len(w.history)-1] }

func (w *world) good() int {
	for n := len(w.history); n > 0; n-- {
		if w.history[n-1].verified {
			return n
		}
	}
	return 0
}

// Check, Apply, Verify and Rollback are those of a held release.
func (w *world) Check(context.Context) error { return w.lost }

func (w *world) Apply(_ context.Context, _ *ui.Task, spec release.Spec) (release.Outcome, error) {
	r := revision{
		checksum: spec.Values["secrets"].(map[string]any)["checksum"].(string),
		version:  spec.Values["backend"].(map[string]any)["image"].(map[string]any)["tag"].(string),
		broken:   w.broken, wrong: w.wrong,
	}
	good := w.good()
	if len(w.history) > 0 && w.last().checksum == r.checksum && w.last().version == r.version {
		return release.Outcome{Revision: len(w.history), Good: good}, nil
	}
	err := w.step("upgrade", func() {
		w.history = append(w.history, r)
		w.start()
	})
	return release.Outcome{Revision: len(w.history), Good: good, Changed: err == nil}, err
}

func (w *world) Verify(_ context.Context, n int) error {
	require.Equal(w.t, len(w.history), n)
	return w.step("verdict", func() { w.last().verified = true })
}

func (w *world) Rollback(_ context.Context, _ *ui.Task, n int) error {
	return w.step("rollback", func() {
		w.history = append(w.history, w.history[n-1])
		if _, current := w.pods(); len(current) == 0 {
			w.start()
		}
	})
}
