package deploy

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"

	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/release"
	"todo.local/magefiles/internal/rollout"
	"todo.local/magefiles/internal/secrets"
	"todo.local/magefiles/internal/ui"
)

// recover saves the evidence of a version that did not come up or does not answer as it should, and brings back the
// last one that did, with the secrets that the database knows. It gives the failure with what became of it.
func (i *installation) recover(ctx context.Context, t *ui.Task, h held, outcome release.Outcome, secret secrets.Outcome, cause error) error {
	if err := h.Check(ctx); err != nil {
		return err // what does not work may be another run's
	}
	applied := outcome != release.Outcome{}
	if applied {
		i.saveEvidence(ctx, t, i.client, cause)
	}
	// There is no better revision where none ever passed its checks, or this one did.
	better := outcome.Good != 0 && outcome.Good != outcome.Revision
	if better || !applied {
		if err := secret.Restore(ctx, i.client, i.cfg); err != nil {
			return errors.Join(cause, err)
		}
	}
	stale, err := i.stale(ctx, secret)
	switch {
	case err != nil && !applied: // where the secrets cannot be read, that is the cause
		return cause
	case err != nil:
		return errors.Join(cause, err)
	}
	if better {
		t.Status("restoring revision %d", outcome.Good)
		if err := h.Rollback(ctx, t, outcome.Good); err != nil {
			return errors.Join(cause, err)
		}
	}
	if len(stale) > 0 {
		if err := i.renew(ctx, i.client, "backend"); err != nil {
			return errors.Join(cause, err)
		}
	}
	if !better && len(stale) == 0 {
		return cause
	}
	if err := i.comesUp(ctx, t); err != nil {
		return errors.Join(cause, err)
	}
	if err := i.awaitEnd(ctx, t, i.client, "app=todo-backend", "with the old secrets", func(p corev1.Pod) bool { return stale[p.UID] }); err != nil {
		return errors.Join(cause, err)
	}
	if better {
		t.Note("the last version that passed its checks, revision %d, is restored and serving", outcome.Good)
	} else {
		t.Note("the version that runs began anew with the secrets in force, and is serving")
	}
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

// awaitRollout waits for the release's workloads, for targets that leave what comes of a failure to the person who
// called them.
func (a *App) awaitRollout(ctx context.Context, t *ui.Task, client kubernetes.Interface) error {
	err := rollout.Wait(ctx, t, client, a.cfg.Namespace, config.ReleaseName, a.cfg.Timeout)
	if err != nil && ctx.Err() == nil {
		a.saveEvidence(ctx, t, client, err)
	}
	return err
}
