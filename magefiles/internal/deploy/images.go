package deploy

import (
	"context"

	"todo.local/magefiles/internal/cluster"
	"todo.local/magefiles/internal/ui"
)

// BuildImages builds what changed.
func (a *App) BuildImages(ctx context.Context) error {
	if err := a.open(ctx); err != nil {
		return err
	}
	_, _, _, err := a.images(ctx)
	return err
}

// LoadImages builds what changed and brings it into the running cluster.
func (a *App) LoadImages(ctx context.Context) error {
	return a.exclusively(ctx, func() error {
		if err := a.open(ctx); err != nil {
			return err
		}
		var app application
		var err error
		if app.backend, app.frontend, app.bases, err = a.images(ctx); err != nil {
			return err
		}
		return a.onCluster(ctx, func(t *ui.Task, p cluster.Provider) error {
			if _, err := p.Access(ctx); err != nil {
				return err
			}
			_, err := p.Load(ctx, t, app.refs(a.cfg))
			return err
		})
	})
}
