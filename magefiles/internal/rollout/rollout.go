// Package rollout watches what a release started until it runs, or until it is plain that it cannot, and says why.
package rollout

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/ui"
	"todo.local/magefiles/internal/words"
)

const (
	// tick is how often problems are looked at where nothing happens in the cluster.
	tick = 500 * time.Millisecond
	// silence is how long the API server may be away.
	silence = 20 * time.Second
	// requestLimit bounds one question to the API server.
	requestLimit = 10 * time.Second
)

// Wait returns when every Deployment and StatefulSet of the release runs what it shall, with nothing of an older
// revision left. A rollout that cannot succeed ends with a *Failure seconds after its cause shows; one that only takes
// long ends with one at the timeout.
func Wait(ctx context.Context, t *ui.Task, client kubernetes.Interface, namespace, release string, timeout time.Duration) error {
	w := &waiter{client: client, namespace: namespace, release: release, judge: newJudge()}
	s, err := w.list(ctx)
	if err != nil {
		return w.unreachable(err)
	}
	if len(s.deployments)+len(s.statefulSets) == 0 {
		return fault.New(fault.CodeRollout, fmt.Sprintf("release %s has no workload in namespace %s", release, namespace), "run: go tool mage deploy")
	}
	if s.done() {
		t.Unchanged("%s", s.summary(nil))
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	return w.watch(ctx, t, timeout)
}

type waiter struct {
	client    kubernetes.Interface
	namespace string
	release   string
	judge     *judge

	room   room
	looked time.Time // for room
}

// watch looks at the release whenever something happens to it.
func (w *waiter) watch(ctx context.Context, t *ui.Task, timeout time.Duration) error {
	c := newCache(w.client, w.namespace, w.selector())
	stop := c.run(ctx)
	defer stop()
	ticker := time.NewTicker(tick)
	defer ticker.Stop()

	for synced := false; ; {
		select {
		case <-ctx.Done():
			if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
				return ctx.Err()
			}
			s := c.state()
			return w.evidence(ctx, s, w.judge.timedOut(s, timeout))
		case <-c.failed:
			if err := w.probe(ctx); err != nil {
				return err
			}
		case <-c.changed:
		case <-ticker.C:
		}
		if synced = synced || c.synced(); !synced {
			continue
		}
		s := c.state()
		if s.done() {
			t.Result("%s", s.summary(nil))
			return nil
		}
		s.room = w.roomNow(ctx, s)
		if f := w.judge.verdict(s, time.Now()); f != nil {
			return w.evidence(ctx, s, f)
		}
		t.Status("%s", s.summary(s.problems()))
	}
}

// probe asks an API server that broke off a watch whether it is there. Watches end for harmless reasons too, and begin
// again by themselves.
func (w *waiter) probe(ctx context.Context) error {
	for deadline := time.Now().Add(silence); ctx.Err() == nil; {
		_, err := w.list(ctx)
		if err == nil {
			return nil
		}
		if ctx.Err() == nil && time.Now().After(deadline) {
			return w.unreachable(err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
	return nil
}

func (w *waiter) unreachable(err error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	return fault.Wrap(err, fault.CodeCluster, "the cluster does not tell how the release is doing", "run: go tool mage doctor cluster:up")
}

func (w *waiter) selector() string { return "app.kubernetes.io/instance=" + w.release }

// list asks for what decides whether the release is done, without the details that explain why not.
func (w *waiter) list(ctx context.Context) (state, error) {
	ctx, cancel := context.WithTimeout(ctx, requestLimit)
	defer cancel()
	var s state
	opts := metav1.ListOptions{LabelSelector: w.selector()}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		list, err := w.client.AppsV1().Deployments(w.namespace).List(ctx, opts)
		if err == nil {
			for i := range list.Items {
				s.deployments = append(s.deployments, &list.Items[i])
			}
		}
		return err
	})
	g.Go(func() error {
		list, err := w.client.AppsV1().StatefulSets(w.namespace).List(ctx, opts)
		if err == nil {
			for i := range list.Items {
				s.statefulSets = append(s.statefulSets, &list.Items[i])
			}
		}
		return err
	})
	return s, g.Wait()
}

// evidence adds to a failure what the pod last said and what happened to it.
func (w *waiter) evidence(ctx context.Context, s state, f *Failure) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), requestLimit)
	defer cancel()
	f.Events = s.eventsOf(f.uid)
	w.nameTaints(ctx, f)
	if f.pod != nil && f.Container != "" {
		f.Log = lastLines(ctx, w.client, f.pod, f.Container, logLines)
		if f.quotesLog() {
			if line := telling(f.Log); line != "" {
				f.Reason += ": " + words.Short(line, 200)
			}
		}
	}
	return f
}

// nameTaints adds to a failure which taints keep pods away, as the scheduler only says that some do. Under pressure a
// node taints itself. Whoever may not look at nodes has to do without.
func (w *waiter) nameTaints(ctx context.Context, f *Failure) {
	if f.Kind != Unschedulable || !strings.Contains(f.Reason, "taint") {
		return
	}
	nodes, err := w.client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return
	}
	for _, n := range nodes.Items {
		for _, t := range n.Spec.Taints {
			if t.Effect == corev1.TaintEffectPreferNoSchedule {
				continue
			}
			f.Reason += "; node " + n.Name + " has " + t.Key
			if strings.HasSuffix(t.Key, "-pressure") {
				f.Kind = NodePressure
			}
		}
	}
}

// roomNow looks for room every few seconds while a pod has no node.
func (w *waiter) roomNow(ctx context.Context, s state) room {
	if s.homeless() && time.Since(w.looked) >= roomEvery {
		w.room, w.looked = lookForRoom(ctx, w.client), time.Now()
	}
	return w.room
}

// summary is how far each workload is, for people, and what it is held up by.
func (s state) summary(problems []problem) string {
	var parts []string
	for _, w := range s.workloads() {
		part := fmt.Sprintf("%s %d/%d", w.name, w.ready, w.wanted)
		if doing := cmp.Or(s.heldUp(w, problems), s.doing(w)); doing != "" && !w.done {
			part += " (" + doing + ")"
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, ", ")
}

// heldUp says what keeps a workload from coming up, or nothing.
func (s state) heldUp(w workload, problems []problem) string {
	for _, p := range problems {
		if p.uid != w.uid && (p.pod == nil || !w.mine(p.pod)) {
			continue
		}
		if p.outlook == stuck {
			return words.Ends(p.Reason, 120)
		}
		return "may mend itself: " + words.Ends(p.Reason, 120)
	}
	return ""
}
