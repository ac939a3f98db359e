// Package podlog reads the logs of pods, several at once and as they are written.
package podlog

import (
	"bufio"
	"context"
	"errors"
	"io"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// look is how often Follow looks for pods that are new, such as those of a rollout.
const look = 2 * time.Second

// patience is how long Follow looks past an API that does not answer, once it did: logs that are open go on meanwhile.
const patience = 30 * time.Second

// maxLine is the longest line that is kept whole.
const maxLine = 1 << 20

// Line is one line of the log of one container of a pod.
type Line struct {
	Pod, Container, Text string
}

// Query says which logs to read.
type Query struct {
	Namespace string
	Selector  string    // label selector of the pods
	Lines     int64     // of each pod, from the end
	Since     time.Time // in place of so many: what was written from then on

	// Container names the container of a pod that is of interest. Others may be beside it, such as a mesh's proxy.
	Container func(*corev1.Pod) string
}

// container picks the one to read now: the one that the query names, or the init container that a pod has not got past.
func (q Query) container(p *corev1.Pod) string {
	for _, c := range p.Spec.InitContainers {
		sidecar := c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways
		if !sidecar && !ended(p, c.Name) {
			return c.Name
		}
	}
	name := q.Container(p)
	if !slices.ContainsFunc(p.Spec.Containers, func(c corev1.Container) bool { return c.Name == name }) {
		name = p.Spec.Containers[0].Name
	}
	return name
}

// ended tells whether an init container is through.
func ended(p *corev1.Pod, container string) bool {
	return slices.ContainsFunc(p.Status.InitContainerStatuses, func(c corev1.ContainerStatus) bool {
		return c.Name == container && c.State.Terminated != nil && c.State.Terminated.ExitCode == 0
	})
}

// running tells whether a container of a pod runs.
func running(p *corev1.Pod, container string) bool {
	return slices.ContainsFunc(slices.Concat(p.Status.InitContainerStatuses, p.Status.ContainerStatuses), func(c corev1.ContainerStatus) bool {
		return c.Name == container && c.State.Running != nil
	})
}

// Read gives the last lines of every pod that the query selects, pod after pod. Of a pod that has not got as far as a
// log it gives a line that says so.
func Read(ctx context.Context, client kubernetes.Interface, q Query, emit func(Line)) error {
	pods, err := client.CoreV1().Pods(q.Namespace).List(ctx, metav1.ListOptions{LabelSelector: q.Selector})
	if err != nil {
		return err
	}
	for i := range pods.Items {
		p := &pods.Items[i]
		container := q.container(p)
		err := stream(ctx, client, p, &corev1.PodLogOptions{Container: container, TailLines: &q.Lines}, emit)
		if apierrors.IsBadRequest(err) {
			emit(Line{p.Name, container, "(no log yet: " + err.Error() + ")"})
			continue
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Follow gives the last lines of every pod, then new ones as they come, also of pods that start later, until ctx ends,
// or the API does not answer any more. emit gets one at a time.
func Follow(ctx context.Context, client kubernetes.Interface, q Query, emit func(Line)) error {
	var mu sync.Mutex
	var wg sync.WaitGroup
	defer wg.Wait()
	ctx, cancel := context.WithCancel(ctx) // or streams that are open would keep it from telling of an error
	defer cancel()
	one := func(l Line) {
		mu.Lock()
		defer mu.Unlock()
		emit(l)
	}
	type state struct {
		running bool
		until   *metav1.Time // how far its log was read
	}
	followed := map[string]*state{}
	var following sync.Mutex
	tick := time.NewTicker(look)
	defer tick.Stop()
	var answered time.Time
	for {
		pods, err := client.CoreV1().Pods(q.Namespace).List(ctx, metav1.ListOptions{LabelSelector: q.Selector})
		switch {
		case err == nil:
			answered = time.Now()
		case ctx.Err() != nil:
			return nil
		case time.Since(answered) > patience:
			return err
		default:
			pods = &corev1.PodList{}
		}
		for i := range pods.Items {
			p := &pods.Items[i]
			container := q.container(p)
			following.Lock()
			s := followed[p.Name+"/"+container]
			if s == nil {
				s = &state{}
				followed[p.Name+"/"+container] = s
			}
			if s.running || !running(p, container) {
				following.Unlock()
				continue
			}
			s.running = true
			options := &corev1.PodLogOptions{Container: container, Follow: true, SinceTime: s.until}
			switch {
			case s.until != nil:
			case !q.Since.IsZero():
				options.SinceTime = &metav1.Time{Time: q.Since}
			default:
				options.TailLines = &q.Lines
			}
			following.Unlock()
			wg.Go(func() {
				// A stream ends with its container; where that is restarted, the next look takes it up again.
				_ = stream(ctx, client, p, options, one)
				following.Lock()
				defer following.Unlock()
				s.running, s.until = false, &metav1.Time{Time: time.Now()}
			})
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// most bounds the end of a log that is read at once.
const most = int64(4 << 20)

// Last gives the last lines of a container, or of the one that ran in its place before.
func Last(ctx context.Context, client kubernetes.Interface, p *corev1.Pod, container string, previous bool, lines int64) ([]string, error) {
	limit := most
	options := &corev1.PodLogOptions{Container: container, Previous: previous, TailLines: &lines, LimitBytes: &limit}
	var said []string
	err := stream(ctx, client, p, options, func(l Line) { said = append(said, l.Text) })
	return said, err
}

// stream reads the log of one container.
func stream(ctx context.Context, client kubernetes.Interface, p *corev1.Pod, options *corev1.PodLogOptions, emit func(Line)) error {
	body, err := client.CoreV1().Pods(p.Namespace).GetLogs(p.Name, options).Stream(ctx)
	if apierrors.IsNotFound(err) {
		return nil // it has gone meanwhile
	}
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }()
	lines := bufio.NewScanner(body)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		emit(Line{p.Name, options.Container, lines.Text()})
	}
	if err := lines.Err(); err != nil && !errors.Is(err, io.EOF) && ctx.Err() == nil {
		return err
	}
	return nil
}
