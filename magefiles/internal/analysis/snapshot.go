package analysis

import (
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"

	"todo.local/magefiles/internal/rollout"
)

// Snapshot is what a cluster says of an application at one moment. It holds no value of a Secret.
type Snapshot struct {
	Now       time.Time
	Namespace string

	rollout.Objects  // of the release
	Services         []corev1.Service
	EndpointSlices   []discoveryv1.EndpointSlice
	Ingresses        []networkingv1.Ingress // of all namespaces, as far as they may be looked at
	IngressClasses   []string               // nil where they may not
	NetworkPolicies  []networkingv1.NetworkPolicy
	Autoscalers      []autoscalingv2.HorizontalPodAutoscaler
	Budgets          []policyv1.PodDisruptionBudget
	Quotas           []corev1.ResourceQuota
	ConfigMaps       []corev1.ConfigMap
	Nodes            []corev1.Node
	NamespaceEnds    bool          // the namespace itself is being deleted
	Secrets          []SecretFacts // nil where nobody looked
	Logs             []Log
	Usage            map[string]corev1.ResourceList // by pod/container
	ClockAhead       time.Duration                  // how far the cluster's clock is ahead of this machine's
	IngressNamespace string                         // of the ingress controller; empty where it is not known
}

// SecretFacts is what may be told of a Secret: no value.
type SecretFacts struct {
	Name        string
	Keys        map[string]string // what is wrong with the shape of each key's value, or nothing
	Certificate *CertificateFacts // of a kubernetes.io/tls Secret
}

// CertificateFacts is what a certificate says to everybody.
type CertificateFacts struct {
	NotBefore, NotAfter time.Time
	Hosts               []string
	Unreadable          string // why there are no others
}

// Log is what one container logged last.
type Log struct {
	Pod, Container string
	Lines          []Line
}

// Line is one line of a log.
type Line struct {
	Time time.Time
	Text string
}

// pod gives one by its name.
func (s *Snapshot) pod(name string) *corev1.Pod {
	for i := range s.Pods {
		if s.Pods[i].Name == name {
			return &s.Pods[i]
		}
	}
	return nil
}
