package release

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/fake"
	clienttest "k8s.io/client-go/testing"

	"todo.local/magefiles/internal/ui"
)

func holderOf(t *testing.T, e *Engine) string {
	t.Helper()
	l, err := e.client.CoordinationV1().Leases("todo").Get(t.Context(), "app-deploy", metav1.GetOptions{})
	require.NoError(t, err)
	return *l.Spec.HolderIdentity
}

// hold makes another run the holder of the lease.
func hold(t *testing.T, e *Engine, self, machine string, since time.Time) {
	t.Helper()
	l := e.lease("app")
	l.self, l.machine, l.now = self, machine, func() time.Time { return since }
	holder, _, err := l.try(t.Context())
	require.NoError(t, err)
	require.Empty(t, holder)
}

func TestTheLeaseIsHeldDuringWorkAndGivenBack(t *testing.T) {
	b := newBench(t)
	failed := errors.New("work failed")
	for range 2 {
		err := b.exclusively(t.Context(), nil, "app", func(context.Context) error {
			assert.Contains(t, holderOf(t, b.Engine), fmt.Sprint(os.Getpid()))
			return failed
		})
		require.ErrorIs(t, err, failed)
		assert.Empty(t, holderOf(t, b.Engine))
	}
}

func TestAnotherRunIsWaitedFor(t *testing.T) {
	b := newBench(t)
	hold(t, b.Engine, "elsewhere:1", "another machine", time.Now())
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err := b.exclusively(ctx, nil, "app", func(context.Context) error { t.Error("it went ahead"); return nil })
	require.ErrorIs(t, err, context.DeadlineExceeded)
	assert.Equal(t, "elsewhere:1", holderOf(t, b.Engine))
}

func TestAKilledRunDoesNotStandInTheWay(t *testing.T) {
	gone := os.Getpid() // becomes that of a process that does not exist
	for ; alive(fmt.Sprintf("here:%d", gone)); gone++ {
	}
	for name, k := range map[string]struct {
		self, machine string
		since         time.Time
	}{
		"its lease ran out":        {"elsewhere:1", "another machine", time.Now().Add(-leaseDuration - time.Second)},
		"its process is gone here": {fmt.Sprintf("here:%d", gone), machine(), time.Now()},
	} {
		t.Run(name, func(t *testing.T) {
			if k.machine == "" {
				t.Skip("this system does not tell machines apart")
			}
			b := newBench(t)
			hold(t, b.Engine, k.self, k.machine, k.since)
			worked := false
			require.NoError(t, b.exclusively(t.Context(), nil, "app", func(context.Context) error { worked = true; return nil }))
			assert.True(t, worked)
		})
	}
}

func TestALiveRunOfThisMachineIsRespected(t *testing.T) {
	b := newBench(t)
	hold(t, b.Engine, fmt.Sprintf("here:%d", os.Getpid()), machine(), time.Now())
	l := b.lease("app")
	holder, since, err := l.try(t.Context())
	require.NoError(t, err)
	assert.NotEmpty(t, holder)
	assert.WithinDuration(t, time.Now(), since, time.Minute)
}

func TestARunThatWasFasterIsWaitedFor(t *testing.T) {
	for verb, cause := range map[string]error{
		"create": apierrors.NewAlreadyExists(schema.GroupResource{Resource: "leases"}, "app-deploy"),
		"update": apierrors.NewConflict(schema.GroupResource{Resource: "leases"}, "app-deploy", errors.New("changed")),
	} {
		t.Run(verb, func(t *testing.T) {
			b := newBench(t)
			if verb == "update" {
				require.NoError(t, b.exclusively(t.Context(), nil, "app", func(context.Context) error { return nil }))
			}
			b.client.(*fake.Clientset).PrependReactor(verb, "leases", func(clienttest.Action) (bool, runtime.Object, error) { return true, nil, cause })
			holder, _, err := b.lease("app").try(t.Context())
			require.NoError(t, err)
			assert.Equal(t, "a run that began just now", holder)
		})
	}
}

func TestAWaitingRunSaysForWhom(t *testing.T) {
	b := newBench(t)
	hold(t, b.Engine, "elsewhere:1", "another machine", time.Now().Add(500*time.Millisecond-leaseDuration))
	var screen bytes.Buffer
	require.NoError(t, ui.Plain(&screen).Do("release", func(task *ui.Task) error {
		return b.exclusively(t.Context(), task, "app", func(context.Context) error { return nil })
	}))
	assert.Contains(t, screen.String(), "another run (elsewhere:1) works on the release; waiting for it")
}

func TestWorkEndsWhenTheLeaseIsLost(t *testing.T) {
	b := newBench(t)
	l := b.lease("app")
	hold(t, b.Engine, "elsewhere:1", "another machine", time.Now())
	ctx, cancel := context.WithCancelCause(t.Context())
	l.renewal = time.Millisecond
	l.renew(ctx, cancel)
	require.ErrorContains(t, context.Cause(ctx), "another run took over the release")
}
