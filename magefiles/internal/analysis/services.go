package analysis

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/kubectl/pkg/util/podutils"
)

// serviceTargets finds Services that lead to no pod, to a port that nothing listens on, or to pods of which none is
// ready.
func serviceTargets(s *Snapshot) []Finding {
	var out []Finding
	for _, svc := range s.Services {
		if len(svc.Spec.Selector) == 0 || svc.Spec.Type == corev1.ServiceTypeExternalName {
			continue
		}
		object := "service/" + svc.Name
		selector := labels.SelectorFromSet(svc.Spec.Selector)
		behind := slices.DeleteFunc(s.templates(), func(t template) bool { return !selector.Matches(labels.Set(t.labels)) })
		if len(behind) == 0 {
			cause := "service " + svc.Name + " selects no workload's pods"
			evidence := []Evidence{{Object: object, Field: "spec.selector: " + selector.String()}}
			if near := nearest(s.templates(), svc.Spec.Selector); near.object != "" {
				evidence = append(evidence, Evidence{Object: near.object, Field: "labels of its pods: " + labels.Set(near.labels).String()})
				cause += "; nearest are those of " + near.object
			}
			out = append(out, found(Selector, object, cause, Certain, "", evidence...))
			continue
		}
		for _, port := range svc.Spec.Ports {
			if !slices.ContainsFunc(behind, func(t template) bool { return t.listens(port.TargetPort, port.Port) }) {
				out = append(out, found(ServicePort, object, fmt.Sprintf("service %s leads to port %s, which %s does not have", svc.Name, target(port), behind[0].object), Certain, "",
					Evidence{Object: object, Field: fmt.Sprintf("spec.ports: %d to targetPort %s", port.Port, target(port))},
					Evidence{Object: behind[0].object, Field: "containerPorts: " + behind[0].ports()}))
			}
		}
		if s.unready(selector) {
			out = append(out, found(NoEndpoints, object, "service "+svc.Name+" has no ready pod behind it: requests to it are refused", Certain, "",
				Evidence{Object: object, Field: "endpoints: none is ready"}))
		}
	}
	for _, t := range s.templates() {
		out = append(out, probePorts(t)...)
	}
	return out
}

// nearest is the workload whose pods have most labels of a selector, at least by name.
func nearest(all []template, selector map[string]string) (best template) {
	most := 0
	for _, t := range all {
		n := 0
		for k, v := range selector {
			if t.labels[k] == v {
				n += 2
			} else if _, has := t.labels[k]; has {
				n++
			}
		}
		if n > most {
			best, most = t, n
		}
	}
	return best
}

func target(p corev1.ServicePort) string {
	if p.TargetPort == (intstr.IntOrString{}) {
		return fmt.Sprint(p.Port)
	}
	return p.TargetPort.String()
}

// listens tells whether a workload declares a port. One that declares none may listen on any.
func (t template) listens(port intstr.IntOrString, otherwise int32) bool {
	if port == (intstr.IntOrString{}) {
		port = intstr.FromInt32(otherwise)
	}
	declared := false
	for _, c := range t.spec.Containers {
		for _, p := range c.Ports {
			declared = true
			if port.Type == intstr.String && p.Name == port.StrVal || port.Type == intstr.Int && p.ContainerPort == port.IntVal {
				return true
			}
		}
	}
	return !declared && port.Type == intstr.Int
}

func (t template) ports() string {
	var out []string
	for _, c := range t.spec.Containers {
		for _, p := range c.Ports {
			out = append(out, strings.TrimPrefix(fmt.Sprintf("%s %d", p.Name, p.ContainerPort), " "))
		}
	}
	return strings.Join(out, ", ")
}

// unready tells whether pods are selected of which none is ready. A service of no pods at all has another finding.
func (s *Snapshot) unready(selector labels.Selector) bool {
	selected := false
	for i := range s.Pods {
		p := &s.Pods[i]
		if p.DeletionTimestamp != nil || !selector.Matches(labels.Set(p.Labels)) {
			continue
		}
		if selected = true; podutils.IsPodReady(p) {
			return false
		}
	}
	return selected
}

// probePorts finds probes that ask a port that the container does not have.
func probePorts(t template) []Finding {
	var out []Finding
	for _, c := range t.spec.Containers {
		if len(c.Ports) == 0 {
			continue
		}
		one := template{spec: &corev1.PodSpec{Containers: []corev1.Container{c}}}
		probes := map[string]*corev1.Probe{"livenessProbe": c.LivenessProbe, "readinessProbe": c.ReadinessProbe, "startupProbe": c.StartupProbe}
		for _, name := range slices.Sorted(maps.Keys(probes)) {
			probe := probes[name]
			var port intstr.IntOrString
			switch {
			case probe == nil:
				continue
			case probe.HTTPGet != nil:
				port = probe.HTTPGet.Port
			case probe.TCPSocket != nil:
				port = probe.TCPSocket.Port
			default:
				continue
			}
			if !one.listens(port, 0) {
				out = append(out, found(ProbePort, t.object, fmt.Sprintf("the %s of %s asks port %s, which container %s does not have", name, t.object, port.String(), c.Name), Likely, "",
					Evidence{Object: container(t.object, c.Name), Field: name + ".port: " + port.String()},
					Evidence{Object: container(t.object, c.Name), Field: "containerPorts: " + one.ports()}))
			}
		}
	}
	return out
}
