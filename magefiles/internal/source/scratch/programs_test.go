package scratch

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/pins"
	"todo.local/magefiles/internal/run"
	"todo.local/magefiles/internal/ui"
)

// compiler answers "go build" by writing the commands asked for.
func compiler(t *testing.T) *run.Fake {
	return (&run.Fake{}).On("go list", "", nil).OnFunc("go build", func(c run.Cmd) (string, error) {
		var out string
		var pkgs []string
		for n, a := range c.Args {
			if a == "-o" {
				out, pkgs = c.Args[n+1], c.Args[n+2:]
			}
		}
		files := []string{out}
		if strings.HasSuffix(out, "/") {
			files = nil
			for _, p := range pkgs {
				files = append(files, filepath.Join(out, filepath.Base(p)))
			}
		}
		for _, f := range files {
			require.NoError(t, os.WriteFile(f, []byte("program"), 0o755))
		}
		return "example.com/compiled\n", nil
	})
}

func builds(f *run.Fake) (out []string) {
	for _, c := range f.Calls() {
		if strings.HasPrefix(c, "go build") {
			out = append(out, c)
		}
	}
	return out
}

func TestPinsArePlainVersionsAndAgreeWithGoMod(t *testing.T) {
	p := pins.Load()
	for _, v := range []string{p.Kubernetes, p.Kind, p.Etcd, p.CoreDNS, p.Containerd, p.Runc, p.CNI, p.Traefik, p.MetricsServer, p.LocalPath} {
		assert.Regexp(t, `^v\d+\.\d+\.\d+$`, v)
	}
	assert.Len(t, p.Node.SHA256["amd64"], 64)
	assert.Len(t, p.Node.SHA256["arm64"], 64)
	root, err := os.ReadFile("../../../../go.mod")
	require.NoError(t, err)
	assert.Contains(t, string(root), "sigs.k8s.io/kind "+p.Kind+"\n", "the node's files are of the kind that makes the cluster")
	assert.Contains(t, p.Registry.Traefik, p.Traefik, "both modes run the same ingress controller")
	assert.Contains(t, p.Registry.MetricsServer, p.MetricsServer)
}

func TestKeysOfThisCheckout(t *testing.T) {
	seen := map[string]string{}
	for _, p := range programs(pins.Load()) {
		key := p.key()
		assert.Equal(t, key, p.key(), "the same inputs give the same key")
		assert.Empty(t, seen[key])
		seen[key] = p.name
	}
	assert.NotEqual(t, hash("ab", "c"), hash("a", "bc"), "neighbours do not run together")
}

func TestAChangedPinRebuildsOnlyItsOwnPart(t *testing.T) {
	f := compiler(t)
	b := builder{run: f, store: store{t.TempDir()}}
	pinned := *pins.Load()
	pick := func(p *pins.Pins) (out []program) {
		for _, x := range programs(p) {
			if x.name == "etcd" || x.name == "runc" || x.name == "cni" {
				out = append(out, x)
			}
		}
		return out
	}
	_, err := b.all(t.Context(), nil, pick(&pinned))
	require.NoError(t, err)
	require.Len(t, builds(f), 3)

	pinned.Runc = "v1.4.99"
	dirs, err := b.all(t.Context(), nil, pick(&pinned))
	require.NoError(t, err)
	require.Len(t, builds(f), 4)
	assert.Contains(t, builds(f)[3], "github.com/opencontainers/runc")
	assert.FileExists(t, filepath.Join(dirs["runc"], "runc"))
	assert.FileExists(t, filepath.Join(dirs["cni"], "host-local"))
}

func TestAFailedBuildIsOneLineWithItsLog(t *testing.T) {
	f := (&run.Fake{}).On("go list", "", nil).On("go build", "# example.com/x\nx.go:1: undefined: y\n", errors.New("exit status 1"))
	s := store{t.TempDir()}
	etcd := programs(pins.Load())[6]
	require.Equal(t, "etcd", etcd.name)
	_, err := builder{run: f, store: s}.all(t.Context(), nil, []program{etcd})
	require.Error(t, err)
	assert.Equal(t, fault.CodeBuild, fault.Code(err))
	assert.EqualError(t, err, "etcd "+etcd.version+" did not build: x.go:1: undefined: y")
	log := regexp.MustCompile(`read (\S+);`).FindStringSubmatch(fault.Remedy(err))
	require.NotNil(t, log)
	raw, err := os.ReadFile(log[1])
	require.NoError(t, err)
	assert.Contains(t, string(raw), "undefined: y")
}

func TestALogThatCannotBeWrittenIsNoSuccess(t *testing.T) {
	b := builder{run: compiler(t), store: store{t.TempDir()}}
	require.NoError(t, os.MkdirAll(filepath.Join(b.store.dir, "logs"), 0o755))
	require.NoError(t, os.Symlink("/dev/full", filepath.Join(b.store.dir, "logs", "x.log")))
	_, err := b.all(t.Context(), nil, []program{{name: "x", module: "m", version: "v1.0.0", packages: []string{"m"}}})
	require.ErrorContains(t, err, "the cache folder cannot be written")
	assert.Contains(t, fault.Remedy(err), "free some space")
}

func TestAFullDiskDuringABuildIsNamed(t *testing.T) {
	f := (&run.Fake{}).On("go list", "", nil).On("go build", "# example.com/x\nlink: writing output: no space left on device\ngo: note\n", errors.New("exit status 1"))
	_, err := builder{run: f, store: store{t.TempDir()}}.all(t.Context(), nil, programs(pins.Load())[6:7])
	require.EqualError(t, err, "the disk is full: link: writing output: no space left on device")
	assert.Equal(t, fault.CodeEnvironment, fault.Code(err))
	assert.NotEmpty(t, fault.Remedy(err))
}

func TestABuildGoesOnWhereItWasInterrupted(t *testing.T) {
	f, s := compiler(t), store{t.TempDir()}
	list := programs(pins.Load())[6:]
	interrupted := list[1].packages[0]
	f.OnFunc("go build", func(c run.Cmd) (string, error) {
		if c.Args[len(c.Args)-1] == interrupted {
			return "", context.Canceled
		}
		return "", os.WriteFile(filepath.Join(s.dir, "programs", list[0].name+"-"+list[0].key()+".partial", list[0].name), []byte("program"), 0o755)
	})
	_, err := builder{run: f, store: s}.all(t.Context(), nil, list)
	require.ErrorIs(t, err, context.Canceled)

	again := compiler(t)
	_, err = builder{run: again, store: s}.all(t.Context(), nil, list)
	require.NoError(t, err)
	require.Len(t, builds(again), len(list)-1, "the first is not built twice")
	assert.Contains(t, builds(again)[0], interrupted)
}

func TestTheCompilersOwnFilesAreBelowTheCache(t *testing.T) {
	f, s := compiler(t), store{t.TempDir()}
	f.OnFunc("go build", func(c run.Cmd) (string, error) {
		assert.Contains(t, c.Env, "GOTMPDIR="+c.Dir)
		assert.True(t, strings.HasPrefix(c.Dir, s.dir), c.Dir)
		return "", errors.New("enough")
	})
	_, err := builder{run: f, store: s}.all(t.Context(), nil, programs(pins.Load())[6:7])
	require.Error(t, err)
}

func TestAnInterruptedBuildIsNoFailure(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	f := (&run.Fake{}).On("go list", "", nil).OnFunc("go build", func(run.Cmd) (string, error) { cancel(); return "", context.Canceled })
	_, err := builder{run: f, store: store{t.TempDir()}}.all(ctx, nil, programs(pins.Load())[6:7])
	assert.Equal(t, fault.CodeInterrupted, fault.Code(err))
}

func TestACompilerThatLeavesNothingIsAFailure(t *testing.T) {
	f := (&run.Fake{}).On("go build", "", nil)
	_, err := builder{run: f, store: store{t.TempDir()}}.all(t.Context(), nil, programs(pins.Load())[6:7])
	require.ErrorContains(t, err, "the compiler left no etcd")
}

func TestProgressNamesTheProgramAndItsPlace(t *testing.T) {
	var out bytes.Buffer
	b := builder{run: compiler(t), store: store{t.TempDir()}}
	list := programs(pins.Load())[6:]
	require.NoError(t, ui.Plain(&out).Do("programs", func(task *ui.Task) error {
		_, err := b.all(t.Context(), task, list)
		return err
	}))
	assert.Contains(t, out.String(), "programs › etcd "+list[0].version+": built in 0s (1 of 3)")
	assert.Contains(t, out.String(), "(3 of 3)")
}

func TestGoRunsApartFromThisModule(t *testing.T) {
	c := builder{env: []string{"SSL_CERT_FILE=/ca.pem"}}.goCmd(program{cgo: true}, "/build", "version")
	assert.Equal(t, "/build", c.Dir)
	assert.Subset(t, c.Env, []string{"GOWORK=off", "GOFLAGS=-mod=mod", "CGO_ENABLED=1", "GOOS=linux", "GOARCH=" + arch, "SSL_CERT_FILE=/ca.pem"})
	for _, kv := range c.Env {
		assert.NotRegexp(t, `^(GOPROXY|GOSUMDB|GONOSUMDB|GOPRIVATE|GOTOOLCHAIN|GOINSECURE)=`, kv, "these are the user's")
	}
}

func TestGoModOfKubernetesReplacesWhatItDevelopsInside(t *testing.T) {
	mod := kubernetes("v1.37.2").goMod()
	assert.Contains(t, mod, "require k8s.io/kubernetes v1.37.2\n")
	assert.Contains(t, mod, "require k8s.io/api v0.37.2\n")
	assert.Contains(t, mod, "replace k8s.io/api => k8s.io/api v0.37.2\n")
	assert.Equal(t, len(staging), strings.Count(mod, "replace "))
	assert.Contains(t, kubernetes("v1.37.2").ldflags, "gitMinor=37 ")
}

func TestGoModOfTraefikUsesThePatchedCopies(t *testing.T) {
	p := traefik("v3.7.13", "v1.37.2")
	mod := p.goMod()
	assert.Contains(t, mod, "require k8s.io/client-go v0.37.2\n", "shared with Kubernetes itself")
	assert.Contains(t, mod, "replace github.com/go-acme/lego/v5 => ./lego\n")
	assert.Contains(t, mod, "replace github.com/gorilla/mux => ./mux\n")
	assert.Contains(t, mod, "exclude github.com/tencentcloud/tencentcloud-sdk-go v3.0.83+incompatible\n")

	from := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(from, "mux.go"), []byte("package mux\n"), 0o444))
	f := (&run.Fake{}).On("go mod download -json", `{"Dir": "`+from+`"}`, nil)
	dir := t.TempDir()
	require.NoError(t, builder{run: f}.prepare(t.Context(), p, dir))
	assert.FileExists(t, filepath.Join(dir, "mux", "mux.go"))
	assert.FileExists(t, filepath.Join(dir, "mux", "routing_path.go"))
	assert.FileExists(t, filepath.Join(dir, "httpauth", "added.go"))
	assert.FileExists(t, filepath.Join(dir, "ext", "go.mod"))
	assert.NoFileExists(t, filepath.Join(dir, "ext", "mux.go"))
	assert.FileExists(t, filepath.Join(dir, "lego", "providers", "dns", "zz_gen_dns_providers.go"))

	before := p.key()
	p.forks[0].files = map[string]string{"routing_path.go": "package mux\n"}
	assert.NotEqual(t, before, p.key(), "a changed shim is a changed program")
}

func TestAModuleThatIsNotServedIsNamed(t *testing.T) {
	f := (&run.Fake{}).On("go mod download", `{"Path": "example.com/x", "Error": "example.com/x@v1: not found"}`, errors.New("exit status 1"))
	_, err := builder{run: f}.moduleDir(t.Context(), "example.com/x", "v1")
	require.EqualError(t, err, "example.com/x@v1: not found")
}
