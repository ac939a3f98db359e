package release

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	coordination "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"todo.local/magefiles/internal/fault"
)

// another is an engine on the same API server, with a clock that is off.
func (b *bench) another(off time.Duration) *Engine {
	e := *b.Engine
	e.now = func() time.Time { return time.Now().Add(off) }
	return &e
}

func leaseOf(ctx context.Context, t *testing.T, e *Engine) *coordination.Lease {
	t.Helper()
	l, err := e.client.CoordinationV1().Leases("todo").Get(ctx, "app-deploy", metav1.GetOptions{})
	require.NoError(t, err)
	return l
}

// stolen makes another run the holder of a lease that is held.
func stolen(ctx context.Context, t *testing.T, e *Engine) {
	t.Helper()
	l := leaseOf(ctx, t, e)
	holder := "elsewhere:4711:x"
	l.Spec.HolderIdentity = &holder
	_, err := e.client.CoordinationV1().Leases("todo").Update(ctx, l, metav1.UpdateOptions{})
	require.NoError(t, err)
}

// A run applies, tries out and judges as one. Another that comes meanwhile changes the release after that.
func TestNoOtherRunComesBetweenAReleaseAndItsVerdict(t *testing.T) {
	for name, off := range map[string][2]time.Duration{
		"both clocks right":     {0, 0},
		"the first clock ahead": {10 * time.Minute, 0},
		"the second late":       {0, -10 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			spec := func(size int) Spec {
				return Spec{Name: "app", ChartDir: b.chart, Values: map[string]any{"size": size}}
			}
			synctest.Test(t, func(t *testing.T) {
				trying := make(chan struct{})
				var runs sync.WaitGroup
				runs.Go(func() {
					assert.NoError(t, b.another(off[0]).Hold(t.Context(), nil, "app", func(ctx context.Context, h *Held) error {
						out, err := h.Apply(ctx, nil, spec(1))
						assert.NoError(t, err)
						close(trying)
						time.Sleep(time.Minute) // its smoke test
						assert.Equal(t, 1, b.revision(t), "another run came between")
						return h.Verify(ctx, out.Revision)
					}))
				})
				<-trying
				out, err := b.another(off[1]).Apply(t.Context(), nil, spec(2))
				require.NoError(t, err)
				runs.Wait()
				assert.Equal(t, Outcome{Revision: 2, Good: 1, Changed: true}, out)
			})
		})
	}
}

func TestARunThatLostItsLeaseJudgesNothing(t *testing.T) {
	for name, judge := range map[string]func(context.Context, *Held, Outcome) error{
		"good":   func(ctx context.Context, h *Held, out Outcome) error { return h.Verify(ctx, out.Revision) },
		"bad":    func(ctx context.Context, h *Held, out Outcome) error { return h.Rollback(ctx, nil, out.Good) },
		"anew":   func(ctx context.Context, h *Held, _ Outcome) error { _, err := h.Apply(ctx, nil, Spec{}); return err },
		"at all": func(ctx context.Context, h *Held, _ Outcome) error { _, err := h.look(ctx); return err },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.apply(t, nil)
			b.verify(t, 1)
			synctest.Test(t, func(t *testing.T) {
				err := b.hold(t.Context(), func(ctx context.Context, h *Held) error {
					mine, err := h.Apply(ctx, nil, Spec{Name: "app", ChartDir: b.chart, Values: map[string]any{"size": 2}})
					assert.NoError(t, err)
					stolen(ctx, t, b.Engine)
					b.others(ctx, t, 3)
					// It has not noticed yet: the next renewal is seconds away.
					assert.NoError(t, ctx.Err())
					return judge(ctx, h, mine)
				})
				require.EqualError(t, err, "another run (elsewhere:4711:x) took over the release; this one stopped")
			})
			assert.Equal(t, 3, b.revision(t), "nothing was taken back")
			history, err := b.History(t.Context(), "app")
			require.NoError(t, err)
			for _, r := range history {
				assert.Equal(t, r.Revision == 1, r.Verified, "revision %d", r.Revision)
			}
		})
	}
}

// helm upgrade by hand knows no lease.
func TestARevisionOfAnotherIsNotJudged(t *testing.T) {
	b := newBench(t)
	b.apply(t, nil)
	b.verify(t, 1)
	err := b.hold(t.Context(), func(ctx context.Context, h *Held) error {
		mine, err := h.Apply(ctx, nil, Spec{Name: "app", ChartDir: b.chart, Values: map[string]any{"size": 2}})
		require.NoError(t, err)
		b.others(ctx, t, 3)
		const want = "release app is at revision 3, which another run made; this one, at revision 2, stopped"
		require.EqualError(t, h.Rollback(ctx, nil, mine.Good), want)
		require.EqualError(t, h.Verify(ctx, mine.Revision), want)
		return nil
	})
	require.NoError(t, err)
	assert.Equal(t, 3, b.revision(t))

	err = b.hold(t.Context(), func(ctx context.Context, h *Held) error { return h.Verify(ctx, 2) })
	require.EqualError(t, err, "release app is at revision 3, not at 2, which was checked")
	assert.Equal(t, fault.CodeFailed, fault.Code(err))
}

func TestWhatAFailedApplyLeftBehindIsTakenBackByTheSameRun(t *testing.T) {
	b := newBench(t)
	b.apply(t, nil)
	b.verify(t, 1)
	require.NoError(t, b.hold(t.Context(), func(ctx context.Context, h *Held) error {
		b.kube.UpdateError = errors.New("refused")
		out, err := h.Apply(ctx, nil, Spec{Name: "app", ChartDir: b.chart, Values: map[string]any{"size": 2}})
		require.ErrorContains(t, err, "refused")
		assert.Equal(t, Outcome{Revision: 2, Good: 1}, out)
		b.kube.UpdateError = nil
		return h.Rollback(ctx, nil, out.Good)
	}))
	assert.Equal(t, []string{"superseded", "failed", "deployed"}, b.statuses(t))
}

func TestPreviewOnlyLooks(t *testing.T) {
	b := newBench(t)
	spec := Spec{Name: "app", ChartDir: b.chart}
	out, err := b.Preview(t.Context(), spec)
	require.NoError(t, err)
	assert.Equal(t, Outcome{Changed: true}, out)
	b.apply(t, nil)
	b.verify(t, 1)
	before := leaseOf(t.Context(), t, b.Engine)
	out, err = b.Preview(t.Context(), spec)
	require.NoError(t, err)
	assert.Equal(t, Outcome{Revision: 1, Good: 1}, out)
	b.apply(t, nil)
	assert.Equal(t, before, leaseOf(t.Context(), t, b.Engine), "whoever has nothing to do takes no lease")
	b.drift = []string{"configmap/m"}
	out, err = b.Preview(t.Context(), spec)
	require.NoError(t, err)
	assert.Equal(t, Outcome{Revision: 1, Good: 1, Changed: true}, out)
}
