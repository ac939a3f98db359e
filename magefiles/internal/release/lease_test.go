package release

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
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/fake"
	clientv1 "k8s.io/client-go/kubernetes/typed/coordination/v1"
	clienttest "k8s.io/client-go/testing"

	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/ui"
)

// another is an engine on the same API server, with a clock that is off.
func (b *bench) another(off time.Duration) *Engine {
	e := *b.Engine
	e.now = func() time.Time { return time.Now().Add(off) }
	return &e
}

// killed takes the lease as a run that is killed right after.
func killed(t *testing.T, e *Engine, self, machine string) {
	t.Helper()
	l := e.lease("app")
	l.self, l.machine = self, machine
	_, err := l.acquire(t.Context(), nil)
	require.NoError(t, err)
}

func leaseOf(t *testing.T, e *Engine) *coordination.Lease {
	t.Helper()
	l, err := e.client.CoordinationV1().Leases("todo").Get(t.Context(), "app-deploy", metav1.GetOptions{})
	require.NoError(t, err)
	return l
}

func nothing(context.Context, *Held) error { return nil }

// clocks are how far the clock of one run is off, and that of the other.
var clocks = map[string][2]time.Duration{
	"both right":      {0, 0},
	"the first ahead": {10 * time.Minute, 0},
	"the first late":  {-10 * time.Minute, 0},
	"the second late": {0, -10 * time.Minute},
	"a second ahead":  {0, 10 * time.Minute},
}

func TestTheLeaseIsHeldDuringWorkAndGivenBack(t *testing.T) {
	b := newBench(t)
	failed := errors.New("work failed")
	var holders []string
	for range 2 {
		err := b.hold(t.Context(), func(context.Context, *Held) error {
			holders = append(holders, holderOf(leaseOf(t, b.Engine)))
			return failed
		})
		require.ErrorIs(t, err, failed)
		assert.Empty(t, holderOf(leaseOf(t, b.Engine)))
	}
	assert.Contains(t, holders[0], fmt.Sprintf(":%d:", os.Getpid()))
	assert.NotEqual(t, holders[0], holders[1], "two runs of one process are two")
}

func TestTwoRunsDoNotOverlapWhateverTheirClocksShow(t *testing.T) {
	for name, off := range clocks {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			synctest.Test(t, func(t *testing.T) {
				var at atomic.Int32
				work := func(context.Context, *Held) error {
					assert.EqualValues(t, 1, at.Add(1), "both are at work")
					time.Sleep(2 * time.Minute)
					at.Add(-1)
					return nil
				}
				start := time.Now()
				var runs sync.WaitGroup
				for _, o := range off {
					runs.Go(func() { assert.NoError(t, b.another(o).Hold(t.Context(), nil, "app", work)) })
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
			b := newBench(t)
			synctest.Test(t, func(t *testing.T) {
				killed(t, b.another(off[0]), "elsewhere:1:x", "another machine")
				time.Sleep(time.Hour) // how old the record looks is nobody's measure
				start := time.Now()
				require.NoError(t, b.another(off[1]).Hold(t.Context(), nil, "app", nothing))
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
	for ; alive(fmt.Sprintf("here:%d:x", gone)); gone++ {
	}
	b := newBench(t)
	synctest.Test(t, func(t *testing.T) {
		killed(t, b.Engine, fmt.Sprintf("here:%d:x", gone), machine())
		start := time.Now()
		require.NoError(t, b.hold(t.Context(), nothing))
		assert.Zero(t, time.Since(start))

		// Another machine may have a process of that number.
		killed(t, b.Engine, fmt.Sprintf("here:%d:x", gone), "another machine")
		start = time.Now()
		require.NoError(t, b.hold(t.Context(), nothing))
		assert.Equal(t, leaseDuration, time.Since(start))
	})
}

func TestAnAnswerThatWasLostIsNotAnotherRun(t *testing.T) {
	b := newBench(t)
	synctest.Test(t, func(t *testing.T) {
		require.NoError(t, b.hold(t.Context(), nothing))
		l := b.lease("app")
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
			b := newBench(t)
			if verb == "update" {
				require.NoError(t, b.hold(t.Context(), nothing))
			}
			b.client.(*fake.Clientset).PrependReactor(verb, "leases", func(clienttest.Action) (bool, runtime.Object, error) { return true, nil, cause })
			holder, _, err := b.lease("app").try(t.Context(), new(sighting))
			require.NoError(t, err)
			assert.Equal(t, "one that began just now", holder)
		})
	}
}

func TestAWaitingRunSaysForWhomAndSinceWhen(t *testing.T) {
	b := newBench(t)
	synctest.Test(t, func(t *testing.T) {
		var screen bytes.Buffer
		var runs sync.WaitGroup
		runs.Go(func() {
			assert.NoError(t, b.another(-time.Hour).Hold(t.Context(), nil, "app", func(context.Context, *Held) error {
				time.Sleep(5 * time.Minute)
				return nil
			}))
		})
		time.Sleep(4 * time.Minute)
		require.NoError(t, ui.Plain(&screen).Do("release", func(task *ui.Task) error {
			return b.Hold(t.Context(), task, "app", nothing)
		}))
		runs.Wait()
		assert.Regexp(t, `another run \(\S+:\d+:\w+\) works on the release, for (3m5\ds|4m) by now; waiting for it`, screen.String())
	})
}

func TestWaitingEnds(t *testing.T) {
	b := newBench(t)
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		started := make(chan struct{})
		var runs sync.WaitGroup
		runs.Go(func() {
			assert.NoError(t, b.hold(t.Context(), func(context.Context, *Held) error {
				close(started)
				<-ctx.Done()
				return nil
			}))
		})
		<-started
		late := func(context.Context, *Held) error { t.Error("it went ahead"); return nil }
		soon, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		require.ErrorIs(t, b.hold(soon, late), context.DeadlineExceeded)

		start := time.Now()
		err := b.hold(t.Context(), late)
		assert.Regexp(t, `^another run \(\S+\) has worked on the release for 16m`, err)
		assert.NotEmpty(t, fault.Remedy(err))
		assert.InDelta(t, leasePatience, time.Since(start), float64(2*leaseLook))
		cancel()
		runs.Wait()
	})
}

// link is the way to an API server, which can be cut.
type link struct {
	kubernetes.Interface
	cut atomic.Bool
}

func (l *link) CoordinationV1() clientv1.CoordinationV1Interface {
	return linkedCoordination{l.Interface.CoordinationV1(), l}
}

type linkedCoordination struct {
	clientv1.CoordinationV1Interface
	link *link
}

func (c linkedCoordination) Leases(namespace string) clientv1.LeaseInterface {
	return linkedLeases{c.CoordinationV1Interface.Leases(namespace), c.link}
}

type linkedLeases struct {
	clientv1.LeaseInterface
	link *link
}

// Get gets no answer while the way is cut.
func (l linkedLeases) Get(ctx context.Context, name string, opts metav1.GetOptions) (*coordination.Lease, error) {
	if l.link.cut.Load() {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return l.LeaseInterface.Get(ctx, name, opts)
}

func TestARunThatIsCutOffStopsBeforeAnotherTakesOver(t *testing.T) {
	for name, off := range clocks {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			synctest.Test(t, func(t *testing.T) {
				way := &link{Interface: b.client}
				first := b.another(off[0])
				first.client, first.machine = way, "another machine"
				var stopped, began time.Time
				var runs sync.WaitGroup
				runs.Go(func() {
					err := first.Hold(t.Context(), nil, "app", func(ctx context.Context, h *Held) error {
						time.Sleep(time.Minute)
						way.cut.Store(true)
						<-ctx.Done()
						stopped = time.Now()
						return errors.Join(ctx.Err(), h.Verify(ctx, 1))
					})
					assert.ErrorContains(t, err, "the cluster did not answer for 10s, after which another run may work on the release: context deadline exceeded")
					assert.Equal(t, fault.CodeCluster, fault.Code(err))
				})
				time.Sleep(30 * time.Second)
				require.NoError(t, b.another(off[1]).Hold(t.Context(), nil, "app", func(context.Context, *Held) error {
					began = time.Now()
					return nil
				}))
				runs.Wait()
				assert.Less(t, stopped, began)
				assert.LessOrEqual(t, began.Sub(stopped), leaseDuration)
			})
		})
	}
}

func TestARenewalThatFailsIsTriedAgain(t *testing.T) {
	b := newBench(t)
	synctest.Test(t, func(t *testing.T) {
		failures := 2
		b.client.(*fake.Clientset).PrependReactor("update", "leases", func(clienttest.Action) (bool, runtime.Object, error) {
			failures--
			return failures >= 0, nil, errors.New("connection reset")
		})
		require.NoError(t, b.hold(t.Context(), func(ctx context.Context, h *Held) error {
			time.Sleep(time.Minute)
			_, err := h.look(ctx)
			return err
		}))
		assert.Negative(t, failures)
	})
}

// stolen makes another run the holder of a lease that is held.
func stolen(t *testing.T, e *Engine) {
	t.Helper()
	l := leaseOf(t, e)
	holder := "elsewhere:4711:x"
	l.Spec.HolderIdentity = &holder
	_, err := e.client.CoordinationV1().Leases("todo").Update(t.Context(), l, metav1.UpdateOptions{})
	require.NoError(t, err)
}

func TestWorkEndsWhenTheLeaseIsLost(t *testing.T) {
	for name, lose := range map[string]struct {
		how  func(*testing.T, *Engine)
		want string
	}{
		"to another": {stolen, "another run (elsewhere:4711:x) took over the release; this one stopped"},
		"for it is deleted": {func(t *testing.T, e *Engine) {
			require.NoError(t, e.client.CoordinationV1().Leases("todo").Delete(t.Context(), "app-deploy", metav1.DeleteOptions{}))
		}, "another run took over the release; this one stopped"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			synctest.Test(t, func(t *testing.T) {
				err := b.hold(t.Context(), func(ctx context.Context, _ *Held) error {
					lose.how(t, b.Engine)
					<-ctx.Done()
					return ctx.Err()
				})
				require.EqualError(t, err, lose.want)
				assert.Equal(t, fault.CodeFailed, fault.Code(err), "nobody interrupted it")
				assert.NotEmpty(t, fault.Remedy(err))
			})
		})
	}
}

func TestMissingRightsAreNamed(t *testing.T) {
	for verb := range map[string]bool{"get": true, "create": true, "update": true} {
		b := newBench(t)
		if verb == "update" {
			require.NoError(t, b.hold(t.Context(), nothing))
		}
		b.client.(*fake.Clientset).PrependReactor(verb, "leases", func(clienttest.Action) (bool, runtime.Object, error) {
			return true, nil, apierrors.NewForbidden(schema.GroupResource{Group: "coordination.k8s.io", Resource: "leases"}, "app-deploy", errors.New("no"))
		})
		err := b.hold(t.Context(), nothing)
		require.ErrorContains(t, err, "this user may not use leases in namespace todo", verb)
		assert.NotContains(t, err.Error(), "\n")
		assert.Equal(t, fault.CodeCluster, fault.Code(err))
		assert.Contains(t, fault.Remedy(err), "get, create and update")
	}
}

func TestANamespaceThatIsMissingHasNoRelease(t *testing.T) {
	b := newBench(t)
	b.client.(*fake.Clientset).PrependReactor("create", "leases", func(clienttest.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewNotFound(corev1.Resource("namespaces"), "todo")
	})
	err := b.hold(t.Context(), nothing)
	require.EqualError(t, err, "there is no namespace todo, and so no release in it")
	assert.Equal(t, fault.CodeInput, fault.Code(err))
}
