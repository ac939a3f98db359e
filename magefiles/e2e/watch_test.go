//go:build e2e || bench || engines

package e2e

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"
	"time"
)

// watch uses the application all the time, and gives a function that ends that and tells which requests failed.
func watch(t *testing.T, u *user) func() []string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var count atomic.Int64
	done := make(chan []string, 1) // a step that fails does not ask for it
	go func() {
		var failed []string
		for ctx.Err() == nil {
			if err := u.do(ctx, http.MethodGet, "/api/tasks", nil, http.StatusOK, nil); err != nil && ctx.Err() == nil {
				failed = append(failed, time.Now().Format(time.TimeOnly)+" "+err.Error())
			}
			count.Add(1)
			time.Sleep(50 * time.Millisecond)
		}
		done <- failed
	}()
	return func() []string {
		cancel()
		failed := <-done
		t.Logf("%d requests while that ran, %d failed", count.Load(), len(failed))
		return failed
	}
}
