//go:build worlds

package e2e

import (
	"context"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"

	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/engine/enginetest"
	"todo.local/magefiles/internal/pins"
	"todo.local/magefiles/internal/run"
	"todo.local/magefiles/internal/source"
	"todo.local/magefiles/internal/source/scratch"
)

const (
	office     = "todo-office" // a network of the machine's engine from which nothing leads on
	officeNode = "kindest/node:office"
	greeting   = "office/greeting:1" // an image that no engine has, only the world
)

// TestWorldBehindAnInspectingProxy has a current Docker engine that knows no image sit in a company's network: nothing
// leads out but a proxy that inspects TLS. The world behind it has the images that were built here, under the names
// that everybody knows them by.
func TestWorldBehindAnInspectingProxy(t *testing.T) {
	own := docker(t)
	if why := enginetest.Unfit(own, runtime.GOOS, os.Geteuid() == 0); why != "" {
		t.Skip("there is no second engine: " + why)
	}
	ctx, stop := signal.NotifyContext(t.Context(), os.Interrupt, syscall.SIGTERM) // or the engine would stay
	defer stop()
	cfg := settings(t)
	programs, err := scratch.BuildCurrentDocker(ctx, nil, cfg, run.Exec{})
	require.NoError(t, err)
	programs.Data = filepath.Join(cfg.Cache, "engines", "office")
	require.NoError(t, os.RemoveAll(programs.Data))
	require.NoError(t, os.MkdirAll(programs.Data, 0o755))
	defer func() { assert.NoError(t, os.RemoveAll(programs.Data)) }()

	images := registry.New(registry.Logger(log.New(io.Discard, "", 0)), registry.WithBlobHandler(registry.NewDiskBlobHandler(t.TempDir())))
	python, pinned := fill(t, cfg, images)
	web := newInternet(t, net.JoinHostPort(officeGateway(t), "0"), moody(images))
	settings := []string{"HTTP_PROXY=" + web.URL, "HTTPS_PROXY=" + web.URL, "NO_PROXY=localhost,127.0.0.1"}
	e, err := enginetest.Start(ctx, cfg, own, programs, python, enginetest.Options{
		Network: office, Env: append(settings, "SSL_CERT_FILE="+web.Bundle),
	})
	require.NoError(t, err)
	defer e.Stop(t.Context())

	self, err := os.Executable()
	require.NoError(t, err)
	project := copyOf(t, here(t))
	for pin, here := range pinned {
		replace(t, project, "magefiles/internal/pins/pins.yaml", pin, here)
	}
	inside := e.Inside(self, "-test.v", "-test.run=^TestInTheOffice$", "-test.timeout=30m")
	inside.Env = append(append(inside.Env, settings...), "TODO_CA_BUNDLE="+web.Bundle, "TODO_CLUSTER_NAME="+cfg.ClusterName+"-office")
	inside.Dir = filepath.Join(project.dir, "magefiles", "e2e")
	inside.Line = func(line string) { fmt.Println(line) }
	inside.Grace = 30 * time.Second
	_, err = run.Exec{}.Run(ctx, inside)
	require.NoError(t, err)
	t.Logf("through the proxy: %s", strings.Join(web.Asked(), ", "))
	assert.Contains(t, web.Asked(), "registry-1.docker.io")
	assert.Contains(t, web.Asked(), "registry.k8s.io")
}

// officeGateway makes the network, and gives this machine's address in it.
func officeGateway(t *testing.T) string {
	t.Helper()
	d := docker(t)
	remove := func(ctx context.Context) error { _, err := d.Output(ctx, "network", "rm", office); return err }
	_ = remove(t.Context()) // what a run that was killed left
	_, err := d.Output(t.Context(), "network", "create", "--internal", office)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, remove(context.WithoutCancel(t.Context()))) })
	gateway, err := d.Output(t.Context(), "network", "inspect", "--format", "{{(index .IPAM.Config 0).Gateway}}", office)
	require.NoError(t, err)
	return gateway
}

// fill puts what was built here into a registry, under the names that the world has for it. It gives one of the images
// in the engine, and for each pin of the world the one that holds for this registry: what was built here has digests
// of its own.
func fill(t *testing.T, cfg *config.Config, images http.Handler) (python string, pinned map[string]string) {
	t.Helper()
	d := docker(t)
	here := scratch.New(cfg, d)
	node, err := here.Node(t.Context(), nil)
	require.NoError(t, err)
	bases, err := here.Bases(t.Context(), nil)
	require.NoError(t, err)
	reg := &testRegistry{Handler: images}
	reg.addr = reg.listen(t, "127.0.0.1:0")

	// kind gives its nodes the network that it finds in them. This one has had its network before.
	withNetwork := "todo-office-node:" + uniqueTag()
	_, err = d.Run(t.Context(), run.Cmd{Args: []string{"build", "--tag", withNetwork, "-"}, Stdin: tarOf(t, map[string]string{
		"Dockerfile":       "FROM " + node.Image + "\nCOPY default-cni.yaml /kind/manifests/default-cni.yaml\n",
		"default-cni.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: network-of-the-image, namespace: kube-system}\n",
	})})
	require.NoError(t, err)
	removeAtEnd(t, withNetwork)
	p, pinned := pins.Load().Registry, map[string]string{}
	for known, built := range map[string]string{officeNode: withNetwork, p.Python: bases.Python, p.Node: bases.Node, p.Postgres: bases.Postgres} {
		ref := reg.addr + "/" + inWorld(t, known)
		_, err := d.Output(t.Context(), "tag", built, ref)
		require.NoError(t, err)
		removeAtEnd(t, ref)
		_, err = d.Output(t.Context(), "push", "--quiet", ref)
		require.NoError(t, err)
		pinned[known] = reg.pin(t, known)
	}
	for known, program := range map[string]string{p.Traefik: "traefik", p.MetricsServer: "metrics-server"} {
		reg.write(t, inWorld(t, known), programImage(t, newest(t, filepath.Join(cfg.Cache, "programs", program+"-*", program)), "/"+program))
		pinned[known] = reg.pin(t, known)
	}
	shell, err := mutate.AppendLayers(empty.Image, foreignShell(t, runtime.GOARCH))
	require.NoError(t, err)
	reg.write(t, greeting, ofThisMachine(t, shell))
	content, err := random.Image(1<<20, 2)
	require.NoError(t, err)
	for mood := range moods {
		reg.write(t, mood+"/image:1", ofThisMachine(t, content))
	}
	delete(pinned, officeNode)
	return bases.Python, pinned
}

// inWorld is the path and tag under which a registry has an image that everybody knows by this name.
func inWorld(t *testing.T, known string) string {
	t.Helper()
	tagged, _, _ := strings.Cut(known, "@")
	ref, err := name.NewTag(tagged)
	require.NoError(t, err)
	return ref.RepositoryStr() + ":" + ref.TagStr()
}

// pin is a name that everybody knows with the digest of what this registry has under it.
func (r *testRegistry) pin(t *testing.T, known string) string {
	t.Helper()
	ref, err := name.ParseReference(r.addr+"/"+inWorld(t, known), name.Insecure)
	require.NoError(t, err)
	what, err := remote.Head(ref, remote.WithContext(t.Context()))
	require.NoError(t, err)
	tagged, _, _ := strings.Cut(known, "@")
	return tagged + "@" + what.Digest.String()
}

func (r *testRegistry) write(t *testing.T, path string, img v1.Image) {
	t.Helper()
	ref, err := name.ParseReference(r.addr+"/"+path, name.Insecure)
	require.NoError(t, err)
	require.NoError(t, remote.Write(ref, img, remote.WithContext(t.Context())))
}

// ofThisMachine says of an image that it is for this machine.
func ofThisMachine(t *testing.T, img v1.Image) v1.Image {
	t.Helper()
	cfg, err := img.ConfigFile()
	require.NoError(t, err)
	cfg = cfg.DeepCopy()
	cfg.OS, cfg.Architecture = "linux", runtime.GOARCH
	img, err = mutate.ConfigFile(img, cfg)
	require.NoError(t, err)
	return img
}

// programImage is an image of one program that it runs.
func programImage(t *testing.T, file, path string) v1.Image {
	t.Helper()
	raw, err := os.ReadFile(file)
	require.NoError(t, err)
	img, err := mutate.AppendLayers(empty.Image, programLayer(t, raw, strings.TrimPrefix(path, "/")))
	require.NoError(t, err)
	img, err = mutate.Config(img, v1.Config{Entrypoint: []string{path}, User: "65532:65532"})
	require.NoError(t, err)
	return ofThisMachine(t, img)
}

// newest is the file of a pattern that was changed last.
func newest(t *testing.T, pattern string) (path string) {
	t.Helper()
	found, err := filepath.Glob(pattern)
	require.NoError(t, err)
	require.NotEmpty(t, found, pattern)
	var last time.Time
	for _, f := range found {
		info, err := os.Stat(f)
		require.NoError(t, err)
		if info.ModTime().After(last) {
			path, last = f, info.ModTime()
		}
	}
	return path
}

// moods are hosts of the world that do not answer as they should, each in front of the registry.
var moods = map[string]func(n int64, w http.ResponseWriter, r *http.Request, images http.Handler){
	"limited.test": func(n int64, w http.ResponseWriter, r *http.Request, images http.Handler) {
		if n <= 3 {
			w.Header().Set("Retry-After", "1")
			http.Error(w, "too many requests", http.StatusTooManyRequests)
			return
		}
		images.ServeHTTP(w, r)
	},
	"slow.test": func(_ int64, w http.ResponseWriter, r *http.Request, images http.Handler) {
		select {
		case <-time.After(time.Second):
			images.ServeHTTP(w, r)
		case <-r.Context().Done():
		}
	},
	"halfway.test": func(n int64, w http.ResponseWriter, r *http.Request, images http.Handler) {
		if n > 1 || !strings.Contains(r.URL.Path, "/blobs/") {
			images.ServeHTTP(w, r)
			return
		}
		recorded := httptest.NewRecorder()
		images.ServeHTTP(recorded, r)
		w.Header().Set("Content-Length", strconv.Itoa(recorded.Body.Len()))
		_, _ = w.Write(recorded.Body.Bytes()[:recorded.Body.Len()/2])
		panic(http.ErrAbortHandler)
	},
	"false.test": func(_ int64, w http.ResponseWriter, r *http.Request, images http.Handler) {
		recorded := httptest.NewRecorder()
		images.ServeHTTP(recorded, r)
		raw := recorded.Body.Bytes()
		if r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/blobs/") {
			raw[len(raw)/2]++
		}
		maps.Copy(w.Header(), recorded.Header())
		w.WriteHeader(recorded.Code)
		_, _ = w.Write(raw)
	},
}

// moody are the hosts of the world: those of the registries that everybody knows, and the moods.
func moody(images http.Handler) map[string]http.Handler {
	hosts := map[string]http.Handler{"registry-1.docker.io": images, "registry.k8s.io": images}
	for host, mood := range moods {
		var asked sync.Map // paths, each with how often
		hosts[host] = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			inner := r.Clone(r.Context())
			if rest, ok := strings.CutPrefix(r.URL.Path, "/v2/"); ok && rest != "" {
				inner.URL.Path = "/v2/" + host + "/" + rest
			}
			n, _ := asked.LoadOrStore(r.Method+r.URL.Path, new(atomic.Int64))
			mood(n.(*atomic.Int64).Add(1), w, inner, images)
		})
	}
	return hosts
}

// TestInTheOffice runs inside the network.
func TestInTheOffice(t *testing.T) {
	if !strings.HasSuffix(settings(t).ClusterName, "-office") {
		t.Skip("TestWorldBehindAnInspectingProxy runs it, where there is no way but its proxy")
	}
	project := here(t)
	cache := "TODO_CACHE=" + t.TempDir() // what this machine knows of registries is not known here
	t.Run("a registry that is not at its best", func(t *testing.T) {
		for host, says := range map[string]string{"limited.test": "", "slow.test": "", "halfway.test": "", "false.test": "digest"} {
			t.Run(host, func(t *testing.T) {
				t.Parallel()
				start := time.Now()
				err := source.Pull(t.Context(), nil, docker(t), host+"/image:1")
				t.Logf("%.1f s: %v", time.Since(start).Seconds(), err)
				if says == "" {
					require.NoError(t, err)
					return
				}
				require.ErrorContains(t, err, host+"/image:1 cannot be pulled")
				assert.Contains(t, err.Error(), says)
				assert.NotContains(t, err.Error(), "\n")
			})
		}
	})
	t.Run("auto finds that the registries answer", func(t *testing.T) {
		r := project.mage(t, []string{cache, "TODO_IMAGES=auto"}, "image:build")
		require.Zero(t, r.code)
		assert.Contains(t, r.output, "the container registry answers")
	})
	registries := []string{cache, "TODO_IMAGES=registry", "TODO_NODE_IMAGE=" + officeNode}
	t.Cleanup(func() { require.Zero(t, project.mage(t, registries, "cluster:delete").code) })
	t.Run("deploy from nothing", func(t *testing.T) {
		require.Zero(t, project.mage(t, registries, "deploy").code)
		running(t).register(t, "ann@example.com").add(t, "written in the office")
	})
	t.Run("a second deploy changes nothing", func(t *testing.T) {
		r := project.mage(t, registries, "deploy")
		require.Zero(t, r.code)
		assert.Contains(t, r.output, "Nothing changed")
	})
	t.Run("the node pulls by itself", func(t *testing.T) {
		pod := &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{GenerateName: "greeting-", Namespace: "default"},
			Spec: corev1.PodSpec{RestartPolicy: corev1.RestartPolicyNever, Containers: []corev1.Container{{
				Name: "greeting", Image: "docker.io/" + greeting, ImagePullPolicy: corev1.PullAlways, Command: []string{"/bin/sh"},
			}}},
		}
		pods := running(t).client.CoreV1().Pods("default")
		pod, err := pods.Create(t.Context(), pod, metav1.CreateOptions{})
		require.NoError(t, err)
		require.NoError(t, wait.PollUntilContextTimeout(t.Context(), 200*time.Millisecond, time.Minute, true, func(ctx context.Context) (bool, error) {
			pod, err = pods.Get(ctx, pod.Name, metav1.GetOptions{})
			return err == nil && pod.Status.Phase == corev1.PodSucceeded, err
		}), "%+v", pod.Status.ContainerStatuses)
	})
}
