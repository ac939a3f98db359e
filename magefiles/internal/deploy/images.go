package deploy

import (
	"context"
	"maps"
	"slices"
	"strings"

	"todo.local/magefiles/internal/app"
	"todo.local/magefiles/internal/session"
	"todo.local/magefiles/internal/ui"
)

// BuildImages builds what changed.
func BuildImages(ctx context.Context, base session.Session) error {
	s, err := base.OpenSource(ctx)
	if err != nil {
		return err
	}
	platform, err := platformOf(ctx, s, s.ChooseProvider(ctx))
	if err == nil {
		_, err = images(ctx, s, inCluster(s.Config), platform, nil)
	}
	return err
}

// ForEngine builds what changed, for the use of the engine itself.
func ForEngine(ctx context.Context, s session.Source) (Application, error) {
	return images(ctx, s, app.All(), "", nil)
}

// LoadImages builds what changed and brings it to the running cluster.
func LoadImages(ctx context.Context, base session.Session) error {
	return base.Exclusively(ctx, func() error {
		s, err := base.OpenSource(ctx)
		if err != nil {
			return err
		}
		p := s.ChooseProvider(ctx)
		if _, err := p.Access(ctx); err != nil {
			return err
		}
		platform, err := platformOf(ctx, s, p)
		if err != nil {
			return err
		}
		_, err = images(ctx, s, inCluster(s.Config), platform, func(ctx context.Context, t *ui.Task, ref string) (string, error) {
			_, err := p.Load(ctx, t, []string{ref})
			return ref, err
		})
		return err
	})
}

// present brings to the nodes what is not there any more. Images are delivered before the lease is held, and a run that
// holds it meanwhile removes those that no revision names yet.
func present(ctx context.Context, t *ui.Task, s session.Source, made Application) error {
	refs := slices.DeleteFunc(slices.Sorted(maps.Values(made)), func(ref string) bool { return strings.Contains(ref, "@") })
	if len(refs) == 0 {
		return nil
	}
	return t.Do("images", func(t *ui.Task) error {
		_, err := s.ChooseProvider(ctx).Load(ctx, t, refs) // one that has not looked yet
		return err
	})
}
