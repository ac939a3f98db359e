package cluster

import (
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/source"
)

const (
	readyPath   = "/readyz"
	classPath   = "/apis/networking.k8s.io/v1/ingressclasses/nginx"
	ingressPath = "/apis/networking.k8s.io/v1/namespaces/todo/ingresses/todo-app"
)

// newExisting is the cluster of context "work" in a user's kubeconfig that has another one too. Its API server answers the given paths.
func newExisting(t *testing.T, answers map[string]any) (*Existing, string) {
	t.Helper()
	api := httptest.NewTLSServer( // a token is only sent over TLS
		http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			assert.Equal(t, http.MethodGet, r.Method, "looking changes nothing")
			assert.Equal(t, "Bearer of-work", r.Header.Get("Authorization"))
			w.Header().Set("Content-Type", "application/json")
			answer, ok := answers[r.URL.Path]
			if !ok {
				answer = metav1.Status{Status: metav1.StatusFailure, Reason: metav1.StatusReasonNotFound, Code: http.StatusNotFound}
			}
			if s, failed := answer.(metav1.Status); failed {
				w.WriteHeader(int(s.Code))
			}
			assert.NoError(t, json.NewEncoder(w).Encode(answer))
		}))
	t.Cleanup(api.Close)
	dir := t.TempDir()
	home := filepath.Join(dir, "user", "config")
	require.NoError(t, os.Mkdir(filepath.Dir(home), 0o755))
	require.NoError(t, os.WriteFile(home, []byte(kubeconfigOf("private", "https://192.0.2.1")), 0o600))
	ca := base64.StdEncoding.EncodeToString(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: api.Certificate().Raw}))
	work := filepath.Join(dir, "work")
	require.NoError(t, os.WriteFile(work, []byte(strings.Replace(kubeconfigOf("work", api.URL), "{server", "{certificate-authority-data: "+ca+", server", 1)), 0o600))
	t.Setenv("KUBECONFIG", home+string(os.PathListSeparator)+work)
	return &Existing{ContextName: "work", Kubeconfig: filepath.Join(dir, "checkout", "kubeconfig"), Namespace: "todo"}, home
}

func working() map[string]any {
	return map[string]any{readyPath: "ok", classPath: networkingv1.IngressClass{ObjectMeta: metav1.ObjectMeta{Name: "nginx"}}}
}

func ingressAt(at ...networkingv1.IngressLoadBalancerIngress) networkingv1.Ingress {
	return networkingv1.Ingress{Status: networkingv1.IngressStatus{LoadBalancer: networkingv1.IngressLoadBalancerStatus{Ingress: at}}}
}

func TestExistingContextIsCopiedAloneAndTheUsersFileIsNotTouched(t *testing.T) {
	e, home := newExisting(t, working())
	before, err := os.ReadFile(home)
	require.NoError(t, err)
	a, err := e.Up(t.Context(), nil, source.Node{}, nil)
	require.NoError(t, err)
	assert.Equal(t, Access{Kubeconfig: e.Kubeconfig, Context: "work"}, a, "the address of the ingress is not known before there is one")
	state, err := e.State(t.Context())
	require.NoError(t, err)
	assert.Equal(t, Running, state)

	copied, err := os.ReadFile(e.Kubeconfig)
	require.NoError(t, err)
	assert.Contains(t, string(copied), "of-work")
	assert.NotContains(t, string(copied), "private")
	info, err := os.Stat(e.Kubeconfig)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	after, err := os.ReadFile(home)
	require.NoError(t, err)
	assert.Equal(t, before, after)
}

func TestExistingIngressAddress(t *testing.T) {
	for name, c := range map[string]struct {
		ingress any
		local   Ports
		want    [2]string
	}{
		"address":     {ingress: ingressAt(networkingv1.IngressLoadBalancerIngress{IP: "192.0.2.7"}), want: [2]string{"192.0.2.7:80", "192.0.2.7:443"}},
		"host name":   {ingress: ingressAt(networkingv1.IngressLoadBalancerIngress{Hostname: "lb.example.com"}), want: [2]string{"lb.example.com:80", "lb.example.com:443"}},
		"none yet":    {ingress: ingressAt()},
		"given ports": {ingress: ingressAt(), local: Ports{HTTP: 8080, HTTPS: 8443}, want: [2]string{"127.0.0.1:8080", "127.0.0.1:8443"}},
	} {
		t.Run(name, func(t *testing.T) {
			answers := working()
			answers[ingressPath] = c.ingress
			e, _ := newExisting(t, answers)
			e.Ingress = c.local
			a, err := e.Access(t.Context())
			require.NoError(t, err)
			assert.Equal(t, c.want, [2]string{a.HTTP, a.HTTPS})
		})
	}
}

func TestExistingClusterThatCannotServe(t *testing.T) {
	forbidden := metav1.Status{Status: metav1.StatusFailure, Reason: metav1.StatusReasonForbidden, Code: http.StatusForbidden}
	t.Run("no ingress controller", func(t *testing.T) {
		e, _ := newExisting(t, map[string]any{readyPath: "ok"})
		_, err := e.Up(t.Context(), nil, source.Node{}, nil)
		require.ErrorContains(t, err, "no IngressClass nginx")
		assert.Equal(t, fault.CodeCluster, fault.Code(err))
	})
	t.Run("whoever may not look at cluster objects may still deploy", func(t *testing.T) {
		e, _ := newExisting(t, map[string]any{readyPath: "ok", classPath: forbidden})
		_, err := e.Up(t.Context(), nil, source.Node{}, nil)
		require.NoError(t, err)
	})
	t.Run("no right in the namespace", func(t *testing.T) {
		answers := working()
		answers[ingressPath] = forbidden
		e, _ := newExisting(t, answers)
		_, err := e.Up(t.Context(), nil, source.Node{}, nil)
		require.Error(t, err)
		assert.Contains(t, fault.Remedy(err), "namespace todo")
	})
	t.Run("no such context", func(t *testing.T) {
		e, _ := newExisting(t, working())
		e.ContextName = "wrok"
		_, err := e.State(t.Context())
		require.EqualError(t, err, "the kubeconfig has no usable context wrok (it has private, work)")
		assert.Equal(t, fault.CodeInput, fault.Code(err))
		assert.NoFileExists(t, e.Kubeconfig)
	})
}

func TestExistingClusterIsNeitherStoppedNorDeleted(t *testing.T) {
	e, _ := newExisting(t, nil)
	require.NoError(t, e.Down(t.Context(), nil))
	err := e.Delete(t.Context(), nil)
	require.ErrorContains(t, err, "did not make")
	assert.Equal(t, fault.CodeInput, fault.Code(err))
	assert.Contains(t, fault.Remedy(err), "delete namespace todo")
}
