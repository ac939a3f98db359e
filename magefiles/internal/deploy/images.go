package deploy

import (
	"context"
	"slices"
	"strings"

	"todo.local/magefiles/internal/ui"
)

// BuildImages builds what changed.
func (a *App) BuildImages(ctx context.Context) error {
	if err := a.open(ctx); err != nil {
		return err
	}
	platform, err := a.platform(ctx, a.provider(ctx))
	if err == nil {
		_, err = a.images(ctx, platform, nil)
	}
	return err
}

// LoadImages builds what changed and brings it to the running cluster.
func (a *App) LoadImages(ctx context.Context) error {
	return a.exclusively(ctx, func() error {
		if err := a.open(ctx); err != nil {
			return err
		}
		p := a.provider(ctx)
		if _, err := p.Access(ctx); err != nil {
			return err
		}
		platform, err := a.platform(ctx, p)
		if err != nil {
			return err
		}
		_, err = a.images(ctx, platform, func(ctx context.Context, t *ui.Task, ref string) (string, error) {
			_, err := p.Load(ctx, t, []string{ref})
			return ref, err
		})
		return err
	})
}

// present brings to the nodes what is not there any more. Images are delivered before the lease is held, and a run that
// holds it meanwhile removes those that no revision names yet.
func (a *App) present(ctx context.Context, t *ui.Task, app application) error {
	refs := []string{app.backend, app.frontend}
	if a.cfg.DatabaseURL == "" {
		refs = append(refs, app.bases.Postgres)
	}
	refs = slices.DeleteFunc(refs, func(ref string) bool { return strings.Contains(ref, "@") })
	if len(refs) == 0 {
		return nil
	}
	return t.Do("images", func(t *ui.Task) error {
		_, err := a.provider(ctx).Load(ctx, t, refs) // one that has not looked yet
		return err
	})
}
