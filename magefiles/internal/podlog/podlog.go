// Package podlog reads the logs of pods, several at once and as they are written.
package podlog

import (
	"bufio"
	"context"
	"errors"
	"io"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// look is how often Follow looks for pods that are new, such as those of a rollout.
const look = 2 * time.Second

// maxLine is the longest line that is kept whole.
const maxLine = 1 << 20

// Line is one line of one pod's log.
type Line struct {
	Pod, Text string
}

// Query says which logs to read.
type Query struct {
	Namespace string
	Selector  string // label selector of the pods
	Lines     int64  // of each pod, from the end
}

// Read gives the last lines of every pod that the query selects, pod after pod.
func Read(ctx context.Context, client kubernetes.Interface, q Query, emit func(Line)) error {
	pods, err := client.CoreV1().Pods(q.Namespace).List(ctx, metav1.ListOptions{LabelSelector: q.Selector})
	if err != nil {
		return err
	}
	for _, p := range pods.Items {
		if err := stream(ctx, client, q.Namespace, p.Name, &corev1.PodLogOptions{TailLines: &q.Lines}, emit); err != nil {
			return err
		}
	}
	return nil
}

// Follow gives the last lines of every pod, then new ones as they come, also of pods that start later, until ctx ends. emit gets one at a time.
func Follow(ctx context.Context, client kubernetes.Interface, q Query, emit func(Line)) error {
	var mu sync.Mutex
	var wg sync.WaitGroup
	defer wg.Wait()
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
	for {
		pods, err := client.CoreV1().Pods(q.Namespace).List(ctx, metav1.ListOptions{LabelSelector: q.Selector})
		if err != nil && ctx.Err() == nil {
			return err
		}
		for _, p := range pods.Items {
			following.Lock()
			s := followed[p.Name]
			if s == nil {
				s = &state{}
				followed[p.Name] = s
			}
			if s.running || p.Status.Phase != corev1.PodRunning {
				following.Unlock()
				continue
			}
			s.running = true
			options := &corev1.PodLogOptions{Follow: true, SinceTime: s.until}
			if s.until == nil {
				options.TailLines = &q.Lines
			}
			following.Unlock()
			wg.Go(func() {
				// A stream ends with its container; where that is restarted, the next look takes it up again.
				_ = stream(ctx, client, q.Namespace, p.Name, options, one)
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

// stream reads one pod's log.
func stream(ctx context.Context, client kubernetes.Interface, namespace, pod string, options *corev1.PodLogOptions, emit func(Line)) error {
	body, err := client.CoreV1().Pods(namespace).GetLogs(pod, options).Stream(ctx)
	if apierrors.IsNotFound(err) || apierrors.IsBadRequest(err) {
		return nil // gone, or its container has not started: it has no log
	}
	if err != nil {
		return err
	}
	defer body.Close()
	lines := bufio.NewScanner(body)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		emit(Line{pod, lines.Text()})
	}
	if err := lines.Err(); err != nil && !errors.Is(err, io.EOF) && ctx.Err() == nil {
		return err
	}
	return nil
}
