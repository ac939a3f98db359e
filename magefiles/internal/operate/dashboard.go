package operate

import (
	"context"
	"io"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	metrics "k8s.io/metrics/pkg/client/clientset/versioned"

	"todo.local/magefiles/internal/ai"
	"todo.local/magefiles/internal/app"
	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/dashboard"
	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/podlog"
	"todo.local/magefiles/internal/release"
	"todo.local/magefiles/internal/session"
	"todo.local/magefiles/internal/ui"
)

// Dashboard serves a page on which the running application is watched and operated, on a port of 127.0.0.1, until it is
// interrupted. test runs the tests for which the page has a button; opened gets the page's address.
func Dashboard(ctx context.Context, s session.Session, port int, test func(context.Context, session.Session) error, opened func(url string)) error {
	c, err := s.OpenCluster(ctx)
	if err != nil {
		return err
	}
	w := watched{Cluster: c, test: test}
	if w.hidden, err = knownSecrets(ctx, c); err != nil {
		return err
	}
	own, err := c.Access.RESTConfig()
	if err != nil {
		return err
	}
	if w.metrics, err = metrics.NewForConfig(own); err != nil {
		return err
	}
	facts := dashboard.Facts{Cluster: c.Provider.Name(), URLs: s.URLs(c.Access)}
	return dashboard.Serve(ctx, w, facts, port, opened)
}

// watched is the application as the dashboard shows and operates it.
type watched struct {
	session.Cluster
	metrics metrics.Interface
	hidden  ai.Secrets
	test    func(context.Context, session.Session) error
}

// Services looks at the pods of all services, and at what they use where the cluster measures it.
func (w watched) Services(ctx context.Context) ([]dashboard.Service, error) {
	wanted, err := w.wanted(ctx)
	if err != nil {
		return nil, err
	}
	pods, err := w.Client.CoreV1().Pods(w.Config.Namespace).List(ctx, metav1.ListOptions{LabelSelector: app.Selector(app.All()...)})
	if err != nil {
		return nil, err
	}
	used := map[string]corev1.ResourceList{} // by pod/container
	// A cluster that does not measure, or not yet, shows no figures.
	if list, err := w.metrics.MetricsV1beta1().PodMetricses(w.Config.Namespace).List(ctx, metav1.ListOptions{}); err == nil {
		for _, p := range list.Items {
			for _, c := range p.Containers {
				used[p.Name+"/"+c.Name] = c.Usage
			}
		}
	}
	var out []dashboard.Service
	for _, service := range app.All() {
		s := dashboard.Service{Name: service.Name, Scalable: service.Scalable, Wanted: wanted[service.Name], Pods: []dashboard.Pod{}}
		for i := range pods.Items {
			if p := &pods.Items[i]; p.Labels["app"] == service.Label() {
				addPod(&s, p, used)
			}
		}
		slices.SortFunc(s.Pods, func(a, b dashboard.Pod) int { return strings.Compare(a.Name, b.Name) })
		out = append(out, s)
	}
	return out, nil
}

// wanted tells how many pods each service is to have.
func (w watched) wanted(ctx context.Context) (map[string]int, error) {
	out := map[string]int{}
	deployments, err := w.Client.AppsV1().Deployments(w.Config.Namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	for _, d := range deployments.Items {
		out[d.Name] = count(d.Spec.Replicas)
	}
	sets, err := w.Client.AppsV1().StatefulSets(w.Config.Namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	for _, s := range sets.Items {
		out[s.Name] = count(s.Spec.Replicas)
	}
	return out, nil
}

// count is a number of pods as Kubernetes reads it: nothing said is one.
func count(replicas *int32) int {
	if replicas == nil {
		return 1
	}
	return int(*replicas)
}

func addPod(s *dashboard.Service, p *corev1.Pod, used map[string]corev1.ResourceList) {
	pod := dashboard.Pod{Name: p.Name, Phase: phase(*p), Since: p.CreationTimestamp.Time}
	for _, c := range p.Status.Conditions {
		pod.Ready = pod.Ready || c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	}
	for _, c := range p.Status.ContainerStatuses {
		pod.Restarts += int(c.RestartCount)
	}
	if s.Restarts += pod.Restarts; pod.Ready {
		s.Ready++
	}
	if !pod.Since.Before(s.Changed) {
		s.Changed = pod.Since
		_, s.Version, _ = strings.Cut(p.Spec.Containers[0].Image[strings.LastIndex(p.Spec.Containers[0].Image, "/")+1:], ":")
	}
	for _, c := range p.Spec.Containers {
		usage := used[p.Name+"/"+c.Name]
		s.CPU.Used += usage.Cpu().MilliValue()
		s.CPU.Limit += c.Resources.Limits.Cpu().MilliValue()
		s.Memory.Used += usage.Memory().Value()
		s.Memory.Limit += c.Resources.Limits.Memory().Value()
	}
	s.Pods = append(s.Pods, pod)
}

// Release gives the revisions and what the analysis finds.
func (w watched) Release(ctx context.Context) (dashboard.Release, error) {
	helm, err := release.New(w.Access.API, w.Config.Namespace)
	if err != nil {
		return dashboard.Release{}, err
	}
	history, err := helm.History(ctx, config.ReleaseName)
	if err != nil {
		return dashboard.Release{}, err
	}
	out := dashboard.Release{Revisions: []dashboard.Revision{}}
	for _, r := range slices.Backward(history) {
		out.Revisions = append(out.Revisions, dashboard.Revision{Number: r.Revision, Status: r.Status, Updated: r.Updated, Verified: r.Verified, Description: r.Description})
	}
	out.Findings, err = w.Findings(ctx)
	return out, err
}

// Follow reads the logs of all services, without secrets.
func (w watched) Follow(ctx context.Context, emit func(dashboard.Line)) error {
	return podlog.Follow(ctx, w.Client, lastLogged(w.Cluster, app.All()), func(l podlog.Line) {
		emit(dashboard.Line{Service: serviceOf(l.Pod), Pod: l.Pod, Text: w.hidden.Hide(l.Text)})
	})
}

// serviceOf is the service that a pod is of, by its name: an init container has one of its own.
func serviceOf(pod string) string {
	for _, s := range app.All() {
		if strings.HasPrefix(pod, s.Name+"-") {
			return s.Name
		}
	}
	return pod
}

// Diff is what going back to a revision would change. Values of Secrets are not in it.
func (w watched) Diff(_ context.Context, revision int) (string, error) {
	helm, err := release.New(w.Access.API, w.Config.Namespace)
	if err != nil {
		return "", err
	}
	return helm.RollbackDiff(config.ReleaseName, revision)
}

// Do calls the target that the action is named after.
func (w watched) Do(ctx context.Context, a dashboard.Action, out io.Writer) error {
	s := session.New(w.Config, ui.Plain(out))
	switch a.Name {
	case dashboard.Restart:
		return Restart(ctx, s, a.Service)
	case dashboard.Scale:
		return Scale(ctx, s, a.Service, a.Number)
	case dashboard.Rollback:
		return Rollback(ctx, s, a.Number)
	case dashboard.Test:
		return w.test(ctx, s)
	case dashboard.Ask:
		return ask(ctx, s, a.Question, nil)
	}
	return fault.New(fault.CodeInput, "there is no action "+a.Name, "use the page's buttons")
}
