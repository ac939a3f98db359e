package deploy

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/util/duration"
	"k8s.io/client-go/kubernetes"

	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/release"
	"todo.local/magefiles/internal/secrets"
	"todo.local/magefiles/internal/ui"
)

// ReleaseHistory prints the revisions of the release, the newest last.
func (a *App) ReleaseHistory(ctx context.Context) error {
	_, helm, err := a.connectHelm(ctx)
	if err != nil {
		return err
	}
	history, err := helm.History(ctx, config.ReleaseName)
	if err != nil {
		return err
	}
	if len(history) == 0 {
		return notInstalled()
	}
	rows := []string{"REVISION\tAGE\tSTATUS\tVERIFIED\tDESCRIPTION"}
	for _, r := range history {
		verified := "no"
		if r.Verified {
			verified = "yes"
		}
		rows = append(rows, fmt.Sprintf("%d\t%s\t%s\t%s\t%s", r.Revision, duration.HumanDuration(time.Since(r.Updated)), r.Status, verified, r.Description))
	}
	a.table(rows)
	return nil
}

func notInstalled() error {
	return fault.New(fault.CodeInput, "release "+config.ReleaseName+" is not installed", "run: go tool mage deploy")
}

// ReleaseRollback goes back to a revision, or where revision is 0 to the last other version that came up, and waits until it serves.
func (a *App) ReleaseRollback(ctx context.Context, revision int) error {
	return a.operate(ctx, "Rollback", func(ctx context.Context, t *ui.Task, client kubernetes.Interface, held *release.Held) error {
		if err := held.Rollback(ctx, t, revision); err != nil {
			return err
		}
		return t.Do("rollout", func(t *ui.Task) error { return a.awaitRollout(ctx, t, client) })
	})
}

// operate runs a change of the running application as one task, while no other target, here or on another machine,
// changes it.
func (a *App) operate(ctx context.Context, name string, work func(context.Context, *ui.Task, kubernetes.Interface, *release.Held) error) error {
	return a.exclusively(ctx, func() error {
		client, helm, err := a.connectHelm(ctx)
		if err != nil {
			return err
		}
		return a.ui.Do(name, func(t *ui.Task) error {
			return helm.Hold(ctx, t, config.ReleaseName, func(ctx context.Context, held *release.Held) error { return work(ctx, t, client, held) })
		})
	})
}

// ReleaseDiff prints what deploy would change in the cluster, as a unified diff. Nothing is built: images are named by their content. Secrets are not
// shown; that one would change is.
func (a *App) ReleaseDiff(ctx context.Context) error {
	access, client, err := a.connect(ctx)
	if err != nil {
		return err
	}
	helm, err := a.engine(access, a.cfg.Namespace)
	if err != nil {
		return err
	}
	if err := a.open(ctx); err != nil {
		return err
	}
	var app application
	if err := a.ui.Do("Base images", func(t *ui.Task) (err error) {
		app.bases, err = a.source.Bases(ctx, t)
		return err
	}); err != nil {
		return err
	}
	if app.backend, err = a.backendImage(app.bases).Ref(); err != nil {
		return err
	}
	if app.frontend, err = a.frontendImage(app.bases).Ref(); err != nil {
		return err
	}
	secret, err := secrets.Preview(ctx, client, a.cfg)
	if err != nil {
		return err
	}
	diff, err := helm.Diff(release.Spec{Name: config.ReleaseName, ChartDir: a.chart("todo-app"), Values: a.values(app, secret, access)})
	if err != nil {
		return err
	}
	if diff == "" && !secret.Changed {
		a.ui.Printf("deploy would change nothing\n")
		return nil
	}
	a.ui.Printf("%s", diff)
	if secret.Changed {
		a.ui.Printf("Secret %s would be written\n", secrets.Name)
	}
	return nil
}
