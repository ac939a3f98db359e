package session

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"

	metrics "k8s.io/metrics/pkg/client/clientset/versioned"

	"todo.local/magefiles/internal/analysis"
	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/rollout"
	"todo.local/magefiles/internal/ui"
)

// SaveEvidence shows what the failure of a rollout rests on, and saves the state of everything before that changes.
func (c Cluster) SaveEvidence(ctx context.Context, t *ui.Task, cause error) {
	dir := filepath.Join(c.Config.State, "diagnosis", time.Now().Format("20060102-150405"))
	t.Status("saving the evidence")
	if err := rollout.Collect(ctx, c.Client, c.Config.Namespace, dir, cause); err != nil {
		t.Note("the evidence is incomplete: %v", err)
	}
	var failure *rollout.Failure
	if errors.As(cause, &failure) {
		for _, line := range failure.Evidence() {
			c.UI.Printf("%s\n", line)
		}
	}
	c.saveFindings(ctx, t, dir, cause)
	t.Note("pods, events and logs are saved in %s", c.Config.Relative(dir))
}

// Findings is what the analysis finds in the running application.
func (c Cluster) Findings(ctx context.Context) ([]analysis.Finding, error) {
	w := analysis.Where{Client: c.Client, Namespace: c.Config.Namespace, Release: config.ReleaseName}
	if cfg, err := c.Access.RESTConfig(); err == nil {
		if measured, err := metrics.NewForConfig(cfg); err == nil {
			w.Metrics = measured
		}
	}
	s, err := analysis.Gather(ctx, w)
	if err != nil {
		return nil, err
	}
	return analysis.Analyze(s), nil
}

// saveFindings shows the deepest cause that the analysis finds, where that is another than what the rollout was given
// up for, and saves all.
func (c Cluster) saveFindings(ctx context.Context, t *ui.Task, dir string, cause error) {
	found, err := c.Findings(ctx)
	if err != nil || len(found) == 0 {
		return // the evidence is there without
	}
	if top := found[0]; !strings.Contains(cause.Error(), top.Cause) {
		c.UI.Printf("the analysis finds [%s] %s\n    what to do: %s\n", top.ID, top.Cause, top.Remedy)
	}
	if err := os.WriteFile(filepath.Join(dir, "findings.txt"), []byte(analysis.Text(found)), 0o600); err != nil {
		t.Note("the findings are not saved: %v", err)
	}
}

// AwaitRollout waits for the release's workloads, for targets that leave what comes of a failure to the person who
// called them.
func (c Cluster) AwaitRollout(ctx context.Context, t *ui.Task) error {
	err := rollout.Wait(ctx, t, c.Client, c.Config.Namespace, config.ReleaseName, c.Config.Timeout)
	if err != nil && ctx.Err() == nil {
		c.SaveEvidence(ctx, t, err)
	}
	return err
}
