package deploy

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"

	"todo.local/magefiles/internal/cluster"
	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/engine"
	"todo.local/magefiles/internal/engine/dockertest"
	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/pins"
	"todo.local/magefiles/internal/run"
	"todo.local/magefiles/internal/secrets"
	"todo.local/magefiles/internal/session"
	"todo.local/magefiles/internal/source"
	"todo.local/magefiles/internal/source/scratch"
	"todo.local/magefiles/internal/ui"
)

// open makes a session whose output nobody reads.
func open(cfg config.Config) session.Session {
	cfg.Namespace = "todo"
	return session.New(&cfg, ui.Plain(io.Discard))
}

// on is a session with a cluster that is nothing but what its API server says.
func on(client kubernetes.Interface, cfg config.Config) session.Cluster {
	return session.Cluster{Engine: session.Engine{Session: open(cfg)}, Client: client}
}

func TestImageValues(t *testing.T) {
	for ref, want := range map[string]map[string]any{
		"todo-backend:1f":                  {"repository": "todo-backend", "tag": "1f", "digest": ""},
		"registry.example:5000/team/x:1f":  {"repository": "registry.example:5000/team/x", "tag": "1f", "digest": ""},
		"registry.example:5000/x@sha256:9": {"repository": "registry.example:5000/x", "tag": "", "digest": "sha256:9"},
		"postgres:15@sha256:9":             {"repository": "postgres", "tag": "15", "digest": "sha256:9"},
	} {
		assert.Equal(t, want, imageValues(ref), ref)
	}
	assert.Equal(t, corev1.PullNever, pullPolicy("todo-backend:1f"), "it was brought to the node")
	assert.Equal(t, corev1.PullIfNotPresent, pullPolicy("registry.example/x@sha256:9"))
}

// Helm keeps values in the cluster, and people print them.
func TestValuesHoldNoSecret(t *testing.T) {
	cfg := &config.Config{DatabaseURL: "postgresql://u:hidden@h/d", JWTSecret: "hidden", OpenAIKey: "hidden"}
	v := values(cfg, Application{"backend": "b:1", "frontend": "f:1", "postgres": "p:1"}, secrets.Outcome{Name: "app-secrets", Checksum: "c"}, cluster.Access{})
	var out bytes.Buffer
	require.NoError(t, ui.Plain(&out).Do("x", func(t *ui.Task) error { t.Result("%v", v); return nil }))
	assert.NotContains(t, out.String(), "hidden")
	assert.Equal(t, false, v["postgres"].(map[string]any)["enabled"], "a database elsewhere takes the place of the cluster's own")
}

func TestTheIngressIsToldItsCertificate(t *testing.T) {
	for setting, want := range map[string]map[string]any{
		config.TLSOff: {"host": "todo.example"},
		config.TLSSelfSigned: {
			"host": "todo.example", "tls": map[string]any{"enabled": true, "secretName": "todo-tls"},
			"annotations": map[string]any{"nginx.ingress.kubernetes.io/ssl-redirect": "false"},
		},
		"secret:theirs": {"host": "todo.example", "tls": map[string]any{"enabled": true, "secretName": "theirs"}}, // and may lead HTTP to HTTPS
	} {
		assert.Equal(t, want, settings(&config.Config{Host: "todo.example", TLS: setting}, secrets.Outcome{})["ingress"], setting)
	}
}

func TestTheIngressClassIsThatOfTheCluster(t *testing.T) {
	class := func(access cluster.Access) any {
		return values(&config.Config{Host: "todo.example"}, Application{}, secrets.Outcome{}, access)["ingress"].(map[string]any)["className"]
	}
	assert.Equal(t, "edge", class(cluster.Access{IngressClass: "edge"}))
	assert.Nil(t, class(cluster.Access{}), "the chart's own")
}

func TestImagesOfThisMachineAreNotForNodesOfAnotherKind(t *testing.T) {
	p := pins.Load().Registry
	for _, pulled := range []bool{true, false} {
		d := (&run.Fake{}).On("docker tag", "", nil)
		for _, ref := range []string{p.Python, p.Node, p.Postgres} {
			tagged, digest, _ := strings.Cut(ref, "@")
			image := engine.Image{ID: "sha256:" + strings.Repeat("a", 64), Tags: []string{tagged}}
			if pulled {
				repo, _, _ := strings.Cut(tagged, ":")
				image.Digests = []string{repo + "@" + digest}
			}
			d.OnFunc("docker image inspect "+tagged, func(c run.Cmd) (string, error) {
				if !pulled && strings.Contains(c.Args[2], "@") {
					return "", errors.New("Error: No such image: " + ref)
				}
				return dockertest.Inspected(image), nil
			})
		}
		docker := dockertest.New(t, d)
		docker.Platform = "linux/amd64"
		cfg := config.Config{Images: config.ImagesRegistry}
		images, _, err := source.Pick(t.Context(), nil, &cfg, docker, scratch.New(&cfg, docker))
		require.NoError(t, err)
		s := session.Source{Engine: session.Engine{Session: open(cfg), Docker: docker}, Images: images}

		own, err := bases(t.Context(), nil, s, "")
		require.NoError(t, err)
		assert.Equal(t, "todo-base-postgres:15-bookworm-aaaaaaaaaaaa", own.Postgres, "the engine's goes to the nodes")
		other, err := bases(t.Context(), nil, s, "linux/arm64")
		if pulled {
			require.NoError(t, err)
			assert.Equal(t, p.Postgres, other.Postgres, "the nodes fetch theirs, which the engine has not")
		} else {
			require.ErrorContains(t, err, "the base images in this Docker engine are for linux/amd64 alone")
			assert.Contains(t, fault.Remedy(err), "TODO_IMAGES=registry")
		}
	}
}

func TestDeliveryLeavesImagesOfRegistriesToTheCluster(t *testing.T) {
	var delivered []string
	built, pulled := "todo-backend:1", "postgres@sha256:9"
	require.NoError(t, open(config.Config{}).UI.Do("x", func(task *ui.Task) error {
		var errs []error
		for _, ref := range []*string{&built, &pulled} {
			errs = append(errs, handOver(t.Context(), task, func(_ context.Context, _ *ui.Task, ref string) (string, error) {
				delivered = append(delivered, ref)
				return "there/" + ref, nil
			}, ref))
		}
		return errors.Join(errs...)
	}))
	assert.Equal(t, []string{"todo-backend:1"}, delivered)
	assert.Equal(t, "there/todo-backend:1", built)
	assert.Equal(t, "postgres@sha256:9", pulled)
}
