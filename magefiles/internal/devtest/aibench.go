package devtest

import (
	"cmp"
	"context"
	"os"
	"path/filepath"

	"todo.local/magefiles/internal/ai"
	"todo.local/magefiles/internal/ai/bench"
	"todo.local/magefiles/internal/session"
	"todo.local/magefiles/internal/ui"
)

// AIBench measures the assistant, with the configured model and always without one, and writes docs/ai-bench.md.
func AIBench(ctx context.Context, s session.Session) error {
	return s.UI.Do("Assistant's bench", func(t *ui.Task) error {
		var rows []bench.Row
		measure := func(who string, e *ai.Endpoint) error {
			t.Status("asking %s", who)
			score, err := bench.Faults(ctx, e)
			rows = append(rows, bench.Row{Who: who, Score: score})
			return err
		}
		if err := measure("the built-in interpreter", nil); err != nil {
			return err
		}
		if s.Config.OpenAIKey != "" {
			model := cmp.Or(s.Config.OpenAIModel, ai.DefaultModel)
			if err := measure(model, &ai.Endpoint{URL: cmp.Or(s.Config.OpenAIBaseURL, ai.DefaultURL), Key: s.Config.OpenAIKey, Model: model}); err != nil {
				return err
			}
		}
		t.Status("trying to talk it into something")
		safety, err := bench.Injections(ctx)
		if err != nil {
			return err
		}
		path := filepath.Join(s.Config.Root, "docs", "ai-bench.md")
		t.Result("%d of %d causes named; written to %s", rows[0].Score.Cause, rows[0].Score.Asked, s.Config.Relative(path))
		return os.WriteFile(path, []byte(bench.Report(rows, safety)), 0o644)
	})
}
