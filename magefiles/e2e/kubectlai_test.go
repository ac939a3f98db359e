//go:build e2e

package e2e

import (
	"encoding/base64"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	authv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"todo.local/magefiles/internal/identity"
	"todo.local/magefiles/internal/run"
	"todo.local/magefiles/internal/secrets"
)

var updateRights = flag.Bool("update-rights", false, "write what the assistants' accounts may do now into testdata/ai-rights.txt")

// kubectlModel runs, one after another, the commands that a question is answered with, and then says what the cluster
// said.
func kubectlModel(commands map[string][]string) script {
	return func(asked string, results []string) turn {
		for question, wanted := range commands {
			if !strings.HasSuffix(asked, question) {
				continue
			}
			if len(results) < len(wanted) {
				return turn{tool: "kubectl", arguments: map[string]any{"command": wanted[len(results)], "modifies_resource": "no"}}
			}
			return turn{text: "The cluster says: " + strings.Join(results, "\n")}
		}
		return turn{text: "no scenario for: " + asked}
	}
}

// kubectlAI has the real kubectl-ai answer questions from the cluster, change it as far as it may, and try for what it
// may not have.
func kubectlAI(t *testing.T, project checkout) {
	if !run.Confines() {
		t.Skip("kubectl-ai is not run where the kernel cannot confine it")
	}
	d := running(t)
	require.Zero(t, project.mage(t, nil, "ai:install").code)
	ask := func(e *endpoint, question string, flags ...string) result {
		return project.mage(t, e.env(), append([]string{"ai:kubectl", question}, flags...)...)
	}
	n := d.cfg.Namespace

	looks := newEndpoint(t, kubectlModel(map[string][]string{
		"which pods run?":             {"kubectl get pods -n " + n},
		"what did the backend log?":   {"kubectl logs -n " + n + " -l app=todo-backend --tail=5"},
		"how much memory is used?":    {"kubectl top pods -n " + n},
		"what is wrong?":              {"kubectl get events -n " + n, "kubectl describe deployment backend -n " + n},
		"which versions were rolled?": {"kubectl rollout history deployment/backend -n " + n},
		"what is deployed?":           {"kubectl get deployments,services,ingresses -n " + n},
	}))
	for question, wants := range map[string][]string{
		"which pods run?":             d.names(t, "todo-backend"),
		"what did the backend log?":   {`"path"`},
		"how much memory is used?":    {"MEMORY(bytes)"},
		"what is wrong?":              {"RollingUpdateStrategy"},
		"which versions were rolled?": {"REVISION"},
		"what is deployed?":           {"deployment.apps/backend", "service/backend-svc", "ingress.networking.k8s.io/"},
	} {
		r := ask(looks, question)
		require.Zero(t, r.code)
		for _, want := range wants {
			assert.Contains(t, unwrapped(r.output), unwrapped(want))
		}
		assert.NotContains(t, r.output, "the-models-key")
	}
	changes(t, d, ask)
	refusals(t, project, d, ask)
}

// unwrapped is a text without white space and the marks of quotations in quotations: kubectl-ai breaks lines anywhere.
func unwrapped(text string) string {
	return strings.Join(strings.Fields(strings.ReplaceAll(text, `\`, "")), "")
}

// changes scales by way of kubectl-ai: where the person asked for it, and no further.
func changes(t *testing.T, d *deployment, ask func(*endpoint, string, ...string) result) {
	n := d.cfg.Namespace
	replicas := func() int32 {
		deployment, err := d.client.AppsV1().Deployments(n).Get(t.Context(), "backend", metav1.GetOptions{})
		require.NoError(t, err)
		return *deployment.Spec.Replicas
	}
	before := replicas()
	e := newEndpoint(t, kubectlModel(map[string][]string{
		"scale the backend to 3":         {"kubectl scale deployment backend -n " + n + " --replicas=3", "kubectl get deployment backend -n " + n},
		"scale the backend to 2":         {"kubectl scale deployment backend -n " + n + " --replicas=2"},
		"restart the frontend":           {"kubectl rollout restart deployment frontend -n " + n},
		"restart the backend":            {"kubectl set env deployment/backend -n " + n + " STOLEN=1"},
		"how many pods has the backend?": {"kubectl scale deployment backend -n " + n + " --replicas=0"},
	}))
	r := ask(e, "scale the backend to 3")
	assert.Contains(t, r.output, "RunOnce mode cannot handle permission requests")
	assert.Equal(t, before, replicas(), "without -change it only looks")
	r = ask(e, "how many pods has the backend?", "-change")
	assert.NotZero(t, r.code, "nobody asked for a change")
	assert.Equal(t, before, replicas())

	r = ask(e, "scale the backend to 3", "-change")
	require.Zero(t, r.code)
	assert.Contains(t, unwrapped(r.output), unwrapped("deployment.apps/backend scaled"))
	assert.EqualValues(t, 3, replicas())
	require.Zero(t, ask(e, "scale the backend to 2", "-change").code)
	assert.EqualValues(t, 2, replicas())
	r = ask(e, "restart the frontend", "-change")
	assert.Contains(t, unwrapped(r.output), unwrapped("deployment.apps/frontend restarted"))
	r = ask(e, "restart the backend", "-change")
	assert.Contains(t, unwrapped(r.output), unwrapped("ai-operate may scale and restart, and change nothing else of a Deployment"))
}

// refusals has a model ask for all that it may not have. Nothing of that reaches its endpoint.
func refusals(t *testing.T, project checkout, d *deployment, ask func(*endpoint, string, ...string) result) {
	n, own := d.cfg.Namespace, filepath.Join(project.dir, ".cache", filepath.Base(d.access.Kubeconfig))
	require.FileExists(t, own)
	tries := []string{
		"kubectl get secret -n " + n + " app-secrets -o yaml",
		"kubectl get secrets -A",
		"kubectl get --raw /api/v1/namespaces/" + n + "/secrets",
		"kubectl --kubeconfig=" + own + " get secret -n " + n + " app-secrets -o yaml",
		"KUBECONFIG=" + own + " kubectl get secret -n " + n + " app-secrets -o yaml",
		"kubectl get -f " + own,
		"kubectl get pods -n kube-system",
		"kubectl get nodes",
		"kubectl auth can-i get secrets -n " + n,
	}
	e := newEndpoint(t, kubectlModel(map[string][]string{"show me everything": tries}))
	r := ask(e, "show me everything")
	require.Zero(t, r.code)
	for _, want := range []string{
		`secrets "app-secrets" is forbidden: User "system:serviceaccount:` + n + `:ai-view"`, "permission denied", `pods is forbidden`, `nodes is forbidden`, `"stdout":"non"`,
	} {
		assert.Contains(t, unwrapped(e.heard()), unwrapped(want))
	}
	nothingSecret(t, d, r.output+e.heard())
	raw, err := os.ReadFile(own)
	require.NoError(t, err)
	for line := range strings.Lines(string(raw)) {
		if _, key, ok := strings.Cut(strings.TrimSpace(line), "client-key-data: "); ok {
			assert.NotContains(t, e.heard(), key)
		}
	}
	left, err := filepath.Glob(filepath.Join(os.TempDir(), "todo-kubectl-ai-*"))
	require.NoError(t, err)
	assert.Empty(t, left, "the loan goes with the call")
}

// nothingSecret finds no value of the application's Secret in a text.
func nothingSecret(t *testing.T, d *deployment, text string) {
	t.Helper()
	s, err := d.client.CoreV1().Secrets(d.cfg.Namespace).Get(t.Context(), secrets.Name, metav1.GetOptions{})
	require.NoError(t, err)
	for key, value := range s.Data {
		assert.NotContains(t, text, string(value), key)
		assert.NotContains(t, text, base64.StdEncoding.EncodeToString(value), key)
	}
}

// rights compares all that the assistants' accounts may do with what is written down.
func rights(t *testing.T) {
	d := running(t)
	resources := []string{"", "configmaps", "", "endpoints", "", "events", "", "namespaces", "", "nodes", "", "persistentvolumeclaims", "", "pods", "", "pods/exec", "", "pods/attach",
		"", "pods/log", "", "pods/portforward", "", "pods/proxy", "", "pods/eviction", "", "secrets", "", "serviceaccounts", "", "serviceaccounts/token", "", "services", "", "services/proxy",
		"apps", "deployments", "apps", "deployments/scale", "apps", "statefulsets", "apps", "replicasets", "autoscaling", "horizontalpodautoscalers", "networking.k8s.io", "ingresses",
		"networking.k8s.io", "networkpolicies", "policy", "poddisruptionbudgets", "rbac.authorization.k8s.io", "roles", "rbac.authorization.k8s.io", "rolebindings", "metrics.k8s.io", "pods"}
	verbs := []string{"get", "list", "watch", "create", "update", "patch", "delete", "deletecollection", "impersonate", "bind", "escalate"}
	var out strings.Builder
	for _, account := range []string{identity.View, identity.Operate} {
		for _, where := range []string{d.cfg.Namespace, "kube-system"} {
			for i := 0; i < len(resources); i += 2 {
				resource, sub, _ := strings.Cut(resources[i+1], "/")
				var may []string
				for _, verb := range verbs {
					review := &authv1.SubjectAccessReview{Spec: authv1.SubjectAccessReviewSpec{
						User:               "system:serviceaccount:" + d.cfg.Namespace + ":" + account,
						Groups:             []string{"system:serviceaccounts", "system:serviceaccounts:" + d.cfg.Namespace, "system:authenticated"},
						ResourceAttributes: &authv1.ResourceAttributes{Namespace: where, Verb: verb, Group: resources[i], Resource: resource, Subresource: sub, Name: "backend"},
					}}
					got, err := d.client.AuthorizationV1().SubjectAccessReviews().Create(t.Context(), review, metav1.CreateOptions{})
					require.NoError(t, err)
					if got.Status.Allowed {
						may = append(may, verb)
					}
				}
				place := "its namespace"
				if where != d.cfg.Namespace {
					place = "elsewhere"
				}
				fmt.Fprintf(&out, "%-10s %-13s %-50s %s\n", account, place, strings.TrimSuffix(resources[i+1]+"."+resources[i], "."), strings.Join(append(may, "-")[:max(len(may), 1)], " "))
			}
		}
	}
	golden := filepath.Join("testdata", "ai-rights.txt")
	if *updateRights {
		require.NoError(t, os.WriteFile(golden, []byte(out.String()), 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	assert.Equal(t, string(want), out.String())
}
