package deploy

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"k8s.io/client-go/kubernetes"

	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/release"
	"todo.local/magefiles/internal/rollout"
	"todo.local/magefiles/internal/secrets"
	"todo.local/magefiles/internal/ui"
)

// recover saves the evidence of a version that did not come up or does not answer as it should, and brings back the last one that did. It gives the
// failure with what became of it.
func (a *App) recover(ctx context.Context, t *ui.Task, client kubernetes.Interface, engine *release.Engine, outcome release.Outcome, secret secrets.Outcome, cause error) error {
	a.saveEvidence(ctx, t, client, cause)
	if outcome.Good == 0 || outcome.Good == outcome.Revision {
		return cause // there is no better revision: none ever passed its checks, or this one did
	}
	t.Status("restoring revision %d", outcome.Good)
	if err := secret.Restore(ctx, client, a.cfg); err != nil {
		return errors.Join(cause, err)
	}
	if err := engine.Rollback(ctx, t, config.ReleaseName, outcome.Good); err != nil {
		return errors.Join(cause, err)
	}
	if err := rollout.Wait(ctx, t, client, a.cfg.Namespace, config.ReleaseName, a.cfg.Timeout); err != nil {
		return errors.Join(cause, err)
	}
	t.Note("the last version that passed its checks, revision %d, is restored and serving", outcome.Good)
	return cause
}

// saveEvidence shows what the failure of a rollout rests on, and saves the state of everything before that changes.
func (a *App) saveEvidence(ctx context.Context, t *ui.Task, client kubernetes.Interface, cause error) {
	dir := filepath.Join(a.cfg.State, "diagnosis", time.Now().Format("20060102-150405"))
	t.Status("saving the evidence")
	if err := rollout.Collect(ctx, client, a.cfg.Namespace, dir, cause); err != nil {
		t.Note("the evidence is incomplete: %v", err)
	}
	var failure *rollout.Failure
	if errors.As(cause, &failure) {
		for _, line := range failure.Evidence() {
			a.ui.Printf("%s\n", line)
		}
	}
	t.Note("pods, events and logs are saved in %s", relative(a.cfg.Root, dir))
}

// awaitRollout waits for the release's workloads, for targets that leave what comes of a failure to the person who called them.
func (a *App) awaitRollout(ctx context.Context, t *ui.Task, client kubernetes.Interface) error {
	err := rollout.Wait(ctx, t, client, a.cfg.Namespace, config.ReleaseName, a.cfg.Timeout)
	if err != nil && ctx.Err() == nil {
		a.saveEvidence(ctx, t, client, err)
	}
	return err
}
