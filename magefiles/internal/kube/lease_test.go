package kube

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	coordination "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/fake"
	clienttest "k8s.io/client-go/testing"

	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/kubetest"
	"todo.local/magefiles/internal/ui"
)

// bench is an API server, and the runs that use the lease of one release on it.
type bench struct{ client *fake.Clientset }

func newBench() *bench { return &bench{client: kubetest.NewClientset()} }

// run is the lease as one run sees it, with a clock that is off.
func (b *bench) run(off time.Duration) *Lease {
	return NewLease(b.client, "todo", "app", func() time.Time { return time.Now().Add(off) })
}

func (b *bench) hold(ctx context.Context, work func(context.Context) error) error {
	return b.run(0).Hold(ctx, nil, work)
}

// killed takes the lease as a run that is killed right after.
func (b *bench) killed(t *testing.T, off time.Duration, self, machine string) {
	t.Helper()
	l := b.run(off)
	l.self, l.machine = self, machine
	_, err := l.acquire(t.Context(), nil)
	require.NoError(t, err)
}

func (b *bench) lease(ctx context.Context, t *testing.T) *coordination.Lease {
	t.Helper()
	l, err := b.client.CoordinationV1().Leases("todo").Get(ctx, "app-deploy", metav1.GetOptions{})
	require.NoError(t, err)
	return l
}

func nothing(context.Context) error { return nil }

// clocks are how far the clock of one run is off, and that of the other.
var clocks = map[string][2]time.Duration{
	"both right":      {0, 0},
	"the first ahead": {10 * time.Minute, 0},
	"the first late":  {-10 * time.Minute, 0},
	"the second late": {0, -10 * time.Minute},
	"a second ahead":  {0, 10 * time.Minute},
}

func TestTheLeaseIsHeldDuringWorkAndGivenBack(t *testing.T) {
	b := newBench()
	failed := errors.New("work failed")
	var holders []string
	for range 2 {
		err := b.hold(t.Context(), func(ctx context.Context) error {
			holders = append(holders, holderOf(b.lease(ctx, t)))
			return failed
		})
		require.ErrorIs(t, err, failed)
		assert.Empty(t, holderOf(b.lease(t.Context(), t)))
	}
	assert.Contains(t, holders[0], fmt.Sprintf(":%d:", os.Getpid()))
	assert.NotEqual(t, holders[0], holders[1], "two runs of one process are two")
}

func TestTwoRunsDoNotOverlapWhateverTheirClocksShow(t *testing.T) {
	for name, off := range clocks {
		t.Run(name, func(t *testing.T) {
			b := newBench()
			synctest.Test(t, func(t *testing.T) {
				var at atomic.Int32
				start := time.Now()
				var runs sync.WaitGroup
				for _, o := range off {
					runs.Go(func() {
						assert.NoError(t, b.run(o).Hold(t.Context(), nil, func(context.Context) error {
							assert.EqualValues(t, 1, at.Add(1), "both are at work")
							time.Sleep(2 * time.Minute)
							at.Add(-1)
							return nil
						}))
					})
				}
				runs.Wait()
				assert.LessOrEqual(t, time.Since(start), 4*time.Minute+leaseLook, "the second goes on when the first has ended")
			})
		})
	}
}

func TestARunThatWasKilledElsewhereIsWaitedForOnce(t *testing.T) {
	for name, off := range clocks {
		t.Run(name, func(t *testing.T) {
			b := newBench()
			synctest.Test(t, func(t *testing.T) {
				b.killed(t, off[0], "elsewhere:1:x", "another machine")
				time.Sleep(time.Hour) // how old the record looks is nobody's measure
				start := time.Now()
				require.NoError(t, b.run(off[1]).Hold(t.Context(), nil, nothing))
				assert.Equal(t, leaseDuration, time.Since(start))
			})
		})
	}
}

func TestARunThatWasKilledHereIsNotWaitedFor(t *testing.T) {
	if machine() == "" {
		t.Skip("this system does not tell machines apart")
	}
	gone := os.Getpid() // becomes that of a process that does not exist
	for alive(fmt.Sprintf("here:%d:x", gone)) {
		gone++
	}
	b := newBench()
	synctest.Test(t, func(t *testing.T) {
		b.killed(t, 0, fmt.Sprintf("here:%d:x", gone), machine())
		start := time.Now()
		require.NoError(t, b.hold(t.Context(), nothing))
		assert.Zero(t, time.Since(start))

		// Another machine may have a process of that number.
		b.killed(t, 0, fmt.Sprintf("here:%d:x", gone), "another machine")
		start = time.Now()
		require.NoError(t, b.hold(t.Context(), nothing))
		assert.Equal(t, leaseDuration, time.Since(start))
	})
}

func TestAnAnswerThatWasLostIsNotAnotherRun(t *testing.T) {
	b := newBench()
	synctest.Test(t, func(t *testing.T) {
		require.NoError(t, b.hold(t.Context(), nothing))
		l := b.run(0)
		_, err := l.acquire(t.Context(), nil) // the API server took it, and the answer did not come through
		require.NoError(t, err)
		start := time.Now()
		_, err = l.acquire(t.Context(), nil)
		require.NoError(t, err)
		assert.Zero(t, time.Since(start))
	})
}

func TestARunThatWasFasterIsWaitedFor(t *testing.T) {
	leases := schema.GroupResource{Resource: "leases"}
	for verb, cause := range map[string]error{
		"create": apierrors.NewAlreadyExists(leases, "app-deploy"),
		"update": apierrors.NewConflict(leases, "app-deploy", errors.New("changed")),
	} {
		t.Run(verb, func(t *testing.T) {
			b := newBench()
			if verb == "update" {
				require.NoError(t, b.hold(t.Context(), nothing))
			}
			b.client.PrependReactor(verb, "leases", func(clienttest.Action) (bool, runtime.Object, error) { return true, nil, cause })
			holder, _, err := b.run(0).try(t.Context(), new(sighting))
			require.NoError(t, err)
			assert.Equal(t, "one that began just now", holder)
		})
	}
}

func TestAWaitingRunSaysForWhomAndSinceWhen(t *testing.T) {
	b := newBench()
	synctest.Test(t, func(t *testing.T) {
		var screen bytes.Buffer
		var runs sync.WaitGroup
		runs.Go(func() {
			assert.NoError(t, b.run(-time.Hour).Hold(t.Context(), nil, func(context.Context) error {
				time.Sleep(5 * time.Minute)
				return nil
			}))
		})
		time.Sleep(4 * time.Minute)
		require.NoError(t, ui.Plain(&screen).Do("release", func(task *ui.Task) error {
			return b.run(0).Hold(t.Context(), task, nothing)
		}))
		runs.Wait()
		assert.Regexp(t, `another run \(\S+:\d+:\w+\) works on the release, for (3m5\ds|4m) by now; waiting for it`, screen.String())
	})
}

func TestWaitingEnds(t *testing.T) {
	b := newBench()
	synctest.Test(t, func(t *testing.T) {
		started, end := make(chan struct{}), make(chan struct{})
		var runs sync.WaitGroup
		runs.Go(func() {
			assert.NoError(t, b.hold(t.Context(), func(context.Context) error {
				close(started)
				<-end
				return nil
			}))
		})
		<-started
		late := func(context.Context) error { t.Error("it went ahead"); return nil }
		soon, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		require.ErrorIs(t, b.hold(soon, late), context.DeadlineExceeded)

		start := time.Now()
		err := b.hold(t.Context(), late)
		assert.Regexp(t, `^another run \(\S+\) has worked on the release for 16m`, err)
		assert.NotEmpty(t, fault.Remedy(err))
		assert.InDelta(t, leasePatience, time.Since(start), float64(2*leaseLook))
		close(end)
		runs.Wait()
	})
}
