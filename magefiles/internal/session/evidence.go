package session

import (
	"context"
	"errors"
	"path/filepath"
	"time"

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
	t.Note("pods, events and logs are saved in %s", c.Config.Relative(dir))
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
