//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/image"
	"todo.local/magefiles/internal/run"
)

// testRegistry is a container registry on 127.0.0.1 that counts what is uploaded to it.
// listen serves the registry on one more address.
// take gives what was uploaded and pulled since the last call of it.
func (r *testRegistry) take() (uploads, pulls int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	uploads, pulls = r.uploads, r.pulls
	r.uploads, r.pulls = 0, 0
	return uploads, pulls
}

// get reads something of the registry by its digest and checks that it is what the digest says.
func (r *testRegistry) get(t *testing.T, path string, d digest.Digest) []byte {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+r.addr+"/v2/"+path+"/"+d.String(), nil)
	require.NoError(t, err)
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer func() { _ = res.Body.Close() }()
	require.Equal(t, http.StatusOK, res.StatusCode, req.URL)
	raw, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.Equal(t, d, digest.FromBytes(raw))
	return raw
}

// tinyImage makes an image of one file, or adds that file to another image.
func tinyImage(t *testing.T, ref, from, content string) {
	t.Helper()
	files := map[string]string{"content": content}
	args := []string{"import", "-", ref}
	if from != "" {
		args = []string{"build", "--tag", ref, "-"}
		files["Dockerfile"] = "FROM " + from + "\nCOPY content /content-2\n"
	}
	_, err := docker(t).Run(t.Context(), run.Cmd{Args: args, Stdin: tarOf(t, files)})
	require.NoError(t, err)
	removeAtEnd(t, ref)
}

// tarOf is an archive of files.
// removeAtEnd takes every name of a pattern off the engine's images when the test has ended.
func TestPushToARegistry(t *testing.T) {
	reg := newRegistry(t)
	first, second := "todo-push-test:"+uniqueTag(), "todo-push-test:"+uniqueTag()
	tinyImage(t, first, "", "one "+first)
	tinyImage(t, second, first, "two")
	r := &image.Registry{Docker: docker(t), Prefix: reg.addr + "/team"}
	removeAtEnd(t, reg.addr+"/team/"+first)
	removeAtEnd(t, reg.addr+"/team/"+second)
	push := func(ref string) (repository string, pinned digest.Digest) {
		names, err := r.Push(t.Context(), nil, []string{ref})
		require.NoError(t, err)
		require.Len(t, names, 1)
		repository, d, found := strings.Cut(names[ref], "@")
		require.True(t, found, names[ref])
		return strings.TrimPrefix(repository, reg.addr+"/"), digest.Digest(d)
	}

	repository, d := push(first)
	assert.Equal(t, "team/todo-push-test", repository)
	var manifest ocispec.Manifest
	require.NoError(t, json.Unmarshal(reg.get(t, repository+"/manifests", d), &manifest))
	for _, part := range append(manifest.Layers, manifest.Config) {
		reg.get(t, repository+"/blobs", part.Digest)
	}
	uploads, _ := reg.take()
	assert.Equal(t, 2, uploads, "a layer and the configuration")

	_, again := push(first)
	assert.Equal(t, d, again)
	uploads, _ = reg.take()
	assert.Zero(t, uploads, "nothing is uploaded twice")

	_, changed := push(second)
	assert.NotEqual(t, d, changed)
	uploads, _ = reg.take()
	assert.Equal(t, 2, uploads, "of a change, its layer and the configuration")
}

func TestPushToNoRegistry(t *testing.T) {
	addr := freeAddr(t)
	ref := "todo-push-test:" + uniqueTag()
	tinyImage(t, ref, "", "for nobody")
	removeAtEnd(t, addr+"/"+ref)
	_, err := (&image.Registry{Docker: docker(t), Prefix: addr}).Push(t.Context(), nil, []string{ref})
	require.ErrorContains(t, err, addr)
	assert.Equal(t, fault.CodeEnvironment, fault.Code(err))
}

// freeAddr is an address of this machine where nothing listens.
func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// foreign deploys to the tests' cluster as to one that somebody else runs: through a context of the user's kubeconfig
// and a registry.
func foreign(t *testing.T, project checkout) {
	d := running(t)
	changed := copyOf(t, project) // in something that the node has not yet
	appendTo(t, changed, "backend/src/main.py", "\n# elsewhere\n")
	reg := newRegistry(t)
	foreign, home := d.throughContext(t, reg)
	raw, err := os.ReadFile(home)
	require.NoError(t, err)

	r := changed.mage(t, foreign, "deploy")
	require.Zero(t, r.code)
	uploads, pulls := reg.take()
	assert.NotZero(t, uploads)
	assert.NotZero(t, pulls)
	pods := d.pods(t)
	require.NotEmpty(t, pods)
	for _, p := range pods {
		for _, c := range p.Spec.Containers {
			assert.Regexp(t, "@sha256:[0-9a-f]{64}$", c.Image, p.Name)
			if app := p.Labels["app"]; app == "todo-backend" || app == "todo-frontend" {
				assert.Contains(t, c.Image, reg.addr+"/team/"+app+"@", p.Name)
			}
		}
	}

	r = changed.mage(t, foreign, "deploy")
	require.Zero(t, r.code)
	assert.Contains(t, r.output, "Nothing changed")
	uploads, _ = reg.take()
	assert.Zero(t, uploads)

	ingressOfItsOwn(t, changed, foreign)

	r = changed.mage(t, foreign, "cluster:delete")
	assert.Equal(t, fault.CodeInput, r.code)
	assert.NotContains(t, r.output, "deleting the data")
	require.Zero(t, changed.mage(t, foreign, "teardown").code)
	list, err := d.client.AppsV1().Deployments(d.cfg.Namespace).List(t.Context(), metav1.ListOptions{})
	require.NoError(t, err, "the cluster still runs")
	assert.Empty(t, list.Items)
	kept, err := os.ReadFile(home)
	require.NoError(t, err)
	assert.Equal(t, raw, kept, "the user's kubeconfig")
}

// throughContext gives the settings with which the tests' cluster is one that somebody else runs, which gets its images
// from the registry, and the kubeconfig that they name.
func (d *deployment) throughContext(t *testing.T, reg *testRegistry) (env []string, kubeconfig string) {
	t.Helper()
	raw, err := os.ReadFile(d.access.Kubeconfig)
	require.NoError(t, err)
	kubeconfig = filepath.Join(t.TempDir(), "config")
	require.NoError(t, os.WriteFile(kubeconfig, raw, 0o600))
	_, port, err := net.SplitHostPort(d.access.HTTP)
	require.NoError(t, err)
	// The node reaches the registry under the name that the engine knows it by.
	reg.mirror(t, d.cfg.ClusterName+"-control-plane")
	removeAtEnd(t, reg.addr+"/team/*")
	return []string{
		"KUBECONFIG=" + kubeconfig, "TODO_CLUSTER=context:" + d.access.Context, "TODO_CLUSTER_NAME=" + d.cfg.ClusterName + "-context",
		"TODO_REGISTRY=" + reg.addr + "/team", "TODO_HTTP_PORT=" + port,
	}, kubeconfig
}

// mirror lets the containerd of a kind node reach the registry through the gateway of its network.
func (r *testRegistry) mirror(t *testing.T, node string) {
	t.Helper()
	gateway, err := docker(t).Output(t.Context(), "container", "inspect", "--format", "{{.NetworkSettings.Networks.kind.Gateway}}", node)
	require.NoError(t, err)
	_, port, err := net.SplitHostPort(r.addr)
	require.NoError(t, err)
	through := r.listen(t, net.JoinHostPort(gateway, port))
	dir := "/etc/containerd/certs.d/" + r.addr
	_, err = docker(t).Run(t.Context(), run.Cmd{
		Args:  []string{"exec", "-i", node, "sh", "-c", `mkdir -p "$0" && cat >"$0/hosts.toml"`, dir},
		Stdin: strings.NewReader(fmt.Sprintf("server = \"http://%[1]s\"\n[host.\"http://%[1]s\"]\n", through)),
	})
	require.NoError(t, err)
}
