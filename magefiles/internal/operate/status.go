package operate

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"

	"todo.local/magefiles/internal/analysis"
	"todo.local/magefiles/internal/cluster"
	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/release"
	"todo.local/magefiles/internal/session"
)

// Status prints the cluster, the release, its pods and the URLs.
func Status(ctx context.Context, s session.Session) error {
	e, err := s.OpenEngine(ctx)
	if err != nil {
		return err
	}
	p := e.ChooseProvider(ctx)
	state, err := p.State(ctx)
	if err != nil {
		return err
	}
	s.UI.Printf("%s: %s\n", p.Name(), state)
	if state != cluster.Running {
		s.UI.Printf("Next: go tool mage deploy\n")
		return nil
	}
	c, err := e.Connect(ctx, p)
	if err != nil {
		return err
	}
	helm, err := release.New(c.Access.API, c.Config.Namespace)
	if err != nil {
		return err
	}
	history, err := helm.History(ctx, config.ReleaseName)
	if err != nil {
		return err
	}
	if len(history) == 0 {
		s.UI.Printf("release %s: not installed\nNext: go tool mage deploy\n", config.ReleaseName)
		return nil
	}
	last := history[len(history)-1]
	s.UI.Printf("release %s: revision %d, %s, %s ago\n", config.ReleaseName, last.Revision, last.Status, duration.HumanDuration(time.Since(last.Updated)))
	if err := printPods(ctx, c); err != nil {
		return err
	}
	s.PrintURLs(c.Access)
	return printFindings(ctx, c)
}

// printFindings prints what is wrong with the application, where something is.
func printFindings(ctx context.Context, c session.Cluster) error {
	found, err := c.Findings(ctx)
	if err == nil && len(found) > 0 {
		c.UI.Printf("What is wrong, causes first:\n%s", analysis.Text(found))
	}
	return err
}

func printPods(ctx context.Context, s session.Cluster) error {
	pods, err := s.Client.CoreV1().Pods(s.Config.Namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	rows := []string{"\nPOD\tREADY\tSTATUS\tRESTARTS\tAGE\tIMAGE"}
	for _, p := range pods.Items {
		ready, restarts := 0, int32(0)
		for _, c := range p.Status.ContainerStatuses {
			restarts += c.RestartCount
			if c.Ready {
				ready++
			}
		}
		rows = append(rows, fmt.Sprintf("%s\t%d/%d\t%s\t%d\t%s\t%s", p.Name, ready, len(p.Spec.Containers), phase(p), restarts,
			duration.HumanDuration(time.Since(p.CreationTimestamp.Time)), p.Spec.Containers[0].Image))
	}
	table(s.UI, rows)
	return nil
}

// phase is the pod's phase, or the more telling reason that a container waits for.
func phase(p corev1.Pod) string {
	if p.DeletionTimestamp != nil {
		return "Terminating"
	}
	for _, c := range append(p.Status.InitContainerStatuses, p.Status.ContainerStatuses...) {
		if c.State.Waiting != nil && c.State.Waiting.Reason != "PodInitializing" {
			return c.State.Waiting.Reason
		}
	}
	return string(p.Status.Phase)
}
