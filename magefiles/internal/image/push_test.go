package image

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"todo.local/magefiles/internal/engine/dockertest"
	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/run"
)

const (
	contentDigest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	registryHost  = "registry.example.com/team"
)

func fakeRegistry(t *testing.T) (*Registry, *run.Fake) {
	fake := (&run.Fake{}).On("docker tag", "", nil)
	return &Registry{Docker: dockertest.New(t, fake), Prefix: registryHost}, fake
}

func TestPushGivesNamesThatPinTheContent(t *testing.T) {
	r, fake := fakeRegistry(t)
	fake.On("docker push", "The push refers to repository [registry.example.com/team/todo-a]\n4f4fb700ef54: Pushed\n5f70bf18a086: Layer already exists\n"+
		"1: digest: "+contentDigest+" size: 528\n", nil)
	names, err := r.Push(t.Context(), nil, []string{"todo-a:1"})
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"todo-a:1": registryHost + "/todo-a@" + contentDigest}, names)
	assert.Equal(t, []string{"docker tag todo-a:1 " + registryHost + "/todo-a:1", "docker push " + registryHost + "/todo-a:1"}, fake.Calls())
}

func TestPushesOfAnIndex(t *testing.T) {
	const rest = "sha256:fe1d93bd06be0ca5310937d267e06f9bed31debd9043538bbd0a62ad9820c41e"
	for name, said := range map[string]string{
		"whole": "The push refers to repository [registry.example.com/team/todo-a]\n2152ded2c31d: Pushed\n44136fa355b3: Layer already exists\n" +
			"1: digest: " + contentDigest + " size: 1607\n",
		"one platform of it, as the engine pulled no more": "The push refers to repository [registry.example.com/team/todo-a]\n2dbee9e65feb: Pushed\n" +
			"1: digest: " + contentDigest + " size: 475\n\n" +
			" Info -> Not all multiplatform-content is present and only the available single-platform image was pushed\n         " + rest + " -> " + contentDigest + "\n",
	} {
		t.Run(name, func(t *testing.T) {
			r, fake := fakeRegistry(t)
			fake.On("docker push", said, nil)
			pinned, layers, err := r.push(t.Context(), nil, "todo-a:1")
			require.NoError(t, err)
			assert.Equal(t, registryHost+"/todo-a@"+contentDigest, pinned)
			assert.Equal(t, 1, layers)
		})
	}
}

func TestNamesInTheRegistry(t *testing.T) {
	r, _ := fakeRegistry(t)
	for ref, want := range map[string]string{
		"todo-backend:f2153effbce8":                     "/todo-backend:f2153effbce8",
		"localhost:5000/x/postgres:15":                  "/postgres:15",
		"postgres@" + contentDigest:                     "/postgres:0123456789ab",
		"docker.io/library/postgres":                    "/postgres:latest",
		"ghcr.io/a/postgres:15-alpine@" + contentDigest: "/postgres:15-alpine",
	} {
		got, err := r.target(ref)
		require.NoError(t, err, ref)
		assert.Equal(t, registryHost+want, got, ref)
	}
	_, err := r.target("Not A Name")
	require.Error(t, err)
}

func TestPushFailures(t *testing.T) {
	for said, remedy := range map[string]string{
		"no basic auth credentials":                                          "docker login registry.example.com",
		"denied: requested access to the resource is denied":                 "docker login registry.example.com",
		"http: server gave HTTP response to HTTPS client":                    "insecure-registries",
		"x509: certificate signed by unknown authority":                      "certs.d/registry.example.com",
		"dial tcp: lookup registry.example.com: no such host":                "TODO_REGISTRY",
		"dial tcp 192.0.2.1:443: connect: connection refused":                "TODO_REGISTRY",
		"Cannot connect to the Docker daemon at unix:///var/run/docker.sock": "go tool mage setup",
	} {
		r, fake := fakeRegistry(t)
		fake.On("docker push", said, errors.New("exit status 1"))
		_, err := r.Push(t.Context(), nil, []string{"todo-a:1"})
		require.Error(t, err, said)
		assert.Equal(t, fault.CodeEnvironment, fault.Code(err), said)
		assert.Contains(t, fault.Remedy(err), remedy, said)
		assert.False(t, strings.Contains(err.Error(), "\n"), "one line")
	}
}

func TestPushWithoutADigestIsAnError(t *testing.T) {
	r, fake := fakeRegistry(t)
	fake.On("docker push", "4f4fb700ef54: Pushed\n", nil)
	_, err := r.Push(t.Context(), nil, []string{"todo-a:1"})
	require.ErrorContains(t, err, "named no digest")
}

func TestPushOfAMissingImage(t *testing.T) {
	r, fake := fakeRegistry(t)
	fake.On("docker tag", "Error response from daemon: No such image: todo-a:1", errors.New("exit status 1"))
	_, err := r.Push(t.Context(), nil, []string{"todo-a:1"})
	require.Error(t, err)
	assert.Equal(t, fault.CodeBuild, fault.Code(err))
}
