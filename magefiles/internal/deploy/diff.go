package deploy

import (
	"context"

	"todo.local/magefiles/internal/app"
	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/release"
	"todo.local/magefiles/internal/secrets"
	"todo.local/magefiles/internal/session"
	"todo.local/magefiles/internal/source"
	"todo.local/magefiles/internal/ui"
)

// Diff prints what deploy would change in the cluster, as a unified diff. Nothing is built: images are named by their
// content. Secrets are not shown; that one would change is.
func Diff(ctx context.Context, base session.Session) error {
	c, err := base.OpenCluster(ctx)
	if err != nil {
		return err
	}
	helm, err := release.New(c.Access.API, c.Config.Namespace)
	if err != nil {
		return err
	}
	s, err := base.OpenSource(ctx)
	if err != nil {
		return err
	}
	var bases source.Bases
	if err := s.UI.Do("Base images", func(t *ui.Task) (err error) {
		bases, err = s.Images.Bases(ctx, t)
		return err
	}); err != nil {
		return err
	}
	made := Application{app.Postgres.Name: bases.Postgres}
	for _, service := range app.Built() {
		if made[service.Name], err = ImageOf(s.Config, service, bases).Ref(); err != nil {
			return err
		}
	}
	secret, err := secrets.Preview(ctx, c.Client, c.Config)
	if err != nil {
		return err
	}
	diff, err := helm.Diff(release.Spec{Name: config.ReleaseName, ChartDir: c.Config.Chart("todo-app"), Values: values(c.Config, made, secret, c.Access)})
	if err != nil {
		return err
	}
	if diff == "" && !secret.Changed {
		s.UI.Printf("deploy would change nothing\n")
		return nil
	}
	s.UI.Printf("%s", diff)
	if secret.Changed {
		s.UI.Printf("Secret %s would be written\n", secrets.Name)
	}
	return nil
}

// Render prints the manifests that the present settings give, with the chart's default image tags: the real ones follow
// from a build.
func Render(_ context.Context, s session.Session) error {
	text, err := release.Render(config.ReleaseName, s.Config.Namespace, s.Config.Chart("todo-app"), settings(s.Config, secrets.Outcome{Name: secrets.Name}))
	if err != nil {
		return err
	}
	s.UI.Printf("%s", text)
	return nil
}
