package image

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/opencontainers/go-digest"
	"github.com/stretchr/testify/require"

	"todo.local/magefiles/internal/engine"
	"todo.local/magefiles/internal/engine/dockertest"
	"todo.local/magefiles/internal/run"
)

// pushable is an image, or an index of several.
type pushable interface {
	Digest() (v1.Hash, error)
	MediaType() (types.MediaType, error)
	RawManifest() ([]byte, error)
}

// fakeEngine is a Docker engine that pushes to real registries, as far as the images' parts go, and saves archives.
type fakeEngine struct {
	mu      sync.Mutex
	images  map[string]pushable
	says    map[string][]byte // manifests that it pushes instead, without any blobs
	save    func(io.Writer, map[string]pushable) error
	tags    map[string]string // of pushes: name in the registry to image
	uploads []string          // digests of the blobs that it sent to a registry
}

func newEngine(images map[string]pushable) *fakeEngine {
	return &fakeEngine{images: images, save: saveOCI, tags: map[string]string{}, says: map[string][]byte{}}
}

// docker gives the engine's commands, beside those of the nodes.
func (e *fakeEngine) docker(t *testing.T, nodes ...*fakeNode) (*engine.Docker, *run.Fake) {
	fake := &run.Fake{}
	fake.OnFunc("docker image inspect", func(c run.Cmd) (string, error) {
		img, ok := e.images[c.Args[2]]
		if !ok {
			return "", errors.New("no such image")
		}
		h, err := img.Digest()
		return dockertest.Inspected(engine.Image{ID: h.String()}), err
	})
	fake.OnFunc("docker tag", func(c run.Cmd) (string, error) {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.tags[c.Args[2]] = c.Args[1]
		return "", nil
	})
	fake.On("docker image rm", "", nil)
	fake.OnFunc("docker push", func(c run.Cmd) (string, error) { return e.push(t.Context(), c.Args[1]) })
	fake.OnFunc("docker save", func(c run.Cmd) (string, error) {
		chosen := map[string]pushable{}
		for _, ref := range c.Args[1:] {
			chosen[ref] = e.images[ref]
		}
		return "", e.save(c.Stdout, chosen)
	})
	for _, n := range nodes {
		n.on(fake)
	}
	return dockertest.New(t, fake), fake
}

// RoundTrip notes which blobs are sent.
func (e *fakeEngine) RoundTrip(r *http.Request) (*http.Response, error) {
	if d := r.URL.Query().Get("digest"); r.Method == http.MethodPut && d != "" {
		e.mu.Lock()
		e.uploads = append(e.uploads, d)
		e.mu.Unlock()
	}
	return http.DefaultTransport.RoundTrip(r)
}

func (e *fakeEngine) push(ctx context.Context, target string) (string, error) {
	e.mu.Lock()
	ref := e.tags[target]
	e.mu.Unlock()
	to, err := name.NewTag(target, name.Insecure)
	if err != nil {
		return "", err
	}
	img := e.images[ref]
	var size int
	var pushed string
	switch said, ok := e.says[ref]; {
	case ok:
		mediaType, err := img.MediaType()
		if err != nil {
			return "", err
		}
		size, pushed = len(said), digest.FromBytes(said).String()
		req, err := http.NewRequestWithContext(ctx, http.MethodPut, "http://"+to.RegistryStr()+"/v2/"+to.RepositoryStr()+"/manifests/"+to.TagStr(), bytes.NewReader(said))
		if err != nil {
			return "", err
		}
		req.Header.Set("Content-Type", string(mediaType))
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			return "", err
		}
		_ = res.Body.Close()
		if res.StatusCode != http.StatusCreated {
			return "", errors.New(res.Status)
		}
	case img == nil:
		return "", errors.New("an image does not exist locally with the tag")
	default:
		write := func() error { return remote.Write(to, img.(v1.Image), remote.WithTransport(e)) }
		if index, ok := img.(v1.ImageIndex); ok {
			write = func() error { return remote.WriteIndex(to, index, remote.WithTransport(e)) }
		}
		if err := write(); err != nil {
			return "", err
		}
		h, err := img.Digest()
		if err != nil {
			return "", err
		}
		pushed = h.String()
	}
	return fmt.Sprintf("The push refers to repository [%s]\n%s: digest: %s size: %d\n", to.Context(), to.TagStr(), pushed, size), nil
}

// imageOf makes an OCI image of layers with the given bytes.
func imageOf(t *testing.T, layers ...string) v1.Image {
	t.Helper()
	img := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	for _, l := range layers {
		mediaType := types.OCIUncompressedLayer
		if strings.HasPrefix(l, "\x1f\x8b") {
			mediaType = types.OCILayer
		}
		var err error
		img, err = mutate.AppendLayers(img, static.NewLayer([]byte(l), mediaType))
		require.NoError(t, err)
	}
	return img
}

// schema2 is the image as Docker's own format has it.
func schema2(img v1.Image) v1.Image {
	return mutate.ConfigMediaType(mutate.MediaType(img, types.DockerManifestSchema2), types.DockerConfigJSON)
}

// indexOf makes an index as BuildKit does: an image for each platform, each with an attestation.
func indexOf(t *testing.T, images map[string]v1.Image) v1.ImageIndex {
	t.Helper()
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	var attestations []mutate.IndexAddendum
	for _, platform := range slices.Sorted(maps.Keys(images)) {
		p, err := v1.ParsePlatform(platform)
		require.NoError(t, err)
		h, err := images[platform].Digest()
		require.NoError(t, err)
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: images[platform], Descriptor: v1.Descriptor{Platform: p}})
		proof, err := mutate.AppendLayers(imageOf(t), static.NewLayer([]byte(`{"of":"`+h.String()+`"}`), "application/vnd.in-toto+json"))
		require.NoError(t, err)
		attestations = append(attestations, mutate.IndexAddendum{Add: proof, Descriptor: v1.Descriptor{
			Platform:    &v1.Platform{OS: "unknown", Architecture: "unknown"},
			Annotations: map[string]string{"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": h.String()},
		}})
	}
	return mutate.AppendManifests(index, attestations...)
}

// put adds a file to a tar archive.
func put(w *tar.Writer, name string, raw []byte) error {
	if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(raw))}); err != nil {
		return err
	}
	_, err := w.Write(raw)
	return err
}

// saveOCI writes what docker save does from version 25 on.
func saveOCI(w io.Writer, images map[string]pushable) error {
	tw := tar.NewWriter(w)
	blob := func(raw []byte) error { return put(tw, "blobs/sha256/"+digest.FromBytes(raw).Encoded(), raw) }
	index := v1.IndexManifest{SchemaVersion: 2, MediaType: types.OCIImageIndex}
	for ref, img := range images {
		d, err := partial.Descriptor(img.(partial.Describable))
		if err != nil {
			return err
		}
		if err := each(img, func(i v1.Image) error { return parts(i, blob) }); err != nil {
			return err
		}
		raw, err := img.RawManifest()
		if err != nil {
			return err
		}
		if err := blob(raw); err != nil {
			return err
		}
		d.Annotations = map[string]string{nameAnnotation: fullName(ref), "org.opencontainers.image.ref.name": "1"}
		index.Manifests = append(index.Manifests, *d)
	}
	raw, err := json.Marshal(index)
	if err != nil {
		return err
	}
	return errors.Join(put(tw, "index.json", raw), put(tw, "manifest.json", []byte(`[]`)), put(tw, "oci-layout", layoutFile), tw.Close())
}

// saveOld writes what docker save does before version 25.
func saveOld(w io.Writer, images map[string]pushable) error {
	tw := tar.NewWriter(w)
	var saved []savedImage
	seen := map[string]string{}
	for ref, img := range images {
		config, err := img.(v1.Image).RawConfigFile()
		if err != nil {
			return err
		}
		s := savedImage{Config: digest.FromBytes(config).Encoded() + ".json", RepoTags: []string{ref}}
		layers, err := img.(v1.Image).Layers()
		if err != nil {
			return err
		}
		for n, l := range layers {
			raw, err := bytesOf(l)
			if err != nil {
				return err
			}
			file := fmt.Sprintf("%s-%d/layer.tar", path.Base(ref), n)
			s.Layers = append(s.Layers, file)
			if first, ok := seen[string(raw)]; ok {
				err = tw.WriteHeader(&tar.Header{Typeflag: tar.TypeSymlink, Name: file, Linkname: "../" + first})
			} else {
				seen[string(raw)], err = file, put(tw, file, raw)
			}
			if err != nil {
				return err
			}
		}
		if err := put(tw, s.Config, config); err != nil {
			return err
		}
		saved = append(saved, s)
	}
	raw, err := json.Marshal(saved)
	if err != nil {
		return err
	}
	return errors.Join(put(tw, "manifest.json", raw), tw.Close())
}

func each(img pushable, do func(v1.Image) error) error {
	index, ok := img.(v1.ImageIndex)
	if !ok {
		return do(img.(v1.Image))
	}
	m, err := index.IndexManifest()
	if err != nil {
		return err
	}
	for _, d := range m.Manifests {
		i, err := index.Image(d.Digest)
		if err != nil {
			return err
		}
		if err := do(i); err != nil {
			return err
		}
	}
	return nil
}

// parts hands over manifest, config and layers of an image.
func parts(img v1.Image, blob func([]byte) error) error {
	manifest, err := img.RawManifest()
	if err != nil {
		return err
	}
	config, err := img.RawConfigFile()
	if err != nil {
		return err
	}
	layers, err := img.Layers()
	if err != nil {
		return err
	}
	for _, l := range layers {
		raw, err := bytesOf(l)
		if err != nil {
			return err
		}
		if err := blob(raw); err != nil {
			return err
		}
	}
	return errors.Join(blob(manifest), blob(config))
}

func bytesOf(l v1.Layer) ([]byte, error) {
	r, err := l.Compressed()
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }()
	return io.ReadAll(r)
}

func digestOf(t *testing.T, img pushable) digest.Digest {
	t.Helper()
	h, err := img.Digest()
	require.NoError(t, err)
	return digest.Digest(h.String())
}

// amd64 is the platform of a node.
func amd64() (v1.Platform, error) { return v1.Platform{OS: "linux", Architecture: "amd64"}, nil }
