package release

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/release"
	"helm.sh/helm/v3/pkg/releaseutil"
	"helm.sh/helm/v3/pkg/storage/driver"

	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/kube"
	"todo.local/magefiles/internal/ui"
)

// Revision is one entry of a release's history.
type Revision struct {
	Revision    int
	Status      string // Helm's word: deployed, superseded, failed, pending-…
	Updated     time.Time
	Description string
	Verified    bool // whether it came up and passed its checks
}

// History gives the revisions of a release, the oldest first; none where it is not installed.
func (e *Engine) History(_ context.Context, name string) ([]Revision, error) {
	all, err := e.revisions(name)
	if err != nil {
		return nil, err
	}
	out := make([]Revision, len(all))
	for i, r := range all {
		out[i] = Revision{Revision: r.Version, Status: string(r.Info.Status), Updated: r.Info.LastDeployed.Time, Description: short(r.Info.Description),
			Verified: verified(r)}
	}
	return out, nil
}

// NotInstalled is what a target says that needs a release where there is none.
func NotInstalled(name string) error {
	return fault.New(fault.CodeInput, "release "+name+" is not installed", "run: go tool mage deploy")
}

// revisions gives all that are kept, the oldest first.
func (e *Engine) revisions(name string) ([]*release.Release, error) {
	all, err := e.helm.Releases.History(name)
	if errors.Is(err, driver.ErrReleaseNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, kube.Unreachable(err)
	}
	releaseutil.SortByRevision(all)
	return all, nil
}

func verified(r *release.Release) bool { return r.Labels[verifiedLabel] == "true" }

// good gives the number of the newest revision that was verified, or 0.
func good(all []*release.Release) int {
	for _, r := range slices.Backward(all) {
		if verified(r) {
			return r.Version
		}
	}
	return 0
}

// target checks the revision to go back to, or finds it.
func (e *Engine) target(name string, last *release.Release, revision int) (int, error) {
	all, err := e.revisions(name)
	if err != nil {
		return 0, err
	}
	for _, r := range slices.Backward(all) {
		wanted := r.Version == revision
		if revision == 0 {
			wanted = r.Version < last.Version && verified(r) && r.Labels[fingerprintLabel] != last.Labels[fingerprintLabel]
		}
		if wanted {
			return r.Version, nil
		}
	}
	what := fmt.Sprintf("release %s has no revision %d", name, revision)
	if revision == 0 {
		what = fmt.Sprintf("release %s has no earlier version that came up and could be gone back to", name)
	}
	return 0, fault.New(fault.CodeInput, what, "choose one from: go tool mage release:history")
}

// Uninstall removes a release with its history. What its chart says to keep, and the volumes of its databases, stay.
func (e *Engine) Uninstall(ctx context.Context, t *ui.Task, name string) error {
	last, err := e.last(name)
	if err != nil {
		return err
	}
	if last == nil {
		t.Unchanged("not installed")
		return nil
	}
	return e.Hold(ctx, t, name, func(ctx context.Context, held *Held) error {
		if _, err := held.look(ctx); err != nil {
			return err
		}
		t.Status("uninstalling revision %d", last.Version)
		if err := e.uninstall(name); err != nil {
			return explain(name, err)
		}
		t.Result("uninstalled")
		return nil
	})
}

func (e *Engine) uninstall(name string) error {
	un := action.NewUninstall(e.helm)
	un.IgnoreNotFound, un.Timeout = true, timeout
	_, err := un.Run(name)
	return err
}
