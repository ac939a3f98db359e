package analysis

import (
	"bufio"
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
)

const (
	logWindow = 10 * time.Minute // what was said before does not count
	logLines  = 300
	logBytes  = 256 << 10
	mostLogs  = 40 // containers
	atOnce    = 8
)

// logs reads what the containers of some pods said last; of one that ended, what it said before. A log that cannot be
// had is left out.
func (w Where) logs(ctx context.Context, pods []corev1.Pod) []Log {
	var mu sync.Mutex
	var out []Log
	var g errgroup.Group
	g.SetLimit(atOnce)
	n := 0
	for i := range pods {
		p := &pods[i]
		for _, c := range append(slices.Clone(p.Status.InitContainerStatuses), p.Status.ContainerStatuses...) {
			if n++; n > mostLogs || c.State.Terminated != nil && c.State.Terminated.ExitCode == 0 {
				continue
			}
			previous := c.State.Running == nil && c.State.Terminated == nil && c.LastTerminationState.Terminated != nil
			if c.State.Waiting != nil && !previous {
				continue // it has said nothing yet
			}
			g.Go(func() error {
				if lines := w.read(ctx, p, c.Name, previous); len(lines) > 0 {
					mu.Lock()
					defer mu.Unlock()
					out = append(out, Log{p.Name, c.Name, lines})
				}
				return nil
			})
		}
	}
	_ = g.Wait() // none fails
	slices.SortFunc(out, func(a, b Log) int { return strings.Compare(a.Pod+a.Container, b.Pod+b.Container) })
	return out
}

func (w Where) read(ctx context.Context, p *corev1.Pod, container string, previous bool) []Line {
	tail, most, seconds := int64(logLines), int64(logBytes), int64(logWindow.Seconds())
	stream, err := w.Client.CoreV1().Pods(p.Namespace).GetLogs(p.Name, &corev1.PodLogOptions{
		Container: container, Previous: previous, TailLines: &tail, LimitBytes: &most, SinceSeconds: &seconds, Timestamps: true,
	}).Stream(ctx)
	if err != nil {
		return nil
	}
	defer func() { _ = stream.Close() }()
	var lines []Line
	in := bufio.NewScanner(stream)
	in.Buffer(nil, logBytes)
	for in.Scan() {
		stamp, text, _ := strings.Cut(in.Text(), " ")
		at, err := time.Parse(time.RFC3339Nano, stamp)
		if err != nil {
			at, text = time.Time{}, in.Text()
		}
		lines = append(lines, Line{at, text})
	}
	return lines
}
