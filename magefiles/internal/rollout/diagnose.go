package rollout

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/duration"
	"k8s.io/client-go/kubernetes"

	"todo.local/magefiles/internal/kube"
	"todo.local/magefiles/internal/podlog"
	"todo.local/magefiles/internal/words"
)

const (
	// newsworthy is how old an event may be to count where nobody watched.
	newsworthy = 2 * time.Minute
	// lastWords is how many lines are told of a container before its restart.
	lastWords = 5
)

// Diagnosis is how a release is doing at one moment.
type Diagnosis struct {
	workloads []workload
	doing     map[string]string // of workloads that are not ready, what their pods are at
	restarts  []restart
}

// restart is a container that ended and runs again, or tries to.
type restart struct {
	pod, container string
	times          int32
	ended          *corev1.ContainerStateTerminated // the last time; nil where that is no longer known
	log            []string                         // the last lines before
}

// Diagnose looks once at how a release's workloads are and which of their containers were restarted. What is wrong with
// them is for package analysis to say.
func Diagnose(ctx context.Context, client kubernetes.Interface, namespace, release string) (Diagnosis, error) {
	w := &waiter{client: client, namespace: namespace, release: release}
	s, err := w.look(ctx)
	if err != nil {
		return Diagnosis{}, w.unreachable(err)
	}
	d := Diagnosis{workloads: s.workloads(), doing: map[string]string{}}
	for _, load := range d.workloads {
		if !load.done {
			d.doing[load.name] = s.doing(load)
		}
	}
	for _, p := range s.pods {
		for _, c := range append(slices.Clone(p.Status.InitContainerStatuses), p.Status.ContainerStatuses...) {
			if c.RestartCount > 0 {
				r := restart{pod: p.Name, container: c.Name, times: c.RestartCount, ended: c.LastTerminationState.Terminated}
				if r.ended != nil {
					r.log, _ = podlog.Last(ctx, client, p, c.Name, true, lastWords) // a log that cannot be had is an empty one
				}
				d.restarts = append(d.restarts, r)
			}
		}
	}
	return d, nil
}

// look is list with everything that explains a state.
func (w *waiter) look(ctx context.Context) (state, error) {
	s, err := w.list(ctx)
	if err != nil {
		return s, err
	}
	ctx, cancel := context.WithTimeout(ctx, requestLimit)
	defer cancel()
	ours := metav1.ListOptions{LabelSelector: w.selector()}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		list, err := w.client.AppsV1().ReplicaSets(w.namespace).List(ctx, ours)
		if err == nil {
			s.replicaSets = pointers(list.Items)
		}
		return err
	})
	g.Go(func() error {
		list, err := w.client.CoreV1().Pods(w.namespace).List(ctx, ours)
		if err == nil {
			s.pods = pointers(list.Items)
		}
		return err
	})
	g.Go(func() error {
		list, err := w.client.CoreV1().PersistentVolumeClaims(w.namespace).List(ctx, ours)
		if err == nil {
			s.claims = pointers(list.Items)
		}
		return err
	})
	g.Go(func() error {
		list, err := w.client.CoreV1().Events(w.namespace).List(ctx, metav1.ListOptions{})
		if err == nil {
			s.events = pointers(list.Items)
		}
		return err
	})
	if err := g.Wait(); err != nil {
		return s, err
	}
	s.fresh = map[types.UID]bool{}
	for _, e := range s.events {
		s.fresh[e.UID] = time.Since(kube.LastSeen(e)) < newsworthy
	}
	return s, nil
}

func pointers[T any](items []T) []*T {
	out := make([]*T, len(items))
	for i := range items {
		out[i] = &items[i]
	}
	return out
}

// Text is the diagnosis in words: of one service, or of the whole release where service is empty.
func (d Diagnosis) Text(service string) string {
	about := func(name string) bool {
		return service == "" || name == service || strings.HasPrefix(name, service+"-")
	}
	var out strings.Builder
	for _, w := range d.workloads {
		if !about(w.name) {
			continue
		}
		switch {
		case w.wanted == 0:
			fmt.Fprintf(&out, "%s is scaled to 0 pods: it is out of service.\n", w.name)
		case w.done:
			fmt.Fprintf(&out, "%s is well: %d of %d pods are ready.\n", w.name, w.ready, w.wanted)
		default:
			fmt.Fprintf(&out, "%s is not as it should be: %d of %d pods are ready and of the present version", w.name, w.ready, w.wanted)
			if doing := d.doing[w.name]; doing != "" {
				fmt.Fprintf(&out, " (%s)", doing)
			}
			out.WriteString(".\n")
		}
	}
	restarted := false
	for _, r := range d.restarts {
		if !about(r.pod) {
			continue
		}
		restarted = true
		fmt.Fprintf(&out, "\npod %s, container %s: restarted %s", r.pod, r.container, often(r.times))
		if r.ended != nil {
			fmt.Fprintf(&out, ", last %s ago, after it ended with exit code %d (%s)", duration.HumanDuration(time.Since(r.ended.FinishedAt.Time)), r.ended.ExitCode, r.ended.Reason)
		}
		out.WriteString("\n")
		logged(&out, r.log)
	}
	if !restarted {
		out.WriteString("No container was restarted.\n")
	}
	return out.String()
}

func often(n int32) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// logged writes log lines, of JSON only what they say.
func logged(out *strings.Builder, lines []string) {
	for _, line := range lines {
		if text, _ := message(line); text != "" {
			fmt.Fprintf(out, "  log: %s\n", words.Short(text, 300))
		}
	}
}
