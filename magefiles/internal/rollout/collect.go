package rollout

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/yaml"

	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/kube"
	"todo.local/magefiles/internal/podlog"
	"todo.local/magefiles/internal/words"
)

// collectedLines is how much of each log is kept.
const collectedLines = 2000

// Collect saves what tells why a namespace is as it is into a new folder: the cause that was found, its workloads, pods
// and quotas as YAML, the nodes, its events, and the logs of every container, the ones before a restart included.
// Secrets are not read; literal values of variables that are named like one are left out. It goes on after an error and
// gives all of them.
func Collect(ctx context.Context, client kubernetes.Interface, namespace, dir string, cause error) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	c := &collector{ctx: ctx, client: client, dir: dir}
	opts := metav1.ListOptions{}
	c.cause(cause)

	deployments, err := client.AppsV1().Deployments(namespace).List(ctx, opts)
	if c.note(err) {
		for i := range deployments.Items {
			d := &deployments.Items[i]
			conceal(&d.Spec.Template.Spec)
			c.yaml("deployment-"+d.Name, &d.ObjectMeta, d)
		}
	}
	sets, err := client.AppsV1().StatefulSets(namespace).List(ctx, opts)
	if c.note(err) {
		for i := range sets.Items {
			s := &sets.Items[i]
			conceal(&s.Spec.Template.Spec)
			c.yaml("statefulset-"+s.Name, &s.ObjectMeta, s)
		}
	}
	claims, err := client.CoreV1().PersistentVolumeClaims(namespace).List(ctx, opts)
	if c.note(err) {
		for i := range claims.Items {
			c.yaml("claim-"+claims.Items[i].Name, &claims.Items[i].ObjectMeta, &claims.Items[i])
		}
	}
	quotas, err := client.CoreV1().ResourceQuotas(namespace).List(ctx, opts)
	if c.note(err) {
		for i := range quotas.Items {
			c.yaml("quota-"+quotas.Items[i].Name, &quotas.Items[i].ObjectMeta, &quotas.Items[i])
		}
	}
	nodes, err := client.CoreV1().Nodes().List(ctx, opts)
	if c.note(err) {
		for i := range nodes.Items {
			c.yaml("node-"+nodes.Items[i].Name, &nodes.Items[i].ObjectMeta, &nodes.Items[i])
		}
	}
	pods, err := client.CoreV1().Pods(namespace).List(ctx, opts)
	if c.note(err) {
		for i := range pods.Items {
			p := &pods.Items[i]
			conceal(&p.Spec)
			c.yaml("pod-"+p.Name, &p.ObjectMeta, p)
			c.logs(p)
		}
	}
	c.events(namespace)
	return errors.Join(c.errs...)
}

type collector struct {
	ctx    context.Context
	client kubernetes.Interface
	dir    string
	errs   []error
}

// note remembers an error and tells whether there was none.
func (c *collector) note(err error) bool {
	if err != nil {
		c.errs = append(c.errs, err)
	}
	return err == nil
}

// cause writes what the rollout was given up for.
func (c *collector) cause(err error) {
	lines := []string{err.Error(), "→ " + fault.Remedy(err)}
	var failure *Failure
	if errors.As(err, &failure) {
		lines = append(append(lines, ""), failure.Evidence()...)
	}
	c.write("cause.txt", []byte(strings.Join(lines, "\n")+"\n"))
}

func (c *collector) write(name string, content []byte) {
	c.note(os.WriteFile(filepath.Join(c.dir, name), content, 0o600))
}

func (c *collector) yaml(name string, meta *metav1.ObjectMeta, object any) {
	meta.ManagedFields = nil
	delete(meta.Annotations, corev1.LastAppliedConfigAnnotation)
	raw, err := yaml.Marshal(object)
	if c.note(err) {
		c.write(name+".yaml", raw)
	}
}

func (c *collector) logs(p *corev1.Pod) {
	for _, s := range append(p.Status.InitContainerStatuses, p.Status.ContainerStatuses...) {
		for suffix, previous := range map[string]bool{"": false, "-previous": true} {
			if previous && s.LastTerminationState.Terminated == nil || !previous && s.State.Waiting != nil {
				continue
			}
			lines, err := podlog.Last(c.ctx, c.client, p, s.Name, previous, collectedLines)
			if c.note(err) {
				c.write(fmt.Sprintf("log-%s-%s%s.txt", p.Name, s.Name, suffix), []byte(strings.Join(lines, "\n")+"\n"))
			}
		}
	}
}

func (c *collector) events(namespace string) {
	list, err := c.client.CoreV1().Events(namespace).List(c.ctx, metav1.ListOptions{})
	if !c.note(err) {
		return
	}
	byTime := state{}
	for i := range list.Items {
		list.Items[i].InvolvedObject.UID = "all" // one timeline for all objects
		byTime.events = append(byTime.events, &list.Items[i])
	}
	var out strings.Builder
	for _, e := range byTime.about("all") {
		fmt.Fprintf(&out, "%s %-7s %-24s %s/%s: %s (%d times)\n", kube.LastSeen(e).UTC().Format("15:04:05"), e.Type, e.Reason,
			strings.ToLower(e.InvolvedObject.Kind), e.InvolvedObject.Name, words.OneLine(e.Message), times(e))
	}
	c.write("events.txt", []byte(out.String()))
}

// secretName is how variables that hold a secret are named.
var secretName = regexp.MustCompile(`(?i)secret|password|passwd|token|key|credential|_url$`)

// conceal takes literal secrets out of a pod's variables. References to Secrets hold none.
func conceal(spec *corev1.PodSpec) {
	for _, containers := range [][]corev1.Container{spec.InitContainers, spec.Containers} {
		for i := range containers {
			for j := range containers[i].Env {
				if e := &containers[i].Env[j]; e.Value != "" && secretName.MatchString(e.Name) {
					e.Value = "(left out)"
				}
			}
		}
	}
}

// lastLines gives the end of the log of a container that failed. A log that cannot be had is an empty one.
func lastLines(ctx context.Context, client kubernetes.Interface, p *corev1.Pod, container string, n int) []string {
	previous := false
	for _, c := range append(p.Status.InitContainerStatuses, p.Status.ContainerStatuses...) {
		// Where it runs again, the attempt before is the one that tells.
		previous = previous || c.Name == container && c.State.Running != nil && c.LastTerminationState.Terminated != nil
	}
	lines, _ := podlog.Last(ctx, client, p, container, previous, int64(n))
	return lines
}
