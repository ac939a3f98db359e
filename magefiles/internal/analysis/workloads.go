package analysis

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"todo.local/magefiles/internal/rollout"
)

// rolloutKinds are the classes of a rollout's failures that differ from their kinds here in no more than their name.
var rolloutKinds = map[rollout.Kind]Kind{
	rollout.Image: Image, rollout.Config: Config, rollout.Start: Start, rollout.Crash: Crash, rollout.Init: Init, rollout.Memory: Memory,
	rollout.Probe: Probe, rollout.Unschedulable: Unschedulable, rollout.Volume: Volume, rollout.Sandbox: Sandbox, rollout.Quota: Quota,
	rollout.Refused: Refused, rollout.NodePressure: NodePressure,
}

// workloads are the failures of a rollout: what keeps pods from running. Pods of one workload that fail alike are told
// of once.
func workloads(s *Snapshot) []Finding {
	var out []Finding
	told := map[string]bool{}
	for _, f := range rollout.Problems(s.Objects, s.Now) {
		kind, object := rolloutKinds[f.Kind], objectOf(f.Object)
		key := string(kind) + "/" + s.workloadOf(object) + "/" + f.Container
		if told[key] {
			continue
		}
		told[key] = true
		evidence := []Evidence{{Object: container(object, f.Container), Field: "status: " + quote(f.Reason)}}
		for _, e := range f.Events {
			evidence = append(evidence, Evidence{Object: object, Event: quote(e)})
		}
		for _, line := range s.lastLines(strings.TrimPrefix(object, "pod/"), f.Container, 3) {
			evidence = append(evidence, Evidence{Object: container(object, f.Container), Line: quote(line)})
		}
		out = append(out, found(kind, object, f.Error(), Certain, f.Remedy(), evidence...))
	}
	return out
}

// objectOf writes "pod backend-1" as pod/backend-1.
func objectOf(name string) string { return strings.Replace(name, " ", "/", 1) }

func container(object, name string) string {
	if name == "" {
		return object
	}
	return object + ":" + name
}

// workloadOf is the app label of a pod, or the object itself.
func (s *Snapshot) workloadOf(object string) string {
	if p := s.pod(strings.TrimPrefix(object, "pod/")); p != nil && p.Labels["app"] != "" {
		return p.Labels["app"]
	}
	return object
}

func (s *Snapshot) lastLines(pod, container string, n int) []string {
	var out []string
	for _, l := range s.Logs {
		if l.Pod == pod && l.Container == container {
			for _, line := range l.Lines[max(0, len(l.Lines)-n):] {
				if text := message(line.Text); text != "" {
					out = append(out, text)
				}
			}
		}
	}
	return out
}

// template is what the pods of a workload are made from.
type template struct {
	object string
	spec   *corev1.PodSpec
	labels map[string]string
}

func (s *Snapshot) templates() []template {
	var out []template
	for i := range s.Deployments {
		d := &s.Deployments[i]
		out = append(out, template{"deployment/" + d.Name, &d.Spec.Template.Spec, d.Spec.Template.Labels})
	}
	for i := range s.StatefulSets {
		d := &s.StatefulSets[i]
		out = append(out, template{"statefulset/" + d.Name, &d.Spec.Template.Spec, d.Spec.Template.Labels})
	}
	return out
}

func (t template) containers() []corev1.Container {
	return append(slices.Clone(t.spec.InitContainers), t.spec.Containers...)
}

// references finds names of ConfigMaps and Secrets, and keys in them, that are not there.
func references(s *Snapshot) []Finding {
	var out []Finding
	for _, t := range s.templates() {
		for i, c := range t.containers() {
			at := fmt.Sprintf("spec.template.spec.containers[%d]", i)
			for _, e := range c.Env {
				switch from := e.ValueFrom; {
				case from == nil:
				case from.ConfigMapKeyRef != nil && !optional(from.ConfigMapKeyRef.Optional):
					out = append(out, s.missing(t, at+".env "+e.Name, "ConfigMap", from.ConfigMapKeyRef.Name, from.ConfigMapKeyRef.Key)...)
				case from.SecretKeyRef != nil && !optional(from.SecretKeyRef.Optional):
					out = append(out, s.missing(t, at+".env "+e.Name, "Secret", from.SecretKeyRef.Name, from.SecretKeyRef.Key)...)
				}
			}
			for _, e := range c.EnvFrom {
				if e.ConfigMapRef != nil && !optional(e.ConfigMapRef.Optional) {
					out = append(out, s.missing(t, at+".envFrom", "ConfigMap", e.ConfigMapRef.Name, "")...)
				}
				if e.SecretRef != nil && !optional(e.SecretRef.Optional) {
					out = append(out, s.missing(t, at+".envFrom", "Secret", e.SecretRef.Name, "")...)
				}
			}
		}
	}
	return out
}

func optional(b *bool) bool { return b != nil && *b }

// missing is about a reference that leads nowhere. Of Secrets nobody may have looked.
func (s *Snapshot) missing(t template, at, kind, name, key string) []Finding {
	known, keys := s.keys(kind, name)
	if !known || keys != nil && (key == "" || slices.Contains(keys, key)) {
		return nil
	}
	object := strings.ToLower(kind) + "/" + name
	cause := fmt.Sprintf("%s needs %s %s, which does not exist", t.object, kind, name)
	if keys != nil {
		cause = fmt.Sprintf("%s needs key %s of %s %s, which has no such key", t.object, key, kind, name)
		object += "." + key
	}
	return []Finding{found(Missing, object, cause, Certain, "", Evidence{Object: t.object, Field: at + " refers to " + object})}
}

// keys gives those of a ConfigMap or a Secret; nil where there is none.
func (s *Snapshot) keys(kind, name string) (known bool, keys []string) {
	if kind == "Secret" {
		for _, f := range s.Secrets {
			if f.Name == name {
				keys = []string{}
				for k := range f.Keys {
					keys = append(keys, k)
				}
			}
		}
		return s.Secrets != nil, keys
	}
	for _, m := range s.ConfigMaps {
		if m.Name == name {
			keys = []string{}
			for k := range m.Data {
				keys = append(keys, k)
			}
		}
	}
	return s.ConfigMaps != nil, keys
}

// stoppedWork finds what somebody has stopped: a service scaled to nothing, a paused rollout.
func stoppedWork(s *Snapshot) []Finding {
	var out []Finding
	for _, d := range s.Deployments {
		object := "deployment/" + d.Name
		if d.Spec.Replicas != nil && *d.Spec.Replicas == 0 {
			out = append(out, found(ScaledDown, object, d.Name+" is scaled to 0 pods: it is out of service", Certain,
				"go tool mage deploy   (it goes back to the chart's number)", Evidence{Object: object, Field: "spec.replicas: 0"}))
		}
		if d.Spec.Paused {
			out = append(out, found(Paused, object, "the rollout of "+d.Name+" is paused: what is deployed does not reach its pods", Certain,
				"kubectl rollout resume deployment/"+d.Name, Evidence{Object: object, Field: "spec.paused: true"}))
		}
	}
	for _, set := range s.StatefulSets {
		if set.Spec.Replicas != nil && *set.Spec.Replicas == 0 {
			object := "statefulset/" + set.Name
			out = append(out, found(ScaledDown, object, set.Name+" is scaled to 0 pods: it is out of service", Certain,
				"kubectl scale statefulset "+set.Name+" --replicas=1", Evidence{Object: object, Field: "spec.replicas: 0"}))
		}
	}
	return out
}

// frequent is from how many restarts on a pod is conspicuous.
const frequent = 3

// restarts finds containers that were restarted often, for whatever causes, and those that a liveness probe ended
// before they had started.
func restarts(s *Snapshot) []Finding {
	var out []Finding
	for i := range s.Pods {
		p := &s.Pods[i]
		object := "pod/" + p.Name
		for _, c := range p.Status.ContainerStatuses {
			ended := c.LastTerminationState.Terminated
			if c.RestartCount > 0 {
				out = append(out, s.killedWhileStarting(p, c)...)
			}
			if c.RestartCount < frequent || ended == nil {
				continue
			}
			evidence := []Evidence{{Object: container(object, c.Name), Field: fmt.Sprintf("restartCount: %d; last ended with exit code %d (%s)", c.RestartCount, ended.ExitCode,
				cmp.Or(ended.Reason, "no reason given"))}}
			reasons := s.reasons(p)
			for _, r := range reasons {
				evidence = append(evidence, Evidence{Object: object, Event: r})
			}
			out = append(out, found(Restarts, object, fmt.Sprintf("container %s was restarted %d times, last after exit code %d (%s)", c.Name, c.RestartCount, ended.ExitCode, ended.Reason),
				Certain, "", evidence...))
		}
	}
	return out
}

// reasons are the different warnings about a pod.
func (s *Snapshot) reasons(p *corev1.Pod) []string {
	var out []string
	for _, e := range s.Events {
		if e.InvolvedObject.UID == p.UID && e.Type == corev1.EventTypeWarning && len(out) < 4 {
			if line := quote(e.Reason + ": " + e.Message); !slices.Contains(out, line) {
				out = append(out, line)
			}
		}
	}
	return out
}

// killedWhileStarting is about a container without a startup probe that its liveness probe ended.
func (s *Snapshot) killedWhileStarting(p *corev1.Pod, c corev1.ContainerStatus) []Finding {
	i := slices.IndexFunc(p.Spec.Containers, func(spec corev1.Container) bool { return spec.Name == c.Name })
	if i < 0 || p.Spec.Containers[i].LivenessProbe == nil || p.Spec.Containers[i].StartupProbe != nil {
		return nil
	}
	for _, e := range s.Events {
		if e.InvolvedObject.UID == p.UID && e.Reason == "Killing" && strings.Contains(e.Message, c.Name) && strings.Contains(e.Message, "failed liveness probe") {
			probe := p.Spec.Containers[i].LivenessProbe
			return []Finding{found(Liveness, "pod/"+p.Name, "container "+c.Name+" is ended by its liveness probe before it has started, again and again", Likely, "",
				Evidence{Object: "pod/" + p.Name, Event: quote(e.Reason + ": " + e.Message)},
				Evidence{Object: container("pod/"+p.Name, c.Name), Field: fmt.Sprintf("livenessProbe.initialDelaySeconds: %d, and no startupProbe", probe.InitialDelaySeconds)})}
		}
	}
	return nil
}
