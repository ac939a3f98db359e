package deploy

import (
	"context"
	"errors"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"todo.local/magefiles/internal/app"
	"todo.local/magefiles/internal/kube"
	"todo.local/magefiles/internal/release"
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
		i.SaveEvidence(ctx, t, cause)
	}
	// There is no better revision where none ever passed its checks, or this one did.
	better := outcome.Good != 0 && outcome.Good != outcome.Revision
	if better || !applied {
		if err := secret.Restore(ctx, i.Client, i.Config); err != nil {
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
	if !better {
		if len(stale) == 0 {
			return cause
		}
		outcome.Good = 0
	}
	if err := i.serveAgain(ctx, t, h, outcome.Good, stale); err != nil {
		return errors.Join(cause, err)
	}
	return cause
}

// serveAgain goes back to a revision, unless that is 0, and has the pods that read old secrets begin anew.
func (i *installation) serveAgain(ctx context.Context, t *ui.Task, h held, revision int, stale map[types.UID]string) error {
	if revision != 0 {
		t.Status("restoring revision %d", revision)
		if err := h.Rollback(ctx, t, revision); err != nil {
			return err
		}
	}
	for _, service := range slices.Compact(slices.Sorted(maps.Values(stale))) {
		if _, err := kube.Restart(ctx, i.Client, i.Config.Namespace, service); err != nil {
			return err
		}
	}
	if err := i.comesUp(ctx, t); err != nil {
		return err
	}
	if err := awaitEnd(ctx, t, i.Cluster, app.Reading(), "with the old secrets", func(p corev1.Pod) bool { return stale[p.UID] != "" }); err != nil {
		return err
	}
	if revision != 0 {
		t.Note("the last version that passed its checks, revision %d, is restored and serving", revision)
	} else {
		t.Note("the version that runs began anew with the secrets in force, and is serving")
	}
	return nil
}
