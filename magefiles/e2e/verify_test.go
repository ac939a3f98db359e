//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/kubectl/pkg/util/podutils"
	metrics "k8s.io/metrics/pkg/client/clientset/versioned"

	"todo.local/magefiles/internal/kube"
	"todo.local/magefiles/internal/secrets"
)

// wired checks that every Service leads to its ready pods and to nothing else, and that pods reach those that they
// need.
func wired(t *testing.T) {
	d := running(t)
	for service, app := range map[string]string{"backend-svc": "todo-backend", "frontend-svc": "todo-frontend", "postgres-svc": "todo-postgres", "postgres": "todo-postgres"} {
		assert.EventuallyWithT(t, func(c *assert.CollectT) {
			slices, err := d.client.DiscoveryV1().EndpointSlices(d.cfg.Namespace).List(t.Context(), metav1.ListOptions{LabelSelector: "kubernetes.io/service-name=" + service})
			require.NoError(c, err)
			var leads []string
			for _, s := range slices.Items {
				for _, e := range s.Endpoints {
					if e.Conditions.Ready != nil && *e.Conditions.Ready {
						leads = append(leads, e.Addresses...)
					}
				}
			}
			var ips []string
			pods := d.pods(t)
			for _, name := range d.names(t, app) {
				if p := pods[name]; podutils.IsPodReady(&p) {
					ips = append(ips, pods[name].Status.PodIP)
				}
			}
			assert.NotEmpty(c, ips, service)
			assert.ElementsMatch(c, ips, leads, service)
		}, 15*time.Second, 500*time.Millisecond)
	}
	// The backend is ready only with its database, so that the first answer proves both ways.
	assert.Equal(t, "200", d.exec(t, "todo-frontend", "node", "-e", `fetch("http://backend-svc:8000/health/ready").then(r => console.log(r.status))`))
	assert.Equal(t, "reached", d.exec(t, "todo-backend", "python", "-c", `import socket; socket.create_connection(("postgres-svc", 5432), 5); print("reached")`))
}

// exec runs a command in the first pod of an app, and gives what it printed.
func (d *deployment) exec(t *testing.T, app string, command ...string) string {
	t.Helper()
	var out, complaint bytes.Buffer
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	err := d.access.Exec(ctx, kube.Process{Namespace: d.cfg.Namespace, Pod: d.names(t, app)[0], Container: strings.TrimPrefix(app, "todo-"),
		Command: command, Stdout: &out, Stderr: &complaint})
	require.NoError(t, err, complaint.String())
	return strings.TrimSpace(out.String())
}

// limited checks that every container asks for what it needs and may use no more than it was given: in its
// specification, by the kernel's own account, and as measured.
func limited(t *testing.T, d *deployment) {
	limits := map[string]corev1.ResourceList{} // by pod/container
	for name, p := range d.pods(t) {
		for _, c := range append(p.Spec.InitContainers, p.Spec.Containers...) {
			for _, r := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
				assert.NotZero(t, c.Resources.Requests[r], "%s/%s requests %s", name, c.Name, r)
				assert.NotZero(t, c.Resources.Limits[r], "%s/%s limits %s", name, c.Name, r)
			}
			limits[name+"/"+c.Name] = c.Resources.Limits
		}
		for _, c := range p.Status.ContainerStatuses {
			assert.Zero(t, c.RestartCount, "%s/%s was restarted", name, c.Name)
		}
	}
	for _, app := range []string{"todo-backend", "todo-frontend", "todo-postgres"} {
		// cgroup v2, or v1
		text := d.exec(t, app, "sh", "-c", "cat /sys/fs/cgroup/memory.max 2>/dev/null || cat /sys/fs/cgroup/memory/memory.limit_in_bytes")
		most, err := strconv.ParseInt(text, 10, 64)
		require.NoError(t, err)
		given := limits[d.names(t, app)[0]+"/"+strings.TrimPrefix(app, "todo-")]
		assert.Equal(t, given.Memory().Value(), most, "%s: memory that the kernel lets it have", app)
	}
	cfg, err := d.access.RESTConfig()
	require.NoError(t, err)
	measured, err := metrics.NewForConfig(cfg)
	require.NoError(t, err)
	usage, err := measured.MetricsV1beta1().PodMetricses(d.cfg.Namespace).List(t.Context(), metav1.ListOptions{})
	require.NoError(t, err)
	compared := 0
	for _, p := range usage.Items {
		for _, c := range p.Containers {
			limit, present := limits[p.Name+"/"+c.Name]
			if !present {
				continue // a pod that has ended since
			}
			compared++
			assert.LessOrEqual(t, c.Usage.Memory().Value(), limit.Memory().Value(), "memory of %s", p.Name)
			assert.LessOrEqual(t, c.Usage.Cpu().MilliValue(), limit.Cpu().MilliValue(), "CPU of %s", p.Name)
		}
	}
	assert.NotZero(t, compared)
}

// encrypted serves HTTPS with a certificate of this project's own, next to HTTP, and takes it away again.
func encrypted(t *testing.T, project checkout) {
	r := project.mage(t, []string{"TODO_TLS=self-signed"}, "deploy")
	require.Zero(t, r.code)
	assert.Contains(t, r.output, "https://todo.localhost")
	d := running(t)
	pair, err := secrets.Certificate(t.Context(), d.client, d.cfg.Namespace, secrets.CertificateName)
	require.NoError(t, err)
	certificate := pair.Leaf
	own := x509.NewCertPool()
	own.AddCert(certificate)

	trusting := d.through(d.access.HTTPS, &tls.Config{RootCAs: own})
	for _, host := range d.cfg.Hosts() {
		res, err := get(t.Context(), trusting, "https://"+host+"/")
		require.NoError(t, err, host)
		assert.Equal(t, http.StatusOK, res.StatusCode, host)
		assert.True(t, res.TLS.PeerCertificates[0].Equal(certificate), host)
		assert.GreaterOrEqual(t, res.TLS.Version, uint16(tls.VersionTLS12), host)
	}
	body, err := json.Marshal(map[string]string{"email": "over-tls@example.com", "password": "correct horse battery"})
	require.NoError(t, err)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://todo.localhost/api/auth/register", bytes.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	res, err := ask(trusting, req)
	require.NoError(t, err)
	require.Equal(t, http.StatusCreated, res.StatusCode)
	require.NotEmpty(t, res.Cookies())
	assert.True(t, res.Cookies()[0].Secure, "the backend is told that the way to the ingress was encrypted")
	assert.True(t, res.Cookies()[0].HttpOnly)

	var unknown x509.UnknownAuthorityError
	_, err = get(t.Context(), d.through(d.access.HTTPS, &tls.Config{RootCAs: x509.NewCertPool()}), "https://todo.localhost/")
	require.ErrorAs(t, err, &unknown, "nobody else vouches for it")
	_, err = get(t.Context(), trusting, "https://other.example.com/")
	require.Error(t, err, "it is good for the application's names alone")
	res, err = get(t.Context(), d.browser(), "http://todo.localhost/")
	require.NoError(t, err)
	assert.Equal(t, http.StatusOK, res.StatusCode, "HTTP still answers, and sends nobody elsewhere")

	require.Zero(t, project.mage(t, nil, "deploy").code)
	assert.EventuallyWithT(t, func(c *assert.CollectT) {
		_, err := get(t.Context(), trusting, "https://todo.localhost/")
		assert.Error(c, err, "the ingress presents a certificate of its own again")
	}, 10*time.Second, 500*time.Millisecond)
}

// restarted restarts the cluster's node, as a reboot of the machine does: a deploy right after it waits until all is
// back, and nothing is lost.
func restarted(t *testing.T, project checkout, alice *user) {
	_, err := docker(t).Output(t.Context(), "restart", "--time", "0", settings(t).ClusterName+"-control-plane") // as if its power was cut
	require.NoError(t, err)
	r := project.mage(t, nil, "deploy")
	require.Zero(t, r.code)
	d := running(t)
	for name, p := range d.pods(t) {
		assert.True(t, podutils.IsPodReady(&p), name)
	}
	d.login(t, alice)
	assert.Equal(t, []string{"written on the first day"}, alice.titles(t))
	wired(t)
}
