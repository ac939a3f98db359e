package operate

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/util/duration"

	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/release"
	"todo.local/magefiles/internal/session"
	"todo.local/magefiles/internal/ui"
)

// History prints the revisions of the release, the newest last.
func History(ctx context.Context, s session.Session) error {
	_, helm, err := openHelm(ctx, s)
	if err != nil {
		return err
	}
	history, err := helm.History(ctx, config.ReleaseName)
	if err != nil {
		return err
	}
	if len(history) == 0 {
		return release.NotInstalled(config.ReleaseName)
	}
	rows := []string{"REVISION\tAGE\tSTATUS\tVERIFIED\tDESCRIPTION"}
	for _, r := range history {
		verified := "no"
		if r.Verified {
			verified = "yes"
		}
		rows = append(rows, fmt.Sprintf("%d\t%s\t%s\t%s\t%s", r.Revision, duration.HumanDuration(time.Since(r.Updated)), r.Status, verified, r.Description))
	}
	table(s.UI, rows)
	return nil
}

// Rollback goes back to a revision, or where revision is 0 to the last other version that came up, and waits until it
// serves.
func Rollback(ctx context.Context, s session.Session, revision int) error {
	return change(ctx, s, "Rollback", func(ctx context.Context, t *ui.Task, c session.Cluster, held *release.Held) error {
		if err := held.Rollback(ctx, t, revision); err != nil {
			return err
		}
		return t.Do("rollout", func(t *ui.Task) error { return c.AwaitRollout(ctx, t) })
	})
}

// change runs a change of the running application as one task, while no other target, here or on another machine,
// changes it.
func change(ctx context.Context, s session.Session, name string, work func(context.Context, *ui.Task, session.Cluster, *release.Held) error) error {
	return s.Exclusively(ctx, func() error {
		c, helm, err := openHelm(ctx, s)
		if err != nil {
			return err
		}
		return s.UI.Do(name, func(t *ui.Task) error {
			return helm.Hold(ctx, t, config.ReleaseName, func(ctx context.Context, held *release.Held) error { return work(ctx, t, c, held) })
		})
	})
}

// openHelm gives the running cluster and its releases.
func openHelm(ctx context.Context, s session.Session) (session.Cluster, *release.Engine, error) {
	c, err := s.OpenCluster(ctx)
	if err != nil {
		return c, nil, err
	}
	helm, err := release.New(c.Access.API, c.Config.Namespace)
	return c, helm, err
}
