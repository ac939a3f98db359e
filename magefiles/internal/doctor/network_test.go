package doctor

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/moby/moby/api/types/registry"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/run"
)

func TestContainerRegistry(t *testing.T) {
	status := http.StatusUnauthorized
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
	defer server.Close()
	c, _ := bench(t)
	c.registry = server.URL + "/v2/"
	assert.Contains(t, c.checkContainerRegistry(t.Context()).Detail, "answers")

	status = http.StatusForbidden // as a firewall would
	r := c.checkContainerRegistry(t.Context())
	assert.Equal(t, OK, r.Level)
	assert.Contains(t, r.Detail, "built from package registries")

	assert.Contains(t, r.Detail, "403 Forbidden")
	c.registry = "http://127.0.0.1:1/v2/"
	assert.Contains(t, c.checkContainerRegistry(t.Context()).Detail, "(connection refused)")

	c.registry = server.URL + "/v2/"
	c.cfg.Images = config.ImagesRegistry
	r = c.checkContainerRegistry(t.Context())
	assert.Equal(t, Failure, r.Level)
	assert.Contains(t, r.Detail, "403")
}

func TestAMirrorOfTheEngineCountsAsARegistry(t *testing.T) {
	mirror := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTooManyRequests) }))
	defer mirror.Close()
	c, _ := bench(t)
	c.registry = "http://127.0.0.1:1/v2/"
	c.info.RegistryConfig = &registry.ServiceConfig{Mirrors: []string{"http://127.0.0.1:2/", mirror.URL + "/"}}
	assert.Equal(t, "the engine's mirror "+mirror.URL+"/ answers", c.checkContainerRegistry(t.Context()).Detail)
}

func TestPackageRegistriesAreAskedThroughTheirClients(t *testing.T) {
	c, fake := bench(t)
	fake.On("npm view", "12.2.0", nil)
	assert.Equal(t, Result{Detail: "npm's registry answers"}, c.checkNpm(t.Context()))

	fake.On("npm view", "npm error 403 Forbidden", errors.New("exit status 1"))
	assert.Equal(t, Warning, c.checkNpm(t.Context()).Level)

	fake.On("npm view", "", context.DeadlineExceeded)
	assert.Contains(t, c.checkNpm(t.Context()).Detail, "npm had no answer within 10s")

	fake.On("npm view", "", &exec.Error{Name: "npm", Err: exec.ErrNotFound})
	assert.Equal(t, Result{Detail: "no npm here: they are fetched inside the builds"}, c.checkNpm(t.Context()))

	fake.On("apt-get indextargets", "https://mirror.example.com/debian/dists/bookworm/InRelease\nhttps://other.example.com/\n", nil)
	fake.OnFunc("/usr/lib/apt/apt-helper", func(cmd run.Cmd) (string, error) {
		assert.Contains(t, cmd.Args, "https://mirror.example.com/debian/dists/bookworm/InRelease")
		return "", nil
	})
	assert.Equal(t, OK, c.checkDebianPackages(t.Context()).Level)
}

func TestProxy(t *testing.T) {
	c, _ := bench(t)
	c.info.HTTPSProxy = "http://proxy.example.com:3128"
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"} {
		t.Setenv(name, "")
	}
	assert.Equal(t, OK, c.checkProxy(t.Context()).Level)

	t.Setenv("https_proxy", "http://user:hidden@proxy.example.com:3128")
	r := c.checkProxy(t.Context())
	assert.Equal(t, Warning, r.Level)
	assert.Contains(t, r.Detail, "NO_PROXY lacks localhost, 127.0.0.1, todo.localhost, todo.local")
	assert.NotContains(t, r.Detail, "hidden")

	t.Setenv("NO_PROXY", "localhost, 127.0.0.0/8,.localhost,*.local")
	assert.Equal(t, OK, c.checkProxy(t.Context()).Level)
	t.Setenv("NO_PROXY", "*")
	assert.Equal(t, OK, c.checkProxy(t.Context()).Level)
	c.info.HTTPSProxy = ""
	assert.Contains(t, c.checkProxy(t.Context()).Detail, "the Docker engine, which pulls images, has none")
	c.cfg.Images = config.ImagesSource
	assert.Equal(t, OK, c.checkProxy(t.Context()).Level, "nothing is pulled")
	t.Setenv("NO_PROXY", "localhost,127.0.0.1,todo.localhost,xtodo.local")
	assert.Contains(t, c.checkProxy(t.Context()).Detail, "lacks todo.local")
}

func TestCABundle(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	good := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	bad := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("x")})

	for _, x := range []struct {
		content []byte
		level   Level
		detail  string
	}{
		{slices.Concat(good, good), OK, "2 certificates in"},
		{slices.Concat(good, bad), Warning, "1 of 2 blocks"},
		{[]byte("nothing"), Failure, "holds no certificate"},
	} {
		c, _ := bench(t)
		c.cfg.CABundle = filepath.Join(t.TempDir(), "ca.pem")
		require.NoError(t, os.WriteFile(c.cfg.CABundle, x.content, 0o644))
		r := c.checkCABundle(t.Context())
		assert.Equal(t, x.level, r.Level)
		assert.Contains(t, r.Detail, x.detail)
	}
	c, _ := bench(t)
	c.cfg.CABundle = "/no/such/file"
	assert.Equal(t, Failure, c.checkCABundle(t.Context()).Level)
}
