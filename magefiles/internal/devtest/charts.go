package devtest

import (
	"context"
	"strings"

	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/release"
	"todo.local/magefiles/internal/session"
	"todo.local/magefiles/internal/ui"
)

// charts are all charts of the project, by folder below charts/.
var charts = []string{"todo-app", "ingress", "metrics-server"}

// LintCharts checks every chart.
func LintCharts(_ context.Context, s session.Session) error {
	return s.UI.Do("Charts", func(t *ui.Task) error {
		for _, name := range charts {
			if err := t.Do(name, func(*ui.Task) error {
				if findings := release.Lint(s.Config.Chart(name), nil); len(findings) > 0 {
					return fault.New(fault.CodeFailed, "chart "+name+": "+strings.Join(findings, "; "), "correct the chart")
				}
				return nil
			}); err != nil {
				return err
			}
		}
		return nil
	})
}
