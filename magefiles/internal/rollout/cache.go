package rollout

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	toolscache "k8s.io/client-go/tools/cache"
)

// cache keeps a copy of everything that tells how a release is doing, by watching.
type cache struct {
	release informers.SharedInformerFactory // what carries the release's label
	all     informers.SharedInformerFactory // events carry no labels
	each    []toolscache.SharedIndexInformer
	changed chan struct{} // something happened
	failed  chan struct{} // a watch broke off

	mu     sync.Mutex
	fresh  map[types.UID]bool // events that came in after the beginning
	causes map[string]string  // what was last said of each container's pull
}

func newCache(client kubernetes.Interface, namespace, selector string) *cache {
	c := &cache{
		release: informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithNamespace(namespace),
			informers.WithTweakListOptions(func(o *metav1.ListOptions) { o.LabelSelector = selector })),
		all:     informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithNamespace(namespace)),
		changed: make(chan struct{}, 1),
		failed:  make(chan struct{}, 1),
		fresh:   map[types.UID]bool{},
		causes:  map[string]string{},
	}
	c.each = []toolscache.SharedIndexInformer{
		c.release.Apps().V1().Deployments().Informer(),
		c.release.Apps().V1().StatefulSets().Informer(),
		c.release.Apps().V1().ReplicaSets().Informer(),
		c.release.Core().V1().Pods().Informer(),
		c.release.Core().V1().PersistentVolumeClaims().Informer(),
		c.all.Core().V1().Events().Informer(),
	}
	for _, i := range c.each {
		// Neither can fail before the informers run. Without an error handler, client-go writes to standard error.
		_, _ = i.AddEventHandler(toolscache.ResourceEventHandlerDetailedFuncs{
			AddFunc: func(o any, initial bool) {
				c.note(o, !initial)
				signal(c.changed)
			},
			UpdateFunc: func(_, o any) { c.note(o, true); signal(c.changed) },
			DeleteFunc: func(any) { signal(c.changed) },
		})
		_ = i.SetWatchErrorHandler(func(*toolscache.Reflector, error) { signal(c.failed) })
	}
	return c
}

// note remembers what is not to be seen any more later: which events are news, and why pulls failed, which a pod tells
// only now and then.
func (c *cache) note(o any, news bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch o := o.(type) {
	case *corev1.Event:
		if news {
			c.fresh[o.UID] = true
		}
	case *corev1.Pod:
		for _, status := range slices.Concat(o.Status.InitContainerStatuses, o.Status.ContainerStatuses) {
			if cause := pullCause(status.State.Waiting); cause != "" {
				c.causes[causeKey(o, status.Name)] = cause
			}
		}
	}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// run starts the watches; the function that it gives ends them and waits until they have.
func (c *cache) run(ctx context.Context) func() {
	ctx, cancel := context.WithCancel(ctx)
	c.release.Start(ctx.Done())
	c.all.Start(ctx.Done())
	return func() {
		cancel()
		c.release.Shutdown()
		c.all.Shutdown()
	}
}

func (c *cache) synced() bool {
	for _, i := range c.each {
		if !i.HasSynced() {
			return false
		}
	}
	return true
}

// state is a copy of what is known now. The objects in it are shared and only read.
func (c *cache) state() state {
	// Listing from memory does not fail.
	var s state
	s.deployments, _ = c.release.Apps().V1().Deployments().Lister().List(labels.Everything())
	s.statefulSets, _ = c.release.Apps().V1().StatefulSets().Lister().List(labels.Everything())
	s.replicaSets, _ = c.release.Apps().V1().ReplicaSets().Lister().List(labels.Everything())
	s.pods, _ = c.release.Core().V1().Pods().Lister().List(labels.Everything())
	s.claims, _ = c.release.Core().V1().PersistentVolumeClaims().Lister().List(labels.Everything())
	s.events, _ = c.all.Core().V1().Events().Lister().List(labels.Everything())
	// Memory has no order; what is said of the release shall.
	slices.SortFunc(s.pods, func(a, b *corev1.Pod) int { return cmp.Compare(a.Name, b.Name) })
	c.mu.Lock()
	defer c.mu.Unlock()
	s.fresh, s.causes = maps.Clone(c.fresh), maps.Clone(c.causes)
	return s
}
