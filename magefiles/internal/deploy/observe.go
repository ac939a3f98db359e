package deploy

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
	"k8s.io/client-go/kubernetes"
	metrics "k8s.io/metrics/pkg/client/clientset/versioned"

	"todo.local/magefiles/internal/cluster"
	"todo.local/magefiles/internal/doctor"
	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/podlog"
	"todo.local/magefiles/internal/release"
)

// logLines is how many lines of each pod's past are shown.
const logLines = 50

// services are the application's workloads that a person names in a target. Deployments and containers have the same names.
var services = []string{"backend", "frontend", "postgres"}

// find gives the cluster and what there is of it.
func (a *App) find(ctx context.Context) (cluster.Provider, cluster.State, error) {
	docker, err := doctor.Find(ctx, a.runner, a.cfg)
	if err != nil {
		return nil, "", err
	}
	a.docker = docker
	p := a.provider(ctx)
	state, err := p.State(ctx)
	return p, state, err
}

// connect gives the running cluster, for targets that look at the application or operate it.
func (a *App) connect(ctx context.Context) (cluster.Access, kubernetes.Interface, error) {
	p, state, err := a.find(ctx)
	if err != nil {
		return cluster.Access{}, nil, err
	}
	if state != cluster.Running {
		return cluster.Access{}, nil, fault.New(fault.CodeCluster, fmt.Sprintf("%s is %s", p.Name(), state), "run: go tool mage deploy")
	}
	access, err := p.Access(ctx)
	if err != nil {
		return cluster.Access{}, nil, err
	}
	client, err := access.Client()
	return access, client, err
}

// connectHelm gives the running cluster and its releases.
func (a *App) connectHelm(ctx context.Context) (kubernetes.Interface, *release.Engine, error) {
	access, client, err := a.connect(ctx)
	if err != nil {
		return nil, nil, err
	}
	helm, err := a.engine(access, a.cfg.Namespace)
	return client, helm, err
}

// knownService checks a name that a person typed.
func knownService(name string, among []string) error {
	if slices.Contains(among, name) {
		return nil
	}
	return fault.New(fault.CodeInput, fmt.Sprintf("%q is no service of the application", name), "name one of: "+strings.Join(among, ", "))
}

// Logs prints the last lines of a service's pods, or of backend and frontend where service is empty, and with follow also what comes. JSON lines are
// made readable. Pods that have not started yet show the init container that they are at.
func (a *App) Logs(ctx context.Context, service string, follow bool) error {
	wanted := services[:2]
	if service != "" {
		if err := knownService(service, services); err != nil {
			return err
		}
		wanted = []string{service}
	}
	_, client, err := a.connect(ctx)
	if err != nil {
		return err
	}
	var labels []string
	for _, s := range wanted {
		labels = append(labels, "todo-"+s)
	}
	q := podlog.Query{Namespace: a.cfg.Namespace, Selector: "app in (" + strings.Join(labels, ",") + ")", Lines: logLines,
		Container: func(p *corev1.Pod) string { return strings.TrimPrefix(p.Labels["app"], "todo-") }}
	show := func(l podlog.Line) {
		from := l.Pod
		if !slices.Contains(wanted, l.Container) {
			from += " " + l.Container
		}
		a.ui.Printf("%s  %s\n", from, podlog.Render(l.Text))
	}
	if follow {
		err = podlog.Follow(ctx, client, q, show)
	} else {
		err = podlog.Read(ctx, client, q, show)
	}
	return fault.Wrap(err, fault.CodeCluster, "the logs cannot be read", "run: go tool mage status")
}

// Top prints what the application's pods use of CPU and memory, next to what they may use.
func (a *App) Top(ctx context.Context) error {
	access, client, err := a.connect(ctx)
	if err != nil {
		return err
	}
	cfg, err := access.RESTConfig()
	if err != nil {
		return err
	}
	measured, err := metrics.NewForConfig(cfg)
	if err != nil {
		return err
	}
	pods, err := client.CoreV1().Pods(a.cfg.Namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	limits := map[string]corev1.ResourceList{} // by pod/container
	for _, p := range pods.Items {
		for _, c := range p.Spec.Containers {
			limits[p.Name+"/"+c.Name] = c.Resources.Limits
		}
	}
	usage, err := measured.MetricsV1beta1().PodMetricses(a.cfg.Namespace).List(ctx, metav1.ListOptions{})
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
	a.table(rows)
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
func (a *App) Events(ctx context.Context) error {
	_, client, err := a.connect(ctx)
	if err != nil {
		return err
	}
	list, err := client.CoreV1().Events(a.cfg.Namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	slices.SortStableFunc(list.Items, func(x, y corev1.Event) int { return cmp.Compare(seen(x).Unix(), seen(y).Unix()) })
	rows := []string{"AGE\tTYPE\tREASON\tOBJECT\tMESSAGE"}
	for _, e := range list.Items {
		rows = append(rows, fmt.Sprintf("%s\t%s\t%s\t%s/%s\t%s", duration.HumanDuration(time.Since(seen(e))), e.Type, e.Reason,
			strings.ToLower(e.InvolvedObject.Kind), e.InvolvedObject.Name, strings.Join(strings.Fields(e.Message), " ")))
	}
	a.table(rows)
	return nil
}

// seen is when an event was last seen. Newer senders fill in another field than older ones.
func seen(e corev1.Event) time.Time {
	switch {
	case e.Series != nil:
		return e.Series.LastObservedTime.Time
	case !e.LastTimestamp.IsZero():
		return e.LastTimestamp.Time
	}
	return e.EventTime.Time
}

// table prints rows of cells that are separated by tabs.
func (a *App) table(rows []string) {
	var out strings.Builder
	w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		fmt.Fprintln(w, row)
	}
	_ = w.Flush()
	a.ui.Printf("%s", out.String())
}
