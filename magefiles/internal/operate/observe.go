// Package operate looks at the running application and operates it: what a person does between two deploys.
package operate

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"
	"k8s.io/client-go/rest"
	metrics "k8s.io/metrics/pkg/client/clientset/versioned"

	"todo.local/magefiles/internal/app"
	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/kube"
	"todo.local/magefiles/internal/podlog"
	"todo.local/magefiles/internal/session"
	"todo.local/magefiles/internal/ui"
	"todo.local/magefiles/internal/words"
)

// logLines is how many lines of each pod's past are shown.
const logLines = 50

// named gives the service that a person named, of those that a target is for.
func named(name string, of []app.Service) (app.Service, error) {
	if i := slices.IndexFunc(of, func(s app.Service) bool { return s.Name == name }); i >= 0 {
		return of[i], nil
	}
	return app.Service{}, fault.New(fault.CodeInput, fmt.Sprintf("%q is no service of the application that this is for", name),
		"name one of: "+strings.Join(app.Names(of), ", "))
}

// Logs prints the last lines of a service's pods, or of all that are built here where service is empty, and with follow
// also what comes. JSON lines are made readable. Pods that have not started yet show the init container that they are
// at.
func Logs(ctx context.Context, s session.Session, service string, follow bool) error {
	if service != "" {
		if _, err := named(service, app.All()); err != nil {
			return err
		}
	}
	c, err := s.OpenCluster(ctx)
	if err != nil {
		return err
	}
	return logs(ctx, c, service, follow)
}

func logs(ctx context.Context, s session.Cluster, service string, follow bool) (err error) {
	wanted := app.Built()
	if service != "" {
		one, err := named(service, app.All())
		if err != nil {
			return err
		}
		wanted = []app.Service{one}
	}
	q := lastLogged(s, wanted)
	show := func(l podlog.Line) {
		from := l.Pod
		if !slices.Contains(app.Names(wanted), l.Container) {
			from += " " + l.Container
		}
		s.UI.Printf("%s  %s\n", from, podlog.Render(l.Text))
	}
	if follow {
		err = podlog.Follow(ctx, s.Client, q, show)
	} else {
		err = podlog.Read(ctx, s.Client, q, show)
	}
	return fault.Wrap(err, fault.CodeCluster, "the logs cannot be read", "run: go tool mage status")
}

// lastLogged selects the last lines of the services' own containers.
func lastLogged(s session.Cluster, of []app.Service) podlog.Query {
	return podlog.Query{Namespace: s.Config.Namespace, Selector: app.Selector(of...), Lines: logLines,
		Container: func(p *corev1.Pod) string { return app.OfLabel(p.Labels["app"]) }}
}

// Top prints what the application's pods use of CPU and memory, next to what they may use.
func Top(ctx context.Context, s session.Session) error {
	c, err := s.OpenCluster(ctx)
	if err != nil {
		return err
	}
	cfg, err := c.Access.RESTConfig()
	if err != nil {
		return err
	}
	return top(ctx, c, cfg)
}

func top(ctx context.Context, s session.Cluster, cfg *rest.Config) error {
	measured, err := metrics.NewForConfig(cfg)
	if err != nil {
		return err
	}
	pods, err := s.Client.CoreV1().Pods(s.Config.Namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	limits := map[string]corev1.ResourceList{} // by pod/container
	for _, p := range pods.Items {
		for _, container := range p.Spec.Containers {
			limits[p.Name+"/"+container.Name] = container.Resources.Limits
		}
	}
	usage, err := measured.MetricsV1beta1().PodMetricses(s.Config.Namespace).List(ctx, metav1.ListOptions{})
	if apierrors.IsNotFound(err) || apierrors.IsServiceUnavailable(err) {
		return fault.Wrap(err, fault.CodeCluster, "the cluster gives no metrics", "metrics-server needs about a minute after the cluster's start; try again")
	}
	if err != nil {
		return err
	}
	rows := []string{"POD\tCONTAINER\tCPU\tOF\tMEMORY\tOF"}
	for _, p := range usage.Items {
		for _, c := range p.Containers {
			l := limits[p.Name+"/"+c.Name]
			rows = append(rows, fmt.Sprintf("%s\t%s\t%s\t%s\t%s\t%s", p.Name, c.Name, milli(c.Usage[corev1.ResourceCPU]), milli(l[corev1.ResourceCPU]),
				mebi(c.Usage[corev1.ResourceMemory]), mebi(l[corev1.ResourceMemory])))
		}
	}
	table(s.UI, rows)
	return nil
}

func milli(q resource.Quantity) string {
	if q.IsZero() {
		return "-"
	}
	return fmt.Sprintf("%dm", q.MilliValue())
}

func mebi(q resource.Quantity) string {
	if q.IsZero() {
		return "-"
	}
	return fmt.Sprintf("%dMi", q.Value()>>20)
}

// Events prints the namespace's events, the newest last.
func Events(ctx context.Context, s session.Session) error {
	c, err := s.OpenCluster(ctx)
	if err != nil {
		return err
	}
	return events(ctx, c)
}

func events(ctx context.Context, s session.Cluster) error {
	list, err := s.Client.CoreV1().Events(s.Config.Namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	slices.SortStableFunc(list.Items, func(x, y corev1.Event) int { return cmp.Compare(kube.LastSeen(&x).Unix(), kube.LastSeen(&y).Unix()) })
	rows := []string{"AGE\tTYPE\tREASON\tOBJECT\tMESSAGE"}
	for _, e := range list.Items {
		rows = append(rows, fmt.Sprintf("%s\t%s\t%s\t%s/%s\t%s", duration.HumanDuration(time.Since(kube.LastSeen(&e))), e.Type, e.Reason,
			strings.ToLower(e.InvolvedObject.Kind), e.InvolvedObject.Name, words.OneLine(e.Message)))
	}
	table(s.UI, rows)
	return nil
}

// table prints rows of cells that are separated by tabs.
func table(out *ui.UI, rows []string) {
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		_, _ = fmt.Fprintln(w, row)
	}
	_ = w.Flush()
	out.Printf("%s", text.String())
}
