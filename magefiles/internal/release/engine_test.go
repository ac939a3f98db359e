package release

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/chartutil"
	kubefake "helm.sh/helm/v3/pkg/kube/fake"
	"helm.sh/helm/v3/pkg/release"
	"helm.sh/helm/v3/pkg/storage"
	"helm.sh/helm/v3/pkg/storage/driver"

	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/kubetest"
	"todo.local/magefiles/internal/ui"
)

// bench is an engine on Helm's own memory storage and a cluster that takes everything.
type bench struct {
	*Engine
	kube  *kubefake.FailingKubeClient
	chart string
	drift []string
}

func newBench(t *testing.T) *bench {
	t.Helper()
	memory := driver.NewMemory()
	memory.SetNamespace("todo")
	b := &bench{kube: &kubefake.FailingKubeClient{PrintingKubeClient: kubefake.PrintingKubeClient{Out: io.Discard, LogOutput: io.Discard}}, chart: t.TempDir()}
	b.Engine = &Engine{namespace: "todo", now: time.Now, client: kubetest.NewClientset(), helm: &action.Configuration{
		Releases: storage.Init(memory), KubeClient: b.kube, Capabilities: chartutil.DefaultCapabilities, Log: func(string, ...any) {},
	}}
	b.drifted = func(context.Context, string) ([]string, error) { return b.drift, nil }
	b.file(t, "Chart.yaml", "{apiVersion: v2, name: small, version: 0.1.0}")
	b.file(t, "values.yaml", "{size: 1, deep: {host: a}}")
	b.file(t, "values.schema.json", `{"type": "object", "additionalProperties": false, "properties": {"size": {"type": "integer", "minimum": 1},
		"deep": {"type": "object", "additionalProperties": false, "properties": {"host": {"anyOf": [{"type": "string", "pattern": "^[a-z]+$"}, {"type": "null"}]}}}}}`)
	b.file(t, "templates/map.yaml", "{apiVersion: v1, kind: ConfigMap, metadata: {name: m}, data: {size: \"{{ .Values.size }}\"}}")
	return b
}

func (b *bench) file(t *testing.T, name, content string) {
	t.Helper()
	path := filepath.Join(b.chart, name)
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(content), 0o644))
}

func (b *bench) apply(t *testing.T, values map[string]any) Outcome {
	t.Helper()
	out, err := b.Apply(t.Context(), nil, Spec{Name: "app", ChartDir: b.chart, Values: values})
	require.NoError(t, err)
	return out
}

func (b *bench) statuses(t *testing.T) []string {
	t.Helper()
	history, err := b.History(t.Context(), "app")
	require.NoError(t, err)
	var out []string
	for _, r := range history {
		out = append(out, r.Status)
	}
	return out
}

func (b *bench) verify(t *testing.T, revision int) {
	t.Helper()
	require.NoError(t, b.hold(t.Context(), func(ctx context.Context, h *Held) error { return h.Verify(ctx, revision) }))
}

func (b *bench) hold(ctx context.Context, work func(context.Context, *Held) error) error {
	return b.Hold(ctx, nil, "app", work)
}

func (b *bench) rollback(t *testing.T, revision int) error {
	t.Helper()
	return b.hold(t.Context(), func(ctx context.Context, h *Held) error { return h.Rollback(ctx, nil, revision) })
}

func (b *bench) revision(t *testing.T) int {
	t.Helper()
	last, err := b.last("app")
	require.NoError(t, err)
	return version(last)
}

// others makes a revision as somebody does who knows no lease.
func (b *bench) others(ctx context.Context, t *testing.T, size int) {
	t.Helper()
	values := map[string]any{"size": size}
	c, err := load(b.chart, values)
	require.NoError(t, err)
	last, err := b.last("app")
	require.NoError(t, err)
	_, err = b.write(ctx, nil, Spec{Name: "app", Values: values}, c, last, "theirs")
	require.NoError(t, err)
}

// leave puts the last revision into a state, as a run that was killed leaves it.
func (b *bench) leave(t *testing.T, status release.Status) {
	t.Helper()
	r, err := b.helm.Releases.Last("app")
	require.NoError(t, err)
	r.SetStatus(status, "…")
	require.NoError(t, b.helm.Releases.Update(r))
}

func TestApplyInstallsThenDoesNothingThenUpgrades(t *testing.T) {
	b := newBench(t)
	assert.Equal(t, Outcome{Revision: 1, Changed: true}, b.apply(t, nil))
	assert.Equal(t, Outcome{Revision: 1}, b.apply(t, nil), "not verified yet")
	b.verify(t, 1)
	assert.Equal(t, Outcome{Revision: 1, Good: 1}, b.apply(t, nil))
	assert.Equal(t, Outcome{Revision: 2, Good: 1, Changed: true}, b.apply(t, map[string]any{"size": 2}))
	assert.Equal(t, Outcome{Revision: 2, Good: 1}, b.apply(t, map[string]any{"size": 2}), "a revision inherits no verification")
	b.verify(t, 2)
	b.file(t, "templates/map.yaml", "{apiVersion: v1, kind: ConfigMap, metadata: {name: other}}")
	assert.Equal(t, Outcome{Revision: 3, Good: 2, Changed: true}, b.apply(t, map[string]any{"size": 2}))
	assert.Equal(t, []string{"superseded", "superseded", "deployed"}, b.statuses(t))
}

func TestApplySaysWhetherAnythingChanged(t *testing.T) {
	b := newBench(t)
	for _, want := range []string{"✓ release: revision 1", "= release: revision 1"} {
		var out bytes.Buffer
		require.NoError(t, ui.Plain(&out).Do("release", func(task *ui.Task) error {
			_, err := b.Apply(t.Context(), task, Spec{Name: "app", ChartDir: b.chart})
			return err
		}))
		assert.Contains(t, out.String(), want)
	}
}

func TestApplyPutsBackWhatOthersChanged(t *testing.T) {
	b := newBench(t)
	b.apply(t, nil)
	b.drift = []string{"configmap/m"}
	var screen bytes.Buffer
	require.NoError(t, ui.Plain(&screen).Do("release", func(task *ui.Task) error {
		out, err := b.Apply(t.Context(), task, Spec{Name: "app", ChartDir: b.chart})
		assert.True(t, out.Changed)
		return err
	}))
	assert.Contains(t, screen.String(), "configmap/m was changed by other means and is put back")
}

func TestApplyRecoversWhatAKilledRunLeft(t *testing.T) {
	for status, want := range map[release.Status][]string{
		release.StatusPendingInstall:  {"superseded", "deployed"},
		release.StatusPendingUpgrade:  {"superseded", "deployed"},
		release.StatusPendingRollback: {"superseded", "deployed"},
		release.StatusFailed:          {"superseded", "deployed"},
		release.StatusUninstalling:    {"deployed"},
	} {
		t.Run(string(status), func(t *testing.T) {
			b := newBench(t)
			b.apply(t, nil)
			b.leave(t, status)
			out := b.apply(t, nil)
			assert.True(t, out.Changed)
			assert.Equal(t, "deployed", b.statuses(t)[len(want)-1])
			assert.Len(t, b.statuses(t), len(want))
		})
	}
}

func TestApplyAfterAnInterruptedUpgradeKnowsWhatServes(t *testing.T) {
	b := newBench(t)
	b.apply(t, nil)
	b.verify(t, 1)
	b.kube.UpdateError = errors.New("killed")
	_, err := b.Apply(t.Context(), nil, Spec{Name: "app", ChartDir: b.chart, Values: map[string]any{"size": 2}})
	require.Error(t, err)
	assert.Equal(t, "release app: killed", err.Error())
	b.kube.UpdateError = nil
	b.leave(t, release.StatusPendingUpgrade)
	out := b.apply(t, map[string]any{"size": 3})
	assert.Equal(t, Outcome{Revision: 3, Good: 1, Changed: true}, out)
	assert.Equal(t, []string{"superseded", "failed", "deployed"}, b.statuses(t))
}

func TestAFailedInstallIsUpgraded(t *testing.T) {
	b := newBench(t)
	b.apply(t, nil)
	b.leave(t, release.StatusFailed)
	assert.Equal(t, Outcome{Revision: 2, Changed: true}, b.apply(t, nil), "nothing was in force before")
}

func TestBadValuesAreOneLineAndTouchNothing(t *testing.T) {
	for want, values := range map[string]map[string]any{
		"values of chart small: size: got string, want integer":                                {"size": "two"},
		"values of chart small: unknown: sise":                                                 {"sise": 2},
		"values of chart small: deep: unknown: hots":                                           {"deep": map[string]any{"hots": "a"}},
		"values of chart small: deep.host: 'A' does not match pattern '^[a-z]+$'":              {"deep": map[string]any{"host": "A"}},
		"values of chart small: deep.host: 'A' does not match pattern '^[a-z]+$' (and 1 more)": {"deep": map[string]any{"host": "A"}, "size": 0},
	} {
		t.Run(want, func(t *testing.T) {
			b := newBench(t)
			_, err := b.Apply(t.Context(), nil, Spec{Name: "app", ChartDir: b.chart, Values: values})
			require.Error(t, err)
			assert.Equal(t, want, err.Error())
			assert.Equal(t, fault.CodeInput, fault.Code(err))
			assert.Contains(t, fault.Remedy(err), "values.yaml")
			assert.Empty(t, b.statuses(t))
		})
	}
}

func TestABrokenChartIsOneLine(t *testing.T) {
	for name, k := range map[string]struct{ file, content, want string }{
		"not a chart":   {"Chart.yaml", "", "cannot be read"},
		"calls fail":    {"templates/map.yaml", `{{ fail "set a size" }}`, "template map.yaml: set a size"},
		"no template":   {"templates/map.yaml", `{{ .Values.size`, "template map.yaml: unclosed action"},
		"no such field": {"templates/map.yaml", `{{ .Values.a.b.c }}`, "template map.yaml: executing \"small/templates/map.yaml\" at <.Values.a.b.c>: nil pointer"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.file(t, k.file, k.content)
			_, err := b.Apply(t.Context(), nil, Spec{Name: "app", ChartDir: b.chart})
			require.Error(t, err)
			assert.Contains(t, err.Error(), k.want)
			assert.NotContains(t, err.Error(), "\n")
			assert.Equal(t, fault.CodeInput, fault.Code(err))
			assert.NotEmpty(t, fault.Remedy(err))
		})
	}
}

func TestApplyMakesTheNamespaceWhereAsked(t *testing.T) {
	b := newBench(t)
	for range 2 {
		_, err := b.Apply(t.Context(), nil, Spec{Name: "app", ChartDir: b.chart, CreateNamespace: true})
		require.NoError(t, err)
		b.leave(t, release.StatusFailed)
	}
}

func TestAnInterruptedRunSaysSo(t *testing.T) {
	b := newBench(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := b.Apply(ctx, nil, Spec{Name: "app", ChartDir: b.chart})
	assert.Equal(t, fault.CodeInterrupted, fault.Code(err))
}

func TestAnInterruptEndsAnOperationAndNothingAfterIt(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	made, done := during(ctx)
	done()
	cancel()
	assert.NoError(t, made.Err(), "an upgrade that was made is not marked as failed later")

	ctx, cancel = context.WithCancel(t.Context())
	running, done := during(ctx)
	defer done()
	cancel()
	<-running.Done()
}

func TestRollback(t *testing.T) {
	b := newBench(t)
	for size := 1; size <= 4; size++ {
		out := b.apply(t, map[string]any{"size": size})
		if size != 4 { // it never came up
			b.verify(t, out.Revision)
		}
	}
	require.NoError(t, b.rollback(t, 1))
	r, err := b.helm.Releases.Last("app")
	require.NoError(t, err)
	assert.Equal(t, 5, r.Version)
	assert.Contains(t, r.Manifest, `size: "1"`)
	assert.Equal(t, Outcome{Revision: 5, Good: 5}, b.apply(t, map[string]any{"size": 1}), "what was rolled back to needs no release")

	require.NoError(t, b.rollback(t, 0))
	r, err = b.helm.Releases.Last("app")
	require.NoError(t, err)
	assert.Contains(t, r.Manifest, `size: "3"`, "the newest other one that came up")

	err = b.rollback(t, 99)
	require.Error(t, err)
	assert.Equal(t, "release app has no revision 99", err.Error())
	assert.Equal(t, fault.CodeInput, fault.Code(err))
}

func TestRollbackWithNothingToGoBackTo(t *testing.T) {
	b := newBench(t)
	require.ErrorContains(t, b.rollback(t, 0), "is not installed")
	b.apply(t, nil)
	b.apply(t, map[string]any{"size": 2})
	require.ErrorContains(t, b.rollback(t, 0), "no earlier version", "none was verified")
}

// A run that is killed between a rollout that failed and the restoration leaves the bad revision as the deployed one.
func TestABadRevisionThatWasLeftIsNotTheOneToRestore(t *testing.T) {
	b := newBench(t)
	b.apply(t, nil)
	b.verify(t, 1)
	b.apply(t, map[string]any{"size": 2})
	assert.Equal(t, Outcome{Revision: 2, Good: 1}, b.apply(t, map[string]any{"size": 2}))
	assert.Equal(t, Outcome{Revision: 3, Good: 1, Changed: true}, b.apply(t, map[string]any{"size": 3}))
	history, err := b.History(t.Context(), "app")
	require.NoError(t, err)
	for _, r := range history {
		assert.Equal(t, r.Revision == 1, r.Verified, r.Revision)
	}
}

func TestImagesAreThoseOfEveryKeptRevision(t *testing.T) {
	b := newBench(t)
	for _, image := range []string{"todo-a:1", `"todo-a@sha256:2"`} {
		b.file(t, "templates/pod.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n    - image: "+image+"\n      name: a\n")
		b.apply(t, nil)
	}
	images, err := b.Images("app")
	require.NoError(t, err)
	assert.Equal(t, []string{"todo-a:1", "todo-a@sha256:2"}, images)
}

func TestHistoryIsBounded(t *testing.T) {
	b := newBench(t)
	for size := 1; size <= maxHistory+3; size++ {
		b.apply(t, map[string]any{"size": size})
	}
	history, err := b.History(t.Context(), "app")
	require.NoError(t, err)
	assert.Len(t, history, maxHistory)
	assert.Equal(t, maxHistory+3, history[maxHistory-1].Revision)
	assert.WithinDuration(t, time.Now(), history[0].Updated, time.Minute)
}

func TestUninstallTwice(t *testing.T) {
	b := newBench(t)
	b.apply(t, nil)
	require.NoError(t, b.Uninstall(t.Context(), nil, "app"))
	assert.Empty(t, b.statuses(t))
	require.NoError(t, b.Uninstall(t.Context(), nil, "app"))
	assert.Equal(t, Outcome{Revision: 1, Changed: true}, b.apply(t, nil))
}
