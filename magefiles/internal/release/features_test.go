package release_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"

	"todo.local/magefiles/internal/release"
)

func TestPodsOfAServiceKeepApart(t *testing.T) {
	for text, want := range map[string]struct{ spread, preferred, required int }{
		``:                               {1, 2, 0},
		`antiAffinity: {required: true}`: {1, 1, 1},
		`{antiAffinity: {enabled: false}, topologySpread: {enabled: false}}`: {0, 0, 0},
	} {
		all := templates(objects(t, "todo-app", text))
		for _, name := range []string{"backend", "frontend"} {
			pod := all[name]
			require.Len(t, pod.Spec.TopologySpreadConstraints, want.spread, text)
			for _, c := range pod.Spec.TopologySpreadConstraints {
				assertSelects(t, c.LabelSelector, pod.Labels)
			}
			affinity := pod.Spec.Affinity
			if want.preferred+want.required == 0 {
				assert.Nil(t, affinity, text)
				continue
			}
			terms := affinity.PodAntiAffinity.RequiredDuringSchedulingIgnoredDuringExecution
			assert.Len(t, terms, want.required, text)
			assert.Len(t, affinity.PodAntiAffinity.PreferredDuringSchedulingIgnoredDuringExecution, want.preferred, text)
			for _, p := range affinity.PodAntiAffinity.PreferredDuringSchedulingIgnoredDuringExecution {
				terms = append(terms, p.PodAffinityTerm)
			}
			var keys []string
			for _, term := range terms {
				keys = append(keys, term.TopologyKey)
				assert.Equal(t, []string{"pod-template-hash"}, term.MatchLabelKeys, "pods of the revision that is replaced would be in the way")
				assertSelects(t, term.LabelSelector, pod.Labels)
			}
			assert.Equal(t, []string{corev1.LabelHostname, corev1.LabelTopologyZone}, keys, text)
		}
	}
}

func assertSelects(t *testing.T, s *metav1.LabelSelector, pod map[string]string) {
	t.Helper()
	assert.True(t, selects(t, s, pod), "%v does not select %v", s, pod)
}

// selects tells whether a selector is there and fits a pod.
func selects(t *testing.T, s *metav1.LabelSelector, pod map[string]string) bool {
	t.Helper()
	if s == nil {
		return false
	}
	selector, err := metav1.LabelSelectorAsSelector(s)
	require.NoError(t, err)
	return selector.Matches(labels.Set(pod))
}

// TestTheIngressNamesItsClassOnce: Kubernetes refuses an Ingress that has both the field and the annotation.
func TestTheIngressNamesItsClassOnce(t *testing.T) {
	class := func(text string) *string {
		return find[*networkingv1.Ingress](t, objects(t, "todo-app", text), "todo-app").Spec.IngressClassName
	}
	assert.Equal(t, "nginx", *class(``))
	assert.Equal(t, "traefik", *class(`ingress: {className: traefik}`))
	assert.Nil(t, class(`ingress: {className: ""}`))
	assert.Nil(t, class(`ingress: {annotations: {kubernetes.io/ingress.class: nginx}}`))
}

func TestAutoscalersReplaceTheNumberOfPods(t *testing.T) {
	all := objects(t, "todo-app", `backend: {autoscaling: {enabled: true}}`)
	assert.Nil(t, find[*appsv1.Deployment](t, all, "backend").Spec.Replicas, "every upgrade would undo what the autoscaler did")
	assert.EqualValues(t, 2, *find[*appsv1.Deployment](t, all, "frontend").Spec.Replicas)
	_, err := release.Render("todo-app", "todo", filepath.Join(charts, "todo-app"), values(t, `frontend: {autoscaling: {enabled: true, minReplicas: 7}}`))
	require.ErrorContains(t, err, "frontend.autoscaling.minReplicas is above maxReplicas")
}

// TestPoliciesAllowWhatIsNeededAndNoMore reads the policies as a network plugin does.
func TestPoliciesAllowWhatIsNeededAndNoMore(t *testing.T) {
	const ingress, gateway, monitoring = "ingress-nginx", "gateways", "monitoring"
	for name, k := range map[string]struct {
		values  string
		sources map[string][]string // by destination: namespaces, and components of the release
		outside []int               // ports anywhere that the backend may reach
	}{
		"all in the cluster": {`networkPolicy: {enabled: true}`,
			map[string][]string{"backend": {ingress, "frontend", "test"}, "frontend": {ingress}, "postgres": {"backend"}}, nil},
		"a database and a model elsewhere": {`{networkPolicy: {enabled: true, databasePort: 6543}, postgres: {enabled: false}, secrets: {existingSecret: mine}}`,
			map[string][]string{"backend": {ingress, "frontend", "test"}, "frontend": {ingress}}, []int{6543, 443}},
		"a model by another name": {`{networkPolicy: {enabled: true}, config: {openaiBaseUrl: "http://models/v1"}, secrets: {openaiApiKey: sk-1}}`,
			map[string][]string{"backend": {ingress, "frontend", "test"}, "frontend": {ingress}, "postgres": {"backend"}}, []int{80}},
		"a server that sends mail": {`{networkPolicy: {enabled: true, mailPort: 587}, secrets: {smtpUrl: "smtp://mail?from=a@b"}}`,
			map[string][]string{"backend": {ingress, "frontend", "test"}, "frontend": {ingress}, "postgres": {"backend"}}, []int{587}},
		"a gateway and Prometheus": {`{networkPolicy: {enabled: true, ingressNamespace: gateways}, serviceMonitor: {enabled: true},
			ingress: {enabled: false}, httpRoute: {enabled: true, parentRefs: [{name: public}]}}`,
			map[string][]string{"backend": {gateway, monitoring, "frontend", "test"}, "frontend": {gateway}, "postgres": {"backend"}}, nil},
		"nobody from outside": {`{networkPolicy: {enabled: true}, ingress: {enabled: false}}`,
			map[string][]string{"backend": {"frontend", "test"}, "frontend": nil, "postgres": {"backend"}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			all := objects(t, "todo-app", k.values)
			pods := templates(all)
			for pod := range pods {
				assertSelects(t, &find[*networkingv1.NetworkPolicy](t, all, "todo-app-deny").Spec.PodSelector, pods[pod].Labels)
			}
			deny := find[*networkingv1.NetworkPolicy](t, all, "todo-app-deny").Spec
			assert.Empty(t, deny.Ingress)
			assert.Empty(t, deny.Egress)
			assert.ElementsMatch(t, []networkingv1.PolicyType{networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress}, deny.PolicyTypes)

			for destination, want := range k.sources {
				policy := find[*networkingv1.NetworkPolicy](t, all, destination)
				assertSelects(t, &policy.Spec.PodSelector, pods[destination].Labels)
				assert.ElementsMatch(t, want, sources(t, policy), destination)
			}
			assert.Equal(t, k.outside, outside(t, all))
			_, found := k.sources["postgres"]
			assert.Equal(t, found, pods["postgres"].Labels != nil)
		})
	}
}

// sources names who a policy lets in: namespaces, and components of the release.
func sources(t *testing.T, policy *networkingv1.NetworkPolicy) []string {
	t.Helper()
	var out []string
	for _, rule := range policy.Spec.Ingress {
		require.NotEmpty(t, rule.From, "nobody named is everybody")
		require.NotEmpty(t, rule.Ports, "no port named is every port")
		for _, peer := range rule.From {
			if peer.NamespaceSelector != nil {
				out = append(out, peer.NamespaceSelector.MatchLabels[corev1.LabelMetadataName])
			} else {
				out = append(out, peer.PodSelector.MatchLabels["app.kubernetes.io/component"])
			}
		}
	}
	return out
}

// outside gives the ports that the backend may reach anywhere, and checks that names are resolved in the cluster.
func outside(t *testing.T, all []runtime.Object) []int {
	t.Helper()
	var out []int
	resolves := false
	for _, rule := range find[*networkingv1.NetworkPolicy](t, all, "backend").Spec.Egress {
		require.NotEmpty(t, rule.Ports)
		if len(rule.To) == 0 {
			out = append(out, rule.Ports[0].Port.IntValue())
		} else if s := rule.To[0].NamespaceSelector; s != nil {
			resolves = s.MatchLabels[corev1.LabelMetadataName] == "kube-system" && rule.Ports[0].Port.IntValue() == 53
		}
	}
	assert.True(t, resolves, "no DNS")
	return out
}
