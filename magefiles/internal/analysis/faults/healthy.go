// Package faults holds an application that is well, as a snapshot, and ways to make it ill: for the tests of what finds
// that out, and for its bench.
package faults

import (
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"

	"todo.local/magefiles/internal/analysis"
	"todo.local/magefiles/internal/app"
)

const namespace = "todo"

// began is when the application of the snapshot came up.
var began = time.Date(2026, 11, 1, 10, 0, 0, 0, time.UTC)

// now is when the snapshot was taken.
var now = began.Add(time.Hour)

func meta(name, component string, owner metav1.Object) metav1.ObjectMeta {
	m := metav1.ObjectMeta{Namespace: namespace, Name: name, UID: types.UID("uid-" + name), CreationTimestamp: metav1.NewTime(began),
		Labels:      map[string]string{"app": "todo-" + component, "app.kubernetes.io/instance": "todo-app", "app.kubernetes.io/component": component, "app.kubernetes.io/managed-by": "Helm"},
		Annotations: map[string]string{"deployment.kubernetes.io/revision": "1"}, Generation: 1}
	if owner != nil {
		yes := true
		m.OwnerReferences = []metav1.OwnerReference{{Name: owner.GetName(), UID: owner.GetUID(), Controller: &yes}}
	}
	return m
}

func selector(service app.Service) map[string]string {
	return map[string]string{"app.kubernetes.io/instance": "todo-app", "app.kubernetes.io/component": service.Name}
}

// Healthy is an application in which nothing is wrong.
func Healthy() *analysis.Snapshot {
	s := &analysis.Snapshot{Now: now, Namespace: namespace, IngressNamespace: "ingress-nginx", Usage: map[string]corev1.ResourceList{}}
	s.ConfigMaps = []corev1.ConfigMap{{ObjectMeta: meta("app-config", app.Backend.Name, nil), Data: map[string]string{"LOG_LEVEL": "INFO"}}}
	s.Secrets = []analysis.SecretFacts{
		{Name: "app-secrets", Keys: map[string]string{"DATABASE_URL": "", "JWT_SECRET": "", "POSTGRES_PASSWORD": ""}},
		{Name: "todo-tls", Keys: map[string]string{"tls.crt": "", "tls.key": ""}, Certificate: &analysis.CertificateFacts{
			NotBefore: began.AddDate(0, -1, 0), NotAfter: began.AddDate(1, 0, 0), Hosts: []string{"todo.local", "todo.localhost"},
		}},
	}
	deployed(s, app.Backend)
	deployed(s, app.Frontend)
	database(s)
	surroundings(s)
	return s
}

// ports are named as the chart names them.
func container(service app.Service, port string) corev1.Container {
	probe := func() *corev1.Probe {
		return &corev1.Probe{ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/health", Port: intstr.FromString(port)}}}
	}
	c := corev1.Container{Name: service.Name, Image: service.Label() + ":1f", Ports: []corev1.ContainerPort{{Name: port, ContainerPort: int32(service.Port)}},
		LivenessProbe: probe(), ReadinessProbe: probe(), StartupProbe: probe(),
		Resources: corev1.ResourceRequirements{Limits: corev1.ResourceList{
			corev1.ResourceMemory: resource.MustParse("512Mi"), corev1.ResourceCPU: resource.MustParse("500m"),
		}}}
	from := func(name, secret string) corev1.EnvVar {
		key := &corev1.SecretKeySelector{LocalObjectReference: corev1.LocalObjectReference{Name: secret}, Key: name}
		return corev1.EnvVar{Name: name, ValueFrom: &corev1.EnvVarSource{SecretKeyRef: key}}
	}
	if service.Name == app.Backend.Name {
		c.EnvFrom = []corev1.EnvFromSource{{ConfigMapRef: &corev1.ConfigMapEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "app-config"}}}}
		c.Env = []corev1.EnvVar{from("DATABASE_URL", "app-secrets"), from("JWT_SECRET", "app-secrets")}
	}
	return c
}

func deployed(s *analysis.Snapshot, service app.Service) {
	name := service.Name
	two := int32(2)
	labels := meta("", name, nil).Labels
	d := appsv1.Deployment{ObjectMeta: meta(name, name, nil), Spec: appsv1.DeploymentSpec{Replicas: &two,
		Template: corev1.PodTemplateSpec{
			ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: corev1.PodSpec{Containers: []corev1.Container{container(service, "http")}},
		}},
		Status: appsv1.DeploymentStatus{ObservedGeneration: 1, Replicas: 2, UpdatedReplicas: 2, ReadyReplicas: 2, AvailableReplicas: 2}}
	r := appsv1.ReplicaSet{ObjectMeta: meta(name+"-1", name, &d), Spec: appsv1.ReplicaSetSpec{Replicas: &two}}
	s.Deployments, s.ReplicaSets = append(s.Deployments, d), append(s.ReplicaSets, r)
	for _, n := range []string{"a", "b"} {
		runs(s, name+"-1-"+n, service, &r, d.Spec.Template.Spec)
	}
	s.Services = append(s.Services, corev1.Service{ObjectMeta: meta(service.Host(), name, nil), Spec: corev1.ServiceSpec{Selector: selector(service),
		Ports: []corev1.ServicePort{{Name: "http", Port: int32(service.Port), TargetPort: intstr.FromString("http")}}}})
	one := intstr.FromInt32(1)
	s.Budgets = append(s.Budgets, policyv1.PodDisruptionBudget{ObjectMeta: meta(name, name, nil), Spec: policyv1.PodDisruptionBudgetSpec{MaxUnavailable: &one},
		Status: policyv1.PodDisruptionBudgetStatus{ExpectedPods: 2, CurrentHealthy: 2, DesiredHealthy: 1, DisruptionsAllowed: 1}})
}

// runs adds a pod that serves, and what it logged.
func runs(s *analysis.Snapshot, name string, service app.Service, owner metav1.Object, spec corev1.PodSpec) {
	p := corev1.Pod{ObjectMeta: meta(name, service.Name, owner), Spec: *spec.DeepCopy()}
	p.Labels["controller-revision-hash"] = "postgres-1"
	p.Spec.NodeName = "node-1"
	started := true
	p.Status = corev1.PodStatus{Phase: corev1.PodRunning,
		Conditions: []corev1.PodCondition{
			{Type: corev1.PodInitialized, Status: corev1.ConditionTrue}, {Type: corev1.PodScheduled, Status: corev1.ConditionTrue},
			{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: metav1.NewTime(began.Add(20 * time.Second))}},
		ContainerStatuses: []corev1.ContainerStatus{{
			Name: service.Name, Ready: true, Started: &started,
			State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.NewTime(began)}},
		}},
	}
	s.Pods = append(s.Pods, p)
	s.Usage[name+"/"+service.Name] = corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("120Mi"), corev1.ResourceCPU: resource.MustParse("20m")}
	// As every backend does, it found its database not up yet at first.
	log := analysis.Log{Pod: name, Container: service.Name, Lines: []analysis.Line{{Time: began.Add(time.Second), Text: `{"level":"WARNING","message":"database unavailable","reason":"connection refused"}`}}}
	if service.Name == app.Backend.Name {
		for i := range 40 {
			at := now.Add(-time.Duration(40-i) * 5 * time.Second)
			log.Lines = append(log.Lines, analysis.Line{Time: at, Text: fmt.Sprintf(`{"level":"INFO","message":"GET /api/tasks 200","path":"/api/tasks","method":"GET","status":200,"duration_ms":%d.5}`, 5+i%7)})
		}
	}
	s.Logs = append(s.Logs, log)
}

func database(s *analysis.Snapshot) {
	one := int32(1)
	name := app.Postgres.Name
	spec := corev1.PodSpec{Containers: []corev1.Container{container(app.Postgres, name)}}
	set := appsv1.StatefulSet{ObjectMeta: meta(name, name, nil), Spec: appsv1.StatefulSetSpec{Replicas: &one,
		Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: meta("", name, nil).Labels}, Spec: spec}},
		Status: appsv1.StatefulSetStatus{ObservedGeneration: 1, Replicas: 1, UpdatedReplicas: 1, ReadyReplicas: 1, AvailableReplicas: 1, UpdateRevision: "postgres-1"}}
	s.StatefulSets = []appsv1.StatefulSet{set}
	runs(s, name+"-0", app.Postgres, &set, spec)
	s.Claims = []corev1.PersistentVolumeClaim{{ObjectMeta: meta("data-postgres-0", name, nil), Status: corev1.PersistentVolumeClaimStatus{Phase: corev1.ClaimBound}}}
	s.Claims[0].Finalizers = []string{"kubernetes.io/pvc-protection"}
	s.Services = append(s.Services, corev1.Service{ObjectMeta: meta(app.Postgres.Host(), name, nil), Spec: corev1.ServiceSpec{Selector: selector(app.Postgres),
		Ports: []corev1.ServicePort{{Name: name, Port: int32(app.Postgres.Port), TargetPort: intstr.FromString(name)}}}})
}

func surroundings(s *analysis.Snapshot) {
	class := "nginx"
	s.IngressClasses = []string{class}
	path := func(p string, to app.Service) networkingv1.HTTPIngressPath {
		return networkingv1.HTTPIngressPath{Path: p, Backend: networkingv1.IngressBackend{Service: &networkingv1.IngressServiceBackend{Name: to.Host(),
			Port: networkingv1.ServiceBackendPort{Number: int32(to.Port)}}}}
	}
	rule := func(host string) networkingv1.IngressRule {
		return networkingv1.IngressRule{Host: host, IngressRuleValue: networkingv1.IngressRuleValue{HTTP: &networkingv1.HTTPIngressRuleValue{
			Paths: []networkingv1.HTTPIngressPath{path("/api", app.Backend), path("/", app.Frontend)}}}}
	}
	s.Ingresses = []networkingv1.Ingress{{ObjectMeta: meta("todo-app", "ingress", nil), Spec: networkingv1.IngressSpec{IngressClassName: &class,
		TLS:   []networkingv1.IngressTLS{{Hosts: []string{"todo.local", "todo.localhost"}, SecretName: "todo-tls"}},
		Rules: []networkingv1.IngressRule{rule("todo.local"), rule("todo.localhost")}}}}
	s.Nodes = []corev1.Node{{ObjectMeta: metav1.ObjectMeta{Name: "node-1"}, Status: corev1.NodeStatus{Conditions: []corev1.NodeCondition{
		{Type: corev1.NodeReady, Status: corev1.ConditionTrue}, {Type: corev1.NodeDiskPressure, Status: corev1.ConditionFalse},
		{Type: corev1.NodeMemoryPressure, Status: corev1.ConditionFalse}}}}}
	s.Events = []corev1.Event{event(&s.Pods[0], "Normal", "Pulled", "Container image already present on machine", began)}
}

// event is one about a pod and its first container.
func event(p *corev1.Pod, kind, reason, text string, at time.Time) corev1.Event {
	return corev1.Event{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: p.Name + "." + reason, UID: types.UID(p.Name + reason)},
		Type:       kind, Reason: reason, Message: text,
		InvolvedObject: corev1.ObjectReference{Kind: "Pod", Name: p.Name, UID: p.UID, FieldPath: "spec.containers{" + p.Spec.Containers[0].Name + "}"},
		LastTimestamp:  metav1.NewTime(at), Count: 3,
	}
}
