package deploy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"todo.local/magefiles/internal/cluster"
	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/engine"
	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/pins"
	"todo.local/magefiles/internal/run"
	"todo.local/magefiles/internal/secrets"
	"todo.local/magefiles/internal/source"
	"todo.local/magefiles/internal/source/scratch"
	"todo.local/magefiles/internal/ui"
)

func app(t *testing.T, cfg config.Config) (*App, *bytes.Buffer) {
	t.Helper()
	var out bytes.Buffer
	cfg.Cache, cfg.ClusterName, cfg.Namespace = t.TempDir(), "x", "todo"
	return New(&cfg, ui.Plain(&out)), &out
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
	a, _ := app(t, config.Config{DatabaseURL: "postgresql://u:hidden@h/d", JWTSecret: "hidden", OpenAIKey: "hidden"})
	v := a.values(application{backend: "b:1", frontend: "f:1", bases: source.Bases{Postgres: "p:1"}}, secrets.Outcome{Name: "app-secrets", Checksum: "c"}, cluster.Access{})
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
		a, _ := app(t, config.Config{Host: "todo.example", TLS: setting})
		assert.Equal(t, want, a.settings(secrets.Outcome{})["ingress"], setting)
	}
}

func TestTheIngressClassIsThatOfTheCluster(t *testing.T) {
	a, _ := app(t, config.Config{Host: "todo.example"})
	class := func(access cluster.Access) any {
		return a.values(application{}, secrets.Outcome{}, access)["ingress"].(map[string]any)["className"]
	}
	assert.Equal(t, "edge", class(cluster.Access{IngressClass: "edge"}))
	assert.Nil(t, class(cluster.Access{}), "the chart's own")
}

func TestImagesOfThisMachineAreNotForNodesOfAnotherKind(t *testing.T) {
	p := pins.Load().Registry
	for digest, want := range map[string]string{"sha256:9": "", "": "the base images in this Docker engine are for linux/amd64 alone"} {
		named := func(repo string) string {
			if digest == "" {
				return ""
			}
			return repo + "@" + digest
		}
		d := (&run.Fake{}).On("docker image inspect", fmt.Sprintf("sha256:%[1]s %[2]s %[3]s\nsha256:%[1]s %[4]s %[5]s\nsha256:%[1]s %[6]s %[7]s\n",
			strings.Repeat("a", 64), p.Python, named("python"), p.Node, named("node"), p.Postgres, named("postgres")), nil).On("docker tag", "", nil)
		a, _ := app(t, config.Config{Images: config.ImagesRegistry})
		a.docker = &engine.Docker{Runner: d, CLI: "docker", Platform: "linux/amd64"}
		var err error
		a.source, _, err = source.Pick(t.Context(), nil, a.cfg, a.docker, scratch.New(a.cfg, a.docker))
		require.NoError(t, err)

		own, err := a.bases(t.Context(), nil, "")
		require.NoError(t, err)
		assert.Equal(t, "todo-base-postgres:15-bookworm-aaaaaaaaaaaa", own.Postgres, "the engine's goes to the nodes")
		other, err := a.bases(t.Context(), nil, "linux/arm64")
		if want == "" {
			require.NoError(t, err)
			assert.Equal(t, "postgres@sha256:9", other.Postgres, "the nodes fetch theirs, which the engine has not")
		} else {
			require.ErrorContains(t, err, want)
			assert.Contains(t, fault.Remedy(err), "TODO_IMAGES=registry")
		}
	}
}

func TestURLsAreThoseThatAnswer(t *testing.T) {
	for _, k := range []struct {
		tls    string
		access cluster.Access
		want   string
	}{
		{config.TLSOff, cluster.Access{HTTP: "127.0.0.1:80", HTTPS: "127.0.0.1:443"},
			"\n  http://todo.localhost\n  http://todo.example   once todo.example points to 127.0.0.1\n\n"},
		{config.TLSSelfSigned, cluster.Access{HTTP: "127.0.0.1:8080", HTTPS: "127.0.0.1:443"},
			"\n  http://todo.localhost:8080\n  https://todo.localhost\n  http://todo.example:8080   once todo.example points to 127.0.0.1\n  https://todo.example   likewise\n\n"},
		{config.TLSSelfSigned, cluster.Access{HTTP: "192.0.2.1:80", HTTPS: "192.0.2.1:8443"},
			"\n  http://todo.example   once todo.example points to 192.0.2.1, by DNS or a line in /etc/hosts\n  https://todo.example:8443   likewise\n\n"},
		{config.TLSOff, cluster.Access{}, ""},
	} {
		a, out := app(t, config.Config{Host: "todo.example", TLS: k.tls})
		a.printURLs(k.access)
		assert.Equal(t, k.want, out.String())
	}
}

// lines is what a run prints, a write at a time.
type lines chan string

func (l lines) Write(p []byte) (int, error) {
	l <- string(p)
	return len(p), nil
}

func TestASecondRunWaitsForTheFirstAndNamesIt(t *testing.T) {
	first, _ := app(t, config.Config{})
	said := make(lines)
	second := New(first.cfg, ui.Plain(said))
	order := make(chan string, 2)
	ran := make(chan error, 1)
	require.NoError(t, first.exclusively(t.Context(), func() error {
		go func() {
			ran <- second.exclusively(t.Context(), func() error {
				order <- "second"
				return nil
			})
		}()
		assert.Regexp(t, `another run works on cluster x \(process \d+ since`, <-said)
		order <- "first"
		return nil
	}))
	require.NoError(t, <-ran)
	assert.Equal(t, "first", <-order)
}

func TestAWaitingRunCanBeInterrupted(t *testing.T) {
	a, _ := app(t, config.Config{})
	other := New(a.cfg, a.ui)
	ctx, cancel := context.WithCancel(t.Context())
	err := a.exclusively(t.Context(), func() error {
		time.AfterFunc(100*time.Millisecond, cancel)
		return other.exclusively(ctx, func() error { return errors.New("both ran") })
	})
	require.ErrorIs(t, err, context.Canceled)
}

func TestDeliveryLeavesImagesOfRegistriesToTheCluster(t *testing.T) {
	a, _ := app(t, config.Config{})
	var delivered []string
	to := func(_ context.Context, _ *ui.Task, ref string) (string, error) {
		delivered = append(delivered, ref)
		return "there/" + ref, nil
	}
	built, pulled := "todo-backend:1", "postgres@sha256:9"
	require.NoError(t, a.ui.Do("x", func(task *ui.Task) error {
		return errors.Join(handOver(t.Context(), task, to, &built), handOver(t.Context(), task, to, &pulled))
	}))
	assert.Equal(t, []string{"todo-backend:1"}, delivered)
	assert.Equal(t, "there/todo-backend:1", built)
	assert.Equal(t, "postgres@sha256:9", pulled)
}
