package deploy

import (
	"context"
	"fmt"
	"net"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"

	"todo.local/magefiles/internal/cluster"
	"todo.local/magefiles/internal/config"
)

// Status prints the cluster, the release, its pods and the URLs.
func (a *App) Status(ctx context.Context) error {
	p, state, err := a.find(ctx)
	if err != nil {
		return err
	}
	a.ui.Printf("%s: %s\n", p.Name(), state)
	if state != cluster.Running {
		a.ui.Printf("Next: go tool mage deploy\n")
		return nil
	}
	access, err := p.Access(ctx)
	if err != nil {
		return err
	}
	helm, err := a.engine(access, a.cfg.Namespace)
	if err != nil {
		return err
	}
	history, err := helm.History(ctx, config.ReleaseName)
	if err != nil {
		return err
	}
	if len(history) == 0 {
		a.ui.Printf("release %s: not installed\nNext: go tool mage deploy\n", config.ReleaseName)
		return nil
	}
	last := history[len(history)-1]
	a.ui.Printf("release %s: revision %d, %s, %s ago\n", config.ReleaseName, last.Revision, last.Status, duration.HumanDuration(time.Since(last.Updated)))
	if err := a.printPods(ctx, access); err != nil {
		return err
	}
	a.printURLs(access)
	return nil
}

func (a *App) printPods(ctx context.Context, access cluster.Access) error {
	client, err := access.Client()
	if err != nil {
		return err
	}
	pods, err := client.CoreV1().Pods(a.cfg.Namespace).List(ctx, metav1.ListOptions{})
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
	a.table(rows)
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

// loopback is where the ingress of a cluster in a container is published.
const loopback = "127.0.0.1"

// printURLs prints where the application answers.
func (a *App) printURLs(access cluster.Access) {
	ip, _, err := net.SplitHostPort(access.HTTP)
	if err != nil {
		return // a foreign cluster's ingress has given no address yet
	}
	schemes := []string{"http"}
	if a.tlsSecret() != "" && access.HTTPS != "" {
		schemes = append(schemes, "https")
	}
	a.ui.Printf("\n")
	where := ip
	if ip == loopback {
		for _, s := range schemes {
			a.ui.Printf("  %s\n", address(s, config.LocalHost, access))
		}
	} else {
		where += ", by DNS or a line in /etc/hosts"
	}
	for i, s := range schemes {
		remark := fmt.Sprintf("once %s points to %s", a.cfg.Host, where)
		if i > 0 {
			remark = "likewise"
		}
		a.ui.Printf("  %s   %s\n", address(s, a.cfg.Host, access), remark)
	}
	a.ui.Printf("\n")
}

// address is the URL of a host. A port that the scheme implies is left out.
func address(scheme, host string, access cluster.Access) string {
	at, usual := access.HTTP, "80"
	if scheme == "https" {
		at, usual = access.HTTPS, "443"
	}
	if _, port, err := net.SplitHostPort(at); err == nil && port != usual {
		host = net.JoinHostPort(host, port)
	}
	return scheme + "://" + host
}
