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
	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/kube"
	"todo.local/magefiles/internal/source"
)

const (
	readyPath   = "/readyz"
	classPath   = "/apis/networking.k8s.io/v1/ingressclasses"
	nodePath    = "/api/v1/nodes"
	ingressPath = "/apis/networking.k8s.io/v1/namespaces/todo/ingresses/todo-app"
)

// newExisting is the cluster of context "work" in a user's kubeconfig that has another one too. Its API server answers
// the given paths.
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
	return map[string]any{readyPath: "ok", classPath: classes("nginx")}
}

// classes is a list of ingress classes. The name of the default one begins with "*".
func classes(names ...string) networkingv1.IngressClassList {
	var l networkingv1.IngressClassList
	for _, name := range names {
		name, isDefault := strings.CutPrefix(name, "*")
		c := networkingv1.IngressClass{ObjectMeta: metav1.ObjectMeta{Name: name}}
		if isDefault {
			c.Annotations = map[string]string{networkingv1.AnnotationIsDefaultIngressClass: "true"}
		}
		l.Items = append(l.Items, c)
	}
	return l
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
	assert.Equal(t, Access{API: kube.API{Kubeconfig: e.Kubeconfig, Context: "work"}, IngressClass: "nginx"}, a, "the address of the ingress is not known before there is one")
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
		e, _ := newExisting(t, map[string]any{readyPath: "ok", classPath: classes()})
		_, err := e.Up(t.Context(), nil, source.Node{}, nil)
		require.ErrorContains(t, err, "no IngressClass")
		assert.Equal(t, fault.CodeCluster, fault.Code(err))
		_, err = e.Access(t.Context())
		require.NoError(t, err, "whoever only looks is not kept from it")
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

func TestExistingIngressClass(t *testing.T) {
	forbidden := metav1.Status{Status: metav1.StatusFailure, Reason: metav1.StatusReasonForbidden, Code: http.StatusForbidden}
	for name, c := range map[string]struct {
		has       any
		chosen    string
		installed string
		want      string
		err       string
	}{
		"chosen":                           {classes("*nginx", "edge"), "edge", "nginx", "edge", ""},
		"chosen, not there":                {classes("nginx", "edge"), "egde", "", "", "has the ingress classes nginx, edge, and not egde"},
		"chosen, unseen":                   {forbidden, "edge", "", "edge", ""},
		"the installed one stays":          {classes("*nginx", "edge"), "", "edge", "edge", ""},
		"the installed one is gone":        {classes("*nginx", "edge"), "", "old", "nginx", ""},
		"default":                          {classes("nginx", "*edge"), "", "", "edge", ""},
		"only one":                         {classes("traefik"), "", "", "traefik", ""},
		"the usual one of several":         {classes("edge", "nginx"), "", "", "nginx", ""},
		"several":                          {classes("edge", "traefik"), "", "", "", "has the ingress classes edge, traefik, and none is the default"},
		"several defaults":                 {classes("*edge", "*traefik"), "", "", "", "none is the default"},
		"nobody may look at what is there": {forbidden, "", "", "nginx", ""},
	} {
		t.Run(name, func(t *testing.T) {
			answers := working()
			answers[classPath] = c.has
			if c.installed != "" {
				answers[ingressPath] = networkingv1.Ingress{Spec: networkingv1.IngressSpec{IngressClassName: &c.installed}}
			}
			e, _ := newExisting(t, answers)
			e.Class = c.chosen
			a, err := e.Up(t.Context(), nil, source.Node{}, nil)
			if c.err != "" {
				require.ErrorContains(t, err, c.err)
				assert.Contains(t, fault.Remedy(err), "TODO_INGRESS_CLASS")
				return
			}
			require.NoError(t, err)
			assert.Equal(t, c.want, a.IngressClass)
		})
	}
}

func TestExistingNodesPlatform(t *testing.T) {
	node := func(arch string, change ...func(*corev1.Node)) corev1.Node {
		n := corev1.Node{Status: corev1.NodeStatus{NodeInfo: corev1.NodeSystemInfo{OperatingSystem: "linux", Architecture: arch}}}
		for _, c := range change {
			c(&n)
		}
		return n
	}
	cordoned := func(n *corev1.Node) { n.Spec.Unschedulable = true }
	tainted := func(key string, effect corev1.TaintEffect) func(*corev1.Node) {
		return func(n *corev1.Node) { n.Spec.Taints = []corev1.Taint{{Key: key, Effect: effect}} }
	}
	windows := func(n *corev1.Node) { n.Status.NodeInfo.OperatingSystem = "windows" }
	for name, c := range map[string]struct {
		nodes []corev1.Node
		want  string
		err   string
	}{
		"one kind":             {[]corev1.Node{node("arm64"), node("arm64")}, "linux/arm64", ""},
		"none yet":             {nil, "", ""},
		"control plane apart":  {[]corev1.Node{node("amd64", tainted("node-role.kubernetes.io/control-plane", corev1.TaintEffectNoSchedule)), node("arm64")}, "linux/arm64", ""},
		"cordoned":             {[]corev1.Node{node("amd64", cordoned), node("arm64")}, "linux/arm64", ""},
		"of little preference": {[]corev1.Node{node("amd64", tainted("x", corev1.TaintEffectPreferNoSchedule)), node("arm64")}, "", "linux/amd64 and linux/arm64"},
		"away for a moment":    {[]corev1.Node{node("amd64", tainted(corev1.TaintNodeNotReady, corev1.TaintEffectNoExecute)), node("arm64")}, "", "linux/amd64 and linux/arm64"},
		"mixed, most first":    {[]corev1.Node{node("amd64"), node("arm64"), node("arm64")}, "", "linux/arm64 and linux/amd64"},
		"another system":       {[]corev1.Node{node("amd64"), node("amd64"), node("amd64", windows)}, "", "linux/amd64 and windows/amd64"},
	} {
		t.Run(name, func(t *testing.T) {
			answers := working()
			answers[nodePath] = corev1.NodeList{Items: c.nodes}
			e, _ := newExisting(t, answers)
			got, err := e.Platform(t.Context())
			if c.err != "" {
				require.ErrorContains(t, err, "the nodes of context work are "+c.err+", and an image is for one of them")
				assert.Equal(t, fault.CodeInput, fault.Code(err))
				assert.Contains(t, fault.Remedy(err), "kubectl --context work taint nodes -l kubernetes.io/os=")
				return
			}
			require.NoError(t, err)
			assert.Equal(t, c.want, got)
		})
	}
	e, _ := newExisting(t, map[string]any{readyPath: "ok", nodePath: metav1.Status{Status: metav1.StatusFailure, Reason: metav1.StatusReasonForbidden, Code: 403}})
	got, err := e.Platform(t.Context())
	require.NoError(t, err)
	assert.Empty(t, got, "whoever may not look at nodes builds for what the engine is")
}

func TestExistingClusterIsNeitherStoppedNorDeleted(t *testing.T) {
	e, _ := newExisting(t, nil)
	require.NoError(t, e.Down(t.Context(), nil))
	err := e.Delete(t.Context(), nil)
	require.ErrorContains(t, err, "did not make")
	assert.Equal(t, fault.CodeInput, fault.Code(err))
	assert.Contains(t, fault.Remedy(err), "delete namespace todo")
}

func TestRunsBesideEachOtherShareNoFile(t *testing.T) {
	e, _ := newExisting(t, working())
	var runs errgroup.Group
	for range 16 {
		runs.Go(func() error {
			for range 5 {
				a, err := e.Access(t.Context())
				if err != nil {
					return err
				}
				if _, err := a.RESTConfig(); err != nil {
					return err
				}
			}
			return nil
		})
	}
	require.NoError(t, runs.Wait())
	left, err := os.ReadDir(filepath.Dir(e.Kubeconfig))
	require.NoError(t, err)
	require.Len(t, left, 1, "nothing is left beside it")
	info, err := left[0].Info()
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
}
