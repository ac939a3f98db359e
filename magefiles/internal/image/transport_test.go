package image

import (
	"archive/tar"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/opencontainers/go-digest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"todo.local/magefiles/internal/engine"
	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/run"
)

const gzipped = "\x1f\x8b compressed, as far as anybody here can tell"

// nodeOf is a node as a run sees it. Folders are those of the machine, which a later run finds again.
func nodeOf(d *engine.Docker, machine string) *Node {
	return &Node{Docker: d, Container: "n", Blobs: filepath.Join(machine, "blobs"), Records: filepath.Join(machine, "records")}
}

// ways are how images leave an engine.
var ways = map[string]func(*fakeEngine, *run.Fake){
	"pushed": func(*fakeEngine, *run.Fake) {},
	"saved": func(_ *fakeEngine, fake *run.Fake) {
		fake.OnFunc("docker push", func(run.Cmd) (string, error) { return "", io.ErrClosedPipe })
	},
	"saved before version 25": func(e *fakeEngine, fake *run.Fake) {
		fake.OnFunc("docker push", func(run.Cmd) (string, error) { return "", io.ErrClosedPipe })
		e.save = saveOld
	},
}

func TestLoad(t *testing.T) {
	type version struct {
		img  pushable
		want v1.Image // of it, on the node
	}
	single := func(layers ...string) version {
		img := imageOf(t, layers...)
		return version{img, img}
	}
	docker := func(layers ...string) version {
		img := schema2(imageOf(t, layers...))
		return version{img, img}
	}
	attested := func(layers ...string) version {
		img := imageOf(t, layers...)
		return version{indexOf(t, map[string]v1.Image{"linux/amd64": img}), img}
	}
	several := func(layers ...string) version {
		img := imageOf(t, layers...)
		return version{indexOf(t, map[string]v1.Image{"linux/amd64": imageOf(t, "other"), "linux/arm64/v8": img, "linux/riscv64": imageOf(t, "third")}), img}
	}
	for name, c := range map[string]struct {
		of      func(layers ...string) version
		machine string
		ways    []string
	}{
		"an image":                      {single, "x86_64", []string{"pushed", "saved", "saved before version 25"}},
		"an image in Docker's format":   {docker, "x86_64", []string{"pushed", "saved"}},
		"an index with an attestation":  {attested, "x86_64", []string{"pushed", "saved"}},
		"an index of several platforms": {several, "aarch64", []string{"pushed", "saved"}},
	} {
		for _, way := range c.ways {
			t.Run(name+", "+way, func(t *testing.T) {
				one, two, other := c.of("base", gzipped, "one"), c.of("base", gzipped, "two"), c.of("base", "other")
				e := newEngine(map[string]pushable{"todo-a:1": one.img, "todo-a:2": two.img, "todo-b:1": other.img})
				n := newNode()
				n.machine = c.machine
				docker, fake := e.docker(t, n)
				ways[way](e, fake)
				machine := t.TempDir()
				load := func(refs ...string) (calls []string) {
					before := len(fake.Calls())
					require.NoError(t, nodeOf(docker, machine).Load(t.Context(), nil, refs))
					return fake.Calls()[before:]
				}

				load("todo-a:1", "todo-b:1")
				if way != "saved before version 25" { // which has no manifests
					assert.Equal(t, digestOf(t, one.want), n.images["docker.io/library/todo-a:1"])
					assert.Equal(t, digestOf(t, other.want), n.images["docker.io/library/todo-b:1"])
				}
				assert.Len(t, n.images, 2)
				assert.NotContains(t, string(n.content[digest.FromString("other")]), "other platform's")

				assert.Equal(t, []string{
					"docker image inspect todo-a:1", "docker image inspect todo-b:1", "docker exec n ctr --namespace k8s.io images list",
				}, load("todo-a:1", "todo-b:1"), "nothing moves the second time")

				e.uploads = nil
				load("todo-a:2")
				assert.NotContains(t, n.arrived, digest.FromString("base"))
				assert.NotContains(t, n.arrived, digest.FromString(gzipped))
				assert.Contains(t, n.arrived, digest.FromString("two"))
				assert.Len(t, n.arrived, 3, "a layer, the config, the manifest")
				if way == "pushed" {
					assert.NotContains(t, e.uploads, digest.FromString("base").String(), "the relay has what an earlier one was given")
				}
			})
		}
	}
}

// saying makes an engine whose answers to a push are not what they should be.
func saying(t *testing.T, manifest string) (*fakeEngine, *fakeNode) {
	t.Helper()
	img := imageOf(t, "base", "one")
	e := newEngine(map[string]pushable{"todo-a:1": indexOf(t, map[string]v1.Image{"linux/amd64": img})})
	if !strings.Contains(manifest, `"manifests"`) {
		e.images["todo-a:1"] = img
	}
	e.says["todo-a:1"] = []byte(manifest)
	return e, newNode()
}

const someDigest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

// malformed are answers that no engine should give.
var malformed = map[string]string{
	"nothing":                      ``,
	"no JSON":                      `<html>`,
	"no object":                    `[]`,
	"an empty object":              `{}`,
	"an empty digest":              `{"config":{"digest":""},"layers":[]}`,
	"another kind of digest":       `{"config":{"digest":"md5:00"}}`,
	"a path for a digest":          `{"config":{"digest":"sha256:../../../../etc/passwd"}}`,
	"parts that never came":        `{"config":{"digest":"` + someDigest + `","size":2},"layers":[{"digest":"` + someDigest + `","size":1}]}`,
	"a layer without a digest":     `{"config":{"digest":"` + someDigest + `"},"layers":[{}]}`,
	"an empty index":               `{"manifests":[]}`,
	"an index of nothing":          `{"manifests":[{}]}`,
	"an index of attestations":     `{"manifests":[{"mediaType":"x","digest":"` + someDigest + `","platform":{"os":"unknown","architecture":"unknown"}}]}`,
	"an index without a platform":  `{"manifests":[{"mediaType":"x","digest":"` + someDigest + `"}]}`,
	"an index of missing images":   `{"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"` + someDigest + `","platform":{"os":"linux","architecture":"amd64"}}]}`,
	"an index of empty digests":    `{"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","platform":{"os":"linux","architecture":"amd64"}}]}`,
	"an index that is none at all": `{"manifests":"none"}`,
}

func TestAPushThatMakesNoSenseIsSavedInstead(t *testing.T) {
	for name, manifest := range malformed {
		t.Run(name, func(t *testing.T) {
			e, n := saying(t, manifest)
			docker, fake := e.docker(t, n)
			require.NoError(t, nodeOf(docker, t.TempDir()).Load(t.Context(), nil, []string{"todo-a:1"}))
			assert.Contains(t, fake.Calls(), "docker save todo-a:1")
			assert.Equal(t, digestOf(t, imageOf(t, "base", "one")), n.images["docker.io/library/todo-a:1"])
		})
	}
}

func TestAnEngineThatMakesNoSenseIsAnErrorOfOneLine(t *testing.T) {
	for name, manifest := range malformed {
		t.Run(name, func(t *testing.T) {
			e, n := saying(t, manifest)
			e.save = func(w io.Writer, images map[string]pushable) error {
				tw := tar.NewWriter(w)
				d := digest.FromString(manifest)
				mediaType, err := images["todo-a:1"].MediaType()
				require.NoError(t, err)
				require.NoError(t, put(tw, "blobs/sha256/"+d.Encoded(), []byte(manifest)))
				require.NoError(t, put(tw, "index.json", []byte(`{"manifests":[{"mediaType":"`+string(mediaType)+`","digest":"`+d.String()+
					`","annotations":{"`+nameAnnotation+`":"docker.io/library/todo-a:1"}}]}`)))
				return tw.Close()
			}
			docker, _ := e.docker(t, n)
			err := nodeOf(docker, t.TempDir()).Load(t.Context(), nil, []string{"todo-a:1"})
			require.Error(t, err)
			assert.Equal(t, fault.CodeBuild, fault.Code(err))
			assert.NotEmpty(t, fault.Remedy(err))
			assert.Contains(t, err.Error(), "todo-a:1")
			assert.NotContains(t, err.Error(), "\n")
			assert.Empty(t, n.images)
		})
	}
}

func TestAnImageForOtherPlatformsIsRefused(t *testing.T) {
	for way, set := range ways {
		if way == "saved before version 25" {
			continue
		}
		t.Run(way, func(t *testing.T) {
			e := newEngine(map[string]pushable{"todo-a:1": indexOf(t, map[string]v1.Image{"linux/amd64": imageOf(t, "x"), "linux/arm/v7": imageOf(t, "y")})})
			n := newNode()
			n.machine = "aarch64"
			docker, fake := e.docker(t, n)
			set(e, fake)
			err := nodeOf(docker, t.TempDir()).Load(t.Context(), nil, []string{"todo-a:1"})
			require.ErrorContains(t, err, "todo-a:1 is for linux/amd64, linux/arm/v7, and the node runs linux/arm64")
		})
	}
}

func TestAnImageThatDidNotArriveIsAnError(t *testing.T) {
	n := newNode()
	n.pretends = true
	docker, _ := newEngine(map[string]pushable{"todo-a:1": imageOf(t, "base")}).docker(t, n)
	err := nodeOf(docker, t.TempDir()).Load(t.Context(), nil, []string{"todo-a:1"})
	require.Error(t, err)
	assert.Equal(t, fault.CodeCluster, fault.Code(err))
	assert.Contains(t, err.Error(), "todo-a:1")
}

func TestADamagedRecordCostsOneTransfer(t *testing.T) {
	docker, fake := newEngine(map[string]pushable{"todo-a:1": imageOf(t, "base")}).docker(t, newNode())
	machine := t.TempDir()
	require.NoError(t, nodeOf(docker, machine).Load(t.Context(), nil, []string{"todo-a:1"}))
	require.NoError(t, os.WriteFile(nodeOf(docker, machine).recordPath("todo-a:1"), []byte("{trunc"), 0o644))
	before := len(fake.Calls())
	require.NoError(t, nodeOf(docker, machine).Load(t.Context(), nil, []string{"todo-a:1"}))
	assert.Contains(t, strings.Join(fake.Calls()[before:], "\n"), "docker push")
}

func TestAKeptBlobThatIsDamagedIsSentAgain(t *testing.T) {
	for name, damage := range map[string]string{"cut": "ba", "changed": "bass"} {
		t.Run(name, func(t *testing.T) {
			e := newEngine(map[string]pushable{"todo-a:1": imageOf(t, "base")})
			docker, _ := e.docker(t, newNode())
			machine := t.TempDir()
			require.NoError(t, nodeOf(docker, machine).Load(t.Context(), nil, []string{"todo-a:1"}))
			require.NoError(t, os.WriteFile(filepath.Join(machine, "blobs", digest.FromString("base").Encoded()), []byte(damage), 0o644))

			n := newNode() // another cluster
			docker, _ = e.docker(t, n)
			require.NoError(t, os.RemoveAll(filepath.Join(machine, "records")))
			err := nodeOf(docker, machine).Load(t.Context(), nil, []string{"todo-a:1"})
			if err != nil {
				assert.Equal(t, "run the target again", fault.Remedy(err)[:20])
				require.NoError(t, nodeOf(docker, machine).Load(t.Context(), nil, []string{"todo-a:1"}))
			}
			assert.Equal(t, []byte("base"), n.content[digest.FromString("base")])
		})
	}
}
