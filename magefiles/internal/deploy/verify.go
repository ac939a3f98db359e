package deploy

import (
	"context"
	"net"
	"strconv"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"

	"todo.local/magefiles/internal/app"
	"todo.local/magefiles/internal/cluster"
	"todo.local/magefiles/internal/kube"
	"todo.local/magefiles/internal/session"
	"todo.local/magefiles/internal/smoke"
	"todo.local/magefiles/internal/ui"
)

// tunnelPatience is how long the way to a pod may take to open.
const tunnelPatience = 10 * time.Second

// verify tells whether the released version does its work: through the ingress as a user, and the new backend by
// itself. Behind the ingress the pods of the version before may go on answering until they have ended, and would pass
// for the new ones, or fail for them.
func verify(ctx context.Context, t *ui.Task, c session.Cluster) error {
	var through, itself error
	var wg sync.WaitGroup
	wg.Go(func() { through = throughIngress(ctx, t, c, smoke.Run) })
	wg.Go(func() {
		itself = t.Do("new backend", func(t *ui.Task) error { return askNewBackend(ctx, t, c) })
	})
	wg.Wait()
	switch {
	case itself != nil:
		return itself
	case through == nil || ctx.Err() != nil:
		return through
	}
	t.Note("the smoke test failed, perhaps at a pod of the version before; it is repeated once those have ended")
	if err := awaitEnd(ctx, t, c, app.Built(), "of the version before", func(p corev1.Pod) bool { return p.DeletionTimestamp != nil }); err != nil {
		if ctx.Err() != nil {
			return err
		}
		t.Note("%v", err)
		return through
	}
	return throughIngress(ctx, t, c, smoke.Run)
}

// askNewBackend uses the application at its newest backend pod. Where no way leads there, as for want of permission,
// the ingress has to do.
func askNewBackend(ctx context.Context, t *ui.Task, c session.Cluster) error {
	pod, err := kube.NewestPod(ctx, c.Client, c.Config.Namespace, app.Backend)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	open, closed := make(chan int, 1), make(chan error, 1)
	go func() {
		closed <- c.Access.Forward(ctx, c.Config.Namespace, pod, 0, app.Backend.Port, func(local int) { open <- local })
	}()
	patience := time.NewTimer(tunnelPatience)
	defer patience.Stop()
	select {
	case port := <-open:
		return smoke.Backend(ctx, t, smoke.Target{Addr: net.JoinHostPort(cluster.Loopback, strconv.Itoa(port)), Host: c.Config.Host})
	case err := <-closed:
		t.Note("%s could only be asked through the ingress: %v", pod, err)
	case <-patience.C:
		t.Note("%s could only be asked through the ingress: no way to it opened within %s", pod, tunnelPatience)
	}
	return ctx.Err()
}
