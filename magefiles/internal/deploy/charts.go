package deploy

import (
	"context"
	"strings"

	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/release"
	"todo.local/magefiles/internal/secrets"
	"todo.local/magefiles/internal/ui"
)

// charts are all charts of the project, by folder below charts/.
var charts = []string{"todo-app", "ingress", "metrics-server"}

// LintCharts checks every chart.
func (a *App) LintCharts(context.Context) error {
	return a.ui.Do("Charts", func(t *ui.Task) error {
		for _, name := range charts {
			if err := t.Do(name, func(*ui.Task) error {
				if findings := release.Lint(a.chart(name), nil); len(findings) > 0 {
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

// RenderChart prints the manifests that the present settings give, with the chart's default image tags: the real ones follow from a build.
func (a *App) RenderChart(context.Context) error {
	text, err := release.Render(config.ReleaseName, a.cfg.Namespace, a.chart("todo-app"), a.settings(secrets.Outcome{Name: secrets.Name}))
	if err != nil {
		return err
	}
	a.ui.Printf("%s", text)
	return nil
}
