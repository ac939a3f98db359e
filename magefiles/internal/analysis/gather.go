package analysis

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	metrics "k8s.io/metrics/pkg/client/clientset/versioned"

	"todo.local/magefiles/internal/fault"
)

// gatherLimit bounds a look at everything.
const gatherLimit = 10 * time.Second

// Where tells what to look at.
type Where struct {
	Client           kubernetes.Interface
	Metrics          metrics.Interface // nil where there is none
	Namespace        string
	Release          string // the value of app.kubernetes.io/instance
	IngressNamespace string // where the ingress controller is known to run
}

// Gather takes a snapshot. What may not be looked at is left out, and with it what could be found there; the release's
// own objects have to be seen.
func Gather(ctx context.Context, w Where) (*Snapshot, error) {
	ctx, cancel := context.WithTimeout(ctx, gatherLimit)
	defer cancel()
	s := &Snapshot{Now: time.Now(), Namespace: w.Namespace, IngressNamespace: w.IngressNamespace}
	ours := metav1.ListOptions{LabelSelector: "app.kubernetes.io/instance=" + w.Release}
	var must, may errgroup.Group
	w.workloads(ctx, &must, s, ours)
	w.around(ctx, &may, s, ours)
	if err := must.Wait(); err != nil {
		_ = may.Wait() // its parts keep what they get to themselves
		return nil, fault.Wrap(err, fault.CodeCluster, "the cluster does not tell how the application is doing", "run: go tool mage doctor cluster:up")
	}
	s.Logs = w.logs(ctx, s.Pods)
	return s, may.Wait()
}

// workloads lists what the release runs.
func (w Where) workloads(ctx context.Context, g *errgroup.Group, s *Snapshot, ours metav1.ListOptions) {
	c, ns := w.Client, w.Namespace
	g.Go(func() error {
		l, err := c.AppsV1().Deployments(ns).List(ctx, ours)
		if err == nil {
			s.Deployments = l.Items
		}
		return err
	})
	g.Go(func() error {
		l, err := c.AppsV1().StatefulSets(ns).List(ctx, ours)
		if err == nil {
			s.StatefulSets = l.Items
		}
		return err
	})
	g.Go(func() error {
		l, err := c.AppsV1().ReplicaSets(ns).List(ctx, ours)
		if err == nil {
			s.ReplicaSets = l.Items
		}
		return err
	})
	g.Go(func() error {
		l, err := c.CoreV1().Pods(ns).List(ctx, ours)
		if err == nil {
			s.Pods = l.Items
		}
		return err
	})
	g.Go(func() error {
		l, err := c.CoreV1().Events(ns).List(ctx, metav1.ListOptions{})
		if err == nil {
			s.Events = l.Items
		}
		return err
	})
}

// around lists what the release stands in. Whoever may not see a part of that does without.
func (w Where) around(ctx context.Context, g *errgroup.Group, s *Snapshot, ours metav1.ListOptions) {
	c, ns, all := w.Client, w.Namespace, metav1.ListOptions{}
	look := func(part func()) { g.Go(func() error { part(); return nil }) }
	look(func() {
		if l, err := c.CoreV1().Services(ns).List(ctx, ours); err == nil {
			s.Services = l.Items
		}
	})
	look(func() {
		l, err := c.NetworkingV1().Ingresses(metav1.NamespaceAll).List(ctx, all)
		if err != nil {
			l, err = c.NetworkingV1().Ingresses(ns).List(ctx, all)
		}
		if err == nil {
			s.Ingresses = l.Items
		}
	})
	look(func() {
		if l, err := c.NetworkingV1().IngressClasses().List(ctx, all); err == nil {
			s.IngressClasses = []string{}
			for _, class := range l.Items {
				s.IngressClasses = append(s.IngressClasses, class.Name)
			}
		}
	})
	look(func() {
		if l, err := c.NetworkingV1().NetworkPolicies(ns).List(ctx, all); err == nil {
			s.NetworkPolicies = l.Items
		}
	})
	look(func() {
		if l, err := c.AutoscalingV2().HorizontalPodAutoscalers(ns).List(ctx, all); err == nil {
			s.Autoscalers = l.Items
		}
	})
	look(func() {
		if l, err := c.PolicyV1().PodDisruptionBudgets(ns).List(ctx, all); err == nil {
			s.Budgets = l.Items
		}
	})
	look(func() {
		if l, err := c.CoreV1().ResourceQuotas(ns).List(ctx, all); err == nil {
			s.Quotas = l.Items
		}
	})
	look(func() {
		if l, err := c.CoreV1().ConfigMaps(ns).List(ctx, all); err == nil {
			s.ConfigMaps = l.Items
		}
	})
	look(func() {
		if l, err := c.CoreV1().PersistentVolumeClaims(ns).List(ctx, all); err == nil {
			s.Claims = l.Items
		}
	})
	look(func() {
		if l, err := c.CoreV1().Secrets(ns).List(ctx, all); err == nil {
			s.Secrets = facts(l.Items)
		}
	})
	look(func() {
		if l, err := c.CoreV1().Nodes().List(ctx, all); err == nil {
			s.Nodes = l.Items
		}
	})
	look(func() {
		if n, err := c.CoreV1().Namespaces().Get(ctx, ns, metav1.GetOptions{}); err == nil {
			s.NamespaceEnds = n.Status.Phase == corev1.NamespaceTerminating
		}
	})
	look(func() {
		if l, err := c.CoordinationV1().Leases(corev1.NamespaceNodeLease).List(ctx, all); err == nil {
			for _, lease := range l.Items {
				if lease.Spec.RenewTime != nil {
					s.ClockAhead = max(s.ClockAhead, time.Until(lease.Spec.RenewTime.Time))
				}
			}
		}
	})
	look(func() {
		if w.Metrics == nil {
			return
		}
		if l, err := w.Metrics.MetricsV1beta1().PodMetricses(ns).List(ctx, all); err == nil {
			s.Usage = map[string]corev1.ResourceList{}
			for _, p := range l.Items {
				for _, used := range p.Containers {
					s.Usage[p.Name+"/"+used.Name] = used.Usage
				}
			}
		}
	})
}
