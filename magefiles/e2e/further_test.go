//go:build e2e

package e2e

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"todo.local/magefiles/internal/fault"
)

// greeterRow is what makes testdata/greeter a service of the application, and greeterEntry what the chart is told of
// it.
const (
	greeterRow = `	{Name: "greeter", Folder: "greeter", Target: "runtime", Base: Python, Port: 8080, Scalable: true,
		Probes: Probes{Startup: "/greeter/", Liveness: "/greeter/", Readiness: "/greeter/"}, Words: "greeting"},
`
	greeterEntry = `services:
  greeter:
    image: {repository: todo-greeter}
    replicas: 1
    containerPort: 8080
    path: /greeter
    probes: {startup: /greeter/, liveness: /greeter/, readiness: /greeter/}
    calls: [backend]
    resources: {limits: {memory: 64Mi}, requests: {memory: 32Mi}}
`
)

// further adds a service by a folder, a row and an entry, operates it with the targets, and takes it away again. The
// network policies are on meanwhile.
func further(t *testing.T, project checkout) {
	d := running(t)
	grown := copyOf(t, project)
	require.NoError(t, os.CopyFS(filepath.Join(grown.dir, "greeter"), os.DirFS(filepath.Join("testdata", "greeter"))))
	replace(t, grown, "magefiles/internal/app/app.go", "	Postgres,\n}\n", "	Postgres,\n"+greeterRow+"}\n")
	replace(t, grown, "charts/todo-app/values.yaml", "services: {}\n", greeterEntry)
	replace(t, grown, "charts/todo-app/values.yaml", "networkPolicy:\n  enabled: false\n", "networkPolicy:\n  enabled: true\n")
	replace(t, grown, "charts/todo-app/values.yaml", "ingressNamespace: ingress-nginx\n", "ingressNamespace: todo-system\n")
	grown.as = &account{targets: filepath.Join(t.TempDir(), "targets")}
	compile := exec.CommandContext(t.Context(), "go", "tool", "mage", "-compile", grown.as.targets)
	compile.Dir = grown.dir
	out, err := compile.CombinedOutput()
	require.NoError(t, err, "%s", out)

	before := append(d.names(t, "todo-backend"), d.names(t, "todo-frontend")...)
	require.Zero(t, grown.mage(t, nil, "deploy").code)
	assert.ElementsMatch(t, before, append(d.names(t, "todo-backend"), d.names(t, "todo-frontend")...), "nothing else was replaced")
	pods := d.names(t, "todo-greeter")
	require.Len(t, pods, 1)

	res, err := get(t.Context(), d.browser(), "http://todo.localhost/greeter/")
	require.NoError(t, err)
	assert.Equal(t, http.StatusOK, res.StatusCode)
	assert.Equal(t, "Good day.\n", res.text)

	r := grown.mage(t, nil, "status")
	require.Zero(t, r.code)
	assert.Regexp(t, `(?m)^`+pods[0]+` +1/1 +Running .* todo-greeter:[0-9a-f]+$`, r.output)
	r = grown.mage(t, nil, "logs", "-service=greeter")
	require.Zero(t, r.code)
	assert.Regexp(t, pods[0]+`  .*"GET /greeter/ HTTP/1.1" 200`, r.output)
	r = grown.mage(t, nil, "ai", "show the logs of the greeting service")
	require.Zero(t, r.code)
	assert.Contains(t, r.output, `"GET /greeter/ HTTP/1.1" 200`, "by the word that its row has for it")
	r = grown.mage(t, nil, "shell", "greeter", `-command=python3 -c "import urllib.request as r; print(r.urlopen('http://backend-svc:8000/health').status)"`)
	require.Zero(t, r.code)
	assert.Contains(t, r.output, "200", "it may call the backend")

	require.Zero(t, grown.mage(t, nil, "scale", "greeter", "2").code)
	assert.Len(t, d.names(t, "todo-greeter"), 2)
	assert.Equal(t, []string{"todo-system"}, allowed(t, d, "greeter"))
	assert.Contains(t, allowed(t, d, "backend"), "greeter")
	assert.NotContains(t, allowed(t, d, "postgres"), "greeter")

	require.Zero(t, project.mage(t, nil, "deploy").code)
	assert.Empty(t, d.names(t, "todo-greeter"))
	assert.ElementsMatch(t, before, append(d.names(t, "todo-backend"), d.names(t, "todo-frontend")...))
	left, err := d.client.NetworkingV1().NetworkPolicies(d.cfg.Namespace).List(t.Context(), metav1.ListOptions{})
	require.NoError(t, err)
	assert.Empty(t, left.Items)
	assert.Equal(t, fault.CodeInput, project.mage(t, nil, "logs", "-service=greeter").code)
}

// allowed names who the network policy of a service lets in: namespaces, and services.
func allowed(t *testing.T, d *deployment, service string) []string {
	t.Helper()
	policy, err := d.client.NetworkingV1().NetworkPolicies(d.cfg.Namespace).Get(t.Context(), service, metav1.GetOptions{})
	require.NoError(t, err)
	var who []string
	for _, rule := range policy.Spec.Ingress {
		for _, peer := range rule.From {
			who = append(who, named(peer))
		}
	}
	return who
}

func named(peer networkingv1.NetworkPolicyPeer) string {
	if peer.NamespaceSelector != nil {
		return peer.NamespaceSelector.MatchLabels["kubernetes.io/metadata.name"]
	}
	return peer.PodSelector.MatchLabels["app.kubernetes.io/component"]
}
