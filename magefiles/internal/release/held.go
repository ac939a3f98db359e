package release

import (
	"context"
	"fmt"
	"maps"

	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/release"

	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/kube"
	"todo.local/magefiles/internal/ui"
)

// Held is a release that this run alone changes and judges.
type Held struct {
	engine *Engine
	name   string
	lease  *kube.Lease
	newest int // the newest revision as this run knows it; 0 until it has looked
}

// Hold runs work while this run, and no other on whatever machine, changes the release. One that is at it is waited
// for. Where the lease is lost, work's context ends, and the error is what happened to it.
func (e *Engine) Hold(ctx context.Context, t *ui.Task, name string, work func(context.Context, *Held) error) error {
	l := kube.NewLease(e.client, e.namespace, name, e.now)
	return l.Hold(ctx, t, func(ctx context.Context) error { return work(ctx, &Held{engine: e, name: name, lease: l}) })
}

// Check tells why this run may not go on, where that is so: it has ended, or another has the lease or changed the
// release.
func (h *Held) Check(ctx context.Context) error {
	_, err := h.look(ctx)
	return err
}

// look is what everything that changes or judges the release begins with. It gives the revisions, or why this run may
// not go on: it has ended, another has the lease, or another has changed the release all the same.
func (h *Held) look(ctx context.Context) ([]*release.Release, error) {
	if err := ctx.Err(); err != nil {
		return nil, explain(h.name, err)
	}
	if err := h.lease.Check(ctx); err != nil {
		return nil, err
	}
	all, err := h.engine.revisions(h.name)
	if err != nil {
		return nil, err
	}
	if now := version(newest(all)); h.newest != 0 && now != h.newest {
		return nil, fault.New(fault.CodeFailed, fmt.Sprintf(
			"release %s is at revision %d, which another run made; this one, at revision %d, stopped", h.name, now, h.newest),
			"run the same command again")
	}
	return all, nil
}

// Apply makes the release what spec says, as Engine.Apply does.
func (h *Held) Apply(ctx context.Context, t *ui.Task, spec Spec) (Outcome, error) {
	if _, err := h.look(ctx); err != nil {
		return Outcome{}, err
	}
	e := h.engine
	f, err := e.find(ctx, spec)
	if err != nil {
		return Outcome{}, err
	}
	out := Outcome{Revision: version(newest(f.all)), Good: good(f.all)}
	h.newest = out.Revision
	if f.same {
		t.Unchanged("revision %d", out.Revision)
		return out, nil
	}
	if len(f.drifted) > 0 {
		t.Note("%s was changed by other means and is put back", list(f.drifted, 3))
	}
	last, err := e.settle(t, h.name)
	if err != nil {
		return out, err
	}
	made, err := e.write(ctx, t, spec, f.chart, last, f.mark)
	if err != nil {
		h.own()
		out.Revision = h.newest
		return out, explain(h.name, err)
	}
	h.newest = made.Version
	out.Revision, out.Changed = made.Version, true
	t.Result("revision %d", made.Version)
	return out, nil
}

// Verify takes note that a revision came up and passed its checks, which makes it one to go back to.
func (h *Held) Verify(ctx context.Context, revision int) error {
	all, err := h.look(ctx)
	if err != nil {
		return err
	}
	if now := version(newest(all)); now != revision {
		return fault.New(fault.CodeFailed, fmt.Sprintf("release %s is at revision %d, not at %d, which was checked", h.name, now, revision),
			"run the same command again")
	}
	r, err := h.engine.helm.Releases.Get(h.name, revision)
	if err != nil {
		return explain(h.name, err)
	}
	labels := map[string]string{verifiedLabel: "true"}
	maps.Copy(labels, r.Labels)
	r.Labels = labels
	if err := h.engine.helm.Releases.Update(r); err != nil {
		return explain(h.name, err)
	}
	return nil
}

// Rollback makes an earlier revision the one in force again, as a new revision. A revision of 0 means the newest one
// that was verified and is made from something else than the present.
func (h *Held) Rollback(ctx context.Context, t *ui.Task, revision int) error {
	if _, err := h.look(ctx); err != nil {
		return err
	}
	e := h.engine
	last, err := e.settle(t, h.name)
	if err != nil {
		return err
	}
	if last == nil {
		return NotInstalled(h.name)
	}
	if revision, err = e.target(h.name, last, revision); err != nil {
		return err
	}
	t.Status("to revision %d", revision)
	back := action.NewRollback(e.helm)
	back.Version, back.Timeout, back.MaxHistory = revision, timeout, maxHistory
	if err := ctx.Err(); err != nil {
		return explain(h.name, err)
	}
	if err := back.Run(h.name); err != nil {
		h.own()
		return explain(h.name, err)
	}
	h.newest = last.Version + 1
	t.Result("revision %d again, as revision %d", revision, h.newest)
	return nil
}

// own takes what an operation that failed left behind for this run's.
func (h *Held) own() {
	if all, err := h.engine.revisions(h.name); err == nil {
		h.newest = version(newest(all))
	}
}
