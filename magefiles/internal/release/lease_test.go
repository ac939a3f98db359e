package release

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
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

func TestOnlyOneOfTwoTakesAFreeLease(t *testing.T) {
	b := newBench(t)
	require.NoError(t, b.exclusively(t.Context(), nil, "app", func(context.Context) error { return nil }))
	results := make(chan string, 8)
	for i := range cap(results) {
		go func() {
			l := b.lease("app")
			l.self = fmt.Sprintf("host-%d:%d", i, os.Getpid())
			holder, _, _ := l.try(context.Background())
			results <- holder
		}()
	}
	won := 0
	for range cap(results) {
		if <-results == "" {
			won++
		}
	}
	// The fake API server does not compare resource versions; what it tells is that a held lease is seen as held.
	assert.GreaterOrEqual(t, won, 1)
}
