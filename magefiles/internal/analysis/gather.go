package analysis

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	metricsv1beta1 "k8s.io/metrics/pkg/apis/metrics/v1beta1"
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

// listing makes a list and hands over what it brings.
func listing[L any](ctx context.Context, list func(context.Context, metav1.ListOptions) (L, error), o metav1.ListOptions, take func(L)) func() error {
	return func() error {
		l, err := list(ctx, o)
		if err == nil {
			take(l)
		}
		return err
	}
}

// workloads lists what the release runs.
func (w Where) workloads(ctx context.Context, g *errgroup.Group, s *Snapshot, ours metav1.ListOptions) {
	c, ns := w.Client, w.Namespace
	g.Go(listing(ctx, c.AppsV1().Deployments(ns).List, ours, func(l *appsv1.DeploymentList) { s.Deployments = l.Items }))
	g.Go(listing(ctx, c.AppsV1().StatefulSets(ns).List, ours, func(l *appsv1.StatefulSetList) { s.StatefulSets = l.Items }))
	g.Go(listing(ctx, c.AppsV1().ReplicaSets(ns).List, ours, func(l *appsv1.ReplicaSetList) { s.ReplicaSets = l.Items }))
	g.Go(listing(ctx, c.CoreV1().Pods(ns).List, ours, func(l *corev1.PodList) { s.Pods = l.Items }))
	g.Go(listing(ctx, c.CoreV1().Events(ns).List, metav1.ListOptions{}, func(l *corev1.EventList) { s.Events = l.Items }))
}

// around lists what the release stands in. Whoever may not see a part of that does without.
func (w Where) around(ctx context.Context, g *errgroup.Group, s *Snapshot, ours metav1.ListOptions) {
	c, ns, all := w.Client, w.Namespace, metav1.ListOptions{}
	look := func(part func() error) { g.Go(func() error { _ = part(); return nil }) }
	look(listing(ctx, c.CoreV1().Services(ns).List, ours, func(l *corev1.ServiceList) { s.Services = l.Items }))
	look(func() error {
		take := func(l *networkingv1.IngressList) { s.Ingresses = l.Items }
		if listing(ctx, c.NetworkingV1().Ingresses(metav1.NamespaceAll).List, all, take)() == nil {
			return nil
		}
		return listing(ctx, c.NetworkingV1().Ingresses(ns).List, all, take)()
	})
	look(listing(ctx, c.NetworkingV1().IngressClasses().List, all, func(l *networkingv1.IngressClassList) {
		s.IngressClasses = []string{}
		for _, class := range l.Items {
			s.IngressClasses = append(s.IngressClasses, class.Name)
		}
	}))
	look(listing(ctx, c.NetworkingV1().NetworkPolicies(ns).List, all, func(l *networkingv1.NetworkPolicyList) { s.NetworkPolicies = l.Items }))
	look(listing(ctx, c.AutoscalingV2().HorizontalPodAutoscalers(ns).List, all,
		func(l *autoscalingv2.HorizontalPodAutoscalerList) { s.Autoscalers = l.Items }))
	look(listing(ctx, c.PolicyV1().PodDisruptionBudgets(ns).List, all, func(l *policyv1.PodDisruptionBudgetList) { s.Budgets = l.Items }))
	look(listing(ctx, c.CoreV1().ResourceQuotas(ns).List, all, func(l *corev1.ResourceQuotaList) { s.Quotas = l.Items }))
	look(listing(ctx, c.CoreV1().ConfigMaps(ns).List, all, func(l *corev1.ConfigMapList) { s.ConfigMaps = l.Items }))
	look(listing(ctx, c.CoreV1().PersistentVolumeClaims(ns).List, all, func(l *corev1.PersistentVolumeClaimList) { s.Claims = l.Items }))
	look(listing(ctx, c.CoreV1().Secrets(ns).List, all, func(l *corev1.SecretList) { s.Secrets = facts(l.Items) }))
	look(listing(ctx, c.CoreV1().Nodes().List, all, func(l *corev1.NodeList) { s.Nodes = l.Items }))
	look(func() error {
		n, err := c.CoreV1().Namespaces().Get(ctx, ns, metav1.GetOptions{})
		s.NamespaceEnds = err == nil && n.Status.Phase == corev1.NamespaceTerminating
		return err
	})
	look(listing(ctx, c.CoordinationV1().Leases(corev1.NamespaceNodeLease).List, all, func(l *coordinationv1.LeaseList) {
		for _, lease := range l.Items {
			if lease.Spec.RenewTime != nil {
				s.ClockAhead = max(s.ClockAhead, time.Until(lease.Spec.RenewTime.Time))
			}
		}
	}))
	if w.Metrics == nil {
		return
	}
	look(listing(ctx, w.Metrics.MetricsV1beta1().PodMetricses(ns).List, all, func(l *metricsv1beta1.PodMetricsList) {
		s.Usage = map[string]corev1.ResourceList{}
		for _, p := range l.Items {
			for _, used := range p.Containers {
				s.Usage[p.Name+"/"+used.Name] = used.Usage
			}
		}
	}))
}
