package deploy

import (
	"context"
	"errors"
	"slices"

	"todo.local/magefiles/internal/app"
	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/release"
	"todo.local/magefiles/internal/secrets"
	"todo.local/magefiles/internal/session"
	"todo.local/magefiles/internal/ui"
)

// developing is what the history says of a revision in development mode. None is ever verified, so that whatever goes
// back to a good version, the next deploy's recovery too, passes it over.
const developing = "development mode"

// Development is the deployed application with services that take changes of their code while they run.
type Development struct {
	session.Cluster
	Images   Application // of all services
	Revision int         // of the release that it is
	Good     int         // the revision that passed its checks, to which it goes back

	comesUp func(context.Context, *ui.Task) error // whether the rollout succeeds
}

// Develop puts services of the application that is deployed into development mode: their images are those of the stage
// that takes changes, on one pod each. Everything else stays as deploy has it.
func Develop(ctx context.Context, base session.Session, of []app.Service) (d Development, err error) {
	err = base.Exclusively(ctx, func() error {
		d, err = develop(ctx, base, of)
		return err
	})
	return d, err
}

func develop(ctx context.Context, base session.Session, of []app.Service) (d Development, err error) {
	s, err := base.OpenSource(ctx)
	if err != nil {
		return d, err
	}
	provider := s.ChooseProvider(ctx)
	if d.Cluster, err = s.Connect(ctx, provider); err != nil {
		return d, err
	}
	d.comesUp = d.AwaitRollout
	platform, err := platformOf(ctx, s, provider)
	if err != nil {
		return d, err
	}
	services := inCluster(s.Config)
	for i := range services {
		if slices.Contains(app.Names(of), services[i].Name) {
			services[i].Target = services[i].Develop.Target
		}
	}
	d.Images, err = images(ctx, s, services, platform, loadedBy(provider))
	if err != nil {
		return d, err
	}
	helm, err := release.New(d.Access.API, d.Config.Namespace)
	if err != nil {
		return d, err
	}
	err = s.UI.Do("Development mode", func(t *ui.Task) error {
		return helm.Hold(ctx, t, config.ReleaseName, func(ctx context.Context, h *release.Held) error {
			if err := present(ctx, t, s, d.Images); err != nil {
				return err
			}
			return d.begin(ctx, t, h, of)
		})
	})
	return d, err
}

// begin puts the mode in force, or leaves the version in force that was deployed.
func (d *Development) begin(ctx context.Context, t *ui.Task, h held, of []app.Service) error {
	secret, err := secrets.Preview(ctx, d.Client, d.Config)
	if err != nil {
		return err
	}
	v := values(d.Config, d.Images, secret, d.Access)
	for _, service := range of {
		develops(d.Config, service, entry(v, service.Entry()...))
	}
	outcome, err := h.Apply(ctx, t, release.Spec{Name: config.ReleaseName, ChartDir: d.Config.Chart("todo-app"), Values: v, Description: developing})
	d.Revision, d.Good = outcome.Revision, outcome.Good
	if err == nil {
		err = t.Do("rollout", func(t *ui.Task) error { return d.comesUp(ctx, t) })
	}
	if err == nil || outcome == (release.Outcome{}) { // nothing was written: what served does
		return err
	}
	ctx = context.WithoutCancel(ctx)
	if lost := h.Check(ctx); lost != nil {
		return errors.Join(err, lost) // what is in force may be another run's
	}
	return errors.Join(err, d.back(ctx, t, h))
}

// develops tells the chart what differs in development mode, besides the image. One pod: whoever looks at what was
// saved a moment ago must not meet another that has not taken it yet.
func develops(cfg *config.Config, service app.Service, v map[string]any) {
	v["replicas"] = 1
	v["autoscaling"] = map[string]any{"enabled": false}
	for name, path := range service.Develop.Folders {
		entry(v, "folders")[name] = map[string]any{"path": path, "sizeLimit": "1Gi"}
	}
	entry(v, "resources", "limits")["memory"] = service.Develop.Memory
	if probe := service.Develop.Probe; probe != "" {
		v["probes"] = map[string]any{"startup": probe, "liveness": probe, "readiness": probe}
	}
	v["extraEnv"] = []any{map[string]any{"name": "DEVELOP_HOST", "value": cfg.Host}}
}

// End puts the version back that was deployed last, unless another run has deployed meanwhile.
func (d Development) End(ctx context.Context, base session.Session) error {
	return base.Exclusively(ctx, func() error {
		helm, err := release.New(d.Access.API, d.Config.Namespace)
		if err != nil {
			return err
		}
		return base.UI.Do("The version that was deployed", func(t *ui.Task) error {
			return helm.Hold(ctx, t, config.ReleaseName, func(ctx context.Context, h *release.Held) error {
				current, err := d.Current(ctx)
				if err != nil {
					return err
				}
				if !current {
					t.Unchanged("another run has deployed meanwhile")
					return nil
				}
				return d.back(ctx, t, h)
			})
		})
	})
}

// Current tells whether the application is still in this development mode.
func (d Development) Current(ctx context.Context) (bool, error) {
	helm, err := release.New(d.Access.API, d.Config.Namespace)
	if err != nil {
		return false, err
	}
	history, err := helm.History(ctx, config.ReleaseName)
	return len(history) > 0 && history[len(history)-1].Revision == d.Revision, err
}

func (d Development) back(ctx context.Context, t *ui.Task, h held) error {
	if d.Good == 0 {
		return fault.New(fault.CodeRollout, "no version has passed its checks that could be put back", "run: go tool mage deploy")
	}
	if err := h.Rollback(ctx, t, d.Good); err != nil {
		return err
	}
	return t.Do("rollout", func(t *ui.Task) error { return d.comesUp(ctx, t) })
}

// noteDevelopment says that the development mode ends that a run of dev left on, as one that was killed does.
func noteDevelopment(ctx context.Context, t *ui.Task, helm *release.Engine) {
	history, err := helm.History(ctx, config.ReleaseName)
	if err == nil && len(history) > 0 && history[len(history)-1].Description == developing {
		t.Note("the application is in development mode, which ends with this")
	}
}
