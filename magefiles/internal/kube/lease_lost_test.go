package kube

import (
	"context"
	"errors"
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
	clientv1 "k8s.io/client-go/kubernetes/typed/coordination/v1"
	clienttest "k8s.io/client-go/testing"

	"todo.local/magefiles/internal/fault"
)

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
			b := newBench()
			synctest.Test(t, func(t *testing.T) {
				way := &link{Interface: b.client}
				first := NewLease(way, "todo", "app", func() time.Time { return time.Now().Add(off[0]) })
				first.machine = "another machine"
				var stopped, began time.Time
				var runs sync.WaitGroup
				runs.Go(func() {
					err := first.Hold(t.Context(), nil, func(ctx context.Context) error {
						time.Sleep(time.Minute)
						way.cut.Store(true)
						<-ctx.Done()
						stopped = time.Now()
						return ctx.Err()
					})
					assert.ErrorContains(t, err, "the cluster did not answer for 10s, after which another run may work on the release: context deadline exceeded")
					assert.Equal(t, fault.CodeCluster, fault.Code(err))
				})
				time.Sleep(30 * time.Second)
				require.NoError(t, b.run(off[1]).Hold(t.Context(), nil, func(context.Context) error {
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
	b := newBench()
	synctest.Test(t, func(t *testing.T) {
		failures := 2
		b.client.PrependReactor("update", "leases", func(clienttest.Action) (bool, runtime.Object, error) {
			failures--
			return failures >= 0, nil, errors.New("connection reset")
		})
		l := b.run(0)
		require.NoError(t, l.Hold(t.Context(), nil, func(ctx context.Context) error {
			time.Sleep(time.Minute)
			return l.Check(ctx)
		}))
		assert.Negative(t, failures)
	})
}

// stolen makes another run the holder of a lease that is held.
func (b *bench) stolen(t *testing.T) {
	t.Helper()
	l := b.lease(t.Context(), t)
	holder := "elsewhere:4711:x"
	l.Spec.HolderIdentity = &holder
	_, err := b.client.CoordinationV1().Leases("todo").Update(t.Context(), l, metav1.UpdateOptions{})
	require.NoError(t, err)
}

func TestWorkEndsWhenTheLeaseIsLost(t *testing.T) {
	for name, lose := range map[string]struct {
		how  func(*bench, *testing.T)
		want string
	}{
		"to another": {(*bench).stolen, "another run (elsewhere:4711:x) took over the release; this one stopped"},
		"for it is deleted": {func(b *bench, t *testing.T) {
			require.NoError(t, b.client.CoordinationV1().Leases("todo").Delete(t.Context(), "app-deploy", metav1.DeleteOptions{}))
		}, "another run took over the release; this one stopped"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench()
			synctest.Test(t, func(t *testing.T) {
				err := b.hold(t.Context(), func(ctx context.Context) error {
					lose.how(b, t)
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
		b := newBench()
		if verb == "update" {
			require.NoError(t, b.hold(t.Context(), nothing))
		}
		b.client.PrependReactor(verb, "leases", func(clienttest.Action) (bool, runtime.Object, error) {
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
	b := newBench()
	b.client.PrependReactor("create", "leases", func(clienttest.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewNotFound(corev1.Resource("namespaces"), "todo")
	})
	err := b.hold(t.Context(), nothing)
	require.EqualError(t, err, "there is no namespace todo, and so no release in it")
	assert.Equal(t, fault.CodeInput, fault.Code(err))
}
