package faults

import (
	"time"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"todo.local/magefiles/internal/analysis"
	"todo.local/magefiles/internal/app"
)

// Fault is one way in which an application is ill.
type Fault struct {
	Name   string
	Kind   analysis.Kind // what has to be found first
	Remedy string        // a word of the right remedy
	Inject func(*analysis.Snapshot)
}

// All are the faults, with what else they bring about: a container that does not start leaves a service without pods.
var All = []Fault{
	{"image cannot be pulled", analysis.Image, "image", waits("ImagePullBackOff", `failed to pull and unpack image "r.example.com/x:1": not found`)},
	{"configuration is missing", analysis.Missing, "deploy", func(s *analysis.Snapshot) {
		delete(s.Secrets[0].Keys, "JWT_SECRET")
		waits("CreateContainerConfigError", "couldn't find key JWT_SECRET in Secret todo/app-secrets")(s)
	}},
	{"ConfigMap is gone", analysis.Missing, "deploy", func(s *analysis.Snapshot) { s.ConfigMaps = []corev1.ConfigMap{} }},
	{"command does not exist", analysis.Start, "command", ends(128, "StartError", `exec: "uvicron": executable file not found`)},
	{"process crashes", analysis.Crash, "log", says(ends(1, "Error", ""), "ValueError: the setting is not a number")},
	{"memory limit is hit", analysis.Memory, "limits.memory", ends(137, "OOMKilled", "")},
	{"no node has room", analysis.Unschedulable, "requests", unschedulable("0/1 nodes are available: 1 Insufficient cpu.")},
	{"node has a taint of pressure", analysis.NodePressure, "free", unschedulable("0/1 nodes are available: 1 node(s) had untolerated taint {node.kubernetes.io/disk-pressure: }.")},
	{"quota is used up", analysis.Quota, "ResourceQuota", refused("exceeded quota: small, requested: pods=1, used: pods=2, limited: pods=2")},
	{"webhook refuses", analysis.Refused, "policy", refused(`admission webhook "x" denied the request: no`)},
	{"readiness fails", analysis.Probe, "log", unready("Readiness probe failed: HTTP probe failed with statuscode: 404")},
	{"liveness kills a slow start", analysis.Liveness, "startup probe", slowStart},
	{"probe asks another port", analysis.ProbePort, "probe's port", func(s *analysis.Snapshot) {
		s.Deployments[0].Spec.Template.Spec.Containers[0].ReadinessProbe.HTTPGet.Port = intstr.FromInt32(8080)
		unready("Readiness probe failed: dial tcp 10.0.0.1:8080: connect: connection refused")(s)
	}},
	{"service selects nothing", analysis.Selector, "deploy", func(s *analysis.Snapshot) {
		s.Services[0].Spec.Selector = map[string]string{"app.kubernetes.io/instance": "todo-app", "app.kubernetes.io/component": "bakcend"}
	}},
	{"service leads to a wrong port", analysis.ServicePort, "deploy", func(s *analysis.Snapshot) { s.Services[0].Spec.Ports[0].TargetPort = intstr.FromInt32(8080) }},
	{"ingress class does not exist", analysis.IngressClass, "TODO_INGRESS_CLASS", func(s *analysis.Snapshot) { s.IngressClasses = []string{"traefik"} }},
	{"ingress leads to a wrong service", analysis.IngressBackend, "deploy", func(s *analysis.Snapshot) {
		s.Ingresses[0].Spec.Rules[0].HTTP.Paths[0].Backend.Service.Name = "api"
	}},
	{"host is taken twice", analysis.HostTaken, "TODO_HOST", func(s *analysis.Snapshot) {
		other := *s.Ingresses[0].DeepCopy()
		other.Namespace, other.Name = "elsewhere", "theirs"
		s.Ingresses = append(s.Ingresses, other)
	}},
	{"certificate has expired", analysis.Certificate, "renew", func(s *analysis.Snapshot) { s.Secrets[1].Certificate.NotAfter = now.Add(-time.Hour) }},
	{"certificate is for another host", analysis.CertificateFor, "TODO_HOST", func(s *analysis.Snapshot) { s.Secrets[1].Certificate.Hosts = []string{"example.com"} }},
	{"certificate is missing", analysis.Missing, "deploy", func(s *analysis.Snapshot) { s.Secrets = s.Secrets[:1] }},
	{"network policy cuts off the database", analysis.PolicyDatabase, "networkpolicy", func(s *analysis.Snapshot) {
		egress(s, networkingv1.NetworkPolicyEgressRule{Ports: []networkingv1.NetworkPolicyPort{port(53)}})
		says(unready("Readiness probe failed: HTTP probe failed with statuscode: 503"), `{"level":"ERROR","message":"database unavailable","reason":"timeout"}`)(s)
	}},
	{"network policy cuts off names", analysis.PolicyDNS, "networkpolicy", func(s *analysis.Snapshot) {
		egress(s, networkingv1.NetworkPolicyEgressRule{Ports: []networkingv1.NetworkPolicyPort{port(5432)}})
		says(unready("Readiness probe failed: HTTP probe failed with statuscode: 503"), "could not translate host name \"postgres-svc\" to address")(s)
	}},
	{"network policy keeps visitors out", analysis.PolicyIngress, "networkpolicy", func(s *analysis.Snapshot) {
		s.NetworkPolicies = append(s.NetworkPolicies, networkingv1.NetworkPolicy{ObjectMeta: metav1.ObjectMeta{Name: "closed"}, Spec: networkingv1.NetworkPolicySpec{
			PodSelector: metav1.LabelSelector{MatchLabels: selector(app.Frontend)}, PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeIngress}}})
	}},
	{"a right is missing", analysis.RBAC, "Role", says(unready("Readiness probe failed: HTTP probe failed with statuscode: 500"),
		`configmaps is forbidden: User "system:serviceaccount:todo:todo-backend" cannot list resource "configmaps"`)},
	{"autoscaler has no figures", analysis.NoMetrics, "top", autoscaler(autoscalingv2.ScalingActive, corev1.ConditionFalse, "FailedGetResourceMetric")},
	{"autoscaler is at its limit", analysis.AtLimit, "maxReplicas", autoscaler(autoscalingv2.ScalingLimited, corev1.ConditionTrue, "TooManyReplicas")},
	{"budget blocks a drain", analysis.BlocksNode, "scale", func(s *analysis.Snapshot) {
		s.Budgets[0].Status.DisruptionsAllowed, s.Budgets[0].Status.DesiredHealthy = 0, 2
	}},
	{"names do not resolve", analysis.DNS, "kube-dns", says(unready("Readiness probe failed: HTTP probe failed with statuscode: 503"), "[Errno -3] Temporary failure in name resolution")},
	{"image is for another architecture", analysis.Architecture, "build", says(ends(1, "Error", ""), "exec /app/.venv/bin/python: exec format error")},
	{"disk is full", analysis.DiskFull, "disk", func(s *analysis.Snapshot) {
		s.Nodes[0].Status.Conditions[1] = corev1.NodeCondition{Type: corev1.NodeDiskPressure, Status: corev1.ConditionTrue, Reason: "KubeletHasDiskPressure"}
	}},
	{"database's disk is full", analysis.DiskFull, "disk", repeats(app.Postgres, `ERROR:  could not extend file "base/16384/1": No space left on device`)},
	{"clock is off", analysis.Clock, "timedatectl", func(s *analysis.Snapshot) { s.ClockAhead = 5 * time.Minute }},
	{"finalizer is stuck", analysis.Finalizer, "finalizers", func(s *analysis.Snapshot) {
		s.ConfigMaps[0].DeletionTimestamp, s.ConfigMaps[0].Finalizers = stamp(now.Add(-10*time.Minute)), []string{"example.com/gone"}
	}},
	{"claim has no volume", analysis.Pending, "storageclasses", func(s *analysis.Snapshot) {
		s.Claims[0].Status.Phase = corev1.ClaimPending
	}},
	{"quota is nearly used up", analysis.QuotaNear, "resourcequota", func(s *analysis.Snapshot) {
		s.Quotas = []corev1.ResourceQuota{{ObjectMeta: metav1.ObjectMeta{Name: "small"}, Status: corev1.ResourceQuotaStatus{
			Hard: corev1.ResourceList{corev1.ResourcePods: resource.MustParse("5")}, Used: corev1.ResourceList{corev1.ResourcePods: resource.MustParse("5")}}}}
	}},
	{"secret is encoded twice", analysis.SecretShape, "encoded", func(s *analysis.Snapshot) {
		s.Secrets[0].Keys["DATABASE_URL"] = "is encoded twice: its value is base64"
		says(ends(1, "Error", ""), "DATABASE_URL is not valid")(s)
	}},
	{"connection pool is exhausted", analysis.Pool, "scale", repeats(app.Backend, `{"level":"WARNING","message":"overloaded","waiting":50}`)},
	{"database is out of connections", analysis.DatabaseFull, "max_connections", repeats(app.Backend, `{"level":"ERROR","message":"database unavailable","reason":"FATAL: sorry, too many clients already"}`)},
	{"database does not take the password", analysis.DatabaseLogin, "password", says(unready("Readiness probe failed: HTTP probe failed with statuscode: 503"),
		`{"level":"ERROR","message":"database unavailable","reason":"password authentication failed for user \"todo\""}`)},
	{"database is away", analysis.DatabaseAway, "postgres", says(unready("Readiness probe failed: HTTP probe failed with statuscode: 503"),
		`{"level":"ERROR","message":"database unavailable","reason":"connection to server at 10.1.2.3 failed: Connection refused"}`)},
	{"database is scaled to nothing", analysis.ScaledDown, "scale statefulset", func(s *analysis.Snapshot) {
		none := int32(0)
		s.StatefulSets[0].Spec.Replicas, s.StatefulSets[0].Status = &none, appsv1.StatefulSetStatus{ObservedGeneration: 1, UpdateRevision: "postgres-1"}
		s.Pods = s.Pods[:4]
	}},
	{"schema is behind", analysis.SchemaBehind, "migration", repeats(app.Backend, `{"level":"ERROR","message":"unhandled error","exception":"UndefinedTable: relation \"tasks\" does not exist"}`)},
	{"requests are slow", analysis.SlowQueries, "top", requests(200, 2400)},
	{"requests fail", analysis.ServerErrors, "logs", requests(500, 12)},
	{"memory is nearly used up", analysis.MemoryNear, "limits.memory", func(s *analysis.Snapshot) {
		s.Usage["backend-1-a/backend"] = corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("490Mi")}
	}},
	{"CPU is used up", analysis.CPUNear, "limits.cpu", func(s *analysis.Snapshot) {
		s.Usage["backend-1-a/backend"] = corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("499m")}
	}},
	{"restarts with different causes", analysis.Restarts, "logs", func(s *analysis.Snapshot) {
		c := &s.Pods[0].Status.ContainerStatuses[0]
		c.RestartCount = 5
		c.LastTerminationState.Terminated = &corev1.ContainerStateTerminated{
			ExitCode: 1, Reason: "Error", FinishedAt: metav1.NewTime(now.Add(-time.Minute)),
		}
		s.Events = append(s.Events, event(&s.Pods[0], "Warning", "BackOff", "Back-off restarting failed container", now), event(&s.Pods[0], "Warning", "Unhealthy", "Liveness probe failed", now))
	}},
	{"node is down", analysis.NodeDown, "cluster:up", func(s *analysis.Snapshot) {
		s.Nodes[0].Status.Conditions[0] = corev1.NodeCondition{Type: corev1.NodeReady, Status: corev1.ConditionUnknown, Reason: "NodeStatusUnknown"}
	}},
	{"node is cordoned", analysis.Cordoned, "uncordon", func(s *analysis.Snapshot) { s.Nodes[0].Spec.Unschedulable = true }},
	{"rollout is paused", analysis.Paused, "resume", func(s *analysis.Snapshot) { s.Deployments[0].Spec.Paused = true }},
	{"namespace is being deleted", analysis.Finalizer, "namespace", func(s *analysis.Snapshot) { s.NamespaceEnds = true }},
	{"authority is not trusted", analysis.TrustedAuthority, "TODO_CA_BUNDLE", repeats(app.Backend, `{"level":"ERROR","message":"assistant unavailable","reason":"certificate verify failed"}`)},
	{"volume cannot be mounted", analysis.Volume, "storage class", stays("FailedMount", `MountVolume.SetUp failed for volume "data" : secret "absent" not found`)},
	{"pod has no network", analysis.Sandbox, "cluster:down", stays("FailedCreatePodSandBox", `Failed to create pod sandbox: no runtime for "x" is configured`)},
}

func stamp(at time.Time) *metav1.Time {
	t := metav1.NewTime(at)
	return &t
}

func port(n int32) networkingv1.NetworkPolicyPort {
	p := intstr.FromInt32(n)
	return networkingv1.NetworkPolicyPort{Port: &p}
}
