package deploy

import (
	"context"
	"strconv"
	"sync"

	"todo.local/magefiles/internal/app"
	"todo.local/magefiles/internal/cluster"
	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/kube"
	"todo.local/magefiles/internal/release"
	"todo.local/magefiles/internal/rollout"
	"todo.local/magefiles/internal/secrets"
	"todo.local/magefiles/internal/session"
	"todo.local/magefiles/internal/smoke"
	"todo.local/magefiles/internal/ui"
)

// held is the application's release while this run alone changes and judges it.
type held interface {
	Check(ctx context.Context) error
	Apply(ctx context.Context, t *ui.Task, spec release.Spec) (release.Outcome, error)
	Verify(ctx context.Context, revision int) error
	Rollback(ctx context.Context, t *ui.Task, revision int) error
}

// installation is the application on its way into a running cluster.
type installation struct {
	session.Cluster
	made   Application
	rotate bool // whether the secrets are generated anew

	// What tests have no cluster for.
	present func(context.Context, *ui.Task) error // brings the images to the nodes, where they are not
	exec    func(context.Context, kube.Process) error
	comesUp func(context.Context, *ui.Task) error // whether the rollout succeeds
	works   func(context.Context, *ui.Task) error // whether what came up does its work
}

// install releases the delivered images and checks the result. It gives the access with the ingress's address,
// and tells whether anything changed.
func install(
	ctx context.Context, s session.Source, provider cluster.Provider, access cluster.Access, made Application, rotate bool,
) (_ cluster.Access, changed bool, err error) {
	c, err := s.Connected(provider, access)
	if err != nil {
		return access, false, err
	}
	i := &installation{Cluster: c, made: made, rotate: rotate, exec: access.Exec}
	i.present = func(ctx context.Context, t *ui.Task) error { return present(ctx, t, s, made) }
	i.comesUp = func(ctx context.Context, t *ui.Task) error {
		return rollout.Wait(ctx, t, c.Client, c.Config.Namespace, config.ReleaseName, c.Config.Timeout)
	}
	i.works = func(ctx context.Context, t *ui.Task) error { return verify(ctx, t, i.Cluster) }
	err = s.UI.Do("Application", func(t *ui.Task) error {
		helm, err := release.New(access.API, c.Config.Namespace)
		if err != nil {
			return err
		}
		secret, outcome, err := i.inForce(ctx, helm)
		if err != nil {
			return err
		}
		if !secret.Changed && !outcome.Changed && outcome.Good == outcome.Revision {
			err = i.confirm(ctx, t, secret, outcome)
		} else if err = secrets.EnsureNamespace(ctx, c.Client, c.Config.Namespace); err == nil {
			noteDevelopment(ctx, t, helm)
			err = helm.Hold(ctx, t, config.ReleaseName, func(ctx context.Context, h *release.Held) error { return i.change(ctx, t, h) })
		}
		changed = t.Changed()
		return err
	})
	return i.Access, changed, err
}

// inForce looks at what there is, and tells in Changed whether anything of it has to change.
func (i *installation) inForce(ctx context.Context, helm *release.Engine) (secret secrets.Outcome, outcome release.Outcome, err error) {
	if secret, err = secrets.Preview(ctx, i.Client, i.Config); err != nil || secret.Changed || i.rotate {
		secret.Changed = true
		return secret, outcome, err
	}
	if i.Config.TLS == config.TLSSelfSigned {
		if secret.Changed, err = secrets.CertificateDue(ctx, i.Client, i.Config); err != nil || secret.Changed {
			return secret, outcome, err
		}
	}
	outcome, err = helm.Preview(ctx, i.spec(secret))
	return secret, outcome, err
}

func (i *installation) spec(secret secrets.Outcome) release.Spec {
	return release.Spec{Name: config.ReleaseName, ChartDir: i.Config.Chart("todo-app"), Values: values(i.Config, i.made, secret, i.Access)}
}

// confirm checks a release that needs nothing and passed its checks before. It writes nothing, so that it takes no
// lease and waits for nobody.
func (i *installation) confirm(ctx context.Context, t *ui.Task, secret secrets.Outcome, outcome release.Outcome) error {
	unchanged := func(name, what string) error {
		return t.Do(name, func(t *ui.Task) error { t.Unchanged("%s", what); return nil })
	}
	_ = unchanged("secrets", secret.Name)
	if err := certificate(ctx, t, i.Cluster); err != nil {
		return err
	}
	_ = unchanged("release", "revision "+strconv.Itoa(outcome.Revision))
	err := t.Do("rollout", func(t *ui.Task) error { return i.rollout(ctx, t, secret) })
	if err == nil {
		if i.Access, err = awaitIngress(ctx, t, i.Cluster); err != nil {
			return err
		}
		err = i.check(ctx, t, t.Changed())
	}
	if err != nil && ctx.Err() == nil {
		i.SaveEvidence(ctx, t, err)
	}
	return err
}

// change brings the application to what it shall be, checks it, and takes back what does not pass.
func (i *installation) change(ctx context.Context, t *ui.Task, h held) error {
	if err := i.present(ctx, t); err != nil {
		return err
	}
	if err := tryDatabase(ctx, t, i.Cluster, i.made[app.Backend.Name]); err != nil {
		return err
	}
	secret, outcome, err := i.release(ctx, t, h)
	verified := outcome.Good == outcome.Revision
	if err == nil {
		if i.Access, err = awaitIngress(ctx, t, i.Cluster); err != nil {
			return err
		}
		changed := t.Changed() || !verified
		var pruned sync.WaitGroup
		if changed { // others whose images are on their way look for them once more when they hold the release
			pruned.Go(func() { prune(ctx, t, i.Cluster) })
		}
		err = i.check(ctx, t, changed)
		pruned.Wait()
	}
	switch {
	case err != nil && ctx.Err() == nil:
		return i.recover(ctx, t, h, outcome, secret, err)
	case err != nil || verified:
		return err
	}
	return h.Verify(ctx, outcome.Revision)
}

// release puts secrets and chart in force, and waits for what that started.
func (i *installation) release(ctx context.Context, t *ui.Task, h held) (secret secrets.Outcome, outcome release.Outcome, err error) {
	if err := t.Do("secrets", func(t *ui.Task) (err error) {
		if err := i.rotateSecrets(ctx, t); err != nil {
			return err
		}
		secret, err = secrets.Ensure(ctx, t, i.Client, i.Config)
		return err
	}); err != nil {
		return secret, outcome, err
	}
	if err := certificate(ctx, t, i.Cluster); err != nil {
		return secret, outcome, err
	}
	if err := t.Do("release", func(t *ui.Task) (err error) {
		outcome, err = h.Apply(ctx, t, i.spec(secret))
		return err
	}); err != nil {
		return secret, outcome, err
	}
	return secret, outcome, t.Do("rollout", func(t *ui.Task) error { return i.rollout(ctx, t, secret) })
}

// rollout waits for the release's pods, and for the end of those that began with other secrets.
func (i *installation) rollout(ctx context.Context, t *ui.Task, secret secrets.Outcome) error {
	if secret.PasswordPending && i.Config.DatabaseURL == "" {
		if err := i.finishPassword(ctx, t); err != nil {
			return err
		}
	}
	if err := i.comesUp(ctx, t); err != nil {
		return err
	}
	return awaitDrained(ctx, t, i.Cluster, secret.Checksum)
}

// check tells whether the application does its work, in all that it does where anything changed.
func (i *installation) check(ctx context.Context, t *ui.Task, changed bool) error {
	if !changed {
		return throughIngress(ctx, t, i.Cluster, smoke.Check)
	}
	return i.works(ctx, t)
}
