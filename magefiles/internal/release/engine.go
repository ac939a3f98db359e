// Package release installs, upgrades, rolls back and removes Helm releases. It is the only importer of Helm.
//
// Nothing in it waits for pods: that is the business of package rollout, which can say why they do not come up.
package release

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/release"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"todo.local/magefiles/internal/kube"
	"todo.local/magefiles/internal/ui"
)

const (
	// maxHistory is how many revisions of a release are kept.
	maxHistory = 10
	// timeout bounds what Helm does for one operation; it includes no waiting for pods.
	timeout = 2 * time.Minute
	// fingerprintLabel marks a revision with what it was made from.
	fingerprintLabel = "todo.local/fingerprint"
	// verifiedLabel marks a revision that came up and passed its checks. A rollback to one has it from the start: what
	// it is made from was verified.
	verifiedLabel = "todo.local/verified"
)

// Engine works on the releases of one namespace.
type Engine struct {
	namespace string
	client    kubernetes.Interface
	helm      *action.Configuration
	now       func() time.Time // this machine's clock
	// drifted names the objects of a manifest that are missing or differ in the cluster.
	drifted func(ctx context.Context, manifest string) ([]string, error)
}

// Spec is what a release shall be.
type Spec struct {
	Name            string         // of the release
	ChartDir        string         // folder of the chart
	Values          map[string]any // on top of the chart's own; no secrets, as Helm keeps them in the cluster
	CreateNamespace bool           // make the namespace where it is missing
	Description     string         // what the history says of the revision; Helm's own words where empty
}

// Outcome is what became of an Apply.
type Outcome struct {
	Revision int  // the newest revision: the one in force, or where Apply failed the one that it left behind
	Good     int  // the newest that was verified before, which may be the one in force; 0 where none was
	Changed  bool // whether anything had to be done
}

// New connects to a cluster. Releases live in the namespace, their records as Secrets in it.
func New(api kube.API, namespace string) (*Engine, error) {
	g := &getter{api: api, namespace: namespace}
	cfg, err := g.ToRESTConfig()
	if err != nil {
		return nil, err
	}
	client, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return nil, err
	}
	helm := new(action.Configuration)
	debug := func(format string, args ...any) { slog.Debug(fmt.Sprintf(format, args...)) }
	if err := helm.Init(g, namespace, "secret", debug); err != nil {
		return nil, fmt.Errorf("setting up Helm: %w", err)
	}
	e := &Engine{namespace: namespace, client: client, helm: helm, now: time.Now}
	e.drifted = e.compare
	return e, nil
}

// Apply makes the release what spec says: it installs, upgrades, or does nothing where the deployed revision was made
// from the same chart and values and the cluster still agrees with it. Of what comes of it nothing is judged; where it
// shall be, Hold the release.
func (e *Engine) Apply(ctx context.Context, t *ui.Task, spec Spec) (Outcome, error) {
	out, err := e.Preview(ctx, spec)
	if err != nil {
		return Outcome{}, err
	}
	if !out.Changed {
		t.Unchanged("revision %d", out.Revision)
		return out, nil
	}
	if spec.CreateNamespace {
		if err := e.createNamespace(ctx); err != nil {
			return Outcome{}, err
		}
	}
	err = e.Hold(ctx, t, spec.Name, func(ctx context.Context, held *Held) (err error) {
		out, err = held.Apply(ctx, t, spec)
		return err
	})
	return out, err
}

// Preview tells what Apply would find, and in Changed whether it would do anything.
func (e *Engine) Preview(ctx context.Context, spec Spec) (Outcome, error) {
	f, err := e.find(ctx, spec)
	if err != nil {
		return Outcome{}, err
	}
	return Outcome{Revision: version(newest(f.all)), Good: good(f.all), Changed: !f.same}, nil
}

// found is a release next to what it shall be.
type found struct {
	chart   *chart.Chart
	mark    string
	all     []*release.Release
	same    bool     // it was deployed from this chart and these values, and nobody changed or deleted its objects
	drifted []string // the objects that somebody did
}

func (e *Engine) find(ctx context.Context, spec Spec) (f found, err error) {
	if f.chart, err = load(spec.ChartDir, spec.Values); err != nil {
		return f, err
	}
	if f.mark, err = fingerprint(f.chart, spec.Values); err != nil {
		return f, err
	}
	if f.all, err = e.revisions(spec.Name); err != nil {
		return f, err
	}
	last := newest(f.all)
	if last == nil || last.Info.Status != release.StatusDeployed || last.Labels[fingerprintLabel] != f.mark {
		return f, nil
	}
	if f.drifted, err = e.drifted(ctx, last.Manifest); err != nil {
		return f, explain(spec.Name, err)
	}
	f.same = len(f.drifted) == 0
	return f, nil
}

// write installs the release where there is none and upgrades it otherwise. Helm's own Upgrade.Install does not
// install.
func (e *Engine) write(ctx context.Context, t *ui.Task, spec Spec, c *chart.Chart, last *release.Release, mark string) (*release.Release, error) {
	ctx, done := during(ctx)
	defer done()
	labels := map[string]string{fingerprintLabel: mark}
	// Checking against the cluster's OpenAPI documents costs half a second a time; the chart's tests check its objects
	// strictly.
	const unchecked = true
	if last == nil {
		t.Status("installing")
		in := action.NewInstall(e.helm)
		in.ReleaseName, in.Namespace = spec.Name, e.namespace
		in.Labels, in.Timeout, in.DisableOpenAPIValidation, in.Description = labels, timeout, unchecked, spec.Description
		return in.RunWithContext(ctx, c, spec.Values)
	}
	t.Status("upgrading from revision %d", last.Version)
	labels[verifiedLabel] = "null" // Helm hands labels down; this is its word for one that ends here
	up := action.NewUpgrade(e.helm)
	up.Namespace, up.MaxHistory = e.namespace, maxHistory
	up.Labels, up.Timeout, up.DisableOpenAPIValidation, up.Description = labels, timeout, unchecked, spec.Description
	up.ResetValues = true
	return up.RunWithContext(ctx, spec.Name, c, spec.Values)
}

// during gives a context that ends with ctx, but no more after done was called. An upgrade leaves a goroutine behind
// that looks at its context once more: if that has ended by then, Helm marks the upgrade as failed although it was not.
func during(ctx context.Context) (out context.Context, done func()) {
	out, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, cancel)
	return out, func() { stop() }
}

// settle brings a release that an interrupted run left halfway into a state that Helm goes on from, and gives its last
// revision. It is called with the lease held, so that no run which still works on the release can be mistaken for an
// interrupted one.
func (e *Engine) settle(t *ui.Task, name string) (*release.Release, error) {
	last, err := e.last(name)
	if err != nil || last == nil {
		return nil, err
	}
	switch {
	case last.Info.Status.IsPending():
		t.Note("revision %d of %s was interrupted while %s; recovering", last.Version, name, last.Info.Status)
		last.SetStatus(release.StatusFailed, "interrupted")
		return last, e.helm.Releases.Update(last)
	case last.Info.Status == release.StatusUninstalling, last.Info.Status == release.StatusUninstalled:
		t.Note("an interrupted uninstall of %s is finished first", name)
		return nil, e.uninstall(name)
	}
	return last, nil
}

// last gives the latest revision, or nil where there is none.
func (e *Engine) last(name string) (*release.Release, error) {
	all, err := e.revisions(name)
	return newest(all), err
}

func newest(all []*release.Release) *release.Release {
	if len(all) == 0 {
		return nil
	}
	return all[len(all)-1]
}

func (e *Engine) createNamespace(ctx context.Context) error {
	_, err := e.client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: e.namespace}}, metav1.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return kube.Unreachable(err)
	}
	return nil
}

func version(r *release.Release) int {
	if r == nil {
		return 0
	}
	return r.Version
}
